"""Plain values to the text that a column holds, and back.

JSON as text, in ASCII, because every database keeps that as it is.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from nbner._common.alignment import tokens_from_columns
from nbner.types import Span, Token


def to_jsonable(value: Any) -> Any:
    """Give what JSON can hold in the place of a value that it does not know."""
    # NumPy's numbers and arrays; dates are better read as ISO than as repr.
    for method in ("tolist", "isoformat"):
        if hasattr(value, method):
            return getattr(value, method)()
    return str(value)


_encode = json.JSONEncoder(separators=(",", ":"), default=to_jsonable).encode


def dump_json(value: Any) -> str:
    """Write a value as compact JSON; what JSON does not know as its string.

    Raises
    ------
    TypeError, ValueError
        A mapping has keys that are no strings, or holds itself.
    """
    return _encode(value)


def load_json(text: str) -> Any:
    """Read what ``dump_json`` wrote."""
    return {} if text == "{}" else json.loads(text)


def find_lone_surrogate(text: str) -> int | None:
    """Find half of a surrogate pair, which no database and no file in UTF-8 can hold.

    Returns
    -------
    int or None
        Its position.
    """
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        return error.start
    return None


def dump_tokens(tokens: Iterable[Token]) -> str:
    """Write tokens as one flat list: start, end, and 1 where a space follows."""
    return dump_json([part for token in tokens for part in (token.start, token.end, int(token.ws))])


def load_tokens(text: str, tokens: str | None) -> tuple[Token, ...]:
    """Read what ``dump_tokens`` wrote; no tokens where there is nothing."""
    if tokens is None:
        return ()
    parts = json.loads(tokens)
    return tokens_from_columns(text, parts[::3], parts[1::3], map(bool, parts[2::3]))


def dump_spans(spans: Iterable[Span]) -> str:
    """Write spans as lists of start, end, label and, where there are any, details."""
    parts = [_span_parts(span) for span in spans]
    return dump_json(parts) if parts else "[]"


def load_spans(text: str | None) -> tuple[Span, ...]:
    """Read what ``dump_spans`` wrote; no spans where there is nothing."""
    if text is None or text == "[]":
        return ()
    return tuple(Span(*parts) if len(parts) == 3 else _span(*parts) for parts in json.loads(text))


def dump_labels(labels: Iterable[str]) -> str:
    """Write labels in their order."""
    return dump_json(list(labels))


@lru_cache(maxsize=256)
def load_labels(text: str) -> tuple[str, ...]:
    """Read what ``dump_labels`` wrote. A million answers share a few lists."""
    return tuple(json.loads(text))


def _span_parts(span: Span) -> list[Any]:
    details = {"source": span.source, "score": span.score, "extra": dict(span.extra)}
    said = {key: value for key, value in details.items() if value not in (None, {})}
    return [span.start, span.end, span.label, *([said] if said else [])]


def _span(start: int, end: int, label: str, details: Mapping[str, Any] | None = None) -> Span:
    return Span(start, end, label, **(details or {}))
