"""Placement of words in a text: where a string that a tool returned stands in the text.

Tools that write text (language models above all) return the words of an entity
and no offsets, or wrong ones. Three comparisons are tried in this order, and
the first that finds anything decides:

``"exact"``
    The same characters.
``"folded"``
    The same after case folding, removal of whitespace and decomposition of
    composed characters (Unicode NFKD).
``"fuzzy"``
    The most similar sequence of tokens, if its similarity is at least
    `MIN_SIMILARITY`: twice the number of matching characters divided by the
    number of all, over the folded strings (Ratcliff and Metzener 1988, as
    `difflib` computes it).

Pure functions of plain values.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal, TypeAlias

from nbner.types import Token

Match: TypeAlias = Literal["exact", "folded", "fuzzy"]

#: Least similarity at which words are placed although they differ.
MIN_SIMILARITY = 0.85

#: Folded characters below which words are never placed by similarity.
MIN_FUZZY_LENGTH = 4

# Tokens by which a similar sequence may be longer or shorter than the words.
_SLACK = 2

_WORD = re.compile(r"\w+|[^\w\s]")


@dataclass(frozen=True, slots=True)
class Placement:
    """One place of some words in a text.

    Parameters
    ----------
    start, end : int
        Code points, half-open.
    match : {"exact", "folded", "fuzzy"}
        The comparison that found it.
    similarity : float
        1.0 unless ``match`` is "fuzzy".
    on_tokens : bool
        Whether it begins and ends with a token. No place does where the words
        stand inside of tokens only.
    """

    start: int
    end: int
    match: Match
    similarity: float = 1.0
    on_tokens: bool = True


class TextPlacer:
    """Finds words in one text.

    Parameters
    ----------
    text : str
        The text.
    tokens : sequence of Token
        Its tokens; spans begin and end with one.
    """

    def __init__(self, text: str, tokens: Sequence[Token]) -> None:
        self._text = text
        self._tokens = [one for one in tokens if not one.text.isspace()]
        self._starts = {one.start for one in self._tokens}
        self._ends = {one.end for one in self._tokens}
        self._folded_text: tuple[str, list[int]] | None = None
        self._folded_tokens: list[str] | None = None

    def find(self, words: str) -> list[Placement]:
        """Find every place of some words.

        Parameters
        ----------
        words : str
            Whitespace at both ends does not count.

        Returns
        -------
        list of Placement
            From left to right, without overlap; all by the same comparison. By
            similarity the best place alone, of equal ones the first. Places
            inside of tokens are returned where there is no other. Empty where
            the words are not in the text.
        """
        sought = words.strip()
        if not sought:
            return []
        inside: list[Placement] = []
        for found in (self._exact(sought), self._folded_places(sought)):
            fitting = _without_overlap(one for one in found if one.on_tokens)
            if fitting:
                return fitting
            inside = inside or _without_overlap(found)
        return inside or self._fuzzy(sought)

    def _exact(self, sought: str) -> list[Placement]:
        return [
            self._placement(at, at + len(sought), "exact") for at in _positions(self._text, sought)
        ]

    def _folded_places(self, sought: str) -> list[Placement]:
        folded, origins = self._fold_text()
        needle, _ = fold(sought)
        found = []
        for at in _positions(folded, needle) if needle else ():
            end = at + len(needle)
            # One character may fold to several: a place holds all of them or none.
            splits_first = at > 0 and origins[at - 1] == origins[at]
            splits_last = end < len(origins) and origins[end] == origins[end - 1]
            if not splits_first and not splits_last:
                found.append(self._placement(origins[at], origins[end - 1] + 1, "folded"))
        return found

    def _fuzzy(self, sought: str) -> list[Placement]:
        needle, _ = fold(sought)
        if len(needle) < MIN_FUZZY_LENGTH:
            return []
        matcher = SequenceMatcher(None, autojunk=False)
        matcher.set_seq2(needle)
        best, place = MIN_SIMILARITY, None
        for start, end, window in self._windows(sought):
            # Two cheap upper bounds first. At the threshold itself words are still placed.
            if 2 * min(len(window), len(needle)) < best * (len(window) + len(needle)):
                continue
            matcher.set_seq1(window)
            if matcher.quick_ratio() < best:
                continue
            similarity = matcher.ratio()
            if similarity > best or (place is None and similarity == best):
                best, place = similarity, (start, end)
        return [] if place is None else [Placement(*place, "fuzzy", best)]

    def _windows(self, sought: str) -> Iterator[tuple[int, int, str]]:
        """Yield sequences of about as many tokens as the words have, the shorter first."""
        size = len(_WORD.findall(sought))
        if self._folded_tokens is None:
            self._folded_tokens = [fold(one.text)[0] for one in self._tokens]
        folded = self._folded_tokens
        for first, token in enumerate(self._tokens):
            window = "".join(folded[first : first + max(0, size - _SLACK - 1)])
            last = first + max(1, size - _SLACK) - 1
            for end in range(last, min(first + size + _SLACK, len(self._tokens))):
                window += folded[end]
                yield token.start, self._tokens[end].end, window

    def _placement(self, start: int, end: int, match: Match) -> Placement:
        on_tokens = start in self._starts and end in self._ends
        return Placement(start, end, match, on_tokens=on_tokens)

    def _fold_text(self) -> tuple[str, list[int]]:
        if self._folded_text is None:
            self._folded_text = fold(self._text)
        return self._folded_text


def fold(text: str) -> tuple[str, list[int]]:
    """Fold case, decompose characters (NFKD) and remove whitespace.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    folded : str
        The folded text.
    origins : list of int
        For each of its characters the position in ``text`` that it came from.
    """
    folded: list[str] = []
    origins: list[int] = []
    for at, character in enumerate(text):
        if character.isspace():
            continue
        part = unicodedata.normalize("NFKD", character).casefold()
        folded.append(part)
        origins += [at] * len(part)
    return "".join(folded), origins


def _positions(text: str, sought: str) -> Iterator[int]:
    at = text.find(sought)
    while at >= 0:
        yield at
        at = text.find(sought, at + 1)


def _without_overlap(placements: Iterable[Placement]) -> list[Placement]:
    kept: list[Placement] = []
    for one in placements:
        if not kept or kept[-1].end <= one.start:
            kept.append(one)
    return kept
