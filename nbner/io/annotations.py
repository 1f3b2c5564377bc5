"""Annotations for a comparison: from a file, from values in memory, or from a table of spans."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbner._common.format import plural
from nbner.errors import DataError
from nbner.io import formats, tables
from nbner.io.files import uncompressed_suffix
from nbner.io.rows import example_from_row
from nbner.types import Example, Span

if TYPE_CHECKING:
    from pandas import DataFrame

_SPAN_COLUMNS = ("example", "start", "end", "label")


def is_span_frame(source: Any) -> bool:
    """Return whether a value is a DataFrame with one row per span, as ``predict`` returns it.

    Parameters
    ----------
    source : object
        Any value.
    """
    pandas = sys.modules.get("pandas")
    return (
        pandas is not None
        and isinstance(source, pandas.DataFrame)
        and set(_SPAN_COLUMNS) <= set(source.columns)
    )


def read_annotations(source: Any, texts: Sequence[Example] | None = None) -> list[Example]:
    """Read texts with their spans.

    Parameters
    ----------
    source : path, DataFrame, or iterable of dict, Doc or Example
        A DataFrame with one row per span does not contain the texts.
    texts : sequence of Example, optional
        The texts that the column ``example`` of such a DataFrame counts.

    Raises
    ------
    DataError
        The source cannot be read, or is a DataFrame of spans and there are no
        texts, or too few.
    """
    source = _span_frame_of_file(source) if texts is not None else source
    if not is_span_frame(source):
        return [example_from_row(row) for row in formats.read(source)]
    if texts is None:
        raise DataError(
            "a frame with one row a span does not hold the texts",
            remedy="Give them: differences(..., texts=texts)",
        )
    return _with_spans(texts, source)


def _span_frame_of_file(source: Any) -> Any:
    """Read a file that pandas wrote of a frame of predictions; return anything else as it is."""
    suffixes = (*tables.SUFFIXES, tables.TAB_SUFFIX)
    if not isinstance(source, (str, Path)) or uncompressed_suffix(Path(source)) not in suffixes:
        return source
    header = tables.header_of(Path(source))
    if not set(_SPAN_COLUMNS) <= set(header):
        return source
    import pandas as pd

    return pd.read_csv(source, sep=None, engine="python", keep_default_na=False)


def _with_spans(texts: Sequence[Example], frame: DataFrame) -> list[Example]:
    spans: dict[int, list[Span]] = defaultdict(list)
    rows = frame[list(_SPAN_COLUMNS)].itertuples(index=False, name=None)
    for number, start, end, label in rows:
        if not 0 <= number < len(texts):
            raise DataError(
                f"the frame speaks of example {number}, and there "
                f"{'is' if len(texts) == 1 else 'are'} {plural(len(texts), 'text')}",
                field="example",
                remedy="Give the texts that were predicted, in their order",
            )
        spans[int(number)].append(Span(int(start), int(end), str(label)))
    return [
        replace(one, spans=tuple(sorted(spans[i], key=lambda s: s.start)), answer=None)
        for i, one in enumerate(texts)
    ]
