"""The one clock of a store: the server's, or that of the machine with the file.

Times are kept for people. What came first is told by row ids, which grow with each
row, because a clock may be wrong, be set back, or differ between two machines.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from nbner._common.times import LATEST, is_time
from nbner.errors import DataError

if TYPE_CHECKING:
    from sqlalchemy import Connection


def now(connection: Connection) -> float:
    """Return the present time in seconds since the epoch, UTC.

    Parameters
    ----------
    connection : Connection
        A server is asked for its time; with a file it is this machine's.
    """
    if connection.dialect.name != "postgresql":
        return time.time()
    query = "SELECT CAST(extract(epoch FROM clock_timestamp()) AS double precision)"
    return float(connection.exec_driver_sql(query).scalar_one())


def to_store_time(connection: Connection, moment: float) -> float:
    """Return a time by this machine's clock as the store's clock has it.

    Parameters
    ----------
    connection : Connection
        With a transaction.
    moment : float
        Seconds since the epoch by this machine's clock.
    """
    before = time.time()
    there = now(connection)
    after = time.time()
    # Within the time that the question took, the clocks are the same.
    return moment + there - min(max(there, before), after)


def check_time(moment: object, field: str) -> float:
    """Return a time that a store and a data frame can hold.

    Parameters
    ----------
    moment : object
        Seconds since the epoch, UTC.
    field : str
        What it is, for the message.

    Raises
    ------
    DataError
        It is not a number, or not in the years 1678 to 2261.
    """
    if is_time(moment):
        return float(moment)  # type: ignore[arg-type]
    is_large = isinstance(moment, (int, float)) and abs(moment) > LATEST
    raise DataError(
        f"{moment!r} is not a time in the years 1678 to 2261",
        field=field,
        remedy="Milliseconds are divided by 1000" if is_large else "Use seconds since 1970, UTC",
    )
