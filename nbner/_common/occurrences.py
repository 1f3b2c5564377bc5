"""Occurrences of the same words in other examples, and bulk changes of their labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

from nbner.types import Span, Token

BulkAction: TypeAlias = Literal["label", "unlabel"]

# Length of the context shown on either side of an occurrence.
_CONTEXT_CHARACTERS = 60


def find_occurrences(
    tokens: Sequence[Token], words: Sequence[str], *, case_sensitive: bool = True
) -> list[tuple[int, int]]:
    """Find every place where words follow each other as whole tokens.

    Parameters
    ----------
    tokens : sequence of Token
        The tokens of the searched text.
    words : sequence of str
        Without whitespace tokens, which are skipped in the text too.
    case_sensitive : bool
        Whether the case must be the same.

    Returns
    -------
    list of (int, int)
        Token indices, half-open, from left to right, without overlap.
    """
    folded = [token.text if case_sensitive else token.text.lower() for token in tokens]
    wanted = [word if case_sensitive else word.lower() for word in words]
    found: list[tuple[int, int]] = []
    for start, word in enumerate(folded):
        is_free = not found or found[-1][1] <= start
        if wanted and word == wanted[0] and is_free:
            end = _match_end(folded, start, wanted)
            found += [] if end is None else [(start, end)]
    return found


def conflict_at(
    tokens: Sequence[Token],
    spans: Sequence[Span],
    token_range: tuple[int, int],
    label: str,
    action: BulkAction,
    *,
    replace_labels: bool = False,
) -> str | None:
    """Describe why an occurrence cannot be changed.

    Parameters
    ----------
    tokens : sequence of Token
        The tokens of the text.
    spans : sequence of Span
        The spans of the text.
    token_range : (int, int)
        Token indices of the occurrence, half-open.
    label : str
        The label to set or to remove.
    action : {"label", "unlabel"}
        Whether the label is set or removed.
    replace_labels : bool
        Whether another label of exactly these tokens may be replaced.

    Returns
    -------
    str or None
        A message for people; empty where the change is possible, None where
        there is nothing to change.
    """
    start, end = tokens[token_range[0]].start, tokens[token_range[1] - 1].end
    touching = [span for span in spans if span.start < end and start < span.end]
    is_same = Span(start, end, label) in touching
    if action == "unlabel":
        return "" if is_same else None
    if is_same:
        return None
    if replace_labels:
        touching = [span for span in touching if (span.start, span.end) != (start, end)]
    return f"holds {', '.join(span.label for span in touching)}" if touching else ""


def apply_bulk_action(
    spans: Sequence[Span], span: Span, action: BulkAction, *, replace_labels: bool = False
) -> tuple[Span, ...] | None:
    """Add a span to the spans of a text, or remove it.

    Parameters
    ----------
    spans : sequence of Span
        The spans of the text.
    span : Span
        The span to add or to remove.
    action : {"label", "unlabel"}
        Whether the span is added or removed.
    replace_labels : bool
        Whether another label with exactly these offsets is replaced. Any other
        overlapping span stays and prevents the change.

    Returns
    -------
    tuple of Span, or None
        The new spans, sorted by start; None where the change is impossible.
    """
    if span in spans:
        return tuple(one for one in spans if one != span) if action == "unlabel" else None
    if action == "unlabel":
        return None
    if replace_labels:
        spans = [one for one in spans if (one.start, one.end) != (span.start, span.end)]
    if any(one.start < span.end and span.start < one.end for one in spans):
        return None
    return tuple(sorted((*spans, span), key=lambda one: one.start))


def excerpt(text: str, start: int, end: int) -> tuple[str, str, str]:
    """Cut a range out of a text, with some context on either side.

    Parameters
    ----------
    text : str
        The whole text.
    start, end : int
        Code points, half-open.

    Returns
    -------
    tuple of str
        The context before the range, the range, and the context after it.
    """
    left, right = max(0, start - _CONTEXT_CHARACTERS), end + _CONTEXT_CHARACTERS
    return text[left:start], text[start:end], text[end:right]


def _match_end(folded: Sequence[str], start: int, wanted: Sequence[str]) -> int | None:
    at = start
    for word in wanted:
        while start < at < len(folded) and folded[at].isspace():
            at += 1
        if at >= len(folded) or folded[at] != word:
            return None
        at += 1
    return at
