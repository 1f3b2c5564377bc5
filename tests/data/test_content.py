"""Formats that are found by a file's content, compressed files, Parquet and Arrow."""

import gzip
import json
import sys
import tempfile
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from data_strategies import examples
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import feather, parquet

import nbner
from nbner import DataError, Example, Session, Span
from nbner.io.formats import read, write
from nbner.io.rows import example_from_row

GOLD = [
    Example("Ada lives.", spans=(Span(0, 3, "PER"),), answer="accept", meta={"n": 1}),
    Example("Oslo is.", spans=(Span(0, 4, "LOC"),), answer="accept"),
]
COLUMNAR = [".parquet", ".pq", ".arrow", ".feather"]


def found_in(path, **choices):
    return [
        (row.text, [(s.start, s.end, s.label) for s in row.spans]) for row in read(path, **choices)
    ]


WANTED = [("Ada lives.", [(0, 3, "PER")]), ("Oslo is.", [(0, 4, "LOC")])]


@pytest.fixture
def written(tmp_path):
    """Write the gold in the format of one suffix, and move it to another name."""

    def written(suffix, name):
        nbner.write(GOLD, tmp_path / f"gold{suffix}")
        path = tmp_path / name
        (tmp_path / f"gold{suffix}").rename(path)
        return path

    return written


@pytest.mark.parametrize("name", ["a", "a.annotated", "a.ner", "a.gz", "a.annotated.gz"])
@pytest.mark.parametrize(
    "suffix", [".jsonl", ".json", ".csv", ".conll", ".spacy", ".parquet", ".arrow"]
)
def test_an_unknown_suffix_leaves_the_format_to_the_content(written, name, suffix):
    path = written(suffix, name)
    if name.endswith(".gz"):
        path.write_bytes(gzip.compress(path.read_bytes()))
    texts = [text.replace(" .", ".") for text, _ in found_in(path)]
    assert texts == [text for text, _ in WANTED]
    assert [spans for _, spans in found_in(path)] == [spans for _, spans in WANTED]
    with Session("d", store=":memory:") as session:
        assert session.add(path).answered == 2


def test_bio_is_conll_by_its_suffix(written):
    assert [spans for _, spans in found_in(written(".conll", "a.bio"))] == [s for _, s in WANTED]


@pytest.mark.parametrize(
    "suffix", [".jsonl", ".json", ".csv", ".tsv", ".conll", ".spacy", ".parquet", ".arrow"]
)
def test_every_suffix_may_be_followed_by_gz(tmp_path, suffix):
    nbner.write(GOLD, tmp_path / f"a{suffix}")
    nbner.write(GOLD, tmp_path / f"b{suffix}.gz")
    assert (tmp_path / f"b{suffix}.gz").read_bytes()[:2] == b"\x1f\x8b"
    (tmp_path / f"c{suffix}.gz").write_bytes(gzip.compress((tmp_path / f"a{suffix}").read_bytes()))
    wanted = found_in(tmp_path / f"a{suffix}")
    assert [spans for _, spans in wanted] == [spans for _, spans in WANTED]
    assert found_in(tmp_path / f"b{suffix}.gz") == wanted
    assert found_in(tmp_path / f"c{suffix}.gz") == wanted


def test_the_same_examples_compress_to_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        nbner.write(GOLD, tmp_path / f"{name}.jsonl.gz")
    assert (tmp_path / "a.jsonl.gz").read_bytes() == (tmp_path / "b.jsonl.gz").read_bytes()


def test_plain_text_is_compressed_too(tmp_path):
    (tmp_path / "a.txt.gz").write_bytes(gzip.compress(b"Add 5 ml\nStir\n"))
    assert [row.text for row in read(tmp_path / "a.txt.gz")] == ["Add 5 ml", "Stir"]


def test_a_cut_gzip_file_is_refused(tmp_path):
    whole = gzip.compress(b"".join(b'{"text": "%d"}\n' % i for i in range(9999)))
    (tmp_path / "a.jsonl.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match="not a whole gzip file"):
        list(read(tmp_path / "a.jsonl.gz"))


@pytest.mark.parametrize("suffix", [".json", ".jsonl", ".ndjson", "", ".export"])
def test_json_and_json_lines_are_told_apart_whatever_the_suffix(tmp_path, suffix):
    rows = [{"text": "Ada"}, {"text": "Oslo"}]
    path = tmp_path / f"a{suffix}"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    assert [row.text for row in read(path)] == ["Ada", "Oslo"]
    path.write_text(json.dumps(rows, indent=2))
    assert [row.text for row in read(path)] == ["Ada", "Oslo"]


@pytest.mark.parametrize("suffix", [".json", "", ".export"])
def test_a_list_on_one_line_is_a_list(tmp_path, suffix):
    (tmp_path / f"a{suffix}").write_text(json.dumps([{"text": "Ada"}, {"text": "Oslo"}]))
    assert [row.text for row in read(tmp_path / f"a{suffix}")] == ["Ada", "Oslo"]


@pytest.mark.parametrize(
    ("content", "kind"),
    [(b"PK\x03\x04", "ZIP"), (b"%PDF-1.7\n", "PDF"), (b"SQLite format 3\0", "SQLite")],
)
def test_what_is_not_read_is_named(tmp_path, content, kind):
    (tmp_path / "a.bin").write_bytes(content + b"\0" * 40)
    with pytest.raises(DataError, match=kind):
        list(read(tmp_path / "a.bin"))


def test_prose_under_an_unknown_suffix_is_refused_with_a_way_out(tmp_path):
    (tmp_path / "a.md").write_text("# Notes\n\nAda lives in Oslo.\n")
    with pytest.raises(DataError, match="none is recognized by its content") as caught:
        list(read(tmp_path / "a.md"))
    assert 'format="text"' in caught.value.remedy
    assert len(list(read(tmp_path / "a.md", format="text"))) == 2


# Parquet and Arrow.


@given(st.lists(examples(), max_size=4), st.sampled_from([".parquet", ".arrow"]))
def test_what_was_written_is_read_again(given_examples, suffix):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"a{suffix}"
        lines = Path(folder) / "a.jsonl"
        assert write(given_examples, path).written == write(given_examples, lines).written
        found, same = ([example_from_row(row) for row in read(one)] for one in (path, lines))
        assert found == same
        assert [one.extra for one in found] == [one.extra for one in same]


@pytest.mark.parametrize("suffix", COLUMNAR)
def test_everything_of_an_example_comes_back(tmp_path, suffix):
    example = Example(
        "Ada lives.",
        spans=(Span(0, 3, "PER", source="model", score=0.25, extra={"kb": {"id": 5}}),),
        answer="reject",
        annotator="ann",
        flagged=True,
        note="é",
        meta={"n": 1, "list": [None, {"a": 1}]},
        extra={"extra": 1, "mine": {"deep": [1]}},
        created=1_700_000_000.0,
    )
    write([example, Example("Stir")], tmp_path / f"a{suffix}")
    found, bare = (example_from_row(row) for row in read(tmp_path / f"a{suffix}"))
    assert (found.spans, found.spans[0].extra) == (example.spans, {"kb": {"id": 5}})
    assert (found.answer, found.annotator, found.created) == ("reject", "ann", 1_700_000_000.0)
    assert (found.flagged, found.note, found.meta) == (True, "é", example.meta)
    assert {key: found.extra[key] for key in ("extra", "mine")} == example.extra
    assert (bare.text, bare.answer, bare.spans) == ("Stir", None, ())


def test_a_session_comes_back(tmp_path):
    with Session("a", store=":memory:") as one, Session("b", store=":memory:") as two:
        one.add([{"text": x.text, "answer": x.answer, "spans": list(x.spans)} for x in GOLD])
        one.add(["Stir"])
        one.export(tmp_path / "a.parquet")
        report = two.add(tmp_path / "a.parquet")
        assert (report.added, report.answered) == (3, 2)
        assert [(x.text, x.spans, x.answer, x.annotator) for x in one.examples()] == [
            (x.text, x.spans, x.answer, x.annotator) for x in two.examples()
        ]


def write_table(table, path, how):
    if how == "parquet":
        parquet.write_table(table, path)
    elif how == "feather":
        feather.write_feather(table, path)
    else:
        new = pa.ipc.new_stream if how == "stream" else pa.ipc.new_file
        with new(path, table.schema) as writer:
            writer.write_table(table)


@pytest.mark.parametrize("how", ["parquet", "feather", "file", "stream"])
@pytest.mark.parametrize("named", [True, False])
def test_a_table_of_somebody_else_is_read_like_a_frame(tmp_path, how, named):
    rows = [
        {"text": "Ada lives.", "spans": [{"start": 0, "end": 3, "label": "PER"}], "n": 1},
        {"text": "Oslo", "spans": [], "n": None},
        {"text": "Stir", "spans": None, "n": 3},
    ]
    path = tmp_path / ("a" if not named else "a.parquet" if how == "parquet" else "a.arrow")
    write_table(pa.Table.from_pylist(rows), path, how)
    found = list(read(path))
    assert [(row.text, row.meta, row.line) for row in found] == [
        ("Ada lives.", {"n": 1}, 1),
        ("Oslo", {}, 2),
        ("Stir", {"n": 3}, 3),
    ]
    assert [row.spans for row in found] == [(Span(0, 3, "PER"),), (), None]


def test_a_frame_that_pandas_has_written_is_read_as_the_frame(tmp_path):
    frame = pd.DataFrame({"text": ["Ada", "Oslo"], "when": pd.to_datetime(["2024-01-01"] * 2)})
    frame.to_parquet(tmp_path / "a.parquet")
    frame.to_feather(tmp_path / "a.feather")
    wanted = [(row.text, row.meta) for row in read(frame)]
    for name in ("a.parquet", "a.feather"):
        assert [(row.text, row.meta) for row in read(tmp_path / name)] == wanted


@pytest.mark.parametrize("how", ["parquet", "stream"])
def test_the_tag_names_of_datasets_are_found_in_the_schema(tmp_path, how):
    rows = [{"id": "0", "tokens": ["Ada", "lives"], "ner_tags": [1, 0]}]
    names = ["O", "B-PER"]
    label = {"names": names, "_type": "ClassLabel"}
    features = {"ner_tags": {"feature": label, "_type": "Sequence"}}
    metadata = {"huggingface": json.dumps({"info": {"features": features}})}
    table = pa.Table.from_pylist(rows).replace_schema_metadata(metadata)
    write_table(table, tmp_path / "a", how)
    (row,) = read(tmp_path / "a")
    assert (row.text, row.spans, row.gold) == ("Ada lives", (Span(0, 3, "PER"),), True)
    write_table(pa.Table.from_pylist(rows), tmp_path / "b", how)
    with pytest.raises(DataError, match="ner_tags"):
        list(read(tmp_path / "b"))
    (row,) = read(tmp_path / "b", tag_names=names)
    assert row.spans == (Span(0, 3, "PER"),)


def test_a_table_without_texts_is_refused(tmp_path):
    pd.DataFrame({"n": [1]}).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(DataError, match="no column 'text'"):
        list(read(tmp_path / "a.parquet"))


@pytest.mark.parametrize("suffix", COLUMNAR)
@pytest.mark.parametrize("content", [b"", b"PAR1", b"ARROW1\0\0", b"\xff\xff\xff\xff\x10", b"text"])
def test_a_damaged_file_is_refused(tmp_path, suffix, content):
    (tmp_path / f"a{suffix}").write_bytes(content)
    with pytest.raises(DataError, match="no whole Parquet or Arrow file"):
        list(read(tmp_path / f"a{suffix}"))


def test_one_bad_row_can_be_left_out(tmp_path):
    rows = [{"text": "Ada"}, {"text": None}, {"text": "Oslo"}]
    write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet", "parquet")
    with Session("d", store=":memory:") as session:
        report = session.add(tmp_path / "a.parquet", on_error="skip")
        assert (report.added, list(report.skipped_rows["line"])) == (2, [2])


@pytest.mark.parametrize("suffix", [".parquet", ".arrow"])
def test_without_pyarrow_the_extra_is_named(tmp_path, suffix, monkeypatch):
    write(GOLD, tmp_path / f"a{suffix}")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    for attempt in (
        lambda: list(read(tmp_path / f"a{suffix}")),
        lambda: write(GOLD, tmp_path / f"b{suffix}"),
    ):
        with pytest.raises(DataError, match="needs pyarrow") as caught:
            attempt()
        assert "nbner[parquet]" in caught.value.remedy
    assert not (tmp_path / f"b{suffix}").exists()


@pytest.mark.parametrize("suffix", [".parquet", ".arrow"])
def test_a_file_is_read_and_written_in_pieces(tmp_path, suffix):
    taken = 0

    def many():
        nonlocal taken
        for i in range(5000):
            taken += 1
            yield Example(f"text {i}")

    assert write(many(), tmp_path / f"a{suffix}").written == 5000
    if suffix == ".parquet":
        pieces = parquet.ParquetFile(tmp_path / "a.parquet").num_row_groups
    else:
        pieces = pa.ipc.open_file(tmp_path / "a.arrow").num_record_batches
    assert pieces == 5
    rows = read(tmp_path / f"a{suffix}")
    assert next(rows).text == "text 0"
    assert sum(1 for _ in rows) == 4999
