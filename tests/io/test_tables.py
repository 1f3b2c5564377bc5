"""Tables: CSV, TSV and DataFrames."""

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from example_strategies import examples, json_values, odd_labels
from hypothesis import given
from hypothesis import strategies as st

from nbner import DataError, Example, Span
from nbner.io.formats import read, write
from nbner.io.rows import example_from_row


@pytest.fixture
def csv(tmp_path):
    def csv(text, name="table.csv"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
        return path

    return csv


def test_a_column_of_texts_is_enough_and_the_others_are_meta(csv):
    rows = list(read(csv("id,text,who\n1,Add 5 ml,ann\n2,Stir,\n")))
    assert [(row.text, row.meta) for row in rows] == [
        ("Add 5 ml", {"id": "1", "who": "ann"}),
        ("Stir", {"id": "2"}),
    ]
    assert [(row.spans, row.answer, row.line) for row in rows] == [(None, None, 2), (None, None, 3)]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", "text;n\nAdd, stir;1\n"),
        ("a.csv", "text\tn\nAdd, stir\t1\n"),
        ("a.tsv", "text\tn\nAdd, stir\t1\n"),
        ("a.csv", '\ufeff"text","n"\r\n"Add, stir","1"\r\n'),
    ],
)
def test_separators_and_quotes(csv, name, text):
    (row,) = read(csv(text, name))
    assert (row.text, row.meta) == ("Add, stir", {"n": "1"})


def test_a_line_counts_as_in_the_file_even_after_a_text_of_several_lines(csv):
    path = csv('text,answer\n"one\ntwo",accept\nthree,maybe\n')
    with pytest.raises(DataError) as caught:
        list(read(path))
    assert (caught.value.line, caught.value.field) == (4, "answer")


def test_spans_stand_as_json(csv):
    (row,) = read(
        csv('text,spans,answer\nAdd 5,"[{""start"":4,""end"":5,""label"":""N""}]",accept\n')
    )
    assert (row.spans, row.answer) == ((Span(4, 5, "N"),), "accept")


def test_a_long_text_is_no_trouble(csv):
    (row,) = read(csv("text\n" + "word " * 100_000 + "\n"))
    assert len(row.text) == 500_000


@pytest.mark.parametrize(
    ("text", "line", "field", "says"),
    [
        ("", 1, "text", "no column 'text'"),
        ("Text,n\na,1\n", 1, "text", "'Text', 'n'"),
        ("text,n,text\na,1,b\n", 1, "text", "twice"),
        ("text,n\na,1\nb\n", 3, None, "1 cells, the head has 2"),
        ("text,n\na, and b,1\n", 2, None, "3 cells"),
        ("text,spans\na,x\n", 2, "spans", "not JSON"),
        ('text,spans\na,"{}"\n', 2, "spans", "not a list"),
        ("text,flagged\na,perhaps\n", 2, "flagged", "neither true nor false"),
        ("text,_timestamp\na,noon\n", 2, "_timestamp", "not a number"),
        ("text,_input_hash\na,1.5\n", 2, "_input_hash", "whole number"),
        ('text\n"a\n', 2, None, "not CSV"),
        (b"text\n\xe9\n", 2, None, "not UTF-8"),
    ],
)
def test_what_is_wrong_names_file_line_and_field(csv, text, line, field, says):
    path = csv(text)
    with pytest.raises(DataError) as caught:
        list(read(path))
    assert (caught.value.file, caught.value.line, caught.value.field) == (str(path), line, field)
    assert says in str(caught.value)


def test_a_frame_is_read_with_its_own_kinds_of_values():
    frame = pd.DataFrame(
        {
            "text": ["Add 5", "Stir"],
            "spans": [[{"start": np.int64(4), "end": 5, "label": "N"}], None],
            "answer": ["accept", np.nan],
            "flagged": [True, False],
            "_input_hash": [7, np.nan],
            "n": [1, 2],
            "when": [pd.Timestamp("2024-01-02"), pd.NaT],
            "kind": pd.Categorical(["x", None]),
        }
    )
    first, second = read(frame)
    assert (first.spans, first.answer, first.flagged, first.input_hash) == (
        (Span(4, 5, "N"),),
        "accept",
        True,
        7,
    )
    assert first.meta == {"n": 1, "when": "2024-01-02T00:00:00", "kind": "x"}
    assert type(first.meta["n"]) is int
    assert (second.spans, second.answer, second.input_hash, second.meta) == (
        None,
        None,
        None,
        {"n": 2},
    )


@pytest.mark.parametrize("nothing", [np.nan, None, pd.NA, pd.NaT])
def test_an_empty_cell_for_a_text_is_refused(nothing):
    with pytest.raises(DataError) as caught:
        list(read(pd.DataFrame({"text": ["Add", nothing]}, dtype=object)))
    assert (caught.value.line, caught.value.field) == (2, "text")


def test_columns_that_stand_twice_are_refused():
    with pytest.raises(DataError, match="twice"):
        list(read(pd.DataFrame([["a", "b"]], columns=["text", "text"])))


def test_a_frame_without_texts_says_which_columns_there_are():
    with pytest.raises(DataError, match=r"'sentence'.*Rename"):
        list(read(pd.DataFrame({"sentence": ["a"]})))


def test_a_series_is_texts_and_an_empty_cell_is_refused():
    assert [row.text for row in read(pd.Series(["a", "b"]))] == ["a", "b"]
    with pytest.raises(DataError, match="line 2"):
        list(read(pd.Series(["a", np.nan])))


def test_a_table_that_pandas_wrote_is_read(tmp_path):
    pd.DataFrame({"text": ["Add, 5", 'say "hi"\nnow'], "n": [1, 2]}).to_csv(
        tmp_path / "a.csv", index=False
    )
    assert [row.text for row in read(tmp_path / "a.csv")] == ["Add, 5", 'say "hi"\nnow']


def test_a_table_that_nbner_wrote_is_read_by_pandas(tmp_path):
    write([Example("Add 5", spans=(Span(4, 5, "N"),), answer="reject")], tmp_path / "a.csv")
    frame = pd.read_csv(tmp_path / "a.csv")
    assert frame[["text", "answer"]].to_numpy().tolist() == [["Add 5", "reject"]]
    (row,) = read(frame)
    assert (row.spans, row.answer) == ((Span(4, 5, "N"),), "reject")


answers = ("accept", "reject", "ignore", None)
meta = st.dictionaries(st.text(max_size=3), json_values, max_size=2)


@given(st.lists(examples(names=odd_labels, answers=answers, meta=meta), max_size=3))
def test_every_answer_survives_a_round_trip(drawn):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.csv"
        write(drawn, path)
        assert [example_from_row(row) for row in read(path)] == drawn


def test_a_binary_answer_stays_one(tmp_path):
    write(
        [Example("Add 5", spans=(Span(4, 5, "N"),), answer="accept", binary=True)],
        tmp_path / "a.csv",
    )
    (row,) = read(tmp_path / "a.csv")
    assert row.binary
