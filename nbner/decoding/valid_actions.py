"""What spaCy's transition system allows at each token, for whole batches at once.

The rules are those of ``BiluoPushDown`` in spaCy 3.8: entities that are set
before the recognizer runs, blocked tokens, sentence starts, whitespace and the
end of the text. They depend on the token, on whether an entity is open and on
its label; never on where the entity began.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nbner.decoding.arrays import BoolArray, IntArray, Uint64Array
from nbner.decoding.transitions import Transitions

if TYPE_CHECKING:
    from spacy.tokens import Doc

# spaCy's ENT_IOB: 0 nothing is set, 1 inside, 2 outside, 3 begins. "Outside" binds
# nobody: the recognizer may still find an entity there. "Begins" without a type blocks.
_IN, _BEGIN = 1, 3
_ATTRIBUTES: list[int | str] = ["ENT_IOB", "ENT_TYPE", "SENT_START", "IS_SPACE"]


@dataclass(frozen=True, slots=True)
class ValidActions:
    """Which actions are valid, for the concatenated tokens of a batch.

    Parameters
    ----------
    outside, blocked : array of bool, shape (tokens,)
        No entity is open: O, and "U-".
    unit, begin : array of bool, shape (tokens, labels)
        No entity is open: U-x, B-x.
    inside, last : array of bool, shape (tokens, labels)
        An entity of that label is open: it goes on, it ends here.
    closes : array of int, shape (tokens,)
        The label whose L- action ends whatever is open; -1 where it is the
        open entity's own. The two differ only in presets that contradict
        themselves.
    preset : array of bool, shape (tokens,)
        Part of an entity that was set before the recognizer runs, or blocked.
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
        """Work out the rules for docs as they arrive at the recognizer."""
        facts = np.concatenate([doc.to_array(_ATTRIBUTES).reshape(len(doc), 4) for doc in docs])
        ends = np.cumsum([len(doc) for doc in docs]) - 1
        final = np.zeros(len(facts), np.bool_)
        final[ends] = True
        iob, kind, sentence, space = facts.T
        following = np.where(final, 0, np.roll(iob, -1))
        before_sentence = ~final & (np.roll(sentence, -1) == 1)
        return _apply_rules(iob, kind, space == 1, final, following, before_sentence, moves)

    def allowed(self, token: int, open_label: int | None, moves: Transitions) -> BoolArray:
        """Mark the classes that are valid in one state.

        Parameters
        ----------
        token : int
        open_label : int, optional
            Position of the open entity's label; None where none is open.
        moves : Transitions

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
        """Count the stretches that an entity cannot leave, up to each token."""
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
