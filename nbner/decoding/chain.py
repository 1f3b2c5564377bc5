"""Exact search and exact sums for the conditional random field, as a lattice of one text.

The analyses of a text are the valid sequences of tags of its tokens that are no
whitespace (see `nbner.nlp.crf.model`); a whitespace token belongs to an entity
if the tokens on either side of it do. Sums are those of the forward-backward
algorithm (Lafferty et al. 2001, "Conditional random fields"), the k best
sequences those of the list Viterbi algorithm (Seshadri and Sundberg 1994).
Entities may have any length: a limit would not make anything faster here, and
``max_span_length`` of the callers is not used.

Analyses are ordered by score; of equal scores by the last tag in the order of
tags (outside first, then label by label), then by the order of what precedes
it. That order does not depend on k, so a shorter list is a prefix of a longer
one, and its first entry is what the component predicts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from nbner.decoding import constraints as limits
from nbner.decoding.arrays import BoolArray, FloatArray, IntArray
from nbner.decoding.constraints import Constraints
from nbner.decoding.k_best_single import RELATIVE_TOLERANCE
from nbner.decoding.lattice_view import NO_ANALYSIS, TextLattice
from nbner.decoding.probabilities import MIN_PROBABILITY, SpanProbabilities, add_forced_spans
from nbner.decoding.spans import OUTSIDE, LazyCandidates
from nbner.errors import DataError
from nbner.io.docbin import tokens_from_doc
from nbner.nlp.crf.component import batch_lengths, preset_entities
from nbner.nlp.crf.features import content_tokens
from nbner.nlp.crf.model import OUTSIDE_TAG, TagScores, begin_tag, inside_tag, stack_scores
from nbner.types import Parse, Span, Token

if TYPE_CHECKING:
    from spacy.tokens import Doc

    from nbner.nlp.crf.component import CrfRecognizer


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


# From tags to spans.


@dataclass(frozen=True, slots=True)
class ContentTokens:
    """Offsets of the tokens of a text that are no whitespace.

    Parameters
    ----------
    index : array of int, shape (positions,)
        Their indices among all tokens.
    starts, ends : array of int, shape (positions,)
        Code points, half-open.
    """

    index: IntArray
    starts: IntArray
    ends: IntArray

    @classmethod
    def from_doc(cls, doc: Doc) -> ContentTokens:
        """Read the offsets of a doc's tokens.

        Parameters
        ----------
        doc : Doc
            A tokenized text.
        """
        found = content_tokens(doc)
        index = np.array([token.i for token in found], np.intp)
        starts = np.array([token.idx for token in found], np.intp)
        return cls(index, starts, starts + np.array([len(token) for token in found], np.intp))

    def positions(self, start: int, end: int) -> tuple[int, int]:
        """Return the half-open range of positions in a range of tokens.

        Parameters
        ----------
        start, end : int
            Half-open range among all tokens.
        """
        found: list[int] = np.searchsorted(self.index, [start, end]).tolist()
        return found[0], found[1]


def read_chain_candidates(
    scores: FloatArray, tags: IntArray, tokens: ContentTokens, labels: Sequence[str]
) -> LazyCandidates:
    """Decode sequences of tags into candidates.

    Parameters
    ----------
    scores : array, shape (sequences,)
        Descending.
    tags : array of int, shape (sequences, positions)
        Valid sequences.
    tokens : ContentTokens
        Offsets of the positions.
    labels : sequence of str
        Labels of the model, sorted.
    """
    count, positions = tags.shape
    begins = tags % 2 == 1
    inside = (tags % 2 == 0) & (tags > 0)
    ends = np.full((count, positions), positions, np.intp)
    for j in range(positions - 2, -1, -1):
        ends[:, j] = np.where(inside[:, j + 1], ends[:, j + 1], j + 1)
    row, start = np.nonzero(begins)
    end, label = ends[row, start], (tags[row, start] - 1) // 2
    keys = (start * (positions + 1) + end) * len(labels) + label
    keys, which = np.unique(keys, return_inverse=True)
    place, kind = np.divmod(keys, max(1, len(labels)))
    firsts, lasts = np.divmod(place, positions + 1)
    spans = [
        Span(first, last, labels[one])
        for first, last, one in zip(
            tokens.starts[firsts].tolist(),
            tokens.ends[lasts - 1].tolist(),
            kind.tolist(),
            strict=True,
        )
    ]
    return LazyCandidates(scores, np.bincount(row, minlength=count), which, spans)


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


# One text.


@dataclass(frozen=True, slots=True)
class _Restriction:
    """The scores of a text under constraints.

    Parameters
    ----------
    scores : TagScores
        With a further pair of tags for each start and label of a forbidden span.
    label_of : tuple of int
        The label of each pair of tags.
    added : tuple of Span
        Forced spans that no sequence of tags holds.
    """

    scores: TagScores | None
    label_of: tuple[int, ...]
    added: tuple[Span, ...] = ()


class ChainLattice(TextLattice):
    """All analyses of one text under a conditional random field.

    Parameters
    ----------
    text : str
        The text.
    tokens : tuple of Token
        Its tokens.
    content : ContentTokens
        The tokens that are no whitespace.
    scores : TagScores, optional
        Of the one text; None where all tokens are whitespace.
    labels : tuple of str
        Labels of the model, sorted.
    preset : tuple of Span
        Entities that are set before the recognizer runs and whose label the
        model does not know: every analysis holds them.
    preset_tokens : array of bool, shape (tokens,)
        Tokens that are set before the recognizer runs.
    normalized : bool
        Whether scores are log-probabilities. If not, they are the model's own.
    """

    def __init__(
        self,
        text: str,
        tokens: tuple[Token, ...],
        content: ContentTokens,
        scores: TagScores | None,
        labels: tuple[str, ...],
        *,
        preset: tuple[Span, ...] = (),
        preset_tokens: BoolArray | None = None,
        normalized: bool = True,
    ) -> None:
        super().__init__(text, tokens, labels, normalized=normalized)
        self._content = content
        self._scores = scores
        self._preset = preset
        self._preset_tokens = (
            np.zeros(len(tokens), np.bool_) if preset_tokens is None else preset_tokens
        )

    @cached_property
    def log_total(self) -> float:  # noqa: D102 - of the base class
        return 0.0 if self.normalized else self._partition

    @cached_property
    def _partition(self) -> float:
        """The logarithm of the sum over all analyses, by the model's own scores."""
        return 0.0 if self._sums is None else float(self._sums.log_totals[0])

    @cached_property
    def _sums(self) -> ChainSums | None:
        return None if self._scores is None else chain_sums(self._scores)

    @property
    def _offset(self) -> float:
        return self._partition if self.normalized else 0.0

    def score_of(self, spans: Iterable[Span]) -> float:  # noqa: D102 - of the base class
        tags = self._tags_of(spans)
        if tags is None:
            return -np.inf
        if self._scores is None:
            return 0.0
        emissions = self._scores.emissions[0]
        score = 0.0
        for j, tag in enumerate(tags):
            if j:
                score += float(self._scores.into(j)[tags[j - 1], tag])
            score += float(emissions[j, tag])
        return score - self._offset

    def entropy(self) -> float:  # noqa: D102 - of the base class
        if self._scores is None or self._sums is None:
            return 0.0
        emissions = self._scores.emissions[0]
        forward, backward = self._sums.forward[0], self._sums.backward[0]
        mean = _mean_score(self._sums.tag_probabilities()[0], emissions)
        for j in range(1, len(emissions)):
            moves = self._scores.into(j)
            after = moves + (emissions[j] + backward[j])
            pairs = np.exp(forward[j - 1][:, None] + after - self._partition)
            mean += _mean_score(pairs, moves)
        return max(0.0, self._partition - mean)

    def span_probabilities(  # noqa: D102 - of the base class
        self, constraints: Constraints | None = None, *, min_probability: float = MIN_PROBABILITY
    ) -> SpanProbabilities:
        is_free = constraints is None or constraints == Constraints()
        limited = (
            _Restriction(self._scores, tuple(range(len(self.labels))), self._preset)
            if constraints is None or is_free
            else self._restrict(constraints)
        )
        if limited.scores is None:
            tags, spans = np.zeros((0, 1 + 2 * len(limited.label_of))), []
        else:
            sums = self._sums if is_free else chain_sums(limited.scores)
            assert sums is not None  # noqa: S101 - for the type checker: there are scores
            if np.isneginf(sums.log_totals[0]):
                raise DataError(NO_ANALYSIS, remedy="Forbid less")
            tags = sums.tag_probabilities()[0]
            (spans,) = chain_span_probabilities(limited.scores, sums, min_probability)
        known = SpanProbabilities(
            text=self.text,
            spans=_named_spans(spans, self._content, limited.label_of, self.labels),
            token_probabilities=chain_token_probabilities(
                tags, self._content.index, len(self), limited.label_of, len(self.labels)
            ),
            token_axis=self.tokens,
            label_axis=(*self.labels, OUTSIDE),
            min_probability=min_probability,
        )
        return self._with_added(known, limited.added)

    def _with_added(self, known: SpanProbabilities, added: Sequence[Span]) -> SpanProbabilities:
        places = [(self._places.token_range(span) or (0, 0), span) for span in added]
        return add_forced_spans(known, [(*at, span) for at, span in places]) if added else known

    def _all_k_best(self, k: int) -> tuple[Parse, ...]:
        free = _Restriction(self._scores, tuple(range(len(self.labels))), self._preset)
        return self._search(free, k, self._partition)

    def _constrained_k_best(self, k: int, constraints: Constraints) -> tuple[Parse, ...]:
        limited = self._restrict(constraints)
        total = 0.0
        if limited.scores is not None:
            total = float(chain_sums(limited.scores).log_totals[0])
        found = self._search(limited, k, total)
        own = {span: span for span in constraints.forced}
        return tuple(
            replace(parse, spans=tuple(own.get(span, span) for span in parse.spans))
            for parse in found
        )

    def _search(self, limited: _Restriction, k: int, base: float) -> tuple[Parse, ...]:
        if limited.scores is None:
            return (Parse(1.0, 0.0, tuple(sorted(limited.added, key=_by_place))),)
        scores, tags = k_best_tags(limited.scores, k)
        names = [self.labels[label] for label in limited.label_of]
        lists = read_chain_candidates(scores - self._offset, tags, self._content, names)
        return lists.parses(log_total=base - self._offset, forced=limited.added)

    def _tags_of(self, spans: Iterable[Span]) -> list[int] | None:
        """Return the tags of an analysis; None where no sequence of tags is one."""
        tags = [OUTSIDE_TAG] * len(self._content.index)
        given = list(spans)
        if not set(self._preset) <= set(given):
            return None
        at = 0
        for span in sorted(set(given) - set(self._preset), key=_by_place):
            place = self._predictable(span)
            if place is None or place[0] < at or span in self._preset:
                return None
            start, at, label = place
            tags[start:at] = [begin_tag(label), *[inside_tag(label)] * (at - start - 1)]
        return tags if len(given) == len(set(given)) else None

    def _predictable(self, span: Span) -> tuple[int, int, int] | None:
        """Return positions and label of a span that begins and ends with words; None otherwise."""
        start, end, label = self._token_span(span)
        first, last = self._content.positions(start, end)
        if label < 0 or first == last:
            return None
        exact = self._content.index[first] == start and self._content.index[last - 1] == end - 1
        return (first, last, label) if exact else None

    def _restrict(self, constraints: Constraints) -> _Restriction:
        """Return the scores of the analyses that satisfy constraints."""
        fixed = self._to_token_constraints(constraints)
        impossible = [not self._can_be(span) for span in constraints.forced]
        limits.check_constraints(constraints, fixed, self._preset_tokens, impossible)
        cannot = [
            span
            for span, one in zip(constraints.forced, impossible, strict=True)
            if one and span not in self._preset
        ]
        added = (*self._preset, *cannot)
        plain = tuple(range(len(self.labels)))
        if self._scores is None:
            return _Restriction(None, plain, added)
        places = [place for span in constraints.forbidden if (place := self._predictable(span))]
        scores, label_of = _forbid(self._scores, sorted(set(places)), len(self.labels))
        emissions = scores.emissions.copy()
        restricted = replace(scores, emissions=emissions)
        for start, end in fixed.outside:
            self._block(emissions[0], start, end)
        for span, (start, end, _) in zip(constraints.forced, fixed.forced, strict=True):
            if span in cannot:
                self._force_outside(emissions[0], start, end)
            elif span not in self._preset:
                self._force(emissions[0], span, label_of)
        if self._contradicts_preset(constraints):
            emissions[:] = -np.inf
        return _Restriction(restricted, label_of, added)

    def _contradicts_preset(self, constraints: Constraints) -> bool:
        """Return whether constraints rule out an entity that every analysis holds."""
        return any(
            one in constraints.forbidden
            or any(start < one.end and one.start < end for start, end in constraints.outside)
            for one in self._preset
        )

    def _can_be(self, span: Span) -> bool:
        """Return whether some analysis of the model has a span."""
        if span in self._preset:
            return True
        place = self._predictable(span)
        if place is None or self._scores is None:
            return False
        start, end, label = place
        tags = [begin_tag(label), *[inside_tag(label)] * (end - start - 1)]
        emissions = self._scores.emissions[0, start:end]
        after = self._scores.emissions[0, end : end + 1]
        ends = not len(after) or np.isfinite(np.delete(after[0], inside_tag(label))).any()
        return bool(ends and np.isfinite(emissions[np.arange(end - start), tags]).all())

    def _block(self, emissions: FloatArray, start: int, end: int) -> None:
        """Keep entities off a range of tokens, whitespace included."""
        first, last = self._content.positions(start, end)
        emissions[first:last, OUTSIDE_TAG + 1 :] = -np.inf
        self._cut(emissions, last, reaches=start < end and self._is_space(end - 1))

    def _force(self, emissions: FloatArray, span: Span, label_of: Sequence[int]) -> None:
        """Leave only the tags of a forced span."""
        place = self._predictable(span)
        assert place is not None  # noqa: S101 - for the type checker: the model can predict it
        first, last, label = place
        pairs = [pair for pair, one in enumerate(label_of) if one == label]
        for position in range(first, last):
            kept = [begin_tag(pair) if position == first else inside_tag(pair) for pair in pairs]
            emissions[position, np.setdiff1d(np.arange(emissions.shape[1]), kept)] = -np.inf
        self._cut(emissions, last, reaches=True)

    def _force_outside(self, emissions: FloatArray, start: int, end: int) -> None:
        """Leave the tokens of a span that the model cannot predict outside, with a score of 0."""
        first, last = self._content.positions(start, end)
        emissions[first:last] = -np.inf
        emissions[first:last, OUTSIDE_TAG] = 0.0
        self._cut(emissions, last, reaches=True)

    def _cut(self, emissions: FloatArray, position: int, *, reaches: bool) -> None:
        """Let no entity go on at a position."""
        if reaches and position < len(emissions):
            emissions[position, inside_tag(0) :: 2] = -np.inf

    def _is_space(self, token: int) -> bool:
        return not np.isin(token, self._content.index)


def _forbid(
    scores: TagScores, places: Sequence[tuple[int, int, int]], labels: int
) -> tuple[TagScores, tuple[int, ...]]:
    """Take spans out of a text's analyses.

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


def _named_spans(
    spans: Sequence[tuple[int, int, int, float]],
    tokens: ContentTokens,
    label_of: Sequence[int],
    labels: Sequence[str],
) -> dict[Span, float]:
    named = [
        (int(tokens.starts[start]), int(tokens.ends[end - 1]), labels[label_of[pair]], share)
        for start, end, pair, share in spans
    ]
    return {Span(start, end, label): share for start, end, label, share in sorted(named)}


def _mean_score(probabilities: FloatArray, scores: FloatArray) -> float:
    positive = probabilities > 0
    return float((probabilities[positive] * scores[positive]).sum())


def _by_place(span: Span) -> tuple[int, int]:
    return span.start, span.end


# Streams of texts.


@dataclass(frozen=True, slots=True)
class ChainSettings:
    """Options of the analyses of a random field.

    Parameters
    ----------
    normalized : bool
        Whether scores are log-probabilities.
    temperature : float
        Divides the model's scores.
    """

    normalized: bool = True
    temperature: float = 1.0


@dataclass(frozen=True, slots=True)
class _ScoredDoc:
    doc: Doc = field(repr=False)
    content: ContentTokens
    scores: FloatArray
    added: tuple[Span, ...]
    preset_tokens: BoolArray


def _score_docs(
    recognizer: CrfRecognizer, docs: Sequence[Doc], temperature: float
) -> tuple[list[_ScoredDoc], FloatArray]:
    """Return the scored docs and the transitions."""
    crf = recognizer.trained_model()
    found = [
        _ScoredDoc(
            doc, ContentTokens.from_doc(doc), scores / temperature, *_preset(doc, crf.labels)
        )
        for doc, scores in zip(docs, recognizer.token_scores(docs), strict=True)
    ]
    return found, crf.masked_transitions / temperature


def _preset(doc: Doc, labels: Sequence[str]) -> tuple[tuple[Span, ...], BoolArray]:
    """Return the entities set before whose label is unknown, and all tokens set before."""
    entities, tokens = preset_entities(doc)
    taken = np.zeros(len(doc), np.bool_)
    taken[tokens] = True
    return (
        tuple(
            Span(one.start_char, one.end_char, one.label_)
            for one in entities
            if one.label_ not in labels
        ),
        taken,
    )


def chain_lattices(
    recognizer: CrfRecognizer, docs: Sequence[Doc], settings: ChainSettings = ChainSettings()
) -> Iterator[ChainLattice]:
    """Build the lattices of docs.

    Parameters
    ----------
    recognizer : CrfRecognizer
        The trained component.
    docs : sequence of Doc
        As the recognizer receives them.
    settings : ChainSettings
        Normalization and temperature.

    Yields
    ------
    ChainLattice
        One a doc, in order.
    """
    scored, transitions = _score_docs(recognizer, docs, settings.temperature)
    for one in scored:
        yield ChainLattice(
            one.doc.text,
            tokens_from_doc(one.doc),
            one.content,
            stack_scores([one.scores], transitions) if len(one.scores) else None,
            recognizer.labels,
            preset=one.added,
            preset_tokens=one.preset_tokens,
            normalized=settings.normalized,
        )


def chain_parses(
    recognizer: CrfRecognizer,
    docs: Sequence[Doc],
    k: int,
    settings: ChainSettings = ChainSettings(),
) -> Iterator[tuple[Parse, ...]]:
    """Find the k best analyses of docs.

    Parameters
    ----------
    recognizer, docs, settings
        As for `chain_lattices`.
    k : int
        Length of the lists, at least 1.

    Yields
    ------
    tuple of Parse
        One list a doc, in order.
    """
    for lattice in chain_lattices(recognizer, docs, settings):
        yield lattice.k_best(k)


def chain_probabilities(
    recognizer: CrfRecognizer,
    docs: Sequence[Doc],
    floor: float,
    settings: ChainSettings = ChainSettings(),
) -> list[SpanProbabilities]:
    """Compute the exact probabilities of the spans and tokens of docs, batch by batch.

    Parameters
    ----------
    recognizer, docs, settings
        As for `chain_lattices`.
    floor : float
        Spans with a lower probability are not listed.
    """
    scored, transitions = _score_docs(recognizer, docs, settings.temperature)
    labels = recognizer.labels
    plain = tuple(range(len(labels)))
    none: tuple[FloatArray, list[tuple[int, int, int, float]]]
    none = np.zeros((0, 1 + 2 * len(labels))), []
    found = [none] * len(docs)
    for batch in batch_lengths([len(one.scores) for one in scored]):
        stacked = stack_scores([scored[i].scores for i in batch], transitions)
        sums = chain_sums(stacked)
        tags = sums.tag_probabilities()
        for row, (i, spans) in enumerate(
            zip(batch, chain_span_probabilities(stacked, sums, floor), strict=True)
        ):
            found[i] = tags[row, : len(scored[i].scores)], spans
    return [
        _to_probabilities(one, tags, spans, plain, labels, floor)
        for one, (tags, spans) in zip(scored, found, strict=True)
    ]


def _to_probabilities(
    one: _ScoredDoc,
    tags: FloatArray,
    spans: Sequence[tuple[int, int, int, float]],
    label_of: Sequence[int],
    labels: tuple[str, ...],
    floor: float,
) -> SpanProbabilities:
    known = SpanProbabilities(
        text=one.doc.text,
        spans=_named_spans(spans, one.content, label_of, labels),
        token_probabilities=chain_token_probabilities(
            tags, one.content.index, len(one.doc), label_of, len(labels)
        ),
        token_axis=tokens_from_doc(one.doc),
        label_axis=(*labels, OUTSIDE),
        min_probability=floor,
    )
    if not one.added:
        return known
    entities = [entity for entity in one.doc.ents if entity.label_ not in labels]
    places = [(entity.start, entity.end) for entity in entities]
    return add_forced_spans(
        known, [(*at, span) for at, span in zip(places, one.added, strict=True)]
    )
