"""Plain texts: a file with one a line, one a paragraph, or one in all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from nbner.io.files import numbered_lines, read_text
from nbner.io.options import ReadOptions
from nbner.io.rows import Row

SUFFIXES = (".txt",)


def read(path: Path, choices: ReadOptions) -> Iterator[Row]:
    """Yield a row for every text that holds more than whitespace.

    A paragraph ends where a line holds nothing but whitespace; its own line
    ends stay in its text. A file read as one text keeps every character.

    Raises
    ------
    DataError
        The file is not UTF-8.
    """
    if choices.by == "file":
        text = read_text(path)
        if text.strip():
            yield Row(text, meta={"document": path.stem}, file=str(path), line=1)
    elif choices.by == "paragraph":
        yield from _paragraphs(path)
    else:
        for number, line in numbered_lines(path):
            if line.strip():
                yield Row(line, file=str(path), line=number)


def read_folder(folder: Path, choices: ReadOptions) -> Iterator[Row]:
    """Yield the texts of a folder's ``.txt`` files, in the order of their names."""
    for path in sorted(folder.glob("*.txt")):
        yield from read(path, choices)


def _paragraphs(path: Path) -> Iterator[Row]:
    open_lines: list[str] = []
    first = 0
    for number, line in numbered_lines(path):
        if line.strip():
            first = first or number
            open_lines.append(line)
        elif open_lines:
            yield Row("\n".join(open_lines), file=str(path), line=first)
            open_lines, first = [], 0
    if open_lines:
        yield Row("\n".join(open_lines), file=str(path), line=first)
