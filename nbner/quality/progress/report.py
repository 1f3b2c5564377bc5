"""What there is, what it took, and what the rest will take."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from nbner._common.format import as_html
from nbner.quality.progress.effort import (
    Effort,
    Work,
    by_annotator,
    by_answer,
    by_label,
    rest,
    total,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_TIME_COLUMNS = [
    *("annotator", "examples", "entities", "timed", "seconds", "per_example", "per_entity")
]


@dataclass(frozen=True)
class Stats:
    """Counts and time of a dataset.

    Parameters
    ----------
    works : tuple of Work
        Every answer.
    waiting : tuple of (str, int)
        Split and tokens of each open example.
    names : tuple of str
        The labels in their order.
    idle : float
        Seconds at one example beyond which time is not counted.
    """

    works: tuple[Work, ...] = field(repr=False)
    waiting: tuple[tuple[str, int], ...] = field(repr=False)
    names: tuple[str, ...]
    idle: float

    @cached_property
    def effort(self) -> Effort:
        """Everybody's work added up."""
        return total(self.works, self.idle)

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
            for names, one in by_answer(self.works, self.idle).items()
        ]
        for split in dict.fromkeys(name for name, _ in self.waiting):
            sizes = [size for name, size in self.waiting if name == split]
            rows.append((split, "", "open", len(sizes), sum(sizes), 0, 0.0))
        columns = ["split", "annotator", "answer", "examples", "tokens", "entities", "seconds"]
        return pd.DataFrame(rows, columns=columns)

    @property
    def labels(self) -> pd.DataFrame:
        """Accepted entities: ``label``, ``split``, ``annotator``, ``entities``."""
        import pandas as pd

        order = {name: at for at, name in enumerate(self.names)}
        rows = [(*names, count) for names, count in by_label(self.works).items()]
        rows.sort(key=lambda row: (order.get(row[0], len(order)), *row[:3]))
        return pd.DataFrame(rows, columns=["label", "split", "annotator", "entities"])

    @property
    def time(self) -> pd.DataFrame:
        """One row an annotator whose time was measured, and one for all.

        Returns
        -------
        DataFrame
            ``annotator``, ``examples``, ``entities``, ``timed`` (examples whose
            time was measured), ``seconds``, ``per_example``, ``per_entity``.
        """
        import pandas as pd

        efforts = {**by_annotator(self.works, self.idle), "all": self.effort}
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
    def rest(self) -> float | None:
        """Seconds that the open examples will take one person, at the pace of the past.

        By tokens. None where no time was measured.
        """
        return rest(self.effort, sum(size for _, size in self.waiting))

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the accepted entities of every label."""
        from nbner.quality.progress.plot import entity_rows

        return entity_rows(self.labels, title=self._headline(), ax=ax)

    def _headline(self) -> str:
        one = self.effort
        return f"{one.entities:,} entities in {one.examples:,} examples, {duration(one.seconds)}"

    def __str__(self) -> str:
        one = self.effort
        found = f"{one.entities:,} entities accepted; {len(self.waiting):,} examples open"
        said = [f"{one.examples:,} decisions over {one.tokens:,} tokens, {found}"]
        if one.timed:
            each = f"{one.per_example:.1f} s an example"
            entity = "" if one.per_entity is None else f", {one.per_entity:.1f} s an entity"
            said.append(
                f"{duration(one.seconds)} for {one.timed:,} examples: {each}{entity} (at most "
                f"{self.idle:.0f} s counted at a time)"
            )
        else:
            said.append("no time was measured yet: the widget measures it")
        if self.rest is not None and self.waiting:
            said.append(f"about {duration(self.rest)} for the rest, at this pace")
        return "\n".join(said)

    def _repr_html_(self) -> str:
        return as_html(str(self), self.frame)


def duration(seconds: float) -> str:
    """Write a length of time in the units that people use."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
