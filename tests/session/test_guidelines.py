"""The guideline and the definitions of labels: read, kept, versioned, and what is older."""

from __future__ import annotations

import pickle

import pytest

import nbner
from nbner.evaluation.errors.report import Errors
from nbner.queues.error_review import ErrorReviewQueue, StoreBinding
from nbner.widgets.error_explorer import ErrorExplorer

LABELS = {"Dish": "A prepared thing one can order: 'lentil salad'", "Tool": None, "Time": ""}


@pytest.fixture
def store(tmp_path):
    return tmp_path / "n.db"


def opened(store, **options):
    return nbner.Session("d", store=store, annotator="ann", **options)


def test_guideline_and_definitions_stay_in_the_store(store):
    with opened(store, labels=LABELS, guidelines="# Rules\r\nShort spans.\n") as session:
        assert session.labels == ("Dish", "Tool", "Time")
        assert session.guidelines.text == "# Rules\nShort spans."
        assert session.guidelines.definitions == {"Dish": LABELS["Dish"]}
        first = session.guidelines
    with opened(store) as session:
        assert session.guidelines == first
        setup = session.manual()._setup
        assert setup["definitions"] == {"Dish": LABELS["Dish"]}
        assert setup["guideline"] == first.version
        reply = session.manual().receive({"type": "guideline", "id": "1"})
        assert reply == {
            "re": "1",
            "type": "guideline",
            "text": first.text,
            "version": first.version,
        }
    with opened(store, guidelines="", labels={"Dish": None, "Tool": None, "Time": None}) as session:
        assert not session.guidelines
        assert session.manual()._setup["guideline"] == ""


def test_a_guideline_is_read_from_a_file(store, tmp_path):
    path = tmp_path / "rules.md"
    path.write_bytes("\ufeffRègles".encode())
    with opened(store, labels=["A"], guidelines=path) as session:
        assert session.guidelines.text == "Règles"
    with opened(store, labels=["A"], guidelines=str(path)) as session:
        assert len(session.quality.outdated_answers().versions) == 1
    # More than a line, or a heading, is no path, whatever it ends in.
    with opened(store, labels=["A"], guidelines="# see rules.md") as session:
        assert session.guidelines.text == "# see rules.md"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"guidelines": "missing.md"}, r"guideline missing\.md cannot be read"),
        ({"guidelines": 3}, "3 is neither Markdown nor a path"),
        ({"guidelines": "a\0b"}, "NUL"),
        ({"guidelines": "x" * 2_000_001}, "has 2,000,001 characters, and at most 2,000,000"),
        ({"labels": {"A": 3}}, "the definition of 'A' is 3"),
        ({"labels": {"A": "x" * 1_001}}, "the definition of 'A' has 1,001 characters"),
        ({"labels": {" ": "x"}}, "' ' is not the name of a label"),
    ],
)
def test_what_is_none_is_named_and_changes_nothing(store, options, message):
    with opened(store, labels=["Z"], guidelines="before"):
        pass
    with pytest.raises(nbner.DataError, match=message):
        opened(store, **options)
    with opened(store) as session:
        assert session.labels == ("Z",)
        assert session.guidelines.text == "before"


def test_a_file_that_is_not_utf_8_is_named(store, tmp_path):
    path = tmp_path / "rules.txt"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(nbner.DataError, match=r"rules\.txt is not UTF-8"):
        opened(store, labels=["A"], guidelines=path)


def test_a_definition_for_a_label_that_is_not_there_is_named(store):
    with opened(store, labels=["Dish"]) as session:
        widget = session.manual()
        with pytest.raises(nbner.DataError, match="'Drink' has a definition and is not one of"):
            session.labels.define({"Dish": "Food", "Drink": "Water"})
        assert not session.guidelines
        session.labels.define({"Dish": "Food\n  one orders"})
        assert session.guidelines.definitions == {"Dish": "Food one orders"}
        assert widget._setup["definitions"] == {"Dish": "Food one orders"}
        session.labels.define({"Dish": ""})
        assert not session.guidelines


def test_every_answer_knows_its_version(store):
    with opened(store, labels=["A"]) as session:
        session.add(["One.", "Two.", "Three.", "Four."])
        session.add([{"text": "Five.", "answer": "accept", "spans": []}])
        session.manual().answer("accept")
        assert all("guideline" not in one.extra for one in answers(session))
        assert "There is no guideline" in str(session.quality.outdated_answers())
    with opened(store, guidelines="v1") as session:
        first = session.guidelines.version
        widget = session.manual()
        widget.answer("accept")
        # A page that was opened before there was a guideline says so.
        send(widget, "p1", guideline="")
    with opened(store, guidelines="v2") as session:
        send(session.manual(), "p2", guideline=first)
        found = session.quality.outdated_answers()
        kept = [one.extra.get("guideline") for one in answers(session)]
        assert kept == [None, None, first, "", first]
        assert found.frame["version"].tolist() == [0, 0, 1, 0, 1]
        assert found.per_version["answers"].tolist() == [3, 2, 0]
        assert "5 of 5 answers were given under another guideline" in str(found)
        assert "3 under none that is known, 2 under version 1" in str(found)
        widget = found.open()
        assert widget.current.text == "Five."
        widget.answer("accept")
        assert len(session.quality.outdated_answers()) == 4
    # A guideline that comes back is the version that it was.
    with opened(store, guidelines="v1") as session:
        found = session.quality.outdated_answers()
        assert len(found.versions) == 2
        assert found.frame["version"].tolist() == [0, 0, 2]


def send(widget, name, **fields):
    example = str(widget.current.input_hash)
    message = {"type": "answer", "id": name, "example": example, "answer": "accept", "spans": []}
    reply = widget.receive({**message, **fields, "have": []})
    assert reply["type"] == "saved"


def answers(session):
    return list(session.context.dataset.answers("train"))


def test_one_answer_and_none_are_said_in_words(store):
    with opened(store, labels=["A"], guidelines="v1") as session:
        session.add(["One."])
        said = session.quality.outdated_answers()
        assert str(said) == "There is no answer yet (version 1 of 1)"
        with pytest.raises(nbner.DataError, match="nothing to look at"):
            said.open()
        session.manual().answer("accept")
        said = str(session.quality.outdated_answers())
        assert said == "The answer was given under the present guideline (version 1 of 1)"


def test_the_sample_brings_its_guideline_once(store):
    labels = nbner.sample().labels
    with opened(store, labels=labels) as session:
        assert session.guidelines.text == nbner.sample().guideline
        assert set(session.guidelines.definitions) == set(labels)
        copied = pickle.loads(pickle.dumps((labels, session.labels)))
        assert copied == (labels, tuple(labels))
    with opened(store, guidelines="mine"):
        pass
    with opened(store, labels=labels) as session:
        assert session.guidelines.text == "mine"


def test_the_error_explorer_and_a_quiz_show_the_guideline_and_the_keys_of_ones_own(store):
    gold = {"text": "Stew.", "answer": "accept", "spans": [{"start": 0, "end": 4, "label": "Dish"}]}
    keys = {"accept": "enter", "Dish": "d"}
    options = {"labels": LABELS, "guidelines": "Short spans.", "keys": keys}
    with opened(store, colors={"Dish": "#0072b2"}, **options) as session:
        session.add([gold], split="dev")
        backing = StoreBinding(
            *(session.context.dataset, "ann", "store", session.context.tokenize),
            session.context.answer_bus,
        )
        errors = Errors(session.examples("dev"), [[]], labels=("Dish", "Tool", "Time"))
        explorer = ErrorExplorer(errors, ErrorReviewQueue(errors, binding=backing, labels=LABELS))
        session.context.explorers.add(explorer)
        quiz = nbner.quiz(session).widget
        asked = session.manual(split="dev")._setup
        for widget in (explorer, quiz):
            setup = widget._setup
            for name in ("guideline", "definitions", "keys", "labelKeys"):
                assert setup[name] == asked[name], name
            reply = widget.receive({"type": "guideline", "id": "1"})
            assert reply["text"] == "Short spans."
        assert (asked["keys"], asked["labelKeys"]) == ({"accept": "Enter"}, {"Dish": "d"})
        assert quiz._setup["colors"]["Dish"] == "#0072b2"
        session.labels.define({"Tool": "What one cooks with"})
        for widget in (explorer, quiz):
            assert widget._setup["definitions"] == session.guidelines.definitions
            assert widget._setup["guideline"] == session.guidelines.version


def test_a_quiz_has_the_keys_of_the_student(store):
    gold = {"text": "Stew.", "answer": "accept", "spans": []}
    with nbner.Session("d", store=store, annotator="mia", labels=["Dish"], keys={"Dish": "d"}):
        pass
    with opened(store, labels=["Dish"], keys={"Dish": "z"}) as session:
        session.add([gold], split="dev")
        assert nbner.quiz(session, annotator="mia").widget._setup["labelKeys"] == {"Dish": "d"}
        assert nbner.quiz(session).widget._setup["labelKeys"] == {"Dish": "z"}
