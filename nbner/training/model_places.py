"""Where a recorded model lies now: a project's folder may have been moved, renamed or copied.

A run keeps the absolute path of its model, and its place in the folder of the
dataset's models. Beside a SQLite file that place counts, wherever the file lies
now. The models of a database on a server lie in the folders of everybody who
works with it, in which equal numbers are different models: there the path counts,
and the place only for a model whose files have the recorded hashes.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath
from typing import Any

from nbner.training.file_hashes import FILES_KEY, PENDING_KEY, find_damage

#: Key of a run's record under which the place of its model in the folder of the dataset's
#: models is kept, with slashes; None for a model elsewhere. Records of the first versions
#: have no such key.
PLACE_KEY = "place"

#: Key of a run's record under which the fingerprints are kept that its model had before
#: its tokenizer got or lost rules.
FORMER_KEY = "former_fingerprints"

_MODELS_SUFFIXES = (".models", "-models")
_WINDOWS = re.compile(r"[A-Za-z]:|\\\\")


def place_in(folder: Path, path: Path) -> str | None:
    """Return the place of a model in a folder, with slashes; None where it lies elsewhere.

    Parameters
    ----------
    folder : Path
        Folder of a dataset's models.
    path : Path
        Folder of the model.
    """
    found, base = (Path(os.path.realpath(one)) for one in (path, folder))
    return found.relative_to(base).as_posix() if base in found.parents else None


def present_paths(
    runs: Sequence[Mapping[str, Any]], folders: Sequence[Path], *, are_beside_store: bool
) -> list[str]:
    """Return the path of each run's model as it is now.

    Parameters
    ----------
    runs : sequence of mapping
        From ``Dataset.runs``.
    folders : sequence of Path
        Where models of the dataset may lie, the present folder first.
    are_beside_store : bool
        Whether the first folder lies beside the store's file, and moves with it.

    Returns
    -------
    list of str
        The recorded path where there is no other.
    """
    owners: dict[str, set[str]] = {}
    for run in runs:
        owners.setdefault(run["path"], set()).add(run["fingerprint"])
    return [_present_path(one, folders, owners, are_beside_store=are_beside_store) for one in runs]


def _present_path(
    run: Mapping[str, Any],
    folders: Sequence[Path],
    owners: Mapping[str, set[str]],
    *,
    are_beside_store: bool,
) -> str:
    path: str = run["path"]
    record = run["record"] if isinstance(run["record"], Mapping) else {}
    for found in _candidates(path, record, folders):
        # In a store that was copied without its models, and trained in since, a place may be
        # that of another run's model.
        is_taken = not owners.get(str(found), {run["fingerprint"]}) <= {run["fingerprint"]}
        if str(found) == path or is_taken or not found.is_dir():
            continue
        if not are_beside_store:
            is_own = not Path(path).exists() and _has_hashes(found, record)
        elif PLACE_KEY in record or record.keys() - {FILES_KEY, FORMER_KEY, PENDING_KEY}:
            is_own = True
        else:
            # The first versions recorded no more than this of a model that was taken into use
            # by its path, which may be one of another project.
            is_own = not Path(path).exists() or _has_hashes(found, record)
        if is_own:
            return str(found)
    return path


def _candidates(path: str, record: Mapping[str, Any], folders: Sequence[Path]) -> list[Path]:
    if PLACE_KEY not in record:
        place = _place_of_path(path, {one.name for one in folders})
        return [] if place is None else [one.joinpath(*place) for one in folders]
    place = record[PLACE_KEY]
    if not isinstance(place, str):
        return []
    parts = PurePosixPath(place).parts
    is_inside = bool(parts) and not PurePosixPath(place).is_absolute() and ".." not in parts
    return [folders[0].joinpath(*parts)] if is_inside else []


def _place_of_path(path: str, names: set[str]) -> tuple[str, ...] | None:
    """Return the parts of a recorded path that follow the folder of the dataset's models.

    Parameters
    ----------
    path : str
        Of any machine.
    names : set of str
        Names that the folder may have in that of all datasets.
    """
    pure: PurePath = PureWindowsPath(path) if _WINDOWS.match(path) else PurePosixPath(path)
    parts = pure.parts
    for at in range(len(parts) - 2, 0, -1):
        if parts[at] in names and parts[at - 1].endswith(_MODELS_SUFFIXES):
            return parts[at + 1 :]
    return None


def _has_hashes(folder: Path, record: Mapping[str, Any]) -> bool:
    files = record.get(FILES_KEY)
    if not isinstance(files, Mapping):
        return False
    return find_damage(folder, files, record.get(PENDING_KEY)) is None
