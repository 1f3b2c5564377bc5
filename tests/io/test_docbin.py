"""spaCy's DocBin and Docs."""

import os
import random
import tempfile
from pathlib import Path

import pytest
import spacy
import srsly
from example_strategies import examples, json_values
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import DocBin
from spacy.tokens import Span as DocSpan

from nbner import DataError, Example, NbnerError, Span
from nbner._common.alignment import join_words
from nbner.io.formats import read, write

NLP = spacy.blank("en")
DAMAGES = int(os.environ.get("NBNER_DAMAGES", "60"))


def doc_of(text, *spans):
    doc = NLP(text)
    doc.ents = [doc.char_span(start, end, label=label) for start, end, label in spans]
    return doc


def saved(path, *docs):
    DocBin(docs=docs).to_disk(path)
    return path


def loaded(path):
    return list(DocBin().from_disk(path).get_docs(NLP.vocab))


def test_a_doc_is_gold_with_its_own_tokens(tmp_path):
    text = "Add  5ml\nof 水 👩‍🔬 now "
    (row,) = read(saved(tmp_path / "a.spacy", doc_of(text, (5, 8, "Amount"))))
    assert (row.text, row.spans, row.gold) == (text, (Span(5, 8, "Amount"),), True)
    expected = [(token.text, token.idx, bool(token.whitespace_)) for token in NLP(text)]
    assert [(token.text, token.start, token.ws) for token in row.tokens] == expected


def test_missing_is_not_the_same_as_empty(tmp_path):
    missing, empty = NLP("Add 5 ml"), doc_of("Stir it")
    first, second = read(saved(tmp_path / "a.spacy", missing, empty))
    assert (first.spans, first.gold) == (None, False)
    assert (second.spans, second.gold) == ((), True)


def test_a_doc_annotated_in_part_holds_suggestions():
    doc = NLP("Add 5 ml")
    doc.set_ents([DocSpan(doc, 1, 3, label="Amount")], default="missing")
    (row,) = read([doc])
    assert (row.spans, row.gold) == ((Span(4, 8, "Amount"),), False)


@pytest.mark.parametrize("wrap", [list, tuple, iter, lambda docs: DocBin(docs=docs)])
def test_docs_in_memory_are_read_too(wrap):
    rows = list(read(wrap([doc_of("Add 5 ml", (4, 8, "Amount")), doc_of("Stir")])))
    assert [(row.text, row.spans, row.line) for row in rows] == [
        ("Add 5 ml", (Span(4, 8, "Amount"),), 1),
        ("Stir", (), 2),
    ]


def test_a_single_doc_is_one_row():
    (row,) = read(doc_of("Stir it"))
    assert row.text == "Stir it"


def test_entities_that_spacy_cannot_read_are_refused():
    doc = NLP("Add 5 ml")
    doc.set_ents([DocSpan(doc, 1, 3, label="X")])
    doc[1].ent_type_ = doc[2].ent_type_ = ""
    with pytest.raises(DataError, match=r"line 1.*E093"):
        list(read([doc]))


def test_what_is_written_is_what_spacy_trains_on(tmp_path):
    text, tokens = join_words(["Add", "5", "ml"])
    example = Example(text, tokens, (Span(4, 8, "Amount"),), "accept")
    assert write([example], tmp_path / "a.spacy").written == 1
    (doc,) = loaded(tmp_path / "a.spacy")
    assert [(entity.text, entity.label_) for entity in doc.ents] == [("5 ml", "Amount")]
    assert [token.ent_iob_ for token in doc] == ["O", "B", "I"]


def test_accepted_without_an_entity_is_written_as_outside_not_as_missing(tmp_path):
    text, tokens = join_words(["Stir", "it"])
    write([Example(text, tokens, answer="accept")], tmp_path / "a.spacy")
    assert [token.ent_iob_ for token in loaded(tmp_path / "a.spacy")[0]] == ["O", "O"]


def test_only_accepted_gold_is_written(tmp_path):
    text, tokens = join_words(["Stir"])
    given = [Example(text, tokens, answer=kind) for kind in ("accept", "reject", "ignore", None)]
    given.append(Example(text, tokens, answer="accept", binary=True))
    export = write(given, tmp_path / "a.spacy")
    assert (export.written, export.left_out) == (1, 4)
    assert len(loaded(tmp_path / "a.spacy")) == 1


@given(
    st.lists(
        examples(meta=st.dictionaries(st.text(max_size=3), json_values, max_size=2)), max_size=3
    )
)
def test_gold_survives_a_round_trip(drawn):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.spacy"
        write(drawn, path)
        rows = list(read(path))
    for example, row in zip(drawn, rows, strict=True):
        assert (row.text, row.spans, row.gold) == (example.text, example.spans, True)
        assert (row.meta, row.flagged, row.note) == (example.meta, example.flagged, example.note)
        places = {(token.start, token.end) for token in row.tokens}
        assert {(token.start, token.end) for token in example.tokens} <= places
        added = places - {(token.start, token.end) for token in example.tokens}
        assert all(row.text[start:end].isspace() for start, end in added)


@given(st.text("aé🧪水 \n\t.", min_size=1, max_size=30).filter(str.strip))
def test_spacys_own_tokens_survive_exactly(text):
    doc = NLP(text)
    doc.ents = []
    (row,) = read([doc])
    example = Example(row.text, row.tokens, answer="accept", pretokenized=True)
    with tempfile.TemporaryDirectory() as folder:
        write([example], Path(folder) / "a.spacy")
        (again,) = read(Path(folder) / "a.spacy")
    assert (again.text, again.tokens) == (row.text, row.tokens)


def test_a_file_that_is_no_docbin_is_refused(tmp_path):
    path = tmp_path / "a.spacy"
    for content in (b"", b"text", b"x\x9c", b'{"text": "a"}'):
        path.write_bytes(content)
        with pytest.raises(DataError, match="not a DocBin"):
            list(read(path))


def test_a_damaged_file_gives_rows_or_a_clear_error(tmp_path):
    import zlib

    path = saved(
        tmp_path / "a.spacy", *(doc_of("Add 5 ml of LB", (4, 8, "Amount")) for _ in range(5))
    )
    whole = zlib.decompress(path.read_bytes())
    random.seed(1)
    refused = 0
    for _ in range(DAMAGES):
        damaged = bytearray(whole)
        for _ in range(random.randint(1, 4)):
            damaged[random.randrange(len(damaged))] = random.randrange(256)
        path.write_bytes(zlib.compress(bytes(damaged)))
        try:
            list(read(path))
        except NbnerError:
            refused += 1
    assert refused > DAMAGES / 6


@pytest.mark.parametrize("kept", [3, "{", "3", '{"meta": 3}', '{"note": 3}'])
def test_user_data_of_another_kind_is_refused(tmp_path, kept):
    doc = doc_of("Stir")
    doc.user_data["nbner"] = kept
    docs = DocBin(store_user_data=True, docs=[doc])
    docs.to_disk(tmp_path / "a.spacy")
    with pytest.raises(DataError, match="line 1"):
        list(read(tmp_path / "a.spacy"))


@pytest.mark.parametrize("content", [1, [1], {}, {"attrs": 3}, {"attrs": [], "tokens": "x"}])
def test_a_packed_file_of_something_else_is_refused(tmp_path, content):
    import zlib

    path = tmp_path / "a.spacy"
    path.write_bytes(zlib.compress(srsly.msgpack_dumps(content)))
    with pytest.raises(DataError):
        list(read(path))
