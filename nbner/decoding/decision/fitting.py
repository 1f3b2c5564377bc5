"""Choice of temperature and threshold on held-out gold, and figures on texts not used for it.

The temperature is the one of `TEMPERATURES` with the highest likelihood of the
held-out gold: every span of a text, with its exact probability p, counts log p
where gold holds it and log (1 - p) where not. The threshold is the fixed point of
`span_sets.fixed_point_threshold` over the same texts' probabilities, which needs
no gold; or the lowest one that reaches a stated precision on the gold.

As for a calibration, the texts are assigned to folds, and each fold is decided by
what the others chose: no figure is counted over texts that chose what is counted.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from math import log, log1p
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from nbner._common.bootstrap import FloatArray
from nbner._common.format import plural
from nbner._common.progress import ProgressBar
from nbner.decoding.api import MAX_SPAN_LENGTH, span_probabilities_at
from nbner.decoding.decision.component import add_decision, without_decision
from nbner.decoding.decision.report import (
    EXPECTED_F,
    FILTERED,
    GREEDY,
    Decision,
    ThresholdScore,
)
from nbner.decoding.decision.span_sets import best_span_set, filter_spans, fixed_point_threshold
from nbner.errors import DataError
from nbner.nlp.fingerprint import fingerprint
from nbner.nlp.pipeline import clone_pipeline
from nbner.nlp.prediction import predict
from nbner.types import Example, Span

if TYPE_CHECKING:
    from spacy.language import Language

Spans: TypeAlias = tuple[Span, ...]

#: Those that are tried. A greedily trained model is too sure of itself, a regularized
#: random field may be too little. Likelihood alone would go beyond 2, where F may fall.
TEMPERATURES = (0.8, 1.0, 1.2, 1.4, 1.6, 1.8, 2.0)
MIN_GOLD_SPANS = 50  # of held-out gold, below which nothing is chosen
MIN_GOLD_TEXTS = 20
MIN_PREDICTED_SPANS = 20  # over which a precision is counted
FOLDS = 5
THRESHOLDS = tuple(round(0.01 * i, 2) for i in range(1, 100))
MIN_LISTED = 1e-4  # probability of the spans that are summed over


@dataclass(frozen=True, slots=True)
class HeldOutGold:
    """Held-out texts with their gold, and the labels that count in each.

    Parameters
    ----------
    examples : sequence of Example
        Tokenized, with complete gold.
    """

    examples: Sequence[Example]
    n_spans: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "n_spans", sum(len(one.spans) for one in self.examples))

    @property
    def is_large_enough(self) -> bool:
        """Whether it has `MIN_GOLD_TEXTS` texts and `MIN_GOLD_SPANS` spans."""
        return len(self.examples) >= MIN_GOLD_TEXTS and self.n_spans >= MIN_GOLD_SPANS

    def check_size(self, source: str) -> None:
        """Raise an error where there is too little gold to choose anything on.

        Parameters
        ----------
        source : str
            Where the gold is from, in words.

        Raises
        ------
        DataError
            It has fewer than `MIN_GOLD_TEXTS` texts or `MIN_GOLD_SPANS` spans.
        """
        texts, spans = len(self.examples), self.n_spans
        if self.is_large_enough:
            return
        raise DataError(
            f"{source}: {plural(spans, 'gold span')} in {plural(texts, 'held-out text')} are "
            f"too few to choose a "
            f"decision on, which needs {MIN_GOLD_SPANS} spans in {MIN_GOLD_TEXTS} texts that the "
            "model was not trained on",
            remedy="Label more there with session.make_gold(split=...), or add gold: "
            "session.add(..., split=...)",
        )

    def counts(self, i: int, spans: Collection[Span]) -> tuple[int, int, int]:
        """Count true positives, false positives and false negatives of one text.

        Parameters
        ----------
        i : int
            Index of the text.
        spans : collection of Span
            Predicted spans; labels that did not exist when it was answered are not
            counted.
        """
        gold, allowed = set(self.examples[i].spans), self.examples[i].labels
        found = {span for span in spans if allowed is None or span.label in allowed}
        hits = len(found & gold)
        return hits, len(found) - hits, len(gold) - hits


@dataclass(frozen=True, slots=True)
class SpanTables:
    """Span probabilities of all texts at each temperature, and the counts that follow from them.

    Parameters
    ----------
    gold : HeldOutGold
        The texts.
    greedy : sequence of tuples of Span
        Spans that greedy decoding finds in each text.
    tables : mapping
        Temperature to one mapping of spans to probabilities a text.
    likelihoods : mapping
        Temperature to the log-likelihood of each text's gold, in nats.
    """

    gold: HeldOutGold
    greedy: Sequence[Spans]
    tables: Mapping[float, Sequence[Mapping[Span, float]]]
    likelihoods: Mapping[float, FloatArray]
    _counts: dict[tuple[str, float], FloatArray] = field(default_factory=dict, init=False)

    def temperature(self, texts: Sequence[int]) -> float:
        """Return the temperature under which the gold of some texts is likeliest.

        Parameters
        ----------
        texts : sequence of int
            Indices of the texts.
        """
        return max(self.likelihoods, key=lambda one: float(self.likelihoods[one][texts].sum()))

    def scores(self, rule: str, temperature: float, texts: Sequence[int]) -> list[ThresholdScore]:
        """Score a rule over some texts, at each of `THRESHOLDS`.

        Parameters
        ----------
        rule : {"expected_f", "greedy, filtered"}
            The span sets, or the greedy spans of at least some probability.
        temperature : float
            Of the probabilities.
        texts : sequence of int
            Indices of the texts.
        """
        key = (rule, temperature)
        if key not in self._counts:
            self._counts[key] = np.array(
                [self._count(rule, i, table) for i, table in enumerate(self.tables[temperature])]
            )
        sums = self._counts[key][texts].sum(axis=0).astype(int).tolist()
        return [
            ThresholdScore.from_counts(threshold, *counts)
            for threshold, counts in zip(THRESHOLDS, sums, strict=True)
        ]

    def _count(self, rule: str, i: int, table: Mapping[Span, float]) -> list[tuple[int, int, int]]:
        """Count hits and errors of one text at each threshold."""
        found: list[tuple[int, int, int]] = []
        chosen: Spans | None = None
        rest: Mapping[Span, float] = table
        for threshold in THRESHOLDS:
            if rule == FILTERED:
                now = filter_spans(self.greedy[i], table, threshold)
            else:
                rest = {span: p for span, p in rest.items() if p > threshold}
                now = best_span_set(rest, threshold)
            # The same spans, as at most steps, are counted once.
            found.append(found[-1] if now == chosen else self.gold.counts(i, now))
            chosen = now
        return found


@dataclass(frozen=True, slots=True)
class FittedSettings:
    """Settings of a decision that were fitted on some of the texts.

    Parameters
    ----------
    temperature, threshold : float
        Of the decision.
    filter_threshold : float
        Lowest probability of a greedy span in the plain filter.
    """

    temperature: float
    threshold: float
    filter_threshold: float


def fit_decision(
    nlp: Language,
    examples: Sequence[Example],
    *,
    min_precision: float | None = None,
    source: str = "dev",
    seed: int = 0,
    progress: bool = False,
) -> tuple[Language, Decision]:
    """Choose temperature and threshold on held-out gold, and measure what they change.

    Parameters
    ----------
    nlp : Language
        A trained pipeline; not changed. A decision that it has is left out.
    examples : sequence of Example
        Tokenized, with complete gold, which the model was not trained on.
    min_precision : float, optional
        Precision to reach, above 0 and below 1; by default the threshold is the
        fixed point of the expected F.
    source : str
        Where the gold is from, for the report.
    seed : int
        Of the folds and of the bootstrap.
    progress : bool
        Show a bar.

    Returns
    -------
    (Language, Decision)
        A copy with the decision, and the report.

    Raises
    ------
    DataError
        There is too little gold, or no threshold reaches the precision.
    ModelError
        The pipeline has no trained recognizer.
    """
    if min_precision is not None and not 0 < min_precision < 1:
        raise DataError(
            f"min_precision={min_precision} is not above 0 and below 1",
            remedy="Give a share of right spans, such as min_precision=0.9",
        )
    gold = HeldOutGold(examples)
    gold.check_size(source)
    greedy_nlp = without_decision(nlp)
    everything = range(len(examples))
    decided_nlp = clone_pipeline(greedy_nlp)
    with ProgressBar(3 * len(examples), "deciding", "texts", visible=progress) as bar:
        greedy = list(bar.wrap(predict(greedy_nlp, examples)))
        tables = _span_tables(greedy_nlp, gold, greedy, bar)
        chosen = _choose(tables, everything, min_precision)
        component = add_decision(
            decided_nlp, threshold=chosen.threshold, temperature=chosen.temperature
        )
        decided: list[Spans] = [()] * len(examples)
        filtered = list(decided)
        for inside, outside in _folds(len(examples), seed):
            own = _choose(tables, outside, min_precision, strict=False)
            component.threshold, component.temperature = own.threshold, own.temperature
            found = bar.wrap(predict(decided_nlp, [examples[i] for i in inside]))
            for i, spans in zip(inside, found, strict=True):
                decided[i] = spans
                table = tables.tables[own.temperature][i]
                filtered[i] = filter_spans(greedy[i], table, own.filter_threshold)
    component.threshold, component.temperature = chosen.threshold, chosen.temperature
    curve = (tables.scores(one, chosen.temperature, everything) for one in (EXPECTED_F, FILTERED))
    report = Decision.measure(
        {GREEDY: greedy, EXPECTED_F: decided, FILTERED: filtered},
        count=gold.counts,
        gold=[one.spans for one in examples],
        thresholds=(None, chosen.threshold, chosen.filter_threshold),
        temperature=chosen.temperature,
        min_precision=min_precision,
        curve=tuple(zip(*curve, strict=True)),
        source=source,
        seed=seed,
        fingerprint=fingerprint(decided_nlp),
    )
    return decided_nlp, report


def _span_tables(
    nlp: Language, gold: HeldOutGold, greedy: Sequence[Spans], bar: ProgressBar
) -> SpanTables:
    computed = span_probabilities_at(
        nlp,
        gold.examples,
        TEMPERATURES,
        max_span_length=MAX_SPAN_LENGTH,
        min_probability=MIN_LISTED,
    )
    by_text = [[one.spans for one in every] for every in bar.wrap(computed)]
    tables = dict(zip(TEMPERATURES, zip(*by_text, strict=True), strict=True))
    likelihoods = {
        temperature: np.array(
            [log_likelihood(*one) for one in zip(gold.examples, found, strict=True)]
        )
        for temperature, found in tables.items()
    }
    return SpanTables(gold, greedy, tables, likelihoods)


def log_likelihood(example: Example, probabilities: Mapping[Span, float]) -> float:
    """Return the log-likelihood of a text's gold under its span probabilities, in nats.

    Every span counts by itself: log p where it is gold, log (1 - p) where it is not.

    Parameters
    ----------
    example : Example
        With gold. Labels that did not exist when it was answered are not counted.
    probabilities : mapping
        Span to probability; gold spans that are not in it count as `MIN_LISTED`.
    """
    gold = set(example.spans)
    least, most = log(MIN_LISTED), 1 - 1e-9
    total = sum(least for span in gold if span not in probabilities)
    for span, probability in probabilities.items():
        if span in gold:
            total += log(probability)
        elif example.labels is None or span.label in example.labels:
            total += log1p(-min(probability, most))
    return total


def _folds(size: int, seed: int) -> list[tuple[list[int], list[int]]]:
    """Assign texts to folds; return for each the indices inside and outside of it."""
    fold = np.random.default_rng(seed).permutation(size) % FOLDS
    return [
        (np.flatnonzero(fold == number).tolist(), np.flatnonzero(fold != number).tolist())
        for number in range(FOLDS)
    ]


def _choose(
    tables: SpanTables, texts: Sequence[int], min_precision: float | None, *, strict: bool = True
) -> FittedSettings:
    temperature = tables.temperature(texts)
    if min_precision is None:
        table = tables.tables[temperature]
        threshold = fixed_point_threshold([table[i] for i in texts])
    else:
        scores = tables.scores(EXPECTED_F, temperature, texts)
        threshold = _threshold_for(scores, min_precision, strict=strict)
    filters = tables.scores(FILTERED, temperature, texts)
    best = max(filters, key=lambda one: (one.f, -one.threshold))
    return FittedSettings(temperature, round(threshold, 6), best.threshold)


def _threshold_for(
    scores: Sequence[ThresholdScore], min_precision: float, *, strict: bool
) -> float:
    """Return the lowest threshold that reaches a precision; the nearest one if not strict."""
    counted = [one for one in scores if one.n >= MIN_PREDICTED_SPANS]
    reached = next((one for one in counted if one.precision >= min_precision), None)
    if reached is not None:
        return reached.threshold
    best = max(counted, key=lambda one: one.precision, default=None)
    if strict:
        most = (
            f"no threshold leaves {MIN_PREDICTED_SPANS} predicted spans to count it over"
            if best is None
            else f"the highest is {best.precision:.3f}, at a threshold of {best.threshold}, over "
            f"{plural(best.n, 'predicted span')} (those with fewer than {MIN_PREDICTED_SPANS} "
            f"do not count)"
        )
        raise DataError(
            f"a precision of {min_precision} is not reached on the held-out gold: {most}",
            field="min_precision",
            remedy="Ask for a lower one, or add gold and train again",
        )
    return THRESHOLDS[-1] if best is None else best.threshold
