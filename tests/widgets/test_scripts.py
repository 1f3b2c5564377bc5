"""Offsets from the text to the page and back, in every script."""

from __future__ import annotations

from itertools import accumulate, pairwise

from hypothesis import given
from hypothesis import strategies as st

from nbner.types import Example, Span, Token
from nbner.widgets.parsing import parse_answer
from nbner.widgets.queue_protocol import QueueInfo
from nbner.widgets.serialization import serialize_example

INFO = QueueInfo("key", "scripts", "train", "manual", "ann", ("A", "B"))
# Joined emoji, flags, skin tones, combining marks, both directions, no spaces, no width.
WORDS = [
    "👩‍👩‍👧",
    "👨🏽‍🚀",
    "🇮🇸",
    "🧑🏿",
    "e\u0301",
    "क्षि",
    "தமிழ்",
    "مرحبا",
    "שָׁלוֹם",
    "天安门",
    "北京",
    "\U0001d518\U0001d52b\U0001d526",
    "naïve",
    "5",
    "ml",
    "\u200bx",
    "a\u0300\u0316",
]
GAPS = ["", "", " ", "  ", "\t", "\n", " \n\n", "\u00a0", "\u3000", "\u200f "]


@st.composite
def cut_texts(draw):
    """A text in pieces, and some spans of whole tokens that do not overlap."""
    words = draw(st.lists(st.sampled_from(WORDS), min_size=1, max_size=12))
    gaps = draw(st.lists(st.sampled_from(GAPS), min_size=len(words) + 1, max_size=len(words) + 1))
    text, tokens = gaps[0], []
    for word, gap in zip(words, gaps[1:], strict=True):
        tokens.append(Token(word, len(text), len(text) + len(word)))
        text += word + gap
    size = len(words)
    edges = sorted(draw(st.sets(st.integers(0, size), max_size=6)))
    places = [pair for i, pair in enumerate(pairwise(edges)) if i % 2 == 0]
    return Example(text, tuple(tokens), input_hash=1), places


def as_the_page_sees(task):
    """Rebuild text and offsets as a page does: from what leads, and each token with its gap."""
    lengths = [len(word) + len(gap) for word, gap in task["tokens"]]
    starts = list(accumulate(lengths, initial=len(task["lead"])))
    return task["lead"] + "".join(word + gap for word, gap in task["tokens"]), starts


@given(cut_texts())
def test_the_page_can_rebuild_the_text_from_its_tokens(case):
    example, _ = case
    text, starts = as_the_page_sees(serialize_example(example))
    assert text == example.text
    assert starts[:-1] == [token.start for token in example.tokens]


@given(cut_texts())
def test_what_is_labelled_on_the_page_is_that_text(case):
    example, places = case
    sent = [[start, end, "A"] for start, end in places]
    message = {"id": "x", "answer": "accept", "spans": sent}
    answer = parse_answer(message, example, INFO)
    for (start, end), span in zip(places, answer.spans, strict=True):
        first, last = example.tokens[start], example.tokens[end - 1]
        assert (span.start, span.end) == (first.start, last.end)
        assert example.text[span.start : span.end].startswith(first.text)
        assert example.text[span.start : span.end].endswith(last.text)


@given(cut_texts())
def test_spans_come_back_as_they_went_out(case):
    example, places = case
    spans = tuple(
        Span(example.tokens[start].start, example.tokens[end - 1].end, "B") for start, end in places
    )
    shown = serialize_example(Example(example.text, example.tokens, spans, input_hash=1))
    assert shown["loose"] == []
    message = {"id": "x", "answer": "accept", "spans": [span[:3] for span in shown["spans"]]}
    assert parse_answer(message, example, INFO).spans == spans
