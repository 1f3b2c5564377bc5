"""Perturbs a fraction of the suggestions and records the changes, for the anchoring audit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

from nbner._common.alignment import filter_spans
from nbner.quality.anchoring import audit
from nbner.queues.labelling import AnswerMetadataFn, SuggestFn
from nbner.types import Answer, Example, Span


class AuditedSuggester:
    """Withhold or corrupt a fraction of another suggester's spans.

    The perturbation depends on the seed and the example alone, so that it is
    the same whenever the example is shown.

    Parameters
    ----------
    suggest : callable
        Examples to their suggestions.
    answer_metadata : callable, optional
        The suggester's own entries of an answer's ``extra``.
    labels : sequence of str
        Labels that a corrupted span may get.
    withhold, corrupt : float
        Fractions of the suggestions, from 0 to 1.
    seed : int
        Seed of the draws.
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
        self._answer_metadata = answer_metadata
        self._labels = labels
        self._fractions = {"withhold": withhold, "corrupt": corrupt}
        self._seed = seed
        self._perturbed: dict[tuple[str, int], audit.PerturbedSuggestions] = {}

    def suggest(self, examples: Sequence[Example]) -> list[tuple[Span, ...]]:
        """Return the suggestions for examples, with some withheld and some corrupted.

        Parameters
        ----------
        examples : sequence of Example
            Tokenized.
        """
        found = self._suggest(examples)
        return [self._perturb(*one) for one in zip(examples, found, strict=True)]

    def answer_metadata(self, answer: Answer) -> Mapping[str, Any]:
        """Return the entries of an answer's ``extra``, with the perturbation of its suggestions.

        Parameters
        ----------
        answer : Answer
            To an example that was suggested before; otherwise nothing is added.
        """
        extra = {} if self._answer_metadata is None else dict(self._answer_metadata(answer))
        done = self._perturbed.get((answer.split, answer.input_hash))
        if done is not None:
            settings = {**self._fractions, "seed": self._seed}
            extra[audit.AUDIT_KEY] = {**audit.audit_to_json(done), **settings}
        return extra

    def _perturb(self, example: Example, spans: Sequence[Span]) -> tuple[Span, ...]:
        done = audit.perturb_suggestions(
            filter_spans(spans)[0],
            example.tokens,
            self._labels,
            **self._fractions,
            random=Random(f"{self._seed}:{example.input_hash}"),  # noqa: S311 - chance, no secret
        )
        self._perturbed[example.split, example.input_hash] = done
        return done.shown
