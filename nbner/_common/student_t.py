"""Mean of a few runs with its Student t interval (Student 1908, "The probable error of a mean")."""

from __future__ import annotations

from collections.abc import Sequence
from math import nan, sqrt
from statistics import fmean, stdev

from nbner._common.bootstrap import Estimate

__all__ = ["Estimate", "mean_estimate", "mean_f_estimate"]

# The 97.5 % quantile of Student's t for 1 to 20 degrees of freedom; beyond, the normal's.
_T = (
    *(12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228),
    *(2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086),
)
_NORMAL = 1.960


def mean_f_estimate(values: Sequence[float | None]) -> Estimate:
    """Compute the mean of F scores, with an interval clipped to 0 to 1.

    Parameters
    ----------
    values : sequence of float or None
        One F score per run; None and NaN are undefined and left out.
    """
    found = mean_estimate(values)
    # Comparisons with NaN are false: an undefined end stays NaN.
    low = 0.0 if found.low < 0 else found.low
    high = 1.0 if found.high > 1 else found.high
    return Estimate(found.value, low, high)


def mean_estimate(values: Sequence[float | None]) -> Estimate:
    """Compute the mean of the defined values with its 95 % Student t interval.

    Parameters
    ----------
    values : sequence of float or None
        One value per run; None and NaN are undefined and left out.

    Returns
    -------
    Estimate
        Without an interval where fewer than two values are defined.
    """
    defined = [value for value in values if value is not None and value == value]
    if not defined:
        return Estimate(nan)
    mean = fmean(defined)
    if len(defined) == 1:
        return Estimate(mean)
    freedom = len(defined) - 1
    t = _T[freedom - 1] if freedom <= len(_T) else _NORMAL
    half = t * stdev(defined) / sqrt(len(defined))
    return Estimate(mean, mean - half, mean + half)
