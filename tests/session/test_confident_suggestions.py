"""Texts whose every suggestion is probable: the list, the bulk act, its mark, and undo."""

from __future__ import annotations

from dataclasses import replace

import pytest

import nbner
from nbner.errors import DataError, ModelError
from nbner.nlp.gold_docs import split_corpus
from nbner.training.loop import train

LABELS = ("Action", "Amount", "Reagent")


@pytest.fixture(scope="module")
def half_trained_path(corpus, dev, tmp_path_factory):
    """Folder of a model that is surer of some texts of the corpus than of others."""
    output = tmp_path_factory.mktemp("half") / "run"
    options = {"labels": LABELS, "max_steps": 30, "eval_frequency": 30}
    with train("blank:en", corpus[:20], dev, output=output, **options) as training:
        for _ in training:
            pass
        return training.finish().path


@pytest.fixture
def session(half_trained_path, dev):
    """Give a session with 30 open texts, of which the model is more and less sure."""
    opened = nbner.Session(
        "sure", labels=LABELS, model=half_trained_path, store=":memory:", annotator="ann"
    )
    with opened as made:
        made.add([one.text for one in dev])
        made.add(["Nothing here , nothing there ."], split="plain")
        made.add(dev, split="dev")
        yield made


def listed(session, **options):
    return session.confident_suggestions(progress=False, **{"min_probability": 0.5, **options})


def test_only_texts_are_listed_whose_every_suggestion_is_as_probable_as_asked(session):
    everything = listed(session, min_probability=1e-6)
    middle = everything.curve["min_probability"].median()
    found = listed(session, min_probability=middle)
    assert 0 < len(found) < len(everything)
    assert all(score >= middle for one in found for score in one.probabilities)
    rest = {one.example.text for one in everything} - {one.example.text for one in found}
    assert all(one.lowest < middle for one in everything if one.example.text in rest)


def test_the_least_sure_text_comes_first(session):
    lowest = list(listed(session).frame["lowest_probability"])
    assert lowest == sorted(lowest)


def test_the_scores_are_those_of_the_suggestions_that_make_gold_shows(session):
    found = listed(session)
    widget = session.make_gold()
    for one in found.texts[:3]:
        shown = widget.goto(one.example)
        assert [(s.start, s.end, s.label, s.score) for s in shown.spans] == [
            (s.start, s.end, s.label, pytest.approx(s.score)) for s in one.example.spans
        ]


def test_expected_errors_are_sums_of_the_probabilities(session):
    found = listed(session)
    scores = [score for one in found for score in one.probabilities]
    assert found.expected_wrong == pytest.approx(sum(1 - score for score in scores))
    for one in found.texts[:3]:
        every = session.model.span_probabilities(one.example).frame["probability"].sum()
        assert one.expected_missed == pytest.approx(every - sum(one.probabilities), abs=0.002)


def test_the_curve_says_what_other_thresholds_would_accept(session):
    found = listed(session)
    for row in found.curve.to_dict("records"):
        other = listed(session, min_probability=row["min_probability"])
        assert (len(other), other.expected_wrong) == (
            row["texts"],
            pytest.approx(row["expected_wrong"]),
        )


def test_accepting_is_one_act_that_can_be_undone(session):
    found = listed(session)
    done = found.accept()
    assert done.accepted == len(found) == session.counts("train").accept
    assert {(one.text, one.spans) for one in session.examples("train", answer="accept")} == {
        (one.text, one.spans) for one in found.examples
    }
    assert done.undo() == len(found)
    assert session.counts("train").accept == 0
    assert done.undo() == 0


def test_a_text_that_was_answered_meanwhile_keeps_its_answer(session):
    found = listed(session)
    widget = session.make_gold()
    widget.goto(found.examples[0])
    widget.answer("reject")
    done = found.accept()
    assert (done.accepted, done.skipped) == (len(found) - 1, 1)
    assert [one.text for one in session.examples("train", answer="reject")] == [
        found.examples[0].text
    ]
    assert "1 text was answered meanwhile and keeps its answer" in str(done)


def test_somebodys_draft_is_left_out_and_kept(session):
    before = listed(session)
    half_done, later = before.examples[0], before.examples[1]
    for example in (half_done, later):
        if example is later:
            found = listed(session)
            assert half_done.text not in {one.text for one in found.examples}
            assert "1 text with somebody's draft is left out" in str(found)
        widget = session.make_gold()
        widget.receive(
            {
                "type": "answer",
                "id": example.text,
                "example": str(example.input_hash),
                "answer": None,
                "spans": [[0, 1, "Action"]],
                "have": [],
                "done": 2,
            }
        )
    # One draft was there when the list was made, the other came after it.
    done = found.accept()
    assert (done.accepted, done.skipped) == (len(before) - 2, 1)
    drafts = [one for one in session.examples("train") if one.answer is None]
    assert {one.text for one in drafts} == {half_done.text, later.text}
    assert {one.done_to for one in drafts} == {one.tokens[1].end for one in drafts}


def test_the_mark_is_one_that_says_yes(session):
    session.add(
        [{"text": "Stir .", "answer": "accept", "spans": [], "accepted_unseen": False}], "own"
    )
    assert session.evaluate("own").n == 1


def test_an_answer_given_after_the_act_survives_its_undo(session):
    found = listed(session)
    done = found.accept()
    widget = session.make_gold()
    widget.goto(found.examples[0])
    widget.answer("reject")
    assert done.undo() == len(found) - 1
    assert session.counts("train").reject == 1


def test_open_widgets_go_on_without_the_accepted_texts(session):
    widget = session.make_gold()
    found = listed(session)
    found.accept()
    done = {one.input_hash for one in found.examples}
    assert widget.current is None or widget.current.input_hash not in done


def test_open_shows_the_listed_texts_first(session):
    found = listed(session)
    assert found.open().queue[:3] == [one.input_hash for one in found.examples[:3]]


class TestTheMark:
    def test_what_nobody_has_seen_is_no_gold_to_measure_on(self, session):
        found = listed(session)
        found.accept()
        with pytest.raises(DataError, match="accepted in bulk"):
            session.evaluate("train")
        assert session.evaluate("train", accepted_unseen=True).n == len(found)

    def test_a_text_that_a_person_accepts_afterwards_is_gold(self, session):
        found = listed(session)
        found.accept()
        widget = session.make_gold()
        widget.goto(found.examples[0])
        widget.answer("accept")
        assert session.evaluate("train").n == 1

    def test_it_is_trained_on_and_never_held_out(self, session, dev):
        session.add([replace(one, text=f"{one.text} ok") for one in dev[:12]])
        listed(session).accept()
        accepted = session.examples("train", answer="accept")
        corpus = split_corpus(accepted, [], LABELS, seed=0)
        assert corpus.is_held_out
        assert not any(one.accepted_unseen for one in corpus.dev)
        assert sum(one.accepted_unseen for one in corpus.train) == len(accepted) - 12

    @pytest.mark.parametrize("name", ["out.jsonl", "out.csv", "out.tsv", "out.json", "out.parquet"])
    def test_it_survives_export_and_import(self, session, tmp_path, name):
        found = listed(session)
        found.accept()
        report = session.export(tmp_path / name, split="train")
        assert report.accepted_unseen == len(found)
        assert f"{len(found)} were accepted in bulk, unseen" in str(report)
        with nbner.Session("copy", labels=LABELS, store=":memory:") as other:
            other.add(tmp_path / name)
            again = other.examples("train", answer="accept")
        assert len(again) == len(found)
        assert all(one.accepted_unseen for one in again)

    def test_agreement_does_not_count_it(self, session, dev):
        listed(session).accept()
        session.add([replace(one, annotator="bo") for one in dev], split="train")
        with pytest.raises(DataError, match="accepted by two annotators"):
            session.quality.agreement("train", annotators=["ann", "bo"])

    def test_prequential_figures_do_not_count_it(self, session):
        listed(session).accept()
        assert not session.quality.progress("train").suggestions.sources


def test_texts_without_a_suggestion_are_listed_on_request_alone(session):
    # A label that the session does not have is not suggested.
    with nbner.Session("none", labels=["Other"], model=session.nlp, store=":memory:") as made:
        made.add(["Add 5 ml of water carefully ."])
        found = listed(made)
        assert (len(found), len(listed(made, include_empty=True))) == (0, 1)
        assert "1 open text has no suggestion and is left out" in str(found)


def test_the_list_says_that_probabilities_are_not_calibrated(session):
    assert "not calibrated" in str(listed(session))
    session.model.calibrate("dev")
    assert "not calibrated" not in str(listed(session))


def test_nothing_probable_is_nothing_to_accept(session):
    found = listed(session, split="plain", min_probability=1.0)
    with pytest.raises(DataError, match=r"Look at \.curve"):
        found.accept()


@pytest.mark.parametrize("wrong", [0, -1, 1.5, float("nan")])
def test_a_threshold_is_a_probability(session, wrong):
    with pytest.raises(DataError, match="min_probability"):
        listed(session, min_probability=wrong)


def test_a_split_that_does_not_exist_is_named(session):
    with pytest.raises(DataError, match="there is no split 'trian'"):
        listed(session, split="trian")


def test_without_a_trained_model_there_is_nothing_to_be_sure_of():
    with nbner.Session("new", labels=LABELS, store=":memory:") as made:
        made.add(["Stir salt ."])
        with pytest.raises(ModelError):
            listed(made)


def test_the_picture_shows_the_expected_errors(session):
    found = listed(session)
    ax = found.plot()
    assert [line.get_label() for line in ax.lines[:2]] == ["spans wrong", "spans missed"]
    assert ax.lines[0].get_ydata()[-1] == pytest.approx(found.curve["expected_wrong"].iloc[-1])


def test_text_in_the_list_is_no_markup(trained_path):
    with nbner.Session("html", labels=LABELS, model=trained_path, store=":memory:") as made:
        made.add(["Add 5 ml of <b>water</b> carefully ."])
        assert "<b>water" not in listed(made, min_probability=1e-6)._repr_html_()
