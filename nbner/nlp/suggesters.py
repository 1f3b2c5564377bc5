"""Suggesters: functions from examples to suggested spans, registered by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from nbner import registry
from nbner.errors import DataError
from nbner.nlp.prediction import predict
from nbner.types import Example, Span

if TYPE_CHECKING:
    from spacy.language import Language


@registry.suggesters("model")
def suggest_with_model(examples: Sequence[Example], *, nlp: Language) -> Iterable[tuple[Span, ...]]:
    """Return the spans that the pipeline in use predicts.

    Parameters
    ----------
    examples : sequence of Example
        Tokenized examples.
    nlp : Language
        The trained pipeline in use.
    """
    return predict(nlp, examples)


def call_suggester(
    suggester: Callable[..., Any], examples: Sequence[Example], **offered: Any
) -> list[tuple[Span, ...]]:
    """Call a suggester and validate the spans that it returns.

    Parameters
    ----------
    suggester : callable
        A registered function, or a user's own. It returns spans of each
        example: `Span` values or ``(start, end, label)`` in code points.
    examples : sequence of Example
        Tokenized examples.
    **offered
        Keyword arguments that it may declare; see `nbner.registry.call`.

    Returns
    -------
    list of tuple of Span
        One tuple an example; the source of each span is the suggester's name.

    Raises
    ------
    DataError
        It does not return spans for each example, or a span leaves its text.
    """
    name = getattr(suggester, "__name__", type(suggester).__name__)
    found = [list(one) for one in registry.call(suggester, examples, **offered)]
    if len(found) != len(examples):
        raise DataError(
            f"the suggester {name!r} returned spans of {len(found):,} texts for "
            f"{len(examples):,} examples",
            field="suggest",
            remedy="Return one list of spans for every example, an empty one where there is none",
        )
    return [
        tuple(_checked_span(span, example, name) for span in spans)
        for example, spans in zip(examples, found, strict=True)
    ]


def _checked_span(value: Any, example: Example, name: str) -> Span:
    try:
        span = value if isinstance(value, Span) else Span(*value)
        fits = 0 <= span.start < span.end <= len(example.text) and isinstance(span.label, str)
    except TypeError:
        fits = False
    if not fits:
        raise DataError(
            f"the span {value!r} of the suggester {name!r} leaves its text or is not a span: "
            f"{example.text[:60]!r}",
            field="suggest",
            remedy="Return Span(start, end, label) in code points, 0 <= start < end <= len(text)",
        )
    return span if span.source else replace(span, source=name)
