"""The objects of a JSON file, one by one: memory holds one item, not the file."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from nbner.io.files import UTF8_BOM
from nbner.io.rows import SourceLocation

#: One example of more characters than this is no example but a damaged file.
MAX_ITEM_LENGTH = 2**28

_CHUNK = 2**16
_BLANK = re.compile(r"[ \t\r\n]*")
_REMEDY = "A .json file holds a list of objects, or one object"


def iter_items(path: Path) -> Iterator[tuple[Any, SourceLocation]]:
    """Yield the items of a JSON list with their lines; an object is a list of one.

    Raises
    ------
    DataError
        This is not JSON, or not UTF-8.
    """
    with path.open("rb") as file:
        if file.read(len(UTF8_BOM)) != UTF8_BOM:
            file.seek(0)
        reading = _Reading(file, str(path))
        if reading.peek() == "[":
            yield from _listed(reading)
        elif reading.peek():
            yield reading.item()
        if reading.peek():
            raise reading.place.error("there is more behind the end of the JSON", remedy=_REMEDY)


def _listed(reading: _Reading) -> Iterator[tuple[Any, SourceLocation]]:
    reading.skip()
    if reading.peek() == "]":
        reading.skip()
        return
    while True:
        yield reading.item()
        mark = reading.peek()
        if mark not in (",", "]"):
            said = f"{mark!r} stands" if mark else "the file ends"
            raise reading.place.error(f"{said} where a comma should be", remedy=_REMEDY)
        reading.skip()
        if mark == "]":
            return


class _Reading:
    """A file with the part of it that is in memory."""

    def __init__(self, file: IO[bytes], name: str) -> None:
        self._file = file
        self._name = name
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._parser = json.JSONDecoder()
        self._buffer = ""
        self._at = 0
        self._line = 1
        self._ended = False

    @property
    def place(self) -> SourceLocation:
        """Where the reading stands."""
        return SourceLocation(self._name, self._line)

    def peek(self) -> str:
        """Pass over blanks and give the next character; nothing at the end."""
        while True:
            blank = _BLANK.match(self._buffer, self._at)
            self._move(blank.end() if blank else self._at)
            if self._at < len(self._buffer) or not self._grow():
                return self._buffer[self._at : self._at + 1]

    def skip(self) -> None:
        """Pass over one character."""
        self._move(self._at + 1)

    def item(self) -> tuple[Any, SourceLocation]:
        """Read the value that begins here."""
        self.peek()
        place = self.place
        while True:
            try:
                value, end = self._parser.raw_decode(self._buffer, self._at)
            except (ValueError, RecursionError) as error:
                # The rest may be still to come; a value that has grown enough is damaged.
                if self._grow(len(self._buffer) - self._at):
                    continue
                raise place.error(f"this is not JSON: {error}", remedy=_REMEDY) from error
            # A number may go on behind the end of what is in memory.
            if end == len(self._buffer) and self._grow():
                continue
            self._move(end)
            return value, place

    def _move(self, to: int) -> None:
        self._line += self._buffer.count("\n", self._at, to)
        self._at = to

    def _grow(self, by: int = 0) -> bool:
        """Read on, by as much again as there is, so that long items cost no more than twice."""
        if self._ended or len(self._buffer) - self._at > MAX_ITEM_LENGTH:
            return False
        data = self._file.read(max(by, _CHUNK))
        self._ended = not data
        try:
            more = self._decoder.decode(data, final=self._ended)
        except UnicodeDecodeError as error:
            raise self.place.error(
                f"the file is not UTF-8: {error.reason}", remedy="Save the file as UTF-8"
            ) from error
        self._buffer = self._buffer[self._at :] + more
        self._at = 0
        return bool(more) or not self._ended
