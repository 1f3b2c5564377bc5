"""How quality grows with the number of labelled examples, and what the next batch would bring.

The curve is a power law, ``f(n) = a - b * n ** -c`` with b >= 0, fitted by
least squares for each c of a grid (Cortes et al. 1994, "Learning curves:
asymptotic values and rate of convergence").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan
from typing import TYPE_CHECKING

import numpy as np

from nbner._common.student_t import Estimate, mean_estimate

if TYPE_CHECKING:
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
        """Give the curve's height at n examples."""
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
