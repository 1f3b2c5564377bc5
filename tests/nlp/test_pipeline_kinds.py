"""What trains, what stays, and what is decoded exactly: one test a row of docs/pipelines.md."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import spacy
from spacy.training import Example
from thinc.api import Model, fix_random_seed

from nbner.decoding.api import parses, span_probabilities
from nbner.errors import ModelError, TrainingError
from nbner.nlp.pipeline import is_trained, load_base, recognizer_of
from nbner.nlp.prediction import predict
from nbner.training.crf import train_crf

PAGE = Path(__file__).parents[2] / "docs" / "pipelines.md"
LISTENER = {"@architectures": "spacy.Tok2VecListener.v1", "width": 96}
LABELS = ("Action", "Amount", "Reagent")
TEXT = "Add 5 ml water"
UNKNOWN = "Pipette 5 ml water"


@pytest.fixture
def built(tmp_path, corpus):
    """Train a pipeline of some components a little, and save it; the same one every time."""

    def build(components, *, rules=(), vectors=False):
        fix_random_seed(0)
        nlp = spacy.blank("en")
        for word in ("Add", "ml", "water", "salt") if vectors else ():
            nlp.vocab.set_vector(word, np.random.default_rng(len(word)).normal(size=8))
        for factory, name, config in components:
            nlp.add_pipe(factory, name=name, config=config)
        rulers = [name for factory, name, _ in components if factory.endswith("ruler")]
        pairs = [Example.from_dict(nlp.make_doc(one.text), gold(nlp, one)) for one in corpus[:20]]
        with nlp.select_pipes(disable=rulers):
            optimizer = nlp.initialize(lambda: pairs)
            for _ in range(15):
                nlp.update(pairs, sgd=optimizer)
        for name in rulers:
            nlp.get_pipe(name).add_patterns(list(rules))
        nlp.to_disk(tmp_path / "built")
        return load_base(tmp_path / "built")

    return build


def gold(nlp, example):
    doc = nlp.make_doc(example.text)
    entities = [(one.start, one.end, one.label) for one in example.spans]
    return {"entities": entities, "tags": ["NN" if one.is_lower else "X" for one in doc]}


def state(component):
    """Everything that training could change: weights, or the rules."""
    model = getattr(component, "model", None)
    if not isinstance(model, Model):
        return repr(getattr(component, "patterns", None))
    arrays = [
        np.array(node.get_param(name)).tobytes()
        for node in model.walk()
        for name in node.param_names
        if node.has_param(name)
    ]
    return [*arrays, *(shim.to_bytes() for node in model.walk() for shim in node.shims)]


def trained_and_frozen(run, base, **options):
    """Train a base; return the result, and the names of what has changed and what has not."""
    before = {name: state(component) for name, component in base.pipeline}
    result = run(base, labels=LABELS, **options)
    assert result.nlp.pipe_names == base.pipe_names
    assert is_trained(result.nlp)
    moved = {name for name, one in result.nlp.pipeline if state(one) != before[name]}
    return result.nlp, moved, set(before) - moved


def count_analyses(n_tokens, n_labels):
    """Number of ways to cut tokens into entities with labels and single tokens outside."""
    counts = [1]
    for n in range(1, n_tokens + 1):
        counts.append(counts[n - 1] + n_labels * sum(counts[:n]))
    return counts[-1]


def assert_all_analyses(nlp, n_labels, text=TEXT):
    """See that the exact list holds every analysis once, and that its probabilities add up."""
    [found] = parses(nlp, [text], 10_000)
    assert len(found) == len({one.spans for one in found})
    assert len(found) == count_analyses(len(nlp.make_doc(text)), n_labels)
    assert sum(one.probability for one in found) == pytest.approx(1, abs=1e-6)
    ranked = [one.probability for one in found]
    assert ranked == sorted(ranked, reverse=True)
    (known,) = span_probabilities(nlp, [text], min_probability=0)
    assert known.total_probability == pytest.approx(1, abs=1e-6)
    return found


def entities(nlp, text=TEXT):
    """What nbner predicts, which is what the pipeline itself says."""
    [spans] = predict(nlp, [text])
    assert [(s.start, s.end, s.label) for s in spans] == [
        (one.start_char, one.end_char, one.label_) for one in nlp(text).ents
    ]
    return {(text[s.start : s.end], s.label) for s in spans}


def holds(parse, words, label, text=UNKNOWN):
    return any(text[s.start : s.end] == words and s.label == label for s in parse.spans)


def test_recognizer_alone(built, run):
    base = built([("ner", "ner", {})])
    nlp, moved, _ = trained_and_frozen(run, base)
    assert moved == {"ner"}
    found = assert_all_analyses(nlp, 3)
    greedy = {(s.start_char, s.end_char, s.label_) for s in nlp(TEXT).ents}
    assert greedy in [{(s.start, s.end, s.label) for s in one.spans} for one in found]


def test_renamed_recognizer(built, run):
    base = built([("tagger", "tagger", {}), ("ner", "entities", {})])
    nlp, moved, frozen = trained_and_frozen(run, base)
    assert (moved, frozen) == ({"entities"}, {"tagger"})
    assert recognizer_of(nlp)[0] == "entities"
    assert_all_analyses(nlp, 3)


def test_two_recognizers(built, run):
    base = built([("ner", "ner", {}), ("ner", "second", {})])
    nlp, moved, frozen = trained_and_frozen(run, base)
    assert (moved, frozen) == ({"ner"}, {"second"})
    assert_all_analyses(nlp, 3)
    # The second one runs on what the first has left.
    first = nlp.get_pipe("ner")(nlp.make_doc(TEXT))
    both = {(one.text, one.label_) for one in nlp.get_pipe("second")(first).ents}
    assert entities(nlp) == both


RULES = [{"label": "Tool", "pattern": "Pipette"}]


@pytest.mark.parametrize(
    ("factory", "config"),
    [("entity_ruler", {}), ("span_ruler", {"annotate_ents": True})],
    ids=["entity_ruler", "span_ruler"],
)
def test_ruler_before(built, run, factory, config):
    base = built([(factory, factory, config), ("ner", "ner", {})], rules=RULES)
    nlp, moved, frozen = trained_and_frozen(run, base)
    assert (moved, frozen) == ({"ner"}, {factory})
    assert ("Pipette", "Tool") in entities(nlp, UNKNOWN)
    [found] = parses(nlp, [UNKNOWN], 10_000)
    assert all(holds(one, "Pipette", "Tool") for one in found)
    # Three free tokens; as in spaCy the ruler's label becomes one that the recognizer can give.
    assert len(found) == count_analyses(3, 4)
    assert sum(one.probability for one in found) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize(
    ("factory", "config"),
    [("entity_ruler", {}), ("span_ruler", {"annotate_ents": True})],
    ids=["entity_ruler", "span_ruler"],
)
def test_ruler_after(built, run, factory, config):
    rules = [{"label": "Tool", "pattern": "carefully"}]
    base = built([("ner", "ner", {}), (factory, factory, config)], rules=rules)
    nlp, moved, frozen = trained_and_frozen(run, base)
    assert (moved, frozen) == ({"ner"}, {factory})
    text = "Add water carefully"
    assert ("carefully", "Tool") in entities(nlp, text)
    found = assert_all_analyses(nlp, 3, text)
    assert not any(holds(one, "carefully", "Tool", text) for one in found)


def test_span_ruler_without_entities(built, run):
    base = built([("span_ruler", "span_ruler", {}), ("ner", "ner", {})], rules=RULES)
    nlp, moved, frozen = trained_and_frozen(run, base)
    assert (moved, frozen) == ({"ner"}, {"span_ruler"})
    assert "Tool" not in {label for _, label in entities(nlp, UNKNOWN)}
    assert_all_analyses(nlp, 3, UNKNOWN)


def test_own_tok2vec(built, run):
    base = built([("tok2vec", "tok2vec", {}), ("ner", "ner", {"model": {"tok2vec": LISTENER}})])
    nlp, moved, _ = trained_and_frozen(run, base)
    assert moved == {"tok2vec", "ner"}
    assert_all_analyses(nlp, 3)


def test_shared_tok2vec(built, run):
    listens = {"model": {"tok2vec": LISTENER}}
    base = built(
        [("tok2vec", "tok2vec", {}), ("tagger", "tagger", listens), ("ner", "ner", listens)]
    )
    tags = [token.tag_ for token in base(TEXT)]
    nlp, moved, frozen = trained_and_frozen(run, base)
    assert (moved, frozen) == ({"ner"}, {"tok2vec", "tagger"})
    assert [token.tag_ for token in nlp(TEXT)] == tags
    assert nlp.get_pipe("tok2vec").listening_components == ["tagger"]
    assert_all_analyses(nlp, 3)


def test_frozen_tok2vec(built, run):
    base = built([("tok2vec", "tok2vec", {}), ("ner", "ner", {"model": {"tok2vec": LISTENER}})])
    kept = {"frozen_components": ["tok2vec"], "annotating_components": ["tok2vec"]}
    nlp, moved, frozen = trained_and_frozen(run, base, config={"training": kept})
    assert (moved, frozen) == ({"ner"}, {"tok2vec"})
    assert nlp.get_pipe("tok2vec").listening_components == ["ner"]
    assert_all_analyses(nlp, 3)


def test_static_vectors(built, run):
    embed = {"@architectures": "spacy.HashEmbedCNN.v2", "pretrained_vectors": True}
    sizes = {"width": 32, "depth": 1, "embed_size": 300, "window_size": 1}
    tok2vec = {**embed, **sizes, "maxout_pieces": 2, "subword_features": True}
    base = built([("ner", "ner", {"model": {"tok2vec": tok2vec}})], vectors=True)
    nlp, moved, _ = trained_and_frozen(run, base)
    assert moved == {"ner"}
    np.testing.assert_array_equal(nlp.vocab.vectors.data, base.vocab.vectors.data)
    assert nlp.vocab.vectors.n_keys == 4
    before = [one.probability for one in assert_all_analyses(nlp, 3)]
    nlp.vocab.vectors.data[:] = 0
    [after] = parses(nlp, [TEXT], 10_000)
    assert [one.probability for one in after] != before, "the vectors are in use"


def test_beam_recognizer(built, run):
    base = built([("beam_ner", "ner", {"beam_width": 4})])
    nlp, moved, _ = trained_and_frozen(run, base)
    assert moved == {"ner"}
    found = assert_all_analyses(nlp, 3)
    predicted = {(s.start_char, s.end_char, s.label_) for s in nlp(TEXT).ents}
    assert predicted in [{(s.start, s.end, s.label) for s in one.spans} for one in found]
    assert entities(nlp)
    [beam] = parses(nlp, [TEXT], 4, decoder="beam")
    assert len(beam) == 4


def test_random_field(built, run, corpus):
    untrained = built([("nbner_crf", "nbner_crf", {})])
    assert not is_trained(untrained)
    nlp = train_crf(untrained, corpus[:20], labels=LABELS)
    assert nlp.pipe_names == ["nbner_crf"]
    (lists,) = parses(nlp, [TEXT], 10_000)
    assert sum(one.probability for one in lists) == pytest.approx(1)
    assert lists[0].spans == next(predict(nlp, [TEXT]))
    assert len({one.spans for one in lists}) == len(lists)
    with pytest.raises(TrainingError, match=r'cannot continue.*init="scratch"'):
        run(nlp, labels=LABELS)
    with pytest.raises(ModelError, match="conditional random field"):
        next(parses(nlp, [TEXT], 2, decoder="beam"))


# The table.


def rows():
    text = PAGE.read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line.startswith("| ") and "`test_" in line]


def test_every_row_names_a_test_and_every_test_has_a_row():
    named = [name for row in rows() for name in re.findall(r"`(test_\w+)`", row)]
    files = (Path(__file__), Path(__file__).with_name("test_real_transformers.py"))
    # What builds a pipeline is a test of a row.
    code = "\n".join(file.read_text(encoding="utf-8") for file in files)
    defined = re.findall(r"^def (test_\w+)\(built, run\b", code, re.MULTILINE)
    assert sorted(set(named)) == sorted(defined)
    assert len(rows()) >= len(defined)
