"""Functions of the user's, called after every answer; their errors are shown, not lost."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Iterable
from typing import TypeAlias

from nbner.types import Example

_LOG = logging.getLogger(__name__)

AnswerCallback: TypeAlias = Callable[[Example], object]


class AnswerCallbacks:
    """Calls them one after the other, whatever becomes of any of them.

    Parameters
    ----------
    show : callable
        Takes a sentence and its details, to be shown in the cell; both are
        empty when all is well again.
    """

    def __init__(self, show: Callable[[str, str], None]) -> None:
        self._show = show
        self._functions: list[AnswerCallback] = []
        self._failed = False

    def add(self, function: AnswerCallback) -> Callable[[], None]:
        """Add a function; what is returned takes it away again."""
        self._functions.append(function)

        def remove() -> None:
            if function in self._functions:
                self._functions.remove(function)

        return remove

    def call(self, examples: Iterable[Example]) -> None:
        """Call every function with every example."""
        due = list(examples)
        if not self._functions or not due:
            return
        failed = False
        for example in due:
            for function in tuple(self._functions):
                failed |= not self._run(function, example)
        if self._failed and not failed:
            self._show("", "")
        self._failed = failed

    def _run(self, function: AnswerCallback, example: Example) -> bool:
        try:
            function(example)
        except Exception as error:  # noqa: BLE001
            # The answer is stored by then. Raised here, in a message's handler,
            # the error would vanish; so it goes to the cell.
            name = getattr(function, "__name__", repr(function))
            _LOG.debug("callback %s failed", name, exc_info=True)
            self._show(_sentence(name, error), traceback.format_exc())
            return False
        return True


def _sentence(name: str, error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    where = f", line {frames[-1].lineno}" if frames else ""
    said = f"{type(error).__name__}: {error}".rstrip(".:")
    return f"The callback {name}{where} failed with {said}. The answer is stored."
