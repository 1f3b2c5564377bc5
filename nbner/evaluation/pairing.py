"""Pairing of two sets of annotations, text by text.

Texts are paired if they are equal; then if they are equal but for what tools
alter (see `nbner._common.text_alignment`); then if one side has the segments of
a text that the other side has in one piece; then if one is a prefix of the other.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from nbner._common.text_alignment import classify_alterations, core_offset, normalized_core
from nbner.types import Example, Span

TextRange: TypeAlias = tuple[int, int]
SpanKey: TypeAlias = tuple[int, int, str]

_MIN_TRUNCATED = 3  # characters of a truncated text


@dataclass(frozen=True, slots=True)
class TextPair:
    """One text with the annotations of two sides.

    Parameters
    ----------
    position : int
        Position in the first side, or in the second if the first has the text
        in segments.
    a, b : Example
        The text and annotations of each side.
    segments_a, segments_b : tuple of (int, int)
        Ranges of the segments in code points, if a side has the text in
        segments.
    alterations : tuple of str
        Kinds of difference between the texts; see `classify_alterations`.
    """

    position: int
    a: Example
    b: Example
    segments_a: tuple[TextRange, ...] = ()
    segments_b: tuple[TextRange, ...] = ()
    alterations: tuple[str, ...] = ()

    @property
    def span_keys(self) -> tuple[frozenset[SpanKey], frozenset[SpanKey]]:
        """Each side's spans in a form that can be compared across altered texts."""
        return frozenset(self.span_keys_of(self.a)), frozenset(self.span_keys_of(self.b))

    def span_keys_of(self, side: Example) -> list[SpanKey]:
        """Compute the comparable form of each span of a side.

        Parameters
        ----------
        side : Example
            One of ``a`` and ``b``.
        """
        text = side.text
        if not self.alterations:
            return [(one.start, one.end, one.label) for one in side.spans]
        return [(core_offset(text, s.start), core_offset(text, s.end), s.label) for s in side.spans]

    @property
    def differs(self) -> bool:
        """Whether the sides hold different spans."""
        a, b = self.span_keys
        return a != b


@dataclass(frozen=True, slots=True)
class TextPairing:
    """All pairs of texts, and the texts without a partner.

    Parameters
    ----------
    pairs : tuple of TextPair
        The pairs, by position.
    unmatched_a, unmatched_b : tuple of int
        Positions of the examples that only one side has.
    """

    pairs: tuple[TextPair, ...]
    unmatched_a: tuple[int, ...]
    unmatched_b: tuple[int, ...]


def span_keys(spans: Sequence[Span]) -> frozenset[SpanKey]:
    """Return start, end and label of spans, without source and score.

    Parameters
    ----------
    spans : sequence of Span
        Spans of one text.
    """
    return frozenset((span.start, span.end, span.label) for span in spans)


def pair_texts(a: Sequence[Example], b: Sequence[Example]) -> TextPairing:
    """Pair the texts of two sides.

    Parameters
    ----------
    a, b : sequence of Example
        In any order. Texts that occur twice are paired in order.
    """
    return _Pairer(a, b).run()


class _Pairer:
    """Pairs texts by one criterion after the other; ``open_a`` and ``open_b`` are unpaired."""

    def __init__(self, a: Sequence[Example], b: Sequence[Example]) -> None:
        self.a, self.b = a, b
        self.open_a = dict.fromkeys(range(len(a)))
        self.open_b = dict.fromkeys(range(len(b)))
        self.pairs: list[TextPair] = []

    def run(self) -> TextPairing:
        self._pair_equal(lambda text: text)
        self._pair_equal(normalized_core)
        self._pair_segmented()
        self._pair_truncated()
        return TextPairing(
            tuple(sorted(self.pairs, key=lambda one: one.position)),
            tuple(self.open_a),
            tuple(self.open_b),
        )

    def _add(self, i: int, j: int) -> None:
        a, b = self.a[i], self.b[j]
        self.pairs.append(TextPair(i, a, b, alterations=classify_alterations(a.text, b.text)))
        del self.open_a[i], self.open_b[j]

    def _pair_equal(self, form: Callable[[str], Hashable]) -> None:
        waiting: dict[Hashable, deque[int]] = defaultdict(deque)
        for j in self.open_b:
            waiting[form(self.b[j].text)].append(j)
        for i in list(self.open_a):
            found = waiting.get(form(self.a[i].text))
            if found:
                self._add(i, found.popleft())

    def _pair_segmented(self) -> None:
        for used, j, joined, ranges in _join_segments(self.a, self.open_a, self.b, self.open_b):
            self.pairs.append(TextPair(used[0], joined, self.b[j], segments_a=ranges))
            _remove(self.open_a, used)
            del self.open_b[j]
        for used, i, joined, ranges in _join_segments(self.b, self.open_b, self.a, self.open_a):
            self.pairs.append(TextPair(i, self.a[i], joined, segments_b=ranges))
            _remove(self.open_b, used)
            del self.open_a[i]

    def _pair_truncated(self) -> None:
        cores = sorted((normalized_core(self.b[j].text), j) for j in self.open_b)
        for i in list(self.open_a):
            sought = normalized_core(self.a[i].text)
            longer = bisect_left(cores, (sought, -1))
            # In sorted order a text is next to its longest prefix.
            for at in (longer, longer - 1):
                if 0 <= at < len(cores) and _is_prefix(cores[at][0], sought):
                    self._add(i, cores.pop(at)[1])
                    break


def _remove(positions: dict[int, None], used: Sequence[int]) -> None:
    for one in used:
        del positions[one]


def _is_prefix(one: str, other: str) -> bool:
    shorter, longer = sorted((one, other), key=len)
    return len(shorter) >= _MIN_TRUNCATED and longer.startswith(shorter)


def _join_segments(
    segments: Sequence[Example],
    open_segments: dict[int, None],
    texts: Sequence[Example],
    open_texts: dict[int, None],
) -> Iterator[tuple[list[int], int, Example, tuple[TextRange, ...]]]:
    """Yield runs of segments that lie in one text, one after the other, joined to an example."""
    queue = deque(open_segments)
    for j in list(open_texts):
        text = texts[j].text
        used, ranges, at = [], [], 0
        while queue and (found := text.find(segments[queue[0]].text.strip(), at)) >= 0:
            # A segment may begin in whitespace that belongs to no other segment.
            segment = segments[queue[0]].text
            start = found - (len(segment) - len(segment.lstrip()))
            at = found + len(segment.strip())
            ranges.append((start, start + len(segment)))
            used.append(queue.popleft())
        if len(used) > 1:
            yield used, j, _joined(texts[j], [segments[i] for i in used], ranges), tuple(ranges)
        else:
            queue.extendleft(reversed(used))


def _joined(text: Example, segments: Sequence[Example], ranges: Sequence[TextRange]) -> Example:
    spans = tuple(
        replace(span, start=span.start + start, end=span.end + start)
        for segment, (start, _) in zip(segments, ranges, strict=True)
        for span in segment.spans
    )
    first = next((one for one in segments if one.answer), segments[0])
    return replace(text, spans=spans, answer=first.answer, annotator=first.annotator)
