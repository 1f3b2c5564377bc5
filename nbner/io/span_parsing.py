"""Single spans in the shapes in which other tools keep them, and the items of whole values.

A span is ``[start, end, label]`` in any order, or an object with offsets and a
label under any of the usual names. A whole value is a list of them, a mapping
from or to labels, or columns.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from nbner.io.annotators import annotator_in
from nbner.io.offsets import RawOffsets, UnclearOffsetsError, resolve_offsets
from nbner.io.validation import is_int, is_number
from nbner.types import Span

Keys: TypeAlias = "tuple[str | int, ...]"

_MAX_OFFSET = 10**8  # larger numbers are times

_NAME = re.compile(r"[\w &'.-]{1,40}")

_START = re.compile(r"^(start|begin|beg|from)|(start|begin)$")
_END = re.compile(r"^(end|stop|to$|until$)|(end|stop)$")
_LENGTH = frozenset(("length", "len"))
_PAIR = frozenset(
    (
        *(
            "span",
            "spans",
            "offset",
            "offsets",
            "range",
            "indices",
            "index",
            "position",
            "positions",
        ),
        *("location", "locations", "loc", "interval", "extent", "charspan", "chars", "char"),
    )
)
_OTHER_UNIT = re.compile(r"tok|word|line|sent|page|time|\bat$|edat$")
_LABELS = (
    *("label", "labels", "entitygroup", "entitytype", "enttype", "nertag", "ner", "netype"),
    *(
        "entitylabel",
        "labelname",
        "tag",
        "tags",
        "type",
        "types",
        "entity",
        "category",
        "categories",
    ),
    *("class", "classname", "classid", "displayname", "kind", "concept", "semantictype", "tagname"),
    *("annotationtype", "spanlabel", "spantype", "lbl", "cls", "name"),
)
# "type" may say what kind of object this is.
_KINDS = frozenset(
    ("span", "entity", "labels", "annotation", "ner", "namedentity", "textannotation", "label")
)
_TEXTS = (
    *("text", "word", "surface", "surfaceform", "mention", "value", "content", "string", "phrase"),
    *(
        "result",
        "chunk",
        "coveredtext",
        "spantext",
        "entitytext",
        "quote",
        "exact",
        "ngram",
        "match",
        "matchedtext",
    ),
    *("substring", "term", "token", "name", "entity", "form", "span"),
)


@dataclass(frozen=True, slots=True)
class FoundSpan:
    """One span as a file has it, before its offsets are checked.

    Parameters
    ----------
    start, end : int
        Offsets of an unknown convention; the end may be a length.
    label : str
        The label.
    text : str, optional
        The text that the file has beside them.
    is_length : bool
        Whether ``end`` is a length by the name of its key.
    pieces : tuple of (int, int)
        Offsets of a span in several pieces.
    annotator : str, optional
        The author of this span.
    source : str, optional
        Origin of a suggestion.
    score : float, optional
        Confidence of a suggestion.
    extra : mapping
        The other keys.
    """

    start: int
    end: int
    label: str
    text: str | None = None
    is_length: bool = False
    pieces: tuple[tuple[int, int], ...] = ()
    annotator: str | None = None
    source: str | None = None
    score: float | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


class UnreadableSpanError(ValueError):
    """A value that looks like a span and lacks something."""


class HiddenLabelError(UnreadableSpanError):
    """Offsets with what may be a label: a number, or a name under an unknown key."""


class NoLabelError(UnreadableSpanError):
    """Offsets without any label."""


def parse_span(item: Any, text: str | None = None) -> FoundSpan | None:
    """Return the span that an object is; None if it has no offsets.

    Parameters
    ----------
    item : object
        A ``Span``, a list or a mapping.
    text : str, optional
        The text that it may belong to.

    Raises
    ------
    UnreadableSpanError
        It has offsets, and no label that is certain.
    """
    if isinstance(item, Span):
        extra = dict(item.extra)
        return FoundSpan(
            item.start, item.end, item.label, source=item.source, score=item.score, extra=extra
        )
    if hasattr(item, "start_char") and hasattr(item, "label_"):
        return FoundSpan(item.start_char, item.end_char, item.label_, item.text)
    item = to_plain(item)
    if isinstance(item, Mapping):
        return _from_mapping(item, text)
    if isinstance(item, (list, tuple)):
        return _from_list(item, text)
    return None


# Lists: [start, end, label], [label, start, end], [label, [start, end]] and others.


def _from_list(item: Sequence[Any], text: str | None) -> FoundSpan | None:
    offsets = [one for one in item if _is_offset(one)]
    pieces = [pair for one in item for pair in _pairs(one)]
    strings = [one for one in item if isinstance(one, str) and not _is_offset(one)]
    scores = [one for one in item if isinstance(one, float) and not _is_offset(one)]
    known = len(offsets) + len(strings) + len(scores) + sum(bool(_pairs(one)) for one in item)
    others = [one for one in item if one is None or isinstance(one, (Mapping, list))]
    if known + sum(not _pairs(one) for one in others) < len(item):
        return None
    if len(offsets) == 2 and not pieces:
        pieces = [(_int(offsets[0]), _int(offsets[1]))]
    elif offsets or not pieces:
        if len(offsets) == 3 and len(item) == 3 and not strings:
            raise UnreadableSpanError("numbers stand where the labels should be")
        return None
    if not strings:
        if len(item) == 2 and offsets:
            raise UnreadableSpanError("the offsets have no label")
        return None
    start, end = pieces[0][0], pieces[-1][1]
    label, own = _label_and_text(strings, (start, end), text)
    several = tuple(pieces) if len(pieces) > 1 else ()
    return FoundSpan(start, end, label, own, pieces=several, score=next(iter(scores), None))


def _label_and_text(
    strings: Sequence[str], place: tuple[int, int], text: str | None
) -> tuple[str, str | None]:
    """Separate the label from the span's own text, which stands in the text near the offsets."""
    if len(strings) == 1:
        return strings[0], None
    labels = [one for one in strings if not re.fullmatch(r"T\d+", one)] or list(strings)
    if len(labels) == 1:
        return labels[0], None
    own = [one for one in labels if text is not None and _is_there(text, one, place)]
    rest = [one for one in labels if one not in own]
    if len(own) == 1 and len(rest) == 1:
        return rest[0], own[0]
    raise UnreadableSpanError(f"which of {', '.join(map(repr, labels))} is the label is unclear")


def _is_there(text: str, own: str, place: tuple[int, int]) -> bool:
    try:
        resolve_offsets(text, [RawOffsets(*place, own)])
    except UnclearOffsetsError:
        return False
    return True


def _pairs(value: Any) -> list[tuple[int, int]]:
    """Return a pair of offsets, or a list of pairs, as a list of pairs; else an empty list."""
    value = to_plain(value)
    if not isinstance(value, (list, tuple)) or not value:
        return []
    if len(value) == 2 and all(map(_is_offset, value)):
        return [(_int(value[0]), _int(value[1]))]
    inner = [_pairs(one) if isinstance(to_plain(one), (list, tuple)) else [] for one in value]
    return [pair for one in inner for pair in one] if all(len(one) == 1 for one in inner) else []


# Mappings: {"start": 0, "end": 4, "label": "ORG"} under the names of many tools.


@dataclass(frozen=True, slots=True)
class _Entry:
    """A value inside of a mapping, with its key in lower case and without marks."""

    name: str
    keys: Keys
    value: Any


def _from_mapping(item: Mapping[Any, Any], text: str | None) -> FoundSpan | None:
    entries = list(_entries(item))
    place = _place(entries)
    if place is None:
        return None
    start, end, is_length, used, pieces = place
    own_entry = _own_text(entries, start, end, text, is_length=is_length)
    own = None if own_entry is None else _joined_text(own_entry.value)
    if end is None:
        if own is None:
            return None
        end, is_length = len(own), True
    labels, label_entry = _label(entries, own_entry)
    used = [*used, *(one for one in (own_entry, label_entry) if one is not None)]
    if len(labels) > 1:
        raise UnreadableSpanError(f"a span has several labels: {', '.join(labels)}")
    top = {one.keys[0] for one in used}
    extra = {str(key): one for key, one in item.items() if str(key) not in top}
    source = extra.pop("source") if isinstance(extra.get("source"), str) else None
    score = float(extra.pop("score")) if is_number(extra.get("score")) else None
    return FoundSpan(
        *(start, end, labels[0], own, is_length, pieces),
        annotator=annotator_in(item),
        source=source,
        score=score,
        extra=extra,
    )


def _entries(item: Mapping[Any, Any], keys: Keys = ()) -> Iterator[_Entry]:
    for key, value in item.items():
        here = (*keys, str(key))
        plain = to_plain(value)
        if isinstance(plain, Mapping) and len(keys) < 3:
            yield from _entries(plain, here)
        elif _is_list_of_one_mapping(plain) and len(keys) < 3:
            yield from _entries(plain[0], here)
        else:
            name = _bare(str(key))
            parent = _bare(str(keys[-1])) if keys else ""
            is_label = parent in _LABELS and name in ("value", "name", "title")
            is_label = is_label and not any(_is_place_key(_bare(str(one))) for one in item)
            yield _Entry(parent if is_label else name, here, plain)


def _is_place_key(name: str) -> bool:
    return name in _PAIR or _START.search(name) is not None or "offset" in name


def _is_list_of_one_mapping(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and len(value) == 1 and isinstance(value[0], Mapping)


_PlaceFound: TypeAlias = (
    "tuple[int, int | None, bool, list[_Entry], tuple[tuple[int, int], ...]] | None"
)


def _place(entries: Sequence[_Entry]) -> _PlaceFound:
    """Find the offsets: start, end (None where it is missing), entries, pieces."""
    numbers = [one for one in entries if _is_offset(one.value) and not _OTHER_UNIT.search(one.name)]
    starts = [one for one in numbers if _START.search(one.name) or one.name == "offset"]
    if len({one.name for one in starts}) < len(starts):
        return None  # several spans
    start = _best([one for one in starts if one.name != "offset"])
    end = _best([one for one in numbers if _END.search(one.name)])
    if start is not None and end is not None:
        return _int(start.value), _int(end.value), False, [start, end], ()
    length = next((one for one in numbers if one.name in _LENGTH), None)
    start = start or next((one for one in numbers if "offset" in one.name), None)
    if start is not None and length is not None:
        return _int(start.value), _int(length.value), True, [start, length], ()
    # In upper case LOC is a label.
    named = [one for one in entries if one.name in _PAIR and not str(one.keys[-1]).isupper()]
    found = [(one, pairs) for one in named if (pairs := _pairs(one.value))]
    if len({one.keys[:-1] for one, _ in found}) > 1:
        return None  # several spans
    for one, pairs in found:
        pieces = tuple(pairs) if len(pairs) > 1 else ()
        return pairs[0][0], pairs[-1][1], False, [one], pieces
    return None if start is None else (_int(start.value), None, False, [start], ())


def _best(entries: list[_Entry]) -> _Entry | None:
    """Prefer offsets that are named as characters, then as offsets."""
    ranked = sorted(entries, key=lambda one: ("char" not in one.name, "offset" not in one.name))
    return ranked[0] if ranked else None


def _own_text(
    entries: Sequence[_Entry], start: int, end: int | None, text: str | None, *, is_length: bool
) -> _Entry | None:
    """Find the span's own text: under a usual name, and not the label."""
    last = None if end is None else start + end if is_length else end
    strings = {one.name: one for one in reversed(entries) if _joined_text(one.value) is not None}
    named = [strings[name] for name in _TEXTS if name in strings]
    certain = named[0] if named and named[0].name in _TEXTS[:-6] else None
    if text is not None and last is not None:
        for one in named:
            if one.name not in _LABELS[:2] and _is_there(
                text, _joined_text(one.value) or "", (start, last)
            ):
                return one
    return certain


def _joined_text(value: Any) -> str | None:
    if isinstance(value, (list, tuple)) and value and all(isinstance(one, str) for one in value):
        return " ".join(value) if len(value) > 1 else value[0]
    return value if isinstance(value, str) and value else None


def _label(entries: Sequence[_Entry], own: _Entry | None) -> tuple[list[str], _Entry]:
    """Find the label; several labels of one key are returned as they are."""
    found: dict[str, tuple[list[str], _Entry]] = {}
    for one in entries:
        if one is own or one.name not in _LABELS or one.name in found:
            continue
        labels = _label_values(one.value)
        if labels and not (one.name in ("type", "kind", "name") and _bare(labels[0]) in _KINDS):
            found[one.name] = (labels, one)
    ranked = [found[name] for name in _LABELS if name in found]
    if not ranked:
        raise _no_label(entries, own)
    certain = [one for one in ranked if one[1].name in _LABELS[:10]]
    if certain:
        return certain[0]
    others = [one for one in ranked if one[1].name != "name" or len(ranked) == 1]
    if len({tuple(labels) for labels, _ in others}) > 1:
        names = " and ".join(repr(entry.keys[-1]) for _, entry in others)
        raise UnreadableSpanError(f"which of {names} is the label is unclear")
    return others[0]


def _no_label(entries: Sequence[_Entry], own: _Entry | None) -> UnreadableSpanError:
    numbers = [one for one in entries if one.name in _LABELS and is_int(one.value)]
    if numbers:
        return HiddenLabelError(f"the label is a number ({numbers[0].value}) without a name")
    strings = [one for one in entries if one is not own and isinstance(one.value, str)]
    rest = [one for one in strings if _NAME.fullmatch(one.value) and not _is_offset(one.value)]
    if rest:
        return HiddenLabelError(f"the label may be under {rest[0].keys[-1]!r}")
    return NoLabelError("the offsets have no label")


def _label_values(value: Any) -> list[str]:
    value = to_plain(value)
    if isinstance(value, str):
        return [value] if value.strip() else []
    if isinstance(value, (list, tuple)) and all(isinstance(one, str) for one in value):
        return [one for one in value if one.strip()]
    return []


# Whole values: lists of spans, mappings from or to labels, columns.


def items_of(value: Any) -> list[Any]:
    """Return the items of a value that may be spans; a mapping is brought into items.

    Parameters
    ----------
    value : object
        A list, a mapping or any other value.
    """
    if isinstance(value, (list, tuple)):
        if _is_flat_span(value):
            return [value]
        return [to_plain(one) for one in value]
    if not isinstance(value, Mapping) or not value:
        return []
    columns = _from_columns(value)
    if columns:
        return columns
    by_label = _from_labels(value)
    if by_label:
        return by_label
    if all(isinstance(one, Mapping) for one in value.values()):
        items = list(value.values())
        if all(_has_place(one) for one in items):
            return items
    return [value] if _has_place(value) else []


def _is_flat_span(value: Sequence[Any]) -> bool:
    """Return whether a list is one span and not several: two offsets and a label."""
    if len(value) == 2:
        first, second = (value[0], value[1]) if _pairs(value[0]) else (value[1], value[0])
        return len(_pairs(first)) == 1 and isinstance(second, str) and not _is_offset(second)
    numbers = [is_int(one) and _is_offset(one) for one in value]
    others = [isinstance(one, (str, float)) for one in value]
    has_label = any(isinstance(one, str) for one in value)
    return (
        3 <= len(value) <= 5 and sum(numbers) == 2 and has_label and sum(others) + 2 == len(value)
    )


def _has_place(value: Mapping[Any, Any]) -> bool:
    found = _place(list(_entries(value)))
    return found is not None and found[1] is not None


def _from_columns(value: Mapping[Any, Any]) -> list[Any]:
    """Return the items of {"start": [0], "end": [4], "label": ["ORG"]}."""
    lists = {str(key): to_plain(one) for key, one in value.items()}
    columns = {key: one for key, one in lists.items() if isinstance(one, (list, tuple)) and one}
    labels = [one for key, one in columns.items() if _bare(key) in _LABELS]
    if not labels or len(columns) < 2:
        return []
    rows: list[dict[str, Any]] = [{} for _ in labels[0]]
    for key, cells in columns.items():
        if len(cells) == len(rows):
            for row, cell in zip(rows, cells, strict=True):
                row[key] = cell
    return rows if all(map(_has_place, rows)) else []


def _from_labels(value: Mapping[Any, Any]) -> list[Any]:
    """Return the items of {"ORG": [[0, 4]]}, of {(0, 4): "ORG"} and of {"0:4": "ORG"}."""
    if all(isinstance(one, str) for one in value.values()):
        places = [_place_in_key(key) for key in value]
        if all(place is not None for place in places):
            return [
                [*place, label]
                for place, label in zip(places, value.values(), strict=True)
                if place is not None
            ]
        return []
    items: list[Any] = []
    for label, places in value.items():
        found = _labelled(label, to_plain(places))
        if found is None:
            return []
        items.extend(found)
    return items


def _labelled(label: Any, places: Any) -> list[Any] | None:
    if not isinstance(label, str) or not label.strip():
        return None
    if label.islower() and _bare(label) in _PAIR:
        return None
    pairs = _pairs(places)
    if pairs:
        return [[start, end, label] for start, end in pairs]
    if not isinstance(places, (list, tuple)) or not places or not all(map(_lacks_label, places)):
        return None
    return [{**one, "label": label} for one in places]


def _lacks_label(value: Any) -> bool:
    """Return whether a mapping has offsets and no label, so that a key may be its label."""
    if not isinstance(value, Mapping) or not _has_place(value):
        return False
    try:
        parse_span(value)
    except NoLabelError:
        return True
    except UnreadableSpanError:
        return False
    return False


def _place_in_key(key: Any) -> tuple[int, int] | None:
    if isinstance(key, tuple) and len(key) == 2 and all(map(is_int, key)):
        return int(key[0]), int(key[1])
    found = re.fullmatch(r"\W*(\d+)\W+(\d+)\W*", key) if isinstance(key, str) else None
    return None if found is None else (int(found[1]), int(found[2]))


def _bare(key: str) -> str:
    return re.sub(r"[\W_]", "", key).lower()


def _is_offset(value: Any) -> bool:
    if isinstance(value, bool):
        return False
    if isinstance(value, str):
        return value.isdecimal() and len(value) < 9
    if isinstance(value, float):
        return value.is_integer() and abs(value) < _MAX_OFFSET
    return is_int(value) and abs(int(value)) < _MAX_OFFSET


def _int(value: Any) -> int:
    return int(value)


def to_plain(value: Any) -> Any:
    """Convert an array of NumPy to a list.

    Parameters
    ----------
    value : object
        Any value.
    """
    return value.tolist() if hasattr(value, "tolist") else value
