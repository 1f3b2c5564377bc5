"""The exact probability of every span of a text, and of every token's label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from nbner.decoding.arrays import FloatArray
from nbner.decoding.spans import OUTSIDE, TokenOffsets
from nbner.types import Span, Token

MIN_PROBABILITY = 1e-3


@dataclass(frozen=True, slots=True)
class SpanProbabilities:
    """The exact probability of every span of a text, and of every token's label.

    Parameters
    ----------
    text : str
    spans : mapping of Span to float
        Every span whose probability reaches the floor, sorted by place.
    token_probabilities : array of float64, shape (tokens, labels + 1)
        The probability that a token belongs to an entity of a label; in the
        last column that it belongs to none. Each row adds up to 1.
    token_axis : tuple of Token
        What the rows of ``token_probabilities`` stand for.
    label_axis : tuple of str
        What its columns stand for; the last one is "O".
    min_probability : float
        The least probability that ``spans`` holds.
    total_probability : float
        The probability of all analyses that were summed over. Below 1 where a
        longest entity was stated; what is given here are shares of it.
    """

    text: str
    spans: Mapping[Span, float] = field(repr=False, hash=False)
    token_probabilities: FloatArray = field(repr=False, hash=False, compare=False)
    token_axis: tuple[Token, ...] = field(repr=False)
    label_axis: tuple[str, ...]
    min_probability: float = MIN_PROBABILITY
    total_probability: float = 1.0

    def probability_of(self, span: Span) -> float:
        """Give a span's probability; 0 for one below the floor."""
        return self.spans.get(span, 0.0)


def collect_probable_spans(
    segments: FloatArray, places: TokenOffsets, labels: Sequence[str], floor: float
) -> dict[Span, float]:
    """Collect the spans of one text whose probability reaches the floor.

    Parameters
    ----------
    segments : array, shape (positions, width, labels + 1)
    places : TokenOffsets
    labels : sequence of str
    floor : float
    """
    width = segments.shape[1]
    entities = segments[: len(places), :, :-1]
    end, a, label = np.nonzero(entities >= max(floor, np.finfo(float).tiny))
    start = end - width + 1 + a
    order = np.lexsort((label, end, start))
    firsts, lasts = places.starts[start[order]].tolist(), places.ends[end[order]].tolist()
    names = [labels[i] for i in label[order].tolist()]
    found = np.minimum(entities[end, a, label][order], 1.0).tolist()
    return {
        Span(first, last, name): probability
        for first, last, name, probability in zip(firsts, lasts, names, found, strict=True)
    }


def add_forced_spans(
    known: SpanProbabilities, forced: Sequence[tuple[int, int, Span]]
) -> SpanProbabilities:
    """Put in the spans that are certain, which the sums hold as tokens outside.

    Parameters
    ----------
    known : SpanProbabilities
    forced : sequence of (int, int, Span)
        First token, token behind the last, and the span.
    """
    labels = list(known.label_axis[:-1])
    labels += sorted({span.label for _, _, span in forced} - set(labels))
    tokens = np.zeros((len(known.token_probabilities), len(labels) + 1))
    tokens[:, : len(known.label_axis) - 1] = known.token_probabilities[:, :-1]
    tokens[:, -1] = known.token_probabilities[:, -1]
    spans = dict(known.spans)
    for start, end, span in forced:
        tokens[start:end] = 0.0
        tokens[start:end, labels.index(span.label)] = 1.0
        spans[span] = 1.0
    return SpanProbabilities(
        known.text,
        dict(sorted(spans.items(), key=lambda item: (item[0].start, item[0].end, item[0].label))),
        tokens,
        known.token_axis,
        (*labels, OUTSIDE),
        known.min_probability,
        known.total_probability,
    )
