"""The widget's kernel side, driven through its protocol with a desk of the test's own."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from comm import DummyComm
from hypothesis import given
from hypothesis import strategies as st

from nbner._common.alignment import tokens_from_words
from nbner._common.filters import ExamplePage
from nbner.errors import DataError, StoreError
from nbner.types import Counts, Example, Span
from nbner.widgets.annotator import Annotator
from nbner.widgets.bundled_widget import render_static
from nbner.widgets.parsing import parse_answer
from nbner.widgets.queue_protocol import QueueInfo
from nbner.widgets.serialization import serialize_example

INFO = QueueInfo("key", "protocols", "train", "manual", "ann", ("Reagent", "Action"))


def example(number, text="Add 5 ml of LB", **known):
    tokens = tokens_from_words(text, text.split())
    return Example(text, tokens, input_hash=number, **known)


class ListQueue:
    """A desk over a list, which can be told to fail."""

    info = INFO

    def __init__(self, *examples):
        self.examples = {one.input_hash: one for one in examples}
        self.recorded = {}
        self.order = []
        self.listeners = []
        self.fails_with = None

    def counts(self):
        kinds = [one.answer for one in self.examples.values()]
        return Counts(len(kinds), *(kinds.count(kind) for kind in ("accept", "reject", "ignore")))

    def next_batch(self, limit, exclude=()):
        found = [e for e in self.examples.values() if e.answer is None]
        return [one for one in found if one.input_hash not in exclude][:limit]

    def recent(self, limit, before=None):
        done = [key for key in reversed(self.order) if self.examples[key].answer]
        if before is not None:
            done = done[done.index(before) + 1 :]
        return [self.examples[key] for key in done[:limit]]

    def find(self, input_hash):
        return self.examples.get(input_hash)

    def record(self, answer):
        if self.fails_with:
            raise self.fails_with
        if answer.id in self.recorded:
            return False
        self.recorded[answer.id] = answer
        self.order.append(answer.input_hash)
        self.examples[answer.input_hash] = replace(
            self.examples[answer.input_hash],
            answer=answer.answer,
            spans=answer.spans,
            annotator=answer.annotator,
        )
        for listener in tuple(self.listeners):
            listener([answer])
        return True

    def load(self, hashes):
        return [self.examples[one] for one in hashes if one in self.examples]

    def list_examples(self, wanted, offset, limit):
        found = list(self.examples.values())
        if wanted.text:
            found = [one for one in found if wanted.text in one.text]
        return ExamplePage(tuple((one, None) for one in found[offset : offset + limit]), len(found))

    def search_text(self, words, *, cased):
        for one in self.examples.values():
            if one.answer is None and all(word.lower() in one.text.lower() for word in words):
                yield one

    def record_many(self, answers):
        listeners, self.listeners = self.listeners, []
        try:
            return sum(self.record(answer) for answer in answers)
        finally:
            self.listeners = listeners
            for listener in tuple(listeners):
                listener(answers)

    def undo_batch(self, whole):
        return [one.input_hash for one in self.recorded.values() if one.id.startswith(f"{whole}:")]

    def subscribe(self, listener):
        self.listeners.append(listener)
        return lambda: self.listeners.remove(listener)


@pytest.fixture
def desk():
    return ListQueue(*(example(number, f"Add {number} ml of LB") for number in range(1, 31)))


@pytest.fixture
def annotator(desk):
    annotator = Annotator(desk)
    annotator.sent = []
    annotator.send = lambda content, buffers=None: annotator.sent.append(content)
    yield annotator
    annotator.close()


def answer(number, kind="accept", spans=(), **more):
    message = {"type": "answer", "id": f"m{number}", "example": str(number), "answer": kind}
    return {**message, "spans": [list(one) for one in spans], "flagged": False, "note": "", **more}


def test_the_state_a_page_asks_for_holds_a_dozen_examples_and_no_more(annotator):
    state = annotator.get_state()
    assert [task["id"] for task in state["_snapshot"]["window"]] == [str(n) for n in range(1, 13)]
    assert state["_snapshot"]["counts"]["open"] == 30
    assert state["_setup"]["labels"] == ["Reagent", "Action"]
    assert json.loads(json.dumps(state["_snapshot"])) == state["_snapshot"]


def test_the_state_is_made_afresh_whenever_it_is_asked_for(annotator):
    annotator.receive(answer(1))
    snapshot = annotator.get_state()["_snapshot"]
    assert snapshot["window"][0]["id"] == "2"
    assert [task["id"] for task in snapshot["past"]] == ["1"]


def test_an_answer_is_stored_before_it_is_acknowledged(annotator, desk):
    reply = annotator.receive(answer(1, spans=[(0, 1, "Action"), (1, 3, "Reagent")]))
    assert (reply["re"], reply["type"]) == ("m1", "saved")
    assert desk.recorded["m1"].spans == (Span(0, 3, "Action"), Span(4, 8, "Reagent"))
    assert desk.recorded["m1"].labels == INFO.labels
    assert reply["counts"]["accept"] == 1


def test_an_id_is_applied_once_and_acknowledged_again(annotator, desk):
    annotator.receive(answer(1))
    reply = annotator.receive(answer(1))
    assert reply["type"] == "saved"
    assert desk.order == [1]


def test_the_reply_refills_the_window_with_what_the_page_lacks(annotator):
    have = [str(number) for number in range(2, 13)]
    reply = annotator.receive(answer(1, have=have))
    assert [task["id"] for task in reply["next"]] == ["13"]


@pytest.mark.parametrize(
    "error", [UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogate"), OverflowError("too large")]
)
def test_a_message_that_can_never_be_taken_is_refused_for_good(annotator, desk, error):
    desk.fails_with = error
    reply = annotator.receive(answer(1))
    assert (reply["type"], reply["retry"]) == ("failed", False)
    # The database's layer puts its own error around that of a value.
    desk.fails_with = RuntimeError("in the statement")
    desk.fails_with.orig = error
    assert annotator.receive(answer(1))["retry"] is False


def test_a_store_that_fails_now_may_be_asked_again(annotator, desk):
    desk.fails_with = StoreError("the disk is full")
    reply = annotator.receive(answer(1))
    assert (reply["type"], reply["retry"]) == ("failed", True)
    assert "disk is full" in reply["message"]
    desk.fails_with = None
    assert annotator.receive(answer(1))["type"] == "saved"


def test_a_stored_answer_is_acknowledged_even_if_nothing_more_can_be_shown(annotator, desk):
    def broken(limit, exclude=()):
        raise RuntimeError("the model is gone")

    desk.next_batch = broken
    reply = annotator.receive(answer(1))
    assert (reply["type"], reply["next"]) == ("saved", [])
    fetched = annotator.receive({"type": "fetch", "id": "f", "have": [], "want": 2})
    assert "the model is gone" in fetched["message"]


def test_a_draft_is_not_a_suggestion():
    spans = (Span(0, 3, "Action"),)
    assert serialize_example(example(1, spans=spans))["suggested"]
    assert not serialize_example(example(1, spans=spans, annotator="ann"))["suggested"]


def test_an_unforeseen_error_becomes_visible(annotator, desk):
    desk.fails_with = RuntimeError("oh")
    assert annotator.receive(answer(1))["message"] == "RuntimeError: oh"


@pytest.mark.parametrize(
    "message",
    [
        answer(99),
        answer(1, kind="maybe"),
        answer(1, spans=[(0, 9, "Action")]),
        answer(1, spans=[(-1, 1, "Action")]),
        answer(1, spans=[(2, 2, "Action")]),
        answer(1, spans=[(0, 1, "Unknown")]),
        answer(1, spans=[(0, 2, "Action"), (1, 3, "Action")]),
        answer(1, spans=[("0", 1, "Action")]),
        {**answer(1), "spans": "all"},
        {**answer(1), "id": None},
        {**answer(1), "example": "one"},
        {"type": "explode", "id": "x"},
        {"id": "x"},
    ],
    ids=str,
)
def test_bad_messages_are_refused_and_store_nothing(annotator, desk, message):
    reply = annotator.receive(message)
    assert (reply["type"], reply["retry"]) == ("failed", False)
    assert reply["message"]
    assert desk.recorded == {}


def test_fetch_past_and_hello_have_one_reply_each(annotator):
    for number in (1, 2, 3):
        annotator.receive(answer(number))
    fetched = annotator.receive({"type": "fetch", "id": "f", "have": ["4"], "want": 2})
    assert (fetched["re"], [task["id"] for task in fetched["tasks"]]) == ("f", ["5", "6"])
    past = annotator.receive({"type": "past", "id": "p", "before": "3", "want": 5})
    assert [task["id"] for task in past["tasks"]] == ["2", "1"]
    hello = annotator.receive({"type": "hello", "id": "h"})
    assert (hello["type"], hello["window"][0]["id"]) == ("snapshot", "4")
    assert annotator.sent == []


def test_code_answers_as_the_buttons_do_and_the_page_hears_of_it(annotator, desk):
    done = annotator.answer("accept", [(0, 3, "Action")])
    assert (done.input_hash, done.spans) == (1, (Span(0, 3, "Action"),))
    saved, show = annotator.sent
    assert (saved["type"], saved["example"], saved["spans"]) == ("saved", "1", [[0, 1, "Action"]])
    assert (show["type"], show["task"]["id"], show["follow"]) == ("show", "2", True)
    assert annotator.current.input_hash == 2


def test_code_cannot_give_a_span_that_cuts_a_token(annotator, desk):
    with pytest.raises(DataError, match="does not begin and end with a token"):
        annotator.answer("accept", [(0, 2, "Action")])
    assert desk.recorded == {}


def test_undo_by_code_takes_the_last_decision_back_and_keeps_the_spans(annotator, desk):
    annotator.answer("accept", [(0, 3, "Action")])
    reopened = annotator.undo()
    assert (reopened.answer, reopened.spans) == (None, (Span(0, 3, "Action"),))
    assert annotator.undo() is None


def test_answering_when_nothing_is_open_says_so():
    annotator = Annotator(ListQueue())
    assert annotator.current is None
    with pytest.raises(DataError, match="nothing is open"):
        annotator.answer("accept")


def test_other_widgets_hear_of_an_answer_and_a_closed_one_does_not(annotator, desk):
    other = Annotator(desk)
    heard = []
    other.send = lambda content, buffers=None: heard.append(content)
    annotator.receive(answer(1))
    assert [message["example"] for message in heard] == ["1"]
    assert annotator.sent == []
    other.close()
    annotator.receive(answer(2))
    assert len(heard) == 1
    assert len(desk.listeners) == 1


def test_the_message_of_an_answer_stays_small(annotator):
    have = [str(number) for number in range(2, 13)]
    reply = annotator.receive(answer(1, have=have))
    assert len(json.dumps(answer(1, have=have))) + len(json.dumps(reply)) < 2048


def test_a_notebook_without_a_kernel_shows_the_example_escaped():
    text = "Add <b> & 5"
    shown = render_static(example(1, text, spans=(Span(4, 7, "<i>"),)), {}, "<caption>")
    assert "&lt;b&gt;" in shown
    assert "&lt;i&gt;" in shown
    assert "<b>" not in shown
    assert "<caption>" not in shown


def test_the_display_carries_the_static_page(annotator):
    bundle = annotator._repr_mimebundle_()
    data = bundle[0] if isinstance(bundle, tuple) else bundle
    assert "Add 1 ml" in data["text/html"]
    assert "application/vnd.jupyter.widget-view+json" in data


WORDS = st.lists(
    st.text(st.characters(exclude_categories=["Cs", "Z", "Cc"]), min_size=1, max_size=6),
    min_size=1,
    max_size=8,
)


@given(WORDS, st.data())
def test_a_span_comes_back_from_the_wire_as_it_went(words, data):
    shown = example(7, " ".join(words))
    size = len(shown.tokens)
    start = data.draw(st.integers(0, size - 1))
    end = data.draw(st.integers(start + 1, size))
    span = Span(shown.tokens[start].start, shown.tokens[end - 1].end, "Action")
    task = serialize_example(replace(shown, spans=(span,)))
    assert task["spans"] == [[start, end, "Action", {}]]
    assert task["lead"] + "".join(token + gap for token, gap in task["tokens"]) == shown.text
    message = {"id": "m", "answer": "accept", "spans": [one[:3] for one in task["spans"]]}
    assert parse_answer(message, shown, INFO).spans == (span,)


def test_a_span_off_the_tokens_is_shown_apart():
    task = serialize_example(example(1, spans=(Span(1, 3, "Action"),)))
    assert task["spans"] == []
    assert task["loose"] == [{"text": "dd", "label": "Action"}]


class TestTheFrontEnd:
    @pytest.fixture
    def opened(self, monkeypatch):
        """Record the state with which each widget is created on the page."""
        found = []
        monkeypatch.setattr(
            "comm.create_comm",
            lambda **given: found.append(given["data"]["state"]) or DummyComm(),
        )
        monkeypatch.setattr(Annotator, "_loaded", set())
        return found

    def test_it_is_sent_until_a_page_has_said_that_it_has_it(self, opened, desk):
        first = Annotator(desk)
        assert len(opened[-1]["_esm"]) > 50_000
        first.receive({"type": "hello", "id": "1"})
        Annotator(desk)
        assert len(opened[-1]["_esm"]) > 50_000
        first.receive({"type": "hello", "id": "2", "loaded": True})
        lean = Annotator(desk)
        assert len(opened[-1]["_esm"]) < 2_000
        assert opened[-1]["_css"] == ""
        # A page that is opened later asks for the state, or for the front end alone.
        assert lean.get_state()["_esm"] == first.get_state()["_esm"]
        reply = lean.receive({"type": "bundle", "id": "3"})
        assert reply["script"] == first.get_state()["_esm"]
        assert reply["style"].startswith("/*nbner annotator ")
