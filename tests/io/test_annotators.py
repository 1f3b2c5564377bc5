"""Who answered, under whatever key an export has it."""

import json

import pytest

import nbner
from nbner import Session, Span

TEXT = "Mina Kovac flew to Oslo."
SPANS = [{"start": 0, "end": 10, "label": "PER"}]

KEYS = [
    *("_annotator_id", "annotator", "annotator_id", "Annotator", "annotatorId", "annotated_by"),
    *("completed_by", "username", "user", "user_id", "created_username", "worker", "WorkerId"),
    *("labeled_by", "coder", "rater", "_session_id"),
]
PEOPLE = [
    ("ann", "ann"),
    (7, "7"),
    (7.0, "7"),
    ({"id": 7, "email": "ann@x.org", "first_name": "Ann"}, "ann@x.org"),
    ({"id": 7, "username": "ann"}, "ann"),
    ({"id": 7}, "7"),
    (["ann"], "ann"),
]


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("rest", [{"spans": SPANS}, {"label": [[0, 10, "PER"]]}])
def test_the_author_is_kept_from_any_key(key, rest):
    (example,) = nbner.read([{"text": TEXT, **rest, key: "ann", "answer": "accept"}])
    assert (example.annotator, example.spans) == ("ann", (Span(0, 10, "PER"),))
    session = Session(store=":memory:")
    session.add([{"text": TEXT, **rest, key: "ann"}], gold=True)
    assert session.answers()["annotator"].tolist() == ["ann"]


@pytest.mark.parametrize(("value", "name"), PEOPLE)
def test_a_person_is_a_name_a_number_or_an_object(value, name):
    rows = [{"text": TEXT, "label": [[0, 10, "PER"]], "annotator": value, "answer": "accept"}]
    (example,) = nbner.read(rows)
    assert example.annotator == name


def test_two_people_are_never_one():
    people = ["ann", "Ann", "ann ", 1, {"id": 2}, {"email": "a@x", "id": 3}, {"email": "b@x"}]
    rows = [
        {"text": TEXT, "label": [[0, 10, "PER"]], "annotator": one, "answer": "accept"}
        for one in people
    ]
    session = Session(store=":memory:")
    report = session.add(rows)
    assert report.answered == len(people)
    assert session.answers()["annotator"].nunique() == len(people)


@pytest.mark.parametrize(
    "source",
    [
        [{"tokens": ["Mina"], "ner_tags": ["B-PER"], "annotator": "ann"}],
        [{"text": "Mina", "annotations": [{"label": "PER", "start": 0, "end": 4, "user": "ann"}]}],
        [{"text": "Mina", "annotations": [{"user": "ann", "entities": [[0, 4, "PER"]]}]}],
    ],
    ids=["token row", "each span", "a list of one annotation"],
)
def test_the_author_is_kept_in_every_dialect(source):
    session = Session(store=":memory:")
    session.add(source, gold=True)
    assert session.answers()["annotator"].tolist() == ["ann"]


def test_a_table_keeps_the_author(tmp_path):
    spans = json.dumps(SPANS).replace('"', '""')
    path = tmp_path / "a.csv"
    path.write_text(f'text,spans,answer,worker\n{TEXT},"{spans}",accept,ann\n', encoding="utf-8")
    (example,) = nbner.read(path)
    assert (example.annotator, dict(example.meta)) == ("ann", {})


@pytest.mark.parametrize(
    ("by", "name"),
    [
        ({"completed_by": 1}, "1"),
        ({"completed_by": {"id": 1, "email": "a@x"}}, "a@x"),
        ({"created_username": "a@x, 1"}, "a@x, 1"),
    ],
)
def test_label_studio_names_its_people_in_several_ways(by, name):
    value = {"start": 0, "end": 10, "labels": ["PER"]}
    result = [{"value": value, "from_name": "label", "to_name": "text", "type": "labels"}]
    task = {"id": 1, "data": {"text": TEXT}, "annotations": [{"result": result, **by}]}
    (example,) = nbner.read([task])
    assert example.annotator == name


def test_a_user_of_a_text_without_answer_is_a_column_like_others(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("text,user\nHello,ann\n", encoding="utf-8")
    (example,) = nbner.read(path)
    assert (example.annotator, dict(example.meta)) == (None, {"user": "ann"})
    (example,) = nbner.read([{"text": "Hello", "user": "ann"}])
    assert (example.annotator, example.extra["user"]) == (None, "ann")


def test_the_author_is_written_and_read_again(tmp_path):
    session = Session(store=":memory:")
    session.add([{"text": TEXT, "label": [[0, 10, "PER"]], "user": "ann", "answer": "accept"}])
    for name in ("a.jsonl", "a.json", "a.csv"):
        session.export(tmp_path / name)
        (example,) = nbner.read(tmp_path / name)
        assert example.annotator == "ann"
