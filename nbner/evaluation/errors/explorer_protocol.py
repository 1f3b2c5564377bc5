"""Type of the error explorer that results open, so that results need not import widgets."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from nbner.evaluation.errors.report import Errors
    from nbner.types import Example


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
