"""Gold as CoNLL: a word, a tab, its IOB2 tag; see ``conll`` for reading."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from pathlib import Path

from nbner.errors import DataError
from nbner.io.conll import DOCSTART, TEXT_COMMENT
from nbner.io.files import atomic_write
from nbner.io.gold_export import GoldExample
from nbner.io.iob import spans_to_tags

SUFFIXES = (".conll", ".iob2", ".bio")

_FLAT = str.maketrans("\n\r\t", "   ")


def write(gold: Iterable[GoldExample], path: Path) -> int:
    """Write gold as IOB2 and say how many sentences there were.

    Tokens of nothing but whitespace have no line. Where one space between all
    words does not give the text, ``# text`` keeps it, with line ends and tabs
    as spaces; numbers and strings of ``meta`` are kept as comments.

    Raises
    ------
    DataError
        A label or a word that a line cannot hold.
    """
    count = 0
    with atomic_write(path) as file:
        for one in gold:
            file.write("\n".join([*_sentence(one), "", ""]).encode("utf-8"))
            count += 1
    return count


def _sentence(one: GoldExample) -> Iterator[str]:
    solid = [not token.text.isspace() for token in one.tokens]
    words = [token.text for token, is_solid in zip(one.tokens, solid, strict=True) if is_solid]
    yield from _comments(one, words)
    # How many words stand before each token: whitespace has no line of its own.
    before = [0, *accumulate(solid)]
    entities = [(before[start], before[end], label) for start, end, label in one.entities]
    for start, end, label in entities:
        _check_entity(start, end, label, one)
    for word, tag in zip(words, spans_to_tags(len(words), entities), strict=True):
        _check_word(word, one)
        yield f"{word}\t{tag}"


def _comments(one: GoldExample, words: Sequence[str]) -> Iterator[str]:
    for key, value in one.example.meta.items():
        if _is_plain(key, value):
            yield f"# {key} = {value}"
    text = one.example.text.translate(_FLAT)
    if " ".join(words) != text:
        yield f"{TEXT_COMMENT}{text}"


def _is_plain(key: str, value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return False
    line = f"{key}{value}"
    is_key = key == key.strip() and key not in ("", "text") and "=" not in key
    return is_key and line == line.translate(_FLAT)


def _check_entity(start: int, end: int, label: str, one: GoldExample) -> None:
    if any(character.isspace() for character in label):
        raise DataError(
            f"CoNLL cannot carry the label {label!r}: it holds whitespace",
            field="label",
            remedy="Rename the label, or write .jsonl or .spacy",
        )
    if start == end:
        raise DataError(
            f"CoNLL cannot carry a span of nothing but whitespace, as in {one.example.text[:60]!r}",
            field="spans",
            remedy="Remove the span, or write .jsonl or .spacy",
        )


def _check_word(word: str, one: GoldExample) -> None:
    if word == DOCSTART or word != word.translate(_FLAT):
        raise DataError(
            f"CoNLL cannot carry the word {word!r} of {one.example.text[:60]!r}",
            field="tokens",
            remedy="Write .jsonl or .spacy",
        )
