"""brat standoff: a text in a ``.txt`` file, its annotations in the ``.ann`` of the same name.

The ``.a1`` and ``.a2`` of the BioNLP shared tasks are read too, as one document.

Offsets are code points. A discontinuous span is read as one span from its first
to its last character and reported. All other annotations of an ``.ann`` file
(relations, events, notes and nested spans) are kept with the example and
written back. In place of the ``.ann`` there may be the files of the BioNLP
shared tasks, of which the lines are read as one file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from nbner._common.alignment import filter_spans
from nbner.errors import DataError
from nbner.io.files import (
    BYTE_ORDER_MARK,
    UTF8_BOM,
    atomic_folder,
    atomic_pair,
    numbered_lines,
    read_text,
)
from nbner.io.offset_conventions import offset_conventions
from nbner.io.options import ReadOptions
from nbner.io.rows import Row, SourceLocation
from nbner.types import Example, Span

WRITE_SUFFIXES = (".ann",)
# Of BioNLP: given spans, events with their triggers, coreferences, relations.
_PART_SUFFIXES = (".a1", ".a2", ".co", ".rel")
SUFFIXES = (*WRITE_SUFFIXES, *_PART_SUFFIXES)

# Key of ``extra`` for the lines of an ``.ann`` file.
_EXTRA_KEY = "_brat"
# Key of ``meta`` for the name of the file.
_DOCUMENT_KEY = "document"

_TEXT_BOUND = re.compile(r"(\S+) (\d+ \d+(?:;\d+ \d+)*)")
_OTHER_LINE = re.compile(r"(?:[REAMNW#]\S*|\*)(?:\s|$)")
_FILE_NAME = re.compile(r"[\w\-][\w\-. ]{0,99}")
_LINE = re.compile(r"[^\n]+")
_REFERENCE = re.compile(r"\b[TREAN]\d+\b")
_WHITESPACE_TO_SPACE = str.maketrans("\n\r\t", "   ")
_REMEDY = (
    "The line of a span holds, between tabs: T1, its label and offsets as in ORG 0 4, its text"
)


def read(path: Path, options: ReadOptions) -> Iterator[Row]:
    """Yield the one document of an ``.ann`` file and its ``.txt``; it is complete gold.

    Parameters
    ----------
    path : Path
        The ``.ann`` file, or one of those that BioNLP has in its place.
    options : ReadOptions
        ``encoding`` is that of both files.

    Raises
    ------
    DataError
        The text is missing, or a line is malformed or contradicts the text.
    """
    yield from options.row_errors.guard(_rows_of_document(path.with_suffix(""), options.encoding))


def read_folder(folder: Path, options: ReadOptions) -> Iterator[Row]:
    """Yield the documents of a folder in the order of their names; empty ones are passed over.

    Parameters
    ----------
    folder : Path
        A text without an ``.ann`` file in it is not annotated.
    options : ReadOptions
        ``encoding`` is that of all files.

    Raises
    ------
    DataError
        A text is missing, or a line is malformed or contradicts its text.
    """
    suffixes = (".txt", *SUFFIXES)
    names = {
        one.name.removesuffix(one.suffix) for one in folder.iterdir() if one.suffix in suffixes
    }
    for name in sorted(names):
        yield from options.row_errors.guard(_rows_of_document(folder / name, options.encoding))


def write(examples: Iterable[Example], path: Path) -> int:
    """Write accepted examples as one document, each beginning on a new line.

    Relations and events are written only if there is a single example.

    Parameters
    ----------
    examples : iterable of Example
        Consumed one by one.
    path : Path
        The ``.ann`` file; it and its ``.txt`` are replaced if they exist.

    Returns
    -------
    int
        Number of examples.

    Raises
    ------
    DataError
        A label or a span cannot be written, or one of several examples has
        annotations that need a document of their own.
    """
    count = offset = numbered = 0
    is_alone = False
    stem = path.with_suffix("")
    texts = stem.with_name(f"{stem.name}.txt")
    with atomic_pair(texts, stem.with_name(f"{stem.name}.ann")) as (txt, ann):
        for example in examples:
            if count and (is_alone or _EXTRA_KEY in example.extra):
                raise DataError(
                    "relations, nested spans and spans in pieces belong to a document of their own",
                    file=path,
                    remedy=f"Write a folder of documents: export({str(stem)!r})",
                )
            is_alone = _EXTRA_KEY in example.extra
            lines = _lines_of(example, offset, numbered + 1)
            txt.write(b"\n" if count else _mark_of(example.text))
            txt.write(example.text.encode("utf-8"))
            ann.write("".join(f"{line}\n" for line in lines).encode("utf-8"))
            count += 1
            numbered += len(lines)
            offset += len(example.text) + 1
    return count


def write_folder(examples: Iterable[Example], folder: Path) -> int:
    """Write each accepted example as two files.

    The files are named by ``meta["document"]`` where it is a valid and unused
    file name, otherwise by number.

    Parameters
    ----------
    examples : iterable of Example
        Consumed one by one.
    folder : Path
        Created where it does not exist.

    Returns
    -------
    int
        Number of examples.

    Raises
    ------
    DataError
        A label or a span cannot be written, or the folder holds other files.
    """
    used: set[str] = set()
    with atomic_folder(folder) as draft:
        for number, example in enumerate(examples, 1):
            name = _file_name(example, number, used)
            _write_document(draft / name, example.text, _lines_of(example))
    return len(used)


@dataclass(frozen=True, slots=True)
class _TextBound:
    """One text-bound annotation of an ``.ann`` file: its id, label and pieces in code points."""

    id: str
    label: str
    pieces: tuple[tuple[int, int], ...]
    written: str | None = None  # the text beside the offsets

    @property
    def span(self) -> Span:
        """The span from the first to the last character."""
        return Span(self.pieces[0][0], self.pieces[-1][1], self.label)

    @property
    def line(self) -> str:
        """The line of the ``.ann`` file."""
        offsets = ";".join(f"{start} {end}" for start, end in self.pieces)
        written = "" if self.written is None else f"\t{self.written}"
        return f"{self.id}\t{self.label} {offsets}{written}"

    def is_in_order(self, text: str) -> bool:
        """Return whether the pieces lie in the text, one after the other."""
        before = 0
        for start, end in self.pieces:
            if not before <= start < end <= len(text):
                return False
            before = end
        return True

    def has_written_text(self, text: str) -> bool:
        """Return whether the text beside the offsets, if there is one, is that at the offsets."""
        return self.written is None or self.written.split() == self.found(text).split()

    def found(self, text: str) -> str:
        """Return the text at the offsets."""
        return " ".join(text[start:end] for start, end in self.pieces)

    def is_discontinuous(self, text: str) -> bool:
        """Return whether anything but whitespace lies between the pieces."""
        ends = [end for _, end in self.pieces[:-1]]
        starts = [start for start, _ in self.pieces[1:]]
        return any(text[end:start].strip() for end, start in zip(ends, starts, strict=True))


def _parse_text_bound(line: str, location: SourceLocation) -> _TextBound:
    id_, _, rest = line.partition("\t")
    place, has_text, written = rest.partition("\t")
    found = _TEXT_BOUND.fullmatch(place)
    if found is None:
        raise location.error(f"{line[:60]!r} is no span", remedy=_REMEDY)
    offsets = [pair.split(" ") for pair in found[2].split(";")]
    pieces = tuple((int(start), int(end)) for start, end in offsets)
    return _TextBound(id_, found[1], pieces, written if has_text else None)


def _nested_ids(bounds: Sequence[_TextBound]) -> set[str]:
    """Return the ids of the spans that a longer one overlaps; nbner keeps the longest."""
    spans = [(one.span, one.id) for one in bounds]
    _, overlapping = filter_spans(span for span, _ in spans)
    dropped = [id(span) for span in overlapping]
    return {name for span, name in spans if id(span) in dropped}


def _rows_of_document(stem: Path, encoding: str | None) -> Iterator[Row]:
    """Yield the row of a document; nothing if it is empty."""
    txt = _beside(stem, ".txt")
    raw = read_text(txt, encoding)
    text = raw.removeprefix(BYTE_ORDER_MARK)
    parts = _annotation_files(stem)
    lines = [
        (str(part), number, line)
        for part in parts
        for number, line in numbered_lines(part, encoding)
        if line.strip()
    ]
    if not text.strip() and not lines:
        return
    if not parts:
        yield Row(text, meta={_DOCUMENT_KEY: txt.stem}, file=str(txt), line=1)
        return
    _check_other_lines(lines)
    locations = [SourceLocation(file, number) for file, number, line in lines if line[0] == "T"]
    found = [line for _, _, line in lines if line.startswith("T")]
    bounds = _in_text(
        [_parse_text_bound(*one) for one in zip(found, locations, strict=True)],
        locations,
        text,
        had_mark=raw != text,
    )
    moved = iter(bounds)
    kept = [next(moved).line if line.startswith("T") else line for _, _, line in lines]
    yield Row(
        text,
        spans=tuple(_span_with_pieces(one, text) for one in bounds),
        meta={_DOCUMENT_KEY: txt.stem},
        extra=_extra(kept, bounds, text),
        gold=True,
        file=str(parts[0]),
        line=1,
        span_lines=tuple(one.line or 0 for one in locations),
    )


def _check_other_lines(lines: Sequence[tuple[str, int, str]]) -> None:
    """Raise for a line that is neither a span nor another annotation of brat."""
    for file, number, line in lines:
        if not line.startswith("T") and not _OTHER_LINE.match(line):
            raise SourceLocation(file, number).error(
                f"{line[:60]!r} is no annotation of brat", remedy=_REMEDY
            )


def _beside(stem: Path, suffix: str) -> Path:
    # Not with_suffix: a document's name may have dots.
    return stem.with_name(f"{stem.name}{suffix}")


def _annotation_files(stem: Path) -> list[Path]:
    """Return the ``.ann`` file of a document, or those that BioNLP has in its place."""
    found = [path for suffix in SUFFIXES if (path := _beside(stem, suffix)).exists()]
    if len(found) > 1 and found[0].suffix in WRITE_SUFFIXES:
        raise DataError(
            f"{found[1].name} lies beside it, and nothing shows which of them holds",
            file=found[0],
            remedy="Keep one of them in the folder",
        )
    return found


def _in_text(
    bounds: Sequence[_TextBound],
    locations: Sequence[SourceLocation],
    text: str,
    *,
    had_mark: bool,
) -> list[_TextBound]:
    """Convert the offsets to those of the text, by the first convention in which all spans fit.

    Parameters
    ----------
    bounds : sequence of _TextBound
        As they were written.
    locations : sequence of SourceLocation
        File and line of each.
    text : str
        The text, without a byte order mark.
    had_mark : bool
        Whether the file of the text began with a byte order mark.
    """
    conventions = list(offset_conventions(text, lost_mark=had_mark))
    if had_mark and all(one.written is None for one in bounds):
        # Nothing shows whether the mark was counted; brat counts it.
        conventions = conventions[1:]
    for convert in conventions:
        moved = [
            replace(one, pieces=tuple((convert(start), convert(end)) for start, end in one.pieces))
            for one in bounds
        ]
        if all(one.is_in_order(text) and one.has_written_text(text) for one in moved):
            return moved
    for one, location in zip(bounds, locations, strict=True):
        _check_text_bound(one, text, location)
    return list(bounds)


def _check_text_bound(one: _TextBound, text: str, location: SourceLocation) -> None:
    """Raise if a span is outside the text, or is not the text written beside it."""
    if not one.is_in_order(text):
        start, end = one.pieces[0][0], one.pieces[-1][1]
        raise location.error(
            f"{start} to {end} is not a stretch of a text of {len(text)} characters, or not "
            "in order",
            field=one.id,
            remedy="Offsets count code points from 0; the end is exclusive",
        )
    if not one.has_written_text(text):
        raise location.error(
            f"{one.written!r:.42} is written here, but the text at these offsets is "
            f"{one.found(text)[:40]!r}",
            field=one.id,
            remedy="Offsets count code points, and line ends as one character or as they are "
            "in the .txt; the .ann may belong to another version of it",
        )


def _span_with_pieces(one: _TextBound, text: str) -> Span:
    span = one.span
    if not one.is_discontinuous(text):
        return span
    return Span(span.start, span.end, span.label, extra={"_pieces": [list(p) for p in one.pieces]})


def _extra(lines: list[str], bounds: list[_TextBound], text: str) -> dict[str, list[str]]:
    """Build ``extra`` with all lines, where the spans alone would not restore them."""
    is_plain = len(bounds) == len(lines) and not _nested_ids(bounds)
    if is_plain and not any(one.is_discontinuous(text) for one in bounds):
        return {}
    return {_EXTRA_KEY: lines}


def _write_document(stem: Path, text: str, lines: Sequence[str]) -> None:
    """Write a document into a folder that is a draft as a whole."""
    stem.with_name(f"{stem.name}.txt").write_bytes(_mark_of(text) + text.encode("utf-8"))
    annotations = "".join(f"{line}\n" for line in lines)
    stem.with_name(f"{stem.name}.ann").write_bytes(annotations.encode("utf-8"))


def _mark_of(text: str) -> bytes:
    """Return a byte order mark for a text that begins with one, since readers take one off."""
    return UTF8_BOM if text.startswith(BYTE_ORDER_MARK) else b""


def _file_name(example: Example, number: int, used: set[str]) -> str:
    wanted = example.meta.get(_DOCUMENT_KEY)
    name = f"{number:06d}"
    if isinstance(wanted, str) and _FILE_NAME.fullmatch(wanted) and not wanted.endswith(" "):
        name = wanted
    while name.lower() in used:
        name = f"{name}-{number}"
    used.add(name.lower())
    return name


def _lines_of(example: Example, offset: int = 0, first: int = 1) -> list[str]:
    imported = example.extra.get(_EXTRA_KEY) or []
    if imported:
        return list(_updated_lines(example, imported))
    return _numbered_lines(example.spans, example.text, first, offset)


def _updated_lines(example: Example, imported: Sequence[str]) -> Iterator[str]:
    """Yield the imported lines without deleted spans, followed by the new spans.

    Nested spans are kept: the annotator never saw them, and so did not delete
    them.
    """
    lines = [line for line in imported if line.startswith("T")]
    bounds = [_parse_text_bound(line, SourceLocation()) for line in dict.fromkeys(lines)]
    nested = _nested_ids(bounds)
    new = dict.fromkeys(example.spans)
    deleted: set[str] = set()
    for one in bounds:
        is_kept = one.span in new
        new.pop(one.span, None)
        if not is_kept and one.id not in nested:
            deleted.add(one.id)
    deleted = _with_dependents(deleted, imported)
    yield from (
        line
        for line in imported
        if line.partition("\t")[0] not in deleted and not _is_deleted(line, deleted)
    )
    last = max((int(one.id[1:]) for one in bounds if one.id[1:].isdecimal()), default=0)
    yield from _numbered_lines(new, example.text, last + 1)


def _with_dependents(deleted: set[str], lines: Sequence[str]) -> set[str]:
    """Add the ids of all annotations that refer, directly or not, to deleted ones."""
    before = -1
    while before != len(deleted):
        before = len(deleted)
        dependent = {line.partition("\t")[0] for line in lines if _is_deleted(line, deleted)}
        # "*" is not an id: every equivalence has it.
        deleted = deleted | (dependent - {"*"})
    return deleted


def _is_deleted(line: str, deleted: set[str]) -> bool:
    id_, _, rest = line.partition("\t")
    if id_.startswith("T"):
        return id_ in deleted
    return not deleted.isdisjoint(_REFERENCE.findall(rest.partition("\t")[0]))


def _numbered_lines(spans: Iterable[Span], text: str, first: int, offset: int = 0) -> list[str]:
    return [_line(f"T{number}", span, text, offset) for number, span in enumerate(spans, first)]


def _line(id_: str, span: Span, text: str, offset: int) -> str:
    # brat writes a span over a line end as one piece per line.
    pieces = tuple(
        (span.start + one.start(), span.start + one.end())
        for one in _LINE.finditer(text[span.start : span.end])
    )
    _check_writable(_TextBound(id_, span.label, pieces), span, text)
    offsets = ";".join(f"{start + offset} {end + offset}" for start, end in pieces)
    words = " ".join(text[start:end] for start, end in pieces).translate(_WHITESPACE_TO_SPACE)
    return f"{id_}\t{span.label} {offsets}\t{words}"


def _check_writable(one: _TextBound, span: Span, text: str) -> None:
    if any(character.isspace() or character == ";" for character in span.label):
        raise DataError(
            f"brat cannot carry the label {span.label!r}: it holds whitespace or a semicolon",
            field="label",
            remedy="Rename the label, or write .jsonl or .spacy",
        )
    if not one.pieces or (one.span.start, one.span.end) != (span.start, span.end):
        raise DataError(
            f"brat cannot carry {text[span.start : span.end]!r}, which begins or ends with a line "
            "end",
            field="spans",
            remedy="Correct the span, or write .jsonl",
        )
