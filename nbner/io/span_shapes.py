"""Spans in the shapes in which other tools keep them.

A shape is recognized by its values, not by the name of its key: a list of
``[start, end, label]``, of objects with offsets and a label under any of the
usual names, a mapping from labels to offsets, columns, or one of these written
as text. ``find_layers`` finds all of them in an object, however deep.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nbner.io.iob import is_tag, tags_to_spans
from nbner.io.label_keys import words_with_labels
from nbner.io.literals import NOT_A_VALUE, looks_like_literal, parse_literal
from nbner.io.offsets import RawOffsets, resolve_offsets
from nbner.io.span_parsing import (
    FoundSpan,
    HiddenLabelError,
    Keys,
    UnreadableSpanError,
    items_of,
    parse_span,
    to_plain,
)
from nbner.types import Span

_MAX_DEPTH = 8
_SHOWN = 60  # characters of a value in a message

# Words in the keys of spans: under these, a damaged span is an error, not some other value.
_SPAN_KEYS = re.compile(
    r"(?:^|[_.\W])(ent|ents|entity|entities|span|spans|ner|annotation|annotations|mention|mentions|"
    r"label|labels|named_?entities|highlights?)(?:$|[_.\W])",
    re.IGNORECASE,
)
_ENTITY_KEYS = re.compile(
    r"(?:^|[_.\W])(ents|entity|entities|spans|ner|mentions|named_?entities)(?:$|[_.\W])",
    re.IGNORECASE,
)
_PREDICTION_KEYS = re.compile(r"predict|prediction|suggest|model_?output|^preds?$", re.IGNORECASE)
# Objects with offsets that are no entities.
_OTHER_KEYS = frozenset(("relations", "relation", "sents", "tokens", "noun_chunks"))

_UNITS = frozenset(
    (
        "sentences",
        "paragraphs",
        "keywords",
        "topics",
        "segments",
        "lines",
        "words",
        "links",
        "urls",
        "sections",
        "pages",
    )
)
# How a language model writes a value into its answer.
_FENCE = re.compile(r"\s*```\w*\s*\n(.*?)\s*```\s*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class SpanLayer:
    """All spans under one key.

    Parameters
    ----------
    keys : tuple of str or int
        The keys and positions that lead to them.
    spans : tuple of FoundSpan
        The spans, in the order of the file.
    shown : str
        The first of them as the file has it, shortened.
    problem : str, optional
        Why they cannot be read.
    """

    keys: Keys
    spans: tuple[FoundSpan, ...]
    shown: str
    problem: str | None = None

    @property
    def path(self) -> str:
        """The keys in one name, such as ``result.entities[0]``."""
        return path_of(self.keys)

    @property
    def is_prediction(self) -> bool:
        """Whether a key says that these are a model's suggestions."""
        return any(isinstance(key, str) and _PREDICTION_KEYS.search(key) for key in self.keys)

    @property
    def annotators(self) -> list[str]:
        """The authors of the spans, each once."""
        return list(dict.fromkeys(one.annotator for one in self.spans if one.annotator))

    def resolve(
        self,
        text: str,
        *,
        words: Sequence[tuple[int, int]] | None = None,
        certain: bool = False,
    ) -> list[Span]:
        """Convert the spans to code points.

        Parameters
        ----------
        text : str
            The text that they belong to.
        words : sequence of (int, int), optional
            The words that offsets may count.
        certain : bool
            Whether offsets are code points by the definition of the format.

        Raises
        ------
        UnclearOffsetsError
            The offsets contradict the text, or their convention is unclear.
        """
        raw = [
            RawOffsets(one.start, one.start + one.end if one.is_length else one.end, one.text)
            for one in self.spans
        ]
        places = resolve_offsets(text, raw, words=words, certain=certain)
        tags = [one.label for one in self.spans]
        if (
            len(tags) > 0
            and any(tag[:2] in ("B-", "I-") for tag in tags)
            and all(map(is_tag, tags))
        ):
            return _joined_pieces(text, places, tags)
        return [
            Span(start, end, one.label, one.source, one.score, _extra_of(one, start, end))
            for one, (start, end) in zip(self.spans, places, strict=True)
        ]


def path_of(keys: Keys) -> str:
    """Return keys and positions as one name.

    Parameters
    ----------
    keys : tuple of str or int
        The keys and positions that lead to a value.
    """
    parts = (f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys)
    return "".join(parts).removeprefix(".")


def shorten(value: object) -> str:
    """Return the ``repr`` of a value, cut to the length of a message.

    Parameters
    ----------
    value : object
        Any value.
    """
    shown = repr(value)
    return shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}..."


def find_layers(value: Any, keys: Keys, text: str | None) -> Iterator[SpanLayer]:
    """Yield all values inside of a value that look like spans.

    Parameters
    ----------
    value : object
        The value of a key; text is parsed where it holds a list or a mapping.
    keys : tuple of str or int
        The keys that lead to it.
    text : str, optional
        The text that spans may belong to.
    """
    if isinstance(value, str):
        value = _parsed(value)
    if value is None or isinstance(value, (str, int, float)):
        return
    found = layer_of(value, keys, text)
    if found is not None:
        yield found
        return
    if len(keys) >= _MAX_DEPTH or (keys and keys[-1] in _OTHER_KEYS):
        return
    if isinstance(value, Mapping):
        for key, one in value.items():
            yield from find_layers(one, (*keys, str(key)), text)
    elif isinstance(value, (list, tuple)):
        for i, one in enumerate(value):
            yield from find_layers(one, (*keys, i), text)


def layer_of(value: Any, keys: Keys, text: str | None) -> SpanLayer | None:
    """Return the spans that a value is, not those inside of it; None if it is none.

    Parameters
    ----------
    value : object
        A list, a mapping, or text that holds one.
    keys : tuple of str or int
        The keys that lead to it.
    text : str, optional
        The text that spans may belong to.
    """
    if isinstance(value, str):
        value = _parsed(value)
    value = to_plain(value)
    items = items_of(value)
    if not items and isinstance(value, Mapping):
        missing = _without_offsets(value, (), keys, text)
        return None if missing is None else SpanLayer(keys, (), shorten(value), missing)
    if not items or not _may_be_spans(items):
        return None
    named = _SPAN_KEYS.search(path_of(keys)) is not None
    is_other = any(key in _UNITS for key in keys)
    spans: list[FoundSpan] = []
    problem: str | None = None
    for item in items:
        try:
            one = parse_span(item, text)
        except UnreadableSpanError as error:
            problem, one = problem or str(error), None
            named = named or (isinstance(error, HiddenLabelError) and not is_other)
        if one is not None:
            spans.append(one)
    if len(spans) == len(items):
        return SpanLayer(keys, tuple(spans), shorten(items[0]))
    if spans:
        problem = problem or "not every item is a span"
    elif problem is None or not named:
        problem = _without_offsets(value, items, keys, text)
    return None if problem is None else SpanLayer(keys, (), shorten(items[0]), problem)


def _without_offsets(value: Any, items: Sequence[Any], keys: Keys, text: str | None) -> str | None:
    """Return what is missing in values under an entity's key that name words of the text."""
    if text is None or any(key in _UNITS for key in keys):
        return None
    if words_with_labels(value, text):
        return "words have labels and no offsets"
    if not any(isinstance(key, str) and _ENTITY_KEYS.search(key) for key in keys):
        return None
    for item in items:
        words = _strings(item)
        if len(words) > 1 and any(one and one in text for one in words):
            return "words have labels and no offsets"
    if isinstance(value, Mapping):
        for words in value.values():
            if any(one and one in text for one in _strings(words)):
                return "words have labels and no offsets"
    return None


def _strings(item: Any) -> list[str]:
    item = to_plain(item)
    if isinstance(item, Mapping):
        return [one for one in item.values() if isinstance(one, str)]
    if isinstance(item, (list, tuple)):
        return [one for one in item if isinstance(one, str)]
    return []


def _may_be_spans(items: Sequence[Any]) -> bool:
    return any(
        isinstance(one, (Mapping, list, tuple, Span)) or hasattr(one, "start_char") for one in items
    )


def _joined_pieces(text: str, places: Sequence[tuple[int, int]], tags: Sequence[str]) -> list[Span]:
    """Join the pieces of entities whose labels are tags, as token classifiers give them."""
    ordered = sorted(zip(places, tags, strict=True))
    spans: list[Span] = []
    run: list[tuple[tuple[int, int], str]] = []
    for place, tag in ordered:
        if run and text[run[-1][0][1] : place[0]].strip():
            spans.extend(_spans_of_run(run))
            run = []
        run.append((place, tag))
    return [*spans, *_spans_of_run(run)]


def _spans_of_run(run: Sequence[tuple[tuple[int, int], str]]) -> list[Span]:
    return [
        Span(run[start][0][0], run[end - 1][0][1], label)
        for start, end, label in tags_to_spans([tag for _, tag in run])
    ]


def _extra_of(span: FoundSpan, start: int, end: int) -> dict[str, Any]:
    if not span.pieces or (start, end) != (span.start, span.end):
        return dict(span.extra)
    return {**span.extra, "_pieces": [list(pair) for pair in span.pieces]}


def _parsed(value: str) -> Any:
    fenced = _FENCE.fullmatch(value)
    value = value if fenced is None else fenced[1]
    if not looks_like_literal(value):
        return None
    found = parse_literal(value)
    return None if found is NOT_A_VALUE else found
