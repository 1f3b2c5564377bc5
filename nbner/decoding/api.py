"""k best analyses, span probabilities and lattices of a stream of texts.

By default scores are normalized over the valid actions of each state, so that
the score of an analysis is its log-probability. Those of the conditional random
field ``nbner_crf`` are normalized over all analyses of a text, and its entities
may have any length: ``max_span_length`` is checked and not used. No result
depends on the other texts of a batch. A text without tokens has one analysis, the empty one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from nbner import registry
from nbner.decoding.batching import (
    ExampleOrText,
    batch_by_length,
    docs_before_ner,
    trained_recognizer,
    transition_recognizer,
)
from nbner.decoding.beam import beam_parses
from nbner.decoding.chain_batches import (
    ChainSettings,
    chain_lattices,
    chain_parses,
    chain_probabilities_at,
)
from nbner.decoding.k_best import k_best
from nbner.decoding.lattice import LatticeBatch, LatticeSettings, build_lattices
from nbner.decoding.lattice_view import Lattice, TextLattice, check_k
from nbner.decoding.marginals import log_totals, segment_probabilities, token_probabilities
from nbner.decoding.probabilities import MIN_PROBABILITY, SpanProbabilities, collect_probable_spans
from nbner.decoding.spans import OUTSIDE, LazyCandidates, TokenOffsets, read_candidates
from nbner.decoding.state_scorer import RepeatedScorer, StateScorer
from nbner.decoding.transitions import Transitions
from nbner.errors import DataError, ModelError
from nbner.io.docbin import tokens_from_doc
from nbner.nlp.calibration_meta import load_list_temperature
from nbner.nlp.crf.component import CrfRecognizer
from nbner.types import Parse

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.pipeline import EntityRecognizer
    from spacy.tokens import Doc

#: A name in `nbner.registry.decoders`, or such a function.
Decoder: TypeAlias = str | Callable[..., Iterable[Sequence[Parse]]]
DECODERS = ("exact", "exact_raw", "exact_calibrated", "beam")
MAX_SPAN_LENGTH = 64  # tokens of the longest entity, where a caller needs a limit
#: Analyses in the list of each text, where all texts of a split have one: longer lists take
#: hours, and 64 hold nearly all that can be gained.
MAX_WIDTH = 1_024


def parses(
    nlp: Language,
    items: Iterable[ExampleOrText],
    k: int,
    *,
    decoder: Decoder = "exact",
    max_span_length: int | None = None,
    temperature: float = 1.0,
) -> Iterator[tuple[Parse, ...]]:
    """Compute the k best analyses of every text, in order.

    Parameters
    ----------
    nlp : Language
        Pipeline with a trained entity recognizer.
    items : iterable of Example or str
        The texts; the given tokens of an example are kept, its answer and spans
        are ignored.
    k : int
        Length of the lists, at least 1.
    decoder : str or callable
        A name in `nbner.registry.decoders`, or such a function. Built in are
        "exact", exact search over normalized scores; "exact_raw", exact search
        over the model's raw scores; "exact_calibrated", as "exact" at the
        temperature that ``session.model.calibrate_lists`` has fitted; and "beam",
        spaCy's beam of width k over raw scores. Probabilities are exp(score), those of
        the model; over raw scores exp(score) divided by its sum over all
        analyses; and of a beam a softmax over the beam.
    max_span_length : int, optional
        Tokens of the longest entity that the exact search considers; None for no
        limit. Not used by a random field, which needs none.
    temperature : float
        Divides the scores before normalization; ignored by the beam and by
        "exact_calibrated", which has its own.

    Yields
    ------
    tuple of Parse
        Best first, in code points; fewer than k if there are no more. The exact
        list for a smaller k is a prefix of the list for a larger one.

    Raises
    ------
    DataError
        At once, for a k or maximum length below 1, a k above 100,000, an unknown
        decoder, or a temperature that is not above 0.
    ModelError
        At once, if the pipeline has no trained entity recognizer.
    """
    check_k(k)
    if isinstance(decoder, str) and decoder not in registry.decoders:
        raise DataError(
            f"there is no decoder {decoder!r}",
            field="decoder",
            remedy=f"Use one of {', '.join(registry.decoders.names())}",
        )
    _check_settings(max_span_length, temperature)
    found = registry.call(
        registry.decoders.resolve(decoder),
        nlp,
        items,
        k,
        max_span_length=max_span_length,
        temperature=temperature,
    )
    return (tuple(one) for one in found)


@registry.decoders("exact")
def decode_exact(
    nlp: Language,
    items: Iterable[ExampleOrText],
    k: int,
    *,
    max_span_length: int | None,
    temperature: float,
) -> Iterator[tuple[Parse, ...]]:
    """Compute the k best analyses by exact search over normalized scores; see `parses`."""
    settings = _check_settings(max_span_length, temperature)
    recognizer = trained_recognizer(nlp)
    groups = docs_before_ner(nlp, items)
    if isinstance(recognizer, CrfRecognizer):
        chain = ChainSettings(temperature=temperature)
        return (one for docs in groups for one in chain_parses(recognizer, docs, k, chain))
    return (one for docs in groups for one in _exact_parses(recognizer, docs, k, settings))


@registry.decoders("exact_raw")
def decode_exact_raw(
    nlp: Language,
    items: Iterable[ExampleOrText],
    k: int,
    *,
    max_span_length: int | None,
    temperature: float,
) -> Iterator[tuple[Parse, ...]]:
    """Compute the k best analyses by exact search over raw scores; see `parses`.

    It searches what spaCy's beam searches, the sum of the raw scores of the actions,
    without search error.
    """
    settings = _check_settings(max_span_length, temperature, normalized=False)
    recognizer = transition_recognizer(
        nlp,
        "An exact list over raw scores",
        'Use decoder="exact": a random field is normalized over whole analyses, so that its list '
        "over raw scores is the same one",
    )
    groups = docs_before_ner(nlp, items)
    return (one for docs in groups for one in _exact_parses(recognizer, docs, k, settings))


@registry.decoders("exact_calibrated")
def decode_exact_calibrated(
    nlp: Language, items: Iterable[ExampleOrText], k: int, *, max_span_length: int | None
) -> Iterator[tuple[Parse, ...]]:
    """Compute the k best analyses by exact search at the model's fitted temperature; see `parses`.

    Raises
    ------
    ModelError
        No temperature of the states has been fitted for this model.
    """
    recognizer = transition_recognizer(
        nlp,
        "A temperature of the states",
        'Use decoder="exact": the order of its list does not depend on a temperature',
    )
    temperature = load_list_temperature(nlp)
    if temperature is None:
        raise ModelError(
            "no temperature of the states has been fitted for the lists of this model. Fit one "
            'with session.model.calibrate_lists(), or use decoder="exact".'
        )
    settings = _check_settings(max_span_length, temperature)
    groups = docs_before_ner(nlp, items)
    return (one for docs in groups for one in _exact_parses(recognizer, docs, k, settings))


@registry.decoders("beam")
def decode_with_beam(
    nlp: Language, items: Iterable[ExampleOrText], k: int
) -> Iterator[tuple[Parse, ...]]:
    """Compute the analyses in spaCy's beam of width k over raw scores; see `parses`."""
    recognizer = transition_recognizer(
        nlp,
        "A beam of spaCy's",
        'Use decoder="exact": its list is the one that a beam approximates',
    )
    groups = docs_before_ner(nlp, items)
    return (one for docs in groups for one in beam_parses(recognizer, docs, k))


def span_probabilities(
    nlp: Language,
    items: Iterable[ExampleOrText],
    *,
    max_span_length: int | None = None,
    temperature: float = 1.0,
    min_probability: float = MIN_PROBABILITY,
) -> Iterator[SpanProbabilities]:
    """Compute the exact probability of every span and token of every text, in order.

    Parameters
    ----------
    nlp : Language
        Pipeline with a trained entity recognizer.
    items : iterable of Example or str
        The texts; the given tokens of an example are kept.
    max_span_length : int, optional
        Tokens of the longest entity that is summed over; None for no limit.
    temperature : float
        Divides the scores before normalization.
    min_probability : float
        Spans with a lower probability are not listed.

    Yields
    ------
    SpanProbabilities
        One a text.

    Raises
    ------
    DataError, ModelError
        As for `parses`.
    """
    found = span_probabilities_at(
        nlp,
        items,
        [temperature],
        max_span_length=max_span_length,
        min_probability=min_probability,
    )
    return (one for (one,) in found)


def span_probabilities_at(
    nlp: Language,
    items: Iterable[ExampleOrText],
    temperatures: Sequence[float],
    *,
    max_span_length: int | None = None,
    min_probability: float = MIN_PROBABILITY,
) -> Iterator[tuple[SpanProbabilities, ...]]:
    """Compute the probabilities of `span_probabilities` at several temperatures, in order.

    The texts go through the pipeline and its layers once.

    Parameters
    ----------
    nlp, items, max_span_length, min_probability
        As for `span_probabilities`.
    temperatures : sequence of float
        Each divides the scores before normalization.

    Yields
    ------
    tuple of SpanProbabilities
        One a temperature, for each text.

    Raises
    ------
    DataError, ModelError
        As for `parses`.
    """
    every = [_check_settings(max_span_length, one) for one in temperatures]
    recognizer = trained_recognizer(nlp)
    groups = docs_before_ner(nlp, items)
    if isinstance(recognizer, CrfRecognizer):
        return (
            one
            for docs in groups
            for one in zip(
                *chain_probabilities_at(recognizer, docs, min_probability, temperatures),
                strict=True,
            )
        )
    return (
        one
        for docs in groups
        for one in _compute_span_probabilities(recognizer, docs, every, min_probability)
    )


def lattices(
    nlp: Language,
    items: Iterable[ExampleOrText],
    *,
    max_span_length: int | None = None,
    temperature: float = 1.0,
    normalized: bool = True,
) -> Iterator[TextLattice]:
    """Compute the lattice of every text, in order, for repeated searches.

    Parameters
    ----------
    nlp : Language
        Pipeline with a trained entity recognizer.
    items : iterable of Example or str
        The texts; the given tokens of an example are kept.
    max_span_length : int, optional
        Tokens of the longest entity in the lattice; None for no limit.
    temperature : float
        Divides the scores before normalization.
    normalized : bool
        False for the model's raw scores.

    Yields
    ------
    TextLattice
        It takes 8 bytes for each token, possible length and label.

    Raises
    ------
    DataError, ModelError
        As for `parses`.
    """
    settings = _check_settings(max_span_length, temperature, normalized=normalized)
    recognizer = trained_recognizer(nlp)
    groups = docs_before_ner(nlp, items)
    if isinstance(recognizer, CrfRecognizer):
        chain = ChainSettings(normalized=normalized, temperature=temperature)
        return (one for docs in groups for one in chain_lattices(recognizer, docs, chain))
    return (one for docs in groups for one in _lattices(recognizer, docs, settings))


def _check_settings(
    max_span_length: int | None, temperature: float, *, normalized: bool = True
) -> LatticeSettings:
    if max_span_length is not None and max_span_length < 1:
        raise DataError(
            f"max_span_length={max_span_length}: an entity has at least one token",
            remedy="Use a number of tokens, or None for no limit",
        )
    if not 0 < temperature < np.inf:
        raise DataError(f"temperature={temperature} is not a number above 0", remedy="1 is neutral")
    return LatticeSettings(
        normalized=normalized, max_span_length=max_span_length, temperature=temperature
    )


def _batches(
    recognizer: EntityRecognizer, docs: Sequence[Doc], settings: LatticeSettings
) -> list[list[int]]:
    """Group the indices of all docs with tokens into batches."""
    labels = len(recognizer.labels)
    return list(batch_by_length(docs, max_span_length=settings.max_span_length, labels=labels))


def _build_batches(
    recognizer: EntityRecognizer, docs: Sequence[Doc], settings: LatticeSettings
) -> Iterator[tuple[list[int], LatticeBatch]]:
    """Build the lattices of all docs with tokens, batch by batch, with the indices of the docs."""
    for batch in _batches(recognizer, docs, settings):
        yield batch, build_lattices(recognizer, [docs[i] for i in batch], settings)


def _exact_parses(
    recognizer: EntityRecognizer, docs: Sequence[Doc], k: int, settings: LatticeSettings
) -> Iterator[tuple[Parse, ...]]:
    found: dict[int, LazyCandidates] = {}
    totals = np.zeros(len(docs))
    for batch, built in _build_batches(recognizer, docs, settings):
        lists = k_best(built.weights, built.lengths, k)
        if not settings.normalized:
            totals[batch] = log_totals(built.weights, built.lengths)
        places = [TokenOffsets.from_doc(docs[i]) for i in batch]
        read = read_candidates(lists, places, built.labels, width=built.weights.shape[2])
        found.update(zip(batch, read, strict=True))
    for i in range(len(docs)):
        one = found.pop(i, None)
        yield ((Parse(1.0, 0.0, ()),) if one is None else one.parses(log_total=float(totals[i])))


def _compute_span_probabilities(
    recognizer: EntityRecognizer,
    docs: Sequence[Doc],
    settings: Sequence[LatticeSettings],
    floor: float,
) -> Iterator[tuple[SpanProbabilities, ...]]:
    labels = (*Transitions.from_recognizer(recognizer).labels, OUTSIDE)
    found = [
        [SpanProbabilities(doc.text, {}, np.zeros((0, len(labels))), (), labels, floor)]
        * len(settings)
        for doc in docs
    ]
    for batch in _batches(recognizer, docs, settings[0]):
        some = [docs[i] for i in batch]
        scorer = (RepeatedScorer if len(settings) > 1 else StateScorer)(recognizer, some)
        for number, one in enumerate(settings):
            built = build_lattices(recognizer, some, one, scorer)
            for i, known in zip(batch, _read_probabilities(built, some, floor), strict=True):
                found[i][number] = known
    return (tuple(every) for every in found)


def _read_probabilities(
    built: LatticeBatch, docs: Sequence[Doc], floor: float
) -> Iterator[SpanProbabilities]:
    """Compute the probabilities of the spans and tokens of a batch."""
    totals, share = segment_probabilities(built.weights, built.lengths)
    tokens = token_probabilities(share)
    for row, doc in enumerate(docs):
        yield SpanProbabilities(
            text=doc.text,
            spans=collect_probable_spans(
                share[row], TokenOffsets.from_doc(doc), built.labels, floor
            ),
            token_probabilities=tokens[row, : len(doc)].copy(),
            token_axis=tokens_from_doc(doc),
            label_axis=(*built.labels, OUTSIDE),
            min_probability=floor,
            total_probability=float(np.exp(totals[row])),
        )


def _lattices(
    recognizer: EntityRecognizer, docs: Sequence[Doc], settings: LatticeSettings
) -> list[Lattice]:
    labels = Transitions.from_recognizer(recognizer).labels
    nothing = np.zeros((0, 1, len(labels) + 1))
    parts = {i: (nothing, np.zeros(0, np.bool_), labels) for i in range(len(docs))}
    for batch, built in _build_batches(recognizer, docs, settings):
        width = built.weights.shape[2]
        for row, i in enumerate(batch):
            most = min(width, len(docs[i]))
            weights = built.weights[row, : len(docs[i]), width - most :].copy()
            parts[i] = weights, built.preset[row], built.labels
    return [
        Lattice(
            doc.text, tokens_from_doc(doc), weights, names, preset, normalized=settings.normalized
        )
        for doc, (weights, preset, names) in zip(docs, parts.values(), strict=True)
    ]
