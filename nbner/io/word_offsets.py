"""Spans whose offsets count words, beside the list of the words: GLiNER's and SpERT's files.

GLiNER's training data (``tokenized_text`` and ``ner``) have inclusive ends, those
of SpERT (``tokens`` and ``entities`` with ``type``) exclusive ones. Of others the
spans' own texts decide; without them they are refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nbner._common.alignment import join_words
from nbner.io.rows import SourceLocation
from nbner.io.span_shapes import SpanLayer, layer_of
from nbner.types import Span

_WORD_KEYS = ("tokenized_text", "tokens", "words", "token", "sentence")
_SPAN_KEYS = ("ner", "entities", "entity_mentions", "mentions", "ents")


def with_characters(row: Mapping[str, Any], location: SourceLocation) -> dict[str, Any] | None:
    """Convert a row of words with spans in words to one with a text, tokens and spans.

    Parameters
    ----------
    row : mapping
        A row without a text.
    location : SourceLocation
        File and line of the row, for messages.

    Returns
    -------
    dict or None
        None where the row is none of these, or nothing says how its ends count.

    Raises
    ------
    DataError
        The offsets are outside of the words, or contradict the spans' own texts.
    """
    word_keys = [key for key in _WORD_KEYS if _are_words(row.get(key))]
    span_keys = [key for key in _SPAN_KEYS if isinstance(row.get(key), (list, tuple))]
    if len(word_keys) != 1 or len(span_keys) != 1:
        return None
    words, found = list(row[word_keys[0]]), row[span_keys[0]]
    layer = layer_of(found, (span_keys[0],), None) if found else SpanLayer((), (), "")
    if layer is None or layer.problem is not None:
        return None
    added = _added_to_end(word_keys[0], span_keys[0], found, layer, words)
    if added is None:
        return None
    text, tokens = join_words(words)
    spans = []
    for i, one in enumerate(layer.spans):
        start, end = one.start, one.end + added
        own = " ".join(words[start:end]) if 0 <= start < end <= len(words) else None
        if own is None or (one.text is not None and one.text != own):
            raise location.error(
                f"{layer.shown} looks like a span in words, but words {one.start} to {one.end} "
                f"({'the last included' if added else 'the last excluded'}) are "
                + (f"not in a list of {len(words)}" if own is None else f"{own!r}"),
                field=f"{span_keys[0]}[{i}]",
                remedy="Give offsets in characters under 'spans', beside the text under 'text'",
            )
        spans.append(Span(tokens[start].start, tokens[end - 1].end, one.label, extra=one.extra))
    rest = {key: one for key, one in row.items() if key not in (word_keys[0], span_keys[0])}
    places = [{"start": one.start, "end": one.end} for one in tokens]
    return {**rest, "text": text, "tokens": places, "spans": spans}


def _added_to_end(
    word_key: str, span_key: str, found: Sequence[Any], layer: SpanLayer, words: Sequence[str]
) -> int | None:
    """Return 1 for inclusive ends and 0 for exclusive ones; None where nothing says it."""
    if (word_key, span_key) == ("tokenized_text", "ner"):
        return 1
    if (word_key, span_key) == ("tokens", "entities") and all(
        isinstance(one, Mapping) and {"type", "start", "end"} <= one.keys() for one in found
    ):
        return 0
    if not layer.spans or any(one.text is None for one in layer.spans):
        return None
    fitting = [
        added
        for added in (0, 1)
        if all(" ".join(words[one.start : one.end + added]) == one.text for one in layer.spans)
    ]
    return fitting[0] if len(fitting) == 1 else None


def _are_words(value: Any) -> bool:
    return (
        isinstance(value, (list, tuple))
        and bool(value)
        and all(isinstance(one, str) and one and not one.isspace() for one in value)
    )
