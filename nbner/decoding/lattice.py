"""Lattices of a batch of docs: the weight of every segment of their analyses.

An analysis divides a text into segments: entities, and single tokens outside of
entities. The weight of a segment is the sum of the scores of its actions (O;
U-x; B-x I-x ... L-x), and the score of an action depends on nothing but the
current token and the first token of the open entity. So the weights of all
segments determine every search: the model is semi-Markov.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

import numpy as np

from nbner._common.format import plural
from nbner.decoding.arrays import BoolArray, Float32Array, FloatArray, IntArray, index_within_groups
from nbner.decoding.state_scorer import STATES_PER_PASS, StateScorer
from nbner.decoding.transitions import ValidActions
from nbner.errors import DataError

if TYPE_CHECKING:
    from spacy.pipeline import EntityRecognizer
    from spacy.tokens import Doc


MAX_BYTES = 1_000_000_000  # bytes of the weights of one batch


@dataclass(frozen=True, slots=True)
class LatticeSettings:
    """Options of lattice construction.

    Parameters
    ----------
    normalized : bool
        Use the log-softmax over the valid actions of each state, so that the score
        of an analysis is its log-probability.
    max_span_length : int, optional
        Tokens of the longest entity; None for no limit. Entities that are set
        before the recognizer runs are kept whatever their length.
    temperature : float
        Divides the model's scores.
    """

    normalized: bool = True
    max_span_length: int | None = None
    temperature: float = 1.0


@dataclass(frozen=True, slots=True)
class LatticeBatch:
    """The weights of all segments of a batch of docs.

    Parameters
    ----------
    weights : array of float64, shape (docs, positions, width, labels + 1)
        ``weights[d, j, a, y]`` is the weight of the segment that ends with
        token ``j`` and begins with token ``j - width + 1 + a``, of label ``y``;
        the last ``y`` is a token outside of entities. -inf for no such segment.
    lengths : array of int, shape (docs,)
        Tokens of each doc, descending.
    preset : tuple of array of bool
        For each doc the tokens that are set before the recognizer runs.
    labels : tuple of str
        Sorted.
    """

    weights: FloatArray
    lengths: IntArray
    preset: tuple[BoolArray, ...]
    labels: tuple[str, ...]


def count_weights(docs: int, tokens: int, max_span_length: int | None, labels: int) -> int:
    """Return the number of weights of a batch.

    Parameters
    ----------
    docs : int
        Number of docs.
    tokens : int
        Tokens of the longest doc.
    max_span_length : int, optional
        Tokens of the longest entity; None for no limit.
    labels : int
        Number of labels.
    """
    width = tokens if max_span_length is None else min(tokens, max_span_length)
    return docs * tokens * width * (labels + 1)


def build_lattices(
    recognizer: EntityRecognizer,
    docs: Sequence[Doc],
    settings: LatticeSettings = LatticeSettings(),
    scorer: StateScorer | None = None,
) -> LatticeBatch:
    """Score all states of a batch of docs and sum the scores of each segment.

    Parameters
    ----------
    recognizer : EntityRecognizer
        The trained component.
    docs : sequence of Doc
        As the recognizer receives them, longest first, none empty.
    settings : LatticeSettings
        Normalization, temperature and maximum length.
    scorer : StateScorer, optional
        Of these docs, where there is one already.

    Returns
    -------
    LatticeBatch

    Raises
    ------
    DataError
        A text is too long for entities of any length.
    """
    scorer = StateScorer(recognizer, docs) if scorer is None else scorer
    moves = scorer.transitions
    valid = ValidActions.from_docs(docs, moves)
    lengths = np.array([len(doc) for doc in docs], np.intp)
    doc_of = np.repeat(np.arange(len(docs)), lengths)
    place_of = index_within_groups(lengths)
    most = _max_tokens(valid, doc_of, settings.max_span_length)
    width = int(most.max())
    shape = (len(docs), int(lengths[0]), width, len(moves.labels) + 1)
    _check_size(shape)
    weights = np.full(shape, -np.inf)
    single, begun = _closed_state_weights(scorer, valid, settings)
    weights[doc_of, place_of, width - 1] = single
    flat = weights.reshape(-1, shape[3])
    row_of = (doc_of * shape[1] + place_of) * width + width - 1
    for levels in _group_lengths(most, width):
        tokens = np.concatenate([starts + more for more, starts in levels])
        begins = np.concatenate([starts for _, starts in levels])
        going, ending = _open_state_weights(scorer, valid, settings, tokens, begins)
        at = 0
        for more, starts in levels:
            part = slice(at, at + len(starts))
            so_far = begun[starts]
            flat[row_of[starts + more] - more, :-1] = so_far + ending[part]
            begun[starts] = so_far + going[part]
            at += len(starts)
    preset = tuple(np.split(valid.preset, np.cumsum(lengths)[:-1]))
    return LatticeBatch(weights, lengths, preset, moves.labels)


def _group_lengths(most: IntArray, width: int) -> Iterator[list[tuple[int, IntArray]]]:
    """Group entity lengths, so that many states are scored in one call.

    The layers are faster over many states than over few, up to a point.

    Yields
    ------
    list of (more, starts)
        Tokens after the first one, and the starts of entities that can have them.
    """
    levels: list[tuple[int, IntArray]] = []
    states = 0
    starts = np.arange(len(most))
    for more in range(1, width):
        starts = starts[most[starts] > more]
        if levels and states + len(starts) > STATES_PER_PASS:
            yield levels
            levels, states = [], 0
        levels.append((more, starts))
        states += len(starts)
    if levels:
        yield levels


def _check_size(shape: tuple[int, int, int, int]) -> None:
    size = 8 * prod(shape)
    if size > MAX_BYTES:
        _, tokens, width, _ = shape
        raise DataError(
            f"a text of {plural(tokens, 'token')}, with entities of up to {width:,}, would take "
            f"{size / 1e9:.1f} GB",
            field="text",
            remedy="Limit the length of entities, such as max_span_length=20, or split the text",
        )


def _max_tokens(valid: ValidActions, doc_of: IntArray, max_span_length: int | None) -> IntArray:
    """Return the largest number of tokens of an entity that begins at each token."""
    stretch = valid.region_ids() + doc_of
    last = np.searchsorted(stretch, stretch, side="right") - 1
    available = last - np.arange(len(stretch)) + 1
    if max_span_length is None:
        return available
    return np.where(valid.preset, available, np.minimum(available, max_span_length))


def _closed_state_weights(
    scorer: StateScorer, valid: ValidActions, settings: LatticeSettings
) -> tuple[FloatArray, FloatArray]:
    """Compute the weights of the actions in all states without an open entity.

    Returns
    -------
    single : array, shape (tokens, labels + 1)
        U-x; in the last column O, or "U-" for a blocked token.
    begun : array, shape (tokens, labels)
        B-x.
    """
    moves = scorer.transitions
    tokens = np.arange(len(valid.outside))
    raw = _tempered(scorer.scores(tokens, np.full(len(tokens), -1)), settings)
    outside = np.where(valid.blocked, _column(raw, moves.blocked), _column(raw, moves.outside))
    outside[~(valid.blocked | valid.outside)] = -np.inf
    units = np.where(valid.unit, _columns(raw, moves.unit), -np.inf)
    begun = np.where(valid.begin, _columns(raw, moves.begin), -np.inf)
    if settings.normalized:
        total = np.logaddexp.reduce(np.column_stack([units, outside, begun]), axis=1)
        total[np.isneginf(total)] = 0.0
        units, outside, begun = units - total[:, None], outside - total, begun - total[:, None]
    return np.column_stack([units, outside]), begun


def _open_state_weights(
    scorer: StateScorer,
    valid: ValidActions,
    settings: LatticeSettings,
    tokens: IntArray,
    starts: IntArray,
) -> tuple[FloatArray, FloatArray]:
    """Compute the weights of I-x and L-x in states with an open entity.

    Returns
    -------
    going, ending : array, shape (states, labels)
    """
    moves = scorer.transitions
    raw = _tempered(scorer.scores(tokens, starts), settings)
    going = np.where(valid.inside[tokens], _columns(raw, moves.inside), -np.inf)
    ending = _columns(raw, moves.last)
    closes = valid.closes[tokens]
    foreign = closes >= 0
    ending[foreign] = ending[foreign, closes[foreign]][:, None]
    ending[~valid.last[tokens]] = -np.inf
    if settings.normalized:
        total = np.logaddexp(going, ending)
        total[np.isneginf(total)] = 0.0
        going, ending = going - total, ending - total
    return going, ending


def _tempered(scores: Float32Array, settings: LatticeSettings) -> FloatArray:
    """Divide scores by the temperature, in 64 bits: NumPy 1 would keep an array's 32."""
    return scores.astype(np.float64) / settings.temperature


def _columns(raw: FloatArray, columns: IntArray) -> FloatArray:
    taken = raw[:, columns]
    taken[:, columns < 0] = -np.inf
    return taken


def _column(raw: FloatArray, column: int) -> FloatArray:
    return raw[:, column] if column >= 0 else np.full(len(raw), -np.inf)
