"""One dataset of a store: examples in, answers in, and all of it out again."""

from __future__ import annotations

import heapq
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, select, update

from nbner._common.filters import ExampleFilter, ExamplePage
from nbner._common.hashing import text_digest
from nbner._common.serialization import dump_labels, load_labels
from nbner.io.import_report import ImportBatch, ImportReport
from nbner.store import answers as events
from nbner.store import bulk_insert, model_runs, queries, search, undo
from nbner.store.assignments import Assignments
from nbner.store.database import Database
from nbner.store.schema import answers, current, datasets, examples, splits, standing
from nbner.store.settings import DatasetSettings
from nbner.store.snapshot import DatasetSnapshot
from nbner.store.spool import buffered_to_disk
from nbner.types import Answer, AnswerKind, Counts, Example

_PAGE = 1000
_FEW = 100


class Dataset:
    """Examples in splits, with every answer ever given to them.

    Made by ``Store.dataset``. Every method is one transaction, and may be
    called from any thread; what yields examples or answers reads them page by
    page and holds nothing open in between.
    """

    def __init__(self, database: Database, id_: int, name: str) -> None:
        self.name = name
        self._database = database
        self._id = id_

    def __repr__(self) -> str:
        return f"Dataset({self.name!r})"

    @property
    def settings(self) -> DatasetSettings:
        """What was set for this dataset."""
        return DatasetSettings(self._database, self._id)

    @property
    def assignments(self) -> Assignments:
        """The dataset as several people work on it."""
        return Assignments(self._database, self._id)

    # Labels.

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that can be given, in their order."""
        with self._database.reading() as connection:
            return self._labels(connection)

    def set_labels(self, labels: Iterable[str]) -> None:
        """Say which labels can be given from now on."""
        with self._database.writing() as connection:
            self._set_labels(connection, tuple(labels))

    # Examples in.

    def add(self, batch: ImportBatch) -> ImportReport:
        """Add checked rows to their split: all of them, or after an error none.

        Labels that the dataset does not have yet are added to its list.

        Parameters
        ----------
        batch : ImportBatch
            From ``intake.prepare``. Read to its end before anything is locked.

        Raises
        ------
        DataError
            A row cannot be taken.
        StoreError
            The store cannot be written.
        """
        with buffered_to_disk(batch) as batches, self._database.writing() as connection:
            labels = self._labels(connection)
            grown = tuple(dict.fromkeys((*labels, *batch.labels)))
            if grown != labels:
                self._set_labels(connection, grown)
            split_id = self._split_id(connection, batch.split)
            label_set_id = events.ensure_label_set(connection, grown)
            outcome = bulk_insert.insert_batches(connection, split_id, label_set_id, batches)
        for problem in outcome.duplicates:
            batch.add_issue(problem)
        return batch.report(added=outcome.added, answered=outcome.answered)

    # Examples out.

    def find(self, input_hash: int, split: str) -> Example | None:
        """Look one example up as it stands now."""
        query = queries.select_examples().where(
            queries.in_split(self._id, split), examples.c.input_hash == input_hash
        )
        with self._database.reading() as connection:
            found = connection.execute(query).first()
        return None if found is None else queries.example_from(found)

    def next_unanswered(
        self, split: str, limit: int, exclude: Collection[int] = (), after: int | None = None
    ) -> list[Example]:
        """Give the next examples that nobody has decided, in the order of addition.

        Parameters
        ----------
        split : str
        limit : int
            At most so many.
        exclude : collection of int
            Input hashes to pass over.
        after : int, optional
            Only what was added after the example with this input hash.
        """
        split_id = queries.split_id_subquery(self._id, split)
        ids = (
            select(standing.c.example_id, examples.c.input_hash)
            .join(examples, examples.c.id == standing.c.example_id)
            .where(
                standing.c.split_id == split_id,
                standing.c.answer.is_(None),
            )
            .order_by(standing.c.example_id)
            .limit(max(limit, 0) + len(exclude))
        )
        if after is not None:
            ids = ids.where(
                standing.c.example_id > queries.example_id_subquery(self._id, split, after)
            )
        passed_over = set(exclude)
        with self._database.reading() as connection:
            wanted = [
                row.example_id
                for row in connection.execute(ids)
                if row.input_hash not in passed_over
            ][: max(limit, 0)]
            query = queries.select_examples().where(examples.c.id.in_(wanted))
            found = connection.execute(query.order_by(examples.c.id)).all()
        return [queries.example_from(row) for row in found]

    def recent(
        self, split: str, annotator: str, limit: int, *, before: int | None = None
    ) -> list[Example]:
        """Give the examples that an annotator answered last, newest first.

        Parameters
        ----------
        split, annotator : str
        limit : int
            At most so many.
        before : int, optional
            Only what was answered before the example with this input hash; an
            example without an answer of this annotator comes after all.

        Returns
        -------
        list of Example
            With this annotator's own answer.
        """
        mine = (
            current.c.split_id == queries.split_id_subquery(self._id, split),
            current.c.annotator == annotator,
        )
        query = (
            queries.select_annotated_examples()
            .where(*mine, current.c.answer.is_not(None))
            .order_by(current.c.answer_id.desc())
            .limit(max(limit, 0))
        )
        with self._database.reading() as connection:
            if before is not None:
                this = current.c.example_id == queries.example_id_subquery(self._id, split, before)
                last = connection.scalar(select(current.c.answer_id).where(*mine, this))
                query = query if last is None else query.where(current.c.answer_id < last)
            found = connection.execute(query).all()
        return [queries.example_from(row) for row in found]

    def examples(
        self,
        split: str | None = None,
        *,
        answer: AnswerKind | None = None,
        answered: bool | None = None,
    ) -> Iterator[Example]:
        """Yield examples in the order of addition.

        Parameters
        ----------
        split : str, optional
            By default all.
        answer : {"accept", "reject", "ignore"}, optional
            Only those for which this answer stands. Answers to binary tasks
            are among them: see ``Example.binary``.
        answered : bool, optional
            Only those with a decision, or without.
        """
        query = queries.select_examples()
        # Each of the two has an index in which the wanted rows lie side by side.
        split_id, key = examples.c.split_id, examples.c.id
        if answer is not None or answered is False:
            split_id, key = standing.c.split_id, standing.c.example_id
        if answer is not None:
            query = query.where(standing.c.answer == answer)
        if answered is not None:
            is_open = standing.c.answer.is_(None)
            query = query.where(~is_open if answered else is_open)
        streams = [
            self._pages(query.where(split_id == wanted), key) for wanted in self._split_ids(split)
        ]
        rows = streams[0] if len(streams) == 1 else heapq.merge(*streams, key=lambda row: row.id)
        for row in rows:
            yield queries.example_from(row)

    def list_examples(
        self, split: str, wanted: ExampleFilter, offset: int, limit: int
    ) -> ExamplePage:
        """Give a piece of the list of a split's examples that meet all conditions."""
        with self._database.reading() as connection:
            split_id = connection.scalar(select(queries.split_id_subquery(self._id, split)))
            if split_id is None:
                return ExamplePage()
            return search.list_examples(connection, split_id, wanted, max(offset, 0), max(limit, 0))

    def search_text(self, split: str, words: Collection[str], *, cased: bool) -> Iterator[Example]:
        """Yield open examples whose text holds all words, in the order of addition.

        The words may stand in other words there.
        """
        last = 0
        for split_id in self._split_ids(split):
            while True:
                page = search.select_by_text(split_id, words, cased=cased, after=last, limit=_FEW)
                with self._database.reading() as connection:
                    rows = connection.execute(page).all()
                yield from map(queries.example_from, rows)
                if len(rows) < _FEW:
                    break
                last = rows[-1].id

    # Answers.

    def record(self, answer: Answer) -> bool:
        """Store an answer: it is durable when this returns.

        Returns
        -------
        bool
            False if an answer with this id was stored before.

        Raises
        ------
        DataError
            There is no such example, or its spans cannot be.
        StoreError
            The store cannot be written now.
        """
        return self.record_many([answer]) == 1

    def record_many(self, given: Iterable[Answer]) -> int:
        """Store answers in one transaction, and say how many were new.

        Raises
        ------
        DataError
            One of them cannot be taken; none is then stored.
        StoreError
            The store cannot be written now.
        """
        collected = list(given)
        with self._database.writing() as connection:
            events.lock_splits(connection, self._id, {answer.split for answer in collected})
            return sum(events.record_answer(connection, self._id, answer) for answer in collected)

    def undo_batch(self, whole: str) -> tuple[int, ...]:
        """Take back answers that were given as one, but for what has changed since.

        Parameters
        ----------
        whole : str
            What the ids of these answers begin with; see ``_common.batch_ids``.

        Returns
        -------
        tuple of int
            Input hashes of the examples that are as they were before.
        """
        with self._database.writing() as connection:
            ids = undo.undo_batch(connection, self._id, whole, time.time())
            query = select(examples.c.input_hash).where(examples.c.id.in_(ids))
            return tuple(connection.scalars(query.order_by(examples.c.id)))

    def answers(
        self, split: str | None = None, annotator: str | None = None, *, current: bool = True
    ) -> Iterator[Answer]:
        """Yield answers in the order in which they were stored.

        Parameters
        ----------
        split, annotator : str, optional
            By default all.
        current : bool
            Only the newest of each annotator to each example. Otherwise every
            one that was ever given.
        """
        query = queries.select_answers()
        if annotator is not None:
            query = query.where(answers.c.annotator == annotator)
        if current:
            query = query.where(queries.is_current())
        streams = [
            self._pages(query.where(answers.c.split_id == split_id), answers.c.id)
            for split_id in self._split_ids(split)
        ]
        for row in heapq.merge(*streams, key=lambda row: row.id):
            yield queries.answer_from(row)

    def history(
        self, example: int | str, split: str | None = None
    ) -> list[tuple[float, Answer]] | None:
        """Give every answer to an example, with the time it was stored, oldest first.

        Parameters
        ----------
        example : int or str
            Its input hash, or its text.
        split : str, optional
            By default all in which it is.

        Returns
        -------
        list of (float, Answer), or None
            None where there is no such example.
        """
        known = (
            examples.c.input_hash == example
            if isinstance(example, int)
            else examples.c.digest == text_digest(example)
        )
        with self._database.reading() as connection:
            ids = [
                id_
                for one in self._names(connection, split)
                for id_ in connection.scalars(
                    select(examples.c.id).where(queries.in_split(self._id, one), known)
                )
            ]
            query = queries.select_answers().where(answers.c.example_id.in_(ids))
            found = connection.execute(query.order_by(answers.c.id)).all()
        if not ids:
            return None
        return [(row.stored or row.created, queries.answer_from(row)) for row in found]

    def at(self, moment: float) -> DatasetSnapshot:
        """Give the dataset as it was; seconds since the epoch, UTC."""
        return DatasetSnapshot(moment, self._database, self._id)

    # Counts and runs.

    def counts(self, split: str | None = None) -> Counts:
        """Count the examples of a split, or of all, by the answer that stands."""
        query = select(splits).where(splits.c.dataset_id == self._id)
        if split is not None:
            query = query.where(splits.c.name == split)
        with self._database.reading() as connection:
            return queries.counts_from(connection.execute(query))

    def splits(self) -> dict[str, int]:
        """Give each split's number of examples."""
        query = select(splits).where(splits.c.dataset_id == self._id).order_by(splits.c.id)
        with self._database.reading() as connection:
            return {row.name: row.total for row in connection.execute(query)}

    def add_run(self, run: Mapping[str, Any]) -> None:
        """Keep the record of a trained model.

        Parameters
        ----------
        run : mapping
            ``id``, ``created`` (seconds since the epoch), ``path``,
            ``fingerprint`` and ``record`` (anything that JSON can hold).

        Raises
        ------
        DataError
            A key is missing.
        """
        with self._database.writing() as connection:
            model_runs.add_run(connection, self._id, run)

    def runs(self) -> list[dict[str, Any]]:
        """Give the records of the trained models, the oldest first."""
        with self._database.reading() as connection:
            return model_runs.list_runs(connection, self._id)

    # How the tables are asked.

    def _labels(self, connection: Connection) -> tuple[str, ...]:
        query = select(datasets.c.labels).where(datasets.c.id == self._id)
        return load_labels(str(connection.scalar(query)))

    def _set_labels(self, connection: Connection, labels: tuple[str, ...]) -> None:
        connection.execute(
            update(datasets).where(datasets.c.id == self._id).values(labels=dump_labels(labels))
        )

    def _split_id(self, connection: Connection, name: str) -> int:
        """Give a split's id, making the split if it is new, and keep others out of it."""
        query = select(splits.c.id).where(splits.c.dataset_id == self._id, splits.c.name == name)
        found = connection.scalar(query.with_for_update())
        if found is None:
            events.insert_if_new(connection, splits, {"dataset_id": self._id, "name": name})
            found = connection.scalar(query.with_for_update())
        assert found is not None  # noqa: S101 - for the type checker: found or made
        return int(found)

    def _names(self, connection: Connection, split: str | None) -> list[str]:
        if split is not None:
            return [split]
        return list(
            connection.scalars(select(splits.c.name).where(splits.c.dataset_id == self._id))
        )

    def _split_ids(self, name: str | None) -> list[int]:
        query = select(splits.c.id).where(splits.c.dataset_id == self._id)
        if name is not None:
            query = query.where(splits.c.name == name)
        with self._database.reading() as connection:
            return list(connection.scalars(query))

    def _pages(self, query: Select[Any], key: ColumnElement[int]) -> Iterator[queries.ResultRow]:
        """Read page by page, up to what was there at the start."""
        numbered = query.add_columns(key.label("page_key"))
        newest = select(func.max(key))
        with self._database.reading() as connection:
            end = connection.scalar(newest) or 0
        last = 0
        while last < end:
            page = numbered.where(key > last, key <= end).order_by(key).limit(_PAGE)
            with self._database.reading() as connection:
                rows = connection.execute(page).all()
            yield from rows
            last = rows[-1].page_key if len(rows) == _PAGE else end
