"""One dataset of a store: adding, finding and exporting examples and answers."""

from __future__ import annotations

import heapq
import logging
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from itertools import chain
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, insert, select, update

from nbner._common.filters import ExampleFilter, ExamplePage
from nbner._common.guidelines import VERSION_KEY
from nbner._common.hashing import text_digest
from nbner._common.serialization import dump_json, dump_labels, load_json, load_labels
from nbner.errors import DataError
from nbner.io.import_report import ImportBatch, ImportReport
from nbner.store import clock, model_runs, queries, relabel, search, undo
from nbner.store.answers import (
    ensure_label_set,
    has_work,
    insert_if_new,
    lock_splits,
    record_answer,
)
from nbner.store.assignments import Assignments
from nbner.store.bulk_insert import buffered_to_disk, insert_batches
from nbner.store.database import Database
from nbner.store.row_buffer import RowBuffer
from nbner.store.schema import (
    annotator_answers,
    answers,
    datasets,
    example_answers,
    examples,
    settings,
    splits,
)
from nbner.store.settings import DatasetSettings, select_latest
from nbner.store.snapshot import DatasetSnapshot
from nbner.types import Answer, AnswerKind, Counts, Example

_LOG = logging.getLogger(__name__)

#: Setting with the former names of labels.
RENAMED_SETTING = "renamed labels"

_PAGE_SIZE = 1000
_SEARCH_PAGE_SIZE = 100
# Name of the column by which pages are cut.
_PAGE_KEY = "page_key"


class Dataset:
    """Examples in splits, with every answer to them.

    Created by ``Store.dataset``. Every method is one transaction and may be
    called from any thread. Iterators too read in one transaction, before their
    first item; what does not fit into memory waits in a temporary file.

    Parameters
    ----------
    database : Database
        The store's connections.
    id_ : int
        Row id of the dataset.
    name : str
        Name of the dataset.
    """

    def __init__(self, database: Database, id_: int, name: str) -> None:
        self.name = name
        # Entries of every answer's `extra`, shared by views of the dataset in another order.
        self._answer_defaults: dict[str, Any] = {}
        self._database = database
        self._id = id_

    def __repr__(self) -> str:
        return f"Dataset({self.name!r})"

    @property
    def settings(self) -> DatasetSettings:
        """The dataset's settings, with their history."""
        return DatasetSettings(self._database, self._id)

    @property
    def assignments(self) -> Assignments:
        """The dataset's examples and answers by annotator."""
        return Assignments(self._database, self._id)

    @property
    def answer_version(self) -> str:
        """Version of the guideline that answers are given under; empty without one.

        Every answer that is recorded keeps it, unless it brings one.
        """
        return str(self._answer_defaults.get(VERSION_KEY, ""))

    @answer_version.setter
    def answer_version(self, version: str) -> None:
        if version:
            self._answer_defaults[VERSION_KEY] = version
        else:
            self._answer_defaults.pop(VERSION_KEY, None)

    def one_state(self) -> AbstractContextManager[None]:
        """Have everything that this thread reads in the block see one state of the dataset.

        For calls that read twice, while others write. Nothing can be written in the
        block, and no process be forked.
        """
        return self._database.one_state()

    # Labels.

    @property
    def labels(self) -> tuple[str, ...]:
        """The allowed labels, in their order."""
        with self._database.reading() as connection:
            return self._labels(connection)

    def set_labels(self, labels: Iterable[str]) -> None:
        """Replace the allowed labels.

        Parameters
        ----------
        labels : iterable of str
            All labels, in their order.
        """
        new = tuple(labels)
        # A store that cannot be written is opened with the labels that it has.
        if new == self.labels:
            return
        with self._database.writing() as connection:
            before = self._labels(connection)
            self._set_labels(connection, new)
            after = self._labels(connection)
        self._log_labels(before, after)

    @property
    def renamed_labels(self) -> dict[str, str]:
        """Former names of labels with their present ones; none that is a label again."""
        with self._database.reading() as connection:
            return self._renamed(connection, self._labels(connection))

    def count_relabelled(self, mapping: Mapping[str, str]) -> relabel.RelabelCounts:
        """Count the spans, examples and answers that a change of labels would touch.

        Parameters
        ----------
        mapping : mapping
            Old name to new name.
        """
        with self._database.reading() as connection:
            merges = not set(self._labels(connection)).isdisjoint(mapping.values())
            return relabel.count_relabelled(connection, self._id, mapping, merges=merges)

    def relabel(self, old: str, new: str, batch_id: str, *, merges: bool) -> relabel.RelabelCounts:
        """Rename a label, or merge it into another one, in one transaction.

        Every current answer and draft of every annotator becomes a new event with
        the new name. What arrives later under the old name is stored under the new
        one, as from a session that was open meanwhile.

        Parameters
        ----------
        old, new : str
            The names.
        batch_id : str
            Prefix of the new events' ids, for `undo_batch`.
        merges : bool
            Whether the new name is that of a label already.

        Raises
        ------
        DataError
            There is no such label any more, or the new one is there, or is not.
        StoreError
            The store cannot be written now.
        """
        with self._database.writing() as connection:
            before = self._labels(connection, lock=True)
            _check_relabel(before, old, new, merges=merges)
            lock_splits(connection, self._id, self._split_names(connection, None))
            counts = relabel.relabel(
                connection, self._id, {old: new}, batch_id, clock.now(connection), merges=merges
            )
            after = tuple(dict.fromkeys(new if one == old else one for one in before))
            if merges:
                after = tuple(one for one in before if one != old)
            renamed = self._renamed(connection, before)
            renamed = {name: new if now == old else now for name, now in renamed.items()}
            self._set_renamed(connection, {**renamed, old: new})
            self._set_labels(connection, after)
        self._log_labels(before, after)
        return counts

    def restore_label(self, batch_id: str, labels: Iterable[str]) -> int:
        """Undo a merge: its answers, except where newer ones follow, and the list of labels.

        Parameters
        ----------
        batch_id : str
            That of `relabel`.
        labels : iterable of str
            The labels before the merge.

        Returns
        -------
        int
            Number of answers that were undone.
        """
        done = self.undo_batch(batch_id)
        with self._database.writing() as connection:
            before = self._labels(connection, lock=True)
            after = tuple(dict.fromkeys((*labels, *before)))
            self._set_labels(connection, after)
        self._log_labels(before, after)
        return len(done)

    # Import.

    def add(self, batch: ImportBatch) -> ImportReport:
        """Add checked rows to their split: all of them, or none after an error.

        Labels that the dataset does not have yet are added to its list, and a split
        that it does not have is made with its first row.

        Parameters
        ----------
        batch : ImportBatch
            From ``prepare_rows``. Read to its end before anything is locked.

        Raises
        ------
        DataError
            A row is invalid.
        StoreError
            The store cannot be written.
        """
        with buffered_to_disk(batch) as batches, self._database.writing() as connection:
            first = next(batches, None)
            if first is None:  # no row at all makes no split
                return batch.report(added=0, answered=0)
            before = self._labels(connection)
            labels = tuple(dict.fromkeys((*before, *batch.labels)))
            if labels != before:
                self._set_labels(connection, labels)
            split_id = self._ensure_split(connection, batch.split)
            label_set_id = ensure_label_set(connection, labels)
            result = insert_batches(connection, split_id, label_set_id, chain([first], batches))
        self._log_labels(before, labels)
        for duplicate in result.duplicates:
            batch.add_issue(duplicate)
        return batch.report(added=result.added, answered=result.answered, replaced=result.replaced)

    # Examples.

    def find(self, input_hash: int, split: str) -> Example | None:
        """Find one example, with the answer that is shown; None where there is none.

        Parameters
        ----------
        input_hash : int
            Hash of the example's text.
        split : str
            Name of the split.
        """
        query = queries.select_examples().where(
            queries.in_split(self._id, split), examples.c.input_hash == input_hash
        )
        with self._database.reading() as connection:
            found = connection.execute(query).first()
        return None if found is None else queries.example_from(found)

    def next_unanswered(
        self, split: str, limit: int, exclude: Collection[int] = (), after: int | None = None
    ) -> list[Example]:
        """Return the next examples without a decision, in the order of addition.

        Parameters
        ----------
        split : str
            Name of the split.
        limit : int
            Maximum number of examples.
        exclude : collection of int
            Input hashes to leave out.
        after : int, optional
            Only examples that were added after the one with this input hash.
        """
        split_id = queries.split_id_subquery(self._id, split)
        ids = (
            select(example_answers.c.example_id, examples.c.input_hash)
            .join(examples, examples.c.id == example_answers.c.example_id)
            .where(
                example_answers.c.split_id == split_id,
                example_answers.c.answer.is_(None),
            )
            .order_by(example_answers.c.example_id)
            .limit(max(limit, 0) + len(exclude))
        )
        if after is not None:
            last = queries.example_id_subquery(self._id, split, after)
            ids = ids.where(example_answers.c.example_id > last)
        excluded = set(exclude)
        with self._database.reading() as connection:
            wanted = [
                row.example_id for row in connection.execute(ids) if row.input_hash not in excluded
            ][: max(limit, 0)]
            query = queries.select_examples().where(examples.c.id.in_(wanted))
            found = connection.execute(query.order_by(examples.c.id)).all()
        return [queries.example_from(row) for row in found]

    def recent(
        self, split: str, annotator: str, limit: int, *, before: int | None = None
    ) -> list[Example]:
        """Return the examples that an annotator answered last, newest first.

        Parameters
        ----------
        split, annotator : str
            Names of the split and of the annotator.
        limit : int
            Maximum number of examples.
        before : int, optional
            Only examples that were answered before the one with this input
            hash; one without an answer of this annotator counts as the newest.

        Returns
        -------
        list of Example
            With this annotator's own answers.
        """
        own = (
            annotator_answers.c.split_id == queries.split_id_subquery(self._id, split),
            annotator_answers.c.annotator == annotator,
        )
        query = (
            queries.select_annotated_examples()
            .where(*own, annotator_answers.c.answer.is_not(None))
            .order_by(annotator_answers.c.answer_id.desc())
            .limit(max(limit, 0))
        )
        with self._database.reading() as connection:
            if before is not None:
                example_id = queries.example_id_subquery(self._id, split, before)
                newest = select(annotator_answers.c.answer_id).where(
                    *own, annotator_answers.c.example_id == example_id
                )
                last = connection.scalar(newest)
                if last is not None:
                    query = query.where(annotator_answers.c.answer_id < last)
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
            Name of the split; by default all.
        answer : {"accept", "reject", "ignore"}, optional
            Only examples with this decision. Answers to binary tasks are
            included: see ``Example.binary``.
        answered : bool, optional
            Only examples with a decision, or only those without.
        """
        query = queries.select_examples()
        # For either condition the other table has an index that holds the wanted rows together.
        split_id, key = examples.c.split_id, examples.c.id
        if answer is not None or answered is False:
            split_id, key = example_answers.c.split_id, example_answers.c.example_id
        if answer is not None:
            query = query.where(example_answers.c.answer == answer)
        if answered is not None:
            is_open = example_answers.c.answer.is_(None)
            query = query.where(~is_open if answered else is_open)
        for row in self._rows(query, split, split_id, key):
            yield queries.example_from(row)

    def list_examples(
        self, split: str, wanted: ExampleFilter, offset: int, limit: int
    ) -> ExamplePage:
        """Return one page of a split's examples that match a filter.

        Parameters
        ----------
        split : str
            Name of the split.
        wanted : ExampleFilter
            The conditions.
        offset, limit : int
            Matching examples before the page, and on it.
        """
        with self._database.reading() as connection:
            split_id = connection.scalar(select(queries.split_id_subquery(self._id, split)))
            if split_id is None:
                return ExamplePage()
            return search.list_examples(connection, split_id, wanted, max(offset, 0), max(limit, 0))

    def search_text(self, split: str, words: Collection[str], *, cased: bool) -> Iterator[Example]:
        """Yield undecided examples whose text contains all words, in the order of addition.

        Parameters
        ----------
        split : str
            Name of the split.
        words : collection of str
            Substrings: they are also found inside of other words.
        cased : bool
            Whether case matters.
        """
        with self._database.reading() as connection:
            split_ids = self._split_ids(connection, split)
        last = 0
        for split_id in split_ids:
            while True:
                page = search.select_by_text(
                    split_id, words, cased=cased, after=last, limit=_SEARCH_PAGE_SIZE
                )
                with self._database.reading() as connection:
                    rows = connection.execute(page).all()
                yield from map(queries.example_from, rows)
                if len(rows) < _SEARCH_PAGE_SIZE:
                    break
                last = rows[-1].id

    # Answers.

    def record(self, answer: Answer) -> bool:
        """Store an answer, durably when this returns.

        Parameters
        ----------
        answer : Answer
            An answer or a draft.

        Returns
        -------
        bool
            False if an answer with this id was stored before.

        Raises
        ------
        DataError
            There is no such example, or the answer is invalid.
        StoreError
            The store cannot be written now.
        """
        return self.record_many([answer]) == 1

    def record_many(self, given: Iterable[Answer], *, only_untouched: bool = False) -> int:
        """Store answers in one transaction.

        Parameters
        ----------
        given : iterable of Answer
            Answers or drafts.
        only_untouched : bool
            Leave out the answers to examples that somebody has answered or has a
            draft of, also where that happens at the same time.

        Returns
        -------
        int
            Number of answers that were new.

        Raises
        ------
        DataError
            One of them is invalid; none is stored then.
        StoreError
            The store cannot be written now.
        """
        collected = [self._with_defaults(one) for one in given]
        with self._database.writing() as connection:
            lock_splits(connection, self._id, {answer.split for answer in collected})
            stored = clock.now(connection)
            collected = self._under_present_names(connection, collected)
            new = [
                one
                for one in collected
                if not (only_untouched and has_work(connection, self._id, one))
                and record_answer(connection, self._id, one, stored=stored)
            ]
        for answer in new:
            _LOG.debug(
                "stored answer %s of %s to %s in split %r of %r: %s",
                *(answer.id, answer.annotator, answer.input_hash),
                *(answer.split, self.name, answer.answer),
            )
        return len(new)

    def undo_batch(self, batch_id: str) -> tuple[int, ...]:
        """Undo answers that were given as one batch, except where a newer answer follows.

        Parameters
        ----------
        batch_id : str
            Prefix of the answers' ids; see ``batch_answer_id``.

        Returns
        -------
        tuple of int
            Input hashes of the examples whose answers were undone.
        """
        with self._database.writing() as connection:
            lock_splits(connection, self._id, self._split_names(connection, None))
            ids = undo.undo_batch(connection, self._id, batch_id, clock.now(connection))
            query = select(examples.c.input_hash).where(examples.c.id.in_(ids))
            return tuple(connection.scalars(query.order_by(examples.c.id)))

    def answers(
        self, split: str | None = None, annotator: str | None = None, *, current: bool = True
    ) -> Iterator[Answer]:
        """Yield answers in the order in which they were stored.

        Parameters
        ----------
        split, annotator : str, optional
            Names of the split and of the annotator; by default all.
        current : bool
            Only the newest answer of each annotator to each example; otherwise
            every answer that was ever stored.
        """
        query = queries.select_answers()
        if annotator is not None:
            query = query.where(answers.c.annotator == annotator)
        if current:
            query = query.where(queries.is_current())
        for row in self._rows(query, split, answers.c.split_id, answers.c.id):
            yield queries.answer_from(row)

    def extras_with(self, key: str, split: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
        """Yield the ``extra`` of every answer that was ever stored and has a key in it.

        What is true of an example whoever answers it, such as how it was chosen, is
        said by the answer of that time, and not by those that followed.

        Parameters
        ----------
        key : str
            A key of ``extra``, or of a mapping inside of it.
        split : str
            Name of the split.

        Yields
        ------
        (int, mapping)
            Input hash of the example, and the answer's ``extra``; oldest first.
        """
        query = select(examples.c.input_hash, answers.c.extra).select_from(
            answers.join(examples, answers.c.example_id == examples.c.id)
        )
        # How a key begins in serialized JSON; see `dump_json`.
        query = query.where(answers.c.extra.contains(f'"{key}":', autoescape=True))
        for row in self._rows(query, split, answers.c.split_id, answers.c.id):
            yield row.input_hash, load_json(row.extra)

    def history(
        self, example: int | str, split: str | None = None
    ) -> list[tuple[float, Answer]] | None:
        """Return every answer to an example with the time of its storage, oldest first.

        Parameters
        ----------
        example : int or str
            The example's input hash, or its text.
        split : str, optional
            Name of the split; by default all that hold the example.

        Returns
        -------
        list of (float, Answer), or None
            Times in seconds since the epoch; None where there is no such example.
        """
        matches = (
            examples.c.input_hash == example
            if isinstance(example, int)
            else examples.c.digest == text_digest(example)
        )
        with self._database.reading() as connection:
            ids = [
                id_
                for name in self._split_names(connection, split)
                for id_ in connection.scalars(
                    select(examples.c.id).where(queries.in_split(self._id, name), matches)
                )
            ]
            query = queries.select_answers().where(answers.c.example_id.in_(ids))
            found = connection.execute(query.order_by(answers.c.id)).all()
        if not ids:
            return None
        return [(row.stored or row.created, queries.answer_from(row)) for row in found]

    def at(self, moment: float) -> DatasetSnapshot:
        """Return a read-only view of the dataset at an earlier time.

        Parameters
        ----------
        moment : float
            Seconds since the epoch, UTC.

        Raises
        ------
        DataError
            This is not a time.
        """
        return DatasetSnapshot(clock.check_time(moment, "time"), self._database, self._id)

    # Counts and model runs.

    def counts(self, split: str | None = None) -> Counts:
        """Count examples by the answer that is shown.

        Parameters
        ----------
        split : str, optional
            Name of the split; by default all.
        """
        query = select(splits).where(splits.c.dataset_id == self._id)
        if split is not None:
            query = query.where(splits.c.name == split)
        with self._database.reading() as connection:
            return queries.counts_from(connection.execute(query))

    def count_other_answers(self, split: str | None = None) -> int:
        """Count the current decisions that are not shown, since another annotator's is newer.

        Parameters
        ----------
        split : str, optional
            Name of the split; by default all.
        """
        with self._database.reading() as connection:
            ids = [
                id_
                for name in self._split_names(connection, split)
                for id_ in self._split_ids(connection, name)
            ]
            every, shown = (
                connection.scalar(
                    select(func.count())
                    .select_from(table)
                    .where(table.c.split_id.in_(ids), table.c.answer.is_not(None))
                )
                for table in (annotator_answers, example_answers)
            )
        return int(every or 0) - int(shown or 0)

    def splits(self) -> dict[str, int]:
        """Return the number of examples of each split, by its name."""
        query = select(splits).where(splits.c.dataset_id == self._id).order_by(splits.c.id)
        with self._database.reading() as connection:
            return {row.name: row.total for row in connection.execute(query)}

    def add_run(self, run: Mapping[str, Any]) -> None:
        """Store the record of a training run.

        Parameters
        ----------
        run : mapping
            ``id``, ``created`` (seconds since the epoch), ``path``,
            ``fingerprint`` and ``record`` (a JSON value).

        Raises
        ------
        DataError
            A key is missing, or the record is not a JSON value.
        """
        with self._database.writing() as connection:
            model_runs.add_run(connection, self._id, run)

    def set_run_record(
        self, run_id: str, record: Mapping[str, Any], *, fingerprint: str | None = None
    ) -> None:
        """Replace the record of a training run.

        Parameters
        ----------
        run_id : str
            Id of the run.
        record : mapping
            As JSON can hold it.
        fingerprint : str, optional
            That of the model, where it has changed.

        Raises
        ------
        DataError
            The record is not a JSON value.
        """
        with self._database.writing() as connection:
            model_runs.set_run_record(connection, self._id, run_id, record, fingerprint=fingerprint)

    def runs(self, *, without: Collection[str] = ()) -> list[dict[str, Any]]:
        """Return the records of the training runs, oldest first.

        Parameters
        ----------
        without : collection of str
            Ids of runs to leave out, whose records are known.
        """
        with self._database.reading() as connection:
            return model_runs.list_runs(connection, self._id, without=without)

    def _with_defaults(self, answer: Answer) -> Answer:
        if not self._answer_defaults:
            return answer
        return replace(answer, extra={**self._answer_defaults, **answer.extra})

    def _renamed(self, connection: Connection, labels: Collection[str]) -> dict[str, str]:
        found = connection.scalar(select_latest(self._id, RENAMED_SETTING))
        renamed = {} if found is None else load_json(found)
        return {old: new for old, new in renamed.items() if old not in labels}

    def _set_renamed(self, connection: Connection, renamed: Mapping[str, str]) -> None:
        kept = {old: new for old, new in renamed.items() if old != new}
        connection.execute(
            insert(settings).values(
                dataset_id=self._id,
                name=RENAMED_SETTING,
                value=dump_json(kept),
                created=clock.now(connection),
            )
        )

    def _under_present_names(self, connection: Connection, given: list[Answer]) -> list[Answer]:
        """Return answers with labels that were renamed while a session was open."""
        if connection.scalar(select_latest(self._id, RENAMED_SETTING)) is None:
            return given
        renamed = self._renamed(connection, self._labels(connection))
        return [
            replace(
                one,
                spans=relabel.relabelled(one.spans, renamed),
                labels=tuple(dict.fromkeys(renamed.get(label, label) for label in one.labels)),
                extra=relabel.relabelled_extra(one.extra, renamed),
            )
            for one in given
        ]

    def _labels(self, connection: Connection, *, lock: bool = False) -> tuple[str, ...]:
        query = select(datasets.c.labels).where(datasets.c.id == self._id)
        if lock:
            query = query.with_for_update()
        return load_labels(str(connection.scalar(query)))

    def _log_labels(self, before: tuple[str, ...], after: tuple[str, ...]) -> None:
        if after != before:
            _LOG.debug("labels of %r: %s, before %s", self.name, list(after), list(before))

    def _set_labels(self, connection: Connection, labels: tuple[str, ...]) -> None:
        connection.execute(
            update(datasets).where(datasets.c.id == self._id).values(labels=dump_labels(labels))
        )

    def _ensure_split(self, connection: Connection, name: str) -> int:
        """Return a split's row id, inserting the split if it is new, and lock its row."""
        query = select(splits.c.id).where(splits.c.dataset_id == self._id, splits.c.name == name)
        found = connection.scalar(query.with_for_update())
        if found is None:
            insert_if_new(connection, splits, {"dataset_id": self._id, "name": name})
            found = connection.scalar(query.with_for_update())
        assert found is not None  # noqa: S101 - for the type checker: found or inserted
        return int(found)

    def _split_names(self, connection: Connection, split: str | None) -> list[str]:
        if split is not None:
            return [split]
        return list(
            connection.scalars(select(splits.c.name).where(splits.c.dataset_id == self._id))
        )

    def _split_ids(self, connection: Connection, name: str | None) -> list[int]:
        query = select(splits.c.id).where(splits.c.dataset_id == self._id)
        if name is not None:
            query = query.where(splits.c.name == name)
        return list(connection.scalars(query))

    def _rows(
        self,
        query: Select[Any],
        split: str | None,
        split_id: ColumnElement[int],
        key: ColumnElement[int],
    ) -> Iterator[queries.ResultRow]:
        """Yield rows by their key, all of them from one state of the store."""
        with_key = query.add_columns(key.label(_PAGE_KEY))
        with RowBuffer(with_key.selected_columns.keys()) as buffer:
            with self._database.reading() as connection:
                streams = [
                    _pages(connection, with_key.where(split_id == wanted), key)
                    for wanted in self._split_ids(connection, split)
                ]
                is_one = len(streams) == 1
                buffer.fill(streams[0] if is_one else heapq.merge(*streams, key=_page_key))
            yield from buffer


def _page_key(row: Any) -> int:
    return int(row.page_key)


def _pages(
    connection: Connection, query: Select[Any], key: ColumnElement[int]
) -> Iterator[queries.ResultRow]:
    """Yield rows in the order of their key, which is an index, page by page."""
    page = query.order_by(key).limit(_PAGE_SIZE)
    last = 0
    while True:
        rows = connection.execute(page.where(key > last)).all()
        yield from rows
        if len(rows) < _PAGE_SIZE:
            return
        last = rows[-1].page_key


def _check_relabel(labels: tuple[str, ...], old: str, new: str, *, merges: bool) -> None:
    """Raise where the labels have changed so that a renaming or a merge is not one any more."""
    has = f"the labels are {', '.join(labels)}"
    if old not in labels:
        raise DataError(
            f"{old!r} is not a label of the dataset, or no longer: {has}",
            field="label",
            remedy="Another session may have renamed it",
        )
    if merges and new not in labels:
        raise DataError(
            f"{new!r} is not a label of the dataset, or no longer: {has}",
            field="into",
            remedy=f"session.labels.rename({old!r}, {new!r}) renames it",
        )
    if not merges and new in labels:
        raise DataError(
            f"{new!r} is a label already: {has}",
            field="new",
            remedy=f"session.labels.merge({old!r}, {new!r}) makes them one",
        )
