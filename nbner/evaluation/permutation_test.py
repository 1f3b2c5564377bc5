"""Paired permutation test of a difference in F: approximate randomization.

Under the null hypothesis that two systems are equal, their outputs can be
swapped text by text. The fraction of random swaps after which their F differ at
least as much as observed is the probability of such a difference by chance
(Noreen 1989, "Computer-Intensive Methods for Testing Hypotheses"; for F in
language processing: Yeh 2000, "More accurate tests for the statistical
significance of result differences"). The test is two-sided and paired.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from nbner._common.bootstrap import FloatArray, micro_f
from nbner.types import Span

N_PERMUTATIONS = 10_000
_MAX_CELLS = 4_000_000  # swaps in memory at a time


def count_per_text(
    gold: Sequence[Sequence[Span]],
    predicted: Sequence[Sequence[Span]],
    allowed_labels: Sequence[Collection[str] | None] | None = None,
    label: str | None = None,
) -> FloatArray:
    """Count exact spans text by text.

    Parameters
    ----------
    gold, predicted : sequence of sequences of Span
        Spans of each text.
    allowed_labels : sequence, optional
        For each text the labels that existed when it was answered, or None for
        all.
    label : str, optional
        The only label to count; by default all.

    Returns
    -------
    array of shape (texts, 3)
        True positives, false positives and false negatives.
    """
    rows = []
    for gold_spans, predicted_spans, allowed in zip(
        gold, predicted, allowed_labels or [None] * len(gold), strict=True
    ):
        expected = {one for one in gold_spans if label is None or one.label == label}
        found = {
            one
            for one in predicted_spans
            if (label is None or one.label == label) and (allowed is None or one.label in allowed)
        }
        rows.append((len(expected & found), len(found - expected), len(expected - found)))
    return np.array(rows, dtype=np.float64).reshape(-1, 3)


def approximate_randomization(
    a: FloatArray, b: FloatArray, *, n_permutations: int = N_PERMUTATIONS, seed: int = 0
) -> float:
    """Compute the p value of the difference in F between two systems.

    Parameters
    ----------
    a, b : array of shape (texts, 3)
        Results of `count_per_text`, over the same texts.
    n_permutations : int
        Number of random swaps; the smallest possible p value is one over
        ``n_permutations + 1``.
    seed : int
        Seed of the swaps.

    Returns
    -------
    float
        Between 0 and 1; 1 where the counts are equal on every text.
    """
    sum_a, sum_b = a.sum(axis=0), b.sum(axis=0)
    differs = (a != b).any(axis=1)
    gap = (b - a)[differs]
    if not len(gap):
        return 1.0
    observed = _f_difference(sum_a, sum_b)
    random = np.random.default_rng(seed)
    batch = max(1, _MAX_CELLS // len(gap))
    n_extreme = 0
    for start in range(0, n_permutations, batch):
        drawn = min(batch, n_permutations - start)
        moved = random.integers(0, 2, size=(drawn, len(gap))).astype(np.float64) @ gap
        # A difference that is equal up to rounding counts as at least as large.
        n_extreme += int((_f_difference(sum_a + moved, sum_b - moved) >= observed - 1e-12).sum())
    return (1 + n_extreme) / (1 + n_permutations)


def _f_difference(a: FloatArray, b: FloatArray) -> FloatArray:
    return np.abs(np.nan_to_num(micro_f(b)) - np.nan_to_num(micro_f(a)))
