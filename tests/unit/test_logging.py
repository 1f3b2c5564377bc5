"""The package's loggers: silent until switched on, and what they record then."""

import ast
import json
import logging
import re
import subprocess
import sys
from pathlib import Path
from threading import Event

import pytest

import nbner
from nbner.types import Span

PACKAGE = Path(nbner.__file__).parent
TEXT = "Sieve the sifted flour ."


@pytest.fixture
def log(caplog):
    caplog.set_level(logging.DEBUG, logger="nbner")
    return caplog


@pytest.fixture
def session(tmp_path):
    with nbner.Session("d", labels=["TOOL"], store=tmp_path / "nbner.db", annotator="ann") as found:
        yield found


def records(log, words):
    """Return the records whose message contains some words."""
    return [one for one in log.records if words in one.getMessage()]


def answer_message(widget, id_):
    return {
        "type": "answer",
        "id": id_,
        "example": str(widget.current.input_hash),
        "answer": "accept",
        "spans": [],
    }


def run(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout, done.stderr


def test_importing_prints_nothing():
    assert run("import nbner") == ("", "")


@pytest.fixture(scope="module")
def said():
    """What a process prints that makes a session before and after it switches them on."""
    return run("""
import logging, nbner, json, sys
kinds = lambda name: [type(one).__name__ for one in logging.getLogger(name).handlers]
nbner.Session("d", labels=["A"], store=":memory:").add(["One ."])
loggers = [name for name in logging.root.manager.loggerDict if name.startswith("nbner.")]
print(json.dumps([kinds(None), kinds("nbner"), sum(map(len, map(kinds, loggers))), len(loggers)]))
print(logging.getLogger("nbner").level, logging.getLogger("nbner").propagate)
logging.getLogger("nbner.store").error("nobody has asked for this")
logging.basicConfig(level=logging.WARNING, format="%(name)s %(levelname)s")
print("switched on", file=sys.stderr, flush=True)
logging.getLogger("nbner").setLevel(logging.DEBUG)
nbner.Session("d", labels=["A"], store=":memory:")
""")


def test_they_are_silent_and_have_a_null_handler_alone(said):
    first, second = said[0].splitlines()
    root, own, below, count = json.loads(first)
    assert (root, own, below) == ([], ["NullHandler"], 0)
    assert count > 3
    assert second == f"{logging.NOTSET} True"
    assert said[1].startswith("switched on\n")


def test_switched_on_they_write_where_the_user_says(said):
    _, *lines = said[1].splitlines()
    assert "nbner.session.context DEBUG" in lines
    assert all(line.startswith("nbner.") for line in lines)


def test_an_answer_is_recorded_once_with_who_and_where(session, log):
    session.add([TEXT])
    widget = session.manual()
    message = answer_message(widget, "a1")
    assert widget.receive(message)["type"] == "saved"
    assert widget.receive(message)["type"] == "saved"
    stored = records(log, "stored answer")
    assert [one.levelname for one in stored] == ["DEBUG"]
    said = stored[0].getMessage()
    assert all(word in said for word in ("a1", "ann", message["example"], "'train'", "accept"))


def test_a_refused_answer_is_not_recorded_as_stored(session, log):
    session.add([TEXT])
    widget = session.manual()
    message = {**answer_message(widget, "a1"), "example": "12345"}
    assert widget.receive(message)["type"] == "failed"
    assert records(log, "stored answer") == []


def test_every_message_is_recorded_with_its_kind_and_duration(session, log):
    session.add([TEXT])
    widget = session.manual()
    widget.receive({"type": "list", "id": "1", "filter": {}, "offset": 0, "want": 9})
    widget.receive({"type": "dance", "id": "2"})
    listed, unknown = records(log, "message ")
    kind, reply, milliseconds = listed.args
    assert (kind, reply) == ("list", "listed")
    assert 0 < milliseconds < 60_000
    assert unknown.args[:2] == ("dance", "failed")


@pytest.mark.slow
def test_the_model_in_use_is_recorded(tmp_path, log):
    with nbner.Session("d", store=tmp_path / "nbner.db") as session:
        session.add(nbner.sample().train[:40])
        report = session.train(max_epochs=1, progress=False)
        session.model.use(report)
    first, *rest = [one.getMessage() for one in records(log, "model in use for 'd'")]
    assert "ner" in first
    assert str(report.path) not in first
    assert [str(report.path) in one for one in rest] == [True, True]


def test_changes_of_the_labels_are_recorded(session, log):
    session.add_labels(["FOOD"])
    session.add_labels(["FOOD"])
    changes = records(log, "labels of 'd'")
    assert [one.getMessage() for one in changes] == [
        "labels of 'd': ['TOOL', 'FOOD'], before ['TOOL']"
    ]


def test_labels_that_come_with_data_are_recorded(tmp_path, log):
    with nbner.Session("d", store=tmp_path / "nbner.db") as session:
        span = Span(0, 5, "ACTION")
        session.add([nbner.Example(TEXT, spans=(span,), answer="accept")])
        session.add([nbner.Example(f"{TEXT} .", spans=(span,), answer="accept")])
    changes = records(log, "labels of 'd'")
    assert [one.getMessage() for one in changes] == ["labels of 'd': ['ACTION'], before []"]


def test_no_record_holds_a_text_or_a_note(session, log):
    session.add([TEXT])
    widget = session.manual()
    widget.receive({**answer_message(widget, "a1"), "note": "ask the baker"})
    widget.undo()
    for kind in ("hello", "fetch", "list", "find"):
        widget.receive({"type": kind, "id": kind, "examples": [], "filter": {"text": "sifted"}})
    assert log.records
    assert "sifted" not in log.text
    assert "baker" not in log.text


def test_an_error_of_a_callback_is_recorded_with_its_traceback(session, log):
    session.add([TEXT])
    widget = session.manual()

    def complain(example):
        raise ValueError(example.text)

    widget.on_answer(complain)
    widget.answer("accept")
    (record,) = records(log, "callback complain failed")
    assert record.levelname == "DEBUG"
    assert record.exc_info[0] is ValueError
    assert session.counts().accept == 1


def test_an_error_of_a_suggester_is_recorded_with_its_traceback(session, log):
    session.add([f"Number {number} ." for number in range(30)])
    broken = False
    called = Event()

    def suggest(examples):
        if broken:
            called.set()
            raise ArithmeticError
        return [[] for _ in examples]

    widget = session.make_gold(suggest=suggest, strategy="given", holdout=0.0, timeout=None)
    message = answer_message(widget, "a1")
    broken = True
    reply = widget.receive(message)
    assert reply["type"] == "saved"
    assert called.wait(60)
    assert reply["next"]
    swallowed = [one for one in log.records if one.exc_info]
    assert {one.exc_info[0] for one in swallowed} == {ArithmeticError}
    assert {one.levelname for one in swallowed} == {"DEBUG"}
    assert {one.name for one in swallowed} == {"nbner.queues.function_suggestions"}


def trees_with(words):
    """Yield the files of the package that contain some words, each with its syntax tree.

    Parsing and walking all of them takes seconds, and most have nothing to be found.
    """
    for file in sorted(PACKAGE.rglob("*.py")):
        text = file.read_text(encoding="utf-8")
        if re.search(words, text):
            yield file, ast.parse(text)


def catches_everything(node):
    """Tell whether an ``except`` or a ``suppress(...)`` takes every exception."""
    names = {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}
    return bool(names & {"Exception", "BaseException"})


def passes_on_or_logs(handler):
    nodes = [node for line in handler.body for node in ast.walk(line)]
    return any(
        isinstance(node, ast.Raise)
        or (isinstance(node, ast.Call) and any(one.arg == "exc_info" for one in node.keywords))
        for node in nodes
    )


def test_whoever_catches_everything_raises_or_logs_it():
    seen, silent = 0, []
    for file, tree in trees_with(r"\bexcept\s*:|\b(Base)?Exception\b"):
        for node in ast.walk(tree):
            place = f"{file.relative_to(PACKAGE)}:{getattr(node, 'lineno', 0)}"
            if isinstance(node, ast.ExceptHandler):
                if node.type is None or catches_everything(node.type):
                    seen += 1
                    silent += [] if passes_on_or_logs(node) else [place]
            elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "suppress":
                silent += [place] * any(catches_everything(one) for one in node.args)
    assert seen > 5
    assert silent == []


def test_nothing_is_logged_above_debug():
    levels = {
        node.func.attr
        for _, tree in trees_with(r"\b_LOG\b")
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "_LOG"
    }
    assert levels == {"debug"}
