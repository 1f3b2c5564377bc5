"""Labelling of whole corpora with the model in use."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbner.corpus.drift import CorpusDrift, OpenTexts, corpus_drift
from nbner.corpus.estimate import CorpusEstimate, estimate_corpus
from nbner.corpus.prediction import LabelledText, predict_texts, vocabulary_of
from nbner.corpus.report import CorpusReport
from nbner.corpus.run import TrainingTexts, label_corpus, plan_corpus
from nbner.corpus.settings import CorpusSettings, Shape, settings_for
from nbner.corpus.unsure import UnsureDraw, draw_unsure
from nbner.nlp.prediction import check_trained
from nbner.session.context import SessionContext

if TYPE_CHECKING:
    from distributed import Client

    from nbner.corpus.storage import StorageOptions

_TRAINING_SPLIT = "train"
_MAX_PROBED = 2_000  # training texts whose probabilities are computed


def label(
    context: SessionContext,
    source: str | Path,
    target: str | Path,
    *,
    client: Client | None,
    n_process: int,
    text: str,
    keep: Sequence[str],
    shape: Shape,
    batch_size: int | None,
    probabilities: bool,
    min_probability: float | None,
    resume: bool,
    storage_options: StorageOptions | None,
    progress: bool,
) -> CorpusReport:
    """Label a corpus; see `Session.label_corpus`.

    Parameters
    ----------
    context : SessionContext
        Its pipeline in use labels.
    source, target, client, n_process, text, keep, shape, batch_size
        As for the method.
    probabilities, min_probability, resume, storage_options, progress
        As for the method.
    """
    check_trained(context.nlp)
    settings = settings_for(
        context.nlp,
        text=text,
        keep=keep,
        shape=shape,
        probabilities=probabilities,
        min_probability=min_probability,
    )
    plan = plan_corpus(
        settings, str(source), str(target), resume=resume, storage_options=storage_options
    )
    return label_corpus(
        context.nlp,
        plan,
        resume=resume,
        client=client,
        n_process=n_process,
        batch_size=batch_size,
        training=lambda: training_texts(context, settings),
        progress=progress,
    )


def estimate(
    context: SessionContext,
    source: str | Path,
    target: str | Path | None,
    *,
    sample: int,
    text: str,
    keep: Sequence[str],
    shape: Shape,
    batch_size: int | None,
    probabilities: bool,
    min_probability: float | None,
    storage_options: StorageOptions | None,
) -> CorpusEstimate:
    """Estimate what labelling a corpus costs; see `Session.estimate_corpus`.

    Parameters
    ----------
    context : SessionContext
        Its pipeline in use labels.
    source, target, sample, text, keep, shape, batch_size
        As for the method.
    probabilities, min_probability, storage_options
        As for the method.
    """
    check_trained(context.nlp)
    settings = settings_for(
        context.nlp,
        text=text,
        keep=keep,
        shape=shape,
        probabilities=probabilities,
        min_probability=min_probability,
    )
    place = None if target is None else str(target)
    plan = plan_corpus(settings, str(source), place, storage_options=storage_options)
    return estimate_corpus(context.nlp, plan, sample=sample, batch_size=batch_size)


def unsure_examples(
    context: SessionContext,
    target: str | Path,
    n: int,
    *,
    storage_options: StorageOptions | None = None,
) -> UnsureDraw:
    """Draw texts of a labelled corpus of which the model was not sure, new to the dataset.

    Parameters
    ----------
    context : SessionContext
        Texts of its dataset are left out, whatever their split.
    target : str or Path
        The target.
    n : int
        Number of texts at most.
    storage_options : mapping, optional
        Options of fsspec's file system.
    """
    known = {one.text for one in context.dataset.examples()}
    return draw_unsure(
        str(target), n, seed=context.seed, known=known, storage_options=storage_options
    )


def drift(
    context: SessionContext,
    target: str | Path,
    *,
    storage_options: StorageOptions | None,
    open_texts: OpenTexts,
) -> CorpusDrift:
    """Compare the partitions of a labelled corpus with training; see `Session.corpus_drift`.

    Parameters
    ----------
    context : SessionContext
        Its colors, and its seed for texts that are drawn.
    target, storage_options
        As for the method.
    open_texts : callable
        Adds texts to a split, and opens them.
    """
    return corpus_drift(
        str(target),
        colors=context.colors,
        seed=context.seed,
        open_texts=open_texts,
        storage_options=storage_options,
    )


def training_texts(context: SessionContext, settings: CorpusSettings) -> TrainingTexts:
    """Return what drift is measured against: words and label rates of the training split.

    Parameters
    ----------
    context : SessionContext
        Its accepted examples of the split "train" count, those of binary tasks
        left out.
    settings : CorpusSettings
        Whether probabilities are computed.
    """
    if _TRAINING_SPLIT not in context.dataset.splits():
        return TrainingTexts()
    examples = [
        one
        for one in context.dataset.examples(_TRAINING_SPLIT, answer="accept")
        if not one.binary and one.text
    ]
    if not examples:
        return TrainingTexts()
    texts = [one.text for one in examples]
    vocabulary, unknown_share = vocabulary_of(context.nlp, texts)
    figures: dict[str, Any] = {
        "split": _TRAINING_SPLIT,
        "texts": len(examples),
        "tokens": sum(len(context.tokenize(one)) for one in texts),
        "labels": dict(Counter(span.label for one in examples for span in one.spans)),
        "without_entities": sum(not one.spans for one in examples),
        "unknown_share": unknown_share,
        "mean_probability": None,
    }
    if settings.probabilities:
        found = predict_texts(context.nlp, texts[:_MAX_PROBED], probabilities=True)
        known = [
            span.probability or 0.0
            for one in found
            if isinstance(one, LabelledText)
            for span in one.spans
        ]
        figures["mean_probability"] = sum(known) / len(known) if known else None
    return TrainingTexts(vocabulary, figures)
