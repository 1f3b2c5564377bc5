"""Initialization of a run: reset and resized recognizers, and rehearsal of a trained pipeline."""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from nbner.errors import ModelError
from nbner.nlp.config import recognizer_config
from nbner.nlp.crf.component import CrfRecognizer
from nbner.nlp.gold_docs import Corpus, PipelineAnnotations, lacks_labels
from nbner.nlp.pipeline import (
    clone_pipeline,
    doc_from_example,
    entity_labels_of,
    is_trained,
    labels_of,
    recognizer_of,
)
from nbner.nlp.prediction import predict, spans_of
from nbner.types import Example, Span

if TYPE_CHECKING:
    from spacy.language import Language

InitStrategy: TypeAlias = Literal["scratch", "continue", "freeze", "rehearsal"]
INIT_STRATEGIES: tuple[InitStrategy, ...] = ("scratch", "continue", "freeze", "rehearsal")


def reset_ner(nlp: Language) -> Language:
    """Return a copy of the pipeline with an untrained recognizer in place of its trained one.

    Parameters
    ----------
    nlp : Language
        Not changed. Returned itself where its recognizer is not trained.
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
    # The name of a random field would mislead.
    is_crf = isinstance(found[1], CrfRecognizer)
    new_name = "ner" if is_crf and "ner" not in fresh.component_names else name
    fresh.add_pipe("ner", name=new_name, config=recognizer_config(fresh), **place)
    return fresh


def resize_ner(nlp: Language, labels: Collection[str]) -> Language:
    """Return a copy whose output layer is resized for more labels; it predicts as before.

    Parameters
    ----------
    nlp : Language
        The pipeline; not changed. Returned itself where its recognizer is a
        random field, which has the labels of its training data and no others.
    labels : collection of str
        The labels to add.

    Raises
    ------
    ModelError
        The pipeline has no entity recognizer.
    """
    found = recognizer_of(nlp)
    if found is None:
        raise ModelError("the pipeline has no entity recognizer that could learn a label.")
    if isinstance(found[1], CrfRecognizer):
        return nlp
    grown = clone_pipeline(nlp)
    component: Any = grown.get_pipe(found[0])
    for label in labels:
        component.add_label(label)
    return grown


def pseudo_rehearsal_examples(
    nlp: Language,
    examples: Sequence[Example],
    allowed_labels: Collection[str],
    *,
    size: int,
    seed: int,
) -> list[Example]:
    """Label texts with a trained pipeline, to train on its own predictions beside the gold.

    This is pseudo-rehearsal (Robins 1995, "Catastrophic forgetting, rehearsal and
    pseudorehearsal").

    Parameters
    ----------
    nlp : Language
        The pipeline that training continues from.
    examples : sequence of Example
        Texts without gold.
    allowed_labels : collection of str
        Labels to keep; spans of others are left out.
    size : int
        Number of examples at most.
    seed : int
        Seed of their sampling.

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


def pipeline_annotations(nlp: Language, examples: Sequence[Example]) -> PipelineAnnotations:
    """Label the examples whose answers could not give all entity labels of a pipeline.

    Parameters
    ----------
    nlp : Language
        The pipeline. A recognizer that is not trained finds nothing and has no
        labels.
    examples : sequence of Example
        Examples to train on and to evaluate on.
    """
    lacking = [one for one in examples if lacks_labels(one, entity_labels_of(nlp))]
    found = recognizer_of(nlp)
    if is_trained(nlp) or found is None:
        labels, predicted = labels_of(nlp), list(predict(nlp, lacking))
    else:
        labels = ()
        with nlp.select_pipes(disable=[found[0]]):
            docs = nlp.pipe(doc_from_example(nlp, one) for one in lacking)
            predicted = [spans_of(doc) for doc in docs]
    spans = {one.text: some for one, some in zip(lacking, predicted, strict=True)}
    return PipelineAnnotations(labels, spans)


def complete_with_pipeline(corpus: Corpus, pipeline: PipelineAnnotations) -> Corpus:
    """Add a pipeline's spans to the training examples, where the answers could not give its labels.

    Parameters
    ----------
    corpus : Corpus
        Its dev examples stay as they are.
    pipeline : PipelineAnnotations
        Of the same examples.

    Returns
    -------
    Corpus
        Its training examples hold the answers' spans, and those of the
        pipeline's with another label that overlap none of them. All of the
        pipeline's labels count as given. ``labels`` has the added ones too.
    """
    train = tuple(_completed(one, pipeline) for one in corpus.train)
    found = {span.label for one in train for span in one.spans}
    added = [one for one in pipeline.labels if one in found and one not in corpus.labels]
    return replace(corpus, train=train, labels=(*corpus.labels, *added))


def _completed(example: Example, pipeline: PipelineAnnotations) -> Example:
    if example.labels is None or not lacks_labels(example, pipeline.labels):
        return example
    more = [one for one in pipeline.labels if one not in example.labels]
    added = [
        span
        for span in pipeline.spans.get(example.text, ())
        if span.label in more
        and not any(span.start < one.end and one.start < span.end for one in example.spans)
    ]
    spans = sorted((*example.spans, *added), key=lambda one: (one.start, one.end))
    return replace(example, spans=tuple(spans), labels=(*example.labels, *more))


def _known(spans: Sequence[Span], labels: Collection[str]) -> tuple[Span, ...]:
    return tuple(span for span in spans if span.label in labels)
