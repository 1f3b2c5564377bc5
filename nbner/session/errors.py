"""Error analysis: predictions against gold, and two predictions against each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from nbner._common.text_alignment import map_span
from nbner.decoding.api import span_probabilities
from nbner.evaluation.errors.report import Errors
from nbner.evaluation.errors.span_features import TrainingVocabulary
from nbner.evaluation.warnings import evaluation_warnings
from nbner.nlp.pipeline import labels_of, recognizer_of
from nbner.nlp.prediction import predict
from nbner.queues.error_review import ErrorReviewQueue, StoreBinding
from nbner.session.context import SessionContext
from nbner.session.suggestions import LONGEST, calibrated
from nbner.types import Example, Span

if TYPE_CHECKING:
    from nbner.evaluation.diff.report import Differences
    from nbner.evaluation.pairing import TextPair
    from nbner.widgets.error_explorer import ErrorExplorer


def find_errors(
    context: SessionContext,
    splits: Sequence[str],
    *,
    training: str,
    confidence: bool,
    progress: bool,
) -> Errors:
    """Return the differences between the model's predictions and accepted gold.

    Parameters
    ----------
    context : SessionContext
        Its model in use predicts.
    splits : sequence of str
        Their accepted examples are the gold.
    training : str
        The split that the model was trained on.
    confidence : bool
        Compute the probability of every span that is predicted or missed; a
        pipeline of rules alone has none.
    progress : bool
        Show a bar.

    Raises
    ------
    DataError
        Nothing is accepted in a split.
    ModelError
        The model has not been trained.
    """
    from nbner._common.progress import ProgressBar

    gold = [one for name in splits for one in context.gold(name)]
    seen = TrainingVocabulary(context.dataset.examples(training, answer="accept"))
    confidence = confidence and recognizer_of(context.nlp) is not None
    passes = 2 if confidence else 1
    with ProgressBar(passes * len(gold), "looking for errors", "texts", visible=progress) as bar:
        predicted = list(bar.wrap(predict(context.nlp, gold)))
        known = list(bar.wrap(_confidences_of(context, gold, predicted))) if confidence else None
    return Errors(
        gold,
        predicted,
        training_vocabulary=seen,
        probabilities=known,
        labels=context.labels,
        title=", ".join(splits),
        warnings=evaluation_warnings(gold, predicted, model_labels=labels_of(context.nlp)),
        seed=context.seed,
    )


def _confidences_of(
    context: SessionContext, gold: Sequence[Example], predicted: Sequence[Sequence[Span]]
) -> Iterator[Mapping[Span, float]]:
    """Yield for each text the calibrated probability of its gold and predicted spans."""
    found = span_probabilities(context.nlp, gold, max_span_length=LONGEST)
    for example, spans, known in zip(gold, predicted, found, strict=True):
        confidence = calibrated(context.nlp, known)
        yield {span: confidence(span) for span in {*example.spans, *spans}}


def open_explorer(context: SessionContext, errors: Errors) -> ErrorExplorer:
    """Build an error explorer whose corrections are stored in the session's dataset.

    Parameters
    ----------
    context : SessionContext
        Its dataset takes the corrections.
    errors : Errors
        The errors to show.
    """
    from nbner.widgets.error_explorer import ErrorExplorer

    backing = StoreBinding(
        context.dataset,
        context.annotator,
        context.store.key,
        context.tokenize,
        context.answer_bus,
    )
    return ErrorExplorer(errors, ErrorReviewQueue(errors, binding=backing, labels=context.labels))


def compare_in_explorer(
    context: SessionContext,
    gold: Sequence[Example],
    before: Sequence[Sequence[Span]],
    after: Sequence[Sequence[Span]],
    names: tuple[str, str] = ("before", "after"),
) -> ErrorExplorer:
    """Build an error explorer over the texts on which two models differ, with their gold.

    Parameters
    ----------
    context : SessionContext
        Its dataset takes corrections of the gold.
    gold : sequence of Example
        The texts.
    before, after : sequence of sequence of Span
        What each model predicts for them.
    names : (str, str)
        Names of the models.
    """
    differing = [i for i in range(len(gold)) if set(before[i]) != set(after[i])]
    errors = Errors(
        [gold[i] for i in differing],
        [after[i] for i in differing],
        reference=[before[i] for i in differing],
        labels=context.labels,
        side_names=names,
        title=f"{names[0]} and {names[1]}",
        seed=context.seed,
    )
    return open_explorer(context, errors)


def explore_differences(found: Differences) -> ErrorExplorer:
    """Build a read-only error explorer over the texts on which two annotations differ.

    Parameters
    ----------
    found : Differences
        The differences, with their causes.
    """
    from nbner.widgets.error_explorer import ErrorExplorer

    examples = [
        replace(one.pair.a, meta={**one.pair.a.meta, "cause": one.cause.name})
        for one in found.differences
    ]
    labels = sorted({s.label for one in (*found.pairs,) for side in one for s in side.spans})
    errors = Errors(
        examples,
        [_carried_over(one.pair) for one in found.differences],
        reference=[one.spans for one in examples],
        labels=labels,
        side_names=(found.a, found.b),
        title=f"{found.a} and {found.b}",
    )
    return ErrorExplorer(errors, ErrorReviewQueue(errors, labels=labels))


def _carried_over(pair: TextPair) -> list[Span]:
    """Return the second side's spans at their offsets in the first side's text."""
    found = []
    for span in pair.b.spans:
        place = map_span(pair.a.text, pair.b.text, span.start, span.end)
        if place is not None:
            found.append(replace(span, start=place[0], end=place[1]))
    return found
