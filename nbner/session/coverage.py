"""Calibration of sets of analyses and of spans on held-out gold that was drawn at random."""

from __future__ import annotations

from nbner._common.format import plural
from nbner.active_learning.ranked_dataset import strategy_examples
from nbner.errors import DataError
from nbner.nlp.fingerprint import fingerprint
from nbner.nlp.gold_docs import is_expressible
from nbner.nlp.prediction import check_trained
from nbner.reranking.coverage.report import Coverage
from nbner.reranking.coverage.study import (
    DECODERS,
    WIDTH,
    check_alpha,
    check_size,
    coverage_rows,
    fit_thresholds,
    held_out_texts,
)
from nbner.session.context import SessionContext
from nbner.session.learnt_texts import warn_of_learnt_texts
from nbner.session.training import training_split
from nbner.types import Example


def measure_coverage(
    context: SessionContext,
    alpha: float,
    split: str,
    dev: str,
    *,
    width: int = WIDTH,
    decoder: str = "exact",
    progress: bool,
) -> Coverage:
    """Calibrate sets for the model in use, and measure their coverage.

    Parameters
    ----------
    context : SessionContext
        Its model in use is calibrated.
    alpha : float
        Accepted risk, between 0 and 1.
    split, dev : str
        The held-out gold: accepted examples of ``dev``, and those of ``split``
        that were kept aside at random.
    width : int
        Length of the lists.
    decoder : str
        The lists.
    progress : bool
        Show a bar.

    Raises
    ------
    DataError
        Alpha is not between 0 and 1, there is too little held-out gold for the
        level, or no gold has the model's labels.
    ModelError
        The model has not been trained, or has no such list.
    """
    alpha = check_alpha(alpha)
    _check_decoder(decoder)
    check_trained(context.nlp)
    gold, left_out = _randomly_held_out(context, split, dev)
    unreachable = sum(not is_expressible(context.nlp, one) for one in gold)
    if gold and unreachable == len(gold):
        raise DataError(
            f"none of the {plural(len(gold), 'held-out text')} has gold that the model could "
            "find: other labels, or spans off the tokens",
            remedy="Train a model of these labels: session.train()",
        )
    check_size(len(gold), alpha, split=dev)
    warn_of_learnt_texts(context, gold, "for new texts the sets are too small", stacklevel=6)
    texts = list(held_out_texts(context.nlp, gold, width=width, decoder=decoder, progress=progress))
    return Coverage(
        alpha=alpha,
        rows=tuple(coverage_rows(texts, alpha, width=width, seed=context.seed)),
        thresholds=fit_thresholds(texts, alpha, width=width, seed=context.seed),
        n=len(texts),
        width=width,
        decoder=decoder,
        unreachable=unreachable,
        not_in_list=sum(one.gold_rank is None for one in texts),
        left_out=left_out,
        source=dev,
        fingerprint=fingerprint(context.nlp),
    )


def _check_decoder(decoder: str) -> None:
    if decoder not in DECODERS:
        raise DataError(
            f"the probabilities of {decoder!r} are not those of all analyses",
            field="decoder",
            remedy=f"Use one of {', '.join(DECODERS)}",
        )


def _randomly_held_out(context: SessionContext, split: str, dev: str) -> tuple[list[Example], int]:
    """Return held-out gold that no query strategy chose, and the number of other texts."""
    _, evaluated = training_split(context, split, dev)
    chosen = strategy_examples(context.dataset, dev)
    gold = [one for one in evaluated if not one.binary]
    kept = [one for one in gold if one.split != dev or one.input_hash not in chosen]
    return kept, len(gold) - len(kept)
