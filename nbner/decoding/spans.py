"""From the rows of a search to values that people hold: spans in code points."""

from __future__ import annotations

import gc
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import MISSING, dataclass, fields
from itertools import islice, repeat
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from nbner.decoding.arrays import FloatArray, IntArray
from nbner.decoding.k_best import KBestArrays
from nbner.types import Parse, Span

if TYPE_CHECKING:
    from spacy.tokens import Doc

T = TypeVar("T")
OUTSIDE = "O"


@dataclass(frozen=True, slots=True)
class TokenOffsets:
    """Where the tokens of a text stand.

    Parameters
    ----------
    starts, ends : array of int, shape (tokens,)
        Code points, half-open.
    """

    starts: IntArray
    ends: IntArray

    @classmethod
    def from_doc(cls, doc: Doc) -> TokenOffsets:
        """Read them off a doc."""
        index, length = doc.to_array(["IDX", "LENGTH"]).reshape(len(doc), 2).T.astype(np.intp)
        return cls(index, index + length)

    def __len__(self) -> int:
        return len(self.starts)

    def token_range(self, span: Span) -> tuple[int, int] | None:
        """Give the tokens that a span lies exactly on, half-open; None where it does not."""
        start = int(np.searchsorted(self.starts, span.start))
        end = int(np.searchsorted(self.ends, span.end))
        if end >= len(self.ends) or not start <= end:
            return None
        exact = self.starts[start] == span.start and self.ends[end] == span.end
        return (start, end + 1) if exact else None

    def overlapping_tokens(self, start: int, end: int) -> tuple[int, int]:
        """Give the tokens that share a character with a stretch, half-open."""
        first = int(np.searchsorted(self.ends, start, side="right"))
        return first, int(np.searchsorted(self.starts, end))


@dataclass(frozen=True, slots=True)
class LazyCandidates:
    """One doc's list, from which its analyses are made when they are asked for.

    Until then they take no room, and one that is dropped before the next is
    made never reaches the older generations of Python's garbage collector.

    Parameters
    ----------
    scores : array, shape (analyses,)
        Falling.
    span_counts : array of int, shape (analyses,)
        Spans of each analysis.
    span_indices : array of int
        The analyses' spans, one analysis after the other, in the order of the
        text, as places in ``spans``.
    spans : list of Span
        Shared among the analyses, and among the docs of a batch: most spans
        come again and again.
    """

    scores: FloatArray
    span_counts: IntArray
    span_indices: IntArray
    spans: list[Span]

    def parses(self, *, log_total: float = 0.0, forced: Sequence[Span] = ()) -> tuple[Parse, ...]:
        """Make the analyses.

        Parameters
        ----------
        log_total : float
            What a score is taken off to be a log-probability.
        forced : sequence of Span
            In every analysis, beside those that were found.
        """
        with gc_paused():
            each = map(self.spans.__getitem__, self.span_indices.tolist())
            sets = [
                tuple(islice(each, count)) if count else () for count in self.span_counts.tolist()
            ]
            if forced:
                sets = [tuple(sorted((*one, *forced), key=_span_start)) for one in sets]
            probabilities = np.exp(self.scores - log_total).tolist()
            columns = {"probability": probabilities, "score": self.scores.tolist(), "spans": sets}
            return tuple(bulk_construct(Parse, **columns))


def read_candidates(
    lists: KBestArrays, places: Sequence[TokenOffsets], labels: Sequence[str], *, width: int
) -> list[LazyCandidates]:
    """Read the lists of a batch.

    Parameters
    ----------
    lists : KBestArrays
    places : sequence of TokenOffsets
        Of each doc.
    labels : sequence of str
    width : int
        Of the weights that were searched.
    """
    docs, k = lists.scores.shape
    outside = width * (len(labels) + 1) - 1
    found = lists.scores > -np.inf
    doc, rank, end = np.nonzero(
        (lists.segments >= 0) & (lists.segments < outside) & found[:, :, None]
    )
    sizes = [len(one) for one in places]
    tokens = np.cumsum([0, *sizes[:-1]])[doc] + end
    keys = tokens * np.intp(outside) + lists.segments[doc, rank, end]
    keys, which = np.unique(keys, return_inverse=True)
    with gc_paused():
        spans = _build_spans(*np.divmod(keys, outside), places, labels, width)
    counts = np.bincount(doc * k + rank, minlength=docs * k).reshape(docs, k)
    parts = np.split(which, np.cumsum(counts.sum(axis=1))[:-1])
    sizes = found.sum(axis=1).tolist()
    return [
        LazyCandidates(lists.scores[row, :size], counts[row, :size], part, spans)
        for row, (size, part) in enumerate(zip(sizes, parts, strict=True))
    ]


def _span_start(span: Span) -> int:
    return span.start


@contextmanager
def gc_paused() -> Iterator[None]:
    """Make many values that live on, without Python looking again and again for dead cycles.

    It would go through all objects of the process several times in a list of
    a few thousand analyses, and take a fifth of the time of a search.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _build_spans(
    tokens: IntArray,
    segments: IntArray,
    places: Sequence[TokenOffsets],
    labels: Sequence[str],
    width: int,
) -> list[Span]:
    """Give the spans that end with tokens, counted over all docs."""
    a, label = np.divmod(segments, len(labels) + 1)
    starts = np.concatenate([one.starts for one in places])[tokens - width + 1 + a]
    ends = np.concatenate([one.ends for one in places])[tokens]
    names = [labels[i] for i in label.tolist()]
    return bulk_construct(Span, start=starts.tolist(), end=ends.tolist(), label=names)


def bulk_construct(kind: type[T], **columns: Sequence[Any]) -> list[T]:
    """Build values of a dataclass with slots from columns, as its constructor would one by one.

    A list of 256 analyses has hundreds of values. Set slot by slot, they need
    no call of a Python function each, and take half the time.

    Parameters
    ----------
    kind : type
        A dataclass with slots, and without ``__post_init__``.
    columns : sequence
        The values of a field; of equal lengths. Other fields have their defaults.
    """
    count = len(next(iter(columns.values())))
    made = list(map(object.__new__, repeat(kind, count)))
    for field in fields(kind):  # type: ignore[arg-type]
        values: Iterable[Any]
        if field.name in columns:
            values = columns[field.name]
        elif field.default_factory is not MISSING:
            values = [field.default_factory() for _ in made]
        else:
            values = repeat(field.default, count)
        put = getattr(kind, field.name).__set__
        deque(map(put, made, values), maxlen=0)
    return made
