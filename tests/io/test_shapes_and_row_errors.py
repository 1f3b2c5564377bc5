"""Span shapes together with skipped rows, line ends, formats found by content and whitespace."""

import gzip
import json

import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

import nbner
from nbner import DataError, Session

TEXT = "Mina Kovac flew to Oslo."
GOOD = {"text": TEXT, "label": [[0, 10, "PER"]]}
UNCLEAR = {"text": "Ada flew.", "entities": [{"start": 0, "end": 3}]}  # offsets without a label
REGION = {
    "data": {"text": "<p>Ada flew</p>"},
    "annotations": [{"result": [{"type": "hypertextlabels", "value": {"startOffset": 0}}]}],
}


@pytest.fixture
def session():
    with Session("d", store=":memory:") as session:
        yield session


def spans_of(session):
    return [
        [(one.text[span.start : span.end], span.label) for span in one.spans]
        for one in session.examples()
    ]


@pytest.mark.parametrize("bad", [UNCLEAR, REGION])
def test_skip_covers_the_refusals_of_span_shapes(session, tmp_path, bad):
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in (GOOD, bad, GOOD | {"text": "x"})))
    with pytest.raises(DataError, match="on_error="):
        session.add(path)
    report = session.add(path, on_error="skip")
    assert (report.added, report.skipped) == (1, 2)
    assert list(report.skipped_rows["line"]) == [2, 3]
    assert report.skipped_rows["reason"].str.len().min() > 0
    assert spans_of(session) == [[("Mina Kovac", "PER")]]


def test_a_text_of_a_file_with_one_object_does_not_cost_the_others(session, tmp_path):
    path = tmp_path / "annotated.json"
    pairs = [[TEXT, {"entities": [[0, 10, "PER"]]}], ["Ada flew.", {"entities": [[0, 900, "PER"]]}]]
    path.write_text(json.dumps({"classes": ["PER"], "annotations": pairs}))
    report = session.add(path, on_error="skip")
    assert (report.added, report.skipped) == (1, 1)
    assert spans_of(session) == [[("Mina Kovac", "PER")]]


def test_a_sentence_with_a_wrong_tag_is_skipped_whole(session):
    rows = [(1, "Mina", "B-PER"), (1, "flew", "O"), (1, "home", "O"), (2, "Ada", "B-PER")]
    rows += [(2, "in", "PER"), (2, "Rome", "O"), (3, "Oslo", "B-LOC"), (3, "froze", "O")]
    frame = pd.DataFrame(rows, columns=["sentence", "word", "tag"])
    with pytest.raises(DataError, match=r"not an entity tag.*on_error="):
        session.add(frame)
    report = session.add(frame, on_error="skip")
    assert list(report.skipped_rows["line"]) == [5]
    assert spans_of(session) == [[("Mina", "PER")], [("Oslo", "LOC")]]


@pytest.mark.parametrize("own_text", [True, False])
def test_windows_line_ends_in_another_shape(own_text):
    text = "John loves Mary.\r\nHe married her."
    span = {"start_offset": 17, "end_offset": 19, "label": "PER", "text": "He"}
    if own_text:
        (example,) = nbner.read([{"text": text, "entities": [span]}])
        assert [text[one.start : one.end] for one in example.spans] == ["He"]
        return
    span.pop("text")
    with pytest.raises(DataError, match="line ends"):
        list(nbner.read([{"text": text, "entities": [span]}]))


def test_span_shapes_are_read_from_compressed_files_and_from_parquet(session, tmp_path):
    path = tmp_path / "doccano.jsonl.gz"
    path.write_bytes(gzip.compress(json.dumps(GOOD).encode()))
    session.add(path)
    ents = [{"start": 0, "end": 4, "label": "LOC"}]
    table = pa.Table.from_pylist([{"text": "Oslo is nice.", "ents": ents}])
    parquet.write_table(table, tmp_path / "ents.parquet")
    session.add(tmp_path / "ents.parquet")
    assert spans_of(session) == [[("Mina Kovac", "PER")], [("Oslo", "LOC")]]


def test_whitespace_is_trimmed_off_spans_of_any_shape(session):
    text = "Order:\nBreak Co\nsends parcels."
    row = {"text": text, "labels": [[7, 16, "ORG"]]}
    report = session.add([row], misaligned="trim")
    assert report.whitespace == 1
    assert spans_of(session) == [[("Break Co", "ORG")]]
