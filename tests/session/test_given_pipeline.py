"""A pipeline that the user has: in memory, with labels of its own, with several recognizers."""

from __future__ import annotations

import warnings

import pytest
import spacy
from spacy.training import Example as SpacyExample

from nbner import ModelError, Session, Span
from nbner.nlp.fingerprint import fingerprint
from nbner.nlp.pipeline import RECOGNIZER_KEY, recognizer_of

PIPELINE_LABELS = ("DATE", "GPE", "PERSON", "PRODUCT")
TEXTS = ["Tim Cook ate a soup in Rome.", "On Friday the shop of Anna Berg is closed.", "A lamp."]
PIZZAS = ("margherita", "calzone", "marinara", "diavola")
OPTIONS = {"max_epochs": 3, "progress": False}


def pizzas(session):
    for i, split in enumerate(("train", "train", "train", "dev")):
        rows = []
        for name in PIZZAS:
            text = f"Tim Cook ate the {name} {i}"
            spans = [{"start": 17, "end": 17 + len(name), "label": "PIZZA"}]
            rows.append({"text": text, "spans": spans, "answer": "accept"})
        session.add(rows, split=split)
    return session


@pytest.fixture(scope="module")
def two_path(travel_path, tmp_path_factory):
    """Folder of the travel pipeline with a second recognizer, of pizzas, at its end."""
    nlp = spacy.load(travel_path)
    own = nlp.add_pipe("ner", name="pizza_ner", last=True)
    example = SpacyExample.from_dict(nlp.make_doc("A Funghi."), {"entities": [(2, 8, "PIZZA")]})
    own.initialize(lambda: [example], nlp=nlp)
    path = tmp_path_factory.mktemp("two") / "model"
    nlp.to_disk(path)
    return path


# In memory.


def test_a_pipeline_in_memory_is_taken_and_stays_as_it_is(travel_path):
    nlp = spacy.load(travel_path)
    before = fingerprint(nlp)
    with Session("p", model=nlp, store=":memory:") as session:
        assert fingerprint(session.nlp) == before
        assert session.nlp is not nlp
        report = pizzas(session).train(margin=None, **OPTIONS)
        assert report.record["base"] == before
        assert "PIZZA" in session.nlp.get_pipe("ner").labels
    assert fingerprint(nlp) == before
    assert "PIZZA" not in nlp.get_pipe("ner").labels


def test_a_blank_pipeline_in_memory_gets_a_recognizer():
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    with Session("p", model=nlp, store=":memory:") as session:
        assert session.nlp.pipe_names == ["sentencizer", "ner"]
        assert nlp.pipe_names == ["sentencizer"]
        pizzas(session).train(**OPTIONS)
        assert session.nlp.pipe_names == ["sentencizer", "ner"]


def test_a_pipeline_that_cannot_be_copied_is_an_error_with_a_way_out():
    nlp = spacy.blank("en")

    def tokenizer(text):
        return spacy.tokens.Doc(nlp.vocab, text.split(" "))

    nlp.tokenizer = tokenizer
    with pytest.raises(ModelError, match="model=folder"):
        Session("p", model=nlp, store=":memory:")


# Its labels.


def test_without_labels_the_pipelines_own_are_taken(travel_path, tmp_path):
    with Session("p", model=travel_path, store=tmp_path / "a.db") as session:
        session.add(TEXTS)
        assert session.labels == PIPELINE_LABELS
        assert session.experiments.parity(batch_sizes=(2,), n_process=(1,)).same
        widget = session.make_gold()
        shown = widget.current
        assert [span.label for span in shown.spans] == ["PERSON", "GPE"]
        answered = widget.answer("accept")
        assert answered.labels == PIPELINE_LABELS
    # From the first answer on they are the dataset's.
    with Session("p", store=tmp_path / "a.db") as again:
        assert again.labels == PIPELINE_LABELS


def test_labels_of_the_data_go_before_the_pipelines(travel_path):
    with Session("p", model=travel_path, store=":memory:") as session:
        pizzas(session)
        assert session.labels == ("PIZZA",)
        (labels,) = {one.labels for one in session.examples()}
        assert labels == ("PIZZA",)


def test_labels_that_are_named_stay(travel_path):
    with Session("p", model=travel_path, labels=["PERSON"], store=":memory:") as session:
        assert session.labels == ("PERSON",)


def test_an_untrained_pipeline_has_no_labels_to_give():
    with Session("p", store=":memory:") as session:
        assert session.labels == ()


def test_parity_names_the_label_filter_as_the_cause(travel_path):
    with Session("p", model=travel_path, labels=["PERSON"], store=":memory:") as session:
        session.add(TEXTS)
        parity = session.experiments.parity(batch_sizes=(2,), n_process=(1,))
    assert parity.differing
    assert parity.filtered_labels == ("DATE", "GPE", "PRODUCT")
    assert parity.unexplained == 0
    assert "leave out labels that the session does not have: DATE, GPE, PRODUCT" in str(parity)
    assert "Without these labels none differs" in str(parity)


# Several recognizers.


def test_without_a_choice_a_warning_names_both(two_path):
    with pytest.warns(UserWarning, match=r"'ner', 'pizza_ner': 'ner' is the one that is trained"):
        session = Session("p", model=two_path, store=":memory:")
    with session:
        assert "trains 'ner' of the recognizers 'ner', 'pizza_ner'" in repr(session)
        report = pizzas(session).train(margin=None, **OPTIONS)
        assert "Trained: 'ner'" in str(report)
        assert "recognizer='pizza_ner'" in str(report)
        assert "PIZZA" in session.nlp.get_pipe("ner").labels


@pytest.mark.parametrize("background", [False, True])
def test_the_chosen_recognizer_is_trained_and_the_other_one_stays(two_path, tmp_path, background):
    store = tmp_path / "a.db"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        session = Session("p", model=two_path, recognizer="pizza_ner", store=store)
    with session:
        before = session.nlp.get_pipe("ner").model.to_bytes()
        own = session.nlp.get_pipe("pizza_ner").model.to_bytes()
        report = pizzas(session).train(
            margin=None, max_epochs=40, progress=False, background=background
        )
        report = report.wait(120) if background else report
        assert session.nlp.get_pipe("ner").model.to_bytes() == before
        assert session.nlp.get_pipe("pizza_ner").model.to_bytes() != own
        assert report.record["recognizer"] == "pizza_ner"
        config = spacy.util.load_config(report.path.parent / "config.cfg")
        assert config["training"]["frozen_components"] == ["tagger", "ner", "entity_ruler"]
        # The labels of the one that is not trained cannot be forgotten.
        assert report.retention.unmeasured == ()
        # What the other one finds is no error of this one.
        assert report.f > 0.9
        labels = {one.label for one in session.predict(["Tim Cook ate the calzone 9"]).itertuples()}
        assert labels == {"PERSON", "PIZZA"}
    # The choice is kept with the model.
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        again = Session("p", model=two_path, store=store)
    with again:
        assert recognizer_of(again.nlp)[0] == "pizza_ner"
        assert again.nlp.meta[RECOGNIZER_KEY] == "pizza_ner"
        assert recognizer_of(again.context.base_nlp)[0] == "pizza_ner"


def test_the_chosen_recognizer_is_the_one_that_is_decoded(two_path):
    with Session("p", model=two_path, recognizer="pizza_ner", store=":memory:") as session:
        names = {one.split("-")[-1] for one in session.model.action_scores("A").axes["action"]}
        assert names <= {"PIZZA", "O", ""}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("pizza", r"'pizza' is not in the pipeline.*'ner', 'pizza_ner'"),
        ("tagger", r"'tagger' is no entity recognizer.*'ner', 'pizza_ner'"),
    ],
)
def test_a_recognizer_that_is_none_is_an_error_that_names_those_there_are(two_path, name, message):
    with pytest.raises(ModelError, match=message):
        Session("p", model=two_path, recognizer=name, store=":memory:")


def test_a_renamed_recognizer_works(travel_path, tmp_path):
    nlp = spacy.load(travel_path)
    nlp.rename_pipe("ner", "entities")
    with Session("p", model=nlp, recognizer="entities", store=":memory:") as session:
        pizzas(session).train(init="rehearsal", margin=None, **OPTIONS)
        assert "PIZZA" in session.nlp.get_pipe("entities").labels
        assert session.explain("Tim Cook ate.", [Span(0, 8, "PERSON")]).steps
