"""Lazy prediction on Dask DataFrames, one partition at a time.

The model is sent as bytes, once to every worker of a cluster, and loaded once
in every process.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from spacy.util import load_model_from_config
from thinc.api import Config

from nbner.errors import DataError
from nbner.io import formats
from nbner.io.rows import strip_annotations
from nbner.nlp.fingerprint import fingerprint
from nbner.nlp.pipeline import read_bytes
from nbner.nlp.prediction import check_trained, predict_docs, token_offsets

if TYPE_CHECKING:
    import dask.dataframe as dd
    import pandas as pd
    from spacy.language import Language

_DTYPES = {
    "example": "object",
    **dict.fromkeys(("start", "end", "token_start", "token_end"), "int64"),
    **dict.fromkeys(("text", "label"), "object"),
}
_SENT_COLUMNS = ("text", "tokens")

# The last model that this process has loaded; one at a time, since models are large.
_loaded: dict[str, Language] = {}
_load_lock = threading.Lock()
#: A pipeline is not thread-safe: the threads of a process take turns.
predict_lock = threading.Lock()


class PickledPipeline:
    """A pipeline as config and bytes, to be sent to other processes.

    Parameters
    ----------
    nlp : Language
        The pipeline.
    """

    def __init__(self, nlp: Language) -> None:
        self.name = fingerprint(nlp)
        self._config = nlp.config.to_str()
        self._weights = nlp.to_bytes()

    def load(self) -> Language:
        """Load the pipeline, once for each process."""
        return load_once(self.name, lambda: (self._config, self._weights))

    def __dask_tokenize__(self) -> str:
        return self.name


def load_once(name: str, read: Callable[[], tuple[str, bytes]]) -> Language:
    """Load a pipeline from its config and its bytes, once for each process.

    Parameters
    ----------
    name : str
        The same for the same pipeline.
    read : callable
        Returns its config and its bytes; called where it has not been loaded.
    """
    with _load_lock:
        if name not in _loaded:
            config, weights = read()
            parsed = Config().from_str(config)
            nlp = read_bytes(load_model_from_config(parsed, auto_fill=True), weights)
            _loaded.clear()
            _loaded[name] = nlp
        return _loaded[name]


def forget_loaded(name: str) -> None:
    """Free a pipeline that `load_once` has loaded.

    Parameters
    ----------
    name : str
        As it was given there.
    """
    with _load_lock:
        _loaded.pop(name, None)
    gc.collect()  # a pipeline and its parts refer to each other


def is_dask_frame(source: object) -> bool:
    """Return whether an object is a Dask DataFrame, without importing Dask.

    Parameters
    ----------
    source : object
        Any object.
    """
    kind = type(source)
    return kind.__module__.split(".")[0] in ("dask", "dask_expr") and hasattr(
        source, "map_partitions"
    )


def predict_dask(nlp: Language, source: dd.DataFrame) -> dd.DataFrame:
    """Predict the entities of a Dask DataFrame when it is computed.

    Parameters
    ----------
    nlp : Language
        The pipeline.
    source : dask.dataframe.DataFrame
        With a column ``text``, and optionally ``tokens``. No other column is
        sent.

    Returns
    -------
    dask.dataframe.DataFrame
        One row for each span; ``example`` is the row's label in the source's
        index.

    Raises
    ------
    ModelError
        At once, if the pipeline's recognizer has not been trained.
    DataError
        There is no column ``text``.
    """
    if "text" not in source.columns:
        raise DataError(
            "the Dask frame has no column 'text'",
            field="text",
            remedy='Rename one: ddf.rename(columns={"...": "text"})',
        )
    check_trained(nlp)
    columns = [name for name in _SENT_COLUMNS if name in source.columns]
    pipeline = _send(PickledPipeline(nlp))
    lazy: dd.DataFrame = source[columns].map_partitions(
        _predict_partition, pipeline, meta=_frame([])
    )
    return lazy


def _send(pipeline: PickledPipeline) -> Any:
    """Send the model to every worker of the current cluster, if there is one."""
    from dask.delayed import delayed

    try:
        from distributed import get_client

        client: Any = get_client()
    except (ImportError, ValueError):
        return delayed(pipeline, pure=True)
    return delayed(client.scatter(pipeline, broadcast=True, hash=False))


def _predict_partition(rows: pd.DataFrame, pipeline: PickledPipeline) -> pd.DataFrame:
    nlp = pipeline.load()
    examples = [strip_annotations(row) for row in formats.read(rows, texts_only=True)]
    names = rows.index.tolist()
    with predict_lock:
        docs = list(predict_docs(nlp, examples))
    spans = [
        (name, entity.start_char, entity.end_char, *offsets, entity.text, entity.label_)
        for name, doc, example in zip(names, docs, examples, strict=True)
        for entities in (doc.ents,)
        for entity, offsets in zip(entities, token_offsets(entities, example), strict=True)
    ]
    return _frame(spans)


def _frame(spans: list[tuple[Any, ...]]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(spans, columns=list(_DTYPES)).astype(_DTYPES)
