"""Traces the recognizer's decisions on one text and opens the trace viewer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, TypeAlias

from nbner.errors import DataError
from nbner.nlp.gold_spans import parse_gold_spans
from nbner.nlp.pipeline import labels_of
from nbner.nlp.prediction import check_trained
from nbner.session.context import SessionContext
from nbner.teaching.trace.report import Trace
from nbner.teaching.trace.trace import trace
from nbner.types import Example, Span

if TYPE_CHECKING:
    from nbner.teaching.trace.trace_viewer import TraceViewer

#: Gold spans as a caller may pass them.
GoldSpans: TypeAlias = "Iterable[Span | tuple[int, int, str]]"

MAX_TOKENS = 300
MAX_WIDTH = 64


def explain(
    context: SessionContext, text: str | Example, gold: GoldSpans | None = None, *, width: int = 8
) -> TraceViewer:
    """Trace the decisions of the model in use on a text.

    Parameters
    ----------
    context : SessionContext
        Its pipeline is traced; its dataset may hold the gold.
    text : str or Example
        The text; an example's own tokens are kept.
    gold : iterable of Span or (start, end, label), optional
        Complete gold in code points. By default the accepted answer to this
        text, if there is one.
    width : int
        Width of the beam, 1 to 64.

    Returns
    -------
    TraceViewer
        The viewer of the trace.

    Raises
    ------
    ModelError
        The model has not been trained.
    DataError
        The text is empty or too long, the gold does not fit, or the width is
        out of range.
    """
    from nbner.teaching.trace.trace_viewer import TraceViewer

    check_trained(context.nlp)
    example = context.tokenized(Example(text) if isinstance(text, str) else text)
    _check_explainable(example, width)
    spans, note = _gold_and_note(context, example, gold)
    run = trace(context.nlp, example, spans, beam_width=width)
    return TraceViewer(Trace(run, width, context.labels, note))


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
    context: SessionContext, example: Example, gold: GoldSpans | None
) -> tuple[tuple[Span, ...] | None, str]:
    """Return the gold of a text, None if it is unknown, and a note for the viewer."""
    known = labels_of(context.nlp)
    if gold is not None:
        return parse_gold_spans(example, gold, known), ""
    stored = _stored_gold(context, example)
    if stored is None:
        return None, "no gold is known"
    try:
        return parse_gold_spans(example, stored, known), ""
    except DataError as error:
        # A trace without gold is still of use.
        return None, f"the stored gold cannot be used: {error.problem}"


def _stored_gold(context: SessionContext, example: Example) -> tuple[Span, ...] | None:
    """Return the spans of the accepted answer to a text; None if there is none."""
    if example.answer is not None:
        return None if example.answer != "accept" or example.binary else example.spans
    for _, answer in reversed(context.dataset.history(example.text) or []):
        found = context.dataset.find(answer.input_hash, answer.split)
        if found is not None and found.answer == "accept" and not found.binary:
            return found.spans
    return None
