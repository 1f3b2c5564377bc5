"""What the page asks about other examples than the one shown.

A list under conditions, examples by their ids, places where the same words
stand, and many changes as one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from nbner._common.alignment import filter_spans
from nbner._common.filters import ANSWER_FILTERS, ExampleFilter
from nbner._common.occurrences import (
    BulkAction,
    apply_bulk_action,
    batch_answer_id,
    conflict_at,
    excerpt,
    find_occurrences,
)
from nbner.errors import DataError
from nbner.types import Answer, Example, Span
from nbner.widgets import messages
from nbner.widgets.queue_protocol import ExampleQueue

Write = Callable[[Iterable[Example]], list[messages.Message]]

#: At most so many rows, or places, in one reply.
MAX_ROWS = 500

#: Characters of a text in a row of a list, and before what was looked for.
_WIDTH = 160
_BEFORE = 40


class QueryHandlers:
    """Answers these questions from a desk.

    Parameters
    ----------
    desk : ExampleQueue
    write : callable
        Examples to messages; one that cannot be shown is left out.
    """

    def __init__(self, desk: ExampleQueue, write: Write) -> None:
        self._desk = desk
        self._write = write

    def find(self, message: messages.Message) -> messages.Message:
        """Give examples by their ids."""
        tasks = self._write(self._desk.load(messages.read_ids(message, "examples")[:MAX_ROWS]))
        return {
            "type": "tasks",
            "tasks": tasks,
            "counts": messages.serialize_counts(self._desk.counts()),
        }

    def listing(self, message: messages.Message) -> messages.Message:
        """Give a piece of a list of examples."""
        wanted = parse_filter(message.get("filter"))
        page = self._desk.list_examples(
            wanted, _count(message, "offset"), min(_count(message, "want"), MAX_ROWS)
        )
        rows = [
            serialize_list_row(example, score, wanted.text or "") for example, score in page.rows
        ]
        return {"type": "listed", "rows": rows, "total": page.total}

    def occurrences(self, message: messages.Message) -> messages.Message:
        """Give the places in open examples where the same words stand."""
        words, label, take = (
            _words(message),
            messages.require_text(message, "label"),
            _take(message),
        )
        cased, most = message.get("cased") is not False, min(_count(message, "want"), MAX_ROWS)
        besides = messages.read_ids({"have": [message.get("besides")]})
        relabels = self._desk.info.edits_gold
        found: list[messages.Message] = []
        for example in self._desk.search_text(words, cased=cased):
            if example.input_hash in besides:
                continue
            for place in find_occurrences(example.tokens, words, case_sensitive=cased):
                problem = conflict_at(
                    example.tokens, _marked(example), place, label, take, replace_labels=relabels
                )
                if problem is not None:
                    found.append(_place(example, place, problem))
            if len(found) > most:
                break
        return {"type": "places", "places": found[:most], "more": len(found) > most}

    def bulk(
        self, message: messages.Message, record: Callable[[list[Answer]], object]
    ) -> messages.Message:
        """Change many places as one, or change them back.

        Parameters
        ----------
        message : dict
        record : callable
            Stores answers in one transaction.
        """
        whole = messages.require_text(message, "bulk")
        places = _places(message)
        touched = list(dict.fromkeys(key for key, _, _ in places))
        if message.get("undo") is True:
            done = list(self._desk.undo_batch(whole))
        else:
            answers = self._drafts(
                whole, places, messages.require_text(message, "label"), _take(message)
            )
            record(answers)
            done = [answer.input_hash for answer in answers]
        have = set(messages.read_ids(message))
        tasks = self._write(self._desk.load([one for one in done if one in have]))
        return {
            "type": "applied",
            "bulk": whole,
            "count": len(done),
            "left": len(touched) - len(done),
            "tasks": tasks,
            "counts": messages.serialize_counts(self._desk.counts()),
        }

    def _drafts(
        self, whole: str, places: list[tuple[int, int, int]], label: str, take: BulkAction
    ) -> list[Answer]:
        info = self._desk.info
        if label not in info.labels:
            raise DataError(
                f"{label!r} is not one of this widget's labels",
                field="label",
                remedy="Run the cell again if the labels have changed",
            )
        wanted: dict[int, list[tuple[int, int]]] = {}
        for key, start, end in places:
            wanted.setdefault(key, []).append((start, end))
        answers = []
        for example in self._desk.load(list(wanted)):
            places_here = wanted[example.input_hash]
            spans = _changed(example, places_here, label, take, relabels=info.edits_gold)
            if example.answer is None and spans is not None:
                answers.append(
                    Answer(
                        id=batch_answer_id(whole, example.input_hash),
                        input_hash=example.input_hash,
                        split=example.split,
                        annotator=info.annotator,
                        answer=None,
                        spans=spans,
                        flagged=example.flagged,
                        note=example.note,
                        labels=info.labels,
                        created=time.time(),
                        extra={"everywhere": take},
                    )
                )
        return answers


def parse_filter(raw: object) -> ExampleFilter:
    """Read the conditions of a list; what is not known is passed over."""
    given = raw if isinstance(raw, dict) else {}
    answer = given.get("answer")
    return ExampleFilter(
        answer=answer if answer in ANSWER_FILTERS else None,
        flagged=given.get("flagged") is True,
        noted=given.get("noted") is True,
        label=_text_or_none(given, "label"),
        text=_text_or_none(given, "text"),
        annotator=_text_or_none(given, "annotator"),
        unsure=given.get("order") == "unsure",
    )


def serialize_list_row(example: Example, score: float | None, sought: str) -> messages.Message:
    """Write an example as one line, with what was looked for in sight."""
    text = example.text
    at = text.lower().find(sought.lower()) if sought else -1
    start, end = (at, at + len(sought)) if at >= 0 else (0, 0)
    first = max(0, start - _BEFORE)
    answered = example.answer is not None
    return {
        "id": str(example.input_hash),
        "left": ("…" if first else "") + text[first:start],
        "hit": text[start:end],
        "right": text[end : first + _WIDTH],
        "answer": example.answer,
        "flagged": example.flagged,
        "note": example.note[:_WIDTH],
        "by": example.annotator or "" if answered else "",
        "labels": list(dict.fromkeys(span.label for span in example.spans)),
        "score": score,
    }


def _changed(
    example: Example, places: list[tuple[int, int]], label: str, take: BulkAction, *, relabels: bool
) -> tuple[Span, ...] | None:
    """Give an example's spans with all these places changed; None where nothing can be."""
    spans = before = _marked(example)
    size = len(example.tokens)
    for start, end in places:
        if not 0 <= start < end <= size:
            raise DataError(f"tokens {start} to {end} do not lie in 0 to {size}", field="places")
        span = Span(example.tokens[start].start, example.tokens[end - 1].end, label)
        after = apply_bulk_action(spans, span, take, replace_labels=relabels)
        spans = spans if after is None else after
    return None if spans == before else spans


def _marked(example: Example) -> tuple[Span, ...]:
    """Give the spans that the page marks; those that lost to them are on offer only."""
    return filter_spans(example.spans)[0]


def _place(example: Example, place: tuple[int, int], problem: str) -> messages.Message:
    start, end = example.tokens[place[0]].start, example.tokens[place[1] - 1].end
    return {
        "example": str(example.input_hash),
        "start": place[0],
        "end": place[1],
        "problem": problem,
        **excerpt(example.text, start, end),
    }


def _text_or_none(given: Mapping[str, Any], key: str) -> str | None:
    value = given.get(key)
    return value if isinstance(value, str) and value else None


def _count(message: Mapping[str, Any], key: str) -> int:
    value = message.get(key)
    return max(0, value) if isinstance(value, int) and not isinstance(value, bool) else 0


def _words(message: Mapping[str, Any]) -> list[str]:
    words = message.get("words")
    if not isinstance(words, list) or not words or not all(isinstance(one, str) for one in words):
        raise DataError("there are no words to look for", field="words")
    return words


def _take(message: Mapping[str, Any]) -> BulkAction:
    return "unlabel" if message.get("take") == "unlabel" else "label"


def _places(message: Mapping[str, Any]) -> list[tuple[int, int, int]]:
    raw = message.get("places")
    if not isinstance(raw, list):
        raise DataError("there are no places to change", field="places")
    places = []
    for one in raw:
        match one:
            case [str(example), int(start), int(end)]:
                places.append((messages.read_example_id({"example": example}), start, end))
            case _:
                raise DataError(f"{one!r} is not [example, start, end]", field="places")
    return places
