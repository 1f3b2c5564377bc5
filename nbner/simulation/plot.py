"""Learning curves over what annotating costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbner._common.colors import COLOR_CYCLE
from nbner._common.plot_style import INK_COLOR, apply_style, label_line, new_axes
from nbner.errors import DataError

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

AXES = {
    "seconds": "minutes of annotating",
    "actions": "key presses and drags",
    "examples": "examples accepted",
}


def draw_cost_curves(frame: pd.DataFrame, *, cost: str, title: str, ax: Axes | None = None) -> Axes:
    """Draw the F of each way to annotate over its cost, each line named at its end.

    Parameters
    ----------
    frame : DataFrame
        As ``Simulation.frame`` has it.
    cost : {"seconds", "actions", "examples"}
    title : str
    ax : Axes, optional
        By default a new one.

    Raises
    ------
    DataError
        There is no such cost.
    """
    if cost not in AXES:
        raise DataError(
            f"there is no cost {cost!r}", field="over", remedy=f"Use one of {', '.join(AXES)}"
        )
    ax = new_axes() if ax is None else ax
    scale = 60 if cost == "seconds" else 1
    ends = []
    for number, (way, rows) in enumerate(frame.groupby("condition", sort=False)):
        color = COLOR_CYCLE[number % len(COLOR_CYCLE)]
        costs = rows[cost] / scale
        ax.plot(costs, rows["f"], marker="o", markersize=4, linewidth=1.5, color=color)
        ends.append((float(rows["f"].iloc[-1]), float(costs.iloc[-1]), str(way), color))
    low, high = ax.get_ylim()
    free = -1.0
    for f, end, way, color in sorted(ends):
        # Names of lines that end close to each other are moved apart.
        free = max(f, free)
        label_line(ax, end, free, way, color)
        free += 0.07 * (high - low)
    ax.margins(x=0.05)
    ax.set_xlabel(AXES[cost])
    ax.set_ylabel("F on dev", color=INK_COLOR, fontsize=9)
    return apply_style(ax, title)
