"""Active learning: the order in which open examples are annotated."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from nbner.active_learning import strategies
from nbner.active_learning.ranked_dataset import RankedDataset
from nbner.active_learning.strategies import STRATEGIES, Strategy
from nbner.decoding.api import lattices
from nbner.errors import DataError, ModelError
from nbner.nlp.fingerprint import fingerprint
from nbner.nlp.pipeline import is_trained
from nbner.nlp.prediction import predict
from nbner.session.context import SessionContext
from nbner.types import Example

if TYPE_CHECKING:
    from nbner.store.dataset import Dataset

LONGEST = 64  # tokens of the longest entity that the entropy sums over
ASIDE = 0.1


def in_order(context: SessionContext, order: Strategy, aside: float | None) -> Dataset:
    """Return the dataset with its open examples in the order of a query strategy.

    Parameters
    ----------
    context : SessionContext
        Its model and seed decide; a new model makes a new order.
    order : {"given", "random", "uncertainty", "diversity", "disagreement"}
        The query strategy.
    aside : float, optional
        Fraction of examples that are drawn at random and held out for
        evaluation; by default a tenth for every order that a model or the
        texts decide on, and none otherwise.

    Raises
    ------
    DataError
        There is no such order, or the fraction is not from 0 to below 1.
    ModelError
        The order needs a trained model, or two.
    """
    if order not in STRATEGIES:
        named = ", ".join(repr(one) for one in STRATEGIES)
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
        return context.dataset
    # Raises before a widget is open where the strategy lacks a model.
    strategy_of(context, order)

    def is_aside(example: Example) -> bool:
        return strategies.in_holdout(example, share, context.seed)

    def rank(examples: Sequence[Example]) -> list[int]:
        held_out = [i for i, one in enumerate(examples) if is_aside(one)]
        others = [i for i, one in enumerate(examples) if not is_aside(one)]
        ranked = strategy_of(context, order)([examples[i] for i in others])
        mixed = strategies.interleave([others[i] for i in ranked], held_out, share)
        return [examples[i].input_hash for i in mixed]

    return RankedDataset(
        context.dataset,
        order,
        rank=rank,
        version=lambda: fingerprint(context.nlp),
        in_holdout=is_aside,
    )


def strategy_of(
    context: SessionContext, order: Strategy
) -> Callable[[Sequence[Example]], list[int]]:
    """Return a query strategy: a function from examples to their positions, first one first.

    Parameters
    ----------
    context : SessionContext
        Its models and seed decide.
    order : {"given", "random", "uncertainty", "diversity", "disagreement"}
        The strategy's name.

    Raises
    ------
    ModelError
        The strategy needs a trained model, or two.
    """
    if order in ("uncertainty", "disagreement") and not is_trained(context.nlp):
        raise ModelError(
            f"order={order!r} needs a trained model, and there is none yet. Label some "
            'examples with order="diversity" or order="random", and call session.train().'
        )
    if order == "disagreement" and not context.model_store.previous(1):
        raise ModelError(
            'order="disagreement" needs two trained models, and there is one. Train once more, '
            'or use order="uncertainty".'
        )
    return {
        "given": lambda examples: list(range(len(examples))),
        "random": lambda examples: strategies.shuffled(len(examples), context.seed),
        "uncertainty": lambda examples: least_sure(context, examples),
        "diversity": lambda examples: diverse(context, examples),
        "disagreement": lambda examples: disagreeing(context, examples),
    }[order]


def least_sure(context: SessionContext, examples: Sequence[Example]) -> list[int]:
    """Return positions by the entropy over a text's exact analyses, the highest first.

    Parameters
    ----------
    context : SessionContext
        Its model in use decides.
    examples : sequence of Example
        The candidates.
    """
    scores = [one.entropy() for one in lattices(context.nlp, examples, max_span_length=LONGEST)]
    return strategies.rank_by_score_diverse(scores, _vectors(examples))


def diverse(context: SessionContext, examples: Sequence[Example]) -> list[int]:
    """Return positions by farthest-first traversal from all that is accepted.

    Parameters
    ----------
    context : SessionContext
        Its dataset holds the accepted texts.
    examples : sequence of Example
        The candidates.
    """
    known = [one.text for one in context.dataset.examples(answer="accept")]
    vectors = strategies.word_vectors([*(one.text for one in examples), *known])
    new, old = vectors[: len(examples)], vectors[len(examples) :]
    return strategies.farthest_first(new, len(examples), selected=old)


def disagreeing(context: SessionContext, examples: Sequence[Example]) -> list[int]:
    """Return positions by the disagreement between the last two models, the highest first.

    Parameters
    ----------
    context : SessionContext
        Its model store holds the model before the one in use.
    examples : sequence of Example
        The candidates.
    """
    (before,) = context.model_store.previous(1)
    sides = predict(context.nlp, examples), predict(before, examples)
    scores = [strategies.disagreement(one, other) for one, other in zip(*sides, strict=True)]
    return strategies.rank_by_score_diverse(scores, _vectors(examples))


def _vectors(examples: Sequence[Example]) -> strategies.Floats:
    return strategies.word_vectors([one.text for one in examples])
