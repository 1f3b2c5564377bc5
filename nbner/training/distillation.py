"""Distillation: texts without gold, labelled by the CRF, for an ordinary `ner` to learn from.

The distilled `ner` learns from the gold twice and from each of these texts once
(Hinton et al. 2015, "Distilling the knowledge in a neural network"; here with
the best labels alone, in place of their probabilities). The CRF that labels the
texts for the run with a held-out part has never seen that part.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from nbner.errors import TrainingError
from nbner.nlp.pipeline import labels_of
from nbner.nlp.prediction import predict
from nbner.types import Example

if TYPE_CHECKING:
    from spacy.language import Language

#: Texts without gold that are labelled, at most.
MAX_SILVER = 800


def silver_examples(teacher: Language | None, pool: Sequence[Example], seed: int) -> list[Example]:
    """Label texts without gold with a trained CRF.

    Parameters
    ----------
    teacher : Language, optional
        The pipeline of the CRF; None where its training has failed.
    pool : sequence of Example
        The texts; of more than 800 a sample is labelled.
    seed : int
        Seed of the sample.

    Returns
    -------
    list of Example
        Accepted, with the labels that the CRF knows.

    Raises
    ------
    TrainingError
        There is no teacher, or no text.
    """
    if teacher is None:
        raise TrainingError("there is no CRF to learn from, since its training has failed.")
    if not pool:
        raise TrainingError(
            "there is no text without an answer for the CRF to label. Add some to the split: "
            "session.add([...])."
        )
    chosen = random.Random(seed).sample(list(pool), min(len(pool), MAX_SILVER))  # noqa: S311
    labels = labels_of(teacher)
    return [
        replace(one, spans=tuple(spans), answer="accept", labels=labels, binary=False)
        for one, spans in zip(chosen, predict(teacher, chosen), strict=True)
    ]
