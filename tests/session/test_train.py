"""Retraining without surprises: more labels, ways of training, the guard, flips, the curve."""

from __future__ import annotations

import random
import re

import pytest

from nbner import DataError, Example, Session, Span, TrainingError
from nbner.evaluation.regressions import MIN_SUPPORT
from nbner.session import experiments

LABELS = ["Person", "Place"]
PEOPLE = ("Ada", "Bo", "Cleo", "Dan", "Eve", "Finn")
PLACES = ("Rome", "Paris", "Oslo", "Lima", "Graz", "Ulm")
OPTIONS = {"max_epochs": 2, "progress": False}


def row(person, place, thing=None, **more):
    text = f"{person} lives in {place} ." if thing is None else f"{person} eats a {thing} ."
    spans = [Span(0, len(person), "Person")]
    if thing is None:
        spans.append(Span(len(person) + 10, len(person) + 10 + len(place), "Place"))
    else:
        spans.append(Span(len(person) + 8, len(person) + 8 + len(thing), "Food"))
    return Example(text, spans=tuple(spans), answer="accept", annotator="ann", **more)


def rows(size, seed, food=False):
    draw = random.Random(seed)
    pairs = [(one, other) for one in PEOPLE for other in PLACES]
    draw.shuffle(pairs)
    things = ("pear", "fig", "plum", "bun", "leek", "nut")
    found = [row(*pair) for pair in pairs[:size]]
    if food:
        found += [row(one, "", things[i % 6]) for i, one in enumerate(PEOPLE * 2)][:12]
    return list({one.text: one for one in found}.values())


def filled(session):
    session.add(rows(24, 0), split="train")
    session.add(rows(36, 0)[24:], split="dev")
    return session


@pytest.fixture
def session(tmp_path):
    with Session("people", labels=LABELS, store=tmp_path / "nbner.db", annotator="ann") as session:
        yield filled(session)


@pytest.fixture(scope="module")
def learnt(tmp_path_factory):
    """Folder of a model that has learnt people and places."""
    store = tmp_path_factory.mktemp("learnt") / "nbner.db"
    with Session("people", labels=LABELS, store=store) as session:
        return filled(session).train(max_epochs=25, progress=False).path


@pytest.fixture
def trained(tmp_path, learnt):
    with Session("people", labels=LABELS, store=tmp_path / "nbner.db", model=learnt) as session:
        yield filled(session)


def predicted(session, texts):
    return list(
        session.predict(texts)[["example", "start", "end", "label"]].itertuples(index=False)
    )


# More labels.


def test_a_trained_model_gets_room_for_more_labels_and_predicts_as_before(trained):
    texts = [one.text for one in trained.examples("dev")]
    before = predicted(trained, texts)
    assert trained.add_labels(["Food", "Person"]) == ("Person", "Place", "Food")
    assert "Food" in trained.nlp.get_pipe("ner").labels
    assert predicted(trained, texts) == before
    assert trained.manual("train")._example_queue.info.labels[-1] == "Food"


def test_a_widget_that_is_open_offers_added_labels_at_once(session):
    session.add(["Eve eats a fig ."], split="more")
    widget, other = session.manual("more"), session.manual("dev")
    sent = []
    widget.observe(lambda change: sent.append(change.new), "_setup")
    session.add_labels(["Food"])
    assert [setup["labels"][-1] for setup in sent] == ["Food"]
    assert set(sent[0]["colors"]) == set(session.labels)
    assert other._setup["labels"] == list(session.labels)
    shown = widget.current
    first = shown.tokens[0]
    after = widget.answer("accept", [(first.start, first.end, "Food")])
    assert after.labels == session.labels
    assert [span.label for span in after.spans] == ["Food"]


def test_labels_that_come_with_data_are_offered_at_once(tmp_path):
    with Session("d", store=tmp_path / "nbner.db") as session:
        session.add([{"text": "Stir", "spans": [{"start": 0, "end": 4, "label": "Verb"}]}])
        widget = session.manual()
        session.add([{"text": "Food", "spans": [{"start": 0, "end": 4, "label": "Noun"}]}])
        assert widget._setup["labels"] == ["Verb", "Noun"]


def test_what_was_answered_before_a_label_existed_is_missing_for_it(trained):
    trained.add_labels(["Food"])
    trained.add(rows(0, 1, food=True), split="train")
    report = trained.train(init="continue", **OPTIONS)
    assert report.record["data"]["partial"] == 24
    assert "Food" in report.record["labels"]


@pytest.mark.parametrize(
    ("labels", "says"),
    [
        ("Food", "Pass a list of texts as labels="),
        ([""], r"add_labels\(\["),
        ([3], "Pass a list of texts as labels="),
    ],
)
def test_labels_that_are_none(session, labels, says):
    with pytest.raises(DataError, match=says):
        session.add_labels(labels)
    assert session.labels == tuple(LABELS)


# Ways of training.


def test_ways_that_go_on_start_where_the_model_stands(trained):
    for how in ("continue", "freeze", "rehearsal"):
        report = trained.train(init=how, **OPTIONS)
        assert report.evaluations[0].f > 0.8, how
    assert trained.train(init="scratch", margin=None, **OPTIONS).evaluations[0].f < 0.5


def test_an_unknown_way_names_those_there_are(session):
    with pytest.raises(TrainingError, match="'freeze'"):
        session.train(init="somehow", **OPTIONS)


def test_a_way_that_goes_on_needs_something_to_go_on_from(session):
    with pytest.raises(TrainingError, match=r"session\.train\(\) first"):
        session.train(init="freeze", **OPTIONS)


def test_rehearsal_takes_texts_without_gold(trained):
    trained.add([f"{one} left Rome ." for one in PEOPLE], split="train")
    report = trained.train(init="rehearsal", **OPTIONS)
    assert report.n_train == 24 + 6


# The guard and the flips.


@pytest.fixture
def forgetful(trained):
    """A session whose training data has gone bad: places are no entities any more."""
    for one in trained.examples("train"):
        bad = Example(one.text, spans=one.spans[:1], answer="accept", annotator="ann")
        trained.add([bad], split="bad")
    trained.add([row(one, two) for one, two in zip(PEOPLE, PLACES, strict=True)], split="dev")
    return trained


def test_a_model_that_forgot_a_label_is_not_put_in_place(forgetful):
    in_use = forgetful.nlp
    report = forgetful.train("bad", init="scratch", **OPTIONS)
    assert not report.in_use
    assert forgetful.nlp is in_use
    (loss,) = [one for one in report.regressed_labels if one.label == "Place"]
    assert loss.support >= MIN_SUPPORT
    assert re.search(rf"\n *Place F on gold .* {loss.support}\n", str(report))
    assert "session.model.use(report)" in str(report)
    assert forgetful.model.runs.empty
    forgetful.model.use(report)
    assert forgetful.evaluate().fingerprint == report.fingerprint
    runs = forgetful.model.runs
    assert list(runs["in_use"]) == list(runs["exists"]) == [True]
    assert list(runs["fingerprint"]) == [report.fingerprint]
    assert list(runs["path"]) == [str(report.path)]
    assert list(runs["f"]) == [pytest.approx(report.f)]
    forgetful.train("bad", init="continue", margin=None, **OPTIONS)
    assert list(forgetful.model.runs["in_use"]) == [False, True]


def test_without_a_margin_every_model_passes(forgetful):
    assert forgetful.train("bad", init="scratch", margin=None, **OPTIONS).in_use


def test_flips_name_every_span_that_turned(forgetful):
    report = forgetful.train("bad", init="scratch", **OPTIONS)
    flips = report.span_changes
    assert flips.right_to_wrong >= MIN_SUPPORT
    assert set(flips.frame["turn"]) <= {"right_to_wrong", "wrong_to_right"}
    assert (flips.frame["label"] == "Place").any()
    assert len(flips.frame) == flips.right_to_wrong + flips.wrong_to_right
    assert flips.per_label["right_to_wrong"].sum() == flips.right_to_wrong
    assert "right to wrong" in flips._repr_html_()
    assert flips.examples


def test_the_regression_set_stays_as_it_was_frozen(trained):
    first = trained.train(init="continue", **OPTIONS).record["regression"]
    assert set(first) == set(LABELS)
    trained.add([row("Gil", "Bonn")], split="dev")
    second = trained.train(init="continue", **OPTIONS).record["regression"]
    assert second == first


def test_a_held_back_model_is_not_the_next_sessions(forgetful, tmp_path):
    held = forgetful.train("bad", init="scratch", **OPTIONS)
    with Session("people", store=tmp_path / "nbner.db") as again:
        assert held.fingerprint not in repr(again)


# Problems of the data.


def test_problems_are_said_with_their_examples(session):
    session.add_labels(["Food", "Robot"])
    session.add([row("Ada", "", "fig")], split="dev")
    session.add([session.examples("train")[0]], split="dev")
    found = {one.kind: one for one in session.quality.data_warnings()}
    assert found["only_in_dev"].label == "Food"
    assert [one.text for one in found["only_in_dev"].examples] == ["Ada eats a fig ."]
    assert found["never_in_train"].label == "Robot"
    assert len(found["in_both_splits"].examples) == 1
    assert "<details>" in session.quality.data_warnings()._repr_html_()


def test_answers_that_contradict_each_other_are_a_problem(session):
    example = session.examples("train")[0]
    session.add([Example(example.text, answer="accept", annotator="bob")], split="dev")
    (conflict,) = [
        one for one in session.quality.data_warnings() if one.kind == "conflicting_answers"
    ]
    assert {len(one.spans) for one in conflict.examples} == {0, 2}


def test_the_report_carries_the_problems(session):
    session.add_labels(["Robot"])
    report = session.train(**OPTIONS)
    assert "Robot has no example at all" in str(report)
    assert report.data_warnings.frame["kind"].tolist() == ["never_in_train"]


# Side by side.


def test_ways_of_training_side_by_side(trained):
    in_use = trained.nlp
    trained.add_labels(["Food"])
    trained.add(rows(0, 1, food=True)[:8], split="train")
    trained.add(rows(0, 1, food=True)[8:], split="dev")
    found = trained.experiments.compare_training(
        ["scratch", "freeze"], seeds=2, max_epochs=3, progress=False
    )
    assert found.new_labels == ("Food",)
    frame = found.frame
    assert set(frame["kind"]) == {"old", "new", "total"}
    assert set(frame["init"]) == {"scratch", "freeze"}
    assert (frame["seeds"] == 2).all()
    assert found.plot().get_title(loc="left")
    assert any(word in found.summary for word in ("Retrain", "Resize", "No clear difference"))
    assert trained.context.nlp_before_new_labels is in_use


def test_the_stop_button_keeps_what_was_measured(trained, monkeypatch):
    whole, runs = experiments.start_run, []

    def stopped(*args, **options):
        if runs:
            raise KeyboardInterrupt
        runs.append(whole(*args, **options))
        return runs[0]

    monkeypatch.setattr(experiments, "start_run", stopped)
    found = trained.experiments.compare_training(
        ["continue"], seeds=3, max_epochs=1, progress=False
    )
    assert len(found.trials) == 1


def test_the_learning_curve_answers_whether_more_is_worth_it(session):
    curve = session.experiments.learning_curve(
        (0.25, 0.5, 1.0), seeds=2, max_epochs=2, progress=False
    )
    assert curve.sizes == [6, 12, 24]
    whole = curve.frame[curve.frame["label"] == "all labels"]
    assert (whole["seeds"] == 2).all()
    assert set(curve.gains["label"]) == {"all labels", *LABELS}
    assert curve.plot().get_title(loc="left") == curve.summary
    assert "5 more examples" not in curve.summary or curve.more == 5
    assert curve.next_batch_size == 4


@pytest.mark.parametrize(
    ("shares", "says"),
    [((), "share"), ((0.0,), "share"), ((1.5,), r"fractions=1\.5 is out of range\. Use 0 to 1")],
)
def test_shares_that_are_none(session, shares, says):
    with pytest.raises(DataError, match=says):
        session.experiments.learning_curve(shares)
