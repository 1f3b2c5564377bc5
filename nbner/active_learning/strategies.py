"""What to label next: an order over open examples. Pure functions of plain values and arrays.

"Diverse" is farthest-first traversal over the words of the texts (Gonzalez
1985; as a way to choose what to label: Sener and Savarese 2018, "core-set").
The other orders are made batch-aware with it: among the examples with the
highest scores a batch takes those that are farthest from one another.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Literal, TypeAlias
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from nbner.types import Example, Span

Strategy: TypeAlias = Literal["given", "random", "uncertainty", "diversity", "disagreement"]
STRATEGIES: tuple[Strategy, ...] = ("given", "random", "uncertainty", "diversity", "disagreement")
#: Names of strategies in stored answers, where they differ.
STORED_NAMES = {
    "uncertainty": "least sure",
    "diversity": "diverse",
    "disagreement": "disagreeing",
}
Floats: TypeAlias = NDArray[np.float64]

BATCH = 16  # examples that are chosen together
_AMONG = 4  # times a batch: the highest scores among which it is chosen
_BINS = 512


def word_vectors(texts: Sequence[str]) -> Floats:
    """Give texts as vectors of length 1 over hashed words, rare words weighing more.

    Returns
    -------
    array, shape (texts, 512)
    """
    counts = np.zeros((len(texts), _BINS))
    for row, text in enumerate(texts):
        for word in text.lower().split():
            counts[row, crc32(word.encode("utf-8", "surrogatepass")) % _BINS] += 1
    weights = np.log((1 + len(texts)) / (1 + (counts > 0).sum(axis=0))) + 1
    vectors = np.log1p(counts) * weights
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(lengths == 0, 1.0, lengths))


def farthest_first(vectors: Floats, size: int, *, selected: Floats | None = None) -> list[int]:
    """Choose rows one by one, each the farthest from all that are chosen or known.

    Parameters
    ----------
    vectors : array, shape (rows, width)
        Of length 1.
    size : int
        At most so many.
    selected : array, shape (others, width), optional
        What is there already.

    Returns
    -------
    list of int
        Without any that are known the first row begins.
    """
    if not len(vectors):
        return []
    near = np.full(len(vectors), -np.inf)
    if selected is not None and len(selected):
        near = (vectors @ selected.T).max(axis=1)
    chosen: list[int] = []
    for _ in range(min(size, len(vectors))):
        at = int(near.argmin())
        chosen.append(at)
        near = np.maximum(near, vectors @ vectors[at])
        near[chosen] = np.inf
    return chosen


def rank_by_score_diverse(
    scores: Sequence[float], vectors: Floats, *, batch: int = BATCH
) -> list[int]:
    """Order by score, highest first, such that what stands together is not alike.

    Parameters
    ----------
    scores : sequence of float
    vectors : array, shape (examples, width)
    batch : int
        Examples that are chosen together.
    """
    left = sorted(range(len(scores)), key=lambda i: -scores[i])
    order: list[int] = []
    while left:
        head = left[: batch * _AMONG]
        chosen = [head[i] for i in farthest_first(vectors[head], batch)]
        order += chosen
        taken = set(chosen)
        left = [i for i in left if i not in taken]
    return order


def disagreement(one: Sequence[Span], other: Sequence[Span]) -> float:
    """Count the spans that only one of two models has."""
    return float(len(set(one) ^ set(other)))


def shuffled(size: int, seed: int) -> list[int]:
    """Give a seeded order."""
    order = list(range(size))
    random.Random(seed).shuffle(order)  # noqa: S311 - a sample, not a secret
    return order


def in_holdout(example: Example, fraction: float, seed: int) -> bool:
    """Whether an example belongs to the random share; the same for ever.

    A property of the text and the seed, so that no order has a say in it.
    """
    drawn = crc32(f"{seed}:{example.input_hash}".encode()) / 2**32
    return drawn < fraction


def interleave(order: Sequence[int], holdout: Sequence[int], fraction: float) -> list[int]:
    """Mix the random share in, evenly.

    Parameters
    ----------
    order, holdout : sequence of int
    fraction : float
        Of the whole, below 1.
    """
    if not holdout or fraction <= 0:
        return [*order, *holdout]
    # No share is so small that it would be more than the whole between two.
    every = max(1, round(min(1 / fraction, len(order) + 2)))
    mixed, rest = [], list(holdout)
    for number, one in enumerate(order, 1):
        mixed.append(one)
        if rest and number % max(1, every - 1) == 0:
            mixed.append(rest.pop(0))
    return [*mixed, *rest]
