"""Filters of example lists, and one page of a filtered list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from nbner.types import AnswerKind, Example

AnswerFilter: TypeAlias = AnswerKind | Literal["open", "answered"]
ANSWER_FILTERS: tuple[AnswerFilter, ...] = ("accept", "reject", "ignore", "open", "answered")


@dataclass(frozen=True, slots=True)
class ExampleFilter:
    """Conditions on an example, all of which must hold; None and False are no condition.

    Parameters
    ----------
    answer : {"accept", "reject", "ignore", "open", "answered"}, optional
        The current answer.
    flagged, noted : bool
        Only examples with a flag, or with a note.
    label : str, optional
        At least one of the shown spans has this label.
    text : str, optional
        The text contains these characters, whatever their case.
    annotator : str, optional
        This annotator has answered the example.
    unsure : bool
        Only examples with scored suggestions, the lowest score first; otherwise
        examples are listed in the order of addition.
    """

    answer: AnswerFilter | None = None
    flagged: bool = False
    noted: bool = False
    label: str | None = None
    text: str | None = None
    annotator: str | None = None
    unsure: bool = False

    def matches(self, example: Example) -> bool:
        """Return whether an example meets every condition except ``unsure``.

        Parameters
        ----------
        example : Example
            ``annotator`` is compared with the author of its current answer.
        """
        return (
            self._matches_answer(example)
            and (example.flagged or not self.flagged)
            and (bool(example.note) or not self.noted)
            and (self.label is None or any(span.label == self.label for span in example.spans))
            and (self.text is None or self.text.casefold() in example.text.casefold())
        )

    def _matches_answer(self, example: Example) -> bool:
        answered = example.answer is not None
        if self.annotator is not None and not (answered and example.annotator == self.annotator):
            return False
        if self.answer in (None, "open", "answered"):
            return self.answer is None or answered == (self.answer == "answered")
        return example.answer == self.answer


@dataclass(frozen=True, slots=True)
class ExamplePage:
    """One page of a filtered list of examples.

    Parameters
    ----------
    rows : tuple of (Example, float or None)
        Each example with the lowest score among its suggestions.
    total : int
        Number of examples in the whole list.
    """

    rows: tuple[tuple[Example, float | None], ...] = ()
    total: int = 0
