"""Random numbers of one's own: training draws the same ones whatever else draws too."""

from __future__ import annotations

import random
from types import TracebackType
from typing import Any

import numpy as np
from thinc.api import fix_random_seed

from nbner.errors import TrainingError

MAX_SEED = 2**32 - 1


class IsolatedRandomState:
    """Swaps Python's and NumPy's global generators for seeded ones while it is entered.

    spaCy draws from the global generators. Between two steps of training the
    notebook may draw from them as well; it finds them as it left them, and so
    does training.

    Parameters
    ----------
    seed : int
        Between 0 and 2**32 - 1, as NumPy asks.

    Raises
    ------
    TrainingError
        The seed is out of range.
    """

    def __init__(self, seed: int) -> None:
        if not 0 <= seed <= MAX_SEED:
            raise TrainingError(f"the seed {seed} is not between 0 and {MAX_SEED:,}.")
        self._seed = seed
        self._outside: tuple[Any, Any] = _states()
        self._inside: tuple[Any, Any] | None = None

    def __enter__(self) -> None:
        self._outside = _states()
        if self._inside is None:
            fix_random_seed(self._seed)
        else:
            _set(self._inside)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._inside = _states()
        _set(self._outside)


def _states() -> tuple[Any, Any]:
    # NumPy's legacy generator is the one that spaCy and thinc draw from.
    return random.getstate(), np.random.get_state()  # noqa: NPY002


def _set(states: tuple[Any, Any]) -> None:
    random.setstate(states[0])
    np.random.set_state(states[1])  # noqa: NPY002
