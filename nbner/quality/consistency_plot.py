"""Words that are labelled in more than one way."""

from __future__ import annotations

from typing import TYPE_CHECKING

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

MOST = 12


def draw_variations(frame: pd.DataFrame, *, title: str, ax: Axes | None = None) -> Axes:
    """Draw for each of some words how often they are as usual, otherwise and not marked.

    Parameters
    ----------
    frame : DataFrame
        As ``Consistency.frame`` has it, the most doubtful first.
    title : str
    ax : Axes, optional
        By default a new one.
    """
    shown = frame.head(MOST)
    ax = new_axes(height=1.2 + ROW_HEIGHT * max(4, len(shown))) if ax is None else ax
    colors = label_colors(sorted(set(shown["usual"])))
    for y, row in enumerate(shown.to_dict("records")):
        color = colors[row["usual"]]
        left = 0
        parts = (
            ("as_usual", color, None),
            ("otherwise", INK_COLOR, "///"),
            ("missed", "none", None),
        )
        for name, fill, hatch in parts:
            ax.barh(
                y,
                row[name],
                left=left,
                height=0.6,
                color=fill,
                alpha=FAINT_ALPHA if hatch else 1.0,
                edgecolor=INK_COLOR,
                linewidth=0.6,
                hatch=hatch,
            )
            left += row[name]
        annotate_row(ax, (left, y), f"{row['usual']} · about {row['score']:.1f} wrong")
    # Words are data: a dollar sign in one is not mathematics.
    ax.set_yticks(range(len(shown)), list(shown["words"]), parse_math=False)
    ax.set_ylim(max(4, len(shown)) - 0.4, -0.6)
    ax.margins(x=0.2)
    ax.set_xlabel("places: filled as usual, hatched another label, empty not marked")
    return apply_style(ax, title)
