"""Exact search and sums of the random field, against all analyses of short texts."""

import itertools
import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nbner.decoding.chain import ChainLattice, ContentTokens
from nbner.decoding.chain_search import chain_span_probabilities, chain_sums, k_best_tags
from nbner.decoding.constraints import Constraints
from nbner.errors import DataError
from nbner.nlp.crf.model import TagScores, allowed_transitions, stack_scores, viterbi
from nbner.types import Span, Token

EXAMPLES = int(os.environ.get("NBNER_EXAMPLES", "40"))
LABELS = ("A", "B")


class Text:
    """A short text with random scores, and all of its analyses one by one."""

    def __init__(self, spaces, labels, seed, *, ties, shut):
        draw = np.random.default_rng(seed)
        self.labels = LABELS[:labels]
        self.tokens = tuple(
            Token(" " if space else "x", 2 * i, 2 * i + 1) for i, space in enumerate(spaces)
        )
        self.text = " ".join(token.text for token in self.tokens)
        index = np.array([i for i, space in enumerate(spaces) if not space], np.intp)
        self.content = ContentTokens(index, 2 * index, 2 * index + 1)
        tags = 1 + 2 * labels
        emissions, moves = draw.normal(size=(len(index), tags)), draw.normal(size=(tags, tags))
        if ties:
            emissions, moves = np.round(emissions), np.round(moves)
        if shut:
            emissions[draw.random(emissions.shape) < 0.15] = -np.inf
            emissions[:, 0] = np.where(np.isinf(emissions[:, 0]), 0.0, emissions[:, 0])
        emissions[:1, 2::2] = -np.inf
        self.emissions = emissions
        self.moves = np.where(allowed_transitions(labels), moves, -np.inf)
        self.scores = stack_scores([emissions], self.moves) if len(index) else None

    def lattice(self, **more):
        return ChainLattice(self.text, self.tokens, self.content, self.scores, self.labels, **more)

    def analyses(self):
        """Map the spans of each analysis to its score, best first, ties as documented."""
        found = {}
        n = len(self.emissions)
        for tags in itertools.product(range(len(self.moves)), repeat=n):
            score = 0.0
            for j, tag in enumerate(tags):
                score = (score + self.moves[tags[j - 1], tag] if j else score) + self.emissions[
                    j, tag
                ]
            if score > -np.inf:
                found[self.spans(tags)] = (score, tags)
        ranked = sorted(found.items(), key=lambda one: (-one[1][0], one[1][1][::-1]))
        return {spans: score for spans, (score, _) in ranked}

    def spans(self, tags):
        spans = []
        for j, tag in enumerate(tags):
            start, end = int(self.content.starts[j]), int(self.content.ends[j])
            if tag % 2:
                spans.append(Span(start, end, self.labels[tag // 2]))
            elif tag:
                spans[-1] = Span(spans[-1].start, end, spans[-1].label)
        return tuple(spans)


@st.composite
def texts(draw):
    return Text(
        draw(st.lists(st.sampled_from([False, False, False, True]), min_size=1, max_size=5)),
        draw(st.integers(1, 2)),
        draw(st.integers(0, 10_000)),
        ties=draw(st.booleans()),
        shut=draw(st.booleans()),
    )


@st.composite
def texts_with_constraints(draw):
    text = draw(texts())
    n = len(text.tokens)
    spans = [
        Span(text.tokens[i].start, text.tokens[j].end, label)
        for i in range(n)
        for j in range(i, n)
        for label in (*text.labels, "new")
    ]
    forced = draw(st.lists(st.sampled_from(spans), max_size=2))
    forbidden = draw(st.lists(st.sampled_from(spans), max_size=4))
    stretches = [(text.tokens[i].start, text.tokens[j].end) for i in range(n) for j in range(i, n)]
    outside = draw(st.lists(st.sampled_from(stretches), max_size=1))
    return text, Constraints(tuple(forced), tuple(forbidden), tuple(outside))


def total(scores):
    scores = list(scores)
    return float(np.logaddexp.reduce(scores)) if scores else -np.inf


@settings(max_examples=EXAMPLES, deadline=None)
@given(texts(), st.integers(1, 12))
def test_k_best_is_the_head_of_all_analyses(text, k):
    every = text.analyses()
    found = text.lattice(normalized=False).k_best(k)
    assert [one.spans for one in found] == list(every)[:k]
    assert [one.score for one in found] == list(every.values())[:k]  # to the bit
    whole = total(every.values())
    assert [one.probability for one in found] == pytest.approx(
        np.exp(np.array(list(every.values())[:k]) - whole)
    )
    normalized = text.lattice().k_best(k)
    assert [one.spans for one in normalized] == list(every)[:k]
    assert [one.score for one in normalized] == pytest.approx(
        np.array(list(every.values())[:k]) - whole
    )


@settings(max_examples=EXAMPLES, deadline=None)
@given(texts())
def test_totals_entropy_scores_and_ranks(text):
    every = text.analyses()
    raw, lattice = text.lattice(normalized=False), text.lattice()
    assert raw.log_total == pytest.approx(total(every.values()))
    assert lattice.log_total == 0
    shares = np.exp(np.array(list(every.values())) - total(every.values()))
    assert lattice.entropy() == pytest.approx(-(shares * np.log(shares)).sum(), abs=1e-9)
    for rank, (spans, score) in enumerate(every.items(), start=1):
        assert raw.score_of(reversed(spans)) == score
        assert lattice.probability_of(spans) == pytest.approx(shares[rank - 1])
        assert lattice.log_probability_of(spans) == pytest.approx(np.log(shares[rank - 1]))
        if rank <= 5:
            assert lattice.rank_of(spans, 8) == rank
    assert not lattice.is_reachable([Span(0, 1, "new")])
    assert not lattice.is_reachable([Span(0, 2, "A")])
    if text.tokens[0].text == "x":
        assert not lattice.is_reachable([Span(0, 1, "A"), Span(0, 1, "A")])


def check_marginals(text, known, analyses):
    """Compare probabilities with sums over weighted analyses."""
    spans, tokens = {}, np.zeros((len(text.tokens), len(known.label_axis)))
    for found, share in analyses:
        for span in found:
            spans[span] = spans.get(span, 0.0) + share
        for i, token in enumerate(text.tokens):
            over = [one.label for one in found if one.start <= token.start and token.end <= one.end]
            tokens[i, known.label_axis.index(over[0] if over else "O")] += share
    assert dict(known.spans) == pytest.approx({s: p for s, p in spans.items() if p >= 1e-9})
    assert list(known.spans) == sorted(known.spans, key=lambda s: (s.start, s.end, s.label))
    assert known.token_probabilities == pytest.approx(tokens, abs=1e-9)


@settings(max_examples=EXAMPLES, deadline=None)
@given(texts())
def test_marginals_are_sums_over_all_analyses(text):
    every = text.analyses()
    whole = total(every.values())
    known = text.lattice().span_probabilities(min_probability=1e-9)
    check_marginals(text, known, [(s, np.exp(one - whole)) for s, one in every.items()])


def overlap(one, other):
    return one.start < other.end and other.start < one.end


@settings(max_examples=3 * EXAMPLES, deadline=None)
@given(texts_with_constraints())
def test_constraints_keep_the_analyses_that_satisfy_them(case):
    text, constraints = case
    forced, forbidden = constraints.forced, constraints.forbidden
    clash = (
        any(overlap(a, b) for a, b in itertools.combinations(forced, 2))
        or any(one in forbidden for one in forced)
        or any(
            one.start < end and start < one.end
            for one in forced
            for start, end in constraints.outside
        )
    )
    lattice = text.lattice()
    if clash:
        with pytest.raises(DataError):
            lattice.k_best(3, constraints)
        return
    every = text.analyses()
    known = {span for spans in every for span in spans}
    held = [one for one in forced if one in known]
    added = [one for one in forced if one not in known]

    def satisfies(spans):
        return (
            set(held) <= set(spans)
            and not set(forbidden) & set(spans)
            and not any(overlap(one, new) for one in spans for new in added)
            and not any(
                one.start < end and start < one.end
                for one in spans
                for start, end in constraints.outside
            )
        )

    wanted = {spans: score for spans, score in every.items() if satisfies(spans)}
    if not wanted and constraints != Constraints():
        # What is held by no analysis together is possible only outside of the model.
        with pytest.raises(DataError):
            lattice.k_best(3, constraints)
        return
    found = lattice.k_best(len(every) + 1, constraints)
    probable = lattice.span_probabilities(constraints, min_probability=1e-9)
    free = [tuple(one for one in parse.spans if one not in added) for parse in found]
    assert set(free) == set(wanted)
    assert len(free) == len(wanted)
    assert all(set(added) <= set(parse.spans) for parse in found)
    assert sum(parse.probability for parse in found) == pytest.approx(1)
    if not added:
        whole = total(wanted.values())
        assert [one.probability for one in found] == pytest.approx(
            [np.exp(wanted[one.spans] - whole) for one in found]
        )
        assert found == lattice.k_best(3, constraints) + found[3:]
        best = list(wanted.values())
        assert [wanted[one.spans] for one in found] == pytest.approx(sorted(best, reverse=True))
    check_marginals(text, probable, [(one.spans, one.probability) for one in found])


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.lists(st.integers(1, 9), min_size=2, max_size=6), st.integers(0, 10_000), st.booleans())
def test_a_batch_finds_what_each_text_finds_alone(lengths, seed, ties):
    """The best sequence is the first of the k best, whatever else is in the batch."""
    draw = np.random.default_rng(seed)
    moves = np.where(allowed_transitions(2), draw.normal(size=(5, 5)), -np.inf)
    each = [draw.normal(size=(n, 5)) for n in sorted(lengths, reverse=True)]
    for one in each:
        one[0, 2::2] = -np.inf
    if ties:
        moves, each = np.round(moves), [np.round(one) for one in each]
    stacked = stack_scores(each, moves)
    scores, tags = viterbi(stacked)
    sums = chain_sums(stacked)
    shares = sums.tag_probabilities()
    spans = chain_span_probabilities(stacked, sums, 1e-3)
    for row, emissions in enumerate(each):
        n = len(emissions)
        alone = stack_scores([emissions], moves)
        best, lists = k_best_tags(alone, 5)
        assert scores[row] == best[0]
        assert tags[row, :n].tolist() == lists[0].tolist()
        assert (tags[row, n:] == -1).all()
        own = chain_sums(alone)
        assert sums.log_totals[row] == own.log_totals[0]
        assert np.array_equal(shares[row, :n], own.tag_probabilities()[0])
        assert spans[row] == chain_span_probabilities(alone, own, 1e-3)[0]


def test_long_texts_and_lists_are_ordered_and_complete():
    draw = np.random.default_rng(3)
    tags = 1 + 2 * 9
    moves = np.where(allowed_transitions(9), draw.normal(size=(tags, tags)), -np.inf)
    emissions = draw.normal(size=(400, tags)) * 3
    emissions[0, 2::2] = -np.inf
    scores = TagScores(emissions[None], np.array([400]), moves)
    found, sequences = k_best_tags(scores, 300)
    assert (np.diff(found) <= 0).all()
    assert len({tuple(one) for one in sequences.tolist()}) == 300
    again, shorter = k_best_tags(scores, 7)
    assert (again == found[:7]).all()
    assert (shorter == sequences[:7]).all()
    assert viterbi(scores)[0][0] == found[0]


def test_a_text_of_whitespace_has_one_analysis():
    text = Text([True, True], 1, 0, ties=False, shut=False)
    lattice = text.lattice()
    (only,) = lattice.k_best(3)
    assert (only.probability, only.score, only.spans) == (1, 0, ())
    assert lattice.probability_of([]) == 1
    assert lattice.entropy() == 0
    assert lattice.span_probabilities().token_probabilities.tolist() == [[0, 1], [0, 1]]
    (forced,) = lattice.k_best(3, Constraints(forced=(Span(0, 1, "A"),)))
    assert forced.spans == (Span(0, 1, "A"),)


def test_a_forced_span_keeps_what_the_caller_knows_about_it():
    text = Text([False] * 3, 2, 1, ties=False, shut=False)
    forced = Span(0, 3, "A", source="mine", score=0.5)
    for one in text.lattice().k_best(2, Constraints(forced=(forced,))):
        assert one.spans[0].source == "mine"


def test_an_entity_of_another_component_is_in_every_analysis():
    text = Text([False] * 3, 1, 1, ties=False, shut=False)
    text.emissions[0, 1:] = text.emissions[1, 2::2] = -np.inf
    text.scores = stack_scores([text.emissions], text.moves)
    ruled = Span(0, 1, "RULE")
    lattice = text.lattice(preset=(ruled,), preset_tokens=np.array([True, False, False]))
    parses = lattice.k_best(20)
    assert all(ruled in one.spans for one in parses)
    assert sum(one.probability for one in parses) == pytest.approx(1)
    assert lattice.score_of(parses[1].spans) == parses[1].score
    assert lattice.score_of(()) == -np.inf
    assert lattice.span_probabilities().probability_of(ruled) == 1
    assert lattice.k_best(1, Constraints(forced=(ruled,)))[0].spans[0] == ruled
    for wrong in (
        Constraints(forced=(Span(0, 1, "A"),)),
        Constraints(forbidden=(ruled,)),
        Constraints(outside=((0, 1),)),
    ):
        with pytest.raises(DataError):
            lattice.k_best(1, wrong)
