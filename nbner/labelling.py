"""The desk that a session puts behind its widgets: what comes next, and where answers go.

Joins a dataset with a way to tokenize and a way to suggest. It holds no
algorithm and no model of its own, so that suggestions change over at the
moment when the session's model does.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, TypeAlias

from nbner.data.filters import Filter, Page
from nbner.types import Answer, Counts, Example, Span, Token
from nbner.widgets.desk import DeskInfo, Listener, Mode

if TYPE_CHECKING:
    from nbner.data.store import Dataset

Tokenize: TypeAlias = Callable[[str], tuple[Token, ...]]
Suggest: TypeAlias = Callable[[Sequence[Example]], list[tuple[Span, ...]]]


#: Examples that are tokenized and looked at by the model at a time.
_SOME = 32


class Switchboard:
    """Tells every widget of a session what any of them has stored."""

    def __init__(self) -> None:
        self._listeners: list[Listener] = []

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Add a listener; the returned function takes it away again."""
        self._listeners.append(listener)

        def unsubscribe() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return unsubscribe

    def tell(self, answers: Sequence[Answer]) -> None:
        """Pass answers on that were given as one."""
        for listener in tuple(self._listeners):
            listener(answers)


class LabellingDesk:
    """A ``nbner.widgets.desk.Desk`` over one split of a dataset.

    Parameters
    ----------
    dataset : Dataset
    split, annotator : str
    key : str
        Identity of the store.
    tokenize : callable
        Text to tokens, for examples that came without.
    suggest : callable, optional
        Examples to spans; without it, examples are shown empty.
    switchboard : Switchboard
        Shared by the desks of one session.
    mode : {"manual", "make-gold"}
    """

    def __init__(
        self,
        dataset: Dataset,
        *,
        split: str,
        annotator: str,
        key: str,
        tokenize: Tokenize,
        suggest: Suggest | None,
        switchboard: Switchboard,
        mode: Mode = "manual",
    ) -> None:
        self._dataset = dataset
        self._tokenize = tokenize
        self._suggest = suggest
        self._switchboard = switchboard
        self._info = DeskInfo(key, dataset.name, split, mode, annotator, dataset.labels)
        self._suggested_by: dict[int, str] = {}

    @property
    def info(self) -> DeskInfo:
        """What the page needs to know once."""
        return self._info

    def counts(self) -> Counts:
        """How far the split has come."""
        return self._dataset.counts(self._info.split)

    def upcoming(self, limit: int, exclude: Collection[int] = ()) -> list[Example]:
        """Give the next open examples with the spans to start from.

        A draft, left by taking a decision back, is shown as it was left. All
        others start with suggestions, or empty where none were asked for.
        """
        return self._started(self._dataset.upcoming(self._info.split, limit, exclude))

    def start(self, hashes: Sequence[int]) -> list[Example]:
        """Give examples by their input hashes, as they are to be shown."""
        found = [self._dataset.find(one, self._info.split) for one in hashes]
        return self._started([one for one in found if one is not None])

    def page(self, wanted: Filter, offset: int, limit: int) -> Page:
        """Give a piece of the list of examples that meet some conditions."""
        return self._dataset.page(self._info.split, wanted, offset, limit)

    def containing(self, words: Collection[str], *, cased: bool) -> Iterator[Example]:
        """Yield open examples whose text holds all words, as they are to be shown."""
        found = self._dataset.containing(self._info.split, words, cased=cased)
        while some := list(islice(found, _SOME)):
            yield from self._started(some)

    def _started(self, found: Sequence[Example]) -> list[Example]:
        examples = [tokenized(example, self._tokenize) for example in found]
        fresh = [one for one in examples if one.answer is None and not is_draft(one)]
        suggestions = self._suggest(fresh) if self._suggest and fresh else [()] * len(fresh)
        started = {
            example.input_hash: replace(example, spans=spans)
            for example, spans in zip(fresh, suggestions, strict=True)
        }
        self._suggested_by |= {
            key: sources for key, example in started.items() if (sources := sources_of(example))
        }
        return [started.get(example.input_hash, example) for example in examples]

    def past(self, limit: int, before: int | None = None) -> list[Example]:
        """Give this annotator's last answered examples, newest first."""
        found = self._dataset.recent(self._info.split, self._info.annotator, limit, before=before)
        return [tokenized(example, self._tokenize) for example in found]

    def find(self, input_hash: int) -> Example | None:
        """Look one example up as it stands now."""
        example = self._dataset.find(input_hash, self._info.split)
        return None if example is None else tokenized(example, self._tokenize)

    def record(self, answer: Answer) -> bool:
        """Store an answer durably, with who suggested its spans; tell every widget."""
        return self.record_many([answer]) == 1

    def record_many(self, answers: Sequence[Answer]) -> int:
        """Store answers in one transaction and tell of them as one; say how many were new."""
        sourced = [self._with_sources(answer) for answer in answers]
        applied = self._dataset.record_many(sourced)
        if applied:
            self._switchboard.tell(sourced)
        return applied

    def withdraw(self, whole: str) -> Sequence[int]:
        """Take back answers that were given as one, but for what has changed since."""
        done = self._dataset.withdraw(whole)
        self._switchboard.tell(())
        return done

    def _with_sources(self, answer: Answer) -> Answer:
        sources = self._suggested_by.get(answer.input_hash)
        if not sources:
            return answer
        return replace(answer, extra={**answer.extra, "suggested_by": sources})

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call ``listener`` after every answer in this split, from whichever widget.

        Answers that are given as one belong to one split.
        """

        def in_this_split(answers: Sequence[Answer]) -> None:
            if not answers or answers[0].split == self._info.split:
                listener(answers)

        return self._switchboard.subscribe(in_this_split)


def sources_of(example: Example) -> str:
    """Name who has suggested an example's spans."""
    return ", ".join(dict.fromkeys(span.source for span in example.spans if span.source))


def tokenized(example: Example, tokenize: Tokenize) -> Example:
    """Give an example its tokens, where it came without."""
    return example if example.tokens else replace(example, tokens=tokenize(example.text))


def is_draft(example: Example) -> bool:
    """Whether a decision was taken back, so that the spans are somebody's work in progress."""
    return example.answer is None and example.annotator is not None
