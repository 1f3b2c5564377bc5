"""Spans that do not overlap, as both sides of a comparison."""

from hypothesis import strategies as st

from nbner.types import Span

LABELS = ("A", "B", "C")


@st.composite
def spans(draw, longest=12):
    """Draw spans that do not overlap, in a text of a few dozen one-letter tokens."""
    found, at = [], 0
    for _ in range(draw(st.integers(0, 6))):
        start = at + draw(st.integers(0, 3))
        at = start + draw(st.integers(1, longest))
        found.append(Span(start, at, draw(st.sampled_from(LABELS))))
    return found


def corpora():
    """Draw a few examples, each with gold and predicted spans."""
    return st.lists(st.tuples(spans(), spans()), min_size=1, max_size=5)
