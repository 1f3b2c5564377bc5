"""One batch of rows, as Spark and Ray bring it."""

from __future__ import annotations

import os
import shutil

import numpy as np
import pandas as pd
import pytest
import spacy

import nbner
from nbner import DataError, ModelError


@pytest.fixture
def batch(texts):
    return pd.DataFrame({"id": range(3, 9), "body": texts[:6]}, index=list("abcdef"))


def test_a_frame_comes_back_in_the_shape_of_a_corpus(session, trained_path, batch, label, tmp_path):
    (tmp_path / "source").mkdir()
    batch.to_parquet(tmp_path / "source" / "a.parquet", index=False)
    for shape in ("texts", "spans"):
        label(tmp_path / "source", tmp_path / shape, text="body", keep=["id"], shape=shape)
        wanted = pd.read_parquet(tmp_path / shape)
        found = nbner.predict_batch(batch, trained_path, text="body", keep=["id"], shape=shape)
        if shape == "texts":
            assert list(found.index) == list(batch.index)
            assert found.pop("problem").isna().all()
            wanted["spans"] = wanted["spans"].map(list)
        pd.testing.assert_frame_equal(
            found.reset_index(drop=True).astype(object), wanted.astype(object), check_dtype=False
        )


def test_a_series_comes_back_as_its_spans(trained_path, texts):
    found = nbner.predict_batch(pd.Series([texts[0], None], name="x"), trained_path)
    assert [one["label"] for one in found[0]][:1] == ["Action"]
    assert (found[1], found.name) == (None, "x")


def test_bad_rows_have_a_problem_or_a_warning(session):
    batch = pd.DataFrame({"text": ["Add salt .", None, 3, "Mix ."]})
    found = nbner.predict_batch(batch, session.nlp, probabilities=True)
    assert found["problem"].tolist() == [
        None,
        "there is no text",
        "this is not a string but int",
        None,
    ]
    assert found["expected_errors"].isna().tolist() == [False, True, True, False]
    with pytest.warns(UserWarning, match="2 rows of 4 cannot be labelled; the first: there is no"):
        spans = nbner.predict_batch(batch, session.nlp, shape="spans", min_probability=0.001)
    assert set(spans["row"]) <= {0, 3}


def test_an_empty_batch_has_the_same_columns(session, batch):
    for shape in ("texts", "spans"):
        options = {"text": "body", "keep": ["id"], "shape": shape}
        full = nbner.predict_batch(batch, session.nlp, **options)
        empty = nbner.predict_batch(batch.iloc[:0], session.nlp, **options)
        assert list(empty.columns) == list(full.columns)
        assert len(empty) == 0


def test_a_model_is_read_once_and_again_when_it_was_written_anew(trained_path, tmp_path):
    path = tmp_path / "model"
    shutil.copytree(trained_path, path)
    first = nbner.read_model(path)
    assert nbner.read_model(path) is first
    os.utime(path / "meta.json", ns=(1, 1))
    assert nbner.read_model(path) is not first


def test_errors(batch, session):
    with pytest.raises(DataError, match="there is no column 'text'; there are id, body"):
        nbner.predict_batch(batch, session.nlp)
    with pytest.raises(DataError, match="takes a pandas DataFrame or Series, not list"):
        nbner.predict_batch(["x"], session.nlp)
    with pytest.raises(ModelError):
        nbner.read_model("no/such/model")
    with pytest.raises(ModelError, match="not been trained"):
        nbner.read_model("blank:en")
    with pytest.raises(ModelError, match="no component in use"):
        nbner.predict_batch(pd.Series(["x"]), spacy.blank("en"))


def test_missing_values_of_pandas_and_values_of_other_kinds_have_a_problem(session):
    batch = pd.DataFrame(
        {
            "text": ["Add salt .", pd.NA, pd.NaT, np.array([1, 2]), b"Mix ."],
            "id": [1, "x", None, None, None],
            "size": [1, 2.5, None, None, None],
        }
    )
    batch["size"] = batch["size"].astype(object)
    found = nbner.predict_batch(batch, session.nlp, keep=["size"])
    assert found["problem"].tolist() == [
        None,
        *["there is no text"] * 2,
        *["this is not a string but ndarray", "this is not a string but bytes"],
    ]
    with pytest.warns(UserWarning, match="4 rows of 5"):
        spans = nbner.predict_batch(batch, session.nlp, keep=["size"], shape="spans")
    assert set(spans["size"]) == {1.0}
    with pytest.raises(DataError, match=r"values of several kinds.*astype"):
        nbner.predict_batch(batch, session.nlp, keep=["id"])
    nullable = pd.Series(["Add salt .", pd.NA], dtype="string")
    assert nbner.predict_batch(nullable, session.nlp)[1] is None


def test_columns_of_one_name_are_refused(session):
    batch = pd.DataFrame([["Add", "salt"]], columns=["text", "text"])
    with pytest.raises(DataError, match="there are several columns 'text'"):
        nbner.predict_batch(batch, session.nlp)
