"""Lists of examples under conditions, a page at a time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Connection, Select, and_, case, func, or_, select

from nbner._common.filters import ExampleFilter, ExamplePage
from nbner._common.serialization import dump_json, load_spans
from nbner.store import queries
from nbner.store.schema import answers, current, examples, standing

if TYPE_CHECKING:
    from sqlalchemy.sql.selectable import FromClause

_SHOWN_SPANS = case((answers.c.id.is_(None), examples.c.spans), else_=answers.c.spans)
_FLAGGED = func.coalesce(answers.c.flagged, examples.c.flagged)
_NOTE = func.coalesce(answers.c.note, examples.c.note)
#: How a confidence begins where spans are stored; see ``codec.dump_spans``.
_SCORED = '"score":'


def list_examples(
    connection: Connection, split_id: int, wanted: ExampleFilter, offset: int, limit: int
) -> ExamplePage:
    """Give a piece of the list of a split's examples that meet all conditions."""
    if wanted.unsure:
        ids = _by_confidence(connection, split_id, wanted)
        return ExamplePage(_rows(connection, ids[offset : offset + limit]), len(ids))
    counted = select(func.count()).select_from(_joined(wanted)).where(_holds(split_id, wanted))
    found = (
        select(standing.c.example_id)
        .select_from(_joined(wanted))
        .where(_holds(split_id, wanted))
        .order_by(standing.c.example_id)
        .limit(limit)
        .offset(offset)
    )
    ids = list(connection.scalars(found))
    return ExamplePage(_rows(connection, ids), connection.scalar(counted) or 0)


def select_by_text(
    split_id: int, words: Iterable[str], *, cased: bool, after: int, limit: int
) -> Select[Any]:
    """Ask for the open examples whose text holds all words, in the order of addition.

    The database's own comparison is coarse: of what it finds, some may be
    there in another case or inside of other words.
    """
    return (
        queries.select_examples()
        .where(
            standing.c.split_id == split_id,
            standing.c.answer.is_(None),
            standing.c.example_id > after,
            *(_holds_text(word, cased=cased) for word in words),
        )
        .order_by(standing.c.example_id)
        .limit(limit)
    )


def _joined(wanted: ExampleFilter) -> FromClause:
    """Join no more tables than the conditions need: a list may be over a million rows."""
    table: FromClause = standing
    on_answer = wanted.flagged or wanted.noted or wanted.label
    if on_answer or wanted.text or wanted.unsure:
        table = table.join(examples, examples.c.id == standing.c.example_id)
    if on_answer:
        table = table.outerjoin(answers, answers.c.id == standing.c.answer_id)
    return table


def _holds(split_id: int, wanted: ExampleFilter) -> ColumnElement[bool]:
    conditions: list[ColumnElement[bool]] = [standing.c.split_id == split_id]
    if wanted.answer == "open":
        conditions.append(standing.c.answer.is_(None))
    elif wanted.answer == "answered":
        conditions.append(standing.c.answer.is_not(None))
    elif wanted.answer is not None:
        conditions.append(standing.c.answer == wanted.answer)
    if wanted.flagged:
        conditions.append(_FLAGGED.is_(True))
    if wanted.noted:
        conditions.append(_NOTE != "")
    if wanted.label:
        conditions.append(_has_label(wanted.label))
    if wanted.text:
        conditions.append(_holds_text(wanted.text, cased=False))
    if wanted.annotator:
        conditions.append(_decided_by(wanted.annotator))
    return and_(*conditions)


def _has_label(label: str) -> ColumnElement[bool]:
    # Spans are stored as [start,end,"label"] or [start,end,"label",{...}].
    written = f",{dump_json(label)}"
    return or_(
        _SHOWN_SPANS.contains(f"{written}]", autoescape=True),
        _SHOWN_SPANS.contains(f"{written},{{", autoescape=True),
    )


def _holds_text(text: str, *, cased: bool) -> ColumnElement[bool]:
    if cased:
        return examples.c.text.contains(text, autoescape=True)
    # SQLite knows the two cases of ASCII only: of other letters both are looked for.
    variants = {text} if text.isascii() else {text, text.lower(), text.upper(), text.title()}
    return or_(*(examples.c.text.icontains(one, autoescape=True) for one in sorted(variants)))


def _decided_by(annotator: str) -> ColumnElement[bool]:
    return (
        select(current.c.example_id)
        .where(
            current.c.example_id == standing.c.example_id,
            current.c.annotator == annotator,
            current.c.answer.is_not(None),
        )
        .exists()
    )


def _by_confidence(connection: Connection, split_id: int, wanted: ExampleFilter) -> list[int]:
    query = (
        select(examples.c.id, examples.c.spans)
        .select_from(_joined(wanted))
        .where(_holds(split_id, wanted), examples.c.spans.contains(_SCORED, autoescape=True))
    )
    scored = [(lowest(row.spans), row.id) for row in connection.execute(query)]
    return [id_ for _, id_ in sorted((score, id_) for score, id_ in scored if score is not None)]


def lowest(spans: str) -> float | None:
    """Give the lowest confidence among stored spans; None where none has one."""
    scores = [span.score for span in load_spans(spans) if span.score is not None]
    return min(scores, default=None)


def _rows(connection: Connection, ids: Sequence[int]) -> tuple[Any, ...]:
    if not ids:
        return ()
    query = queries.select_examples().where(examples.c.id.in_(ids))
    found = {row.id: row for row in connection.execute(query)}
    rows = (found[one] for one in ids)
    return tuple((queries.example_from(row), lowest(row.suggested)) for row in rows)
