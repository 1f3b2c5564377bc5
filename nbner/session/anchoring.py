"""Evaluates anchoring audits: how often annotators accepted suggestions that were perturbed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from nbner.errors import DataError
from nbner.quality.anchoring import audit
from nbner.quality.anchoring.audit import PerturbedSuggestions
from nbner.quality.anchoring.report import Anchoring
from nbner.queues.correction import SuspectSpans
from nbner.session.context import SessionContext
from nbner.session.corrections import open_corrections
from nbner.store.assignments import AnnotatorVersion
from nbner.types import Answer, Example, Span

if TYPE_CHECKING:
    from nbner.widgets.annotator import Annotator

_ORIGINAL = "the suggestion before the audit"


def evaluate_anchoring(
    context: SessionContext,
    split: str,
    *,
    annotator: str | None,
    gold: Iterable[Example] | None,
) -> Anchoring:
    """Count how many perturbed suggestions were accepted or corrected.

    Parameters
    ----------
    context : SessionContext
        Its dataset holds the answers with the record of the perturbations.
    split : str
        Split of the answers.
    annotator : str, optional
        By default all, one by one and together.
    gold : iterable of Example, optional
        The truth about some of the texts; restricts the count to suggestions
        that were right before they were perturbed, in these texts.

    Returns
    -------
    Anchoring
        The rates.

    Raises
    ------
    DataError
        No answer was given under an audit, or ``gold`` holds none of its texts.
    """
    audited = _audited_answers(context, split, annotator)
    if not audited:
        whose = "" if annotator is None else f" of {annotator!r}"
        raise DataError(
            f"no accepted answer{whose} in split {split!r} was given under an audit",
            remedy="Annotate with session.make_gold(withhold=0.05, corrupt=0.05) first",
        )
    counted = audited if gold is None else _right_before(context, audited, split, gold)
    by_annotator: dict[str, list[tuple[PerturbedSuggestions, tuple[Span, ...]]]] = defaultdict(list)
    for answer, tampering in counted:
        by_annotator[answer.annotator].append((tampering, answer.spans))
    corrupted = _corrupted_in_gold(context, audited, split)
    return Anchoring(
        {name: audit.count_followed(one) for name, one in sorted(by_annotator.items())},
        audit.count_followed(one for some in by_annotator.values() for one in some),
        n=sum(map(len, by_annotator.values())),
        uncorrected=len(corrupted),
        open_widget=lambda: _open_corrupted(context, split, corrupted),
    )


def _audited_answers(
    context: SessionContext, split: str, annotator: str | None
) -> list[tuple[Answer, PerturbedSuggestions]]:
    """Return each annotator's last decision on each audited example, if it accepts."""
    last: dict[tuple[str, int], tuple[Answer, PerturbedSuggestions]] = {}
    for answer in context.dataset.answers(split, annotator, current=False):
        tampering = audit.audit_from_answer_extra(answer.extra)
        if tampering is not None:
            last[answer.annotator, answer.input_hash] = answer, tampering
    return [one for one in last.values() if one[0].answer == "accept"]


def _right_before(
    context: SessionContext,
    audited: Sequence[tuple[Answer, PerturbedSuggestions]],
    split: str,
    gold: Iterable[Example],
) -> list[tuple[Answer, PerturbedSuggestions]]:
    """Restrict audited answers to suggestions that were right before the perturbation."""
    truth = {one.text: one.spans for one in gold}
    texts = {one.input_hash: one.text for one in context.dataset.examples(split)}
    found = [
        (answer, audit.only_correct(tampering, truth[texts[answer.input_hash]]))
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


def _corrupted_in_gold(
    context: SessionContext, audited: Sequence[tuple[Answer, PerturbedSuggestions]], split: str
) -> dict[int, tuple[tuple[Span, Span], ...]]:
    """Return the (original, corrupted) suggestions whose corruption is in gold, by example."""
    tampered: dict[int, list[tuple[Span, Span]]] = defaultdict(list)
    for answer, tampering in audited:
        tampered[answer.input_hash] += tampering.corrupted
    return {
        one.input_hash: pairs
        for one in context.dataset.examples(split, answer="accept")
        if (pairs := tuple(p for p in tampered.get(one.input_hash, ()) if p[1] in one.spans))
    }


def _open_corrupted(
    context: SessionContext,
    split: str,
    corrupted: Mapping[int, tuple[tuple[Span, Span], ...]],
) -> Annotator:
    accepted = {one.input_hash: one for one in context.dataset.examples(split, answer="accept")}
    suspects = {
        key: _suspects(accepted[key], pairs) for key, pairs in corrupted.items() if key in accepted
    }
    return open_corrections(context, split, suspects, reason="anchoring", source=_ORIGINAL)


def _suspects(example: Example, pairs: Iterable[tuple[Span, Span]]) -> SuspectSpans:
    """Mark the corrupted spans of an example, and restore the suggested ones in a version."""
    spans = list(example.spans)
    for was, now in pairs:
        others = [one for one in spans if one != now]
        # A span that somebody has marked since in the same place is not overwritten.
        if all(one.end <= was.start or was.end <= one.start for one in others):
            spans = [*others, Span(was.start, was.end, was.label)]
    spans.sort(key=lambda one: one.start)
    return SuspectSpans(
        {now: 0.0 for _, now in pairs}, (AnnotatorVersion(_ORIGINAL, "accept", tuple(spans)),)
    )
