"""The look that all pictures share.

Every plot takes ``ax=`` and gives the Axes it drew on. The ground stays
transparent and the ink is a grey that reads on white and on black, so that a
picture fits light and dark themes without knowing which one it is in.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK_COLOR = "#767676"  # 4.5:1 on white, 4.2:1 on JupyterLab's dark ground
ACCENT_COLOR = "#0d8ddb"  # 3:1 and more on both
FAINT_ALPHA = 0.6  # opacity of what is there for comparison
FIGURE_SIZE = (6.4, 3.6)  # inches
ROW_HEIGHT = 0.26  # inches a label


def new_figure(width: float = FIGURE_SIZE[0], height: float = FIGURE_SIZE[1]) -> Figure:
    """Make a figure that pyplot knows nothing of, for drawing from any thread.

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
    """Make Axes that show themselves at the end of a cell, where that is safe.

    The inline backend shows what pyplot knows of. Pyplot's figures belong to
    the main thread; a handler of the widget's messages may be in another one.
    """
    if threading.current_thread() is not threading.main_thread():
        return new_figure(width, height).subplots()
    from matplotlib import pyplot as plt

    figure, ax = plt.subplots(figsize=(width, height), layout="constrained")
    figure.patch.set_alpha(0.0)
    return ax


def label_line(ax: Axes, x: float, y: float, name: str, color: str) -> None:
    """Name a line at its end, in place of a legend."""
    ax.annotate(
        name,
        (x, y),
        xytext=(6, 0),
        textcoords="offset points",
        va="center",
        color=color,
        annotation_clip=False,
    )


def annotate_row(ax: Axes, at: tuple[float, float], words: str, color: str = INK_COLOR) -> None:
    """Write a row's figures beside its last point, in place of a scale to read them from."""
    ax.annotate(
        words,
        at,
        xytext=(8, 0),
        textcoords="offset points",
        va="center",
        color=color,
        fontsize=8,
        annotation_clip=False,
    )


def apply_style(ax: Axes, title: str) -> Axes:
    """Give Axes the family's look: thin, grey, no box, the finding on top."""
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
