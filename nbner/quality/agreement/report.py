"""The result of an agreement measurement: tables and a plot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isnan
from typing import TYPE_CHECKING, Any

from nbner._common.bootstrap import Estimate
from nbner._common.colors import label_colors
from nbner._common.format import format_number, plural, render_html
from nbner._common.plot_style import (
    FAINT_ALPHA,
    INK_COLOR,
    ROW_HEIGHT,
    annotate_row,
    apply_style,
    name_ticks,
    new_axes,
)
from nbner._common.result import FigureResult
from nbner.quality.agreement.scores import AgreementScores, AnnotatedText, GroupAgreement

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_MEASURES = ("exact", "relaxed", "kappa", "alpha")


@dataclass(frozen=True, slots=True)
class Agreement(FigureResult):
    """Agreement between annotators; `nbner.quality.agreement.scores` has the definitions.

    ``plot()`` draws exact F with its interval for every label, the lowest at the bottom.

    Parameters
    ----------
    scores : AgreementScores
        The measures of everybody, of each pair and of each label.
    texts : tuple of AnnotatedText
        The texts, in the order in which they were measured.
    split : str, optional
        Name of the split; None for all.
    colors : mapping, optional
        Label to color, as the session shows it.
    """

    scores: AgreementScores
    texts: tuple[AnnotatedText, ...] = field(repr=False)
    split: str | None = None
    colors: Mapping[str, str] = field(default_factory=dict, kw_only=True, repr=False, compare=False)

    @property
    def n(self) -> int:
        """Number of texts that two or more annotators accepted."""
        return self.scores.overall.n

    @property
    def f(self) -> float | None:
        """Exact span F over all pairs; None where nobody found a span."""
        return _defined(self.scores.overall.exact.value)

    @property
    def relaxed(self) -> float | None:
        """F over spans that overlap with one label; None where nobody found a span."""
        return _defined(self.scores.overall.relaxed.value)

    @property
    def kappa(self) -> float | None:
        """Cohen's kappa over tokens, the mean over pairs; None where undefined."""
        return _defined(self.scores.overall.kappa.value)

    @property
    def alpha(self) -> float | None:
        """Krippendorff's nominal alpha over tokens; None where undefined."""
        return _defined(self.scores.overall.alpha.value)

    @property
    def frame(self) -> pd.DataFrame:
        """One row a pair of annotators, and one for all of them.

        Returns
        -------
        DataFrame
            ``annotators``, ``n`` (texts), ``spans``, and ``exact``,
            ``relaxed``, ``kappa``, ``alpha``, each with ``_low`` and ``_high``.
        """
        pairs = {" / ".join(pair): one for pair, one in self.scores.pairs.items()}
        return _frame("annotators", {**pairs, "all": self.scores.overall})

    @property
    def per_label(self) -> pd.DataFrame:
        """One row a label, against all others; the columns of ``frame``."""
        return _frame("label", self.scores.labels)

    @property
    def disputed(self) -> pd.DataFrame:
        """The texts on which annotators differ, the most disputed first.

        Returns
        -------
        DataFrame
            ``text``, ``differing`` (spans that only one annotator of a pair
            has), ``f``, and a column an annotator with ``(text, label)`` of
            their spans; None where they did not annotate the text.
        """
        import pandas as pd

        annotators = sorted({name for one in self.texts for name in one.spans})
        rows = []
        for one in self.scores.disputed:
            rated = self.texts[one.position]
            rows.append([rated.text, one.differing, one.f, *(_spans(rated, n) for n in annotators)])
        return pd.DataFrame(rows, columns=["text", "differing", "f", *annotators])

    def _draw(self, ax: Axes | None) -> Axes:
        return _draw_agreement(self.per_label, title=self._headline(), known=self.colors, ax=ax)

    def _headline(self) -> str:
        return f"Span F {format_number(self.f)} between annotators, over {plural(self.n, 'text')}"

    def __str__(self) -> str:
        overall = self.scores.overall
        annotators = sorted({name for pair in self.scores.pairs for name in pair})
        measures = ", ".join(
            f"{name} {_format_estimate(getattr(overall, key))}"
            for key, name in zip(_MEASURES, ("exact F", "relaxed F", "kappa", "alpha"), strict=True)
        )
        return (
            f"{measures}, over {plural(self.n, 'text')} that at least two of "
            f"{', '.join(annotators)} "
            f"accepted\n{plural(len(self.scores.disputed), 'text is', 'texts are')} disputed; "
            f"F is over spans, kappa "
            "and alpha over tokens; intervals are 95%, by bootstrap over texts"
        )

    def _repr_html_(self) -> str:
        return render_html(str(self), self.frame)


def _defined(value: float) -> float | None:
    return None if isnan(value) else value


def _frame(name: str, rows: Mapping[str, GroupAgreement]) -> pd.DataFrame:
    import pandas as pd

    columns = [f"{key}{end}" for key in _MEASURES for end in ("", "_low", "_high")]
    table: list[Sequence[Any]] = []
    for key, one in rows.items():
        estimates: list[Estimate] = [getattr(one, measure) for measure in _MEASURES]
        values = [value for each in estimates for value in (each.value, each.low, each.high)]
        table.append([key, one.n, one.spans, *values])
    frame = pd.DataFrame(table, columns=[name, "n", "spans", *columns])
    return frame.astype(dict.fromkeys(columns, "float64"))


def _spans(rated: AnnotatedText, annotator: str) -> list[tuple[str, str]] | None:
    spans = rated.spans.get(annotator)
    if spans is None:
        return None
    return [(rated.text[span.start : span.end], span.label) for span in spans]


def _format_estimate(estimate: Estimate) -> str:
    value = format_number(_defined(estimate.value))
    if isnan(estimate.low):
        return value
    return f"{value} ({format_number(estimate.low)} to {format_number(estimate.high)})"


def _draw_agreement(
    frame: pd.DataFrame, *, title: str, known: Mapping[str, str], ax: Axes | None = None
) -> Axes:
    """Draw exact F with its interval, and relaxed F, of each row of `Agreement.per_label`."""
    rows = frame.sort_values("exact", ascending=True, na_position="first", kind="stable")
    ax = new_axes(height=1.1 + ROW_HEIGHT * max(4, len(rows)), has_rows=True) if ax is None else ax
    colors = label_colors(list(frame["label"]), known)
    for y, row in enumerate(rows.to_dict("records")):
        _draw_row(ax, y, row, colors[row["label"]])
    name_ticks(ax.yaxis, rows["label"])
    ax.set_ylim(-0.6, max(1, len(rows)) - 0.4)
    ax.set_xlim(0, 1)
    ax.set_xlabel("exact F ● with its 95% interval,  relaxed F ○")
    return apply_style(ax, title)


def _draw_row(ax: Axes, y: int, row: dict[Any, Any], color: str) -> None:
    if isnan(row["exact"]):
        ax.text(0.01, y, "no span to count", va="center", color=INK_COLOR, fontsize=8)
        return
    if not isnan(row["exact_low"]):
        ends = [row["exact_low"], row["exact_high"]]
        ax.plot(ends, [y, y], color=color, linewidth=3, alpha=FAINT_ALPHA)
    edge: dict[str, Any] = {"markeredgecolor": INK_COLOR, "markeredgewidth": 0.6, "clip_on": False}
    ax.plot(row["relaxed"], y, marker="o", markersize=7, color="none", **edge)
    ax.plot(row["exact"], y, marker="o", markersize=9, color=color, **edge)
    right = max(row["relaxed"], 0 if isnan(row["exact_high"]) else row["exact_high"])
    annotate_row(ax, (right, y), f"{row['exact']:.2f} · {plural(row['spans'], 'span')}")
