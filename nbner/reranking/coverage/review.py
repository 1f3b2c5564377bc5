"""Open texts by the size of their conformal set: what can be accepted, and what to choose from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from math import nan
from typing import TYPE_CHECKING

from nbner._common.bootstrap import Estimate
from nbner._common.colors import label_colors
from nbner._common.format import plural, scrollable
from nbner._common.result import Result
from nbner._common.span_html import highlight_spans
from nbner._common.widget_protocols import AnnotatorWidget
from nbner.errors import DataError
from nbner.quality.confident_suggestions import BulkAcceptance, BulkBackend, accept_unseen
from nbner.reranking.coverage.report import Coverage
from nbner.reranking.coverage.study import (
    FEW,
    INCOMPLETE,
    MANY,
    MAX_CHOICES,
    SET_SIZE,
    SINGLE,
    CoverageRow,
    SetMethod,
    size_group,
)
from nbner.types import Example

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    *("set", "set_size", "is_complete", "probability", "spans"),
    *("split", "input_hash", "text"),
)
_MAX_ROWS = 20  # texts in the HTML of a result


@dataclass(frozen=True, slots=True)
class TextWithSet:
    """An open text with the size of its set of analyses.

    Parameters
    ----------
    example : Example
        The text; its spans are those of the first analysis.
    size : int
        Number of analyses in the set.
    is_complete : bool
        Whether the list reaches the level. If not, the set has no guarantee.
    probability : float
        Probability of the first analysis.
    """

    example: Example
    size: int
    is_complete: bool
    probability: float

    @property
    def group(self) -> str:
        """The group of the set by its size, as the rows of `Coverage.frame` name it."""
        return size_group(self.size, is_complete=self.is_complete)


@dataclass(frozen=True, slots=True)
class SetReview(Result):
    """Open texts by the size of their conformal set, and the bulk act for those of one analysis.

    The level holds over all texts together. Of the texts whose set is one
    analysis another share may be wrong, which `single_wrong` estimates on held-out
    gold.

    Parameters
    ----------
    texts : tuple of TextWithSet
        Open texts in their order, without drafts and without those kept aside.
    coverage : Coverage
        The calibration.
    method : {"cumulative", "regularized", "probability"}
        Which sets of the calibration.
    split : str
        The split.
    model : str
        The model that was calibrated, in words.
    drafts : int
        Number of undecided texts with a draft, which are left out.
    kept_aside : int
        Number of open texts that were drawn at random for measuring, which are
        labelled as usual.
    is_current : callable
        Returns whether the model in use is the one that was calibrated.
    backend : BulkBackend, optional
        Functions that accept and open texts; None without a session.
    colors : mapping, optional
        Label to color, as the session shows it.
    """

    texts: tuple[TextWithSet, ...] = field(repr=False)
    coverage: Coverage = field(repr=False)
    method: SetMethod
    split: str
    model: str
    drafts: int = 0
    kept_aside: int = 0
    is_current: Callable[[], bool] = field(default=lambda: True, repr=False, compare=False)
    backend: BulkBackend | None = field(default=None, repr=False, compare=False)
    colors: Mapping[str, str] = field(default_factory=dict, kw_only=True, repr=False, compare=False)

    @property
    def single(self) -> list[Example]:
        """The texts whose set is one analysis, with its spans; the least probable first."""
        found = [one for one in self.texts if one.group == SINGLE]
        return [one.example for one in sorted(found, key=lambda one: one.probability)]

    @property
    def single_wrong(self) -> Estimate:
        """Share of held-out texts with a set of one analysis whose gold is another one.

        NaN where no held-out text had such a set.
        """
        row = self._single_row()
        if row is None:
            return Estimate(nan)
        return Estimate(1 - row.coverage.value, 1 - row.coverage.high, 1 - row.coverage.low)

    @property
    def expected_wrong(self) -> Estimate:
        """Expected number of texts with one analysis whose gold is another one."""
        share, count = self.single_wrong, len(self.single)
        return Estimate(count * share.value, count * share.low, count * share.high)

    @property
    def frame(self) -> pd.DataFrame:
        """One row an open text.

        ``set`` ("1 analysis", "2 to 9 analyses", "10 or more analyses", "incomplete
        list"), ``set_size``, ``is_complete``, ``probability`` and ``spans`` (of the
        first analysis), ``split``, ``input_hash``, ``text``.
        """
        import pandas as pd

        rows = [
            (
                *(one.group, one.size, one.is_complete, one.probability),
                *(len(one.example.spans), one.example.split),
                *(one.example.input_hash, one.example.text),
            )
            for one in self.texts
        ]
        return pd.DataFrame(rows, columns=list(COLUMNS))

    def accept(self) -> BulkAcceptance:
        """Accept all texts whose set is one analysis, as one act that can be undone.

        A text that was answered since the list was made keeps its answer. The
        answers are marked as given unseen (``Example.accepted_unseen``): they
        are trained on, and never measured on.

        Returns
        -------
        BulkAcceptance
            With ``undo()``.

        Raises
        ------
        DataError
            No text has a set of one analysis, or the model in use is another one
            than the sets were calibrated for.
        """
        backend = self._usable_backend()
        return accept_unseen(backend, self.single)

    def open(self) -> AnnotatorWidget:
        """Open the annotator on the texts whose set is one analysis, the least probable first.

        Raises
        ------
        DataError
            No text has such a set, or the sets are out of date.
        """
        return self._usable_backend().open_widget(self.single)

    def _usable_backend(self) -> BulkBackend:
        if not self.is_current():
            raise DataError(
                f"the sets were calibrated for {self.model}, and another model is in use: their "
                "level says nothing of it",
                remedy='Calibrate anew: session.make_gold(review="set")',
            )
        if not self.texts:
            raise DataError(
                f"no text of {self.split!r} was open when the sets were computed",
                field="split",
                remedy="Add texts with session.add(), or name another split",
            )
        if self.backend is None or not self.single:
            raise DataError(
                "no open text has a set of one analysis",
                field="alpha",
                remedy=f"Accept a higher risk than alpha={self.coverage.alpha:g} in session."
                'make_gold(review="set"), or label more texts and train a better model',
            )
        return self.backend

    def _single_row(self) -> CoverageRow | None:
        """Return the held-out coverage of sets of one analysis; None where there were none."""
        wanted = (self.method, SET_SIZE, SINGLE)
        rows = self.coverage.rows
        return next((one for one in rows if (one.method, one.group, one.value) == wanted), None)

    def _count(self, group: str) -> int:
        return sum(one.group == group for one in self.texts)

    def __str__(self) -> str:
        level = f"{100 * (1 - self.coverage.alpha):g} %"
        rest = self._count(MANY) + self._count(INCOMPLETE)
        head = (
            f"{plural(len(self.texts), 'open text')} of {self.split} at {level}: "
            f"{self._count(SINGLE):,} with a set of one analysis, {self._count(FEW):,} with 2 to "
            f"{MAX_CHOICES} to choose from, {rest:,} with more, which are labelled as usual"
        )
        lines = [head]
        if incomplete := self._count(INCOMPLETE):
            lines.append(
                f"For {incomplete:,} of these the list of {self.coverage.width} ends before the "
                "level is reached"
            )
        if self.single:
            lines += [self._wrong_line(level), ".accept() accepts them as one act, .open() shows"]
            lines[-1] += " them one by one"
        if self.drafts:
            lines.append(
                f"{plural(self.drafts, 'text')} with somebody's draft "
                f"{'is' if self.drafts == 1 else 'are'} left out"
            )
        if self.kept_aside:
            lines.append(
                f"{plural(self.kept_aside, 'text')} kept aside at random "
                f"{'is' if self.kept_aside == 1 else 'are'} labelled as usual, to measure on"
            )
        if not self.is_current():
            lines.append(
                f"Out of date: the sets were calibrated for {self.model}, and another model is in "
                'use. Calibrate anew: session.make_gold(review="set")'
            )
        return "\n".join(lines)

    def _wrong_line(self, level: str) -> str:
        count, found, row = len(self.single), self.expected_wrong, self._single_row()
        start = f"Of the {plural(count, 'text')} with one analysis"
        if row is None:
            return (
                f"{start} nobody can tell how many it is wrong for: no held-out text had such a "
                "set. Look at them first: .open()"
            )
        wrong = round(row.n * self.single_wrong.value)
        return (
            f"{start} it is wrong for about {found.value:.1f} ({found.low:.1f} to "
            f"{found.high:.1f}), as it was for {wrong:,} of {plural(row.n, 'held-out text')} with "
            f"such a set; the {level} hold over all texts, not over these alone"
        )

    def _repr_html_(self) -> str:
        single = self.single
        colors = label_colors(sorted({s.label for one in single for s in one.spans}), self.colors)
        known = {one.example.input_hash: one.probability for one in self.texts}
        rows = "".join(
            f'<tr><td>{known[one.input_hash]:.3f}</td><td style="white-space:pre-wrap">'
            f"{highlight_spans(one.text, list(one.spans), colors)}</td></tr>"
            for one in single[:_MAX_ROWS]
        )
        more = len(single) - _MAX_ROWS
        rest = f"<div>and {more:,} more, in .frame and .open()</div>" if more > 0 else ""
        table = scrollable(f'<table style="text-align:left">{rows}</table>') if rows else ""
        head = "".join(f"<div>{escape(line)}</div>" for line in str(self).splitlines())
        return f"<div>{head}{table}{rest}</div>"


def review_order(groups: Sequence[str], *, large_first: bool) -> list[int]:
    """Return the positions of texts in the order of a review.

    Texts to choose for and larger sets come in the order asked for; those with one
    analysis, which need nobody, come last. In a group the order stays.

    Parameters
    ----------
    groups : sequence of str
        The group of each text's set.
    large_first : bool
        Whether large and incomplete sets come before the few to choose from.
    """
    large, few = (0, 1) if large_first else (1, 0)
    place = {MANY: large, INCOMPLETE: large, FEW: few, SINGLE: 2}
    return sorted(range(len(groups)), key=lambda i: place[groups[i]])
