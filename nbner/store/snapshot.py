"""A dataset at an earlier time, reconstructed from the events stored by then."""

from __future__ import annotations

import logging
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from sqlalchemy import ColumnElement, Connection, Select, and_, case, func, or_, select

from nbner._common.serialization import dump_json, load_json
from nbner.store import queries
from nbner.store.answers import ensure_label_set, insert_event, lock_splits
from nbner.store.database import Database
from nbner.store.schema import annotator_answers, answers, examples, splits
from nbner.types import ANSWER_KINDS, Answer, AnswerKind, Counts, Example

if TYPE_CHECKING:
    from sqlalchemy.sql.selectable import Subquery

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DatasetSnapshot:
    """A read-only view of a dataset at an earlier time; created by ``Dataset.at``.

    Rows that version 1 of the tables stored have no time of insertion: such
    examples count as always present, such answers as stored when given.

    Parameters
    ----------
    moment : float
        The time, in seconds since the epoch, UTC.
    """

    moment: float
    _database: Database = field(repr=False)
    _dataset_id: int = field(repr=False)

    def examples(
        self, split: str | None = None, *, answer: AnswerKind | None = None
    ) -> list[Example]:
        """Return the examples with the answers that were shown, in the order of addition.

        Parameters
        ----------
        split : str, optional
            Name of the split; by default all.
        answer : {"accept", "reject", "ignore"}, optional
            Only examples with this decision.
        """
        shown = _shown_answers(self.moment)
        joined = examples.join(splits, examples.c.split_id == splits.c.id).outerjoin(
            shown, shown.c.example_id == examples.c.id
        )
        query: Select[Any] = (
            select(*queries.EXAMPLE_COLUMNS, *queries.ANSWER_COLUMNS)
            .select_from(queries.join_answers(joined, shown.c.answer_id))
            .where(self._in_split(split), func.coalesce(examples.c.created, 0.0) <= self.moment)
            .order_by(examples.c.id)
        )
        if answer is not None:
            query = query.where(answers.c.answer == answer)
        with self._database.reading() as connection:
            found = connection.execute(query).all()
        return [queries.example_from(row) for row in found]

    def answers(self, split: str | None = None, annotator: str | None = None) -> list[Answer]:
        """Return the newest answer of each annotator to each example.

        Parameters
        ----------
        split, annotator : str, optional
            Names of the split and of the annotator; by default all.
        """
        newest = _newest_answers(self.moment)
        query = (
            queries.select_answers()
            .join(newest, newest.c.answer_id == answers.c.id)
            .where(self._in_split(split))
            .order_by(answers.c.id)
        )
        if annotator is not None:
            query = query.where(answers.c.annotator == annotator)
        with self._database.reading() as connection:
            return [queries.answer_from(row) for row in connection.execute(query)]

    def counts(self, split: str | None = None) -> Counts:
        """Count the examples by the answer that was shown.

        Parameters
        ----------
        split : str, optional
            Name of the split; by default all.
        """
        kinds = Counter(example.answer for example in self.examples(split))
        numbers = {kind: kinds[kind] for kind in ANSWER_KINDS}
        return Counts(total=sum(kinds.values()), **numbers)

    def restore(self, split: str | None = None, annotator: str | None = None) -> int:
        """Make the answers of the snapshot current again, by inserting new events.

        Nothing is deleted: examples that were added later stay, and today's
        answers can be restored in the same way. An annotator without an answer
        in the snapshot gets a draft with the spans that came with the example.

        Parameters
        ----------
        split, annotator : str, optional
            Names of the split and of the annotator; by default all.

        Returns
        -------
        int
            Number of answers that changed.
        """
        with self._database.writing() as connection:
            names = select(splits.c.name).where(self._in_split(split))
            lock_splits(connection, self._dataset_id, connection.scalars(names).all())
            changed = connection.execute(self._select_changed(split, annotator)).mappings().all()
            for row in changed:
                insert_event(connection, _restoring_event(connection, dict(row)))
        _LOG.debug("restored %d answers as of %s", len(changed), self.moment)
        return len(changed)

    def _select_changed(self, split: str | None, annotator: str | None) -> Select[Any]:
        """Select the answers that are current now and were not then, with those that were."""
        newest = _newest_answers(self.moment)
        same = and_(
            newest.c.example_id == annotator_answers.c.example_id,
            newest.c.annotator == annotator_answers.c.annotator,
        )
        joined = (
            annotator_answers.join(splits, splits.c.id == annotator_answers.c.split_id)
            .join(examples, examples.c.id == annotator_answers.c.example_id)
            .outerjoin(newest, same)
            .outerjoin(answers, answers.c.id == newest.c.answer_id)
        )
        current = annotator_answers.c
        query = (
            select(
                *(current.example_id, current.split_id, current.annotator),
                *(answers.c.uid, answers.c.answer, answers.c.spans, answers.c.flagged),
                *(answers.c.note, answers.c.label_set_id, answers.c.extra),
                examples.c.spans.label("suggested"),
            )
            .select_from(joined)
            .where(
                self._in_split(split),
                or_(newest.c.answer_id.is_(None), newest.c.answer_id != current.answer_id),
            )
            .order_by(current.example_id)
        )
        return query if annotator is None else query.where(current.annotator == annotator)

    def _in_split(self, split: str | None) -> ColumnElement[bool]:
        in_dataset: ColumnElement[bool] = splits.c.dataset_id == self._dataset_id
        return in_dataset if split is None else and_(in_dataset, splits.c.name == split)


def _newest_answers(moment: float) -> Subquery:
    """Build a subquery for the newest answer of each annotator to each example."""
    stored = func.coalesce(answers.c.stored, answers.c.created)
    return (
        select(answers.c.example_id, answers.c.annotator, func.max(answers.c.id).label("answer_id"))
        .where(stored <= moment)
        .group_by(answers.c.example_id, answers.c.annotator)
        .subquery()
    )


def _shown_answers(moment: float) -> Subquery:
    """Build a subquery for the answer shown: the newest decision, else the newest draft."""
    newest = _newest_answers(moment)
    decided = func.max(case((answers.c.answer.is_not(None), answers.c.id)))
    return (
        select(
            answers.c.example_id,
            func.coalesce(decided, func.max(answers.c.id)).label("answer_id"),
        )
        .join(newest, newest.c.answer_id == answers.c.id)
        .group_by(answers.c.example_id)
        .subquery()
    )


def _restoring_event(connection: Connection, row: dict[str, Any]) -> dict[str, Any]:
    """Return the event that makes an old answer current again."""
    keys = ("example_id", "split_id", "annotator")
    event: dict[str, Any] = {key: row[key] for key in keys}
    event |= {"uid": str(uuid4()), "created": time.time()}
    if row["uid"] is None:
        label_set_id = ensure_label_set(connection, ())
        draft = {"answer": None, "flagged": False, "note": "", "label_set_id": label_set_id}
        return event | draft | {"spans": row["suggested"], "extra": dump_json({"restored": None})}
    extra = {**load_json(row["extra"]), "restored": row["uid"]}
    content = ("answer", "spans", "flagged", "note", "label_set_id")
    return event | {key: row[key] for key in content} | {"extra": dump_json(extra)}
