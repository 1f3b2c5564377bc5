"""Types of the widgets that results open.

Results do not import widgets; these protocols name the part of a widget that a
notebook uses.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from nbner.results.errors import Errors
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

    def refresh(self, *, ahead: bool = False) -> None:
        """Show the current state of the dataset.

        Parameters
        ----------
        ahead : bool
            Load the next examples too.
        """

    def _repr_mimebundle_(self, **kwargs: Any) -> Any: ...


class ErrorExplorerWidget(Protocol):
    """An error explorer, over one model's errors or the differences of two."""

    @property
    def errors(self) -> Errors:
        """The errors that are shown."""

    @property
    def frame(self) -> pd.DataFrame:
        """One row an error."""

    @property
    def confusion(self) -> pd.DataFrame:
        """The confusion matrix."""

    @property
    def examples(self) -> list[Example]:
        """The examples of the open cell."""

    def plot(self, by: str = "matrix", ax: Axes | None = None) -> Axes:
        """Draw the confusion matrix or error rates.

        Parameters
        ----------
        by : str
            "matrix", or a property of spans.
        ax : Axes, optional
            By default new axes.
        """

    def to_html(self, path: str | Path | None = None, *, examples: int = 10) -> str:
        """Return the errors as a page of HTML.

        Parameters
        ----------
        path : str or Path, optional
            Also write the page to this file.
        examples : int
            Examples shown for each cell.
        """

    def undo(self) -> Example | None:
        """Take the last correction back, and return its example."""

    def _repr_mimebundle_(self, **kwargs: Any) -> Any: ...
