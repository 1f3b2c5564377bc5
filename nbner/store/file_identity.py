"""Identity of a store's files: whether a path still leads to the file that is open."""

from __future__ import annotations

import logging
import os
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

_LOG = logging.getLogger(__name__)

#: Device and inode of a file.
FileId: TypeAlias = tuple[int, int]


def file_id(file: str | Path) -> FileId | None:
    """Return a file's device and inode; None where it cannot be found.

    Parameters
    ----------
    file : str or Path
        Path of the file; links are followed.
    """
    try:
        found = os.stat(file)  # noqa: PTH116 - on each commit, where a Path costs as much again
    except (OSError, ValueError) as error:
        _LOG.debug("%s cannot be found: %s", file, error)
        return None
    return found.st_dev, found.st_ino


@dataclass(slots=True)
class _OpenLog:
    """The write-ahead log that this process has open for one file."""

    log: FileId | None = None
    connections: int = 0


# By the store's file: SQLite shares a log between all connections of a process.
_open_logs: dict[FileId, _OpenLog] = {}
# Reentrant, because the garbage collector may close a connection while it is held.
_lock = threading.RLock()


class OpenFiles:
    """The file of a store and its write-ahead log, as this process has them open.

    Parameters
    ----------
    file : Path
        The store's file, which exists.
    """

    def __init__(self, file: Path) -> None:
        self._file = os.fspath(file)
        # SQLite puts the log beside the file that a link leads to.
        self._log = f"{os.path.realpath(file)}-wal"
        self._id = file_id(self._file)

    @property
    def id(self) -> FileId | None:
        """Device and inode of the store's file when it was opened."""
        return self._id

    def is_file_there(self) -> bool:
        """Return whether the path still leads to the file that is open."""
        return self._id is not None and file_id(self._file) == self._id

    def is_log_there(self) -> bool:
        """Return whether the log's path still leads to the log that is open."""
        known = _open_logs.get(self._id) if self._id else None
        return known is None or known.log is None or file_id(self._log) == known.log

    def remember_log(self) -> None:
        """Keep the log's identity, after the first transaction of the first connection."""
        known = _open_logs.get(self._id) if self._id else None
        if known is not None and known.log is None:
            known.log = file_id(self._log)


class OpenConnection:
    """Count of one connection to a file, until it is closed or collected.

    Parameters
    ----------
    files : OpenFiles
        What it is connected to.
    """

    def __init__(self, files: OpenFiles) -> None:
        self._id = files.id
        if self._id is not None:
            with _lock:
                _open_logs.setdefault(self._id, _OpenLog()).connections += 1

    def end(self) -> None:
        """Count the connection as closed; after the last one SQLite deletes the log."""
        counted, self._id = self._id, None
        if counted is None:
            return
        with _lock:
            known = _open_logs.get(counted)
            if known is not None:
                known.connections -= 1
                if known.connections <= 0:
                    del _open_logs[counted]

    def __del__(self) -> None:
        self.end()


def forget_all() -> None:
    """Forget every log, in a forked process that has no connections of its own yet."""
    global _lock  # noqa: PLW0603 - another thread may have held it, which the child does not have
    _lock = threading.RLock()
    _open_logs.clear()
