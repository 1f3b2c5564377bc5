"""Comparison of several systems on the same texts: F, and the gain over a baseline.

Counts are micro-averaged over exact spans. All intervals come from the same
bootstrap draws of texts, so that the interval of a gain is that of a paired
difference.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from nbner._common.bootstrap import Bootstrap, Estimate, FloatArray, difference, micro_f_at
from nbner._common.format import plural, render_html
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
from nbner._common.result import FigureResult
from nbner.evaluation.k_best_scores import CandidateListScore, FKey, f_key, score_candidates
from nbner.evaluation.regressions import SpanChanges
from nbner.types import Span

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


@dataclass(frozen=True, slots=True)
class SystemScore:
    """The score of one system, compared with a baseline.

    Parameters
    ----------
    name : str
        Name of the system.
    n : int
        Number of texts.
    f : Estimate
        Micro-averaged F over exact spans.
    gain : Estimate
        F minus that of the baseline.
    changed : int
        Number of texts with other spans than those of the baseline.
    better, worse : int
        Of those, the ones whose own F is higher or lower, or with fewer or
        more errors at the same F.
    expected_gain : float
        Mean over the bootstrap draws of the gain, a draw with a loss counting
        as 0: what staying with the baseline costs in expectation.
    expected_loss : float
        Mean over the bootstrap draws of the loss, a draw with a gain counting
        as 0: what leaving the baseline costs in expectation.
    """

    name: str
    n: int
    f: Estimate
    gain: Estimate
    changed: int
    better: int
    worse: int
    expected_gain: float = 0.0
    expected_loss: float = 0.0


def compare_systems(
    gold: Sequence[Sequence[Span]],
    systems: Mapping[str, Sequence[Sequence[Span]]],
    *,
    allowed_labels: Sequence[Collection[str] | None] | None = None,
    baseline: str | None = None,
    seed: int = 0,
) -> list[SystemScore]:
    """Score each system against gold, and compare it with a baseline.

    Parameters
    ----------
    gold : sequence of sequences of Span
        Gold spans of each text.
    systems : mapping
        Name of a system to its spans of each text.
    allowed_labels : sequence, optional
        For each text the labels that existed when it was answered, or None for
        all; others are not counted.
    baseline : str, optional
        Name of the baseline; by default the first system.
    seed : int
        Seed of the bootstrap.

    Raises
    ------
    ValueError
        A system has not as many texts as gold.
    """
    names = list(systems)
    allowed = [None] * len(gold) if allowed_labels is None else allowed_labels
    references = list(zip(gold, allowed, strict=True))
    scored = {
        name: [score_candidates([one], *at) for one, at in zip(predicted, references, strict=True)]
        for name, predicted in systems.items()
    }
    table = np.concatenate(
        [
            np.array([one.improvements[0][1:] for one in scored[name]]).reshape(-1, 3)
            for name in names
        ],
        axis=1,
    )
    resamples = Bootstrap(table, seed=seed)
    base = baseline or names[0]
    base_f = partial(micro_f_at, 3 * names.index(base))
    rows: list[SystemScore] = []
    for number, name in enumerate(names):
        own_f = partial(micro_f_at, 3 * number)
        signs = [
            (_f_key_of(one) > _f_key_of(other)) - (_f_key_of(one) < _f_key_of(other))
            for one, other in zip(scored[name], scored[base], strict=True)
        ]
        gain = partial(difference, own_f, base_f)
        rows.append(
            SystemScore(
                name=name,
                n=len(gold),
                f=resamples.estimate(own_f),
                gain=resamples.estimate(gain),
                expected_gain=resamples.mean(partial(_at_least_zero, gain)),
                expected_loss=resamples.mean(
                    partial(_at_least_zero, partial(difference, base_f, own_f))
                ),
                changed=sum(
                    set(one) != set(other)
                    for one, other in zip(systems[name], systems[base], strict=True)
                ),
                better=signs.count(1),
                worse=signs.count(-1),
            )
        )
    return rows


def _at_least_zero(statistic: Callable[[FloatArray], FloatArray], sums: FloatArray) -> FloatArray:
    return np.maximum(statistic(sums), 0.0)


def _f_key_of(one: CandidateListScore) -> FKey:
    _, *counts = one.improvements[0]
    return f_key(*counts)


SIGNIFICANCE_LEVEL = 0.05  # p value below which a difference is called significant


@dataclass(frozen=True, slots=True)
class LabelGain:
    """Scores of one label under two models.

    Parameters
    ----------
    label : str
        The label.
    support : int
        Number of gold spans.
    f_a, f_b : float, optional
        F of each model; None where there is no span to count.
    p_value : float
        Result of the paired test on the spans of this label.
    """

    label: str
    support: int
    f_a: float | None
    f_b: float | None
    p_value: float


@dataclass(frozen=True, slots=True)
class ModelComparison(FigureResult):
    """Scores of two models on the same gold, with a paired test of the difference.

    ``plot()`` draws the F of both models with its interval.

    Parameters
    ----------
    rows : (SystemScore, SystemScore)
        The first model, and the second with its gain over the first.
    p_value : float
        Probability of a difference in F as large as this one under the null
        hypothesis that the models are equal: approximate randomization,
        two-sided, paired by text; see `nbner.evaluation.permutation_test`.
    labels : tuple of LabelGain
        Scores by label.
    span_changes : SpanChanges
        Spans that one of them has right and the other wrong.
    split : str
        Name of the gold.
    """

    rows: tuple[SystemScore, SystemScore]
    p_value: float
    labels: tuple[LabelGain, ...] = field(repr=False)
    span_changes: SpanChanges = field(repr=False)
    split: str = "dev"

    @property
    def gain(self) -> float:
        """F of the second model minus F of the first, between -1 and 1."""
        return self.rows[1].gain.value

    @property
    def is_significant(self) -> bool:
        """Whether the p value of the difference in F is below 0.05."""
        return self.p_value < SIGNIFICANCE_LEVEL

    @property
    def frame(self) -> pd.DataFrame:
        """One row a model.

        ``name``, ``n`` (texts), ``f`` and ``gain`` with ``_low`` and ``_high``
        (95 % intervals, paired bootstrap over texts), ``p``, ``changed``,
        ``better`` and ``worse``: numbers of texts with other spans, and of
        those that are better or worse.
        """
        import pandas as pd

        rows = [
            (
                *(one.name, one.n, one.f.value, one.f.low, one.f.high),
                *(one.gain.value, one.gain.low, one.gain.high, p),
                *(one.changed, one.better, one.worse),
            )
            for one, p in zip(self.rows, (float("nan"), self.p_value), strict=True)
        ]
        figures = [f"{name}{end}" for name in ("f", "gain") for end in ("", "_low", "_high")]
        return pd.DataFrame(
            rows, columns=["name", "n", *figures, "p", "changed", "better", "worse"]
        )

    @property
    def per_label(self) -> pd.DataFrame:
        """One row a label: label, support, f_a, f_b, gain, p.

        Each p is of one test; among many labels some lie below .05 by chance.
        """
        import pandas as pd

        frame = pd.DataFrame(
            [(one.label, one.support, one.f_a, one.f_b, one.p_value) for one in self.labels],
            columns=["label", "support", "f_a", "f_b", "p"],
        ).astype({"f_a": "float64", "f_b": "float64"})
        frame.insert(4, "gain", frame["f_b"] - frame["f_a"])
        return frame

    @property
    def summary(self) -> str:
        """Whether the second model is better, in words with the numbers."""
        first, second = self.rows
        gain = second.gain
        verb = "gains" if gain.value >= 0 else "loses"
        found = (
            f"{second.name} {verb} {100 * abs(gain.value):.1f} F "
            f"over {first.name} ({100 * gain.low:+.1f} to {100 * gain.high:+.1f}; "
            f"p = {self.p_value:.4f}, paired, over {plural(second.n, 'text')} of {self.split})"
        )
        if self.is_significant:
            return f"{found}. Chance alone would hardly make that difference."
        return f"{found}. That may be chance: compare on more texts, or call them equal."

    def _draw(self, ax: Axes | None) -> Axes:
        name = self.rows[1].name
        return draw_comparison(self.frame, highlighted=name, title=self._headline(), ax=ax)

    def _headline(self) -> str:
        second = self.rows[1]
        return f"{second.name}: {100 * second.gain.value:+.1f} F, p = {self.p_value:.3f}"

    def __str__(self) -> str:
        return f"{self.summary}\n{self.span_changes}"

    def _repr_html_(self) -> str:
        return render_html(str(self), self.frame)


def draw_comparison(
    frame: pd.DataFrame,
    *,
    highlighted: str | None = None,
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the F of each system with its interval, the first on top.

    Parameters
    ----------
    frame : DataFrame
        As ``RerankingComparison.frame`` or ``ModelComparison.frame``.
    highlighted : str, optional
        Name of the row to emphasize.
    title : str, optional
        By default the number of systems.
    ax : Axes, optional
        By default new axes.
    """
    ax = (
        new_axes(height=1.2 + 1.3 * ROW_HEIGHT * max(3, len(frame)), has_rows=True)
        if ax is None
        else ax
    )
    for y, row in enumerate(frame.to_dict("records")):
        is_highlighted = row["name"] == highlighted
        color, alpha = (
            (ACCENT_COLOR, 1.0) if is_highlighted else (INK_COLOR, 1.0 if y == 0 else FAINT_ALPHA)
        )
        ax.plot([row["f_low"], row["f_high"]], [y, y], color=color, alpha=alpha, linewidth=2)
        ax.plot(row["f"], y, marker="o", markersize=8, color=color, alpha=alpha)
        gain = "" if y == 0 else f"  {100 * row['gain']:+.1f} F"
        annotate_row(ax, (row["f_high"], y), f"{row['f']:.3f}{gain}", color=color)
    name_ticks(ax.yaxis, frame["name"])
    ax.set_ylim(len(frame) - 0.4, -0.6)
    ax.axvline(frame["f"].iloc[0], color=INK_COLOR, linewidth=0.6, linestyle=":")
    ax.margins(x=0.15)
    ax.set_xlabel("F over exact spans (bars: 95 % intervals over texts)")
    return apply_style(ax, title or f"F of {len(frame)} systems")
