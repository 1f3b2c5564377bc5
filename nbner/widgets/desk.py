"""What a widget asks of the kernel: a desk that hands out examples and takes answers.

The widget knows this interface and nothing behind it, so that any source of
examples can stand there: a session, a test, a simulation.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from nbner.types import Answer, Counts, Example

Mode: TypeAlias = Literal["manual", "make-gold"]
Listener: TypeAlias = Callable[[Answer], None]


@dataclass(frozen=True, slots=True)
class DeskInfo:
    """What stays the same while a desk is open.

    Parameters
    ----------
    key : str
        Identity of the store; the page files unacknowledged answers under it.
    dataset, split : str
    mode : {"manual", "make-gold"}
    annotator : str
    labels : tuple of str
        In the order of their keys.
    """

    key: str
    dataset: str
    split: str
    mode: Mode
    annotator: str
    labels: tuple[str, ...]


class Desk(Protocol):
    """Examples out, answers in. Every method may be called from any thread."""

    @property
    def info(self) -> DeskInfo:
        """What the page needs to know once."""

    def counts(self) -> Counts:
        """How far the split has come."""

    def upcoming(self, limit: int, exclude: Collection[int] = ()) -> list[Example]:
        """Give the next open examples, tokenized, with the spans to start from.

        Parameters
        ----------
        limit : int
            At most so many.
        exclude : collection of int
            Input hashes that the page holds already.
        """

    def past(self, limit: int, before: int | None = None) -> list[Example]:
        """Give this annotator's last answered examples, newest first.

        Parameters
        ----------
        limit : int
            At most so many.
        before : int, optional
            Only what was answered before this example.
        """

    def find(self, input_hash: int) -> Example | None:
        """Look one example up, tokenized, as it stands now."""

    def record(self, answer: Answer) -> bool:
        """Store an answer durably; False if its id was stored before.

        Raises
        ------
        DataError
            The answer cannot be taken, now or later.
        StoreError
            The store cannot take it now.
        """

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call ``listener`` after every answer, whoever gave it.

        Returns
        -------
        callable
            Ends that.
        """
