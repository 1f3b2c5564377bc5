"""One answer, taken in: the event is added, and what follows from it is brought up to date."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, CursorResult, Table, bindparam, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from nbner._common.alignment import filter_spans
from nbner._common.serialization import dump_json, dump_labels, dump_spans, find_lone_surrogate
from nbner.errors import DataError
from nbner.store import claims
from nbner.store.schema import answers, current, examples, label_sets, splits, standing
from nbner.types import ANSWER_KINDS, Answer, Span

# Written once: putting a statement together takes longer than running it.
_EXAMPLE = (
    select(
        examples.c.id,
        examples.c.split_id,
        examples.c.text,
        select(answers.c.id).where(answers.c.uid == bindparam("uid")).exists().label("is_known"),
        select(label_sets.c.id)
        .where(label_sets.c.labels == bindparam("labels"))
        .scalar_subquery()
        .label("label_set_id"),
    )
    .join(splits, examples.c.split_id == splits.c.id)
    .where(
        splits.c.dataset_id == bindparam("dataset"),
        splits.c.name == bindparam("split"),
        examples.c.input_hash == bindparam("hash"),
    )
)
_LABEL_SET = select(label_sets.c.id).where(label_sets.c.labels == bindparam("text"))
_CURRENT = (
    update(current)
    .where(current.c.example_id == bindparam("example"), current.c.annotator == bindparam("by"))
    .values(answer_id=bindparam("answer_id"), answer=bindparam("answer"))
)
_NEW_CURRENT = insert(current)
_OTHERS = (
    select(current.c.answer_id, current.c.answer)
    .where(current.c.example_id == bindparam("example"), current.c.answer.is_not(None))
    .order_by(current.c.answer_id.desc())
    .limit(1)
)
_STANDING = select(standing.c.answer).where(standing.c.example_id == bindparam("example"))
_SET_STANDING = (
    update(standing)
    .where(standing.c.example_id == bindparam("example"))
    .values(answer_id=bindparam("answer_id"), answer=bindparam("answer"))
)
_COUNT = (
    update(splits)
    .where(splits.c.id == bindparam("split"))
    .values({kind: splits.c[kind] + bindparam(f"{kind}_more") for kind in ANSWER_KINDS})
)
_ADD = insert(answers)


def lock_splits(connection: Connection, dataset_id: int, names: Iterable[str]) -> None:
    """On a server, let writers of the same splits go one after the other.

    What they read after this holds until they are done; SQLite has one writer
    at a time by itself.
    """
    if connection.dialect.name != "sqlite":
        wanted = select(splits.c.id).where(
            splits.c.dataset_id == dataset_id, splits.c.name.in_(set(names))
        )
        connection.execute(wanted.order_by(splits.c.id).with_for_update())


def record_answer(connection: Connection, dataset_id: int, answer: Answer) -> bool:
    """Add an answer; False if its id was added before.

    Raises
    ------
    DataError
        There is no such example, or the answer is none.
    """
    labels = dump_labels(answer.labels)
    found = connection.execute(
        _EXAMPLE,
        {
            "uid": answer.id,
            "labels": labels,
            "dataset": dataset_id,
            "split": answer.split,
            "hash": answer.input_hash,
        },
    ).first()
    if found is None:
        raise DataError(
            f"there is no example {answer.input_hash} in split {answer.split!r}",
            field="input_hash",
            remedy="Take it from an example of this dataset",
        )
    if found.is_known:
        return False
    event = {
        "uid": answer.id,
        "example_id": found.id,
        "split_id": found.split_id,
        "annotator": answer.annotator,
        "answer": answer.answer,
        "spans": dump_spans(_checked(answer, found.text)),
        "flagged": answer.flagged,
        "note": answer.note,
        "label_set_id": found.label_set_id or ensure_label_set(connection, answer.labels),
        "created": answer.created,
        "extra": _dumped_extra(answer),
    }
    insert_event(connection, event)
    claims.update_after_answer(connection, event)
    return True


def insert_event(connection: Connection, event: Mapping[str, Any]) -> None:
    """Add an event, given by its columns, and bring up to date what follows from it."""
    stored = {**event, "stored": time.time()}
    answer_id = _new_id(connection.execute(_ADD, stored))
    newest = {"answer_id": answer_id, "answer": event["answer"]}
    where = {"example": event["example_id"], "by": event["annotator"]}
    if not connection.execute(_CURRENT, {**where, **newest}).rowcount:
        keys = ("example_id", "split_id", "annotator")
        connection.execute(_NEW_CURRENT, {**{key: event[key] for key in keys}, **newest})
    _set_standing(connection, event["example_id"], event["split_id"], newest)


def ensure_label_set(connection: Connection, labels: Iterable[str]) -> int:
    """Give the id of a list of labels, adding it if it is new."""
    text = dump_labels(labels)
    found = connection.scalar(_LABEL_SET, {"text": text})
    if found is None:
        insert_if_new(connection, label_sets, {"labels": text})
        found = connection.scalar(_LABEL_SET, {"text": text})
    assert found is not None  # noqa: S101 - for the type checker: found or made
    return int(found)


def insert_if_new(connection: Connection, table: Table, values: Mapping[str, Any]) -> None:
    """Insert a row unless another writer has been quicker."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    connection.execute(dialect.insert(table).values(**values).on_conflict_do_nothing())


def _set_standing(
    connection: Connection, example_id: int, split_id: int, newest: dict[str, Any]
) -> None:
    before = connection.scalar(_STANDING, {"example": example_id})
    if newest["answer"] is None:
        # One takes a decision back; somebody else's may still stand.
        others = connection.execute(_OTHERS, {"example": example_id}).mappings().first()
        newest = dict(others) if others else newest
    connection.execute(_SET_STANDING, {"example": example_id, **newest})
    after = newest["answer"]
    if after != before:
        more = {f"{kind}_more": (kind == after) - (kind == before) for kind in ANSWER_KINDS}
        connection.execute(_COUNT, {"split": split_id, **more})


def _new_id(inserted: CursorResult[Any]) -> int:
    key = inserted.inserted_primary_key
    assert key is not None  # noqa: S101 - for the type checker: one row was inserted
    return int(key[0])


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
    for said in (answer.id, answer.annotator, answer.note):
        if find_lone_surrogate(said) is not None:
            raise DataError(f"{said!r} holds half of a pair", remedy="Write it anew")
        if "\0" in said:
            raise DataError(f"{said!r} holds the character NUL", remedy="Remove it")
    for span in answer.spans:
        if not 0 <= span.start < span.end <= len(text):
            raise DataError(
                f"{span.start} to {span.end} is not a stretch of a text of {len(text)} characters",
                field="spans",
            )
        if not span.label.strip():
            raise DataError("a span has no label", field="spans")
    kept, overlapping = filter_spans(answer.spans)
    if overlapping:
        raise DataError(
            f"the span {overlapping[0].start} to {overlapping[0].end} overlaps another",
            field="spans",
            remedy="Spans of one answer do not overlap",
        )
    return list(kept)


def _dumped_extra(answer: Answer) -> str:
    try:
        return dump_json(dict(answer.extra))
    except (TypeError, ValueError) as error:
        raise DataError(f"this cannot be stored: {error}", field="extra") from error
