"""Result of a calibration: error before and after, per label, and a reliability diagram."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nbner._common.format import format_number, plural, render_html
from nbner._common.plot_style import (
    ACCENT_COLOR,
    FAINT_ALPHA,
    INK_COLOR,
    apply_style,
    label_lines,
    new_axes,
)
from nbner._common.result import FigureResult
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
class Calibration(FigureResult):
    """Calibration of a model's span probabilities on gold; the method: `calibration.temperature`.

    ``plot()`` draws the reliability diagram, before and after.

    Parameters
    ----------
    temperatures : Temperatures
        Fitted on all pairs; the model's probabilities are scaled by them from now
        on.
    before : CalibrationPairs
        Probabilities as the model predicts them.
    after : CalibrationPairs
        Probabilities scaled by temperatures that were fitted on other texts.
    split : str
        Name of the split with the gold.
    n_texts : int
        Number of its texts.
    fingerprint : str
        Fingerprint of the model.
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
        """Build the result, with the error after calibration by cross-fitting over texts.

        Parameters
        ----------
        pairs : CalibrationPairs
            Probabilities as the model predicts them.
        temperatures : Temperatures
            Fitted on all pairs.
        seed : int
            Seed of the assignment of texts to folds.
        split : str
            Name of the split with the gold.
        n_texts : int
            Number of its texts.
        fingerprint : str
            Fingerprint of the model.
        """
        per_label = bool(temperatures.per_label)
        after = cross_calibrate(pairs, per_label=per_label, seed=seed)
        return cls(temperatures, pairs, after, split, n_texts, fingerprint)

    @property
    def temperature(self) -> float:
        """The temperature of every label without one of its own."""
        return self.temperatures.overall

    @property
    def error_before(self) -> float:
        """Expected calibration error of the model's own probabilities, between 0 and 1."""
        return expected_calibration_error(self.before)

    @property
    def error_after(self) -> float:
        """Expected calibration error after scaling, by temperatures fitted on other texts."""
        return expected_calibration_error(self.after)

    @property
    def frame(self) -> pd.DataFrame:
        """One row a bin, before and after.

        ``when``, ``low``, ``high`` (bounds), ``n`` (predicted spans),
        ``confidence`` (mean probability), ``accuracy`` (fraction that is correct)
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
        temperature of its own and an unreliable error.
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

    def _draw(self, ax: Axes | None) -> Axes:
        return _draw_reliability_diagram(self.frame, title=self._headline(), ax=ax)

    def _headline(self) -> str:
        mean = float(self.before.probability.mean() - self.before.correct.mean())
        kind = "overconfident" if mean > 0 else "underconfident"
        points = abs(100 * mean)
        bias = f"{points:.0f} points {kind}" if points >= 1 else "Neither over- nor underconfident"
        return (
            f"{bias}: calibration error {format_number(self.error_before, 3)}, and "
            f"{format_number(self.error_after, 3)} with the temperature "
            f"{format_number(self.temperature)}"
        )

    def __str__(self) -> str:
        own = len(self.temperatures.per_label)
        also = f", and of its own for {plural(own, 'label')}" if own else ""
        fitted = (
            f"temperature {format_number(self.temperature)}{also}, fitted on "
            f"{plural(len(self.before), 'predicted span')} in {plural(self.n_texts, 'text')} of "
            f"{self.split}"
        )
        error = (
            f"expected calibration error {format_number(self.error_before, 3)} before, "
            f"{format_number(self.error_after, 3)} after (on texts that it was not fitted on)"
        )
        return f"{fitted}\n{error}"

    def _repr_html_(self) -> str:
        return render_html(str(self), self.per_label)


_MAX_MARKER_AREA = 140.0  # points squared, the mark of the fullest bin
_MIN_MARKER_AREA = 12.0

_STYLES = {"before": (INK_COLOR, "s", FAINT_ALPHA), "after": (ACCENT_COLOR, "o", 1.0)}


def _draw_reliability_diagram(
    frame: pd.DataFrame, *, title: str | None = None, ax: Axes | None = None
) -> Axes:
    """Draw the fraction of correct spans over their mean probability, bin by bin.

    Calibrated probabilities are on the diagonal. The area of a marker is the number
    of spans in its bin, its bar the 95 % interval of the fraction.

    Parameters
    ----------
    frame : DataFrame
        `Calibration.frame`: one row a bin, "before" and "after".
    title : str, optional
        Title of the plot.
    ax : Axes, optional
        Axes to draw on; new ones by default.
    """
    ax = new_axes(width=5.4, height=4.6) if ax is None else ax
    ax.plot([0, 1], [0, 1], color=INK_COLOR, linewidth=0.8, linestyle=":")
    most = frame["n"].max() or 1
    ends = []
    for when, rows in frame[frame["n"] > 0].groupby("when", sort=False):
        color, marker, alpha = _STYLES.get(str(when), (INK_COLOR, "o", 1.0))
        x, y = rows["confidence"], rows["accuracy"]
        ax.vlines(
            x, rows["accuracy_low"], rows["accuracy_high"], color=color, alpha=alpha, linewidth=1
        )
        ax.plot(x, y, color=color, alpha=alpha, linewidth=1.2)
        size = _MIN_MARKER_AREA + (_MAX_MARKER_AREA - _MIN_MARKER_AREA) * rows["n"] / most
        ax.scatter(x, y, s=size, color=color, marker=marker, alpha=alpha, linewidths=0)
        ends.append((x.iloc[-1], y.iloc[-1], str(when), color))
    ax.set_xlim(0, 1)
    ax.set_ylim(0, 1.02)
    label_lines(ax, ends)
    ax.set_xlabel("probability (mean of the bin; dotted: what it should be)")
    ax.set_ylabel("share of predicted spans that are right")
    return apply_style(ax, title or "How often a probability is right")
