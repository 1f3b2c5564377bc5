"""The temperature of the states: against whole lattices, and against known temperatures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nbner.decoding.api import lattices
from nbner.decoding.calibration.list_report import ListCalibration
from nbner.decoding.calibration.list_temperature import GoldActions, gold_actions
from nbner.types import Example, Span


def drawn(temperature, n_texts=400, seed=0):
    """Draw texts whose gold actions come from a model at a temperature."""
    random = np.random.default_rng(seed)
    text = np.repeat(np.arange(n_texts), 5)
    scores = random.normal(0, 3, (len(text), 6))
    scores[random.random(scores.shape) < 0.2] = -np.inf
    scores[:, 0] = random.normal(0, 3, len(text))
    shares = np.exp(scores / temperature)
    shares /= shares.sum(axis=1, keepdims=True)
    gold = (shares.cumsum(axis=1) < random.random(len(text))[:, None]).sum(axis=1)
    scores -= scores[np.arange(len(text)), gold][:, None]
    return GoldActions(scores, text, n_texts, n_texts, 0)


@pytest.mark.parametrize("temperature", [0.6, 1.0, 2.5])
def test_the_temperature_that_gold_was_drawn_at_is_found_and_none_is_likelier(temperature):
    actions = drawn(temperature)
    found = actions.fit()
    assert found == pytest.approx(temperature, rel=0.08)
    best = actions.log_likelihoods(found).sum()
    assert all(
        best >= actions.log_likelihoods(float(other)).sum() - 1e-6
        for other in np.exp(np.linspace(np.log(0.1), np.log(15), 60))
    )
    each = actions.cross_fit()
    assert 1 < len(set(each)) <= 5
    held_out = actions.log_likelihoods(each).sum()
    assert held_out <= best + 1e-6


@pytest.mark.parametrize("temperature", [0.7, 1.0, 1.9])
def test_likelihoods_along_the_gold_are_those_of_whole_lattices(trained, dev, temperature):
    odd = [
        Example("", answer="accept"),
        Example("Nothing is here .", answer="accept"),
        replace(dev[0], spans=(Span(0, 2, "Action"),)),
        replace(dev[1], spans=(Span(0, dev[1].spans[0].end, "Spell"),)),
        replace(dev[2], labels=("Action",)),
    ]
    gold = [*dev[:12], *odd]
    actions = gold_actions(trained, gold)
    reachable = [*dev[:12], *odd[:2]]
    assert (actions.n_texts, actions.unreachable) == (len(reachable), 3)
    assert actions.n_spans == sum(len(one.spans) for one in reachable)
    found = actions.log_likelihoods(temperature)
    whole = lattices(trained, reachable, temperature=temperature)
    expected = [one.score_of(gold.spans) for one, gold in zip(whole, reachable, strict=True)]
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_a_report_counts_over_texts_that_did_not_choose_the_temperature():
    actions = drawn(2.0)
    found = ListCalibration.from_actions(actions)
    assert found.temperature == actions.fit()
    assert found.before.value == pytest.approx(actions.log_likelihoods(1.0).mean())
    assert found.after.value == pytest.approx(actions.log_likelihoods(actions.cross_fit()).mean())
    assert found.gain.value == pytest.approx(found.after.value - found.before.value)
    assert 0 < found.gain.low < found.gain.high
    frame = found.frame
    assert frame["is_fitted"].sum() == 1
    assert frame.loc[frame["log_likelihood"].idxmax(), "is_fitted"]
    assert "which flattens the states" in str(found)
    assert "sharpens" in str(ListCalibration.from_actions(drawn(0.5)))
