"""Real transformers with tiny random weights, built on the spot: spaCy's two packages for them.

They bring PyTorch and are not part of the other tests: ``pip install
"nbner[transformers]"``, then ``pytest -m transformers tests/nlp``.
"""

from __future__ import annotations

import string

import pytest
import spacy
from spacy.training import Example
from thinc.api import Model, fix_random_seed

import nbner
from nbner.decoding.api import parses
from nbner.nlp.pipeline import is_trained, load_base
from nbner.nlp.prediction import predict
from nbner.nlp.transformers import transformers_of

pytestmark = pytest.mark.transformers

LABELS = ("Action", "Amount", "Reagent")
TEXT = "Add 5 ml water"
RATE = 0.0005
CHARACTERS = string.ascii_lowercase + string.digits + "."
PIECES = [
    *("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"),
    *CHARACTERS,
    *(f"##{one}" for one in CHARACTERS),
]
SIZES = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
POOLING = {"@layers": "reduce_mean.v1"}


@pytest.fixture
def weights(tmp_path):
    """A folder with a random BERT whose pieces are single characters."""
    import torch
    from transformers import BertConfig, BertModel, BertTokenizerFast

    torch.manual_seed(0)
    folder = tmp_path / "bert"
    folder.mkdir()
    (folder / "vocab.txt").write_text("\n".join(PIECES), encoding="utf-8")
    BertTokenizerFast(vocab_file=str(folder / "vocab.txt")).save_pretrained(folder)
    config = BertConfig(
        vocab_size=len(PIECES), intermediate_size=64, max_position_embeddings=256, **SIZES
    )
    BertModel(config).save_pretrained(folder)
    return folder


def with_spacy_transformers(nlp, weights):
    spans = {"@span_getters": "spacy-transformers.strided_spans.v1", "window": 64, "stride": 48}
    model = {
        "@architectures": "spacy-transformers.TransformerModel.v3",
        "name": str(weights),
        "get_spans": spans,
        "tokenizer_config": {"use_fast": True},
    }
    nlp.add_pipe("transformer", config={"model": model})
    return {
        "@architectures": "spacy-transformers.TransformerListener.v1",
        "grad_factor": 1.0,
        "pooling": POOLING,
    }


def with_curated_transformers(nlp, weights):
    package = "spacy-curated-transformers"
    model = {
        "@architectures": f"{package}.BertTransformer.v1",
        "vocab_size": len(PIECES),
        "hidden_width": SIZES["hidden_size"],
        "intermediate_width": 64,
        "num_hidden_layers": SIZES["num_hidden_layers"],
        "num_attention_heads": SIZES["num_attention_heads"],
        "piece_encoder": {"@architectures": f"{package}.BertWordpieceEncoder.v1"},
        "with_spans": {"@architectures": f"{package}.WithStridedSpans.v1"},
    }
    nlp.add_pipe("curated_transformer", name="transformer", config={"model": model})
    loader = {"@model_loaders": f"{package}.HFPieceEncoderLoader.v1", "name": str(weights)}
    nlp.config["initialize"]["components"]["transformer"] = {"piecer_loader": loader}
    return {
        "@architectures": f"{package}.LastTransformerLayerListener.v1",
        "width": SIZES["hidden_size"],
        "upstream": "transformer",
        "pooling": POOLING,
    }


@pytest.fixture
def built(tmp_path, corpus, weights):
    """Save a pipeline whose recognizer listens to a transformer, trained a little."""

    def build(add_transformer):
        import torch

        fix_random_seed(0)
        torch.manual_seed(0)
        nlp = spacy.blank("en")
        listener = add_transformer(nlp, weights)
        nlp.add_pipe("ner", config={"model": {"tok2vec": listener}})
        pairs = [
            Example.from_dict(
                nlp.make_doc(one.text), {"entities": [(s.start, s.end, s.label) for s in one.spans]}
            )
            for one in corpus[:10]
        ]
        optimizer = nlp.initialize(lambda: pairs)
        nlp.update(pairs, sgd=optimizer)
        nlp.config["training"]["optimizer"] = {"@optimizers": "Adam.v1", "learn_rate": RATE}
        # Where a piece encoder came from is not part of what is trained further.
        nlp.config["initialize"]["components"].pop("transformer", None)
        nlp.to_disk(tmp_path / "built")
        return tmp_path / "built"

    return build


def state(component):
    """Everything that training could change, in the shims that hold PyTorch's weights too."""
    model = component.model
    assert isinstance(model, Model)
    arrays = [
        node.get_param(name).tobytes()
        for node in model.walk()
        for name in node.param_names
        if node.has_param(name)
    ]
    torch_weights = [
        parameter.detach().numpy().tobytes()
        for node in model.walk()
        for shim in node.shims
        for parameter in getattr(shim, "_model", shim).parameters()
    ]
    return arrays + torch_weights


def assert_trains_and_is_searched(folder, run):
    base = load_base(folder)
    assert transformers_of(base) == ("transformer",)
    before = {name: state(component) for name, component in base.pipeline}
    result = run(base, labels=LABELS)
    moved = {name for name, one in result.nlp.pipeline if state(one) != before[name]}
    assert moved == {"transformer", "ner"}
    training = spacy.util.load_config(result.path.parent / "config.cfg")
    assert training["training"]["optimizer"]["learn_rate"] == RATE
    assert training["system"]["gpu_allocator"] == "pytorch"
    nlp = load_base(result.path)
    assert is_trained(nlp)
    [spans] = predict(nlp, [TEXT])
    assert [(s.start, s.end, s.label) for s in spans] == [
        (one.start_char, one.end_char, one.label_) for one in nlp(TEXT).ents
    ]
    [found] = parses(nlp, [TEXT], 10_000)
    # Four tokens and three labels: every way to cut the one into the other.
    assert len(found) == len({one.spans for one in found}) == 436
    assert sum(one.probability for one in found) == pytest.approx(1, abs=1e-6)


def test_spacy_transformers(built, run):
    assert_trains_and_is_searched(built(with_spacy_transformers), run)


def test_spacy_curated_transformers(built, run):
    assert_trains_and_is_searched(built(with_curated_transformers), run)


def test_a_session_trains_predicts_and_suggests_with_one(built, corpus, dev):
    folder = built(with_spacy_transformers)
    with nbner.Session("d", labels=LABELS, store=":memory:", model=folder) as session:
        session.add(corpus[:20], gold=True)
        session.add(dev[:5], split="dev", gold=True)
        session.add([TEXT], split="open")
        report = session.train(max_epochs=1, progress=False, margin=None)
        assert report.in_use
        frame = session.predict([TEXT], probabilities=True)
        assert frame["probability"].between(0, 1).all()
        suggested = session.make_gold("open").current.spans
        assert [(s.start, s.end) for s in suggested] == list(
            zip(frame["start"], frame["end"], strict=True)
        )
