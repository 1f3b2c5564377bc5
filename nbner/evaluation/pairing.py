"""Two sets of annotations put side by side, text by text. Pure functions of plain values.

Texts are paired where they are equal; then where they are equal but for what
tools alter (see `texts`); then where one side holds the sentences of a text
that the other side holds whole; then where one is the beginning of the other.
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

_LEAST_CUT = 3  # characters of a text that was cut off


@dataclass(frozen=True, slots=True)
class TextPair:
    """One text as two sides have annotated it.

    Parameters
    ----------
    position : int
        Position in the first side, or in the second where the first is in
        pieces.
    a, b : Example
    segments_a, segments_b : tuple of (int, int)
        Where a side held the text in pieces: their places in code points.
    alterations : tuple of str
        How the texts differ; see `texts.alterations`.
    """

    position: int
    a: Example
    b: Example
    segments_a: tuple[TextRange, ...] = ()
    segments_b: tuple[TextRange, ...] = ()
    alterations: tuple[str, ...] = ()

    @property
    def span_keys(self) -> tuple[frozenset[SpanKey], frozenset[SpanKey]]:
        """Each side's spans, such that equal ones compare equal whatever was done to the text."""
        return frozenset(self.span_keys_of(self.a)), frozenset(self.span_keys_of(self.b))

    def span_keys_of(self, side: Example) -> list[SpanKey]:
        """Give the key of each span of one of the two sides."""
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
    """All pairs, and what has no partner.

    Parameters
    ----------
    pairs : tuple of TextPair
    unmatched_a, unmatched_b : tuple of int
        Positions of the examples that only one side has.
    """

    pairs: tuple[TextPair, ...]
    unmatched_a: tuple[int, ...]
    unmatched_b: tuple[int, ...]


def span_keys(spans: Sequence[Span]) -> frozenset[SpanKey]:
    """Give spans as what is compared of them."""
    return frozenset((span.start, span.end, span.label) for span in spans)


def pair_texts(a: Sequence[Example], b: Sequence[Example]) -> TextPairing:
    """Put two sides beside one another.

    Parameters
    ----------
    a, b : sequence of Example
        In any order. A text that stands twice is paired in order.
    """
    return _Pairer(a, b).run()


class _Pairer:
    def __init__(self, a: Sequence[Example], b: Sequence[Example]) -> None:
        self.a, self.b = a, b
        self.open_a = dict.fromkeys(range(len(a)))
        self.open_b = dict.fromkeys(range(len(b)))
        self.pairs: list[TextPair] = []

    def run(self) -> TextPairing:
        self._equal(lambda text: text)
        self._equal(normalized_core)
        self._in_pieces()
        self._cut_off()
        return TextPairing(
            tuple(sorted(self.pairs, key=lambda one: one.position)),
            tuple(self.open_a),
            tuple(self.open_b),
        )

    def _add(self, i: int, j: int) -> None:
        a, b = self.a[i], self.b[j]
        self.pairs.append(TextPair(i, a, b, alterations=classify_alterations(a.text, b.text)))
        del self.open_a[i], self.open_b[j]

    def _equal(self, form: Callable[[str], Hashable]) -> None:
        waiting: dict[Hashable, deque[int]] = defaultdict(deque)
        for j in self.open_b:
            waiting[form(self.b[j].text)].append(j)
        for i in list(self.open_a):
            found = waiting.get(form(self.a[i].text))
            if found:
                self._add(i, found.popleft())

    def _in_pieces(self) -> None:
        for used, j, whole, cuts in _wholes(self.a, self.open_a, self.b, self.open_b):
            self.pairs.append(TextPair(used[0], whole, self.b[j], segments_a=cuts))
            _drop(self.open_a, used)
            del self.open_b[j]
        for used, i, whole, cuts in _wholes(self.b, self.open_b, self.a, self.open_a):
            self.pairs.append(TextPair(i, self.a[i], whole, segments_b=cuts))
            _drop(self.open_b, used)
            del self.open_a[i]

    def _cut_off(self) -> None:
        cores = sorted((normalized_core(self.b[j].text), j) for j in self.open_b)
        for i in list(self.open_a):
            sought = normalized_core(self.a[i].text)
            longer = bisect_left(cores, (sought, -1))
            # The whole stands right behind its beginning; a beginning right before its whole.
            for at in (longer, longer - 1):
                if 0 <= at < len(cores) and _begins(cores[at][0], sought):
                    self._add(i, cores.pop(at)[1])
                    break


def _drop(table: dict[int, None], gone: Sequence[int]) -> None:
    for one in gone:
        del table[one]


def _begins(one: str, other: str) -> bool:
    shorter, longer = sorted((one, other), key=len)
    return len(shorter) >= _LEAST_CUT and longer.startswith(shorter)


def _wholes(
    pieces: Sequence[Example],
    open_pieces: dict[int, None],
    wholes: Sequence[Example],
    open_wholes: dict[int, None],
) -> Iterator[tuple[list[int], int, Example, tuple[TextRange, ...]]]:
    """Find runs of pieces that lie in one whole text, one after the other, and glue them."""
    queue = deque(open_pieces)
    for j in list(open_wholes):
        whole = wholes[j]
        used, cuts, at = [], [], 0
        while queue and (found := whole.text.find(pieces[queue[0]].text.strip(), at)) >= 0:
            # A piece may begin in whitespace that belongs to no other piece.
            lead = len(pieces[queue[0]].text) - len(pieces[queue[0]].text.lstrip())
            start = found - lead
            at = found + len(pieces[queue[0]].text.strip())
            cuts.append((start, start + len(pieces[queue[0]].text)))
            used.append(queue.popleft())
        if len(used) > 1:
            yield used, j, _glued(whole, [pieces[i] for i in used], cuts), tuple(cuts)
        else:
            queue.extendleft(reversed(used))


def _glued(whole: Example, parts: Sequence[Example], cuts: Sequence[TextRange]) -> Example:
    spans = tuple(
        replace(span, start=span.start + start, end=span.end + start)
        for part, (start, _) in zip(parts, cuts, strict=True)
        for span in part.spans
    )
    first = next((part for part in parts if part.answer), parts[0])
    return replace(whole, spans=spans, answer=first.answer, annotator=first.annotator)
