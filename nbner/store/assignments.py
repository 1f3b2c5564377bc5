"""Several people at one dataset: who gets which example, and where they differ."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from sqlalchemy import Connection, Select, func, select

from nbner._common.serialization import load_json, load_spans
from nbner.errors import DataError, StoreError
from nbner.store import claims, queries
from nbner.store.claims import ClaimRequest
from nbner.store.database import Database
from nbner.store.schema import answers, current, examples, splits
from nbner.store.settings import DatasetSettings, select_latest
from nbner.types import ANSWER_KINDS, IMPORT_ANNOTATOR, AnswerKind, Counts, Example, Span

Overlap: TypeAlias = int | Literal["all"]

#: An answer with this key in ``extra`` decides between others and is not one of them.
REVIEW_KEY = "review"

_BATCH = 500


@dataclass(frozen=True, slots=True)
class AnnotatorVersion:
    """What one annotator says of an example.

    Parameters
    ----------
    annotator : str
    answer : {"accept", "reject", "ignore"}
    spans : tuple of Span
    """

    annotator: str
    answer: AnswerKind
    spans: tuple[Span, ...]

    @property
    def key(self) -> tuple[AnswerKind, frozenset[tuple[int, int, str]]]:
        """By what versions are compared; of an ignored example the spans say nothing."""
        spans = () if self.answer == "ignore" else self.spans
        return self.answer, frozenset((span.start, span.end, span.label) for span in spans)


class Assignments:
    """Examples for people; made by ``Dataset.team``."""

    def __init__(self, database: Database, dataset_id: int) -> None:
        self._database = database
        self._id = dataset_id
        self._settings = DatasetSettings(database, dataset_id)

    def overlap(self, split: str) -> Overlap:
        """How many people are to decide each example of a split."""
        found: Overlap = self._settings.get(_overlap_name(split), 1)
        return found

    def set_overlap(self, split: str, overlap: Overlap) -> None:
        """Say how many people are to decide each example of a split, for everybody.

        Raises
        ------
        DataError
            Neither a number from 1 on nor "all".
        """
        is_number = isinstance(overlap, int) and not isinstance(overlap, bool) and overlap >= 1
        if overlap != "all" and not is_number:
            raise DataError(
                f"{overlap!r} is no number of people",
                field="overlap",
                remedy='Use 1, 2, ... or "all"',
            )
        if overlap != self.overlap(split):
            self._settings.set(_overlap_name(split), overlap)

    def next_for(
        self, split: str, annotator: str, limit: int, exclude: Collection[int] = ()
    ) -> list[Example]:
        """Give the next examples for one annotator, and keep them from the others for a while.

        Parameters
        ----------
        split, annotator : str
        limit : int
            At most so many.
        exclude : collection of int
            Input hashes that the annotator has before them already.

        Returns
        -------
        list of Example
            In the order of addition; each with this annotator's own draft or
            nothing, where others decide it too.
        """
        wanted = max(limit, 0) + len(exclude)
        with self._database.reading() as connection:
            asker = self._asker(connection, split, annotator)
            if asker is None or limit <= 0:
                return []
            ids, until = claims.current_claims(connection, asker)
            # A write costs more than all the rest: the end of a split is not claimed anew.
            is_held = claims.is_fresh(until, asker.now) and (
                len(ids) >= wanted or not claims.has_unclaimed(connection, asker, len(ids))
            )
            found = self._examples(connection, asker, ids) if is_held else []
        if not is_held:
            ids = self._claimed(asker, wanted + claims.CLAIM_MARGIN)
            with self._database.reading() as connection:
                found = self._examples(connection, asker, ids)
        passed_over = set(exclude)
        return [one for one in found if one.input_hash not in passed_over][:limit]

    def find(
        self, input_hash: int, split: str, annotator: str, *, own_answer_only: bool = False
    ) -> Example | None:
        """Look one example up as this annotator is to see it.

        Parameters
        ----------
        input_hash : int
        split, annotator : str
        own_answer_only : bool
            With nobody else's answer, whatever the overlap is.
        """
        with self._database.reading() as connection:
            asker = self._asker(connection, split, annotator)
            if asker is None:
                return None
            asked = queries.select_examples_for(annotator) if own_answer_only else _seen_by(asker)
            query = asked.where(
                examples.c.split_id == asker.split_id, examples.c.input_hash == input_hash
            )
            found = connection.execute(query).first()
        return None if found is None else queries.example_from(found)

    def counts(self, split: str, annotator: str) -> Counts:
        """Count the examples of a split as this annotator is to see them.

        Where one person decides each, by the answer that stands; otherwise this
        annotator's own answers, and as open what may still come to them.
        """
        with self._database.reading() as connection:
            asker = self._asker(connection, split, annotator)
            if asker is None:
                return Counts()
            if asker.overlap == 1:
                query = select(splits).where(splits.c.id == asker.split_id)
                return queries.counts_from(connection.execute(query))
            query = (
                select(current.c.answer, func.count())
                .where(
                    current.c.split_id == asker.split_id,
                    current.c.annotator == annotator,
                    current.c.answer.is_not(None),
                )
                .group_by(current.c.answer)
            )
            mine = {row[0]: row[1] for row in connection.execute(query)}
            still = claims.remaining_count(connection, asker)
        kinds = {kind: mine.get(kind, 0) for kind in ANSWER_KINDS}
        return Counts(total=still + sum(kinds.values()), **kinds)

    def release_claims(self, annotator: str) -> None:
        """Give back what an annotator has claimed in all splits."""
        with self._database.writing() as connection:
            ids = connection.scalars(select(splits.c.id).where(splits.c.dataset_id == self._id))
            claims.release(connection, ids.all(), annotator)

    def annotators(self, split: str | None = None) -> list[str]:
        """Name who has decided anything, reviewers and imported gold left out."""
        found = {one.annotator for _, versions in self.versions(split) for one in versions}
        return sorted(found - {IMPORT_ANNOTATOR})

    def versions(
        self, split: str | None = None, *, reviews: bool = False
    ) -> Iterator[tuple[int, list[AnnotatorVersion]]]:
        """Yield each decided example's id with its versions, oldest first.

        Parameters
        ----------
        split : str, optional
            By default all.
        reviews : bool
            Give the decisions of reviewers, and those alone.
        """
        query = (
            select(current.c.example_id, current.c.annotator, answers.c.answer)
            .add_columns(answers.c.spans, answers.c.extra)
            .join(answers, answers.c.id == current.c.answer_id)
            .join(splits, splits.c.id == current.c.split_id)
            .where(splits.c.dataset_id == self._id, current.c.answer.is_not(None))
            .order_by(current.c.answer_id)
        )
        if split is not None:
            query = query.where(splits.c.name == split)
        grouped: dict[int, list[AnnotatorVersion]] = defaultdict(list)
        with self._database.reading() as connection:
            for row in connection.execute(query):
                if bool(load_json(row.extra).get(REVIEW_KEY)) == reviews:
                    version = AnnotatorVersion(row.annotator, row.answer, load_spans(row.spans))
                    grouped[row.example_id].append(version)
        yield from sorted(grouped.items())

    def disputed(self, split: str) -> list[tuple[int, list[AnnotatorVersion]]]:
        """Give the examples on which people differ and which nobody has reviewed.

        Returns
        -------
        list of (int, list of AnnotatorVersion)
            Example ids, in the order of addition.
        """
        reviewed = {id_ for id_, _ in self.versions(split, reviews=True)}
        return [
            (id_, people)
            for id_, versions in self.versions(split)
            if id_ not in reviewed and disagree(people := _people(versions))
        ]

    def examples_by_id(self, ids: Collection[int]) -> dict[int, Example]:
        """Look examples up by their ids, as they stand."""
        wanted = list(ids)
        found: dict[int, Example] = {}
        with self._database.reading() as connection:
            for i in range(0, len(wanted), _BATCH):
                query = queries.select_examples().where(examples.c.id.in_(wanted[i : i + _BATCH]))
                found |= {row.id: queries.example_from(row) for row in connection.execute(query)}
        return found

    def _claimed(self, asker: ClaimRequest, limit: int) -> list[int]:
        try:
            with self._database.writing() as connection:
                if not self._database.is_sqlite:
                    turn = select(splits.c.id).where(splits.c.id == asker.split_id)
                    connection.execute(turn.with_for_update())
                return claims.claim(connection, asker, limit)
        except StoreError:
            # Reading may go on where writing cannot: an answer will say so soon enough.
            with self._database.reading() as connection:
                return claims.unclaimed(connection, asker, limit)

    def _asker(self, connection: Connection, split: str, annotator: str) -> ClaimRequest | None:
        is_asked = (splits.c.dataset_id == self._id) & (splits.c.name == split)
        setting = select_latest(self._id, _overlap_name(split)).scalar_subquery()
        found = connection.execute(select(splits.c.id, setting).where(is_asked)).first()
        if found is None:
            return None
        split_id, overlap = found[0], 1 if found[1] is None else load_json(found[1])
        return ClaimRequest(split_id, annotator, None if overlap == "all" else overlap, time.time())

    @staticmethod
    def _examples(connection: Connection, asker: ClaimRequest, ids: list[int]) -> list[Example]:
        query = _seen_by(asker).where(examples.c.id.in_(ids)).order_by(examples.c.id)
        return [queries.example_from(row) for row in connection.execute(query)]


def disagree(versions: Collection[AnnotatorVersion]) -> bool:
    """Whether versions say different things."""
    return len({one.key for one in versions}) > 1


def _people(versions: list[AnnotatorVersion]) -> list[AnnotatorVersion]:
    return [one for one in versions if one.annotator != IMPORT_ANNOTATOR]


def _seen_by(asker: ClaimRequest) -> Select[Any]:
    # Whoever decides beside others must not see what they said.
    if asker.overlap == 1:
        return queries.select_examples()
    return queries.select_examples_for(asker.annotator)


def _overlap_name(split: str) -> str:
    return f"overlap/{split}"
