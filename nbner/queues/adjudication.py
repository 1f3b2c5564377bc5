"""The desk at which somebody decides between others: their versions side by side."""

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
    """A ``nbner.widgets.queue_protocol.Desk`` over the examples on which people differ.

    It shows the spans on which all agree, and brings each version along. What
    is decided is an answer of the reviewer; the others' stay as they are.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._by_hash: dict[int, list[AnnotatorVersion]] = {}

    def counts(self) -> Counts:
        """Count what was disputed by the reviewer's answers."""
        team, info = self._dataset.assignments, self._info
        still = len(team.disputed(info.split))
        kinds: Counter[str] = Counter(
            one.answer
            for _, versions in team.versions(info.split, reviews=True)
            for one in versions
            if one.annotator == info.annotator
        )
        numbers = {kind: kinds[kind] for kind in ANSWER_KINDS}
        return Counts(total=still + sum(numbers.values()), **numbers)

    def next_batch(self, limit: int, exclude: Collection[int] = ()) -> list[Example]:
        """Give the next disputed examples, each with the spans on which all agree."""
        team = self._dataset.assignments
        disputed = dict(team.disputed(self._info.split))
        found = team.examples_by_id(list(disputed)[: max(limit, 0) + len(exclude)])
        passed_over = set(exclude)
        shown = [
            self._shown(example, disputed[id_])
            for id_, example in sorted(found.items())
            if example.input_hash not in passed_over
        ]
        return shown[: max(limit, 0)]

    def recent(self, limit: int, before: int | None = None) -> list[Example]:
        """Give the reviewer's last decisions, newest first."""
        return [self._with_versions(one) for one in super().recent(limit, before)]

    def find(self, input_hash: int) -> Example | None:
        """Look an example up with the reviewer's own decision, or none."""
        split, annotator = self._info.split, self._info.annotator
        example = self._dataset.assignments.find(input_hash, split, annotator, own_answer_only=True)
        return (
            None if example is None else self._with_versions(ensure_tokens(example, self._tokenize))
        )

    def load(self, hashes: Sequence[int]) -> list[Example]:
        """Give examples by their input hashes, as they are to be shown."""
        return [example for one in hashes if (example := self.find(one)) is not None]

    def record_many(self, answers: Sequence[Answer]) -> int:
        """Store the reviewer's decisions as ones that are between others."""
        return super().record_many(
            [replace(one, extra={**one.extra, REVIEW_KEY: True}) for one in answers]
        )

    def _shown(self, example: Example, versions: list[AnnotatorVersion]) -> Example:
        self._by_hash[example.input_hash] = versions
        own = self._dataset.assignments.find(
            example.input_hash, self._info.split, self._info.annotator, own_answer_only=True
        )
        is_draft = own is not None and own.annotator is not None
        fresh = (
            own
            if own is not None and is_draft
            else replace(example, spans=_agreed(versions), annotator=None)
        )
        return self._with_versions(ensure_tokens(replace(fresh, answer=None), self._tokenize))

    def _with_versions(self, example: Example) -> Example:
        versions = self._by_hash.get(example.input_hash, [])
        return replace(example, extra={**example.extra, VERSIONS: versions})


def _agreed(versions: list[AnnotatorVersion]) -> tuple[Span, ...]:
    """Give the spans that every version has; a rejected one has none that counts."""
    first, *rest = [one.spans if one.answer == "accept" else () for one in versions]
    return tuple(
        Span(span.start, span.end, span.label)
        for span in first
        if all(span in others for others in rest)
    )
