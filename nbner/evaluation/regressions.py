"""What retraining has changed: which spans went from right to wrong, and from wrong to right.

Pure functions of plain spans.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from nbner.evaluation.scores import PRF, Score
from nbner.types import Example, Span

Turn: TypeAlias = Literal["right to wrong", "wrong to right"]
TURNS: tuple[Turn, ...] = ("right to wrong", "wrong to right")

MARGIN = 0.05  # F that a label may lose
LEAST = 10  # gold spans below which a loss says nothing


@dataclass(frozen=True, slots=True)
class Flip:
    """One span on which the old and the new model part, and one of them is right.

    Parameters
    ----------
    number : int
        Position of the example.
    example : Example
        With its gold spans.
    span : Span
        In gold, or predicted and not in gold.
    turn : {"right to wrong", "wrong to right"}
    is_gold : bool
        A gold span that was found or lost; else a wrong one that came or went.
    """

    number: int
    example: Example
    span: Span
    turn: Turn
    is_gold: bool


@dataclass(frozen=True, slots=True)
class Loss:
    """A label on which the new model is worse.

    Parameters
    ----------
    label : str
    before, after : float
        F.
    support : int
        Gold spans counted over.
    """

    label: str
    before: float
    after: float
    support: int

    def __str__(self) -> str:
        lost = 100 * (self.before - self.after)
        return (
            f"{self.label} lost {lost:.1f} F ({self.before:.3f} to {self.after:.3f} over "
            f"{self.support:,} gold spans)"
        )


def flips(
    gold: Sequence[Example], before: Iterable[Sequence[Span]], after: Iterable[Sequence[Span]]
) -> list[Flip]:
    """List every span on which exactly one of two models is right.

    Parameters
    ----------
    gold : sequence of Example
        A label that could not be given in an example is not counted there.
    before, after : iterable of sequences of Span
        Predictions for each example in turn.
    """
    found = []
    for number, (example, old, new) in enumerate(zip(gold, before, after, strict=True)):
        right = set(example.spans)
        for span in sorted(set(old) ^ set(new), key=lambda one: (one.start, one.end, one.label)):
            if example.labels is not None and span.label not in example.labels:
                continue
            was_there, is_gold = span in set(old), span in right
            turn: Turn = "right to wrong" if was_there == is_gold else "wrong to right"
            found.append(Flip(number, example, span, turn, is_gold))
    return found


def counted(found: Iterable[Flip]) -> Counter[tuple[str, Turn]]:
    """Count flips by label and turn."""
    return Counter((one.span.label, one.turn) for one in found)


def losses(
    before: Score, after: Score, *, margin: float = MARGIN, least: int = LEAST
) -> list[Loss]:
    """Name the labels on which a model is worse than another by more than a margin.

    Parameters
    ----------
    before, after : Score
        Over the same examples.
    margin : float
        F that a label may lose.
    least : int
        Labels with fewer gold spans are not judged.
    """
    found = []
    for label, old in before.per_label.items():
        new = after.per_label.get(label, PRF())
        was, now = old.f, new.f or 0.0
        if was is not None and old.support >= least and was - now > margin:
            found.append(Loss(label, was, now, old.support))
    return sorted(found, key=lambda one: one.after - one.before)


def frozen_sets(
    gold: Sequence[Example], kept: Mapping[str, Sequence[int]], *, most: int = 200
) -> dict[str, list[int]]:
    """Keep each label's regression set as it was, and freeze one for labels without.

    Parameters
    ----------
    gold : sequence of Example
    kept : mapping
        Label to input hashes, from the run before.
    most : int
        Examples a label.

    Returns
    -------
    dict of str to list of int
        Label to the input hashes of the examples that stand for it.
    """
    sets = {label: list(hashes) for label, hashes in kept.items()}
    labels = sorted({span.label for one in gold for span in one.spans} - sets.keys())
    for label in labels:
        holding = [one.input_hash for one in gold if any(s.label == label for s in one.spans)]
        sets[label] = holding[:most]
    return sets
