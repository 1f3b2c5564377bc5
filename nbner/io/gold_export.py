"""What goes into a file that can hold gold and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from nbner._common.alignment import align
from nbner.errors import DataError
from nbner.types import Example, Token

Tokenize: TypeAlias = Callable[[str], tuple[Token, ...]]
ExportMisaligned: TypeAlias = Literal["refuse", "leave_out"]


@dataclass(frozen=True, slots=True)
class GoldExample:
    """One accepted example on its tokens.

    Parameters
    ----------
    example : Example
    tokens : tuple of Token
        The example's own, or the tokenizer's.
    entities : tuple of (int, int, str)
        Token indices, half-open, and the label.
    """

    example: Example
    tokens: tuple[Token, ...]
    entities: tuple[tuple[int, int, str], ...]


def accepted_gold(examples: Iterable[Example]) -> Iterator[Example]:
    """Yield what was accepted as the complete gold of its text."""
    return (one for one in examples if one.answer == "accept" and not one.binary)


def with_aligned_tokens(example: Example, tokenize: Tokenize) -> Example:
    """Give an example its tokens, unless a span contradicts them.

    A file whose spans are off its own tokens is one that nobody can read.
    """
    if example.tokens:
        return example
    tokens = tokenize(example.text)
    return example if align(tokens, example.spans).misaligned else replace(example, tokens=tokens)


class GoldFilter:
    """Picks the complete gold out of examples, and counts what it leaves out.

    Parameters
    ----------
    tokenize : callable, optional
        Text to tokens, for examples that came without.
    misaligned : {"refuse", "leave_out"}
        What to do about an example with a span that does not fit the tokens.

    Attributes
    ----------
    misaligned_count : int
        Examples left out because a span does not fit.
    """

    def __init__(self, tokenize: Tokenize | None, misaligned: ExportMisaligned) -> None:
        self._tokenize = tokenize
        self._misaligned = misaligned
        self.misaligned_count = 0

    def select(self, examples: Iterable[Example]) -> Iterator[GoldExample]:
        """Yield what was accepted as the complete gold of its text.

        Raises
        ------
        DataError
            There are no tokens, or a span does not fit them.
        """
        for example in accepted_gold(examples):
            tokens = example.tokens or self._tokens(example)
            fitted = align(tokens, example.spans)
            if fitted.misaligned and self._misaligned == "leave_out":
                self.misaligned_count += 1
                continue
            if fitted.misaligned:
                span = fitted.misaligned[0]
                raise DataError(
                    f"{example.text[span.start : span.end]!r} ({span.label}, {span.start} to "
                    f"{span.end}) does not begin and end with a token in {example.text[:60]!r}",
                    field="spans",
                    remedy='Write .jsonl, which needs no tokens, or use misaligned="leave_out"',
                )
            entities = tuple((start, end, span.label) for start, end, span in fitted.aligned)
            yield GoldExample(example, tokens, entities)

    def _tokens(self, example: Example) -> tuple[Token, ...]:
        if self._tokenize is None:
            raise DataError(
                f"there are no tokens for {example.text[:60]!r}",
                field="tokens",
                remedy="Give write() a tokenizer as tokenize=",
            )
        return self._tokenize(example.text)
