"""spaCy's DocBin files and Docs; the one format for which spaCy is imported."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbner.data.codec import dump, load
from nbner.data.formats.checks import as_mapping, as_text
from nbner.data.formats.files import existing, replacing
from nbner.data.formats.gold import Gold
from nbner.data.rows import Place, Row
from nbner.errors import DataError
from nbner.types import Span, Token

if TYPE_CHECKING:
    from spacy.tokens import Doc, DocBin

SUFFIXES = (".spacy",)

#: Under this key of ``doc.user_data`` nbner keeps what spaCy has no place for.
USER_DATA = "nbner"

# spaCy's numbers in ``ent_iob``.
_MISSING, _INSIDE, _OUTSIDE, _BEGIN = 0, 1, 2, 3
# What spaCy and its packing raise on bytes that are not theirs.
_DAMAGE = (
    *(ArithmeticError, AttributeError, LookupError, MemoryError, StopIteration),
    *(TypeError, ValueError),
)
_REMEDY = "A .spacy file is what spacy.tokens.DocBin.to_disk writes"


def read(path: Path) -> Iterator[Row]:
    """Yield the docs of a file; spaCy keeps a DocBin in memory as a whole.

    Raises
    ------
    DataError
        The file is not a DocBin.
    """
    from spacy.tokens import DocBin

    data = existing(path).read_bytes()
    try:
        docs = DocBin(store_user_data=True).from_bytes(data)
    except _DAMAGE as error:
        raise DataError("this is not a DocBin", file=path, remedy=_REMEDY) from error
    yield from read_docbin(docs, file=str(path))


def read_docbin(docs: DocBin, *, file: str | None = None) -> Iterator[Row]:
    """Yield the docs of a DocBin.

    Raises
    ------
    DataError
        A doc cannot be restored.
    """
    from spacy.vocab import Vocab

    restored = docs.get_docs(Vocab())
    for number in range(1, len(docs) + 1):
        yield _restored(restored, Place(file, number))


def _restored(docs: Iterator[Doc], place: Place) -> Row:
    try:
        return row_from_doc(next(docs), place)
    except _DAMAGE as error:
        raise place.error("this doc cannot be restored", remedy=_REMEDY) from error


def row_from_doc(doc: Doc, place: Place) -> Row:
    """Read one doc with its own tokens.

    Entities are complete gold where every token is annotated. A doc in which no
    token is (``ent_iob`` 0, spaCy's *missing*) says nothing of spans; one in
    which some are holds suggestions.
    """
    annotated = [token.ent_iob != _MISSING for token in doc]
    kept = _kept(doc, place)
    return Row(
        text=doc.text,
        tokens=tuple(
            Token(token.text, token.idx, token.idx + len(token.text), bool(token.whitespace_))
            for token in doc
        ),
        spans=_spans(doc, place) if any(annotated) else None,
        flagged=kept.get("flagged") is True,
        note=as_text(kept.get("note", ""), "note", place),
        meta=as_mapping(kept.get("meta", {}), "meta", place),
        gold=bool(annotated) and all(annotated),
        file=place.file,
        line=place.line,
    )


def write(gold: Iterable[Gold], path: Path) -> int:
    """Write gold as a DocBin and say how many docs there were.

    ``doc.text`` is the text: whitespace that spaCy's tokens cannot hold becomes
    tokens of its own. ``meta``, flag and note lie as JSON in
    ``doc.user_data["nbner"]``.

    Raises
    ------
    DataError
        The file cannot be written.
    """
    packing = _Packing()
    for one in gold:
        packing.add(one)
    with replacing(path) as file:
        file.write(packing.docs.to_bytes())
    return len(packing.docs)


class _Packing:
    """A DocBin that is filled without making docs, which takes longer than all the rest.

    Attributes
    ----------
    docs : DocBin
        As ``DocBin.add`` would have filled it.
    """

    def __init__(self) -> None:
        from spacy.attrs import ENT_IOB, ENT_TYPE
        from spacy.tokens import Doc, DocBin
        from spacy.vocab import Vocab

        vocab = Vocab()
        self.docs = DocBin(attrs=["ENT_IOB", "ENT_TYPE"], store_user_data=True)
        self._iob = self.docs.attrs.index(ENT_IOB)
        self._type = self.docs.attrs.index(ENT_TYPE)
        self._no_groups = Doc(vocab).spans.to_bytes()
        self._strings = vocab.strings
        self._names: dict[str, int] = {}

    def add(self, one: Gold) -> None:
        import numpy as np

        words, spaces, places = _words(one.example.text, one.tokens)
        rows = np.zeros((len(words), len(self.docs.attrs)), dtype="uint64")
        rows[:, 0] = [self._number(word) for word in words]
        rows[:, self._iob] = _OUTSIDE
        for start, end, label in one.entities:
            first, last = places[start], places[end - 1] + 1
            rows[first:last, self._iob] = _INSIDE
            rows[first, self._iob] = _BEGIN
            rows[first:last, self._type] = self._number(label)
        docs = self.docs
        docs.tokens.append(rows)
        docs.spaces.append(np.array(spaces, dtype=bool).reshape(-1, 1))
        docs.flags.append({"has_unknown_spaces": False})
        docs.cats.append({})
        docs.span_groups.append(self._no_groups)
        docs.user_data.append(_packed(_user_data(one)))

    def _number(self, word: str) -> int:
        number = self._names.get(word)
        if number is None:
            number = self._names[word] = self._strings.add(word)
            self.docs.strings.add(word)
        return number


def _user_data(one: Gold) -> dict[str, str]:
    example = one.example
    kept = {"meta": dict(example.meta), "flagged": example.flagged, "note": example.note}
    said = {key: value for key, value in kept.items() if value}
    # As JSON, because spaCy's own packing turns lists into tuples.
    return {USER_DATA: dump(said)} if said else {}


def _kept(doc: Doc, place: Place) -> Mapping[str, Any]:
    kept = as_text(doc.user_data.get(USER_DATA, "{}"), USER_DATA, place)
    try:
        return as_mapping(load(kept), USER_DATA, place)
    except ValueError as error:
        raise place.error(f"this is not JSON: {error}", field=USER_DATA) from error


def _spans(doc: Doc, place: Place) -> tuple[Span, ...]:
    try:
        entities = doc.ents
    except ValueError as error:
        raise place.error(f"spaCy cannot read its entities: {error}", field="ents") from error
    return tuple(Span(one.start_char, one.end_char, one.label_) for one in entities)


def _packed(said: Mapping[str, str]) -> bytes:
    """Write a few strings as MessagePack, which spaCy's packer takes a hundred times as long for.

    Of the format (msgpack.org) a map of up to fifteen entries and strings with
    a length of 32 bits are enough.
    """
    strings = [word.encode("utf-8") for pair in said.items() for word in pair]
    parts = [b"\xdb" + len(one).to_bytes(4, "big") + one for one in strings]
    return bytes([0x80 | len(said)]) + b"".join(parts)


def _words(text: str, tokens: Iterable[Token]) -> tuple[list[str], list[bool], list[int]]:
    """Give spaCy's words and spaces for a text, and where each token is among them."""
    words: list[str] = []
    spaces: list[bool] = []
    places: list[int] = []
    position = 0
    for token in tokens:
        if position == token.start - 1 and words and text[position] == " ":
            # As most are: one space between.
            spaces[-1] = True
        elif position != token.start:
            _fill(text[position : token.start], words, spaces)
        places.append(len(words))
        words.append(text[token.start : token.end])
        spaces.append(False)
        position = token.end
    _fill(text[position:], words, spaces)
    return words, spaces, places


def _fill(gap: str, words: list[str], spaces: list[bool]) -> None:
    if words and gap.startswith(" "):
        spaces[-1] = True
        gap = gap[1:]
    if gap:
        # The same rule as spaCy's tokenizer: what is left is a word of whitespace.
        solid = gap.removesuffix(" ") or gap
        words.append(solid)
        spaces.append(len(solid) < len(gap))
