"""Assignment of examples to several annotators, and comparison of their answers."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from sqlalchemy import Connection, Select, func, select

from nbner._common.serialization import load_json, load_spans
from nbner.errors import DataError, StoreError
from nbner.store import claims, clock, queries
from nbner.store.claims import ClaimRequest
from nbner.store.database import Database
from nbner.store.schema import annotator_answers, answers, examples, splits
from nbner.store.settings import DatasetSettings, select_latest
from nbner.types import (
    ACCEPTED_UNSEEN,
    ANSWER_KINDS,
    IMPORT_ANNOTATOR,
    AnswerKind,
    Counts,
    Example,
    Span,
)

_LOG = logging.getLogger(__name__)

Overlap: TypeAlias = int | Literal["all"]

#: Key in an answer's ``extra`` that marks it as an adjudication of other answers.
REVIEW_KEY = "review"

_BATCH = 500


@dataclass(frozen=True, slots=True)
class AnnotatorVersion:
    """One annotator's decision about an example.

    Parameters
    ----------
    annotator : str
        Name of the annotator.
    answer : {"accept", "reject", "ignore"}
        The decision.
    spans : tuple of Span
        The spans of the answer.
    accepted_unseen : bool
        Whether it was accepted in bulk, by a model's probability.
    """

    annotator: str
    answer: AnswerKind
    spans: tuple[Span, ...]
    accepted_unseen: bool = False

    @property
    def key(self) -> tuple[AnswerKind, frozenset[tuple[int, int, str]]]:
        """Decision and spans, by which versions are compared; without spans when ignored."""
        spans = () if self.answer == "ignore" else self.spans
        return self.answer, frozenset((span.start, span.end, span.label) for span in spans)


class Assignments:
    """Examples and answers of one dataset by annotator; created by ``Dataset.assignments``.

    Parameters
    ----------
    database : Database
        The store's connections.
    dataset_id : int
        Row id of the dataset.
    """

    def __init__(self, database: Database, dataset_id: int) -> None:
        self._database = database
        self._id = dataset_id
        self._settings = DatasetSettings(database, dataset_id)

    def overlap(self, split: str) -> Overlap:
        """Return how many annotators are to decide each example of a split.

        Parameters
        ----------
        split : str
            Name of the split.
        """
        found: Overlap = self._settings.get(_overlap_setting(split), 1)
        return found

    def set_overlap(self, split: str, overlap: Overlap) -> None:
        """Store how many annotators are to decide each example of a split.

        Parameters
        ----------
        split : str
            Name of the split.
        overlap : int or "all"
            The number, which holds for all annotators.

        Raises
        ------
        DataError
            Neither an integer from 1 on nor "all".
        """
        is_number = isinstance(overlap, int) and not isinstance(overlap, bool) and overlap >= 1
        if overlap != "all" and not is_number:
            raise DataError(
                f"{overlap!r} is no number of people",
                field="overlap",
                remedy='Use 1, 2, ... or "all"',
            )
        if overlap != self.overlap(split):
            self._settings.set(_overlap_setting(split), overlap)

    def next_for(
        self, split: str, annotator: str, limit: int, exclude: Collection[int] = ()
    ) -> list[Example]:
        """Return the next examples for one annotator, and claim them for a while.

        Parameters
        ----------
        split, annotator : str
            Names of the split and of the annotator.
        limit : int
            Maximum number of examples.
        exclude : collection of int
            Input hashes of examples that the annotator has been given already.

        Returns
        -------
        list of Example
            In the order of addition. Where several annotators decide each
            example, with this annotator's own draft or without an answer.
        """
        wanted = max(limit, 0) + len(exclude)
        with self._database.reading() as connection:
            request = self._request(connection, split, annotator)
            if request is None or limit <= 0:
                return []
            ids, expires = claims.current_claims(connection, request)
            # A write costs more than all the rest: the end of a split is not claimed again.
            is_claimed = claims.is_fresh(expires, request.now) and (
                len(ids) >= wanted or not claims.has_unclaimed(connection, request, len(ids))
            )
            found = self._examples(connection, request, ids) if is_claimed else []
        if not is_claimed:
            ids = self._claim(request, wanted + claims.CLAIM_MARGIN)
            with self._database.reading() as connection:
                found = self._examples(connection, request, ids)
        excluded = set(exclude)
        return [one for one in found if one.input_hash not in excluded][:limit]

    def find(
        self, input_hash: int, split: str, annotator: str, *, own_answer_only: bool = False
    ) -> Example | None:
        """Find one example with the answer that an annotator may see.

        Parameters
        ----------
        input_hash : int
            Hash of the example's text.
        split, annotator : str
            Names of the split and of the annotator.
        own_answer_only : bool
            Without the answers of others, whatever the overlap is.

        Returns
        -------
        Example or None
            None where there is no such example.
        """
        with self._database.reading() as connection:
            request = self._request(connection, split, annotator)
            if request is None:
                return None
            if own_answer_only:
                selected = queries.select_examples_for(annotator)
            else:
                selected = _select_visible(request)
            query = selected.where(
                examples.c.split_id == request.split_id, examples.c.input_hash == input_hash
            )
            found = connection.execute(query).first()
        return None if found is None else queries.example_from(found)

    def counts(self, split: str, annotator: str) -> Counts:
        """Count the examples of a split by answer, from one annotator's point of view.

        With an overlap of 1, by the answer that is shown. Otherwise by this
        annotator's own answers; open are the examples that may still be assigned
        to the annotator.

        Parameters
        ----------
        split, annotator : str
            Names of the split and of the annotator.
        """
        with self._database.reading() as connection:
            request = self._request(connection, split, annotator)
            if request is None:
                return Counts()
            if request.overlap == 1:
                query = select(splits).where(splits.c.id == request.split_id)
                return queries.counts_from(connection.execute(query))
            query = (
                select(annotator_answers.c.answer, func.count())
                .where(
                    annotator_answers.c.split_id == request.split_id,
                    annotator_answers.c.annotator == annotator,
                    annotator_answers.c.answer.is_not(None),
                )
                .group_by(annotator_answers.c.answer)
            )
            own = {row[0]: row[1] for row in connection.execute(query)}
            remaining = claims.remaining_count(connection, request)
        kinds = {kind: own.get(kind, 0) for kind in ANSWER_KINDS}
        return Counts(total=remaining + sum(kinds.values()), **kinds)

    def release_claims(self, annotator: str) -> None:
        """Delete an annotator's claims in all splits.

        Parameters
        ----------
        annotator : str
            Name of the annotator.
        """
        with self._database.writing() as connection:
            ids = connection.scalars(select(splits.c.id).where(splits.c.dataset_id == self._id))
            claims.release(connection, ids.all(), annotator)

    def annotators(self, split: str | None = None) -> list[str]:
        """Return the sorted names of annotators with decisions, without reviews and imports.

        Parameters
        ----------
        split : str, optional
            Name of the split; by default all.
        """
        found = {one.annotator for _, versions in self.versions(split) for one in versions}
        return sorted(found - {IMPORT_ANNOTATOR})

    def count_decided_since(self, annotator: str, since: float) -> int:
        """Count the examples of all splits that an annotator has decided since a time.

        What was accepted in bulk, unseen, is nobody's work of the day.

        Parameters
        ----------
        annotator : str
            Name of the annotator.
        since : float
            Seconds since the epoch.
        """
        query = (
            select(func.count())
            .select_from(annotator_answers)
            .join(answers, answers.c.id == annotator_answers.c.answer_id)
            .join(splits, splits.c.id == annotator_answers.c.split_id)
            .where(
                splits.c.dataset_id == self._id,
                annotator_answers.c.annotator == annotator,
                annotator_answers.c.answer.is_not(None),
                answers.c.stored >= since,
                answers.c.extra.not_like(f'%"{ACCEPTED_UNSEEN}"%'),
            )
        )
        with self._database.reading() as connection:
            return int(connection.scalar(query) or 0)

    def versions(
        self, split: str | None = None, *, reviews: bool = False
    ) -> Iterator[tuple[int, list[AnnotatorVersion]]]:
        """Yield the row id of each decided example with its versions, oldest first.

        Parameters
        ----------
        split : str, optional
            Name of the split; by default all.
        reviews : bool
            Yield adjudications in place of the annotators' own decisions.
        """
        query = (
            select(annotator_answers.c.example_id, annotator_answers.c.annotator, answers.c.answer)
            .add_columns(answers.c.spans, answers.c.extra)
            .join(answers, answers.c.id == annotator_answers.c.answer_id)
            .join(splits, splits.c.id == annotator_answers.c.split_id)
            .where(splits.c.dataset_id == self._id, annotator_answers.c.answer.is_not(None))
            .order_by(annotator_answers.c.answer_id)
        )
        if split is not None:
            query = query.where(splits.c.name == split)
        grouped: dict[int, list[AnnotatorVersion]] = defaultdict(list)
        with self._database.reading() as connection:
            for row in connection.execute(query):
                extra = load_json(row.extra)
                if bool(extra.get(REVIEW_KEY)) == reviews:
                    version = AnnotatorVersion(
                        row.annotator,
                        row.answer,
                        load_spans(row.spans),
                        ACCEPTED_UNSEEN in extra.get("task", {}),
                    )
                    grouped[row.example_id].append(version)
        yield from sorted(grouped.items())

    def disputed(self, split: str) -> list[tuple[int, list[AnnotatorVersion]]]:
        """Return the examples on which annotators disagree and which have no review.

        Parameters
        ----------
        split : str
            Name of the split.

        Returns
        -------
        list of (int, list of AnnotatorVersion)
            Row ids of the examples with their versions, in the order of addition.
        """
        with self._database.one_state():
            reviewed = {id_ for id_, _ in self.versions(split, reviews=True)}
            every = list(self.versions(split))
        return [
            (id_, by_people)
            for id_, versions in every
            if id_ not in reviewed and disagree(by_people := _without_imports(versions))
        ]

    def examples_by_id(self, ids: Collection[int]) -> dict[int, Example]:
        """Find examples by their row ids, with the answers that are shown.

        Parameters
        ----------
        ids : collection of int
            Row ids; unknown ones are left out of the result.
        """
        wanted = list(ids)
        found: dict[int, Example] = {}
        with self._database.reading() as connection:
            for i in range(0, len(wanted), _BATCH):
                query = queries.select_examples().where(examples.c.id.in_(wanted[i : i + _BATCH]))
                found |= {row.id: queries.example_from(row) for row in connection.execute(query)}
        return found

    def _claim(self, request: ClaimRequest, limit: int) -> list[int]:
        try:
            with self._database.writing() as connection:
                if not self._database.is_sqlite:
                    split = select(splits.c.id).where(splits.c.id == request.split_id)
                    connection.execute(split.with_for_update())
                return claims.claim(connection, request, limit)
        except StoreError as error:
            # Reading may go on where writing cannot: the next answer raises the error.
            _LOG.debug("examples are shown without a claim: %s", error)
            with self._database.reading() as connection:
                return claims.unclaimed(connection, request, limit)

    def _request(self, connection: Connection, split: str, annotator: str) -> ClaimRequest | None:
        in_dataset = (splits.c.dataset_id == self._id) & (splits.c.name == split)
        setting = select_latest(self._id, _overlap_setting(split)).scalar_subquery()
        found = connection.execute(select(splits.c.id, setting).where(in_dataset)).first()
        if found is None:
            return None
        split_id, overlap = found[0], 1 if found[1] is None else load_json(found[1])
        present = clock.now(connection)
        return ClaimRequest(split_id, annotator, None if overlap == "all" else overlap, present)

    @staticmethod
    def _examples(connection: Connection, request: ClaimRequest, ids: list[int]) -> list[Example]:
        query = _select_visible(request).where(examples.c.id.in_(ids)).order_by(examples.c.id)
        return [queries.example_from(row) for row in connection.execute(query)]


def disagree(versions: Collection[AnnotatorVersion]) -> bool:
    """Return whether versions of one example differ in decision or spans.

    Parameters
    ----------
    versions : collection of AnnotatorVersion
        One for each annotator.
    """
    return len({one.key for one in versions}) > 1


def _without_imports(versions: list[AnnotatorVersion]) -> list[AnnotatorVersion]:
    return [one for one in versions if one.annotator != IMPORT_ANNOTATOR]


def _select_visible(request: ClaimRequest) -> Select[Any]:
    # Independent annotators must not see each other's answers.
    if request.overlap == 1:
        return queries.select_examples()
    return queries.select_examples_for(request.annotator)


def _overlap_setting(split: str) -> str:
    return f"overlap/{split}"
