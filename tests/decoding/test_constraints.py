"""Searching again once a person has fixed something."""

from __future__ import annotations

import numpy as np
import pytest
import spacy
from hypothesis import given, settings
from hypothesis import strategies as st
from pipeline_strategies import LABELS, Kind, pipeline, texts

from nbner.decoding.api import lattices
from nbner.decoding.constraints import Constraints
from nbner.errors import DataError
from nbner.types import Span

TEXT = "Add 5 ml of LB"


@st.composite
def fixed(draw):
    """A text's lattice, with constraints that do not contradict each other."""
    (kept,) = lattices(pipeline(Kind(seed=7)), [draw(texts(4))])
    forced, forbidden, outside, at = [], [], [], 0
    tokens = kept.tokens
    while at < len(tokens):
        end = draw(st.integers(at + 1, len(tokens)))
        span = Span(tokens[at].start, tokens[end - 1].end, draw(st.sampled_from(LABELS)))
        what = draw(st.sampled_from(("force", "forbid", "outside", None, None)))
        if what == "force" and kept.is_reachable((span,)):
            forced.append(span)
        elif what == "forbid":
            forbidden.append(span)
        elif what == "outside":
            outside.append((span.start, span.end))
        at = end
    return kept, Constraints(tuple(forced), tuple(forbidden), tuple(outside))


def agrees(spans, constraints):
    return (
        set(constraints.forced) <= set(spans)
        and not set(constraints.forbidden) & set(spans)
        and not any(
            s.start < end and start < s.end for s in spans for start, end in constraints.outside
        )
    )


@settings(max_examples=50, deadline=None)
@given(fixed(), st.integers(1, 12))
def test_the_list_is_what_is_left_of_all_analyses(given_, k):
    kept, constraints = given_
    left = [one for one in kept.k_best(100_000) if agrees(one.spans, constraints)]
    listed = kept.k_best(k, constraints)
    total = sum(one.probability for one in left)
    assert len(listed) == min(k, len(left))
    assert [one.score for one in listed] == pytest.approx([one.score for one in left[:k]])
    assert [one.probability for one in listed] == pytest.approx(
        [one.probability / total for one in left[:k]]
    )
    assert all(agrees(one.spans, constraints) for one in listed)
    known = kept.span_probabilities(constraints, min_probability=0)
    np.testing.assert_allclose(known.token_probabilities.sum(axis=1), 1.0)
    for span, probability in known.spans.items():
        share = sum(one.probability for one in left if span in one.spans) / total
        assert probability == pytest.approx(share, abs=1e-6)


def test_the_rest_of_the_text_stays_as_likely_as_it_was_without_the_neighbour(nlp):
    (kept,) = lattices(nlp, [TEXT])
    first = kept.k_best(1)[0]
    again = kept.k_best(1, Constraints(forbidden=first.spans[:1]))[0]
    assert first.spans[0] not in again.spans
    assert kept.k_best(1)[0] == first


def test_a_person_may_fix_what_the_model_cannot_find(nlp):
    (kept,) = lattices(nlp, [TEXT], max_span_length=2)
    long, strange = Span(0, 11, "A"), Span(12, 14, "Unknown")
    (only,) = kept.k_best(5, Constraints(forced=(long, strange)))
    assert only.spans == (long, strange)
    assert only.probability == pytest.approx(1.0)
    known = kept.span_probabilities(Constraints(forced=(long, strange)))
    assert known.label_axis == ("A", "B-x", "Unknown", "O")
    np.testing.assert_allclose(known.token_probabilities[:, [0, 2]], [[1, 0]] * 4 + [[0, 1]])
    assert dict(known.spans) == {long: 1.0, strange: 1.0}


def test_what_is_set_before_is_known_to_the_kept_lattice(nlp, set_before):
    set_before(
        TEXT,
        lambda doc: doc.set_ents(
            [spacy.tokens.Span(doc, 0, 2, "A")], blocked=[doc[3:4]], default="unmodified"
        ),
    )
    (kept,) = lattices(nlp, [TEXT])
    preset = Span(0, 5, "A")
    assert all(preset in one.spans for one in kept.k_best(20))
    forced, free = kept.k_best(4, Constraints(forced=(preset,))), kept.k_best(4)
    assert [one.spans for one in forced] == [one.spans for one in free]
    assert [one.probability for one in forced] == pytest.approx([one.probability for one in free])
    for wrong in (Span(0, 5, "B-x"), Span(0, 3, "A"), Span(9, 11, "A"), Span(6, 11, "A")):
        with pytest.raises(DataError, match="contradicts an entity or a blocked token"):
            kept.k_best(1, Constraints(forced=(wrong,)))
    for impossible in (Constraints(forbidden=(preset,)), Constraints(outside=((0, 3),))):
        with pytest.raises(DataError, match="no analysis of the text agrees"):
            kept.k_best(1, impossible)
        with pytest.raises(DataError, match="no analysis of the text agrees"):
            kept.span_probabilities(impossible)


@pytest.mark.parametrize(
    ("constraints", "message"),
    [
        (Constraints(forced=(Span(0, 5, "A"), Span(4, 8, "A"))), "both forced, and overlap"),
        (Constraints(forced=(Span(0, 3, "A"),) * 2), "both forced, and overlap"),
        (Constraints((Span(0, 3, "A"),), (Span(0, 3, "A"),)), "both forced and forbidden"),
        (Constraints(forced=(Span(0, 5, "A"),), outside=((4, 5),)), "nothing may be an entity"),
        (Constraints(forced=(Span(1, 3, "A"),)), "not aligned with tokens"),
        (Constraints(forced=(Span(0, 99, "A"),)), "not aligned with tokens"),
    ],
)
def test_contradictions_are_named(nlp, constraints, message):
    (kept,) = lattices(nlp, [TEXT])
    with pytest.raises(DataError, match=message):
        kept.k_best(1, constraints)


def test_a_list_of_nothing_is_refused(nlp):
    (kept,) = lattices(nlp, [TEXT])
    with pytest.raises(DataError, match="k=0"):
        kept.k_best(0, Constraints())
