"""Sizes and hashes of the files of a model, to notice which of them has changed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

#: Key of a run's record under which the size and hash of every file of its model are kept.
FILES_KEY = "files"
_HASH_SIZE = 16  # bytes
_CHUNK = 2**20  # bytes


def hash_files(folder: Path) -> dict[str, list[int | str]]:
    """Return the size in bytes and the hash of every file of a model.

    Parameters
    ----------
    folder : Path
        The model.

    Returns
    -------
    dict
        Path inside the folder, with slashes, to [size, BLAKE2b of 16 bytes in
        hexadecimal digits].
    """
    return {
        one.relative_to(folder).as_posix(): [one.stat().st_size, _hash(one)]
        for one in sorted(folder.rglob("*"))
        if one.is_file()
    }


def with_file(record: Mapping[str, Any], folder: Path, name: str) -> dict[str, Any]:
    """Return a record with the present size and hash of one file of its model.

    Parameters
    ----------
    record : mapping
        The record of a run; one without hashes gets none.
    folder : Path
        The model.
    name : str
        The file, which was changed on purpose.
    """
    files = record.get(FILES_KEY)
    if not isinstance(files, Mapping):
        return dict(record)
    file = folder / name
    return {**record, FILES_KEY: {**files, name: [file.stat().st_size, _hash(file)]}}


def find_damage(folder: Path, files: object) -> str | None:
    """Describe the first file of a model that is not as it was saved; None where all are.

    Parameters
    ----------
    folder : Path
        The model.
    files : object
        From `hash_files`; anything else is not compared.
    """
    if not isinstance(files, Mapping):
        return None
    for name, saved in files.items():
        file = folder / name
        if not file.exists():
            return f"{file} is missing"
        try:
            same = [file.stat().st_size, _hash(file)] == saved
        except OSError as error:
            return f"{file} cannot be read ({error.strerror})"
        if not same:
            return f"{file} is not as it was saved"
    return None


def _hash(file: Path) -> str:
    digest = hashlib.blake2b(digest_size=_HASH_SIZE)
    with file.open("rb") as opened:
        while chunk := opened.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
