"""How far a model's probabilities can be believed, before and after a temperature."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nbner._common.format import format_number, render_html
from nbner.decoding.calibration.temperature import (
    CalibrationPairs,
    Temperatures,
    cross_calibrate,
    expected_calibration_error,
    reliability_bins,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_BIN_COLUMNS = ["low", "high", "n", "confidence", "accuracy", "accuracy_low", "accuracy_high"]


@dataclass(frozen=True, slots=True)
class Calibration:
    """A model's span probabilities held against gold; how: `analysis.calibration`.

    Parameters
    ----------
    temperatures : Temperatures
        Fitted on all pairs; what the model's probabilities are scaled by from
        now on.
    before, after : CalibrationPairs
        As the model gives them; and scaled, each by temperatures that were
        fitted on other texts.
    split : str
    n_texts : int
    fingerprint : str
    """

    temperatures: Temperatures
    before: CalibrationPairs = field(repr=False)
    after: CalibrationPairs = field(repr=False)
    split: str = "dev"
    n_texts: int = 0
    fingerprint: str = ""

    @classmethod
    def from_pairs(
        cls,
        pairs: CalibrationPairs,
        temperatures: Temperatures,
        *,
        seed: int = 0,
        split: str = "dev",
        n_texts: int = 0,
        fingerprint: str = "",
    ) -> Calibration:
        """Measure the error after by cross-fitting over texts."""
        per_label = bool(temperatures.per_label)
        after = cross_calibrate(pairs, per_label=per_label, seed=seed)
        return cls(temperatures, pairs, after, split, n_texts, fingerprint)

    @property
    def temperature(self) -> float:
        """The temperature of every label without one of its own."""
        return self.temperatures.overall

    @property
    def error_before(self) -> float:
        """Expected calibration error as the model gives its probabilities, between 0 and 1."""
        return expected_calibration_error(self.before)

    @property
    def error_after(self) -> float:
        """The same with temperatures fitted on other texts than those they are measured on."""
        return expected_calibration_error(self.after)

    @property
    def frame(self) -> pd.DataFrame:
        """One row a bin, before and after.

        ``when``, ``low``, ``high`` (borders), ``n`` (predicted spans),
        ``confidence`` (mean probability), ``accuracy`` (share that is right)
        with ``accuracy_low`` and ``accuracy_high``; NaN in an empty bin.
        """
        import pandas as pd

        rows = [
            {"when": when, **{column: getattr(one, column) for column in _BIN_COLUMNS}}
            for when, pairs in (("before", self.before), ("after", self.after))
            for one in reliability_bins(pairs)
        ]
        return pd.DataFrame(rows)

    @property
    def per_label(self) -> pd.DataFrame:
        """One row a label: ``label``, ``n``, ``temperature``, ``accuracy``, errors before, after.

        ``n`` is the number of predicted spans; a label with few of them has no
        temperature of its own and an error that says little.
        """
        import pandas as pd

        rows = []
        for label in sorted(set(self.before.label)):
            before, after = self.before.with_label(label), self.after.with_label(label)
            rows.append(
                {
                    "label": label,
                    "n": len(before),
                    "temperature": self.temperatures.for_label(label),
                    "accuracy": float(before.correct.mean()),
                    "error_before": expected_calibration_error(before),
                    "error_after": expected_calibration_error(after),
                }
            )
        return pd.DataFrame(rows)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the reliability diagram, before and after."""
        from nbner.decoding.calibration.plot import reliability_diagram

        return reliability_diagram(self.frame, title=self._headline(), ax=ax)

    def _headline(self) -> str:
        mean = float(self.before.probability.mean() - self.before.correct.mean())
        kind = "overconfident" if mean > 0 else "underconfident"
        points = abs(100 * mean)
        bias = f"{points:.0f} points {kind}" if points >= 1 else "Neither over- nor underconfident"
        return (
            f"{bias}: error {format_number(self.error_before, 3)}, with a temperature "
            f"{format_number(self.error_after, 3)}"
        )

    def __str__(self) -> str:
        own = len(self.temperatures.per_label)
        also = f", and of its own for {own} labels" if own else ""
        fitted = (
            f"temperature {format_number(self.temperature)}{also}, fitted on "
            f"{len(self.before):,} predicted spans in {self.n_texts:,} texts of {self.split}"
        )
        error = (
            f"expected calibration error {format_number(self.error_before, 3)} before, "
            f"{format_number(self.error_after, 3)} after (on texts that it was not fitted on)"
        )
        return f"{fitted}\n{error}"

    def _repr_html_(self) -> str:
        return render_html(str(self), self.per_label)
