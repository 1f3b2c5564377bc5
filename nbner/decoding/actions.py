"""Scores and probabilities of the recognizer's actions in each of its states.

A state is the current token and the open entity, if there is one: its first
token and its label. Scores are the model's own; probabilities are their softmax
over the actions that are valid in the state, and 0 for the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nbner.decoding.arrays import BoolArray, Float32Array, FloatArray
from nbner.decoding.batching import ExampleOrText, docs_before_ner, transition_recognizer
from nbner.decoding.state_scorer import StateScorer
from nbner.decoding.transitions import ValidActions
from nbner.io.docbin import tokens_from_doc
from nbner.types import Token

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.pipeline import EntityRecognizer
    from spacy.tokens import Doc

MAX_LISTED_SPAN_LENGTH = 10  # tokens of the longest entity whose states are listed


@dataclass(frozen=True, slots=True)
class ParserState:
    """State of the transition system.

    Parameters
    ----------
    token : int
        Index of the token that the next action is applied to.
    start : int, optional
        Index of the first token of the open entity; None if none is open.
    label : str, optional
        Label of the open entity; None if none is open.
    """

    token: int
    start: int | None = None
    label: str | None = None


@dataclass(frozen=True, slots=True)
class ActionMatrix:
    """Scores of every action in a number of states of one text.

    Parameters
    ----------
    text : str
        The text.
    tokens : tuple of Token
        Its tokens.
    actions : tuple of str
        Names of the columns: "O", "B-x", "I-x", "L-x", "U-x".
    states : tuple of ParserState
        One a row.
    scores : array of float32, shape (states, actions)
        The model's scores, not normalized.
    valid : array of bool, shape (states, actions)
        Whether the action is valid in the state.
    """

    text: str
    tokens: tuple[Token, ...]
    actions: tuple[str, ...]
    states: tuple[ParserState, ...]
    scores: Float32Array
    valid: BoolArray

    @property
    def probabilities(self) -> FloatArray:
        """Softmax of the scores over the valid actions of each state, shape (states, actions)."""
        masked = np.where(self.valid, self.scores.astype(np.float64), -np.inf)
        peak = masked.max(axis=1, keepdims=True, initial=-np.inf)
        exponentials = np.exp(masked - np.where(np.isneginf(peak), 0.0, peak))
        return np.asarray(
            exponentials / np.maximum(exponentials.sum(axis=1, keepdims=True), 1e-300)
        )

    @property
    def best(self) -> tuple[str, ...]:
        """The valid action with the highest score in each state."""
        masked = np.where(self.valid, self.scores, -np.inf)
        return tuple(self.actions[i] for i in masked.argmax(axis=1)) if len(masked) else ()


@dataclass(frozen=True, slots=True)
class TextActionScores:
    """Action scores of one text, along the greedy path and in every reachable state.

    Parameters
    ----------
    greedy_path : ActionMatrix
        One state a token, as greedy search goes through them.
    reachable : ActionMatrix
        All states whose open entity is no longer than the limit.
    token_vectors : array of float32, shape (tokens, width)
        Output of the recognizer's ``tok2vec`` layer.
    """

    greedy_path: ActionMatrix
    reachable: ActionMatrix
    token_vectors: Float32Array


def action_scores(
    nlp: Language, items: Iterable[ExampleOrText], *, max_span_length: int = MAX_LISTED_SPAN_LENGTH
) -> Iterator[TextActionScores]:
    """Compute the action scores of texts, in order.

    Parameters
    ----------
    nlp : Language
        Pipeline with a trained entity recognizer.
    items : iterable of Example or str
        The texts; the given tokens of an example are kept.
    max_span_length : int
        Tokens of the longest open entity whose states are listed.

    Yields
    ------
    TextActionScores
        One a text.

    Raises
    ------
    ModelError
        The pipeline has no entity recognizer, an untrained one, or a random
        field, which has no actions.
    """
    recognizer = transition_recognizer(
        nlp,
        "A table of action scores, and the token features made of it,",
        "The probability of each label at each token is in "
        "session.model.span_probabilities(text).token_frame",
    )
    for docs in docs_before_ner(nlp, items):
        yield from (_ActionReader(recognizer, doc, max_span_length).read() for doc in docs)


class _ActionReader:
    def __init__(self, recognizer: EntityRecognizer, doc: Doc, max_span_length: int) -> None:
        self._doc = doc
        self._max_span_length = max_span_length
        self._recognizer: Any = recognizer
        self._scorer = StateScorer(recognizer, [doc]) if len(doc) else None

    def read(self) -> TextActionScores:
        if self._scorer is None:
            return _empty_scores(self._doc)
        moves = self._scorer.transitions
        self._valid = ValidActions.from_docs([self._doc], moves)
        states = list(self._reachable())
        scores = self._scores(states)
        reachable = self._actions(states, scores)
        known = {(one.token, one.start): row for one, row in zip(states, scores, strict=True)}
        path = list(self._greedy(known))
        tok2vec = self._recognizer.model.get_ref("tok2vec")
        vectors = tok2vec.ops.to_numpy(tok2vec.predict([self._doc]))
        greedy_path = self._actions([state for state, _ in path], [row for _, row in path])
        return TextActionScores(greedy_path, reachable, vectors)

    def _reachable(self) -> Iterator[ParserState]:
        labels = self._moves.labels
        valid = self._valid
        for token in range(len(self._doc)):
            yield ParserState(token)
            for at, label in enumerate(labels):
                for start in range(max(0, token - self._max_span_length + 1), token):
                    inside = valid.inside[start + 1 : token, at].all()
                    if valid.begin[start, at] and inside:
                        yield ParserState(token, start, label)

    def _greedy(
        self, known: dict[tuple[int, int | None], Any]
    ) -> Iterator[tuple[ParserState, Any]]:
        state = ParserState(0)
        while state.token < len(self._doc):
            row = known.get((state.token, state.start))
            if row is None:  # an entity that is longer than was asked for
                row = self._scores([state])[0]
            yield state, row
            masked = np.where(self._allowed(state), row, -np.inf)
            state = next_state(state, self._moves.names[int(masked.argmax())])

    @property
    def _moves(self) -> Any:
        assert self._scorer is not None  # noqa: S101 - for the type checker: there is a token
        return self._scorer.transitions

    def _scores(self, states: Sequence[ParserState]) -> Any:
        assert self._scorer is not None  # noqa: S101 - for the type checker: there is a token
        tokens = np.array([one.token for one in states], np.intp)
        starts = np.array([-1 if one.start is None else one.start for one in states], np.intp)
        return self._scorer.scores(tokens, starts)

    def _allowed(self, state: ParserState) -> BoolArray:
        label = None if state.label is None else self._moves.labels.index(state.label)
        return self._valid.allowed(state.token, label, self._moves)

    def _actions(self, states: Sequence[ParserState], scores: Sequence[Any]) -> ActionMatrix:
        return ActionMatrix(
            text=self._doc.text,
            tokens=tokens_from_doc(self._doc),
            actions=self._moves.names,
            states=tuple(states),
            scores=np.stack(list(scores)),
            valid=np.stack([self._allowed(one) for one in states]),
        )


def next_state(state: ParserState, action: str) -> ParserState:
    """Return the state that an action leads to.

    Parameters
    ----------
    state : ParserState
        State before the action.
    action : str
        Name of the action, such as "B-PERSON" or "O".
    """
    if action.startswith("B-"):
        return ParserState(state.token + 1, state.token, action[2:])
    if action.startswith("I-"):
        return ParserState(state.token + 1, state.start, state.label)
    return ParserState(state.token + 1)


def _empty_scores(doc: Doc) -> TextActionScores:
    empty = np.zeros((0, 0), np.float32)
    none = ActionMatrix(doc.text, (), (), (), empty, np.zeros((0, 0), np.bool_))
    return TextActionScores(none, none, empty)
