"""Annotation progress: counts of examples and entities, time spent, and time still needed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

from nbner._common.colors import label_colors
from nbner._common.format import plural, render_html
from nbner._common.plot_style import (
    INK_COLOR,
    ROW_HEIGHT,
    apply_style,
    count_axis,
    name_ticks,
    new_axes,
)
from nbner._common.result import FigureResult
from nbner.quality.suggestion_quality import SuggestionQuality
from nbner.types import AnswerKind

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

#: Annotator, and the split and input hash of an example.
_Task: TypeAlias = tuple[str, tuple[str, int]]

_TIME_COLUMNS = [
    *("annotator", "examples", "entities", "timed", "seconds", "per_example", "per_entity")
]


@dataclass(frozen=True, slots=True)
class AnnotationTime:
    """One answer with its size and the time that it took.

    Parameters
    ----------
    example : (str, int)
        Split and input hash.
    annotator : str
        Name of the annotator.
    answer : {"accept", "reject", "ignore"}, optional
        None takes a decision back.
    tokens : int
        Number of tokens of the example.
    labels : tuple of str
        Labels of its spans, one for each span.
    seconds : float, optional
        Time for which the example was shown; None where no time was measured,
        as for imported answers.
    is_current : bool
        Whether it is its annotator's newest answer to its example.
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
    """Sums over answers.

    Parameters
    ----------
    examples, tokens, entities : int
        Sums over current decisions.
    timed : int
        Number of examples whose time was measured.
    timed_tokens, timed_entities : int
        Sums over those examples.
    seconds : float
        Time over all answers, also those that were changed later, without idle
        time.
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
        """Seconds an entity; None where no time was measured or no entity found."""
        return self.seconds / self.timed_entities if self.timed_entities else None

    @property
    def per_token(self) -> float | None:
        """Seconds a token; None where no time was measured."""
        return self.seconds / self.timed_tokens if self.timed_tokens else None

    def add(self, times: Sequence[AnnotationTime], idle: float) -> None:
        """Add the answers of one annotator to one example.

        Parameters
        ----------
        times : sequence of AnnotationTime
            The answers.
        idle : float
            Seconds that one answer counts at most.
        """
        spent = [min(one.seconds, idle) for one in times if one.seconds is not None]
        self.seconds += sum(spent)
        for one in times:
            if not one.is_current or one.answer is None:
                continue
            entities = len(one.labels) if one.answer == "accept" else 0
            self.examples += 1
            self.tokens += one.tokens
            self.entities += entities
            if spent:
                self.timed += 1
                self.timed_tokens += one.tokens
                self.timed_entities += entities


def total_effort(times: Iterable[AnnotationTime], idle: float) -> EffortSummary:
    """Sum the answers of all annotators.

    Parameters
    ----------
    times : iterable of AnnotationTime
        All answers.
    idle : float
        Seconds that one answer counts at most.
    """
    effort = EffortSummary()
    for some in _by_task(times).values():
        effort.add(some, idle)
    return effort


def effort_by_annotator(times: Iterable[AnnotationTime], idle: float) -> dict[str, EffortSummary]:
    """Sum the answers of each annotator, sorted by name.

    Parameters
    ----------
    times : iterable of AnnotationTime
        All answers.
    idle : float
        Seconds that one answer counts at most.
    """
    efforts: dict[str, EffortSummary] = defaultdict(EffortSummary)
    for (annotator, _), some in _by_task(times).items():
        efforts[annotator].add(some, idle)
    return dict(sorted(efforts.items()))


def effort_by_answer(
    times: Iterable[AnnotationTime], idle: float
) -> dict[tuple[str, str, str], EffortSummary]:
    """Sum current decisions by split, annotator and answer.

    Parameters
    ----------
    times : iterable of AnnotationTime
        All answers.
    idle : float
        Seconds that one answer counts at most.
    """
    efforts: dict[tuple[str, str, str], EffortSummary] = defaultdict(EffortSummary)
    for (annotator, (split, _)), some in _by_task(times).items():
        answer = next((one.answer for one in some if one.is_current), None)
        if answer is not None:
            efforts[split, annotator, answer].add(some, idle)
    return dict(sorted(efforts.items()))


def entities_by_label(times: Iterable[AnnotationTime]) -> dict[tuple[str, str, str], int]:
    """Count accepted entities by label, split and annotator.

    Parameters
    ----------
    times : iterable of AnnotationTime
        All answers.
    """
    counts: dict[tuple[str, str, str], int] = defaultdict(int)
    for one in times:
        if one.is_current and one.answer == "accept":
            for label in one.labels:
                counts[label, one.example[0], one.annotator] += 1
    return dict(counts)


def estimate_remaining(effort: EffortSummary, pending_tokens: int) -> float | None:
    """Estimate the seconds that pending texts will take, at the previous pace.

    The pace is measured by tokens, because pending texts may be longer or
    shorter than finished ones.

    Parameters
    ----------
    effort : EffortSummary
        The work so far.
    pending_tokens : int
        Number of tokens of the pending texts.

    Returns
    -------
    float or None
        None where no time was measured.
    """
    return None if effort.per_token is None else effort.per_token * pending_tokens


def _by_task(times: Iterable[AnnotationTime]) -> dict[_Task, list[AnnotationTime]]:
    tasks: dict[_Task, list[AnnotationTime]] = defaultdict(list)
    for one in times:
        tasks[one.annotator, one.example].append(one)
    return tasks


@dataclass(frozen=True)
class AnnotationProgress(FigureResult):
    """Counts and times of a dataset.

    ``plot()`` draws the number of accepted entities of every label.

    Parameters
    ----------
    times : tuple of AnnotationTime
        Every answer.
    pending : tuple of (str, int)
        Split and number of tokens of each pending example.
    label_order : tuple of str
        The labels in their order.
    idle : float
        Seconds that one answer counts at most.
    suggestions : SuggestionQuality
        Precision and recall of the suggestions over the last answers, by
        source.
    colors : mapping, optional
        Label to color, as the session shows it.
    """

    times: tuple[AnnotationTime, ...] = field(repr=False)
    pending: tuple[tuple[str, int], ...] = field(repr=False)
    label_order: tuple[str, ...]
    idle: float
    suggestions: SuggestionQuality = field(default_factory=SuggestionQuality, repr=False)
    colors: Mapping[str, str] = field(default_factory=dict, kw_only=True, repr=False, compare=False)

    @cached_property
    def effort(self) -> EffortSummary:
        """Sum over all annotators."""
        return total_effort(self.times, self.idle)

    @property
    def frame(self) -> pd.DataFrame:
        """One row a split, annotator and answer, and one a split for pending examples.

        Returns
        -------
        DataFrame
            ``split``, ``annotator``, ``answer`` ("open" for pending examples),
            ``examples``, ``tokens``, ``entities`` (of accepted examples) and
            ``seconds``.
        """
        import pandas as pd

        rows = [
            (*names, one.examples, one.tokens, one.entities, one.seconds)
            for names, one in effort_by_answer(self.times, self.idle).items()
        ]
        for split in dict.fromkeys(name for name, _ in self.pending):
            sizes = [size for name, size in self.pending if name == split]
            rows.append((split, "", "open", len(sizes), sum(sizes), 0, 0.0))
        columns = ["split", "annotator", "answer", "examples", "tokens", "entities", "seconds"]
        return pd.DataFrame(rows, columns=columns)

    @property
    def per_label(self) -> pd.DataFrame:
        """Accepted entities: ``label``, ``split``, ``annotator``, ``entities``."""
        import pandas as pd

        order = {name: at for at, name in enumerate(self.label_order)}
        rows = [(*names, count) for names, count in entities_by_label(self.times).items()]
        rows.sort(key=lambda row: (order.get(row[0], len(order)), *row[:3]))
        return pd.DataFrame(rows, columns=["label", "split", "annotator", "entities"])

    @property
    def per_annotator(self) -> pd.DataFrame:
        """One row an annotator, and one for all.

        Returns
        -------
        DataFrame
            ``annotator``, ``examples``, ``entities``, ``timed`` (examples whose
            time was measured), ``seconds``, ``per_example``, ``per_entity``.
        """
        import pandas as pd

        efforts = {**effort_by_annotator(self.times, self.idle), "all": self.effort}
        rows = [
            (
                *(name, one.examples, one.entities, one.timed),
                *(one.seconds, one.per_example, one.per_entity),
            )
            for name, one in efforts.items()
        ]
        numbers = dict.fromkeys(_TIME_COLUMNS[4:], "float64")
        return pd.DataFrame(rows, columns=_TIME_COLUMNS).astype(numbers)

    @property
    def remaining_seconds(self) -> float | None:
        """Estimated seconds that the pending examples will take one annotator.

        By the previous pace in tokens; None where no time was measured.
        """
        return estimate_remaining(self.effort, sum(size for _, size in self.pending))

    def _draw(self, ax: Axes | None) -> Axes:
        return _draw_entity_counts(
            self.per_label,
            title=self._headline(),
            colors=label_colors(self.label_order, self.colors),
            ax=ax,
        )

    def _headline(self) -> str:
        one = self.effort
        return (
            f"{plural(one.entities, 'entity', 'entities')} in {plural(one.examples, 'example')}, "
            f"{format_duration(one.seconds)}"
        )

    def __str__(self) -> str:
        one = self.effort
        counts = (
            f"{plural(one.entities, 'entity', 'entities')} accepted; "
            f"{plural(len(self.pending), 'example')} open"
        )
        lines = [f"{plural(one.examples, 'decision')} over {plural(one.tokens, 'token')}, {counts}"]
        if one.timed:
            per_example = f"{one.per_example:.1f} s an example"
            per_entity = "" if one.per_entity is None else f", {one.per_entity:.1f} s an entity"
            lines.append(
                f"{format_duration(one.seconds)} for {plural(one.timed, 'example')}: "
                f"{per_example}{per_entity} (at most {self.idle:.0f} s counted at a time)"
            )
        else:
            lines.append("no time was measured yet: the widget measures it")
        if self.remaining_seconds is not None and self.pending:
            lines.append(
                f"about {format_duration(self.remaining_seconds)} for the rest, at this pace"
            )
        if self.suggestions.sources:
            lines.append(
                f"suggestions over the last {plural(len(self.suggestions.recent), 'answer')}:"
            )
            lines += str(self.suggestions).splitlines()
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return render_html(str(self), self.frame)


def format_duration(seconds: float) -> str:
    """Format a duration in seconds, minutes or hours, whichever is suitable.

    Parameters
    ----------
    seconds : float
        The duration.
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def _draw_entity_counts(
    frame: pd.DataFrame, *, title: str, colors: Mapping[str, str], ax: Axes | None = None
) -> Axes:
    """Draw a bar for each label of `AnnotationProgress.per_label`, the longest on top."""
    summed = frame.groupby("label", sort=False)["entities"].sum().sort_values(kind="stable")
    ax = (
        new_axes(height=1.1 + ROW_HEIGHT * max(4, len(summed)), has_rows=True) if ax is None else ax
    )
    colors = label_colors([*colors, *summed.index], colors)
    for y, (label, count) in enumerate(summed.items()):
        ax.barh(y, count, height=0.6, color=colors[str(label)], edgecolor=INK_COLOR, linewidth=0.6)
        ax.annotate(
            f"{count:,}",
            (count, y),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            color=INK_COLOR,
            fontsize=8,
        )
    name_ticks(ax.yaxis, [str(label) for label in summed.index])
    ax.set_ylim(-0.6, max(1, len(summed)) - 0.4)
    ax.set_xlabel("accepted entities")
    count_axis(ax.xaxis)
    return apply_style(ax, title)
