"""Progress callbacks that more than one of the session's parts needs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from nbner._common.progress import ProgressBar
    from nbner.training.records import TrainingRecord

#: Called after each training step with the index of the model and the step's record.
ProgressCallback: TypeAlias = "Callable[[int, TrainingRecord], None]"


def progress_callback(bar: ProgressBar, total: int) -> ProgressCallback:
    """Build the callback that writes the state of a training run beside a progress bar.

    Parameters
    ----------
    bar : ProgressBar
        The progress bar whose text is set.
    total : int
        Number of models that are trained one after the other.

    Returns
    -------
    callable
        Takes the zero-based index of the model and the record of a training
        step. Steps without a score leave the text as it is.
    """

    def report(index: int, record: TrainingRecord) -> None:
        if record.f is not None:
            bar.set_text(f"{index + 1} of {total}: epoch {record.epoch + 1}, dev F {record.f:.3f}")

    return report
