"""Training in a process of its own, while the notebook goes on.

The process ends early, with the best model so far, when its standard input is
closed: by ``stop``, and by the death of whoever started it.
"""

from __future__ import annotations

import json
import logging
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from nbner._common.alignment import tokens_from_offsets
from nbner._common.format import format_number
from nbner._common.result import FigureResult
from nbner.errors import ModelError
from nbner.nlp import subprocess_job
from nbner.nlp.pipeline import choose_recognizer, load_base, loadable_from, recognizer_of
from nbner.training.learner_run import recovered_run
from nbner.training.learners import train
from nbner.training.records import TrainingRecord, TrainingResult, TrainingStoppedError
from nbner.training.report import TrainingReport, curve_frame, training_curve
from nbner.types import ACCEPTED_UNSEEN, Example, Span

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from spacy.language import Language

_LOG = logging.getLogger(__name__)

PROGRESS = "progress.json"
_JOB = "nbner.training.background:run_training_job"


TrainingState: TypeAlias = Literal["running", "stopping", "done", "stopped", "failed"]


class BackgroundRun:
    """A training run in another process.

    Parameters
    ----------
    base : Language
        The pipeline to start from; it is not changed.
    train_examples, dev_examples : sequence of Example
        Examples to train on and to evaluate on.
    labels : sequence of str
        All labels of the session.
    output : Path
        The run's folder; it must not exist, or be reserved.
    seed : int
        Seed of the run.
    freeze : bool
        Train the recognizer's last layer alone.
    pool : sequence of Example
        As for `nbner.training.learners.train`.
    rehearsal_examples : sequence of Example, optional
        As for `nbner.training.loop.train`.
    options : mapping
        Other options of `nbner.training.learners.train`, as JSON can hold them.
    """

    def __init__(
        self,
        base: Language,
        train_examples: Sequence[Example],
        dev_examples: Sequence[Example],
        *,
        labels: Sequence[str],
        output: Path,
        seed: int,
        freeze: bool = False,
        pool: Sequence[Example] = (),
        rehearsal_examples: Sequence[Example] | None = None,
        options: Mapping[str, Any],
    ) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="nbner-"))
        self._output = output
        self._process: subprocess.Popen[bytes] | None = None
        self._is_stopping = False
        try:
            origin = loadable_from(base)
            if origin is None:
                origin = str(self._folder / "base")
                base.to_disk(origin)
            recognizer = recognizer_of(base)
            job = {
                "base": origin,
                "recognizer": None if recognizer is None else recognizer[0],
                "train": [example_to_json(one) for one in train_examples],
                "dev": [example_to_json(one) for one in dev_examples],
                "pool": [example_to_json(one) for one in pool],
                "rehearse": None
                if rehearsal_examples is None
                else [example_to_json(one) for one in rehearsal_examples],
                "labels": list(labels),
                "output": str(output),
                "options": {"seed": seed, "freeze": freeze, **options},
            }
            self._process = subprocess_job.start_job(self._folder, _JOB, job, stdin=subprocess.PIPE)
        except BaseException:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise

    @property
    def pid(self) -> int:
        """The process id."""
        return self._running.pid

    @property
    def is_stopping(self) -> bool:
        """Whether `stop` was called."""
        return self._is_stopping

    @property
    def evaluations(self) -> list[TrainingRecord]:
        """All evaluations so far."""
        path = self._folder / PROGRESS
        if not path.exists():
            return []
        return [TrainingRecord(**one) for one in json.loads(path.read_text(encoding="utf-8"))]

    def stop(self) -> None:
        """End the run early, with the best model so far."""
        self._is_stopping = True
        self._close_input()

    def cancel(self) -> None:
        """End the run at once, without a model, and remove its folder."""
        self._running.kill()
        self._running.wait()
        self._close_input()
        shutil.rmtree(self._output, ignore_errors=True)
        shutil.rmtree(self._folder, ignore_errors=True)

    def wait(self) -> TrainingResult:
        """Wait for the end of the process, and load the best model.

        Where the process has died, the best model that it had finished is loaded.

        Raises
        ------
        TrainingStoppedError
            The run was stopped before its first evaluation.
        NbnerError
            The run has failed; its folder has been removed.
        """
        self._running.wait()
        self._close_input()
        try:
            path, record = self._read_result()
            return TrainingResult.from_record(path, load_base(path), record)
        except BaseException:
            shutil.rmtree(self._output, ignore_errors=True)
            raise
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _read_result(self) -> tuple[Path, dict[str, Any]]:
        try:
            result = subprocess_job.read_result(self._folder)
        except ModelError:
            found = recovered_run(self._output)
            if found is None:
                raise
            return found
        if result is None:
            raise TrainingStoppedError
        return Path(result["path"]), result["record"]

    @property
    def _running(self) -> subprocess.Popen[bytes]:
        assert self._process is not None  # noqa: S101 - for the type checker: it was started
        return self._process

    def _close_input(self) -> None:
        stdin = self._running.stdin
        assert stdin is not None  # noqa: S101 - for the type checker: it is a pipe
        with suppress(OSError):
            stdin.close()


class BackgroundTraining(FigureResult):
    """A training run in another process; labelling goes on meanwhile.

    Suggestions come from the new model as soon as ``state`` is "done", or
    "stopped" with a ``report``.

    ``plot()`` draws dev F and the loss so far.

    Parameters
    ----------
    run : BackgroundRun
        The run in its process.
    finish : callable
        Waits for the end, uses the model, and returns the report.
    """

    def __init__(self, run: BackgroundRun, finish: Callable[[], TrainingReport]) -> None:
        self._run = run
        self._finish = finish
        self._report: TrainingReport | None = None
        self.error: Exception | None = None
        self._thread = threading.Thread(target=self._follow, name="nbner-training", daemon=True)
        self._thread.start()

    @property
    def state(self) -> TrainingState:
        """The state of the run.

        "running"; "stopping" after `stop`, until the process has ended; "done";
        "stopped", ended by `stop` with the best model so far in ``report``, or
        before its first evaluation and without one; "failed", see ``error``.
        """
        if self._report is not None:
            return "stopped" if self._report.stopped == "by hand" else "done"
        if self.error is not None:
            return "stopped" if isinstance(self.error, TrainingStoppedError) else "failed"
        return "stopping" if self._run.is_stopping else "running"

    @property
    def report(self) -> TrainingReport | None:
        """The report of a run that has ended with a model; None before, and without one."""
        return self._report

    @property
    def frame(self) -> pd.DataFrame:
        """One row an evaluation so far; see ``TrainingReport.frame``."""
        return curve_frame(self._evaluations())

    def wait(self, timeout: float | None = None) -> TrainingReport:
        """Wait for the end, and return the report.

        Parameters
        ----------
        timeout : float, optional
            Seconds to wait at most; by default without a limit.

        Raises
        ------
        TimeoutError
            The run goes on.
        TrainingError
            The run was stopped before its first evaluation.
        NbnerError
            The run has failed.
        """
        self._thread.join(timeout)
        if self.error is not None:
            raise self.error
        if self._report is None:
            msg = f"training is still running after {timeout:,.0f} s"
            raise TimeoutError(msg)
        return self._report

    def stop(self) -> None:
        """End the run with the best model so far, which comes into use as after any run."""
        self._run.stop()

    def _draw(self, ax: Axes | None) -> Axes:
        return training_curve(self.frame, ax=ax)

    def __repr__(self) -> str:
        if self._report is not None:
            return str(self._report)
        if isinstance(self.error, TrainingStoppedError):
            return f"Stopped by hand: {self.error}"
        if self.error is not None:
            return f"Training failed: {self.error} The model in use has stayed."
        seen = [one.f for one in self._evaluations() if one.f is not None]
        so_far = f", best dev F so far {format_number(max(seen), 3)}" if seen else ""
        if self.state == "stopping":
            return f"Training is being stopped{so_far}; .wait() for the best model so far"
        return f"Training goes on in another process{so_far}; .wait() for the end, or .stop()"

    def _repr_html_(self) -> str:
        lines = "".join(f"<div>{escape(line)}</div>" for line in repr(self).splitlines())
        return f"<div>{lines}</div>"

    def _evaluations(self) -> Sequence[TrainingRecord]:
        if self._report is not None:
            return self._report.evaluations
        return self._run.evaluations

    def _follow(self) -> None:
        # An exception of a thread is shown nowhere: it is kept for `wait` and the cell.
        try:
            self._report = self._finish()
        except Exception as error:  # noqa: BLE001 - shown by `wait` and in the cell
            _LOG.debug("training in the background failed", exc_info=True)
            self.error = error


def run_training_job(folder: Path, job: Mapping[str, Any]) -> dict[str, Any] | None:
    """Train in a new Python process, as a job describes it.

    Parameters
    ----------
    folder : Path
        Folder of the job, for the file with the evaluations so far.
    job : mapping
        Base, examples and options, as `BackgroundRun` writes them.

    Returns
    -------
    dict or None
        ``path`` of the best model, and the ``record`` of the run; None where it
        was stopped before its first evaluation.
    """
    stop = _StopSignal()
    try:
        with stop.interrupting():
            base = load_base(job["base"])
            if job["recognizer"] is not None:
                choose_recognizer(base, job["recognizer"])
            run = train(
                base,
                [example_from_json(one) for one in job["train"]],
                [example_from_json(one) for one in job["dev"]],
                labels=job["labels"],
                output=Path(job["output"]),
                pool=[example_from_json(one) for one in job["pool"]],
                rehearsal_examples=None
                if job["rehearse"] is None
                else [example_from_json(one) for one in job["rehearse"]],
                **job["options"],
            )
    except KeyboardInterrupt:
        shutil.rmtree(job["output"], ignore_errors=True)
        return None
    with run:
        with suppress(KeyboardInterrupt), stop.interrupting():
            for record in run:
                if record.is_best is not None:
                    evaluations = [asdict(one) for one in run.evaluations]
                    subprocess_job.write_json(folder / PROGRESS, evaluations)
        # From here on no signal cuts off the writing of the model.
        try:
            result = run.finish()
        except TrainingStoppedError:
            return None
    return {"path": str(result.path), "record": result.record}


class _StopSignal:
    """Interrupts this process when its standard input is closed, but only where that is allowed."""

    def __init__(self) -> None:
        self.is_set = False
        self._may_interrupt = False
        # A process inherits that interrupts are ignored.
        signal.signal(signal.SIGINT, self._handle)
        threading.Thread(target=_interrupt_at_end_of_input, daemon=True).start()

    @contextmanager
    def interrupting(self) -> Iterator[None]:
        """Raise ``KeyboardInterrupt`` inside of the block, and at its start where it came before.

        Raises
        ------
        KeyboardInterrupt
            The input was closed.
        """
        try:
            self._may_interrupt = True
            if self.is_set:
                raise KeyboardInterrupt
            yield
        finally:
            self._may_interrupt = False

    def _handle(self, *_: object) -> None:
        self.is_set = True
        if self._may_interrupt:
            self._may_interrupt = False
            raise KeyboardInterrupt


def _interrupt_at_end_of_input() -> None:
    import _thread

    sys.stdin.read()
    _thread.interrupt_main()


def example_to_json(example: Example) -> dict[str, Any]:
    """Serialize an example for a training in another process.

    Parameters
    ----------
    example : Example
        Its tokens are kept where they were imported with the text.
    """
    return {
        "text": example.text,
        "tokens": [(t.start, t.end) for t in example.tokens] if example.pretokenized else None,
        "spans": [(span.start, span.end, span.label) for span in example.spans],
        "labels": example.labels,
        "answer": example.answer,
        "binary": example.binary,
        "accepted_unseen": example.accepted_unseen,
    }


def example_from_json(plain: Mapping[str, Any]) -> Example:
    """Parse an example that `example_to_json` has serialized.

    Parameters
    ----------
    plain : mapping
        The serialized example.
    """
    text, tokens, labels = plain["text"], plain["tokens"], plain["labels"]
    return Example(
        text,
        tokens=()
        if tokens is None
        else tokens_from_offsets(text, [(start, end) for start, end in tokens]),
        spans=tuple(Span(*span) for span in plain["spans"]),
        labels=None if labels is None else tuple(labels),
        answer=plain["answer"],
        binary=plain["binary"],
        extra={ACCEPTED_UNSEEN: True} if plain.get("accepted_unseen") else {},
        pretokenized=tokens is not None,
    )
