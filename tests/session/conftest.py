"""A session whose model knows a little of cooking: enough to be wrong in interesting ways."""

from __future__ import annotations

import pytest

import nbner


@pytest.fixture(scope="session")
def cooking(tmp_path_factory):
    """Give the session and the path of its store; tests leave its splits train and dev alone."""
    corpus = nbner.sample()
    store = tmp_path_factory.mktemp("cooking") / "nbner.db"
    with nbner.Session("cooking", labels=corpus.labels, store=store, annotator="ann") as session:
        session.add(corpus.train[:200], split="train")
        session.add(corpus.dev[:64], split="dev")
        session.train(max_epochs=4, progress=False)
        yield session, store
