"""Sets of non-overlapping spans, chosen by their exact probabilities.

The F of a set of spans S against unknown gold G is 2 |S and G| / (|S| + |G|). With
the probability p of each span, its ratio of expectations is

    2 * sum of p over S / (|S| + sum of p over all spans)

Over many texts this is the expected F up to terms that vanish with their number.
Dinkelbach (1967, "On nonlinear fractional programming") finds its maximum by
maximizing the sum of p - theta over S, and setting theta to half the ratio that
was reached, until it stays: at the fixed point theta = F / 2, the threshold that
Lipton, Elkan and Naryanaswamy (2014, "Optimal thresholding of classifiers to
maximize F1 measure") derive for labels that may overlap. Spans may not, so the
inner maximum is the dynamic program for weighted interval scheduling (Kleinberg
and Tardos 2006, "Algorithm Design", section 6.1).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping, Sequence

from nbner.types import Span

MAX_ITERATIONS = 100
TOLERANCE = 1e-9


def best_span_set(probabilities: Mapping[Span, float], threshold: float = 0.5) -> tuple[Span, ...]:
    """Select the non-overlapping spans with the highest sum of probability minus threshold.

    At one half these are the spans with a probability above one half, of which no
    two overlap if the probabilities are averages of exact ones. Below it, the set
    is found by the dynamic program for weighted interval scheduling (Kleinberg and
    Tardos 2006, "Algorithm Design", section 6.1).

    Parameters
    ----------
    probabilities : mapping
        Span to probability.
    threshold : float
        A lower one raises recall and lowers precision.

    Returns
    -------
    tuple of Span
        Sorted by start.
    """
    gains = sorted(
        ((span, p - threshold) for span, p in probabilities.items() if p > threshold),
        key=lambda one: (one[0].end, one[0].start, one[0].label),
    )
    ends = [span.end for span, _ in gains]
    # best[i]: the highest sum over the first i spans, and whether the i-th is in.
    best = [(0.0, False)]
    before = [bisect_right(ends, span.start) for span, _ in gains]
    for (_, gain), free in zip(gains, before, strict=True):
        taken = best[free][0] + gain
        best.append((taken, True) if taken > best[-1][0] else (best[-1][0], False))
    chosen: list[Span] = []
    i = len(gains)
    while i:
        if best[i][1]:
            chosen.append(gains[i - 1][0])
            i = before[i - 1]
        else:
            i -= 1
    return tuple(reversed(chosen))


def expected_f(
    probabilities: Sequence[Mapping[Span, float]],
    chosen: Sequence[Collection[Span]],
    entities: float | None = None,
) -> float:
    """Return the ratio of expectations that stands for the F of chosen spans.

    Parameters
    ----------
    probabilities : sequence of mappings
        For each text every span with its probability.
    chosen : sequence of collections of Span
        For each text the chosen spans.
    entities : float, optional
        Sum of the probabilities of all spans, where ``probabilities`` lists some alone.

    Returns
    -------
    float
        Between 0 and 1; 0 where no span has a probability.
    """
    hits = sum(
        table.get(span, 0.0)
        for table, spans in zip(probabilities, chosen, strict=True)
        for span in spans
    )
    if entities is None:
        entities = sum(sum(table.values()) for table in probabilities)
    size = sum(len(spans) for spans in chosen) + entities
    return 2 * hits / size if size else 0.0


def fixed_point_threshold(
    probabilities: Sequence[Mapping[Span, float]],
    *,
    lowest: float = 0.0,
    entities: float | None = None,
) -> float:
    """Find the threshold whose span sets have the highest expected F over all texts.

    Parameters
    ----------
    probabilities : sequence of mappings
        For each text every span with its probability; those left out count as 0.
    lowest : float
        The threshold to begin with, below which none is returned.
    entities : float, optional
        Sum of the probabilities of all spans, where ``probabilities`` lists those above
        ``lowest`` alone.

    Returns
    -------
    float
        The fixed point theta = F / 2, from 0 to one half, or ``lowest`` where that is
        higher; 0 where no span has a probability.
    """
    threshold = lowest
    for _ in range(MAX_ITERATIONS):
        chosen = [best_span_set(table, threshold) for table in probabilities]
        reached = expected_f(probabilities, chosen, entities) / 2
        # The ratio rises from step to step, and stops at its maximum.
        if reached - threshold < TOLERANCE:
            return max(reached, threshold)
        threshold = reached
    return threshold


def filter_spans(
    spans: Iterable[Span], probabilities: Mapping[Span, float], threshold: float
) -> tuple[Span, ...]:
    """Drop the spans whose probability is below a threshold.

    It is the simplest way from greedy decoding towards the set with the highest
    expected F: no span that greedy decoding has missed comes back.

    Parameters
    ----------
    spans : iterable of Span
        Spans of one text, such as those of greedy decoding.
    probabilities : mapping
        Span to probability; spans that are not in it count as 0.
    threshold : float
        The lowest probability that is kept.
    """
    return tuple(span for span in spans if probabilities.get(span, 0.0) >= threshold)
