"""Training of one learner, or of several of which one is taken; see `learner_run`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbner.errors import TrainingError
from nbner.nlp.pipeline import is_trained, load_base
from nbner.training.candidates import LEARNERS, Learner
from nbner.training.learner_run import LearnerRun, TrainingData

if TYPE_CHECKING:
    from spacy.language import Language

    from nbner.training.setup import Augmentation
    from nbner.types import Example


def train(
    base: Language | str | Path,
    train_examples: Iterable[Example],
    dev_examples: Iterable[Example] = (),
    *,
    labels: Sequence[str],
    output: Path,
    seed: int = 0,
    learner: Learner = "ner",
    refit: bool = True,
    pool: Iterable[Example] = (),
    features: Sequence[str] = (),
    augment: Augmentation | None = None,
    **options: Any,
) -> LearnerRun:
    """Prepare the training of one learner, or of all of them; iterating over it trains.

    Parameters
    ----------
    base : Language, str or Path
        A pipeline, or an argument of `load_base`.
    train_examples, dev_examples : iterable of Example
        As for `loop.train`.
    labels : sequence of str
        All labels of the session.
    output : Path
        The run's folder, which must not exist.
    seed : int
        Seed of the held-out part and of training.
    learner : {"auto", "ner", "crf"}
        "auto" trains the CRF, the distilled `ner` and `ner`, and takes one of
        them; see `choose_learner`.
    refit : bool
        Where a part of the training examples is held out: train on all of them
        in the end, for as many steps as were best on the held-out part.
    pool : iterable of Example
        Texts without gold, for the CRF.
    features : sequence of str
        Outside features of the CRF; see `nbner.training.crf.train_crf`.
    augment : {"swap", "none"}, optional
        By default "swap" for the CRF and "none" for `ner`; see `loop.train`. The
        distilled `ner` learns from no copies, and its CRF does.
    **options
        Other options of `loop.train`, for `ner` alone.

    Raises
    ------
    TrainingError
        There is no such learner, nothing to train on, no folder to write to, or
        an option that does not fit.
    ModelError
        The base cannot be loaded.
    """
    base = load_base(base) if isinstance(base, (str, Path)) else base
    check_start(base, learner)
    data = TrainingData(
        base, tuple(train_examples), tuple(dev_examples), tuple(labels), tuple(pool), seed
    )
    return LearnerRun(
        data,
        output,
        learner=learner,
        refit=refit,
        features=features,
        augment=augment,
        options=options,
    )


def check_start(base: Language, learner: str) -> None:
    """Raise where a learner cannot start from a pipeline.

    Parameters
    ----------
    base : Language
        The pipeline.
    learner : {"auto", "ner", "crf"}
        The learner.

    Raises
    ------
    TrainingError
        There is no such learner, or it would forget what the pipeline knows.
    """
    if learner not in LEARNERS:
        named = ", ".join(repr(one) for one in LEARNERS)
        raise TrainingError(f"there is no learner={learner!r}; there are {named}.")
    if learner != "ner" and is_trained(base):
        raise TrainingError(
            f"learner={learner!r} starts anew, and the pipeline has a trained recognizer, whose "
            'labels a CRF would not know. Use learner="ner", or leave what it knows behind: '
            'init="scratch".'
        )
