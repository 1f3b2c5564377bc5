"""Does a store hold together? Every rule that its tables keep, asked for anew."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, and_, case, func, or_, select

from nbner._common.hashing import text_digest
from nbner._common.serialization import load_json
from nbner.store import queries
from nbner.store.database import Database
from nbner.store.schema import answers, current, examples, splits, standing
from nbner.types import ANSWER_KINDS

_PAGE = 1000
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class IntegrityCheck:
    """One rule, and what breaks it.

    Parameters
    ----------
    rule : str
    checked : int
        Rows that were looked at.
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
        """Whether nothing breaks the rule."""
        return self.violations == 0


def verify(database: Database) -> list[IntegrityCheck]:
    """Check a whole store; reads every row once, and changes nothing."""
    checks: list[Callable[[Connection], IntegrityCheck]] = [
        _file_is_sound,
        _counts_add_up,
        _every_example_stands,
        _current_is_newest,
        _standing_is_newest,
        _texts_and_spans_are_whole,
    ]
    with database.reading() as connection:
        return [check(connection) for check in checks]


def _file_is_sound(connection: Connection) -> IntegrityCheck:
    rule = "the database itself is sound"
    if connection.dialect.name != "sqlite":
        return IntegrityCheck(f"{rule} (its server's own business)", 0)
    problems = [
        str(row[0])
        for row in connection.exec_driver_sql("PRAGMA integrity_check")
        if row[0] != "ok"
    ]
    strays = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    problems += [f"a row of {row[0]} refers to nothing" for row in strays]
    return IntegrityCheck(rule, 1, len(problems), "; ".join(problems[:_SHOWN]))


def _counts_add_up(connection: Connection) -> IntegrityCheck:
    """Compare the counts that are shown with the rows that they count."""
    wrong: list[str] = []
    found = connection.execute(select(splits)).mappings().all()
    for split in found:
        stands = standing.c.split_id == split["id"]
        by_answer = select(standing.c.answer, func.count()).where(stands)
        kinds = {
            row[0]: row[1] for row in connection.execute(by_answer.group_by(standing.c.answer))
        }
        added = connection.scalar(
            select(func.count()).select_from(examples).where(examples.c.split_id == split["id"])
        )
        told = {kind: split[kind] for kind in ANSWER_KINDS}
        real = {kind: kinds.get(kind, 0) for kind in ANSWER_KINDS}
        if split["total"] != added or told != real or sum(kinds.values()) != added:
            wrong.append(
                f"split {split['name']!r}: {split['total']} and {told}, not {added} and {real}"
            )
    rule = "added = accepted + rejected + ignored + open, in every split"
    return IntegrityCheck(rule, len(found), len(wrong), "; ".join(wrong[:_SHOWN]))


def _every_example_stands(connection: Connection) -> IntegrityCheck:
    query = (
        select(examples.c.id)
        .outerjoin(standing, standing.c.example_id == examples.c.id)
        .where(or_(standing.c.example_id.is_(None), standing.c.split_id != examples.c.split_id))
    )
    return _check(connection, "every example has its place in its split", query, examples)


def _current_is_newest(connection: Connection) -> IntegrityCheck:
    newest = (
        select(answers.c.example_id, answers.c.annotator, func.max(answers.c.id).label("answer_id"))
        .group_by(answers.c.example_id, answers.c.annotator)
        .subquery()
    )
    same = and_(
        newest.c.example_id == current.c.example_id, newest.c.annotator == current.c.annotator
    )
    query = (
        select(newest.c.answer_id)
        .outerjoin(current, same)
        .join(answers, answers.c.id == newest.c.answer_id)
        .where(
            or_(
                current.c.answer_id.is_(None),
                current.c.answer_id != newest.c.answer_id,
                func.coalesce(current.c.answer, "") != func.coalesce(answers.c.answer, ""),
            )
        )
    )
    return _check(connection, "current is each annotator's newest answer", query, current)


def _standing_is_newest(connection: Connection) -> IntegrityCheck:
    decided = func.max(case((current.c.answer.is_not(None), current.c.answer_id)))
    newest = (
        select(
            current.c.example_id,
            decided.label("decided"),
            func.max(current.c.answer_id).label("last"),
        )
        .group_by(current.c.example_id)
        .subquery()
    )
    rightly = func.coalesce(newest.c.decided, newest.c.last)
    query = (
        select(standing.c.example_id)
        .outerjoin(newest, newest.c.example_id == standing.c.example_id)
        .where(
            or_(
                func.coalesce(standing.c.answer_id, 0) != func.coalesce(rightly, 0),
                and_(standing.c.answer.is_(None), newest.c.decided.is_not(None)),
                and_(standing.c.answer.is_not(None), newest.c.decided.is_(None)),
            )
        )
    )
    return _check(connection, "what stands is the newest decision, else draft", query, standing)


def _texts_and_spans_are_whole(connection: Connection) -> IntegrityCheck:
    wrong: list[str] = []
    checked = 0
    for row in _rows(connection):
        checked += 1
        problem = _problem(row)
        if problem:
            wrong.append(f"example {row.id}: {problem}")
    rule = "every text has its digest, and every span lies in its text"
    return IntegrityCheck(rule, checked, len(wrong), "; ".join(wrong[:_SHOWN]))


def _rows(connection: Connection) -> Iterator[Any]:
    last = 0
    query = queries.select_examples().add_columns(examples.c.digest).order_by(examples.c.id)
    while page := connection.execute(query.where(examples.c.id > last).limit(_PAGE)).all():
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


def _check(connection: Connection, rule: str, query: Select[Any], table: Any) -> IntegrityCheck:
    wrong = connection.scalars(query.limit(100_000)).all()
    checked = connection.scalar(select(func.count()).select_from(table)) or 0
    return IntegrityCheck(rule, int(checked), len(wrong), ", ".join(map(str, wrong[:_SHOWN])))
