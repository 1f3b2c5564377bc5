"""The decision after a manual edit: spans under constraints, without those that were dropped."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from nbner.decoding.constraints import Constraints
from nbner.decoding.decision.component import ExpectedFDecision
from nbner.decoding.decision.span_sets import best_span_set
from nbner.nlp.pipeline import doc_from_example
from nbner.nlp.prediction import spans_of
from nbner.types import Example, Span

if TYPE_CHECKING:
    from spacy.language import Language

    from nbner.decoding.probabilities import SpanProbabilities


def decide_under_constraints(
    nlp: Language,
    decision: ExpectedFDecision,
    example: Example,
    probabilities: Callable[[Constraints], SpanProbabilities],
    constraints: Constraints,
) -> tuple[Span, ...]:
    """Return the span set that the decision takes under constraints.

    The threshold is the same, over the probabilities under the constraints. Spans that
    greedy decoding finds in the unedited text, and that the decision has dropped from
    it, are left out, however likely an edit makes them: nobody has seen them, and the
    edit of another span is no reason to show them. They may come back where a span was
    removed that overlaps them, or where they are forced.

    Parameters
    ----------
    nlp : Language
        Pipeline with the decision.
    decision : ExpectedFDecision
        Its component.
    example : Example
        Tokenized.
    probabilities : callable
        From constraints to the span probabilities of the example, at the temperature
        of the decision.
    constraints : Constraints
        Forced and forbidden spans.

    Returns
    -------
    tuple of Span
        Sorted by start; all forced spans are in it.

    Raises
    ------
    DataError
        The constraints contradict each other.
    """
    threshold = decision.threshold
    table = dict(probabilities(constraints).spans)
    unedited = best_span_set(probabilities(Constraints()).spans, threshold)
    dropped = set(_greedy_spans(nlp, decision, example)) - set(unedited)
    for span in dropped - set(constraints.forced):
        if not any(_overlap(span, one) for one in constraints.forbidden):
            table.pop(span, None)
    return best_span_set(table, threshold)


def _greedy_spans(nlp: Language, decision: ExpectedFDecision, example: Example) -> tuple[Span, ...]:
    """Return the spans of the pipeline up to the decision."""
    names = list(nlp.pipe_names)
    later = names[names.index(decision.name) :]
    (doc,) = nlp.pipe([doc_from_example(nlp, example)], disable=later)
    return spans_of(doc)


def _overlap(one: Span, other: Span) -> bool:
    return one.start < other.end and other.start < one.end
