"""Tables: CSV and TSV files and pandas DataFrames with a column ``text``.

Columns with the name of a Prodigy task's key (see ``prodigy``) are read as that
key, with lists and objects as JSON. All other columns are the user's own and go
to ``meta``.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbner.errors import DataError
from nbner.io.files import atomic_write, numbered_lines, raw_lines, uncompressed_suffix
from nbner.io.options import ReadOptions
from nbner.io.prodigy import row_from_task, task_from_example
from nbner.io.rows import Row, SourceLocation
from nbner.types import Example

if TYPE_CHECKING:
    from pandas import DataFrame

SUFFIXES = (".csv",)
TAB_SUFFIX = ".tsv"

_TEXT = "text"
_JSON_COLUMNS = ("spans", "tokens", "meta")
_NUMBER_COLUMNS = ("_input_hash", "_task_hash", "_timestamp")
_BOOL_COLUMNS = ("flagged",)
_COLUMNS = (
    *(_TEXT, "spans", "answer", "flagged", "note", "meta", "tokens"),
    *(*_NUMBER_COLUMNS, "_annotator_id", "_session_id", "_view_id"),
)

_DELIMITERS = ",;\t"
# The csv module's own limit, 131,072 characters, is less than a long document.
_MAX_CELL = 2**31 - 1
_TRUE = ("true", "yes", "1", "1.0")
_FALSE = ("false", "no", "0", "0.0")


def read(path: Path, options: ReadOptions) -> Iterator[Row]:
    """Yield the rows of a table with a header line, separated by commas, semicolons or tabs.

    Parameters
    ----------
    path : Path
        A CSV or TSV file.
    options : ReadOptions
        ``encoding`` is that of the file.

    Raises
    ------
    DataError
        There is no column ``text``, a column name occurs twice, or a cell has
        the wrong type for its column.
    """
    csv.field_size_limit(_MAX_CELL)
    counter = _LineCounter(path, options.encoding)
    delimiter = _delimiter(path, options.encoding)
    records = csv.reader(counter, delimiter=delimiter, strict=True)
    header = _next_record(records, counter, str(path)) or []
    check_columns(header, str(path))
    while True:
        try:
            cells = _next_record(records, counter, str(path))
            if cells is None:
                return
            if cells:
                row = _row(header, cells, SourceLocation(str(path), counter.number))
        except DataError as error:
            options.row_errors.handle(error)
            continue
        if cells:
            yield row


def _next_record(
    records: Iterator[list[str]], counter: _LineCounter, file: str
) -> list[str] | None:
    """Return the cells of the next record; None at the end of the file."""
    first = counter.number + 1
    try:
        return next(records, None)
    except csv.Error as error:
        # An open quote takes all lines to the end of the file with it.
        to = f", and takes the lines to {counter.number} with it" if counter.number > first else ""
        raise DataError(
            f"this is not CSV: {error}{to}", file=file, line=first, remedy='Quote with "'
        ) from error


def _row(header: Sequence[str], cells: list[str], location: SourceLocation) -> Row:
    return row_of_values(header, _values_of(cells, header, location), location)


def read_frame(frame: DataFrame, options: ReadOptions) -> Iterator[Row]:
    """Yield the rows of a DataFrame; empty cells (NaN, None, NaT) are skipped.

    Parameters
    ----------
    frame : DataFrame
        With a column ``text``.
    options : ReadOptions
        ``row_errors`` takes the errors of single rows.

    Raises
    ------
    DataError
        As for ``read``; the line is the row's position, counted from 1.
    """
    header = [str(name) for name in frame.columns]
    check_columns(header, None)
    for number, cells in enumerate(frame.itertuples(index=False, name=None), 1):
        location = SourceLocation(None, number)
        values = [plain_value(cell) for cell in cells]
        try:
            row = row_of_values(header, values, location)
        except DataError as error:
            options.row_errors.handle(error)
            continue
        yield row


def looks_like(path: Path, encoding: str | None = None) -> bool:
    """Return whether the first line of a file names a column ``text``.

    Parameters
    ----------
    path : Path
        A text file.
    encoding : str, optional
        Its encoding; UTF-8 by default.
    """
    return _TEXT in _first_cells(path, _delimiter(path, encoding), encoding)


def write(examples: Iterable[Example], path: Path) -> int:
    """Write every example as one row; a ``.tsv`` is separated by tabs.

    Keys that nbner does not interpret are not written: only .jsonl keeps them.

    Parameters
    ----------
    examples : iterable of Example
        Consumed one by one.
    path : Path
        Replaced if it exists.

    Returns
    -------
    int
        Number of examples.
    """
    count = 0
    with atomic_write(path) as file:
        out = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
        table = csv.writer(out, delimiter="\t" if uncompressed_suffix(path) == TAB_SUFFIX else ",")
        table.writerow(_COLUMNS)
        for example in examples:
            task = task_from_example(example)
            table.writerow([_cell(name, task.get(name)) for name in _COLUMNS])
            count += 1
        out.detach()
    return count


class _LineCounter:
    """The lines of a file for the csv module, with the number of the last line read."""

    def __init__(self, path: Path, encoding: str | None) -> None:
        self.number = 0
        self._lines = raw_lines(path, encoding)

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        self.number, line = next(self._lines)
        return line


def _first_cells(path: Path, delimiter: str, encoding: str | None) -> list[str]:
    _, line = next(numbered_lines(path, encoding), (0, ""))
    return [cell.strip().strip('"') for cell in line.split(delimiter)]


def _delimiter(path: Path, encoding: str | None) -> str:
    for delimiter in _DELIMITERS:
        if _TEXT in _first_cells(path, delimiter, encoding):
            return delimiter
    return _DELIMITERS[0]


def check_columns(header: Sequence[str], file: str | None) -> None:
    """Raise unless there is a column ``text``, and no column name occurs twice.

    Parameters
    ----------
    header : sequence of str
        Names of the columns.
    file : str, optional
        The file, for the message.

    Raises
    ------
    DataError
        A column is missing or occurs twice.
    """
    line = None if file is None else 1
    twice = next((name for i, name in enumerate(header) if name in header[:i]), None)
    if twice is not None:
        raise DataError(
            "the column stands there twice", file=file, line=line, field=twice, remedy="Rename one"
        )
    if _TEXT not in header:
        raise DataError(
            f"there is no column 'text' among {', '.join(map(repr, header[:8])) or 'none'}",
            file=file,
            line=line,
            field=_TEXT,
            remedy="Rename the column that holds the texts to 'text'",
        )


def row_of_values(header: Sequence[str], values: Sequence[Any], location: SourceLocation) -> Row:
    """Convert one row of plain values to a row.

    Parameters
    ----------
    header : sequence of str
        Names of the columns.
    values : sequence
        One value for each column; None for an empty cell.
    location : SourceLocation
        File and line, for messages.

    Raises
    ------
    DataError
        A cell has the wrong type for its column, or there is no text.
    """
    return row_from_task(_task(header, values, location), location)


def _values_of(cells: Sequence[str], header: Sequence[str], location: SourceLocation) -> list[Any]:
    """Return one value for each column; None for an empty cell."""
    if len(cells) != len(header):
        raise location.error(
            f"the row has {len(cells)} cells, the head has {len(header)}",
            remedy='A cell that holds the separator or a line end is quoted with "',
        )
    return [
        cell if cell != "" or name == _TEXT else None
        for name, cell in zip(header, cells, strict=True)
    ]


def _task(header: Sequence[str], values: Sequence[Any], location: SourceLocation) -> dict[str, Any]:
    task: dict[str, Any] = {}
    meta: dict[str, Any] = {}
    for name, value in zip(header, values, strict=True):
        if value is None:
            continue
        if name in _COLUMNS:
            task[name] = _task_value(name, value, location)
        else:
            meta[name] = value
    if task.get(_TEXT) is None:
        raise location.error(
            "the cell is empty", field=_TEXT, remedy="Drop the rows without a text"
        )
    if meta:
        task["meta"] = {**meta, **task["meta"]} if isinstance(task.get("meta"), dict) else meta
    return task


def _task_value(name: str, value: Any, location: SourceLocation) -> Any:
    if name in _JSON_COLUMNS and isinstance(value, str):
        try:
            return json.loads(value)
        except (ValueError, RecursionError) as error:
            raise location.error(f"the cell is not JSON: {error}", field=name) from error
    if name in _NUMBER_COLUMNS and isinstance(value, (str, float)):
        return _number(name, value, location)
    if name in _BOOL_COLUMNS:
        return _bool(name, str(value).strip().lower(), location)
    return value


def _number(name: str, cell: str | float, location: SourceLocation) -> float:
    try:
        number = float(cell)
    except ValueError:
        raise location.error(f"{cell!r} is not a number", field=name) from None
    # A column of whole numbers with an empty cell is a column of floats in pandas.
    return int(number) if number.is_integer() else number


def _bool(name: str, word: str, location: SourceLocation) -> bool:
    if word not in (*_TRUE, *_FALSE):
        raise location.error(f"{word!r} is neither true nor false", field=name)
    return word in _TRUE


def plain_value(cell: Any) -> Any:
    """Convert a cell of NumPy or pandas to a plain value; None for every kind of missing value.

    Parameters
    ----------
    cell : object
        A cell of a DataFrame or of another table.
    """
    import pandas as pd

    if isinstance(cell, (str, list, tuple, dict)) or cell is None:
        return cell
    if pd.api.types.is_scalar(cell) and pd.isna(cell):
        return None
    if hasattr(cell, "isoformat"):
        return cell.isoformat()
    return cell.tolist() if hasattr(cell, "tolist") else cell


def _cell(name: str, value: Any) -> Any:
    if value is None:
        return ""
    if name in _JSON_COLUMNS:
        return json.dumps(value, ensure_ascii=False)
    return str(value).lower() if name in _BOOL_COLUMNS else value
