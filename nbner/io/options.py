"""Options of readers, and the names of formats and text units."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, get_args

from nbner.errors import DataError
from nbner.io.files import check_encoding
from nbner.io.row_errors import RowErrors

TextUnit: TypeAlias = Literal["line", "paragraph", "file"]
#: Name of a registered reader or writer, such as "prodigy" or "conll".
FormatName: TypeAlias = str


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """Options of a reader.

    Parameters
    ----------
    by : {"line", "paragraph", "file"}
        Unit of plain text that becomes one row.
    tag_names : tuple of str, optional
        The tags that numbers stand for in token rows, such as ``("O", "B-PER")``.
    class_names : mapping of str to tuple of str
        The names that a dataset stores for the numbers of each of its columns.
    spans_key : str, optional
        Key of the spans where a row has several, or key of ``doc.spans``; "spans"
        reads nothing else.
    tag_column : int or str, optional
        Column of the tags, counted from 1 or by its name, where there are several.
    text : str, optional
        Key or column of the text, in place of "text".
    texts_only : bool
        Whether spans are not wanted, as for a prediction.
    encoding : str, optional
        Encoding of text files; UTF-8 by default.
    labels : tuple of str
        The session's labels, where it has a list of them: keys of these names
        hold annotations.
    row_errors : RowErrors
        Takes the error of a row that cannot be read; raises it by default.

    Raises
    ------
    DataError
        ``by`` is none of the three, or there is no such encoding.
    """

    by: TextUnit = "line"
    tag_names: tuple[str, ...] | None = None
    class_names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    spans_key: str | None = None
    tag_column: int | str | None = None
    text: str | None = None
    texts_only: bool = False
    encoding: str | None = None
    labels: tuple[str, ...] = ()
    row_errors: RowErrors = field(default_factory=RowErrors, compare=False)

    @property
    def names_nothing(self) -> bool:
        """Whether neither a text, nor spans, nor tags are named."""
        return self.spans_key is None and self.tag_column is None and self.text is None

    def __post_init__(self) -> None:
        units = get_args(TextUnit)
        if self.by not in units:
            raise DataError(
                f"{self.by!r} is no way to cut a file",
                field="by",
                remedy=f"Use one of {', '.join(units)}",
            )
        check_encoding(self.encoding)
