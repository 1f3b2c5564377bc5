"""Matching of predicted spans with gold spans, and the kind of error of each pair.

Pairs are made in this order: spans with the same borders; then, of those that
overlap, first the ones with the same label, then the ones that share most
characters, then from left to right. What is left over has no partner. Every
span of either side is in exactly one pair, so that the cells of a confusion
matrix add up to the number of spans.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple, TypeAlias

from nbner.evaluation.errors.span_features import (
    TrainingVocabulary,
    count_tokens,
    tokens_to_sentence_end,
    word_shape,
)
from nbner.types import Example, Span

MatchKind: TypeAlias = Literal[
    "correct", "borders", "label", "label_and_borders", "missed", "spurious"
]
MATCH_KINDS: tuple[MatchKind, ...] = (
    "correct",
    "borders",
    "label",
    "label_and_borders",
    "missed",
    "spurious",
)

SpanPair: TypeAlias = "tuple[Span | None, Span | None, MatchKind]"

#: Key of ``Example.extra`` for a judgement of an error: "model" if gold is right.
JUDGED_KEY = "judged"


class SpanMatch(NamedTuple):
    """A pair of a gold span and a predicted span, or one of them without a partner.

    Parameters
    ----------
    example_index : int
        Position of the example.
    example : Example
        The example with its gold spans.
    gold, predicted : Span, optional
        The two spans; one is None where the other has no partner.
    kind : str
        One of `MATCH_KINDS`.
    training_vocabulary : TrainingVocabulary
        Spans of the training data.
    probabilities : mapping, optional
        The model's probabilities of spans of this text.
    """

    example_index: int
    example: Example
    gold: Span | None
    predicted: Span | None
    kind: MatchKind
    training_vocabulary: TrainingVocabulary
    probabilities: Mapping[Span, float] | None = None

    @property
    def span(self) -> Span:
        """The gold span; where there is none, the predicted one."""
        span = self.gold or self.predicted
        assert span is not None  # noqa: S101 - for the type checker: a pair holds one of them
        return span

    @property
    def is_error(self) -> bool:
        """Whether the pair is an error."""
        return self.kind != "correct"

    @property
    def words(self) -> str:
        """Text of the span."""
        return self.example.text[self.span.start : self.span.end]

    @property
    def split(self) -> str:
        """Split of the example."""
        return self.example.split

    @property
    def meta(self) -> Mapping[str, Any]:
        """Metadata of the example."""
        return self.example.meta

    @property
    def length(self) -> int:
        """Length of the span in tokens."""
        return count_tokens(self.example.tokens, self.span)

    @property
    def frequency(self) -> int:
        """Number of training spans with the same words and label."""
        return self.training_vocabulary.frequency(self.words, self.span.label)

    @property
    def seen(self) -> bool:
        """Whether training had these words with this label."""
        return self.frequency > 0

    @property
    def shape(self) -> str:
        """Shape of the words; see `word_shape`."""
        return word_shape(self.words)

    @property
    def tokens_to_sentence_end(self) -> int:
        """Number of tokens between the span and the end of its sentence."""
        return tokens_to_sentence_end(self.example.text, self.example.tokens, self.span)

    @property
    def probability(self) -> float | None:
        """The model's probability of the predicted span, or else of the gold span."""
        span = self.predicted or self.span
        known = self.probabilities
        return None if known is None else known.get(span)

    @property
    def judged(self) -> str | None:
        """The judgement of the error: "model" if gold is right; None without a judgement."""
        found = self.example.extra.get(JUDGED_KEY)
        return found if isinstance(found, str) else None


def pair_spans(gold: Sequence[Span], predicted: Sequence[Span]) -> list[SpanPair]:
    """Pair the spans of two sides of one text.

    Parameters
    ----------
    gold, predicted : sequence of Span
        Spans of each side, which do not overlap one another.
    """
    open_gold = {(span.start, span.end): span for span in gold}
    found: list[SpanPair] = []
    rest: list[Span] = []
    for span in predicted:
        other = open_gold.pop((span.start, span.end), None)
        if other is None:
            rest.append(span)
        else:
            found.append((other, span, "correct" if other.label == span.label else "label"))
    if rest or open_gold:
        found += _overlapping(list(open_gold.values()), rest)
        found.sort(key=_place)
    return found


def match_example(
    number: int,
    example: Example,
    gold: Sequence[Span],
    predicted: Sequence[Span],
    training: TrainingVocabulary,
    probabilities: Mapping[Span, float] | None = None,
) -> list[SpanMatch]:
    """Pair the predictions for one example with its gold, or with another prediction.

    A predicted span whose label did not exist when the example was answered is
    left out: it is neither right nor wrong.

    Parameters
    ----------
    number : int
        Position of the example.
    example : Example
        The example.
    gold, predicted : sequence of Span
        Spans of each side.
    training : TrainingVocabulary
        Spans of the training data.
    probabilities : mapping, optional
        The model's probabilities of spans of this text.
    """
    labels = example.labels
    if labels is not None:
        predicted = [span for span in predicted if span.label in labels]
    return [
        SpanMatch(number, example, left, right, kind, training, probabilities)
        for left, right, kind in pair_spans(gold, predicted)
    ]


def _overlapping(gold: list[Span], predicted: list[Span]) -> list[SpanPair]:
    candidates = sorted(
        (left.label != right.label, -shared, left.start, right.start, i, j)
        for i, left in enumerate(gold)
        for j, right in enumerate(predicted)
        if (shared := min(left.end, right.end) - max(left.start, right.start)) > 0
    )
    free_gold, free_predicted = (
        dict.fromkeys(range(len(gold))),
        dict.fromkeys(range(len(predicted))),
    )
    found: list[SpanPair] = []
    for differs, _, _, _, i, j in candidates:
        if i in free_gold and j in free_predicted:
            del free_gold[i], free_predicted[j]
            found.append((gold[i], predicted[j], "label_and_borders" if differs else "borders"))
    found += [(gold[i], None, "missed") for i in free_gold]
    return found + [(None, predicted[j], "spurious") for j in free_predicted]


def _place(pair: SpanPair) -> int:
    span = pair[0] or pair[1]
    return span.start if span else 0
