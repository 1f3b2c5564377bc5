"""A dataset as it was at some moment, from the events that had been stored by then."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from sqlalchemy import ColumnElement, Connection, Select, and_, case, func, or_, select

from nbner._common.serialization import dump_json, load_json
from nbner.store import answers as events
from nbner.store import queries
from nbner.store.database import Database
from nbner.store.schema import answers, current, examples, splits
from nbner.types import ANSWER_KINDS, Answer, AnswerKind, Counts, Example

if TYPE_CHECKING:
    from sqlalchemy.sql.selectable import Subquery


@dataclass(frozen=True, slots=True)
class DatasetSnapshot:
    """A dataset as it was; nothing can be written to it. Made by ``Dataset.at``.

    What version 1 of the tables stored has no time of its own: its examples
    count as always there, its answers as stored when they were given.

    Parameters
    ----------
    moment : float
        Seconds since the epoch, UTC.
    """

    moment: float
    _database: Database = field(repr=False)
    _dataset_id: int = field(repr=False)

    def examples(
        self, split: str | None = None, *, answer: AnswerKind | None = None
    ) -> list[Example]:
        """Give the examples that were there, as they stood, in the order of addition."""
        stood = _standing(self.moment)
        joined = examples.join(splits, examples.c.split_id == splits.c.id).outerjoin(
            stood, stood.c.example_id == examples.c.id
        )
        query: Select[Any] = (
            select(*queries.EXAMPLE_COLUMNS, *queries.ANSWER_COLUMNS)
            .select_from(queries.join_answers(joined, stood.c.answer_id))
            .where(self._in(split), func.coalesce(examples.c.created, 0.0) <= self.moment)
            .order_by(examples.c.id)
        )
        if answer is not None:
            query = query.where(answers.c.answer == answer)
        with self._database.reading() as connection:
            found = connection.execute(query).all()
        return [queries.example_from(row) for row in found]

    def answers(self, split: str | None = None, annotator: str | None = None) -> list[Answer]:
        """Give what was current: the newest answer of each annotator to each example."""
        newest = _newest(self.moment)
        query = (
            queries.select_answers()
            .join(newest, newest.c.answer_id == answers.c.id)
            .where(self._in(split))
            .order_by(answers.c.id)
        )
        if annotator is not None:
            query = query.where(answers.c.annotator == annotator)
        with self._database.reading() as connection:
            return [queries.answer_from(row) for row in connection.execute(query)]

    def counts(self, split: str | None = None) -> Counts:
        """Count the examples that were there by the answer that stood."""
        kinds = Counter(example.answer for example in self.examples(split))
        numbers = {kind: kinds[kind] for kind in ANSWER_KINDS}
        return Counts(total=sum(kinds.values()), **numbers)

    def restore(self, split: str | None = None, annotator: str | None = None) -> int:
        """Make what was current then current again, by new events.

        Nothing is taken away: examples that came later stay, and what is
        current now can be restored in the same way. Whoever had not answered
        then has a draft now, with the spans that came with the example.

        Returns
        -------
        int
            How many answers have changed.
        """
        with self._database.writing() as connection:
            names = select(splits.c.name).where(self._in(split))
            events.lock_splits(connection, self._dataset_id, connection.scalars(names).all())
            changed = connection.execute(self._changed(split, annotator)).mappings().all()
            for row in changed:
                events.insert_event(connection, _again(connection, dict(row)))
        return len(changed)

    def _changed(self, split: str | None, annotator: str | None) -> Select[Any]:
        """Ask for what is current now and was not then, with what was."""
        newest = _newest(self.moment)
        same = and_(
            newest.c.example_id == current.c.example_id, newest.c.annotator == current.c.annotator
        )
        joined = (
            current.join(splits, splits.c.id == current.c.split_id)
            .join(examples, examples.c.id == current.c.example_id)
            .outerjoin(newest, same)
            .outerjoin(answers, answers.c.id == newest.c.answer_id)
        )
        query = (
            select(
                *(current.c.example_id, current.c.split_id, current.c.annotator),
                *(answers.c.uid, answers.c.answer, answers.c.spans, answers.c.flagged),
                *(answers.c.note, answers.c.label_set_id, answers.c.extra),
                examples.c.spans.label("suggested"),
            )
            .select_from(joined)
            .where(
                self._in(split),
                or_(newest.c.answer_id.is_(None), newest.c.answer_id != current.c.answer_id),
            )
            .order_by(current.c.example_id)
        )
        return query if annotator is None else query.where(current.c.annotator == annotator)

    def _in(self, split: str | None) -> ColumnElement[bool]:
        in_dataset: ColumnElement[bool] = splits.c.dataset_id == self._dataset_id
        return in_dataset if split is None else and_(in_dataset, splits.c.name == split)


def _stored() -> ColumnElement[float]:
    return func.coalesce(answers.c.stored, answers.c.created)


def _newest(moment: float) -> Subquery:
    """Ask which answer of each annotator to each example was the newest."""
    return (
        select(answers.c.example_id, answers.c.annotator, func.max(answers.c.id).label("answer_id"))
        .where(_stored() <= moment)
        .group_by(answers.c.example_id, answers.c.annotator)
        .subquery()
    )


def _standing(moment: float) -> Subquery:
    """Ask which answer stood: the newest decision of anybody, else the newest draft."""
    newest = _newest(moment)
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


def _again(connection: Connection, row: dict[str, Any]) -> dict[str, Any]:
    """Write the event that brings an old answer back."""
    keys = ("example_id", "split_id", "annotator")
    event: dict[str, Any] = {key: row[key] for key in keys}
    event |= {"uid": str(uuid4()), "created": time.time()}
    if row["uid"] is None:
        label_set = events.ensure_label_set(connection, ())
        nothing = {"answer": None, "flagged": False, "note": "", "label_set_id": label_set}
        return event | nothing | {"spans": row["suggested"], "extra": dump_json({"restored": None})}
    said = {**load_json(row["extra"]), "restored": row["uid"]}
    kept = ("answer", "spans", "flagged", "note", "label_set_id")
    return event | {key: row[key] for key in kept} | {"extra": dump_json(said)}
