"""A reranker and an ensemble through a session: honest figures, and a pipeline that keeps them."""

from __future__ import annotations

import matplotlib as mpl
import pytest
import spacy

import nbner
from nbner import DataError, Session, TrainingError
from nbner.evaluation.scores import score
from nbner.nlp.fingerprint import fingerprint

mpl.use("Agg")
CORPUS = nbner.sample()
DEV = [one.text for one in CORPUS.dev]


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
    gold = [one.spans for one in CORPUS.dev]
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
        # The base is a trained model here, which keeps this short.
        found = session.model.rerank(3, folds=2, max_epochs=1, l2=1.0, use=True, progress=False)
        assert session.nlp.pipe_names == ["ner", "nbner_reranker"]
        assert session.evaluate("dev").f == pytest.approx(found.frame["f"].iloc[1])
        predicted = session.predict(DEV[:5])
        assert (
            session.predict(DEV[:5], probabilities=True)
            .drop(columns="probability")
            .equals(predicted)
        )
        assert found.path.is_dir()
    with Session("own", store=own) as again:
        assert again.predict(DEV[:5]).equals(predicted)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"width": 1}, "nothing to choose"),
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
