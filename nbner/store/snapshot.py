"""A dataset at an earlier time, reconstructed from the events stored by then."""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from sqlalchemy import ColumnElement, Connection, Select, and_, case, func, or_, select, update

from nbner._common.serialization import (
    dump_json,
    dump_labels,
    load_json,
    load_labels,
    load_spans,
)
from nbner.errors import DataError
from nbner.store import clock, queries
from nbner.store.answers import ensure_label_set, insert_event, insert_withdrawal, lock_splits
from nbner.store.database import Database
from nbner.store.past import is_stored_by
from nbner.store.schema import annotator_answers, answers, datasets, examples, splits
from nbner.types import ANSWER_KINDS, Answer, AnswerKind, Counts, Example

if TYPE_CHECKING:
    from sqlalchemy.sql.selectable import Subquery

_LOG = logging.getLogger(__name__)

#: Key in the ``extra`` of an answer that was restored: the id of the answer that it repeats.
RESTORED_KEY = "restored"

_BATCH = 500


@dataclass(frozen=True, slots=True)
class DatasetSnapshot:
    """A read-only view of a dataset at an earlier time; created by ``Dataset.at``.

    It holds all that was stored up to some event, in the order of storage: see
    `nbner.store.past` for clocks that were wrong. Rows that version 1 of the tables
    stored have no time of insertion: such examples count as always present, such
    answers as stored when given.

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

        Raises
        ------
        DataError
            There has never been such a split.
        """
        with self._database.reading() as connection:
            self._require_split(connection, split)
            shown = _shown_answers(self._stored(connection, answers))
            joined = examples.join(splits, examples.c.split_id == splits.c.id).outerjoin(
                shown, shown.c.example_id == examples.c.id
            )
            query: Select[Any] = (
                select(*queries.EXAMPLE_COLUMNS, *queries.ANSWER_COLUMNS)
                .select_from(queries.join_answers(joined, shown.c.answer_id))
                .where(self._in_split(split), self._stored(connection, examples))
                .order_by(examples.c.id)
            )
            if answer is not None:
                query = query.where(answers.c.answer == answer)
            found = connection.execute(query).all()
        return [queries.example_from(row) for row in found]

    def answers(self, split: str | None = None, annotator: str | None = None) -> list[Answer]:
        """Return the newest answer of each annotator to each example.

        Parameters
        ----------
        split, annotator : str, optional
            Names of the split and of the annotator; by default all.

        Raises
        ------
        DataError
            There has never been such a split.
        """
        return [answer for answer, _ in self.answers_with_texts(split, annotator)]

    def answers_with_texts(
        self, split: str | None = None, annotator: str | None = None
    ) -> list[tuple[Answer, str]]:
        """Return the newest answer of each annotator to each example, and the example's text.

        Parameters
        ----------
        split, annotator : str, optional
            Names of the split and of the annotator; by default all.

        Raises
        ------
        DataError
            There has never been such a split.
        """
        with self._database.reading() as connection:
            self._require_split(connection, split)
            newest = newest_answers(self._stored(connection, answers))
            query = (
                queries.select_answers()
                .add_columns(examples.c.text)
                .join(newest, newest.c.answer_id == answers.c.id)
                .where(self._in_split(split))
                .order_by(answers.c.id)
            )
            if annotator is not None:
                query = query.where(answers.c.annotator == annotator)
            found = connection.execute(query).all()
        return [(queries.answer_from(row), row.text) for row in found]

    def counts(self, split: str | None = None) -> Counts:
        """Count the examples by the answer that was shown.

        Parameters
        ----------
        split : str, optional
            Name of the split; by default all.

        Raises
        ------
        DataError
            There has never been such a split.
        """
        kinds = Counter(example.answer for example in self.examples(split))
        numbers = {kind: kinds[kind] for kind in ANSWER_KINDS}
        return Counts(total=sum(kinds.values()), **numbers)

    def restore(self, split: str | None = None, annotator: str | None = None) -> int:
        """Make the answers of the snapshot current again, by inserting new events.

        Nothing is deleted: examples that were added later stay, and today's
        answers can be restored in the same way. An annotator without an answer
        in the snapshot has none afterwards. Of the answers to one example the one
        that was shown is shown again, unless only one annotator's are restored.
        A label of restored spans that was renamed or merged since is one of the
        dataset's labels again, after the others.

        Parameters
        ----------
        split, annotator : str, optional
            Names of the split and of the annotator; by default all.

        Returns
        -------
        int
            Number of answers that changed.
        """
        of_dataset = datasets.c.id == self._dataset_id
        with self._database.writing() as connection:
            # As a renaming does: first the labels, then the splits.
            query = select(datasets.c.labels).where(of_dataset).with_for_update()
            labels = load_labels(str(connection.scalar(query)))
            names = select(splits.c.name).where(self._in_split(split))
            lock_splits(connection, self._dataset_id, connection.scalars(names).all())
            then = newest_answers(self._stored(connection, answers))
            changed = self._changed(connection, then, split, annotator)
            insertion = _Restoration(connection, clock.now(connection))
            for row in changed:
                insertion.insert(row)
            if annotator is None:
                insertion.show_again(then, {row["example_id"] for row in changed})
            held = [one.label for row in changed for one in load_spans(row["spans"] or "[]")]
            after = dump_labels(dict.fromkeys((*labels, *held)))
            if after != dump_labels(labels):
                connection.execute(update(datasets).where(of_dataset).values(labels=after))
        _LOG.debug("restored %d answers as of %s", len(changed), self.moment)
        return len(changed)

    def _stored(self, connection: Connection, table: Any) -> ColumnElement[bool]:
        return is_stored_by(connection, self._dataset_id, table, self.moment)

    def _changed(
        self, connection: Connection, then: Subquery, split: str | None, annotator: str | None
    ) -> Sequence[dict[str, Any]]:
        """Return the answers that differ between now and then, as they were then.

        Those that there were not then come first, the others in their order of then:
        what is inserted last is shown.
        """
        current = annotator_answers.c
        same = and_(then.c.example_id == current.example_id, then.c.annotator == current.annotator)
        content: tuple[ColumnElement[Any], ...] = (
            answers.c.id.label("answer_id"),
            answers.c.uid,
            answers.c.answer,
        )
        content = (*content, answers.c.spans, answers.c.flagged, answers.c.note)
        content = (*content, answers.c.label_set_id, answers.c.extra)
        differing = (
            select(*(current.example_id, current.split_id, current.annotator), *content)
            .select_from(
                annotator_answers.join(splits, splits.c.id == current.split_id)
                .outerjoin(then, same)
                .outerjoin(answers, answers.c.id == then.c.answer_id)
            )
            .where(
                self._in_split(split),
                or_(then.c.answer_id.is_(None), then.c.answer_id != current.answer_id),
            )
            .order_by(current.example_id)
        )
        withdrawn_since = (
            select(*(answers.c.example_id, answers.c.split_id, answers.c.annotator), *content)
            .select_from(
                then.join(answers, answers.c.id == then.c.answer_id)
                .join(splits, splits.c.id == answers.c.split_id)
                .outerjoin(annotator_answers, same)
            )
            .where(self._in_split(split), current.answer_id.is_(None))
        )
        if annotator is not None:
            differing = differing.where(current.annotator == annotator)
            withdrawn_since = withdrawn_since.where(answers.c.annotator == annotator)
        found = [
            dict(row)
            for query in (differing, withdrawn_since)
            for row in connection.execute(query).mappings()
        ]
        return sorted(found, key=lambda row: row["answer_id"] or 0)

    def _require_split(self, connection: Connection, split: str | None) -> None:
        """Raise where there has never been a split; one that came later held nothing then."""
        if split is None:
            return
        in_dataset = splits.c.dataset_id == self._dataset_id
        if split in connection.scalars(select(splits.c.name).where(in_dataset)).all():
            return
        of_then = (
            select(splits.c.name)
            .join(examples, examples.c.split_id == splits.c.id)
            .where(in_dataset, self._stored(connection, examples))
            .group_by(splits.c.id, splits.c.name)
            .order_by(splits.c.id)
        )
        names = connection.scalars(of_then).all()
        has = f"the splits of that time are: {', '.join(names)}" if names else "it held nothing yet"
        raise DataError(
            f"there was no split {split!r}; {has}", field="split", remedy="Correct the name"
        )

    def _in_split(self, split: str | None) -> ColumnElement[bool]:
        in_dataset: ColumnElement[bool] = splits.c.dataset_id == self._dataset_id
        return in_dataset if split is None else and_(in_dataset, splits.c.name == split)


def newest_answers(condition: ColumnElement[bool]) -> Subquery:
    """Build a subquery for the newest answer of each annotator to each example.

    It has ``example_id``, ``annotator`` and ``answer_id``; annotators whose newest
    event took their answer away are left out.

    Parameters
    ----------
    condition : ColumnElement
        Which rows of ``answers`` count.
    """
    newest = (
        select(answers.c.example_id, answers.c.annotator, func.max(answers.c.id).label("answer_id"))
        .where(condition)
        .group_by(answers.c.example_id, answers.c.annotator)
        .subquery()
    )
    return (
        select(newest.c.example_id, newest.c.annotator, newest.c.answer_id)
        .join(answers, answers.c.id == newest.c.answer_id)
        .where(~queries.is_withdrawal())
        .subquery()
    )


def _shown_answers(condition: ColumnElement[bool]) -> Subquery:
    """Build a subquery for the answer shown: the newest decision, else the newest draft."""
    newest = newest_answers(condition)
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


class _Restoration:
    """Insertion of earlier answers as new events.

    Parameters
    ----------
    connection : Connection
        With a write transaction.
    now : float
        The present time by the store's clock.
    """

    def __init__(self, connection: Connection, now: float) -> None:
        self._connection = connection
        self._now = now

    def insert(self, row: dict[str, Any]) -> None:
        """Insert an answer of then, or the withdrawal of one that there was not.

        Parameters
        ----------
        row : dict
            Columns of ``answers``; those of the content are None where there was none.
        """
        event: dict[str, Any] = {key: row[key] for key in ("example_id", "split_id", "annotator")}
        event |= {"uid": str(uuid4()), "created": self._now, "stored": self._now}
        if row["answer_id"] is None:
            label_set_id = ensure_label_set(self._connection, ())
            none = {"flagged": False, "note": "", "label_set_id": label_set_id}
            insert_withdrawal(self._connection, event | none)
            return
        extra = {**load_json(row["extra"]), RESTORED_KEY: row["uid"]}
        content = ("answer", "spans", "flagged", "note", "label_set_id")
        event |= {key: row[key] for key in content} | {"extra": dump_json(extra)}
        insert_event(self._connection, event)

    def show_again(self, then: Subquery, example_ids: Iterable[int]) -> None:
        """Insert what was shown once more, where an answer restored before it is newer now.

        Parameters
        ----------
        then : Subquery
            From `newest_answers`.
        example_ids : iterable of int
            Row ids of the examples.
        """
        ids = sorted(example_ids)
        for i in range(0, len(ids), _BATCH):
            some = ids[i : i + _BATCH]
            was = self._shown(then, some)
            current = select(annotator_answers).subquery()
            for example_id, row in self._shown(current, some).items():
                shown = was.get(example_id)
                if shown is not None and shown["annotator"] != row["annotator"]:
                    self.insert(shown)

    def _shown(self, newest: Subquery, example_ids: Sequence[int]) -> dict[int, dict[str, Any]]:
        """Return the answers that are shown, by the row ids of their examples."""
        query = (
            select(answers, answers.c.id.label("answer_id"))
            .join(newest, newest.c.answer_id == answers.c.id)
            .where(answers.c.example_id.in_(example_ids))
        )
        by_example: dict[int, list[dict[str, Any]]] = defaultdict(list)
        for row in self._connection.execute(query).mappings():
            by_example[row["example_id"]].append(dict(row))
        return {
            example_id: max(rows, key=lambda row: (row["answer"] is not None, row["answer_id"]))
            for example_id, rows in by_example.items()
        }
