"""Rows that were found good, on their way into the store."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import NamedTuple

from nbner.io.import_report import ImportIssue, ImportIssueKind, ImportReport
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


class PreparedRow(NamedTuple):
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

    def to_issue(self, kind: ImportIssueKind, reason: str) -> ImportIssue:
        """Say what became of the row."""
        return ImportIssue(kind, reason, self.text, file=self.file, line=self.line)


class ImportBatch:
    """Rows for one split, checked as they are taken.

    Made by ``prepare``; iterated once, by the store.

    Attributes
    ----------
    split : str
    labels : dict of str to None
        The labels seen so far, in their order.
    """

    def __init__(
        self, split: str, prepared: Callable[[ImportBatch], Iterator[PreparedRow]]
    ) -> None:
        self.split = split
        self.labels: dict[str, None] = {}
        self._problems: list[ImportIssue] = []
        self._prepared = prepared

    def __iter__(self) -> Iterator[PreparedRow]:
        return self._prepared(self)

    def add_issue(self, problem: ImportIssue) -> None:
        """Keep a problem for the report."""
        self._problems.append(problem)

    def report(self, *, added: int, answered: int) -> ImportReport:
        """Say what became of the rows, once the store has them."""
        counts = Counter(problem.problem for problem in self._problems)
        return ImportReport(
            split=self.split,
            added=added,
            answered=answered,
            duplicate=counts["duplicate"],
            misaligned=counts["misaligned"],
            overlapping=counts["overlapping"],
            discontinuous=counts["discontinuous"],
            refused=counts["refused"],
            issues=tuple(self._problems),
        )
