"""Split-conformal sets of complete analyses, and conformal risk control over spans.

All of it assumes that calibration texts and new texts are exchangeable: drawn alike, in
no order that matters. Then, on average over calibration sets and new texts:

- *Sets of analyses* (Vovk, Gammerman and Shafer 2005; adaptive sets: Romano, Sesia and
  Candes 2020). The score of an analysis is the probability of all that stand before it
  in the exact list. The set of a text holds the analyses whose score is at most the
  ``ceil((n + 1)(1 - alpha))``-th smallest score of gold over n calibration texts; it
  holds gold with probability 1 - alpha or more. The score leaves the analysis itself
  out, so that the first one is in every set and nothing has to be drawn at random.
- *Regularized* (Angelopoulos, Bates, Jordan and Malik 2021, "RAPS"): the score of rank r
  is raised by ``weight * max(0, r - free_ranks)``, which makes large sets smaller. Both
  numbers are chosen on texts that do not calibrate.
- *By probability* (Sadinle, Lei and Wasserman 2019, "least ambiguous" sets): the score of
  an analysis is minus the logarithm of its own probability, which the lattice knows for
  every analysis. The level is thus reached where gold is in no list of any length that
  could be read, too; what of the set lies behind the list is not listed. The first
  analysis is in every set.
- *Spans* (Angelopoulos, Bates, Fisch, Lei and Schuster 2022, "Conformal Risk Control"):
  a threshold at which the expected share, text by text, of missed gold spans among all
  of at least that probability, or of wrong spans among those above it, is at most alpha.
  The share of wrong spans does not fall steadily as the threshold rises, so that its
  running maximum from above is controlled in its place.

For the first two, gold that is not in the list has an infinite score; for the third, gold
that the model cannot predict at all. An unlisted span has the probability 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, inf

import numpy as np

from nbner._common.bootstrap import FloatArray
from nbner.decoding.arrays import BoolArray

WEIGHTS = (0.0, 0.001, 0.01, 0.1, 0.2, 0.5)  # penalties of a rank that are tried; 0 for none
MIN_ACCEPTED = 0.5  # spans above it never overlap
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Penalty:
    """Penalty of late ranks in the score of an analysis.

    Parameters
    ----------
    weight : float
        Added for each rank beyond the free ones; 0 for none.
    free_ranks : int
        Ranks without a penalty.
    """

    weight: float = 0.0
    free_ranks: int = 0


@dataclass(frozen=True, slots=True)
class AnalysisThreshold:
    """Threshold of the scores of analyses, with the penalty that they have.

    Parameters
    ----------
    value : float
        Largest score in the set; infinite where no list of this length reaches the
        level.
    penalty : Penalty
        Of late ranks.
    """

    value: float
    penalty: Penalty = Penalty()

    def set_size(self, probabilities: FloatArray, width: int) -> tuple[int, bool]:
        """Return how many analyses of a list are in the set, and whether it is complete.

        Parameters
        ----------
        probabilities : array, shape (analyses,)
            Of the list, descending.
        width : int
            The length that was asked for. A shorter list holds all analyses.

        Returns
        -------
        (int, bool)
            The set is not complete where the analysis behind the list would belong to
            it too.
        """
        return _size_and_end(rank_scores(probabilities, self.penalty), self.value, width)

    def holds(self, probabilities: FloatArray, gold_rank: int | None, gold_score: float) -> bool:
        """Return whether gold is in the set of a text: among those that are listed.

        Parameters
        ----------
        probabilities : array, shape (analyses,)
            Of the list, descending.
        gold_rank : int or None
            Rank of gold, from 1; None where it is not in the list.
        gold_score : float
            Minus the log-probability of gold; not used.
        """
        del gold_score
        if gold_rank is None:
            return False
        return bool(rank_scores(probabilities, self.penalty)[gold_rank - 1] <= self.value)


@dataclass(frozen=True, slots=True)
class ProbabilityThreshold:
    """Threshold of the probability of each analysis by itself.

    Parameters
    ----------
    value : float
        Largest score in the set: minus the logarithm of the least probability;
        infinite where more gold than the level allows is no analysis of the model.
    """

    value: float

    @property
    def least_probability(self) -> float:
        """The least probability of an analysis in the set, the first one left aside."""
        return float(np.exp(-self.value))

    def set_size(self, probabilities: FloatArray, width: int) -> tuple[int, bool]:
        """Return how many analyses of a list are in the set, and whether these are all.

        Parameters
        ----------
        probabilities : array, shape (analyses,)
            Of the list, descending.
        width : int
            The length that was asked for. A shorter list holds all analyses.

        Returns
        -------
        (int, bool)
            False where the set may go on behind the list.
        """
        return _size_and_end(probability_scores(probabilities), self.value, width)

    def holds(self, probabilities: FloatArray, gold_rank: int | None, gold_score: float) -> bool:
        """Return whether gold is in the set of a text, listed or not.

        Parameters
        ----------
        probabilities : array, shape (analyses,)
            Of the list, descending.
        gold_rank : int or None
            Rank of gold, from 1; None where it is not in the list.
        gold_score : float
            Minus the log-probability of gold; infinite where it is no analysis.
        """
        score = _score_by_probability(probabilities, gold_rank, gold_score)
        return bool(score < inf and score <= self.value)


def _size_and_end(scores: FloatArray, value: float, width: int) -> tuple[int, bool]:
    """Return the size of a set, and whether it ends within the list: from `rank_scores`."""
    size = int(np.searchsorted(scores[:-1], value, side="right"))
    ends_early = len(scores) > width and scores[-1] <= value
    return size, not ends_early


def probability_scores(probabilities: FloatArray) -> FloatArray:
    """Return the score by probability of every rank, and the least one of the rank behind.

    Parameters
    ----------
    probabilities : array, shape (analyses,)
        Descending.

    Returns
    -------
    array, shape (analyses + 1,)
        Ascending, from minus infinity, since the first is in every set.
    """
    with np.errstate(divide="ignore"):
        own = -np.log(probabilities)
    return np.concatenate([[-inf], own[1:], own[-1:]])


def _score_by_probability(
    probabilities: FloatArray, gold_rank: int | None, gold_score: float
) -> float:
    # The list's own number, so that a rank is in the set exactly where it is listed there.
    return (
        gold_score if gold_rank is None else float(probability_scores(probabilities)[gold_rank - 1])
    )


def fit_probability_threshold(
    lists: Sequence[FloatArray],
    gold_ranks: Sequence[int | None],
    gold_scores: Sequence[float],
    alpha: float,
) -> ProbabilityThreshold:
    """Fit the threshold of the probability of an analysis over calibration texts.

    Parameters
    ----------
    lists : sequence of arrays
        Probabilities of each text's list, descending.
    gold_ranks : sequence of int or None
        Rank of gold, from 1; None where it is not in the list.
    gold_scores : sequence of float
        Minus the log-probability of each text's gold; infinite where it is no
        analysis of the model.
    alpha : float
        Accepted risk, between 0 and 1.
    """
    scores = [
        _score_by_probability(*one) for one in zip(lists, gold_ranks, gold_scores, strict=True)
    ]
    return ProbabilityThreshold(conformal_quantile(np.array(scores), alpha))


def min_calibration_texts(alpha: float) -> int:
    """Return the fewest texts over which a threshold of a level is finite.

    Parameters
    ----------
    alpha : float
        Accepted risk, between 0 and 1.
    """
    # A fraction, since the inverse of the least floats is more than the largest one.
    return max(1, ceil(1 / Fraction(alpha) - 1 - Fraction(_ROUNDING)))


def conformal_quantile(scores: FloatArray, alpha: float) -> float:
    """Return the ``ceil((n + 1)(1 - alpha))``-th smallest of n scores.

    Parameters
    ----------
    scores : array, shape (n,)
        Scores of gold; infinite where gold is not in the list.
    alpha : float
        Accepted risk, between 0 and 1.

    Returns
    -------
    float
        Infinite where there are too few scores.
    """
    rank = ceil((len(scores) + 1) * (1 - alpha) - _ROUNDING)
    return inf if rank > len(scores) else float(np.sort(scores)[max(rank, 1) - 1])


def rank_scores(probabilities: FloatArray, penalty: Penalty) -> FloatArray:
    """Return the score of every rank of a list, and of the rank behind it.

    Parameters
    ----------
    probabilities : array, shape (analyses,)
        Descending.
    penalty : Penalty
        Of late ranks.

    Returns
    -------
    array, shape (analyses + 1,)
        Ascending, from 0 where there is no penalty on the first rank.
    """
    before = np.concatenate([[0.0], np.cumsum(probabilities)])
    ranks = np.arange(1, len(before) + 1)
    return np.asarray(before + penalty.weight * np.maximum(0, ranks - max(1, penalty.free_ranks)))


def fit_threshold(
    lists: Sequence[FloatArray],
    gold_ranks: Sequence[int | None],
    alpha: float,
    penalty: Penalty = Penalty(),
) -> AnalysisThreshold:
    """Fit the threshold of the scores of analyses over calibration texts.

    Parameters
    ----------
    lists : sequence of arrays
        Probabilities of each text's list, descending.
    gold_ranks : sequence of int or None
        Rank of gold, from 1; None where it is not in the list.
    alpha : float
        Accepted risk, between 0 and 1.
    penalty : Penalty
        Chosen on other texts.
    """
    scores = [
        inf if rank is None else float(rank_scores(one, penalty)[rank - 1])
        for one, rank in zip(lists, gold_ranks, strict=True)
    ]
    return AnalysisThreshold(conformal_quantile(np.array(scores), alpha), penalty)


def fit_penalty(
    lists: Sequence[FloatArray], gold_ranks: Sequence[int | None], alpha: float, width: int
) -> Penalty:
    """Choose the penalty with the smallest sets, over texts that do not calibrate.

    Parameters
    ----------
    lists : sequence of arrays
        Probabilities of each text's list, descending.
    gold_ranks : sequence of int or None
        Rank of gold, from 1; None where it is not in the list.
    alpha : float
        Accepted risk, between 0 and 1.
    width : int
        Length of the lists that was asked for.
    """
    ranks = np.array([width if one is None else one for one in gold_ranks], np.float64)
    found = conformal_quantile(ranks, alpha)
    free = width if found == inf else int(found)
    best = Penalty()
    smallest = inf
    for weight in WEIGHTS:
        penalty = Penalty(weight, free)
        threshold = fit_threshold(lists, gold_ranks, alpha, penalty)
        size = float(np.mean([threshold.set_size(one, width)[0] for one in lists]))
        if size < smallest:
            best, smallest = penalty, size
    return best


def missed_threshold(gold_probabilities: Sequence[FloatArray], alpha: float) -> float | None:
    """Return the highest threshold at which the expected share of missed gold is at most alpha.

    Parameters
    ----------
    gold_probabilities : sequence of arrays
        For each text the probability of each gold span; 0 where it is not listed. A
        span counts as found if its probability is at least the threshold.
    alpha : float
        Accepted risk, between 0 and 1.

    Returns
    -------
    float, optional
        None where unlisted gold or too few texts rule the level out.
    """
    steps = [(float(p), 1 / len(one)) for one in gold_probabilities for p in one]
    budget = alpha * (len(gold_probabilities) + 1) - 1
    if budget < -_ROUNDING:
        return None
    spent = 0.0
    for probability, share in sorted(steps):
        spent += share
        if spent > budget + _ROUNDING:
            return probability or None
    return 1.0


def wrong_threshold(
    candidates: Sequence[tuple[FloatArray, BoolArray]], alpha: float
) -> float | None:
    """Return the lowest threshold at which the expected share of wrong spans is at most alpha.

    Parameters
    ----------
    candidates : sequence of (array, array of bool)
        For each text the probabilities of its spans and whether they are in gold. A
        span is accepted if its probability is above the threshold.
    alpha : float
        Accepted risk, between 0 and 1.

    Returns
    -------
    float, optional
        At least one half; None where too few texts rule the level out.
    """
    budget = alpha * (len(candidates) + 1) - 1
    if budget < -_ROUNDING:
        return None
    steps = [step for one in candidates for step in _wrong_steps(*one)]
    spent = 0.0
    for probability, more in sorted(steps, reverse=True):
        spent += more
        if spent > budget + _ROUNDING:
            return max(probability, MIN_ACCEPTED)
    return MIN_ACCEPTED


def _wrong_steps(probabilities: FloatArray, right: BoolArray) -> list[tuple[float, float]]:
    """Return where the running maximum of the share of wrong spans rises, and by how much."""
    order = np.argsort(-probabilities, kind="stable")
    steps: list[tuple[float, float]] = []
    most, wrong = 0.0, 0
    for count, i in enumerate(order, start=1):
        wrong += not right[i]
        is_last = count == len(order) or probabilities[order[count]] < probabilities[i]
        if is_last and wrong / count > most:
            steps.append((float(probabilities[i]), wrong / count - most))
            most = wrong / count
    return steps
