"""Drafts: files and folders that are written to one side and moved into place when complete.

A draft is locked by the process that writes it, and the lock ends with the
process. A draft without a lock is what a killed process has left; the next
write into the same folder removes it.
"""

from __future__ import annotations

import errno
import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO
from uuid import uuid4

try:
    from fcntl import LOCK_EX, LOCK_NB, LOCK_SH, flock
except ImportError:  # pragma: no cover - a system without POSIX locks
    _HAS_LOCKS = False
else:
    _HAS_LOCKS = True

_LOG = logging.getLogger(__name__)

#: Prefix of every draft's name, whatever file it becomes.
DRAFT_PREFIX = ".nbner-draft-"

# Of more files than this, one call for the whole file system takes less time.
_MAX_SYNCS = 100


@contextmanager
def draft_file(path: Path) -> Iterator[IO[bytes]]:
    """Open a draft that replaces a file if the block succeeds, and is removed otherwise.

    The draft's content is on the disk before it gets the file's name: a process
    or machine that dies leaves the old file or the new one.

    Parameters
    ----------
    path : Path
        The file to write. Its folder must exist.

    Raises
    ------
    OSError
        The draft cannot be written or moved.
    """
    remove_stale_drafts(path.parent)
    file, draft = _open_locked_file(path.parent)
    try:
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())
            draft.replace(path)
        sync_folder(path.parent)
    finally:
        draft.unlink(missing_ok=True)


@contextmanager
def draft_folder(parent: Path) -> Iterator[Path]:
    """Create a folder for a draft; it is removed with all that is still in it afterwards.

    Parameters
    ----------
    parent : Path
        The folder that the finished files are moved to, so that the move stays
        inside one file system.

    Raises
    ------
    OSError
        The folder cannot be created.
    """
    remove_stale_drafts(parent)
    folder, lock = make_locked_folder(parent)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        release(lock)


def remove_stale_drafts(folder: Path) -> list[Path]:
    """Remove the drafts that killed processes have left in a folder.

    Parameters
    ----------
    folder : Path
        Drafts that a living process writes stay; so do all where the file
        system has no locks.

    Returns
    -------
    list of Path
        The drafts that were removed.
    """
    removed = []
    with suppress(OSError):
        for draft in sorted(folder.glob(f"{DRAFT_PREFIX}*")):
            if is_unlocked(draft):
                remove_tree(draft)
                removed.append(draft)
    if removed:
        _LOG.debug("removed %d drafts of processes that ended early in %s", len(removed), folder)
    return removed


def is_unlocked(path: Path) -> bool:
    """Return whether no living process holds the lock of a file or folder.

    Parameters
    ----------
    path : Path
        False, too, where this cannot be told.
    """
    if not _HAS_LOCKS:
        return False
    try:
        found = os.open(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        flock(found, LOCK_EX | LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(found)
    return True


def lock(path: Path) -> int | None:
    """Lock a file or folder for as long as this process lives, beside others that lock it too.

    Parameters
    ----------
    path : Path
        An existing file or folder.

    Returns
    -------
    int, or None
        For `release`; None where the file system has no locks.
    """
    if not _HAS_LOCKS:
        return None
    found = os.open(path, os.O_RDONLY)
    try:
        flock(found, LOCK_SH)
    except OSError:
        os.close(found)
        return None
    return found


def release(held: int | None) -> None:
    """Release a lock.

    Parameters
    ----------
    held : int, optional
        From `lock`.
    """
    if held is not None:
        os.close(held)


def remove_tree(path: Path) -> None:
    """Remove a file, or a folder with its content, as far as that can be done.

    Parameters
    ----------
    path : Path
        Need not exist.
    """
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink(missing_ok=True)


def sync_tree(folder: Path) -> None:
    """Wait until all files of a folder are on the disk.

    Parameters
    ----------
    folder : Path
        The folder, with all below it.

    Raises
    ------
    OSError
        A file cannot be written after all: the disk is full or broken.
    """
    found = sorted(folder.rglob("*"))
    if len(found) > _MAX_SYNCS:
        os.sync()
    for one in found[:_MAX_SYNCS]:
        if one.is_dir():
            sync_folder(one)
        else:
            _sync(one)
    sync_folder(folder)


def sync_folder(folder: Path) -> None:
    """Wait until the names in a folder are on the disk, where the system can do that.

    Parameters
    ----------
    folder : Path
        The folder alone.
    """
    # Some network file systems refuse this for a folder; the names follow there anyhow.
    with suppress(OSError):
        _sync(folder)


def _sync(path: Path) -> None:
    found = os.open(path, os.O_RDONLY)
    try:
        os.fsync(found)
    finally:
        os.close(found)


def _open_locked_file(folder: Path) -> tuple[IO[bytes], Path]:
    while True:
        draft = folder / f"{DRAFT_PREFIX}{uuid4().hex}"
        file = draft.open("xb")
        try:
            if _HAS_LOCKS:
                with suppress(OSError):
                    flock(file.fileno(), LOCK_SH)
            # Before it was locked, another process may have taken it for a stale one.
            if os.fstat(file.fileno()).st_nlink:
                return file, draft
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
        file.close()


def make_locked_folder(parent: Path) -> tuple[Path, int | None]:
    """Create a folder for a draft, which the caller moves or removes.

    Parameters
    ----------
    parent : Path
        An existing folder.

    Returns
    -------
    (Path, int or None)
        The folder, and its lock for `release`.

    Raises
    ------
    OSError
        The folder cannot be created.
    """
    while True:
        folder = parent / f"{DRAFT_PREFIX}{uuid4().hex}"
        folder.mkdir()
        try:
            held = lock(folder)
        except OSError as error:
            if error.errno == errno.ENOENT:
                continue  # another process has taken it for a stale one
            raise
        if folder.is_dir():
            return folder, held
        release(held)
