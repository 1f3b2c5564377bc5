"""The actions of spaCy's recognizer: which column of the scores stands for which."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nbner.decoding.arrays import IntArray, Uint64Array

if TYPE_CHECKING:
    from spacy.pipeline import EntityRecognizer

BLOCKED = "U-"


@dataclass(frozen=True, slots=True)
class Transitions:
    """The recognizer's classes, sorted by what they do.

    Parameters
    ----------
    names : tuple of str
        One a column: "O", "B-x", "I-x", "L-x", "U-x", and "U-", which takes a
        token that is blocked.
    labels : tuple of str
        Sorted.
    label_hashes : array of uint64
        The labels as spaCy stores them in a doc.
    outside, blocked : int
        Columns of O and of "U-"; -1 where there is none.
    begin, inside, last, unit : array of int
        The columns of each label; -1 where there is none.
    unseen : array of int
        Columns that were never trained. As in spaCy, they get the least score
        of their row.
    """

    names: tuple[str, ...]
    labels: tuple[str, ...]
    label_hashes: Uint64Array
    outside: int
    blocked: int
    begin: IntArray
    inside: IntArray
    last: IntArray
    unit: IntArray
    unseen: IntArray

    @classmethod
    def from_recognizer(cls, recognizer: EntityRecognizer) -> Transitions:
        """Read them off a recognizer."""
        # Parser.move_names leaves out "U-", so its positions are not the columns.
        moves: Any = recognizer.moves
        names = tuple(moves.get_class_name(column) for column in range(moves.n_moves))
        column = {name: position for position, name in enumerate(names)}
        labels = tuple(sorted({name[2:] for name in names if name[1:2] == "-" and name[2:]}))

        def columns(action: str) -> IntArray:
            return np.array([column.get(f"{action}-{label}", -1) for label in labels], np.intp)

        return cls(
            names=names,
            labels=labels,
            label_hashes=np.array([recognizer.vocab.strings[one] for one in labels], np.uint64),
            outside=column.get("O", -1),
            blocked=column.get(BLOCKED, -1),
            begin=columns("B"),
            inside=columns("I"),
            last=columns("L"),
            unit=columns("U"),
            unseen=np.array(sorted(recognizer.model.attrs["unseen_classes"]), np.intp),
        )
