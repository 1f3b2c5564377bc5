"""Plain text files: one text for each line, for each paragraph, or for the whole file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from nbner.io.files import BYTE_ORDER_MARK, numbered_lines, read_text
from nbner.io.options import ReadOptions
from nbner.io.rows import Row

SUFFIXES = (".txt",)


def read(path: Path, options: ReadOptions) -> Iterator[Row]:
    """Yield a row for every text that is not blank.

    A paragraph ends at a blank line; line ends inside a paragraph stay in its
    text. A file read as one text keeps every character.

    Parameters
    ----------
    path : Path
        A text file; a byte order mark is left out.
    options : ReadOptions
        ``by`` is the unit that becomes one row, ``encoding`` that of the file.

    Raises
    ------
    DataError
        The file is not in this encoding.
    """
    if options.by == "file":
        yield from options.row_errors.guard(_whole(path, options.encoding))
    elif options.by == "paragraph":
        yield from _paragraphs(path, options.encoding)
    else:
        for number, line in numbered_lines(path, options.encoding, options.row_errors):
            if line.strip():
                yield Row(line, file=str(path), line=number)


def read_folder(folder: Path, options: ReadOptions) -> Iterator[Row]:
    """Yield the texts of a folder's ``.txt`` files, in the order of their names.

    Parameters
    ----------
    folder : Path
        Subfolders are not read.
    options : ReadOptions
        ``by`` is the unit that becomes one row.

    Raises
    ------
    DataError
        A file is not in this encoding.
    """
    for path in sorted(folder.glob("*.txt")):
        yield from read(path, options)


def _whole(path: Path, encoding: str | None) -> Iterator[Row]:
    text = read_text(path, encoding).removeprefix(BYTE_ORDER_MARK)
    if text.strip():
        yield Row(text, meta={"document": path.stem}, file=str(path), line=1)


def _paragraphs(path: Path, encoding: str | None) -> Iterator[Row]:
    lines: list[str] = []
    first = 0
    for number, line in numbered_lines(path, encoding):
        if line.strip():
            first = first or number
            lines.append(line)
        elif lines:
            yield Row("\n".join(lines), file=str(path), line=first)
            lines, first = [], 0
    if lines:
        yield Row("\n".join(lines), file=str(path), line=first)
