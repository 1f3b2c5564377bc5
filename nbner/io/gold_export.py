"""Selection of gold examples for formats that can hold gold and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from nbner._common.alignment import align
from nbner.errors import DataError
from nbner.types import Example, Token, TokenizeFn

ExportMisaligned: TypeAlias = Literal["refuse", "leave_out"]


@dataclass(frozen=True, slots=True)
class GoldExample:
    """One accepted example with its entities as token indices.

    Parameters
    ----------
    example : Example
        The accepted example.
    tokens : tuple of Token
        The example's own tokens, or the tokenizer's.
    entities : tuple of (int, int, str)
        Token indices, half-open, and the label.
    """

    example: Example
    tokens: tuple[Token, ...]
    entities: tuple[tuple[int, int, str], ...]


def accepted_gold(examples: Iterable[Example]) -> Iterator[Example]:
    """Yield the examples that were accepted as complete gold.

    Parameters
    ----------
    examples : iterable of Example
        Consumed one by one; accepted answers to binary tasks are skipped too.
    """
    return (one for one in examples if one.answer == "accept" and not one.binary)


def with_aligned_tokens(example: Example, tokenize: TokenizeFn) -> Example:
    """Add tokens to an example that has none, unless one of its spans is misaligned.

    A file in which spans contradict the tokens could not be read again.

    Parameters
    ----------
    example : Example
        Returned unchanged where it has tokens.
    tokenize : callable
        From a text to its tokens.
    """
    if example.tokens:
        return example
    tokens = tokenize(example.text)
    if align(tokens, example.spans).misaligned:
        return example
    return replace(example, tokens=tokens)


class GoldFilter:
    """Selects complete gold from examples and counts the misaligned ones that it leaves out.

    Parameters
    ----------
    tokenize : callable, optional
        From a text to its tokens, for examples without tokens.
    misaligned : {"refuse", "leave_out"}
        How to treat an example with a span off the token boundaries: raise, or
        skip it.

    Attributes
    ----------
    misaligned_count : int
        Examples left out because of a misaligned span.
    """

    def __init__(self, tokenize: TokenizeFn | None, misaligned: ExportMisaligned) -> None:
        self._tokenize = tokenize
        self._misaligned = misaligned
        self.misaligned_count = 0

    def select(self, examples: Iterable[Example]) -> Iterator[GoldExample]:
        """Yield the examples that were accepted as complete gold, on their tokens.

        Parameters
        ----------
        examples : iterable of Example
            Consumed one by one.

        Raises
        ------
        DataError
            There are no tokens, or a span is misaligned.
        """
        for example in accepted_gold(examples):
            tokens = example.tokens or self._tokens(example)
            found = align(tokens, example.spans)
            if found.misaligned and self._misaligned == "leave_out":
                self.misaligned_count += 1
                continue
            if found.misaligned:
                span = found.misaligned[0]
                raise DataError(
                    f"{example.text[span.start : span.end]!r} ({span.label}, {span.start} to "
                    f"{span.end}) does not begin and end with a token in {example.text[:60]!r}",
                    field="spans",
                    remedy='Write .jsonl, which needs no tokens, or use misaligned="leave_out"',
                )
            entities = tuple((start, end, span.label) for start, end, span in found.aligned)
            yield GoldExample(example, tokens, entities)

    def _tokens(self, example: Example) -> tuple[Token, ...]:
        if self._tokenize is None:
            raise DataError(
                f"there are no tokens for {example.text[:60]!r}",
                field="tokens",
                remedy="Give write() a tokenizer as tokenize=",
            )
        return self._tokenize(example.text)
