"""The queue behind a session's annotation widgets: which examples come next, where answers go.

It joins a dataset with a tokenizer and a suggester. It holds no model of its
own, so that suggestions change as soon as the session's model does.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeAlias

from nbner._common.filters import ExampleFilter, ExamplePage
from nbner._common.guidelines import Guidelines
from nbner._common.offered import (
    ALTERNATIVES_KEY,
    OFFER_KEY,
    SUGGESTIONS_KEY,
    SuggestionOrigin,
    offer_to_json,
)
from nbner._common.suggestion_report import UNPLACED_KEY, SuggestionFeed, SuggestionIssue
from nbner._common.surroundings import SURROUNDINGS_KEY, ContextColumns, surroundings_of
from nbner.queues.offers import Offer, OfferLog
from nbner.store.relabel import relabelled
from nbner.types import Answer, Counts, Example, Parse, Span, Token
from nbner.widgets.key_bindings import KeyBindings
from nbner.widgets.queue_protocol import DailyTarget, Listener, Mode, QueueInfo

if TYPE_CHECKING:
    from nbner.store.dataset import Dataset

TokenizeFn: TypeAlias = Callable[[str], tuple[Token, ...]]
SuggestFn: TypeAlias = Callable[[Sequence[Example]], list[tuple[Span, ...]]]
AnswerMetadataFn: TypeAlias = Callable[[Answer], Mapping[str, Any]]
OriginFn: TypeAlias = Callable[[Example], SuggestionOrigin]
RedecodeFn: TypeAlias = Callable[[Example, int, Sequence[Span], Sequence[Span]], list[Parse]]


_LOG = logging.getLogger(__name__)

# Attributes of the bus that a queue's information repeats.
_BUS_SETTINGS = ("colors", "source_names", "guidelines", "keys", "renamed_labels")

#: Those of them that an annotator's other widgets repeat: the error explorer and quizzes.
SHARED_SETTINGS = ("source_names", "guidelines", "keys")

# Examples that are tokenized and suggested at a time.
_BATCH_SIZE = 32

#: Open examples that are ordered by the suggester's scores.
_MAX_RANKED = 1_000


@dataclass(frozen=True, slots=True)
class Suggester:
    """Source of suggestions, of metadata of answers, and of constrained k-best lists.

    Parameters
    ----------
    suggest : callable
        Examples to the spans that they are shown with.
    answer_metadata : callable, optional
        From an answer to entries of its ``extra``. It must be quick; where it
        fails, the answer is stored without them.
    redecode : callable, optional
        From an example, k, spans to force and spans to forbid to the k best
        analyses under these constraints, the best first.
    auto_redecode : bool
        Whether the page requests that after every edit of a span.
    recall : callable, optional
        As ``suggest``, without calling functions that may be slow: for a search
        through many examples. By default ``suggest``.
    unplaced : callable, optional
        From an example to those of its suggestions that no span can express.
    feed : SuggestionFeed, optional
        News of the functions that suggest, for the widget.
    origin : callable, optional
        From an example that was suggested just now to the complete suggestions
        of each source, which an answer keeps, the model among them, and other
        spans on offer.
    offers : OfferLog, optional
        Where the suggestions that were sent are remembered; by default a new
        one for each queue.
    """

    suggest: SuggestFn
    answer_metadata: AnswerMetadataFn | None = None
    redecode: RedecodeFn | None = None
    auto_redecode: bool = False
    recall: SuggestFn | None = None
    unplaced: Callable[[Example], Sequence[SuggestionIssue]] | None = None
    feed: SuggestionFeed | None = None
    origin: OriginFn | None = None
    offers: OfferLog | None = None


class AnswerBus:
    """Publish stored answers to all widgets of a session.

    Attributes
    ----------
    labels : tuple of str, optional
        The labels that every queue offers since some were added; before, each
        offers the labels that it was opened with.
    colors : mapping
        Colors that the user has chosen for labels.
    source_names : mapping
        Names of sources of suggestions for people: of a model its time and its F.
    guidelines : Guidelines
        The annotation guideline, with the definitions of labels.
    keys : KeyBindings
        Keys that the annotator has chosen.
    renamed_labels : mapping
        Former names of labels with the present ones.
    """

    def __init__(self) -> None:
        self.labels: tuple[str, ...] | None = None
        self.colors: Mapping[str, str] = {}
        self.source_names: Mapping[str, str] = {}
        self.guidelines = Guidelines()
        self.keys = KeyBindings()
        self.renamed_labels: Mapping[str, str] = {}
        self._listeners: list[Listener] = []

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Add a listener.

        Parameters
        ----------
        listener : callable
            Called with the answers of each `publish`.

        Returns
        -------
        callable
            Removes the listener.
        """
        self._listeners.append(listener)

        def unsubscribe() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return unsubscribe

    def publish(self, answers: Sequence[Answer]) -> None:
        """Call every listener.

        Parameters
        ----------
        answers : sequence of Answer
            Stored in one transaction; none where answers were undone.
        """
        for listener in tuple(self._listeners):
            listener(answers)


def with_bus_settings(info: QueueInfo, bus: AnswerBus, names: Collection[str]) -> QueueInfo:
    """Return a queue's information with the present settings of a session.

    Parameters
    ----------
    info : QueueInfo
        The information; the same object comes back where nothing has changed.
    bus : AnswerBus
        Holds the settings.
    names : collection of str
        Names of the settings.
    """
    settings = {name: getattr(bus, name) for name in names}
    changed = {name: now for name, now in settings.items() if getattr(info, name) != now}
    return replace(info, **changed) if changed else info


class AnnotationQueue:
    """Serve one split of a dataset as an ``ExampleQueue`` (``nbner.widgets.queue_protocol``).

    Parameters
    ----------
    dataset : Dataset
        Holds the examples and takes the answers.
    split : str
        Name of the split.
    annotator : str
        Author of the answers.
    key : str
        Identity of the store.
    tokenize : callable
        Text to tokens, for examples that came without.
    suggester : Suggester, optional
        Without one, examples are shown without spans.
    answer_bus : AnswerBus
        Shared by the queues of one session.
    mode : {"manual", "make_gold"}
        Whether the page shows suggestions.
    context : str or (str, str), optional
        Columns of the metadata with the text around each example.
    daily_target : int, optional
        How many examples the annotator wants to decide today.
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
        context: ContextColumns | None = None,
        daily_target: int | None = None,
    ) -> None:
        self._dataset = dataset
        self._context_columns = context
        self._tokenize = tokenize
        self._suggester = suggester
        self._answer_bus = answer_bus
        has_k_best = suggester is not None and suggester.redecode is not None
        self._info = QueueInfo(
            key=key,
            dataset=dataset.name,
            split=split,
            mode=mode,
            annotator=annotator,
            labels=dataset.labels,
            has_k_best=has_k_best,
            auto_redecode=suggester is not None and has_k_best and suggester.auto_redecode,
            colors=answer_bus.colors,
            target=None
            if daily_target is None
            else DailyTarget(
                daily_target, partial(dataset.assignments.count_decided_since, annotator)
            ),
        )
        self._suggested_by: dict[int, str] = {}
        own = None if suggester is None else suggester.offers
        self._offers = OfferLog() if own is None else own
        #: The last list that was ordered by confidence, with its conditions.
        self._by_confidence: tuple[
            ExampleFilter | None, tuple[tuple[Example, float | None], ...]
        ] = (None, ())

    @property
    def info(self) -> QueueInfo:
        """Settings of the page, with the current labels."""
        labels = self._answer_bus.labels
        if labels is not None and labels != self._info.labels:
            self._info = replace(self._info, labels=labels)
        self._info = with_bus_settings(self._info, self._answer_bus, _BUS_SETTINGS)
        return self._info

    def _prepared(self, example: Example) -> Example:
        """Return an example with its tokens, and with what stands around it."""
        example = ensure_tokens(example, self._tokenize)
        if self._context_columns is None:
            return example
        around = surroundings_of(example, self._context_columns)
        return replace(example, extra={**example.extra, SURROUNDINGS_KEY: around})

    def counts(self) -> Counts:
        """Count the examples of the split by this annotator's answers."""
        return self._dataset.assignments.counts(self._info.split, self._info.annotator)

    def next_batch(self, limit: int, exclude: Collection[int] = ()) -> list[Example]:
        """Return the next open examples with the spans to start from, and claim them.

        A draft (an answer that was undone) keeps its spans. All others start
        with suggestions, or without spans where there is no suggester. Other
        annotators do not get a claimed example until the claim expires.

        Parameters
        ----------
        limit : int
            Largest number of examples.
        exclude : collection of int
            Input hashes to leave out.
        """
        found = self._dataset.assignments.next_for(
            self._info.split, self._info.annotator, limit, exclude
        )
        return self._with_suggestions(found)

    def load(self, hashes: Sequence[int]) -> list[Example]:
        """Return examples by their input hashes, with the spans to start from.

        Parameters
        ----------
        hashes : sequence of int
            Unknown ones are left out.
        """
        split, annotator = self._info.split, self._info.annotator
        found = [self._dataset.assignments.find(one, split, annotator) for one in hashes]
        return self._with_suggestions([one for one in found if one is not None])

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

        Returns
        -------
        ExamplePage
            With ``conditions.unsure`` the open examples, ordered by the suggester's
            own scores: of its first 1,000 examples where there are more. Where it
            has no scores, those that came with the data count.
        """
        if conditions.unsure and self._suggester is not None:
            rows = self._rows_by_confidence(conditions, offset)
            if rows:
                return ExamplePage(rows[offset : offset + limit], len(rows))
        return self._dataset.list_examples(self._info.split, conditions, offset, limit)

    def _rows_by_confidence(
        self, conditions: ExampleFilter, offset: int
    ) -> tuple[tuple[Example, float | None], ...]:
        """Return open examples with scored suggestions, the lowest score first."""
        # The pages that follow are of the same list; the first one knows the model in use.
        if offset == 0 or self._by_confidence[0] != conditions:
            wanted = replace(conditions, unsure=False, answer=conditions.answer or "open")
            page = self._dataset.list_examples(self._info.split, wanted, 0, _MAX_RANKED)
            shown = self._with_suggestions([one for one, _ in page.rows], is_search=True)
            scored = [
                (one, min(scores))
                for one in shown
                if one.answer is None
                and (scores := [s.score for s in one.spans if s.score is not None])
            ]
            scored.sort(key=lambda row: row[1])
            self._by_confidence = conditions, tuple(scored)
        return self._by_confidence[1]

    def search_text(self, words: Collection[str], *, cased: bool) -> Iterator[Example]:
        """Yield open examples whose text contains all words, with the spans to start from.

        Parameters
        ----------
        words : collection of str
            The words.
        cased : bool
            Whether case matters.
        """
        found = self._dataset.search_text(self._info.split, words, cased=cased)
        while batch := list(islice(found, _BATCH_SIZE)):
            yield from self._with_suggestions(batch, is_search=True)

    def _with_suggestions(
        self, found: Sequence[Example], *, is_search: bool = False
    ) -> list[Example]:
        examples = [self._prepared(example) for example in found]
        suggested: dict[int, Example] = {}
        fresh = []
        for example in examples:
            if example.answer is not None or is_draft(example):
                continue
            shown = self._offers.shown(example.input_hash)
            if shown is None:
                fresh.append(example)
            else:
                suggested[example.input_hash] = self._offered(example, shown)
        suggestions = self._suggestions(fresh, is_search=is_search)
        for example, spans in zip(fresh, suggestions, strict=True):
            one = self._with_unplaced(replace(example, spans=spans))
            # Nothing that a search finds is on display.
            suggested[example.input_hash] = one if is_search else self._offered(one)
        self._suggested_by |= {
            key: sources
            for key, example in suggested.items()
            if (sources := suggestion_sources(example))
        }
        return [suggested.get(example.input_hash, example) for example in examples]

    def _offered(self, example: Example, shown: Offer | None = None) -> Example:
        """Return an example with the number of its offer, of one that is shown or of a new one."""
        suggester = self._suggester
        if suggester is None:
            return example
        offer = shown
        if offer is None:
            origin = SuggestionOrigin() if suggester.origin is None else suggester.origin(example)
            offer = self._offers.add(example.input_hash, example.spans, origin)
        else:
            example = self._with_unplaced(replace(example, spans=self._named(offer.spans)))
        extra = {**example.extra, OFFER_KEY: offer.number}
        if offer.alternatives:
            extra[ALTERNATIVES_KEY] = self._named(offer.alternatives)
        return replace(example, extra=extra)

    def _named(self, spans: tuple[Span, ...]) -> tuple[Span, ...]:
        """Return what was offered before a label was renamed under its present name."""
        return relabelled(spans, self._answer_bus.renamed_labels)

    def _suggestions(
        self, fresh: Sequence[Example], *, is_search: bool
    ) -> Sequence[tuple[Span, ...]]:
        if self._suggester is None or not fresh:
            return [()] * len(fresh)
        recall = self._suggester.recall
        return (recall if is_search and recall else self._suggester.suggest)(fresh)

    def _with_unplaced(self, example: Example) -> Example:
        suggester = self._suggester
        unplaced = suggester.unplaced(example) if suggester and suggester.unplaced else ()
        if not unplaced:
            return example
        return replace(example, extra={**example.extra, UNPLACED_KEY: tuple(unplaced)})

    def recent(self, limit: int, before: int | None = None) -> list[Example]:
        """Return the examples that this annotator answered last, newest first.

        Parameters
        ----------
        limit : int
            Largest number of examples.
        before : int, optional
            Input hash: only examples that were answered before this one.
        """
        found = self._dataset.recent(self._info.split, self._info.annotator, limit, before=before)
        return [self._prepared(example) for example in found]

    def find(self, input_hash: int) -> Example | None:
        """Find an example with its current answer and its tokens.

        Parameters
        ----------
        input_hash : int
            Its input hash.
        """
        split, annotator = self._info.split, self._info.annotator
        example = self._dataset.assignments.find(input_hash, split, annotator)
        return None if example is None else self._prepared(example)

    def record(self, answer: Answer) -> bool:
        """Store an answer, with its metadata, and publish it.

        Parameters
        ----------
        answer : Answer
            An answer or a draft.

        Returns
        -------
        bool
            False if an answer with this id was stored before.
        """
        return self.record_many([answer]) == 1

    def record_many(self, answers: Sequence[Answer]) -> int:
        """Store answers in one transaction and publish them together.

        Parameters
        ----------
        answers : sequence of Answer
            Answers or drafts.

        Returns
        -------
        int
            Number of answers that were new.
        """
        with_metadata = [self._with_metadata(answer) for answer in answers]
        applied = self._dataset.record_many(with_metadata)
        for answer in answers:
            if answer.answer is not None:
                self._offers.release(answer.input_hash)
        if applied:
            self._answer_bus.publish(with_metadata)
        return applied

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
        done = self._dataset.undo_batch(batch_id)
        self._answer_bus.publish(())
        return done

    def redecode(
        self,
        input_hash: int,
        k: int,
        *,
        forced: Sequence[Span] = (),
        forbidden: Sequence[Span] = (),
    ) -> list[Parse]:
        """Return the model's k best analyses of an example under constraints, best first.

        Parameters
        ----------
        input_hash : int
            Of the example.
        k : int
            Number of analyses.
        forced, forbidden : sequence of Span
            Spans that every analysis contains, and that none contains.

        Returns
        -------
        list of Parse
            Empty where there is no model, or no such example.
        """
        example = self.find(input_hash)
        redecode = None if self._suggester is None else self._suggester.redecode
        if example is None or redecode is None:
            return []
        return redecode(example, k, forced, forbidden)

    def _with_metadata(self, answer: Answer) -> Answer:
        kept = dict(answer.extra)
        offer = self._offers.find(answer.input_hash, kept.pop(OFFER_KEY, None))
        sources = self._suggested_by.get(answer.input_hash)
        if sources:
            kept["suggested_by"] = sources
        if offer is not None and offer.sources and not self._was_answered(answer):
            kept[SUGGESTIONS_KEY] = offer_to_json(offer.sources)
        if self._suggester is not None and self._suggester.answer_metadata is not None:
            # Metadata that cannot be computed must not cost the answer.
            try:
                kept |= self._suggester.answer_metadata(answer)
            except Exception:  # noqa: BLE001
                _LOG.debug("answer %s is stored without metadata", answer.id, exc_info=True)
        return replace(answer, extra=kept)

    def _was_answered(self, answer: Answer) -> bool:
        """Whether anybody has answered the example before: a model may have learnt from it."""
        found = self._dataset.find(answer.input_hash, answer.split)
        return found is None or found.answer is not None

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call a listener after every answer in this split, from any widget.

        Parameters
        ----------
        listener : callable
            Called with answers that were stored together; they are of one split.

        Returns
        -------
        callable
            Removes the listener.
        """

        def in_this_split(answers: Sequence[Answer]) -> None:
            if not answers or answers[0].split == self._info.split:
                listener(answers)

        return self._answer_bus.subscribe(in_this_split)


def suggestion_sources(example: Example) -> str:
    """Join the names of the sources of an example's spans, each once.

    Parameters
    ----------
    example : Example
        Spans without a source are passed over.
    """
    return ", ".join(dict.fromkeys(span.source for span in example.spans if span.source))


def ensure_tokens(example: Example, tokenize: TokenizeFn) -> Example:
    """Return an example with tokens.

    Parameters
    ----------
    example : Example
        Tokens that it has are kept.
    tokenize : callable
        Text to tokens.
    """
    return example if example.tokens else replace(example, tokens=tokenize(example.text))


def is_draft(example: Example) -> bool:
    """Return whether an example is a draft: spans of an annotator without an answer.

    Parameters
    ----------
    example : Example
        With its current answer.
    """
    return example.answer is None and example.annotator is not None
