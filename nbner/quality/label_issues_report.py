"""Report of the label issues of a split: rows, labels, text, HTML and plot."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from html import escape
from typing import TYPE_CHECKING, TypeAlias, overload

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
from nbner._common.result import FigureResult
from nbner._common.span_html import highlight_spans
from nbner._common.widget_protocols import AnnotatorWidget
from nbner.errors import DataError
from nbner.quality.label_doubt import LabelDoubt
from nbner.quality.label_issues import LabelIssue, label_of
from nbner.types import Example

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

COLUMNS = (
    *("score", "kind", "words", "label", "probability"),
    *("suggested_words", "suggested_label", "suggested_probability", "signals", "reason"),
    *("start", "end", "suggested_start", "suggested_end", "split", "input_hash", "text"),
)
_MAX_ROWS = 20  # issues in the HTML of a result
_MAX_BARS = 12  # label changes in a plot

#: Opens the examples of some issues in the annotator.
OpenIssues: TypeAlias = Callable[[Sequence[LabelIssue]], AnnotatorWidget]


@dataclass(frozen=True, slots=True)
class LabelIssues(FigureResult):
    """The label issues of a split, the most suspect first.

    ``issues[:100]`` holds the first hundred,
    ``issues.where(lambda one: one.kind == "missed")`` a selection; each can be
    opened in the annotator.

    ``plot()`` draws the most frequent pairs of gold label and suggested label.

    Parameters
    ----------
    issues : tuple of LabelIssue
        The issues, the most suspect first.
    split : str
        Name of the split.
    n : int
        Number of examples checked.
    n_spans : int
        Number of gold spans in them.
    folds : int
        Number of folds of the split; 0 for the model in use.
    fold_f : tuple of float or None
        Dev F of each model; None is undefined.
    open_widget : callable, optional
        Opens the examples of some issues in the annotator.
    colors : mapping, optional
        Label to color, as the session shows it.
    learners : tuple of str
        The learners whose models were asked; empty for the model in use.
    n_models : int
        Number of models that were trained.
    doubts : tuple of LabelDoubt
        Doubt about each label as a whole, the most doubted first.
    is_complete : bool
        Whether all models were trained; False after an interrupt.
    """

    issues: tuple[LabelIssue, ...] = field(repr=False)
    split: str
    n: int
    n_spans: int
    folds: int
    fold_f: tuple[float | None, ...] = ()
    open_widget: OpenIssues | None = field(default=None, repr=False, compare=False)
    colors: Mapping[str, str] = field(default_factory=dict, kw_only=True, repr=False, compare=False)
    learners: tuple[str, ...] = field(default=(), kw_only=True)
    n_models: int = field(default=0, kw_only=True)
    doubts: tuple[LabelDoubt, ...] = field(default=(), kw_only=True, repr=False)
    is_complete: bool = field(default=True, kw_only=True)

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
        """The examples of the issues, each once, the most suspect first."""
        return list({one.example.input_hash: one.example for one in self.issues}.values())

    @property
    def frame(self) -> pd.DataFrame:
        """One row an issue, the most signals first, and of these the highest score.

        ``score``, ``kind``, the gold annotation (``words``, ``label``,
        ``probability``) and the alternative (the same with ``suggested_``);
        ``signals``, what speaks for the alternative: "models" (they find it
        likelier), "confidence" (they are as sure of it as they are of its label
        elsewhere) and "words" (the same words at other places); ``reason``, what
        they say; ``start`` and ``end`` in code points, ``split``, ``input_hash``,
        ``text``.
        """
        import pandas as pd

        return pd.DataFrame([_row(one) for one in self.issues], columns=list(COLUMNS))

    @property
    def per_label(self) -> pd.DataFrame:
        """Doubt about each label as a whole, the most doubted first.

        ``label``, ``spans``, ``contradicted`` (those for which every learner finds
        another annotation likelier), ``share``, ``mean_probability`` of its gold
        spans, ``alternative`` (the most frequent one) and ``is_doubted``: whether
        that is a matter of the label's definition.
        """
        import pandas as pd

        names = ("label", "spans", "contradicted", "share", "mean_probability", "alternative")
        columns = [*names, "is_doubted"]
        rows = [[getattr(one, name) for name in columns] for one in self.doubts]
        return pd.DataFrame(rows, columns=columns)

    @property
    def label_changes(self) -> pd.DataFrame:
        """How often one label should be another: ``given``, ``suggested``, ``count``."""
        import pandas as pd

        counts = Counter((label_of(one.gold), label_of(one.suggested)) for one in self.issues)
        rows = [(*pair, count) for pair, count in counts.most_common()]
        return pd.DataFrame(rows, columns=["given", "suggested", "count"])

    def _draw(self, ax: Axes | None) -> Axes:
        finding = str(self).split("\n", maxsplit=1)[0]
        return _draw_label_changes(self.label_changes, title=finding, ax=ax)

    def open(self) -> AnnotatorWidget:
        """Open the examples in the annotator, the most suspect first.

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
        lines = [
            (
                f"{n_gold:,} of {plural(self.n_spans, 'gold span')} contradicted, the most suspect "
                f"first, and {len(self) - n_gold:,} missed"
            ),
            (
                f"In {len(self.examples):,} of {plural(self.n, 'example')} of {self.split}, by "
                f"{self._models()}"
            ),
            *(f"{one}" for one in self.doubts if one.is_doubted),
        ]
        if not self.is_complete:
            lines.append("Stopped before all models were trained: these are the issues by the rest")
        return "\n".join(lines)

    def _models(self) -> str:
        if not self.folds:
            return "the model in use"
        kinds = f" ({', '.join(self.learners)})" if self.learners else ""
        return f"{plural(self.n_models or self.folds, 'model')}{kinds} trained on the other folds"

    def _repr_html_(self) -> str:
        labels = {span.label for one in self.issues for span in (one.gold, one.suggested) if span}
        colors = label_colors(sorted(labels), self.colors)
        rows = "".join(_html_row(one, colors) for one in self.issues[:_MAX_ROWS])
        more = len(self) - _MAX_ROWS
        rest = f"<div>and {more:,} more, in .frame and .open()</div>" if more > 0 else ""
        table = scrollable(f'<table style="text-align:left">{rows}</table>') if rows else ""
        head = "".join(f"<div>{escape(line)}</div>" for line in str(self).splitlines())
        return f"<div>{head}{table}{rest}</div>"


def _row(one: LabelIssue) -> tuple[object, ...]:
    text, gold, new = one.example.text, one.gold, one.suggested
    words, new_words = (
        None if span is None else text[span.start : span.end] for span in (gold, new)
    )
    return (
        *(one.score, one.kind, words, None if gold is None else gold.label, one.gold_probability),
        *(new_words, None if new is None else new.label, one.suggested_probability),
        *(", ".join(one.signals), one.reason),
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
    reason = f"<td><small>{escape(one.reason)}</small></td>"
    return f"<tr><td>{kind}<br><small>{probabilities}</small></td>{''.join(cells)}{reason}</tr>"


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
