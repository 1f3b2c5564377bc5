"""Simulated annotating in a cell: learning curves over actions and seconds."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from nbner._common.format import render_html
from nbner.simulation.annotator import SimulatedAnnotator
from nbner.simulation.cost_curve import (
    CostPoint,
    common_best_f,
    points_by_condition,
    seconds_to_reach,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

COLUMNS = ("condition", "round", "examples", "spans", "actions", "seconds", "n_wrong", "f")


@dataclass(frozen=True, slots=True)
class Simulation:
    """What annotating in several ways would cost, and what the models learn from it.

    Parameters
    ----------
    points : tuple of CostPoint
    annotator : SimulatedAnnotator
    dev : str
        Where F was measured.
    """

    points: tuple[CostPoint, ...] = field(repr=False)
    annotator: SimulatedAnnotator
    dev: str = "dev"

    @property
    def frame(self) -> pd.DataFrame:
        """One row a way and round.

        Sums so far: ``examples``, ``spans``, ``actions`` (key presses and
        drags), ``seconds`` and ``n_wrong`` (spans that differ from gold); and
        ``f`` of the model after that round.
        """
        import pandas as pd

        return pd.DataFrame([asdict(one) for one in self.points], columns=list(COLUMNS))

    def plot(self, ax: Axes | None = None, *, cost: str = "seconds") -> Axes:
        """Draw F of each way over what it has cost.

        Parameters
        ----------
        ax : Axes, optional
        cost : {"seconds", "actions", "examples"}
        """
        from nbner.simulation.plot import draw_cost_curves

        return draw_cost_curves(self.frame, cost=cost, title=self.summary.split("\n")[0], ax=ax)

    @property
    def summary(self) -> str:
        """Which way reaches most at what cost, in words with its figures."""
        ways = points_by_condition(self.points)
        f = common_best_f(self.points)
        times = {way: seconds_to_reach(some, f) for way, some in ways.items()}
        reached = sorted((seconds, way) for way, seconds in times.items() if seconds is not None)
        (least, best), (most, worst) = reached[0], reached[-1]
        lines = [f"{best} reaches F {f:.2f} in {_time(least)}"]
        if best != worst:
            lines[0] += f", {worst} in {_time(most)}"
        for way, some in ways.items():
            last = some[-1]
            lines.append(
                f"{way}: F {last.f:.3f} after {last.examples:,} examples, {last.actions:,} actions "
                f"and {_time(last.seconds)}; {last.n_wrong:,} spans off gold"
            )
        robot = self.annotator
        lines.append(
            f"Simulated: error rate {robot.error_rate:g}, anchoring rate {robot.anchoring_rate:g}, "
            f"{robot.seconds_per_action:g} s an action and {robot.seconds_per_word:g} s a word"
        )
        return "\n".join(lines)

    def __str__(self) -> str:
        return self.summary

    def _repr_html_(self) -> str:
        return render_html(self.summary, self.frame)


def _time(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
