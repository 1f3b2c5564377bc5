"""Prodigy's tasks, in and out."""

import json
import tempfile
from pathlib import Path

import pytest
from example_strategies import (
    examples,
    hashes,
    json_values,
    odd_labels,
    spans_on,
    texts_with_tokens,
)
from hypothesis import example, given
from hypothesis import strategies as st

from nbner import DataError, Example, Span
from nbner._common.alignment import tokens_from_offsets
from nbner.io.formats import read, write
from nbner.io.rows import example_from_row

VINCENT = {
    "text": "Hi. My name is Vincent",
    "_input_hash": 1333440749,
    "_task_hash": 39342451,
    "tokens": [
        {"text": "Hi", "start": 0, "end": 2, "id": 0, "ws": False},
        {"text": ".", "start": 2, "end": 3, "id": 1, "ws": True},
        {"text": "My", "start": 4, "end": 6, "id": 2, "ws": True},
        {"text": "name", "start": 7, "end": 11, "id": 3, "ws": True},
        {"text": "is", "start": 12, "end": 14, "id": 4, "ws": True},
        {"text": "Vincent", "start": 15, "end": 22, "id": 5, "ws": False},
    ],
    "spans": [
        {
            "start": 15,
            "end": 22,
            "token_start": 5,
            "token_end": 5,
            "label": "name",
            "text": "Vincent",
        }
    ],
    "answer": "accept",
    "_view_id": "ner_manual",
    "_timestamp": 1658923692,
    "_annotator_id": "ann",
    "_session_id": "ann",
    "meta": {"source": "mail"},
}


def one(source):
    (row,) = read(source)
    return row


def written(example):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "out.jsonl"
        write([example], path)
        return json.loads(path.read_text(encoding="utf-8"))


def test_the_task_of_the_conventions_is_read(jsonl):
    row = one(jsonl(VINCENT))
    assert row.text == "Hi. My name is Vincent"
    assert [(token.text, token.ws) for token in row.tokens][:2] == [("Hi", False), (".", True)]
    assert row.spans == (Span(15, 22, "name"),)
    assert (row.answer, row.annotator, row.created) == ("accept", "ann", 1658923692.0)
    assert (row.input_hash, row.task_hash) == (1333440749, 39342451)
    assert (row.meta, row.binary, row.line) == ({"source": "mail"}, False, 1)


def test_the_task_of_the_conventions_is_written_as_it_was(jsonl):
    assert written(example_from_row(one(jsonl(VINCENT)))) == VINCENT


def test_a_span_of_several_tokens_ends_with_its_last_token():
    task = written(
        example_from_row(one([{**VINCENT, "spans": [{"start": 4, "end": 14, "label": "x"}]}]))
    )
    assert task["spans"] == [
        {
            "start": 4,
            "end": 14,
            "token_start": 2,
            "token_end": 4,
            "label": "x",
            "text": "My name is",
        }
    ]


def test_offsets_win_over_token_indices():
    span = {"start": 15, "end": 22, "token_start": 0, "token_end": 1, "label": "name"}
    assert one([{**VINCENT, "spans": [span]}]).spans == (Span(15, 22, "name"),)


def test_token_indices_alone_are_enough_and_their_end_is_inclusive():
    span = {"token_start": 2, "token_end": 4, "label": "x"}
    assert one([{**VINCENT, "spans": [span]}]).spans == (Span(4, 14, "x"),)


def test_a_space_after_a_token_is_taken_from_the_text():
    old = [{"text": "5", "start": 0, "end": 1, "id": 0}, {"text": "ml", "start": 2, "end": 4}]
    assert [token.ws for token in one([{"text": "5 ml", "tokens": old}]).tokens] == [True, False]


@pytest.mark.parametrize("tokens", [["5", "ml"], [{"start": 0, "end": 1}, {"start": 2, "end": 4}]])
def test_tokens_may_be_words_or_places(tokens):
    assert [token.text for token in one([{"text": "5 ml", "tokens": tokens}]).tokens] == ["5", "ml"]


def test_no_spans_with_an_answer_is_no_entity_and_without_is_not_known():
    assert one([{"text": "a", "answer": "accept"}]).spans == ()
    assert one([{"text": "a"}]).spans is None
    assert one([{"text": "a", "spans": []}]).spans == ()


def test_unknown_keys_survive():
    span = {**VINCENT["spans"][0], "source": "v3", "score": 0.5, "rank": 2, "pattern": 7, "x": [1]}
    task = {**VINCENT, "spans": [span], "html": "<b>", "priority": 0.5, "config": {"a": None}}
    assert written(example_from_row(one([task]))) == task


def test_keys_of_another_kind_than_ours_survive_as_they_are():
    span = {**VINCENT["spans"][0], "source": 3, "score": "high"}
    task = {**VINCENT, "spans": [span], "note": {"by": "x"}, "flagged": "maybe"}
    assert written(example_from_row(one([task]))) == task


def test_flag_and_note_are_read_and_written():
    task = {**VINCENT, "flagged": True, "note": "really?"}
    row = one([task])
    assert (row.flagged, row.note) == (True, "really?")
    assert written(example_from_row(row)) == task


def test_what_has_no_hash_gets_one_and_keeps_it():
    task = written(example_from_row(one([{"text": "Add 5 ml", "answer": "ignore"}])))
    again = one([task])
    assert (again.input_hash, again.task_hash) == (task["_input_hash"], task["_task_hash"])


def test_the_time_is_written_in_whole_seconds():
    example = Example("a", answer="accept", annotator="ann", created=12.75)
    assert written(example)["_timestamp"] == 12


def test_who_imported_is_nobody():
    assert "_annotator_id" not in written(Example("a", answer="accept", annotator="import"))


@pytest.mark.parametrize(
    ("task", "binary"),
    [
        ({"_view_id": "ner", "spans": [{"start": 0, "end": 1, "label": "X"}]}, True),
        ({"_view_id": "ner_manual", "spans": [{"start": 0, "end": 1, "label": "X"}]}, False),
        ({"_view_id": "ner", "_is_binary": False}, False),
        ({"_is_binary": True}, True),
        ({"spans": [{"start": 0, "end": 1, "label": "X", "score": 0.5}]}, True),
        ({"spans": [{"start": 0, "end": 1, "label": "X", "rank": 0}]}, True),
        ({"spans": [{"start": 0, "end": 1, "label": "X", "source": "v3"}]}, False),
        ({"spans": [{"start": i, "end": i + 1, "label": "X", "score": 1} for i in (0, 2)]}, False),
        ({}, False),
    ],
)
@pytest.mark.parametrize("answer", ["accept", "reject"])
def test_a_binary_task_is_known_and_stays_one(task, binary, answer):
    row = one([{"text": "a b", "answer": answer, **task}])
    assert row.binary is binary
    assert one([written(example_from_row(row))]).binary is binary


def test_a_proposal_without_an_answer_is_no_binary_answer():
    span = {"start": 0, "end": 1, "label": "X", "score": 0.5}
    assert one([{"text": "a", "_view_id": "ner", "spans": [span]}]).binary is False


@pytest.mark.parametrize(
    ("line", "field", "says"),
    [
        ('{"text": "a"', None, "not JSON"),
        ("[" * 100_000, None, "not JSON"),
        ('["a"]', None, "list, not an object"),
        ("3", None, "int, not an object"),
        ('{"label": "X", "pattern": "y"}', "text", "'label', 'pattern'"),
        ('{"text": null}', "text", "no text"),
        ('{"text": 5}', "text", "5 is not a string"),
        ('{"text": "a", "spans": {}}', "spans", "not a list"),
        ('{"text": "a", "spans": ["b"]}', "spans[0]", "not an object"),
        (
            '{"text": "a", "spans": [{"start": "0", "end": 1, "label": "X"}]}',
            "spans[0].start",
            "'0'",
        ),
        (
            '{"text": "a", "spans": [{"start": true, "end": 1, "label": "X"}]}',
            "spans[0].start",
            "True",
        ),
        (
            '{"text": "a", "spans": [{"start": 0.0, "end": 1, "label": "X"}]}',
            "spans[0].start",
            "0.0",
        ),
        ('{"text": "a", "spans": [{"end": 1, "label": "X"}]}', "spans[0].start", "missing"),
        ('{"text": "a", "spans": [{"start": 0, "end": 1}]}', "spans[0].label", "missing"),
        (
            '{"text": "a", "spans": [{"start": 0, "end": 1, "label": " "}]}',
            "spans[0].label",
            "empty",
        ),
        ('{"text": "a", "spans": [{"start": 0, "end": 1, "label": 3}]}', "spans[0].label", "3"),
        (
            '{"text": "🧪 ab c", "spans": [{"start": 3, "end": 5, "label": "X", "text": "ab"}]}',
            "spans[0]",
            "code points",
        ),
        ('{"text": "a b", "tokens": [{"text": "b", "start": 0, "end": 1}]}', "tokens[0]", "'b'"),
        (
            '{"text": "a b", "tokens": [{"text": "a", "start": 0, "end": 1}]}',
            "tokens",
            "leave out 'b'",
        ),
        ('{"text": "a", "tokens": [{"start": 0, "end": 9}]}', "tokens", "outside"),
        ('{"text": "a", "tokens": "a"}', "tokens", "not a list"),
        ('{"text": "a", "tokens": [3]}', "tokens[0]", "not an object"),
        ('{"text": "a", "answer": "yes"}', "answer", "accept, reject and ignore"),
        ('{"text": "a", "answer": ["accept"]}', "answer", "not an answer"),
        ('{"text": "a", "meta": []}', "meta", "not an object"),
        ('{"text": "a", "_input_hash": 4294967296}', "_input_hash", "32 bits"),
        ('{"text": "a", "_task_hash": "x"}', "_task_hash", "whole number"),
        ('{"text": "a", "_timestamp": "today"}', "_timestamp", "not a number"),
        ('{"text": "a", "_timestamp": NaN}', "_timestamp", "not a number"),
        ('{"text": "a", "_timestamp": 1%s}' % ("0" * 400), "_timestamp", "not a number"),
        ('{"text": "a", "_annotator_id": []}', "_annotator_id", "not a string"),
    ],
)
def test_what_is_wrong_names_file_line_and_field(jsonl, line, field, says):
    path = jsonl({"text": "fine"}, "", line)
    with pytest.raises(DataError) as caught:
        list(read(path))
    assert (caught.value.file, caught.value.line, caught.value.field) == (str(path), 3, field)
    assert says in str(caught.value)


def test_rows_before_a_bad_line_are_a_stream(jsonl):
    rows = read(jsonl({"text": "fine"}, "{"))
    assert next(rows).text == "fine"
    with pytest.raises(DataError, match="line 2"):
        next(rows)


def test_half_a_pair_in_meta_is_written_as_an_escape():
    example = Example("a", answer="accept", meta={"cut": "\ud83d"})
    assert written(example)["meta"] == {"cut": "\ud83d"}


def test_a_separator_of_lines_inside_a_text_is_no_line(tmp_path):
    example = Example("one\u2028two\x85three\rfour", answer="accept")
    write([example], tmp_path / "out.jsonl")
    assert one(tmp_path / "out.jsonl").text == example.text


def test_file_with_byte_order_mark_and_windows_line_ends(tmp_path):
    path = tmp_path / "w.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"text": "a"}\r\n{"text": "b"}\r\n')
    assert [row.text for row in read(path)] == ["a", "b"]


@st.composite
def tasks(draw):
    """Give tasks with every key, known and unknown."""
    text, places = draw(texts_with_tokens())
    tokens = tokens_from_offsets(text, places)
    details = {"source": st.none() | st.text(max_size=3), "score": st.none() | st.floats(0, 1)}
    details["extra"] = st.dictionaries(st.sampled_from(["rank", "pattern", "x"]), json_values)
    spans = draw(spans_on(places, odd_labels, **details))
    example = Example(
        text=text,
        tokens=tokens if draw(st.booleans()) else (),
        spans=spans,
        answer=draw(st.sampled_from(["accept", "reject", "ignore", None])),
        flagged=draw(st.booleans()),
        note=draw(st.text(max_size=4)),
        meta=draw(st.dictionaries(st.text(max_size=3), json_values, max_size=2)),
        input_hash=draw(hashes),
        extra={"_task_hash": draw(hashes), "html": draw(json_values), "_view_id": "ner_manual"},
    )
    by = {"annotator": draw(st.sampled_from(["ann", "import"])), "created": 5.0}
    fields = {name: getattr(example, name) for name in example.__dataclass_fields__}
    return Example(
        **{**fields, **(by if example.answer else {}), "pretokenized": bool(example.tokens)}
    )


def tasks_in(path):
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def everything(row):
    """A row with what equality of spans leaves out."""
    spans = [(s, s.source, s.score, dict(s.extra)) for s in row.spans or ()]
    return row, spans


@given(st.lists(tasks(), max_size=3))
@example([Example("Add ", spans=(), answer="accept", extra={"html": {"LB": [0, 0]}})])
def test_rows_survive_a_round_trip_with_every_key(drawn):
    with tempfile.TemporaryDirectory() as folder:
        first, second = Path(folder) / "1.jsonl", Path(folder) / "2.jsonl"
        write(drawn, first)
        # What is drawn for `html` may look like spans, beside which an empty list is refused.
        rows = list(read(first, spans_key="spans"))
        write(map(example_from_row, rows), second)
        again = read(second, spans_key="spans")
        assert list(map(everything, again)) == list(map(everything, rows))
        assert tasks_in(second) == tasks_in(first)


@given(examples(answers=("accept", "reject", "ignore")))
def test_examples_survive_a_round_trip(example):
    assert example_from_row(one([written(example)])) == example
