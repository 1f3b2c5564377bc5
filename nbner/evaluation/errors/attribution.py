"""Attribution of errors: error rates by properties of spans, and shares of all errors.

A match is assigned to a bucket by a property of its gold span, or of the
predicted one where gold has none. The rate of a bucket is its errors over its
spans, the share is its errors over all errors. Intervals are bootstrapped over
texts (see `nbner._common.bootstrap`), for spans of one text are not independent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from nbner._common.bootstrap import Bootstrap, Estimate, FloatArray, safe_divide
from nbner.evaluation.errors.matches import SpanMatch

N_RESAMPLES = 500


@dataclass(frozen=True, slots=True)
class ErrorFactor:
    """A property of spans that errors may depend on.

    Parameters
    ----------
    name : str
        Name of the property.
    description : str
        The property in words, as in a heading.
    buckets : tuple of str
        The buckets in their order; empty where they depend on the data.
    bucket_of : callable
        From a match to its bucket.
    """

    name: str
    description: str
    buckets: tuple[str, ...]
    bucket_of: Callable[[SpanMatch], str]


@dataclass(frozen=True, slots=True)
class ErrorBucket:
    """The matches with one value of a property.

    Parameters
    ----------
    factor : str
        Name of the property.
    name : str
        Name of the bucket.
    n : int
        Number of spans: all gold spans, and predicted ones without a partner.
    errors : int
        Number of errors among them.
    rate, share : Estimate
        Errors over spans of the bucket, and over all errors.
    """

    factor: str
    name: str
    n: int
    errors: int
    rate: Estimate
    share: Estimate


def _range_of(*ends: int) -> Callable[[int], str]:
    """Build the function from a number to the name of its range; the last range is open."""
    starts = [0, *(end + 1 for end in ends)]
    names = _range_names(*ends)

    def bucket(value: int) -> str:
        return names[max(i for i, start in enumerate(starts) if value >= start)]

    return bucket


def _range_names(*ends: int) -> tuple[str, ...]:
    starts = [0, *(end + 1 for end in ends)]
    closed = [str(a) if a == b else f"{a} to {b}" for a, b in zip(starts, ends, strict=False)]
    return (*closed, f"{starts[-1]} and more")


_OFTEN, _LONG, _FAR = (0, 1, 4, 16), (1, 2, 3, 5), (0, 2, 5, 10)
_often, _long, _far = _range_of(*_OFTEN), _range_of(*_LONG), _range_of(*_FAR)

ERROR_FACTORS: Mapping[str, ErrorFactor] = {
    one.name: one
    for one in (
        ErrorFactor(
            "frequency",
            "how often training had these words with this label",
            _range_names(*_OFTEN),
            lambda one: _often(one.frequency),
        ),
        ErrorFactor(
            "length",
            "how many tokens the span has",
            ("1", *_range_names(*_LONG)[1:]),
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
            _range_names(*_FAR),
            lambda one: _far(one.tokens_to_sentence_end),
        ),
        ErrorFactor("label", "its label", (), lambda one: one.span.label),
        ErrorFactor("kind", "what is wrong", (), lambda one: one.kind),
    )
}


def error_rates(
    found: Sequence[SpanMatch], factor: ErrorFactor, *, seed: int = 0
) -> list[ErrorBucket]:
    """Count errors by one property of spans.

    Parameters
    ----------
    found : sequence of SpanMatch
        Matches.
    factor : ErrorFactor
        The property, such as one of `ERROR_FACTORS`.
    seed : int
        Seed of the bootstrap.

    Returns
    -------
    list of ErrorBucket
        The buckets in their order, without empty ones.
    """
    buckets = [factor.bucket_of(one) for one in found]
    occurring = set(buckets)
    names = [one for one in factor.buckets if one in occurring]
    names += sorted(occurring - set(names))
    column = {name: 2 * i for i, name in enumerate(names)}
    row = {number: i for i, number in enumerate(dict.fromkeys(one.example_index for one in found))}
    table = np.zeros((len(row), 2 * len(names)))
    for one, bucket in zip(found, buckets, strict=True):
        at = row[one.example_index], column[bucket]
        table[at] += 1
        table[at[0], at[1] + 1] += one.is_error
    resamples = Bootstrap(table, n_resamples=N_RESAMPLES, seed=seed)
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
