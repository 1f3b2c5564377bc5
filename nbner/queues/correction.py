"""The queue of accepted examples whose gold is suspect, with the likelier versions beside it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from nbner.queues.labelling import AnnotationQueue, ensure_tokens, is_draft
from nbner.store.assignments import AnnotatorVersion
from nbner.types import ACCEPTED_UNSEEN, ANSWER_KINDS, Answer, AnswerKind, Counts, Example, Span
from nbner.widgets.messages import VERSIONS
from nbner.widgets.queue_protocol import QueueInfo

#: Key of an answer's ``extra``: why the example was corrected.
CORRECTION_REASON = "mended"

# Key of the ``extra`` of every answer of a bulk edit; see ``nbner.widgets.query_handlers``.
_BULK_KEY = "everywhere"


@dataclass(frozen=True, slots=True)
class SuspectSpans:
    """The suspect gold spans of one example.

    Parameters
    ----------
    spans : mapping of Span to float
        Gold spans, with their probability by the source.
    versions : tuple of AnnotatorVersion
        Likelier versions, each a complete set of spans.
    """

    spans: Mapping[Span, float] = field(default_factory=dict)
    versions: tuple[AnnotatorVersion, ...] = ()


class CorrectionQueue(AnnotationQueue):
    """Serve accepted examples to be reviewed again.

    Every example of the split that was not reviewed in this queue is shown as
    open, with its gold as a draft; only the suspect ones are served by
    `next_batch`. A review is a new answer; the old ones stay in the history.
    Bulk edits keep examples accepted.

    Parameters
    ----------
    *args, **options
        Those of `AnnotationQueue`, without ``suggester``.
    suspects : mapping of int to SuspectSpans
        Input hashes, in the order in which the examples are served.
    reason : str
        Why they are corrected; stored with every answer.
    source : str
        Name of the source of the spans' probabilities.
    """

    def __init__(
        self,
        *args: Any,
        suspects: Mapping[int, SuspectSpans],
        reason: str,
        source: str,
        **options: Any,
    ) -> None:
        super().__init__(*args, suggester=None, **options)
        self._suspects = dict(suspects)
        self._reason = reason
        self._source = source
        self._reviewed: dict[int, AnswerKind] = {}

    @property
    def info(self) -> QueueInfo:
        """Settings of the page."""
        return replace(super().info, edits_gold=True)

    def counts(self) -> Counts:
        """Count the suspect examples by their answers in this queue."""
        kinds = Counter(kind for one, kind in self._reviewed.items() if one in self._suspects)
        return Counts(
            total=len(self._suspects), **{kind: kinds[kind] for kind in ANSWER_KINDS if kinds[kind]}
        )

    def next_batch(self, limit: int, exclude: Collection[int] = ()) -> list[Example]:
        """Return the next suspect examples, each with its gold as a draft.

        Parameters
        ----------
        limit : int
            Largest number of examples.
        exclude : collection of int
            Input hashes to leave out.
        """
        excluded = {*exclude, *self._reviewed}
        pending = [one for one in self._suspects if one not in excluded]
        return self.load(pending[: max(limit, 0)])

    def load(self, hashes: Sequence[int]) -> list[Example]:
        """Return examples by their input hashes, as `find` does.

        Parameters
        ----------
        hashes : sequence of int
            Unknown ones are left out.
        """
        found = (self.find(one) for one in hashes)
        return [one for one in found if one is not None]

    def find(self, input_hash: int) -> Example | None:
        """Find an example: with its current answer if reviewed here, else as an open draft.

        Parameters
        ----------
        input_hash : int
            Its input hash.
        """
        split, annotator = self._info.split, self._info.annotator
        found = self._dataset.find(input_hash, split)
        if found is None:
            return None
        own = self._dataset.assignments.find(input_hash, split, annotator, own_answer_only=True)
        # This annotator's newer draft is shown, although another's answer is current.
        if own is not None and is_draft(own) and (own.created or 0.0) >= (found.created or 0.0):
            found = own
        return self._shown(ensure_tokens(found, self._tokenize))

    def recent(self, limit: int, before: int | None = None) -> list[Example]:
        """Return the examples that were reviewed in this queue last, newest first.

        Parameters
        ----------
        limit : int
            Largest number of examples.
        before : int, optional
            Input hash: only examples that were reviewed before this one.
        """
        reviewed = list(self._reviewed)[::-1]
        if before in self._reviewed:
            reviewed = reviewed[reviewed.index(before) + 1 :]
        return self.load(reviewed[: max(limit, 0)])

    def search_text(self, words: Collection[str], *, cased: bool) -> Iterator[Example]:
        """Yield accepted examples whose text contains all words and that were not reviewed here.

        Parameters
        ----------
        words : collection of str
            The words.
        cased : bool
            Whether case matters.
        """
        wanted = [one if cased else one.lower() for one in words]
        for example in self._dataset.examples(self._info.split, answer="accept"):
            text = example.text if cased else example.text.lower()
            if example.input_hash not in self._reviewed and all(one in text for one in wanted):
                yield self._shown(ensure_tokens(example, self._tokenize))

    def record_many(self, answers: Sequence[Answer]) -> int:
        """Store answers with the reason of the correction; bulk edits stay accepted.

        Parameters
        ----------
        answers : sequence of Answer
            Answers or drafts.

        Returns
        -------
        int
            Number of answers that were new.
        """
        marked = [self._with_reason(one) for one in answers]
        before = dict(self._reviewed)
        # Listeners read the examples and the counts while the answers are published.
        for one in marked:
            self._update_reviewed(one)
        stored = 0
        try:
            stored = super().record_many(marked)
        finally:
            # What was refused, or was stored before, reviews nothing.
            if not stored:
                self._reviewed = before
        return stored

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
        done = super().undo_batch(batch_id)
        for key in done:
            self._reviewed.pop(key, None)
        return done

    def _with_reason(self, answer: Answer) -> Answer:
        extra = {**answer.extra, CORRECTION_REASON: self._reason}
        if _BULK_KEY not in extra or answer.answer is not None:
            return replace(answer, extra=extra)
        before = self._dataset.find(answer.input_hash, answer.split)
        labels = labels_after_bulk_edit(before, answer)
        extra |= unseen_after_bulk_edit(before)
        return replace(answer, answer="accept", labels=labels, extra=extra)

    def _update_reviewed(self, answer: Answer) -> None:
        """Mark an example as reviewed, unless a bulk edit has left it without a listed version."""
        self._reviewed.pop(answer.input_hash, None)
        suspect = self._suspects.get(answer.input_hash, SuspectSpans())
        is_version = any(set(answer.spans) == set(one.spans) for one in suspect.versions)
        if answer.answer is not None and (is_version or _BULK_KEY not in answer.extra):
            self._reviewed[answer.input_hash] = answer.answer

    def _shown(self, example: Example) -> Example:
        if example.input_hash in self._reviewed:
            return example
        suspect = self._suspects.get(example.input_hash, SuspectSpans())
        spans = tuple(self._with_score(span, suspect) for span in example.spans)
        extra = {**example.extra, VERSIONS: suspect.versions}
        # A draft: the page dashes the spans with a source; the others are gold.
        by = example.annotator or self._info.annotator
        return replace(example, answer=None, annotator=by, spans=spans, extra=extra)

    def _with_score(self, span: Span, suspect: SuspectSpans) -> Span:
        if span not in suspect.spans:
            return Span(span.start, span.end, span.label)
        score = suspect.spans[span]
        return Span(span.start, span.end, span.label, source=self._source, score=score)


def labels_after_bulk_edit(before: Example | None, answer: Answer) -> tuple[str, ...]:
    """Return the labels for which an example is complete after a bulk edit.

    Labels that were added after its last answer were never annotated in it;
    only those of its present spans count.

    Parameters
    ----------
    before : Example or None
        The example before the edit.
    answer : Answer
        The answer of the bulk edit.
    """
    if before is None or before.labels is None:
        return answer.labels
    held = [span.label for span in answer.spans]
    return tuple(dict.fromkeys((*before.labels, *held)))


def unseen_after_bulk_edit(before: Example | None) -> dict[str, Any]:
    """Return the entries of a bulk edit's ``extra`` that say that nobody has read the text.

    Words of a text that was accepted unseen change with those of all others: the
    rest of it was not looked at, and it stays no gold to measure against.

    Parameters
    ----------
    before : Example or None
        The example before the edit.
    """
    if before is None or not before.accepted_unseen:
        return {}
    return {"task": {ACCEPTED_UNSEEN: before.extra[ACCEPTED_UNSEEN]}}
