"""The ``session.experiments`` accessor: studies of training and of reproducibility."""

from __future__ import annotations

import tempfile
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbner.errors import DataError
from nbner.evaluation.diff.report import Differences
from nbner.evaluation.reproducibility import (
    Determinism,
    Parity,
    check_determinism,
    run_spacy,
    text_units,
)
from nbner.evaluation.scores import score
from nbner.io.annotations import read_annotations
from nbner.nlp.gold_docs import nested_subsets, split_corpus
from nbner.nlp.pipeline import is_trained, labels_of, recognizer_of
from nbner.nlp.prediction import check_trained, predict
from nbner.reranking.coverage.report import Coverage
from nbner.reranking.coverage.study import WIDTH
from nbner.session.arguments import check_session_methods
from nbner.session.context import Accessor, SessionContext
from nbner.session.coverage import measure_coverage
from nbner.session.differences import differences
from nbner.session.suggestions import suggest
from nbner.session.training import initial_pipeline, start_run, training_split
from nbner.training.comparison import TrainingComparison, TrainingTrial
from nbner.training.learning_curve import LearningCurve
from nbner.types import Example

if TYPE_CHECKING:
    from nbner.training.initialization import InitStrategy

DEFAULT_INITS: tuple[InitStrategy, ...] = ("scratch", "continue", "freeze", "rehearsal")
SHARES = (0.1, 0.2, 0.4, 0.7, 1.0)
SEEDS = 3
EARLIER_MODELS = 3  # trained before the one in use, and tried as causes of a difference


@check_session_methods
class ExperimentsAccessor(Accessor):
    """Compare initializations of training, and check that predictions are reproducible.

    Reached as ``session.experiments``. No method changes the session.
    """

    def learning_curve(
        self,
        fractions: Sequence[float] = SHARES,
        split: str = "train",
        dev: str = "dev",
        *,
        seeds: int = SEEDS,
        more: int | None = None,
        max_epochs: int | None = None,
        patience: int | None = None,
        progress: bool = True,
    ) -> LearningCurve:
        """Compute F at growing fractions of the labels, to predict the gain of labelling more.

        Each seed draws its own order of the examples; a larger fraction holds
        the smaller ones. All are evaluated on the same dev examples.

        Parameters
        ----------
        fractions : sequence of float
            Fractions, above 0 and at most 1.
        split, dev : str
            Where to train and where to evaluate.
        seeds : int
            Runs per fraction, each with another seed.
        more : int, optional
            Examples of the next batch; by default a fifth of those there are.
        max_epochs, patience : int, optional
            See `Session.train`.
        progress : bool
            Show a bar. The stop button keeps the runs that are finished.

        Returns
        -------
        LearningCurve
            ``summary``, ``frame``, ``gains`` (the extrapolated gain of the next
            batch, per label, with intervals) and ``plot()``.

        Raises
        ------
        DataError
            A fraction is not above 0 and at most 1.
        TrainingError
            There is nothing to train on.
        """
        bad = [one for one in fractions if not 0 < one <= 1]
        if bad or not fractions:
            raise DataError(
                f"{bad[0] if bad else 'nothing'} is not a share",
                field="fractions",
                remedy="Give numbers above 0 and at most 1, such as fractions=(0.25, 0.5, 1.0)",
            )
        first = self._context.seed
        examples, evaluated, source = self._fixed_split(split, dev)
        jobs: list[tuple[InitStrategy | None, int, Sequence[Example]]] = [
            (None, seed, part)
            for seed in range(first, first + seeds)
            for part in nested_subsets(examples, fractions, seed)
        ]
        runs = self._run_all(
            jobs, split, evaluated, progress=progress, max_epochs=max_epochs, patience=patience
        )
        batch = max(1, len(examples) // 5) if more is None else more
        return LearningCurve(tuple(runs), batch, source)

    def compare_training(
        self,
        inits: Sequence[InitStrategy] = DEFAULT_INITS,
        split: str = "train",
        dev: str = "dev",
        *,
        seeds: int = SEEDS,
        max_epochs: int | None = None,
        patience: int | None = None,
        progress: bool = True,
    ) -> TrainingComparison:
        """Train from several initializations on the same data, to answer "resize or retrain?".

        The models are evaluated and deleted; the one in use stays. The stop
        button keeps the runs that are finished.

        Parameters
        ----------
        inits : sequence of {"scratch", "continue", "freeze", "rehearsal"}
            See `Session.train`.
        split, dev : str
            Where to train and where to evaluate.
        seeds : int
            Runs per initialization, each with another seed.
        max_epochs, patience : int, optional
            See `Session.train`.
        progress : bool
            Show a bar.

        Returns
        -------
        TrainingComparison
            ``summary``, ``frame`` (F per old and per new label, with intervals
            over the seeds, and time) and ``plot()``.

        Raises
        ------
        TrainingError
            There is nothing to train on, no such initialization, or it needs a
            trained model and there is none.
        """
        context = self._context
        examples, evaluated, _ = self._fixed_split(split, dev)
        for init in inits:
            initial_pipeline(context, init)
        jobs = [(init, context.seed + i, examples) for i in range(seeds) for init in inits]
        runs = self._run_all(
            jobs, split, evaluated, progress=progress, max_epochs=max_epochs, patience=patience
        )
        before = labels_of(context.nlp_before_new_labels or context.nlp)
        known = tuple(label for label in context.labels if label in before)
        new = tuple(label for label in context.labels if label not in before)
        return TrainingComparison(tuple(runs), known, new)

    def coverage(
        self,
        alpha: float = 0.05,
        split: str = "train",
        dev: str = "dev",
        *,
        width: int = WIDTH,
        decoder: str = "exact",
        progress: bool = True,
    ) -> Coverage:
        """Calibrate sets that hold gold with a stated probability, and measure their coverage.

        Sets of complete analyses, a prefix of the exact list, hold gold in at
        least 1 - alpha of the texts: by cumulative probability, and with a
        penalty of late ranks that makes them smaller (split-conformal
        prediction, APS and RAPS). For single spans, one threshold above which
        all candidates together miss at most a share alpha of a text's gold,
        and one above which at most that share is wrong (conformal risk
        control).

        The guarantee needs *exchangeability*: calibration texts and new texts
        are drawn alike. Texts that a query strategy chose, by uncertainty for
        instance, are not, and neither is a new source, a later period, or a
        model trained on the calibration texts. So calibration uses the random
        share that make-gold keeps aside, and gold that no strategy chose; what
        one chose is left out and counted. The guarantee is an average over
        all texts and over calibration sets: one calibration set of n texts
        varies by about sqrt(alpha * (1 - alpha) / n), and no group of texts
        (length, number of entities, label) has a guarantee of its own.

        Parameters
        ----------
        alpha : float
            Accepted risk, between 0 and 1: 0.05 for 95 %.
        split, dev : str
            The held-out gold: accepted examples of ``dev``, and those of
            ``split`` that make-gold kept aside at random.
        width : int
            Length of the lists. A set whose list stops before the level is
            reached says that it is not complete.
        decoder : {"exact", "exact_calibrated", "exact_raw"}
            The lists; see `Session.parses`.
        progress : bool
            Show a bar. The stop button ends the study without a result.

        Returns
        -------
        Coverage
            ``frame`` and ``per_label`` (empirical coverage and sizes by length,
            number of entities and label, with intervals, each text under
            thresholds of others), ``thresholds``, ``summary``, ``plot()``; and
            for new texts ``analysis_set(parses)`` (by cumulative probability;
            ``method="regularized"`` for the sets with the penalty,
            ``"probability"`` for those that reach a level beyond the list),
            ``candidate_spans`` and ``accepted_spans``.

        Raises
        ------
        DataError
            Alpha is not between 0 and 1, there is too little held-out gold for
            the level (the message says how much is needed), or no gold has the
            model's labels.
        ModelError
            The model has not been trained, or has no such list.
        """
        return measure_coverage(
            self._context, alpha, split, dev, width=width, decoder=decoder, progress=progress
        )

    def parity(
        self,
        split: str | None = None,
        *,
        batch_sizes: Sequence[int] = (1, 32),
        n_process: Sequence[int] = (1, 2),
    ) -> Parity:
        """Compare the suggestions of make-gold with plain ``nlp.pipe``, example by example.

        Whole texts and single sentences, in order and in reverse, with several
        batch sizes and numbers of processes. There must be no difference.

        Parameters
        ----------
        split : str, optional
            By default all.
        batch_sizes, n_process : sequence of int
            Options of ``nlp.pipe``.

        Returns
        -------
        Parity
            ``same``, ``differing`` and ``frame``: a row for each way of running.
            Labels that the session does not have are never suggested; where
            that is the cause of a difference, ``filtered_labels`` names them,
            and ``unexplained`` counts the other differences.

        Raises
        ------
        ModelError
            The model has not been trained.
        DataError
            There is no example.
        """
        context = self._context
        context.require_split(split)
        check_trained(context.nlp)
        examples = context.examples(split)
        if not examples:
            raise DataError("there is no example to compare", remedy="Add some: session.add(...)")
        known = set(context.labels)
        rows: list[tuple[str, str, int, tuple[int, ...]]] = []
        unexplained: set[tuple[str, int]] = set()
        filtered: set[str] = set()
        for unit, items in text_units(context.nlp, examples).items():
            suggested = suggest(context, items)
            for run in run_spacy(context.nlp, items, batch_sizes, n_process):
                others = run.labels - known
                rows.append((unit, run.description, len(items), run.differing(suggested)))
                rest = run.differing(suggested, without=others)
                unexplained.update((unit, i) for i in rest)
                filtered |= others
        return Parity.from_rows(
            rows, filtered_labels=sorted(filtered), unexplained=len(unexplained)
        )

    def determinism(
        self,
        texts: Iterable[Any],
        *,
        batch_sizes: Sequence[int] = (1, 7, 64, 256),
        n_process: Sequence[int] = (2,),
        seed: int | None = None,
    ) -> Determinism:
        """Predict the same texts under several circumstances, and list what changes.

        Batch sizes, orders, numbers of processes, and a fresh Python that reads
        the model from disk.

        Parameters
        ----------
        texts : iterable of str, dict, Doc or Example
            Their spans are not used.
        batch_sizes, n_process : sequence of int
            Options of ``nlp.pipe``.
        seed : int, optional
            For the shuffled order; by default the session's.

        Returns
        -------
        Determinism
            ``same``, and ``frame``: a row for each circumstance.

        Raises
        ------
        ModelError
            The model has not been trained.
        """
        items = [replace(one, spans=()) for one in read_annotations(texts)]
        outcomes = check_determinism(
            self._context.nlp,
            items,
            batch_sizes=batch_sizes,
            n_process=n_process,
            seed=self._context.seed if seed is None else seed,
        )
        return Determinism.from_results(outcomes, [one.text for one in items])

    def differences(self, a: Any, b: Any = None, *, texts: Any = None) -> Differences:
        """Compare annotations with the predictions of the model in use for the same texts.

        Parameters
        ----------
        a : path, pipeline, Session, DataFrame, or iterable of dict, Doc or Example
            See `nbner.differences`.
        b : the same, optional
            By default the model in use.
        texts : path or iterable, optional
            For models and frames of predictions.

        Returns
        -------
        Differences
            ``counts`` (texts by cause), ``frame``, ``pairs``, ``plot()``.

        Examples
        --------
        >>> session.experiments.differences("export-of-last-year.jsonl")  # doctest: +SKIP
        """
        nlp = self._context.nlp
        found = differences(
            a,
            nlp if b is None else b,
            texts=texts,
            # A pipeline of rules alone needs no training.
            model=nlp if recognizer_of(nlp) is None or is_trained(nlp) else None,
            others=self._context.model_store.previous(EARLIER_MODELS),
        )
        return replace(found, colors=self._context.colors)

    def _fixed_split(
        self, split: str, dev: str
    ) -> tuple[Sequence[Example], Sequence[Example], str]:
        """Return the training and dev examples of all runs, and the dev examples' origin."""
        train, evaluated = training_split(self._context, split, dev)
        corpus = split_corpus(train, evaluated, self._context.labels, self._context.seed)
        return corpus.train, corpus.dev, corpus.dev_source

    def _run_all(
        self,
        jobs: Sequence[tuple[InitStrategy | None, int, Sequence[Example]]],
        split: str,
        evaluated: Sequence[Example],
        *,
        progress: bool,
        **options: Any,
    ) -> list[TrainingTrial]:
        """Train and evaluate each job; the stop button keeps those that are finished."""
        from nbner._common.progress import collect_until_interrupt

        def runs() -> Iterator[TrainingTrial]:
            for init, seed, examples in jobs:
                yield _train_and_score(
                    self._context, init, seed, split, examples, evaluated, **options
                )

        return collect_until_interrupt(runs(), len(jobs), "training", visible=progress)


def _train_and_score(
    context: SessionContext,
    init: InitStrategy | None,
    seed: int,
    split: str,
    examples: Sequence[Example],
    evaluated: Sequence[Example],
    **options: Any,
) -> TrainingTrial:
    """Train in a temporary folder, and evaluate."""
    with tempfile.TemporaryDirectory(prefix="nbner-") as folder:
        run = start_run(
            context,
            init,
            split,
            examples,
            evaluated,
            seed=seed,
            output=Path(folder) / "run",
            **options,
        )
        with run:
            deque(run, maxlen=0)
            result = run.finish()
        scores = score(
            [one.spans for one in evaluated],
            list(predict(result.nlp, evaluated)),
            labels=context.labels,
            allowed_labels=[one.labels for one in evaluated],
        )
    return TrainingTrial(init or "as_given", seed, len(examples), result.seconds, scores)
