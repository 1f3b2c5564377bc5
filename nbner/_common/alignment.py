"""Alignment of character spans with tokens: pure functions of plain values."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from nbner.errors import DataError
from nbner.types import Span, Token

# From a tuple: ``Token._make`` would cost a Python-level call for each of millions of tokens.
_token: Callable[[tuple[str, int, int, bool]], Token] = partial(tuple.__new__, Token)


@dataclass(frozen=True, slots=True)
class Alignment:
    """The spans of a text, split by whether they coincide with token boundaries.

    Parameters
    ----------
    aligned : tuple of (int, int, Span)
        Token indices, half-open, and the span that covers exactly these tokens.
    misaligned : tuple of Span
        Spans that begin or end inside a token or between two.
    """

    aligned: tuple[tuple[int, int, Span], ...] = ()
    misaligned: tuple[Span, ...] = ()


def tokens_from_offsets(text: str, offsets: Sequence[tuple[int, int]]) -> tuple[Token, ...]:
    """Build the tokens of a text from their offsets.

    Parameters
    ----------
    text : str
        The whole text.
    offsets : sequence of (int, int)
        Code points, half-open, in order, not overlapping.

    Returns
    -------
    tuple of Token
        ``ws`` is set where a space follows that is not itself part of a token.

    Raises
    ------
    DataError
        A token is empty, outside the text, out of order, or the tokens leave
        out characters that are not whitespace.
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
        if before < start:
            _check_only_whitespace(text, before, start)
        following = offsets[i + 1][0] if i < last else len(text)
        tokens.append(Token(text[start:end], start, end, ws=end < following and text[end] == " "))
        before = end
    _check_only_whitespace(text, before, len(text))
    return tuple(tokens)


def tokens_from_words(text: str, words: Iterable[str]) -> tuple[Token, ...]:
    """Build the tokens of a text by finding its words one after the other.

    Parameters
    ----------
    text : str
        The whole text.
    words : iterable of str
        All words of the text, in order; only whitespace may lie between them.

    Returns
    -------
    tuple of Token
        One token for each word.

    Raises
    ------
    DataError
        The words do not rebuild the text.
    """
    offsets = []
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
        offsets.append((start, position))
    return tokens_from_offsets(text, offsets)


def join_words(words: Sequence[str]) -> tuple[str, tuple[Token, ...]]:
    """Build a text and its tokens from words, with one space between them.

    Parameters
    ----------
    words : sequence of str
        The words in order.

    Returns
    -------
    text : str
        The joined words.
    tokens : tuple of Token
        One token for each word.
    """
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
    """Build the tokens of a text from parallel columns, without any check.

    Parameters
    ----------
    text : str
        The whole text.
    starts, ends : sequence of int
        Code points, half-open.
    spaces : iterable of bool
        Whether a space follows each token.

    Returns
    -------
    tuple of Token
        One token for each row of the columns.
    """
    words = [text[start:end] for start, end in zip(starts, ends, strict=True)]
    return tuple(map(_token, zip(words, starts, ends, spaces, strict=True)))


def char_to_token_range(tokens: Sequence[Token], start: int, end: int) -> tuple[int, int] | None:
    """Convert a character range to a token range.

    Parameters
    ----------
    tokens : sequence of Token
        All tokens of the text.
    start, end : int
        Code points, half-open.

    Returns
    -------
    (int, int) or None
        Token indices, half-open; None where ``start`` or ``end`` is no token
        boundary.
    """
    if start >= end:
        return None
    first = bisect_right(tokens, start, key=_start) - 1
    last = bisect_right(tokens, end - 1, key=_start) - 1
    if first < 0 or tokens[first].start != start or tokens[last].end != end:
        return None
    return first, last + 1


def align(tokens: Sequence[Token], spans: Iterable[Span]) -> Alignment:
    """Split spans into those on token boundaries and the others.

    Parameters
    ----------
    tokens : sequence of Token
        All tokens of the text.
    spans : iterable of Span
        In any order; they may overlap.

    Returns
    -------
    Alignment
        Both parts keep the order of the spans.
    """
    aligned = []
    misaligned = []
    starts = [token.start for token in tokens]
    for span in spans:
        # As in char_to_token_range, with one list of starts for all spans.
        start, end = span.start, span.end
        first, last = bisect_right(starts, start) - 1, bisect_right(starts, end - 1) - 1
        if 0 <= first <= last and starts[first] == start and tokens[last].end == end:
            aligned.append((first, last + 1, span))
        else:
            misaligned.append(span)
    return Alignment(tuple(aligned), tuple(misaligned))


def expand_to_tokens(tokens: Sequence[Token], span: Span) -> Span | None:
    """Expand a span to the boundaries of all tokens that it touches.

    Parameters
    ----------
    tokens : sequence of Token
        All tokens of the text.
    span : Span
        Any span of the text.

    Returns
    -------
    Span or None
        None where the span touches no token.
    """
    touched = [token for token in tokens if token.start < span.end and span.start < token.end]
    return replace(span, start=touched[0].start, end=touched[-1].end) if touched else None


def contract_to_tokens(tokens: Sequence[Token], span: Span) -> Span | None:
    """Contract a span to the boundaries of the tokens that lie completely inside it.

    Parameters
    ----------
    tokens : sequence of Token
        All tokens of the text.
    span : Span
        Any span of the text.

    Returns
    -------
    Span or None
        None where no token lies completely inside the span.
    """
    inside = [token for token in tokens if span.start <= token.start and token.end <= span.end]
    return replace(span, start=inside[0].start, end=inside[-1].end) if inside else None


def trim_whitespace(text: str, span: Span) -> Span | None:
    """Trim the whitespace from both ends of a span.

    Parameters
    ----------
    text : str
        The text that the span is of.
    span : Span
        Any span of the text.

    Returns
    -------
    Span or None
        None where the span is nothing but whitespace.
    """
    inside = text[span.start : span.end]
    start = span.start + len(inside) - len(inside.lstrip())
    end = span.end - len(inside) + len(inside.rstrip())
    return replace(span, start=start, end=end) if start < end else None


def has_whitespace_ends(text: str, span: Span) -> bool:
    """Return whether a span begins or ends with whitespace, which spaCy's recognizer cannot learn.

    Parameters
    ----------
    text : str
        The text that the span is of.
    span : Span
        Any span of the text.
    """
    return text[span.start].isspace() or text[span.end - 1].isspace()


def filter_spans(spans: Iterable[Span]) -> tuple[tuple[Span, ...], tuple[Span, ...]]:
    """Select spans that do not overlap: the longest first, then the earliest.

    The same preference as in ``spacy.util.filter_spans``. Of two spans with the
    same offsets the first in ``spans`` is kept.

    Parameters
    ----------
    spans : iterable of Span
        In any order; they may overlap.

    Returns
    -------
    kept : tuple of Span
        Spans without overlap, sorted by start.
    overlapping : tuple of Span
        All others, sorted by start.
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
    """Split a text into its tokens and the gap after each of them.

    Parameters
    ----------
    text : str
        The whole text.
    tokens : sequence of Token
        Its tokens.

    Returns
    -------
    lead : str
        The characters before the first token; the whole text if there is none.
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


def _check_only_whitespace(text: str, start: int, end: int) -> None:
    left_out = text[start:end].strip()
    if left_out:
        raise DataError(
            f"the tokens leave out {left_out[:20]!r} at {start}",
            remedy="Tokens cover all of a text but its whitespace",
        )
