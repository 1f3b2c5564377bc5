"""Comparison of initializations: trials, F with intervals over the seeds, and its plot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import isnan
from typing import TYPE_CHECKING

from nbner._common.format import render_html
from nbner._common.plot_style import (
    ACCENT_COLOR,
    FAINT_ALPHA,
    ROW_HEIGHT,
    annotate_row,
    apply_style,
    name_ticks,
    new_axes,
)
from nbner._common.result import FigureResult
from nbner._common.student_t import Estimate, mean_estimate, mean_f_estimate
from nbner.evaluation.scores import Score

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

ALL = "all labels"
OLD, NEW = "old labels", "new labels"
LITTLE = 0.005  # F below which a gain is negligible

_MARKS = ("o", "s", "^", "D")


@dataclass(frozen=True, slots=True)
class TrainingTrial:
    """One run whose model was evaluated and deleted.

    Parameters
    ----------
    init : str
        The initialization.
    seed : int
        Seed of the run.
    n : int
        Number of training examples.
    seconds : float
        Duration of training.
    score : Score
        Over the dev examples.
    """

    init: str
    seed: int
    n: int
    seconds: float
    score: Score

    def f(self, labels: Sequence[str] | None = None) -> float | None:
        """Return F over some labels.

        Parameters
        ----------
        labels : sequence of str, optional
            By default all labels.

        Returns
        -------
        float or None
            Between 0 and 1; None where it is undefined.
        """
        counts = [
            c for label, c in self.score.per_label.items() if labels is None or label in labels
        ]
        return sum(counts[1:], counts[0]).f if counts else None


@dataclass(frozen=True)
class TrainingComparison(FigureResult):
    """Initializations compared on the same data and split, over several seeds.

    ``plot()`` draws F of every initialization over all, old and new labels, with intervals.

    Parameters
    ----------
    trials : tuple of TrainingTrial
        All runs.
    old_labels, new_labels : tuple of str
        Labels that the model knew before, and those that it did not.
    """

    trials: tuple[TrainingTrial, ...] = field(repr=False)
    old_labels: tuple[str, ...]
    new_labels: tuple[str, ...]

    @property
    def inits(self) -> list[str]:
        """The initializations, in the order of their first runs."""
        return list(dict.fromkeys(one.init for one in self.trials))

    @cached_property
    def frame(self) -> pd.DataFrame:
        """One row an initialization and label.

        ``init``, ``label`` (also "all labels", "old labels" and "new labels"),
        ``kind`` ("old", "new" or "total"), ``f``, ``f_low``, ``f_high`` (95 %
        over the seeds), ``seconds`` (mean) and ``seeds``.
        """
        import pandas as pd

        rows = [row for init in self.inits for row in self._rows(init)]
        columns = ["init", "label", "kind", "f", "f_low", "f_high", "seconds", "seeds"]
        return pd.DataFrame(rows, columns=columns)

    @property
    def summary(self) -> str:
        """Answer "resize or retrain?", with its figures."""
        scores = {init: self._mean(init, None) for init in self.inits}
        continued = {init: one for init, one in scores.items() if init != "scratch"}
        if not continued or "scratch" not in scores:
            best = max(scores, key=lambda init: scores[init].value)
            return f"Best: {best}, F {scores[best]}"
        best = max(continued, key=lambda init: continued[init].value)
        gap = self._gap("scratch", best)
        times = self._seconds("scratch") / max(self._seconds(best), 1e-9)
        figures = (
            f"from scratch F {scores['scratch']}, {best} F {scores[best]}, and {times:.1f} times "
            "as long from scratch"
        )
        if gap.low > 0:
            return f"Retrain: {figures}"
        if gap.high < 0 or abs(gap.value) < LITTLE:
            return f"Resize and {_verb(best)}: {figures}"
        return f"No clear difference: {figures}; {_verb(best)} if time counts"

    def _draw(self, ax: Axes | None) -> Axes:
        return draw_training_comparison(self.frame, title=self.summary.split(":")[0], ax=ax)

    def __str__(self) -> str:
        return self.summary

    def _repr_html_(self) -> str:
        return render_html(self.summary, self.frame)

    def _trials_of(self, init: str) -> list[TrainingTrial]:
        return [one for one in self.trials if one.init == init]

    def _mean(self, init: str, labels: Sequence[str] | None) -> Estimate:
        return mean_f_estimate([one.f(labels) for one in self._trials_of(init)])

    def _seconds(self, init: str) -> float:
        return mean_estimate([one.seconds for one in self._trials_of(init)]).value

    def _gap(self, one: str, other: str) -> Estimate:
        """Compute the mean difference in F between two initializations, seed by seed."""
        pairs = zip(self._trials_of(one), self._trials_of(other), strict=False)
        return mean_estimate([(a.f() or 0.0) - (b.f() or 0.0) for a, b in pairs])

    def _rows(self, init: str) -> list[tuple[object, ...]]:
        labels = list(self._trials_of(init)[0].score.per_label)
        groups: dict[str, tuple[str, Sequence[str] | None]] = {ALL: ("total", None)}
        if self.new_labels:
            groups |= {OLD: ("total", self.old_labels), NEW: ("total", self.new_labels)}
        groups |= {one: ("new" if one in self.new_labels else "old", [one]) for one in labels}
        rows: list[tuple[object, ...]] = []
        for name, (kind, some) in groups.items():
            f = self._mean(init, some)
            seeds = len(self._trials_of(init))
            rows.append((init, name, kind, f.value, f.low, f.high, self._seconds(init), seeds))
        return rows


def _verb(init: str) -> str:
    return {
        "continue": "go on",
        "freeze": "train the output layer",
        "rehearsal": "go on with rehearsal",
    }.get(init, init)


def draw_training_comparison(
    frame: pd.DataFrame, *, title: str | None = None, ax: Axes | None = None
) -> Axes:
    """Draw F of every initialization, with its interval, over the totals.

    Parameters
    ----------
    frame : DataFrame
        As ``TrainingComparison.frame`` has it.
    title : str, optional
        Title of the plot; by default what it shows.
    ax : Axes, optional
        Axes to draw on; by default new ones.
    """
    totals = frame[frame["kind"] == "total"]
    names = list(dict.fromkeys(zip(totals["label"], totals["init"], strict=True)))
    ax = new_axes(height=1.1 + ROW_HEIGHT * max(4, len(names)), has_rows=True) if ax is None else ax
    groups = list(dict.fromkeys(totals["label"]))
    columns = [totals[::-1][name].tolist() for name in ("f", "f_low", "f_high", "label", "seconds")]
    for y, (f, low, high, label, seconds) in enumerate(zip(*columns, strict=True)):
        if not isnan(low):
            ax.plot([low, high], [y, y], color=ACCENT_COLOR, linewidth=3, alpha=FAINT_ALPHA)
        ax.plot(
            f, y, marker=_MARKS[groups.index(label) % len(_MARKS)], color=ACCENT_COLOR, markersize=7
        )
        annotate_row(ax, (f if isnan(high) else high, y), f"{f:.3f} · {seconds:,.0f} s")
    rows = [
        f"{init} · {label}" for label, init in zip(totals["label"], totals["init"], strict=True)
    ]
    name_ticks(ax.yaxis, rows[::-1])
    ax.set_xlabel("F over exact spans, mean over seeds with its 95 % interval")
    ax.margins(x=0.12)
    return apply_style(ax, title or "F by way of training")
