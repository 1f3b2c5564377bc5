"""Files of further tools, models and shared tasks: read rightly, or refused by their names.

``other_tools.jsonl`` holds one small file a line: its name, its suffix, its
content and what becomes of it. "read" has the spans, "refused" is an error with
a remedy, "counted" is listed as not read, and "plain" has no annotations.
"""

import json
from pathlib import Path

import pytest

import nbner
from nbner import DataError, Session
from nbner.io.inline_markup import find_inline

pytestmark = pytest.mark.slow  # a store on disk for each of many files

LINES = (Path(__file__).parent / "other_tools.jsonl").read_text(encoding="utf-8").splitlines()
FILES = {one["name"]: one for one in map(json.loads, LINES)}
TEXT = "Mina Kovac flew to Oslo."


def path_of(file, folder):
    path = folder / f"a{file['suffix']}"
    path.write_text(file["content"], encoding="utf-8")
    return path


def spans_of(examples):
    return [[one.start, one.end, one.label] for example in examples for one in example.spans]


@pytest.mark.parametrize("file", FILES.values(), ids=FILES)
def test_no_annotated_file_becomes_examples_without_spans(file, tmp_path):
    path = path_of(file, tmp_path)
    with Session("d", store=":memory:") as session:
        if file["outcome"] == "refused":
            with pytest.raises(DataError) as caught:
                session.add(path)
            assert caught.value.remedy
            assert file["says"] in str(caught.value)
            assert session.counts().total == 0
            with pytest.raises(DataError):
                list(nbner.read(path))
            return
        report = session.add(path)
        assert spans_of(session.examples()) == file.get("spans", [])
        assert spans_of(nbner.read(path)) == file.get("spans", [])
        assert (report.unread > 0) == (file["outcome"] == "counted")


@pytest.mark.parametrize(
    ("row", "remedy"),
    [
        ({"text": TEXT, "person": [[0, 10]]}, "for s, e in row['person']"),
        ({"text": TEXT, "starts": [0], "ends": [10], "labels": ["PER"]}, "zip(row['starts']"),
        ({"text": TEXT, "entities": ["Mina Kovac"]}, "row['text'].index(word)"),
        ({"content": TEXT, "entities": [[0, 10, "PER"]]}, 'text="content"'),
        ({"data": {"rows": [{"text": TEXT, "ents": [[0, 10, "PER"]]}]}}, "['data']['rows'])"),
    ],
)
def test_the_remedy_is_the_line_that_converts_it(row, remedy):
    with pytest.raises(DataError) as caught:
        list(nbner.read([row]))
    assert remedy in caught.value.remedy


def test_offsets_under_any_other_key_are_counted_and_listed():
    with Session("d", store=":memory:") as session:
        report = session.add([{"text": TEXT, "hero": [[0, 10]]}])
        assert report.unread == 1
        assert "offsets without a label under the key 'hero'" in report.frame["reason"][0]


@pytest.mark.parametrize("key", ["hero", "Hero", "HERO"])
@pytest.mark.parametrize("value", [[[0, 10]], [0, 10], [{"start": 0, "end": 10}], ["Mina Kovac"]])
def test_a_key_that_is_one_of_the_sessions_labels_is_refused(key, value):
    with Session("d", store=":memory:", labels=["Hero"]) as session:
        with pytest.raises(DataError, match=f"'{key}'.*looks like"):
            session.add([{"text": TEXT, key: value}])
        assert session.add([{"text": TEXT, key: value}], spans_key="spans").added == 1


@pytest.mark.parametrize(
    "text",
    [
        "See [the page](http://x.org/a), [this](notes.md) and [that](#top).",
        "Write to [us](mailto:a@b.org) or a[i](x).",
        "<p>Mina <b>Kovac</b> <a href='x'>flew</a></p>",
        "if a<b and c>d: print(List<String>)",
        "He [sic] said [Smith 2020] that {x: 1} is and/or I/O",
        "The A/B test of TCP/IP took 5 km/h.",
        "B-52 bombers and I-95 are long",
    ],
)
def test_ordinary_marks_are_no_annotations(text):
    assert find_inline(text) is None
    assert [one.text for one in nbner.read([text])] == [text]


def test_a_text_that_marks_entities_can_be_taken_as_it_stands(tmp_path):
    text = "<PER>Mina</PER> flew"
    with pytest.raises(DataError, match="as elements of XML"):
        list(nbner.read([text]))
    with Session("d", store=":memory:") as session:
        session.add([text], spans_key="spans")
        session.export(tmp_path / "a.jsonl")
    assert [one.text for one in nbner.read(tmp_path / "a.jsonl")] == [text]


@pytest.mark.parametrize("ends", [[[0, 6, "PER"]], [[3, 2, "PER"]]])
def test_words_that_are_not_there_are_refused(ends):
    row = {"tokenized_text": ["Mina", "flew", "to", "Oslo"], "ner": ends}
    with pytest.raises(DataError, match="span in words"):
        list(nbner.read([row]))


def test_nothing_says_how_the_ends_of_other_words_count():
    with pytest.raises(DataError, match="no text"):
        list(nbner.read([{"words": ["Mina", "flew"], "ents": [[0, 1, "PER"]]}]))


def test_a_row_of_words_without_entities_has_none():
    (example,) = nbner.read([{"tokenized_text": ["It", "rains"], "ner": []}])
    assert (example.text, example.spans) == ("It rains", ())


def test_one_word_with_a_mark_and_an_o_may_be_a_text_and_several_are_not():
    """A word with O behind a mark may be meant as it stands; rows of them are a sentence."""
    assert [one.text for one in nbner.read(["Oslo,O"])] == ["Oslo,O"]
    texts = ["Oslo,O", "It rains.", "H/O", "It rains again."]
    assert [one.text for one in nbner.read(texts)] == texts
    with Session("d", store=":memory:") as session:
        rows = ["It rains.", "Oslo,O", "is,O", "cold,O", "It snows.", "H/O"]
        report = session.add(rows, on_error="skip")
        assert [one.text for one in session.examples()] == ["It rains.", "It snows.", "H/O"]
        assert list(report.skipped_rows["line"]) == [2, 3, 4]
        assert session.add(rows, spans_key="spans").added == 3


def test_a_document_of_sentences_is_one_text_with_its_key():
    row = {
        "doc_key": "d1",
        "sentences": [["It", "rains"], ["Oslo", "."]],
        "ner": [[], [[2, 2, "L"]]],
    }
    (example,) = nbner.read([row])
    assert (example.text, dict(example.meta)) == ("It rains Oslo .", {"doc_key": "d1"})
    assert [(one.start, one.end, one.label) for one in example.spans] == [(9, 13, "L")]
    assert [one.text for one in example.tokens] == ["It", "rains", "Oslo", "."]
