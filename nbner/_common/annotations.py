"""Annotations as types, for libraries that read them while a program runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, get_type_hints

F = TypeVar("F", bound=Callable[..., Any])


def resolve_annotations(function: F) -> F:
    """Replace the annotations of a function, strings in this package, by the types they name.

    confection before 1.0, which the first releases of spaCy 3.8 come with, checks the
    arguments of a registered function by its annotations, and cannot look up names in strings.

    Parameters
    ----------
    function : callable
        A function whose annotations name what its module imports at run time.

    Returns
    -------
    callable
        The function that was given.

    Raises
    ------
    NameError
        Where an annotation names something that its module imports for type checkers alone.
    """
    function.__annotations__ = get_type_hints(function)
    return function
