"""Conventions of offsets: units, ends and origins, checked against a text.

Tools count code points, UTF-16 units, bytes or words, from 0 or from 1, with
ends exclusive or inclusive. Where spans carry their own text, the convention is
the one under which all of them stand at their offsets. Where they do not, code
points with exclusive ends are taken, unless these cut words and another
convention cuts none: then nothing is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import TypeAlias

from nbner.io.offset_conventions import Convert, offset_conventions

_Place: TypeAlias = "tuple[int, int] | None"
_WORD = re.compile(r"\S+")
_GAP = re.compile(r"\s+")
# From here on scripts do not separate their words by spaces.
_FIRST_CJK = 0x2E80
_PIECE_MARKS = re.compile(r"^(##|\u2581|\u0120)|(</w>|@@)$")


@dataclass(frozen=True, slots=True)
class RawOffsets:
    """Offsets as a file has them.

    Parameters
    ----------
    start, end : int
        Two numbers; the second may be a length.
    text : str, optional
        The text that the file has beside them.
    """

    start: int
    end: int
    text: str | None = None


class UnclearOffsetsError(ValueError):
    """Offsets that contradict their text, or that follow an unknown convention."""


def resolve_offsets(
    text: str,
    spans: Sequence[RawOffsets],
    *,
    words: Sequence[tuple[int, int]] | None = None,
    certain: bool = False,
) -> list[tuple[int, int]]:
    """Convert the offsets of one text's spans to code points with exclusive ends.

    Parameters
    ----------
    text : str
        The text.
    spans : sequence of RawOffsets
        All spans of one source, which follow one convention.
    words : sequence of (int, int), optional
        Code points of the words that offsets may count; by default the text is
        split at whitespace.
    certain : bool
        Whether offsets without text are code points with exclusive ends by
        definition.

    Returns
    -------
    list of (int, int)
        Code points, half-open.

    Raises
    ------
    UnclearOffsetsError
        The text at the offsets is another one, or the convention is unclear.
    """
    conventions = _conventions(text, words)
    if any(one.text is not None for one in spans):
        return _matching(text, spans, conventions)
    usual = _placed(spans, conventions["code points"])
    if certain and usual is not None:
        return usual
    if usual is not None and all(_fits_words(text, place) for place in usual):
        return usual
    # Without spaces between words, offsets in words cannot be told from others.
    has_words = not any(ord(character) >= _FIRST_CJK for character in text)
    for name, convert in conventions.items():
        if "in words" in name and not has_words:
            continue
        # A single line feed is how nearly every tool counts a line feed.
        if "line ends" in name and "\r\n" not in text:
            continue
        other = _placed(spans, convert)
        if other is not None and all(_fits_words(text, place) for place in other):
            raise UnclearOffsetsError(f"the offsets look like {name}")
    if usual is None:
        shown = f"{spans[0].start} to {spans[0].end}"
        raise UnclearOffsetsError(
            f"an offset is not inside of the text of {len(text)} characters ({shown} is the first)"
        )
    return usual


def same_text(written: str, found: str) -> bool:
    """Return whether two texts are the same but for whitespace, case and marks of word pieces.

    Parameters
    ----------
    written : str
        The text in a file.
    found : str
        The text at the offsets.
    """
    return written == found or display_form(written) == display_form(found)


def display_form(written: str) -> str:
    """Return a text without case, marks of word pieces and differences of whitespace.

    Parameters
    ----------
    written : str
        Any text.
    """
    bare = _PIECE_MARKS.sub("", written.replace("\\n", "\n"))
    return _GAP.sub(" ", bare).casefold()


def _matching(
    text: str,
    spans: Sequence[RawOffsets],
    conventions: dict[str, Callable[[int, int], _Place]],
) -> list[tuple[int, int]]:
    for is_same in (str.__eq__, same_text):
        for convert in conventions.values():
            places = _placed(spans, convert)
            if places is not None and all(
                one.text is None or is_same(one.text, text[start:end])
                for one, (start, end) in zip(spans, places, strict=True)
            ):
                return places
    first = _first_contradiction(text, spans)
    found = text[max(first.start, 0) : max(first.end, 0)]
    raise UnclearOffsetsError(
        f"{first.text!r} is written there, but the text at {first.start} to {first.end} is "
        f"{found[:40]!r}"
    )


def _first_contradiction(text: str, spans: Sequence[RawOffsets]) -> RawOffsets:
    written = [one for one in spans if one.text is not None]
    return next((one for one in written if text[one.start : one.end] != one.text), written[0])


def _placed(
    spans: Sequence[RawOffsets], convert: Callable[[int, int], _Place]
) -> list[tuple[int, int]] | None:
    places = []
    for one in spans:
        place = convert(one.start, one.end)
        if place is None:
            return None
        places.append(place)
    return places


def _conventions(
    text: str, words: Sequence[tuple[int, int]] | None
) -> dict[str, Callable[[int, int], _Place]]:
    """Return the conversions by their names, the most usual one first."""
    points = _within(range(len(text) + 1))
    found = {
        "code points": points,
        "inclusive ends": lambda start, end: points(start, end + 1),
        "a start and a length": lambda start, end: points(start, start + end),
    }
    if not text.isascii():
        for name, boundaries in (("UTF-16 units", _utf16(text)), ("bytes", _utf8(text))):
            units = _within(boundaries)
            found[name] = units
            found[f"{name} with inclusive ends"] = _inclusive(units)
    found |= _of_line_ends(text)
    found["offsets counted from 1"] = lambda start, end: points(start - 1, end - 1)
    found["offsets counted from 1 with inclusive ends"] = lambda start, end: points(start - 1, end)
    counted = _of_words(words if words is not None else _words_of(text))
    found["offsets in words"] = counted
    found["offsets in words with inclusive ends"] = lambda start, end: counted(start, end + 1)
    return found


def _of_line_ends(text: str) -> dict[str, Callable[[int, int], _Place]]:
    """Return the conversions of tools that counted line ends or a byte order mark otherwise."""
    points = _within(range(len(text) + 1))
    others = islice(offset_conventions(text), 1, None)
    return {
        f"offsets that count line ends or a mark otherwise ({number})": partial(
            _converted, convert=convert, points=points
        )
        for number, convert in enumerate(others, 1)
    }


def _converted(
    start: int, end: int, *, convert: Convert, points: Callable[[int, int], _Place]
) -> _Place:
    return points(convert(start), convert(end))


def _within(boundaries: Sequence[int | None]) -> Callable[[int, int], _Place]:
    """Return the conversion by a table from a unit to its code point; None is inside of one."""

    def convert(start: int, end: int) -> _Place:
        if not 0 <= start < end < len(boundaries):
            return None
        first, last = boundaries[start], boundaries[end]
        return None if first is None or last is None else (first, last)

    return convert


def _inclusive(convert: Callable[[int, int], _Place]) -> Callable[[int, int], _Place]:
    return lambda start, end: convert(start, end + 1)


def _of_words(words: Sequence[tuple[int, int]]) -> Callable[[int, int], _Place]:
    def convert(start: int, end: int) -> _Place:
        if not 0 <= start < end <= len(words):
            return None
        return words[start][0], words[end - 1][1]

    return convert


def _words_of(text: str) -> list[tuple[int, int]]:
    return [found.span() for found in _WORD.finditer(text)]


def _utf16(text: str) -> list[int | None]:
    return _boundaries(text, lambda character: 2 if ord(character) > 0xFFFF else 1)


def _utf8(text: str) -> list[int | None]:
    return _boundaries(text, lambda character: len(character.encode("utf-8", "surrogatepass")))


def _boundaries(text: str, size: Callable[[str], int]) -> list[int | None]:
    table: list[int | None] = []
    for at, character in enumerate(text):
        table.append(at)
        table.extend([None] * (size(character) - 1))
    return [*table, len(text)]


def _fits_words(text: str, place: tuple[int, int]) -> bool:
    start, end = place
    if text[start].isspace() or text[end - 1].isspace():
        return False
    return _is_boundary(text, start) and _is_boundary(text, end)


def _is_boundary(text: str, at: int) -> bool:
    if at in (0, len(text)):
        return True
    before, after = text[at - 1], text[at]
    return not (before.isalnum() and after.isalnum())
