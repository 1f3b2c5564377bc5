"""Scores in full: every scheme and label, micro and macro, with intervals and denominators.

A label's counts are those of its own spans on both sides, as ``nervaluate``
counts a tag; "micro" counts all spans together; "macro" is the mean over the
labels that either side has. Intervals are bootstrapped over texts.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import astuple, dataclass
from functools import partial

import numpy as np

from nbner._common.bootstrap import Bootstrap, Estimate, FloatArray, safe_divide
from nbner.evaluation.scores import SCHEMES, Scheme, SchemeCounts, count_schemes
from nbner.types import Span

MICRO, MACRO = "micro", "macro"
_COUNTS = 5  # correct, incorrect, partial, missed, spurious


@dataclass(frozen=True, slots=True)
class ScoringInput:
    """What was held against what.

    Parameters
    ----------
    gold, predicted : sequence of sequences of Span
    labels : tuple of str
        In their order.
    allowed_labels : sequence, optional
        For each text the labels that could be given, or None for all.
    seed : int
        Of the bootstrap.
    """

    gold: Sequence[Sequence[Span]]
    predicted: Sequence[Sequence[Span]]
    labels: tuple[str, ...] = ()
    allowed_labels: Sequence[Collection[str] | None] | None = None
    seed: int = 0


@dataclass(frozen=True, slots=True)
class ScoreDetail:
    """The scores of one scheme and label.

    Parameters
    ----------
    scheme : {"strict", "exact", "partial", "ent_type"}
    label : str
        Or "micro", or "macro", whose counts are those of all labels.
    counts : SchemeCounts
        The counts; ``possible`` and ``actual`` are the denominators.
    precision, recall, f : Estimate
    """

    scheme: Scheme
    label: str
    counts: SchemeCounts
    precision: Estimate
    recall: Estimate
    f: Estimate


def score_details(sides: ScoringInput) -> list[ScoreDetail]:
    """Give the scores of every scheme, first over all labels, then of each label."""
    labels, tables = _tables(sides)
    found = []
    for number, scheme in enumerate(SCHEMES):
        table = tables[:, number]
        resamples = Bootstrap(table.reshape(len(table), -1), seed=sides.seed)
        each = list(range(1, 1 + len(labels)))
        sums = (
            table.sum(axis=0).astype(int).tolist()
            if len(table)
            else [[0] * _COUNTS] * (1 + len(labels))
        )
        whole = SchemeCounts(*sums[0])
        found += [
            _detail(scheme, MICRO, whole, resamples, [0]),
            _detail(scheme, MACRO, whole, resamples, each),
            *(
                _detail(scheme, label, SchemeCounts(*sums[at]), resamples, [at])
                for at, label in enumerate(labels, start=1)
            ),
        ]
    return found


def _tables(sides: ScoringInput) -> tuple[list[str], FloatArray]:
    """Count each text: an array of shape (texts, schemes, 1 + labels, counts)."""
    known = sides.allowed_labels or [None] * len(sides.gold)
    counted = [
        (list(right), [one for one in said if may_be is None or one.label in may_be])
        for right, said, may_be in zip(sides.gold, sides.predicted, known, strict=True)
    ]
    there = {one.label for pair in counted for side in pair for one in side}
    order = [*sides.labels, *sorted(there - set(sides.labels))]
    labels = [one for one in order if one in there]
    index = {label: 1 + i for i, label in enumerate(labels)}
    table = np.zeros((len(counted), len(SCHEMES), 1 + len(labels), _COUNTS))
    for number, (right, said) in enumerate(counted):
        _fill(table[number], 0, right, said)
        for label in {one.label for one in (*right, *said)}:
            own = ([one for one in side if one.label == label] for side in (right, said))
            _fill(table[number], index[label], *own)
    return labels, table


def _fill(table: FloatArray, at: int, gold: Sequence[Span], predicted: Sequence[Span]) -> None:
    for number, matches in enumerate(count_schemes(gold, predicted).values()):
        table[number, at] = astuple(matches)


def _detail(
    scheme: Scheme, label: str, matches: SchemeCounts, resamples: Bootstrap, blocks: Sequence[int]
) -> ScoreDetail:
    def estimate(figure: Callable[[FloatArray], FloatArray]) -> Estimate:
        return resamples.estimate(partial(_mean, figure, blocks))

    return ScoreDetail(scheme, label, matches, *map(estimate, (_precision, _recall, _f)))


def _mean(
    figure: Callable[[FloatArray], FloatArray], blocks: Sequence[int], sums: FloatArray
) -> FloatArray:
    """Average a figure over labels; one for which it is undefined is left out."""
    if not blocks:
        return np.full(sums.shape[:-1], np.nan)
    values = np.stack([figure(sums[..., _COUNTS * at : _COUNTS * (at + 1)]) for at in blocks])
    defined = ~np.isnan(values)
    return safe_divide(
        np.where(defined, values, 0.0).sum(axis=0), defined.sum(axis=0).astype(float)
    )


def _points(counts: FloatArray) -> FloatArray:
    return np.asarray(counts[..., 0] + 0.5 * counts[..., 2])


def _precision(counts: FloatArray) -> FloatArray:
    return safe_divide(_points(counts), counts[..., [0, 1, 2, 4]].sum(axis=-1))


def _recall(counts: FloatArray) -> FloatArray:
    return safe_divide(_points(counts), counts[..., :4].sum(axis=-1))


def _f(counts: FloatArray) -> FloatArray:
    both = counts[..., [0, 1, 2, 4]].sum(axis=-1) + counts[..., :4].sum(axis=-1)
    return safe_divide(2 * _points(counts), both)
