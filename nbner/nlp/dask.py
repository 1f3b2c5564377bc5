"""Prediction on a Dask cluster: lazily, a partition at a time.

The model travels as bytes, once to every worker where there is a cluster, and
is read once in every process. Whatever predicts there is the same function as
here (`prediction`).
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from spacy.util import load_model_from_config
from thinc.api import Config

from nbner.errors import DataError
from nbner.io import formats
from nbner.io.rows import strip_annotations
from nbner.nlp.fingerprint import fingerprint
from nbner.nlp.prediction import check_trained, predict_docs, token_offsets

if TYPE_CHECKING:
    import dask.dataframe as dd
    import pandas as pd
    from spacy.language import Language

COLUMNS = ("example", "start", "end", "token_start", "token_end", "text", "label")
TYPES = {
    **dict.fromkeys(("start", "end", "token_start", "token_end"), "int64"),
    **dict.fromkeys(("example", "text", "label"), "object"),
}
TRAVELLING = ("text", "tokens")

# The last model that this process has read; one at a time, since models are large.
_loaded: dict[str, Language] = {}
_loading, _predicting = threading.Lock(), threading.Lock()


class PickledPipeline:
    """A pipeline as it travels.

    Parameters
    ----------
    nlp : Language
    """

    def __init__(self, nlp: Language) -> None:
        self.name = fingerprint(nlp)
        self._config = nlp.config.to_str()
        self._weights = nlp.to_bytes()

    def unpack(self) -> Language:
        """Read the pipeline, once a process."""
        with _loading:
            if self.name not in _loaded:
                config = Config().from_str(self._config)
                nlp = load_model_from_config(config, auto_fill=True).from_bytes(self._weights)
                _loaded.clear()
                _loaded[self.name] = nlp
            return _loaded[self.name]

    def __dask_tokenize__(self) -> str:
        return self.name


def is_dask_frame(source: object) -> bool:
    """Whether this is a Dask DataFrame; asks nothing of who has not imported Dask."""
    kind = type(source)
    return kind.__module__.split(".")[0] in ("dask", "dask_expr") and hasattr(
        source, "map_partitions"
    )


def predict_dask(nlp: Language, source: dd.DataFrame) -> dd.DataFrame:
    """Label a Dask DataFrame when it is computed.

    Parameters
    ----------
    nlp : Language
    source : dask.dataframe.DataFrame
        With a column ``text``, and ``tokens`` where they are given. No other
        column travels.

    Returns
    -------
    dask.dataframe.DataFrame
        One row a span; ``example`` is the row's label in the source's index.

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
    wanted = [name for name in TRAVELLING if name in source.columns]
    parcel = _sent(PickledPipeline(nlp))
    meta = _frame([]).astype(TYPES)
    lazy: dd.DataFrame = source[wanted].map_partitions(_part, parcel, meta=meta)
    return lazy


def _sent(parcel: PickledPipeline) -> Any:
    """Send the model to every worker of the current cluster; without one, it is at hand."""
    from dask.delayed import delayed

    try:
        from distributed import get_client

        client: Any = get_client()
    except (ImportError, ValueError):
        return delayed(parcel, pure=True)
    return delayed(client.scatter(parcel, broadcast=True, hash=False))


def _part(rows: pd.DataFrame, parcel: PickledPipeline) -> pd.DataFrame:
    nlp = parcel.unpack()
    examples = [strip_annotations(row) for row in formats.read(rows)]
    names = rows.index.tolist()
    # One pipeline is not for several threads at once; other processes have their own.
    with _predicting:
        docs = list(predict_docs(nlp, examples))
    spans = [
        (name, entity.start_char, entity.end_char, *place, entity.text, entity.label_)
        for name, doc, example in zip(names, docs, examples, strict=True)
        for entities in (doc.ents,)
        for entity, place in zip(entities, token_offsets(entities, example), strict=True)
    ]
    return _frame(spans).astype(TYPES)


def _frame(spans: list[tuple[Any, ...]]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(spans, columns=list(COLUMNS))
