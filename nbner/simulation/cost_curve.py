"""Learning curves over the cost of annotation: points, their report and its plot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from nbner._common.colors import COLOR_CYCLE
from nbner._common.format import plural, render_html
from nbner._common.plot_style import (
    OWN_TITLE,
    SCREEN,
    PlotStyle,
    apply_style,
    label_lines,
    new_axes,
    plot_look,
)
from nbner._common.result import Result
from nbner.errors import DataError
from nbner.simulation.annotator import SimulatedAnnotator

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

COLUMNS = ("condition", "round", "examples", "spans", "actions", "seconds", "n_wrong", "f")
AXIS_LABELS = {
    "seconds": "minutes of annotating",
    "actions": "key presses and drags",
    "examples": "examples accepted",
}


@dataclass(frozen=True, slots=True)
class CostPoint:
    """Cost and F of one condition after a round.

    Parameters
    ----------
    condition : str
        Name of the condition: mode and query strategy.
    round : int
        From 1; 0 for a model that was trained before.
    examples, spans : int
        Number accepted so far, and of the spans in them.
    actions : int
        Key presses and drags so far.
    seconds : float
        Annotation time so far; training is not counted.
    n_wrong : int
        Number of spans that only the answers or only the gold contains.
    f : float
        F on dev of the model trained on the accepted examples.
    """

    condition: str
    round: int
    examples: int
    spans: int
    actions: int
    seconds: float
    n_wrong: int
    f: float


def points_by_condition(points: Sequence[CostPoint]) -> dict[str, list[CostPoint]]:
    """Group points by their condition.

    Parameters
    ----------
    points : sequence of CostPoint
        In the order of rounds within each condition.
    """
    found: dict[str, list[CostPoint]] = {}
    for point in points:
        found.setdefault(point.condition, []).append(point)
    return found


def seconds_to_reach(points: Sequence[CostPoint], f: float) -> float | None:
    """Estimate the annotation time at which one condition reaches an F.

    Interpolates linearly between the points.

    Parameters
    ----------
    points : sequence of CostPoint
        Of one condition, in the order of rounds.
    f : float
        The F to reach.

    Returns
    -------
    float or None
        Seconds; None where no point reaches ``f``.
    """
    before = None
    for point in points:
        if point.f >= f:
            if before is None or point.f == before.f:
                return point.seconds
            part = (f - before.f) / (point.f - before.f)
            return before.seconds + part * (point.seconds - before.seconds)
        before = point
    return None


def common_best_f(points: Sequence[CostPoint]) -> float:
    """Return the highest F that every condition reaches.

    Parameters
    ----------
    points : sequence of CostPoint
        Of all conditions.
    """
    return min(max(point.f for point in own) for own in points_by_condition(points).values())


@dataclass(frozen=True, slots=True)
class Simulation(Result):
    """Cost of annotation under several conditions, and F of the models trained on it.

    Parameters
    ----------
    points : tuple of CostPoint
        Of all conditions, each in the order of rounds.
    annotator : SimulatedAnnotator
        The simulated annotator.
    dev : str
        Name of the split on which F was computed.
    """

    points: tuple[CostPoint, ...] = field(repr=False)
    annotator: SimulatedAnnotator
    dev: str = "dev"

    @property
    def frame(self) -> pd.DataFrame:
        """One row per condition and round.

        Cumulative ``examples``, ``spans``, ``actions`` (key presses and
        drags), ``seconds`` and ``n_wrong`` (spans that differ from gold); and
        ``f`` of the model after that round.
        """
        import pandas as pd

        return pd.DataFrame([asdict(one) for one in self.points], columns=list(COLUMNS))

    def plot(
        self,
        ax: Axes | None = None,
        *,
        cost: str = "seconds",
        title: str | None = OWN_TITLE,
        style: PlotStyle = SCREEN,
        width: float | None = None,
    ) -> Axes:
        """Draw F of each condition over its cost.

        Parameters
        ----------
        ax : Axes, optional
            By default a new one.
        title : str, optional
            By default the finding; None for no title.
        style : {"screen", "paper"}
            "paper" is for a column of print: dark ink, the fonts of the rcParams, no title.
        width : float, optional
            Width of a new figure in inches; on paper 3.25 by default.
        cost : {"seconds", "actions", "examples"}
            The horizontal axis.

        Raises
        ------
        DataError
            There is no such cost.
        """
        with plot_look(ax=ax, title=title, style=style, width=width):
            return draw_cost_curves(self.frame, cost=cost, title=self.summary.split("\n")[0], ax=ax)

    @property
    def summary(self) -> str:
        """The conditions ordered by the time to a common F, with each one's cost and F."""
        curves = points_by_condition(self.points)
        f = common_best_f(self.points)
        times = {name: seconds_to_reach(own, f) for name, own in curves.items()}
        reached = sorted((seconds, name) for name, seconds in times.items() if seconds is not None)
        (least, best), (most, worst) = reached[0], reached[-1]
        lines = [f"{best} reaches F {f:.2f} in {_time(least)}"]
        if best != worst:
            lines[0] += f", {worst} in {_time(most)}"
        for name, own in curves.items():
            last = own[-1]
            lines.append(
                f"{name}: F {last.f:.3f} after {plural(last.examples, 'example')}, "
                f"{last.actions:,} "
                f"actions and {_time(last.seconds)}; {plural(last.n_wrong, 'span')} off gold"
            )
        by = self.annotator
        lines.append(
            f"Simulated: error rate {by.error_rate:g}, anchoring rate {by.anchoring_rate:g}, "
            f"{by.seconds_per_action:g} s an action and {by.seconds_per_word:g} s a word"
        )
        return "\n".join(lines)

    def __str__(self) -> str:
        return self.summary

    def _repr_html_(self) -> str:
        return render_html(self.summary, self.frame)


def draw_cost_curves(frame: pd.DataFrame, *, cost: str, title: str, ax: Axes | None = None) -> Axes:
    """Draw F of each condition over its cost, each line labelled at its end.

    Parameters
    ----------
    frame : DataFrame
        From ``Simulation.frame``.
    cost : {"seconds", "actions", "examples"}
        The horizontal axis.
    title : str
        Title of the plot.
    ax : Axes, optional
        By default a new one.

    Raises
    ------
    DataError
        There is no such cost.
    """
    if cost not in AXIS_LABELS:
        raise DataError(
            f"there is no cost {cost!r}",
            field="cost",
            remedy=f"Use one of {', '.join(AXIS_LABELS)}",
        )
    ax = new_axes() if ax is None else ax
    scale = 60 if cost == "seconds" else 1
    ends = []
    for number, (name, rows) in enumerate(frame.groupby("condition", sort=False)):
        color = COLOR_CYCLE[number % len(COLOR_CYCLE)]
        costs = rows[cost] / scale
        ax.plot(costs, rows["f"], marker="o", markersize=4, linewidth=1.5, color=color)
        ends.append((float(costs.iloc[-1]), float(rows["f"].iloc[-1]), str(name), color))
    ax.margins(x=0.05)
    label_lines(ax, ends)
    ax.set_xlabel(AXIS_LABELS[cost])
    ax.set_ylabel("F on dev")
    return apply_style(ax, title)


def _time(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
