"""What a run starts from: nothing, or what was learnt so far."""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Literal, TypeAlias

from nbner.errors import ModelError
from nbner.nlp.config import recognizer_config
from nbner.nlp.pipeline import clone_pipeline, is_trained, labels_of, recognizer_of
from nbner.nlp.prediction import predict
from nbner.types import Example, Span

if TYPE_CHECKING:
    from spacy.language import Language

InitStrategy: TypeAlias = Literal["scratch", "continue", "freeze", "rehearsal"]
INIT_STRATEGIES: tuple[InitStrategy, ...] = ("scratch", "continue", "freeze", "rehearsal")


def reset_ner(nlp: Language) -> Language:
    """Give the pipeline with a new recognizer in the place of its trained one.

    Parameters
    ----------
    nlp : Language
        Only looked at. Returned as it is where there is nothing to forget.
    """
    found = recognizer_of(nlp)
    if found is None or not is_trained(nlp):
        return nlp
    name = found[0]
    names = list(nlp.pipe_names)
    behind = names[names.index(name) + 1 :]
    fresh = clone_pipeline(nlp)
    fresh.remove_pipe(name)
    place = {"before": behind[0]} if behind else {"last": True}
    fresh.add_pipe("ner", name=name, config=recognizer_config(fresh), **place)
    return fresh


def resize_ner(nlp: Language, labels: Collection[str]) -> Language:
    """Give a copy whose last layer has room for more labels; it predicts as before.

    Raises
    ------
    ModelError
        The pipeline has no entity recognizer.
    """
    if recognizer_of(nlp) is None:
        raise ModelError("the pipeline has no entity recognizer that could learn a label.")
    grown = clone_pipeline(nlp)
    found = recognizer_of(grown)
    assert found is not None  # noqa: S101 - for the type checker: it is a copy
    for label in labels:
        found[1].add_label(label)
    return grown


def pseudo_rehearsal_examples(
    nlp: Language,
    examples: Sequence[Example],
    allowed_labels: Collection[str],
    *,
    size: int,
    seed: int,
) -> list[Example]:
    """Let a trained model label texts again, so that going on keeps what it says of them.

    "Pseudo-rehearsal" (Robins 1995, "Catastrophic forgetting, rehearsal and
    pseudorehearsal").

    Parameters
    ----------
    nlp : Language
    examples : sequence of Example
        Without gold.
    allowed_labels : collection of str
        Labels of the session; what the model has beyond them is left out.
    size : int
        Examples at most.
    seed : int
        Chooses them.

    Returns
    -------
    list of Example
        Accepted, with the model's own labels: all others are missing there.
    """
    chosen = random.Random(seed).sample(list(examples), min(size, len(examples)))  # noqa: S311
    labels = tuple(label for label in labels_of(nlp) if label in set(allowed_labels))
    return [
        replace(one, spans=_known(spans, labels), answer="accept", labels=labels, binary=False)
        for one, spans in zip(chosen, predict(nlp, chosen), strict=True)
    ]


def _known(spans: Sequence[Span], labels: Collection[str]) -> tuple[Span, ...]:
    return tuple(span for span in spans if span.label in labels)
