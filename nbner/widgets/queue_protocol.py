"""What a widget asks of the kernel: a desk that hands out examples and takes answers.

The widget knows this interface and nothing behind it, so that any source of
examples can stand there: a session, a test, a simulation.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from nbner._common.filters import ExampleFilter, ExamplePage
from nbner.types import Answer, Counts, Example, Parse, Span

Mode: TypeAlias = Literal["manual", "make_gold"]
Listener: TypeAlias = Callable[[Sequence[Answer]], None]


@dataclass(frozen=True, slots=True)
class QueueInfo:
    """What stays the same while a desk is open, but for labels that are added.

    Parameters
    ----------
    key : str
        Identity of the store; the page files unacknowledged answers under it.
    dataset, split : str
    mode : {"manual", "make_gold"}
    annotator : str
    labels : tuple of str
        In the order of their keys.
    has_k_best : bool
        Whether examples can be searched again.
    auto_redecode : bool
        Whether the page asks for that after every change of a span.
    edits_gold : bool
        Whether what is shown is gold to be mended: labelling every occurrence
        then also changes the label of words that have another one.
    """

    key: str
    dataset: str
    split: str
    mode: Mode
    annotator: str
    labels: tuple[str, ...]
    has_k_best: bool = False
    auto_redecode: bool = False
    edits_gold: bool = False


class ExampleQueue(Protocol):
    """Examples out, answers in. Every method may be called from any thread."""

    @property
    def info(self) -> QueueInfo:
        """What the page needs to know, as it is now."""

    def counts(self) -> Counts:
        """How far the split has come."""

    def next_batch(self, limit: int, exclude: Collection[int] = ()) -> list[Example]:
        """Give the next open examples, tokenized, with the spans to start from.

        These may overlap: the longest are shown, the others are on offer.

        Parameters
        ----------
        limit : int
            At most so many.
        exclude : collection of int
            Input hashes that the page holds already.
        """

    def recent(self, limit: int, before: int | None = None) -> list[Example]:
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

    def load(self, hashes: Sequence[int]) -> list[Example]:
        """Give examples by their input hashes, as they are to be shown.

        An open one comes with the spans to start from, as from ``upcoming``;
        one that is not there is left out.
        """

    def list_examples(self, conditions: ExampleFilter, offset: int, limit: int) -> ExamplePage:
        """Give a piece of the list of examples that meet some conditions."""

    def search_text(self, words: Collection[str], *, cased: bool) -> Iterator[Example]:
        """Yield open examples whose text holds all words, as from ``start``."""

    def redecode(
        self,
        input_hash: int,
        k: int,
        *,
        forced: Sequence[Span] = (),
        forbidden: Sequence[Span] = (),
    ) -> list[Parse]:
        """Give the model's k best analyses that hold some spans and not others, best first.

        None where there is no model that could tell.

        Raises
        ------
        DataError
            The constraints contradict each other.
        """

    def record(self, answer: Answer) -> bool:
        """Store an answer durably; False if its id was stored before.

        Raises
        ------
        DataError
            The answer cannot be taken, now or later.
        StoreError
            The store cannot take it now.
        """

    def record_many(self, answers: Sequence[Answer]) -> int:
        """Store answers in one transaction and tell of them as one; say how many were new.

        Raises
        ------
        DataError, StoreError
            As ``record``; none of them is stored then.
        """

    def undo_batch(self, batch_id: str) -> Sequence[int]:
        """Take back answers whose ids begin with ``batch_id`` and a colon.

        Returns
        -------
        sequence of int
            Input hashes of the examples that are as they were before; what has
            been changed since is not among them.
        """

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call ``listener`` after every answer, whoever gave it, with those given as one.

        It is called with none where answers were withdrawn.

        Returns
        -------
        callable
            Ends that.
        """


class ErrorQueue(ExampleQueue, Protocol):
    """A desk at which examples are judged, and every change can be taken back."""

    @property
    def can_change(self) -> bool:
        """Whether answers go anywhere."""

    @property
    def can_undo(self) -> bool:
        """Whether something was changed here."""

    def example_id(self, number: int) -> int:
        """Give the id of an example by its position."""

    def record_verdict(self, key: int, verdict: str | None) -> bool:
        """Say who is wrong on an example, while its gold stays as it is."""

    def undo(self) -> Example | None:
        """Take the last change back."""
