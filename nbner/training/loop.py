"""Training with spaCy's own loop, as an iterator of records; display and stopping are the caller's.

::

    with train(base, examples, dev, labels=labels, output=folder) as training:
        for record in training:   # one record a step
            ...
        result = training.finish()

The loop may be left at any moment, by ``break`` or by the notebook's stop
button: ``finish`` then returns the best model so far. Without ``finish`` the
run's folder is removed. The base pipeline is never changed.

The same seed and data give the same weights to the bit, also where ``spacy
train`` is given the saved config.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import datetime, timezone
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, TypeAlias

from spacy.training import loop

from nbner.decoding.decision.component import without_decision
from nbner.errors import TrainingError
from nbner.nlp import gold_docs
from nbner.nlp.config import MAX_EPOCHS
from nbner.nlp.fingerprint import fingerprint
from nbner.nlp.pipeline import is_trained, load_base
from nbner.training.device import TrainingDevice, allocator_of
from nbner.training.freezing import check_frozen
from nbner.training.initialization import complete_with_pipeline, pipeline_annotations
from nbner.training.overrides import read_overrides
from nbner.training.records import StopReason, TrainingRecord, TrainingResult, TrainingStoppedError
from nbner.training.run_folder import RunFolder, library_versions
from nbner.training.setup import Augmentation, PreparedRun, TrainingOptions, prepare_run

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from types import TracebackType

    from spacy.language import Language
    from thinc.api import Config
    from typing_extensions import Self

    from nbner.training.overrides import ConfigSource
    from nbner.types import Example

#: How often gold is learnt beside texts that another model has labelled.
GOLD_COPIES = 2

# Passes over gold and such texts: on protocols, 100 sentences and 800 texts, F is .535 after
# 2 passes, .541 after 3, .546 after 9 and .538 after 14.
_SILVER_EPOCHS = 6

#: One step of spaCy's loop: its batch, its figures, and whether its evaluation is the best so far.
Step: TypeAlias = tuple[Any, dict[str, Any], bool | None]


def train(
    base: Language | str | Path,
    train_examples: Iterable[Example],
    dev_examples: Iterable[Example] = (),
    *,
    labels: Sequence[str],
    output: Path,
    seed: int = 0,
    max_epochs: int | None = None,
    max_steps: int | None = None,
    patience: int | None = None,
    eval_frequency: int | None = None,
    dropout: float | None = None,
    config: ConfigSource | None = None,
    vectors: str | Path | None = None,
    init_from: str | Path | None = None,
    freeze: bool = False,
    rehearsal_examples: Iterable[Example] | None = None,
    silver_examples: Iterable[Example] = (),
    gpu_id: int | None = None,
    fixed_steps: int | None = None,
    augment: Augmentation | None = None,
) -> TrainingRun:
    """Prepare a training run; iterating over it trains.

    Parameters
    ----------
    base : Language, str or Path
        A pipeline, or an argument of `load_base`. An untrained recognizer is
        trained from scratch, a trained one from its weights, with new labels
        added; the other components stay as they are. A decision by expected F is
        left out.
    train_examples, dev_examples : iterable of Example
        Accepted ones are complete gold; spans of rejected and binary training
        examples are learnt too. Without dev gold a seeded fifth of the training
        examples is held out.
    labels : sequence of str
        All labels of the session.
    output : Path
        The run's folder, which must not exist; see `RunFolder`.
    seed : int
        Seed of the held-out part and of training.
    max_epochs, max_steps : int, optional
        0 for no limit.
    patience : int, optional
        Evaluations without a gain after which training stops; 0 for never.
    eval_frequency : int, optional
        Steps between evaluations; about an epoch by default.
    dropout : float, optional
        Between 0 and 1, 1 excluded.
    config : mapping, str or Path, optional
        Overrides of the run's spaCy config; see `overrides.read_overrides`. The
        options above go before them.
    vectors : str or Path, optional
        A pipeline whose word vectors a new recognizer uses.
    init_from : str or Path, optional
        A trained pipeline whose token-to-vector layers a new recognizer starts from.
    freeze : bool
        Train the weights of the recognizer's last layer alone. ``spacy train``
        has no such option: it would train them all.
    rehearsal_examples : iterable of Example, optional
        Examples to train on beside the training examples; they are never
        evaluated on. With any, and with an empty list too, the base also labels
        the training examples: it adds its spans of the labels that the answers
        could not give.
    silver_examples : iterable of Example
        Texts that another model has labelled: accepted examples to train on
        beside the training examples, which then count twice. They are never
        evaluated on. By default there are 6 passes over all in place of 30.
    gpu_id : int, optional
        Number of a GPU, or -1 for the CPU, as for ``spacy train --gpu-id``. By
        default the processor in use.
    fixed_steps : int, optional
        Train for this many update steps, at least 2, and keep the last weights
        in place of the best; other limits do not count.
    augment : {"swap", "none"}, optional
        "swap": train on two copies of each sentence too, with their mentions
        exchanged within a type.

    Raises
    ------
    TrainingError
        Nothing to train on (see `gold_docs.split_corpus`), no folder to write
        to, no such GPU, or an option or override that does not fit, which is
        named.
    ModelError
        The base cannot be loaded.
    """
    # A decision is chosen for the weights that it was measured on.
    base = without_decision(load_base(base) if isinstance(base, (str, Path)) else base)
    corpus = gold_docs.split_corpus(list(train_examples), list(dev_examples), labels, seed)
    gold_docs.require_learnable_spans(base, corpus.train)
    found = pipeline_annotations(base, (*corpus.train, *corpus.dev))
    corpus = replace(corpus, pipeline=found)
    if rehearsal_examples is not None:
        corpus = complete_with_pipeline(corpus, found)
    silver = tuple(silver_examples)
    gold = corpus.train * (GOLD_COPIES if silver else 1)
    corpus = replace(corpus, train=(*gold, *(rehearsal_examples or ()), *silver))
    requested = TrainingOptions(
        max_epochs=max_epochs,
        max_steps=max_steps,
        patience=patience,
        eval_frequency=eval_frequency,
        dropout=dropout,
        overrides=read_overrides(config),
        vectors=vectors,
        init_from=init_from,
        freeze=freeze,
        fixed_steps=fixed_steps,
        augment=augment,
        default_max_epochs=_SILVER_EPOCHS if silver else MAX_EPOCHS,
    )
    if freeze and not is_trained(base):
        raise TrainingError(
            "only the last layer is to be trained, and the model has not learnt anything yet. Call "
            "session.train() first, or give a trained pipeline: Session(..., model=...)."
        )
    device = TrainingDevice(gpu_id, allocator=allocator_of(base))
    folder = RunFolder(Path(output))
    try:
        with device:
            prepared = prepare_run(base, corpus, folder, seed=seed, options=requested)
        return TrainingRun(prepared, folder, device)
    except BaseException:
        folder.remove()
        raise


class TrainingRun:
    """One run: iterate to train, then `finish`. Made by `train`.

    Parameters
    ----------
    prepared : PreparedRun
        Pipeline, config and training data.
    folder : RunFolder
        Takes the best model.
    device : TrainingDevice
        Computes every step.
    """

    def __init__(self, prepared: PreparedRun, folder: RunFolder, device: TrainingDevice) -> None:
        self._device = device
        self.evaluations: list[TrainingRecord] = []
        self._prepared = prepared
        self._folder = folder
        self._last: TrainingRecord | None = None
        self._exhausted = False
        self._finished = False
        self._loop = _spacy_loop(prepared)
        self._records = self._steps()

    def __iter__(self) -> Iterator[TrainingRecord]:
        return self

    def __next__(self) -> TrainingRecord:
        return next(self._records)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if not self._finished:
            self._folder.remove()

    @property
    def best(self) -> TrainingRecord | None:
        """The best evaluation so far; its model is on disk."""
        step = self._folder.best_step
        return next((one for one in self.evaluations if one.step == step), None)

    @property
    def config(self) -> Config:
        """The run's config, as ``spacy train`` takes it."""
        return self._prepared.config

    @property
    def corpus(self) -> gold_docs.Corpus:
        """The examples that are trained and evaluated on."""
        return self._prepared.corpus

    def finish(self) -> TrainingResult:
        """End the run, and return the best model with its record.

        Raises
        ------
        TrainingStoppedError
            Training was stopped before its first evaluation.
        TrainingError
            The disk is full. The run's folder has been removed.
        """
        best = self.best
        if best is None:
            self._folder.remove()
            raise TrainingStoppedError
        try:
            path = self._folder.finalize_best()
            nlp = load_base(path)
            _check_trained(nlp)
            if self._prepared.frozen_weights is not None:
                check_frozen(self._prepared.frozen_weights, nlp, self._prepared.recognizer)
            record = self._record(best, fingerprint(nlp))
            self._folder.write_record(self.config, record)
        except BaseException:
            self._folder.remove()
            raise
        self._finished = True
        return TrainingResult.from_record(path, nlp, record)

    def _steps(self) -> Iterator[TrainingRecord]:
        start = perf_counter()
        evaluated_at = 0
        while True:
            with self._device, self._prepared.random_state:
                step = next(self._loop, None)
            if step is None:
                self._exhausted = True
                return
            _, info, is_best = step
            words = info["words"] - evaluated_at
            loss = info["losses"].get(self._prepared.recognizer, 0.0) / max(1, words)
            seconds = perf_counter() - start
            record = TrainingRecord.from_step(info, is_best=is_best, loss=loss, seconds=seconds)
            if is_best is not None:
                evaluated_at = info["words"]
                # First: an interrupt may leave an evaluation without its model on disk,
                # which `best` passes over, but never a model without its evaluation.
                self.evaluations.append(record)
                if is_best:
                    self._keep(info)
            self._last = record
            yield record

    def _keep(self, info: dict[str, Any]) -> None:
        nlp, settings = self._prepared.nlp, self._prepared.settings
        loop.update_meta(settings, nlp, info)
        with nlp.use_params(settings["optimizer"].averages):
            self._folder.save_checkpoint(nlp, info["step"])

    def _stopped(self, last: TrainingRecord) -> StopReason:
        settings = self._prepared.settings
        if not self._exhausted:
            return "by hand"
        if settings["max_steps"] and last.step >= settings["max_steps"]:
            return "max steps"
        gained = max(self.evaluations, key=lambda one: (one.f or 0.0, -one.step))
        waited = last.step - gained.step
        return "no gain" if 0 < settings["patience"] <= waited else "max epochs"

    def _record(self, best: TrainingRecord, model: str) -> dict[str, Any]:
        prepared, corpus, last = self._prepared, self.corpus, self._last or best
        return {
            "created": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            "fingerprint": model,
            "base": prepared.base_fingerprint,
            "seed": prepared.settings["seed"],
            "labels": list(corpus.labels),
            "best": asdict(best),
            "steps": last.step + 1,
            "seconds": last.seconds,
            "stopped": self._stopped(last),
            "gpu_id": self._device.gpu_id,
            "recognizer": prepared.recognizer,
            "other_recognizers": list(prepared.other_recognizers),
            "last_layer": prepared.frozen_weights is not None,
            "data": {
                "fingerprint": corpus.fingerprint,
                "train": len(corpus.train),
                "partial": corpus.missing_label_count,
                "hints": len(corpus.partial_examples),
                "dev": len(corpus.dev),
                "dev_source": corpus.dev_source,
            },
            "evaluations": [asdict(one) for one in self.evaluations],
            "versions": library_versions(),
            "config": prepared.config.to_str(),
        }


def _check_trained(nlp: Language) -> None:
    if not is_trained(nlp):
        raise TrainingError(
            "the run has learnt no label, so there is no new model. The one in use stays; "
            "session.quality.data_warnings() lists what is wrong with the data."
        )


def _spacy_loop(prepared: PreparedRun) -> Iterator[Step]:
    nlp, settings = prepared.nlp, prepared.settings
    batches = loop.create_train_batches(
        nlp, lambda _: prepared.train, settings["batcher"], settings["max_epochs"]
    )
    evaluate = loop.create_evaluation_callback(
        nlp, lambda _: prepared.dev, settings["score_weights"]
    )
    steps: Iterator[Step] = loop.train_while_improving(
        nlp,
        settings["optimizer"],
        batches,
        evaluate,
        dropout=settings["dropout"],
        accumulate_gradient=settings["accumulate_gradient"],
        patience=settings["patience"],
        max_steps=settings["max_steps"],
        eval_frequency=settings["eval_frequency"],
        exclude=settings["frozen_components"],
        annotating_components=settings["annotating_components"],
        before_update=settings["before_update"],
    )
    return steps
