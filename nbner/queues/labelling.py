"""The desk that a session puts behind its widgets: what comes next, and where answers go.

Joins a dataset with a way to tokenize and a way to suggest. It holds no
algorithm and no model of its own, so that suggestions change over at the
moment when the session's model does.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeAlias

from nbner._common.filters import ExampleFilter, ExamplePage
from nbner._common.suggestion_report import UNPLACED_KEY, SuggestionFeed, SuggestionIssue
from nbner.types import Answer, Counts, Example, Parse, Span, Token
from nbner.widgets.queue_protocol import Listener, Mode, QueueInfo

if TYPE_CHECKING:
    from nbner.store.dataset import Dataset

TokenizeFn: TypeAlias = Callable[[str], tuple[Token, ...]]
SuggestFn: TypeAlias = Callable[[Sequence[Example]], list[tuple[Span, ...]]]
AnswerMetadataFn: TypeAlias = Callable[[Answer], Mapping[str, Any]]
RedecodeFn: TypeAlias = Callable[[Example, int, Sequence[Span], Sequence[Span]], list[Parse]]


_logger = logging.getLogger("nbner.queues.labelling")

#: Examples that are tokenized and looked at by the model at a time.
_SOME = 32


@dataclass(frozen=True, slots=True)
class Suggester:
    """What is said on examples before and while a person labels them.

    Parameters
    ----------
    suggest : callable
        Examples to the spans that they are shown with.
    answer_metadata : callable, optional
        From an answer to what else is worth keeping beside it. It must be
        quick; where it fails, the answer is stored without.
    redecode : callable, optional
        The best analyses of an example that hold some spans and not others.
    auto_redecode : bool
        Whether a page is to ask for that after every change of a span.
    recall : callable, optional
        As ``suggest``, without asking functions that may be slow: for a search
        through many examples. By default ``suggest``.
    unplaced : callable, optional
        From an example to those of its suggestions that no mark can show.
    feed : SuggestionFeed, optional
        What the widget is told of the functions that suggest.
    """

    suggest: SuggestFn
    answer_metadata: AnswerMetadataFn | None = None
    redecode: RedecodeFn | None = None
    auto_redecode: bool = False
    recall: SuggestFn | None = None
    unplaced: Callable[[Example], Sequence[SuggestionIssue]] | None = None
    feed: SuggestionFeed | None = None


class AnswerBus:
    """Tells every widget of a session what any of them has stored.

    Attributes
    ----------
    labels : tuple of str, optional
        Those that every desk offers since some were added; before, each offers
        those that it was opened with.
    """

    def __init__(self) -> None:
        self.labels: tuple[str, ...] | None = None
        self._listeners: list[Listener] = []

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Add a listener; the returned function takes it away again."""
        self._listeners.append(listener)

        def unsubscribe() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return unsubscribe

    def publish(self, answers: Sequence[Answer]) -> None:
        """Pass answers on that were given as one."""
        for listener in tuple(self._listeners):
            listener(answers)


class AnnotationQueue:
    """A ``nbner.widgets.queue_protocol.Desk`` over one split of a dataset.

    Parameters
    ----------
    dataset : Dataset
    split, annotator : str
    key : str
        Identity of the store.
    tokenize : callable
        Text to tokens, for examples that came without.
    suggester : Suggester, optional
        Without one, examples are shown empty.
    answer_bus : AnswerBus
        Shared by the desks of one session.
    mode : {"manual", "make_gold"}
    """

    def __init__(
        self,
        dataset: Dataset,
        *,
        split: str,
        annotator: str,
        key: str,
        tokenize: TokenizeFn,
        suggester: Suggester | None,
        answer_bus: AnswerBus,
        mode: Mode = "manual",
    ) -> None:
        self._dataset = dataset
        self._tokenize = tokenize
        self._adviser = suggester
        self._switchboard = answer_bus
        advises = suggester is not None and suggester.redecode is not None
        self._info = QueueInfo(
            key=key,
            dataset=dataset.name,
            split=split,
            mode=mode,
            annotator=annotator,
            labels=dataset.labels,
            has_k_best=advises,
            auto_redecode=suggester is not None and advises and suggester.auto_redecode,
        )
        self._suggested_by: dict[int, str] = {}

    @property
    def info(self) -> QueueInfo:
        """What the page needs to know; with the labels that can be given now."""
        labels = self._switchboard.labels
        if labels is not None and labels != self._info.labels:
            self._info = replace(self._info, labels=labels)
        return self._info

    def counts(self) -> Counts:
        """How far the split has come."""
        return self._dataset.assignments.counts(self._info.split, self._info.annotator)

    def next_batch(self, limit: int, exclude: Collection[int] = ()) -> list[Example]:
        """Give the next open examples with the spans to start from.

        A draft, left by taking a decision back, is shown as it was left. All
        others start with suggestions, or empty where none were asked for. What
        is given out is kept from other annotators for a while.
        """
        found = self._dataset.assignments.next_for(
            self._info.split, self._info.annotator, limit, exclude
        )
        return self._started(found)

    def load(self, hashes: Sequence[int]) -> list[Example]:
        """Give examples by their input hashes, as they are to be shown."""
        split, annotator = self._info.split, self._info.annotator
        found = [self._dataset.assignments.find(one, split, annotator) for one in hashes]
        return self._started([one for one in found if one is not None])

    def list_examples(self, conditions: ExampleFilter, offset: int, limit: int) -> ExamplePage:
        """Give a piece of the list of examples that meet some conditions."""
        return self._dataset.list_examples(self._info.split, conditions, offset, limit)

    def search_text(self, words: Collection[str], *, cased: bool) -> Iterator[Example]:
        """Yield open examples whose text holds all words, as they are to be shown."""
        found = self._dataset.search_text(self._info.split, words, cased=cased)
        while some := list(islice(found, _SOME)):
            yield from self._started(some, searching=True)

    def _started(self, found: Sequence[Example], *, searching: bool = False) -> list[Example]:
        examples = [ensure_tokens(example, self._tokenize) for example in found]
        fresh = [one for one in examples if one.answer is None and not is_draft(one)]
        suggestions = self._suggestions(fresh, searching=searching)
        started = {
            example.input_hash: self._with_unplaced(replace(example, spans=spans))
            for example, spans in zip(fresh, suggestions, strict=True)
        }
        self._suggested_by |= {
            key: sources
            for key, example in started.items()
            if (sources := suggestion_sources(example))
        }
        return [started.get(example.input_hash, example) for example in examples]

    def _suggestions(
        self, fresh: Sequence[Example], *, searching: bool
    ) -> Sequence[tuple[Span, ...]]:
        if self._adviser is None or not fresh:
            return [()] * len(fresh)
        recall = self._adviser.recall
        return (recall if searching and recall else self._adviser.suggest)(fresh)

    def _with_unplaced(self, example: Example) -> Example:
        adviser = self._adviser
        unplaced = adviser.unplaced(example) if adviser and adviser.unplaced else ()
        if not unplaced:
            return example
        return replace(example, extra={**example.extra, UNPLACED_KEY: tuple(unplaced)})

    def recent(self, limit: int, before: int | None = None) -> list[Example]:
        """Give this annotator's last answered examples, newest first."""
        found = self._dataset.recent(self._info.split, self._info.annotator, limit, before=before)
        return [ensure_tokens(example, self._tokenize) for example in found]

    def find(self, input_hash: int) -> Example | None:
        """Look one example up as it stands now."""
        split, annotator = self._info.split, self._info.annotator
        example = self._dataset.assignments.find(input_hash, split, annotator)
        return None if example is None else ensure_tokens(example, self._tokenize)

    def record(self, answer: Answer) -> bool:
        """Store an answer durably, with who suggested its spans; tell every widget."""
        return self.record_many([answer]) == 1

    def record_many(self, answers: Sequence[Answer]) -> int:
        """Store answers in one transaction and tell of them as one; say how many were new."""
        remarked = [self._with_remarks(answer) for answer in answers]
        applied = self._dataset.record_many(remarked)
        if applied:
            self._switchboard.publish(remarked)
        return applied

    def undo_batch(self, batch_id: str) -> Sequence[int]:
        """Take back answers that were given as one, but for what has changed since."""
        done = self._dataset.undo_batch(batch_id)
        self._switchboard.publish(())
        return done

    def redecode(
        self,
        input_hash: int,
        k: int,
        *,
        forced: Sequence[Span] = (),
        forbidden: Sequence[Span] = (),
    ) -> list[Parse]:
        """Give the model's k best analyses that hold some spans and not others."""
        example = self.find(input_hash)
        analyse = None if self._adviser is None else self._adviser.redecode
        if example is None or analyse is None:
            return []
        return analyse(example, k, forced, forbidden)

    def _with_remarks(self, answer: Answer) -> Answer:
        kept = dict(answer.extra)
        sources = self._suggested_by.get(answer.input_hash)
        if sources:
            kept["suggested_by"] = sources
        if self._adviser is not None and self._adviser.answer_metadata is not None:
            # An answer is a person's work: no figure beside it is worth losing it.
            try:
                kept |= self._adviser.answer_metadata(answer)
            except Exception:
                _logger.debug("answer %s is stored without its rank", answer.id, exc_info=True)
        return replace(answer, extra=kept)

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call ``listener`` after every answer in this split, from whichever widget.

        Answers that are given as one belong to one split.
        """

        def in_this_split(answers: Sequence[Answer]) -> None:
            if not answers or answers[0].split == self._info.split:
                listener(answers)

        return self._switchboard.subscribe(in_this_split)


def suggestion_sources(example: Example) -> str:
    """Name who has suggested an example's spans."""
    return ", ".join(dict.fromkeys(span.source for span in example.spans if span.source))


def ensure_tokens(example: Example, tokenize: TokenizeFn) -> Example:
    """Give an example its tokens, where it came without."""
    return example if example.tokens else replace(example, tokens=tokenize(example.text))


def is_draft(example: Example) -> bool:
    """Whether a decision was taken back, so that the spans are somebody's work in progress."""
    return example.answer is None and example.annotator is not None
