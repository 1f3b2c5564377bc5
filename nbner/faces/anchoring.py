"""How far annotators have followed what was suggested to them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING

from nbner.errors import DataError
from nbner.faces.consistency import Consistent
from nbner.quality.anchoring import audit
from nbner.quality.anchoring.audit import Tampering
from nbner.queues.correction import Doubt
from nbner.store.assignments import Version
from nbner.types import Answer, Example, Span

if TYPE_CHECKING:
    from nbner.quality.anchoring.report import Anchoring
    from nbner.widgets.annotator import Annotator

ORIGINAL = "the suggestion before the audit"


class Anchored(Consistent):
    """Evaluate anchoring audits."""

    def anchoring(
        self,
        split: str = "train",
        *,
        annotator: str | None = None,
        gold: Iterable[Example] | None = None,
    ) -> Anchoring:
        """Report how far annotators followed suggestions that had been spoilt on purpose.

        It counts the accepted answers that were given under
        ``session.make_gold(withhold=..., corrupt=...)``, whenever that was, also
        where the example has been mended since.

        Parameters
        ----------
        split : str
        annotator : str, optional
            By default each of them, and all together.
        gold : iterable of Example, optional
            The truth about some of these texts. Only suggestions that were
            right before they were spoilt are then counted, in these texts.

        Returns
        -------
        Anchoring
            ``frame``, ``plot()``, and ``annotate()``, which opens the answers
            that hold a corrupted suggestion.

        Raises
        ------
        DataError
            No answer was given under an audit.
        """
        from nbner.quality.anchoring.report import Anchoring

        audited = self._audited_answers(split, annotator)
        if not audited:
            whose = "" if annotator is None else f" of {annotator!r}"
            raise DataError(
                f"no accepted answer{whose} in split {split!r} was given under an audit",
                remedy="Annotate with session.make_gold(withhold=0.05, corrupt=0.05) first",
            )
        people: dict[str, list[tuple[Tampering, tuple[Span, ...]]]] = defaultdict(list)
        for answer, tampering in self._right(audited, split, gold):
            people[answer.annotator].append((tampering, answer.spans))
        doubts = self._corrupted(audited, split)
        return Anchoring(
            {name: audit.count(one) for name, one in sorted(people.items())},
            audit.count(one for some in people.values() for one in some),
            n=sum(map(len, people.values())),
            still_wrong=len(doubts),
            opens=lambda: self._open_corrupted(doubts, split),
        )

    def _audited_answers(self, split: str, annotator: str | None) -> list[tuple[Answer, Tampering]]:
        """Give what each annotator has last decided on each example under an audit."""
        last: dict[tuple[str, int], tuple[Answer, Tampering]] = {}
        for answer in self._dataset.answers(split, annotator, current=False):
            tampering = audit.read(answer.extra)
            if tampering is not None:
                last[answer.annotator, answer.input_hash] = answer, tampering
        return [one for one in last.values() if one[0].answer == "accept"]

    def _right(
        self,
        audited: list[tuple[Answer, Tampering]],
        split: str,
        gold: Iterable[Example] | None,
    ) -> list[tuple[Answer, Tampering]]:
        """Leave what the truth is known of, and was suggested."""
        if gold is None:
            return audited
        truth = {one.text: one.spans for one in gold}
        texts = {one.input_hash: one.text for one in self._dataset.examples(split)}
        found = [
            (answer, audit.only_right(tampering, truth[texts[answer.input_hash]]))
            for answer, tampering in audited
            if texts[answer.input_hash] in truth
        ]
        if not found:
            raise DataError(
                "gold= holds none of the audited texts",
                field="gold",
                remedy="Give examples with these texts, or leave gold= out",
            )
        return found

    def _corrupted(
        self, audited: list[tuple[Answer, Tampering]], split: str
    ) -> dict[int, tuple[tuple[Span, Span], ...]]:
        """Give the corrupted suggestions that stand in gold, by example."""
        tampered: dict[int, list[tuple[Span, Span]]] = defaultdict(list)
        for answer, tampering in audited:
            tampered[answer.input_hash] += tampering.corrupted
        return {
            one.input_hash: pairs
            for one in self._dataset.examples(split, answer="accept")
            if (pairs := tuple(p for p in tampered.get(one.input_hash, ()) if p[1] in one.spans))
        }

    def _open_corrupted(
        self, doubts: dict[int, tuple[tuple[Span, Span], ...]], split: str
    ) -> Annotator:
        standing = {one.input_hash: one for one in self._dataset.examples(split, answer="accept")}
        found = {
            key: _doubt(standing[key], pairs) for key, pairs in doubts.items() if key in standing
        }
        return self._mender(split, found, "anchoring", ORIGINAL)


def _doubt(example: Example, pairs: Iterable[tuple[Span, Span]]) -> Doubt:
    """Doubt what was corrupted, and bring along what it was."""
    spans = list(example.spans)
    for was, now in pairs:
        others = [one for one in spans if one != now]
        # What somebody has marked since beside it is not overwritten.
        if all(one.end <= was.start or was.end <= one.start for one in others):
            spans = [*others, Span(was.start, was.end, was.label)]
    spans.sort(key=lambda one: one.start)
    return Doubt({now: 0.0 for _, now in pairs}, (Version(ORIGINAL, "accept", tuple(spans)),))
