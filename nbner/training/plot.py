"""How a training run goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbner._common.plot_style import (
    ACCENT_COLOR,
    FAINT_ALPHA,
    INK_COLOR,
    apply_style,
    label_line,
    new_axes,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


def training_curve(
    frame: pd.DataFrame, *, title: str | None = None, ax: Axes | None = None
) -> Axes:
    """Draw dev F and the loss over the steps of a run, finished or not.

    Parameters
    ----------
    frame : DataFrame
        One row an evaluation: ``step``, ``f``, ``loss``, ``is_best``, as
        ``TrainingReport.frame`` has them.
    title : str, optional
        By default the best F, and since when.
    ax : Axes, optional
        By default a new one.
    """
    ax = new_axes() if ax is None else ax
    steps, f = frame["step"], frame["f"].astype(float).fillna(0.0)
    loss = frame["loss"].astype(float)
    if len(frame):
        ax.plot(steps, loss / (loss.max() or 1.0), color=INK_COLOR, alpha=FAINT_ALPHA, linewidth=1)
        ax.plot(steps, f, color=ACCENT_COLOR, linewidth=1.8, marker="o", markersize=3)
        label_line(ax, steps.iloc[-1], loss.iloc[-1] / (loss.max() or 1.0), "loss", INK_COLOR)
        label_line(ax, steps.iloc[-1], f.iloc[-1], "F", ACCENT_COLOR)
    best = frame[frame["is_best"].astype(bool)].tail(1)
    if len(best):
        where = int(best["step"].iloc[0]), float(f[best.index[0]])
        ax.plot(*where, marker="o", markersize=8, fillstyle="none", color=ACCENT_COLOR)
        title = title or _best_so_far(where, int(steps.iloc[-1]))
    ax.set_ylim(0, 1.05)
    ax.set_xlim(left=0)
    ax.set_xlabel("step (loss relative to its highest)")
    ax.xaxis.set_major_formatter("{x:,.0f}")
    return apply_style(ax, title or "No evaluation yet")


def _best_so_far(best: tuple[int, float], last: int) -> str:
    step, f = best
    if step == last:
        return f"Dev F {f:.3f} after {step + 1:,} steps, the best so far"
    return f"Dev F {f:.3f} after {step + 1:,} steps; no gain in the {last - step:,} since"
