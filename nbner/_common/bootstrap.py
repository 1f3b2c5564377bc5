"""Bootstrap intervals over texts, and the interval type that all statistics share.

A statistic is a function of sums over texts (counts, ranks, fractions). Drawing
texts with replacement means weighting each text by how often it was drawn, so
that every resampled sum comes from one matrix product. The interval is the
percentile interval (Efron 1979, "Bootstrap Methods").
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import isnan, nan
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

FloatArray: TypeAlias = NDArray[np.float64]

N_RESAMPLES = 1000
CONFIDENCE_LEVEL = 0.95
_MAX_WEIGHTS = 4_000_000  # weights in memory at a time


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its 95 % interval.

    Parameters
    ----------
    value : float
        NaN where there is nothing to count.
    low, high : float
        Ends of the interval; NaN where none can be computed.
    """

    value: float
    low: float = nan
    high: float = nan

    def __str__(self) -> str:
        if isnan(self.low):
            return f"{self.value:.3f}"
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})"


class Bootstrap:
    """Sums over texts, both as observed and over texts drawn with replacement.

    All statistics of one instance share their draws, so that differences
    between them are paired.

    Parameters
    ----------
    counts : array of shape (texts, columns)
        One row per text; statistics are computed from the sums of the columns.
    n_resamples : int
        Number of draws.
    seed : int
        Seed of the random generator.
    """

    def __init__(
        self, counts: NDArray[Any], *, n_resamples: int = N_RESAMPLES, seed: int = 0
    ) -> None:
        table = np.asarray(counts, dtype=np.float64)
        self._sums: FloatArray = table.sum(axis=0)
        self._resampled: FloatArray = _resampled_sums(
            table, n_resamples, np.random.default_rng(seed)
        )

    def estimate(
        self, statistic: Callable[[FloatArray], FloatArray], level: float = CONFIDENCE_LEVEL
    ) -> Estimate:
        """Compute a statistic with its percentile interval.

        Parameters
        ----------
        statistic : callable
            From sums of shape (..., columns) to values of shape (...); NaN
            where there is nothing to count.
        level : float
            Fraction of the resamples inside the interval.
        """
        value = float(statistic(self._sums))
        return Estimate(value, *percentile_interval(statistic(self._resampled), level))

    def mean(self, statistic: Callable[[FloatArray], FloatArray]) -> float:
        """Compute the mean of a statistic over the draws.

        Parameters
        ----------
        statistic : callable
            As for `estimate`. Draws in which it is NaN are left out.

        Returns
        -------
        float
            NaN where no draw defines it.
        """
        values = statistic(self._resampled)
        defined = values[~np.isnan(values)]
        return float(defined.mean()) if defined.size else nan


def percentile_interval(values: FloatArray, level: float = CONFIDENCE_LEVEL) -> tuple[float, float]:
    """Compute the central interval of resampled values; NaN values are left out.

    Parameters
    ----------
    values : array of shape (resamples,)
        A statistic of each resample.
    level : float
        Fraction of the values inside the interval.

    Returns
    -------
    low, high : float
        NaN where no value is defined.
    """
    defined = values[~np.isnan(values)]
    if not defined.size:
        return nan, nan
    outside = (1 - level) / 2
    low, high = np.quantile(defined, [outside, 1 - outside])
    return float(low), float(high)


def wilson_interval(count: int, n: int) -> tuple[float, float]:
    """Compute the 95 % interval of a fraction (Wilson 1927).

    Parameters
    ----------
    count, n : int
        How many of how many.

    Returns
    -------
    low, high : float
        NaN where ``n`` is 0.
    """
    if not n:
        return nan, nan
    z = 1.959964
    share = count / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * float(np.sqrt(share * (1 - share) / n + z * z / (4 * n * n)))
    return max(0.0, middle - half), min(1.0, middle + half)


def micro_f(counts: FloatArray) -> FloatArray:
    """Compute micro-averaged F1 from summed counts.

    Parameters
    ----------
    counts : array of shape (..., 3)
        True positives, false positives and false negatives.

    Returns
    -------
    array of shape (...)
        NaN where there is neither a predicted nor a gold span.
    """
    tp, fp, fn = counts[..., 0], counts[..., 1], counts[..., 2]
    return safe_divide(2 * tp, 2 * tp + fp + fn)


def micro_f_at(column: int, sums: FloatArray) -> FloatArray:
    """Compute micro-averaged F1 from three neighbouring columns of sums.

    Parameters
    ----------
    column : int
        Column of the true positives; false positives and false negatives follow.
    sums : array of shape (..., columns)
        Summed counts.

    Returns
    -------
    array of shape (...)
        NaN where there is neither a predicted nor a gold span.
    """
    return micro_f(sums[..., column : column + 3])


def difference(
    left: Callable[[FloatArray], FloatArray],
    right: Callable[[FloatArray], FloatArray],
    sums: FloatArray,
) -> FloatArray:
    """Compute the paired difference of two statistics over the same sums.

    Parameters
    ----------
    left, right : callable
        From sums of shape (..., columns) to values of shape (...).
    sums : array of shape (..., columns)
        Summed counts.
    """
    return left(sums) - right(sums)


def safe_divide(
    part: FloatArray, whole: FloatArray | np.float64, *, minimum: float = 0.0
) -> FloatArray:
    """Divide; NaN where the denominator is not above a minimum.

    Parameters
    ----------
    part, whole : array
        Numerator and denominator, of shapes that broadcast.
    minimum : float
        Denominators up to this count as zero.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(whole > minimum, np.divide(part, whole), nan))


def draw_weights(n_texts: int, n_resamples: int, random: np.random.Generator) -> NDArray[np.int64]:
    """Draw how often each text occurs in each resample.

    Parameters
    ----------
    n_texts : int
        Number of texts, which is also the size of each resample.
    n_resamples : int
        Number of resamples.
    random : numpy.random.Generator
        Source of the draws; calls with one generator continue one sequence.

    Returns
    -------
    array of shape (n_resamples, n_texts)
        Each row sums to ``n_texts``.
    """
    if not n_texts:
        return np.zeros((n_resamples, 0), dtype=np.int64)
    return random.multinomial(n_texts, np.full(n_texts, 1 / n_texts), size=n_resamples)


def _resampled_sums(table: FloatArray, n_resamples: int, random: np.random.Generator) -> FloatArray:
    size = len(table)
    if not size:
        return np.zeros((n_resamples, table.shape[1]))
    batch = max(1, _MAX_WEIGHTS // size)
    parts = []
    for start in range(0, n_resamples, batch):
        drawn = min(batch, n_resamples - start)
        parts.append(draw_weights(size, drawn, random) @ table)
    return np.concatenate(parts)
