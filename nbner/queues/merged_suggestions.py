"""One set of suggestions from functions, model and patterns, and its behaviour under edits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from nbner._common.alignment import filter_spans
from nbner._common.offered import OfferedSource, SuggestionOrigin
from nbner.nlp.patterns import merge_suggestions
from nbner.queues.function_suggestions import FunctionSuggestions
from nbner.queues.labelling import RedecodeFn
from nbner.types import Example, Parse, Span

#: Examples whose suggestions are remembered for a re-decoding.
_MAX_REMEMBERED = 512


@dataclass(frozen=True, slots=True)
class ModelSuggestions:
    """Suggestions of model and patterns for some examples.

    Parameters
    ----------
    spans : sequence of tuple of Span
        The suggestions for each example.
    sources : sequence of tuple of OfferedSource
        For each example the complete suggestions of each source, also of models
        that are not shown; the model that is shown comes last of those shown.
    name : str
        Source of the model's spans.
    model : object, optional
        The model.
    """

    spans: Sequence[tuple[Span, ...]]
    sources: Sequence[tuple[OfferedSource, ...]]
    name: str = ""
    model: Any = None


#: From examples to what model and patterns suggest.
ModelSuggestFn: TypeAlias = Callable[[Sequence[Example]], ModelSuggestions]

#: From an example, its suggestions and the model to other spans that the model holds possible,
#: the likeliest first.
AlternativesFn: TypeAlias = Callable[[Example, Sequence[Span], Any], tuple[Span, ...]]


@dataclass(frozen=True, slots=True)
class _Remembered:
    """The suggestions for one example, those that are marked, and what stands behind them."""

    suggested: tuple[Span, ...]
    marked: tuple[Span, ...]
    name: str
    origin: SuggestionOrigin


class MergedSuggestions:
    """Merges what functions suggest with the suggestions of model and patterns.

    A span of several sources is one span that names them all. Of spans that
    overlap, the page marks the longest, then the earliest, then the one whose
    source comes first, and offers the others.

    Parameters
    ----------
    functions : FunctionSuggestions, optional
        The functions, in the order of precedence.
    others : callable, optional
        From examples to what model and patterns suggest.
    position : int
        Number of functions that come before these.
    redecode : callable, optional
        The model's best analyses that hold some spans and not others.
    alternatives : callable, optional
        The model's other spans, which are asked for where an example is offered.
    """

    def __init__(
        self,
        functions: FunctionSuggestions | None,
        others: ModelSuggestFn | None,
        *,
        position: int,
        redecode: RedecodeFn | None,
        alternatives: AlternativesFn | None = None,
    ) -> None:
        self._functions = functions
        self._others = others
        self._position = position
        self._redecode = redecode
        self._alternatives = alternatives
        self._remembered: dict[tuple[str, int], _Remembered] = {}

    def suggest(self, examples: Sequence[Example]) -> list[tuple[Span, ...]]:
        """Return the merged suggestions for examples, asking the functions.

        Parameters
        ----------
        examples : sequence of Example
            Tokenized.
        """
        if self._functions is not None:
            self._functions.ask(examples)
        return self.recall(examples)

    def recall(self, examples: Sequence[Example]) -> list[tuple[Span, ...]]:
        """Return the merged suggestions, those of functions where they are known already.

        Parameters
        ----------
        examples : sequence of Example
            Tokenized.
        """
        nothing: list[list[tuple[Span, ...] | None]] = [[] for _ in examples]
        known = nothing if self._functions is None else self._functions.known(examples)
        empty = ModelSuggestions([()] * len(examples), [()] * len(examples))
        others = empty if self._others is None else self._others(examples)
        return [self._merged(example, known[i], others, i) for i, example in enumerate(examples)]

    def origin(self, example: Example) -> SuggestionOrigin:
        """Return what stands behind the suggestions for an example.

        Parameters
        ----------
        example : Example
            One that was suggested for just now.
        """
        found = self._remembered.get((example.split, example.input_hash))
        if found is None:
            return SuggestionOrigin()
        if self._alternatives is None or found.origin.model is None:
            return found.origin
        others = self._alternatives(example, found.suggested, found.origin.model)
        return replace(found.origin, alternatives=others)

    def redecode(
        self, example: Example, k: int, forced: Sequence[Span], forbidden: Sequence[Span]
    ) -> list[Parse]:
        """Return the model's k best analyses that hold some spans and not others.

        The single best one, which the page asks for after an edit, also holds
        what functions and patterns suggest: the model decodes around that. The
        list that the page leafs through is the model's alone.

        Parameters
        ----------
        example : Example
            Tokenized.
        k : int
            Analyses at most.
        forced, forbidden : sequence of Span
            Spans that every analysis holds, and that none holds.
        """
        assert self._redecode is not None  # noqa: S101 - for the type checker
        kept = {} if k != 1 else {one: one for one in self._kept(example, forced, forbidden)}
        found = self._redecode(example, k, (*forced, *kept), forbidden)
        return [
            replace(parse, spans=tuple(kept.get(span, span) for span in parse.spans))
            for parse in found
        ]

    def _kept(
        self, example: Example, forced: Sequence[Span], forbidden: Sequence[Span]
    ) -> list[Span]:
        found = self._remembered.get((example.split, example.input_hash))
        if found is None:
            return []
        return [
            span
            for span in found.marked
            if span.source not in (None, found.name)
            and span not in forbidden
            and not any(one.start < span.end and span.start < one.end for one in forced)
        ]

    def _merged(
        self,
        example: Example,
        known: list[tuple[Span, ...] | None],
        others: ModelSuggestions,
        i: int,
    ) -> tuple[Span, ...]:
        spans = [one or () for one in known]
        before, after = spans[: self._position], spans[self._position :]
        merged = merge_suggestions(*before, others.spans[i], *after)
        names = () if self._functions is None else self._functions.names
        functions = [
            OfferedSource(name, said, group=name)
            for name, said in zip(names, known, strict=False)
            if said is not None
        ]
        self._remembered[example.split, example.input_hash] = _Remembered(
            merged,
            filter_spans(merged)[0],
            others.name,
            SuggestionOrigin((*functions, *others.sources[i]), others.model),
        )
        while len(self._remembered) > _MAX_REMEMBERED:
            self._remembered.pop(next(iter(self._remembered)), None)
        return merged
