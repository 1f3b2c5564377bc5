"""Training of the random field: what it learns from, what it leaves out, and bad input."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest
import spacy
from spacy.training import Example as SpacyExample

from nbner.errors import TrainingError
from nbner.nlp.crf.component import CrfRecognizer
from nbner.nlp.fingerprint import fingerprint
from nbner.nlp.pipeline import load_base, recognizer_of
from nbner.nlp.prediction import predict
from nbner.training.crf import cluster_texts, train_crf, train_crf_like, training_counts
from nbner.training.initialization import reset_ner, resize_ner
from nbner.types import Example, Span

LABELS = ("Action", "Amount", "Reagent")
LISTENER = {"@architectures": "spacy.Tok2VecListener.v1", "width": 16}


@pytest.fixture(scope="module")
def base():
    return load_base("blank:en")


@pytest.fixture(scope="module")
def learnt(base, corpus):
    return train_crf(base, corpus, labels=LABELS)


def f_of(nlp, examples):
    found = list(predict(nlp, examples))
    right = sum(len(set(a) & set(b.spans)) for a, b in zip(found, examples, strict=True))
    return 2 * right / (sum(map(len, found)) + sum(len(one.spans) for one in examples))


def example(text, *spans, **more):
    return Example(text, spans=tuple(Span(*one) for one in spans), answer="accept", **more)


WATER = example("Add water now", (0, 3, "A"), (4, 9, "B"))
SOON = example("Add soon", (0, 3, "A"))


def test_it_learns_the_corpus(learnt, dev):
    assert learnt.pipe_names == ["nbner_crf"]
    assert f_of(learnt, dev) > 0.95
    counts = training_counts(learnt)
    assert (counts.examples, counts.spans, counts.left_out) == (60, 180, {})
    assert str(counts) == "learnt from 60 examples with 180 spans"


def test_the_same_data_give_the_same_weights(base, learnt, corpus):
    again = train_crf(base, corpus, labels=LABELS)
    assert fingerprint(again) == fingerprint(learnt)
    other = train_crf(base, corpus, labels=LABELS, c2=3.0)
    assert fingerprint(other) != fingerprint(learnt)
    shorter = train_crf(base, corpus, labels=LABELS, max_iterations=2)
    assert fingerprint(shorter) != fingerprint(learnt)


def test_the_base_is_not_changed(corpus):
    base = load_base("blank:en")
    before = fingerprint(base)
    train_crf(base, corpus[:5], labels=LABELS)
    assert base.pipe_names == ["ner"]
    assert fingerprint(base) == before


def test_incomplete_annotation_is_left_out_and_counted(base):
    given = [
        WATER,
        SOON,
        replace(WATER, answer="reject"),
        replace(WATER, answer="ignore"),
        replace(WATER, answer=None),
        replace(SOON, binary=True),
        replace(SOON, labels=("A",)),
        replace(SOON, labels=("A", "B", "C")),
        example(""),
        example(" \n"),
        example("half a pair \ud800", (0, 4, "A")),
    ]
    nlp = train_crf(base, given, labels=("A", "B", "C"))
    counts = training_counts(nlp)
    assert counts.examples == 3
    assert counts.spans == 4
    assert counts.left_out == {
        "rejected": 1,
        "ignored or without an answer": 2,
        "answers to single spans": 1,
        "answers that could not give every label": 1,
        "without a token that is no whitespace": 2,
        "with half of a surrogate pair, which spaCy cannot read": 1,
    }
    assert "left out: 1 rejected, 2 ignored" in str(counts)
    # Nothing of what was left out is in the weights.
    same = train_crf(base, [WATER, SOON, given[7]], labels=("A", "B"))
    assert fingerprint(nlp) == fingerprint(same)


def test_tokens_under_a_span_off_the_tokens_are_unknown_and_not_outside(base):
    """The text is cut there: it is trained on as its two other parts are."""
    cut = example("Add water gently now", (0, 3, "A"), (12, 14, "B"))
    nlp = train_crf(base, [WATER, cut], labels=("A", "B"))
    counts = training_counts(nlp)
    assert (counts.examples, counts.spans, counts.spans_off_tokens) == (2, 3, 1)
    assert "1 span that is off the tokens was left out" in str(counts)
    crf = nlp.get_pipe("nbner_crf").crf
    gently = crf.features["lower=gently"]
    assert not crf.weights[gently, 2].any()  # never the token in the middle
    assert crf.weights[gently, 1].any()  # but a neighbor of "now"


def test_a_label_whose_spans_are_all_off_the_tokens_is_not_learnt(base):
    nlp = train_crf(base, [SOON, example("Add water", (4, 6, "B"))], labels=("A", "B"))
    assert nlp.get_pipe("nbner_crf").labels == ("A",)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([], "no example was given"),
        ([replace(WATER, answer="reject")], "none is accepted .*1 rejected"),
        ([example("Add water now")], "1 accepted example, and no entity in it"),
        ([example("Add water", (4, 6, "A"))], "all cut a token"),
        ([example("")], "1 accepted example, and no entity in it"),
        ([example("Add it", (0, 3, "Z"))], "labels that are not among those to learn: Z"),
        (
            [replace(SOON, labels=("A",)), example("Pour water", (5, 10, "B"), labels=("B",))],
            'left out are 2 answers that could not give every label.*learner="ner"',
        ),
    ],
)
def test_nothing_to_learn_from(base, given, said):
    with pytest.raises(TrainingError, match=said):
        train_crf(base, given, labels=("A", "B"))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"seed": -1}, "seed -1"),
        ({"c2": -0.1}, "c2=-0.1"),
        ({"c2": float("nan")}, "c2=nan"),
        ({"max_iterations": 0}, "max_iterations=0"),
        ({"features": ("tags",)}, "needs a pipeline that tags words"),
        ({"features": ("vectors",)}, "needs a pipeline with word vectors"),
        ({"features": ("shapes",)}, "no outside feature 'shapes'"),
    ],
)
def test_options_that_cannot_be(base, options, said):
    with pytest.raises(TrainingError, match=said):
        train_crf(base, [WATER], labels=("A", "B"), **options)


def test_one_sentence_and_one_label_are_enough(base):
    nlp = train_crf(base, [SOON], labels=("A",), pool_texts=["", "one text", "\ud800"])
    assert [one.text for one in nlp("Add this").ents] == ["Add"]
    assert training_counts(nlp).pool_texts == 2


@pytest.mark.parametrize(
    "text",
    [
        "a\0b \0 now",
        "a:b c:1.0 : \\ \\n now",
        "tab\tin it now",
        "0 --> 1: 2.0 now",
        "} STATE_FEATURES = { now",
        "=== # @ = now",
        "e\u0301 \u202e\u200b \U0001f9ea now",
        "a " * 3000 + "now",
    ],
    ids=["null", "colons", "tab", "dump", "sections", "marks", "combining", "long"],
)
def test_odd_characters_are_learnt(base, text):
    start = len(text) - 3
    nlp = train_crf(base, [example(text, (start, start + 3, "A")), SOON], labels=("A",))
    assert [one.text for one in nlp(text).ents] == ["now"]


def test_whitespace_tokens_are_skipped(base):
    """An entity may hold one, and the words around it are neighbors."""
    spaced = example("Add\n  very cold \t water  now", (6, 23, "A"))
    plain = example("Add very cold water now", (4, 19, "A"))
    one, other = (train_crf(base, [each], labels=("A",)) for each in (spaced, plain))
    assert fingerprint(one) == fingerprint(other)
    assert [ent.text for ent in one(spaced.text).ents] == ["very cold \t water"]
    assert [ent.text for ent in one(" \n").ents] == []


@pytest.fixture(scope="module")
def pool():
    """Texts of 80 words in 8 classes: a word stands between words of two certain classes."""
    draw = random.Random(1)
    words = [[f"{name}{i}" for i in range(10)] for name in "abcdefgh"]
    return [" ".join(draw.choice(some) for some in words) for _ in range(150)]


def test_clusters_come_from_the_pool_and_can_be_kept(base, pool):
    given = [example(one, (0, 2, "A")) for one in pool[:4]]
    nlp = train_crf(base, given, labels=("A",), pool_texts=pool)
    clusters = nlp.get_pipe("nbner_crf").crf.extractor.clusters
    assert clusters.sizes == (64,)  # of 80 words, 256 clusters would hold nothing
    assert cluster_texts(base, pool, sizes=(16, 64, 256)).sizes == (16, 64)
    kept = cluster_texts(base, [*given, *pool])
    assert kept == clusters
    again = train_crf(base, given, labels=("A",), pool_texts=pool, clusters=kept)
    assert fingerprint(again) == fingerprint(nlp)
    fold = train_crf_like(nlp, given[:2], labels=("A",))
    assert fold.get_pipe("nbner_crf").crf.extractor.clusters == clusters
    with pytest.raises(TrainingError, match="no conditional random field"):
        train_crf_like(base, given, labels=("A",))


@pytest.fixture(scope="module")
def tagger():
    """A pipeline with a tagger that listens, a recognizer and rules; none has learnt much."""
    nlp = spacy.blank("en")
    nlp.add_pipe("tok2vec", config={"model": {"width": 16, "depth": 1}})
    nlp.add_pipe("tagger", config={"model": {"tok2vec": LISTENER}})
    nlp.add_pipe("ner", config={"model": {"tok2vec": LISTENER}})
    docs = [nlp.make_doc("Mina sold a lamp") for _ in range(2)]
    parts = {"tags": ["NNP", "VB", "DT", "NN"], "entities": [(0, 4, "NAME")]}
    nlp.initialize(lambda: [SpacyExample.from_dict(doc, parts) for doc in docs])
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "PRODUCT", "pattern": "lamp"}])
    return nlp


def test_tags_of_the_base_are_features(tagger):
    given = [example("Mina sold a lamp", (0, 4, "NAME"))]
    nlp = train_crf(tagger, given, labels=("NAME",), features=("tags",))
    assert nlp.pipe_names == ["tok2vec", "tagger", "nbner_crf"]
    recognizer = recognizer_of(nlp)[1]
    assert isinstance(recognizer, CrfRecognizer)
    tags = {token.tag_ for token in tagger("Mina sold a lamp")}
    assert {f"tag={one}" for one in tags} <= set(recognizer.crf.features)
    assert [one.text for one in nlp("Mina sold a lamp").ents] == ["Mina"]
    assert train_crf(tagger, given, labels=("NAME",)).pipe_names == ["nbner_crf"]


def test_vectors_of_the_base_are_features(pool):
    draw = np.random.default_rng(1)
    nlp = load_base("blank:en")
    for word in sorted({word for text in pool for word in text.split()}):
        nlp.vocab.set_vector(word, draw.normal(size=8))
    given = [example(pool[0], (0, 2, "A"))]
    found = train_crf(nlp, given, labels=("A",), features=("vectors",), pool_texts=pool)
    recognizer = found.get_pipe("nbner_crf")
    assert recognizer.features == ("vectors",)
    assert [len(one) for one in recognizer.crf.extractor.vector_clusters.centroids] == [64]
    assert any(name.startswith("vector64=") for name in recognizer.crf.features)
    assert found.vocab.vectors.n_keys == nlp.vocab.vectors.n_keys
    assert train_crf(nlp, given, labels=("A",)).vocab.vectors.n_keys == 0


def test_a_spacy_recognizer_can_take_its_place(learnt):
    fresh = reset_ner(learnt)
    assert fresh.pipe_names == ["ner"]
    assert learnt.pipe_names == ["nbner_crf"]
    assert resize_ner(learnt, ["Device"]) is learnt
