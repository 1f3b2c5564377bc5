"""Every format behind one registry: rows in, examples out.

A new format is a module with ``SUFFIXES``, ``read(path)`` and perhaps
``write(...)``, and a line in one of the tables below.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from nbner.data.formats import (
    conll,
    conll_writing,
    docbin,
    frames,
    prodigy,
    prodigy_writing,
    strings,
)
from nbner.data.formats.files import existing
from nbner.data.formats.gold import Gold, GoldOnly, Misaligned, Tokenize
from nbner.data.formats.values import read_values
from nbner.data.rows import Row
from nbner.errors import DataError
from nbner.types import Example

__all__ = ["Export", "read", "write"]

Reader: TypeAlias = Callable[[Path], Iterator[Row]]
Writer: TypeAlias = Callable[[Iterable[Example], Path], int]
GoldWriter: TypeAlias = Callable[[Iterable[Gold], Path], int]

_READERS: dict[str, Reader] = {
    suffix: module.read for module in (prodigy, conll, docbin, frames) for suffix in module.SUFFIXES
}
_WRITERS: dict[str, Writer] = {
    suffix: module.write for module in (prodigy_writing, frames) for suffix in module.SUFFIXES
}
_GOLD_WRITERS: dict[str, GoldWriter] = {
    suffix: module.write for module in (conll_writing, docbin) for suffix in module.SUFFIXES
}
# These suffixes say nothing of what is inside.
_BY_CONTENT = (".txt", ".tsv")


@dataclass(frozen=True, slots=True)
class Export:
    """What was written.

    Parameters
    ----------
    path : Path
    written : int
        Examples in the file.
    left_out : int
        Examples that such a file does not hold: all but accepted gold.
    misaligned : int
        Accepted examples that were left out because a span does not fit the tokens.
    """

    path: Path
    written: int
    left_out: int = 0
    misaligned: int = 0

    def __str__(self) -> str:
        parts = [f"{self.written:,} examples in {self.path}"]
        if self.left_out:
            parts.append(f"{self.left_out:,} that are not accepted gold left out")
        if self.misaligned:
            parts.append(f"{self.misaligned:,} with spans off the tokens left out")
        return "; ".join(parts)


def read(source: object) -> Iterator[Row]:
    """Read rows from wherever they are, as a stream.

    Parameters
    ----------
    source : str, Path, DataFrame, Series, DocBin, or iterable
        A path is read by its suffix, and where that says nothing, by its
        content. An iterable may hold strings, dicts shaped as Prodigy's tasks,
        spaCy Docs and ``Example`` values.

    Yields
    ------
    Row

    Raises
    ------
    DataError
        With file, line, field and remedy.
    """
    if isinstance(source, (str, Path)):
        yield from _reader(Path(source))(Path(source))
    else:
        yield from read_values(source)


def write(
    examples: Iterable[Example],
    path: str | Path,
    *,
    tokenize: Tokenize | None = None,
    misaligned: Misaligned = "refuse",
) -> Export:
    """Write examples in the format that the path's suffix names.

    ``.jsonl`` and ``.csv`` carry every example with its answer. ``.conll`` and
    ``.spacy`` can hold gold and nothing else: only accepted examples go there;
    rejected, ignored and open ones and answers to binary tasks are left out.
    A file that is there is replaced, when all is written and not before.

    Parameters
    ----------
    examples : iterable of Example
        Taken one by one.
    path : str or Path
    tokenize : callable, optional
        Text to tokens, for the formats that need them.
    misaligned : {"refuse", "leave out"}
        What to do about gold that does not fit the tokens in a format that
        needs them.

    Returns
    -------
    Export

    Raises
    ------
    DataError
        The suffix is unknown, the file cannot be written, or the format cannot
        carry a label, a token or a span.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix in _WRITERS:
        return Export(path, _WRITERS[suffix](examples, path))
    if suffix not in _GOLD_WRITERS:
        raise _unknown_suffix(path, sorted({*_WRITERS, *_GOLD_WRITERS}))
    seen = _Counted(examples)
    picked = GoldOnly(tokenize, misaligned)
    written = _GOLD_WRITERS[suffix](picked.of(seen), path)
    loose = picked.misaligned_count
    return Export(path, written, left_out=seen.count - written - loose, misaligned=loose)


class _Counted:
    """An iterable that knows how many it has given."""

    def __init__(self, examples: Iterable[Example]) -> None:
        self.count = 0
        self._examples = examples

    def __iter__(self) -> Iterator[Example]:
        for example in self._examples:
            self.count += 1
            yield example


def _reader(path: Path) -> Reader:
    existing(path)
    suffix = path.suffix.lower()
    if suffix in _READERS:
        return _READERS[suffix]
    if suffix not in _BY_CONTENT:
        raise _unknown_suffix(path, sorted({*_READERS, *_BY_CONTENT}))
    if conll.looks_like(path):
        return conll.read
    if suffix == ".txt":
        return strings.read
    return frames.read if frames.looks_like(path) else conll.read


def _unknown_suffix(path: Path, known: list[str]) -> DataError:
    return DataError(
        f"no format is known by the suffix {path.suffix!r}",
        file=path,
        remedy=f"The known ones are {', '.join(known)}",
    )
