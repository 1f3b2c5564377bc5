"""Trace the recognizer's decisions on one text and open the trace viewer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, TypeAlias

from nbner.errors import DataError
from nbner.nlp.gold_spans import parse_gold_spans
from nbner.nlp.pipeline import labels_of
from nbner.nlp.prediction import check_trained
from nbner.teaching.trace.report import Trace
from nbner.teaching.trace.trace import trace
from nbner.types import Example, Span

if TYPE_CHECKING:
    from spacy.language import Language

    from nbner.teaching.trace.trace_viewer import TraceViewer

#: Gold spans as a caller may pass them.
GoldSpans: TypeAlias = "Iterable[Span | tuple[int, int, str]]"

MAX_TOKENS = 300
MAX_WIDTH = 64


def explain(
    nlp: Language,
    example: Example,
    gold: GoldSpans | None = None,
    *,
    stored_gold: GoldSpans | None = None,
    labels: Sequence[str],
    width: int = 8,
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
    from nbner.teaching.trace.trace_viewer import TraceViewer

    check_trained(nlp)
    _check_explainable(example, width)
    spans, note = _gold_and_note(nlp, example, gold, stored_gold)
    run = trace(nlp, example, spans, beam_width=width)
    return TraceViewer(Trace(run, width, tuple(labels), note))


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
