"""A training run that goes on elsewhere, as a value to look at and to wait for."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from html import escape
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

from nbner._common.format import format_number
from nbner._common.result import Result
from nbner.training.report import TrainingReport, curve_frame

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from nbner.training.records import TrainingRecord

_LOG = logging.getLogger(__name__)

TrainingState: TypeAlias = Literal["running", "done", "failed"]


class TrainingProcess(Protocol):
    """A run in another process."""

    @property
    def evaluations(self) -> Sequence[TrainingRecord]:
        """All evaluations so far."""

    def stop(self) -> None:
        """Ask for the end, with the best model so far."""


class BackgroundTraining(Result):
    """A training run in another process; labelling goes on meanwhile.

    Suggestions change over at the moment when ``state`` becomes "done".

    Parameters
    ----------
    run : TrainingProcess
    finish : callable
        Waits for the end, puts the model in place, and reports.
    """

    def __init__(self, run: TrainingProcess, finish: Callable[[], TrainingReport]) -> None:
        self._run = run
        self._finish = finish
        self._report: TrainingReport | None = None
        self.error: Exception | None = None
        self._thread = threading.Thread(target=self._follow, name="nbner-training", daemon=True)
        self._thread.start()

    @property
    def state(self) -> TrainingState:
        """Whether it is running, done, or failed (see ``error``)."""
        if self._report is not None:
            return "done"
        return "running" if self.error is None else "failed"

    @property
    def report(self) -> TrainingReport | None:
        """The report, once it is done."""
        return self._report

    @property
    def frame(self) -> pd.DataFrame:
        """One row an evaluation so far; see ``TrainingReport.frame``."""
        return curve_frame(self._evaluations())

    def wait(self, timeout: float | None = None) -> TrainingReport:
        """Wait for the end, and give the report.

        Parameters
        ----------
        timeout : float, optional
            Seconds.

        Raises
        ------
        TimeoutError
            It is still running.
        NbnerError
            It has failed.
        """
        self._thread.join(timeout)
        if self.error is not None:
            raise self.error
        if self._report is None:
            msg = f"training is still running after {timeout:,.0f} s"
            raise TimeoutError(msg)
        return self._report

    def stop(self) -> None:
        """End it with the best model so far, which is then put in place as always."""
        self._run.stop()

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw dev F and the loss so far."""
        from nbner.training.plot import training_curve

        return training_curve(self.frame, ax=ax)

    def __repr__(self) -> str:
        if self._report is not None:
            return str(self._report)
        if self.error is not None:
            return f"Training failed: {self.error} The model in use has stayed."
        seen = [one.f for one in self._evaluations() if one.f is not None]
        so_far = f", best dev F so far {format_number(max(seen), 3)}" if seen else ""
        return f"Training goes on in another process{so_far}; .wait() for the end, or .stop()"

    def _repr_html_(self) -> str:
        lines = "".join(f"<div>{escape(line)}</div>" for line in repr(self).splitlines())
        return f"<div>{lines}</div>"

    def _evaluations(self) -> Sequence[TrainingRecord]:
        if self._report is not None:
            return self._report.evaluations
        return self._run.evaluations

    def _follow(self) -> None:
        # Nobody would see what a thread raises: it is kept for whoever looks or waits.
        try:
            self._report = self._finish()
        except Exception as error:  # noqa: BLE001 - shown by `wait` and in the cell
            _LOG.debug("training in the background failed", exc_info=True)
            self.error = error
