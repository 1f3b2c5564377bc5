"""Token rows, as Hugging Face's ``datasets`` holds them: words, and a tag for each.

``{"tokens": ["Ada", "lives"], "ner_tags": [1, 0]}``: tags are numbers, which
stand for names that the dataset keeps beside its rows, or the names themselves.
A row may bring its ``text``; otherwise one space is put between words.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from nbner._common.alignment import join_words, tokens_from_words
from nbner.io.files import atomic_write, json_bytes
from nbner.io.gold_export import GoldExample
from nbner.io.iob import is_tag, spans_to_tags, tags_to_spans
from nbner.io.rows import Row, SourceLocation
from nbner.io.validation import as_mapping, as_text, is_int
from nbner.types import Span, Token

TAG_KEYS = ("ner_tags", "tags")
_OWN = ("text", "tokens", "flagged", "note", "meta", *TAG_KEYS)


def looks_like(row: Mapping[str, Any]) -> bool:
    """Whether this is a row of words and tags."""
    words, tags = row.get("tokens"), row.get(_tag_key(row))
    return (
        isinstance(words, (list, tuple))
        and isinstance(tags, (list, tuple))
        and all(isinstance(word, str) for word in words)
    )


def tag_names_of(source: object) -> tuple[str, ...] | None:
    """Ask a dataset which tags its numbers stand for; None where it does not say."""
    features = getattr(source, "features", None)
    if not isinstance(features, Mapping):
        return None
    feature = getattr(features.get(_tag_key(features)), "feature", None)
    names = getattr(feature, "names", None)
    return None if names is None else tuple(map(str, names))


def row_from_token_row(
    row: Mapping[str, Any], place: SourceLocation, names: Sequence[str] | None = None
) -> Row:
    """Read one row; it is complete gold, as a sentence of CoNLL is.

    Raises
    ------
    DataError
        There are not as many tags as words, a number has no name, or a tag is none.
    """
    key = _tag_key(row)
    words = [as_text(word, f"tokens[{i}]", place) for i, word in enumerate(row["tokens"])]
    tags = [_tag(tag, names, f"{key}[{i}]", place) for i, tag in enumerate(row[key])]
    if len(words) != len(tags):
        raise place.error(f"there are {len(words)} tokens and {len(tags)} tags", field=key)
    text, tokens = _text_and_tokens(row, words, place)
    spans = tuple(
        Span(tokens[start].start, tokens[end - 1].end, label)
        for start, end, label in tags_to_spans(tags)
    )
    own = as_mapping(row.get("meta") or {}, "meta", place)
    rest = {str(name): value for name, value in row.items() if name not in _OWN}
    return Row(
        text=text,
        tokens=tokens,
        spans=spans,
        flagged=row.get("flagged") is True,
        note=as_text(row.get("note") or "", "note", place),
        meta={**rest, **own},
        gold=True,
        file=place.file,
        line=place.line,
    )


def token_rows_from_gold(gold: Iterable[GoldExample]) -> Iterator[dict[str, Any]]:
    """Yield rows with IOB2 names as tags, as ``row_from_token_row`` reads them.

    ``text`` stands in a row whose words, joined with spaces, are another text.
    """
    for one in gold:
        example = one.example
        words = [token.text for token in one.tokens]
        row: dict[str, Any] = {key: value for key, value in example.meta.items() if key not in _OWN}
        row |= {"tokens": words, TAG_KEYS[0]: spans_to_tags(len(words), one.entities)}
        if " ".join(words) != example.text:
            row["text"] = example.text
        inside = {key: value for key, value in example.meta.items() if key in _OWN}
        said = {"meta": inside, "flagged": example.flagged, "note": example.note}
        yield row | {key: value for key, value in said.items() if value}


def write(gold: Iterable[GoldExample], path: Path) -> int:
    """Write gold as one row a line, and say how many there were."""
    count = 0
    with atomic_write(path) as file:
        for row in token_rows_from_gold(gold):
            file.write(json_bytes(row) + b"\n")
            count += 1
    return count


def _tag_key(row: Mapping[str, Any]) -> str:
    return next((key for key in TAG_KEYS if key in row), TAG_KEYS[0])


def _tag(tag: Any, names: Sequence[str] | None, field: str, place: SourceLocation) -> str:
    if is_int(tag):
        if names is None:
            raise place.error(
                f"nothing says which tag the number {tag} stands for",
                field=field,
                remedy='Name the tags in their order: tag_names=["O", "B-PER", "I-PER"]',
            )
        if not 0 <= tag < len(names):
            raise place.error(f"{tag} is not one of {len(names)} tags", field=field)
        tag = names[int(tag)]
    name = as_text(tag, field, place)
    if not is_tag(name):
        raise place.error(
            f"{name!r} is not an entity tag",
            field=field,
            remedy="Tags are O, or a letter of IOB or BILUO, a hyphen and the label: B-ORG",
        )
    return name


def _text_and_tokens(
    row: Mapping[str, Any], words: list[str], place: SourceLocation
) -> tuple[str, tuple[Token, ...]]:
    if not all(words):
        raise place.error("a word is empty", field="tokens")
    if row.get("text") is None:
        return join_words(words)
    text = as_text(row["text"], "text", place)
    with place.adding_field("tokens"):
        return text, tokens_from_words(text, words)


def tags_to_ids(rows: Iterable[Mapping[str, Any]]) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    """Put numbers in the place of tags.

    Returns
    -------
    rows : list of dict
    names : tuple of str
        "O", and then a B and an I tag for every label, sorted.
    """
    collected = [dict(row) for row in rows]
    labels = sorted(
        {tag.partition("-")[2] for row in collected for tag in row[TAG_KEYS[0]] if "-" in tag}
    )
    names = ("O", *(f"{letter}-{label}" for label in labels for letter in "BI"))
    numbers = {name: number for number, name in enumerate(names)}
    for row in collected:
        row[TAG_KEYS[0]] = [numbers[tag] for tag in row[TAG_KEYS[0]]]
    return collected, names
