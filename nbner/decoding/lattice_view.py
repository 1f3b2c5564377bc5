"""One text's lattice, kept: searched again under constraints, asked for probabilities."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

import numpy as np

from nbner.decoding import constraints as limits
from nbner.decoding.arrays import BoolArray, FloatArray, IntArray
from nbner.decoding.constraints import Constraints, TokenConstraints
from nbner.decoding.k_best_single import k_best_single
from nbner.decoding.marginals import log_totals, segment_probabilities, token_probabilities
from nbner.decoding.probabilities import (
    MIN_PROBABILITY,
    SpanProbabilities,
    add_forced_spans,
    collect_probable_spans,
)
from nbner.decoding.spans import OUTSIDE, TokenOffsets, read_candidates
from nbner.errors import DataError
from nbner.types import Parse, Span, Token

_NO_ANALYSIS = (
    "no analysis of the text agrees with the constraints and with what an earlier component of "
    "the pipeline has set"
)


class Lattice:
    """All analyses of one text, with their scores.

    Parameters
    ----------
    text : str
    tokens : tuple of Token
    weights : array, shape (positions, width, labels + 1)
        As in `lattice.LatticeBatch`.
    labels : tuple of str
    preset : array of bool, shape (positions,)
        Tokens that were set before the recognizer runs.
    normalized : bool
        Whether a score is a log-probability. If not, probabilities are taken
        over all analyses that the lattice holds.
    """

    def __init__(
        self,
        text: str,
        tokens: tuple[Token, ...],
        weights: FloatArray,
        labels: tuple[str, ...],
        preset: BoolArray,
        *,
        normalized: bool,
    ) -> None:
        self.text = text
        self.tokens = tokens
        self.labels = labels
        self.normalized = normalized
        self._places = TokenOffsets(
            np.array([token.start for token in tokens], np.intp),
            np.array([token.end for token in tokens], np.intp),
        )
        self._weights = weights
        self._preset = preset
        self._cached: tuple[int, tuple[Parse, ...]] = (0, ())

    def __len__(self) -> int:
        return len(self._weights)

    def __repr__(self) -> str:
        return f"Lattice({self.text[:40]!r}, {len(self)} tokens, {len(self.labels)} labels)"

    @cached_property
    def log_total(self) -> float:
        """The logarithm of the sum over all analyses: 0 if scores are log-probabilities.

        Below 0 where a longest entity was stated, by what is left out.
        """
        return float(log_totals(self._weights[None], self._lengths)[0])

    def k_best(self, k: int, constraints: Constraints | None = None) -> tuple[Parse, ...]:
        """Find the k best analyses.

        Parameters
        ----------
        k : int
        constraints : Constraints, optional

        Returns
        -------
        tuple of Parse
            Best first; fewer than k where there are no more. Under
            constraints, probabilities are those given that the constraints
            hold; a forced span that the model cannot make counts 0 in a score.

        Raises
        ------
        DataError
            k is below 1, or the constraints contradict each other or what was
            set before the recognizer runs.
        """
        check_k(k)
        if constraints is not None and constraints != Constraints():
            return self._constrained(k, constraints)
        if k > self._cached[0]:
            base = 0.0 if self.normalized else self.log_total
            self._cached = (k, self._search(self._weights, k, base))
        return self._cached[1][:k]

    def score_of(self, spans: Iterable[Span]) -> float:
        """Give the score of the analysis with exactly these spans; -inf where it is not reachable.

        Parameters
        ----------
        spans : iterable of Span
        """
        found = sorted(self._token_span(span) for span in spans)
        at, score = 0, 0.0
        for start, end, label in found:
            if start < at or label < 0:
                return -np.inf
            score += self._outside_score(at, start) + limits.span_weight(
                self._weights, (start, end, label)
            )
            at = end
        return float(score + self._outside_score(at, len(self)))

    def probability_of(self, spans: Iterable[Span]) -> float:
        """Give the probability of the analysis with exactly these spans; 0 if not reachable."""
        base = 0.0 if self.normalized else self.log_total
        return float(np.exp(self.score_of(spans) - base))

    def is_reachable(self, spans: Iterable[Span]) -> bool:
        """Whether some sequence of actions gives exactly these spans.

        Spans that are off the tokens, have a label that the model does not
        know, are longer than was looked for, or that spaCy's rules forbid are
        not.
        """
        return bool(np.isfinite(self.score_of(spans)))

    def rank_of(self, spans: Iterable[Span], max_rank: int) -> int | None:
        """Say at which place of the exact list an analysis stands.

        Parameters
        ----------
        spans : iterable of Span
        max_rank : int
            How far down to look.

        Returns
        -------
        int or None
            1 for the best; None where it is not among the first ``max_rank``.
        """
        wanted = tuple(sorted(spans, key=lambda span: (span.start, span.end)))
        if not self.is_reachable(wanted):
            return None
        ranked = enumerate(self.k_best(max_rank), start=1)
        return next((rank for rank, parse in ranked if parse.spans == wanted), None)

    def entropy(self) -> float:
        """Give the entropy of the distribution over analyses, in nats."""
        if not len(self):
            return 0.0
        totals, share = segment_probabilities(self._weights[None], self._lengths)
        positive = share > 0
        return float(totals[0] - (share[positive] * self._weights[None][positive]).sum())

    def span_probabilities(
        self, constraints: Constraints | None = None, *, min_probability: float = MIN_PROBABILITY
    ) -> SpanProbabilities:
        """Sum over all analyses; under constraints, over those that agree with them.

        Raises
        ------
        DataError
            The constraints contradict each other or what was set before.
        """
        constraints = constraints or Constraints()
        fixed = self._to_token_constraints(constraints)
        constrained_weights = limits.apply_constraints(self._weights, fixed)
        totals, share = segment_probabilities(constrained_weights[None], self._lengths)
        if np.isneginf(totals[0]):
            raise DataError(_NO_ANALYSIS, remedy="Forbid less")
        known = SpanProbabilities(
            text=self.text,
            spans=collect_probable_spans(share[0], self._places, self.labels, min_probability),
            token_probabilities=token_probabilities(share)[0],
            token_axis=self.tokens,
            label_axis=(*self.labels, OUTSIDE),
            min_probability=min_probability,
            total_probability=float(np.exp(self.log_total)) if self.normalized else 1.0,
        )
        places = [(start, end) for start, end, _ in fixed.forced]
        forced = [(*at, span) for at, span in zip(places, constraints.forced, strict=True)]
        return add_forced_spans(known, forced) if forced else known

    @property
    def _lengths(self) -> IntArray:
        return np.array([len(self)], np.intp)

    def _constrained(self, k: int, constraints: Constraints) -> tuple[Parse, ...]:
        fixed = self._to_token_constraints(constraints)
        constrained_weights = limits.apply_constraints(self._weights, fixed)
        total = float(log_totals(constrained_weights[None], self._lengths)[0])
        found = self._search(constrained_weights, k, total, constraints.forced)
        if not found:
            raise DataError(_NO_ANALYSIS, remedy="Forbid less")
        return found

    def _search(
        self, weights: FloatArray, k: int, base: float, forced: tuple[Span, ...] = ()
    ) -> tuple[Parse, ...]:
        lists = k_best_single(weights, k)
        (reading,) = read_candidates(lists, [self._places], self.labels, width=weights.shape[1])
        return reading.parses(log_total=base, forced=forced)

    def _outside_score(self, start: int, end: int) -> float:
        return float(self._weights[start:end, -1, -1].sum())

    def _token_span(self, span: Span) -> tuple[int, int, int]:
        place = self._places.token_range(span)
        if place is None:
            return 0, 0, -1
        label = self.labels.index(span.label) if span.label in self.labels else -1
        return *place, label

    def _to_token_constraints(self, constraints: Constraints) -> TokenConstraints:
        for span in constraints.forced:
            if self._places.token_range(span) is None:
                raise DataError(
                    f"{limits.describe_span(span)} is forced, but does not begin and end with tokens",
                    remedy="Give bounds of whole tokens",
                )
        fixed = TokenConstraints(
            forced=tuple(self._token_span(span) for span in constraints.forced),
            forbidden=tuple(self._token_span(span) for span in constraints.forbidden),
            outside=tuple(
                self._places.overlapping_tokens(*stretch) for stretch in constraints.outside
            ),
        )
        limits.check_constraints(constraints, fixed, self._preset, self._weights)
        return fixed


def check_k(k: int) -> None:
    """Refuse a list of no analyses.

    Raises
    ------
    DataError
    """
    if k < 1:
        raise DataError(f"k={k}: there is no list of fewer than 1 analysis", remedy="Ask for k=1")
