"""The reliability diagram: what a probability says, and how often it is right."""

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

_MAX_MARKER_AREA = 140.0  # points squared, the mark of the fullest bin
_MIN_MARKER_AREA = 12.0

_STYLES = {"before": (INK_COLOR, "s", FAINT_ALPHA), "after": (ACCENT_COLOR, "o", 1.0)}


def _draw_reliability_diagram(
    frame: pd.DataFrame, *, title: str | None = None, ax: Axes | None = None
) -> Axes:
    """Draw the share of right spans over their mean probability, bin by bin.

    On the diagonal a probability is what it says. A mark's size is the number
    of spans in its bin, its bar the 95 % interval of the share.

    Parameters
    ----------
    frame : DataFrame
        As ``Calibration.frame`` has it: a row a bin, "before" and "after".
    title : str, optional
    ax : Axes, optional
        By default a new one.
    """
    ax = new_axes(width=5.4, height=4.6) if ax is None else ax
    ax.plot([0, 1], [0, 1], color=INK_COLOR, linewidth=0.8, linestyle=":")
    most = frame["n"].max() or 1
    for when, rows in frame[frame["n"] > 0].groupby("when", sort=False):
        color, marker, alpha = _STYLES.get(str(when), (INK_COLOR, "o", 1.0))
        x, y = rows["confidence"], rows["accuracy"]
        ax.vlines(
            x, rows["accuracy_low"], rows["accuracy_high"], color=color, alpha=alpha, linewidth=1
        )
        ax.plot(x, y, color=color, alpha=alpha, linewidth=1.2)
        size = _MIN_MARKER_AREA + (_MAX_MARKER_AREA - _MIN_MARKER_AREA) * rows["n"] / most
        ax.scatter(x, y, s=size, color=color, marker=marker, alpha=alpha, linewidths=0)
        label_line(ax, x.iloc[-1], y.iloc[-1], str(when), color)
    ax.set_xlim(0, 1)
    ax.set_ylim(0, 1.02)
    ax.set_xlabel("probability (mean of the bin; dotted: what it should be)")
    ax.set_ylabel("share of predicted spans that are right")
    return apply_style(ax, title or "How often a probability is right")
