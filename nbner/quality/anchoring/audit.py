"""Anchoring audit: perturb some suggestions on purpose and count how many are followed.

A fraction of the model's suggestions is withheld, and a fraction is shown with
a wrong label or a wrong border. An independent annotator marks the withheld
entities and corrects the wrong spans; an anchored one (Tversky and Kahneman
1974) does neither. Intervals are Wilson's (1927), and Newcombe's (1998) for a
difference, 95 %, over spans taken as independent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import sqrt
from random import Random
from typing import Any, Literal, TypeAlias

from nbner.errors import DataError
from nbner.quality.anchoring.noise import SpanErrorKind, check_fraction, corrupt_spans
from nbner.types import Span, Token

SuggestionKind: TypeAlias = Literal["corrupted", "withheld", "untouched"]
SUGGESTION_KINDS: tuple[SuggestionKind, ...] = ("corrupted", "withheld", "untouched")

#: Key of ``Answer.extra`` under which an audit is stored.
AUDIT_KEY = "audit"

_ERROR_KINDS: tuple[SpanErrorKind, ...] = ("other_label", "other_borders")
_Z = 1.959964


@dataclass(frozen=True, slots=True)
class PerturbedSuggestions:
    """The suggestions of one example by what was done to them.

    Parameters
    ----------
    withheld : tuple of Span
        Suggestions that are not shown.
    corrupted : tuple of (Span, Span)
        Suggestions as they were, and as they are shown.
    untouched : tuple of Span
        Suggestions that are shown as they are.
    """

    withheld: tuple[Span, ...] = ()
    corrupted: tuple[tuple[Span, Span], ...] = ()
    untouched: tuple[Span, ...] = ()

    @property
    def shown(self) -> tuple[Span, ...]:
        """The suggestions that the annotator sees."""
        corrupted = [after for _, after in self.corrupted]
        return tuple(sorted((*self.untouched, *corrupted), key=lambda one: one.start))


def check_fractions(withhold: float, corrupt: float) -> None:
    """Raise an error for fractions outside 0 to 1, or that add up to more than 1.

    Parameters
    ----------
    withhold, corrupt : float
        Fractions of the suggestions to withhold and to corrupt.

    Raises
    ------
    DataError
        A fraction is not between 0 and 1, or their sum is above 1.
    """
    check_fraction(withhold, "withhold")
    check_fraction(corrupt, "corrupt")
    if withhold + corrupt > 1:
        raise DataError(
            f"withhold={withhold} and corrupt={corrupt} are more than all suggestions",
            field="corrupt",
            remedy="Give fractions that add up to 1 at most, such as withhold=0.05, corrupt=0.05",
        )


def perturb_suggestions(
    spans: Sequence[Span],
    tokens: Sequence[Token],
    labels: Sequence[str],
    *,
    withhold: float,
    corrupt: float,
    random: Random,
) -> PerturbedSuggestions:
    """Withhold and corrupt some of an example's suggestions.

    Parameters
    ----------
    spans : sequence of Span
        Suggestions that do not overlap. A corrupted one keeps its source and
        its score.
    tokens : sequence of Token
        Tokens of the example.
    labels : sequence of str
        Labels that a wrong one is drawn from.
    withhold, corrupt : float
        Probability of each span to be withheld or corrupted.
    random : random.Random
        Source of all random choices.
    """
    withheld: list[Span] = []
    corrupted: list[tuple[Span, Span]] = []
    untouched: list[Span] = []
    current = list(spans)
    for span in spans:
        drawn = random.random()
        changed = None
        if drawn < withhold:
            withheld.append(span)
            continue
        if drawn < withhold + corrupt:
            changed = _corrupt(span, current, tokens, labels, random)
        if changed is None:
            untouched.append(span)
        else:
            current = [changed if one == span else one for one in current]
            corrupted.append((span, changed))
    return PerturbedSuggestions(tuple(withheld), tuple(corrupted), tuple(untouched))


def audit_to_json(perturbed: PerturbedSuggestions) -> dict[str, Any]:
    """Serialize perturbed suggestions as values of JSON.

    Parameters
    ----------
    perturbed : PerturbedSuggestions
        The suggestions of one example.
    """
    return {
        "withheld": [_to_list(one) for one in perturbed.withheld],
        "corrupted": [[_to_list(before), _to_list(after)] for before, after in perturbed.corrupted],
        "untouched": [_to_list(one) for one in perturbed.untouched],
    }


def audit_from_answer_extra(extra: Mapping[str, Any]) -> PerturbedSuggestions | None:
    """Read perturbed suggestions from an answer; None if it was not given under an audit.

    Parameters
    ----------
    extra : mapping
        ``Answer.extra``, which may hold the value of `audit_to_json` under
        `AUDIT_KEY`.
    """
    stored = extra.get(AUDIT_KEY)
    if not isinstance(stored, Mapping):
        return None
    return PerturbedSuggestions(
        tuple(Span(*one) for one in stored["withheld"]),
        tuple((Span(*before), Span(*after)) for before, after in stored["corrupted"]),
        tuple(Span(*one) for one in stored["untouched"]),
    )


@dataclass(frozen=True, slots=True)
class Proportion:
    """Number of suggestions that were followed, of all of a kind.

    Parameters
    ----------
    count : int
        Suggestions that were followed.
    n : int
        All suggestions of the kind.
    """

    count: int = 0
    n: int = 0

    @property
    def value(self) -> float | None:
        """The proportion; None where there is nothing to count."""
        return self.count / self.n if self.n else None

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval; from 0 to 1 where there is nothing to count."""
        if not self.n:
            return 0.0, 1.0
        p, z2 = self.count / self.n, _Z * _Z
        center = (p + z2 / (2 * self.n)) / (1 + z2 / self.n)
        half = _Z * sqrt(p * (1 - p) / self.n + z2 / (4 * self.n**2)) / (1 + z2 / self.n)
        return max(0.0, center - half), min(1.0, center + half)


@dataclass(frozen=True, slots=True)
class AnchoringCounts:
    """Decisions of an annotator on all suggestions of an audit.

    Parameters
    ----------
    corrupted : Proportion
        Corrupted suggestions that were left as shown.
    withheld : Proportion
        Withheld suggestions that were left unmarked.
    untouched : Proportion
        Untouched suggestions that were left as shown.
    removed : Proportion
        Untouched suggestions that were removed without a replacement: the rate
        at which spans are left unmarked without any anchoring.
    """

    corrupted: Proportion
    withheld: Proportion
    untouched: Proportion
    removed: Proportion

    @property
    def omission_effect(self) -> tuple[float, float, float] | None:
        """Increase in the rate of unmarked entities that is due to a missing suggestion.

        Returns
        -------
        (float, float, float) or None
            The difference of ``withheld`` and ``removed`` with the low and the
            high end of its interval; None where one has nothing to count.
        """
        one, other = self.withheld, self.removed
        if one.value is None or other.value is None:
            return None
        difference = one.value - other.value
        (low1, high1), (low2, high2) = one.interval, other.interval
        down = sqrt((one.value - low1) ** 2 + (high2 - other.value) ** 2)
        up = sqrt((high1 - one.value) ** 2 + (other.value - low2) ** 2)
        return difference, max(-1.0, difference - down), min(1.0, difference + up)


def count_followed(
    audits: Iterable[tuple[PerturbedSuggestions, Sequence[Span]]],
) -> AnchoringCounts:
    """Count the suggestions of each kind that were followed.

    Parameters
    ----------
    audits : iterable of (PerturbedSuggestions, sequence of Span)
        The suggestions of each example with the spans that were accepted.
    """
    followed, total, removed = Counter[str](), Counter[str](), 0
    for perturbed, spans in audits:
        accepted = set(spans)
        total["corrupted"] += len(perturbed.corrupted)
        followed["corrupted"] += sum(after in accepted for _, after in perturbed.corrupted)
        total["withheld"] += len(perturbed.withheld)
        followed["withheld"] += sum(_is_unmarked(one, spans) for one in perturbed.withheld)
        total["untouched"] += len(perturbed.untouched)
        followed["untouched"] += sum(one in accepted for one in perturbed.untouched)
        removed += sum(_is_unmarked(one, spans) for one in perturbed.untouched)
    proportions = {kind: Proportion(followed[kind], total[kind]) for kind in SUGGESTION_KINDS}
    return AnchoringCounts(**proportions, removed=Proportion(removed, total["untouched"]))


def only_correct(perturbed: PerturbedSuggestions, gold: Sequence[Span]) -> PerturbedSuggestions:
    """Select the suggestions that were correct before they were perturbed.

    Parameters
    ----------
    perturbed : PerturbedSuggestions
        The suggestions of one example.
    gold : sequence of Span
        Its true spans.
    """
    correct = set(gold)
    return PerturbedSuggestions(
        tuple(one for one in perturbed.withheld if one in correct),
        tuple(pair for pair in perturbed.corrupted if pair[0] in correct),
        tuple(one for one in perturbed.untouched if one in correct),
    )


def _corrupt(
    span: Span, current: list[Span], tokens: Sequence[Token], labels: Sequence[str], random: Random
) -> Span | None:
    """Return the span with an error that overlaps no other span; None if there is none."""
    others = [one for one in current if one != span]
    for kind in random.sample(_ERROR_KINDS, len(_ERROR_KINDS)):
        _, changes = corrupt_spans([span], tokens, labels, 1.0, random, kinds=[kind])
        for change in changes:
            new = change.after
            if new is not None and _is_unmarked(new, others):
                return replace(new, source=span.source, score=span.score)
    return None


def _is_unmarked(span: Span, spans: Sequence[Span]) -> bool:
    return all(one.end <= span.start or span.end <= one.start for one in spans)


def _to_list(span: Span) -> list[Any]:
    return [span.start, span.end, span.label]
