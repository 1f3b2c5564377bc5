"""Ways of training side by side, and quality over effort."""

from __future__ import annotations

from math import isnan
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

_MARKS = ("o", "s", "^", "D")


def draw_training_comparison(
    frame: pd.DataFrame, *, title: str | None = None, ax: Axes | None = None
) -> Axes:
    """Draw F of every way of training, with its interval, over the totals.

    Parameters
    ----------
    frame : DataFrame
        As ``TrainingComparison.frame`` has it.
    title : str, optional
    ax : Axes, optional
        By default a new one.
    """
    totals = frame[frame["kind"] == "total"]
    names = list(dict.fromkeys(zip(totals["label"], totals["init"], strict=True)))
    ax = new_axes(height=1.1 + ROW_HEIGHT * max(4, len(names))) if ax is None else ax
    groups = list(dict.fromkeys(totals["label"]))
    columns = [totals[::-1][name].tolist() for name in ("f", "f_low", "f_high", "label", "seconds")]
    for y, (f, low, high, label, seconds) in enumerate(zip(*columns, strict=True)):
        if not isnan(low):
            ax.plot([low, high], [y, y], color=ACCENT_COLOR, linewidth=3, alpha=FAINT_ALPHA)
        ax.plot(
            f, y, marker=_MARKS[groups.index(label) % len(_MARKS)], color=ACCENT_COLOR, markersize=7
        )
        annotate_row(ax, (f if isnan(high) else high, y), f"{f:.3f} · {seconds:,.0f} s")
    rows = [f"{how} · {label}" for label, how in zip(totals["label"], totals["init"], strict=True)]
    ax.set_yticks(range(len(rows)), rows[::-1], parse_math=False)
    ax.set_xlabel("F over exact spans, mean over seeds with its 95 % interval")
    ax.margins(x=0.12)
    return apply_style(ax, title or "F by way of training")


def draw_learning_curve(
    frame: pd.DataFrame,
    *,
    next_batch: tuple[int, float] | None = None,
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw F over the number of labelled examples.

    Parameters
    ----------
    frame : DataFrame
        ``n``, ``f``, ``f_low``, ``f_high``, rising in n.
    next_batch : (int, float), optional
        Number of examples after the next batch, and its gain in F.
    title : str, optional
    ax : Axes, optional
        By default a new one.
    """
    ax = new_axes() if ax is None else ax
    ax.fill_between(frame["n"], frame["f_low"], frame["f_high"], color=ACCENT_COLOR, alpha=0.2)
    ax.plot(frame["n"], frame["f"], color=ACCENT_COLOR, linewidth=1.8, marker="o", markersize=4)
    if next_batch is not None and len(frame) and not isnan(next_batch[1]):
        last = frame.iloc[-1]
        height = last["f"] + next_batch[1]
        ax.plot([last["n"], next_batch[0]], [last["f"], height], color=INK_COLOR, linestyle=":")
        ax.plot(next_batch[0], height, marker="o", fillstyle="none", color=INK_COLOR)
    ax.set_xlim(left=0)
    ax.set_xlabel("accepted examples")
    ax.set_ylabel("F")
    ax.xaxis.set_major_formatter("{x:,.0f}")
    return apply_style(ax, title or "F over the number of labels")
