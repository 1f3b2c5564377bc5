"""JSON and JSON Lines files of Prodigy tasks, Label Studio tasks or token rows.

Each object is recognized by its keys, so that one file may mix them. A ``.json``
file is parsed as a stream: memory holds one item, not the whole file.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from nbner.io import documents, huggingface, label_studio, prodigy
from nbner.io.files import BYTE_ORDER_MARK, decoding_error, numbered_lines, open_bytes
from nbner.io.options import ReadOptions
from nbner.io.rows import Row, SourceLocation
from nbner.io.task_shapes import read_task

# An item with more characters is not an example but a damaged file.
_MAX_ITEM_LENGTH = 2**28
_CHUNK = 2**16  # bytes
_BLANK = re.compile(r"[ \t\r\n]*")
_REMEDY = "A .json file holds a list of objects, or one object"


def rows_from_object(
    value: Mapping[str, Any], location: SourceLocation, options: ReadOptions
) -> Iterator[Row]:
    """Yield the rows of one object: one, or one for each annotator.

    Parameters
    ----------
    value : mapping
        A Prodigy task, a Label Studio task or a token row.
    location : SourceLocation
        File and line of the object, for messages.
    options : ReadOptions
        ``tag_names`` are the tags of a token row.

    Raises
    ------
    DataError
        A key is missing or has the wrong type.
    """
    if label_studio.looks_like(value):
        yield from label_studio.rows_from_task(value, location, options)
    elif documents.looks_like(value):
        # A file may be one object: a text that cannot be read does not cost the others.
        for part in documents.parts_of(value, location, options.row_errors):
            yield from options.row_errors.guard(rows_from_object(part, location, options))
    else:
        read = read_task(value, location, options)
        if huggingface.looks_like(read.task):
            row = huggingface.row_from_token_row(read.task, location, options.tag_names)
        else:
            row = prodigy.row_from_task(read.task, location)
        yield read.complete(row)


def rows_from_value(value: object, location: SourceLocation, options: ReadOptions) -> Iterator[Row]:
    """Yield the rows of an object, of a pair of a text and its annotations, or of tagged words.

    Parameters
    ----------
    value : object
        A mapping, or a list or tuple as in spaCy's training data.
    location : SourceLocation
        File and line of the value, for messages.
    options : ReadOptions
        Options of the reader.

    Raises
    ------
    DataError
        The value is none of these.
    """
    if not isinstance(value, Mapping):
        value = documents.object_from_pair(value, location)
    yield from rows_from_object(value, location, options)


def read_lines(path: Path, options: ReadOptions) -> Iterator[Row]:
    """Yield the rows of a JSON Lines file; blank lines are skipped.

    Parameters
    ----------
    path : Path
        A UTF-8 file with one JSON object per line.
    options : ReadOptions
        ``tag_names`` are the tags of token rows.

    Raises
    ------
    DataError
        A line is not a JSON object, or not a task.
    """
    for number, line in numbered_lines(path, options.encoding, options.row_errors):
        if line.strip():
            location = SourceLocation(str(path), number)
            yield from options.row_errors.guard(_rows_of_line(line, location, options))


def read(path: Path, options: ReadOptions) -> Iterator[Row]:
    """Yield the rows of a file with one JSON list of objects, or with one object.

    Parameters
    ----------
    path : Path
        A UTF-8 file.
    options : ReadOptions
        ``tag_names`` are the tags of token rows.

    Raises
    ------
    DataError
        The file is not JSON, or an item is not a task.
    """
    for value, location in _items(path, options.encoding):
        yield from options.row_errors.guard(rows_from_value(value, location, options))


def _rows_of_line(line: str, location: SourceLocation, options: ReadOptions) -> Iterator[Row]:
    yield from rows_from_value(_parsed_line(line, location), location, options)


def _parsed_line(line: str, location: SourceLocation) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        raise location.error(
            f"this is not JSON: {error}", remedy="A .jsonl file holds one JSON object a line"
        ) from error


def _items(path: Path, encoding: str | None) -> Iterator[tuple[Any, SourceLocation]]:
    """Yield the items of a JSON list with their lines; an object is a list of one."""
    with open_bytes(path) as file:
        parser = _StreamParser(file, str(path), encoding or "utf-8")
        if parser.peek() == "[":
            yield from _list_items(parser)
        elif parser.peek():
            yield parser.parse_item()
        if parser.peek():
            raise parser.location.error("there is more behind the end of the JSON", remedy=_REMEDY)


def _list_items(parser: _StreamParser) -> Iterator[tuple[Any, SourceLocation]]:
    parser.skip()
    if parser.peek() == "]":
        parser.skip()
        return
    while True:
        yield parser.parse_item()
        mark = parser.peek()
        if mark not in (",", "]"):
            found = f"{mark!r} stands" if mark else "the file ends"
            raise parser.location.error(f"{found} where a comma should be", remedy=_REMEDY)
        parser.skip()
        if mark == "]":
            return


class _StreamParser:
    """A JSON parser that keeps one part of a file in memory."""

    def __init__(self, file: IO[bytes], name: str, encoding: str) -> None:
        self._file = file
        self._name = name
        self._encoding = encoding
        self._decoder = codecs.getincrementaldecoder(encoding)()
        self._parser = json.JSONDecoder()
        self._buffer = ""
        self._at = 0
        self._line = 1
        self._started = False
        self._ended = False

    @property
    def location(self) -> SourceLocation:
        """The current line."""
        return SourceLocation(self._name, self._line)

    def peek(self) -> str:
        """Skip whitespace and return the next character; empty at the end of the file."""
        while True:
            blank = _BLANK.match(self._buffer, self._at)
            self._move(blank.end() if blank else self._at)
            if self._at < len(self._buffer) or not self._grow():
                return self._buffer[self._at : self._at + 1]

    def skip(self) -> None:
        """Skip one character."""
        self._move(self._at + 1)

    def parse_item(self) -> tuple[Any, SourceLocation]:
        """Parse the value that begins here, and return it with its line."""
        self.peek()
        location = self.location
        while True:
            try:
                value, end = self._parser.raw_decode(self._buffer, self._at)
            except (ValueError, RecursionError) as error:
                # The rest may not be read yet; beyond a certain length the value is damaged.
                if self._grow(len(self._buffer) - self._at):
                    continue
                raise location.error(f"this is not JSON: {error}", remedy=_REMEDY) from error
            # A number may continue beyond the part in memory.
            if end == len(self._buffer) and self._grow():
                continue
            self._move(end)
            return value, location

    def _move(self, to: int) -> None:
        self._line += self._buffer.count("\n", self._at, to)
        self._at = to

    def _grow(self, by: int = 0) -> bool:
        """Read on; doubling the buffer bounds the cost of long items to twice their length."""
        if self._ended or len(self._buffer) - self._at > _MAX_ITEM_LENGTH:
            return False
        data = self._file.read(max(by, _CHUNK))
        self._ended = not data
        try:
            more = self._decoder.decode(data, final=self._ended)
        except UnicodeDecodeError as error:
            name = "UTF-8" if self._encoding == "utf-8" else self._encoding
            problem = f"the file is not {name}: {error.reason}"
            raise decoding_error(self._name, self._line, problem, data) from error
        if more and not self._started:
            more, self._started = more.removeprefix(BYTE_ORDER_MARK), True
        self._buffer = self._buffer[self._at :] + more
        self._at = 0
        return bool(more) or not self._ended
