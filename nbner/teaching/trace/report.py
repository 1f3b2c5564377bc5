"""The recognizer's way through a text, as frames and pictures."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING

from nbner._common.format import as_html, share

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from nbner.teaching.trace.trace import Choice, Hypothesis, Run, Step
    from nbner.types import Span

COLUMNS = [
    *("step", "word", "start", "label", "action", "score", "probability"),
    *("chosen", "cost", "zero_cost"),
]
BEAM_COLUMNS = [
    *("step", "rank", "score", "spans", "open", "greedy", "best", "gold"),
]


@dataclass(frozen=True, slots=True)
class Trace:
    """Every decision of greedy search on one text, and the beam beside it.

    Parameters
    ----------
    run : Run
    width : int
        Sequences that the beam holds at most.
    labels : tuple of str
        In the session's order, for the colours.
    note : str
        What else a person should know, such as why there is no gold.
    """

    run: Run = field(repr=False)
    width: int
    labels: tuple[str, ...] = ()
    note: str = ""

    @property
    def text(self) -> str:
        """The text."""
        return self.run.text

    @property
    def steps(self) -> tuple[Step, ...]:
        """One a token: ``state``, ``word``, ``choices``, ``chosen``, ``zero_cost``, ``beam``."""
        return self.run.steps

    @property
    def spans(self) -> tuple[Span, ...]:
        """What greedy search finds."""
        return self.run.spans

    @property
    def gold(self) -> tuple[Span, ...] | None:
        """The gold that the training oracle goes by; None where none is known."""
        return self.run.gold

    @property
    def lost(self) -> Hypothesis | None:
        """The beam's best analysis where its score is above that of greedy search; else None."""
        return self.run.lost

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
        frame = pd.DataFrame(rows, columns=COLUMNS)
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

        beams = [*(step.beam for step in self.steps), self.run.last]
        rows = [
            (
                *(i, rank, one.score, [(s.start, s.end, s.label) for s in one.spans]),
                *(self.open_words(one), one.is_greedy, one.is_best, one.is_gold),
            )
            for i, beam in enumerate(beams)
            for rank, one in enumerate(beam, start=1)
        ]
        return pd.DataFrame(rows, columns=BEAM_COLUMNS)

    def open_words(self, one: Hypothesis) -> str:
        """Write the open entity of a sequence; empty where none is open."""
        state, tokens = one.state, self.run.tokens
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
        title = f"“{self.steps[at].word}”: {self.said(at)}"
        return choice_bars(self.steps[at].choices, labels=self.labels, title=title, ax=ax)

    def said(self, at: int) -> str:
        """Say in words what is decided at a step."""
        step = self.steps[at]
        chosen = f"{step.chosen.action} with {share(step.chosen.probability)}"
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
        least = (
            f"least sure at “{self.steps[at].word}” ({share(self.steps[at].chosen.probability)})"
        )
        words = f"{_counted(len(self.steps), 'decision')}, {least}"
        if self.gold is None:
            return words
        return f"{words}; {_counted(len(self.mistakes), 'mistake')} against the gold"

    def __str__(self) -> str:
        lines = [self._headline(), f"found: {_listed(self.text, self.spans)}"]
        if self.gold is not None:
            lines.append(f"gold: {_listed(self.text, self.gold)}")
        if self.lost is not None:
            lines.append(
                f"lost by greedy search: {_listed(self.text, self.lost.spans)} "
                f"(score {self.lost.score:.2f}, against {self.run.score:.2f})"
            )
        return "\n".join([*lines, *([self.note] if self.note else [])])

    def _repr_html_(self) -> str:
        return as_html(str(self), self.frame[self.frame["chosen"]].drop(columns="chosen"))


def still(trace: Trace, marked: str) -> str:
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
    rows = "".join(_row(trace, i, step, has_gold=has_gold) for i, step in enumerate(trace.steps))
    return f"{marked}<div>{lines}</div><table><tr>{heads}</tr>{rows}</table>"


def _row(trace: Trace, at: int, step: Step, *, has_gold: bool) -> str:
    state, tokens = step.state, trace.run.tokens
    opened = ""
    if state.start is not None:
        opened = f"{trace.text[tokens[state.start].start : tokens[at - 1].end]} ({state.label})"
    others = ", ".join(_likely(one) for one in step.choices[1:3])
    cells = [step.word, opened, step.chosen.action, share(step.chosen.probability), others]
    if has_gold:
        free = " or ".join(step.zero_cost) or "no action is free"
        cells.append(f"✕ {free}" if step.is_mistake else "✓")
    return f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>"


def _likely(one: Choice) -> str:
    return f"{one.action} {share(one.probability)}"


def _listed(text: str, spans: Iterable[Span]) -> str:
    found = [f"{text[span.start : span.end]} ({span.label})" for span in spans]
    return ", ".join(found) or "no entity"


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
