"""File access: lines with their numbers, and writing that never leaves half a file."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any
from uuid import uuid4

from nbner._common.serialization import to_jsonable
from nbner.errors import DataError
from nbner.io.rows import SourceLocation

UTF8_BOM = b"\xef\xbb\xbf"


def require_file(path: Path) -> Path:
    """Return the path if a file can be read there.

    Parameters
    ----------
    path : Path
        Any path.

    Raises
    ------
    DataError
        There is nothing, a folder, or a file without permission to read.
    """
    try:
        path.open("rb").close()
    except IsADirectoryError:
        raise _is_a_folder(path) from None
    except FileNotFoundError:
        raise _does_not_exist(path) from None
    except OSError as error:
        # Windows reports "permission denied" for a folder; a whole text is "too long a name".
        if os.path.isdir(path):  # noqa: PTH112 - is_dir() raises for such a name
            raise _is_a_folder(path) from None
        raise DataError(f"this cannot be read: {error.strerror}", file=path) from error
    except ValueError:
        raise _does_not_exist(path) from None
    return path


def numbered_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the lines of a text file, numbered from 1, without their line ends.

    Parameters
    ----------
    path : Path
        A UTF-8 file.

    Raises
    ------
    DataError
        A line is not UTF-8.
    """
    for number, line in raw_lines(path):
        yield number, line.removesuffix("\n").removesuffix("\r")


def raw_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the lines of a text file, numbered from 1, with their line ends.

    Only a line feed ends a line, so that other separators stay in the texts.

    Parameters
    ----------
    path : Path
        A UTF-8 file, with or without a byte order mark.

    Raises
    ------
    DataError
        A line is not UTF-8.
    """
    with path.open("rb") as file:
        for number, raw in enumerate(file, 1):
            start = len(UTF8_BOM) if number == 1 and raw.startswith(UTF8_BOM) else 0
            try:
                line = raw[start:].decode("utf-8")
            except UnicodeDecodeError as error:
                raise SourceLocation(str(path), number).error(
                    f"byte {start + error.start + 1} of the line is not UTF-8",
                    remedy="Save the file as UTF-8",
                ) from error
            yield number, line


def read_text(path: Path) -> str:
    """Read a text file without any change, so that offsets into it stay valid.

    Parameters
    ----------
    path : Path
        A UTF-8 file; line ends and a byte order mark are kept.

    Raises
    ------
    DataError
        The file cannot be read, or is not UTF-8.
    """
    data = require_file(path).read_bytes()
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise SourceLocation(str(path), data.count(b"\n", 0, error.start) + 1).error(
            f"byte {error.start + 1} of the file is not UTF-8", remedy="Save the file as UTF-8"
        ) from error


@contextmanager
def atomic_write(path: Path) -> Iterator[IO[bytes]]:
    """Open a temporary file that replaces ``path`` only if the block succeeds.

    Parameters
    ----------
    path : Path
        The file to write.

    Raises
    ------
    DataError
        The folder does not exist, or the file cannot be written.
    """
    if path.is_dir():
        raise _is_a_folder(path)
    # In the same folder: only within one file system is the replacement atomic.
    draft = path.with_name(f".{path.name}.{uuid4().hex}")
    try:
        with draft.open("xb") as file:
            yield file
        draft.replace(path)
    except OSError as error:
        raise _is_not_writable(path, error) from error
    except UnicodeEncodeError as error:
        raise DataError(
            f"{error.object[error.start : error.end]!r} has no place in UTF-8", file=path
        ) from error
    finally:
        draft.unlink(missing_ok=True)


@contextmanager
def atomic_folder(folder: Path) -> Iterator[Path]:
    """Create a temporary folder whose files move to ``folder`` only if the block succeeds.

    Parameters
    ----------
    folder : Path
        The folder to write; created where it does not exist.

    Raises
    ------
    DataError
        There is a file of that name, a folder with other files, or no space.
    """
    draft = folder.with_name(f".{folder.name}.{uuid4().hex}")
    try:
        draft.mkdir()
        yield draft
        folder.mkdir(exist_ok=True)
        made = {one.name for one in draft.iterdir()}
        others = sorted(one.name for one in folder.iterdir() if one.name not in made)
        if others:
            raise DataError(
                f"the folder holds other files, such as {others[0]}, which would mix with these",
                file=folder,
                remedy="Name a new folder",
            )
        for new in draft.iterdir():
            new.replace(folder / new.name)
    except OSError as error:
        raise _is_not_writable(folder, error) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def json_bytes(value: Any) -> bytes:
    """Serialize a value as JSON in UTF-8, or in ASCII where UTF-8 cannot encode a character.

    A lone surrogate in the user's own columns has no UTF-8 encoding, but a JSON escape.

    Parameters
    ----------
    value : object
        Values that JSON does not support go through ``to_jsonable``.
    """
    try:
        return json.dumps(value, ensure_ascii=False, default=to_jsonable).encode("utf-8")
    except UnicodeEncodeError:
        return json.dumps(value, default=to_jsonable).encode("ascii")


def _is_a_folder(path: Path) -> DataError:
    return DataError("this is a folder", file=path, remedy="Name a file in it")


def _does_not_exist(path: Path) -> DataError:
    return DataError(
        "there is no such file",
        file=path,
        remedy=f"Look in {Path.cwd()}; texts themselves are given as a list of strings",
    )


def _is_not_writable(path: Path, error: OSError) -> DataError:
    return DataError(
        f"this cannot be written: {error.strerror}",
        file=path,
        remedy="Choose a folder that is there, may be written and has room",
    )
