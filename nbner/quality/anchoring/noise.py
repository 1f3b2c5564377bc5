"""Errors put into spans on purpose: to measure who finds them, and who follows them.

Pure functions of plain values; whatever is random comes from the caller.
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
    """One error.

    Parameters
    ----------
    kind : {"other_label", "other_borders", "missed", "spurious"}
    before : Span, optional
        None where a span was invented.
    after : Span, optional
        None where a span was left out.
    """

    kind: SpanErrorKind
    before: Span | None
    after: Span | None


def check_fraction(fraction: float, name: str) -> None:
    """Refuse what is not a share.

    Raises
    ------
    DataError
        It is no number from 0 to 1.
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
    """Put an error at a share of the spans, each kind as often as the others.

    Parameters
    ----------
    spans : sequence of Span
        Not overlapping.
    tokens : sequence of Token
    labels : sequence of str
        Those that a wrong label is drawn from.
    fraction : float
        Chance of each span to get an error, from 0 to 1.
    random : random.Random
    kinds : sequence of str
        "other_label" and "other_borders" (one end by one token) change the
        span, "missed" takes it away, "spurious" keeps it and adds another of
        one token. A kind that cannot be at some span gives way to another one.

    Returns
    -------
    spans : tuple of Span
        Sorted, not overlapping.
    changes : tuple of SpanError
    """
    now = list(spans)
    changes: list[SpanError] = []
    for span in spans:
        if random.random() >= fraction:
            continue
        for fault in random.sample(list(kinds), len(kinds)):
            change = _MAKE[fault](span, now, tokens, labels, random)
            if change is not None:
                now = [one for one in now if one != change.before]
                now += [] if change.after is None else [change.after]
                changes.append(change)
                break
    return tuple(sorted(now, key=lambda one: one.start)), tuple(changes)


def _other_label(
    span: Span, _now: list[Span], _tokens: Sequence[Token], labels: Sequence[str], random: Random
) -> SpanError | None:
    others = [label for label in labels if label != span.label]
    if not others:
        return None
    return SpanError("other_label", span, Span(span.start, span.end, random.choice(others)))


def _other_borders(
    span: Span, now: list[Span], tokens: Sequence[Token], _labels: Sequence[str], random: Random
) -> SpanError | None:
    place = char_to_token_range(tokens, span.start, span.end)
    if place is None:
        return None
    start, end = place
    moved = [(start - 1, end), (start + 1, end), (start, end - 1), (start, end + 1)]
    others = [one for one in now if one != span]
    fitting = [
        Span(tokens[a].start, tokens[b - 1].end, span.label)
        for a, b in moved
        if _stands(tokens, a, b) and _is_free(tokens[a].start, tokens[b - 1].end, others)
    ]
    return SpanError("other_borders", span, random.choice(fitting)) if fitting else None


def _left_out(
    span: Span, _now: list[Span], _tokens: Sequence[Token], _labels: Sequence[str], _random: Random
) -> SpanError | None:
    return SpanError("missed", span, None)


def _invented(
    _span: Span, now: list[Span], tokens: Sequence[Token], labels: Sequence[str], random: Random
) -> SpanError | None:
    words = [one for one in tokens if one.text[:1].isalnum() and _is_free(one.start, one.end, now)]
    if not words:
        return None
    word = random.choice(words)
    return SpanError("spurious", None, Span(word.start, word.end, random.choice(list(labels))))


_Make: TypeAlias = Callable[
    [Span, list[Span], Sequence[Token], Sequence[str], Random], "SpanError | None"
]
_MAKE: dict[SpanErrorKind, _Make] = {
    "other_label": _other_label,
    "other_borders": _other_borders,
    "missed": _left_out,
    "spurious": _invented,
}


def _stands(tokens: Sequence[Token], start: int, end: int) -> bool:
    """Whether a stretch lies in the text and does not begin or end with white space."""
    if not 0 <= start < end <= len(tokens):
        return False
    return not (tokens[start].text.isspace() or tokens[end - 1].text.isspace())


def _is_free(start: int, end: int, spans: Sequence[Span]) -> bool:
    return all(span.end <= start or end <= span.start for span in spans)
