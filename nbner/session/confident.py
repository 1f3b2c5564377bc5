"""Open texts whose every suggestion is probable, accepted as one act that can be undone."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
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
from nbner.types import ACCEPTED_UNSEEN, Answer, Example

if TYPE_CHECKING:
    from collections.abc import Callable

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
    if not 0 < min_probability <= 1:
        raise DataError(
            f"min_probability={min_probability:g} is not a probability above 0",
            field="min_probability",
            remedy="Give a number such as 0.95",
        )
    context.require_split(split)
    check_trained(context.nlp)
    undecided = [one for one in context.examples(split) if one.answer is None]
    # A draft is somebody's work, which a model's suggestions must not replace.
    pending = [one for one in undecided if not is_draft(one)]
    with ProgressBar(len(pending), "computing probabilities", "texts", visible=progress) as bar:
        found = tuple(bar.wrap(_with_suggestions(context, pending)))
    chosen = [
        one
        for one in found
        if one.lowest >= min_probability and (one.example.spans or include_empty)
    ]
    chosen.sort(key=lambda one: (one.lowest, -one.expected_missed))
    print_of_model = fingerprint(context.nlp)
    return ConfidentSuggestions(
        tuple(chosen),
        found,
        min_probability=float(min_probability),
        split=split,
        model=context.answer_bus.source_names.get(print_of_model, "the model in use"),
        is_calibrated=load_temperatures(context.nlp) is not None,
        include_empty=include_empty,
        drafts=len(undecided) - len(pending),
        backend=BulkBackend(
            accept=partial(
                accept_examples,
                context,
                {"min_probability": min_probability, "model": print_of_model},
            ),
            undo=context.undo_batch,
            open_widget=partial(open_examples, open_annotator),
        ),
        colors=context.colors,
    )


def _with_suggestions(
    context: SessionContext, pending: Sequence[Example]
) -> Iterator[SuggestedText]:
    """Yield texts with what the model suggests, each text's probabilities computed once."""
    nlp, labels = context.nlp, set(context.labels)
    source = context.model_name(nlp)
    for first in range(0, len(pending), _BATCH_SIZE):
        batch = pending[first : first + _BATCH_SIZE]
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
    context: SessionContext, mark: Mapping[str, Any], examples: Sequence[Example]
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
    """
    batch_id = uuid.uuid4().hex
    answers = [
        Answer(
            id=batch_answer_id(batch_id, one.input_hash),
            input_hash=one.input_hash,
            split=one.split,
            annotator=context.annotator,
            answer="accept",
            spans=one.spans,
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
