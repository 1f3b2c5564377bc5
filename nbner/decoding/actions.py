"""The last layer: what the recognizer thinks of every action, state by state.

A state is the current token and the entity that is open, if one is: its first
token and its label. Scores are the model's own; probabilities are their
softmax over the actions that are valid in the state, and 0 elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nbner.decoding.arrays import Flags, Floats, Scores
from nbner.decoding.batching import Item, arriving, trained_recognizer
from nbner.decoding.state_scorer import StateScorer
from nbner.decoding.valid_actions import Validity
from nbner.io.docbin import tokens_of
from nbner.types import Token

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.pipeline import EntityRecognizer
    from spacy.tokens import Doc

LONGEST = 10  # tokens of the longest entity whose states are listed


@dataclass(frozen=True, slots=True)
class State:
    """Where the recognizer stands.

    Parameters
    ----------
    token : int
        The token that is to be decided on.
    start : int, optional
        First token of the open entity; None where none is open.
    label : str, optional
        Its label.
    """

    token: int
    start: int | None = None
    label: str | None = None


@dataclass(frozen=True, slots=True)
class Actions:
    """Scores of every action in some states of one text.

    Parameters
    ----------
    text : str
    tokens : tuple of Token
    actions : tuple of str
        The axis of columns: "O", "B-x", "I-x", "L-x", "U-x".
    states : tuple of State
        The axis of rows.
    scores : array of float32, shape (states, actions)
    valid : array of bool, shape (states, actions)
    """

    text: str
    tokens: tuple[Token, ...]
    actions: tuple[str, ...]
    states: tuple[State, ...]
    scores: Scores
    valid: Flags

    @property
    def probabilities(self) -> Floats:
        """The softmax of the scores over each state's valid actions, shape (states, actions)."""
        raised = np.where(self.valid, self.scores.astype(np.float64), -np.inf)
        most = raised.max(axis=1, keepdims=True, initial=-np.inf)
        shares = np.exp(raised - np.where(np.isneginf(most), 0.0, most))
        return np.asarray(shares / np.maximum(shares.sum(axis=1, keepdims=True), 1e-300))

    @property
    def best(self) -> tuple[str, ...]:
        """The valid action with the highest score in each state."""
        raised = np.where(self.valid, self.scores, -np.inf)
        return tuple(self.actions[i] for i in raised.argmax(axis=1)) if len(raised) else ()


@dataclass(frozen=True, slots=True)
class TextActions:
    """A text's actions along the greedy path, and in every state that can be reached.

    Parameters
    ----------
    path : Actions
        One state a token.
    reachable : Actions
        All states with an open entity of at most so many tokens.
    vectors : array, shape (tokens, width)
        What the layers before the states make of each token.
    """

    path: Actions
    reachable: Actions
    vectors: Scores


def action_scores(
    nlp: Language, items: Iterable[Item], *, longest: int = LONGEST
) -> Iterator[TextActions]:
    """Score the actions of texts.

    Parameters
    ----------
    nlp : Language
    items : iterable of Example or str
    longest : int
        Tokens of the longest entity whose states are listed.

    Raises
    ------
    ModelError
        The pipeline has no entity recognizer, or an untrained one.
    """
    recognizer = trained_recognizer(nlp)
    for docs in arriving(nlp, items):
        yield from (_Reader(recognizer, doc, longest).read() for doc in docs)


class _Reader:
    def __init__(self, recognizer: EntityRecognizer, doc: Doc, longest: int) -> None:
        self._doc = doc
        self._longest = longest
        self._recognizer: Any = recognizer
        self._scorer = StateScorer(recognizer, [doc]) if len(doc) else None

    def read(self) -> TextActions:
        if self._scorer is None:
            return _nothing(self._doc)
        moves = self._scorer.moves
        self._valid = Validity.of([self._doc], moves)
        states = list(self._reachable())
        scores = self._scores(states)
        reachable = self._actions(states, scores)
        known = {(one.token, one.start): row for one, row in zip(states, scores, strict=True)}
        path = list(self._greedy(known))
        vectors = np.asarray(self._recognizer.model.get_ref("tok2vec").predict([self._doc]))
        walked = self._actions([state for state, _ in path], [row for _, row in path])
        return TextActions(walked, reachable, vectors)

    def _reachable(self) -> Iterator[State]:
        labels = self._moves.labels
        valid = self._valid
        for token in range(len(self._doc)):
            yield State(token)
            for at, label in enumerate(labels):
                for start in range(max(0, token - self._longest + 1), token):
                    inside = valid.inside[start + 1 : token, at].all()
                    if valid.begin[start, at] and inside:
                        yield State(token, start, label)

    def _greedy(self, known: dict[tuple[int, int | None], Any]) -> Iterator[tuple[State, Any]]:
        state = State(0)
        while state.token < len(self._doc):
            row = known.get((state.token, state.start))
            if row is None:  # an entity that is longer than was asked for
                row = self._scores([state])[0]
            yield state, row
            raised = np.where(self._allowed(state), row, -np.inf)
            state = after(state, self._moves.names[int(raised.argmax())])

    @property
    def _moves(self) -> Any:
        assert self._scorer is not None  # noqa: S101 - for the type checker: there is a token
        return self._scorer.moves

    def _scores(self, states: Sequence[State]) -> Any:
        assert self._scorer is not None  # noqa: S101 - for the type checker: there is a token
        tokens = np.array([one.token for one in states], np.intp)
        starts = np.array([-1 if one.start is None else one.start for one in states], np.intp)
        return self._scorer.scores(tokens, starts)

    def _allowed(self, state: State) -> Flags:
        label = None if state.label is None else self._moves.labels.index(state.label)
        return self._valid.allowed(state.token, label, self._moves)

    def _actions(self, states: Sequence[State], scores: Sequence[Any]) -> Actions:
        return Actions(
            text=self._doc.text,
            tokens=tokens_of(self._doc),
            actions=self._moves.names,
            states=tuple(states),
            scores=np.stack(list(scores)),
            valid=np.stack([self._allowed(one) for one in states]),
        )


def after(state: State, action: str) -> State:
    """Say where an action leads to."""
    if action.startswith("B-"):
        return State(state.token + 1, state.token, action[2:])
    if action.startswith("I-"):
        return State(state.token + 1, state.start, state.label)
    return State(state.token + 1)


def _nothing(doc: Doc) -> TextActions:
    empty = np.zeros((0, 0), np.float32)
    none = Actions(doc.text, (), (), (), empty, np.zeros((0, 0), np.bool_))
    return TextActions(none, none, empty)
