"""A store that cannot be written: the widget hears "not saved", and the answer is taken later."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager

import pytest
from sqlalchemy import event

from nbner import Session

TEXTS = [f"Add {n} ml of water ." for n in range(20)]


@contextmanager
def read_only(path, session):
    """Let new connections read and not write, as on a read-only file system."""

    @event.listens_for(session.context.store._database._engine, "connect")
    def protect(connection, _record):
        connection.execute("PRAGMA query_only = ON")

    session.context.store._database._engine.dispose()
    yield
    event.remove(session.context.store._database._engine, "connect", protect)
    session.context.store._database._engine.dispose()


@contextmanager
def full(path, session):
    """Let the database grow no further."""
    with sqlite3.connect(path) as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]

    @event.listens_for(session.context.store._database._engine, "connect")
    def limit(connection, _record):
        connection.execute(f"PRAGMA max_page_count = {pages}")

    session.context.store._database._engine.dispose()
    yield
    event.remove(session.context.store._database._engine, "connect", limit)
    session.context.store._database._engine.dispose()


@contextmanager
def locked(path, session):
    """Have another program write for a long time."""
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    yield
    other.execute("ROLLBACK")
    other.close()


FAULTS = {
    read_only: "can be read but not written",
    full: "the disk is full",
    locked: "is busy",
}


def answer(example, number):
    return {
        "type": "answer",
        "id": f"answer-{number}",
        "example": str(example.input_hash),
        "answer": "accept",
        # Long enough that a full disk cannot take it.
        "note": "n" * 50_000,
        "spans": [[0, 1, "Action"]],
    }


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_an_answer_that_cannot_be_stored_now_is_stored_later(tmp_path, monkeypatch, fault):
    from nbner.store import database

    monkeypatch.setattr(database, "BUSY_SECONDS", 0.05)
    path = tmp_path / "nbner.db"
    with Session("d", labels=["Action"], store=path) as session:
        session.add(TEXTS)
        widget = session.manual()
        sent = [answer(one, n) for n, one in enumerate(session.examples()[:3])]
        with fault(path, session):
            refused = [widget.receive(message) for message in sent]
            assert widget.receive({"type": "hello", "id": "h"})["window"]
        assert session.counts().answered == 0
        assert {(one["type"], one["retry"]) for one in refused} == {("failed", True)}
        assert all(FAULTS[fault] in one["message"] for one in refused)
        saved = [widget.receive(message) for message in sent]
        assert [one["type"] for one in saved] == ["saved"] * 3
        # Whoever doubts sends once more: it is applied once.
        widget.receive(sent[0])
        assert session.counts().accept == 3
        assert len(session.store.history(session.examples()[0])) == 1
        assert session.store.verify().ok


def test_a_server_that_is_lost_and_comes_back(postgres_server):
    with Session("d", labels=["Action"], store=postgres_server.place()) as session:
        session.add(TEXTS)
        widget = session.manual()
        sent = [answer(one, n) for n, one in enumerate(session.examples()[:3])]
        assert widget.receive(sent[0])["type"] == "saved"
        postgres_server.halt()
        try:
            refused = [widget.receive(message) for message in sent[1:]]
        finally:
            postgres_server.start()
        assert {(one["type"], one["retry"]) for one in refused} == {("failed", True)}
        assert all("cannot be reached" in one["message"] for one in refused)
        assert [widget.receive(message)["type"] for message in sent] == ["saved"] * 3
        assert session.counts().accept == 3
        assert session.store.verify().ok
