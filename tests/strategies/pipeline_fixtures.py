"""A small pipeline with random weights, which tests of several folders share."""

from __future__ import annotations

import pytest
from pipeline_strategies import SET_BEFORE, Kind, pipeline


@pytest.fixture
def nlp():
    SET_BEFORE.clear()
    return pipeline(Kind(seed=7))


@pytest.fixture
def set_before():
    """Let an earlier component of the pipeline do something to a text."""
    SET_BEFORE.clear()
    yield SET_BEFORE.__setitem__
    SET_BEFORE.clear()
