"""Every format behind one registry: rows in, examples out.

A new format is a module with ``SUFFIXES``, ``read(path)`` and perhaps
``write(...)``, and a line in the tables below.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from nbner.errors import DataError
from nbner.io import (
    brat,
    brat_writing,
    conll,
    conll_writing,
    docbin,
    docbin_writing,
    huggingface,
    json_tasks,
    label_studio_writing,
    plain_text,
    prodigy_writing,
    tables,
)
from nbner.io.files import require_file
from nbner.io.gold_export import (
    ExportMisaligned,
    GoldExample,
    GoldFilter,
    Tokenize,
    accepted_gold,
    with_aligned_tokens,
)
from nbner.io.in_memory import read_objects
from nbner.io.options import FormatName, ReadOptions, TextUnit
from nbner.io.rows import Row
from nbner.types import Example

__all__ = ["ExportReport", "FormatName", "TextUnit", "read", "write"]

Reader: TypeAlias = Callable[[Path, ReadOptions], Iterator[Row]]
Writer: TypeAlias = Callable[[Iterable[Example], Path], int]
GoldWriter: TypeAlias = Callable[[Iterable[GoldExample], Path], int]


def _alone(read_path: Callable[[Path], Iterator[Row]]) -> Reader:
    """Make a reader of one that has no choices."""
    return lambda path, _choices: read_path(path)


_READERS: dict[FormatName, Reader] = {
    "prodigy": json_tasks.read_lines,
    "label_studio": json_tasks.read,
    "huggingface": json_tasks.read_lines,
    "conll": _alone(conll.read),
    "spacy": _alone(docbin.read),
    "table": _alone(tables.read),
    "brat": brat.read,
    "text": plain_text.read,
}
_READ_AS: dict[str, FormatName] = {
    **dict.fromkeys(json_tasks.LINE_SUFFIXES, "prodigy"),
    **dict.fromkeys(json_tasks.SUFFIXES, "label_studio"),
    **dict.fromkeys(conll.SUFFIXES, "conll"),
    **dict.fromkeys(docbin.SUFFIXES, "spacy"),
    **dict.fromkeys(tables.SUFFIXES, "table"),
    **dict.fromkeys(brat.SUFFIXES, "brat"),
}
# These carry every example with its answer.
_WRITERS: dict[FormatName, Writer] = {
    "prodigy": prodigy_writing.write,
    "label_studio": label_studio_writing.write,
    "table": tables.write,
}
# These carry gold alone, the last of them without tokens.
_GOLD_WRITERS: dict[FormatName, GoldWriter] = {
    "conll": conll_writing.write,
    "spacy": docbin_writing.write,
    "huggingface": huggingface.write,
}
_WRITTEN_AS: dict[str, FormatName] = {
    **dict.fromkeys(prodigy_writing.SUFFIXES, "prodigy"),
    **dict.fromkeys(label_studio_writing.SUFFIXES, "label_studio"),
    **dict.fromkeys((*tables.SUFFIXES, tables.TABBED), "table"),
    **dict.fromkeys(conll_writing.SUFFIXES, "conll"),
    **dict.fromkeys(docbin.SUFFIXES, "spacy"),
    **dict.fromkeys(brat_writing.SUFFIXES, "brat"),
}
# These suffixes say nothing of what is inside.
_BY_CONTENT = (".txt", tables.TABBED)


@dataclass(frozen=True, slots=True)
class ExportReport:
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


def read(
    source: object,
    *,
    by: TextUnit | None = None,
    format: FormatName | None = None,  # noqa: A002 - the word that people look for
    tag_names: Sequence[str] | None = None,
) -> Iterator[Row]:
    """Read rows from wherever they are, as a stream.

    Parameters
    ----------
    source : str, Path, DataFrame, Series, DocBin, or iterable
        A path is read by its suffix, and where that says nothing, by its
        content; a folder holds documents of brat or plain texts. An iterable
        may hold strings, dicts shaped as Prodigy's or Label Studio's tasks or
        as token rows, spaCy Docs and ``Example`` values.
    by : {"line", "paragraph", "file"}, optional
        What one text is in plain text: by default a line, in a folder a file.
    format : str, optional
        Read it so, whatever its suffix says.
    tag_names : sequence of str, optional
        The tags that numbers stand for in token rows.

    Yields
    ------
    Row

    Raises
    ------
    DataError
        With file, line, field and remedy.
    """
    names = None if tag_names is None else tuple(tag_names)
    if not isinstance(source, (str, Path)):
        yield from read_objects(source, ReadOptions(by or "line", names))
        return
    path = Path(source)
    if format is None and _is_folder(path):
        yield from _folder_reader(path)(path, ReadOptions(by or "file", names))
    else:
        yield from _reader(path, format)(path, ReadOptions(by or "line", names))


def write(
    examples: Iterable[Example],
    path: str | Path,
    *,
    tokenize: Tokenize | None = None,
    misaligned: ExportMisaligned = "refuse",
    format: FormatName | None = None,  # noqa: A002 - the word that people look for
) -> ExportReport:
    """Write examples in the format that the path's suffix names.

    ``.jsonl``, ``.json``, ``.csv`` and ``.tsv`` carry every example with its
    answer. ``.conll``, ``.spacy``, ``.ann`` and token rows can hold gold and
    nothing else: only accepted examples go there; rejected, ignored and open
    ones and answers to binary tasks are left out. A path without a suffix is a
    folder of brat's documents. A file that is there is replaced, when all is
    written and not before.

    Parameters
    ----------
    examples : iterable of Example
        Taken one by one.
    path : str or Path
    tokenize : callable, optional
        Text to tokens, for the formats that need them, and for those that can
        hold them where all spans fit.
    misaligned : {"refuse", "leave_out"}
        What to do about gold that does not fit the tokens in a format that
        needs them.
    format : str, optional
        Write it so, whatever the suffix says.

    Returns
    -------
    ExportReport

    Raises
    ------
    DataError
        The suffix is unknown, the file cannot be written, or the format cannot
        carry a label, a token or a span.
    """
    path = Path(path)
    to_folder = path.suffix == "" or (path.is_dir() and not path.suffix)
    named = format or ("brat" if to_folder else _WRITTEN_AS.get(path.suffix.lower()))
    if named in _WRITERS:
        if tokenize is not None:
            examples = (with_aligned_tokens(one, tokenize) for one in examples)
        return ExportReport(path, _WRITERS[named](examples, path))
    seen = _Counted(examples)
    if named == "brat":
        write_brat = brat_writing.write_folder if to_folder else brat_writing.write
        written = write_brat(accepted_gold(seen), path)
        return ExportReport(path, written, left_out=seen.count - written)
    if named not in _GOLD_WRITERS:
        raise _unknown(path, format, sorted(_WRITTEN_AS), [*_WRITERS, *_GOLD_WRITERS, "brat"])
    picked = GoldFilter(tokenize, misaligned)
    written = _GOLD_WRITERS[named](picked.select(seen), path)
    loose = picked.misaligned_count
    return ExportReport(path, written, left_out=seen.count - written - loose, misaligned=loose)


class _Counted:
    """An iterable that knows how many it has given."""

    def __init__(self, examples: Iterable[Example]) -> None:
        self.count = 0
        self._examples = examples

    def __iter__(self) -> Iterator[Example]:
        for example in self._examples:
            self.count += 1
            yield example


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):
        # A whole text in the place of a path is too long a name.
        return False


def _folder_reader(folder: Path) -> Reader:
    suffixes = {one.suffix.lower() for one in folder.iterdir()}
    if ".ann" in suffixes:
        return brat.read_folder
    if ".txt" in suffixes:
        return plain_text.read_folder
    raise DataError(
        "this is a folder without texts",
        file=folder,
        remedy="Name a file in it; a folder is read where it holds .txt and .ann, or .txt",
    )


def _reader(path: Path, named: FormatName | None) -> Reader:
    require_file(path)
    suffix = path.suffix.lower()
    named = named or _READ_AS.get(suffix)
    if named is None and suffix in _BY_CONTENT:
        named = _format_by_content(path, suffix)
    if named not in _READERS:
        raise _unknown(path, named, sorted({*_READ_AS, *_BY_CONTENT}), list(_READERS))
    return _READERS[named]


def _format_by_content(path: Path, suffix: str) -> FormatName:
    if conll.looks_like(path):
        return "conll"
    if suffix == ".txt":
        return "text"
    return "table" if tables.looks_like(path) else "conll"


def _unknown(
    path: Path, named: str | None, suffixes: list[str], formats: Sequence[str]
) -> DataError:
    if named is not None:
        return DataError(
            f"no format is called {named!r}",
            file=path,
            field="format",
            remedy=f"The known ones are {', '.join(formats)}",
        )
    return DataError(
        f"no format is known by the suffix {path.suffix!r}",
        file=path,
        remedy=f"The known ones are {', '.join(suffixes)}",
    )
