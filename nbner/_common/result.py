"""Base class of results: text, an HTML page, and a figure where there is one."""

from __future__ import annotations

import io
import re
from abc import ABC, abstractmethod
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from nbner._common.format import render_html
from nbner._common.plot_style import INK_COLOR, OWN_TITLE, SCREEN, PlotStyle, plot_look

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_STYLE = """
:root { color-scheme: light dark }
html { color: CanvasText; background: Canvas }
body { font: 15px/1.5 system-ui, sans-serif }
body { max-width: 76rem; margin: 2rem auto; padding: 0 1.5rem }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; margin: 1rem 0 }
th { font-weight: 500; text-align: left }
th, td { padding: .15rem .75rem .15rem 0; border: 0 }
svg { max-width: 100%; height: auto }
"""


class Result(ABC):
    """Base of what an analysis returns: the same names show it in every form.

    ``print(result)`` and ``result.summary`` are its text, ``result.frame`` is
    its table, ``result.to_html(path)`` a page to send. A result with a figure
    has ``plot(ax=None)``, one with figures by label has ``per_label``, and one
    with examples to look at has ``open()``.
    """

    __slots__ = ()

    @property
    @abstractmethod
    def frame(self) -> pd.DataFrame:
        """The rows of the result."""

    def _repr_html_(self) -> str:
        return render_html(str(self), self.frame)

    @property
    def summary(self) -> str:
        """The result as text, as ``print`` shows it."""
        return str(self)

    def to_html(self, path: str | Path | None = None) -> str:
        """Write the result as one HTML page without scripts and without anything from elsewhere.

        Parameters
        ----------
        path : str or Path, optional
            File to write; an existing one is replaced.

        Returns
        -------
        str
            The page.
        """
        return write_page(self._title(), self._repr_html_() + self._figure_html(), path)

    def _title(self) -> str:
        return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(self).__name__).capitalize()

    def _figure_html(self) -> str:
        plot = getattr(self, "plot", None)
        if plot is None:
            return ""
        from matplotlib import pyplot as plt

        figure = plot().figure
        svg = render_svg(figure)
        # A figure that is left open would be displayed below the cell as well.
        plt.close(figure)
        return f"<figure>{svg}</figure>"


class _HasFigure(Protocol):
    def _draw(self, ax: Axes | None) -> Axes: ...


class FigureResult(Result):
    """Base of a result with a figure, which its class draws in ``_draw``.

    What is no result can have ``plot = FigureResult.plot``.
    """

    __slots__ = ()

    def plot(
        self: _HasFigure,
        ax: Axes | None = None,
        *,
        title: str | None = OWN_TITLE,
        style: PlotStyle = SCREEN,
        width: float | None = None,
    ) -> Axes:
        """Draw the figure; what it shows is in the description of its class.

        Parameters
        ----------
        ax : Axes, optional
            Axes to draw on; new ones by default.
        title : str, optional
            By default the finding; None for no title.
        style : {"screen", "paper"}
            "paper" is for a column of print: dark ink, the fonts of the rcParams, no title.
        width : float, optional
            Width of a new figure in inches; on paper 3.25 by default.
        """
        with plot_look(ax=ax, title=title, style=style, width=width):
            return self._draw(ax)

    @abstractmethod
    def _draw(self, ax: Axes | None) -> Axes:
        """Draw the figure on axes, or on new ones, in the look that `plot` has set.

        Where the figure is that of a part, ``part.plot(ax)`` draws it in the same look.

        Parameters
        ----------
        ax : Axes, optional
            Axes to draw on.
        """


class HtmlPage(str):
    """An HTML page whose repr is one line: as a cell's last line it does not flood the notebook.

    Parameters
    ----------
    page : str
        The page.
    path : str or Path, optional
        Where it has been written.
    """

    __slots__ = ("path",)

    path: Path | None

    def __new__(cls, page: str, path: str | Path | None = None) -> HtmlPage:  # noqa: PYI034
        self = super().__new__(cls, page)
        self.path = None if path is None else Path(path)
        if self.path is not None:
            self.path.write_text(page, encoding="utf-8")
        return self

    def __repr__(self) -> str:
        size = f"{len(self.encode()) / 1000:,.0f} kB"
        if self.path is None:
            return f"<HTML page, {size}: to_html(path) writes it to a file>"
        return f"<HTML page, {size}, in {self.path}>"


def write_page(title: str, body: str, path: str | Path | None = None) -> str:
    """Build an HTML page around a body and write it to a file.

    Parameters
    ----------
    title : str
        Title of the page, unescaped.
    body : str
        HTML of the body.
    path : str or Path, optional
        File to write.

    Returns
    -------
    str
        The page.
    """
    page = (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>"
        f"<body><main><h1>{escape(title)}</h1>{body}</main></body></html>\n"
    )
    return HtmlPage(page, path)


def render_svg(figure: Figure) -> str:
    """Render a figure as an SVG element whose bytes are the same every time.

    Parameters
    ----------
    figure : Figure
        The figure.
    """
    import matplotlib as mpl

    buffer = io.StringIO()
    # Without a salt the ids are random; without a date the header carries the time.
    with mpl.rc_context({"svg.hashsalt": "nbner", "svg.fonttype": "path"}):
        figure.savefig(buffer, format="svg", bbox_inches="tight", metadata={"Date": None})
    svg = buffer.getvalue()
    # The header of a file of its own: no document type and no address of one inside a page.
    svg = svg[svg.index("<svg") :]
    # In a page the ink is the page's own, which follows its theme.
    svg = svg.replace(INK_COLOR, "currentColor")
    return re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
