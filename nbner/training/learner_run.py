"""The run of one or several learners: a held-out part first, and all labels in the end.

::

    <output>/                          one learner, and dev gold was given: one run folder
    <output>/held-out/, all-labels/    one learner, and a part is held out
    <output>/crf/, distilled/, ner/    several learners; the one that is taken is kept
    <output>/all-labels/               and beside it the training on all labels
    <output>/note.txt                  where there are several folders: what each config is for

Each folder is a `RunFolder`: ``spacy train`` with its ``config.cfg`` gives the
weights of that run to the bit. The CRF is not trained by ``spacy train``.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, TypeAlias

from nbner._common.format import plural
from nbner.errors import NbnerError, TrainingError
from nbner.nlp import gold_docs
from nbner.nlp.pipeline import is_trained
from nbner.nlp.prediction import predict
from nbner.training import loop
from nbner.training.candidates import (
    DESCRIPTIONS,
    Candidate,
    CandidateScore,
    Learner,
    LearnerChoice,
    candidate_score,
    choose_learner,
)
from nbner.training.crf_run import CrfRun
from nbner.training.distillation import MAX_SILVER, silver_examples
from nbner.training.loop import TrainingRun
from nbner.training.records import TrainingStoppedError
from nbner.training.run_folder import (
    ALL_LABELS,
    BEST_MODEL,
    HELD_OUT,
    RECORD,
    RunFolder,
    read_record,
    write_record,
)

if TYPE_CHECKING:
    from types import TracebackType

    from spacy.language import Language
    from typing_extensions import Self

    from nbner.nlp.gold_docs import Corpus
    from nbner.training.records import TrainingRecord, TrainingResult
    from nbner.training.setup import Augmentation
    from nbner.types import Example, Span

_LOG = logging.getLogger(__name__)

_NOTE = "note.txt"
_ORDER: tuple[Candidate, ...] = ("crf", "distilled", "ner")

_Run: TypeAlias = "TrainingRun | CrfRun"


@dataclass(frozen=True, slots=True)
class TrainingData:
    """Data of a run.

    Parameters
    ----------
    base : Language
        The pipeline to start from; it is not changed.
    train_examples, dev_examples : tuple of Example
        As for `loop.train`.
    labels : tuple of str
        All labels of the session.
    pool : tuple of Example
        Texts without gold: the CRF clusters their words, and labels them for
        the distilled `ner`.
    seed : int
        Seed of the held-out part and of training.
    """

    base: Language
    train_examples: tuple[Example, ...]
    dev_examples: tuple[Example, ...]
    labels: tuple[str, ...]
    pool: tuple[Example, ...] = ()
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Stage:
    """One part of a run, as a progress bar shows it.

    Parameters
    ----------
    name : str
        Its description.
    max_steps, max_epochs : int
        Numbers of update steps and of passes over its training data, at most; 0
        for no limit.
    tokens_per_epoch : int
        Tokens in one pass over its training data.
    is_measured : bool
        Whether its evaluations are on examples that it does not learn from.
    """

    name: str
    max_steps: int = 0
    max_epochs: int = 0
    tokens_per_epoch: int = 0
    is_measured: bool = True


@dataclass(frozen=True, slots=True)
class _Finished:
    """A learner whose training without the held-out part has ended."""

    result: TrainingResult
    predicted: Sequence[Sequence[Span]] = field(repr=False)


class LearnerRun:
    """One training of one or several learners: iterate to train, then `finish`.

    Made by `train`.

    Parameters
    ----------
    data : TrainingData
        What is learnt from.
    output : Path
        The run's folder.
    learner : {"auto", "ner", "crf"}
        The learner, or all of them.
    refit : bool
        Train on all labels in the end, where a part is held out.
    features : sequence of str
        Outside features of the CRF.
    augment : {"swap", "none"}, optional
        For the CRF and for `ner`.
    options : mapping
        Options of `loop.train`, for `ner` alone.
    """

    def __init__(
        self,
        data: TrainingData,
        output: Path,
        *,
        learner: Learner = "ner",
        refit: bool = True,
        features: Sequence[str] = (),
        augment: Augmentation | None = None,
        options: Mapping[str, Any],
    ) -> None:
        self._data = data
        self._features = tuple(features)
        self._augment = augment
        self._options = dict(options)
        self._names: tuple[Candidate, ...] = _ORDER if learner == "auto" else (learner,)
        self.corpus = gold_docs.split_corpus(
            data.train_examples, data.dev_examples, data.labels, data.seed
        )
        gold_docs.require_learnable_spans(data.base, self.corpus.train)
        self._refits = refit and self.corpus.is_held_out
        self._folder = RunFolder(output)
        self._finished: dict[Candidate, _Finished] = {}
        self._failures: dict[Candidate, str] = {}
        self._teacher: CrfRun | None = None
        self._choice: LearnerChoice | None = None
        self._refit: TrainingResult | None = None
        self._refit_failure = ""
        self._is_complete = self._is_closed = False
        self._running: Candidate | None = None
        self.stage = Stage("training")
        self._prepared: dict[Candidate, _Run] = {}
        try:
            # At once, so that errors of the data and of the options are raised here.
            self._run: _Run | None = None
            if self._is_comparison:
                # The distilled one needs the CRF's model.
                for name in ("crf", "ner"):
                    self._prepare(name)
            else:
                self._run = self._first_run(self._names[0])
        except BaseException:
            self._folder.remove()
            raise
        self._records = self._steps()
        self._started = perf_counter()

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
        if not self._is_closed:
            self._folder.remove()

    @property
    def evaluations(self) -> list[TrainingRecord]:
        """The evaluations so far of the learner that is or was trained last."""
        return [] if self._run is None else self._run.evaluations

    @property
    def _is_comparison(self) -> bool:
        return len(self._names) > 1

    # The parts of the run.

    def _steps(self) -> Iterator[TrainingRecord]:
        for name in self._names:
            yield from self._train_one(name)
        if not self._finished:
            raise TrainingError(self._all_failed())
        self._choice = self._chosen()
        if self._refits:
            try:
                yield from self._train_on_all(self._choice.learner)
            except Exception as error:  # noqa: BLE001 - the model without the held-out part stays
                _LOG.debug("training on all labels failed", exc_info=True)
                self._refit_failure = _one_line(error)
        self._is_complete = True

    def _prepare(self, name: Candidate) -> None:
        """Prepare a learner of a comparison, which waits for its turn.

        Otherwise an option that does not fit would count as the failure of one
        learner, and the other would be taken without having been compared.

        Raises
        ------
        NbnerError
            An option or the data do not fit. Any other error is met again in the
            learner's turn, and leaves the other learners.
        """
        try:
            self._prepared[name] = self._first_run(name)
        except NbnerError:
            raise
        except Exception:  # noqa: BLE001 - see above
            _LOG.debug("preparing %s failed", name, exc_info=True)

    def _train_one(self, name: Candidate) -> Iterator[TrainingRecord]:
        """Train one learner without the dev examples; of several, one may fail."""
        self._running = name
        try:
            if self._is_comparison:
                self._run = None
                self._run = self._prepared.pop(name, None) or self._first_run(name)
            run = self._run
            assert run is not None  # noqa: S101 - for the type checker
            self.stage = _stage(DESCRIPTIONS[name], run)
            yield from run
            self._end(name, run)
        except Exception as error:
            if not self._is_comparison:
                raise
            # The other learners' models are worth having.
            _LOG.debug("training %s failed", name, exc_info=True)
            self._failures[name] = _one_line(error)
            self._running = None

    def _end(self, name: Candidate, run: _Run) -> None:
        """Save a learner's model, and keep what it finds in the dev examples."""
        result = run.finish()
        if isinstance(run, CrfRun):
            self._teacher = run
        predicted = list(predict(result.nlp, self.corpus.dev)) if self._is_comparison else []
        self._finished[name] = _Finished(result, predicted)
        self._running = None

    def _first_run(self, name: str) -> _Run:
        """Prepare a run that does not learn from the dev examples."""
        data = self._data
        if self._is_comparison:
            output = self._folder.path / name
        else:
            output = self._folder.path / HELD_OUT if self._refits else self._folder.path
        if name == "crf":
            return self._crf_run(self.corpus, output)
        return loop.train(
            data.base,
            data.train_examples,
            data.dev_examples,
            labels=data.labels,
            output=output,
            seed=data.seed,
            **self._own_options(name, self._teacher),
        )

    def _own_options(self, name: str, teacher: CrfRun | None) -> dict[str, Any]:
        if name == "ner":
            return {**self._options, "augment": self._augment}
        labelling = None if teacher is None else teacher.nlp
        silver = silver_examples(labelling, self._data.pool, self._data.seed)
        return {**self._options, "silver_examples": silver}

    def _crf_run(self, corpus: Corpus, output: Path) -> CrfRun:
        data = self._data
        return CrfRun(
            data.base,
            corpus,
            output,
            pool=data.pool,
            augment=self._augment,
            features=self._features,
            seed=data.seed,
            # On all labels no dev example is left that the model has not learnt from.
            decision=None if self._teacher is None else self._teacher.decision,
        )

    def _train_on_all(self, name: Candidate) -> Iterator[TrainingRecord]:
        """Train the learner that is taken on all labels, for as many steps as were best.

        The distilled `ner` is trained for all steps of its run.
        """
        data = self._data
        first = self._finished[name].result
        # The labelled texts of the pool keep a distilled one from overfitting: its F rises to the
        # end, and the best step on few held-out examples is an early one by chance.
        steps = first.steps if name == "distilled" else first.best.step + 1
        corpus = gold_docs.split_corpus(
            data.train_examples, self.corpus.dev, data.labels, data.seed
        )
        output = self._folder.path / ALL_LABELS
        description = f"{DESCRIPTIONS[name]} on all labels"
        teacher = None
        if name != "ner":
            crf_output = output if name == "crf" else self._folder.path / "teacher"
            teacher = self._crf_run(corpus, crf_output)
            self.stage = replace(_stage(description, teacher), is_measured=False)
            yield from teacher
        run: _Run
        if name == "crf":
            assert teacher is not None  # noqa: S101 - for the type checker
            run = teacher
        else:
            run = loop.train(
                data.base,
                data.train_examples,
                self.corpus.dev,
                labels=data.labels,
                output=output,
                seed=data.seed,
                fixed_steps=steps,
                **self._own_options(name, teacher),
            )
            self.stage = replace(_stage(description, run), is_measured=False)
            yield from run
        self._refit = run.finish()

    # The end.

    def finish(self) -> TrainingResult:
        """End the run, and return the model that is taken, with its record.

        After an interruption the best model so far is returned: the one that is
        trained on all labels only where that training has ended.

        Raises
        ------
        TrainingStoppedError
            Training was stopped before its first evaluation.
        TrainingError
            The disk is full. The run's folder has been removed.
        """
        try:
            self._finish_running()
            choice = self._choice = self._choice or self._chosen()
            first = self._finished[choice.learner].result
            final = self._refit or first
            record = {**final.record, **self._record(choice, first, final)}
            self._clean_up(first, final)
            with self._folder.guard_writes():
                write_record(final.path.parent, record)
        except BaseException:
            self._folder.remove()
            raise
        self._folder.release()
        self._is_closed = True
        return replace(
            final,
            best=first.best,
            evaluations=first.evaluations,
            steps=first.steps,
            seconds=record["seconds"],
            stopped=record["stopped"],
            n_train=record["data"]["train"],
            n_dev=first.n_dev,
            dev_source=first.dev_source,
            record=record,
        )

    def _finish_running(self) -> None:
        """Keep the best model so far of a learner whose training was interrupted."""
        name, run = self._running, self._run
        if name is None or run is None:
            if not self._finished:
                raise TrainingStoppedError
            return
        try:
            self._end(name, run)
        except TrainingError as error:
            if not self._finished:
                raise
            self._failures[name] = _one_line(error)

    def _chosen(self) -> LearnerChoice:
        if not self._is_comparison:
            return LearnerChoice(next(iter(self._finished)), "", {})
        predicted = {name: one.predicted for name, one in self._finished.items()}
        return choose_learner(
            self.corpus.dev,
            predicted,
            is_unseen=self.corpus.has_separate_dev,
            seed=self._data.seed,
        )

    def _record(
        self, choice: LearnerChoice, first: TrainingResult, final: TrainingResult
    ) -> dict[str, Any]:
        """Return what the record of a run says beside the record of its last part."""
        # Whether other learners could have been trained in place of this one.
        is_new = self._names == ("ner",) and not is_trained(self._data.base)
        if not self._is_comparison and not self._refits:
            return {"learner": choice.learner, "is_new": is_new}
        data = dict(first.record["data"])
        if choice.learner == "distilled":
            silver = min(len(self._data.pool), MAX_SILVER)
            data |= {"train": len(self.corpus.train), "silver": silver}
        record = {
            name: first.record[name] for name in ("best", "evaluations", "steps", "stopped")
        } | {
            "learner": choice.learner,
            "is_new": is_new,
            "seconds": round(perf_counter() - self._started, 3),
            "data": data,
        }
        if not self._is_complete:
            record["stopped"] = "by hand"
        if self._refits:
            record["refit"] = self._refit_record(final)
        if self._is_comparison:
            record |= {
                "choice": choice.reason,
                "candidates": [one.to_json() for one in self._scores(choice)],
            }
        return record

    def _refit_record(self, final: TrainingResult) -> dict[str, Any]:
        """Return the figures of the training on all labels, or why it has not ended."""
        if self._refit is None:
            return {"steps": 0, "note": self._refit_failure or "it was stopped by hand"}
        n = len(self.corpus.train) + len(self.corpus.dev)
        return {"steps": final.steps, "train": n, "seconds": final.seconds, "note": ""}

    def _scores(self, choice: LearnerChoice) -> list[CandidateScore]:
        found = []
        for name in self._names:
            if name in self._finished:
                one = self._finished[name]
                found.append(
                    candidate_score(
                        name,
                        self.corpus.dev,
                        one.predicted,
                        choice.f[name],
                        labels=self._data.labels,
                        seconds=one.result.seconds,
                        steps=one.result.best.step + 1 if name != "crf" else 0,
                    )
                )
            else:
                note = self._failures.get(name, "it was stopped by hand")
                found.append(CandidateScore(name, note=note))
        return found

    def _all_failed(self) -> str:
        reasons = "; ".join(
            f"{DESCRIPTIONS[name]}: {why.rstrip('.')}" for name, why in self._failures.items()
        )
        return f"no learner could be trained. The model in use stays. {reasons}."

    def _clean_up(self, first: TrainingResult, final: TrainingResult) -> None:
        """Remove the models that are not taken, and write what each config is for."""
        if final.path.parent == self._folder.path:
            return
        kept = {first.path.parent, final.path.parent}
        for one in self._folder.path.iterdir():
            if one not in kept:
                shutil.rmtree(one, ignore_errors=True)
        if first is not final:
            shutil.rmtree(first.path, ignore_errors=True)
        with self._folder.guard_writes():
            (self._folder.path / _NOTE).write_text(_note(first, final), encoding="utf-8")


def recovered_run(output: Path) -> tuple[Path, dict[str, Any]] | None:
    """Find the best model that a run had finished when its process died.

    Parameters
    ----------
    output : Path
        The run's folder.

    Returns
    -------
    (Path, dict) or None
        The model's folder, and its record. None where none was finished.
    """
    records = {
        file.parent / BEST_MODEL: read_record(file.parent)
        for name in (*reversed(_ORDER), HELD_OUT)
        if (file := output / name / RECORD).is_file()
    }
    found = {path: record for path, record in records.items() if path.is_dir()}
    if not found:
        return None
    path = max(found, key=lambda one: found[one]["best"]["f"] or 0.0)
    name = path.parent.name
    learner = name if name in _ORDER else found[path].get("learner", "ner")
    return path, {**found[path], "learner": learner, "stopped": "killed"}


def _stage(name: str, run: _Run) -> Stage:
    if isinstance(run, CrfRun):
        return Stage(name, max_steps=1)
    training = run.config["training"]
    return Stage(
        name,
        # spaCy numbers the first step 0, and stops after the one with the number of the limit.
        max_steps=training["max_steps"] and training["max_steps"] + 1,
        max_epochs=training["max_epochs"],
        tokens_per_epoch=sum(len(one.tokens) for one in run.corpus.train),
    )


def _note(first: TrainingResult, final: TrainingResult) -> str:
    """Describe the folders of a run: which config gave the F, and which one the model."""
    is_crf = not (final.path.parent / "config.cfg").exists()
    name, last = first.path.parent.name, final.path.parent.name
    if first is final:
        lines = [
            (
                f"{last}/  the model; {plural(first.n_dev, 'example was', 'examples were')} held "
                f"out or given to measure it"
            )
        ]
    else:
        lines = [
            (
                f"{name}/  trained without {plural(first.n_dev, 'held-out example')}; F and the "
                f"stopping step"
            ),
            f"{last}/  trained on all labels for {plural(final.steps, 'step')}: the model in use",
        ]
    lines.append(
        'The CRF is trained by session.train(learner="crf"), not by `spacy train`.'
        if is_crf
        else "`spacy train` with the config.cfg of a folder arrives at the weights of its model."
    )
    return "\n".join([*lines, ""])


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
