"""`session.train(learner=...)`: what comes into use, and which options exclude each other."""

from __future__ import annotations

import os
import signal
import time

import pytest
import spacy

from nbner import Session, TrainingError
from nbner.nlp.fingerprint import fingerprint
from nbner.session import training as session_training
from nbner.training import crf_run

PEOPLE = ("Ada", "Bo", "Cleo", "Dan")
PLACES = ("Rome", "Oslo", "Lima", "Graz")
ROWS = [
    {
        "text": f"{person} lives in {place} .",
        "answer": "accept",
        "spans": [{"start": 0, "end": len(person), "label": "Person"}],
    }
    for person in PEOPLE
    for place in PLACES
]
OPEN = [f"{person} left {place} ." for person in PEOPLE for place in PLACES]


@pytest.fixture
def session(tmp_path):
    with Session("people", labels=["Person"], store=tmp_path / "nbner.db") as session:
        session.add(ROWS[:10])
        session.add(OPEN)
        yield session


def test_a_crf_comes_into_use_and_the_next_session_has_it(session, tmp_path):
    report = session.train(learner="crf", progress=False)
    assert report.in_use
    assert report.learner == "crf"
    assert session.nlp.pipe_names == ["nbner_crf"]
    assert session.evaluate("train").fingerprint == report.fingerprint
    found = session.predict(["Ada lives in Lima ."])
    assert found["text"].tolist() == ["Ada"]
    assert "The CRF has learnt from" in str(report)
    assert "auto" not in str(report)
    assert "step" not in str(report)
    assert session.model.runs["f"].tolist() == [report.f]
    with Session("people", store=tmp_path / "nbner.db") as again:
        assert fingerprint(again.nlp) == report.fingerprint
        assert again.predict(["Ada lives in Lima ."])["text"].tolist() == ["Ada"]
        # A `ner` starts from the pipeline that the session was given.
        again.train(progress=False, max_steps=2, margin=None)
        assert again.nlp.pipe_names == ["ner"]


def test_in_another_process_it_is_the_same_model(session):
    apart = session.train(learner="crf", background=True).wait(200)
    here = session.train(learner="crf", progress=False)
    assert apart.fingerprint == here.fingerprint
    assert apart.learner == "crf"
    assert str(apart).splitlines()[0] == str(here).splitlines()[0]


def test_only_texts_without_an_answer_are_the_pool(session):
    session.add([{"text": "Eve left Ulm .", "spans": [{"start": 0, "end": 3, "label": "Person"}]}])
    pool = session_training.unanswered(session.context, "train")
    assert [one.text for one in pool] == [*OPEN, "Eve left Ulm ."]
    assert not any(one.spans for one in pool)


def test_a_process_that_is_killed_leaves_what_was_finished(session, tmp_path):
    training = session.train(learner="auto", background=True, max_epochs=100_000, patience=0)
    finished = tmp_path / "nbner.models" / "people" / "0001" / "crf" / "record.json"
    end = time.monotonic() + 120
    while not (finished.exists() and len(training.frame)):
        assert time.monotonic() < end, "the CRF never came"
        time.sleep(0.05)
    os.kill(training._run.pid, signal.SIGKILL)
    report = training.wait(100)
    assert (report.learner, report.stopped) == ("crf", "killed")
    assert "its process died" in str(report)
    assert session.nlp.pipe_names == ["nbner_crf"]


EXCLUDED = [
    ({"learner": "crf", "init": "continue"}, r"init='continue'.*learner=\"ner\""),
    ({"learner": "auto", "init": "freeze"}, "init='freeze'"),
    ({"learner": "auto", "init": "rehearsal"}, "init='rehearsal'"),
    ({"learner": "crf", "max_epochs": 3}, "max_epochs="),
    ({"learner": "crf", "patience": 0}, "patience="),
    ({"learner": "crf", "config": {"training.dropout": 0.1}}, "config="),
    ({"learner": "crf", "vectors": "en_core_web_md"}, "vectors="),
    ({"learner": "crf", "init_from": "en_core_web_sm"}, "init_from="),
    ({"learner": "crf", "gpu_id": 0}, "gpu_id="),
    ({"learner": "crf", "augment": "Swap"}, "augment='Swap'.*'none'"),
    ({"features": ("tags",)}, r"features=.*learner=\"crf\""),
    ({"learner": "best"}, "'auto'"),
]


def test_options_that_exclude_each_other_are_named(session, tmp_path):
    before = session.nlp
    for background in (False, True):
        for options, message in EXCLUDED:
            with pytest.raises(TrainingError, match=message):
                session.train(**options, background=background, progress=False)
    assert session.nlp is before
    assert not list((tmp_path / "nbner.models").rglob("*.json"))


WRONG = {
    "augment": ("Swap", "augment='Swap'"),
    "config": ({"training.no_such": 1}, "no_such"),
    "features": (["tag"], "no outside feature 'tag'"),
    "gpu_id": (7, "no GPU 7"),
    "init_from": ("no_such", "no model 'no_such'"),
    "vectors": ("no_such", "no vectors 'no_such'"),
}


@pytest.mark.parametrize("name", WRONG)
def test_no_learner_is_taken_because_an_option_kept_another_one_from_being_compared(
    session, name, monkeypatch
):
    monkeypatch.setattr(crf_run, "train_crf", None)  # nothing is trained
    value, message = WRONG[name]
    with pytest.raises(TrainingError, match=message):
        session.train(learner="auto", progress=False, **{name: value})


def test_in_another_process_features_are_checked_before_it_starts(session):
    with pytest.raises(TrainingError, match="no outside feature"):
        session.train(learner="auto", features=["tag"], background=True)


def test_features_that_the_pipeline_cannot_give_are_named(session):
    with pytest.raises(TrainingError, match=r"tags"):
        session.train(learner="crf", features=("tags",), progress=False)


@pytest.fixture
def given_path(tmp_path):
    """Folder of a tagger, a trained recognizer, and rules that spaCy reads by running both."""
    nlp = spacy.blank("en")
    nlp.add_pipe("tagger")
    nlp.add_pipe("ner")
    tags = {"tags": ["NNP", "VBZ"], "entities": [(0, 3, "Pet")]}
    one = spacy.training.Example.from_dict(nlp.make_doc("Rex barks"), tags)
    nlp.initialize(lambda: [one])
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "Tool", "pattern": "saw"}])
    nlp.to_disk(tmp_path / "given")
    return tmp_path / "given"


def test_a_given_pipeline_is_continued_or_left_behind(given_path, tmp_path):
    with Session("trip", labels=["Person"], model=given_path, store=tmp_path / "a.db") as session:
        session.add(ROWS[:6])
        with pytest.raises(TrainingError, match=r'init="scratch"'):
            session.train(learner="crf", progress=False)
        report = session.train(
            learner="crf",
            init="scratch",
            features=("tags",),
            gpu_id=-1,
            margin=None,
            progress=False,
        )
        assert report.in_use
        assert session.nlp.pipe_names == ["tagger", "nbner_crf"]


def test_on_few_labels_the_report_names_the_other_learners(session):
    report = session.train(progress=False, max_steps=2)
    assert 'session.train(learner="auto")' in str(report)
