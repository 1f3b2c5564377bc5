"""spaCy component that reranks the k best analyses of the recognizer.

A listwise log-linear model (see `log_linear`) over the features of `features`,
as in Charniak and Johnson (2005) and Collins and Koo (2005). The component
comes after the recognizer. ``spacy.load`` restores it after ``import nbner``,
and through the entry point without the import where nbner is installed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import ref

from spacy.language import Language

from nbner._common.annotations import resolve_annotations
from nbner._common.checksums import add_checksum, remove_checksum
from nbner.decoding.api import MAX_SPAN_LENGTH, parses
from nbner.errors import DataError, ModelError
from nbner.io.docbin import tokens_from_doc
from nbner.nlp.entity_component import EntityComponent, doc_spans
from nbner.nlp.pipeline import (
    add_after_recognizer,
    component_of,
    doc_from_example,
    labels_of,
    recognizer_of,
)
from nbner.reranking.feature_names import check_code, code_hash, registered_function
from nbner.reranking.features import FeatureFunction, extract_features
from nbner.types import Example, Parse

if TYPE_CHECKING:
    from spacy.tokens import Doc
    from spacy.tokens import Span as DocSpan
    from typing_extensions import Self

FACTORY = "nbner_reranker"
WIDTH = 8
#: Where nothing speaks for another analysis, the recognizer's own order stays.
PRIOR_WEIGHTS = {"score": 1.0}
MIN_LISTS = 2  # lists in which a feature must tell analyses apart
FILE_NAME = "reranker.json"
_KEYS = ("width", "functions", "weights")


class Reranker(EntityComponent):
    """Chooses one of the k best analyses and sets it as the doc's entities.

    Parameters
    ----------
    nlp : Language
        Pipeline whose recognizer computes the lists.
    name : str
        Name of the component in the pipeline.
    width : int
        Length of the lists, at least 1.
    weights : mapping, optional
        Feature to weight; without any, the first analysis is chosen.
    functions : mapping, optional
        Name to the user's own feature function; see `feature_names`.

    Raises
    ------
    DataError
        The width is below 1.
    """

    def __init__(
        self,
        nlp: Language,
        name: str = FACTORY,
        *,
        width: int = WIDTH,
        weights: Mapping[str, float] | None = None,
        functions: Mapping[str, FeatureFunction] | None = None,
    ) -> None:
        if width < 1:
            raise DataError(f"a list of {width} analyses holds none", remedy="Use width=2 or more")
        self.name = name
        self.width = width
        self.weights = dict(weights or {})
        self.functions = dict(functions or {})
        # A component must not keep its pipeline alive.
        self._nlp = ref(nlp)

    def features(self, doc: Doc, analyses: Sequence[Parse]) -> list[dict[str, float]]:
        """Return the features of each analysis of a list.

        Parameters
        ----------
        doc : Doc
            The tokens of the text.
        analyses : sequence of Parse
            Best first.
        """
        return extract_features(doc, analyses, self.functions)

    def choose(self, doc: Doc, analyses: Sequence[Parse]) -> int:
        """Return the index of the analysis with the highest score; the first of equal ones.

        Parameters
        ----------
        doc : Doc
            The tokens of the text.
        analyses : sequence of Parse
            Best first.
        """
        if len(analyses) < 2 or not self.weights:
            return 0
        return best_index(self.features(doc, analyses), self.weights)

    def to_bytes(self, *, exclude: Iterable[str] = ()) -> bytes:  # noqa: ARG002 - spaCy's signature
        """Serialize width and weights; of feature functions only the names.

        Parameters
        ----------
        exclude : iterable of str
            Ignored; part of spaCy's signature.
        """
        state = {
            "width": self.width,
            "functions": sorted(self.functions),
            "weights": dict(sorted(self.weights.items())),
        }
        return _dump_json(state)

    def from_bytes(self, data: bytes, *, exclude: Iterable[str] = ()) -> Self:  # noqa: ARG002
        """Restore width, weights and feature functions.

        Parameters
        ----------
        data : bytes
            Output of `to_bytes`.
        exclude : iterable of str
            Ignored; part of spaCy's signature.

        Raises
        ------
        ModelError
            A feature function is not registered.
        """
        state = _load_json(data)
        self.functions = {name: registered_function(name) for name in state["functions"]}
        self.width, self.weights = int(state["width"]), dict(state["weights"])
        return self

    def to_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> None:
        """Write the reranker to a folder.

        Parameters
        ----------
        path : str or Path
            The folder, created if need be.
        exclude : iterable of str
            Ignored; part of spaCy's signature.
        """
        folder = Path(path)
        state = _load_json(self.to_bytes(exclude=exclude))
        hashes = {name: code_hash(one) for name, one in sorted(self.functions.items())}
        if hashes:
            state["function_hashes"] = {name: one for name, one in hashes.items() if one}
        # In the file alone: fingerprints are of the bytes without it.
        entry = add_checksum(state)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / FILE_NAME).write_bytes(_dump_json(entry))

    def from_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> Self:
        """Read the reranker from a folder.

        Parameters
        ----------
        path : str or Path
            The folder.
        exclude : iterable of str
            Ignored; part of spaCy's signature.

        Raises
        ------
        ModelError
            A feature function is not registered, or is another one than that of the
            fit, or the file is not as it was saved.
        """
        file = Path(path) / FILE_NAME
        try:
            state, _ = remove_checksum(_load_json(file.read_bytes()), keys_without=_KEYS)
        except ValueError as error:
            raise ModelError(
                f"the reranker cannot be read from {file}: {error}. Fit it again with "
                "session.model.rerank(), or load the pipeline without it: "
                f"exclude=[{self.name!r}]."
            ) from error
        for name, known in state.pop("function_hashes", {}).items():
            check_code(name, known)
        return self.from_bytes(_dump_json(state), exclude=exclude)

    def _decided_labels(self) -> tuple[str, ...]:
        return labels_of(self._pipeline())

    def _find_entities(self, docs: Sequence[Doc]) -> Iterator[Sequence[DocSpan] | None]:
        nlp = self._pipeline()
        if recognizer_of(nlp) is None:  # as while it is disabled: there is nothing to rerank
            yield from (None for _ in docs)
            return
        # The docs already have entities: lists are made from what they were before.
        fresh = (Example(doc.text, tokens=tokens_from_doc(doc), pretokenized=True) for doc in docs)
        lists = parses(nlp, fresh, self.width, max_span_length=MAX_SPAN_LENGTH)
        for doc, analyses in zip(docs, lists, strict=True):
            chosen = self.choose(doc, analyses)
            is_choice = len(analyses) > 1 or chosen
            yield doc_spans(doc, analyses[chosen].spans) if is_choice else None

    def _pipeline(self) -> Language:
        nlp = self._nlp()
        if nlp is None:
            raise ModelError(
                "the reranker's pipeline is gone. Keep the nlp object, or load it anew."
            )
        return nlp


@Language.factory(FACTORY, default_config={"width": WIDTH}, assigns=["doc.ents"])
@resolve_annotations
def make_reranker(nlp: Language, name: str, width: int) -> Reranker:
    """Build the component from a pipeline's config.

    Parameters
    ----------
    nlp : Language
        The pipeline.
    name : str
        Name of the component in the pipeline.
    width : int
        Length of the lists.
    """
    return Reranker(nlp, name, width=width)


def add_reranker(nlp: Language, reranker: Reranker) -> Reranker:
    """Add a fitted reranker after the recognizer of a pipeline, replacing an earlier one.

    Parameters
    ----------
    nlp : Language
        The pipeline; modified in place.
    reranker : Reranker
        The fitted reranker.

    Returns
    -------
    Reranker
        The component of the pipeline, with the weights of ``reranker``.

    Raises
    ------
    ModelError
        The pipeline has no entity recognizer, or the factory's name is taken.
    """
    settings = {"width": reranker.width}
    added = add_after_recognizer(nlp, FACTORY, Reranker, settings, act="rerank")
    added.weights, added.functions = dict(reranker.weights), dict(reranker.functions)
    return added


def reranker_of(nlp: Language) -> Reranker | None:
    """Return the reranker of a pipeline; None where it has none.

    Parameters
    ----------
    nlp : Language
        The pipeline.
    """
    return component_of(nlp, Reranker)


def best_index(described: Sequence[Mapping[str, float]], weights: Mapping[str, float]) -> int:
    """Return the index of the highest weighted sum of features; the first of equal ones.

    Parameters
    ----------
    described : sequence of mappings
        Features of each candidate.
    weights : mapping
        Feature to weight.
    """
    if not described:
        return 0
    scores = [
        sum(value * weights.get(name, 0.0) for name, value in features.items())
        for features in described
    ]
    return max(range(len(scores)), key=lambda i: (scores[i], -i))


def make_docs(nlp: Language, examples: Iterable[Example]) -> list[Doc]:
    """Build docs with tokens only, as input for feature functions.

    Parameters
    ----------
    nlp : Language
        Pipeline with the tokenizer.
    examples : iterable of Example
        The texts.
    """
    return [doc_from_example(nlp, example) for example in examples]


def _dump_json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _load_json(data: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(data.decode("utf-8", "surrogatepass"))
    return found
