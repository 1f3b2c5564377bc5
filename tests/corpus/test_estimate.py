"""What labelling will cost, before the work."""

from __future__ import annotations

import gzip
import json

import pandas as pd
import pytest
from spacy.language import Language

from nbner import DataError


def test_the_figures_follow_from_the_sample(session, parquet_source, label, tmp_path):
    found = session.estimate_corpus(parquet_source, sample=30)
    assert (found.partitions, found.rows, found.sampled, found.is_exact) == (3, 60, 30, True)
    assert found.core_hours == pytest.approx(60 / found.texts_per_second / 3600)
    label(parquet_source)
    whole = session.estimate_corpus(parquet_source, sample=60)
    report = label(parquet_source)
    assert whole.share_without_entities == report.frame["without_entities"].sum() / 60
    assert 0 < whole.output_bytes < report.frame["bytes"].sum()
    assert "core-hours" in whole.summary
    assert len(whole.frame) == 1


def test_the_vocabulary_of_the_session_is_left_to_other_threads(
    session, parquet_source, monkeypatch
):
    """Of a pipeline whose memory zone is open no other thread may use the words."""
    opened = []
    zone = Language.memory_zone
    record = lambda nlp, *args: opened.append(nlp.vocab) or zone(nlp, *args)  # noqa: E731
    monkeypatch.setattr(Language, "memory_zone", record)
    session.estimate_corpus(parquet_source)
    assert opened
    assert all(vocab is not session.nlp.vocab for vocab in opened)


def test_what_is_done_is_not_counted(session, parquet_source, label, tmp_path):
    label(parquet_source)
    target = tmp_path / "target"
    with pytest.raises(DataError, match="all of it is labelled"):
        session.estimate_corpus(parquet_source, target)
    (target / "part-0.parquet").unlink()
    assert session.estimate_corpus(parquet_source, target).rows == 20
    with pytest.raises(DataError, match="another model or other settings"):
        session.estimate_corpus(parquet_source, target, keep=["id"])


@pytest.mark.parametrize("suffix", ["jsonl", "jsonl.gz"])
def test_rows_of_line_files_are_counted_or_estimated(session, tmp_path, suffix, monkeypatch):

    folder = tmp_path / "source"
    folder.mkdir()
    for number in range(12):
        rows = [json.dumps({"text": f"Add {i} g of salt ."}) for i in range(100)] + ["{broken"]
        data = "\n".join(rows).encode()
        path = folder / f"{number}.{suffix}"
        path.write_bytes(gzip.compress(data) if suffix.endswith("gz") else data)
    found = session.estimate_corpus(folder, sample=16)
    assert not found.is_exact
    assert found.rows == pytest.approx(12 * 101, rel=0.02)
    assert "about " in str(found)
    everything = session.estimate_corpus(folder / f"1.{suffix}", sample=200)
    assert (everything.rows, everything.is_exact) == (101, True)
    assert everything.bad_share == pytest.approx(1 / 101)


def test_probabilities_bring_the_expected_precision(session, parquet_source, tmp_path):
    found = session.estimate_corpus(parquet_source, min_probability=0.9)
    assert 0.9 <= found.expected_precision <= 1
    assert "of the spans left out" in str(found)


def test_a_source_without_a_text(session, tmp_path):
    (tmp_path / "source").mkdir()
    pd.DataFrame({"text": [None, ""]}).to_parquet(tmp_path / "source" / "a.parquet")
    with pytest.raises(DataError, match="no text at the beginning"):
        session.estimate_corpus(tmp_path / "source")


def test_every_member_of_a_gz_file_is_counted(session, tmp_path):
    (tmp_path / "source").mkdir()
    members = [b"text\n" + b"Add salt .\n" * 30, b"Heat water .\n" * 200]
    (tmp_path / "source" / "a.csv.gz").write_bytes(b"".join(map(gzip.compress, members)) + bytes(8))
    found = session.estimate_corpus(tmp_path / "source", sample=20)
    assert (found.rows, found.is_exact) == (230, True)
