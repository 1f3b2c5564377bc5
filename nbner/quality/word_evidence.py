"""Evidence about an annotation from the same words at other places.

The variation of Dickinson and Meurers (2003, "Detecting errors in part-of-speech
annotation"), asked of one doubt at a time: the words that gold and its alternative
cover are found wherever else they occur, and each of these places is counted by
whether it is annotated as gold has it here, as the alternative has it, or
otherwise. Because both are read off the same words, "University of Chicago" is not
doubted for all the places at which "Chicago" stands alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from nbner._common.alignment import char_to_token_range
from nbner.types import Example, Span

#: First token, last token (exclusive) and label.
_Place: TypeAlias = tuple[int, int, str]

#: Examples on either side within which a place counts in full: of one document, most likely.
NEAR = 25
#: Weight of a place that is farther away.
FAR_WEIGHT = 0.5
#: Weight of all places together, at most, so that frequent words do not silence the models.
MAX_WEIGHT = 4.0
#: Weight of the models' probability, as a number of places.
PRIOR_WEIGHT = 0.25
_MAX_PLACES = 2_000  # occurrences that are looked at, those of the nearest examples first


@dataclass(frozen=True, slots=True)
class WordCounts:
    """Other places with the same words, by their annotation.

    Parameters
    ----------
    words : str
        The words that gold and the alternative cover, joined by spaces.
    like_gold, like_suggested, otherwise : int
        Number of places that are annotated as gold, as the alternative, or in
        another way.
    weights : tuple of float
        The same three with near places counting more than far ones, and
        `MAX_WEIGHT` in all at most.
    """

    words: str = ""
    like_gold: int = 0
    like_suggested: int = 0
    otherwise: int = 0
    weights: tuple[float, float, float] = (0.0, 0.0, 0.0)

    @property
    def total(self) -> int:
        """Number of other places."""
        return self.like_gold + self.like_suggested + self.otherwise

    def update(self, gold: float, suggested: float) -> tuple[float, float]:
        """Compute both probabilities in the light of the other places.

        The mean of a Dirichlet distribution whose prior is the probability by
        the models, with the weight of `PRIOR_WEIGHT` places.

        Parameters
        ----------
        gold, suggested : float
            Probabilities of gold and of the alternative by the models.

        Returns
        -------
        (float, float)
            Those of gold and of the alternative.
        """
        n = sum(self.weights) + PRIOR_WEIGHT
        like_gold, like_suggested, _ = self.weights
        return (
            (like_gold + PRIOR_WEIGHT * gold) / n,
            (like_suggested + PRIOR_WEIGHT * suggested) / n,
        )


NO_COUNTS = WordCounts()


class WordEvidence:
    """Finds the other places with the words of an annotation.

    Parameters
    ----------
    examples : sequence of Example
        Tokenized, with complete gold, in the order of the data: neighbors count
        more. Words that differ in case are the same words.
    """

    def __init__(self, examples: Sequence[Example]) -> None:
        self._examples = examples
        self._words = [tuple(token.text.lower() for token in one.tokens) for one in examples]
        self._gold = [_places_of(one) for one in examples]
        self._occurrences: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for number, words in enumerate(self._words):
            for at, word in enumerate(words):
                self._occurrences[word].append((number, at))
        self._found: dict[tuple[str, ...], list[tuple[int, int]]] = {}

    def labels_of(self, number: int, span: Span) -> set[str]:
        """Return the labels that the words of a span have, at any place.

        Parameters
        ----------
        number : int
            Index of the example.
        span : Span
            A span of it.
        """
        place = char_to_token_range(self._examples[number].tokens, span.start, span.end)
        if place is None:
            return set()
        size = place[1] - place[0]
        found = (
            self._gold[other].get((at, at + size))
            for other, at in self._find(self._words[number][slice(*place)], number)
        )
        return {label for label in found if label is not None}

    def count(self, number: int, gold: Span | None, suggested: Span | None) -> WordCounts:
        """Count the other places by their annotation.

        A place inside a longer entity, or across a border of one, is no evidence
        about the words themselves and is left out.

        Parameters
        ----------
        number : int
            Index of the example.
        gold, suggested : Span, optional
            Gold and the alternative, at least one of them; None is no entity.
        """
        here = self._place(number, gold), self._place(number, suggested)
        spans = [one for one in (gold, suggested) if one is not None]
        known = [one for one in here if one is not None]
        if not spans or len(known) < len(spans):
            return NO_COUNTS  # the tokens cannot express one of them
        start, end = min(one[0] for one in known), max(one[1] for one in known)
        words = self._words[number][start:end]
        counts, weights = [0, 0, 0], [0.0, 0.0, 0.0]
        for other, at in self._find(words, number):
            if (other, at) == (number, start):
                continue
            kind = self._kind(other, at - start, (at, at + len(words)), here)
            if kind is not None:
                counts[kind] += 1
                weights[kind] += 1.0 if abs(other - number) <= NEAR else FAR_WEIGHT
        total = sum(weights)
        scale = min(1.0, MAX_WEIGHT / total) if total else 1.0
        return WordCounts(
            " ".join(token.text for token in self._examples[number].tokens[start:end]),
            like_gold=counts[0],
            like_suggested=counts[1],
            otherwise=counts[2],
            weights=(weights[0] * scale, weights[1] * scale, weights[2] * scale),
        )

    def _place(self, number: int, span: Span | None) -> _Place | None:
        if span is None:
            return None
        place = char_to_token_range(self._examples[number].tokens, span.start, span.end)
        return None if place is None else (*place, span.label)

    def _kind(
        self,
        number: int,
        shift: int,
        window: tuple[int, int],
        here: tuple[_Place | None, _Place | None],
    ) -> int | None:
        """Return 0 for a place that is like gold, 1 like the alternative, 2 otherwise."""
        gold = self._gold[number]
        start, end = window
        within = [one for one in gold if one[0] < end and start < one[1]]
        for kind, place in enumerate(here):
            if place is None:
                if not within:
                    return kind
            elif gold.get((place[0] + shift, place[1] + shift)) == place[2]:
                return kind
        is_crossed = any(one[0] < start or one[1] > end for one in within)
        return None if is_crossed else 2

    def _find(self, words: tuple[str, ...], number: int) -> list[tuple[int, int]]:
        """Find the words in all examples: index of the example, and of the first token."""
        if words not in self._found:
            rarest = min(range(len(words)), key=lambda i: len(self._occurrences[words[i]]))
            self._found[words] = [
                (other, at - rarest)
                for other, at in self._occurrences[words[rarest]]
                if at >= rarest
                and self._words[other][at - rarest : at - rarest + len(words)] == words
            ]
        found = self._found[words]
        if len(found) <= _MAX_PLACES:
            return found
        return sorted(found, key=lambda one: abs(one[0] - number))[:_MAX_PLACES]


def _places_of(example: Example) -> Mapping[tuple[int, int], str]:
    """Return the token ranges of gold with their labels."""
    found: dict[tuple[int, int], str] = {}
    for span in example.spans:
        place = char_to_token_range(example.tokens, span.start, span.end)
        if place is not None:
            found[place] = span.label
    return found
