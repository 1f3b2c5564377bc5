"""``read`` and ``write`` for all file formats: rows in, examples out.

A format is a function in `nbner.registry.readers` and perhaps one in
`nbner.registry.writers`; the built-in ones are registered at the end of this
module.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nbner import registry
from nbner._common.format import plural
from nbner.errors import DataError
from nbner.io import (
    arrow_tables,
    brat,
    conll,
    content,
    docbin,
    foreign_files,
    huggingface,
    json_tasks,
    label_studio,
    plain_text,
    prodigy,
    tables,
)
from nbner.io.files import require_file, uncompressed_suffix
from nbner.io.gold_export import (
    ExportMisaligned,
    GoldExample,
    GoldFilter,
    accepted_gold,
    with_aligned_tokens,
)
from nbner.io.in_memory import read_objects, rows_from_plugin
from nbner.io.inline_markup import check_inline, is_outside_word, outside_word_error
from nbner.io.options import FormatName, ReadOptions, TextUnit
from nbner.io.row_errors import RowErrors
from nbner.io.rows import Row
from nbner.types import Example, TokenizeFn

__all__ = ["ExportReport", "FormatName", "TextUnit", "read", "write"]

_READ_SUFFIXES: dict[str, FormatName] = {
    **dict.fromkeys(prodigy.SUFFIXES, "prodigy"),
    **dict.fromkeys(label_studio.SUFFIXES, "label_studio"),
    **dict.fromkeys(conll.READ_SUFFIXES, "conll"),
    **dict.fromkeys(docbin.SUFFIXES, "spacy"),
    **dict.fromkeys(tables.SUFFIXES, "table"),
    **dict.fromkeys(arrow_tables.PARQUET_SUFFIXES, "parquet"),
    **dict.fromkeys(arrow_tables.ARROW_SUFFIXES, "arrow"),
    **dict.fromkeys(brat.SUFFIXES, "brat"),
}
# Suffixes of files whose format is detected by their content.
_AMBIGUOUS_SUFFIXES = (*plain_text.SUFFIXES, tables.TAB_SUFFIX)
# Both hold either one JSON value or one on each line, whatever their suffix says.
_JSON_SUFFIXES = (*prodigy.SUFFIXES, *label_studio.SUFFIXES)
_CONVERT_REMEDY = "Convert it to text, to .csv, or to another of the formats that are read"

_WRITE_SUFFIXES: dict[str, FormatName] = {
    **dict.fromkeys(prodigy.SUFFIXES, "prodigy"),
    **dict.fromkeys(label_studio.SUFFIXES, "label_studio"),
    **dict.fromkeys((*tables.SUFFIXES, tables.TAB_SUFFIX), "table"),
    **dict.fromkeys(arrow_tables.PARQUET_SUFFIXES, "parquet"),
    **dict.fromkeys(arrow_tables.ARROW_SUFFIXES, "arrow"),
    **dict.fromkeys(conll.WRITE_SUFFIXES, "conll"),
    **dict.fromkeys(docbin.SUFFIXES, "spacy"),
    **dict.fromkeys(brat.WRITE_SUFFIXES, "brat"),
}


@dataclass(frozen=True, slots=True)
class ExportReport:
    """The result of an export.

    Parameters
    ----------
    path : Path
        The file or folder.
    written : int
        Examples in the file.
    left_out : int
        Examples that a format for gold cannot hold: all but accepted gold.
    misaligned : int
        Accepted examples that were left out because of a span off the token
        boundaries.
    accepted_unseen : int
        Accepted examples, of all that were exported, that were accepted in
        bulk, by a model's probability.
    other_answers : int
        Current answers of other annotators to these examples: a file holds the
        one answer to each that counts.
    """

    path: Path
    written: int
    left_out: int = 0
    misaligned: int = 0
    accepted_unseen: int = 0
    other_answers: int = 0

    def __str__(self) -> str:
        parts = [f"{plural(self.written, 'example')} in {self.path}"]
        if self.left_out:
            parts.append(
                f"{plural(self.left_out, 'that is', 'that are')} not accepted gold left out"
            )
        if self.misaligned:
            parts.append(f"{self.misaligned:,} with spans off the tokens left out")
        if self.accepted_unseen:
            parts.append(
                f"{self.accepted_unseen:,} were accepted in bulk, unseen (Example.accepted_unseen)"
            )
        if self.other_answers:
            parts.append(
                f"{plural(self.other_answers, 'answer')} of other annotators not in it "
                "(session.answers() has all)"
            )
        return "; ".join(parts)


def read(
    source: object,
    *,
    by: TextUnit | None = None,
    format: FormatName | None = None,  # noqa: A002 - the word that people look for
    tag_names: Sequence[str] | None = None,
    spans_key: str | None = None,
    tag_column: int | str | None = None,
    text: str | None = None,
    texts_only: bool = False,
    encoding: str | None = None,
    labels: Sequence[str] = (),
    row_errors: RowErrors | None = None,
) -> Iterator[Row]:
    """Read rows from a file, a folder or objects in memory, as a stream.

    Parameters
    ----------
    source : str, Path, DataFrame, Series, DocBin, or iterable
        The format of a path follows from its suffix (that before ``.gz``), or
        from its content where the suffix is ambiguous or unknown; a folder
        holds brat documents or plain texts. An iterable may hold strings,
        Prodigy tasks, Label Studio tasks, token rows, spaCy Docs and ``Example`` values.
    by : {"line", "paragraph", "file"}, optional
        Unit of plain text that becomes one row: by default a line, in a folder
        a file.
    format : str, optional
        The format, whatever the suffix is.
    tag_names : sequence of str, optional
        The tags that numbers stand for in token rows.
    spans_key : str, optional
        Key of the spans, in a row or in ``doc.spans``, where there are several.
    tag_column : int or str, optional
        Column of the tags, counted from 1 or by its name, where there are several.
    text : str, optional
        Key or column of the texts.
    texts_only : bool
        Whether spans are not wanted, as for a prediction.
    encoding : str, optional
        Encoding of text files; UTF-8 by default.
    labels : sequence of str
        The session's labels: keys of these names hold annotations.
    row_errors : RowErrors, optional
        Takes the errors of single rows; by default they are raised.

    Yields
    ------
    Row
        One text with its annotations.

    Raises
    ------
    DataError
        With file, line, field and remedy.
    """
    options = ReadOptions(
        by or "line",
        None if tag_names is None else tuple(tag_names),
        spans_key=spans_key,
        tag_column=tag_column,
        text=text,
        texts_only=texts_only,
        encoding=encoding,
        labels=tuple(labels),
        row_errors=row_errors or RowErrors(),
    )
    rows = _rows(source, options, format=format, by=by)
    if spans_key is not None:
        yield from rows if spans_key == "spans" else _with_spans(rows, spans_key)
    else:
        yield from rows if texts_only else _without_inline(rows, options.row_errors)


def _rows(
    source: object,
    options: ReadOptions,
    *,
    format: FormatName | None,  # noqa: A002 - as in ``read``
    by: TextUnit | None,
) -> Iterator[Row]:
    if not isinstance(source, (str, Path)):
        yield from read_objects(source, options)
        return
    path = Path(source)
    if format is None and _is_folder(path):
        yield from _folder_reader(path)(path, replace(options, by=by or "file"))
        return
    found = registry.call(_reader(path, format, options.encoding), path, options=options)
    yield from rows_from_plugin(found, path, options)


def _without_inline(rows: Iterable[Row], row_errors: RowErrors) -> Iterator[Row]:
    """Yield rows; the error of one that marks entities inside of its text is handled."""
    held: Row | None = None  # one word with the tag O, until the next row is known
    is_after_word = False
    for row in rows:
        # A row with a hash was shown to somebody as it stands; a format of gold has its own
        # place for spans, so that what looks like a mark is part of the text.
        is_looked_at = row.input_hash is None and not row.spans and not row.gold
        if is_looked_at and is_outside_word(row):
            if held is None and not is_after_word:
                held = row
                continue
            for word in (held, row):
                if word is not None:
                    row_errors.handle(outside_word_error(word), word.text)
            held, is_after_word = None, True
            continue
        if held is not None:
            yield held
        held, is_after_word = None, False
        if is_looked_at:
            try:
                check_inline(row)
            except DataError as error:
                row_errors.handle(error, row.text)
                continue
        yield row
    if held is not None:
        yield held


def _with_spans(rows: Iterable[Row], spans_key: str | None) -> Iterator[Row]:
    """Yield rows, and raise at the end where none of them has spans under the key."""
    has_rows = has_spans = False
    for row in rows:
        has_rows, has_spans = True, has_spans or row.spans is not None
        yield row
    if has_rows and not has_spans:
        raise DataError(
            f"no row has spans under {spans_key!r}",
            field="spans_key",
            remedy="Name the key as the rows have it, such as 'result.entities'",
        )


def write(
    examples: Iterable[Example],
    path: str | Path,
    *,
    tokenize: TokenizeFn | None = None,
    misaligned: ExportMisaligned = "refuse",
    format: FormatName | None = None,  # noqa: A002 - the word that people look for
) -> ExportReport:
    """Write examples in the format that the suffix of the path names.

    ``.jsonl``, ``.json``, ``.csv``, ``.tsv``, ``.parquet`` and ``.arrow`` hold
    every example with its answer. ``.conll``, ``.spacy``, ``.ann`` and token
    rows hold gold and nothing else: only accepted examples are written;
    rejected, ignored and open ones and answers to binary tasks are left out. A
    path without a suffix is a folder of brat documents; ``.gz`` behind another
    suffix compresses. An existing file is replaced only when everything has
    been written.

    Parameters
    ----------
    examples : iterable of Example
        Consumed one by one.
    path : str or Path
        The file or folder to write.
    tokenize : callable, optional
        From a text to its tokens: required by some formats, and written to
        others where all spans are on token boundaries.
    misaligned : {"refuse", "leave_out"}
        How to treat gold off the token boundaries in a format that requires
        tokens: raise, or skip the example.
    format : str, optional
        The format, whatever the suffix is.

    Returns
    -------
    ExportReport
        Numbers of examples written and left out.

    Raises
    ------
    DataError
        The suffix is unknown, the file cannot be written, or the format cannot
        hold a label, a token or a span.
    """
    path = Path(path)
    suffix = uncompressed_suffix(path)
    name = format or ("brat" if path.suffix == "" else _WRITE_SUFFIXES.get(suffix))
    if name is None or (name == "brat" and suffix != path.suffix.lower()):
        raise DataError(
            f"no format is known by the suffix {path.suffix!r}",
            file=path,
            remedy=f"The known ones are {', '.join(sorted(_WRITE_SUFFIXES))}",
        )
    if name not in registry.writers:
        raise _unknown_format(name, path, registry.writers.names())
    counter = _Counter(examples)
    writer = registry.writers.get(name)
    written = registry.call(writer, counter, path, tokenize=tokenize, misaligned=misaligned)
    if not isinstance(written, ExportReport):
        count = counter.count if written is None else int(written)
        written = ExportReport(path, count, left_out=counter.count - count)
    return replace(written, accepted_unseen=counter.accepted_unseen)


class _Counter:
    """An iterable of examples that counts those already consumed, and those nobody has seen."""

    def __init__(self, examples: Iterable[Example]) -> None:
        self.count = 0
        self.accepted_unseen = 0
        self._examples = examples

    def __iter__(self) -> Iterator[Example]:
        for example in self._examples:
            self.count += 1
            self.accepted_unseen += example.answer == "accept" and example.accepted_unseen
            yield example


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):
        # A whole text in place of a path is too long a name.
        return False


def _folder_reader(folder: Path) -> Callable[[Path, ReadOptions], Iterator[Row]]:
    suffixes = {one.suffix.lower() for one in folder.iterdir()}
    if not suffixes.isdisjoint(brat.SUFFIXES):
        return brat.read_folder
    if ".txt" in suffixes:
        _check_nothing_beside(folder)
        return plain_text.read_folder
    if arrow_tables.parquet_files(folder):
        return arrow_tables.read_folder
    raise DataError(
        "this is a folder without texts",
        file=folder,
        remedy="Name a file in it; a folder is read where it holds .txt and .ann, .txt, or "
        ".parquet",
    )


def _check_nothing_beside(folder: Path) -> None:
    """Raise where another file has the name of a text: it may hold its annotations."""
    texts = {one.stem for one in folder.glob("*.txt")}
    for one in sorted(folder.iterdir()):
        if one.suffix.lower() != ".txt" and one.name.partition(".")[0] in texts and one.is_file():
            raise DataError(
                f"beside {one.name.partition('.')[0]}.txt lies {one.name}, which is not read",
                file=folder,
                remedy="Add the annotated file itself where its format is known, or move the "
                "texts to a folder of their own",
            )


def _reader(
    path: Path, name: FormatName | None, encoding: str | None
) -> Callable[..., Iterable[Any]]:
    require_file(path)
    name = name or _read_format(path, encoding)
    if name is None:
        raise _unrecognized(path, encoding)
    if name not in registry.readers:
        raise _unknown_format(name, path, registry.readers.names())
    return registry.readers.get(name)


def _read_format(path: Path, encoding: str | None) -> FormatName | None:
    """Return the format of a file by its suffix, or by its content where that leaves it open."""
    suffix = uncompressed_suffix(path)
    name = _READ_SUFFIXES.get(suffix)
    if suffix in _JSON_SUFFIXES:
        is_lines = content.is_json_lines(path, encoding)
        return name if is_lines is None else "prodigy" if is_lines else "label_studio"
    if name is not None:
        return name
    found = content.detect_format(path, encoding)
    if found is not None:
        return found
    if suffix in plain_text.SUFFIXES:
        return "text"
    return "conll" if suffix == tables.TAB_SUFFIX else None


def _unrecognized(path: Path, encoding: str | None) -> DataError:
    other = foreign_files.name_format(path, encoding)
    if other is not None:
        return DataError(f"this is {other[0]}, which is not read", file=path, remedy=other[1])
    kind = content.binary_kind(path)
    if kind is not None:
        return DataError(f"this is {kind}, which is not read", file=path, remedy=_CONVERT_REMEDY)
    suffixes = sorted({*_READ_SUFFIXES, *_AMBIGUOUS_SUFFIXES})
    return DataError(
        f"no format is known by the suffix {path.suffix!r}, and none is recognized by its content",
        file=path,
        remedy=f"The known suffixes are {', '.join(suffixes)}; name another format, such as "
        'format="text"',
    )


def _unknown_format(name: str, path: Path, formats: Sequence[str]) -> DataError:
    return DataError(
        f"no format is called {name!r}",
        file=path,
        field="format",
        remedy=f"The known ones are {', '.join(formats)}",
    )


# The built-in formats.


def _full_writer(write_examples: Callable[[Iterable[Example], Path], int]) -> Callable[..., Any]:
    """Build the writer of a format that holds every example with its answer."""

    def write_all(
        examples: Iterable[Example], path: Path, *, tokenize: TokenizeFn | None
    ) -> ExportReport:
        if tokenize is not None:
            examples = (with_aligned_tokens(one, tokenize) for one in examples)
        return ExportReport(path, write_examples(examples, path))

    return write_all


def _gold_writer(write_gold: Callable[[Iterable[GoldExample], Path], int]) -> Callable[..., Any]:
    """Build the writer of a format that holds gold alone, on tokens."""

    def write_gold_only(
        examples: _Counter,
        path: Path,
        *,
        tokenize: TokenizeFn | None,
        misaligned: ExportMisaligned,
    ) -> ExportReport:
        gold = GoldFilter(tokenize, misaligned)
        written = write_gold(gold.select(examples), path)
        skipped = gold.misaligned_count
        left_out = examples.count - written - skipped
        return ExportReport(path, written, left_out=left_out, misaligned=skipped)

    return write_gold_only


def _write_brat(examples: _Counter, path: Path) -> ExportReport:
    write_documents = brat.write_folder if path.suffix == "" else brat.write
    written = write_documents(accepted_gold(examples), path)
    return ExportReport(path, written, left_out=examples.count - written)


registry.readers.register("prodigy", json_tasks.read_lines)
registry.readers.register("label_studio", json_tasks.read)
registry.readers.register("huggingface", json_tasks.read_lines)
registry.readers.register("conll", conll.read)
registry.readers.register("spacy", docbin.read)
registry.readers.register("table", tables.read)
registry.readers.register("parquet", arrow_tables.read_parquet)
registry.readers.register("arrow", arrow_tables.read_arrow)
registry.readers.register("brat", brat.read)
registry.readers.register("text", plain_text.read)

registry.writers.register("prodigy", _full_writer(prodigy.write))
registry.writers.register("label_studio", _full_writer(label_studio.write))
registry.writers.register("table", _full_writer(tables.write))
registry.writers.register("parquet", _full_writer(arrow_tables.write_parquet))
registry.writers.register("arrow", _full_writer(arrow_tables.write_arrow))
registry.writers.register("conll", _gold_writer(conll.write))
registry.writers.register("spacy", _gold_writer(docbin.write))
registry.writers.register("huggingface", _gold_writer(huggingface.write))
registry.writers.register("brat", _write_brat)
