"""One set of suggestions from functions, model and patterns, and its behaviour under edits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from nbner._common.alignment import filter_spans
from nbner.nlp.patterns import merge_suggestions
from nbner.queues.function_suggestions import FunctionSuggestions
from nbner.queues.labelling import RedecodeFn, SuggestFn
from nbner.types import Example, Parse, Span

#: Examples whose suggestions are remembered for a re-decoding.
_MAX_REMEMBERED = 512


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
        From examples to the spans of model and patterns.
    position : int
        Number of functions that come before these.
    redecode : callable, optional
        The model's best analyses that hold some spans and not others.
    model_source : callable
        Returns the source of spans that the model alone suggests.
    """

    def __init__(
        self,
        functions: FunctionSuggestions | None,
        others: SuggestFn | None,
        *,
        position: int,
        redecode: RedecodeFn | None,
        model_source: Callable[[], str],
    ) -> None:
        self._functions = functions
        self._others = others
        self._position = position
        self._redecode = redecode
        self._model_source = model_source
        self._remembered: dict[tuple[str, int], tuple[Span, ...]] = {}

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
        nothing: list[list[tuple[Span, ...]]] = [[] for _ in examples]
        known = nothing if self._functions is None else self._functions.known(examples)
        others = [()] * len(examples) if self._others is None else self._others(examples)
        return [self._merged(*one) for one in zip(examples, known, others, strict=True)]

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
        source = self._model_source()
        return [
            span
            for span in self._remembered.get((example.split, example.input_hash), ())
            if span.source not in (None, source)
            and span not in forbidden
            and not any(one.start < span.end and span.start < one.end for one in forced)
        ]

    def _merged(
        self, example: Example, known: list[tuple[Span, ...]], others: tuple[Span, ...]
    ) -> tuple[Span, ...]:
        merged = merge_suggestions(*known[: self._position], others, *known[self._position :])
        self._remembered[example.split, example.input_hash] = filter_spans(merged)[0]
        while len(self._remembered) > _MAX_REMEMBERED:
            self._remembered.pop(next(iter(self._remembered)), None)
        return merged
