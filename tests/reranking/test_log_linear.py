"""The log-linear model: against known answers, finite differences and a count by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nbner.reranking.log_linear import FeatureMatrix, fit_log_linear, log_loss, minimize

NAMES = ("a", "b", "c")


def candidates():
    value = st.floats(-2, 2).map(lambda v: round(v, 2))
    features = st.dictionaries(st.sampled_from(NAMES), value, max_size=3)
    return st.lists(features, min_size=1, max_size=4).flatmap(
        lambda one: st.tuples(
            st.just(one),
            st.lists(st.integers(0, 4), min_size=len(one), max_size=len(one)).map(as_shares),
        )
    )


def as_shares(parts):
    total = sum(parts)
    return [part / total if total else 1 / len(parts) for part in parts]


def problems():
    return st.lists(candidates(), min_size=1, max_size=4)


def loss_by_hand(lists, shares, weights):
    total = 0.0
    for one, targets in zip(lists, shares, strict=True):
        scores = [
            sum(v * weights.get(name, 0.0) for name, v in features.items()) for features in one
        ]
        likely = np.exp(scores) / np.sum(np.exp(scores))
        total -= sum(share * np.log(p) for share, p in zip(targets, likely, strict=True))
    return total


@given(problems(), st.lists(st.floats(-2, 2), min_size=3, max_size=3))
def test_the_loss_is_the_one_by_hand_and_its_gradient_its_slope(problem, at):
    lists, shares = zip(*problem, strict=True)
    table = FeatureMatrix.from_lists(lists, shares, {name: i for i, name in enumerate(NAMES)})
    weights = np.array(at)
    loss, gradient = table.loss(weights)
    by_hand = loss_by_hand(lists, shares, dict(zip(NAMES, at, strict=True)))
    assert loss == pytest.approx(by_hand, abs=1e-9)
    for i in range(3):
        step = np.zeros(3)
        step[i] = 1e-6
        slope = (table.loss(weights + step)[0] - table.loss(weights - step)[0]) / 2e-6
        assert gradient[i] == pytest.approx(slope, abs=1e-5)


@settings(max_examples=25)
@given(problems(), st.sampled_from([0.3, 1.0, 5.0]))
def test_no_step_from_the_fitted_weights_is_downhill(problem, l2):
    # Where all shares are equal there is nothing to choose: such lists are left out.
    telling = [one for one in problem if len(set(one[1])) > 1]
    lists, shares = zip(*telling, strict=True) if telling else ((), ())
    prior = {"a": 1.0}
    found = fit_log_linear(lists, shares, l2=l2, prior=prior)

    def penalised(weights):
        moved = sum((weights.get(n, 0.0) - prior.get(n, 0.0)) ** 2 for n in NAMES)
        return loss_by_hand(lists, shares, weights) + l2 / 2 * moved

    here = penalised(found)
    for name in NAMES:
        for step in (1e-2, -1e-2):
            assert penalised({**found, name: found.get(name, 0.0) + step}) >= here - 1e-6


@pytest.mark.parametrize("size", [1, 3, 30])
def test_a_quadratic_is_minimised(size):
    random = np.random.default_rng(size)
    half = random.normal(size=(size, size))
    matrix, centre = half @ half.T + 0.1 * np.eye(size), random.normal(size=size)

    def objective(x):
        return float((x - centre) @ matrix @ (x - centre)) / 2, matrix @ (x - centre)

    found = minimize(objective, np.zeros(size), tolerance=1e-8)
    np.testing.assert_allclose(found, centre, atol=1e-5)


def test_a_narrow_valley_is_followed_to_its_end():
    def rosenbrock(x):
        a, b = 1 - x[0], x[1] - x[0] ** 2
        return a * a + 100 * b * b, np.array([-2 * a - 400 * x[0] * b, 200 * b])

    np.testing.assert_allclose(minimize(rosenbrock, np.array([-1.2, 1.0])), [1, 1], atol=1e-4)


def test_weights_of_a_known_model_are_found():
    random = np.random.default_rng(0)
    truth = np.array([1.5, -1.0, 0.0])
    lists, shares = [], []
    for _ in range(4000):
        features = random.normal(size=(4, 3))
        powers = np.exp(features @ truth)
        lists.append([dict(zip(NAMES, row, strict=True)) for row in features])
        shares.append(np.eye(4)[random.choice(4, p=powers / powers.sum())].tolist())
    found = fit_log_linear(lists, shares, l2=0.1)
    assert [found.get(name, 0.0) for name in NAMES] == pytest.approx(truth, abs=0.1)
    assert log_loss(lists, shares, found) < log_loss(lists, shares, {"a": 1.0}) < np.log(4)


def test_what_cannot_be_learnt_from_leaves_the_prior():
    prior = {"a": 1.0}
    assert fit_log_linear([], [], l2=1.0, prior=prior) == prior
    # One candidate, or all equally good: nothing to choose.
    assert fit_log_linear([[{"b": 1.0}]], [[1.0]], l2=1.0, prior=prior) == prior
    assert fit_log_linear([[{"b": 1.0}, {}]], [[0.5, 0.5]], l2=1.0, prior=prior) == prior
    assert np.isnan(log_loss([], [], prior))


def test_a_feature_counts_only_if_it_tells_apart_in_lists_enough():
    rare = [[{"a": 1.0}, {}], [{"b": 1.0}, {}], [{"b": 1.0}, {}]]
    assert fit_log_linear(rare, [[1.0, 0.0]] * 3, l2=1.0, min_lists=2).keys() == {"b"}
    same = [[{"a": 1.0}, {"a": 1.0}]] * 2
    assert fit_log_linear(same, [[1.0, 0.0]] * 2, l2=1.0) == {}


def test_large_scores_do_not_overflow():
    table = FeatureMatrix.from_lists([[{"a": 1e4}, {}]], [[1.0, 0.0]], {"a": 0})
    loss, gradient = table.loss(np.array([-1.0]))
    assert loss == pytest.approx(1e4)
    assert np.isfinite(gradient).all()
