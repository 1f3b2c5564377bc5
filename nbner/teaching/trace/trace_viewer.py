"""Trace of the recognizer's decisions on one text, in a widget that steps through it.

State
-----
In the kernel: the trace, as plain values. Synced to the page: ``_run``, once. Shared by
both: ``step``, the index of the step on display. In the page only: whether playback is
running, and its speed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeAlias, TypedDict

import traitlets

from nbner._common.alignment import align, words_and_gaps
from nbner._common.colors import label_colors, underline_of
from nbner._common.format import plural
from nbner._version import __version__
from nbner.errors import DataError
from nbner.nlp.gold_spans import parse_gold_spans
from nbner.nlp.pipeline import labels_of
from nbner.nlp.prediction import check_trained
from nbner.teaching.trace.report import Trace, TraceProperties, render_trace_html
from nbner.teaching.trace.trace import ActionChoice, BeamHypothesis, trace
from nbner.types import Example, Span, Token
from nbner.widgets.bundled_widget import BundledWidget, read_bundle, render_static
from nbner.widgets.messages import WireSpan

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from spacy.language import Language

#: Gold spans as a caller may pass them.
GoldSpans: TypeAlias = "Iterable[Span | tuple[int, int, str]]"

#: Longest text, in tokens, and widest beam that the viewer shows.
MAX_TOKENS = 300
MAX_WIDTH = 64

#: Flags of a hypothesis in a `TraceMessage`.
_GREEDY, _BEST, _GOLD = 1, 2, 4


def explain(
    nlp: Language,
    example: Example,
    gold: GoldSpans | None = None,
    *,
    stored_gold: GoldSpans | None = None,
    labels: Sequence[str],
    width: int = 8,
    colors: Mapping[str, str] = MappingProxyType({}),
) -> TraceViewer:
    """Trace the decisions of a pipeline on a text, in a trace viewer.

    Parameters
    ----------
    nlp : Language
        A trained pipeline.
    example : Example
        Tokenized.
    gold : iterable of Span or (start, end, label), optional
        Complete gold in code points.
    stored_gold : iterable of Span or (start, end, label), optional
        Used where ``gold`` is not given. If it does not fit the tokens or the
        labels of the pipeline, the trace is shown without gold and says so.
    labels : sequence of str
        Entity types in the order of their colors.
    width : int
        Width of the beam, 1 to 64.
    colors : mapping
        Colors of labels, as the session shows them.

    Returns
    -------
    TraceViewer
        The viewer of the trace.

    Raises
    ------
    ModelError
        The pipeline has not been trained.
    DataError
        The text is empty or too long, the gold does not fit, or the width is
        out of range.
    """
    check_trained(nlp)
    _check_explainable(example, width)
    spans, note = _gold_and_note(nlp, example, gold, stored_gold)
    parser_trace = trace(nlp, example, spans, beam_width=width)
    return TraceViewer(Trace(parser_trace, width, tuple(labels), note, colors=colors))


class TraceViewer(BundledWidget, TraceProperties):
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
        self.parser_trace = trace.parser_trace
        super().__init__(_run=_serialize_trace(trace))

    @property
    def frame(self) -> pd.DataFrame:
        """One row a step and valid action; see ``Trace.frame``."""
        return self.trace.frame

    @property
    def beam_frame(self) -> pd.DataFrame:
        """One row a step and hypothesis of the beam; see ``Trace.beam_frame``."""
        return self.trace.beam_frame

    def _draw(self, step: int | None, ax: Axes | None) -> Axes:
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

    @property
    def summary(self) -> str:
        """The trace as text."""
        return self.trace.summary

    def to_html(self, path: str | Path | None = None) -> str:
        """Write the trace as one HTML page without scripts; see ``Trace.to_html``.

        Parameters
        ----------
        path : str or Path, optional
            File to write; an existing one is replaced.

        Returns
        -------
        str
            The page.
        """
        return self.trace.to_html(path)

    def __str__(self) -> str:
        return str(self.trace)

    def __repr__(self) -> str:
        return str(self.trace)

    def _static_html(self) -> str:
        example = Example(self.text, self.trace.parser_trace.tokens, self.spans)
        caption = f"greedy search, {plural(len(self.steps), 'word')}"
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
    underlines: dict[str, str]
    steps: list[list[list[Any]]]
    beams: list[list[list[Any]]]
    found: list[WireSpan]
    gold: list[WireSpan] | None
    score: float
    width: int
    note: str


def _serialize_trace(trace: Trace) -> TraceMessage:
    """Serialize a trace: spans in token indices, actions as indices into a list."""
    run = trace.parser_trace
    lead, words = words_and_gaps(run.text, run.tokens)
    beams = [*(step.beam for step in run.steps), run.final_beam]
    actions = [one.action for step in run.steps for one in step.choices]
    actions += [one.action for beam in beams for one in beam if one.action is not None]
    names = list(dict.fromkeys(actions))
    index = {name: i for i, name in enumerate(names)}
    other_labels = sorted({name[2:] for name in names} - {"", *trace.labels})
    colors = label_colors([*trace.labels, *other_labels], trace.colors)
    return {
        "version": __version__,
        "lead": lead,
        "tokens": [list(word) for word in words],
        "actions": names,
        "colors": {label: str(color) for label, color in colors.items()},
        "underlines": {label: underline_of(color) for label, color in colors.items()},
        "steps": [[_serialize_choice(one, index) for one in step.choices] for step in run.steps],
        "beams": [[_serialize_hypothesis(one, index) for one in beam] for beam in beams],
        "found": _serialize_spans(run.tokens, run.spans),
        "gold": None if run.gold is None else _serialize_spans(run.tokens, run.gold),
        "score": run.score,
        "width": trace.beam_width,
        "note": trace.note,
    }


def _serialize_choice(one: ActionChoice, index: dict[str, int]) -> list[Any]:
    return [index[one.action], round(one.probability, 5), one.cost]


def _serialize_hypothesis(one: BeamHypothesis, index: dict[str, int]) -> list[Any]:
    flags = _GREEDY * one.is_greedy + _BEST * one.is_best + _GOLD * one.is_gold
    parent = -1 if one.parent is None else one.parent
    action = -1 if one.action is None else index[one.action]
    return [parent, action, round(one.score, 4), flags]


def _serialize_spans(tokens: Sequence[Token], spans: Iterable[Span]) -> list[WireSpan]:
    return [[start, end, span.label] for start, end, span in align(tokens, spans).aligned]


def _check_explainable(example: Example, width: int) -> None:
    if not example.text.strip():
        raise DataError(
            "the text is empty, so there is nothing to decide",
            field="text",
            remedy='Give a sentence: session.explain("Whisk the eggs.")',
        )
    if len(example.tokens) > MAX_TOKENS:
        end = example.tokens[MAX_TOKENS - 1].end
        raise DataError(
            f"a text of {len(example.tokens):,} tokens is too long to step through; "
            f"{MAX_TOKENS} are shown at most",
            field="text",
            remedy=f"Give a part of it, such as session.explain(text[:{end}])",
        )
    if not 1 <= width <= MAX_WIDTH:
        raise DataError(
            f"width={width} is no width of a beam that can be shown",
            field="width",
            remedy=f"Give a number from 1 to {MAX_WIDTH}",
        )


def _gold_and_note(
    nlp: Language, example: Example, gold: GoldSpans | None, stored_gold: GoldSpans | None
) -> tuple[tuple[Span, ...] | None, str]:
    """Return the gold of a text, None if it is unknown, and a note for the viewer."""
    known = labels_of(nlp)
    if gold is not None:
        return parse_gold_spans(example, gold, known), ""
    if stored_gold is None:
        return None, "no gold is known"
    try:
        return parse_gold_spans(example, stored_gold, known), ""
    except DataError as error:
        # A trace without gold is still of use.
        return None, f"the stored gold cannot be used: {error.problem}"
