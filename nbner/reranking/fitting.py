"""Fitting of the reranker: targets, choice of the penalty, cross-validated decisions.

The target of an analysis decreases with its errors (missing and extra spans):
it is in proportion to exp(-errors) within its list. On the data set protocols,
1,600 dev sentences in four folds, lists of 8, this gains 2.0 F, against 1.6
with the whole target on the best analyses. The choice was made on these texts,
so these figures are only a comparison of the two; ``session.model.rerank``
measures the gain on other texts.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from math import exp

from nbner.reranking import log_linear
from nbner.reranking.component import MIN_LISTS, PRIOR_WEIGHTS, best_index
from nbner.reranking.log_linear import Features

PENALTIES = (3.0, 10.0, 30.0, 100.0)


@dataclass(frozen=True, slots=True)
class FittedWeights:
    """Fitted weights with their penalty.

    Parameters
    ----------
    weights : mapping
        Feature to weight.
    l2 : float
        Penalty with the highest likelihood on held-out lists.
    """

    weights: Mapping[str, float]
    l2: float


def targets_from_errors(errors: Sequence[int]) -> list[float]:
    """Return the target of each candidate of a list; they sum to 1.

    Parameters
    ----------
    errors : sequence of int
        Missing and extra spans of each candidate.
    """
    least = min(errors, default=0)
    powers = [exp(least - one) for one in errors]
    return [power / sum(powers) for power in powers]


def fit_weights(
    lists: Sequence[Sequence[Features]],
    errors: Sequence[Sequence[int]],
    holdout: Collection[int],
    *,
    l2: float | None = None,
) -> FittedWeights:
    """Fit weights on all lists, with the penalty that is best on the held-out ones.

    Parameters
    ----------
    lists : sequence of sequences of mappings
        Features of each candidate of each list.
    errors : sequence of sequences of int
        Missing and extra spans of each candidate.
    holdout : collection of int
        Indices of the lists on which the penalty is chosen.
    l2 : float, optional
        Penalty; by default it is chosen on the held-out lists.
    """
    chosen = _choose_penalty(lists, errors, holdout) if l2 is None else l2
    return FittedWeights(_fit(lists, errors, chosen), chosen)


def cross_validated_choices(
    lists: Sequence[Sequence[Features]],
    errors: Sequence[Sequence[int]],
    folds: Sequence[Sequence[int]],
) -> list[int]:
    """Choose a candidate of every list by weights that were fitted on the other folds.

    Parameters
    ----------
    lists : sequence of sequences of mappings
        Features of each candidate of each list.
    errors : sequence of sequences of int
        Missing and extra spans of each candidate.
    folds : sequence of sequences of int
        Indices of the lists of each fold; at least two folds.

    Returns
    -------
    list of int
        Index of the chosen candidate of each list.
    """
    chosen = [0] * len(lists)
    for number, own in enumerate(folds):
        others = [i for other, fold in enumerate(folds) if other != number for i in fold]
        # The penalty is chosen on one of the others, so that it knows nothing of this fold either.
        neighbour = set(folds[(number + 1) % len(folds)])
        apart = [place for place, i in enumerate(others) if i in neighbour]
        learnt = fit_weights([lists[i] for i in others], [errors[i] for i in others], apart)
        for i in own:
            chosen[i] = best_index(lists[i], learnt.weights)
    return chosen


def _choose_penalty(
    lists: Sequence[Sequence[Features]], errors: Sequence[Sequence[int]], apart: Collection[int]
) -> float:
    held_out = set(apart)
    inside = [i for i in range(len(lists)) if i not in held_out]
    if not inside or not held_out:
        return PENALTIES[len(PENALTIES) // 2]
    outside = sorted(held_out)

    def loss(l2: float) -> float:
        weights = _fit([lists[i] for i in inside], [errors[i] for i in inside], l2)
        targets = [targets_from_errors(errors[i]) for i in outside]
        return log_linear.log_loss([lists[i] for i in outside], targets, weights)

    return min(PENALTIES, key=loss)


def _fit(
    lists: Sequence[Sequence[Features]], errors: Sequence[Sequence[int]], l2: float
) -> dict[str, float]:
    return log_linear.fit_log_linear(
        lists,
        [targets_from_errors(one) for one in errors],
        l2=l2,
        min_lists=MIN_LISTS,
        prior=PRIOR_WEIGHTS,
    )
