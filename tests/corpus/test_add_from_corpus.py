"""From a labelled corpus back into the session: all of it, or what would teach most."""

from __future__ import annotations

import json
from collections import Counter
from typing import ClassVar

import fsspec
import pandas as pd
import pyarrow as pa
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from pyarrow import parquet

import nbner
from nbner import DataError
from nbner.corpus import partition, tables
from nbner.corpus.unsure import draw_unsure


@pytest.fixture
def fresh(trained_path):
    with nbner.Session(
        "fresh", labels=["Action", "Amount", "Reagent"], model=trained_path, store=":memory:"
    ) as session:
        yield session


@pytest.fixture
def unsure_target(session, label, parquet_source, tmp_path):
    """Label with a minimum of which about half of the texts are sure."""
    label(parquet_source, tmp_path / "all", probabilities=True)
    minimum = pd.read_parquet(tmp_path / "all")["probability"].quantile(0.5)
    report = label(parquet_source, min_probability=float(minimum))
    return tmp_path / "target", report, float(minimum)


def test_the_unsure_come_with_suggestions_the_worst_first(fresh, unsure_target, texts):
    target, _, _ = unsure_target
    added = fresh.add(target, only="unsure", n=10, split="from_corpus")
    assert added.added == 10
    found = fresh.examples("from_corpus")
    errors = [one.meta["expected_errors"] for one in found]
    assert errors == sorted(errors, reverse=True)
    for one in found:
        number = int(one.meta["source"].removeprefix("part-").removesuffix(".parquet"))
        assert texts[number * 20 + one.meta["row"]] == one.text
        (wanted,) = [
            group["label"].tolist()
            for _, group in fresh.predict([one.text], progress=False).groupby("example")
        ]
        assert [span.label for span in one.spans] == wanted
        assert all(span.score is not None for span in one.spans)
    assert fresh.counts("from_corpus").answered == 0


def test_what_is_there_is_not_drawn_again(fresh, unsure_target):
    target, report, _ = unsure_target
    everything = draw_unsure(str(target), 1000, seed=0).examples
    assert len(everything) == len({one.text for one in everything}) <= report.unsure
    fresh.add([one.text for one in everything[:5]], "train")
    added = fresh.add(str(target), only="unsure", split="from_corpus")
    assert added.added == len(everything) - 5
    assert (added.duplicate, "5 texts there already" in str(added)) == (5, True)
    again = fresh.add(target, only="unsure", split="from_corpus")
    assert (again.added, again.duplicate) == (0, len(everything))


def test_the_draw_follows_the_expected_errors_and_the_seed(unsure_target):
    target = str(unsure_target[0])
    everything = {
        one.text: one.meta["expected_errors"] for one in draw_unsure(target, 999, seed=0).examples
    }
    drawn = Counter()
    for seed in range(60):
        drawn.update(one.text for one in draw_unsure(target, 5, seed=seed).examples)
    assert draw_unsure(target, 5, seed=3) == draw_unsure(target, 5, seed=3)
    ordered = sorted(everything, key=everything.get)
    half = len(ordered) // 2
    low, high = (sum(drawn[one] for one in part) for part in (ordered[:half], ordered[half:]))
    assert low < high
    assert len(drawn) > 5


def test_a_target_of_another_kind(fresh, label, parquet_source, tmp_path):
    label(parquet_source)
    with pytest.raises(DataError, match="labelled without min_probability"):
        fresh.add(tmp_path / "target", only="unsure")
    with pytest.raises(DataError, match=r"no target of session\.label_corpus"):
        fresh.add(tmp_path, only="unsure")
    with pytest.raises(DataError, match="a number of texts goes with a draw"):
        fresh.add(["x"], n=3)
    with pytest.raises(DataError, match=r"one row a span and no whole texts"):
        fresh.add(tmp_path / "target")


def test_a_target_with_whole_texts_is_added_as_suggestions(fresh, label, parquet_source, tmp_path):
    label(parquet_source, shape="texts", keep=["id"], probabilities=True)
    assert fresh.add(tmp_path / "target", "new").added == 60
    first = fresh.examples("new")[0]
    assert first.meta == {"id": "0-0"}
    assert first.answer is None
    assert first.spans[0].score == pytest.approx(1, abs=0.2)
    assert fresh.add(tmp_path / "target" / "part-1.parquet", "other").added > 0


def test_an_export_has_the_columns_and_types_of_a_corpus(fresh, label, parquet_source, tmp_path):
    label(parquet_source, shape="texts", probabilities=True)
    path = tmp_path / "target" / "part-0.parquet"
    corpus = parquet.read_schema(path)
    fresh.add(path, "new")
    fresh.export(tmp_path / "export.parquet", "new")
    export = parquet.read_schema(tmp_path / "export.parquet")
    for name in ("text", "spans"):
        assert export.field(name).type.equals(corpus.field(name).type)
    one, other = (
        parquet.read_table(file, columns=["text", "spans"]).to_pylist()
        for file in (tmp_path / "export.parquet", path)
    )
    assert {row["text"]: row["spans"] for row in one} == {
        row["text"]: row["spans"] for row in other
    }
    pa.concat_tables(
        parquet.read_table(file, columns=["text", "spans"]).replace_schema_metadata()
        for file in (tmp_path / "export.parquet", path)
    )


def test_a_lost_file_of_the_unsure_is_told_and_written_again(
    fresh, label, unsure_target, parquet_source
):
    target, report, minimum = unsure_target
    for one in (target / "_unsure").iterdir():
        one.unlink()
    with pytest.raises(DataError, match=r"has gone.*Call label_corpus again"):
        fresh.add(target, only="unsure", split="from_corpus")
    again = label(parquet_source, min_probability=minimum)
    assert (again.new, again.unsure) == (3, report.unsure)
    assert fresh.add(target, only="unsure", split="from_corpus").added


def test_texts_of_whitespace_alone_are_labelled_and_not_drawn(fresh, label, tmp_path, monkeypatch):
    for module in (partition, tables):
        monkeypatch.setattr(module, "is_sure", lambda *_: False)
    (tmp_path / "source").mkdir()
    pd.DataFrame({"text": [" ", "\n\t", "Add salt ."]}).to_parquet(tmp_path / "source/a.parquet")
    report = label(tmp_path / "source", min_probability=0.9)
    assert (report.texts, report.unsure) == (3, 3)
    assert fresh.add(tmp_path / "target", only="unsure", split="unsure").added == 1
    fresh.corpus_drift(tmp_path / "target").open(0)
    assert fresh.counts("drift of a.parquet").total == 1


class LockedFileSystem(MemoryFileSystem):
    """Files in memory that open with a key alone, as those of a cloud with credentials."""

    protocol = "locked"
    store: ClassVar = {}
    pseudo_dirs: ClassVar = [""]

    def __init__(self, key=None, **options):
        super().__init__(**options)
        if key != "right":
            raise ValueError("the key is wrong")


def test_every_call_on_a_corpus_takes_the_options_of_its_file_system(fresh, label, texts):
    fsspec.register_implementation("locked", LockedFileSystem, clobber=True)
    options = {"key": "right"}
    with fsspec.open("locked://in/a.jsonl", "w", **options) as file:
        file.write("\n".join(json.dumps({"text": one}) for one in texts[:10]))
    source, target = "locked://in", "locked://out"
    estimate = fresh.estimate_corpus(source, target, storage_options=options)
    assert (estimate.partitions, estimate.sampled) == (1, 10)
    label(source, target, min_probability=1.0, storage_options=options)
    drift = fresh.corpus_drift(target, storage_options=options)
    assert drift.draw_texts(drift.records[0], 3)
    added = fresh.add(target, only="unsure", n=4, split="new", storage_options=options)
    assert added.added == 4
    with pytest.raises(DataError, match="the key is wrong"):
        fresh.add(target, only="unsure")
    with pytest.raises(DataError, match="options of a file system go with a draw"):
        fresh.add(["x"], storage_options=options)
