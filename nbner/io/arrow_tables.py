"""Parquet files and Arrow files (Feather among them), read and written in batches.

A file that nbner has written has one column for each key of a Prodigy task,
with spans and tokens as lists of structs; ``meta`` and keys that it does not
interpret are JSON. A file of a labelled corpus (see `nbner.corpus`) has one row a
text with spans of the same type, and its other columns are metadata. Of other
files the columns are read as those of a table (see ``tables``), and rows of words
and tags as token rows (see ``huggingface``), whose tag names ``datasets`` keeps in
the schema.

pyarrow is optional and is imported where a file is opened.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import IO, Any, TypeAlias

from nbner._common.serialization import to_jsonable
from nbner.errors import DataError
from nbner.io import tables
from nbner.io.files import atomic_write, open_bytes
from nbner.io.options import ReadOptions
from nbner.io.prodigy import row_from_task, task_from_example
from nbner.io.rows import Row, SourceLocation
from nbner.io.validation import is_int
from nbner.types import Example

PARQUET_SUFFIXES = (".parquet", ".pq")
ARROW_SUFFIXES = (".arrow", ".feather")

_Arrow: TypeAlias = Any  # pyarrow has no types
_Batches: TypeAlias = "tuple[Iterable[_Arrow], _Arrow]"  # record batches, and their schema

_BATCH = 1000
# Key of the schema's metadata in files that nbner has written, and its version.
_OWN_KEY, _VERSION = b"nbner", b"1"
#: The same for the files of a labelled corpus; the version is followed by their shape.
CORPUS_KEY, CORPUS_VERSION = b"nbner_corpus", 1
# Column for keys of tasks, and of spans, that have no column.
_EXTRA = "extra"
_ANSWER_COLUMNS = ("answer", "note", "_annotator_id", "_session_id", "_view_id")
_HASH_COLUMNS = ("_input_hash", "_task_hash")
_SPAN_KEYS = ("start", "end", "token_start", "token_end", "label", "text", "source", "score")
_CORPUS_COLUMNS = ("text", "spans", "row", "expected_errors")
_FEATHER_1 = b"FEA1"
_ARROW_FILE = b"ARROW1"


def read_parquet(path: Path, options: ReadOptions) -> Iterator[Row]:
    """Yield the rows of a Parquet file.

    Parameters
    ----------
    path : Path
        The file.
    options : ReadOptions
        ``tag_names`` are the tags of token rows.

    Raises
    ------
    DataError
        pyarrow is not installed, the file is damaged, or a row is invalid.
    """
    yield from _read(path, options, _parquet_batches)


def parquet_files(folder: Path) -> list[Path]:
    """Return the Parquet files of a folder and of those in it, sorted.

    Parameters
    ----------
    folder : Path
        Names that begin with "_" or "." are passed over, as by other readers.
    """
    return [
        path
        for path in sorted(folder.rglob("*"))
        if path.suffix.lower() in PARQUET_SUFFIXES
        and not any(part.startswith(("_", ".")) for part in path.relative_to(folder).parts)
    ]


def read_folder(folder: Path, options: ReadOptions) -> Iterator[Row]:
    """Yield the rows of all Parquet files of a folder.

    Parameters
    ----------
    folder : Path
        Such as a labelled corpus with one row a text.
    options : ReadOptions
        As for `read_parquet`.

    Raises
    ------
    DataError
        As by `read_parquet`.
    """
    for path in parquet_files(folder):
        yield from read_parquet(path, options)


def read_arrow(path: Path, options: ReadOptions) -> Iterator[Row]:
    """Yield the rows of an Arrow file, in the file or the stream format, or of a Feather file.

    Parameters
    ----------
    path : Path
        The file.
    options : ReadOptions
        ``tag_names`` are the tags of token rows.

    Raises
    ------
    DataError
        pyarrow is not installed, the file is damaged, or a row is invalid.
    """
    yield from _read(path, options, _arrow_batches)


def write_parquet(examples: Iterable[Example], path: Path) -> int:
    """Write every example as one row of a Parquet file.

    Parameters
    ----------
    examples : iterable of Example
        Consumed in batches.
    path : Path
        Replaced if it exists.

    Returns
    -------
    int
        Number of examples.

    Raises
    ------
    DataError
        pyarrow is not installed, or the file cannot be written.
    """
    pa = _pyarrow(path)
    from pyarrow import parquet

    with atomic_write(path) as file:
        return _write(parquet.ParquetWriter(file, _schema(pa)), examples, pa)


def write_arrow(examples: Iterable[Example], path: Path) -> int:
    """Write every example as one row of an Arrow file, which is also version 2 of Feather.

    Parameters
    ----------
    examples : iterable of Example
        Consumed in batches.
    path : Path
        Replaced if it exists.

    Returns
    -------
    int
        Number of examples.

    Raises
    ------
    DataError
        pyarrow is not installed, or the file cannot be written.
    """
    pa = _pyarrow(path)
    with atomic_write(path) as file:
        return _write(pa.ipc.new_file(file, _schema(pa)), examples, pa)


def _read(
    path: Path, options: ReadOptions, open_batches: Callable[[IO[bytes]], _Batches]
) -> Iterator[Row]:
    """Yield the rows of a file batch by batch: those that nbner has written, or a table's."""
    _pyarrow(path)
    with open_bytes(path) as file, _damage_reported(path):
        batches, schema = open_batches(file)
        metadata = schema.metadata or {}
        records = (
            (SourceLocation(str(path), number), values)
            for number, values in enumerate(_values_of_batches(batches), 1)
        )
        if _OWN_KEY in metadata:
            for location, values in records:
                yield from options.row_errors.guard(_rows_of_own(values, location))
            return
        if CORPUS_KEY in metadata:
            _require_texts(metadata[CORPUS_KEY], path)
            for location, values in records:
                yield from options.row_errors.guard(_rows_of_corpus(values, location))
            return
        options = replace(options, class_names=_class_names(metadata))
        plain = ((location, _plain_cells(values)) for location, values in records)
        yield from tables.rows_of_records(schema.names, plain, str(path), options)


def _parquet_batches(file: IO[bytes]) -> _Batches:
    from pyarrow import parquet

    opened = parquet.ParquetFile(file)
    return opened.iter_batches(_BATCH), opened.schema_arrow


def _arrow_batches(file: IO[bytes]) -> _Batches:
    """Open the file format, the stream format, or Feather before Arrow, by the first bytes."""
    from pyarrow import feather, ipc

    magic = file.read(len(_ARROW_FILE))
    file.seek(0)
    if magic.startswith(_FEATHER_1):
        table = feather.read_table(file)
        return table.to_batches(_BATCH), table.schema
    if magic == _ARROW_FILE:
        opened = ipc.open_file(file)
        return (opened.get_batch(i) for i in range(opened.num_record_batches)), opened.schema
    stream = ipc.open_stream(file)
    return stream, stream.schema


def _pyarrow(path: Path) -> _Arrow:
    try:
        import pyarrow as pa
        from pyarrow import ipc  # noqa: F401 - an attribute of pa from here on
    except ImportError as error:
        raise DataError(
            "reading and writing this format needs pyarrow",
            file=path,
            remedy='Install it: pip install "nbner[parquet]"',
        ) from error
    return pa


@contextmanager
def _damage_reported(path: Path) -> Iterator[None]:
    import pyarrow as pa

    try:
        yield
    # ArrowInvalid is a ValueError, and a truncated file an OSError.
    except (pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(
            f"this is no whole Parquet or Arrow file: {reason.rstrip('.')}",
            file=path,
            remedy="Copy or write it again",
        ) from error


def _values_of_batches(batches: Iterable[_Arrow]) -> Iterator[Mapping[str, Any]]:
    for batch in batches:
        yield from batch.to_pylist()


def _plain_cells(values: Mapping[str, Any]) -> list[Any]:
    return [tables.plain_value(_without_nulls(value)) for value in values.values()]


def _rows_of_own(values: Mapping[str, Any], location: SourceLocation) -> Iterator[Row]:
    task = {key: value for key, value in values.items() if value is not None}
    with location.adding_field(_EXTRA):
        task |= _parsed(task.pop(_EXTRA, "{}"))
    with location.adding_field("meta"):
        task["meta"] = _parsed(task.get("meta", "{}"))
    if "spans" in task:
        task["spans"] = [_span_parts(span, location) for span in task["spans"]]
    yield row_from_task(task, location)


def _require_texts(kind: bytes, path: Path) -> None:
    if not kind.endswith(b" texts"):
        raise DataError(
            "this file of a labelled corpus has one row a span and no whole texts",
            file=path,
            remedy='Label the corpus with shape="texts", or add the unsure texts of a target, '
            'session.add(target, only="unsure")',
        )


def _rows_of_corpus(values: Mapping[str, Any], location: SourceLocation) -> Iterator[Row]:
    text, spans = values["text"], values["spans"] or ()
    others = {key: one for key, one in values.items() if key not in _CORPUS_COLUMNS}
    task = {
        "text": text,
        "spans": [_span_parts(span, location) for span in spans],
        "meta": {key: one for key, one in others.items() if one is not None},
    }
    yield row_from_task(task, location)


def _span_parts(span: Mapping[str, Any], location: SourceLocation) -> dict[str, Any]:
    parts = {key: value for key, value in span.items() if value is not None}
    with location.adding_field("spans"):
        return {**_parsed(parts.pop(_EXTRA, "{}")), **parts}


def _parsed(value: str) -> dict[str, Any]:
    try:
        parsed = json.loads(value)
    except (TypeError, ValueError) as error:
        raise DataError(f"this is not JSON: {error}") from error
    if not isinstance(parsed, dict):
        raise DataError(f"{value[:40]!r} is not an object")
    return parsed


def _without_nulls(value: Any) -> Any:
    """Leave out the fields of structs that have no value: Arrow has all of them everywhere."""
    if isinstance(value, dict):
        return {key: _without_nulls(one) for key, one in value.items() if one is not None}
    return [_without_nulls(one) for one in value] if isinstance(value, list) else value


def _class_names(metadata: Mapping[bytes, bytes]) -> dict[str, tuple[str, ...]]:
    """Return the names that ``datasets`` has written into the schema, column by column."""
    try:
        features = json.loads(metadata[b"huggingface"])["info"]["features"]
        columns = list(features.items())
    except (AttributeError, KeyError, TypeError, ValueError):
        return {}
    found = {}
    for key, feature in columns:
        names = _names_in(feature)
        if names is not None:
            found[str(key)] = names
    return found


def _names_in(feature: Any) -> tuple[str, ...] | None:
    if not isinstance(feature, dict):
        return None
    # The key of the element's type has changed between versions of datasets.
    for part in (feature, feature.get("feature"), feature.get("_type")):
        if isinstance(part, dict) and isinstance(part.get("names"), list):
            return tuple(map(str, part["names"]))
    return None


def span_type(pa: _Arrow) -> _Arrow:
    """Return the Arrow type of a text's spans, in exports and in labelled corpora.

    Parameters
    ----------
    pa : module
        pyarrow.
    """
    text, number, score = pa.string(), pa.int64(), pa.float64()
    span = [("start", number), ("end", number), ("token_start", number), ("token_end", number)]
    span += [("label", text), ("text", text), ("source", text), ("score", score), (_EXTRA, text)]
    return pa.list_(pa.struct(span))


def _schema(pa: _Arrow) -> _Arrow:
    text, number = pa.string(), pa.int64()
    token = [("text", text), ("start", number), ("end", number), ("id", number), ("ws", pa.bool_())]
    columns = [
        ("text", text),
        ("spans", span_type(pa)),
        *((name, text) for name in _ANSWER_COLUMNS),
        ("flagged", pa.bool_()),
        ("meta", text),
        ("tokens", pa.list_(pa.struct(token))),
        *((name, number) for name in _HASH_COLUMNS),
        ("_timestamp", number),
        (_EXTRA, text),
    ]
    return pa.schema(columns, metadata={_OWN_KEY: _VERSION})


def _write(writer: _Arrow, examples: Iterable[Example], pa: _Arrow) -> int:
    schema = _schema(pa)
    count = 0
    rows = (_values(example, schema.names) for example in examples)
    with writer:
        while batch := list(islice(rows, _BATCH)):
            writer.write_batch(pa.RecordBatch.from_pylist(batch, schema=schema))
            count += len(batch)
    return count


def _values(example: Example, columns: Sequence[str]) -> dict[str, Any]:
    task = task_from_example(example)
    meta = task.pop("meta", None)
    spans = task.pop("spans", None)
    values = {name: task.pop(name) for name in columns if _fits_column(name, task.get(name))}
    values["meta"] = _json(meta) if meta else None
    values["spans"] = None if spans is None else [_span_values(span) for span in spans]
    values[_EXTRA] = _json(task) if task else None
    return values


def _fits_column(name: str, value: Any) -> bool:
    if value is None or name == _EXTRA:
        return False
    if name in (*_HASH_COLUMNS, "_timestamp"):
        return is_int(value)
    if name in _ANSWER_COLUMNS:
        return isinstance(value, str)
    return True


def _span_values(span: dict[str, Any]) -> dict[str, Any]:
    others = {key: value for key, value in span.items() if key not in _SPAN_KEYS}
    values = {key: span.get(key) for key in _SPAN_KEYS}
    return {**values, _EXTRA: _json(others) if others else None}


def _json(value: Any) -> str:
    # In ASCII: a lone surrogate in the user's own columns has no other encoding.
    return json.dumps(value, default=to_jsonable)
