"""Predicted spans paired with gold spans, one by one: what is wrong, and where.

Pairs are made in this order: spans with the same borders; then, of those that
overlap, first the ones with the same label, then the ones that share most
characters, then from left to right. What is left over has no partner. Every
span of either side is in exactly one pair, so that the cells of a confusion
matrix add up to the spans that there are.
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

#: Who was wrong, as somebody has judged it: the model, while the gold stands.
JUDGED_KEY = "judged"


class SpanMatch(NamedTuple):
    """A gold span and a predicted one that belong together, or one without a partner.

    Parameters
    ----------
    example_index : int
        Position of the example.
    example : Example
        With its gold spans.
    gold, predicted : Span, optional
    kind : str
        One of `MATCH_KINDS`.
    training_vocabulary : TrainingVocabulary
    probabilities : mapping, optional
        The model's probability of spans of this text.
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
        """Whether anything is wrong."""
        return self.kind != "correct"

    @property
    def words(self) -> str:
        """The span's own text."""
        return self.example.text[self.span.start : self.span.end]

    @property
    def split(self) -> str:
        """Where the example belongs."""
        return self.example.split

    @property
    def meta(self) -> Mapping[str, Any]:
        """The user's own columns."""
        return self.example.meta

    @property
    def length(self) -> int:
        """Tokens of the span."""
        return count_tokens(self.example.tokens, self.span)

    @property
    def frequency(self) -> int:
        """Training spans with the same words and label."""
        return self.training_vocabulary.frequency(self.words, self.span.label)

    @property
    def seen(self) -> bool:
        """Whether training had these words with this label."""
        return self.frequency > 0

    @property
    def shape(self) -> str:
        """The kind of its letters; see `profiles.shape`."""
        return word_shape(self.words)

    @property
    def tokens_to_sentence_end(self) -> int:
        """Tokens between the span and the end of its sentence."""
        return tokens_to_sentence_end(self.example.text, self.example.tokens, self.span)

    @property
    def probability(self) -> float | None:
        """The model's probability of what it predicted; of the gold span where it missed one."""
        span = self.predicted or self.span
        known = self.probabilities
        return None if known is None else known.get(span)

    @property
    def judged(self) -> str | None:
        """Who is wrong, where somebody has judged that: "model", and the gold is right."""
        found = self.example.extra.get(JUDGED_KEY)
        return found if isinstance(found, str) else None


def pair_spans(gold: Sequence[Span], predicted: Sequence[Span]) -> list[SpanPair]:
    """Pair the spans of two sides of one text.

    Parameters
    ----------
    gold, predicted : sequence of Span
        Spans of one side do not overlap one another.
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
    """Pair what is predicted for one example with its gold, or with another prediction.

    A predicted span whose label could not be given when the example was
    answered is left out: it is neither right nor wrong.
    """
    labels = example.labels
    if labels is not None:
        predicted = [span for span in predicted if span.label in labels]
    return [
        SpanMatch(number, example, right, said, kind, training, probabilities)
        for right, said, kind in pair_spans(gold, predicted)
    ]


def _overlapping(gold: list[Span], predicted: list[Span]) -> list[SpanPair]:
    candidates = sorted(
        (right.label != said.label, -shared, right.start, said.start, i, j)
        for i, right in enumerate(gold)
        for j, said in enumerate(predicted)
        if (shared := min(right.end, said.end) - max(right.start, said.start)) > 0
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
