"""Bootstrap intervals over texts: how far a figure would move with other texts of the same kind.

A figure is a function of sums over texts (counts, ranks, shares). Drawing the
texts anew with replacement means weighting each one by how often it was drawn,
so that every resampled sum comes out of one product of matrices. The interval
is that of the percentiles (Efron 1979, "Bootstrap Methods").
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import nan
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

FloatArray: TypeAlias = NDArray[np.float64]

N_RESAMPLES = 1000
CONFIDENCE_LEVEL = 0.95
_CELLS = 4_000_000  # weights held at a time


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its interval.

    Parameters
    ----------
    value : float
        NaN where there is nothing to count.
    low, high : float
        Ends of the 95 % interval; NaN where no resample has anything to count.
    """

    value: float
    low: float = nan
    high: float = nan


class Bootstrap:
    """Sums over texts, once as they are and many times over texts drawn with replacement.

    All figures made from one object share their draws, so that differences
    between them are paired.

    Parameters
    ----------
    counts : array of shape (texts, columns)
        One row a text; the columns are what figures are made of.
    n_resamples : int
        How many times to draw.
    seed : int
    """

    def __init__(
        self, counts: NDArray[Any], *, n_resamples: int = N_RESAMPLES, seed: int = 0
    ) -> None:
        table = np.asarray(counts, dtype=np.float64)
        self._sums: FloatArray = table.sum(axis=0)
        self._drawn: FloatArray = _drawn_sums(table, n_resamples, np.random.default_rng(seed))

    def estimate(
        self, statistic: Callable[[FloatArray], FloatArray], level: float = CONFIDENCE_LEVEL
    ) -> Estimate:
        """Give a figure with its interval.

        Parameters
        ----------
        statistic : callable
            From sums of shape (..., columns) to values of shape (...); NaN
            where there is nothing to count.
        level : float
            Share of the resamples that the interval holds.
        """
        value = float(statistic(self._sums))
        return Estimate(value, *percentile_interval(statistic(self._drawn), level))


def percentile_interval(values: FloatArray, level: float = CONFIDENCE_LEVEL) -> tuple[float, float]:
    """Give the middle part of resampled values; those that are NaN are left out.

    Parameters
    ----------
    values : array of shape (repeats,)
    level : float
        The share that lies inside.

    Returns
    -------
    tuple of float
        NaN twice where no value is defined.
    """
    defined = values[~np.isnan(values)]
    if not defined.size:
        return nan, nan
    outside = (1 - level) / 2
    low, high = np.quantile(defined, [outside, 1 - outside])
    return float(low), float(high)


def micro_f(counts: FloatArray) -> FloatArray:
    """Give the F of summed counts.

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
    """Compute F from the three counts that begin at a column.

    Parameters
    ----------
    column : int
        Of the true positives; false positives and false negatives follow.
    sums : array of shape (..., columns)
    """
    return micro_f(sums[..., column : column + 3])


def difference(
    left: Callable[[FloatArray], FloatArray],
    right: Callable[[FloatArray], FloatArray],
    sums: FloatArray,
) -> FloatArray:
    """Subtract one figure from another over the same sums, so that draws stay paired."""
    return left(sums) - right(sums)


def safe_divide(part: FloatArray, whole: FloatArray | np.float64) -> FloatArray:
    """Divide; nothing divided by nothing is NaN."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(whole > 0, np.divide(part, whole), nan))


def _drawn_sums(table: FloatArray, repeats: int, random: np.random.Generator) -> FloatArray:
    size = len(table)
    if not size:
        return np.zeros((repeats, table.shape[1]))
    at_once = max(1, _CELLS // size)
    parts = []
    for start in range(0, repeats, at_once):
        drawn = min(at_once, repeats - start)
        weights = random.multinomial(size, np.full(size, 1 / size), size=drawn)
        parts.append(weights @ table)
    return np.concatenate(parts)
