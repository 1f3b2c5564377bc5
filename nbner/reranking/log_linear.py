"""Log-linear model over lists of candidates, fitted by maximum likelihood with an L2 penalty.

Each candidate has a target, and those of a list sum to 1. The loss is the
cross-entropy between targets and model probabilities, with a penalty:

    loss = - sum over candidates of target * log(exp(w.f) / sum over its list of exp(w.f))
           + l2 / 2 * |w - prior|^2

With the whole target on one candidate this is the maximum entropy reranker of
Johnson et al. (1999) and Charniak and Johnson (2005); with graded targets it is
the listwise loss of Cao et al. (2007, "Learning to Rank: From Pairwise Approach
to Listwise Approach"). Both are convex. Minimized by L-BFGS (Nocedal 1980; the
two loops are algorithm 7.4 in Nocedal and Wright, "Numerical Optimization").
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import nan
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Features: TypeAlias = Mapping[str, float]
Vector: TypeAlias = "NDArray[np.float64]"
Indices: TypeAlias = "NDArray[np.intp]"
Objective: TypeAlias = Callable[[Vector], tuple[float, Vector]]

MEMORY = 10
MAX_GRADIENT = 1e-4
MAX_STEPS = 500
ARMIJO = 1e-4


@dataclass(frozen=True, slots=True)
class FeatureMatrix:
    """Features of all candidates of all lists, as a sparse matrix in coordinate form.

    Parameters
    ----------
    row, column : array of int, shape (entries,)
        Candidate and feature of each entry.
    value : array of float64, shape (entries,)
        Value of each entry.
    start : array of int, shape (lists,)
        First candidate of each list; no list is empty.
    target : array of float64, shape (candidates,)
        The targets; those of a list sum to 1.
    width : int
        Number of features.
    """

    row: Indices
    column: Indices
    value: Vector
    start: Indices
    target: Vector
    width: int

    @classmethod
    def from_lists(
        cls,
        lists: Sequence[Sequence[Features]],
        shares: Sequence[Sequence[float]],
        names: Mapping[str, int],
    ) -> FeatureMatrix:
        """Build the matrix from mappings.

        Parameters
        ----------
        lists : sequence of sequences of mappings
            Features of each candidate of each list.
        shares : sequence of sequences of float
            Target of each candidate.
        names : mapping
            Feature to column; features without a column are left out.
        """
        entries = [
            (row, names[name], value)
            for row, features in enumerate(one for candidates in lists for one in candidates)
            for name, value in features.items()
            if name in names
        ]
        sizes = np.array([len(one) for one in lists], np.intp)
        start = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.intp)
        columns = list(zip(*entries, strict=True)) if entries else [(), (), ()]
        return cls(
            row=np.array(columns[0], np.intp),
            column=np.array(columns[1], np.intp),
            value=np.array(columns[2], np.float64),
            start=start,
            target=np.array([one for part in shares for one in part], np.float64),
            width=len(names),
        )

    def scores(self, weights: Vector) -> Vector:
        """Return every candidate's score, shape (candidates,).

        Parameters
        ----------
        weights : array of float64, shape (features,)
            Weight of each column.
        """
        products = self.value * weights[self.column]
        return np.bincount(self.row, products, len(self.target)).astype(np.float64)

    def loss(self, weights: Vector) -> tuple[float, Vector]:
        """Return the cross-entropy and its gradient, without the penalty.

        Parameters
        ----------
        weights : array of float64, shape (features,)
            Weight of each column.
        """
        scores = self.scores(weights)
        sizes = np.diff(np.append(self.start, len(scores)))
        # Shifting a list's scores changes nothing, and keeps powers within bounds.
        scores -= np.repeat(np.maximum.reduceat(scores, self.start), sizes)
        powers = np.exp(scores)
        sums = np.add.reduceat(powers, self.start)
        likely = powers / np.repeat(sums, sizes)
        gradient = np.bincount(
            self.column, (likely - self.target)[self.row] * self.value, self.width
        ).astype(np.float64)
        return float(np.sum(np.log(sums)) - self.target @ scores), gradient


def fit_log_linear(
    lists: Sequence[Sequence[Features]],
    targets: Sequence[Sequence[float]],
    *,
    l2: float,
    min_lists: int = 1,
    prior: Mapping[str, float] | None = None,
) -> dict[str, float]:
    """Fit weights to lists of candidates.

    Parameters
    ----------
    lists : sequence of sequences of mappings
        Features of each candidate of each list.
    targets : sequence of sequences of float
        Target of each candidate; those of a list sum to 1.
    l2 : float
        Penalty, above 0.
    min_lists : int
        A feature is used if its values differ within at least so many lists.
    prior : mapping, optional
        Weights that the penalty pulls towards; 0 by default. Its features are used
        whatever ``min_lists``.

    Returns
    -------
    dict
        Feature to weight, without zeros.
    """
    before = dict(prior or {})
    # Where all are equally good there is nothing to learn.
    useful = [i for i, one in enumerate(targets) if len(set(one)) > 1]
    lists, targets = [lists[i] for i in useful], [targets[i] for i in useful]
    names = _feature_columns(lists, min_lists, before)
    if not lists or not names:
        return before
    table = FeatureMatrix.from_lists(lists, targets, names)
    centre = np.array([before.get(name, 0.0) for name in names])

    def objective(weights: Vector) -> tuple[float, Vector]:
        loss, gradient = table.loss(weights)
        moved = weights - centre
        return loss + l2 / 2 * float(moved @ moved), gradient + l2 * moved

    weights = minimize(objective, centre)
    return {name: float(weights[i]) for name, i in names.items() if weights[i]}


def log_loss(
    lists: Sequence[Sequence[Features]],
    targets: Sequence[Sequence[float]],
    weights: Mapping[str, float],
) -> float:
    """Return the mean cross-entropy of the lists, without the penalty; NaN without lists.

    Parameters
    ----------
    lists : sequence of sequences of mappings
        Features of each candidate of each list.
    targets : sequence of sequences of float
        Target of each candidate; those of a list sum to 1.
    weights : mapping
        Feature to weight.
    """
    if not lists:
        return nan
    names = {name: i for i, name in enumerate(weights)}
    table = FeatureMatrix.from_lists(lists, targets, names)
    loss, _ = table.loss(np.array(list(weights.values()), np.float64))
    return loss / len(lists)


def minimize(
    objective: Objective,
    start: Vector,
    *,
    tolerance: float = MAX_GRADIENT,
    max_steps: int = MAX_STEPS,
) -> Vector:
    """Minimize a smooth function by L-BFGS.

    Parameters
    ----------
    objective : callable
        From a point to the value and the gradient there.
    start : array of float64, shape (n,)
        Initial point.
    tolerance : float
        Largest absolute component of the gradient at which to stop.
    max_steps : int
        Largest number of iterations.

    Returns
    -------
    array of float64, shape (n,)
        The last point.
    """
    point, (value, gradient) = start, objective(start)
    memory: deque[tuple[Vector, Vector]] = deque(maxlen=MEMORY)
    for _ in range(max_steps):
        if np.max(np.abs(gradient), initial=0.0) <= tolerance:
            break
        direction = _direction(gradient, memory)
        slope = float(gradient @ direction)
        if slope >= 0:
            # What is remembered misleads: begin again along the gradient.
            memory.clear()
            direction, slope = -gradient, -float(gradient @ gradient)
        # Without memory nothing is known of the scale.
        step = 1.0 if memory else 1.0 / max(1.0, float(np.linalg.norm(gradient)))
        while True:
            moved = point + step * direction
            new_value, new_gradient = objective(moved)
            if new_value <= value + ARMIJO * step * slope:
                break
            step /= 2
            if step < 1e-12:
                return point
        pair = (moved - point, new_gradient - gradient)
        if pair[0] @ pair[1] > 1e-12:
            memory.append(pair)
        point, value, gradient = moved, new_value, new_gradient
    return point


def _direction(gradient: Vector, memory: Sequence[tuple[Vector, Vector]]) -> Vector:
    """Return the quasi-Newton direction (two-loop recursion)."""
    found = gradient.copy()
    alphas: list[float] = []
    for s, y in reversed(memory):
        alpha = float(s @ found) / float(s @ y)
        found -= alpha * y
        alphas.append(alpha)
    if memory:
        s, y = memory[-1]
        found *= float(s @ y) / float(y @ y)
    for (s, y), alpha in zip(memory, reversed(alphas), strict=True):
        found += (alpha - float(y @ found) / float(s @ y)) * s
    return -found


def _feature_columns(
    lists: Sequence[Sequence[Features]], least: int, prior: Mapping[str, float]
) -> dict[str, int]:
    """Assign columns to the features whose values differ within enough lists."""
    seen: dict[str, int] = {}
    for candidates in lists:
        for name in {name for features in candidates for name in features}:
            values = {features.get(name, 0.0) for features in candidates}
            seen[name] = seen.get(name, 0) + (len(values) > 1)
    found = {name for name, lists_of_it in seen.items() if lists_of_it >= max(1, least)}
    return {name: i for i, name in enumerate(sorted(found | prior.keys()))}
