"""Serialization of plain values into messages to the page.

On the wire, offsets are half-open token indices and ids are strings; in Python, offsets
are code points and ids are input hashes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from nbner._common.alignment import align, char_to_token_range, filter_spans, words_and_gaps
from nbner._common.colors import underline_of
from nbner._common.learning_status import LearningStatus
from nbner._common.offered import ALTERNATIVES_KEY, OFFER_KEY
from nbner._common.suggestion_report import UNPLACED_KEY, SuggestionIssue
from nbner._common.surroundings import SURROUNDINGS_KEY, Surroundings
from nbner.errors import DataError
from nbner.types import DONE_TO, Answer, Counts, Example, Span
from nbner.widgets.messages import (
    ANALYSIS_SET,
    PROTOCOL_VERSION,
    VERSIONS,
    CountsMessage,
    LearningMessage,
    MisalignedSpan,
    SavedMessage,
    Setup,
    SpanDetails,
    Task,
    Version,
    WireSpan,
)
from nbner.widgets.queue_protocol import QueueInfo


def serialize_example(example: Example) -> Task:
    """Serialize an example for the page.

    Parameters
    ----------
    example : Example
        Tokenized. Where its spans overlap, the longest are shown.

    Returns
    -------
    Task
        The example, with spans in token indices.

    Raises
    ------
    DataError
        The tokens do not match the text, so that the example cannot be shown.
    """
    _check_tokens(example)
    lead, words = words_and_gaps(example.text, example.tokens)
    alignment = align(example.tokens, example.spans)
    kept, lost = filter_spans(span for _, _, span in alignment.aligned)
    # In a draft, which somebody has worked on, only spans with a source are suggestions.
    draft = example.answer is None and example.annotator is not None
    offered = (*lost, *_alternatives(example)) if example.answer is None else ()
    suggestions = [span for span in example.spans if span.source or not draft]
    task: Task = {
        "id": str(example.input_hash),
        "lead": lead,
        "tokens": [list(word) for word in words],
        "spans": [_serialize_detailed_span(span, example) for span in kept],
        "also": [_serialize_detailed_span(span, example) for span in offered],
        "loose": [
            *(_serialize_misaligned(span, example.text) for span in alignment.misaligned),
            *(_serialize_unplaced(one) for one in example.extra.get(UNPLACED_KEY, ())),
        ],
        "answer": example.answer,
        "flagged": example.flagged,
        "note": example.note,
        "meta": {str(key): str(value) for key, value in example.meta.items()},
        "suggested": example.answer is None and bool(suggestions),
        "draft": draft,
        "by": ", ".join(dict.fromkeys(one.source for one in suggestions if one.source)),
    }
    offer = example.extra.get(OFFER_KEY)
    if isinstance(offer, int):
        task["offer"] = offer
    if example.done_to is not None:
        task["done"] = _tokens_up_to(example, example.done_to)
    around = example.extra.get(SURROUNDINGS_KEY)
    if isinstance(around, Surroundings):
        task["context"] = [around.before, around.after]
        # It is shown around the text, and not beside it again.
        task["meta"] = {k: v for k, v in task["meta"].items() if k not in around.columns}
    versions = example.extra.get(VERSIONS)
    if versions:
        task["versions"] = _serialize_versions(versions, example)
    analyses = example.extra.get(ANALYSIS_SET)
    if analyses is not None:
        task["set"] = {
            "level": analyses.level,
            "size": analyses.size,
            "complete": analyses.is_complete,
            "current": analyses.is_current,
        }
    return task


def serialize_setup(info: QueueInfo, version: str, colors: Mapping[str, str]) -> Setup:
    """Serialize the information that the page needs besides examples.

    Parameters
    ----------
    info : QueueInfo
        Information about the queue.
    version : str
        Version of nbner.
    colors : mapping
        Label to ``#rrggbb``.
    """
    setup: Setup = {
        "key": info.key,
        "version": version,
        "dataset": info.dataset,
        "split": info.split,
        "mode": "manual" if info.mode == "manual" else "make-gold",
        "annotator": info.annotator,
        "labels": list(info.labels),
        "colors": {label: str(color) for label, color in colors.items()},
        "underlines": {label: underline_of(color) for label, color in colors.items()},
        "sources": dict(info.source_names),
        "definitions": dict(info.guidelines.definitions),
        "guideline": info.guidelines.version,
        "keys": dict(info.keys.acts),
        "labelKeys": dict(info.keys.labels),
        "protocol": PROTOCOL_VERSION,
        "advises": info.has_k_best,
        "redecodes": info.auto_redecode,
        "mends": info.edits_gold,
    }
    return setup


def serialize_counts(counts: Counts) -> CountsMessage:
    """Serialize counts, with the number of open examples.

    Parameters
    ----------
    counts : Counts
        Numbers of examples by answer.
    """
    return {
        "total": counts.total,
        "accept": counts.accept,
        "reject": counts.reject,
        "ignore": counts.ignore,
        "open": counts.open,
    }


def serialize_learning(status: LearningStatus) -> LearningMessage:
    """Serialize the state of the training behind a widget.

    Parameters
    ----------
    status : LearningStatus
        The state.
    """
    return {
        "type": "learning",
        "state": status.state,
        "text": status.text,
        "figures": status.figures,
        "offer": status.offer,
        "choice": status.choice,
        "detail": status.detail,
    }


def saved_message(answer: Answer, example: Example, counts: Counts) -> SavedMessage:
    """Build the message that an answer has been stored, without further examples.

    Parameters
    ----------
    answer : Answer
        The stored answer.
    example : Example
        The answered example, tokenized.
    counts : Counts
        The queue's counts after the answer.
    """
    message: SavedMessage = {
        "type": "saved",
        "example": str(answer.input_hash),
        "answer": answer.answer,
        "spans": serialize_aligned_spans(answer.spans, example),
        "flagged": answer.flagged,
        "note": answer.note,
        "counts": serialize_counts(counts),
        "next": [],
    }
    done_to = answer.extra.get("task", {}).get(DONE_TO)
    if isinstance(done_to, int) and answer.answer is None:
        message["done"] = _tokens_up_to(example, done_to)
    return message


def serialize_span(span: Span | tuple[int, int, str], example: Example) -> WireSpan:
    """Convert a span from code points to token indices.

    Parameters
    ----------
    span : Span or (start, end, label)
        In code points.
    example : Example
        Tokenized.

    Raises
    ------
    DataError
        The span does not begin and end at token boundaries.
    """
    start, end, label = (span.start, span.end, span.label) if isinstance(span, Span) else span
    token_range = char_to_token_range(example.tokens, start, end)
    if token_range is None:
        raise DataError(
            f"{example.text[start:end]!r} ({start} to {end}) does not begin and end with a token",
            field="spans",
            remedy="Use the starts and ends of example.tokens",
        )
    return [*token_range, label]


def serialize_aligned_spans(spans: Iterable[Span], example: Example) -> list[WireSpan]:
    """Serialize the spans that fit the tokens, without details.

    Parameters
    ----------
    spans : iterable of Span
        In code points.
    example : Example
        Tokenized.
    """
    aligned = align(example.tokens, spans).aligned
    return [[start, end, span.label] for start, end, span in aligned]


def serialize_span_details(span: Span) -> SpanDetails:
    """Serialize the source of a span, its score and its pattern, where known.

    Parameters
    ----------
    span : Span
        A suggested span.
    """
    details: SpanDetails = {}
    if span.source is not None:
        details["source"] = span.source
    if span.score is not None:
        details["score"] = span.score
    if span.extra.get("pattern") is not None:
        details["pattern"] = span.extra["pattern"]
    return details


def _serialize_detailed_span(span: Span, example: Example) -> WireSpan:
    return [*serialize_span(span, example), serialize_span_details(span)]


def _alternatives(example: Example) -> list[Span]:
    """Return the model's other spans; whitespace alone is no place that the page can mark."""
    alignment = align(example.tokens, example.extra.get(ALTERNATIVES_KEY, ()))
    return [span for _, _, span in alignment.aligned]


def _serialize_unplaced(issue: SuggestionIssue) -> MisalignedSpan:
    return {"text": issue.suggested, "label": issue.label or "?"}


def _serialize_misaligned(span: Span, text: str) -> MisalignedSpan:
    inside = text[max(0, span.start) : span.end] if span.start < len(text) else ""
    where = f"characters {span.start} to {span.end}, of {len(text)} in the text"
    return {"text": inside or where, "label": span.label}


def _serialize_versions(versions: Iterable[Any], example: Example) -> list[Version]:
    found: list[Version] = []
    for one in versions:
        version: Version = {
            "by": one.annotator,
            "answer": one.answer,
            "spans": serialize_aligned_spans(one.spans, example),
        }
        probability = getattr(one, "probability", None)
        if probability is not None:
            version["probability"] = probability
        found.append(version)
    return found


def _tokens_up_to(example: Example, offset: int) -> int:
    return sum(token.end <= offset for token in example.tokens)


def _check_tokens(example: Example) -> None:
    previous_end = 0
    for token in example.tokens:
        fits = previous_end <= token.start < token.end
        if not fits or example.text[token.start : token.end] != token.text:
            raise DataError(
                f"the tokens of example {example.input_hash} do not rebuild its text "
                f"{example.text[:40]!r}: {token.text!r} is not at {token.start}",
                field="tokens",
                remedy="Give the tokens of this text, in its order, or leave them out",
            )
        previous_end = token.end
