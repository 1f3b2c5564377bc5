"""Actions of spaCy's transition system: their score columns, and which are valid at each token."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nbner.decoding.arrays import BoolArray, IntArray, Uint64Array

if TYPE_CHECKING:
    from spacy.pipeline import EntityRecognizer
    from spacy.tokens import Doc

BLOCKED = "U-"


@dataclass(frozen=True, slots=True)
class Transitions:
    """Score columns of the recognizer's actions, by kind of action.

    Parameters
    ----------
    names : tuple of str
        One a column: "O", "B-x", "I-x", "L-x", "U-x", and "U-", the action for a
        blocked token.
    labels : tuple of str
        Sorted.
    label_hashes : array of uint64
        Hashes of the labels in the pipeline's string store.
    outside, blocked : int
        Columns of "O" and of "U-"; -1 if there is none.
    begin, inside, last, unit : array of int, shape (labels,)
        The columns of each label; -1 if there is none.
    unseen : array of int
        Columns that were never trained. As in spaCy, they get the minimum score of
        their row.
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
        """Read the columns of a recognizer.

        Parameters
        ----------
        recognizer : EntityRecognizer
            The component.
        """
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


# spaCy's ENT_IOB: 0 nothing is set, 1 inside, 2 outside, 3 begins. "Outside" binds
# nobody: the recognizer may still find an entity there. "Begins" without a type blocks.
_IN, _BEGIN = 1, 3
_ATTRIBUTES: list[int | str] = ["ENT_IOB", "ENT_TYPE", "SENT_START", "IS_SPACE"]


@dataclass(frozen=True, slots=True)
class ValidActions:
    """Valid actions at the concatenated tokens of a batch.

    The rules are those of ``BiluoPushDown`` in spaCy 3.8: entities that are set
    before the recognizer runs, blocked tokens, sentence starts, whitespace and the
    end of the text. They depend on the token, on whether an entity is open and on
    its label; never on its first token.

    Parameters
    ----------
    outside, blocked : array of bool, shape (tokens,)
        O and "U-", if no entity is open.
    unit, begin : array of bool, shape (tokens, labels)
        U-x and B-x, if no entity is open.
    inside, last : array of bool, shape (tokens, labels)
        I-x and L-x, if an entity of that label is open.
    closes : array of int, shape (tokens,)
        Index of the label whose L- action ends any open entity; -1 if it is the
        open entity's own. They differ only in contradictory presets.
    preset : array of bool, shape (tokens,)
        Whether the token is blocked, or part of an entity that is set before the
        recognizer runs.
    """

    outside: BoolArray
    blocked: BoolArray
    unit: BoolArray
    begin: BoolArray
    inside: BoolArray
    last: BoolArray
    closes: IntArray
    preset: BoolArray

    @classmethod
    def from_docs(cls, docs: Sequence[Doc], moves: Transitions) -> ValidActions:
        """Compute the valid actions of docs.

        Parameters
        ----------
        docs : sequence of Doc
            As the recognizer receives them; none is empty.
        moves : Transitions
            Columns of the recognizer.
        """
        facts = np.concatenate([doc.to_array(_ATTRIBUTES).reshape(len(doc), 4) for doc in docs])
        ends = np.cumsum([len(doc) for doc in docs]) - 1
        final = np.zeros(len(facts), np.bool_)
        final[ends] = True
        iob, kind, sentence, space = facts.T
        following = np.where(final, 0, np.roll(iob, -1))
        before_sentence = ~final & (np.roll(sentence, -1) == 1)
        return _apply_rules(iob, kind, space == 1, final, following, before_sentence, moves)

    def allowed(self, token: int, open_label: int | None, moves: Transitions) -> BoolArray:
        """Return a mask of the classes that are valid in one state.

        Parameters
        ----------
        token : int
            The current token.
        open_label : int, optional
            Index of the open entity's label; None if none is open.
        moves : Transitions
            Columns of the recognizer.

        Returns
        -------
        array of bool, shape (classes,)
        """
        valid = np.zeros(len(moves.names) + 1, np.bool_)  # the last one stands for "no column"
        if open_label is None:
            valid[moves.unit] = self.unit[token]
            valid[moves.begin] = self.begin[token]
            valid[moves.outside] = self.outside[token]
            valid[moves.blocked] = self.blocked[token]
        else:
            ending = self.closes[token] if self.closes[token] >= 0 else open_label
            valid[moves.inside[open_label]] = self.inside[token, open_label]
            valid[moves.last[ending]] = self.last[token, open_label]
        return valid[:-1]

    def region_ids(self) -> IntArray:
        """Return the number of the region of each token, which an entity cannot leave.

        Returns
        -------
        array of int, shape (tokens,)
            Ascending; equal for two tokens of the same region.
        """
        goes_on = (self.begin | self.inside).any(axis=1)
        return np.concatenate([[0], np.cumsum(~goes_on)[:-1]]).astype(np.intp)


def _apply_rules(
    iob: Uint64Array,
    kind: Uint64Array,
    space: BoolArray,
    final: BoolArray,
    following: Uint64Array,
    before_sentence: BoolArray,
    moves: Transitions,
) -> ValidActions:
    is_kind = kind[:, None] == moves.label_hashes
    begins, goes_on = iob == _BEGIN, iob == _IN
    then_in, then_begin = following == _IN, following == _BEGIN
    free_begin = ~goes_on & ~then_begin & ~before_sentence & ~space
    preset_ends = goes_on & ~then_in
    kind_of = np.where(is_kind.any(axis=1), is_kind.argmax(axis=1), -1)
    return ValidActions(
        outside=~begins & ~goes_on,
        blocked=begins & (kind == 0),
        unit=np.where(begins[:, None], is_kind, ~space[:, None]) & ~then_in[:, None],
        begin=np.where(begins[:, None], is_kind & then_in[:, None], free_begin[:, None])
        & ~final[:, None],
        inside=np.where(goes_on[:, None], is_kind & then_in[:, None], ~before_sentence[:, None])
        & ~(final | begins | then_begin)[:, None],
        last=np.broadcast_to(np.where(preset_ends, kind_of >= 0, ~then_in)[:, None], is_kind.shape),
        closes=np.where(preset_ends, kind_of, -1).astype(np.intp),
        preset=begins | goes_on,
    )
