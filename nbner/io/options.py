"""Options of readers, and the names of formats and text units."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from nbner.errors import DataError

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

    Raises
    ------
    DataError
        ``by`` is none of the three.
    """

    by: TextUnit = "line"
    tag_names: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        units = get_args(TextUnit)
        if self.by not in units:
            raise DataError(
                f"{self.by!r} is no way to cut a file",
                field="by",
                remedy=f"Use one of {', '.join(units)}",
            )
