"""Trace of the recognizer as frames, text, HTML and plots."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from types import MappingProxyType
from typing import TYPE_CHECKING

from nbner._common.colors import label_colors
from nbner._common.format import format_probability, plural, render_html, scrollable
from nbner._common.plot_style import (
    FAINT_ALPHA,
    FIGURE_SIZE,
    INK_COLOR,
    OWN_TITLE,
    ROW_HEIGHT,
    SCREEN,
    PlotStyle,
    annotate_row,
    apply_style,
    drawable,
    name_ticks,
    new_axes,
    plot_look,
)
from nbner._common.result import Result

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from nbner.teaching.trace.trace import ActionChoice, BeamHypothesis, ParserTrace, TraceStep
    from nbner.types import Span

_COLUMNS = [
    *("step", "word", "start", "label", "action", "score", "probability"),
    *("chosen", "cost", "zero_cost"),
]
_BEAM_COLUMNS = [
    *("step", "rank", "score", "spans", "open", "greedy", "best", "gold"),
]


class TraceProperties:
    """Properties and picture of a recorded trace, for `Trace` and for the viewer of one."""

    __slots__ = ()

    parser_trace: ParserTrace

    @property
    def text(self) -> str:
        """The text."""
        return self.parser_trace.text

    @property
    def steps(self) -> tuple[TraceStep, ...]:
        """One a token: ``state``, ``word``, ``choices``, ``chosen``, ``zero_cost``, ``beam``."""
        return self.parser_trace.steps

    @property
    def spans(self) -> tuple[Span, ...]:
        """Entities that greedy search predicts."""
        return self.parser_trace.spans

    @property
    def gold(self) -> tuple[Span, ...] | None:
        """Gold entities, from which the training oracle derives costs; None if unknown."""
        return self.parser_trace.gold

    @property
    def search_error(self) -> BeamHypothesis | None:
        """The beam's best hypothesis if its score is above that of greedy search; else None."""
        return self.parser_trace.search_error

    @property
    def mistakes(self) -> tuple[int, ...]:
        """Indices of the steps whose chosen action has a cost above 0."""
        return tuple(i for i, step in enumerate(self.steps) if step.is_mistake)

    def plot(
        self,
        step: int | None = None,
        ax: Axes | None = None,
        *,
        title: str | None = OWN_TITLE,
        style: PlotStyle = SCREEN,
        width: float | None = None,
    ) -> Axes:
        """Draw all decisions, or the distribution over actions at one step.

        Parameters
        ----------
        step : int, optional
            Index of a step, negative ones from the end; by default all steps.
        ax : Axes, optional
            Axes to draw on; new ones by default.
        title : str, optional
            By default the finding; None for no title.
        style : {"screen", "paper"}
            "paper" is for a column of print: dark ink, the fonts of the rcParams, no title.
        width : float, optional
            Width of a new figure in inches; on paper 3.25 by default.
        """
        with plot_look(ax=ax, title=title, style=style, width=width):
            return self._draw(step, ax)

    def _draw(self, step: int | None, ax: Axes | None) -> Axes:
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Trace(TraceProperties, Result):
    """Every decision of greedy search on one text, with the beam at each step.

    Parameters
    ----------
    parser_trace : ParserTrace
        The recorded steps.
    beam_width : int
        Largest number of hypotheses in the beam.
    labels : tuple of str
        In the order of their colors.
    note : str
        Further information, such as why there is no gold.
    colors : mapping, optional
        Label to color, as the session shows it.
    """

    parser_trace: ParserTrace = field(repr=False)
    beam_width: int
    labels: tuple[str, ...] = ()
    note: str = ""
    colors: Mapping[str, str] = field(default_factory=dict, kw_only=True, repr=False, compare=False)

    @property
    def frame(self) -> pd.DataFrame:
        """One row a step and valid action, the most probable first.

        ``step`` (which is also the token), ``word``, ``start`` and ``label``
        of the open entity, ``action``, ``score`` (the model's own),
        ``probability`` (over the valid actions), ``chosen``, and ``cost`` and
        ``zero_cost`` of the training oracle; these two are missing without gold.
        """
        import pandas as pd

        rows = [
            (
                *(i, step.word, step.state.start, step.state.label),
                *(one.action, one.score, one.probability, one is step.chosen),
                *(one.cost, None if one.cost is None else one.is_zero_cost),
            )
            for i, step in enumerate(self.steps)
            for one in step.choices
        ]
        frame = pd.DataFrame(rows, columns=_COLUMNS)
        kinds = {"start": "Int64", "cost": "Float64", "zero_cost": "boolean", "chosen": "bool"}
        return frame.astype(kinds)

    @property
    def beam_frame(self) -> pd.DataFrame:
        """One row a step and hypothesis of the beam; the last step is after the last token.

        ``step``, ``rank`` (from 1), ``score`` (sum of the model's own scores),
        ``spans`` (a list of ``(start, end, label)`` in code points), ``open``
        (words and label of the open entity), and whether the hypothesis is a prefix of
        the ``greedy`` sequence, of the ``best`` one of the final beam, of ``gold``.
        """
        import pandas as pd

        beams = [*(step.beam for step in self.steps), self.parser_trace.final_beam]
        rows = [
            (
                *(i, rank, one.score, [(s.start, s.end, s.label) for s in one.spans]),
                *(self.format_open_entity(one), one.is_greedy, one.is_best, one.is_gold),
            )
            for i, beam in enumerate(beams)
            for rank, one in enumerate(beam, start=1)
        ]
        return pd.DataFrame(rows, columns=_BEAM_COLUMNS)

    def format_open_entity(self, one: BeamHypothesis) -> str:
        """Format the open entity of a hypothesis; empty if none is open.

        Parameters
        ----------
        one : BeamHypothesis
            A hypothesis of this trace.
        """
        state, tokens = one.state, self.parser_trace.tokens
        if state.start is None:
            return ""
        words = self.text[tokens[state.start].start : tokens[state.token - 1].end]
        return f"{words} … ({state.label})"

    def _draw(self, step: int | None, ax: Axes | None) -> Axes:
        if step is None:
            return _draw_decisions(
                self.steps, labels=self.labels, known=self.colors, title=self._headline(), ax=ax
            )
        at = range(len(self.steps))[step]
        return _draw_choices(
            self.steps[at].choices,
            labels=self.labels,
            known=self.colors,
            title=f"“{self.steps[at].word}”: {self.describe_step(at)}",
            ax=ax,
        )

    def describe_step(self, at: int) -> str:
        """Describe the decision at a step in words.

        Parameters
        ----------
        at : int
            Index of the step.
        """
        step = self.steps[at]
        chosen = f"{step.chosen.action} with {format_probability(step.chosen.probability)}"
        if step.chosen.cost is None:
            return chosen
        if not step.is_mistake:
            return f"{chosen}, which costs nothing"
        free = " or ".join(step.zero_cost) or "no action"
        return f"{chosen}, which costs gold; {free} would cost nothing"

    def _headline(self) -> str:
        if not self.steps:
            return "Nothing to decide"
        at = min(range(len(self.steps)), key=lambda i: self.steps[i].chosen.probability)
        step = self.steps[at]
        least = f"least sure at “{step.word}” ({format_probability(step.chosen.probability)})"
        words = f"{_format_count(len(self.steps), 'decision')}, {least}"
        if self.gold is None:
            return words
        return f"{words}; {_format_count(len(self.mistakes), 'mistake')} against the gold"

    def __str__(self) -> str:
        lines = [self._headline(), f"found: {_format_spans(self.text, self.spans)}"]
        if self.gold is not None:
            lines.append(f"gold: {_format_spans(self.text, self.gold)}")
        if self.search_error is not None:
            lines.append(
                f"lost by greedy search: {_format_spans(self.text, self.search_error.spans)} "
                f"(score {self.search_error.score:.2f}, against {self.parser_trace.score:.2f})"
            )
        return "\n".join([*lines, *([self.note] if self.note else [])])

    def _repr_html_(self) -> str:
        return render_html(str(self), self.frame[self.frame["chosen"]].drop(columns="chosen"))


def render_trace_html(trace: Trace, marked: str) -> str:
    """Render a trace as static HTML, without scripts and with everything escaped.

    Parameters
    ----------
    trace : Trace
        The trace.
    marked : str
        HTML of the text with its entities.
    """
    lines = "".join(f"<div>{escape(line)}</div>" for line in str(trace).splitlines())
    has_gold = trace.gold is not None
    names = ["word", "open entity", "chosen", "probability", "also possible"]
    heads = "".join(f"<th>{name}</th>" for name in [*names, *(["oracle"] if has_gold else [])])
    rows = "".join(
        _row_html(trace, i, step, has_gold=has_gold) for i, step in enumerate(trace.steps)
    )
    table = f"<table><tr>{heads}</tr>{rows}</table>"
    return f"{marked}<div>{lines}</div>{scrollable(table)}"


def _row_html(trace: Trace, at: int, step: TraceStep, *, has_gold: bool) -> str:
    state, tokens = step.state, trace.parser_trace.tokens
    open_entity = ""
    if state.start is not None:
        words = trace.text[tokens[state.start].start : tokens[at - 1].end]
        open_entity = f"{words} ({state.label})"
    others = ", ".join(_format_choice(one) for one in step.choices[1:3])
    cells = [
        step.word,
        open_entity,
        step.chosen.action,
        format_probability(step.chosen.probability),
        others,
    ]
    if has_gold:
        free = " or ".join(step.zero_cost) or "no action is free"
        cells.append(f"✕ {free}" if step.is_mistake else "✓")
    return f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>"


def _format_choice(one: ActionChoice) -> str:
    return f"{one.action} {format_probability(one.probability)}"


def _format_spans(text: str, spans: Iterable[Span]) -> str:
    found = [f"{text[span.start : span.end]} ({span.label})" for span in spans]
    return ", ".join(found) or "no entity"


def _format_count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


_MAX_WORDS = 60  # in one plot
_INCHES_PER_WORD = 0.26
_MAX_ACTIONS = 10  # in one plot
_MIN_VISIBLE = 0.005  # probability below which a bar is invisible
_MIN_ACTIONS = 4  # actions that are drawn, however improbable
_NO_LABEL_COLOR = "#b8b8b8"  # of an action without a label


_MAX_ACTION = 14  # characters below a bar


def _draw_decisions(
    steps: Sequence[TraceStep],
    *,
    labels: Sequence[str] = (),
    known: Mapping[str, str] = MappingProxyType({}),
    title: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Draw the probability of the chosen action, word by word.

    The tick labels show the action. With gold, a cross marks a choice with a cost,
    and a ring the probability of the best action of cost 0.

    Parameters
    ----------
    steps : sequence of TraceStep
        One a word; of a long text the first 60 are drawn.
    labels : sequence of str
        In the order of their colors; other labels follow.
    known : mapping
        Colors of labels that have one.
    title : str
        Title of the plot.
    ax : Axes, optional
        Axes to draw on; new ones by default.
    """
    shown = min(len(steps), _MAX_WORDS)
    if ax is None:
        ax = new_axes(
            width=max(FIGURE_SIZE[0], 1.2 + _INCHES_PER_WORD * shown), height=3.4, has_rows=True
        )
    colors = _action_colors(labels, [one for step in steps for one in step.choices], known)
    for x, step in enumerate(steps[:shown]):
        height = step.chosen.probability
        ax.bar(x, height, width=0.8, color=colors.get(step.chosen.action[2:], _NO_LABEL_COLOR))
        if step.is_mistake:
            _mark_mistake(ax, x, step)
    ticks = [
        f"{_shorten(step.word)}  {drawable(step.chosen.action, _MAX_ACTION)}"
        for step in steps[:shown]
    ]
    name_ticks(ax.xaxis, ticks)
    ax.tick_params(axis="x", rotation=90, length=0)
    ax.set_xlim(-0.6, max(1, shown) - 0.4)
    ax.set_ylim(0, 1.12)
    ax.set_yticks([0, 0.5, 1])
    ax.set_ylabel("probability")
    notes = [f"the first {shown:,} of {plural(len(steps), 'word')}"] if shown < len(steps) else []
    if any(step.is_mistake for step in steps[:shown]):
        notes.append("✕ costs gold,  ○ what would cost nothing")
    ax.set_xlabel(";  ".join(notes))
    return apply_style(ax, title)


def _mark_mistake(ax: Axes, x: int, step: TraceStep) -> None:
    ax.plot(x, 1.05, marker="x", markersize=7, color=INK_COLOR, markeredgewidth=1.6)
    free = [one.probability for one in step.choices if one.is_zero_cost]
    if free:
        ax.plot(x, max(free), marker="o", markersize=8, color="none", markeredgecolor=INK_COLOR)


def _draw_choices(
    choices: Sequence[ActionChoice],
    *,
    labels: Sequence[str] = (),
    known: Mapping[str, str] = MappingProxyType({}),
    title: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Draw the distribution over the valid actions of one state, the most probable on top.

    Parameters
    ----------
    choices : sequence of ActionChoice
        The first one is chosen. At most 10 are drawn, and those of cost 0; actions
        that would be invisible are left out.
    labels : sequence of str
        In the order of their colors; other labels follow.
    known : mapping
        Colors of labels that have one.
    title : str
        Title of the plot.
    ax : Axes, optional
        Axes to draw on; new ones by default.
    """
    shown = [
        one
        for i, one in enumerate(choices)
        if i < _MIN_ACTIONS
        or (i < _MAX_ACTIONS and one.probability >= _MIN_VISIBLE)
        or one.is_zero_cost
    ]
    ax = new_axes(height=1.1 + ROW_HEIGHT * max(4, len(shown)), has_rows=True) if ax is None else ax
    colors = _action_colors(labels, choices, known)
    for y, one in enumerate(shown):
        is_chosen = y == 0
        color = colors.get(one.action[2:], _NO_LABEL_COLOR)
        ax.barh(
            y, one.probability, height=0.7, color=color, alpha=1.0 if is_chosen else FAINT_ALPHA
        )
        annotate_row(ax, (one.probability, y), _describe_choice(one, is_chosen=is_chosen))
    name_ticks(ax.yaxis, [one.action for one in shown])
    ax.set_ylim(len(shown) - 0.4, -0.6)
    ax.set_xlim(0, 1)
    left = len(choices) - len(shown)
    rest = (
        f" ({plural(left, 'less probable one is', 'less probable ones are')} not drawn)"
        if left
        else ""
    )
    ax.set_xlabel(f"probability over the valid actions{rest}")
    return apply_style(ax, title)


def _describe_choice(one: ActionChoice, *, is_chosen: bool) -> str:
    small = 0 < one.probability < _MIN_VISIBLE
    parts = ["<0.01" if small else f"{one.probability:.2f}", "chosen" if is_chosen else ""]
    if one.is_zero_cost:
        parts.append("costs nothing")
    elif is_chosen and one.cost is not None:
        parts.append("costs gold")
    return " · ".join(part for part in parts if part)


def _action_colors(
    labels: Sequence[str], choices: Sequence[ActionChoice], known: Mapping[str, str]
) -> Mapping[str, str]:
    others = sorted({one.action[2:] for one in choices} - {"", *labels})
    return label_colors([*labels, *others], known)


def _shorten(word: str) -> str:
    written = word if word.strip() else "␣"
    return written if len(written) <= 14 else f"{written[:13]}…"
