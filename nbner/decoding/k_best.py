"""Exact k best search over a batch of lattices.

The k best analyses of the first ``j + 1`` tokens are found among all segments
that end with token ``j``, each appended to one of the k best analyses of the
tokens before it: a semi-Markov Viterbi search with lists (Huang and Chiang
2005, "Better k-best parsing", algorithm 1, over segments).

Analyses are ordered by score; of equal scores by their last segment (earlier
start first, then label, outside last), then by the order of what precedes it.
That order does not depend on k, so a shorter list is a prefix of a longer one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nbner.decoding.arrays import BoolArray, FloatArray, Int32Array, IntArray, index_within_groups


@dataclass(frozen=True, slots=True)
class KBestArrays:
    """The k best analyses of each doc of a batch.

    Parameters
    ----------
    scores : array, shape (docs, k)
        Descending; -inf where a doc has fewer than k analyses.
    segments : array of int, shape (docs, k, positions)
        For each token that ends a segment the index of the segment in the weights
        of that token, ``a * (labels + 1) + y``; -1 elsewhere.
    """

    scores: FloatArray
    segments: Int32Array


def k_best(weights: FloatArray, lengths: IntArray, k: int) -> KBestArrays:
    """Find the k best analyses of every doc of a batch.

    Parameters
    ----------
    weights : array, shape (docs, positions, width, labels + 1)
        Segment weights; see `lattice.LatticeBatch`.
    lengths : array of int, shape (docs,)
        Tokens of each doc, descending.
    k : int
        At least 1.

    Returns
    -------
    KBestArrays
    """
    docs, positions, width, kinds = weights.shape
    # Prefix j + width - 1 is what stands before token j; those in front are nothing.
    prefixes = np.full((docs, positions + width, k), -np.inf)
    prefixes[:, width - 1, 0] = 0.0
    segments = np.zeros((docs, positions, k), np.int32)
    ranks = np.zeros((docs, positions, k), np.int32)
    region = _Region.of(min(k, width * kinds), k)
    for j, going in enumerate(count_active_docs(lengths, positions)):
        # What would begin before the text is not looked at.
        first = max(0, width - 1 - j)
        ending = weights[:going, j, first:].reshape(going, -1)
        step = _TokenCandidates(ending, prefixes[:going, j + first : j + width], kinds)
        scores, chosen, ranks[:going, j] = _select_best(step, region, k)
        segments[:going, j] = chosen + first * kinds
        prefixes[:going, j + width] = scores
    last = prefixes[np.arange(docs), lengths + width - 1]
    return KBestArrays(last, _trace_back(segments, ranks, lengths, width, kinds))


def count_active_docs(lengths: IntArray, positions: int) -> list[int]:
    """Count for each position the docs that reach it.

    Parameters
    ----------
    lengths : array of int, shape (docs,)
        Tokens of each doc, descending.
    positions : int
        Number of positions.
    """
    counts: list[int] = np.searchsorted(-lengths, -np.arange(positions), side="left").tolist()
    return counts


@dataclass(frozen=True, slots=True)
class _TokenCandidates:
    """Candidates at one token: the segments that end there and the lists before them."""

    segments: FloatArray  # (docs, width * kinds)
    prefixes: FloatArray  # (docs, width, k)
    kinds: int

    def heads(self) -> FloatArray:
        """Return the score of the best analysis that ends with each segment."""
        docs, width, _ = self.prefixes.shape
        first = self.prefixes[:, :, :1]
        return (first + self.segments.reshape(docs, width, self.kinds)).reshape(docs, -1)

    def only(self, rows: IntArray) -> _TokenCandidates:
        return _TokenCandidates(self.segments[rows], self.prefixes[rows], self.kinds)


@dataclass(frozen=True, slots=True)
class _Region:
    """Candidates that are scored first: of the r-th best segment the first k // r prefixes.

    They usually contain the k best, which is verified.
    """

    segment: IntArray  # (candidates,) position among the best segments
    prefix: IntArray  # (candidates,)
    many: IntArray  # (segments,) prefixes of each that are looked at

    @classmethod
    def of(cls, segments: int, k: int) -> _Region:
        many = k // np.arange(1, segments + 1)
        return cls(np.repeat(np.arange(segments), many), index_within_groups(many), many)

    def first(self, segments: int) -> _Region:
        """Return the part of the region for the given number of segments."""
        many = self.many[:segments]
        candidates = int(many.sum())
        return _Region(self.segment[:candidates], self.prefix[:candidates], many)


def _select_best(
    step: _TokenCandidates, region: _Region, k: int
) -> tuple[FloatArray, IntArray, IntArray]:
    """Select the k best candidates of each doc: scores, segments, ranks of their prefixes."""
    heads = step.heads()
    rows = np.arange(len(heads))[:, None]
    # The k-th best is no worse than the k-th of those that end with a token outside, and few
    # segments have a best analysis as good as that.
    least = step.prefixes[:, -1, -1] + step.segments[:, -1]
    near = heads >= least[:, None]
    many = near.sum(axis=1)
    enough = int(many.max())
    chosen, best = _top(heads, k) if enough > k else _sort_wanted(heads, near, many)
    region = region.first(chosen.shape[1])
    weights = np.where(best > -np.inf, step.segments[rows, chosen], -np.inf)
    before = chosen // step.kinds
    candidates = step.prefixes[rows, before[:, region.segment], region.prefix]
    candidates += weights[:, region.segment]
    order, scores = _top(candidates, k + 1)
    # What follows the k best, in the region and beyond it.
    following = step.prefixes[rows, before[:, 1:], region.many[1:]] + weights[:, 1:]
    order, scores, rest = order[:, :k], scores[:, :k], scores[:, k:]
    segments = chosen[rows, region.segment[order]]
    ranks = region.prefix[order]
    uncertain = _uncertain_docs(scores, rest, following, heads if enough > k else None)
    if len(uncertain):
        exact = _select_exact(step.only(uncertain), heads[uncertain], scores[uncertain, -1], k)
        scores[uncertain], segments[uncertain], ranks[uncertain] = exact
    return scores, segments, ranks


def _uncertain_docs(
    scores: FloatArray, rest: FloatArray, following: FloatArray, heads: FloatArray | None
) -> IntArray:
    """Find the docs in which a candidate outside the region may be among the k best, or ties.

    Parameters
    ----------
    scores : array, shape (docs, k)
        Descending.
    rest : array, shape (docs, 0 or 1)
        The score after the k best.
    following : array, shape (docs, segments)
        Best candidate outside the region of each segment, except the first.
    heads : array, optional
        Of all segments, if more than k of them may be relevant.
    """
    k = scores.shape[1]
    least = scores[:, -1:]
    missed = _reaches(following, least).any(axis=1)
    missed |= _reaches(rest, least).any(axis=1)
    missed |= ((scores[:, 1:] == scores[:, :-1]) & (scores[:, 1:] > -np.inf)).any(axis=1)
    if heads is not None:
        missed |= _reaches(heads, least).sum(axis=1) > k
    return np.flatnonzero(missed)


def _sort_wanted(
    scores: FloatArray, wanted: BoolArray, many: IntArray
) -> tuple[IntArray, FloatArray]:
    """Sort the wanted entries of each row, descending; rows are padded with -inf."""
    row, column = np.nonzero(wanted)
    at = row, index_within_groups(many)
    found = np.full((len(scores), int(many.max())), np.inf)
    columns = np.zeros(found.shape, np.intp)
    found[at], columns[at] = -scores[row, column], column
    order = np.argsort(found, axis=1)
    rows = np.arange(len(scores))[:, None]
    return columns[rows, order], -found[rows, order]


def _reaches(scores: FloatArray, least: FloatArray) -> BoolArray:
    return (scores >= least) & (scores > -np.inf)


def _top(scores: FloatArray, k: int) -> tuple[IntArray, FloatArray]:
    """Return indices and values of the k greatest of each row, descending, ties in order."""
    rows = np.arange(len(scores))[:, None]
    turned = -scores
    if k < scores.shape[1]:
        part = np.argpartition(turned, k - 1, axis=1)[:, :k]
        turned = turned[rows, part]
        order = np.argsort(turned, axis=1)
        return part[rows, order], -turned[rows, order]
    order = np.argsort(turned, axis=1)
    return order, -turned[rows, order]


def _select_exact(
    step: _TokenCandidates, heads: FloatArray, least: FloatArray, k: int
) -> tuple[FloatArray, IntArray, IntArray]:
    """Select the k best among all candidates that reach a lower bound of the k-th score."""
    row, segment = np.nonzero(_reaches(heads, least[:, None]))
    weight = step.segments[row, segment]
    many = _count_reaching(step.prefixes[row, segment // step.kinds], weight, least[row])
    row, segment, weight = np.repeat(row, many), np.repeat(segment, many), np.repeat(weight, many)
    prefix = index_within_groups(many)
    score = step.prefixes[row, segment // step.kinds, prefix] + weight
    order = np.lexsort((prefix, segment, -score, row))
    place = index_within_groups(np.bincount(row, minlength=len(heads)))
    order, place = order[place < k], place[place < k]
    at = row[order], place
    scores = np.full((len(heads), k), -np.inf)
    segments, prefixes = np.zeros((2, len(heads), k), np.intp)
    scores[at], segments[at], prefixes[at] = score[order], segment[order], prefix[order]
    return scores, segments, prefixes


def _count_reaching(lists: FloatArray, weight: FloatArray, least: FloatArray) -> IntArray:
    """Count the entries of descending lists that reach a score once the weight is added."""
    return np.asarray(_reaches(lists + weight[:, None], least[:, None]).sum(axis=1))


def _trace_back(
    segments: Int32Array, ranks: Int32Array, lengths: IntArray, width: int, kinds: int
) -> Int32Array:
    """Follow the back pointers of each analysis from its end to its beginning."""
    docs, positions, k = segments.shape
    traced = np.full((docs, k, positions), -1, np.int32)
    doc, place = np.divmod(np.arange(docs * k), k)
    rank, end = place, lengths[doc] - 1
    lists = doc * positions  # where the lists of each doc begin, and its rows of what is traced
    rows = np.arange(docs * k) * positions
    tokens = width - np.arange(width * kinds) // kinds
    flat = segments.reshape(-1), ranks.reshape(-1), traced.reshape(-1)
    while len(rows):
        at = (lists + end) * k + rank
        segment = flat[0].take(at)
        flat[2][rows + end] = segment
        rank = flat[1].take(at)
        end = end - tokens.take(segment)
        going = end >= 0
        if not going.all():
            lists, rows, rank, end = lists[going], rows[going], rank[going], end[going]
    return traced
