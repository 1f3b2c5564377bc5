"""The model loop: train, predict, evaluate."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import tee
from typing import TYPE_CHECKING, Any, Literal, overload

from nbner.errors import DataError
from nbner.evaluation.regressions import MARGIN
from nbner.faces.confidence import Confidence, Confident
from nbner.faces.retraining import Retraining
from nbner.io import formats
from nbner.io.rows import unlabelled
from nbner.types import Example, Span

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from spacy.tokens import Doc

    from nbner.evaluation.report import Evaluation
    from nbner.training.background_report import BackgroundTraining
    from nbner.training.initialization import How
    from nbner.training.loop import Training
    from nbner.training.records import TrainingRecord
    from nbner.training.report import TrainingReport

PREDICTION_COLUMNS = ["example", "start", "end", "token_start", "token_end", "text", "label"]


class Modelling(Retraining, Confidence):
    """Train on what was accepted, label the rest, and measure."""

    @overload
    def train(
        self,
        split: str = ...,
        dev: str = ...,
        *,
        how: How | None = ...,
        max_epochs: int | None = ...,
        patience: int | None = ...,
        seed: int | None = ...,
        margin: float | None = ...,
        progress: bool = ...,
        background: Literal[False] = ...,
    ) -> TrainingReport: ...

    @overload
    def train(
        self,
        split: str = ...,
        dev: str = ...,
        *,
        how: How | None = ...,
        max_epochs: int | None = ...,
        patience: int | None = ...,
        seed: int | None = ...,
        margin: float | None = ...,
        progress: bool = ...,
        background: Literal[True],
    ) -> BackgroundTraining: ...

    def train(
        self,
        split: str = "train",
        dev: str = "dev",
        *,
        how: How | None = None,
        max_epochs: int | None = None,
        patience: int | None = None,
        seed: int | None = None,
        margin: float | None = MARGIN,
        progress: bool = True,
        background: bool = False,
    ) -> TrainingReport | BackgroundTraining:
        """Train on the accepted examples of a split, and use the best model from then on.

        Runs spaCy's own training loop on a copy: labelling goes on meanwhile,
        and suggestions come from the last finished model. The notebook's stop
        button ends training with the best model so far.

        Parameters
        ----------
        split, dev : str
            Where to learn and where to measure. Without accepted examples in
            ``dev``, a seeded fifth of ``split`` is held out.
        how : {"scratch", "continue", "last layer", "rehearsal"}, optional
            By default training starts from the pipeline that the session was
            given. "scratch" forgets what that one has learnt. "continue" goes
            on from the model in use; "last layer" does so and freezes all
            weights but those of the recognizer's last layer; "rehearsal" mixes
            texts without gold in, as the model in use labels them.
        max_epochs : int, optional
            Passes over the data at most.
        patience : int, optional
            Evaluations without a gain after which training stops.
        seed : int, optional
            By default the session's.
        margin : float, optional
            The forgetting guard: a model that loses more F than this on a
            label (of at least 10 gold spans in that label's regression set,
            which is frozen at its first training) is not put in place of the
            one in use. None lets every model pass.
        progress : bool
            Show a bar and the curve, and before them what is wrong with the
            data.
        background : bool
            Train in another process and return at once. Labelling goes on, and
            suggestions change over when it is done and only then.

        Returns
        -------
        TrainingReport or BackgroundTraining
            With ``f``, ``frame``, ``plot()``, and ``path``: the folder with
            the model, its ``config.cfg`` and the data for ``spacy train``;
            ``problems`` of the data, ``flips`` and ``in_use``.

        Raises
        ------
        TrainingError
            Nothing has been accepted, or no accepted example holds an entity.
        """
        from nbner._common.progress import show

        seed = self.seed if seed is None else seed
        wishes: dict[str, Any] = {"max_epochs": max_epochs, "patience": patience}
        if background:
            return self._begin_apart(how, split, dev, seed=seed, margin=margin, **wishes)
        learnt, held = self._learnt_and_held(split, dev)
        run = self._begin(
            how,
            split,
            learnt,
            held,
            seed=seed,
            output=self._shelf.new_folder(),
            **wishes,
        )
        problems = self._problems(split, dev, learnt, held)
        with run:
            if progress:
                show(problems)
                self._watch(run)
            else:
                deque(run, maxlen=0)
            result = run.finish()
        gold = run.corpus.dev if run.corpus.is_measured_apart else ()
        return replace(self._settle(result, gold, margin), problems=problems)

    def predict(
        self,
        source: Any,
        *,
        probabilities: bool = False,
        batch_size: int | None = None,
        n_process: int = 1,
        progress: bool = False,
    ) -> Any:
        """Let the model label texts, in the same way as it makes suggestions.

        Parameters
        ----------
        source : path, DataFrame, or iterable of str, dict, Doc or Example
            Or a Dask DataFrame with a column ``text``: it is labelled lazily,
            on whatever cluster it lives (``pip install nbner[distributed]``).
        probabilities : bool
            Add each span's exact probability, calibrated once
            ``session.calibrate()`` has run. It takes another pass over the
            texts, and changes nothing else.
        batch_size, n_process : int, optional
            As in ``nlp.pipe``; they do not change what comes out.
        progress : bool
            Show a bar.

        Returns
        -------
        DataFrame
            One row a predicted span: ``example`` (position in the source),
            ``start`` and ``end`` (code points, half-open), ``token_start`` and
            ``token_end`` (half-open), ``text`` and ``label``, and
            ``probability`` where it was asked for: 0 for a span of more than
            64 tokens. A text without spans has no row.
            For a Dask DataFrame one of Dask, in which ``example`` is the row's
            label in the index, and without probabilities.

        Raises
        ------
        ModelError
            The model has not been trained, or a process that shares the work
            has died.
        DataError
            The source cannot be read.
        """
        import pandas as pd

        from nbner.nlp.dask import is_dask_frame, predict_lazily

        if is_dask_frame(source):
            return predict_lazily(self._nlp, source)
        from nbner._common.progress import counted
        from nbner.nlp.prediction import predict_docs

        # The pipeline reads a batch ahead; tee keeps only what it has read.
        ahead, examples, again = tee((unlabelled(row) for row in formats.read(source)), 3)
        docs = predict_docs(self._nlp, ahead, batch_size=batch_size, n_process=n_process)
        shown = counted(docs, "predicting") if progress else docs
        sure = self._confidences(again) if probabilities else (None for _ in again)
        rows = [
            (number, *row)
            for number, found in enumerate(zip(shown, examples, sure, strict=True))
            for row in _rows(*found)
        ]
        columns = [*PREDICTION_COLUMNS, *(["probability"] if probabilities else [])]
        return pd.DataFrame(rows, columns=columns)

    def evaluate(self, split: str = "dev") -> Evaluation:
        """Measure the model against the accepted examples of a split.

        Returns
        -------
        Evaluation
            ``f``, ``precision``, ``recall`` over exact spans, ``macro_f``,
            ``schemes`` (nervaluate's four), ``frame`` (a row a label),
            ``details`` (all counts, with intervals) and ``plot()``.

        Raises
        ------
        DataError
            Nothing is accepted in the split.
        ModelError
            The model has not been trained.
        """
        from nbner.evaluation.report import evaluated
        from nbner.evaluation.warnings import oddities
        from nbner.nlp.fingerprint import fingerprint
        from nbner.nlp.pipeline import labels_of
        from nbner.nlp.prediction import predict

        gold = self._gold(split)
        predicted = list(predict(self._nlp, gold))
        return evaluated(
            gold,
            predicted,
            labels=self.labels,
            split=split,
            fingerprint=fingerprint(self._nlp),
            notices=oddities(gold, predicted, known=labels_of(self._nlp)),
            seed=self.seed,
        )

    def _gold(self, split: str) -> list[Example]:
        """Give the complete gold of a split, or say that there is none."""
        gold = [one for one in self.examples(split, answer="accept") if not one.binary]
        if not gold:
            raise DataError(
                f"nothing is accepted in split {split!r}, so there is no gold to measure against",
                remedy=f"Add some with session.add(..., split={split!r}), or label there with "
                f"session.manual(split={split!r})",
            )
        return gold

    def _watch(self, run: Training) -> None:
        from nbner._common.plot_style import new_figure
        from nbner._common.progress import watch
        from nbner.training.plot import training_curve
        from nbner.training.report import curve_frame

        def draw(steps: Sequence[TrainingRecord]) -> Figure:
            figure = new_figure()
            training_curve(curve_frame(steps), ax=figure.subplots())
            return figure

        watch(
            run,
            epoch_words=sum(len(example.tokens) for example in run.corpus.train),
            most_epochs=run.config["training"]["max_epochs"],
            draw=draw,
        )


def _rows(doc: Doc, example: Example, confident: Confident | None) -> Iterator[tuple[Any, ...]]:
    """Give the row of each predicted span of one text, with its probability where it is known."""
    from nbner.nlp.prediction import places_of

    # Each time that a doc is asked for them, it makes its entities anew.
    entities = doc.ents
    for entity, place in zip(entities, places_of(entities, example), strict=True):
        start, end, label = entity.start_char, entity.end_char, entity.label_
        row = (start, end, *place, example.text[start:end], label)
        yield row if confident is None else (*row, confident(Span(start, end, label)))
