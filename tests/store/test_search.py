"""Lists under conditions, places of words, and answers taken back as one."""

from __future__ import annotations

import time
import uuid
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

import nbner
from nbner._common.alignment import tokens_from_words
from nbner._common.batch_ids import batch_answer_id
from nbner._common.filters import ExampleFilter
from nbner._common.occurrences import (
    apply_bulk_action,
    conflict_at,
    find_occurrences,
)
from nbner.store.store import Store
from nbner.types import Answer, Counts, Example, Span

TEXTS = ["Whisk the eggs", "Ärger im Ofen", "Heat the oven", "An oven_glove 100%", "Eggs again"]


@pytest.fixture
def session():
    with nbner.Session("d", labels=["Tool", "Food"], store=":memory:", annotator="ann") as made:
        made.add([{"text": text} for text in TEXTS])
        yield made


def data(session):
    return session.context.dataset


def answer(session, text, kind, spans=(), *, by="ann", key=None, **more):
    example = next(one for one in session.examples("train") if one.text == text)
    data(session).record(
        Answer(
            id=key or uuid.uuid4().hex,
            input_hash=example.input_hash,
            split="train",
            annotator=by,
            answer=kind,
            spans=tuple(spans),
            labels=session.labels,
            created=time.time(),
            **more,
        )
    )
    return example.input_hash


def texts(session, **wanted):
    page = data(session).list_examples("train", ExampleFilter(**wanted), 0, 50)
    assert page.total == len(page.rows)
    return [example.text for example, _ in page.rows]


def test_each_condition_and_several_at_once(session):
    answer(session, TEXTS[0], "accept", [Span(10, 14, "Food")], flagged=True)
    answer(session, TEXTS[1], "reject", note="odd")
    answer(session, TEXTS[2], None, [Span(9, 13, "Tool")])
    answer(session, TEXTS[3], "ignore", by="bob")
    assert texts(session) == TEXTS
    assert texts(session, answer="accept") == [TEXTS[0]]
    assert texts(session, answer="open") == [TEXTS[2], TEXTS[4]]
    assert texts(session, answer="answered") == [TEXTS[0], TEXTS[1], TEXTS[3]]
    assert texts(session, flagged=True) == [TEXTS[0]]
    assert texts(session, noted=True) == [TEXTS[1]]
    assert texts(session, label="Food") == [TEXTS[0]]
    assert texts(session, label="Tool") == [TEXTS[2]]
    assert texts(session, label="Foo") == []
    assert texts(session, annotator="ann") == [TEXTS[0], TEXTS[1]]
    assert texts(session, annotator="bob") == [TEXTS[3]]
    assert texts(session, text="EGGS") == [TEXTS[0], TEXTS[4]]
    assert texts(session, text="eggs", answer="open") == [TEXTS[4]]


@pytest.mark.parametrize(
    ("sought", "found"),
    [("ärger", [1]), ("ÄRGER", [1]), ("oven_", [3]), ("0%", [3]), ("%", [3]), ("_", [3])],
)
def test_a_text_is_looked_for_as_it_is_written(session, sought, found):
    assert texts(session, text=sought) == [TEXTS[i] for i in found]


def test_pages_follow_each_other(session):
    session.add([f"number {i}" for i in range(120)], split="many")
    seen = []
    for offset in range(0, 130, 50):
        page = data(session).list_examples("many", ExampleFilter(text="number"), offset, 50)
        assert page.total == 120
        seen += [example.text for example, _ in page.rows]
    assert seen == [f"number {i}" for i in range(120)]
    assert data(session).list_examples("nowhere", ExampleFilter(), 0, 10).total == 0


def test_the_least_sure_come_first_where_a_confidence_is_known(session):
    for score, text in ((0.9, "a knife"), (0.2, "a fork"), (0.5, "a spoon")):
        span = {"start": 2, "end": len(text), "label": "Tool", "score": score}
        session.add([{"text": text, "spans": [span]}], split="scored")
    session.add(["a bowl"], split="scored")
    page = data(session).list_examples("scored", ExampleFilter(unsure=True), 0, 2)
    assert [(example.text, score) for example, score in page.rows] == [
        ("a fork", 0.2),
        ("a spoon", 0.5),
    ]
    assert page.total == 3


def tokens(text):
    return tokens_from_words(text, text.split())


WORDS = st.lists(st.sampled_from(["a", "A", "bc", "d"]), min_size=1, max_size=12)


@given(WORDS, st.lists(st.sampled_from(["a", "A", "bc"]), min_size=1, max_size=3), st.booleans())
def test_places_hold_the_words_and_do_not_overlap(words, wanted, cased):
    text = " ".join(words)

    def fold(some):
        return some if cased else [one.lower() for one in some]

    found = find_occurrences(tokens(text), wanted, case_sensitive=cased)
    size = len(wanted)
    assert all(fold(words[start:end]) == fold(wanted) for start, end in found)
    assert all(left[1] <= right[0] for left, right in pairwise(found))
    starts = [i for i in range(len(words)) if fold(words[i : i + size]) == fold(wanted)]
    free = [i for i in starts if not any(start <= i < end for start, end in found)]
    assert free == [], "no place is left out"


def test_what_stands_there_is_never_overwritten():
    there = (Span(0, 4, "Tool"),)
    assert apply_bulk_action(there, Span(2, 6, "Food"), "label") is None
    assert apply_bulk_action(there, Span(5, 6, "Food"), "label") == (*there, Span(5, 6, "Food"))
    assert apply_bulk_action(there, Span(0, 4, "Tool"), "unlabel") == ()
    assert apply_bulk_action(there, Span(0, 4, "Food"), "unlabel") is None
    cut = tokens("an oven")
    assert conflict_at(cut, [Span(0, 7, "Food")], (1, 2), "Tool", "label") == "holds Food"
    assert conflict_at(cut, [Span(3, 7, "Tool")], (1, 2), "Tool", "label") is None


def test_answers_given_as_one_are_taken_back_as_one(session):
    first = answer(session, TEXTS[0], None, [Span(0, 5, "Tool")])
    for text in TEXTS[:3]:
        key = next(one.input_hash for one in session.examples("train") if one.text == text)
        answer(session, text, None, [Span(0, 2, "Food")], key=batch_answer_id("b", key))
    changed_since = answer(session, TEXTS[2], "accept", [Span(0, 4, "Tool")])
    done = data(session).undo_batch("b")
    assert first in done
    assert changed_since not in done
    assert len(done) == 2
    now = {one.text: one for one in session.examples("train")}
    assert now[TEXTS[0]].spans == (Span(0, 5, "Tool"),)
    assert (now[TEXTS[1]].spans, now[TEXTS[1]].annotator) == ((), None)
    assert now[TEXTS[2]].answer == "accept"
    assert data(session).undo_batch("b") == ()
    assert session.counts("train") == Counts(5, accept=1)


def test_what_others_have_said_stands_when_one_takes_back(session):
    key = answer(session, TEXTS[0], None, [Span(0, 5, "Tool")], by="bob")
    answer(session, TEXTS[0], None, [Span(0, 5, "Food")], key=batch_answer_id("c", key))
    assert data(session).undo_batch("c") == (key,)
    assert data(session).find(key, "train").annotator == "bob"
    assert data(session).find(key, "train").spans == (Span(0, 5, "Tool"),)


def test_the_id_of_the_whole_is_not_taken_for_another(tmp_path):
    store = Store(tmp_path / "s.db")
    assert store.dataset("d").undo_batch("a%") == ()
    store.close()


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, True),
        ({"answer": "accept"}, True),
        ({"answer": "answered"}, True),
        ({"answer": "open"}, False),
        ({"answer": "reject"}, False),
        ({"annotator": "ann"}, True),
        ({"annotator": "bob"}, False),
        ({"label": "A", "text": "ADD", "noted": True}, True),
        ({"label": "B"}, False),
        ({"flagged": True}, False),
    ],
)
def test_a_filter_matches_an_example_in_memory(wanted, found):
    spans = (Span(0, 3, "A"),)
    example = Example("Add", spans=spans, answer="accept", note="why?", annotator="ann")
    assert ExampleFilter(**wanted).matches(example) is found
    no_answer = Example("Add", annotator="ann")
    assert ExampleFilter(answer="open").matches(no_answer)
    assert not ExampleFilter(annotator="ann").matches(no_answer)
