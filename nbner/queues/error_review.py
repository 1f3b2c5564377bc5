"""The queue behind the error explorer: gold beside predictions, corrections and verdicts."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from nbner._common.filters import ExampleFilter, ExamplePage
from nbner._common.offered import SUGGESTIONS_KEY
from nbner.errors import DataError
from nbner.evaluation.errors.matches import JUDGED_KEY
from nbner.evaluation.k_best_scores import RANK_KEYS
from nbner.quality.anchoring.audit import AUDIT_KEY
from nbner.queues.labelling import (
    SHARED_SETTINGS,
    AnswerBus,
    TokenizeFn,
    ensure_tokens,
    with_bus_settings,
)
from nbner.store.assignments import AnnotatorVersion
from nbner.store.relabel import RELABEL_KEY
from nbner.store.snapshot import RESTORED_KEY
from nbner.types import ANSWER_KINDS, Answer, Counts, Example, Parse, Span
from nbner.widgets.messages import VERSIONS
from nbner.widgets.queue_protocol import Listener, QueueInfo

if TYPE_CHECKING:
    from nbner.evaluation.errors.report import Errors
    from nbner.store.dataset import Dataset

# What an answer's ``extra`` says of its own event: repeated in another one, the time and the
# suggestions would be counted twice.
_OF_ONE_EVENT = ("seconds", SUGGESTIONS_KEY, AUDIT_KEY, RELABEL_KEY, RESTORED_KEY)


@dataclass(frozen=True, slots=True)
class StoreBinding:
    """The store that holds the examples, and the author of answers.

    Parameters
    ----------
    dataset : Dataset
        Holds the examples and takes the answers.
    annotator : str
        Author of the answers.
    key : str
        Identity of the store.
    tokenize : callable
        Text to tokens, for examples that came without.
    answer_bus : AnswerBus
        Shared by the queues of one session.
    """

    dataset: Dataset
    annotator: str
    key: str
    tokenize: TokenizeFn
    answer_bus: AnswerBus


@dataclass(frozen=True, slots=True)
class UndoEntry:
    """The state of an example before a change.

    Parameters
    ----------
    key : int
        Its `global_example_id`.
    before : Example
        The example with its answer then.
    extra : mapping
        The ``extra`` of that answer.
    """

    key: int
    before: Example
    extra: Mapping[str, Any]


def global_example_id(split: str, input_hash: int) -> int:
    """Compute a stable id of an example that is unique among several splits.

    Parameters
    ----------
    split : str
        Name of its split.
    input_hash : int
        Its input hash, unique in the split.

    Returns
    -------
    int
        48 bits of a BLAKE2b digest.
    """
    digest = blake2b(f"{split}\0{input_hash}".encode(), digest_size=6).digest()
    return int.from_bytes(digest, "big")


class ErrorReviewQueue:
    """Serve the examples of an evaluation as an ``ErrorQueue`` (``nbner.widgets.queue_protocol``).

    No example is served as the next one: each is found by its id. Ids are
    those of `global_example_id`, as the examples may come from several splits.

    Parameters
    ----------
    errors : Errors
        Updated after every change of an example.
    binding : StoreBinding, optional
        Without one, the examples are read-only.
    labels : sequence of str
        Labels that spans may get.
    colors : mapping
        Colors of labels, as the session shows them.
    """

    def __init__(
        self,
        errors: Errors,
        *,
        binding: StoreBinding | None = None,
        labels: Sequence[str] = (),
        colors: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._errors = errors
        self._binding = binding
        self._undo_stack: list[UndoEntry] = []
        # Id of the example that was left as a draft last, by an edit.
        self._editing: int | None = None
        self._numbers = {
            global_example_id(one.split, one.input_hash or number): number
            for number, one in enumerate(errors.examples)
        }
        self._keys = {number: key for key, number in self._numbers.items()}
        self._info = QueueInfo(
            key="" if binding is None else binding.key,
            dataset="" if binding is None else binding.dataset.name,
            split=f"errors of {errors.title}" if errors.title else "errors",
            mode="manual",
            annotator="" if binding is None else binding.annotator,
            labels=tuple(labels),
            colors=colors,
        )

    @property
    def info(self) -> QueueInfo:
        """Settings of the page, with the present guideline and the annotator's keys."""
        if self._binding is not None:
            bus = self._binding.answer_bus
            self._info = with_bus_settings(self._info, bus, SHARED_SETTINGS)
        return self._info

    @property
    def can_change(self) -> bool:
        """Whether answers can be stored."""
        return self._binding is not None

    @property
    def can_undo(self) -> bool:
        """Whether there is a change to undo."""
        return bool(self._undo_stack)

    def example_id(self, number: int) -> int:
        """Return the id of an example.

        Parameters
        ----------
        number : int
            Index of the example in the evaluation.
        """
        return self._keys[number]

    def counts(self) -> Counts:
        """Count the examples by their current answer."""
        answers = [one.answer for one in self._errors.examples]
        return Counts(len(answers), **{kind: answers.count(kind) for kind in ANSWER_KINDS})

    def next_batch(self, limit: int, exclude: Collection[int] = ()) -> list[Example]:  # noqa: ARG002
        """Return an empty list: no example is served as the next one.

        Parameters
        ----------
        limit, exclude
            Ignored.
        """
        return []

    def recent(self, limit: int, before: int | None = None) -> list[Example]:  # noqa: ARG002
        """Return an empty list: earlier answers are not undone here.

        Parameters
        ----------
        limit, before
            Ignored.
        """
        return []

    def find(self, input_hash: int) -> Example | None:
        """Find an example with its current answer and the other side's spans as versions.

        Parameters
        ----------
        input_hash : int
            Its `global_example_id`.
        """
        number = self._numbers.get(input_hash)
        if number is None:
            return None
        example = self._current(number)
        first = self._errors.reference
        sides = [self._errors.predicted] if first is None else [first, self._errors.predicted]
        names = self._errors.side_names[-len(sides) :]
        versions = [
            AnnotatorVersion(by, "accept", side[number])
            for by, side in zip(names, sides, strict=True)
        ]
        extra = {**example.extra, VERSIONS: versions}
        return replace(example, input_hash=input_hash, extra=extra)

    def load(self, hashes: Sequence[int]) -> list[Example]:
        """Return examples by their ids, as `find` does.

        Parameters
        ----------
        hashes : sequence of int
            Of `global_example_id`; unknown ones are left out.
        """
        return [example for one in hashes if (example := self.find(one)) is not None]

    def list_examples(self, conditions: ExampleFilter, offset: int, limit: int) -> ExamplePage:
        """Return a page of the examples that meet some conditions.

        Parameters
        ----------
        conditions : ExampleFilter
            Conditions on the examples.
        offset : int
            Index of the first example of the page.
        limit : int
            Largest number of examples.
        """
        found = [
            replace(one, input_hash=self._keys[number])
            for number, one in enumerate(self._errors.examples)
            if conditions.matches(one)
        ]
        return ExamplePage(tuple((one, None) for one in found[offset : offset + limit]), len(found))

    def search_text(self, words: Collection[str], *, cased: bool) -> Iterator[Example]:  # noqa: ARG002
        """Yield nothing: none of these examples is open.

        Parameters
        ----------
        words, cased
            Ignored.
        """
        return iter(())

    def redecode(
        self,
        input_hash: int,  # noqa: ARG002
        k: int,  # noqa: ARG002
        *,
        forced: Sequence[Span] = (),  # noqa: ARG002
        forbidden: Sequence[Span] = (),  # noqa: ARG002
    ) -> list[Parse]:
        """Return an empty list: this queue has no suggestions.

        Parameters
        ----------
        input_hash, k, forced, forbidden
            Ignored.
        """
        return []

    def record(self, answer: Answer) -> bool:
        """Store an answer and publish it.

        Parameters
        ----------
        answer : Answer
            An answer or a draft; its ``input_hash`` is a `global_example_id`.

        Returns
        -------
        bool
            False if an answer with this id was stored before.
        """
        return self.record_many([answer]) == 1

    def record_many(self, answers: Sequence[Answer]) -> int:
        """Store answers in one transaction; each can be undone with `undo`.

        Parameters
        ----------
        answers : sequence of Answer
            Their ``input_hash`` is a `global_example_id`.

        Returns
        -------
        int
            Number of answers that were new.

        Raises
        ------
        DataError
            The examples are read-only.
        """
        self._writable_binding()
        entries = [self._undo_entry(one) for one in answers]
        stored = [self._to_stored(*one) for one in zip(answers, entries, strict=True)]
        return self._store(stored, entries)

    def undo_batch(self, batch_id: str) -> Sequence[int]:
        """Undo a batch of answers, except where a newer answer follows.

        Parameters
        ----------
        batch_id : str
            Prefix of the answers' ids.

        Returns
        -------
        sequence of int
            Input hashes of the examples whose answers were undone.
        """
        binding = self._writable_binding()
        done = binding.dataset.undo_batch(batch_id)
        binding.answer_bus.publish(())
        return done

    def record_verdict(self, key: int, verdict: str | None) -> bool:
        """Store which side is wrong on an example; its gold does not change.

        Parameters
        ----------
        key : int
            The example's `global_example_id`.
        verdict : str or None
            ``"model"`` where the prediction is wrong; None removes the verdict.

        Returns
        -------
        bool
            False if this verdict was stored before.

        Raises
        ------
        DataError
            The example is not accepted, or it is read-only.
        """
        example = self.find(key)
        if example is None or example.answer != "accept":
            raise DataError(
                "only accepted gold can be right", remedy="Decide the example first: accept it"
            )
        if example.extra.get(JUDGED_KEY) == verdict:
            return False
        extra = self._extra_of(key)
        task = {name: value for name, value in extra.get("task", {}).items() if name != JUDGED_KEY}
        if verdict is not None:
            task[JUDGED_KEY] = verdict
        return self.record(self._answer(key, example, {**extra, "task": task}))

    def undo(self) -> Example | None:
        """Undo the last change, by a new answer.

        Returns
        -------
        Example or None
            The example as it was before; None if there was no change.
        """
        if not self._undo_stack:
            return None
        entry = self._undo_stack.pop()
        answer = self._answer(entry.key, entry.before, entry.extra)
        self._store([self._to_stored(answer, self._undo_entry(answer))], [])
        return entry.before

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call a listener after every answer to one of these examples, from any widget.

        Parameters
        ----------
        listener : callable
            Called with answers whose ``input_hash`` is a `global_example_id`.

        Returns
        -------
        callable
            Removes the listener.
        """
        if self._binding is None:
            return lambda: None

        def translate(answers: Sequence[Answer]) -> None:
            own = list(self._translated(answers))
            if own or not answers:
                listener(own)

        return self._binding.answer_bus.subscribe(translate)

    def _store(self, answers: Sequence[Answer], entries: Sequence[UndoEntry]) -> int:
        """Store answers, push their undo entries, and publish them."""
        binding = self._writable_binding()
        stored = binding.dataset.record_many(answers)
        if stored:
            for entry, answer in zip(entries, answers, strict=False):
                self._push(entry, is_draft=answer.answer is None)
            binding.answer_bus.publish(answers)
        return stored

    def _translated(self, answers: Iterable[Answer]) -> Iterator[Answer]:
        for answer in answers:
            key = global_example_id(answer.split, answer.input_hash)
            number = self._numbers.get(key)
            if number is not None:
                self._errors.update_example(number, self._current(number))
                yield replace(answer, input_hash=key)

    def _current(self, number: int) -> Example:
        known = self._errors.examples[number]
        if self._binding is None:
            return known
        found = self._binding.dataset.find(known.input_hash, known.split)
        return known if found is None else ensure_tokens(found, self._binding.tokenize)

    def _writable_binding(self) -> StoreBinding:
        if self._binding is None:
            raise DataError(
                "these texts are not in a session's store, so that nothing can be changed here",
                remedy="Add them: session.add(...), and look at session.errors()",
            )
        return self._binding

    def _to_stored(self, answer: Answer, entry: UndoEntry) -> Answer:
        """Set the example's input hash and split, and keep the example's extra but its verdict."""
        known = self._errors.examples[self._numbers[answer.input_hash]]
        kept = {k: v for k, v in entry.extra.get("task", {}).items() if k != JUDGED_KEY}
        extra = {**({"task": kept} if kept else {}), **answer.extra}
        return replace(answer, input_hash=known.input_hash, split=known.split, extra=extra)

    def _extra_of(self, key: int) -> dict[str, Any]:
        known = self._errors.examples[self._numbers[key]]
        past = self._writable_binding().dataset.history(known.input_hash, known.split)
        if not past:
            return {}
        last = past[-1][1]
        is_own = last.annotator == self._info.annotator
        dropped = _OF_ONE_EVENT if is_own else (*_OF_ONE_EVENT, *RANK_KEYS)
        return {key: value for key, value in last.extra.items() if key not in dropped}

    def _answer(self, key: int, example: Example, extra: Mapping[str, Any]) -> Answer:
        return Answer(
            id=uuid.uuid4().hex,
            input_hash=key,
            split=example.split,
            annotator=self._info.annotator,
            answer=example.answer,
            spans=example.spans,
            flagged=example.flagged,
            note=example.note,
            labels=example.labels or self._info.labels,
            created=time.time(),
            extra=extra,
        )

    def _undo_entry(self, answer: Answer) -> UndoEntry:
        number = self._numbers[answer.input_hash]
        return UndoEntry(
            answer.input_hash, self._current(number), self._extra_of(answer.input_hash)
        )

    def _push(self, entry: UndoEntry, *, is_draft: bool) -> None:
        """Push an undo entry; an edit and the answer that follows it are one change."""
        last = self._undo_stack[-1] if self._undo_stack else None
        if last is None or last.key != entry.key or self._editing != entry.key:
            self._undo_stack.append(entry)
        elif not is_draft and _same(last.before, self._current(self._numbers[entry.key])):
            self._undo_stack.pop()
        self._editing = entry.key if is_draft else None


def _same(one: Example, other: Example) -> bool:
    return (one.answer, one.spans, one.flagged, one.note) == (
        *(other.answer, other.spans, other.flagged, other.note),
    )
