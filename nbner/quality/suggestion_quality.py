"""Prequential figures: precision and recall of suggestions, by source, over the last answers.

A suggestion that is answered is a test on a text that no source has learnt from
yet (Dawid 1984, "Statistical Theory: The Prequential Approach"): predict, then
learn. The truth is the annotator's accepted answer, which the shown suggestions
have influenced, so that sources that were shown are favored over those that were
not; `session.quality.anchoring` measures that influence.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from nbner._common.bootstrap import (
    Bootstrap,
    Estimate,
    FloatArray,
    difference,
    micro_f_at,
    safe_divide,
)
from nbner._common.colors import label_colors
from nbner._common.format import plural
from nbner._common.offered import OfferedSource, offer_from_extra
from nbner._common.plot_style import (
    FAINT_ALPHA,
    INK_COLOR,
    apply_style,
    label_lines,
    new_axes,
)
from nbner._common.result import FigureResult
from nbner.errors import DataError
from nbner.quality.repeated_answers import names_since
from nbner.store.relabel import relabelled
from nbner.types import Answer, Span

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

#: Answers that the figures are computed over by default.
WINDOW = 50

#: Answers that two sources share before one is said to do better.
MIN_COMPARED = 20

_FIGURES = ("precision", "recall", "f")
_COLUMNS = (
    *("source", "versions", "shown", "answers", "suggested", "correct", "missed"),
    *(f"{name}{end}" for name in _FIGURES for end in ("", "_low", "_high")),
)


@dataclass(frozen=True, slots=True)
class SuggestionTest:
    """One accepted answer, with what each source had suggested before it.

    Parameters
    ----------
    gold : frozenset of Span
        The accepted spans.
    sources : tuple of OfferedSource
        One for each source that was asked.
    """

    gold: frozenset[Span]
    sources: tuple[OfferedSource, ...]


@dataclass(frozen=True, slots=True)
class SourceQuality:
    """Precision, recall and F of one source over the answers that it was asked for.

    Parameters
    ----------
    source : str
        Its name; versions of one learner are counted together.
    versions : tuple of str
        The names of its versions, the oldest first.
    shown : bool
        Whether the last of its suggestions were shown to the annotator.
    answers : int
        Number of answers.
    suggested, correct, missed : int
        Spans that it suggested, those of them that were accepted as they are,
        and accepted spans that it did not suggest.
    precision, recall, f : Estimate
        Over exact spans, with 95 % intervals bootstrapped over texts; NaN where
        nothing was suggested or accepted.
    """

    source: str
    versions: tuple[str, ...]
    shown: bool
    answers: int
    suggested: int
    correct: int
    missed: int
    precision: Estimate
    recall: Estimate
    f: Estimate


@dataclass(frozen=True, slots=True)
class SourceComparison:
    """Two sources on the same answers.

    Parameters
    ----------
    source : str
        The source that does better.
    other : str
        The source that is shown.
    answers : int
        Answers that both were asked for.
    f, other_f : float
        F of each.
    gain : Estimate
        The difference, with its paired 95 % interval.
    """

    source: str
    other: str
    answers: int
    f: float
    other_f: float
    gain: Estimate


@dataclass(frozen=True)
class SuggestionQuality(FigureResult):
    """Precision and recall of suggestions over the last answers, by source.

    ``plot()`` draws F of each source over the last answers, at every answer so far.

    Parameters
    ----------
    tests : tuple of SuggestionTest
        The accepted answers, the oldest first.
    window : int or None
        Number of last answers that count; None for all.
    seed : int
        Seed of the intervals.
    """

    tests: tuple[SuggestionTest, ...] = field(default=(), repr=False)
    window: int | None = WINDOW
    seed: int = 0

    @property
    def recent(self) -> tuple[SuggestionTest, ...]:
        """The answers that count."""
        return self.tests if self.window is None else self.tests[-self.window :]

    @cached_property
    def sources(self) -> tuple[SourceQuality, ...]:
        """The figures of each source, in the order in which they first suggested."""
        return tuple(self._source(name) for name in _names(self.recent))

    @property
    def shown(self) -> SourceQuality | None:
        """The figures of the model that is shown; of another source where no model is."""
        last = self.recent[-1].sources if self.recent else ()
        names = [one.group for one in last if one.shown]
        return next(
            (one for name in names[::-1] for one in self.sources if one.source == name), None
        )

    @cached_property
    def better(self) -> SourceComparison | None:
        """The source that does best on the same answers as the one shown; None without any.

        Its F is higher, with the lower end of the paired 95 % interval above 0,
        over at least 20 answers.
        """
        shown = self.shown
        if shown is None:
            return None
        others = (one.source for one in self.sources if one.source != shown.source)
        found = [one for name in others if (one := self.compare(name, shown.source)) is not None]
        found = [one for one in found if one.answers >= MIN_COMPARED and one.gain.low > 0]
        return max(found, key=lambda one: one.gain.value, default=None)

    def compare(self, source: str, other: str) -> SourceComparison | None:
        """Compare two sources over the answers that both were asked for.

        Parameters
        ----------
        source, other : str
            Names of sources.

        Returns
        -------
        SourceComparison or None
            None where they share no answer.
        """
        rows = [
            (*_counts(left, test.gold), *_counts(right, test.gold))
            for test in self.recent
            if (left := _of(test, source)) is not None and (right := _of(test, other)) is not None
        ]
        if not rows:
            return None
        sums = Bootstrap(np.array(rows), seed=self.seed)
        first, second = partial(micro_f_at, 0), partial(micro_f_at, 3)
        return SourceComparison(
            source,
            other,
            len(rows),
            sums.estimate(first).value,
            sums.estimate(second).value,
            sums.estimate(partial(difference, first, second)),
        )

    @property
    def frame(self) -> pd.DataFrame:
        """Table of the sources.

        Returns
        -------
        DataFrame
            One row a source: ``source``, ``versions`` (their number), ``shown``,
            ``answers``, ``suggested``, ``correct``, ``missed``, and
            ``precision``, ``recall`` and ``f`` with ``_low`` and ``_high``, the
            ends of 95 % intervals.
        """
        return _frame([_row(one) for one in self.sources])

    @property
    def versions(self) -> pd.DataFrame:
        """The same table with one row a version, such as each model that was learnt."""
        names = _names(self.recent, by_version=True)
        return _frame([_row(self._source(name, by_version=True)) for name in names])

    @property
    def per_label(self) -> pd.DataFrame:
        """One row a source and label.

        Returns
        -------
        DataFrame
            ``source``, ``label``, ``suggested``, ``correct``, ``missed``,
            ``precision`` and ``recall``.
        """
        import pandas as pd

        rows: list[tuple[Any, ...]] = []
        for name in _names(self.recent):
            suggested: Counter[str] = Counter()
            correct: Counter[str] = Counter()
            gold: Counter[str] = Counter()
            for test in self.recent:
                spans = _of(test, name)
                if spans is not None:
                    suggested.update(span.label for span in spans)
                    correct.update(span.label for span in spans & test.gold)
                    gold.update(span.label for span in test.gold)
            for label in sorted(suggested | gold):
                said, right, true = suggested[label], correct[label], gold[label]
                shares = right / said if said else None, right / true if true else None
                rows.append((name, label, said, right, true - right, *shares))
        columns = [
            *("source", "label", "suggested", "correct", "missed", "precision", "recall"),
        ]
        numbers = dict.fromkeys(("precision", "recall"), "float64")
        return pd.DataFrame(rows, columns=columns).astype(numbers)

    def _draw(self, ax: Axes | None) -> Axes:
        ax = new_axes(height=3.2) if ax is None else ax
        names = _names(self.tests)
        colors = label_colors(names)
        ends: list[tuple[float, float, str, str]] = []
        for name in names:
            xs, ys = _moving_f(self.tests, name, self.window)
            if not xs:
                continue
            ax.plot(xs, ys, color=colors[name], linewidth=1.6)
            ends.append((xs[-1], ys[-1], name, INK_COLOR))
        for one in self.sources:
            if np.isfinite(one.f.low):
                at = len(self.tests)
                bar = [one.f.low, one.f.high]
                ax.plot([at, at], bar, color=colors[one.source], linewidth=5, alpha=FAINT_ALPHA)
        ax.set_xlabel("accepted answers")
        ax.set_ylabel("F of suggestions")
        ax.set_ylim(0, 1)
        label_lines(ax, ends)
        over = "all answers" if self.window is None else f"the last {plural(self.window, 'answer')}"
        return apply_style(ax, f"Suggestions against answers, over {over}")

    def __str__(self) -> str:
        """Return one line a source, and which one does better."""
        if not self.sources:
            return "no suggestion was answered yet"
        lines = [describe(one) for one in self.sources]
        if self.better is not None:
            lines.append(describe_comparison(self.better))
        return "\n".join(lines)

    def _source(self, name: str, *, by_version: bool = False) -> SourceQuality:
        found = [
            (test, one)
            for test in self.recent
            for one in test.sources
            if (one.source if by_version else one.group) == name
        ]
        rows = [_counts(frozenset(one.spans), test.gold) for test, one in found]
        table = np.array(rows, dtype=np.int64).reshape(-1, 3)
        correct, wrong, missed = (int(number) for number in table.sum(axis=0))
        sums = Bootstrap(table, seed=self.seed)
        return SourceQuality(
            name,
            tuple(dict.fromkeys(one.source for _, one in found)),
            found[-1][1].shown,
            len(found),
            correct + wrong,
            correct,
            missed,
            sums.estimate(_precision),
            sums.estimate(_recall),
            sums.estimate(partial(micro_f_at, 0)),
        )


def suggestion_quality(
    answers: Iterable[Answer], *, window: int | None = WINDOW, seed: int = 0
) -> SuggestionQuality:
    """Measure suggestions against the answers that followed them, by source.

    An answer counts where it is accepted and keeps what was suggested before it:
    answers that were given in the widget to examples that nobody had answered.
    Not counted are rejected and ignored examples, which are no complete gold,
    answers of code, changes of all occurrences at once, and answers that were
    given while the page hid suggestions of low confidence. Where an annotator
    has changed an answer, the suggestions before the first one are measured
    against the last one. A label that was renamed or merged since counts under
    its present name, in what was suggested too.

    Parameters
    ----------
    answers : iterable of Answer
        In the order of time; with all earlier answers of an example, or its
        current one alone.
    window : int, optional
        Number of last answers that count; None for all.
    seed : int
        Seed of the bootstrap.

    Returns
    -------
    SuggestionQuality
        ``frame``, ``per_label``, ``versions``, ``better``, ``plot()``.

    Raises
    ------
    DataError
        The window is below 1.

    Examples
    --------
    >>> from nbner.types import Answer, Span
    >>> before = [{"source": "gazetteer", "spans": [[0, 5, "Tool"], [6, 9, "Tool"]]}]
    >>> given = Answer("1", 1, "train", "ann", "accept", (Span(0, 5, "Tool"),),
    ...                extra={"suggestions": before})
    >>> suggestion_quality([given]).sources[0].precision.value
    0.5
    """
    if window is not None and window < 1:
        raise DataError(
            f"the last {window} answers are none", field="window", remedy="Give 1 or more, or None"
        )
    # From the first answer with an offer on.
    since: dict[tuple[str, str, int], list[Answer]] = {}
    first: dict[tuple[str, str, int], tuple[OfferedSource, ...]] = {}
    for answer in answers:
        key = (answer.annotator, answer.split, answer.input_hash)
        offered = () if key in first else offer_from_extra(answer.extra)
        if offered:
            first[key] = offered
        if key in first:
            since.setdefault(key, []).append(answer)
    tests = [
        SuggestionTest(frozenset(last.spans), _renamed(offered, names_since(since[key])))
        for key, offered in first.items()
        if (last := since[key][-1]).answer == "accept" and not last.extra.get("binary")
    ]
    return SuggestionQuality(tuple(tests), window, seed)


def _renamed(
    offered: tuple[OfferedSource, ...], names: Mapping[str, str]
) -> tuple[OfferedSource, ...]:
    """Return what was suggested under the present names of its labels."""
    if not names:
        return offered
    return tuple(replace(one, spans=relabelled(one.spans, names)) for one in offered)


def describe(one: SourceQuality) -> str:
    """Return the figures of a source as a line of text.

    Parameters
    ----------
    one : SourceQuality
        The figures.
    """
    versions = f", {len(one.versions):,} versions" if len(one.versions) > 1 else ""
    hidden = "" if one.shown else ", not shown"
    answers = f"{one.answers:,} answer{'s' * (one.answers != 1)}"
    return (
        f"{one.source}{versions}{hidden}: precision {describe_estimate(one.precision)}, "
        f"recall {describe_estimate(one.recall)} over {answers}"
    )


def describe_estimate(one: Estimate) -> str:
    """Return a figure with its interval, in two decimal places.

    Parameters
    ----------
    one : Estimate
        The figure.
    """
    if np.isnan(one.value):
        return "undefined"
    if np.isnan(one.low):
        return f"{one.value:.2f}"
    return f"{one.value:.2f} ({one.low:.2f} to {one.high:.2f})"


def describe_comparison(one: SourceComparison) -> str:
    """Return which of two sources does better, as a sentence.

    Parameters
    ----------
    one : SourceComparison
        The comparison.
    """
    return (
        f"{one.source} does better than {one.other} on the same {plural(one.answers, 'answer')}: "
        f"F {one.f:.2f} against {one.other_f:.2f} "
        f"(difference {one.gain.low:+.2f} to {one.gain.high:+.2f})"
    )


def _names(tests: Sequence[SuggestionTest], *, by_version: bool = False) -> list[str]:
    found = (one for test in tests for one in test.sources)
    return list(dict.fromkeys(one.source if by_version else one.group for one in found))


def _of(test: SuggestionTest, group: str) -> frozenset[Span] | None:
    return next((frozenset(one.spans) for one in test.sources if one.group == group), None)


def _counts(spans: frozenset[Span], gold: frozenset[Span]) -> tuple[int, int, int]:
    """Return true positives, false positives and false negatives."""
    correct = len(spans & gold)
    return correct, len(spans) - correct, len(gold) - correct


def _precision(sums: FloatArray) -> FloatArray:
    return safe_divide(sums[..., 0], sums[..., 0] + sums[..., 1])


def _recall(sums: FloatArray) -> FloatArray:
    return safe_divide(sums[..., 0], sums[..., 0] + sums[..., 2])


def _moving_f(
    tests: Sequence[SuggestionTest], name: str, window: int | None
) -> tuple[list[int], list[float]]:
    """Return F over the answers up to each one, and the number of the answer."""
    table: NDArray[np.int64] = np.zeros((len(tests) + 1, 3), dtype=np.int64)
    for row, test in enumerate(tests, 1):
        spans = _of(test, name)
        if spans is not None:
            table[row] = _counts(spans, test.gold)
    sums = table.cumsum(axis=0)
    if window is not None and window < len(tests):
        sums[window:] -= sums[: len(tests) + 1 - window].copy()
    values = micro_f_at(0, sums.astype(np.float64))
    at = [i for i, test in enumerate(tests, 1) if _of(test, name) is not None]
    defined = [i for i in at if np.isfinite(values[i])]
    return defined, [float(values[i]) for i in defined]


def _row(one: SourceQuality) -> list[Any]:
    figures = (getattr(one, name) for name in _FIGURES)
    ends = [number for figure in figures for number in (figure.value, figure.low, figure.high)]
    return [
        *(one.source, len(one.versions), one.shown, one.answers),
        *(one.suggested, one.correct, one.missed, *ends),
    ]


def _frame(rows: list[list[Any]]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(rows, columns=list(_COLUMNS))
