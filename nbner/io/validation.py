"""Is this what the key promises? Values that come from files can be anything."""

from __future__ import annotations

import math
from collections.abc import Mapping
from numbers import Integral, Real
from typing import Any

from nbner._common.hashing import HASH_RANGE
from nbner.errors import DataError
from nbner.io.rows import SourceLocation
from nbner.types import ANSWER_KINDS, AnswerKind


def is_int(value: Any) -> bool:
    """Whether this is a whole number, NumPy's included; ``True`` is not one."""
    return isinstance(value, Integral) and not isinstance(value, bool)


def is_number(value: Any) -> bool:
    """Whether this is a finite number, NumPy's included."""
    if isinstance(value, bool) or not isinstance(value, Real):
        return False
    try:
        return math.isfinite(float(value))
    except OverflowError:
        return False


def as_text(value: Any, field: str, place: SourceLocation) -> str:
    """Give a string, or say that this is none."""
    if not isinstance(value, str):
        raise _wrong(value, "a string", field, place)
    return str(value)


def as_int(value: Any, field: str, place: SourceLocation) -> int:
    """Give a whole number, or say that this is none."""
    if not is_int(value):
        raise _wrong(value, "a whole number", field, place)
    return int(value)


def as_number(value: Any, field: str, place: SourceLocation) -> float:
    """Give a finite number, or say that this is none."""
    if not is_number(value):
        raise _wrong(value, "a number", field, place)
    return float(value)


def as_list(value: Any, field: str, place: SourceLocation) -> list[Any]:
    """Give a list, or say that this is none."""
    if not isinstance(value, (list, tuple)):
        raise _wrong(value, "a list", field, place)
    return list(value)


def as_mapping(value: Any, field: str, place: SourceLocation) -> Mapping[str, Any]:
    """Give a mapping, or say that this is none."""
    if not isinstance(value, Mapping):
        raise _wrong(value, "an object", field, place)
    return value


def check_answer(value: Any, place: SourceLocation) -> AnswerKind | None:
    """Give accept, reject, ignore or None, or say that this is none of them."""
    for kind in ANSWER_KINDS:
        if value == kind:
            return kind
    if value is None:
        return None
    raise place.error(
        f"{value!r} is not an answer",
        field="answer",
        remedy="Answers are accept, reject and ignore; leave the key out where there is none",
    )


def check_hash(value: Any, field: str, place: SourceLocation) -> int | None:
    """Give a signed number of 32 bits or None, or say that this is neither."""
    if value is None:
        return None
    number = as_int(value, field, place)
    if number not in HASH_RANGE:
        raise place.error(
            f"{number} is not a signed number of 32 bits",
            field=field,
            remedy="Leave the key out, and nbner makes its own",
        )
    return number


def check_label(value: Any, field: str, place: SourceLocation) -> str:
    """Give a label, or say what is wrong with it."""
    label = as_text(value, field, place)
    if not label.strip():
        raise place.error("the label is empty", field=field, remedy="Name the kind of entity")
    return label


def _wrong(value: Any, wanted: str, field: str, place: SourceLocation) -> DataError:
    if value is None:
        return place.error(f"{wanted} is missing", field=field)
    shown = repr(value)
    shown = shown if len(shown) <= 40 else f"{shown[:40]}..."
    return place.error(f"{shown} is not {wanted}", field=field)
