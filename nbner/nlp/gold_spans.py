"""Gold that is stated in a call: checked against the tokens and the labels that there are."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import pairwise

from nbner._common.alignment import align, expand_to_tokens
from nbner.errors import DataError
from nbner.types import Example, Span


def parse_gold_spans(
    example: Example, given: Iterable[Span | tuple[int, int, str]], known: Collection[str]
) -> tuple[Span, ...]:
    """Read gold for one text, or say what is wrong with it.

    Parameters
    ----------
    example : Example
        Tokenized.
    given : iterable of Span or (start, end, label)
        In code points.
    known : collection of str
        The labels that the model knows.

    Returns
    -------
    tuple of Span
        Sorted by start.

    Raises
    ------
    DataError
        A span is none, is off the tokens or overlaps another one, or its label
        is unknown to the model.
    """
    spans = sorted((_span(one) for one in given), key=lambda span: (span.start, span.end))
    for span in spans:
        if span.label not in known:
            raise DataError(
                f"the model does not know the label {span.label!r}",
                field="gold",
                remedy=f"Train it on examples of {span.label}, or leave that span out; it knows "
                f"{_listed(known)}",
            )
    for span in align(example.tokens, spans).misaligned:
        raise _off_tokens(example, span)
    for left, right in pairwise(spans):
        if right.start < left.end:
            raise DataError(
                f"{_shown(example, left)} and {_shown(example, right)} overlap",
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


def _off_tokens(example: Example, span: Span) -> DataError:
    whole = expand_to_tokens(example.tokens, span)
    if whole is None:
        remedy = f"The text has {len(example.text):,} characters"
    else:
        words = example.text[whole.start : whole.end]
        remedy = f"The whole tokens are {words!r}: ({whole.start}, {whole.end}, {span.label!r})"
    return DataError(
        f"{_shown(example, span)} does not begin and end with a token", field="gold", remedy=remedy
    )


def _shown(example: Example, span: Span) -> str:
    return f"{example.text[max(0, span.start) : span.end]!r} ({span.start} to {span.end})"


def _listed(labels: Collection[str]) -> str:
    names = sorted(labels)
    more = f" and {len(names) - 8} more" if len(names) > 8 else ""
    return ", ".join(names[:8]) + more
