"""Examples on their way to the page: written down, and remembered for what it says of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from nbner.errors import DataError
from nbner.types import Example
from nbner.widgets import messages

#: Examples whose latest state is remembered.
MAX_REMEMBERED = 64


class SentExamples:
    """Writes examples for the page; those that cannot be shown are told of, once.

    Parameters
    ----------
    tell : callable
        Takes a sentence and its details, to be shown in the cell.

    Attributes
    ----------
    unrenderable : dict of int to str
        Input hashes of examples that cannot be shown, and why.
    """

    def __init__(self, tell: Callable[[str, str], None]) -> None:
        self.unrenderable: dict[int, str] = {}
        self._tell = tell
        self._latest: dict[int, Example] = {}

    def serialize(self, examples: Iterable[Example]) -> list[messages.Message]:
        """Write examples down, but for those that cannot be shown."""
        tasks = []
        for example in examples:
            try:
                task = messages.serialize_example(example)
            except DataError as error:
                self._refuse(example, str(error))
                continue
            tasks.append(task)
            self.remember(example)
        return tasks

    def remember(self, example: Example) -> None:
        """Remember an example as it was given out last."""
        self.forget(example.input_hash)
        self._latest[example.input_hash] = example
        while len(self._latest) > MAX_REMEMBERED:
            self._latest.pop(next(iter(self._latest)), None)

    def get(self, input_hash: int) -> Example | None:
        """Give an example as it was given out last, if that is still so."""
        return self._latest.get(input_hash)

    def forget(self, input_hash: int) -> None:
        """Take note that an example has changed."""
        self._latest.pop(input_hash, None)

    def clear(self) -> None:
        """Take note that all may have changed."""
        self._latest.clear()

    def _refuse(self, example: Example, why: str) -> None:
        self.unrenderable[example.input_hash] = why
        self._tell(why, "\n".join(self.unrenderable.values()))
