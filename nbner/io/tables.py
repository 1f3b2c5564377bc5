"""Tables: CSV and TSV files and pandas DataFrames, with a column ``text``.

Columns named as the keys of a task (see ``prodigy``) are read as these; lists
and objects stand in them as JSON. All other columns are the user's own and go
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
from nbner.io.files import atomic_write, numbered_lines, raw_lines
from nbner.io.prodigy import row_from_task
from nbner.io.prodigy_writing import task_from_example
from nbner.io.rows import Row, SourceLocation
from nbner.types import Example

if TYPE_CHECKING:
    from pandas import DataFrame

SUFFIXES = (".csv",)
TABBED = ".tsv"
TEXT = "text"

_JSON = ("spans", "tokens", "meta")
_NUMBERS = ("_input_hash", "_task_hash", "_timestamp")
_BOOLS = ("flagged",)
_STRINGS = ("answer", "note", "_annotator_id", "_session_id", "_view_id")
COLUMNS = (TEXT, "spans", "answer", "flagged", "note", "meta", "tokens", *_NUMBERS, *_STRINGS[2:])

_DELIMITERS = ",;\t"
# The csv module's own limit, 131,072 characters, is less than a long document.
_LONGEST_CELL = 2**31 - 1
_TRUE = ("true", "yes", "1", "1.0")
_FALSE = ("false", "no", "0", "0.0")


def read(path: Path) -> Iterator[Row]:
    """Yield the rows of a table with a head line, parted by commas, semicolons or tabs.

    Raises
    ------
    DataError
        There is no column ``text``, a column stands twice, or a cell is not
        what its column holds.
    """
    csv.field_size_limit(_LONGEST_CELL)
    counter = _LineCounter(path)
    records = csv.reader(counter, delimiter=_delimiter(path), strict=True)
    try:
        head = next(records, [])
        _check_columns(head, str(path))
        for cells in records:
            place = SourceLocation(str(path), counter.number)
            if cells:
                yield row_from_task(_task(head, _as_wide(cells, head, place), place), place)
    except csv.Error as error:
        raise DataError(
            f"this is not CSV: {error}", file=path, line=counter.number, remedy='Quote with "'
        ) from error


def read_frame(frame: DataFrame) -> Iterator[Row]:
    """Yield the rows of a DataFrame; empty cells (NaN, None, NaT) say nothing.

    Raises
    ------
    DataError
        As for ``read``; the line is the row's position, counted from 1.
    """
    head = [str(name) for name in frame.columns]
    _check_columns(head, None)
    for number, cells in enumerate(frame.itertuples(index=False, name=None), 1):
        place = SourceLocation(None, number)
        yield row_from_task(_task(head, [_plain(cell) for cell in cells], place), place)


def looks_like(path: Path) -> bool:
    """Whether the first line names a column ``text``."""
    return TEXT in _first_cells(path, _delimiter(path))


def write(examples: Iterable[Example], path: Path) -> int:
    """Write every example as one row, and say how many there were; tabs part a .tsv.

    Keys that nbner does not know stay out: only .jsonl carries them.
    """
    count = 0
    with atomic_write(path) as file:
        out = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
        table = csv.writer(out, delimiter="\t" if path.suffix.lower() == TABBED else ",")
        table.writerow(COLUMNS)
        for example in examples:
            task = task_from_example(example)
            table.writerow([_cell(name, task.get(name)) for name in COLUMNS])
            count += 1
        out.detach()
    return count


class _LineCounter:
    """The lines of a file for the csv module, which cannot count them, and the last's number."""

    def __init__(self, path: Path) -> None:
        self.number = 0
        self._lines = raw_lines(path)

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        self.number, line = next(self._lines)
        return line


def _first_cells(path: Path, delimiter: str) -> list[str]:
    _, line = next(numbered_lines(path), (0, ""))
    return [cell.strip().strip('"') for cell in line.split(delimiter)]


def _delimiter(path: Path) -> str:
    for delimiter in _DELIMITERS:
        if TEXT in _first_cells(path, delimiter):
            return delimiter
    return _DELIMITERS[0]


def _check_columns(head: Sequence[str], file: str | None) -> None:
    line = None if file is None else 1
    twice = next((name for i, name in enumerate(head) if name in head[:i]), None)
    if twice is not None:
        raise DataError(
            "the column stands there twice", file=file, line=line, field=twice, remedy="Rename one"
        )
    if TEXT not in head:
        raise DataError(
            f"there is no column 'text' among {', '.join(map(repr, head[:8])) or 'none'}",
            file=file,
            line=line,
            field=TEXT,
            remedy="Rename the column that holds the texts to 'text'",
        )


def _as_wide(cells: list[str], head: list[str], place: SourceLocation) -> list[Any]:
    if len(cells) != len(head):
        raise place.error(
            f"the row has {len(cells)} cells, the head has {len(head)}",
            remedy='A cell that holds the separator or a line end is quoted with "',
        )
    return [
        cell if cell != "" or name == TEXT else None for name, cell in zip(head, cells, strict=True)
    ]


def _task(head: Sequence[str], cells: Sequence[Any], place: SourceLocation) -> dict[str, Any]:
    task: dict[str, Any] = {}
    meta: dict[str, Any] = {}
    for name, cell in zip(head, cells, strict=True):
        if cell is None:
            continue
        if name in COLUMNS:
            task[name] = _value(name, cell, place)
        else:
            meta[name] = cell
    if task.get(TEXT) is None:
        raise place.error("the cell is empty", field=TEXT, remedy="Drop the rows without a text")
    if meta:
        task["meta"] = {**meta, **task["meta"]} if isinstance(task.get("meta"), dict) else meta
    return task


def _value(name: str, cell: Any, place: SourceLocation) -> Any:
    if name in _JSON and isinstance(cell, str):
        try:
            return json.loads(cell)
        except (ValueError, RecursionError) as error:
            raise place.error(f"the cell is not JSON: {error}", field=name) from error
    if name in _NUMBERS and isinstance(cell, (str, float)):
        return _number(name, cell, place)
    if name in _BOOLS:
        return _truth(name, str(cell).strip().lower(), place)
    return cell


def _number(name: str, cell: str | float, place: SourceLocation) -> float:
    try:
        number = float(cell)
    except ValueError:
        raise place.error(f"{cell!r} is not a number", field=name) from None
    # A column of whole numbers with an empty cell in it is a column of floats to pandas.
    return int(number) if number.is_integer() else number


def _truth(name: str, word: str, place: SourceLocation) -> bool:
    if word not in (*_TRUE, *_FALSE):
        raise place.error(f"{word!r} is neither true nor false", field=name)
    return word in _TRUE


def _plain(cell: Any) -> Any:
    """Give a cell's value without NumPy and pandas; None for the many kinds of nothing."""
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
    if name in _JSON:
        return json.dumps(value, ensure_ascii=False)
    return str(value).lower() if name in _BOOLS else value
