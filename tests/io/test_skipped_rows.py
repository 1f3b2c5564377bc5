"""Rows that cannot be added: they stop the import, or are left out and listed."""

import gzip
import json

import pandas as pd
import pytest
import spacy
from spacy.tokens import DocBin

from nbner import DataError, Example, Session, Span

GOOD = {"text": "Ada lives.", "spans": [{"start": 0, "end": 3, "label": "PER"}], "answer": "accept"}
BLANK = {"text": " ", "answer": "accept"}
OUTSIDE = {"text": "Oslo", "spans": [{"start": 0, "end": 9, "label": "LOC"}], "answer": "accept"}
UNNAMED = {"texts": "Oslo"}
MAYBE = {"text": "Stir", "answer": "maybe"}
LAST = {"text": "Bob left.", "answer": "accept"}


@pytest.fixture
def session():
    with Session("d", store=":memory:") as session:
        yield session


def skipped(report):
    return [
        (
            None if pd.isna(row.line) else int(row.line),
            None if pd.isna(row.field) else row.field,
            row.reason,
        )
        for row in report.skipped_rows.itertuples()
    ]


def texts(session):
    return [one.text for one in session.examples()]


def test_the_rest_is_added_and_each_row_left_out_is_listed(session, tmp_path):
    path = tmp_path / "a.jsonl"
    rows = [GOOD, BLANK, OUTSIDE, UNNAMED, MAYBE]
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows) + "{not json\n[1]\n")
    path.write_bytes(path.read_bytes() + b'{"text": "\xff"}\n' + json.dumps(LAST).encode())
    report = session.add(path, on_error="skip")
    assert texts(session) == [GOOD["text"], LAST["text"]]
    assert (report.added, report.answered, report.skipped) == (2, 2, 7)
    assert [(line, field) for line, field, _ in skipped(report)] == [
        (2, "text"),
        (3, "spans[0]"),
        (4, "text"),
        (5, "answer"),
        (6, None),
        (7, None),
        (8, None),
    ]
    assert skipped(report)[0][2] == "the text is empty"
    assert list(report.skipped_rows["file"]) == [str(path)] * 7
    assert list(report.skipped_rows["text"])[:2] == [" ", "Oslo"]
    assert list(report.frame["kind"]) == ["skipped"] * 7
    assert "7 rows skipped, listed in .skipped_rows" in str(report)


@pytest.mark.parametrize("row", [BLANK, OUTSIDE, UNNAMED, MAYBE])
@pytest.mark.parametrize("choices", [{}, {"on_error": "refuse"}])
def test_one_row_refuses_all_by_default_and_the_message_names_the_other_choice(
    session, row, choices
):
    with pytest.raises(DataError) as caught:
        session.add([GOOD, row, LAST], **choices)
    assert caught.value.line == 2
    assert 'leave such rows out with on_error="skip"' in str(caught.value)
    assert texts(session) == []


def test_a_report_without_skipped_rows_has_an_empty_table(session):
    report = session.add([GOOD])
    assert (report.skipped, len(report.skipped_rows)) == (0, 0)
    assert list(report.skipped_rows.columns) == ["file", "line", "field", "reason", "text"]
    assert "skipped" not in str(report)


def test_an_unknown_choice_is_refused(session):
    with pytest.raises(DataError, match="'drop' is no treatment") as caught:
        session.add([GOOD], on_error="drop")
    assert caught.value.field == "on_error"


@pytest.mark.parametrize("problem", ["missing.jsonl", "bad.spacy", "bad.xyz"])
def test_a_source_that_cannot_be_read_at_all_is_refused_either_way(session, tmp_path, problem):
    for name in ("bad.spacy", "bad.xyz"):
        (tmp_path / name).write_bytes(b"\x00\x01")
    with pytest.raises(DataError) as caught:
        session.add(tmp_path / problem, on_error="skip")
    assert "on_error" not in str(caught.value)


def test_labels_of_skipped_rows_are_not_taken(session):
    session.add([GOOD, OUTSIDE], on_error="skip")
    assert session.labels == ("PER",)


def test_a_label_that_is_not_allowed_costs_one_row():
    with Session("d", labels=["PER"], store=":memory:") as session:
        other = {"text": "Oslo", "spans": [{"start": 0, "end": 4, "label": "LOC"}]}
        report = session.add([GOOD, other, LAST], on_error="skip")
        assert (report.added, skipped(report)[0][:2]) == (2, (2, "spans[0].label"))


def test_an_answer_of_a_skipped_row_does_not_touch_what_is_there(session):
    session.add([GOOD])
    again = {**GOOD, "spans": [{"start": 0, "end": 99, "label": "PER"}]}
    assert session.add([again], on_error="skip").skipped == 1
    (example,) = session.examples()
    assert example.spans == (Span(0, 3, "PER"),)


# Every format.


def write_label_studio(folder):
    def task(text, start, end):
        value = {"start": start, "end": end, "labels": ["PER"]}
        result = {"value": value, "from_name": "label", "to_name": "text", "type": "labels"}
        return {"data": {"text": text}, "annotations": [{"result": [result]}]}

    path = folder / "a.json"
    tasks = [task("Ada lives.", 0, 3), task("Oslo", 0, 9), task("Bob left.", 0, 3), 5]
    path.write_text(json.dumps(tasks))
    return path, 2


def write_label_studio_with_one_bad_annotation_of_two(folder):
    good = {"value": {"start": 0, "end": 3, "labels": ["PER"]}}
    bad = {"value": {"start": "x", "end": 3, "labels": ["PER"]}}
    annotations = [{"result": [good]}, {"result": [bad]}]
    task = {"data": {"text": "Eve left."}, "annotations": annotations}
    plain = [{"data": {"text": text}} for text in ("Ada lives.", "Bob left.")]
    (folder / "a.json").write_text(json.dumps([plain[0], task, plain[1]]))
    return folder / "a.json", 1


def write_csv(folder):
    cells = ["text,answer", "Ada lives.,accept", "Oslo,maybe", ",accept", "a,b,c", "Bob left.,"]
    (folder / "a.csv").write_text("\n".join(cells) + '\nx"y,"z"z,\n')
    return folder / "a.csv", 4


def write_conll(folder):
    lines = (
        "Ada\tB-PER\nlives.\tO\n\nOslo\tB-LOC\nis\n\n# text = other\nwords\tO\n\nBob\tO\nleft.\tO\n"
    )
    (folder / "a.conll").write_text(lines)
    return folder / "a.conll", 2


def write_token_rows(folder):
    rows = [
        {"tokens": ["Ada", "lives."], "ner_tags": ["B-PER", "O"]},
        {"tokens": ["Oslo", "is"], "ner_tags": ["B-LOC"]},
        {"tokens": ["Bob", "left."], "ner_tags": ["O", "O"]},
    ]
    path = folder / "a.jsonl.gz"
    path.write_bytes(gzip.compress("".join(f"{json.dumps(row)}\n" for row in rows).encode()))
    return path, 1


def write_brat(folder):
    texts = {
        "a": ("Ada lives.", "PER 0 3"),
        "b": ("Oslo", "LOC 0 9"),
        "c": ("Bob left.", "PER 0 3"),
    }
    for name, (text, place) in texts.items():
        (folder / f"{name}.txt").write_text(text)
        (folder / f"{name}.ann").write_text(f"T1\t{place}\n")
    return folder, 1


def write_docbin(folder):
    nlp = spacy.blank("en")
    docs = [nlp("Ada lives."), nlp("Oslo"), nlp("Bob left.")]
    docs[1].user_data["nbner"] = "{not json"
    DocBin(docs=docs, store_user_data=True).to_disk(folder / "a.spacy")
    return folder / "a.spacy", 1


def write_plain_text(folder):
    (folder / "a.txt").write_bytes(b"Ada lives.\n\xff\nBob left.\n")
    return folder / "a.txt", 1


def write_plain_texts(folder):
    for name, text in {"a": b"Ada lives.", "b": b"\xff", "c": b"Bob left."}.items():
        (folder / f"{name}.txt").write_bytes(text)
    return folder, 1


def make_frame(_folder):
    frame = pd.DataFrame({"text": ["Ada lives.", None, "Oslo", "Bob left."]})
    frame["answer"] = ["accept", "accept", "maybe", None]
    return frame, 2


def make_objects(_folder):
    nlp = spacy.blank("en")
    examples = [Example("Ada lives."), Example("Oslo", spans=(Span(0, 9, "LOC"),)), None, 5]
    return [*examples, " ", {"text": 5}, nlp("Bob left.")], 5


def make_generator(_folder):
    return (row for row in ({"text": "Ada lives."}, BLANK, LAST)), 1


SOURCES = [
    write_label_studio,
    write_label_studio_with_one_bad_annotation_of_two,
    write_csv,
    write_conll,
    write_token_rows,
    write_brat,
    write_docbin,
    write_plain_text,
    write_plain_texts,
    make_frame,
    make_objects,
    make_generator,
]


@pytest.mark.parametrize("make", SOURCES, ids=lambda make: make.__name__)
def test_every_source_goes_on_behind_a_row_that_cannot_be_added(session, tmp_path, make):
    source, bad = make(tmp_path)
    report = session.add(source, on_error="skip")
    assert texts(session) == ["Ada lives.", "Bob left."]
    assert (report.added, report.skipped) == (2, bad)
    assert all(line is not None and reason for line, _, reason in skipped(report))


@pytest.mark.parametrize("make", SOURCES, ids=lambda make: make.__name__)
def test_every_source_is_refused_whole_by_default(session, tmp_path, make):
    source, _ = make(tmp_path)
    with pytest.raises(DataError, match='on_error="skip"'):
        session.add(source)
    assert texts(session) == []


def test_an_open_quote_is_reported_with_the_lines_that_it_takes(session, tmp_path):
    (tmp_path / "a.csv").write_text('text\nAda lives.\n"Oslo\nBob left.\nEve left.\n')
    report = session.add(tmp_path / "a.csv", on_error="skip")
    ((line, _, reason),) = skipped(report)
    assert (line, "the lines to 5" in reason) == (3, True)
    assert texts(session) == ["Ada lives."]


def test_a_sentence_of_conll_is_left_out_as_a_whole(session, tmp_path):
    lines = "Ada\tB-PER\n\nOslo\tB-LOC\nis\tNOTAG\nnice\tB-X\n\nBob\tB-PER\n"
    (tmp_path / "a.conll").write_text(lines)
    report = session.add(tmp_path / "a.conll", on_error="skip")
    assert texts(session) == ["Ada", "Bob"]
    assert skipped(report)[0][:2] == (4, "tag")
    assert session.labels == ("PER",)


def test_a_failure_of_the_store_still_adds_nothing(session, monkeypatch):
    from nbner.store import bulk_insert

    def fail(*_arguments):
        raise OSError("no space")

    monkeypatch.setattr(bulk_insert._BulkInserter, "_insert_derived_rows", fail)
    with pytest.raises(Exception, match="no space"):
        session.add([GOOD, BLANK, LAST], on_error="skip")
    monkeypatch.undo()
    assert texts(session) == []
    assert session.add([GOOD, BLANK, LAST], on_error="skip").added == 2
