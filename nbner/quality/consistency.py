"""Whether the same words are labelled alike across the data.

The variation of Dickinson and Meurers (2003, "Detecting errors in
part-of-speech annotation"), over the words of whole gold spans: each is looked
up everywhere as whole tokens, and what gold says there is counted. A place
inside a longer entity, or across an end of one, says nothing about the words
alone and is left out. Pure functions of plain values.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from nbner._common.alignment import char_to_token_range
from nbner.types import Example, Span

Words: TypeAlias = tuple[str, ...]
#: The probability of a span of one example; None where nobody knows.
ProbabilityLookup: TypeAlias = Callable[[Example], Mapping[Span, float] | None]


@dataclass(frozen=True, slots=True)
class PhraseOccurrence:
    """The words at one place.

    Parameters
    ----------
    example : Example
    start, end : int
        Code points.
    label : str, optional
        What gold says; None where nothing is marked.
    usual_probability : float, optional
        Of what the words are usually, at this place; None where no model was asked.
    """

    example: Example = field(repr=False)
    start: int
    end: int
    label: str | None
    usual_probability: float | None = None


@dataclass(frozen=True, slots=True)
class LabelVariation:
    """Words that are labelled in more than one way, or labelled and missed.

    Parameters
    ----------
    words : tuple of str
        Lower case unless case was asked for.
    usual_label : str
        The most frequent label.
    occurrences : tuple of PhraseOccurrence
    """

    words: Words
    usual_label: str
    occurrences: tuple[PhraseOccurrence, ...] = field(repr=False)

    @property
    def counts(self) -> Counter[str | None]:
        """How often each label was given; None counts the places without one."""
        return Counter(one.label for one in self.occurrences)

    @property
    def deviating(self) -> tuple[PhraseOccurrence, ...]:
        """The occurrences that are not as usual, the likeliest to be wrong first."""
        found = [one for one in self.occurrences if one.label != self.usual_label]
        return tuple(sorted(found, key=lambda one: -(one.usual_probability or 0.0)))

    @property
    def score(self) -> float:
        """How many of them are expected to be wrong.

        The sum of what the model gives the usual label there; without a model
        the share of the usual label stands in for each.
        """
        share = self.counts[self.usual_label] / len(self.occurrences)
        return sum(
            share if one.usual_probability is None else one.usual_probability
            for one in self.deviating
        )


def find_variations(
    examples: Sequence[Example],
    *,
    case_sensitive: bool = False,
    probabilities: ProbabilityLookup = lambda _one: None,
) -> list[LabelVariation]:
    """Find the words that gold does not treat alike.

    Parameters
    ----------
    examples : sequence of Example
        Tokenized, with complete gold.
    case_sensitive : bool
        Whether words in another case are other words.
    probabilities : callable
        From an example to the probabilities of its spans; asked once each.

    Returns
    -------
    list of LabelVariation
        Those of which most are expected to be wrong first.
    """
    wanted = _Phrases(examples, cased=case_sensitive)
    places: dict[Words, list[tuple[int, int, int, str | None]]] = defaultdict(list)
    for number, example in enumerate(examples):
        for words, start, end, label in wanted.places_in(example):
            places[words].append((number, start, end, label))
    varied = {words: found for words, found in places.items() if len({one[3] for one in found}) > 1}
    usual = {
        words: Counter(one[3] for one in found if one[3] is not None).most_common(1)[0][0]
        for words, found in varied.items()
    }
    asked = sorted({one[0] for found in varied.values() for one in found})
    asked_probabilities = {number: probabilities(examples[number]) for number in asked}
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
                    _of(asked_probabilities[number], Span(start, end, usual[words])),
                )
                for number, start, end, label in found
            ),
        )
        for words, found in varied.items()
    ]
    return sorted(result, key=lambda one: (-one.score, one.words))


class _Phrases:
    """The words of all gold spans, to be looked up by their first word."""

    def __init__(self, examples: Iterable[Example], *, cased: bool) -> None:
        self._cased = cased
        self._known: set[Words] = set()
        lengths: dict[str, set[int]] = defaultdict(set)
        for example in examples:
            folded = self._folded(example)
            for span in example.spans:
                place = char_to_token_range(example.tokens, span.start, span.end)
                if place is not None:
                    words = folded[slice(*place)]
                    self._known.add(words)
                    lengths[words[0]].add(len(words))
        self._lengths = {first: sorted(found) for first, found in lengths.items()}

    def places_in(self, example: Example) -> Iterator[tuple[Words, int, int, str | None]]:
        """Give each place of each of these words, with what gold says exactly there."""
        folded, tokens = self._folded(example), example.tokens
        exact = {(span.start, span.end): span.label for span in example.spans}
        for i, word in enumerate(folded):
            for length in self._lengths.get(word, ()):
                words = folded[i : i + length]
                if len(words) < length or words not in self._known:
                    continue
                start, end = tokens[i].start, tokens[i + length - 1].end
                label = exact.get((start, end))
                if label is not None or _is_clear(example, start, end):
                    yield words, start, end, label

    def _folded(self, example: Example) -> Words:
        texts = (token.text for token in example.tokens)
        return tuple(texts) if self._cased else tuple(text.lower() for text in texts)


def _is_clear(example: Example, start: int, end: int) -> bool:
    return all(span.end <= start or end <= span.start for span in example.spans)


def _of(known: Mapping[Span, float] | None, span: Span) -> float | None:
    return None if known is None else known.get(span, 0.0)
