"""A dataset whose open examples come in another order than they were added in."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from typing import TypeAlias

from nbner.active_learning.strategies import STORED_NAMES
from nbner.errors import StoreError
from nbner.store import claims
from nbner.store.assignments import Assignments
from nbner.store.database import Database
from nbner.store.dataset import Dataset
from nbner.types import Answer, Example

#: Open examples to their input hashes, in the order in which they are to come.
RankFn: TypeAlias = Callable[[Sequence[Example]], Sequence[int]]

#: Key of an example that was drawn at random and is kept aside for evaluation.
HOLDOUT_KEY = "_aside"

#: From open examples, a number, and what is passed over, to those that come next.
Choose: TypeAlias = Callable[[Sequence[Example], int, Collection[int]], list[Example]]

POOL = 2000  # open examples that are ranked at a time


class RankedAssignments(Assignments):
    """Hands open examples out in an order, each to one person as always.

    Parameters
    ----------
    database : Database
    dataset_id : int
    choose : callable
        From the examples that may be had, how many are wanted, and the input
        hashes that are passed over, to those that come next.
    """

    def __init__(self, database: Database, dataset_id: int, choose: Choose) -> None:
        super().__init__(database, dataset_id)
        self._choose = choose

    def next_for(
        self, split: str, annotator: str, limit: int, exclude: Collection[int] = ()
    ) -> list[Example]:
        """Give the next examples for one annotator, and keep them from the others for a while."""
        with self._database.reading() as connection:
            asker = self._asker(connection, split, annotator)
            if asker is None or limit <= 0:
                return []
            ids = claims.unclaimed(connection, asker, POOL)
            pool = dict(zip(ids, self._examples(connection, asker, ids), strict=True))
        # The model may take its time over the order: nothing is locked meanwhile.
        places = {one.input_hash: id_ for id_, one in pool.items()}
        wanted = [
            places[one.input_hash] for one in self._choose(list(pool.values()), limit, exclude)
        ]
        try:
            with self._database.writing() as connection:
                wanted = claims.claim_ids(connection, asker, wanted)
        except StoreError:
            # As in `Team`: reading may go on where writing cannot.
            pass
        return [pool[id_] for id_ in wanted]


class RankedDataset(Dataset):
    """The same dataset, and what comes next is ranked.

    Parameters
    ----------
    dataset : Dataset
    name : str
        Of the order; every answer keeps it.
    rank : callable
        Called when the order is used up, and when ``version`` has changed.
    version : callable
        What the order depends on: the model in use.
    in_holdout : callable
        Whether an example is of the random share.
    """

    def __init__(
        self,
        dataset: Dataset,
        name: str,
        *,
        rank: RankFn,
        version: Callable[[], str],
        in_holdout: Callable[[Example], bool],
    ) -> None:
        vars(self).update(vars(dataset))
        self._order_name = name
        self._rank = rank
        self._stamp = version
        self._is_aside = in_holdout
        self._ranked: tuple[str, list[int]] = ("", [])

    @property
    def assignments(self) -> Assignments:
        """The dataset as several people work on it, each in this order."""
        return RankedAssignments(self._database, self._id, self._chosen)

    def next_unanswered(
        self, split: str, limit: int, exclude: Collection[int] = (), after: int | None = None
    ) -> list[Example]:
        """Give the next open examples in this order; drafts come first."""
        return self._chosen(super().next_unanswered(split, POOL, (), after), limit, exclude)

    def _chosen(
        self, pool: Sequence[Example], limit: int, exclude: Collection[int]
    ) -> list[Example]:
        by_hash = {one.input_hash: one for one in pool}
        drafts = [one.input_hash for one in pool if one.annotator is not None]
        passed_over = set(exclude)
        wanted = [one for one in drafts if one not in passed_over]
        free = [one for one in pool if one.input_hash not in {*passed_over, *drafts}]
        if len(wanted) < limit and free:
            order = self._order(free, limit - len(wanted))
            open_ = {one.input_hash for one in free}
            wanted += [one for one in order if one in open_]
        return [by_hash[one] for one in wanted[: max(limit, 0)]]

    def record(self, answer: Answer) -> bool:
        """Store an answer, with the order that brought its example."""
        return self.record_many([answer]) == 1

    def record_many(self, given: Iterable[Answer]) -> int:
        """Store answers, each with the order that brought its example."""
        return super().record_many([self._marked(one) for one in given])

    def _order(self, free: Sequence[Example], least: int) -> list[int]:
        stamp, order = self._ranked
        now = self._stamp()
        open_ = {one.input_hash for one in free}
        left = sum(one in open_ for one in order)
        if now != stamp or left < min(least, len(free)):
            order = list(self._rank(free))
            self._ranked = (now, order)
        return order

    def _marked(self, answer: Answer) -> Answer:
        name = STORED_NAMES.get(self._order_name, self._order_name)
        extra = {**answer.extra, "order": name}
        example = self.find(answer.input_hash, answer.split)
        if example is not None and self._is_aside(example):
            extra["task"] = {**extra.get("task", {}), HOLDOUT_KEY: True}
        return replace(answer, extra=extra)
