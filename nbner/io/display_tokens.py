"""Tokens in the forms that a model shows: pieces, lower case, special tokens.

Where such tokens have offsets, these place them. Where they have none, they are
found in the text one after the other, without regard to case, accents and the
marks of pieces.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Any

from nbner._common.alignment import tokens_from_offsets, tokens_from_words
from nbner.errors import DataError
from nbner.types import Token

_SPECIAL = re.compile(r"\[(?:CLS|SEP|PAD|MASK|BOS|EOS)\]|</?(?:s|pad|bos|eos|mask)>|<\|[^|]*\|>")
_UNKNOWN = ("[UNK]", "<unk>")
_MARKS = re.compile("^(?:##|[\u2581\u0120]+)|(?:</w>|@@|\u010a)$")


def is_special(written: Any) -> bool:
    """Return whether a token is one that a model adds, such as ``[CLS]``.

    Parameters
    ----------
    written : object
        The token's text; None where it has none.
    """
    return isinstance(written, str) and (not written or _SPECIAL.fullmatch(written) is not None)


def is_display_form(written: Any, found: str) -> bool:
    """Return whether a token's text is what a model shows for a part of a text.

    Parameters
    ----------
    written : object
        The token's text in a file.
    found : str
        The text at its offsets.
    """
    if not isinstance(written, str) or written == found:
        return True
    return written in _UNKNOWN or _folded(written) == _folded(found)


def tokens_from_display(text: str, words: Sequence[str]) -> tuple[Token, ...]:
    """Build the tokens of a text from its words, or from the forms that a model shows.

    Parameters
    ----------
    text : str
        The whole text.
    words : sequence of str
        All words or pieces of the text, in order.

    Raises
    ------
    DataError
        They do not rebuild the text; the remedy says whether they are a model's.
    """
    try:
        return tokens_from_words(text, words)
    except DataError as error:
        pieces = [one for one in words if _SPECIAL.fullmatch(one) is None]
        offsets = _find(text, pieces)
        if offsets is not None:
            return tokens_from_offsets(text, offsets)
        if not looks_like_model_tokens(words):
            raise
        raise DataError(
            "the tokens look like a model's, with pieces, lower case or special tokens: "
            f"{error.problem}",
            remedy="Give each of them with its offsets, as {'text': '##ing', 'start': 4, "
            "'end': 7}, or leave 'tokens' out",
        ) from None


def looks_like_model_tokens(words: Sequence[str]) -> bool:
    """Return whether words are pieces or special tokens of a model.

    Parameters
    ----------
    words : sequence of str
        Words of a text.
    """
    is_marked = [one for one in words if re.match("##\\w|[\u2581\u0120]", one)]
    return bool(is_marked) or any(_SPECIAL.fullmatch(one) for one in words[:1])


def _find(text: str, pieces: Sequence[str]) -> list[tuple[int, int]] | None:
    """Find pieces one after the other; None where one is not there."""
    offsets = []
    position = 0
    for piece in pieces:
        wanted = _folded(piece)
        while position < len(text) and text[position].isspace():
            position += 1
        end = position
        while end < len(text) and len(_folded(text[position:end])) < len(wanted):
            end += 1
        while end < len(text) and unicodedata.combining(text[end]):
            end += 1
        if not wanted or _folded(text[position:end]) != wanted:
            return None
        offsets.append((position, end))
        position = end
    return offsets


def _folded(written: str) -> str:
    bare = _MARKS.sub("", written)
    parts = unicodedata.normalize("NFD", bare.casefold())
    return "".join(one for one in parts if not unicodedata.combining(one))
