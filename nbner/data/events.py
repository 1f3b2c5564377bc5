"""One answer, taken in: the event is added, and what follows from it is brought up to date."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, insert, select, update

from nbner.data.alignment import longest_first
from nbner.data.codec import dump, dump_labels, dump_spans
from nbner.data.schema import answers, current, examples, label_sets, splits, standing
from nbner.errors import DataError
from nbner.types import ANSWER_KINDS, Answer, Span


def apply(connection: Connection, dataset_id: int, answer: Answer) -> bool:
    """Add an answer; False if its id was added before.

    Raises
    ------
    DataError
        There is no such example, or the answer is none.
    """
    if connection.scalar(select(answers.c.id).where(answers.c.uid == answer.id)) is not None:
        return False
    found = connection.execute(
        select(examples.c.id, examples.c.split_id, examples.c.text)
        .join(splits, examples.c.split_id == splits.c.id)
        .where(
            splits.c.dataset_id == dataset_id,
            splits.c.name == answer.split,
            examples.c.input_hash == answer.input_hash,
        )
        # On a server, answers to one split take turns, so that the counts stay right.
        .with_for_update(of=splits)
    ).first()
    if found is None:
        raise DataError(
            f"there is no example {answer.input_hash} in split {answer.split!r}",
            field="input_hash",
            remedy="Take it from an example of this dataset",
        )
    values = {
        "uid": answer.id,
        "annotator": answer.annotator,
        "answer": answer.answer,
        "spans": dump_spans(_checked(answer, found.text)),
        "flagged": answer.flagged,
        "note": answer.note,
        "label_set_id": label_set(connection, answer.labels),
        "created": answer.created,
        "extra": _dumped_extra(answer),
    }
    append(connection, found.id, found.split_id, values)
    return True


def append(connection: Connection, example_id: int, split_id: int, values: dict[str, Any]) -> None:
    """Add an event to a known example, and bring up to date what follows from it."""
    added = connection.execute(
        insert(answers).values(example_id=example_id, split_id=split_id, **values)
    )
    key = added.inserted_primary_key
    assert key is not None  # noqa: S101 - for the type checker: one row was inserted
    answer_id = int(key[0])
    _set_current(connection, example_id, split_id, answer_id, values)
    _set_standing(connection, example_id, split_id, answer_id, values["answer"])


def label_set(connection: Connection, labels: Iterable[str]) -> int:
    """Give the id of a list of labels, adding it if it is new."""
    text = dump_labels(labels)
    found = connection.scalar(select(label_sets.c.id).where(label_sets.c.labels == text))
    if found is not None:
        return int(found)
    key = connection.execute(insert(label_sets).values(labels=text)).inserted_primary_key
    assert key is not None  # noqa: S101 - for the type checker: one row was inserted
    return int(key[0])


def _set_current(
    connection: Connection,
    example_id: int,
    split_id: int,
    answer_id: int,
    values: dict[str, Any],
) -> None:
    newest = {"answer_id": answer_id, "answer": values["answer"]}
    annotator = values["annotator"]
    changed = connection.execute(
        update(current)
        .where(current.c.example_id == example_id, current.c.annotator == annotator)
        .values(newest)
    )
    if not changed.rowcount:
        connection.execute(
            insert(current).values(
                example_id=example_id, split_id=split_id, annotator=annotator, **newest
            )
        )


def _set_standing(
    connection: Connection, example_id: int, split_id: int, answer_id: int, answer: str | None
) -> None:
    before = connection.scalar(select(standing.c.answer).where(standing.c.example_id == example_id))
    if answer is None:
        # One takes a decision back; somebody else's may still stand.
        other = connection.execute(
            select(current.c.answer_id, current.c.answer)
            .where(current.c.example_id == example_id, current.c.answer.is_not(None))
            .order_by(current.c.answer_id.desc())
            .limit(1)
        ).first()
        if other is not None:
            answer_id, answer = other
    connection.execute(
        update(standing)
        .where(standing.c.example_id == example_id)
        .values(answer_id=answer_id, answer=answer)
    )
    if answer != before:
        steps = [(before, -1), (answer, 1)]
        connection.execute(
            update(splits)
            .where(splits.c.id == split_id)
            .values({kind: splits.c[kind] + step for kind, step in steps if kind})
        )


def _checked(answer: Answer, text: str) -> list[Span]:
    """Give the answer's spans in order.

    Raises
    ------
    DataError
        Not an answer, no annotator, or spans that cannot be.
    """
    if answer.answer is not None and answer.answer not in ANSWER_KINDS:
        raise DataError(f"{answer.answer!r} is not an answer", field="answer")
    if not answer.id or not answer.annotator:
        raise DataError("an answer has an id and an annotator", field="annotator")
    for span in answer.spans:
        if not 0 <= span.start < span.end <= len(text):
            raise DataError(
                f"{span.start} to {span.end} is not a stretch of a text of {len(text)} characters",
                field="spans",
            )
        if not span.label.strip():
            raise DataError("a span has no label", field="spans")
    kept, overlapping = longest_first(answer.spans)
    if overlapping:
        raise DataError(
            f"the span {overlapping[0].start} to {overlapping[0].end} overlaps another",
            field="spans",
            remedy="Spans of one answer do not overlap",
        )
    return list(kept)


def _dumped_extra(answer: Answer) -> str:
    try:
        return dump(dict(answer.extra))
    except (TypeError, ValueError) as error:
        raise DataError(f"this cannot be stored: {error}", field="extra") from error
