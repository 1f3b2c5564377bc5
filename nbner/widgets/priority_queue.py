"""Examples that code has put at the head of the queue."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from nbner.types import Example
from nbner.widgets.queue_protocol import ExampleQueue

#: Examples that are looked up at a time.
_SOME = 32


class PriorityQueue:
    """Hands out the examples that were asked for first, then the desk's own.

    Parameters
    ----------
    desk : ExampleQueue
    """

    def __init__(self, desk: ExampleQueue) -> None:
        self._desk = desk
        self._ahead: list[int] = []

    @property
    def pending(self) -> list[int]:
        """Input hashes of those still open, in their order."""
        found = self._first(len(self._ahead), ())
        return [one.input_hash for one in found]

    def set(self, hashes: Sequence[int]) -> tuple[list[int], list[int]]:
        """Say which examples come next.

        Returns
        -------
        unknown, answered : list of int
            Those that are not in the line: not there at all, or decided.
        """
        wanted = list(dict.fromkeys(hashes))
        found = {one: self._desk.find(one) for one in wanted}
        self._ahead = [key for key, one in found.items() if one is not None and one.answer is None]
        unknown = [key for key, one in found.items() if one is None]
        answered = [key for key, one in found.items() if one is not None and one.answer]
        return unknown, answered

    def next_batch(self, limit: int, exclude: Collection[int] = ()) -> list[Example]:
        """Give the next open examples, tokenized, with the spans to start from."""
        first = self._first(limit, exclude)
        if len(first) == limit:
            return first
        taken = {*exclude, *(one.input_hash for one in first)}
        return first + self._desk.next_batch(limit - len(first), taken)

    def _first(self, limit: int, exclude: Collection[int]) -> list[Example]:
        """Give the first of the line; those decided meanwhile leave it."""
        line = [one for one in self._ahead if one not in exclude]
        found: list[Example] = []
        for i in range(0, len(line), _SOME):
            if len(found) >= limit:
                break
            some = line[i : i + _SOME]
            are_open = [one for one in self._desk.load(some) if one.answer is None]
            gone = set(some) - {one.input_hash for one in are_open}
            self._ahead = [one for one in self._ahead if one not in gone]
            found += are_open
        return found[:limit]
