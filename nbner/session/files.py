"""Reading and writing of examples without a session."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from nbner._common.arguments import check_arguments
from nbner.io import formats
from nbner.io import huggingface as token_row_format
from nbner.io.gold_export import GoldFilter
from nbner.io.rows import example_from_row
from nbner.nlp.pipeline import load_base, tokenizer_of
from nbner.types import Example, Token

if TYPE_CHECKING:
    from spacy.language import Language

    from nbner.io.formats import ExportReport
    from nbner.io.options import FormatName, TextUnit

Tokenize: TypeAlias = Callable[[str], tuple[Token, ...]]


@check_arguments
def read(
    source: Any,
    *,
    format: FormatName | None = None,  # noqa: A002 - the usual word
    by: TextUnit | None = None,
    tag_names: Sequence[str] | None = None,
    spans_key: str | None = None,
    tag_column: int | str | None = None,
    text: str | None = None,
    encoding: str | None = None,
) -> Iterator[Example]:
    """Read examples from any supported source, as a stream.

    Parameters
    ----------
    source : path, DataFrame, or iterable of str, dict, Doc or Example
        A file's format is found by its suffix, then by its content; a folder
        holds documents of brat, or plain texts.
    format : str, optional
        Read a file in this format, whatever its suffix: "prodigy", "conll",
        "spacy", "brat", "label_studio", "table", "parquet", "arrow",
        "huggingface", "text".
    by : {"line", "paragraph", "file"}, optional
        Unit of one text in a file of plain text: by default a line, in a
        folder a file.
    tag_names : sequence of str, optional
        The tags that numbers stand for in token rows, in their order.
    spans_key : str, optional
        Key of the spans, in a row or in ``doc.spans``, where there are several.
    tag_column : int or str, optional
        Column of the tags, counted from 1 or by its name, where there are several.
    text : str, optional
        Key or column of the texts, in place of "text".
    encoding : str, optional
        Encoding of text files, such as "cp1252" or "utf-16"; UTF-8 by default.

    Yields
    ------
    Example
        With the tokens that the source has, and with its spans in the order
        of the text. Formats that hold gold and nothing else (CoNLL, DocBin,
        brat, token rows) yield accepted examples.

    Raises
    ------
    DataError
        With file, line, field and remedy.

    Examples
    --------
    >>> import nbner
    >>> [one.text for one in nbner.read(["Whisk the eggs.", {"text": "Serve."}])]
    ['Whisk the eggs.', 'Serve.']
    """
    rows = formats.read(
        source,
        by=by,
        format=format,
        tag_names=tag_names,
        spans_key=spans_key,
        tag_column=tag_column,
        text=text,
        encoding=encoding,
    )
    return (example_from_row(row) for row in rows)


@check_arguments
def write(
    examples: Iterable[Example],
    path: str | Path,
    *,
    format: FormatName | None = None,  # noqa: A002 - the usual word
    misaligned: Literal["refuse", "leave_out"] = "refuse",
    tokenize: Tokenize | None = None,
    nlp: Language | None = None,
) -> ExportReport:
    """Write examples to a file, in the format of its suffix.

    Parameters
    ----------
    examples : iterable of Example
        Taken one by one.
    path : str or Path
        ``.jsonl`` (Prodigy), ``.json`` (Label Studio), ``.csv``, ``.tsv``,
        ``.parquet`` and ``.arrow`` carry every answer; ``.spacy``, ``.conll``
        and ``.ann`` (brat) carry accepted gold alone. A path without a suffix is a folder of brat's
        documents.
    format : str, optional
        Write in this format, whatever the suffix: "huggingface" writes token
        rows, one a line.
    misaligned : {"refuse", "leave_out"}
        Treatment of gold with a span off the tokens in a format that is made
        of tokens: an error that names it, or a count.
    tokenize : callable, optional
        From a text to its tokens, for examples without tokens.
    nlp : Language, optional
        Its tokenizer is used where ``tokenize`` is not given. By default that
        of spaCy's blank English pipeline.

    Returns
    -------
    ExportReport
        ``path``, ``written``, ``left_out`` and ``misaligned``.

    Raises
    ------
    DataError
        The suffix is unknown, the file cannot be written, or the format cannot
        carry a label or a span.
    """
    return formats.write(
        examples,
        path,
        tokenize=_tokenizer(tokenize, nlp),
        misaligned=misaligned,
        format=format,
    )


def token_rows(
    examples: Iterable[Example], nlp: Language | None = None, *, tokenize: Tokenize | None = None
) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    """Return accepted gold in the form of Hugging Face's ``datasets``.

    Parameters
    ----------
    examples : iterable of Example
        Such as ``session.examples("train")``; all but accepted gold is left out.
    nlp : Language, optional
        Tokenizes examples without tokens; by default spaCy's blank English
        pipeline.
    tokenize : callable, optional
        From a text to its tokens, in place of ``nlp``.

    Returns
    -------
    rows : list of dict
        ``tokens`` and ``ner_tags``, which are numbers.
    names : tuple of str
        The tags that the numbers stand for: "O", "B-ORG", "I-ORG" and so on,
        labels sorted; for ``ClassLabel(names=...)``.

    Raises
    ------
    DataError
        A span does not fit the tokens.
    """
    gold = GoldFilter(_tokenizer(tokenize, nlp), "refuse").select(examples)
    return token_row_format.tags_to_ids(token_row_format.token_rows_from_gold(gold))


def _tokenizer(tokenize: Tokenize | None, nlp: Language | None) -> Tokenize:
    if tokenize is not None:
        return tokenize
    return _tokenize_english if nlp is None else tokenizer_of(nlp)


def _tokenize_english(text: str) -> tuple[Token, ...]:
    # The pipeline is loaded for the first text without tokens, and only then.
    return _english()(text)


@cache
def _english() -> Tokenize:
    return tokenizer_of(load_base("blank:en"))
