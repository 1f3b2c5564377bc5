"""Agreement between annotators about spans, with intervals, and the disputed texts.

Definitions
-----------
*Exact F*: of two annotators' spans, twice the spans that both have (start, end
and label) over the sum of both numbers; it is the same whoever is taken as the
reference (Hripcsak and Rothschild 2005). *Relaxed F*: as before, but two spans
match where they overlap and have one label, one to one. Over several annotators
the counts of all pairs are summed.

*Cohen's kappa* (1960) and *Krippendorff's alpha* (1970, nominal) are defined for
units that everybody has annotated, which spans are not; here the units are tokens
and the categories the label of the span that covers a token, or none. Tokens
outside of all spans count, so that both are high where entities are few; the
measures of a label are computed against all other categories.

Intervals are 95 % percentile intervals of a bootstrap over texts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import nan
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from nbner._common.bootstrap import (
    N_RESAMPLES,
    Estimate,
    FloatArray,
    draw_weights,
    percentile_interval,
    safe_divide,
)
from nbner.types import Span, Token

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: From sums over texts, of shape (resamples, ...), to a measure of shape (resamples,).
Measure: TypeAlias = Callable[[FloatArray], FloatArray]

_CHUNK = 100  # resamples whose summed matrices are in memory at a time
# Denominators that are differences of sums are zero up to rounding.
_MIN_DENOMINATOR = 1e-12


@dataclass(frozen=True, slots=True)
class AnnotatedText:
    """A text with the spans of each annotator.

    Parameters
    ----------
    text : str
        The text.
    tokens : sequence of Token
        Its tokens.
    spans : mapping
        Annotator to spans; without those who did not annotate the text.
    """

    text: str
    tokens: Sequence[Token]
    spans: Mapping[str, Sequence[Span]]


@dataclass(frozen=True, slots=True)
class GroupAgreement:
    """The measures of a group: everybody, two annotators, or one label.

    Parameters
    ----------
    n : int
        Number of texts that two or more of them annotated.
    spans : int
        Number of spans of all of them in these texts.
    exact, relaxed, kappa, alpha : Estimate
        The measures, NaN where undefined. Kappa is the mean over pairs of
        annotators.
    """

    n: int
    spans: int
    exact: Estimate
    relaxed: Estimate
    kappa: Estimate
    alpha: Estimate


@dataclass(frozen=True, slots=True)
class DisputedText:
    """A text on which annotators differ.

    Parameters
    ----------
    position : int
        Position among the texts that were measured.
    differing : int
        Number of spans that only one annotator of a pair has, over all pairs.
    f : float, optional
        Exact F over the pairs.
    """

    position: int
    differing: int
    f: float | None


@dataclass(frozen=True, slots=True)
class AgreementScores:
    """The measures of everybody, of each pair and of each label.

    Parameters
    ----------
    overall : GroupAgreement
        Measures over all annotators and labels.
    pairs : mapping
        Pair of annotators to their measures.
    labels : mapping
        Label to its measures against all other categories.
    disputed : tuple of DisputedText
        The most disputed texts first.
    """

    overall: GroupAgreement
    pairs: Mapping[tuple[str, str], GroupAgreement]
    labels: Mapping[str, GroupAgreement]
    disputed: tuple[DisputedText, ...]


def measure_agreement(
    rated: Sequence[AnnotatedText], *, samples: int = N_RESAMPLES, seed: int = 0
) -> AgreementScores:
    """Measure agreement over the texts that two or more annotators annotated.

    Parameters
    ----------
    rated : sequence of AnnotatedText
        Texts with their annotations; those of one annotator are left out.
    samples : int
        Number of bootstrap resamples; 0 for no intervals.
    seed : int
        Seed of the bootstrap.
    """
    shared = [(i, one) for i, one in enumerate(rated) if len(one.spans) >= 2]
    texts = [one for _, one in shared]
    annotators = sorted({name for one in texts for name in one.spans})
    labels = sorted({span.label for one in texts for spans in one.spans.values() for span in spans})
    weights = draw_weights(len(texts), samples, np.random.default_rng(seed)).astype(np.float64)
    counts = {pair: _PairCounts(texts, pair, labels) for pair in combinations(annotators, 2)}
    everybody = _coincidences(texts, annotators, labels)
    summed = sum((one.spans for one in counts.values()), np.zeros((len(texts), len(labels), 4)))
    return AgreementScores(
        overall=_measure_group(list(counts.values()), everybody, None, weights),
        pairs={
            pair: _measure_group([one], _coincidences(texts, list(pair), labels), None, weights)
            for pair, one in counts.items()
        },
        labels={
            label: _measure_group(list(counts.values()), everybody, index, weights)
            for index, label in enumerate(labels)
        },
        disputed=_disputed_texts([i for i, _ in shared], summed),
    )


class _PairCounts:
    """Counts of two annotators, text by text.

    Attributes
    ----------
    spans : array, texts x labels x 4
        Spans of the one, of the other, exact matches, and relaxed matches.
    tokens : array, texts x categories x categories
        Tokens by the category of the one and of the other.
    is_shared : array of bool
        Whether both annotated the text.
    """

    def __init__(
        self, texts: Sequence[AnnotatedText], pair: tuple[str, str], labels: Sequence[str]
    ) -> None:
        index = {label: i for i, label in enumerate(labels)}
        size = len(labels) + 1
        self.spans = np.zeros((len(texts), len(labels), 4))
        self.tokens = np.zeros((len(texts), size, size))
        self.is_shared = np.zeros(len(texts), dtype=bool)
        for t, one in enumerate(texts):
            if not all(name in one.spans for name in pair):
                continue
            self.is_shared[t] = True
            left, right = (one.spans[name] for name in pair)
            matches = _exact_matches(left, right), _relaxed_matches(left, right)
            for column, spans in enumerate((left, right, *matches)):
                for span in spans:
                    self.spans[t, index[span.label], column] += 1
            categories = [_token_categories(one.tokens, spans, index) for spans in (left, right)]
            np.add.at(self.tokens[t], tuple(categories), 1)


def _exact_matches(left: Sequence[Span], right: Sequence[Span]) -> list[Span]:
    others = set(right)
    return [span for span in left if span in others]


def _relaxed_matches(left: Sequence[Span], right: Sequence[Span]) -> list[Span]:
    """Match spans one to one where they overlap with one label, from left to right.

    This is a maximum matching, for the spans of one side do not overlap.
    """
    matched = []
    for label in {span.label for span in left}:
        ours = sorted((s for s in left if s.label == label), key=lambda span: span.start)
        theirs = sorted((s for s in right if s.label == label), key=lambda span: span.start)
        i = j = 0
        while i < len(ours) and j < len(theirs):
            if ours[i].end <= theirs[j].start:
                i += 1
            elif theirs[j].end <= ours[i].start:
                j += 1
            else:
                matched.append(ours[i])
                i, j = i + 1, j + 1
    return matched


def _token_categories(
    tokens: Sequence[Token], spans: Sequence[Span], index: Mapping[str, int]
) -> NDArray[Any]:
    """Return each token's category: the label that covers a part of it, or the last for none."""
    categories = np.full(len(tokens), len(index))
    starts = np.array([token.start for token in tokens])
    ends = np.array([token.end for token in tokens])
    for span in spans:
        categories[(starts < span.end) & (ends > span.start)] = index[span.label]
    return categories


def _coincidences(
    texts: Sequence[AnnotatedText], annotators: Sequence[str], labels: Sequence[str]
) -> FloatArray:
    """Compute Krippendorff's coincidence matrix of each text."""
    index = {label: i for i, label in enumerate(labels)}
    size = len(labels) + 1
    found = np.zeros((len(texts), size, size))
    for t, one in enumerate(texts):
        by_annotator = [
            _token_categories(one.tokens, one.spans[name], index)
            for name in annotators
            if name in one.spans
        ]
        if len(by_annotator) < 2:
            continue
        votes = np.zeros((len(one.tokens), size))
        for categories in by_annotator:
            votes[np.arange(len(one.tokens)), categories] += 1
        found[t] = (votes.T @ votes - np.diag(votes.sum(axis=0))) / (len(by_annotator) - 1)
    return found


def _measure_group(
    pairs: Sequence[_PairCounts], coincidences: FloatArray, label: int | None, weights: FloatArray
) -> GroupAgreement:
    """Compute the measures of some pairs, over all labels or one (by its index)."""
    columns = slice(None) if label is None else slice(label, label + 1)
    n_texts = len(coincidences)
    spans = sum((one.spans[:, columns].sum(axis=1) for one in pairs), np.zeros((n_texts, 4)))
    is_shared = np.zeros(n_texts, dtype=bool)
    for one in pairs:
        is_shared |= one.is_shared
    tokens = [
        one.tokens if label is None else _one_against_rest(one.tokens, label) for one in pairs
    ]
    matrices = coincidences if label is None else _one_against_rest(coincidences, label)
    return GroupAgreement(
        n=int(is_shared.sum()),
        spans=int(spans[:, :2].sum()),
        exact=_estimate([spans], weights, lambda sums: _f(sums, 2)),
        relaxed=_estimate([spans], weights, lambda sums: _f(sums, 3)),
        kappa=_estimate(tokens, weights, _kappa),
        alpha=_estimate([matrices], weights, _alpha),
    )


def _one_against_rest(matrices: FloatArray, label: int) -> FloatArray:
    """Merge all categories of square matrices but one."""
    fold = np.zeros((matrices.shape[-1], 2))
    fold[:, 1] = 1
    fold[label] = (1, 0)
    folded: FloatArray = fold.T @ matrices @ fold
    return folded


def _estimate(tables: Sequence[FloatArray], weights: FloatArray, measure: Measure) -> Estimate:
    """Compute the mean of a measure over tables of counts, one row a text, with its interval.

    Tables for which the measure is undefined are left out of the mean.
    """
    if not tables:
        return Estimate(nan)
    observed = _mean(np.stack([measure(table.sum(axis=0, keepdims=True)) for table in tables]))
    if np.isnan(observed[0]):
        return Estimate(nan)
    resampled = _mean(np.stack([_resampled(table, weights, measure) for table in tables]))
    return Estimate(float(observed[0]), *percentile_interval(resampled))


def _resampled(table: FloatArray, weights: FloatArray, measure: Measure) -> FloatArray:
    """Compute a measure of each resample; NaN where it is undefined."""
    flat = table.reshape(len(table), int(np.prod(table.shape[1:])))
    parts = [
        measure((weights[start : start + _CHUNK] @ flat).reshape(-1, *table.shape[1:]))
        for start in range(0, len(weights), _CHUNK)
    ]
    return np.concatenate(parts) if parts else np.zeros(0)


def _mean(values: FloatArray) -> FloatArray:
    """Compute the mean of the defined values of each column; NaN where none is defined."""
    is_defined = ~np.isnan(values)
    return safe_divide(
        np.where(is_defined, values, 0).sum(axis=0), is_defined.sum(axis=0).astype(np.float64)
    )


def _divide(part: FloatArray, whole: FloatArray) -> FloatArray:
    return safe_divide(part, whole, minimum=_MIN_DENOMINATOR)


def _f(sums: FloatArray, matches: int) -> FloatArray:
    return _divide(2 * sums[:, matches], sums[:, 0] + sums[:, 1])


def _kappa(tables: FloatArray) -> FloatArray:
    total = tables.sum(axis=(1, 2))
    observed = _divide(tables.trace(axis1=1, axis2=2), total)
    expected = _divide((tables.sum(axis=1) * tables.sum(axis=2)).sum(axis=1), total**2)
    return _divide(observed - expected, 1 - expected)


def _alpha(tables: FloatArray) -> FloatArray:
    margins = tables.sum(axis=2)
    total = margins.sum(axis=1)
    observed = total - tables.trace(axis1=1, axis2=2)
    expected = _divide(total**2 - (margins**2).sum(axis=1), total - 1)
    return 1 - _divide(observed, expected)


def _disputed_texts(positions: Sequence[int], spans: FloatArray) -> tuple[DisputedText, ...]:
    sums = spans.sum(axis=1)
    found = [
        DisputedText(
            position,
            int(left + right - 2 * both),
            None if left + right == 0 else float(2 * both / (left + right)),
        )
        for position, (left, right, both, _) in zip(positions, sums, strict=True)
    ]
    return tuple(
        sorted(
            (one for one in found if one.differing), key=lambda one: (-one.differing, one.f or 0)
        )
    )
