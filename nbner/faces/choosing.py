"""What to label next."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from nbner.active_learning import strategies
from nbner.active_learning.strategies import ORDERS, Order
from nbner.errors import DataError, ModelError
from nbner.faces.foundation import Foundation
from nbner.types import Example

if TYPE_CHECKING:
    from nbner.store.store import Dataset

LONGEST = 64  # tokens of the longest entity that entropy looks for
ASIDE = 0.1


class Choosing(Foundation):
    """Put the open examples into an order."""

    def _in_order(self, order: Order, aside: float | None) -> Dataset:
        """Give the dataset as a widget is to see it.

        Parameters
        ----------
        order : Order
        aside : float, optional
            Share of random examples; by default a tenth for every order that
            a model or the texts decide on.

        Raises
        ------
        DataError
            There is no such order, or the share is not one.
        ModelError
            The order needs a trained model, or two.
        """
        from nbner.active_learning.ordered_dataset import Ordered
        from nbner.nlp.fingerprint import fingerprint

        if order not in ORDERS:
            named = ", ".join(repr(one) for one in ORDERS)
            raise DataError(f"there is no order {order!r}", field="order", remedy=f"Use {named}")
        chosen = order not in ("given", "random")
        share = (ASIDE if chosen else 0.0) if aside is None else aside
        if not 0 <= share < 1:
            raise DataError(
                f"{share} is not a share of random examples",
                field="aside",
                remedy="Give a number from 0 and below 1, such as aside=0.1",
            )
        if order == "given" and not share:
            return self._dataset
        self._ranking(order)  # says at once what is missing

        def is_aside(example: Example) -> bool:
            return strategies.is_aside(example, share, self.seed)

        def rank(examples: Sequence[Example]) -> list[int]:
            apart = [i for i, one in enumerate(examples) if is_aside(one)]
            others = [i for i, one in enumerate(examples) if not is_aside(one)]
            ranked = self._ranking(order)([examples[i] for i in others])
            mixed = strategies.interleaved([others[i] for i in ranked], apart, share)
            return [examples[i].input_hash for i in mixed]

        return Ordered(
            self._dataset,
            order,
            rank=rank,
            stamp=lambda: fingerprint(self._nlp),
            is_aside=is_aside,
        )

    def _ranking(self, order: Order) -> Callable[[Sequence[Example]], list[int]]:
        """Give the way to order examples: positions, first first."""
        from nbner.nlp.pipeline import is_trained

        if order in ("least sure", "disagreeing") and not is_trained(self._nlp):
            raise ModelError(
                f"order={order!r} asks a trained model, and there is none yet. Label some "
                'examples with order="diverse" or order="random", and call session.train().'
            )
        if order == "disagreeing" and not self._shelf.earlier(1):
            raise ModelError(
                'order="disagreeing" asks two trained models, and there is one. Train once more, '
                'or use order="least sure".'
            )
        return {
            "given": lambda examples: list(range(len(examples))),
            "random": lambda examples: strategies.shuffled(len(examples), self.seed),
            "least sure": self._least_sure,
            "diverse": self._diverse,
            "disagreeing": self._disagreeing,
        }[order]

    def _least_sure(self, examples: Sequence[Example]) -> list[int]:
        from nbner.decoding.api import lattices

        scores = [one.entropy() for one in lattices(self._nlp, examples, longest=LONGEST)]
        return strategies.by_score(scores, _vectors(examples))

    def _diverse(self, examples: Sequence[Example]) -> list[int]:
        known = [one.text for one in self._dataset.examples(answer="accept")]
        vectors = strategies.word_vectors([*(one.text for one in examples), *known])
        new, old = vectors[: len(examples)], vectors[len(examples) :]
        return strategies.farthest_first(new, len(examples), known=old)

    def _disagreeing(self, examples: Sequence[Example]) -> list[int]:
        from nbner.nlp.prediction import predict

        (before,) = self._shelf.earlier(1)
        sides = predict(self._nlp, examples), predict(before, examples)
        scores = [strategies.disagreement(one, other) for one, other in zip(*sides, strict=True)]
        return strategies.by_score(scores, _vectors(examples))


def _vectors(examples: Sequence[Example]) -> strategies.Floats:
    return strategies.word_vectors([one.text for one in examples])
