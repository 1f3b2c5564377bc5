"""SELECT statements shared by the store's modules, and conversion of their rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from sqlalchemy import ColumnElement, Row, ScalarSelect, Select, and_, select

from nbner._common.serialization import (
    dump_json,
    load_json,
    load_labels,
    load_spans,
    load_tokens,
)
from nbner._common.times import is_time
from nbner.store.schema import (
    annotator_answers,
    answers,
    example_answers,
    examples,
    label_sets,
    splits,
)
from nbner.types import Answer, Counts, Example

if TYPE_CHECKING:
    from sqlalchemy.sql.selectable import FromClause

ResultRow: TypeAlias = Row[Any]

EXAMPLE_COLUMNS = (
    *(examples.c.id, examples.c.input_hash, examples.c.task_hash, examples.c.text),
    *(examples.c.tokens, examples.c.meta, examples.c.extra, splits.c.name.label("split")),
    *(examples.c.spans.label("suggested"), examples.c.flagged.label("imported_flag")),
    examples.c.note.label("imported_note"),
)
#: The column ``extra`` of an event after which an annotator has no answer.
WITHDRAWN = dump_json({"withdrawn": True})

ANSWER_COLUMNS = (
    *(answers.c.answer, answers.c.annotator, answers.c.spans, answers.c.flagged, answers.c.note),
    *(answers.c.created, answers.c.extra.label("answer_extra"), label_sets.c.labels),
)


def select_examples() -> Select[Any]:
    """Build a SELECT of examples with the answer that is shown, if there is one."""
    return select(*EXAMPLE_COLUMNS, *ANSWER_COLUMNS).select_from(
        join_answers(
            examples.join(splits, examples.c.split_id == splits.c.id).join(
                example_answers, example_answers.c.example_id == examples.c.id
            ),
            example_answers.c.answer_id,
        )
    )


def select_annotated_examples() -> Select[Any]:
    """Build a SELECT of examples with each annotator's newest answer: one row an answer."""
    return select(*EXAMPLE_COLUMNS, *ANSWER_COLUMNS).select_from(
        join_answers(
            annotator_answers.join(examples, annotator_answers.c.example_id == examples.c.id).join(
                splits, examples.c.split_id == splits.c.id
            ),
            annotator_answers.c.answer_id,
        )
    )


def select_examples_for(annotator: str) -> Select[Any]:
    """Build a SELECT of examples with one annotator's answer or draft, hiding all others.

    Parameters
    ----------
    annotator : str
        Name of the annotator.
    """
    own = (annotator_answers.c.example_id == examples.c.id) & (
        annotator_answers.c.annotator == annotator
    )
    return select(*EXAMPLE_COLUMNS, *ANSWER_COLUMNS).select_from(
        join_answers(
            examples.join(splits, examples.c.split_id == splits.c.id).outerjoin(
                annotator_answers, own
            ),
            annotator_answers.c.answer_id,
        )
    )


def select_answers() -> Select[Any]:
    """Build a SELECT of every answer that was ever stored."""
    return select(
        answers, examples.c.input_hash, splits.c.name.label("split"), label_sets.c.labels
    ).select_from(
        answers.join(examples, answers.c.example_id == examples.c.id)
        .join(splits, answers.c.split_id == splits.c.id)
        .join(label_sets, answers.c.label_set_id == label_sets.c.id)
    )


def split_id_subquery(dataset_id: int, name: str) -> ScalarSelect[int]:
    """Build a scalar subquery for a split's row id; NULL where there is no such split.

    Parameters
    ----------
    dataset_id : int
        Row id of the dataset.
    name : str
        Name of the split.
    """
    found = select(splits.c.id).where(splits.c.dataset_id == dataset_id, splits.c.name == name)
    return found.correlate(None).scalar_subquery()


def in_split(dataset_id: int, name: str) -> ColumnElement[bool]:
    """Build the condition that an example is in a split.

    Parameters
    ----------
    dataset_id : int
        Row id of the dataset.
    name : str
        Name of the split.
    """
    is_in: ColumnElement[bool] = examples.c.split_id == split_id_subquery(dataset_id, name)
    return is_in


def example_id_subquery(dataset_id: int, split: str, input_hash: int) -> ScalarSelect[int]:
    """Build a scalar subquery for an example's row id.

    Parameters
    ----------
    dataset_id : int
        Row id of the dataset.
    split : str
        Name of the split.
    input_hash : int
        Hash of the example's text.
    """
    found = select(examples.c.id).where(
        in_split(dataset_id, split), examples.c.input_hash == input_hash
    )
    return found.correlate(None).scalar_subquery()


def is_withdrawal() -> ColumnElement[bool]:
    """Build the condition that an event took its annotator's answer away."""
    return and_(answers.c.answer.is_(None), answers.c.extra == WITHDRAWN)


def is_current() -> ColumnElement[bool]:
    """Build the condition that an answer is its annotator's newest to its example."""
    return (
        select(annotator_answers.c.answer_id)
        .where(
            annotator_answers.c.example_id == answers.c.example_id,
            annotator_answers.c.annotator == answers.c.annotator,
            annotator_answers.c.answer_id == answers.c.id,
        )
        .exists()
    )


def join_answers(table: FromClause, answer_id: ColumnElement[Any]) -> FromClause:
    """Build an outer join of a table with the answers that one of its columns refers to.

    Parameters
    ----------
    table : FromClause
        A table or a join.
    answer_id : ColumnElement
        Its column with row ids of answers, or NULL.
    """
    return table.outerjoin(answers, answers.c.id == answer_id).outerjoin(
        label_sets, label_sets.c.id == answers.c.label_set_id
    )


def example_from(row: ResultRow) -> Example:
    """Convert a row with example and answer columns to an ``Example``.

    Parameters
    ----------
    row : ResultRow
        From one of the SELECTs of examples above.
    """
    is_annotated = row.annotator is not None
    extra: Mapping[str, Any] = load_json(row.answer_extra) if is_annotated else {}
    return Example(
        text=row.text,
        tokens=load_tokens(row.text, row.tokens),
        spans=load_spans(row.spans if is_annotated else row.suggested),
        answer=row.answer,
        flagged=row.flagged if is_annotated else row.imported_flag,
        note=row.note if is_annotated else row.imported_note,
        meta=load_json(row.meta),
        split=row.split,
        input_hash=row.input_hash,
        labels=load_labels(row.labels) if row.answer else None,
        annotator=row.annotator,
        pretokenized=row.tokens is not None,
        binary=extra.get("binary", False),
        # Before nbner checked times, a file could bring ones that no format can hold.
        created=row.created if is_time(row.created) else None,
        extra={"_task_hash": row.task_hash, **load_json(row.extra), **extra.get("task", {})},
    )


def answer_from(row: ResultRow) -> Answer:
    """Convert a row of ``select_answers`` to an ``Answer``.

    Parameters
    ----------
    row : ResultRow
        One row.
    """
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
    """Sum the counts of splits.

    Parameters
    ----------
    rows : iterable of ResultRow
        Rows of ``splits``.
    """
    found = list(rows)
    return Counts(
        total=sum(row.total for row in found),
        accept=sum(row.accept for row in found),
        reject=sum(row.reject for row in found),
        ignore=sum(row.ignore for row in found),
    )
