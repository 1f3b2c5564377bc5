"""The way to the texts of a row that has none under ``text``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from nbner.io.plain_rows import is_offset_key
from nbner.io.span_parsing import Keys
from nbner.io.span_shapes import path_of

_TEXT_KEYS = ("text", "content", "raw", "data", "sentence", "document", "body")


def text_remedy(row: Mapping[str, Any]) -> str:
    """Return the way to the texts: rows in a list inside of this one, or a key of another name.

    Parameters
    ----------
    row : mapping
        A row of any tool.
    """
    inner = next(_lists_of_rows(row), None)
    if inner is not None:
        keys, name = inner
        path = "".join(f"[{key!r}]" for key in keys)
        choice = "" if name == "text" else f", text={name!r}"
        return (
            "The rows are a list inside of this object; add them: "
            f"session.add(json.load(open(path)){path}{choice})"
        )
    strings = sorted(_paths_of_strings(row), key=lambda one: -len(one[1]))
    name = path_of(strings[0][0]) if strings and " " in strings[0][1] else "..."
    return f"Put the text under 'text', or name its key: text=\"{name}\""


def _lists_of_rows(value: Any, keys: Keys = ()) -> Iterator[tuple[Keys, str]]:
    """Yield the lists of objects with a text, each with the key of the text."""
    if isinstance(value, Mapping):
        for key, one in value.items() if len(keys) < 4 else ():
            yield from _lists_of_rows(one, (*keys, str(key)))
        return
    if not isinstance(value, (list, tuple)) or not value:
        return
    if not all(isinstance(one, Mapping) for one in value):
        return
    names = (key for key in _TEXT_KEYS if isinstance(value[0].get(key), str))
    name = next((key for key in names if len(value[0]) > 1), None)
    # Pieces of one text, with spaces at their ends, are no texts.
    is_whole = all(str(one.get(name)) == str(one.get(name)).strip() for one in value)
    if name is not None and is_whole and not _holds_offsets(value[0]):
        yield keys, name
    else:
        yield from _lists_of_rows(value[0], (*keys, 0))


def _holds_offsets(value: Mapping[str, Any]) -> bool:
    return any(is_offset_key(str(key)) for key in value)


def _paths_of_strings(value: Mapping[str, Any], keys: Keys = ()) -> Iterator[tuple[Keys, str]]:
    for key, one in value.items():
        if isinstance(one, str):
            yield (*keys, str(key)), one
        elif isinstance(one, Mapping) and len(keys) < 3:
            yield from _paths_of_strings(one, (*keys, str(key)))


def word_hint(rest: Mapping[str, Any]) -> str:
    """Return the hint that offsets in words are converted first, where a row has words.

    Parameters
    ----------
    row : mapping
        A row of any tool.
    """
    has_words = any(
        isinstance(one, (list, tuple)) and one and all(isinstance(part, str) for part in one)
        for one in rest.values()
    )
    return "; offsets in words are converted to characters first" if has_words else ""
