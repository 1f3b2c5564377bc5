"""Checks of rows, one by one, before any of them is stored."""

from __future__ import annotations

import time
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias, get_args
from uuid import uuid4

from nbner._common.alignment import (
    align,
    contract_to_tokens,
    expand_to_tokens,
    filter_spans,
    has_whitespace_ends,
    trim_whitespace,
)
from nbner._common.hashing import input_hash_from_digest, task_hash, text_digest
from nbner._common.serialization import (
    dump_json,
    dump_spans,
    dump_tokens,
    find_lone_surrogate,
    is_name,
)
from nbner.errors import DataError
from nbner.io.import_report import (
    ImportBatch,
    ImportIssue,
    ImportIssueKind,
    PreparedAnswer,
    PreparedRow,
)
from nbner.io.row_errors import RowErrors
from nbner.io.rows import ANSWER_KEYS, Row
from nbner.types import IMPORT_ANNOTATOR, AnswerKind, Span, Token, TokenizeFn

ImportMisaligned: TypeAlias = Literal["keep", "expand", "contract", "trim", "refuse"]
_MOVES = {"expand": expand_to_tokens, "contract": contract_to_tokens}
_OUTCOMES = {
    "expand": "expanded to the tokens that it touches",
    "contract": "contracted to the tokens that lie in it",
    "refuse": "its row is refused",
}
_KEPT = "kept as characters"


def prepare_rows(
    rows: Iterable[Row],
    *,
    tokenize: TokenizeFn,
    labels: Sequence[str] | None = None,
    renamed: Mapping[str, str] | None = None,
    split: str = "train",
    gold: bool | None = None,
    misaligned: ImportMisaligned = "keep",
    row_errors: RowErrors | None = None,
) -> ImportBatch:
    """Check rows for a split; ``Dataset.add`` stores the result.

    The answer of a row becomes its answer. Rows of a format that holds gold
    become accepted answers of annotator "import"; the spans of other rows
    without an answer become suggestions. Of overlapping spans the longest are
    kept, then the earliest.

    Parameters
    ----------
    rows : iterable of Row
        Consumed one by one.
    tokenize : callable
        From a text to its tokens; called only for rows with spans and without
        tokens.
    labels : sequence of str, optional
        The allowed labels; None allows all.
    renamed : mapping, optional
        Former names of labels with their present ones, which spans get.
    split : str
        The split that the rows are added to.
    gold : bool, optional
        Treat spans as gold or as suggestions, whatever the row says. Answers to
        binary tasks are never gold.
    misaligned : {"keep", "expand", "contract", "trim", "refuse"}
        How to treat a span off the token boundaries: keep its characters,
        expand it to the tokens that it touches, contract it to those completely
        inside it (keep it where there are none), or refuse its row. "trim"
        takes the whitespace off the ends of every span, whether it is on token
        boundaries or not, and keeps the characters of what is still off them;
        the other choices leave whitespace tokens at a span's ends.
    row_errors : RowErrors, optional
        Takes the errors of rows that cannot be imported, those of the reader
        included; by default they are raised.

    Returns
    -------
    ImportBatch
        Iterating it raises ``DataError``, with file, line, field and remedy, at
        the first row that cannot be imported, and at the end of a source
        without any spans for ``gold=True``.

    Raises
    ------
    DataError
        ``split`` is blank, or ``misaligned`` is unknown.
    """
    if not isinstance(split, str) or not split.strip():
        raise DataError("a split has a name, such as 'train' or 'dev'", field="split")
    if not is_name(split):
        raise DataError(
            f"{split!r} has a character that no database can hold",
            field="split",
            remedy="Remove it",
        )
    if misaligned not in get_args(ImportMisaligned):
        raise DataError(
            f"{misaligned!r} is no choice for spans off the tokens",
            field="misaligned",
            remedy=f"Use one of {', '.join(get_args(ImportMisaligned))}",
        )
    checker = _RowChecker(
        tokenize, None if labels is None else frozenset(labels), gold, misaligned, renamed or {}
    )

    errors = row_errors or RowErrors()

    def prepared(batch: ImportBatch) -> Iterator[PreparedRow]:
        errors.report = batch.add_skipped
        empty, annotated = True, False
        for row in rows:
            empty, annotated = False, annotated or row.spans is not None
            try:
                one = checker.check(row, batch)
            except DataError as error:
                errors.handle(error, row.text)
                continue
            if one is not None:
                yield one
        if gold and not (empty or annotated):
            raise DataError(
                "gold=True, and no row of the source has spans",
                field="gold",
                remedy="Name their key with spans_key=, or add the texts without gold=True",
            )

    return ImportBatch(split, prepared)


@dataclass(frozen=True, slots=True)
class _RowChecker:
    """The options of one import, applied to its rows."""

    tokenize: TokenizeFn
    labels: frozenset[str] | None
    gold: bool | None
    misaligned: ImportMisaligned
    renamed: Mapping[str, str]

    def check(self, row: Row, batch: ImportBatch) -> PreparedRow | None:
        """Check and serialize a row; None if it is refused."""
        _check_text(row)
        for reason in row.unread:
            batch.add_issue(ImportIssue("unread", reason, row.text, file=row.file, line=row.line))
        if not row.spans:
            return self._prepared(row, ())
        row = self._under_present_names(row, batch)
        for i, span in enumerate(row.spans or ()):
            self._check_span(row, i, span)
        if any(has_whitespace_ends(row.text, span) for span in row.spans or ()):
            row = self._with_whitespace_reported(row, batch)
        placed = self._place_on_tokens(row, batch)
        if placed is None:
            return None
        lines = {id(span): line for span, line in placed}
        spans, overlapping = filter_spans(span for span, _ in placed)
        for span in overlapping:
            reason = "a longer span covers part of it"
            batch.add_issue(_span_issue("overlapping", row, span, reason, lines[id(span)]))
        batch.labels.update(dict.fromkeys(span.label for span in spans))
        return self._prepared(row, spans)

    def _under_present_names(self, row: Row, batch: ImportBatch) -> Row:
        """Rename the spans of labels that were renamed or merged since the file was written."""
        spans = row.spans or ()
        if not any(span.label in self.renamed for span in spans):
            return row
        for span in spans:
            if span.label in self.renamed:
                reason = f"the label is {self.renamed[span.label]!r} now"
                batch.add_issue(_span_issue("renamed", row, span, reason, row.line_of(span)))
        present = (replace(one, label=self.renamed.get(one.label, one.label)) for one in spans)
        return replace(row, spans=tuple(present))

    def _check_span(self, row: Row, i: int, span: Span) -> None:
        field = f"spans[{i}]"
        if not 0 <= span.start < span.end <= len(row.text):
            raise row.location.error(
                f"{span.start} to {span.end} is not a stretch of a text of {len(row.text)} "
                "characters",
                field=field,
                remedy="Offsets count code points from 0; the end is exclusive",
            )
        _check_encodable(row, span.label, f"{field}.label")
        if self.labels is not None and span.label not in self.labels:
            has = ", ".join(sorted(self.labels))
            raise row.location.error(
                f"the label {span.label!r} is not one of: {has}"
                if has
                else f"the session has no label, and this is labelled {span.label!r}",
                field=f"{field}.label",
                remedy="Add it to labels=, or take the labels from the data with labels=None",
            )

    def _with_whitespace_reported(self, row: Row, batch: ImportBatch) -> Row:
        """Report the spans that begin or end with whitespace, and trim them if that is the choice.

        Without that choice only those are reported that are whole tokens: the
        others are off the tokens, and reported as such.
        """
        spans = tuple(row.spans or ())
        on_tokens: set[int] = set()
        if self.misaligned != "trim":
            tokens = row.tokens if row.tokens is not None else self.tokenize(row.text)
            on_tokens = {
                id(span)
                for first, last, span in align(tokens, spans).aligned
                if tokens[first].text.isspace() or tokens[last - 1].text.isspace()
            }
        new = []
        for span in spans:
            trimmed = None
            if self.misaligned == "trim" and has_whitespace_ends(row.text, span):
                trimmed = trim_whitespace(row.text, span)
                outcome = "trimmed" if trimmed else "kept, since it is nothing else"
            elif id(span) in on_tokens:
                outcome = "kept, and not learnt by spaCy"
            else:
                new.append(span)
                continue
            reason = f"it begins or ends with whitespace; {outcome}"
            batch.add_issue(_span_issue("whitespace", row, span, reason, row.line_of(span)))
            new.append(trimmed or span)
        return replace(row, spans=tuple(new))

    def _place_on_tokens(
        self, row: Row, batch: ImportBatch
    ) -> list[tuple[Span, int | None]] | None:
        """Apply ``misaligned`` to a row's spans.

        Returns
        -------
        list of (Span, int or None), or None
            The spans with their lines; None where the row is refused.
        """
        spans = row.spans or ()
        tokens = row.tokens if row.tokens is not None else self.tokenize(row.text)
        misaligned = {id(span) for span in align(tokens, spans).misaligned}
        self._check_own_tokens(row, misaligned)
        placed = []
        for span in spans:
            line = row.line_of(span)
            if "_pieces" in span.extra:
                reason = "it is in pieces; kept as the stretch from the first to the last character"
                batch.add_issue(_span_issue("discontinuous", row, span, reason, line))
            is_off = id(span) in misaligned
            placed.append((self._moved(row, tokens, span, batch) if is_off else span, line))
        if not misaligned or self.misaligned != "refuse":
            return placed
        reason = "a span does not fit the tokens"
        batch.add_issue(ImportIssue("refused", reason, row.text, file=row.file, line=row.line))
        return None

    def _check_own_tokens(self, row: Row, misaligned: Container[int]) -> None:
        """Raise where a row's spans contradict its own tokens and no other option was chosen."""
        if row.tokens is None or self.misaligned not in ("keep", "trim"):
            return
        for span in row.spans or ():
            if id(span) in misaligned:
                raise row.location.error(
                    f"{row.text[span.start : span.end]!r} ({span.start} to {span.end}) does not "
                    "begin and end with one of the row's own tokens",
                    field="spans",
                    remedy="Correct the span or the tokens, leave the tokens out, or choose "
                    'misaligned="expand", "contract" or "refuse"',
                )

    def _moved(self, row: Row, tokens: Sequence[Token], span: Span, batch: ImportBatch) -> Span:
        move = _MOVES.get(self.misaligned)
        moved = None if move is None else move(tokens, span)
        is_kept = moved is None and self.misaligned != "refuse"
        outcome = _KEPT if is_kept else _OUTCOMES[self.misaligned]
        reason = f"it does not begin and end with a token; {outcome}"
        batch.add_issue(_span_issue("misaligned", row, span, reason, row.line_of(span)))
        return span if moved is None else moved

    def _prepared(self, row: Row, spans: tuple[Span, ...]) -> PreparedRow:
        kind = self._answer_kind(row)
        digest = text_digest(row.text)
        hashed = row.input_hash or input_hash_from_digest(digest)
        proposed = () if kind else spans
        text_extra = {key: value for key, value in row.extra.items() if key not in ANSWER_KEYS}
        return PreparedRow(
            text=row.text,
            digest=digest,
            input_hash=hashed,
            task_hash=row.task_hash or task_hash(hashed, proposed),
            tokens=None if row.tokens is None else dump_tokens(row.tokens),
            spans=_serialized_spans(row, proposed),
            flagged=row.flagged,
            note=row.note,
            meta=_serialized(row, "meta", row.meta),
            extra=_serialized(row, "extra", text_extra if kind else row.extra),
            answer=_prepared_answer(row, kind, spans) if kind else None,
            file=row.file,
            line=row.line,
        )

    def _answer_kind(self, row: Row) -> AnswerKind | None:
        if self.gold is False:
            return None
        if row.answer or row.spans is None:
            return row.answer
        return "accept" if row.gold or self.gold else None


def _prepared_answer(row: Row, kind: AnswerKind, spans: tuple[Span, ...]) -> PreparedAnswer:
    extra: dict[str, Any] = {"binary": True} if row.binary else {}
    if row.extra:
        extra["task"] = dict(row.extra)
    return PreparedAnswer(
        id=str(uuid4()),
        annotator=row.annotator or IMPORT_ANNOTATOR,
        answer=kind,
        spans=_serialized_spans(row, spans),
        flagged=row.flagged,
        note=row.note,
        created=time.time() if row.created is None else row.created,
        extra=_serialized(row, "extra", extra),
    )


def _check_text(row: Row) -> None:
    if not row.text.strip():
        raise row.location.error(
            "the text is empty", field="text", remedy="Drop the rows without a text"
        )
    for field, value in (("text", row.text), ("note", row.note), ("annotator", row.annotator)):
        if value:
            _check_encodable(row, value, field)


def _check_encodable(row: Row, value: str, field: str) -> None:
    if "\0" in value:
        # SQLite would store it; PostgreSQL and most other programs would not.
        raise row.location.error(
            f"character {value.index(chr(0))} is NUL, which is no text",
            field=field,
            remedy="Remove it; the file may be damaged, or in UTF-16",
        )
    at = find_lone_surrogate(value)
    if at is not None:
        raise row.location.error(
            f"character {at} is half of a pair ({value[at]!r})",
            field=field,
            remedy="The text was cut inside an emoji, or joined from pieces of UTF-16",
        )


def _serialized_spans(row: Row, spans: Iterable[Span]) -> str:
    try:
        return dump_spans(spans)
    except (TypeError, ValueError, RecursionError) as error:
        raise row.location.error(f"this cannot be stored: {error}", field="spans") from error


def _serialized(row: Row, field: str, value: Mapping[str, Any]) -> str:
    if not value:
        return "{}"
    try:
        return dump_json(dict(value))
    except (TypeError, ValueError, RecursionError) as error:
        raise row.location.error(
            f"this cannot be stored: {error}", field=field, remedy="Keys must be strings"
        ) from error


def _span_issue(
    kind: ImportIssueKind, row: Row, span: Span, reason: str, line: int | None
) -> ImportIssue:
    return ImportIssue(
        kind,
        reason,
        row.text[span.start : span.end],
        start=span.start,
        end=span.end,
        label=span.label,
        file=row.file,
        line=line,
    )
