"""Tables with one word in each row, its tag in a column and its sentence in another."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from nbner._common.alignment import join_words
from nbner.errors import DataError
from nbner.io.iob import are_phrase_tags, is_tag, tags_to_spans
from nbner.io.options import ReadOptions
from nbner.io.row_errors import RowErrors
from nbner.io.rows import Row, SourceLocation
from nbner.types import Span

SAMPLE_ROWS = 500

_WORDS = ("word", "words", "token", "tokens", "form", "text", "orth", "token_text")
_TAGS = re.compile(r"ner|tag|label|iob|bio|entit|pred|gold|true", re.IGNORECASE)
_SENTENCES = re.compile(r"sent|seq|example|utterance|line|para|doc|text_?id", re.IGNORECASE)
_FRACTION = 0.8


@dataclass(frozen=True, slots=True)
class TokenColumns:
    """Positions of the columns of a token table.

    Parameters
    ----------
    word, tag : int
        Columns of the words and of their tags.
    sentence : int, optional
        Column of the sentences; None where empty rows separate them.
    """

    word: int
    tag: int
    sentence: int | None


def is_header(cells: Sequence[str]) -> bool:
    """Return whether the first line of a file names words and tags.

    Parameters
    ----------
    cells : sequence of str
        The cells of the line.
    """
    names = [cell.strip().lower() for cell in cells]
    return any(name in _WORDS for name in names) and any(map(_TAGS.search, names))


def may_be_table(header: Sequence[str], options: ReadOptions) -> bool:
    """Return whether columns may hold words and tags, so that their cells are worth a look.

    Parameters
    ----------
    header : sequence of str
        Names of the columns.
    options : ReadOptions
        ``text`` names a column of whole texts.
    """
    names = [name.strip().lower() for name in header]
    return options.text is None and len(names) > 1 and any(name in _WORDS for name in names)


def find_columns(
    header: Sequence[str],
    sample: Sequence[Sequence[Any]],
    file: str | None,
    options: ReadOptions,
) -> TokenColumns | None:
    """Find the columns of a token table by their cells; None where it is none.

    Parameters
    ----------
    header : sequence of str
        Names of the columns.
    sample : sequence of sequence
        The first rows; an empty one separates sentences.
    file : str, optional
        The file, for messages.
    options : ReadOptions
        ``tag_column`` chooses among several columns with tags.

    Raises
    ------
    DataError
        Several columns hold tags, or nothing says where a sentence begins.
    """
    filled = [row for row in sample if _is_filled(row)]
    word = next((i for i, name in enumerate(header) if name.strip().lower() in _WORDS), None)
    if word is None or not filled or not all(_is_word(row[word]) for row in filled):
        return None
    tags = [i for i in range(len(header)) if i != word and _holds_tags(header[i], filled, i)]
    if not tags:
        return None
    tag = _chosen(tags, header, file, options)
    sentence = next(
        (i for i, name in enumerate(header) if i not in (word, tag) and _SENTENCES.search(name)),
        None,
    )
    if sentence is None and len(filled) == len(sample):
        raise DataError(
            f"each row holds a word ({filled[0][word]!r}) and its tag, and no column says which "
            "sentence it belongs to",
            file=file,
            field=header[tag],
            remedy="Add a column 'sentence' with a number for each sentence, or empty rows",
        )
    return TokenColumns(word, tag, sentence)


def rows(
    columns: TokenColumns,
    header: Sequence[str],
    records: Iterable[tuple[SourceLocation, Sequence[Any]]],
    row_errors: RowErrors,
) -> Iterator[Row]:
    """Yield one row for each sentence of a token table; it is complete gold.

    Parameters
    ----------
    columns : TokenColumns
        From ``find_columns``.
    header : sequence of str
        Names of the columns, for messages.
    records : iterable of (SourceLocation, sequence)
        All rows.
    row_errors : RowErrors
        Takes the error of a row, with which its whole sentence is left out.

    Raises
    ------
    DataError
        A word is empty, or a tag is none.
    """
    words: list[str] = []
    tags: list[str] = []
    first, current, is_broken = SourceLocation(), None, False
    for location, cells in records:
        if not _is_filled(cells):
            is_new, number = columns.sentence is None, current
        else:
            number = None if columns.sentence is None else cells[columns.sentence]
            is_new = number is not None and number != current
        if is_new:
            if words:
                yield _row(words, tags, first, _meta(columns, header, current))
            words, tags, is_broken = [], [], False
        if not _is_filled(cells):
            continue
        current = number if number is not None else current
        if is_broken:
            continue
        first = first if words else location
        try:
            word, tag = _word_and_tag(cells, columns, header, location)
        except DataError as error:
            row_errors.handle(error, " ".join(words))
            words, tags, is_broken = [], [], True
            continue
        words.append(word)
        tags.append(tag)
    if words:
        yield _row(words, tags, first, _meta(columns, header, current))


def _word_and_tag(
    cells: Sequence[Any], columns: TokenColumns, header: Sequence[str], location: SourceLocation
) -> tuple[str, str]:
    word, tag = cells[columns.word], cells[columns.tag]
    if not isinstance(word, str) or not _is_word(word):
        raise location.error(
            f"{word!r} is no word",
            field=header[columns.word],
            remedy="pandas reads words like NA as empty; read_csv(keep_default_na=False) "
            "keeps them",
        )
    if not isinstance(tag, str) or not is_tag(tag):
        raise location.error(f"{tag!r} is not an entity tag", field=header[columns.tag])
    return word, tag


def _row(
    words: Sequence[str], tags: Sequence[str], location: SourceLocation, meta: dict[str, Any]
) -> Row:
    text, tokens = join_words(words)
    spans = tuple(
        Span(tokens[start].start, tokens[end - 1].end, label)
        for start, end, label in tags_to_spans(tags)
    )
    return Row(
        text,
        tokens=tokens,
        spans=spans,
        meta=meta,
        gold=True,
        file=location.file,
        line=location.line,
    )


def _meta(columns: TokenColumns, header: Sequence[str], sentence: Any) -> dict[str, Any]:
    if columns.sentence is None or sentence is None:
        return {}
    return {header[columns.sentence]: sentence}


def _is_filled(cells: Sequence[Any]) -> bool:
    return any(cell not in (None, "") for cell in cells)


def _is_word(cell: Any) -> bool:
    return isinstance(cell, str) and bool(cell.strip()) and len(cell.split()) == 1


def _holds_tags(name: str, sample: Sequence[Sequence[Any]], column: int) -> bool:
    cells = [row[column] for row in sample]
    tags = [cell for cell in cells if isinstance(cell, str) and is_tag(cell)]
    if len(tags) < _FRACTION * len(cells) or are_phrase_tags(tags):
        return False
    return any(tag != "O" for tag in tags) or _TAGS.search(name) is not None


def _chosen(
    tags: Sequence[int], header: Sequence[str], file: str | None, options: ReadOptions
) -> int:
    wanted = options.tag_column
    names = [header[i] for i in tags]
    if wanted is not None:
        position = wanted - 1 if isinstance(wanted, int) else -1
        found = [i for i in tags if header[i] == wanted or i == position]
        if not found:
            raise DataError(
                f"column {wanted!r} holds no tags; {', '.join(map(repr, names))} do",
                file=file,
                field="tag_column",
            )
        return found[0]
    if len(tags) > 1:
        raise DataError(
            f"the columns {' and '.join(map(repr, names))} hold entity tags",
            file=file,
            field=names[0],
            remedy=f"Choose: tag_column={names[0]!r}",
        )
    return tags[0]
