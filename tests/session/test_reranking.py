"""A reranker and an ensemble through a session: honest figures, and a pipeline that keeps them."""

from __future__ import annotations

from dataclasses import replace

import matplotlib as mpl
import numpy as np
import pytest
import spacy

import nbner
from nbner import DataError, Session, TrainingError
from nbner._common.bootstrap import Estimate
from nbner.evaluation.scores import score
from nbner.nlp.calibration_meta import load_temperatures
from nbner.nlp.fingerprint import fingerprint

mpl.use("Agg")
CORPUS = nbner.sample()
GOLD = CORPUS.dev[:64]  # what the split dev of `cooking` has
DEV = [one.text for one in GOLD]


def has_digits(doc, parse):
    """Count spans with a digit."""
    return {"digits": sum(any(c.isdigit() for c in doc.text[s.start : s.end]) for s in parse.spans)}


@pytest.fixture(scope="module")
def reranking(cooking):
    session, _ = cooking
    before = fingerprint(session.nlp)
    found = session.model.rerank(4, [has_digits], folds=2, max_epochs=2, progress=False)
    assert fingerprint(session.nlp) == before, "nothing changes unless it is asked for"
    return found


def f_of(nlp):
    gold = [one.spans for one in GOLD]
    decided = [
        [nbner.Span(e.start_char, e.end_char, e.label_) for e in doc.ents] for doc in nlp.pipe(DEV)
    ]
    return score(gold, decided).exact.f


def test_its_figures_are_those_of_its_pipeline(reranking, cooking):
    rows = reranking.frame.set_index("name")
    assert list(rows.index) == ["the first analysis", "the reranker", "the best in the list"]
    assert (rows["n"] == len(DEV)).all()
    assert rows.loc["the reranker", "f"] == pytest.approx(f_of(reranking.nlp))
    curve = cooking[0].oracle_curve((4,), ("exact",), progress=False).frame
    assert rows.loc["the first analysis", "f"] == pytest.approx(curve["top1_f"].iloc[0])
    assert rows.loc["the best in the list", "f"] == pytest.approx(curve["oracle_f"].iloc[0])
    assert reranking.gain == rows.loc["the reranker", "gain"]


def test_it_tells_what_it_learnt_from(reranking):
    assert (reranking.n_lists, reranking.folds, len(reranking.fold_f)) == (200, 2, 2)
    assert "made by 2 models that never saw their texts" in str(reranking)
    weights = reranking.features
    assert weights["weight"].abs().is_monotonic_decreasing
    assert "expected errors" in set(weights["feature"])
    assert any(name.endswith("has_digits:digits") for name in weights["feature"])
    assert reranking.plot().get_title(loc="left").startswith("The reranker ")


def test_it_is_saved_with_the_pipeline(reranking, tmp_path):
    reranking.to_disk(tmp_path / "model")
    loaded = spacy.load(tmp_path / "model")
    assert loaded.pipe_names == ["ner", "nbner_reranker"]
    assert f_of(loaded) == pytest.approx(reranking.frame["f"].iloc[1])


def test_the_session_uses_it_where_it_is_told_to(cooking, tmp_path):
    _, store = cooking
    model = min(store.with_suffix(".models").glob("*/*/model-best"))
    own = tmp_path / "own.db"
    with Session("own", labels=CORPUS.labels, store=own, model=model) as session:
        session.add(CORPUS.train[:40], split="train")
        session.add(CORPUS.dev[:40], split="dev")
        calibrated = session.model.calibrate("dev", progress=False).temperature
        # The base is a trained model here, which keeps this short.
        found = session.model.rerank(3, folds=2, max_epochs=1, l2=1.0, progress=False)
        assert found.against_model.n == 40
        session.model.use(found)
        # The probabilities are those of the same recognizer.
        assert load_temperatures(session.nlp)[0] == calibrated
        assert session.nlp.pipe_names == ["ner", "nbner_reranker"]
        assert session.evaluate("dev").f == pytest.approx(found.frame["f"].iloc[1])
        predicted = session.predict(DEV[:5])
        assert (
            session.predict(DEV[:5], probabilities=True)
            .drop(columns="probability")
            .equals(predicted)
        )
        assert session.model.runs["in_use"].tolist()[-1]
    with Session("own", store=own) as again:
        assert load_temperatures(again.nlp)[0] == calibrated
        assert again.predict(DEV[:5]).equals(predicted)


@pytest.mark.parametrize(
    ("gain", "expected_loss", "harms"),
    [
        (Estimate(-0.03, -0.05, -0.01), 0.03, True),
        (Estimate(-0.002, -0.003, -0.001), 0.002, True),
        (Estimate(-0.015, -0.06, 0.03), 0.02, True),
        (Estimate(-0.004, -0.02, 0.01), 0.006, False),
        (Estimate(0.005, -0.04, 0.05), 0.02, False),
    ],
)
def test_one_that_harms_is_put_in_place_by_the_users_word_alone(
    reranking, cooking, monkeypatch, gain, expected_loss, harms
):
    rows = reranking.comparison.rows
    beside = replace(rows[1], gain=gain, expected_loss=expected_loss)
    found = replace(reranking, against_model=beside)
    assert found.harms is harms
    monkeypatch.setattr("nbner.session.model.fit_reranker", lambda *_args, **_more: found)
    model = min(cooking[1].with_suffix(".models").glob("*/*/model-best"))
    with Session("own", labels=CORPUS.labels, store=":memory:", model=model) as session:
        session.add(CORPUS.train[:4], split="train")
        session.add(CORPUS.dev[:4], split="dev")
        if not harms:
            assert session.model.rerank(use=True, progress=False).path.is_dir()
        else:
            with pytest.warns(
                UserWarning, match="not put in place, since it harms on 'dev'"
            ) as said:
                refused = session.model.rerank(use=True, progress=False)
            assert f"loses {-100 * gain.value:.1f} F" in str(said[0].message)
            assert "session.model.use(result)" in str(said[0].message)
            assert refused.path is None
            assert session.nlp.pipe_names == ["ner"]
            session.model.use(refused)
        assert session.nlp.pipe_names == ["ner", "nbner_reranker"]


def test_its_share_of_what_a_perfect_choice_gains(reranking):
    rows = reranking.frame.set_index("name")
    perfect = rows.loc["the best in the list", "gain"]
    assert reranking.oracle_share == pytest.approx(reranking.gain / perfect)
    nothing = replace(reranking.comparison, rows=reranking.comparison.rows[:1] * 3)
    assert np.isnan(replace(nothing, evaluated="the first analysis").oracle_share)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"width": 1}, "nothing to choose"),
        ({"width": 100_000}, "at most 1,024 long"),
        ({"folds": 1}, "1 folds leave no text"),
        ({"folds": 500}, "200 accepted examples cannot be dealt into 500 folds"),
        ({"features": ["digits"]}, "'digits' is not a function"),
        ({"split": "nowhere"}, "no split .nowhere."),
    ],
)
def test_what_cannot_be_reranked_names_the_way_out(cooking, asked, said):
    with pytest.raises(DataError, match=said) as caught:
        cooking[0].model.rerank(progress=False, **asked)
    assert caught.value.remedy


def test_a_stop_leaves_everything_as_it_was(cooking, monkeypatch):
    def interrupted(*_args, **_more):
        raise KeyboardInterrupt

    session, _ = cooking
    before, runs = fingerprint(session.nlp), len(session.context.dataset.runs())
    monkeypatch.setattr("nbner.reranking.cross_validation.train", interrupted)
    with pytest.raises(KeyboardInterrupt):
        session.model.rerank(progress=True, use=True)
    assert fingerprint(session.nlp) == before
    assert len(session.context.dataset.runs()) == runs


# Several models.


def test_an_ensemble_is_measured_beside_each_of_its_models(cooking):
    session, store = cooking
    path = min(store.with_suffix(".models").glob("*/*/model-best"))
    found = session.model.ensemble([path, 7], width=4, folds=2, max_epochs=2, progress=False)
    rows = found.frame.set_index("name")
    together = ["the average", "the reranked pool", "the best in the pool"]
    assert set(rows.index[:2]) == {"model 1", "seed 7"}
    assert list(rows.index[2:]) == together
    assert rows["f"].iloc[0] >= rows["f"].iloc[1]
    assert rows["f"].iloc[-1] == rows["f"].max()
    own = session.oracle_curve((1, 4), ("exact",), progress=False).frame["oracle_f"]
    assert rows.loc["model 1", "f"] == pytest.approx(own.iloc[0])
    assert rows["f"].iloc[-1] >= own.iloc[1]
    assert "The average of the models' probabilities" in found.summary
    assert "The reranked pool" in found.plot().get_title(loc="left")
    decided = found.predict(DEV[:10])
    assert len(decided) == 10
    assert any(decided)


def test_what_is_no_ensemble_names_the_way_out(cooking):
    session, _ = cooking
    with pytest.raises(DataError, match="1 model is no ensemble"):
        session.model.ensemble([0])
    with pytest.raises(DataError, match="a seed is given twice"):
        session.model.ensemble([1, 1], max_epochs=1, progress=False)
    with pytest.raises(TrainingError, match="is not between"):
        session.model.ensemble([-1, 0], progress=False)
