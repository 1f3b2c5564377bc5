"""The lattice and its searches against spaCy's own states, scores and rules."""

from __future__ import annotations

import os
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pipeline_strategies import (
    KINDS,
    SET_BEFORE,
    Walk,
    arrived,
    close,
    in_tokens,
    pipeline,
    recognizer_of,
    settings_before,
    texts,
)

from nbner.decoding.api import lattices, parses, span_probabilities
from nbner.decoding.state_scorer import StateScorer
from nbner.decoding.transitions import ValidActions
from nbner.types import Span

EXAMPLES = int(os.environ.get("NBNER_EXAMPLES", "30"))
FEW = settings(max_examples=25, deadline=None)
kinds = st.sampled_from(KINDS)
greedy_kinds = st.sampled_from([kind for kind in KINDS if kind.factory == "ner"])
trained_kinds = st.sampled_from([replace(kind, seed=1) for kind in KINDS if not kind.unseen])


def prepared(kind, text, before):
    SET_BEFORE.clear()
    SET_BEFORE[text] = before
    nlp = pipeline(kind)
    return nlp, arrived(nlp, text)


@settings(max_examples=60, deadline=None)
@given(kinds, texts(), settings_before(sound=False))
def test_every_state_has_spacys_scores_and_valid_actions(kind, text, before):
    nlp, doc = prepared(kind, text, before)
    walk = Walk(nlp, doc)
    scorer = StateScorer(recognizer_of(nlp), [doc])
    valid = ValidActions.from_docs([doc], scorer.transitions)
    assert scorer.transitions.names == tuple(walk.names)
    for (token, opened), (scores, allowed) in walk.states.items():
        start = -1 if opened is None else opened[0]
        label = None if opened is None else scorer.transitions.labels.index(opened[1])
        ours = scorer.scores(np.array([token]), np.array([start]))[0]
        np.testing.assert_allclose(ours, scores, atol=1e-5)
        mask = valid.allowed(token, label, scorer.transitions)
        assert {walk.names[i] for i in np.flatnonzero(mask)} == allowed


@FEW
@given(kinds, texts(4), settings_before(sound=False), st.booleans())
def test_the_exact_list_is_that_of_all_analyses_by_hand(kind, text, before, normalised):
    nlp, doc = prepared(kind, text, before)
    walk = Walk(nlp, doc, normalised=normalised)
    (lattice,) = lattices(nlp, [text], normalized=normalised)
    listed = lattice.k_best(len(walk.found) + 5)
    assert len(listed) == len(walk.found)
    for parse, (_, score) in zip(listed, walk.ranked(), strict=True):
        assert close(parse.score, score)
    assert {in_tokens(doc, parse.spans) for parse in listed} == set(walk.found)
    for parse in listed:
        assert close(parse.score, walk.found[in_tokens(doc, parse.spans)])
        assert close(lattice.score_of(parse.spans), parse.score)


@FEW
@given(kinds, texts(4), settings_before())
def test_probabilities_are_those_by_hand_and_add_up(kind, text, before):
    nlp, doc = prepared(kind, text, before)
    walk = Walk(nlp, doc)
    (known,) = span_probabilities(nlp, [text], min_probability=0)
    by_hand = {}
    tokens = np.zeros((len(doc), len(known.label_axis)))
    for spans, score in walk.found.items():
        share = np.exp(score)
        tokens[:, -1] += share
        for start, end, label in spans:
            span = Span(doc[start].idx, doc[end - 1].idx + len(doc[end - 1]), label)
            by_hand[span] = by_hand.get(span, 0.0) + share
            tokens[start:end, known.label_axis.index(label)] += share
            tokens[start:end, -1] -= share
    assert close(sum(np.exp(score) for score in walk.found.values()), 1.0)
    assert known.total_probability == pytest.approx(1.0)
    np.testing.assert_allclose(known.token_probabilities.sum(axis=1), 1.0, atol=1e-9)
    np.testing.assert_allclose(known.token_probabilities, tokens, atol=1e-4)
    for span, share in by_hand.items():
        assert known.probability_of(span) == pytest.approx(share, abs=1e-4)
    assert set(known.spans) <= set(by_hand)
    (lattice,) = lattices(nlp, [text])
    shares = np.exp(np.array(list(walk.found.values())))
    assert lattice.entropy() == pytest.approx(-(shares * np.log(shares)).sum(), abs=1e-3)


# The score of a class that was never trained depends in spaCy on the other states of a beam.
@FEW
@given(trained_kinds, texts(4), settings_before(new=()))
def test_a_beam_that_holds_everything_gives_the_same_list(kind, text, before):
    nlp, _ = prepared(kind, text, before)
    (lattice,) = lattices(nlp, [text], normalized=False)
    (beam,) = parses(nlp, [text], 2000, decoder="beam")
    exact = lattice.k_best(len(beam) + 1)
    assert len(exact) == len(beam)
    for ours, theirs in zip(exact, beam, strict=True):
        assert ours.score == pytest.approx(theirs.score, abs=1e-3)
        assert ours.probability == pytest.approx(theirs.probability, abs=1e-4)
        # Where two scores are the same to the last digits, either may come first.
        assert ours.spans == theirs.spans or lattice.score_of(theirs.spans) == pytest.approx(
            ours.score, abs=1e-5
        )


@settings(max_examples=EXAMPLES, deadline=None)
@given(trained_kinds, texts(8), settings_before(new=()), st.sampled_from([1, 2, 3, 8, 32]))
def test_the_exact_list_is_never_below_the_beam_under_the_same_objective(kind, text, before, width):
    nlp, _ = prepared(kind, text, before)
    (exact,) = parses(nlp, [text], width, decoder="exact_raw")
    (beam,) = parses(nlp, [text], width, decoder="beam")
    (lattice,) = lattices(nlp, [text], normalized=False)
    assert exact == lattice.k_best(width)
    assert len(exact) >= len(beam)
    for ours, theirs in zip(exact, beam, strict=False):
        # The beam adds scores up in single precision.
        assert ours.score >= theirs.score - 1e-3
        assert ours.score >= lattice.score_of(theirs.spans) - 1e-6


@FEW
@given(greedy_kinds, texts(8), settings_before())
def test_what_greedy_parsing_finds_is_in_the_list_and_no_better_than_its_first(kind, text, before):
    nlp, _ = prepared(kind, text, before)
    doc = nlp(text)
    # A blocked token stays in the doc as one, never among its entities.
    greedy = tuple(Span(ent.start_char, ent.end_char, ent.label_) for ent in doc.ents)
    for normalised in (True, False):
        (lattice,) = lattices(nlp, [text], normalized=normalised)
        assert lattice.is_reachable(greedy)
        best = lattice.k_best(1)[0]
        assert best.score >= lattice.score_of(greedy) - 1e-6
