"""Spans and tokens in code points."""

from itertools import pairwise

import pytest
from example_strategies import spans_on, texts_with_tokens
from hypothesis import given
from hypothesis import strategies as st

from nbner import DataError
from nbner._common.alignment import (
    align,
    char_to_token_range,
    filter_spans,
    join_words,
    tokens_from_offsets,
    tokens_from_words,
    words_and_gaps,
)
from nbner.types import Span


@given(texts_with_tokens())
def test_words_and_gaps_rebuild_any_text(drawn):
    text, places = drawn
    lead, words = words_and_gaps(text, tokens_from_offsets(text, places))
    assert lead + "".join(word + gap for word, gap in words) == text
    assert [word for word, _ in words] == [text[start:end] for start, end in places]


def test_a_text_without_tokens_is_all_lead():
    assert words_and_gaps("  ", ()) == ("  ", [])


@given(texts_with_tokens())
def test_a_space_follows_where_spacy_says_so(drawn):
    text, places = drawn
    for i, token in enumerate(tokens_from_offsets(text, places)):
        following = places[i + 1][0] if i + 1 < len(places) else len(text)
        assert token.ws == text[token.end : following].startswith(" ")


@given(texts_with_tokens())
def test_words_are_found_where_they_stand(drawn):
    text, places = drawn
    words = [text[start:end] for start, end in places]
    assert [(token.start, token.end) for token in tokens_from_words(text, words)] == places


@given(st.lists(st.text("aé🧪水", min_size=1, max_size=3), max_size=5))
def test_joined_words_have_one_space_between(words):
    text, tokens = join_words(words)
    assert text == " ".join(words)
    assert tokens == tokens_from_words(text, words)


@pytest.mark.parametrize(
    "words", [["Add", "ml"], ["Add", "5", "ml", "x"], ["Add", "", "5", "ml"], ["dd"]]
)
def test_words_that_do_not_rebuild_the_text_are_refused(words):
    with pytest.raises(DataError):
        tokens_from_words("Add 5 ml", words)


@pytest.mark.parametrize(
    "places", [[(0, 3)], [(0, 0)], [(3, 8), (0, 3)], [(0, 4), (3, 8)], [(0, 3), (4, 9)], [(-1, 8)]]
)
def test_places_that_cannot_be_tokens_are_refused(places):
    with pytest.raises(DataError):
        tokens_from_offsets("Add 5 ml", places)


@given(st.data())
def test_a_span_on_tokens_fits_and_comes_back(data):
    text, places = data.draw(texts_with_tokens())
    tokens = tokens_from_offsets(text, places)
    spans = data.draw(spans_on(places))
    alignment = align(tokens, spans)
    assert alignment.misaligned == ()
    assert [span for _, _, span in alignment.aligned] == list(spans)
    for first, last, span in alignment.aligned:
        assert (tokens[first].start, tokens[last - 1].end) == (span.start, span.end)


@given(st.data())
def test_no_span_is_lost_and_only_those_on_borders_fit(data):
    text, places = data.draw(texts_with_tokens())
    tokens = tokens_from_offsets(text, places)
    offsets = st.integers(0, len(text))
    pairs = data.draw(st.lists(st.tuples(offsets, offsets).filter(lambda pair: pair[0] < pair[1])))
    spans = [Span(start, end, "X") for start, end in pairs]
    alignment = align(tokens, spans)
    starts, ends = {start for start, _ in places}, {end for _, end in places}
    on_borders = [span for span in spans if span.start in starts and span.end in ends]
    assert [span for _, _, span in alignment.aligned] == on_borders
    assert list(alignment.misaligned) == [span for span in spans if span not in on_borders]


def test_an_emoji_is_one_code_point_or_several_and_moves_what_follows_by_so_many():
    text = "👩‍🔬 adds 水"
    tokens = tokens_from_words(text, ["👩‍🔬", "adds", "水"])
    assert [(token.start, token.end) for token in tokens] == [(0, 3), (4, 8), (9, 10)]
    assert char_to_token_range(tokens, 9, 10) == (2, 3)
    assert char_to_token_range(tokens, 0, 1) is None


@pytest.mark.parametrize(("start", "end"), [(0, 0), (4, 3), (0, 99), (99, 100), (3, 4), (-1, 3)])
def test_what_is_no_run_of_tokens_has_no_range(start, end):
    assert (
        char_to_token_range(tokens_from_words("Add 5 ml", ["Add", "5", "ml"]), start, end) is None
    )


def test_longest_then_earliest_then_first_given():
    spans = [Span(2, 4, "B"), Span(0, 3, "A"), Span(3, 6, "C"), Span(3, 6, "D"), Span(6, 7, "E")]
    kept, overlapping = filter_spans(spans)
    assert kept == (Span(0, 3, "A"), Span(3, 6, "C"), Span(6, 7, "E"))
    assert overlapping == (Span(2, 4, "B"), Span(3, 6, "D"))


@given(
    st.lists(st.tuples(st.integers(0, 20), st.integers(1, 8), st.sampled_from("AB")), max_size=12)
)
def test_what_is_kept_does_not_overlap_and_nothing_more_could_be(drawn):
    spans = [Span(start, start + length, label) for start, length, label in drawn]
    kept, overlapping = filter_spans(spans)
    assert sorted([*kept, *overlapping], key=str) == sorted(spans, key=str)
    assert all(one.end <= other.start for one, other in pairwise(kept))
    for span in overlapping:
        in_the_way = [one for one in kept if one.start < span.end and span.start < one.end]
        assert any(one.end - one.start >= span.end - span.start for one in in_the_way)
