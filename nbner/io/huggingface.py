"""Token rows, as in Hugging Face's ``datasets``: words, and a tag for each of them.

``{"tokens": ["Ada", "lives"], "ner_tags": [1, 0]}``: tags are numbers, whose
names the dataset stores beside its rows, or the names themselves. A row may
contain its ``text``; otherwise the words are joined by single spaces.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from nbner._common.alignment import join_words
from nbner._common.format import plural
from nbner.io.annotators import annotator_name
from nbner.io.display_tokens import looks_like_model_tokens, tokens_from_display
from nbner.io.files import atomic_write, json_bytes
from nbner.io.gold_export import GoldExample
from nbner.io.iob import is_tag, spans_to_tags, tags_to_spans
from nbner.io.rows import Row, SourceLocation
from nbner.io.validation import as_mapping, as_text, as_time, check_answer, is_int, is_number
from nbner.types import Span, Token

_TAG_KEYS = ("ner_tags", "tags")
_OWN_KEYS = ("text", "tokens", "flagged", "note", "meta", *_TAG_KEYS)
_ANSWER_KEYS = ("answer", "_annotator_id", "_timestamp", "_session_id")


def looks_like(row: Mapping[str, Any]) -> bool:
    """Return whether an object is a row of words and tags.

    Parameters
    ----------
    row : mapping
        Any JSON object.
    """
    words, tags = row.get("tokens"), row.get(_tag_key(row))
    return (
        isinstance(words, (list, tuple))
        and isinstance(tags, (list, tuple))
        and all(isinstance(word, str) for word in words)
    )


def class_names_of(source: object) -> dict[str, tuple[str, ...]]:
    """Return the names that the numbers of a dataset stand for, column by column.

    Parameters
    ----------
    source : object
        A ``datasets.Dataset``, or any other object.

    Returns
    -------
    dict of str to tuple of str
        Empty where the object does not define any.
    """
    features = getattr(source, "features", None)
    if not isinstance(features, Mapping):
        return {}
    found = {}
    for key, feature in features.items():
        inner = feature[0] if isinstance(feature, list) and feature else feature
        names = getattr(getattr(inner, "feature", inner), "names", None)
        if names is not None:
            found[str(key)] = tuple(map(str, names))
    return found


def row_from_token_row(
    row: Mapping[str, Any], location: SourceLocation, tag_names: Sequence[str] | None = None
) -> Row:
    """Convert a token row to a row; it is complete gold, like a sentence of CoNLL.

    Parameters
    ----------
    row : mapping
        With ``tokens``, and ``ner_tags`` or ``tags``.
    location : SourceLocation
        File and line of the row, for messages.
    tag_names : sequence of str, optional
        The tags that numbers stand for.

    Raises
    ------
    DataError
        The numbers of tags and words differ, a number has no name, or a tag is
        invalid.
    """
    key = _tag_key(row)
    words = [as_text(word, f"tokens[{i}]", location) for i, word in enumerate(row["tokens"])]
    tags = [_tag(tag, tag_names, f"{key}[{i}]", location) for i, tag in enumerate(row[key])]
    if len(words) != len(tags):
        raise location.error(
            f"the row has {plural(len(words), 'token')} and {plural(len(tags), 'tag')}", field=key
        )
    text, tokens = _text_and_tokens(row, words, location)
    spans = tuple(
        Span(tokens[start].start, tokens[end - 1].end, label)
        for start, end, label in tags_to_spans(tags)
    )
    meta = as_mapping(row.get("meta") or {}, "meta", location)
    known = (*_OWN_KEYS, *_ANSWER_KEYS)
    other = {str(name): value for name, value in row.items() if name not in known}
    return Row(
        text=text,
        tokens=tokens,
        spans=spans,
        flagged=row.get("flagged") is True,
        note=as_text(row.get("note") or "", "note", location),
        meta={**other, **meta},
        answer=check_answer(row.get("answer"), location),
        annotator=annotator_name(row.get("_annotator_id")),
        created=(
            as_time(row["_timestamp"], "_timestamp", location)
            if is_number(row.get("_timestamp"))
            else None
        ),
        gold=True,
        file=location.file,
        line=location.line,
    )


def token_rows_from_gold(gold: Iterable[GoldExample]) -> Iterator[dict[str, Any]]:
    """Yield token rows with IOB2 tags, which ``row_from_token_row`` converts back.

    A row contains ``text`` only if its words joined by spaces are another text.

    Parameters
    ----------
    gold : iterable of GoldExample
        Consumed one by one.
    """
    for one in gold:
        example = one.example
        words = [token.text for token in one.tokens]
        columns = {key: value for key, value in example.meta.items() if key not in _OWN_KEYS}
        row: dict[str, Any] = {
            **columns,
            "tokens": words,
            _TAG_KEYS[0]: spans_to_tags(len(words), one.entities),
        }
        if " ".join(words) != example.text:
            row["text"] = example.text
        # Columns with the name of a key of the row itself.
        meta = {key: value for key, value in example.meta.items() if key in _OWN_KEYS}
        fields = {"meta": meta, "flagged": example.flagged, "note": example.note}
        yield row | {key: value for key, value in fields.items() if value}


def write(gold: Iterable[GoldExample], path: Path) -> int:
    """Write gold as one token row per line.

    Parameters
    ----------
    gold : iterable of GoldExample
        Consumed one by one.
    path : Path
        Replaced if it exists.

    Returns
    -------
    int
        Number of rows.
    """
    count = 0
    with atomic_write(path) as file:
        for row in token_rows_from_gold(gold):
            file.write(json_bytes(row) + b"\n")
            count += 1
    return count


def tags_to_ids(
    rows: Iterable[Mapping[str, Any]],
) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    """Replace the tags of token rows by numbers.

    Parameters
    ----------
    rows : iterable of mapping
        With names as ``ner_tags``.

    Returns
    -------
    rows : list of dict
        Copies of the rows, with numbers as ``ner_tags``.
    names : tuple of str
        "O", followed by a B and an I tag for every label, sorted.
    """
    collected = [dict(row) for row in rows]
    labels = sorted(
        {tag.partition("-")[2] for row in collected for tag in row[_TAG_KEYS[0]] if "-" in tag}
    )
    names = ("O", *(f"{letter}-{label}" for label in labels for letter in "BI"))
    ids = {name: number for number, name in enumerate(names)}
    for row in collected:
        row[_TAG_KEYS[0]] = [ids[tag] for tag in row[_TAG_KEYS[0]]]
    return collected, names


def _tag_key(row: Mapping[str, Any]) -> str:
    return next((key for key in _TAG_KEYS if key in row), _TAG_KEYS[0])


def _tag(tag: Any, names: Sequence[str] | None, field: str, location: SourceLocation) -> str:
    if is_int(tag):
        if names is None:
            raise location.error(
                f"nothing says which tag the number {tag} stands for",
                field=field,
                remedy='Name the tags in their order: tag_names=["O", "B-PER", "I-PER"]',
            )
        if not 0 <= tag < len(names):
            raise location.error(f"{tag} is not one of {len(names)} tags", field=field)
        tag = names[int(tag)]
    name = as_text(tag, field, location)
    if not is_tag(name):
        raise location.error(
            f"{name!r} is not an entity tag",
            field=field,
            remedy="Tags are O, or a letter of IOB or BILUO, a hyphen and the label: B-ORG",
        )
    return name


def _text_and_tokens(
    row: Mapping[str, Any], words: list[str], location: SourceLocation
) -> tuple[str, tuple[Token, ...]]:
    if not all(words):
        raise location.error("a word is empty", field="tokens")
    if row.get("text") is None:
        if looks_like_model_tokens(words):
            raise location.error(
                f"the tokens look like a model's pieces ({words[0]!r} is the first), and there is "
                "no text",
                field="tokens",
                remedy="Give whole words with one tag for each, or the text under 'text' and the "
                "entities under 'spans'",
            )
        return join_words(words)
    text = as_text(row["text"], "text", location)
    with location.adding_field("tokens"):
        tokens = tokens_from_display(text, words)
    if len(tokens) != len(words):
        raise location.error(
            "special tokens of a model have tags",
            field="tokens",
            remedy="Leave out [CLS], [SEP] and their like, with their tags",
        )
    return text, tokens
