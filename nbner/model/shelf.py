"""The trained models of a dataset: where they go, and which one is the last."""

from __future__ import annotations

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
from nbner.model.pipeline import load_base

if TYPE_CHECKING:
    from spacy.language import Language

    from nbner.data.store import Dataset


class Shelf:
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

    def new_folder(self) -> Path:
        """Name a folder for the next run; it is not made yet."""
        taken = [int(one.name) for one in self._folder.glob("*") if one.name.isdecimal()]
        return self._folder / f"{max(taken, default=0) + 1:04d}"

    def keep_run(self, path: Path, fingerprint: str, record: Mapping[str, Any]) -> None:
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

    def regression_sets(self) -> dict[str, list[int]]:
        """Give each label's frozen examples, by input hash, as the last run has left them."""
        runs = self._dataset.runs()
        found: dict[str, list[int]] = runs[-1]["record"].get("regression", {}) if runs else {}
        return found

    def newest(self) -> Language | None:
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

    def earlier(self, most: int) -> list[Language]:
        """Load trained models before the last one, the newest first; those that still load."""
        found = []
        for run in reversed(self._dataset.runs()[:-1][-most:]):
            with suppress(ModelError):
                found.append(load_base(run["path"]))
        return found


def _folder(store: str) -> Path:
    if store == ":memory:":
        return Path(tempfile.mkdtemp(prefix="nbner-"))
    file = Path("nbner.db") if "://" in store else Path(store)
    return file.absolute().with_suffix(".models")
