"""Base class of what a method returns that changed many examples as one act."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoableAct:
    """One act on many examples, which ``undo()`` takes back as a whole.

    Its text says what was done.
    """

    _undo: Callable[[], int] | None = field(default=None, repr=False, compare=False)

    def undo(self) -> int:
        """Undo the act, except where an example has been changed since.

        Returns
        -------
        int
            Number of examples or answers that are as they were before.
        """
        return 0 if self._undo is None else self._undo()

    def _repr_html_(self) -> str:
        return f"<div>{escape(str(self))}</div>"
