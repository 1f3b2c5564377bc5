"""CSV for a spreadsheet: no cell is run as a formula, and every text comes back as it was."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import nbner
from nbner.io.formats import read, write
from nbner.types import Example

STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝")
EXAMPLES = int(os.environ.get("NBNER_EXAMPLES", "60"))

texts = st.builds(
    "".join,
    st.tuples(
        st.sampled_from(["", "'", "''", " "]),
        st.sampled_from(["", *STARTS]),
        st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=6),
        st.just("x"),
    ),
)


def cells(path, delimiter=","):
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file, delimiter=delimiter)
    return [dict(zip(header, row, strict=True)) for row in rows]


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(text=texts, note=texts, suffix=st.sampled_from([".csv", ".tsv"]))
def test_every_text_comes_back_and_no_cell_is_a_formula(tmp_path, text, note, suffix):
    path = tmp_path / f"a{suffix}"
    write([Example(text, answer="accept", extra={"note": note})], path)
    (row,) = cells(path, "\t" if suffix == ".tsv" else ",")
    # A negative number is a number.
    formulas = [one for name, one in row.items() if one.startswith(STARTS) and "hash" not in name]
    assert formulas == []
    (back,) = read(path)
    assert back.text == text


def test_notes_and_names_of_people_are_guarded_too(tmp_path):
    with nbner.Session("d", labels=["A"], store=":memory:", annotator="=cmd|' /C calc'!A0") as one:
        one.add(["Add -5 ml", "-5 ml"])
        widget = one.manual()
        for number, example in enumerate(one.examples()):
            widget.receive(
                {
                    "type": "answer",
                    "id": f"a{number}",
                    "example": str(example.input_hash),
                    "answer": "accept",
                    "spans": [[0, 1, "A"]],
                    "note": "@SUM(1)",
                }
            )
        before = [(row.text, row.note, row.answer) for row in one.examples()]
        one.export(tmp_path / "a.csv")
    first, second = cells(tmp_path / "a.csv")
    assert (first["text"], second["text"]) == ("Add -5 ml", "'-5 ml")
    assert first["note"] == "'@SUM(1)"
    assert second["nbner_guarded"] == "text note _annotator_id _session_id"
    # From the file, and from the frame that pandas makes of it.
    for source in (tmp_path / "a.csv", pd.read_csv(tmp_path / "a.csv")):
        with nbner.Session("d", labels=["A"], store=":memory:") as again:
            again.add(source)
            assert [(row.text, row.note, row.answer) for row in again.examples()] == before
            assert all(not row.meta for row in again.examples())
            assert set(again.answers()["annotator"]) == {"=cmd|' /C calc'!A0"}


@pytest.mark.parametrize("text", ["'=1+1", "=1+1", "''-"])
def test_other_tables_are_read_as_they_are(tmp_path, text):
    path = Path(tmp_path / "own.csv")
    pd.DataFrame({"text": [text]}).to_csv(path, index=False)
    assert [row.text for row in read(path)] == [text]


def test_a_cell_that_a_person_changed_stays_as_it_is(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("text,nbner_guarded\n=typed by hand,text\n'=x,\n'=y,text\n'quoted',text\n")
    assert [row.text for row in read(path)] == ["=typed by hand", "'=x", "=y", "'quoted'"]
