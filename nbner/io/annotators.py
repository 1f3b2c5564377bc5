"""The author of an answer, under the key that an export uses for it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from nbner.io.validation import is_int

# Without case and marks, in the order of their certainty.
_KEYS = (
    *("annotatorid", "annotator", "annotatorname", "annotatoremail", "completedby", "annotatedby"),
    *("labeledby", "labelledby", "labeler", "labeller", "coder", "rater", "raterid", "workerid"),
    *("worker", "createdusername", "username", "userid", "user", "useremail", "createdby"),
    *("sessionid",),
)
_RANKS = {name: rank for rank, name in enumerate(_KEYS)}
_PARTS = ("email", "username", "user_name", "id", "pk", "name")
_MARKS = re.compile(r"[\W_]")


def annotator_key(mapping: Mapping[Any, Any]) -> str | None:
    """Return the key that names the author of an object's answer; None if there is none.

    Parameters
    ----------
    mapping : mapping
        A row, an annotation or a span of another tool.
    """
    found: str | None = None
    best = len(_KEYS)
    for key, value in mapping.items():
        if not isinstance(key, str):
            continue
        rank = _rank(key)
        if rank < best and annotator_name(value) is not None:
            found, best = key, rank
    return found


@lru_cache(maxsize=4096)
def _rank(key: str) -> int:
    """Return the rank of a key among those of authors; the files of a tool repeat their keys."""
    return _RANKS.get(_MARKS.sub("", key).lower(), len(_KEYS))


def is_annotator_key(key: str) -> bool:
    """Return whether a key or a column may name the author of an answer.

    Parameters
    ----------
    key : str
        Compared without case and marks.
    """
    return _rank(key) < len(_KEYS)


def annotator_in(mapping: Mapping[Any, Any]) -> str | None:
    """Return the author of an object's answer, under whatever key; None if there is none.

    Parameters
    ----------
    mapping : mapping
        A row, an annotation or a span of another tool.
    """
    key = annotator_key(mapping)
    return None if key is None else annotator_name(mapping[key])


def annotator_name(value: Any) -> str | None:
    """Return the name in a value that stands for a person; None if it names nobody.

    Parameters
    ----------
    value : object
        A name, a number, an object with an address, a name or a number, or a
        list of one of them.
    """
    if isinstance(value, str):
        return value if value.strip() else None
    if isinstance(value, (list, tuple)) and len(value) == 1:
        value = value[0]
    if isinstance(value, Mapping):
        parts = (annotator_name(value.get(key)) for key in _PARTS)
        return next((one for one in parts if one is not None), None)
    if is_int(value) or (isinstance(value, float) and value.is_integer()):
        return str(int(value))
    return value if isinstance(value, str) and value.strip() else None
