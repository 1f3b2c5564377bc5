"""Recording of one answer: inserts the event and updates the derived tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import (
    Connection,
    CursorResult,
    Table,
    bindparam,
    delete,
    insert,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from nbner._common.alignment import filter_spans
from nbner._common.serialization import dump_json, dump_labels, dump_spans, find_lone_surrogate
from nbner.errors import DataError
from nbner.store import claims
from nbner.store.clock import check_time
from nbner.store.queries import WITHDRAWN, example_id_subquery
from nbner.store.schema import (
    annotator_answers,
    answers,
    example_answers,
    examples,
    label_sets,
    splits,
)
from nbner.types import ANSWER_KINDS, Answer, Span

# Statements are built once: building one takes longer than executing it.
_SELECT_EXAMPLE = (
    select(
        examples.c.id,
        examples.c.split_id,
        examples.c.text,
        select(answers.c.example_id)
        .where(answers.c.uid == bindparam("uid"))
        .scalar_subquery()
        .label("known_for"),
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
_SELECT_LABEL_SET = select(label_sets.c.id).where(label_sets.c.labels == bindparam("text"))
_UPDATE_ANNOTATOR_ANSWER = (
    update(annotator_answers)
    .where(
        annotator_answers.c.example_id == bindparam("example"),
        annotator_answers.c.annotator == bindparam("by"),
    )
    .values(answer_id=bindparam("answer_id"), answer=bindparam("answer"))
)
_INSERT_ANNOTATOR_ANSWER = insert(annotator_answers)
_SELECT_NEWEST_DECISION = (
    select(annotator_answers.c.answer_id, annotator_answers.c.answer)
    .where(
        annotator_answers.c.example_id == bindparam("example"),
        annotator_answers.c.answer.is_not(None),
    )
    .order_by(annotator_answers.c.answer_id.desc())
    .limit(1)
)
_SELECT_EXAMPLE_ANSWER = select(example_answers.c.answer).where(
    example_answers.c.example_id == bindparam("example")
)
_UPDATE_EXAMPLE_ANSWER = (
    update(example_answers)
    .where(example_answers.c.example_id == bindparam("example"))
    .values(answer_id=bindparam("answer_id"), answer=bindparam("answer"))
)
_UPDATE_COUNTS = (
    update(splits)
    .where(splits.c.id == bindparam("split"))
    .values({kind: splits.c[kind] + bindparam(f"{kind}_more") for kind in ANSWER_KINDS})
)
_INSERT_ANSWER = insert(answers)


def lock_splits(connection: Connection, dataset_id: int, names: Iterable[str]) -> None:
    """Lock splits on a server until the transaction ends, so that their writers take turns.

    What a writer reads after this call stays valid until it commits. SQLite has
    one writer at a time by itself.

    Parameters
    ----------
    connection : Connection
        With a write transaction.
    dataset_id : int
        Row id of the dataset.
    names : iterable of str
        Names of its splits.
    """
    if connection.dialect.name != "sqlite":
        wanted = select(splits.c.id).where(
            splits.c.dataset_id == dataset_id, splits.c.name.in_(set(names))
        )
        connection.execute(wanted.order_by(splits.c.id).with_for_update())


def has_work(connection: Connection, dataset_id: int, answer: Answer) -> bool:
    """Return whether somebody has answered the example of an answer, or has a draft of it.

    Parameters
    ----------
    connection : Connection
        With a write transaction.
    dataset_id : int
        Row id of the dataset.
    answer : Answer
        Names the example.
    """
    example = example_id_subquery(dataset_id, answer.split, answer.input_hash)
    query = select(annotator_answers.c.answer_id).where(annotator_answers.c.example_id == example)
    return connection.execute(query.limit(1)).first() is not None


def record_answer(
    connection: Connection, dataset_id: int, answer: Answer, *, stored: float
) -> bool:
    """Record an answer to an example, and end the claim that it answers.

    Parameters
    ----------
    connection : Connection
        With a write transaction.
    dataset_id : int
        Row id of the dataset.
    answer : Answer
        An answer, or a draft: an answer without a decision.
    stored : float
        The present time by the store's clock, in seconds since the epoch.

    Returns
    -------
    bool
        False if an answer with this id was recorded before.

    Raises
    ------
    DataError
        There is no such example, the answer is invalid, or its id is that of an
        answer to another example.
    """
    found = connection.execute(
        _SELECT_EXAMPLE,
        {
            "uid": answer.id,
            "labels": dump_labels(answer.labels),
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
    if found.known_for is not None:
        if found.known_for != found.id:
            raise DataError(
                f"the id {answer.id!r} is that of an answer to another example",
                field="id",
                remedy="Give each answer an id of its own",
            )
        return False
    event = {
        "uid": answer.id,
        "example_id": found.id,
        "split_id": found.split_id,
        "annotator": answer.annotator,
        "answer": answer.answer,
        "spans": dump_spans(_valid_spans(answer, found.text)),
        "flagged": answer.flagged,
        "note": answer.note,
        "label_set_id": found.label_set_id or ensure_label_set(connection, answer.labels),
        "created": check_time(answer.created, "created"),
        "extra": _dump_extra(answer),
        "stored": stored,
    }
    insert_event(connection, event)
    claims.update_after_answer(connection, event)
    return True


def insert_event(connection: Connection, event: Mapping[str, Any]) -> None:
    """Insert a row into ``answers`` and update the tables that are derived from it.

    Parameters
    ----------
    connection : Connection
        With a write transaction.
    event : mapping
        Values of all columns but ``id``.
    """
    inserted = connection.execute(_INSERT_ANSWER, event)
    newest = {"answer_id": _inserted_id(inserted), "answer": event["answer"]}
    where = {"example": event["example_id"], "by": event["annotator"]}
    if not connection.execute(_UPDATE_ANNOTATOR_ANSWER, {**where, **newest}).rowcount:
        keys = ("example_id", "split_id", "annotator")
        values = {**{key: event[key] for key in keys}, **newest}
        connection.execute(_INSERT_ANNOTATOR_ANSWER, values)
    _update_example_answer(connection, event["example_id"], event["split_id"], newest)


def insert_withdrawal(connection: Connection, event: Mapping[str, Any]) -> None:
    """Insert an event after which an annotator has no answer to an example.

    The answer of another annotator is shown then, or the example as it was added.

    Parameters
    ----------
    connection : Connection
        With a write transaction.
    event : mapping
        Values of all columns of ``answers`` but ``id``, ``answer``, ``spans`` and
        ``extra``.
    """
    insert_event(connection, {**event, "answer": None, "spans": "[]", "extra": WITHDRAWN})
    of_example = annotator_answers.c.example_id == event["example_id"]
    connection.execute(
        delete(annotator_answers).where(
            of_example, annotator_answers.c.annotator == event["annotator"]
        )
    )
    others = (
        select(annotator_answers.c.answer_id, annotator_answers.c.answer)
        .where(of_example)
        .order_by(annotator_answers.c.answer.is_(None), annotator_answers.c.answer_id.desc())
        .limit(1)
    )
    newest = connection.execute(others).mappings().first()
    values = dict(newest) if newest else {"answer_id": None, "answer": None}
    of_example = example_answers.c.example_id == event["example_id"]
    connection.execute(update(example_answers).where(of_example).values(values))


def ensure_label_set(connection: Connection, labels: Iterable[str]) -> int:
    """Return the row id of a list of labels, inserting the list if it is new.

    Parameters
    ----------
    connection : Connection
        With a write transaction.
    labels : iterable of str
        Labels in their order.
    """
    text = dump_labels(labels)
    found = connection.scalar(_SELECT_LABEL_SET, {"text": text})
    if found is None:
        insert_if_new(connection, label_sets, {"labels": text})
        found = connection.scalar(_SELECT_LABEL_SET, {"text": text})
    assert found is not None  # noqa: S101 - for the type checker: found or inserted
    return int(found)


def insert_if_new(connection: Connection, table: Table, values: Mapping[str, Any]) -> None:
    """Insert a row unless a unique column holds its value already.

    Parameters
    ----------
    connection : Connection
        With a write transaction.
    table : Table
        A table with a unique column.
    values : mapping
        Values by column name.
    """
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    connection.execute(dialect.insert(table).values(**values).on_conflict_do_nothing())


def _update_example_answer(
    connection: Connection, example_id: int, split_id: int, newest: dict[str, Any]
) -> None:
    before = connection.scalar(_SELECT_EXAMPLE_ANSWER, {"example": example_id})
    if newest["answer"] is None:
        # A draft replaces the annotator's decision; another annotator's may remain.
        others = connection.execute(_SELECT_NEWEST_DECISION, {"example": example_id})
        other = others.mappings().first()
        newest = dict(other) if other else newest
    connection.execute(_UPDATE_EXAMPLE_ANSWER, {"example": example_id, **newest})
    after = newest["answer"]
    if after != before:
        more = {f"{kind}_more": (kind == after) - (kind == before) for kind in ANSWER_KINDS}
        connection.execute(_UPDATE_COUNTS, {"split": split_id, **more})


def _inserted_id(inserted: CursorResult[Any]) -> int:
    key = inserted.inserted_primary_key
    assert key is not None  # noqa: S101 - for the type checker: one row was inserted
    return int(key[0])


def _valid_spans(answer: Answer, text: str) -> list[Span]:
    """Return an answer's spans in order, after checking the answer.

    Raises
    ------
    DataError
        The decision, the annotator, a string or a span is invalid, or two spans
        overlap.
    """
    if answer.answer is not None and answer.answer not in ANSWER_KINDS:
        raise DataError(f"{answer.answer!r} is not an answer", field="answer")
    if not answer.id or not answer.annotator:
        raise DataError("an answer has an id and an annotator", field="annotator")
    for string in (answer.id, answer.annotator, answer.note):
        if find_lone_surrogate(string) is not None:
            raise DataError(f"{string!r} holds half of a surrogate pair", remedy="Write it anew")
        if "\0" in string:
            raise DataError(f"{string!r} holds the character NUL", remedy="Remove it")
    for span in answer.spans:
        if not 0 <= span.start < span.end <= len(text):
            raise DataError(
                f"{span.start} to {span.end} is not a range of a text of {len(text)} characters",
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


def _dump_extra(answer: Answer) -> str:
    try:
        return dump_json(dict(answer.extra))
    except (TypeError, ValueError) as error:
        raise DataError(f"this cannot be stored: {error}", field="extra") from error
