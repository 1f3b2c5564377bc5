"""Prediction on Dask: lazily, the same as here, the model read once a process."""

from __future__ import annotations

import pandas as pd
import pytest

from nbner import DataError, ModelError, Session

PEOPLE = ("Ada", "Bo", "Cleo", "Dan")
ROWS = [
    {
        "text": f"{person} lives in {place} .",
        "answer": "accept",
        "spans": [{"start": 0, "end": len(person), "label": "Person"}],
    }
    for person in PEOPLE
    for place in ("Rome", "Oslo", "Graz")
]


@pytest.fixture(scope="module")
def session():
    with Session("people", labels=["Person"], store=":memory:") as session:
        session.add(ROWS)
        session.train(max_epochs=8, progress=False)
        yield session


@pytest.fixture
def frame():
    texts = [row["text"] for row in ROWS] + ["nobody is here", "🧪  Ada and Bo"]
    return pd.DataFrame({"text": texts, "secret": [object.__name__] * len(texts)})


def expected(session, frame):
    return session.predict(list(frame["text"]))


def same(found, wanted):
    pd.testing.assert_frame_equal(
        found.reset_index(drop=True), wanted, check_dtype=False, check_index_type=False
    )


def test_a_dask_frame_is_labelled_lazily_and_as_here(session, frame):
    import dask.dataframe as dd

    lazy = session.predict(dd.from_pandas(frame, npartitions=3))
    assert isinstance(lazy, dd.DataFrame)
    same(lazy.compute(scheduler="synchronous"), expected(session, frame))
    same(lazy.compute(scheduler="threads"), expected(session, frame))


def test_a_partition_without_a_span_has_the_same_columns(session):
    import dask.dataframe as dd

    lazy = session.predict(dd.from_pandas(pd.DataFrame({"text": ["of", "in"]}), npartitions=2))
    found = lazy.compute(scheduler="synchronous")
    assert list(found.columns) == list(lazy.columns)


def test_the_model_is_read_once_a_process(session, frame, monkeypatch):
    import dask.dataframe as dd

    from nbner.nlp import dask

    reads, load = [], dask.load_model_from_config
    monkeypatch.setattr(
        dask, "load_model_from_config", lambda *a, **k: reads.append(1) or load(*a, **k)
    )
    monkeypatch.setattr(dask, "_loaded", {})
    session.predict(dd.from_pandas(frame, npartitions=5)).compute(scheduler="threads")
    assert len(reads) == 1


def test_on_a_cluster_it_says_the_same(session, frame):
    import dask.dataframe as dd
    from distributed import Client, LocalCluster

    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster),
    ):
        found = session.predict(dd.from_pandas(frame, npartitions=4)).compute()
    same(found, expected(session, frame))


def test_a_frame_without_texts_says_what_to_do(session):
    import dask.dataframe as dd

    with pytest.raises(DataError, match="rename"):
        session.predict(dd.from_pandas(pd.DataFrame({"body": ["Ada"]}), npartitions=1))


def test_an_untrained_model_is_an_error_at_once(frame):
    import dask.dataframe as dd

    with Session(store=":memory:") as session, pytest.raises(ModelError, match=r"session\.train"):
        session.predict(dd.from_pandas(frame, npartitions=1))
