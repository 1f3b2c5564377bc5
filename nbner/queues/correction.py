"""The desk at which gold is mended: what is doubted comes next, with what is likelier beside it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from nbner.queues.labelling import AnnotationQueue, ensure_tokens, is_draft
from nbner.store.assignments import AnnotatorVersion
from nbner.types import ANSWER_KINDS, Answer, AnswerKind, Counts, Example, Span
from nbner.widgets.messages import VERSIONS
from nbner.widgets.queue_protocol import QueueInfo

#: Under this key an answer's ``extra`` says what it was mended for.
CORRECTION_REASON = "mended"

#: What a bulk answer of the page carries; see ``widgets.asking``.
_EVERYWHERE = "everywhere"


@dataclass(frozen=True, slots=True)
class SuspectSpans:
    """What is doubted in one example.

    Parameters
    ----------
    spans : mapping of Span to float
        Gold spans, with the probability that somebody gives them.
    versions : tuple of AnnotatorVersion
        What would be likelier, each as a complete set of spans.
    """

    spans: Mapping[Span, float] = field(default_factory=dict)
    versions: tuple[AnnotatorVersion, ...] = ()


class CorrectionQueue(AnnotationQueue):
    """Queue (see ``nbner.widgets.queue_protocol``) of accepted examples to look at again.

    Every example of the split that is not settled here is shown as open, with
    its gold as a draft; those that are doubted come first to last in their
    order. Whoever settles one gives a new answer; the old ones stay in its
    history. Changes to many examples at once keep them accepted.

    Parameters
    ----------
    suspects : mapping of int to Doubt
        Input hashes, in the order in which they are to come.
    reason : str
        What they are mended for; every answer keeps it.
    source : str
        Who gives the spans their probabilities.
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
        self._doubts = dict(suspects)
        self._what = reason
        self._doubter = source
        self._settled: dict[int, AnswerKind] = {}

    @property
    def info(self) -> QueueInfo:
        """What the page needs to know once."""
        return replace(super().info, edits_gold=True)

    def counts(self) -> Counts:
        """Count what is doubted by how it was settled."""
        kinds = Counter(kind for one, kind in self._settled.items() if one in self._doubts)
        return Counts(
            total=len(self._doubts), **{kind: kinds[kind] for kind in ANSWER_KINDS if kinds[kind]}
        )

    def next_batch(self, limit: int, exclude: Collection[int] = ()) -> list[Example]:
        """Give the next doubted examples, each with its gold."""
        passed_over = {*exclude, *self._settled}
        due = [one for one in self._doubts if one not in passed_over]
        return self.load(due[: max(limit, 0)])

    def load(self, hashes: Sequence[int]) -> list[Example]:
        """Give examples by their input hashes, as they are to be shown."""
        found = (self.find(one) for one in hashes)
        return [one for one in found if one is not None]

    def find(self, input_hash: int) -> Example | None:
        """Look one example up: settled as it stands, else as it is to be shown."""
        split, annotator = self._info.split, self._info.annotator
        found = self._dataset.find(input_hash, split)
        if found is None:
            return None
        own = self._dataset.assignments.find(input_hash, split, annotator, own_answer_only=True)
        # What somebody has begun here is shown, although another's decision stands meanwhile.
        if own is not None and is_draft(own) and (own.created or 0.0) >= (found.created or 0.0):
            found = own
        return self._shown(ensure_tokens(found, self._tokenize))

    def recent(self, limit: int, before: int | None = None) -> list[Example]:
        """Give what was settled here, the last first."""
        settled = list(self._settled)[::-1]
        if before in self._settled:
            settled = settled[settled.index(before) + 1 :]
        return self.load(settled[: max(limit, 0)])

    def search_text(self, words: Collection[str], *, cased: bool) -> Iterator[Example]:
        """Yield accepted examples whose text holds all words, as they are to be shown."""
        wanted = [one if cased else one.lower() for one in words]
        for example in self._dataset.examples(self._info.split, answer="accept"):
            text = example.text if cased else example.text.lower()
            if example.input_hash not in self._settled and all(one in text for one in wanted):
                yield self._shown(ensure_tokens(example, self._tokenize))

    def record_many(self, answers: Sequence[Answer]) -> int:
        """Store answers with what they were given for; changes to many stay accepted."""
        mended = [self._mended(one) for one in answers]
        before = dict(self._settled)
        # Whoever is told of an answer asks at once how the example stands.
        for one in mended:
            self._note(one)
        try:
            return super().record_many(mended)
        except Exception:
            self._settled = before
            raise

    def undo_batch(self, batch_id: str) -> Sequence[int]:
        """Take back answers that were given as one, but for what has changed since."""
        done = super().undo_batch(batch_id)
        for key in done:
            self._settled.pop(key, None)
        return done

    def _mended(self, answer: Answer) -> Answer:
        extra = {**answer.extra, CORRECTION_REASON: self._what}
        if _EVERYWHERE not in extra or answer.answer is not None:
            return replace(answer, extra=extra)
        labels = labels_after_bulk_edit(self._dataset.find(answer.input_hash, answer.split), answer)
        return replace(answer, answer="accept", labels=labels, extra=extra)

    def _note(self, answer: Answer) -> None:
        """Take an example off the queue, unless a change to many has left something to settle."""
        self._settled.pop(answer.input_hash, None)
        doubt = self._doubts.get(answer.input_hash, SuspectSpans())
        whole = any(set(answer.spans) == set(one.spans) for one in doubt.versions)
        if answer.answer is not None and (whole or _EVERYWHERE not in answer.extra):
            self._settled[answer.input_hash] = answer.answer

    def _shown(self, example: Example) -> Example:
        if example.input_hash in self._settled:
            return example
        doubt = self._doubts.get(example.input_hash, SuspectSpans())
        spans = tuple(self._doubted(span, doubt) for span in example.spans)
        extra = {**example.extra, VERSIONS: doubt.versions}
        # A draft: only the spans with a source are dashed, the others are gold as it stands.
        by = example.annotator or self._info.annotator
        return replace(example, answer=None, annotator=by, spans=spans, extra=extra)

    def _doubted(self, span: Span, doubt: SuspectSpans) -> Span:
        if span not in doubt.spans:
            return Span(span.start, span.end, span.label)
        score = doubt.spans[span]
        return Span(span.start, span.end, span.label, source=self._doubter, score=score)


def labels_after_bulk_edit(before: Example | None, answer: Answer) -> tuple[str, ...]:
    """Give the labels that an example is complete for after a change that nobody has looked at.

    Nobody was asked about labels that came after its answer; those of the
    spans it holds now are taken in.
    """
    if before is None or before.labels is None:
        return answer.labels
    held = [span.label for span in answer.spans]
    return tuple(dict.fromkeys((*before.labels, *held)))
