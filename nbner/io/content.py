"""Detection of a file's format by its first bytes."""

from __future__ import annotations

import codecs
import json
import re
import zlib
from pathlib import Path

from nbner.io import conll, tables
from nbner.io.files import read_head
from nbner.io.options import FormatName

_PARQUET_MAGIC = b"PAR1"
# The file format, the stream format (a message of unknown length), and Feather before Arrow.
_ARROW_MAGIC = (b"ARROW1", b"\xff\xff\xff\xff", b"FEA1")
# A text may begin with a bracket, too: "[PER Ada] is here".
_JSON_START = re.compile(r"[\[{]\s*(?:[\"'\[{\]}(-]|\d|true|false|null|$)")
_ZLIB_HEADERS = (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")
_BINARY_MAGIC = {
    b"PK": "a ZIP archive, such as a spreadsheet or a document of Word",
    b"%PDF": "a PDF",
    b"\xd0\xcf\x11\xe0": "a file of an old Microsoft Office",
    b"SQLite format 3": "an SQLite database",
    b"BZh": "compressed by bzip2",
    b"\xfd7zXZ": "compressed by xz",
    b"(\xb5/\xfd": "compressed by zstd",
}


def detect_format(path: Path, encoding: str | None) -> FormatName | None:
    """Detect a file's format by its content.

    Parameters
    ----------
    path : Path
        Any file; one that gzip has compressed is looked into.
    encoding : str, optional
        Encoding of its text; UTF-8 by default.

    Returns
    -------
    str or None
        None where it may be plain text, or a format that is not known.
    """
    head = read_head(path)
    binary = _binary_format(head)
    if binary is not None:
        return binary
    text = _decoded(head, encoding).lstrip()
    if _JSON_START.match(text):
        return json_format(text)
    if "\0" in text or binary_kind(path) is not None:
        return None
    # A header of words and tags may itself look like a line of CoNLL.
    if tables.has_header_of_words(path, encoding):
        return "table"
    if conll.looks_like(path, encoding):
        return "conll"
    return "table" if tables.looks_like(path, encoding) else None


def json_format(head: str) -> FormatName:
    """Return "prodigy" for JSON Lines, and "label_studio" for one JSON value.

    Both readers recognize the objects themselves, whatever tool wrote them.

    Parameters
    ----------
    head : str
        The beginning of the file.
    """
    first, *others = [line for line in head.splitlines() if line.strip()]
    try:
        value = json.loads(first)
    except (ValueError, RecursionError):
        # A value on several lines, or a line that is longer than the head.
        is_cut = not others and first.startswith("{")
        return "prodigy" if is_cut else "label_studio"
    return "label_studio" if isinstance(value, list) and not others else "prodigy"


def is_json_lines(path: Path, encoding: str | None) -> bool | None:
    """Return whether a JSON file has a value on each line; None where that is unclear.

    Parameters
    ----------
    path : Path
        A file with a suffix of JSON.
    encoding : str, optional
        Its encoding; UTF-8 by default.
    """
    lines = [line for line in _decoded(read_head(path), encoding).splitlines() if line.strip()]
    if len(lines) < 2:
        return None
    starts = [line.lstrip()[:1] for line in lines[:2]]
    try:
        json.loads(lines[0])
    except (ValueError, RecursionError):
        return False if starts[0] == "[" else None
    return True if starts[0] == starts[1] and starts[0] in "{[" else None


def binary_kind(path: Path) -> str | None:
    """Name what a file is by its first bytes, where it is none of the formats that are read.

    Parameters
    ----------
    path : Path
        Any file.
    """
    head = read_head(path, 32)
    return next((kind for magic, kind in _BINARY_MAGIC.items() if head.startswith(magic)), None)


def _binary_format(head: bytes) -> FormatName | None:
    if head.startswith(_PARQUET_MAGIC):
        return "parquet"
    if head.startswith(_ARROW_MAGIC):
        return "arrow"
    if head.startswith(_ZLIB_HEADERS):
        try:
            return "spacy" if b"version" in zlib.decompressobj().decompress(head, 64) else None
        except zlib.error:
            return None
    return None


def _decoded(head: bytes, encoding: str | None) -> str:
    # The last character may be cut.
    return codecs.decode(head, encoding or "utf-8", "replace").removeprefix("\ufeff")
