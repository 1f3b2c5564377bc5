"""Lattice of one text under a conditional random field.

The analyses of a text are the valid sequences of tags of its tokens that are no
whitespace (see `nbner.nlp.crf.model`); a whitespace token belongs to an entity
if the tokens on either side of it do. Entities may have any length: a limit
would not make anything faster here, and ``max_span_length`` of the callers is
not used.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from nbner.decoding import constraints as limits
from nbner.decoding.arrays import BoolArray, FloatArray, IntArray
from nbner.decoding.chain_search import (
    ChainSums,
    chain_span_probabilities,
    chain_sums,
    chain_token_probabilities,
    forbid_spans,
    k_best_tags,
)
from nbner.decoding.constraints import Constraints
from nbner.decoding.lattice_view import NO_ANALYSIS, TextLattice
from nbner.decoding.probabilities import MIN_PROBABILITY, SpanProbabilities, add_forced_spans
from nbner.decoding.spans import OUTSIDE, LazyCandidates
from nbner.errors import DataError
from nbner.nlp.crf.features import content_tokens
from nbner.nlp.crf.model import OUTSIDE_TAG, TagScores, begin_tag, inside_tag
from nbner.types import Parse, Span, Token

if TYPE_CHECKING:
    from spacy.tokens import Doc


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

    The tokens of a forced span that the model cannot predict (its label is
    unknown, or it begins or ends with whitespace) count as tokens outside of
    entities: they add 0 to a score, and the transitions of such tokens.

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
    log_partition : float, optional
        The logarithm of the sum over all analyses, where it is known already.
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
        log_partition: float | None = None,
    ) -> None:
        super().__init__(text, tokens, labels, normalized=normalized)
        self._content = content
        self._scores = scores
        self._preset = preset
        self._log_partition = log_partition
        self._preset_tokens = (
            np.zeros(len(tokens), np.bool_) if preset_tokens is None else preset_tokens
        )

    @cached_property
    def log_total(self) -> float:  # noqa: D102 - of the base class
        return 0.0 if self.normalized else self._partition

    @cached_property
    def _partition(self) -> float:
        """The logarithm of the sum over all analyses, by the model's own scores."""
        if self._log_partition is not None:
            return self._log_partition
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
            spans=named_spans(spans, self._content, limited.label_of, self.labels),
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
        scores, label_of = forbid_spans(self._scores, sorted(set(places)), len(self.labels))
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


def named_spans(
    spans: Sequence[tuple[int, int, int, float]],
    tokens: ContentTokens,
    label_of: Sequence[int],
    labels: Sequence[str],
) -> dict[Span, float]:
    """Name spans of positions.

    Parameters
    ----------
    spans : sequence of (int, int, int, float)
        From `chain_span_probabilities`.
    tokens : ContentTokens
        Offsets of the positions.
    label_of : sequence of int
        The label of each pair of tags.
    labels : sequence of str
        Labels of the model.

    Returns
    -------
    dict
        Span to probability, sorted by place and label.
    """
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
