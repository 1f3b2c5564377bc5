"""Cross-validated training data of a reranker: k best lists of models that never saw the texts.

The texts are divided into folds; for each fold a model is trained on the other
folds and computes the lists of this one (as in Collins and Koo 2005). On texts
that a model was trained on, its first analysis is correct far too often for a
reranker to learn anything.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from nbner._common.format import plural
from nbner.decoding.api import MAX_SPAN_LENGTH, parses, span_probabilities
from nbner.decoding.probabilities import SpanProbabilities
from nbner.errors import DataError
from nbner.evaluation.scores import score
from nbner.nlp.pipeline import is_crf
from nbner.nlp.prediction import predict
from nbner.training.crf import train_crf, train_crf_like
from nbner.training.initialization import reset_ner
from nbner.training.loop import train
from nbner.types import Example, Parse

if TYPE_CHECKING:
    from spacy.language import Language

    from nbner.training.records import TrainingRecord, TrainingResult

#: Kind of the models of the folds.
FoldLearner: TypeAlias = Literal["crf", "ner"]
FOLD_LEARNERS: tuple[FoldLearner, ...] = ("crf", "ner")

_DIGIT = re.compile(r"\d")


@dataclass(frozen=True, slots=True)
class Fold:
    """k best lists of one fold.

    Parameters
    ----------
    number : int
        Index of the fold, from 0.
    positions : tuple of int
        Indices of its texts among all.
    lists : tuple of tuples of Parse
        The k best analyses of each of its texts.
    f : float, optional
        Dev F of the model that computed them.
    """

    number: int
    positions: tuple[int, ...]
    lists: tuple[tuple[Parse, ...], ...]
    f: float | None


def split_into_folds(size: int, folds: int, seed: int) -> list[list[int]]:
    """Assign indices to folds of similar size, at random.

    Parameters
    ----------
    size : int
        Number of texts.
    folds : int
        Number of folds, at least 2.
    seed : int
        Seed of the assignment.

    Returns
    -------
    list of lists of int
        Sorted indices of each fold.

    Raises
    ------
    DataError
        There are fewer than two folds, or fewer texts than folds.
    """
    if folds < 2:
        raise DataError(
            f"{folds} folds leave no text to train on", field="folds", remedy="Use folds=2 or more"
        )
    if size < folds:
        raise DataError(
            f"{plural(size, 'accepted example')} cannot be dealt into {folds} folds",
            remedy="Add gold, or use fewer folds",
        )
    order = np.random.default_rng(seed).permutation(size)
    return [sorted(order[number::folds].tolist()) for number in range(folds)]


def split_texts_into_folds(texts: Sequence[str], folds: int, seed: int) -> list[list[int]]:
    """Assign texts to folds of similar size, at random; texts that are alike share a fold.

    Texts are alike that differ in case and digits alone: the model of a fold would
    repeat the errors of one in the other.

    Parameters
    ----------
    texts : sequence of str
        The texts.
    folds : int
        Number of folds, at least 2.
    seed : int
        Seed of the assignment.

    Returns
    -------
    list of lists of int
        Sorted indices of each fold.

    Raises
    ------
    DataError
        There are fewer than two folds, or fewer texts that differ than folds.
    """
    keys = [_DIGIT.sub("0", text.lower()) for text in texts]
    distinct = sorted(set(keys))
    fold_of = {
        distinct[i]: number
        for number, part in enumerate(split_into_folds(len(distinct), folds, seed))
        for i in part
    }
    found: list[list[int]] = [[] for _ in range(folds)]
    for i, key in enumerate(keys):
        found[fold_of[key]].append(i)
    return found


def out_of_fold_k_best(
    base: Language,
    examples: Sequence[Example],
    dev: Sequence[Example],
    *,
    labels: Sequence[str],
    width: int,
    folds: int,
    seed: int,
    max_epochs: int | None = None,
    on_record: Callable[[int, TrainingRecord], None] | None = None,
) -> Iterator[Fold]:
    """Train a model for each fold on the other folds, and compute the lists of the fold.

    Parameters
    ----------
    base : Language
        Pipeline that every model starts from; it must not have seen the texts.
    examples : sequence of Example
        Accepted examples.
    dev : sequence of Example
        Examples on which the best checkpoint is selected.
    labels : sequence of str
        Labels of the models.
    width : int
        Length of the lists.
    folds : int
        Number of folds.
    seed : int
        Seed of the assignment to folds and of training.
    max_epochs : int, optional
        Largest number of epochs.
    on_record : callable, optional
        Called with the index of the fold and each training record.

    Yields
    ------
    Fold
        One at a time, as soon as its model is trained.

    Raises
    ------
    DataError, TrainingError
        There are too few texts, or the other folds cannot be trained on.
    """
    for one in train_fold_models(
        base,
        examples,
        dev,
        labels=labels,
        folds=folds,
        seed=seed,
        max_epochs=max_epochs,
        on_record=on_record,
    ):
        texts = [examples[i] for i in one.positions]
        lists = tuple(parses(one.nlp, texts, width, max_span_length=MAX_SPAN_LENGTH))
        yield Fold(one.number, one.positions, lists, one.f)


@dataclass(frozen=True, slots=True)
class FoldModel:
    """Model that was trained on all folds but one.

    Parameters
    ----------
    number : int
        Index of the fold that was left out, from 0.
    positions : tuple of int
        Indices of its texts among all.
    nlp : Language
        The trained pipeline.
    f : float, optional
        Its dev F.
    """

    number: int
    positions: tuple[int, ...]
    nlp: Language
    f: float | None

    def span_probabilities(self, examples: Sequence[Example]) -> Iterator[SpanProbabilities]:
        """Compute the exact span probabilities of the texts of the fold that was left out.

        Parameters
        ----------
        examples : sequence of Example
            All examples, of which those of the fold are decoded.
        """
        return span_probabilities(
            self.nlp, [examples[i] for i in self.positions], max_span_length=MAX_SPAN_LENGTH
        )


def train_fold_models(
    base: Language,
    examples: Sequence[Example],
    dev: Sequence[Example],
    *,
    labels: Sequence[str],
    folds: int,
    seed: int,
    max_epochs: int | None = None,
    on_record: Callable[[int, TrainingRecord], None] | None = None,
    learner: FoldLearner | None = None,
    parts: Sequence[Sequence[int]] | None = None,
) -> Iterator[FoldModel]:
    """Train a model for each fold on the other folds.

    Parameters
    ----------
    base : Language
        Pipeline that every model starts from; it must not have seen the texts.
    examples : sequence of Example
        Accepted examples.
    dev : sequence of Example
        Examples on which the best checkpoint is selected; without any, a seeded
        fifth of the other folds is held out for it. A random field needs none.
    labels : sequence of str
        Labels of the models.
    folds : int
        Number of folds.
    seed : int
        Seed of the assignment to folds and of training.
    max_epochs : int, optional
        Largest number of epochs.
    on_record : callable, optional
        Called with the index of the fold and each training record.
    learner : {"crf", "ner"}, optional
        Kind of the models; by default that of ``base``.
    parts : sequence of sequences of int, optional
        Indices of the texts of each fold; by default `split_into_folds`.

    Yields
    ------
    FoldModel
        One at a time, as soon as it is trained.

    Raises
    ------
    DataError, TrainingError
        There are too few texts, or the other folds cannot be trained on.
    """
    if learner == "ner" and is_crf(base):
        base = reset_ner(base)
    if parts is None:
        parts = split_into_folds(len(examples), folds, seed)
    for number, positions in enumerate(parts):
        own = set(positions)
        others = [one for i, one in enumerate(examples) if i not in own]
        if is_crf(base) or learner == "crf":
            train_one = train_crf_like if is_crf(base) else train_crf
            nlp = train_one(base, others, labels=labels, seed=seed)
            yield FoldModel(number, tuple(positions), nlp, _f(nlp, dev, labels))
            continue
        result = train_in_temporary_folder(
            base,
            others,
            dev,
            labels=labels,
            seed=seed,
            max_epochs=max_epochs,
            on_record=None if on_record is None else partial(on_record, number),
        )
        yield FoldModel(number, tuple(positions), result.nlp, result.best.f)


def fold_base(nlp: Language, base: Language) -> Language:
    """Return the pipeline that fold models start from, so that they are of the model's kind.

    Parameters
    ----------
    nlp : Language
        The model whose lists or answers the fold models stand for.
    base : Language
        The pipeline that its training started from.

    Returns
    -------
    Language
        For a random field the model itself, of which a fold model takes
        tokenizer and features, and no weight.
    """
    if is_crf(nlp):
        return nlp
    return reset_ner(base) if is_crf(base) else base


def _f(nlp: Language, dev: Sequence[Example], labels: Sequence[str]) -> float | None:
    """Compute the dev F of a model; None without dev examples."""
    if not dev:
        return None
    return score(
        [one.spans for one in dev],
        list(predict(nlp, dev)),
        labels=labels,
        allowed_labels=[one.labels for one in dev],
    ).exact.f


def train_in_temporary_folder(
    base: Language,
    examples: Sequence[Example],
    dev: Sequence[Example],
    *,
    labels: Sequence[str],
    seed: int,
    max_epochs: int | None = None,
    on_record: Callable[[TrainingRecord], None] | None = None,
) -> TrainingResult:
    """Train a model in memory; its run folder is deleted.

    Parameters
    ----------
    base : Language
        Pipeline that the model starts from.
    examples : sequence of Example
        Accepted examples.
    dev : sequence of Example
        Examples on which the best checkpoint is selected.
    labels : sequence of str
        Labels of the model.
    seed : int
        Seed of training.
    max_epochs : int, optional
        Largest number of epochs.
    on_record : callable, optional
        Called with each training record.

    Raises
    ------
    TrainingError
        As for `training.loop.train`.
    """
    # The model is read back before the folder goes.
    with (
        tempfile.TemporaryDirectory(prefix="nbner-") as folder,
        train(
            base,
            examples,
            dev,
            labels=labels,
            output=Path(folder) / "run",
            seed=seed,
            max_epochs=max_epochs,
        ) as run,
    ):
        for record in run:
            if on_record is not None:
                on_record(record)
        return run.finish()
