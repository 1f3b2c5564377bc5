"""How many entities there are, label by label."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbner._common.colors import label_colors
from nbner._common.plot_style import INK_COLOR, ROW_HEIGHT, apply_style, new_axes

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


def draw_entity_counts(frame: pd.DataFrame, *, title: str = "", ax: Axes | None = None) -> Axes:
    """Draw a bar a label, the longest on top, with its number.

    Parameters
    ----------
    frame : DataFrame
        ``label`` and ``entities``; rows of one label are added up.
    title : str
    ax : Axes, optional
        By default a new one.
    """
    summed = frame.groupby("label", sort=False)["entities"].sum().sort_values(kind="stable")
    ax = new_axes(height=1.1 + ROW_HEIGHT * max(4, len(summed))) if ax is None else ax
    colors = label_colors(list(summed.index))
    for y, (label, count) in enumerate(summed.items()):
        ax.barh(y, count, height=0.6, color=colors[str(label)], edgecolor=INK_COLOR, linewidth=0.6)
        ax.annotate(
            f"{count:,}",
            (count, y),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            color=INK_COLOR,
            fontsize=8,
        )
    # Labels are data: a dollar sign in one is not mathematics.
    ax.set_yticks(range(len(summed)), [str(label) for label in summed.index], parse_math=False)
    ax.set_ylim(-0.6, max(1, len(summed)) - 0.4)
    ax.set_xlabel("accepted entities")
    return apply_style(ax, title)
