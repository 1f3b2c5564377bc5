"""Work on long texts: done up to some place, text around the text, a target for today."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

import nbner
from nbner.errors import DataError
from nbner.simulation.headless_client import HeadlessClient
from nbner.store.assignments import Assignments
from nbner.types import Span

TEXT = "Stir the salt and the water and wait"


@pytest.fixture
def store(tmp_path):
    return tmp_path / "nbner.db"


def open_session(store, **options):
    return nbner.Session("long", labels=["Tool"], store=store, annotator="ann", **options)


def answer(widget, **fields):
    """Send an answer of the page's to the example on display, and return the reply."""
    example = widget.current
    message = {"type": "answer", "id": "1", "example": str(example.input_hash), "have": []}
    rest = {"answer": None, "spans": [], "flagged": False, "note": "", "seconds": 1.0}
    return widget.receive({**message, **rest, **fields})


class TestDoneUpToHere:
    def test_it_is_taken_up_in_another_session(self, store):
        with open_session(store) as session:
            session.add([TEXT])
            reply = answer(session.manual(), spans=[[2, 3, "Tool"]], done=3)
            assert reply["done"] == 3
        with open_session(store) as session:
            widget = session.manual()
            assert widget.current.done_to == TEXT.index(" and")
            assert widget.current.spans == (Span(9, 13, "Tool"),)
            (task,) = widget.receive({"type": "hello", "id": "2"})["window"]
            assert (task["done"], task["draft"], task["answer"]) == (3, True, None)

    def test_what_is_done_in_part_is_no_gold(self, store):
        with open_session(store) as session:
            session.add([TEXT])
            answer(session.manual(), spans=[[2, 3, "Tool"]], done=3)
            assert session.counts().accept == 0
            assert not list(session.examples(answer="accept"))

    def test_a_decision_ends_it(self, store):
        with open_session(store) as session:
            session.add([TEXT])
            widget = session.manual()
            answer(widget, done=3)
            answer(widget, answer="accept", id="3")
            (example,) = session.examples()
            assert example.done_to is None

    @pytest.mark.parametrize("wrong", [0, -1, 99, True, "3", None, 2.5])
    def test_a_place_outside_the_text_is_none(self, store, wrong):
        with open_session(store) as session:
            session.add([TEXT])
            assert "done" not in answer(session.manual(), done=wrong)
            assert session.examples()[0].done_to is None

    @pytest.mark.parametrize("name", ["out.jsonl", "out.csv", "out.parquet"])
    def test_it_survives_export_and_import(self, store, tmp_path, name):
        with open_session(store) as session:
            session.add([TEXT])
            answer(session.manual(), done=3)
            session.export(tmp_path / name)
        with nbner.Session("copy", labels=["Tool"], store=":memory:") as other:
            other.add(tmp_path / name)
            assert other.examples()[0].done_to == TEXT.index(" and")


class TestContext:
    def tasks(self, session, **options):
        return session.manual(**options).receive({"type": "hello", "id": "1"})["window"]

    def test_a_column_with_the_whole_passage_is_cut_around_the_text(self):
        with open_session(":memory:") as session:
            passage = f"First. {TEXT} Then more."
            session.add([{"text": TEXT, "meta": {"page": passage, "url": "x"}}])
            (task,) = self.tasks(session, context="page")
            assert task["context"] == ["First. ", " Then more."]
            assert task["meta"] == {"url": "x"}

    def test_two_columns_hold_what_is_before_and_after(self):
        with open_session(":memory:") as session:
            session.add([{"text": TEXT, "meta": {"left": "A", "right": "B"}}])
            (task,) = self.tasks(session, context=("left", "right"))
            assert task["context"] == ["A", "B"]
            (task,) = self.tasks(session, context=(None, "right"))
            assert task["context"] == ["", "B"]

    def test_a_passage_without_the_text_is_shown_before_it(self):
        with open_session(":memory:") as session:
            session.add([{"text": TEXT, "meta": {"page": "Elsewhere."}}])
            (task,) = self.tasks(session, context="page")
            assert task["context"] == ["Elsewhere.", ""]

    def test_a_text_without_the_column_has_nothing_around_it(self):
        with open_session(":memory:") as session:
            session.add([TEXT, {"text": "Other", "meta": {"page": "Other one"}}])
            assert self.tasks(session, context="page")[0]["context"] == ["", ""]

    @pytest.mark.parametrize("wrong", ["pgae", ("page", "after")])
    def test_a_column_that_no_example_has_is_named(self, wrong):
        with open_session(":memory:") as session:
            session.add([{"text": TEXT, "meta": {"page": TEXT}}])
            with pytest.raises(DataError, match=r"no example has the column .*: page"):
                session.manual(context=wrong)

    def test_it_is_no_part_of_the_gold(self):
        with open_session(":memory:") as session:
            session.add([{"text": TEXT, "meta": {"page": f"First. {TEXT}"}}])
            HeadlessClient(session.manual(context="page"))
            assert session.examples()[0].text == TEXT

    @pytest.mark.parametrize("wrong", [3, (), ("a",), (None, None), ("a", "b", "c"), (1, "b")])
    def test_anything_else_is_refused(self, wrong):
        with open_session(":memory:") as session:
            session.add([TEXT])
            with pytest.raises(DataError, match="context"):
                session.manual(context=wrong)


class TestDailyTarget:
    def target(self, session, daily):
        return session.manual(daily_target=daily).receive({"type": "hello", "id": "1"})["setup"]

    def test_decisions_of_today_count(self, store):
        with open_session(store) as session:
            session.add([TEXT, "Two", "Three"])
            widget = session.manual()
            answer(widget, answer="accept")
            assert self.target(session, 10)["target"] == {"daily": 10, "today": 1, "answered": 1}

    def test_decisions_of_other_splits_and_pages_count(self, store):
        with open_session(store) as session:
            session.add([TEXT, "Two"])
            session.add(["Three", "Four"], split="more")
            widget = session.manual(daily_target=10)
            answer(session.manual(split="more"), answer="accept")
            reply = answer(widget, answer="accept", id="2")
            assert reply["target"] == {"daily": 10, "today": 2, "answered": 1}

    def test_the_count_starts_again_at_the_annotators_midnight(self, store, monkeypatch):
        class Clock(datetime):
            """Noon of a day far ahead, in UTC."""

            @classmethod
            def now(cls, tz=None):
                return datetime(2999, 5, 1, 12, tzinfo=timezone.utc).astimezone(tz)

        with open_session(store) as session:
            session.add([TEXT, "Two"])
            widget = session.manual(daily_target=10)
            answer(widget, answer="accept")
            monkeypatch.setattr("nbner.widgets.base_widget.datetime", Clock)
            since = []
            count = session.context.dataset.assignments.count_decided_since
            monkeypatch.setattr(
                Assignments,
                "count_decided_since",
                lambda _, name, when: since.append(when) or count(name, when),
            )
            widget = session.manual(daily_target=10)
            hello = {"type": "hello", "id": "1", "zone": -14 * 60}
            reply = widget.receive(hello)
            assert reply["target"] == {"daily": 10, "today": 0, "answered": 1}
            # In Kiritimati, 14 hours ahead, the second of May has begun two hours ago.
            assert since[-1] == datetime(2999, 5, 1, 10, tzinfo=timezone.utc).timestamp()
            reply = answer(widget, answer="accept", id="2")
            assert reply["target"]["answered"] == 2

    def test_those_of_others_do_not(self, store):
        with open_session(store) as session:
            session.add([{"text": TEXT, "answer": "accept", "spans": []}, "Two"])
            assert self.target(session, 10)["target"]["today"] == 0

    def test_a_target_is_at_least_one(self):
        with open_session(":memory:") as session:
            session.add([TEXT])
            with pytest.raises(DataError, match="daily_target"):
                session.manual(daily_target=0)
