"""Trace of the recognizer on one text: actions, costs and beam at every step.

Every state is a state of spaCy, changed by its transition system: validity,
scores, costs and effects of actions come from spaCy and are not reimplemented.

The *training oracle* is spaCy's dynamic oracle (Goldberg and Nivre 2012, "A
dynamic oracle for arc-eager dependency parsing"; for entities in
``BiluoPushDown``): in any state, also one that is not on the path to the gold,
it assigns each valid action a cost, 0 if the action loses nothing of the gold
that can still be reached. Training raises the scores of the actions of cost 0
in the states that the model's own decisions lead to: this is imitation learning.

The *beam* is spaCy's own beam search over raw scores: after every token the
best sequences of actions are kept, by the sum of their scores. Greedy search is
a beam of width 1.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from spacy.pipeline._parser_internals._beam_utils import (  # type: ignore[import-not-found]
    BeamBatch,
)
from spacy.training import Example as Pair

from nbner.decoding.actions import ParserState, next_state
from nbner.decoding.batching import ExampleOrText, docs_before_ner, transition_recognizer
from nbner.io.docbin import tokens_from_doc
from nbner.nlp.gold_docs import reference_doc
from nbner.types import Example, Span, Token

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.pipeline import EntityRecognizer
    from spacy.tokens import Doc

BEAM_WIDTH = 8  # sequences in the beam


@dataclass(frozen=True, slots=True)
class ActionChoice:
    """One valid action in one state.

    Parameters
    ----------
    action : str
        "O", "B-x", "I-x", "L-x" or "U-x".
    score : float
        The model's score, not normalized.
    probability : float
        Softmax of the scores over the valid actions.
    cost : float, optional
        Cost by the training oracle; 0 loses nothing of the gold that can still be
        reached. None without gold.
    """

    action: str
    score: float
    probability: float
    cost: float | None = None

    @property
    def is_zero_cost(self) -> bool:
        """Whether the training oracle allows the action."""
        return self.cost is not None and self.cost <= 0


@dataclass(frozen=True, slots=True)
class BeamHypothesis:
    """One sequence of actions in the beam.

    Parameters
    ----------
    score : float
        Sum of the scores of its actions.
    parent : int, optional
        Index in the beam one token earlier; None before the first token.
    action : str, optional
        Its last action; None before the first token.
    spans : tuple of Span
        The entities that are complete.
    state : ParserState
        Next token and open entity.
    is_greedy, is_best, is_gold : bool
        Whether it is a prefix of the greedy sequence, of the best one of the final
        beam, and of the gold.
    """

    score: float
    parent: int | None
    action: str | None
    spans: tuple[Span, ...]
    state: ParserState
    is_greedy: bool = False
    is_best: bool = False
    is_gold: bool = False


@dataclass(frozen=True, slots=True)
class TraceStep:
    """One decision of greedy search, and the beam before it.

    Parameters
    ----------
    state : ParserState
        Current token and open entity.
    word : str
        Text of the current token.
    choices : tuple of ActionChoice
        The valid actions, the most probable first.
    chosen : ActionChoice
        The one with the highest score, which greedy search takes.
    beam : tuple of BeamHypothesis
        The beam before this token, the best first.
    """

    state: ParserState
    word: str
    choices: tuple[ActionChoice, ...]
    chosen: ActionChoice
    beam: tuple[BeamHypothesis, ...]

    @property
    def zero_cost(self) -> tuple[str, ...]:
        """The actions that the training oracle allows; none without gold."""
        return tuple(one.action for one in self.choices if one.is_zero_cost)

    @property
    def is_mistake(self) -> bool:
        """Whether the chosen action has a cost above 0."""
        return self.chosen.cost is not None and self.chosen.cost > 0


@dataclass(frozen=True, slots=True)
class ParserTrace:
    """All steps of the recognizer on one text.

    Parameters
    ----------
    text : str
        The text.
    tokens : tuple of Token
        Its tokens.
    steps : tuple of TraceStep
        One a token.
    spans : tuple of Span
        Entities that greedy search predicts.
    score : float
        Sum of the scores along the greedy path.
    final_beam : tuple of BeamHypothesis
        The beam after the last token, the best first.
    gold : tuple of Span, optional
        Gold entities, if known.
    """

    text: str
    tokens: tuple[Token, ...]
    steps: tuple[TraceStep, ...]
    spans: tuple[Span, ...]
    score: float
    final_beam: tuple[BeamHypothesis, ...]
    gold: tuple[Span, ...] | None = None

    @property
    def search_error(self) -> BeamHypothesis | None:
        """The beam's best hypothesis if its score is above the greedy one's; else None."""
        best = self.final_beam[0] if self.final_beam else None
        if best is None or best.is_greedy or best.score <= self.score:
            return None
        return best


def trace(
    nlp: Language,
    item: ExampleOrText,
    gold: Sequence[Span] | None = None,
    *,
    beam_width: int = BEAM_WIDTH,
) -> ParserTrace:
    """Run greedy search and beam search on a text and record every step.

    Parameters
    ----------
    nlp : Language
        Pipeline with a trained entity recognizer.
    item : Example or str
        The text; the given tokens of an example are kept.
    gold : sequence of Span, optional
        Complete gold: aligned with tokens, not overlapping, of labels that the
        model knows.
    beam_width : int
        Largest number of hypotheses in the beam.

    Raises
    ------
    ModelError
        The pipeline has no entity recognizer, an untrained one, or a random
        field, which has no states.
    """
    recognizer = transition_recognizer(
        nlp,
        "The state viewer",
        "The analyses that it weighs are in session.parses(text, k), and the probability of each "
        "label at each token in session.model.span_probabilities(text)",
    )
    ((doc,),) = docs_before_ner(nlp, [item])
    if not len(doc):
        return ParserTrace(doc.text, (), (), (), 0.0, (), None if gold is None else tuple(gold))
    pair = None if gold is None else Pair(doc, _gold_doc(nlp, item, gold))
    runner = _TransitionRunner(recognizer, doc, pair)
    decisions = list(runner.greedy())
    history = [runner.names.index(chosen.action) for _, _, chosen in decisions]
    correct = None if gold is None else runner.oracle(gold)
    beams = list(runner.beams(beam_width, history, correct))
    return ParserTrace(
        text=doc.text,
        tokens=tokens_from_doc(doc),
        steps=tuple(
            TraceStep(state, doc[state.token].text, choices, chosen, beam)
            for (state, choices, chosen), beam in zip(decisions, beams, strict=False)
        ),
        spans=runner.read(history)[0],
        score=sum(chosen.score for _, _, chosen in decisions),
        final_beam=beams[-1],
        gold=None if gold is None else tuple(gold),
    )


def _gold_doc(nlp: Language, item: ExampleOrText, gold: Sequence[Span]) -> Doc:
    example = Example(item) if isinstance(item, str) else item
    gold_example = replace(example, spans=tuple(gold), answer="accept", labels=None, binary=False)
    return reference_doc(nlp, gold_example, ())


class _TransitionRunner:
    """Applies actions to spaCy's states of one doc."""

    def __init__(self, recognizer: EntityRecognizer, doc: Doc, pair: Pair | None) -> None:
        # As greedy_parse does: a label that only the docs hold becomes a class.
        recognizer._ensure_labels_are_added([doc])  # noqa: SLF001
        self._moves: Any = recognizer.moves
        model: Any = recognizer.model
        self._step_model = model.predict([doc])
        self._ops = model.ops
        self._doc = doc
        self._pair = pair
        self.names = [self._moves.get_class_name(i) for i in range(self._moves.n_moves)]

    def greedy(self) -> Iterator[tuple[ParserState, tuple[ActionChoice, ...], ActionChoice]]:
        """Yield each state of greedy search, its valid actions, and the chosen one."""
        (state,) = self._moves.init_batch([self._doc])
        gold = None if self._pair is None else self._moves.init_gold(state, self._pair)
        at = ParserState(0)
        while not state.is_final():
            choices = self._choices(state, gold)
            # Of equal scores spaCy takes the first class; so does the stable sort.
            chosen = choices[0]
            yield at, choices, chosen
            self._moves.apply_transition(state, chosen.action)
            at = next_state(at, chosen.action)

    def oracle(self, gold: Sequence[Span]) -> list[int] | None:
        """Return the sequence of actions of the gold; None if the transition system forbids it."""
        try:
            found: list[int] = self._moves.get_oracle_sequence(self._pair)
        except ValueError:
            return None
        return found if set(self.read(found)[0]) == set(gold) else None

    def beams(
        self, width: int, greedy: Sequence[int], gold: Sequence[int] | None
    ) -> Iterator[tuple[BeamHypothesis, ...]]:
        """Yield the beam before every token, and after the last."""
        batch = BeamBatch(
            self._moves, self._moves.init_batch([self._doc]), None, width, density=0.0
        )
        found: list[tuple[list[list[int]], list[float]]] = [([[]], [0.0])]
        while not batch.is_done:
            scores = self._step_model.predict(batch.get_unfinished_states())
            batch.advance(self._ops.to_numpy(scores))
            (beam,) = batch
            scores = list(beam.scores)
            # The list of histories may be longer than that of the hypotheses in the beam.
            histories = beam.histories[: len(scores)]
            found.append(([list(one) for one in histories], scores))
        references = (greedy, found[-1][0][0], gold)
        before: list[list[int]] = []
        for histories, scores in found:
            yield tuple(
                self._build_hypothesis(history, score, before, references)
                for history, score in zip(histories, scores, strict=True)
            )
            before = histories

    def read(self, history: Sequence[int]) -> tuple[tuple[Span, ...], ParserState]:
        """Return the entities that a sequence of actions completes, and its final state."""
        state, spans = ParserState(0), []
        for column in history:
            action = self.names[column]
            if action[0] in "LU" and action[2:]:
                first = self._doc[state.token if state.start is None else state.start]
                last = self._doc[state.token]
                label = action[2:] if state.label is None else state.label
                spans.append(Span(first.idx, last.idx + len(last), label))
            state = next_state(state, action)
        return tuple(spans), state

    def _choices(self, state: Any, gold: Any) -> tuple[ActionChoice, ...]:
        scores = self._ops.to_numpy(self._step_model.predict([state]))[0]
        valid = [i for i, name in enumerate(self.names) if self._moves.is_valid(state, name)]
        masked = scores[valid].astype(np.float64)
        shares = np.exp(masked - np.logaddexp.reduce(masked))
        costs = [None if gold is None else self._moves.get_cost(state, gold, i) for i in valid]
        found = [
            ActionChoice(self.names[i], float(score), float(share), cost)
            for i, score, share, cost in zip(valid, scores[valid], shares, costs, strict=True)
        ]
        return tuple(sorted(found, key=lambda one: -one.score))

    def _build_hypothesis(
        self,
        history: list[int],
        score: float,
        before: list[list[int]],
        references: tuple[Sequence[int], Sequence[int], Sequence[int] | None],
    ) -> BeamHypothesis:
        spans, state = self.read(history)
        greedy, best, gold = (
            one is not None and history == list(one[: len(history)]) for one in references
        )
        return BeamHypothesis(
            score=float(score),
            parent=before.index(history[:-1]) if history else None,
            action=self.names[history[-1]] if history else None,
            spans=spans,
            state=state,
            is_greedy=greedy,
            is_best=best,
            is_gold=gold,
        )
