"""Exact search and exact sums over the sequences of tags of a conditional random field.

Sums are those of the forward-backward algorithm (Lafferty et al. 2001,
"Conditional random fields"), the k best sequences those of the list Viterbi
algorithm (Seshadri and Sundberg 1994).

Sequences are ordered by score; of equal scores by the last tag in the order of
tags (outside first, then label by label), then by the order of what precedes
it. That order does not depend on k, so a shorter list is a prefix of a longer
one, and its first entry is what the component predicts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nbner.decoding.arrays import BoolArray, FloatArray, IntArray
from nbner.decoding.k_best_single import RELATIVE_TOLERANCE
from nbner.nlp.crf.model import OUTSIDE_TAG, TagScores, begin_tag, inside_tag

# Sums over a batch.


@dataclass(frozen=True, slots=True)
class ChainSums:
    """Forward and backward sums of a batch of texts, in log space.

    Parameters
    ----------
    forward : array, shape (texts, positions, tags)
        Sum over all beginnings that end with the tag at the token, its own
        score included.
    backward : array, shape (texts, positions, tags)
        Sum over all ends after the tag at the token, its own score not
        included.
    log_totals : array, shape (texts,)
        Sum over all analyses; -inf for a text without any.
    """

    forward: FloatArray
    backward: FloatArray
    log_totals: FloatArray

    def tag_probabilities(self) -> FloatArray:
        """Return the probability of each tag at each token, 0 after a text's end."""
        total = np.where(np.isneginf(self.log_totals), 0.0, self.log_totals)
        return np.asarray(np.exp(self.forward + self.backward - total[:, None, None]))


def chain_sums(batch: TagScores) -> ChainSums:
    """Sum over all sequences of tags of each text, forward and backward.

    Parameters
    ----------
    batch : TagScores
        The scores.
    """
    docs, positions, tags = batch.emissions.shape
    forward = np.full((docs, positions, tags), -np.inf)
    backward = np.full((docs, positions, tags), -np.inf)
    forward[:, 0] = batch.emissions[:, 0]
    for j in range(1, positions):
        going = batch.count_active(j)
        before = forward[:going, j - 1, :, None] + batch.into(j)
        forward[:going, j] = _log_sum(before, axis=1) + batch.emissions[:going, j]
    last = batch.lengths - 1
    rows = np.arange(docs)
    backward[rows, last] = 0.0
    for j in range(positions - 1, 0, -1):
        going = batch.count_active(j)
        after = (backward[:going, j] + batch.emissions[:going, j])[:, None, :] + batch.into(j)
        backward[:going, j - 1] = _log_sum(after, axis=2)
    return ChainSums(forward, backward, _log_sum(forward[rows, last], axis=1))


def _log_sum(values: FloatArray, axis: int) -> FloatArray:
    """Sum exponentials in log space; -inf where all are."""
    most = values.max(axis=axis)
    most = np.where(np.isneginf(most), 0.0, most)
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(np.exp(values - np.expand_dims(most, axis)).sum(axis=axis)) + most)


# The k best sequences of tags of one text.


def k_best_tags(scores: TagScores, k: int) -> tuple[FloatArray, IntArray]:
    """Find the k best sequences of tags of one text.

    Tags through which even the best sequence scores below the k-th best are
    not looked at. See the module for the order of equal scores.

    Parameters
    ----------
    scores : TagScores
        Of one text.
    k : int
        At least 1.

    Returns
    -------
    scores : array, shape (sequences,)
        Descending; fewer than k if there are no more.
    tags : array of int, shape (sequences, positions)
    """
    emissions = scores.emissions[0]
    positions = len(emissions)
    wanted = _mark_unpruned(scores, k)
    states = [np.flatnonzero(row) for row in wanted]
    if not len(states[0]):
        return np.zeros(0), np.zeros((0, positions), np.intp)
    best = emissions[0, states[0]][:, None]
    back: list[tuple[IntArray, IntArray]] = []
    for j in range(1, positions):
        steps = scores.into(j)[np.ix_(states[j - 1], states[j])].T
        # The two sums, in the order in which the Viterbi search takes them.
        found = best[None] + steps[:, :, None]
        found += emissions[j, states[j]][:, None, None]
        width = found.shape[2]
        flat = found.reshape(len(states[j]), -1)
        order = np.argsort(-flat, axis=1, kind="stable")[:, :k]
        best = np.take_along_axis(flat, order, axis=1)
        back.append((order // width, order % width))
    ends = best.reshape(-1)
    order = np.argsort(-ends, kind="stable")[:k]
    order = order[ends[order] > -np.inf]
    state, rank = np.divmod(order, best.shape[1])
    tags = np.zeros((len(order), positions), np.intp)
    for j in range(positions - 1, -1, -1):
        tags[:, j] = states[j][state]
        if j:
            before, ranks = back[j - 1]
            state, rank = before[state, rank], ranks[state, rank]
    return ends[order], tags


def _mark_unpruned(scores: TagScores, k: int) -> BoolArray:
    """Mark the tags of each token that can be part of the k best sequences.

    Sequences with different scores are different, so the k-th greatest of the
    different scores of best sequences, each through one pair of neighboring
    tags, is a lower bound of the score of the k-th best.
    """
    emissions = scores.emissions[0]
    positions = len(emissions)
    forward, backward = np.empty_like(emissions), np.zeros_like(emissions)
    forward[0] = emissions[0]
    for j in range(1, positions):
        forward[j] = (forward[j - 1][:, None] + scores.into(j)).max(axis=0) + emissions[j]
    pairs: list[FloatArray] = [forward[-1]]
    for j in range(positions - 1, 0, -1):
        after = scores.into(j) + (emissions[j] + backward[j])
        backward[j - 1] = after.max(axis=1)
        if k > 1:
            through = (forward[j - 1][:, None] + after).reshape(-1)
            # Each sequence has one pair here: no more than k of them can matter.
            pairs.append(through if k >= len(through) else np.partition(through, -k)[-k:])
    best = forward + backward
    highest = float(forward[-1].max())
    if np.isneginf(highest):
        return np.zeros(emissions.shape, np.bool_)
    tolerance = RELATIVE_TOLERANCE * (1.0 + abs(highest))
    falling = np.sort(np.concatenate(pairs))[::-1]
    falling = falling[falling > -np.inf]
    different = np.ones(len(falling), np.bool_)
    different[1:] = falling[:-1] - falling[1:] > tolerance
    firsts = falling[different]
    least = float(firsts[k - 1]) if len(firsts) >= k else -np.inf
    return np.asarray((best >= least - tolerance) & (best > -np.inf))


def chain_span_probabilities(
    batch: TagScores, sums: ChainSums, floor: float
) -> list[list[tuple[int, int, int, float]]]:
    """Compute the probability of every span of each text.

    A span is looked at only while the probability that an entity begins with
    its first token and reaches its last one is above the minimum: it can only
    fall from token to token.

    Parameters
    ----------
    batch : TagScores
        The scores, with no more tags than the labels have.
    sums : ChainSums
        Of the batch.
    floor : float
        Minimum probability.

    Returns
    -------
    list of list of (int, int, int, float)
        For each text start position, end position (exclusive), label and
        probability, sorted.
    """
    floor = max(floor, float(np.finfo(float).tiny))
    found: list[list[tuple[int, int, int, float]]] = [[] for _ in batch.lengths]
    begins = sums.forward[:, :, 1::2]
    reach = begins + sums.backward[:, :, 1::2]
    total = sums.log_totals[:, None, None]
    with np.errstate(invalid="ignore"):
        row, start, label = np.nonzero(np.exp(reach - total) >= floor)
    score = begins[row, start, label]
    tag = begin_tag(0) + 2 * label
    at = start
    while len(row):
        closed = score + _ends_after(batch, sums, row, at, tag, label)
        share = np.exp(closed - sums.log_totals[row])
        for i in np.flatnonzero(share >= floor).tolist():
            found[row[i]].append(
                (int(start[i]), int(at[i]) + 1, int(label[i]), min(1.0, float(share[i])))
            )
        going = np.flatnonzero(at + 1 < batch.lengths[row])
        row, start, label, score = row[going], start[going], label[going], score[going]
        before, at, tag = tag[going], at[going] + 1, inside_tag(0) + 2 * label
        score = score + _steps(batch, at, before, tag) + batch.emissions[row, at, tag]
        share = np.exp(score + sums.backward[row, at, tag] - sums.log_totals[row])
        going = np.flatnonzero(share >= floor)
        row, start, label, score = row[going], start[going], label[going], score[going]
        at, tag = at[going], tag[going]
    for one in found:
        one.sort()
    return found


def _steps(batch: TagScores, position: IntArray, before: IntArray, after: IntArray) -> FloatArray:
    """Return the transitions between pairs of tags, each into a position."""
    scores = batch.transitions[before, after]
    for place, moves in batch.exceptions.items():
        chosen = position == place
        scores[chosen] = moves[before[chosen], after[chosen]]
    return np.asarray(scores)


def _ends_after(
    batch: TagScores, sums: ChainSums, row: IntArray, at: IntArray, tag: IntArray, label: IntArray
) -> FloatArray:
    """Sum over all that can follow an entity whose last token is given."""
    ends = np.zeros(len(row))
    open_ = np.flatnonzero(at + 1 < batch.lengths[row])
    after = at[open_] + 1
    moves = batch.transitions[tag[open_]]
    for place, other in batch.exceptions.items():
        chosen = after == place
        moves[chosen] = other[tag[open_][chosen]]
    moves = moves + batch.emissions[row[open_], after] + sums.backward[row[open_], after]
    moves[np.arange(len(open_)), inside_tag(0) + 2 * label[open_]] = -np.inf
    if len(open_):
        ends[open_] = _log_sum(moves, axis=1)
    return ends


def chain_token_probabilities(
    tags: FloatArray, content: IntArray, tokens: int, label_of: Sequence[int], labels: int
) -> FloatArray:
    """Sum the probabilities of tags to those of labels, for all tokens of one text.

    Parameters
    ----------
    tags : array, shape (positions, tags)
        Probability of each tag.
    content : array of int, shape (positions,)
        Indices of the positions among all tokens.
    tokens : int
        Number of all tokens. One of whitespace is in an entity if the entity
        goes on at the next token that is not.
    label_of : sequence of int
        The label of each pair of tags, "B-x" and "I-x".
    labels : int
        Number of labels.

    Returns
    -------
    array, shape (tokens, labels + 1)
        Each row sums to 1; the last column is outside of entities.
    """
    found = np.zeros((tokens, labels + 1))
    inside = np.zeros((len(content) + 1, labels))
    for pair, label in enumerate(label_of):
        found[content, label] += tags[:, begin_tag(pair)] + tags[:, inside_tag(pair)]
        inside[:-1, label] += tags[:, inside_tag(pair)]
    space = np.setdiff1d(np.arange(tokens), content)
    found[space, :-1] = inside[np.searchsorted(content, space)]
    found = np.clip(found, 0.0, 1.0)
    found[:, -1] = 1.0 - np.minimum(1.0, found[:, :-1].sum(axis=1))
    return found


# Constraints.


def forbid_spans(
    scores: TagScores, places: Sequence[tuple[int, int, int]], labels: int
) -> tuple[TagScores, tuple[int, ...]]:
    """Exclude spans from a text's analyses.

    An entity that begins where a forbidden span does, with its label, gets a
    pair of tags of its own, which may not end where the span does.

    Parameters
    ----------
    scores : TagScores
        Of one text.
    places : sequence of (int, int, int)
        Start position, end position (exclusive) and label of each span.
    labels : int
        Number of labels.

    Returns
    -------
    TagScores
        With more tags.
    tuple of int
        The label of each pair of tags.
    """
    starts = sorted({(start, label) for start, _, label in places})
    label_of = (*range(labels), *(label for _, label in starts))
    if not starts:
        return scores, label_of
    real = [OUTSIDE_TAG]
    for label in label_of:
        real += [begin_tag(label), inside_tag(label)]
    emissions = scores.emissions[0][:, real].copy()
    positions = len(emissions)
    transitions = scores.transitions[np.ix_(real, real)].copy()
    for pair in range(len(label_of)):
        inside = inside_tag(pair)
        others = np.setdiff1d(np.arange(len(real)), [begin_tag(pair), inside])
        transitions[others, inside] = -np.inf
    exceptions: dict[int, FloatArray] = {}
    for number, (start, label) in enumerate(starts, start=labels):
        begin, inside = begin_tag(number), inside_tag(number)
        emissions[np.arange(positions) != start, begin] = -np.inf
        emissions[: start + 1, inside] = -np.inf
        emissions[start, begin_tag(label)] = -np.inf
        for _, end, _ in (one for one in places if (one[0], one[2]) == (start, label)):
            tag = begin if end == start + 1 else inside
            if end == positions:
                emissions[end - 1, tag] = -np.inf
            else:
                moves = exceptions.setdefault(end, transitions.copy())
                moves[tag, np.arange(len(real)) != inside] = -np.inf
    return TagScores(emissions[None], scores.lengths, transitions, exceptions), label_of
