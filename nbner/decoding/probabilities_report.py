"""What the model thinks of every span and token of a text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nbner._common.format import render_html

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from nbner.decoding.probabilities import SpanProbabilities
    from nbner.types import Span

_SPAN_COLUMNS = [
    *("start", "end", "token_start", "token_end"),
    *("text", "label", "probability"),
]
_LIKELY = 0.5


@dataclass(frozen=True, slots=True)
class TextProbabilities:
    """The exact probability of every span of a text, and of every token's label.

    Parameters
    ----------
    probabilities : SpanProbabilities
    labels : tuple of str
        In the session's order, for the colours.
    """

    probabilities: SpanProbabilities
    labels: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The text."""
        return self.probabilities.text

    @property
    def frame(self) -> pd.DataFrame:
        """One row a span, the most probable first.

        ``start``, ``end`` (code points, half-open), ``token_start``,
        ``token_end`` (half-open), ``text``, ``label``, ``probability``. Spans
        below ``known.floor`` have no row.
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

        The last column, "O", is that of no label. The probabilities of a row
        add up to 1.
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
        """The spans that are more probable than not, by place; they never overlap."""
        return [(span, p) for span, p in self.probabilities.spans.items() if p > _LIKELY]

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the probability of each token's label."""
        from nbner.decoding.probabilities_plot import token_bars

        return token_bars(
            [token.text for token in self.probabilities.token_axis],
            self.probabilities.token_probabilities,
            self.probabilities.label_axis,
            order=self.labels,
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
            f"{len(self.likely_spans)} likely spans; most doubtful: {span.label} "
            f'"{_shorten(self.text[span.start : span.end])}", {probability:.2f}'
        )

    def __str__(self) -> str:
        lines = [
            f"{span.label} {probability:.3f} {self.text[span.start : span.end]!r}"
            for span, probability in self.likely_spans
        ]
        head = (
            f"{len(self.probabilities.spans):,} spans of {len(self.probabilities.token_axis):,} tokens have a "
            f"probability of {self.probabilities.min_probability:g} or more; more probable than not:"
        )
        return "\n".join([head, *(lines or ["none"])])

    def _repr_html_(self) -> str:
        return render_html(str(self).splitlines()[0], self.frame.head(20))


def _shorten(words: str) -> str:
    return words if len(words) <= 24 else f"{words[:23]}…"
