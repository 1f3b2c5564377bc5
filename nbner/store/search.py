"""Filtered and paged lists of examples, and text search."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from string import ascii_lowercase, ascii_uppercase
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Connection, Select, Text, and_, case, func, or_, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from nbner._common.filters import ExampleFilter, ExamplePage
from nbner._common.serialization import dump_json, load_spans
from nbner.store import queries
from nbner.store.schema import annotator_answers, answers, example_answers, examples

if TYPE_CHECKING:
    from sqlalchemy.sql.compiler import SQLCompiler
    from sqlalchemy.sql.selectable import FromClause

_SHOWN_SPANS = case((answers.c.id.is_(None), examples.c.spans), else_=answers.c.spans)
_FLAGGED = func.coalesce(answers.c.flagged, examples.c.flagged)
_NOTE = func.coalesce(answers.c.note, examples.c.note)
_ASCII_LOWER = str.maketrans(ascii_uppercase, ascii_lowercase)
# How a confidence begins in serialized spans; see `dump_spans`.
_SCORE_KEY = '"score":'


class _AsciiLower(FunctionElement[str]):
    """A text with its ASCII letters in lower case, and all others as they are."""

    type = Text()
    inherit_cache = True


@compiles(_AsciiLower)
def _compile_lower(element: _AsciiLower, compiler: SQLCompiler, **options: Any) -> str:
    """Compile to SQL; SQLite's own function leaves other letters alone."""
    return f"lower({compiler.process(element.clauses, **options)})"


@compiles(_AsciiLower, "postgresql")
def _compile_lower_of_server(element: _AsciiLower, compiler: SQLCompiler, **options: Any) -> str:
    """Compile to SQL that does not depend on the language of the database."""
    return f'lower({compiler.process(element.clauses, **options)} COLLATE "C")'


def list_examples(
    connection: Connection, split_id: int, wanted: ExampleFilter, offset: int, limit: int
) -> ExamplePage:
    """Return one page of a split's examples that match a filter.

    Parameters
    ----------
    connection : Connection
        With a transaction.
    split_id : int
        Row id of the split.
    wanted : ExampleFilter
        The conditions.
    offset, limit : int
        Matching examples before the page, and on it.
    """
    if wanted.unsure:
        ids = _ids_by_confidence(connection, split_id, wanted)
        return ExamplePage(_rows(connection, ids[offset : offset + limit]), len(ids))
    table, condition = _joined_tables(wanted), _condition(split_id, wanted)
    counted = select(func.count()).select_from(table).where(condition)
    found = (
        select(example_answers.c.example_id)
        .select_from(table)
        .where(condition)
        .order_by(example_answers.c.example_id)
        .limit(limit)
        .offset(offset)
    )
    ids = list(connection.scalars(found))
    return ExamplePage(_rows(connection, ids), connection.scalar(counted) or 0)


def select_by_text(
    split_id: int, words: Iterable[str], *, cased: bool, after: int, limit: int
) -> Select[Any]:
    """Build a SELECT of undecided examples whose text contains all words, by row id.

    The comparison is coarse: some rows may hold a word in another case or
    inside of another word.

    Parameters
    ----------
    split_id : int
        Row id of the split.
    words : iterable of str
        Substrings of the text.
    cased : bool
        Whether case matters.
    after : int
        Only examples with a higher row id.
    limit : int
        Maximum number of rows.
    """
    return (
        queries.select_examples()
        .where(
            example_answers.c.split_id == split_id,
            example_answers.c.answer.is_(None),
            example_answers.c.example_id > after,
            *(_contains_text(word, cased=cased) for word in words),
        )
        .order_by(example_answers.c.example_id)
        .limit(limit)
    )


def _joined_tables(wanted: ExampleFilter) -> FromClause:
    """Join no more tables than the filter needs: a split may hold a million rows."""
    table: FromClause = example_answers
    needs_answer = wanted.flagged or wanted.noted or wanted.label
    if needs_answer or wanted.text or wanted.unsure:
        table = table.join(examples, examples.c.id == example_answers.c.example_id)
    if needs_answer:
        table = table.outerjoin(answers, answers.c.id == example_answers.c.answer_id)
    return table


def _condition(split_id: int, wanted: ExampleFilter) -> ColumnElement[bool]:
    conditions: list[ColumnElement[bool]] = [example_answers.c.split_id == split_id]
    if wanted.answer == "open":
        conditions.append(example_answers.c.answer.is_(None))
    elif wanted.answer == "answered":
        conditions.append(example_answers.c.answer.is_not(None))
    elif wanted.answer is not None:
        conditions.append(example_answers.c.answer == wanted.answer)
    if wanted.flagged:
        conditions.append(_FLAGGED.is_(True))
    if wanted.noted:
        conditions.append(_NOTE != "")
    if wanted.label:
        conditions.append(_has_label(wanted.label))
    if wanted.text:
        conditions.append(_contains_text(wanted.text, cased=False))
    if wanted.annotator:
        conditions.append(_decided_by(wanted.annotator))
    return and_(*conditions)


def _has_label(label: str) -> ColumnElement[bool]:
    # Spans are stored as [start,end,"label"] or [start,end,"label",{...}].
    serialized = f",{dump_json(label)}"
    return or_(
        _SHOWN_SPANS.contains(f"{serialized}]", autoescape=True),
        _SHOWN_SPANS.contains(f"{serialized},{{", autoescape=True),
    )


def _contains_text(text: str, *, cased: bool) -> ColumnElement[bool]:
    if cased:
        return examples.c.text.contains(text, autoescape=True)
    # The case of ASCII only is folded, as in SQLite and whatever the language of a server is;
    # for other letters each case is searched.
    variants = {text} if text.isascii() else {text, text.lower(), text.upper(), text.title()}
    folded = {one.translate(_ASCII_LOWER) for one in variants}
    lowered = _AsciiLower(examples.c.text)
    return or_(*(lowered.contains(one, autoescape=True) for one in sorted(folded)))


def _decided_by(annotator: str) -> ColumnElement[bool]:
    return (
        select(annotator_answers.c.example_id)
        .where(
            annotator_answers.c.example_id == example_answers.c.example_id,
            annotator_answers.c.annotator == annotator,
            annotator_answers.c.answer.is_not(None),
        )
        .exists()
    )


def _ids_by_confidence(connection: Connection, split_id: int, wanted: ExampleFilter) -> list[int]:
    """Return the row ids of matching examples by the lowest score of their suggestions."""
    query = (
        select(examples.c.id, examples.c.spans)
        .select_from(_joined_tables(wanted))
        .where(
            _condition(split_id, wanted),
            examples.c.spans.contains(_SCORE_KEY, autoescape=True),
        )
    )
    scored = [(_lowest_score(row.spans), row.id) for row in connection.execute(query)]
    return [id_ for _, id_ in sorted((score, id_) for score, id_ in scored if score is not None)]


def _lowest_score(spans: str) -> float | None:
    """Return the lowest confidence among serialized spans; None where none has one."""
    scores = [span.score for span in load_spans(spans) if span.score is not None]
    return min(scores, default=None)


def _rows(connection: Connection, ids: Sequence[int]) -> tuple[Any, ...]:
    if not ids:
        return ()
    query = queries.select_examples().where(examples.c.id.in_(ids))
    found = {row.id: row for row in connection.execute(query)}
    rows = (found[one] for one in ids)
    return tuple((queries.example_from(row), _lowest_score(row.suggested)) for row in rows)
