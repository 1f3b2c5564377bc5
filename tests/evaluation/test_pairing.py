"""Two sides of annotations are paired whatever a tool has done to the texts."""

from __future__ import annotations

import html
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbner._common.text_alignment import classify_alterations, core_offset, normalized_core
from nbner.evaluation.pairing import pair_texts
from nbner.types import Example, Span

WHOLE = "Ada lives in Rome. Bo lives in Oslo."


def at(text, words, label="X"):
    start = text.index(words)
    return Span(start, start + len(words), label)


def test_equal_texts_are_paired_in_whatever_order():
    sides = [Example("one"), Example("two")], [Example("two"), Example("one")]
    assert [(one.a.text, one.b.text) for one in pair_texts(*sides).pairs] == [
        ("one", "one"),
        ("two", "two"),
    ]


def test_a_text_that_stands_twice_is_paired_twice():
    pairing = pair_texts([Example("one")] * 3, [Example("one")] * 2)
    assert len(pairing.pairs) == 2
    assert pairing.unmatched_a == (2,)


def test_sentences_are_glued_to_their_text_and_their_spans_moved():
    first, second = "Ada lives in Rome.", "Bo lives in Oslo."
    parts = [
        Example(first, spans=(at(first, "Ada"),)),
        Example(second, spans=(at(second, "Oslo"),)),
    ]
    whole = Example(WHOLE, spans=(at(WHOLE, "Ada"), at(WHOLE, "Oslo")))
    for pairing, cuts in (
        (pair_texts(parts, [whole]), "segments_a"),
        (pair_texts([whole], parts), "segments_b"),
    ):
        (only,) = pairing.pairs
        assert not only.differs
        assert getattr(only, cuts) == ((0, 18), (19, 36))


def test_a_text_that_was_cut_off_finds_its_whole():
    (only,) = pair_texts([Example("Ada lives in Rome")], [Example("Bo"), Example(WHOLE)]).pairs
    assert only.b.text == WHOLE
    assert only.alterations == ("truncation",)


def test_what_has_no_partner_is_listed():
    pairing = pair_texts([Example("one")], [Example("another")])
    assert (pairing.pairs, pairing.unmatched_a, pairing.unmatched_b) == ((), (0,), (0,))


ALTERED = {
    "whitespace": lambda text: text.replace(" ", "  ") + "\n",
    "Unicode normal form": lambda text: unicodedata.normalize("NFD", text),
    "HTML entities": html.escape,
}


@pytest.mark.parametrize("kind", ALTERED)
def test_spans_of_an_altered_text_compare_equal(kind):
    text = "José's café & bar in Rome <now>"
    altered = ALTERED[kind](text)
    form = {"Unicode normal form": "José", "HTML entities": "José"}.get(kind, "José")
    word = unicodedata.normalize("NFD", form) if kind == "Unicode normal form" else form
    one = Example(text, spans=(at(text, "José"), at(text, "Rome")))
    other = Example(altered, spans=(at(altered, word), at(altered, "Rome")))
    (only,) = pair_texts([one], [other]).pairs
    assert only.alterations == (kind,)
    assert not only.differs


def test_several_alterations_are_all_named():
    assert classify_alterations("a & b c", "a  &amp; b c") == ("whitespace", "HTML entities")


texts = st.text(alphabet="abé ñ🧪&<'\n", max_size=30)


@given(texts)
def test_a_text_is_not_altered_against_itself(text):
    assert classify_alterations(text, text) == ()


@given(texts, st.sampled_from(sorted(ALTERED)))
def test_the_core_is_left_by_every_alteration(text, kind):
    assert normalized_core(ALTERED[kind](text)) == normalized_core(html.unescape(text))


@given(texts, st.data())
def test_places_count_on(text, data):
    one = data.draw(st.integers(0, len(text)))
    other = data.draw(st.integers(one, len(text)))
    assert core_offset(text, one) <= core_offset(text, other)
