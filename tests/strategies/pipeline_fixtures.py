"""A small pipeline with random weights, which tests of several folders share."""

from __future__ import annotations

import pytest
from pipeline_strategies import SET_BEFORE, Kind, pipeline, recognizer_of


@pytest.fixture
def nlp():
    SET_BEFORE.clear()
    shared = pipeline(Kind(seed=7))
    n_moves = recognizer_of(shared).moves.n_moves
    yield shared
    # A recognizer takes over labels that are set before it, and other tests share it.
    if recognizer_of(shared).moves.n_moves != n_moves:
        pipeline.cache_clear()


@pytest.fixture
def set_before():
    """Let an earlier component of the pipeline do something to a text."""
    SET_BEFORE.clear()
    yield SET_BEFORE.__setitem__
    SET_BEFORE.clear()
