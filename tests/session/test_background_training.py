"""Training in another process: labelling goes on, and the models change over at the end."""

from __future__ import annotations

import os
import signal
import time

import pytest

from nbner import DataError, ModelError, Session, TrainingError
from nbner.nlp.pipeline import labels_of
from nbner.training.background import BackgroundTraining

PEOPLE = ("Ada", "Bo", "Cleo", "Dan")
ROWS = [
    {
        "text": f"{person} lives in {place} .",
        "answer": "accept",
        "spans": [{"start": 0, "end": len(person), "label": "Person"}],
    }
    for person in PEOPLE
    for place in ("Rome", "Oslo")
]


@pytest.fixture
def session(tmp_path):
    with Session("people", labels=["Person"], store=tmp_path / "nbner.db") as session:
        session.add(ROWS[:6])
        session.add(ROWS[6:], split="dev")
        session.add(["Ada left Rome .", "Bo left Oslo ."], split="open")
        yield session


def until(condition):
    end = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.05)


def models(tmp_path):
    return list((tmp_path / "nbner.models").rglob("model-best"))


def test_labelling_goes_on_and_the_model_changes_over_at_the_end(session):
    before = session.nlp
    training = session.train(background=True, max_epochs=3)
    assert isinstance(training, BackgroundTraining)
    widget = session.manual("open")
    widget.answer("accept")
    assert session.nlp is before
    report = training.wait(200)
    assert training.state == "done"
    assert report.in_use
    assert session.nlp is not before
    assert session.evaluate().fingerprint == report.fingerprint
    assert session.counts("open").accept == 1
    assert len(training.frame) == len(report.evaluations)
    assert training.plot().get_title(loc="left")


def test_it_arrives_at_the_same_weights_as_in_this_process(session):
    apart = session.train(background=True, max_epochs=2, seed=5).wait(200)
    here = session.train(max_epochs=2, seed=5, progress=False, margin=None)
    assert apart.fingerprint == here.fingerprint
    assert apart.record["data"] == here.record["data"]


def test_a_label_that_is_renamed_meanwhile_has_its_new_name(session):
    training = session.train(background=True, learner="crf")
    session.labels.rename("Person", "Human")
    report = training.wait(200)
    assert report.in_use
    assert labels_of(session.nlp) == ("Human",)
    assert set(session.predict(["Ada lives in Rome ."])["label"]) == {"Human"}
    # The folder has the old name.
    session.model.use(report.path)
    assert labels_of(session.nlp) == ("Human",)
    assert session.model.runs["in_use"].tolist()[-1]


def test_stopped_it_keeps_the_best_so_far(session):
    training = session.train(background=True, max_epochs=100_000, patience=0)
    until(lambda: len(training.frame))
    training.stop()
    report = training.wait(200)
    assert report.stopped == "by hand"
    assert training.state == "stopped"
    assert "stopped by hand" in repr(training)
    assert session.evaluate().fingerprint == report.fingerprint


def test_a_process_that_dies_leaves_the_old_model_in_place(session, tmp_path):
    before = session.nlp
    training = session.train(background=True, max_epochs=100_000, patience=0)
    until(lambda: len(training.frame))
    os.kill(training._run.pid, signal.SIGKILL)
    with pytest.raises(ModelError, match="died"):
        training.wait(100)
    assert training.state == "failed"
    assert "has stayed" in repr(training)
    assert session.nlp is before
    assert models(tmp_path) == []
    assert session.counts("train").accept == 6


def test_what_cannot_be_trained_on_is_refused_at_once(session, tmp_path):
    with pytest.raises(TrainingError, match=r"session\.manual\(\)"):
        session.train("open", background=True)
    assert models(tmp_path) == []


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"config": {"training.patiense": 3}}, TrainingError, "training.patiense"),
        ({"config": {"training.seed": 3}}, TrainingError, "training.seed"),
        ({"dropout": 2}, DataError, "dropout=2"),
        ({"max_epochs": -1}, DataError, "max_epochs=-1"),
    ],
)
def test_wrong_options_are_refused_at_once(session, tmp_path, options, error, says):
    with pytest.raises(error, match=says):
        session.train(background=True, **options)
    assert models(tmp_path) == []


def test_waiting_has_an_end(session):
    training = session.train(background=True, max_epochs=100_000, patience=0)
    with pytest.raises(TimeoutError, match="still running"):
        training.wait(0.01)
    assert "another process" in repr(training)
    training.stop()
    until(lambda: training.state != "running")
