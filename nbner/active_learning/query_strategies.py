"""Built-in query strategies, registered by name: the order in which examples are annotated.

A query strategy is a function from examples to their positions, the one to
annotate first at the front. See `nbner.registry` for the keyword arguments
that it may declare.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from operator import index
from textwrap import shorten
from typing import TYPE_CHECKING, Any

from nbner import registry
from nbner._common.format import plural
from nbner.active_learning.strategies import (
    Floats,
    farthest_first,
    rank_by_new_words,
    rank_by_score_diverse,
    shuffled,
    word_vectors,
)
from nbner.active_learning.strategies import disagreement as spans_in_disagreement
from nbner.decoding.api import MAX_SPAN_LENGTH, lattices
from nbner.errors import DataError
from nbner.nlp.prediction import predict
from nbner.types import Example

if TYPE_CHECKING:
    from spacy.language import Language

_REMEDY = "Return all positions, such as sorted(range(len(examples)), key=...)"
_WORD = re.compile(r"\w+|[^\w\s]")  # of texts without tokens


@registry.query_strategies("given")
def given(examples: Sequence[Example]) -> list[int]:
    """Return positions in the order of addition.

    Parameters
    ----------
    examples : sequence of Example
        The candidates.
    """
    return list(range(len(examples)))


@registry.query_strategies("random")
def at_random(examples: Sequence[Example], *, seed: int) -> list[int]:
    """Return positions in random order.

    Parameters
    ----------
    examples : sequence of Example
        The candidates.
    seed : int
        Seed of the order.
    """
    return shuffled(len(examples), seed)


@registry.query_strategies("uncertainty")
def uncertainty(examples: Sequence[Example], *, nlp: Language) -> list[int]:
    """Return positions by the entropy over a text's exact analyses, the highest first.

    Parameters
    ----------
    examples : sequence of Example
        The candidates.
    nlp : Language
        The trained pipeline in use.
    """
    scores = [one.entropy() for one in lattices(nlp, examples, max_span_length=MAX_SPAN_LENGTH)]
    return rank_by_score_diverse(scores, _vectors(examples))


@registry.query_strategies("diversity")
def diversity(examples: Sequence[Example], *, annotated: Sequence[Example]) -> list[int]:
    """Return positions by farthest-first traversal from all that is annotated.

    Parameters
    ----------
    examples : sequence of Example
        The candidates.
    annotated : sequence of Example
        The accepted examples.
    """
    vectors = word_vectors([one.text for one in (*examples, *annotated)])
    new, old = vectors[: len(examples)], vectors[len(examples) :]
    return farthest_first(new, len(examples), selected=old)


@registry.query_strategies("new_words")
def new_words(examples: Sequence[Example], *, annotated: Sequence[Example]) -> list[int]:
    """Return positions by how many open texts have the words that no annotated text has.

    Parameters
    ----------
    examples : sequence of Example
        The candidates.
    annotated : sequence of Example
        The accepted examples.
    """
    known = {word for one in annotated for word in _words(one)}
    return rank_by_new_words([_words(one) for one in examples], known=known)


@registry.query_strategies("disagreement")
def disagreement(
    examples: Sequence[Example], *, nlp: Language, previous_nlp: Language
) -> list[int]:
    """Return positions by the disagreement between the last two models, the highest first.

    Parameters
    ----------
    examples : sequence of Example
        The candidates.
    nlp, previous_nlp : Language
        The trained pipeline in use, and the one before it.
    """
    sides = predict(nlp, examples), predict(previous_nlp, examples)
    scores = [spans_in_disagreement(one, other) for one, other in zip(*sides, strict=True)]
    return rank_by_score_diverse(scores, _vectors(examples))


def rank_examples(
    strategy: Callable[..., Any],
    examples: Sequence[Example],
    *,
    lazy: dict[str, Callable[[], Any]] | None = None,
    **offered: Any,
) -> list[int]:
    """Call a query strategy and validate the positions that it returns.

    Parameters
    ----------
    strategy : callable
        A registered function, or a user's own.
    examples : sequence of Example
        The candidates.
    lazy, **offered
        Keyword arguments that it may declare; see `nbner.registry.call`.

    Raises
    ------
    DataError
        The strategy does not return every position once.
    """
    returned = registry.call(strategy, examples, lazy=lazy, **offered)
    try:
        # No fraction becomes a position.
        found = [index(one) for one in returned]
    except TypeError as error:
        raise DataError(
            f"the query strategy {name_of(strategy)!r} returned no list of positions: "
            f"{shorten(repr(returned), 60)}",
            field="strategy",
            remedy=_REMEDY,
        ) from error
    if sorted(found) != list(range(len(examples))):
        raise DataError(
            f"the query strategy {name_of(strategy)!r} returned {len(found):,} positions for "
            f"{plural(len(examples), 'example')}, and not each of them once",
            field="strategy",
            remedy=_REMEDY,
        )
    return found


def rank_by_name(
    strategy: str, examples: Sequence[Example], *, nlp: Language, seed: int
) -> list[int]:
    """Rank examples by a registered strategy that needs nothing but a model and a seed.

    Parameters
    ----------
    strategy : str
        Its name.
    examples : sequence of Example
        The candidates.
    nlp : Language
        The trained pipeline.
    seed : int
        The seed.

    Raises
    ------
    DataError
        There is no such strategy.
    """
    function = registry.query_strategies.resolve(strategy, field="strategy")
    return rank_examples(function, examples, nlp=nlp, seed=seed)


def name_of(strategy: str | Callable[..., Any]) -> str:
    """Return the name of a query strategy.

    Parameters
    ----------
    strategy : str or callable
        A registered name, or a function.
    """
    return strategy if isinstance(strategy, str) else getattr(strategy, "__name__", repr(strategy))


def _words(example: Example) -> list[str]:
    if example.tokens:
        return [token.text.lower() for token in example.tokens]
    return _WORD.findall(example.text.lower())


def _vectors(examples: Sequence[Example]) -> Floats:
    return word_vectors([one.text for one in examples])
