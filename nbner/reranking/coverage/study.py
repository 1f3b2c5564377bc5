"""Empirical coverage of conformal sets: each text under thresholds of other texts.

The held-out texts are assigned to folds at random, and a fold's sets come from thresholds
that the other folds calibrate; a quarter of those, drawn at random, chooses the penalty of
the regularized sets and calibrates nothing of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import nan
from numbers import Real
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from nbner._common.arguments import is_number
from nbner._common.bootstrap import (
    Bootstrap,
    Estimate,
    FloatArray,
    safe_divide,
    wilson_interval,
)
from nbner._common.progress import ProgressBar
from nbner.decoding import api
from nbner.decoding.arrays import BoolArray, IntArray
from nbner.errors import DataError
from nbner.evaluation.k_best_scores import score_candidates
from nbner.nlp.calibration_meta import load_list_temperature
from nbner.reranking.coverage.conformal import (
    AnalysisThreshold,
    ProbabilityThreshold,
    fit_penalty,
    fit_probability_threshold,
    fit_threshold,
    min_calibration_texts,
    missed_threshold,
    wrong_threshold,
)
from nbner.types import Example, Parse

if TYPE_CHECKING:
    from spacy.language import Language

WIDTH = 256
FOLDS = 5
TUNING_FRACTION = 0.25
_SLACK = 16  # texts by which rounding moves the number that a risk needs
_MAX_COUNTED = 10**9  # texts up to which that number is exact and said
_HIGHER_RISKS = (0.05, 0.1, 0.2, 0.3)  # that a message proposes
#: Decoders whose probabilities are normalized over all analyses.
DECODERS = ("exact", "exact_calibrated", "exact_raw")
MIN_LISTED = 1e-4  # probability of the spans that are looked at
SetMethod: TypeAlias = Literal["cumulative", "regularized", "probability"]
CUMULATIVE: SetMethod = "cumulative"
REGULARIZED: SetMethod = "regularized"
PROBABILITY: SetMethod = "probability"
SET_METHODS = (CUMULATIVE, REGULARIZED, PROBABILITY)
#: A text has one analysis as soon as that is probable enough. The regularized sets are
#: smaller on average, but may have none of one analysis, or all of a size, as the texts
#: that chose their penalty fell.
DEFAULT_METHOD: SetMethod = CUMULATIVE
MISSED, WRONG = "missed spans", "wrong spans"
METHODS = (*SET_METHODS, MISSED, WRONG)
MANY_ENTITIES = 4
MAX_CHOICES = 9  # analyses that somebody is shown to choose from: one key each
SET_SIZE = "set size"
SINGLE, FEW, MANY, INCOMPLETE = (
    "1 analysis",
    f"2 to {MAX_CHOICES} analyses",
    f"{MAX_CHOICES + 1} or more analyses",
    "incomplete list",
)


@dataclass(frozen=True, slots=True)
class HeldOutText:
    """One held-out text: its list, its span probabilities, and what is right in them.

    Parameters
    ----------
    list_probabilities : array
        Of the analyses in its list, descending.
    gold_rank : int, optional
        Rank of gold, from 1; None where it is not in the list.
    gold_score : float
        Minus the log-probability of the gold analysis, in nats, listed or not; infinite
        where it is no analysis of the model.
    span_probabilities : array
        Of its candidate spans.
    span_is_right : array of bool
        Whether each is in gold.
    span_labels : tuple of str
        Their labels.
    gold_probabilities : array
        Of the gold spans; 0 where one is not listed.
    gold_labels : tuple of str
        Their labels.
    n_tokens : int
        Length of the text.
    """

    list_probabilities: FloatArray
    gold_rank: int | None
    gold_score: float
    span_probabilities: FloatArray
    span_is_right: BoolArray
    span_labels: tuple[str, ...]
    gold_probabilities: FloatArray
    gold_labels: tuple[str, ...]
    n_tokens: int


@dataclass(frozen=True, slots=True)
class Thresholds:
    """All thresholds of one level.

    Parameters
    ----------
    cumulative, regularized : AnalysisThreshold
        Of sets of analyses.
    probability : ProbabilityThreshold
        Of sets by the probability of each analysis.
    missed, wrong : float, optional
        Of spans; None where the level cannot be reached.
    """

    cumulative: AnalysisThreshold
    regularized: AnalysisThreshold
    probability: ProbabilityThreshold
    missed: float | None
    wrong: float | None

    def of(self, method: SetMethod) -> AnalysisThreshold | ProbabilityThreshold:
        """Return the threshold of sets of analyses of a method.

        Parameters
        ----------
        method : {"cumulative", "regularized", "probability"}
            Which sets.

        Raises
        ------
        DataError
            The method is none of these.
        """
        check_method(method)
        if method == PROBABILITY:
            return self.probability
        return self.cumulative if method == CUMULATIVE else self.regularized


@dataclass(frozen=True, slots=True)
class CoverageRow:
    """Empirical coverage over one group of texts.

    Parameters
    ----------
    method : str
        One of `METHODS`.
    group, value : str
        "all", "length", "entities", "label" or "set size", and which of it.
    n : int
        Number of texts.
    coverage : Estimate
        Fraction of the texts whose set holds gold; for spans 1 minus the mean share
        of missed or wrong ones.
    listed : float
        Fraction of the texts whose gold is among the listed analyses of the set:
        below ``coverage`` where sets by probability go on behind the list. NaN for
        spans.
    size : Estimate
        Mean number of listed analyses, or of spans, in a set.
    median_size : float
        Its median.
    single : float
        Fraction of the texts whose set is one analysis and complete; NaN for spans.
    incomplete : float
        Fraction of the texts whose list stops before the level is reached, or before
        the set by probability ends; for spans of texts without a threshold.
    """

    method: str
    group: str
    value: str
    n: int
    coverage: Estimate
    listed: float
    size: Estimate
    median_size: float
    single: float
    incomplete: float


@dataclass(frozen=True, slots=True)
class _Outcome:
    """Result of one method on one text."""

    covered: float
    size: int
    is_complete: bool
    is_listed: bool = True


def check_method(method: str) -> None:
    """Raise where a method is none of sets of analyses.

    Parameters
    ----------
    method : str
        The method.

    Raises
    ------
    DataError
        It names the methods.
    """
    if method not in SET_METHODS:
        raise DataError(
            f"there are no {method!r} sets of analyses",
            field="method",
            remedy=f"Use {CUMULATIVE!r}, {REGULARIZED!r} or {PROBABILITY!r}",
        )


def check_alpha(alpha: Real | float) -> float:
    """Return an accepted risk as a float; raise where it is none.

    Parameters
    ----------
    alpha : number
        Accepted risk.

    Raises
    ------
    DataError
        It is not a number between 0 and 1, both left out.
    """
    risk = float(alpha) if is_number(alpha) and 0 < alpha < 1 else 0.0
    if not 0 < risk < 1:  # the float of a fraction may be either
        raise DataError(
            f"alpha={alpha!r:.80} is not between 0 and 1",
            field="alpha",
            remedy="Give the risk that you accept, such as alpha=0.05 for sets that hold gold in "
            "95 % of the texts",
        )
    return risk


def needed_texts(alpha: float) -> int:
    """Return the fewest held-out texts for thresholds of a level in every fold.

    Parameters
    ----------
    alpha : float
        Accepted risk, between 0 and 1.
    """
    least = min_calibration_texts(alpha)
    # Near the solution, so that a tiny risk does not count up for minutes.
    share = (1 - Fraction(1, FOLDS)) * (1 - Fraction(TUNING_FRACTION))
    count = max(least, int(least / share) - _SLACK)
    if least > _MAX_COUNTED:
        return count
    while _smallest_calibration(count) < least:
        count += 1
    return count


def _smallest_calibration(n_texts: int) -> int:
    others = n_texts - -(-n_texts // FOLDS)
    return others - _tuning_size(others)


def _tuning_size(n_texts: int) -> int:
    return max(1, round(TUNING_FRACTION * n_texts))


def check_size(n_texts: int, alpha: float, *, split: str = "dev") -> None:
    """Raise an error where there are too few texts for a level.

    Parameters
    ----------
    n_texts : int
        Number of held-out texts.
    alpha : float
        Accepted risk, between 0 and 1.
    split : str
        Where to label more.

    Raises
    ------
    DataError
        There are fewer than `needed_texts`. The message says how many are needed.
    """
    needed = needed_texts(alpha)
    if n_texts >= needed:
        return
    others = [risk for risk in _HIGHER_RISKS if alpha < risk]
    if needed > _MAX_COUNTED:
        raise DataError(
            f"alpha={alpha:g} is too small a risk to calibrate: it needs more than "
            f"{_MAX_COUNTED:,} held-out texts with gold, and there are {n_texts:,}",
            field="alpha",
            remedy=f"Accept a higher risk, such as alpha={others[0]}, which needs "
            f"{needed_texts(others[0]):,} of them",
        )
    enough = [risk for risk in others if n_texts >= needed_texts(risk)]
    accept = f", or accept a higher risk, such as alpha={enough[0]}" if enough else ""
    raise DataError(
        f"sets that hold gold in {100 * (1 - alpha):.12g} % of the texts need at least "
        f"{needed:,} held-out texts with gold to calibrate on, and there are {n_texts:,}",
        field="alpha",
        remedy=f"Label {needed - n_texts:,} more that are drawn at random, such as with "
        f"session.make_gold(split={split!r}){accept}",
    )


def held_out_texts(
    nlp: Language,
    gold: Sequence[Example],
    *,
    width: int = WIDTH,
    decoder: str = "exact",
    progress: bool = False,
) -> Iterator[HeldOutText]:
    """Yield the lists and span probabilities of held-out texts beside their gold.

    Parameters
    ----------
    nlp : Language
        A trained pipeline.
    gold : sequence of Example
        Tokenized examples with complete gold.
    width : int
        Length of the lists.
    decoder : {"exact", "exact_calibrated", "exact_raw"}
        The lists, and the temperature of the span probabilities.
    progress : bool
        Show a bar.
    """
    limit = api.MAX_SPAN_LENGTH
    lists = api.parses(nlp, gold, width, decoder=decoder, max_span_length=limit)
    fitted = load_list_temperature(nlp) if decoder == "exact_calibrated" else None
    tables = api.span_probabilities(
        nlp,
        gold,
        max_span_length=limit,
        temperature=fitted or 1.0,
        min_probability=MIN_LISTED,
    )
    lattices = api.lattices(
        nlp,
        gold,
        max_span_length=limit,
        temperature=fitted or 1.0,
        normalized=decoder != "exact_raw",
    )
    with ProgressBar(len(gold), "calibrating sets", "texts", visible=progress) as bar:
        for example, found, table, lattice in zip(
            gold, bar.wrap(lists), tables, lattices, strict=True
        ):
            right, allowed = set(example.spans), example.labels
            spans = [
                (span, p)
                for span, p in table.spans.items()
                if allowed is None or span.label in allowed
            ]
            yield HeldOutText(
                list_probabilities=_probabilities(found),
                gold_rank=score_candidates(
                    [one.spans for one in found], example.spans, allowed
                ).gold_rank,
                gold_score=-lattice.log_probability_of(example.spans),
                span_probabilities=np.array([p for _, p in spans], np.float64),
                span_is_right=np.array([span in right for span, _ in spans], np.bool_),
                span_labels=tuple(span.label for span, _ in spans),
                gold_probabilities=np.array(
                    [table.probability_of(span) for span in example.spans], np.float64
                ),
                gold_labels=tuple(span.label for span in example.spans),
                n_tokens=len(table.token_axis),
            )


def _probabilities(found: Iterable[Parse]) -> FloatArray:
    return np.array([one.probability for one in found], np.float64)


def fit_thresholds(
    texts: Sequence[HeldOutText], alpha: float, *, width: int, seed: int = 0
) -> Thresholds:
    """Fit all thresholds of a level over calibration texts.

    Parameters
    ----------
    texts : sequence of HeldOutText
        Drawn as the texts will be that the sets are for.
    alpha : float
        Accepted risk, between 0 and 1.
    width : int
        Length of the lists that was asked for.
    seed : int
        Seed of the texts that choose the penalty.
    """
    order = np.random.default_rng(seed).permutation(len(texts))
    tuning, rest = np.split(order, [_tuning_size(len(texts))])
    penalty = fit_penalty(*_lists(texts, tuning), alpha, width)
    return Thresholds(
        cumulative=fit_threshold(*_lists(texts, order), alpha),
        regularized=fit_threshold(*_lists(texts, rest), alpha, penalty),
        probability=fit_probability_threshold(
            *_lists(texts, order), [texts[i].gold_score for i in order], alpha
        ),
        missed=missed_threshold([one.gold_probabilities for one in texts], alpha),
        wrong=wrong_threshold(
            [(one.span_probabilities, one.span_is_right) for one in texts], alpha
        ),
    )


def _lists(
    texts: Sequence[HeldOutText], chosen: IntArray
) -> tuple[list[FloatArray], list[int | None]]:
    part = [texts[i] for i in chosen]
    return [one.list_probabilities for one in part], [one.gold_rank for one in part]


def coverage_rows(
    texts: Sequence[HeldOutText], alpha: float, *, width: int, seed: int = 0
) -> list[CoverageRow]:
    """Compute the empirical coverage by length, number of entities and label.

    Parameters
    ----------
    texts : sequence of HeldOutText
        At least `needed_texts` of them.
    alpha : float
        Accepted risk, between 0 and 1.
    width : int
        Length of the lists that was asked for.
    seed : int
        Seed of folds, tuning texts and bootstrap.

    Raises
    ------
    DataError
        There are too few texts for the level.
    """
    check_size(len(texts), alpha)
    fold = np.random.default_rng(seed).permutation(len(texts)) % FOLDS
    used: list[Thresholds | None] = [None] * len(texts)
    for number in range(FOLDS):
        others = [one for one, own in zip(texts, fold, strict=True) if own != number]
        fitted = fit_thresholds(others, alpha, width=width, seed=seed)
        for i in np.flatnonzero(fold == number):
            used[i] = fitted
    pairs = [(one, own) for one, own in zip(texts, used, strict=True) if own is not None]
    rows: list[CoverageRow] = []
    for method in METHODS:
        if method in SET_METHODS:
            rows += _rows_by_size(method, pairs, width, seed)
        for group, value, chosen, label in _groups(texts):
            found = [
                outcome
                for i in chosen
                if (outcome := _outcome(method, *pairs[i], width, label)) is not None
            ]
            if found:
                rows.append(_row(method, group, value, found, seed))
    return rows


def _groups(
    texts: Sequence[HeldOutText],
) -> Iterator[tuple[str, str, list[int], str | None]]:
    """Yield group, value, the indices of its texts, and the label where it is of one."""
    everything = range(len(texts))
    yield "all", "all", list(everything), None
    lengths = np.array([one.n_tokens for one in texts])
    edges = np.unique(np.quantile(lengths, [0, 0.25, 0.5, 0.75, 1], method="lower"))
    for low, high in zip(edges, [*(edges[1:-1] - 1), edges[-1]], strict=False):
        inside = [i for i in everything if low <= lengths[i] <= high]
        yield "length", f"{low} to {high} tokens" if high > low else f"{low} tokens", inside, None
    for count in range(MANY_ENTITIES + 1):
        many = count == MANY_ENTITIES
        inside = [i for i in everything if min(len(texts[i].gold_labels), MANY_ENTITIES) == count]
        yield "entities", f"{count} or more" if many else f"{count}", inside, None
    for label in sorted({label for one in texts for label in one.gold_labels}):
        yield "label", label, list(everything), label


def _rows_by_size(
    method: str, pairs: Sequence[tuple[HeldOutText, Thresholds]], width: int, seed: int
) -> Iterator[CoverageRow]:
    """Yield the coverage of sets of each size: the level holds over all sizes together alone."""
    found: dict[str, list[_Outcome]] = {SINGLE: [], FEW: [], MANY: [], INCOMPLETE: []}
    for text, own in pairs:
        outcome = _outcome(method, text, own, width, None)
        if outcome is not None:
            found[size_group(outcome.size, is_complete=outcome.is_complete)].append(outcome)
    for value, outcomes in found.items():
        if outcomes:
            yield _row(method, SET_SIZE, value, outcomes, seed)


def size_group(size: int, *, is_complete: bool) -> str:
    """Return the group of a set of analyses by its size, as a review shows it.

    Parameters
    ----------
    size : int
        Number of analyses in the set.
    is_complete : bool
        Whether the list reaches the level.
    """
    if not is_complete:
        return INCOMPLETE
    return SINGLE if size == 1 else FEW if size <= MAX_CHOICES else MANY


def _outcome(
    method: str, text: HeldOutText, own: Thresholds, width: int, label: str | None
) -> _Outcome | None:
    """Return what a method does with a text; None where it has nothing of a label."""
    if method in SET_METHODS:
        if label is not None and label not in text.gold_labels:
            return None
        threshold = own.of(method)
        size, is_complete = threshold.set_size(text.list_probabilities, width)
        is_in = threshold.holds(text.list_probabilities, text.gold_rank, text.gold_score)
        is_listed = text.gold_rank is not None and text.gold_rank <= size
        return _Outcome(float(is_in), size, is_complete, is_listed)
    if method == MISSED:
        return _missed(text, own.missed, _of_label(label))
    return _wrong(text, own.wrong, _of_label(label))


def _of_label(label: str | None) -> Callable[[str], bool]:
    return lambda one: label is None or one == label


def _missed(
    text: HeldOutText, threshold: float | None, counts: Callable[[str], bool]
) -> _Outcome | None:
    # Without a threshold every listed span is a candidate.
    least = threshold or 0.0
    gold = np.array([counts(one) for one in text.gold_labels], np.bool_)
    listed = np.array([counts(one) for one in text.span_labels], np.bool_)
    if not gold.any() and not counts(""):
        return None
    found = (text.gold_probabilities >= max(least, MIN_LISTED))[gold]
    size = int((text.span_probabilities[listed] >= least).sum())
    return _Outcome(float(found.mean()) if len(found) else 1.0, size, threshold is not None)


def _wrong(
    text: HeldOutText, threshold: float | None, counts: Callable[[str], bool]
) -> _Outcome | None:
    listed = np.array([counts(one) for one in text.span_labels], np.bool_)
    # Without a threshold nothing is accepted.
    taken = listed & (text.span_probabilities > (1.0 if threshold is None else threshold))
    if not taken.any() and not counts(""):
        return None
    right = text.span_is_right[taken]
    return _Outcome(
        float(right.mean()) if len(right) else 1.0, int(taken.sum()), threshold is not None
    )


def _row(method: str, group: str, value: str, found: Sequence[_Outcome], seed: int) -> CoverageRow:
    covered = np.array([one.covered for one in found])
    sizes = np.array([one.size for one in found], np.float64)
    complete = np.array([one.is_complete for one in found])
    resamples = Bootstrap(np.stack([covered, sizes, np.ones(len(found))], axis=1), seed=seed)
    share = resamples.estimate(lambda sums: safe_divide(sums[..., 0], sums[..., 2]))
    analyses = method in SET_METHODS
    if analyses:
        # Of a fraction near 1 the bootstrap knows too little.
        share = Estimate(share.value, *wilson_interval(int(covered.sum()), len(found)))
    return CoverageRow(
        method=method,
        group=group,
        value=value,
        n=len(found),
        coverage=share,
        listed=float(np.mean([one.is_listed for one in found])) if analyses else nan,
        size=resamples.estimate(lambda sums: safe_divide(sums[..., 1], sums[..., 2])),
        median_size=float(np.median(sizes)),
        single=float(((sizes == 1) & complete).mean()) if analyses else nan,
        incomplete=float((~complete).mean()),
    )
