"""The checked rows of an import, and the report with its counts and issues."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from nbner._common.format import scrollable
from nbner._common.result import Result
from nbner.errors import DataError
from nbner.types import AnswerKind

if TYPE_CHECKING:
    import pandas as pd

ImportIssueKind: TypeAlias = Literal[
    "duplicate",
    "renamed",
    "misaligned",
    "whitespace",
    "overlapping",
    "discontinuous",
    "refused",
    "unread",
    "skipped",
]

_COLUMNS = ("file", "line", "kind", "text", "start", "end", "label", "reason")
_SHOWN_ISSUES = 10
_MAX_CELL = 80  # characters


@dataclass(frozen=True, slots=True)
class ImportIssue:
    """One row or span that could not be imported unchanged.

    Parameters
    ----------
    kind : str
        One of `ImportIssueKind`.
    reason : str
        What was done about it, and why.
    text : str
        The span's text, or the row's.
    start, end : int, optional
        Offsets of the span: code points, half-open.
    label : str, optional
        Label of the span.
    file : str, optional
        The file that was read.
    line : int, optional
        Line, row or document, counted from 1.
    field : str, optional
        The key or column that is wrong in a skipped row.
    """

    kind: ImportIssueKind
    reason: str
    text: str
    start: int | None = None
    end: int | None = None
    label: str | None = None
    file: str | None = None
    line: int | None = None
    field: str | None = None


@dataclass(frozen=True, slots=True)
class ImportReport(Result):
    """The result of adding rows to a split.

    Parameters
    ----------
    split : str
        The split that the rows were added to.
    added : int
        New examples.
    answered : int
        Answers that came with the rows and were stored.
    duplicate : int
        Rows whose text was already in the split; with ``only="unsure"`` unsure texts
        that the dataset had, in any split.
    replaced : int
        Answers, of this source or of the store, that another one with other spans or
        another decision has taken the place of: the newest answer to a text counts. They stay in
        the history, and ``frame`` names the rows.
    renamed : int
        Spans under a former name of a label, which got its present one.
    misaligned : int
        Spans that do not begin and end with a token: kept, moved to token
        boundaries, or refused with their row, according to ``misaligned=``.
    whitespace : int
        Spans that begin or end with whitespace, which spaCy cannot learn: kept,
        or trimmed by ``misaligned="trim"``.
    overlapping : int
        Spans that were left out because a longer one covers part of them.
    discontinuous : int
        Spans in several pieces, which are stored as one span from the first to
        the last character.
    refused : int
        Rows that were not added because of a misaligned span.
    unread : int
        Annotations that were recognized and not read: other layers of spans,
        other columns of tags.
    skipped : int
        Rows that were left out by ``on_error="skip"``, because they could not
        be read or stored.
    issues : tuple of ImportIssue
        All of them, in the order of the rows; duplicates, which are found in
        the store, after the others.
    """

    split: str
    added: int = 0
    answered: int = 0
    duplicate: int = 0
    replaced: int = 0
    renamed: int = 0
    misaligned: int = 0
    whitespace: int = 0
    overlapping: int = 0
    discontinuous: int = 0
    refused: int = 0
    unread: int = 0
    skipped: int = 0
    issues: tuple[ImportIssue, ...] = field(default=(), repr=False)

    @property
    def frame(self) -> pd.DataFrame:
        """Table of the issues.

        Returns
        -------
        DataFrame
            One row per issue: ``file``, ``line``, ``kind``, ``text``,
            ``start``, ``end``, ``label`` and ``reason``.
        """
        import pandas as pd

        rows = [[getattr(one, name) for name in _COLUMNS] for one in self.issues]
        frame = pd.DataFrame(rows, columns=list(_COLUMNS))
        return frame.astype({"line": "Int64", "start": "Int64", "end": "Int64"})

    @property
    def skipped_rows(self) -> pd.DataFrame:
        """Table of the rows that were left out by ``on_error="skip"``.

        Returns
        -------
        DataFrame
            One row per row: ``file``, ``line``, ``field``, ``reason`` and
            ``text``, which is empty where no text was found.
        """
        import pandas as pd

        names = ["file", "line", "field", "reason", "text"]
        skipped = [one for one in self.issues if one.kind == "skipped"]
        rows = [[getattr(one, name) for name in names] for one in skipped]
        return pd.DataFrame(rows, columns=names).astype({"line": "Int64"})

    def __str__(self) -> str:
        """Return the counts in one sentence."""
        parts = [f"Added {_count(self.added, 'example')} to {self.split!r}"]
        if self.answered:
            parts[0] += f", with {_count(self.answered, 'answer')}"
        if self.duplicate:
            parts.append(_known_phrase(self.duplicate, self.replaced))
        parts += _phrases(
            (self.renamed, "span", "under a former name of a label, now under its present one"),
            (self.misaligned, "span", "off the tokens"),
        )
        if self.whitespace:
            parts.append(_whitespace_phrase(self.issues, self.whitespace))
        parts += _phrases(
            (self.overlapping, "span", "left out for a longer one"),
            (self.discontinuous, "span", "in pieces"),
            (self.refused, "row", "refused"),
            (self.unread, "other annotation", "not read"),
            (self.skipped, "row", "skipped, listed in .skipped_rows"),
        )
        return "; ".join(parts) + "."

    def _repr_html_(self) -> str:
        """Return the counts and the first issues as HTML; all text of files is escaped."""
        sentence = f"<p>{escape(str(self))}</p>"
        if not self.issues:
            return sentence
        head = "".join(f"<th>{name}</th>" for name in _COLUMNS)
        body = "".join(_html_row(one) for one in self.issues[:_SHOWN_ISSUES])
        more = len(self.issues) - _SHOWN_ISSUES
        rest = f"<p>{more:,} more in <code>.frame</code></p>" if more > 0 else ""
        table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        return f"{sentence}{scrollable(table)}{rest}"


class PreparedAnswer(NamedTuple):
    """An imported answer, serialized for the columns of the store.

    Parameters
    ----------
    id : str
        Globally unique.
    annotator : str
        The author of the answer.
    answer : {"accept", "reject", "ignore"}
        The kind of answer.
    spans : str
        The spans, serialized by ``dump_spans``.
    flagged : bool
        Whether the example is flagged.
    note : str
        The annotator's note.
    created : float
        Seconds since the epoch, UTC.
    extra : str
        Further keys as JSON.
    """

    id: str
    annotator: str
    answer: AnswerKind
    spans: str
    flagged: bool
    note: str
    created: float
    extra: str


class PreparedRow(NamedTuple):
    """A checked row, serialized for the columns of the store.

    A tuple, because a hundred thousand of them are buffered at a time.

    Parameters
    ----------
    text : str
        The text.
    digest : bytes
        Digest of the text.
    input_hash, task_hash : int
        Hashes of the text and of the task.
    tokens : str, optional
        The row's own tokens, serialized by ``dump_tokens``.
    spans : str
        The suggestions, serialized by ``dump_spans``.
    flagged : bool
        Whether the row is flagged.
    note : str
        The row's note.
    meta, extra : str
        The user's columns and further keys, as JSON.
    answer : PreparedAnswer, optional
        The answer that came with the row.
    file : str, optional
        The file that the row was read from.
    line : int, optional
        Its line, row or document, counted from 1.
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
        """Build an issue that names this row.

        Parameters
        ----------
        kind : str
            One of `ImportIssueKind`.
        reason : str
            What was done about it, and why.
        """
        return ImportIssue(kind, reason, self.text, file=self.file, line=self.line)


class ImportBatch:
    """The rows of one import, checked while they are iterated; ``Dataset.add`` takes it.

    Parameters
    ----------
    split : str
        The split that the rows are added to.
    prepared : callable
        From the batch to its rows; called when the batch is iterated.

    Attributes
    ----------
    split : str
        The split that the rows are added to.
    labels : dict of str to None
        The labels seen so far, in their order.
    """

    def __init__(
        self, split: str, prepared: Callable[[ImportBatch], Iterator[PreparedRow]]
    ) -> None:
        self.split = split
        self.labels: dict[str, None] = {}
        self._issues: list[ImportIssue] = []
        self._prepared = prepared

    def __iter__(self) -> Iterator[PreparedRow]:
        return self._prepared(self)

    def add_issue(self, issue: ImportIssue) -> None:
        """Record an issue for the report.

        Parameters
        ----------
        issue : ImportIssue
            Found here, or in the store.
        """
        self._issues.append(issue)

    def add_skipped(self, error: DataError, text: str) -> None:
        """Record a row that was left out.

        Parameters
        ----------
        error : DataError
            The reason, with the row's location.
        text : str
            Text of the row, where it is known.
        """
        issue = ImportIssue(
            "skipped", error.problem, text, file=error.file, line=error.line, field=error.field
        )
        self._issues.append(issue)

    def report(self, *, added: int, answered: int, replaced: int = 0) -> ImportReport:
        """Build the report, after the rows have been stored.

        Parameters
        ----------
        added : int
            New examples.
        answered : int
            Answers that were stored.
        replaced : int
            Those that are shown in place of another one.
        """
        counts = Counter(issue.kind for issue in self._issues)
        return ImportReport(
            split=self.split,
            added=added,
            answered=answered,
            duplicate=counts["duplicate"],
            replaced=replaced,
            renamed=counts["renamed"],
            misaligned=counts["misaligned"],
            whitespace=counts["whitespace"],
            overlapping=counts["overlapping"],
            discontinuous=counts["discontinuous"],
            refused=counts["refused"],
            unread=counts["unread"],
            skipped=counts["skipped"],
            issues=tuple(self._issues),
        )


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _phrases(*counted: tuple[int, str, str]) -> list[str]:
    return [f"{_count(number, noun)} {phrase}" for number, noun, phrase in counted if number]


def _known_phrase(texts: int, replaced: int) -> str:
    phrase = f"{_count(texts, 'text')} there already"
    if not replaced:
        return phrase
    one = "answer no longer counts, since a newer one differs"
    some = "answers no longer count, since newer ones differ"
    return f"{phrase}; {replaced:,} {one if replaced == 1 else some}"


def _whitespace_phrase(issues: Iterable[ImportIssue], count: int) -> str:
    trimmed = sum(one.kind == "whitespace" and one.reason.endswith("trimmed") for one in issues)
    if trimmed == count:
        return f"whitespace trimmed off {_count(count, 'span')}"
    verb = "begins or ends" if count == 1 else "begin or end"
    phrase = f"{_count(count, 'span')} {verb} with whitespace, which spaCy cannot learn"
    return f'{phrase} (misaligned="trim" takes it off)' if not trimmed else phrase


def _html_row(issue: ImportIssue) -> str:
    return "<tr>" + "".join(_html_cell(getattr(issue, name)) for name in _COLUMNS) + "</tr>"


def _html_cell(value: object) -> str:
    text = "" if value is None else str(value)
    shown = text if len(text) <= _MAX_CELL else f"{text[:_MAX_CELL]}…"
    return f"<td>{escape(shown)}</td>"
