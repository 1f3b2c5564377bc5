"""What a perfect choice among the k best analyses would reach."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbner._common.plot_style import ACCENT_COLOR, INK_COLOR, apply_style, label_line, new_axes

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_BAND_ALPHA = 0.18  # opacity of an interval
_BEAM_COLOR = "#c97b00"  # 3:1 and more on white and on JupyterLab's dark ground
_MIN_LABEL_GAP = 0.05  # of the axis's height, between two names

_STYLES = {"exact": (ACCENT_COLOR, "-", "o"), "beam": (_BEAM_COLOR, "--", "s")}


def draw_oracle_curve(
    frame: pd.DataFrame,
    *,
    title: str | None = None,
    recommended: int | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw oracle F and top-1 F over the width of the list, with their intervals.

    Parameters
    ----------
    frame : DataFrame
        As ``OracleCurve.frame`` has it: a row a decoder and width.
    title : str, optional
        By default what a perfect reranker would gain at the widest list.
    recommended : int, optional
        The width to mark.
    ax : Axes, optional
        By default a new one.
    """
    ax = new_axes() if ax is None else ax
    ax.set_xscale("log", base=2)
    names: list[tuple[float, str, str]] = []
    for decoder, rows in frame.groupby("decoder", sort=False):
        names += _draw_decoder(ax, str(decoder), rows)
    widths = sorted(set(frame["width"]))
    ax.set_xticks(widths, [f"{width:,}" for width in widths])
    ax.minorticks_off()
    ax.set_xlim(widths[0] / 1.1, widths[-1] * 1.1)
    _label_lines(ax, widths[-1], names)
    if recommended is not None:
        _mark_recommended(ax, frame, recommended)
    ax.set_xlabel("analyses in the list (bands: 95 % intervals over texts)")
    ax.set_ylabel("F over exact spans")
    ax.yaxis.set_major_formatter("{x:.2f}")
    return apply_style(ax, title or _default_title(frame))


def _draw_decoder(ax: Axes, decoder: str, rows: pd.DataFrame) -> list[tuple[float, str, str]]:
    color, line, marker = _STYLES.get(decoder, (INK_COLOR, "-", "o"))
    width = rows["width"]
    for figure, heavy in (("oracle_f", True), ("top1_f", False)):
        ax.fill_between(
            width,
            rows[f"{figure}_low"],
            rows[f"{figure}_high"],
            color=color,
            alpha=_BAND_ALPHA if heavy else _BAND_ALPHA / 2,
            linewidth=0,
        )
        ax.plot(
            width,
            rows[figure],
            color=color,
            linestyle=line if heavy else ":",
            marker=marker if heavy else "",
            markersize=4,
            linewidth=1.8 if heavy else 1.2,
        )
    last = rows.iloc[-1]
    return [
        (float(last["oracle_f"]), f"{decoder}: best in list", color),
        (float(last["top1_f"]), f"{decoder}: first", color),
    ]


def _label_lines(ax: Axes, x: float, names: list[tuple[float, str, str]]) -> None:
    """Name the lines at their ends, the names moved apart where lines end close together."""
    low, high = ax.get_ylim()
    least, at = _MIN_LABEL_GAP * (high - low), low - 1.0
    for y, name, color in sorted(names):
        at = max(y, at + least)
        label_line(ax, x * 1.05, at, name, color)


def _mark_recommended(ax: Axes, frame: pd.DataFrame, width: int) -> None:
    rows = frame[frame["width"] == width]
    row = rows[rows["decoder"] == "exact"] if "exact" in set(rows["decoder"]) else rows
    best, first = float(row["oracle_f"].iloc[0]), float(row["top1_f"].iloc[0])
    ax.plot([width, width], [first, best], color=INK_COLOR, linewidth=0.8)
    ax.plot(width, best, marker="o", markersize=9, fillstyle="none", color=INK_COLOR)
    ax.annotate(
        f"+{100 * (best - first):.1f} F at {width}",
        (width, (first + best) / 2),
        xytext=(6, 0),
        textcoords="offset points",
        color=INK_COLOR,
        fontsize=9,
        va="center",
    )


def _default_title(frame: pd.DataFrame) -> str:
    rows = frame[frame["decoder"] == frame["decoder"].iloc[0]]
    last = rows.iloc[-1]
    gain = 100 * (last["oracle_f"] - last["top1_f"])
    if gain != gain:
        return "There is no span to count"
    return f"A perfect reranker over {last['width']:,} analyses would gain {gain:.1f} F"
