"""Spans whose offsets count words, beside the words: GLiNER's, SpERT's and DyGIE++'s files.

GLiNER's training data (``tokenized_text`` and ``ner``) have inclusive ends, those
of SpERT (``tokens`` and ``entities`` with ``type``) exclusive ones. DyGIE++ (also
SciERC, PURE, PL-Marker: ``sentences`` and ``ner``, each a list for each sentence)
has inclusive ends that count the words of the whole document. Of others the spans'
own texts decide; without them they are refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nbner._common.alignment import join_words
from nbner.io.rows import SourceLocation
from nbner.io.span_shapes import SpanLayer, layer_of, shorten
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
    if _are_sentences(row.get("sentences")) and isinstance(row.get("ner"), (list, tuple)):
        return _document_with_characters(row, location)
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


def _document_with_characters(row: Mapping[str, Any], location: SourceLocation) -> dict[str, Any]:
    """Convert a document of DyGIE++: its sentences are joined by spaces to one text."""
    sentences, found = row["sentences"], row["ner"]
    if len(found) != len(sentences):
        raise location.error(
            f"there are {len(sentences)} sentences and {len(found)} lists of spans",
            field="ner",
            remedy="Give one list for each sentence, an empty one where it has no span",
        )
    text, tokens = join_words([word for sentence in sentences for word in sentence])
    spans: list[Span] = []
    first = 0
    for i, (sentence, some) in enumerate(zip(sentences, found, strict=True)):
        end = first + len(sentence)
        for k, one in enumerate(some):
            field = f"ner[{i}][{k}]"
            layer = layer_of([one], (field,), None)
            if layer is None or layer.problem is not None:
                raise location.error(
                    f"{shorten(one)} is no span",
                    field=field,
                    remedy="A span is [first word, last word, label], as in [0, 1, 'PER']",
                )
            (span,) = layer.spans
            if not first <= span.start <= span.end < end:
                raise location.error(
                    f"words {span.start} to {span.end} (the last included) are not in sentence "
                    f"{i + 1} of the document, which has the words {first} to {end - 1}",
                    field=field,
                    remedy="Count the words over the whole document, from 0, as DyGIE++ does; or "
                    "give a row for each sentence, {'tokenized_text': words, 'ner': spans}",
                )
            spans.append(Span(tokens[span.start].start, tokens[span.end].end, span.label))
        first = end
    rest = {key: one for key, one in row.items() if key not in ("sentences", "ner")}
    places = [{"start": one.start, "end": one.end} for one in tokens]
    known = {key: row[key] for key in ("doc_key", "dataset") if key in row}
    meta = row["meta"] if isinstance(row.get("meta"), Mapping) else {}
    return {**rest, "text": text, "tokens": places, "spans": spans, "meta": {**known, **meta}}


def unread_of_document(row: Mapping[str, Any]) -> list[str]:
    """Return what a document of DyGIE++ holds beside its entities, in words.

    Parameters
    ----------
    row : mapping
        A row that `with_characters` has converted, as it was before.
    """
    if not _are_sentences(row.get("sentences")):
        return []
    return [
        f"the {key} of the document are not read: nbner labels entities"
        for key in ("relations", "events", "clusters")
        if isinstance(row.get(key), (list, tuple)) and any(row[key])
    ]


def _are_sentences(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and bool(value) and all(map(_are_words, value))


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
