"""Checks of the arguments of a session's methods: their types, their ranges, and their splits."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from nbner._common.arguments import check_arguments
from nbner.errors import DataError

if TYPE_CHECKING:
    from nbner.session.context import SessionContext

_Class = TypeVar("_Class", bound=type)
_Function = TypeVar("_Function", bound=Callable[..., Any])

#: Parameters that name a split. A default that is not there yet is the method's to explain.
_SPLITS = ("split", "dev", "train_split")

#: Parameters that a session checks itself, with a better remedy.
_OWN_CHECKS = ("labels", "colors", "annotator", "store", "guidelines", "keys")


def check_session_methods(cls: _Class) -> _Class:
    """Check the arguments of the public methods of a class with a ``_context``.

    Parameters
    ----------
    cls : type
        Changed in place. Its method ``add`` may name a split that is new.
    """
    for name, method in list(vars(cls).items()):
        if inspect.isfunction(method) and not name.startswith("_"):
            inner = method if name == "add" else _with_split_check(method)
            setattr(cls, name, check_arguments(inner))
        elif name == "__init__":
            setattr(cls, name, check_arguments(method, without=_OWN_CHECKS))
    return cls


def check_session_function(function: _Function) -> _Function:
    """Check the arguments of a function whose first one is a `Session`.

    Parameters
    ----------
    function : callable
        Its annotations are strings.
    """
    signature = inspect.signature(function)

    @functools.wraps(function)
    def checked(session: Any, *args: Any, **kwargs: Any) -> Any:
        given = signature.bind(session, *args, **kwargs).arguments
        if not hasattr(session, "context"):
            raise DataError("takes a Session", field="session")
        check_splits(session.context, function, given)
        return function(session, *args, **kwargs)

    return check_arguments(checked)  # type: ignore[return-value]


def check_splits(context: SessionContext, function: Callable[..., Any], given: Any) -> None:
    """Raise if an argument names a split that does not exist.

    Parameters
    ----------
    context : SessionContext
        Knows the splits.
    function : callable
        Its defaults are not checked.
    given : mapping
        Arguments by parameter.

    Raises
    ------
    DataError
        It names the splits that there are.
    """
    parameters = inspect.signature(function).parameters
    for name in _SPLITS:
        if name in given and given[name] != parameters[name].default:
            one = given[name]
            for split in [one] if isinstance(one, str) or one is None else one:
                context.require_split(split)


def _with_split_check(method: Callable[..., Any]) -> Callable[..., Any]:
    signature = inspect.signature(method)
    if not set(_SPLITS) & set(signature.parameters):
        return method

    @functools.wraps(method)
    def checked(self: Any, *args: Any, **kwargs: Any) -> Any:
        given = signature.bind(self, *args, **kwargs).arguments
        check_splits(self._context, method, given)
        return method(self, *args, **kwargs)

    return checked
