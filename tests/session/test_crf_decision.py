"""The decision by expected F that the training of a CRF finds without gold."""

from __future__ import annotations

from dataclasses import replace

import pytest
import spacy

import nbner
from nbner import ModelError, Session
from nbner.decoding.api import MAX_SPAN_LENGTH, span_probabilities
from nbner.decoding.decision.component import FACTORY, decision_of, without_decision
from nbner.decoding.decision.span_sets import fixed_point_threshold
from nbner.decoding.decision.without_gold import decision_without_gold
from nbner.nlp.fingerprint import fingerprint
from nbner.nlp.prediction import predict
from nbner.session.suggestions import suggest
from nbner.training.distillation import silver_examples

CORPUS = nbner.sample()
GOLD, OPEN, DEV = CORPUS.train[:40], CORPUS.train[200:240], CORPUS.dev[:40]
TEXTS = [one.text for one in CORPUS.dev[40:80]]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A session with a CRF, the report of its training, and its store; tests leave them alone."""
    store = tmp_path_factory.mktemp("crf") / "own.db"
    with Session("own", labels=CORPUS.labels, store=store) as session:
        session.add(GOLD, split="train")
        session.add([one.text for one in OPEN], split="train")
        session.add(DEV, split="dev")
        session.add(TEXTS, split="open")
        yield session, session.train(learner="crf", progress=False), store


@pytest.fixture
def fresh(trained, tmp_path):
    """A session of its own with the trained CRF."""
    _, report, _ = trained
    with Session("x", labels=CORPUS.labels, store=tmp_path / "x.db") as session:
        session.add(GOLD, split="train")
        session.add([one.text for one in OPEN], split="train")
        session.add(DEV, split="dev")
        session.model.use(report)
        yield session


def spans(frame):
    return sorted(map(tuple, frame[["example", "start", "end", "label"]].itertuples(index=False)))


def fixed_point(nlp, texts):
    """Find the threshold over texts at the temperature of the pipeline's decision."""
    settings = {"temperature": decision_of(nlp).temperature, "min_probability": 1e-4}
    found = span_probabilities(nlp, texts, max_span_length=MAX_SPAN_LENGTH, **settings)
    return fixed_point_threshold([one.spans for one in found])


def test_the_crf_decides_by_expected_f_and_says_so(trained):
    session, report, _ = trained
    assert session.nlp.pipe_names == ["nbner_crf", FACTORY]
    theta = decision_of(session.nlp).threshold
    found = f"theta {theta:.3f}, found without gold from the probabilities of 40 texts"
    assert found in str(report)
    assert 'session.model.decide("greedy")' in str(report)
    assert not report.decision_dropped
    assert f"decides by expected F (theta {theta:.3f})" in str(session.summary)
    # The F of the report is of what was decided, and so is each prediction.
    assert report.f == session.evaluate("dev").f
    greedy = predict(without_decision(session.nlp), DEV)
    assert list(greedy) != list(predict(session.nlp, DEV))


def test_the_threshold_needs_no_gold(trained):
    """It is the fixed point over the open texts, whatever the gold of dev is."""
    session, report, _ = trained
    texts = [one.text for one in OPEN]
    assert decision_of(session.nlp).threshold == pytest.approx(
        fixed_point(session.nlp, texts), abs=1e-5
    )
    assert report.record["decision"]["texts"] == len(texts)


def test_suggestions_predictions_and_plain_spacy_agree(trained, tmp_path):
    session, _, store = trained
    predicted = spans(session.predict(TEXTS))
    assert session.experiments.parity("open", batch_sizes=(5,)).same
    suggested = suggest(session.context, session.context.examples("open"))
    assert predicted == [
        (i, one.start, one.end, one.label) for i, some in enumerate(suggested) for one in some
    ]
    session.nlp.to_disk(tmp_path / "model")
    loaded = spacy.load(tmp_path / "model")
    assert predicted == sorted(
        (i, one.start_char, one.end_char, one.label_)
        for i, doc in enumerate(loaded.pipe(TEXTS))
        for one in doc.ents
    )
    with Session("own", store=store) as again:
        assert fingerprint(again.nlp) == fingerprint(session.nlp)
        assert spans(again.predict(TEXTS)) == predicted


def test_dask_decides_in_the_same_way(trained):
    dd = pytest.importorskip("dask.dataframe")
    pd = pytest.importorskip("pandas")
    session, *_ = trained
    frame = dd.from_pandas(pd.DataFrame({"text": TEXTS}), npartitions=2)
    found = session.predict(frame).compute(scheduler="synchronous")
    assert spans(found) == spans(session.predict(TEXTS))


def test_greedy_takes_it_away_and_the_report_brings_it_back(trained, fresh):
    _, report, _ = trained
    decided = spans(fresh.predict(TEXTS))
    best = list(predict(without_decision(fresh.nlp), DEV))
    fresh.model.decide("greedy")
    assert fresh.nlp.pipe_names == ["nbner_crf"]
    assert list(predict(fresh.nlp, DEV)) == best
    assert spans(fresh.predict(TEXTS)) != decided
    fresh.model.use(report)
    assert spans(fresh.predict(TEXTS)) == decided


def test_held_out_gold_refits_it_and_a_new_crf_says_what_it_replaces(fresh):
    own = decision_without_gold(fresh.nlp)
    assert own is not None
    fitted = fresh.model.decide(progress=False)
    assert fresh.nlp.pipe_names == ["nbner_crf", FACTORY]
    assert (fitted.threshold, fitted.temperature) != (own.threshold, own.temperature)
    assert decision_without_gold(fresh.nlp) is None
    with pytest.raises(ModelError, match=r'decide\("greedy"\)'):
        fresh.model.rerank(3, folds=2)
    report = fresh.train(learner="crf", margin=None, progress=False)
    assert report.decision_dropped
    assert "The decision that was chosen for the model before is replaced" in str(report)
    assert "replaced" not in str(replace(report, decision_dropped=False))
    assert decision_without_gold(fresh.nlp) is not None


def test_a_reranker_leaves_it_out_and_says_so(fresh):
    # The gain over the first analyses is not one over what the decision makes of them.
    with pytest.warns(UserWarning, match="Beside the predictions of the model in use it loses"):
        found = fresh.model.rerank(3, folds=2, l2=1.0, use=True, progress=False)
    assert found.gain > 0
    assert fresh.nlp.pipe_names == ["nbner_crf", "nbner_expected_f"]
    fresh.model.use(found)
    assert fresh.nlp.pipe_names == ["nbner_crf", "nbner_reranker"]
    assert "decision by expected F, which would overrule the reranker, is left out" in str(found)


def test_without_open_texts_the_held_out_part_has_the_threshold(tmp_path):
    """The model of all labels keeps it, since it has learnt from that part."""
    with Session("x", labels=CORPUS.labels, store=tmp_path / "x.db") as session:
        session.add(CORPUS.train[:100])
        report = session.train(learner="crf", progress=False)
        assert report.record["decision"]["texts"] == report.n_dev == 20
        assert report.refit_steps
        assert decision_without_gold(session.nlp).texts == 20


def test_with_too_few_texts_it_decodes_the_best_analysis(tmp_path):
    with Session("x", labels=CORPUS.labels, store=tmp_path / "x.db") as session:
        session.add(CORPUS.train[:30])
        report = session.train(learner="crf", progress=False)
        assert session.nlp.pipe_names == ["nbner_crf"]
        assert "needs 20 texts that it has not learnt from" in str(report)


def test_the_texts_that_a_teacher_labels_are_decided(trained):
    session, *_ = trained
    silver = silver_examples(session.nlp, OPEN, seed=0)
    by_text = {one.text: set(one.spans) for one in silver}
    found = zip(OPEN, predict(session.nlp, OPEN), strict=True)
    assert by_text == {one.text: set(some) for one, some in found}
    best = zip(OPEN, predict(without_decision(session.nlp), OPEN), strict=True)
    assert by_text != {one.text: set(some) for one, some in best}
