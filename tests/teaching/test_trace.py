"""The trace agrees with spaCy: its greedy parse, its oracle, its beam."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pipeline_strategies import KINDS, LABELS, WORDS, arrived, pipeline, recognizer_of
from spacy.tokens import Span as Entity
from spacy.training import Example as Pair

from nbner.decoding.beam import beam_parses
from nbner.teaching.trace.trace import trace
from nbner.types import Span

GREEDY_KINDS = [kind for kind in KINDS if kind.factory == "ner"]
kinds = st.sampled_from(GREEDY_KINDS)
texts = st.lists(st.sampled_from(WORDS), min_size=1, max_size=7).map(" ".join)


@st.composite
def golds(draw, length):
    """Draw token spans that do not overlap."""
    cuts = sorted(draw(st.sets(st.integers(0, length), max_size=6)))
    pairs = list(zip(cuts[::2], cuts[1::2], strict=False))
    return [(start, end, draw(st.sampled_from(LABELS))) for start, end in pairs]


@st.composite
def cases(draw):
    nlp, text = pipeline(draw(kinds)), draw(texts)
    doc = arrived(nlp, text)
    places = draw(golds(len(doc)))
    gold = [Span(doc[s].idx, doc[e - 1].idx + len(doc[e - 1]), label) for s, e, label in places]
    return nlp, text, places, gold


def pair_of(nlp, text, places):
    doc, right = arrived(nlp, text), nlp.make_doc(text)
    right.set_ents([Entity(right, *place) for place in places], default="outside")
    return Pair(doc, right)


@given(cases())
@settings(max_examples=60)
def test_greedy_is_what_the_pipeline_does(case):
    nlp, text, _, gold = case
    doc = nlp(text)
    expected = [(ent.start_char, ent.end_char, ent.label_) for ent in doc.ents]
    for found in (trace(nlp, text, beam_width=1), trace(nlp, text, gold, beam_width=2)):
        assert [(one.start, one.end, one.label) for one in found.spans] == expected
        assert len(found.steps) == len(doc)
        for step in found.steps:
            assert sum(one.probability for one in step.choices) == pytest.approx(1)
            assert step.chosen.score == max(one.score for one in step.choices)
    # A beam of one is greedy search, and loses nothing.
    (only,) = trace(nlp, text, beam_width=1).final_beam
    assert only.spans == found.spans
    assert only.is_greedy


@given(cases())
@settings(max_examples=60)
def test_zero_cost_is_what_spacys_oracle_says(case):
    nlp, text, places, gold = case
    moves = recognizer_of(nlp).moves
    pair = pair_of(nlp, text, places)
    (state,) = moves.init_batch([pair.predicted])
    right = moves.init_gold(state, pair)
    for step in trace(nlp, text, gold).steps:
        assert state.B(0) == step.state.token
        # spaCy's own choice of an action in this state, and where that leads.
        first = oracle_from(moves, state, right)
        free = {
            name
            for name in map(moves.get_class_name, range(moves.n_moves))
            if moves.is_valid(state, name)
            and moves.get_cost(state, right, column(moves, name)) <= 0
        }
        assert set(step.zero_cost) == free
        # Nothing but what was set before can stand in the gold's way.
        assert first in free or (first is None and any(t.ent_iob for t in pair.predicted))
        assert step.is_mistake == (step.chosen.action not in free)
        moves.apply_transition(state, step.chosen.action)
    assert state.is_final()


def oracle_from(moves, state, right):
    """Name spaCy's own choice; None where what was set before leaves no way to the gold."""
    try:
        return moves.get_class_name(moves.get_oracle_sequence_from_state(state.copy(), right)[0])
    except ValueError as error:
        assert "E024" in str(error)  # noqa: PT017 - both outcomes are right
        return None


def column(moves, name):
    return next(i for i in range(moves.n_moves) if moves.get_class_name(i) == name)


@given(cases(), st.sampled_from([2, 4, 8]))
@settings(max_examples=60)
def test_the_beam_is_spacys_own(case, width):
    nlp, text, _, gold = case
    found = trace(nlp, text, gold, beam_width=width)
    (expected,) = beam_parses(recognizer_of(nlp), [arrived(nlp, text)], width)
    assert [one.spans for one in found.final_beam] == [one.spans for one in expected]
    assert [one.score for one in found.final_beam] == pytest.approx([one.score for one in expected])
    for step in found.steps:
        assert len(step.beam) <= width
        assert sum(one.is_best for one in step.beam) == 1
        assert sum(one.is_greedy for one in step.beam) <= 1
    gold_kept = [one for one in found.final_beam if one.is_gold]
    assert [set(one.spans) for one in gold_kept] in ([], [set(gold)])
    if found.search_error is not None:
        assert found.search_error.score > found.score
        assert found.search_error.spans != found.spans or len(found.final_beam) > 1


def test_a_text_without_gold_has_no_costs():
    nlp = pipeline(GREEDY_KINDS[0])
    found = trace(nlp, "Add 5 ml")
    assert {one.cost for step in found.steps for one in step.choices} == {None}
    assert found.gold is None
    assert [step.zero_cost for step in found.steps] == [()] * 3


def test_what_is_set_before_is_kept(set_before):
    text = "Add 5 ml of LB"
    nlp = pipeline(GREEDY_KINDS[0])
    set_before(text, lambda doc: doc.set_ents([Entity(doc, 1, 3, "A")], default="unmodified"))
    found = trace(nlp, text, [Span(0, 3, "A")])
    assert Span(4, 8, "A") in found.spans
    assert [step.chosen.action for step in found.steps][1:3] == ["B-A", "L-A"]
    # Nothing can be done about it, so the gold is no sequence of actions.
    assert not any(one.is_gold for one in found.final_beam)
