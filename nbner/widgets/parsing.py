"""Parsing of messages from the page, whose fields are all checked.

On the wire, offsets are half-open token indices and ids are strings; in Python, offsets
are code points and ids are input hashes.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, TypeGuard, get_args

from nbner._common.alignment import filter_spans
from nbner._common.guidelines import VERSION_KEY
from nbner._common.offered import OFFER_KEY
from nbner.errors import DataError
from nbner.types import DONE_TO, Answer, AnswerKind, Example, Span
from nbner.widgets.messages import RawMessage
from nbner.widgets.queue_protocol import QueueInfo

#: Longest time in seconds that is stored for one answer; a longer one contains a break.
MAX_SECONDS = 3600.0

#: Characters of a version of the guideline.
_MAX_VERSION = 64


@dataclass(frozen=True, slots=True)
class Selection(Span):
    """The selected text of the page: a span with its text.

    Parameters
    ----------
    start, end : int
        Code points, half-open.
    label : str
        Label of the span with exactly these offsets; empty if there is none.
    text : str
        The selected characters.
    """

    text: str = ""


def parse_answer(message: RawMessage, example: Example, info: QueueInfo) -> Answer:
    """Parse an answer of the page.

    Parameters
    ----------
    message : mapping
        An `AnswerRequest`, unchecked.
    example : Example
        The answered example, tokenized.
    info : QueueInfo
        Annotator and labels.

    Raises
    ------
    DataError
        A field is missing or of the wrong type, a span leaves the tokens, two spans
        overlap, or a label is not one of the queue's.
    """
    kind = message.get("answer")
    if kind is not None and kind not in get_args(AnswerKind):
        raise DataError(f"{kind!r} is not an answer", field="answer")
    seconds = message.get("seconds")
    extra: dict[str, Any] = {}
    if _is_duration(seconds):
        extra["seconds"] = min(float(seconds), MAX_SECONDS)
    offer = message.get("offer")
    if _is_whole(offer):
        extra[OFFER_KEY] = offer
    done = message.get("done")
    if kind is None and _is_whole(done) and 0 < done <= len(example.tokens):
        extra["task"] = {DONE_TO: example.tokens[done - 1].end}
    version = message.get("guideline")
    if isinstance(version, str) and len(version) <= _MAX_VERSION and (version or info.guidelines):
        # Also where it is empty: the page had no guideline yet when the answer was given.
        extra[VERSION_KEY] = version
    # Gold may bear a label that this session was opened without: it is kept, and can be moved.
    allowed = (*info.labels, *info.renamed_labels, *(span.label for span in example.spans))
    spans = tuple(
        replace(span, label=info.renamed_labels.get(span.label, span.label))
        for span in parse_spans(message.get("spans", []), example, allowed)
    )
    _check_no_overlap(spans)
    return Answer(
        id=require_text(message, "id"),
        input_hash=example.input_hash,
        split=example.split,
        annotator=info.annotator,
        answer=kind,
        spans=spans,
        flagged=bool(message.get("flagged", False)),
        note=str(message.get("note", "")),
        labels=info.labels,
        created=time.time(),
        extra=extra,
    )


def parse_spans(raw: object, example: Example, labels: Sequence[str]) -> tuple[Span, ...]:
    """Parse spans in token indices, sorted by start; they may overlap.

    Parameters
    ----------
    raw : object
        A list of ``[start, end, label]``, unchecked.
    example : Example
        Tokenized.
    labels : sequence of str
        Allowed labels.

    Raises
    ------
    DataError
        ``raw`` is no list of spans, a span leaves the tokens, or a label is not allowed.
    """
    if not isinstance(raw, list):
        raise DataError("spans must be a list", field="spans")
    found = (_parse_span(one, example, labels) for one in raw)
    return tuple(sorted(found, key=lambda span: span.start))


def require_text(message: RawMessage, key: str) -> str:
    """Return a text field.

    Parameters
    ----------
    message : mapping
        A message, unchecked.
    key : str
        Name of the field.

    Raises
    ------
    DataError
        The field is missing, empty or no text.
    """
    value = message.get(key)
    if not isinstance(value, str) or not value:
        raise DataError(f"the message has no {key}", field=key)
    return value


def read_turn(message: RawMessage) -> int | None:
    """Return how often code had chosen the example when the page sent its state; None if unknown.

    Parameters
    ----------
    message : mapping
        A `PageState`, unchecked.
    """
    turn = message.get("turn")
    return turn if _is_whole(turn) else None


def read_example_id(message: RawMessage, key: str = "example") -> int:
    """Return an example's input hash.

    Parameters
    ----------
    message : mapping
        A message, unchecked.
    key : str
        Name of the field.

    Raises
    ------
    DataError
        The field is missing or no whole number.
    """
    try:
        return int(require_text(message, key))
    except ValueError:
        raise DataError(f"{message[key]!r} is not an example's id", field=key) from None


def read_ids(message: RawMessage, key: str = "have") -> list[int]:
    """Return input hashes of examples; invalid ids are left out.

    Parameters
    ----------
    message : mapping
        A message, unchecked.
    key : str
        Name of the field.
    """
    ids = message.get(key, [])
    if not isinstance(ids, list):
        return []
    return [int(one) for one in ids if isinstance(one, str) and one.lstrip("-").isdecimal()]


def read_count(message: RawMessage, key: str) -> int:
    """Return a number from 0; 0 where the field is missing or invalid.

    Parameters
    ----------
    message : mapping
        A message, unchecked.
    key : str
        Name of the field.
    """
    value = message.get(key)
    return max(0, value) if _is_whole(value) else 0


def apply_page_spans(example: Example, message: RawMessage, labels: Sequence[str]) -> Example:
    """Return an example with the spans that the page shows, decided or not.

    Parameters
    ----------
    example : Example
        The example as the kernel has sent it.
    message : mapping
        A `PageState`, unchecked.
    labels : sequence of str
        The labels that the message's indices refer to.
    """
    flat = message.get("spans")
    if not isinstance(flat, list):
        return replace(example, spans=filter_spans(example.spans)[0])
    numbers = iter(flat)
    triples = zip(numbers, numbers, numbers, strict=False)
    spans = [span for one in triples if (span := _parse_indices(one, example, labels)) is not None]
    # A span that has not been edited keeps its source.
    known = {span: span for span in example.spans}
    return replace(example, spans=tuple(known.get(span, span) for span in spans))


def parse_selection(example: Example, message: RawMessage) -> Selection | None:
    """Parse the selection of the page; return None if there is none.

    Parameters
    ----------
    example : Example
        The example on display, with the spans that are shown.
    message : mapping
        A `PageState`, unchecked.
    """
    match message.get("selection"):
        case [int(start), int(end)] if 0 <= start < end <= len(example.tokens):
            first, last = example.tokens[start].start, example.tokens[end - 1].end
        case _:
            return None
    label = next((s.label for s in example.spans if (s.start, s.end) == (first, last)), "")
    return Selection(first, last, label, text=example.text[first:last])


def _parse_span(raw: object, example: Example, labels: Sequence[str]) -> Span:
    match raw:
        case [int(start), int(end), str(label), *_]:
            pass
        case _:
            raise DataError(f"{raw!r} is not [start, end, label]", field="spans")
    size = len(example.tokens)
    if not 0 <= start < end <= size:
        raise DataError(f"tokens {start} to {end} do not lie in 0 to {size}", field="spans")
    if label not in labels:
        raise DataError(
            f"{label!r} is not one of this widget's labels",
            field="spans",
            remedy="Run the cell again if the labels have changed",
        )
    return Span(example.tokens[start].start, example.tokens[end - 1].end, label)


def _parse_indices(
    raw: tuple[Any, Any, Any], example: Example, labels: Sequence[str]
) -> Span | None:
    match raw:
        case (int(start), int(end), int(label)) if 0 <= start < end <= len(
            example.tokens
        ) and 0 <= label < len(labels):
            return Span(example.tokens[start].start, example.tokens[end - 1].end, labels[label])
        case _:
            return None


def _check_no_overlap(spans: Sequence[Span]) -> None:
    for left, right in pairwise(spans):
        if right.start < left.end:
            raise DataError(f"{left} and {right} overlap", field="spans")


def _is_whole(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_duration(value: object) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0
