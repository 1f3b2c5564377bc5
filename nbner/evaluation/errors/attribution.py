"""Where errors come from: their rate by what spans are like, and the share of each kind of span.

A span counts where it belongs by its own nature: the gold span, or the
predicted one where gold has none. The rate of a bucket is its errors over its
spans, the share is its errors over all errors. Intervals are bootstrapped over
texts (see `resampling`), for spans of one text are not independent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from nbner._common.bootstrap import Bootstrap, Estimate, FloatArray, safe_divide
from nbner.evaluation.errors.matches import SpanMatch

REPEATS = 500


@dataclass(frozen=True, slots=True)
class ErrorFactor:
    """Something that errors may depend on.

    Parameters
    ----------
    name : str
    description : str
        As a heading says it.
    buckets : tuple of str
        In their order; empty where they come from the findings.
    bucket_of : callable
        From a finding to its bucket.
    """

    name: str
    description: str
    buckets: tuple[str, ...]
    bucket_of: Callable[[SpanMatch], str]


@dataclass(frozen=True, slots=True)
class ErrorBucket:
    """The findings that are alike in one respect.

    Parameters
    ----------
    factor, name : str
    n : int
        Spans: all gold spans, and predicted ones that have no partner.
    errors : int
    rate, share : Estimate
        Errors over spans here, and over all errors.
    """

    factor: str
    name: str
    n: int
    errors: int
    rate: Estimate
    share: Estimate


def _steps(*ends: int) -> Callable[[int], str]:
    """Make a function from a number to the range it lies in; the last range is open."""
    starts = [0, *(end + 1 for end in ends)]
    names = _names(*ends)

    def bucket(value: int) -> str:
        return names[max(i for i, start in enumerate(starts) if value >= start)]

    return bucket


def _names(*ends: int) -> tuple[str, ...]:
    starts = [0, *(end + 1 for end in ends)]
    closed = [str(a) if a == b else f"{a} to {b}" for a, b in zip(starts, ends, strict=False)]
    return (*closed, f"{starts[-1]} and more")


_OFTEN, _LONG, _FAR = (0, 1, 4, 16), (1, 2, 3, 5), (0, 2, 5, 10)
_often, _long, _far = _steps(*_OFTEN), _steps(*_LONG), _steps(*_FAR)

ERROR_FACTORS: Mapping[str, ErrorFactor] = {
    one.name: one
    for one in (
        ErrorFactor(
            "frequency",
            "how often training had these words with this label",
            _names(*_OFTEN),
            lambda one: _often(one.frequency),
        ),
        ErrorFactor(
            "length",
            "how many tokens the span has",
            ("1", *_names(*_LONG)[1:]),
            lambda one: "1" if one.length <= 1 else _long(one.length),
        ),
        ErrorFactor(
            "shape",
            "what its letters look like",
            ("lower", "Title", "UPPER", "mixed", "with digits", "no letters"),
            lambda one: one.shape,
        ),
        ErrorFactor(
            "sentence_end",
            "how many tokens lie behind it in its sentence",
            _names(*_FAR),
            lambda one: _far(one.tokens_to_sentence_end),
        ),
        ErrorFactor("label", "its label", (), lambda one: one.span.label),
        ErrorFactor("kind", "what is wrong", (), lambda one: one.kind),
    )
}


def error_rates(
    found: Sequence[SpanMatch], factor: ErrorFactor, *, seed: int = 0
) -> list[ErrorBucket]:
    """Count errors by one factor.

    Parameters
    ----------
    found : sequence of SpanMatch
    factor : ErrorFactor
        Such as one of `ERROR_FACTORS`.
    seed : int
        Of the bootstrap.

    Returns
    -------
    list of ErrorBucket
        In their order, without those that hold no span.
    """
    placed = [factor.bucket_of(one) for one in found]
    there = set(placed)
    names = [one for one in factor.buckets if one in there]
    names += sorted(there - set(names))
    column = {name: 2 * i for i, name in enumerate(names)}
    row = {number: i for i, number in enumerate(dict.fromkeys(one.example_index for one in found))}
    table = np.zeros((len(row), 2 * len(names)))
    for one, bucket in zip(found, placed, strict=True):
        at = row[one.example_index], column[bucket]
        table[at] += 1
        table[at[0], at[1] + 1] += one.is_error
    resamples = Bootstrap(table, n_resamples=REPEATS, seed=seed)
    sums = table.sum(axis=0)
    return [
        ErrorBucket(
            factor=factor.name,
            name=name,
            n=int(sums[at]),
            errors=int(sums[at + 1]),
            rate=resamples.estimate(partial(_rate, at)),
            share=resamples.estimate(partial(_share, at)),
        )
        for name, at in column.items()
    ]


def _rate(at: int, sums: FloatArray) -> FloatArray:
    return safe_divide(sums[..., at + 1], sums[..., at])


def _share(at: int, sums: FloatArray) -> FloatArray:
    return safe_divide(sums[..., at + 1], sums[..., 1::2].sum(axis=-1))
