"""A session whose model is a conditional random field."""

from __future__ import annotations

import pandas as pd
import pytest
import spacy

import nbner
from nbner import DataError, ModelError, Session, Span, TrainingError
from nbner.decoding.api import lattices
from nbner.evaluation.scores import score
from nbner.nlp.pipeline import load_base
from nbner.training.crf import train_crf

CORPUS = nbner.sample()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Folder of a random field that has learnt a little of cooking."""
    path = tmp_path_factory.mktemp("crf") / "model"
    nlp = train_crf(load_base("blank:en"), CORPUS.train[200:300], labels=CORPUS.labels)
    nlp.to_disk(path)
    return path


@pytest.fixture(scope="module")
def session(folder, tmp_path_factory):
    store = tmp_path_factory.mktemp("store") / "nbner.db"
    with Session("crf", labels=CORPUS.labels, model=folder, store=store) as opened:
        opened.add(CORPUS.train[:60], split="train")
        opened.add(CORPUS.dev[:40], split="dev")
        opened.add([one.text for one in CORPUS.train[60:90]], split="pool")
        yield opened


TEXT = CORPUS.dev[0].text


def predicted(session):
    rows = session.predict([TEXT])[["start", "end", "label"]]
    return [Span(*row) for row in rows.itertuples(index=False, name=None)]


def test_it_predicts_as_the_saved_pipeline_does(session, folder):
    nlp = spacy.load(folder)
    assert nlp.pipe_names == ["nbner_crf"]
    doc = nlp(TEXT)
    assert predicted(session) == [Span(e.start_char, e.end_char, e.label_) for e in doc.ents]
    assert doc.ents
    assert session.evaluate("dev").f > 0.4


def test_lists_and_probabilities(session):
    lists = session.parses(TEXT, 5)
    assert list(lists[0].spans) == predicted(session)
    assert sum(one.probability for one in lists) <= 1 + 1e-9
    known = session.model.span_probabilities(TEXT)
    for span, share in known.likely_spans:
        assert 0.5 < share <= 1
        assert span.label in CORPUS.labels
    best = lists[0].spans[0]
    free = session.parses(TEXT, 3, forbidden=[best])
    assert all(best not in one.spans for one in free)
    assert session.parses(TEXT, 3, forced=[best])[0].spans == lists[0].spans


def test_the_oracle_curve_is_of_exact_lists(session):
    curve = session.oracle_curve((1, 4), decoders=("exact",), progress=False)
    exact = curve.frame
    assert exact["oracle_f"].is_monotonic_increasing
    assert exact["top1_f"].iloc[0] == pytest.approx(session.evaluate("dev").f)
    pd.testing.assert_frame_equal(session.oracle_curve((1, 4), progress=False).frame, exact)
    assert curve.decoder_frame.empty


@pytest.mark.parametrize(
    ("decoder", "said"),
    [
        ("beam", r'conditional random field.*decoder="exact"'),
        ("exact_raw", r'conditional random field.*decoder="exact".*over raw scores is the same'),
    ],
)
def test_the_lists_that_a_random_field_lacks_say_why(session, decoder, said):
    with pytest.raises(ModelError, match=said):
        session.oracle_curve((1, 4), decoders=(decoder,), progress=False)


@pytest.mark.parametrize(
    "ask",
    [
        lambda session: session.parses(TEXT, 2, decoder="beam"),
        lambda session: session.explain(TEXT),
        lambda session: session.model.action_scores(TEXT),
        lambda session: session.model.token_features([TEXT]),
    ],
    ids=["beam", "explain", "action_scores", "token_features"],
)
def test_what_needs_actions_says_so(session, ask):
    with pytest.raises(ModelError, match=r"'nbner_crf' is a conditional random field"):
        ask(session)


@pytest.mark.parametrize("init", [None, "continue", "freeze", "rehearsal"])
def test_spacys_training_cannot_continue_it(session, init):
    with pytest.raises(TrainingError, match=r'init="scratch"'):
        session.train(init=init, progress=False)


def test_a_temperature_would_not_change_its_lists(session):
    for ask in (
        session.model.calibrate_lists,
        lambda: session.parses(TEXT, decoder="exact_calibrated"),
    ):
        with pytest.raises(ModelError, match="order of its list does not depend"):
            ask()


def test_calibration_divides_the_scores(session):
    found = session.model.calibrate("dev", progress=False)
    assert found.temperature > 0
    assert len(found.before) >= 30


def test_the_least_sure_texts_come_first(session):
    widget = session.make_gold("pool", strategy="uncertainty", holdout=0)
    texts = [one.text for one in session.examples("pool")]
    entropies = [one.entropy() for one in lattices(session.nlp, texts)]
    assert widget.current.text == texts[entropies.index(max(entropies))]
    assert widget.current.spans == session.parses(widget.current.text, 1)[0].spans


def test_label_issues_are_found_by_random_fields(session):
    found = session.quality.label_issues("train", folds=2, progress=False)
    assert found.folds == 2
    assert all(f is not None and f > 0.25 for f in found.fold_f)
    direct = session.quality.label_issues("train", folds=0, progress=False)
    assert direct.n == 60


def test_the_errors_have_probabilities(session):
    explorer = session.errors("dev", progress=False)
    assert explorer.frame["probability"].between(0, 1).all()


def test_a_label_can_be_added(session, folder):
    with Session("more", labels=CORPUS.labels, model=folder, store=":memory:") as opened:
        opened.add_labels(["Device"])
        assert "Device" in opened.labels
        assert predicted(opened) == predicted(session)


def test_a_reranker_chooses_in_its_lists(session, tmp_path):
    found = session.model.rerank(3, folds=2, l2=1.0, progress=False)
    rows = found.frame.set_index("name")
    assert found.nlp.pipe_names == ["nbner_crf", "nbner_reranker"]
    assert rows.loc["the first analysis", "f"] == pytest.approx(session.evaluate("dev").f)
    assert rows.loc["the best in the list", "f"] > rows.loc["the first analysis", "f"]
    # The folds' lists are those of random fields too, and the weights come from them.
    assert (found.folds, found.n_lists) == (2, 60)
    assert any(found.features["weight"])
    # The saved pipeline decides as it was measured.
    found.to_disk(tmp_path / "model")
    gold = CORPUS.dev[:40]
    decided = [
        [Span(e.start_char, e.end_char, e.label_) for e in doc.ents]
        for doc in spacy.load(tmp_path / "model").pipe(one.text for one in gold)
    ]
    reranked = rows.loc["the reranker", "f"]
    assert score([one.spans for one in gold], decided).exact.f == pytest.approx(reranked)


def test_seeds_make_no_ensemble_of_random_fields(session, folder):
    with pytest.raises(DataError, match="do not depend on a seed") as caught:
        session.model.ensemble([0, 1], progress=False)
    assert "session.model.ensemble([" in caught.value.remedy
    with pytest.raises(DataError, match="do not depend on a seed"):
        session.model.ensemble([folder, 1], progress=False)
    # Two that differ can be combined.
    other = train_crf(load_base("blank:en"), CORPUS.train[100:160], labels=CORPUS.labels)
    found = session.model.ensemble([folder, other], width=3, folds=2, progress=False)
    assert list(found.frame["name"])[:2] == ["model 1", "model 2"]
