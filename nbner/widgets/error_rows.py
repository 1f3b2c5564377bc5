"""Findings as lines for the page: texts cut into pieces, so that no offset travels."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from nbner.evaluation.errors.matches import SpanMatch
from nbner.types import Example, Span
from nbner.widgets.messages import Message

if TYPE_CHECKING:
    from nbner.evaluation.errors.report import Errors

#: What the kinds are called where neither side is the gold.
_KINDS = {
    "correct": "the same",
    "borders": "other borders",
    "label": "another label",
    "label_and_borders": "another label and borders",
    "missed": "in {0} alone",
    "spurious": "in {1} alone",
}

#: Characters that are shown before and behind what is wrong.
_AROUND = 90


def serialize_row(finding: SpanMatch, errors: Errors, key: int) -> Message:
    """Write a finding: both sides of its text around it, each in pieces.

    Returns
    -------
    dict
        ``sides`` holds for each side its name and pieces ``[text, label, is
        meant]``; text outside of spans has the label "". Where neither side is
        the gold, that is a third one.
    """
    example = finding.example
    first, last = _stretch(finding, example)
    return {
        "id": str(key),
        "kind": _KINDS.get(finding.kind, "").format(*errors.side_names)
        if errors.reference is not None
        else finding.kind.replace("_", " "),
        "split": example.split,
        "judged": finding.judged or "",
        "probability": finding.probability,
        "sides": [
            [name, list(_pieces(example.text, spans, first, last, meant))]
            for name, spans, meant in _sides(finding, errors)
        ],
    }


def _sides(finding: SpanMatch, errors: Errors) -> Iterator[tuple[str, Sequence[Span], Span | None]]:
    a, b = errors.side_names
    yield a, errors.reference_spans(finding.example_index), finding.gold
    yield b, errors.predicted[finding.example_index], finding.predicted
    if errors.reference is not None and finding.example.answer == "accept":
        yield "gold", finding.example.spans, None


def _stretch(finding: SpanMatch, example: Example) -> tuple[int, int]:
    """Give the part of the text that is shown, moved out to whole tokens."""
    spans = [one for one in (finding.gold, finding.predicted) if one is not None]
    low = min(one.start for one in spans) - _AROUND
    high = max(one.end for one in spans) + _AROUND
    starts = [one.start for one in example.tokens if one.end > low]
    ends = [one.end for one in example.tokens if one.start < high]
    first = 0 if low <= 0 else (starts[0] if starts else low)
    last = len(example.text) if high >= len(example.text) else (ends[-1] if ends else high)
    return first, last


def _pieces(
    text: str, spans: Iterable[Span], first: int, last: int, meant: Span | None
) -> Iterator[list[Any]]:
    at = first
    if first > 0:
        yield ["…", "", False]
    for span in sorted(spans, key=lambda one: (one.start, -one.end)):
        start, end = max(span.start, at), min(span.end, last)
        if start >= end:
            continue
        if at < start:
            yield [text[at:start], "", False]
        yield [text[start:end], span.label, span == meant]
        at = end
    if at < last:
        yield [text[at:last], "", False]
    if last < len(text):
        yield ["…", "", False]
