"""Rows that were found good, on their way into the store."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import NamedTuple

from nbner.io.import_report import AddReport, Problem, ProblemKind
from nbner.types import AnswerKind


class PreparedAnswer(NamedTuple):
    """An answer that came with a row, as the store's columns hold it."""

    id: str
    annotator: str
    answer: AnswerKind
    spans: str
    flagged: bool
    note: str
    created: float
    extra: str


class Prepared(NamedTuple):
    """A row that was found good, as the store's columns hold it.

    A tuple, because a hundred thousand of them are put aside and taken up again.
    """

    text: str
    digest: bytes
    input_hash: int
    task_hash: int
    tokens: str | None
    spans: str
    flagged: bool
    note: str
    meta: str
    extra: str
    answer: PreparedAnswer | None
    file: str | None
    line: int | None

    def problem(self, kind: ProblemKind, reason: str) -> Problem:
        """Say what became of the row."""
        return Problem(kind, reason, self.text, file=self.file, line=self.line)


class AddBatch:
    """Rows for one split, checked as they are taken.

    Made by ``prepare``; iterated once, by the store.

    Attributes
    ----------
    split : str
    labels : dict of str to None
        The labels seen so far, in their order.
    """

    def __init__(self, split: str, prepared: Callable[[AddBatch], Iterator[Prepared]]) -> None:
        self.split = split
        self.labels: dict[str, None] = {}
        self._problems: list[Problem] = []
        self._prepared = prepared

    def __iter__(self) -> Iterator[Prepared]:
        return self._prepared(self)

    def note(self, problem: Problem) -> None:
        """Keep a problem for the report."""
        self._problems.append(problem)

    def report(self, *, added: int, answered: int) -> AddReport:
        """Say what became of the rows, once the store has them."""
        counts = Counter(problem.problem for problem in self._problems)
        return AddReport(
            split=self.split,
            added=added,
            answered=answered,
            duplicate=counts["duplicate"],
            misaligned=counts["misaligned"],
            overlapping=counts["overlapping"],
            discontinuous=counts["discontinuous"],
            refused=counts["refused"],
            problems=tuple(self._problems),
        )
