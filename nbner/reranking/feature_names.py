"""Names of a user's feature functions, under which a saved reranker finds them again.

A function that is in ``spacy.registry.misc`` keeps its name. All others are registered
under module and qualified name, such as ``__main__.f``; another process that loads the
reranker must register them as well. Two functions may have one such name: lambdas, functions
that a function returns, or one that a notebook's cell defines anew. The later one is
registered under a number behind the name, ``__main__.f#2``, so that a reranker that was fitted
with the earlier one keeps it. A saved reranker holds a hash of each function's code, by which
another process sees that a name stands for another function there.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from hashlib import sha256
from itertools import count
from types import CellType, CodeType, FunctionType, MethodType
from typing import Any

from spacy.util import registry

from nbner.errors import DataError, ModelError
from nbner.reranking.features import FeatureFunction

_HASH_LENGTH = 16  # hexadecimal digits


def name_functions(functions: Sequence[FeatureFunction]) -> dict[str, FeatureFunction]:
    """Register feature functions under names from which a saved reranker restores them.

    Parameters
    ----------
    functions : sequence of callables
        From (doc, parse) to a mapping of numbers.

    Returns
    -------
    dict
        Name to function.

    Raises
    ------
    DataError
        A value is not callable, or one function is given twice.
    """
    found: dict[str, FeatureFunction] = {}
    for function in functions:
        if not callable(function):
            raise DataError(
                f"{function!r} is not a function",
                field="features",
                remedy="Give functions from (doc, parse) to a dict of numbers",
            )
        name = _registered_name(function) or _free_name(function)
        if name in found:
            raise DataError(
                f"the feature function {name!r} is given twice",
                field="features",
                remedy="Name each function once",
            )
        registry.misc(name, func=function)
        found[name] = function
    return found


def registered_function(name: str) -> FeatureFunction:
    """Return the feature function of a name.

    Parameters
    ----------
    name : str
        As `name_functions` returned it.

    Raises
    ------
    ModelError
        It is not registered in this process.
    """
    try:
        function: FeatureFunction = registry.misc.get(name)
    except ValueError as error:
        raise ModelError(
            f"the reranker was fitted with the feature function {name!r}, which is not registered "
            f'here. Define it and say spacy.registry.misc("{name}", func=...), then load again.'
        ) from error
    return function


def check_code(name: str, known: str) -> None:
    """Raise where the function of a name has other code than the one of the fit.

    Parameters
    ----------
    name : str
        Name of a feature function.
    known : str
        The `code_hash` of the function of the fit.

    Raises
    ------
    ModelError
        The code differs, in the same version of Python, or the name is not registered.
    """
    here = code_hash(registered_function(name))
    if here is None or here == known or here.split(":")[0] != known.split(":", maxsplit=1)[0]:
        return
    raise ModelError(
        f"the reranker was fitted with another feature function {name!r} than the one of that "
        f'name here. Say spacy.registry.misc("{name}", func=...) with the function of the fit, '
        "then load again, or fit anew: session.model.rerank(features=...)."
    )


def code_hash(function: FeatureFunction) -> str | None:
    """Return a hash of a function's code, or None where it has none of its own.

    It holds for one version of Python, which it names. Values of a closure and defaults
    count where they are numbers, texts or collections of these; what the function finds
    by a global name does not, and neither does its docstring.

    Parameters
    ----------
    function : callable
        The function.
    """
    plain = function.__func__ if isinstance(function, MethodType) else function
    if not isinstance(plain, FunctionType):
        return None
    digest = sha256("\n".join(_parts(plain)).encode("utf-8", "surrogatepass")).hexdigest()
    return f"{sys.implementation.cache_tag}:{digest[:_HASH_LENGTH]}"


def _registered_name(function: FeatureFunction) -> str | None:
    every: dict[str, Any] = registry.misc.get_all()
    return next((name for name, known in every.items() if known is function), None)


def _free_name(function: FeatureFunction) -> str:
    """Return the first name of a function that is free, or has the same function."""
    named: Any = function.func if isinstance(function, partial) else function
    if not hasattr(named, "__qualname__"):
        named = type(named)
    base = f"{named.__module__}.{named.__qualname__}"
    every: dict[str, Any] = registry.misc.get_all()
    names = (base if number == 1 else f"{base}#{number}" for number in count(1))
    return next(one for one in names if one not in every or _is_same(every[one], function))


def _is_same(known: object, function: object) -> bool:
    """Return whether a function is another one defined anew, as by running a cell again."""
    if known is function:
        return True
    if isinstance(known, partial) and isinstance(function, partial):
        held = [_identity([*one.args, *_items(one.keywords)]) for one in (known, function)]
        return held[0] == held[1] and _is_same(known.func, function.func)
    if isinstance(known, MethodType) and isinstance(function, MethodType):
        return known.__self__ is function.__self__ and known.__func__ is function.__func__
    if not isinstance(known, FunctionType) or not isinstance(function, FunctionType):
        return False
    codes = [list(_code_parts(one.__code__, one.__doc__)) for one in (known, function)]
    return codes[0] == codes[1] and _identity(_held(known)) == _identity(_held(function))


def _identity(values: Iterable[object]) -> list[str]:
    """Return a text of each plain value, and the identity of each other one."""
    return [_plain(one) or f"object {id(one)}" for one in values]


def _held(function: FunctionType) -> list[object]:
    """Return the values that a function holds besides its code: defaults and its closure's."""
    defaults = [*(function.__defaults__ or ()), *_items(function.__kwdefaults__ or {})]
    return [*defaults, *map(_contents, function.__closure__ or ())]


def _items(values: Mapping[str, object]) -> list[object]:
    return [one for pair in sorted(values.items()) for one in pair]


def _contents(cell: CellType) -> object:
    try:
        return cell.cell_contents
    except ValueError:  # not set yet
        return None


def _parts(function: FunctionType) -> Iterator[str]:
    yield from _code_parts(function.__code__, function.__doc__)
    for one in _held(function):
        if isinstance(one, FunctionType):
            yield from _code_parts(one.__code__, one.__doc__)
        else:
            yield _plain(one) or type(one).__qualname__


def _code_parts(code: CodeType, doc: str | None = None) -> Iterator[str]:
    yield code.co_code.hex()
    yield repr((code.co_argcount, code.co_names, code.co_varnames, code.co_freevars))
    # The first constant of a function is its docstring, or None where it has none.
    has_doc = bool(code.co_consts) and code.co_consts[0] == doc
    for one in code.co_consts[has_doc:]:
        if isinstance(one, CodeType):
            yield from _code_parts(one)
        else:
            yield _plain(one) or type(one).__qualname__


def _plain(value: object) -> str | None:
    """Return a text of a plain value that is the same in every process; None of another one."""
    if value is None or isinstance(value, (bool, int, float, complex, str, bytes, type(...))):
        return f"{type(value).__name__} {value!r}"
    if not isinstance(value, (tuple, list, set, frozenset, dict)):
        return None
    items = [_plain(one) for one in (value.items() if isinstance(value, dict) else value)]
    texts = [one for one in items if one is not None]
    if len(texts) < len(items):
        return None
    ordered = texts if isinstance(value, (tuple, list)) else sorted(texts)
    return f"{type(value).__name__} {ordered}"
