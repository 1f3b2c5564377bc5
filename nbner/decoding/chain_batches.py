"""Analyses, probabilities and lattices of docs under a conditional random field."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from nbner.decoding.arrays import BoolArray, FloatArray
from nbner.decoding.chain import ChainLattice, ContentTokens, named_spans
from nbner.decoding.chain_search import (
    chain_span_probabilities,
    chain_sums,
    chain_token_probabilities,
)
from nbner.decoding.probabilities import SpanProbabilities, add_forced_spans
from nbner.decoding.spans import OUTSIDE
from nbner.io.docbin import tokens_from_doc
from nbner.nlp.crf.component import batch_lengths, preset_entities
from nbner.nlp.crf.model import begin_tag, stack_scores
from nbner.types import Parse, Span

if TYPE_CHECKING:
    from spacy.tokens import Doc

    from nbner.nlp.crf.component import CrfRecognizer


@dataclass(frozen=True, slots=True)
class ChainSettings:
    """Options of the analyses of a random field.

    Parameters
    ----------
    normalized : bool
        Whether scores are log-probabilities.
    temperature : float
        Divides the model's scores.
    """

    normalized: bool = True
    temperature: float = 1.0


@dataclass(frozen=True, slots=True)
class _ScoredDoc:
    doc: Doc = field(repr=False)
    content: ContentTokens
    scores: FloatArray
    added: tuple[Span, ...]
    preset_tokens: BoolArray


def _score_docs(
    recognizer: CrfRecognizer, docs: Sequence[Doc], temperature: float
) -> tuple[list[_ScoredDoc], FloatArray]:
    """Return the scored docs and the transitions."""
    crf = recognizer.trained_model()
    found = [
        _ScoredDoc(
            doc, ContentTokens.from_doc(doc), scores / temperature, *_preset(doc, crf.labels)
        )
        for doc, scores in zip(docs, recognizer.token_scores(docs), strict=True)
    ]
    return found, crf.masked_transitions / temperature


def _preset(doc: Doc, labels: Sequence[str]) -> tuple[tuple[Span, ...], BoolArray]:
    """Return the entities set before whose label is unknown, and all tokens set before."""
    entities, tokens = preset_entities(doc)
    taken = np.zeros(len(doc), np.bool_)
    taken[tokens] = True
    return (
        tuple(
            Span(one.start_char, one.end_char, one.label_)
            for one in entities
            if one.label_ not in labels
        ),
        taken,
    )


def chain_lattices(
    recognizer: CrfRecognizer, docs: Sequence[Doc], settings: ChainSettings = ChainSettings()
) -> Iterator[ChainLattice]:
    """Build the lattices of docs.

    Parameters
    ----------
    recognizer : CrfRecognizer
        The trained component.
    docs : sequence of Doc
        As the recognizer receives them.
    settings : ChainSettings
        Normalization and temperature.

    Yields
    ------
    ChainLattice
        One a doc, in order.
    """
    scored, transitions = _score_docs(recognizer, docs, settings.temperature)
    for one in scored:
        yield _lattice(one, transitions, recognizer.labels, settings)


def _lattice(
    one: _ScoredDoc,
    transitions: FloatArray,
    labels: tuple[str, ...],
    settings: ChainSettings,
    log_partition: float | None = None,
) -> ChainLattice:
    return ChainLattice(
        one.doc.text,
        tokens_from_doc(one.doc),
        one.content,
        stack_scores([one.scores], transitions) if len(one.scores) else None,
        labels,
        preset=one.added,
        preset_tokens=one.preset_tokens,
        normalized=settings.normalized,
        log_partition=log_partition,
    )


def chain_parses(
    recognizer: CrfRecognizer,
    docs: Sequence[Doc],
    k: int,
    settings: ChainSettings = ChainSettings(),
) -> Iterator[tuple[Parse, ...]]:
    """Find the k best analyses of docs.

    Parameters
    ----------
    recognizer, docs, settings
        As for `chain_lattices`.
    k : int
        Length of the lists, at least 1.

    Yields
    ------
    tuple of Parse
        One list a doc, in order.
    """
    scored, transitions = _score_docs(recognizer, docs, settings.temperature)
    # Summed over batches, which is faster, and gives the same to the bit.
    totals = [0.0] * len(docs)
    for batch in batch_lengths([len(one.scores) for one in scored]):
        sums = chain_sums(stack_scores([scored[i].scores for i in batch], transitions))
        for i, total in zip(batch, sums.log_totals.tolist(), strict=True):
            totals[i] = total
    for one, total in zip(scored, totals, strict=True):
        yield _lattice(one, transitions, recognizer.labels, settings, total).k_best(k)


def chain_probabilities(
    recognizer: CrfRecognizer,
    docs: Sequence[Doc],
    floor: float,
    settings: ChainSettings = ChainSettings(),
) -> list[SpanProbabilities]:
    """Compute the exact probabilities of the spans and tokens of docs, batch by batch.

    Parameters
    ----------
    recognizer, docs, settings
        As for `chain_lattices`.
    floor : float
        Spans with a lower probability are not listed.
    """
    (found,) = chain_probabilities_at(recognizer, docs, floor, [settings.temperature])
    return found


def chain_probabilities_at(
    recognizer: CrfRecognizer, docs: Sequence[Doc], floor: float, temperatures: Sequence[float]
) -> Iterator[list[SpanProbabilities]]:
    """Compute the probabilities of `chain_probabilities` at several temperatures.

    Parameters
    ----------
    recognizer, docs, floor
        As for `chain_probabilities`.
    temperatures : sequence of float
        Each divides the model's scores, which are computed once.

    Yields
    ------
    list of SpanProbabilities
        One list a temperature, in order.
    """
    scored, transitions = _score_docs(recognizer, docs, 1.0)
    for temperature in temperatures:
        at_temperature = [replace(one, scores=one.scores / temperature) for one in scored]
        yield _probabilities(at_temperature, transitions / temperature, recognizer.labels, floor)


def chain_expectations(
    recognizer: CrfRecognizer, docs: Sequence[Doc], floor: float, temperature: float
) -> Iterator[tuple[float, dict[Span, float]]]:
    """Compute how many entities each doc is expected to have, and its probable spans.

    Parameters
    ----------
    recognizer, docs
        As for `chain_lattices`.
    floor : float
        Spans with a lower probability are not listed; they count towards the number.
    temperature : float
        Divides the model's scores.

    Yields
    ------
    (float, dict)
        The expected number of entities, and the spans with their probabilities. In the
        order of the docs.
    """
    scored, transitions = _score_docs(recognizer, docs, temperature)
    labels = recognizer.labels
    plain = tuple(range(len(labels)))
    found: list[tuple[float, dict[Span, float]]] = [(0.0, {})] * len(scored)
    for batch in batch_lengths([len(one.scores) for one in scored]):
        stacked = stack_scores([scored[i].scores for i in batch], transitions)
        sums = chain_sums(stacked)
        # Each entity begins once.
        sizes = sums.tag_probabilities()[:, :, begin_tag(0) :: 2].sum(axis=(1, 2))
        listed = chain_span_probabilities(stacked, sums, floor)
        for i, size, spans in zip(batch, sizes.tolist(), listed, strict=True):
            found[i] = size, named_spans(spans, scored[i].content, plain, labels)
    yield from found


def _probabilities(
    scored: Sequence[_ScoredDoc], transitions: FloatArray, labels: tuple[str, ...], floor: float
) -> list[SpanProbabilities]:
    plain = tuple(range(len(labels)))
    none: tuple[FloatArray, list[tuple[int, int, int, float]]]
    none = np.zeros((0, 1 + 2 * len(labels))), []
    found = [none] * len(scored)
    for batch in batch_lengths([len(one.scores) for one in scored]):
        stacked = stack_scores([scored[i].scores for i in batch], transitions)
        sums = chain_sums(stacked)
        tags = sums.tag_probabilities()
        for row, (i, spans) in enumerate(
            zip(batch, chain_span_probabilities(stacked, sums, floor), strict=True)
        ):
            found[i] = tags[row, : len(scored[i].scores)], spans
    return [
        _to_probabilities(one, tags, spans, plain, labels, floor)
        for one, (tags, spans) in zip(scored, found, strict=True)
    ]


def _to_probabilities(
    one: _ScoredDoc,
    tags: FloatArray,
    spans: Sequence[tuple[int, int, int, float]],
    label_of: Sequence[int],
    labels: tuple[str, ...],
    floor: float,
) -> SpanProbabilities:
    known = SpanProbabilities(
        text=one.doc.text,
        spans=named_spans(spans, one.content, label_of, labels),
        token_probabilities=chain_token_probabilities(
            tags, one.content.index, len(one.doc), label_of, len(labels)
        ),
        token_axis=tokens_from_doc(one.doc),
        label_axis=(*labels, OUTSIDE),
        min_probability=floor,
    )
    if not one.added:
        return known
    entities = [entity for entity in one.doc.ents if entity.label_ not in labels]
    places = [(entity.start, entity.end) for entity in entities]
    return add_forced_spans(
        known, [(*at, span) for at, span in zip(places, one.added, strict=True)]
    )
