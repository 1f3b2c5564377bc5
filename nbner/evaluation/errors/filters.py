"""Filters of matched spans, and the confusion matrix that counts them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from nbner.evaluation.errors.matches import SpanMatch

Predicate: TypeAlias = Callable[[SpanMatch], object]

#: Names of the row and column of spans without a partner, and of the column of wrong borders.
NOTHING, BORDERS = "nothing", "borders"


@dataclass(frozen=True, slots=True)
class ConfusionCell:
    """A cell of the confusion matrix.

    Parameters
    ----------
    gold : str, optional
        Gold label; None is the row "nothing".
    predicted : str, optional
        Predicted label; None is the column "nothing".
    borders : bool
        Whether the label is right and the borders are wrong.
    """

    gold: str | None
    predicted: str | None
    borders: bool = False


@dataclass(frozen=True, slots=True)
class ConfusionMatrix:
    """Matches counted by gold label and predicted label.

    Parameters
    ----------
    labels : tuple of str
        Labels of rows and columns, in order.
    counts : mapping
        `ConfusionCell` to number of matches.
    also_borders : mapping
        `ConfusionCell` to the number of those with wrong borders too.
    """

    labels: tuple[str, ...]
    counts: Mapping[ConfusionCell, int]
    also_borders: Mapping[ConfusionCell, int]

    @property
    def total(self) -> int:
        """Number of all matches."""
        return sum(self.counts.values())

    @property
    def errors(self) -> int:
        """Number of matches that are errors."""
        return sum(
            n for cell, n in self.counts.items() if cell.borders or cell.gold != cell.predicted
        )


def group_by_cell(found: Iterable[SpanMatch]) -> dict[ConfusionCell, list[SpanMatch]]:
    """Group matches by cell of the confusion matrix.

    Parameters
    ----------
    found : iterable of SpanMatch
        Matches.
    """
    by_cell: dict[tuple[str | None, str | None, bool], list[SpanMatch]] = defaultdict(list)
    for one in found:
        gold, predicted = one.gold, one.predicted
        row = None if gold is None else gold.label
        column = None if predicted is None else predicted.label
        by_cell[row, column, one.kind == "borders"].append(one)
    return {ConfusionCell(*place): some for place, some in by_cell.items()}


def confusion_matrix(
    cells: Mapping[ConfusionCell, Sequence[SpanMatch]], labels: Sequence[str]
) -> ConfusionMatrix:
    """Count matches by gold label and predicted label.

    Parameters
    ----------
    cells : mapping
        Result of `group_by_cell`.
    labels : sequence of str
        Labels in their order; others that occur follow alphabetically.
    """
    known = {label for cell in cells for label in (cell.gold, cell.predicted) if label is not None}
    order = (*labels, *sorted(known - set(labels)))
    return ConfusionMatrix(
        labels=tuple(one for one in order if one in known),
        counts={cell: len(some) for cell, some in cells.items()},
        also_borders={
            cell: sum(one.kind == "label_and_borders" for one in some)
            for cell, some in cells.items()
        },
    )


@dataclass(frozen=True, slots=True)
class MatchFilter:
    """Conditions on matched spans; those that are left out are always met.

    Parameters
    ----------
    labels : tuple of str
        Labels, one of which the gold or the predicted span has.
    min_length, max_length : int, optional
        Length in tokens.
    seen : bool, optional
        Whether training had the same words with the same label.
    min_probability, max_probability : float, optional
        The model's probability.
    split : str, optional
        Split of the example.
    text : str, optional
        Substring of the example's text, regardless of case.
    meta : mapping
        Metadata column to value, compared as text.
    judged : bool, optional
        Whether the example has been judged.
    predicates : mapping
        Name to any function of a `SpanMatch`.
    """

    labels: tuple[str, ...] = ()
    min_length: int | None = None
    max_length: int | None = None
    seen: bool | None = None
    min_probability: float | None = None
    max_probability: float | None = None
    split: str | None = None
    text: str | None = None
    meta: Mapping[str, str] = field(default_factory=dict)
    judged: bool | None = None
    predicates: Mapping[str, Predicate] = field(default_factory=dict)

    def select(self, found: Iterable[SpanMatch]) -> list[SpanMatch]:
        """Select the matches that meet all conditions, in their order.

        Parameters
        ----------
        found : iterable of SpanMatch
            Matches.
        """
        chosen = list(found)
        for test in self._tests():
            chosen = [one for one in chosen if test(one)]
        return chosen

    def _tests(self) -> list[Predicate]:
        """Build the conditions as predicates, the fast ones first."""
        labels, split, judged, seen = set(self.labels), self.split, self.judged, self.seen
        tests: list[Predicate] = []
        if split is not None:
            tests.append(lambda one: one.example.split == split)
        if labels:
            tests.append(lambda one: _has_label(one, labels))
        if judged is not None:
            tests.append(lambda one: (one.judged is not None) == judged)
        if self.text:
            tests.append(_contains_text(self.text.casefold()))
        tests += [_has_meta(column, value) for column, value in self.meta.items()]
        if seen is not None:
            tests.append(lambda one: one.seen == seen)
        if self.min_length is not None or self.max_length is not None:
            tests.append(_between(self.min_length, self.max_length, lambda one: one.length))
        if self.min_probability is not None or self.max_probability is not None:
            tests.append(
                _between(self.min_probability, self.max_probability, lambda one: one.probability)
            )
        return [*tests, *self.predicates.values()]


def _has_label(one: SpanMatch, labels: set[str]) -> bool:
    gold, predicted = one.gold, one.predicted
    return (gold is not None and gold.label in labels) or (
        predicted is not None and predicted.label in labels
    )


def _contains_text(sought: str) -> Predicate:
    known: dict[int, bool] = {}

    def contains(one: SpanMatch) -> bool:
        if one.example_index not in known:
            known[one.example_index] = sought in one.example.text.casefold()
        return known[one.example_index]

    return contains


def _has_meta(column: str, value: str) -> Predicate:
    return lambda one: str(one.example.meta.get(column, "")) == value


def _between(
    low: float | None, high: float | None, of: Callable[[SpanMatch], float | None]
) -> Predicate:
    def lies_between(one: SpanMatch) -> bool:
        value = of(one)
        if value is None:
            return False
        return (low is None or value >= low) and (high is None or value <= high)

    return lies_between
