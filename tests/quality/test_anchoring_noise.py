"""Errors put in on purpose: how many, of which kind, and never an impossible one."""

from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbner._common.alignment import char_to_token_range, join_words
from nbner.errors import DataError
from nbner.quality.anchoring.noise import SPAN_ERROR_KINDS, check_fraction, corrupt_spans
from nbner.types import Span

LABELS = ["A", "B", "C"]


@st.composite
def annotated(draw):
    size = draw(st.integers(1, 12))
    _, tokens = join_words(
        draw(st.lists(st.sampled_from(["ab", "c", "-"]), min_size=size, max_size=size))
    )
    cuts = sorted(draw(st.sets(st.integers(0, size), max_size=6)))
    pairs = list(zip(cuts[::2], cuts[1::2], strict=False))
    labels = st.sampled_from(LABELS)
    spans = [Span(tokens[a].start, tokens[b - 1].end, draw(labels)) for a, b in pairs]
    return tokens, tuple(spans)


@given(annotated(), st.integers(0, 99))
def test_what_is_spoilt_still_is_an_annotation_and_the_changes_tell_all(case, seed):
    tokens, spans = case
    now, changes = corrupt_spans(spans, tokens, LABELS, 0.5, Random(seed))
    places = [char_to_token_range(tokens, span.start, span.end) for span in now]
    assert None not in places
    assert all(left[1] <= right[0] for left, right in pairwise(places))
    back = set(now) - {one.after for one in changes} | {one.before for one in changes if one.before}
    assert back == set(spans)
    assert corrupt_spans(spans, tokens, LABELS, 0.5, Random(seed)) == (now, changes)


@given(annotated())
def test_none_or_all(case):
    tokens, spans = case
    assert corrupt_spans(spans, tokens, LABELS, 0.0, Random(0)) == (spans, ())
    now, changes = corrupt_spans(spans, tokens, LABELS, 1.0, Random(0), kinds=["other_label"])
    assert len(changes) == len(spans)
    assert all(one.before.label != one.after.label for one in changes)
    assert [(s.start, s.end) for s in now] == [(s.start, s.end) for s in spans]


def test_every_kind_comes_as_often_and_the_share_is_kept():
    _, tokens = join_words(["one", "two", "three"] * 400)
    spans = tuple(Span(t.start, t.end, "A") for t in tokens[::3])
    _, changes = corrupt_spans(spans, tokens, LABELS, 0.5, Random(1))
    assert 160 <= len(changes) <= 240
    counts = [sum(one.kind == fault for one in changes) for fault in SPAN_ERROR_KINDS]
    assert min(counts) > 30


@pytest.mark.parametrize("share", [-0.1, 1.5, "5 %", True, float("nan")])
def test_what_is_no_share_is_refused_with_the_way_out(share):
    with pytest.raises(DataError, match=r"not a share.*Give a number from 0 to 1"):
        check_fraction(share, "error_rate")
