"""A text with its spans as plain HTML: no script, no style sheet, every character escaped."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from html import escape

from nbner._common.alignment import filter_spans
from nbner.types import Span


def highlight_spans(
    text: str,
    spans: Iterable[Span],
    colors: Mapping[str, str],
    suffix: Callable[[Span], str] = lambda _: "",
) -> str:
    """Mark the spans of a text.

    Parameters
    ----------
    text : str
    spans : iterable of Span
        Where they overlap, the longest are shown.
    colors : mapping
        Label to ``#rrggbb``.
    suffix : callable
        From a span to what is said behind its label.
    """
    kept, _ = filter_spans(spans)
    parts: list[str] = []
    done = 0
    for span in kept:
        parts += [escape(text[done : span.start]), _mark(text, span, colors, suffix(span))]
        done = span.end
    return "".join([*parts, escape(text[done:])])


def _mark(text: str, span: Span, colors: Mapping[str, str], sign: str) -> str:
    color = colors.get(span.label, "#8a8a8a")
    said = " ".join(part for part in (span.label, sign) if part)
    return (
        f'<span style="background:{color}33;border-bottom:2px solid {color}">'
        f"{escape(text[span.start : span.end])}"
        f'<small style="font-size:11px;opacity:.85"> {escape(said)}</small></span>'
    )
