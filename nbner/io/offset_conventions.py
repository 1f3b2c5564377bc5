"""Conventions in which other tools count offsets, tried where a span's own text refutes them.

A tool that read a text with its line ends translated counted the two characters
of a Windows line end as one, or one line feed as two; a tool that kept a byte
order mark counted it. Each convention is a function from its offsets to those
of the text. It is only used where the text written beside every span is then
found at its offsets.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, TypeAlias

from nbner.io.files import BYTE_ORDER_MARK
from nbner.io.validation import is_int

#: From an offset of another tool to an offset of the text.
Convert: TypeAlias = Callable[[int], int]

_WINDOWS_LINE_END = "\r\n"


def offset_conventions(text: str, *, lost_mark: bool = False) -> Iterator[Convert]:
    """Yield the conventions in which offsets into a text can be counted; the text's own first.

    Parameters
    ----------
    text : str
        The text.
    lost_mark : bool
        Whether a byte order mark was taken off its beginning, which others may
        have counted.
    """
    shifts = [0]
    if lost_mark:
        shifts.append(-1)
    if text.startswith(BYTE_ORDER_MARK):
        shifts.append(1)
    for shift in shifts:
        yield partial(_shifted, shift=shift)
    if _WINDOWS_LINE_END in text:
        pairs = [one.start() for one in re.finditer(_WINDOWS_LINE_END, text)]
        counted, step = [at - i for i, at in enumerate(pairs)], 1
    elif "\n" in text:
        feeds = [one.start() for one in re.finditer("\n", text)]
        counted, step = [at + i for i, at in enumerate(feeds)], -1
    else:
        return
    for shift in shifts:
        yield partial(_with_line_ends, counted=counted, step=step, shift=shift)


def same_text(written: str, found: str) -> bool:
    """Return whether two texts are the same but for the kind of their line ends.

    Parameters
    ----------
    written, found : str
        The text beside a span, and the text at its offsets.
    """
    return written == found or _with_line_feeds(written) == _with_line_feeds(found)


def with_own_offsets(
    values: Sequence[Any], text: str, same: Callable[[str, str], bool] = same_text
) -> Sequence[Any]:
    """Convert the offsets of spans or tokens if their own texts show that another tool counted.

    Parameters
    ----------
    values : sequence
        Mappings with ``start``, ``end`` and perhaps ``text``, and other values.
    text : str
        The text of the row.
    same : callable
        Whether a written text is that at the offsets.

    Returns
    -------
    sequence
        ``values`` itself where they fit as they are, or where no convention fits.
    """
    if "\n" not in text and not text.startswith(BYTE_ORDER_MARK):
        return values
    placed = [one for one in values if _is_placed(one)]
    written = [one for one in placed if isinstance(one.get("text"), str)]
    if all(one["text"] == text[max(one["start"], 0) : one["end"]] for one in written):
        return values
    for convert in offset_conventions(text):
        if all(_fits(one, text, convert, same) for one in written):
            return [_converted(one, text, convert) if _is_placed(one) else one for one in values]
    return values


def _is_placed(value: Any) -> bool:
    return isinstance(value, Mapping) and is_int(value.get("start")) and is_int(value.get("end"))


def _fits(
    value: Mapping[str, Any], text: str, convert: Convert, same: Callable[[str, str], bool]
) -> bool:
    start, end = convert(value["start"]), convert(value["end"])
    return 0 <= start < end <= len(text) and same(value["text"], text[start:end])


def _converted(value: Mapping[str, Any], text: str, convert: Convert) -> dict[str, Any]:
    start, end = convert(value["start"]), convert(value["end"])
    own_text = {"text": text[start:end]} if "text" in value else {}
    return {**value, "start": start, "end": end, **own_text}


def _shifted(offset: int, *, shift: int) -> int:
    return offset + shift


def _with_line_ends(offset: int, *, counted: Sequence[int], step: int, shift: int) -> int:
    """Add the line ends before an offset; ``counted`` are theirs in the other tool's count."""
    return offset + shift + step * bisect_left(counted, offset + shift)


def _with_line_feeds(text: str) -> str:
    return text.replace(_WINDOWS_LINE_END, "\n")
