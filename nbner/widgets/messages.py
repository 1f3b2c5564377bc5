"""Plain values to messages and back.

On the wire, offsets are token indices and ids are strings; in Python, offsets
are code points and ids are input hashes. The translation lives here alone.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, TypeAlias, TypeGuard, get_args

from nbner._common.alignment import align, char_to_token_range, filter_spans, words_and_gaps
from nbner._common.suggestion_report import UNPLACED_KEY
from nbner.errors import DataError
from nbner.types import Answer, AnswerKind, Counts, Example, Span
from nbner.widgets.queue_protocol import QueueInfo

Message: TypeAlias = dict[str, Any]

#: Counts up when messages change in a way that the other side must know.
PROTOCOL_VERSION = 2

#: Nobody looks at one example for longer without having left the desk.
MAX_SECONDS = 3600.0

#: Under this key of ``Example.extra`` a desk may bring what others say of an
#: example: objects with ``annotator``, ``answer`` and ``spans``.
VERSIONS = "_versions"


def serialize_example(example: Example) -> Message:
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
        indices; ``also`` holds those that lost to a longer one they overlap,
        ``loose`` those that do not fit the tokens, and suggestions that have
        no place in the text.

    Raises
    ------
    DataError
        The tokens are not those of the text: the example cannot be shown.
    """
    _check_tokens(example)
    lead, words = words_and_gaps(example.text, example.tokens)
    fitted = align(example.tokens, example.spans)
    kept, lost = filter_spans(span for _, _, span in fitted.aligned)
    versions = example.extra.get(VERSIONS)
    unplaced = example.extra.get(UNPLACED_KEY, ())
    # A draft is a person's own work, although nobody has decided it: in that,
    # only what still has a source is a suggestion.
    draft = example.answer is None and example.annotator is not None
    proposed = [span for span in example.spans if span.source or not draft]
    suggested = example.answer is None and bool(proposed)
    return {
        "id": str(example.input_hash),
        "lead": lead,
        "tokens": [list(word) for word in words],
        "spans": [_written(span, example) for span in kept],
        "also": [_written(span, example) for span in lost if example.answer is None],
        "loose": [
            *(_loose(span, example.text) for span in fitted.misaligned),
            *({"text": one.suggested, "label": one.label or "?"} for one in unplaced),
        ],
        "answer": example.answer,
        "flagged": example.flagged,
        "note": example.note,
        "meta": {str(key): str(value) for key, value in example.meta.items()},
        "suggested": suggested,
        "draft": draft,
        "by": ", ".join(dict.fromkeys(one.source for one in proposed if one.source)),
        **({"versions": _versions(versions, example)} if versions else {}),
    }


def _check_tokens(example: Example) -> None:
    before = 0
    for token in example.tokens:
        fits = before <= token.start < token.end
        if not fits or example.text[token.start : token.end] != token.text:
            raise DataError(
                f"the tokens of example {example.input_hash} do not rebuild its text "
                f"{example.text[:40]!r}: {token.text!r} is not at {token.start}",
                field="tokens",
                remedy="Give the tokens of this text, in its order, or leave them out",
            )
        before = token.end


def _written(span: Span, example: Example) -> list[Any]:
    place = char_to_token_range(example.tokens, span.start, span.end)
    assert place is not None  # noqa: S101 - for the type checker: it was aligned
    return [*place, span.label, serialize_span_details(span)]


def _loose(span: Span, text: str) -> Message:
    inside = text[max(0, span.start) : span.end] if span.start < len(text) else ""
    where = f"characters {span.start} to {span.end}, of {len(text)} in the text"
    return {"text": inside or where, "label": span.label}


def serialize_setup(info: QueueInfo, version: str, colors: Mapping[str, str]) -> Message:
    """Write what the page needs to know beside its examples."""
    return {
        "key": info.key,
        "version": version,
        "dataset": info.dataset,
        "split": info.split,
        "mode": info.mode.replace("_", "-"),
        "annotator": info.annotator,
        "labels": list(info.labels),
        "colors": dict(colors),
        "protocol": PROTOCOL_VERSION,
        "advises": info.has_k_best,
        "redecodes": info.auto_redecode,
        "mends": info.edits_gold,
    }


def serialize_counts(counts: Counts) -> Message:
    """Write counts with the open ones said, not left to be subtracted."""
    return {
        "total": counts.total,
        "accept": counts.accept,
        "reject": counts.reject,
        "ignore": counts.ignore,
        "open": counts.open,
    }


def saved_message(answer: Answer, example: Example, counts: Counts) -> Message:
    """Write the news that an answer is in the store."""
    fitted = align(example.tokens, answer.spans)
    return {
        "type": "saved",
        "example": str(answer.input_hash),
        "answer": answer.answer,
        "spans": [[start, end, span.label] for start, end, span in fitted.aligned],
        "flagged": answer.flagged,
        "note": answer.note,
        "counts": serialize_counts(counts),
        "next": [],
    }


def parse_answer(message: Mapping[str, Any], example: Example, info: QueueInfo) -> Answer:
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
    extra = {"seconds": min(float(seconds), MAX_SECONDS)} if _is_number(seconds) else {}
    return Answer(
        id=require_text(message, "id"),
        input_hash=example.input_hash,
        split=example.split,
        annotator=info.annotator,
        answer=kind,
        spans=_apart(parse_spans(message.get("spans", []), example, info.labels)),
        flagged=bool(message.get("flagged", False)),
        note=str(message.get("note", "")),
        labels=info.labels,
        created=time.time(),
        extra=extra,
    )


def serialize_span(span: Span | tuple[int, int, str], example: Example) -> list[Any]:
    """Write a span of code points in token indices.

    Raises
    ------
    DataError
        It does not begin and end where tokens do.
    """
    start, end, label = (span.start, span.end, span.label) if isinstance(span, Span) else span
    place = char_to_token_range(example.tokens, start, end)
    if place is None:
        raise DataError(
            f"{example.text[start:end]!r} ({start} to {end}) does not begin and end with a token",
            field="spans",
            remedy="Use the starts and ends of example.tokens",
        )
    return [*place, label]


def read_example_id(message: Mapping[str, Any], key: str = "example") -> int:
    """Read an example's id.

    Raises
    ------
    DataError
        There is none, or it is not a whole number.
    """
    try:
        return int(require_text(message, key))
    except ValueError:
        raise DataError(f"{message[key]!r} is not an example's id", field=key) from None


def require_text(message: Mapping[str, Any], key: str) -> str:
    """Read a text that has to be there.

    Raises
    ------
    DataError
        It is missing, empty or no text.
    """
    value = message.get(key)
    if not isinstance(value, str) or not value:
        raise DataError(f"the message has no {key}", field=key)
    return value


def read_ids(message: Mapping[str, Any], key: str = "have") -> list[int]:
    """Read ids of examples, as of those the page holds; anything unreadable is passed over."""
    have = message.get(key, [])
    if not isinstance(have, list):
        return []
    return [int(one) for one in have if isinstance(one, str) and one.lstrip("-").isdecimal()]


def _versions(versions: Iterable[Any], example: Example) -> list[Message]:
    """Write what others say of an example: who, what, and spans in token indices."""
    return [
        {
            "by": one.annotator,
            "answer": one.answer,
            "spans": [
                [start, end, span.label]
                for start, end, span in align(example.tokens, one.spans).aligned
            ],
        }
        for one in versions
    ]


def serialize_span_details(span: Span) -> Message:
    """Write who proposed a span, and with what confidence."""
    known = {"source": span.source, "score": span.score, "pattern": span.extra.get("pattern")}
    return {key: value for key, value in known.items() if value is not None}


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0


def parse_spans(raw: object, example: Example, labels: Sequence[str]) -> tuple[Span, ...]:
    """Read spans in token indices, in their order; they may overlap.

    Raises
    ------
    DataError
        Not a list of spans, outside the tokens, or not with the desk's labels.
    """
    if not isinstance(raw, list):
        raise DataError("spans must be a list", field="spans")
    found = (_span(one, example, labels) for one in raw)
    return tuple(sorted(found, key=lambda span: span.start))


def _apart(spans: tuple[Span, ...]) -> tuple[Span, ...]:
    for left, right in pairwise(spans):
        if right.start < left.end:
            raise DataError(f"{left} and {right} overlap", field="spans")
    return spans


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
