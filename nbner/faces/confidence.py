"""How sure the model is of a span, as every table and every suggestion shows it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, TypeAlias

from nbner.decoding.calibration.temperature import Temperatures
from nbner.faces.foundation import Foundation
from nbner.types import Example, Span

if TYPE_CHECKING:
    from nbner.decoding.probabilities import SpanProbabilities

#: From a predicted span to its probability.
Confident: TypeAlias = Callable[[Span], float]

#: Tokens of the longest entity that is summed over. In a text that is shorter
#: nothing is left out; in a long one memory stays in proportion to its length.
LONGEST = 64


class Confidence(Foundation):
    """Exact probabilities of spans, calibrated where the model has been."""

    def _temperatures(self) -> Temperatures:
        from nbner.nlp.calibration_meta import temperatures_of

        kept = temperatures_of(self._nlp)
        return Temperatures() if kept is None else Temperatures(*kept)

    def _confident(self, known: SpanProbabilities) -> Confident:
        """Make the function that gives the spans of one text their confidence."""
        temperatures = self._temperatures()
        return lambda span: temperatures.apply(known.of(span), span.label)

    def _confidences(self, items: Iterable[Example | str]) -> Iterator[Confident]:
        """Give for each text in turn the confidence of its spans."""
        from nbner.decoding.api import span_probabilities

        found = span_probabilities(self._nlp, items, longest=LONGEST)
        return (self._confident(known) for known in found)
