"""CoNLL files: one token per line with its tag in a column, a blank line after each sentence.

Read are two to five columns, separated by tabs or spaces; numbered lines as in
CoNLL-U; ``-DOCSTART-``; and comments, of which ``# text = `` holds the original
text and others of the form ``# key = value`` go to ``meta``. See ``iob`` for
the tag schemes. Written are a word, a tab and its IOB2 tag.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate, chain, islice
from pathlib import Path
from typing import TypeAlias

from nbner._common.alignment import join_words, tokens_from_words
from nbner.errors import DataError
from nbner.io import foreign_files
from nbner.io.files import atomic_write, numbered_lines
from nbner.io.gold_export import GoldExample
from nbner.io.iob import are_phrase_tags, is_tag, spans_to_tags, tags_to_spans
from nbner.io.options import ReadOptions
from nbner.io.row_errors import RowErrors
from nbner.io.rows import Row, SourceLocation
from nbner.types import Span

READ_SUFFIXES = (".conll", ".conllu", ".iob", ".iob2", ".bio")
WRITE_SUFFIXES = (".conll", ".iob2", ".bio")

_DOCSTART = "-DOCSTART-"
_TEXT_COMMENT = "# text = "
_COMMENT = re.compile(r"#\s*([^=\t]*[^=\s])\s*= ?(.*)")
_WHITESPACE_TO_SPACE = str.maketrans("\n\r\t", "   ")

_SAMPLE_LINES = 200
# Required fraction of lines with a tag: lower for a file with the suffix of CoNLL.
_FRACTION_BY_SUFFIX = 0.5
_FRACTION_BY_CONTENT = 0.8

_Line: TypeAlias = tuple[int, str]


def read(path: Path, options: ReadOptions) -> Iterator[Row]:
    """Yield the sentences of a file, each of them complete gold.

    Parameters
    ----------
    path : Path
        A text file.
    options : ReadOptions
        ``tag_column`` chooses among several columns of tags; ``encoding`` is that
        of the file.

    Raises
    ------
    DataError
        No column holds tags, several do and none is chosen, a line has no
        tag, or words contradict ``# text``.
    """
    sample, lines = _peek(numbered_lines(path, options.encoding))
    dialect = _detect_dialect(
        [line for _, line in sample], _FRACTION_BY_SUFFIX, _column_index(options, path)
    )
    if dialect is None:
        if not any(line.strip() for _, line in sample):
            return
        other = foreign_files.name_format(path, options.encoding)
        if other is not None:
            raise DataError(f"this is {other[0]}, which is not read", file=path, remedy=other[1])
        raise DataError(
            "no column of this file holds entity tags",
            file=path,
            line=next(number for number, line in sample if line.strip()),
            remedy="CoNLL has a word and a tag such as O, B-ORG or I-ORG on each line",
        )
    if dialect.other_tags and options.tag_column is None and not dialect.are_phrases:
        columns = [column + 1 for column in (*dialect.other_tags, dialect.tag)]
        raise DataError(
            f"the columns {' and '.join(map(str, sorted(columns)))} hold entity tags",
            file=path,
            field="tag",
            remedy=f"Choose: tag_column={min(columns)}; columns count from 1",
        )
    rows = _sentences(lines, dialect, str(path), options.row_errors)
    for row in rows:
        yield replace(row, unread=dialect.unread)
        break
    yield from rows


def looks_like(path: Path, encoding: str | None = None) -> bool:
    """Return whether a text file has a tag on most of its first lines.

    Parameters
    ----------
    path : Path
        A text file.
    encoding : str, optional
        Its encoding; UTF-8 by default.
    """
    # Lines in another encoding are an error of the file as a whole, not of its format.
    sample, _ = _peek(numbered_lines(path, encoding, RowErrors("skip")))
    return _detect_dialect([line for _, line in sample], _FRACTION_BY_CONTENT, None) is not None


def write(gold: Iterable[GoldExample], path: Path) -> int:
    """Write gold as IOB2.

    Whitespace tokens have no line. Where the words joined by single spaces are
    not the text, ``# text`` holds it, with line ends and tabs as spaces; numbers
    and strings of ``meta`` become comments.

    Parameters
    ----------
    gold : iterable of GoldExample
        Consumed one by one.
    path : Path
        Replaced if it exists.

    Returns
    -------
    int
        Number of sentences.

    Raises
    ------
    DataError
        A label or a word cannot be written to a line.
    """
    count = 0
    with atomic_write(path) as file:
        for one in gold:
            file.write("\n".join([*_lines_of(one), "", ""]).encode("utf-8"))
            count += 1
    return count


@dataclass(frozen=True, slots=True)
class _Dialect:
    """Separator and columns of a file: a tab, or None for any number of spaces."""

    separator: str | None
    word: int
    tag: int
    other_tags: tuple[int, ...] = ()
    are_phrases: bool = False

    @property
    def unread(self) -> tuple[str, ...]:
        """The other columns with tags, as the report lists them."""
        return tuple(
            f"tags are taken from column {self.tag + 1}; column {column + 1} holds tags too, "
            f"tag_column={column + 1} reads it"
            for column in self.other_tags
        )

    def cells(self, line: str) -> list[str]:
        """Split a line into its columns."""
        if self.separator is None:
            # Not split(): other kinds of space may be part of a word.
            return [cell for cell in re.split("[ \t]", line) if cell]
        return line.split(self.separator)

    def has_tag(self, line: str) -> bool:
        """Return whether the line has a tag in the tag column."""
        cells = self.cells(line)
        return len(cells) > self.tag and is_tag(cells[self.tag])


@dataclass(slots=True)
class _Sentence:
    """The lines read since the last blank line."""

    first_line: int = 0
    words: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    text: str | None = None
    meta: dict[str, str] = field(default_factory=dict)
    is_broken: bool = False  # one of its lines cannot be read, and rows are skipped


def _peek(lines: Iterator[_Line]) -> tuple[list[_Line], Iterator[_Line]]:
    sample = list(islice(lines, _SAMPLE_LINES))
    return sample, chain(sample, lines)


def _column_index(options: ReadOptions, path: Path) -> int | None:
    column = options.tag_column
    if column is None or (isinstance(column, int) and column != 0):
        return None if column is None else column - (column > 0)
    raise DataError(
        f"the columns of this file have no names, so none is called {column!r}",
        file=path,
        field="tag_column",
        remedy="Give the number of the column, counted from 1",
    )


def _detect_dialect(sample: Sequence[str], fraction: float, wanted: int | None) -> _Dialect | None:
    """Detect the columns; those of tags have a tag on this fraction of lines."""
    # A word may begin with "#" and look like a comment: the other lines suffice.
    sample = [line for line in sample if not _is_document_boundary(line)]
    tokens = [line for line in sample if line.strip() and not line.startswith("#")]
    tokens = tokens or [line for line in sample if line.strip() and is_tag(line.split()[-1])]
    separator = "\t" if any("\t" in line for line in tokens) else None
    rows = [_Dialect(separator, 0, 0).cells(line) for line in tokens]
    rows = [row for row in rows if row]
    width = max(map(len, rows), default=0)
    word = 1 if width > 2 and _is_numbered([row[0] for row in rows]) else 0
    if wanted is not None:
        return _Dialect(separator, word, wanted if wanted >= 0 else width + wanted)
    tags = {
        column: [row[column] for row in rows if len(row) > column and is_tag(row[column])]
        for column in range(word + 1, width)
    }
    found = [column for column in tags if len(tags[column]) >= fraction * len(rows)]
    if not rows or not found:
        return None
    # Phrases are tagged like entities: they count only where nothing else is tagged.
    entities = [column for column in found if not are_phrase_tags(tags[column])] or found
    tag = entities[-1]
    others = tuple(column for column in found if column != tag)
    return _Dialect(separator, word, tag, others, are_phrases=len(entities) == 1)


def _is_numbered(ids: Sequence[str]) -> bool:
    """Return whether the first column counts 1, 2, 3 in each sentence, as in CoNLL-U."""
    expected = {1}
    for cell in ids:
        if not cell.isdecimal() or int(cell) not in expected:
            return False
        expected = {1, int(cell) + 1}
    return True


def _sentences(
    lines: Iterable[_Line], dialect: _Dialect, file: str, row_errors: RowErrors
) -> Iterator[Row]:
    sentence = _Sentence()
    for number, line in chain(lines, [(0, "")]):
        if not line.strip() or _is_document_boundary(line):
            if sentence.words:
                try:
                    row = _row(sentence, file)
                except DataError as error:
                    row_errors.handle(error, " ".join(sentence.words))
                else:
                    yield row
            if sentence.words or sentence.is_broken:
                sentence = _Sentence()
        elif sentence.is_broken:
            continue
        elif _is_comment(line, dialect):
            _read_comment(line, sentence)
        else:
            try:
                word, tag = _word_and_tag(line, dialect, SourceLocation(file, number))
            except DataError as error:
                row_errors.handle(error, " ".join(sentence.words))
                sentence = _Sentence(is_broken=True)
                continue
            sentence.first_line = sentence.first_line or number
            sentence.words.append(word)
            sentence.tags.append(tag)


def _is_document_boundary(line: str) -> bool:
    # Tools write any number of columns, or a document's name, behind it.
    return line.startswith(_DOCSTART) and line[len(_DOCSTART) :][:1] in ("", " ", "\t")


def _is_comment(line: str, dialect: _Dialect) -> bool:
    if not line.startswith("#"):
        return False
    # "# O" is a token in a file with spaces; "# text = type O" is not.
    is_pair = dialect.separator is None and _COMMENT.match(line) is not None
    return is_pair or not dialect.has_tag(line)


def _read_comment(line: str, sentence: _Sentence) -> None:
    if line.startswith(_TEXT_COMMENT):
        sentence.text = line.removeprefix(_TEXT_COMMENT)
        return
    pair = _COMMENT.match(line)
    if pair:
        sentence.meta[pair[1]] = pair[2]


def _word_and_tag(line: str, dialect: _Dialect, location: SourceLocation) -> tuple[str, str]:
    cells = dialect.cells(line)
    if len(cells) <= dialect.tag:
        raise location.error(
            f"column {dialect.tag + 1} with the tag is missing in {line[:40]!r}",
            field="tag",
            remedy="Each line holds a word and its tag; an empty line ends a sentence",
        )
    word, tag = cells[dialect.word], cells[dialect.tag]
    if not is_tag(tag):
        raise location.error(
            f"{tag!r} is not an entity tag",
            field="tag",
            remedy="Tags are O, or a letter of IOB or BILUO, a hyphen and the label: B-ORG",
        )
    if not word:
        raise location.error("the word is empty", field="word")
    return word, tag


def _row(sentence: _Sentence, file: str) -> Row:
    location = SourceLocation(file, sentence.first_line)
    if sentence.text is None:
        text, tokens = join_words(sentence.words)
    else:
        text = sentence.text
        with location.adding_field("text"):
            tokens = tokens_from_words(text, sentence.words)
    spans = tuple(
        Span(tokens[start].start, tokens[end - 1].end, label)
        for start, end, label in tags_to_spans(sentence.tags)
    )
    return Row(
        text=text,
        tokens=tokens,
        spans=spans,
        meta=sentence.meta,
        gold=True,
        file=file,
        line=sentence.first_line,
    )


def _lines_of(one: GoldExample) -> Iterator[str]:
    is_word = [not token.text.isspace() for token in one.tokens]
    words = [token.text for token, kept in zip(one.tokens, is_word, strict=True) if kept]
    yield from _comments(one, words)
    # Number of words before each token: whitespace tokens have no line.
    before = [0, *accumulate(is_word)]
    entities = [(before[start], before[end], label) for start, end, label in one.entities]
    for start, end, label in entities:
        _check_entity(start, end, label, one)
    for word, tag in zip(words, spans_to_tags(len(words), entities), strict=True):
        _check_word(word, one)
        yield f"{word}\t{tag}"


def _comments(one: GoldExample, words: Sequence[str]) -> Iterator[str]:
    for key, value in one.example.meta.items():
        if _fits_comment(key, value):
            yield f"# {key} = {value}"
    text = one.example.text.translate(_WHITESPACE_TO_SPACE)
    if " ".join(words) != text:
        yield f"{_TEXT_COMMENT}{text}"


def _fits_comment(key: str, value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return False
    line = f"{key}{value}"
    is_key = key == key.strip() and key not in ("", "text") and "=" not in key
    return is_key and line == line.translate(_WHITESPACE_TO_SPACE)


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
    if word == _DOCSTART or word != word.translate(_WHITESPACE_TO_SPACE):
        raise DataError(
            f"CoNLL cannot carry the word {word!r} of {one.example.text[:60]!r}",
            field="tokens",
            remedy="Write .jsonl or .spacy",
        )
