"""2,000 rows that look like spans: each is read right or refused by name, none in silence."""

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from span_rows import outcome, row_of_spans, row_of_tags


@pytest.mark.parametrize("make", [row_of_spans, row_of_tags])
def test_rows_are_read_right_or_refused_by_name(make):
    seeded = random.Random(13)
    counts = {"right": 0, "refused": 0}
    for _ in range(2000):
        result = outcome(*make(seeded.choice))
        assert result in counts, result
        counts[result] += 1
    # What can be told is read: only conventions without the spans' own text are refused.
    assert counts["right"] > 1400


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_any_drawn_row_is_read_right_or_refused_by_name(data):
    make = data.draw(st.sampled_from([row_of_spans, row_of_tags]))
    result = outcome(*make(lambda options: data.draw(st.sampled_from(options))))
    assert result in ("right", "refused"), result
