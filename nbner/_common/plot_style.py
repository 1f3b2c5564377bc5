"""The common style of all plots: one for the screen and one for paper.

Every plot accepts ``ax=``, ``title=``, ``style=`` and ``width=``, and returns the
Axes that it drew on.

``style="screen"`` has a transparent background and a foreground of middle
lightness, legible on white and on black, so that a plot suits light and dark
themes without knowing the current one.

``style="paper"`` is for a column of print: dark ink on white, no title, a width of
3.25 inches (6.75 for a plot that is wide on the screen, such as a confusion matrix
of many labels), the fonts and sizes of the user's rcParams (where those are
matplotlib's own defaults, a serif font of 8 points), and fonts embedded in vector
formats.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from nbner._common.arguments import check_arguments
from nbner.errors import DataError

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure
    from matplotlib.text import Text

INK_COLOR = "#767676"  # contrast 4.5:1 on white, 4.2:1 on JupyterLab's dark background
ACCENT_COLOR = "#0a7cc4"  # as legible as the ink on both
SECOND_COLOR = "#ad6800"  # the same, for a second line
FAINT_ALPHA = 0.6  # opacity of marks shown for comparison
FIGURE_SIZE = (6.4, 3.6)  # inches
ROW_HEIGHT = 0.26  # inches for each label
_MAX_WIDTH = 40  # inches
MAX_NAME_LENGTH = 32  # characters of a name beside a row, a bar or a line
#: Properties of any text that may hold data: a dollar sign in it is no mathematics.
PLAIN_TEXT: Mapping[str, Any] = MappingProxyType({"parse_math": False, "usetex": False})
_MAX_ROW_TEXT = 80
_POINTS_PER_INCH = 72
_NAME_HEIGHT = 13  # points from one name to the next

# No font has a glyph for these, and a lone surrogate stops the drawing.
_UNDRAWABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


PlotStyle: TypeAlias = Literal["screen", "paper"]
SCREEN: Literal["screen"] = "screen"
PAPER: Literal["paper"] = "paper"
#: The value of ``title=`` that means the plot's own: its finding on the screen, none on paper.
OWN_TITLE = "auto"

_PAPER_WIDTH, _PAPER_PAGE_WIDTH = 3.25, 6.75  # inches: one column and two
_PAPER_INK = "#1a1a1a"
_PAPER_RC = {"font.family": ["serif", "sans-serif"], "font.size": 8.0}
_PAPER_FLATTEST = 0.66  # of the width: the least height of a curve
_GROUNDS = {SCREEN: ("#ffffff", "#111111"), PAPER: ("#ffffff",)}
#: Least contrast of text and of lines with the ground: WCAG 2 asks for 4.5 and 3, and no
#: color has more than 4.3 with both white and JupyterLab's dark ground.
_LEAST_CONTRAST = {SCREEN: (4.1, 3.0), PAPER: (7.0, 4.5)}
_MIXING_STEPS = 40
_LUMINANCE = (0.2126, 0.7152, 0.0722)  # of linear red, green and blue


@dataclass(frozen=True)
class _Look:
    title: str | None = OWN_TITLE
    style: PlotStyle = SCREEN
    width: float | None = None


_PLAIN_LOOK = _Look()
_look: ContextVar[_Look] = ContextVar("nbner_look", default=_PLAIN_LOOK)


@contextmanager
def plot_look(
    *,
    ax: Axes | None,
    title: str | None = OWN_TITLE,
    style: Literal["screen", "paper"] = SCREEN,
    width: float | None = None,
) -> Iterator[None]:
    """Draw what is drawn inside in one look: the arguments that all ``plot`` methods share.

    A plot inside that is asked for no look of its own has this one: the figure of a
    result may be that of one of its parts.

    Parameters
    ----------
    ax : Axes, optional
        Axes to draw on; new ones by default.
    title : str, optional
        "auto" for the plot's own title, another text in its place, None for no title.
    style : {"screen", "paper"}
        What the plot is for.
    width : float, optional
        Width of a new figure, in inches.

    Raises
    ------
    DataError
        An argument has no meaning.
    """
    look = _check_look(title, style, width, ax=ax)
    if look == _PLAIN_LOOK and _look.get() != _PLAIN_LOOK:
        yield
        return
    token = _look.set(look)
    try:
        if style == SCREEN:
            yield
            return
        import matplotlib as mpl

        user: dict[Any, Any] = mpl.rcParams
        default: dict[Any, Any] = mpl.rcParamsDefault
        ours: Any = {key: it for key, it in _PAPER_RC.items() if user[key] == default[key]}
        with mpl.rc_context(ours):
            yield
    finally:
        _look.reset(token)


@check_arguments
def _check_look(
    title: str | None, style: Literal["screen", "paper"], width: float | None, *, ax: Axes | None
) -> _Look:
    look = _Look(title, style, width)
    if width is None:
        return look
    if width > _MAX_WIDTH:
        raise DataError(
            f"is {width:g}, but figures are at most {_MAX_WIDTH} inches wide",
            field="width",
            remedy="Pass the width of your column, such as width=3.25",
        )
    if ax is not None:
        raise DataError(
            "is the width of a new figure, and ax= belongs to a figure that has one",
            field="width",
            remedy="Leave one of the two out",
        )
    return look


def new_figure(width: float = FIGURE_SIZE[0], height: float = FIGURE_SIZE[1]) -> Figure:
    """Create a figure that is unknown to pyplot, for drawing from any thread.

    Parameters
    ----------
    width, height : float
        In inches.
    """
    from nbner._common.figures import ThemedFigure

    figure = ThemedFigure(figsize=(width, height), layout="constrained")
    return _with_ground(figure)


def new_axes(
    width: float = FIGURE_SIZE[0], height: float = FIGURE_SIZE[1], *, has_rows: bool = False
) -> Axes:
    """Create Axes that the inline backend displays at the end of a cell.

    The inline backend displays pyplot's figures, which belong to the main
    thread. A handler of widget messages may run in another thread; there the
    Axes belong to a figure that is not displayed.

    Parameters
    ----------
    width, height : float
        In inches, at the width that the plot has by itself.
    has_rows : bool
        Whether the height is that of the rows of text, and so does not follow
        from another width.
    """
    width, height = _size(width, height, has_rows=has_rows)
    if threading.current_thread() is not threading.main_thread():
        return new_figure(width, height).subplots()
    from matplotlib import pyplot as plt

    from nbner._common.figures import ThemedFigure

    figure, ax = plt.subplots(
        FigureClass=ThemedFigure, figsize=(width, height), layout="constrained"
    )
    _with_ground(figure)
    return ax


def _size(width: float, height: float, *, has_rows: bool) -> tuple[float, float]:
    look = _look.get()
    of_paper = _PAPER_WIDTH if width <= FIGURE_SIZE[0] else _PAPER_PAGE_WIDTH
    asked = look.width or (of_paper if look.style == PAPER else width)
    if has_rows or asked >= width:
        return asked, height
    return asked, min(height, max(height * asked / width, _PAPER_FLATTEST * asked))


def _with_ground(figure: Figure) -> Figure:
    is_paper = _look.get().style == PAPER
    figure.set_facecolor(_GROUNDS[PAPER][0] if is_paper else "none")
    return figure


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


def count_axis(axis: Axis) -> None:
    """Set the ticks of an axis at whole numbers, with thousands separators.

    Parameters
    ----------
    axis : Axis
        ``ax.xaxis`` or ``ax.yaxis``, of counts.
    """
    from matplotlib.ticker import MaxNLocator

    axis.set_major_locator(MaxNLocator("auto", integer=True))
    axis.set_major_formatter("{x:,.0f}")


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
    """Write the name of each line at its end; names that would overlap are moved up.

    Parameters
    ----------
    ax : Axes
        Where the lines are drawn, with its final limits.
    ends : iterable of (float, float, str, str)
        For each line the end in data coordinates, the name and the color.
    """
    low, high = ax.get_ylim()
    inches = ax.get_window_extent().height / ax.figure.dpi
    step = (high - low) * _NAME_HEIGHT / (inches * _POINTS_PER_INCH)
    free = low - step
    for y, x, name, color in sorted((y, x, name, color) for x, y, name, color in ends):
        free = max(y, free)
        label_line(ax, x, free, name, color)
        free += step


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
    Colors that the ground would swallow, such as a light label's on white, become
    lighter or darker of the same hue.

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
    look = _look.get()
    ax.patch.set_alpha(0.0)
    if look.title != OWN_TITLE:
        title = look.title or ""
    elif look.style == PAPER:
        title = ""
    head = ax.set_title(
        drawable(title, None), loc="left", color=INK_COLOR, fontsize=11, **PLAIN_TEXT
    )
    for side, spine in ax.spines.items():
        spine.set_visible(side in {"left", "bottom"})
        spine.set_color(INK_COLOR)
        spine.set_linewidth(0.6)
    ax.tick_params(colors=INK_COLOR, width=0.6, length=3, labelsize=9)
    for text in (ax.xaxis.label, ax.yaxis.label):
        text.update({**PLAIN_TEXT, "text": drawable(text.get_text(), None)})
        text.set_color(INK_COLOR)
        text.set_fontsize(9)
    texts = [head, ax.xaxis.label, ax.yaxis.label, *ax.texts]
    if look.style == PAPER:
        head.set_fontsize(_rc("axes.titlesize"))
        _apply_paper(ax, texts)
    _make_legible(ax, texts, look.style)
    return ax


def _apply_paper(ax: Axes, texts: Iterable[Text]) -> None:
    """Set the sizes of the user's rcParams, and ink that is dark in print."""
    for axis in ("x", "y"):
        ax.tick_params(axis=axis, colors=_PAPER_INK, labelsize=_rc(f"{axis}tick.labelsize"))
    for text in (ax.xaxis.label, ax.yaxis.label):
        text.set_fontsize(_rc("axes.labelsize"))
    for text in ax.texts:
        text.set_fontsize(_rc("font.size"))
    for spine in ax.spines.values():
        spine.set_color(_PAPER_INK)
        spine.set_linewidth(_rc("axes.linewidth"))
    _darken_ink(texts, "color")
    _darken_ink(ax.lines, "color", "markeredgecolor")
    _darken_ink(ax.patches, "edgecolor")


def _darken_ink(artists: Iterable[Artist], *properties: str) -> None:
    from matplotlib.artist import getp, setp
    from matplotlib.colors import same_color

    for one in artists:
        for name in properties:
            if same_color(getp(one, name), INK_COLOR):
                setp(one, name, _PAPER_INK)


def _rc(name: str) -> Any:
    from matplotlib import rcParams

    values: dict[Any, Any] = rcParams
    return values[name]


def _make_legible(ax: Axes, texts: Iterable[Text], style: PlotStyle) -> None:
    from matplotlib.colors import same_color

    of_text, of_line = _LEAST_CONTRAST[style]
    for text in texts:
        text.set_color(legible(text.get_color(), of_text, style))
    for line in ax.lines:
        # A mark keeps its label's color: its edge is of ink.
        face, edge = line.get_markerfacecolor(), line.get_markeredgecolor()
        has_edge = same_color(edge, _PAPER_INK if style == PAPER else INK_COLOR)
        line.set_color(legible(line.get_color(), of_line, style))
        if has_edge:
            line.set_markerfacecolor(face)


def legible(color: Any, contrast: float, style: PlotStyle = SCREEN) -> Any:
    """Return a color, or the nearest of its hue that has a contrast with all grounds.

    Parameters
    ----------
    color : color
        As matplotlib takes it.
    contrast : float
        Least contrast ratio, as WCAG 2 defines it.
    style : {"screen", "paper"}
        The grounds: white and JupyterLab's dark one, or white alone.
    """
    from matplotlib.colors import to_hex, to_rgb

    if isinstance(color, str) and color.lower() == "none":
        return color
    given = to_rgb(color)
    # Towards black where white is the nearer ground, and towards white elsewhere.
    is_light = contrast_ratio(given, (1, 1, 1)) < contrast
    end = 0.0 if is_light else 1.0
    for step in range(_MIXING_STEPS + 1):
        share = step / _MIXING_STEPS
        mixed: Any = tuple(one + share * (end - one) for one in given)
        if all(contrast_ratio(mixed, to_rgb(one)) >= contrast for one in _GROUNDS[style]):
            return to_hex(mixed) if step else color
    return INK_COLOR if style == SCREEN else _PAPER_INK


def contrast_ratio(first: Iterable[float], second: Iterable[float]) -> float:
    """Compute the contrast ratio of two colors, 1 to 21 (WCAG 2.2, "contrast ratio").

    Parameters
    ----------
    first, second : iterable of float
        Red, green and blue, 0 to 1.
    """
    low, high = sorted(_luminance(one) for one in (first, second))
    return (high + 0.05) / (low + 0.05)


def _luminance(color: Iterable[float]) -> float:
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in color]
    return sum(weight * one for weight, one in zip(_LUMINANCE, linear, strict=True))
