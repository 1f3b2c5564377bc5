"""Differences are named by their cause, one planted at a time; the same call says the same."""

from __future__ import annotations

import html
import random
import unicodedata
from dataclasses import replace

import pytest
import spacy

import nbner
from nbner import DataError, Example, ModelError, Session, Span
from nbner.evaluation import reproducibility
from nbner.nlp.pipeline import load_base
from nbner.training.loop import train

LABELS = ("Action", "Amount", "Reagent")
VERBS = ("Add", "Pour", "Mix", "Stir", "Discard", "Heat")
AMOUNTS = ("5 ml", "10 µl", "two drops", "3 g", "half a litre")
REAGENTS = ("water", "LB broth", "ethanol", "crème & salt", "salt", "E. coli")


def corpus(size, seed):
    draw = random.Random(seed)
    examples = []
    for _ in range(size):
        parts = [
            (draw.choice(VERBS), "Action"),
            (draw.choice(AMOUNTS), "Amount"),
            ("of", None),
            (draw.choice(REAGENTS), "Reagent"),
            (draw.choice(["carefully .", "and wait .", ". Rest ."]), None),
        ]
        text, spans = "", []
        for words, label in parts:
            start = len(text) + bool(text)
            text = f"{text} {words}" if text else words
            if label:
                spans.append(Span(start, len(text), label))
        examples.append(Example(text, spans=tuple(spans), answer="accept", labels=LABELS))
    return examples


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Two models that have learnt the same, from other data with other seeds."""
    found = []
    for seed, size in ((0, 60), (1, 12)):
        output = tmp_path_factory.mktemp("models") / "run"
        options = {"labels": LABELS, "output": output, "seed": seed, "max_steps": 60}
        with train("blank:en", corpus(size, seed), corpus(20, 9), **options) as run:
            for _ in run:
                pass
            found.append(run.finish().path)
    return found


@pytest.fixture(scope="module")
def nlp(folders):
    return load_base(folders[0])


@pytest.fixture(scope="module")
def texts():
    """Two sentences each, so that there is something to cut."""
    examples = corpus(120, seed=5)
    return [f"{a.text} {b.text}" for a, b in zip(examples[::2], examples[1::2], strict=True)]


def said(nlp, texts, **more):
    """What plain spaCy says, as a tool would have written it down."""
    return [
        Example(
            doc.text,
            spans=tuple(Span(e.start_char, e.end_char, e.label_) for e in doc.ents),
            **more,
        )
        for doc in nlp.pipe(texts)
    ]


def only_cause(found, cause):
    assert found.differing
    assert found.counts == {cause: found.differing}, found.frame[["cause", "detail"]]


def test_a_model_does_not_differ_from_itself(nlp, texts):
    found = nbner.differences(said(nlp, texts), nlp)
    assert found.same
    assert found.plot().get_title(loc="left") == "The same in all 60 texts"


def test_a_label_filter(nlp, texts):
    kept = [
        replace(one, spans=tuple(s for s in one.spans if s.label != "Amount"))
        for one in said(nlp, texts)
    ]
    found = nbner.differences(kept, nlp)
    only_cause(found, "label_filter")
    assert found.differences[0].cause.detail == "Amount"
    assert found.frame["tried"].all()


def test_a_label_filter_is_seen_without_a_model(nlp, texts):
    whole = said(nlp, texts)
    kept = [replace(one, spans=tuple(s for s in one.spans if s.label != "Amount")) for one in whole]
    found = nbner.differences(kept, whole)
    only_cause(found, "label_filter")
    assert not found.frame["tried"].any()


def test_sentences_in_place_of_whole_texts(nlp, texts):
    from nbner.evaluation.diff.variants import sentence_ranges

    # A model that looks around a place says something else at the new borders.
    nlp_of_parts = [
        Example(text[start:end], spans=said(nlp, [text[start:end]])[0].spans)
        for text, cuts in zip(texts, sentence_ranges("en", texts), strict=True)
        for start, end in cuts
    ]
    found = nbner.differences(nlp_of_parts, nlp, texts=texts)
    assert set(found.counts) <= {"sentence_splitting"}
    assert found.n == len(texts)


def test_another_tokenizer(nlp, texts):
    glued = [text.replace(" ml", "ml").replace(" .", ".") for text in texts]
    docs = []
    for text in glued:
        words = text.split(" ")
        spaces = [True] * (len(words) - 1) + [False]
        docs.append(nlp(spacy.tokens.Doc(nlp.vocab, words=words, spaces=spaces)))
    found = nbner.differences(docs, nlp)
    only_cause(found, "other_tokenizer")


ALTERATIONS = {
    "whitespace": lambda text: text.replace(" of ", " \n of "),
    "Unicode normal form": lambda text: unicodedata.normalize("NFD", text),
    "HTML entities": html.escape,
    "truncation": lambda text: text[: len(text) * 2 // 3],
}


@pytest.mark.parametrize("kind", ALTERATIONS)
def test_a_text_that_was_altered(nlp, texts, kind):
    altered = [ALTERATIONS[kind](text) for text in texts]
    found = nbner.differences(said(nlp, altered), said(nlp, texts), model=nlp)
    assert found.n == len(texts)
    if found.differing:
        only_cause(found, "altered_text")
        assert {one.cause.detail for one in found.differences} == {kind}


def test_another_model_that_is_known(nlp, folders, texts):
    found = nbner.differences(folders[1], nlp, texts=texts)
    only_cause(found, "other_model")


def test_another_model_that_is_named_alone(nlp, folders, texts):
    other = load_base(folders[1])
    named = [
        replace(one, spans=tuple(replace(s, source="0123456789ab") for s in one.spans))
        for one in said(other, texts)
    ]
    found = nbner.differences(named, nlp)
    assert found.counts["other_model"] >= 0.95 * found.differing
    assert not found.frame["tried"].all()


@pytest.mark.parametrize("known", [True, False])
def test_an_entity_ruler(nlp, folders, texts, known):
    ruled = load_base(folders[0])
    ruler = ruled.add_pipe("entity_ruler", before="ner")
    ruler.add_patterns([{"label": "Reagent", "pattern": word} for word in ("of", "carefully")])
    side = ruled if known else said(ruled, texts)
    only_cause(nbner.differences(side, nlp, texts=texts), "entity_ruler")


def test_what_a_person_corrected(nlp, texts):
    draw = random.Random(3)
    corrected = []
    for one in said(nlp, texts, answer="accept", annotator="ann"):
        spans = list(one.spans)
        if draw.random() < 0.5:
            spans.pop(draw.randrange(len(spans)))
        corrected.append(replace(one, spans=tuple(spans)))
    found = nbner.differences(corrected, nlp)
    only_cause(found, "human_correction")
    assert found.differences[0].cause.detail == "ann"


def test_what_nobody_can_explain(nlp, texts):
    moved = [replace(one, spans=one.spans[::2]) for one in said(nlp, texts)]
    found = nbner.differences(moved, nlp)
    assert found.counts == {"unexplained": found.differing}


def test_pairs_are_shown_and_text_is_never_markup(nlp):
    text = "Add 5 ml of <b>water</b> ."
    found = nbner.differences([Example(text, spans=(Span(0, 3, "<i>"),))], nlp)
    assert "<b>" not in found.to_html()
    assert "&lt;b&gt;water" in found._repr_html_()
    assert len(found.frame) == len(found.pairs) == 1


def test_models_alone_need_texts(nlp):
    with pytest.raises(DataError, match="texts="):
        nbner.differences(nlp, nlp)


def test_a_frame_of_predictions_needs_its_texts(nlp, texts, folders):
    with Session(model=folders[0], store=":memory:") as session:
        frame = session.predict(texts)
        assert session.experiments.differences(frame, texts=texts).same
        with pytest.raises(DataError, match="texts="):
            nbner.differences(frame, frame)
        with pytest.raises(DataError, match="there are 10 texts"):
            session.experiments.differences(frame, texts=texts[:10])


# The same in the cell and at run time.


def test_suggestions_are_what_plain_spacy_says(folders, texts, tmp_path):
    with Session("d", labels=LABELS, model=folders[0], store=":memory:") as session:
        session.add(texts[:20])
        given = tmp_path / "given.conll"
        given.write_text("Add\tO\n5ml\tO\nof\tO\nwater.\tO\n", encoding="utf-8")
        session.add(given)
        parity = session.experiments.parity()
    assert parity.same, parity.frame
    assert set(parity.frame["unit"]) == {"texts", "sentences"}
    assert "2 processes" in " ".join(parity.frame["run"])


def test_a_label_that_the_session_does_not_know_is_a_difference(folders, texts):
    with Session("d", labels=["Action"], model=folders[0], store=":memory:") as session:
        session.add(texts[:5])
        parity = session.experiments.parity(batch_sizes=(8,), n_process=(1,))
    assert parity.differing
    assert "differ" in str(parity)


def test_parity_needs_examples(folders):
    with (
        Session("d", model=folders[0], store=":memory:") as session,
        pytest.raises(DataError, match=r"session\.add"),
    ):
        session.experiments.parity()


def test_parity_needs_a_trained_model():
    with Session("d", labels=["A"], store=":memory:") as session:
        session.add(["a text"])
        with pytest.raises(ModelError, match=r"session\.train\(\)"):
            session.experiments.parity()


@pytest.mark.parametrize("split", ["nowhere", ["a text"], 3])
def test_parity_is_of_a_split_that_there_is(folders, split):
    with Session("d", model=folders[0], store=":memory:") as session:
        session.add(["a text"])
        with pytest.raises(DataError, match="split") as caught:
            session.experiments.parity(split)
    assert caught.value.field == "split"


def test_the_same_is_said_in_every_circumstance(folders, texts):
    with Session("d", model=folders[0], store=":memory:") as session:
        found = session.experiments.determinism(texts[:20], batch_sizes=(1, 8))
    assert found.same, found.frame
    assert list(found.frame["circumstance"])[-1].startswith("a fresh Python")
    assert str(found) == "The same 7 times over 20 texts"


def test_what_is_not_the_same_is_shown(folders, texts, monkeypatch):
    monkeypatch.setattr(
        reproducibility, "_predictions_of_new_process", lambda nlp, examples: [[] for _ in examples]
    )
    with Session("d", model=folders[0], store=":memory:") as session:
        found = session.experiments.determinism(texts[:3], batch_sizes=(1,), n_process=())
    assert not found.same
    assert "a fresh Python" in str(found)
    assert found.frame["which"].iloc[-1] == [0, 1, 2]
