"""spaCy's DocBin files and Docs; see ``docbin_writing`` for the way out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbner._common.alignment import tokens_from_columns
from nbner._common.serialization import load_json
from nbner.errors import DataError
from nbner.io.files import require_file
from nbner.io.rows import Row, SourceLocation
from nbner.io.validation import as_mapping, as_text
from nbner.types import Span, Token

if TYPE_CHECKING:
    from spacy.tokens import Doc, DocBin

SUFFIXES = (".spacy",)

#: Under this key of ``doc.user_data`` nbner keeps what spaCy has no place for.
USER_DATA_KEY = "nbner"

_MISSING = 0  # in ``ent_iob``
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

    data = require_file(path).read_bytes()
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
        yield _restored(restored, SourceLocation(file, number))


def _restored(docs: Iterator[Doc], place: SourceLocation) -> Row:
    try:
        return row_from_doc(next(docs), place)
    except _DAMAGE as error:
        raise place.error("this doc cannot be restored", remedy=_REMEDY) from error


def row_from_doc(doc: Doc, place: SourceLocation) -> Row:
    """Read one doc with its own tokens.

    Entities are complete gold where every token is annotated. A doc in which no
    token is (``ent_iob`` 0, spaCy's *missing*) says nothing of spans; one in
    which some are holds suggestions.
    """
    annotated = [token.ent_iob != _MISSING for token in doc]
    kept = _kept(doc, place)
    return Row(
        text=doc.text,
        tokens=tokens_from_doc(doc),
        spans=_spans(doc, place) if any(annotated) else None,
        flagged=kept.get("flagged") is True,
        note=as_text(kept.get("note", ""), "note", place),
        meta=as_mapping(kept.get("meta", {}), "meta", place),
        gold=bool(annotated) and all(annotated),
        file=place.file,
        line=place.line,
    )


def tokens_from_doc(doc: Doc, text: str | None = None) -> tuple[Token, ...]:
    """Read a doc's tokens as plain ones.

    From one array: to ask spaCy for each token takes longer than its tokenizer.

    Parameters
    ----------
    doc : Doc
    text : str, optional
        The doc's own text, where it is at hand.
    """
    from spacy.attrs import LENGTH, SPACY

    if not len(doc):
        return ()
    text = doc.text if text is None else text
    lengths, spaces = doc.to_array([LENGTH, SPACY]).astype("int64").T
    ends = (lengths + spaces).cumsum() - spaces
    starts = ends - lengths
    return tokens_from_columns(text, starts.tolist(), ends.tolist(), (spaces == 1).tolist())


def _kept(doc: Doc, place: SourceLocation) -> Mapping[str, Any]:
    kept = as_text(doc.user_data.get(USER_DATA_KEY, "{}"), USER_DATA_KEY, place)
    try:
        return as_mapping(load_json(kept), USER_DATA_KEY, place)
    except ValueError as error:
        raise place.error(f"this is not JSON: {error}", field=USER_DATA_KEY) from error


def _spans(doc: Doc, place: SourceLocation) -> tuple[Span, ...]:
    try:
        entities = doc.ents
    except ValueError as error:
        raise place.error(f"spaCy cannot read its entities: {error}", field="ents") from error
    return tuple(Span(one.start_char, one.end_char, one.label_) for one in entities)
