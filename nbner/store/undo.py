"""Answers given as one, taken back as one.

Their ids begin with the id of the whole. What was said before is said again in
a new event, so that nothing is overwritten; where nothing was said before, the
example stands as if nobody had touched it.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, delete, select, update

from nbner._common.batch_ids import batch_answer_id
from nbner._common.serialization import dump_json, load_json
from nbner.store import answers as events
from nbner.store.queries import ResultRow
from nbner.store.schema import answers, current, splits, standing


def undo_batch(connection: Connection, dataset_id: int, whole: str, now: float) -> list[int]:
    """Take back what was given as one, but for what has changed since.

    Returns
    -------
    list of int
        Ids of the examples that are as they were before.
    """
    given = (
        select(answers, current.c.answer_id.label("newest"))
        .join(splits, splits.c.id == answers.c.split_id)
        .join(
            current,
            (current.c.example_id == answers.c.example_id)
            & (current.c.annotator == answers.c.annotator),
        )
        # All ids that begin with the whole's and a colon, by the index.
        .where(
            splits.c.dataset_id == dataset_id,
            answers.c.uid > batch_answer_id(whole, ""),
            answers.c.uid < f"{whole};",
        )
    )
    rows = [row for row in connection.execute(given) if row.newest == row.id]
    for row in rows:
        _go_back(connection, row, now)
    return [int(row.example_id) for row in rows]


def _go_back(connection: Connection, row: ResultRow, now: float) -> None:
    columns = ("example_id", "split_id", "annotator", "flagged", "note", "label_set_id")
    event: dict[str, Any] = {name: getattr(row, name) for name in columns}
    event |= {"uid": f"back from {row.uid}", "created": now}
    before = _before(connection, row)
    if before is None:
        nothing = {"answer": None, "spans": "[]", "extra": dump_json({"withdrawn": True})}
        events.insert_event(connection, {**event, **nothing})
        _forget(connection, row.example_id, row.annotator)
        return
    said = ("answer", "spans", "flagged", "note", "label_set_id", "extra")
    events.insert_event(connection, {**event, **{name: getattr(before, name) for name in said}})


def _before(connection: Connection, row: ResultRow) -> ResultRow | None:
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


def _forget(connection: Connection, example_id: int, annotator: str) -> None:
    """Leave the example to what others have said of it, a decision before a draft."""
    of_example = current.c.example_id == example_id
    connection.execute(delete(current).where(of_example, current.c.annotator == annotator))
    others = (
        select(current.c.answer_id, current.c.answer)
        .where(of_example)
        .order_by(current.c.answer.is_(None), current.c.answer_id.desc())
        .limit(1)
    )
    newest = connection.execute(others).mappings().first()
    values = dict(newest) if newest else {"answer_id": None, "answer": None}
    connection.execute(update(standing).where(standing.c.example_id == example_id).values(values))
