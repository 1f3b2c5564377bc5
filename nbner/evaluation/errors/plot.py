"""Plots of an error analysis: the confusion matrix, and error rates by properties of spans."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbner._common.plot_style import (
    ACCENT_COLOR,
    FAINT_ALPHA,
    INK_COLOR,
    ROW_HEIGHT,
    annotate_row,
    apply_style,
    name_ticks,
    new_axes,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_CELL_WIDTH = 0.84  # of the distance between two columns


def draw_confusion_matrix(
    table: pd.DataFrame,
    *,
    side_names: tuple[str, str] = ("gold", "predicted"),
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw a confusion matrix: below each number a bar with its share of the row, grey if right.

    Parameters
    ----------
    table : DataFrame
        As ``Errors.confusion``: labels and "nothing", and "borders" as the last
        column.
    side_names : (str, str)
        Names of rows and columns.
    title : str, optional
        By default the most frequent error.
    ax : Axes, optional
        By default new axes.
    """
    rows, columns = list(table.index), list(table.columns)
    side = ROW_HEIGHT * max(6, len(columns))
    ax = new_axes(2.2 + 1.7 * side, 1.4 + side, has_rows=True) if ax is None else ax
    values = table.to_numpy()
    for y, row in enumerate(rows):
        total = max(1, int(values[y].sum()))
        for x, column in enumerate(columns):
            _draw_cell(
                ax, (x, y), int(values[y, x]), int(values[y, x]) / total, right=row == column
            )
    name_ticks(ax.xaxis, columns, rotation=45, ha="right")
    name_ticks(ax.yaxis, rows)
    ax.set_xlim(-0.5, len(columns) - 0.5)
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.set_xlabel(side_names[1])
    ax.set_ylabel(side_names[0])
    return apply_style(ax, title or _most_frequent_error(table))


def draw_error_rates(
    frame: pd.DataFrame, *, description: str, title: str | None = None, ax: Axes | None = None
) -> Axes:
    """Draw error rates with their intervals, and the share of all errors beside each.

    Parameters
    ----------
    frame : DataFrame
        As ``Errors.attribution``, of one factor.
    description : str
        The factor in words.
    title : str, optional
        By default the bucket with most errors.
    ax : Axes, optional
        By default new axes.
    """
    ax = (
        new_axes(height=1.1 + 1.2 * ROW_HEIGHT * max(4, len(frame)), has_rows=True)
        if ax is None
        else ax
    )
    for y, row in enumerate(frame.to_dict("records")):
        ax.barh(y, row["rate"], height=0.6, color=ACCENT_COLOR, alpha=FAINT_ALPHA)
        ax.plot([row["rate_low"], row["rate_high"]], [y, y], color=INK_COLOR, linewidth=1.2)
        annotate_row(
            ax,
            (row["rate_high"], y),
            f"{row['errors']:,} of {row['n']:,} · {row['share']:.0%} of all errors",
        )
    name_ticks(ax.yaxis, frame["bucket"])
    ax.set_ylim(max(1, len(frame)) - 0.4, -0.6)
    ax.set_xlim(0, 1)
    ax.set_xlabel(f"errors a span, by {description}")
    ax.xaxis.set_major_formatter("{x:.0%}")
    return apply_style(ax, title or _largest_share(frame, description))


def _draw_cell(ax: Axes, place: tuple[int, int], count: int, share: float, *, right: bool) -> None:
    if not count:
        return
    x, y = place
    # A number on a tint is legible on one ground at most: a bar below it has the share.
    color, left = INK_COLOR if right else ACCENT_COLOR, x - _CELL_WIDTH / 2
    for length, alpha in ((1.0, 0.16), (share, 1.0)):
        ax.barh(y + 0.3, length * _CELL_WIDTH, left=left, height=0.2, color=color, alpha=alpha)
    ax.text(x, y - 0.1, f"{count:,}", ha="center", va="center", color=INK_COLOR, fontsize=8)


def _most_frequent_error(table: pd.DataFrame) -> str:
    wrong = {
        (str(row), str(column)): int(table.loc[row, column])
        for row in table.index
        for column in table.columns
        if row != column
    }
    worst = max(wrong, key=lambda one: wrong[one], default=None)
    if worst is None or not wrong[worst]:
        return "Nothing is wrong"
    row, column = worst
    descriptions = {
        column == "nothing": f"{row} is missed",
        row == "nothing": f"{column} where there is nothing",
        column == "borders": f"{row} with other borders",
    }
    return f"Most often: {descriptions.get(True, f'{row} taken for {column}')} ({wrong[worst]:,})"


def _largest_share(frame: pd.DataFrame, description: str) -> str:
    if frame.empty or not frame["errors"].sum():
        return "Nothing is wrong"
    row = frame.iloc[int(frame["share"].to_numpy().argmax())]
    return (
        f"{row['share']:.0%} of all errors, by {description}: {row['bucket']} "
        f"(wrong in {row['rate']:.0%}, {row['rate_low']:.0%} to {row['rate_high']:.0%})"
    )
