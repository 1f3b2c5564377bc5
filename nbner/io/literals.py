"""Values written as text: JSON, or the ``repr`` of Python, NumPy and pandas, as in a CSV cell."""

from __future__ import annotations

import ast
import json
import re
from typing import Any

_OPENING = "[({"
_CLOSING = {"[": "]", "(": ")", "{": "}"}
# What pandas, NumPy and nbner write around a value.
_WRAPPERS = ("array", "mappingproxy", "dict", "list", "tuple", "Timestamp", "str_", "int64")
_RECORDS = ("Span", "Token")
_NAMES = {"nan": None, "NaN": None, "NaT": None, "null": None, "true": True, "false": False}
_MAX_LENGTH = 2**24
_NUMBERS = re.compile(r"\[[\s\d\-]+\]")
_SPACE_OF_NUMBERS = re.compile(r"(?<=\d)\s+(?=[\d\-])")
_JOINED = re.compile(r"(?<=['\"])\s+(?=['\"])")
_SEPARATED = re.compile(r"['\"]\s*,")

#: Returned by ``parse_literal`` for a text that is no value.
NOT_A_VALUE = object()


def looks_like_literal(text: str) -> bool:
    """Return whether a text begins and ends with a pair of brackets.

    Parameters
    ----------
    text : str
        Any text.
    """
    stripped = text.strip()
    return stripped[:1] in _OPENING and stripped[-1:] == _CLOSING.get(stripped[:1], "-")


def parse_literal(text: str) -> Any:
    """Parse a list, a tuple or a mapping from JSON or from Python's ``repr``.

    No code runs: of calls, only the constructors are understood that nbner's
    own values, NumPy and pandas write.

    Parameters
    ----------
    text : str
        The content of a cell.

    Returns
    -------
    object
        ``NOT_A_VALUE`` where the text is neither.
    """
    if not looks_like_literal(text) or len(text) > _MAX_LENGTH:
        return NOT_A_VALUE
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    try:
        return _value(ast.parse(_with_commas(text.strip()), mode="eval").body)
    except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
        return NOT_A_VALUE


def value_of(value: Any) -> Any:
    """Return the list, tuple or mapping that a text holds; any other value as it is.

    Parameters
    ----------
    value : object
        The value of a key.
    """
    if isinstance(value, str) and looks_like_literal(value):
        parsed = parse_literal(value)
        return parsed if isinstance(parsed, (list, tuple, dict)) else value
    return value


def _with_commas(text: str) -> str:
    """Add the commas that NumPy leaves out; Python would join the words of such a list."""
    if _NUMBERS.fullmatch(text):
        return _SPACE_OF_NUMBERS.sub(", ", text)
    if _JOINED.search(text) and not _SEPARATED.search(text):
        return _JOINED.sub(", ", text)
    return text


def _value(node: ast.expr) -> Any:
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, (ast.List, ast.Set)):
        return [_value(one) for one in node.elts]
    if isinstance(node, ast.Tuple):
        return tuple(_value(one) for one in node.elts)
    if isinstance(node, ast.Dict):
        return _mapping(node)
    return _scalar(node)


def _mapping(node: ast.Dict) -> dict[Any, Any]:
    if any(key is None for key in node.keys):
        raise ValueError("an unpacked mapping")
    return {
        _value(key): _value(one)
        for key, one in zip(node.keys, node.values, strict=True)
        if key is not None
    }


def _scalar(node: ast.expr) -> Any:
    if isinstance(node, ast.Name) and node.id in _NAMES:
        return _NAMES[node.id]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_value(node.operand)
    if isinstance(node, ast.Call):
        return _call(node)
    raise ValueError(f"{type(node).__name__} is no value")


def _call(node: ast.Call) -> Any:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if name in _RECORDS:
        return {one.arg: _value(one.value) for one in node.keywords if one.arg is not None}
    if name in _WRAPPERS and node.args:
        return _value(node.args[0])
    raise ValueError(f"{name} is no value")
