"""Files of a corpus: which there are, whether their columns fit, and how they are cut.

A partition is a file; of a Parquet file of more than `MAX_PARTITION_BYTES` with
several row groups, as many of these as fit.
"""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any, TypeAlias

from nbner._common.serialization import find_lone_surrogate
from nbner.corpus.reader import (
    COMPRESSED_SUFFIX,
    EXACT_NUMBERS,
    Columns,
    Partition,
    SourceFile,
    SourceFormat,
    SourceReader,
    Unreadable,
    can_take_rows,
    csv_rows,
)
from nbner.corpus.storage import Folder, StorageOptions, is_inside, stamp_of
from nbner.errors import DataError

_Arrow: TypeAlias = Any  # pyarrow has no types

MAX_PARTITION_BYTES = 64 * 2**20  # of a Parquet file, as it is stored
_SAMPLED_RECORDS = 1_000  # from which the types of a JSONL file's columns are taken
_PATTERN_MARKS = "*?["
_BRACES = re.compile(r"\{([^{}]*,[^{}]*)\}")  # alternatives, as in a shell
_FOOTERS = 16  # files opened at a time to look at their columns

_SUFFIXES: Mapping[str, SourceFormat] = {
    ".parquet": "parquet",
    ".pq": "parquet",
    ".csv": "csv",
    ".tsv": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
}


class Source:
    """The files of a corpus.

    Parameters
    ----------
    url : str
        A folder, a file, or a pattern such as ``texts/2024-*.parquet``, with the
        marks ``*``, ``**``, ``?`` and ``[...]``; a local path or a URL.
    options : mapping, optional
        Options of fsspec's file system.

    Raises
    ------
    DataError
        There is no such folder, it holds no file that is read, or files of two formats.
    """

    def __init__(self, url: str, options: StorageOptions | None = None) -> None:
        self.url = url
        folder = Folder(url, options)
        self._pattern: str | None = None
        start = None
        # A file or folder of that name comes first, and so does the query of a URL.
        if any(one in url for one in _PATTERN_MARKS) and not folder.exists():
            start = _start_of_pattern(url, options)
        elif folder.fs.isfile(folder.path):
            start = url.rfind("/") + 1
        if start is not None:
            folder, self._pattern = Folder(url[:start] or ".", options), url[start:]
        self.folder = folder
        found = self._find(self._pattern)
        known = {
            name: _format_of(name) if _holds_bytes(folder, name, info) else None
            for name, info in found.items()
        }
        self.files = tuple(
            SourceFile(name, int(found[name]["size"] or 0), stamp_of(_behind(found[name])))
            for name, format_ in known.items()
            if format_
        )
        #: Names of files in a format that is not read, and of what is no file: links to
        #: folders, which could lead in circles, pipes, and folders that a pattern matches.
        self.ignored = tuple(name for name, format_ in known.items() if not format_)
        self.format = self._only_format(known)
        self.reader = SourceReader(folder, self.format)

    def covers(self, target: Folder) -> bool:
        """Return whether what is written to a target would become part of the source.

        Parameters
        ----------
        target : Folder
            The target.
        """
        if self._pattern is None or "**" in self._pattern:
            return is_inside(target, self.folder)
        return is_inside(target, self.folder) and is_inside(self.folder, target)

    def _find(self, pattern: str | None) -> dict[str, dict[str, Any]]:
        folder = self.folder
        if not folder.exists():
            raise DataError(
                "there is no such folder or file",
                file=self.url,
                remedy=_two_patterns(self.url) or "Correct the path",
            )
        if pattern is None:
            found = folder.details()
        else:
            start = len(folder.full("").rstrip("/")) + 1
            path = folder.full(pattern)
            if folder.fs.isfile(path):
                # The name of one file, though it may hold marks of a pattern.
                matching = {path: folder.fs.info(path)}
            else:
                before = glob.escape(path[: len(path) - len(pattern)])
                matching = folder.fs.glob(before + pattern, detail=True)
            found = {path[start:]: info for path, info in sorted(matching.items())}
        # What Spark and others keep beside the data, and what nbner keeps, begins like this.
        return {name: info for name, info in found.items() if not _is_hidden(name)}

    def _only_format(self, known: Mapping[str, SourceFormat | None]) -> SourceFormat:
        by_format = {format_: name for name, format_ in reversed(list(known.items())) if format_}
        if not by_format:
            there = f"; there is {self.ignored[0]}" if self.ignored else ""
            raise DataError(
                f"there is no file of texts here{there}",
                file=self.url,
                remedy=_two_patterns(self.url)
                or f"Files that are read end with {', '.join(_SUFFIXES)}, or with one of the "
                f"last four and {COMPRESSED_SUFFIX}",
            )
        if len(by_format) > 1:
            names = " and ".join(sorted(by_format.values()))
            raise DataError(
                f"the files are of several formats: {names}",
                file=self.url,
                remedy="Label each format into a target of its own, with a pattern such as "
                "source='texts/*.parquet'",
            )
        return next(iter(by_format))

    # Looking at files before the work.

    def column_types(self, columns: Columns) -> _Arrow:
        """Return the types of the columns that are kept, as the first file has them.

        Parameters
        ----------
        columns : Columns
            The columns that are wanted.

        Returns
        -------
        pyarrow.Schema
            One field a column, in the order of ``columns.keep``.

        Raises
        ------
        DataError
            There is no column of texts, it holds no texts, or a column is missing.
        """
        import pyarrow as pa

        # An empty file says nothing of its columns.
        first = next((one for one in self.files if one.size), self.files[0])
        if self.format == "parquet":
            schema = self._checked_schema(first, columns)
            return pa.schema([pa.field(name, schema.field(name).type) for name in columns.keep])
        self._check_names(first, columns)
        if self.format != "jsonl":
            return pa.schema([pa.field(name, pa.string()) for name in columns.keep])
        records = [one for _, one in islice(self.reader.records(first), _SAMPLED_RECORDS)]
        return pa.schema([pa.field(name, _type_of(records, name)) for name in columns.keep])

    def partitions(
        self, columns: Columns, *, done: Mapping[str, str] | None = None
    ) -> list[Partition]:
        """Cut the files into partitions, and check the columns of those that are not done.

        Parameters
        ----------
        columns : Columns
            With the types of those that are kept.
        done : mapping, optional
            Of files that are labelled as a whole, name to stamp. They are not
            opened, and have no partition here.

        Raises
        ------
        DataError
            A file lacks a column, or has another type for one.
        """
        known = done or {}
        rest = [one for one in self.files if known.get(one.name) != one.stamp]
        with ThreadPoolExecutor(1 if self.folder.is_local else _FOOTERS) as pool:
            found = pool.map(lambda one: self._partitions_of(one, columns), rest)
            return [part for parts in found for part in parts]

    def _partitions_of(self, file: SourceFile, columns: Columns) -> list[Partition]:
        if self.format != "parquet":
            self._check_names(file, columns)
            return [Partition(f"{file.name}.parquet", file)]
        from pyarrow import parquet

        with self.reader.opened(file) as handle:
            metadata = parquet.ParquetFile(handle).metadata
        self._check_schema(metadata.schema.to_arrow_schema(), file, columns)
        sizes = [_group_size(metadata.row_group(i)) for i in range(metadata.num_row_groups)]
        rows = [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)]
        # Files that differ in the suffix alone, a.parquet and a.pq, are two partitions.
        stem = file.name.removesuffix(".parquet")
        if len(sizes) < 2 or sum(sizes) <= MAX_PARTITION_BYTES:
            return [Partition(f"{stem}.parquet", file, rows=metadata.num_rows)]
        return [
            Partition(
                f"{stem}.{number:05d}.parquet",
                file,
                *(first, last),
                first_row=sum(rows[:first]),
                rows=sum(rows[first:last]),
            )
            for number, (first, last) in enumerate(_cut(sizes))
        ]

    def _checked_schema(self, file: SourceFile, columns: Columns) -> _Arrow:
        from pyarrow import parquet

        with self.reader.opened(file) as handle:
            schema = parquet.ParquetFile(handle).schema_arrow
        self._check_schema(schema, file, columns)
        return schema

    def _check_schema(self, schema: _Arrow, file: SourceFile, columns: Columns) -> None:
        self._require(schema.names, file, columns)
        kind = schema.field(columns.text).type
        if not _holds_texts(kind):
            raise DataError(
                f"the column of texts holds {kind}",
                file=self.folder.full(file.name),
                field=columns.text,
                remedy='Name the column of the texts with text="..."',
            )
        for name in columns.keep:
            found = schema.field(name).type
            if not can_take_rows(found):
                raise DataError(
                    f"pyarrow cannot select rows of a column that holds {found}",
                    file=self.folder.full(file.name),
                    field=name,
                    remedy="Write it with another type, such as large_string in place of "
                    "string_view, or leave it out of keep=",
                )
            wanted = found if columns.types is None else columns.types.field(name).type
            if found != wanted:
                raise DataError(
                    f"the schema changes between files: here the column holds {found}, and in "
                    f"the first file {wanted}",
                    file=self.folder.full(file.name),
                    field=name,
                    remedy="Write the files with one schema, leave the column out of keep=, or "
                    "label them into two targets",
                )

    def _check_names(self, file: SourceFile, columns: Columns) -> None:
        if self.format == "jsonl":
            names: dict[str, None] = {}
            has_rows, problem = False, ""
            for _, one in islice(self.reader.records(file), _SAMPLED_RECORDS):
                has_rows = True
                if isinstance(one, dict):
                    names.update(dict.fromkeys(one))
                else:
                    problem = problem or one.reason
                if columns.text in names and not set(columns.keep) - names.keys():
                    return
            if problem and not names:
                raise DataError(
                    f"no line can be read; of the first, {problem}",
                    file=self.folder.full(file.name),
                    remedy="Write one JSON object a line, as UTF-8, or take it out of the source",
                )
            if has_rows:
                self._require(list(names), file, columns)
            return
        with self.reader.opened(file) as handle:
            header = next(csv_rows(handle, self.format), None)
        if isinstance(header, Unreadable):
            raise DataError(
                f"the line of column names cannot be read: {header.reason}",
                file=self.folder.full(file.name),
                remedy="Correct it, or take the file out of the source",
            )
        if header is None:
            return
        if any("\0" in name or find_lone_surrogate(name) is not None for name in header):
            raise DataError(
                "the line of column names is not UTF-8",
                file=self.folder.full(file.name),
                remedy=f"Write the file as UTF-8, and name it with {COMPRESSED_SUFFIX} where it is "
                "compressed",
            )
        self._require(header, file, columns)

    def _require(self, names: Sequence[str], file: SourceFile, columns: Columns) -> None:
        for name in (columns.text, *columns.keep):
            if name not in names:
                is_text = name == columns.text
                raise DataError(
                    f"there is no column {name!r}; there are {', '.join(names) or 'none'}",
                    file=self.folder.full(file.name),
                    field=name,
                    remedy='Name the column of the texts with text="..."'
                    if is_text
                    else "Leave it out of keep=",
                )
            if names.count(name) > 1:
                raise DataError(
                    f"there are {names.count(name)} columns {name!r}",
                    file=self.folder.full(file.name),
                    field=name,
                    remedy="Rename the others in the source",
                )


def _start_of_pattern(url: str, options: StorageOptions | None) -> int | None:
    """Return where the pattern begins, after folders whose own names may hold its marks."""
    at = 0
    while True:
        marks = [url.find(one, at) for one in _PATTERN_MARKS]
        mark = min((one for one in marks if one >= 0), default=None)
        if mark is None:
            return None
        at = url.find("/", mark)
        if at < 0 or not Folder(url[:at], options).exists():
            return url.rfind("/", 0, mark) + 1


def _two_patterns(url: str) -> str:
    """Return what to do in place of ``{a,b}`` in a pattern; empty where there is none."""
    found = _BRACES.search(url)
    if found is None:
        return ""
    alternatives = [
        f"{url[: found.start()]}{one}{url[found.end() :]}" for one in found[1].split(",")
    ]
    return (
        "Braces are characters of a name here, not alternatives. Label each into the same target "
        f"by a call of its own: {', then '.join(repr(one) for one in alternatives[:2])}"
        f"{', ...' if len(alternatives) > 2 else ''}"
    )


def _holds_bytes(folder: Folder, name: str, info: Mapping[str, Any]) -> bool:
    """Return whether it is a file, or a link that does not lead to a folder."""
    if info.get("islink"):
        return not folder.fs.isdir(folder.full(name))
    return info.get("type") == "file"


def _behind(info: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a file system says of a file, with the time of the file behind a link."""
    if not info.get("islink"):
        return info
    try:
        return {**info, "mtime": os.stat(info["name"]).st_mtime}  # noqa: PTH116 - fsspec's string
    except OSError:  # the file has gone, which is told where it is read
        return info


def _format_of(name: str) -> SourceFormat | None:
    lower = name.lower()
    bare = lower.removesuffix(COMPRESSED_SUFFIX)
    found = _SUFFIXES.get("." + bare.rpartition(".")[2]) if "." in bare else None
    return None if found == "parquet" and bare != lower else found


def _is_hidden(name: str) -> bool:
    return any(part.startswith(("_", ".")) for part in name.split("/"))


def _holds_texts(kind: _Arrow) -> bool:
    import pyarrow as pa

    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    is_view = getattr(pa.types, "is_string_view", lambda _: False)(kind)
    is_text = pa.types.is_string(kind) or pa.types.is_large_string(kind) or is_view
    return bool(is_text or pa.types.is_null(kind))


def _group_size(group: _Arrow) -> int:
    return sum(group.column(i).total_compressed_size for i in range(group.num_columns))


def _cut(sizes: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield half-open ranges of row groups, of at most `MAX_PARTITION_BYTES` or one group."""
    first, total = 0, 0
    for i, size in enumerate(sizes):
        if i > first and total + size > MAX_PARTITION_BYTES:
            yield first, i
            first, total = i, 0
        total += size
    yield first, len(sizes)


def _type_of(records: Sequence[Any], name: str) -> _Arrow:
    """Return the type of a key's values: of a scalar, or text for JSON of anything else."""
    import pyarrow as pa

    values = [one.get(name) for one in records if isinstance(one, dict)]
    kinds = {type(one) for one in values if one is not None}
    largest = max((abs(one) for one in values if isinstance(one, int)), default=0)
    if kinds == {bool}:
        return pa.bool_()
    if kinds == {int} and largest < 2**63:
        return pa.int64()
    if float in kinds and kinds <= {int, float} and largest <= EXACT_NUMBERS:
        return pa.float64()
    return pa.string()
