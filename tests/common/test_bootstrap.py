"""Bootstrap intervals: against known answers, and against drawing texts by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbner._common import bootstrap
from nbner._common.bootstrap import Bootstrap, micro_f, percentile_interval, safe_divide


def mean_of(size):
    return lambda sums: sums[..., 0] / size


def test_the_interval_of_a_share_is_the_binomial_one():
    right = np.zeros((400, 1))
    right[:100] = 1
    found = Bootstrap(right, n_resamples=4000).estimate(mean_of(400))
    half = 1.96 * np.sqrt(0.25 * 0.75 / 400)
    assert found.value == 0.25
    assert found.low == pytest.approx(0.25 - half, abs=0.006)
    assert found.high == pytest.approx(0.25 + half, abs=0.006)


def test_intervals_hold_the_truth_as_often_as_they_say():
    random = np.random.default_rng(0)
    held = 0
    for seed in range(200):
        drawn = (random.random((150, 1)) < 0.3).astype(float)
        found = Bootstrap(drawn, n_resamples=300, seed=seed).estimate(mean_of(150))
        held += found.low <= 0.3 <= found.high
    assert 0.90 <= held / 200 <= 0.99


def test_texts_that_are_all_alike_leave_no_doubt():
    found = Bootstrap(np.tile([2, 1, 1], (50, 1))).estimate(micro_f)
    assert (found.value, found.low, found.high) == pytest.approx((2 / 3, 2 / 3, 2 / 3))


def test_the_same_seed_draws_the_same_texts():
    counts = np.random.default_rng(1).integers(0, 5, (40, 3))
    one, same, other = (Bootstrap(counts, seed=seed).estimate(micro_f) for seed in (3, 3, 4))
    assert one == same
    assert one.value == other.value
    assert one != other


def test_figures_of_one_object_are_paired():
    counts = np.random.default_rng(1).integers(0, 5, (40, 1))
    resamples = Bootstrap(np.concatenate([counts, counts + 1], axis=1))
    found = resamples.estimate(lambda sums: (sums[..., 1] - sums[..., 0]) / 40)
    assert (found.low, found.high) == (1, 1)


def test_many_texts_are_drawn_in_parts_that_make_a_whole(monkeypatch):
    counts = np.random.default_rng(1).integers(0, 5, (40, 3))
    monkeypatch.setattr(bootstrap, "_MAX_WEIGHTS", 130)
    in_parts = Bootstrap(counts, n_resamples=500).estimate(micro_f)
    monkeypatch.undo()
    at_once = Bootstrap(counts, n_resamples=500).estimate(micro_f)
    assert in_parts == at_once


def test_what_cannot_be_counted_is_nan():
    nothing = Bootstrap(np.zeros((5, 3))).estimate(micro_f)
    assert np.isnan([nothing.value, nothing.low, nothing.high]).all()
    no_text = Bootstrap(np.zeros((0, 3))).estimate(micro_f)
    assert np.isnan([no_text.value, no_text.low, no_text.high]).all()


def test_an_interval_leaves_undefined_values_out():
    low, high = percentile_interval(np.array([np.nan, *np.arange(101.0)]), level=0.9)
    assert (low, high) == pytest.approx((5, 95))


@given(st.lists(st.tuples(*[st.integers(0, 9)] * 3), min_size=1, max_size=8))
def test_micro_f_is_the_harmonic_mean(rows):
    tp, fp, fn = np.sum(rows, axis=0)
    found = float(micro_f(np.sum(np.array(rows, dtype=float), axis=0)))
    if tp + fp + fn == 0:
        assert np.isnan(found)
    elif tp == 0:
        assert found == 0
    else:
        precision, recall = tp / (tp + fp), tp / (tp + fn)
        assert found == pytest.approx(2 * precision * recall / (precision + recall))


def test_a_share_of_nothing_is_nan():
    np.testing.assert_array_equal(
        safe_divide(np.array([1.0, 0]), np.array([2.0, 0])), [0.5, np.nan]
    )
