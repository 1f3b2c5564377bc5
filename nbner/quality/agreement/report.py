"""How far people agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nbner._common.format import format_number, render_html
from nbner.quality.agreement.scores import AgreementScores, AnnotatedText, Figure, GroupAgreement

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_FIGURES = ("exact", "relaxed", "kappa", "alpha")


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far annotators agree; the definitions stand in ``nbner.quality.agreement.scores``.

    Parameters
    ----------
    scores : AgreementScores
    texts : tuple of AnnotatedText
        The texts, in the order in which they were measured.
    split : str, optional
    """

    scores: AgreementScores
    texts: tuple[AnnotatedText, ...] = field(repr=False)
    split: str | None = None

    @property
    def n(self) -> int:
        """Texts that at least two people accepted."""
        return self.scores.overall.n

    @property
    def f(self) -> float | None:
        """Exact span F over all pairs; None where nobody found a span."""
        return self.scores.overall.exact.value

    @property
    def relaxed(self) -> float | None:
        """F over spans that overlap with one label; None where nobody found a span."""
        return self.scores.overall.relaxed.value

    @property
    def kappa(self) -> float | None:
        """Cohen's kappa over tokens, the mean over pairs; None where undefined."""
        return self.scores.overall.kappa.value

    @property
    def alpha(self) -> float | None:
        """Krippendorff's nominal alpha over tokens; None where undefined."""
        return self.scores.overall.alpha.value

    @property
    def frame(self) -> pd.DataFrame:
        """One row a pair of annotators, and one for all of them.

        Returns
        -------
        DataFrame
            ``annotators``, ``n`` (texts), ``spans``, and ``exact``,
            ``relaxed``, ``kappa``, ``alpha``, each with ``_low`` and ``_high``.
        """
        rows = {"all": self.scores.overall}
        pairs = {" / ".join(pair): one for pair, one in self.scores.pairs.items()}
        return _frame("annotators", {**pairs, **rows})

    @property
    def per_label(self) -> pd.DataFrame:
        """One row a label, set against everything else; the columns of ``frame``."""
        return _frame("label", self.scores.labels)

    @property
    def disputed(self) -> pd.DataFrame:
        """The texts on which people differ, the most disputed first.

        Returns
        -------
        DataFrame
            ``text``, ``differing`` (spans that one of a pair has and the other
            has not), ``f``, and a column an annotator with ``(text, label)`` of
            their spans; None where they did not judge it.
        """
        import pandas as pd

        people = sorted({name for one in self.texts for name in one.spans})
        rows = []
        for one in self.scores.disputed:
            rated = self.texts[one.position]
            found = [_spans(rated, name) for name in people]
            rows.append([rated.text, one.differing, one.f, *found])
        return pd.DataFrame(rows, columns=["text", "differing", "f", *people])

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw exact F and its interval for every label, the worst at the bottom."""
        from nbner.quality.agreement.plot import draw_agreement

        return draw_agreement(self.per_label, title=self._headline(), ax=ax)

    def _headline(self) -> str:
        return f"Span F {format_number(self.f)} between people, over {self.n:,} texts"

    def __str__(self) -> str:
        overall = self.scores.overall
        people = sorted({name for pair in self.scores.pairs for name in pair})
        said = ", ".join(
            f"{name} {_interval(getattr(overall, key))}"
            for key, name in zip(_FIGURES, ("exact F", "relaxed F", "kappa", "alpha"), strict=True)
        )
        return (
            f"{said}, over {self.n:,} texts that at least two of {', '.join(people)} accepted\n"
            f"{len(self.scores.disputed):,} texts are disputed; F is over spans, kappa and alpha "
            "over tokens; intervals are 95%, by bootstrap over texts"
        )

    def _repr_html_(self) -> str:
        return render_html(str(self), self.frame)


def _frame(name: str, rows: Mapping[str, GroupAgreement]) -> pd.DataFrame:
    import pandas as pd

    parts = [f"{key}{end}" for key in _FIGURES for end in ("", "_low", "_high")]
    table: list[Sequence[Any]] = []
    for label, one in rows.items():
        figures: list[Figure] = [getattr(one, key) for key in _FIGURES]
        values = [value for figure in figures for value in (figure.value, figure.low, figure.high)]
        table.append([label, one.n, one.spans, *values])
    frame = pd.DataFrame(table, columns=[name, "n", "spans", *parts])
    return frame.astype(dict.fromkeys(parts, "float64"))


def _spans(rated: AnnotatedText, annotator: str) -> list[tuple[str, str]] | None:
    spans = rated.spans.get(annotator)
    if spans is None:
        return None
    return [(rated.text[span.start : span.end], span.label) for span in spans]


def _interval(figure: Figure) -> str:
    if figure.low is None or figure.high is None:
        return format_number(figure.value)
    value, low, high = map(format_number, (figure.value, figure.low, figure.high))
    return f"{value} ({low} to {high})"
