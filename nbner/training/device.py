"""The processor that a run computes on: the one in use, the CPU, or a GPU by its number."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Any

from thinc.api import NumpyOps, get_current_ops, require_gpu, set_current_ops, set_gpu_allocator

from nbner.errors import TrainingError
from nbner.nlp.transformers import transformers_of

if TYPE_CHECKING:
    from spacy.language import Language

CPU = -1


class TrainingDevice:
    """Has thinc compute on a device while it is entered, and as before afterwards.

    As ``spacy train --gpu-id`` does, with the allocator that the config names.

    Parameters
    ----------
    gpu_id : int, optional
        Number of a GPU, or -1 for the CPU. None: whatever is in use, which
        ``spacy.prefer_gpu()`` decides.
    allocator : str, optional
        The config's ``system.gpu_allocator``.

    Raises
    ------
    TrainingError
        There is no such GPU.
    """

    def __init__(self, gpu_id: int | None = None, *, allocator: str | None = None) -> None:
        self._requested = gpu_id
        self._allocator = allocator
        self._before: list[Any] = []
        with self:
            # Known from here on, and an error at once where there is none.
            self.gpu_id = gpu_in_use()

    def __enter__(self) -> None:
        self._before.append(get_current_ops())
        try:
            self._activate()
        except ValueError as error:
            set_current_ops(self._before.pop())
            raise TrainingError(
                f"there is no GPU {self._requested} to train on: {error}. Install spaCy with "
                "cuda12x or apple, as its installation guide says; or leave gpu_id= out to train "
                "on the processor in use."
            ) from error

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        set_current_ops(self._before.pop())

    def _activate(self) -> None:
        if self._requested == CPU:
            set_current_ops(NumpyOps())
        elif self._requested is not None:
            require_gpu(self._requested)
        if self._allocator and gpu_in_use() != CPU:
            set_gpu_allocator(self._allocator)


def gpu_in_use() -> int:
    """Return the number of the GPU that thinc computes on at present; -1 for the CPU."""
    ops = get_current_ops()
    return int(ops.device_id) if ops.device_type == "gpu" else CPU


def allocator_of(nlp: Language) -> str | None:
    """Return the allocator of GPU memory for a pipeline: PyTorch's for a transformer.

    Parameters
    ----------
    nlp : Language
        The pipeline to train.
    """
    return "pytorch" if transformers_of(nlp) else None
