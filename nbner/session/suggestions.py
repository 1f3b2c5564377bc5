"""Suggestions and example order of the annotator: model, patterns, query strategies."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from nbner import registry
from nbner._common.offered import LEARNED_GROUP, OFFER_KEY, OfferedSource
from nbner._common.reply_priority import REPLIES
from nbner.active_learning import strategies
from nbner.active_learning.query_strategies import name_of, rank_examples
from nbner.active_learning.ranked_dataset import RankedDataset
from nbner.active_learning.strategies import Strategy
from nbner.decoding.api import lattices
from nbner.decoding.calibration.apply import MAX_SPAN_LENGTH, calibrated
from nbner.decoding.constraints import Constraints
from nbner.decoding.decision.component import decision_of
from nbner.decoding.decision.constrained import decide_under_constraints
from nbner.errors import DataError, ModelError
from nbner.evaluation import k_best_scores
from nbner.nlp.fingerprint import fingerprint
from nbner.nlp.patterns import check_patterns, load_patterns, suggest_with_patterns
from nbner.nlp.pipeline import is_trained
from nbner.nlp.prediction import predict
from nbner.nlp.suggesters import suggester_name
from nbner.queues.anchoring_audit import AuditedSuggester
from nbner.queues.function_suggestions import FunctionSuggestions, SuggestingFunction
from nbner.queues.labelling import Suggester
from nbner.queues.merged_suggestions import MergedSuggestions, ModelSuggestFn, ModelSuggestions
from nbner.queues.offers import OfferLog
from nbner.session.context import SessionContext
from nbner.store.relabel import relabelled
from nbner.types import Answer, Example, Parse, Span

if TYPE_CHECKING:
    from spacy.language import Language

    from nbner.decoding.lattice_view import TextLattice
    from nbner.nlp.patterns import PatternSource
    from nbner.store.dataset import Dataset

#: From examples to suggestions for each, in any form of `nbner.nlp.suggesters`.
SuggesterFn: TypeAlias = Callable[..., Iterable[Any]]

#: From examples, and by default the model in use, to the spans of patterns and model.
PatternSuggestFn: TypeAlias = Callable[..., list[tuple[Span, ...]]]

Suggest: TypeAlias = str | SuggesterFn | Sequence[str | SuggesterFn]

#: Examples that a function is given at a time by default.
BATCH_SIZE = 8

#: Seconds that an example waits by default for the suggestions of functions.
TIMEOUT = 10.0

#: Least probability of the model's other spans that are offered by default, and their number.
ALTERNATIVES = 0.1
MAX_ALTERNATIVES = 6

#: Fraction of examples held out by default where a strategy chooses.
HOLDOUT = 0.1

# Suggestions.


def suggest(
    context: SessionContext, examples: Sequence[Example], *, nlp: Language | None = None
) -> list[tuple[Span, ...]]:
    """Return spans suggested by the model in use, each with its confidence as ``score``.

    Parameters
    ----------
    context : SessionContext
        While its model is not trained, the spans that came with the data are
        returned.
    examples : sequence of Example
        Tokenized.
    nlp : Language, optional
        The model; by default the one in use.
    """
    nlp = context.nlp if nlp is None else nlp
    if not is_trained(nlp):
        return _with_known_labels(context, (example.spans for example in examples))
    found = _scored(context, nlp, examples, predict(nlp, examples))
    return _with_known_labels(context, _named(context, nlp, found))


def pattern_suggester(
    context: SessionContext, source: PatternSource | None, *, model: bool
) -> PatternSuggestFn | None:
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

    def suggest_patterns(
        examples: Sequence[Example], nlp: Language | None = None
    ) -> list[tuple[Span, ...]]:
        nonlocal patterns
        nlp = context.nlp if nlp is None else nlp
        # Another pipeline may have come into use since.
        patterns = patterns.for_pipeline(nlp)
        found: Iterable[Iterable[Span]] = suggest_with_patterns(
            nlp, patterns, examples, model=model
        )
        if model and is_trained(nlp):
            found = _named(context, nlp, _scored(context, nlp, examples, found))
        return _with_known_labels(context, found)

    return suggest_patterns


def model_suggestions(
    context: SessionContext,
    examples: Sequence[Example],
    *,
    patterns: PatternSuggestFn | None,
    model: bool,
    beside: Callable[[], Language | None] | None = None,
) -> ModelSuggestions:
    """Return what model and patterns suggest, together and by source.

    Parameters
    ----------
    context : SessionContext
        Its model suggests.
    examples : sequence of Example
        Tokenized.
    patterns : callable, optional
        From `pattern_suggester`.
    model : bool
        Whether the model suggests.
    beside : callable, optional
        Returns another model, whose suggestions are only kept for comparison.
    """
    # One model for all that follows: another one may come into use meanwhile.
    nlp, other = context.nlp, None if beside is None else beside()
    name = context.model_name(nlp)
    if patterns is not None:
        spans = patterns(examples, nlp)
    else:
        spans = suggest(context, examples, nlp=nlp) if model else [()] * len(examples)
    known: list[list[OfferedSource]] = [[] for _ in examples]
    if patterns is not None:
        for one, found in zip(known, spans, strict=True):
            own = tuple(span for span in found if set(_sources_of(span)) - {name})
            one.append(OfferedSource("patterns", own, group="patterns"))
    if model and is_trained(nlp):
        for one, found in zip(known, spans, strict=True):
            own = tuple(span for span in found if name in _sources_of(span))
            one.append(OfferedSource(name, own, group=_group_of(context, nlp)))
    if other is not None and other is not nlp and is_trained(other):
        predicted = _with_known_labels(context, predict(other, examples))
        source, group = context.model_name(other), _group_of(context, other)
        for one, found in zip(known, predicted, strict=True):
            one.append(OfferedSource(source, found, group=group, shown=False))
    return ModelSuggestions(spans, [tuple(one) for one in known], name, nlp)


def _alternatives(
    context: SessionContext,
    least: float,
    example: Example,
    suggested: Sequence[Span],
    nlp: Language,
) -> tuple[Span, ...]:
    """Return the model's likeliest spans that are not suggested, with their probabilities."""
    if not is_trained(nlp):
        return ()
    # Calibration may raise what is not sure.
    known = _lattice_of(context, nlp, example).span_probabilities(min_probability=least / 10)
    confidence = calibrated(nlp, known)
    # As in `_scored`: somebody answers meanwhile.
    REPLIES.give_way()
    source = context.model_name(nlp)
    scored = [(confidence(span), span) for span in known.spans]
    likely = sorted((one for one in scored if one[0] >= least), key=lambda one: -one[0])
    named = [replace(span, source=source, score=score) for score, span in likely]
    # Suggestions have the present names of renamed labels.
    (others,) = _with_known_labels(context, [named])
    return tuple(one for one in others if one not in suggested)[:MAX_ALTERNATIVES]


def _sources_of(span: Span) -> list[str]:
    return [] if span.source is None else span.source.split(" and ")


def _group_of(context: SessionContext, nlp: Language) -> str:
    found = fingerprint(nlp)
    return LEARNED_GROUP if found in context.model_names else f"model {found}"


@dataclass(frozen=True, slots=True)
class SuggestionOrder:
    """The sources of suggestions in the order of precedence.

    Parameters
    ----------
    functions : tuple of SuggestingFunction
        The functions, with different names.
    position : int
        Number of functions before the model; patterns come right after it.
    model : bool
        Whether the model suggests.
    """

    functions: tuple[SuggestingFunction, ...] = ()
    position: int = 0
    model: bool = True


def suggestion_order(suggest: Suggest | None) -> SuggestionOrder:
    """Read the parameter ``suggest`` of `Session.make_gold`.

    Parameters
    ----------
    suggest : str, callable, or sequence of these, optional
        One function comes before the model; a sequence names all sources, the
        model as "model".

    Raises
    ------
    DataError
        A name is not registered, something is no function, or the sequence is
        empty.
    """
    if suggest is None or isinstance(suggest, str) or callable(suggest):
        sources: list[str | SuggesterFn] = ["model"] if suggest is None else [suggest, "model"]
    else:
        sources = list(suggest) if hasattr(suggest, "__iter__") else []
    if not sources:
        raise DataError(
            f"suggest={suggest!r} names no source of suggestions",
            field="suggest",
            remedy='Give a function, a registered name, or a list such as [function, "model"]',
        )
    position = sources.index("model") if "model" in sources else None
    functions: list[SuggestingFunction] = []
    for one in sources:
        if isinstance(one, str) and one == "model":
            continue
        function = registry.suggesters.resolve(one, field="suggest")
        name = suggester_name(one)
        others = sum(name == known.name.split(" (")[0] for known in functions)
        functions.append(SuggestingFunction(f"{name} ({others + 1})" if others else name, function))
    return SuggestionOrder(
        tuple(functions),
        position=len(functions) if position is None else position,
        model=position is not None,
    )


def adviser(
    context: SessionContext,
    patterns: PatternSource | None,
    *,
    redecodes: bool,
    order: SuggestionOrder,
    batch_size: int = BATCH_SIZE,
    timeout: float | None = TIMEOUT,
    withhold: float = 0.0,
    corrupt: float = 0.0,
    learns: bool = False,
    beside: Callable[[], Language | None] | None = None,
    alternatives: float | None = None,
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
    order : SuggestionOrder
        Whether the model suggests, and which functions do.
    batch_size : int
        Examples that a function is given at a time.
    timeout : float, optional
        Seconds that an example waits for functions.
    withhold, corrupt : float
        Fractions of the suggestions to leave out and to change, for an
        anchoring audit. An audit offers no other analyses: they would show the
        annotator what was changed.
    learns : bool
        Whether a model may come into use later, and suggestions that were shown
        stay then.
    beside : callable, optional
        As for `model_suggestions`.
    alternatives : float, optional
        Least probability of other spans of the model to offer; by default none.

    Raises
    ------
    DataError
        A line is not a pattern, the batch size or the time limit is not
        positive, or a fraction or probability is not between 0 and 1.
    """
    _check_limits(batch_size, timeout)
    _check_alternatives(alternatives)
    functions = None
    if order.functions:
        functions = FunctionSuggestions(
            order.functions,
            batch_size=batch_size,
            timeout=timeout,
            offered=lambda: {"nlp": context.nlp, "labels": context.labels},
        )
    by_patterns = pattern_suggester(context, patterns, model=order.model)
    others: ModelSuggestFn | None = None
    if by_patterns is not None or order.model:
        others = partial(
            model_suggestions,
            context,
            patterns=by_patterns,
            model=order.model,
            beside=beside,
        )
    knows = order.model and (learns or is_trained(context.nlp))
    offers = OfferLog(keeps_shown=learns)
    merged = MergedSuggestions(
        functions,
        others,
        position=order.position,
        redecode=partial(_redecode_offered, context, offers) if knows else None,
        alternatives=(
            partial(_alternatives, context, alternatives)
            if alternatives is not None and knows
            else None
        ),
    )
    made = Suggester(
        merged.suggest,
        partial(_rank_of_offered, context, offers) if knows else None,
        merged.redecode if knows else None,
        auto_redecode=redecodes and knows,
        recall=None if functions is None else merged.recall,
        unplaced=None if functions is None else functions.unplaced,
        feed=functions,
        origin=merged.origin,
        offers=offers,
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
    return Suggester(
        auditor.suggest, auditor.answer_metadata, unplaced=made.unplaced, feed=made.feed
    )


def _check_limits(batch_size: int, timeout: float | None) -> None:
    if batch_size < 1:
        raise DataError(
            f"{batch_size} is no number of examples to suggest for at a time",
            field="batch_size",
            remedy="Give 1 or more",
        )
    if timeout is not None and not timeout > 0:
        raise DataError(
            f"{timeout} is no number of seconds to wait for suggestions",
            field="timeout",
            remedy="Give more than 0, or None for as long as it takes",
        )


def _check_alternatives(least: float | None) -> None:
    if least is not None and not 0 < least < 1:
        raise DataError(
            f"alternatives={least!r:.80} is no probability that a span must have to be offered",
            field="alternatives",
            remedy=f"Give a number between 0 and 1, such as {ALTERNATIVES}, or None to offer none",
        )


def rank_of(
    context: SessionContext, answer: Answer, *, nlp: Language | None = None
) -> Mapping[str, Any]:
    """Return the rank of an accepted answer's spans among the model's 64 best analyses.

    Parameters
    ----------
    context : SessionContext
        Its cache holds the lattice of an example that was suggested recently.
    answer : Answer
        The answer to store.
    nlp : Language, optional
        The model that suggested; by default the one in use.

    Returns
    -------
    mapping
        Keys of the answer's ``extra``; empty for other answers, and where the
        lattice is no longer in the cache.
    """
    nlp = context.nlp if nlp is None else nlp
    lattice = context.lattice_cache.get((fingerprint(nlp), answer.split, answer.input_hash))
    if lattice is None or answer.answer != "accept":
        return {}
    analyses = [parse.spans for parse in lattice.k_best(k_best_scores.MAX_STORED_CANDIDATES)]
    return k_best_scores.answer_extra_from_score(
        k_best_scores.score_candidates(analyses, answer.spans, answer.labels)
    )


def _rank_of_offered(
    context: SessionContext, offers: OfferLog, answer: Answer
) -> Mapping[str, Any]:
    offer = offers.find(answer.input_hash, answer.extra.get(OFFER_KEY))
    return rank_of(context, answer, nlp=None if offer is None else offer.model)


def redecode(
    context: SessionContext,
    example: Example,
    k: int,
    forced: Sequence[Span],
    forbidden: Sequence[Span],
    *,
    nlp: Language | None = None,
) -> list[Parse]:
    """Return the k best analyses of an example under constraints.

    A model that decides by expected F does so here too where one analysis is asked
    for, as the page does after an edit; see `decide_under_constraints`. A longer
    list holds whole analyses, best first.

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
    nlp : Language, optional
        The model; by default the one in use.

    Returns
    -------
    list of Parse
        Best first; each span has its confidence under the constraints. Empty
        while no model is trained.
    """
    nlp = context.nlp if nlp is None else nlp
    if not is_trained(nlp):
        return []
    lattice = _lattice_of(context, nlp, example)
    constraints = Constraints(forced=tuple(forced), forbidden=tuple(forbidden))
    confidence = calibrated(nlp, lattice.span_probabilities(constraints))
    source, known, fixed = context.model_name(nlp), set(context.labels), set(forced)

    def with_score(span: Span) -> Span:
        return span if span in fixed else replace(span, source=source, score=confidence(span))

    decision = decision_of(nlp) if k == 1 else None
    if decision is None:
        found = lattice.k_best(k, constraints)
    else:
        scaled = _lattice_of(context, nlp, example, decision.temperature)
        spans = decide_under_constraints(
            nlp, decision, example, scaled.span_probabilities, constraints
        )
        found = (Parse(lattice.probability_of(spans), lattice.score_of(spans), spans),)
    return [
        replace(parse, spans=tuple(with_score(span) for span in parse.spans if span.label in known))
        for parse in found
    ]


def _redecode_offered(
    context: SessionContext,
    offers: OfferLog,
    example: Example,
    k: int,
    forced: Sequence[Span],
    forbidden: Sequence[Span],
) -> list[Parse]:
    """Re-decode with the model that made the suggestions on display, not with a newer one."""
    offer = offers.current(example.input_hash) if offers.keeps_shown else None
    nlp = None if offer is None else offer.model
    return redecode(context, example, k, forced, forbidden, nlp=nlp)


def _named(
    context: SessionContext, nlp: Language, proposed: Iterable[Iterable[Span]]
) -> Iterator[Iterable[Span]]:
    """Replace the model's fingerprint by its name in plain words as the source of its spans."""
    found = fingerprint(nlp)
    name = context.model_names.get(found)
    for spans in proposed:
        if name is None:
            yield spans
            continue
        yield [
            span
            if span.source is None
            else replace(
                span,
                source=" and ".join(name if one == found else one for one in _sources_of(span)),
            )
            for span in spans
        ]


def _with_known_labels(
    context: SessionContext, proposed: Iterable[Iterable[Span]]
) -> list[tuple[Span, ...]]:
    """Leave out the spans whose labels the session does not have; renamed ones get their name."""
    known = set(context.labels)
    renamed = context.dataset.renamed_labels
    return [
        tuple(span for span in relabelled(tuple(spans), renamed) if span.label in known)
        for spans in proposed
    ]


def _scored(
    context: SessionContext,
    nlp: Language,
    examples: Sequence[Example],
    proposed: Iterable[Iterable[Span]],
) -> Iterator[Iterable[Span]]:
    """Add the model's confidence to each span, and cache the lattices for later requests."""
    model = fingerprint(nlp)
    found = lattices(nlp, examples, max_span_length=MAX_SPAN_LENGTH)
    for example, spans, lattice in zip(examples, proposed, found, strict=True):
        context.lattice_cache.put((model, example.split, example.input_hash), lattice)
        confidence = calibrated(nlp, lattice.span_probabilities())
        # A new model suggests for a whole window, while somebody answers.
        REPLIES.give_way()
        yield (replace(span, score=confidence(span)) for span in spans)


def _lattice_of(
    context: SessionContext, nlp: Language, example: Example, temperature: float = 1.0
) -> TextLattice:
    """Return the cached lattice of an example, or build and cache it."""
    place = (fingerprint(nlp), example.split, example.input_hash)
    key = place if temperature == 1 else (*place, temperature)
    lattice = context.lattice_cache.get(key)
    if lattice is None:
        (lattice,) = lattices(
            nlp, [example], max_span_length=MAX_SPAN_LENGTH, temperature=temperature
        )
        context.lattice_cache.put(key, lattice)
    return lattice


# Query strategies.


def in_order(
    context: SessionContext, strategy: Strategy, holdout: float | None, *, learns: bool = False
) -> Dataset:
    """Return the dataset with its open examples in the order of a query strategy.

    Parameters
    ----------
    context : SessionContext
        Its model and seed decide; a new model makes a new order.
    strategy : str or callable
        A name in `nbner.registry.query_strategies`, or such a function.
    holdout : float, optional
        Fraction of examples that are drawn at random and held out for
        evaluation; by default none for "given" and "random", and a tenth for
        every other strategy.
    learns : bool
        Whether a model may come into use later. A strategy that needs one
        takes examples at random until then.

    Raises
    ------
    DataError
        There is no such strategy, or the fraction is not from 0 to below 1.
    ModelError
        The strategy needs a trained model, or two.
    """
    function = registry.query_strategies.resolve(strategy, field="strategy")
    share = holdout
    if share is None:
        share = 0.0 if strategy in ("given", "random") else HOLDOUT
    if not 0 <= share < 1:
        raise DataError(
            f"{share} is not a share of random examples",
            field="holdout",
            remedy="Give a number from 0 and below 1, such as holdout=0.1",
        )
    if strategy == "given" and not share:
        return context.dataset
    # Raises before a widget is open where the strategy lacks a model.
    if not learns:
        _check_models(context, strategy, context.nlp)

    def in_holdout(example: Example) -> bool:
        return strategies.in_holdout(example, share, context.seed)

    def rank(examples: Sequence[Example], model: Language | None) -> list[int]:
        nlp = context.nlp if model is None else model
        held_out = [i for i, one in enumerate(examples) if in_holdout(one)]
        others = [i for i, one in enumerate(examples) if not in_holdout(one)]
        if learns and not _has_models(context, strategy, nlp):
            ranked = strategies.shuffled(len(others), context.seed)
        else:
            _check_models(context, strategy, nlp)
            ranked = rank_examples(
                function,
                [examples[i] for i in others],
                nlp=nlp,
                seed=context.seed,
                lazy={
                    "previous_nlp": lambda: next(iter(context.model_store.previous(1)), None),
                    "annotated": lambda: list(context.dataset.examples(answer="accept")),
                },
            )
        mixed = strategies.interleave([others[i] for i in ranked], held_out, share)
        return [examples[i].input_hash for i in mixed]

    return RankedDataset(
        context.dataset,
        name_of(strategy),
        rank=rank,
        version=lambda: fingerprint(context.nlp),
        in_holdout=in_holdout,
        holdout=share,
    )


def _has_models(context: SessionContext, strategy: Strategy, nlp: Language) -> bool:
    """Whether there are the models that a built-in strategy needs."""
    try:
        _check_models(context, strategy, nlp)
    except ModelError:
        return False
    return True


def _check_models(context: SessionContext, strategy: Strategy, nlp: Language) -> None:
    """Raise ModelError where a built-in strategy lacks a trained model, or a second one."""
    if strategy in ("uncertainty", "disagreement") and not is_trained(nlp):
        raise ModelError(
            f"strategy={strategy!r} needs a trained model, and there is none yet. Label some "
            'examples with strategy="diversity" or strategy="random", and call session.train().'
        )
    if strategy == "disagreement" and not context.model_store.previous(1):
        raise ModelError(
            'strategy="disagreement" needs two trained models, and there is one. Train once more, '
            'or use strategy="uncertainty".'
        )
