"""What every face of a session stands on: the store, the model in use, the open widgets."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakSet

from nbner.queues.labelling import Switchboard, tokenized
from nbner.store.store import Dataset, Store
from nbner.types import Counts, Example, Token

if TYPE_CHECKING:
    from spacy.language import Language

    from nbner.decoding.lattice_cache import KeptLattices
    from nbner.training.model_store import Shelf
    from nbner.widgets.annotator import Annotator
    from nbner.widgets.error_explorer import ErrorExplorer


class Foundation:
    """The state that the faces share; made by ``Session.__init__``."""

    annotator: str
    seed: int
    _base: Language
    _nlp: Language
    _store: Store
    _dataset: Dataset
    _shelf: Shelf
    _labels_follow_data: bool
    _switchboard: Switchboard
    _annotators: WeakSet[Annotator]
    _explorers: WeakSet[ErrorExplorer]
    _lattices: KeptLattices

    @property
    def dataset(self) -> str:
        """The dataset's name."""
        return self._dataset.name

    @property
    def labels(self) -> tuple[str, ...]:
        """The entity types, in the order of their keys."""
        return self._dataset.labels

    @property
    def nlp(self) -> Language:
        """The spaCy pipeline in use: the last one trained, or the one given."""
        return self._nlp

    def counts(self, split: str | None = None) -> Counts:
        """Count the examples of a split, or of all, by their current answer."""
        return self._dataset.counts(split)

    def _show_labels(self) -> None:
        """Have widgets that are open offer the labels that there are now."""
        self._switchboard.labels = self.labels
        for widget in list(self._annotators):
            widget.relabel()

    def close(self) -> None:
        """Close the database; widgets of this session can save no more."""
        self._store.close()

    def _tokenize(self, text: str) -> tuple[Token, ...]:
        from nbner.nlp.pipeline import tokenizer_of

        return tokenizer_of(self._nlp)(text)

    def _tokenized(self, example: Example) -> Example:
        return tokenized(example, self._tokenize)
