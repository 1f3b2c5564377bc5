"""Ways of training held side by side, and growing shares of the labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from nbner._common.format import render_html
from nbner._common.result import Result
from nbner._common.student_t import Estimate, mean_estimate, mean_f_estimate
from nbner.evaluation.scores import Score
from nbner.training.learning_curve import extrapolate_gain

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

ALL = "all labels"
OLD, NEW = "old labels", "new labels"
LITTLE = 0.005  # F below which a gain is not worth speaking of


@dataclass(frozen=True, slots=True)
class TrainingTrial:
    """One run that was measured and thrown away.

    Parameters
    ----------
    init : str
    seed : int
    n : int
        Examples learnt from.
    seconds : float
        Of training.
    score : Score
        On dev.
    """

    init: str
    seed: int
    n: int
    seconds: float
    score: Score

    def f(self, labels: Sequence[str] | None = None) -> float | None:
        """F over some labels, or over all."""
        counts = [
            c for label, c in self.score.per_label.items() if labels is None or label in labels
        ]
        return sum(counts[1:], counts[0]).f if counts else None


@dataclass(frozen=True)
class TrainingComparison(Result):
    """Ways of training on the same data and split, over several seeds.

    Parameters
    ----------
    trials : tuple of TrainingTrial
    old_labels, new_labels : tuple of str
        Labels that the model knew before, and those that it did not.
    """

    trials: tuple[TrainingTrial, ...] = field(repr=False)
    old_labels: tuple[str, ...]
    new_labels: tuple[str, ...]

    @property
    def inits(self) -> list[str]:
        """The ways of training, in order."""
        return list(dict.fromkeys(one.init for one in self.trials))

    @cached_property
    def frame(self) -> pd.DataFrame:
        """One row a way and label.

        ``init``, ``label`` (also "all labels", "old labels" and "new labels"),
        ``kind`` ("old", "new" or "total"), ``f``, ``f_low``, ``f_high`` (95 %
        over the seeds), ``seconds`` (mean) and ``seeds``.
        """
        import pandas as pd

        rows = [row for how in self.inits for row in self._rows(how)]
        columns = ["init", "label", "kind", "f", "f_low", "f_high", "seconds", "seeds"]
        return pd.DataFrame(rows, columns=columns)

    @property
    def summary(self) -> str:
        """Answer "resize or retrain?", with its figures."""
        scores = {how: self._mean(how, None) for how in self.inits}
        going_on = {how: one for how, one in scores.items() if how != "scratch"}
        if not going_on or "scratch" not in scores:
            best = max(scores, key=lambda how: scores[how].value)
            return f"Best: {best}, F {scores[best]}"
        best = max(going_on, key=lambda how: going_on[how].value)
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

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw F of every way over all, old and new labels, with intervals."""
        from nbner.training.comparison_plot import draw_training_comparison

        return draw_training_comparison(self.frame, title=self.summary.split(":")[0], ax=ax)

    def __str__(self) -> str:
        return self.summary

    def _repr_html_(self) -> str:
        return render_html(self.summary, self.frame)

    def _of(self, how: str) -> list[TrainingTrial]:
        return [one for one in self.trials if one.init == how]

    def _mean(self, how: str, labels: Sequence[str] | None) -> Estimate:
        return mean_f_estimate([one.f(labels) for one in self._of(how)])

    def _seconds(self, how: str) -> float:
        return mean_estimate([one.seconds for one in self._of(how)]).value

    def _gap(self, one: str, other: str) -> Estimate:
        """Give the mean difference, seed by seed."""
        pairs = zip(self._of(one), self._of(other), strict=False)
        return mean_estimate([(a.f() or 0.0) - (b.f() or 0.0) for a, b in pairs])

    def _rows(self, how: str) -> list[tuple[object, ...]]:
        labels = list(self._of(how)[0].score.per_label)
        groups: dict[str, tuple[str, Sequence[str] | None]] = {ALL: ("total", None)}
        if self.new_labels:
            groups |= {OLD: ("total", self.old_labels), NEW: ("total", self.new_labels)}
        groups |= {one: ("new" if one in self.new_labels else "old", [one]) for one in labels}
        rows: list[tuple[object, ...]] = []
        for name, (kind, some) in groups.items():
            f = self._mean(how, some)
            seeds = len(self._of(how))
            rows.append((how, name, kind, f.value, f.low, f.high, self._seconds(how), seeds))
        return rows


@dataclass(frozen=True)
class LearningCurve(Result):
    """F at growing shares of the labels.

    Parameters
    ----------
    trials : tuple of TrainingTrial
        Every share with every seed.
    next_batch_size : int
        Examples of the next batch.
    dev_source : str
        What was measured on.
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
        if found.value != found.value:  # NaN: no curve could be laid through so few sizes
            return "Too few shares to say what more labels would gain; give at least three"
        figures = (
            f"{self.next_batch_size:,} more examples would gain about {100 * found.value:.1f} F"
            + ("" if found.low != found.low else f" ({_range(found)})")
        )
        if found.low > LITTLE:
            return f"More labelling is worth it: {figures}"
        if found.high < 2 * LITTLE:
            return f"More labelling of this kind gains little: {figures}"
        return f"It cannot be told yet whether more labelling is worth it: {figures}"

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw F over the number of examples, with its interval and the next batch."""
        from nbner.training.comparison_plot import draw_learning_curve

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
        whole = [scores for scores in by_seed.values() if len(scores) == len(self.sizes)]
        return extrapolate_gain(
            self.sizes, [[scores[n] for n in self.sizes] for scores in whole], self.next_batch_size
        )


def _verb(how: str) -> str:
    return {
        "continue": "go on",
        "freeze": "train the output layer",
        "rehearsal": "go on with rehearsal",
    }.get(how, how)


def _range(found: Estimate) -> str:
    return f"{100 * found.low:.1f} to {100 * found.high:.1f}"
