"""Type checks of values from files, with the location of a wrong value in the message."""

from __future__ import annotations

import math
from collections.abc import Mapping
from numbers import Integral, Real
from typing import Any

from nbner._common.hashing import HASH_RANGE
from nbner._common.times import is_time
from nbner.errors import DataError
from nbner.io.rows import SourceLocation
from nbner.types import ANSWER_KINDS, AnswerKind

_MAX_SHOWN = 40  # characters of a wrong value in a message


def is_int(value: Any) -> bool:
    """Return whether a value is a whole number, NumPy's included; ``True`` is not one.

    Parameters
    ----------
    value : object
        Any value.
    """
    # By type first: the check of an abstract class takes ten times as long.
    return type(value) is int or (isinstance(value, Integral) and not isinstance(value, bool))


def is_number(value: Any) -> bool:
    """Return whether a value is a finite number, NumPy's included; ``True`` is not one.

    Parameters
    ----------
    value : object
        Any value.
    """
    if value is None or isinstance(value, bool) or not isinstance(value, Real):
        return False
    try:
        return math.isfinite(float(value))
    except OverflowError:
        return False


def as_text(value: Any, field: str, location: SourceLocation) -> str:
    """Return a value that must be a string.

    Parameters
    ----------
    value : object
        Any value.
    field : str
        The key or column, for the message.
    location : SourceLocation
        File and line, for the message.

    Raises
    ------
    DataError
        The value is not a string.
    """
    if not isinstance(value, str):
        raise _wrong_type(value, "a string", field, location)
    return str(value)


def as_int(value: Any, field: str, location: SourceLocation) -> int:
    """Return a value that must be a whole number.

    Parameters
    ----------
    value : object
        Any value.
    field : str
        The key or column, for the message.
    location : SourceLocation
        File and line, for the message.

    Raises
    ------
    DataError
        The value is not a whole number.
    """
    if not is_int(value):
        raise _wrong_type(value, "a whole number", field, location)
    return int(value)


def as_number(value: Any, field: str, location: SourceLocation) -> float:
    """Return a value that must be a finite number.

    Parameters
    ----------
    value : object
        Any value.
    field : str
        The key or column, for the message.
    location : SourceLocation
        File and line, for the message.

    Raises
    ------
    DataError
        The value is not a finite number.
    """
    if not is_number(value):
        raise _wrong_type(value, "a number", field, location)
    return float(value)


def as_time(value: Any, field: str, location: SourceLocation) -> float:
    """Return a value that must be a time in seconds since 1970, UTC.

    Parameters
    ----------
    value : object
        Any value.
    field : str
        The key or column, for the message.
    location : SourceLocation
        File and line, for the message.

    Raises
    ------
    DataError
        The value is not a finite number, or not in the years 1678 to 2261, which
        data frames can hold.
    """
    seconds = as_number(value, field, location)
    if not is_time(seconds):
        raise location.error(
            f"{value!r} seconds since 1970 are not in the years 1678 to 2261",
            field=field,
            remedy="Milliseconds are divided by 1000",
        )
    return seconds


def as_list(value: Any, field: str, location: SourceLocation) -> list[Any]:
    """Return a value that must be a list or a tuple, as a list.

    Parameters
    ----------
    value : object
        Any value.
    field : str
        The key or column, for the message.
    location : SourceLocation
        File and line, for the message.

    Raises
    ------
    DataError
        The value is neither a list nor a tuple.
    """
    if not isinstance(value, (list, tuple)):
        raise _wrong_type(value, "a list", field, location)
    return list(value)


def as_mapping(value: Any, field: str, location: SourceLocation) -> Mapping[str, Any]:
    """Return a value that must be a mapping.

    Parameters
    ----------
    value : object
        Any value.
    field : str
        The key or column, for the message.
    location : SourceLocation
        File and line, for the message.

    Raises
    ------
    DataError
        The value is not a mapping.
    """
    if type(value) is not dict and not isinstance(value, Mapping):
        raise _wrong_type(value, "an object", field, location)
    return value


def check_answer(value: Any, location: SourceLocation) -> AnswerKind | None:
    """Return a value that must be accept, reject, ignore or None.

    Parameters
    ----------
    value : object
        Any value.
    location : SourceLocation
        File and line, for the message.

    Raises
    ------
    DataError
        The value is none of them.
    """
    for kind in ANSWER_KINDS:
        if value == kind:
            return kind
    if value is None:
        return None
    raise location.error(
        f"{value!r} is not an answer",
        field="answer",
        remedy="Answers are accept, reject and ignore; leave the key out where there is none",
    )


def check_hash(value: Any, field: str, location: SourceLocation) -> int | None:
    """Return a value that must be a signed 32-bit number or None.

    Parameters
    ----------
    value : object
        Any value.
    field : str
        The key or column, for the message.
    location : SourceLocation
        File and line, for the message.

    Raises
    ------
    DataError
        The value is neither.
    """
    if value is None:
        return None
    number = as_int(value, field, location)
    if number not in HASH_RANGE:
        raise location.error(
            f"{number} is not a signed number of 32 bits",
            field=field,
            remedy="Leave the key out, and nbner makes its own",
        )
    return number


def check_label(value: Any, field: str, location: SourceLocation) -> str:
    """Return a value that must be a label: a string that is not blank.

    Parameters
    ----------
    value : object
        Any value.
    field : str
        The key or column, for the message.
    location : SourceLocation
        File and line, for the message.

    Raises
    ------
    DataError
        The value is not a string, or is blank.
    """
    label = as_text(value, field, location)
    if not label.strip():
        raise location.error("the label is empty", field=field, remedy="Name the kind of entity")
    return label


def _wrong_type(value: Any, wanted: str, field: str, location: SourceLocation) -> DataError:
    if value is None:
        return location.error(f"{wanted} is missing", field=field)
    shown = repr(value)
    shown = shown if len(shown) <= _MAX_SHOWN else f"{shown[:_MAX_SHOWN]}..."
    return location.error(f"{shown} is not {wanted}", field=field)
