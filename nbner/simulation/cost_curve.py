"""Learning curves of annotating, over actions and seconds. Pure functions of plain values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CostPoint:
    """How one way to annotate stands after a round.

    Parameters
    ----------
    condition : str
    round : int
        From 1; 0 for a model that was there before.
    examples, spans : int
        Accepted so far, and spans in them.
    actions : int
        Key presses and drags so far.
    seconds : float
        Of annotating so far; training is not counted.
    n_wrong : int
        Spans that the answers have and gold has not, or the other way round.
    f : float
        Of the model trained on what was accepted, on dev.
    """

    condition: str
    round: int
    examples: int
    spans: int
    actions: int
    seconds: float
    n_wrong: int
    f: float


def points_by_condition(points: Sequence[CostPoint]) -> dict[str, list[CostPoint]]:
    """Give each way's points, in the order of rounds."""
    found: dict[str, list[CostPoint]] = {}
    for point in points:
        found.setdefault(point.condition, []).append(point)
    return found


def seconds_to_reach(points: Sequence[CostPoint], f: float) -> float | None:
    """Estimate the seconds after which one way has reached some F.

    By straight lines between its points; None where it never has.
    """
    before = None
    for point in points:
        if point.f >= f:
            if before is None or point.f == before.f:
                return point.seconds
            part = (f - before.f) / (point.f - before.f)
            return before.seconds + part * (point.seconds - before.seconds)
        before = point
    return None


def common_best_f(points: Sequence[CostPoint]) -> float:
    """Give the highest F that every way has reached."""
    return min(max(point.f for point in some) for some in points_by_condition(points).values())
