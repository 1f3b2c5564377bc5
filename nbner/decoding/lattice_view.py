"""Lattice of one text: k best search, constraints, scores, probabilities, entropy.

`TextLattice` is what both kinds of lattices have in common: `Lattice`, of
spaCy's transition system, and `chain.ChainLattice`, of the random field.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Hashable, Iterable
from functools import cached_property

import numpy as np

from nbner._common.format import plural
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

NO_ANALYSIS = (
    "no analysis of the text agrees with the constraints and with what an earlier component of "
    "the pipeline has set"
)


class TextLattice(ABC):
    """All analyses of one text with their scores, in compact form.

    Parameters
    ----------
    text : str
        The text.
    tokens : tuple of Token
        Its tokens.
    labels : tuple of str
        Labels of the model, sorted.
    normalized : bool
        Whether scores are log-probabilities. If not, probabilities are computed
        over all analyses in the lattice.
    """

    def __init__(
        self, text: str, tokens: tuple[Token, ...], labels: tuple[str, ...], *, normalized: bool
    ) -> None:
        self.text = text
        self.tokens = tokens
        self.labels = labels
        self.normalized = normalized
        self._places = TokenOffsets(
            np.array([token.start for token in tokens], np.intp),
            np.array([token.end for token in tokens], np.intp),
        )
        self._cached: tuple[int, tuple[Parse, ...]] = (0, ())
        self._known: SpanProbabilities | None = None

    def __len__(self) -> int:
        return len(self.tokens)

    def __repr__(self) -> str:
        kind = type(self).__name__
        return (
            f"{kind}({self.text[:40]!r}, {plural(len(self), 'token')}, "
            f"{plural(len(self.labels), 'label')})"
        )

    @property
    @abstractmethod
    def log_total(self) -> float:
        """The logarithm of the sum over all analyses: 0 if scores are log-probabilities.

        Below 0 if the length of entities was limited, by the mass left out.
        """

    def k_best(self, k: int, constraints: Constraints | None = None) -> tuple[Parse, ...]:
        """Find the k best analyses.

        Parameters
        ----------
        k : int
            Length of the list, at least 1.
        constraints : Constraints, optional
            Constraints that every analysis must satisfy.

        Returns
        -------
        tuple of Parse
            Best first; fewer than k if there are no more. Under constraints,
            probabilities are conditional on them; a forced span that the model
            cannot predict adds 0 to a score.

        Raises
        ------
        DataError
            k is below 1 or above `MAX_K`, or the constraints contradict each other or an
            entity that is set before the recognizer runs.
        """
        check_k(k)
        if constraints is not None and constraints != Constraints():
            found = self._constrained_k_best(k, constraints)
            if not found:
                raise DataError(NO_ANALYSIS, remedy="Forbid less")
            return found
        if k > self._cached[0]:
            self._cached = (k, self._all_k_best(k))
        return self._cached[1][:k]

    @abstractmethod
    def score_of(self, spans: Iterable[Span]) -> float:
        """Return the score of the analysis with exactly these spans; -inf if it is not reachable.

        Parameters
        ----------
        spans : iterable of Span
            All entities of the analysis.
        """

    def probability_of(self, spans: Iterable[Span]) -> float:
        """Return the probability of the analysis with exactly these spans; 0 if not reachable.

        Parameters
        ----------
        spans : iterable of Span
            All entities of the analysis.
        """
        return float(np.exp(self.log_probability_of(spans)))

    def log_probability_of(self, spans: Iterable[Span]) -> float:
        """Return the log-probability of the analysis with exactly these spans, in nats.

        Parameters
        ----------
        spans : iterable of Span
            All entities of the analysis.

        Returns
        -------
        float
            Minus infinity where it is not reachable.
        """
        return self.score_of(spans) - (0.0 if self.normalized else self.log_total)

    def is_reachable(self, spans: Iterable[Span]) -> bool:
        """Return whether the model can predict exactly these spans.

        Spans that are not aligned with tokens, have an unknown label, exceed the
        maximum length or violate the model's rules are not reachable.

        Parameters
        ----------
        spans : iterable of Span
            All entities of the analysis.
        """
        return bool(np.isfinite(self.score_of(spans)))

    def rank_of(self, spans: Iterable[Span], max_rank: int) -> int | None:
        """Return the rank of an analysis in the exact k best list.

        Parameters
        ----------
        spans : iterable of Span
            All entities of the analysis.
        max_rank : int
            Length of the list that is searched.

        Returns
        -------
        int or None
            1 for the best; None if it is not among the first ``max_rank``.
        """
        wanted = tuple(sorted(spans, key=lambda span: (span.start, span.end)))
        if not self.is_reachable(wanted):
            return None
        ranked = enumerate(self.k_best(max_rank), start=1)
        return next((rank for rank, parse in ranked if parse.spans == wanted), None)

    @abstractmethod
    def entropy(self) -> float:
        """Return the entropy of the distribution over analyses, in nats."""

    @abstractmethod
    def span_probabilities(
        self, constraints: Constraints | None = None, *, min_probability: float = MIN_PROBABILITY
    ) -> SpanProbabilities:
        """Sum over all analyses, or over those that satisfy the constraints.

        Parameters
        ----------
        constraints : Constraints, optional
            Constraints that every analysis must satisfy.
        min_probability : float
            Spans with a lower probability are not listed.

        Raises
        ------
        DataError
            The constraints contradict each other or an entity that is set before the
            recognizer runs.
        """

    @abstractmethod
    def _all_k_best(self, k: int) -> tuple[Parse, ...]:
        """Find the k best of all analyses."""

    @abstractmethod
    def _constrained_k_best(self, k: int, constraints: Constraints) -> tuple[Parse, ...]:
        """Find the k best analyses that satisfy constraints; empty if there is none."""

    def _token_span(self, span: Span) -> tuple[int, int, int]:
        """Return a span's tokens and label; the label -1 where one of them is unknown."""
        place = self._places.token_range(span)
        if place is None:
            return 0, 0, -1
        label = self.labels.index(span.label) if span.label in self.labels else -1
        return *place, label

    def _to_token_constraints(self, constraints: Constraints) -> TokenConstraints:
        for span in constraints.forced:
            if self._places.token_range(span) is None:
                raise DataError(
                    f"{limits.describe_span(span)} is forced, but is not aligned with tokens",
                    remedy="Force a span that starts and ends at token boundaries",
                )
        return TokenConstraints(
            forced=tuple(self._token_span(span) for span in constraints.forced),
            forbidden=tuple(self._token_span(span) for span in constraints.forbidden),
            outside=tuple(
                self._places.overlapping_tokens(*stretch) for stretch in constraints.outside
            ),
        )


class Lattice(TextLattice):
    """Lattice of spaCy's transition system: the weights of all segments.

    Parameters
    ----------
    text : str
        The text.
    tokens : tuple of Token
        Its tokens.
    weights : array, shape (positions, width, labels + 1)
        Segment weights; see `lattice.LatticeBatch`.
    labels : tuple of str
        Labels of the model, sorted.
    preset : array of bool, shape (positions,)
        Tokens that are set before the recognizer runs.
    normalized : bool
        Whether scores are log-probabilities. If not, probabilities are computed
        over all analyses in the lattice.
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
        super().__init__(text, tokens, labels, normalized=normalized)
        self._weights = weights
        self._preset = preset

    @cached_property
    def log_total(self) -> float:  # noqa: D102 - of the base class
        return float(log_totals(self._weights[None], self._lengths)[0])

    def score_of(self, spans: Iterable[Span]) -> float:  # noqa: D102 - of the base class
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

    def entropy(self) -> float:  # noqa: D102 - of the base class
        if not len(self):
            return 0.0
        totals, share = segment_probabilities(self._weights[None], self._lengths)
        positive = share > 0
        return float(totals[0] - (share[positive] * self._weights[None][positive]).sum())

    def span_probabilities(  # noqa: D102 - of the base class
        self, constraints: Constraints | None = None, *, min_probability: float = MIN_PROBABILITY
    ) -> SpanProbabilities:
        constraints = constraints or Constraints()
        fixed = self._checked(constraints)
        constrained_weights = limits.apply_constraints(self._weights, fixed)
        totals, share = segment_probabilities(constrained_weights[None], self._lengths)
        if np.isneginf(totals[0]):
            raise DataError(NO_ANALYSIS, remedy="Forbid less")
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

    def _all_k_best(self, k: int) -> tuple[Parse, ...]:
        return self._search(self._weights, k, 0.0 if self.normalized else self.log_total)

    def _constrained_k_best(self, k: int, constraints: Constraints) -> tuple[Parse, ...]:
        constrained_weights = limits.apply_constraints(self._weights, self._checked(constraints))
        total = float(log_totals(constrained_weights[None], self._lengths)[0])
        return self._search(constrained_weights, k, total, constraints.forced)

    def _search(
        self, weights: FloatArray, k: int, base: float, forced: tuple[Span, ...] = ()
    ) -> tuple[Parse, ...]:
        lists = k_best_single(weights, k)
        (reading,) = read_candidates(lists, [self._places], self.labels, width=weights.shape[1])
        return reading.parses(log_total=base, forced=forced)

    def _outside_score(self, start: int, end: int) -> float:
        return float(self._weights[start:end, -1, -1].sum())

    def _checked(self, constraints: Constraints) -> TokenConstraints:
        fixed = self._to_token_constraints(constraints)
        weights = [limits.span_weight(self._weights, one) for one in fixed.forced]
        limits.check_constraints(
            constraints, fixed, self._preset, [bool(np.isneginf(one)) for one in weights]
        )
        return fixed


MAX_K = 100_000  # analyses of one text


def check_k(k: int) -> None:
    """Raise an error for a list length below 1, or beyond what a machine can hold.

    Parameters
    ----------
    k : int
        Length of a list of analyses.

    Raises
    ------
    DataError
        k is below 1 or above `MAX_K`.
    """
    if k < 1:
        raise DataError(f"k={k}: there is no list of fewer than 1 analysis", remedy="Ask for k=1")
    if k > MAX_K:
        raise DataError(
            f"k={k}: lists are at most {MAX_K:,} analyses long",
            remedy="Ask for fewer; session.model.span_probabilities(text) sums over all analyses",
        )


MAX_TOKENS = 10_000  # of 10 kB each, with 18 labels and entities of up to 64 tokens


class LatticeCache:
    """Thread-safe cache of the most recently used lattices.

    Parameters
    ----------
    max_tokens : int
        Tokens of all cached texts together; the least recently used lattices are
        evicted first. A single text that is longer is not cached.
    """

    def __init__(self, max_tokens: int = MAX_TOKENS) -> None:
        self._max_tokens = max_tokens
        self._lattices: OrderedDict[Hashable, TextLattice] = OrderedDict()
        self._lock = threading.Lock()

    def put(self, key: Hashable, lattice: TextLattice) -> None:
        """Store a lattice, replacing an earlier one under the same key.

        Parameters
        ----------
        key : hashable
            Identity of the text and its tokens.
        lattice : TextLattice
            The lattice.
        """
        with self._lock:
            self._lattices[key] = lattice
            self._lattices.move_to_end(key)
            tokens = sum(len(one) for one in self._lattices.values())
            while tokens > self._max_tokens:
                _, evicted = self._lattices.popitem(last=False)
                tokens -= len(evicted)

    def get(self, key: Hashable) -> TextLattice | None:
        """Return a lattice; None if it was never stored or has been evicted.

        Parameters
        ----------
        key : hashable
            The key it was stored under.
        """
        with self._lock:
            found = self._lattices.get(key)
            if found is not None:
                self._lattices.move_to_end(key)
            return found

    def clear(self) -> None:
        """Remove all lattices, for when the model has changed."""
        with self._lock:
            self._lattices.clear()
