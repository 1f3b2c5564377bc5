"""Saved models of a dataset: their folders, their records, and loading them."""

from __future__ import annotations

import json
import re
import tempfile
import time
import warnings
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from nbner.errors import ModelError
from nbner.nlp import calibration_meta
from nbner.nlp.fingerprint import fingerprint
from nbner.nlp.pipeline import load_base
from nbner.training.run_folder import BEST_MODEL

if TYPE_CHECKING:
    from spacy.language import Language

    from nbner.store.dataset import Dataset


class ModelStore:
    """Keeps a dataset's trained models in numbered folders, and their records in the store.

    Parameters
    ----------
    dataset : Dataset
        Holds the records.
    store : str or Path
        The session's store: beside a database file lies a folder for
        the models; a database elsewhere has one in the working directory, and
        one in memory a temporary one.
    """

    def __init__(self, dataset: Dataset, store: str | Path) -> None:
        self._dataset = dataset
        self._folder = _folder(str(store)) / re.sub(r"[^\w.-]+", "_", dataset.name)

    @property
    def folder(self) -> Path:
        """Folder of all models of the dataset; it may not exist yet."""
        return self._folder

    def next_folder(self) -> Path:
        """Return a path for the next run; the folder is not created."""
        taken = [int(one.name) for one in self._folder.glob("*") if one.name.isdecimal()]
        return self._folder / f"{max(taken, default=0) + 1:04d}"

    def record_run(self, path: Path, fingerprint: str, record: Mapping[str, Any]) -> None:
        """Record a finished run, so that the next session finds its model.

        Parameters
        ----------
        path : Path
            Folder of the model.
        fingerprint : str
            Of the model.
        record : mapping
            The run's record, as JSON can hold it.
        """
        self._dataset.add_run(
            {
                "id": uuid4().hex,
                "created": time.time(),
                "path": str(path),
                "fingerprint": fingerprint,
                "record": dict(record),
            }
        )

    def save_pipeline(self, nlp: Language, record: Mapping[str, Any]) -> Path:
        """Save a pipeline that was made from a trained one, as the newest model.

        Parameters
        ----------
        nlp : Language
            The pipeline.
        record : mapping
            Its origin, as JSON can hold it.

        Returns
        -------
        Path
            For ``spacy.load``.
        """
        path = self.next_folder() / BEST_MODEL
        path.parent.mkdir(parents=True)
        nlp.to_disk(path)
        self.record_run(path, fingerprint(nlp), record)
        return path

    def save_calibration(self, calibration: Mapping[str, Any]) -> None:
        """Write a model's temperatures beside the models, for the next session.

        Parameters
        ----------
        calibration : mapping
            From `calibration_meta.save_temperatures`.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        file = self._folder / f"calibration-{calibration['model']}.json"
        file.write_text(json.dumps(calibration, ensure_ascii=False), encoding="utf-8")

    def load_calibration(self, nlp: Language) -> None:
        """Set a pipeline's stored temperatures, if there are some.

        Parameters
        ----------
        nlp : Language
            The pipeline, whose meta is changed.
        """
        file = self._folder / f"calibration-{fingerprint(nlp)}.json"
        if file.is_file():
            calibration_meta.restore_temperatures(nlp, json.loads(file.read_text(encoding="utf-8")))

    def regression_sets(self) -> dict[str, list[int]]:
        """Return each label's regression set, as input hashes, from the last run that has some."""
        records = (run["record"] for run in reversed(self._dataset.runs()))
        return next((one["regression"] for one in records if "regression" in one), {})

    def latest(self) -> Language | None:
        """Load the last trained model; None, with a warning, where it cannot be loaded."""
        runs = self._dataset.runs()
        if not runs:
            return None
        try:
            return load_base(runs[-1]["path"])
        except ModelError as error:
            warnings.warn(
                f"The last trained model cannot be used: {error} Call session.train() again.",
                stacklevel=3,
            )
            return None

    def previous(self, limit: int) -> list[Language]:
        """Load trained models before the last one, the newest first.

        Parameters
        ----------
        limit : int
            Number of models at most; those that cannot be loaded are left out.
        """
        found = []
        for run in reversed(self._dataset.runs()[:-1][-limit:]):
            with suppress(ModelError):
                found.append(load_base(run["path"]))
        return found


def _folder(store: str) -> Path:
    if store == ":memory:":
        return Path(tempfile.mkdtemp(prefix="nbner-"))
    file = Path("nbner.db") if "://" in store else Path(store)
    return file.absolute().with_suffix(".models")
