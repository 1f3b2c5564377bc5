"""Annotations without offsets, or whose label is a key: words and keys that name labels.

None of them can be read as spans for certain. They are refused, or counted as
not read where the key may be the user's own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from nbner.io.validation import is_int

#: Usual names of entity labels, in lower case and without marks.
COMMON_LABELS = frozenset(
    [
        "per",
        "pers",
        "person",
        "people",
        "org",
        "orgs",
        "organisation",
        "organization",
        "company",
        "loc",
        "location",
        "gpe",
        "place",
        "city",
        "country",
        "misc",
        "miscellaneous",
        "norp",
        "fac",
        "facility",
        "event",
        "workofart",
        "language",
        "law",
        "date",
        "money",
        "percent",
        "quantity",
        "cardinal",
        "ordinal",
        "disease",
        "chemical",
        "gene",
        "protein",
        "drug",
        "species",
        "cellline",
        "celltype",
        "dna",
        "rna",
        "product",
        "persname",
        "placename",
        "orgname",
        "enamex",
        "geo",
        "geopolitical",
    ]
)
_MENTION_KEYS = frozenset(
    [
        "mention",
        "entity",
        "entitytext",
        "entityname",
        "spantext",
        "surface",
        "surfaceform",
        "mentiontext",
        "term",
        "chunk",
        "entitymention",
    ]
)
_ROW_LABEL_KEYS = frozenset(
    ["label", "type", "entitytype", "enttype", "tag", "ner", "category", "entitylabel"]
)
_STARTS = re.compile(r"^(?:start|begin)|(?:start|begin)s?$")
_ENDS = re.compile(r"^(?:end|stop)|(?:end|stop)s?$")
_LABEL_LISTS = re.compile(r"label|type|tag|categor|class|entit")
_PAIR_KEYS = re.compile(r"span|offset|range|position|indices|loc")
_ENTITY_LISTS = re.compile(r"^(?:entit(?:y|ies)|ents|mentions?|namedentities|nes|ner)$")
# Pairs of numbers that are no offsets of entities.
_OTHER_PAIRS = re.compile(
    r"^(?:[a-z]*(?:box|boxes|matrix|size|shape|sents?|sentences?|lines?|words?|tokens?|pages?"
    r"|sections?|paragraphs?|segments?|links?|urls?|offsets?|ranges?|positions?|indices|index"
    r"|points?|coords?|coordinates|vector|embedding|chunks?|turns?|years?|range|span|spans))$"
)
_LABEL = r"[A-Za-z][\w-]{1,29}"
_ARROW = r"\s*(?:->|=>|<>|:|=|\|)\s*"
_ITEM_SEPARATOR = re.compile(r"\s*[;\n,]\s*")
_BARE = re.compile(r"[\W_]")
_NAMED = "|".join(sorted(COMMON_LABELS, key=len, reverse=True))
#: A usual label beside an arrow or a colon: worth a look.
LABELLED_WORDS = re.compile(
    rf"(?:^|[;\n,(])\s*(?:{_NAMED})s?\s*(?:->|=>|<>|:|=)|(?:->|=>|<>|[:=])\s*(?:{_NAMED})\s*(?:$|[;\n,)])",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class LabelledValue:
    """A value of a row that looks like annotations and is not read.

    Parameters
    ----------
    key : str
        Its key.
    problem : str
        What it looks like, and what is missing.
    remedy : str
        The line that converts it.
    is_certain : bool
        Whether the row is refused; otherwise the value is counted as not read.
    """

    key: str
    problem: str
    remedy: str
    is_certain: bool


@lru_cache(maxsize=4096)
def is_telling_key(key: str, labels: tuple[str, ...] = ()) -> bool:
    """Return whether a key is the name of a label, or one that holds an entity's words.

    Parameters
    ----------
    key : str
        A key or a column.
    labels : tuple of str
        The session's labels.
    """
    bare = _bare(key)
    return bare in _MENTION_KEYS or _is_common(bare) or _is_label(key, labels)


def holds_entity_row(header: Iterable[str]) -> bool:
    """Return whether columns may hold one entity in each row: its words and its label.

    Parameters
    ----------
    header : iterable of str
        Names of the columns.
    """
    names = set(map(_bare, header))
    return not names.isdisjoint(_MENTION_KEYS) and not names.isdisjoint(_ROW_LABEL_KEYS)


def find_labelled(
    row: Mapping[str, Any], text: str, labels: Sequence[str], known: Iterable[str]
) -> LabelledValue | None:
    """Find the first value of a row without spans that annotates the text all the same.

    Parameters
    ----------
    row : mapping
        A row of any tool.
    text : str
        Its text.
    labels : sequence of str
        The session's labels.
    known : iterable of str
        Keys in which nothing is looked for.

    Returns
    -------
    LabelledValue or None
        One for which the row is refused comes first.
    """
    skipped = frozenset(known)
    others = {str(key): one for key, one in row.items() if key not in skipped}
    found = [one for key, value in others.items() if (one := _by_key(key, value, text, labels))]
    certain = next((one for one in found if one.is_certain), None)
    return (
        certain
        or _separate_lists(others, text)
        or _one_entity(others, text)
        or next(iter(found), None)
    )


def words_with_labels(value: Any, text: str) -> bool:
    """Return whether a value names words of a text with their labels, and no offsets.

    Parameters
    ----------
    value : object
        A mapping or a list.
    text : str
        The text.
    """
    if isinstance(value, Mapping):
        return _words_by_label(value, text) or _labels_by_word(value, text)
    if not isinstance(value, (list, tuple)) or not value:
        return False
    pairs = [_words_and_label(one, text) for one in value]
    words = [one for one in pairs if one is not None]
    return len(words) == len(pairs) and not _cover(words, text)


def is_labelled_text(value: str, text: str) -> bool:
    """Return whether a string lists words of a text with labels, as "PER: Ada; LOC: Oslo".

    Parameters
    ----------
    value : str
        The value of a key.
    text : str
        The text of the row.
    """
    parts = [one for one in _ITEM_SEPARATOR.split(value.strip()) if one]
    if not parts or len(value) > 2 * len(text) + 200:
        return False
    places = {_place_of_label(one, text) for one in parts}
    if len(places) != 1 or None in places:
        return False
    return len(parts) > 1 or LABELLED_WORDS.search(value) is not None


# Keys that are labels.


def _by_key(key: str, value: Any, text: str, labels: Sequence[str]) -> LabelledValue | None:
    value = value.tolist() if hasattr(value, "tolist") else value
    bare, is_own = _bare(key), _is_label(key, labels)
    is_name = is_own or _is_common(bare)
    if _are_places(value, text) and (is_name or _OTHER_PAIRS.match(bare) is None):
        is_list = isinstance(value[0], (list, tuple, Mapping))
        is_certain = is_name or (is_list and not key.islower()) or key.isupper()
        problem = f"this looks like spans: offsets without a label under the key {key!r}"
        remedy = (
            "Write them as row['spans'] = [{'start': s, 'end': e, 'label': "
            f'{key!r}}} for s, e in row[{key!r}]]; if they are no entities, say spans_key="spans"'
        )
        return LabelledValue(key, problem, remedy, is_certain)
    words = [value] if isinstance(value, str) else value
    if is_name and _are_words(words, text):
        problem = f"this looks like words of the text without offsets under the key {key!r}"
        remedy = _words_remedy(key)
        return LabelledValue(key, problem, remedy, is_own and not isinstance(value, str))
    return None


def _words_remedy(key: str) -> str:
    return (
        "Find them in the text: row['spans'] = [{'start': row['text'].index(word), 'end': "
        f"row['text'].index(word) + len(word), 'label': {key!r}}} for word in row[{key!r}]]; or "
        "give them to session.make_gold(suggest=...); if they are no entities, say "
        'spans_key="spans"'
    )


def _are_places(value: Any, text: str) -> bool:
    if not isinstance(value, (list, tuple)) or not value:
        return False
    if len(value) == 2 and all(map(is_int, value)):
        return bool(0 <= value[0] < value[1] <= len(text))
    for one in value:
        if isinstance(one, (list, tuple)) and len(one) == 2 and all(map(is_int, one)):
            start, end = one
        elif isinstance(one, Mapping) and len(one) <= 4:
            found = _place_in(one)
            if found is None or any(_LABEL_LISTS.search(_bare(str(key))) for key in one):
                return False
            start, end = found
        else:
            return False
        if not 0 <= start < end <= len(text):
            return False
    return True


def _place_in(value: Mapping[Any, Any]) -> tuple[int, int] | None:
    numbers = {_bare(str(key)): one for key, one in value.items() if is_int(one)}
    start = next((one for key, one in numbers.items() if _STARTS.search(key)), None)
    end = next((one for key, one in numbers.items() if _ENDS.search(key)), None)
    return None if start is None or end is None else (start, end)


# Lists beside each other, and rows of one entity.


def _separate_lists(row: Mapping[str, Any], text: str) -> LabelledValue | None:
    lists = {key: one for key, one in row.items() if isinstance(one, (list, tuple)) and one}
    starts = [key for key in lists if _STARTS.search(_bare(key)) and all(map(is_int, lists[key]))]
    ends = [key for key in lists if _ENDS.search(_bare(key)) and all(map(is_int, lists[key]))]
    labels = [key for key in lists if _LABEL_LISTS.search(_bare(key)) and _are_strings(lists[key])]
    for start, end in zip(starts, ends, strict=False):
        for label in labels:
            if len(lists[start]) == len(lists[end]) == len(lists[label]):
                loop = f"zip(row[{start!r}], row[{end!r}], row[{label!r}])"
                return _in_lists(start, f"{start!r}, {end!r} and {label!r}", "s, e, l", loop)
        if len(lists[start]) == len(lists[end]) and _are_places(
            [list(one) for one in zip(lists[start], lists[end], strict=True)], text
        ):
            loop = f"zip(row[{start!r}], row[{end!r}])"
            return _in_lists(start, f"{start!r} and {end!r}", "s, e", loop)
    for pairs in (key for key in lists if _PAIR_KEYS.search(_bare(key))):
        for label in labels:
            same = len(lists[pairs]) == len(lists[label])
            if (
                same
                and isinstance(lists[pairs][0], (list, tuple))
                and _are_places(lists[pairs], text)
            ):
                loop = f"zip(row[{pairs!r}], row[{label!r}])"
                return _in_lists(pairs, f"{pairs!r} and {label!r}", "(s, e), l", loop)
    for key, value in lists.items():
        if _ENTITY_LISTS.match(_bare(key)) and _are_words(value, text):
            problem = "words of the text stand here without offsets"
            return LabelledValue(key, problem, _words_remedy(key), is_certain=True)
    return None


def _in_lists(key: str, names: str, names_of_items: str, loop: str) -> LabelledValue:
    return LabelledValue(
        key,
        f"offsets and labels stand in lists of their own: {names}",
        "Write them as row['spans'] = [{'start': s, 'end': e, 'label': l} for "
        f'{names_of_items} in {loop}]; if they are no entities, say spans_key="spans"',
        is_certain=True,
    )


def _one_entity(row: Mapping[str, Any], text: str) -> LabelledValue | None:
    strings = {key: one for key, one in row.items() if isinstance(one, str)}
    mentions = [
        key
        for key, one in strings.items()
        if _bare(key) in _MENTION_KEYS and len(one) < len(text) and _is_there(one, text)
    ]
    labels = [
        key for key, one in strings.items() if _bare(key) in _ROW_LABEL_KEYS and one not in text
    ]
    if not mentions or not labels:
        return None
    words, label = strings[mentions[0]], strings[labels[0]]
    return LabelledValue(
        mentions[0],
        f"this row is one entity ({words!r}, {label!r}) without offsets",
        "Give one row for each text, with all of its spans as "
        '[{"start": 0, "end": 4, "label": "ORG"}] under \'spans\'; if they are no entities, say '
        'spans_key="spans"',
        is_certain=True,
    )


# Words with labels.


def _words_by_label(value: Mapping[Any, Any], text: str) -> bool:
    filled = [one for one in value.values() if one not in (None, [], ())]
    return bool(filled) and all(
        isinstance(one, (list, tuple)) and _are_words(one, text) for one in filled
    )


def _labels_by_word(value: Mapping[Any, Any], text: str) -> bool:
    return bool(value) and all(
        isinstance(word, str)
        and isinstance(label, str)
        and len(word) > 2
        and _is_there(word, text)
        and re.fullmatch(_LABEL, label) is not None
        and label not in text
        for word, label in value.items()
    )


def _words_and_label(item: Any, text: str) -> str | None:
    """Return the words of a text that an item labels; None where it labels none."""
    if isinstance(item, str):
        return item if is_labelled_text(item, text) else None
    if isinstance(item, Mapping):
        strings = [one for one in item.values() if isinstance(one, str)]
        keys = [key for key, one in item.items() if isinstance(one, str) and one not in text]
        if not any(_bare(str(key)) in _ROW_LABEL_KEYS | {"entitygroup", "entity"} for key in keys):
            return None
    elif isinstance(item, (list, tuple)) and len(item) == 2:
        strings = [one for one in item if isinstance(one, str)]
        if len(strings) < 2 or not any(re.fullmatch(_LABEL, one) for one in strings):
            return None
    else:
        return None
    words = [one for one in strings if _is_there(one, text)]
    return words[0] if len(words) == 1 and len(strings) > 1 else None


def _place_of_label(part: str, text: str) -> str | None:
    """Return where the label of "PER: Ada" stands: "first" or "last"; None without one."""
    first = re.fullmatch(rf"({_LABEL}){_ARROW}(.+)", part)
    if first and _is_there(first[2].strip("\"' "), text) and not _is_there(first[1], text):
        return "first"
    last = re.fullmatch(rf"(.+?){_ARROW}({_LABEL})", part)
    if last and _is_there(last[1].strip("\"' "), text) and not _is_there(last[2], text):
        return "last"
    return None


def _are_words(value: Any, text: str) -> bool:
    if not isinstance(value, (list, tuple)) or not value or not _are_strings(value):
        return False
    return all(_is_there(one, text) for one in value) and not _cover(value, text)


def _cover(words: Sequence[str], text: str) -> bool:
    """Return whether words are those of a whole text: its tokens, or the text itself."""
    return "".join("".join(words).split()) == "".join(text.split())


def _are_strings(value: Sequence[Any]) -> bool:
    return all(isinstance(one, str) for one in value)


def _is_there(words: str, text: str) -> bool:
    """Return whether whole words stand in a text."""
    if not words.strip() or words not in text:
        return False
    return re.search(rf"(?<!\w){re.escape(words)}(?!\w)", text) is not None


def _is_common(bare: str) -> bool:
    return bare in COMMON_LABELS or bare.removesuffix("s") in COMMON_LABELS


def _is_label(key: str, labels: Sequence[str]) -> bool:
    return bool(labels) and key.casefold() in {one.casefold() for one in labels}


@lru_cache(maxsize=4096)
def _bare(key: str) -> str:
    return _BARE.sub("", key).lower()
