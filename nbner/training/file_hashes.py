"""Sizes and hashes of the files of a model, to notice which of them has changed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

#: Key of a run's record under which the size and hash of every file of its model are kept.
FILES_KEY = "files"
#: Key of a run's record under which size and hash of a file are kept that is about to be
#: written: a process that is killed meanwhile leaves the file as it was, or this one.
PENDING_KEY = "pending_files"
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
        one.relative_to(folder).as_posix(): _state(one)
        for one in sorted(folder.rglob("*"))
        if one.is_file()
    }


def with_pending(record: Mapping[str, Any], name: str, content: bytes) -> dict[str, Any]:
    """Return a record that accepts one file of its model as it is and as it is about to be.

    Parameters
    ----------
    record : mapping
        The record of a run.
    name : str
        The file.
    content : bytes
        What will be written.
    """
    digest = hashlib.blake2b(content, digest_size=_HASH_SIZE).hexdigest()
    return {**record, PENDING_KEY: {name: [len(content), digest]}}


def is_pending(record: Mapping[str, Any], folder: Path, name: str) -> bool:
    """Return whether a file is the one that was about to be written when its process ended.

    Parameters
    ----------
    record : mapping
        The record of a run.
    folder : Path
        The model.
    name : str
        The file.
    """
    pending = record.get(PENDING_KEY)
    file = folder / name
    return isinstance(pending, Mapping) and file.is_file() and _state(file) == pending.get(name)


def with_file(record: Mapping[str, Any], folder: Path, name: str) -> dict[str, Any]:
    """Return a record with the present size and hash of one file of its model.

    Parameters
    ----------
    record : mapping
        The record of a run; one without hashes gets none.
    folder : Path
        The model.
    name : str
        The file, which was changed on purpose, and is pending no longer.
    """
    settled = {key: value for key, value in record.items() if key != PENDING_KEY}
    files = record.get(FILES_KEY)
    if not isinstance(files, Mapping):
        return settled
    return {**settled, FILES_KEY: {**files, name: _state(folder / name)}}


def find_damage(folder: Path, files: object, pending: object = None) -> str | None:
    """Describe the first file of a model that is not as it was saved; None where all are.

    Parameters
    ----------
    folder : Path
        The model.
    files : object
        From `hash_files`; anything else is not compared.
    pending : object, optional
        From `with_pending`: another state of a file that is in order.
    """
    if not isinstance(files, Mapping):
        return None
    others = pending if isinstance(pending, Mapping) else {}
    for name, saved in files.items():
        file = folder / name
        if not file.exists():
            return f"{file} is missing"
        try:
            same = _state(file) in (saved, others.get(name))
        except OSError as error:
            return f"{file} cannot be read ({error.strerror})"
        if not same:
            return f"{file} is not as it was saved"
    return None


def _state(file: Path) -> list[int | str]:
    return [file.stat().st_size, _hash(file)]


def _hash(file: Path) -> str:
    digest = hashlib.blake2b(digest_size=_HASH_SIZE)
    with file.open("rb") as opened:
        while chunk := opened.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
