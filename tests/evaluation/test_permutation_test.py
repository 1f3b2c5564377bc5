"""Scores in full, and whether a difference may be chance."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from span_strategies import LABELS, corpora

from nbner._common.bootstrap import micro_f
from nbner.evaluation.details import ScoringInput, score_details
from nbner.evaluation.permutation_test import approximate_randomization, count_per_text
from nbner.evaluation.report import evaluate_predictions
from nbner.evaluation.scores import SCHEMES, score
from nbner.types import Example, Span

counted = st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(0, 4))


def by_every_swap(a, b):
    """Swap in every way that there is, in place of at random."""
    swaps = np.array(list(product([0, 1], repeat=len(a))))
    moved = swaps @ (b - a)
    gaps = np.abs(
        np.nan_to_num(micro_f(a.sum(0) + moved)) - np.nan_to_num(micro_f(b.sum(0) - moved))
    )
    observed = abs(np.nan_to_num(micro_f(a.sum(0))) - np.nan_to_num(micro_f(b.sum(0))))
    return (gaps >= observed - 1e-12).mean()


@settings(max_examples=25)
@given(st.lists(st.tuples(counted, counted), min_size=1, max_size=8))
def test_the_test_equals_that_over_every_swap(rows):
    a, b = (np.array(side, dtype=float) for side in zip(*rows, strict=True))
    assert approximate_randomization(a, b, n_permutations=4000) == pytest.approx(
        by_every_swap(a, b), abs=0.04
    )


def test_alike_is_chance_and_better_on_every_text_is_not():
    right, wrong = [(1, 0, 0)] * 40, [(0, 1, 1)] * 40
    alike = np.array(right, dtype=float)
    assert approximate_randomization(alike, alike) == 1.0
    assert approximate_randomization(np.array(wrong, dtype=float), alike) < 0.001


@given(corpora())
def test_counts_of_texts_add_up_to_the_score(corpus):
    gold, predicted = zip(*corpus, strict=True)
    measured = score(gold, predicted)
    whole = measured.exact
    assert list(count_per_text(gold, predicted).sum(axis=0)) == [whole.tp, whole.fp, whole.fn]
    for label, one in measured.per_label.items():
        found = count_per_text(gold, predicted, label=label).sum(axis=0)
        assert list(found) == [one.tp, one.fp, one.fn]


@settings(max_examples=20)
@given(corpora())
def test_details_hold_the_scores_with_their_denominators(corpus):
    gold, predicted = zip(*corpus, strict=True)
    measured = score(gold, predicted)
    found = {
        (one.scheme, one.label): one for one in score_details(ScoringInput(gold, predicted, LABELS))
    }
    for scheme in SCHEMES:
        micro = found[scheme, "micro"]
        assert micro.counts == measured.schemes[scheme]
        assert micro.f.value == pytest.approx(measured.schemes[scheme].f, nan_ok=True) or (
            measured.schemes[scheme].f is None
        )
    each = [c.f for c in measured.per_label.values() if c.f is not None]
    if each:
        assert found["strict", "macro"].f.value == pytest.approx(sum(each) / len(each))
    for label, one in measured.per_label.items():
        strict = found["strict", label]
        assert (strict.counts.correct, strict.counts.possible, strict.counts.actual) == (
            one.tp,
            one.support,
            one.predicted,
        )


def test_an_evaluation_has_intervals_and_says_what_is_odd():
    gold = [
        Example("Add it", spans=(Span(0, 3, "A"),)),
        Example("Mix it", spans=(Span(0, 3, "A"), Span(4, 6, "B"))),
    ]
    said = [[Span(0, 3, "A")], [Span(0, 3, "B")]]
    found = evaluate_predictions(gold, said, warnings=["Odd."])
    frame = found.details.set_index(["scheme", "label"])
    row = frame.loc["strict", "micro"]
    assert (row["correct"], row["possible"], row["actual"]) == (1, 3, 2)
    assert row["f_low"] <= row["f"] <= row["f_high"]
    assert frame.loc["partial", "micro"]["correct"] == 2
    assert found.macro_f == pytest.approx((2 / 3 + 0) / 2)
    assert str(found).endswith("Odd.")
