"""Two models held against the same gold: how far apart they are, whether by chance, and where."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nbner._common.format import render_html
from nbner.evaluation.comparison import SystemScore
from nbner.evaluation.regressions_report import SpanChanges

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

SIGNIFICANCE_LEVEL = 0.05  # probability below which a difference is not put down to chance


@dataclass(frozen=True, slots=True)
class LabelGain:
    """One label under both models.

    Parameters
    ----------
    label : str
    support : int
        Gold spans.
    f_a, f_b : float, optional
        None where there is no span to count.
    p_value : float
        Of the paired test on this label's spans.
    """

    label: str
    support: int
    f_a: float | None
    f_b: float | None
    p_value: float


@dataclass(frozen=True, slots=True)
class ModelComparison:
    """Two models over the same gold, text by text.

    Parameters
    ----------
    rows : (Compared, Compared)
        The first model, and the second with its gain over the first.
    p_value : float
        Probability of a difference in F as large as this one if the models
        were alike: approximate randomisation, two-sided, paired by text; see
        `nbner.evaluation.permutation_test`.
    labels : tuple of LabelGain
    span_changes : SpanChanges
        Spans that one of them has right and the other wrong.
    split : str
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
        """Whether chance alone would make such a difference in fewer than 5 of 100 cases."""
        return self.p_value < SIGNIFICANCE_LEVEL

    @property
    def frame(self) -> pd.DataFrame:
        """One row a model.

        ``name``, ``n`` (texts), ``f`` and ``gain`` with ``_low`` and ``_high``
        (95 % intervals, paired bootstrap over texts), ``p``, ``changed``,
        ``better`` and ``worse``: texts decided otherwise, and how they fare.
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
        """Whether the second model is better, in words with its figures."""
        first, second = self.rows
        gain = second.gain
        verb = "gains" if gain.value >= 0 else "loses"
        found = (
            f"{second.name} {verb} {100 * abs(gain.value):.1f} F "
            f"over {first.name} ({100 * gain.low:+.1f} to {100 * gain.high:+.1f}; "
            f"p = {self.p_value:.4f}, paired, over {second.n:,} texts of {self.split})"
        )
        if self.is_significant:
            return f"{found}. Chance alone would hardly make that difference."
        return f"{found}. That may be chance: compare on more texts, or call them equal."

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the F of both models with its interval."""
        from nbner.evaluation.comparison_plot import draw_comparison

        name = self.rows[1].name
        return draw_comparison(self.frame, highlighted=name, title=self._headline(), ax=ax)

    def _headline(self) -> str:
        second = self.rows[1]
        return f"{second.name}: {100 * second.gain.value:+.1f} F, p = {self.p_value:.3f}"

    def __str__(self) -> str:
        return f"{self.summary}\n{self.span_changes}"

    def _repr_html_(self) -> str:
        return render_html(str(self), self.frame)
