"""Variation in gold: equal words that are not labelled alike.

The variation of Dickinson and Meurers (2003, "Detecting errors in
part-of-speech annotation"), over the words of whole gold spans: all their
occurrences as whole tokens are found, and the gold label of each is counted. An
occurrence inside a longer entity, or across a border of one, is no evidence
about the words themselves and is left out.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from nbner._common.alignment import char_to_token_range
from nbner.types import Example, Span

Words: TypeAlias = tuple[str, ...]
#: From an example to the probabilities of its spans; None without a model.
ProbabilityLookup: TypeAlias = Callable[[Example], Mapping[Span, float] | None]


@dataclass(frozen=True, slots=True)
class PhraseOccurrence:
    """One occurrence of some words.

    Parameters
    ----------
    example : Example
        The example in which they occur.
    start, end : int
        Code points, half-open.
    label : str, optional
        Gold label of the words; None where they are not labelled.
    usual_probability : float, optional
        Probability of the usual label here; None without a model.
    """

    example: Example = field(repr=False)
    start: int
    end: int
    label: str | None
    usual_probability: float | None = None


@dataclass(frozen=True, slots=True)
class LabelVariation:
    """Words with more than one label, or labelled at some occurrences only.

    Parameters
    ----------
    words : tuple of str
        In lower case, unless case was to be distinguished.
    usual_label : str
        The most frequent label.
    occurrences : tuple of PhraseOccurrence
        All occurrences.
    """

    words: Words
    usual_label: str
    occurrences: tuple[PhraseOccurrence, ...] = field(repr=False)

    @property
    def counts(self) -> Counter[str | None]:
        """Occurrences by label; None counts those without a label."""
        return Counter(one.label for one in self.occurrences)

    @property
    def deviating(self) -> tuple[PhraseOccurrence, ...]:
        """The occurrences without the usual label, the most probably wrong first."""
        found = [one for one in self.occurrences if one.label != self.usual_label]
        return tuple(sorted(found, key=lambda one: -(one.usual_probability or 0.0)))

    @property
    def score(self) -> float:
        """Expected number of wrong occurrences.

        The sum of the usual label's probability over the deviating occurrences;
        without a model, the relative frequency of the usual label is used.
        """
        frequency = self.counts[self.usual_label] / len(self.occurrences)
        return sum(
            frequency if one.usual_probability is None else one.usual_probability
            for one in self.deviating
        )


def find_variations(
    examples: Sequence[Example],
    *,
    case_sensitive: bool = False,
    probabilities: ProbabilityLookup = lambda _one: None,
) -> list[LabelVariation]:
    """Find the words that gold does not label alike.

    Parameters
    ----------
    examples : sequence of Example
        Tokenized, with complete gold.
    case_sensitive : bool
        Whether words that differ in case are different words.
    probabilities : callable
        From an example to the probabilities of its spans; called once each.

    Returns
    -------
    list of LabelVariation
        The highest expected number of wrong occurrences first.
    """
    phrases = _GoldPhrases(examples, case_sensitive=case_sensitive)
    places: dict[Words, list[tuple[int, int, int, str | None]]] = defaultdict(list)
    for number, example in enumerate(examples):
        for words, start, end, label in phrases.occurrences_in(example):
            places[words].append((number, start, end, label))
    varied = {words: found for words, found in places.items() if len({one[3] for one in found}) > 1}
    usual = {
        words: Counter(one[3] for one in found if one[3] is not None).most_common(1)[0][0]
        for words, found in varied.items()
    }
    numbers = sorted({one[0] for found in varied.values() for one in found})
    by_example = {number: probabilities(examples[number]) for number in numbers}
    result = [
        LabelVariation(
            words,
            usual[words],
            tuple(
                PhraseOccurrence(
                    examples[number],
                    start,
                    end,
                    label,
                    _probability(by_example[number], Span(start, end, usual[words])),
                )
                for number, start, end, label in found
            ),
        )
        for words, found in varied.items()
    ]
    return sorted(result, key=lambda one: (-one.score, one.words))


class _GoldPhrases:
    """The words of all gold spans, indexed by their first word."""

    def __init__(self, examples: Iterable[Example], *, case_sensitive: bool) -> None:
        self._case_sensitive = case_sensitive
        self._phrases: set[Words] = set()
        lengths: dict[str, set[int]] = defaultdict(set)
        for example in examples:
            texts = self._token_texts(example)
            for span in example.spans:
                place = char_to_token_range(example.tokens, span.start, span.end)
                if place is not None:
                    words = texts[slice(*place)]
                    self._phrases.add(words)
                    lengths[words[0]].add(len(words))
        self._lengths = {first: sorted(found) for first, found in lengths.items()}

    def occurrences_in(self, example: Example) -> Iterator[tuple[Words, int, int, str | None]]:
        """Yield the words, borders and gold label of each occurrence of a phrase."""
        texts, tokens = self._token_texts(example), example.tokens
        labels = {(span.start, span.end): span.label for span in example.spans}
        for i, word in enumerate(texts):
            for length in self._lengths.get(word, ()):
                words = texts[i : i + length]
                if len(words) < length or words not in self._phrases:
                    continue
                start, end = tokens[i].start, tokens[i + length - 1].end
                label = labels.get((start, end))
                if label is not None or _is_free(example, start, end):
                    yield words, start, end, label

    def _token_texts(self, example: Example) -> Words:
        texts = (token.text for token in example.tokens)
        return tuple(texts) if self._case_sensitive else tuple(text.lower() for text in texts)


def _is_free(example: Example, start: int, end: int) -> bool:
    return all(span.end <= start or end <= span.start for span in example.spans)


def _probability(probabilities: Mapping[Span, float] | None, span: Span) -> float | None:
    return None if probabilities is None else probabilities.get(span, 0.0)
