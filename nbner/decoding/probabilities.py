"""Exact probabilities of all spans and of each token's label: values, frames and plot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from nbner._common.colors import label_colors
from nbner._common.format import plural, render_html
from nbner._common.plot_style import (
    FIGURE_SIZE,
    INK_COLOR,
    PLAIN_TEXT,
    apply_style,
    drawable,
    name_ticks,
    new_axes,
)
from nbner._common.result import FigureResult
from nbner.decoding.arrays import FloatArray
from nbner.decoding.spans import OUTSIDE, TokenOffsets
from nbner.types import Span, Token

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


MIN_PROBABILITY = 1e-3


@dataclass(frozen=True, slots=True)
class SpanProbabilities:
    """Exact probabilities of the spans and of each token's label in one text.

    Parameters
    ----------
    text : str
        The text.
    spans : mapping of Span to float
        Every span with at least the minimum probability, sorted by position.
    token_probabilities : array of float64, shape (tokens, labels + 1)
        Probability that a token belongs to an entity of each label; in the last
        column, that it belongs to none. Each row sums to 1.
    token_axis : tuple of Token
        The tokens of the rows of ``token_probabilities``.
    label_axis : tuple of str
        The labels of its columns; the last one is "O".
    min_probability : float
        Spans with a lower probability are not in ``spans``.
    total_probability : float
        Probability of all analyses that were summed over. Below 1 if the length of
        entities was limited; all probabilities here are relative to it.
    """

    text: str
    spans: Mapping[Span, float] = field(repr=False, hash=False)
    token_probabilities: FloatArray = field(repr=False, hash=False, compare=False)
    token_axis: tuple[Token, ...] = field(repr=False)
    label_axis: tuple[str, ...]
    min_probability: float = MIN_PROBABILITY
    total_probability: float = 1.0

    def probability_of(self, span: Span) -> float:
        """Return the probability of a span; 0 for a span that is not listed.

        Parameters
        ----------
        span : Span
            The span.
        """
        return self.spans.get(span, 0.0)


def collect_probable_spans(
    segments: FloatArray, places: TokenOffsets, labels: Sequence[str], floor: float
) -> dict[Span, float]:
    """Return the spans of one text with at least the minimum probability.

    Parameters
    ----------
    segments : array, shape (positions, width, labels + 1)
        Probabilities of the segments of the text.
    places : TokenOffsets
        Offsets of the tokens.
    labels : sequence of str
        Labels of the model, sorted.
    floor : float
        Minimum probability.
    """
    width = segments.shape[1]
    entities = segments[: len(places), :, :-1]
    end, a, label = np.nonzero(entities >= max(floor, np.finfo(float).tiny))
    start = end - width + 1 + a
    order = np.lexsort((label, end, start))
    firsts, lasts = places.starts[start[order]].tolist(), places.ends[end[order]].tolist()
    names = [labels[i] for i in label[order].tolist()]
    found = np.minimum(entities[end, a, label][order], 1.0).tolist()
    return {
        Span(first, last, name): probability
        for first, last, name, probability in zip(firsts, lasts, names, found, strict=True)
    }


def add_forced_spans(
    known: SpanProbabilities, forced: Sequence[tuple[int, int, Span]]
) -> SpanProbabilities:
    """Return probabilities with forced spans at 1, which the sums hold as tokens outside.

    Parameters
    ----------
    known : SpanProbabilities
        Probabilities under the constraints.
    forced : sequence of (int, int, Span)
        Start token, end token (exclusive) and the span.
    """
    labels = list(known.label_axis[:-1])
    labels += sorted({span.label for _, _, span in forced} - set(labels))
    tokens = np.zeros((len(known.token_probabilities), len(labels) + 1))
    tokens[:, : len(known.label_axis) - 1] = known.token_probabilities[:, :-1]
    tokens[:, -1] = known.token_probabilities[:, -1]
    spans = dict(known.spans)
    for start, end, span in forced:
        tokens[start:end] = 0.0
        tokens[start:end, labels.index(span.label)] = 1.0
        spans[span] = 1.0
    return SpanProbabilities(
        known.text,
        dict(sorted(spans.items(), key=lambda item: (item[0].start, item[0].end, item[0].label))),
        tokens,
        known.token_axis,
        (*labels, OUTSIDE),
        known.min_probability,
        known.total_probability,
    )


_SPAN_COLUMNS = [
    *("start", "end", "token_start", "token_end"),
    *("text", "label", "probability"),
]
_LIKELY = 0.5


@dataclass(frozen=True, slots=True)
class TextProbabilities(FigureResult):
    """Exact probabilities of the spans and of each token's label, with frames and a plot.

    ``plot()`` draws the probability of each token's label.

    Parameters
    ----------
    probabilities : SpanProbabilities
        The computed values.
    labels : tuple of str
        In the order of their colors.
    colors : mapping, optional
        Label to color, as the session shows it.
    """

    probabilities: SpanProbabilities
    labels: tuple[str, ...] = ()
    colors: Mapping[str, str] = field(default_factory=dict, kw_only=True, repr=False, compare=False)

    @property
    def text(self) -> str:
        """The text."""
        return self.probabilities.text

    @property
    def frame(self) -> pd.DataFrame:
        """One row a span, the most probable first.

        ``start``, ``end`` (code points, half-open), ``token_start``,
        ``token_end`` (half-open), ``text``, ``label``, ``probability``. Spans
        below ``probabilities.min_probability`` have no row.
        """
        import pandas as pd

        first = {token.start: i for i, token in enumerate(self.probabilities.token_axis)}
        last = {token.end: i + 1 for i, token in enumerate(self.probabilities.token_axis)}
        rows = [
            (
                *(span.start, span.end, first[span.start], last[span.end]),
                *(self.text[span.start : span.end], span.label, probability),
            )
            for span, probability in self.probabilities.spans.items()
        ]
        frame = pd.DataFrame(rows, columns=_SPAN_COLUMNS)
        places = dict.fromkeys(_SPAN_COLUMNS[:4], "int64")
        frame = frame.astype({**places, "label": "object", "probability": "float64"})
        return frame.sort_values("probability", ascending=False, kind="stable", ignore_index=True)

    @property
    def token_frame(self) -> pd.DataFrame:
        """One row a token: ``start``, ``end``, ``text``, then the probability of each label.

        The last column, "O", is the probability of no label. A row sums to 1.
        """
        import pandas as pd

        axis = self.probabilities.token_axis
        places = pd.DataFrame(
            [(token.start, token.end, token.text) for token in axis],
            columns=["start", "end", "text"],
        )
        # Columns are put side by side, so that a label may be called "text".
        shares = pd.DataFrame(
            self.probabilities.token_probabilities, columns=list(self.probabilities.label_axis)
        )
        return pd.concat([places, shares], axis=1)

    @property
    def likely_spans(self) -> list[tuple[Span, float]]:
        """The spans with a probability above one half, by position; they never overlap."""
        return [(span, p) for span, p in self.probabilities.spans.items() if p > _LIKELY]

    def _draw(self, ax: Axes | None) -> Axes:
        return _draw_token_bars(
            [token.text for token in self.probabilities.token_axis],
            self.probabilities.token_probabilities,
            self.probabilities.label_axis,
            order=self.labels,
            known=self.colors,
            title=self._headline(),
            ax=ax,
        )

    def _headline(self) -> str:
        if not self.probabilities.spans:
            return "No span is probable here"
        span, probability = min(
            self.probabilities.spans.items(), key=lambda item: abs(item[1] - _LIKELY)
        )
        return (
            f"{plural(len(self.likely_spans), 'likely span')}; most doubtful: {span.label} "
            f'"{_shorten(self.text[span.start : span.end])}", {probability:.2f}'
        )

    def __str__(self) -> str:
        lines = [
            f"{span.label} {probability:.3f} {self.text[span.start : span.end]!r}"
            for span, probability in self.likely_spans
        ]
        return "\n".join([f"{self._head()}; more probable than not:", *(lines or ["none"])])

    def _head(self) -> str:
        known = self.probabilities
        return (
            f"{plural(len(known.spans), 'span')} with a probability of "
            f"{known.min_probability:g} or more, in {plural(len(known.token_axis), 'token')}"
        )

    def _repr_html_(self) -> str:
        size = len(self.probabilities.spans)
        shown = f"; the {_MAX_ROWS} most probable" if size > _MAX_ROWS else ""
        return render_html(f"{self._head()}{shown}", self.frame.head(_MAX_ROWS))


def _shorten(words: str) -> str:
    return words if len(words) <= 24 else f"{words[:23]}…"


_MAX_ROWS = 20  # rows of the table in a cell
_MAX_TOKENS = 60  # tokens in one picture
_INCHES_PER_TOKEN = 0.24  # a token
_MAX_BAR_NAME = 24  # characters
_MIN_VISIBLE = 0.01
_MIN_LABELLED = 0.25


def _draw_token_bars(
    words: Sequence[str],
    probabilities: FloatArray,
    labels: Sequence[str],
    *,
    order: Sequence[str] = (),
    known: Mapping[str, str] = MappingProxyType({}),
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw stacked bars of the label probabilities of each token.

    Each label is named at its most probable token.

    Parameters
    ----------
    words : sequence of str
        The tokens; of a long text the first 60 are drawn.
    probabilities : array, shape (tokens, labels)
        Probability of each label at each token.
    labels : sequence of str
        Labels of the columns; the last one, no label, is left blank.
    order : sequence of str
        Labels in the order of their colors; by default that of ``labels``.
    known : mapping
        Colors of labels that have one.
    title : str, optional
        By default the number of tokens.
    ax : Axes, optional
        Axes to draw on; new ones by default.
    """
    shown = min(len(words), _MAX_TOKENS)
    if ax is None:
        ax = new_axes(
            width=max(FIGURE_SIZE[0], 1.2 + _INCHES_PER_TOKEN * shown), height=3.0, has_rows=True
        )
    named = [*order, *(label for label in labels[:-1] if label not in order)]
    colors = label_colors(named, known)
    below = probabilities[:shown, :1] * 0.0
    for label, column in zip(labels[:-1], probabilities[:shown, :-1].T, strict=True):
        if len(column) and column.max() >= _MIN_VISIBLE:
            base = below[:, 0]
            ax.bar(range(shown), column, bottom=base, width=0.85, color=colors[label])
            at = int(column.argmax())
            if column[at] >= _MIN_LABELLED:
                _label_bar(ax, label, at, float(probabilities[at, :-1].sum()))
            below = below + column[:, None]
    name_ticks(ax.xaxis, [_shorten_word(word) for word in words[:shown]])
    ax.tick_params(axis="x", rotation=90, length=0)
    ax.set_xlim(-0.6, max(1, shown) - 0.4)
    ax.set_ylim(0, 1.25)
    ax.set_yticks([0, 0.5, 1])
    ax.set_ylabel("probability of a label")
    if shown < len(words):
        ax.set_xlabel(f"the first {shown:,} of {plural(len(words), 'token')}")
    return apply_style(ax, title or f"The labels of {plural(shown, 'token')}")


def _label_bar(ax: Axes, label: str, x: int, y: float) -> None:
    ax.annotate(
        drawable(label, _MAX_BAR_NAME),
        (x, y),
        xytext=(0, 3),
        textcoords="offset points",
        rotation=30,
        ha="left",
        fontsize=8,
        color=INK_COLOR,
        **PLAIN_TEXT,
    )


def _shorten_word(word: str) -> str:
    written = word if word.strip() else "␣"
    return written if len(written) <= 14 else f"{written[:13]}…"
