"""Validation of gold spans that a user passes for one text."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import pairwise

from nbner._common.alignment import align, expand_to_tokens
from nbner._common.format import plural
from nbner.errors import DataError
from nbner.types import Example, Span

_MAX_LISTED = 8


def parse_gold_spans(
    example: Example, given: Iterable[Span | tuple[int, int, str]], labels: Collection[str]
) -> tuple[Span, ...]:
    """Parse gold spans for one text, and check them against tokens and labels.

    Parameters
    ----------
    example : Example
        The text, tokenized.
    given : iterable of Span or (start, end, label)
        Half-open offsets in code points.
    labels : collection of str
        The labels that the model knows.

    Returns
    -------
    tuple of Span
        Sorted by start.

    Raises
    ------
    DataError
        A value is not a span, does not align with the tokens, overlaps another
        span, or has a label that the model does not know.
    """
    spans = sorted((_span(one) for one in given), key=lambda span: (span.start, span.end))
    for span in spans:
        if span.label not in labels:
            raise DataError(
                f"the model does not know the label {span.label!r}",
                field="gold",
                remedy=f"Train it on examples of {span.label}, or leave that span out; it knows "
                f"{_format_labels(labels)}",
            )
    for span in align(example.tokens, spans).misaligned:
        raise _misaligned_error(example, span)
    for left, right in pairwise(spans):
        if right.start < left.end:
            raise DataError(
                f"{_format_span(example, left)} and {_format_span(example, right)} overlap",
                field="gold",
                remedy="Give spans that do not overlap",
            )
    return tuple(spans)


def _span(given: object) -> Span:
    match given:
        case Span():
            return given
        case (int(start), int(end), str(label)):
            return Span(start, end, label)
    raise DataError(
        f"{given!r} is not a span",
        field="gold",
        remedy='Give Span(start, end, label) or (start, end, label) in characters: (0, 3, "ORG")',
    )


def _misaligned_error(example: Example, span: Span) -> DataError:
    expanded = expand_to_tokens(example.tokens, span)
    if expanded is None:
        remedy = f"The text has {plural(len(example.text), 'character')}"
    else:
        words = example.text[expanded.start : expanded.end]
        offsets = f"({expanded.start}, {expanded.end}, {span.label!r})"
        remedy = f"The whole tokens are {words!r}: {offsets}"
    return DataError(
        f"{_format_span(example, span)} does not begin and end with a token",
        field="gold",
        remedy=remedy,
    )


def _format_span(example: Example, span: Span) -> str:
    return f"{example.text[max(0, span.start) : span.end]!r} ({span.start} to {span.end})"


def _format_labels(labels: Collection[str]) -> str:
    names = sorted(labels)
    more = f" and {len(names) - _MAX_LISTED} more" if len(names) > _MAX_LISTED else ""
    return ", ".join(names[:_MAX_LISTED]) + more
