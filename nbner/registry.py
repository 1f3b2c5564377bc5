"""Registries of what users can plug in: formats, suggesters, strategies, decoders and scorers.

Each registry maps a name to a function. A function is registered with a
decorator, or by an installed package through an entry point in the group
``nbner_<registry>``, such as ``nbner_readers``::

    @nbner.registry.query_strategies("shortest_first")
    def shortest_first(examples):
        return sorted(range(len(examples)), key=lambda i: len(examples[i].text))

    session.make_gold(strategy="shortest_first")

The built-in functions are registered with the same decorators. A function
declares the keyword arguments that it wants and is called with those alone;
`call` does that.

============================  ====================================================
registry                      a function takes, and returns
============================  ====================================================
``readers``                   path (keywords: options); iterable of Example or dict
``writers``                   examples, path; number of examples written
``suggesters``                examples (keywords: nlp, labels); suggestions for each:
                              see `nbner.nlp.suggesters` for their forms
``query_strategies``          examples (keywords: nlp, previous_nlp, annotated,
                              seed); their positions, the first to annotate first
``decoders``                  nlp, examples, k (keywords: max_span_length);
                              analyses of each, the best first
``scorers``                   gold examples, predicted spans of each (keywords:
                              labels, seed); a number, or a mapping of numbers
============================  ====================================================
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any, Generic, TypeVar

import catalogue

from nbner.errors import DataError

__all__ = [
    "FunctionRegistry",
    "call",
    "declares",
    "decoders",
    "query_strategies",
    "readers",
    "scorers",
    "suggesters",
    "writers",
]

Function = TypeVar("Function", bound=Callable[..., Any])


class FunctionRegistry(Generic[Function]):
    """Functions by name, from decorators and from entry points.

    Parameters
    ----------
    name : str
        Name of the registry; entry points are in the group ``nbner_<name>``.
    noun : str
        One registered function, as messages call it.
    built_in : tuple of str
        Modules that register the built-in functions when they are imported.
        They are named, not imported, so that this module imports none of them.
    """

    def __init__(self, name: str, noun: str, built_in: tuple[str, ...]) -> None:
        self.name = name
        self._noun = noun
        self._built_in = built_in
        self._catalogue = catalogue.create("nbner", name, entry_points=True)

    def __call__(self, name: str) -> Callable[[Function], Function]:
        """Return a decorator that registers a function.

        Parameters
        ----------
        name : str
            The name under which it is found; one that is taken is replaced.
        """
        decorator: Callable[[Function], Function] = self.register(name)
        return decorator

    def register(self, name: str, function: Function | None = None) -> Any:
        """Register a function, or return a decorator that does.

        Parameters
        ----------
        name : str
            The name under which it is found; one that is taken is replaced.
        function : callable, optional
            The function.
        """
        return self._catalogue.register(name, func=function)

    def get(self, name: str, *, field: str | None = None) -> Function:
        """Return the function of a name.

        Parameters
        ----------
        name : str
            A registered name.
        field : str, optional
            Name of the parameter, for the message; by default the registry's.

        Raises
        ------
        DataError
            The name is not registered; the message lists those that are.
        """
        names = self.names()
        if name not in names:
            raise DataError(
                f"no {self._noun} is called {name!r}",
                field=field or self.name,
                remedy=f"The registered ones are {', '.join(map(repr, names))}; "
                f"nbner.registry.{self.name} registers another",
            )
        found: Function = self._catalogue.get(name)
        return found

    def resolve(self, function_or_name: Function | str, *, field: str | None = None) -> Function:
        """Return a function as it is, or the one of a name.

        Parameters
        ----------
        function_or_name : callable or str
            A function, or a registered name.
        field : str, optional
            Name of the parameter, for the message; by default the registry's.

        Raises
        ------
        DataError
            It is neither.
        """
        if isinstance(function_or_name, str):
            return self.get(function_or_name, field=field)
        if not callable(function_or_name):
            raise DataError(
                f"{function_or_name!r} is not a {self._noun}",
                field=field or self.name,
                remedy=f"Give a function, or one of {', '.join(map(repr, self.names()))}",
            )
        return function_or_name

    def names(self) -> list[str]:
        """Return the registered names, those of entry points included, sorted."""
        for module in self._built_in:
            import_module(module)
        # The names alone: an entry point is loaded when its function is asked for.
        own = {path[-1] for path in catalogue.REGISTRY if path[:2] == ("nbner", self.name)}
        return sorted(own | _entry_point_names(f"nbner_{self.name}"))

    def __contains__(self, name: object) -> bool:
        return name in self.names()

    def __iter__(self) -> Iterator[str]:
        return iter(self.names())

    def __repr__(self) -> str:
        return f"{self.name}: {', '.join(self.names())}"


@cache
def _entry_point_names(group: str) -> frozenset[str]:
    """Return the names of a group's entry points, as they were when first asked for.

    A search opens the metadata of every installed package, and a file that is read or written
    asks twice. `catalogue`, which loads the functions, searches once a process, too.

    Parameters
    ----------
    group : str
        Group of the entry points.
    """
    return frozenset(one.name for one in entry_points(group=group))


def call(
    function: Callable[..., Any],
    *arguments: Any,
    lazy: Mapping[str, Callable[[], Any]] | None = None,
    **offered: Any,
) -> Any:
    """Call a function with those of the offered keyword arguments that it declares.

    Parameters
    ----------
    function : callable
        A registered function, or a user's own.
    *arguments
        Its positional arguments.
    lazy : mapping, optional
        Keyword arguments by the function that computes each of them; it is
        called only where the keyword is declared.
    **offered
        Keyword arguments that it may declare.
    """
    n_arguments = len(arguments)
    keywords = {
        name: value
        for name, value in offered.items()
        if declares(function, name, n_arguments=n_arguments)
    }
    keywords |= {
        name: compute()
        for name, compute in (lazy or {}).items()
        if declares(function, name, n_arguments=n_arguments)
    }
    return function(*arguments, **keywords)


def declares(function: Callable[..., Any], name: str, *, n_arguments: int = 1) -> bool:
    """Return whether a function takes a keyword argument of a name.

    Parameters
    ----------
    function : callable
        A registered function, or a user's own.
    name : str
        The keyword.
    n_arguments : int
        Number of its first parameters that positional arguments fill.
    """
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except ValueError:
        # Some functions that are written in C have no signature.
        return False
    if any(one.kind is one.VAR_KEYWORD for one in parameters):
        return True
    return any(
        one.name == name and one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY)
        for one in parameters[n_arguments:]
    )


readers: FunctionRegistry[Callable[..., Any]] = FunctionRegistry(
    "readers", "reader", ("nbner.io.formats",)
)
writers: FunctionRegistry[Callable[..., Any]] = FunctionRegistry(
    "writers", "writer", ("nbner.io.formats",)
)
suggesters: FunctionRegistry[Callable[..., Any]] = FunctionRegistry(
    "suggesters", "suggester", ("nbner.nlp.suggesters",)
)
query_strategies: FunctionRegistry[Callable[..., Any]] = FunctionRegistry(
    "query_strategies", "query strategy", ("nbner.active_learning.query_strategies",)
)
decoders: FunctionRegistry[Callable[..., Any]] = FunctionRegistry(
    "decoders", "decoder", ("nbner.decoding.api",)
)
scorers: FunctionRegistry[Callable[..., Any]] = FunctionRegistry(
    "scorers", "scorer", ("nbner.evaluation.scorers",)
)
