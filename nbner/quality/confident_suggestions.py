"""Open texts whose every suggestion is probable: a list with the expected errors, and its bulk act.

The list comes first. What is accepted from it was not looked at, so that every
such answer is marked, and is left out where a model is measured.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from html import escape
from typing import TYPE_CHECKING, TypeAlias

from nbner._common.colors import label_colors
from nbner._common.format import plural, scrollable
from nbner._common.plot_style import (
    ACCENT_COLOR,
    INK_COLOR,
    apply_style,
    label_lines,
    new_axes,
)
from nbner._common.result import FigureResult
from nbner._common.span_html import highlight_spans
from nbner._common.undoable import UndoableAct
from nbner._common.widget_protocols import AnnotatorWidget
from nbner.errors import DataError
from nbner.types import Example, Span

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

COLUMNS = (
    *("lowest_probability", "spans", "expected_wrong", "expected_missed"),
    *("split", "input_hash", "text"),
)
CURVE_COLUMNS = ("min_probability", "texts", "spans", "expected_wrong", "expected_missed")
_MAX_ROWS = 20  # texts in the HTML of a result


@dataclass(frozen=True, slots=True)
class SuggestedText:
    """An open text with what the model suggests, and the errors to expect in that.

    Parameters
    ----------
    example : Example
        The text; its spans are the suggestions, each with its probability as
        ``score``.
    expected_missed : float
        Sum of the probabilities of all spans that are not suggested.
    """

    example: Example
    expected_missed: float

    @property
    def probabilities(self) -> tuple[float, ...]:
        """Probability of each suggested span."""
        return tuple(span.score or 0.0 for span in self.example.spans)

    @property
    def lowest(self) -> float:
        """The lowest probability of a suggested span; 1 where there is none."""
        return min(self.probabilities, default=1.0)

    @property
    def expected_wrong(self) -> float:
        """Expected number of suggested spans that are wrong."""
        return sum(1 - one for one in self.probabilities)


#: Accepts texts with their spans as one batch; returns the batch's id and the number accepted.
AcceptTexts: TypeAlias = Callable[[Sequence[Example]], tuple[str, int]]
#: Undoes a batch by its id, and returns the number of texts that are open again.
UndoBatch: TypeAlias = Callable[[str], int]
#: Opens the annotator on some texts.
OpenTexts: TypeAlias = Callable[[Sequence[Example]], AnnotatorWidget]


@dataclass(frozen=True, slots=True)
class BulkBackend:
    """Functions of the session that accept texts, undo that, and open them.

    Parameters
    ----------
    accept : callable
        Accepts texts as one batch.
    undo : callable
        Undoes a batch.
    open_widget : callable
        Opens the annotator on some texts.
    """

    accept: AcceptTexts
    undo: UndoBatch
    open_widget: OpenTexts


@dataclass(frozen=True, slots=True)
class BulkAcceptance(UndoableAct):
    """Texts that were accepted as one batch, without being looked at.

    Parameters
    ----------
    accepted : int
        Number of texts that were accepted.
    skipped : int
        Number of texts that were answered since the list was made, and keep
        that answer.
    """

    accepted: int
    skipped: int

    def __str__(self) -> str:
        skipped = (
            f"; {plural(self.skipped, 'text was', 'texts were')} answered meanwhile and "
            f"{'keeps its answer' if self.skipped == 1 else 'keep their answers'}"
            if self.skipped
            else ""
        )
        return (
            f"{plural(self.accepted, 'text is', 'texts are')} accepted unseen{skipped}; .undo() "
            f"opens {'it' if self.accepted == 1 else 'them'} again. No figure of evaluate() counts "
            f"{'it' if self.accepted == 1 else 'them'}, training does"
        )


def accept_unseen(backend: BulkBackend, examples: Sequence[Example]) -> BulkAcceptance:
    """Accept texts with their spans as one act that can be undone, marked as not looked at.

    Parameters
    ----------
    backend : BulkBackend
        Of the session.
    examples : sequence of Example
        The texts. One that has been answered since keeps its answer.
    """
    batch_id, accepted = backend.accept(examples)
    undo = partial(backend.undo, batch_id)
    return BulkAcceptance(accepted, len(examples) - accepted, _undo=undo)


@dataclass(frozen=True, slots=True)
class ConfidentSuggestions(FigureResult):
    """Open texts whose every suggestion is at least as probable as asked.

    ``plot()`` draws the expected errors by the number of texts accepted, and the threshold
    asked for.

    Parameters
    ----------
    texts : tuple of SuggestedText
        The texts, the least sure first.
    open_texts : tuple of SuggestedText
        All open texts, in their order; `curve` shows other thresholds on them.
    min_probability : float
        The threshold.
    split : str
        The split.
    model : str
        The model, in words.
    is_calibrated : bool
        Whether the model's probabilities were calibrated on held-out gold.
    include_empty : bool
        Whether texts without a suggestion are among the texts.
    drafts : int
        Number of undecided texts with a draft, which are left out.
    backend : BulkBackend, optional
        Functions that accept and open texts; None without a session.
    colors : mapping, optional
        Label to color, as the session shows it.
    """

    texts: tuple[SuggestedText, ...] = field(repr=False)
    open_texts: tuple[SuggestedText, ...] = field(repr=False)
    min_probability: float
    split: str
    model: str
    is_calibrated: bool
    include_empty: bool = False
    drafts: int = 0
    backend: BulkBackend | None = field(default=None, repr=False, compare=False)
    colors: Mapping[str, str] = field(default_factory=dict, kw_only=True, repr=False, compare=False)

    def __len__(self) -> int:
        return len(self.texts)

    def __iter__(self) -> Iterator[SuggestedText]:
        return iter(self.texts)

    @property
    def examples(self) -> list[Example]:
        """The texts with the suggested spans, each with its probability as ``score``."""
        return [one.example for one in self.texts]

    @property
    def expected_wrong(self) -> float:
        """Expected number of suggested spans in these texts that are wrong."""
        return sum(one.expected_wrong for one in self.texts)

    @property
    def expected_missed(self) -> float:
        """Expected number of spans in these texts that are not suggested."""
        return sum(one.expected_missed for one in self.texts)

    @property
    def frame(self) -> pd.DataFrame:
        """One row a text, the least sure first.

        ``lowest_probability`` (of its suggestions; empty without any), ``spans``,
        ``expected_wrong`` (suggested spans), ``expected_missed`` (spans that are
        not suggested), ``split``, ``input_hash``, ``text``.
        """
        import pandas as pd

        rows = [
            (
                one.lowest if one.example.spans else None,
                *(len(one.example.spans), one.expected_wrong, one.expected_missed),
                *(one.example.split, one.example.input_hash, one.example.text),
            )
            for one in self.texts
        ]
        return pd.DataFrame(rows, columns=list(COLUMNS))

    @property
    def curve(self) -> pd.DataFrame:
        """Texts and expected errors by threshold: one row a threshold, the highest first.

        ``min_probability``, ``texts``, ``spans``, ``expected_wrong``,
        ``expected_missed``.
        """
        import pandas as pd

        chosen = [one for one in self.open_texts if one.example.spans or self.include_empty]
        chosen.sort(key=lambda one: -one.lowest)
        rows: list[tuple[float, int, int, float, float]] = []
        spans, wrong, missed = 0, 0.0, 0.0
        for n, one in enumerate(chosen, start=1):
            spans += len(one.example.spans)
            wrong += one.expected_wrong
            missed += one.expected_missed
            if rows and rows[-1][0] == one.lowest:
                rows.pop()
            rows.append((one.lowest, n, spans, wrong, missed))
        return pd.DataFrame(rows, columns=list(CURVE_COLUMNS))

    def _draw(self, ax: Axes | None) -> Axes:
        ax = new_axes() if ax is None else ax
        curve = self.curve
        ends = []
        for name, color, line in (("wrong", ACCENT_COLOR, "-"), ("missed", INK_COLOR, "--")):
            values = [0.0, *curve[f"expected_{name}"]]
            texts = [0, *curve["texts"]]
            ax.plot(texts, values, line, color=color, label=f"spans {name}")
            ends.append((texts[-1], values[-1], name, color))
        ax.axvline(len(self), color=INK_COLOR, linewidth=0.8, linestyle=":")
        ax.set_xlabel(
            f"texts accepted, the surest first; the dotted line is {self.min_probability:g}"
        )
        ax.set_ylabel("expected spans")
        ax.set_xlim(left=0)
        ax.set_ylim(bottom=0)
        label_lines(ax, ends)
        return apply_style(ax, str(self).split("\n", maxsplit=1)[0])

    def accept(self) -> BulkAcceptance:
        """Accept all these texts with their suggestions, as one act that can be undone.

        A text that was answered since the list was made keeps its answer. The
        answers are marked as given unseen (``Example.accepted_unseen``): they
        are trained on, and never measured on.

        Returns
        -------
        BulkAcceptance
            With ``undo()``.

        Raises
        ------
        DataError
            There is no text to accept.
        """
        if not self.texts or self.backend is None:
            raise DataError(
                f"no open text has suggestions that are all at least {self.min_probability:g}",
                field="min_probability",
                remedy="Look at .curve for what other thresholds would accept",
            )
        return accept_unseen(self.backend, self.examples)

    def open(self) -> AnnotatorWidget:
        """Open the annotator on these texts, the least sure first.

        Raises
        ------
        DataError
            There is no text to open.
        """
        if not self.texts or self.backend is None:
            raise DataError(
                f"no open text has suggestions that are all at least {self.min_probability:g}",
                remedy="Open all with session.make_gold()",
            )
        return self.backend.open_widget(self.examples)

    def __str__(self) -> str:
        spans = sum(len(one.example.spans) for one in self.texts)
        lines = [
            (
                f"{len(self):,} of {plural(len(self.open_texts), 'open text')} of {self.split}: "
                f"every suggestion is at least {self.min_probability:g}"
            )
        ]
        if self.texts:
            lines.append(
                f"Of {plural(spans, 'suggested span')} about {self.expected_wrong:,.1f} "
                f"would be wrong, and about {self.expected_missed:,.1f} would be missed, by "
                f"{self.model}"
            )
            lines.append(".accept() accepts them as one act, .open() shows them one by one")
        empty = sum(not one.example.spans for one in self.open_texts)
        if empty and not self.include_empty:
            lines.append(
                f"{plural(empty, 'open text has', 'open texts have')} no suggestion and "
                f"{'is' if empty == 1 else 'are'} left out; include_empty=True takes "
                f"{'it' if empty == 1 else 'them'} in"
            )
        if self.drafts:
            lines.append(
                f"{plural(self.drafts, 'text')} with somebody's draft "
                f"{'is' if self.drafts == 1 else 'are'} left out"
            )
        if not self.is_calibrated:
            lines.append(
                "The probabilities are the model's own, not calibrated: they may promise too much. "
                "session.model.calibrate() mends that with held-out gold"
            )
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        labels = {span.label for one in self.texts for span in one.example.spans}
        colors = label_colors(sorted(labels), self.colors)
        rows = "".join(_html_row(one, colors) for one in self.texts[:_MAX_ROWS])
        more = len(self) - _MAX_ROWS
        rest = f"<div>and {more:,} more, in .frame and .open()</div>" if more > 0 else ""
        table = scrollable(f'<table style="text-align:left">{rows}</table>') if rows else ""
        head = "".join(f"<div>{escape(line)}</div>" for line in str(self).splitlines())
        return f"<div>{head}{table}{rest}</div>"


def _html_row(one: SuggestedText, colors: dict[str, str]) -> str:
    lowest = f"{one.lowest:.3f}" if one.example.spans else "no span"
    spans: list[Span] = list(one.example.spans)
    return (
        f'<tr><td>{lowest}</td><td style="white-space:pre-wrap">'
        f"{highlight_spans(one.example.text, spans, colors)}</td></tr>"
    )
