"""Ranks gold spans that look wrong by out-of-fold probabilities and opens them for correction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from nbner._common.progress import ProgressBar
from nbner.decoding.api import span_probabilities
from nbner.decoding.probabilities import SpanProbabilities
from nbner.quality import label_issues as issues
from nbner.quality.label_issues import LabelIssue
from nbner.quality.label_issues_report import LabelIssues
from nbner.queues.correction import SuspectSpans
from nbner.reranking.cross_validation import train_fold_models
from nbner.session.context import SessionContext
from nbner.session.corrections import open_corrections
from nbner.session.progress_bars import progress_callback
from nbner.session.suggestions import LONGEST
from nbner.store.assignments import AnnotatorVersion
from nbner.types import Example

_OUT_OF_FOLD = "models of the other folds"
_IN_USE = "the model in use"


def find_label_issues(
    context: SessionContext,
    split: str,
    *,
    folds: int,
    dev: str,
    max_epochs: int | None,
    progress: bool,
) -> LabelIssues:
    """Rank gold spans, and tokens without one, that a model contradicts.

    Parameters
    ----------
    context : SessionContext
        The base pipeline is trained on the folds; with ``folds=0`` the
        pipeline in use is evaluated instead.
    split : str
        Split of the gold.
    folds : int
        Number of folds; 0 for no training.
    dev : str
        Split on which each fold's model is selected.
    max_epochs : int, optional
        Of each fold's training.
    progress : bool
        Whether to show a progress bar.

    Returns
    -------
    LabelIssues
        The issues, widest margin first.

    Raises
    ------
    DataError
        There is no gold, or too little for so many folds.
    ModelError
        ``folds=0``, and the model has not been trained.
    TrainingError
        The other folds of one fold cannot be trained on.
    """
    gold = context.gold(split)
    found: list[LabelIssue] = []
    fold_f: list[float | None] = []
    if folds == 0:
        found += _issues_in(gold, current_probabilities(context, gold))
    else:
        out_of_fold = _out_of_fold_probabilities(
            context, gold, split, dev, folds=folds, max_epochs=max_epochs, progress=progress
        )
        for examples, probabilities, f in out_of_fold:
            found += _issues_in(examples, probabilities)
            fold_f.append(f)
    source = _OUT_OF_FOLD if folds else _IN_USE
    return LabelIssues(
        tuple(issues.rank_issues(found)),
        split=split,
        n=len(gold),
        n_spans=sum(len(one.spans) for one in gold),
        folds=folds,
        fold_f=tuple(fold_f),
        open_widget=lambda chosen: open_corrections(
            context, split, _suspects(chosen, source), reason="label issues", source=source
        ),
    )


def current_probabilities(
    context: SessionContext, gold: Sequence[Example]
) -> Iterator[SpanProbabilities]:
    """Compute the span probabilities of the pipeline in use, one example at a time.

    Parameters
    ----------
    context : SessionContext
        Its pipeline in use must be trained.
    gold : sequence of Example
        Tokenized examples.

    Returns
    -------
    iterator of SpanProbabilities
        One for each example, in their order.

    Raises
    ------
    ModelError
        The pipeline has not been trained.
    """
    return span_probabilities(context.nlp, gold, max_span_length=LONGEST)


def _out_of_fold_probabilities(
    context: SessionContext,
    gold: Sequence[Example],
    split: str,
    dev: str,
    *,
    folds: int,
    max_epochs: int | None,
    progress: bool,
) -> Iterator[tuple[list[Example], Iterator[SpanProbabilities], float | None]]:
    """Yield each fold with the probabilities and dev F of a model trained on the others."""
    held_out = [] if dev == split else context.examples(dev, answer="accept")
    with ProgressBar(folds, "training on folds", "folds", visible=progress) as bar:
        models = train_fold_models(
            context.base_nlp,
            gold,
            held_out,
            labels=context.labels,
            folds=folds,
            seed=context.seed,
            max_epochs=max_epochs,
            on_record=progress_callback(bar, folds),
        )
        for one in bar.wrap(models):
            yield [gold[i] for i in one.positions], one.span_probabilities(gold), one.f


def _issues_in(
    examples: Sequence[Example], probabilities: Iterator[SpanProbabilities]
) -> Iterator[LabelIssue]:
    for example, one in zip(examples, probabilities, strict=True):
        yield from issues.find_label_issues(
            example, one.spans, one.token_probabilities[:, -1].tolist()
        )


def _suspects(chosen: Sequence[LabelIssue], source: str) -> dict[int, SuspectSpans]:
    """Group issues by example, each with the gold that the model would give."""
    by_example: dict[int, list[LabelIssue]] = defaultdict(list)
    for one in chosen:
        by_example[one.example.input_hash].append(one)
    return {
        key: SuspectSpans(
            {one.gold: one.gold_probability for one in some if one.gold is not None},
            (
                AnnotatorVersion(
                    source, "accept", issues.apply_suggestions(some[0].example.spans, some)
                ),
            ),
        )
        for key, some in by_example.items()
    }
