"""Query strategies on plain values: random, by score, by diversity, and the random holdout.

Diversity is farthest-first traversal over the words of the texts (Gonzalez
1985; for active learning Sener and Savarese 2018, "core-set"). It also makes
the orders by score batch-aware: among the examples with the highest scores, a
batch consists of those that are farthest from one another.
"""

from __future__ import annotations

import heapq
import random
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from typing import TypeAlias
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from nbner.types import Example, Span

#: A registered name, or a function from examples to their positions.
Strategy: TypeAlias = str | Callable[..., Sequence[int]]
STRATEGIES = (
    "given",
    "random",
    "uncertainty",
    "diversity",
    "new_words",
    "disagreement",
)
#: Names of strategies in stored answers, where they differ.
STORED_NAMES = {
    "uncertainty": "least sure",
    "diversity": "diverse",
    "new_words": "with new words",
    "disagreement": "disagreeing",
}
Floats: TypeAlias = NDArray[np.float64]

_BATCH_SIZE = 16  # examples that are selected together
_CANDIDATE_FACTOR = 4  # candidates for a batch, those with the highest scores, in batches
_VECTOR_SIZE = 512
_MIN_WORDS = 4  # words that a text counts as having at least, so that fragments do not come first


def word_vectors(texts: Sequence[str]) -> Floats:
    """Compute TF-IDF vectors of texts over hashed words, with unit length.

    Parameters
    ----------
    texts : sequence of str
        The texts; the document frequencies are theirs.

    Returns
    -------
    array, shape (texts, 512)
    """
    counts = np.zeros((len(texts), _VECTOR_SIZE))
    for row, text in enumerate(texts):
        for word in text.lower().split():
            counts[row, crc32(word.encode("utf-8", "surrogatepass")) % _VECTOR_SIZE] += 1
    weights = np.log((1 + len(texts)) / (1 + (counts > 0).sum(axis=0))) + 1
    vectors = np.log1p(counts) * weights
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(lengths == 0, 1.0, lengths))


def farthest_first(vectors: Floats, size: int, *, selected: Floats | None = None) -> list[int]:
    """Select rows one by one, each the farthest from all that are selected already.

    Parameters
    ----------
    vectors : array, shape (rows, width)
        Candidates, with unit length.
    size : int
        Maximum number of rows.
    selected : array, shape (others, width), optional
        Vectors that are selected from the start.

    Returns
    -------
    list of int
        Row indices; the first row comes first where nothing is selected from
        the start.
    """
    if not len(vectors):
        return []
    similarity = np.full(len(vectors), -np.inf)
    if selected is not None and len(selected):
        similarity = (vectors @ selected.T).max(axis=1)
    rows: list[int] = []
    for _ in range(min(size, len(vectors))):
        farthest = int(similarity.argmin())
        rows.append(farthest)
        similarity = np.maximum(similarity, vectors @ vectors[farthest])
        similarity[rows] = np.inf
    return rows


def rank_by_new_words(texts: Sequence[Sequence[str]], *, known: Collection[str] = ()) -> list[int]:
    """Rank texts so that the frequent words are seen early: greedy maximum coverage.

    The next text is the one whose words that no earlier text has are in the most
    other texts that are left, by the text's length (Nemhauser, Wolsey and Fisher
    1978, "An analysis of approximations for maximizing submodular set functions").

    Parameters
    ----------
    texts : sequence of sequence of str
        The words of each text.
    known : collection of str
        Words that have been seen before.

    Returns
    -------
    list of int
        Positions. Texts without a new word that others have come last, in order.
    """
    words = [set(text).difference(known) for text in texts]
    lengths = [max(_MIN_WORDS, len(text)) for text in texts]
    left = Counter(word for some in words for word in some)

    def value(row: int) -> float:
        return sum(left[word] - 1 for word in words[row]) / lengths[row]

    # Values only fall, so that one that is still the highest when computed anew is the highest.
    heap = [(-value(row), row) for row in range(len(texts))]
    heapq.heapify(heap)
    rows: list[int] = []
    while heap:
        before, row = heapq.heappop(heap)
        now = -value(row)
        if now > before:
            heapq.heappush(heap, (now, row))
            continue
        rows.append(row)
        for word in words[row]:
            # Seen: it counts in no other text.
            left[word] = 1
    return rows


def rank_by_score_diverse(
    scores: Sequence[float], vectors: Floats, *, batch: int = _BATCH_SIZE
) -> list[int]:
    """Rank by score, highest first, in batches of dissimilar examples.

    Parameters
    ----------
    scores : sequence of float
        One for each example.
    vectors : array, shape (examples, width)
        With unit length.
    batch : int
        Examples that are selected together.

    Returns
    -------
    list of int
        Indices of the examples.
    """
    remaining = sorted(range(len(scores)), key=lambda i: -scores[i])
    ranking: list[int] = []
    while remaining:
        candidates = remaining[: batch * _CANDIDATE_FACTOR]
        rows = [candidates[i] for i in farthest_first(vectors[candidates], batch)]
        ranking += rows
        taken = set(rows)
        remaining = [i for i in remaining if i not in taken]
    return ranking


def disagreement(one: Sequence[Span], other: Sequence[Span]) -> float:
    """Count the spans that only one of two models predicts.

    Parameters
    ----------
    one, other : sequence of Span
        The predictions of the models for one text.
    """
    return float(len(set(one) ^ set(other)))


def shuffled(size: int, seed: int) -> list[int]:
    """Return the numbers below a size in random order.

    Parameters
    ----------
    size : int
        How many.
    seed : int
        Seed of the order.
    """
    order = list(range(size))
    random.Random(seed).shuffle(order)  # noqa: S311 - a sample, not a secret
    return order


def in_holdout(example: Example, fraction: float, seed: int) -> bool:
    """Return whether an example belongs to the random holdout.

    Depends on its text and the seed only, so that no strategy influences it.

    Parameters
    ----------
    example : Example
        The example.
    fraction : float
        Size of the holdout as a fraction of all examples.
    seed : int
        Seed of the sampling.
    """
    drawn = crc32(f"{seed}:{example.input_hash}".encode()) / 2**32
    return drawn < fraction


def interleave(ranking: Sequence[int], holdout: Sequence[int], fraction: float) -> list[int]:
    """Distribute the random holdout evenly in a ranking.

    Parameters
    ----------
    ranking, holdout : sequence of int
        Indices of examples, without common ones.
    fraction : float
        Size of the holdout as a fraction of all examples, below 1.
    """
    if not holdout or fraction <= 0:
        return [*ranking, *holdout]
    # However small the fraction, one of the holdout comes within the ranking's length.
    every = max(1, round(min(1 / fraction, len(ranking) + 2)))
    mixed, rest = [], list(holdout)
    for number, one in enumerate(ranking, 1):
        mixed.append(one)
        if rest and number % max(1, every - 1) == 0:
            mixed.append(rest.pop(0))
    return [*mixed, *rest]
