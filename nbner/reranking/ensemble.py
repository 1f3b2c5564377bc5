"""Ensembles of models: a reranker over the union of their k best lists, averaged probabilities."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import log
from typing import TYPE_CHECKING

from nbner.decoding.api import MAX_SPAN_LENGTH, lattices
from nbner.nlp.pipeline import doc_from_example
from nbner.reranking.component import best_index
from nbner.reranking.features import extract_features
from nbner.types import Example, Parse, Span

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Doc

    from nbner.decoding.lattice_view import TextLattice

MIN_ANALYSIS_PROBABILITY = 1e-12  # an analysis that a model cannot make
MIN_SPAN_PROBABILITY = 1e-3  # a span's probability, below which no average looks at it


@dataclass(frozen=True, slots=True)
class CandidatePool:
    """Candidates of several models for one text.

    Parameters
    ----------
    analyses : tuple of Parse
        Union of the models' lists, sorted by their mean probability over the
        models, which is their ``probability``; ``score`` is its logarithm.
    log_probabilities : tuple of tuples of float
        For each analysis its log-probability under each model.
    first_spans : tuple of tuples of Span
        Entities of the first analysis of each model.
    span_probabilities : mapping
        Span to its exact probability, averaged over the models.
    """

    analyses: tuple[Parse, ...]
    log_probabilities: tuple[tuple[float, ...], ...]
    first_spans: tuple[tuple[Span, ...], ...]
    span_probabilities: Mapping[Span, float]


def pool_texts(
    models: Sequence[Language], examples: Sequence[Example], width: int
) -> Iterator[CandidatePool]:
    """Pool the k best lists of several models, text by text.

    Parameters
    ----------
    models : sequence of Language
        Pipelines with trained recognizers.
    examples : sequence of Example
        The texts.
    width : int
        Length of each model's list.

    Yields
    ------
    CandidatePool
        One a text.
    """
    found = [lattices(nlp, examples, max_span_length=MAX_SPAN_LENGTH) for nlp in models]
    for views in zip(*found, strict=True):
        yield pool_lattices(views, width)


def pool_lattices(views: Sequence[TextLattice], width: int) -> CandidatePool:
    """Pool the k best analyses of several lattices of one text.

    Parameters
    ----------
    views : sequence of TextLattice
        One a model.
    width : int
        Length of each model's list.
    """
    lists = [one.k_best(width) for one in views]
    every = {parse.spans for parses in lists for parse in parses}
    scored = [
        (spans, tuple(max(MIN_ANALYSIS_PROBABILITY, one.probability_of(spans)) for one in views))
        for spans in every
    ]
    means = {spans: sum(row) / len(views) for spans, row in scored}
    scored.sort(key=lambda one: (-means[one[0]], [(s.start, s.end, s.label) for s in one[0]]))
    return CandidatePool(
        analyses=tuple(Parse(means[spans], log(means[spans]), spans) for spans, _ in scored),
        log_probabilities=tuple(tuple(log(p) for p in row) for _, row in scored),
        first_spans=tuple(parses[0].spans for parses in lists),
        span_probabilities=mean_probabilities(
            [one.span_probabilities(min_probability=MIN_SPAN_PROBABILITY).spans for one in views]
        ),
    )


class EnsembleReranker:
    """Reranker over the pooled k best lists of several models.

    Parameters
    ----------
    models : sequence of Language
        Pipelines with trained recognizers.
    width : int
        Length of each model's list.
    weights : mapping, optional
        Feature to weight; without any, the analysis with the highest mean
        probability is chosen.
    """

    def __init__(
        self,
        models: Sequence[Language],
        width: int,
        weights: Mapping[str, float] | None = None,
    ) -> None:
        self.models = tuple(models)
        self.width = width
        self.weights = dict(weights or {})

    def features(self, doc: Doc, pooled: CandidatePool) -> list[dict[str, float]]:
        """Return the features of each analysis of a pool, as differences from the first.

        They are those of `features`, the log-probability under each model, the lowest
        of these, and the number of models whose first analysis it is.

        Parameters
        ----------
        doc : Doc
            The tokens of the text.
        pooled : CandidatePool
            The candidates of the text.
        """
        described = extract_features(doc, pooled.analyses)
        first = self._model_features(pooled, 0)
        for number, features in enumerate(described):
            own = self._model_features(pooled, number)
            features |= {name: own[name] - first[name] for name in own if own[name] != first[name]}
        return described

    def predict(self, items: Iterable[Example | str]) -> Iterator[tuple[Span, ...]]:
        """Predict the entities of texts, in order.

        Parameters
        ----------
        items : iterable of Example or str
            The texts.

        Yields
        ------
        tuple of Span
            Entities of the chosen analysis.
        """
        examples = [Example(item) if isinstance(item, str) else item for item in items]
        docs = (doc_from_example(self.models[0], example) for example in examples)
        for doc, pooled in zip(docs, pool_texts(self.models, examples, self.width), strict=True):
            described = self.features(doc, pooled)
            yield pooled.analyses[best_index(described, self.weights)].spans

    def _model_features(self, pooled: CandidatePool, number: int) -> dict[str, float]:
        views = pooled.log_probabilities[number]
        found = {f"model {i + 1}": value for i, value in enumerate(views)}
        found["lowest"] = min(views)
        found["firsts"] = float(pooled.first_spans.count(pooled.analyses[number].spans))
        return found


def mean_probabilities(tables: Sequence[Mapping[Span, float]]) -> dict[Span, float]:
    """Average span probabilities; a span that is missing in a table counts as 0.

    Parameters
    ----------
    tables : sequence of mappings
        Span to probability, one a model.
    """
    found: dict[Span, float] = {}
    for table in tables:
        for span, probability in table.items():
            found[span] = found.get(span, 0.0) + probability / len(tables)
    return found
