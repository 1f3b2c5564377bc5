"""Rows of a corpus's files in chunks, with what cannot be labelled set aside.

The size of a chunk depends on the file alone, so that a partition is written the
same way each time. A row that holds no text never stops the others.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import IO, Any, Literal, TypeAlias, cast

from nbner._common.serialization import find_lone_surrogate
from nbner.corpus.storage import Folder
from nbner.errors import DataError

SourceFormat: TypeAlias = Literal["parquet", "csv", "tsv", "jsonl"]
_Arrow: TypeAlias = Any  # pyarrow has no types

CHUNK_ROWS = 10_000
CHUNK_CHARACTERS = 8_000_000
EXCERPT_LENGTH = 200  # characters of a bad row that are kept beside the reason
COMPRESSED_SUFFIX = ".gz"
_MISSING = ("NAType", "NaTType")  # pandas, which is not imported for this
EXACT_NUMBERS = 2**53  # whole numbers up to it are the same as float64
_MAX_CELL = 2**31 - 1  # characters; the csv module's own limit is 131,072


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file of a corpus.

    Parameters
    ----------
    name : str
        Relative to the source.
    size : int
        In bytes.
    stamp : str
        Changes when the file is written anew.
    """

    name: str
    size: int
    stamp: str


@dataclass(frozen=True, slots=True)
class Partition:
    """The unit of work: a file, or some row groups of one.

    Parameters
    ----------
    name : str
        Name of its Parquet file in the target.
    file : SourceFile
        Where its rows are.
    first_group, last_group : int, optional
        Its row groups, half-open; None for a whole file.
    first_row : int
        Number of rows of the file before it.
    rows : int, optional
        Number of its rows, where the file says it.
    """

    name: str
    file: SourceFile
    first_group: int | None = None
    last_group: int | None = None
    first_row: int = 0
    rows: int | None = None


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be labelled.

    Parameters
    ----------
    row : int
        Its place in the file, from 0.
    reason : str
        Why.
    excerpt : str
        The beginning of what stands there.
    """

    row: int
    reason: str
    excerpt: str


@dataclass(slots=True)
class Chunk:
    """Some rows of a file that follow each other.

    Parameters
    ----------
    rows : list of int
        Places in the file, from 0.
    texts : list of str
        The text of each.
    kept : pyarrow.Table, optional
        The columns that are kept, with as many rows; None where none is.
    bad : list of BadRow
        Rows among these that have no text, or cannot be read.
    """

    rows: list[int]
    texts: list[str]
    kept: _Arrow = None
    bad: list[BadRow] = field(default_factory=list)

    def selected(self, places: Sequence[int], bad: Sequence[BadRow]) -> Chunk:
        """Return the chunk with some of its texts.

        Parameters
        ----------
        places : sequence of int
            Which, sorted.
        bad : sequence of BadRow
            Its bad rows from now on.
        """
        if len(places) == len(self.rows):
            return Chunk(self.rows, self.texts, self.kept, sorted(bad, key=_row_of))
        return Chunk(
            [self.rows[at] for at in places],
            [self.texts[at] for at in places],
            None if self.kept is None else take_rows(self.kept, places),
            sorted(bad, key=_row_of),
        )


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns that are read.

    Parameters
    ----------
    text : str
        Column, or key, of the texts.
    keep : tuple of str
        Columns that go into the target as they are.
    types : pyarrow.Schema, optional
        Types of those that are kept, known when the first file has been looked at.
    """

    text: str
    keep: tuple[str, ...] = ()
    types: _Arrow = None


class SourceReader:
    """Reads the rows of files; what a worker needs of a source.

    Parameters
    ----------
    folder : Folder
        Where the files are.
    format : str
        Their format.
    """

    def __init__(self, folder: Folder, format: SourceFormat) -> None:  # noqa: A002 - the word
        self.folder = folder
        self.format = format

    def chunks(self, part: Partition, columns: Columns) -> Iterator[Chunk]:
        """Yield the rows of a partition.

        Parameters
        ----------
        part : Partition
            What to read.
        columns : Columns
            With the types of those that are kept.

        Raises
        ------
        DataError
            The file is damaged.
        """
        if self.format == "parquet":
            return self._parquet_chunks(part, columns)
        return self._record_chunks(part, columns)

    def texts(self, part: Partition, columns: Columns) -> Iterator[str]:
        """Yield the texts of a partition, without the rows that have none.

        Parameters
        ----------
        part, columns
            As for `chunks`.
        """
        alone = Columns(columns.text)
        return (text for chunk in self.chunks(part, alone) for text in chunk.texts)

    def _parquet_chunks(self, part: Partition, columns: Columns) -> Iterator[Chunk]:
        import pyarrow as pa
        from pyarrow import parquet

        with self.opened(part.file) as handle:
            opened = parquet.ParquetFile(handle)
            groups = range(
                part.first_group or 0,
                opened.num_row_groups if part.last_group is None else part.last_group,
            )
            wanted = list(dict.fromkeys((columns.text, *columns.keep)))
            at = part.first_row
            for group in groups:
                # One group after the other, so that no chunk spans two of them.
                for batch in opened.iter_batches(CHUNK_ROWS, row_groups=[group], columns=wanted):
                    table = pa.Table.from_batches([batch])
                    values = _values_of(table.column(columns.text))
                    kept = table.select(list(columns.keep)) if columns.keep else None
                    yield from _checked_chunks(range(at, at + len(values)), values, kept)
                    at += len(values)

    def _record_chunks(self, part: Partition, columns: Columns) -> Iterator[Chunk]:
        records = self.records(part.file)
        while batch := list(islice(records, CHUNK_ROWS)):
            rows, bad, texts = [], [], []
            usable: list[Mapping[str, Any]] = []
            for row, record in batch:
                if isinstance(record, Unreadable):
                    bad.append(BadRow(row, record.reason, record.excerpt))
                elif reason := _misfit(record, columns):
                    bad.append(BadRow(row, reason, excerpt_of(record.get(columns.text))))
                else:
                    rows.append(row)
                    texts.append(record.get(columns.text))
                    usable.append(record)
            kept = _kept_table(usable, columns)
            for number, chunk in enumerate(_checked_chunks(rows, texts, kept, unless=bad)):
                chunk.bad.extend(bad if number == 0 else ())
                chunk.bad.sort(key=_row_of)
                yield chunk

    def records(self, file: SourceFile) -> Iterator[tuple[int, Any]]:
        """Yield the records of a CSV or JSONL file with their places, from 0.

        Parameters
        ----------
        file : SourceFile
            One of the corpus.
        """
        with self.opened(file) as handle:
            yield from enumerate(self.records_in(handle))

    def records_in(self, handle: IO[bytes]) -> Iterator[Any]:
        """Return the records of an open CSV or JSONL file.

        Parameters
        ----------
        handle : binary file
            Not compressed.
        """
        return _json_records(handle) if self.format == "jsonl" else self._csv_records(handle)

    def _csv_records(self, handle: IO[bytes]) -> Iterator[Any]:
        rows = csv_rows(handle, self.format)
        header = next(rows, None)
        if header is None or isinstance(header, Unreadable):
            return
        for row in rows:
            if isinstance(row, Unreadable):
                yield row
            elif len(row) != len(header):
                reason = f"the row has {len(row)} cells, and the header {len(header)}"
                yield Unreadable(reason, excerpt_of(",".join(row)))
            else:
                yield dict(zip(header, row, strict=True))

    @contextmanager
    def opened(self, file: SourceFile) -> Iterator[IO[bytes]]:
        """Open a file, decompressed.

        Parameters
        ----------
        file : SourceFile
            One of the corpus.

        Raises
        ------
        DataError
            It has gone, or is damaged.
        """
        import pyarrow as pa

        path = self.folder.full(file.name)
        try:
            with self.folder.reading(file.name) as raw:
                if file.name.lower().endswith(COMPRESSED_SUFFIX):
                    with gzip.open(raw) as handle:
                        yield cast("IO[bytes]", handle)
                else:
                    yield raw
        except FileNotFoundError as error:
            raise DataError(
                "the file is not there any more", file=path, remedy="Label the corpus once more"
            ) from error
        except (pa.ArrowException, EOFError, gzip.BadGzipFile, zlib.error) as error:
            first = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise DataError(
                f"this is no whole file of its kind: {first.rstrip('.')}",
                file=path,
                remedy="Copy or write it again, or take it out of the source",
            ) from error


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A row of a file that cannot be read.

    Parameters
    ----------
    reason : str
        Why.
    excerpt : str
        The beginning of what stands there.
    """

    reason: str
    excerpt: str


def _values_of(column: _Arrow) -> list[Any]:
    import pyarrow as pa

    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    try:
        values: list[Any] = column.to_pylist()
    except UnicodeDecodeError:
        raw = column.cast(pa.large_binary(), safe=False).to_pylist()
        # What is no UTF-8 becomes lone surrogates, which are found like those of other formats.
        values = [None if one is None else one.decode("utf-8", "surrogateescape") for one in raw]
    return values


def _checked_chunks(
    rows: Sequence[int], values: Sequence[Any], kept: _Arrow, unless: Iterable[BadRow] = ()
) -> Iterator[Chunk]:
    """Yield chunks of at most `CHUNK_CHARACTERS`, with the rows that hold no text set aside."""
    found = Chunk([], [])
    places: list[int] = []
    total = 0
    for at, (row, value) in enumerate(zip(rows, values, strict=True)):
        reason = text_problem(value)
        if reason:
            found.bad.append(BadRow(row, reason, excerpt_of(value)))
            continue
        if total and total + len(value) > CHUNK_CHARACTERS:
            yield _with_kept(found, kept, places)
            found, places, total = Chunk([], []), [], 0
        found.rows.append(row)
        found.texts.append(value)
        places.append(at)
        total += len(value)
    if found.rows or found.bad or any(True for _ in unless):
        yield _with_kept(found, kept, places)


def _row_of(bad: BadRow) -> int:
    return bad.row


def _with_kept(chunk: Chunk, kept: _Arrow, places: Sequence[int]) -> Chunk:
    chunk.kept = None if kept is None else take_rows(kept, places)
    return chunk


def take_rows(table: _Arrow, places: Sequence[int]) -> _Arrow:
    """Return some rows of a table, with the types that it has.

    Parameters
    ----------
    table : pyarrow.Table
        Columns that are kept.
    places : sequence of int
        Which rows; one may come several times.
    """
    import pyarrow as pa

    chosen = pa.array(places, pa.int64())
    try:
        return table.take(chosen)
    except pa.ArrowNotImplementedError:
        # pyarrow has no kernel that takes rows of views.
        plain = pa.schema([one.with_type(_without_view(one.type)) for one in table.schema])
        return table.cast(plain).take(chosen).cast(table.schema)


def can_take_rows(kind: _Arrow) -> bool:
    """Return whether pyarrow can select rows of a column.

    Parameters
    ----------
    kind : pyarrow.DataType
        Its type.
    """
    import pyarrow as pa

    try:
        take_rows(pa.table({"column": pa.nulls(1, kind)}), [0])
    except pa.ArrowNotImplementedError:
        return False
    return True


def _without_view(kind: _Arrow) -> _Arrow:
    import pyarrow as pa

    if pa.types.is_string_view(kind):
        return pa.large_string()
    return pa.large_binary() if pa.types.is_binary_view(kind) else kind


def text_problem(value: object) -> str | None:
    """Return why a value cannot be labelled as a text; None where it can.

    Parameters
    ----------
    value : object
        A cell of the column of texts.
    """
    if not isinstance(value, str):
        is_nan = isinstance(value, float) and value != value
        # pandas' own missing values equal nothing and have no truth value.
        if value is None or is_nan or type(value).__name__ in _MISSING:
            return "there is no text"
        return f"this is not a string but {type(value).__name__}"
    if not value:
        return "there is no text"
    at = None if value.isascii() else find_lone_surrogate(value)
    if at is not None:
        return f"character {at + 1} is not UTF-8"
    return None


def excerpt_of(value: object) -> str:
    """Return the beginning of a value, such as a file can hold.

    Parameters
    ----------
    value : object
        What stands in the column of texts.
    """
    written = value if isinstance(value, str) else "" if value is None else repr(value)
    return written[:EXCERPT_LENGTH].encode("utf-8", "backslashreplace").decode()


def csv_rows(handle: IO[bytes], format_: SourceFormat) -> Iterator[list[str] | Unreadable]:
    """Yield the rows of a CSV or TSV file; what is no UTF-8 becomes lone surrogates.

    Empty lines are no rows. A cell whose quotation mark is never closed holds the
    rest of the file, so that its row is unreadable and not a text.

    Parameters
    ----------
    handle : binary file
        Open.
    format_ : {"csv", "tsv"}
        The format.
    """
    csv.field_size_limit(_MAX_CELL)
    text = io.TextIOWrapper(handle, "utf-8-sig", errors="surrogateescape", newline="")
    at_end = False

    def lines() -> Iterator[str]:
        nonlocal at_end
        yield from text
        at_end = True

    rows = csv.reader(lines(), delimiter="\t" if format_ == "tsv" else ",")
    while True:
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            yield Unreadable(f"this is no row of CSV: {error}", "")
            continue
        if at_end:
            # The last row ends with its line; this one has asked for another.
            reason = "a quotation mark is not closed: the rest of the file is one cell"
            yield Unreadable(reason, excerpt_of(",".join(row)))
        elif row:
            yield row


def _json_records(handle: IO[bytes]) -> Iterator[Any]:
    for number, raw in enumerate(handle):
        line = raw.decode("utf-8-sig" if number == 0 else "utf-8", "surrogateescape").strip()
        if not line:
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            yield Unreadable(f"this line is no JSON: {error}", excerpt_of(line))
            continue
        if isinstance(record, dict):
            yield record
        else:
            yield Unreadable("this line is no JSON object", excerpt_of(line))


def _misfit(record: Mapping[str, Any], columns: Columns) -> str | None:
    """Return why a record's values do not fit the columns that are kept."""
    for name in columns.keep:
        value, kind = record.get(name), str(columns.types.field(name).type)
        if value is None or kind == "string":
            continue
        is_bool = isinstance(value, bool)
        fits = {
            "bool": is_bool,
            "int64": isinstance(value, int) and not is_bool and abs(value) < 2**63,
            "double": isinstance(value, float)
            or (isinstance(value, int) and not is_bool and abs(value) <= EXACT_NUMBERS),
        }[kind]
        if not fits:
            return f"the column {name!r} holds {value!r:.40}, and {kind} elsewhere"
    return None


def _kept_table(records: Sequence[Mapping[str, Any]], columns: Columns) -> _Arrow:
    import pyarrow as pa

    if not columns.keep:
        return None
    arrays = []
    for one in columns.types:
        values = [record.get(one.name) for record in records]
        if one.type == pa.string():
            values = [_as_text(value) for value in values]
        arrays.append(pa.array(values, type=one.type))
    return pa.Table.from_arrays(arrays, schema=columns.types)


def _as_text(value: Any) -> str | None:
    if value is None:
        return None
    written = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    # Not every string of JSON can be written as UTF-8.
    return written.encode("utf-8", "backslashreplace").decode()
