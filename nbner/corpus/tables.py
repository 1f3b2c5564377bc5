"""Arrow tables of labelled texts: one row a span, or one row a text with its spans."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from nbner.corpus.prediction import LabelledText, PredictedSpan
from nbner.corpus.reader import Chunk, take_rows
from nbner.corpus.settings import CorpusSettings, Shape
from nbner.io.arrow_tables import CORPUS_KEY, CORPUS_VERSION, span_type

_Arrow: TypeAlias = Any  # pyarrow has no types


def is_sure(found: LabelledText, minimum: float) -> bool:
    """Return whether every decision about a text has at least a probability.

    Parameters
    ----------
    found : LabelledText
        With probabilities.
    minimum : float
        Of every span that is predicted, and of the absence of every other one.
    """
    lowest = min((one.probability or 0.0 for one in found.spans), default=1.0)
    return lowest >= minimum and 1.0 - found.other >= minimum


def kept_spans(found: LabelledText, minimum: float | None) -> tuple[PredictedSpan, ...]:
    """Return the spans with at least a probability; all of them where there is no minimum.

    Parameters
    ----------
    found : LabelledText
        A text.
    minimum : float, optional
        Lowest probability.
    """
    if minimum is None:
        return found.spans
    return tuple(one for one in found.spans if (one.probability or 0.0) >= minimum)


def target_schema(settings: CorpusSettings, types: _Arrow) -> _Arrow:
    """Return the schema of the files of a target.

    Parameters
    ----------
    settings : CorpusSettings
        The shape, and whether there are probabilities.
    types : pyarrow.Schema
        The columns that are kept, which come first.
    """
    import pyarrow as pa

    number, text = pa.int64(), pa.string()
    if settings.shape == "spans":
        names = ("row", "start", "end", "token_start", "token_end")
        own = [*((name, number) for name in names), ("text", text), ("label", text)]
        own += [("probability", pa.float64())] if settings.probabilities else []
    else:
        own = [("row", number), ("text", text), ("spans", span_type(pa))]
        own += [("expected_errors", pa.float64())] if settings.probabilities else []
    fields = [pa.field(name, kind) for name, kind in own]
    return pa.schema([*types, *fields], metadata=_metadata(settings.shape))


def labelled_table(
    chunk: Chunk, found: Sequence[LabelledText], settings: CorpusSettings, schema: _Arrow
) -> _Arrow:
    """Return the rows of some labelled texts.

    Parameters
    ----------
    chunk : Chunk
        The texts.
    found : sequence of LabelledText
        One a text.
    settings : CorpusSettings
        The shape and the minimum.
    schema : pyarrow.Schema
        As `target_schema` returns it.
    """
    import pyarrow as pa

    rows = [kept_spans(one, settings.min_probability) for one in found]
    if settings.shape == "texts":
        values: list[list[Any]] = [
            chunk.rows,
            chunk.texts,
            [
                [_span_values(one, text, settings.model) for one in spans]
                for spans, text in zip(rows, chunk.texts, strict=True)
            ],
            [one.expected_errors for one in found],
        ]
        places = None
    else:
        flat = [(at, one) for at, spans in enumerate(rows) for one in spans]
        places = [at for at, _ in flat]
        values = [
            [chunk.rows[at] for at in places],
            *([getattr(one, name) for _, one in flat] for name in _OFFSETS),
            [chunk.texts[at][one.start : one.end] for at, one in flat],
            [one.label for _, one in flat],
            [one.probability for _, one in flat],
        ]
    kept = _kept_columns(chunk, places)
    own = schema.names[len(kept) :]
    arrays = [
        pa.array(column, type=schema.field(name).type)
        for name, column in zip(own, values[: len(own)], strict=True)
    ]
    return pa.Table.from_arrays([*kept, *arrays], schema=schema)


def unsure_schema() -> _Arrow:
    """Return the schema of the files of texts that the model is not sure of."""
    import pyarrow as pa

    fields = [
        ("row", pa.int64()),
        ("text", pa.string()),
        ("spans", span_type(pa)),
        ("expected_errors", pa.float64()),
    ]
    return pa.schema(fields, metadata=_metadata("texts"))


def unsure_table(
    chunk: Chunk, found: Sequence[LabelledText], settings: CorpusSettings
) -> _Arrow | None:
    """Return the texts of which the model is not sure, with all their spans; None for none.

    Parameters
    ----------
    chunk, found, settings
        As for `labelled_table`.
    """
    import pyarrow as pa

    minimum = settings.min_probability
    if minimum is None:
        return None
    rows = [
        {
            "row": row,
            "text": text,
            "spans": [_span_values(span, text, settings.model) for span in one.spans],
            "expected_errors": one.expected_errors,
        }
        for row, text, one in zip(chunk.rows, chunk.texts, found, strict=True)
        if not is_sure(one, minimum)
    ]
    return pa.Table.from_pylist(rows, schema=unsure_schema()) if rows else None


_OFFSETS = ("start", "end", "token_start", "token_end")


def _metadata(shape: Shape) -> dict[bytes, bytes]:
    return {CORPUS_KEY: f"{CORPUS_VERSION} {shape}".encode()}


def _span_values(span: PredictedSpan, text: str, model: str) -> dict[str, Any]:
    return {
        "start": span.start,
        "end": span.end,
        "token_start": span.token_start,
        # Inclusive, as in Prodigy's tasks and in every export.
        "token_end": span.token_end - 1,
        "label": span.label,
        "text": text[span.start : span.end],
        "source": model,
        "score": span.probability,
        "extra": None,
    }


def _kept_columns(chunk: Chunk, places: Sequence[int] | None) -> list[_Arrow]:
    if chunk.kept is None:
        return []
    table = chunk.kept if places is None else take_rows(chunk.kept, places)
    return [column.combine_chunks() for column in table.columns]
