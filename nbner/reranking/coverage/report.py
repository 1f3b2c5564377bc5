"""Result of a coverage study: thresholds, empirical coverage by group, and a picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil, inf
from typing import TYPE_CHECKING, Any

import numpy as np

from nbner._common.format import plural, render_html
from nbner._common.plot_style import (
    ACCENT_COLOR,
    INK_COLOR,
    OWN_TITLE,
    ROW_HEIGHT,
    SCREEN,
    PlotStyle,
    annotate_row,
    apply_style,
    name_ticks,
    new_axes,
    plot_look,
)
from nbner._common.result import Result
from nbner.reranking.coverage.study import (
    CUMULATIVE,
    DEFAULT_METHOD,
    MISSED,
    PROBABILITY,
    REGULARIZED,
    WRONG,
    CoverageRow,
    SetMethod,
    Thresholds,
    check_method,
)
from nbner.types import Parse, Span

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from nbner.decoding.probabilities import SpanProbabilities, TextProbabilities

_COLUMNS = [
    *("method", "group", "value", "n", "nominal"),
    *("coverage", "coverage_low", "coverage_high", "listed"),
    *("size", "size_low", "size_high", "median_size", "single", "incomplete"),
]


@dataclass(frozen=True, slots=True)
class AnalysisSet:
    """The analyses of one text that a set of a stated level holds.

    Parameters
    ----------
    parses : tuple of Parse
        Best first; at least one.
    is_complete : bool
        Whether the list reaches the level. If not, these are the whole list, and the
        guarantee is not theirs: a set by probability goes on behind the list.
    """

    parses: tuple[Parse, ...]
    is_complete: bool


@dataclass(frozen=True, slots=True)
class Coverage(Result):
    """Sets with a guarantee and their empirical coverage; the method: `coverage.conformal`.

    Parameters
    ----------
    alpha : float
        Accepted risk: 0.05 for sets that hold gold in 95 % of the texts.
    rows : tuple of CoverageRow
        Empirical coverage, each text under thresholds of other texts.
    thresholds : Thresholds
        Calibrated on all texts, for new ones.
    n : int
        Number of held-out texts.
    width : int
        Length of the lists.
    decoder : str
        Decoder of the lists.
    unreachable : int
        Texts whose gold cannot be in any list; they count as not covered.
    not_in_list : int
        Texts whose gold is not among the ``width`` best, the unreachable ones included.
    left_out : int
        Accepted texts that a query strategy chose; they are not exchangeable with
        new ones, and calibrate nothing.
    source : str
        Name of the gold.
    fingerprint : str
        Fingerprint of the model.
    """

    alpha: float
    rows: tuple[CoverageRow, ...] = field(repr=False)
    thresholds: Thresholds
    n: int
    width: int
    decoder: str = "exact"
    unreachable: int = 0
    not_in_list: int = 0
    left_out: int = 0
    source: str = "dev"
    fingerprint: str = ""

    @property
    def frame(self) -> pd.DataFrame:
        """One row a method and group of texts.

        ``method`` ("cumulative", "regularized" and "probability" for sets of analyses,
        "missed spans", "wrong spans"), ``group`` ("all", "length", "entities", "label", and of sets
        of analyses "set size"), ``value``,
        ``n`` (texts), ``nominal`` (1 - alpha), ``coverage`` (texts whose set holds
        gold; for spans 1 minus the mean share of missed or wrong ones) and ``size``
        (listed analyses or spans in a set), each with its 95 % interval, ``listed``
        (texts whose gold is among the listed analyses of the set), ``median_size``,
        ``single`` (texts whose set is one analysis), ``incomplete`` (texts whose
        list stops before the level, or before the set by probability ends). The
        guarantee is over all texts: no group has one of its own.
        """
        import pandas as pd

        rows = [
            (
                *(one.method, one.group, one.value, one.n, 1 - self.alpha),
                *(one.coverage.value, one.coverage.low, one.coverage.high, one.listed),
                *(one.size.value, one.size.low, one.size.high),
                *(one.median_size, one.single, one.incomplete),
            )
            for one in self.rows
        ]
        return pd.DataFrame(rows, columns=_COLUMNS)

    @property
    def per_label(self) -> pd.DataFrame:
        """The rows of ``frame`` that are of one label; ``value`` is the label."""
        frame = self.frame
        return frame[frame["group"] == "label"].reset_index(drop=True)

    @property
    def lowest_alpha(self) -> float:
        """The lowest risk of sets of analyses that lists of this width reach, rounded up.

        Below it more gold is outside of the lists than the level allows.
        """
        return ceil(1000 * (self.not_in_list + 1) / (self.n + 1)) / 1000

    def analysis_set(
        self, parses: Sequence[Parse], method: SetMethod = DEFAULT_METHOD
    ) -> AnalysisSet:
        """Return the set of one text.

        Parameters
        ----------
        parses : sequence of Parse
            ``session.parses(text, coverage.width, coverage.decoder)``: the list as
            it was calibrated. A shorter list may end before the level.
        method : {"cumulative", "regularized", "probability"}
            By cumulative probability, as ``make_gold(review="set")``; with the
            penalty of late ranks: smaller on average, but their sizes vary with the
            texts that chose the penalty; or all of at least a certain probability,
            which reach levels that no list of this width does.

        Raises
        ------
        DataError
            The method is none of these.

        Examples
        --------
        >>> found = session.experiments.coverage()  # doctest: +SKIP
        >>> found.analysis_set(session.parses(text, found.width))  # doctest: +SKIP
        """
        threshold = self.thresholds.of(method)
        probabilities = np.array([one.probability for one in parses], np.float64)
        size, is_complete = threshold.set_size(probabilities, self.width)
        return AnalysisSet(tuple(parses[:size]), is_complete)

    def candidate_spans(
        self, probabilities: SpanProbabilities | TextProbabilities
    ) -> dict[Span, float]:
        """Return the spans of one text of which at most a share alpha of gold is missed.

        Parameters
        ----------
        probabilities : SpanProbabilities or TextProbabilities
            Of the text.

        Returns
        -------
        dict of Span to float
            Spans, which may overlap, with their probabilities; every listed one where
            the level cannot be reached (``thresholds.missed`` is None).
        """
        least = self.thresholds.missed or 0.0
        return {span: p for span, p in _spans_of(probabilities).items() if p >= least}

    def accepted_spans(
        self, probabilities: SpanProbabilities | TextProbabilities
    ) -> dict[Span, float]:
        """Return the spans of one text of which at most a share alpha is wrong.

        Parameters
        ----------
        probabilities : SpanProbabilities or TextProbabilities
            Of the text.

        Returns
        -------
        dict of Span to float
            Spans, none overlapping, with their probabilities; none where the level
            cannot be reached (``thresholds.wrong`` is None).
        """
        above = self.thresholds.wrong
        if above is None:
            return {}
        return {span: p for span, p in _spans_of(probabilities).items() if p > above}

    def plot(
        self,
        ax: Axes | None = None,
        *,
        method: SetMethod = DEFAULT_METHOD,
        title: str | None = OWN_TITLE,
        style: PlotStyle = SCREEN,
        width: float | None = None,
    ) -> Axes:
        """Draw the coverage of sets of analyses by group, beside the nominal level.

        Parameters
        ----------
        ax : Axes, optional
            Axes to draw on; new ones by default.
        method : {"cumulative", "regularized", "probability"}
            Which sets.
        title : str, optional
            By default the finding; None for no title.
        style : {"screen", "paper"}
            "paper" is for a column of print: dark ink, the fonts of the rcParams, no title.
        width : float, optional
            Width of a new figure in inches; on paper 3.25 by default.
        """
        check_method(method)
        with plot_look(ax=ax, title=title, style=style, width=width):
            rows = self.frame
            rows = rows[rows["method"] == method]
            return draw_coverage(rows, title=self._headline(method), ax=ax)

    def _overall(self, method: str) -> CoverageRow:
        return next(one for one in self.rows if one.method == method and one.group == "all")

    def _headline(self, method: str) -> str:
        row = self._overall(method)
        sets = f"Sets of {row.size.value:.1f} analyses"
        if method == PROBABILITY and row.incomplete:
            least = self.thresholds.probability.least_probability
            sets = f"All analyses of probability {least:.2g} or more"
        return (
            f"{sets} hold gold in {100 * row.coverage.value:.1f} % "
            f"of the texts ({100 * (1 - self.alpha):g} % asked)"
        )

    def __str__(self) -> str:
        head = (
            f"Sets of analyses at {100 * (1 - self.alpha):g} %, calibrated on "
            f"{plural(self.n, 'text')} of {self.source} ({self.width} best, {self.decoder}; each "
            "text under thresholds of others):"
        )
        lines = [
            head,
            *(self._set_line(method) for method in (CUMULATIVE, REGULARIZED)),
            self._probability_line(),
            self._missed_line(),
            self._wrong_line(),
            *self._notes(),
        ]
        return "\n".join(lines)

    def _set_line(self, method: str) -> str:
        row = self._overall(method)
        line = (
            f"{method}: gold is in the set of {_share(row)} of the texts; "
            f"{row.size.value:.1f} analyses on average, one for {100 * row.single:.0f} % of the "
            "texts"
        )
        if row.incomplete:
            line += (
                f"; for {100 * row.incomplete:.1f} % the list stops before the level, so that "
                "their sets are not complete"
            )
        return f"{line}."

    def _probability_line(self) -> str:
        threshold, row = self.thresholds.probability, self._overall(PROBABILITY)
        if threshold.value == inf:
            return (
                f"{PROBABILITY}: {100 * (1 - self.alpha):g} % is not reached, since the gold of "
                "too many texts is no analysis of the model."
            )
        line = (
            f"{PROBABILITY}: gold is in the set of {_share(row)} of the texts, all analyses of "
            f"probability {threshold.least_probability:.2g} or more; {row.size.value:.1f} are "
            f"listed on average, one for {100 * row.single:.0f} % of the texts"
        )
        if row.incomplete:
            line += (
                f"; for {100 * row.incomplete:.1f} % the set goes on behind the list, and gold is "
                f"among the listed of {100 * row.listed:.1f} %"
            )
        return f"{line}."

    def _missed_line(self) -> str:
        row, at = self._overall(MISSED), self.thresholds.missed
        if at is None:
            return f"missed spans: {self._unreached()}"
        return (
            f"missed spans: those of probability {at:.3g} and more, {row.size.value:.1f} a text, "
            f"hold {_share(row)} of a text's gold spans."
        )

    def _wrong_line(self) -> str:
        row, at = self._overall(WRONG), self.thresholds.wrong
        if at is None:
            return f"wrong spans: {self._unreached()}"
        return (
            f"wrong spans: of those above {at:.3g}, {row.size.value:.1f} a text, {_share(row)} are "
            "right."
        )

    def _unreached(self) -> str:
        return (
            f"no threshold reaches {100 * (1 - self.alpha):g} %, since too much gold is not among "
            "the spans of the model. A higher alpha may."
        )

    def _notes(self) -> list[str]:
        notes = []
        if self.thresholds.cumulative.value == inf or self.thresholds.regularized.value == inf:
            notes.append(
                f"No list of {self.width} reaches the level: the gold of "
                f"{plural(self.not_in_list, 'text')} is not in it. The lowest alpha that these "
                f"lists reach is {self.lowest_alpha:.3f}; use a larger width for less, or a better "
                "model."
            )
        if self.unreachable:
            notes.append(
                f"The gold of {plural(self.unreachable, 'text')} cannot be in any list (a label "
                "that the model does not know, or a span off the tokens); they count as not "
                "covered."
            )
        if self.left_out:
            notes.append(
                f"{plural(self.left_out, 'accepted text')} calibrated nothing, since a query "
                "strategy chose them: they are not drawn as new texts are."
            )
        return notes

    def _repr_html_(self) -> str:
        frame = self.frame
        return render_html(str(self), frame[frame["group"] == "all"])


def draw_coverage(frame: pd.DataFrame, *, title: str, ax: Axes | None = None) -> Axes:
    """Draw the coverage of groups of texts with its intervals, beside the nominal level.

    Parameters
    ----------
    frame : DataFrame
        Rows of `Coverage.frame`, of one method.
    title : str
        Title of the picture.
    ax : Axes, optional
        Axes to draw on; new ones by default.
    """
    ax = new_axes(height=1.2 + ROW_HEIGHT * len(frame)) if ax is None else ax
    ax.axvline(frame["nominal"].iloc[0], color=INK_COLOR, linewidth=0.8, linestyle="--")
    names = []
    rows: list[dict[Any, Any]] = frame.to_dict("records")
    for at, row in enumerate(rows):
        low, high = row["coverage_low"], row["coverage_high"]
        ax.plot([low, high], [at, at], color=ACCENT_COLOR, linewidth=1.2)
        ax.plot(row["coverage"], at, marker="o", markersize=4, color=ACCENT_COLOR)
        listed = "listed" if row["incomplete"] else "in a set"
        annotate_row(ax, (high, at), f"{row['size']:.1f} {listed}, {plural(row['n'], 'text')}")
        entities = "entity" if row["value"] == "1" else "entities"
        is_count = row["group"] == "entities"
        names.append(f"{row['value']} {entities}" if is_count else row["value"])
    name_ticks(ax.yaxis, names)
    ax.invert_yaxis()
    ax.set_xlabel("texts whose set holds gold (dashed: the level asked; lines: 95 % intervals)")
    ax.xaxis.set_major_formatter("{x:.2f}")
    return apply_style(ax, title)


def _share(row: CoverageRow) -> str:
    ends = row.coverage
    return f"{100 * ends.value:.1f} % ({100 * ends.low:.1f} to {100 * ends.high:.1f})"


def _spans_of(probabilities: SpanProbabilities | TextProbabilities) -> dict[Span, float]:
    inner = getattr(probabilities, "probabilities", None)
    found: Any = probabilities if inner is None else inner
    return dict(found.spans)
