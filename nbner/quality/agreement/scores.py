"""How far people agree about spans, with intervals, and where they do not.

Definitions
-----------
*Exact F*: of two annotators' spans, twice the spans that both have (start, end
and label) over the sum of both numbers; it is the same whoever is taken as the
reference (Hripcsak and Rothschild 2005). *Relaxed F*: as before, but two spans
match where they overlap and have one label, one to one. Over several annotators
the counts of all pairs are summed.

*Cohen's kappa* (1960) and *Krippendorff's alpha* (1970, nominal) are defined for
units that everybody has judged, which spans are not; here the units are tokens
and the categories the label of the span that covers a token, or none. Tokens
outside of all spans count, so that both are high where entities are few; a
label's own figures set it against everything else.

Intervals are percentiles of a bootstrap over texts: 95%.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

from nbner.types import Span, Token

if TYPE_CHECKING:
    from numpy.typing import NDArray

N_SAMPLES = 1000
_OUTSIDE = ""
_CHUNK = 100


@dataclass(frozen=True, slots=True)
class AnnotatedText:
    """A text with what each annotator found in it.

    Parameters
    ----------
    text : str
    tokens : sequence of Token
    spans : mapping
        Annotator to spans; whoever is missing did not judge the text.
    """

    text: str
    tokens: Sequence[Token]
    spans: Mapping[str, Sequence[Span]]


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure with its interval; None is undefined, as where nobody found anything.

    Parameters
    ----------
    value, low, high : float, optional
    """

    value: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class GroupAgreement:
    """The figures of a group: everybody, two annotators, or one label.

    Parameters
    ----------
    n : int
        Texts that at least two of them judged.
    spans : int
        Spans of all of them in these texts.
    exact, relaxed, kappa, alpha : Figure
        Kappa is the mean over pairs of annotators.
    """

    n: int
    spans: int
    exact: Figure
    relaxed: Figure
    kappa: Figure
    alpha: Figure


@dataclass(frozen=True, slots=True)
class DisputedText:
    """A text on which annotators differ.

    Parameters
    ----------
    position : int
        Among the texts that were given.
    differing : int
        Spans that one of a pair has and the other has not, over all pairs.
    f : float, optional
        Exact F over the pairs.
    """

    position: int
    differing: int
    f: float | None


@dataclass(frozen=True, slots=True)
class AgreementScores:
    """What `measure_agreement` finds.

    Parameters
    ----------
    overall : GroupAgreement
    pairs : mapping
        Two annotators to their measures.
    labels : mapping
        Label to the measures of it against everything else.
    disputed : tuple of DisputedText
        The most disputed first.
    """

    overall: GroupAgreement
    pairs: Mapping[tuple[str, str], GroupAgreement]
    labels: Mapping[str, GroupAgreement]
    disputed: tuple[DisputedText, ...]


def measure_agreement(
    rated: Sequence[AnnotatedText], *, samples: int = N_SAMPLES, seed: int = 0
) -> AgreementScores:
    """Measure agreement over texts that at least two annotators judged.

    Parameters
    ----------
    rated : sequence of AnnotatedText
    samples : int
        Bootstrap samples; 0 leaves the intervals out.
    seed : int
    """
    import numpy as np

    shared = [(i, one) for i, one in enumerate(rated) if len(one.spans) >= 2]
    texts = [one for _, one in shared]
    people = sorted({name for one in texts for name in one.spans})
    labels = sorted({span.label for one in texts for spans in one.spans.values() for span in spans})
    weights = _weights(len(texts), samples, seed)
    counts = {pair: _Counts(texts, pair, labels) for pair in combinations(people, 2)}
    everybody = _coincidences(texts, people, labels)
    summed = sum((one.spans for one in counts.values()), np.zeros((len(texts), len(labels), 4)))

    def group(
        pairs: Sequence[_Counts], coincidences: NDArray[Any], at: int | None
    ) -> GroupAgreement:
        return _measures(texts, pairs, coincidences, at, weights)

    return AgreementScores(
        overall=group(list(counts.values()), everybody, None),
        pairs={
            pair: group([one], _coincidences(texts, list(pair), labels), None)
            for pair, one in counts.items()
        },
        labels={
            label: group(list(counts.values()), everybody, at) for at, label in enumerate(labels)
        },
        disputed=_disputed([i for i, _ in shared], summed),
    )


class _Counts:
    """What two annotators have in common, text by text.

    Attributes
    ----------
    spans : array, texts x labels x 4
        Spans of the one, of the other, matched exactly, and matched loosely.
    tokens : array, texts x categories x categories
        Tokens by the category of the one and of the other.
    judged : array of bool
        Whether both judged the text.
    """

    def __init__(
        self, texts: Sequence[AnnotatedText], pair: tuple[str, str], labels: list[str]
    ) -> None:
        import numpy as np

        number = {label: i for i, label in enumerate(labels)}
        size = len(labels) + 1
        self.spans = np.zeros((len(texts), len(labels), 4))
        self.tokens = np.zeros((len(texts), size, size))
        self.judged = np.zeros(len(texts), dtype=bool)
        for t, one in enumerate(texts):
            if not all(name in one.spans for name in pair):
                continue
            self.judged[t] = True
            left, right = (one.spans[name] for name in pair)
            for column, spans in enumerate((left, right, _exact(left, right), _loose(left, right))):
                for span in spans:
                    self.spans[t, number[span.label], column] += 1
            categories = [_categories(one.tokens, spans, number) for spans in (left, right)]
            np.add.at(self.tokens[t], tuple(categories), 1)


def _exact(left: Sequence[Span], right: Sequence[Span]) -> list[Span]:
    there = set(right)
    return [span for span in left if span in there]


def _loose(left: Sequence[Span], right: Sequence[Span]) -> list[Span]:
    """Match spans one to one where they overlap with one label, from left to right.

    Among spans that do not overlap their own side's, that is a largest matching.
    """
    matched = []
    for label in {span.label for span in left}:
        mine = sorted((s for s in left if s.label == label), key=lambda span: span.start)
        theirs = sorted((s for s in right if s.label == label), key=lambda span: span.start)
        i = j = 0
        while i < len(mine) and j < len(theirs):
            if mine[i].end <= theirs[j].start:
                i += 1
            elif theirs[j].end <= mine[i].start:
                j += 1
            else:
                matched.append(mine[i])
                i, j = i + 1, j + 1
    return matched


def _categories(
    tokens: Sequence[Token], spans: Sequence[Span], number: Mapping[str, int]
) -> NDArray[Any]:
    """Give each token the number of the label that covers a part of it; the last is none."""
    import numpy as np

    categories = np.full(len(tokens), len(number))
    starts = np.array([token.start for token in tokens])
    ends = np.array([token.end for token in tokens])
    for span in spans:
        categories[(starts < span.end) & (ends > span.start)] = number[span.label]
    return categories


def _coincidences(
    texts: Sequence[AnnotatedText], people: Sequence[str], labels: list[str]
) -> NDArray[Any]:
    """Count pairs of judgements of one token, each token weighing as many as it has judges."""
    import numpy as np

    number = {label: i for i, label in enumerate(labels)}
    size = len(labels) + 1
    found = np.zeros((len(texts), size, size))
    for t, one in enumerate(texts):
        judged = [
            _categories(one.tokens, one.spans[name], number) for name in people if name in one.spans
        ]
        if len(judged) < 2:
            continue
        votes = np.zeros((len(one.tokens), size))
        for categories in judged:
            votes[np.arange(len(one.tokens)), categories] += 1
        found[t] = (votes.T @ votes - np.diag(votes.sum(axis=0))) / (len(judged) - 1)
    return found


def _weights(texts: int, samples: int, seed: int) -> NDArray[Any]:
    """How often each text is drawn: in the first row once, in the others by chance."""
    import numpy as np

    chance = np.random.default_rng(seed)
    rows: list[NDArray[Any]] = [np.ones((1, texts))]
    if samples and texts:
        rows.append(chance.multinomial(texts, np.full(texts, 1 / texts), size=samples))
    return np.concatenate(rows).astype(float)


def _measures(
    texts: Sequence[AnnotatedText],
    pairs: Sequence[_Counts],
    coincidences: NDArray[Any],
    at: int | None,
    weights: NDArray[Any],
) -> GroupAgreement:
    import numpy as np

    chosen = slice(None) if at is None else slice(at, at + 1)
    none = np.zeros((len(texts), 4))
    spans = sum((one.spans[:, chosen].sum(axis=1) for one in pairs), none)
    judged = np.zeros(len(texts), dtype=bool)
    for one in pairs:
        judged |= one.judged
    tokens = [one.tokens if at is None else _against_rest(one.tokens, at) for one in pairs]
    coincided = coincidences if at is None else _against_rest(coincidences, at)
    return GroupAgreement(
        n=int(judged.sum()),
        spans=int(spans[:, :2].sum()),
        exact=_figure(spans, weights, lambda sums: _f(sums, 2)),
        relaxed=_figure(spans, weights, lambda sums: _f(sums, 3)),
        kappa=_mean([_values(one, weights, _kappa) for one in tokens], len(weights)),
        alpha=_figure(coincided, weights, _alpha),
    )


def _against_rest(matrices: NDArray[Any], at: int) -> NDArray[Any]:
    """Fold square matrices into one category against all others."""
    import numpy as np

    fold = np.zeros((matrices.shape[-1], 2))
    fold[:, 1] = 1
    fold[at] = (1, 0)
    folded: NDArray[Any] = fold.T @ matrices @ fold
    return folded


def _values(
    stats: NDArray[Any], weights: NDArray[Any], figure: Callable[[NDArray[Any]], NDArray[Any]]
) -> NDArray[Any]:
    """Give a figure for every row of weights; NaN where it is undefined."""
    import numpy as np

    flat = stats.reshape(len(stats), int(np.prod(stats.shape[1:])))
    parts = [
        figure((weights[i : i + _CHUNK] @ flat).reshape(-1, *stats.shape[1:]))
        for i in range(0, len(weights), _CHUNK)
    ]
    return np.concatenate(parts)


def _figure(
    stats: NDArray[Any], weights: NDArray[Any], figure: Callable[[NDArray[Any]], NDArray[Any]]
) -> Figure:
    return _mean([_values(stats, weights, figure)], len(weights))


def _mean(values: list[NDArray[Any]], rows: int) -> Figure:
    import numpy as np

    if not values:
        return Figure(None)
    table = np.stack(values)
    known = ~np.isnan(table)
    # Pairs for which a figure is undefined do not count in the mean.
    number = known.sum(axis=0)
    summed = np.where(known, table, 0).sum(axis=0)
    means = np.divide(summed, number, out=np.full(rows, np.nan), where=number > 0)
    if np.isnan(means[0]):
        return Figure(None)
    drawn = means[1:][~np.isnan(means[1:])]
    if not len(drawn):
        return Figure(float(means[0]))
    low, high = np.percentile(drawn, [2.5, 97.5])
    return Figure(float(means[0]), float(low), float(high))


def _divided(above: NDArray[Any], below: NDArray[Any]) -> NDArray[Any]:
    import numpy as np

    undefined = np.full(np.shape(above), np.nan)
    divided: NDArray[Any] = np.divide(above, below, out=undefined, where=below > 1e-12)
    return divided


def _f(sums: NDArray[Any], column: int) -> NDArray[Any]:
    return _divided(2 * sums[:, column], sums[:, 0] + sums[:, 1])


def _kappa(tables: NDArray[Any]) -> NDArray[Any]:
    total = tables.sum(axis=(1, 2))
    observed = _divided(tables.trace(axis1=1, axis2=2), total)
    expected = _divided((tables.sum(axis=1) * tables.sum(axis=2)).sum(axis=1), total**2)
    return _divided(observed - expected, 1 - expected)


def _alpha(tables: NDArray[Any]) -> NDArray[Any]:
    margins = tables.sum(axis=2)
    total = margins.sum(axis=1)
    disagreed = total - tables.trace(axis1=1, axis2=2)
    by_chance = _divided(total**2 - (margins**2).sum(axis=1), total - 1)
    return 1 - _divided(disagreed, by_chance)


def _disputed(positions: Sequence[int], spans: NDArray[Any]) -> tuple[DisputedText, ...]:
    sums = spans.sum(axis=1)
    found = [
        DisputedText(
            position,
            int(left + right - 2 * both),
            None if left + right == 0 else float(2 * both / (left + right)),
        )
        for position, (left, right, both, _) in zip(positions, sums, strict=True)
    ]
    return tuple(
        sorted(
            (one for one in found if one.differing), key=lambda one: (-one.differing, one.f or 0)
        )
    )
