"""A text with highlighted spans as plain HTML: no script, no style sheet, all text escaped."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from html import escape

from nbner._common.alignment import filter_spans
from nbner._common.colors import underline_of
from nbner.types import Span


def highlight_spans(
    text: str,
    spans: Iterable[Span],
    colors: Mapping[str, str],
    suffix: Callable[[Span], str] = lambda _: "",
    meant: Collection[Span] = (),
) -> str:
    """Build the HTML of a text with highlighted spans.

    Parameters
    ----------
    text : str
        The whole text.
    spans : iterable of Span
        Where they overlap, the longest are shown.
    colors : mapping
        Label to ``#rrggbb``; grey for a label that is not in it.
    suffix : callable
        From a span to a text that is shown after its label.
    meant : collection of Span
        The spans that a row is about, which are framed; of spans of the same place, any label.
    """
    places = {(one.start, one.end) for one in meant}
    kept, _ = filter_spans(spans)
    parts: list[str] = []
    position = 0
    for span in kept:
        is_meant = (span.start, span.end) in places
        highlighted = _highlight(text, span, colors, suffix(span), is_meant=is_meant)
        parts += [escape(text[position : span.start]), highlighted]
        position = span.end
    return "".join([*parts, escape(text[position:])])


def _highlight(
    text: str, span: Span, colors: Mapping[str, str], suffix: str, *, is_meant: bool
) -> str:
    color = colors.get(span.label, "#8a8a8a")
    frame = ";outline:2px solid;outline-offset:1px" if is_meant else ""
    caption = " ".join(part for part in (span.label, suffix) if part)
    return (
        f'<span style="background:{color}33;border-bottom:2px solid {underline_of(color)}{frame}">'
        f"{escape(text[span.start : span.end])}"
        f'<small style="font-size:11px;opacity:.85"> {escape(caption)}</small></span>'
    )
