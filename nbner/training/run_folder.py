"""The folder of one training run: complete with its record, or removed.

::

    <run>/model-best/    the pipeline, for spacy.load
    <run>/config.cfg     for `spacy train`
    <run>/train.spacy, dev.spacy
    <run>/record.json    written last: a folder without it is not a finished run
"""

from __future__ import annotations

import json
import platform
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import spacy
import thinc

from nbner._version import __version__
from nbner.errors import TrainingError

if TYPE_CHECKING:
    from spacy.language import Language
    from thinc.api import Config

BEST_MODEL = "model-best"


class RunFolder:
    """Writes a run's files so that the best model on disk is complete at every moment.

    Parameters
    ----------
    path : Path
        Must not exist, or be an empty folder.

    Raises
    ------
    TrainingError
        ``path`` exists and is not an empty folder, or it cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        if self.path.exists() and not (self.path.is_dir() and not any(self.path.iterdir())):
            raise TrainingError(f"{self.path} is there already. Choose a folder that is not.")
        with self.guard_writes():
            self.path.mkdir(parents=True, exist_ok=True)
        self._best: Path | None = None

    @contextmanager
    def guard_writes(self) -> Iterator[None]:
        """Raise a ``TrainingError`` for an error of the file system."""
        try:
            yield
        except OSError as error:
            raise TrainingError(
                f"the run could not be written to {self.path}: {error.strerror or error}. Nothing "
                "else was touched; make room or choose another folder, and train again."
            ) from error

    def save_checkpoint(self, nlp: Language, step: int) -> None:
        """Save a model, and then remove the one before it.

        Parameters
        ----------
        nlp : Language
            The model.
        step : int
            Its update step.
        """
        complete = self.path / f"model-{step}"
        part = self.path / f"model-{step}.part"
        with self.guard_writes():
            nlp.to_disk(part)
            part.rename(complete)
        before, self._best = self._best, complete
        if before is not None:
            shutil.rmtree(before, ignore_errors=True)

    def finalize_best(self) -> Path:
        """Rename the best model to its final name, remove other models, and return its path."""
        final = self.path / BEST_MODEL
        with self.guard_writes():
            if self._best is not None and self._best != final:
                self._best.rename(final)
                self._best = final
        for left in self.path.glob("model-*"):
            if left != final:
                shutil.rmtree(left, ignore_errors=True)
        return final

    def write_record(self, config: Config | None, record: dict[str, Any]) -> None:
        """Write the config, and last the record.

        Parameters
        ----------
        config : Config, optional
            As ``spacy train`` takes it; None where it is written already, or
            where ``spacy train`` cannot train the model.
        record : dict
            The run's record, as JSON can hold it.
        """
        with self.guard_writes():
            if config is not None:
                config.to_disk(self.path / "config.cfg")
            write_record(self.path, record)

    def remove(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.path, ignore_errors=True)


def write_record(folder: Path, record: Mapping[str, Any]) -> None:
    """Write the record of a run, in place of one that is there.

    Parameters
    ----------
    folder : Path
        The run's folder.
    record : mapping
        As JSON can hold it.
    """
    part = folder / "record.json.part"
    part.write_text(json.dumps(record, indent=2, ensure_ascii=False), encoding="utf-8")
    part.replace(folder / "record.json")


def library_versions() -> dict[str, str]:
    """Return the versions on which the weights of a run depend beside seed and data."""
    return {
        "nbner": __version__,
        "spacy": spacy.about.__version__,
        "thinc": thinc.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
        "machine": platform.machine(),
    }
