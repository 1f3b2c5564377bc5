"""Rows from what is in memory already: strings, dicts, examples, Docs, frames.

Whoever hands over a DataFrame or a Doc has imported pandas or spaCy; asking
``sys.modules`` spares everybody else the import.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from nbner.errors import DataError
from nbner.io import docbin, huggingface, json_tasks, tables
from nbner.io.options import ReadOptions
from nbner.io.rows import Row, SourceLocation, row_from_example
from nbner.types import Example

_REMEDY = "Give a path, a DataFrame, or a list of strings, dicts, Docs or examples"


def read_objects(source: Any, choices: ReadOptions) -> Iterator[Row]:
    """Yield rows from values in memory; a single dict, Doc or example is one row.

    Raises
    ------
    DataError
        This is nothing that rows can be read from.
    """
    if _is_a(source, "pandas", "DataFrame"):
        yield from tables.read_frame(source)
    elif _is_a(source, "spacy.tokens", "DocBin"):
        yield from docbin.read_docbin(source)
    elif _is_row(source):
        yield from _rows(source, SourceLocation(None, 1), choices)
    elif isinstance(source, Iterable) and not isinstance(source, (bytes, bytearray)):
        if choices.tag_names is None:
            choices = replace(choices, tag_names=huggingface.tag_names_of(source))
        for number, value in enumerate(source, 1):
            if type(value) is str:
                yield Row(value, line=number)
            else:
                yield from _rows(value, SourceLocation(None, number), choices)
    else:
        raise DataError(f"rows cannot be read from {type(source).__name__}", remedy=_REMEDY)


def _is_row(value: object) -> bool:
    return isinstance(value, (Row, Example, Mapping)) or _is_a(value, "spacy.tokens", "Doc")


def _rows(value: Any, place: SourceLocation, choices: ReadOptions) -> Iterator[Row]:
    if isinstance(value, Mapping):
        yield from json_tasks.rows_from_object(value, place, choices)
    else:
        yield _row(value, place)


def _row(value: Any, place: SourceLocation) -> Row:
    if isinstance(value, str):
        return Row(str(value), file=place.file, line=place.line)
    if isinstance(value, Row):
        return value
    if isinstance(value, Example):
        return row_from_example(value, place)
    if _is_a(value, "spacy.tokens", "Doc"):
        return docbin.row_from_doc(value, place)
    # Only NaN, the empty cell of a Series, is not equal to itself.
    if value is None or value != value:
        raise place.error("the cell is empty", field="text", remedy="Drop the rows without a text")
    raise place.error(f"{type(value).__name__} is neither a text nor a row", remedy=_REMEDY)


def _is_a(value: object, module: str, name: str) -> Any:
    kind = getattr(sys.modules.get(module), name, None)
    return kind is not None and isinstance(value, kind)
