"""Files in and out: lines with their numbers, and writing that never leaves half a file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from uuid import uuid4

from nbner.data.rows import Place
from nbner.errors import DataError

BOM = b"\xef\xbb\xbf"


def existing(path: Path) -> Path:
    """Give the path back if a file can be read there.

    Raises
    ------
    DataError
        There is nothing, a folder, or a file that may not be read.
    """
    try:
        path.open("rb").close()
    except IsADirectoryError:
        raise _is_a_folder(path) from None
    except FileNotFoundError:
        raise _is_not_there(path) from None
    except OSError as error:
        # Windows says "permission denied" of a folder; a whole text is "too long a name".
        if os.path.isdir(path):  # noqa: PTH112 - is_dir() raises for such a name
            raise _is_a_folder(path) from None
        raise DataError(f"this cannot be read: {error.strerror}", file=path) from error
    except ValueError:
        raise _is_not_there(path) from None
    return path


def lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield a text file's lines, numbered from 1, without their line ends."""
    for number, line in whole_lines(path):
        yield number, line.removesuffix("\n").removesuffix("\r")


def whole_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield a text file's lines as they are, numbered from 1.

    Only a line feed ends a line, so that other separators stay in the texts.

    Raises
    ------
    DataError
        A line is not UTF-8.
    """
    with path.open("rb") as file:
        for number, raw in enumerate(file, 1):
            start = len(BOM) if number == 1 and raw.startswith(BOM) else 0
            try:
                line = raw[start:].decode("utf-8")
            except UnicodeDecodeError as error:
                raise Place(str(path), number).error(
                    f"byte {start + error.start + 1} of the line is not UTF-8",
                    remedy="Save the file as UTF-8",
                ) from error
            yield number, line


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """Open a file for writing that takes ``path``'s place only when all went well.

    Raises
    ------
    DataError
        The folder is not there, or the file cannot be written.
    """
    if path.is_dir():
        raise _is_a_folder(path)
    # In the same folder, because only there is the replacement one step.
    draft = path.with_name(f".{path.name}.{uuid4().hex}")
    try:
        with draft.open("xb") as file:
            yield file
        draft.replace(path)
    except OSError as error:
        raise DataError(
            f"this cannot be written: {error.strerror}",
            file=path,
            remedy="Choose a folder that is there, may be written and has room",
        ) from error
    except UnicodeEncodeError as error:
        raise DataError(
            f"{error.object[error.start : error.end]!r} has no place in UTF-8", file=path
        ) from error
    finally:
        draft.unlink(missing_ok=True)


def _is_a_folder(path: Path) -> DataError:
    return DataError("this is a folder", file=path, remedy="Name a file in it")


def _is_not_there(path: Path) -> DataError:
    return DataError(
        "there is no such file",
        file=path,
        remedy=f"Look in {Path.cwd()}; texts themselves are given as a list of strings",
    )
