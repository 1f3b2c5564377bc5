"""Whether one way to decide texts is better than another: approximate randomisation.

If it made no difference which of the two had decided a text, their outputs
could be swapped text by text. The share of random swaps after which the F of
the two lie as far apart as they do is the probability of such a difference by
chance (Noreen 1989, "Computer-Intensive Methods for Testing Hypotheses"; for
F in language processing: Yeh 2000, "More accurate tests for the statistical
significance of result differences"). The test is two-sided and paired.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from nbner._common.bootstrap import FloatArray, micro_f
from nbner.types import Span

N_PERMUTATIONS = 10_000
_CELLS = 4_000_000  # swaps held at a time


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
    allowed_labels : sequence, optional
        For each text the labels that could be given, or None for all.
    label : str, optional
        Only this one.

    Returns
    -------
    array of shape (texts, 3)
        True positives, false positives and false negatives.
    """
    rows = []
    for right, said, may_be in zip(
        gold, predicted, allowed_labels or [None] * len(gold), strict=True
    ):
        golds = {one for one in right if label is None or one.label == label}
        saids = {
            one
            for one in said
            if (label is None or one.label == label) and (may_be is None or one.label in may_be)
        }
        rows.append((len(golds & saids), len(saids - golds), len(golds - saids)))
    return np.array(rows, dtype=np.float64).reshape(-1, 3)


def approximate_randomization(
    a: FloatArray, b: FloatArray, *, n_permutations: int = N_PERMUTATIONS, seed: int = 0
) -> float:
    """Give the probability that two ways differ in F as much as they do by chance.

    Parameters
    ----------
    a, b : array of shape (texts, 3)
        As `count_per_text` gives them, over the same texts.
    n_permutations : int
        Random swaps. The smallest probability that can come out is one over
        ``n_permutations + 1``.
    seed : int

    Returns
    -------
    float
        Between 0 and 1; 1 where the two count alike on every text.
    """
    sum_a, sum_b = a.sum(axis=0), b.sum(axis=0)
    differs = (a != b).any(axis=1)
    gap = (b - a)[differs]
    if not len(gap):
        return 1.0
    observed = _apart(sum_a, sum_b)
    random = np.random.default_rng(seed)
    at_once = max(1, _CELLS // len(gap))
    as_far = 0
    for start in range(0, n_permutations, at_once):
        drawn = min(at_once, n_permutations - start)
        moved = random.integers(0, 2, size=(drawn, len(gap))).astype(np.float64) @ gap
        # Equal but for rounding is as far.
        as_far += int((_apart(sum_a + moved, sum_b - moved) >= observed - 1e-12).sum())
    return (1 + as_far) / (1 + n_permutations)


def _apart(a: FloatArray, b: FloatArray) -> FloatArray:
    return np.abs(np.nan_to_num(micro_f(b)) - np.nan_to_num(micro_f(a)))
