"""What the page says of itself, as values: what is shown, what is selected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from nbner._common.alignment import filter_spans
from nbner.types import Example, Span


@dataclass(frozen=True, slots=True)
class Selection(Span):
    """What is selected in the page: a span with its text.

    Parameters
    ----------
    start, end : int
        Code points, half-open.
    label : str
        Of the span that is selected; empty where none stands exactly there.
    text : str
    """

    text: str = ""


def apply_page_spans(
    example: Example, message: Mapping[str, Any], labels: Sequence[str]
) -> Example:
    """Give an example with its spans as they are in the page, decided or not.

    Parameters
    ----------
    example : Example
        As the kernel gave it out.
    message : mapping
        ``spans`` are start, end and the label's place in ``labels``, one after
        the other; left out where nobody has touched them.
    """
    flat = message.get("spans")
    if not isinstance(flat, list):
        return replace(example, spans=filter_spans(example.spans)[0])
    parts = iter(flat)
    read = [_span(example, one, labels) for one in zip(parts, parts, parts, strict=False)]
    spans = [span for span in read if span is not None]
    known = {span: span for span in example.spans}
    # What is still as it was suggested keeps its source.
    return replace(example, spans=tuple(known.get(span, span) for span in spans))


def parse_selection(example: Example, message: Mapping[str, Any]) -> Selection | None:
    """Read what is selected; None where nothing is."""
    match message.get("selection"):
        case [int(start), int(end)] if 0 <= start < end <= len(example.tokens):
            first, last = example.tokens[start].start, example.tokens[end - 1].end
        case _:
            return None
    label = next((s.label for s in example.spans if (s.start, s.end) == (first, last)), "")
    return Selection(first, last, label, text=example.text[first:last])


def _span(example: Example, place: tuple[Any, Any, Any], labels: Sequence[str]) -> Span | None:
    match place:
        case (int(start), int(end), int(label)) if 0 <= start < end <= len(
            example.tokens
        ) and 0 <= label < len(labels):
            return Span(example.tokens[start].start, example.tokens[end - 1].end, labels[label])
        case _:
            return None
