"""Out-of-fold probabilities: what models say of texts that they were not trained on.

Several kinds of learner and several seeds, each with folds of its own, so that one
model's weakness or one split's bad luck is not taken for an error of gold.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Generic, TypeVar

from nbner._common.progress import ProgressBar
from nbner.decoding.probabilities import SpanProbabilities
from nbner.reranking.cross_validation import (
    FoldLearner,
    fold_base,
    split_texts_into_folds,
    train_fold_models,
)
from nbner.reranking.train import ProgressCallback, progress_callback
from nbner.types import Example

if TYPE_CHECKING:
    from spacy.language import Language

    from nbner.training.records import TrainingRecord

_Kept = TypeVar("_Kept")


@dataclass(frozen=True, slots=True)
class OutOfFold(Generic[_Kept]):
    """Probabilities of all texts by models that were not trained on them.

    Parameters
    ----------
    by_learner : mapping
        From a learner to its members, one a seed; a member has what was kept of the
        probabilities of each text.
    fold_f : tuple of float or None
        Dev F of each model; None is undefined.
    is_complete : bool
        Whether all members are there; False after an interrupt.
    """

    by_learner: Mapping[str, Sequence[Sequence[_Kept]]]
    fold_f: tuple[float | None, ...]
    is_complete: bool = True


def out_of_fold_probabilities(
    nlp: Language,
    base: Language,
    examples: Sequence[Example],
    dev: Sequence[Example],
    *,
    labels: Sequence[str],
    folds: int,
    members: Sequence[tuple[FoldLearner, int]],
    keep: Callable[[SpanProbabilities], _Kept],
    max_epochs: int | None = None,
    progress: bool = False,
) -> OutOfFold[_Kept]:
    """Train models on the folds, and ask each about the fold that it was not trained on.

    Parameters
    ----------
    nlp : Language
        The model in use; where it is a random field, those of the folds are like it.
    base : Language
        The pipeline that its training started from.
    examples : sequence of Example
        Accepted examples. Texts that are alike are in one fold.
    dev : sequence of Example
        Examples on which the best checkpoint of a `ner` is selected.
    labels : sequence of str
        Labels of the models.
    folds : int
        Number of folds.
    members : sequence of (learner, seed)
        What is trained, one after the other, each on all folds.
    keep : callable
        Returns what is kept of the probabilities of a text.
    max_epochs : int, optional
        Largest number of epochs of a `ner`.
    progress : bool
        Whether to show a progress bar. An interrupt keeps the members that have
        seen all folds.

    Returns
    -------
    OutOfFold
        At least one member.

    Raises
    ------
    DataError, TrainingError
        There are too few texts, or the other folds cannot be trained on.
    KeyboardInterrupt
        Not even the first member has seen all folds.
    """
    by_learner: dict[str, list[list[_Kept]]] = {}
    fold_f: list[float | None] = []
    is_complete = True
    total = folds * len(members)
    with ProgressBar(total, "training on folds", "models", visible=progress) as bar:
        report = progress_callback(bar, total)
        for place, (learner, seed) in enumerate(members):
            models = train_fold_models(
                fold_base(nlp, base) if learner == "crf" else base,
                examples,
                dev,
                labels=labels,
                folds=folds,
                seed=seed,
                max_epochs=max_epochs,
                on_record=partial(_report_from, report, place * folds),
                learner=learner,
                parts=split_texts_into_folds([one.text for one in examples], folds, seed),
            )
            found: dict[int, _Kept] = {}
            scores: list[float | None] = []
            try:
                for one in bar.wrap(models):
                    kept = map(keep, one.span_probabilities(examples))
                    found.update(zip(one.positions, kept, strict=True))
                    scores.append(one.f)
            except KeyboardInterrupt:
                if not by_learner:
                    raise
                is_complete = False
                break
            by_learner.setdefault(learner, []).append([found[i] for i in range(len(examples))])
            fold_f += scores
    return OutOfFold(by_learner, tuple(fold_f), is_complete)


def _report_from(report: ProgressCallback, first: int, number: int, record: TrainingRecord) -> None:
    report(first + number, record)
