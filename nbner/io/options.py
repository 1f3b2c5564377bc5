"""What a reader may be told beside the path."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from nbner.errors import DataError

TextUnit: TypeAlias = Literal["line", "paragraph", "file"]
FormatName: TypeAlias = Literal[
    "prodigy", "conll", "spacy", "brat", "label_studio", "table", "huggingface", "text"
]

_WAYS = ("line", "paragraph", "file")


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """What a reader may be told beside the path.

    Parameters
    ----------
    by : {"line", "paragraph", "file"}
        What one text is in a file of plain text.
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
        if self.by not in _WAYS:
            raise DataError(
                f"{self.by!r} is no way to cut a file", field="by", remedy=f"Use {_WAYS}"
            )
