"""Predictions measured against gold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nbner.analysis.scores import Matches, Scheme, Score
from nbner.results.writing import as_html, listed, number

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Predictions measured against the accepted examples of a split.

    Parameters
    ----------
    score : Score
    split : str
        What was measured on.
    fingerprint : str
        The model that predicted.
    """

    score: Score
    split: str = "dev"
    fingerprint: str = ""

    @property
    def n(self) -> int:
        """Examples counted over."""
        return self.score.n

    @property
    def support(self) -> int:
        """Gold spans counted over."""
        return self.score.exact.support

    @property
    def f(self) -> float | None:
        """F over exact spans, between 0 and 1; None where there is no span at all."""
        return self.score.exact.f

    @property
    def precision(self) -> float | None:
        """Share of the predicted spans that are right; None where nothing was predicted."""
        return self.score.exact.precision

    @property
    def recall(self) -> float | None:
        """Share of the gold spans that were found; None where gold has none."""
        return self.score.exact.recall

    @property
    def schemes(self) -> dict[Scheme, float | None]:
        """F under each of nervaluate's schemes: strict, exact, partial, ent_type."""
        return {scheme: matches.f for scheme, matches in self.score.schemes.items()}

    @property
    def matches(self) -> Mapping[Scheme, Matches]:
        """The counts under each scheme: correct, incorrect, partial, missed, spurious."""
        return self.score.schemes

    @property
    def frame(self) -> pd.DataFrame:
        """One row a label: label, precision, recall, f, support; NaN where undefined."""
        import pandas as pd

        rows = [
            (label, counts.precision, counts.recall, counts.f, counts.support)
            for label, counts in self.score.per_label.items()
        ]
        frame = pd.DataFrame(rows, columns=["label", "precision", "recall", "f", "support"])
        numbers = dict.fromkeys(("precision", "recall", "f"), "float64")
        return frame.astype({"label": "object", **numbers, "support": "int64"})

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw F, precision and recall of every label."""
        from nbner.plots import evaluation_rows

        return evaluation_rows(self.frame, title=self._headline(), ax=ax)

    def _headline(self) -> str:
        counted = [(c.f, name) for name, c in self.score.per_label.items() if c.f is not None]
        weakest = f"; weakest: {min(counted)[1]}" if len(counted) > 1 else ""
        return f"F {number(self.f)} on {self.split}, {self.n:,} examples{weakest}"

    def __str__(self) -> str:
        numbers = {"F": self.f, "precision": self.precision, "recall": self.recall}
        over = f"{self.support:,} gold spans in {self.n:,} examples of {self.split}"
        lines = [f"{listed(numbers)}, over {over}", f"F by scheme: {listed(self.schemes)}"]
        if self.score.left_out:
            lines.append(
                f"{self.score.left_out:,} predicted spans left out: their labels could not be "
                "given when the examples were answered"
            )
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return as_html(str(self), self.frame)
