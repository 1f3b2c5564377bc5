"""Evaluate an anchoring audit from stored answers and the gold of their examples."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeAlias

from nbner._common.widget_protocols import AnnotatorWidget
from nbner.errors import DataError
from nbner.quality.anchoring import audit
from nbner.quality.anchoring.audit import PerturbedSuggestions
from nbner.quality.anchoring.report import Anchoring
from nbner.types import Answer, Example, Span

#: Pairs of an original suggestion and the corrupted one that was shown.
CorruptedPairs: TypeAlias = tuple[tuple[Span, Span], ...]
_Audited: TypeAlias = "list[tuple[Answer, PerturbedSuggestions]]"


def evaluate_audit(
    answers: Iterable[Answer],
    examples: Sequence[Example],
    *,
    gold: Iterable[Example] | None = None,
    open_widget: Callable[[Mapping[int, CorruptedPairs]], AnnotatorWidget] | None = None,
) -> Anchoring:
    """Count how many perturbed suggestions annotators accepted or corrected.

    Parameters
    ----------
    answers : iterable of Answer
        All answers to the examples, the oldest first; only the last one of each
        annotator to each example counts, if it accepts.
    examples : sequence of Example
        The examples with their current answers.
    gold : iterable of Example, optional
        The truth about some of the texts. Only suggestions that were right
        before they were perturbed are then counted, in these texts.
    open_widget : callable, optional
        Opens the examples whose gold holds a corrupted suggestion, from the
        pairs of each input hash.

    Returns
    -------
    Anchoring
        The rates per annotator and over all.

    Raises
    ------
    DataError
        No accepted answer has an audit, or ``gold`` holds none of its texts.
    """
    audited = _audited_answers(answers)
    if not audited:
        raise DataError(
            "no accepted answer was given under an audit",
            remedy="Annotate with session.make_gold(withhold=0.05, corrupt=0.05) first",
        )
    counted = audited if gold is None else _right_before(audited, examples, gold)
    by_annotator: dict[str, list[tuple[PerturbedSuggestions, tuple[Span, ...]]]] = defaultdict(list)
    for answer, perturbed in counted:
        by_annotator[answer.annotator].append((perturbed, answer.spans))
    corrupted = _corrupted_in_gold(audited, examples)
    return Anchoring(
        {name: audit.count_followed(some) for name, some in sorted(by_annotator.items())},
        audit.count_followed(one for some in by_annotator.values() for one in some),
        n=sum(map(len, by_annotator.values())),
        uncorrected=len(corrupted),
        open_widget=None if open_widget is None else lambda: open_widget(corrupted),
    )


def _audited_answers(answers: Iterable[Answer]) -> _Audited:
    """Return each annotator's last decision on each audited example, if it accepts."""
    last: dict[tuple[str, int], tuple[Answer, PerturbedSuggestions]] = {}
    for answer in answers:
        perturbed = audit.audit_from_answer_extra(answer.extra)
        if perturbed is not None:
            last[answer.annotator, answer.input_hash] = answer, perturbed
    return [one for one in last.values() if one[0].answer == "accept"]


def _right_before(
    audited: _Audited, examples: Iterable[Example], gold: Iterable[Example]
) -> _Audited:
    """Restrict audited answers to suggestions that were right before the perturbation."""
    truth = {one.text: one.spans for one in gold}
    texts = {one.input_hash: one.text for one in examples}
    found = [
        (answer, audit.only_correct(perturbed, truth[texts[answer.input_hash]]))
        for answer, perturbed in audited
        if texts[answer.input_hash] in truth
    ]
    if not found:
        raise DataError(
            "gold= holds none of the audited texts",
            field="gold",
            remedy="Give examples with these texts, or leave gold= out",
        )
    return found


def _corrupted_in_gold(audited: _Audited, examples: Iterable[Example]) -> dict[int, CorruptedPairs]:
    """Return the (original, corrupted) suggestions whose corruption is in gold, by example."""
    corrupted: dict[int, list[tuple[Span, Span]]] = defaultdict(list)
    for answer, perturbed in audited:
        corrupted[answer.input_hash] += perturbed.corrupted
    return {
        one.input_hash: pairs
        for one in examples
        if one.answer == "accept"
        and (pairs := tuple(p for p in corrupted.get(one.input_hash, ()) if p[1] in one.spans))
    }
