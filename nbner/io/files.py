"""File access: lines with their numbers, and writing that never leaves half a file."""

from __future__ import annotations

import codecs
import gzip
import json
import os
import shutil
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, cast

from nbner._common.drafts import draft_file, draft_folder, sync_folder, sync_tree
from nbner._common.serialization import to_jsonable
from nbner.errors import DataError
from nbner.io.row_errors import RowErrors
from nbner.io.rows import SourceLocation

UTF8_BOM = b"\xef\xbb\xbf"
#: The character that a byte order mark becomes where the encoding keeps it.
BYTE_ORDER_MARK = "\ufeff"
GZIP_SUFFIX = ".gz"
_GZIP_MAGIC = b"\x1f\x8b"
_CHUNK = 2**16  # bytes
# Not the prefix of drafts: it may be the only copy, and no clean-up may remove it.
_BEFORE_PREFIX = ".nbner-before-"
_MAX_NAME = 180  # bytes, of the 255 that file systems hold


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


def uncompressed_suffix(path: Path) -> str:
    """Return the suffix that names a file's format, in lower case: that before ``.gz``.

    Parameters
    ----------
    path : Path
        Any path.
    """
    suffix = path.suffix.lower()
    return Path(path.stem).suffix.lower() if suffix == GZIP_SUFFIX else suffix


def check_encoding(encoding: str | None) -> None:
    """Raise if Python does not know an encoding.

    Parameters
    ----------
    encoding : str, optional
        Name of an encoding; None is UTF-8.

    Raises
    ------
    DataError
        There is no such encoding, or it does not decode bytes to text.
    """
    try:
        "a".encode(encoding or "utf-8")
    except (LookupError, TypeError, ValueError):
        raise DataError(
            f"{encoding!r} is no encoding that Python knows",
            field="encoding",
            remedy='Name one such as "utf-8", "cp1252" or "utf-16"',
        ) from None


@contextmanager
def open_bytes(path: Path) -> Iterator[IO[bytes]]:
    """Open a file for reading; one that gzip has compressed is decompressed while it is read.

    Parameters
    ----------
    path : Path
        Any file. Compression is found by the first two bytes.

    Raises
    ------
    DataError
        The compressed data is damaged or cut off.
    """
    with path.open("rb") as file:
        is_compressed = file.read(len(_GZIP_MAGIC)) == _GZIP_MAGIC
        file.seek(0)
        if not is_compressed:
            yield file
            return
        try:
            with gzip.open(file) as decompressed:
                yield cast("IO[bytes]", decompressed)
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise DataError(
                f"this is not a whole gzip file: {error}",
                file=path,
                remedy="Copy or compress it again",
            ) from error


def read_bytes(path: Path) -> bytes:
    """Read a whole file, decompressed where gzip has compressed it.

    Parameters
    ----------
    path : Path
        Any file.

    Raises
    ------
    DataError
        There is no such file, or its compressed data is damaged.
    """
    with open_bytes(require_file(path)) as file:
        return file.read()


def read_head(path: Path, size: int = 2**16) -> bytes:
    """Read the first bytes of a file, decompressed where gzip has compressed it.

    Parameters
    ----------
    path : Path
        Any file.
    size : int
        Number of bytes.

    Raises
    ------
    DataError
        There is no such file, or its compressed data is damaged.
    """
    with open_bytes(require_file(path)) as file:
        return file.read(size)


def numbered_lines(
    path: Path, encoding: str | None = None, row_errors: RowErrors | None = None
) -> Iterator[tuple[int, str]]:
    """Yield the lines of a text file, numbered from 1, without their line ends.

    Parameters
    ----------
    path : Path
        A text file.
    encoding : str, optional
        Its encoding; UTF-8 by default.
    row_errors : RowErrors, optional
        Takes the errors of lines that are not UTF-8.

    Raises
    ------
    DataError
        A line is not in this encoding.
    """
    for number, line in raw_lines(path, encoding, row_errors):
        yield number, line.removesuffix("\n").removesuffix("\r")


def raw_lines(
    path: Path, encoding: str | None = None, row_errors: RowErrors | None = None
) -> Iterator[tuple[int, str]]:
    """Yield the lines of a text file, numbered from 1, with their line ends.

    Only a line feed ends a line, so that other separators stay in the texts; in
    a file without any line feed a carriage return does.

    Parameters
    ----------
    path : Path
        A text file, with or without a byte order mark, which is left out.
    encoding : str, optional
        Its encoding; UTF-8 by default.
    row_errors : RowErrors, optional
        Takes the errors of lines that are not UTF-8; given where each line is a
        row.

    Raises
    ------
    DataError
        A line is not in this encoding.
    """
    if not _is_utf8(encoding) or _only_carriage_returns(path):
        yield from _decoded_lines(path, encoding)
        return
    with open_bytes(path) as file:
        for number, raw in enumerate(file, 1):
            start = len(UTF8_BOM) if number == 1 and raw.startswith(UTF8_BOM) else 0
            try:
                line = raw[start:].decode("utf-8")
            except UnicodeDecodeError as error:
                message = f"byte {start + error.start + 1} of the line is not UTF-8"
                wrong = decoding_error(path, number, message, raw)
                if row_errors is None:
                    raise wrong from error
                row_errors.handle(wrong)
                continue
            yield number, line


def read_text(path: Path, encoding: str | None = None) -> str:
    """Read a text file without any change, so that offsets into it stay valid.

    Parameters
    ----------
    path : Path
        A text file; line ends and a byte order mark are kept.
    encoding : str, optional
        Its encoding; UTF-8 by default.

    Raises
    ------
    DataError
        The file cannot be read, or is not in this encoding.
    """
    data = read_bytes(path)
    try:
        return data.decode(encoding or "utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        message = f"byte {error.start + 1} of the file is not {_shown(encoding)}"
        raise decoding_error(path, line, message, data) from error


def decoding_error(path: Path | str, line: int, problem: str, data: bytes) -> DataError:
    """Build the error of a file that is in another encoding, with its remedy.

    Parameters
    ----------
    path : Path or str
        The file.
    line : int
        The line, counted from 1.
    problem : str
        Description of the problem.
    data : bytes
        The first bytes of the file, or of the line.
    """
    # Its byte order mark identifies UTF-16; of the others none identifies itself.
    is_utf16 = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    name = 'encoding="utf-16"' if is_utf16 else 'such as encoding="cp1252"'
    return SourceLocation(str(path), line).error(
        problem,
        remedy=f"Name the encoding in session.add or nbner.read, {name}, or save the file as UTF-8",
    )


def _is_utf8(encoding: str | None) -> bool:
    return encoding is None or codecs.lookup(encoding).name in ("utf-8", "utf-8-sig")


def _shown(encoding: str | None) -> str:
    return "UTF-8" if _is_utf8(encoding) else str(encoding)


def _only_carriage_returns(path: Path) -> bool:
    """Return whether the file has carriage returns and no line feed."""
    with open_bytes(path) as file:
        found = False
        while chunk := file.read(_CHUNK):
            # One line feed decides, and most files have one in their first chunk.
            if b"\n" in chunk:
                return False
            found = found or b"\r" in chunk
        return found


def _decoded_lines(path: Path, encoding: str | None) -> Iterator[tuple[int, str]]:
    """Yield the lines of a file that cannot be cut into lines before it is decoded."""
    end = "\n" if _has_line_feed(path, encoding) else "\r"
    number, rest = 0, ""
    for text in _decoded_chunks(path, encoding):
        *lines, rest = (rest + text).split(end)
        for line in lines:
            number += 1
            yield number, line + end
    if rest:
        yield number + 1, rest


def _has_line_feed(path: Path, encoding: str | None) -> bool:
    return any("\n" in text for text in _decoded_chunks(path, encoding))


def _decoded_chunks(path: Path, encoding: str | None) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder(encoding or "utf-8")()
    line, is_first = 1, True
    with open_bytes(path) as file:
        while True:
            data = file.read(_CHUNK)
            try:
                text = decoder.decode(data, final=not data)
            except UnicodeDecodeError as error:
                line += error.object.count(b"\n", 0, error.start)
                message = f"the file is not {_shown(encoding)}: {error.reason}"
                raise decoding_error(path, line, message, data) from error
            if text:
                yield text.removeprefix(BYTE_ORDER_MARK) if is_first else text
                is_first = False
                line += text.count("\n")
            if not data:
                return


def check_name(path: Path) -> Path:
    """Return a path whose name the file system can hold.

    Parameters
    ----------
    path : Path
        Where something is to be written.

    Raises
    ------
    DataError
        The name is too long, or has a character that no file name can have.
    """
    try:
        path.lstat()
    except FileNotFoundError:
        return path
    except OSError as error:
        raise _is_not_writable(path, error) from error
    except ValueError as error:
        raise DataError(
            f"{str(path)!r} has a character that no file name can have", remedy="Remove it"
        ) from error
    return path


@contextmanager
def atomic_write(path: Path) -> Iterator[IO[bytes]]:
    """Open a temporary file that replaces ``path`` only if the block succeeds.

    Parameters
    ----------
    path : Path
        The file to write; with the suffix ``.gz`` it is compressed.

    Raises
    ------
    DataError
        The folder does not exist, or the file cannot be written.
    """
    if check_name(path).is_dir():
        raise _is_a_folder(path)
    try:
        with draft_file(path) as file:
            if path.suffix.lower() == GZIP_SUFFIX:
                # Without a time of writing: the same examples give the same bytes.
                with gzip.GzipFile("", "wb", fileobj=file, mtime=0) as compressed:
                    yield cast("IO[bytes]", compressed)
            else:
                yield file
    except OSError as error:
        raise _is_not_writable(path, error) from error
    except UnicodeEncodeError as error:
        raise _is_not_encodable(path, error) from error


@contextmanager
def atomic_pair(path: Path, beside: Path) -> Iterator[tuple[IO[bytes], IO[bytes]]]:
    """Open two temporary files that replace a file and the one that belongs to it.

    Two files cannot be moved in one step: ``beside`` is removed first and put
    in place last, so that an old one never lies beside a new ``path``.

    Parameters
    ----------
    path, beside : Path
        The files to write, in one folder.

    Raises
    ------
    DataError
        The folder does not exist, or a file cannot be written.
    """
    for one in (path, beside):
        if check_name(one).is_dir():
            raise _is_a_folder(one)
    try:
        with draft_folder(path.parent) as draft:
            with (draft / "path").open("xb") as first, (draft / "beside").open("xb") as second:
                yield first, second
            sync_tree(draft)
            beside.unlink(missing_ok=True)
            (draft / "path").replace(path)
            (draft / "beside").replace(beside)
        sync_folder(path.parent)
    except OSError as error:
        raise _is_not_writable(path, error) from error
    except UnicodeEncodeError as error:
        raise _is_not_encodable(path, error) from error


@contextmanager
def atomic_folder(folder: Path) -> Iterator[Path]:
    """Create a temporary folder that becomes ``folder`` only if the block succeeds.

    Parameters
    ----------
    folder : Path
        The folder to write; one with files of the same names is replaced. A
        process that is killed leaves the old folder or the new one; between the
        two the old one is called ``.nbner-before-<folder>``, and the next export
        renames it back.

    Raises
    ------
    DataError
        There is a file of that name, a folder with other files, or no space.
    """
    folder = check_name(folder).resolve()
    # Shortened, so that the old folder's other name is not too long where its own is not.
    name = folder.name.encode("utf-8", "replace")[:_MAX_NAME].decode("utf-8", "ignore")
    before = folder.with_name(f"{_BEFORE_PREFIX}{name}")
    try:
        _settle_before(folder, before)
        with draft_folder(folder.parent) as draft:
            new = draft / "new"
            new.mkdir()
            yield new
            _check_others(folder, {one.name for one in new.iterdir()})
            sync_tree(new)
            if folder.exists():
                shutil.copymode(folder, new)
                folder.replace(before)
            new.replace(folder)
            sync_folder(folder.parent)
        _settle_before(folder, before)
    except OSError as error:
        _settle_before(folder, before)
        raise _is_not_writable(folder, error) from error
    except UnicodeEncodeError as error:
        raise _is_not_encodable(folder, error) from error


def _settle_before(folder: Path, before: Path) -> None:
    """Rename the old folder back where the new one never had its name, or remove it."""
    if not before.exists():
        return
    if folder.exists():
        shutil.rmtree(before, ignore_errors=True)
        return
    with suppress(OSError):
        before.replace(folder)


def _check_others(folder: Path, made: set[str]) -> None:
    if not folder.exists():
        return
    others = sorted(one.name for one in folder.iterdir() if one.name not in made)
    if others:
        raise DataError(
            f"the folder holds other files, such as {others[0]}, which would mix with these",
            file=folder,
            remedy="Name a new folder",
        )


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


def _is_not_encodable(path: Path, error: UnicodeEncodeError) -> DataError:
    found = error.object[error.start : error.end]
    return DataError(f"{found!r} has no place in UTF-8", file=path)


def _is_not_writable(path: Path, error: OSError) -> DataError:
    return DataError(
        f"this cannot be written: {error.strerror}",
        file=path,
        remedy="Choose a folder that is there, may be written and has room",
    )
