"""What most often looks wrong in gold, and what is likelier."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbner._common.plot_style import ACCENT_COLOR, INK_COLOR, ROW_HEIGHT, apply_style, new_axes

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

MOST = 12


def draw_label_issues(turns: pd.DataFrame, *, title: str, ax: Axes | None = None) -> Axes:
    """Draw how often each label looks as if it should be another, the most frequent on top.

    Parameters
    ----------
    turns : DataFrame
        ``given``, ``suggested`` and ``count``, falling, as ``LabelIssues.turns``.
    title : str
    ax : Axes, optional
        By default a new one.
    """
    shown = turns.head(MOST)
    ax = new_axes(height=1.2 + ROW_HEIGHT * max(4, len(shown))) if ax is None else ax
    names = [
        f"{given}, other borders" if given == suggested else f"{given} → {suggested}"
        for given, suggested in zip(shown["given"], shown["suggested"], strict=True)
    ]
    bars = ax.barh(range(len(shown)), list(shown["count"]), color=ACCENT_COLOR, height=0.6)
    ax.bar_label(
        bars, [f"{count:,}" for count in shown["count"]], padding=4, color=INK_COLOR, fontsize=8
    )
    # Labels are data: a dollar sign in one is not mathematics.
    ax.set_yticks(range(len(shown)), names, parse_math=False)
    ax.set_ylim(max(4, len(shown)) - 0.4, -0.6)
    ax.margins(x=0.12)
    rest = int(turns["count"].sum() - shown["count"].sum())
    ax.set_xlabel("label issues" + (f" ({rest:,} of rarer kinds not shown)" if rest else ""))
    return apply_style(ax, title)
