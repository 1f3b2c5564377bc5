"""What a person has fixed in a text, and the lattice that is left once it is fixed."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from nbner.decoding.arrays import BoolArray, FloatArray
from nbner.errors import DataError
from nbner.types import Span

Interval = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Constraints:
    """What every analysis must hold, and must not hold.

    Parameters
    ----------
    forced : tuple of Span
        In every analysis, whether or not the model could find them: a label
        that the model does not know is taken as well.
    forbidden : tuple of Span
        In no analysis. Another label, or other bounds, may come in their place.
    outside : tuple of (int, int)
        Stretches of code points, half-open, that no entity may touch.
    """

    forced: tuple[Span, ...] = ()
    forbidden: tuple[Span, ...] = ()
    outside: tuple[Interval, ...] = ()


@dataclass(frozen=True, slots=True)
class TokenConstraints:
    """Constraints in tokens: half-open places, with the position of the label.

    Parameters
    ----------
    forced, forbidden : tuple of (int, int, int)
        First token, token behind the last, label; -1 for a label that the
        model does not know.
    outside : tuple of (int, int)
    """

    forced: tuple[tuple[int, int, int], ...] = ()
    forbidden: tuple[tuple[int, int, int], ...] = ()
    outside: tuple[Interval, ...] = ()


def apply_constraints(weights: FloatArray, fixed: TokenConstraints) -> FloatArray:
    """Leave only the segments that agree with the constraints.

    Parameters
    ----------
    weights : array, shape (positions, width, labels + 1)
        Not changed.
    fixed : TokenConstraints

    Returns
    -------
    array, shape (positions, width, labels + 1)
        The tokens of a forced span stand here as tokens outside: its weight is
        on the first of them, and 0 on the others, or on all where the model
        gives it none. So it may be of any length and label.
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
    """Look the weight of an entity up; -inf where the model cannot make it."""
    start, end, label = place
    width = weights.shape[1]
    if label < 0 or end - start > width:
        return -np.inf
    return float(weights[end - 1, width - (end - start), label])


def check_constraints(
    constraints: Constraints, fixed: TokenConstraints, preset: BoolArray, weights: FloatArray
) -> None:
    """Say which constraints contradict each other, or what was set before the recognizer.

    Raises
    ------
    DataError
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
    for (start, end, label), span in pairs:
        if any(start < stop and begin < end for begin, stop in fixed.outside):
            raise DataError(
                f"{describe_span(span)} is forced where nothing may be an entity",
                remedy="Take the stretch out of outside=, or do not force the span",
            )
        impossible = np.isneginf(span_weight(weights, (start, end, label)))
        if impossible and preset[start:end].any():
            raise DataError(
                f"{describe_span(span)} contradicts an entity or a blocked token that an earlier "
                "component of the pipeline has set",
                remedy="Do not force it, or take that component out of the pipeline",
            )


def describe_span(span: Span) -> str:
    """Name a span in a message."""
    return f"the {span.label} from {span.start} to {span.end}"
