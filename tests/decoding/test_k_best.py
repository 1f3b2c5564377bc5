"""Lists and sums over plain arrays, against all analyses by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pipeline_strategies import segmentations, weights_of_batches

from nbner.decoding.k_best import k_best
from nbner.decoding.k_best_single import k_best_single
from nbner.decoding.marginals import log_totals, segment_probabilities, token_probabilities


def listed(lists, row):
    """Write one doc's list as segments and scores."""
    return [
        (tuple((end, int(one)) for end, one in enumerate(segments) if one >= 0), float(score))
        for score, segments in zip(lists.scores[row], lists.segments[row], strict=True)
        if score > -np.inf
    ]


@given(weights_of_batches(), st.integers(1, 400))
def test_a_list_holds_the_best_and_each_analysis_once(batch, k):
    weights, lengths = batch
    lists = k_best(weights, lengths, k)
    for row, length in enumerate(lengths):
        by_hand = dict(segmentations(weights[row], length))
        ours = listed(lists, row)
        assert len(ours) == len(dict(ours)) == min(k, len(by_hand))
        assert all(by_hand[segments] == pytest.approx(score) for segments, score in ours)
        best = sorted(by_hand.values(), reverse=True)[:k]
        assert [score for _, score in ours] == pytest.approx(best)


@given(weights_of_batches(5), st.integers(1, 300), st.integers(1, 300))
def test_a_shorter_list_is_the_beginning_of_a_longer_one(batch, k, more):
    weights, lengths = batch
    short, long = k_best(weights, lengths, k), k_best(weights, lengths, k + more)
    for row in range(len(lengths)):
        assert listed(short, row) == listed(long, row)[:k]


@given(weights_of_batches(), st.integers(1, 64))
def test_a_list_does_not_depend_on_what_is_beside_it(batch, k):
    weights, lengths = batch
    together = k_best(weights, lengths, k)
    for row, length in enumerate(lengths):
        alone = k_best(weights[row : row + 1, :length], lengths[row : row + 1], k)
        assert listed(together, row) == listed(alone, 0)


@given(weights_of_batches(), st.integers(1, 64))
def test_the_quick_search_of_one_text_gives_the_same_list(batch, k):
    weights, lengths = batch
    together = k_best(weights, lengths, k)
    for row, length in enumerate(lengths):
        assert listed(k_best_single(weights[row, :length], k), 0) == listed(together, row)


@given(weights_of_batches(5))
def test_sums_are_those_by_hand(batch):
    weights, lengths = batch
    totals, share = segment_probabilities(weights, lengths)
    np.testing.assert_allclose(totals, log_totals(weights, lengths))
    tokens = token_probabilities(share)
    for row, length in enumerate(lengths):
        by_hand = segmentations(weights[row], length)
        expected = np.zeros_like(weights[row])
        for segments, score in by_hand:
            for end, segment in segments:
                expected[end].flat[segment] += np.exp(score)
        total = sum(np.exp(score) for _, score in by_hand)
        assert np.exp(totals[row]) == pytest.approx(total)
        np.testing.assert_allclose(share[row], expected / (total or 1.0), atol=1e-9)
        np.testing.assert_allclose(tokens[row, :length].sum(axis=1), bool(total), atol=1e-9)


def test_a_long_list_of_long_texts_is_complete_where_prefixes_are_few():
    # The first tokens have few analyses, so that many segments compete with short lists.
    random = np.random.default_rng(0)
    weights = random.normal(size=(3, 12, 12, 4)) * 3
    weights[:, :, :-1, -1] = -np.inf
    for a in range(12):
        weights[:, : 11 - a, a] = -np.inf
    lengths = np.array([12, 9, 7])
    lists = k_best(weights, lengths, 256)
    by_hand = sorted((score for _, score in segmentations(weights[2], 7)), reverse=True)
    np.testing.assert_allclose(lists.scores[2], by_hand[:256])
