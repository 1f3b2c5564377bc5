"""What every reader yields, whatever the format: one text with all that was said of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from nbner._common.alignment import tokens_from_offsets
from nbner._common.hashing import input_hash, task_hash
from nbner.errors import DataError
from nbner.types import IMPORT_ANNOTATOR, AnswerKind, Example, Span, Token

#: Keys of a file that speak of an answer, not of the text; a later answer has its own.
ANSWER_KEYS = ("_session_id", "_view_id", "_is_binary")


@dataclass(frozen=True, slots=True)
class SourceLocation:
    """Where a row was read, for messages.

    Parameters
    ----------
    file : str, optional
    line : int, optional
        Line, row or document, counted from 1.
    """

    file: str | None = None
    line: int | None = None

    def error(
        self, problem: str, *, field: str | None = None, remedy: str | None = None
    ) -> DataError:
        """Make a ``DataError`` that says where."""
        return DataError(problem, file=self.file, line=self.line, field=field, remedy=remedy)

    @contextmanager
    def adding_field(self, field: str) -> Iterator[None]:
        """Add the place to a ``DataError`` of somebody who did not know it."""
        try:
            yield
        except DataError as error:
            raise self.error(error.problem, field=field, remedy=error.remedy) from None


@dataclass(frozen=True, slots=True)
class Row:
    """One text as it came.

    Parameters
    ----------
    text : str
    tokens : tuple of Token, optional
        None where the text came without.
    spans : tuple of Span, optional
        As they came, in their order, overlapping or not. None where nothing
        was said of spans, which is not the same as "no entity".
    answer : {"accept", "reject", "ignore"}, optional
    flagged : bool
    note : str
    meta, extra : mapping
        The user's own columns; keys that nbner does not know.
    input_hash, task_hash : int, optional
        Those that came in.
    annotator : str, optional
    created : float, optional
        Seconds since the epoch, UTC.
    gold : bool
        Complete gold by nature of the format.
    binary : bool
        The answer judges one proposed span, not the whole text.
    file : str, optional
    line : int, optional
    span_lines : tuple of int, optional
        The line of each span, where a span has one of its own.
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

    @property
    def location(self) -> SourceLocation:
        """Where it was read."""
        return SourceLocation(self.file, self.line)

    def line_of(self, span: Span) -> int | None:
        """Give the line of one of the row's own spans."""
        if self.span_lines is not None:
            for line, one in zip(self.span_lines, self.spans or (), strict=True):
                if one is span:
                    return line
        return self.line


def example_from_row(row: Row, *, split: str = "train") -> Example:
    """Show a row as the example it would be, without a store in between."""
    answer = row.answer or ("accept" if row.gold and row.spans is not None else None)
    hashed = row.input_hash or input_hash(row.text)
    named = row.task_hash or task_hash(hashed, row.spans or ())
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
        extra={**row.extra, "_task_hash": named},
    )


def strip_annotations(row: Row) -> Example:
    """Take a row's text and tokens alone, for who only labels it; it has no hash."""
    return Example(row.text, row.tokens or (), pretokenized=row.tokens is not None)


def row_from_example(example: Example, place: SourceLocation) -> Row:
    """Take an example, a session's or a user's own, as a row.

    Raises
    ------
    DataError
        Tokens that came with the text do not rebuild it.
    """
    extra = dict(example.extra)
    answered = example.answer is not None
    tokens = None
    if example.pretokenized:
        with place.adding_field("tokens"):
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
        file=place.file,
        line=place.line,
    )
