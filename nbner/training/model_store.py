"""The trained models of a dataset: where they go, and which one is the last."""

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
    store : str or Path
        As the session was given it: beside a database file lies a folder for
        the models; a database elsewhere has one in the working directory, and
        one in memory a temporary one.
    """

    def __init__(self, dataset: Dataset, store: str | Path) -> None:
        self._dataset = dataset
        self._folder = _folder(str(store)) / re.sub(r"[^\w.-]+", "_", dataset.name)

    def next_folder(self) -> Path:
        """Name a folder for the next run; it is not made yet."""
        taken = [int(one.name) for one in self._folder.glob("*") if one.name.isdecimal()]
        return self._folder / f"{max(taken, default=0) + 1:04d}"

    def record_run(self, path: Path, fingerprint: str, record: Mapping[str, Any]) -> None:
        """Record a finished run, so that the next session finds its model."""
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
        """Save a pipeline that was made from a trained one, as the newest of all.

        Parameters
        ----------
        nlp : Language
        record : mapping
            How it was made, as JSON can hold it.

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
            As `calibration.keep` gave it.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        file = self._folder / f"calibration-{calibration['model']}.json"
        file.write_text(json.dumps(calibration, ensure_ascii=False), encoding="utf-8")

    def load_calibration(self, nlp: Language) -> None:
        """Give a pipeline the temperatures that were kept for it, if there are some."""
        file = self._folder / f"calibration-{fingerprint(nlp)}.json"
        if file.is_file():
            calibration_meta.restore_temperatures(nlp, json.loads(file.read_text(encoding="utf-8")))

    def regression_sets(self) -> dict[str, list[int]]:
        """Give each label's frozen examples, by input hash, as the last run has left them."""
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
        """Load trained models before the last one, the newest first; those that still load."""
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
