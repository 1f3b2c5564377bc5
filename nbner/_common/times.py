"""Range of the times that are stored: seconds since the epoch, UTC."""

from __future__ import annotations

import math

#: Times that pandas can hold in nanoseconds, in seconds since the epoch: 1678 to 2261.
EARLIEST, LATEST = -9.2e9, 9.2e9


def is_time(value: object) -> bool:
    """Return whether a value is a number of seconds in the years 1678 to 2261.

    Parameters
    ----------
    value : object
        Any value; ``True`` is no number.
    """
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return is_number and math.isfinite(value) and EARLIEST <= value <= LATEST  # type: ignore[arg-type,operator]
