"""The row type that every reader yields, and conversions between rows and examples."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from nbner._common.alignment import tokens_from_offsets
from nbner._common.hashing import input_hash, task_hash
from nbner.errors import DataError
from nbner.types import IMPORT_ANNOTATOR, AnswerKind, Example, Span, Token

#: Keys of a file that describe an answer, not the text; a later answer has its own.
ANSWER_KEYS = ("_session_id", "_view_id", "_is_binary")


@dataclass(frozen=True, slots=True)
class SourceLocation:
    """File and line that a row was read from, for messages.

    Parameters
    ----------
    file : str, optional
        Path of the file; None for values in memory.
    line : int, optional
        Line, row or document, counted from 1.
    """

    file: str | None = None
    line: int | None = None

    def error(
        self, problem: str, *, field: str | None = None, remedy: str | None = None
    ) -> DataError:
        """Build a ``DataError`` with this location.

        Parameters
        ----------
        problem : str
            Description of the problem: a sentence without its full stop.
        field : str, optional
            The key or column.
        remedy : str, optional
            The way out: a sentence without its full stop.
        """
        return DataError(problem, file=self.file, line=self.line, field=field, remedy=remedy)

    @contextmanager
    def adding_field(self, field: str) -> Iterator[None]:
        """Add this location and a field to a ``DataError`` raised inside the block.

        Parameters
        ----------
        field : str
            The key or column.
        """
        try:
            yield
        except DataError as error:
            raise self.error(error.problem, field=field, remedy=error.remedy) from None


@dataclass(frozen=True, slots=True)
class Row:
    """One text as a reader found it, before any check against a dataset.

    Parameters
    ----------
    text : str
        The text.
    tokens : tuple of Token, optional
        None where the source has no tokens.
    spans : tuple of Span, optional
        In the order of the source, overlapping or not. None where the source
        has no information on spans, which differs from "no entity".
    answer : {"accept", "reject", "ignore"}, optional
        None where the source has no answer.
    flagged : bool
        Whether the source marks the text as flagged.
    note : str
        An annotator's note; empty where there is none.
    meta : mapping
        The user's own columns.
    extra : mapping
        Keys that nbner does not interpret.
    input_hash, task_hash : int, optional
        Hashes of the source.
    annotator : str, optional
        The author of the answer.
    created : float, optional
        Time of the answer; seconds since the epoch, UTC.
    gold : bool
        Whether the format holds complete gold by definition.
    binary : bool
        Whether the answer judges one proposed span, not the whole text.
    file : str, optional
        Path of the file; None for values in memory.
    line : int, optional
        Line, row or document, counted from 1.
    span_lines : tuple of int, optional
        The line of each span, in formats that write each span on its own line.
    unread : tuple of str
        Annotations of the source that were recognized and not read.
    """

    text: str
    tokens: tuple[Token, ...] | None = None
    spans: tuple[Span, ...] | None = None
    answer: AnswerKind | None = None
    flagged: bool = False
    note: str = ""
    meta: Mapping[str, Any] = field(default_factory=dict, hash=False)
    extra: Mapping[str, Any] = field(default_factory=dict, hash=False)
    input_hash: int | None = None
    task_hash: int | None = None
    annotator: str | None = None
    created: float | None = None
    gold: bool = False
    binary: bool = False
    file: str | None = field(default=None, compare=False)
    line: int | None = field(default=None, compare=False)
    span_lines: tuple[int, ...] | None = field(default=None, compare=False)
    unread: tuple[str, ...] = field(default=(), compare=False)

    @property
    def location(self) -> SourceLocation:
        """File and line that the row was read from."""
        return SourceLocation(self.file, self.line)

    def line_of(self, span: Span) -> int | None:
        """Return the line of one of the row's own spans.

        Parameters
        ----------
        span : Span
            One of ``spans``, compared by identity.
        """
        if self.span_lines is not None:
            for line, one in zip(self.span_lines, self.spans or (), strict=True):
                if one is span:
                    return line
        return self.line


def example_from_row(row: Row, *, split: str = "train") -> Example:
    """Convert a row to the example that it would become in a dataset.

    Parameters
    ----------
    row : Row
        A row of any reader.
    split : str
        Split of the example.
    """
    answer = row.answer or ("accept" if row.gold and row.spans is not None else None)
    hashed = row.input_hash or input_hash(row.text)
    hashed_task = row.task_hash or task_hash(hashed, row.spans or ())
    return Example(
        text=row.text,
        tokens=row.tokens or (),
        spans=tuple(sorted(row.spans or (), key=lambda span: (span.start, span.end))),
        answer=answer,
        flagged=row.flagged,
        note=row.note,
        meta=row.meta,
        split=split,
        input_hash=hashed,
        annotator=(row.annotator or IMPORT_ANNOTATOR) if answer else None,
        pretokenized=row.tokens is not None,
        binary=row.binary,
        created=row.created,
        extra={**row.extra, "_task_hash": hashed_task},
    )


def strip_annotations(row: Row) -> Example:
    """Convert a row to an example with its text and tokens alone, without a hash.

    Parameters
    ----------
    row : Row
        A row of any reader.
    """
    return Example(row.text, row.tokens or (), pretokenized=row.tokens is not None)


def row_from_example(example: Example, location: SourceLocation) -> Row:
    """Convert an example to a row.

    Parameters
    ----------
    example : Example
        An example of a session, or one that the user has built.
    location : SourceLocation
        Position of the example among its source's values.

    Raises
    ------
    DataError
        The example's own tokens do not rebuild its text.
    """
    extra = dict(example.extra)
    answered = example.answer is not None
    tokens = None
    if example.pretokenized:
        with location.adding_field("tokens"):
            tokens = tokens_from_offsets(
                example.text, [(one.start, one.end) for one in example.tokens]
            )
    return Row(
        text=example.text,
        tokens=tokens,
        spans=example.spans if answered or example.spans else None,
        answer=example.answer,
        flagged=example.flagged,
        note=example.note,
        meta=example.meta,
        input_hash=example.input_hash or None,
        task_hash=extra.pop("_task_hash", None),
        annotator=example.annotator if answered else None,
        created=example.created if answered else None,
        binary=example.binary,
        extra=extra,
        file=location.file,
        line=location.line,
    )
