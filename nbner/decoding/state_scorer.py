"""Scores of arbitrary states of a batch of docs, by the pipeline's own layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nbner.decoding.arrays import Float32Array, Int32Array, IntArray
from nbner.decoding.transitions import Transitions

if TYPE_CHECKING:
    from spacy.pipeline import EntityRecognizer
    from spacy.tokens import Doc

STATES_PER_PASS = 2_048  # in one pass through the layers, so that they stay near the processor


class StateScorer:
    """Scores states of a batch of docs; the token vectors are computed once.

    A state is the current token and the first token of the open entity, both
    indexed over the concatenated docs. A score depends on nothing else, so any
    number of states can be scored in one call.

    Parameters
    ----------
    recognizer : EntityRecognizer
        The trained component.
    docs : sequence of Doc
        As the recognizer receives them; none is empty.

    Notes
    -----
    Classes that were never trained get the minimum score of their state. spaCy uses
    the minimum over all states of its batch, so that its score depends on the other
    states; for a single state both agree.
    """

    def __init__(self, recognizer: EntityRecognizer, docs: Sequence[Doc]) -> None:
        model: Any = recognizer.model
        # As greedy_parse does: a label that only the docs hold becomes a class.
        recognizer._ensure_labels_are_added(docs)  # noqa: SLF001
        self.transitions = Transitions.from_recognizer(recognizer)
        self._step_model = model.predict(list(docs))
        self._ops = model.ops
        self._has_upper = bool(model.attrs["has_upper"])
        self._n_features = int(model.get_ref("lower").get_dim("nF"))

    def scores(self, tokens: IntArray, starts: IntArray) -> Float32Array:
        """Compute the scores of all classes in a number of states.

        Parameters
        ----------
        tokens : array of int, shape (states,)
            The current token.
        starts : array of int, shape (states,)
            The first token of the open entity; -1 if none is open.

        Returns
        -------
        array of float32, shape (states, classes)
        """
        scores = np.empty((len(tokens), len(self.transitions.names)), np.float32)
        for at in range(0, len(tokens), STATES_PER_PASS):
            part = slice(at, at + STATES_PER_PASS)
            features = self._feature_tokens(tokens[part], starts[part])
            vectors = self._step_model.state2vec.predict(features)
            if self._has_upper:
                vectors = self._step_model.vec2scores.predict(vectors)
            # From a GPU an array comes only when it is asked for.
            scores[part] = self._ops.to_numpy(vectors)
        if len(self.transitions.unseen) and len(scores):
            scores[:, self.transitions.unseen] = scores.min(axis=1, keepdims=True)
        return scores

    def _feature_tokens(self, tokens: IntArray, starts: IntArray) -> Int32Array:
        """Compute feature token indices as ``StateC.set_context_tokens`` does."""
        features = np.full((len(tokens), self._n_features), -1, np.int32)
        features[:, 0] = tokens
        if self._n_features == 3:
            features[:, 1] = starts
            features[:, 2] = np.where(starts >= 0, tokens - 1, -1)
            return features
        within = starts[:, None] + np.arange(self._n_features - 1)
        inside = (starts[:, None] >= 0) & (within < tokens[:, None])
        features[:, 1:] = np.where(inside, within, -1)
        return features


class RepeatedScorer(StateScorer):
    """A scorer that keeps what it has computed, for lattices of the same docs.

    They differ in their temperature, which comes after the layers. It takes 4 bytes
    for each state and class, and 16 for the state, as long as it is there.

    Parameters
    ----------
    recognizer, docs
        As for `StateScorer`.
    """

    def __init__(self, recognizer: EntityRecognizer, docs: Sequence[Doc]) -> None:
        super().__init__(recognizer, docs)
        self._kept: dict[tuple[bytes, bytes], Float32Array] = {}

    def scores(self, tokens: IntArray, starts: IntArray) -> Float32Array:
        """Return the scores of all classes in a number of states; callers leave them unchanged.

        Parameters
        ----------
        tokens, starts
            As for `StateScorer.scores`.

        Returns
        -------
        array of float32, shape (states, classes)
        """
        key = tokens.tobytes(), starts.tobytes()
        if key not in self._kept:
            self._kept[key] = super().scores(tokens, starts)
        return self._kept[key]
