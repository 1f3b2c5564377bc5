"""Labels that are renamed, merged, recolored and put into another order, over answers and model."""

from __future__ import annotations

import pytest
import spacy

import nbner
from nbner.errors import ModelError
from nbner.nlp.calibration_meta import load_temperatures, save_temperatures
from nbner.nlp.rename_label import rename_labels

TEXT = "Stew with tea."
SPANS = [(0, 4, "Dish"), (10, 13, "Drink")]
LABELS = {"Dish": "Food", "Drink": None, "Tool": None}


def opened(store, annotator="ann", **options):
    return nbner.Session("d", store=store, annotator=annotator, **options)


@pytest.fixture
def store(tmp_path):
    """A store with gold of an import, an answer, one without spans, and a draft."""
    path = tmp_path / "n.db"
    with opened(path, labels=LABELS, keys={"Dish": "d"}, colors={"Dish": "#123456"}) as session:
        gold = {"text": TEXT, "answer": "accept"}
        spans = [{"start": a, "end": b, "label": label} for a, b, label in SPANS]
        session.add([{**gold, "spans": spans}])
        session.add(["Soup.", "Nothing.", "Broth."])
        widget = session.manual()
        widget.answer("accept", [(0, 4, "Dish")], note="n", flagged=True)
        widget.answer("reject", [])
        widget.answer("accept", [(0, 5, "Dish")])
        widget.undo()
    return path


def spans_of(session):
    return {one.text: [span.label for span in one.spans] for one in session.examples("train")}


def test_a_rename_reaches_every_answer_and_is_one_act(store):
    with opened(store) as session:
        before = spans_of(session)
        widget = session.manual()
        would = session.labels.rename("Dish", "Meal", preview=True)
        assert str(would) == "Would rename 'Dish' to 'Meal': 3 spans in 3 examples"
        assert spans_of(session) == before
        with pytest.raises(nbner.DataError, match="nothing was changed"):
            would.undo()
        done = session.labels.rename("Dish", "Meal")
        assert (done.spans, done.examples, done.answers) == (3, 3, 4)
        assert session.labels == ("Meal", "Drink", "Tool")
        assert spans_of(session) == {
            text: ["Meal" if one == "Dish" else one for one in labels]
            for text, labels in before.items()
        }
        answered = next(one for one in session.examples("train") if one.text == "Soup.")
        assert (answered.annotator, answered.note, answered.flagged) == ("ann", "n", True)
        assert answered.labels == ("Meal", "Drink", "Tool")
        setup = widget._setup
        assert setup["labels"] == ["Meal", "Drink", "Tool"]
        assert setup["labelKeys"] == {"Meal": "d"}
        assert setup["definitions"] == {"Meal": "Food"}
        # What an answer took, and what it was given under, is not counted twice.
        assert session.quality.outdated_answers().frame["version"].tolist() == [0]
        assert session.store.verify()
        assert len(session.store.history("Soup.")) == 2
        assert done.undo() == 4
        assert spans_of(session) == before
        assert session.labels == ("Dish", "Drink", "Tool")
        assert session.store.verify()


def test_a_merge_keeps_what_is_complete_and_is_undone(store):
    with opened(store) as session:
        before = spans_of(session)
        session.add_labels(["Snack"])
        done = session.labels.merge("Drink", "Snack")
        assert str(done) == "Merged 'Drink' into 'Snack': 1 span in 1 example"
        assert session.labels == ("Dish", "Tool", "Snack")
        found = {one.text: one for one in session.examples("train")}
        assert [span.label for span in found[TEXT].spans] == ["Dish", "Snack"]
        # Snack was never asked for there, so that what it means now is not complete.
        assert "Snack" not in found["Soup."].labels
        done.undo()
        assert spans_of(session) == before
        assert session.labels == ("Dish", "Drink", "Tool", "Snack")
        assert session.store.verify()


def test_a_rename_onto_a_label_in_two_sessions_at_once_loses_nothing(store):
    with opened(store) as one, opened(store, "ben") as other:
        one.add(["Rice."])
        stale = other.manual()
        one.labels.rename("Dish", "Meal")
        with pytest.raises(nbner.DataError, match="'Dish' is not one of the labels any more: it"):
            other.labels.rename("Dish", "Plate")
        with pytest.raises(nbner.DataError, match=r"'Meal' is a label already.*labels\.merge"):
            other.labels.rename("Drink", "Meal")
        # Both read that the name is free, and one of them is later.
        with pytest.raises(nbner.DataError, match="'Dish' is not a label of the dataset, or no"):
            other.context.dataset.relabel("Dish", "Plate", "b", merges=False)
        with pytest.raises(nbner.DataError, match="'Meal' is a label already"):
            other.context.dataset.relabel("Drink", "Meal", "b", merges=False)
        # A page that has not heard of it goes on under the old name.
        example = str(stale.current.input_hash)
        message = {"type": "answer", "id": "x", "example": example, "answer": "accept"}
        assert stale.receive({**message, "spans": [[0, 1, "Dish"]], "have": []})["type"] == "saved"
        assert {"Dish"}.isdisjoint(label for all_ in spans_of(one).values() for label in all_)
        assert one.store.verify()


def test_a_cell_with_the_old_name_opens_the_new_one(store):
    with opened(store) as session:
        session.labels.rename("Dish", "Meal")
        session.labels.recolor("Tool", "#ABCDEF")
    said = "1 label of dataset 'd' renamed since: 'Dish' is 'Meal'"
    with pytest.warns(UserWarning, match=said) as warned:
        session = opened(store, labels=list(LABELS), keys={"Dish": "q"}, colors={"Dish": "#111111"})
    assert {one.filename for one in warned} == {__file__}
    with session:
        assert session.labels == ("Meal", "Drink", "Tool")
        setup = session.manual()._setup
        assert setup["labelKeys"] == {"Meal": "q"}
        assert (setup["colors"]["Meal"], setup["colors"]["Tool"]) == ("#111111", "#abcdef")
        # A label of the old name that is added is a label of its own.
        session.add_labels(["Dish"])
        assert session.labels == ("Meal", "Drink", "Tool", "Dish")
    with opened(store) as session:
        assert session.labels == ("Meal", "Drink", "Tool", "Dish")


def test_suggestions_that_came_with_the_data_follow(store):
    with opened(store) as session:
        row = {"text": "Pie.", "spans": [{"start": 0, "end": 3, "label": "Dish"}]}
        session.add([row], split="new")
        widget = session.make_gold("new")
        assert [span.label for span in widget.current.spans] == ["Dish"]
        session.labels.rename("Dish", "Meal")
        assert [span.label for span in widget.current.spans] == ["Meal"]


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda labels: labels.rename("No", "X"), "'No' is not one of the labels"),
        (lambda labels: labels.rename("Dish", "Tool"), "'Tool' is a label already"),
        (lambda labels: labels.rename("Dish", " "), "' ' is not the name of a label"),
        (lambda labels: labels.rename("Dish", 3), "new"),
        (lambda labels: labels.merge("Dish", "Dish"), "cannot be merged into itself"),
        (lambda labels: labels.merge("Dish", "No"), "'No' is not one of the labels"),
        (lambda labels: labels.reorder("Dish"), "a text and not a list"),
        (lambda labels: labels.reorder(["Dish", "Dish"]), "given twice"),
        (lambda labels: labels.reorder(["No"]), "'No' is not one of the labels"),
        (lambda labels: labels.recolor("Dish", "red"), "the color of 'Dish' is 'red'"),
    ],
)
def test_what_cannot_be_is_named(bare, act, message):
    with pytest.raises(nbner.DataError, match=message):
        act(bare.labels)
    assert bare.labels == ("Dish", "Tool")


@pytest.fixture(scope="module")
def bare():
    with nbner.Session("d", labels=["Dish", "Tool"], store=":memory:") as session:
        yield session


def test_the_page_changes_the_label_set(store):
    with opened(store) as session:
        widget = session.manual()
        assert widget._setup["relabels"] is True

        def ask(do, label="", to="", order=()):
            message = {"type": "labels", "id": "1", "do": do, "label": label, "to": to}
            return widget.receive({**message, "order": list(order)})

        reply = ask("list")
        assert reply["rows"][0] == {"label": "Dish", "spans": 3, "examples": 3}
        assert ask("rename", "Dish", "Meal")["text"].startswith("Renamed 'Dish' to 'Meal': 3 spans")
        assert ask("rename", "Drink", "Meal")["type"] == "failed"
        reply = ask("undo")
        assert (reply["undo"], session.labels[0]) == ("", "Dish")
        assert ask("undo")["message"].startswith("field 'do': there is no renaming")
        ask("reorder", order=["Tool", "Dish"])
        assert session.labels == ("Tool", "Dish", "Drink")
        assert ask("add", " Snack ")["text"].startswith("Added 'Snack'")
        assert ask("add", "Tool")["type"] == "failed"
        ask("recolor", "Tool", "#000000")
        assert widget._setup["colors"]["Tool"] == "#000000"
        assert ask("dance")["message"].startswith("field 'do': 'dance' is nothing")
        # A page sends an old name until it has heard of the new one.
        ask("rename", "Dish", "Meal")
        example = str(widget.current.input_hash)
        message = {"type": "answer", "id": "x", "example": example, "answer": "accept"}
        reply = widget.receive({**message, "spans": [[0, 1, "Dish"]], "have": []})
        assert reply["spans"][0][:3] == [0, 1, "Meal"]


@pytest.mark.parametrize("name", ["ner", "nbner_crf"])
def test_a_renamed_model_predicts_the_same(name, tmp_path):
    corpus = nbner.sample()
    names = {"Action": "Zz act", "Dish": "AA"}
    with nbner.Session("d", labels=corpus.labels, store=tmp_path / "n.db", seed=0) as session:
        session.add(corpus.train[:40])
        options = {"max_steps": 40} if name == "ner" else {"learner": "crf"}
        session.train(progress=False, **options)
        before = session.nlp
        docs = list(before.pipe(corpus.unlabeled[:25]))
        wanted = [[(e.start, e.end, names.get(e.label_, e.label_)) for e in d.ents] for d in docs]
        assert any(label == "Zz act" for one in wanted for *_, label in one)
        renamed = rename_labels(before, names)
        renamed.to_disk(tmp_path / "model")
        for nlp in (renamed, spacy.load(tmp_path / "model")):
            found = [[(e.start, e.end, e.label_) for e in d.ents] for d in nlp.pipe(map(str, docs))]
            assert found == wanted
        assert rename_labels(before, {"Nothing": "X"}) is before
        with pytest.raises(ModelError, match="cannot be made of them without training"):
            rename_labels(before, {"Action": "Tool"})
        session.context.model_store.save_calibration(
            save_temperatures(session.nlp, 2.0, {"Action": 3.0})
        )
        done = session.labels.rename("Action", "Verb")
        assert load_temperatures(session.nlp) == (2.0, {"Verb": 3.0})
        assert done.model == "The model in use gives the new name"
        assert "Verb" in {e.label_ for d in session.nlp.pipe(corpus.unlabeled[:25]) for e in d.ents}
    # The saved model has the old name, and gives the new one.
    with nbner.Session("d", store=tmp_path / "n.db") as session:
        assert load_temperatures(session.nlp) == (2.0, {"Verb": 3.0})
        # What is fitted under the new name is found under it.
        session.context.model_store.save_calibration(save_temperatures(session.nlp, 4.0, {}))
    with nbner.Session("d", store=tmp_path / "n.db") as session:
        assert load_temperatures(session.nlp) == (4.0, {})
        assert "Verb" in session.nlp.get_pipe(session.nlp.pipe_names[-1]).labels
        assert "which is" not in str(session.summary)
        assert session.labels.merge("Verb", "Tool").model.startswith("The model in use keeps the")
        assert "The model in use gives 'Verb', which is 'Tool' now" in str(session.summary)


class TestTheOrder:
    def test_a_cell_that_is_run_again_keeps_the_order_that_a_person_gave(self, store):
        with opened(store, labels=LABELS) as session:
            session.labels.reorder(["Tool"])
            assert session.labels == ("Tool", "Dish", "Drink")
            session.labels.rename("Dish", "Meal")
        for labels in (["Meal", "Drink", "Tool"], ["Meal", "Drink", "Tool"]):
            with opened(store, labels=labels) as session:
                assert session.labels == ("Tool", "Meal", "Drink")
        with pytest.warns(UserWarning, match="renamed since"):
            session = opened(store, labels=list(LABELS))
        with session:
            assert session.labels == ("Tool", "Meal", "Drink")
            session.labels.reorder(["Drink"])
        with opened(store, labels=["Meal", "Drink", "Tool", "Snack"]) as session:
            assert session.labels == ("Drink", "Tool", "Meal", "Snack")

    def test_another_order_in_the_cell_holds_from_then_on(self, store):
        with opened(store, labels=LABELS) as session:
            session.labels.reorder(["Tool"])
        for labels in (("Drink", "Dish", "Tool"), tuple(LABELS)):
            with opened(store, labels=labels) as session:
                assert session.labels == labels


def test_a_rename_moves_the_keys_of_every_annotator(store):
    for name, key in (("ann", "d"), ("bo_%", "q")):
        options = {"labels": LABELS, "keys": {"Dish": key}}
        with nbner.Session("d", store=store, annotator=name, **options):
            pass
    with nbner.Session("other", store=store, annotator="bo_%", labels=LABELS, keys={"Dish": "z"}):
        pass
    with nbner.Session("d", store=store, annotator="ann") as session:
        session.add(["Stew."])
        done = session.labels.rename("Dish", "Meal")
        assert session.manual()._setup["labelKeys"] == {"Meal": "d"}
        with nbner.Session("d", store=store, annotator="bo_%") as other:
            assert other.manual()._setup["labelKeys"] == {"Meal": "q"}
        done.undo()
    with nbner.Session("d", store=store, annotator="bo_%") as other:
        assert other.manual()._setup["labelKeys"] == {"Dish": "q"}
    with nbner.Session("other", store=store, annotator="bo_%") as other:
        other.add(["Stew."])
        assert other.manual()._setup["labelKeys"] == {"Dish": "z"}
