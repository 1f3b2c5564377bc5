"""Plain text files: one text for each line, for each paragraph, or for the whole file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from nbner.io.files import numbered_lines, read_text
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
        A UTF-8 file.
    options : ReadOptions
        ``by`` is the unit that becomes one row.

    Raises
    ------
    DataError
        The file is not UTF-8.
    """
    if options.by == "file":
        text = read_text(path)
        if text.strip():
            yield Row(text, meta={"document": path.stem}, file=str(path), line=1)
    elif options.by == "paragraph":
        yield from _paragraphs(path)
    else:
        for number, line in numbered_lines(path):
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
        A file is not UTF-8.
    """
    for path in sorted(folder.glob("*.txt")):
        yield from read(path, options)


def _paragraphs(path: Path) -> Iterator[Row]:
    lines: list[str] = []
    first = 0
    for number, line in numbered_lines(path):
        if line.strip():
            first = first or number
            lines.append(line)
        elif lines:
            yield Row("\n".join(lines), file=str(path), line=first)
            lines, first = [], 0
    if lines:
        yield Row("\n".join(lines), file=str(path), line=first)
