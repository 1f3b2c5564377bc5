"""Tags beside words: two lists of one length, under whatever keys, or pairs of a word and a tag."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nbner._common.format import plural
from nbner.io.iob import are_phrase_tags, is_tag
from nbner.io.literals import NOT_A_VALUE, looks_like_literal, parse_literal
from nbner.io.options import ReadOptions
from nbner.io.rows import SourceLocation
from nbner.io.span_parsing import Keys
from nbner.io.span_shapes import path_of, shorten
from nbner.io.validation import is_int

_MAX_DEPTH = 4
_ENTITY_TAG = re.compile(r"[BIESLUMW]-\S")
_CERTAIN_TAG = re.compile(r"[BI]-\S")
# What other schemes write in place of a letter, a hyphen and a label.
_OTHER_TAG = re.compile(r"[BIESLUM][_:.|]\w+|\w+[-_:.][BIESLUM]")
_SEVERAL_TAGS = re.compile(r"[BIESLUM]-[^|/;+]+[|/;+][BIESLUM]-")
_SEPARATORS = re.compile(r"[\s,;|]+")
_TAG_KEYS = re.compile(r"ner|tag|label|iob|bio|ent|target", re.IGNORECASE)
_OTHER_KEYS = re.compile(
    r"(?:^|[_.])(pos|upos|xpos|chunk|chunks|dep|deps|deprel|head|heads|lemma|lemmas|morph|feats|"
    r"srl|intent|sentiment|coref)(?:$|[_.])",
    re.IGNORECASE,
)
_WORD_KEYS = (
    *("tokens", "words", "token", "word", "text_tokens", "tokenized_text", "text", "sentence"),
    *("forms", "form", "token_text", "orth"),
)
_RECORD_TAGS = ("ner", "ner_tag", "tag", "label", "iob", "bio", "entity", "ent", "ner_tags")
_RECORD_WORDS = ("text", "word", "token", "form", "orth", "value")


@dataclass(frozen=True, slots=True)
class TagLayer:
    """Tags, one for each word.

    Parameters
    ----------
    keys : tuple of str or int
        The keys that lead to the tags.
    tags : tuple of str or int
        Names, or numbers that stand for them.
    word_keys : tuple of str or int, optional
        The keys that lead to the words; None for the words of the text.
    words : tuple of str
        The words.
    """

    keys: Keys
    tags: tuple[str | int, ...]
    word_keys: Keys | None
    words: tuple[str, ...]

    @property
    def path(self) -> str:
        """The keys of the tags in one name."""
        return path_of(self.keys)


@dataclass(frozen=True, slots=True)
class _Column:
    keys: Keys
    values: list[Any]

    @property
    def path(self) -> str:
        return path_of(self.keys)


def find_tags(
    row: Mapping[str, Any], text: str | None, location: SourceLocation, options: ReadOptions
) -> TagLayer | None:
    """Find the words and the tags of a row.

    Parameters
    ----------
    row : mapping
        A row of any tool.
    text : str, optional
        Its text.
    location : SourceLocation
        File and line of the row, for messages.
    options : ReadOptions
        ``tag_column`` chooses, ``tag_names`` and ``class_names`` name numbers.

    Returns
    -------
    TagLayer or None
        None where nothing looks like tags.

    Raises
    ------
    DataError
        Several columns hold tags, the tags are of an unknown scheme, or their
        number is not that of the words.
    """
    columns = list(_columns(row))
    records = [one for column in columns if (one := _from_records(column)) is not None]
    columns = [one for one in columns if one.values and not isinstance(one.values[0], (list, dict))]
    strings = [one for one in columns if all(isinstance(cell, str) for cell in one.values)]
    tags = [one for one in strings if _are_tags(one, strings, text)]
    words = [one for one in strings if one not in tags and one.keys[-1] != "text"]
    numbers = [one for one in columns if _are_numbers(one, words, options)]
    layers = [*records, *(_layer(one, words, text, location, options) for one in (*tags, *numbers))]
    if layers:
        return _chosen(layers, location, options)
    _check_other_schemes(strings, words, text, location)
    return None


def _columns(value: Mapping[str, Any], keys: Keys = ()) -> Iterator[_Column]:
    for key, written in value.items():
        here = (*keys, str(key))
        cell = _plain(written) if key != "text" else written
        if isinstance(cell, Mapping) and len(keys) < _MAX_DEPTH:
            yield from _columns(cell, here)
        elif isinstance(cell, (list, tuple)) and cell:
            inner = list(cell)
            while len(inner) == 1 and _is_inner_list(inner[0]):
                inner = list(inner[0])
                here = (*here, 0)
            yield _Column(here, inner)
        elif isinstance(cell, str) and key != "text":
            parts = [part for part in _SEPARATORS.split(cell) if part]
            is_certain = "O" in parts or any(map(_CERTAIN_TAG.match, parts))
            if len(parts) > 1 and is_certain and all(map(is_tag, parts)) and _have_entity(parts):
                yield _Column(here, parts)


def _is_inner_list(cell: Any) -> bool:
    """Return whether a cell is a list of one list, and not one word with its tag."""
    if not isinstance(cell, (list, tuple)) or not cell:
        return False
    first, last = cell[0], cell[-1]
    is_pair = isinstance(first, str) and isinstance(last, str) and is_tag(last)
    return not (is_pair and not is_tag(first))


def _plain(cell: Any) -> Any:
    """Convert an array, or a list written as text, to a list."""
    if isinstance(cell, str) and looks_like_literal(cell):
        parsed = parse_literal(cell)
        return cell if parsed is NOT_A_VALUE else parsed
    return cell.tolist() if hasattr(cell, "tolist") else cell


def _from_records(column: _Column) -> TagLayer | None:
    """Read [("Ada", "B-PER"), ...] and [{"text": "Ada", "ner": "B-PER"}, ...]."""
    cells = column.values
    if all(isinstance(one, (list, tuple)) and 2 <= len(one) <= 5 for one in cells):
        pairs = [[str(part) for part in one] for one in cells]
        width = min(map(len, pairs))
        for at in range(width - 1, 0, -1):
            tags = [one[at] for one in pairs]
            if all(map(is_tag, tags)) and _have_entity(tags) and not are_phrase_tags(tags):
                words = tuple(one[0] for one in pairs)
                return TagLayer(column.keys, tuple(tags), column.keys, words)
    if all(isinstance(one, Mapping) for one in cells):
        for key in (name for name in cells[0] if name not in _RECORD_WORDS):
            tags = [one.get(key) for one in cells]
            if all(isinstance(tag, str) and is_tag(tag) for tag in tags) and _have_entity(tags):
                found = [next((one[k] for k in _RECORD_WORDS if k in one), None) for one in cells]
                words = tuple(str(word) for word in found if isinstance(word, str))
                if len(words) == len(cells):
                    return TagLayer(column.keys, tuple(tags), column.keys, words)
    return None


def _are_tags(column: _Column, strings: Sequence[_Column], text: str | None) -> bool:
    cells = column.values
    if not all(map(is_tag, cells)) or are_phrase_tags(cells):
        return False
    if text is not None and "".join(cells) == "".join(text.split()):
        return False  # the words of the text
    sizes = {len(one.values) for one in strings if one is not column}
    if text is not None:
        sizes.add(len(text.split()))
    if not _have_entity(cells):
        return len(cells) in sizes and _TAG_KEYS.search(column.path) is not None
    if len(cells) in sizes:
        return True
    is_named = _TAG_KEYS.search(column.path) is not None
    return any(map(_CERTAIN_TAG.match, cells)) and (is_named or "O" in cells or len(cells) > 1)


def _have_entity(tags: Sequence[Any]) -> bool:
    return any(_ENTITY_TAG.match(tag) for tag in tags)


def _are_numbers(column: _Column, words: Sequence[_Column], options: ReadOptions) -> bool:
    if not all(map(is_int, column.values)):
        return False
    names = options.class_names.get(column.path)
    if names is not None:
        return _are_entity_names(names)
    if options.tag_column is not None and column.path == str(options.tag_column):
        return True
    is_named = _TAG_KEYS.search(column.path) and not _OTHER_KEYS.search(column.path)
    return (
        is_named is not None
        and is_named
        and any(len(one.values) == len(column.values) for one in words)
    )


def _are_entity_names(names: Sequence[str]) -> bool:
    return all(map(is_tag, names)) and _have_entity(names) and not are_phrase_tags(names)


def _layer(
    column: _Column,
    words: Sequence[_Column],
    text: str | None,
    location: SourceLocation,
    options: ReadOptions,
) -> TagLayer:
    size = len(column.values)
    names = options.class_names.get(column.path, options.tag_names)
    values = tuple(column.values)
    if names is not None and all(map(is_int, values)):
        values = tuple(names[one] if 0 <= one < len(names) else one for one in values)
    fitting = [one for one in words if len(one.values) == size]
    fitting.sort(key=lambda one: _rank(str(one.keys[-1])))
    if fitting:
        return TagLayer(column.keys, values, fitting[0].keys, tuple(fitting[0].values))
    split = () if text is None else tuple(text.split())
    if len(split) == size:
        return TagLayer(column.keys, values, None, split)
    named = next((one for one in words if one.keys[-1] in _WORD_KEYS), None)
    if named is not None:
        raise location.error(
            f"there are {len(named.values)} {path_of(named.keys)} and {plural(size, 'tag')}",
            field=column.path,
        )
    raise location.error(
        f"there {'is' if size == 1 else 'are'} {plural(size, 'tag')}, such as "
        f"{shorten(column.values[0])}, and no list of {size} words",
        field=column.path,
        remedy="Give the words as a list under 'tokens', or name the key of the text: text=\"...\"",
    )


def _rank(name: str) -> int:
    return _WORD_KEYS.index(name) if name in _WORD_KEYS else len(_WORD_KEYS)


def _chosen(layers: Sequence[TagLayer], location: SourceLocation, options: ReadOptions) -> TagLayer:
    wanted = options.tag_column
    paths = [one.path for one in layers]
    if wanted is not None:
        if wanted not in paths:
            raise location.error(
                f"there are no tags under {wanted!r}; they are under {', '.join(map(repr, paths))}",
                field="tag_column",
            )
        return layers[paths.index(str(wanted))]
    if len(layers) > 1:
        raise location.error(
            f"tags are under {' and '.join(map(repr, paths))}",
            field=paths[0],
            remedy=f"Choose: tag_column={paths[0]!r}",
        )
    several = [tag for tag in layers[0].tags if isinstance(tag, str) and _SEVERAL_TAGS.match(tag)]
    if several:
        raise location.error(
            f"{several[0]!r} holds the tags of several layers",
            field=layers[0].path,
            remedy="Keep one tag for each word",
        )
    return layers[0]


def _check_other_schemes(
    strings: Sequence[_Column],
    words: Sequence[_Column],
    text: str | None,
    location: SourceLocation,
) -> None:
    sizes = {path_of(one.keys): len(one.values) for one in words}
    split = 0 if text is None else len(text.split())
    for one in strings:
        cells, others = one.values, {size for path, size in sizes.items() if path != one.path}
        if len(cells) not in others | {split} or _OTHER_KEYS.search(one.path):
            continue
        if "O" in cells and len(set(cells)) > 1 and one.keys[-1] not in _WORD_KEYS:
            wrong = [cell for cell in cells if not is_tag(cell)]
            if not wrong:
                continue  # phrases
            if _have_entity(cells):
                problem = f"{wrong[0]!r} is not an entity tag"
            else:
                how = (
                    "in another notation" if _OTHER_TAG.fullmatch(wrong[0]) else "without B- or I-"
                )
                problem = f"these look like tags {how}: {wrong[0]!r} beside 'O'"
            raise location.error(
                problem,
                field=one.path,
                remedy='Write each of them as O, or as a letter, a hyphen and the label: "B-ORG"',
            )
