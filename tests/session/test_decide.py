"""Deciding by expected F through a session: kept with the pipeline, and the same everywhere."""

from __future__ import annotations

from dataclasses import replace

import matplotlib as mpl
import pytest
import spacy

import nbner
from nbner import DataError, ModelError, Session
from nbner.decoding.api import lattices
from nbner.decoding.calibration.apply import temperatures_of
from nbner.decoding.constraints import Constraints
from nbner.decoding.decision.component import FACTORY, decision_of
from nbner.decoding.decision.report import Decision
from nbner.decoding.decision.span_sets import best_span_set
from nbner.nlp.fingerprint import fingerprint
from nbner.nlp.prediction import predict
from nbner.reranking.component import Reranker, add_reranker
from nbner.session.suggestions import redecode, suggest

mpl.use("Agg")
CORPUS = nbner.sample()
GOLD = CORPUS.dev[:64]
DEV = [one.text for one in GOLD]


@pytest.fixture(scope="module")
def greedy_path(cooking):
    """Folder of a model that decodes greedily."""
    return min(cooking[1].with_suffix(".models").glob("*/*/model-best"))


@pytest.fixture(scope="module")
def decided(greedy_path, tmp_path_factory):
    """A session that decides by expected F, its report, and its store; tests leave both alone."""
    store = tmp_path_factory.mktemp("decided") / "own.db"
    with Session("own", labels=CORPUS.labels, store=store, model=greedy_path) as session:
        session.add(CORPUS.train[:40], split="train")
        session.add(GOLD, split="dev")
        session.add([f"{one} Again." for one in DEV[:12]], split="open")
        greedy = session.evaluate("dev")
        report = session.model.decide(progress=False)
        yield session, report, greedy, store


@pytest.fixture
def fresh(greedy_path, tmp_path):
    """A session of its own with gold in dev, which decodes greedily."""
    with Session("x", labels=CORPUS.labels, store=tmp_path / "x.db", model=greedy_path) as session:
        session.add(CORPUS.train[:20], split="train")
        session.add(CORPUS.dev[:30], split="dev")
        yield session


def plain(span):
    return span.start, span.end, span.label


def spans(frame):
    return sorted(map(tuple, frame[["example", "start", "end", "label"]].itertuples(index=False)))


def test_its_figures_are_precision_recall_and_f_of_both(decided):
    session, report, greedy, _ = decided
    frame = report.frame.set_index("name")
    for name in ("precision", "recall", "f"):
        assert frame.loc["greedy", name] == pytest.approx(getattr(greedy, name))
    assert frame.loc["expected_f", "precision"] > greedy.precision
    assert report.gain.low < report.gain.value < report.gain.high
    now = session.evaluate("dev")
    # Every text was decided by what others chose, so that the figures are near, not equal.
    assert frame.loc["expected_f", "f"] == pytest.approx(now.f, abs=0.03)
    labels = report.per_label
    assert labels["support"].sum() == sum(len(one.spans) for one in GOLD)
    assert set(report.curve["rule"]) == {"expected_f", "greedy, filtered"}
    assert report.plot().get_title(loc="left").startswith("Precision ")
    assert f"theta {report.threshold:.3f} (the fixed point F / 2)" in report.summary
    assert "each text decided by what others chose" in report.summary
    page = report.to_html()
    assert "<svg" in page
    assert "<script" not in page


def test_a_report_without_gold_is_shown_too():
    report = Decision("greedy")
    assert report.summary == "Entities are decoded greedily, as spaCy does."
    assert len(report.frame) == len(report.per_label) == len(report.curve) == 0
    assert "Greedy decoding" in report.to_html()


def test_suggestions_predictions_and_plain_spacy_agree(decided, tmp_path):
    session, report, *_ = decided
    assert session.nlp.pipe_names == ["ner", FACTORY]
    assert f"decides by expected F (theta {report.threshold:.3f})" in str(session.summary)
    assert session.experiments.parity("open", batch_sizes=(5,)).same
    predicted = spans(session.predict(DEV))
    session.nlp.to_disk(tmp_path / "model")
    loaded = spacy.load(tmp_path / "model")
    docs = loaded.pipe(DEV)
    assert predicted == sorted(
        (i, one.start_char, one.end_char, one.label_)
        for i, doc in enumerate(docs)
        for one in doc.ents
    )
    assert decision_of(loaded).threshold == report.threshold


def test_dask_decides_in_the_same_way(decided):
    dd = pytest.importorskip("dask.dataframe")
    pd = pytest.importorskip("pandas")
    session, *_ = decided
    frame = dd.from_pandas(pd.DataFrame({"text": DEV[:30]}), npartitions=3)
    found = session.predict(frame).compute(scheduler="synchronous")
    assert spans(found) == spans(session.predict(DEV[:30]))


def test_the_page_shows_what_was_decided(decided):
    session, *_ = decided
    annotator = session.make_gold(split="open")
    examples = session.context.examples("open")
    predicted = spans(session.predict([one.text for one in examples]))
    found = suggest(session.context, examples)
    assert predicted == [(i, *plain(one)) for i, some in enumerate(found) for one in some]
    message = {"type": "analyses", "id": "1", "example": str(annotator.current.input_hash)}
    reply = annotator.receive({**message, "want": 1, "forced": [], "forbidden": []})
    (analysis,) = reply["analyses"]
    tokens = annotator.current.tokens
    assert [
        (tokens[i].start, tokens[j - 1].end, label) for i, j, label, _ in analysis["spans"]
    ] == [plain(one) for one in found[0]]


def test_an_edit_brings_back_no_span_that_was_dropped(decided, greedy_path):
    session, *_ = decided
    context = session.context
    examples = context.examples("open")
    decision = decision_of(session.nlp)
    found = suggest(context, examples)
    dropped = 0
    for example, shown, greedy in zip(
        examples, found, predict(spacy.load(greedy_path), examples), strict=True
    ):
        gone = set(greedy) - set(shown)
        dropped += len(gone)
        (again,) = redecode(context, example, 1, shown, [])
        assert set(shown) <= set(again.spans)
        assert not gone & set(again.spans)
        for taken in shown:
            (left,) = redecode(context, example, 1, [], [taken])
            assert taken not in left.spans
            back = gone & set(left.spans)
            assert all(one.start < taken.end and taken.start < one.end for one in back)
            # What stands is the best set under the edit, without those.
            (lattice,) = lattices(session.nlp, [example], temperature=decision.temperature)
            table = lattice.span_probabilities(Constraints(forbidden=(taken,))).spans
            kept = {one: p for one, p in table.items() if one not in gone - back}
            assert left.spans == best_span_set(kept, decision.threshold)
        for one in gone:
            # Whoever adds one gets it.
            (now,) = redecode(context, example, 1, [one], [])
            assert one in now.spans
    assert dropped


def test_the_next_session_decides_as_this_one(decided):
    session, report, _, store = decided
    with Session("own", store=store) as again:
        assert fingerprint(again.nlp) == report.fingerprint == fingerprint(session.nlp)
        assert again.predict(DEV[:20]).equals(session.predict(DEV[:20]))
        assert again.model.runs["in_use"].tolist() == [True]


def test_greedy_takes_it_away_again(fresh, tmp_path):
    before, model = fresh.predict(DEV[:20]), fingerprint(fresh.nlp)
    fresh.model.calibrate(progress=False)
    temperature = temperatures_of(fresh.nlp).overall
    fresh.model.decide(progress=False)
    assert not fresh.predict(DEV[:20]).equals(before)
    # The probabilities are those of the same recognizer.
    assert temperatures_of(fresh.nlp).overall == temperature != 1
    report = fresh.model.decide("greedy")
    assert (report.rule, report.threshold, report.gain) == ("greedy", None, None)
    assert report.frame["name"].tolist() == ["greedy"]
    assert fingerprint(fresh.nlp) == model
    assert fresh.predict(DEV[:20]).equals(before)
    assert temperatures_of(fresh.nlp).overall == temperature
    with Session("x", store=tmp_path / "x.db") as again:
        assert fingerprint(again.nlp) == model
        assert temperatures_of(again.nlp).overall == temperature
    # Once more there is nothing to take away, and no run is added.
    runs = len(fresh.model.runs)
    fresh.model.decide("greedy")
    assert len(fresh.model.runs) == runs


def test_a_stated_precision_has_a_higher_threshold(fresh, decided):
    lower = decided[1]
    report = fresh.model.decide(min_precision=0.7, progress=False)
    assert report.threshold > lower.threshold
    assert fresh.nlp.pipe_names.count(FACTORY) == 1
    assert "the lowest that reaches a precision of 0.7" in str(report)
    assert fresh.evaluate("dev").precision >= 0.7


def test_a_new_model_begins_greedily_and_says_so(fresh):
    fresh.model.decide(progress=False)
    decided = fingerprint(fresh.nlp)
    report = fresh.train(init="continue", max_steps=2, margin=None, progress=False)
    assert fresh.nlp.pipe_names == ["ner"]
    assert report.decision_dropped
    assert "This model decodes greedily" in str(report)
    assert "This model decodes greedily" not in str(replace(report, decision_dropped=False))
    # An earlier run can be used again, with its decision.
    runs = fresh.model.runs.set_index("fingerprint")
    assert spacy.load(runs.loc[decided, "path"]).pipe_names == ["ner", FACTORY]


def test_a_reranker_and_a_decision_exclude_each_other(fresh):
    fresh.model.decide(progress=False)
    with pytest.raises(ModelError, match=r'decide\("greedy"\)'):
        fresh.model.rerank(4, folds=2)
    fresh.model.decide("greedy")
    add_reranker(fresh.nlp, Reranker(fresh.nlp, width=4, weights={"score": 1.0}))
    with pytest.raises(ModelError, match="has a reranker"):
        fresh.model.decide()


def test_what_cannot_be_decided_names_the_way_out(fresh):
    fresh.add(["Nobody has labelled this."], split="test")
    with pytest.raises(DataError, match="takes 'greedy' or 'expected_f', not 'viterbi'"):
        fresh.model.decide("viterbi")
    with pytest.raises(DataError, match="no threshold"):
        fresh.model.decide("greedy", min_precision=0.9)
    # To go back, no gold is needed.
    assert not len(fresh.model.decide("greedy", dev="test").frame)
    with pytest.raises(DataError, match=r"split 'test': 0 gold spans in 0 .* needs 50 spans in 20"):
        fresh.model.decide(dev="test")
    with (
        Session("new", labels=["Tool"], store=":memory:") as untrained,
        pytest.raises(ModelError, match="has not been trained"),
    ):
        untrained.model.decide()
