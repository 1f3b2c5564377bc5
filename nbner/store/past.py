"""State of the store at a past time, by the order of storage and not by a clock alone.

A clock may have been ahead for a while, or be set back. Row ids grow with each row, so
that what was stored by a time is all up to some row: the last one whose time is not
later. Rows after it whose times are later than the present were stored under a clock that
was ahead; they belong to the row before them.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, and_, false, or_, select

from nbner.store import clock
from nbner.store.schema import examples, splits, store

_END = 2**62


def is_stored_by(
    connection: Connection, dataset_id: int, table: Table, moment: float
) -> ColumnElement[bool]:
    """Build the condition that a row was stored by a time.

    At the present time it holds of every row.

    Parameters
    ----------
    connection : Connection
        With a transaction.
    dataset_id : int
        Row id of the dataset.
    table : Table
        ``examples`` or ``answers``.
    moment : float
        Seconds since the epoch by this machine's clock.
    """
    moment = clock.to_store_time(connection, moment)
    present = clock.now(connection)
    conditions = [
        _in_split(connection, table, split_id, moment, present)
        for split_id in connection.scalars(
            select(splits.c.id).where(splits.c.dataset_id == dataset_id)
        ).all()
    ]
    return or_(false(), *conditions)


def _in_split(
    connection: Connection, table: Table, split_id: int, moment: float, present: float
) -> ColumnElement[bool]:
    """Build the condition for the rows of one split."""
    time = _time(table)
    with_time = (table.c.split_id == split_id, time.is_not(None))
    by_then = select(table.c.id).where(*with_time, time <= moment)
    last = connection.scalar(by_then.order_by(table.c.id.desc()).limit(1))
    if last is None and moment < _beginning(connection, table, split_id, present):
        end = 0
    else:
        later = select(table.c.id).where(*with_time, table.c.id > (last or 0), time <= present)
        first_later = connection.scalar(later.order_by(table.c.id).limit(1))
        end = _END if first_later is None else first_later - 1
    without_time: ColumnElement[bool] = time.is_(None)
    if table is not examples and last is None:
        # Version 1 kept only when an answer was given, which an import may name as it likes.
        given = table.c.created
        without_time = and_(without_time, or_(given <= moment, given > present))
    return and_(
        table.c.split_id == split_id,
        or_(and_(time.is_not(None), table.c.id <= end), without_time),
    )


def _beginning(connection: Connection, table: Table, split_id: int, present: float) -> float:
    """Return the earliest time at which a row may have been stored."""
    times: list[Any] = [select(store.c.created)]
    if table is not examples:
        of_split = select(examples.c.created).where(examples.c.split_id == split_id)
        times.insert(0, of_split.order_by(examples.c.id).limit(1))
    found = (connection.scalar(query) for query in times)
    return next((float(one) for one in found if one is not None and one <= present), 0.0)


def _time(table: Table) -> ColumnElement[float]:
    column: ColumnElement[float] = table.c.created if table is examples else table.c.stored
    return column
