"""Interface between a widget and its source of examples, such as a session's queue.

A widget uses nothing else of the kernel's, so that tests and simulations can provide
examples too.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias

from nbner._common.filters import ExampleFilter, ExamplePage
from nbner._common.guidelines import Guidelines
from nbner.types import Answer, Counts, Example, Parse, Span
from nbner.widgets.key_bindings import KeyBindings

Mode: TypeAlias = Literal["manual", "make_gold"]
Listener: TypeAlias = Callable[[Sequence[Answer]], None]


@dataclass(frozen=True, slots=True)
class DailyTarget:
    """How many examples an annotator wants to decide today.

    Parameters
    ----------
    daily : int
        The target.
    count_since : callable
        From a time in seconds since the epoch to the number of examples, of any
        split, that the annotator has decided since.
    """

    daily: int
    count_since: Callable[[float], int]


@dataclass(frozen=True, slots=True)
class QueueInfo:
    """Information about a queue, which only changes when labels are added.

    Parameters
    ----------
    key : str
        Identity of the store; the page stores unacknowledged answers under it.
    dataset, split : str
        Names of dataset and split.
    mode : {"manual", "make_gold"}
        Whether examples come without suggestions or with them.
    annotator : str
        Name under which answers are stored.
    labels : tuple of str
        In the order of their keys.
    has_k_best : bool
        Whether the k best analyses of an example can be computed.
    auto_redecode : bool
        Whether the page requests them after every edit of a span.
    edits_gold : bool
        Whether the examples are gold to correct: labelling all occurrences then also
        replaces another label of the same words.
    colors : mapping
        Colors that the user has chosen for labels; the others get theirs by their order.
    source_names : mapping
        Names of sources of suggestions, for people.
    target : DailyTarget, optional
        The annotator's target for today.
    guidelines : Guidelines
        The annotation guideline, with the definitions of labels.
    keys : KeyBindings
        Keys that the annotator has chosen.
    renamed_labels : mapping
        Former names of labels, which a page may still send, with the present ones.
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
    colors: Mapping[str, str] = field(default_factory=dict)
    source_names: Mapping[str, str] = field(default_factory=dict)
    target: DailyTarget | None = None
    guidelines: Guidelines = field(default_factory=Guidelines)
    keys: KeyBindings = field(default_factory=KeyBindings)
    renamed_labels: Mapping[str, str] = field(default_factory=dict)


class ExampleQueue(Protocol):
    """Source of examples and store of answers. Every method is called from any thread."""

    @property
    def info(self) -> QueueInfo:
        """Current information for the page."""

    def counts(self) -> Counts:
        """Count the examples of the split by answer."""

    def next_batch(self, limit: int, exclude: Collection[int] = ()) -> list[Example]:
        """Return the next open examples, tokenized, with suggestions or the last draft.

        Suggestions may overlap: the longest are shown, the others are offered.

        Parameters
        ----------
        limit : int
            Largest number of examples.
        exclude : collection of int
            Input hashes that the page has already.
        """

    def recent(self, limit: int, before: int | None = None) -> list[Example]:
        """Return this annotator's latest answered examples, newest first.

        Parameters
        ----------
        limit : int
            Largest number of examples.
        before : int, optional
            Only examples answered before this one, an input hash.
        """

    def find(self, input_hash: int) -> Example | None:
        """Return an example in its current state, tokenized; None if there is none.

        Parameters
        ----------
        input_hash : int
            Input hash of the example.
        """

    def load(self, hashes: Sequence[int]) -> list[Example]:
        """Return examples as they are to be shown; missing ones are left out.

        Parameters
        ----------
        hashes : sequence of int
            Input hashes. An open example comes with suggestions, as from `next_batch`.
        """

    def list_examples(self, conditions: ExampleFilter, offset: int, limit: int) -> ExamplePage:
        """Return one page of the filtered list of examples.

        Parameters
        ----------
        conditions : ExampleFilter
            Conditions on the examples.
        offset : int
            Index of the first example of the page.
        limit : int
            Largest number of examples.
        """

    def search_text(self, words: Collection[str], *, cased: bool) -> Iterator[Example]:
        """Yield the open examples whose text contains all words, as from `load`.

        Parameters
        ----------
        words : collection of str
            The words.
        cased : bool
            Whether the case must be the same.
        """

    def redecode(
        self,
        input_hash: int,
        k: int,
        *,
        forced: Sequence[Span] = (),
        forbidden: Sequence[Span] = (),
    ) -> list[Parse]:
        """Return the model's k best analyses under constraints, best first.

        Empty without such an example or without a model.

        Parameters
        ----------
        input_hash : int
            Input hash of the example.
        k : int
            Number of analyses.
        forced : sequence of Span
            Spans that every analysis contains.
        forbidden : sequence of Span
            Spans that no analysis contains.

        Raises
        ------
        DataError
            The constraints contradict each other.
        """

    def record(self, answer: Answer) -> bool:
        """Store an answer durably; return False if its id was stored before.

        Parameters
        ----------
        answer : Answer
            The answer.

        Raises
        ------
        DataError
            The answer is invalid.
        StoreError
            The store cannot take it now.
        """

    def record_many(self, answers: Sequence[Answer]) -> int:
        """Store answers in one transaction, notify listeners once, return how many were new.

        Parameters
        ----------
        answers : sequence of Answer
            The answers.

        Raises
        ------
        DataError, StoreError
            As for `record`; none of the answers is stored then.
        """

    def undo_batch(self, batch_id: str) -> Sequence[int]:
        """Undo the answers whose ids begin with ``batch_id`` and a colon.

        Parameters
        ----------
        batch_id : str
            The common part of their ids.

        Returns
        -------
        sequence of int
            Input hashes of the restored examples; those with later changes are left out.
        """

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call a function after every answer, of any widget or code.

        Parameters
        ----------
        listener : callable
            Called with the answers of one transaction, or with none after `undo_batch`.

        Returns
        -------
        callable
            Ends the subscription.
        """


class ErrorQueue(ExampleQueue, Protocol):
    """Queue of the error explorer, which also stores verdicts and can undo every change."""

    @property
    def can_change(self) -> bool:
        """Whether answers can be stored."""

    @property
    def can_undo(self) -> bool:
        """Whether there is a change to undo."""

    def example_id(self, number: int) -> int:
        """Return the id of an example.

        Parameters
        ----------
        number : int
            Position of the example.
        """

    def record_verdict(self, key: int, verdict: str | None) -> bool:
        """Store which side is wrong on an example, without a change of its gold.

        Parameters
        ----------
        key : int
            Id of the example.
        verdict : str, optional
            "model", or None to remove the verdict.

        Returns
        -------
        bool
            Whether the verdict is new.
        """

    def undo(self) -> Example | None:
        """Undo the last change; return its example as it is again, or None."""
