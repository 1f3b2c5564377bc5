"""How far spoilt suggestions were followed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbner._common.plot_style import (
    ACCENT_COLOR,
    INK_COLOR,
    ROW_HEIGHT,
    annotate_row,
    apply_style,
    new_axes,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


def draw_anchoring(frame: pd.DataFrame, *, title: str, ax: Axes | None = None) -> Axes:
    """Draw the share that was followed of each kind of suggestion, with its interval.

    Parameters
    ----------
    frame : DataFrame
        As ``Anchoring.frame`` has it.
    title : str
    ax : Axes, optional
        By default a new one.
    """
    ax = new_axes(height=1.3 + 1.3 * ROW_HEIGHT * max(3, len(frame))) if ax is None else ax
    several = len(set(frame["annotator"])) > 1
    names = []
    for y, row in enumerate(frame.to_dict("records")):
        names.append(f"{row['annotator']}: {row['suggestions']}" if several else row["suggestions"])
        color = INK_COLOR if row["suggestions"].startswith("untouched") else ACCENT_COLOR
        if not row["n"]:
            ax.text(0.01, y, "none was shown", va="center", color=INK_COLOR, fontsize=8)
            continue
        ax.plot([row["low"], row["high"]], [y, y], color=color, linewidth=2)
        ax.plot(row["share"], y, marker="o", markersize=8, color=color)
        annotate_row(ax, (row["high"], y), f"{row['followed']:,} of {row['n']:,}", color=color)
    # Names are data: a dollar sign in one is not mathematics.
    ax.set_yticks(range(len(frame)), names, parse_math=False)
    ax.set_ylim(len(frame) - 0.4, -0.6)
    ax.set_xlim(0, 1)
    ax.set_xlabel("share (bars: 95 % intervals over spans)")
    return apply_style(ax, title)
