"""How many texts differ, by cause."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from nbner._common.plot_style import ACCENT_COLOR, INK_COLOR, ROW_HEIGHT, apply_style, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_causes(
    counts: Mapping[str, int],
    *,
    total: int,
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw a bar a cause, the longest on top.

    Parameters
    ----------
    counts : mapping
        Cause to number of texts.
    total : int
        Texts that were compared.
    title : str, optional
        By default how many differ, and the first cause.
    ax : Axes, optional
        By default a new one.
    """
    ordered = sorted(counts.items(), key=lambda item: item[1])
    ax = new_axes(height=1.1 + ROW_HEIGHT * max(4, len(ordered))) if ax is None else ax
    for y, (_, count) in enumerate(ordered):
        ax.barh(y, count, height=0.6, color=ACCENT_COLOR)
        ax.annotate(
            f"{count:,}",
            (count, y),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            color=INK_COLOR,
            fontsize=8,
        )
    ax.set_yticks(
        range(len(ordered)), [name.replace("_", " ") for name, _ in ordered], parse_math=False
    )
    ax.set_ylim(-0.6, max(1, len(ordered)) - 0.4)
    ax.set_xlim(left=0)
    ax.set_xlabel(f"texts that differ, of {total:,}")
    ax.xaxis.set_major_formatter("{x:,.0f}")
    return apply_style(ax, title or _finding(counts, total))


def _finding(counts: Mapping[str, int], total: int) -> str:
    differing = sum(counts.values())
    if not differing:
        return f"The same in all {total:,} texts"
    first = max(counts, key=lambda cause: counts[cause])
    return f"{differing:,} of {total:,} texts differ; most often: {first.replace('_', ' ')}"
