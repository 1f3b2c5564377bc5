"""What two versions of one text have in common: forms in which they are equal, and places.

Pure functions of strings. Tools alter texts on their way: they collapse
whitespace, compose letters, escape markup, cut what is long. Offsets then
differ although the annotation is the same.
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
_LEAST = 3  # characters that a cut text must have left, so that it can be known again


def unescape_html(text: str) -> str:
    """Resolve HTML entities, also where they were escaped twice."""
    for _ in range(3):
        plain = html.unescape(text)
        if plain == text:
            break
        text = plain
    return text


def collapse_whitespace(text: str) -> str:
    """Write every run of whitespace as one space, and none at the ends."""
    return _SPACE.sub(" ", text).strip()


def decompose_unicode(text: str) -> str:
    """Bring a text into normal form NFKD."""
    return unicodedata.normalize("NFKD", text)


_FORMS: dict[str, Callable[[str], str]] = {
    WHITESPACE: collapse_whitespace,
    UNICODE: decompose_unicode,
    ENTITIES: unescape_html,
}


def normalized_core(text: str) -> str:
    """Give what is left of a text when all that tools alter is taken away.

    No entities, compatibility decomposition (NFKD), no whitespace.
    """
    return _SPACE.sub("", decompose_unicode(unescape_html(text)))


def classify_alterations(one: str, other: str) -> tuple[str, ...]:
    """Name what was done to a text to make the other version.

    Returns
    -------
    tuple of str
        Empty for equal texts. As few kinds as explain it; "other characters"
        where none does.
    """
    if one == other:
        return ()
    for kind, form in _FORMS.items():
        if form(one) == form(other):
            return (kind,)
    a, b = normalized_core(one), normalized_core(other)
    cut = a != b and min(len(a), len(b)) >= _LEAST and (a.startswith(b) or b.startswith(a))
    if cut and (one.startswith(other.rstrip()) or other.startswith(one.rstrip())):
        return (TRUNCATION,)
    if a != b and not cut:
        return (OTHER,)
    kinds = _needed(one, other)
    return (*kinds, TRUNCATION) if cut else kinds


def core_offset(text: str, at: int) -> int:
    """Count the core's characters before a place, so that places of two versions compare.

    Parameters
    ----------
    text : str
    at : int
        Code points.
    """
    return len(normalized_core(text[:at]))


def map_span(one: str, other: str, start: int, end: int) -> tuple[int, int] | None:
    """Find the place in one version of a text that another version has.

    Parameters
    ----------
    one, other : str
        Where the place is sought, and where it lies.
    start, end : int
        Code points in ``other``.

    Returns
    -------
    (int, int), or None
        Code points in ``one``; None where nothing of the place is left there.
    """
    if one == other:
        return start, end
    low, high = core_offset(other, start), core_offset(other, end)
    before = _places(one)
    inside = [at for at in range(len(one)) if low <= before[at] < before[at + 1] <= high]
    return (inside[0], inside[-1] + 1) if inside else None


@lru_cache(maxsize=8)
def _places(text: str) -> tuple[int, ...]:
    """Count the core's characters before every place of a text."""
    return tuple(core_offset(text, at) for at in range(len(text) + 1))


def _needed(one: str, other: str) -> tuple[str, ...]:
    """Find the kinds that leave a trace in either text."""
    plain = unescape_html(one), unescape_html(other)
    normal = decompose_unicode(plain[0]), decompose_unicode(plain[1])
    found = {
        ENTITIES: plain != (one, other),
        UNICODE: normal != plain,
        WHITESPACE: collapse_whitespace(normal[0]) != collapse_whitespace(normal[1])
        or normal != (collapse_whitespace(normal[0]), collapse_whitespace(normal[1])),
    }
    return tuple(kind for kind in (WHITESPACE, UNICODE, ENTITIES) if found[kind]) or (OTHER,)
