"""Alignment of two versions of one text: normalized forms, and ranges mapped between them.

Tools alter texts: they collapse whitespace, compose letters, escape markup, or
truncate. Offsets then differ although the annotation is the same. Pure
functions of strings.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache

WHITESPACE = "whitespace"
UNICODE = "Unicode normal form"
ENTITIES = "HTML entities"
TRUNCATION = "truncation"
OTHER = "other characters"

_SPACE = re.compile(r"[\s\u200b\u200c\u200d\u2060\ufeff]+")
_MIN_TRUNCATED = 3  # characters that a truncated text must have left to be recognized


def unescape_html(text: str) -> str:
    """Resolve HTML entities, also where they were escaped twice.

    Parameters
    ----------
    text : str
        Any text.
    """
    for _ in range(3):
        plain = html.unescape(text)
        if plain == text:
            break
        text = plain
    return text


def collapse_whitespace(text: str) -> str:
    """Replace every run of whitespace by one space, and strip both ends.

    Parameters
    ----------
    text : str
        Any text.
    """
    return _SPACE.sub(" ", text).strip()


def decompose_unicode(text: str) -> str:
    """Convert a text to Unicode normal form NFKD.

    Parameters
    ----------
    text : str
        Any text.
    """
    return unicodedata.normalize("NFKD", text)


_FORMS: dict[str, Callable[[str], str]] = {
    WHITESPACE: collapse_whitespace,
    UNICODE: decompose_unicode,
    ENTITIES: unescape_html,
}


def normalized_core(text: str) -> str:
    """Compute the part of a text that tools do not alter.

    HTML entities are resolved, characters decomposed (NFKD), whitespace removed.

    Parameters
    ----------
    text : str
        Any text.
    """
    return _SPACE.sub("", decompose_unicode(unescape_html(text)))


def classify_alterations(one: str, other: str) -> tuple[str, ...]:
    """Find the kinds of alteration that turn one version of a text into the other.

    Parameters
    ----------
    one, other : str
        The two versions, in either order.

    Returns
    -------
    tuple of str
        Empty for equal texts. As few kinds as explain the difference; "other
        characters" where none does.
    """
    if one == other:
        return ()
    for kind, form in _FORMS.items():
        if form(one) == form(other):
            return (kind,)
    a, b = normalized_core(one), normalized_core(other)
    is_prefix = a.startswith(b) or b.startswith(a)
    is_cut = a != b and is_prefix and min(len(a), len(b)) >= _MIN_TRUNCATED
    if is_cut and (one.startswith(other.rstrip()) or other.startswith(one.rstrip())):
        return (TRUNCATION,)
    if a != b and not is_cut:
        return (OTHER,)
    kinds = _visible_alterations(one, other)
    return (*kinds, TRUNCATION) if is_cut else kinds


def core_offset(text: str, offset: int) -> int:
    """Convert an offset in a text to an offset in its normalized core.

    Offsets in the core can be compared between two versions of a text.

    Parameters
    ----------
    text : str
        The whole text.
    offset : int
        In code points.
    """
    return len(normalized_core(text[:offset]))


def map_span(target: str, source: str, start: int, end: int) -> tuple[int, int] | None:
    """Map a range of one version of a text to the other version.

    Parameters
    ----------
    target : str
        The version in which the range is sought.
    source : str
        The version to which ``start`` and ``end`` belong.
    start, end : int
        Code points, half-open.

    Returns
    -------
    (int, int), or None
        Code points in ``target``; None where none of the characters is left.
    """
    if target == source:
        return start, end
    low, high = core_offset(source, start), core_offset(source, end)
    offsets = _core_offsets(target)
    inside = [at for at in range(len(target)) if low <= offsets[at] < offsets[at + 1] <= high]
    return (inside[0], inside[-1] + 1) if inside else None


@lru_cache(maxsize=8)
def _core_offsets(text: str) -> tuple[int, ...]:
    """Compute the core offset of every position in a text."""
    return tuple(core_offset(text, at) for at in range(len(text) + 1))


def _visible_alterations(one: str, other: str) -> tuple[str, ...]:
    """Find the kinds of alteration that have left a trace in either text."""
    plain = unescape_html(one), unescape_html(other)
    normal = decompose_unicode(plain[0]), decompose_unicode(plain[1])
    collapsed = collapse_whitespace(normal[0]), collapse_whitespace(normal[1])
    found = {
        ENTITIES: plain != (one, other),
        UNICODE: normal != plain,
        WHITESPACE: collapsed[0] != collapsed[1] or normal != collapsed,
    }
    return tuple(kind for kind in (WHITESPACE, UNICODE, ENTITIES) if found[kind]) or (OTHER,)
