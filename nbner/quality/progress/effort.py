"""What annotating took, and what the rest will take."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from nbner.types import AnswerKind


@dataclass(frozen=True, slots=True)
class AnnotationTime:
    """One answer as a piece of work.

    Parameters
    ----------
    example : (str, int)
        Split and input hash.
    annotator : str
    answer : {"accept", "reject", "ignore"}, optional
        None takes a decision back.
    tokens : int
        In the example.
    labels : tuple of str
        Of its spans, each as often as it occurs.
    seconds : float, optional
        For which the example was looked at; None where nobody measured, as in
        imported answers.
    is_current : bool
        Whether it is its annotator's newest to its example.
    """

    example: tuple[str, int]
    annotator: str
    answer: AnswerKind | None
    tokens: int
    labels: tuple[str, ...]
    seconds: float | None
    is_current: bool


@dataclass(slots=True)
class EffortSummary:
    """Work added up.

    Parameters
    ----------
    examples, tokens, entities : int
        Of current decisions.
    timed : int
        Examples whose time was measured.
    timed_tokens, timed_entities : int
        In those.
    seconds : float
        Over all answers, also those that were changed later; idle time is out.
    """

    examples: int = 0
    tokens: int = 0
    entities: int = 0
    timed: int = 0
    timed_tokens: int = 0
    timed_entities: int = 0
    seconds: float = 0.0

    @property
    def per_example(self) -> float | None:
        """Seconds an example; None where no time was measured."""
        return self.seconds / self.timed if self.timed else None

    @property
    def per_entity(self) -> float | None:
        """Seconds an entity; None where no time was measured or nothing found."""
        return self.seconds / self.timed_entities if self.timed_entities else None

    @property
    def per_token(self) -> float | None:
        """Seconds a token that was read; None where no time was measured."""
        return self.seconds / self.timed_tokens if self.timed_tokens else None

    def add(self, works: Sequence[AnnotationTime], idle: float) -> None:
        """Add all that one annotator did to one example."""
        spent = [min(one.seconds, idle) for one in works if one.seconds is not None]
        self.seconds += sum(spent)
        for one in works:
            if not one.is_current or one.answer is None:
                continue
            found = len(one.labels) if one.answer == "accept" else 0
            self.examples += 1
            self.tokens += one.tokens
            self.entities += found
            if spent:
                self.timed += 1
                self.timed_tokens += one.tokens
                self.timed_entities += found


def total_effort(works: Iterable[AnnotationTime], idle: float) -> EffortSummary:
    """Add up everybody's work."""
    effort = EffortSummary()
    for one in _by_task(works).values():
        effort.add(one, idle)
    return effort


def effort_by_annotator(works: Iterable[AnnotationTime], idle: float) -> dict[str, EffortSummary]:
    """Add up the work of each annotator, in the order of their names."""
    efforts: dict[str, EffortSummary] = defaultdict(EffortSummary)
    for (annotator, _), one in _by_task(works).items():
        efforts[annotator].add(one, idle)
    return dict(sorted(efforts.items()))


def effort_by_answer(
    works: Iterable[AnnotationTime], idle: float
) -> dict[tuple[str, str, str], EffortSummary]:
    """Add up current decisions by split, annotator and answer."""
    efforts: dict[tuple[str, str, str], EffortSummary] = defaultdict(EffortSummary)
    for (annotator, (split, _)), one in _by_task(works).items():
        answer = next((work.answer for work in one if work.is_current), None)
        if answer is not None:
            efforts[split, annotator, answer].add(one, idle)
    return dict(sorted(efforts.items()))


def entities_by_label(works: Iterable[AnnotationTime]) -> dict[tuple[str, str, str], int]:
    """Count accepted entities by label, split and annotator."""
    counts: dict[tuple[str, str, str], int] = defaultdict(int)
    for one in works:
        if one.is_current and one.answer == "accept":
            for label in one.labels:
                counts[label, one.example[0], one.annotator] += 1
    return dict(counts)


def estimate_remaining(effort: EffortSummary, waiting_tokens: int) -> float | None:
    """Estimate the seconds for texts of so many tokens, at the pace of the past.

    By tokens, because the texts that wait may be longer or shorter than those
    that are done. None where no time was measured.
    """
    return None if effort.per_token is None else effort.per_token * waiting_tokens


def _by_task(
    works: Iterable[AnnotationTime],
) -> dict[tuple[str, tuple[str, int]], list[AnnotationTime]]:
    tasks: dict[tuple[str, tuple[str, int]], list[AnnotationTime]] = defaultdict(list)
    for one in works:
        tasks[one.annotator, one.example].append(one)
    return tasks
