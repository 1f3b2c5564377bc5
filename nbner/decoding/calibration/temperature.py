"""Temperature scaling of span probabilities, and the expected calibration error.

A pair is the probability of a predicted span and whether gold contains exactly
that span. Probabilities are *calibrated* if of all spans with probability p a
fraction p is correct.

- Temperature scaling: the log-odds of a probability are divided by one number,
  the temperature, fitted by maximum likelihood (Guo et al. 2017, "On
  Calibration of Modern Neural Networks"; for two outcomes it is Platt's method
  without an offset, with his smoothed targets, so that a label whose spans are
  all correct does not become certain). It changes neither which spans are
  predicted nor the order of their probabilities within a label. A temperature
  above 1 lowers confidence, one below 1 raises it.
- Expected calibration error: the pairs are put into bins of equal width; it is
  the mean distance between a bin's mean probability and its fraction of correct
  spans, weighted by the sizes of the bins (Naeini et al. 2015, usually ten bins).
- The error *after* is measured on texts that the temperature was not fitted
  on: the texts are assigned to folds, and the pairs of a fold are scaled by
  the temperature of the other folds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import nan
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from nbner._common.bootstrap import FloatArray, wilson_interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

Bools: TypeAlias = "NDArray[np.bool_]"

BINS = 10
FOLDS = 5
MIN_PAIRS = 30  # pairs that a label needs for a temperature of its own
MIN_TEMPERATURE, MAX_TEMPERATURE = 0.05, 20.0
EPSILON = 1e-6  # to 0 and 1: log-odds stay finite


@dataclass(frozen=True, slots=True)
class Temperatures:
    """Temperatures of a model's span probabilities.

    Parameters
    ----------
    overall : float
        Temperature of every label without one of its own.
    per_label : mapping
        Label to temperature.
    """

    overall: float = 1.0
    per_label: Mapping[str, float] = field(default_factory=dict, hash=False)

    def for_label(self, label: str) -> float:
        """Return the temperature of a label.

        Parameters
        ----------
        label : str
            The label.
        """
        return self.per_label.get(label, self.overall)

    def apply(self, probability: float, label: str) -> float:
        """Return the calibrated probability of one span.

        Parameters
        ----------
        probability : float
            Probability as the model predicts it.
        label : str
            Label of the span.
        """
        return float(scale(np.array([probability]), self.for_label(label))[0])


@dataclass(frozen=True, slots=True)
class CalibrationPairs:
    """Probabilities of predicted spans, and whether the spans are correct.

    Parameters
    ----------
    probability : array of float64, shape (pairs,)
        Probability of each predicted span.
    correct : array of bool, shape (pairs,)
        Whether gold contains exactly that span.
    label : tuple of str
        Label of each span.
    text : array of int, shape (pairs,)
        Index of the text of each span; all spans of a text are in one fold.
    """

    probability: FloatArray
    correct: Bools
    label: tuple[str, ...]
    text: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.probability)

    def select(self, chosen: Bools) -> CalibrationPairs:
        """Return the pairs that a mask selects.

        Parameters
        ----------
        chosen : array of bool, shape (pairs,)
            The mask.
        """
        label = tuple(one for one, taken in zip(self.label, chosen, strict=True) if taken)
        return CalibrationPairs(
            self.probability[chosen], self.correct[chosen], label, self.text[chosen]
        )

    def with_label(self, label: str) -> CalibrationPairs:
        """Return the pairs of one label.

        Parameters
        ----------
        label : str
            The label.
        """
        return self.select(np.array([one == label for one in self.label], dtype=bool))


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """One bin of a reliability diagram.

    Parameters
    ----------
    low, high : float
        Bounds of the probability; the upper one is included in the last bin only.
    n : int
        Number of pairs.
    confidence : float
        Mean probability; NaN in an empty bin.
    accuracy : float
        Fraction of correct spans; NaN in an empty bin.
    accuracy_low, accuracy_high : float
        95 % interval of the accuracy (Wilson 1927).
    """

    low: float
    high: float
    n: int
    confidence: float
    accuracy: float
    accuracy_low: float
    accuracy_high: float


def scale(probability: FloatArray, temperature: float | FloatArray) -> FloatArray:
    """Divide log-odds by a temperature.

    Parameters
    ----------
    probability : array of shape (n,)
        Between 0 and 1; clipped to 1e-6 from either end.
    temperature : float or array of shape (n,)
        Above 0; 1 changes nothing else.

    Returns
    -------
    array of shape (n,)
        Scaled probabilities.
    """
    return np.asarray(1 / (1 + np.exp(-_log_odds(probability) / temperature)))


def fit_temperature(probability: FloatArray, correct: Bools) -> float:
    """Fit one temperature by maximum likelihood.

    The likelihood is concave in 1/temperature, so its slope is bisected.

    Parameters
    ----------
    probability : array of shape (n,)
        Probabilities of predicted spans.
    correct : array of bool, shape (n,)
        Whether each span is correct.

    Returns
    -------
    float
        Between 0.05 and 20; 1 without any pair.
    """
    if not len(probability):
        return 1.0
    odds, n = _log_odds(probability), int(np.sum(correct))
    target = np.where(correct, (n + 1) / (n + 2), 1 / (len(correct) - n + 2))
    low, high = 1 / MAX_TEMPERATURE, 1 / MIN_TEMPERATURE
    for _ in range(60):
        middle = (low + high) / 2
        slope = float(np.sum(odds * (target - 1 / (1 + np.exp(-middle * odds)))))
        low, high = (middle, high) if slope > 0 else (low, middle)
    # A file keeps no more digits than these.
    return round(2 / (low + high), 6)


def fit_temperatures(pairs: CalibrationPairs, *, per_label: bool = False) -> Temperatures:
    """Fit one temperature, or one per label that has at least `MIN_PAIRS` pairs.

    Parameters
    ----------
    pairs : CalibrationPairs
        Predicted spans with their correctness.
    per_label : bool
        Whether labels get temperatures of their own.
    """
    overall = fit_temperature(pairs.probability, pairs.correct)
    own: dict[str, float] = {}
    for label in sorted(set(pairs.label)) if per_label else ():
        part = pairs.with_label(label)
        if len(part) >= MIN_PAIRS:
            own[label] = fit_temperature(part.probability, part.correct)
    return Temperatures(overall, own)


def calibrate(pairs: CalibrationPairs, temperatures: Temperatures) -> CalibrationPairs:
    """Scale every pair by the temperature of its label.

    Parameters
    ----------
    pairs : CalibrationPairs
        Pairs to scale.
    temperatures : Temperatures
        Fitted temperatures.
    """
    each = np.array([temperatures.for_label(label) for label in pairs.label])
    return CalibrationPairs(scale(pairs.probability, each), pairs.correct, pairs.label, pairs.text)


def cross_calibrate(
    pairs: CalibrationPairs, *, per_label: bool = False, folds: int = FOLDS, seed: int = 0
) -> CalibrationPairs:
    """Scale every pair by temperatures that were fitted on other texts.

    Parameters
    ----------
    pairs : CalibrationPairs
        Pairs to scale.
    per_label : bool
        Whether labels get temperatures of their own.
    folds : int
        Number of folds, at most one a text; with a single text the pairs are
        returned unchanged.
    seed : int
        Seed of the assignment of texts to folds.
    """
    texts = np.unique(pairs.text)
    assignment = np.random.default_rng(seed).permutation(len(texts)) % max(
        1, min(folds, len(texts))
    )
    fold = assignment[np.searchsorted(texts, pairs.text)]
    probability = pairs.probability.copy()
    for number in range(int(assignment.max(initial=0)) + 1):
        own = fold == number
        temperatures = fit_temperatures(pairs.select(~own), per_label=per_label)
        probability[own] = calibrate(pairs.select(own), temperatures).probability
    return CalibrationPairs(probability, pairs.correct, pairs.label, pairs.text)


def reliability_bins(pairs: CalibrationPairs, bins: int = BINS) -> list[ReliabilityBin]:
    """Group pairs into bins of equal width and compute the accuracy of each bin.

    Parameters
    ----------
    pairs : CalibrationPairs
        Pairs to group.
    bins : int
        Number of bins.
    """
    place = np.minimum((pairs.probability * bins).astype(int), bins - 1)
    found: list[ReliabilityBin] = []
    for number in range(bins):
        inside = place == number
        n, right = int(inside.sum()), int(pairs.correct[inside].sum())
        confidence = float(pairs.probability[inside].mean()) if n else nan
        ends = wilson_interval(right, n)
        share = right / n if n else nan
        found.append(
            ReliabilityBin(number / bins, (number + 1) / bins, n, confidence, share, *ends)
        )
    return found


def expected_calibration_error(pairs: CalibrationPairs, bins: int = BINS) -> float:
    """Return the expected calibration error, between 0 and 1; NaN without pairs.

    Parameters
    ----------
    pairs : CalibrationPairs
        Predicted spans with their correctness.
    bins : int
        Number of bins.
    """
    if not len(pairs):
        return nan
    gaps = (
        one.n * abs(one.confidence - one.accuracy) for one in reliability_bins(pairs, bins) if one.n
    )
    return float(sum(gaps)) / len(pairs)


def collect_pairs(
    predicted: Sequence[Sequence[tuple[float, str, bool]]],
) -> CalibrationPairs:
    """Build pairs from the predictions of each text.

    Parameters
    ----------
    predicted : sequence of sequences of (probability, label, correct)
        One sequence a text.
    """
    rows = [(text, *one) for text, spans in enumerate(predicted) for one in spans]
    return CalibrationPairs(
        probability=np.array([row[1] for row in rows], dtype=np.float64),
        correct=np.array([row[3] for row in rows], dtype=bool),
        label=tuple(row[2] for row in rows),
        text=np.array([row[0] for row in rows], dtype=np.int64),
    )


def _log_odds(probability: FloatArray) -> FloatArray:
    inside = np.clip(probability, EPSILON, 1 - EPSILON)
    return np.asarray(np.log(inside / (1 - inside)))
