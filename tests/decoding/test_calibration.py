"""Temperatures and calibration errors: against known answers and known calibrations."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbner.decoding.calibration.temperature import (
    MIN_PAIRS,
    CalibrationPairs,
    Temperatures,
    calibrate,
    collect_pairs,
    cross_calibrate,
    expected_calibration_error,
    fit_temperature,
    fit_temperatures,
    reliability_bins,
    scale,
)


def drawn(size, temperature=1.0, seed=0, label="A"):
    """Draw pairs from a model whose probabilities would be right at a temperature."""
    random = np.random.default_rng(seed)
    said = random.beta(3, 1, size)
    right = random.random(size) < scale(said, temperature)
    return CalibrationPairs(said, right, (label,) * size, np.arange(size) // 3)


def joined(*parts):
    return CalibrationPairs(
        np.concatenate([one.probability for one in parts]),
        np.concatenate([one.correct for one in parts]),
        sum((one.label for one in parts), ()),
        np.concatenate([one.text for one in parts]),
    )


def likelihood(pairs, temperature):
    odds = np.log(pairs.probability / (1 - pairs.probability)) / temperature
    n, size = pairs.correct.sum(), len(pairs)
    target = np.where(pairs.correct, (n + 1) / (n + 2), 1 / (size - n + 2))
    return -np.sum(target * np.logaddexp(0, -odds) + (1 - target) * np.logaddexp(0, odds))


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0, 4.0])
def test_the_temperature_of_a_known_calibration_is_found(temperature):
    pairs = drawn(40_000, temperature)
    assert fit_temperature(pairs.probability, pairs.correct) == pytest.approx(temperature, rel=0.06)


@pytest.mark.parametrize("temperature", [0.6, 1.7, 3.0])
def test_no_other_temperature_is_more_likely(temperature):
    pairs = drawn(300, temperature, seed=5)
    found = fit_temperature(pairs.probability, pairs.correct)
    grid = np.exp(np.linspace(np.log(0.06), np.log(19), 400))
    assert likelihood(pairs, found) >= max(likelihood(pairs, one) for one in grid) - 1e-9


def test_what_is_calibrated_has_a_small_error_and_what_is_not_a_large_one():
    assert expected_calibration_error(drawn(40_000)) < 0.01
    overconfident = drawn(40_000, 4.0)
    assert expected_calibration_error(overconfident) > 0.1
    assert expected_calibration_error(cross_calibrate(overconfident)) < 0.01


def test_each_label_gets_its_own_temperature_where_it_has_pairs_enough():
    few = drawn(MIN_PAIRS - 1, 1.0, label="C")
    pairs = joined(drawn(20_000, 3.0), drawn(20_000, 0.5, seed=1, label="B"), few)
    found = fit_temperatures(pairs, per_label=True)
    assert found.for_label("A") == pytest.approx(3.0, rel=0.1)
    assert found.for_label("B") == pytest.approx(0.5, rel=0.1)
    assert "C" not in found.per_label
    assert found.for_label("C") == found.overall == fit_temperatures(pairs).overall
    assert fit_temperatures(pairs).per_label == {}
    one, own = (cross_calibrate(pairs, per_label=each).with_label("A") for each in (False, True))
    assert expected_calibration_error(own) < 0.02 < expected_calibration_error(one)


def test_the_error_is_the_weighted_distance_by_hand():
    pairs = collect_pairs([[(0.95, "A", True), (0.95, "A", False)], [(0.15, "B", False)], []])
    # Two pairs at 0.95 of which half are right, one at 0.15 of which none is.
    assert expected_calibration_error(pairs) == pytest.approx((2 * 0.45 + 0.15) / 3)
    bins = reliability_bins(pairs)
    assert [one.n for one in bins] == [0, 1, 0, 0, 0, 0, 0, 0, 0, 2]
    assert (bins[9].confidence, bins[9].accuracy) == (0.95, 0.5)
    assert pairs.text.tolist() == [0, 0, 1]


def test_wilson_intervals_are_the_known_ones():
    (last,) = [
        one
        for one in reliability_bins(collect_pairs([[(1.0, "A", i < 8) for i in range(10)]]))
        if one.n
    ]
    assert (last.low, last.high) == (0.9, 1.0)
    assert (last.accuracy_low, last.accuracy_high) == pytest.approx((0.4902, 0.9433), abs=1e-3)


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), max_size=30))
def test_every_pair_is_in_one_bin(rows):
    pairs = collect_pairs([[(p, "A", right) for p, right in rows]])
    assert sum(one.n for one in reliability_bins(pairs)) == len(rows)
    error = expected_calibration_error(pairs)
    assert np.isnan(error) if not rows else 0 <= error <= 1


@given(
    st.lists(st.floats(0, 1), min_size=2, max_size=10),
    st.floats(0.05, 20),
)
def test_scaling_keeps_the_order_and_the_half(said, temperature):
    before = np.sort(np.array(said))
    after = scale(before, temperature)
    assert (np.diff(after) >= 0).all()
    assert ((before > 0.5) <= (after >= 0.5)).all()
    np.testing.assert_allclose(scale(scale(before, 2.0), 0.5), np.clip(before, 1e-6, 1 - 1e-6))


def test_the_error_after_is_measured_on_other_texts():
    # In every text the pairs agree with each other alone: what is learnt from
    # the other texts does not help, and that must show.
    pairs = drawn(60, 1.0, seed=3)
    assert (
        cross_calibrate(pairs, seed=1).probability == cross_calibrate(pairs, seed=1).probability
    ).all()
    for number in np.unique(pairs.text)[:5]:
        own = pairs.text == number
        changed = CalibrationPairs(pairs.probability, pairs.correct ^ own, pairs.label, pairs.text)
        np.testing.assert_array_equal(
            cross_calibrate(pairs).probability[own], cross_calibrate(changed).probability[own]
        )


def test_extremes_stay_within_bounds():
    half, sure = np.full(400, 0.51), np.full(400, 1.0)
    right = np.ones(400, dtype=bool)
    assert fit_temperature(half, right) == pytest.approx(0.05, rel=0.01)
    assert fit_temperature(sure, ~right) == pytest.approx(20, rel=0.01)
    assert fit_temperature(np.array([]), np.array([], dtype=bool)) == 1.0
    assert np.isnan(expected_calibration_error(collect_pairs([])))
    assert len(cross_calibrate(collect_pairs([[]]))) == 0
    one = cross_calibrate(collect_pairs([[(0.8, "A", True)]]))
    assert one.probability == pytest.approx([0.8])


def test_a_label_whose_spans_are_all_right_does_not_become_certain():
    found = fit_temperature(np.full(40, 0.9), np.ones(40, dtype=bool))
    assert scale(np.array([0.9]), found)[0] == pytest.approx(41 / 42, abs=1e-3)


def test_temperatures_apply_to_one_span_as_to_many():
    pairs = drawn(5, 1.0)
    temperatures = Temperatures(2.0, {"A": 3.0})
    many = calibrate(pairs, temperatures).probability
    one = [temperatures.apply(p, "A") for p in pairs.probability]
    np.testing.assert_allclose(many, one)
    assert temperatures.apply(0.9, "B") == pytest.approx(scale(np.array([0.9]), 2.0)[0])
