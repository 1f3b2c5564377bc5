"""Which examples a list shows: plain values, known to the page's side and to the store's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from nbner.types import AnswerKind, Example

AnswerFilter: TypeAlias = AnswerKind | Literal["open", "answered"]
ANSWER_FILTERS: tuple[AnswerFilter, ...] = ("accept", "reject", "ignore", "open", "answered")


@dataclass(frozen=True, slots=True)
class ExampleFilter:
    """Conditions that all have to hold; one that is not given holds for every example.

    Parameters
    ----------
    answer : {"accept", "reject", "ignore", "open", "answered"}, optional
        The answer that stands.
    flagged, noted : bool
        Only those with a flag, or with a note.
    label : str, optional
        Some span that is shown has this label.
    text : str, optional
        The text holds these characters, in whatever case.
    annotator : str, optional
        This annotator has decided the example.
    unsure : bool
        Only those for which the suggestions came with a confidence, the one
        with the lowest first; else they come in the order of addition.
    """

    answer: AnswerFilter | None = None
    flagged: bool = False
    noted: bool = False
    label: str | None = None
    text: str | None = None
    annotator: str | None = None
    unsure: bool = False


@dataclass(frozen=True, slots=True)
class ExamplePage:
    """A piece of a list of examples.

    Parameters
    ----------
    rows : tuple of (Example, float or None)
        Each with the lowest confidence among the suggestions that it came with.
    total : int
        Examples in the whole list.
    """

    rows: tuple[tuple[Example, float | None], ...] = ()
    total: int = 0
