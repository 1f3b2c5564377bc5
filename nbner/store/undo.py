"""Undo of answers that were given as one batch.

Their ids begin with the batch's id. Undoing inserts each example's previous
answer as a new event, so that nothing is overwritten; an example without a
previous answer returns to the state in which it was added.
"""

from __future__ import annotations

import logging
from typing import Any

from sqlalchemy import Connection, delete, select, update

from nbner._common.batch_ids import batch_answer_id
from nbner._common.serialization import dump_json, load_json
from nbner.store.answers import insert_event
from nbner.store.queries import ResultRow
from nbner.store.schema import annotator_answers, answers, example_answers, splits

_LOG = logging.getLogger(__name__)


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
        Time of the new events, in seconds since the epoch.

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
        # A range, which the index can search: all ids that begin with the batch's and a colon
        # (the character after the colon is the semicolon).
        .where(
            splits.c.dataset_id == dataset_id,
            answers.c.uid > batch_answer_id(batch_id, ""),
            answers.c.uid < f"{batch_id};",
        )
    )
    rows = [row for row in connection.execute(query) if row.newest == row.id]
    for row in rows:
        _undo(connection, row, now)
    _LOG.debug("undid %d answers of batch %s", len(rows), batch_id)
    return [int(row.example_id) for row in rows]


def _undo(connection: Connection, row: ResultRow, now: float) -> None:
    columns = ("example_id", "split_id", "annotator", "flagged", "note", "label_set_id")
    event: dict[str, Any] = {name: getattr(row, name) for name in columns}
    event |= {"uid": f"back from {row.uid}", "created": now}
    previous = _previous_answer(connection, row)
    if previous is None:
        empty = {"answer": None, "spans": "[]", "extra": dump_json({"withdrawn": True})}
        insert_event(connection, {**event, **empty})
        _reset_example(connection, row.example_id, row.annotator)
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
    return None if found is None or load_json(found.extra).get("withdrawn") else found


def _reset_example(connection: Connection, example_id: int, annotator: str) -> None:
    """Drop an annotator's answer; show another annotator's decision, else draft, if any."""
    of_example = annotator_answers.c.example_id == example_id
    connection.execute(
        delete(annotator_answers).where(of_example, annotator_answers.c.annotator == annotator)
    )
    others = (
        select(annotator_answers.c.answer_id, annotator_answers.c.answer)
        .where(of_example)
        .order_by(annotator_answers.c.answer.is_(None), annotator_answers.c.answer_id.desc())
        .limit(1)
    )
    newest = connection.execute(others).mappings().first()
    values = dict(newest) if newest else {"answer_id": None, "answer": None}
    of_example = example_answers.c.example_id == example_id
    connection.execute(update(example_answers).where(of_example).values(values))
