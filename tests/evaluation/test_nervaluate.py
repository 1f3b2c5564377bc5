"""The four schemes count as nervaluate counts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nervaluate import Evaluator
from span_strategies import LABELS, corpora, spans

from nbner.evaluation.details import ScoringInput, score_details
from nbner.evaluation.scores import SCHEMES, score
from nbner.types import Span


def as_entities(side):
    # nervaluate's ends are inclusive.
    return [[{"label": s.label, "start": s.start, "end": s.end - 1} for s in one] for one in side]


def by_nervaluate(gold, predicted):
    evaluator = Evaluator(as_entities(gold), as_entities(predicted), list(LABELS), loader="dict")
    return evaluator.evaluate()["overall"]


COUNTS = ("correct", "incorrect", "partial", "missed", "spurious", "actual", "possible")


def assert_as_nervaluate(gold, predicted):
    theirs = by_nervaluate(gold, predicted)
    ours = score(gold, predicted).schemes
    for scheme in SCHEMES:
        one, other = ours[scheme], theirs[scheme]
        assert [getattr(one, c) for c in COUNTS] == [getattr(other, c) for c in COUNTS], scheme
        assert (one.precision or 0.0) == pytest.approx(other.precision)
        assert (one.recall or 0.0) == pytest.approx(other.recall)
        assert (one.f or 0.0) == pytest.approx(other.f1)


@given(corpora())
def test_counts_equal_those_of_nervaluate(corpus):
    gold, predicted = zip(*corpus, strict=True)
    assert_as_nervaluate(gold, predicted)


@given(st.tuples(spans(longest=250), spans(longest=250)))
def test_the_least_overlap_equals_that_of_nervaluate(pair):
    assert_as_nervaluate([pair[0]], [pair[1]])


def test_the_borders_of_the_least_overlap_are_those_of_nervaluate():
    assert_as_nervaluate([[Span(9, 109, "A")]], [[Span(0, 10, "A")]])
    assert_as_nervaluate([[Span(9, 110, "A")]], [[Span(0, 10, "A")]])


@given(corpora())
def test_each_label_counts_as_its_tag_does_in_nervaluate(corpus):
    gold, predicted = zip(*corpus, strict=True)
    evaluator = Evaluator(as_entities(gold), as_entities(predicted), list(LABELS), loader="dict")
    theirs = evaluator.evaluate()["entities"]
    ours = {
        (one.scheme, one.label): one.counts for one in score_details(ScoringInput(gold, predicted))
    }
    for label, schemes in theirs.items():
        for scheme in SCHEMES:
            one, other = ours[scheme, label], schemes[scheme]
            assert [getattr(one, c) for c in COUNTS] == [getattr(other, c) for c in COUNTS]
