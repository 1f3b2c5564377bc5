"""Result of an oracle study: frame, figures per label, recommendation and plot."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING

from nbner._common.bootstrap import Estimate
from nbner._common.format import plural, render_html
from nbner._common.plot_style import (
    ACCENT_COLOR,
    INK_COLOR,
    SECOND_COLOR,
    apply_style,
    label_lines,
    new_axes,
)
from nbner._common.result import FigureResult
from nbner.errors import DataError
from nbner.reranking.oracle.differences import DIFFERENCES, DecoderDifference
from nbner.reranking.oracle.recommendation import Recommendation, points_of_decoder, recommend
from nbner.reranking.oracle.study import OraclePoint, OracleStudy, points_per_label
from nbner.types import Span

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_FIGURES = ("oracle_f", "top1_f", "first_is_best", "gold_in_list", "mean_gold_rank")
_DIFFERENCE_COLUMNS = [
    *("difference", "decoder", "against", "width"),
    *("gain", "gain_low", "gain_high"),
]
_LABEL_FIGURES = ("oracle_f", "top1_f", "gain")


@dataclass(frozen=True, slots=True)
class OracleData:
    """The lists behind a curve, for figures per label.

    Parameters
    ----------
    gold : sequence of sequences of Span
        Gold entities of each text.
    allowed_labels : sequence
        For each text the labels that could be annotated, or None for all.
    labels : sequence of str
        Labels of the session.
    studies : mapping
        (decoder, width) to its `OracleStudy`.
    """

    gold: Sequence[Sequence[Span]]
    allowed_labels: Sequence[Collection[str] | None]
    labels: Sequence[str]
    studies: Mapping[tuple[str, int], OracleStudy]


@dataclass(frozen=True, slots=True)
class OracleCurve(FigureResult):
    """Oracle F as a function of the length of the list; definitions: `oracle.study`.

    ``plot()`` draws oracle F and first-analysis F over the length of the list.

    Parameters
    ----------
    points : tuple of OraclePoint
        One a decoder and width.
    source : str
        Name of the evaluated texts: a split such as "dev", or "the answers so far".
    unreachable : int
        Number of texts whose gold cannot be in any list.
    data : OracleData, optional
        None if only the ranks are known.
    fingerprint : str
        Fingerprint of the model.
    differences : tuple of DecoderDifference
        What the objective and what the search is worth; empty where the decoders
        that show it were not studied.
    """

    points: tuple[OraclePoint, ...]
    source: str = "dev"
    unreachable: int = 0
    data: OracleData | None = field(default=None, repr=False)
    fingerprint: str = ""
    differences: tuple[DecoderDifference, ...] = field(default=(), repr=False)

    @property
    def n(self) -> int:
        """Number of texts."""
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
            {
                "decoder": one.decoder,
                "width": one.width,
                "n": one.n,
                **_with_intervals(one, _FIGURES),
            }
            for one in self.points
        ]
        return pd.DataFrame(rows)

    @property
    def decoder_frame(self) -> pd.DataFrame:
        """One row a difference between two decoders and width.

        ``difference`` ("objective": normalized against raw scores; "search": exact
        search against the beam; "temperature": at the fitted temperature of the
        states against without), ``decoder``, ``against``, ``width``, and ``gain``
        (oracle F of the one minus that of the other) with ``gain_low`` and
        ``gain_high``, the ends of its paired 95 % interval.
        """
        import pandas as pd

        rows = [
            (
                *(one.name, one.decoder, one.against, one.width),
                *(one.gain.value, one.gain.low, one.gain.high),
            )
            for one in self.differences
        ]
        return pd.DataFrame(rows, columns=_DIFFERENCE_COLUMNS)

    def per_label(self, width: int | None = None, decoder: str | None = None) -> pd.DataFrame:
        """Compute oracle F, first-analysis F and gain label by label.

        Parameters
        ----------
        width : int, optional
            A width of the curve; by default the recommended one, or the largest.
        decoder : str, optional
            By default the one that the recommendation is about.

        Returns
        -------
        DataFrame
            ``decoder``, ``width``, ``label``, ``support`` (gold spans), then
            ``oracle_f``, ``top1_f`` and ``gain`` with ``_low`` and ``_high``.

        Raises
        ------
        DataError
            The curve has no such width or decoder, or only ranks are known.
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
        """Whether a reranker is worthwhile; None if the texts are not enough to decide."""
        return self._verdict.worthwhile

    @property
    def recommended_width(self) -> int | None:
        """Recommended length of the lists; None if a reranker is not worthwhile."""
        return self._verdict.width

    @property
    def summary(self) -> str:
        """The recommendation with its figures; the rules: `oracle.recommendation`."""
        return self._verdict.text

    def _draw(self, ax: Axes | None) -> Axes:
        width = self._verdict.width
        return draw_oracle_curve(self.frame, title=self._headline(), recommended=width, ax=ax)

    @property
    def _verdict(self) -> Recommendation:
        return recommend(self.points, unreachable=self.unreachable, differences=self.differences)

    def _headline(self) -> str:
        points, width = points_of_decoder(self.points), self._verdict.width
        shown = next((one for one in points if one.width == width), points[-1])
        if shown.gain.value != shown.gain.value:
            return f"There is no span to count in {self.source}"
        many = f"{plural(shown.width, 'analysis', 'analyses')}" if shown.width > 1 else "1 analysis"
        return f"A perfect reranker over {many} would gain {100 * shown.gain.value:.1f} F"

    def __str__(self) -> str:
        return f"Over {plural(self.n, 'text')} of {self.source}. {self.summary}"

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


_BAND_ALPHA = 0.18  # opacity of an interval
_MAX_BANDED = 2  # decoders whose first analyses have bands too

_RAW_COLOR = "#28885a"  # as legible as the ink on both grounds
_CALIBRATED_COLOR = "#9f5fd0"  # likewise

#: Decoder to its color, its line, its marker, and its name in the picture.
_STYLES = {
    "exact": (ACCENT_COLOR, "-", "o", "exact"),
    "exact_raw": (_RAW_COLOR, "-.", "^", "exact, raw scores"),
    "exact_calibrated": (_CALIBRATED_COLOR, "-", "D", "exact, calibrated"),
    "beam": (SECOND_COLOR, "--", "s", "beam"),
}
#: Words for a difference between decoders, under the picture.
_DIFFERENCE_NAMES = {
    "objective": "normalized for raw scores",
    "search": "exact search for beam",
    "temperature": "temperature",
}


def draw_oracle_curve(
    frame: pd.DataFrame,
    *,
    title: str | None = None,
    recommended: int | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw oracle F and top-1 F over the length of the list, with their intervals.

    Parameters
    ----------
    frame : DataFrame
        `OracleCurve.frame`: one row a decoder and width.
    title : str, optional
        By default the gain of a perfect reranker at the largest width.
    recommended : int, optional
        Width to mark.
    ax : Axes, optional
        Axes to draw on; new ones by default.
    """
    ax = new_axes() if ax is None else ax
    ax.set_xscale("log", base=2)
    names: list[tuple[float, str, str]] = []
    # More bands over each other than this show nothing.
    few = frame["decoder"].nunique() <= _MAX_BANDED
    for decoder, rows in frame.groupby("decoder", sort=False):
        names += _draw_decoder(ax, str(decoder), rows, with_first_bands=few)
    widths = sorted(set(frame["width"]))
    ax.set_xticks(widths, [f"{width:,}" for width in widths])
    ax.minorticks_off()
    ax.set_xlim(widths[0] / 1.1, widths[-1] * 1.1)
    label_lines(ax, [(widths[-1] * 1.05, *name) for name in names])
    if recommended is not None:
        _mark_recommended(ax, frame, recommended)
    ax.set_xlabel(
        "\n".join(
            ["analyses in the list (bands: 95 % intervals over texts)", *_difference_line(frame)]
        )
    )
    ax.set_ylabel("F over exact spans")
    ax.yaxis.set_major_formatter("{x:.2f}")
    return apply_style(ax, title or _default_title(frame))


def _difference_line(frame: pd.DataFrame) -> list[str]:
    """Return a line that says what objective and search are worth at the largest width."""
    last = frame[frame["width"] == frame["width"].max()].set_index("decoder")["oracle_f"]
    gains = [
        f"{_DIFFERENCE_NAMES[name]} {100 * (last[decoder] - last[against]):+.1f} F"
        for name, (decoder, against) in DIFFERENCES.items()
        if {decoder, against} <= set(last.index) and last.notna().all()
    ]
    return [f"at {frame['width'].max():,}: {', '.join(gains)}"] if gains else []


def _draw_decoder(
    ax: Axes, decoder: str, rows: pd.DataFrame, *, with_first_bands: bool
) -> list[tuple[float, str, str]]:
    color, line, marker, name = _STYLES.get(decoder, (INK_COLOR, "-", "o", decoder))
    width = rows["width"]
    for figure, heavy in (("oracle_f", True), ("top1_f", False)):
        if heavy or with_first_bands:
            ax.fill_between(
                width,
                rows[f"{figure}_low"],
                rows[f"{figure}_high"],
                color=color,
                alpha=_BAND_ALPHA if heavy else _BAND_ALPHA / 2,
                linewidth=0,
            )
        ax.plot(
            width,
            rows[figure],
            color=color,
            linestyle=line if heavy else ":",
            marker=marker if heavy else "",
            markersize=4,
            linewidth=1.8 if heavy else 1.2,
        )
    last = rows.iloc[-1]
    return [
        (float(last["oracle_f"]), f"{name}: best in list", color),
        (float(last["top1_f"]), f"{name}: first", color),
    ]


def _mark_recommended(ax: Axes, frame: pd.DataFrame, width: int) -> None:
    rows = frame[frame["width"] == width]
    row = rows[rows["decoder"] == "exact"] if "exact" in set(rows["decoder"]) else rows
    best, first = float(row["oracle_f"].iloc[0]), float(row["top1_f"].iloc[0])
    # At the end of the lines their names stand to the right.
    is_last = width == frame["width"].max()
    ax.plot([width, width], [first, best], color=INK_COLOR, linewidth=0.8)
    ax.plot(width, best, marker="o", markersize=9, fillstyle="none", color=INK_COLOR)
    ax.annotate(
        f"+{100 * (best - first):.1f} F at {width}",
        (width, (first + best) / 2),
        xytext=(-6, 0) if is_last else (6, 0),
        textcoords="offset points",
        ha="right" if is_last else "left",
        color=INK_COLOR,
        fontsize=9,
        va="center",
    )


def _default_title(frame: pd.DataFrame) -> str:
    rows = frame[frame["decoder"] == frame["decoder"].iloc[0]]
    last = rows.iloc[-1]
    gain = 100 * (last["oracle_f"] - last["top1_f"])
    if gain != gain:
        return "There is no span to count"
    return (
        f"A perfect reranker over {plural(last['width'], 'analysis', 'analyses')} would gain "
        f"{gain:.1f} F"
    )
