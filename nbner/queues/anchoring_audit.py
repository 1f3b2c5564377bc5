"""Spoils a share of the suggestions on their way to the page, and keeps what it did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

from nbner._common.alignment import filter_spans
from nbner.quality.anchoring import audit
from nbner.queues.labelling import AnswerMetadataFn, SuggestFn
from nbner.types import Answer, Example, Span


class AuditedSuggester:
    """Stands between who suggests and the page.

    What becomes of a suggestion depends on the seed and the example alone, so
    that it is the same whenever the example is shown.

    Parameters
    ----------
    suggest : callable
        Examples to their suggestions.
    answer_metadata : callable, optional
        What else is kept beside an answer.
    labels : sequence of str
    withhold, corrupt : float
        Shares of the suggestions.
    seed : int
    """

    def __init__(
        self,
        suggest: SuggestFn,
        answer_metadata: AnswerMetadataFn | None,
        labels: Sequence[str],
        *,
        withhold: float,
        corrupt: float,
        seed: int,
    ) -> None:
        audit.check_fractions(withhold, corrupt)
        self._suggest = suggest
        self._remark = answer_metadata
        self._labels = labels
        self._shares = {"withhold": withhold, "corrupt": corrupt}
        self._seed = seed
        self._done: dict[tuple[str, int], audit.PerturbedSuggestions] = {}

    def suggest(self, examples: Sequence[Example]) -> list[tuple[Span, ...]]:
        """Suggest, with some withheld and some corrupted."""
        found = self._suggest(examples)
        return [self._spoilt(*one) for one in zip(examples, found, strict=True)]

    def answer_metadata(self, answer: Answer) -> Mapping[str, Any]:
        """Say what was done to the suggestions that an answer was given to."""
        kept = {} if self._remark is None else dict(self._remark(answer))
        done = self._done.get((answer.split, answer.input_hash))
        if done is not None:
            shares = {**self._shares, "seed": self._seed}
            kept[audit.AUDIT_KEY] = {**audit.audit_to_json(done), **shares}
        return kept

    def _spoilt(self, example: Example, spans: Sequence[Span]) -> tuple[Span, ...]:
        done = audit.perturb_suggestions(
            filter_spans(spans)[0],
            example.tokens,
            self._labels,
            **self._shares,
            random=Random(f"{self._seed}:{example.input_hash}"),  # noqa: S311 - chance, no secret
        )
        self._done[example.split, example.input_hash] = done
        return done.shown
