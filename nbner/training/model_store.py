"""Saved models of a dataset: their folders, their records, and loading them.

A model that is damaged or missing never keeps the data out of reach: the model
recorded before it is loaded, or none, and the reason is kept in `notices` and
`problems`.
"""

from __future__ import annotations

import json
import tempfile
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from nbner._common.checksums import add_checksum, remove_checksum
from nbner._common.drafts import (
    draft_file,
    draft_folder,
    remove_stale_drafts,
    sync_folder,
    sync_tree,
)
from nbner.errors import ModelError, StoreError
from nbner.nlp import calibration_meta
from nbner.nlp.fingerprint import fingerprint
from nbner.nlp.pipeline import load_base
from nbner.training.file_hashes import (
    FILES_KEY,
    PENDING_KEY,
    find_damage,
    hash_files,
    is_pending,
    with_file,
    with_pending,
)
from nbner.training.model_folder import is_beside_store, legacy_folder, model_folder
from nbner.training.model_places import FORMER_KEY, PLACE_KEY, place_in, present_paths
from nbner.training.run_folder import (
    BEST_MODEL,
    Reservation,
    find_interrupted,
    settle_interrupted,
    update_record,
)

if TYPE_CHECKING:
    from spacy.language import Language

    from nbner.store.dataset import Dataset

_TOKENIZER_FILE = "tokenizer"  # in the folder of a model

_CALIBRATION_KEYS = ("model", "overall", "per_label")


class ModelStore:
    """Keeps a dataset's trained models in numbered folders, and their records in the store.

    Parameters
    ----------
    dataset : Dataset
        Holds the records.
    store : str or Path
        The session's store: beside a database file lies a folder for the
        models; a database elsewhere has one in the working directory, and one
        in memory a temporary one. See `model_folder`.

    Attributes
    ----------
    notices : tuple of str
        What is wrong with the models, for a person to read: the last one cannot
        be used, or a training run was cut off. Those of the last model end with
        the next model that comes into use.
    problems : dict of str to str
        Path of a model that could not be loaded, to the reason.
    changed : dict of str to str
        Path of a model that was loaded and is not the one that was recorded, to
        the reason.
    """

    def __init__(self, dataset: Dataset, store: str | Path) -> None:
        self._dataset = dataset
        base = model_folder(store, dataset.name)
        self._folder = Path(tempfile.mkdtemp(prefix="nbner-")) if base is None else base
        self._legacy_folder = legacy_folder(store, dataset.name)
        self._is_beside_store = is_beside_store(store)
        self.problems: dict[str, str] = {}
        self.changed: dict[str, str] = {}
        self._last_model_notices: tuple[str, ...] = ()
        remove_stale_drafts(self._folder)
        self._interrupted = tuple(find_interrupted(self._folder))
        if self._interrupted:
            warnings.warn(_interrupted_notice(self._interrupted), stacklevel=5)

    @property
    def folder(self) -> Path:
        """Folder of all models of the dataset; it may not exist yet."""
        return self._folder

    @property
    def notices(self) -> tuple[str, ...]:
        """Problems of the models, for a person to read; see the class."""
        cut_off = tuple(one for one in self._interrupted if one.exists())
        return (
            *self._last_model_notices,
            *([_interrupted_notice(cut_off)] if cut_off else []),
        )

    def problem_of(self, path: str) -> str:
        """Return what is wrong with a recorded model, as far as it was tried.

        Parameters
        ----------
        path : str
            Its path, as it is recorded.

        Returns
        -------
        str
            Empty where nothing is known to be wrong.
        """
        return self.problems.get(path) or self.changed.get(path, "")

    def runs(self) -> list[dict[str, Any]]:
        """Return the dataset's records of runs, oldest first, with the present paths of the models.

        Where the store's folder was moved, renamed or copied with the models in
        it, ``path`` is not the recorded one; see `model_places`.
        """
        runs = self._dataset.runs()
        paths = present_paths(runs, self._folders(), are_beside_store=self._is_beside_store)
        return [{**run, "path": path} for run, path in zip(runs, paths, strict=True)]

    def reserve_folder(self) -> Reservation:
        """Create a folder for the next run, which no other run can get.

        Raises
        ------
        TrainingError
            The folder cannot be created.
        """
        return Reservation(self._folder)

    def record_run(self, path: Path, fingerprint: str, record: Mapping[str, Any]) -> None:
        """Record a finished run, so that the next session finds its model.

        Parameters
        ----------
        path : Path
            Folder of the model.
        fingerprint : str
            Of the model.
        record : mapping
            The run's record, as JSON can hold it; size and hash of the model's
            files are added.
        """
        self._dataset.add_run(
            {
                "id": uuid4().hex,
                "created": time.time(),
                "path": str(path),
                "fingerprint": fingerprint,
                "record": {
                    **record,
                    FILES_KEY: hash_files(path),
                    PLACE_KEY: place_in(self._folder, path),
                },
            }
        )
        self._last_model_notices = ()
        self.problems.pop(str(path), None)
        self.changed.pop(str(path), None)
        if path in self._interrupted:
            settle_interrupted(path)
            self._interrupted = tuple(one for one in self._interrupted if one != path)

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

        Raises
        ------
        ModelError
            The disk is full, or cannot be written.
        TrainingError
            The folder cannot be created.
        """
        with self.reserve_folder() as reserved:
            path = reserved.path / BEST_MODEL
            try:
                with draft_folder(reserved.path) as draft:
                    nlp.to_disk(draft / BEST_MODEL)
                    sync_tree(draft)
                    (draft / BEST_MODEL).replace(path)
                sync_folder(reserved.path)
            except OSError as error:
                raise _not_written("the model", path, error) from error
            self.record_run(path, fingerprint(nlp), record)
        return path

    def save_tokenizer(self, nlp: Language) -> str | None:
        """Write a pipeline's tokenizer into the newest model, and record the file and the model.

        The other files stay as they are and as they are recorded, so that damage to
        them is still noticed.

        Parameters
        ----------
        nlp : Language
            The model in use, whose tokenizer got or lost rules.

        Returns
        -------
        str or None
            The fingerprint of the saved model from now on; None where there is none,
            or where it could not be loaded.
        """
        runs = self.runs()
        path = runs[-1]["path"] if runs else ""
        folder = Path(path)
        if not runs or not folder.is_dir() or path in self.problems:
            return None
        tokenizer: Any = nlp.tokenizer
        content = tokenizer.to_bytes(exclude=["vocab"])
        # A process that is killed from here on leaves the file as it was or the new one, and
        # both are in order.
        for run in runs:
            if run["path"] == path and isinstance(run["record"], Mapping):
                record = with_pending(run["record"], _TOKENIZER_FILE, content)
                self._dataset.set_run_record(run["id"], record)
        update_record(folder, lambda record: with_pending(record, _TOKENIZER_FILE, content))
        with draft_file(folder / _TOKENIZER_FILE) as draft:
            draft.write(content)
        model = fingerprint(load_base(folder))
        self._record_tokenizer(path, model)
        return model

    def _record_tokenizer(self, path: str, model: str) -> None:
        """Record the tokenizer of a model that was changed, with the model's new fingerprint."""
        folder = Path(path)
        update_record(folder, lambda record: with_file(record, folder, _TOKENIZER_FILE))
        for run in self.runs():
            if run["path"] != path or not isinstance(run["record"], Mapping):
                continue
            record = with_file(run["record"], folder, _TOKENIZER_FILE)
            former = dict.fromkeys((*record.get(FORMER_KEY, ()), run["fingerprint"]))
            former.pop(model, None)
            record[FORMER_KEY] = list(former)
            self._dataset.set_run_record(run["id"], record, fingerprint=model)

    def is_former(self, path: Path, fingerprint: str) -> bool:
        """Return whether a model had a fingerprint before its tokenizer got or lost rules.

        Parameters
        ----------
        path : Path
            Folder of the model.
        fingerprint : str
            The fingerprint.
        """
        return any(
            run["path"] == str(path) and fingerprint in run["record"].get(FORMER_KEY, ())
            for run in self.runs()
            if isinstance(run["record"], Mapping)
        )

    def save_calibration(self, calibration: Mapping[str, Any]) -> None:
        """Write a model's temperatures beside the models, for the next session.

        Parameters
        ----------
        calibration : mapping
            From `calibration_meta.save_temperatures`.

        Raises
        ------
        ModelError
            The disk is full, or cannot be written.
        """
        file = self._folder / _calibration_name(calibration["model"])
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            _write_calibration(file, calibration)
        except OSError as error:
            raise _not_written("the calibration", file, error) from error

    def load_calibration(self, nlp: Language) -> None:
        """Set a pipeline's stored temperatures, if there are some; warn where they are damaged.

        Parameters
        ----------
        nlp : Language
            The pipeline, whose meta is changed.
        """
        model = fingerprint(nlp)
        for folder in self._folders():
            file = folder / _calibration_name(model)
            if not file.exists():
                continue
            try:
                read = json.loads(file.read_text(encoding="utf-8"))
                entry, has_checksum = remove_checksum(read, keys_without=_CALIBRATION_KEYS)
                calibration_meta.check_entry(entry)
                if entry["model"] != model:
                    raise ValueError(f"it is of the model {entry['model']!r}")  # noqa: TRY301
            except (OSError, ValueError, RecursionError) as error:
                notice = (
                    f"The calibration of the model in use cannot be read from {file}: "
                    f"{_one_line(error)}. Probabilities are those of the model itself; "
                    "session.model.calibrate() fits it again."
                )
                self._last_model_notices = (*self._last_model_notices, notice)
                warnings.warn(notice, stacklevel=5)
                return
            if not has_checksum:
                # From its first opening on, a file of an earlier version has one too; a
                # folder that cannot be written keeps what it has.
                with suppress(OSError):
                    _write_calibration(file, entry)
            calibration_meta.restore_temperatures(nlp, entry)
            return

    def drop_calibration_notice(self) -> None:
        """Forget what was said of the stored calibration: there is a new one."""
        self._last_model_notices = tuple(
            one for one in self._last_model_notices if not one.startswith("The calibration")
        )

    def regression_sets(self) -> dict[str, list[int]]:
        """Return each label's regression set, as input hashes, from the last run that has some."""
        records = (run["record"] for run in reversed(self._dataset.runs()))
        return next((one["regression"] for one in records if "regression" in one), {})

    def latest(self) -> Language | None:
        """Load the newest model that can be loaded; None where there is none.

        A warning says which later ones cannot be used, and why.
        """
        found = next(self._loaded(self.runs()), None)
        if self.problems:
            # The first is the newest, whatever came into use instead.
            path, reason = next(iter(self.problems.items()))
            instead = (
                "The model that the session was given is in use"
                if found is None
                else f"The model before it, {found.path}, is in use"
            )
            notice = (
                f"The last trained model, {path}, cannot be used: {reason} {instead}. Call "
                "session.train() again; session.model.runs lists the models."
            )
            self._last_model_notices = (notice,)
            warnings.warn(notice, stacklevel=5)  # where the session is opened
        # Said already, as the model was loaded.
        self._last_model_notices = (*self._last_model_notices, *self.changed.values())
        return found

    def previous(self, limit: int) -> list[Language]:
        """Load trained models before the last one, the newest first.

        Parameters
        ----------
        limit : int
            Number of models at most; those that cannot be loaded are left out.
        """
        return list(self._loaded(self.runs()[:-1][-limit:]))

    def _loaded(self, runs: list[dict[str, Any]]) -> Iterator[Language]:
        """Yield the models of runs that can be loaded, the newest first; note the others."""
        for run in reversed(runs):
            if run["path"] in self.problems:
                continue
            try:
                nlp = self._load(run)
            except ModelError as error:
                self.problems[run["path"]] = str(error)
            else:
                yield nlp

    def _load(self, run: Mapping[str, Any]) -> Language:
        """Load the model of a run.

        A model that was recorded without the hashes of its files, as by the first
        versions, gets them with its first loading, where its fingerprint is the
        recorded one; otherwise `changed` says that it is not.

        Raises
        ------
        ModelError
            It is missing or damaged, or cannot be loaded.
        """
        path, record = Path(run["path"]), run["record"]
        if not path.exists():
            raise ModelError(
                f"the folder is missing, and has no other place in {self._folder}. Move it back, "
                "or take it from where it lies now: session.model.use(path)."
            )
        known = record if isinstance(record, Mapping) else {}
        files = known.get(FILES_KEY)
        damage = find_damage(path, files, known.get(PENDING_KEY))
        if damage is not None:
            raise ModelError(
                f"{damage}. If that was meant, session.model.use({str(path)!r}) takes it as it is."
            )
        if is_pending(known, path, _TOKENIZER_FILE):
            nlp = load_base(path)
            # A place that cannot be written is opened for reading all the same.
            with suppress(StoreError, OSError):
                self._record_tokenizer(run["path"], fingerprint(nlp))
            return nlp
        if files is not None:
            return load_base(path)
        found = hash_files(path)
        nlp = load_base(path)
        if fingerprint(nlp) != run["fingerprint"]:
            self.changed[str(path)] = (
                f"The model {path} is not quite the one that was recorded ({run['fingerprint']}): "
                "its files have changed, or it was saved by another version. It was recorded "
                "without the hashes of its files, so that which one has changed cannot be told. "
                f"session.model.use({str(path)!r}) records it as it is."
            )
            warnings.warn(self.changed[str(path)], stacklevel=7)
        elif isinstance(record, Mapping):
            # A place that cannot be written is opened for reading all the same.
            with suppress(StoreError):
                self._dataset.set_run_record(run["id"], {**record, FILES_KEY: found})
        return nlp

    def _folders(self) -> tuple[Path, ...]:
        """Return where models and calibrations may lie, the present folder first."""
        legacy = self._legacy_folder
        if legacy is None or legacy == self._folder:
            return (self._folder,)
        return (self._folder, legacy)


def _calibration_name(model: str) -> str:
    return f"calibration-{model}.json"


def _write_calibration(file: Path, calibration: Mapping[str, Any]) -> None:
    content = json.dumps(add_checksum(calibration), ensure_ascii=False).encode("utf-8")
    with draft_file(file) as draft:
        draft.write(content)


def _interrupted_notice(models: tuple[Path, ...]) -> str:
    named = ", ".join(str(one) for one in models)
    return (
        f"Training was cut off before its model came into use; its best model so far is {named}. "
        "session.model.use(path) takes it into use; otherwise delete the folder."
    )


def _not_written(what: str, path: Path, error: OSError) -> ModelError:
    return ModelError(
        f"{what} could not be written to {path}: {error.strerror or error}. Nothing else was "
        "touched; make room, and try again."
    )


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()).rstrip(".")
