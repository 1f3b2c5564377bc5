"""Plain texts: a file with one a line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from nbner.data.formats.files import lines
from nbner.data.rows import Row

SUFFIXES = (".txt",)


def read(path: Path) -> Iterator[Row]:
    """Yield a row for every line that holds more than whitespace.

    Raises
    ------
    DataError
        A line is not UTF-8.
    """
    for number, line in lines(path):
        if line.strip():
            yield Row(line, file=str(path), line=number)
