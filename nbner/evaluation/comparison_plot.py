"""Ways to decide the same texts, side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbner._common.plot_style import (
    ACCENT_COLOR,
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


def draw_comparison(
    frame: pd.DataFrame,
    *,
    highlighted: str | None = None,
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the F of each way to decide with its interval, the first on top.

    Parameters
    ----------
    frame : DataFrame
        As ``RerankingComparison.frame`` has it.
    highlighted : str, optional
        The row to bring forward.
    title : str, optional
    ax : Axes, optional
        By default a new one.
    """
    ax = new_axes(height=1.2 + 1.3 * ROW_HEIGHT * max(3, len(frame))) if ax is None else ax
    for y, row in enumerate(frame.to_dict("records")):
        here = row["name"] == highlighted
        color, alpha = (ACCENT_COLOR, 1.0) if here else (INK_COLOR, 1.0 if y == 0 else FAINT_ALPHA)
        ax.plot([row["f_low"], row["f_high"]], [y, y], color=color, alpha=alpha, linewidth=2)
        ax.plot(row["f"], y, marker="o", markersize=8, color=color, alpha=alpha)
        gain = "" if y == 0 else f"  {100 * row['gain']:+.1f} F"
        annotate_row(ax, (row["f_high"], y), f"{row['f']:.3f}{gain}", color=color)
    ax.set_yticks(range(len(frame)), list(frame["name"]), parse_math=False)
    ax.set_ylim(len(frame) - 0.4, -0.6)
    ax.axvline(frame["f"].iloc[0], color=INK_COLOR, linewidth=0.6, linestyle=":")
    ax.margins(x=0.15)
    ax.set_xlabel("F over exact spans (bars: 95 % intervals over texts)")
    return apply_style(ax, title or f"F of {len(frame)} ways to decide")
