"""An anchoring audit in a cell."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING

from nbner._common.format import render_html
from nbner._common.widget_protocols import AnnotatorWidget
from nbner.errors import DataError
from nbner.quality.anchoring.audit import AnchoringCounts, Proportion

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

COLUMNS = ("annotator", "suggestions", "n", "followed", "share", "low", "high")
EVERYBODY = "everybody"
WORDS = {
    "corrupted": "corrupted, left as shown",
    "withheld": "withheld, left unmarked",
    "untouched": "untouched, left as shown",
    "removed": "untouched, taken away",
}


@dataclass(frozen=True, slots=True)
class Anchoring:
    """How far annotators followed suggestions that had been spoilt on purpose.

    Parameters
    ----------
    by_annotator : mapping of str to Audited
    overall : AnchoringCounts
    n : int
        Accepted answers with an audit.
    uncorrected : int
        Answers that hold a corrupted suggestion.
    """

    by_annotator: Mapping[str, AnchoringCounts]
    overall: AnchoringCounts
    n: int
    uncorrected: int = 0
    open_widget: Callable[[], AnnotatorWidget] | None = field(
        default=None, repr=False, compare=False
    )

    @property
    def frame(self) -> pd.DataFrame:
        """One row an annotator and kind of suggestion, with Wilson's 95 % interval.

        ``suggestions`` says which were followed and how: "corrupted, left as
        shown", "withheld, left unmarked", "untouched, left as shown"; and for
        comparison "untouched, taken away".
        """
        import pandas as pd

        people = dict(self.by_annotator)
        if len(people) > 1:
            people[EVERYBODY] = self.overall
        rows = [
            (name, words, *_figures(getattr(audited, kind)))
            for name, audited in people.items()
            for kind, words in WORDS.items()
        ]
        return pd.DataFrame(rows, columns=list(COLUMNS))

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the shares that were followed, with their intervals."""
        from nbner.quality.anchoring.plot import draw_anchoring

        corrupted = self.overall.corrupted
        title = f"{corrupted.count:,} of {corrupted.n:,} corrupted suggestions were left as shown"
        return draw_anchoring(self.frame, title=title, ax=ax)

    def open(self) -> AnnotatorWidget:
        """Open the answers that hold a corrupted suggestion; ``v`` takes what it was.

        Raises
        ------
        DataError
            There are none.
        """
        if not self.uncorrected or self.open_widget is None:
            raise DataError(
                "no answer holds a corrupted suggestion: there is nothing to mend",
                remedy="Training can use these answers as they are",
            )
        return self.open_widget()

    def __str__(self) -> str:
        corrupted, withheld = self.overall.corrupted, self.overall.withheld
        followed = f"{_said(corrupted)} corrupted suggestions were left as shown"
        lines = [f"{followed}, {_said(withheld)} withheld ones unmarked"]
        if self.overall.omission_effect is not None:
            points, low, high = (100 * value for value in self.overall.omission_effect)
            lines.append(
                f"Not to be suggested made an entity {points:.0f} points ({low:.0f} to {high:.0f}) "
                "likelier to be left unmarked"
            )
        lines.append(f"Over {self.n:,} accepted answers of {', '.join(self.by_annotator)}")
        if self.uncorrected:
            lines.append(
                f"{self.uncorrected:,} answers hold a corrupted suggestion: mend them with "
                ".annotate() before you train"
            )
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return render_html(str(self), self.frame) if self.n else f"<div>{escape(str(self))}</div>"


def _figures(share: Proportion) -> tuple[object, ...]:
    low, high = share.interval
    value = float("nan") if share.value is None else share.value
    return (share.n, share.count, value, low, high)


def _said(share: Proportion) -> str:
    if share.value is None:
        return "0 of 0"
    low, high = (100 * value for value in share.interval)
    return f"{share.count:,} of {share.n:,} ({100 * share.value:.0f} %, {low:.0f} to {high:.0f})"
