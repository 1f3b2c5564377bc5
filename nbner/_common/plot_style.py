"""The common style of all plots.

Every plot accepts ``ax=`` and returns the Axes that it drew on. The background
is transparent and the foreground a grey that is legible on white and on black,
so that a plot suits light and dark themes without knowing the current one.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

INK_COLOR = "#767676"  # contrast 4.5:1 on white, 4.2:1 on JupyterLab's dark background
ACCENT_COLOR = "#0d8ddb"  # contrast of at least 3:1 on both
FAINT_ALPHA = 0.6  # opacity of marks shown for comparison
FIGURE_SIZE = (6.4, 3.6)  # inches
ROW_HEIGHT = 0.26  # inches for each label
LABEL_DISTANCE = 0.07  # least distance of two lines' names, as a fraction of the axis
MAX_NAME_LENGTH = 32  # characters of a name beside a row, a bar or a line
#: Properties of any text that may hold data: a dollar sign in it is no mathematics.
PLAIN_TEXT: Mapping[str, Any] = MappingProxyType({"parse_math": False, "usetex": False})
_MAX_ROW_TEXT = 80

# No font has a glyph for these, and a lone surrogate stops the drawing.
_UNDRAWABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


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


def drawable(text: object, limit: int | None = MAX_NAME_LENGTH) -> str:
    """Return a user's text as it can be drawn: short, on one line, without control characters.

    Parameters
    ----------
    text : object
        A label, a word, or the name of a person or a model.
    limit : int, optional
        Longest length in code points; what is longer ends in an ellipsis. None
        keeps the length and the lines.
    """
    clean = _UNDRAWABLE.sub("\N{REPLACEMENT CHARACTER}", str(text))
    if limit is None:
        return clean
    line = " ".join(clean.split("\n"))
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


def name_ticks(axis: Axis, names: Iterable[object], **style: Any) -> None:
    """Write a name at each tick 0, 1, 2 and so on of an axis, never read as mathematics.

    Parameters
    ----------
    axis : Axis
        ``ax.xaxis`` or ``ax.yaxis``.
    names : iterable of object
        Data, such as labels and words.
    **style
        Properties of the text, such as ``rotation``.
    """
    drawn = [drawable(name) for name in names]
    axis.set_ticks(range(len(drawn)), drawn, **PLAIN_TEXT, **style)


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
        drawable(name),
        (x, y),
        xytext=(6, 0),
        textcoords="offset points",
        va="center",
        color=color,
        annotation_clip=False,
        **PLAIN_TEXT,
    )


def label_lines(ax: Axes, ends: Iterable[tuple[float, float, str, str]]) -> None:
    """Write the names of lines at their ends, moved up where they would overlap.

    Parameters
    ----------
    ax : Axes
        Where the lines are drawn, with the limits that it keeps.
    ends : iterable of (float, float, str, str)
        End of each line (x and y), its name and its color.
    """
    low, high = ax.get_ylim()
    lowest_free = low
    for y, x, name, color in sorted((y, x, name, color) for x, y, name, color in ends):
        label_line(ax, x, max(y, lowest_free), name, color)
        lowest_free = max(y, lowest_free) + LABEL_DISTANCE * (high - low)


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
        drawable(text, _MAX_ROW_TEXT),
        at,
        xytext=(8, 0),
        textcoords="offset points",
        va="center",
        color=color,
        fontsize=8,
        annotation_clip=False,
        **PLAIN_TEXT,
    )


def apply_style(ax: Axes, title: str) -> Axes:
    """Apply the common style to Axes: thin grey lines, no box, the title at the left.

    The last step of every plot: neither the title nor the names of the axes are
    read as mathematics, since any of them may hold a label, a word or a name.

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
    ax.set_title(drawable(title, None), loc="left", color=INK_COLOR, fontsize=11, **PLAIN_TEXT)
    for side, spine in ax.spines.items():
        spine.set_visible(side in {"left", "bottom"})
        spine.set_color(INK_COLOR)
        spine.set_linewidth(0.6)
    ax.tick_params(colors=INK_COLOR, width=0.6, length=3, labelsize=9)
    ax.xaxis.label.set_color(INK_COLOR)
    ax.xaxis.label.set_fontsize(9)
    ax.yaxis.label.set_color(INK_COLOR)
    for text in (ax.xaxis.label, ax.yaxis.label):
        text.update({**PLAIN_TEXT, "text": drawable(text.get_text(), None)})
    return ax
