"""Many rows at once, in one transaction."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

from sqlalchemy import Column, Connection, Table, func, insert, select, text, update

from nbner._common.hashing import input_hash
from nbner._common.serialization import load_spans
from nbner.io.import_report import ImportIssue, PreparedAnswer, PreparedRow
from nbner.store.answers import insert_event
from nbner.store.schema import answers, current, examples, splits, standing
from nbner.types import ANSWER_KINDS


@dataclass(slots=True)
class InsertResult:
    """What became of the rows."""

    added: int = 0
    answered: int = 0
    duplicates: list[ImportIssue] = field(default_factory=list)


def insert_batches(
    connection: Connection,
    split_id: int,
    label_set_id: int,
    batches: Iterable[Sequence[PreparedRow]],
) -> InsertResult:
    """Add rows to a split, those with a text that is there already as answers alone."""
    if connection.dialect.name != "sqlite":
        connection.exec_driver_sql("SET LOCAL plan_cache_mode = force_custom_plan")
    adding = _Adding(connection, split_id, label_set_id)
    for batch in batches:
        adding.take(batch)
    return adding.outcome


class _Adding:
    """One call of ``insert_batches``: what it adds to and what has come of it."""

    def __init__(self, connection: Connection, split_id: int, label_set_id: int) -> None:
        self.outcome = InsertResult()
        self._connection = connection
        self._split_id = split_id
        self._label_set_id = label_set_id
        self._now = time.time()
        self._next_look = 1000

    def take(self, batch: Sequence[PreparedRow]) -> None:
        self._let_the_server_look()
        known = self._known(batch)
        new: dict[bytes, PreparedRow] = {}
        repeated = []
        for row in batch:
            if row.digest in known or row.digest in new:
                repeated.append(row)
            else:
                new[row.digest] = row
        if new:
            self._add_examples(list(new.values()))
        # Only answers ask for the ids of what was added just now.
        known |= self._known([row for row in repeated if row.answer and row.digest not in known])
        for row in repeated:
            self._repeat(row, known.get(row.digest, 0))

    def _let_the_server_look(self) -> None:
        """Have a server count its rows anew whenever they have doubled.

        It would otherwise plan for the tables that it knew before this
        transaction, empty ones, say, and read them from end to end for each batch.
        """
        if self._connection.dialect.name == "sqlite" or self.outcome.added < self._next_look:
            return
        self._next_look = 2 * self.outcome.added
        for table in (examples, answers, current, standing):
            self._connection.exec_driver_sql(f"ANALYZE {table.name}")

    def _known(self, batch: Sequence[PreparedRow]) -> dict[bytes, int]:
        """Give the ids of the examples that have these texts already."""
        if not batch:
            return {}
        columns = (examples.c.digest, examples.c.id)
        found = self._among(columns, examples.c.digest, [row.digest for row in batch])
        return {bytes(digest): id_ for digest, id_ in found}

    def _add_examples(self, rows: Sequence[PreparedRow]) -> None:
        """Add new texts with their answers."""
        hashes = self._free_hashes(rows)
        last_example, last_answer = self._newest(examples), self._newest(answers)
        new = [self._example(row, hashed) for row, hashed in zip(rows, hashes, strict=True)]
        self._insert(examples, new)
        answered = [row for row in rows if row.answer is not None]
        if answered:
            self._add_answers(answered, last_example)
        self._follow(last_example, last_answer)
        self._count(len(rows), answered)

    def _add_answers(self, rows: Sequence[PreparedRow], last_example: int) -> None:
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
        # Past SQLAlchemy's handling of each row, which takes as long as the inserting.
        written = insert(table).compile(dialect=self._connection.dialect, column_keys=rows[0])
        values = itemgetter(*written.positiontup or ())
        self._connection.exec_driver_sql(str(written), [values(row) for row in rows])

    def _follow(self, last_example: int, last_answer: int) -> None:
        """Write what follows from new examples and their answers, of which each has at most one."""
        answer = answers.c.id, answers.c.answer
        self._connection.execute(
            insert(current).from_select(
                ["example_id", "annotator", "split_id", "answer_id", "answer"],
                select(
                    answers.c.example_id, answers.c.annotator, answers.c.split_id, *answer
                ).where(answers.c.split_id == self._split_id, answers.c.id > last_answer),
            )
        )
        self._connection.execute(
            insert(standing).from_select(
                ["example_id", "split_id", "answer_id", "answer"],
                select(examples.c.id, examples.c.split_id, *answer)
                .outerjoin(answers, answers.c.example_id == examples.c.id)
                .where(examples.c.split_id == self._split_id, examples.c.id > last_example),
            )
        )

    def _free_hashes(self, rows: Sequence[PreparedRow]) -> list[int]:
        """Give each row its hash, or its next one where another text has it already."""
        taken = self._taken({row.input_hash for row in rows})
        hashes = []
        for row in rows:
            hashed, attempt = row.input_hash, 0
            while hashed in taken:
                attempt += 1
                hashed = input_hash(row.text, attempt=attempt)
                taken |= self._taken({hashed})
            taken.add(hashed)
            hashes.append(hashed)
        return hashes

    def _taken(self, hashes: set[int]) -> set[int]:
        column = examples.c.input_hash
        return {row[0] for row in self._among((column,), column, list(hashes))}

    def _among(
        self, columns: tuple[Column[Any], ...], column: Column[Any], values: list[Any]
    ) -> Iterable[Any]:
        """Ask for the split's examples of which a column has one of these values."""
        query = select(*columns).where(examples.c.split_id == self._split_id)
        if self._connection.dialect.name != "sqlite":
            return self._connection.execute(query.where(column.in_(values)))
        # Past SQLAlchemy, which gives each of a thousand values a name of its own.
        marks = ", ".join("?" * len(values))
        written = query.where(text(f"{column.name} IN ({marks})"))
        sql = str(written.compile(dialect=self._connection.dialect))
        return self._connection.exec_driver_sql(sql, (self._split_id, *values))

    def _newest(self, table: Any) -> int:
        newest = select(func.max(table.c.id)).where(table.c.split_id == self._split_id)
        return int(self._connection.scalar(newest) or 0)

    def _example(self, row: PreparedRow, hashed: int) -> dict[str, Any]:
        return {
            "split_id": self._split_id,
            "input_hash": hashed,
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

    def _count(self, total: int, answered: Sequence[PreparedRow]) -> None:
        self.outcome.added += total
        self.outcome.answered += len(answered)
        kinds = Counter(row.answer.answer for row in answered if row.answer)
        more: dict[str, int] = {"total": total, **{kind: kinds[kind] for kind in ANSWER_KINDS}}
        self._connection.execute(
            update(splits)
            .where(splits.c.id == self._split_id)
            .values({name: splits.c[name] + count for name, count in more.items()})
        )

    def _repeat(self, row: PreparedRow, example_id: int) -> None:
        """Take what a row with a known text says that is not known yet."""
        if row.answer is None:
            reason = "the text is in this split already; the example stays as it is"
        elif self._says_the_same(row.answer, example_id):
            reason = "the text is in this split already, with the same answer"
        else:
            reason = f"the text is in this split already; {row.answer.annotator!r}'s answer is new"
            insert_event(self._connection, self._event(row.answer, example_id))
            self.outcome.answered += 1
        self.outcome.duplicates.append(row.to_issue("duplicate", reason))

    def _says_the_same(self, answer: PreparedAnswer, example_id: int) -> bool:
        found = self._connection.execute(
            select(answers.c.answer, answers.c.spans, answers.c.flagged, answers.c.note)
            .join(current, current.c.answer_id == answers.c.id)
            .where(current.c.example_id == example_id, current.c.annotator == answer.annotator)
        ).first()
        return found is not None and (
            found.answer,
            load_spans(found.spans),
            found.flagged,
            found.note,
        ) == (answer.answer, load_spans(answer.spans), answer.flagged, answer.note)
