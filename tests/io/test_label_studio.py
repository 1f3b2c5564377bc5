"""Label Studio's JSON: its long and its short form, and all answers both ways."""

import json

import pytest
from example_strategies import examples, odd_labels
from hypothesis import given
from hypothesis import strategies as st

from nbner import DataError, Example, Span
from nbner.io.formats import read, write
from nbner.io.rows import example_from_row


def result(start, end, text, label="ORG", **more):
    value = {"start": start, "end": end, "text": text, "labels": [label]}
    return {"value": value, "from_name": "label", "to_name": "text", "type": "labels", **more}


TASK = {
    "id": 7,
    "data": {"text": "Acme 🧪 buys Bolt", "source": "mail"},
    "annotations": [
        {
            "completed_by": 3,
            "created_at": "2023-05-01T10:00:00.5Z",
            "result": [result(0, 4, "Acme")],
        },
        {"completed_by": {"email": "b@x"}, "was_cancelled": True, "result": []},
    ],
    "predictions": [{"model_version": "v1", "result": [result(12, 16, "Bolt")]}],
}


@pytest.fixture
def file(tmp_path):
    def file(*tasks, name="tasks.json"):
        path = tmp_path / name
        path.write_text(json.dumps(list(tasks), indent=1), encoding="utf-8")
        return path

    return file


def test_each_annotation_is_an_answer(file, add, dataset):
    report = add(file(TASK))
    assert (report.added, report.answered) == (1, 2)
    first, second = dataset.answers()
    assert (first.annotator, first.answer, first.spans) == ("3", "accept", (Span(0, 4, "ORG"),))
    assert first.created == 1682935200.5
    assert (second.annotator, second.answer) == ("b@x", "ignore")
    (example,) = dataset.examples()
    assert example.meta == {"source": "mail"}


def test_predictions_alone_are_suggestions(file):
    (row,) = read(file({**TASK, "annotations": []}))
    assert row.answer is None
    assert not row.gold
    assert row.spans == (Span(12, 16, "ORG"),)
    assert row.spans[0].source == "v1"


def test_old_offsets_in_utf_16_are_read_as_such(file):
    old = {**TASK, "annotations": [{"result": [result(13, 17, "Bolt")]}]}
    (row,) = read(file(old))
    assert row.spans == (Span(12, 16, "ORG"),)


def test_offsets_that_contradict_the_text_are_named(file):
    wrong = {**TASK, "annotations": [{"result": [result(1, 5, "Acme")]}]}
    with pytest.raises(DataError, match="'Acme' is written here") as caught:
        list(read(file(TASK, wrong)))
    assert caught.value.line > 10
    assert caught.value.field == "annotations[0].result[0]"


def test_the_short_form(file):
    short = {
        "id": 7,
        "text": "Acme buys",
        "source": "mail",
        "label": [{"start": 0, "end": 4, "text": "Acme", "labels": ["ORG"]}],
        "annotator": 2,
        "annotation_id": 9,
        "created_at": "2023-05-01T10:00:00Z",
        "lead_time": 3.5,
    }
    (row,) = read(file(short))
    assert (row.text, row.spans, row.answer) == ("Acme buys", (Span(0, 4, "ORG"),), "accept")
    assert (row.annotator, row.meta) == ("2", {"source": "mail"})


def test_a_text_under_another_name_goes_out_under_it(file, tmp_path):
    task = {"data": {"article": "Acme"}, "annotations": [{"result": [result(0, 4, "Acme")]}]}
    (row,) = read(file(task))
    write([example_from_row(row)], tmp_path / "out.json")
    (written,) = json.loads((tmp_path / "out.json").read_text())
    assert written["data"] == {"article": "Acme"}
    assert [one.text for one in read(tmp_path / "out.json")] == ["Acme"]


def test_a_rejected_example_is_no_annotation_there(tmp_path):
    example = Example("Acme", spans=(Span(0, 4, "ORG"),), answer="reject", annotator="ann")
    write([example], tmp_path / "out.json")
    (task,) = json.loads((tmp_path / "out.json").read_text())
    assert "annotations" not in task
    (row,) = read(tmp_path / "out.json")
    assert (row.answer, row.annotator, row.spans) == ("reject", "ann", (Span(0, 4, "ORG"),))


@pytest.mark.parametrize(
    "content",
    ["[", '[{"data": {"text": "a"}} {}]', "[1]", '{"data": 3', '[{"text": "a"}] x', "[{}]", '"a"'],
)
def test_what_is_no_list_of_tasks_is_refused(tmp_path, content):
    path = tmp_path / "a.json"
    path.write_text(content)
    with pytest.raises(DataError) as caught:
        list(read(path))
    assert caught.value.file == str(path)


def test_an_empty_list_holds_nothing(tmp_path):
    path = tmp_path / "a.json"
    path.write_text(" [ ] ")
    assert list(read(path)) == []


def test_items_longer_than_what_is_read_at_once(tmp_path):
    path = tmp_path / "a.json"
    texts = ["x" * 70_000, "水" * 90_000, "y"]
    path.write_text(json.dumps([{"text": text} for text in texts], ensure_ascii=False))
    assert [row.text for row in read(path)] == texts


def told(example):
    spans = [(span.start, span.end, span.label) for span in example.spans]
    return (
        *(example.text, spans, example.answer, example.flagged, example.note),
        *(example.annotator, dict(example.meta), example.binary, example.tokens),
        example.input_hash,
    )


@pytest.mark.parametrize(
    "task",
    [
        {"data": {"body": "Add"}, "meta": {"author": "Ada"}},
        {"data": {"text": "Add"}, "meta": {"text": "not the text"}},
    ],
)
def test_meta_is_never_taken_for_the_text(tmp_path, task):
    read_path, written = tmp_path / "in.json", tmp_path / "out.json"
    read_path.write_text(json.dumps([task]))
    (row,) = read(read_path)
    write([example_from_row(row)], written)
    (again,) = read(written)
    assert (again.text, again.meta) == ("Add", task["meta"]) == (row.text, row.meta)


@given(
    st.lists(
        examples(names=odd_labels, answers=("accept", "reject", "ignore", None), given=True),
        max_size=3,
    )
)
def test_what_was_written_is_read_again(tmp_path_factory, given_examples):
    path = tmp_path_factory.mktemp("ls") / "out.json"
    write(given_examples, path)
    found = [example_from_row(row) for row in read(path)]
    assert [told(one) for one in found] == [told(one) for one in given_examples]
