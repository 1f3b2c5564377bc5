"""Predictions of the model in use as a DataFrame, one row a span."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import tee
from typing import TYPE_CHECKING, Any

from nbner.io import formats
from nbner.io.rows import strip_annotations
from nbner.nlp.dask import is_dask_frame, predict_dask
from nbner.nlp.prediction import predict_docs, token_offsets
from nbner.session.context import SessionContext
from nbner.session.suggestions import SpanConfidence, confidences
from nbner.types import Example, Span

if TYPE_CHECKING:
    import dask.dataframe as dd
    import pandas as pd
    from spacy.tokens import Doc

PREDICTION_COLUMNS = ["example", "start", "end", "token_start", "token_end", "text", "label"]


def predict(
    context: SessionContext,
    source: Any,
    *,
    probabilities: bool,
    batch_size: int | None,
    n_process: int,
    progress: bool,
) -> pd.DataFrame | dd.DataFrame:
    """Return the spans that the model in use predicts, one row each.

    Parameters
    ----------
    context : SessionContext
        Its pipeline in use predicts.
    source : path, DataFrame, or iterable of str, dict, Doc or Example
        Read as a stream; a Dask DataFrame is labelled lazily.
    probabilities : bool
        Add each span's calibrated probability.
    batch_size, n_process : int, optional
        As in ``nlp.pipe``.
    progress : bool
        Show a bar.

    Raises
    ------
    ModelError
        The model has not been trained, or a worker process has died.
    DataError
        The source cannot be read.
    """
    import pandas as pd

    if is_dask_frame(source):
        return predict_dask(context.nlp, source)
    from nbner._common.progress import with_progress

    # The pipeline reads a batch ahead; tee keeps only what it has read.
    ahead, examples, again = tee((strip_annotations(row) for row in formats.read(source)), 3)
    docs = predict_docs(context.nlp, ahead, batch_size=batch_size, n_process=n_process)
    shown = with_progress(docs, "predicting") if progress else docs
    confidence = confidences(context, again) if probabilities else (None for _ in again)
    rows = [
        (number, *row)
        for number, found in enumerate(zip(shown, examples, confidence, strict=True))
        for row in _rows(*found)
    ]
    columns = [*PREDICTION_COLUMNS, *(["probability"] if probabilities else [])]
    return pd.DataFrame(rows, columns=columns)


def _rows(
    doc: Doc, example: Example, confidence: SpanConfidence | None
) -> Iterator[tuple[Any, ...]]:
    """Yield the row of each predicted span of a text, with its probability where it is known."""
    # spaCy builds the entities anew each time that ``doc.ents`` is read.
    entities = doc.ents
    for entity, place in zip(entities, token_offsets(entities, example), strict=True):
        start, end, label = entity.start_char, entity.end_char, entity.label_
        row = (start, end, *place, example.text[start:end], label)
        yield row if confidence is None else (*row, confidence(Span(start, end, label)))
