"""Evaluation of the model in use: scores, comparison with another model, error explorer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbner._common.progress import ProgressBar
from nbner.decoding.api import span_probabilities
from nbner.decoding.calibration.apply import MAX_SPAN_LENGTH, calibrated
from nbner.errors import ModelError
from nbner.evaluation.comparison import ModelComparison
from nbner.evaluation.errors.report import Errors
from nbner.evaluation.errors.span_features import TrainingVocabulary
from nbner.evaluation.evaluate import compare_predictions
from nbner.evaluation.report import Evaluation, evaluate_predictions
from nbner.evaluation.warnings import evaluation_warnings
from nbner.nlp.fingerprint import fingerprint
from nbner.nlp.pipeline import labels_of, load_base, recognizer_of
from nbner.nlp.prediction import predict
from nbner.queues.error_review import ErrorReviewQueue, StoreBinding
from nbner.session.context import SessionContext
from nbner.session.learnt_texts import learnt_text_warnings
from nbner.types import Example, Span

if TYPE_CHECKING:
    from spacy.language import Language

    from nbner.training.report import TrainingReport
    from nbner.widgets.error_explorer import ErrorExplorer


def evaluate_model(
    context: SessionContext,
    split: str,
    *,
    scorers: Sequence[str | Callable[..., Any]] = (),
    accepted_unseen: bool = False,
) -> Evaluation:
    """Evaluate the model in use against the accepted examples of a split.

    Parameters
    ----------
    context : SessionContext
        Its pipeline in use predicts.
    split : str
        Holds the gold.
    scorers : sequence of str or callable
        Registered names, or functions.
    accepted_unseen : bool
        Whether texts that were accepted in bulk count as gold.

    Raises
    ------
    DataError
        Nothing is accepted in the split.
    ModelError
        The model has not been trained.
    """
    gold = context.gold(split, accepted_unseen=accepted_unseen)
    predicted = list(predict(context.nlp, gold))
    found = evaluate_predictions(
        gold,
        predicted,
        labels=context.labels,
        split=split,
        fingerprint=fingerprint(context.nlp),
        warnings=[
            *evaluation_warnings(gold, predicted, model_labels=labels_of(context.nlp)),
            *learnt_text_warnings(context, gold),
        ],
        seed=context.seed,
        scorers=scorers,
    )
    return replace(found, colors=context.colors)


def compare_models(
    context: SessionContext,
    model_a: Language | str | Path | TrainingReport,
    model_b: Language | str | Path | TrainingReport | None,
    split: str,
    *,
    progress: bool,
) -> ModelComparison:
    """Evaluate two models on the same gold, with a significance test of the difference.

    Parameters
    ----------
    context : SessionContext
        Its dataset holds the gold.
    model_a, model_b : Language, str, Path or TrainingReport
        By default ``model_b`` is the model in use.
    split : str
        Holds the gold.
    progress : bool
        Show a bar.

    Raises
    ------
    DataError
        Nothing is accepted in the split.
    ModelError
        A model cannot be loaded or is not trained, or both are the same.
    """
    models = [_pipeline_of(model_a), context.nlp if model_b is None else _pipeline_of(model_b)]
    prints = [fingerprint(one) for one in models]
    if prints[0] == prints[1]:
        raise ModelError(
            f"both are the same model, {prints[0]}. Give another one: a pipeline, its folder, "
            "or a report of session.train()."
        )
    gold = context.gold(split)
    with ProgressBar(2 * len(gold), "comparing", "texts", visible=progress) as bar:
        before, after = ([*bar.wrap(predict(one, gold))] for one in models)
    names = (f"model {prints[0]}", f"model {prints[1]}")
    found = compare_predictions(
        gold,
        before,
        after,
        names=names,
        labels=context.labels,
        gold_name=split,
        seed=context.seed,
        open_widget=lambda: compare_in_explorer(context, gold, before, after, names),
    )
    return replace(found, span_changes=replace(found.span_changes, colors=context.colors))


def find_errors(
    context: SessionContext,
    splits: Sequence[str],
    *,
    train_split: str,
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
    train_split : str
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
    gold = [one for name in splits for one in context.gold(name)]
    seen = TrainingVocabulary(context.dataset.examples(train_split, answer="accept"))
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
        warnings=[
            *evaluation_warnings(gold, predicted, model_labels=labels_of(context.nlp)),
            *learnt_text_warnings(context, gold),
        ],
        seed=context.seed,
    )


def _confidences_of(
    context: SessionContext, gold: Sequence[Example], predicted: Sequence[Sequence[Span]]
) -> Iterator[Mapping[Span, float]]:
    """Yield for each text the calibrated probability of its gold and predicted spans."""
    found = span_probabilities(context.nlp, gold, max_span_length=MAX_SPAN_LENGTH)
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
    errors.colors = context.colors
    return ErrorExplorer(
        errors,
        ErrorReviewQueue(errors, binding=backing, labels=context.labels, colors=errors.colors),
    )


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


def _pipeline_of(source: Any) -> Language:
    """Return a pipeline, loaded from its folder or from the one of a training report."""
    path = getattr(source, "path", source)
    nlp = load_base(path) if isinstance(path, (str, Path)) else source
    if not hasattr(nlp, "pipe_names"):
        raise ModelError(
            f"{type(source).__name__} is not a model. Give a pipeline, its folder, or a report of "
            "session.train()."
        )
    found: Language = nlp
    return found
