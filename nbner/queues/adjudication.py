"""The queue of a reviewer who decides between the versions of several annotators."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

from nbner.queues.labelling import AnnotationQueue, ensure_tokens
from nbner.store.assignments import REVIEW_KEY, AnnotatorVersion
from nbner.types import ANSWER_KINDS, Answer, Counts, Example, Span
from nbner.widgets.messages import VERSIONS


class AdjudicationQueue(AnnotationQueue):
    """Serve the examples of a split whose annotators disagree.

    An example starts with the spans on which all agree, and carries the
    versions of all annotators. The decision is an answer of the reviewer; the
    others' answers do not change.

    Parameters
    ----------
    *args, **options
        Those of `AnnotationQueue`; ``annotator`` is the reviewer.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._by_hash: dict[int, list[AnnotatorVersion]] = {}

    def counts(self) -> Counts:
        """Count the disputed examples by the reviewer's answers."""
        team, info = self._dataset.assignments, self._info
        with self._dataset.one_state():
            undecided = len(team.disputed(info.split))
            reviews = list(team.versions(info.split, reviews=True))
        kinds: Counter[str] = Counter(
            one.answer
            for _, versions in reviews
            for one in versions
            if one.annotator == info.annotator
        )
        numbers = {kind: kinds[kind] for kind in ANSWER_KINDS}
        return Counts(total=undecided + sum(numbers.values()), **numbers)

    def next_batch(self, limit: int, exclude: Collection[int] = ()) -> list[Example]:
        """Return the next disputed examples, each with the spans on which all agree.

        Parameters
        ----------
        limit : int
            Largest number of examples.
        exclude : collection of int
            Input hashes to leave out.
        """
        team = self._dataset.assignments
        disputed = dict(team.disputed(self._info.split))
        found = team.examples_by_id(list(disputed)[: max(limit, 0) + len(exclude)])
        excluded = set(exclude)
        shown = [
            self._shown(example, disputed[id_])
            for id_, example in sorted(found.items())
            if example.input_hash not in excluded
        ]
        return shown[: max(limit, 0)]

    def recent(self, limit: int, before: int | None = None) -> list[Example]:
        """Return the examples that the reviewer decided last, newest first.

        Parameters
        ----------
        limit : int
            Largest number of examples.
        before : int, optional
            Input hash: only examples that were decided before this one.
        """
        return [self._with_versions(one) for one in super().recent(limit, before)]

    def find(self, input_hash: int) -> Example | None:
        """Find an example with the reviewer's own answer, where there is one.

        Parameters
        ----------
        input_hash : int
            Its input hash.
        """
        split, annotator = self._info.split, self._info.annotator
        example = self._dataset.assignments.find(input_hash, split, annotator, own_answer_only=True)
        return (
            None if example is None else self._with_versions(ensure_tokens(example, self._tokenize))
        )

    def load(self, hashes: Sequence[int]) -> list[Example]:
        """Return examples by their input hashes, as `find` does.

        Parameters
        ----------
        hashes : sequence of int
            Unknown ones are left out.
        """
        return [example for one in hashes if (example := self.find(one)) is not None]

    def record_many(self, answers: Sequence[Answer]) -> int:
        """Store answers, marked as decisions of a reviewer.

        Parameters
        ----------
        answers : sequence of Answer
            Answers or drafts.

        Returns
        -------
        int
            Number of answers that were new.
        """
        return super().record_many(
            [replace(one, extra={**one.extra, REVIEW_KEY: True}) for one in answers]
        )

    def _shown(self, example: Example, versions: list[AnnotatorVersion]) -> Example:
        self._by_hash[example.input_hash] = versions
        own = self._dataset.assignments.find(
            example.input_hash, self._info.split, self._info.annotator, own_answer_only=True
        )
        is_draft = own is not None and own.annotator is not None
        start = (
            own
            if own is not None and is_draft
            else replace(example, spans=_agreed(versions), annotator=None)
        )
        return self._with_versions(ensure_tokens(replace(start, answer=None), self._tokenize))

    def _with_versions(self, example: Example) -> Example:
        versions = self._by_hash.get(example.input_hash, [])
        return replace(example, extra={**example.extra, VERSIONS: versions})


def _agreed(versions: list[AnnotatorVersion]) -> tuple[Span, ...]:
    """Return the spans that every version has; a rejected version counts as having none."""
    first, *rest = [one.spans if one.answer == "accept" else () for one in versions]
    return tuple(
        Span(span.start, span.end, span.label)
        for span in first
        if all(span in others for others in rest)
    )
