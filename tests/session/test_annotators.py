"""Teams, the past and progress, through the session."""

import time

import pytest

import nbner
from nbner import DataError, Session
from nbner.widgets.annotator import Annotator

TEXTS = ["Ada lives in Rome .", "Bo lives in Oslo .", "Cleo left ."]


@pytest.fixture
def sessions(tmp_path):
    made = [
        Session("people", labels=["Person", "Place"], store=tmp_path / "n.db", annotator=name)
        for name in ("ann", "bob")
    ]
    made[0].add(TEXTS)
    yield made
    for session in made:
        session.close()


def label_all(sessions):
    """Ann finds persons and places; Bob overlooks the places."""
    ann, bob = sessions
    for session, seconds in ((ann, 4), (bob, 500)):
        widget = session.manual(overlap="all")
        for text in TEXTS:
            person = (0, text.index(" "), "Person")
            place = [(13, 17, "Place")] if "Rome" in text and session is ann else []
            (example,) = widget._example_queue.next_batch(1)
            reply = widget.receive(
                {
                    "type": "answer",
                    "id": f"{session.annotator} {text}",
                    "example": str(example.input_hash),
                    "answer": "accept",
                    "spans": [
                        nbner.widgets.serialization.serialize_span(one, example)
                        for one in (person, *place)
                    ],
                    "seconds": seconds,
                }
            )
            assert reply["type"] == "saved", reply


def test_two_sessions_share_the_work(sessions):
    shown = [[one["id"] for one in s.manual()._take_snapshot()["window"]] for s in sessions]
    assert len(shown[0]) == 3
    assert shown[1] == []


def test_agreement_review_and_what_stands_then(sessions):
    label_all(sessions)
    ann, _ = sessions
    agreement = ann.quality.agreement(samples=50)
    assert agreement.n == 3
    assert agreement.f == pytest.approx(2 * 3 / 7)
    assert list(agreement.disputed["text"]) == [TEXTS[0]]
    widget = ann.review()
    assert isinstance(widget, Annotator)
    (task,) = widget._take_snapshot()["window"]
    assert task["spans"] == [[0, 1, "Person", {}]]
    assert [(one["by"], one["answer"], one["spans"]) for one in task["versions"]] == [
        ("ann", "accept", [[0, 1, "Person"], [3, 4, "Place"]]),
        ("bob", "accept", [[0, 1, "Person"]]),
    ]
    widget.answer("accept", [(0, 3, "Person"), (13, 17, "Place")])
    assert widget._take_snapshot()["window"] == []
    (first, *_) = ann.examples()
    assert (first.annotator, len(first.spans)) == ("ann (review)", 2)
    # The originals stay, and the reviewer is not one of those who are compared.
    assert list(ann.answers()["annotator"]).count("ann") == 3
    assert ann.quality.agreement(samples=0).f == agreement.f
    assert ann.review()._take_snapshot()["counts"]["accept"] == 1
    widget.undo()
    assert len(ann.review()._take_snapshot()["window"]) == 1


def test_a_reviewer_is_none_of_the_reviewed(sessions):
    label_all(sessions)
    with pytest.raises(DataError, match=r"reviewer='ann \(review\)'"):
        sessions[0].review(reviewer="ann")


def test_without_two_opinions_there_is_no_agreement(sessions):
    with pytest.raises(DataError, match=r"overlap=\"all\""):
        sessions[0].quality.agreement()


def test_progress_that_is_true(sessions):
    label_all(sessions)
    ann, _ = sessions
    ann.add(["Dan lives in Lima .", "Eve left ."], split="dev")
    stats = ann.quality.progress(idle_seconds=60)
    frame = stats.frame.set_index(["split", "annotator", "answer"])
    assert frame.loc[("train", "ann", "accept"), ["examples", "tokens", "entities"]].tolist() == [
        *(3, 13, 4)
    ]
    assert frame.loc[("train", "ann", "accept"), "seconds"] == 12
    # Bob left the desk each time: no more than the idle time counts.
    assert frame.loc[("train", "bob", "accept"), "seconds"] == 180
    assert frame.loc[("dev", "", "open"), "examples"] == 2
    time_ = stats.per_annotator.set_index("annotator")
    assert time_.loc["ann", "per_example"] == 4
    assert time_.loc["ann", "per_entity"] == 3
    assert stats.remaining_seconds == pytest.approx(192 / 26 * 8)
    labels = stats.per_label.groupby("label")["entities"].sum()
    assert labels.to_dict() == {"Person": 6, "Place": 1}
    assert "3 min for 6 examples" in str(stats)
    assert "rest" in stats._repr_html_()
    stats.plot().figure.canvas.draw()
    # The same counts as everywhere else.
    for split in ("train", "dev"):
        counts, rows = ann.counts(split), stats.frame[stats.frame["split"] == split]
        assert counts.open == rows[rows["answer"] == "open"]["examples"].sum()


def test_stats_without_any_time():
    with Session("people", store=":memory:") as session:
        assert session.quality.progress().remaining_seconds is None
        session.add([{"text": "Ada", "answer": "accept", "spans": []}, "Bo"])
        stats = session.quality.progress()
        assert stats.per_annotator["per_example"].isna().all()
        assert "no time was measured" in str(stats)
        stats.plot().figure.canvas.draw()


def test_the_past_through_the_session(sessions):
    ann, _ = sessions
    before = time.time()
    time.sleep(0.01)
    label_all(sessions)
    assert ann.store.at(before).counts().open == 3
    assert len(ann.store.at(before).answers()) == 0
    assert ann.store.at("1999-12-31").examples() == []
    assert len(ann.store.at(time.time()).answers(annotator="ann")) == 3
    history = ann.store.history(ann.examples()[0])
    assert list(history["annotator"]) == ["ann", "bob"]
    assert list(history["seconds"]) == [4, 500]
    assert len(ann.store.history(TEXTS[1])) == 2
    with pytest.raises(DataError, match="there is no example"):
        ann.store.history("nowhere")
    with pytest.raises(DataError, match="is not a time"):
        ann.store.at("yesterday or so")
    assert ann.store.restore(before, annotator="bob") == 3
    assert list(ann.answers()["annotator"]) == ["ann"] * 3
    assert "as of" in repr(ann.store.at(before))


def test_copies_and_checks_through_the_session(sessions, tmp_path):
    ann, _ = sessions
    label_all(sessions)
    with Session("people", store=ann.store.backup()) as copy:
        assert copy.counts() == ann.counts()
    verification = ann.store.verify()
    assert verification.ok
    assert verification
    assert len(verification.frame) >= 6
    assert "holds" in str(verification)
    assert "holds" in verification._repr_html_()
