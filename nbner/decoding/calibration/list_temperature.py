"""Temperature of the states for k best lists, fitted by the likelihood of the gold analysis.

The probability of an analysis is the product of the probabilities of its actions,
each a softmax over the valid actions of its state. A temperature divides the scores
before the softmax: above 1 it flattens every state's distribution. Other than a
temperature of span probabilities it changes the order of the list, since an analysis
that leaves the greedy path at one sure state is no longer behind all those that leave
it at several unsure ones.

The gold analysis goes through one state a token, so that its likelihood needs those
states alone and no lattice. Its logarithm is concave in 1 / temperature, and the slope
is bisected. As for `calibration.temperature`, figures are counted over texts whose
temperature comes from the other folds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nbner._common.bootstrap import FloatArray
from nbner.decoding.arrays import BoolArray, IntArray
from nbner.decoding.batching import docs_before_ner, transition_recognizer
from nbner.decoding.calibration.temperature import FOLDS, MAX_TEMPERATURE, MIN_TEMPERATURE
from nbner.decoding.spans import TokenOffsets
from nbner.decoding.state_scorer import StateScorer
from nbner.decoding.transitions import Transitions, ValidActions
from nbner.nlp.gold_docs import lacks_labels
from nbner.types import Example, Span

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.pipeline import EntityRecognizer
    from spacy.tokens import Doc

DOCS_PER_BATCH = 64
MIN_GOLD_SPANS = 30  # in texts whose gold is an analysis of the model


@dataclass(frozen=True, slots=True)
class GoldActions:
    """Scores of the valid actions in the states that the gold analyses go through.

    Parameters
    ----------
    scores : array of float64, shape (states, classes)
        The model's scores minus that of the gold action; -inf for an action that is
        not valid in the state.
    text : array of int, shape (states,)
        Index of the text of each state among those that are reachable.
    n_texts : int
        Number of texts whose gold is an analysis of the model.
    n_spans : int
        Number of their gold spans.
    unreachable : int
        Number of texts whose gold is none (an unknown label, a span off the
        tokens, an action that is not valid), or is not complete, since the answer
        could not give one of the model's labels.
    """

    scores: FloatArray
    text: IntArray
    n_texts: int
    n_spans: int
    unreachable: int

    def log_likelihoods(self, temperature: float | FloatArray) -> FloatArray:
        """Compute the log-probability of each text's gold analysis, in nats.

        Parameters
        ----------
        temperature : float or array of shape (n_texts,)
            Divides the scores; one for all texts, or one a text.

        Returns
        -------
        array of shape (n_texts,)
        """
        each = np.broadcast_to(temperature, self.n_texts)[self.text]
        losses = np.logaddexp.reduce(self.scores / each[:, None], axis=1)
        return np.asarray(np.bincount(self.text, -losses, minlength=self.n_texts), np.float64)

    def fit(self, texts: IntArray | None = None) -> float:
        """Return the temperature under which the gold of some texts is likeliest.

        Parameters
        ----------
        texts : array of int, optional
            Indices of the texts; all by default.

        Returns
        -------
        float
            Between 0.05 and 20.
        """
        scores = self.scores if texts is None else self.scores[np.isin(self.text, texts)]
        finite = np.where(np.isneginf(scores), 0.0, scores)
        low, high = 1 / MAX_TEMPERATURE, 1 / MIN_TEMPERATURE
        for _ in range(40):
            middle = (low + high) / 2
            weights = middle * scores
            weights = np.exp(weights - np.logaddexp.reduce(weights, axis=1, keepdims=True))
            # The slope in 1 / temperature: the score of gold, 0, minus the expected one.
            slope = -float((weights * finite).sum())
            low, high = (middle, high) if slope > 0 else (low, middle)
        # A file keeps no more digits than these.
        return round(2 / (low + high), 6)

    def cross_fit(self, *, folds: int = FOLDS, seed: int = 0) -> FloatArray:
        """Return for each text the temperature that the texts of the other folds choose.

        Parameters
        ----------
        folds : int
            Number of folds, at most one a text.
        seed : int
            Seed of the assignment of texts to folds.

        Returns
        -------
        array of shape (n_texts,)
            1 where there is a single text.
        """
        count = min(folds, self.n_texts)
        fold = np.random.default_rng(seed).permutation(self.n_texts) % max(1, count)
        found = np.ones(self.n_texts)
        for number in range(count if count > 1 else 0):
            found[fold == number] = self.fit(np.flatnonzero(fold != number))
        return found


def gold_actions(nlp: Language, gold: Iterable[Example]) -> GoldActions:
    """Score the states that the gold analyses of texts go through.

    Parameters
    ----------
    nlp : Language
        Pipeline with a trained entity recognizer.
    gold : iterable of Example
        Tokenized examples with complete gold.

    Raises
    ------
    ModelError
        The pipeline has no trained recognizer, or a conditional random field, which
        has no states.
    """
    recognizer = transition_recognizer(
        nlp,
        "A temperature of the states",
        "The order of its list does not depend on a temperature; session.model.calibrate() "
        "calibrates its span probabilities",
    )
    parts: list[FloatArray] = []
    texts: list[IntArray] = []
    spans = reachable = unreachable = 0
    examples = list(gold)
    docs = (doc for group in docs_before_ner(nlp, examples) for doc in group)
    for example, rows in zip(examples, _score_docs(recognizer, docs, examples), strict=True):
        if rows is None:
            unreachable += 1
            continue
        parts.append(rows)
        texts.append(np.full(len(rows), reachable, np.intp))
        spans += len(example.spans)
        reachable += 1
    if not parts:
        return GoldActions(np.zeros((0, 1)), np.zeros(0, np.intp), 0, 0, unreachable)
    return GoldActions(np.concatenate(parts), np.concatenate(texts), reachable, spans, unreachable)


def _score_docs(
    recognizer: EntityRecognizer, docs: Iterable[Doc], gold: Sequence[Example]
) -> Iterator[FloatArray | None]:
    """Yield the scores along the gold of each doc; None where it is no analysis."""
    stream = iter(docs)
    moves = Transitions.from_recognizer(recognizer)
    labels, nothing = moves.labels, np.zeros((0, len(moves.names)))
    for at in range(0, len(gold), DOCS_PER_BATCH):
        part = [
            (next(stream), None if lacks_labels(one, labels) else one.spans)
            for one in gold[at : at + DOCS_PER_BATCH]
        ]
        filled = [(doc, spans) for doc, spans in part if len(doc)]
        found = iter(_score_batch(recognizer, filled) if filled else ())
        for doc, spans in part:
            if len(doc):
                yield next(found)
            else:
                yield nothing if spans == () else None


def _score_batch(
    recognizer: EntityRecognizer, part: Sequence[tuple[Doc, Sequence[Span] | None]]
) -> Iterator[FloatArray | None]:
    docs = [doc for doc, _ in part]
    scorer = StateScorer(recognizer, docs)
    moves = scorer.transitions
    valid = ValidActions.from_docs(docs, moves)
    first = 0
    for doc, spans in part:
        states = None if spans is None else _gold_states(doc, spans, first, valid, moves)
        first += len(doc)
        if states is None:
            yield None
            continue
        starts, columns, masks = states
        tokens = np.arange(first - len(doc), first)
        raw = scorer.scores(tokens, starts).astype(np.float64)
        raw -= raw[np.arange(len(raw)), columns][:, None]
        yield np.where(masks, raw, -np.inf)


def _gold_states(
    doc: Doc, spans: Sequence[Span], first: int, valid: ValidActions, moves: Transitions
) -> tuple[IntArray, IntArray, BoolArray] | None:
    """Return the start of the open entity, the gold action and the valid ones at each token.

    None where gold is no analysis of the model. Tokens are counted over the batch.
    """
    label_index = {label: i for i, label in enumerate(moves.labels)}
    starts = np.full(len(doc), -1, np.intp)
    columns = np.full(len(doc), -1, np.intp)
    opened: list[int | None] = [None] * len(doc)
    taken = np.zeros(len(doc), np.bool_)
    places = TokenOffsets.from_doc(doc)
    for span in spans:
        place, label = places.token_range(span), label_index.get(span.label)
        if place is None or label is None or taken[slice(*place)].any():
            return None
        start, end = place
        taken[start:end] = True
        if end - start == 1:
            columns[start] = moves.unit[label]
            continue
        columns[start] = moves.begin[label]
        columns[start + 1 : end - 1] = moves.inside[label]
        closes = int(valid.closes[first + end - 1])
        columns[end - 1] = moves.last[closes if closes >= 0 else label]
        starts[start + 1 : end] = first + start
        opened[start + 1 : end] = [label] * (end - start - 1)
    outside = np.where(valid.blocked[first : first + len(doc)], moves.blocked, moves.outside)
    columns = np.where(taken, columns, outside)
    masks = np.stack([valid.allowed(first + i, one, moves) for i, one in enumerate(opened)])
    possible = (columns >= 0) & masks[np.arange(len(doc)), columns]
    return (starts, columns, masks) if possible.all() else None
