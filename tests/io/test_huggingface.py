"""Token rows, as Hugging Face's datasets holds them; and plain texts cut in three ways."""

from types import SimpleNamespace

import pytest
from example_strategies import examples
from hypothesis import given
from hypothesis import strategies as st

from nbner import DataError, Span
from nbner.io.formats import read, write
from nbner.io.huggingface import tags_to_ids
from nbner.io.rows import example_from_row

NAMES = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")
ROW = {"id": "0", "tokens": ["Ada", "Byron", "in", "Rome"], "ner_tags": [1, 2, 0, 3]}
SPANS = (Span(0, 9, "PER"), Span(13, 17, "LOC"))


def test_numbers_stand_for_names(jsonl):
    for source in ([ROW], jsonl(ROW)):
        (row,) = read(source, tag_names=NAMES)
        assert (row.text, row.spans, row.gold) == ("Ada Byron in Rome", SPANS, True)
        assert row.meta == {"id": "0"}
        assert [token.text for token in row.tokens] == ROW["tokens"]


def test_names_may_stand_there_themselves():
    (row,) = read([{**ROW, "ner_tags": ["B-PER", "I-PER", "O", "U-LOC"]}])
    assert row.spans == SPANS


def test_a_dataset_says_what_its_numbers_mean():
    class Dataset(list):
        pass

    dataset = Dataset([ROW])
    dataset.features = {"ner_tags": SimpleNamespace(feature=SimpleNamespace(names=list(NAMES)))}
    (row,) = read(dataset)
    assert row.spans == SPANS


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, "which tag the number 1"),
        ({"ner_tags": ["B-PER"]}, "4 tokens and 1 tag"),
        ({"ner_tags": ["B-PER", "x", "O", "O"]}, "'x' is not an entity tag"),
        ({"ner_tags": [None] * 4}, "missing"),
        ({"text": "Bea", "ner_tags": ["O"] * 4}, "not at"),
        ({"tokens": ["a", ""], "ner_tags": ["O", "O"]}, "empty"),
    ],
)
def test_what_cannot_be_is_named(change, said):
    with pytest.raises(DataError, match=said) as caught:
        list(read([{"text": "fine"}, {**ROW, **change}]))
    assert caught.value.line == 2


def test_a_number_too_high_is_named():
    with pytest.raises(DataError, match="9 is not one of 5 tags"):
        list(read([{**ROW, "ner_tags": [9, 0, 0, 0]}], tag_names=NAMES))


def test_numbers_for_a_dataset():
    rows, names = tags_to_ids([{**ROW, "ner_tags": ["B-PER", "I-PER", "O", "B-LOC"]}])
    assert names == ("O", "B-LOC", "I-LOC", "B-PER", "I-PER")
    assert rows[0]["ner_tags"] == [3, 4, 0, 1]


@given(st.lists(examples(), max_size=3))
def test_what_was_written_is_read_again(tmp_path_factory, given_examples):
    path = tmp_path_factory.mktemp("hf") / "out.jsonl"
    write(given_examples, path, format="huggingface")
    found = [example_from_row(row) for row in read(path)]

    def told(one):
        spans = [(span.start, span.end, span.label) for span in one.spans]
        places = [(token.start, token.end) for token in one.tokens]
        return one.text, spans, places, one.answer, one.flagged, one.note, dict(one.meta)

    assert [told(one) for one in found] == [told(one) for one in given_examples]


# Plain texts.


@pytest.fixture
def plain(tmp_path):
    path = tmp_path / "notes" / "a.txt"
    path.parent.mkdir()
    path.write_text("One\ntwo.\n \n\nThree.\n")
    return path


def test_a_text_by_line_by_paragraph_by_file(plain):
    found = {by: [(row.text, row.line) for row in read(plain, by=by)] for by in WAYS}
    assert found == WAYS


WAYS = {
    "line": [("One", 1), ("two.", 2), ("Three.", 5)],
    "paragraph": [("One\ntwo.", 1), ("Three.", 5)],
    "file": [("One\ntwo.\n \n\nThree.\n", 1)],
}


def test_a_folder_of_texts_is_read_by_file(plain):
    (plain.parent / "b.txt").write_text("Four")
    assert [row.meta for row in read(plain.parent)] == [{"document": "a"}, {"document": "b"}]
    assert [row.text for row in read(plain.parent, by="line")] == ["One", "two.", "Three.", "Four"]


def test_another_way_to_cut_and_another_format_are_refused(plain):
    with pytest.raises(DataError, match="no way to cut"):
        list(read(plain, by="word"))
    with pytest.raises(DataError, match="no format is called 'docx'"):
        list(read(plain, format="docx"))
    with pytest.raises(DataError, match="no format is called 'docx'"):
        write([], plain, format="docx")


def test_a_format_wins_over_the_suffix(plain, tmp_path):
    path = tmp_path / "tasks.log"
    path.write_text('{"text": "Add"}\n')
    assert [row.text for row in read(path, format="prodigy")] == ["Add"]
