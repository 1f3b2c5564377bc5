"""Train rerankers and ensembles of models, and measure their gain on held-out texts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from nbner._common.format import plural
from nbner._common.progress import ProgressBar
from nbner.decoding.api import MAX_WIDTH, parses
from nbner.decoding.calibration.apply import MAX_SPAN_LENGTH
from nbner.errors import DataError
from nbner.evaluation.comparison import compare_systems
from nbner.evaluation.k_best_scores import error_counts, oracle_indices
from nbner.nlp.pipeline import clone_pipeline, is_crf, load_base
from nbner.nlp.prediction import predict
from nbner.reranking.component import Reranker, add_reranker, make_docs
from nbner.reranking.cross_validation import (
    fold_base,
    out_of_fold_k_best,
    split_into_folds,
    train_in_temporary_folder,
)
from nbner.reranking.ensemble import EnsembleReranker, pool_texts
from nbner.reranking.feature_names import name_functions
from nbner.reranking.fitting import cross_validated_choices, fit_weights
from nbner.reranking.report import Ensemble, Reranking, RerankingComparison
from nbner.types import Example, Parse, Span

if TYPE_CHECKING:
    from spacy.language import Language

    from nbner.reranking.cross_validation import Fold
    from nbner.reranking.features import FeatureFunction
    from nbner.training.records import TrainingRecord

#: Called after each training step with the index of the model and the step's record.
ProgressCallback: TypeAlias = "Callable[[int, TrainingRecord], None]"

FIRST, RERANKED, BEST = "the first analysis", "the reranker", "the best in the list"


def progress_callback(bar: ProgressBar, total: int) -> ProgressCallback:
    """Build the callback that writes the state of a training run beside a progress bar.

    Parameters
    ----------
    bar : ProgressBar
        The progress bar whose text is set.
    total : int
        Number of models that are trained one after the other.

    Returns
    -------
    callable
        Takes the zero-based index of the model and the record of a training
        step. Steps without a score leave the text as it is.
    """

    def report(index: int, record: TrainingRecord) -> None:
        if record.f is not None:
            bar.set_text(f"{index + 1} of {total}: epoch {record.epoch + 1}, dev F {record.f:.3f}")

    return report


def fit_reranker(
    nlp: Language,
    base: Language,
    gold: Sequence[Example],
    dev_gold: Sequence[Example],
    *,
    labels: Sequence[str],
    width: int = 8,
    features: Sequence[FeatureFunction] = (),
    folds: int = 5,
    seed: int = 0,
    max_epochs: int | None = None,
    l2: float | None = None,
    dev_name: str = "dev",
    in_use: Language | None = None,
    without_decision: bool = False,
    progress: bool = False,
) -> Reranking:
    """Fit a reranker by cross-validation, and measure its gain on held-out texts.

    Parameters
    ----------
    nlp : Language
        The trained pipeline whose k best analyses are reranked; it is not changed.
    base : Language
        The pipeline that the training of every fold starts from.
    gold, dev_gold : sequence of Example
        Tokenized examples with complete gold to learn from and to evaluate on.
    labels : sequence of str
        Entity types of the models of the folds.
    width : int
        Number of analyses per text.
    features : sequence of callable
        The user's own features, from ``(doc, parse)`` to a dict of numbers.
    folds : int
        Number of models that are trained, each on all folds but one.
    seed : int
        Of the folds, the training and the bootstrap.
    max_epochs : int, optional
        Of each fold's training.
    l2 : float, optional
        Weight of the penalty on large weights; by default chosen on the last fold.
    dev_name : str
        Name of the evaluation data in the result.
    in_use : Language, optional
        The pipeline in use, where it decides otherwise than ``nlp``.
    without_decision : bool
        Whether a decision by expected F was left out of the pipeline, for the result.
    progress : bool
        Whether to show a progress bar.

    Raises
    ------
    DataError
        The width is below 2 or above 1,024, or there is too little gold for so many folds.
    ModelError
        The pipeline has not been trained.
    TrainingError
        The other folds of one fold cannot be trained on.
    """
    _check_width(width)
    functions = name_functions(features)
    # Decoded before anything is trained: an untrained model is reported at once.
    lists = list(parses(nlp, dev_gold, width, max_span_length=MAX_SPAN_LENGTH))
    made: list[Fold] = []
    with ProgressBar(folds, "training on folds", "folds", visible=progress) as bar:
        found = out_of_fold_k_best(
            fold_base(nlp, base),
            gold,
            dev_gold,
            labels=labels,
            width=width,
            folds=folds,
            seed=seed,
            max_epochs=max_epochs,
            on_record=progress_callback(bar, folds),
        )
        made += bar.wrap(found)
    reranked = clone_pipeline(nlp)
    fitted = Reranker(reranked, width=width, functions=functions)
    penalty = _fit(nlp, fitted, gold, made, l2)
    reranker = add_reranker(reranked, fitted)
    right, allowed = [one.spans for one in dev_gold], [one.labels for one in dev_gold]
    chosen = _chosen_spans(nlp, reranker, dev_gold, lists)
    rows = compare_systems(right, chosen, allowed_labels=allowed, seed=seed)
    present = {"in use": list(predict(in_use or nlp, dev_gold)), RERANKED: chosen[RERANKED]}
    _, beside = compare_systems(right, present, allowed_labels=allowed, seed=seed)
    return Reranking(
        comparison=RerankingComparison(tuple(rows), RERANKED, dev_name),
        nlp=reranked,
        width=width,
        n_lists=len(gold),
        folds=folds,
        fold_f=tuple(one.f for one in made),
        l2=penalty,
        weights=reranker.weights,
        without_decision=without_decision,
        against_model=beside,
    )


def fit_ensemble(
    models: Sequence[int | str | Path | Language],
    base: Language,
    gold: Sequence[Example],
    dev_gold: Sequence[Example],
    *,
    labels: Sequence[str],
    width: int = 8,
    folds: int = 5,
    seed: int = 0,
    max_epochs: int | None = None,
    dev_name: str = "dev",
    progress: bool = False,
) -> Ensemble:
    """Combine several models in two ways, and measure the gain over the best of them.

    Parameters
    ----------
    models : sequence of int, str, Path or Language
        At least two; a number is the seed of a model to train.
    base : Language
        The pipeline that this training starts from.
    gold : sequence of Example
        Tokenized examples with complete gold, on which seeds are trained.
    dev_gold : sequence of Example
        Tokenized examples with complete gold, on which the reranker of the pool
        is fitted by cross-validation and everything is evaluated.
    labels : sequence of str
        Entity types of the trained models.
    width : int
        Number of analyses that each model adds to the pool.
    folds : int
        Number of folds that ``dev_gold`` is divided into.
    seed : int
        Of the folds and the bootstrap.
    max_epochs : int, optional
        Of each seed's training.
    dev_name : str
        Name of the evaluation data in the result.
    progress : bool
        Whether to show progress bars.

    Raises
    ------
    DataError
        There are fewer than two models, too little gold, or a seed where the base
        is a random field, which training with another seed would not change.
    ModelError
        A model cannot be loaded, or has not been trained.
    """
    _check_width(width)
    if len(models) < 2:
        raise DataError(
            f"{plural(len(models), 'model is', 'models are')} no ensemble",
            field="models",
            remedy="Give two or more, such as seeds: session.model.ensemble([0, 1, 2])",
        )
    if is_crf(base) and any(isinstance(one, int) for one in models):
        raise DataError(
            "the session starts from a conditional random field, whose weights do not depend on a "
            "seed: models of several seeds would agree",
            field="models",
            remedy="Give pipelines or folders of models that differ, such as those of two runs: "
            "session.model.ensemble([report.path, other.path])",
        )
    dealt = split_into_folds(len(dev_gold), folds, seed)

    def train(training_seed: int, report: ProgressCallback) -> Language:
        return train_in_temporary_folder(
            base,
            gold,
            dev_gold,
            labels=labels,
            seed=training_seed,
            max_epochs=max_epochs,
            on_record=lambda record: report(0, record),
        ).nlp

    members = _load_members(models, train, progress=progress)
    ensemble = EnsembleReranker(list(members.values()), width)
    with ProgressBar(len(dev_gold), "pooling", "texts", visible=progress) as bar:
        pooled = list(bar.wrap(pool_texts(ensemble.models, dev_gold, width)))
    docs = make_docs(ensemble.models[0], dev_gold)
    described = [ensemble.features(*one) for one in zip(docs, pooled, strict=True)]
    candidates = [
        ([one.spans for one in pool.analyses], example.spans, example.labels)
        for pool, example in zip(pooled, dev_gold, strict=True)
    ]
    errors = [error_counts(*one) for one in candidates]
    chosen = cross_validated_choices(described, errors, dealt)
    ensemble.weights = dict(fit_weights(described, errors, dealt[0]).weights)
    return Ensemble.measure(
        list(members),
        pooled,
        chosen,
        [oracle_indices(*one)[0] for one in candidates],
        gold=dev_gold,
        reranker=ensemble,
        split=dev_name,
        seed=seed,
    )


def _load_members(
    models: Sequence[int | str | Path | Language],
    train: Callable[[int, ProgressCallback], Language],
    *,
    progress: bool,
) -> dict[str, Language]:
    """Train or load the models of an ensemble, each under a name."""
    seeds = [one for one in models if isinstance(one, int)]
    if len(set(seeds)) < len(seeds):
        raise DataError("a seed is given twice", field="models", remedy="Use other seeds")
    members: dict[str, Language] = {}
    with ProgressBar(len(models), "loading models", "models", visible=progress) as bar:
        report = progress_callback(bar, len(models))
        for number, one in enumerate(bar.wrap(models), start=1):
            if isinstance(one, int):
                members[f"seed {one}"] = train(one, report)
            elif isinstance(one, (str, Path)):
                members[f"model {number}"] = load_base(one)
            else:
                members[f"model {number}"] = one
    return members


def _fit(
    nlp: Language,
    reranker: Reranker,
    gold: Sequence[Example],
    made: Sequence[Fold],
    l2: float | None,
) -> float:
    """Fit a reranker to the folds' lists and return the penalty, chosen on the last fold."""
    lists = {i: one for fold in made for i, one in zip(fold.positions, fold.lists, strict=True)}
    docs = make_docs(nlp, gold)
    described = [reranker.features(doc, lists[i]) for i, doc in enumerate(docs)]
    errors = [
        error_counts([parse.spans for parse in lists[i]], example.spans, example.labels)
        for i, example in enumerate(gold)
    ]
    learnt = fit_weights(described, errors, made[-1].positions, l2=l2)
    reranker.weights = dict(learnt.weights)
    return learnt.l2


def _chosen_spans(
    nlp: Language,
    reranker: Reranker,
    gold: Sequence[Example],
    lists: Sequence[tuple[Parse, ...]],
) -> dict[str, list[tuple[Span, ...]]]:
    """Return each text's spans as chosen by the model, by the reranker, and by an oracle."""
    docs = make_docs(nlp, gold)
    chosen = [reranker.choose(*one) for one in zip(docs, lists, strict=True)]
    best = [
        oracle_indices([parse.spans for parse in one], example.spans, example.labels)[0]
        for one, example in zip(lists, gold, strict=True)
    ]
    positions = {FIRST: [0] * len(lists), RERANKED: chosen, BEST: best}
    return {
        name: [one[i].spans for one, i in zip(lists, found, strict=True)]
        for name, found in positions.items()
    }


def _check_width(width: int) -> None:
    if width < 2:
        raise DataError(
            f"in a list of {width} there is nothing to choose",
            field="width",
            remedy="Use width=2 or more; session.oracle_curve() says which is worth it",
        )
    if width > MAX_WIDTH:
        raise DataError(
            f"lists of {width:,} analyses take hours: they are at most {MAX_WIDTH:,} long",
            field="width",
            remedy="Use fewer; session.oracle_curve() says which width is worth it",
        )
