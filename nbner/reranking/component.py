"""A reranker: it chooses among the k best analyses by more than the recognizer can see.

A listwise log-linear model (see `maxent`) over the features of `features`, as
in Charniak and Johnson (2005) and Collins and Koo (2005). It is a spaCy
component behind the recognizer: ``spacy.load`` brings it back after ``import
nbner``, and with nbner installed without it, through the entry point.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import ref

from spacy.language import Language
from spacy.util import registry

from nbner.decoding.api import parses
from nbner.errors import DataError, ModelError
from nbner.io.docbin import tokens_from_doc
from nbner.nlp.pipeline import doc_from_example, recognizer_of
from nbner.reranking.features import FeatureFunction, extract_features
from nbner.types import Example, Parse, Span

if TYPE_CHECKING:
    from spacy.tokens import Doc
    from typing_extensions import Self

FACTORY = "nbner_reranker"
WIDTH = 8
MAX_SPAN_LENGTH = 64  # tokens of the longest entity in the lists
#: Where nothing speaks for another analysis, the recognizer's own order stays.
PRIOR_WEIGHTS = {"score": 1.0}
MIN_LISTS = 2  # lists in which a feature must tell analyses apart
FILE_NAME = "reranker.json"


class Reranker:
    """Chooses one of the k best analyses and sets it as the doc's entities.

    Parameters
    ----------
    nlp : Language
        The pipeline whose recognizer makes the lists.
    name : str
    width : int
        Analyses in a list.
    weights : mapping, optional
        Feature to weight; without any, the first analysis stays.
    functions : mapping, optional
        Name to a feature function of the user's own; see `name_functions`.

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

    def __call__(self, doc: Doc) -> Doc:
        """Decide one doc's entities anew."""
        return next(self.pipe([doc], batch_size=1))

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 256) -> Iterator[Doc]:
        """Decide the entities of docs anew, in order."""
        rest = iter(stream)
        while docs := list(islice(rest, batch_size)):
            for doc, analyses in zip(docs, self._k_best(docs), strict=True):
                chosen = self.choose(doc, analyses)
                if len(analyses) > 1 or chosen:
                    _set_entities(doc, analyses[chosen].spans)
                yield doc

    def features(self, doc: Doc, analyses: Sequence[Parse]) -> list[dict[str, float]]:
        """Give the features of each analysis of a list."""
        return extract_features(doc, analyses, self.functions)

    def choose(self, doc: Doc, analyses: Sequence[Parse]) -> int:
        """Give the position of the analysis that has the highest score; ties go to the first."""
        if len(analyses) < 2 or not self.weights:
            return 0
        return best_index(self.features(doc, analyses), self.weights)

    def to_bytes(self, *, exclude: Iterable[str] = ()) -> bytes:  # noqa: ARG002 - spaCy's signature
        """Write the reranker; of feature functions their names alone."""
        state = {
            "width": self.width,
            "functions": sorted(self.functions),
            "weights": dict(sorted(self.weights.items())),
        }
        return json.dumps(state, ensure_ascii=False).encode("utf-8", "surrogatepass")

    def from_bytes(self, data: bytes, *, exclude: Iterable[str] = ()) -> Self:  # noqa: ARG002
        """Read a reranker back.

        Raises
        ------
        ModelError
            A function that it was fitted with is not registered.
        """
        state: dict[str, Any] = json.loads(data.decode("utf-8", "surrogatepass"))
        self.functions = {name: _registered_function(name) for name in state["functions"]}
        self.width, self.weights = int(state["width"]), dict(state["weights"])
        return self

    def to_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> None:
        """Write the reranker into a folder."""
        folder = Path(path)
        data = self.to_bytes(exclude=exclude)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / FILE_NAME).write_bytes(data)

    def from_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> Self:
        """Read the reranker of a folder."""
        return self.from_bytes((Path(path) / FILE_NAME).read_bytes(), exclude=exclude)

    def _k_best(self, docs: Sequence[Doc]) -> Iterator[tuple[Parse, ...]]:
        nlp = self._nlp()
        if nlp is None:
            raise ModelError(
                "the reranker's pipeline is gone. Keep the nlp object, or load it anew."
            )
        # The docs already have entities: lists are made from what they were before.
        fresh = (Example(doc.text, tokens=tokens_from_doc(doc), pretokenized=True) for doc in docs)
        return parses(nlp, fresh, self.width, max_span_length=MAX_SPAN_LENGTH)


@Language.factory(FACTORY, default_config={"width": WIDTH}, assigns=["doc.ents"])
def make_reranker(nlp: Language, name: str, width: int) -> Reranker:
    """Make the component, as a pipeline's config names it."""
    return Reranker(nlp, name, width=width)


def add_reranker(nlp: Language, reranker: Reranker) -> Reranker:
    """Put a fitted reranker behind the recognizer of a pipeline, in place of an earlier one."""
    found = recognizer_of(nlp)
    if found is None:
        raise ModelError("the pipeline has no entity recognizer, so there is nothing to rerank.")
    for name, component in nlp.pipeline:
        if isinstance(component, Reranker):
            nlp.remove_pipe(name)
    added = nlp.add_pipe(FACTORY, after=found[0], config={"width": reranker.width})
    if not isinstance(added, Reranker):
        raise ModelError(f"another package has taken the name {FACTORY!r} of the component.")
    added.weights, added.functions = dict(reranker.weights), dict(reranker.functions)
    return added


def best_index(described: Sequence[Mapping[str, float]], weights: Mapping[str, float]) -> int:
    """Give the position of the highest weighted sum; ties go to the first."""
    if not described:
        return 0
    scores = [
        sum(value * weights.get(name, 0.0) for name, value in features.items())
        for features in described
    ]
    return max(range(len(scores)), key=lambda i: (scores[i], -i))


def make_docs(nlp: Language, examples: Iterable[Example]) -> list[Doc]:
    """Make the docs that features look at: tokens alone."""
    return [doc_from_example(nlp, example) for example in examples]


def name_functions(functions: Sequence[FeatureFunction]) -> dict[str, FeatureFunction]:
    """Give feature functions the names under which a saved reranker finds them again.

    What is registered as ``spacy.registry.misc`` keeps its name. All others are
    registered here under module and name; another process that loads the
    reranker has to do the same.

    Raises
    ------
    DataError
        One is no function, or two have the same name.
    """
    found: dict[str, FeatureFunction] = {}
    for function in functions:
        if not callable(function):
            raise DataError(
                f"{function!r} is not a function",
                field="features",
                remedy="Give functions from (doc, parse) to a dict of numbers",
            )
        name = _registered_name(function) or f"{function.__module__}.{function.__qualname__}"
        if name in found:
            raise DataError(
                f"two feature functions are called {name!r}",
                field="features",
                remedy="Give each a name of its own with def",
            )
        registry.misc(name, func=function)
        found[name] = function
    return found


def _registered_name(function: FeatureFunction) -> str | None:
    every: dict[str, Any] = registry.misc.get_all()
    return next((name for name, known in every.items() if known is function), None)


def _set_entities(doc: Doc, spans: Sequence[Span]) -> None:
    wanted = [(span.start, span.end, span.label) for span in spans]
    if wanted == [(one.start_char, one.end_char, one.label_) for one in doc.ents]:
        return
    found = [doc.char_span(*span) for span in wanted]
    doc.set_ents([one for one in found if one is not None])


def _registered_function(name: str) -> FeatureFunction:
    try:
        function: FeatureFunction = registry.misc.get(name)
    except ValueError as error:
        raise ModelError(
            f"the reranker was fitted with the feature function {name!r}, which is not registered "
            f'here. Define it and say spacy.registry.misc("{name}", func=...), then load again.'
        ) from error
    return function
