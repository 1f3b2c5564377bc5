"""Exact sums over all analyses: totals, and the probability of every segment and token.

Forward and backward sums in log space over a semi-Markov lattice (Sarawagi
and Cohen 2004, "Semi-Markov conditional random fields").
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from nbner.decoding.arrays import FloatArray, IntArray
from nbner.decoding.k_best import count_active_docs


def log_totals(weights: FloatArray, lengths: IntArray) -> FloatArray:
    """Compute the log of the sum of the exponentiated scores of all analyses of every doc.

    Parameters
    ----------
    weights : array, shape (docs, positions, width, labels + 1)
        Segment weights; see `lattice.LatticeBatch`.
    lengths : array of int, shape (docs,)
        Tokens of each doc, descending.

    Returns
    -------
    array, shape (docs,)
        -inf for a doc without any analysis.
    """
    sums, _, _ = _log_sum_exp(weights)
    forward = _forward(sums, lengths)
    return np.asarray(forward[np.arange(len(lengths)), lengths + weights.shape[2] - 1])


def segment_probabilities(weights: FloatArray, lengths: IntArray) -> tuple[FloatArray, FloatArray]:
    """Compute the probability that an analysis contains each segment.

    Parameters
    ----------
    weights : array, shape (docs, positions, width, labels + 1)
        Segment weights; see `lattice.LatticeBatch`.
    lengths : array of int, shape (docs,)
        Tokens of each doc, descending.

    Returns
    -------
    log_totals : array, shape (docs,)
        See `log_totals`.
    probabilities : array, shape (docs, positions, width, labels + 1)
        0 for a doc without any analysis.
    """
    width = weights.shape[2]
    sums, most, shares = _log_sum_exp(weights)
    forward, backward = _forward(sums, lengths), _backward(sums, lengths)
    totals = forward[np.arange(len(lengths)), lengths + width - 1]
    around = sliding_window_view(forward, width, axis=1)[:, : weights.shape[1]]
    finite = np.where(np.isneginf(totals), 0.0, totals)
    around = around + (backward[:, width:] - finite[:, None])[:, :, None]
    # The likeliest segment between two places has a probability: this never overflows.
    shares *= np.exp(most + around)[..., None]
    return totals, shares


def token_probabilities(segments: FloatArray) -> FloatArray:
    """Sum the probabilities of the segments that cover each token.

    Parameters
    ----------
    segments : array, shape (docs, positions, width, labels + 1)
        Probabilities of the segments.

    Returns
    -------
    array, shape (docs, positions, labels + 1)
        Each token's row sums to 1; the last column is outside of entities.
    """
    _, positions, width, _ = segments.shape
    ending = segments.sum(axis=2)
    beginning = np.zeros_like(ending)
    for a in range(width):
        more = width - 1 - a
        beginning[:, : positions - more] += segments[:, more:, a]
    covered = np.cumsum(beginning, axis=1) - np.cumsum(ending, axis=1) + ending
    return np.asarray(np.clip(covered, 0.0, 1.0))


def _forward(sums: FloatArray, lengths: IntArray) -> FloatArray:
    """Sum over the analyses before each token; index ``j + width`` is after token ``j``."""
    docs, positions, width = sums.shape
    forward = np.full((docs, positions + width), -np.inf)
    forward[:, width - 1] = 0.0
    for j, going in enumerate(count_active_docs(lengths, positions)):
        before = forward[:going, j : j + width] + sums[:going, j]
        forward[:going, j + width] = np.logaddexp.reduce(before, axis=1)
    return forward


def _backward(sums: FloatArray, lengths: IntArray) -> FloatArray:
    """Sum over the analyses after each position."""
    docs, positions, width = sums.shape
    backward = np.full((docs, positions + width), -np.inf)
    backward[np.arange(docs), lengths + width - 1] = 0.0
    goings = count_active_docs(lengths, positions)
    for j in range(positions - 1, -1, -1):
        going = goings[j]
        after = backward[:going, j + width, None]
        before = backward[:going, j : j + width]
        backward[:going, j : j + width] = np.logaddexp(before, sums[:going, j] + after)
    return backward


def _log_sum_exp(weights: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Sum exponentials over the last axis.

    Returns
    -------
    sums, most : array
        The logarithm of the sum, and the greatest weight (0 if all are -inf).
    shares : array
        Exponentials of each weight minus the greatest.
    """
    most = weights.max(axis=-1)
    most[np.isneginf(most)] = 0.0
    shares = weights - most[..., None]
    np.exp(shares, out=shares)
    with np.errstate(divide="ignore"):
        sums = np.log(shares.sum(axis=-1))
    return sums + most, most, shares
