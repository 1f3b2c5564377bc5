"""Open texts whose every suggestion is probable, accepted as one act that can be undone."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from nbner._common.batch_ids import batch_answer_id
from nbner._common.progress import ProgressBar
from nbner.decoding.api import span_probabilities
from nbner.decoding.calibration.apply import MAX_SPAN_LENGTH, calibrated
from nbner.errors import DataError
from nbner.nlp.calibration_meta import load_temperatures
from nbner.nlp.fingerprint import fingerprint
from nbner.nlp.prediction import check_trained, predict
from nbner.quality.confident_suggestions import (
    BulkBackend,
    ConfidentSuggestions,
    SuggestedText,
)
from nbner.queues.labelling import is_draft
from nbner.session.context import SessionContext
from nbner.store.relabel import relabelled
from nbner.types import ACCEPTED_UNSEEN, Answer, Example

if TYPE_CHECKING:
    from collections.abc import Callable

    from spacy.language import Language

    from nbner.widgets.annotator import Annotator

# Texts that are predicted at a time.
_BATCH_SIZE = 256


def find_confident_suggestions(
    context: SessionContext,
    split: str,
    *,
    min_probability: float,
    include_empty: bool,
    progress: bool,
    open_annotator: Callable[[], Annotator],
) -> ConfidentSuggestions:
    """Find the open texts of a split whose every suggestion is at least as probable as asked.

    Parameters
    ----------
    context : SessionContext
        Its model in use suggests.
    split : str
        The split.
    min_probability : float
        The lowest calibrated probability of a suggestion.
    include_empty : bool
        Whether texts without a suggestion count.
    progress : bool
        Whether to show a progress bar.
    open_annotator : callable
        Opens the make-gold widget of the split.

    Raises
    ------
    ModelError
        The model has not been trained.
    DataError
        The probability is not between 0 and 1, or there is no such split.
    """
    check_probability(min_probability)
    context.require_split(split)
    model = SuggestingModel.of(context)
    pending, drafts = open_texts(context, split)
    with ProgressBar(len(pending), "computing probabilities", "texts", visible=progress) as bar:
        found = tuple(bar.wrap(with_suggestions(model, pending)))
    return ConfidentSuggestions(
        tuple(at_least(found, min_probability, include_empty=include_empty)),
        found,
        min_probability=float(min_probability),
        split=split,
        model=model.name,
        is_calibrated=model.is_calibrated,
        include_empty=include_empty,
        drafts=drafts,
        backend=BulkBackend(
            accept=partial(
                accept_examples,
                context,
                {"min_probability": min_probability, "model": model.fingerprint},
            ),
            undo=context.undo_batch,
            open_widget=partial(open_examples, open_annotator),
        ),
        colors=context.colors,
    )


@dataclass(frozen=True, slots=True)
class SuggestingModel:
    """A model with what its suggestions depend on; equal ones suggest the same.

    Parameters
    ----------
    nlp : Language
        The pipeline.
    labels : tuple of str
        Labels that it may suggest.
    source : str
        Source of its suggestions.
    fingerprint : str
        The pipeline's.
    name : str
        Its name for people.
    temperatures : str
        Its calibration as text; empty where it is not calibrated.
    """

    nlp: Language = field(compare=False)
    labels: tuple[str, ...]
    source: str
    fingerprint: str
    name: str
    temperatures: str

    @classmethod
    def of(cls, context: SessionContext) -> SuggestingModel:
        """Return the model in use.

        Parameters
        ----------
        context : SessionContext
            The session.

        Raises
        ------
        ModelError
            It has not been trained.
        """
        nlp = context.nlp
        check_trained(nlp)
        found = fingerprint(nlp)
        temperatures = load_temperatures(nlp)
        return cls(
            nlp,
            labels=context.labels,
            source=context.model_name(nlp),
            fingerprint=found,
            name=context.answer_bus.source_names.get(found, "the model in use"),
            temperatures="" if temperatures is None else repr(temperatures),
        )

    @property
    def is_calibrated(self) -> bool:
        """Whether its probabilities were calibrated on held-out gold."""
        return self.temperatures != ""


def check_probability(min_probability: float) -> None:
    """Raise where a threshold is no probability above 0.

    Parameters
    ----------
    min_probability : float
        The threshold.

    Raises
    ------
    DataError
        It is not above 0 and at most 1.
    """
    if not 0 < min_probability <= 1:
        raise DataError(
            f"min_probability={min_probability:g} is not a probability above 0",
            field="min_probability",
            remedy="Give a number such as 0.95",
        )


def open_texts(context: SessionContext, split: str) -> tuple[list[Example], int]:
    """Return the open texts of a split without drafts, and the number of drafts.

    A draft is somebody's work, which a model's suggestions must not replace.

    Parameters
    ----------
    context : SessionContext
        The session.
    split : str
        The split.
    """
    undecided = [one for one in context.examples(split) if one.answer is None]
    pending = [one for one in undecided if not is_draft(one)]
    return pending, len(undecided) - len(pending)


def at_least(
    texts: Sequence[SuggestedText], min_probability: float, *, include_empty: bool = False
) -> list[SuggestedText]:
    """Return the texts whose every suggestion is probable, the least sure first.

    Parameters
    ----------
    texts : sequence of SuggestedText
        All texts.
    min_probability : float
        The lowest probability of a suggestion.
    include_empty : bool
        Whether texts without a suggestion count.
    """
    chosen = [
        one
        for one in texts
        if one.lowest >= min_probability and (one.example.spans or include_empty)
    ]
    return sorted(chosen, key=lambda one: (one.lowest, -one.expected_missed))


def with_suggestions(
    model: SuggestingModel, pending: Sequence[Example], *, batch_size: int = _BATCH_SIZE
) -> Iterator[SuggestedText]:
    """Yield texts with what a model suggests, each text's probabilities computed once.

    Parameters
    ----------
    model : SuggestingModel
        The model.
    pending : sequence of Example
        Tokenized texts.
    batch_size : int
        Texts that are predicted at a time.

    Yields
    ------
    SuggestedText
        For each text, in the same order.
    """
    nlp, labels, source = model.nlp, set(model.labels), model.source
    for first in range(0, len(pending), batch_size):
        batch = pending[first : first + batch_size]
        known = span_probabilities(nlp, batch, max_span_length=MAX_SPAN_LENGTH)
        for example, spans, probabilities in zip(batch, predict(nlp, batch), known, strict=True):
            confidence = calibrated(nlp, probabilities)
            own = tuple(
                replace(span, score=confidence(span), source=span.source or source)
                for span in spans
                if span.label in labels
            )
            others = (one for one in probabilities.spans if one.label in labels and one not in own)
            yield SuggestedText(replace(example, spans=own), sum(map(confidence, others)))


def accept_examples(
    context: SessionContext,
    mark: Mapping[str, Any],
    examples: Sequence[Example],
    batch_id: str | None = None,
) -> tuple[str, int]:
    """Accept the texts that are still open, unseen, and return the batch's id and their number.

    Parameters
    ----------
    context : SessionContext
        Its dataset takes the answers.
    mark : mapping
        Stored with every answer as the value of its mark ``accepted_unseen``: by
        what it was accepted.
    examples : sequence of Example
        The texts with the spans to accept.
    batch_id : str, optional
        Id by which the batch can be undone; a new one by default.
    """
    batch_id = batch_id or uuid.uuid4().hex
    # A label may have got another name since the spans were predicted.
    names = context.dataset.renamed_labels
    answers = [
        Answer(
            id=batch_answer_id(batch_id, one.input_hash),
            input_hash=one.input_hash,
            split=one.split,
            annotator=context.annotator,
            answer="accept",
            spans=relabelled(one.spans, names),
            flagged=now.flagged,
            note=now.note,
            labels=context.labels,
            created=time.time(),
            extra={"task": {ACCEPTED_UNSEEN: dict(mark)}},
        )
        for one in examples
        if (now := context.dataset.find(one.input_hash, one.split)) is not None
        and now.answer is None
        and not is_draft(now)
    ]
    stored = context.dataset.record_many(answers, only_untouched=True)
    # Where one was left out, the pages read from the store what holds.
    context.answer_bus.publish(answers if stored == len(answers) else ())
    return batch_id, stored


def open_examples(
    open_annotator: Callable[[], Annotator], examples: Sequence[Example]
) -> Annotator:
    """Open the annotator with some texts first.

    Parameters
    ----------
    open_annotator : callable
        Opens the make-gold widget of their split.
    examples : sequence of Example
        The texts.
    """
    widget = open_annotator()
    widget.queue = list(examples)
    return widget
