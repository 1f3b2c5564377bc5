"""Claims: temporary reservations, so that two annotators are not given the same example.

A claim expires, so that a closed laptop blocks no example. Asking for more
examples renews an annotator's claims, an answer ends one, and taking a decision
back creates one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, and_, bindparam, delete, func, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from nbner.store.schema import annotator_answers, claims, example_answers

#: How long a claim holds without a renewal, in seconds.
CLAIM_SECONDS = 30 * 60.0
#: Examples claimed beyond those requested, so that not every answer writes claims.
CLAIM_MARGIN = 12

# By how much a clock may be set back, as small corrections do, without ending claims, in seconds.
_CLOCK_TOLERANCE = 60.0

# Built once: building a statement takes longer than executing it.
_DELETE_CLAIM = delete(claims).where(
    claims.c.example_id == bindparam("example"), claims.c.annotator == bindparam("by")
)


class ClaimRequest(NamedTuple):
    """A request for examples of one split by one annotator.

    Parameters
    ----------
    split_id : int
        Row id of the split.
    annotator : str
        Name of the annotator.
    overlap : int or None
        How many annotators are to decide each example; None for all of them.
    now : float
        Seconds since the epoch, UTC.
    """

    split_id: int
    annotator: str
    overlap: int | None
    now: float


def current_claims(connection: Connection, request: ClaimRequest) -> tuple[list[int], float]:
    """Find an annotator's unexpired claims on examples that still need an answer.

    Parameters
    ----------
    connection : Connection
        With a transaction.
    request : ClaimRequest
        The split, the annotator and the time.

    Returns
    -------
    ids : list of int
        Row ids of the examples, in the order of addition.
    expires : float
        When the first of the claims expires, in seconds since the epoch; 0
        without claims.
    """
    query = (
        select(claims.c.example_id, claims.c.until)
        .join(example_answers, example_answers.c.example_id == claims.c.example_id)
        .where(
            claims.c.split_id == request.split_id,
            claims.c.annotator == request.annotator,
            _is_valid(request),
            _needs_answer(request),
        )
        .order_by(claims.c.example_id)
    )
    rows = connection.execute(query).all()
    return [row.example_id for row in rows], min((row.until for row in rows), default=0.0)


def is_fresh(until: float, now: float) -> bool:
    """Return whether claims do not need a renewal yet.

    Parameters
    ----------
    until, now : float
        Expiry of the claims and the present time, in seconds since the epoch.
    """
    return until > now + CLAIM_SECONDS / 2


def has_unclaimed(connection: Connection, request: ClaimRequest, count: int) -> bool:
    """Return whether more than a number of examples are available to an annotator.

    Parameters
    ----------
    connection : Connection
        With a transaction.
    request : ClaimRequest
        The split, the annotator and the time.
    count : int
        The number that has to be exceeded.
    """
    return len(unclaimed(connection, request, count + 1)) > count


def claim(connection: Connection, request: ClaimRequest, limit: int) -> list[int]:
    """Claim the next available examples, or renew the claims on them.

    Parameters
    ----------
    connection : Connection
        With a write transaction.
    request : ClaimRequest
        The split, the annotator and the time.
    limit : int
        Maximum number of examples.

    Returns
    -------
    list of int
        Row ids of the examples, in the order of addition.
    """
    ids = unclaimed(connection, request, limit)
    _upsert(connection, [_row(request, id_) for id_ in ids])
    return ids


def claim_ids(connection: Connection, request: ClaimRequest, ids: Sequence[int]) -> list[int]:
    """Claim those of some examples that are still available.

    Parameters
    ----------
    connection : Connection
        With a write transaction.
    request : ClaimRequest
        The split, the annotator and the time.
    ids : sequence of int
        Row ids of examples.

    Returns
    -------
    list of int
        The ids that were claimed, in the order in which they were given.
    """
    query = _select_available(request).where(example_answers.c.example_id.in_(ids))
    available = set(connection.scalars(query))
    claimed = [id_ for id_ in ids if id_ in available]
    _upsert(connection, [_row(request, id_) for id_ in claimed])
    return claimed


def unclaimed(connection: Connection, request: ClaimRequest, limit: int) -> list[int]:
    """Find the examples that `claim` would return, without claiming them.

    Parameters
    ----------
    connection : Connection
        With a transaction; reading is enough.
    request : ClaimRequest
        The split, the annotator and the time.
    limit : int
        Maximum number of examples.
    """
    return list(connection.scalars(_select_available(request).limit(limit)))


def update_after_answer(connection: Connection, event: Mapping[str, Any]) -> None:
    """Delete the claim that a decision answers; create one where a decision was taken back.

    Parameters
    ----------
    connection : Connection
        With a write transaction.
    event : mapping
        The new row of ``answers``, by column name.
    """
    if event["answer"] is None:
        until = event["stored"] + CLAIM_SECONDS
        keys = ("example_id", "annotator", "split_id")
        _upsert(connection, [{**{key: event[key] for key in keys}, "until": until}])
    else:
        values = {"example": event["example_id"], "by": event["annotator"]}
        connection.execute(_DELETE_CLAIM, values)


def remaining_count(connection: Connection, request: ClaimRequest) -> int:
    """Count the examples that an annotator may still be given, claimed by others or not.

    Parameters
    ----------
    connection : Connection
        With a transaction.
    request : ClaimRequest
        The split, the annotator and the time.
    """
    query = select(func.count()).select_from(example_answers)
    query = query.where(example_answers.c.split_id == request.split_id, _needs_answer(request))
    return int(connection.scalar(query) or 0)


def release(connection: Connection, split_ids: Iterable[int], annotator: str) -> None:
    """Delete an annotator's claims.

    Parameters
    ----------
    connection : Connection
        With a write transaction.
    split_ids : iterable of int
        Row ids of the splits.
    annotator : str
        Name of the annotator.
    """
    connection.execute(
        delete(claims).where(
            claims.c.split_id.in_(list(split_ids)), claims.c.annotator == annotator
        )
    )


def _select_available(request: ClaimRequest) -> Select[Any]:
    """Select the examples that need this annotator's answer and that others leave free."""
    by_others = and_(
        claims.c.example_id == example_answers.c.example_id,
        claims.c.annotator != request.annotator,
        _is_valid(request),
    )
    query = select(example_answers.c.example_id).where(
        example_answers.c.split_id == request.split_id, _needs_answer(request)
    )
    if request.overlap == 1:
        query = query.where(~select(claims.c.example_id).where(by_others).exists())
    elif request.overlap is not None:
        claimed = select(func.count()).select_from(claims).where(by_others).scalar_subquery()
        query = query.where(_decision_count() + claimed < request.overlap)
    return query.order_by(example_answers.c.example_id)


def _is_valid(request: ClaimRequest) -> ColumnElement[bool]:
    """Return the condition that a claim has not expired.

    One that ends later than any claim of now could was made by a clock that was wrong:
    it would hold for as long as that clock was ahead.
    """
    latest = request.now + CLAIM_SECONDS + _CLOCK_TOLERANCE
    return and_(claims.c.until > request.now, claims.c.until <= latest)


def _needs_answer(request: ClaimRequest) -> ColumnElement[bool]:
    """Return the condition that an example lacks this annotator's decision, and decisions."""
    if request.overlap == 1:
        return example_answers.c.answer.is_(None)
    own = select(annotator_answers.c.answer_id).where(
        annotator_answers.c.example_id == example_answers.c.example_id,
        annotator_answers.c.annotator == request.annotator,
        annotator_answers.c.answer.is_not(None),
    )
    if request.overlap is None:
        return ~own.exists()
    # The first alternative is cheap, and true of most examples.
    too_few = or_(example_answers.c.answer.is_(None), _decision_count() < request.overlap)
    return and_(too_few, ~own.exists())


def _decision_count() -> ColumnElement[int]:
    return (
        select(func.count())
        .select_from(annotator_answers)
        .where(
            annotator_answers.c.example_id == example_answers.c.example_id,
            annotator_answers.c.answer.is_not(None),
        )
        .scalar_subquery()
    )


def _row(request: ClaimRequest, example_id: int) -> dict[str, Any]:
    return {
        "example_id": example_id,
        "annotator": request.annotator,
        "split_id": request.split_id,
        "until": request.now + CLAIM_SECONDS,
    }


def _upsert(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    if not rows:
        return
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    new = dialect.insert(claims)
    upsert = new.on_conflict_do_update(
        index_elements=[claims.c.example_id, claims.c.annotator],
        set_={"until": new.excluded.until},
    )
    connection.execute(upsert, list(rows))
