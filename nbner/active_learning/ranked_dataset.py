"""A dataset whose open examples are annotated in the order of a query strategy."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

from nbner.active_learning.strategies import STORED_NAMES, interleave
from nbner.errors import StoreError
from nbner.store import claims
from nbner.store.assignments import Assignments
from nbner.store.database import Database
from nbner.store.dataset import Dataset
from nbner.types import Answer, Example

_LOG = logging.getLogger(__name__)

#: From open examples, and a model other than the one in use, to their input hashes
#: in the order of annotation.
RankFn: TypeAlias = Callable[[Sequence[Example], Any], Sequence[int]]

#: Key in an answer's ``extra["task"]`` that marks an example of the random holdout.
HOLDOUT_KEY = "_aside"
#: Key in an answer's ``extra`` with the name of the query strategy that chose the example.
ORDER_KEY = "order"
#: Strategies that look at nothing in a text.
RANDOM_ORDERS = ("given", "random")

# From open examples, a maximum number and input hashes to leave out, to the next examples.
_SelectFn: TypeAlias = Callable[[Sequence[Example], int, Collection[int]], list[Example]]

_POOL_SIZE = 2000  # open examples that are ranked at a time


def held_out_examples(dataset: Dataset, split: str) -> frozenset[int]:
    """Return the input hashes of the examples that a query strategy has kept aside.

    An example stays aside whoever answers it again, in whatever order.

    Parameters
    ----------
    dataset : Dataset
        Its answers say so, the earlier ones included.
    split : str
        Name of the split.
    """
    return frozenset(
        key
        for key, extra in dataset.extras_with(HOLDOUT_KEY, split)
        if extra.get("task", {}).get(HOLDOUT_KEY)
    )


def is_held_out(example: Example, held_out: Collection[int]) -> bool:
    """Return whether an example is kept aside, by an answer here or by the file it came from.

    Parameters
    ----------
    example : Example
        With its answer.
    held_out : collection of int
        From `held_out_examples`, of its split.
    """
    return example.input_hash in held_out or bool(example.extra.get(HOLDOUT_KEY))


def strategy_examples(dataset: Dataset, split: str) -> frozenset[int]:
    """Return the input hashes of the examples that a query strategy chose for what is in them.

    An example stays chosen whoever answers it again, in whatever order.

    Parameters
    ----------
    dataset : Dataset
        Its answers name their strategies, the earlier ones included.
    split : str
        Name of the split.
    """
    chosen = {
        key
        for key, extra in dataset.extras_with(ORDER_KEY, split)
        if extra.get(ORDER_KEY) not in (None, *RANDOM_ORDERS)
    }
    return frozenset(chosen - held_out_examples(dataset, split))


class RankedAssignments(Assignments):
    """Assignment of open examples in the order of a strategy, each to one annotator as always.

    Parameters
    ----------
    database : Database
        The store's connections.
    dataset_id : int
        Row id of the dataset.
    select : callable
        From the available examples, a maximum number and the input hashes to
        leave out, to the next examples.
    """

    def __init__(self, database: Database, dataset_id: int, select: _SelectFn) -> None:
        super().__init__(database, dataset_id)
        self._select = select

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
        """
        with self._database.reading() as connection:
            request = self._request(connection, split, annotator)
            if request is None or limit <= 0:
                return []
            ids = claims.unclaimed(connection, request, _POOL_SIZE)
            pool = dict(zip(ids, self._examples(connection, request, ids), strict=True))
        # Ranking may take long: nothing is locked meanwhile.
        ids_by_hash = {one.input_hash: id_ for id_, one in pool.items()}
        selected = self._select(list(pool.values()), limit, exclude)
        wanted = [ids_by_hash[one.input_hash] for one in selected]
        try:
            with self._database.writing() as connection:
                wanted = claims.claim_ids(connection, request, wanted)
        except StoreError as error:
            # As in `Assignments`: reading may go on where writing cannot.
            _LOG.debug("examples are shown without a claim: %s", error)
        return [pool[id_] for id_ in wanted]


class RankedDataset(Dataset):
    """A dataset with its open examples in the order of a strategy.

    Parameters
    ----------
    dataset : Dataset
        The dataset.
    strategy : str
        Name of the strategy, which every answer records.
    rank : callable
        From open examples to their input hashes, in order. Called when the
        ranked examples are used up, and when ``version`` has changed.
    version : callable
        Returns the version of what the order depends on: the fingerprint of the
        model in use.
    in_holdout : callable
        Returns whether an example belongs to the random holdout.
    holdout : float
        Size of the holdout as a fraction, for `prepare`.
    """

    def __init__(
        self,
        dataset: Dataset,
        strategy: str,
        *,
        rank: RankFn,
        version: Callable[[], str],
        in_holdout: Callable[[Example], bool],
        holdout: float = 0.0,
    ) -> None:
        vars(self).update(vars(dataset))
        self._strategy = strategy
        self._rank = rank
        self._version = version
        self._in_holdout = in_holdout
        self._holdout = holdout
        self._ranking: tuple[str, list[int]] = ("", [])
        self._prepared: tuple[str, list[int]] = ("", [])

    def pool(self, split: str) -> list[Example]:
        """Return the open examples that are ranked together.

        Parameters
        ----------
        split : str
            Name of the split.
        """
        return super().next_unanswered(split, _POOL_SIZE)

    @property
    def strategy(self) -> str:
        """Name of the strategy."""
        return self._strategy

    def prepare(
        self,
        version: str,
        pool: Sequence[Example],
        order: Sequence[int] | None = None,
        *,
        model: Any = None,
    ) -> None:
        """Rank a pool for a version beforehand, so that nobody waits for it when it comes.

        Parameters
        ----------
        version : str
            As ``version()`` will return it.
        pool : sequence of Example
            Open examples, as from `pool`.
        order : sequence of int, optional
            Their input hashes in the order of the strategy, without regard to
            the holdout; by default they are ranked here.
        model : object, optional
            The model to rank them by, before it is the one in use.
        """
        if order is None:
            ranking = list(self._rank(pool, model))
        else:
            held_out = [one.input_hash for one in pool if self._in_holdout(one)]
            others = set(held_out)
            ranked = [one for one in order if one not in others]
            ranking = interleave(ranked, held_out, self._holdout)
        self._prepared = (version, ranking)

    @property
    def assignments(self) -> Assignments:
        """The dataset's examples and answers by annotator, in the order of the strategy."""
        return RankedAssignments(self._database, self._id, self._select)

    def next_unanswered(
        self, split: str, limit: int, exclude: Collection[int] = (), after: int | None = None
    ) -> list[Example]:
        """Return the next examples without a decision, in the order of the strategy.

        Drafts come first.

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
        return self._select(super().next_unanswered(split, _POOL_SIZE, (), after), limit, exclude)

    def record(self, answer: Answer) -> bool:
        """Store an answer as `Dataset.record`, with the name of the strategy.

        Parameters
        ----------
        answer : Answer
            An answer or a draft.
        """
        return self.record_many([answer]) == 1

    def record_many(self, given: Iterable[Answer], *, only_untouched: bool = False) -> int:
        """Store answers as `Dataset.record_many`, with the name of the strategy.

        Parameters
        ----------
        given : iterable of Answer
            Answers or drafts.
        only_untouched : bool
            As there.
        """
        named = [self._with_strategy(one) for one in given]
        return super().record_many(named, only_untouched=only_untouched)

    def _select(
        self, pool: Sequence[Example], limit: int, exclude: Collection[int]
    ) -> list[Example]:
        """Select drafts, then the best ranked of the other examples."""
        by_hash = {one.input_hash: one for one in pool}
        drafts = [one.input_hash for one in pool if one.annotator is not None]
        excluded = set(exclude)
        wanted = [one for one in drafts if one not in excluded]
        others = [one for one in pool if one.input_hash not in {*excluded, *drafts}]
        if len(wanted) < limit and others:
            ranking = self._current_ranking(others, limit - len(wanted))
            hashes = {one.input_hash for one in others}
            wanted += [one for one in ranking if one in hashes]
        return [by_hash[one] for one in wanted[: max(limit, 0)]]

    def _current_ranking(self, pool: Sequence[Example], wanted: int) -> list[int]:
        """Return the ranking, renewed if it is out of date or has too few examples left."""
        version, ranking = self._ranking
        current = self._version()
        hashes = {one.input_hash for one in pool}
        left = sum(one in hashes for one in ranking)
        if current != version and current == self._prepared[0]:
            version, ranking = self._ranking = self._prepared
            left = sum(one in hashes for one in ranking)
        if current != version or left < min(wanted, len(pool)):
            ranking = list(self._rank(pool, None))
            self._ranking = (current, ranking)
            _LOG.debug("ranked %d examples by %s", len(pool), self._strategy)
        return ranking

    def _with_strategy(self, answer: Answer) -> Answer:
        name = STORED_NAMES.get(self._strategy, self._strategy)
        extra = {**answer.extra, ORDER_KEY: name}
        example = self.find(answer.input_hash, answer.split)
        if example is not None and self._in_holdout(example):
            extra["task"] = {**extra.get("task", {}), HOLDOUT_KEY: True}
        return replace(answer, extra=extra)
