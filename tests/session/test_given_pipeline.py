"""A pipeline that the user has: in memory, with labels of its own, with several recognizers."""

from __future__ import annotations

import warnings

import pytest
import spacy
from spacy.cli.init_config import init_config
from spacy.training import Example as SpacyExample
from spacy.util import load_model_from_config

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
    # What is trained is the session's to say; what does not run is left so.
    nlp.config["training"]["frozen_components"] = ["ner"]
    nlp.disable_pipe("tagger")
    before = fingerprint(nlp)
    with Session("p", model=nlp, store=":memory:") as session:
        assert fingerprint(session.nlp) == before
        assert session.nlp is not nlp
        report = pizzas(session).train(margin=None, **OPTIONS)
        assert report.record["base"] == before
        assert "PIZZA" in session.nlp.get_pipe("ner").labels
        assert session.nlp.disabled == ["tagger"]
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


# A pipeline of which something does not run.


@pytest.fixture(scope="module")
def listening_path(tmp_path_factory):
    """Folder of a ``tok2vec`` and a recognizer of PIZZA that listens to it."""
    nlp = load_model_from_config(init_config(pipeline=["tok2vec", "ner"]), auto_fill=True)
    example = SpacyExample.from_dict(nlp.make_doc("A Funghi."), {"entities": [(2, 8, "PIZZA")]})
    nlp.initialize(lambda: [example])
    path = tmp_path_factory.mktemp("listening") / "model"
    nlp.to_disk(path)
    return path


def disabled(path, name="ner"):
    nlp = spacy.load(path)
    nlp.disable_pipe(name)
    return nlp


def renamed_and_disabled(path):
    nlp = spacy.load(path)
    nlp.rename_pipe("ner", "entities")
    nlp.select_pipes(disable="entities")
    return nlp


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (disabled, "ner"),
        (renamed_and_disabled, "entities"),
        (lambda path: spacy.load(path, disable=["ner"]), "ner"),
        (lambda path: spacy.load(path, enable=["tagger"]), "ner"),
    ],
)
def test_a_disabled_recognizer_is_an_error_with_two_ways_out(travel_path, make, name):
    nlp = make(travel_path)
    with pytest.raises(ModelError, match=f"recognizer '{name}' is disabled") as caught:
        Session("p", model=nlp, store=":memory:")
    assert f"nlp.enable_pipe({name!r})" in str(caught.value)
    assert f"nlp.remove_pipe({name!r})" in str(caught.value)
    nlp.enable_pipe(name)
    with Session("p", model=nlp, store=":memory:") as session:
        assert session.nlp.pipe_names == nlp.pipe_names


def test_a_recognizer_that_was_taken_out_is_a_new_one(travel_path):
    nlp = disabled(travel_path)
    nlp.remove_pipe("ner")
    with Session("p", model=nlp, store=":memory:") as session:
        assert session.nlp.pipe_names[-1] == "ner"
        assert not session.nlp.get_pipe("ner").labels


def test_a_folder_whose_recognizer_is_disabled_says_how_it_is_loaded(travel_path, tmp_path):
    folder = tmp_path / "model"
    disabled(travel_path).to_disk(folder)
    with pytest.raises(ModelError, match=r"nlp = spacy\.load\('.*model'\); nlp\.enable_pipe"):
        Session("p", model=folder, store=":memory:")


def test_inside_select_pipes_it_is_disabled_and_behind_it_is_not(travel_path):
    nlp = spacy.load(travel_path)
    with nlp.select_pipes(disable=["ner"]), pytest.raises(ModelError, match="is disabled"):
        Session("p", model=nlp, store=":memory:")
    with nlp.select_pipes(enable=["ner"]), Session("p", model=nlp, store=":memory:") as session:
        assert session.nlp.pipe_names == ["ner"]
    with Session("p", model=nlp, store=":memory:") as session:
        assert session.nlp.pipe_names == nlp.pipe_names == ["tagger", "ner", "entity_ruler"]


def test_of_two_recognizers_the_one_that_runs_is_taken(two_path):
    nlp = disabled(two_path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        session = Session("p", model=nlp, store=":memory:")
    with session:
        assert recognizer_of(session.nlp)[0] == "pizza_ner"
    with pytest.raises(ModelError, match=r"'ner' is disabled.*nlp.enable_pipe\('ner'\)"):
        Session("p", model=nlp, recognizer="ner", store=":memory:")


def test_what_a_recognizer_listens_to_has_to_run(listening_path):
    with pytest.raises(ModelError, match=r"listens to 'tok2vec', which is disabled"):
        Session("p", model=disabled(listening_path, "tok2vec"), store=":memory:")
    nlp = spacy.load(listening_path, exclude=["tok2vec"])
    with pytest.raises(ModelError, match="listens to a tok2vec, which does not come before it"):
        Session("p", model=nlp, store=":memory:")
    with Session("p", model=listening_path, store=":memory:") as session:
        assert session.nlp.pipe_names == ["tok2vec", "ner"]


def test_another_component_named_ner_is_an_error_with_its_factory():
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer", name="ner")
    with pytest.raises(ModelError, match=r"'ner', a 'sentencizer', .*nlp.rename_pipe\('ner'"):
        Session("p", model=nlp, store=":memory:")


def test_a_beam_recognizer_is_one():
    nlp = spacy.blank("en")
    nlp.add_pipe("beam_ner")
    with Session("p", model=nlp, store=":memory:") as session:
        assert session.nlp.pipe_names == ["beam_ner"]


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
    said = r"'ner', 'pizza_ner': 'ner' is the one that is trained"
    with pytest.warns(UserWarning, match=said) as warned:
        session = Session("p", model=two_path, store=":memory:")
    assert warned[0].filename == __file__
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
