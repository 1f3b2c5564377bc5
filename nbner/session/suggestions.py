"""Suggestions for the annotator: the model's spans, patterns' spans, and their confidence."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias

from nbner.decoding.api import lattices, span_probabilities
from nbner.decoding.calibration.temperature import Temperatures
from nbner.decoding.constraints import Constraints
from nbner.errors import DataError
from nbner.evaluation import k_best_scores
from nbner.nlp.calibration_meta import load_temperatures
from nbner.nlp.fingerprint import fingerprint
from nbner.nlp.patterns import check_patterns, load_patterns, suggest_with_patterns
from nbner.nlp.pipeline import is_trained
from nbner.nlp.prediction import predict
from nbner.queues.anchoring_audit import AuditedSuggester
from nbner.queues.labelling import AnnotationQueue, Suggester, SuggestFn
from nbner.session.context import SessionContext
from nbner.store.assignments import Overlap
from nbner.types import Answer, Example, Parse, Span

if TYPE_CHECKING:
    from spacy.language import Language

    from nbner.decoding.lattice_view import Lattice
    from nbner.decoding.probabilities import SpanProbabilities
    from nbner.nlp.patterns import PatternSource
    from nbner.store.dataset import Dataset
    from nbner.widgets.annotator import Annotator
    from nbner.widgets.queue_protocol import ExampleQueue, Mode

#: From a predicted span to its probability.
SpanConfidence: TypeAlias = Callable[[Span], float]

#: Tokens of the longest entity that is summed over. In a text that is shorter
#: nothing is left out; in a long one memory stays in proportion to its length.
LONGEST = 64


# Confidence.


def calibrated(nlp: Language, probabilities: SpanProbabilities) -> SpanConfidence:
    """Return a function from a span of one text to its calibrated probability.

    Parameters
    ----------
    nlp : Language
        The model; its temperatures apply where it has been calibrated.
    probabilities : SpanProbabilities
        Exact span probabilities of the text.
    """
    temperatures = temperatures_in(nlp)
    return lambda span: temperatures.apply(probabilities.probability_of(span), span.label)


def temperatures_in(nlp: Language) -> Temperatures:
    """Return the calibration temperatures of a model; 1 where there are none.

    Parameters
    ----------
    nlp : Language
        The model.
    """
    kept = load_temperatures(nlp)
    return Temperatures() if kept is None else Temperatures(*kept)


def confidences(
    context: SessionContext, items: Iterable[Example | str]
) -> Iterator[SpanConfidence]:
    """Yield for each text in turn a function from its spans to their calibrated probability.

    Parameters
    ----------
    context : SessionContext
        Its pipeline in use computes the probabilities.
    items : iterable of Example or str
        Read as a stream.
    """
    found = span_probabilities(context.nlp, items, max_span_length=LONGEST)
    return (calibrated(context.nlp, known) for known in found)


# Suggestions.


def suggest(context: SessionContext, examples: Sequence[Example]) -> list[tuple[Span, ...]]:
    """Return spans suggested by the model in use, each with its confidence as ``score``.

    Parameters
    ----------
    context : SessionContext
        While its model is not trained, the spans that came with the data are
        returned.
    examples : sequence of Example
        Tokenized.
    """
    if not is_trained(context.nlp):
        return _with_known_labels(context, (example.spans for example in examples))
    found = _scored(context, examples, predict(context.nlp, examples))
    return _with_known_labels(context, found)


def pattern_suggester(
    context: SessionContext, source: PatternSource | None, *, model: bool
) -> SuggestFn | None:
    """Return a function that suggests with patterns; None where there are no patterns.

    Parameters
    ----------
    context : SessionContext
        The function follows its pipeline when another one comes into use.
    source : str, Path, iterable of mappings, or None
        A pattern file in Prodigy's format, or its lines.
    model : bool
        Suggest the model's spans beside those of the patterns.

    Raises
    ------
    DataError
        A line is not a pattern.
    """
    if source is None:
        return None
    patterns = load_patterns(context.nlp, source, context.labels)
    check_patterns(context.nlp, patterns, model=model)

    def suggest_patterns(examples: Sequence[Example]) -> list[tuple[Span, ...]]:
        nonlocal patterns
        # Another pipeline may have come into use since.
        patterns = patterns.for_pipeline(context.nlp)
        found = suggest_with_patterns(context.nlp, patterns, examples, model=model)
        return _with_known_labels(context, _scored(context, examples, found) if model else found)

    return suggest_patterns


def adviser(
    context: SessionContext,
    patterns: PatternSource | None,
    *,
    redecodes: bool,
    withhold: float = 0.0,
    corrupt: float = 0.0,
) -> Suggester:
    """Build the suggestions, ranks and re-decoding behind a make-gold annotator.

    Parameters
    ----------
    context : SessionContext
        Its model suggests.
    patterns : str, Path, iterable of mappings, or None
        Patterns that suggest beside it.
    redecodes : bool
        Decode the rest of a text again after every edit of a span.
    withhold, corrupt : float
        Fractions of the suggestions to leave out and to change, for an
        anchoring audit. An audit offers no other analyses: they would show the
        annotator what was changed.

    Raises
    ------
    DataError
        A line is not a pattern, or a fraction is not between 0 and 1.
    """

    def suggest_model(examples: Sequence[Example]) -> list[tuple[Span, ...]]:
        return suggest(context, examples)

    spans = pattern_suggester(context, patterns, model=True) or suggest_model
    made = Suggester(spans)
    if is_trained(context.nlp):
        made = Suggester(
            spans,
            lambda answer: rank_of(context, answer),
            lambda *asked: redecode(context, *asked),
            auto_redecode=redecodes,
        )
    if not (withhold or corrupt):
        return made
    auditor = AuditedSuggester(
        made.suggest,
        made.answer_metadata,
        context.labels,
        withhold=withhold,
        corrupt=corrupt,
        seed=context.seed,
    )
    return Suggester(auditor.suggest, auditor.answer_metadata)


def rank_of(context: SessionContext, answer: Answer) -> Mapping[str, Any]:
    """Return the rank of an accepted answer's spans among the model's 64 best analyses.

    Parameters
    ----------
    context : SessionContext
        Its cache holds the lattice of an example that was suggested recently.
    answer : Answer
        The answer to store.

    Returns
    -------
    mapping
        Keys of the answer's ``extra``; empty for other answers, and where the
        lattice is no longer in the cache.
    """
    lattice = context.lattice_cache.get((answer.split, answer.input_hash))
    if lattice is None or answer.answer != "accept":
        return {}
    analyses = [parse.spans for parse in lattice.k_best(k_best_scores.MAX_STORED_CANDIDATES)]
    return k_best_scores.answer_extra_from_score(
        k_best_scores.score_candidates(analyses, answer.spans, answer.labels)
    )


def redecode(
    context: SessionContext,
    example: Example,
    k: int,
    forced: Sequence[Span],
    forbidden: Sequence[Span],
) -> list[Parse]:
    """Return the k best analyses of an example under constraints.

    Parameters
    ----------
    context : SessionContext
        Its model decodes. Spans with labels that the session does not have
        are left out.
    example : Example
        Tokenized.
    k : int
        Analyses at most.
    forced, forbidden : sequence of Span
        Spans that every analysis holds, and that none holds.

    Returns
    -------
    list of Parse
        Best first; each span has its confidence under the constraints.
    """
    lattice = _lattice_of(context, example)
    constraints = Constraints(forced=tuple(forced), forbidden=tuple(forbidden))
    confidence = calibrated(context.nlp, lattice.span_probabilities(constraints))
    source, known, fixed = fingerprint(context.nlp), set(context.labels), set(forced)

    def with_score(span: Span) -> Span:
        return span if span in fixed else replace(span, source=source, score=confidence(span))

    return [
        replace(parse, spans=tuple(with_score(span) for span in parse.spans if span.label in known))
        for parse in lattice.k_best(k, constraints)
    ]


# The annotation widget.


def open_annotator(
    context: SessionContext,
    split: str,
    mode: Mode,
    advised_by: Suggester | None,
    *,
    overlap: Overlap | None = None,
    dataset: Dataset | None = None,
) -> Annotator:
    """Build an annotation widget over a split, which follows the session from then on.

    Parameters
    ----------
    context : SessionContext
        Its dataset is annotated.
    split : str
        The split.
    mode : {"manual", "make_gold"}
        What the page calls the task.
    advised_by : Suggester, optional
        Source of suggestions; examples start empty without one.
    overlap : int or "all", optional
        Annotators per example, kept in the store.
    dataset : Dataset, optional
        The dataset in another order; by default the session's.

    Raises
    ------
    DataError
        The session has no labels.
    """
    if not context.labels:
        raise DataError(
            "there is no label to give",
            remedy='Name them: Session(..., labels=["PERSON", "ORG"])',
        )
    if overlap is not None:
        context.dataset.assignments.set_overlap(split, overlap)
    return show_queue(
        context,
        AnnotationQueue(
            dataset or context.dataset,
            split=split,
            annotator=context.annotator,
            key=context.store.key,
            tokenize=context.tokenize,
            suggester=advised_by,
            answer_bus=context.answer_bus,
            mode=mode,
        ),
    )


def show_queue(context: SessionContext, queue: ExampleQueue) -> Annotator:
    """Build an annotation widget over a queue of examples, and register it as open.

    Parameters
    ----------
    context : SessionContext
        Refreshes the widget when labels or the model change.
    queue : ExampleQueue
        Supplies examples and takes answers.
    """
    from nbner.widgets.annotator import Annotator

    widget = Annotator(queue)
    context.annotators.add(widget)
    return widget


def _with_known_labels(
    context: SessionContext, proposed: Iterable[Iterable[Span]]
) -> list[tuple[Span, ...]]:
    """Leave out the spans whose labels the session does not have."""
    known = set(context.labels)
    return [tuple(span for span in spans if span.label in known) for spans in proposed]


def _scored(
    context: SessionContext, examples: Sequence[Example], proposed: Iterable[Iterable[Span]]
) -> Iterator[Iterable[Span]]:
    """Add the model's confidence to each span, and cache the lattices for later requests."""
    if not is_trained(context.nlp):
        yield from proposed
        return
    found = lattices(context.nlp, examples, max_span_length=LONGEST)
    for example, spans, lattice in zip(examples, proposed, found, strict=True):
        context.lattice_cache.put((example.split, example.input_hash), lattice)
        confidence = calibrated(context.nlp, lattice.span_probabilities())
        yield (replace(span, score=confidence(span)) for span in spans)


def _lattice_of(context: SessionContext, example: Example) -> Lattice:
    """Return the cached lattice of an example, or build and cache it."""
    key = (example.split, example.input_hash)
    lattice = context.lattice_cache.get(key)
    if lattice is None:
        lattice = next(lattices(context.nlp, [example], max_span_length=LONGEST))
        context.lattice_cache.put(key, lattice)
    return lattice
