"""Examples of the page's window: those that come next, and those that have been sent."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence

from nbner.errors import DataError
from nbner.types import Example
from nbner.widgets.messages import Task
from nbner.widgets.queue_protocol import ExampleQueue
from nbner.widgets.serialization import serialize_example

#: Sent examples that are remembered.
MAX_REMEMBERED = 64

#: Examples that are loaded at a time.
_CHUNK_SIZE = 32


class PriorityQueue:
    """The examples that code has put first, followed by those of the queue.

    Parameters
    ----------
    example_queue : ExampleQueue
        The queue.
    """

    def __init__(self, example_queue: ExampleQueue) -> None:
        self._queue = example_queue
        self._hashes: list[int] = []

    @property
    def pending(self) -> list[int]:
        """Input hashes of the examples that code has put first and that are still open."""
        return [one.input_hash for one in self._load_first(len(self._hashes), ())]

    def set(self, hashes: Sequence[int]) -> tuple[list[int], list[int]]:
        """Put open examples first, in place of those that were.

        Parameters
        ----------
        hashes : sequence of int
            Input hashes in the order in which the examples shall come.

        Returns
        -------
        unknown, answered : list of int
            Input hashes that are left out: of no example, or of an answered one.
        """
        found = {one: self._queue.find(one) for one in dict.fromkeys(hashes)}
        self._hashes = [key for key, one in found.items() if one is not None and one.answer is None]
        unknown = [key for key, one in found.items() if one is None]
        answered = [key for key, one in found.items() if one is not None and one.answer]
        return unknown, answered

    def next_batch(self, limit: int, exclude: Collection[int] = ()) -> list[Example]:
        """Return the next open examples; see `ExampleQueue.next_batch`.

        Parameters
        ----------
        limit : int
            Largest number of examples.
        exclude : collection of int
            Input hashes of examples to leave out.
        """
        first = self._load_first(limit, exclude)
        if len(first) == limit:
            return first
        excluded = {*exclude, *(one.input_hash for one in first)}
        return first + self._queue.next_batch(limit - len(first), excluded)

    def _load_first(self, limit: int, exclude: Collection[int]) -> list[Example]:
        """Load the examples that were put first; forget those that are no longer open."""
        hashes = [one for one in self._hashes if one not in exclude]
        found: list[Example] = []
        for i in range(0, len(hashes), _CHUNK_SIZE):
            if len(found) >= limit:
                break
            chunk = hashes[i : i + _CHUNK_SIZE]
            still_open = [one for one in self._queue.load(chunk) if one.answer is None]
            closed = set(chunk) - {one.input_hash for one in still_open}
            self._hashes = [one for one in self._hashes if one not in closed]
            found += still_open
        return found[:limit]


class SentExamples:
    """Serializer of examples that remembers the last ones and skips invalid ones.

    Parameters
    ----------
    show_notice : callable
        Takes a sentence and its details, for an example that cannot be shown.

    Attributes
    ----------
    unrenderable : dict of int to str
        Input hashes of examples that cannot be shown, with the reason.
    """

    def __init__(self, show_notice: Callable[[str, str], None]) -> None:
        self.unrenderable: dict[int, str] = {}
        self._show_notice = show_notice
        self._latest: dict[int, Example] = {}

    def serialize(self, examples: Iterable[Example]) -> list[Task]:
        """Serialize examples, without those that cannot be shown.

        Parameters
        ----------
        examples : iterable of Example
            Tokenized.
        """
        tasks = []
        for example in examples:
            try:
                task = serialize_example(example)
            except DataError as error:
                self._skip(example, str(error))
                continue
            tasks.append(task)
            self.remember(example)
        return tasks

    def remember(self, example: Example) -> None:
        """Remember an example as it has been sent.

        Parameters
        ----------
        example : Example
            The example.
        """
        self.forget(example.input_hash)
        self._latest[example.input_hash] = example
        while len(self._latest) > MAX_REMEMBERED:
            self._latest.pop(next(iter(self._latest)), None)

    def get(self, input_hash: int) -> Example | None:
        """Return an example as it was sent last; None if it may have changed since.

        Parameters
        ----------
        input_hash : int
            Input hash of the example.
        """
        return self._latest.get(input_hash)

    def forget(self, input_hash: int) -> None:
        """Forget an example that has changed.

        Parameters
        ----------
        input_hash : int
            Input hash of the example.
        """
        self._latest.pop(input_hash, None)

    def clear(self) -> None:
        """Forget all examples."""
        self._latest.clear()

    def _skip(self, example: Example, reason: str) -> None:
        self.unrenderable[example.input_hash] = reason
        self._show_notice(reason, "\n".join(self.unrenderable.values()))
