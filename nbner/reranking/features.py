"""Features of the reranker, which distinguish the analyses of one text.

Every feature is the difference from the first analysis, which has none: only
differences within a list matter, and they are few.

- Model score: log-probability; logarithm of the rank; and the expected number
  of errors of an analysis under the probabilities of the list (the objective
  of minimum-risk decoding).
- Each span: its label with its length, its words, its first and last word, its
  shape, and the words around it.
- Neighbouring spans: their labels, and the distance between them.
- Words outside of spans.
- Consistency over the text: equal words with different labels, or labelled in
  one place and not in another.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from math import isfinite, log, nan
from typing import TYPE_CHECKING, TypeAlias

from nbner.errors import DataError
from nbner.types import Parse, Span

if TYPE_CHECKING:
    from spacy.tokens import Doc

#: A user's own: from a doc and an analysis to named values.
FeatureFunction: TypeAlias = "Callable[[Doc, Parse], Mapping[str, float]]"

MAX_WORDS = 4  # tokens of a span whose whole text is a feature
MAX_LENGTH = 6  # lengths from here on are one


def extract_features(
    doc: Doc, analyses: Sequence[Parse], functions: Mapping[str, FeatureFunction] | None = None
) -> list[dict[str, float]]:
    """Return the features of each analysis of a list, as differences from the first.

    Parameters
    ----------
    doc : Doc
        The built-in features use nothing but its tokens.
    analyses : sequence of Parse
        Best first.
    functions : mapping, optional
        Name to the user's own feature function; each of its features is named
        ``name:key``.

    Returns
    -------
    list of dict
        Feature to value, without zeros.
    """
    view = _TokenView(doc)
    counted: list[dict[str, float]] = [dict(view.count(parse.spans)) for parse in analyses]
    for features, parse in zip(counted, analyses, strict=True):
        for name, function in (functions or {}).items():
            for key, value in _checked_values(name, function(doc, parse)).items():
                features[f"{name}:{key}"] = value
    for features, errors in zip(counted, expected_errors(analyses), strict=True):
        features["expected errors"] = errors
    for rank, (features, parse) in enumerate(zip(counted, analyses, strict=True)):
        features["score"] = parse.score
        features["log rank"] = log(rank + 1)
    return [_difference(features, counted[0]) for features in counted]


def expected_errors(analyses: Sequence[Parse]) -> list[float]:
    """Return the expected number of span errors (missing or extra) of each analysis.

    The expectation is over the analyses of the list, with their probabilities
    normalized to sum to 1.

    Parameters
    ----------
    analyses : sequence of Parse
        The k best analyses of one text.
    """
    total = sum(parse.probability for parse in analyses) or 1.0
    share: dict[Span, float] = {}
    for parse in analyses:
        for span in parse.spans:
            share[span] = share.get(span, 0.0) + parse.probability / total
    expected = sum(share.values())
    return [
        expected + len(parse.spans) - 2 * sum(share[span] for span in parse.spans)
        for parse in analyses
    ]


def _checked_values(name: str, values: object) -> dict[str, float]:
    """Return what a user's feature function has returned, as finite numbers."""
    if not isinstance(values, Mapping):
        raise DataError(
            f"the feature function {name!r} returned {type(values).__name__}",
            field="features",
            remedy="Return a dict of numbers",
        )
    found = {}
    for key, value in values.items():
        try:
            found[key] = float(value)
        except (TypeError, ValueError):
            found[key] = nan
        if not isfinite(found[key]):
            raise DataError(
                f"the feature function {name!r} returned {value!r} for {key!r}, which is no "
                "finite number",
                field="features",
                remedy="Return a dict of numbers, and leave a feature out that is not known",
            )
    return found


class _TokenView:
    """Token attributes of one text that features are built from."""

    def __init__(self, doc: Doc) -> None:
        self._words = [token.lower_ for token in doc]
        self._shapes = [token.shape_ for token in doc]
        self._starts = [token.idx for token in doc]
        self._span_features: dict[Span, list[str]] = {}

    def count(self, spans: Sequence[Span]) -> Counter[str]:
        """Count the features of one set of spans."""
        found: Counter[str] = Counter()
        for span in spans:
            if span not in self._span_features:
                self._span_features[span] = list(self._compute_span_features(span))
            found.update(self._span_features[span])
        found.update(self._pair_features(spans))
        found.update(self._outside_features(spans))
        found.update(self._consistency_features(spans))
        return found

    def _token_range(self, span: Span) -> tuple[int, int]:
        return bisect_left(self._starts, span.start), bisect_left(self._starts, span.end)

    def _compute_span_features(self, span: Span) -> Iterator[str]:
        start, end = self._token_range(span)
        label, words = span.label, self._words[start:end]
        before = self._words[start - 1] if start else "<"
        after = self._words[end] if end < len(self._words) else ">"
        yield f"{label}"
        yield f"{label} of {min(len(words), MAX_LENGTH)}"
        yield f"{label} begins {words[0] if words else ''}"
        yield f"{label} ends {words[-1] if words else ''}"
        yield f"{label} shape {' '.join(self._shapes[start:end][:MAX_WORDS])}"
        yield f"{label} after {before}"
        yield f"{label} before {after}"
        if len(words) <= MAX_WORDS:
            yield f"{label} is {' '.join(words)}"

    def _pair_features(self, spans: Sequence[Span]) -> Iterator[str]:
        for left, right in pairwise(spans):
            end, start = self._token_range(left)[1], self._token_range(right)[0]
            gap = self._words[end:start]
            yield f"{left.label} then {right.label} by {min(len(gap), MAX_LENGTH)}"
            if len(gap) == 1:
                yield f"{left.label} {gap[0]} {right.label}"

    def _outside_features(self, spans: Sequence[Span]) -> Iterator[str]:
        inside = {i for span in spans for i in range(*self._token_range(span))}
        for i, word in enumerate(self._words):
            if i not in inside:
                yield f"outside {word}"

    def _consistency_features(self, spans: Sequence[Span]) -> Iterator[str]:
        labels: dict[tuple[str, ...], set[str]] = {}
        times: Counter[tuple[str, ...]] = Counter()
        for span in spans:
            start, end = self._token_range(span)
            words = tuple(self._words[start:end])
            labels.setdefault(words, set()).add(span.label)
            times[words] += 1
        for words, found in labels.items():
            if len(found) > 1:
                yield "equal words, different labels"
            if self._count_occurrences(words) > times[words]:
                yield "equal words, not all labelled"

    def _count_occurrences(self, words: tuple[str, ...]) -> int:
        if len(words) == 1:
            return self._words.count(words[0])
        size = len(words)
        places = range(len(self._words) - size + 1)
        return sum(tuple(self._words[i : i + size]) == words for i in places)


def _difference(features: Mapping[str, float], first: Mapping[str, float]) -> dict[str, float]:
    names = features.keys() | first.keys()
    every = ((name, features.get(name, 0.0) - first.get(name, 0.0)) for name in names)
    return {name: value for name, value in sorted(every) if value}
