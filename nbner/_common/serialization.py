"""Serialization of plain values to the text of a database column, and back.

JSON in ASCII, which every database stores unchanged.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from nbner._common.alignment import tokens_from_columns
from nbner.types import Span, Token


def to_jsonable(value: Any) -> Any:
    """Convert a value that JSON does not support to one that it does.

    Parameters
    ----------
    value : object
        NumPy numbers and arrays become numbers and lists, dates and times
        become ISO 8601, everything else becomes ``str(value)``.
    """
    for method in ("tolist", "isoformat"):
        if hasattr(value, method):
            return getattr(value, method)()
    return str(value)


_encode = json.JSONEncoder(separators=(",", ":"), default=to_jsonable).encode


def dump_json(value: Any) -> str:
    """Serialize a value as compact JSON.

    Parameters
    ----------
    value : object
        Values that JSON does not support go through ``to_jsonable``.

    Raises
    ------
    TypeError, ValueError
        A mapping has keys that are not strings, or contains itself.
    """
    return _encode(value)


def load_json(text: str) -> Any:
    """Parse the output of ``dump_json``.

    Parameters
    ----------
    text : str
        JSON.
    """
    return {} if text == "{}" else json.loads(text)


def find_lone_surrogate(text: str) -> int | None:
    """Find half of a surrogate pair, which neither a database nor UTF-8 can store.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    int or None
        Position of the first lone surrogate; None where there is none.
    """
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        return error.start
    return None


def is_name(value: object) -> bool:
    """Return whether a value is a text that can name something in every store and file.

    Parameters
    ----------
    value : object
        Not a name: a blank text, and one with the character NUL or half of a
        surrogate pair.
    """
    if not isinstance(value, str) or not value.strip():
        return False
    return "\0" not in value and find_lone_surrogate(value) is None


def dump_tokens(tokens: Iterable[Token]) -> str:
    """Serialize tokens as one flat list: start, end, and 1 where a space follows.

    Parameters
    ----------
    tokens : iterable of Token
        All tokens of a text.
    """
    return dump_json([part for token in tokens for part in (token.start, token.end, int(token.ws))])


def load_tokens(text: str, stored: str | None) -> tuple[Token, ...]:
    """Parse the output of ``dump_tokens``.

    Parameters
    ----------
    text : str
        The text that the tokens belong to.
    stored : str, optional
        The stored tokens; None stands for no tokens.
    """
    if stored is None:
        return ()
    parts = json.loads(stored)
    return tokens_from_columns(text, parts[::3], parts[1::3], map(bool, parts[2::3]))


def dump_spans(spans: Iterable[Span]) -> str:
    """Serialize spans as lists of start, end, label and, where there are any, details.

    Parameters
    ----------
    spans : iterable of Span
        In the order in which they are to be stored.
    """
    parts = [_span_parts(span) for span in spans]
    return dump_json(parts) if parts else "[]"


def load_spans(stored: str | None) -> tuple[Span, ...]:
    """Parse the output of ``dump_spans``.

    Parameters
    ----------
    stored : str, optional
        The stored spans; None stands for no spans.
    """
    if stored is None or stored == "[]":
        return ()
    return tuple(Span(*parts) if len(parts) == 3 else _span(*parts) for parts in json.loads(stored))


def dump_labels(labels: Iterable[str]) -> str:
    """Serialize labels in their order.

    Parameters
    ----------
    labels : iterable of str
        The labels.
    """
    return dump_json(list(labels))


@lru_cache(maxsize=256)
def load_labels(stored: str) -> tuple[str, ...]:
    """Parse the output of ``dump_labels``; cached, because many answers share few lists.

    Parameters
    ----------
    stored : str
        The stored labels.
    """
    return tuple(json.loads(stored))


def _span_parts(span: Span) -> list[Any]:
    details = {"source": span.source, "score": span.score, "extra": dict(span.extra)}
    present = {key: value for key, value in details.items() if value not in (None, {})}
    return [span.start, span.end, span.label, *([present] if present else [])]


def _span(start: int, end: int, label: str, details: Mapping[str, Any] | None = None) -> Span:
    return Span(start, end, label, **(details or {}))
