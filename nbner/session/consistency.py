"""Finds words with inconsistent labels in gold, relabels them in bulk and opens them."""

from __future__ import annotations

import time
import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from nbner._common.occurrences import apply_bulk_action, batch_answer_id
from nbner._common.progress import with_progress
from nbner.errors import DataError
from nbner.nlp.pipeline import is_trained
from nbner.quality.consistency import (
    LabelVariation,
    PhraseOccurrence,
    ProbabilityLookup,
    find_variations,
)
from nbner.quality.consistency_report import Consistency, RelabelBackend
from nbner.queues.correction import CORRECTION_REASON, SuspectSpans, labels_after_bulk_edit
from nbner.session.context import SessionContext
from nbner.session.corrections import open_corrections
from nbner.session.label_issues import current_probabilities
from nbner.store.assignments import AnnotatorVersion
from nbner.types import Answer, Example, Span

if TYPE_CHECKING:
    from nbner.widgets.annotator import Annotator

_USUAL = "the usual label"


def find_inconsistencies(
    context: SessionContext, split: str, *, cased: bool, progress: bool
) -> Consistency:
    """Find words that gold labels in more than one way, or only in some places.

    Parameters
    ----------
    context : SessionContext
        Its pipeline in use, once trained, gives the probability of the usual label.
    split : str
        Split of the gold.
    cased : bool
        Whether words that differ in case are different words.
    progress : bool
        Whether to show a progress bar.

    Returns
    -------
    Consistency
        The variations, with functions that relabel places, undo that, and open
        the places in the correction widget.

    Raises
    ------
    DataError
        There is no gold.
    """
    gold = context.gold(split)
    known = _probabilities_by_example(context, gold, progress=progress)
    found = find_variations(gold, case_sensitive=cased, probabilities=known or (lambda _one: None))
    return Consistency(
        tuple(found),
        split=split,
        n=len(gold),
        has_probabilities=known is not None,
        backend=RelabelBackend(
            relabel=lambda batch, places, label: _relabel(context, batch, split, places, label),
            undo=partial(_undo, context),
            open_widget=partial(_open_variations, context, split),
            new_id=lambda: uuid.uuid4().hex,
        ),
    )


def _probabilities_by_example(
    context: SessionContext, gold: Sequence[Example], *, progress: bool
) -> ProbabilityLookup | None:
    """Return the function from an example to its span probabilities; None without a model."""
    if not is_trained(context.nlp):
        return None
    found = current_probabilities(context, gold)
    shown = with_progress(found, "computing probabilities") if progress else found
    by_hash = {example.input_hash: one.spans for example, one in zip(gold, shown, strict=True)}
    return lambda example: by_hash[example.input_hash]


def _open_variations(
    context: SessionContext, split: str, chosen: Sequence[LabelVariation]
) -> Annotator:
    by_example: dict[int, list[tuple[PhraseOccurrence, str]]] = defaultdict(list)
    for variation in chosen:
        for one in variation.deviating:
            by_example[one.example.input_hash].append((one, variation.usual_label))
    suspects = {key: _suspects(some) for key, some in by_example.items()}
    return open_corrections(context, split, suspects, reason="consistency", source=_USUAL)


def _relabel(
    context: SessionContext,
    batch_id: str,
    split: str,
    places: Sequence[PhraseOccurrence],
    label: str | None,
) -> int:
    """Relabel places in one transaction and return the number of changed examples.

    Examples that have changed since the places were found keep what they have.
    """
    if label is not None and label not in context.labels:
        raise DataError(
            f"{label!r} is not one of the labels {', '.join(context.labels)}", field="label"
        )
    by_example: dict[int, list[PhraseOccurrence]] = {}
    for one in places:
        by_example.setdefault(one.example.input_hash, []).append(one)
    answers = [
        answer
        for key, some in by_example.items()
        if (now := context.dataset.find(key, split)) is not None
        and (answer := _relabelled(context, batch_id, now, some, label)) is not None
    ]
    context.dataset.record_many(answers)
    context.answer_bus.publish(answers)
    return len(answers)


def _relabelled(
    context: SessionContext,
    batch_id: str,
    now: Example,
    places: Sequence[PhraseOccurrence],
    label: str | None,
) -> Answer | None:
    """Build the answer that relabels places in one example; None if nothing changes."""
    spans = now.spans
    for one in places:
        spans = _with_label(spans, one, label)
    if now.answer != "accept" or set(spans) == set(now.spans):
        return None
    answer = Answer(
        id=batch_answer_id(batch_id, now.input_hash),
        input_hash=now.input_hash,
        split=now.split,
        annotator=context.annotator,
        answer="accept",
        spans=spans,
        flagged=now.flagged,
        note=now.note,
        labels=context.labels,
        created=time.time(),
        extra={CORRECTION_REASON: "consistency"},
    )
    return replace(answer, labels=labels_after_bulk_edit(now, answer))


def _undo(context: SessionContext, batch_id: str) -> int:
    """Undo a relabelling and return the number of restored examples."""
    done = context.dataset.undo_batch(batch_id)
    context.answer_bus.publish(())
    return len(done)


def _suspects(some: Sequence[tuple[PhraseOccurrence, str]]) -> SuspectSpans:
    """Collect the unusual spans of one example, and its spans with the usual labels."""
    spans = some[0][0].example.spans
    suspect: dict[Span, float] = {}
    for one, usual in some:
        spans = _with_label(spans, one, usual)
        if one.label is not None:
            usual_p = one.usual_probability
            suspect[Span(one.start, one.end, one.label)] = 0.0 if usual_p is None else 1 - usual_p
    return SuspectSpans(suspect, (AnnotatorVersion(_USUAL, "accept", spans),))


def _with_label(
    spans: tuple[Span, ...], one: PhraseOccurrence, label: str | None
) -> tuple[Span, ...]:
    """Return spans with one place relabelled, or unlabelled, unless another span overlaps it."""
    if label is not None:
        after = apply_bulk_action(
            spans, Span(one.start, one.end, label), "label", replace_labels=True
        )
    elif one.label is not None:
        after = apply_bulk_action(spans, Span(one.start, one.end, one.label), "unlabel")
    else:
        after = None
    return spans if after is None else after
