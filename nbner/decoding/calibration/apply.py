"""Apply a model's calibration to exact span probabilities."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, TypeAlias

from nbner.decoding.api import span_probabilities
from nbner.decoding.calibration.temperature import Temperatures
from nbner.decoding.probabilities import SpanProbabilities
from nbner.nlp.calibration_meta import load_temperatures
from nbner.types import Example, Span

if TYPE_CHECKING:
    from spacy.language import Language

#: From a span of one text to its calibrated probability.
SpanConfidence: TypeAlias = Callable[[Span], float]

#: Number of tokens of the longest entity that the probabilities sum over. A
#: shorter text is summed over exactly; in a longer one memory grows in
#: proportion to its length.
MAX_SPAN_LENGTH = 64


def temperatures_of(nlp: Language) -> Temperatures:
    """Return the calibration temperatures of a pipeline; 1 where it has not been calibrated.

    Parameters
    ----------
    nlp : Language
        The pipeline; temperatures in its meta apply if they were fitted for
        its present weights.
    """
    stored = load_temperatures(nlp)
    return Temperatures() if stored is None else Temperatures(*stored)


def calibrated(nlp: Language, probabilities: SpanProbabilities) -> SpanConfidence:
    """Return a function from a span of one text to its calibrated probability.

    Parameters
    ----------
    nlp : Language
        The pipeline that the probabilities are from.
    probabilities : SpanProbabilities
        Exact span probabilities of the text.
    """
    temperatures = temperatures_of(nlp)
    return lambda span: temperatures.apply(probabilities.probability_of(span), span.label)


def span_confidences(nlp: Language, items: Iterable[Example | str]) -> Iterator[SpanConfidence]:
    """Yield, text by text, a function from a span to its calibrated probability.

    Parameters
    ----------
    nlp : Language
        A trained pipeline.
    items : iterable of Example or str
        Read as a stream. Spans of more than `MAX_SPAN_LENGTH` tokens have
        probability 0.

    Raises
    ------
    ModelError
        The pipeline has no entity recognizer, or an untrained one.
    """
    found = span_probabilities(nlp, items, max_span_length=MAX_SPAN_LENGTH)
    return (calibrated(nlp, one) for one in found)
