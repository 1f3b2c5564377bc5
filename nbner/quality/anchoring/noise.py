"""Annotation errors put into spans on purpose, to measure how many are found or followed.

All random choices come from a generator of the caller.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal, TypeAlias

from nbner._common.alignment import char_to_token_range
from nbner.errors import DataError
from nbner.types import Span, Token

SpanErrorKind: TypeAlias = Literal["other_label", "other_borders", "missed", "spurious"]
SPAN_ERROR_KINDS: tuple[SpanErrorKind, ...] = (
    "other_label",
    "other_borders",
    "missed",
    "spurious",
)


@dataclass(frozen=True, slots=True)
class SpanError:
    """One error that was put into spans.

    Parameters
    ----------
    kind : {"other_label", "other_borders", "missed", "spurious"}
        Kind of the error.
    before : Span, optional
        The span without the error; None where one was added.
    after : Span, optional
        The span with the error; None where one was removed.
    """

    kind: SpanErrorKind
    before: Span | None
    after: Span | None


def check_fraction(fraction: float, name: str) -> None:
    """Raise an error for a value that is not a number from 0 to 1.

    Parameters
    ----------
    fraction : float
        The value.
    name : str
        Name of the parameter, for the message.

    Raises
    ------
    DataError
        The value is not a number from 0 to 1.
    """
    is_number = isinstance(fraction, (int, float)) and not isinstance(fraction, bool)
    if not is_number or not 0 <= fraction <= 1:
        raise DataError(
            f"{name}={fraction!r} is not a share",
            field=name,
            remedy=f"Give a number from 0 to 1, such as {name}=0.05",
        )


def corrupt_spans(
    spans: Sequence[Span],
    tokens: Sequence[Token],
    labels: Sequence[str],
    fraction: float,
    random: Random,
    *,
    kinds: Sequence[SpanErrorKind] = SPAN_ERROR_KINDS,
) -> tuple[tuple[Span, ...], tuple[SpanError, ...]]:
    """Put an error at a fraction of the spans, each kind equally often.

    Parameters
    ----------
    spans : sequence of Span
        Spans of one text, not overlapping.
    tokens : sequence of Token
        Tokens of the text.
    labels : sequence of str
        Labels that a wrong one is drawn from.
    fraction : float
        Probability of each span to get an error, from 0 to 1.
    random : random.Random
        Source of all random choices.
    kinds : sequence of str
        "other_label" and "other_borders" (one end by one token) change the
        span, "missed" removes it, "spurious" keeps it and adds another of one
        token. A kind that is not possible at some span is replaced by another.

    Returns
    -------
    spans : tuple of Span
        Sorted, not overlapping.
    changes : tuple of SpanError
        The errors, in the order of the spans.
    """
    current = list(spans)
    changes: list[SpanError] = []
    for span in spans:
        if random.random() >= fraction:
            continue
        for kind in random.sample(list(kinds), len(kinds)):
            change = _MAKERS[kind](span, current, tokens, labels, random)
            if change is not None:
                current = [one for one in current if one != change.before]
                current += [] if change.after is None else [change.after]
                changes.append(change)
                break
    return tuple(sorted(current, key=lambda one: one.start)), tuple(changes)


def _other_label(
    span: Span,
    _current: list[Span],
    _tokens: Sequence[Token],
    labels: Sequence[str],
    random: Random,
) -> SpanError | None:
    others = [label for label in labels if label != span.label]
    if not others:
        return None
    return SpanError("other_label", span, Span(span.start, span.end, random.choice(others)))


def _other_borders(
    span: Span,
    current: list[Span],
    tokens: Sequence[Token],
    _labels: Sequence[str],
    random: Random,
) -> SpanError | None:
    place = char_to_token_range(tokens, span.start, span.end)
    if place is None:
        return None
    start, end = place
    moved = [(start - 1, end), (start + 1, end), (start, end - 1), (start, end + 1)]
    others = [one for one in current if one != span]
    possible = [
        Span(tokens[a].start, tokens[b - 1].end, span.label)
        for a, b in moved
        if _is_valid_range(tokens, a, b) and _is_free(tokens[a].start, tokens[b - 1].end, others)
    ]
    return SpanError("other_borders", span, random.choice(possible)) if possible else None


def _missed(
    span: Span,
    _current: list[Span],
    _tokens: Sequence[Token],
    _labels: Sequence[str],
    _random: Random,
) -> SpanError | None:
    return SpanError("missed", span, None)


def _spurious(
    _span: Span,
    current: list[Span],
    tokens: Sequence[Token],
    labels: Sequence[str],
    random: Random,
) -> SpanError | None:
    words = [
        one for one in tokens if one.text[:1].isalnum() and _is_free(one.start, one.end, current)
    ]
    if not words:
        return None
    word = random.choice(words)
    return SpanError("spurious", None, Span(word.start, word.end, random.choice(list(labels))))


_ErrorMaker: TypeAlias = Callable[
    [Span, list[Span], Sequence[Token], Sequence[str], Random], "SpanError | None"
]
_MAKERS: dict[SpanErrorKind, _ErrorMaker] = {
    "other_label": _other_label,
    "other_borders": _other_borders,
    "missed": _missed,
    "spurious": _spurious,
}


def _is_valid_range(tokens: Sequence[Token], start: int, end: int) -> bool:
    """Test whether tokens lie in the text, and neither the first nor the last is whitespace."""
    if not 0 <= start < end <= len(tokens):
        return False
    return not (tokens[start].text.isspace() or tokens[end - 1].text.isspace())


def _is_free(start: int, end: int, spans: Sequence[Span]) -> bool:
    return all(span.end <= start or end <= span.start for span in spans)
