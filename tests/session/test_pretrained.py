"""A pretrained pipeline and a label that it does not have: nothing is forgotten unseen."""

from __future__ import annotations

import random
import re
from collections import Counter

import pytest
import spacy
from spacy.tokens import DocBin

from nbner import Example, Session, Span
from nbner.nlp.pipeline import labels_of, load_base
from nbner.nlp.prediction import predict

PIZZAS = ("Margherita", "Calzone", "Marinara", "Capricciosa", "Diavola", "Funghi")
PERSONS = ("Mina Kovac", "Tim Cook", "Anna Berg", "John Smith")
CITIES = ("Naples", "Berlin", "Rome", "Paris")
OPTIONS = {"max_epochs": 20, "progress": False}


def pizza_rows(size, seed):
    draw = random.Random(seed)
    rows = {}
    while len(rows) < size:
        pizza, who, where = (draw.choice(some) for some in (PIZZAS, PERSONS, CITIES))
        text = draw.choice(
            [f"{who} ordered a {pizza} in {where}.", f"In {where}, {who} baked the {pizza}."]
        )
        start = text.index(pizza)
        rows[text] = {
            "text": text,
            "spans": [{"start": start, "end": start + len(pizza), "label": "PIZZA"}],
            "answer": "accept",
        }
    return list(rows.values())


@pytest.fixture
def session(travel_path, travel_texts):
    with Session("pizza", model=travel_path, store=":memory:", annotator="ann") as session:
        session.add(pizza_rows(36, 1))
        session.add(pizza_rows(12, 2), split="dev")
        session.add(travel_texts)
        yield session


@pytest.fixture
def absent(travel_path, travel_texts):
    """A session whose gold says that there is no person, city or day in its texts."""
    labels = ["PIZZA", "PERSON", "GPE", "DATE"]
    with Session("no", model=travel_path, labels=labels, store=":memory:") as session:
        session.add(pizza_rows(36, 1))
        session.add(pizza_rows(12, 2), split="dev")
        session.add(travel_texts)
        yield session


def found(nlp, texts):
    return Counter((i, span) for i, some in enumerate(predict(nlp, texts)) for span in some)


def share_kept(before, after):
    return (before & after).total() / before.total()


def test_the_pipeline_finds_what_it_has_learnt(travel_path, travel_texts):
    nlp = load_base(travel_path)
    assert nlp.pipe_names == ["tagger", "ner", "entity_ruler"]
    spans = found(nlp, travel_texts)
    assert spans.total() >= 80
    assert {span.label for _, span in spans} == {"PERSON", "GPE", "DATE", "PRODUCT"}


def test_rehearsal_keeps_the_labels_that_no_answer_could_give(session, travel_texts):
    before = found(session.nlp, travel_texts)
    report = session.train(init="rehearsal", **OPTIONS)
    assert report.in_use
    assert share_kept(before, found(session.nlp, travel_texts)) >= 0.9
    assert report.retention.kept >= 0.9 * report.retention.before
    assert "PIZZA" in labels_of(session.nlp)
    assert report.f > 0.9


def test_a_label_that_is_forgotten_is_named_and_the_old_model_stays(absent, travel_texts):
    session, old = absent, absent.nlp
    report = session.train(**OPTIONS)
    assert not report.in_use
    assert session.nlp is old
    lost = {one.label: one for one in report.regressed_labels}
    assert {"PERSON", "GPE", "DATE"} <= set(lost)
    assert lost["PERSON"].after == 0
    frame = report.retention.frame.set_index("label")
    assert frame.loc["PERSON", "kept"] == 0
    assert frame.loc["PERSON", "before"] == lost["PERSON"].support >= 20
    assert not frame["in_gold"].any()
    row = report.regressions.set_index("label").loc["PERSON"]
    assert (row["before"], row["after"], row["spans"]) == (1, 0, lost["PERSON"].support)
    shown = rf"Forgetting guard: .*\n(.*\n)* *PERSON spans kept +1\.000 +0\.000 +{row['spans']}\n"
    assert re.match(shown, str(report))
    assert "session.model.use(report)" in str(report)
    session.model.use(report)
    assert share_kept(found(old, travel_texts), found(session.nlp, travel_texts)) < 0.5


def test_a_label_that_no_text_shows_is_named(travel_path):
    with Session("pizza", model=travel_path, store=":memory:") as session:
        session.add(pizza_rows(12, 1))
        report = session.train(margin=None, max_epochs=1, progress=False)
    assert report.retention.unmeasured == ("DATE",)
    assert "not measured, since it found none there outside of gold: DATE" in str(report)


def test_a_run_in_the_background_is_held_too(absent):
    old = absent.nlp
    report = absent.train(max_epochs=10, background=True, progress=False).wait(120)
    assert not report.in_use
    assert absent.nlp is old
    assert "PERSON" in {one.label for one in report.regressed_labels}


def test_without_a_margin_no_label_is_held(absent):
    report = absent.train(margin=None, max_epochs=10, progress=False)
    assert report.in_use
    assert report.retention.kept < 0.5 * report.retention.before


def test_what_no_answer_could_give_is_missing_and_not_absent(session):
    report = session.train(init="continue", margin=None, max_epochs=1, progress=False)
    folder = report.path.parent
    vocab = spacy.blank("en").vocab
    for doc in DocBin().from_disk(folder / "train.spacy").get_docs(vocab):
        assert [entity.label_ for entity in doc.ents] == ["PIZZA"]
        inside = {token.i for entity in doc.ents for token in entity}
        assert {token.ent_iob_ for token in doc if token.i not in inside} == {""}
    # What is evaluated on is missing only where the pipeline finds something.
    for doc in DocBin().from_disk(folder / "dev.spacy").get_docs(vocab):
        missing = {token.text for token in doc if token.ent_iob_ == ""}
        assert missing >= {word for name in PERSONS if name in doc.text for word in name.split()}
        assert "O" in {token.ent_iob_ for token in doc}


def test_the_new_label_is_not_found_where_answers_rule_it_out(session):
    report = session.train(margin=None, **OPTIONS)
    assert report.f > 0.9
    examples = session.examples("train", answer="accept")
    right = Counter((i, span) for i, one in enumerate(examples) for span in one.spans)
    spans = found(session.nlp, [one.text for one in examples])
    assert Counter({key: n for key, n in spans.items() if key[1].label == "PIZZA"}) == right
    assert {"PERSON", "GPE"} < {span.label for _, span in spans}
    assert report.record["data"]["partial"] == 36


def test_spacy_train_arrives_at_the_same_weights(session, tmp_path):
    import subprocess
    import sys

    report = session.train(margin=None, seed=5, max_epochs=2, progress=False)
    command = [sys.executable, "-m", "spacy", "train", report.path.parent / "config.cfg"]
    subprocess.run([*command, "--output", tmp_path / "cli"], check=True, capture_output=True)
    other = spacy.load(tmp_path / "cli" / "model-best").get_pipe("ner").model
    own = session.nlp.get_pipe("ner").model
    assert own.to_bytes() == other.to_bytes()


def test_the_gold_decides_where_the_answers_could_give_the_label(travel_path, travel_texts):
    nlp = load_base(travel_path)
    with Session("p", model=travel_path, labels=["PERSON"], store=":memory:") as session:
        examples = [
            Example(text, spans=spans, answer="accept")
            for text, spans in zip(travel_texts, predict(nlp, travel_texts), strict=True)
        ]
        people = [
            Example(
                one.text,
                spans=tuple(
                    Span(s.start, s.end, "PERSON") for s in one.spans if s.label == "PERSON"
                ),
                answer="accept",
            )
            for one in examples
        ]
        session.add(people[:30])
        session.add(people[30:], split="dev")
        report = session.train(init="continue", **OPTIONS)
    labels = set(report.retention.frame["label"])
    assert "PERSON" not in labels
    assert "GPE" in labels


def test_a_large_dataset_is_sampled_and_the_numbers_are_said(session, monkeypatch):
    monkeypatch.setattr("nbner.session.training.MAX_TEXTS", 50)
    report = session.train(margin=None, max_epochs=1, progress=False)
    assert (report.retention.n, report.retention.total) == (50, 88)
    assert "in 50 of 88 texts" in str(report)
