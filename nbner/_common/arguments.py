"""Checks of the arguments of public methods against their annotations.

A wrong argument is a `DataError` that names the parameter, before anything is done.
What is checked is read off the annotations: whole numbers, numbers, truth values, texts,
paths and lists of these. Annotations with another type in them are left to the method.
"""

from __future__ import annotations

import ast
import functools
import inspect
import math
import operator
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from numbers import Rational, Real
from os import PathLike
from typing import Any, TypeGuard, TypeVar, get_args

from nbner.errors import DataError
from nbner.types import AnswerKind

_Function = TypeVar("_Function", bound=Callable[..., Any])

#: Lowest and highest value of numbers, by the parameter's name, in every method alike.
BOUNDS: Mapping[str, tuple[float, float]] = {
    "batch": (1, math.inf),
    "batch_size": (1, math.inf),
    "batch_sizes": (1, math.inf),
    "corrupt": (0, 1),
    "daily_target": (1, math.inf),
    "dropout": (0, 1),
    "every": (1, math.inf),
    "folds": (0, math.inf),
    "fractions": (0, 1),
    "gpu_id": (-1, math.inf),
    "holdout": (0, 1),
    "idle_seconds": (0, math.inf),
    "k": (1, math.inf),
    "l2": (0, math.inf),
    "margin": (0, math.inf),
    "max_epochs": (0, math.inf),
    "max_span_length": (1, math.inf),
    "max_steps": (0, math.inf),
    "more": (1, math.inf),
    "n": (1, math.inf),
    "n_process": (-1, math.inf),
    "patience": (0, math.inf),
    "rounds": (1, math.inf),
    "sample": (1, math.inf),
    "samples": (0, math.inf),
    "seed": (0, 2**32 - 1),
    "seeds": (1, math.inf),
    "timeout": (0, math.inf),
    "width": (1, math.inf),
    "last": (1, math.inf),
    "widths": (1, math.inf),
    "withhold": (0, 1),
}


def check_arguments(function: _Function, without: Collection[str] = ()) -> _Function:
    """Check a function's arguments against its annotations before it is called.

    Parameters
    ----------
    function : callable
        Its annotations are strings, as under ``from __future__ import annotations``.
    without : collection of str
        Parameters that the function checks itself.
    """
    signature = inspect.signature(function)
    kinds = {one.name: _kinds_of(str(one.annotation)) for one in signature.parameters.values()}

    @functools.wraps(function)
    def checked(*args: Any, **kwargs: Any) -> Any:
        given = signature.bind(*args, **kwargs).arguments
        for name, value in given.items():
            if kinds.get(name) and name not in without:
                _check(name, value, kinds[name])
        return function(*args, **kwargs)

    return checked  # type: ignore[return-value]


def _check(name: str, value: object, kinds: Sequence[str]) -> None:
    """Raise if a value is of none of the kinds, or out of its parameter's bounds."""
    if not any(_is(value, kind) for kind in kinds):
        wanted = " or ".join(dict.fromkeys(_words(kind) for kind in kinds))
        raise DataError(
            f"takes {wanted}, not {value!r:.80}", field=name, remedy=f"Pass {wanted} as {name}="
        )
    low, high = BOUNDS.get(name, (-math.inf, math.inf))
    numbers = value if isinstance(value, Iterable) and not isinstance(value, str) else [value]
    if any(kind.startswith(("Sequence", "Iterable", "Collection")) for kind in kinds):
        numbers = list(numbers) if isinstance(numbers, Sequence) else []
    for one in numbers:
        if is_number(one) and not low <= one <= high:
            until = " or more" if high == math.inf else f" to {high:,.0f}"
            raise DataError(
                f"{name}={one!r:.80} is out of range", field=name, remedy=f"Use {low:,.0f}{until}"
            )


def _is(value: object, kind: str) -> bool:
    container, _, rest = kind.partition("[")
    if container in {"Sequence", "Collection", "Iterable"}:
        if isinstance(value, (str, bytes)) or not isinstance(value, Iterable):
            return False
        # An iterator is read by the method alone.
        items = value if isinstance(value, (Sequence, set, frozenset)) else ()
        return not rest or all(_is(one, rest[:-1]) for one in items)
    if kind.startswith("Literal"):
        return isinstance(value, str) and value in _choices(kind)
    return _TESTS[kind](value)


def _choices(kind: str) -> tuple[str, ...]:
    found = ast.literal_eval(kind.removeprefix("Literal"))
    return tuple(found)


def _is_int(value: object) -> bool:
    if isinstance(value, bool):
        return False
    try:
        operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        return False
    return True


def is_number(value: object) -> TypeGuard[float]:
    """Return whether a value is a real number: not NaN, not a truth value.

    Parameters
    ----------
    value : object
        Any value.
    """
    if isinstance(value, bool) or not isinstance(value, Real):
        return False
    # A whole number or a fraction may be larger than every float.
    return isinstance(value, Rational) or not math.isnan(value)


_TESTS: dict[str, Callable[[object], bool]] = {
    "int": _is_int,
    "float": is_number,
    "bool": lambda value: isinstance(value, bool) or type(value).__name__ in {"bool", "bool_"},
    "str": lambda value: isinstance(value, str),
    "Path": lambda value: isinstance(value, (str, PathLike)),
    "None": lambda value: value is None,
}

_ALIASES: dict[str, tuple[str, ...]] = {"AnswerKind": get_args(AnswerKind)}

_WORDS = {
    "int": "a whole number",
    "float": "a number",
    "bool": "True or False",
    "str": "a text",
    "Path": "a path",
    "None": "None",
    "Sequence[int]": "a list of whole numbers",
    "Sequence[float]": "a list of numbers",
    "Sequence[str]": "a list of texts",
    "Collection[str]": "a list of texts",
    "Iterable[str]": "a list of texts",
    "Sequence": "a list",
    "Iterable": "a list",
    "Collection": "a list",
}


def _words(kind: str) -> str:
    if kind.startswith("Literal"):
        return " or ".join(repr(one) for one in _choices(kind))
    return _WORDS[kind]


def _kinds_of(annotation: str) -> list[str]:
    """Return the kinds of an annotation; none where it holds a type that is not checked here."""
    try:
        parsed = ast.parse(annotation, mode="eval").body
    except SyntaxError:
        return []
    kinds = [_kind_of(one) for one in _members(parsed)]
    return [] if None in kinds else [one for one in kinds if one is not None]


def _members(node: ast.expr) -> list[ast.expr]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return [*_members(node.left), *_members(node.right)]
    return [node]


def _kind_of(node: ast.expr) -> str | None:
    if isinstance(node, ast.Constant) and node.value is None:
        return "None"
    if isinstance(node, ast.Name) and node.id in _ALIASES:
        return _literal(_ALIASES[node.id])
    if isinstance(node, ast.Name) and node.id in _TESTS:
        return node.id
    if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name):
        if node.value.id == "Literal":
            return _literal(ast.literal_eval(node.slice))
        if node.value.id not in {"Sequence", "Collection", "Iterable"}:
            return None
        inner = _kind_of(node.slice)
        return f"{node.value.id}[{inner}]" if inner in _TESTS else node.value.id
    return None


def _literal(values: object) -> str:
    chosen = values if isinstance(values, tuple) else (values,)
    return f"Literal{[*chosen]!r}"
