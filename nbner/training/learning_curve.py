"""Learning curves: F by the number of labelled examples, and the gain of the next batch.

The curve is a power law, ``f(n) = a - b * n ** -c`` with b >= 0, fitted by
least squares for each c of a grid (Cortes et al. 1994, "Learning curves:
asymptotic values and rate of convergence").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import isnan, nan
from typing import TYPE_CHECKING

import numpy as np

from nbner._common.format import plural, render_html
from nbner._common.plot_style import (
    ACCENT_COLOR,
    INK_COLOR,
    apply_style,
    count_axis,
    new_axes,
)
from nbner._common.result import FigureResult
from nbner._common.student_t import Estimate, mean_estimate, mean_f_estimate
from nbner.training.comparison import ALL, LITTLE, TrainingTrial

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

_RATES = np.linspace(0.1, 1.5, 57)
_LEAST = 3  # sizes that a curve of three parameters needs


@dataclass(frozen=True, slots=True)
class PowerLaw:
    """A fitted curve.

    Parameters
    ----------
    ceiling, drop, rate : float
        ``f(n) = ceiling - drop * n ** -rate``.
    """

    ceiling: float
    drop: float
    rate: float

    def __call__(self, n: float) -> float:
        """Return the value of the curve.

        Parameters
        ----------
        n : float
            Number of examples.
        """
        return float(self.ceiling - self.drop * n**-self.rate)


def fit_power_law(sizes: Sequence[int], scores: Sequence[float]) -> PowerLaw | None:
    """Fit a curve; None where there are fewer than three sizes.

    Parameters
    ----------
    sizes : sequence of int
        Numbers of examples, above 0.
    scores : sequence of float
        Between 0 and 1. The curve never falls, and stays at or below 1.
    """
    if len(set(sizes)) < _LEAST:
        return None
    n, f = np.asarray(sizes, float), np.asarray(scores, float)
    best: tuple[float, PowerLaw] | None = None
    for rate in _RATES:
        law = _at_rate(n, f, float(rate))
        error = float(np.square(law.ceiling - law.drop * n**-law.rate - f).sum())
        if best is None or error < best[0]:
            best = error, law
    return None if best is None else best[1]


def extrapolate_gain(
    sizes: Sequence[int], scores_by_seed: Sequence[Sequence[float | None]], next_batch_size: int
) -> Estimate:
    """Extrapolate what more examples would gain, over the runs of several seeds.

    Parameters
    ----------
    sizes : sequence of int
        Numbers of examples, rising.
    scores_by_seed : sequence of sequences
        For each seed the scores at those sizes; None where undefined.
    next_batch_size : int
        Examples of the next batch.
    """
    gains: list[float | None] = []
    for scores in scores_by_seed:
        pairs = [(n, f) for n, f in zip(sizes, scores, strict=True) if f is not None]
        law = fit_power_law([n for n, _ in pairs], [f for _, f in pairs])
        last = sizes[-1]
        gains.append(nan if law is None else law(last + next_batch_size) - law(last))
    return mean_estimate(gains)


def _at_rate(n: NDArray[np.float64], f: NDArray[np.float64], rate: float) -> PowerLaw:
    shrinking = n**-rate
    design = np.column_stack([np.ones_like(n), -shrinking])
    (ceiling, drop), *_ = np.linalg.lstsq(design, f, rcond=None)
    if drop < 0:
        return PowerLaw(float(f.mean()), 0.0, rate)
    if ceiling > 1:
        # Against the most that there can be, the drop alone is free.
        drop = float((shrinking * (1 - f)).sum() / np.square(shrinking).sum())
        return PowerLaw(1.0, max(drop, 0.0), rate)
    return PowerLaw(float(ceiling), float(drop), rate)


@dataclass(frozen=True)
class LearningCurve(FigureResult):
    """F at growing fractions of the labelled examples.

    ``plot()`` draws F over the number of examples, with its interval and the next batch.

    Parameters
    ----------
    trials : tuple of TrainingTrial
        One for each fraction and seed.
    next_batch_size : int
        Number of examples in the next batch.
    dev_source : str
        Origin of the dev examples, in words.
    """

    trials: tuple[TrainingTrial, ...] = field(repr=False)
    next_batch_size: int
    dev_source: str = "given"

    @property
    def sizes(self) -> list[int]:
        """Numbers of examples, rising."""
        return sorted({one.n for one in self.trials})

    @cached_property
    def frame(self) -> pd.DataFrame:
        """One row a label and size: label, n, f, f_low, f_high (95 % over the seeds), seeds."""
        import pandas as pd

        rows = []
        for label, some in self._groups().items():
            for n in self.sizes:
                found = [one.f(some) for one in self.trials if one.n == n]
                f = mean_f_estimate(found)
                rows.append((label, n, f.value, f.low, f.high, len(found)))
        return pd.DataFrame(rows, columns=["label", "n", "f", "f_low", "f_high", "seeds"])

    @cached_property
    def gains(self) -> pd.DataFrame:
        """One row a label: label, f (now), gain, gain_low, gain_high of the next batch."""
        import pandas as pd

        rows = []
        for label, some in self._groups().items():
            now = mean_f_estimate([one.f(some) for one in self.trials if one.n == self.sizes[-1]])
            more = self._gain(some)
            rows.append((label, now.value, more.value, more.low, more.high))
        return pd.DataFrame(rows, columns=["label", "f", "gain", "gain_low", "gain_high"])

    @property
    def summary(self) -> str:
        """Answer "is more labelling worth it?", with its figures."""
        found = self._gain(None)
        if found.value != found.value:  # NaN: too few sizes to fit a curve
            return "Too few shares to say what more labels would gain; give at least three"
        figures = (
            f"{plural(self.next_batch_size, 'more example')} would gain about "
            f"{100 * found.value:.1f} F" + ("" if found.low != found.low else f" ({_range(found)})")
        )
        if found.low > LITTLE:
            return f"More labelling is worth it: {figures}"
        if found.high < 2 * LITTLE:
            return f"More labelling of this kind gains little: {figures}"
        return f"It cannot be told yet whether more labelling is worth it: {figures}"

    def _draw(self, ax: Axes | None) -> Axes:
        frame = self.frame[self.frame["label"] == ALL]
        after = (
            (self.sizes[-1] + self.next_batch_size, self._gain(None).value) if self.sizes else None
        )
        return draw_learning_curve(frame, next_batch=after, title=self.summary, ax=ax)

    def __str__(self) -> str:
        return self.summary

    def _repr_html_(self) -> str:
        return render_html(self.summary, self.gains)

    def _groups(self) -> Mapping[str, Sequence[str] | None]:
        labels = self.trials[0].score.per_label if self.trials else {}
        return {ALL: None, **{label: [label] for label in labels}}

    def _gain(self, labels: Sequence[str] | None) -> Estimate:
        by_seed = {
            seed: {one.n: one.f(labels) for one in self.trials if one.seed == seed}
            for seed in dict.fromkeys(one.seed for one in self.trials)
        }
        complete = [scores for scores in by_seed.values() if len(scores) == len(self.sizes)]
        return extrapolate_gain(
            self.sizes,
            [[scores[n] for n in self.sizes] for scores in complete],
            self.next_batch_size,
        )


def _range(found: Estimate) -> str:
    return f"{100 * found.low:.1f} to {100 * found.high:.1f}"


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
        Title of the plot; by default what it shows.
    ax : Axes, optional
        Axes to draw on; by default new ones.
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
    count_axis(ax.xaxis)
    return apply_style(ax, title or "F over the number of labels")
