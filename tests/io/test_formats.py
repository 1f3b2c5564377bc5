"""The registry: what is read how, and files that are left whole."""

import os
import random
import stat

import pytest

from nbner import DataError, Example, Span, Token
from nbner.io.formats import read, write
from nbner.io.rows import Row


def test_a_list_of_strings_is_texts():
    rows = list(read(["Add 5 ml", "Stir"]))
    assert [(row.text, row.spans, row.line) for row in rows] == [
        ("Add 5 ml", None, 1),
        ("Stir", None, 2),
    ]


def test_an_endless_stream_is_taken_one_by_one():
    rows = read(f"text {n}" for n in iter(int, 1))
    assert [next(rows).text for _ in range(3)] == ["text 0"] * 3


def test_a_file_of_lines_is_texts(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("Add 5 ml.\n\n  \nStir vitamin O\nand wait.\n")
    assert [(row.text, row.line) for row in read(str(path))] == [
        ("Add 5 ml.", 1),
        ("Stir vitamin O", 4),
        ("and wait.", 5),
    ]


def test_kinds_may_be_mixed():
    example = Example("Wait", spans=(Span(0, 4, "A"),))
    rows = list(read(["Add", {"text": "Stir", "answer": "ignore"}, example, Row("Rest")]))
    assert [(row.text, row.spans, row.answer) for row in rows] == [
        ("Add", None, None),
        ("Stir", (), "ignore"),
        ("Wait", (Span(0, 4, "A"),), None),
        ("Rest", None, None),
    ]


@pytest.mark.parametrize("source", [{"text": "Add"}, Example("Add")])
def test_a_single_row_needs_no_list(source):
    assert [row.text for row in read(source)] == ["Add"]


@pytest.mark.parametrize("source", [3, None, b"Add", 3.5, object()])
def test_what_holds_no_rows_is_refused(source):
    with pytest.raises(DataError, match="Give a path"):
        list(read(source))


@pytest.mark.parametrize("value", [3, None, float("nan"), b"Add", ["Add"]])
def test_what_is_no_row_is_refused_with_its_place(value):
    with pytest.raises(DataError) as caught:
        list(read(["fine", value]))
    assert caught.value.line == 2


def test_tokens_of_an_example_must_rebuild_its_text():
    example = Example("Add 5", (Token("Add", 0, 3),), pretokenized=True)
    with pytest.raises(DataError, match="leave out '5'"):
        list(read([example]))


@pytest.mark.parametrize("name", ["nowhere.jsonl", "no\0name.jsonl", "Add 5 ml of LB. " * 100])
def test_a_file_that_is_not_there_says_so(tmp_path, name):
    with pytest.raises(DataError, match=r"no such file|cannot be read"):
        list(read(str(tmp_path / name)))


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(DataError, match="folder"):
        list(read(tmp_path))
    with pytest.raises(DataError, match="folder"):
        write([], tmp_path / "a.jsonl" / "b.jsonl")
    (tmp_path / "a.jsonl").mkdir()
    with pytest.raises(DataError, match="folder"):
        write([], tmp_path / "a.jsonl")


def test_an_unknown_suffix_names_the_known_ones(tmp_path):
    path = tmp_path / "a.docx"
    path.write_text("a")
    with pytest.raises(DataError, match=r"'\.docx'.*\.jsonl"):
        list(read(path))
    with pytest.raises(DataError, match=r"'\.docx'.*\.spacy"):
        write([], path)


def test_suffixes_in_capitals_are_the_same(tmp_path):
    path = tmp_path / "A.JSONL"
    path.write_text('{"text": "Add"}')
    assert [row.text for row in read(path)] == ["Add"]


@pytest.mark.parametrize("suffix", [".jsonl", ".json", ".csv", ".tsv", ".conll", ".spacy", ".ann"])
def test_a_failed_export_leaves_what_was_there(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    path.write_text("before")

    def broken():
        yield Example("Add", (Token("Add", 0, 3),), answer="accept")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(broken(), path)
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("suffix", [".jsonl", ".json", ".csv", ".tsv", ".conll", ".spacy", ".ann"])
def test_an_export_replaces_the_file_and_has_usual_permissions(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    path.write_text("before")
    export = write([Example("Add", (Token("Add", 0, 3),), answer="accept")], str(path))
    (tmp_path / "other").touch()
    assert (export.path, export.written) == (path, 1)
    assert [row.text for row in read(path)] == ["Add"]
    modes = [stat.S_IMODE(one.stat().st_mode) for one in (path, tmp_path / "other")]
    assert modes[0] == modes[1]


@pytest.mark.parametrize("suffix", [".jsonl", ".json", ".csv", ".tsv", ".conll", ".spacy", ".ann"])
def test_a_folder_that_is_missing_is_named(tmp_path, suffix):
    path = tmp_path / "nowhere" / f"a{suffix}"
    with pytest.raises(DataError, match="nowhere"):
        write([], path)


@pytest.mark.parametrize("suffix", [".csv", ".conll"])
def test_a_text_without_utf_8_is_refused(tmp_path, suffix):
    example = Example("\ud83d", (Token("\ud83d", 0, 1),), answer="accept")
    with pytest.raises(DataError, match="UTF-8"):
        write([example], tmp_path / f"a{suffix}")


def test_an_export_says_what_it_left_out(tmp_path):
    given = [Example("Add", (Token("Add", 0, 3),), answer=kind) for kind in ("accept", "ignore")]
    said = str(write(given, tmp_path / "a.conll"))
    assert "1 example" in said
    assert "1 that is not accepted gold" in said


DAMAGES = int(os.environ.get("NBNER_DAMAGES", "60"))
# What stands once at the top, and what is repeated.
SPANS = '[{""start"":0,""end"":3,""label"":""N""}]'
SAMPLES = {
    ".jsonl": ("", '{"text": "Add 5 ml", "spans": [{"start": 4, "end": 8, "label": "N"}]}\n'),
    ".conll": ("", "# text = Add 5 ml\nAdd\tO\n5\tB-N\nml\tI-N\n\n"),
    ".txt": ("", "Add O\n5 B-N\nml I-N\n\n"),
    ".tsv": ("text\tspans\tanswer\n", "Add 5 ml\t[]\taccept\n"),
    ".csv": ("text,spans,answer,_timestamp\n", f'"Add 5 ml","{SPANS}",accept,5\n'),
}


@pytest.mark.parametrize("suffix", SAMPLES)
def test_damaged_files_give_rows_or_a_clear_error(tmp_path, suffix, add):
    chance = random.Random(suffix)
    head, line = SAMPLES[suffix]
    whole = f"{head}{line * 3}".encode()
    refused = []
    for n in range(DAMAGES):
        damaged = bytearray(whole)
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(len(damaged))
            damaged[at : at + chance.randint(0, 2)] = chance.randbytes(chance.randint(0, 2))
        path = tmp_path / f"{n}{suffix}"
        path.write_bytes(damaged)
        try:
            add(path, split=str(n))
        except DataError as error:
            refused.append(error.file == str(path))
    assert all(refused)
    assert 0 < len(refused) < DAMAGES
