"""Type of the error explorer that results open, so that results need not import widgets."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from nbner._common.plot_style import OWN_TITLE, SCREEN, PlotStyle

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

    def plot(
        self,
        by: str = "matrix",
        ax: Axes | None = None,
        *,
        title: str | None = OWN_TITLE,
        style: PlotStyle = SCREEN,
        width: float | None = None,
    ) -> Axes:
        """Draw the confusion matrix or error rates.

        Parameters
        ----------
        by : str
            "matrix", or a property of spans.
        ax : Axes, optional
            By default new axes.
        title : str, optional
            By default the finding; None for no title.
        style : {"screen", "paper"}
            "paper" is for a column of print: dark ink, the fonts of the rcParams, no title.
        width : float, optional
            Width of a new figure in inches; on paper 3.25 by default.
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
