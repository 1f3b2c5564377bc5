"""A mean over a few runs with its interval (Student 1908, "The probable error of a mean")."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan, sqrt
from statistics import fmean, stdev

# The 97.5 % point of Student's t by degrees of freedom; beyond, the normal's.
_T = (
    *(12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228),
    *(2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086),
)
_NORMAL = 1.960


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean with its 95 % interval.

    Parameters
    ----------
    value : float
        NaN where there is nothing to count.
    low, high : float
        NaN where there is one value or none.
    """

    value: float
    low: float = nan
    high: float = nan

    def __str__(self) -> str:
        if self.low != self.low:  # NaN: there was one run
            return f"{self.value:.3f}"
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})"


def mean_f_estimate(values: Sequence[float | None]) -> Estimate:
    """Average F: as `mean_estimate`, with an interval that stays between 0 and 1."""
    found = mean_estimate(values)
    # A comparison with NaN is false: what is undefined stays so.
    low = 0.0 if found.low < 0 else found.low
    high = 1.0 if found.high > 1 else found.high
    return Estimate(found.value, low, high)


def mean_estimate(values: Sequence[float | None]) -> Estimate:
    """Average what is defined, with the interval that the spread of the values gives."""
    defined = [value for value in values if value is not None and value == value]
    if not defined:
        return Estimate(nan)
    middle = fmean(defined)
    if len(defined) == 1:
        return Estimate(middle)
    freedom = len(defined) - 1
    t = _T[freedom - 1] if freedom <= len(_T) else _NORMAL
    half = t * stdev(defined) / sqrt(len(defined))
    return Estimate(middle, middle - half, middle + half)
