"""Lists for a reranker to learn from, made by models that never saw their texts.

The texts are dealt into folds; for each fold a model is trained on all the
others and makes the lists of this one (the jackknife, as in Collins and Koo
2005). On texts that a model was trained on, its first analysis is right far
too often for anything to be learnt.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nbner.decoding.api import parses, span_probabilities
from nbner.decoding.probabilities import SpanProbabilities
from nbner.errors import DataError
from nbner.training.loop import train
from nbner.types import Example, Parse

if TYPE_CHECKING:
    from spacy.language import Language

    from nbner.training.records import TrainingRecord, TrainingResult

MAX_SPAN_LENGTH = 64  # tokens of the longest entity in the lists


@dataclass(frozen=True, slots=True)
class Fold:
    """One fold's lists.

    Parameters
    ----------
    number : int
        From 0.
    positions : tuple of int
        Of its texts among all.
    lists : tuple of lists of Parse
    f : float, optional
        Dev F of the model that made them.
    """

    number: int
    positions: tuple[int, ...]
    lists: tuple[tuple[Parse, ...], ...]
    f: float | None


def split_into_folds(size: int, folds: int, seed: int) -> list[list[int]]:
    """Deal positions into folds of like size.

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
            f"{size} accepted examples cannot be dealt into {folds} folds",
            remedy="Add gold, or use fewer folds",
        )
    order = np.random.default_rng(seed).permutation(size)
    return [sorted(order[number::folds].tolist()) for number in range(folds)]


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
    """Train a model for each fold, and give the lists that it makes of it.

    Parameters
    ----------
    base : Language
        What the models start from; it must not have seen the texts either.
    examples : sequence of Example
        Accepted.
    dev : sequence of Example
        Where each model is chosen.
    labels : sequence of str
    width : int
    folds : int
    seed : int
        Deals the texts, and trains.
    max_epochs : int, optional
    on_record : callable, optional
        Called with the fold's number and each step's record.

    Raises
    ------
    DataError, TrainingError
        There are too few texts, or a fold's rest cannot be trained on.
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
    """A model that was trained on all folds but one.

    Parameters
    ----------
    number : int
        From 0.
    positions : tuple of int
        Of the texts that it never saw, among all.
    nlp : Language
    f : float, optional
        Its dev F.
    """

    number: int
    positions: tuple[int, ...]
    nlp: Language
    f: float | None

    def span_probabilities(self, examples: Sequence[Example]) -> Iterator[SpanProbabilities]:
        """Give the exact probabilities of the spans of the texts that it never saw."""
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
) -> Iterator[FoldModel]:
    """Train a model for each fold, on all the others.

    Parameters
    ----------
    base, examples, dev, labels, folds, seed, max_epochs, watch
        As for `out_of_fold_k_best`; without ``dev``, a seeded fifth of each fold's rest
        is held out to choose the model on.

    Raises
    ------
    DataError, TrainingError
        There are too few texts, or a fold's rest cannot be trained on.
    """
    for number, positions in enumerate(split_into_folds(len(examples), folds, seed)):
        own = set(positions)
        result = train_in_temporary_folder(
            base,
            [one for i, one in enumerate(examples) if i not in own],
            dev,
            labels=labels,
            seed=seed,
            max_epochs=max_epochs,
            on_record=None if on_record is None else partial(on_record, number),
        )
        yield FoldModel(number, tuple(positions), result.nlp, result.best.f)


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
    """Train a model that nothing is kept of but what is returned.

    Raises
    ------
    TrainingError
        As `training.train`.
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
