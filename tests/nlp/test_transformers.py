"""Pipelines with a transformer: a small layer stands for it, since no test brings PyTorch."""

import pytest
import spacy
from spacy.language import Language
from spacy.pipeline.tok2vec import DEFAULT_TOK2VEC_MODEL, Tok2Vec
from spacy.training import Example

from nbner.decoding.api import parses
from nbner.errors import ModelError
from nbner.nlp.config import LEARN_RATE
from nbner.nlp.pipeline import is_trained, load_base
from nbner.nlp.prediction import predict
from nbner.nlp.transformers import transformers_of

LISTENER = {"@architectures": "spacy.Tok2VecListener.v1", "width": 96}
RATE = 0.0005
LABELS = ("Action", "Amount", "Reagent")


@Language.factory("curated_transformer", default_config={"model": DEFAULT_TOK2VEC_MODEL})
def stand_in(nlp, name, model):
    """Give a small network under a transformer's name."""
    return Tok2Vec(nlp.vocab, model, name)


@pytest.fixture
def packaged(tmp_path, corpus):
    """A folder with a trained pipeline whose recognizer listens to a transformer."""
    nlp = spacy.blank("en")
    nlp.add_pipe("curated_transformer")
    nlp.add_pipe("ner", config={"model": {"tok2vec": LISTENER}})
    pairs = [
        Example.from_dict(
            nlp.make_doc(one.text), {"entities": [(s.start, s.end, s.label) for s in one.spans]}
        )
        for one in corpus[:10]
    ]
    optimizer = nlp.initialize(lambda: pairs)
    nlp.update(pairs, sgd=optimizer)
    nlp.config["training"]["optimizer"] = {"@optimizers": "Adam.v1", "learn_rate": RATE}
    nlp.config["training"]["accumulate_gradient"] = 3
    nlp.to_disk(tmp_path / "packaged")
    return tmp_path / "packaged"


def test_it_is_loaded_predicts_and_is_searched(packaged):
    nlp = load_base(packaged)
    assert is_trained(nlp)
    assert transformers_of(nlp) == ("curated_transformer",)
    text = "Add 5 ml of water carefully ."
    plain = [(ent.start_char, ent.end_char, ent.label_) for ent in nlp(text).ents]
    [spans] = predict(nlp, [text])
    assert [(span.start, span.end, span.label) for span in spans] == plain
    [found] = parses(nlp, [text], 4)
    assert len(found) == 4


def test_it_is_trained_at_its_own_pace_with_the_transformer(run, packaged):
    base = load_base(packaged)
    result = run(base, labels=LABELS)
    training = spacy.util.load_config(result.path.parent / "config.cfg")["training"]
    assert training["optimizer"]["learn_rate"] == RATE
    assert training["accumulate_gradient"] == 3
    assert training["frozen_components"] == []
    assert transformers_of(result.nlp) == ("curated_transformer",)


def test_without_one_the_pace_is_that_of_small_layers(run):
    result = run(max_steps=20)
    training = spacy.util.load_config(result.path.parent / "config.cfg")["training"]
    assert training["optimizer"]["learn_rate"] == LEARN_RATE


@pytest.mark.parametrize(
    ("named", "other", "package"),
    [
        ('factory = "curated_transformer"', 'factory = "transformer"', "spacy-transformers"),
        (
            '"spacy.HashEmbedCNN.v2"',
            '"spacy-curated-transformers.RobertaTransformer.v1"',
            "spacy-curated-transformers",
        ),
    ],
)
def test_a_package_that_is_missing_is_named(packaged, named, other, package):
    config = packaged / "config.cfg"
    written = config.read_text(encoding="utf-8")
    assert named in written
    config.write_text(written.replace(named, other), encoding="utf-8")
    with pytest.raises(ModelError, match=rf"needs {package}, which .*pip install {package}\."):
        load_base(packaged)


def test_a_broken_pipeline_without_transformer_says_what_is_wrong(trained_path, tmp_path):
    nlp = spacy.load(trained_path)
    nlp.to_disk(tmp_path / "broken")
    config = tmp_path / "broken" / "config.cfg"
    written = config.read_text(encoding="utf-8")
    config.write_text(written.replace('factory = "ner"', 'factory = "nobody"'), encoding="utf-8")
    with pytest.raises(ModelError, match="nobody"):
        load_base(tmp_path / "broken")
