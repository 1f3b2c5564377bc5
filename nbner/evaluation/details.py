"""Detailed scores: every scheme and label, micro and macro, with intervals and denominators.

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
    """Gold and predicted spans to be scored.

    Parameters
    ----------
    gold, predicted : sequence of sequences of Span
        Spans of each text.
    labels : tuple of str
        The labels in their order.
    allowed_labels : sequence, optional
        For each text the labels that existed when it was answered, or None for
        all.
    seed : int
        Seed of the bootstrap.
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
        The scheme.
    label : str
        A label, "micro" or "macro"; the counts of both are those of all labels.
    counts : SchemeCounts
        The counts; ``possible`` and ``actual`` are the denominators.
    precision, recall, f : Estimate
        The scores with their intervals.
    """

    scheme: Scheme
    label: str
    counts: SchemeCounts
    precision: Estimate
    recall: Estimate
    f: Estimate


def score_details(counted: ScoringInput) -> list[ScoreDetail]:
    """Compute the scores of every scheme, first over all labels, then of each label.

    Parameters
    ----------
    counted : ScoringInput
        The spans.
    """
    labels, tables = _tables(counted)
    found = []
    for number, scheme in enumerate(SCHEMES):
        table = tables[:, number]
        resamples = Bootstrap(table.reshape(len(table), -1), seed=counted.seed)
        blocks = list(range(1, 1 + len(labels)))
        sums = (
            table.sum(axis=0).astype(int).tolist()
            if len(table)
            else [[0] * _COUNTS] * (1 + len(labels))
        )
        total = SchemeCounts(*sums[0])
        found += [
            _detail(scheme, MICRO, total, resamples, [0]),
            _detail(scheme, MACRO, total, resamples, blocks),
            *(
                _detail(scheme, label, SchemeCounts(*sums[at]), resamples, [at])
                for at, label in enumerate(labels, start=1)
            ),
        ]
    return found


def _tables(spans: ScoringInput) -> tuple[list[str], FloatArray]:
    """Count each text: an array of shape (texts, schemes, 1 + labels, counts)."""
    allowed_labels = spans.allowed_labels or [None] * len(spans.gold)
    counted = [
        (list(gold), [one for one in predicted if allowed is None or one.label in allowed])
        for gold, predicted, allowed in zip(
            spans.gold, spans.predicted, allowed_labels, strict=True
        )
    ]
    occurring = {one.label for pair in counted for side in pair for one in side}
    order = [*spans.labels, *sorted(occurring - set(spans.labels))]
    labels = [one for one in order if one in occurring]
    index = {label: 1 + i for i, label in enumerate(labels)}
    table = np.zeros((len(counted), len(SCHEMES), 1 + len(labels), _COUNTS))
    for number, (gold, predicted) in enumerate(counted):
        _fill(table[number], 0, gold, predicted)
        for label in {one.label for one in (*gold, *predicted)}:
            own = ([one for one in side if one.label == label] for side in (gold, predicted))
            _fill(table[number], index[label], *own)
    return labels, table


def _fill(table: FloatArray, at: int, gold: Sequence[Span], predicted: Sequence[Span]) -> None:
    for number, matches in enumerate(count_schemes(gold, predicted).values()):
        table[number, at] = astuple(matches)


def _detail(
    scheme: Scheme, label: str, matches: SchemeCounts, resamples: Bootstrap, blocks: Sequence[int]
) -> ScoreDetail:
    def estimate(measure: Callable[[FloatArray], FloatArray]) -> Estimate:
        return resamples.estimate(partial(_mean, measure, blocks))

    return ScoreDetail(scheme, label, matches, *map(estimate, (_precision, _recall, _f)))


def _mean(
    measure: Callable[[FloatArray], FloatArray], blocks: Sequence[int], sums: FloatArray
) -> FloatArray:
    """Average a measure over labels; those for which it is undefined are left out."""
    if not blocks:
        return np.full(sums.shape[:-1], np.nan)
    values = np.stack([measure(sums[..., _COUNTS * at : _COUNTS * (at + 1)]) for at in blocks])
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
