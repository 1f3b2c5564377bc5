"""Result of a decision: precision, recall and F before and after, and their curve over theta."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from math import nan
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from nbner._common.bootstrap import (
    Bootstrap,
    Estimate,
    FloatArray,
    difference,
    micro_f_at,
    safe_divide,
)
from nbner._common.format import format_number, plural, render_html
from nbner._common.plot_style import (
    ACCENT_COLOR,
    FAINT_ALPHA,
    INK_COLOR,
    apply_style,
    label_lines,
    new_axes,
)
from nbner._common.result import FigureResult
from nbner.types import Span

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

#: From the index of a text and its predicted spans to true and false positives, false negatives.
CountFn: TypeAlias = Callable[[int, Collection[Span]], tuple[int, int, int]]

_FIGURES = ("precision", "recall", "f", "gain")
_COLUMNS = [
    *("name", "n"),
    *(f"{name}{end}" for name in _FIGURES for end in ("", "_low", "_high")),
    "threshold",
]
_CURVE_COLUMNS = ["threshold", "n", "precision", "recall", "f"]
GREEDY, EXPECTED_F, FILTERED = "greedy", "expected_f", "greedy, filtered"


@dataclass(frozen=True, slots=True)
class ThresholdScore:
    """Scores at one threshold.

    Parameters
    ----------
    threshold : float
        Probability that a span must exceed.
    n : int
        Number of predicted spans.
    precision, recall, f : float
        Micro-averaged over exact spans, between 0 and 1; precision is NaN without a
        predicted span, F 0 where none is right.
    """

    threshold: float
    n: int
    precision: float
    recall: float
    f: float

    @classmethod
    def from_counts(cls, threshold: float, tp: int, fp: int, fn: int) -> ThresholdScore:
        """Compute the scores from counts.

        Parameters
        ----------
        threshold : float
            Probability that a span must exceed.
        tp, fp, fn : int
            True positives, false positives, false negatives.
        """
        n, gold = tp + fp, tp + fn
        f = 2 * tp / (n + gold) if n + gold else 0.0
        return cls(threshold, n, tp / n if n else nan, tp / gold if gold else nan, f)


@dataclass(frozen=True, slots=True)
class DecisionScore:
    """Scores of one way to decide on held-out gold.

    Parameters
    ----------
    name : str
        "greedy", "expected_f" or "greedy, filtered".
    n : int
        Number of texts.
    precision, recall, f : Estimate
        Micro-averaged over exact spans, with 95 % intervals over texts.
    gain : Estimate
        F minus that of greedy decoding, with the interval of the paired difference.
    threshold : float, optional
        The one chosen on all texts; None for greedy decoding.
    """

    name: str
    n: int
    precision: Estimate
    recall: Estimate
    f: Estimate
    gain: Estimate
    threshold: float | None


@dataclass(frozen=True, slots=True)
class LabelDecision:
    """Counts of one label on held-out gold, decided greedily and by expected F.

    Parameters
    ----------
    label : str
        The label.
    support : int
        Number of gold spans.
    before, after : ThresholdScore
        Scores of both; their thresholds mean nothing.
    """

    label: str
    support: int
    before: ThresholdScore
    after: ThresholdScore


@dataclass(frozen=True, slots=True)
class Decision(FigureResult):
    """How the model in use decides between spans, and what that brings on held-out gold.

    ``plot()`` draws precision, recall and F of the span sets over theta; dotted: greedy
    decoding.

    Parameters
    ----------
    rule : str
        "greedy" or "expected_f".
    rows : tuple of DecisionScore
        Greedy decoding first; then the decision, and greedy decoding without the
        spans below a probability. Empty where "greedy" was asked for, and there is
        too little held-out gold to measure it.
    threshold, temperature : float, optional
        Of the decision; None for "greedy".
    min_precision : float, optional
        The precision that was asked for; None for the highest expected F.
    labels : tuple of LabelDecision
        Scores by label.
    thresholds : tuple of (ThresholdScore, ThresholdScore)
        Scores of the span sets, and of the filtered greedy spans, at each
        threshold, over all the gold that chose the temperature.
    source : str
        Where the gold is from.
    fingerprint : str
        Fingerprint of the pipeline with the decision.
    """

    rule: str
    rows: tuple[DecisionScore, ...] = ()
    threshold: float | None = None
    temperature: float | None = None
    min_precision: float | None = None
    labels: tuple[LabelDecision, ...] = field(repr=False, default=())
    thresholds: tuple[tuple[ThresholdScore, ThresholdScore], ...] = field(repr=False, default=())
    source: str = "dev"
    fingerprint: str = ""

    @classmethod
    def measure(
        cls,
        systems: Mapping[str, Sequence[Collection[Span]]],
        *,
        count: CountFn,
        gold: Sequence[Sequence[Span]],
        thresholds: Sequence[float | None],
        temperature: float | None = None,
        min_precision: float | None = None,
        curve: tuple[tuple[ThresholdScore, ThresholdScore], ...] = (),
        source: str = "dev",
        seed: int = 0,
        fingerprint: str = "",
    ) -> Decision:
        """Score ways to decide on the same texts, with paired intervals of their gains.

        Parameters
        ----------
        systems : mapping
            Name to the predicted spans of each text; the first is greedy decoding,
            the second, if there is one, the decision.
        count : callable
            Counts the hits and errors of a text's spans.
        gold : sequence of sequences of Span
            Gold spans of each text.
        thresholds : sequence of float or None
            Threshold of each system.
        temperature, min_precision, curve, source, fingerprint
            As for the class.
        seed : int
            Of the bootstrap.
        """
        counts = [
            np.array([count(i, spans) for i, spans in enumerate(predicted)]).reshape(-1, 3)
            for predicted in systems.values()
        ]
        resamples = Bootstrap(np.concatenate(counts, axis=1), seed=seed)
        rows = []
        for number, (name, threshold) in enumerate(zip(systems, thresholds, strict=True)):
            own_f = partial(micro_f_at, 3 * number)
            rows.append(
                DecisionScore(
                    name=name,
                    n=len(gold),
                    precision=resamples.estimate(partial(_share_of_hits, 3 * number, 1)),
                    recall=resamples.estimate(partial(_share_of_hits, 3 * number, 2)),
                    f=resamples.estimate(own_f),
                    gain=resamples.estimate(partial(difference, own_f, partial(micro_f_at, 0))),
                    threshold=threshold,
                )
            )
        both = [*systems.values()][:2]
        return cls(
            rule=EXPECTED_F if len(systems) > 1 else GREEDY,
            rows=tuple(rows),
            threshold=thresholds[1] if len(systems) > 1 else None,
            temperature=temperature,
            min_precision=min_precision,
            labels=_label_scores(gold, both[0], both[-1], count),
            thresholds=curve,
            source=source,
            fingerprint=fingerprint,
        )

    @property
    def frame(self) -> pd.DataFrame:
        """One row a way to decide: greedy, the decision, and the filtered greedy spans.

        ``name``, ``n`` (texts), ``precision``, ``recall``, ``f`` and ``gain`` (F over
        greedy) with ``_low`` and ``_high``, the ends of their 95 % intervals, and
        ``threshold``. Each text was decided by what others chose.
        """
        import pandas as pd

        rows = [
            (
                *(one.name, one.n),
                *(
                    value
                    for name in _FIGURES
                    for figure in (getattr(one, name),)
                    for value in (figure.value, figure.low, figure.high)
                ),
                one.threshold,
            )
            for one in self.rows
        ]
        return pd.DataFrame(rows, columns=_COLUMNS).astype({"threshold": float})

    @property
    def per_label(self) -> pd.DataFrame:
        """One row a label: support, and precision, recall and F, greedy and as decided.

        ``label``, ``support``, ``precision_greedy``, ``recall_greedy``, ``f_greedy``,
        ``precision``, ``recall``, ``f``.
        """
        import pandas as pd

        names = ("precision", "recall", "f")
        rows = [
            (
                *(one.label, one.support),
                *(getattr(one.before, name) for name in names),
                *(getattr(one.after, name) for name in names),
            )
            for one in self.labels
        ]
        columns = ["label", "support", *(f"{name}_greedy" for name in names), *names]
        return pd.DataFrame(rows, columns=columns)

    @property
    def curve(self) -> pd.DataFrame:
        """One row a threshold and rule: ``rule``, ``threshold``, ``n``, precision, recall, ``f``.

        ``rule`` is "expected_f" for the span sets, and "greedy, filtered" for greedy
        spans of at least that probability; ``n`` is the number of predicted spans.
        Counted over the same gold that chose the temperature.
        """
        import pandas as pd

        rows = [
            (rule, *(getattr(one, name) for name in _CURVE_COLUMNS))
            for number, rule in enumerate((EXPECTED_F, FILTERED))
            for one in (pair[number] for pair in self.thresholds)
        ]
        return pd.DataFrame(rows, columns=["rule", *_CURVE_COLUMNS])

    def row(self, name: str) -> DecisionScore:
        """Return the scores of one way to decide.

        Parameters
        ----------
        name : str
            "greedy", "expected_f" or "greedy, filtered".
        """
        return next(one for one in self.rows if one.name == name)

    @property
    def gain(self) -> Estimate | None:
        """F of the decision minus F of greedy decoding; None where greedy was asked for."""
        return self.row(EXPECTED_F).gain if self.rule == EXPECTED_F else None

    def _draw(self, ax: Axes | None) -> Axes:
        ax = new_axes() if ax is None else ax
        frame = self.curve
        frame = frame[(frame["rule"] == EXPECTED_F) & (frame["n"] > 0)]
        styles = (("precision", INK_COLOR), ("recall", INK_COLOR), ("f", ACCENT_COLOR))
        ends = []
        for name, color in styles:
            alpha = 1.0 if name == "f" else FAINT_ALPHA
            if len(frame):
                ax.plot(frame["threshold"], frame[name], color=color, alpha=alpha, linewidth=1.6)
                ends.append((frame["threshold"].iloc[-1], frame[name].iloc[-1], name, color))
            if self.rows:
                greedy = getattr(self.rows[0], name).value
                ax.axhline(greedy, color=color, alpha=alpha, linewidth=0.8, linestyle=":")
        if self.threshold is not None:
            ax.axvline(self.threshold, color=ACCENT_COLOR, linewidth=0.8)
        ax.set_xlim(0, 1)
        ax.set_ylim(0, 1.02)
        label_lines(ax, ends)
        ax.set_xlabel("theta: probability that a span must exceed (dotted: greedy decoding)")
        return apply_style(ax, self._headline())

    def _headline(self) -> str:
        gain = self.gain
        if gain is None:
            return "Greedy decoding"
        decided = self.row(EXPECTED_F)
        return (
            f"Precision {format_number(decided.precision.value)}, recall "
            f"{format_number(decided.recall.value)}, {100 * gain.value:+.1f} F at theta "
            f"{format_number(self.threshold)}"
        )

    def __str__(self) -> str:
        if self.rule == GREEDY:
            lines = ["Entities are decoded greedily, as spaCy does."]
            return "\n".join([*lines, *(_describe(one) for one in self.rows)])
        gain = self.row(EXPECTED_F).gain
        aim = (
            "the fixed point F / 2"
            if self.min_precision is None
            else f"the lowest that reaches a precision of {self.min_precision}"
        )
        gold = f"{plural(self.rows[0].n, 'text')} of {self.source}"
        chosen = (
            f"theta {format_number(self.threshold, 3)} ({aim}), temperature "
            f"{format_number(self.temperature)}, chosen on {gold}"
        )
        lines = [
            f"Entities are the spans with the highest expected F: {chosen}.",
            *(_describe(one) for one in self.rows),
            f"gain over greedy: {_signed(gain)} (paired; each text decided by what others chose)",
        ]
        if self.min_precision is not None:
            lines.append(self._say_precision(self.min_precision))
        elif not gain.low > 0:
            lines.append(
                "No gain in F is shown on this gold. Precision and recall say what changes; "
                'session.model.decide("greedy") takes the decision away.'
            )
        return "\n".join(lines)

    def _say_precision(self, wanted: float) -> str:
        found = self.row(EXPECTED_F).precision
        if found.low >= wanted:
            return f"The whole interval of the precision is at or above {wanted}."
        return (
            f"The interval of the precision, {_percent(found)}, goes below {wanted}: on other "
            "texts it may be missed. More gold narrows the interval; a higher min_precision= "
            "leaves a margin."
        )

    def _repr_html_(self) -> str:
        return render_html(str(self), self.frame)


def _describe(one: DecisionScore) -> str:
    at = "" if one.threshold is None else f" at {format_number(one.threshold, 3)}"
    return (
        f"{one.name}{at}: precision {_percent(one.precision)}, recall {_percent(one.recall)}, "
        f"F {_percent(one.f)}"
    )


def _percent(one: Estimate) -> str:
    return f"{100 * one.value:.1f} ({100 * one.low:.1f} to {100 * one.high:.1f})"


def _signed(one: Estimate) -> str:
    return f"{100 * one.value:+.1f} F ({100 * one.low:+.1f} to {100 * one.high:+.1f})"


def _share_of_hits(column: int, error: int, sums: FloatArray) -> FloatArray:
    """Compute precision (error column 1) or recall (error column 2) from summed counts."""
    hits = sums[..., column]
    return safe_divide(hits, hits + sums[..., column + error])


def _label_scores(
    gold: Sequence[Sequence[Span]],
    before: Sequence[Collection[Span]],
    after: Sequence[Collection[Span]],
    count: CountFn,
) -> tuple[LabelDecision, ...]:
    labels = sorted({one.label for spans in (*gold, *before, *after) for one in spans})

    def score(predicted: Sequence[Collection[Span]], label: str) -> ThresholdScore:
        own = [[one for one in spans if one.label == label] for spans in predicted]
        hits = [count(i, spans) for i, spans in enumerate(own)]
        tp, fp = sum(one[0] for one in hits), sum(one[1] for one in hits)
        return ThresholdScore.from_counts(0.0, tp, fp, support(label) - tp)

    def support(label: str) -> int:
        return sum(one.label == label for spans in gold for one in spans)

    return tuple(
        LabelDecision(label, support(label), score(before, label), score(after, label))
        for label in labels
    )
