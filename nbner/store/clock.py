"""The one clock of a store: the server's, or that of the machine with the file.

Times are kept for people. What came first is told by row ids, which grow with each
row, because a clock may be wrong, be set back, or differ between two machines.
"""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

from nbner.errors import DataError

if TYPE_CHECKING:
    from sqlalchemy import Connection

#: Times that pandas can hold in nanoseconds, in seconds since the epoch: 1677 to 2262.
EARLIEST, LATEST = -9.2e9, 9.2e9


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
    is_number = isinstance(moment, (int, float)) and not isinstance(moment, bool)
    if not is_number or not math.isfinite(moment):  # type: ignore[arg-type]
        raise DataError(
            f"{moment!r} is not a time", field=field, remedy="Use seconds since 1970, UTC"
        )
    seconds = float(moment)  # type: ignore[arg-type]
    if not EARLIEST <= seconds <= LATEST:
        raise DataError(
            f"{moment!r} seconds since 1970 are not in the years 1678 to 2261",
            field=field,
            remedy="Milliseconds are divided by 1000",
        )
    return seconds
