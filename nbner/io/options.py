"""Options of readers, and the names of formats and text units."""

from __future__ import annotations

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
    encoding : str, optional
        Encoding of text files; UTF-8 by default.
    row_errors : RowErrors
        Takes the error of a row that cannot be read; raises it by default.

    Raises
    ------
    DataError
        ``by`` is none of the three, or there is no such encoding.
    """

    by: TextUnit = "line"
    tag_names: tuple[str, ...] | None = None
    encoding: str | None = None
    row_errors: RowErrors = field(default_factory=RowErrors, compare=False)

    def __post_init__(self) -> None:
        units = get_args(TextUnit)
        if self.by not in units:
            raise DataError(
                f"{self.by!r} is no way to cut a file",
                field="by",
                remedy=f"Use one of {', '.join(units)}",
            )
        check_encoding(self.encoding)
