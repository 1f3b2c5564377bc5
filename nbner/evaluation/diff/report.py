"""The comparison of two sets of annotations, with a cause for every difference."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from nbner._common.colors import label_colors
from nbner._common.format import plural, scrollable
from nbner._common.plot_style import (
    ACCENT_COLOR,
    INK_COLOR,
    ROW_HEIGHT,
    apply_style,
    count_axis,
    name_ticks,
    new_axes,
)
from nbner._common.result import FigureResult, write_page
from nbner._common.span_html import highlight_spans
from nbner.errors import DataError
from nbner.evaluation.diff.causes import CAUSES, Cause
from nbner.evaluation.errors.explorer_protocol import ErrorExplorerWidget
from nbner.evaluation.pairing import TextPair, TextPairing
from nbner.types import Example

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    from matplotlib.axes import Axes

_MAX_ROWS = 20
COLUMNS = ("example", "cause", "detail", "tried", "text", "a", "b", "only_a", "only_b")


@dataclass(frozen=True, slots=True)
class Difference:
    """One text that is annotated differently on two sides.

    Parameters
    ----------
    pair : TextPair
        The text as both sides have it.
    cause : Cause
        The cause of the difference.
    """

    pair: TextPair
    cause: Cause


@dataclass(frozen=True, slots=True)
class Differences(FigureResult):
    """Two sets of annotations compared, with a cause for every difference.

    ``plot()`` draws the number of texts by cause.

    Parameters
    ----------
    a, b : str
        Names of the two sides.
    pairing : TextPairing
        All texts, paired.
    differences : sequence of Difference
        The texts that differ.
    open_widget : callable, optional
        Opens the texts that differ in the error explorer.
    colors : mapping, optional
        Label to color, as the session shows it.
    """

    a: str
    b: str
    pairing: TextPairing = field(repr=False)
    differences: Sequence[Difference] = field(repr=False, default=())
    open_widget: Callable[[Differences], ErrorExplorerWidget] | None = field(
        default=None, repr=False, compare=False
    )
    colors: Mapping[str, str] = field(default_factory=dict, kw_only=True, repr=False, compare=False)

    @classmethod
    def from_causes(
        cls,
        a: str,
        b: str,
        pairing: TextPairing,
        causes: Mapping[int, Cause],
        opener: Callable[[Differences], ErrorExplorerWidget] | None = None,
    ) -> Differences:
        """Create the result from the causes of the pairs that differ.

        Parameters
        ----------
        a, b : str
            Names of the two sides.
        pairing : TextPairing
            All texts, paired.
        causes : mapping of int to Cause
            Causes by position among the pairs.
        opener : callable, optional
            Opens the texts that differ in the error explorer.
        """
        found = [Difference(pairing.pairs[i], cause) for i, cause in sorted(causes.items())]
        return cls(a, b, pairing, tuple(found), opener)

    def open(self) -> ErrorExplorerWidget:
        """Open the texts that differ in the error explorer, with both annotations.

        Each text's cause is a column of its metadata, by which it can be filtered.

        Raises
        ------
        DataError
            No text differs.
        """
        if self.open_widget is None or not self.differences:
            raise DataError("no text differs, so that there is nothing to show")
        return self.open_widget(self)

    @property
    def n(self) -> int:
        """Number of texts that both sides have."""
        return len(self.pairing.pairs)

    @property
    def differing(self) -> int:
        """Number of texts whose spans differ."""
        return len(self.differences)

    @property
    def same(self) -> bool:
        """Whether both sides have the same texts with the same spans."""
        return not (self.differences or self.pairing.unmatched_a or self.pairing.unmatched_b)

    @property
    def counts(self) -> dict[str, int]:
        """Texts by cause, the most frequent first."""
        counted = Counter(one.cause.name for one in self.differences)
        return dict(sorted(counted.items(), key=lambda item: (-item[1], CAUSES.index(item[0]))))

    @property
    def pairs(self) -> list[tuple[Example, Example]]:
        """The texts that differ, as the two sides have them."""
        return [(one.pair.a, one.pair.b) for one in self.differences]

    @property
    def frame(self) -> pd.DataFrame:
        """One row a differing text.

        ``example`` (position in the first side), ``cause``, ``detail``,
        ``tried`` (whether a pipeline was run to find out), ``text`` (of the
        first side), ``a``, ``b``, ``only_a`` and ``only_b``: lists of
        ``(start, end, label)`` in code points of each side's own text.
        """
        import pandas as pd

        return pd.DataFrame([_row(one) for one in self.differences], columns=list(COLUMNS))

    def _draw(self, ax: Axes | None) -> Axes:
        return draw_causes(self.counts, total=self.n, ax=ax)

    def to_html(
        self,
        path: str | Path | None = None,
        *,
        cause: str | None = None,
        limit: int = _MAX_ROWS,
    ) -> str:
        """Write differing texts with both annotations as one HTML page without scripts.

        Parameters
        ----------
        path : str or Path, optional
            File to write; an existing one is replaced.
        cause : str, optional
            Name of the cause; by default all.
        limit : int
            Maximum number of texts.

        Returns
        -------
        str
            The page.
        """
        body = self._html(cause, limit) + self._figure_html()
        return write_page("Differences", body, path)

    def _html(self, cause: str | None, limit: int) -> str:
        wanted = [one for one in self.differences if cause is None or one.cause.name == cause]
        sides = (*(one.pair.a for one in wanted), *(one.pair.b for one in wanted))
        colors = label_colors(
            sorted({span.label for side in sides for span in side.spans}), self.colors
        )
        rows = "".join(_html_row(one, colors) for one in wanted[:limit])
        left = len(wanted) - limit
        more = f"<div>and {left:,} more: to_html(limit=...)</div>" if left > 0 else ""
        head = f"<tr><th>cause</th><th>{escape(self.a)}</th><th>{escape(self.b)}</th></tr>"
        table = f'<table style="text-align:left">{head}{rows}</table>'
        shown = f"{scrollable(table)}{more}" if wanted else ""
        lines = "".join(f"<div>{escape(line)}</div>" for line in str(self).splitlines())
        return f"<div>{lines}{shown}</div>"

    def __str__(self) -> str:
        lines = [
            (
                f"{self.differing:,} of {plural(self.n, 'text')} {_differ(self.differing)} "
                f"between {self.a} and {self.b}"
            )
        ]
        lines += [f"  {count:,} {cause.replace('_', ' ')}" for cause, count in self.counts.items()]
        for name, alone in ((self.a, self.pairing.unmatched_a), (self.b, self.pairing.unmatched_b)):
            if alone:
                lines.append(f"  {plural(len(alone), 'text is', 'texts are')} in {name} alone")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return self._html(None, _MAX_ROWS)


def _html_row(one: Difference, colors: Mapping[str, str]) -> str:
    why = escape(one.cause.name.replace("_", " ")) + (
        f"<br><small>{escape(one.cause.detail)}</small>"
    )
    sides = (one.pair.a, one.pair.b)
    cells = "".join(
        f'<td style="white-space:pre-wrap">{highlight_spans(side.text, side.spans, colors)}</td>'
        for side in sides
    )
    return f"<tr><td>{why}</td>{cells}</tr>"


def _row(one: Difference) -> tuple[object, ...]:
    pair, cause = one.pair, one.cause
    a, b = _span_keys(pair.a), _span_keys(pair.b)
    keys_a, keys_b = pair.span_keys_of(pair.a), pair.span_keys_of(pair.b)
    only_a = [span for span, key in zip(a, keys_a, strict=True) if key not in keys_b]
    only_b = [span for span, key in zip(b, keys_b, strict=True) if key not in keys_a]
    head = (pair.position, cause.name, cause.detail, cause.reproduced, pair.a.text)
    return (*head, a, b, only_a, only_b)


def _span_keys(example: Example) -> list[tuple[int, int, str]]:
    return [(span.start, span.end, span.label) for span in example.spans]


def draw_causes(
    counts: Mapping[str, int],
    *,
    total: int,
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw a bar for each cause, the longest on top.

    Parameters
    ----------
    counts : mapping
        Name of a cause to its number of texts.
    total : int
        Number of texts that were compared.
    title : str, optional
        By default how many differ, and the most frequent cause.
    ax : Axes, optional
        By default new axes.
    """
    ordered = sorted(counts.items(), key=lambda item: item[1])
    ax = (
        new_axes(height=1.1 + ROW_HEIGHT * max(4, len(ordered)), has_rows=True)
        if ax is None
        else ax
    )
    for y, (_, count) in enumerate(ordered):
        ax.barh(y, count, height=0.6, color=ACCENT_COLOR)
        ax.annotate(
            f"{count:,}",
            (count, y),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            color=INK_COLOR,
            fontsize=8,
        )
    name_ticks(ax.yaxis, [name.replace("_", " ") for name, _ in ordered])
    ax.set_ylim(-0.6, max(1, len(ordered)) - 0.4)
    ax.set_xlim(left=0)
    ax.set_xlabel(f"texts that differ, of {total:,}")
    count_axis(ax.xaxis)
    return apply_style(ax, title or _summarize(counts, total))


def _summarize(counts: Mapping[str, int], total: int) -> str:
    differing = sum(counts.values())
    if not differing:
        return f"The same in all {plural(total, 'text')}"
    first = max(counts, key=lambda cause: counts[cause])
    return (
        f"{differing:,} of {plural(total, 'text')} {_differ(differing)}; most often: "
        f"{first.replace('_', ' ')}"
    )


def _differ(count: int) -> str:
    return "differs" if count == 1 else "differ"
