"""spaCy component that sets the spans with the highest expected F in place of the recognizer's.

It comes right after the recognizer, so that rules behind it see what was decided.
Threshold and temperature are settings of its config: a copy, a saved folder and
the bytes of a pipeline hold them. ``spacy.load`` finds it through its entry point
where nbner is installed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING
from weakref import ref

from spacy.language import Language

from nbner._common.annotations import resolve_annotations
from nbner.decoding.api import MAX_SPAN_LENGTH, span_probabilities
from nbner.decoding.decision.span_sets import best_span_set
from nbner.errors import DataError, ModelError
from nbner.io.docbin import tokens_from_doc
from nbner.nlp.entity_component import EntityComponent, doc_spans
from nbner.nlp.pipeline import (
    add_after_recognizer,
    clone_pipeline,
    component_of,
    labels_of,
    recognizer_of,
    remove_components,
)
from nbner.types import Example

if TYPE_CHECKING:
    from spacy.tokens import Doc
    from spacy.tokens import Span as DocSpan

FACTORY = "nbner_expected_f"

#: Key of a pipeline's meta that says of a decision that no gold has chosen it; see `without_gold`.
META_KEY = "nbner_decision"


class ExpectedFDecision(EntityComponent):
    """Sets the non-overlapping spans with the highest sum of probability minus threshold.

    At the fixed point of `span_sets.fixed_point_threshold` that is the set with the
    highest expected F; a higher threshold has a higher precision.

    Parameters
    ----------
    nlp : Language
        Pipeline whose recognizer computes the probabilities.
    name : str
        Name of the component in the pipeline.
    threshold : float
        Probability that a span must exceed, from 0 to below 1.
    temperature : float
        Divides the recognizer's scores before normalization, above 0.

    Raises
    ------
    DataError
        The threshold or the temperature is out of range.
    """

    def __init__(
        self, nlp: Language, name: str = FACTORY, *, threshold: float, temperature: float = 1.0
    ) -> None:
        if not 0 <= threshold < 1:
            raise DataError(
                f"a threshold of {threshold} is not from 0 and below 1",
                remedy="session.model.decide() chooses one",
            )
        if not 0 < temperature < float("inf"):
            raise DataError(
                f"temperature={temperature} is not a number above 0", remedy="1 is neutral"
            )
        self.name = name
        self.threshold = threshold
        self.temperature = temperature
        # A component must not keep its pipeline alive.
        self._nlp = ref(nlp)

    def _decided_labels(self) -> tuple[str, ...]:
        return labels_of(self._pipeline())

    def _find_entities(self, docs: Sequence[Doc]) -> Iterator[Sequence[DocSpan] | None]:
        nlp = self._pipeline()
        if recognizer_of(nlp) is None:  # as while it is disabled: there is nothing to decide
            yield from (None for _ in docs)
            return
        # The docs have entities already: probabilities are of what they were before.
        fresh = (Example(doc.text, tokens=tokens_from_doc(doc), pretokenized=True) for doc in docs)
        found = span_probabilities(
            nlp,
            fresh,
            max_span_length=MAX_SPAN_LENGTH,
            temperature=self.temperature,
            # Spans up to the threshold are in no chosen set.
            min_probability=self.threshold,
        )
        for doc, one in zip(docs, found, strict=True):
            yield doc_spans(doc, best_span_set(one.spans, self.threshold))

    def _pipeline(self) -> Language:
        nlp = self._nlp()
        if nlp is None:
            raise ModelError(
                f"the pipeline of {self.name!r} is gone. Keep the nlp object, or load it anew."
            )
        return nlp


@Language.factory(
    FACTORY, default_config={"threshold": 0.5, "temperature": 1.0}, assigns=["doc.ents"]
)
@resolve_annotations
def make_decision(
    nlp: Language, name: str, threshold: float, temperature: float
) -> ExpectedFDecision:
    """Build the component from a pipeline's config.

    Parameters
    ----------
    nlp : Language
        The pipeline.
    name : str
        Name of the component in the pipeline.
    threshold : float
        Probability that a span must exceed.
    temperature : float
        Divides the recognizer's scores.
    """
    return ExpectedFDecision(nlp, name, threshold=threshold, temperature=temperature)


def add_decision(nlp: Language, *, threshold: float, temperature: float) -> ExpectedFDecision:
    """Add the decision right after the recognizer of a pipeline, replacing an earlier one.

    Parameters
    ----------
    nlp : Language
        The pipeline; modified in place.
    threshold : float
        Probability that a span must exceed.
    temperature : float
        Divides the recognizer's scores.

    Returns
    -------
    ExpectedFDecision
        The component of the pipeline.

    Raises
    ------
    ModelError
        The pipeline has no entity recognizer, or the factory's name is taken.
    """
    settings = {"threshold": threshold, "temperature": temperature}
    added = add_after_recognizer(nlp, FACTORY, ExpectedFDecision, settings, act="decide")
    nlp.meta.pop(META_KEY, None)
    return added


def decision_of(nlp: Language) -> ExpectedFDecision | None:
    """Return the decision of a pipeline; None where its entities are decoded greedily.

    Parameters
    ----------
    nlp : Language
        The pipeline.
    """
    return component_of(nlp, ExpectedFDecision)


def remove_decision(nlp: Language) -> None:
    """Remove the decision from a pipeline, if it has one.

    Parameters
    ----------
    nlp : Language
        The pipeline; modified in place.
    """
    remove_components(nlp, ExpectedFDecision)
    nlp.meta.pop(META_KEY, None)


def without_decision(nlp: Language) -> Language:
    """Return a copy of a pipeline that decodes greedily; itself where it does already.

    Parameters
    ----------
    nlp : Language
        The pipeline; not changed.
    """
    if decision_of(nlp) is None:
        return nlp
    copy = clone_pipeline(nlp)
    remove_decision(copy)
    return copy
