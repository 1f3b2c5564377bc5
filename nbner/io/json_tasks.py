"""One JSON object, whoever's: a task of Prodigy's, of Label Studio's, or a token row.

They are told apart by their keys, one by one, so that a file may hold any of them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from nbner.io import huggingface, json_stream, label_studio, prodigy
from nbner.io.files import numbered_lines
from nbner.io.options import ReadOptions
from nbner.io.rows import Row, SourceLocation

LINE_SUFFIXES = (".jsonl", ".ndjson")
SUFFIXES = (".json",)


def rows_from_object(
    value: Mapping[str, Any], place: SourceLocation, choices: ReadOptions
) -> Iterator[Row]:
    """Yield what an object says: one row, or one a person where several have annotated."""
    if label_studio.looks_like(value):
        yield from label_studio.rows_from_task(value, place)
    elif huggingface.looks_like(value):
        yield huggingface.row_from_token_row(value, place, choices.tag_names)
    else:
        yield prodigy.row_from_task(value, place)


def read_lines(path: Path, choices: ReadOptions) -> Iterator[Row]:
    """Yield the rows of a file with one JSON object a line; empty lines are passed over.

    Raises
    ------
    DataError
        A line does not parse, or is not a task.
    """
    for number, line in numbered_lines(path):
        if line.strip():
            place = SourceLocation(str(path), number)
            yield from rows_from_object(_parsed(line, place), place, choices)


def read(path: Path, choices: ReadOptions) -> Iterator[Row]:
    """Yield the rows of a file that holds one JSON list of objects.

    Raises
    ------
    DataError
        This is not JSON, or an item is not a task.
    """
    for value, place in json_stream.iter_items(path):
        if not isinstance(value, dict):
            raise _no_object(value, place)
        yield from rows_from_object(value, place, choices)


def _parsed(line: str, place: SourceLocation) -> Mapping[str, Any]:
    try:
        task = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise place.error(
            f"this is not JSON: {error}", remedy="A .jsonl file holds one JSON object a line"
        ) from error
    if not isinstance(task, dict):
        raise _no_object(task, place)
    return task


def _no_object(value: object, place: SourceLocation) -> Exception:
    return place.error(
        f"this is {type(value).__name__}, not an object",
        remedy='Each row is an object like {"text": "..."}',
    )
