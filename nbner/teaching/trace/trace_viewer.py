"""Widget that steps through the trace of a text word by word.

State
-----
In the kernel: the trace, as plain values. Synced to the page: ``_run``, once.
Shared by both: ``step``, the index of the step on display. In the page only:
whether playback is running, and its speed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict

import traitlets

from nbner._common.alignment import align, words_and_gaps
from nbner._common.colors import label_colors
from nbner._version import __version__
from nbner.errors import DataError
from nbner.teaching.trace.report import Trace, render_trace_html
from nbner.types import Example, Span, Token
from nbner.widgets.bundled_widget import BundledWidget, read_bundle, render_static
from nbner.widgets.messages import WireSpan

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd
    from matplotlib.axes import Axes

    from nbner.teaching.trace.trace import ActionChoice, BeamHypothesis, TraceStep

_GREEDY, _BEST, _GOLD = 1, 2, 4


class TraceViewer(BundledWidget):
    """Widget to step through the decisions of a recognizer; ``session.explain`` creates it.

    Parameters
    ----------
    trace : Trace
        The trace to display.

    Attributes
    ----------
    step : int
        Index of the step on display: 0 is before the first word, ``len(steps)``
        after the last. Assign to it to change the display; observe it to follow.
    """

    _esm = read_bundle("trace.js")
    _css = read_bundle("trace.css")

    _run = traitlets.Dict().tag(sync=True)
    step = traitlets.Int(0).tag(sync=True)

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        super().__init__(_run=_serialize_trace(trace))

    @property
    def text(self) -> str:
        """The text."""
        return self.trace.text

    @property
    def steps(self) -> tuple[TraceStep, ...]:
        """One a word: ``state``, ``word``, ``choices``, ``chosen``, ``zero_cost``, ``beam``."""
        return self.trace.steps

    @property
    def spans(self) -> tuple[Span, ...]:
        """Entities that greedy search predicts."""
        return self.trace.spans

    @property
    def gold(self) -> tuple[Span, ...] | None:
        """Gold entities, from which the training oracle derives costs; None if unknown."""
        return self.trace.gold

    @property
    def search_error(self) -> BeamHypothesis | None:
        """The beam's best hypothesis if its score is above that of greedy search; else None."""
        return self.trace.search_error

    @property
    def mistakes(self) -> tuple[int, ...]:
        """Indices of the steps whose chosen action has a cost above 0."""
        return self.trace.mistakes

    @property
    def frame(self) -> pd.DataFrame:
        """One row a step and valid action; see ``Trace.frame``."""
        return self.trace.frame

    @property
    def beam_frame(self) -> pd.DataFrame:
        """One row a step and hypothesis of the beam; see ``Trace.beam_frame``."""
        return self.trace.beam_frame

    def plot(self, step: int | None = None, ax: Axes | None = None) -> Axes:
        """Draw all decisions, or the distribution over actions at one step.

        Parameters
        ----------
        step : int, optional
            Index of a step, negative ones from the end; by default all steps.
        ax : Axes, optional
            Axes to draw on; new ones by default.
        """
        return self.trace.plot(step, ax)

    @traitlets.validate("step")  # type: ignore[untyped-decorator]
    def _check_step(self, proposal: dict[str, Any]) -> int:
        step: int = proposal["value"]
        if not 0 <= step <= len(self.steps):
            raise DataError(
                f"there is no step {step}",
                field="step",
                remedy=f"Give 0 to {len(self.steps)}; the last is after the last word",
            )
        return step

    def __str__(self) -> str:
        return str(self.trace)

    def __repr__(self) -> str:
        return str(self.trace)

    def _static_html(self) -> str:
        example = Example(self.text, self.trace.parser_trace.tokens, self.spans)
        caption = f"greedy search, {len(self.steps):,} words"
        text = render_static(example, self._run["colors"], caption)
        return render_trace_html(self.trace, text)


class TraceMessage(TypedDict):
    """A trace as it is synced to the page; the page's side is ``js/src/traceViewer/trace.ts``.

    ``steps`` are lists of ``[action, probability, cost]``, ``beams`` of ``[parent, action,
    score, flags]``; actions are indices into ``actions``.
    """

    version: str
    lead: str
    tokens: list[list[str]]
    actions: list[str]
    colors: dict[str, str]
    steps: list[list[list[Any]]]
    beams: list[list[list[Any]]]
    found: list[WireSpan]
    gold: list[WireSpan] | None
    score: float
    width: int
    note: str


def _serialize_trace(trace: Trace) -> TraceMessage:
    """Serialize a trace for the page: spans in token indices, actions as indices into a list."""
    run = trace.parser_trace
    lead, words = words_and_gaps(run.text, run.tokens)
    taken = [one.action for step in run.steps for one in step.choices]
    beams = [*(step.beam for step in run.steps), run.final_beam]
    taken += [one.action for beam in beams for one in beam if one.action is not None]
    names = list(dict.fromkeys(taken))
    place = {name: i for i, name in enumerate(names)}
    labels = sorted({name[2:] for name in names} - {"", *trace.labels})
    return {
        "version": __version__,
        "lead": lead,
        "tokens": [list(word) for word in words],
        "actions": names,
        "colors": label_colors([*trace.labels, *labels]),
        "steps": [[_serialize_choice(one, place) for one in step.choices] for step in run.steps],
        "beams": [[_serialize_hypothesis(one, place) for one in beam] for beam in beams],
        "found": _serialize_spans(run.tokens, run.spans),
        "gold": None if run.gold is None else _serialize_spans(run.tokens, run.gold),
        "score": run.score,
        "width": trace.beam_width,
        "note": trace.note,
    }


def _serialize_choice(one: ActionChoice, place: dict[str, int]) -> list[Any]:
    return [place[one.action], round(one.probability, 5), one.cost]


def _serialize_hypothesis(one: BeamHypothesis, place: dict[str, int]) -> list[Any]:
    flags = _GREEDY * one.is_greedy + _BEST * one.is_best + _GOLD * one.is_gold
    before = -1 if one.parent is None else one.parent
    action = -1 if one.action is None else place[one.action]
    return [before, action, round(one.score, 4), flags]


def _serialize_spans(tokens: Sequence[Token], spans: Iterable[Span]) -> list[WireSpan]:
    return [[start, end, span.label] for start, end, span in align(tokens, spans).aligned]
