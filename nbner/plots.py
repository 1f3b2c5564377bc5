"""Rows in, matplotlib Axes out: one family of pictures.

Every plot takes ``ax=`` and gives the Axes it drew on. The ground stays
transparent and the ink is a grey that reads on white and on black, so that a
picture fits light and dark themes without knowing which one it is in. Labels
have the colours that they have in the widget.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from math import isnan
from typing import TYPE_CHECKING, Any

from nbner.palette import label_colors

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK = "#767676"  # 4.5:1 on white, 4.2:1 on JupyterLab's dark ground
ACCENT = "#0d8ddb"  # 3:1 and more on both
FAINT = 0.6  # opacity of what is there for comparison
SIZE = (6.4, 3.6)  # inches
ROW = 0.26  # inches a label


def new_figure(width: float = SIZE[0], height: float = SIZE[1]) -> Figure:
    """Make a figure that pyplot knows nothing of, for drawing from any thread.

    Parameters
    ----------
    width, height : float
        In inches.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    figure.patch.set_alpha(0.0)
    return figure


def evaluation_rows(
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
    ax = _new_axes(height=1.1 + ROW * max(4, len(rows))) if ax is None else ax
    colors = label_colors(list(frame["label"]))
    for y, row in enumerate(rows.itertuples(index=False)):
        _evaluation_row(ax, y, row, colors)
    # Labels are data: a dollar sign in one is not mathematics.
    ax.set_yticks(range(len(rows)), list(rows["label"]), parse_math=False)
    ax.set_ylim(-0.6, max(1, len(rows)) - 0.4)
    ax.set_xlim(0, 1)
    ax.set_xlabel("F ●  precision ▸  recall ◂  over exact spans")
    return _dressed(ax, title or _strongest_and_weakest(frame))


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
    ax = _new_axes() if ax is None else ax
    steps, f = frame["step"], frame["f"].astype(float).fillna(0.0)
    loss = frame["loss"].astype(float)
    if len(frame):
        ax.plot(steps, loss / (loss.max() or 1.0), color=INK, alpha=FAINT, linewidth=1)
        ax.plot(steps, f, color=ACCENT, linewidth=1.8, marker="o", markersize=3)
        _name(ax, steps.iloc[-1], loss.iloc[-1] / (loss.max() or 1.0), "loss", INK)
        _name(ax, steps.iloc[-1], f.iloc[-1], "F", ACCENT)
    best = frame[frame["is_best"].astype(bool)].tail(1)
    if len(best):
        where = int(best["step"].iloc[0]), float(f[best.index[0]])
        ax.plot(*where, marker="o", markersize=8, fillstyle="none", color=ACCENT)
        title = title or _best_so_far(where, int(steps.iloc[-1]))
    ax.set_ylim(0, 1.05)
    ax.set_xlim(left=0)
    ax.set_xlabel("step (loss relative to its highest)")
    ax.xaxis.set_major_formatter("{x:,.0f}")
    return _dressed(ax, title or "No evaluation yet")


def _new_axes(width: float = SIZE[0], height: float = SIZE[1]) -> Axes:
    """Make Axes that show themselves at the end of a cell, where that is safe.

    The inline backend shows what pyplot knows of. Pyplot's figures belong to
    the main thread; a handler of the widget's messages may be in another one.
    """
    if threading.current_thread() is not threading.main_thread():
        return new_figure(width, height).subplots()
    from matplotlib import pyplot as plt

    figure, ax = plt.subplots(figsize=(width, height), layout="constrained")
    figure.patch.set_alpha(0.0)
    return ax


def _evaluation_row(ax: Axes, y: int, row: object, colors: Mapping[str, str]) -> None:
    label, precision, recall, f, support = (
        getattr(row, name) for name in ("label", "precision", "recall", "f", "support")
    )
    if isnan(f):
        ax.text(0.01, y, "no span to count", va="center", color=INK, fontsize=8)
        return
    look: dict[str, Any] = {"color": colors[label], "markeredgecolor": INK, "markeredgewidth": 0.6}
    ends = [value for value in (precision, recall) if not isnan(value)]
    ax.plot([min(ends), max(ends)], [y, y], color=colors[label], linewidth=3, alpha=FAINT)
    ax.plot(precision, y, marker=">", markersize=5, clip_on=False, **look)
    ax.plot(recall, y, marker="<", markersize=5, clip_on=False, **look)
    ax.plot(f, y, marker="o", markersize=9, clip_on=False, **look)
    ax.annotate(
        f"{f:.2f} · {support:,} gold",
        (max(ends), y),
        xytext=(9, 0),
        textcoords="offset points",
        va="center",
        color=INK,
        fontsize=8,
        annotation_clip=False,
    )


def _strongest_and_weakest(frame: pd.DataFrame) -> str:
    counted = frame.dropna(subset=["f"]).sort_values("f", ascending=False, kind="stable")
    found = [
        f"{label} (F {f:.2f})" for label, f in zip(counted["label"], counted["f"], strict=True)
    ]
    if len(found) <= 1:
        return found[0] if found else "There is no span to count"
    return f"Found best: {found[0]}; worst: {found[-1]}"


def _best_so_far(best: tuple[int, float], last: int) -> str:
    step, f = best
    if step == last:
        return f"Dev F {f:.3f} after {step + 1:,} steps, the best so far"
    return f"Dev F {f:.3f} after {step + 1:,} steps; no gain in the {last - step:,} since"


def _name(ax: Axes, x: float, y: float, name: str, color: str) -> None:
    """Name a line at its end, in place of a legend."""
    ax.annotate(
        name,
        (x, y),
        xytext=(6, 0),
        textcoords="offset points",
        va="center",
        color=color,
        annotation_clip=False,
    )


def _dressed(ax: Axes, title: str) -> Axes:
    """Give Axes the family's look: thin, grey, no box, the finding on top."""
    ax.patch.set_alpha(0.0)
    ax.set_title(title, loc="left", color=INK, fontsize=11, parse_math=False)
    for side, spine in ax.spines.items():
        spine.set_visible(side in {"left", "bottom"})
        spine.set_color(INK)
        spine.set_linewidth(0.6)
    ax.tick_params(colors=INK, width=0.6, length=3, labelsize=9)
    ax.xaxis.label.set_color(INK)
    ax.xaxis.label.set_fontsize(9)
    ax.yaxis.label.set_color(INK)
    return ax
