"""Plain values to messages and back.

On the wire, offsets are token indices and ids are strings; in Python, offsets
are code points and ids are input hashes. The translation lives here alone.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, TypeAlias, TypeGuard, get_args

from nbner.data.alignment import align, token_range, words_and_gaps
from nbner.errors import DataError
from nbner.types import Answer, AnswerKind, Counts, Example, Span
from nbner.widgets.desk import DeskInfo

Message: TypeAlias = dict[str, Any]

#: Nobody looks at one example for longer without having left the desk.
LONGEST_SECONDS = 3600.0

#: Under this key of ``Example.extra`` a desk may bring what others say of an
#: example: objects with ``annotator``, ``answer`` and ``spans``.
VERSIONS = "_versions"


def task(example: Example) -> Message:
    """Write an example as the page wants it.

    Parameters
    ----------
    example : Example
        Tokenized.

    Returns
    -------
    dict
        ``lead`` and ``tokens`` (text and what follows it) rebuild the text;
        ``spans`` are ``[start, end, label, details]`` in half-open token
        indices; ``loose`` holds the spans that do not fit the tokens.
    """
    lead, words = words_and_gaps(example.text, example.tokens)
    fitted = align(example.tokens, example.spans)
    versions = example.extra.get(VERSIONS)
    # A draft is a person's own work, although nobody has decided it.
    suggested = example.answer is None and example.annotator is None and bool(example.spans)
    return {
        "id": str(example.input_hash),
        "lead": lead,
        "tokens": [list(word) for word in words],
        "spans": [[start, end, span.label, _details(span)] for start, end, span in fitted.fits],
        "loose": [
            {"text": example.text[span.start : span.end], "label": span.label}
            for span in fitted.loose
        ],
        "answer": example.answer,
        "flagged": example.flagged,
        "note": example.note,
        "meta": {str(key): str(value) for key, value in example.meta.items()},
        "suggested": suggested,
        "by": next((span.source for span in example.spans if span.source), "") if suggested else "",
        **({"versions": _versions(versions, example)} if versions else {}),
    }


def setup(info: DeskInfo, version: str, colors: Mapping[str, str]) -> Message:
    """Write what the page needs to know once."""
    return {
        "key": info.key,
        "version": version,
        "dataset": info.dataset,
        "split": info.split,
        "mode": info.mode,
        "annotator": info.annotator,
        "labels": list(info.labels),
        "colors": dict(colors),
    }


def tally(counts: Counts) -> Message:
    """Write counts with the open ones said, not left to be subtracted."""
    return {
        "total": counts.total,
        "accept": counts.accept,
        "reject": counts.reject,
        "ignore": counts.ignore,
        "open": counts.open,
    }


def saved(answer: Answer, example: Example, counts: Counts) -> Message:
    """Write the news that an answer is in the store."""
    fitted = align(example.tokens, answer.spans)
    return {
        "type": "saved",
        "example": str(answer.input_hash),
        "answer": answer.answer,
        "spans": [[start, end, span.label] for start, end, span in fitted.fits],
        "flagged": answer.flagged,
        "note": answer.note,
        "counts": tally(counts),
        "next": [],
    }


def answer_from(message: Mapping[str, Any], example: Example, info: DeskInfo) -> Answer:
    """Read an answer that the page sent.

    Raises
    ------
    DataError
        A field is missing or of the wrong kind, a span leaves the tokens,
        two spans overlap, or a label is not one of the desk's.
    """
    kind = message.get("answer")
    if kind is not None and kind not in get_args(AnswerKind):
        raise DataError(f"{kind!r} is not an answer", field="answer")
    seconds = message.get("seconds")
    extra = {"seconds": min(float(seconds), LONGEST_SECONDS)} if _is_number(seconds) else {}
    return Answer(
        id=_text(message, "id"),
        input_hash=example.input_hash,
        split=example.split,
        annotator=info.annotator,
        answer=kind,
        spans=_spans(message.get("spans", []), example, info.labels),
        flagged=bool(message.get("flagged", False)),
        note=str(message.get("note", "")),
        labels=info.labels,
        created=time.time(),
        extra=extra,
    )


def token_span(span: Span | tuple[int, int, str], example: Example) -> list[Any]:
    """Write a span of code points in token indices.

    Raises
    ------
    DataError
        It does not begin and end where tokens do.
    """
    start, end, label = (span.start, span.end, span.label) if isinstance(span, Span) else span
    place = token_range(example.tokens, start, end)
    if place is None:
        raise DataError(
            f"{example.text[start:end]!r} ({start} to {end}) does not begin and end with a token",
            field="spans",
            remedy="Use the starts and ends of example.tokens",
        )
    return [*place, label]


def example_id(message: Mapping[str, Any], key: str = "example") -> int:
    """Read an example's id.

    Raises
    ------
    DataError
        There is none, or it is not a whole number.
    """
    try:
        return int(_text(message, key))
    except ValueError:
        raise DataError(f"{message[key]!r} is not an example's id", field=key) from None


def held(message: Mapping[str, Any]) -> set[int]:
    """Read which examples the page says it holds; anything unreadable is passed over."""
    have = message.get("have", [])
    return {int(one) for one in have if isinstance(one, str) and one.lstrip("-").isdecimal()}


def _versions(versions: Iterable[Any], example: Example) -> list[Message]:
    """Write what others say of an example: who, what, and spans in token indices."""
    return [
        {
            "by": one.annotator,
            "answer": one.answer,
            "spans": [
                [start, end, span.label]
                for start, end, span in align(example.tokens, one.spans).fits
            ],
        }
        for one in versions
    ]


def _details(span: Span) -> Message:
    known = {"source": span.source, "score": span.score}
    return {key: value for key, value in known.items() if value is not None}


def _text(message: Mapping[str, Any], key: str) -> str:
    value = message.get(key)
    if not isinstance(value, str) or not value:
        raise DataError(f"the message has no {key}", field=key)
    return value


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0


def _spans(raw: object, example: Example, labels: Sequence[str]) -> tuple[Span, ...]:
    if not isinstance(raw, list):
        raise DataError("spans must be a list", field="spans")
    spans = sorted((_span(one, example, labels) for one in raw), key=lambda span: span.start)
    for left, right in pairwise(spans):
        if right.start < left.end:
            raise DataError(f"{left} and {right} overlap", field="spans")
    return tuple(spans)


def _span(raw: object, example: Example, labels: Sequence[str]) -> Span:
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
