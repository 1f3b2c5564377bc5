"""Rows from objects in memory: strings, dicts, examples, Docs, DataFrames.

pandas and spaCy are looked up in ``sys.modules``: a caller that passes a
DataFrame or a Doc has imported them, and all others are spared the import.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from nbner.errors import DataError
from nbner.io import docbin, documents, huggingface, json_tasks, tables
from nbner.io.options import ReadOptions
from nbner.io.rows import Row, SourceLocation, row_from_example
from nbner.types import Example

_REMEDY = "Give a path, a DataFrame, or a list of strings, dicts, Docs or examples"


def read_objects(source: Any, options: ReadOptions) -> Iterator[Row]:
    """Yield rows from objects in memory; a single dict, Doc or example is one row.

    Parameters
    ----------
    source : DataFrame, DocBin, dict, Doc, Example, Row, or iterable of these or of str
        The objects.
    options : ReadOptions
        Options of the reader.

    Raises
    ------
    DataError
        Rows cannot be read from such an object.
    """
    if _is_a(source, "pandas", "DataFrame"):
        yield from tables.read_frame(source, options)
    elif _is_a(source, "spacy.tokens", "DocBin"):
        yield from docbin.read_docbin(source, options)
    elif _is_dataset_dict(source):
        raise _is_several_splits(source)
    elif _is_row(source):
        yield from _rows(source, SourceLocation(None, 1), options)
    elif isinstance(source, Iterable) and not isinstance(source, (bytes, bytearray)):
        options = replace(options, class_names=huggingface.class_names_of(source))
        for number, value in enumerate(source, 1):
            if type(value) is str:
                yield Row(value, line=number)
            else:
                yield from _rows(value, SourceLocation(None, number), options)
    else:
        raise DataError(f"rows cannot be read from {type(source).__name__}", remedy=_REMEDY)


def rows_from_plugin(values: Iterable[Any], path: Path, options: ReadOptions) -> Iterator[Row]:
    """Yield rows from what a registered reader yields: rows, examples, dicts, Docs or strings.

    Parameters
    ----------
    values : iterable
        The reader's output.
    path : Path
        The file, for messages.
    options : ReadOptions
        Options of the reader.

    Raises
    ------
    DataError
        A value is none of these.
    """
    for number, value in enumerate(values, 1):
        if type(value) is Row:
            yield value
        else:
            yield from _rows(value, SourceLocation(str(path), number), options)


def _is_row(value: object) -> bool:
    if isinstance(value, (Row, Example, Mapping)) or documents.is_pair(value):
        return True
    kinds = (("spacy.tokens", "Doc"), ("spacy.training", "Example"))
    return any(_is_a(value, module, name) for module, name in kinds)


def _is_dataset_dict(value: object) -> bool:
    """Return whether a mapping holds a list of rows, or a dataset, for each of its splits."""
    if not isinstance(value, Mapping) or not value or "text" in value or "data" in value:
        return False
    parts = list(value.values())
    return all(map(_are_rows, parts)) and any(len(one) for one in parts)


def _are_rows(value: Any) -> bool:
    if hasattr(value, "features") and hasattr(value, "__len__"):
        return True
    return isinstance(value, list) and all(
        isinstance(one, Mapping) and len(one) > 1 and not _has_offsets(one) for one in value
    )


def _has_offsets(value: Mapping[Any, Any]) -> bool:
    return any("start" in str(key) or "offset" in str(key) for key in value)


def _is_several_splits(source: Mapping[Any, Any]) -> DataError:
    names = [str(name) for name in source]
    return DataError(
        f"this is a mapping of splits, as a DatasetDict: {', '.join(map(repr, names))}",
        remedy=f"Add one at a time: session.add(source[{names[0]!r}], split={names[0]!r})",
    )


def _rows(value: Any, location: SourceLocation, options: ReadOptions) -> Iterator[Row]:
    return options.row_errors.guard(_rows_of_value(value, location, options))


def _rows_of_value(value: Any, location: SourceLocation, options: ReadOptions) -> Iterator[Row]:
    if isinstance(value, Mapping):
        yield from json_tasks.rows_from_object(value, location, options)
    elif isinstance(value, (list, tuple)):
        yield from json_tasks.rows_from_value(value, location, options)
    else:
        yield _row(value, location, options)


def _row(value: Any, location: SourceLocation, options: ReadOptions) -> Row:
    if isinstance(value, str):
        return Row(str(value), file=location.file, line=location.line)
    if isinstance(value, Row):
        return value
    if isinstance(value, Example):
        return row_from_example(value, location)
    if _is_a(value, "spacy.tokens", "Doc"):
        return docbin.row_from_doc(value, location, options)
    if _is_a(value, "spacy.training", "Example"):
        return docbin.row_from_doc(value.reference, location, options)
    # Only NaN, the empty cell of a Series, is not equal to itself.
    if value is None or value != value:
        raise location.error(
            "the cell is empty", field="text", remedy="Drop the rows without a text"
        )
    raise location.error(f"{type(value).__name__} is neither a text nor a row", remedy=_REMEDY)


def _is_a(value: object, module: str, name: str) -> Any:
    kind = getattr(sys.modules.get(module), name, None)
    return kind is not None and isinstance(value, kind)
