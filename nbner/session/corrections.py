"""Checks of gold whose findings open for correction: label issues, consistency, anchoring."""

from __future__ import annotations

import time
import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from nbner._common.batch_ids import batch_answer_id
from nbner._common.occurrences import apply_bulk_action
from nbner._common.progress import with_progress
from nbner.decoding.api import span_probabilities
from nbner.decoding.calibration.apply import MAX_SPAN_LENGTH
from nbner.decoding.probabilities import SpanProbabilities
from nbner.errors import DataError
from nbner.nlp.pipeline import is_crf, is_trained
from nbner.quality import label_issues as issues
from nbner.quality.anchoring.report import Anchoring, CorruptedPairs, evaluate_audit
from nbner.quality.consistency import (
    LabelVariation,
    PhraseOccurrence,
    ProbabilityLookup,
    find_variations,
)
from nbner.quality.consistency_report import Consistency, RelabelBackend
from nbner.quality.label_issues import HeldOutProbabilities, LabelIssue
from nbner.quality.label_issues_report import LabelIssues
from nbner.queues.correction import (
    CORRECTION_REASON,
    SuspectSpans,
    labels_after_bulk_edit,
    unseen_after_bulk_edit,
)
from nbner.reranking.cross_validation import FOLD_LEARNERS, FoldLearner
from nbner.reranking.out_of_fold import OutOfFold, out_of_fold_probabilities
from nbner.session.annotation import open_corrections
from nbner.session.context import SessionContext
from nbner.store.assignments import AnnotatorVersion
from nbner.types import Answer, Example, Span

if TYPE_CHECKING:
    from nbner.widgets.annotator import Annotator

# Sources of the probabilities of suspect spans, as the widget shows them.
_OUT_OF_FOLD = "models of the other folds"
_IN_USE = "the model in use"
_USUAL_LABEL = "the usual label"
_BEFORE_AUDIT = "the suggestion before the audit"

# Label issues.


def find_label_issues(
    context: SessionContext,
    split: str,
    *,
    folds: int,
    dev: str,
    max_epochs: int | None,
    learners: Sequence[FoldLearner] | None,
    seeds: int,
    progress: bool,
) -> LabelIssues:
    """Rank gold spans, and tokens without one, that models and other places contradict.

    Parameters
    ----------
    context : SessionContext
        The base pipeline is trained on the folds; with ``folds=0`` the
        pipeline in use is evaluated instead.
    split : str
        Split of the gold.
    folds : int
        Number of folds; 0 for no training.
    dev : str
        Split on which each fold's `ner` is selected.
    max_epochs : int, optional
        Of each fold's `ner`.
    learners : sequence of {"crf", "ner"}, optional
        By default both, and the random field alone where that is in use.
    seeds : int
        Models of each learner for each text.
    progress : bool
        Whether to show a progress bar.

    Returns
    -------
    LabelIssues
        The issues, the most suspect first.

    Raises
    ------
    DataError
        There is no gold, too little for so many folds, or no such learner.
    ModelError
        ``folds=0``, and the model has not been trained.
    TrainingError
        The other folds of one fold cannot be trained on.
    """
    gold = context.gold(split, accepted_unseen=True)
    chosen = _chosen_learners(context, learners)
    kinds = chosen if folds else ()
    if folds == 0:
        probabilities = span_probabilities(context.nlp, gold, max_span_length=MAX_SPAN_LENGTH)
        asked = OutOfFold({_IN_USE: [[_text_probabilities(one) for one in probabilities]]}, ())
    else:
        asked = out_of_fold_probabilities(
            context.nlp,
            context.base_nlp,
            gold,
            [] if dev == split else context.examples(dev, answer="accept"),
            labels=context.labels,
            folds=folds,
            members=[(kind, context.seed + i) for i in range(seeds) for kind in kinds],
            keep=_text_probabilities,
            max_epochs=max_epochs,
            progress=progress,
        )
    found, doubts = issues.issues_of_examples(gold, asked.by_learner)
    source = _OUT_OF_FOLD if folds else _IN_USE
    return LabelIssues(
        tuple(issues.rank_issues(found)),
        split=split,
        n=len(gold),
        n_spans=sum(len(one.spans) for one in gold),
        folds=folds,
        fold_f=asked.fold_f,
        learners=tuple(kind for kind in kinds if kind in asked.by_learner),
        n_models=folds * sum(map(len, asked.by_learner.values())),
        doubts=doubts,
        is_complete=asked.is_complete,
        colors=context.colors,
        open_widget=lambda chosen: open_corrections(
            context, split, _with_suggestions(chosen, source), reason="label issues", source=source
        ),
    )


def _chosen_learners(
    context: SessionContext, learners: Sequence[FoldLearner] | None
) -> tuple[FoldLearner, ...]:
    if learners is None:
        return ("crf",) if is_crf(context.nlp) else FOLD_LEARNERS
    unknown = [one for one in learners if one not in FOLD_LEARNERS]
    if unknown or not learners:
        named = f"there is no learner {unknown[0]!r}" if unknown else "no learner is named"
        raise DataError(
            named,
            field="learners",
            remedy='Use learners=("crf", "ner"), or ("crf",) alone, which takes a fraction of the '
            "time",
        )
    return tuple(dict.fromkeys(learners))


def _text_probabilities(one: SpanProbabilities) -> HeldOutProbabilities:
    return HeldOutProbabilities(one.spans, one.token_probabilities[:, -1].tolist())


def _with_suggestions(chosen: Sequence[LabelIssue], source: str) -> dict[int, SuspectSpans]:
    """Group issues by example, each with the gold that the model would give."""
    by_example: dict[int, list[LabelIssue]] = defaultdict(list)
    for one in chosen:
        by_example[one.example.input_hash].append(one)
    return {
        key: SuspectSpans(
            {one.gold: one.gold_probability for one in some if one.gold is not None},
            (
                AnnotatorVersion(
                    source, "accept", issues.apply_suggestions(some[0].example.spans, some)
                ),
            ),
        )
        for key, some in by_example.items()
    }


# Consistency.


def find_inconsistencies(
    context: SessionContext, split: str, *, case_sensitive: bool, progress: bool
) -> Consistency:
    """Find words that gold labels in more than one way, or only in some places.

    Parameters
    ----------
    context : SessionContext
        Its pipeline in use, once trained, gives the probability of the usual label.
    split : str
        Split of the gold.
    case_sensitive : bool
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
    gold = context.gold(split, accepted_unseen=True)
    known = _probabilities_by_example(context, gold, progress=progress)
    found = find_variations(
        gold, case_sensitive=case_sensitive, probabilities=known or (lambda _one: None)
    )
    return Consistency(
        tuple(found),
        split=split,
        n=len(gold),
        has_probabilities=known is not None,
        colors=context.colors,
        backend=RelabelBackend(
            relabel=lambda batch, places, label: _relabel(context, batch, split, places, label),
            undo=context.undo_batch,
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
    found = span_probabilities(context.nlp, gold, max_span_length=MAX_SPAN_LENGTH)
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
    suspects = {key: _with_usual_labels(some) for key, some in by_example.items()}
    return open_corrections(context, split, suspects, reason="consistency", source=_USUAL_LABEL)


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
            f"{label!r} is not one of the labels {', '.join(context.labels) or '(there are none)'}",
            field="label",
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
        extra={CORRECTION_REASON: "consistency", **unseen_after_bulk_edit(now)},
    )
    return replace(answer, labels=labels_after_bulk_edit(now, answer))


def _with_usual_labels(some: Sequence[tuple[PhraseOccurrence, str]]) -> SuspectSpans:
    """Collect the unusual spans of one example, and its spans with the usual labels."""
    spans = some[0][0].example.spans
    suspect: dict[Span, float] = {}
    for one, usual in some:
        spans = _with_label(spans, one, usual)
        if one.label is not None:
            usual_p = one.usual_probability
            suspect[Span(one.start, one.end, one.label)] = 0.0 if usual_p is None else 1 - usual_p
    return SuspectSpans(suspect, (AnnotatorVersion(_USUAL_LABEL, "accept", spans),))


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


# Anchoring.


def measure_anchoring(
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
        The truth about some of the texts.

    Raises
    ------
    DataError
        No answer was given under an audit, or ``gold`` holds none of its texts.
    """
    with context.dataset.one_state():
        answers = list(context.dataset.answers(split, annotator, current=False))
        examples = list(context.dataset.examples(split))
    return evaluate_audit(
        answers,
        examples,
        gold=gold,
        open_widget=partial(_open_corrupted, context, split),
    )


def _open_corrupted(
    context: SessionContext,
    split: str,
    corrupted: Mapping[int, CorruptedPairs],
) -> Annotator:
    accepted = {one.input_hash: one for one in context.dataset.examples(split, answer="accept")}
    suspects = {
        key: _with_originals(accepted[key], pairs)
        for key, pairs in corrupted.items()
        if key in accepted
    }
    return open_corrections(context, split, suspects, reason="anchoring", source=_BEFORE_AUDIT)


def _with_originals(example: Example, pairs: Iterable[tuple[Span, Span]]) -> SuspectSpans:
    """Mark the corrupted spans of an example, and restore the suggested ones in a version."""
    spans = list(example.spans)
    for was, now in pairs:
        others = [one for one in spans if one != now]
        # A span that was added in the same place since is not overwritten.
        if all(one.end <= was.start or was.end <= one.start for one in others):
            spans = [*others, Span(was.start, was.end, was.label)]
    spans.sort(key=lambda one: one.start)
    return SuspectSpans(
        {now: 0.0 for _, now in pairs}, (AnnotatorVersion(_BEFORE_AUDIT, "accept", tuple(spans)),)
    )
