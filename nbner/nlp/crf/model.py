"""Weights of a linear-chain conditional random field, token scores, and the best analysis.

Tags are "O", and "B-x" and "I-x" for each label (IOB2). A sequence of tags in
which "I-x" follows nothing but "B-x" and "I-x" is one analysis, and each
analysis is one such sequence; all others have the score minus infinity.
The score of an analysis is the sum of the weights of its features, token by
token, and of its transitions. All sums are over one text at a time and in one
order, so that no result depends on the other texts of a batch.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nbner.errors import ModelError
from nbner.nlp.crf.clusters import VectorClusters, WordClusters
from nbner.nlp.crf.features import EDGE, OFFSETS, FeatureExtractor, TypedTexts

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]

OUTSIDE_TAG = 0
_FORMAT = "nbner-crf-1"
# What reading bytes that are no model can raise; nothing in them is ever run.
_READ_ERRORS = (
    *(ValueError, KeyError, TypeError, IndexError, AttributeError),
    *(OSError, EOFError, OverflowError, MemoryError, RecursionError),
)


def begin_tag(label: int) -> int:
    """Return the tag of the first token of an entity.

    Parameters
    ----------
    label : int
        Index of the label.
    """
    return 1 + 2 * label


def inside_tag(label: int) -> int:
    """Return the tag of the other tokens of an entity.

    Parameters
    ----------
    label : int
        Index of the label.
    """
    return 2 + 2 * label


def allowed_transitions(labels: int) -> NDArray[np.bool_]:
    """Return which tag may follow which.

    Parameters
    ----------
    labels : int
        Number of labels.

    Returns
    -------
    array of bool, shape (tags, tags)
        From the row's tag to the column's.
    """
    tags = 1 + 2 * labels
    allowed = np.ones((tags, tags), np.bool_)
    for label in range(labels):
        inside = inside_tag(label)
        allowed[:, inside] = False
        allowed[[begin_tag(label), inside], inside] = True
    return allowed


def tags_to_entities(tags: Sequence[int]) -> list[tuple[int, int, int]]:
    """Return the entities of a valid sequence of tags.

    Parameters
    ----------
    tags : sequence of int
        One a token.

    Returns
    -------
    list of (int, int, int)
        First token, last token (exclusive), label.
    """
    found: list[tuple[int, int, int]] = []
    for i, tag in enumerate(tags):
        if tag == OUTSIDE_TAG:
            continue
        label, is_inside = divmod(tag - 1, 2)
        start = found[-1][0] if is_inside else i
        if is_inside:
            found.pop()
        found.append((start, i + 1, label))
    return found


@dataclass(frozen=True, slots=True)
class TagScores:
    """Scores of the tags of a batch of texts.

    Parameters
    ----------
    emissions : array of float64, shape (texts, positions, tags)
        Score of each tag at each token, padded with 0; -inf for a tag that a
        token cannot have.
    lengths : array of int, shape (texts,)
        Tokens of each text that are no whitespace, descending, all above 0.
    transitions : array of float64, shape (tags, tags)
        Score of one tag after another; -inf where it may not follow.
    exceptions : mapping
        From a position to the transitions into it, where they are others.
    """

    emissions: FloatArray
    lengths: IntArray
    transitions: FloatArray
    exceptions: Mapping[int, FloatArray] = field(default_factory=dict)

    def into(self, position: int) -> FloatArray:
        """Return the transitions into a position, shape (tags, tags).

        Parameters
        ----------
        position : int
            Above 0.
        """
        return self.exceptions.get(position, self.transitions)

    def count_active(self, position: int) -> int:
        """Return the number of texts that have a token at a position.

        Parameters
        ----------
        position : int
            Counted from 0.
        """
        return int(np.searchsorted(-self.lengths, -position, side="left"))


@dataclass(frozen=True)
class CrfModel:
    """A trained conditional random field.

    Parameters
    ----------
    labels : tuple of str
        Sorted.
    features : dict
        Feature to its row in ``weights``.
    weights : array of float32, shape (features + 1, offsets, tags)
        Weight of a feature of the token at each of `OFFSETS` for each tag of
        the token in the middle; the last row, of unknown features, is 0.
    bias : array of float32, shape (tags,)
        Weight of each tag.
    transitions : array of float32, shape (tags, tags)
        Weight of one tag after another.
    extractor : FeatureExtractor
        The features of tokens.
    """

    labels: tuple[str, ...]
    features: dict[str, int] = field(repr=False)
    weights: NDArray[np.float32] = field(repr=False)
    bias: NDArray[np.float32] = field(repr=False)
    transitions: NDArray[np.float32] = field(repr=False)
    extractor: FeatureExtractor = field(default=FeatureExtractor(), repr=False)

    @cached_property
    def masked_transitions(self) -> FloatArray:
        """Transitions with -inf where a tag may not follow, shape (tags, tags)."""
        allowed = allowed_transitions(len(self.labels))
        return np.where(allowed, self.transitions.astype(np.float64), -np.inf)

    @cached_property
    def _edge_scores(self) -> FloatArray:
        scores: FloatArray = self._type_scores([(EDGE,)])[0]
        return scores

    def token_scores(self, texts: TypedTexts) -> list[FloatArray]:
        """Score the tags of each token of a batch of texts.

        Parameters
        ----------
        texts : TypedTexts
            The texts' features.

        Returns
        -------
        list of array, shape (tokens, tags)
            One a text; the transitions are not in it, and only "I-x" at the
            first token is -inf.
        """
        types = np.concatenate([self._type_scores(texts.features), self._edge_scores[None]])
        edge = len(texts.features)
        reach = max(OFFSETS)
        margin = np.full(reach, edge)
        padded = [np.concatenate([margin, one, margin]) for one in texts.types]
        flat = np.concatenate(padded) if padded else np.zeros(0, np.intp)
        sizes = np.array([len(one) for one in texts.types], np.intp)
        starts = np.cumsum(sizes + 2 * reach) - (sizes + 2 * reach) + reach
        ends = np.cumsum(sizes)
        place = np.arange(int(sizes.sum())) + np.repeat(starts - (ends - sizes), sizes)
        scores = np.tile(self.bias.astype(np.float64), (len(place), 1))
        for column, offset in enumerate(OFFSETS):
            scores += types[flat[place + offset], column]
        found = np.split(scores, ends[:-1]) if len(ends) else []
        for one in found:
            one[:1, inside_tag(0) :: 2] = -np.inf
        return found

    def _type_scores(self, features: Sequence[Sequence[str]]) -> FloatArray:
        """Sum the weights of the features of token types, shape (types, offsets, tags)."""
        unknown = len(self.features)
        rows = [[self.features.get(name, unknown) for name in one] for one in features]
        most = max(map(len, rows), default=0)
        indices = np.array([row + [unknown] * (most - len(row)) for row in rows], np.intp)
        scores = np.zeros((len(rows), *self.weights.shape[1:]))
        for column in range(most):
            scores += self.weights[indices[:, column]]
        return scores

    def to_bytes(self) -> bytes:
        """Serialize everything: JSON, then arrays in NumPy's format, no pickle."""
        vectors = self.extractor.vector_clusters
        clusters = self.extractor.clusters
        place = np.nonzero(self.weights)
        header = {
            "format": _FORMAT,
            "labels": list(self.labels),
            "features": list(self.features),
            "outside": list(self.extractor.outside),
            "clusters": None if clusters is None else clusters.to_json(),
            "vectors": 0 if vectors is None else len(vectors.centroids),
        }
        arrays = [
            np.ravel_multi_index(place, self.weights.shape).astype("<i8"),
            self.weights[place].astype("<f4"),
            self.bias.astype("<f4"),
            self.transitions.astype("<f4"),
            *(() if vectors is None else (one.astype("<f8") for one in vectors.centroids)),
        ]
        # ASCII alone: a lone surrogate of a text is written as its escape.
        packed = json.dumps(header, sort_keys=True).encode("ascii")
        stream = io.BytesIO()
        stream.write(len(packed).to_bytes(8, "little") + packed)
        for array in arrays:
            np.save(stream, array, allow_pickle=False)
        return stream.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> CrfModel:
        """Restore a model.

        Parameters
        ----------
        data : bytes
            From `to_bytes`.

        Raises
        ------
        ModelError
            The bytes are no such model, or were cut short.
        """
        try:
            return cls._read(io.BytesIO(data))
        except _READ_ERRORS as error:
            raise ModelError(
                "the weights of nbner_crf cannot be read: they are damaged, or were written by "
                f"another version of nbner ({error}). Save the pipeline again with "
                "nlp.to_disk(folder), or train it anew."
            ) from error

    @classmethod
    def _read(cls, stream: io.BytesIO) -> CrfModel:
        size = int.from_bytes(stream.read(8), "little")
        header: dict[str, Any] = json.loads(stream.read(size).decode("ascii"))
        if header["format"] != _FORMAT:
            raise ValueError(f"format {header['format']!r}")
        labels, names = tuple(header["labels"]), header["features"]
        place, values, bias, transitions = (np.load(stream, allow_pickle=False) for _ in range(4))
        tags = 1 + 2 * len(labels)
        weights = np.zeros((len(names) + 1, len(OFFSETS), tags), np.float32)
        weights.reshape(-1)[place] = values
        if bias.shape != (tags,) or transitions.shape != (tags, tags):
            raise ValueError("the arrays do not fit the labels")
        centroids = tuple(np.load(stream, allow_pickle=False) for _ in range(header["vectors"]))
        if stream.read(1):
            raise ValueError("there are bytes after the end")
        clusters = header["clusters"]
        extractor = FeatureExtractor(
            clusters=None if clusters is None else WordClusters.from_json(clusters),
            outside=tuple(header["outside"]),
            vector_clusters=VectorClusters(centroids) if centroids else None,
        )
        rows = {name: i for i, name in enumerate(names)}
        return cls(labels, rows, weights, bias, transitions, extractor)


def stack_scores(scores: Sequence[FloatArray], transitions: FloatArray) -> TagScores:
    """Stack the token scores of texts.

    Parameters
    ----------
    scores : sequence of array, shape (tokens, tags)
        Longest first, none empty.
    transitions : array, shape (tags, tags)
        See `TagScores`.
    """
    lengths = np.array([len(one) for one in scores], np.intp)
    emissions = np.zeros((len(scores), int(lengths[0]), len(transitions)))
    for row, one in enumerate(scores):
        emissions[row, : len(one)] = one
    return TagScores(emissions, lengths, transitions)


def viterbi(batch: TagScores) -> tuple[FloatArray, IntArray]:
    """Find the best sequence of tags of each text (Viterbi 1967).

    Of sequences with equal scores the one is taken whose last tag comes first
    in the order of tags, then whose last tag but one does, and so on: as in the
    list of the k best.

    Parameters
    ----------
    batch : TagScores
        The scores.

    Returns
    -------
    scores : array, shape (texts,)
        -inf for a text without any analysis.
    tags : array of int, shape (texts, positions)
        -1 after a text's end.
    """
    docs, positions, tags = batch.emissions.shape
    best = batch.emissions[:, 0].copy()
    back = np.zeros((docs, positions, tags), np.intp)
    for j in range(1, positions):
        going = batch.count_active(j)
        # Both sums are taken before the greatest is, as the search for the k best does.
        through = best[:going, :, None] + batch.into(j)
        through += batch.emissions[:going, j, None, :]
        chosen = through.argmax(axis=1)
        back[:going, j] = chosen
        best[:going] = np.take_along_axis(through, chosen[:, None], axis=1)[:, 0]
    rows = np.arange(docs)
    found = np.full((docs, positions), -1, np.intp)
    last = best.argmax(axis=1)
    scores = best[rows, last]
    tag = last
    for j in range(positions - 1, -1, -1):
        going = batch.count_active(j)
        found[:going, j] = tag[:going]
        tag[:going] = back[rows[:going], j, tag[:going]]
    return scores, found
