"""Predictions of the model in use: spans as a DataFrame, and the k best analyses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import tee
from typing import TYPE_CHECKING, Any, Literal

from nbner._common.progress import with_progress
from nbner.decoding import api
from nbner.decoding.batching import longest_span_length
from nbner.decoding.calibration.apply import SpanConfidence, span_confidences
from nbner.decoding.constraints import Constraints
from nbner.decoding.parse_lists import ParseLists, Parses
from nbner.errors import DataError
from nbner.io import formats
from nbner.io.rows import example_from_row, strip_annotations
from nbner.nlp.dask import is_dask_frame, predict_dask
from nbner.nlp.prediction import predict_docs, token_offsets
from nbner.session.context import SessionContext
from nbner.types import Example, Span

if TYPE_CHECKING:
    import dask.dataframe as dd
    import pandas as pd
    from spacy.tokens import Doc

    from nbner.decoding.api import Decoder

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
    # The pipeline reads a batch ahead; tee keeps only what it has read.
    ahead, examples, again = tee(_texts_of(source), 3)
    docs = predict_docs(context.nlp, ahead, batch_size=batch_size, n_process=n_process)
    shown = with_progress(docs, "predicting") if progress else docs
    confidence = span_confidences(context.nlp, again) if probabilities else (None for _ in again)
    rows = [
        (number, *row)
        for number, found in enumerate(zip(shown, examples, confidence, strict=True))
        for row in _rows(*found)
    ]
    columns = [*PREDICTION_COLUMNS, *(["probability"] if probabilities else [])]
    return pd.DataFrame(rows, columns=columns)


def _texts_of(source: Any) -> Iterator[Example]:
    return (strip_annotations(row) for row in formats.read(source, texts_only=True))


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


def parses(
    context: SessionContext,
    source: Any,
    k: int,
    decoder: Decoder,
    *,
    max_span_length: int | Literal["data"] | None,
    forced: Sequence[Span],
    forbidden: Sequence[Span],
    progress: bool,
) -> Parses | ParseLists:
    """Return the k best analyses of a text, or of each of several.

    Parameters
    ----------
    context : SessionContext
        Its pipeline in use decodes.
    source : str, Example, path, DataFrame, or iterable of them
        A single text gives a single list.
    k : int
        Analyses a text at most.
    decoder : str
        See `Session.parses`.
    max_span_length : int or "data", optional
        Tokens of the longest entity.
    forced, forbidden : sequence of Span
        Constraints; for one text and the exact decoder.
    progress : bool
        Show a bar.

    Raises
    ------
    DataError
        See `Session.parses`.
    ModelError
        The pipeline has no entity recognizer, or an untrained one.
    """
    single = isinstance(source, (str, Example))
    limit = longest_span(context, max_span_length)
    if forced or forbidden:
        if decoder != "exact" or not single:
            raise DataError(
                "spans are forced or forbidden in one text at a time, and by the exact decoder",
                remedy='Give one text, and decoder="exact"',
            )
        (lattice,) = api.lattices(context.nlp, checked_texts(source), max_span_length=limit)
        best = lattice.k_best(k, Constraints(tuple(forced), tuple(forbidden)))
        return Parses(best, source.text if isinstance(source, Example) else source, context.colors)
    texts: list[str] = []
    found = api.parses(
        context.nlp, _noted(checked_texts(source), texts), k, decoder=decoder, max_span_length=limit
    )
    lists = ParseLists(
        Parses(one, texts[i], context.colors)
        for i, one in enumerate(with_progress(found, "searching") if progress else found)
    )
    return lists[0] if single else lists


def _noted(examples: Iterable[Example | str], texts: list[str]) -> Iterator[Example | str]:
    """Yield examples, and keep their texts."""
    for one in examples:
        texts.append(one if isinstance(one, str) else one.text)
        yield one


def longest_span(
    context: SessionContext, max_span_length: int | Literal["data"] | None
) -> int | None:
    """Return the number of tokens of the longest entity to search for; None is any.

    Parameters
    ----------
    context : SessionContext
        Its accepted examples are measured for "data".
    max_span_length : int or "data", optional
        A number or None is returned as it is.

    Raises
    ------
    DataError
        "data", and no accepted example holds a span.
    """
    if max_span_length != "data":
        return max_span_length
    found = longest_span_length(context.examples(answer="accept"))
    if found is None:
        raise DataError(
            'max_span_length="data": no accepted example holds a span to measure',
            remedy="Give a number of tokens, or None for any",
        )
    return found


def checked_texts(source: Any) -> Iterable[Example | str]:
    """Yield a text, or those of a source, none of them empty.

    Parameters
    ----------
    source : str, Example, path, DataFrame, or iterable of them
        Read as a stream.

    Raises
    ------
    DataError
        A text is empty.
    """
    if isinstance(source, (str, Example)):
        rows: Iterable[Example] = [Example(source) if isinstance(source, str) else source]
    else:
        rows = (example_from_row(row) for row in formats.read(source, texts_only=True))
    for line, example in enumerate(rows, start=1):
        if not example.text:
            raise DataError(
                "the text is empty, so it has no analyses to choose among",
                line=None if isinstance(source, (str, Example)) else line,
                field="text",
                remedy="Leave it out",
            )
        yield example
