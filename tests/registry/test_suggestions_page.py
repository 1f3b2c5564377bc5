"""What docs/suggestions.md shows runs as it stands: against stubs of what is not here."""

from __future__ import annotations

import inspect
import json
import re
import sys
import threading
import time
import types
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import get_args

import pytest
import spacy

import nbner
from nbner import Session
from nbner._common import span_placement
from nbner._common.suggestion_report import SuggestionIssueKind

PAGE = Path(__file__).parents[2] / "docs" / "suggestions.md"
TEXT = "Ada of the Royal Society left London. London misses Ada."
SPANS = {
    (0, 3, "PERSON"),
    (52, 55, "PERSON"),
    (11, 24, "ORG"),
    (30, 36, "PLACE"),
    (38, 44, "PLACE"),
}


class Model(BaseHTTPRequestHandler):
    """An OpenAI-compatible server that finds the same names in every text."""

    def do_POST(self):
        server = self.server
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        server.requests.append((self.path, self.headers["Authorization"], body))
        server.may_answer.wait(30)
        answer = {"choices": [{"message": {"role": "assistant", "content": server.content}}]}
        self.send_response(server.status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())

    def log_message(self, *given):
        pass


@pytest.fixture
def server(monkeypatch):
    made = ThreadingHTTPServer(("127.0.0.1", 0), Model)
    made.requests, made.status, made.may_answer = [], 200, threading.Event()
    made.may_answer.set()
    found = {"PERSON": ["Ada"], "ORG": ["the royal society", "Lords"], "PLACE": ["LONDON"]}
    made.content = json.dumps(found)
    threading.Thread(target=made.serve_forever, daemon=True).start()
    monkeypatch.setenv("LLM_URL", f"http://127.0.0.1:{made.server_port}/v1/chat/completions")
    monkeypatch.setenv("LLM_KEY", "secret")
    monkeypatch.setenv("LLM_MODEL", "tiny")
    yield made
    made.may_answer.set()
    made.shutdown()
    made.server_close()


@pytest.fixture
def stubs(tmp_path, monkeypatch, server):
    """A folder with another team's pipeline, and a package that stands for GLiNER."""
    monkeypatch.chdir(tmp_path)
    other = spacy.blank("en")
    ruler = other.add_pipe("entity_ruler")
    ruler.add_patterns(
        [
            {"label": "PER", "pattern": "Ada"},
            {"label": "LOC", "pattern": "London"},
            {"label": "ORG", "pattern": "Royal Society"},
        ]
    )
    other.to_disk("other_team")
    monkeypatch.setitem(sys.modules, "gliner", types.ModuleType("gliner"))
    sys.modules["gliner"].GLiNER = Gliner
    return server


class Gliner:
    """The part of GLiNER's interface that the page uses."""

    @classmethod
    def from_pretrained(cls, folder):
        assert folder == "gliner_folder"
        return cls()

    def predict_entities(self, text, labels, threshold):
        assert labels == ["person", "city or country"]
        names = {"Ada": "person", "London": "city or country"}
        return [
            {"start": m.start(), "end": m.end(), "text": m[0], "label": names[m[0]], "score": 0.75}
            for m in re.finditer("Ada|London", text)
        ]


@pytest.fixture
def page(stubs):
    """Run the page's code, and return the widget that each of its blocks opened."""
    with Session("d", labels=["PERSON", "PLACE", "ORG"], store=":memory:") as session:
        session.add([TEXT])
        names = {"nbner": nbner, "session": session}
        widgets = {}
        text = PAGE.read_text(encoding="utf-8")
        for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
            exec(compile(block, PAGE.name, "exec"), names)
            if assigned := re.search(r"suggest=([^=]*)[,)]", block):
                widgets[assigned[1].split(", batch")[0].strip('"')] = names["widget"]
        yield types.SimpleNamespace(widgets=widgets, names=names, session=session, server=stubs)


def triples(widget):
    return {(one.start, one.end, one.label) for one in widget.current.spans}


def test_every_block_opens_a_widget_with_its_suggestions(page):
    found = {name: triples(widget) for name, widget in page.widgets.items()}
    places = {one for one in SPANS if one[2] == "PLACE"}
    assert found["capitals"] == places
    assert found["gazetteer"] == SPANS
    assert found["other_team"] == SPANS
    assert found["gliner"] == {one for one in SPANS if one[2] != "ORG"}
    assert {one.score for one in page.widgets["gliner"].current.spans} == {0.75}
    longer = {one for one in SPANS if one[2] != "ORG"} | {(7, 24, "ORG")}
    assert found["llm"] == found['[gazetteer, llm, "model"]'] == longer
    assert len(page.widgets) == 6


def test_what_the_language_model_made_up_is_listed(page):
    (row,) = page.widgets["llm"].suggestion_report.frame.to_dict("records")
    assert (row["suggested"], row["label"], row["kind"]) == ("Lords", "ORG", "unplaced")
    (row,) = page.names["frame"].to_dict("records")
    assert (row["suggested"], row["kind"]) == ("Rome", "unplaced")


def test_the_request_is_the_one_that_such_servers_take(page):
    path, key, body = page.server.requests[0]
    assert path == "/v1/chat/completions"
    assert key == "Bearer secret"
    assert body["model"] == "tiny"
    assert [one["role"] for one in body["messages"]] == ["system", "user"]
    assert body["messages"][1]["content"] == TEXT
    assert "'PERSON', 'PLACE', 'ORG'" in body["messages"][0]["content"]


@pytest.mark.parametrize(
    ("status", "content", "said"),
    [
        (200, "Here are the entities: Ada", "JSONDecodeError"),
        (429, "{}", "HTTP Error 429"),
        (500, "{}", "HTTP Error 500"),
    ],
)
def test_a_server_that_fails_is_said_in_the_cell(page, status, content, said):
    page.server.status, page.server.content = status, content
    widget = page.session.make_gold(suggest=page.names["llm"])
    heard = []
    widget.send = lambda message, buffers=None: heard.append(message)
    widget._on_message(widget, {"type": "hello", "id": "h"}, None)
    assert said in next(one["text"] for one in heard if one["type"] == "notice")
    assert widget.answer("accept", []).answer == "accept"


def test_a_server_that_is_gone_is_said_in_the_cell(page):
    page.server.shutdown()
    page.server.server_close()
    widget = page.session.make_gold(suggest=page.names["llm"])
    assert widget.current.spans == ()
    assert "URLError" in str(widget.suggestion_report)


def test_a_slow_server_does_not_hold_labelling_up(page):
    page.server.may_answer.clear()
    began = time.monotonic()
    widget = page.session.make_gold(suggest=page.names["llm"], timeout=0.3)
    assert widget.current.spans == ()
    assert time.monotonic() - began < 3
    assert "has not answered within 0.3 s" in str(widget.suggestion_report)
    page.server.may_answer.set()
    end = time.monotonic() + 20
    while not widget.current.spans:
        assert time.monotonic() < end
        time.sleep(0.02)
    assert (0, 3, "PERSON") in triples(widget)


def test_the_numbers_that_the_page_states_are_those_of_the_code():
    text = PAGE.read_text(encoding="utf-8")
    options = inspect.signature(Session.make_gold).parameters
    assert f"batch_size={options['batch_size'].default}`" in text
    assert f"timeout={options['timeout'].default}`" in text
    assert f"at least {span_placement.MIN_SIMILARITY} " in text
    assert f"at least {span_placement.MIN_FUZZY_LENGTH} letters" in text


def test_the_kinds_that_the_page_lists_are_all_there_are():
    table = PAGE.read_text(encoding="utf-8").split("| kind | meaning |")[1].split("\n\n")[0]
    assert set(re.findall(r"^\| `(\w+)`", table, re.MULTILINE)) == set(
        get_args(SuggestionIssueKind)
    )


def test_the_page_names_no_address():
    text = PAGE.read_text(encoding="utf-8")
    assert "://" not in text
