"""Prediction of one batch of rows, for engines that bring their own: Spark, Ray, and others."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, overload

from nbner._common.arguments import check_arguments
from nbner._common.format import plural
from nbner.corpus.partition import ChunkLabeller
from nbner.corpus.reader import BadRow, Chunk, excerpt_of, take_rows, text_problem
from nbner.corpus.settings import CorpusSettings, settings_for
from nbner.corpus.storage import require_libraries
from nbner.corpus.tables import labelled_table, target_schema
from nbner.errors import DataError, ModelError
from nbner.nlp.dask import predict_lock
from nbner.nlp.pipeline import load_base
from nbner.nlp.prediction import check_trained

if TYPE_CHECKING:
    import pandas as pd
    from spacy.language import Language

_Arrow: TypeAlias = Any  # pyarrow has no types

_MAX_MODELS = 2  # that a process keeps
_models: dict[tuple[str, int], Language] = {}
_models_lock = threading.Lock()


@check_arguments
def read_model(path: str | Path) -> Language:
    """Load a trained pipeline, once for each process.

    Parameters
    ----------
    path : str or Path
        A folder, as ``session.nlp.to_disk`` or ``session.train`` writes it, or
        the name of an installed pipeline. A folder that was written anew is
        loaded anew. A calibration is in it.

    Raises
    ------
    ModelError
        There is no such pipeline, it cannot be loaded, or is not trained.
    """
    meta = Path(path) / "meta.json"
    key = (str(path), meta.stat().st_mtime_ns if meta.is_file() else 0)
    with _models_lock:
        if key not in _models:
            nlp = load_base(path)
            check_trained(nlp)
            while len(_models) >= _MAX_MODELS:
                del _models[next(iter(_models))]
            _models[key] = nlp
        return _models[key]


@overload
def predict_batch(
    batch: pd.Series,
    model: Language | str | Path,
    *,
    text: str = ...,
    keep: Sequence[str] = ...,
    shape: Literal["spans", "texts"] = ...,
    min_probability: float | None = ...,
    probabilities: bool = ...,
    batch_size: int | None = ...,
) -> pd.Series: ...


@overload
def predict_batch(
    batch: pd.DataFrame,
    model: Language | str | Path,
    *,
    text: str = ...,
    keep: Sequence[str] = ...,
    shape: Literal["spans", "texts"] = ...,
    min_probability: float | None = ...,
    probabilities: bool = ...,
    batch_size: int | None = ...,
) -> pd.DataFrame: ...


@check_arguments
def predict_batch(
    batch: pd.DataFrame | pd.Series,
    model: Language | str | Path,
    *,
    text: str = "text",
    keep: Sequence[str] = (),
    shape: Literal["spans", "texts"] = "texts",
    min_probability: float | None = None,
    probabilities: bool = False,
    batch_size: int | None = None,
) -> pd.DataFrame | pd.Series:
    """Predict the entities of one batch of rows, as a frame of the shape of a labelled corpus.

    Parameters
    ----------
    batch : DataFrame or Series
        Rows with a column of texts, or the texts themselves.
    model : Language, str or Path
        A pipeline, or what `read_model` takes, which each process loads once.
    text : str
        Column of the texts.
    keep : sequence of str
        Columns to copy.
    shape : {"spans", "texts"}
        One row a span, or one row a text with a list of spans.
    min_probability : float, optional
        Leave out spans with a lower calibrated probability.
    probabilities : bool
        Compute the probability of every span.
    batch_size : int, optional
        As in ``nlp.pipe``.

    Returns
    -------
    DataFrame or Series
        Of a Series, its spans, a list of dicts a text; None where there is no
        text. Of a frame, the columns of ``session.label_corpus``; with one row
        a text also ``problem``, the reason why a row has no spans (None where
        it has), in the order and with the index of the batch.

    Raises
    ------
    DataError
        There is no column of texts.
    ModelError
        The model cannot be loaded, or is not trained.

    Examples
    --------
    >>> frame = pd.DataFrame({"text": ["Whisk the eggs."]})  # doctest: +SKIP
    >>> nbner.predict_batch(frame, "model", shape="spans")["label"].tolist()  # doctest: +SKIP
    ['Action', 'Ingredient']
    """
    import pandas as pd

    require_libraries()
    nlp = read_model(model) if isinstance(model, (str, Path)) else model
    check_trained(nlp)
    if not nlp.pipe_names:
        raise ModelError(
            "the pipeline has no component in use, so that nothing would be found. Give a trained "
            "one, or switch its recognizer on: nlp.enable_pipe(name)."
        )
    if isinstance(batch, pd.Series):
        frame = batch.to_frame("text")
        found: pd.DataFrame = predict_batch(
            frame,
            nlp,
            min_probability=min_probability,
            probabilities=probabilities,
            batch_size=batch_size,
        )
        spans: pd.Series = found["spans"]
        spans.name = batch.name
        return spans
    if not isinstance(batch, pd.DataFrame):
        raise DataError(
            f"takes a pandas DataFrame or Series, not {type(batch).__name__}",
            field="batch",
            remedy='Convert it; Ray does with batch_format="pandas"',
        )
    settings = settings_for(
        nlp,
        text=text,
        keep=keep,
        shape=shape,
        probabilities=probabilities,
        min_probability=min_probability,
    )
    _require_columns(batch, settings)
    kept = _arrow_of(batch, settings.keep)
    chunk = _chunk_of(batch, kept, settings)
    labeller = ChunkLabeller(nlp, settings, batch_size=batch_size)
    with predict_lock:
        chunk, labelled = labeller.label(chunk)
    schema = target_schema(settings, kept.schema)
    table: pd.DataFrame = labelled_table(chunk, labelled, settings, schema).to_pandas()
    if shape == "texts":
        return _with_problems(batch, table, chunk, settings)
    if chunk.bad:
        warnings.warn(
            f"{plural(len(chunk.bad), 'row')} of {len(batch):,} cannot be labelled; the first: "
            f'{chunk.bad[0].reason}. shape="texts" says it row by row.',
            stacklevel=2,
        )
    return table


def _require_columns(batch: pd.DataFrame, settings: CorpusSettings) -> None:
    for name in (settings.text, *settings.keep):
        if name not in batch.columns:
            raise DataError(
                f"there is no column {name!r}; there are {', '.join(map(str, batch.columns))}",
                field=name,
                remedy='Name the column of the texts with text="..."'
                if name == settings.text
                else "Leave it out of keep=",
            )
        if list(batch.columns).count(name) > 1:
            raise DataError(
                f"there are several columns {name!r}",
                field=name,
                remedy="Rename the others",
            )


def _chunk_of(batch: pd.DataFrame, kept: _Arrow, settings: CorpusSettings) -> Chunk:
    values = batch[settings.text].tolist()
    problems = [text_problem(one) for one in values]
    rows = [at for at, one in enumerate(problems) if one is None]
    taken = take_rows(kept, rows) if settings.keep else None
    bad = [
        BadRow(at, one, excerpt_of(values[at]))
        for at, one in enumerate(problems)
        if one is not None
    ]
    return Chunk(rows, [values[at] for at in rows], taken, bad)


def _arrow_of(batch: pd.DataFrame, columns: Sequence[str]) -> _Arrow:
    import pyarrow as pa

    try:
        table = pa.Table.from_pandas(batch[list(columns)], preserve_index=False)
    except pa.ArrowException as error:
        raise DataError(
            f"a column that is kept has values of several kinds: {': '.join(map(str, error.args))}",
            field="keep",
            remedy="Convert it, for instance with .astype(str), or leave it out of keep=",
        ) from error
    return table.replace_schema_metadata()


def _with_problems(
    batch: pd.DataFrame, table: pd.DataFrame, chunk: Chunk, settings: CorpusSettings
) -> pd.DataFrame:
    """Return one row for each row of a batch, also for those that cannot be labelled."""
    found = batch[list(settings.keep)].copy()
    found["row"] = range(len(batch))
    found["text"] = batch[settings.text]
    spans: list[Any] = [None] * len(batch)
    problems: list[str | None] = [None] * len(batch)
    errors = [float("nan")] * len(batch)
    for at, one in zip(chunk.rows, table["spans"], strict=True):
        spans[at] = list(one)
    for bad in chunk.bad:
        problems[bad.row] = bad.reason
    found["spans"] = _column(spans, batch)
    if settings.probabilities:
        for at, expected in zip(chunk.rows, table["expected_errors"], strict=True):
            errors[at] = float(expected)
        found["expected_errors"] = errors
    found["problem"] = _column(problems, batch)
    return found


def _column(values: Sequence[Any], batch: pd.DataFrame) -> pd.Series:
    import pandas as pd

    return pd.Series(list(values), index=batch.index, dtype=object)
