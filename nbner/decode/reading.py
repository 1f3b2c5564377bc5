"""From the rows of a search to values that people hold: spans in code points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nbner.decode.arrays import Floats, Ints, SmallInts
from nbner.types import Parse, Span

if TYPE_CHECKING:
    from spacy.tokens import Doc

OUTSIDE = "O"


@dataclass(frozen=True, slots=True)
class Places:
    """Where the tokens of a text stand.

    Parameters
    ----------
    starts, ends : array of int, shape (tokens,)
        Code points, half-open.
    """

    starts: Ints
    ends: Ints

    @classmethod
    def of(cls, doc: Doc) -> Places:
        """Read them off a doc."""
        index, length = doc.to_array(["IDX", "LENGTH"]).reshape(len(doc), 2).T.astype(np.intp)
        return cls(index, index + length)

    def __len__(self) -> int:
        return len(self.starts)

    def tokens_of(self, span: Span) -> tuple[int, int] | None:
        """Give the tokens that a span lies exactly on, half-open; None where it does not."""
        start = int(np.searchsorted(self.starts, span.start))
        end = int(np.searchsorted(self.ends, span.end))
        if end >= len(self.ends) or not start <= end:
            return None
        exact = self.starts[start] == span.start and self.ends[end] == span.end
        return (start, end + 1) if exact else None

    def touched(self, start: int, end: int) -> tuple[int, int]:
        """Give the tokens that share a character with a stretch, half-open."""
        first = int(np.searchsorted(self.ends, start, side="right"))
        return first, int(np.searchsorted(self.starts, end))


def parses_of(
    scores: Floats,
    segments: SmallInts,
    places: Places,
    labels: Sequence[str],
    *,
    width: int,
    log_total: float = 0.0,
    forced: Sequence[Span] = (),
) -> tuple[Parse, ...]:
    """Write one doc's list as analyses.

    Parameters
    ----------
    scores : array, shape (k,)
        -inf where there is no such analysis.
    segments : array of int, shape (k, positions)
        As `kbest.Lists` has them.
    places : Places
    labels : sequence of str
    width : int
        Of the weights that were searched.
    log_total : float
        What a score is taken off to be a log-probability.
    forced : sequence of Span
        In every analysis, where the segments do not hold them.
    """
    scores = scores[scores > -np.inf]
    kinds = len(labels) + 1
    segments = segments[: len(scores)]
    row, end = np.nonzero((segments >= 0) & (segments % kinds != kinds - 1))
    segment = segments[row, end]
    # Spans are shared among the analyses: most of them come again and again.
    keys, which = np.unique(end * np.intp(width * kinds) + segment, return_inverse=True)
    known = _spans(keys, places, labels, width)
    spans = [known[i] for i in which.tolist()]
    ends = np.cumsum(np.bincount(row, minlength=len(scores))).tolist()
    probabilities = np.exp(scores - log_total).tolist()
    held = [tuple(spans[start:stop]) for start, stop in zip([0, *ends], ends, strict=False)]
    if forced:
        held = [tuple(sorted((*one, *forced), key=lambda span: span.start)) for one in held]
    return tuple(map(Parse, probabilities, scores.tolist(), held))


def _spans(keys: Ints, places: Places, labels: Sequence[str], width: int) -> list[Span]:
    kinds = len(labels) + 1
    end, segment = np.divmod(keys, width * kinds)
    a, label = np.divmod(segment, kinds)
    starts = places.starts[end - width + 1 + a].tolist()
    names = [labels[i] for i in label.tolist()]
    return list(map(Span, starts, places.ends[end].tolist(), names))
