"""Docs in the state in which the recognizer receives them, in batches of similar length."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, TypeAlias

from nbner._common.alignment import char_to_token_range
from nbner.decoding.lattice import count_weights
from nbner.errors import ModelError
from nbner.nlp.crf.component import CrfRecognizer
from nbner.nlp.pipeline import Recognizer, doc_from_example, is_trained, recognizer_of
from nbner.types import Example

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.pipeline import EntityRecognizer
    from spacy.tokens import Doc

ExampleOrText: TypeAlias = Example | str

DOCS_PER_GROUP = 256  # docs that are read before the first result comes
MAX_WEIGHTS = 1_000_000  # weights of one batch: 8 MB, so that they stay near the processor


def trained_recognizer(nlp: Language) -> Recognizer:
    """Return the entity recognizer of a pipeline.

    Parameters
    ----------
    nlp : Language
        The pipeline.

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


def transition_recognizer(nlp: Language, what: str, instead: str) -> EntityRecognizer:
    """Return the recognizer of a pipeline if it is spaCy's transition system.

    Parameters
    ----------
    nlp : Language
        The pipeline.
    what : str
        What needs the transition system, as the subject of the message: "The
        beam".
    instead : str
        What to use with a random field: a sentence without its full stop.

    Raises
    ------
    ModelError
        The pipeline has no entity recognizer, an untrained one, or a
        conditional random field.
    """
    found = trained_recognizer(nlp)
    if isinstance(found, CrfRecognizer):
        raise ModelError(
            f"{what} follows the actions of spaCy's transition system, and the recognizer "
            f"{found.name!r} is a conditional random field, which has none. {instead}."
        )
    return found


def docs_before_ner(nlp: Language, items: Iterable[ExampleOrText]) -> Iterator[list[Doc]]:
    """Run the components before the recognizer and yield the docs in groups.

    Parameters
    ----------
    nlp : Language
        The pipeline; without a recognizer all components are run.
    items : iterable of Example or str
        The texts; the given tokens of an example are kept.

    Yields
    ------
    list of Doc
        At most 256, in the order of the items.

    Raises
    ------
    DataError
        The pipeline cannot process a text.
    """
    names = list(nlp.pipe_names)
    found = recognizer_of(nlp)
    later = names if found is None else names[names.index(found[0]) :]
    docs = (doc_from_example(nlp, _to_example(item)) for item in items)
    stream = nlp.pipe(docs, disable=later, batch_size=DOCS_PER_GROUP)
    while group := list(islice(stream, DOCS_PER_GROUP)):
        yield group


def longest_span_length(examples: Iterable[Example]) -> int | None:
    """Return the number of tokens of the longest span; None if there is no span.

    Parameters
    ----------
    examples : iterable of Example
        Tokenized; spans that are not aligned with tokens are ignored.
    """
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
    """Group docs of similar length, so that a batch has a bounded number of weights.

    Parameters
    ----------
    docs : sequence of Doc
        The docs; those without tokens are left out.
    max_span_length : int, optional
        Tokens of the longest entity; None for no limit.
    labels : int
        Number of labels.
    max_weights : int
        Largest number of lattice weights in a batch.

    Yields
    ------
    list of int
        Indices of docs, longest first. A doc that exceeds the bound is a batch of
        its own.
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
