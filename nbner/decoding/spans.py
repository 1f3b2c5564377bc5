"""Conversion of search results from token and label indices to spans in code points."""

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
    """Offsets of the tokens of a text.

    Parameters
    ----------
    starts, ends : array of int, shape (tokens,)
        Code points, half-open.
    """

    starts: IntArray
    ends: IntArray

    @classmethod
    def from_doc(cls, doc: Doc) -> TokenOffsets:
        """Read the offsets of a doc's tokens.

        Parameters
        ----------
        doc : Doc
            A tokenized text.
        """
        index, length = doc.to_array(["IDX", "LENGTH"]).reshape(len(doc), 2).T.astype(np.intp)
        return cls(index, index + length)

    def __len__(self) -> int:
        return len(self.starts)

    def token_range(self, span: Span) -> tuple[int, int] | None:
        """Return the half-open token range of a span; None if it is not aligned with tokens.

        Parameters
        ----------
        span : Span
            A span in code points.
        """
        start = int(np.searchsorted(self.starts, span.start))
        end = int(np.searchsorted(self.ends, span.end))
        if end >= len(self.ends) or not start <= end:
            return None
        exact = self.starts[start] == span.start and self.ends[end] == span.end
        return (start, end + 1) if exact else None

    def overlapping_tokens(self, start: int, end: int) -> tuple[int, int]:
        """Return the half-open range of the tokens that overlap a range of code points.

        Parameters
        ----------
        start, end : int
            Half-open range of code points.
        """
        first = int(np.searchsorted(self.ends, start, side="right"))
        return first, int(np.searchsorted(self.starts, end))


@dataclass(frozen=True, slots=True)
class LazyCandidates:
    """The k best list of one doc, converted to analyses on demand.

    Until then it takes little memory, and one that is dropped before the next is
    converted never reaches the older generations of Python's garbage collector.

    Parameters
    ----------
    scores : array, shape (analyses,)
        Descending.
    span_counts : array of int, shape (analyses,)
        Number of spans of each analysis.
    span_indices : array of int
        Indices into ``spans`` of the spans of all analyses, one analysis after the
        other, each in text order.
    spans : list of Span
        Shared among the analyses, and among the docs of a batch, since most spans
        recur.
    """

    scores: FloatArray
    span_counts: IntArray
    span_indices: IntArray
    spans: list[Span]

    def parses(self, *, log_total: float = 0.0, forced: Sequence[Span] = ()) -> tuple[Parse, ...]:
        """Build the analyses.

        Parameters
        ----------
        log_total : float
            Subtracted from a score to get a log-probability.
        forced : sequence of Span
            Added to every analysis.
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
    """Decode the k best arrays of a batch into one list of candidates a doc.

    Parameters
    ----------
    lists : KBestArrays
        Result of the search.
    places : sequence of TokenOffsets
        Token offsets of each doc.
    labels : sequence of str
        Labels of the model, sorted.
    width : int
        Third dimension of the weights that were searched.
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
    """Disable the cyclic garbage collector while many long-lived values are built.

    Otherwise it would traverse all objects of the process several times in a list
    of a few thousand analyses, and take a fifth of the time of a search.
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
    """Return the spans that end with the given tokens, indexed over all docs."""
    a, label = np.divmod(segments, len(labels) + 1)
    starts = np.concatenate([one.starts for one in places])[tokens - width + 1 + a]
    ends = np.concatenate([one.ends for one in places])[tokens]
    names = [labels[i] for i in label.tolist()]
    return bulk_construct(Span, start=starts.tolist(), end=ends.tolist(), label=names)


def bulk_construct(kind: type[T], **columns: Sequence[Any]) -> list[T]:
    """Build instances of a dataclass with slots from columns of field values.

    A list of 256 analyses has hundreds of values. Set slot by slot, they need no
    call of a Python function each, and take half the time.

    Parameters
    ----------
    kind : type
        A dataclass with slots, and without ``__post_init__``.
    columns : sequence
        Values of each field, of equal lengths. Other fields get their defaults.
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
