"""Objects that hold several texts, or a text and its annotations as a pair.

spaCy's training data in Python (``(text, {"entities": [...]})``) and in the JSON
of version 2 (``paragraphs``), lists of tagged words, and files with a list of
such pairs under ``annotations``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from nbner._common.alignment import join_words, tokens_from_words
from nbner.io.iob import is_tag, tags_to_spans
from nbner.io.row_errors import RowErrors
from nbner.io.rows import SourceLocation
from nbner.io.span_shapes import layer_of, shorten
from nbner.io.validation import as_list, as_mapping, as_text

_MISSING_TAG = "-"  # in spaCy's JSON: not annotated


def looks_like(value: Mapping[str, Any]) -> bool:
    """Return whether an object holds paragraphs of spaCy's JSON, or pairs under a key.

    Parameters
    ----------
    value : mapping
        Any JSON object.
    """
    return isinstance(value.get("paragraphs"), list) or _pairs_of(value) is not None


def parts_of(
    value: Mapping[str, Any], location: SourceLocation, row_errors: RowErrors
) -> Iterator[dict[str, Any]]:
    """Yield the texts of an object, each as an object of its own.

    Parameters
    ----------
    value : mapping
        For which ``looks_like`` is true.
    location : SourceLocation
        File and line of the object, for messages.
    row_errors : RowErrors
        Takes the error of a single text.

    Raises
    ------
    DataError
        A key is missing or has the wrong type.
    """
    pairs = _pairs_of(value)
    if pairs is not None:
        for pair in pairs:
            if pair is not None:
                yield object_from_pair(pair, location)
        return
    for i, paragraph in enumerate(as_list(value["paragraphs"], "paragraphs", location)):
        found = _paragraphs(paragraph, value.get("id"), f"paragraphs[{i}]", location)
        yield from row_errors.guard(found)


def is_pair(value: object) -> bool:
    """Return whether a tuple is a text with its annotations, and not a list of texts.

    Parameters
    ----------
    value : object
        Any value.
    """
    if not isinstance(value, (list, tuple)) or len(value) != 2 or not isinstance(value[0], str):
        return False
    annotations = value[1]
    if isinstance(annotations, Mapping):
        return "text" not in annotations
    is_list = isinstance(annotations, (list, tuple))
    return is_list and (
        not annotations or layer_of(annotations, ("entities",), value[0]) is not None
    )


def object_from_pair(value: object, location: SourceLocation) -> dict[str, Any]:
    """Convert a text with its annotations, or words with their tags, to an object.

    Parameters
    ----------
    value : object
        A list or a tuple.
    location : SourceLocation
        File and line of the value, for messages.

    Raises
    ------
    DataError
        The value is neither.
    """
    if isinstance(value, (list, tuple)):
        if len(value) == 2 and isinstance(value[0], str):
            if isinstance(value[1], Mapping):
                return {**value[1], "text": value[0]}
            if is_pair(value):
                return {"text": value[0], "entities": list(value[1])}
        if len(value) == 2 and all(map(_is_words, value)):
            return {"tokens": list(value[0]), "ner_tags": list(value[1])}
        if value and all(map(_is_tagged_word, value)):
            return {"tokens": list(value)}
    raise location.error(
        f"this is {type(value).__name__}, not an object: {shorten(value)}",
        remedy='Each row is an object like {"text": "..."}, or a text and its annotations like '
        '["...", {"entities": [[0, 4, "ORG"]]}]',
    )


def _is_words(value: object) -> bool:
    return isinstance(value, (list, tuple)) and all(isinstance(one, (str, int)) for one in value)


def _is_tagged_word(value: object) -> bool:
    return (
        isinstance(value, (list, tuple))
        and 2 <= len(value) <= 5
        and all(isinstance(one, str) for one in value)
        and any(is_tag(one) for one in value[1:])
    )


def _pairs_of(value: Mapping[str, Any]) -> list[Any] | None:
    """Return the pairs of a file with a list of them under ``annotations`` or another key."""
    if "text" in value or "data" in value:
        return None
    for key in ("annotations", "examples", "data", "training_data", "TRAIN_DATA"):
        pairs = value.get(key)
        if not isinstance(pairs, list) or not any(pairs):
            continue
        if all(one is None or is_pair(one) for one in pairs):
            return pairs
    return None


def _paragraphs(
    paragraph: object, document: Any, field: str, location: SourceLocation
) -> Iterator[dict[str, Any]]:
    own = _from_paragraph(as_mapping(paragraph, field, location), field, location)
    yield own if document is None else {**own, "meta": {"id": document}}


def _from_paragraph(
    paragraph: Mapping[str, Any], field: str, location: SourceLocation
) -> dict[str, Any]:
    words: list[str] = []
    tags: list[str] = []
    sentences = as_list(paragraph.get("sentences") or [], f"{field}.sentences", location)
    for i, sentence in enumerate(sentences):
        name = f"{field}.sentences[{i}].tokens"
        parts = as_mapping(sentence, name, location)
        for token in as_list(parts.get("tokens") or [], name, location):
            cells = as_mapping(token, name, location)
            words.append(as_text(cells.get("orth"), f"{name}.orth", location))
            tags.append(as_text(cells.get("ner") or _MISSING_TAG, f"{name}.ner", location))
    raw = paragraph.get("raw")
    task: dict[str, Any] = {}
    if isinstance(raw, str) and raw.strip():
        with location.adding_field(f"{field}.raw"):
            tokens = tokens_from_words(raw, words) if words else None
        task["text"] = raw
    else:
        task["text"], tokens = join_words(words)
    if tokens is not None:
        task["tokens"] = [{"start": one.start, "end": one.end} for one in tokens]
    if isinstance(paragraph.get("entities"), list):
        return {**task, "entities": paragraph["entities"]}
    if tokens is None or all(tag == _MISSING_TAG for tag in tags):
        return task
    for tag in tags:
        if tag != _MISSING_TAG and not is_tag(tag):
            raise location.error(f"{tag!r} is not an entity tag", field=f"{field}.ner")
    if _MISSING_TAG not in tags:
        words_of = {"tokens": words, "ner_tags": tags}
        return {"text": task["text"], **words_of} if words else task
    known = [tag if tag != _MISSING_TAG else "O" for tag in tags]
    task["spans"] = [_span(tokens, *found) for found in tags_to_spans(known)]
    return task


def _span(tokens: Sequence[Any], start: int, end: int, label: str) -> dict[str, Any]:
    return {"start": tokens[start].start, "end": tokens[end - 1].end, "label": label}
