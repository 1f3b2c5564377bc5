"""The common style of all plots.

Every plot accepts ``ax=`` and returns the Axes that it drew on. The background
is transparent and the foreground a grey that is legible on white and on black,
so that a plot suits light and dark themes without knowing the current one.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK_COLOR = "#767676"  # contrast 4.5:1 on white, 4.2:1 on JupyterLab's dark background
ACCENT_COLOR = "#0d8ddb"  # contrast of at least 3:1 on both
FAINT_ALPHA = 0.6  # opacity of marks shown for comparison
FIGURE_SIZE = (6.4, 3.6)  # inches
ROW_HEIGHT = 0.26  # inches for each label


def new_figure(width: float = FIGURE_SIZE[0], height: float = FIGURE_SIZE[1]) -> Figure:
    """Create a figure that is unknown to pyplot, for drawing from any thread.

    Parameters
    ----------
    width, height : float
        In inches.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    figure.patch.set_alpha(0.0)
    return figure


def new_axes(width: float = FIGURE_SIZE[0], height: float = FIGURE_SIZE[1]) -> Axes:
    """Create Axes that the inline backend displays at the end of a cell.

    The inline backend displays pyplot's figures, which belong to the main
    thread. A handler of widget messages may run in another thread; there the
    Axes belong to a figure that is not displayed.

    Parameters
    ----------
    width, height : float
        In inches.
    """
    if threading.current_thread() is not threading.main_thread():
        return new_figure(width, height).subplots()
    from matplotlib import pyplot as plt

    figure, ax = plt.subplots(figsize=(width, height), layout="constrained")
    figure.patch.set_alpha(0.0)
    return ax


def label_line(ax: Axes, x: float, y: float, name: str, color: str) -> None:
    """Write the name of a line at its end, in place of a legend.

    Parameters
    ----------
    ax : Axes
        Where the line is drawn.
    x, y : float
        End of the line, in data coordinates.
    name : str
        Text of the label.
    color : str
        Color of the line.
    """
    ax.annotate(
        name,
        (x, y),
        xytext=(6, 0),
        textcoords="offset points",
        va="center",
        color=color,
        annotation_clip=False,
    )


def annotate_row(ax: Axes, at: tuple[float, float], text: str, color: str = INK_COLOR) -> None:
    """Write the values of a row beside its last point, in place of an axis scale.

    Parameters
    ----------
    ax : Axes
        Where the row is drawn.
    at : (float, float)
        The row's last point, in data coordinates.
    text : str
        The values.
    color : str
        Color of the text.
    """
    ax.annotate(
        text,
        at,
        xytext=(8, 0),
        textcoords="offset points",
        va="center",
        color=color,
        fontsize=8,
        annotation_clip=False,
    )


def apply_style(ax: Axes, title: str) -> Axes:
    """Apply the common style to Axes: thin grey lines, no box, the title at the left.

    Parameters
    ----------
    ax : Axes
        Changed in place.
    title : str
        The finding that the plot shows.

    Returns
    -------
    Axes
        The same Axes.
    """
    ax.patch.set_alpha(0.0)
    ax.set_title(title, loc="left", color=INK_COLOR, fontsize=11, parse_math=False)
    for side, spine in ax.spines.items():
        spine.set_visible(side in {"left", "bottom"})
        spine.set_color(INK_COLOR)
        spine.set_linewidth(0.6)
    ax.tick_params(colors=INK_COLOR, width=0.6, length=3, labelsize=9)
    ax.xaxis.label.set_color(INK_COLOR)
    ax.xaxis.label.set_fontsize(9)
    ax.yaxis.label.set_color(INK_COLOR)
    return ax
