"""Scores of predicted spans against gold spans, without spaCy.

There are two ways of counting:

- *Exact*: a predicted span is right if gold has the same start, end and label.
  Precision, recall and F without a scheme are these; they
  equal spaCy's ``Scorer``.
- The four *schemes* of SemEval 2013 task 9.1, under the names and with the
  counts of ``nervaluate`` 1.2.1: ``strict`` (borders and label), ``exact``
  (borders alone), ``partial`` (borders alone, half a point for an overlap) and
  ``ent_type`` (the label, for any overlap).

Undefined scores (such as the precision of no predictions) are None, not 0.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from nbner.types import Span

Scheme: TypeAlias = Literal["strict", "exact", "partial", "ent_type"]
SCHEMES: tuple[Scheme, ...] = ("strict", "exact", "partial", "ent_type")


@dataclass(frozen=True, slots=True)
class PRF:
    """Counts of exact spans, which can be added.

    Parameters
    ----------
    tp, fp, fn : int
        True positives, false positives and false negatives.
    """

    tp: int = 0
    fp: int = 0
    fn: int = 0

    def __add__(self, other: PRF) -> PRF:
        return PRF(self.tp + other.tp, self.fp + other.fp, self.fn + other.fn)

    @property
    def support(self) -> int:
        """Number of gold spans."""
        return self.tp + self.fn

    @property
    def predicted(self) -> int:
        """Number of predicted spans."""
        return self.tp + self.fp

    @property
    def precision(self) -> float | None:
        """Fraction of the predicted spans that are right; None where nothing was predicted."""
        return _divide(self.tp, self.predicted)

    @property
    def recall(self) -> float | None:
        """Fraction of the gold spans that were found; None where gold has none."""
        return _divide(self.tp, self.support)

    @property
    def f(self) -> float | None:
        """Harmonic mean of precision and recall; None where there is no span at all."""
        return _divide(2 * self.tp, self.predicted + self.support)


@dataclass(frozen=True, slots=True)
class SchemeCounts:
    """Counts of spans under one scheme, which can be added.

    Parameters
    ----------
    correct, incorrect, partial : int
        Numbers of pairs of a predicted and a gold span that overlap.
    missed : int
        Number of gold spans without a partner.
    spurious : int
        Number of predicted spans without a partner.
    """

    correct: int = 0
    incorrect: int = 0
    partial: int = 0
    missed: int = 0
    spurious: int = 0

    def __add__(self, other: SchemeCounts) -> SchemeCounts:
        return SchemeCounts(
            self.correct + other.correct,
            self.incorrect + other.incorrect,
            self.partial + other.partial,
            self.missed + other.missed,
            self.spurious + other.spurious,
        )

    @property
    def actual(self) -> int:
        """Number of predicted spans."""
        return self.correct + self.incorrect + self.partial + self.spurious

    @property
    def possible(self) -> int:
        """Number of gold spans."""
        return self.correct + self.incorrect + self.partial + self.missed

    @property
    def points(self) -> float:
        """Points: 1 for a correct pair, 0.5 for a partial one."""
        return self.correct + 0.5 * self.partial

    @property
    def precision(self) -> float | None:
        """Points per predicted span; None where nothing was predicted."""
        return _divide(self.points, self.actual)

    @property
    def recall(self) -> float | None:
        """Points per gold span; None where gold has none."""
        return _divide(self.points, self.possible)

    @property
    def f(self) -> float | None:
        """Harmonic mean of precision and recall; None where there is no span at all."""
        return _divide(2 * self.points, self.actual + self.possible)


@dataclass(frozen=True, slots=True)
class Score:
    """Scores of predictions against gold over a number of examples.

    Parameters
    ----------
    n : int
        Number of examples.
    exact : PRF
        Counts over all labels.
    per_label : mapping
        Label to `PRF`, in the order of the requested labels.
    schemes : mapping
        Scheme to `SchemeCounts`, over all labels.
    left_out : int
        Number of predicted spans that are not counted, because their label did
        not exist when the example was answered.
    """

    n: int
    exact: PRF
    per_label: Mapping[str, PRF]
    schemes: Mapping[Scheme, SchemeCounts]
    left_out: int = 0


def score(
    gold: Iterable[Sequence[Span]],
    predicted: Iterable[Sequence[Span]],
    *,
    labels: Sequence[str] = (),
    allowed_labels: Iterable[Collection[str] | None] | None = None,
) -> Score:
    """Score predictions against gold, example by example.

    Parameters
    ----------
    gold, predicted : iterable of sequences of Span
        One sequence an example, in the same order. Spans of one side do not
        overlap one another.
    labels : sequence of str
        Labels to report even where neither side has them; others follow in
        alphabetical order.
    allowed_labels : iterable, optional
        For each example the labels that existed when it was answered,
        or None for all. A predicted span with another label is left out.

    Raises
    ------
    ValueError
        The sides do not have equally many examples.
    """
    golds, predictions = list(gold), list(predicted)
    allowed = [None] * len(golds) if allowed_labels is None else list(allowed_labels)
    left_out = 0
    per_label = dict.fromkeys(labels, PRF())
    schemes = dict.fromkeys(SCHEMES, SchemeCounts())
    for expected, found, known in zip(golds, predictions, allowed, strict=True):
        counted = [span for span in found if known is None or span.label in known]
        left_out += len(found) - len(counted)
        for label, counts in _exact(expected, counted).items():
            per_label[label] = per_label.get(label, PRF()) + counts
        for scheme, matches in count_schemes(expected, counted).items():
            schemes[scheme] += matches
    order = [*labels, *sorted(per_label.keys() - set(labels))]
    return Score(
        n=len(golds),
        exact=sum(per_label.values(), PRF()),
        per_label={label: per_label[label] for label in order},
        schemes=schemes,
        left_out=left_out,
    )


def count_schemes(gold: Sequence[Span], predicted: Sequence[Span]) -> dict[Scheme, SchemeCounts]:
    """Pair the spans of one example under each scheme, and count.

    From left to right each predicted span is paired with the best gold span
    that it overlaps and that is not yet paired.

    Parameters
    ----------
    gold, predicted : sequence of Span
        Spans of each side.
    """
    gold, predicted = sorted(gold, key=_place), sorted(predicted, key=_place)
    overlapping = [[i for i, g in enumerate(gold) if _overlap(p, g)] for p in predicted]
    return {scheme: _count(scheme, gold, predicted, overlapping) for scheme in SCHEMES}


def _exact(gold: Sequence[Span], predicted: Sequence[Span]) -> dict[str, PRF]:
    expected, found = set(gold), set(predicted)
    counts: dict[str, PRF] = {}
    for span in expected | found:
        one = PRF(span in expected and span in found, span not in expected, span not in found)
        counts[span.label] = counts.get(span.label, PRF()) + one
    return counts


def _same_borders(predicted: Span, gold: Span) -> bool:
    return (predicted.start, predicted.end) == (gold.start, gold.end)


def _same_label(predicted: Span, gold: Span) -> bool:
    return predicted.label == gold.label


_IS_CORRECT: Mapping[Scheme, Callable[[Span, Span], bool]] = {
    "strict": lambda p, g: _same_borders(p, g) and _same_label(p, g),
    "exact": _same_borders,
    "partial": _same_borders,
    "ent_type": _same_label,
}


def _count(
    scheme: Scheme,
    gold: Sequence[Span],
    predicted: Sequence[Span],
    overlapping: Sequence[Sequence[int]],
) -> SchemeCounts:
    is_correct = _IS_CORRECT[scheme]
    free = set(range(len(gold)))
    correct = other = 0
    for span, candidates in zip(predicted, overlapping, strict=True):
        ranked = [
            # Of several correct gold spans the one with the nearest borders is
            # taken, of several others the first.
            (0, _distance(span, gold[i]), i) if is_correct(span, gold[i]) else (1, 0, i)
            for i in candidates
            if i in free
        ]
        if ranked:
            wrong, _, taken = min(ranked)
            free.discard(taken)
            correct += not wrong
            other += wrong
    partial = other if scheme == "partial" else 0
    spurious = len(predicted) - correct - other
    return SchemeCounts(correct, other - partial, partial, missed=len(free), spurious=spurious)


def _place(span: Span) -> tuple[int, int]:
    return span.start, span.end


def _overlap(predicted: Span, gold: Span) -> bool:
    # nervaluate's least overlap is one hundredth of the gold span.
    shared = min(predicted.end, gold.end) - max(predicted.start, gold.start)
    return shared > 0 and 100 * shared >= gold.end - gold.start


def _distance(predicted: Span, gold: Span) -> int:
    return abs(predicted.start - gold.start) + abs(predicted.end - gold.end)


def _divide(part: float, total: float) -> float | None:
    return part / total if total else None
