"""Result of the calibration of lists: likelihood of gold before and after, over the temperature."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from nbner._common.bootstrap import Bootstrap, Estimate, FloatArray, safe_divide
from nbner._common.format import format_number, plural
from nbner._common.plot_style import (
    ACCENT_COLOR,
    INK_COLOR,
    apply_style,
    label_line,
    new_axes,
)
from nbner._common.result import FigureResult
from nbner.decoding.calibration.list_temperature import GoldActions

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

CURVE_TEMPERATURES = (0.5, 0.7, 0.85, 1.0, 1.2, 1.4, 1.7, 2.0, 2.5, 3.0, 4.0)
_COLUMNS = ["temperature", "log_likelihood", "is_fitted"]


@dataclass(frozen=True, slots=True)
class ListCalibration(FigureResult):
    """Temperature of the states for k best lists; the method: `calibration.list_temperature`.

    ``plot()`` draws the mean log-likelihood of gold over the temperature.

    Parameters
    ----------
    temperature : float
        Fitted on all texts; the decoder "exact_calibrated" uses it from now on.
    before, after, gain : Estimate
        Mean log-probability of a text's gold analysis, in nats: at temperature 1,
        at the temperature that the other folds choose, and the paired difference.
    curve : tuple of (float, float)
        Temperature and mean log-probability over all texts.
    n_texts, n_spans : int
        Texts whose gold is an analysis of the model, and their gold spans.
    unreachable : int
        Texts whose gold is none; they are left out.
    split : str
        Name of the split with the gold.
    fingerprint : str
        Fingerprint of the model.
    """

    temperature: float
    before: Estimate
    after: Estimate
    gain: Estimate
    curve: tuple[tuple[float, float], ...] = field(repr=False)
    n_texts: int = 0
    n_spans: int = 0
    unreachable: int = 0
    split: str = "dev"
    fingerprint: str = ""

    @classmethod
    def from_actions(
        cls, actions: GoldActions, *, seed: int = 0, split: str = "dev", fingerprint: str = ""
    ) -> ListCalibration:
        """Fit the temperature and count its effect over texts that it was not fitted on.

        Parameters
        ----------
        actions : GoldActions
            States of the gold analyses; at least one text.
        seed : int
            Seed of folds and bootstrap.
        split : str
            Name of the split with the gold.
        fingerprint : str
            Fingerprint of the model.
        """
        fitted = actions.fit()
        sides = [
            actions.log_likelihoods(1.0),
            actions.log_likelihoods(actions.cross_fit(seed=seed)),
        ]
        columns = [*sides, sides[1] - sides[0], np.ones(actions.n_texts)]
        resamples = Bootstrap(np.stack(columns, axis=1), seed=seed)
        before, after, gain = (resamples.estimate(partial(_mean, i)) for i in range(3))
        shown = sorted({*CURVE_TEMPERATURES, fitted})
        return cls(
            temperature=fitted,
            before=before,
            after=after,
            gain=gain,
            curve=tuple((one, float(actions.log_likelihoods(one).mean())) for one in shown),
            n_texts=actions.n_texts,
            n_spans=actions.n_spans,
            unreachable=actions.unreachable,
            split=split,
            fingerprint=fingerprint,
        )

    @property
    def frame(self) -> pd.DataFrame:
        """One row a temperature: ``temperature``, ``log_likelihood`` (nats a text), ``is_fitted``.

        The likelihood here is over all texts, those that chose the temperature.
        """
        import pandas as pd

        rows = [(at, value, at == self.temperature) for at, value in self.curve]
        return pd.DataFrame(rows, columns=_COLUMNS)

    def _draw(self, ax: Axes | None) -> Axes:
        ax = new_axes() if ax is None else ax
        at, values = zip(*self.curve, strict=True)
        ax.plot(at, values, color=ACCENT_COLOR, linewidth=1.8)
        for place, name, color in (
            (1.0, "as the model is", INK_COLOR),
            (self.temperature, f"fitted: {format_number(self.temperature)}", ACCENT_COLOR),
        ):
            height = dict(self.curve)[place]
            ax.plot(place, height, marker="o", color=color)
            label_line(ax, place, height, name, color)
        ax.set_xlabel("temperature of the states")
        ax.set_ylabel("log-likelihood of gold, nats a text")
        return apply_style(
            ax, f"Gold is likeliest at the temperature {format_number(self.temperature)}"
        )

    def __str__(self) -> str:
        flattens = "flattens" if self.temperature > 1 else "sharpens"
        text = (
            f"Temperature {format_number(self.temperature)}, which {flattens} the states, fitted "
            f"on the gold of {plural(self.n_texts, 'text')} of {self.split}: log-likelihood "
            f"{self.before.value:.2f} to {self.after.value:.2f} nats a text, 95 % interval of the "
            f"gain {self.gain.low:+.2f} to {self.gain.high:+.2f} (on texts that it was not fitted "
            'on). session.parses(..., decoder="exact_calibrated") uses it, and '
            "session.oracle_curve() shows what it changes."
        )
        if self.unreachable:
            text += (
                f" Left out: {plural(self.unreachable, 'text')} whose gold is no analysis of the "
                "model (an unknown label, or a span off the tokens) or lacks one of its labels."
            )
        return text


def _mean(column: int, sums: FloatArray) -> FloatArray:
    return safe_divide(sums[..., column], sums[..., -1])
