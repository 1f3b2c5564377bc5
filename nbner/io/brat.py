"""brat standoff: a text in ``.txt``, what was annotated in the ``.ann`` of the same name.

Offsets are code points. A span in pieces is taken as the stretch from its first
to its last character, and the report says so. Everything else that an ``.ann``
holds, relations, events, notes and nested spans, is kept beside the example and
written back; see ``brat_writing``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from nbner._common.alignment import filter_spans
from nbner.io.files import numbered_lines, read_text
from nbner.io.options import ReadOptions
from nbner.io.rows import Row, SourceLocation
from nbner.types import Span

SUFFIXES = (".ann",)
#: Under this key of ``extra`` the lines of an ``.ann`` survive.
EXTRA = "_brat"
#: Under this key of ``meta`` stands the name of the file.
DOCUMENT = "document"

_BOUND = re.compile(r"(\S+) (\d+ \d+(?:;\d+ \d+)*)")
_REMEDY = (
    "The line of a span holds, between tabs: T1, its label and offsets as in ORG 0 4, its text"
)


@dataclass(frozen=True, slots=True)
class TextBound:
    """One span of an ``.ann``.

    Parameters
    ----------
    id : str
        As brat numbers it: ``T1``.
    label : str
    pieces : tuple of (int, int)
        Code points, half-open, in order.
    """

    id: str
    label: str
    pieces: tuple[tuple[int, int], ...]

    @property
    def span(self) -> Span:
        """The stretch from the first to the last character."""
        return Span(self.pieces[0][0], self.pieces[-1][1], self.label)


def read(path: Path, _choices: ReadOptions) -> Iterator[Row]:
    """Yield the one document of an ``.ann`` and its ``.txt``; it is complete gold.

    Raises
    ------
    DataError
        The text is missing, or a line cannot be or contradicts the text.
    """
    yield _document(path, path.with_suffix(".txt"))


def read_folder(folder: Path, _choices: ReadOptions) -> Iterator[Row]:
    """Yield the documents of a folder in the order of their names.

    A text without an ``.ann`` is one that nobody has annotated.
    """
    names = sorted({path.stem for path in (*folder.glob("*.ann"), *folder.glob("*.txt"))})
    for name in names:
        yield _document(folder / f"{name}.ann", folder / f"{name}.txt")


def parse_text_bound(line: str, place: SourceLocation) -> TextBound:
    """Read the line of one span.

    Raises
    ------
    DataError
        It is none.
    """
    id_, _, rest = line.partition("\t")
    found = _BOUND.fullmatch(rest.partition("\t")[0])
    if found is None:
        raise place.error(f"{line[:60]!r} is no span", remedy=_REMEDY)
    offsets = [pair.split(" ") for pair in found[2].split(";")]
    return TextBound(id_, found[1], tuple((int(start), int(end)) for start, end in offsets))


def nested_ids(bounds: Sequence[TextBound]) -> set[str]:
    """Name the spans that a longer one covers in part: nbner keeps the longest."""
    named = [(one.span, one.id) for one in bounds]
    _, overlapping = filter_spans(span for span, _ in named)
    left = [id(span) for span in overlapping]
    return {name for span, name in named if id(span) in left}


def _document(ann: Path, txt: Path) -> Row:
    text = read_text(txt)
    meta = {DOCUMENT: txt.stem}
    if not ann.exists():
        return Row(text, meta=meta, file=str(txt), line=1)
    numbered = [(number, line) for number, line in numbered_lines(ann) if line.strip()]
    places = [SourceLocation(str(ann), number) for number, _ in numbered]
    bounds: list[TextBound] = []
    at: list[int] = []
    for (number, line), place in zip(numbered, places, strict=True):
        if line.startswith("T"):
            one = parse_text_bound(line, place)
            _check(one, line, text, place)
            bounds.append(one)
            at.append(number)
    return Row(
        text,
        spans=tuple(_marked(one, text) for one in bounds),
        meta=meta,
        extra=_kept([line for _, line in numbered], bounds, text),
        gold=True,
        file=str(ann),
        line=1,
        span_lines=tuple(at),
    )


def _check(one: TextBound, line: str, text: str, place: SourceLocation) -> None:
    """Compare a span with the text that is written beside it."""
    before = 0
    for start, end in one.pieces:
        if not before <= start < end <= len(text):
            raise place.error(
                f"{start} to {end} is not a stretch of a text of {len(text)} characters, or not "
                "in order",
                field=one.id,
                remedy="Offsets count code points from 0; the end is exclusive",
            )
        before = end
    parts = line.split("\t", 2)
    found = " ".join(text[start:end] for start, end in one.pieces)
    if len(parts) > 2 and parts[2].split() != found.split():
        raise place.error(
            f"{parts[2][:40]!r} is written here, but the text at these offsets is {found[:40]!r}",
            field=one.id,
            remedy="Keep .txt and .ann together as brat wrote them: offsets count code points",
        )


def _marked(one: TextBound, text: str) -> Span:
    span = one.span
    if not is_discontinuous(one, text):
        return span
    return Span(span.start, span.end, span.label, extra={"_pieces": [list(p) for p in one.pieces]})


def is_discontinuous(one: TextBound, text: str) -> bool:
    """Whether something other than whitespace lies between the pieces of a span."""
    ends = [end for _, end in one.pieces[:-1]]
    starts = [start for start, _ in one.pieces[1:]]
    return any(text[end:start].strip() for end, start in zip(ends, starts, strict=True))


def _kept(all_lines: list[str], bounds: list[TextBound], text: str) -> dict[str, list[str]]:
    """Keep the lines where spans alone would not give them back."""
    is_plain = len(bounds) == len(all_lines) and not nested_ids(bounds)
    if is_plain and not any(is_discontinuous(one, text) for one in bounds):
        return {}
    return {EXTRA: all_lines}
