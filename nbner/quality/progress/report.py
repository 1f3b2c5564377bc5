"""What there is, what it took, and what the rest will take."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from nbner._common.format import render_html
from nbner.quality.progress.effort import (
    AnnotationTime,
    EffortSummary,
    effort_by_annotator,
    effort_by_answer,
    entities_by_label,
    estimate_remaining,
    total_effort,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_TIME_COLUMNS = [
    *("annotator", "examples", "entities", "timed", "seconds", "per_example", "per_entity")
]


@dataclass(frozen=True)
class AnnotationProgress:
    """Counts and time of a dataset.

    Parameters
    ----------
    times : tuple of AnnotationTime
        Every answer.
    pending : tuple of (str, int)
        Split and tokens of each open example.
    label_order : tuple of str
        The labels in their order.
    idle : float
        Seconds at one example beyond which time is not counted.
    """

    times: tuple[AnnotationTime, ...] = field(repr=False)
    pending: tuple[tuple[str, int], ...] = field(repr=False)
    label_order: tuple[str, ...]
    idle: float

    @cached_property
    def effort(self) -> EffortSummary:
        """Everybody's work added up."""
        return total_effort(self.times, self.idle)

    @property
    def frame(self) -> pd.DataFrame:
        """One row a split, annotator and answer, and one a split for what is open.

        Returns
        -------
        DataFrame
            ``split``, ``annotator``, ``answer``, ``examples``, ``tokens``,
            ``entities`` (of accepted examples) and ``seconds``.
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
        """One row an annotator whose time was measured, and one for all.

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
        """Seconds that the open examples will take one person, at the pace of the past.

        By tokens. None where no time was measured.
        """
        return estimate_remaining(self.effort, sum(size for _, size in self.pending))

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the accepted entities of every label."""
        from nbner.quality.progress.plot import draw_entity_counts

        return draw_entity_counts(self.per_label, title=self._headline(), ax=ax)

    def _headline(self) -> str:
        one = self.effort
        return (
            f"{one.entities:,} entities in {one.examples:,} examples, "
            f"{format_duration(one.seconds)}"
        )

    def __str__(self) -> str:
        one = self.effort
        found = f"{one.entities:,} entities accepted; {len(self.pending):,} examples open"
        said = [f"{one.examples:,} decisions over {one.tokens:,} tokens, {found}"]
        if one.timed:
            each = f"{one.per_example:.1f} s an example"
            entity = "" if one.per_entity is None else f", {one.per_entity:.1f} s an entity"
            said.append(
                f"{format_duration(one.seconds)} for {one.timed:,} examples: {each}{entity} "
                f"(at most {self.idle:.0f} s counted at a time)"
            )
        else:
            said.append("no time was measured yet: the widget measures it")
        if self.remaining_seconds is not None and self.pending:
            said.append(
                f"about {format_duration(self.remaining_seconds)} for the rest, at this pace"
            )
        return "\n".join(said)

    def _repr_html_(self) -> str:
        return render_html(str(self), self.frame)


def format_duration(seconds: float) -> str:
    """Write a length of time in the units that people use."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
