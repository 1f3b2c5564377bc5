"""Conformal sets: thresholds against their definitions, coverage against drawn texts."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from math import inf, log, nan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nbner.errors import DataError
from nbner.reranking.coverage import study
from nbner.reranking.coverage.conformal import (
    AnalysisThreshold,
    Penalty,
    ProbabilityThreshold,
    conformal_quantile,
    fit_penalty,
    fit_probability_threshold,
    fit_threshold,
    min_calibration_texts,
    missed_threshold,
    rank_scores,
    wrong_threshold,
)
from nbner.reranking.coverage.study import (
    HeldOutText,
    check_alpha,
    coverage_rows,
    fit_thresholds,
    needed_texts,
)

FEW = settings(max_examples=60, deadline=None)
SIZE = 12
probabilities = st.floats(0, 1).map(lambda one: round(one, 1))


def drawn(n, seed, *, temperature=1.0, width=SIZE):
    """Draw texts with lists of analyses; gold follows them at another temperature."""
    random = np.random.default_rng(seed)
    texts = []
    for _ in range(n):
        scores = random.normal(0, random.choice([1.0, 4.0]), SIZE)
        said, true = (np.exp(scores / one) for one in (1.0, temperature))
        order = np.argsort(-said)
        said, true = (said / said.sum())[order], (true / true.sum())[order]
        rank = int(random.choice(SIZE, p=true)) + 1
        spans = random.random(4)
        right = random.random(4) < spans**temperature
        labels = tuple(random.choice(["A", "B"], 4))
        texts.append(
            HeldOutText(
                list_probabilities=said[:width],
                gold_rank=rank if rank <= width else None,
                gold_score=float(-np.log(said[rank - 1])),
                span_probabilities=spans,
                span_is_right=right,
                span_labels=labels,
                gold_probabilities=spans[right],
                gold_labels=tuple(
                    one for one, is_right in zip(labels, right, strict=True) if is_right
                ),
                n_tokens=int(random.integers(3, 30)),
            )
        )
    return texts


# Thresholds.


@pytest.mark.parametrize(("alpha", "least"), [(0.05, 19), (0.1, 9), (0.2, 4), (0.5, 1)])
def test_the_fewest_texts_are_those_with_a_finite_threshold(alpha, least):
    assert min_calibration_texts(alpha) == least
    assert conformal_quantile(np.arange(least, dtype=float), alpha) == least - 1
    assert conformal_quantile(np.arange(least - 1, dtype=float), alpha) == inf


def test_a_score_is_the_probability_of_what_stands_before_and_a_penalty():
    listed = np.array([0.5, 0.3, 0.1])
    assert rank_scores(listed, Penalty()) == pytest.approx([0, 0.5, 0.8, 0.9])
    assert rank_scores(listed, Penalty(0.2, 2)) == pytest.approx([0, 0.5, 1.0, 1.3])


@pytest.mark.parametrize(
    ("value", "width", "size", "is_complete"),
    [
        (0.0, 3, 1, True),
        (0.6, 3, 2, True),
        (0.8, 3, 3, True),
        (0.9, 3, 3, False),
        (0.9, 4, 3, True),  # a shorter list than was asked for holds all analyses
        (inf, 3, 3, False),
    ],
)
def test_a_set_whose_list_stops_before_the_level_is_not_complete(value, width, size, is_complete):
    threshold = AnalysisThreshold(value)
    assert threshold.set_size(np.array([0.5, 0.3, 0.1]), width) == (size, is_complete)


def test_gold_that_is_not_in_the_list_has_an_infinite_score():
    lists = [np.array([0.9, 0.1])] * 19
    assert fit_threshold(lists, [1] * 18 + [2], 0.1).value == 0.0
    assert fit_threshold(lists, [1] * 16 + [2] * 3, 0.1).value == 0.9
    assert fit_threshold(lists, [1] * 16 + [None] * 3, 0.1).value == inf


@pytest.mark.parametrize(
    ("least", "width", "size", "is_complete"),
    [
        (0.9, 3, 1, True),  # the first is in every set
        (0.2, 3, 2, True),
        (0.1, 3, 3, False),  # what comes behind may be as probable as the last
        (0.1, 4, 3, True),
        (0.0, 3, 3, False),
    ],
)
def test_a_set_by_probability_holds_the_first_and_all_that_are_probable_enough(
    least, width, size, is_complete
):
    listed = np.array([0.5, 0.3, 0.1])
    threshold = ProbabilityThreshold(-log(least) if least else inf)
    assert threshold.least_probability == pytest.approx(least)
    assert threshold.set_size(listed, width) == (size, is_complete)
    assert [threshold.holds(listed, rank, inf) for rank in (1, 2, 3)] == [
        rank <= size for rank in (1, 2, 3)
    ]
    # Behind the list its own probability says it; what is no analysis is in no set.
    assert threshold.holds(listed, None, -log(0.05)) == (least <= 0.05)
    assert not threshold.holds(listed, None, inf)


def test_gold_behind_the_list_calibrates_sets_by_probability():
    lists = [np.array([0.9, 0.08])] * 19
    ranks, behind = [1] * 16 + [None] * 3, -log(0.01)
    found = fit_probability_threshold(lists, ranks, [inf] * 16 + [behind] * 3, 0.1)
    assert found.least_probability == pytest.approx(0.01)
    # Gold that is no analysis of the model cannot be reached by any set.
    assert fit_probability_threshold(lists, ranks, [inf] * 19, 0.1).value == inf
    assert fit_probability_threshold(lists, [1] * 18 + [None], [inf] * 19, 0.1).value == -inf


@pytest.mark.parametrize("width", [1, 3])
def test_a_level_that_no_list_reaches_is_held_by_sets_by_probability(width):
    texts = drawn(600, 7, temperature=3.0, width=width)
    whole = {
        one.method: one for one in coverage_rows(texts, 0.1, width=width) if one.group == "all"
    }
    short, whole_set = whole["cumulative"], whole["probability"]
    assert short.coverage.value == short.listed < 0.85
    assert short.incomplete == 1
    assert whole_set.coverage.low <= 0.9 <= whole_set.coverage.high
    # What is listed of a set that goes on behind its list has no such guarantee.
    assert whole_set.listed < 0.85
    assert whole_set.incomplete > 0.1


def test_the_penalty_makes_sets_smaller_and_spares_the_ranks_of_most_gold():
    texts = drawn(400, 3, temperature=3.0)
    lists = [one.list_probabilities for one in texts]
    ranks = [one.gold_rank for one in texts]
    penalty = fit_penalty(lists, ranks, 0.1, SIZE)
    assert penalty.free_ranks == int(conformal_quantile(np.array(ranks, float), 0.1))
    plain, regular = (fit_threshold(lists, ranks, 0.1, one) for one in (Penalty(), penalty))
    sizes = [[one.set_size(row, SIZE)[0] for row in lists] for one in (plain, regular)]
    assert np.mean(sizes[1]) < np.mean(sizes[0])


@FEW
@given(st.lists(st.lists(probabilities, max_size=4), min_size=1, max_size=8), st.floats(0.1, 0.9))
def test_the_threshold_of_missed_spans_is_the_highest_that_holds(gold, alpha):
    arrays = [np.array(one, float) for one in gold]

    def holds(least):
        losses = [float((one < least).mean()) if len(one) else 0.0 for one in arrays]
        return (sum(losses) + 1) / (len(arrays) + 1) <= alpha + 1e-9

    found = missed_threshold(arrays, alpha)
    tried = [least for least in {1.0, *(p for one in gold for p in one)} if least > 0]
    good = [least for least in tried if holds(least)]
    assert found == max(good, default=None)


candidates = st.lists(st.tuples(probabilities, st.booleans()), max_size=4)


@FEW
@given(st.lists(candidates, min_size=1, max_size=8), st.floats(0.1, 0.9))
def test_the_threshold_of_wrong_spans_is_the_lowest_that_holds_from_there_up(texts, alpha):
    arrays = [
        (np.array([p for p, _ in one], float), np.array([r for _, r in one], bool)) for one in texts
    ]
    steps = sorted({0.5, 1.0, *(p for one in texts for p, _ in one if p > 0.5)})

    def loss(above):
        return [
            float((~right[p > above]).mean()) if (p > above).any() else 0.0 for p, right in arrays
        ]

    def holds(above):
        worst = np.max([loss(one) for one in steps if one >= above], axis=0)
        return (worst.sum() + 1) / (len(arrays) + 1) <= alpha + 1e-9

    found = wrong_threshold(arrays, alpha)
    assert found == min((one for one in steps if holds(one)), default=None)


# Coverage.


@pytest.mark.parametrize("temperature", [1.0, 3.0])
def test_the_risks_hold_on_new_texts_however_wrong_the_probabilities_are(temperature):
    alpha, fresh = 0.1, drawn(2000, 99, temperature=temperature)
    covered, missed, wrong = {one: [] for one in study.SET_METHODS}, [], []
    for seed in range(12):
        found = fit_thresholds(drawn(200, seed, temperature=temperature), alpha, width=SIZE)
        for method, rates in covered.items():
            threshold = found.of(method)
            rates.append(
                np.mean(
                    [
                        threshold.holds(one.list_probabilities, one.gold_rank, one.gold_score)
                        for one in fresh
                    ]
                )
            )
        missed.append(
            np.mean(
                [
                    (one.gold_probabilities < found.missed).sum() / max(1, len(one.gold_labels))
                    for one in fresh
                ]
            )
        )
        wrong.append(
            np.mean(
                [
                    (taken & ~one.span_is_right).sum() / max(1, taken.sum())
                    for one in fresh
                    for taken in [one.span_probabilities > found.wrong]
                ]
            )
        )
    # Twelve calibration sets of 200: two standard errors are 1.2 points.
    for rates in covered.values():
        assert 1 - alpha - 0.012 <= np.mean(rates) <= 1 - alpha + 0.03
    assert alpha - 0.03 <= np.mean(missed) <= alpha + 0.012
    assert np.mean(wrong) <= alpha + 0.012


def test_rows_cover_all_groups_and_count_each_text():
    texts = drawn(120, 5)
    rows = coverage_rows(texts, 0.2, width=SIZE)
    whole = {one.method: one for one in rows if one.group == "all"}
    assert set(whole) == set(study.METHODS)
    for one in whole.values():
        assert one.n == len(texts)
        assert one.coverage.low <= one.coverage.value <= one.coverage.high
        assert one.coverage.value > 0.7
    for group in ("length", "entities"):
        for method in study.METHODS:
            assert sum(r.n for r in rows if (r.group, r.method) == (group, method)) == len(texts)
    labels = [one for one in rows if one.group == "label" and one.method == "cumulative"]
    expected = [sum(label in one.gold_labels for one in texts) for label in ("A", "B")]
    assert [one.n for one in labels] == expected
    assert whole["cumulative"].single <= 1
    assert np.isnan(whole["missed spans"].single)


def test_short_lists_say_that_they_stop_before_the_level():
    rows = coverage_rows(drawn(120, 5, width=1), 0.2, width=1)
    whole = next(one for one in rows if one.method == "cumulative" and one.group == "all")
    assert whole.incomplete > 0.5
    assert whole.single == pytest.approx(1 - whole.incomplete)


@pytest.mark.parametrize("alpha", [0.05, 0.1, 0.2])
def test_too_few_texts_say_how_many_are_needed(alpha):
    needed = needed_texts(alpha)
    coverage_rows(drawn(needed, 1), alpha, width=SIZE)
    with pytest.raises(DataError, match=rf"at least {needed} held-out texts") as caught:
        coverage_rows(drawn(needed - 1, 1), alpha, width=SIZE)
    assert "Label 1 more" in caught.value.remedy
    # A higher risk is proposed where there are texts enough for it.
    assert ("alpha=" in caught.value.remedy) == (alpha <= 0.2 and needed > needed_texts(0.3))


def test_a_small_risk_is_answered_at_once_and_an_impossible_one_is_not_proposed():
    for alpha in (0.3, 0.011, 0.001):
        least = needed_texts(alpha)
        share = least - -(-least // 5)
        assert share - max(1, round(share / 4)) >= 1 / alpha - 1 - 1e-9
    with pytest.raises(DataError, match=r"99\.999999 %.*at least 166,\d+,\d+ held-out") as caught:
        coverage_rows(drawn(3, 1), 1e-8, width=SIZE)
    assert "alpha=" not in caught.value.remedy


@pytest.mark.parametrize("alpha", [1e-9, 1e-17, 1e-300, 1e-310, 5e-324])
def test_a_tiny_risk_says_that_it_needs_more_texts_than_anybody_has(alpha):
    with pytest.raises(DataError, match=r"more than 1,000,000,000 held-out texts") as caught:
        coverage_rows(drawn(3, 1), alpha, width=SIZE)
    assert f"alpha={alpha:g} is too small" in str(caught.value)
    assert f"alpha=0.05, which needs {needed_texts(0.05)}" in caught.value.remedy


@pytest.mark.parametrize(
    "alpha",
    [
        *(0.0, 1.0, 1 - 1e-17, -0.1, 1.5, nan, inf, True, False, 10**400, 1j, "0.1", None),
        *(np.float64("nan"), np.int64(1), np.bool_(True), np.array(0.1), Decimal("0.1")),
        *(Fraction(1, 10**400), 1 - Fraction(1, 10**400)),
    ],
)
def test_what_is_no_risk_is_refused(alpha):
    with pytest.raises(DataError, match="is not between 0 and 1") as caught:
        check_alpha(alpha)
    assert "alpha=0.05" in caught.value.remedy


@pytest.mark.parametrize("alpha", [np.float64(0.25), np.float32(0.25), Fraction(1, 4)])
def test_other_kinds_of_numbers_are_the_same_risk(alpha):
    found = check_alpha(alpha)
    assert (type(found), found) == (float, 0.25)
