"""Handlers of requests about examples: lists, occurrences, bulk changes, k best analyses."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from nbner._common.alignment import align, filter_spans
from nbner._common.batch_ids import batch_answer_id
from nbner._common.filters import ANSWER_FILTERS, ExampleFilter
from nbner._common.occurrences import (
    BulkAction,
    apply_bulk_action,
    conflict_at,
    excerpt,
    find_occurrences,
)
from nbner.errors import DataError
from nbner.types import Answer, Example, Parse, Span
from nbner.widgets.messages import (
    AnalysesReply,
    Analysis,
    BulkReply,
    ExampleRow,
    GuidelineReply,
    ListReply,
    Occurrence,
    OccurrencesReply,
    RawMessage,
    Task,
    TasksMessage,
)
from nbner.widgets.parsing import parse_spans, read_count, read_example_id, read_ids, require_text
from nbner.widgets.queue_protocol import ExampleQueue
from nbner.widgets.serialization import serialize_counts, serialize_span_details

SerializeFn: TypeAlias = Callable[[Iterable[Example]], list[Task]]

#: Most rows, or occurrences, in one reply.
MAX_ROWS = 500

#: Most analyses in one reply.
MAX_K_BEST = 64

#: Characters of a text in a row of the list, and those of them before the searched text.
_ROW_CHARACTERS = 160
_CONTEXT_CHARACTERS = 40


class QueryHandlers:
    """Handlers of a queue's requests about examples.

    Parameters
    ----------
    example_queue : ExampleQueue
        Source of examples and store of answers.
    serialize : callable
        From examples to messages, without examples that cannot be shown.
    """

    def __init__(self, example_queue: ExampleQueue, serialize: SerializeFn) -> None:
        self._queue = example_queue
        self._serialize = serialize

    def find(self, message: RawMessage) -> TasksMessage:
        """Return examples by their ids.

        Parameters
        ----------
        message : mapping
            A `FindRequest`, unchecked.
        """
        tasks = self._serialize(self._queue.load(read_ids(message, "examples")[:MAX_ROWS]))
        return {"type": "tasks", "tasks": tasks, "counts": serialize_counts(self._queue.counts())}

    def list_examples(self, message: RawMessage) -> ListReply:
        """Return one page of the filtered list of examples.

        Parameters
        ----------
        message : mapping
            A `ListRequest`, unchecked.
        """
        conditions = parse_filter(message.get("filter"))
        limit = min(read_count(message, "want"), MAX_ROWS)
        page = self._queue.list_examples(conditions, read_count(message, "offset"), limit)
        rows = [
            serialize_list_row(example, score, conditions.text or "")
            for example, score in page.rows
        ]
        return {"type": "listed", "rows": rows, "total": page.total}

    def find_occurrences(self, message: RawMessage) -> OccurrencesReply:
        """Return the occurrences of words in open examples.

        Parameters
        ----------
        message : mapping
            An `OccurrencesRequest`, unchecked.

        Raises
        ------
        DataError
            There are no words, or no label.
        """
        words, label = _parse_words(message), require_text(message, "label")
        action, cased = _parse_action(message), message.get("cased") is not False
        limit = min(read_count(message, "want"), MAX_ROWS)
        excluded = read_ids({"have": [message.get("besides")]})
        replaces = self._queue.info.edits_gold
        found: list[Occurrence] = []
        for example in self._queue.search_text(words, cased=cased):
            if example.input_hash in excluded:
                continue
            shown = _shown_spans(example)
            for token_range in find_occurrences(example.tokens, words, case_sensitive=cased):
                problem = conflict_at(
                    *(example.tokens, shown, token_range, label, action), replace_labels=replaces
                )
                if problem is not None:
                    found.append(_serialize_occurrence(example, token_range, problem))
            if len(found) > limit:
                break
        return {"type": "places", "places": found[:limit], "more": len(found) > limit}

    def change_occurrences(
        self, message: RawMessage, record: Callable[[list[Answer]], int]
    ) -> BulkReply:
        """Change many occurrences in one transaction, or change them back.

        Parameters
        ----------
        message : mapping
            A `BulkRequest`, unchecked.
        record : callable
            Stores answers in one transaction and returns how many were new.

        Raises
        ------
        DataError
            A field is missing or of the wrong type, or the label is not one of the queue's.
        """
        batch_id, occurrences = require_text(message, "bulk"), _parse_occurrences(message)
        requested = {input_hash for input_hash, _, _ in occurrences}
        if message.get("undo") is True:
            changed = list(self._queue.undo_batch(batch_id))
        else:
            label, action = require_text(message, "label"), _parse_action(message)
            answers = self._bulk_answers(batch_id, occurrences, label, action)
            # Answers that are stored already, and were undone since, change nothing.
            is_changed = record(answers) > 0
            changed = [answer.input_hash for answer in answers] if is_changed else []
        in_window = set(read_ids(message))
        tasks = self._serialize(self._queue.load([one for one in changed if one in in_window]))
        return {
            "type": "applied",
            "bulk": batch_id,
            "count": len(changed),
            "left": len(requested) - len(changed),
            "tasks": tasks,
            "counts": serialize_counts(self._queue.counts()),
        }

    def redecode(self, message: RawMessage) -> AnalysesReply:
        """Return the k best analyses of an example under constraints.

        Parameters
        ----------
        message : mapping
            An `AnalysesRequest`, unchecked.

        Raises
        ------
        DataError
            A field is of the wrong type, there is no such example, or the constraints
            contradict each other.
        """
        example = find_example(self._queue, read_example_id(message))
        k = message.get("want")
        if not isinstance(k, int) or isinstance(k, bool) or not 1 <= k <= MAX_K_BEST:
            raise DataError(
                f"{k!r} is not a number of analyses from 1 to {MAX_K_BEST}", field="want"
            )
        labels = self._queue.info.labels
        parses = self._queue.redecode(
            example.input_hash,
            k,
            forced=parse_spans(message.get("forced", []), example, labels),
            forbidden=parse_spans(message.get("forbidden", []), example, labels),
        )
        return {
            "type": "analyses",
            "example": str(example.input_hash),
            "analyses": [_serialize_analysis(parse, example) for parse in parses],
        }

    def guideline(self, _message: RawMessage) -> GuidelineReply:
        """Return the annotation guideline.

        Parameters
        ----------
        _message : mapping
            A `GuidelineRequest`, unchecked.
        """
        found = self._queue.info.guidelines
        return {"type": "guideline", "text": found.text, "version": found.version}

    def _bulk_answers(
        self,
        batch_id: str,
        occurrences: list[tuple[int, int, int]],
        label: str,
        action: BulkAction,
    ) -> list[Answer]:
        """Build a draft for each open example in which an occurrence can be changed."""
        info = self._queue.info
        if label not in info.labels:
            raise DataError(
                f"{label!r} is not one of this widget's labels",
                field="label",
                remedy="Run the cell again if the labels have changed",
            )
        ranges: dict[int, list[tuple[int, int]]] = {}
        for input_hash, start, end in occurrences:
            ranges.setdefault(input_hash, []).append((start, end))
        answers = []
        for example in self._queue.load(list(ranges)):
            spans = _changed_spans(
                *(example, ranges[example.input_hash], label, action), replaces=info.edits_gold
            )
            if example.answer is None and spans is not None:
                answers.append(
                    Answer(
                        id=batch_answer_id(batch_id, example.input_hash),
                        input_hash=example.input_hash,
                        split=example.split,
                        annotator=info.annotator,
                        answer=None,
                        spans=spans,
                        flagged=example.flagged,
                        note=example.note,
                        labels=info.labels,
                        created=time.time(),
                        extra={"everywhere": action},
                    )
                )
        return answers


def find_example(example_queue: ExampleQueue, input_hash: int) -> Example:
    """Return one example of a queue.

    Parameters
    ----------
    example_queue : ExampleQueue
        The queue.
    input_hash : int
        Input hash of the example.

    Raises
    ------
    DataError
        There is no such example.
    """
    example = example_queue.find(input_hash)
    if example is None:
        raise DataError(
            f"example {input_hash} is not in this dataset",
            remedy="Run the cell again to see what is",
        )
    return example


def parse_filter(raw: object) -> ExampleFilter:
    """Parse the conditions of a list; unknown and invalid ones are left out.

    Parameters
    ----------
    raw : object
        A `WireFilter`, unchecked.
    """
    fields = raw if isinstance(raw, dict) else {}
    answer = fields.get("answer")
    return ExampleFilter(
        answer=answer if answer in ANSWER_FILTERS else None,
        flagged=fields.get("flagged") is True,
        noted=fields.get("noted") is True,
        label=_text_or_none(fields, "label"),
        text=_text_or_none(fields, "text"),
        annotator=_text_or_none(fields, "annotator"),
        unsure=fields.get("order") == "unsure",
    )


def serialize_list_row(example: Example, score: float | None, searched: str) -> ExampleRow:
    """Serialize an example as a row of the list.

    Parameters
    ----------
    example : Example
        The example.
    score : float or None
        Lowest score among its suggestions.
    searched : str
        Text whose first match is shown, whatever its case; empty for the beginning.
    """
    text = example.text
    at = text.lower().find(searched.lower()) if searched else -1
    start, end = (at, at + len(searched)) if at >= 0 else (0, 0)
    first = max(0, start - _CONTEXT_CHARACTERS)
    answered = example.answer is not None
    return {
        "id": str(example.input_hash),
        "left": ("…" if first else "") + text[first:start],
        "hit": text[start:end],
        "right": text[end : first + _ROW_CHARACTERS],
        "answer": example.answer,
        "flagged": example.flagged,
        "note": example.note[:_ROW_CHARACTERS],
        "by": example.annotator or "" if answered else "",
        "labels": list(dict.fromkeys(span.label for span in example.spans)),
        "score": score,
    }


def _changed_spans(
    example: Example,
    ranges: list[tuple[int, int]],
    label: str,
    action: BulkAction,
    *,
    replaces: bool,
) -> tuple[Span, ...] | None:
    """Return an example's spans with all these occurrences changed; None without a change."""
    spans = before = _shown_spans(example)
    size = len(example.tokens)
    for start, end in ranges:
        if not 0 <= start < end <= size:
            raise DataError(f"tokens {start} to {end} do not lie in 0 to {size}", field="places")
        span = Span(example.tokens[start].start, example.tokens[end - 1].end, label)
        after = apply_bulk_action(spans, span, action, replace_labels=replaces)
        spans = spans if after is None else after
    return None if spans == before else spans


def _shown_spans(example: Example) -> tuple[Span, ...]:
    """Return the spans that the page shows, without those that lost to an overlapping one."""
    return filter_spans(example.spans)[0]


def _serialize_occurrence(
    example: Example, token_range: tuple[int, int], problem: str
) -> Occurrence:
    start, end = token_range
    left, hit, right = excerpt(
        example.text, example.tokens[start].start, example.tokens[end - 1].end
    )
    return {
        "example": str(example.input_hash),
        "start": start,
        "end": end,
        "problem": problem,
        "left": left,
        "hit": hit,
        "right": right,
    }


def _serialize_analysis(parse: Parse, example: Example) -> Analysis:
    aligned = align(example.tokens, parse.spans).aligned
    return {
        "probability": parse.probability,
        "spans": [
            [start, end, span.label, serialize_span_details(span)] for start, end, span in aligned
        ],
    }


def _text_or_none(fields: Mapping[str, Any], key: str) -> str | None:
    value = fields.get(key)
    return value if isinstance(value, str) and value else None


def _parse_words(message: RawMessage) -> list[str]:
    words = message.get("words")
    if not isinstance(words, list) or not words or not all(isinstance(one, str) for one in words):
        raise DataError("there are no words to look for", field="words")
    return words


def _parse_action(message: RawMessage) -> BulkAction:
    return "unlabel" if message.get("take") == "unlabel" else "label"


def _parse_occurrences(message: RawMessage) -> list[tuple[int, int, int]]:
    raw = message.get("places")
    if not isinstance(raw, list):
        raise DataError("there are no places to change", field="places")
    occurrences = []
    for one in raw:
        match one:
            case [str(example), int(start), int(end)]:
                occurrences.append((read_example_id({"example": example}), start, end))
            case _:
                raise DataError(f"{one!r} is not [example, start, end]", field="places")
    return occurrences
