"""Decision by expected F where there is no gold to choose it on: from probabilities alone.

The fixed point of `span_sets.fixed_point_threshold` needs no gold, only texts that
the model has not learnt from. A random field of few labels gives most entities a
probability far below one half, so that its best analysis leaves them out: on sparse
labels that costs most of the recall.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isclose
from typing import TYPE_CHECKING, Any

from nbner._common.format import format_number, plural
from nbner._common.serialization import find_lone_surrogate
from nbner.decoding.api import MAX_SPAN_LENGTH, span_probabilities
from nbner.decoding.batching import docs_before_ner, trained_recognizer
from nbner.decoding.chain_batches import chain_expectations
from nbner.decoding.decision.component import META_KEY, add_decision, decision_of
from nbner.decoding.decision.span_sets import fixed_point_threshold
from nbner.errors import ModelError
from nbner.nlp.crf.component import CrfRecognizer
from nbner.nlp.pipeline import recognizer_of

if TYPE_CHECKING:
    from spacy.language import Language

    from nbner.types import Example

#: Of the probabilities of a random field, chosen on parts of the training sets of protocols and
#: wnut17 at 50 to 200 sentences: 1 finds less on sparse labels, 1.5 too much that is wrong.
TEMPERATURE = 1.2

#: The lowest threshold. Below it nearly all that is found is wrong, such as after 50 sentences
#: of sparse labels.
MIN_THRESHOLD = 0.05

#: Lowest and highest threshold of a decision for few corrections, at a temperature of 1. A wrong
#: span that stands alone costs as much as a missing one, which by itself would ask for one half;
#: one that overlaps an entity costs nothing, since the label's key replaces it, and most wrong
#: ones do. On draws of protocols and wnut17 thresholds of .15 and .35 cost more on nearly all.
CORRECTION_THRESHOLDS = (0.2, 0.3)

#: Texts whose probabilities are summed over: fewer say too little, more cost time for nothing.
MIN_TEXTS, MAX_TEXTS = 20, 200

_ROUNDING = 1e-9  # of a number in a saved meta
_MIN_LISTED = 1e-4  # probability of the spans that are summed over


@dataclass(frozen=True, slots=True)
class DecisionWithoutGold:
    """Settings of a decision that no gold has chosen.

    Parameters
    ----------
    threshold, temperature : float
        As for `component.ExpectedFDecision`.
    texts : int
        Number of texts whose probabilities chose the threshold; 0 where none did.
    for_corrections : bool
        Whether it is for few corrections of suggestions, from `fit_for_corrections`.
    """

    threshold: float
    temperature: float
    texts: int
    for_corrections: bool = False

    def __str__(self) -> str:
        if self.for_corrections:
            return (
                "Entities are spans with a probability above theta "
                f"{format_number(self.threshold, 3)}, which takes few corrections. "
                'session.model.decide("greedy") goes back'
            )
        return (
            "Entities are the spans with the highest expected F: theta "
            f"{format_number(self.threshold, 3)}, found without gold from the probabilities of "
            f'{plural(self.texts, "text")}. session.model.decide("greedy") goes back'
        )

    def add_to(self, nlp: Language) -> None:
        """Add the decision to a pipeline, which keeps in its meta that no gold has chosen it.

        Parameters
        ----------
        nlp : Language
            A pipeline with a recognizer; modified in place.

        Raises
        ------
        ModelError
            The pipeline has no entity recognizer.
        """
        add_decision(nlp, threshold=self.threshold, temperature=self.temperature)
        nlp.meta[META_KEY] = self.to_json()

    def to_json(self) -> dict[str, Any]:
        """Return the values by their names."""
        found: dict[str, Any] = {
            "threshold": self.threshold,
            "temperature": self.temperature,
            "texts": self.texts,
        }
        return {**found, "for_corrections": True} if self.for_corrections else found


def fit_without_gold(
    nlp: Language, texts: Sequence[Example | str], *, seed: int = 0, max_texts: int = MAX_TEXTS
) -> DecisionWithoutGold | None:
    """Find the threshold with the highest expected F over texts, from their probabilities.

    Parameters
    ----------
    nlp : Language
        A pipeline with a trained recognizer; not changed.
    texts : sequence of Example or str
        Texts that it has not learnt from; of more than ``max_texts`` a sample is used.
        No gold of them is used.
    seed : int
        Seed of the sample.
    max_texts : int
        Texts to compute probabilities of, at most; `MIN_TEXTS` or more.

    Returns
    -------
    DecisionWithoutGold or None
        None where there are fewer than `MIN_TEXTS` texts that spaCy can read.

    Raises
    ------
    ModelError
        The pipeline has no trained recognizer.
    """
    chosen = _sample(texts, seed, max_texts)
    if not chosen:
        return None
    found = span_probabilities(
        nlp,
        chosen,
        max_span_length=MAX_SPAN_LENGTH,
        temperature=TEMPERATURE,
        min_probability=_MIN_LISTED,
    )
    threshold = fixed_point_threshold([one.spans for one in found])
    return DecisionWithoutGold(
        max(round(threshold, 6), MIN_THRESHOLD), TEMPERATURE, texts=len(chosen)
    )


def fit_for_corrections(
    nlp: Language, texts: Sequence[Example | str], *, seed: int = 0, max_texts: int = MAX_TEXTS
) -> DecisionWithoutGold:
    """Choose the threshold for few corrections of suggestions, from the texts' probabilities.

    It is the fixed point of `span_sets.fixed_point_threshold`, kept between the two
    `CORRECTION_THRESHOLDS`. So it costs less than `fit_without_gold`: no spans below the
    lower one are needed, only how many entities the texts are expected to have.

    Parameters
    ----------
    nlp : Language
        A pipeline with a trained random field; not changed.
    texts, seed, max_texts
        As for `fit_without_gold`. With fewer than `MIN_TEXTS` the threshold is half-way
        between the two.

    Returns
    -------
    DecisionWithoutGold
        At a temperature of 1.

    Raises
    ------
    ModelError
        The pipeline has no trained random field.
    """
    lowest, highest = CORRECTION_THRESHOLDS
    chosen = _sample(texts, seed, max_texts)
    recognizer = trained_recognizer(nlp)
    if not isinstance(recognizer, CrfRecognizer):
        raise ModelError("the pipeline has no random field to decide with.")
    if not chosen:
        middle = (lowest + highest) / 2
        return DecisionWithoutGold(middle, 1.0, texts=0, for_corrections=True)
    listed = [
        (size, spans)
        for docs in docs_before_ner(nlp, chosen)
        for size, spans in chain_expectations(recognizer, docs, lowest, 1.0)
    ]
    threshold = fixed_point_threshold(
        [spans for _, spans in listed], lowest=lowest, entities=sum(size for size, _ in listed)
    )
    return DecisionWithoutGold(
        round(min(threshold, highest), 6), 1.0, texts=len(chosen), for_corrections=True
    )


def decision_without_gold(nlp: Language) -> DecisionWithoutGold | None:
    """Return the decision of a pipeline if no gold has chosen it.

    Parameters
    ----------
    nlp : Language
        The pipeline.

    Returns
    -------
    DecisionWithoutGold or None
        None where the pipeline decodes greedily, or where `session.model.decide`
        has chosen its decision.
    """
    decision, stored = decision_of(nlp), nlp.meta.get(META_KEY)
    if decision is None or stored is None or recognizer_of(nlp) is None:
        return None
    found = DecisionWithoutGold(**stored)
    # spaCy writes the meta with a digit less than the config.
    if not isclose(found.threshold, decision.threshold, rel_tol=_ROUNDING):
        return None
    return replace(found, threshold=decision.threshold, temperature=decision.temperature)


def _sample(texts: Sequence[Example | str], seed: int, max_texts: int) -> list[Example | str]:
    """Draw texts that spaCy can read; none where there are too few."""
    readable = [one for one in texts if _is_readable(one if isinstance(one, str) else one.text)]
    if len(readable) < MIN_TEXTS:
        return []
    return random.Random(seed).sample(readable, min(len(readable), max_texts))  # noqa: S311


def _is_readable(text: str) -> bool:
    return bool(text.strip()) and find_lone_surrogate(text) is None
