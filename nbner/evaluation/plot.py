"""F, precision and recall of each label."""

from __future__ import annotations

from collections.abc import Mapping
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


def draw_evaluation(
    frame: pd.DataFrame, *, title: str | None = None, ax: Axes | None = None
) -> Axes:
    """Draw F a label, best first, with precision and recall to its sides.

    Parameters
    ----------
    frame : DataFrame
        ``label``, ``precision``, ``recall``, ``f``, ``support``, as
        ``Evaluation.frame`` has them. NaN is undefined, and is said so.
    title : str, optional
        By default the strongest and the weakest label.
    ax : Axes, optional
        By default a new one.
    """
    rows = frame.sort_values("f", ascending=True, na_position="first", kind="stable")
    ax = new_axes(height=1.1 + ROW_HEIGHT * max(4, len(rows))) if ax is None else ax
    colors = label_colors(list(frame["label"]))
    for y, row in enumerate(rows.itertuples(index=False)):
        _evaluation_row(ax, y, row, colors)
    # Labels are data: a dollar sign in one is not mathematics.
    ax.set_yticks(range(len(rows)), list(rows["label"]), parse_math=False)
    ax.set_ylim(-0.6, max(1, len(rows)) - 0.4)
    ax.set_xlim(0, 1)
    ax.set_xlabel("F ●  precision ▸  recall ◂  over exact spans")
    return apply_style(ax, title or _strongest_and_weakest(frame))


def _evaluation_row(ax: Axes, y: int, row: object, colors: Mapping[str, str]) -> None:
    label, precision, recall, f, support = (
        getattr(row, name) for name in ("label", "precision", "recall", "f", "support")
    )
    if isnan(f):
        ax.text(0.01, y, "no span to count", va="center", color=INK_COLOR, fontsize=8)
        return
    look: dict[str, Any] = {
        "color": colors[label],
        "markeredgecolor": INK_COLOR,
        "markeredgewidth": 0.6,
    }
    ends = [value for value in (precision, recall) if not isnan(value)]
    ax.plot([min(ends), max(ends)], [y, y], color=colors[label], linewidth=3, alpha=FAINT_ALPHA)
    ax.plot(precision, y, marker=">", markersize=5, clip_on=False, **look)
    ax.plot(recall, y, marker="<", markersize=5, clip_on=False, **look)
    ax.plot(f, y, marker="o", markersize=9, clip_on=False, **look)
    annotate_row(ax, (max(ends), y), f"{f:.2f} · {support:,} gold")


def _strongest_and_weakest(frame: pd.DataFrame) -> str:
    counted = frame.dropna(subset=["f"]).sort_values("f", ascending=False, kind="stable")
    found = [
        f"{label} (F {f:.2f})" for label, f in zip(counted["label"], counted["f"], strict=True)
    ]
    if len(found) <= 1:
        return found[0] if found else "There is no span to count"
    return f"Found best: {found[0]}; worst: {found[-1]}"
