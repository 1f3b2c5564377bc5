"""Integrity checks of a store, and the report of their results."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    CompoundSelect,
    Connection,
    Select,
    and_,
    case,
    func,
    or_,
    select,
    true,
    union_all,
)

from nbner._common.format import plural, render_html
from nbner._common.hashing import text_digest
from nbner._common.result import Result
from nbner._common.serialization import load_json
from nbner.store import queries
from nbner.store.database import Database
from nbner.store.schema import annotator_answers, answers, example_answers, examples, splits
from nbner.store.snapshot import newest_answers
from nbner.types import ANSWER_KINDS

if TYPE_CHECKING:
    import pandas as pd

_PAGE_SIZE = 1000
_MAX_SHOWN = 5


@dataclass(frozen=True, slots=True)
class IntegrityCheck:
    """Result of checking one rule.

    Parameters
    ----------
    rule : str
        What has to hold, in words.
    checked : int
        Rows that were checked.
    violations : int
        Rows that break the rule.
    detail : str
        The first of them.
    """

    rule: str
    checked: int
    violations: int = 0
    detail: str = ""

    @property
    def ok(self) -> bool:
        """Whether no row breaks the rule."""
        return self.violations == 0


@dataclass(frozen=True, slots=True)
class IntegrityReport(Result):
    """Results of all integrity checks of a store.

    Parameters
    ----------
    store : str
        Location of the store.
    checks : tuple of IntegrityCheck
        One for each rule.
    """

    store: str
    checks: tuple[IntegrityCheck, ...]

    @property
    def ok(self) -> bool:
        """Whether every rule holds."""
        return all(check.ok for check in self.checks)

    @property
    def frame(self) -> pd.DataFrame:
        """One row for each rule: rule, ok, checked, violations, detail."""
        import pandas as pd

        names = ["rule", "ok", "checked", "violations", "detail"]
        rows = [[getattr(check, name) for name in names] for check in self.checks]
        return pd.DataFrame(rows, columns=names)

    def __bool__(self) -> bool:
        return self.ok

    def __str__(self) -> str:
        broken = [check for check in self.checks if not check.ok]
        if not broken:
            return f"{self.store}: every one of {len(self.checks)} rules holds"
        lines = [f"  {check.rule}: {check.violations:,} wrong ({check.detail})" for check in broken]
        remedy = "  Go back to a copy: session.store.backup() makes them."
        return "\n".join(
            [
                f"{self.store}: {plural(len(broken), 'rule does', 'rules do')} not hold",
                *lines,
                remedy,
            ]
        )

    def _repr_html_(self) -> str:
        return render_html(str(self), self.frame)


def verify(database: Database) -> list[IntegrityCheck]:
    """Check a whole store, reading every row once and changing nothing.

    Parameters
    ----------
    database : Database
        The store's connections.
    """
    checks: list[Callable[[Connection], IntegrityCheck]] = [
        _check_database,
        _check_counts,
        _check_example_rows,
        _check_annotator_answers,
        _check_example_answers,
        _check_texts_and_spans,
    ]
    with database.reading() as connection:
        return [check(connection) for check in checks]


def _check_database(connection: Connection) -> IntegrityCheck:
    rule = "the database itself is sound"
    if connection.dialect.name != "sqlite":
        return IntegrityCheck(f"{rule} (its server's own business)", 0)
    problems = [
        str(row[0])
        for row in connection.exec_driver_sql("PRAGMA integrity_check")
        if row[0] != "ok"
    ]
    dangling = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    problems += [f"a row of {row[0]} refers to nothing" for row in dangling]
    return IntegrityCheck(rule, 1, len(problems), "; ".join(problems[:_MAX_SHOWN]))


def _check_counts(connection: Connection) -> IntegrityCheck:
    """Compare the stored counts with the rows that they count."""
    wrong: list[str] = []
    found = connection.execute(select(splits)).mappings().all()
    for split in found:
        by_answer = (
            select(example_answers.c.answer, func.count())
            .where(example_answers.c.split_id == split["id"])
            .group_by(example_answers.c.answer)
        )
        kinds = {row[0]: row[1] for row in connection.execute(by_answer)}
        total = connection.scalar(
            select(func.count()).select_from(examples).where(examples.c.split_id == split["id"])
        )
        stored = {kind: split[kind] for kind in ANSWER_KINDS}
        actual = {kind: kinds.get(kind, 0) for kind in ANSWER_KINDS}
        if split["total"] != total or stored != actual or sum(kinds.values()) != total:
            wrong.append(
                f"split {split['name']!r}: {split['total']} and {stored}, not {total} and {actual}"
            )
    rule = "added = accepted + rejected + ignored + open, in every split"
    return IntegrityCheck(rule, len(found), len(wrong), "; ".join(wrong[:_MAX_SHOWN]))


def _check_example_rows(connection: Connection) -> IntegrityCheck:
    query = (
        select(examples.c.id)
        .outerjoin(example_answers, example_answers.c.example_id == examples.c.id)
        .where(
            or_(
                example_answers.c.example_id.is_(None),
                example_answers.c.split_id != examples.c.split_id,
            )
        )
    )
    return _check(connection, "every example has its place in its split", query, examples)


def _check_annotator_answers(connection: Connection) -> IntegrityCheck:
    newest = newest_answers(true())
    current = annotator_answers.c
    same = and_(newest.c.example_id == current.example_id, newest.c.annotator == current.annotator)
    missing = (
        select(newest.c.answer_id)
        .outerjoin(annotator_answers, same)
        .join(answers, answers.c.id == newest.c.answer_id)
        .where(
            or_(
                current.answer_id.is_(None),
                current.answer_id != newest.c.answer_id,
                func.coalesce(current.answer, "") != func.coalesce(answers.c.answer, ""),
            )
        )
    )
    # An annotator's row of an answer that was taken away, or that never was.
    without_answer = (
        select(current.answer_id).outerjoin(newest, same).where(newest.c.answer_id.is_(None))
    )
    rule = "current is each annotator's newest answer"
    return _check(connection, rule, union_all(missing, without_answer), annotator_answers)


def _check_example_answers(connection: Connection) -> IntegrityCheck:
    current, shown = annotator_answers.c, example_answers.c
    decided = func.max(case((current.answer.is_not(None), current.answer_id)))
    newest = (
        select(
            current.example_id,
            decided.label("decided"),
            func.max(current.answer_id).label("last"),
        )
        .group_by(current.example_id)
        .subquery()
    )
    expected = func.coalesce(newest.c.decided, newest.c.last)
    query = (
        select(shown.example_id)
        .outerjoin(newest, newest.c.example_id == shown.example_id)
        .where(
            or_(
                func.coalesce(shown.answer_id, 0) != func.coalesce(expected, 0),
                and_(shown.answer.is_(None), newest.c.decided.is_not(None)),
                and_(shown.answer.is_not(None), newest.c.decided.is_(None)),
            )
        )
    )
    rule = "what stands is the newest decision, else draft"
    return _check(connection, rule, query, example_answers)


def _check_texts_and_spans(connection: Connection) -> IntegrityCheck:
    wrong: list[str] = []
    checked = 0
    for row in _rows(connection):
        checked += 1
        problem = _problem(row)
        if problem:
            wrong.append(f"example {row.id}: {problem}")
    rule = "every text has its digest, and every span lies in its text"
    return IntegrityCheck(rule, checked, len(wrong), "; ".join(wrong[:_MAX_SHOWN]))


def _rows(connection: Connection) -> Iterator[Any]:
    last = 0
    query = queries.select_examples().add_columns(examples.c.digest).order_by(examples.c.id)
    while page := connection.execute(query.where(examples.c.id > last).limit(_PAGE_SIZE)).all():
        yield from page
        last = page[-1].id


def _problem(row: Any) -> str:
    try:
        example = queries.example_from(row)
        parts = [*(load_json(row.suggested)), *(load_json(row.spans) if row.spans else [])]
    except (ValueError, TypeError, AttributeError, LookupError) as error:
        return f"a column cannot be read: {error}"
    if bytes(row.digest) != text_digest(example.text):
        return "the text is not the one that was added"
    outside = [part for part in parts if not 0 <= part[0] < part[1] <= len(example.text)]
    return f"a span {outside[0][:3]} lies outside the text" if outside else ""


def _check(
    connection: Connection, rule: str, query: Select[Any] | CompoundSelect[Any], table: Any
) -> IntegrityCheck:
    wrong = connection.scalars(query.limit(100_000)).all()
    checked = connection.scalar(select(func.count()).select_from(table)) or 0
    detail = ", ".join(map(str, wrong[:_MAX_SHOWN]))
    return IntegrityCheck(rule, int(checked), len(wrong), detail)
