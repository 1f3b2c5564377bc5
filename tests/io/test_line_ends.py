"""Line ends, byte order marks and encodings of other people's files."""

import codecs
import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import nbner
from nbner import DataError, Session
from nbner.io.formats import read

MARK = "\ufeff"
TAGGED = "Ada\tB-PER\nlives\tO\n\nOslo\tB-LOC\nis\tO\n"
TABLE = 'text,n\n"Add 5 ml",1\nStir,2\n'
LINES = "Add 5 ml\n\nStir\n"


def texts_of(row):
    return [(row.text[span.start : span.end], span.label) for span in row.spans or ()]


@pytest.fixture
def documents(tmp_path):
    """Write a folder of brat documents: {"d.txt": ..., "d.ann": ...}."""

    def documents(files):
        folder = tmp_path / "docs"
        folder.mkdir()
        for name, text in files.items():
            (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        return folder

    return documents


# CoNLL's document marks.


@pytest.mark.parametrize(
    "head",
    [
        "-DOCSTART- -X- O\n",
        "-DOCSTART-\n\n",
        "-DOCSTART- O\n\n",
        "-DOCSTART- (doc1)\n\n",
        "-DOCSTART- -X- -X- O\n\n",
        "-DOCSTART-\tB-X\ta\tb\tc\td\n",
        "",
    ],
)
@pytest.mark.parametrize("separator", [" ", "\t"])
def test_a_document_mark_is_a_boundary_whatever_stands_behind_it(tmp_path, head, separator):
    lines = "Mina -X- _ B-PER\nKovac -X- _ I-PER\nflew -X- _ O\n".replace(" ", separator)
    path = tmp_path / "result.conll"
    path.write_text(f"{head}{lines}{head or chr(10)}Oslo -X- _ B-LOC\n".replace(" ", separator))
    assert [(row.text, texts_of(row)) for row in read(path)] == [
        ("Mina Kovac flew", [("Mina Kovac", "PER")]),
        ("Oslo", [("Oslo", "LOC")]),
    ]


def test_a_word_that_only_begins_like_a_document_mark_is_a_word(tmp_path):
    (tmp_path / "a.conll").write_text("-DOCSTART-s\tB-X\nare\tO\n")
    (row,) = read(tmp_path / "a.conll")
    assert (row.text, texts_of(row)) == ("-DOCSTART-s are", [("-DOCSTART-s", "X")])


# Line ends and encodings of files that are read line by line.

TASKS = '{"text": "Café au lait", "answer": "accept"}\n{"text": "Stir"}\n'


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.conll", TAGGED),
        ("a.txt", TAGGED),
        ("a.csv", TABLE),
        ("a.txt", LINES),
        ("a.jsonl", TASKS),
        ("a.json", json.dumps([json.loads(line) for line in TASKS.splitlines()], indent=1)),
    ],
)
@pytest.mark.parametrize("end", ["\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", MARK])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_line_ends_marks_and_encodings_change_nothing(tmp_path, name, content, end, mark, encoding):
    (tmp_path / name).write_text(content)
    wanted = [(row.text, row.spans, row.meta, row.answer) for row in read(tmp_path / name)]
    assert len(wanted) == 2
    (tmp_path / name).write_bytes((mark + content.replace("\n", end)).encode(encoding))
    found = list(read(tmp_path / name, encoding=encoding))
    assert [(row.text, row.spans, row.meta, row.answer) for row in found] == wanted


def test_a_carriage_return_in_a_file_with_line_feeds_stays_in_the_text(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"one\rtwo\nthree\r\n")
    assert [row.text for row in read(tmp_path / "a.txt")] == ["one\rtwo", "three"]


@pytest.mark.parametrize("name", ["a.txt", "a.csv", "a.conll", "a.jsonl", "a.json"])
def test_another_encoding_is_named_by_its_remedy(tmp_path, name):
    content = {
        "a.txt": "Café\n",
        "a.csv": "text\nCafé\n",
        "a.conll": "Café\tB-X\n",
        "a.jsonl": '{"text": "Café"}\n',
        "a.json": '[{"text": "Café"}]',
    }[name]
    path = tmp_path / name
    path.write_bytes(content.encode("cp1252"))
    with pytest.raises(DataError, match="not UTF-8") as caught:
        list(read(path))
    assert 'encoding="cp1252"' in caught.value.remedy
    assert [row.text for row in read(path, encoding="cp1252")] == ["Café"]
    assert [one.text for one in nbner.read(path, encoding="cp1252")] == ["Café"]
    session = Session("d", store=":memory:")
    assert session.add(path, encoding="cp1252").added == 1
    assert session.examples()[0].text == "Café"


@pytest.mark.parametrize("mark", [codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE])
def test_utf16_is_recognized_and_named(tmp_path, mark):
    encoding = "utf-16-le" if mark == codecs.BOM_UTF16_LE else "utf-16-be"
    (tmp_path / "a.jsonl").write_bytes(mark + '{"text": "Café"}\n'.encode(encoding))
    with pytest.raises(DataError) as caught:
        list(read(tmp_path / "a.jsonl"))
    assert 'encoding="utf-16"' in caught.value.remedy


@pytest.mark.parametrize("name", ["klingon", "rot13", "base64"])
def test_an_unknown_encoding_is_refused(tmp_path, name):
    (tmp_path / "a.txt").write_text("Stir\n")
    with pytest.raises(DataError, match=f"'{name}' is no encoding") as caught:
        list(read(tmp_path / "a.txt", encoding=name))
    assert caught.value.field == "encoding"


def test_the_line_that_is_not_in_the_encoding_is_named(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"one\ntwo\n\xff\n")
    with pytest.raises(DataError) as caught:
        list(read(tmp_path / "a.txt", encoding="ascii"))
    assert (caught.value.line, "ascii" in caught.value.problem) == (3, True)


# Marks of plain texts that are read whole.


def test_the_mark_of_a_whole_text_is_cut_off(documents):
    folder = documents({"a.txt": f"{MARK}Oslo is nice.\r\nVery.", "empty.txt": MARK})
    (row,) = read(folder)
    assert row.text == "Oslo is nice.\r\nVery."
    (row,) = read(folder / "a.txt", by="file")
    assert row.text == "Oslo is nice.\r\nVery."


# Standoff.


@pytest.mark.parametrize(
    ("txt", "ann"),
    [
        ("John loves Mary.\r\nHe left.", "T1\tPER 0 4\tJohn\nT2\tPER 17 19\tHe\n"),
        ("John loves Mary.\r\nHe left.", "T1\tPER 0 4\tJohn\r\nT2\tPER 18 20\tHe\r\n"),
        ("John loves Mary.\rHe left.", "T1\tPER 0 4\tJohn\rT2\tPER 17 19\tHe\r"),
        ("John loves Mary.\nHe left.", "T1\tPER 0 4\tJohn\nT2\tPER 18 20\tHe\n"),
        (f"{MARK}John loves Mary.\nHe left.", "T1\tPER 0 4\tJohn\nT2\tPER 17 19\tHe\n"),
        (f"{MARK}John loves Mary.\nHe left.", "T1\tPER 1 5\tJohn\nT2\tPER 18 20\tHe\n"),
        (f"{MARK}John loves Mary.\nHe left.", f"{MARK}T1\tPER 1 5\tJohn\nT2\tPER 18 20\tHe\n"),
        (f"{MARK}John loves Mary.\r\nHe left.", "T1\tPER 1 5\tJohn\nT2\tPER 18 20\tHe\n"),
        (f"{MARK}John loves Mary.\r\nHe left.", "T1\tPER 0 4\tJohn\nT2\tPER 17 19\tHe\n"),
        (f"{MARK}John loves Mary.\r\nHe left.", "T1\tPER 1 5\tJohn\nT2\tPER 19 21\tHe\n"),
        (f"{MARK}John loves Mary.\nHe left.", "T1\tPER 1 5\nT2\tPER 18 20\n"),
    ],
)
def test_offsets_are_taken_as_the_annotated_texts_show(documents, txt, ann):
    (row,) = read(documents({"d.txt": txt, "d.ann": ann}))
    assert texts_of(row) == [("John", "PER"), ("He", "PER")]
    assert row.text == txt.removeprefix(MARK)


def test_spans_over_a_line_end_and_in_pieces_are_converted(documents):
    ann = "T1\tX 4 8;9 12\tline end\nT2\tX 0 3;9 12\tone end\nR1\tRel Arg1:T1 Arg2:T2\n"
    folder = documents({"d.txt": "one line\r\nends here", "d.ann": ann})
    (row,) = read(folder)
    assert [row.text[s.start : s.end] for s in row.spans] == ["line\r\nend", "one line\r\nend"]


def test_offsets_that_fit_under_no_count_are_refused_with_their_line(documents):
    folder = documents(
        {"d.txt": "John loves Mary.\r\nHe left.", "d.ann": "T1\tPER 0 4\tJohn\nT2\tPER 2 4\tHe\n"}
    )
    with pytest.raises(DataError, match="'He' is written here") as caught:
        list(read(folder))
    assert (caught.value.line, caught.value.field) == (2, "T2")
    assert "line ends" in caught.value.remedy
    assert "as brat wrote" not in str(caught.value)


def test_empty_documents_are_passed_over(documents):
    folder = documents({"a.txt": "", "a.ann": "", "b.txt": "Oslo", "c.txt": " \r\n"})
    assert [row.text for row in read(folder)] == ["Oslo"]


def test_an_empty_text_with_annotations_is_refused(documents):
    with pytest.raises(DataError, match="not a stretch"):
        list(read(documents({"a.txt": "", "a.ann": "T1\tPER 0 4\tJohn\n"})))


def test_the_two_files_of_bionlp_are_one_annotation(documents, tmp_path):
    folder = documents(
        {
            "d.txt": "IL-2 is expressed.",
            "d.a1": "T1\tProtein 0 4\tIL-2\n",
            "d.a2": "T2\tGene_expression 8 17\texpressed\nE1\tGene_expression:T2 Theme:T1\n",
            "e.txt": "Nothing here.",
            "e.a1": "",
        }
    )
    first, second = read(folder)
    assert texts_of(first) == [("IL-2", "Protein"), ("expressed", "Gene_expression")]
    assert (second.spans, second.gold) == ((), True)
    for name in ("d.a1", "d.a2"):
        assert [texts_of(row) for row in read(folder / name)] == [texts_of(first)]
    session = Session("d", store=":memory:")
    assert session.add(folder).answered == 2
    session.export(tmp_path / "out")
    assert (tmp_path / "out" / "d.ann").read_text().splitlines() == [
        "T1\tProtein 0 4\tIL-2",
        "T2\tGene_expression 8 17\texpressed",
        "E1\tGene_expression:T2 Theme:T1",
    ]


def test_two_annotations_of_one_text_are_refused(documents):
    folder = documents({"d.txt": "IL-2", "d.a1": "T1\tP 0 4\tIL-2\n", "d.ann": ""})
    with pytest.raises(DataError, match=r"d\.a1 lies beside it"):
        list(read(folder))


# The same by property: whatever way of counting another tool had, the spans are these.

PIECES = ["Ada", "水", "🧪", "e\u0301", "in", "Oslo", ".", "x" * 9]


@st.composite
def annotated_texts(draw):
    """Draw a text with line feeds and unambiguous spans: no word occurs twice."""
    words = draw(st.lists(st.sampled_from(PIECES), min_size=3, max_size=12))
    text, spans = "", []
    for number, word in enumerate(words):
        start = len(text)
        text += f"{word}{number}"
        if draw(st.booleans()):
            spans.append((start, len(text)))
        text += draw(st.sampled_from([" ", "\n", "\n\n", " \n"]))
    return text.strip(), spans


def counted(text, spans, *, end, counts_end_as, mark, counts_mark):
    """Return the file of a text, and its spans as a tool counts them that reads it its own way."""
    file = (MARK if mark else "") + text.replace("\n", end)
    seen = (MARK if mark and counts_mark else "") + text.replace("\n", counts_end_as)

    def at(offset):
        before = text[:offset].replace("\n", counts_end_as)
        return len(before) + (1 if mark and counts_mark else 0)

    placed = [(at(start), at(stop)) for start, stop in spans]
    assert all(seen[a:b] == text[x:y] for (a, b), (x, y) in zip(placed, spans, strict=True))
    return file, placed


@given(
    annotated_texts(),
    st.sampled_from([("\n", "\n"), ("\n", "\r\n"), ("\r\n", "\n"), ("\r\n", "\r\n"), ("\r", "\n")]),
    st.booleans(),
    st.booleans(),
)
def test_standoff_is_read_however_line_ends_and_marks_were_counted(drawn, ends, mark, counts_mark):
    text, spans = drawn
    end, counts_end_as = ends
    file, placed = counted(
        text, spans, end=end, counts_end_as=counts_end_as, mark=mark, counts_mark=counts_mark
    )
    own = text.replace("\n", end)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "d.txt").write_bytes(file.encode())
        lines = [
            f"T{i}\tX {a} {b}\t{text[x:y]}{end}"
            for i, ((a, b), (x, y)) in enumerate(zip(placed, spans, strict=True), 1)
        ]
        (Path(folder) / "d.ann").write_bytes("".join(lines).encode())
        (row,) = read(folder)
        assert row.text == own
        assert [row.text[s.start : s.end] for s in row.spans] == [text[x:y] for x, y in spans]
        # And what is written from it is read as the same again.
        example = next(iter(nbner.read(folder)))
        nbner.write([example], Path(folder) / "again.ann")
        (again,) = read(Path(folder) / "again.ann")
        assert (again.text, again.spans) == (row.text, row.spans)


@given(
    annotated_texts(),
    st.sampled_from([("\n", "\r\n"), ("\r\n", "\n"), ("\r\n", "\r\n"), ("\n", "\n")]),
    st.booleans(),
)
def test_tasks_are_read_however_their_line_ends_were_counted(drawn, ends, with_tokens):
    text, spans = drawn
    end, counts_end_as = ends
    own, placed = counted(
        text, spans, end=end, counts_end_as=counts_end_as, mark=False, counts_mark=False
    )
    parts = [
        {"start": a, "end": b, "label": "X", "text": text[x:y]}
        for (a, b), (x, y) in zip(placed, spans, strict=True)
    ]
    task = {"text": own, "spans": parts, "answer": "accept"}
    if with_tokens and len(text.split()) == len(spans):
        task["tokens"] = [{key: one[key] for key in ("start", "end", "text")} for one in parts]
    (row,) = read([task])
    assert [row.text[s.start : s.end] for s in row.spans] == [text[x:y] for x, y in spans]
    value = [
        {"start": a, "end": b, "text": p["text"], "labels": ["X"]}
        for (a, b), p in zip(placed, parts, strict=True)
    ]
    result = [
        {"value": one, "from_name": "label", "to_name": "text", "type": "labels"} for one in value
    ]
    (row,) = read([{"data": {"text": own}, "annotations": [{"result": result}]}])
    assert [row.text[s.start : s.end] for s in row.spans] == [text[x:y] for x, y in spans]


def test_a_mark_in_a_task_may_not_have_been_counted():
    span = {"start": 0, "end": 4, "text": "John", "label": "PER"}
    (row,) = read([{"text": f"{MARK}John left.", "spans": [span]}])
    assert texts_of(row) == [("John", "PER")]


def test_tasks_whose_spans_fit_under_no_count_are_refused():
    span = {"start": 0, "end": 4, "text": "Mary", "label": "PER"}
    with pytest.raises(DataError, match="'Mary' is written here"):
        list(read([{"text": "John loves\r\nMary.", "spans": [span]}]))


# DocBin.


def test_an_empty_doc_among_many_is_passed_over(tmp_path):
    import spacy
    from spacy.tokens import DocBin

    nlp = spacy.blank("en")
    docs = [nlp("Oslo"), nlp(""), nlp("\n"), nlp("Stir")]
    DocBin(docs=docs).to_disk(tmp_path / "a.spacy")
    assert [row.text for row in read(tmp_path / "a.spacy")] == ["Oslo", "Stir"]
    assert [row.text for row in read(DocBin(docs=docs))] == ["Oslo", "Stir"]
