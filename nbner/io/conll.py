"""CoNLL: a token a line, its tag in a column, an empty line after a sentence.

Two to five columns, parted by tabs or by spaces; numbered lines as in CoNLL-U;
``-DOCSTART-``; comments, of which ``# text = `` gives the text as it was
written and others of the form ``# key = value`` go to ``meta``. See ``tags``
for the schemes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path

from nbner._common.alignment import join_words, tokens_from_words
from nbner.errors import DataError
from nbner.io.files import numbered_lines
from nbner.io.iob import is_tag, tags_to_spans
from nbner.io.rows import Row, SourceLocation
from nbner.types import Span

SUFFIXES = (".conll", ".conllu", ".iob", ".iob2", ".bio")
DOCSTART = "-DOCSTART-"
TEXT_COMMENT = "# text = "

_COMMENT = re.compile(r"#\s*([^=\t]*[^=\s])\s*= ?(.*)")
_SAMPLE = 200
# A file that is called CoNLL gets more credit than one that only looks like it.
_BY_NAME = 0.5
_BY_LOOKS = 0.8

Line = tuple[int, str]


@dataclass(frozen=True, slots=True)
class Dialect:
    """Where a file keeps its words and its tags.

    Parameters
    ----------
    separator : str, optional
        A tab, or None for any number of spaces.
    word, tag : int
        Columns, counted from 0.
    """

    separator: str | None
    word: int
    tag: int

    def cells(self, line: str) -> list[str]:
        """Cut a line into its columns."""
        if self.separator is None:
            # Not split(): other kinds of space may be part of a word.
            return [cell for cell in re.split("[ \t]", line) if cell]
        return line.split(self.separator)

    def tagged(self, line: str) -> bool:
        """Whether the line has a tag where a token's line has it."""
        cells = self.cells(line)
        return len(cells) > self.tag and is_tag(cells[self.tag])


@dataclass(slots=True)
class _Sentence:
    """What has been read since the last empty line."""

    first_line: int = 0
    words: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    text: str | None = None
    meta: dict[str, str] = field(default_factory=dict)


def read(path: Path) -> Iterator[Row]:
    """Yield the sentences of a file, each complete gold.

    Raises
    ------
    DataError
        No column holds tags, a line has no tag, or words contradict ``# text``.
    """
    numbered = numbered_lines(path)
    sample, numbered = _peeked(numbered)
    dialect = _dialect([line for _, line in sample], _BY_NAME)
    if dialect is None:
        if not any(line.strip() for _, line in sample):
            return
        raise DataError(
            "no column of this file holds entity tags",
            file=path,
            line=next(number for number, line in sample if line.strip()),
            remedy="CoNLL has a word and a tag such as O, B-ORG or I-ORG on each line",
        )
    yield from _sentences(numbered, dialect, str(path))


def looks_like(path: Path) -> bool:
    """Whether a text file holds a tag on most of its first lines."""
    sample, _ = _peeked(numbered_lines(path))
    return _dialect([line for _, line in sample], _BY_LOOKS) is not None


def _peeked(numbered: Iterator[Line]) -> tuple[list[Line], Iterator[Line]]:
    sample = list(islice(numbered, _SAMPLE))
    return sample, chain(sample, numbered)


def _dialect(sample: Sequence[str], share: float) -> Dialect | None:
    """Find the columns; tags are in the last one that has them on this share of lines."""
    # A word may begin with "#" and look like a comment: there are enough other lines.
    tokens = [line for line in sample if line.strip() and not line.startswith("#")]
    tokens = tokens or [line for line in sample if line.strip() and is_tag(line.split()[-1])]
    separator = "\t" if any("\t" in line for line in tokens) else None
    rows = [Dialect(separator, 0, 0).cells(line) for line in tokens]
    rows = [row for row in rows if row and row[0] != DOCSTART]
    width = max(map(len, rows), default=0)
    word = 1 if width > 2 and _is_numbered([row[0] for row in rows]) else 0
    for column in range(width - 1, word, -1):
        tagged = sum(len(row) > column and is_tag(row[column]) for row in rows)
        if tagged >= share * len(rows):
            return Dialect(separator, word, column)
    return None


def _is_numbered(ids: Sequence[str]) -> bool:
    """Whether the first column counts 1, 2, 3 in each sentence, as in CoNLL-U."""
    expected = {1}
    for cell in ids:
        if not cell.isdecimal() or int(cell) not in expected:
            return False
        expected = {1, int(cell) + 1}
    return True


def _sentences(numbered: Iterable[Line], dialect: Dialect, file: str) -> Iterator[Row]:
    sentence = _Sentence()
    for number, line in numbered:
        place = SourceLocation(file, number)
        if not line.strip():
            if sentence.words:
                yield _row(sentence, file)
                sentence = _Sentence()
        elif _is_comment(line, dialect):
            _read_comment(line, sentence)
        else:
            word, tag = _word_and_tag(line, dialect, place)
            if word == DOCSTART:
                continue
            sentence.first_line = sentence.first_line or number
            sentence.words.append(word)
            sentence.tags.append(tag)
    if sentence.words:
        yield _row(sentence, file)


def _is_comment(line: str, dialect: Dialect) -> bool:
    if not line.startswith("#"):
        return False
    # "# O" is a token in a file with spaces; "# text = type O" is not.
    is_pair = dialect.separator is None and _COMMENT.match(line) is not None
    return is_pair or not dialect.tagged(line)


def _read_comment(line: str, sentence: _Sentence) -> None:
    if line.startswith(TEXT_COMMENT):
        sentence.text = line.removeprefix(TEXT_COMMENT)
        return
    pair = _COMMENT.match(line)
    if pair:
        sentence.meta[pair[1]] = pair[2]


def _word_and_tag(line: str, dialect: Dialect, place: SourceLocation) -> tuple[str, str]:
    cells = dialect.cells(line)
    if len(cells) <= dialect.tag:
        raise place.error(
            f"column {dialect.tag + 1} with the tag is missing in {line[:40]!r}",
            field="tag",
            remedy="Each line holds a word and its tag; an empty line ends a sentence",
        )
    word, tag = cells[dialect.word], cells[dialect.tag]
    if not is_tag(tag):
        raise place.error(
            f"{tag!r} is not an entity tag",
            field="tag",
            remedy="Tags are O, or a letter of IOB or BILUO, a hyphen and the label: B-ORG",
        )
    if not word:
        raise place.error("the word is empty", field="word")
    return word, tag


def _row(sentence: _Sentence, file: str) -> Row:
    place = SourceLocation(file, sentence.first_line)
    if sentence.text is None:
        text, tokens = join_words(sentence.words)
    else:
        text = sentence.text
        with place.adding_field("text"):
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
