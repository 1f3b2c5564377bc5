"""Labelling of a corpus: what comes out, what is set aside, and going on after a stop."""

from __future__ import annotations

import gzip
import json
import os
import time
from decimal import Decimal

import pandas as pd
import pyarrow as pa
import pytest
import spacy
from pyarrow import parquet
from spacy.language import Language

import nbner
from nbner import DataError, ModelError
from nbner.corpus import manifest, reader, run, sources
from nbner.corpus import partition as partition_module
from nbner.corpus.partition import ChunkLabeller
from nbner.corpus.reader import Chunk
from nbner.corpus.settings import settings_for
from nbner.nlp import dask, frequent_words
from nbner.nlp.fingerprint import fingerprint


def labelled(target):
    return pd.read_parquet(target)


def predicted(session, texts):
    frame = session.predict(list(texts), progress=False)
    return frame.rename(columns={"example": "row"})


# What comes out.


def test_spans_are_those_that_the_session_predicts(session, label, parquet_source, texts, tmp_path):
    report = label(parquet_source, keep=["id"])
    assert (report.texts, len(report.records), report.new) == (60, 3, 3)
    for number in range(3):
        found = pd.read_parquet(tmp_path / "target" / f"part-{number}.parquet")
        wanted = predicted(session, texts[number * 20 : number * 20 + 20])
        own = found.drop(columns="id").astype(object)
        pd.testing.assert_frame_equal(own, wanted.astype(object), check_dtype=False)
        assert list(found["id"]) == [f"{number}-{row}" for row in found["row"]]
    assert report.spans == len(labelled(tmp_path / "target"))


def test_one_row_a_text_holds_its_spans(session, label, parquet_source, texts, tmp_path):
    label(parquet_source, shape="texts", keep=["id"])
    found = labelled(tmp_path / "target")
    assert list(found.columns) == ["id", "row", "text", "spans"]
    assert list(found["text"]) == texts
    (wanted,) = predicted(session, texts[:1])["label"].groupby(lambda _: 0).agg(list)
    assert [one["label"] for one in found["spans"][0]] == wanted


def test_readers_of_folders_see_what_was_labelled_and_nothing_else(label, parquet_source, tmp_path):
    import dask.dataframe as dd
    import pyarrow.dataset as ds

    report = label(parquet_source, min_probability=0.99)
    target = tmp_path / "target"
    assert ds.dataset(target).count_rows() == report.spans
    assert len(dd.read_parquet(target).compute(scheduler="synchronous")) == report.spans


def test_equal_texts_of_a_partition_are_predicted_once(label, tmp_path, monkeypatch):
    monkeypatch.setattr(reader, "CHUNK_ROWS", 4)
    source = tmp_path / "source"
    source.mkdir()
    texts = ["Add salt .", "Heat water ."] * 10 + ["Mix 3 g of salt ."]
    pd.DataFrame({"text": texts}).to_parquet(source / "a.parquet")
    seen = []
    predict = partition_module.predict_texts

    def counted(nlp, texts, **options):
        seen.extend(texts)
        return predict(nlp, texts, **options)

    monkeypatch.setattr(partition_module, "predict_texts", counted)
    report = label(source)
    assert sorted(seen) == sorted(set(texts))
    assert report.records[0].repeated == len(texts) - len(set(texts))
    assert report.frame["texts"].tolist() == [len(texts)]


class PrefixSearch:
    """The search of a tokenizer for prefixes, which can be watched and can fail."""

    def __init__(self, nlp, failing=None):
        self.split, self.failing = [], failing
        self._search = nlp.tokenizer.prefix_search
        self.pattern = self._search.__self__.pattern  # spaCy asks for it
        nlp.tokenizer.prefix_search = self.search

    def search(self, word):
        self.split.append(word)
        if word == self.failing:
            raise ValueError("no such word")
        return self._search(word)


def test_words_that_come_again_are_split_once(trained_path):
    nlp = spacy.load(trained_path)
    texts = [f"Add salt ,carefully, {number}x ." for number in range(50)]
    split = PrefixSearch(nlp).split
    settings = settings_for(
        *(nlp,), text="text", keep=(), shape="spans", probabilities=False, min_probability=None
    )
    labeller = ChunkLabeller(nlp, settings)
    labeller.label(Chunk(list(range(50)), texts))
    assert (split.count("salt"), split.count(",carefully,")) == (1, 1)
    split.clear()
    _, found = labeller.label(Chunk(list(range(50, 100)), [f"{one} now" for one in texts]))
    assert "salt" not in split
    plain = [len(doc) for doc in spacy.load(trained_path).pipe(f"{one} now" for one in texts)]
    assert [one.tokens for one in found] == plain


def test_the_words_that_are_kept_are_limited(trained_path, monkeypatch):
    monkeypatch.setattr(frequent_words, "_MAX_KEPT_WORDS", 30)
    nlp = spacy.load(trained_path)
    sizes = []
    for first in (0, 1_000, 2_000):
        words = [f"w{number}" for number in range(first, first + 200)]
        frequent_words.keep_frequent_words(nlp, [" ".join(words)] * 2)
        sizes.append(len(nlp.vocab))
    assert sizes[0] == sizes[1] == sizes[2]
    # Within a memory zone words would be forgotten, and not be kept again.
    with nlp.memory_zone():
        frequent_words.keep_frequent_words(nlp, ["inside inside"])
    assert "inside" not in frequent_words._kept_words[nlp]


def test_a_pipeline_that_has_met_many_new_words_is_read_again(
    label, parquet_source, tmp_path, monkeypatch, content
):
    label(parquet_source, tmp_path / "once")
    loaded = []
    load = dask.load_model_from_config

    def counted(*args, **options):
        loaded.append(load(*args, **options))
        return loaded[-1]

    monkeypatch.setattr(dask, "load_model_from_config", counted)
    monkeypatch.setattr(manifest, "_MAX_NEW_WORDS", 3)
    dask._loaded.clear()
    label(parquet_source)
    # Once for each partition, since each one brings more than three words.
    assert len(loaded) == 3
    assert content(tmp_path / "target") == content(tmp_path / "once")
    assert len(dask._loaded) == 1


def test_a_word_on_which_the_tokenizer_fails_stops_no_partition(trained_path):
    nlp = spacy.load(trained_path)
    PrefixSearch(nlp, failing="bang")
    frame = pd.DataFrame({"text": ["bang", "Add salt .", "bang bang"]})
    found = nbner.predict_batch(frame, nlp)
    assert found["problem"].isna().tolist() == [False, True, False]
    assert "no such word" in found["problem"][0]


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl", ".csv.gz", ".jsonl.gz"])
def test_text_formats_come_out_as_parquet(session, label, texts, tmp_path, suffix):
    source = tmp_path / "source" / "deeper"
    source.mkdir(parents=True)
    frame = pd.DataFrame({"id": range(20), "body": [f"{one}\nand “more”" for one in texts[:20]]})
    path = source / f"a{suffix}"
    if "jsonl" in suffix:
        frame.to_json(path, orient="records", lines=True)
    else:
        frame.to_csv(path, index=False, sep="\t" if "tsv" in suffix else ",")
    label(source.parent, text="body", keep=["id"])
    found = pd.read_parquet(tmp_path / "target" / "deeper" / f"a{suffix}.parquet")
    wanted = predicted(session, frame["body"])
    assert found["start"].tolist() == wanted["start"].tolist()
    assert found["id"].dtype.kind == ("i" if "jsonl" in suffix else found["id"].dtype.kind)
    assert found["id"].astype(int).tolist() == wanted["row"].tolist()


def test_a_url_of_another_file_system(session, label, texts):
    import fsspec

    fs = fsspec.filesystem("memory")
    with fs.open("/in/a.jsonl", "wb") as file:
        file.write("\n".join(json.dumps({"text": one}) for one in texts[:5]).encode())
    report = label("memory://in", "memory://out", shape="texts")
    assert (report.texts, report.new) == (5, 1)
    assert label("memory://in", "memory://out", shape="texts").new == 0
    assert pd.read_parquet("memory://out/a.jsonl.parquet")["text"].tolist() == texts[:5]
    assert not [one for one in fs.find("/out") if "writing" in one]


def test_a_large_file_is_cut_at_its_row_groups(label, tmp_path, monkeypatch, content):
    source = tmp_path / "source"
    source.mkdir()
    frame = pd.DataFrame({"text": [f"Add {i} g of salt ." for i in range(25)]})
    frame.to_parquet(source / "a.parquet", row_group_size=5)
    label(source, tmp_path / "whole")
    monkeypatch.setattr(sources, "MAX_PARTITION_BYTES", 1)
    report = label(source)
    assert [one.partition for one in report.records] == [f"a.0000{i}.parquet" for i in range(5)]
    whole = pd.read_parquet(tmp_path / "whole")
    cut = pd.concat(
        [pd.read_parquet(tmp_path / "target" / one.partition) for one in report.records]
    )
    pd.testing.assert_frame_equal(cut.reset_index(drop=True), whole)
    assert label(source).new == 0


# Only what is sure.


def test_a_minimum_leaves_spans_out_and_keeps_the_unsure(
    session, label, parquet_source, texts, tmp_path, monkeypatch
):
    temperatures = {"model": fingerprint(session.nlp), "overall": 0.1, "per_label": {}}
    monkeypatch.setitem(session.nlp.meta, "nbner_calibration", temperatures)
    everything = label(parquet_source, tmp_path / "all", probabilities=True)
    frame = labelled(tmp_path / "all")
    wanted = session.predict(texts, probabilities=True, progress=False)["probability"]
    assert frame["probability"].tolist() == pytest.approx(wanted.tolist())
    minimum = float(frame["probability"].quantile(0.4))
    report = label(parquet_source, min_probability=minimum)
    kept = labelled(tmp_path / "target")
    assert kept["probability"].tolist() == [one for one in frame["probability"] if one >= minimum]
    assert report.expected_precision == pytest.approx(kept["probability"].mean())
    assert report.expected_precision > everything.expected_precision
    assert sum(one.left_out for one in report.records) == len(frame) - len(kept)
    unsure = pd.concat(
        [pd.read_feather(one) for one in sorted((tmp_path / "target" / "_unsure").iterdir())]
    )
    assert len(unsure) == report.unsure > 0
    lowest = [min((span["score"] for span in one), default=1.0) for one in unsure["spans"]]
    assert sum(one < minimum for one in lowest) >= 1
    assert "(calibrated)" in str(report)


# Bad rows.


def test_bad_rows_are_set_aside_with_the_reason(session, label, tmp_path, monkeypatch):
    source = tmp_path / "source"
    source.mkdir()
    lines = [
        '{"text": "Add salt ."}',
        '{"text": null}',
        '{"text": ""}',
        '{"text": 7}',
        '{"text": "\\ud800"}',
        "{broken",
        '["no", "object"]',
        '{"other": 1}',
        json.dumps({"text": "x" * 300}),
        "",
        '{"text": "Heat water ."}',
    ]
    (source / "a.jsonl").write_bytes("\n".join(lines).encode() + b'\n{"text": "\xff"}\n')
    monkeypatch.setattr(session.nlp, "max_length", 200)
    report = label(source, shape="texts")
    assert labelled(tmp_path / "target")["row"].tolist() == [0, 9]
    bad = report.bad_rows
    assert bad["row"].tolist() == [1, 2, 3, 4, 5, 6, 7, 8, 10]
    assert [one.split(":")[0] for one in bad["reason"]] == [
        "there is no text",
        "there is no text",
        "this is not a string but int",
        "character 1 is not UTF-8",
        "this line is no JSON",
        "this line is no JSON object",
        "there is no text",
        "the text has 300 characters, and the model takes 200",
        "character 1 is not UTF-8",
    ]
    assert report.bad_row_count == 9
    assert "9 rows set aside" in str(report)


def test_a_cell_too_many_in_csv_and_a_kept_value_of_another_type(label, tmp_path):
    for name in ("csv", "jsonl"):
        (tmp_path / name).mkdir()
    (tmp_path / "csv" / "a.csv").write_text("text,id\nAdd salt .,1\nHeat,2,3\nMix .,4\n")
    report = label(tmp_path / "csv", tmp_path / "one")
    assert report.bad_rows["reason"].tolist() == ["the row has 3 cells, and the header 2"]
    rows = [{"text": "Add salt .", "id": 1}] * 1001 + [{"text": "Mix salt .", "id": "x"}]
    (tmp_path / "jsonl" / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    report = label(tmp_path / "jsonl", tmp_path / "two", keep=["id"])
    assert report.bad_rows["reason"].tolist() == ["the column 'id' holds 'x', and int64 elsewhere"]


def test_a_text_that_the_pipeline_cannot_take_does_not_stop_the_others(
    session, label, parquet_source, monkeypatch
):
    original = Language.pipe

    def picky(nlp, texts, **options):
        for doc in original(nlp, texts, **options):
            if "Heat" in doc.text:
                raise ValueError("too hot")
            yield doc

    monkeypatch.setattr(Language, "pipe", picky)
    report = label(parquet_source)
    assert report.is_complete
    assert set(report.bad_rows["reason"]) == {"the model failed: ValueError: too hot"}
    assert report.texts == 40


def test_a_model_that_takes_no_text_fails_the_partition(
    session, label, parquet_source, monkeypatch
):
    def broken(nlp, texts, **options):
        raise RuntimeError("out of order")
        yield

    monkeypatch.setattr(Language, "pipe", broken)
    with pytest.warns(UserWarning, match="3 of 3 partitions failed"):
        report = label(parquet_source)
    assert {one.error for one in report.failed} == {"RuntimeError: out of order"}
    assert not report.is_complete


# Stops and resumption.


def test_a_second_run_does_what_is_missing(label, parquet_source, tmp_path):
    target = tmp_path / "target"
    first = label(parquet_source)
    again = label(parquet_source)
    assert (first.new, again.new, again.texts) == (3, 0, 60)
    (target / "part-1.parquet").unlink()
    (target / "part-2.parquet").write_bytes(b"PAR1")
    repaired = label(parquet_source)
    assert repaired.new == 2
    assert {one.partition: one.spans for one in repaired.records} == {
        one.partition: one.spans for one in first.records
    }


def stop_at(monkeypatch, when, error=KeyboardInterrupt):
    """Interrupt when the nth table is written."""
    seen = iter(range(10**6))
    original = partition_module.labelled_table

    def table(*args):
        if next(seen) == when:
            raise error
        return original(*args)

    monkeypatch.setattr(partition_module, "labelled_table", table)


@pytest.mark.parametrize("when", [0, 7, 13])
def test_however_it_is_stopped_the_outcome_is_the_same(
    label, parquet_source, tmp_path, monkeypatch, content, when
):
    monkeypatch.setattr(reader, "CHUNK_ROWS", 4)
    monkeypatch.setattr(reader, "CHUNK_CHARACTERS", 100)
    options = {"keep": ["id"], "min_probability": 0.9}
    label(parquet_source, tmp_path / "undisturbed", **options)
    stop_at(monkeypatch, when)
    stopped = label(parquet_source, **options)
    assert not stopped.is_complete
    assert "stopped" in str(stopped)
    done = content(tmp_path / "target")
    assert len([one for one in done if not one.startswith("_")]) == stopped.new
    finished = label(parquet_source, **options)
    assert finished.is_complete
    assert content(tmp_path / "target") == content(tmp_path / "undisturbed")
    assert finished.new + stopped.new == 3


def test_a_full_disk_in_mid_partition_is_reported_and_the_rest_is_done(
    label, parquet_source, tmp_path, monkeypatch
):
    original = partition_module.labelled_table

    def table(chunk, *args):
        if chunk.rows and "1-0" in chunk.kept.column("id").to_pylist():
            raise OSError(28, "No space left on device")
        return original(chunk, *args)

    monkeypatch.setattr(partition_module, "labelled_table", table)
    with pytest.warns(UserWarning, match="No space left on device"):
        report = label(parquet_source, keep=["id"])
    assert [one.partition for one in report.failed] == ["part-1.parquet"]
    assert report.new == 2
    assert "failed three times: part-1.parquet" in str(report)
    assert not list((tmp_path / "target" / "_nbner" / "writing").iterdir())
    monkeypatch.undo()
    assert label(parquet_source, keep=["id"]).is_complete


def test_a_partition_that_fails_twice_is_labelled_the_third_time(
    label, parquet_source, monkeypatch
):
    original = run.label_partition
    calls = []

    def flaky(task, part):
        calls.append(part.name)
        if calls.count(part.name) < run.ATTEMPTS:
            raise ConnectionError("try again")
        return original(task, part)

    monkeypatch.setattr(run, "label_partition", flaky)
    assert label(parquet_source).is_complete
    assert len(calls) == 9


def test_a_source_file_that_has_changed_is_labelled_again(label, parquet_source, tmp_path):
    label(parquet_source)
    pd.DataFrame({"id": ["x"], "text": ["Add salt ."]}).to_parquet(
        parquet_source / "part-1.parquet"
    )
    pd.DataFrame({"id": ["y"], "text": ["Add salt ."]}).to_parquet(
        parquet_source / "part-9.parquet"
    )
    report = label(parquet_source)
    assert (report.new, report.texts) == (2, 42)


def test_another_model_or_setting_is_refused_by_name(session, label, parquet_source, tmp_path):
    label(parquet_source)
    with pytest.raises(DataError, match=r"min_probability= was None and now is 0\.9"):
        label(parquet_source, min_probability=0.9)
    with pytest.raises(DataError, match=r"keep= was \[\] and now is \['id'\]"):
        label(parquet_source, keep=["id"])
    before = session.nlp.meta.get("nbner_calibration")
    session.nlp.meta["nbner_calibration"] = {
        "model": fingerprint(session.nlp),
        "overall": 2.0,
        "per_label": {},
    }
    try:
        with pytest.raises(DataError, match="its calibration was ''"):
            label(parquet_source)
    finally:
        session.nlp.meta["nbner_calibration"] = before
    report = label(parquet_source, keep=["id"], resume=False)
    assert report.new == 3
    assert "id" in labelled(tmp_path / "target")


def test_other_versions_of_libraries_are_said(label, parquet_source, tmp_path):
    label(parquet_source)
    path = tmp_path / "target" / "_nbner" / "run.json"
    value = json.loads(path.read_text())
    value["versions"]["spacy"] = "3.0.0"
    path.write_text(json.dumps(value))
    with pytest.warns(UserWarning, match=r"begun with spacy 3\.0\.0 \(now "):
        label(parquet_source)


def test_the_manifest_says_what_was_done(session, label, parquet_source, tmp_path):
    label(parquet_source)
    folder = tmp_path / "target" / "_nbner"
    lines = [one.read_text() for one in sorted((folder / "partitions").iterdir())]
    assert all(one.count("\n") == 1 for one in lines)
    first = json.loads(lines[0])
    assert (first["partition"], first["rows"], first["texts"]) == ("part-0.parquet", 20, 20)
    assert first["seconds"] > 0
    assert first["versions"]["nbner"] == nbner.__version__
    run_file = json.loads((folder / "run.json").read_text())
    assert run_file["settings"]["model"] == fingerprint(session.nlp)
    assert not (folder / "model.bin").exists()


def test_resuming_a_thousand_partitions_that_are_done_is_quick(label, tmp_path, parquet_source):
    label(parquet_source)
    records = tmp_path / "target" / "_nbner" / "partitions"
    value = json.loads((records / "part-0.parquet.json").read_text())
    data, done = (parquet_source / "part-0.parquet").read_bytes(), tmp_path / "target"
    output = (done / "part-0.parquet").read_bytes()
    for number in range(1000):
        name = f"many-{number:04d}.parquet"
        (parquet_source / name).write_bytes(data)
        (done / name).write_bytes(output)
        info = (parquet_source / name).stat()
        stamp = f"{info.st_size} {info.st_mtime}"
        record = {**value, "partition": name, "source": name, "source_stamp": stamp}
        (records / f"{name}.json").write_text(json.dumps(record))
    started = time.perf_counter()
    report = label(parquet_source)
    assert (report.new, len(report.records)) == (0, 1003)
    assert time.perf_counter() - started < 10  # the benchmark holds it to 2 s


# Errors before the work.


def write(folder, name="a.parquet", **columns):
    folder.mkdir(exist_ok=True)
    pd.DataFrame(columns).to_parquet(folder / name)
    return folder


@pytest.mark.parametrize(
    ("columns", "options", "message"),
    [
        ({"body": ["x"]}, {}, "there is no column 'text'; there are body"),
        ({"text": [1, 2]}, {}, "the column of texts holds int64"),
        ({"text": ["x"]}, {"keep": ["id"]}, "there is no column 'id'"),
        ({"text": ["x"], "label": ["y"]}, {"keep": ["label"]}, "cannot be called 'label'"),
        ({"text": ["x"]}, {"min_probability": 2}, "min_probability=2 is not a probability"),
        ({"text": ["x"]}, {"n_process": 0}, "n_process=0 is no number of processes"),
        ({"text": ["x"]}, {"shape": "rows"}, "'spans' or 'texts'"),
    ],
)
def test_wrong_columns_and_settings_are_errors(label, tmp_path, columns, options, message):
    with pytest.raises(DataError, match=message):
        label(write(tmp_path / "source", **columns), **options)
    assert not list(tmp_path.glob("target/*.parquet"))


def test_a_schema_that_changes_between_files(label, tmp_path):
    source = write(tmp_path / "source", text=["x"], id=[1])
    write(source, "b.parquet", text=["x"], id=["one"])
    with pytest.raises(DataError, match=r"b\.parquet.*the schema changes between files.*int64"):
        label(source, keep=["id"])
    write(source, "c.parquet", body=["x"])
    with pytest.raises(DataError, match=r"c\.parquet.*no column 'text'"):
        label(source)
    assert not (tmp_path / "target").exists()


def test_files_of_several_formats_none_and_others(label, tmp_path):
    source = tmp_path / "source"
    with pytest.raises(DataError, match="no such folder"):
        label(source)
    source.mkdir()
    with pytest.raises(DataError, match="there is no file of texts here"):
        label(source)
    (source / "README.md").write_text("x")
    with pytest.raises(DataError, match=r"there is README\.md"):
        label(source)
    write(source, text=["Add salt ."])
    assert "1 file of other kinds passed over: README.md" in str(label(source))
    (source / "b.csv").write_text("text\nx\n")
    with pytest.raises(DataError, match=r"several formats: a\.parquet and b\.csv"):
        label(source)
    assert label(f"{source}/*.csv", tmp_path / "csv").texts == 1
    assert label(source / "b.csv", tmp_path / "file").texts == 1


def test_a_place_that_cannot_be_the_target(label, parquet_source, tmp_path):
    with pytest.raises(DataError, match="the target lies inside of the source"):
        label(parquet_source, parquet_source / "out")
    with pytest.raises(DataError, match="the target lies inside of the source"):
        label(parquet_source / "part-0.parquet", parquet_source)
    (tmp_path / "file").write_text("x")
    with pytest.raises(DataError, match="the target is a file"):
        label(parquet_source, tmp_path / "file")
    other = tmp_path / "other"
    other.mkdir()
    (other / "mine.txt").write_text("x")
    with pytest.raises(DataError, match=r"holds other files, such as mine\.txt"):
        label(parquet_source, other)
    with pytest.raises(DataError, match=r"holds other files, such as mine\.txt"):
        label(parquet_source, other, resume=False)
    with pytest.raises(DataError, match="there is no file system for it"):
        label(parquet_source, "nowhere://x")


def test_a_target_that_cannot_be_written(label, parquet_source, monkeypatch):
    from nbner.corpus.storage import Folder

    def refuse(*args):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Folder, "move", refuse)
    with pytest.raises(DataError, match=r"cannot be written.*Permission denied"):
        label(parquet_source)


def test_a_model_that_is_not_trained(parquet_source, tmp_path):
    with (
        nbner.Session("x", labels=["A"], store=":memory:") as empty,
        pytest.raises(ModelError, match="not been trained"),
    ):
        empty.label_corpus(parquet_source, tmp_path / "target", n_process=1)
    assert not (tmp_path / "target").exists()


def test_a_damaged_file_is_named(label, parquet_source):
    (parquet_source / "part-1.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(DataError, match=r"part-1\.parquet.*no whole file of its kind"):
        label(parquet_source)


def test_empty_files_and_nulls(label, tmp_path):
    source = write(tmp_path / "source", text=pd.Series([], dtype="str"))
    write(source, "b.parquet", text=[None, None])
    write(source, "c.parquet", text=pd.Categorical(["Add salt .", "Mix .", "Add salt ."]))
    report = label(source)
    assert report.frame[["texts", "bad_rows"]].to_numpy().tolist() == [[0, 0], [0, 2], [3, 0]]
    (tmp_path / "two").mkdir()
    (tmp_path / "two" / "a.csv").write_text("")
    (tmp_path / "two" / "b.jsonl.gz").write_bytes(gzip.compress(b""))
    assert label(tmp_path / "two" / "a.csv", tmp_path / "csv").texts == 0
    assert label(tmp_path / "two" / "b.jsonl.gz", tmp_path / "jsonl").texts == 0


# Names, columns and lines that are easily mistaken.


def test_files_that_differ_in_the_suffix_are_two_partitions(label, tmp_path):
    source = write(tmp_path / "source", text=["Add salt ."])
    write(source, "a.pq", text=["Heat water .", "Mix ."])
    report = label(source)
    assert {one.partition: one.texts for one in report.records} == {
        "a.parquet": 1,
        "a.pq.parquet": 2,
    }
    assert label(source).new == 0
    # Two that would be one file are refused, also when the other one is done.
    write(source, "a.pq.parquet", text=["Stir ."])
    for target in ("target", "anew"):
        with pytest.raises(DataError, match=r"would both become a\.pq\.parquet"):
            label(source, tmp_path / target)


def test_a_file_whose_name_holds_marks_of_a_pattern_is_that_file(label, tmp_path):
    folder = tmp_path / "texts[1]"
    folder.mkdir()
    (folder / "a[1].csv").write_text("text\nAdd salt .\n")
    (folder / "a1.csv").write_text("text\nNothing .\nNothing else .\n")
    (report,) = label(folder / "a[1].csv").records
    assert (report.source, report.texts) == ("a[1].csv", 1)
    assert label(f"{folder}/a*.csv", tmp_path / "pattern").texts == 3


def test_a_quotation_mark_that_is_never_closed_is_a_bad_row(label, tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    (source / "a.csv").write_text('text\n"Mix\nit ."\n"Add salt .\nHeat water .\n')
    report = label(source)
    assert (report.texts, report.bad_rows["row"].tolist()) == (1, [1])
    assert "a quotation mark is not closed" in report.bad_rows["reason"][0]
    (source / "a.csv").write_text('"text\nAdd salt .\n')
    with pytest.raises(DataError, match="the line of column names cannot be read"):
        label(source)
    (source / "a.csv").write_text('text\n"Add salt ."')
    assert label(source).texts == 1


def test_columns_of_one_name_are_refused(label, tmp_path):
    (tmp_path / "csv").mkdir()
    (tmp_path / "csv" / "a.csv").write_text("text,text\nAdd,salt\n")
    with pytest.raises(DataError, match="there are 2 columns 'text'"):
        label(tmp_path / "csv")
    (tmp_path / "parquet").mkdir()
    twice = pa.table([["Add salt ."], ["1"], ["2"]], names=["text", "id", "id"])
    parquet.write_table(twice, tmp_path / "parquet" / "a.parquet")
    with pytest.raises(DataError, match="there are 2 columns 'id'"):
        label(tmp_path / "parquet", keep=["id"])


def test_kept_numbers_that_do_not_fit_stop_no_partition(label, tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    huge = 2**64
    rows = [{"text": "Add salt .", "id": huge, "size": 0.5}] * 1000
    rows += [{"text": "Mix .", "id": 1, "size": 2**53 + 1}, {"text": "Heat .", "size": 2}]
    (source / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    report = label(source, keep=["id", "size"], shape="texts")
    assert report.is_complete
    assert report.bad_rows["row"].tolist() == [1000]
    found = labelled(tmp_path / "target")
    assert found["id"].dropna().tolist() == [str(huge)] * 1000
    assert found["size"].tolist()[-2:] == [0.5, 2]


@pytest.mark.parametrize("kind", ["large_string", "string_view", "dictionary"])
def test_texts_and_kept_columns_of_other_string_types(label, tmp_path, kind):
    texts = pa.array(["Add salt .", None, "Heat water ."])
    other = texts.dictionary_encode() if kind == "dictionary" else texts.cast(getattr(pa, kind)())
    (tmp_path / "source").mkdir()
    parquet.write_table(pa.table({"text": other, "id": other}), tmp_path / "source" / "a.parquet")
    for shape in ("spans", "texts"):
        report = label(tmp_path / "source", tmp_path / shape, keep=["id"], shape=shape)
        assert (report.is_complete, report.texts, report.bad_row_count) == (True, 2, 1)
        assert parquet.read_schema(tmp_path / shape / "a.parquet").field("id").type == other.type


def test_lost_files_beside_the_target_are_told_and_written_again(label, tmp_path):
    source = write(tmp_path / "source", text=["Add salt .", None])
    report = label(source)
    (tmp_path / "target" / "_bad_rows" / "a.jsonl").unlink()
    with pytest.raises(DataError, match=r"has gone.*Call label_corpus again"):
        _ = report.bad_rows
    again = label(source)
    assert (again.new, len(again.bad_rows)) == (1, 1)


def test_a_damaged_stream_and_a_target_below_a_file_are_named(label, tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    data = bytearray(gzip.compress(b"text\n" + bytes(range(65, 91)) * 90))
    data[15:25] = b"\xff" * 10
    (source / "a.csv.gz").write_bytes(data)
    with pytest.raises(DataError, match=r"a\.csv\.gz.*no whole file of its kind"):
        label(source)
    with pytest.raises(DataError, match="the target cannot be written"):
        label(write(tmp_path / "good", text=["Mix ."]), source / "a.csv.gz" / "below")


@pytest.mark.parametrize("value", ["[1]", "{", '{"format": 1}', '{"format": 1, "settings": 1}'])
def test_a_damaged_manifest_is_named(label, tmp_path, value):
    source = write(tmp_path / "source", text=["Add salt ."])
    label(source)
    folder = tmp_path / "target" / "_nbner"
    record = folder / "partitions" / "a.parquet.json"
    whole = record.read_text()
    record.write_text(value.replace('"format"', '"texts"'))
    with pytest.raises(DataError, match=r"a\.parquet\.json.*is damaged"):
        label(source)
    record.write_text(whole)
    (folder / "run.json").write_text(value)
    with pytest.raises(DataError, match=r"run\.json.*is damaged"):
        label(source)


def test_braces_in_a_pattern_name_the_way_out(label, parquet_source, tmp_path):
    for pattern in ("part-{0,2}.parquet", "part-{0,2}.par*"):
        with pytest.raises(DataError) as caught:
            label(f"{parquet_source}/{pattern}")
        alternatives = [pattern.replace("{0,2}", one) for one in "02"]
        said = ", then ".join(repr(f"{parquet_source}/{one}") for one in alternatives)
        assert "Braces are characters of a name" in caught.value.remedy
        assert caught.value.remedy.rstrip(".").endswith(said)
    for one in alternatives:
        report = label(f"{parquet_source}/{one}")
    assert [one.partition for one in report.records] == ["part-0.parquet", "part-2.parquet"]
    with pytest.raises(DataError) as caught:
        label(f"{tmp_path}/nowhere*.csv")
    assert "Braces" not in caught.value.remedy
    file = tmp_path / "a{b,c}.csv"
    file.write_text("text\nAdd 5 ml.\n")
    assert label(file, tmp_path / "braces").texts == 1


def test_marks_of_a_pattern_choose_files(label, tmp_path):
    source = tmp_path / "source"
    for number in (1, 2, 10):
        write(source, f"t-{number:02d}.parquet", text=["Add salt ."])
    write(source / "t-03.parquet", text=["Mix ."])
    chosen = {
        "t-0?.parquet": ["t-01.parquet", "t-02.parquet"],
        "t-[1]*.parquet": ["t-10.parquet"],
        "t-0[2-9].parquet": ["t-02.parquet"],
    }
    for number, (pattern, names) in enumerate(chosen.items()):
        report = label(f"{source}/{pattern}", tmp_path / f"target-{number}")
        assert [one.source for one in report.records] == names
        # A folder that is matched is not read, and said.
        assert report.ignored == (("t-03.parquet",) if "0" in pattern else ())
    with pytest.raises(DataError, match="there is no file of texts here"):
        label(f"{source}/u-?.parquet", tmp_path / "none")


def test_links_are_followed_to_files_and_not_into_folders(label, tmp_path):
    real = write(tmp_path / "real", text=["Add salt ."]) / "a.parquet"
    source = tmp_path / "source"
    source.mkdir()
    (source / "b.parquet").symlink_to(real)
    (source / "loop.parquet").symlink_to(source)
    for number, given in enumerate((source, f"{source}/*.parquet")):
        report = label(given, tmp_path / f"target-{number}")
        assert (report.texts, report.ignored) == (1, ("loop.parquet",))
    # A file behind a link that was written anew, with as many bytes, is labelled again.
    later = real.stat().st_mtime + 5
    os.utime(real, (later, later))
    assert label(source, tmp_path / "target-0").new == 1
    real.unlink()
    with pytest.raises(DataError, match=r"b\.parquet.*the file is not there any more"):
        label(source, tmp_path / "target-2")


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.csv", "text\nAdd\n".encode("utf-16"), "column names is not UTF-8"),
        ("a.csv", gzip.compress(b"text\nAdd\n", mtime=0), r"is not UTF-8.*\.gz"),
        ("a.jsonl", '{"text": "Add"}\n'.encode("utf-16"), "no line can be read.*no JSON"),
        ("a.jsonl", b'[{"text": "Add"}]\n', "no line can be read.*no JSON object"),
    ],
    ids=["utf-16 csv", "gzip csv", "utf-16 lines", "array of lines"],
)
def test_a_file_in_another_encoding_or_kind_says_so(label, tmp_path, name, data, message):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(DataError, match=message):
        label(tmp_path / name)


def test_compressed_lines_with_a_byte_order_mark(label, tmp_path):
    lines = b'\xef\xbb\xbf{"text": "Add salt ."}\r\n\r\n{"text": "Mix ."}\r\n'
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(lines))
    report = label(tmp_path / "a.jsonl.gz", shape="texts")
    assert labelled(tmp_path / "target")["text"].tolist() == ["Add salt .", "Mix ."]
    assert report.bad_row_count == 0


NONE_BETWEEN = (
    pa.array([[1, 2], None, []], pa.list_(pa.int64())),
    pa.array([{"a": 1, "b": "x"}, None, {"a": None, "b": "y"}]),
    pa.array([Decimal("1.25"), None, Decimal("3.50")], pa.decimal128(10, 2)),
    pa.array([1, None, 3], pa.timestamp("us", "Europe/Berlin")),
    pa.array(["a", None, "b"]).dictionary_encode(),
    pa.array([[("k", 1)], None, []], pa.map_(pa.string(), pa.int64())),
    pa.array([b"\xff", None, b""]),
    pa.array([[1, 2], None, [3, 4]], pa.list_(pa.int32(), 2)),
    pa.array([["a"], None, ["b", "a"]], pa.list_(pa.dictionary(pa.int32(), pa.string()))),
    pa.array([1, None, 2**64 - 1], pa.uint64()),
    pa.nulls(3),
)


@pytest.mark.parametrize("column", NONE_BETWEEN, ids=lambda one: str(one.type)[:20])
def test_columns_of_any_type_are_kept_as_they_are(label, tmp_path, column):
    source = tmp_path / "source"
    source.mkdir()
    table = pa.table({"text": ["Add salt .", "Heat 3 g of salt .", "Mix ."], "kept": column})
    parquet.write_table(table, source / "a.parquet", row_group_size=2)
    wanted = parquet.read_table(source / "a.parquet")["kept"]
    for shape in ("spans", "texts"):
        label(source, tmp_path / shape, keep=["kept"], shape=shape)
        found = parquet.read_table(tmp_path / shape / "a.parquet")
        rows = found["row"].to_pylist()
        assert found["kept"].type == wanted.type
        assert found["kept"].to_pylist() == [wanted[row].as_py() for row in rows]


def test_a_type_of_which_rows_cannot_be_selected_is_refused(label, tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    column = pa.array([["a"]], pa.list_(pa.string_view()))
    parquet.write_table(pa.table({"text": ["Mix ."], "kept": column}), source / "a.parquet")
    with pytest.raises(DataError, match=r"cannot select rows .*list<.*string_view"):
        label(source, keep=["kept"])


def test_folders_that_name_a_column_and_odd_names_stay(label, tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    for name in ("lang=en", "lang=de"):
        write(source / name, "part 0 ä#%20?.parquet", text=["Add salt ."])
    (source / "_SUCCESS").write_text("")
    (source / ".part.crc").write_bytes(b"x")
    assert label(source, shape="texts").ignored == ()
    found = labelled(tmp_path / "target")
    assert sorted(found["lang"].astype(str)) == ["de", "en"]
    assert label(source, shape="texts").new == 0


def test_what_an_older_version_has_left_is_gone_on_with(label, parquet_source, tmp_path):
    label(parquet_source)
    folder = tmp_path / "target" / "_nbner"
    path = folder / "partitions" / "part-0.parquet.json"
    value = json.loads(path.read_text())
    del value["unknown"], value["unsure"]
    path.write_text(json.dumps({**value, "later": 1}))
    (folder / "partitions" / "part-1.parquet.json").unlink()
    (folder / "writing").mkdir(exist_ok=True)
    (folder / "writing" / "half").write_bytes(b"PAR1")
    report = label(parquet_source)
    assert (report.new, report.texts) == (1, 60)
    assert not (folder / "writing").exists()
