"""The one prediction function: what plain spaCy says, whatever the batch."""

import multiprocessing
import os
import signal

import pytest
import spacy
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.language import Language
from spacy.tokens import Doc

from nbner.errors import DataError, ModelError
from nbner.nlp.fingerprint import fingerprint
from nbner.nlp.pipeline import load_base
from nbner.nlp.prediction import predict, predict_docs
from nbner.types import Example, Span, Token

WORDS = ["Add", "5 ml", "of", "water", "E. coli", "😀", "don't", "Stir", "two drops", ".", "\n"]
TEXTS = st.lists(st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join), max_size=12)


@pytest.fixture(scope="module")
def texts(corpus):
    return [*(one.text for one in corpus), "", " ", "Nothing to see here.", "Add " * 400]


def plain(nlp, texts, **options):
    return [
        tuple(Span(e.start_char, e.end_char, e.label_) for e in doc.ents)
        for doc in nlp.pipe(texts, **options)
    ]


@settings(max_examples=30)
@given(texts=TEXTS, batch_size=st.integers(1, 20))
def test_it_says_what_plain_spacy_says(trained, texts, batch_size):
    expected = [tuple(Span(e.start_char, e.end_char, e.label_) for e in trained(t).ents)
                for t in texts]  # fmt: skip
    assert list(predict(trained, texts, batch_size=batch_size)) == expected


def test_the_batch_size_changes_nothing(trained, texts):
    expected = plain(trained, texts)
    for size in (1, 2, 7, 64, 1000):
        assert list(predict(trained, texts, batch_size=size)) == expected


def test_the_order_changes_nothing(trained, texts):
    assert list(predict(trained, texts[::-1])) == plain(trained, texts)[::-1]


def test_two_processes_say_the_same(trained, texts, at_spaces, corpus):
    given = [Example(one.text, at_spaces(one), pretokenized=True) for one in corpus[:20]]
    items = [*texts, *given]
    one = list(predict(trained, items))
    two = list(predict(trained, items, n_process=2, batch_size=16))
    assert two == one


@Language.component("test_dies_in_a_worker")
def dies_in_a_worker(doc):
    if doc.text == "poison" and multiprocessing.parent_process() is not None:
        os.kill(os.getpid(), signal.SIGKILL)
    return doc


def test_a_process_that_dies_is_said_and_nothing_waits_for_it(trained, texts):
    trained.add_pipe("test_dies_in_a_worker", first=True)
    try:
        with pytest.raises(ModelError, match=r"of the 2 processes .* has died.*n_process="):
            list(predict(trained, [*texts, "poison", *texts], n_process=2, batch_size=4))
        assert list(predict(trained, texts, n_process=2)) == list(predict(trained, texts))
    finally:
        trained.remove_pipe("test_dies_in_a_worker")


@Language.component("test_counts")
def counts(doc):
    doc._.test_size = len(doc)
    return doc


def test_what_a_component_keeps_with_a_doc_comes_back_from_a_process(trained):
    Doc.set_extension("test_size", default=0)
    trained.add_pipe("test_counts", last=True)
    try:
        docs = predict_docs(trained, ["Add water .", "Stir"], n_process=2, batch_size=1)
        assert [doc._.test_size for doc in docs] == [3, 1]
    finally:
        trained.remove_pipe("test_counts")
        Doc.remove_extension("test_size")


def test_one_may_stop_reading_what_processes_predict(trained, texts):
    found = predict_docs(trained, texts * 3, n_process=2, batch_size=2)
    assert next(found).text == texts[0]
    assert len(multiprocessing.active_children()) == 2
    found.close()
    assert not multiprocessing.active_children()


@pytest.mark.parametrize("number", [0, -2])
def test_what_is_no_number_of_processes_is_refused_at_once(trained, number):
    with pytest.raises(DataError, match=r"no number of processes.*-1"):
        predict(trained, ["Stir"], n_process=number)


def test_spans_are_code_points_and_name_their_model(trained):
    text = "😀😀 . Add 5 ml of water ."
    [spans] = predict(trained, [text])
    assert "water" in [text[span.start : span.end] for span in spans]
    assert {span.source for span in spans} == {fingerprint(trained)}


def test_given_tokens_are_kept(trained):
    words = ("Add", "5", "ml", "of", "water.")
    starts = (0, 4, 6, 9, 12)
    tokens = tuple(
        Token(w, s, s + len(w), ws=w != "water.") for w, s in zip(words, starts, strict=True)
    )
    [doc] = predict_docs(trained, [Example("Add 5 ml of water.", tokens, pretokenized=True)])
    assert [token.text for token in doc] == list(words)
    [doc] = predict_docs(trained, [Example("Add 5 ml of water.")])
    assert [token.text for token in doc] == [*words[:4], "water", "."]


def test_all_components_have_their_say(trained_path):
    nlp = load_base(trained_path)
    nlp.add_pipe("entity_ruler", before="ner").add_patterns(
        [{"label": "Action", "pattern": "Defenestrate"}]
    )
    [spans] = predict(nlp, ["Defenestrate it"])
    assert Span(0, 12, "Action") in spans


def test_answers_and_spans_of_examples_are_not_looked_at(trained):
    text = "Add 5 ml of water ."
    misled = Example(text, spans=(Span(4, 18, "Reagent"),), answer="accept")
    assert list(predict(trained, [misled])) == plain(trained, [text])


def test_it_is_lazy(trained):
    def endless():
        while True:
            yield "Add 5 ml of water ."

    found = predict(trained, endless(), batch_size=4)
    assert [len(next(found)) for _ in range(3)] == [3, 3, 3]


def test_an_untrained_model_is_an_error_at_once():
    with pytest.raises(ModelError, match=r"session\.train"):
        predict(load_base("blank:en"), ["text"])


def test_a_pipeline_of_rules_alone_predicts():
    nlp = spacy.blank("en")
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "ORG", "pattern": "Acme"}])
    assert list(predict(nlp, ["Acme"])) == [(Span(0, 4, "ORG"),)]


def test_a_text_that_is_too_long_is_an_error(trained_path):
    nlp = load_base(trained_path)
    nlp.max_length = 10
    with pytest.raises(DataError, match="max_length"):
        list(predict(nlp, ["This text is longer than ten."]))
