"""Means over seeds, the curve of effort, flips and losses."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbner._common.student_t import mean_estimate
from nbner.evaluation.regressions import label_regressions, regression_sets, span_changes
from nbner.evaluation.scores import score
from nbner.training.learning_curve import extrapolate_gain, fit_power_law
from nbner.types import Example, Span

A, B = Span(0, 1, "A"), Span(2, 3, "B")


def test_an_interval_over_three_runs_is_students():
    found = mean_estimate([0.7, 0.8, 0.9])
    # The half width is 4.303 * 0.1 / sqrt(3), by hand.
    assert found.value == pytest.approx(0.8)
    assert found.high - found.value == pytest.approx(0.24843, abs=1e-5)


def test_one_run_has_no_interval_and_none_no_mean():
    assert math.isnan(mean_estimate([0.5]).low)
    assert math.isnan(mean_estimate([None]).value)
    assert str(mean_estimate([0.5])) == "0.500"


@given(st.floats(0.3, 1.0), st.floats(0.1, 2.0), st.floats(0.2, 1.2))
def test_a_curve_that_is_a_power_law_is_found_again(ceiling, drop, rate):
    sizes = [50, 100, 200, 400, 800]
    law = fit_power_law(sizes, [ceiling - drop * n**-rate for n in sizes])
    for n in sizes:
        assert law(n) == pytest.approx(ceiling - drop * n**-rate, abs=0.01)


@given(st.lists(st.floats(0, 1), min_size=3, max_size=6))
def test_more_labels_never_lose_and_never_pass_the_most_there_can_be(scores):
    sizes = [10 * 2**i for i in range(len(scores))]
    law = fit_power_law(sizes, scores)
    assert law(10 * sizes[-1]) >= law(sizes[-1]) - 1e-9
    assert law(10 * sizes[-1]) <= 1 + 1e-9
    assert extrapolate_gain(sizes, [scores], 100).value >= -1e-9


def test_two_sizes_are_too_few_for_a_curve():
    assert fit_power_law([10, 20], [0.1, 0.2]) is None
    assert math.isnan(extrapolate_gain([10, 20], [[0.1, 0.2]], 5).value)


def test_flips_are_what_exactly_one_model_has_right():
    gold = [Example("a b", spans=(A,))]
    found = span_changes(gold, [[A]], [[B]])
    assert [(one.span, one.direction, one.is_gold) for one in found] == [
        (A, "right_to_wrong", True),
        (B, "right_to_wrong", False),
    ]
    assert [one.direction for one in span_changes(gold, [[B]], [[A]])] == ["wrong_to_right"] * 2


def test_a_label_that_could_not_be_given_is_no_flip():
    gold = [Example("a b", spans=(A,), labels=("A",))]
    assert span_changes(gold, [[A]], [[A, B]]) == []


spans = st.lists(st.sampled_from([A, B, Span(2, 3, "A")]), max_size=3, unique=True)


@given(st.lists(st.tuples(spans, spans, spans), max_size=5))
def test_flips_add_up_to_the_change_in_errors(rows):
    gold = [Example("a b", spans=tuple(right)) for right, _, _ in rows]
    found = span_changes(gold, [old for _, old, _ in rows], [new for _, _, new in rows])
    worse = sum(1 if one.direction == "right_to_wrong" else -1 for one in found)
    errors = [
        sum(
            len(set(right) ^ set(row[i]))
            for right, row in zip([r[0] for r in rows], rows, strict=True)
        )
        for i in (1, 2)
    ]
    assert worse == errors[1] - errors[0]


def test_only_labels_with_enough_spans_are_judged():
    rights = [[A]] * 12 + [[B]] * 3
    before, after = score(rights, rights), score(rights, [[]] * 15)
    (loss,) = label_regressions(before, after)
    assert (loss.label, loss.before, loss.after, loss.support) == ("A", 1.0, 0.0, 12)
    assert str(loss) == "A lost 100.0 F (1.000 to 0.000 over 12 gold spans)"
    assert label_regressions(before, before) == []


def test_a_frozen_set_stays_and_new_labels_get_one():
    gold = [Example("a b", spans=(A, B), input_hash=7)]
    assert regression_sets(gold, {"A": [1, 2]}) == {"A": [1, 2], "B": [7]}
