"""Clusters of words: from their neighbors in unlabelled texts, and of word vectors.

Words that stand between the same words are put into the same cluster (Brown et
al. 1992 is the classic; here k-means over neighbor counts, as in Schütze 1995,
"Distributional part-of-speech tagging"). A model that has seen one word of a
cluster with a label knows something about the others. Everything is computed
with NumPy from a seed, and without matrix products whose rounding depends on
the machine's libraries where a later decision depends on it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from spacy.vocab import Vocab

FloatArray = NDArray[np.float64]

CLUSTER_COUNTS = (64, 256)
MIN_COUNT = 2  # occurrences of a word that is clustered
MAX_WORDS = 8_000  # words that are clustered, the most frequent
MAX_CONTEXTS = 500  # words that are counted as neighbors, the most frequent
ITERATIONS = 12  # of k-means


@dataclass(frozen=True, slots=True)
class WordClusters:
    """Clusters of words by lower-case form.

    Parameters
    ----------
    members : mapping
        From a word in lower case to its cluster in each clustering.
    sizes : tuple of int
        Number of clusters of each clustering.
    """

    members: Mapping[str, tuple[int, ...]] = field(repr=False)
    sizes: tuple[int, ...] = CLUSTER_COUNTS

    def features(self, word: str) -> list[str]:
        """Return the features of a word; none for a word that is in no cluster.

        Parameters
        ----------
        word : str
            The word, in any case.
        """
        found = self.members.get(word.lower(), ())
        return [f"cluster{k}={one}" for k, one in zip(self.sizes, found, strict=False)]

    def to_json(self) -> dict[str, Any]:
        """Return a JSON value that holds everything."""
        return {"sizes": list(self.sizes), "members": {k: list(v) for k, v in self.members.items()}}

    @classmethod
    def from_json(cls, state: Mapping[str, Any]) -> WordClusters:
        """Restore clusters.

        Parameters
        ----------
        state : mapping
            From `to_json`.
        """
        members = {str(word): tuple(map(int, found)) for word, found in state["members"].items()}
        return cls(members, tuple(map(int, state["sizes"])))


@dataclass(frozen=True, slots=True)
class VectorClusters:
    """Clusters of a pipeline's word vectors, as centroids of unit length.

    Parameters
    ----------
    centroids : tuple of array, shape (clusters, dimensions)
        One array a clustering.
    """

    centroids: tuple[FloatArray, ...] = field(repr=False)

    def features(self, vocab: Vocab, word: str) -> list[str]:
        """Return the features of a word; none for a word without a vector.

        Parameters
        ----------
        vocab : Vocab
            The pipeline's vocabulary, with the vectors.
        word : str
            The word.
        """
        vector = _unit_vector(vocab, word)
        if vector is None:
            return []
        # Sums over one word at a time: the same whatever else is computed with it.
        best = [int((one * vector).sum(axis=1).argmax()) for one in self.centroids]
        return [
            f"vector{len(one)}={place}" for one, place in zip(self.centroids, best, strict=True)
        ]


def cluster_words(
    texts: Iterable[Sequence[str]],
    *,
    sizes: Sequence[int] = CLUSTER_COUNTS,
    seed: int = 0,
    min_count: int = MIN_COUNT,
) -> WordClusters | None:
    """Cluster the words of texts by the words before and after them.

    Parameters
    ----------
    texts : iterable of sequence of str
        The words of each text.
    sizes : sequence of int
        Number of clusters of each clustering; one that has no fewer clusters
        than there are words is left out.
    seed : int
        Seed of the first centroids.
    min_count : int
        Occurrences of a word that is clustered.

    Returns
    -------
    WordClusters or None
        None where the texts have too few words for any clustering.
    """
    lowered = [[word.lower() for word in text] for text in texts]
    counts = Counter(word for text in lowered for word in text)
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    words = [word for word, count in ranked if count >= min_count][:MAX_WORDS]
    used = tuple(size for size in sizes if 1 < size < len(words))
    if not used:
        return None
    rows = _unit_rows(_neighbor_counts(lowered, words))
    found = [k_means(rows, size, seed=seed)[0].tolist() for size in used]
    return WordClusters(dict(zip(words, zip(*found, strict=True), strict=True)), used)


def cluster_vectors(
    vocab: Vocab,
    words: Iterable[str],
    *,
    sizes: Sequence[int] = CLUSTER_COUNTS,
    seed: int = 0,
) -> VectorClusters | None:
    """Cluster the vectors of words.

    Parameters
    ----------
    vocab : Vocab
        A vocabulary with vectors.
    words : iterable of str
        The words; those without a vector are left out.
    sizes : sequence of int
        As for `cluster_words`.
    seed : int
        Seed of the first centroids.

    Returns
    -------
    VectorClusters or None
        None where too few words have vectors for any clustering.
    """
    found = [v for word in sorted(set(words)) if (v := _unit_vector(vocab, word)) is not None]
    used = [size for size in sizes if 1 < size < len(found)]
    if not used:
        return None
    rows = np.array(found)
    return VectorClusters(tuple(k_means(rows, size, seed=seed)[1] for size in used))


def k_means(rows: FloatArray, size: int, *, seed: int) -> tuple[NDArray[np.intp], FloatArray]:
    """Cluster rows of unit length by their cosine (spherical k-means, Dhillon and Modha 2001).

    Parameters
    ----------
    rows : array, shape (n, dimensions)
        Of unit length, or zero.
    size : int
        Number of clusters, at most ``n``.
    seed : int
        Seed of the first centroids, which are different rows.

    Returns
    -------
    members : array of int, shape (n,)
        The cluster of each row.
    centroids : array, shape (size, dimensions)
        Of unit length; a cluster that loses all its rows keeps its centroid.
    """
    draw = np.random.default_rng(seed)
    centroids = rows[np.sort(draw.choice(len(rows), size, replace=False))].copy()
    members = np.zeros(len(rows), np.intp)
    for step in range(ITERATIONS):
        # Rounded, so that a tie is one on every machine.
        nearest = np.round(rows @ centroids.T, 9).argmax(axis=1)
        if step and np.array_equal(nearest, members):
            break
        members = nearest
        filled, firsts = np.unique(np.sort(members), return_index=True)
        order = np.argsort(members, kind="stable")
        centroids[filled] = _unit_rows(np.add.reduceat(rows[order], firsts, axis=0))
    return members, centroids


def _neighbor_counts(texts: Sequence[Sequence[str]], words: Sequence[str]) -> FloatArray:
    """Count the frequent words, and the ends of texts, before and after each word."""
    row_of = {word: i for i, word in enumerate(words)}
    contexts = words[:MAX_CONTEXTS]
    column_of = {word: i for i, word in enumerate(contexts)}
    edge, width = len(contexts), len(contexts) + 1
    rows: list[int] = []
    columns: list[int] = []
    for text in texts:
        places = [column_of.get(word, -1) for word in text]
        for i, word in enumerate(text):
            row = row_of.get(word)
            if row is None:
                continue
            before = places[i - 1] if i else edge
            after = places[i + 1] if i + 1 < len(text) else edge
            rows += [row] * ((before >= 0) + (after >= 0))
            columns += [before] * (before >= 0) + [width + after] * (after >= 0)
    counts = np.zeros((len(words), 2 * width))
    np.add.at(counts, (np.array(rows, np.intp), np.array(columns, np.intp)), 1.0)
    return _positive_information(counts)


def _positive_information(counts: FloatArray) -> FloatArray:
    """Turn counts into positive pointwise mutual information (Church and Hanks 1990)."""
    total = max(1.0, counts.sum())
    expected = counts.sum(axis=1, keepdims=True) * (counts.sum(axis=0, keepdims=True) / total)
    ratio = np.divide(counts, expected, out=np.ones_like(counts), where=counts > 0)
    return np.asarray(np.maximum(0.0, np.log(ratio)))


def _unit_rows(rows: FloatArray) -> FloatArray:
    norms = np.sqrt((rows * rows).sum(axis=1, keepdims=True))
    return np.asarray(np.divide(rows, norms, out=np.zeros_like(rows), where=norms > 0))


def _unit_vector(vocab: Vocab, word: str) -> FloatArray | None:
    if not vocab.has_vector(word):
        return None
    found: Any = vocab.get_vector(word)
    vector = np.asarray(found.get() if hasattr(found, "get") else found, np.float64)
    norm = float(np.sqrt((vector * vector).sum()))
    return vector / norm if norm > 0 else None
