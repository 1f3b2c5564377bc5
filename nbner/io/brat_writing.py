"""Gold as brat standoff; see ``brat`` for the way in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from nbner.errors import DataError
from nbner.io.brat import DOCUMENT, EXTRA, TextBound, nested_ids, parse_text_bound
from nbner.io.files import atomic_folder, atomic_write
from nbner.io.rows import SourceLocation
from nbner.types import Example, Span

SUFFIXES = (".ann",)

_NAME = re.compile(r"[\w\-][\w\-. ]{0,99}")
_SOLID = re.compile(r"[^\n]+")
_REFERENCE = re.compile(r"\b[TREAN]\d+\b")
_FLAT = str.maketrans("\n\r\t", "   ")


def write_folder(examples: Iterable[Example], folder: Path) -> int:
    """Write each accepted example as two files, and say how many there were.

    The files are named as ``meta["document"]`` says, where it is a name and
    still free, else by number.
    """
    taken: set[str] = set()
    with atomic_folder(folder) as draft:
        for number, example in enumerate(examples, 1):
            name = _name(example, number, taken)
            _write_pair(draft / name, example.text, _lines(example))
    return len(taken)


def write(examples: Iterable[Example], path: Path) -> int:
    """Write accepted examples as one document, and say how many there were.

    An example begins on a new line. Relations and events are kept where there
    is one example.
    """
    count = start = numbered = 0
    is_alone = False
    stem = path.with_suffix("")
    with (
        atomic_write(stem.with_name(f"{stem.name}.txt")) as texts,
        atomic_write(stem.with_name(f"{stem.name}.ann")) as said,
    ):
        for example in examples:
            if count and (is_alone or EXTRA in example.extra):
                raise DataError(
                    "relations, nested spans and spans in pieces belong to a document of their own",
                    file=path,
                    remedy=f"Write a folder of documents: export({str(stem)!r})",
                )
            is_alone = EXTRA in example.extra
            lines = _lines(example, start, numbered + 1)
            texts.write(("\n" * bool(count) + example.text).encode("utf-8"))
            said.write("".join(f"{line}\n" for line in lines).encode("utf-8"))
            count += 1
            numbered += len(lines)
            start += len(example.text) + 1
    return count


def _write_pair(stem: Path, text: str, all_lines: Sequence[str]) -> None:
    with atomic_write(stem.with_name(f"{stem.name}.txt")) as file:
        file.write(text.encode("utf-8"))
    with atomic_write(stem.with_name(f"{stem.name}.ann")) as file:
        file.write("".join(f"{line}\n" for line in all_lines).encode("utf-8"))


def _name(example: Example, number: int, taken: set[str]) -> str:
    wanted = example.meta.get(DOCUMENT)
    name = f"{number:06d}"
    if isinstance(wanted, str) and _NAME.fullmatch(wanted) and not wanted.endswith(" "):
        name = wanted
    while name.lower() in taken:
        name = f"{name}-{number}"
    taken.add(name.lower())
    return name


def _lines(example: Example, offset: int = 0, first: int = 1) -> list[str]:
    kept = example.extra.get(EXTRA) or []
    if kept:
        return list(_with_kept(example, kept))
    return _numbered(example.spans, example.text, first, offset)


def _with_kept(example: Example, kept: Sequence[str]) -> Iterator[str]:
    """Give the lines that came, without what no longer stands, and with what is new.

    A nested span was shown to nobody, so that nobody has taken it away.
    """
    bounds = {
        line: parse_text_bound(line, SourceLocation()) for line in kept if line.startswith("T")
    }
    hidden = nested_ids(list(bounds.values()))
    wanted = {span: span for span in example.spans}
    gone: set[str] = set()
    for one in bounds.values():
        if wanted.pop(one.span, None) is None and one.id not in hidden:
            gone.add(one.id)
    gone = _with_dependents(gone, kept)
    yield from (
        line for line in kept if line.partition("\t")[0] not in gone and _stands(line, gone)
    )
    newest = max((int(one.id[1:]) for one in bounds.values() if one.id[1:].isdecimal()), default=0)
    yield from _numbered(list(wanted), example.text, newest + 1)


def _with_dependents(gone: set[str], kept: Sequence[str]) -> set[str]:
    """Add what refers to what is gone, and what refers to that."""
    before = -1
    while before != len(gone):
        before = len(gone)
        gone = gone | {line.partition("\t")[0] for line in kept if not _stands(line, gone)}
    return gone


def _stands(line: str, gone: set[str]) -> bool:
    id_, _, rest = line.partition("\t")
    if id_.startswith("T"):
        return id_ not in gone
    return gone.isdisjoint(_REFERENCE.findall(rest.partition("\t")[0]))


def _numbered(spans: Iterable[Span], text: str, first: int, offset: int = 0) -> list[str]:
    return [_line(f"T{number}", span, text, offset) for number, span in enumerate(spans, first)]


def _line(id_: str, span: Span, text: str, offset: int) -> str:
    pieces = tuple(
        (span.start + one.start(), span.start + one.end())
        for one in _SOLID.finditer(text[span.start : span.end])
    )
    _check(TextBound(id_, span.label, pieces), span, text)
    places = ";".join(f"{start + offset} {end + offset}" for start, end in pieces)
    said = " ".join(text[start:end] for start, end in pieces).translate(_FLAT)
    return f"{id_}\t{span.label} {places}\t{said}"


def _check(one: TextBound, span: Span, text: str) -> None:
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
