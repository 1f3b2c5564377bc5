"""Rerankers and ensembles: fitting on held-out lists, and the measurement of their gain."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nbner.decoding.api import parses
from nbner.errors import DataError
from nbner.evaluation.comparison import compare_systems
from nbner.evaluation.k_best_scores import error_counts, oracle_indices
from nbner.nlp.pipeline import clone_pipeline, load_base
from nbner.reranking.component import Reranker, add_reranker, make_docs, name_functions
from nbner.reranking.cross_validation import (
    out_of_fold_k_best,
    split_into_folds,
    train_in_temporary_folder,
)
from nbner.reranking.ensemble import EnsembleReranker, pool_texts
from nbner.reranking.fitting import cross_validated_choices, fit_weights
from nbner.reranking.report import Ensemble, Reranking, RerankingComparison
from nbner.session.context import SessionContext
from nbner.session.progress_bars import ProgressCallback, progress_callback
from nbner.session.suggestions import LONGEST
from nbner.types import Example, Parse, Span

if TYPE_CHECKING:
    from spacy.language import Language

    from nbner.reranking.cross_validation import Fold
    from nbner.reranking.features import FeatureFunction

FIRST, RERANKED, BEST = "the first analysis", "the reranker", "the best in the list"


def fit_reranker(
    context: SessionContext,
    width: int,
    features: Sequence[FeatureFunction],
    *,
    split: str,
    dev: str,
    folds: int,
    max_epochs: int | None,
    l2: float | None,
    save: Callable[[Language], Path] | None,
    progress: bool,
) -> Reranking:
    """Fit a reranker by cross-validation, and measure its gain on held-out texts.

    Parameters
    ----------
    context : SessionContext
        Supplies models and gold.
    width : int
        Analyses in a list.
    features : sequence of callable
        A user's own features.
    split, dev : str
        Where to learn, and where to measure.
    folds : int
        Models that are trained for it.
    max_epochs : int, optional
        Of each fold's training.
    l2 : float, optional
        Weight of the penalty; by default chosen on the last fold.
    save : callable, optional
        Saves the pipeline and returns its folder.
    progress : bool
        Show a bar.

    Raises
    ------
    DataError
        The width is below 2, there is no gold, or too little of it.
    ModelError
        The model has not been trained.
    TrainingError
        The rest of a fold cannot be trained on.
    """
    from nbner._common.progress import ProgressBar

    _check_width(width)
    functions = name_functions(features)
    gold, held_out = context.gold(split), context.gold(dev)
    # Before anything is trained, so that a mistake is not found an hour later.
    lists = list(parses(context.nlp, held_out, width, max_span_length=LONGEST))
    made: list[Fold] = []
    with ProgressBar(folds, "training on folds", "folds", visible=progress) as bar:
        found = out_of_fold_k_best(
            context.base_nlp,
            gold,
            held_out,
            labels=context.labels,
            width=width,
            folds=folds,
            seed=context.seed,
            max_epochs=max_epochs,
            on_record=progress_callback(bar, folds),
        )
        made += bar.wrap(found)
    nlp = clone_pipeline(context.nlp)
    fitted = Reranker(nlp, width=width, functions=functions)
    penalty = _fit(context.nlp, fitted, gold, made, l2)
    reranker = add_reranker(nlp, fitted)
    rows = compare_systems(
        [one.spans for one in held_out],
        _chosen_spans(context.nlp, reranker, held_out, lists),
        allowed_labels=[one.labels for one in held_out],
        seed=context.seed,
    )
    return Reranking(
        comparison=RerankingComparison(tuple(rows), RERANKED, dev),
        nlp=nlp,
        width=width,
        n_lists=len(gold),
        folds=folds,
        fold_f=tuple(one.f for one in made),
        l2=penalty,
        weights=reranker.weights,
        path=None if save is None else save(nlp),
    )


def fit_ensemble(
    context: SessionContext,
    models: Sequence[int | str | Path | Language],
    *,
    width: int,
    split: str,
    dev: str,
    folds: int,
    max_epochs: int | None,
    progress: bool,
) -> Ensemble:
    """Combine several models in two ways, and measure the gain of each.

    Parameters
    ----------
    context : SessionContext
        Supplies the base model and gold.
    models : sequence of int, str, Path or Language
        At least two; a number is the seed of a model to train.
    width : int
        Analyses that each model brings into the pool.
    split, dev : str
        Where seeds are trained, and where all is measured.
    folds : int
        Into which ``dev`` is divided.
    max_epochs : int, optional
        Of each seed's training.
    progress : bool
        Show bars.

    Raises
    ------
    DataError
        There are fewer than two models, or too little gold.
    ModelError
        A model cannot be loaded, or has not been trained.
    """
    from nbner._common.progress import ProgressBar

    _check_width(width)
    if len(models) < 2:
        raise DataError(
            f"{len(models)} models are no ensemble",
            field="models",
            remedy="Give two or more, such as seeds: session.model.ensemble([0, 1, 2])",
        )
    gold = context.gold(dev)
    dealt = split_into_folds(len(gold), folds, context.seed)
    members = _load_members(context, models, split, dev, max_epochs=max_epochs, progress=progress)
    committee = EnsembleReranker(list(members.values()), width)
    with ProgressBar(len(gold), "pooling", "texts", visible=progress) as bar:
        pooled = list(bar.wrap(pool_texts(committee.models, gold, width)))
    docs = make_docs(committee.models[0], gold)
    described = [committee.features(*one) for one in zip(docs, pooled, strict=True)]
    judged = [
        ([one.spans for one in pool.analyses], example.spans, example.labels)
        for pool, example in zip(pooled, gold, strict=True)
    ]
    errors = [error_counts(*one) for one in judged]
    chosen = cross_validated_choices(described, errors, dealt)
    committee.weights = dict(fit_weights(described, errors, dealt[0]).weights)
    return Ensemble.measure(
        list(members),
        pooled,
        chosen,
        [oracle_indices(*one)[0] for one in judged],
        gold=gold,
        reranker=committee,
        split=dev,
        seed=context.seed,
    )


def _load_members(
    context: SessionContext,
    models: Sequence[int | str | Path | Language],
    split: str,
    dev: str,
    *,
    max_epochs: int | None,
    progress: bool,
) -> dict[str, Language]:
    """Train or load the models of an ensemble, each under a name."""
    from nbner._common.progress import ProgressBar

    seeds = [one for one in models if isinstance(one, int)]
    if len(set(seeds)) < len(seeds):
        raise DataError("a seed is given twice", field="models", remedy="Use other seeds")
    members: dict[str, Language] = {}
    with ProgressBar(len(models), "gathering models", "models", visible=progress) as bar:
        report = progress_callback(bar, len(models))
        for number, one in enumerate(bar.wrap(models), start=1):
            if isinstance(one, int):
                members[f"seed {one}"] = _train_seed(context, one, split, dev, max_epochs, report)
            elif isinstance(one, (str, Path)):
                members[f"model {number}"] = load_base(one)
            else:
                members[f"model {number}"] = one
    return members


def _train_seed(
    context: SessionContext,
    seed: int,
    split: str,
    dev: str,
    max_epochs: int | None,
    report: ProgressCallback,
) -> Language:
    return train_in_temporary_folder(
        context.base_nlp,
        context.gold(split),
        context.gold(dev),
        labels=context.labels,
        seed=seed,
        max_epochs=max_epochs,
        on_record=lambda record: report(0, record),
    ).nlp


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
