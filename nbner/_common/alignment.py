"""Spans of code points and the tokens they lie on: pure functions of plain values."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from nbner.errors import DataError
from nbner.types import Span, Token

# From a tuple: as ``Token._make``, which is a call of Python's for each of millions.
_token: Callable[[tuple[str, int, int, bool]], Token] = partial(tuple.__new__, Token)


@dataclass(frozen=True, slots=True)
class Alignment:
    """Spans sorted by whether they fit a text's tokens; none is lost.

    Parameters
    ----------
    aligned : tuple of (int, int, Span)
        Token indices, half-open, and the span that lies exactly on them.
    misaligned : tuple of Span
        Spans that begin or end inside a token or between two.
    """

    aligned: tuple[tuple[int, int, Span], ...] = ()
    misaligned: tuple[Span, ...] = ()


def tokens_from_offsets(text: str, offsets: Sequence[tuple[int, int]]) -> tuple[Token, ...]:
    """Make tokens from their places in a text.

    Parameters
    ----------
    text : str
    offsets : sequence of (int, int)
        Code points, half-open, in order, not overlapping.

    Returns
    -------
    tuple of Token
        Each knows whether a space follows that is not itself part of a token.

    Raises
    ------
    DataError
        A place is empty, outside the text, out of order, or leaves out
        characters that are not whitespace.
    """
    tokens = []
    last = len(offsets) - 1
    before = 0
    for i, (start, end) in enumerate(offsets):
        if not before <= start < end <= len(text):
            raise DataError(
                f"token {i} ({start} to {end}) is empty, outside the text, or not after the last",
                remedy="Tokens go from left to right, in code points, without overlap",
            )
        _refuse_left_out(text, before, start)
        following = offsets[i + 1][0] if i < last else len(text)
        tokens.append(Token(text[start:end], start, end, ws=end < following and text[end] == " "))
        before = end
    _refuse_left_out(text, before, len(text))
    return tuple(tokens)


def tokens_from_words(text: str, words: Iterable[str]) -> tuple[Token, ...]:
    """Find words in a text, one after the other.

    Parameters
    ----------
    text : str
    words : iterable of str
        All of the text's words, in order; only whitespace may lie between.

    Returns
    -------
    tuple of Token

    Raises
    ------
    DataError
        The words do not rebuild the text.
    """
    places = []
    position = 0
    for i, word in enumerate(words):
        start = position
        while not text.startswith(word, start) and text[start : start + 1].isspace():
            start += 1
        if not word or not text.startswith(word, start):
            raise DataError(
                f"word {i} ({word!r}) is not at {text[start : start + 20]!r} in the text",
                remedy="Words must rebuild their text, with nothing but whitespace between",
            )
        position = start + len(word)
        places.append((start, position))
    return tokens_from_offsets(text, places)


def join_words(words: Sequence[str]) -> tuple[str, tuple[Token, ...]]:
    """Write words with one space between, and say where each of them stands."""
    tokens = []
    position = 0
    for i, word in enumerate(words):
        end = position + len(word)
        tokens.append(Token(word, position, end, ws=i + 1 < len(words)))
        position = end + 1
    return " ".join(words), tuple(tokens)


def tokens_from_columns(
    text: str, starts: Sequence[int], ends: Sequence[int], spaces: Iterable[bool]
) -> tuple[Token, ...]:
    """Make tokens of a text from where they begin and end, and whether a space follows."""
    words = [text[start:end] for start, end in zip(starts, ends, strict=True)]
    return tuple(map(_token, zip(words, starts, ends, spaces, strict=True)))


def char_to_token_range(tokens: Sequence[Token], start: int, end: int) -> tuple[int, int] | None:
    """Give the half-open token indices of a stretch of code points.

    Returns
    -------
    (int, int) or None
        None where ``start`` and ``end`` are not where tokens begin and end.
    """
    if start >= end:
        return None
    first = bisect_right(tokens, start, key=_start) - 1
    last = bisect_right(tokens, end - 1, key=_start) - 1
    if first < 0 or tokens[first].start != start or tokens[last].end != end:
        return None
    return first, last + 1


def align(tokens: Sequence[Token], spans: Iterable[Span]) -> Alignment:
    """Sort spans into those that fit the tokens and those that do not."""
    fits = []
    loose = []
    starts = [token.start for token in tokens]
    for span in spans:
        start, end = span.start, span.end
        first, last = bisect_right(starts, start) - 1, bisect_right(starts, end - 1) - 1
        if 0 <= first <= last and starts[first] == start and tokens[last].end == end:
            fits.append((first, last + 1, span))
        else:
            loose.append(span)
    return Alignment(tuple(fits), tuple(loose))


def expand_to_tokens(tokens: Sequence[Token], span: Span) -> Span | None:
    """Give a span the ends of the tokens that it touches; None where it touches none."""
    touched = [token for token in tokens if token.start < span.end and span.start < token.end]
    return replace(span, start=touched[0].start, end=touched[-1].end) if touched else None


def contract_to_tokens(tokens: Sequence[Token], span: Span) -> Span | None:
    """Give a span the ends of the tokens that lie in it as a whole; None where none does."""
    inside = [token for token in tokens if span.start <= token.start and token.end <= span.end]
    return replace(span, start=inside[0].start, end=inside[-1].end) if inside else None


def filter_spans(spans: Iterable[Span]) -> tuple[tuple[Span, ...], tuple[Span, ...]]:
    """Choose spans that do not overlap: the longest first, then the earliest.

    Returns
    -------
    kept, overlapping : tuple of Span
        Both sorted by start. Of two spans over the same stretch the one that
        was given first is kept.
    """
    kept: list[Span] = []
    overlapping: list[Span] = []
    for span in sorted(spans, key=lambda span: (span.start - span.end, span.start)):
        at = bisect_right(kept, span.start, key=_start)
        clear_left = at == 0 or kept[at - 1].end <= span.start
        clear_right = at == len(kept) or span.end <= kept[at].start
        if clear_left and clear_right:
            kept.insert(at, span)
        else:
            overlapping.append(span)
    return tuple(kept), tuple(sorted(overlapping, key=_start))


def words_and_gaps(text: str, tokens: Sequence[Token]) -> tuple[str, list[tuple[str, str]]]:
    """Cut a text into its tokens and what follows each of them.

    Returns
    -------
    lead : str
        What stands before the first token; the whole text if there is none.
    words : list of (str, str)
        A token's text and the gap after it. All strings joined are the text.
    """
    starts = [token.start for token in tokens] + [len(text)]
    words = [
        (text[token.start : token.end], text[token.end : following])
        for token, following in zip(tokens, starts[1:], strict=True)
    ]
    return text[: starts[0]], words


def _start(part: Token | Span) -> int:
    return part.start


def _refuse_left_out(text: str, start: int, end: int) -> None:
    left_out = text[start:end].strip()
    if left_out:
        raise DataError(
            f"the tokens leave out {left_out[:20]!r} at {start}",
            remedy="Tokens cover all of a text but its whitespace",
        )
