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
    from spacy.vocab import Vocab

SUFFIXES = (".spacy",)

#: Under this key of ``doc.user_data`` nbner keeps what spaCy has no place for.
USER_DATA = "nbner"

_MISSING = 0
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
    from spacy.tokens import DocBin
    from spacy.vocab import Vocab

    vocab = Vocab()
    docs = DocBin(attrs=["ENT_IOB", "ENT_TYPE"], store_user_data=True)
    for one in gold:
        docs.add(_doc(one, vocab))
    with replacing(path) as file:
        file.write(docs.to_bytes())
    return len(docs)


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


def _doc(one: Gold, vocab: Vocab) -> Doc:
    from spacy.tokens import Doc
    from spacy.tokens import Span as DocSpan

    words, spaces, places = _words(one.example.text, one.tokens)
    doc = Doc(vocab, words=words, spaces=spaces)
    doc.ents = [
        DocSpan(doc, places[start], places[end - 1] + 1, label=label)
        for start, end, label in one.entities
    ]
    example = one.example
    kept = {"meta": dict(example.meta), "flagged": example.flagged, "note": example.note}
    said = {key: value for key, value in kept.items() if value}
    if said:
        # As JSON, because spaCy's own packing turns lists into tuples.
        doc.user_data[USER_DATA] = dump(said)
    return doc


def _words(text: str, tokens: Iterable[Token]) -> tuple[list[str], list[bool], list[int]]:
    """Give spaCy's words and spaces for a text, and where each token is among them."""
    words: list[str] = []
    spaces: list[bool] = []
    places: list[int] = []
    position = 0
    for token in tokens:
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
