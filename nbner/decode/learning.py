"""How a reranker learns: which penalty, and which choice for texts that it did not learn from."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from nbner.decode import maxent
from nbner.decode.maxent import Features
from nbner.decode.reranker import LEAST, PRIOR, best_of

PENALTIES = (3.0, 10.0, 30.0, 100.0)


@dataclass(frozen=True, slots=True)
class Learnt:
    """What was learnt from lists.

    Parameters
    ----------
    weights : mapping
        Feature to weight.
    l2 : float
        The penalty under which lists that were kept apart were likeliest.
    """

    weights: Mapping[str, float]
    l2: float


def learn(
    lists: Sequence[Sequence[Features]],
    best: Sequence[Collection[int]],
    apart: Collection[int],
    *,
    l2: float | None = None,
) -> Learnt:
    """Fit weights, the penalty chosen on lists that are kept apart and then learnt from as well.

    Parameters
    ----------
    lists : sequence of sequences of mappings
        The features of each candidate of each list.
    best : sequence of collections of int
        Positions of the best candidates of each list.
    apart : collection of int
        Positions of the lists on which the penalty is chosen.
    l2 : float, optional
        The penalty, where it is known.
    """
    chosen = _penalty(lists, best, apart) if l2 is None else l2
    return Learnt(_fitted(lists, best, chosen), chosen)


def decide_apart(
    lists: Sequence[Sequence[Features]],
    best: Sequence[Collection[int]],
    folds: Sequence[Sequence[int]],
) -> list[int]:
    """Choose in every list by weights that were learnt from the other folds alone.

    Parameters
    ----------
    lists, best
        As for `learn`.
    folds : sequence of sequences of int
        Positions of the lists; at least two folds.

    Returns
    -------
    list of int
        The chosen position in each list.
    """
    chosen = [0] * len(lists)
    for number, own in enumerate(folds):
        others = [i for other, fold in enumerate(folds) if other != number for i in fold]
        # The penalty is chosen on one of the others, so that it knows nothing of this fold either.
        neighbour = set(folds[(number + 1) % len(folds)])
        apart = [place for place, i in enumerate(others) if i in neighbour]
        learnt = learn([lists[i] for i in others], [best[i] for i in others], apart)
        for i in own:
            chosen[i] = best_of(lists[i], learnt.weights)
    return chosen


def _penalty(
    lists: Sequence[Sequence[Features]], best: Sequence[Collection[int]], apart: Collection[int]
) -> float:
    held = set(apart)
    inside = [i for i in range(len(lists)) if i not in held]
    if not inside or not held:
        return PENALTIES[len(PENALTIES) // 2]
    outside = sorted(held)

    def loss(l2: float) -> float:
        weights = _fitted([lists[i] for i in inside], [best[i] for i in inside], l2)
        return maxent.log_loss([lists[i] for i in outside], [best[i] for i in outside], weights)

    return min(PENALTIES, key=loss)


def _fitted(
    lists: Sequence[Sequence[Features]], best: Sequence[Collection[int]], l2: float
) -> dict[str, float]:
    return maxent.fit(lists, best, l2=l2, least=LEAST, prior=PRIOR)
