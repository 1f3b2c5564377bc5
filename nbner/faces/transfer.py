"""More labels, ways of training side by side, and whether more labelling is worth it."""

from __future__ import annotations

import tempfile
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbner.errors import DataError
from nbner.faces.retraining import Retraining
from nbner.types import Example

if TYPE_CHECKING:
    from nbner.training.comparison import LearningCurve, TrainingComparison, Tried
    from nbner.training.initialization import How

WAYS: tuple[How, ...] = ("scratch", "continue", "last layer", "rehearsal")
SHARES = (0.1, 0.2, 0.4, 0.7, 1.0)
SEEDS = 3


class Transferring(Retraining):
    """Extend a trained model, and find out how best to train."""

    def add_labels(self, labels: Iterable[str]) -> tuple[str, ...]:
        """Add entity types; a trained model's output layer gets room for them.

        The model predicts as before until it is trained again. Examples that
        were answered before count as *missing* for the new labels, not as
        without them. Widgets that are open offer the labels at once.

        Parameters
        ----------
        labels : iterable of str
            Those that the session has already are passed over.

        Returns
        -------
        tuple of str
            All labels, in the order of their keys.

        Raises
        ------
        DataError
            A label is empty, or this is a text and not a list.
        """
        from nbner.nlp.pipeline import is_trained
        from nbner.training.initialization import resized

        asked = [labels] if isinstance(labels, str) else list(labels)
        bad = [one for one in asked if not isinstance(one, str) or not one.strip()]
        if bad or isinstance(labels, str):
            raise DataError(
                f"{(bad or asked)[0]!r} is not a list of labels",
                field="labels",
                remedy='Give names in a list: session.add_labels(["Device"])',
            )
        grown = tuple(dict.fromkeys((*self.labels, *asked)))
        new = grown[len(self.labels) :]
        if new:
            nlp = resized(self._nlp, new) if is_trained(self._nlp) else None
            self._dataset.set_labels(grown)
            self._show_labels()
            if nlp is not None:
                self._grown_from = self._grown_from or self._nlp
                self._nlp = nlp
        return grown

    def compare_training(
        self,
        hows: Sequence[How] = WAYS,
        split: str = "train",
        dev: str = "dev",
        *,
        seeds: int = SEEDS,
        max_epochs: int | None = None,
        patience: int | None = None,
        progress: bool = True,
    ) -> TrainingComparison:
        """Train in several ways on the same data and split, to answer "resize or retrain?".

        The models are measured and thrown away; the one in use stays. The stop
        button keeps what has been measured so far.

        Parameters
        ----------
        hows : sequence of {"scratch", "continue", "last layer", "rehearsal"}
            See ``train``.
        split, dev : str
        seeds : int
            Runs a way, each with another seed.
        max_epochs, patience : int, optional
            See ``train``.
        progress : bool

        Returns
        -------
        TrainingComparison
            ``verdict``, ``frame`` (F per old and per new label, with intervals
            over the seeds, and time) and ``plot()``.

        Raises
        ------
        TrainingError
            Nothing to train on, an unknown way, or one that starts from what
            was learnt when nothing was.
        """
        from nbner.nlp.pipeline import labels_of
        from nbner.training.comparison import TrainingComparison

        examples, measured, _ = self._data(split, dev)
        for how in hows:
            self._start_of(how)
        jobs = [(how, self.seed + i, examples) for i in range(seeds) for how in hows]
        runs = self._try_all(
            jobs, split, measured, progress, max_epochs=max_epochs, patience=patience
        )
        before = labels_of(self._grown_from or self._nlp)
        known = tuple(label for label in self.labels if label in before)
        new = tuple(label for label in self.labels if label not in before)
        return TrainingComparison(tuple(runs), known, new)

    def learning_curve(
        self,
        shares: Sequence[float] = SHARES,
        split: str = "train",
        dev: str = "dev",
        *,
        seeds: int = SEEDS,
        more: int | None = None,
        max_epochs: int | None = None,
        patience: int | None = None,
        progress: bool = True,
    ) -> LearningCurve:
        """Measure F at growing shares of the labels, to see whether more labelling is worth it.

        Each seed draws its own order of the examples; a larger share holds the
        smaller ones. All are measured on the same dev examples.

        Parameters
        ----------
        shares : sequence of float
            Between 0 and 1.
        split, dev : str
        seeds : int
        more : int, optional
            Examples of the next batch; by default a fifth of those there are.
        max_epochs, patience : int, optional
            See ``train``.
        progress : bool

        Returns
        -------
        LearningCurve
            ``verdict``, ``frame``, ``gains`` (the extrapolated gain of the next
            batch, per label, with intervals) and ``plot()``.

        Raises
        ------
        DataError
            A share is not above 0 and at most 1.
        TrainingError
            Nothing to train on.
        """
        from nbner.nlp.gold_docs import nested
        from nbner.training.comparison import LearningCurve

        bad = [one for one in shares if not 0 < one <= 1]
        if bad or not shares:
            raise DataError(
                f"{bad[0] if bad else 'nothing'} is not a share",
                field="shares",
                remedy="Give numbers above 0 and at most 1, such as shares=(0.25, 0.5, 1.0)",
            )
        examples, measured, source = self._data(split, dev)
        jobs: list[tuple[How | None, int, Sequence[Example]]] = [
            (None, seed, part)
            for seed in range(self.seed, self.seed + seeds)
            for part in nested(examples, shares, seed)
        ]
        runs = self._try_all(
            jobs, split, measured, progress, max_epochs=max_epochs, patience=patience
        )
        batch = max(1, len(examples) // 5) if more is None else more
        return LearningCurve(tuple(runs), batch, source)

    def _data(self, split: str, dev: str) -> tuple[Sequence[Example], Sequence[Example], str]:
        """Fix what is learnt from and what is measured on, for all runs of a comparison."""
        from nbner.nlp.gold_docs import choose

        train, measured = self._learnt_and_held(split, dev)
        corpus = choose(train, measured, self.labels, self.seed)
        return corpus.train, corpus.dev, corpus.dev_source

    def _try_all(
        self,
        jobs: Sequence[tuple[How | None, int, Sequence[Example]]],
        split: str,
        measured: Sequence[Example],
        progress: bool,  # noqa: FBT001 - passed on
        **wishes: Any,
    ) -> list[Tried]:
        """Run the jobs; the stop button keeps those that are whole."""
        from nbner._common.progress import until_stopped

        def runs() -> Iterator[Tried]:
            for how, seed, examples in jobs:
                yield self._try(how, seed, split, examples, measured, **wishes)

        return until_stopped(runs(), len(jobs), "training", shown=progress)

    def _try(
        self,
        how: How | None,
        seed: int,
        split: str,
        examples: Sequence[Example],
        measured: Sequence[Example],
        **wishes: Any,
    ) -> Tried:
        """Train once, measure, and leave nothing behind."""
        from nbner.evaluation.scores import score
        from nbner.nlp.prediction import predict
        from nbner.training.comparison import Tried

        with tempfile.TemporaryDirectory(prefix="nbner-") as folder:
            run = self._begin(
                how,
                split,
                examples,
                measured,
                seed=seed,
                output=Path(folder) / "run",
                **wishes,
            )
            with run:
                deque(run, maxlen=0)
                result = run.finish()
            measure = score(
                [one.spans for one in measured],
                list(predict(result.nlp, measured)),
                labels=self.labels,
                known=[one.labels for one in measured],
            )
        return Tried(how or "as given", seed, len(examples), result.seconds, measure)
