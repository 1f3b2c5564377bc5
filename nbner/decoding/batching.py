"""Docs as they arrive at the recognizer, in groups that are quick to work on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, TypeAlias

from nbner._common.alignment import char_to_token_range
from nbner.decoding.lattice import count_weights
from nbner.errors import ModelError
from nbner.nlp.pipeline import doc_from_example, is_trained, recognizer_of
from nbner.types import Example

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.pipeline import EntityRecognizer
    from spacy.tokens import Doc

ExampleOrText: TypeAlias = Example | str

DOCS_PER_GROUP = 256  # docs that are read before the first result comes
MAX_WEIGHTS = 1_000_000  # weights of one batch: 8 MB, so that they stay near the processor


def trained_recognizer(nlp: Language) -> EntityRecognizer:
    """Give the component that is searched.

    Raises
    ------
    ModelError
        The pipeline has no entity recognizer, or an untrained one.
    """
    found = recognizer_of(nlp)
    if found is None:
        raise ModelError(
            "the pipeline has no entity recognizer, so there are no analyses to search. Add one "
            'with nlp.add_pipe("ner") and train it, or give another pipeline: '
            "Session(..., model=...)."
        )
    if not is_trained(nlp):
        raise ModelError(
            "the model has not been trained yet. Call session.train(), or give a trained "
            "pipeline: Session(..., model=...)."
        )
    return found[1]


def docs_before_ner(nlp: Language, items: Iterable[ExampleOrText]) -> Iterator[list[Doc]]:
    """Run what stands before the recognizer, and give the docs in groups.

    Yields
    ------
    list of Doc
        At most 256, in the order of the items.

    Raises
    ------
    DataError
        A text that the pipeline cannot take.
    """
    names = list(nlp.pipe_names)
    found = recognizer_of(nlp)
    later = names if found is None else names[names.index(found[0]) :]
    docs = (doc_from_example(nlp, _to_example(item)) for item in items)
    stream = nlp.pipe(docs, disable=later, batch_size=DOCS_PER_GROUP)
    while group := list(islice(stream, DOCS_PER_GROUP)):
        yield group


def longest_span_length(examples: Iterable[Example]) -> int | None:
    """Count the tokens of the longest span of tokenized examples; None where there is none."""
    lengths = (
        place[1] - place[0]
        for example in examples
        for span in example.spans
        if (place := char_to_token_range(example.tokens, span.start, span.end))
    )
    return max(lengths, default=None)


def batch_by_length(
    docs: Sequence[Doc], *, max_span_length: int | None, labels: int, max_weights: int = MAX_WEIGHTS
) -> Iterator[list[int]]:
    """Put docs of like length together, so that a batch holds a bounded number of states.

    Yields
    ------
    list of int
        Positions of docs that are not empty, longest first. A doc that is
        larger than the bound stands alone.
    """
    order = sorted(
        (i for i, doc in enumerate(docs) if len(doc)), key=lambda i: len(docs[i]), reverse=True
    )
    batch: list[int] = []
    for i in order:
        if (
            batch
            and count_weights(len(batch) + 1, len(docs[batch[0]]), max_span_length, labels)
            > max_weights
        ):
            yield batch
            batch = []
        batch.append(i)
    if batch:
        yield batch


def _to_example(item: ExampleOrText) -> Example:
    return Example(item) if isinstance(item, str) else item
