"""The component nbner_crf: features, clusters, prediction, and the way to disk and back."""

from __future__ import annotations

import pickle
import random

import numpy as np
import pytest
import spacy
from spacy.tokens import Doc

from nbner.decoding.api import lattices, parses, span_probabilities
from nbner.errors import ModelError
from nbner.nlp.crf.clusters import WordClusters, cluster_words, k_means
from nbner.nlp.crf.component import CrfRecognizer
from nbner.nlp.crf.features import (
    FeatureExtractor,
    extract_features,
    offsets_of,
    word_features,
    word_shape,
)
from nbner.nlp.crf.model import CrfModel
from nbner.nlp.fingerprint import fingerprint
from nbner.nlp.pipeline import (
    clone_pipeline,
    doc_from_example,
    entity_labels_of,
    is_crf,
    is_trained,
    labels_of,
    load_base,
)
from nbner.nlp.prediction import predict
from nbner.training.crf import train_crf
from nbner.types import Span

LABELS = ("Action", "Amount", "Reagent")


@pytest.fixture(scope="module")
def learnt(corpus):
    base = load_base("blank:en")
    pool = [one.text for one in corpus]
    return train_crf(base, corpus[:20], labels=LABELS, pool_texts=pool)


# Features.


def test_the_features_of_a_word():
    assert word_features("Wg1") == [
        *("word=Wg1", "lower=wg1", "shape=Xxd"),
        *("prefix=w", "suffix=1", "prefix=wg", "suffix=g1", "prefix=wg1", "suffix=wg1"),
    ]
    assert word_features("") == ["word=", "lower=", "shape="]
    assert len(word_features("x" * 10_000)) == 11


def test_forms_and_affixes_of_neighbors_do_not_count(learnt):
    crf = learnt.get_pipe("nbner_crf").crf
    assert offsets_of("lower=prefix=") == offsets_of("shape=x") == (-2, -1, 0, 1, 2)
    assert offsets_of("suffix=ml") == offsets_of("word=ml") == (0,)
    assert crf.weights[crf.features["suffix=ml"], 2].any()
    assert not crf.weights[crf.features["suffix=ml"], [0, 1, 3, 4]].any()
    assert crf.weights[crf.features["lower=ml"], 1].any()


@pytest.mark.parametrize(
    ("word", "shape"),
    [("McX-99999", "XxX-dddd"), ("aaaaaa", "xxxx"), ("µl", "xx"), ("ÄÖ", "XX"), ("...", "...")],
)
def test_shapes(word, shape):
    assert word_shape(word) == shape


def test_whitespace_tokens_have_no_features():
    nlp = spacy.blank("en")
    texts = extract_features([nlp("a  b\n"), nlp(" "), nlp("")], FeatureExtractor())
    assert [len(one) for one in texts.types] == [2, 0, 0]
    assert len(texts.features) == 2


# Clusters.


def test_words_with_the_same_neighbors_are_together():
    draw = random.Random(0)
    groups = [[f"{name}{i}" for i in range(6)] for name in ("noun", "verb", "unit")]
    texts = [[draw.choice(group) for group in groups] for _ in range(300)]
    clusters = cluster_words(texts, sizes=(3,), seed=1)
    found = [{clusters.features(word)[0] for word in group} for group in groups]
    assert all(len(one) == 1 for one in found)
    assert len(set.union(*found)) == 3
    assert clusters.features("NOUN1") == clusters.features("noun1")
    assert clusters.features("other") == []
    assert cluster_words(texts, sizes=(3,), seed=1) == clusters
    assert WordClusters.from_json(clusters.to_json()) == clusters


def test_few_words_are_not_clustered():
    assert cluster_words([]) is None
    assert cluster_words([["a", "b", "a", "b"]]) is None
    assert cluster_words([["a", "b", "a", "b", "c"]], sizes=(2, 1), min_count=1).sizes == (2,)


def test_k_means_joins_equal_rows_and_keeps_every_row():
    rows = np.repeat(np.eye(4), 5, axis=0)
    members, centroids = k_means(rows, 4, seed=3)
    assert members.shape == (20,)
    assert all(len(set(members[5 * i : 5 * i + 5])) == 1 for i in range(4))
    norms = np.sqrt((centroids**2).sum(axis=1))
    assert norms == pytest.approx(np.ones(4))


# Prediction.


def test_the_component_is_a_recognizer(learnt):
    assert is_crf(learnt)
    assert is_trained(learnt)
    assert labels_of(learnt) == LABELS == entity_labels_of(learnt)
    assert learnt.pipe_labels["nbner_crf"] == list(LABELS)


def test_a_text_is_labelled_alike_alone_in_a_batch_and_in_processes(learnt, dev):
    alone = [tuple(next(predict(learnt, [one]))) for one in dev]
    assert list(predict(learnt, dev)) == alone
    assert list(predict(learnt, dev, batch_size=7)) == alone
    assert list(predict(learnt, reversed(dev))) == alone[::-1]
    assert list(predict(learnt, dev, n_process=2)) == alone
    recognizer = learnt.get_pipe("nbner_crf")
    docs = [doc_from_example(learnt, one) for one in dev]
    for doc, scores in zip(docs, recognizer.token_scores(docs), strict=True):
        assert np.array_equal(recognizer.token_scores([doc])[0], scores)


def test_prediction_lists_and_sums_agree(learnt, dev):
    texts = [one.text for one in dev] + ["", " ", "Add\n5  ml  of water"]
    lists = list(parses(learnt, texts, 4))
    known = list(span_probabilities(learnt, texts, min_probability=0.0))
    for text, found, marginals, lattice in zip(
        texts, lists, known, lattices(learnt, texts), strict=True
    ):
        (predicted,) = predict(learnt, [text])
        assert found[0].spans == predicted
        assert lattice.k_best(4) == found
        assert lattice.span_probabilities(min_probability=0.0) == marginals
        shares = [lattice.probability_of(one.spans) for one in found]
        assert shares == pytest.approx([one.probability for one in found])
        assert marginals.token_probabilities.sum(axis=1) == pytest.approx(
            np.ones(len(lattice.tokens))
        )


def test_temperature_and_raw_scores(learnt):
    text = "Add 5 ml of salt and wait ."
    ((cool,), (hot,)) = (parses(learnt, [text], 1, temperature=t) for t in (1.0, 5.0))
    assert hot[0].probability < cool[0].probability
    (raw,) = lattices(learnt, [text], normalized=False)
    (doubled,) = lattices(learnt, [text], normalized=False, temperature=0.5)
    assert doubled.k_best(1)[0].score == pytest.approx(2 * raw.k_best(1)[0].score)
    assert raw.k_best(1)[0].score - raw.log_total == pytest.approx(cool[0].score)


def test_entities_of_an_earlier_component_are_kept(learnt):
    nlp = clone_pipeline(learnt)
    ruler = nlp.add_pipe("entity_ruler", before="nbner_crf")
    ruler.add_patterns(
        [{"label": "TOOL", "pattern": "ml of"}, {"label": "Amount", "pattern": "salt"}]
    )
    text = "Add 5 ml of salt and wait ."
    assert [(one.text, one.label_) for one in learnt(text).ents] == [
        ("Add", "Action"),
        ("5 ml", "Amount"),
        ("salt", "Reagent"),
    ]
    doc = nlp(text)
    found = [(one.text, one.label_) for one in doc.ents]
    assert ("ml of", "TOOL") in found
    assert ("salt", "Amount") in found
    (lists,) = parses(nlp, [text], 30)
    ruled = {Span(6, 11, "TOOL"), Span(12, 16, "Amount")}
    assert all(ruled <= set(one.spans) for one in lists)
    assert lists[0].spans == next(predict(nlp, [text]))
    (known,) = span_probabilities(nlp, [text])
    assert [known.probability_of(one) for one in ruled] == pytest.approx([1, 1])


def test_blocked_tokens_stay_free(learnt):
    doc = learnt.make_doc("Add 5 ml of salt and wait .")
    doc.set_ents([], blocked=[doc[4:5]], default="missing")
    found = learnt(doc)
    assert [one.text for one in found.ents] == ["Add", "5 ml"]


# To disk and back.


def test_a_saved_pipeline_is_the_same(learnt, dev, tmp_path):
    learnt.to_disk(tmp_path)
    for loaded in (spacy.load(tmp_path), load_base(tmp_path), clone_pipeline(learnt)):
        assert loaded.pipe_names == ["nbner_crf"]
        assert fingerprint(loaded) == fingerprint(learnt)
        assert list(predict(loaded, dev)) == list(predict(learnt, dev))
    recognizer = learnt.get_pipe("nbner_crf")
    data = recognizer.to_bytes()
    assert CrfRecognizer().from_bytes(data).to_bytes() == data
    assert (tmp_path / "nbner_crf" / "crf.bin").read_bytes().startswith(data)


def test_a_file_of_weights_that_has_changed_is_refused(learnt, tmp_path):
    """Whatever bit: of the weights, which would load, or of the checksum."""
    learnt.to_disk(tmp_path)
    folder = tmp_path / "nbner_crf"
    sound = (folder / "crf.bin").read_bytes()
    # The last of the transitions' numbers, the checksum's mark, and the checksum.
    end = len(learnt.get_pipe("nbner_crf").to_bytes())
    for place in (end - 3, end, end + 4, len(sound) - 1):
        changed = bytearray(sound)
        changed[place] ^= 1
        (folder / "crf.bin").write_bytes(changed)
        with pytest.raises(ModelError, match=r"not as they were saved|bytes after the end"):
            CrfRecognizer().from_disk(folder)
    (folder / "crf.bin").write_bytes(sound[:-1])
    with pytest.raises(ModelError, match="bytes after the end"):
        CrfRecognizer().from_disk(folder)


def test_a_file_of_weights_without_a_checksum_is_read(learnt, tmp_path):
    data = learnt.get_pipe("nbner_crf").to_bytes()
    (tmp_path / "crf.bin").write_bytes(data)
    assert CrfRecognizer().from_disk(tmp_path).to_bytes() == data


def test_the_weights_are_in_the_fingerprint(learnt):
    changed = clone_pipeline(learnt)
    before = fingerprint(changed)
    changed.get_pipe("nbner_crf").crf.bias[0] += 1
    assert before != fingerprint(changed)


def test_an_untrained_component_says_so(tmp_path):
    nlp = spacy.blank("en")
    nlp.add_pipe("nbner_crf")
    nlp.to_disk(tmp_path)
    loaded = spacy.load(tmp_path)
    assert not is_trained(loaded)
    with pytest.raises(ModelError, match="has not been trained"):
        loaded("Add water")
    with pytest.raises(ModelError, match="has not been trained"):
        list(predict(loaded, ["Add water"]))


@pytest.mark.parametrize("cut", [0.0, 0.001, 0.5, 0.999])
def test_damaged_weights_are_refused(learnt, cut):
    data = learnt.get_pipe("nbner_crf").to_bytes()
    with pytest.raises(ModelError, match="cannot be read"):
        CrfModel.from_bytes(data[: int(cut * len(data))])


def test_nothing_that_is_loaded_can_run_code(learnt):
    class Trap:
        def __reduce__(self):
            return print, ("trapped",)

    data = learnt.get_pipe("nbner_crf").to_bytes()
    for bad in (pickle.dumps(Trap()), data[:8] + pickle.dumps(Trap()), b"\xff" * 40):
        with pytest.raises(ModelError, match="cannot be read"):
            CrfModel.from_bytes(bad)


def test_an_unknown_feature_is_refused():
    with pytest.raises(ModelError, match="no outside feature 'shape'"):
        CrfRecognizer(features=["shape"])


def test_spacy_evaluates_it(learnt, dev):
    pairs = [
        spacy.training.Example.from_dict(
            learnt.make_doc(one.text), {"entities": [(s.start, s.end, s.label) for s in one.spans]}
        )
        for one in dev
    ]
    scores = learnt.evaluate(pairs)
    assert scores["ents_f"] > 0.8


def test_tokens_that_came_with_the_text(learnt):
    doc = Doc(learnt.vocab, words=["Add", " ", "5", "ml", "\n"], spaces=[False] * 5)
    assert [one.text for one in learnt(doc).ents][:1] == ["Add"]
