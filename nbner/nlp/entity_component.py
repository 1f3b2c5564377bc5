"""Base of the components that set entities: the random field, the decision, the reranker."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any
from weakref import ref

from nbner.types import Span

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Doc
    from spacy.tokens import Span as DocSpan

_BEGINS = 3  # spaCy's ENT_IOB


class EntityComponent(ABC):
    """Sets the entities of docs, and keeps what others have set.

    Blocked tokens stay blocked and without an entity. An entity stays if its label
    is none that the component decides about, or if it has an identifier, as rules
    give one and no recognizer does. New entities that overlap with one of these are
    left out, and an entity that is found again keeps its identifiers.

    Attributes
    ----------
    name : str
        Name of the component in the pipeline.
    """

    name: str
    _nlp: Callable[[], Language | None]  # of a component that needs its pipeline

    def __getstate__(self) -> dict[str, Any]:
        """Return the state for `pickle` and `copy`, with the pipeline for its weak reference.

        New processes of ``nlp.pipe(..., n_process=2)`` are given the pipeline in this
        way where they do not fork, as on macOS; and a copied component works on the
        copied pipeline.
        """
        state = dict(vars(self))
        if "_nlp" in state:
            state["_nlp"] = self._nlp()
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Restore the state of `__getstate__`."""
        vars(self).update(state)
        if "_nlp" in state:
            nlp = state["_nlp"]
            self._nlp = _no_pipeline if nlp is None else ref(nlp)

    def __call__(self, doc: Doc) -> Doc:
        """Set the entities of one doc.

        Parameters
        ----------
        doc : Doc
            Modified in place.
        """
        return next(self.pipe([doc], batch_size=1))

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 256) -> Iterator[Doc]:
        """Set the entities of docs, in order.

        Parameters
        ----------
        stream : iterable of Doc
            Modified in place.
        batch_size : int
            Number of docs that are decoded together; it changes the speed, not
            the result.
        """
        rest = iter(stream)
        while docs := list(islice(rest, batch_size)):
            labels = self._decided_labels()
            for doc, found in zip(docs, self._find_entities(docs), strict=True):
                if found is not None:
                    _set_entities(doc, found, labels)
                yield doc

    @abstractmethod
    def _find_entities(self, docs: Sequence[Doc]) -> Iterable[Sequence[DocSpan] | None]:
        """Return the entities of each doc; None for one that stays as it is."""

    @abstractmethod
    def _decided_labels(self) -> Collection[str]:
        """Return the labels whose entities in a doc are replaced by those that are found."""


def _no_pipeline() -> None:
    """Return None, as the weak reference to a pipeline that is gone does."""


def doc_spans(doc: Doc, spans: Iterable[Span]) -> list[DocSpan]:
    """Return spans as spaCy's spans of a doc; those that are not on its tokens are left out.

    Parameters
    ----------
    doc : Doc
        The doc.
    spans : iterable of Span
        Offsets in characters.
    """
    found = (doc.char_span(one.start, one.end, one.label) for one in spans)
    return [one for one in found if one is not None]


def _set_entities(doc: Doc, found: Sequence[DocSpan], decided_labels: Collection[str]) -> None:
    """Set entities; see `EntityComponent` for what stays."""
    present = {(one.start, one.end, one.label_): one for one in doc.ents}
    kept = [one for one in doc.ents if one.label_ not in decided_labels or one.id_]
    blocked = [
        doc[token.i : token.i + 1]
        for token in doc
        if token.ent_iob == _BEGINS and not token.ent_type
    ]
    taken = {token.i for one in (*kept, *blocked) for token in one}
    added = [
        present.get((one.start, one.end, one.label_), one)
        for one in found
        if taken.isdisjoint(range(one.start, one.end))
    ]
    entities = sorted([*kept, *added], key=lambda one: one.start)
    doc.set_ents(entities, blocked=blocked, default="outside")
