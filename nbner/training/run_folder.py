"""The folder of one training run: complete with its record, or removed.

::

    <run>/model-best/    the pipeline, for spacy.load
    <run>/config.cfg     for `spacy train`
    <run>/train.spacy, dev.spacy
    <run>/record.json    written last: a folder without it is not a finished run
    <run>/unfinished     locked by the process that trains, and removed once the
                         model is in use or refused: without a living process,
                         the run was cut off
"""

from __future__ import annotations

import errno
import json
import platform
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import spacy
import thinc

from nbner._common.checksums import add_checksum, remove_checksum
from nbner._common.drafts import (
    draft_file,
    is_unlocked,
    lock,
    make_locked_folder,
    release,
    remove_tree,
    sync_folder,
    sync_tree,
)
from nbner._version import __version__
from nbner.errors import TrainingError
from nbner.training.file_hashes import FILES_KEY, PENDING_KEY, find_damage, hash_files

if TYPE_CHECKING:
    from spacy.language import Language
    from thinc.api import Config

BEST_MODEL = "model-best"
RECORD = "record.json"
MARKER = "unfinished"
#: Subfolders of a run that holds a part of its labels out; see `learners`.
HELD_OUT, ALL_LABELS = "held-out", "all-labels"
_PART_SUFFIX = ".part"


class Reservation:
    """A new run folder that no other run can get, in this process or in another.

    As a context manager: a folder without a finished run is removed when the
    block fails, and so are the folders above it that were made for it and are
    empty. Where the run had finished, its folder stays and keeps its marker, so
    that the next session names it.

    Parameters
    ----------
    parent : Path
        Folder of the numbered run folders; created if it is missing.

    Raises
    ------
    TrainingError
        The folder cannot be created.
    """

    def __init__(self, parent: Path) -> None:
        self._new_folders = [one for one in (parent, parent.parent) if not one.exists()]
        try:
            self.path, self._held = _reserve(parent)
        except BaseException as error:
            _remove_empty(self._new_folders)
            if isinstance(error, OSError):
                raise _write_error(parent, error) from error
            raise

    def __enter__(self) -> Reservation:  # noqa: PYI034 - typing.Self is newer than Python 3.10
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.settle()
        self.close()

    def settle(self) -> None:
        """Remove the marker: the run's model is in use, or was refused with a word."""
        (self.path / MARKER).unlink(missing_ok=True)

    def close(self) -> None:
        """Release the lock, and remove a folder without a finished run."""
        if not _is_finished(self.path):
            remove_tree(self.path)
            _remove_empty(self._new_folders)
        held, self._held = self._held, None
        release(held)


def find_interrupted(parent: Path) -> list[Path]:
    """Return the best models of runs whose process has ended before they came into use.

    What such runs left that is not a complete model is removed.

    Parameters
    ----------
    parent : Path
        Folder of the numbered run folders.
    """
    found = []
    with suppress(OSError):
        for marker in sorted(parent.glob(f"*/{MARKER}")):
            if not marker.parent.name.isdecimal() or not is_unlocked(marker):
                continue
            best = _complete_model(marker.parent)
            if best is None:
                remove_tree(marker.parent)
            else:
                found.append(best)
                for part in marker.parent.glob(f"*{_PART_SUFFIX}"):
                    remove_tree(part)
    return found


def settle_interrupted(model: Path) -> None:
    """Remove the marker of a cut-off run whose model comes into use after all.

    Parameters
    ----------
    model : Path
        From `find_interrupted`; any other path is left as it is.
    """
    # The model of a run of several parts lies one folder deeper.
    for run in (model.parent, model.parent.parent):
        if run.name.isdecimal():
            with suppress(OSError):
                (run / MARKER).unlink(missing_ok=True)


def _reserve(parent: Path) -> tuple[Path, int | None]:
    """Create the next numbered folder with a marker that is locked; return both."""
    while True:
        parent.mkdir(parents=True, exist_ok=True)
        try:
            draft, draft_lock = make_locked_folder(parent)
        except FileNotFoundError:
            continue  # another run was given up, and took its empty parent with it
        held = None
        try:
            (draft / MARKER).touch()
            held = lock(draft / MARKER)
            return _move_to_next_number(draft, parent), held
        except BaseException:
            remove_tree(draft)
            release(held)
            raise
        finally:
            release(draft_lock)


def _move_to_next_number(draft: Path, parent: Path) -> Path:
    while True:
        taken = [int(one.name) for one in parent.glob("*") if one.name.isdecimal()]
        path = parent / f"{max(taken, default=0) + 1:04d}"
        try:
            # Fails where another run has this number: its folder is never empty.
            return draft.rename(path)
        except OSError as error:
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
                raise


def _remove_empty(folders: Sequence[Path]) -> None:
    """Remove folders, the innermost first, as far as they are empty."""
    for one in folders:
        with suppress(OSError):
            one.rmdir()


def _mark(path: Path) -> int | None:
    """Create a marker that is locked already in a run folder; return its lock."""
    draft = path / f"{MARKER}{_PART_SUFFIX}"
    draft.touch()
    held = lock(draft)
    draft.replace(path / MARKER)
    return held


def _is_finished(path: Path) -> bool:
    """Return whether a run folder holds a run's record, or a pipeline saved without a run."""
    if (path / RECORD).exists() or (path / BEST_MODEL).exists():
        return True
    return path.is_dir() and any((one / RECORD).is_file() for one in path.iterdir())


def _parts(path: Path) -> list[Path]:
    """Return a run's folder and those of its parts: what is best to use comes first."""
    if not path.is_dir():
        return [path]
    folders = sorted(one for one in path.iterdir() if (one / RECORD).is_file())
    parts = [one for one in folders if one.name == ALL_LABELS]
    parts += sorted((one for one in folders if one.name != ALL_LABELS), key=_f, reverse=True)
    return [path, *parts]


def _f(part: Path) -> float:
    """Return the F in the record of a part of a run; 0 where it cannot be read."""
    try:
        found = read_record(part)["best"]["f"]
    except (OSError, ValueError, KeyError, TypeError):
        return 0.0
    return float(found or 0.0)


def _complete_model(path: Path) -> Path | None:
    """Return the best model of a run folder, which is the last that was saved, or of its parts."""
    best = path / BEST_MODEL
    steps = {one.name.removeprefix("model-"): one for one in path.glob("model-*") if one.is_dir()}
    last = max((int(step) for step in steps if step.isdecimal()), default=None)
    if best.is_dir():
        return best
    if last is not None:
        return steps[str(last)]
    finished = (one / BEST_MODEL for one in _parts(path)[1:])
    return next((one for one in finished if one.is_dir()), None)


def _discard(model: Path) -> None:
    """Remove a model; while it is half removed, its name says that it is not complete."""
    part = model if model.suffix == _PART_SUFFIX else model.with_name(f"{model.name}{_PART_SUFFIX}")
    with suppress(OSError):
        model.replace(part)
    shutil.rmtree(part, ignore_errors=True)


def _write_error(path: Path, error: OSError) -> TrainingError:
    return TrainingError(
        f"the run could not be written to {path}: {error.strerror or error}. Nothing "
        "else was touched; make room or choose another folder, and train again."
    )


class RunFolder:
    """Writes a run's files so that the best model on disk is complete at every moment.

    Parameters
    ----------
    path : Path
        Must not exist, or be an empty folder or a reserved one.

    Raises
    ------
    TrainingError
        ``path`` exists and is none of these, or it cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        if self.path.exists() and not _is_empty(self.path):
            raise TrainingError(f"{self.path} is there already. Choose a folder that is not.")
        with self.guard_writes():
            self.path.mkdir(parents=True, exist_ok=True)
        marker = self.path / MARKER
        # The process that reserved the folder may end before this one does.
        self._held = lock(marker) if marker.exists() else None
        self._best: Path | None = None
        self.best_step: int | None = None

    @contextmanager
    def guard_writes(self) -> Iterator[None]:
        """Raise a ``TrainingError`` for an error of the file system."""
        try:
            yield
        except OSError as error:
            raise _write_error(self.path, error) from error

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
        part = self.path / f"model-{step}{_PART_SUFFIX}"
        with self.guard_writes():
            nlp.to_disk(part)
            part.rename(complete)
        before = self._best
        self._best, self.best_step = complete, step
        if before is not None:
            _discard(before)

    def finalize_best(self) -> Path:
        """Rename the best model to its final name, remove other models, and return its path."""
        final = self.path / BEST_MODEL
        with self.guard_writes():
            if self._best is not None and self._best != final:
                self._best.rename(final)
                self._best = final
        for left in self.path.glob("model-*"):
            if left != final:
                _discard(left)
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
            # The record says that all of this is there.
            sync_tree(self.path)
            write_record(self.path, record)
            sync_folder(self.path.parent)
        self.release()

    def release(self) -> None:
        """Release the lock of a reserved folder: the run has written all that it writes."""
        held, self._held = self._held, None
        release(held)

    def remove(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.path, ignore_errors=True)
        release(self._held)
        self._held = None


def _is_empty(path: Path) -> bool:
    """Return whether a path is a folder with nothing in it but the marker of a reservation."""
    return path.is_dir() and all(one.name == MARKER for one in path.iterdir())


def write_record(folder: Path, record: Mapping[str, Any]) -> None:
    """Write the record of a run, in place of one that is there.

    Parameters
    ----------
    folder : Path
        The run's folder.
    record : mapping
        As JSON can hold it; size and hash of the model's files and a checksum are
        added.
    """
    model = folder / BEST_MODEL
    files = {FILES_KEY: hash_files(model)} if model.is_dir() else {}
    _write_record(folder, {**record, **files})


def update_record(model: Path, change: Callable[[Mapping[str, Any]], Mapping[str, Any]]) -> None:
    """Change the record of a run.

    Parameters
    ----------
    model : Path
        The run's model. One without a record beside it, or whose record is damaged, is
        left as it is.
    change : callable
        From the record to the new one.
    """
    if model.name != BEST_MODEL or not (model.parent / RECORD).is_file():
        return
    with suppress(OSError, ValueError, RecursionError):
        _write_record(model.parent, change(read_record(model.parent)))


def _write_record(folder: Path, record: Mapping[str, Any]) -> None:
    entry = add_checksum(record)
    content = json.dumps(entry, indent=2, ensure_ascii=False).encode("utf-8")
    with draft_file(folder / RECORD) as file:
        file.write(content)


def read_record(folder: Path) -> dict[str, Any]:
    """Read the record of a run.

    Parameters
    ----------
    folder : Path
        The run's folder.

    Raises
    ------
    OSError
        There is none, or it cannot be read.
    ValueError
        It is damaged.
    """
    found = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    if not isinstance(found, dict):
        raise ValueError("it is no record")  # noqa: TRY004 - a damaged file
    # The first versions wrote records of any keys without a checksum.
    record, _ = remove_checksum(found, keys_without=found)
    return dict(record)


def find_change(model: Path) -> str | None:
    """Describe what has changed in a run's model since its training; None where nothing has.

    Parameters
    ----------
    model : Path
        The model. One without a record beside it, or whose record is of a version
        without hashes, is not compared.
    """
    if model.name != BEST_MODEL or not (model.parent / RECORD).is_file():
        return None
    try:
        record = read_record(model.parent)
    except (OSError, ValueError, RecursionError) as error:
        return f"{model.parent / RECORD} cannot be read: {error}"
    return find_damage(model, record.get(FILES_KEY), record.get(PENDING_KEY))


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
