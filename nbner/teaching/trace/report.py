"""The recognizer's way through a text, as frames and pictures."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING

from nbner._common.format import format_probability, render_html

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


@dataclass(frozen=True, slots=True)
class Trace:
    """Every decision of greedy search on one text, and the beam beside it.

    Parameters
    ----------
    parser_trace : ParserTrace
    beam_width : int
        Sequences that the beam holds at most.
    labels : tuple of str
        In the session's order, for the colours.
    note : str
        What else a person should know, such as why there is no gold.
    """

    parser_trace: ParserTrace = field(repr=False)
    beam_width: int
    labels: tuple[str, ...] = ()
    note: str = ""

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
        """What greedy search finds."""
        return self.parser_trace.spans

    @property
    def gold(self) -> tuple[Span, ...] | None:
        """The gold that the training oracle goes by; None where none is known."""
        return self.parser_trace.gold

    @property
    def search_error(self) -> BeamHypothesis | None:
        """The beam's best analysis where its score is above that of greedy search; else None."""
        return self.parser_trace.search_error

    @property
    def mistakes(self) -> tuple[int, ...]:
        """The steps at which the chosen action costs something of the gold."""
        return tuple(i for i, step in enumerate(self.steps) if step.is_mistake)

    @property
    def frame(self) -> pd.DataFrame:
        """One row a step and valid action, the most probable first.

        ``step`` (which is also the token), ``word``, ``start`` and ``label``
        of the open entity, ``action``, ``score`` (the model's own),
        ``probability`` (over the valid actions), ``chosen``, and ``cost`` and
        ``zero_cost`` as the training oracle has them; without gold these two
        are missing.
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
        """One row a step and sequence of the beam; the last step is after the last token.

        ``step``, ``rank`` (from 1), ``score`` (a sum of the model's own),
        ``spans`` (a list of ``(start, end, label)`` in code points), ``open``
        (the words and the label of the open entity), and whether it begins the
        ``greedy`` sequence, the one that is ``best`` in the end, the ``gold``.
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
        """Write the open entity of a sequence; empty where none is open."""
        state, tokens = one.state, self.parser_trace.tokens
        if state.start is None:
            return ""
        words = self.text[tokens[state.start].start : tokens[state.token - 1].end]
        return f"{words} … ({state.label})"

    def plot(self, step: int | None = None, ax: Axes | None = None) -> Axes:
        """Draw all decisions, or the distribution at one of them.

        Parameters
        ----------
        step : int, optional
            A step; negative ones count from the end.
        ax : Axes, optional
        """
        from nbner.teaching.trace.plot import choice_bars, decision_bars

        if step is None:
            title = self._headline()
            return decision_bars(self.steps, labels=self.labels, title=title, ax=ax)
        at = range(len(self.steps))[step]
        title = f"“{self.steps[at].word}”: {self.describe_step(at)}"
        return choice_bars(self.steps[at].choices, labels=self.labels, title=title, ax=ax)

    def describe_step(self, at: int) -> str:
        """Say in words what is decided at a step."""
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
        least = f"least sure at “{self.steps[at].word}” ({format_probability(self.steps[at].chosen.probability)})"
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
    """Write a trace as plain HTML, for where no kernel lives: no script, everything escaped.

    Parameters
    ----------
    trace : Trace
    marked : str
        HTML of the text with its spans.
    """
    lines = "".join(f"<div>{escape(line)}</div>" for line in str(trace).splitlines())
    has_gold = trace.gold is not None
    names = ["word", "open entity", "chosen", "probability", "also possible"]
    heads = "".join(f"<th>{name}</th>" for name in [*names, *(["oracle"] if has_gold else [])])
    rows = "".join(_row_html(trace, i, step, has_gold=has_gold) for i, step in enumerate(trace.steps))
    return f"{marked}<div>{lines}</div><table><tr>{heads}</tr>{rows}</table>"


def _row_html(trace: Trace, at: int, step: TraceStep, *, has_gold: bool) -> str:
    state, tokens = step.state, trace.parser_trace.tokens
    opened = ""
    if state.start is not None:
        opened = f"{trace.text[tokens[state.start].start : tokens[at - 1].end]} ({state.label})"
    others = ", ".join(_format_choice(one) for one in step.choices[1:3])
    cells = [
        step.word,
        opened,
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
