"""The one function that turns examples into predictions; everything that predicts calls it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from nbner._common.alignment import char_to_token_range
from nbner.errors import DataError, ModelError
from nbner.nlp.fingerprint import fingerprint
from nbner.nlp.multiprocess import pipe_in_processes
from nbner.nlp.pipeline import doc_from_example, is_trained, recognizer_of
from nbner.types import Example, Span

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Doc
    from spacy.tokens import Span as SpacySpan


def predict(
    nlp: Language,
    items: Iterable[Example | str],
    *,
    batch_size: int | None = None,
    n_process: int = 1,
) -> Iterator[tuple[Span, ...]]:
    """Label examples or texts with the whole pipeline, as ``nlp.pipe`` does.

    Parameters
    ----------
    nlp : Language
    items : iterable of Example or str
        An example's given tokens are kept; its answer and its spans are not
        looked at.
    batch_size : int, optional
        The pipeline's own by default. It changes the speed, not the result.
    n_process : int
        Processes to share the work; -1 for one a processor.

    Yields
    ------
    tuple of Span
        For each item in turn its spans in code points, sorted by start, with
        the model's fingerprint as their source.

    Raises
    ------
    ModelError
        At once, if the pipeline's recognizer has not been trained; later, if a
        process that shares the work dies.
    DataError
        A text that the pipeline cannot take, or no number of processes.
    """
    docs = predict_docs(nlp, items, batch_size=batch_size, n_process=n_process)
    source = fingerprint(nlp)
    return (spans_of(doc, source) for doc in docs)


def predict_docs(
    nlp: Language,
    items: Iterable[Example | str],
    *,
    batch_size: int | None = None,
    n_process: int = 1,
) -> Iterator[Doc]:
    """Do what `predict` does, and give the docs, for those who need the tokens too."""
    check_trained(nlp)
    if n_process < 1 and n_process != -1:
        raise DataError(
            f"n_process={n_process} is no number of processes",
            remedy="Give 1 or more, or -1 for one a processor",
        )
    docs = (doc_from_example(nlp, _example(item)) for item in items)
    if n_process == 1:
        return nlp.pipe(docs, batch_size=batch_size)
    return pipe_in_processes(nlp, docs, batch_size=batch_size, n_process=n_process)


def check_trained(nlp: Language) -> None:
    """Refuse a pipeline whose recognizer has not been trained.

    Raises
    ------
    ModelError
    """
    if recognizer_of(nlp) is not None and not is_trained(nlp):
        raise ModelError(
            "the model has not been trained yet. Call session.train(), or give a trained "
            "pipeline: Session(..., model=...)."
        )


def spans_of(doc: Doc, source: str | None = None) -> tuple[Span, ...]:
    """Read a doc's entities as plain spans in code points."""
    return tuple(
        Span(entity.start_char, entity.end_char, entity.label_, source=source)
        for entity in doc.ents
    )


def token_offsets(entities: Sequence[SpacySpan], example: Example) -> Iterator[tuple[int, int]]:
    """Give each entity's half-open token indices, in the example's own tokens if it has some.

    Where more than a space lies between given tokens, spaCy's doc holds tokens
    of whitespace that the example does not know.
    """
    given = example.tokens if example.pretokenized else ()
    for entity in entities:
        own = given if len(entity.doc) != len(given) else ()
        place = char_to_token_range(own, entity.start_char, entity.end_char) if own else None
        yield place or (entity.start, entity.end)


def _example(item: Example | str) -> Example:
    return Example(item) if isinstance(item, str) else item
