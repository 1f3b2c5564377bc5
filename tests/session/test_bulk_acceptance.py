"""The widget's panel of what the model is sure of: computed behind it, accepted, undone."""

from __future__ import annotations

import threading
import time

import pytest

import nbner
from nbner.nlp.prediction import predict
from nbner.session import bulk_acceptance

LABELS = ("Action", "Amount", "Reagent")


@pytest.fixture
def session(trained_path, dev):
    opened = nbner.Session(
        "sure", labels=LABELS, model=trained_path, store=":memory:", annotator="ann"
    )
    with opened as made:
        made.add([one.text for one in dev])
        made.add(dev, split="dev")
        yield made


def ask(widget, action, probability=0.5, **fields):
    return widget.receive(
        {
            "type": "confident",
            "id": "1",
            "do": action,
            "probability": probability,
            "offset": 0,
            "want": 100,
            **fields,
        }
    )


def wait(widget, probability=0.5):
    """Return the list once it is not being computed."""
    for _ in range(500):
        reply = ask(widget, "list", probability)
        if reply["state"] != "computing":
            return reply
        time.sleep(0.02)
    raise AssertionError(reply)


def listed(widget, probability=0.5):
    ask(widget, "start", probability)
    return wait(widget, probability)


def test_the_panel_lists_what_the_method_lists(session):
    widget = session.make_gold()
    assert widget.get_state(key=["_setup"])["_setup"]["confident"] is True
    for probability in (1e-6, 0.5, 0.9):
        found = session.confident_suggestions(min_probability=probability, progress=False)
        reply = listed(widget, probability)
        assert reply["state"] == "ready"
        assert [row["id"] for row in reply["rows"]] == [
            str(one.input_hash) for one in found.examples
        ]
        assert (reply["total"], reply["pending"]) == (len(found), len(found.open_texts))
        assert reply["wrong"] == pytest.approx(found.expected_wrong)
        assert reply["missed"] == pytest.approx(found.expected_missed)
        assert sum(row["wrong"] for row in reply["rows"]) == pytest.approx(reply["wrong"])
    assert "not calibrated" in reply["notes"]


def test_a_row_shows_the_text_with_its_spans(session):
    reply = listed(session.make_gold(), 1e-6)
    for row in reply["rows"]:
        (example,) = (one for one in session.examples("train") if str(one.input_hash) == row["id"])
        assert "".join(words for words, _ in row["parts"]) == example.text
        spans = next(iter(predict(session.nlp, [example])))
        assert [(words, label) for words, label in row["parts"] if label] == [
            (example.text[span.start : span.end], span.label) for span in spans
        ]


def test_what_is_ticked_is_accepted_unseen_as_one_act_that_can_be_undone(session):
    widget = session.make_gold()
    reply = listed(widget)
    left = reply["rows"][0]["id"]
    done = ask(widget, "accept", number=reply["number"], bulk="b1", unticked=[left])
    assert done["text"] == f"{reply['total'] - 1} texts are accepted unseen."
    accepted = session.examples("train", answer="accept")
    assert {str(one.input_hash) for one in accepted} == {
        row["id"] for row in reply["rows"] if row["id"] != left
    }
    assert all(one.accepted_unseen for one in accepted)
    after = wait(widget)
    assert [row["id"] for row in after["rows"]] == [left]
    assert after["undo"] == "b1"
    # A message that came twice does what it says once.
    again = ask(widget, "accept", number=reply["number"], bulk="b1", unticked=[])
    assert again["text"] == done["text"]
    assert session.counts("train").accept == len(accepted)
    assert ask(widget, "undo", bulk="b1")["text"] == f"{len(accepted)} texts are open again."
    assert ask(widget, "undo", bulk="b1")["text"] == f"{len(accepted)} texts are open again."
    assert session.counts("train").accept == 0
    assert wait(widget)["total"] == reply["total"]
    assert "nothing to undo" in ask(widget, "undo", bulk="b2")["message"]


def test_what_is_accepted_unseen_is_no_work_towards_a_target(session):
    widget = session.make_gold(daily_target=5)
    widget.answer("accept")
    reply = listed(widget)
    ask(widget, "accept", number=reply["number"], bulk="b1")
    target = widget.receive({"type": "hello", "id": "2"})["target"]
    assert target == {"daily": 5, "today": 1, "answered": session.counts("train").accept}
    assert target["answered"] > 1


def test_only_a_list_that_was_shown_is_accepted(session):
    widget = session.make_gold()
    reply = listed(widget)
    listed(widget)
    refused = ask(widget, "accept", number=reply["number"], bulk="b1")
    assert "computed again meanwhile" in refused["message"]
    assert session.counts("train").accept == 0
    now = wait(widget)
    everything = [row["id"] for row in now["rows"]]
    refused = ask(widget, "accept", number=now["number"], bulk="b1", unticked=everything)
    assert "no text is ticked" in refused["message"]


def test_a_text_with_a_draft_is_left_out_and_what_comes_meanwhile_stays(session):
    widget = session.make_gold()
    reply = listed(widget)
    first, second = (int(row["id"]) for row in reply["rows"][:2])
    example = next(one for one in session.examples("train") if one.input_hash == first)
    widget.answer("reject", example=example)
    message = {"type": "answer", "id": "d", "example": str(second), "answer": None}
    widget.receive({**message, "spans": [[0, 1, "Action"]], "have": []})
    done = ask(widget, "accept", number=reply["number"], bulk="b1")
    assert done["text"] == f"{reply['total'] - 2} texts are accepted unseen, 2 answered meanwhile."
    assert session.counts("train").reject == 1
    after = wait(widget)
    assert str(second) not in [row["id"] for row in after["rows"]]
    assert "1 draft left out" in after["notes"]


class TestTheComputation:
    @pytest.fixture
    def slow(self, monkeypatch):
        """Make each batch take its time, and keep the texts that were computed."""
        computed = []
        before = bulk_acceptance.with_suggestions

        def suggestions(model, pending, **options):
            time.sleep(0.05)
            computed.extend(one.input_hash for one in pending)
            return before(model, pending, **options)

        monkeypatch.setattr(bulk_acceptance, "with_suggestions", suggestions)
        monkeypatch.setattr(bulk_acceptance, "_BATCH_SIZE", 2)
        return computed

    def test_labelling_goes_on_while_it_runs_and_it_can_be_stopped(self, session, slow):
        widget = session.make_gold()
        reply = ask(widget, "start")
        assert reply["state"] == "computing"
        assert reply["rows"] == []
        started = time.perf_counter()
        widget.answer("accept")
        assert time.perf_counter() - started < 1
        while ask(widget, "list")["checked"] < 4:
            time.sleep(0.01)
        ask(widget, "stop")
        stopped = wait(widget)
        assert stopped["state"] == "stopped"
        assert 4 <= stopped["checked"] < stopped["pending"]
        # What was computed is kept, and can be accepted as far as it goes.
        assert stopped["total"] <= stopped["checked"]
        ready = listed(widget)
        assert (ready["state"], ready["checked"]) == ("ready", ready["pending"])
        assert len(slow) == len(set(slow))

    def test_other_probabilities_are_computed_anew(self, session, slow):
        widget = session.make_gold()
        listed(widget)
        session.model.calibrate("dev")
        reply = listed(widget, 1e-6)
        assert len(slow) == 2 * reply["pending"]
        assert "not calibrated" not in reply["notes"]

    def test_closing_the_widget_ends_it(self, session, slow):
        widget = session.make_gold()
        pending = ask(widget, "start")["pending"] or session.counts("train").open
        widget.close()
        for thread in threading.enumerate():
            if thread.name == "nbner-bulk":
                thread.join()
        assert len(slow) < pending

    def test_a_failure_is_said(self, session, monkeypatch):
        def fail(*_, **__):
            raise RuntimeError("no room")

        monkeypatch.setattr(bulk_acceptance, "with_suggestions", fail)
        reply = listed(session.make_gold())
        assert (reply["state"], reply["text"]) == ("failed", "RuntimeError: no room")


def test_wrong_requests_are_refused_with_a_sentence(session):
    widget = session.make_gold()
    for fields, said in [
        ({"do": "burn"}, "is nothing to do with a list"),
        ({"probability": "x"}, "is not a probability"),
        ({"probability": True}, "is not a probability"),
        ({"probability": 7}, "is not a probability above 0"),
        ({"do": "accept", "bulk": "b", "number": 9}, "computed again"),
        ({"do": "undo"}, "nothing to undo"),
    ]:
        assert said in ask(widget, fields.pop("do", "list"), **fields)["message"]


def test_manual_shows_no_suggestions_and_offers_none(session):
    assert "confident" not in session.manual().get_state(key=["_setup"])["_setup"]


def test_without_a_trained_model_the_panel_says_so(dev):
    with nbner.Session("new", labels=LABELS, store=":memory:") as made:
        made.add([{"text": dev[0].text, "spans": [{"start": 0, "end": 3, "label": "Action"}]}])
        assert "not been trained" in ask(made.make_gold(), "start")["message"]
