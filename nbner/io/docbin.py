"""spaCy's DocBin files and Docs.

Docs are written without building ``Doc`` objects, which would take longer than
everything else. A DocBin is one MessagePack map, compressed by zlib
(spacy/tokens/_serialize.py). Its tokens are assembled and compressed in chunks,
so that memory holds 8 bytes per token and not three copies of the file.
"""

from __future__ import annotations

import zlib
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import add
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from nbner._common.alignment import tokens_from_columns
from nbner._common.serialization import dump_json, load_json
from nbner.errors import DataError
from nbner.io.files import atomic_write, read_bytes
from nbner.io.gold_export import GoldExample
from nbner.io.options import ReadOptions
from nbner.io.rows import Row, SourceLocation
from nbner.io.validation import as_mapping, as_text, check_label
from nbner.types import Span, Token

# spaCy and NumPy are imported in the functions, so that other formats load without them.
if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from spacy.strings import StringStore
    from spacy.tokens import Doc, DocBin

    IntArray: TypeAlias = NDArray[np.int64]

SUFFIXES = (".spacy",)

# Key of ``doc.user_data`` for meta, flag and note, which spaCy has no attribute for.
_USER_DATA_KEY = "nbner"

# spaCy's values of ``ent_iob``.
_MISSING, _INSIDE, _OUTSIDE, _BEGIN = 0, 1, 2, 3

# Exceptions of spaCy and its decompression on bytes that are not a DocBin.
_DAMAGE = (
    *(ArithmeticError, AttributeError, LookupError, MemoryError, StopIteration),
    *(TypeError, ValueError),
)
_REMEDY = "A .spacy file is what spacy.tokens.DocBin.to_disk writes"

_CHUNK = 2**16  # tokens
_MAX_BYTES = 2**32  # of one value in MessagePack


def read(path: Path, options: ReadOptions) -> Iterator[Row]:
    """Yield the docs of a file; spaCy keeps the whole DocBin in memory.

    Parameters
    ----------
    path : Path
        A ``.spacy`` file.
    options : ReadOptions
        ``spans_key`` is a key of ``doc.spans``; ``row_errors`` takes the errors
        of single docs.

    Raises
    ------
    DataError
        The file is not a DocBin.
    """
    from spacy.tokens import DocBin

    data = read_bytes(path)
    try:
        docs = DocBin(store_user_data=True).from_bytes(data)
    except _DAMAGE as error:
        raise DataError("this is not a DocBin", file=path, remedy=_REMEDY) from error
    yield from read_docbin(docs, options, file=str(path))


def read_docbin(docs: DocBin, options: ReadOptions, *, file: str | None = None) -> Iterator[Row]:
    """Yield the docs of a DocBin; empty ones are passed over.

    Parameters
    ----------
    docs : DocBin
        A DocBin in memory.
    options : ReadOptions
        ``spans_key`` is a key of ``doc.spans``; ``row_errors`` takes the errors
        of single docs.
    file : str, optional
        Its file, for messages.

    Raises
    ------
    DataError
        A doc cannot be restored.
    """
    from spacy.vocab import Vocab

    restored = docs.get_docs(Vocab())
    for number in range(1, len(docs) + 1):
        location = SourceLocation(file, number)
        try:
            doc = next(restored)
        except _DAMAGE as error:
            # The docs after a damaged one cannot be restored either.
            raise location.error("this doc cannot be restored", remedy=_REMEDY) from error
        for row in options.row_errors.guard(_rows_of_doc(doc, location, options)):
            if row.text.strip() or row.spans:
                yield row


def row_from_doc(doc: Doc, location: SourceLocation, options: ReadOptions) -> Row:
    """Convert a doc with its own tokens to a row.

    The entities are complete gold if every token is annotated. A doc without
    any annotated token (``ent_iob`` 0, *missing* in spaCy) has no information
    on spans; a doc with some annotated tokens holds suggestions. Spans under a
    key of ``doc.spans`` are read by ``spans_key``, as complete gold.

    Parameters
    ----------
    doc : Doc
        Of any pipeline.
    location : SourceLocation
        File and number of the doc, for messages.
    options : ReadOptions
        ``spans_key`` is a key of ``doc.spans``, in place of the entities; with
        ``texts_only`` spans under a key that is not named are no error.

    Raises
    ------
    DataError
        The doc has no entities, but spans under a key that is not named; or the
        entities or the data under ``doc.user_data["nbner"]`` are damaged.
    """
    own = _own_user_data(doc, location)
    spans, is_gold = _annotation(doc, location, options)
    return Row(
        text=doc.text,
        tokens=tokens_from_doc(doc),
        spans=spans,
        flagged=own.get("flagged") is True,
        note=as_text(own.get("note", ""), "note", location),
        meta=as_mapping(own.get("meta", {}), "meta", location),
        gold=is_gold,
        file=location.file,
        line=location.line,
        unread=() if options.spans_key is not None else _other_groups(doc),
    )


def tokens_from_doc(doc: Doc, text: str | None = None) -> tuple[Token, ...]:
    """Convert the tokens of a doc.

    From one array, because a loop over spaCy's tokens takes longer than
    spaCy's tokenizer.

    Parameters
    ----------
    doc : Doc
        Of any pipeline.
    text : str, optional
        ``doc.text``, where the caller has it already.
    """
    from spacy.attrs import LENGTH, SPACY

    if not len(doc):
        return ()
    text = doc.text if text is None else text
    lengths, spaces = doc.to_array([LENGTH, SPACY]).astype("int64").T
    ends = (lengths + spaces).cumsum() - spaces
    starts = ends - lengths
    return tokens_from_columns(text, starts.tolist(), ends.tolist(), (spaces == 1).tolist())


def write(gold: Iterable[GoldExample], path: Path) -> int:
    """Write gold as a DocBin.

    ``doc.text`` is the text: whitespace that spaCy's tokens cannot represent
    becomes tokens of its own. ``meta``, flag and note are stored as JSON in
    ``doc.user_data["nbner"]``.

    Parameters
    ----------
    gold : iterable of GoldExample
        Consumed one by one.
    path : Path
        Replaced if it exists.

    Returns
    -------
    int
        Number of docs.

    Raises
    ------
    DataError
        The file cannot be written, or there is more than a DocBin can hold.
    """
    columns = _Columns()
    for one in gold:
        columns.add(one)
    packer = zlib.compressobj()
    with atomic_write(path) as file:
        for part in columns.parts(path):
            file.write(packer.compress(part))
        file.write(packer.flush())
    return len(columns.lengths)


def _annotation(
    doc: Doc, location: SourceLocation, options: ReadOptions
) -> tuple[tuple[Span, ...] | None, bool]:
    """Return the spans, None where there is no information, and whether they are complete."""
    spans_key = options.spans_key
    if spans_key is not None:
        if spans_key not in doc.spans:
            return None, False
        found = (_span(one, f"spans[{spans_key!r}]", location) for one in doc.spans[spans_key])
        return tuple(dict.fromkeys(found)), True
    annotated = [token.ent_iob != _MISSING for token in doc]
    spans = _spans(doc, location) if any(annotated) else None
    groups = _group_names(doc)
    if groups and not spans and not options.texts_only:
        raise location.error(
            "the doc has no entities, but spans under "
            + " and ".join(f"doc.spans[{key!r}]" for key in groups),
            field="spans",
            remedy=f"Read them with spans_key={groups[0]!r}; of spans that overlap, the longest "
            "is kept",
        )
    return spans, bool(annotated) and all(annotated)


def _group_names(doc: Doc) -> list[str]:
    return [key for key, group in doc.spans.items() if len(group)]


def _other_groups(doc: Doc) -> tuple[str, ...]:
    return tuple(
        f"spans under doc.spans[{key!r}] are not read; spans_key={key!r} reads them"
        for key in _group_names(doc)
    )


def _span(span: Any, field: str, location: SourceLocation) -> Span:
    label = check_label(span.label_, f"{field}.label", location)
    return Span(span.start_char, span.end_char, label)


def _rows_of_doc(doc: Doc, location: SourceLocation, options: ReadOptions) -> Iterator[Row]:
    try:
        yield row_from_doc(doc, location, options)
    except _DAMAGE as error:
        raise location.error("this doc cannot be restored", remedy=_REMEDY) from error


def _own_user_data(doc: Doc, location: SourceLocation) -> Mapping[str, Any]:
    stored = as_text(doc.user_data.get(_USER_DATA_KEY, "{}"), _USER_DATA_KEY, location)
    try:
        return as_mapping(load_json(stored), _USER_DATA_KEY, location)
    except ValueError as error:
        raise location.error(f"this is not JSON: {error}", field=_USER_DATA_KEY) from error


def _spans(doc: Doc, location: SourceLocation) -> tuple[Span, ...]:
    try:
        entities = doc.ents
    except ValueError as error:
        raise location.error(f"spaCy cannot read its entities: {error}", field="ents") from error
    return tuple(Span(one.start_char, one.end_char, one.label_) for one in entities)


class _Columns:
    """The tokens of all docs as columns.

    Attributes
    ----------
    lengths : array of int
        Number of tokens of each doc.
    """

    def __init__(self) -> None:
        from spacy.strings import StringStore

        self.lengths = array("i")
        self._string_ids = _StringIds(StringStore())
        self._words, self._spaces = array("Q"), bytearray()
        # First token, the one after the last, and the label's id.
        self._entities = array("Q")
        self._user_data: list[bytes] = []

    def add(self, one: GoldExample) -> None:
        words, spaces, positions = _words_and_spaces(one.example.text, one.tokens)
        before = len(self._words)
        for start, end, label in one.entities:
            first, last = before + positions[start], before + positions[end - 1] + 1
            self._entities.extend((first, last, self._string_ids[label]))
        self.lengths.append(len(words))
        self._words.extend(map(self._string_ids.__getitem__, words))
        self._spaces.extend(spaces)
        self._user_data.append(_packed(_user_data(one)))

    def parts(self, path: Path) -> Iterator[bytes]:
        """Yield the bytes of the map, in the order in which ``DocBin.to_bytes`` writes it."""
        from spacy.tokens import Doc, DocBin
        from spacy.vocab import Vocab
        from srsly import msgpack_dumps as packed

        like = DocBin(attrs=["ENT_IOB", "ENT_TYPE"], store_user_data=True)
        attrs: list[Any] = like.attrs  # ints, although spaCy annotates them as str
        size = 8 * len(attrs) * len(self._words)
        if size >= _MAX_BYTES:
            raise DataError(
                f"{len(self._words):,} tokens are more than one DocBin can hold",
                file=path,
                remedy="Write one file a split, or .jsonl",
            )
        count = len(self.lengths)
        no_groups = packed(Doc(Vocab()).spans.to_bytes())
        yield bytes([0x80 | 10])
        yield packed("version") + packed(like.version) + packed("attrs") + packed(attrs)
        yield packed("tokens") + _bytes_header(size)
        yield from self._tables(attrs)
        yield packed("spaces") + _bytes_header(len(self._spaces)) + self._spaces
        yield packed("lengths") + packed(self.lengths.tobytes())
        yield packed("strings") + packed(sorted(self._string_ids))
        yield packed("cats") + _list_header(count) + packed({}) * count
        yield packed("flags") + _list_header(count) + packed({"has_unknown_spaces": False}) * count
        yield packed("span_groups") + _list_header(count) + no_groups * count
        yield packed("user_data") + _list_header(count)
        yield from (_bytes_header(len(one)) + one for one in self._user_data)

    def _tables(self, attrs: Sequence[int]) -> Iterator[bytes]:
        """Yield one row per token and one column per attribute, as in ``Doc.to_array``."""
        import numpy as np
        from spacy.attrs import ENT_IOB, ENT_TYPE, ORTH

        words = np.frombuffer(self._words, "uint64")
        iob = np.full(len(words), _OUTSIDE, "uint8")
        first, last, labels = np.frombuffer(self._entities, "uint64").reshape(-1, 3).T
        sizes = (last - first).astype("int64")
        iob[_ranges(first.astype("int64"), sizes)] = _INSIDE
        iob[first.astype("int64")] = _BEGIN
        # Entities do not overlap: their tokens, in order, are those that are not outside.
        types = np.repeat(labels, sizes)
        done = 0
        for at in range(0, len(words), _CHUNK):
            chunk = slice(at, at + _CHUNK)
            table = np.zeros((len(words[chunk]), len(attrs)), "uint64")
            table[:, attrs.index(ORTH)] = words[chunk]
            table[:, attrs.index(ENT_IOB)] = iob[chunk]
            inside = iob[chunk] != _OUTSIDE
            table[inside, attrs.index(ENT_TYPE)] = types[done : done + inside.sum()]
            done += inside.sum()
            yield table.tobytes()


class _StringIds(dict[str, int]):
    """spaCy's ids of the strings that were looked up."""

    def __init__(self, strings: StringStore) -> None:
        super().__init__()
        self._strings = strings

    def __missing__(self, word: str) -> int:
        string_id = self[word] = int(self._strings.add(word))
        return string_id


def _ranges(first: IntArray, sizes: IntArray) -> IntArray:
    """Concatenate the ranges that begin at ``first`` and contain ``sizes`` positions."""
    import numpy as np

    within: IntArray = np.arange(sizes.sum()) - np.repeat(sizes.cumsum() - sizes, sizes)
    ranges: IntArray = np.repeat(first, sizes) + within
    return ranges


def _user_data(one: GoldExample) -> dict[str, str]:
    example = one.example
    fields = {"meta": dict(example.meta), "flagged": example.flagged, "note": example.note}
    present = {key: value for key, value in fields.items() if value}
    # As JSON, because spaCy's own packing turns lists into tuples.
    return {_USER_DATA_KEY: dump_json(present)} if present else {}


# Parts of MessagePack (msgpack.org) for which spaCy's packer takes a hundred times as long.


def _bytes_header(size: int) -> bytes:
    return b"\xc6" + size.to_bytes(4, "big")


def _list_header(count: int) -> bytes:
    return b"\xdd" + count.to_bytes(4, "big")


def _packed(strings: Mapping[str, str]) -> bytes:
    """Serialize a map of up to fifteen strings."""
    encoded = [word.encode("utf-8") for pair in strings.items() for word in pair]
    parts = [b"\xdb" + len(one).to_bytes(4, "big") + one for one in encoded]
    return bytes([0x80 | len(strings)]) + b"".join(parts)


def _words_and_spaces(
    text: str, tokens: Sequence[Token]
) -> tuple[Sequence[str], Sequence[bool], Sequence[int]]:
    """Compute spaCy's words and spaces of a text, and the position of each token among them."""
    if tokens:
        words, starts, ends, spaces = zip(*tokens, strict=True)
        following = (*starts[1:], len(text))
        if starts[0] == 0 and tuple(map(add, ends, spaces)) == following:
            # The usual case: nothing but single spaces between tokens.
            return words, spaces, range(len(words))
    return _with_whitespace_words(text, tokens)


def _with_whitespace_words(
    text: str, tokens: Sequence[Token]
) -> tuple[list[str], list[bool], list[int]]:
    words: list[str] = []
    spaces: list[bool] = []
    positions: list[int] = []
    end = 0
    for token in tokens:
        _add_gap(text[end : token.start], words, spaces)
        positions.append(len(words))
        words.append(text[token.start : token.end])
        spaces.append(False)
        end = token.end
    _add_gap(text[end:], words, spaces)
    return words, spaces, positions


def _add_gap(gap: str, words: list[str], spaces: list[bool]) -> None:
    if words and gap.startswith(" "):
        spaces[-1] = True
        gap = gap[1:]
    if gap:
        # The same rule as in spaCy's tokenizer: the rest is a word of whitespace.
        word = gap.removesuffix(" ") or gap
        words.append(word)
        spaces.append(len(word) < len(gap))
