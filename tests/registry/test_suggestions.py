"""Suggestions of functions: their forms, their place in the text, failures and delays."""

from __future__ import annotations

import threading
import time
from functools import partial

import numpy as np
import pytest
import spacy

import nbner
from nbner import DataError, Example, Session, Span

TEXT = "Ada met Bo in London. London liked Ada."
LABELS = ["PERSON", "PLACE"]
ADA, BO = Span(0, 3, "PERSON"), Span(8, 10, "PERSON")
LONDON = [Span(14, 20, "PLACE"), Span(22, 28, "PLACE")]
TEXTS = [f"Ada met Bo{i} in London." for i in range(20)]


@pytest.fixture
def session():
    with Session("d", labels=LABELS, store=":memory:", annotator="ann") as made:
        yield made


def opened(session, suggest, texts=(TEXT,), **options):
    """Open the widget on texts, and note what the page is told."""
    session.add(list(texts))
    widget = session.make_gold(suggest=suggest, **options)
    widget.heard = []
    widget.send = lambda content, buffers=None: widget.heard.append(content)
    return widget


def notices(widget):
    return [one["text"] for one in widget.heard if one["type"] == "notice"]


def hello(widget):
    """Have a page open the widget, and return the examples that it gets."""
    widget._on_message(widget, {"type": "hello", "id": "h"}, None)
    return next(one for one in widget.heard if one["type"] == "snapshot")["window"]


def eventually(condition):
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.01)


def as_spacy(text):
    doc = spacy.blank("en")(text)
    doc.ents = [doc.char_span(14, 20, label="PLACE")]
    return doc


# Forms.


@pytest.mark.parametrize(
    "form",
    [
        [Span(14, 20, "PLACE")],
        [(14, 20, "PLACE")],
        [[np.int64(14), np.int64(20), "PLACE"]],
        [{"start": 14, "end": 20, "label": "PLACE"}],
        [{"start": 14, "end": 20, "text": "London", "label": "PLACE"}],
        [{"start": 14, "end": 20, "word": "london", "entity_group": "PLACE", "score": 0.5}],
        [{"start": 12, "end": 17, "text": "London", "label": "PLACE"}],
        as_spacy(TEXT),
        as_spacy(TEXT).ents,
    ],
    ids=str,
)
def test_offsets_in_every_form(session, form):
    shown = opened(session, lambda examples: [form]).current
    assert shown.spans == (LONDON[0],)


@pytest.mark.parametrize(
    "form",
    [
        [("London", "PLACE")],
        [{"text": "London", "label": "PLACE"}],
        [{"text": "LONDON", "label": "PLACE"}],
        [("London", "PLACE", 0.5), ("London", "PLACE", 0.4)],
        {"PLACE": ["London"], "PERSON": []},
        {"PLACE": "London"},
        {"PLACE": [{"text": "London", "score": 0.5}]},
        pytest.param(iter([("London", "PLACE")]), id="an iterator"),
    ],
    ids=str,
)
def test_words_are_suggested_wherever_they_are(session, form):
    assert list(opened(session, lambda examples: [form]).current.spans) == LONDON


def test_words_alone_where_there_is_one_label():
    with Session("d", labels=["PLACE"], store=":memory:") as session:
        assert list(opened(session, lambda examples: [["London"]]).current.spans) == LONDON


def test_words_with_several_labels_go_to_their_places_in_order(session):
    mentions = [("London", "PLACE"), ("London", "PERSON"), ("Ada", "PERSON")]
    shown = opened(session, lambda examples: [mentions]).current
    assert [(one.start, one.label) for one in shown.spans] == [
        (0, "PERSON"),
        (14, "PLACE"),
        (22, "PERSON"),
        (35, "PERSON"),
    ]


def test_a_mention_too_many_is_listed(session):
    mentions = [("London", "PLACE"), ("London", "PERSON"), ("London", "PLACE")]
    widget = opened(session, lambda examples: [mentions])
    assert [one.label for one in widget.current.spans] == ["PLACE", "PERSON"]
    (row,) = widget.suggestion_report.frame.to_dict("records")
    assert (row["kind"], row["suggested"], row["label"]) == ("unplaced", "London", "PLACE")
    assert "2 times" in row["reason"]


def test_score_and_source_are_on_the_span(session):
    suggestions = [
        (0, 3, "PERSON", 0.75),
        {"text": "Bo", "label": "PERSON", "score": np.float32(0.5), "source": "other"},
    ]

    def gazetteer(examples):
        return [suggestions]

    task = hello(opened(session, gazetteer))[0]
    assert task["spans"] == [
        [0, 1, "PERSON", {"source": "gazetteer", "score": 0.75}],
        [2, 3, "PERSON", {"source": "other", "score": 0.5}],
    ]
    assert task["by"] == "gazetteer, other"


def test_the_source_is_the_name_under_which_a_function_is_known(session):
    @nbner.registry.suggesters("my words")
    def function(examples):
        return [[(0, 3, "PERSON")] for _ in examples]

    def sources(suggest):
        return {one.source for one in opened(session, suggest).current.spans}

    assert sources("my words") == {"my words"}
    assert sources(function) == {"function"}
    assert sources(partial(function)) == {"function"}
    assert sources(lambda examples: [[(0, 3, "PERSON")]]) == {"suggester"}
    assert sources([function, partial(function)]) == {"function and function (2)"}


def test_an_answer_keeps_who_suggested(session):
    widget = opened(session, lambda examples: [[(0, 3, "PERSON")]])
    widget.answer("accept")
    (answer,) = session.context.dataset.answers("train")
    assert answer.extra["suggested_by"] == "suggester"


# What cannot be placed.

UNPLACED = [
    ("Zurich", "PLACE"),
    (0, 99, "PERSON"),
    (5, 5, "PERSON"),
    {"start": -3, "end": 2, "label": "PERSON"},
    {"start": 0, "end": 3, "text": "Grace", "label": "PERSON"},
    ("", "PERSON"),
    ("ondon", "PLACE"),
    (15, 20, "PLACE"),
    "Ada is a PERSON",
    {"name": "Ada", "type": "PERSON"},
    (0, 3),
    17,
    None,
]


@pytest.mark.parametrize("value", UNPLACED, ids=str)
def test_what_cannot_be_placed_is_listed_and_shown_below_the_text(session, value):
    widget = opened(session, lambda examples: [[value, ("Bo", "PERSON")]])
    task = hello(widget)[0]
    assert [one[:3] for one in task["spans"]] == [[2, 3, "PERSON"]]
    frame = widget.suggestion_report.frame
    assert set(frame.kind) <= {"unplaced", "off_tokens", "unreadable"}
    assert len(frame) == len(task["loose"]) >= 1
    assert frame.reason.str.len().min() > 10
    assert set(frame.text) == {TEXT}
    assert set(frame.input_hash) == {widget.current.input_hash}


@pytest.mark.parametrize("value", UNPLACED, ids=str)
def test_what_cannot_be_placed_never_keeps_an_example_from_being_answered(session, value):
    widget = opened(session, lambda examples: [[value, ("Bo", "PERSON")]])
    assert widget.answer("accept").spans == (BO,)


def test_a_score_that_is_none_is_left_out_and_listed(session):
    suggestions = [
        (0, 3, "PERSON", 98.0),
        (8, 10, "PERSON", float("nan")),
        ("London", "PLACE", "?"),
    ]
    widget = opened(session, lambda examples: [suggestions])
    assert len(widget.current.spans) == 4
    assert {one.score for one in widget.current.spans} == {None}
    assert list(widget.suggestion_report.frame.kind) == ["score"] * 3


def test_similar_words_have_their_similarity_as_score_and_are_listed(session):
    session.add([("Dr. Müller met Ada")])
    mention = {"text": "Dr. Mueller", "label": "PERSON"}
    widget = session.make_gold(suggest=lambda examples: [[mention] for _ in examples])
    (span,) = widget.current.spans
    assert widget.current.text[span.start : span.end] == "Dr. Müller"
    (row,) = widget.suggestion_report.frame.to_dict("records")
    assert row["kind"] == "fuzzy"
    assert row["similarity"] == span.score == pytest.approx(2 * 8 / 19, abs=0.06)
    again = session.make_gold(suggest=lambda examples: [[{**mention, "score": 0.5}]])
    assert again.current.spans[0].score == pytest.approx(span.score / 2)


def test_labels_that_the_session_does_not_have_are_said_and_come_once_it_has_them(session):
    widget = opened(session, lambda examples: [[(0, 3, "PERSON"), (14, 20, "CITY")]])
    hello(widget)
    assert widget.current.spans == (ADA,)
    assert "'suggester' suggests labels" in notices(widget)[-1]
    assert "CITY" in notices(widget)[-1]
    (row,) = widget.suggestion_report.frame.to_dict("records")
    assert (row["kind"], row["suggested"], row["label"]) == ("unknown_label", "London", "CITY")
    session.add_labels(["CITY"])
    widget.refresh()
    assert [one.label for one in widget.current.spans] == ["PERSON", "CITY"]
    assert notices(widget)[-1] == ""
    assert len(widget.suggestion_report.frame) == 0


# Batches, failures, delays.


def test_batches_and_every_example_once(session):
    asked = []

    def suggest(examples):
        asked.append([one.text for one in examples])
        return [[] for _ in examples]

    widget = opened(session, suggest, TEXTS, batch_size=5)
    hello(widget)
    widget.refresh()
    hello(widget)
    flat = [text for batch in asked for text in batch]
    assert max(map(len, asked)) == 5
    assert flat == TEXTS[:12]
    for _ in TEXTS:
        widget.answer("accept")
    assert sorted(text for batch in asked for text in batch) == sorted(TEXTS)


def test_an_error_is_shown_in_the_cell_and_labelling_goes_on(session):
    broken = [True]

    def flaky(examples):
        if broken[0]:
            raise ConnectionError("no server at port 1")
        return [[("Ada", "PERSON")] for _ in examples]

    widget = opened(session, flaky, TEXTS)
    assert len(hello(widget)) == 12
    notice = [one for one in widget.heard if one["type"] == "notice"][-1]
    assert "'flaky' failed: ConnectionError: no server at port 1" in notice["text"]
    assert "raise ConnectionError" in notice["detail"]
    assert widget.current.spans == ()
    assert widget.answer("accept", [ADA]).spans == (ADA,)
    assert "no server at port 1" in str(widget.suggestion_report)
    broken[0] = False
    widget.refresh()
    assert widget.current.spans == (ADA,)
    assert notices(widget)[-1] == ""
    assert "no server" not in str(widget.suggestion_report)


@pytest.mark.parametrize(
    "returned", [[], [[], [], []], "text", None, {"PERSON": ["Ada"]}, 17], ids=str
)
def test_an_answer_for_other_examples_than_asked_is_an_error_in_the_cell(session, returned):
    widget = opened(session, lambda examples: returned)
    assert len(hello(widget)) == 1
    assert "for every example" in notices(widget)[-1]


def test_a_failing_source_leaves_the_others_alone(session):
    def fails(examples):
        raise RuntimeError("out of memory")

    def works(examples):
        return [[("Ada", "PERSON")] for _ in examples]

    widget = opened(session, [fails, works])
    assert [one.source for one in widget.current.spans] == ["works", "works"]
    hello(widget)
    assert "'fails' failed" in notices(widget)[-1]


def test_late_suggestions_come_when_they_are_there(session):
    may_answer = threading.Event()

    def slow(examples):
        may_answer.wait(30)
        return [[("Ada", "PERSON")] for _ in examples]

    widget = opened(session, slow, TEXTS, timeout=0.2)
    assert len(hello(widget)) == 12
    assert widget.current.spans == ()
    assert "'slow' has not answered within 0.2 s: 12 texts" in notices(widget)[-1]
    widget.answer("accept", [ADA])
    assert widget.suggestion_report.sources[0].waiting == 12
    may_answer.set()
    eventually(lambda: widget.current.spans == (ADA,))
    eventually(lambda: notices(widget)[-1] == "")
    window = [one for one in widget.heard if one["type"] == "refresh"][-1]["window"]
    assert {tuple(span[:3]) for task in window for span in task["spans"]} == {(0, 1, "PERSON")}
    assert widget.current.text == TEXTS[1]


def test_an_answer_is_acknowledged_at_once_and_what_comes_next_is_suggested_later(session):
    may_answer = threading.Event()
    may_answer.set()

    def slow(examples):
        may_answer.wait(30)
        return [[("Ada", "PERSON")] for _ in examples]

    widget = opened(session, slow, TEXTS, timeout=20.0)
    window = hello(widget)
    may_answer.clear()
    message = {"type": "answer", "id": "a", "example": window[0]["id"], "answer": "accept"}
    began = time.monotonic()
    reply = widget.receive({**message, "spans": [], "have": [one["id"] for one in window[1:]]})
    assert time.monotonic() - began < 5
    assert reply["type"] == "saved"
    (following,) = reply["next"]
    assert following["spans"] == []
    assert not any(notices(widget)), "nothing is late yet"
    may_answer.set()
    eventually(lambda: any(one["type"] == "refresh" for one in widget.heard))
    fresh = [one for one in widget.heard if one["type"] == "refresh"][-1]["window"]
    (task,) = [one for one in fresh if one["id"] == following["id"]]
    assert [one[:3] for one in task["spans"]] == [[0, 1, "PERSON"]]


def test_a_call_that_never_returns_is_waited_for_once(session):
    forever = threading.Event()

    def hangs(examples):
        forever.wait()

    try:
        widget = opened(session, hangs, TEXTS, timeout=0.5)
        began = time.monotonic()
        hello(widget)
        for _ in TEXTS:
            widget.answer("accept", [])
            widget.refresh()
        assert time.monotonic() - began < 5
        assert session.counts("train").accept == len(TEXTS)
    finally:
        forever.set()


def test_without_a_limit_the_function_runs_where_it_is_asked(session):
    threads = set()

    def suggest(examples):
        threads.add(threading.current_thread())
        return [[("Ada", "PERSON")] for _ in examples]

    widget = opened(session, suggest, TEXTS[:2], timeout=None)
    assert widget.current.spans == (ADA,)
    assert threads == {threading.current_thread()}


def test_a_search_through_all_examples_asks_nobody(session):
    asked = []

    def suggest(examples):
        asked.extend(examples)
        return [[] for _ in examples]

    widget = opened(session, suggest, [f"Ada met Bo{i}" for i in range(40)])
    hello(widget)
    before = len(asked)
    question = {"type": "occurrences", "id": "o", "words": ["Ada"], "label": "PERSON"}
    reply = widget.receive({**question, "take": "label", "want": 100})
    assert len(reply["places"]) == 40
    assert len(asked) == before < 40


def test_a_function_that_declares_labels_is_asked_again_when_they_change(session):
    asked = []

    def declares(examples, *, labels):
        asked.append(labels)
        return [[] for _ in examples]

    widget = opened(session, declares)
    hello(widget)
    session.add_labels(["CITY"])
    widget.refresh()
    assert asked == [("PERSON", "PLACE"), ("PERSON", "PLACE", "CITY")]


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"suggest": "nobody"}, "suggest"),
        ({"suggest": []}, "suggest"),
        ({"suggest": 5}, "suggest"),
        ({"suggest": [5]}, "suggest"),
        ({"suggest": len, "batch_size": 0}, "batch_size"),
        ({"suggest": len, "timeout": 0}, "timeout"),
        ({"suggest": len, "timeout": float("nan")}, "timeout"),
    ],
    ids=str,
)
def test_what_is_wrong_with_the_call_is_said_at_once(session, options, field):
    session.add([TEXT])
    with pytest.raises(DataError) as caught:
        session.make_gold(**options)
    assert caught.value.field == field


def test_a_widget_without_functions_has_an_empty_report(session):
    session.add([TEXT])
    report = session.manual().suggestion_report
    assert report.sources == report.issues == ()
    assert len(report.frame) == 0


def test_the_report_counts_and_lists(session):
    def llm(examples):
        return [[("Ada", "PERSON"), ("Zurich", "PLACE")] for _ in examples]

    widget = opened(session, llm, TEXTS[:3])
    hello(widget)
    report = widget.suggestion_report
    assert str(report) == "llm: 3 spans in 3 texts, 3 unplaced."
    assert "Zurich" in report._repr_html_()
    assert list(report.frame.columns) == [
        *("source", "kind", "suggested", "label", "start", "end", "similarity", "reason"),
        *("input_hash", "text"),
    ]


# Beside the model and patterns.


@pytest.fixture(scope="module")
def learnt(tmp_path_factory):
    """A model that knows Ada, Bo and Cleo as PERSON."""
    store = tmp_path_factory.mktemp("learnt") / "nbner.db"
    gold = [
        Example(f"{who} met someone in {where}.", spans=(Span(0, len(who), "PERSON"),))
        for who in ("Ada", "Bo", "Cleo", "Dan", "Eve", "Finn")
        for where in ("London", "Rome", "Graz", "Ulm", "Oslo")
    ]
    with Session("d", labels=LABELS, store=store) as session:
        session.add(gold, gold=True)
        return session.train(max_epochs=30, progress=False).path


@pytest.fixture
def taught(tmp_path, learnt):
    with Session("e", labels=LABELS, store=tmp_path / "nbner.db", model=learnt) as session:
        session.add(["Ada met someone in London."])
        yield session


PATTERNS = [{"label": "PLACE", "pattern": "London"}, {"label": "PLACE", "pattern": "Ada"}]


def test_model_and_patterns_go_on_beside_a_function(taught):
    def place(examples):
        return [[("London", "PLACE"), ("met", "PLACE")] for _ in examples]

    task = hello_of(taught.make_gold(suggest=place, patterns=PATTERNS))
    found = {tuple(one[:3]): one[3] for one in task["spans"] + task["also"]}
    assert found.keys() == {(0, 1, "PERSON"), (0, 1, "PLACE"), (1, 2, "PLACE"), (4, 5, "PLACE")}
    assert found[1, 2, "PLACE"]["source"] == "place"
    assert found[4, 5, "PLACE"]["source"] == "place and patterns"
    assert found[0, 1, "PLACE"]["source"] == "patterns"
    person = found[0, 1, "PERSON"]
    assert person["source"] not in ("place", "patterns")
    assert 0.5 < person["score"] <= 1
    assert [0, 1, "PERSON"] in [one[:3] for one in task["spans"]]


@pytest.mark.parametrize(
    ("order", "label"),
    [
        (lambda f: f, "PLACE"),
        (lambda f: [f], "PLACE"),
        (lambda f: [f, "model"], "PLACE"),
        (lambda f: ["model", f], "PERSON"),
    ],
)
def test_of_equal_bounds_the_first_source_is_marked_and_the_other_on_offer(taught, order, label):
    def place(examples):
        return [[("Ada", "PLACE")] for _ in examples]

    task = hello_of(taught.make_gold(suggest=order(place)))
    assert [one[:3] for one in task["spans"]] == [[0, 1, label]]
    is_alone = order(place) == [place]
    assert len(task["also"]) == (0 if is_alone else 1)


def hello_of(widget):
    widget.heard = []
    widget.send = lambda content, buffers=None: widget.heard.append(content)
    return hello(widget)[0]


def test_the_longest_is_marked_whatever_its_source(taught):
    def longer(examples):
        return [[("Ada met", "PLACE")] for _ in examples]

    task = hello_of(taught.make_gold(suggest=["model", longer]))
    assert [one[:3] for one in task["spans"]] == [[0, 2, "PLACE"]]
    assert [one[:3] for one in task["also"]] == [[0, 1, "PERSON"]]


def test_a_list_without_the_model_leaves_it_out(taught):
    widget = taught.make_gold(suggest=[lambda examples: [[] for _ in examples]])
    assert hello_of(widget)["spans"] == []
    (setup,) = [one["setup"] for one in widget.heard if "setup" in one]
    assert setup["advises"] is False


def test_an_edit_keeps_what_functions_and_patterns_suggest(taught):
    def place(examples):
        return [[("someone", "PLACE", 0.25)] for _ in examples]

    patterns = [{"label": "PLACE", "pattern": "London"}]
    widget = taught.make_gold(suggest=place, patterns=patterns)
    task = hello_of(widget)
    assert [one[:3] for one in task["spans"]] == [
        [0, 1, "PERSON"],
        [2, 3, "PLACE"],
        [4, 5, "PLACE"],
    ]
    ask = {"type": "analyses", "id": "a", "example": task["id"], "want": 1}
    reply = widget.receive({**ask, "forced": [], "forbidden": [[0, 1, "PERSON"]]})
    (best,) = reply["analyses"]
    assert [one[:3] for one in best["spans"]][-2:] == [[2, 3, "PLACE"], [4, 5, "PLACE"]]
    assert best["spans"][-2][3] == {"source": "place", "score": 0.25}
    # What the person has taken off, or put something over, does not come back.
    reply = widget.receive({**ask, "forced": [[4, 5, "PERSON"]], "forbidden": [[2, 3, "PLACE"]]})
    (best,) = reply["analyses"]
    assert [2, 3, "PLACE"] not in [one[:3] for one in best["spans"]]
    assert [4, 5, "PERSON"] in [one[:3] for one in best["spans"]]
    # The list to leaf through is the model's alone.
    reply = widget.receive({**ask, "want": 8, "forced": [], "forbidden": []})
    assert [one[:3] for one in reply["analyses"][0]["spans"]] == [[0, 1, "PERSON"]]


def test_a_function_that_declares_the_pipeline_is_asked_again_when_it_changes(taught):
    used, others = [], []

    def declares(examples, *, nlp):
        used.append(nlp)
        return [[] for _ in examples]

    def does_not(examples):
        others.append(examples)
        return [[] for _ in examples]

    hello_of(taught.make_gold(suggest=[declares, does_not]))
    before = taught.nlp
    taught.add([Example("Ada left.", spans=(Span(0, 3, "PERSON"),))], split="t", gold=True)
    taught.train("t", dev="t", init="continue", max_epochs=1, progress=False, margin=None)
    assert taught.nlp is not before
    assert used == [before, taught.nlp]
    assert len(others) == 1


def test_an_audit_of_anchoring_takes_functions_too(session):
    def place(examples):
        return [[("London", "PLACE")] for _ in examples]

    widget = opened(session, place, TEXTS, withhold=1.0)
    assert widget.current.spans == ()
