"""Evaluation against gold, and the comparison of two models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbner._common.text_alignment import map_span
from nbner.errors import DataError, ModelError
from nbner.evaluation import comparison
from nbner.evaluation.model_comparison import LabelGain, ModelComparison
from nbner.evaluation.pairing import pair_texts
from nbner.evaluation.permutation_test import approximate_randomization, count_per_text
from nbner.evaluation.regressions import span_changes
from nbner.evaluation.regressions_report import SpanChanges
from nbner.evaluation.report import Evaluation, evaluate_predictions
from nbner.evaluation.scores import PRF
from nbner.evaluation.warnings import evaluation_warnings
from nbner.io.annotations import read_annotations
from nbner.nlp.fingerprint import fingerprint
from nbner.nlp.pipeline import labels_of, load_base
from nbner.nlp.prediction import predict
from nbner.session.context import SessionContext
from nbner.session.errors import compare_in_explorer
from nbner.types import Example, Span

if TYPE_CHECKING:
    from spacy.language import Language

    from nbner.training.report import TrainingReport


def evaluate(gold: Any, predicted: Any, *, seed: int = 0) -> Evaluation:
    """Compute precision, recall and F of predictions against gold, wherever either comes from.

    Texts are paired by their content; where tools have altered whitespace or
    letters, or cut a text into sentences or other tokens, spans are compared
    by their characters all the same.

    Parameters
    ----------
    gold, predicted : path, DataFrame, or iterable of dict, Doc or Example
        In any format that can be added to a session. ``predicted`` may be a
        frame as ``session.predict`` returns it, over the texts of ``gold``.
    seed : int
        Of the bootstrap.

    Returns
    -------
    Evaluation
        ``f``, ``precision``, ``recall``, ``macro_f``, ``schemes``, ``frame``,
        ``details`` (every count, with intervals) and ``plot()``.

    Raises
    ------
    DataError
        A side cannot be read, is empty, or has texts that the other has not.

    Examples
    --------
    >>> import nbner
    >>> text = "Whisk the eggs with a fork."
    >>> tool = {"start": 22, "end": 26, "label": "Tool"}
    >>> nbner.evaluate([{"text": text, "spans": [tool]}], [{"text": text, "spans": []}]).recall
    0.0
    """
    golds = read_annotations(gold)
    predictions = read_annotations(predicted, golds)
    for name, side in (("gold", golds), ("predicted", predictions)):
        if not side:
            raise DataError(f"there is no text in {name}", field=name, remedy="Give some")
    pairing = pair_texts(golds, predictions)
    _check_all_paired(golds, pairing.unmatched_a, "gold", "predictions")
    _check_all_paired(predictions, pairing.unmatched_b, "predicted", "gold")
    examples = [one.a for one in pairing.pairs]
    spans = [
        [
            replace(span, start=place[0], end=place[1])
            for span in one.b.spans
            if (place := map_span(one.a.text, one.b.text, span.start, span.end))
        ]
        for one in pairing.pairs
    ]
    altered = sum(bool(one.alterations) for one in pairing.pairs)
    notices = evaluation_warnings(examples, spans)
    if altered:
        notices.append(f"{altered:,} texts are written differently: compared by their characters")
    return evaluate_predictions(examples, spans, warnings=notices, seed=seed)


def evaluate_model(context: SessionContext, split: str) -> Evaluation:
    """Evaluate the model in use against the accepted examples of a split.

    Parameters
    ----------
    context : SessionContext
        Its pipeline in use predicts.
    split : str
        Holds the gold.

    Raises
    ------
    DataError
        Nothing is accepted in the split.
    ModelError
        The model has not been trained.
    """
    gold = context.gold(split)
    predicted = list(predict(context.nlp, gold))
    return evaluate_predictions(
        gold,
        predicted,
        labels=context.labels,
        split=split,
        fingerprint=fingerprint(context.nlp),
        warnings=evaluation_warnings(gold, predicted, model_labels=labels_of(context.nlp)),
        seed=context.seed,
    )


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
    from nbner._common.progress import ProgressBar

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
    right, known = [one.spans for one in gold], [one.labels for one in gold]
    rows = comparison.compare_systems(
        right,
        dict(zip(names, (before, after), strict=True)),
        allowed_labels=known,
        seed=context.seed,
    )
    tables = [count_per_text(right, predicted, known) for predicted in (before, after)]
    return ModelComparison(
        rows=(rows[0], rows[1]),
        p_value=approximate_randomization(tables[0], tables[1], seed=context.seed),
        labels=_gains(gold, before, after, labels=context.labels, seed=context.seed),
        span_changes=SpanChanges(
            tuple(span_changes(gold, before, after)),
            n=len(gold),
            open_widget=lambda: compare_in_explorer(context, gold, before, after, names),
        ),
        split=split,
    )


def _gains(
    gold: Sequence[Example],
    before: Sequence[Sequence[Span]],
    after: Sequence[Sequence[Span]],
    *,
    labels: Sequence[str],
    seed: int,
) -> tuple[LabelGain, ...]:
    """Compute both models' F per label, with the p value of the difference."""
    right, known = [one.spans for one in gold], [one.labels for one in gold]
    found = []
    for label in labels:
        tables = [count_per_text(right, predicted, known, label) for predicted in (before, after)]
        a, b = (PRF(*(int(n) for n in table.sum(axis=0))) for table in tables)
        p = approximate_randomization(tables[0], tables[1], seed=seed)
        found.append(LabelGain(label, a.support, a.f, b.f, p))
    return tuple(found)


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


def _check_all_paired(side: Sequence[Example], alone: Sequence[int], here: str, there: str) -> None:
    if not alone:
        return
    first = side[alone[0]].text
    raise DataError(
        f"{len(alone):,} texts of {here} are not among the {there}, such as {first[:60]!r}",
        field=here,
        remedy="Give both sides the same texts, in any order",
    )
