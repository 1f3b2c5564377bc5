"""Agreement between people, label by label."""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING, Any

from nbner._common.colors import label_colors
from nbner._common.plot_style import (
    FAINT_ALPHA,
    INK_COLOR,
    ROW_HEIGHT,
    annotate_row,
    apply_style,
    new_axes,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


def draw_agreement(frame: pd.DataFrame, *, title: str = "", ax: Axes | None = None) -> Axes:
    """Draw exact F a label with its interval, and relaxed F beside it.

    Parameters
    ----------
    frame : DataFrame
        As ``Agreement.labels`` has it.
    title : str
    ax : Axes, optional
        By default a new one.
    """
    rows = frame.sort_values("exact", ascending=True, na_position="first", kind="stable")
    ax = new_axes(height=1.1 + ROW_HEIGHT * max(4, len(rows))) if ax is None else ax
    colors = label_colors(list(frame["label"]))
    for y, row in enumerate(rows.to_dict("records")):
        _row(ax, y, row, colors[row["label"]])
    # Labels are data: a dollar sign in one is not mathematics.
    ax.set_yticks(range(len(rows)), list(rows["label"]), parse_math=False)
    ax.set_ylim(-0.6, max(1, len(rows)) - 0.4)
    ax.set_xlim(0, 1)
    ax.set_xlabel("exact F ● with its 95% interval,  relaxed F ○")
    return apply_style(ax, title)


def _row(ax: Axes, y: int, row: dict[Any, Any], color: str) -> None:
    if isnan(row["exact"]):
        ax.text(0.01, y, "no span to count", va="center", color=INK_COLOR, fontsize=8)
        return
    if not isnan(row["exact_low"]):
        ends = [row["exact_low"], row["exact_high"]]
        ax.plot(ends, [y, y], color=color, linewidth=3, alpha=FAINT_ALPHA)
    look: dict[str, Any] = {"markeredgecolor": INK_COLOR, "markeredgewidth": 0.6, "clip_on": False}
    ax.plot(row["relaxed"], y, marker="o", markersize=7, color="none", **look)
    ax.plot(row["exact"], y, marker="o", markersize=9, color=color, **look)
    right = max(row["relaxed"], 0 if isnan(row["exact_high"]) else row["exact_high"])
    annotate_row(ax, (right, y), f"{row['exact']:.2f} · {row['spans']:,} spans")
