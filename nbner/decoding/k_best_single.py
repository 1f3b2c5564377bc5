"""Exact k best search for one text, fast enough for interactive use.

First the best analysis through every segment is scored (forward and backward
Viterbi). A segment whose best analysis scores below the k-th best is pruned,
and few remain. Over those, lists are built in plain Python, since arrays would
be too short to pay off. The result equals that of `k_best.k_best`, ties
included.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from nbner.decoding.arrays import BoolArray, FloatArray
from nbner.decoding.k_best import KBestArrays, k_best

MAX_PREFIXES = 4_000  # prefixes to extend in Python; with more, arrays are quicker
RELATIVE_TOLERANCE = 1e-9  # relative; far above rounding, far below what tells analyses apart

_Entry = tuple[float, int, int]  # the score with its sign turned, the segment, the prefix's rank


def k_best_single(weights: FloatArray, k: int) -> KBestArrays:
    """Find the k best analyses of one text.

    Parameters
    ----------
    weights : array, shape (positions, width, labels + 1)
        Segment weights of the text.
    k : int
        At least 1.

    Returns
    -------
    KBestArrays
        Of one doc.
    """
    positions, width, kinds = weights.shape
    ends, segments = np.nonzero(_mark_unpruned(weights, k).reshape(positions, width * kinds))
    if len(ends) * k > MAX_PREFIXES:
        return k_best(weights[None], np.array([positions], np.intp), k)
    values = weights.reshape(positions, width * kinds)[ends, segments]
    lists: list[list[_Entry]] = [[(0.0, -1, 0)], *([] for _ in range(positions))]
    borders = np.searchsorted(ends, np.arange(positions + 1)).tolist()
    befores = (ends - width + 1 + segments // kinds).tolist()
    arcs = list(zip(befores, segments.tolist(), values.tolist(), strict=True))
    for j in range(positions):
        entries = [
            (entry[0] - value, segment, rank)
            for before, segment, value in arcs[borders[j] : borders[j + 1]]
            for rank, entry in enumerate(lists[before])
        ]
        entries.sort()
        lists[j + 1] = entries[:k]
    return _trace_back(lists, width, kinds, k)


def _mark_unpruned(weights: FloatArray, k: int) -> BoolArray:
    """Mark the segments that can be part of the k best analyses."""
    positions, width, _ = weights.shape
    forward, backward = _viterbi(weights.max(axis=2))
    around = sliding_window_view(forward, width)[:positions] + backward[width:, None]
    through = weights + around[:, :, None]
    best = forward[-1]
    if np.isneginf(best):
        return np.zeros(weights.shape, np.bool_)
    tolerance = RELATIVE_TOLERANCE * (1.0 + abs(float(best)))
    least = _lower_bound(through.ravel(), k, positions, tolerance)
    return np.asarray((through >= least - tolerance) & (through > -np.inf))


def _lower_bound(through: FloatArray, k: int, positions: int, tolerance: float) -> float:
    """Compute a lower bound of the score of the k-th best analysis.

    Analyses with different scores are different, and each has at most as many
    segments as there are tokens.
    """
    most = k * positions
    if most < len(through):
        through = np.partition(through, len(through) - most)[-most:]
    falling = np.sort(through[through > -np.inf])[::-1]
    different = np.ones(len(falling), np.bool_)
    different[1:] = falling[:-1] - falling[1:] > tolerance
    firsts = falling[different]
    return float(firsts[k - 1]) if len(firsts) >= k else -np.inf


def _viterbi(best: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Score the best analyses before and after each position, as in `marginals`."""
    positions, width = best.shape
    forward = np.full(positions + width, -np.inf)
    backward = np.full(positions + width, -np.inf)
    forward[width - 1] = backward[-1] = 0.0
    for j in range(positions):
        forward[j + width] = (forward[j : j + width] + best[j]).max()
    for j in range(positions - 1, -1, -1):
        before = backward[j : j + width]
        np.maximum(before, best[j] + backward[j + width], out=before)
    return forward, backward


def _trace_back(lists: list[list[_Entry]], width: int, kinds: int, k: int) -> KBestArrays:
    positions = len(lists) - 1
    traced = np.full((1, k, positions), -1, np.int32)
    scores = np.full((1, k), -np.inf)
    rows: list[int] = []
    places: list[int] = []
    chosen: list[int] = []
    for row, (score, _, _) in enumerate(lists[-1]):
        scores[0, row] = -score
        at, rank = positions, row
        while at:
            _, segment, rank = lists[at][rank]
            rows.append(row)
            places.append(at - 1)
            chosen.append(segment)
            at -= width - segment // kinds
    traced[0, np.array(rows, np.intp), np.array(places, np.intp)] = chosen
    return KBestArrays(scores, traced)
