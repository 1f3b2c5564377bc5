"""Undo of answers that were given as one batch.

Their ids begin with the batch's id. Undoing inserts each example's previous
answer as a new event, so that nothing is overwritten; an example without a
previous answer returns to the state in which it was added.
"""

from __future__ import annotations

import logging
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, select

from nbner._common.batch_ids import batch_answer_id
from nbner.store.answers import insert_event, insert_withdrawal
from nbner.store.queries import WITHDRAWN, ResultRow
from nbner.store.schema import annotator_answers, answers, splits

_LOG = logging.getLogger(__name__)

_UNDO_PREFIX = "back from "


def undone_answer_id(answer_id: str) -> str | None:
    """Return the id of the answer that an event undoes; None where it is no undo.

    Parameters
    ----------
    answer_id : str
        Id of the event.
    """
    is_undo = answer_id.startswith(_UNDO_PREFIX)
    return answer_id.removeprefix(_UNDO_PREFIX) if is_undo else None


def undo_batch(connection: Connection, dataset_id: int, batch_id: str, now: float) -> list[int]:
    """Undo the answers of a batch, except where the annotator has answered again since.

    Parameters
    ----------
    connection : Connection
        With a write transaction.
    dataset_id : int
        Row id of the dataset.
    batch_id : str
        Prefix of the answers' ids.
    now : float
        Time of the new events by the store's clock, in seconds since the epoch.

    Returns
    -------
    list of int
        Row ids of the examples whose answers were undone.
    """
    query = (
        select(answers, annotator_answers.c.answer_id.label("newest"))
        .join(splits, splits.c.id == answers.c.split_id)
        .join(
            annotator_answers,
            (annotator_answers.c.example_id == answers.c.example_id)
            & (annotator_answers.c.annotator == answers.c.annotator),
        )
        .where(splits.c.dataset_id == dataset_id, _is_part_of(connection, batch_id))
        .order_by(answers.c.id)
    )
    rows = [row for row in connection.execute(query) if row.newest == row.id]
    for row in rows:
        _undo(connection, row, now)
    _LOG.debug("undid %d answers of batch %s", len(rows), batch_id)
    return [int(row.example_id) for row in rows]


def _is_part_of(connection: Connection, batch_id: str) -> ColumnElement[bool]:
    """Return the condition that an id begins with a batch's and a colon."""
    prefix = batch_answer_id(batch_id, "")
    if connection.dialect.name != "sqlite":
        # A server compares in the order of its language: a range would hold other ids.
        return answers.c.uid.startswith(prefix, autoescape=True)
    # A range, which the index can search: SQLite compares bytes, and the character after the
    # colon is the semicolon.
    return and_(answers.c.uid > prefix, answers.c.uid < f"{batch_id};")


def _undo(connection: Connection, row: ResultRow, now: float) -> None:
    columns = ("example_id", "split_id", "annotator", "flagged", "note", "label_set_id")
    event: dict[str, Any] = {name: getattr(row, name) for name in columns}
    event |= {"uid": f"{_UNDO_PREFIX}{row.uid}", "created": now, "stored": now}
    previous = _previous_answer(connection, row)
    if previous is None:
        insert_withdrawal(connection, event)
        return
    content = ("answer", "spans", "flagged", "note", "label_set_id", "extra")
    insert_event(connection, {**event, **{name: getattr(previous, name) for name in content}})


def _previous_answer(connection: Connection, row: ResultRow) -> ResultRow | None:
    query = (
        select(answers)
        .where(
            answers.c.example_id == row.example_id,
            answers.c.annotator == row.annotator,
            answers.c.id < row.id,
        )
        .order_by(answers.c.id.desc())
        .limit(1)
    )
    found = connection.execute(query).first()
    is_answer = found is not None and not (found.answer is None and found.extra == WITHDRAWN)
    return found if is_answer else None
