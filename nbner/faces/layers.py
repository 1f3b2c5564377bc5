"""What the model's last layer says, for looking at and for other networks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbner.faces.foundation import Foundation
from nbner.io import formats
from nbner.io.rows import as_example

if TYPE_CHECKING:
    from nbner.decoding.inspection import ActionScores, TokenFeatures
    from nbner.types import Example

LONGEST = 10


class Layers(Foundation):
    """Look into the recognizer."""

    def action_scores(self, text: str | Example, *, longest: int = LONGEST) -> ActionScores:
        """Give the distribution over the recognizer's actions at every token of a text.

        Parameters
        ----------
        text : str or Example
            An example's own tokens are kept.
        longest : int
            Tokens of the longest entity whose states ``states`` lists.

        Returns
        -------
        ActionScores
            ``array`` (probabilities along the greedy path, shape (tokens,
            actions)) with ``axes``, ``frame``, and ``states`` for every state
            that can be reached.

        Raises
        ------
        ModelError
            The model has not been trained.
        """
        from nbner.decoding.actions import action_scores
        from nbner.decoding.inspection import ActionScores

        return ActionScores(next(action_scores(self._nlp, [text], longest=longest)))

    def token_features(self, texts: Any) -> TokenFeatures:
        """Give action probabilities and token vectors as one matrix, a row a token.

        Parameters
        ----------
        texts : path, DataFrame, or iterable of str, dict, Doc or Example

        Returns
        -------
        TokenFeatures
            ``matrix`` (float32, shape (tokens, features)), ``columns``,
            ``examples``, ``tokens``, ``words`` and ``frame``.

        Raises
        ------
        ModelError
            The model has not been trained.
        DataError
            The source cannot be read.
        """
        from nbner.decoding.actions import action_scores
        from nbner.decoding.inspection import TokenFeatures

        examples = (as_example(row) for row in formats.read(texts))
        return TokenFeatures.of(list(action_scores(self._nlp, examples, longest=1)))
