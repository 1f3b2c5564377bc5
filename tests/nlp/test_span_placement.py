"""Words are found where they stand in a text: the same, folded, or similar."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from nbner._common.span_placement import MIN_SIMILARITY, TextPlacer, fold
from nbner.nlp.pipeline import load_base, tokenizer_of

TEXT = "London calls. The  Royal\n Society of london met Dr. Müller’s team in London, 5ml each."
NAMES = st.sampled_from(["Ada", "Straße", "E. coli", "Çelik", "ﬁn", "O'Neil", "naïve café", "李雷"])


@pytest.fixture(scope="module")
def tokenize():
    return tokenizer_of(load_base("blank:en"))


@pytest.fixture(scope="module")
def place(tokenize):
    def found(words, text=TEXT):
        return [
            (text[one.start : one.end], one.match, one.on_tokens)
            for one in TextPlacer(text, tokenize(text)).find(words)
        ]

    return found


def test_the_same_characters_are_found_wherever_they_are(place):
    assert place("London") == [("London", "exact", True)] * 2
    assert place(" London\n") == place("London")


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ("LONDON CALLS", "London calls"),
        ("royal society", "Royal\n Society"),
        ("Dr . Mu\u0308ller", "Dr. Müller"),
    ],
)
def test_case_whitespace_and_composition_do_not_count(place, words, text):
    assert place(words) == [(text, "folded", True)]


def test_one_exact_place_rules_out_folded_ones(place):
    assert place("london") == [("london", "exact", True)]


@pytest.mark.parametrize(
    ("words", "text"),
    [("Dr. Mueller", "Dr. Müller"), ("Royal Societies of London", "Royal\n Society of london")],
)
def test_the_most_similar_words_are_found_once_with_their_similarity(tokenize, words, text):
    (one,) = TextPlacer(TEXT, tokenize(TEXT)).find(words)
    assert (TEXT[one.start : one.end], one.match) == (text, "fuzzy")
    assert MIN_SIMILARITY <= one.similarity < 1


@pytest.mark.parametrize("words", ["Zurich", "Lord", "calling from London to", "", "   ", "5 l"])
def test_what_is_not_there_is_not_found(place, words):
    assert place(words) == []


def test_short_words_are_never_placed_by_similarity(place):
    assert place("Bob", "Bo met Ann") == []


def test_words_inside_of_tokens_are_told_apart(place):
    assert place("ube", "the tube") == [("ube", "exact", False)]
    assert place("ube", "the tube, ube") == [("ube", "exact", True)]


def test_half_of_a_character_is_no_place(place):
    # The ligature folds to two letters, of which the words would take one.
    assert place("n", "ﬁn") == [("n", "exact", False)]
    assert place("in", "ﬁn") == []


@given(st.lists(NAMES, min_size=1, max_size=6), st.data())
def test_a_folded_variant_is_found_at_the_words_it_came_from(tokenize, names, data):
    text = " and ".join(names)
    name = data.draw(st.sampled_from(names))
    variant = data.draw(
        st.sampled_from(
            [
                name.upper(),
                name.replace(" ", "\n  "),
                unicodedata.normalize("NFD", name),
                unicodedata.normalize("NFKC", name),
            ]
        )
    )
    tokens = tokenize(text)
    starts, ends = {one.start for one in tokens}, {one.end for one in tokens}
    at = text.index(name)
    assume(at in starts and at + len(name) in ends)
    found = TextPlacer(text, tokens).find(variant)
    assert (at, at + len(name)) in {(one.start, one.end) for one in found}
    assert len(found) == names.count(name)


@given(st.text(max_size=40), st.text(max_size=12))
def test_places_are_in_the_text_and_say_what_is_there(tokenize, text, words):
    tokens = tokenize(text) if text else ()
    starts, ends = {one.start for one in tokens}, {one.end for one in tokens}
    before = 0
    for one in TextPlacer(text, tokens).find(words):
        assert before <= one.start < one.end <= len(text)
        before = one.end
        assert one.on_tokens == (one.start in starts and one.end in ends)
        here = text[one.start : one.end]
        if one.match == "exact":
            assert here == words.strip()
        elif one.match == "folded":
            assert fold(here)[0] == fold(words)[0]
        else:
            assert one.similarity >= MIN_SIMILARITY


@given(st.text(alphabet="ab \n", max_size=30), st.text(alphabet="ab", min_size=1, max_size=4))
def test_no_occurrence_on_tokens_is_left_out(tokenize, text, words):
    assume(text.strip())
    tokens = tokenize(text)
    whole = [one for one in tokens if one.text == words]
    found = {(one.start, one.end) for one in TextPlacer(text, tokens).find(words) if one.on_tokens}
    assert {(one.start, one.end) for one in whole} <= found
