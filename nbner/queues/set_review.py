"""The queue of an annotator who chooses among the analyses of a text's conformal set."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from nbner.queues.labelling import AnnotationQueue
from nbner.types import AnswerKind, Example, Span
from nbner.widgets.messages import ANALYSIS_SET, VERSIONS


@dataclass(frozen=True, slots=True)
class AnalysisChoice:
    """One analysis of a set, with the attributes of an annotator's version.

    Parameters
    ----------
    annotator : str
        Its name on the page.
    spans : tuple of Span
        Its spans.
    probability : float
        Of the analysis.
    answer : str
        Always "accept".
    """

    annotator: str
    spans: tuple[Span, ...]
    probability: float
    answer: AnswerKind = "accept"


@dataclass(frozen=True, slots=True)
class ShownSet:
    """The conformal set of one text as the page shows it.

    Parameters
    ----------
    level : float
        Share of texts whose set holds gold: 0.95 at a risk of 0.05.
    size : int
        Number of analyses.
    is_complete : bool
        Whether the list reaches the level.
    is_current : bool
        Whether the model in use is the one that was calibrated.
    choices : tuple of AnalysisChoice
        The analyses, best first, where they are few enough to choose from.
    """

    level: float
    size: int
    is_complete: bool
    is_current: bool = True
    choices: tuple[AnalysisChoice, ...] = ()


#: From an open example to its set; None where it is labelled without one.
SetFn: TypeAlias = Callable[[Example], ShownSet | None]


class SetReviewQueue(AnnotationQueue):
    """Serve the open examples of a split with the analyses of their conformal sets.

    Parameters
    ----------
    *args, **options
        Those of `AnnotationQueue`.
    set_of : callable
        From an open example to its set.
    """

    def __init__(self, *args: Any, set_of: SetFn, **options: Any) -> None:
        super().__init__(*args, **options)
        self._set_of = set_of

    def _with_suggestions(
        self, found: Sequence[Example], *, is_search: bool = False
    ) -> list[Example]:
        examples = super()._with_suggestions(found, is_search=is_search)
        # Nothing that a search finds is on display.
        return examples if is_search else [self._with_set(one) for one in examples]

    def _with_set(self, example: Example) -> Example:
        shown = self._set_of(example) if example.answer is None else None
        if shown is None:
            return example
        extra = {**example.extra, ANALYSIS_SET: shown, VERSIONS: shown.choices}
        return replace(example, extra=extra)
