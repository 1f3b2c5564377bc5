"""The desk at which errors are looked at: gold over prediction, and what a person makes of it."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from nbner._common.filters import ExampleFilter, ExamplePage
from nbner.errors import DataError
from nbner.evaluation.errors.matches import JUDGED_KEY
from nbner.queues.labelling import AnswerBus, TokenizeFn, ensure_tokens
from nbner.store.assignments import AnnotatorVersion
from nbner.types import ANSWER_KINDS, Answer, Counts, Example, Parse, Span
from nbner.widgets.messages import VERSIONS
from nbner.widgets.queue_protocol import Listener, QueueInfo

if TYPE_CHECKING:
    from nbner.evaluation.errors.report import Errors
    from nbner.store.dataset import Dataset


@dataclass(frozen=True, slots=True)
class StoreBinding:
    """Where the examples live, and where answers go.

    Parameters
    ----------
    dataset : Dataset
    annotator : str
    key : str
        Identity of the store.
    tokenize : callable
        Text to tokens, for examples that came without.
    answer_bus : AnswerBus
        Shared by the desks of one session.
    """

    dataset: Dataset
    annotator: str
    key: str
    tokenize: TokenizeFn
    answer_bus: AnswerBus


@dataclass(frozen=True, slots=True)
class UndoEntry:
    """What an example was before a person changed it here."""

    key: int
    before: Example
    extra: Mapping[str, Any]


def global_example_id(split: str, input_hash: int) -> int:
    """Give an example its id among those of several splits; the same one for ever."""
    found = blake2b(f"{split}\0{input_hash}".encode(), digest_size=6).digest()
    return int.from_bytes(found, "big")


class ErrorReviewQueue:
    """A ``nbner.widgets.queue_protocol.Desk`` over examples that are held against something else.

    Nothing waits here for an answer: examples are asked for one by one. The
    ids on the wire are those of `global_example_id`, for the examples may come from
    several splits.

    Parameters
    ----------
    errors : Errors
        It follows what is changed.
    binding : StoreBinding, optional
        Without one, the examples can be looked at and not changed.
    labels : sequence of str
    """

    def __init__(
        self, errors: Errors, *, binding: StoreBinding | None = None, labels: Sequence[str] = ()
    ) -> None:
        self._errors = errors
        self._backing = binding
        self._acts: list[UndoEntry] = []
        # The example whose decision was taken back here last, by an edit.
        self._at_work: int | None = None
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
        )

    @property
    def info(self) -> QueueInfo:
        """What the page needs to know once."""
        return self._info

    @property
    def can_change(self) -> bool:
        """Whether answers go anywhere."""
        return self._backing is not None

    @property
    def can_undo(self) -> bool:
        """Whether something was changed here."""
        return bool(self._acts)

    def example_id(self, number: int) -> int:
        """Give the id of an example by its position."""
        return self._keys[number]

    def counts(self) -> Counts:
        """Count the examples by the answer that stands."""
        answers = [one.answer for one in self._errors.examples]
        return Counts(len(answers), **{kind: answers.count(kind) for kind in ANSWER_KINDS})

    def next_batch(self, limit: int, exclude: Collection[int] = ()) -> list[Example]:  # noqa: ARG002
        """Give nothing: nothing waits here."""
        return []

    def recent(self, limit: int, before: int | None = None) -> list[Example]:  # noqa: ARG002
        """Give nothing: what was decided before is not taken back here."""
        return []

    def find(self, input_hash: int) -> Example | None:
        """Give an example by its id, as it stands now, with what is held against it."""
        number = self._numbers.get(input_hash)
        if number is None:
            return None
        example = self._now(number)
        first = self._errors.reference
        sides = [self._errors.predicted] if first is None else [first, self._errors.predicted]
        names = self._errors.side_names[-len(sides) :]
        said = [
            AnnotatorVersion(by, "accept", side[number])
            for by, side in zip(names, sides, strict=True)
        ]
        extra = {**example.extra, VERSIONS: said}
        return replace(example, input_hash=input_hash, extra=extra)

    def load(self, hashes: Sequence[int]) -> list[Example]:
        """Give examples by their ids."""
        return [example for one in hashes if (example := self.find(one)) is not None]

    def list_examples(self, conditions: ExampleFilter, offset: int, limit: int) -> ExamplePage:
        """Give a piece of the list of examples that meet some conditions."""
        found = [
            replace(one, input_hash=self._keys[number])
            for number, one in enumerate(self._errors.examples)
            if conditions.matches(one)
        ]
        return ExamplePage(tuple((one, None) for one in found[offset : offset + limit]), len(found))

    def search_text(self, words: Collection[str], *, cased: bool) -> Iterator[Example]:  # noqa: ARG002
        """Yield nothing: none of these examples is open."""
        return iter(())

    def redecode(
        self,
        input_hash: int,  # noqa: ARG002
        k: int,  # noqa: ARG002
        *,
        forced: Sequence[Span] = (),  # noqa: ARG002
        forbidden: Sequence[Span] = (),  # noqa: ARG002
    ) -> list[Parse]:
        """Give nothing: this desk suggests nothing."""
        return []

    def record(self, answer: Answer) -> bool:
        """Store an answer durably; tell every widget."""
        return self.record_many([answer]) == 1

    def record_many(self, answers: Sequence[Answer]) -> int:
        """Store answers in one transaction; each can be taken back with `undo`."""
        self._writable()
        acts = [self._act(one) for one in answers]
        real = [self._real(one, act) for one, act in zip(answers, acts, strict=True)]
        return self._store(real, acts)

    def undo_batch(self, batch_id: str) -> Sequence[int]:
        """Take back answers that were given as one, but for what has changed since."""
        backing = self._writable()
        done = backing.dataset.undo_batch(batch_id)
        backing.answer_bus.publish(())
        return done

    def record_verdict(self, key: int, verdict: str | None) -> bool:
        """Say who is wrong on an example, while its gold stays as it is.

        Returns
        -------
        bool
            Whether that was new.

        Raises
        ------
        DataError
            The example is open, or cannot be changed.
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
        """Take the last change back: the example is as it was before; None if there was none."""
        if not self._acts:
            return None
        act = self._acts.pop()
        answer = self._answer(act.key, act.before, act.extra)
        self._store([self._real(answer, self._act(answer))], [])
        return act.before

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call ``listener`` after every answer to one of these examples, from whichever widget."""
        if self._backing is None:
            return lambda: None

        def translate(answers: Sequence[Answer]) -> None:
            known = list(self._known(answers))
            if known or not answers:
                listener(known)

        return self._backing.answer_bus.subscribe(translate)

    def _store(self, real: Sequence[Answer], acts: Sequence[UndoEntry]) -> int:
        """Store answers, keep what can be taken back, and tell every widget."""
        backing = self._writable()
        stored = backing.dataset.record_many(real)
        if stored:
            for act, answer in zip(acts, real, strict=False):
                self._remember(act, is_open=answer.answer is None)
            backing.answer_bus.publish(real)
        return stored

    def _known(self, answers: Iterable[Answer]) -> Iterator[Answer]:
        for answer in answers:
            key = global_example_id(answer.split, answer.input_hash)
            number = self._numbers.get(key)
            if number is not None:
                self._errors.update_example(number, self._now(number))
                yield replace(answer, input_hash=key)

    def _now(self, number: int) -> Example:
        known = self._errors.examples[number]
        if self._backing is None:
            return known
        found = self._backing.dataset.find(known.input_hash, known.split)
        return known if found is None else ensure_tokens(found, self._backing.tokenize)

    def _writable(self) -> StoreBinding:
        if self._backing is None:
            raise DataError(
                "these texts are not in a session's store, so that nothing can be changed here",
                remedy="Add them: session.add(...), and look at session.errors()",
            )
        return self._backing

    def _real(self, answer: Answer, act: UndoEntry) -> Answer:
        """Give an answer its example's own id; what was known of the example stays with it."""
        known = self._errors.examples[self._numbers[answer.input_hash]]
        kept = {k: v for k, v in act.extra.get("task", {}).items() if k != JUDGED_KEY}
        extra = {**({"task": kept} if kept else {}), **answer.extra}
        return replace(answer, input_hash=known.input_hash, split=known.split, extra=extra)

    def _extra_of(self, key: int) -> dict[str, Any]:
        known = self._errors.examples[self._numbers[key]]
        past = self._writable().dataset.history(known.input_hash, known.split)
        return dict(past[-1][1].extra) if past else {}

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

    def _act(self, answer: Answer) -> UndoEntry:
        number = self._numbers[answer.input_hash]
        return UndoEntry(answer.input_hash, self._now(number), self._extra_of(answer.input_hash))

    def _remember(self, act: UndoEntry, *, is_open: bool) -> None:
        """Keep what an example was; an edit and the decision after it are one change."""
        last = self._acts[-1] if self._acts else None
        if last is None or last.key != act.key or self._at_work != act.key:
            self._acts.append(act)
        elif not is_open and _same(last.before, self._now(self._numbers[act.key])):
            self._acts.pop()
        self._at_work = act.key if is_open else None


def _same(one: Example, other: Example) -> bool:
    return (one.answer, one.spans, one.flagged, one.note) == (
        *(other.answer, other.spans, other.flagged, other.note),
    )
