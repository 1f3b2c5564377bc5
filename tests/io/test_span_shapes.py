"""Spans of other tools: read as spans, or refused by the name of their shape."""

import json

import pytest

import nbner
from nbner import DataError, Session, Span

TEXT = "Mina Kovac flew to Oslo."
PER, LOC = Span(0, 10, "PER"), Span(19, 23, "LOC")
TRIPLES = [[0, 10, "PER"], [19, 23, "LOC"]]


def read(row, **options):
    (example,) = nbner.read([row], **options)
    return list(example.spans)


def items(start, end, label, **other):
    return [{start: span.start, end: span.end, label: span.label, **other} for span in (PER, LOC)]


TWO = items("start", "end", "label")
OFFSETS = items("start_offset", "end_offset", "label")

SHAPES = {
    "doccano label": {"id": 1, "label": TRIPLES, "Comments": []},
    "doccano labels": {"labels": TRIPLES},
    "doccano relations": {
        "relations": [],
        "entities": items("start_offset", "end_offset", "label"),
    },
    "spaCy v2 dict": {"entities": [(0, 10, "PER"), (19, 23, "LOC")]},
    "Doc.to_json": {
        "ents": items("start", "end", "label"),
        "sents": [{"start": 0, "end": 24}],
        "spans": {},
    },
    "Argilla 1": {
        "annotation": items("start", "end", "label"),
        "prediction": [{"label": "ORG", "start": 0, "end": 4, "score": 0.4}],
        "status": "Validated",
    },
    "token classification": {"output": items("start", "end", "entity_group", score=0.9)},
    "Stanza": {"ents": items("start_char", "end_char", "type")},
    "Presidio": {"analysis": {"results": items("start", "end", "entity_type", score=0.8)}},
    "Comprehend": {"Entities": items("BeginOffset", "EndOffset", "Type")},
    "Azure": {
        "entities": [
            {"text": "Mina Kovac", "category": "PER", "offset": 0, "length": 10},
            {"text": "Oslo", "category": "LOC", "offset": 19, "length": 4},
        ]
    },
    "Rasa": {
        "entities": [
            {"start": 0, "end": 10, "value": "Mina Kovac", "entity": "PER"},
            {"start": 19, "end": 23, "value": "Oslo", "entity": "LOC"},
        ]
    },
    "Flair": {
        "entities": [
            {
                "text": "Mina Kovac",
                "start_pos": 0,
                "end_pos": 10,
                "labels": [{"value": "PER", "confidence": 0.9}],
            },
            {
                "text": "Oslo",
                "start_pos": 19,
                "end_pos": 23,
                "labels": [{"value": "LOC", "confidence": 0.9}],
            },
        ]
    },
    "AutoML": {
        "annotations": [
            {
                "text_extraction": {
                    "text_segment": {"start_offset": span.start, "end_offset": span.end}
                },
                "display_name": span.label,
            }
            for span in (PER, LOC)
        ]
    },
    "Dataturks, ends inclusive": {
        "annotation": [
            {"label": ["PER"], "points": [{"start": 0, "end": 9, "text": "Mina Kovac"}]},
            {"label": ["LOC"], "points": [{"start": 19, "end": 22, "text": "Oslo"}]},
        ]
    },
    "BigBio": {
        "entities": [
            {"id": "1", "offsets": [[0, 10]], "text": ["Mina Kovac"], "type": "PER"},
            {"id": "2", "offsets": [[19, 23]], "text": ["Oslo"], "type": "LOC"},
        ]
    },
    "brat's JSON": {"entities": [["T1", "PER", [[0, 10]]], ["T2", "LOC", [[19, 23]]]]},
    "label first": {"marks": [["PER", 0, 10], ["LOC", 19, 23]]},
    "by label": {"found": {"PER": [[0, 10]], "LOC": [[19, 23]]}},
    "by place": {"found": {"0:10": "PER", "19:23": "LOC"}},
    "columns": {"found": {"start": [0, 19], "end": [10, 23], "label": ["PER", "LOC"]}},
    "JSON in a string": {"found": json.dumps(TRIPLES)},
    "repr in a string": {"found": repr([(0, 10, "PER"), (19, 23, "LOC")])},
    "deep": {"a": {"b": [{"c": {"entities": TRIPLES}}]}},
    "in meta": {"meta": {"source": "mail", "entities": TRIPLES}},
    "triples under spans": {"spans": [(0, 10, "PER"), (19, 23, "LOC")]},
    "tags of pieces": {
        "ner": [
            {"entity": "B-PER", "word": "Mina", "start": 0, "end": 4},
            {"entity": "I-PER", "word": "Ko", "start": 5, "end": 7},
            {"entity": "I-PER", "word": "##vac", "start": 7, "end": 10},
            {"entity": "B-LOC", "word": "Oslo", "start": 19, "end": 23},
        ]
    },
}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("answer", [{}, {"answer": "accept"}], ids=["open", "answered"])
def test_spans_are_read_whatever_their_key_and_shape(shape, answer):
    assert read({"text": TEXT, **shape, **answer}) == [PER, LOC]


@pytest.mark.parametrize("gold", [None, True])
def test_a_file_of_another_tool_is_added_with_its_spans(tmp_path, gold):
    path = tmp_path / "doccano.jsonl"
    rows = [{"id": 1, "text": TEXT, "label": TRIPLES}, {"id": 2, "text": "Nobody.", "label": []}]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    session = Session(store=":memory:")
    report = session.add(path, gold=gold)
    first, second = session.examples()
    assert (report.added, report.answered) == (2, 0 if gold is None else 2)
    assert (first.spans, second.spans) == ((PER, LOC), ())
    assert {first.answer, second.answer} == ({None} if gold is None else {"accept"})


REFUSED = {
    "ends inclusive": ({"ents": [[0, 9, "PER"], [19, 22, "LOC"]]}, "inclusive ends", "ents"),
    "from 1": ({"ents": [[1, 11, "PER"]]}, "counted from 1", "ents"),
    "in words": ({"ents": [[0, 2, "PER"], [4, 5, "LOC"]]}, "in words", "ents"),
    "outside": ({"ents": [[0, 10, "PER"], [90, 95, "LOC"]]}, "not inside of the text", "ents"),
    "without label": ({"ents": [{"start": 0, "end": 10}]}, "no label", "ents"),
    "label is a number": ({"ents": [{"start": 0, "end": 10, "label": 3}]}, "is a number", "ents"),
    "numbers": ({"entities": [[0, 10, 2]]}, "numbers stand where the labels", "entities"),
    "pairs": ({"entities": [[0, 10], [19, 23]]}, "no label", "entities"),
    "words": ({"entities": [{"text": "Oslo", "label": "LOC"}]}, "no offsets", "entities"),
    "words by label": ({"entities": {"LOC": ["Oslo"]}}, "no offsets", "entities"),
    "another word": (
        {"ents": [{"start": 0, "end": 10, "label": "PER", "text": "Ada"}]},
        "'Ada' is written there",
        "ents",
    ),
    "unknown name of the label": (
        {"marks": [{"start": 0, "end": 10, "foo": "PER"}]},
        "may be under 'foo'",
        "marks",
    ),
    "label is a number, any key": (
        {"marks": [{"start": 0, "end": 10, "label": 3}]},
        "is a number",
        "marks",
    ),
    "one is broken": ({"ents": [[0, 10, "PER"], ["LOC"]]}, "not every item", "ents"),
    "several labels": (
        {"ents": [{"start": 0, "end": 10, "labels": ["PER", "ORG"]}]},
        "several labels: PER, ORG",
        "ents",
    ),
    "two people": (
        {
            "annotations": [
                {**one, "user": i} for i, one in enumerate(items("start", "end", "label"))
            ]
        },
        "several people: 0, 1",
        "annotations",
    ),
    "compact": ({"found": "0:10:PER; 19:23:LOC"}, "looks like spans", "found"),
    "broken text": ({"found": "[{'start': 0, 'end': 10, 'label': PER}]"}, "looks like", "found"),
}


@pytest.mark.parametrize(("shape", "says", "field"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_read_as_spans_is_named(shape, says, field):
    with pytest.raises(DataError, match=says) as caught:
        read({"text": TEXT, **shape, "answer": "accept"})
    assert caught.value.field == field
    assert caught.value.line == 1
    assert "spans" in caught.value.remedy or "row for each person" in caught.value.remedy


def test_a_span_without_an_own_text_follows_those_that_have_one():
    spans = [{"start": 0, "end": 9, "label": "PER", "text": "Mina Kovac"}]
    assert read({"text": TEXT, "ents": [*spans, {"start": 19, "end": 22, "label": "LOC"}]}) == [
        PER,
        LOC,
    ]


@pytest.mark.parametrize(
    ("start", "end"), [(3, 7), (2, 6), (5, 9), (3, 6)], ids=["UTF-16", "points", "bytes", "closed"]
)
def test_the_units_follow_from_the_spans_own_text(start, end):
    row = {"text": "\U0001f600 Łódź", "ents": [{"start": start, "end": end, "label": "LOC"}]}
    row["ents"][0]["text"] = "Łódź"
    expected = Span(2, 6, "LOC")
    if (start, end) == (5, 9):
        row["ents"][0].update(start=5, end=12)
    assert read(row) == [expected]


def test_two_layers_are_refused_and_one_can_be_chosen():
    row = {"text": TEXT, "coarse": TRIPLES, "fine": [[0, 4, "FIRST"]]}
    with pytest.raises(DataError, match=r"'coarse' and 'fine'.*spans_key='coarse'"):
        read(row)
    assert read(row, spans_key="fine") == [Span(0, 4, "FIRST")]
    assert read(row, spans_key="coarse") == [PER, LOC]
    assert read({"text": TEXT, "coarse": TRIPLES, "again": TRIPLES}) == [PER, LOC]


def test_an_empty_list_beside_spans_is_refused_and_can_be_kept():
    row = {"text": TEXT, "spans": [], "ents": TRIPLES, "answer": "accept"}
    with pytest.raises(DataError, match="'spans' is empty"):
        read(row)
    assert read(row, spans_key="spans") == []


def test_a_layer_beside_spans_is_counted_as_not_read():
    spans = [{"start": 0, "end": 10, "label": "PER"}]
    session = Session(store=":memory:")
    report = session.add([{"text": TEXT, "spans": spans, "ents": TRIPLES}])
    assert (report.added, report.unread) == (1, 1)
    assert report.frame["kind"].tolist() == ["unread"]
    assert "'ents'" in report.frame["reason"][0]
    assert "1 other annotation not read" in str(report)
    assert session.examples()[0].extra["ents"] == TRIPLES


def test_a_key_that_no_row_has_is_refused():
    with pytest.raises(DataError, match="no row has spans under 'ent'"):
        read({"text": TEXT, "ents": TRIPLES}, spans_key="ent")


def test_a_text_under_another_key_is_named_even_inside_of_others():
    row = {"fields": {"body": TEXT}, "ents": TRIPLES}
    with pytest.raises(DataError, match=r"spans under 'ents'.*no text"):
        read(row)
    assert read(row, text="fields.body") == [PER, LOC]
    assert read({"document": {"text": TEXT, "ents": TRIPLES}}) == [PER, LOC]


def test_of_several_texts_one_is_chosen(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("title,body\nNews,Mina flew\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"name it: text=\"\.\.\.\""):
        list(nbner.read(path))
    (example,) = nbner.read(path, text="body")
    assert (example.text, example.meta) == ("Mina flew", {"title": "News"})


def test_spans_beside_another_text_are_refused():
    parts = [{"text": "Oslo is cold.", "ents": [[0, 4, "LOC"]]}]
    with pytest.raises(DataError, match="belong to another text"):
        read({"text": TEXT, "parts": parts})


PLAIN = [
    {"channel": "E-mail", "route": "U-Bahn"},
    {"tags": ["news", "sports"]},
    {"label": "positive"},
    {"cats": {"POS": 1.0}},
    {"bbox": [[1, 2], [3, 4]], "matrix": [[1, 2, 3]]},
    {"sents": [{"start": 0, "end": 24}]},
    {"sentences": [{"start": 0, "end": 24, "text": TEXT, "lang": "en"}]},
    {"links": [{"start": 0, "end": 4, "url": "a/b"}]},
    {"segments": [{"start": 0.5, "end": 2.25, "speaker": "A"}]},
    {"created": "2024-01-02", "n": 3, "ok": True, "nothing": None},
    {"urls": ["a", "b"], "user": {"id": 3, "name": "x"}},
]


@pytest.mark.parametrize("other", PLAIN)
def test_other_keys_are_left_alone(other):
    (example,) = nbner.read([{"text": TEXT, **other}])
    assert example.spans == ()
    assert {key: example.extra[key] for key in other} == other


def test_evaluation_reads_the_same_shapes():
    gold = [{"text": TEXT, "spans": [{"start": 0, "end": 10, "label": "PER"}]}]
    assert nbner.evaluate(gold, [{"text": TEXT, "label": [[0, 10, "PER"]]}]).f == 1.0
    assert nbner.evaluate([(TEXT, {"entities": [(0, 10, "PER")]})], gold).f == 1.0
