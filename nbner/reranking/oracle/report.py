"""What the lists of a model's best analyses hold, and what follows from it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING

from nbner._common.bootstrap import Estimate
from nbner._common.format import render_html
from nbner.errors import DataError
from nbner.reranking.oracle.per_label import points_per_label
from nbner.reranking.oracle.recommendation import Recommendation, points_of_decoder, recommend
from nbner.reranking.oracle.study import OraclePoint, OracleStudy
from nbner.types import Span

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_FIGURES = ("oracle_f", "top1_f", "first_is_best", "gold_in_list", "mean_gold_rank")
_LABEL_FIGURES = ("oracle_f", "top1_f", "gain")


@dataclass(frozen=True, slots=True)
class OracleData:
    """The lists that a curve was counted over, for looking closer.

    Parameters
    ----------
    gold : sequence of sequences of Span
    allowed_labels : sequence
        For each text the labels that could be given, or None for all.
    labels : sequence of str
    studies : mapping
        (decoder, width) to its `OracleStudy`.
    """

    gold: Sequence[Sequence[Span]]
    allowed_labels: Sequence[Collection[str] | None]
    labels: Sequence[str]
    studies: Mapping[tuple[str, int], OracleStudy]


@dataclass(frozen=True, slots=True)
class OracleCurve:
    """Best-in-list accuracy over the width of the list; how it is counted: `analysis.oracle`.

    Parameters
    ----------
    points : tuple of OraclePoint
        One a decoder and width.
    source : str
        What was counted over: "dev", or "the answers so far".
    unreachable : int
        Texts whose gold no list can hold.
    data : OracleData, optional
        None where only the ranks are known.
    fingerprint : str
        The model that made the lists.
    """

    points: tuple[OraclePoint, ...]
    source: str = "dev"
    unreachable: int = 0
    data: OracleData | None = field(default=None, repr=False)
    fingerprint: str = ""

    @property
    def n(self) -> int:
        """Texts counted over."""
        return self.points[0].n

    @property
    def frame(self) -> pd.DataFrame:
        """One row a decoder and width.

        ``decoder``, ``width``, ``n``, then ``oracle_f``, ``top1_f``,
        ``first_is_best``, ``gold_in_list`` and ``mean_gold_rank``, each with
        ``_low`` and ``_high``, the ends of its 95 % interval; NaN where there
        is nothing to count.
        """
        import pandas as pd

        rows = [
            {"decoder": one.decoder, "width": one.width, "n": one.n, **_with_intervals(one, _FIGURES)}
            for one in self.points
        ]
        return pd.DataFrame(rows)

    def per_label(self, width: int | None = None, decoder: str | None = None) -> pd.DataFrame:
        """Count label by label over the best and the first analyses.

        Parameters
        ----------
        width : int, optional
            One of the curve's; by default the recommended one, or the widest.
        decoder : str, optional
            By default the one that the verdict is about.

        Returns
        -------
        DataFrame
            ``decoder``, ``width``, ``label``, ``support`` (gold spans), then
            ``oracle_f``, ``top1_f`` and ``gain`` with ``_low`` and ``_high``.

        Raises
        ------
        DataError
            The curve has no such width or decoder, or knows ranks alone.
        """
        import pandas as pd

        if self.data is None:
            raise DataError(
                "a curve from answers knows counts over all labels alone",
                remedy="Use session.oracle_curve(split=...) for figures label by label",
            )
        points = points_of_decoder(self.points)
        key = (decoder or points[0].decoder, width or self._verdict.width or points[-1].width)
        if key not in self.data.studies:
            have = ", ".join(f"{name} at {size}" for name, size in self.data.studies)
            raise DataError(f"the curve has no {key[0]} at {key[1]}", remedy=f"It has: {have}")
        found = points_per_label(
            self.data.studies[key],
            self.data.gold,
            labels=self.data.labels,
            width=key[1],
            allowed_labels=self.data.allowed_labels,
        )
        rows = [
            {
                "decoder": one.decoder,
                "width": one.width,
                "label": one.label,
                "support": one.support,
                **_with_intervals(one, _LABEL_FIGURES),
            }
            for one in found
        ]
        return pd.DataFrame(rows)

    @property
    def worthwhile(self) -> bool | None:
        """Whether a reranker is worthwhile; None where the texts cannot tell."""
        return self._verdict.worthwhile

    @property
    def recommended_width(self) -> int | None:
        """The width to rerank at; None where a reranker is not worthwhile."""
        return self._verdict.width

    @property
    def summary(self) -> str:
        """What to do next, in words with its figures; the rules: `analysis.verdicts`."""
        return self._verdict.text

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw best-in-list F and first-analysis F over the width of the list."""
        from nbner.reranking.oracle.plot import draw_oracle_curve

        width = self._verdict.width
        return draw_oracle_curve(self.frame, title=self._headline(), recommended=width, ax=ax)

    @property
    def _verdict(self) -> Recommendation:
        return recommend(self.points, unreachable=self.unreachable)

    def _headline(self) -> str:
        points, width = points_of_decoder(self.points), self._verdict.width
        shown = next((one for one in points if one.width == width), points[-1])
        if shown.gain.value != shown.gain.value:
            return f"There is no span to count in {self.source}"
        many = f"{shown.width:,} analyses" if shown.width > 1 else "1 analysis"
        return f"A perfect reranker over {many} would gain {100 * shown.gain.value:.1f} F"

    def __str__(self) -> str:
        return f"Over {self.n:,} texts of {self.source}. {self.summary}"

    def _repr_html_(self) -> str:
        return render_html(str(self), self.frame)


def _with_intervals(row: object, names: Sequence[str]) -> dict[str, float]:
    written: dict[str, float] = {}
    for name in names:
        figure: Estimate = getattr(row, name)
        ends = ("", "_low", "_high")
        values = (getattr(figure, one.name) for one in fields(Estimate))
        written |= {f"{name}{end}": value for end, value in zip(ends, values, strict=True)}
    return written
