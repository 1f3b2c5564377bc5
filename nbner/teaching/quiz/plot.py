"""How a class did in a quiz."""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING

from nbner._common.plot_style import (
    ACCENT_COLOR,
    FIGURE_SIZE,
    INK_COLOR,
    ROW_HEIGHT,
    apply_style,
    new_axes,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_INCHES_PER_EXAMPLE = 0.46  # an example
_MAX_STUDENTS = 60  # students in one picture
_MAX_LABELLED_EXAMPLES = 15  # examples up to which each F is written


def _draw_grid(
    frame: pd.DataFrame, students: pd.DataFrame, *, title: str = "", ax: Axes | None = None
) -> Axes:
    """Draw the F of every student on every example, a small bar each.

    Parameters
    ----------
    frame : DataFrame
        As ``QuizResults.frame`` has it.
    students : DataFrame
        As ``QuizResults.student_frame``: the best on top, each with F at the
        right.
    title : str
    ax : Axes, optional
        By default a new one. At most 60 students are drawn.
    """
    shown = students.head(_MAX_STUDENTS)
    last = int(frame["question"].max()) if len(frame) else 1
    if ax is None:
        width = max(FIGURE_SIZE[0], 2.4 + _INCHES_PER_EXAMPLE * last)
        ax = new_axes(width=width, height=1.2 + 1.2 * ROW_HEIGHT * max(3, len(shown)))
    rows = {name: y for y, name in enumerate(shown["student"])}
    for row in frame.to_dict("records"):
        if row["student"] in rows:
            # Where neither side has a span, nothing could be done better.
            f = 1.0 if isnan(row["f"]) else row["f"]
            _draw_cell(ax, row["question"], rows[row["student"]], f, write=last <= _MAX_LABELLED_EXAMPLES)
    for y, f in enumerate(shown["f"]):
        label = "" if isnan(f) else f"F {f:.2f}"
        ax.text(last + 0.7, y, label, va="center", color=INK_COLOR, fontsize=9)
    ax.set_yticks(range(len(shown)), list(shown["student"]), parse_math=False)
    ax.set_xticks(range(1, last + 1))
    ax.set_xlim(0.4, last + 0.6)
    ax.set_ylim(max(1, len(shown)) - 0.4, -0.6)
    more = len(students) - len(shown)
    ax.set_xlabel(f"example{f'; {more:,} more students are not drawn' if more else ''}")
    return apply_style(ax, title)


def _draw_cell(ax: Axes, x: int, y: int, f: float, *, write: bool) -> None:
    """Draw F as a bar in a track, so that it reads on any ground, and write it above."""
    left, width = x - 0.42, 0.84
    for share, alpha in ((1.0, 0.18), (f, 1.0)):
        ax.barh(y + 0.24, share * width, left=left, height=0.24, color=ACCENT_COLOR, alpha=alpha)
    if write:
        ax.text(x, y - 0.14, f"{f:.2f}", ha="center", va="center", color=INK_COLOR, fontsize=8)
