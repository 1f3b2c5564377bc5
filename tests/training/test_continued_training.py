"""Training goes on from a trained pipeline, and the rest of it stays as it is."""

import numpy as np
import pytest
import spacy
from spacy.training import Example

from nbner.nlp.fingerprint import fingerprint
from nbner.nlp.pipeline import is_trained, labels_of, load_base
from nbner.nlp.prediction import predict

LABELS = ("Action", "Amount", "Reagent")
# Where it does not matter how much is learnt.
FEW = {"max_steps": 4, "eval_frequency": 4}
LISTENER = {"@architectures": "spacy.Tok2VecListener.v1", "width": 96}
TAGGED = [("Add water", ["VERB", "NOUN"]), ("Stir it", ["VERB", "PRON"])]
ENTITIES = [("Add water", [(0, 3, "Action")]), ("Stir it", [(0, 4, "Action")])]


def weights(component):
    return [
        np.array(node.get_param(name))
        for node in component.model.walk()
        for name in node.param_names
    ]


def assert_equal(one, other):
    for a, b in zip(one, other, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.fixture
def shared():
    """A tagger and a recognizer that listen to one tok2vec, and a few rules."""
    nlp = spacy.blank("en")
    nlp.add_pipe("tok2vec")
    nlp.add_pipe("tagger", config={"model": {"tok2vec": LISTENER}})
    nlp.add_pipe("ner", name="entities", config={"model": {"tok2vec": LISTENER}})
    examples = [
        Example.from_dict(nlp.make_doc(text), {"tags": tags, "entities": entities})
        for (text, tags), (_, entities) in zip(TAGGED, ENTITIES, strict=True)
    ]
    optimizer = nlp.initialize(lambda: examples)
    for _ in range(20):
        nlp.update(examples, sgd=optimizer)
    nlp.add_pipe("entity_ruler", config={"overwrite_ents": True}).add_patterns(
        [{"label": "Vessel", "pattern": "beaker"}]
    )
    return nlp


def test_components_beside_the_recognizer_stay_to_the_bit(run, shared, tmp_path):
    shared.to_disk(tmp_path / "shared")
    base = load_base(tmp_path / "shared")
    result = run(base, labels=LABELS)
    assert result.nlp.pipe_names == ["tok2vec", "tagger", "entities", "entity_ruler"]
    for name in ("tok2vec", "tagger"):
        assert_equal(weights(result.nlp.get_pipe(name)), weights(shared.get_pipe(name)))
    assert set(LABELS) <= set(labels_of(result.nlp))
    [spans] = predict(result.nlp, ["Add 5 ml of water into the beaker ."])
    assert "Vessel" in [span.label for span in spans]
    assert [t.tag_ for t in result.nlp("Add water")] == [t.tag_ for t in shared("Add water")]


def test_a_pipeline_that_is_nowhere_on_disk_is_trained_too(run, shared):
    before = fingerprint(shared)
    result = run(shared, labels=LABELS, **FEW)
    assert fingerprint(shared) == before
    assert result.record["base"] == before
    assert (result.path.parent / "base").is_dir()


def test_a_pipeline_changed_in_memory_is_trained_as_it_is(run, trained_path):
    base = load_base(trained_path)
    base.add_pipe("entity_ruler", before="ner").add_patterns(
        [{"label": "Action", "pattern": "Defenestrate"}]
    )
    result = run(base, **FEW)
    assert result.nlp.pipe_names == ["entity_ruler", "ner"]
    assert [span.label for span in next(predict(result.nlp, ["Defenestrate"]))] == ["Action"]


def test_a_tokenizer_changed_in_memory_is_kept(run):
    base = load_base("blank:en")
    base.tokenizer.add_special_case("gimme", [{"ORTH": "gim"}, {"ORTH": "me"}])
    result = run(base, **FEW)
    assert [token.text for token in result.nlp.make_doc("gimme")] == ["gim", "me"]


def test_a_new_recognizer_joins_a_pipeline_without_one(run, tmp_path):
    plain = spacy.blank("en")
    plain.add_pipe("sentencizer")
    plain.to_disk(tmp_path / "plain")
    result = run(tmp_path / "plain", **FEW)
    assert result.nlp.pipe_names == ["sentencizer", "ner"]
    assert is_trained(result.nlp)


def test_vectors_come_along(run, tmp_path):
    plain = spacy.blank("en")
    for word in ("Add", "water", "salt"):
        plain.vocab.set_vector(word, np.full(8, len(word), dtype="float32"))
    plain.to_disk(tmp_path / "plain")
    result = run(tmp_path / "plain", **FEW)
    assert result.nlp.vocab.vectors.n_keys == 3
    assert result.nlp.config["components"]["ner"]["model"]["tok2vec"]["embed"][
        "include_static_vectors"
    ]
    assert is_trained(result.nlp)


def test_going_on_starts_from_what_was_learnt(run, trained_path):
    result = run(trained_path, max_steps=0, max_epochs=1)
    assert result.evaluations[0].f > 0.9
