"""Whether gold treats the same words alike, and acts that make it so."""

from __future__ import annotations

import time
import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from nbner._common.occurrences import changed
from nbner.errors import DataError
from nbner.faces.settling import Settling
from nbner.quality.consistency import Known, Occurrence, Variation, variations
from nbner.queues.correction import MENDED, Doubt, labels_of
from nbner.store.assignments import Version
from nbner.store.undo import part_id
from nbner.types import Answer, Example, Span

if TYPE_CHECKING:
    from nbner.quality.consistency_report import Consistency
    from nbner.widgets.annotator import Annotator

USUAL = "the usual label"


class Consistent(Settling):
    """Look for words that are not labelled alike."""

    def consistency(
        self, split: str = "train", *, cased: bool = False, progress: bool = False
    ) -> Consistency:
        """Find words that gold labels in more than one way, or labels here and misses there.

        Each place that is not as usual has the probability that the model in
        use gives to the usual label there, once there is a trained one. A model
        that was trained on this gold leans towards it; `label_issues` does not.

        Parameters
        ----------
        split : str
        cased : bool
            Whether words in another case are other words.
        progress : bool
            Show a bar.

        Returns
        -------
        Consistency
            ``frame``, ``occurrences``, ``plot()``; ``mend(words, label)``
            changes them all as one act with ``undo()``, ``annotate()`` opens
            them in the annotator.

        Raises
        ------
        DataError
            There is no gold.
        """
        from nbner.quality.consistency_report import Consistency, Tools

        gold = self._gold(split)
        known = self._known_by_example(gold, progress=progress)
        found = variations(gold, cased=cased, known=known or (lambda _one: None))
        return Consistency(
            tuple(found),
            over=split,
            n=len(gold),
            is_judged=known is not None,
            tools=Tools(
                apply=lambda whole, places, label: self._relabel(whole, split, places, label),
                withdraw=self._take_back,
                open=lambda chosen: self._open_variations(chosen, split),
                new_id=lambda: uuid.uuid4().hex,
            ),
        )

    def _known_by_example(self, gold: Sequence[Example], *, progress: bool) -> Known | None:
        """Give the way to ask the model in use; None where there is none."""
        from nbner._common.progress import counted
        from nbner.nlp.pipeline import is_trained

        if not is_trained(self._nlp):
            return None
        found = self._known_now(gold)
        shown = counted(found, "looking") if progress else found
        by_hash = {example.input_hash: one.spans for example, one in zip(gold, shown, strict=True)}
        return lambda example: by_hash[example.input_hash]

    def _open_variations(self, chosen: Sequence[Variation], split: str) -> Annotator:
        grouped: dict[int, list[tuple[Occurrence, str]]] = defaultdict(list)
        for variation in chosen:
            for one in variation.others:
                grouped[one.example.input_hash].append((one, variation.usual))
        doubts = {key: _doubt(some) for key, some in grouped.items()}
        return self._mender(split, doubts, "consistency", USUAL)

    def _relabel(
        self, whole: str, split: str, places: Sequence[Occurrence], label: str | None
    ) -> int:
        """Change many places as one; what has changed since they were found is left as it is."""
        if label is not None and label not in self.labels:
            raise DataError(
                f"{label!r} is not one of the labels {', '.join(self.labels)}", field="label"
            )
        by_example: dict[int, list[Occurrence]] = {}
        for one in places:
            by_example.setdefault(one.example.input_hash, []).append(one)
        answers = [
            answer
            for key, some in by_example.items()
            if (now := self._dataset.find(key, split)) is not None
            and (answer := self._relabelled(whole, now, some, label)) is not None
        ]
        self._dataset.record_many(answers)
        self._switchboard.tell(answers)
        return len(answers)

    def _relabelled(
        self, whole: str, now: Example, places: Sequence[Occurrence], label: str | None
    ) -> Answer | None:
        """Make the answer that changes one example; None where nothing is to change."""
        spans = now.spans
        for one in places:
            spans = _with(spans, one, label)
        if now.answer != "accept" or set(spans) == set(now.spans):
            return None
        answer = Answer(
            id=part_id(whole, now.input_hash),
            input_hash=now.input_hash,
            split=now.split,
            annotator=self.annotator,
            answer="accept",
            spans=spans,
            flagged=now.flagged,
            note=now.note,
            labels=self.labels,
            created=time.time(),
            extra={MENDED: "consistency"},
        )
        return replace(answer, labels=labels_of(now, answer))

    def _take_back(self, whole: str) -> int:
        done = self._dataset.withdraw(whole)
        self._switchboard.tell(())
        return len(done)


def _doubt(some: Sequence[tuple[Occurrence, str]]) -> Doubt:
    """Write what is unusual in one example, and how it would be as usual."""
    spans = some[0][0].example.spans
    doubted: dict[Span, float] = {}
    for one, usual in some:
        spans = _with(spans, one, usual)
        if one.label is not None:
            against = one.usual_probability
            doubted[Span(one.start, one.end, one.label)] = 0.0 if against is None else 1 - against
    return Doubt(doubted, (Version(USUAL, "accept", spans),))


def _with(spans: tuple[Span, ...], one: Occurrence, label: str | None) -> tuple[Span, ...]:
    """Give some words another label, or none, where nothing stands in the way."""
    if label is not None:
        after = changed(spans, Span(one.start, one.end, label), "label", relabels=True)
    elif one.label is not None:
        after = changed(spans, Span(one.start, one.end, one.label), "unlabel")
    else:
        after = None
    return spans if after is None else after
