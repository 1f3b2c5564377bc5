"""Opening of SQLite stores where nothing can be written: a read-only mount, a file of others."""

from __future__ import annotations

import logging
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

from nbner.errors import StoreError

_LOG = logging.getLogger(__name__)

_ATTEMPTS = 3
# Primary result codes that a file has when its log or the index of that cannot be made.
_CANNOT_OPEN = frozenset({"unable to open database file", "attempt to write a readonly database"})


def is_writable(file: Path) -> bool:
    """Return whether a store's file and its folder, where SQLite keeps the log, can be written.

    Parameters
    ----------
    file : Path
        An existing file.
    """
    as_effective = os.access in os.supports_effective_ids
    # SQLite puts the log beside the file that a link leads to.
    target = Path(os.path.realpath(file))
    return all(
        os.access(one, os.W_OK, effective_ids=as_effective) for one in (target, target.parent)
    )


def read_only_uri(file: Path, *, immutable: bool = False) -> str:
    """Return the SQLite URI that opens a file without writing to it.

    Parameters
    ----------
    file : Path
        The file.
    immutable : bool
        Whether nobody else writes to it: SQLite then needs neither locks nor a log.
    """
    return f"file:{quote(str(file.absolute()))}?mode=ro{'&immutable=1' if immutable else ''}"


def find_readable(file: Path, is_usable: Callable[[str], bool]) -> tuple[str | None, Path | None]:
    """Find a way to read a store in a place that cannot be written.

    In this order: the file as it is, with the log that others may be writing;
    the file alone, where there is no log; and a temporary copy of file and log.

    Parameters
    ----------
    file : Path
        The store's file.
    is_usable : callable
        From a URI to whether it can be read as it is; raises the driver's error
        where it cannot be opened.

    Returns
    -------
    uri : str or None
        URI of the file; None where only a copy can be read.
    copy : Path or None
        The copy, in a temporary folder of its own.

    Raises
    ------
    StoreError
        There is no room for a copy.
    """
    for uri in _candidates(file):
        usable = _unless_closed(is_usable, uri)
        if usable:
            return uri, None
        if usable is not None:
            break
    return None, copy_to_temporary_folder(file)


def _unless_closed(is_usable: Callable[[str], bool], uri: str) -> bool | None:
    """Call a function, and return None where SQLite cannot open the file in this way."""
    try:
        return is_usable(uri)
    except sqlite3.OperationalError as error:
        if not any(one in str(error) for one in _CANNOT_OPEN):
            raise
        _LOG.debug("the store cannot be read as %s: %s", uri, error)
    return None


def _candidates(file: Path) -> Iterator[str]:
    yield read_only_uri(file)
    log = Path(f"{os.path.realpath(file)}-wal")
    if not log.exists() or log.stat().st_size == 0:
        yield read_only_uri(file, immutable=True)


def copy_to_temporary_folder(file: Path) -> Path:
    """Copy a store with its log to a temporary folder.

    Parameters
    ----------
    file : Path
        The store's file.

    Returns
    -------
    Path
        The copy; whoever uses it deletes its folder.

    Raises
    ------
    StoreError
        There is no room, or the file changes all the time.
    """
    source = Path(os.path.realpath(file))
    folder = Path(tempfile.mkdtemp(prefix="nbner-read-only-"))
    try:
        for _ in range(_ATTEMPTS):
            before = _versions(source)
            for suffix in ("", "-wal"):
                part = Path(f"{source}{suffix}")
                if part.exists():
                    shutil.copyfile(part, folder / f"store.db{suffix}")
            if _versions(source) == before:
                return folder / "store.db"
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise StoreError(
            f"The store {file} cannot be written, and there is no room for a copy to read it "
            f"from: {error.strerror}. Set TMPDIR to a larger disk."
        ) from error
    shutil.rmtree(folder, ignore_errors=True)
    raise StoreError(f"The store {file} is being written by another program. Try again later.")


def _versions(source: Path) -> list[tuple[int, int] | None]:
    """Return size and time of change of a file and its log."""
    parts = (Path(f"{source}{suffix}") for suffix in ("", "-wal"))
    return [(one.stat().st_size, one.stat().st_mtime_ns) if one.exists() else None for one in parts]
