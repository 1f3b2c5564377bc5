"""Where some words stand again, as whole tokens: pure functions of plain values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

from nbner.types import Span, Token

BulkAction: TypeAlias = Literal["label", "unlabel"]

#: Characters that are shown to either side.
CONTEXT_CHARACTERS = 60


def find_occurrences(
    tokens: Sequence[Token], words: Sequence[str], *, case_sensitive: bool = True
) -> list[tuple[int, int]]:
    """Find every place where words follow each other as whole tokens.

    Parameters
    ----------
    tokens : sequence of Token
    words : sequence of str
        Without tokens of white space, which are passed over in the text too.
    case_sensitive : bool
        Whether the case has to be the same.

    Returns
    -------
    list of (int, int)
        Token indices, half-open, from left to right; none overlaps another.
    """
    folded = [token.text if case_sensitive else token.text.lower() for token in tokens]
    wanted = [word if case_sensitive else word.lower() for word in words]
    found: list[tuple[int, int]] = []
    for start, word in enumerate(folded):
        free = not found or found[-1][1] <= start
        if wanted and word == wanted[0] and free:
            end = _end(folded, start, wanted)
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
    """Say why a place is to be left as it is.

    Parameters
    ----------
    tokens : sequence of Token
    spans : sequence of Span
    token_range : (int, int)
        Token indices, half-open.
    label : str
    action : {"label", "unlabel"}
    replace_labels : bool
        Whether another label of just these words may change.

    Returns
    -------
    str or None
        For people; empty where it can be changed, None where there is nothing
        to change.
    """
    start, end = tokens[token_range[0]].start, tokens[token_range[1] - 1].end
    there = [span for span in spans if span.start < end and start < span.end]
    is_same = Span(start, end, label) in there
    if action == "unlabel":
        return "" if is_same else None
    if is_same:
        return None
    if replace_labels:
        there = [span for span in there if (span.start, span.end) != (start, end)]
    return f"holds {', '.join(span.label for span in there)}" if there else ""


def apply_bulk_action(
    spans: Sequence[Span], span: Span, action: BulkAction, *, replace_labels: bool = False
) -> tuple[Span, ...] | None:
    """Put a span among others, or take it out; None where that cannot be.

    What stands there already is never overwritten, but for another label of
    just these words where ``replace_labels`` says so.
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


def excerpt(text: str, start: int, end: int) -> dict[str, str]:
    """Cut a stretch of code points out of its text, with what stands around it."""
    left, right = max(0, start - CONTEXT_CHARACTERS), end + CONTEXT_CHARACTERS
    return {"left": text[left:start], "hit": text[start:end], "right": text[end:right]}


def _end(folded: Sequence[str], start: int, wanted: Sequence[str]) -> int | None:
    at = start
    for word in wanted:
        while start < at < len(folded) and folded[at].isspace():
            at += 1
        if at >= len(folded) or folded[at] != word:
            return None
        at += 1
    return at


def batch_answer_id(batch_id: str, key: object) -> str:
    """Return the id of one of several answers that a bulk action gives, and can undo, together.

    Parameters
    ----------
    batch_id : str
        Id of the batch.
    key : object
        What identifies the answer in its batch, such as the input hash.
    """
    return f"{batch_id}:{key}"
