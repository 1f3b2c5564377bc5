"""The annotator as users' code sees it, and questions about other examples than the one shown."""

from __future__ import annotations

import json
import time
from dataclasses import replace

import pytest

import nbner
from nbner.errors import DataError
from nbner.types import Span, Token
from nbner.widgets.messages import PROTOCOL_VERSION
from nbner.widgets.serialization import serialize_example

TEXTS = [f"Add {i} ml of LB and LB again" for i in range(40)]


@pytest.fixture
def session():
    labels = ["Reagent", "Action"]
    with nbner.Session("d", labels=labels, store=":memory:", annotator="ann") as made:
        made.add(TEXTS)
        yield made


@pytest.fixture
def annotator(session):
    made = session.manual()
    made.heard = []
    made.send = lambda content, buffers=None: made.heard.append(content)
    return made


def hashes(session):
    return [one.input_hash for one in session.examples("train")]


def at(annotator, key, **more):
    assert annotator.receive({"type": "at", "example": str(key), **more}) == {}


def accept(key, **more):
    message = {"type": "answer", "id": f"m{key}", "example": str(key), "answer": "accept"}
    return {**message, "spans": [], "flagged": False, "note": "", **more}


def test_current_and_selection_follow_the_page_and_can_be_observed(annotator, session):
    key = hashes(session)[7]
    changes = []
    annotator.observe(lambda change: changes.append(change["name"]), names=["current", "selection"])
    at(annotator, key, spans=[4, 5, 0, 0, 1, 1], selection=[4, 5])
    assert annotator.current.text == TEXTS[7]
    assert annotator.current.spans == (Span(12, 14, "Reagent"), Span(0, 3, "Action"))
    assert annotator.selection.text == "LB"
    assert (annotator.selection.start, annotator.selection.label) == (12, "Reagent")
    assert isinstance(annotator.selection, Span)
    assert changes == ["current", "selection"]
    at(annotator, key)
    assert annotator.current.spans == ()
    assert annotator.selection is None
    annotator.receive({"type": "at", "example": None})
    assert annotator.current is None


def test_unreadable_news_does_no_harm(annotator, session):
    key = hashes(session)[0]
    at(annotator, key, spans=[0, 99, 0, "a", 1, 0], selection=[3, 1])
    assert (annotator.current.spans, annotator.selection) == ((), None)
    at(annotator, "none")
    assert annotator.heard[-1]["type"] == "notice"


def test_an_observer_that_fails_is_shown_in_the_cell(annotator, session):
    def fail(_change):
        raise ValueError("no such column")

    annotator.observe(fail, "current")
    at(annotator, hashes(session)[3])
    assert "ValueError: no such column" in annotator.heard[-1]["text"]


def test_a_queue_comes_next_in_its_order_and_keeps_what_is_in_work(annotator, session):
    keys = hashes(session)
    at(annotator, keys[2])
    annotator.queue = [keys[20], session.examples("train")[10], keys[30]]
    told = annotator.heard[-1]
    assert (told["type"], told["ahead"]) == ("refresh", True)
    wanted = [keys[i] for i in (2, 20, 10, 30, 0, 1, 3)]
    assert [int(task["id"]) for task in told["window"]][:7] == wanted
    assert annotator.queue == [keys[20], keys[10], keys[30]]
    reply = annotator.receive(accept(keys[20], have=[]))
    assert [int(task["id"]) for task in reply["next"]][:2] == [keys[10], keys[30]]
    assert annotator.queue == [keys[10], keys[30]]


def test_unknown_and_answered_ids_are_named_and_the_rest_is_queued(annotator, session):
    keys = hashes(session)
    annotator.receive(accept(keys[5]))
    with pytest.raises(DataError, match=r"12345 is not in this split and .* answered already"):
        annotator.queue = [12345, keys[9], keys[5], keys[8]]
    assert annotator.queue == [keys[9], keys[8]]
    with pytest.raises(DataError, match="neither an example nor an input hash"):
        annotator.queue = ["abc"]
    assert annotator.queue == [keys[9], keys[8]]


def test_a_long_queue_is_handed_out_a_window_at_a_time(annotator, session):
    session.add([f"more {i}" for i in range(2_000)])
    keys = hashes(session)[::-1]
    annotator.queue = keys
    begun = time.perf_counter()
    reply = annotator.receive(accept(keys[0], have=[str(one) for one in keys[1:12]]))
    assert [int(task["id"]) for task in reply["next"]] == [keys[12]]
    assert time.perf_counter() - begun < 1


def test_goto_takes_an_example_a_hash_or_a_position(annotator, session):
    example = session.examples("train")[33]
    for item in (example, example.input_hash, 33):
        assert annotator.goto(item).text == TEXTS[33]
        assert annotator.heard[-1]["task"]["id"] == str(example.input_hash)
        assert annotator.current.text == TEXTS[33]
    for item in (99_999, -5):
        with pytest.raises(DataError, match="there is no example"):
            annotator.goto(item)


def test_code_moves_on_by_itself_though_the_page_has_reported_an_example(annotator, session):
    keys = hashes(session)
    at(annotator, keys[0])
    shown = []
    # What the page says before it has heard of the answer is outdated.
    stop = annotator.on_answer(lambda _example: at(annotator, keys[0]))
    for _ in range(4):
        shown.append(annotator.current.text)
        assert annotator.answer("accept", []).text == shown[-1]
        at(annotator, keys[0])
    stop()
    assert shown == TEXTS[:4]
    told = [message for message in annotator.heard if message["type"] == "show"]
    assert [int(one["task"]["id"]) for one in told] == keys[1:5]
    assert len(session.answers()) == 4
    # From there on, the page says where it is: it has passed over an example.
    turn = told[-1]["turn"]
    at(annotator, keys[4], turn=turn)
    at(annotator, keys[5], turn=turn)
    annotator.answer("accept", [])
    assert annotator.current.text == TEXTS[6]
    annotator.queue = [keys[4]]
    annotator.answer("accept", [])
    assert annotator.current.text == TEXTS[4]


def test_code_goes_and_undoes_whatever_the_page_still_reports(annotator, session):
    keys = hashes(session)
    at(annotator, keys[0])
    annotator.goto(20)
    at(annotator, keys[0])
    assert annotator.current.text == TEXTS[20]
    annotator.answer("accept", [])
    assert annotator.current.text == TEXTS[0]
    annotator.undo()
    assert annotator.current.text == TEXTS[20]
    assert annotator.heard[-1]["task"]["id"] == str(keys[20])
    at(annotator, keys[0])
    assert annotator.current.text == TEXTS[20]
    # A page that is loaded now hears the count with its first examples.
    turn = annotator.receive({"type": "hello", "id": "1"})["turn"]
    at(annotator, keys[3], turn=turn)
    assert annotator.current.text == TEXTS[3]


def test_after_an_answer_of_the_page_code_finds_the_next_example(annotator, session):
    keys = hashes(session)
    at(annotator, keys[0])
    annotator.receive(accept(keys[0], have=[str(one) for one in keys[1:12]]))
    assert annotator.current.text == TEXTS[1]


def test_at_the_end_of_the_queue_code_is_told_that_nothing_is_open(annotator, session):
    at(annotator, hashes(session)[0])
    for _ in TEXTS:
        annotator.answer("reject")
    assert annotator.current is None
    assert annotator.heard[-1]["task"] is None
    with pytest.raises(DataError, match="nothing is open"):
        annotator.answer("reject")


def test_a_callback_hears_every_answer_and_its_error_loses_none(annotator, session):
    keys = hashes(session)
    heard = []
    end = annotator.on_answer(lambda example: heard.append((example.text, example.answer)))

    def fail(_example):
        raise KeyError("colour")

    annotator.on_answer(fail)
    annotator._handle_custom_msg(accept(keys[0]), [])
    kinds = [message["type"] for message in annotator.heard]
    assert kinds[:2] == ["saved", "notice"], "the answer is acknowledged before"
    assert "fail, line" in annotator.heard[1]["text"]
    assert "KeyError: 'colour'" in annotator.heard[1]["text"]
    assert "Traceback" in annotator.heard[1]["detail"]
    annotator.answer("reject", [])
    annotator.undo()
    assert heard == [(TEXTS[0], "accept"), (TEXTS[1], "reject"), (TEXTS[1], None)]
    end()
    annotator._handle_custom_msg(accept(keys[4]), [])
    assert len(heard) == 3
    assert session.counts("train").accept == 2


def test_when_callbacks_work_again_the_message_goes(annotator, session):
    keys = hashes(session)
    broken = [True]

    def sometimes(_example):
        if broken:
            raise ValueError("not yet")

    annotator.on_answer(sometimes)
    annotator._handle_custom_msg(accept(keys[0]), [])
    annotator._handle_custom_msg({"type": "hello", "id": "h"}, [])
    assert annotator.heard[-1]["type"] == "snapshot", "it stands until an answer goes well"
    broken.clear()
    annotator._handle_custom_msg(accept(keys[1]), [])
    assert annotator.heard[-1] == {"type": "notice", "text": "", "detail": ""}


# Questions about other examples.


def ask(annotator, kind, **more):
    return annotator.receive({"type": kind, "id": "q", **more})


def test_a_list_has_rows_and_a_total_and_stays_small(annotator, session):
    reply = ask(annotator, "list", filter={"text": "of lb"}, offset=10, want=5)
    assert (reply["type"], reply["total"], len(reply["rows"])) == ("listed", 40, 5)
    row = reply["rows"][0]
    assert (row["left"], row["hit"], row["right"]) == ("Add 10 ml ", "of LB", " and LB again")
    assert len(json.dumps(reply)) < 3000
    strange = {"answer": "maybe", "flagged": 1, "text": 5, "sort": "x"}
    assert ask(annotator, "list", filter=strange, offset=-1, want="a")["rows"] == []
    assert ask(annotator, "list", filter=None, offset=0, want=10**9)["total"] == 40


def test_examples_are_found_by_their_ids(annotator, session):
    keys = hashes(session)
    reply = ask(annotator, "find", examples=[str(keys[39]), "77", "x", 5])
    assert [task["id"] for task in reply["tasks"]] == [str(keys[39])]


def occurrences(annotator, session, **more):
    asked = {"words": ["LB"], "label": "Reagent", "take": "label", "cased": True, "want": 200}
    return ask(annotator, "occurrences", **{"besides": str(hashes(session)[0]), **asked, **more})


def test_occurrences_are_searched_in_open_examples(annotator, session):
    keys = hashes(session)
    annotator.receive(accept(keys[1]))
    spans = [[4, 5, "Action"]]
    annotator.receive(accept(keys[2], answer=None, spans=spans))
    reply = occurrences(annotator, session)
    assert (len(reply["places"]), reply["more"]) == (76, False)
    assert [place["problem"] for place in reply["places"][:3]] == ["holds Action", "", ""]
    assert reply["places"][1]["left"] == "Add 2 ml of LB and "
    assert len(occurrences(annotator, session, want=10)["places"]) == 10
    assert occurrences(annotator, session, want=10)["more"]
    assert occurrences(annotator, session, words=["lb"])["places"] == []
    assert len(occurrences(annotator, session, words=["lb"], cased=False)["places"]) == 76
    assert occurrences(annotator, session, words=["B"])["places"] == [], "whole tokens"
    assert occurrences(annotator, session, words=[])["type"] == "failed"
    assert len(occurrences(annotator, session, take="unlabel")["places"]) == 0


def bulk(annotator, places, **more):
    asked = {"bulk": "b1", "label": "Reagent", "take": "label", "undo": False, "have": []}
    return ask(annotator, "bulk", places=places, **{**asked, **more})


def test_many_places_are_changed_as_one_and_back(annotator, session):
    keys = hashes(session)
    annotator.receive(accept(keys[2], answer=None, spans=[[4, 5, "Action"]]))
    places = [[str(keys[i]), 4, 5] for i in (1, 2, 3)] + [[str(keys[1]), 6, 7]]
    reply = bulk(annotator, places, have=[str(keys[1])])
    assert (reply["type"], reply["count"], reply["left"]) == ("applied", 2, 1)
    assert [task["spans"] for task in reply["tasks"]] == [
        [[4, 5, "Reagent", {}], [6, 7, "Reagent", {}]]
    ]
    found = {one.input_hash: one for one in session.examples("train")}
    assert found[keys[2]].spans == (Span(12, 14, "Action"),), "never overwritten"
    assert found[keys[3]].spans == (Span(12, 14, "Reagent"),)
    assert session.counts("train").open == 40
    assert bulk(annotator, places)["count"] == 0, "an id is applied once"
    undone = bulk(annotator, places, undo=True)
    assert (undone["count"], undone["left"]) == (2, 1)
    found = {one.input_hash: one for one in session.examples("train")}
    assert (found[keys[3]].spans, found[keys[3]].annotator) == ((), None)
    assert found[keys[2]].spans == (Span(12, 14, "Action"),)


def test_a_bulk_that_cannot_be_changes_nothing(annotator, session):
    keys = hashes(session)
    for broken in (
        {"places": [[str(keys[1]), 4, 5], [str(keys[2]), 4, 99]]},
        {"places": [[str(keys[1]), 4, 5]], "label": "Strange"},
        {"places": [[str(keys[1]), 4, 5], ["x", 1]]},
        {"places": "all"},
    ):
        assert bulk(annotator, broken.pop("places"), **broken)["type"] == "failed"
    assert all(one.spans == () for one in session.examples("train"))


def test_other_widgets_hear_of_a_bulk_once(annotator, session):
    other = session.manual()
    heard = []
    other.send = lambda content, buffers=None: heard.append(content["type"])
    key = hashes(session)[1]
    bulk(annotator, [[str(key), 4, 5], [str(hashes(session)[2]), 4, 5]])
    bulk(annotator, [[str(key), 4, 5]], undo=True)
    assert heard == ["refresh", "refresh"]


# Bad input.


def test_a_page_of_another_version_is_told_to_reload_and_its_answers_are_stored(annotator, session):
    reply = ask(annotator, "hello", protocol=PROTOCOL_VERSION - 1)
    assert (reply["type"], reply["retry"]) == ("failed", False)
    assert "Reload the page, and run the cell again" in reply["message"]
    assert annotator.receive(accept(hashes(session)[0]))["type"] == "saved"
    assert ask(annotator, "hello", protocol=PROTOCOL_VERSION)["type"] == "snapshot"


def test_tokens_that_do_not_rebuild_their_text_are_named_and_the_rest_goes_on(annotator, session):
    desk = annotator._example_queue
    right, broken = desk.next_batch, hashes(session)[1]

    def upcoming(limit, exclude=()):
        wrong = (Token("Subtract", 0, 8),)
        return [
            replace(one, tokens=wrong) if one.input_hash == broken else one
            for one in right(limit, exclude)
        ]

    desk.next_batch = upcoming
    reply = ask(annotator, "fetch", have=[], want=5)
    assert [int(task["id"]) for task in reply["tasks"]] == [
        hashes(session)[i] for i in (0, 2, 3, 4, 5)
    ]
    notices = [one for one in annotator.heard if one["type"] == "notice"]
    assert len(notices) == 1
    assert "do not rebuild its text" in notices[0]["text"]
    assert "Subtract" in notices[0]["text"]
    ask(annotator, "fetch", have=[], want=5)
    assert len([one for one in annotator.heard if one["type"] == "notice"]) == 1


def test_suggestions_that_overlap_are_on_offer_and_those_outside_are_told_of(session):
    example = session.manual().current
    spans = (
        Span(0, 3, "Action"),
        Span(0, 5, "Reagent"),
        Span(12, 14, "Reagent"),
        Span(90, 99, "X"),
    )
    task = serialize_example(replace(example, spans=spans))
    assert [one[:3] for one in task["spans"]] == [[0, 2, "Reagent"], [4, 5, "Reagent"]]
    assert [one[:3] for one in task["also"]] == [[0, 1, "Action"]]
    assert task["loose"] == [{"text": "characters 90 to 99, of 27 in the text", "label": "X"}]


@pytest.mark.parametrize(
    ("labels", "problem"),
    [(["A", "B", "A"], "given twice"), (["A", ""], "not the name"), (["A", " "], "not the name")],
)
def test_a_label_list_with_duplicates_or_an_empty_name_is_refused(labels, problem):
    with pytest.raises(DataError, match=problem):
        nbner.Session("d", labels=labels, store=":memory:")


def test_two_hundred_labels_are_taken():
    labels = [f"Kind {i}" for i in range(200)]
    with nbner.Session("d", labels=labels, store=":memory:", annotator="ann") as made:
        made.add(["one text"])
        annotator = made.manual()
        assert annotator.get_state()["_setup"]["labels"] == labels
        key = made.examples("train")[0].input_hash
        at(annotator, key, spans=[0, 1, 199])
        assert annotator.current.spans == (Span(0, 3, "Kind 199"),)
