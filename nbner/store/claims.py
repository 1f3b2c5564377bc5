"""Who has which example before them: so that no two people are given the same by chance.

A claim ends by itself, so that a closed laptop blocks nobody. Whoever works on
renews theirs; an answer ends the claim, a decision taken back begins one.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, and_, bindparam, delete, func, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from nbner.store.schema import claims, current, standing

#: How long an example waits for whoever has it before them.
CLAIM_SECONDS = 30 * 60.0
#: Examples claimed beyond those that are wanted now, so that not every answer writes claims.
CLAIM_MARGIN = 12

# Written once: putting a statement together takes longer than running it.
_END = delete(claims).where(
    claims.c.example_id == bindparam("example"), claims.c.annotator == bindparam("by")
)


class ClaimRequest(NamedTuple):
    """Who asks for examples, and of what.

    Parameters
    ----------
    split_id : int
    annotator : str
    overlap : int or None
        How many people are to decide each example; None is all of them.
    now : float
        Seconds since the epoch, UTC.
    """

    split_id: int
    annotator: str
    overlap: int | None
    now: float


def current_claims(connection: Connection, asker: ClaimRequest) -> tuple[list[int], float]:
    """Give the open examples that this annotator has claimed, and when the first claim ends."""
    query = (
        select(claims.c.example_id, claims.c.until)
        .join(standing, standing.c.example_id == claims.c.example_id)
        .where(
            claims.c.split_id == asker.split_id,
            claims.c.annotator == asker.annotator,
            claims.c.until > asker.now,
            _is_wanted(asker),
        )
        .order_by(claims.c.example_id)
    )
    rows = connection.execute(query).all()
    return [row.example_id for row in rows], min((row.until for row in rows), default=0.0)


def is_fresh(until: float, now: float) -> bool:
    """Whether claims need no renewal yet."""
    return until > now + CLAIM_SECONDS / 2


def has_unclaimed(connection: Connection, asker: ClaimRequest, count: int) -> bool:
    """Whether this annotator could be given more examples than so many."""
    return len(unclaimed(connection, asker, count + 1)) > count


def claim(connection: Connection, asker: ClaimRequest, limit: int) -> list[int]:
    """Claim the next examples for this annotator, in the order of addition.

    Those that the annotator has claimed already are among them, renewed.
    """
    found = list(connection.scalars(_free(asker).limit(limit)))
    until = asker.now + CLAIM_SECONDS
    _put(connection, [_row(asker, id_, until) for id_ in found])
    return found


def claim_ids(connection: Connection, asker: ClaimRequest, ids: Sequence[int]) -> list[int]:
    """Claim some examples for this annotator, and give those that could still be had."""
    query = _free(asker).where(standing.c.example_id.in_(ids))
    still = set(connection.scalars(query))
    found = [id_ for id_ in ids if id_ in still]
    _put(connection, [_row(asker, id_, asker.now + CLAIM_SECONDS) for id_ in found])
    return found


def unclaimed(connection: Connection, asker: ClaimRequest, limit: int) -> list[int]:
    """Give what ``claim`` would, without claiming; for a store that cannot be written now."""
    return list(connection.scalars(_free(asker).limit(limit)))


def update_after_answer(connection: Connection, event: Mapping[str, Any]) -> None:
    """End the claim that a decision answers; begin one where a decision was taken back."""
    if event["answer"] is None:
        until = time.time() + CLAIM_SECONDS
        keys = ("example_id", "annotator", "split_id")
        _put(connection, [{**{key: event[key] for key in keys}, "until": until}])
    else:
        connection.execute(_END, {"example": event["example_id"], "by": event["annotator"]})


def remaining_count(connection: Connection, asker: ClaimRequest) -> int:
    """Count the examples that this annotator may still be given, claimed by others or not."""
    query = select(func.count()).select_from(standing)
    query = query.where(standing.c.split_id == asker.split_id, _is_wanted(asker))
    return int(connection.scalar(query) or 0)


def _free(asker: ClaimRequest) -> Select[Any]:
    others = and_(
        claims.c.example_id == standing.c.example_id,
        claims.c.annotator != asker.annotator,
        claims.c.until > asker.now,
    )
    query = select(standing.c.example_id).where(
        standing.c.split_id == asker.split_id, _is_wanted(asker)
    )
    if asker.overlap == 1:
        query = query.where(~select(claims.c.example_id).where(others).exists())
    elif asker.overlap is not None:
        at_it = select(func.count()).select_from(claims).where(others).scalar_subquery()
        query = query.where(_decisions() + at_it < asker.overlap)
    return query.order_by(standing.c.example_id)


def _is_wanted(asker: ClaimRequest) -> ColumnElement[bool]:
    """Whether an example lacks this annotator's decision, and decisions at all."""
    if asker.overlap == 1:
        return standing.c.answer.is_(None)
    mine = select(current.c.answer_id).where(
        current.c.example_id == standing.c.example_id,
        current.c.annotator == asker.annotator,
        current.c.answer.is_not(None),
    )
    if asker.overlap is None:
        return ~mine.exists()
    # The first is quick to see, and true of most.
    return and_(or_(standing.c.answer.is_(None), _decisions() < asker.overlap), ~mine.exists())


def _decisions() -> ColumnElement[int]:
    return (
        select(func.count())
        .select_from(current)
        .where(current.c.example_id == standing.c.example_id, current.c.answer.is_not(None))
        .scalar_subquery()
    )


def _row(asker: ClaimRequest, example_id: int, until: float) -> dict[str, Any]:
    return {
        "example_id": example_id,
        "annotator": asker.annotator,
        "split_id": asker.split_id,
        "until": until,
    }


def _put(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    if not rows:
        return
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    new = dialect.insert(claims)
    put = new.on_conflict_do_update(
        index_elements=[claims.c.example_id, claims.c.annotator],
        set_={"until": new.excluded.until},
    )
    connection.execute(put, list(rows))


def release(connection: Connection, split_ids: Iterable[int], annotator: str) -> None:
    """Give back what an annotator has claimed."""
    connection.execute(
        delete(claims).where(
            claims.c.split_id.in_(list(split_ids)), claims.c.annotator == annotator
        )
    )
