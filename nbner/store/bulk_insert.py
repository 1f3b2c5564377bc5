"""Bulk insertion of imported rows in one transaction."""

from __future__ import annotations

import logging
import pickle
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from operator import itemgetter
from tempfile import SpooledTemporaryFile
from typing import IO, Any, TypeVar

from sqlalchemy import Column, Connection, Table, func, insert, select, text, update

from nbner._common.hashing import input_hash
from nbner._common.serialization import load_json, load_spans
from nbner.errors import StoreError
from nbner.io.import_report import ImportIssue, PreparedAnswer, PreparedRow
from nbner.store.answers import insert_event
from nbner.store.clock import now
from nbner.store.schema import annotator_answers, answers, example_answers, examples, splits
from nbner.types import ANSWER_KINDS

_LOG = logging.getLogger(__name__)

_T = TypeVar("_T")

_BATCH = 1000
_MAX_IN_MEMORY = 32 * 2**20  # bytes


@dataclass(slots=True)
class InsertResult:
    """Counts of what a bulk insertion did.

    Parameters
    ----------
    added : int
        New examples.
    answered : int
        New answers.
    replaced : int
        New answers that are shown in place of another one.
    duplicates : list of ImportIssue
        Rows whose text the split held already.
    """

    added: int = 0
    answered: int = 0
    replaced: int = 0
    duplicates: list[ImportIssue] = field(default_factory=list)


@contextmanager
def buffered_to_disk(stream: Iterable[_T]) -> Iterator[Iterator[list[_T]]]:
    """Read a stream to its end, and yield an iterator over its items in batches.

    A store is locked while it is written. Rows are read and checked before,
    however long that takes, and wait in memory while they are few and in a
    temporary file otherwise.

    Parameters
    ----------
    stream : iterable
        Items that can be pickled.

    Raises
    ------
    StoreError
        There is no space for a temporary file.
    """
    with SpooledTemporaryFile(max_size=_MAX_IN_MEMORY) as file:
        items = iter(stream)
        while batch := list(islice(items, _BATCH)):
            _dump_batch(batch, file)
        end = file.tell()
        file.seek(0)

        def batches() -> Iterator[list[_T]]:
            while file.tell() < end:
                yield pickle.load(file)  # noqa: S301 - written above, by this very call

        yield batches()


def _dump_batch(batch: list[_T], file: IO[bytes]) -> None:
    try:
        pickle.dump(batch, file, pickle.HIGHEST_PROTOCOL)
    except OSError as error:
        msg = f"no room to put rows aside: {error.strerror}. Set TMPDIR to a larger disk."
        raise StoreError(msg) from error


def insert_batches(
    connection: Connection,
    split_id: int,
    label_set_id: int,
    batches: Iterable[Sequence[PreparedRow]],
) -> InsertResult:
    """Insert rows into a split; of rows with a known text only the answers.

    Parameters
    ----------
    connection : Connection
        With a write transaction.
    split_id : int
        Row id of the split.
    label_set_id : int
        Row id of the labels that are allowed now.
    batches : iterable of sequence of PreparedRow
        The rows, in batches of about a thousand.
    """
    if connection.dialect.name != "sqlite":
        connection.exec_driver_sql("SET LOCAL plan_cache_mode = force_custom_plan")
    inserter = _BulkInserter(connection, split_id, label_set_id)
    for batch in batches:
        inserter.insert(batch)
    result = inserter.result
    _LOG.debug("inserted %d examples and %d answers", result.added, result.answered)
    return result


class _BulkInserter:
    """State of one call of ``insert_batches``."""

    def __init__(self, connection: Connection, split_id: int, label_set_id: int) -> None:
        self.result = InsertResult()
        self._connection = connection
        self._split_id = split_id
        self._label_set_id = label_set_id
        self._now = now(connection)
        self._next_analysis = 1000  # inserted rows

    def insert(self, batch: Sequence[PreparedRow]) -> None:
        self._analyze_tables()
        known = self._known_ids(batch)
        new: dict[bytes, PreparedRow] = {}
        repeated = []
        for row in batch:
            if row.digest in known or row.digest in new:
                repeated.append(row)
            else:
                new[row.digest] = row
        if new:
            self._insert_examples(list(new.values()))
        # Only answers need the ids of the examples that were inserted just now.
        unknown = [row for row in repeated if row.answer and row.digest not in known]
        known |= self._known_ids(unknown)
        for row in repeated:
            self._insert_repeated(row, known.get(row.digest, 0))

    def _analyze_tables(self) -> None:
        """Update a server's table statistics whenever the number of rows has doubled.

        Otherwise it would plan for the tables as they were before this
        transaction, perhaps empty, and scan them from end to end for each batch.
        """
        is_due = self.result.added >= self._next_analysis
        if self._connection.dialect.name == "sqlite" or not is_due:
            return
        self._next_analysis = 2 * self.result.added
        for table in (examples, answers, annotator_answers, example_answers):
            self._connection.exec_driver_sql(f"ANALYZE {table.name}")

    def _known_ids(self, batch: Sequence[PreparedRow]) -> dict[bytes, int]:
        """Return the row ids of the examples that have these texts already, by digest."""
        if not batch:
            return {}
        columns = (examples.c.digest, examples.c.id)
        found = self._select_in(columns, examples.c.digest, [row.digest for row in batch])
        return {bytes(digest): id_ for digest, id_ in found}

    def _insert_examples(self, rows: Sequence[PreparedRow]) -> None:
        """Insert new texts with their answers."""
        hashes = self._unique_hashes(rows)
        last_example, last_answer = self._max_id(examples), self._max_id(answers)
        values = [self._example(row, hash_) for row, hash_ in zip(rows, hashes, strict=True)]
        self._insert(examples, values)
        answered = [row for row in rows if row.answer is not None]
        if answered:
            self._insert_answers(answered, last_example)
        self._insert_derived_rows(last_example, last_answer)
        self._update_counts(len(rows), answered)

    def _insert_answers(self, rows: Sequence[PreparedRow], last_example: int) -> None:
        found = self._connection.execute(
            select(examples.c.digest, examples.c.id).where(
                examples.c.split_id == self._split_id, examples.c.id > last_example
            )
        )
        ids = {bytes(digest): id_ for digest, id_ in found}
        events = [self._event(row.answer, ids[row.digest]) for row in rows if row.answer]
        self._insert(answers, events)

    def _insert(self, table: Table, rows: list[dict[str, Any]]) -> None:
        if self._connection.dialect.name != "sqlite":
            self._connection.execute(insert(table), rows)
            return
        # Without SQLAlchemy's processing of each row, which takes as long as the insertion.
        compiled = insert(table).compile(dialect=self._connection.dialect, column_keys=rows[0])
        values = itemgetter(*compiled.positiontup or ())
        self._connection.exec_driver_sql(str(compiled), [values(row) for row in rows])

    def _insert_derived_rows(self, last_example: int, last_answer: int) -> None:
        """Derive rows from new examples and their answers, at most one for each example."""
        answer = answers.c.id, answers.c.answer
        self._connection.execute(
            insert(annotator_answers).from_select(
                ["example_id", "annotator", "split_id", "answer_id", "answer"],
                select(
                    answers.c.example_id, answers.c.annotator, answers.c.split_id, *answer
                ).where(answers.c.split_id == self._split_id, answers.c.id > last_answer),
            )
        )
        self._connection.execute(
            insert(example_answers).from_select(
                ["example_id", "split_id", "answer_id", "answer"],
                select(examples.c.id, examples.c.split_id, *answer)
                .outerjoin(answers, answers.c.example_id == examples.c.id)
                .where(examples.c.split_id == self._split_id, examples.c.id > last_example),
            )
        )

    def _unique_hashes(self, rows: Sequence[PreparedRow]) -> list[int]:
        """Return each row's input hash, or its next one where another text has it already."""
        taken = self._taken_hashes({row.input_hash for row in rows})
        hashes = []
        for row in rows:
            hash_, attempt = row.input_hash, 0
            while hash_ in taken:
                attempt += 1
                hash_ = input_hash(row.text, attempt=attempt)
                taken |= self._taken_hashes({hash_})
            taken.add(hash_)
            hashes.append(hash_)
        return hashes

    def _taken_hashes(self, hashes: set[int]) -> set[int]:
        column = examples.c.input_hash
        return {row[0] for row in self._select_in((column,), column, list(hashes))}

    def _select_in(
        self, columns: tuple[Column[Any], ...], column: Column[Any], values: list[Any]
    ) -> Iterable[Any]:
        """Select the split's examples of which a column has one of some values."""
        query = select(*columns).where(examples.c.split_id == self._split_id)
        if self._connection.dialect.name != "sqlite":
            return self._connection.execute(query.where(column.in_(values)))
        # Without SQLAlchemy's naming of each of a thousand parameters.
        placeholders = ", ".join("?" * len(values))
        compiled = query.where(text(f"{column.name} IN ({placeholders})"))
        sql = str(compiled.compile(dialect=self._connection.dialect))
        return self._connection.exec_driver_sql(sql, (self._split_id, *values))

    def _max_id(self, table: Any) -> int:
        newest = select(func.max(table.c.id)).where(table.c.split_id == self._split_id)
        return int(self._connection.scalar(newest) or 0)

    def _example(self, row: PreparedRow, hash_: int) -> dict[str, Any]:
        return {
            "split_id": self._split_id,
            "input_hash": hash_,
            "digest": row.digest,
            "task_hash": row.task_hash,
            "text": row.text,
            "tokens": row.tokens,
            "spans": row.spans,
            "flagged": row.flagged,
            "note": row.note,
            "meta": row.meta,
            "extra": row.extra,
            "created": self._now,
        }

    def _event(self, answer: PreparedAnswer, example_id: int) -> dict[str, Any]:
        return {
            "uid": answer.id,
            "example_id": example_id,
            "split_id": self._split_id,
            "annotator": answer.annotator,
            "answer": answer.answer,
            "spans": answer.spans,
            "flagged": answer.flagged,
            "note": answer.note,
            "label_set_id": self._label_set_id,
            "created": answer.created,
            "extra": answer.extra,
            "stored": self._now,
        }

    def _update_counts(self, total: int, answered: Sequence[PreparedRow]) -> None:
        self.result.added += total
        self.result.answered += len(answered)
        kinds = Counter(row.answer.answer for row in answered if row.answer)
        more: dict[str, int] = {"total": total, **{kind: kinds[kind] for kind in ANSWER_KINDS}}
        self._connection.execute(
            update(splits)
            .where(splits.c.id == self._split_id)
            .values({name: splits.c[name] + count for name, count in more.items()})
        )

    def _insert_repeated(self, row: PreparedRow, example_id: int) -> None:
        """Insert the answer of a row with a known text, if it is new, and report the row."""
        if row.answer is None:
            reason = "the text is in this split already; the example stays as it is"
        elif self._is_same_answer(row.answer, example_id):
            reason = "the text is in this split already, with the same answer"
        else:
            reason = f"the text is in this split already; {row.answer.annotator!r}'s answer is new"
            replaced = self._replaced_annotator(row.answer, example_id)
            if replaced is not None:
                reason += f" and counts in place of another one of {replaced!r}, which is kept"
                self.result.replaced += 1
            insert_event(self._connection, self._event(row.answer, example_id))
            self.result.answered += 1
        self.result.duplicates.append(row.to_issue("duplicate", reason))

    def _is_same_answer(self, answer: PreparedAnswer, example_id: int) -> bool:
        found = self._connection.execute(
            select(answers.c.answer, answers.c.spans, answers.c.flagged, answers.c.note)
            .join(annotator_answers, annotator_answers.c.answer_id == answers.c.id)
            .where(
                annotator_answers.c.example_id == example_id,
                annotator_answers.c.annotator == answer.annotator,
            )
        ).first()
        return found is not None and (
            found.answer,
            load_spans(found.spans),
            found.flagged,
            found.note,
        ) == (answer.answer, load_spans(answer.spans), answer.flagged, answer.note)

    def _replaced_annotator(self, answer: PreparedAnswer, example_id: int) -> str | None:
        """Return the author of the answer that is shown, if the new one says something else."""
        found = self._connection.execute(
            select(answers.c.answer, answers.c.spans, answers.c.annotator, answers.c.extra)
            .join(example_answers, example_answers.c.answer_id == answers.c.id)
            .where(example_answers.c.example_id == example_id, answers.c.answer.is_not(None))
        ).first()
        if found is None:
            return None
        before, after = (
            (one.answer, load_spans(one.spans), load_json(one.extra).get("binary", False))
            for one in (found, answer)
        )
        return None if before == after else str(found.annotator)
