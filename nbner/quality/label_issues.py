"""Label issues: gold that a model which was not trained on it finds improbable.

Every gold span is compared with the likeliest alternative: another span that
overlaps it, or no entity. Every likely span where gold has none is compared
with no entity. The score is the margin between the two probabilities, the
"normalized margin" of Northcutt, Jiang and Chuang (2021, "Confident learning"),
computed over spans with exact marginals instead of over tokens.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from html import escape
from typing import TYPE_CHECKING, Literal, TypeAlias, overload

from nbner._common.colors import label_colors
from nbner._common.format import plural, scrollable
from nbner._common.plot_style import (
    ACCENT_COLOR,
    INK_COLOR,
    OWN_TITLE,
    ROW_HEIGHT,
    SCREEN,
    PlotStyle,
    apply_style,
    count_axis,
    name_ticks,
    new_axes,
    plot_look,
)
from nbner._common.result import Result
from nbner._common.span_html import highlight_spans
from nbner._common.widget_protocols import AnnotatorWidget
from nbner.errors import DataError
from nbner.types import Example, Span

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

LabelIssueKind: TypeAlias = Literal["other_label", "other_borders", "no_entity", "missed"]
LABEL_ISSUE_KINDS: tuple[LabelIssueKind, ...] = (
    "other_label",
    "other_borders",
    "no_entity",
    "missed",
)

COLUMNS = (
    *("score", "kind", "words", "label", "probability"),
    *("suggested_words", "suggested_label", "suggested_probability"),
    *("start", "end", "suggested_start", "suggested_end", "split", "input_hash", "text"),
)
NO_ENTITY = "no entity"
_MAX_ROWS = 20  # issues in the HTML of a result
_MAX_BARS = 12  # label changes in a plot


@dataclass(frozen=True, slots=True)
class LabelIssue:
    """A gold span, or a place without one, that is less likely than an alternative.

    Parameters
    ----------
    example : Example
        The example with its gold.
    kind : {"other_label", "other_borders", "no_entity", "missed"}
        How the alternative differs from gold.
    gold : Span, optional
        The gold span; None where gold has none.
    suggested : Span, optional
        The alternative; None where that is no entity.
    gold_probability : float
        Probability of the gold annotation.
    suggested_probability : float
        Probability of the alternative.
    """

    example: Example = field(repr=False)
    kind: LabelIssueKind
    gold: Span | None
    suggested: Span | None
    gold_probability: float
    suggested_probability: float

    @property
    def score(self) -> float:
        """Probability of the alternative minus that of gold, above 0 and up to 1."""
        return self.suggested_probability - self.gold_probability

    @property
    def place(self) -> tuple[int, int]:
        """Start and end of the gold span, or else of the suggested one, in code points."""
        span = self.gold or self.suggested
        assert span is not None  # noqa: S101 - for the type checker: one of them is there
        return span.start, span.end


#: Opens the examples of some issues in the annotator.
OpenIssues: TypeAlias = Callable[[Sequence[LabelIssue]], AnnotatorWidget]


def find_label_issues(
    example: Example, spans: Mapping[Span, float], outside: Sequence[float]
) -> list[LabelIssue]:
    """Find where gold is less likely than an alternative.

    Parameters
    ----------
    example : Example
        Tokenized, with complete gold.
    spans : mapping of Span to float
        The likely spans of the text with their probabilities.
    outside : sequence of float, shape (tokens,)
        The probability that a token belongs to no entity. The minimum over the
        tokens of a span is an upper bound of the probability of no entity.

    Returns
    -------
    list of LabelIssue
        Unsorted. Labels that did not exist when the example was answered are
        ignored.
    """
    likely = {
        span: probability
        for span, probability in spans.items()
        if example.labels is None or span.label in example.labels
    }
    no_entity = _NoEntityProbability(example, outside)
    found = [_issue_of_span(example, span, likely, no_entity) for span in example.spans]
    found += _missed_spans(example, likely, no_entity)
    return [one for one in found if one.score > 0]


def rank_issues(issues: Iterable[LabelIssue]) -> list[LabelIssue]:
    """Sort issues by score, the highest first.

    Parameters
    ----------
    issues : iterable of LabelIssue
        In any order.
    """
    return sorted(issues, key=lambda one: -one.score)


def apply_suggestions(spans: Sequence[Span], issues: Iterable[LabelIssue]) -> tuple[Span, ...]:
    """Replace gold by the alternatives of some issues.

    Parameters
    ----------
    spans : sequence of Span
        Gold of one example.
    issues : iterable of LabelIssue
        Issues of that example.

    Returns
    -------
    tuple of Span
        Sorted; spans that overlap an inserted one are removed.
    """
    kept = list(spans)
    for one in issues:
        new = one.suggested
        kept = [span for span in kept if span != one.gold]
        if new is not None:
            kept = [span for span in kept if not _overlap(span, new)]
            kept.append(Span(new.start, new.end, new.label))
    return tuple(sorted(kept, key=lambda span: span.start))


class _NoEntityProbability:
    """Upper bound of the probability that there is no entity in a range."""

    def __init__(self, example: Example, outside: Sequence[float]) -> None:
        self._tokens = example.tokens
        self._outside = outside

    def at(self, span: Span) -> float:
        return min(
            (
                probability
                for token, probability in zip(self._tokens, self._outside, strict=True)
                if token.start < span.end and span.start < token.end
            ),
            default=0.0,
        )


def _issue_of_span(
    example: Example, gold: Span, likely: Mapping[Span, float], no_entity: _NoEntityProbability
) -> LabelIssue:
    """Compare a gold span with its likeliest alternative."""
    alternatives: list[tuple[float, Span | None]] = [
        (probability, span)
        for span, probability in likely.items()
        if span != gold and _overlap(span, gold)
    ]
    alternatives.append((no_entity.at(gold), None))
    probability, suggested = max(alternatives, key=lambda one: one[0])
    return LabelIssue(
        example,
        _kind(gold, suggested),
        gold,
        suggested,
        likely.get(gold, 0.0),
        float(probability),
    )


def _missed_spans(
    example: Example, likely: Mapping[Span, float], no_entity: _NoEntityProbability
) -> list[LabelIssue]:
    """Find likely spans where gold has none; of those that overlap, the likeliest."""
    missed: list[LabelIssue] = []
    taken = list(example.spans)
    for span, probability in sorted(likely.items(), key=lambda item: -item[1]):
        if any(_overlap(span, other) for other in taken):
            continue
        taken.append(span)
        missed.append(
            LabelIssue(example, "missed", None, span, no_entity.at(span), float(probability))
        )
    return missed


def _kind(gold: Span, suggested: Span | None) -> LabelIssueKind:
    if suggested is None:
        return "no_entity"
    same_borders = (gold.start, gold.end) == (suggested.start, suggested.end)
    return "other_label" if same_borders else "other_borders"


def _overlap(one: Span, other: Span) -> bool:
    return one.start < other.end and other.start < one.end


@dataclass(frozen=True, slots=True)
class LabelIssues(Result):
    """The label issues of a split, the highest score first.

    ``issues[:100]`` holds the first hundred,
    ``issues.where(lambda one: one.kind == "missed")`` a selection; each can be
    opened in the annotator.

    Parameters
    ----------
    issues : tuple of LabelIssue
        The issues, the highest score first.
    split : str
        Name of the split.
    n : int
        Number of examples checked.
    n_spans : int
        Number of gold spans in them.
    folds : int
        Number of models that were trained; 0 for the model in use.
    fold_f : tuple of float or None
        Dev F of each model; None is undefined.
    open_widget : callable, optional
        Opens the examples of some issues in the annotator.
    colors : mapping, optional
        Label to color, as the session shows it.
    """

    issues: tuple[LabelIssue, ...] = field(repr=False)
    split: str
    n: int
    n_spans: int
    folds: int
    fold_f: tuple[float | None, ...] = ()
    open_widget: OpenIssues | None = field(default=None, repr=False, compare=False)
    colors: Mapping[str, str] = field(default_factory=dict, kw_only=True, repr=False, compare=False)

    def __len__(self) -> int:
        return len(self.issues)

    def __iter__(self) -> Iterator[LabelIssue]:
        return iter(self.issues)

    @overload
    def __getitem__(self, at: int) -> LabelIssue: ...

    @overload
    def __getitem__(self, at: slice) -> LabelIssues: ...

    def __getitem__(self, at: int | slice) -> LabelIssue | LabelIssues:
        return replace(self, issues=self.issues[at]) if isinstance(at, slice) else self.issues[at]

    def where(self, condition: Callable[[LabelIssue], bool]) -> LabelIssues:
        """Select the issues that meet a condition.

        Parameters
        ----------
        condition : callable
            From an issue to a bool.
        """
        return replace(self, issues=tuple(one for one in self.issues if condition(one)))

    @property
    def examples(self) -> list[Example]:
        """The examples of the issues, each once, the highest score first."""
        return list({one.example.input_hash: one.example for one in self.issues}.values())

    @property
    def frame(self) -> pd.DataFrame:
        """One row an issue, the highest score first.

        ``score`` (the margin), ``kind``, the gold annotation (``words``,
        ``label``, ``probability``) and the alternative (the same with
        ``suggested_``); ``start`` and ``end`` in code points, ``split``,
        ``input_hash``, ``text``.
        """
        import pandas as pd

        return pd.DataFrame([_row(one) for one in self.issues], columns=list(COLUMNS))

    @property
    def label_changes(self) -> pd.DataFrame:
        """How often one label should be another: ``given``, ``suggested``, ``count``."""
        import pandas as pd

        counts = Counter((_label(one.gold), _label(one.suggested)) for one in self.issues)
        rows = [(*pair, count) for pair, count in counts.most_common()]
        return pd.DataFrame(rows, columns=["given", "suggested", "count"])

    def plot(
        self,
        ax: Axes | None = None,
        *,
        title: str | None = OWN_TITLE,
        style: PlotStyle = SCREEN,
        width: float | None = None,
    ) -> Axes:
        """Draw the most frequent pairs of gold label and suggested label.

        Parameters
        ----------
        ax : Axes, optional
            By default new axes.
        title : str, optional
            By default the finding; None for no title.
        style : {"screen", "paper"}
            "paper" is for a column of print: dark ink, the fonts of the rcParams, no title.
        width : float, optional
            Width of a new figure in inches; on paper 3.25 by default.
        """
        with plot_look(ax=ax, title=title, style=style, width=width):
            finding = str(self).split("\n", maxsplit=1)[0]
            return _draw_label_changes(self.label_changes, title=finding, ax=ax)

    def open(self) -> AnnotatorWidget:
        """Open the examples in the annotator, the highest score first.

        Each example is shown with its gold; improbable spans are dashed, with
        their probability. The suggested annotation is listed below the text,
        and ``v`` takes it over. ``a`` accepts the example, changed or not.

        Raises
        ------
        DataError
            There is no issue, or no session to open it in.
        """
        if not self.issues or self.open_widget is None:
            raise DataError(
                "there is no label issue to open",
                remedy="Call session.quality.label_issues(...) again",
            )
        return self.open_widget(self.issues)

    def __str__(self) -> str:
        if not self.n_spans:
            return f"There is no gold span in {plural(self.n, 'example')} of {self.split}"
        n_gold = sum(one.gold is not None for one in self.issues)
        models = (
            f"{plural(self.folds, 'model')} trained on the other folds"
            if self.folds
            else "the model in use"
        )
        lines = [
            (
                f"{n_gold:,} of {plural(self.n_spans, 'gold span')} contradicted, the most suspect "
                f"first, and {len(self) - n_gold:,} missed"
            ),
            (
                f"In {len(self.examples):,} of {plural(self.n, 'example')} of {self.split}, by "
                f"{models}"
            ),
        ]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        labels = {span.label for one in self.issues for span in (one.gold, one.suggested) if span}
        colors = label_colors(sorted(labels), self.colors)
        rows = "".join(_html_row(one, colors) for one in self.issues[:_MAX_ROWS])
        more = len(self) - _MAX_ROWS
        rest = f"<div>and {more:,} more, in .frame and .open()</div>" if more > 0 else ""
        table = scrollable(f'<table style="text-align:left">{rows}</table>') if rows else ""
        head = "".join(f"<div>{escape(line)}</div>" for line in str(self).splitlines())
        return f"<div>{head}{table}{rest}</div>"


def _label(span: Span | None) -> str:
    return NO_ENTITY if span is None else span.label


def _row(one: LabelIssue) -> tuple[object, ...]:
    text, gold, new = one.example.text, one.gold, one.suggested
    words, new_words = (
        None if span is None else text[span.start : span.end] for span in (gold, new)
    )
    return (
        *(one.score, one.kind, words, None if gold is None else gold.label, one.gold_probability),
        *(new_words, None if new is None else new.label, one.suggested_probability),
        *one.place,
        *((None, None) if new is None else (new.start, new.end)),
        *(one.example.split, one.example.input_hash, text),
    )


def _html_row(one: LabelIssue, colors: dict[str, str]) -> str:
    cells = [
        f'<td style="white-space:pre-wrap">'
        f"{highlight_spans(one.example.text, [] if span is None else [span], colors)}</td>"
        for span in (one.gold, one.suggested)
    ]
    probabilities = f"{one.gold_probability:.2f} → {one.suggested_probability:.2f}"
    kind = escape(one.kind.replace("_", " "))
    return f"<tr><td>{kind}<br><small>{probabilities}</small></td>{''.join(cells)}</tr>"


def _draw_label_changes(changes: pd.DataFrame, *, title: str, ax: Axes | None = None) -> Axes:
    """Draw a bar for each pair of labels, as `LabelIssues.label_changes` has them."""
    shown = changes.head(_MAX_BARS)
    ax = new_axes(height=1.2 + ROW_HEIGHT * max(4, len(shown)), has_rows=True) if ax is None else ax
    names = [
        f"{given}, other borders" if given == suggested else f"{given} → {suggested}"
        for given, suggested in zip(shown["given"], shown["suggested"], strict=True)
    ]
    bars = ax.barh(range(len(shown)), list(shown["count"]), color=ACCENT_COLOR, height=0.6)
    ax.bar_label(
        bars, [f"{count:,}" for count in shown["count"]], padding=4, color=INK_COLOR, fontsize=8
    )
    name_ticks(ax.yaxis, names)
    ax.set_ylim(max(4, len(shown)) - 0.4, -0.6)
    ax.margins(x=0.12)
    rest = int(changes["count"].sum() - shown["count"].sum())
    count_axis(ax.xaxis)
    ax.set_xlabel("label issues" + (f" ({rest:,} of rarer kinds not shown)" if rest else ""))
    return apply_style(ax, title)
