"""Label issues: gold that a model which never saw it finds improbable.

Every gold span is held against the likeliest thing that contradicts it, and
every likely span that gold does not have against nothing being there. The
score is the margin between the two probabilities, cleanlab's "normalized
margin" (Northcutt, Jiang and Chuang 2021, "Confident learning"), taken over
spans with exact marginals instead of over tokens. Pure functions of plain values.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from nbner.types import Example, Span

LabelIssueKind: TypeAlias = Literal["other_label", "other_borders", "no_entity", "missed"]
LABEL_ISSUE_KINDS: tuple[LabelIssueKind, ...] = (
    "other_label",
    "other_borders",
    "no_entity",
    "missed",
)


@dataclass(frozen=True, slots=True)
class LabelIssue:
    """A gold span, or a gap in gold, that looks wrong.

    Parameters
    ----------
    example : Example
        With its gold.
    kind : {"other_label", "other_borders", "no_entity", "missed"}
    gold : Span, optional
        The gold span; None for a gap.
    suggested : Span, optional
        What is likelier; None where that is no entity.
    gold_probability : float
        Of what gold says.
    suggested_probability : float
        Of what is likelier.
    """

    example: Example = field(repr=False)
    kind: LabelIssueKind
    gold: Span | None
    suggested: Span | None
    gold_probability: float
    suggested_probability: float

    @property
    def score(self) -> float:
        """The margin of what is likelier over gold, above 0 and up to 1."""
        return self.suggested_probability - self.gold_probability

    @property
    def place(self) -> tuple[int, int]:
        """The first and the end of the gold span, or else of the gap; code points."""
        span = self.gold or self.suggested
        assert span is not None  # noqa: S101 - for the type checker: one of them is there
        return span.start, span.end


def find_label_issues(
    example: Example, spans: Mapping[Span, float], outside: Sequence[float]
) -> list[LabelIssue]:
    """Find where gold is less likely than what contradicts it.

    Parameters
    ----------
    example : Example
        Tokenized, with complete gold.
    spans : mapping of Span to float
        The likely spans of the text with their probabilities.
    outside : sequence of float, shape (tokens,)
        The probability that a token belongs to no entity. The least over a
        span's tokens bounds the probability that there is none at all.

    Returns
    -------
    list of LabelIssue
        In no order. A span with a label that could not be given when the
        example was answered is missing there, and no issue.
    """
    likely = {
        span: value
        for span, value in spans.items()
        if example.labels is None or span.label in example.labels
    }
    nothing = _Nothing(example, outside)
    found = [_of_span(example, span, likely, nothing) for span in example.spans]
    found += _gaps(example, likely, nothing)
    return [one for one in found if one.score > 0]


def rank_issues(issues: Iterable[LabelIssue]) -> list[LabelIssue]:
    """Put the surest first."""
    return sorted(issues, key=lambda one: -one.score)


def apply_suggestions(spans: Sequence[Span], some: Iterable[LabelIssue]) -> tuple[Span, ...]:
    """Put what is likelier in the place of what gold says.

    Parameters
    ----------
    spans : sequence of Span
        Gold of one example.
    some : iterable of LabelIssue
        Of that example.
    """
    kept = list(spans)
    for one in some:
        new = one.suggested
        kept = [span for span in kept if span != one.gold]
        if new is not None:
            kept = [span for span in kept if not _overlap(span, new)]
            kept.append(Span(new.start, new.end, new.label))
    return tuple(sorted(kept, key=lambda span: span.start))


class _Nothing:
    """How likely it is that no entity stands on a stretch."""

    def __init__(self, example: Example, outside: Sequence[float]) -> None:
        self._tokens = example.tokens
        self._outside = outside

    def at(self, span: Span) -> float:
        return min(
            (
                share
                for token, share in zip(self._tokens, self._outside, strict=True)
                if token.start < span.end and span.start < token.end
            ),
            default=0.0,
        )


def _of_span(
    example: Example, given: Span, likely: Mapping[Span, float], nothing: _Nothing
) -> LabelIssue:
    against: list[tuple[float, Span | None]] = [
        (value, span) for span, value in likely.items() if span != given and _overlap(span, given)
    ]
    against.append((nothing.at(given), None))
    value, suggested = max(against, key=lambda one: one[0])
    return LabelIssue(
        example, _kind(given, suggested), given, suggested, likely.get(given, 0.0), float(value)
    )


def _gaps(example: Example, likely: Mapping[Span, float], nothing: _Nothing) -> list[LabelIssue]:
    """Find likely spans where gold has nothing: of those that overlap, the likeliest."""
    gaps: list[LabelIssue] = []
    taken = list(example.spans)
    for span, value in sorted(likely.items(), key=lambda item: -item[1]):
        if any(_overlap(span, other) for other in taken):
            continue
        taken.append(span)
        gaps.append(LabelIssue(example, "missed", None, span, nothing.at(span), float(value)))
    return gaps


def _kind(given: Span, suggested: Span | None) -> LabelIssueKind:
    if suggested is None:
        return "no_entity"
    same = (given.start, given.end) == (suggested.start, suggested.end)
    return "other_label" if same else "other_borders"


def _overlap(one: Span, other: Span) -> bool:
    return one.start < other.end and other.start < one.end
