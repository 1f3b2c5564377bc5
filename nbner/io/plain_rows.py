"""Rows that need no look at their shapes, and text that may hold spans.

Most rows hold a text and the user's own values; a row is looked into only where
a value of it may be annotations.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from nbner.io.label_keys import LABELLED_WORDS, is_telling_key
from nbner.io.literals import looks_like_literal, parse_literal
from nbner.types import Span

# Keys whose values need no look.
PLAIN_KEYS = frozenset(
    (
        *("text", "answer", "flagged", "note", "_input_hash", "_task_hash", "_annotator_id"),
        *("_session_id", "_view_id", "_timestamp", "_is_binary"),
    )
)
_PLAIN_TOKEN_KEYS = frozenset(("text", "start", "end", "id", "ws", "disabled", "style"))
_SCALARS = (int, float, bool, type(None))
_TAGGED = re.compile(r"(?:^|[\s,;|])[BIESLUM]-\S")
_OFFSET_KEY = re.compile("start|begin|offset", re.IGNORECASE)
_COMPACT = re.compile(
    r"\s*(?:(?P<a>\d+)[\s:,;|-]+(?P<b>\d+)[\s:,;|-]+(?P<l>[A-Za-z]\w*)"
    r"|(?P<m>[A-Za-z]\w*)[\s:,;|-]+(?P<c>\d+)[\s:,;|-]+(?P<d>\d+))(?:[\s;|,]+|$)"
)
_BROKEN_SPANS = re.compile(r"\bstart\w*['\"]?\s*[:=]|[BI]-[A-Z]|[\[(]\s*\d+\s*,\s*\d+\s*,\s*['\"]")


def is_plain_row(task: Mapping[str, Any], labels: tuple[str, ...]) -> bool:
    """Return whether a row holds nothing but what ``prodigy.row_from_task`` reads as it is.

    Parameters
    ----------
    task : mapping
        A row of any tool.
    labels : tuple of str
        The session's labels.
    """
    if type(task.get("text")) is not str or "input_hash" in task:
        return False
    for key, value in task.items():
        if key in PLAIN_KEYS:
            continue
        kind = type(value)
        if kind is str:
            if is_telling_key(key, labels) and value in task["text"]:
                return False
            if _may_hold_spans(value, key) or (value.isdecimal() and is_offset_key(key)):
                return False
        elif kind in _SCALARS:
            if kind is int and _OFFSET_KEY.search(key) is not None:
                return False
        elif not _is_plain_value(key, value):
            return False
    return True


def _may_hold_spans(value: str, key: str) -> bool:
    return (
        value[:1] in "[({ `"
        or value == "O"
        # The patterns are searched only where a character of theirs is there.
        or ("-" in value and _TAGGED.search(value) is not None)
        or (
            (":" in value or "=" in value or ">" in value)
            and LABELLED_WORDS.search(value) is not None
        )
        or (
            (value[-1:].isdigit() or value[:1].isdigit())
            and _COMPACT.match(value) is not None
            and key not in PLAIN_KEYS
        )
    )


def _is_plain_value(key: str, value: Any) -> bool:
    if key == "spans":
        return isinstance(value, (list, tuple)) and all(
            type(one) is Span or (type(one) is dict and is_plain_span(one)) for one in value
        )
    if key == "tokens":
        return _are_plain_tokens(value)
    if key == "meta" and type(value) is dict:
        return all(
            type(one) in _SCALARS or (type(one) is str and not looks_like_literal(one))
            for one in value.values()
        )
    return False


def is_plain_span(span: Mapping[str, Any]) -> bool:
    """Return whether an object is a span of a Prodigy task.

    Parameters
    ----------
    span : mapping
        Any object.
    """
    return ("start" in span or "token_start" in span) and type(span.get("label")) is str


def _are_plain_tokens(value: Any) -> bool:
    if not isinstance(value, (list, tuple)):
        return False
    first = value[0] if value else ""
    return type(first) is str or (type(first) is dict and first.keys() <= _PLAIN_TOKEN_KEYS)


def may_hold_annotations(value: object, key: str = "") -> bool:
    """Return whether a value of an unknown key is worth a look for spans or tags.

    Parameters
    ----------
    value : object
        The value.
    key : str
        Its key.
    """
    if type(value) is str:
        return _may_hold_spans(value, key)
    if type(value) in _SCALARS:
        return type(value) is int and _OFFSET_KEY.search(key) is not None
    return True


def is_offset_key(key: str) -> bool:
    """Return whether a key or a column may hold an offset.

    Parameters
    ----------
    key : str
        Its name.
    """
    return _OFFSET_KEY.search(key) is not None


def is_compact(value: str, length: int) -> bool:
    """Return whether a string lists spans as ``0:4:ORG; 7-9-LOC``.

    Parameters
    ----------
    value : str
        The value of a key.
    length : int
        Length of the row's text, in code points.
    """
    pairs = []
    position = 0
    while position < len(value):
        found = _COMPACT.match(value, position)
        if found is None:
            return False
        pairs.append((int(found["a"] or found["c"]), int(found["b"] or found["d"])))
        position = found.end()
    return bool(pairs) and all(start < end <= length for start, end in pairs)


def is_broken(value: str) -> bool:
    """Return whether a string looks like a list of spans and cannot be parsed.

    Parameters
    ----------
    value : str
        The value of a key.
    """
    return (
        looks_like_literal(value)
        and not isinstance(parse_literal(value), (list, tuple, dict))
        and _BROKEN_SPANS.search(value) is not None
    )
