"""Partitions beside the training split: figures, a picture, and the texts behind them."""

from __future__ import annotations

import pandas as pd
import pytest

import nbner
from nbner import DataError


@pytest.fixture
def drifting(label, corpus, tmp_path):
    """Label three partitions: like training, with unknown words, and without entities."""
    source = tmp_path / "source"
    source.mkdir()
    usual = [one.text for one in corpus[:30]]
    strange = [f"Zogg {i} blarg quux{i} of frobnitz{i} ." for i in range(30)]
    for name, texts in {"a": usual, "b": strange, "c": ["and wait .", "and wait ."]}.items():
        pd.DataFrame({"text": texts}).to_parquet(source / f"{name}.parquet")
    label(source, probabilities=True)
    return tmp_path / "target"


def test_figures_are_those_of_the_texts(session, drifting, corpus):
    drift = session.corpus_drift(drifting)
    frame = drift.frame.set_index("partition")
    assert list(frame.index) == ["(training)", "a.parquet", "b.parquet", "c.parquet"]
    training, usual, strange, bare = (frame.iloc[i] for i in range(4))
    tokens = sum(len(session.nlp.make_doc(one.text)) for one in corpus)
    actions = sum(span.label == "Action" for one in corpus for span in one.spans)
    assert training["rate of Action"] == pytest.approx(1000 * actions / tokens)
    assert usual["unknown_share"] == 0
    words = {token.lower_ for one in corpus for token in session.nlp.make_doc(one.text)}
    docs = [session.nlp.make_doc(f"Zogg {i} blarg quux{i} of frobnitz{i} .") for i in range(30)]
    unknown = sum(token.lower_ not in words for doc in docs for token in doc)
    assert strange["unknown_share"] == pytest.approx(unknown / sum(map(len, docs)))
    assert training["mean_probability"] > 0.9
    spans = pd.read_parquet(drifting / "b.parquet")
    assert strange["mean_probability"] == pytest.approx(spans["probability"].mean())
    assert bare["texts"] == 2
    assert drift.furthest("unknown_share")[0] == "b.parquet"
    assert "unknown_share: furthest from training in b.parquet" in drift.summary


def test_the_picture_has_a_line_a_label_and_training_dashed(session, drifting):
    drift = session.corpus_drift(drifting)
    ax = drift.plot()
    solid = [line for line in ax.lines if line.get_linestyle() == "-"]
    assert [len(line.get_ydata()) for line in solid] == [3] * len(drift.labels)
    assert len(ax.lines) == 2 * len(drift.labels)
    assert "Furthest from training" in drift.plot(measure="unknown_share").get_title(loc="left")
    with pytest.raises(DataError, match="no measure"):
        drift.plot(measure="no")
    assert "<svg" in drift.to_html()


def test_a_partition_opens_in_the_annotator(trained_path, drifting):
    with nbner.Session("mine", model=trained_path, store=":memory:") as fresh:
        drift = fresh.corpus_drift(drifting)
        widget = drift.open("b.parquet", n=5)
        assert fresh.counts("drift of b.parquet").total == 5
        assert widget.current.text.startswith("Zogg")
        drift.open(2)
        assert fresh.counts("drift of c.parquet").total == 1
        with pytest.raises(DataError, match="there is no partition 9"):
            drift.open(9)
        source = drifting.parent / "source" / "a.parquet"
        pd.DataFrame({"text": ["other"]}).to_parquet(source)
        with pytest.raises(DataError, match="has gone or has changed"):
            drift.open("a.parquet")


@pytest.mark.parametrize("pattern", ["source", "source/*.parquet"])
def test_a_source_that_was_moved_with_its_target_is_found(trained_path, tmp_path, pattern):
    project, moved = tmp_path / "project", tmp_path / "elsewhere" / "renamed"
    project.mkdir()
    moved.parent.mkdir()
    (project / "source").mkdir()
    texts = pd.DataFrame({"text": ["Add 5 ml of water ."]})
    texts.to_parquet(project / "source" / "a.parquet")
    with nbner.Session("mine", model=trained_path, store=":memory:") as fresh:
        options = {"n_process": 1, "progress": False}
        fresh.label_corpus(str(project / pattern), str(project / "target"), **options)
        project.rename(moved)
        drift = fresh.corpus_drift(moved / "target")
        assert drift.open("a.parquet", n=5).current.text == "Add 5 ml of water ."
        (moved / "source").rename(moved / "gone")
        with pytest.raises(DataError, match=r"neither there nor in .*renamed/source"):
            drift.open("a.parquet", n=5)


def test_without_a_training_split_or_probabilities(trained_path, parquet_source, tmp_path):
    with nbner.Session("mine", model=trained_path, store=":memory:") as fresh:
        fresh.label_corpus(parquet_source, tmp_path / "target", n_process=1, progress=False)
        drift = fresh.corpus_drift(tmp_path / "target")
        assert drift.frame["unknown_share"].isna().all()
        assert "without accepted examples" in str(drift)
        assert "no training split" in drift.plot().get_title(loc="left")
        with pytest.raises(DataError, match="no target of"):
            fresh.corpus_drift(tmp_path)


def test_a_target_begun_anew_has_the_words_of_the_training_texts_of_then(
    trained_path, parquet_source, corpus, tmp_path
):
    options = {"n_process": 1, "progress": False}
    with nbner.Session(
        "mine", labels=["Action", "Amount", "Reagent"], model=trained_path, store=":memory:"
    ) as fresh:
        first = fresh.label_corpus(parquet_source, tmp_path / "target", **options)
        assert [one.unknown for one in first.records] == [None] * 3
        fresh.add(corpus, "train")
        anew = fresh.label_corpus(parquet_source, tmp_path / "target", resume=False, **options)
        other = fresh.label_corpus(parquet_source, tmp_path / "other", **options)
        unknown = [one.unknown for one in anew.records]
        assert unknown == [one.unknown for one in other.records]
        assert min(unknown) > 0
