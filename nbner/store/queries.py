"""Questions to the tables, and their rows as plain values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from sqlalchemy import ColumnElement, Row, ScalarSelect, Select, select

from nbner._common.serialization import load_json, load_labels, load_spans, load_tokens
from nbner.store.schema import answers, current, examples, label_sets, splits, standing
from nbner.types import Answer, Counts, Example

if TYPE_CHECKING:
    from sqlalchemy.sql.selectable import FromClause

ResultRow: TypeAlias = Row[Any]

EXAMPLE_COLUMNS = (
    *(examples.c.id, examples.c.input_hash, examples.c.task_hash, examples.c.text),
    *(examples.c.tokens, examples.c.meta, examples.c.extra, splits.c.name.label("split")),
    *(examples.c.spans.label("suggested"), examples.c.flagged.label("came_flagged")),
    examples.c.note.label("came_with_note"),
)
ANSWER_COLUMNS = (
    *(answers.c.answer, answers.c.annotator, answers.c.spans, answers.c.flagged, answers.c.note),
    *(answers.c.created, answers.c.extra.label("answer_extra"), label_sets.c.labels),
)


def select_examples() -> Select[Any]:
    """Ask for examples with the answer that stands, or the draft, or neither."""
    return select(*EXAMPLE_COLUMNS, *ANSWER_COLUMNS).select_from(
        join_answers(
            examples.join(splits, examples.c.split_id == splits.c.id).join(
                standing, standing.c.example_id == examples.c.id
            ),
            standing.c.answer_id,
        )
    )


def select_annotated_examples() -> Select[Any]:
    """Ask for examples with one annotator's current answer, whoever answered later."""
    return select(*EXAMPLE_COLUMNS, *ANSWER_COLUMNS).select_from(
        join_answers(
            current.join(examples, current.c.example_id == examples.c.id).join(
                splits, examples.c.split_id == splits.c.id
            ),
            current.c.answer_id,
        )
    )


def select_examples_for(annotator: str) -> Select[Any]:
    """Ask for examples with one annotator's answer or draft, or neither; others' stay unseen."""
    mine = (current.c.example_id == examples.c.id) & (current.c.annotator == annotator)
    return select(*EXAMPLE_COLUMNS, *ANSWER_COLUMNS).select_from(
        join_answers(
            examples.join(splits, examples.c.split_id == splits.c.id).outerjoin(current, mine),
            current.c.answer_id,
        )
    )


def select_answers() -> Select[Any]:
    """Ask for every answer that was ever given."""
    return select(
        answers, examples.c.input_hash, splits.c.name.label("split"), label_sets.c.labels
    ).select_from(
        answers.join(examples, answers.c.example_id == examples.c.id)
        .join(splits, answers.c.split_id == splits.c.id)
        .join(label_sets, answers.c.label_set_id == label_sets.c.id)
    )


def split_id_subquery(dataset_id: int, name: str) -> ScalarSelect[int]:
    """Ask for a split's id; nothing is equal to that of a split that is not there."""
    found = select(splits.c.id).where(splits.c.dataset_id == dataset_id, splits.c.name == name)
    return found.correlate(None).scalar_subquery()


def in_split(dataset_id: int, name: str) -> ColumnElement[bool]:
    """Whether an example is in a split."""
    is_in: ColumnElement[bool] = examples.c.split_id == split_id_subquery(dataset_id, name)
    return is_in


def example_id_subquery(dataset_id: int, split: str, input_hash: int) -> ScalarSelect[int]:
    """Ask for an example's id."""
    found = select(examples.c.id).where(
        in_split(dataset_id, split), examples.c.input_hash == input_hash
    )
    return found.correlate(None).scalar_subquery()


def is_current() -> ColumnElement[bool]:
    """Whether an answer is its annotator's newest to its example."""
    return (
        select(current.c.answer_id)
        .where(
            current.c.example_id == answers.c.example_id,
            current.c.annotator == answers.c.annotator,
            current.c.answer_id == answers.c.id,
        )
        .exists()
    )


def example_from(row: ResultRow) -> Example:
    """Read a row of ``select_examples`` or ``select_annotated_examples``."""
    seen = row.annotator is not None
    said: Mapping[str, Any] = load_json(row.answer_extra) if seen else {}
    return Example(
        text=row.text,
        tokens=load_tokens(row.text, row.tokens),
        spans=load_spans(row.spans if seen else row.suggested),
        answer=row.answer,
        flagged=row.flagged if seen else row.came_flagged,
        note=row.note if seen else row.came_with_note,
        meta=load_json(row.meta),
        split=row.split,
        input_hash=row.input_hash,
        labels=load_labels(row.labels) if row.answer else None,
        annotator=row.annotator,
        pretokenized=row.tokens is not None,
        binary=said.get("binary", False),
        created=row.created,
        extra={"_task_hash": row.task_hash, **load_json(row.extra), **said.get("task", {})},
    )


def answer_from(row: ResultRow) -> Answer:
    """Read a row of ``select_answers``."""
    return Answer(
        id=row.uid,
        input_hash=row.input_hash,
        split=row.split,
        annotator=row.annotator,
        answer=row.answer,
        spans=load_spans(row.spans),
        flagged=row.flagged,
        note=row.note,
        labels=load_labels(row.labels),
        created=row.created,
        extra=load_json(row.extra),
    )


def counts_from(rows: Iterable[ResultRow]) -> Counts:
    """Add up the counts of splits."""
    found = list(rows)
    return Counts(
        total=sum(row.total for row in found),
        accept=sum(row.accept for row in found),
        reject=sum(row.reject for row in found),
        ignore=sum(row.ignore for row in found),
    )


def join_answers(table: FromClause, answer_id: ColumnElement[Any]) -> FromClause:
    """Put beside a table the answers that one of its columns names, where it names one."""
    return table.outerjoin(answers, answers.c.id == answer_id).outerjoin(
        label_sets, label_sets.c.id == answers.c.label_set_id
    )
