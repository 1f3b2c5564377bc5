"""Types of the widgets that results open, so that results need not import widgets."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from nbner.types import Example


class AnnotatorWidget(Protocol):
    """An annotation widget; see `nbner.Annotator`."""

    @property
    def queue(self) -> list[int]:
        """Input hashes of the examples that come next."""

    @queue.setter
    def queue(self, items: Iterable[Example | int]) -> None: ...

    def goto(self, item: Example | int) -> Example:
        """Show an example.

        Parameters
        ----------
        item : Example or int
            An example, or its input hash.
        """

    def undo(self) -> Example | None:
        """Take the last answer back, and return its example."""

    def refresh(self, *, keep_current: bool = False) -> None:
        """Show the current state of the dataset.

        Parameters
        ----------
        keep_current : bool
            Whether the example on display stays.
        """

    def _repr_mimebundle_(self, **kwargs: Any) -> Any: ...
