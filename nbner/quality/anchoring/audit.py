"""How far an annotator follows what is suggested: some suggestions are spoilt on purpose.

Of the model's suggestions a share is withheld and a share is shown with a
wrong label or a wrong end. Who looks for themselves marks what was withheld and
mends what is wrong; who is anchored (Tversky and Kahneman 1974) does neither.
Intervals are Wilson's (1927), and Newcombe's (1998) for a difference, 95 %,
over spans taken as independent. Pure functions of plain values.
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

#: Key of ``Answer.extra`` under which an audit is kept.
AUDIT_KEY = "audit"

_FAULTS: tuple[SpanErrorKind, ...] = ("other_label", "other_borders")
_Z = 1.959964


@dataclass(frozen=True, slots=True)
class PerturbedSuggestions:
    """What was done to the suggestions of one example.

    Parameters
    ----------
    withheld : tuple of Span
        Not shown.
    corrupted : tuple of (Span, Span)
        As it was, and as it was shown.
    untouched : tuple of Span
    """

    withheld: tuple[Span, ...] = ()
    corrupted: tuple[tuple[Span, Span], ...] = ()
    untouched: tuple[Span, ...] = ()

    @property
    def shown(self) -> tuple[Span, ...]:
        """What the annotator sees."""
        now = [now for _, now in self.corrupted]
        return tuple(sorted((*self.untouched, *now), key=lambda one: one.start))


def check_fractions(withhold: float, corrupt: float) -> None:
    """Refuse shares that are none, or more than all together.

    Raises
    ------
    DataError
    """
    check_fraction(withhold, "withhold")
    check_fraction(corrupt, "corrupt")
    if withhold + corrupt > 1:
        raise DataError(
            f"withhold={withhold} and corrupt={corrupt} are more than all suggestions",
            field="corrupt",
            remedy="Give shares that add up to 1 at most, such as withhold=0.05, corrupt=0.05",
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
        Not overlapping. A corrupted one keeps its source and its score.
    tokens : sequence of Token
    labels : sequence of str
    withhold, corrupt : float
        Chance of each span.
    random : random.Random
    """
    withheld: list[Span] = []
    corrupted: list[tuple[Span, Span]] = []
    untouched: list[Span] = []
    now = list(spans)
    for span in spans:
        drawn = random.random()
        change = None
        if drawn < withhold:
            withheld.append(span)
            continue
        if drawn < withhold + corrupt:
            change = _corrupt(span, now, tokens, labels, random)
        if change is None:
            untouched.append(span)
        else:
            now = [change if one == span else one for one in now]
            corrupted.append((span, change))
    return PerturbedSuggestions(tuple(withheld), tuple(corrupted), tuple(untouched))


def audit_to_json(tampering: PerturbedSuggestions) -> dict[str, Any]:
    """Write it so that JSON can hold it."""
    return {
        "withheld": [_plain(one) for one in tampering.withheld],
        "corrupted": [[_plain(was), _plain(now)] for was, now in tampering.corrupted],
        "untouched": [_plain(one) for one in tampering.untouched],
    }


def audit_from_answer_extra(extra: Mapping[str, Any]) -> PerturbedSuggestions | None:
    """Read what `audit_to_json` wrote under `AUDIT_KEY`; None where no audit was kept."""
    kept = extra.get(AUDIT_KEY)
    if not isinstance(kept, Mapping):
        return None
    return PerturbedSuggestions(
        tuple(Span(*one) for one in kept["withheld"]),
        tuple((Span(*was), Span(*now)) for was, now in kept["corrupted"]),
        tuple(Span(*one) for one in kept["untouched"]),
    )


@dataclass(frozen=True, slots=True)
class Proportion:
    """Suggestions that were followed, of all of a kind.

    Parameters
    ----------
    count, n : int
    """

    count: int = 0
    n: int = 0

    @property
    def value(self) -> float | None:
        """The share; None where there is nothing to count."""
        return self.count / self.n if self.n else None

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's interval; from 0 to 1 where there is nothing to count."""
        if not self.n:
            return 0.0, 1.0
        share, z2 = self.count / self.n, _Z * _Z
        middle = (share + z2 / (2 * self.n)) / (1 + z2 / self.n)
        half = _Z * sqrt(share * (1 - share) / self.n + z2 / (4 * self.n**2)) / (1 + z2 / self.n)
        return max(0.0, middle - half), min(1.0, middle + half)


@dataclass(frozen=True, slots=True)
class AnchoringCounts:
    """What an annotator did with all suggestions of an audit.

    Parameters
    ----------
    corrupted : Proportion
        Left as they were shown.
    withheld : Proportion
        Left unmarked.
    untouched : Proportion
        Left as they were shown.
    removed : Proportion
        Of the untouched ones, taken away with nothing in their place: what
        would be left unmarked without any anchoring.
    """

    corrupted: Proportion
    withheld: Proportion
    untouched: Proportion
    removed: Proportion

    @property
    def omission_effect(self) -> tuple[float, float, float] | None:
        """How much more often something is left unmarked because it was not suggested.

        Returns
        -------
        (float, float, float) or None
            The difference of ``withheld`` and ``refused`` with its interval;
            None where one of them has nothing to count.
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
    """Count how far suggestions were followed.

    Parameters
    ----------
    audits : iterable of (Tampering, sequence of Span)
        Each with the spans that were accepted.
    """
    followed, seen, refused = Counter[str](), Counter[str](), 0
    for tampering, spans in audits:
        accepted = set(spans)
        seen["corrupted"] += len(tampering.corrupted)
        followed["corrupted"] += sum(now in accepted for _, now in tampering.corrupted)
        seen["withheld"] += len(tampering.withheld)
        followed["withheld"] += sum(_is_bare(one, spans) for one in tampering.withheld)
        seen["untouched"] += len(tampering.untouched)
        followed["untouched"] += sum(one in accepted for one in tampering.untouched)
        refused += sum(_is_bare(one, spans) for one in tampering.untouched)
    shares = {kind: Proportion(followed[kind], seen[kind]) for kind in SUGGESTION_KINDS}
    return AnchoringCounts(**shares, removed=Proportion(refused, seen["untouched"]))


def only_correct(tampering: PerturbedSuggestions, gold: Sequence[Span]) -> PerturbedSuggestions:
    """Leave the suggestions that were right before they were tampered with."""
    right = set(gold)
    return PerturbedSuggestions(
        tuple(one for one in tampering.withheld if one in right),
        tuple(pair for pair in tampering.corrupted if pair[0] in right),
        tuple(one for one in tampering.untouched if one in right),
    )


def _corrupt(
    span: Span, now: list[Span], tokens: Sequence[Token], labels: Sequence[str], random: Random
) -> Span | None:
    # Only this span is to change; the others are there to be kept clear of.
    others = [one for one in now if one != span]
    for fault in random.sample(_FAULTS, len(_FAULTS)):
        _, changes = corrupt_spans([span], tokens, labels, 1.0, random, kinds=[fault])
        for change in changes:
            new = change.after
            if new is not None and _is_bare(new, others):
                return replace(new, source=span.source, score=span.score)
    return None


def _is_bare(span: Span, spans: Sequence[Span]) -> bool:
    return all(one.end <= span.start or span.end <= one.start for one in spans)


def _plain(span: Span) -> list[Any]:
    return [span.start, span.end, span.label]
