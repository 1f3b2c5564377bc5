"""A folder on any file system that fsspec knows, whose files appear whole or not at all."""

from __future__ import annotations

import json
import logging
import os
import posixpath
import uuid
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import IO, Any, TypeAlias

from nbner.errors import DataError

_LOG = logging.getLogger(__name__)

StorageOptions: TypeAlias = Mapping[str, Any]

# What nbner keeps about a target. Readers of Parquet folders (pyarrow, Dask, Spark) pass over
# names that begin with an underscore.
OWN_FOLDER = "_nbner"
_WRITING = f"{OWN_FOLDER}/writing"
# Keys under which file systems say when, or as what, a file was last written.
_REQUESTS = 16  # at a time, to another machine
_STAMPS = (
    *("ETag", "etag", "md5Hash", "mtime", "LastModified", "last_modified", "updated", "created"),
)


def require_libraries() -> None:
    """Raise where the libraries for files of a corpus are not installed.

    Raises
    ------
    DataError
        pyarrow or fsspec is missing.
    """
    try:
        import fsspec  # noqa: F401 - is it there?
        import pyarrow as pa  # noqa: F401 - the same
    except ImportError as error:
        raise DataError(
            f"labelling a corpus needs {error.name}",
            remedy='Install what it needs: pip install "nbner[corpus]"',
        ) from error


class Folder:
    """A folder, or a single file, by its path or URL.

    Parameters
    ----------
    url : str
        A local path, or a URL such as ``s3://bucket/texts``.
    options : mapping, optional
        Options of fsspec's file system, such as credentials.

    Raises
    ------
    DataError
        There is no file system for the URL.
    """

    def __init__(self, url: str, options: StorageOptions | None = None) -> None:
        from fsspec.core import url_to_fs

        self.url = url
        try:
            self.fs, self.path = url_to_fs(url, **dict(options or {}))
        except (ValueError, ImportError) as error:
            raise DataError(
                f"there is no file system for it: {error}",
                file=url,
                remedy="Correct the URL, or install the library that it names",
            ) from error

    @property
    def is_local(self) -> bool:
        """Whether the folder lies on this machine's own file system."""
        return "file" in _protocols(self.fs)

    def full(self, name: str) -> str:
        """Return the file system's path of a file.

        Parameters
        ----------
        name : str
            Relative to the folder, with slashes; "" is the folder itself.
        """
        return posixpath.join(self.path, name) if name else str(self.path)

    def exists(self, name: str = "") -> bool:
        """Return whether there is such a file or folder."""
        return bool(self.fs.exists(self.full(name)))

    def sizes(self, name: str = "") -> dict[str, int]:
        """Return the size in bytes of every file below a folder, by its relative name.

        Parameters
        ----------
        name : str
            The folder inside of this one.
        """
        return {one: info["size"] or 0 for one, info in self.details(name).items()}

    def details(self, name: str = "") -> dict[str, dict[str, Any]]:
        """Return what the file system says of every file below a folder, by its relative name.

        Parameters
        ----------
        name : str
            The folder inside of this one; it need not exist.
        """
        # A listing that is kept from before would not show what other processes have written.
        self.fs.invalidate_cache()
        try:
            found = self.fs.find(self.full(name), detail=True)
        except FileNotFoundError:
            return {}
        start = len(self.full("").rstrip("/")) + 1
        return {path[start:]: info for path, info in sorted(found.items())}

    @contextmanager
    def reading(self, name: str) -> Iterator[IO[bytes]]:
        """Open a file to read its bytes.

        Parameters
        ----------
        name : str
            Relative name.
        """
        with self.fs.open(self.full(name), "rb") as file:
            yield file

    def read(self, name: str) -> bytes:
        """Return the bytes of a file."""
        return bytes(self.fs.cat_file(self.full(name)))

    def read_all(self, names: Iterable[str]) -> dict[str, bytes]:
        """Return the bytes of several files, read at once where the file system can.

        Parameters
        ----------
        names : iterable of str
            Relative names; files that have gone meanwhile are left out.
        """
        listed = list(names)
        # Each request to another machine waits for its answer.
        with ThreadPoolExecutor(1 if self.is_local else _REQUESTS) as pool:
            found = pool.map(self._read_or_none, listed)
            return {one: data for one, data in zip(listed, found, strict=True) if data is not None}

    def _read_or_none(self, name: str) -> bytes | None:
        try:
            return self.read(name)
        except FileNotFoundError:
            return None

    @contextmanager
    def writing(self, name: str) -> Iterator[IO[bytes]]:
        """Open a file to write, which appears under its name when everything is written.

        Parameters
        ----------
        name : str
            Relative name; an existing file is replaced.
        """
        beside = f"{_WRITING}/{uuid.uuid4().hex}"
        self._make_folder(_WRITING)
        try:
            with self.fs.open(self.full(beside), "wb") as file:
                yield file
            self.move(beside, name)
        except BaseException:
            self._remove_unfinished(beside)
            raise

    def _remove_unfinished(self, name: str) -> None:
        try:
            self.fs.rm_file(self.full(name))
        except Exception:  # noqa: BLE001 - the error that has stopped the writing is the one to tell
            _LOG.debug("%s stays until the target is complete", name, exc_info=True)

    def move(self, old: str, new: str) -> None:
        """Move a file inside of the folder, in place of an existing one.

        Parameters
        ----------
        old, new : str
            Relative names.
        """
        self._make_folder(posixpath.dirname(new))
        if self.is_local:
            # As one step: whoever reads sees the old file or the new one.
            os.replace(self.full(old), self.full(new))  # noqa: PTH105 - fsspec's paths are strings
        else:
            self.fs.mv(self.full(old), self.full(new))

    def write(self, name: str, data: bytes) -> None:
        """Write a file as a whole.

        Parameters
        ----------
        name : str
            Relative name; an existing file is replaced.
        data : bytes
            Its content.
        """
        with self.writing(name) as file:
            file.write(data)

    def write_json(self, name: str, value: Any) -> None:
        """Write a value as one line of JSON.

        Parameters
        ----------
        name : str
            Relative name.
        value : object
            Plain values.
        """
        self.write(name, json.dumps(value, sort_keys=True, ensure_ascii=False).encode() + b"\n")

    def remove(self, name: str) -> None:
        """Remove a file, or a folder with all that is in it; nothing where there is none."""
        with suppress(FileNotFoundError):
            self.fs.rm(self.full(name), recursive=True)

    def remove_unfinished(self) -> None:
        """Remove what interrupted writing has left behind."""
        self.remove(_WRITING)

    def check_writable(self) -> None:
        """Write and remove a file.

        Raises
        ------
        DataError
            It is not possible.
        """
        try:
            self._make_folder("")
            self.write(f"{OWN_FOLDER}/probe", b"x")
            self.remove(f"{OWN_FOLDER}/probe")
        except (OSError, NotImplementedError, ValueError) as error:
            raise DataError(
                f"the target cannot be written: {error}",
                file=self.url,
                remedy="Get the permission to write there, free some space, or name another target",
            ) from error

    def _make_folder(self, name: str) -> None:
        # A file system without folders has nothing to make.
        with suppress(NotImplementedError):
            self.fs.makedirs(self.full(name), exist_ok=True)


def stamp_of(info: Mapping[str, Any]) -> str:
    """Return what changes when a file is written anew: its size, and its time or tag.

    Parameters
    ----------
    info : mapping
        As fsspec's ``find(detail=True)`` has it.
    """
    known = [str(info[key]) for key in _STAMPS if info.get(key) is not None]
    return " ".join([str(info.get("size")), *known[:1]])


def is_inside(inner: Folder, outer: Folder) -> bool:
    """Return whether one folder is another one, or lies in it.

    Parameters
    ----------
    inner, outer : Folder
        The folders.
    """
    if _protocols(inner.fs) != _protocols(outer.fs):
        return False
    one, other = (_resolved(folder).rstrip("/") + "/" for folder in (inner, outer))
    return one.startswith(other)


def _resolved(folder: Folder) -> str:
    return os.path.realpath(folder.path) if folder.is_local else str(folder.path)


def _protocols(fs: Any) -> tuple[str, ...]:
    found = fs.protocol
    return (found,) if isinstance(found, str) else tuple(found)
