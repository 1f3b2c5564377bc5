"""Tables: CSV and TSV files and pandas DataFrames with a column ``text``.

Columns with the name of a Prodigy task's key (see ``prodigy``) are read as that
key, with lists and objects as JSON. All other columns are the user's own and go
to ``meta``.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from nbner.errors import DataError
from nbner.io import json_tasks, label_studio, token_tables
from nbner.io.annotators import is_annotator_key
from nbner.io.files import (
    atomic_write,
    numbered_lines,
    raw_lines,
    require_file,
    uncompressed_suffix,
)
from nbner.io.label_keys import holds_entity_row, is_telling_key
from nbner.io.literals import NOT_A_VALUE, looks_like_literal, parse_literal
from nbner.io.options import ReadOptions
from nbner.io.own_frames import is_own_frame
from nbner.io.plain_rows import is_offset_key, may_hold_annotations
from nbner.io.prodigy import task_from_example
from nbner.io.row_errors import RowErrors
from nbner.io.rows import Row, SourceLocation
from nbner.types import ACCEPTED_UNSEEN, ANSWER_MARKS, DONE_TO, Example

if TYPE_CHECKING:
    from pandas import DataFrame

SUFFIXES = (".csv",)
TAB_SUFFIX = ".tsv"

_TEXT = "text"
_JSON_COLUMNS = ("spans", "tokens", "meta", ACCEPTED_UNSEEN)
_NUMBER_COLUMNS = ("_input_hash", "_task_hash", "_timestamp", DONE_TO)
_BOOL_COLUMNS = ("flagged",)
# A spreadsheet runs a cell that begins with one of these as a formula. An apostrophe
# before it makes it text; this column names the cells of a row that got one, so that
# reading takes off those and no other.
_GUARDED = "nbner_guarded"
_GUARD = "'"
_FORMULA_STARTS = tuple("=+-@\t\r\n＝＋－＠")  # noqa: RUF001 - some spreadsheets take these too
_COLUMNS = (
    *(_TEXT, "spans", "answer", "flagged", "note", "meta", "tokens"),
    *(*_NUMBER_COLUMNS, "_annotator_id", "_session_id", "_view_id"),
    *(ACCEPTED_UNSEEN, _GUARDED),
)

# Keys of a task that are no columns of the user.
_KEPT_AS_EXTRA = frozenset(
    (
        *("_session_id", "_view_id", "_is_binary", "_annotator_id", "_label_studio", "_brat"),
        *ANSWER_MARKS,
    )
)
_SPAN_COLUMNS = {"start", "end", "label"}
_BETWEEN = "\x1f"  # the separator of ASCII, between the cells of a row that are searched at once
_MAY_BE_SPANS = re.compile(
    r"[\[({`:=>|;,]|[BIESLUM]-|\x1f(?: |O\x1f)|\d[ \t-]+\d+[ \t-]+[A-Za-z]"
    r"|[A-Za-z][ \t-]+\d+[ \t-]+\d"
)
_Column: TypeAlias = "tuple[str, str]"  # name and kind
_Record: TypeAlias = "tuple[SourceLocation, list[Any]]"

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
    numbered = _numbered(records, header, counter, str(path), options.row_errors)
    yield from rows_of_records(header, numbered, str(path), options)


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
    cells = enumerate(frame.itertuples(index=False, name=None), 1)
    records = (
        (SourceLocation(None, number), [plain_value(cell) for cell in row]) for number, row in cells
    )
    yield from rows_of_records(header, records, None, options)


def looks_like(path: Path, encoding: str | None = None) -> bool:
    """Return whether the first line of a file names a column ``text``, or words and tags.

    Parameters
    ----------
    path : Path
        A text file.
    encoding : str, optional
        Its encoding; UTF-8 by default.
    """
    cells = _first_cells(path, _delimiter(path, encoding), encoding)
    return _TEXT in cells or token_tables.is_header(cells)


def header_of(path: Path, encoding: str | None = None) -> list[str]:
    """Return the names of the columns of a CSV or TSV file.

    Parameters
    ----------
    path : Path
        A text file.
    encoding : str, optional
        Its encoding; UTF-8 by default.

    Raises
    ------
    DataError
        The file cannot be read.
    """
    require_file(path)
    return _first_cells(path, _delimiter(path, encoding), encoding)


def has_header_of_words(path: Path, encoding: str | None = None) -> bool:
    """Return whether the first line of a file names a column of words and one of tags.

    Parameters
    ----------
    path : Path
        A text file.
    encoding : str, optional
        Its encoding; UTF-8 by default.
    """
    return token_tables.is_header(_first_cells(path, "\t", encoding))


def write(examples: Iterable[Example], path: Path) -> int:
    """Write every example as one row; a ``.tsv`` is separated by tabs.

    A text cell that a spreadsheet would run as a formula, since it begins with
    =, +, -, @, a tab or a line end, gets an apostrophe before it. The column
    ``nbner_guarded`` names such cells of a row, and reading takes it off again.

    The columns hold how an answer was given too: `ANSWER_MARKS` of ``nbner.types``.
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
            table.writerow(_guarded([_cell(name, task.get(name)) for name in _COLUMNS]))
            count += 1
        out.detach()
    return count


def _guarded(cells: list[Any]) -> list[Any]:
    """Return a row with an apostrophe before every formula, and their names in its last cell."""
    formulas = [
        name
        for name, cell in zip(_COLUMNS, cells, strict=True)
        if isinstance(cell, str) and cell.startswith(_FORMULA_STARTS)
    ]
    if not formulas:
        return cells
    guarded = [
        f"{_GUARD}{cell}" if name in formulas else cell
        for name, cell in zip(_COLUMNS, cells, strict=True)
    ]
    return [*guarded[:-1], " ".join(formulas)]


def _unguarded(
    header: Sequence[str], records: Iterator[_Record]
) -> tuple[Sequence[str], Iterator[_Record]]:
    """Remove the apostrophes of `_guarded`, and the column that names them."""
    if _GUARDED not in header:
        return header, records
    at = header.index(_GUARDED)

    def restored() -> Iterator[_Record]:
        for location, cells in records:
            if not cells:
                yield location, cells
                continue
            formulas = str(cells[at] or "").split()
            values = [
                cell[1:] if name in formulas and _is_guarded(cell) else cell
                for name, cell in zip(header, cells, strict=True)
            ]
            yield location, values[:at] + values[at + 1 :]

    return [*header[:at], *header[at + 1 :]], restored()


def _is_guarded(cell: Any) -> bool:
    return isinstance(cell, str) and cell[:1] == _GUARD and cell[1:].startswith(_FORMULA_STARTS)


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
    return max(_DELIMITERS, key=lambda delimiter: len(_first_cells(path, delimiter, encoding)))


def _numbered(
    records: Iterator[list[str]],
    header: list[str],
    counter: _LineCounter,
    file: str,
    row_errors: RowErrors,
) -> Iterator[_Record]:
    while True:
        try:
            cells = _next_record(records, counter, file)
            if cells is None:
                return
            location = SourceLocation(file, counter.number)
            values = _values_of(cells, header, location) if cells else []
        except DataError as error:
            row_errors.handle(error)
            continue
        yield location, values


def rows_of_records(
    header: Sequence[str],
    records: Iterator[_Record],
    file: str | None,
    options: ReadOptions,
) -> Iterator[Row]:
    """Yield the rows of a table whose cells are plain values.

    Parameters
    ----------
    header : sequence of str
        Names of the columns.
    records : iterator of (SourceLocation, list)
        One value for each column, None for an empty cell; an empty list is a
        blank line.
    file : str, optional
        The file, for messages.
    options : ReadOptions
        Options of the reader.

    Raises
    ------
    DataError
        As for ``read``.
    """
    _check_unique(header, file)
    header, records = _unguarded(header, records)
    if token_tables.may_be_table(header, options):
        sample = list(islice(records, token_tables.SAMPLE_ROWS))
        records = chain(sample, records)
        found = token_tables.find_columns(header, [cells for _, cells in sample], file, options)
        if found is not None:
            yield from token_tables.rows(found, header, records, options.row_errors)
            return
    _check_columns(header, file, options)
    is_foreign = _is_foreign(header, options)
    columns = _columns_of(header, options.labels, is_foreign=is_foreign)
    needs_text = not (is_foreign or _has_words(header))
    # The columns are looked at once: where they can hold texts and the user's own values alone,
    # only a cell that itself looks like spans takes a row through the readers of all shapes.
    is_simple = options.names_nothing and needs_text and _SimpleColumns.fit(columns)
    simple = _SimpleColumns(columns) if is_simple else None
    for location, cells in records:
        if cells:
            row = None if simple is None else simple.row(cells, location)
            if row is not None:
                yield row
                continue
            rows = _rows_of(columns, cells, location, options, needs_text=needs_text)
            yield from options.row_errors.guard(rows)


class _SimpleColumns:
    """Columns of texts and of the user's own values, looked at once for all rows.

    Parameters
    ----------
    columns : sequence of (str, str)
        Names and kinds.
    """

    def __init__(self, columns: Sequence[_Column]) -> None:
        self._text = next(i for i, (name, _) in enumerate(columns) if name == _TEXT)
        self._own = [
            (i, name) for i, (name, kind) in enumerate(columns) if kind in ("own", "telling")
        ]
        self._telling = [name for name, kind in columns if kind == "telling"]

    @staticmethod
    def fit(columns: Sequence[_Column]) -> bool:
        """Return whether there is a column of texts, and none but the user's own beside it."""
        return any(name == _TEXT for name, _ in columns) and all(
            name == _TEXT or kind in ("own", "telling", "index") for name, kind in columns
        )

    def row(self, cells: Sequence[Any], location: SourceLocation) -> Row | None:
        """Return the row of some cells; None where one needs the readers of all shapes."""
        text = cells[self._text]
        if type(text) is not str:
            return None
        meta = {name: cells[i] for i, name in self._own if cells[i] is not None}
        if self._may_hold_spans(meta):
            return None
        for name in self._telling:
            value = meta.get(name)
            if type(value) is str and value in text:
                return None
        return Row(text, meta=meta, file=location.file, line=location.line)

    @staticmethod
    def _may_hold_spans(meta: dict[str, Any]) -> bool:
        try:
            joined = _BETWEEN.join(meta.values())
        except TypeError:
            pass  # numbers, in a frame
        else:
            # One search for all cells: most rows have nothing that spans are written with.
            if _MAY_BE_SPANS.search(f"{_BETWEEN}{joined}{_BETWEEN}") is None:
                return False
        return any(may_hold_annotations(value, name) for name, value in meta.items())


def _is_foreign(header: Sequence[str], options: ReadOptions) -> bool:
    """Return whether the columns are another tool's keys, and not the user's own."""
    names = dict.fromkeys(header)
    has_offsets = any(map(is_offset_key, header))
    is_known = is_own_frame(names) or label_studio.looks_like(names)
    return is_known or has_offsets or not options.names_nothing


def _check_unique(header: Sequence[str], file: str | None) -> None:
    twice = next((name for i, name in enumerate(header) if name in header[:i]), None)
    if twice is not None:
        raise DataError(
            "the column stands there twice",
            file=file,
            line=None if file is None else 1,
            field=twice,
            remedy="Rename one",
        )


def _check_columns(header: Sequence[str], file: str | None, options: ReadOptions) -> None:
    line = None if file is None else 1
    wanted = options.text or _TEXT
    if wanted in header or _has_words(header) or label_studio.looks_like(dict.fromkeys(header)):
        return
    if {name.lower() for name in header} >= _SPAN_COLUMNS:
        raise DataError(
            "these are spans, one in each row, and there is no column with the texts",
            file=file,
            line=line,
            remedy="To compare them with gold, use nbner.evaluate(gold, frame); to add them, give "
            "one row for each text, with a list of its spans in a column 'spans'",
        )
    raise DataError(
        f"there is no column {wanted!r} among {', '.join(map(repr, header[:8])) or 'none'}",
        file=file,
        line=line,
        field=wanted,
        remedy="Rename the column that holds the texts to 'text', or name it: text=\"...\"",
    )


def _has_words(header: Sequence[str]) -> bool:
    return "tokens" in header or "words" in header


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


def _rows_of(
    columns: Sequence[_Column],
    cells: Sequence[Any],
    location: SourceLocation,
    options: ReadOptions,
    *,
    needs_text: bool,
) -> Iterator[Row]:
    task = _task(columns, cells, location)
    if needs_text and task.get(_TEXT) is None:
        raise _empty_text(location)
    for row in json_tasks.rows_from_object(task, location, options):
        if row.extra.keys() <= _KEPT_AS_EXTRA:
            yield row
            continue
        own = {key: one for key, one in row.extra.items() if key not in _KEPT_AS_EXTRA}
        kept = {key: one for key, one in row.extra.items() if key in _KEPT_AS_EXTRA}
        yield replace(row, meta={**own, **row.meta}, extra=kept)


def _empty_text(location: SourceLocation) -> DataError:
    return location.error("the cell is empty", field=_TEXT, remedy="Drop the rows without a text")


def _task(
    columns: Sequence[_Column], values: Sequence[Any], location: SourceLocation
) -> dict[str, Any]:
    task: dict[str, Any] = {}
    meta: dict[str, Any] = {}
    for (name, kind), value in zip(columns, values, strict=True):
        if value is None or kind == "index":
            continue
        if kind == "known":
            task[name] = _task_value(name, value, location)
        elif (
            kind == "foreign"
            or may_hold_annotations(value, name)
            or (kind == "telling" and _is_in_text(value, columns, values))
        ):
            task[name] = _parsed(value)
        else:
            meta[name] = value
    if meta:
        task["meta"] = {**meta, **task["meta"]} if isinstance(task.get("meta"), dict) else meta
    return task


def _columns_of(
    header: Sequence[str], labels: tuple[str, ...], *, is_foreign: bool
) -> list[_Column]:
    """Return the columns with their kinds; a telling one may hold the words of an entity."""
    is_foreign = is_foreign or holds_entity_row(header)
    kinds = [(name, _kind_of(name, is_foreign=is_foreign)) for name in header]
    return [
        (name, "telling" if kind == "own" and is_telling_key(name, labels) else kind)
        for name, kind in kinds
    ]


def _is_in_text(value: Any, columns: Sequence[_Column], values: Sequence[Any]) -> bool:
    """Return whether a cell stands in the row's text, as the words of an entity do."""
    texts = (one for (name, _), one in zip(columns, values, strict=True) if name == _TEXT)
    return isinstance(value, str) and any(isinstance(one, str) and value in one for one in texts)


def _kind_of(name: str, *, is_foreign: bool) -> Literal["index", "known", "foreign", "own"]:
    if _is_index(name):
        return "index"
    if name in _COLUMNS:
        return "known"
    return "foreign" if is_foreign or is_annotator_key(name) else "own"


def _is_index(name: str) -> bool:
    """Return whether a column is the index that pandas writes unless it is told not to."""
    return name == "" or name.startswith("Unnamed: ")


def _parsed(value: Any) -> Any:
    if not isinstance(value, str) or not looks_like_literal(value):
        return value
    parsed = parse_literal(value)
    return value if parsed is NOT_A_VALUE else parsed


def _task_value(name: str, value: Any, location: SourceLocation) -> Any:
    if name in _JSON_COLUMNS and isinstance(value, str):
        try:
            return json.loads(value)
        except (ValueError, RecursionError) as error:
            parsed = parse_literal(value)
            if parsed is not NOT_A_VALUE:
                return parsed
            raise location.error(
                f"the cell is not JSON: {error}",
                field=name,
                remedy="Write it with json.dumps, or the whole table with session.export",
            ) from error
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
