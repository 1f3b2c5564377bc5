"""The evaluation of predictions against gold: tables, plot and summary."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import isnan
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from nbner._common.bootstrap import Estimate
from nbner._common.colors import label_colors
from nbner._common.format import format_number, format_numbers, plural, render_html
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
from nbner.evaluation.details import ScoreDetail, ScoringInput, score_details
from nbner.evaluation.scorers import run_scorers
from nbner.evaluation.scores import Scheme, SchemeCounts, Score, score
from nbner.types import Example, Span

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

COUNTS = ("correct", "incorrect", "partial", "missed", "spurious", "possible", "actual")
DETAILS = (
    *("scheme", "label", *COUNTS),
    *(f"{name}{end}" for name in ("precision", "recall", "f") for end in ("", "_low", "_high")),
)


@dataclass(frozen=True, slots=True)
class Evaluation(FigureResult):
    """Scores of predictions against gold.

    ``plot()`` draws F, precision and recall of every label.

    Parameters
    ----------
    score : Score
        Counts over all labels and by label.
    split : str
        Name of the gold.
    fingerprint : str
        Fingerprint of the model that predicted.
    scoring_input : ScoringInput, optional
        The spans that were counted; without them ``details`` is empty.
    warnings : tuple of str
        Properties of the data that limit the scores whatever the model does.
    scores : mapping of str to float
        The numbers of additional scorers by name.
    colors : mapping, optional
        Label to color, as the session shows it.
    """

    score: Score
    split: str = "dev"
    fingerprint: str = ""
    scoring_input: ScoringInput | None = field(default=None, repr=False, compare=False)
    warnings: tuple[str, ...] = ()
    scores: Mapping[str, float | None] = field(default_factory=dict)
    colors: Mapping[str, str] = field(default_factory=dict, kw_only=True, repr=False, compare=False)

    @property
    def n(self) -> int:
        """Number of examples."""
        return self.score.n

    @property
    def support(self) -> int:
        """Number of gold spans."""
        return self.score.exact.support

    @property
    def f(self) -> float | None:
        """F over exact spans, between 0 and 1; None where there is no span at all."""
        return self.score.exact.f

    @property
    def precision(self) -> float | None:
        """Fraction of the predicted spans that are right; None where nothing was predicted."""
        return self.score.exact.precision

    @property
    def recall(self) -> float | None:
        """Fraction of the gold spans that were found; None where gold has none."""
        return self.score.exact.recall

    @property
    def schemes(self) -> dict[Scheme, float | None]:
        """F under each of nervaluate's schemes: strict, exact, partial, ent_type."""
        return {scheme: matches.f for scheme, matches in self.score.schemes.items()}

    @property
    def scheme_counts(self) -> Mapping[Scheme, SchemeCounts]:
        """The counts under each scheme: correct, incorrect, partial, missed, spurious."""
        return self.score.schemes

    @property
    def macro_f(self) -> float | None:
        """Mean F over exact spans of the labels that either side has; None without any."""
        defined = [c.f for c in self.score.per_label.values() if c.f is not None]
        return sum(defined) / len(defined) if defined else None

    @property
    def details(self) -> pd.DataFrame:
        """One row a scheme and label; also "micro" (all spans) and "macro" (mean over labels).

        ``scheme`` ("strict", "exact": borders alone, "partial", "ent_type":
        label alone), ``label``, the counts ``correct``, ``incorrect``,
        ``partial``, ``missed`` and ``spurious``, the denominators ``possible``
        (of recall: gold spans) and ``actual`` (of precision: predicted ones),
        and ``precision``, ``recall`` and ``f`` with ``_low`` and ``_high``:
        ends of 95 % intervals, bootstrapped over texts.
        """
        import pandas as pd

        rows = (
            []
            if self.scoring_input is None
            else [_detail_row(one) for one in score_details(self.scoring_input)]
        )
        return pd.DataFrame(rows, columns=list(DETAILS))

    @property
    def frame(self) -> pd.DataFrame:
        """One row a label: label, precision, recall, f, support; NaN where undefined."""
        import pandas as pd

        rows = [
            (label, counts.precision, counts.recall, counts.f, counts.support)
            for label, counts in self.score.per_label.items()
        ]
        frame = pd.DataFrame(rows, columns=["label", "precision", "recall", "f", "support"])
        numbers = dict.fromkeys(("precision", "recall", "f"), "float64")
        return frame.astype({"label": "object", **numbers, "support": "int64"})

    def _draw(self, ax: Axes | None) -> Axes:
        return draw_evaluation(self.frame, title=self._headline(), known=self.colors, ax=ax)

    def _headline(self) -> str:
        counted = [(c.f, name) for name, c in self.score.per_label.items() if c.f is not None]
        weakest = f"; weakest: {min(counted)[1]}" if len(counted) > 1 else ""
        return f"F {format_number(self.f)} on {self.split}, {plural(self.n, 'example')}{weakest}"

    def __str__(self) -> str:
        numbers = {"F": self.f, "precision": self.precision, "recall": self.recall}
        over = f"{plural(self.support, 'gold span')} in {plural(self.n, 'example')} of {self.split}"
        lines = [
            f"{format_numbers(numbers)}, over {over}",
            f"F by scheme: {format_numbers(self.schemes)}",
        ]
        if self.scores:
            lines.append(f"more scores: {format_numbers(self.scores)}")
        if self.score.left_out:
            lines.append(
                f"{plural(self.score.left_out, 'predicted span')} left out: their labels "
                "could not be "
                "given when the examples were answered"
            )
        return "\n".join([*lines, *self.warnings])

    def _repr_html_(self) -> str:
        return render_html(str(self), self.frame)


def _detail_row(one: ScoreDetail) -> tuple[Any, ...]:
    estimates: tuple[Estimate, ...] = (one.precision, one.recall, one.f)
    return (
        *(one.scheme, one.label),
        *(getattr(one.counts, name) for name in COUNTS),
        *(value for each in estimates for value in (each.value, each.low, each.high)),
    )


def evaluate_predictions(
    gold: Sequence[Example],
    predicted: Sequence[Sequence[Span]],
    *,
    labels: Sequence[str] = (),
    split: str = "",
    fingerprint: str = "",
    warnings: Sequence[str] = (),
    seed: int = 0,
    scorers: Sequence[str | Callable[..., Any]] = (),
) -> Evaluation:
    """Score predictions against examples with gold.

    Parameters
    ----------
    gold : sequence of Example
        Examples with complete gold.
    predicted : sequence of sequences of Span
        The predicted spans of each.
    labels : sequence of str
        Labels to report even where neither side has them.
    split : str
        Name of the gold.
    fingerprint : str
        Fingerprint of the model that predicted.
    warnings : sequence of str
        Lines to show with the scores.
    seed : int
        Seed of the bootstrap.
    scorers : sequence of str or callable
        More scores; see `nbner.registry.scorers`.
    """
    counted = ScoringInput(
        [one.spans for one in gold],
        predicted,
        tuple(labels),
        [one.labels for one in gold],
        seed,
    )
    measured = score(
        counted.gold,
        counted.predicted,
        labels=counted.labels,
        allowed_labels=counted.allowed_labels,
    )
    scores = run_scorers(scorers, gold, predicted, labels=labels, seed=seed)
    return Evaluation(measured, split, fingerprint, counted, tuple(warnings), scores)


def draw_evaluation(
    frame: pd.DataFrame,
    *,
    title: str | None = None,
    known: Mapping[str, str] = MappingProxyType({}),
    ax: Axes | None = None,
) -> Axes:
    """Draw F a label, best first, with precision and recall to its sides.

    Parameters
    ----------
    frame : DataFrame
        ``label``, ``precision``, ``recall``, ``f``, ``support``, as
        ``Evaluation.frame`` has them. NaN is undefined, and drawn as a remark.
    title : str, optional
        By default the labels with the highest and the lowest F.
    known : mapping
        Colors of labels that have one.
    ax : Axes, optional
        By default new axes.
    """
    rows = frame.sort_values("f", ascending=True, na_position="first", kind="stable")
    ax = new_axes(height=1.1 + ROW_HEIGHT * max(4, len(rows)), has_rows=True) if ax is None else ax
    colors = label_colors(list(frame["label"]), known)
    for y, row in enumerate(rows.itertuples(index=False)):
        _evaluation_row(ax, y, row, colors)
    name_ticks(ax.yaxis, rows["label"])
    ax.set_ylim(-0.6, max(1, len(rows)) - 0.4)
    ax.set_xlim(0, 1)
    ax.set_xlabel("F ●  precision ▸  recall ◂  over exact spans")
    return apply_style(ax, title or _strongest_and_weakest(frame))


def _evaluation_row(ax: Axes, y: int, row: object, colors: Mapping[str, str]) -> None:
    label, precision, recall, f, support = (
        getattr(row, name) for name in ("label", "precision", "recall", "f", "support")
    )
    if isnan(f):
        ax.text(0.01, y, "no span to count", va="center", color=INK_COLOR, fontsize=8)
        return
    style: dict[str, Any] = {
        "color": colors[label],
        "markeredgecolor": INK_COLOR,
        "markeredgewidth": 0.6,
    }
    ends = [value for value in (precision, recall) if not isnan(value)]
    ax.plot([min(ends), max(ends)], [y, y], color=colors[label], linewidth=3, alpha=FAINT_ALPHA)
    ax.plot(precision, y, marker=">", markersize=5, clip_on=False, **style)
    ax.plot(recall, y, marker="<", markersize=5, clip_on=False, **style)
    ax.plot(f, y, marker="o", markersize=9, clip_on=False, **style)
    annotate_row(ax, (max(ends), y), f"{f:.2f} · {support:,} gold")


def _strongest_and_weakest(frame: pd.DataFrame) -> str:
    counted = frame.dropna(subset=["f"]).sort_values("f", ascending=False, kind="stable")
    found = [
        f"{label} (F {f:.2f})" for label, f in zip(counted["label"], counted["f"], strict=True)
    ]
    if len(found) <= 1:
        return found[0] if found else "There is no span to count"
    return f"Found best: {found[0]}; worst: {found[-1]}"
