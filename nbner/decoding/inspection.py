"""Action scores and token features as arrays with named axes and as frames."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from nbner._common.format import plural, render_html, scrollable
from nbner._common.result import Result
from nbner.decoding.actions import ActionMatrix, TextActionScores

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

COLUMNS = ("token", "word", "start", "label", "action", "score", "probability", "valid", "taken")

#: The part of a feature matrix that is displayed.
_FIRST_ROWS, _FIRST_COLUMNS = 10, 12


@dataclass(frozen=True, slots=True)
class ActionScores(Result):
    """Scores and probabilities of every action at every token of a text.

    Parameters
    ----------
    text_actions : TextActionScores
        The computed scores.
    """

    text_actions: TextActionScores

    @property
    def text(self) -> str:
        """The text."""
        return self.text_actions.greedy_path.text

    @property
    def array(self) -> NDArray[np.float64]:
        """Probabilities along the greedy path, of shape (tokens, actions); see `axes`."""
        return self.text_actions.greedy_path.probabilities

    @property
    def scores(self) -> NDArray[np.float32]:
        """The model's scores along the greedy path, of shape (tokens, actions)."""
        return self.text_actions.greedy_path.scores

    @property
    def axes(self) -> dict[str, tuple[str, ...]]:
        """Names along the axes of `array`: the words and the actions."""
        path = self.text_actions.greedy_path
        return {"token": tuple(one.text for one in path.tokens), "action": path.actions}

    @property
    def taken(self) -> tuple[str, ...]:
        """The action that greedy search takes at each token."""
        return self.text_actions.greedy_path.best

    @property
    def states(self) -> ActionMatrix:
        """Scores in every reachable state: ``states``, ``actions``, ``probabilities``."""
        return self.text_actions.reachable

    @property
    def frame(self) -> pd.DataFrame:
        """One row a token and action along the greedy path.

        ``token``, ``word``, ``start`` and ``label`` of the open entity,
        ``action``, ``score``, ``probability``, ``valid`` and ``taken``.
        """
        return _frame(self.text_actions.greedy_path)

    @property
    def states_frame(self) -> pd.DataFrame:
        """The columns of `frame` for every reachable state; ``taken`` marks the best action."""
        return _frame(self.text_actions.reachable)

    def __str__(self) -> str:
        path = self.text_actions.greedy_path
        best = self.array.max(axis=1) if len(self.array) else ()
        return " ".join(
            f"{token.text}/{action} {share:.2f}"
            for token, action, share in zip(path.tokens, self.taken, best, strict=True)
        )

    def _repr_html_(self) -> str:
        taken = self.frame[self.frame["taken"]]
        return scrollable(taken.to_html(index=False, escape=True, na_rep=""))


@dataclass(frozen=True, slots=True)
class TokenFeatures(Result):
    """Feature matrix with one row a token, as input for another model.

    Parameters
    ----------
    matrix : array of float32, shape (tokens of all texts, features)
        Probabilities of the actions along the greedy path, then the token's
        vector.
    columns : tuple of str
        "O", "B-x" ..., then "vector 0" ...
    examples : array of int, shape (tokens of all texts,)
        Index of the text that each row belongs to.
    tokens : array of int, shape (tokens of all texts,)
        Index of the token in its text.
    words : tuple of str
        The tokens' texts.
    """

    matrix: NDArray[np.float32] = field(repr=False)
    columns: tuple[str, ...] = field(repr=False)
    examples: NDArray[np.intp] = field(repr=False)
    tokens: NDArray[np.intp] = field(repr=False)
    words: tuple[str, ...] = field(repr=False)

    @classmethod
    def from_actions(cls, found: Sequence[TextActionScores]) -> TokenFeatures:
        """Stack the tokens of all texts.

        Parameters
        ----------
        found : sequence of TextActionScores
            One a text; texts without tokens have no row.
        """
        whole = [one for one in found if one.greedy_path.tokens]
        if not whole:
            none = np.zeros(0, np.intp)
            return cls(np.zeros((0, 0), np.float32), (), none, none, ())
        rows = [np.hstack([one.greedy_path.probabilities, one.token_vectors]) for one in whole]
        width = whole[0].token_vectors.shape[1]
        lengths = [len(one.greedy_path.tokens) for one in found]
        return cls(
            matrix=np.vstack(rows).astype(np.float32),
            columns=(*whole[0].greedy_path.actions, *(f"vector {i}" for i in range(width))),
            examples=np.repeat(np.arange(len(found)), lengths),
            tokens=np.concatenate([np.arange(length) for length in lengths]).astype(np.intp),
            words=tuple(token.text for one in found for token in one.greedy_path.tokens),
        )

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of tokens and of features."""
        return self.matrix.shape

    @property
    def frame(self) -> pd.DataFrame:
        """The matrix as a frame with an index of example, token and word."""
        import pandas as pd

        index = pd.MultiIndex.from_arrays(
            [self.examples, self.tokens, list(self.words)], names=["example", "token", "word"]
        )
        return pd.DataFrame(self.matrix, index=index, columns=list(self.columns))

    def __str__(self) -> str:
        texts = len(np.unique(self.examples))
        rows, columns = self.matrix.shape
        return f"{plural(rows, 'token')} of {plural(texts, 'text')}, {columns:,} features each"

    def _repr_html_(self) -> str:
        first = self.frame.reset_index().iloc[:_FIRST_ROWS, :_FIRST_COLUMNS]
        return render_html(f"{self}; the first of them:", first)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:  # noqa: FBT001
        return np.array(self.matrix, dtype=dtype, copy=True if copy is None else copy)


def _frame(actions: ActionMatrix) -> pd.DataFrame:
    import pandas as pd

    n, m = len(actions.states), len(actions.actions)
    taken = actions.best
    states = [
        (one.token, actions.tokens[one.token].text, one.start, one.label) for one in actions.states
    ]
    rows = [
        (*states[i], actions.actions[j], actions.actions[j] == taken[i])
        for i in range(n)
        for j in range(m)
    ]
    frame = pd.DataFrame(rows, columns=["token", "word", "start", "label", "action", "taken"])
    frame["start"] = frame["start"].astype("Int64")
    frame["score"] = actions.scores.ravel()
    frame["probability"] = actions.probabilities.ravel()
    frame["valid"] = actions.valid.ravel()
    return frame[list(COLUMNS)]
