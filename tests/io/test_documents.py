"""spaCy's training data, in Python and in JSON, and what is like it."""

import json

import pytest
import spacy
from spacy.tokens import DocBin
from spacy.training import Example as SpacyExample

import nbner
from nbner import DataError, Session, Span

TEXT = "Mina Kovac flew to Oslo."
PER, LOC = Span(0, 10, "PER"), Span(19, 23, "LOC")
BILUO = ["B-PER", "L-PER", "O", "O", "U-LOC", "O"]
WORDS = ["Mina", "Kovac", "flew", "to", "Oslo", "."]
TOKENS = [{"id": i, "orth": w, "ner": t} for i, (w, t) in enumerate(zip(WORDS, BILUO, strict=True))]
PARAGRAPH = {"raw": TEXT, "sentences": [{"tokens": TOKENS[:3]}, {"tokens": TOKENS[3:]}]}
PAIR = [TEXT, {"entities": [[0, 10, "PER"], [19, 23, "LOC"]]}]

FILES = {
    "pairs": [PAIR],
    "ner-annotator": {"classes": ["PER"], "annotations": [PAIR, None]},
    "spaCy's JSON": [{"id": 0, "paragraphs": [PARAGRAPH]}],
}


@pytest.mark.parametrize("content", FILES.values(), ids=FILES)
def test_training_data_in_json_is_read(tmp_path, content):
    path = tmp_path / "train.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    (example,) = nbner.read(path)
    assert (example.text, example.spans) == (TEXT, (PER, LOC))


@pytest.mark.parametrize(
    "source",
    [
        [(TEXT, {"entities": [(0, 10, "PER"), (19, 23, "LOC")]})],
        [(TEXT, [(0, 10, "PER"), (19, 23, "LOC")])],
        (TEXT, {"entities": [(0, 10, "PER"), (19, 23, "LOC")], "cats": {}}),
    ],
)
def test_training_tuples_are_read(source):
    (example,) = nbner.read(source)
    assert (example.text, example.spans) == (TEXT, (PER, LOC))


def test_two_texts_in_a_tuple_are_two_texts():
    assert [one.text for one in nbner.read(("Ada", "Bea"))] == ["Ada", "Bea"]


def test_a_lines_file_may_hold_pairs(tmp_path):
    path = tmp_path / "train.jsonl"
    path.write_text(json.dumps(PAIR) + "\n", encoding="utf-8")
    (example,) = nbner.read(path)
    assert example.spans == (PER, LOC)


def test_spacys_json_is_gold_with_its_tokens_unless_something_is_missing():
    (example,) = nbner.read([{"id": 7, "paragraphs": [PARAGRAPH]}])
    assert (example.answer, example.meta, len(example.tokens)) == ("accept", {"id": 7}, 6)
    unknown = [{**one, "ner": "-"} for one in TOKENS]
    (example,) = nbner.read([{"paragraphs": [{"raw": TEXT, "sentences": [{"tokens": unknown}]}]}])
    assert (example.answer, example.spans, len(example.tokens)) == (None, (), 6)
    partly = [TOKENS[0], TOKENS[1], *unknown[2:]]
    (example,) = nbner.read([{"paragraphs": [{"raw": TEXT, "sentences": [{"tokens": partly}]}]}])
    assert (example.answer, example.spans) == (None, (PER,))


def test_examples_of_spacy_are_read():
    nlp = spacy.blank("en")
    given = SpacyExample.from_dict(nlp(TEXT), {"entities": [(0, 10, "PER")]})
    (example,) = nbner.read([given])
    assert (example.spans, example.answer) == ((PER,), "accept")
    assert [one.spans for one in nbner.read(given)] == [(PER,)]


def test_a_doc_as_json_is_read():
    nlp = spacy.blank("en")
    doc = nlp(TEXT)
    doc.set_ents([doc.char_span(0, 10, label="PER"), doc.char_span(19, 23, label="LOC")])
    (example,) = nbner.read([doc.to_json()])
    assert example.spans == (PER, LOC)


@pytest.fixture
def grouped():
    nlp = spacy.blank("en")
    doc = nlp(TEXT)
    doc.spans["sc"] = [doc.char_span(0, 10, label="PER"), doc.char_span(0, 4, label="FIRST")]
    return doc


def sources(doc, folder):
    DocBin(docs=[doc]).to_disk(folder / "train.spacy")
    return [doc], folder / "train.spacy", DocBin(docs=[doc]), [doc.to_json()]


def test_spans_under_a_key_of_a_doc_are_refused_and_can_be_read(grouped, tmp_path):
    for source in sources(grouped, tmp_path):
        with pytest.raises(DataError, match="spans_key='sc'"):
            list(nbner.read(source))
        (example,) = nbner.read(source, spans_key="sc")
        assert set(example.spans) == {PER, Span(0, 4, "FIRST")}
        session = Session(store=":memory:")
        report = session.add(source, spans_key="sc")
        assert report.overlapping == 1
        assert session.examples()[0].spans == (PER,)


def test_a_doc_that_says_there_are_no_entities_is_not_taken_for_gold_beside_spans(grouped):
    grouped.set_ents([], default="outside")
    with pytest.raises(DataError, match="no entities, but spans"):
        Session(store=":memory:").add([grouped], gold=True)


def test_entities_are_read_and_other_spans_counted(grouped):
    grouped.set_ents([grouped.char_span(19, 23, label="LOC")])
    session = Session(store=":memory:")
    report = session.add([grouped])
    assert (report.unread, session.examples()[0].spans) == (1, (LOC,))
    assert "doc.spans['sc']" in report.frame["reason"][0]


def test_a_key_that_no_doc_has_is_refused(grouped):
    with pytest.raises(DataError, match="no row has spans under 'other'"):
        list(nbner.read([grouped], spans_key="other"))


def test_a_mapping_of_splits_is_refused_with_the_line_that_adds_one():
    rows = [{"tokens": ["Mina"], "ner_tags": ["B-PER"]}]
    with pytest.raises(DataError, match=r"'train', 'test'.*source\['train'\], split='train'"):
        list(nbner.read({"train": rows, "test": []}))


def test_a_prediction_is_made_over_docs_whatever_spans_they_have(grouped, tmp_path):
    nlp = spacy.blank("en")
    nlp.add_pipe("ner").add_label("PER")
    nlp.initialize()
    nlp.to_disk(tmp_path / "model")
    session = Session(store=":memory:", model=tmp_path / "model")
    assert list(session.predict([grouped]).columns)[:3] == ["example", "start", "end"]
