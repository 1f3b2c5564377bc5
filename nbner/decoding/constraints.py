"""Constraints on the analyses of a text, and the lattice that satisfies them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from nbner.decoding.arrays import BoolArray, FloatArray
from nbner.errors import DataError
from nbner.types import Span

Interval = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Constraints:
    """Spans that every analysis must contain, must not contain, or must leave untouched.

    Parameters
    ----------
    forced : tuple of Span
        In every analysis, even if the model cannot predict them: a label that the
        model does not know is accepted as well.
    forbidden : tuple of Span
        In no analysis. The same place may get another label or other bounds.
    outside : tuple of (int, int)
        Half-open ranges of code points that no entity may overlap.
    """

    forced: tuple[Span, ...] = ()
    forbidden: tuple[Span, ...] = ()
    outside: tuple[Interval, ...] = ()


@dataclass(frozen=True, slots=True)
class TokenConstraints:
    """Constraints in token indices (half-open) and label indices.

    Parameters
    ----------
    forced, forbidden : tuple of (int, int, int)
        Start token, end token (exclusive), label; -1 for a label that the model
        does not know.
    outside : tuple of (int, int)
        Half-open ranges of tokens that no entity may overlap.
    """

    forced: tuple[tuple[int, int, int], ...] = ()
    forbidden: tuple[tuple[int, int, int], ...] = ()
    outside: tuple[Interval, ...] = ()


def apply_constraints(weights: FloatArray, fixed: TokenConstraints) -> FloatArray:
    """Return weights in which only segments that satisfy the constraints are finite.

    Parameters
    ----------
    weights : array, shape (positions, width, labels + 1)
        Weights of one text; not modified.
    fixed : TokenConstraints
        The constraints.

    Returns
    -------
    array, shape (positions, width, labels + 1)
        The tokens of a forced span are represented as tokens outside of entities:
        the first one has the span's weight, and 0 if the model cannot predict the
        span; the others have 0. So the span may have any length and label.
    """
    left = weights.copy()
    positions, width, kinds = weights.shape
    ends = np.arange(positions)[:, None]
    starts = ends - width + 1 + np.arange(width)
    for start, end in fixed.outside:
        left[(ends >= start) & (starts < end), : kinds - 1] = -np.inf
    for start, end, label in fixed.forbidden:
        if label >= 0 and end - start <= width:
            left[end - 1, width - (end - start), label] = -np.inf
    for start, end, label in fixed.forced:
        left[(ends >= start) & (starts < end)] = -np.inf
        left[start:end, width - 1, kinds - 1] = 0.0
        weight = span_weight(weights, (start, end, label))
        if np.isfinite(weight):
            left[start, width - 1, kinds - 1] = weight
    return left


def span_weight(weights: FloatArray, place: tuple[int, int, int]) -> float:
    """Return the weight of an entity; -inf if the model cannot predict it.

    Parameters
    ----------
    weights : array, shape (positions, width, labels + 1)
        Weights of one text.
    place : (int, int, int)
        Start token, end token (exclusive) and label index; -1 for an unknown label.
    """
    start, end, label = place
    width = weights.shape[1]
    if label < 0 or end - start > width:
        return -np.inf
    return float(weights[end - 1, width - (end - start), label])


def check_constraints(
    constraints: Constraints,
    fixed: TokenConstraints,
    preset: BoolArray,
    impossible: Sequence[bool],
) -> None:
    """Raise an error for constraints that contradict each other or a preset entity.

    Parameters
    ----------
    constraints : Constraints
        The constraints in code points, named in messages.
    fixed : TokenConstraints
        The same constraints in tokens.
    preset : array of bool, shape (tokens,)
        Tokens that an earlier component has annotated or blocked.
    impossible : sequence of bool
        For each forced span whether the model cannot predict it.

    Raises
    ------
    DataError
        Forced spans overlap, are forbidden or outside as well, or contradict a
        preset entity.
    """
    pairs = sorted(zip(fixed.forced, constraints.forced, strict=True), key=lambda pair: pair[0])
    for ((_, end, _), one), ((start, _, _), other) in pairwise(pairs):
        if start < end:
            raise DataError(
                f"{describe_span(one)} and {describe_span(other)} are both forced, and overlap",
                remedy="Force one of them",
            )
    for span in constraints.forced:
        if span in constraints.forbidden:
            raise DataError(
                f"{describe_span(span)} is both forced and forbidden", remedy="Choose one"
            )
    for (start, end, _), span in pairs:
        if any(start < stop and begin < end for begin, stop in fixed.outside):
            raise DataError(
                f"{describe_span(span)} is forced where nothing may be an entity",
                remedy="Take the stretch out of outside=, or do not force the span",
            )
    for (start, end, _), span, cannot in zip(
        fixed.forced, constraints.forced, impossible, strict=True
    ):
        if cannot and preset[start:end].any():
            raise DataError(
                f"{describe_span(span)} contradicts an entity or a blocked token that an earlier "
                "component of the pipeline has set",
                remedy="Do not force it, or take that component out of the pipeline",
            )


def describe_span(span: Span) -> str:
    """Return a description of a span for messages.

    Parameters
    ----------
    span : Span
        The span.
    """
    return f"the {span.label} from {span.start} to {span.end}"
