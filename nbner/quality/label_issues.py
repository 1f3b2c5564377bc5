"""Label issues: gold that models which were not trained on it find improbable.

Every gold span is compared with its likeliest alternative: another span that
overlaps it, or no entity. Every likely span where gold has none is compared
with no entity. Both get a probability from two sources: models that have not seen the
text (exact marginals, the mean over learners and seeds), and the labels of the same
words at other places (`nbner.quality.word_evidence`). The score is the mean of two of the scores of
Northcutt, Jiang and Chuang (2021, "Confident learning"), computed over spans instead
of over tokens: the normalized margin between the two probabilities, and one minus the
self-confidence, the probability of gold. First come the issues with the most
signals: the models, the same words elsewhere, and the confidence of the models, whose
probability of the alternative reaches the mean one that its label has where it is given
(the threshold of confidence of the same paper).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

import numpy as np

from nbner.quality.label_doubt import LabelDoubt, SpanDoubt, doubts_by_label
from nbner.quality.word_evidence import NO_COUNTS, WordCounts, WordEvidence
from nbner.types import Example, Span

LabelIssueKind: TypeAlias = Literal["other_label", "other_borders", "no_entity", "missed"]
LABEL_ISSUE_KINDS: tuple[LabelIssueKind, ...] = (
    "other_label",
    "other_borders",
    "no_entity",
    "missed",
)
#: What can speak for an alternative: the models find it likelier than gold; they are as sure
#: of it as they are of its label elsewhere; the same words are mostly annotated like it.
IssueSignal: TypeAlias = Literal["models", "confidence", "words"]

NO_ENTITY = "no entity"
_AVERAGE = "average"  # stands for the learners where they are not told apart
#: Weight of the margin in the score; the rest is that of one minus the self-confidence.
MARGIN_WEIGHT = 0.5
#: Probability below which a span with other borders is no alternative.
_MIN_ALTERNATIVE = 0.02


@dataclass(frozen=True, slots=True)
class HeldOutProbabilities:
    """Probabilities of one text by one model, or their mean over several.

    Parameters
    ----------
    spans : mapping of Span to float
        The likely spans with their probabilities.
    outside : sequence of float, shape (tokens,)
        The probability that a token belongs to no entity. The minimum over the
        tokens of a span is an upper bound of the probability of no entity.
    """

    spans: Mapping[Span, float]
    outside: Sequence[float]


@dataclass(frozen=True, slots=True)
class LabelIssue:
    """A gold span, or a place without one, that is less likely than an alternative.

    Parameters
    ----------
    example : Example
        The example with its gold.
    kind : {"other_label", "other_borders", "no_entity", "missed"}
        How the alternative differs from gold.
    gold : Span, optional
        The gold span; None where gold has none.
    suggested : Span, optional
        The alternative; None where that is no entity.
    gold_probability : float
        Probability of the gold annotation, from models and other places together.
    suggested_probability : float
        Probability of the alternative.
    by_learner : mapping
        From the name of a learner to the probabilities of gold and of the alternative
        by its models.
    threshold : float
        Threshold of confidence of the alternative's label: the mean probability by the
        models where gold has it.
    words : WordCounts
        The other places with the same words.
    is_label_doubted : bool
        Whether the learners contradict most spans of the gold label, so that this is
        about its definition rather than about the span; see `LabelIssues.per_label`.
    """

    example: Example = field(repr=False)
    kind: LabelIssueKind
    gold: Span | None
    suggested: Span | None
    gold_probability: float
    suggested_probability: float
    by_learner: Mapping[str, tuple[float, float]] = field(
        default_factory=dict, kw_only=True, hash=False
    )
    threshold: float = field(default=1.0, kw_only=True)
    words: WordCounts = field(default=NO_COUNTS, kw_only=True)
    is_label_doubted: bool = field(default=False, kw_only=True)

    @property
    def margin(self) -> float:
        """Probability of the alternative minus that of gold, above 0 and up to 1."""
        return self.suggested_probability - self.gold_probability

    @property
    def score(self) -> float:
        """Mean of the margin and of one minus the probability of gold, above 0 and up to 1."""
        doubt = 1 - self.gold_probability
        return MARGIN_WEIGHT * self.margin + (1 - MARGIN_WEIGHT) * doubt

    @property
    def place(self) -> tuple[int, int]:
        """Start and end of the gold span, or else of the suggested one, in code points."""
        span = self.gold or self.suggested
        assert span is not None  # noqa: S101 - for the type checker: one of them is there
        return span.start, span.end

    @property
    def signals(self) -> tuple[IssueSignal, ...]:
        """Signals that speak for the alternative."""
        gold, suggested = self._by_models()
        like_gold, like_suggested, _ = self.words.weights
        spoken: dict[IssueSignal, bool] = {
            "models": gold < suggested,
            "confidence": gold < suggested and self.threshold <= suggested,
            "words": like_gold < like_suggested,
        }
        return tuple(name for name, speaks in spoken.items() if speaks)

    def _by_models(self) -> tuple[float, float]:
        """Return the mean probabilities of gold and of the alternative over the learners."""
        pairs = list(self.by_learner.values()) or [(0.0, 0.0)]
        gold, suggested = (sum(some) / len(pairs) for some in zip(*pairs, strict=True))
        return gold, suggested

    @property
    def reason(self) -> str:
        """Reason in words: the figures of each signal."""
        parts = [*_learners_say(self), *_words_say(self)]
        if self.is_label_doubted and self.gold is not None:
            parts.append(f"{self.gold.label} is doubted as a whole")
        return "; ".join(parts)


def pool_probabilities(members: Sequence[HeldOutProbabilities]) -> HeldOutProbabilities:
    """Average the probabilities of several models over one text.

    Parameters
    ----------
    members : sequence of HeldOutProbabilities
        Of the same tokens, at least one.
    """
    if len(members) == 1:
        return members[0]
    spans = {span for one in members for span in one.spans}
    mean = {
        span: sum(one.spans.get(span, 0.0) for one in members) / len(members)
        for span in sorted(spans, key=lambda one: (one.start, one.end, one.label))
    }
    outside = np.mean([np.asarray(one.outside, np.float64) for one in members], axis=0)
    return HeldOutProbabilities(mean, outside.tolist())


def find_label_issues(
    example: Example,
    spans: Mapping[Span, float],
    outside: Sequence[float],
    *,
    words: WordEvidence | None = None,
    number: int = 0,
    by_learner: Mapping[str, HeldOutProbabilities] | None = None,
) -> list[LabelIssue]:
    """Find where gold is less likely than an alternative.

    Parameters
    ----------
    example : Example
        Tokenized, with complete gold.
    spans : mapping of Span to float
        The likely spans of the text with their probabilities by the models.
    outside : sequence of float, shape (tokens,)
        As for `HeldOutProbabilities`.
    words : WordEvidence, optional
        Finds the same words in all examples; by default the models alone are asked.
    number : int
        Index of the example among those of ``words``.
    by_learner : mapping of str to HeldOutProbabilities, optional
        What each learner says alone, told with the issues; by default the average.

    Returns
    -------
    list of LabelIssue
        Unsorted. Labels that did not exist when the example was answered are
        ignored.
    """
    pooled = HeldOutProbabilities(spans, outside)
    search = _Search(example, pooled, words, number, by_learner or {_AVERAGE: pooled})
    found = [search.doubt(span) for span in example.spans]
    found += search.missed_spans()
    return [one for one in found if one.margin > 0]


def issues_of_examples(
    examples: Sequence[Example],
    by_learner: Mapping[str, Sequence[Sequence[HeldOutProbabilities]]],
) -> tuple[list[LabelIssue], tuple[LabelDoubt, ...]]:
    """Find the issues of all examples, and the doubt about each label as a whole.

    Parameters
    ----------
    examples : sequence of Example
        Tokenized, with complete gold, in the order of the data.
    by_learner : mapping
        From a learner to its models, each with the probabilities of every example.
        The learners have equal weight, whatever the number of their models.

    Returns
    -------
    list of LabelIssue
        Unsorted.
    tuple of LabelDoubt
        See `doubts_by_label`.
    """
    words = WordEvidence(examples)
    found: list[LabelIssue] = []
    about_spans: list[SpanDoubt] = []
    outside: list[float] = []
    for i, example in enumerate(examples):
        own = {
            name: pool_probabilities([member[i] for member in members])
            for name, members in by_learner.items()
        }
        pooled = pool_probabilities(list(own.values()))
        about_spans += _span_doubts(example, pooled, own)
        outside += _outside_gold(example, pooled)
        found += find_label_issues(
            example, pooled.spans, pooled.outside, words=words, number=i, by_learner=own
        )
    doubts = doubts_by_label(about_spans)
    doubted = {one.label for one in doubts if one.is_doubted}
    thresholds = {one.label: one.mean_probability for one in doubts}
    thresholds[NO_ENTITY] = float(np.mean(outside)) if outside else 1.0
    marked = [
        replace(
            one,
            is_label_doubted=label_of(one.gold) in doubted,
            threshold=thresholds.get(label_of(one.suggested), 1.0),
        )
        for one in found
    ]
    return marked, doubts


def rank_issues(issues: Iterable[LabelIssue]) -> list[LabelIssue]:
    """Sort issues: those for which most signals speak first, and of these the highest score.

    Those of a doubted label for which one signal alone speaks come after all others.

    Parameters
    ----------
    issues : iterable of LabelIssue
        In any order.
    """

    def key(one: LabelIssue) -> tuple[bool, int, float]:
        signals = len(one.signals)
        return one.is_label_doubted and signals < 2, -signals, -one.score

    return sorted(issues, key=key)


def apply_suggestions(spans: Sequence[Span], issues: Iterable[LabelIssue]) -> tuple[Span, ...]:
    """Replace gold by the alternatives of some issues.

    Parameters
    ----------
    spans : sequence of Span
        Gold of one example.
    issues : iterable of LabelIssue
        Issues of that example.

    Returns
    -------
    tuple of Span
        Sorted; spans that overlap an inserted one are removed.
    """
    kept = list(spans)
    for one in issues:
        new = one.suggested
        kept = [span for span in kept if span != one.gold]
        if new is not None:
            kept = [span for span in kept if not _overlap(span, new)]
            kept.append(Span(new.start, new.end, new.label))
    return tuple(sorted(kept, key=lambda span: span.start))


def label_of(span: Span | None) -> str:
    """Return the label of an annotation, "no entity" for None.

    Parameters
    ----------
    span : Span, optional
        The annotation.
    """
    return NO_ENTITY if span is None else span.label


def _outside_gold(example: Example, pooled: HeldOutProbabilities) -> list[float]:
    """Return the probability of no entity of each token that gold leaves outside."""
    return [
        float(probability)
        for token, probability in zip(example.tokens, pooled.outside, strict=True)
        if all(token.end <= span.start or span.end <= token.start for span in example.spans)
    ]


def _span_doubts(
    example: Example, pooled: HeldOutProbabilities, by_learner: Mapping[str, HeldOutProbabilities]
) -> Iterator[SpanDoubt]:
    """Yield what the learners say about each gold span, contradicted or not."""
    search = _Search(example, pooled, None, 0, by_learner)
    for span in example.spans:
        one = search.doubt(span)
        yield SpanDoubt(span.label, label_of(one.suggested), one.by_learner)


class _Search:
    """The search in one text: its probabilities, and what the other places say."""

    def __init__(
        self,
        example: Example,
        pooled: HeldOutProbabilities,
        words: WordEvidence | None,
        number: int,
        by_learner: Mapping[str, HeldOutProbabilities],
    ) -> None:
        self._example = example
        self._pooled = pooled
        self._words = words
        self._number = number
        self._by_learner = by_learner
        self._likely = {
            span: probability for span, probability in pooled.spans.items() if self._could_be(span)
        }

    def doubt(self, gold: Span) -> LabelIssue:
        """Compare a gold span with its likeliest alternative."""
        alternatives: list[Span | None] = [
            span
            for span, probability in self._likely.items()
            if span != gold
            and _overlap(span, gold)
            and (probability >= _MIN_ALTERNATIVE or _have_same_borders(span, gold))
        ]
        if self._words is not None:
            labels = sorted(self._words.labels_of(self._number, gold) - {gold.label})
            elsewhere = [Span(gold.start, gold.end, label) for label in labels]
            alternatives += [
                one for one in elsewhere if one not in self._likely and self._could_be(one)
            ]
        alternatives.append(None)
        return max((self._compare(gold, one) for one in alternatives), key=lambda one: one.margin)

    def missed_spans(self) -> list[LabelIssue]:
        """Compare likely spans with no entity where gold has none; of those that overlap, one."""
        free = [
            self._compare(None, span)
            for span, probability in self._likely.items()
            if probability >= _MIN_ALTERNATIVE
            and not any(_overlap(span, other) for other in self._example.spans)
        ]
        found: list[LabelIssue] = []
        for one in sorted(free, key=lambda one: -one.margin):
            taken: Collection[Span | None] = [other.suggested for other in found]
            if not any(_overlap(one.suggested, other) for other in taken):
                found.append(one)
        return found

    def _could_be(self, span: Span) -> bool:
        return self._example.labels is None or span.label in self._example.labels

    def _compare(self, gold: Span | None, suggested: Span | None) -> LabelIssue:
        by_learner = {
            name: (self._probability(one, gold, suggested), self._probability(one, suggested, gold))
            for name, one in self._by_learner.items()
        }
        counts = (
            NO_COUNTS if self._words is None else self._words.count(self._number, gold, suggested)
        )
        gold_probability, probability = counts.update(
            self._probability(self._pooled, gold, suggested),
            self._probability(self._pooled, suggested, gold),
        )
        return LabelIssue(
            self._example,
            _kind(gold, suggested),
            gold,
            suggested,
            gold_probability,
            probability,
            by_learner=by_learner,
            words=counts,
        )

    def _probability(
        self, given: HeldOutProbabilities, span: Span | None, other: Span | None
    ) -> float:
        """Return the probability of a span, or an upper bound of that of none at the other's."""
        if span is not None:
            return float(given.spans.get(span, 0.0))
        return min(
            (
                float(probability)
                for token, probability in zip(self._example.tokens, given.outside, strict=True)
                if other is not None and token.start < other.end and other.start < token.end
            ),
            default=0.0,
        )


def _kind(gold: Span | None, suggested: Span | None) -> LabelIssueKind:
    if gold is None:
        return "missed"
    if suggested is None:
        return "no_entity"
    return "other_label" if _have_same_borders(gold, suggested) else "other_borders"


def _have_same_borders(one: Span, other: Span) -> bool:
    return (one.start, one.end) == (other.start, other.end)


def _overlap(one: Span | None, other: Span | None) -> bool:
    if one is None or other is None:
        return False
    return one.start < other.end and other.start < one.end


# The signals of an issue.


def _learners_say(issue: LabelIssue) -> Iterator[str]:
    for_it = [name for name, (gold, new) in issue.by_learner.items() if gold < new]
    against = [name for name in issue.by_learner if name not in for_it]
    describe: Callable[[str], str] = lambda name: (  # noqa: E731 - used twice, in two lists
        f"{name} {issue.by_learner[name][0]:.2f} to {issue.by_learner[name][1]:.2f}"
    )
    if for_it:
        is_confident = "confidence" in issue.signals
        sure = f", as sure as usual ({issue.threshold:.2f})" if is_confident else ""
        yield f"models for {_wanted(issue)}: {', '.join(map(describe, for_it))}{sure}"
    if against:
        yield f"models for gold: {', '.join(map(describe, against))}"


def _words_say(issue: LabelIssue) -> Iterator[str]:
    counts = issue.words
    if counts.like_suggested:
        places = f"{counts.like_suggested:,} of {counts.total:,} other places"
        yield f"“{counts.words}” is {_wanted(issue)} at {places}"
    elif counts.total:
        places = f"{counts.like_gold:,} of {counts.total:,} other places"
        yield f"“{counts.words}” is annotated as here at {places}"


def _wanted(issue: LabelIssue) -> str:
    if issue.suggested is None:
        return NO_ENTITY
    start, end = issue.suggested.start, issue.suggested.end
    if issue.kind == "other_borders":
        return f"{issue.suggested.label} “{issue.example.text[start:end]}”"
    return issue.suggested.label
