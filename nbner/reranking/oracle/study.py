"""Oracle study of k best lists: F, over all labels or per label, of a perfect choice.

Definitions
-----------
- Spans are correct if start, end and label equal those of a gold span, as in
  `evaluation.scores.score`; a predicted span whose label could not be
  annotated when the example was answered is not counted.
- The *best* analysis of a list is the one with the highest F against gold; of
  several the one with the fewest errors (false positives and false negatives);
  of several the first. If neither gold nor the analysis has a span, the
  analysis is perfect. If gold has none, the analysis with the fewest spans is
  best.
- ``oracle_f`` is the micro-averaged F of the best analyses: counts are summed
  over all texts, then F is computed. A perfect reranker that decides every text
  by its own F would reach it. ``top1_f`` is the same for the first analyses.
  Texts without entities contribute nothing but their false positives.
- ``first_is_best``: fraction of texts in which no other analysis of the list
  beats the first, by F and then by errors. Ties go to the first.
- ``gold_in_list``: fraction of texts whose complete gold is an analysis of the
  list; ``mean_gold_rank`` is its mean rank, from 1, over those texts.
- A text with fewer analyses than the width has all of them in its list.
- Gold that cannot be in any list (a label that the model does not know, a span
  that is not aligned with tokens) is counted like any other; its number is
  reported.

The name: best-in-list accuracy, ``oracle_f``, as in Charniak and Johnson
(2005). The training oracle of transition systems is unrelated.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from numbers import Integral
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from nbner import registry
from nbner._common.bootstrap import (
    Bootstrap,
    Estimate,
    FloatArray,
    difference,
    micro_f_at,
    safe_divide,
)
from nbner.decoding.api import MAX_WIDTH
from nbner.errors import DataError
from nbner.evaluation.k_best_scores import CandidateListScore, score_candidates
from nbner.types import Span

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Columns of a width's counts, text by text.
_BEST, _FIRST = slice(0, 3), slice(3, 6)
_FIRST_IS_BEST, _IN_LIST, _RANK = 6, 7, 8
_COLUMNS = 9


@dataclass(frozen=True, slots=True)
class OraclePoint:
    """Figures of one decoder at one width; fractions are between 0 and 1.

    Parameters
    ----------
    decoder : str
        Name of the decoder.
    width : int
        Length of the lists.
    n : int
        Number of texts.
    oracle_f, top1_f : Estimate
        F of the best and of the first analyses.
    first_is_best, gold_in_list, mean_gold_rank : Estimate
        See the definitions of this module.
    gain : Estimate
        ``oracle_f - top1_f``, its interval over the same bootstrap samples.
    """

    decoder: str
    width: int
    n: int
    oracle_f: Estimate
    top1_f: Estimate
    first_is_best: Estimate
    gold_in_list: Estimate
    mean_gold_rank: Estimate
    gain: Estimate


def oracle_points(
    judgements: Sequence[CandidateListScore],
    widths: Sequence[int],
    decoder: str,
    *,
    repeats: int = 1000,
    seed: int = 0,
) -> list[OraclePoint]:
    """Aggregate the scores of lists at each width; a shorter list is a prefix of a longer one.

    Parameters
    ----------
    judgements : sequence of CandidateListScore
        One a text, of lists that are complete or at least as long as the largest
        width.
    widths : sequence of int
        Lengths of the lists, ascending.
    decoder : str
        Name of the decoder.
    repeats : int
        Number of bootstrap samples.
    seed : int
        Seed of the bootstrap.
    """
    counts = [_counts(judgements, width) for width in widths]
    if not counts:
        return []
    resamples = Bootstrap(np.concatenate(counts, axis=1), n_resamples=repeats, seed=seed)
    return [
        _point(resamples, column * _COLUMNS, decoder, width, len(judgements))
        for column, width in enumerate(widths)
    ]


@dataclass(frozen=True, slots=True)
class OracleStudy:
    """One decoder's lists scored against gold, with the analyses for figures per label.

    Parameters
    ----------
    points : tuple of OraclePoint
        One a width.
    first : tuple of sequences of Span
        The first analysis of each text.
    best : mapping
        Width to the best analysis of each text.
    judgements : tuple of CandidateListScore
        The score of each text's list.
    """

    points: tuple[OraclePoint, ...]
    first: tuple[Sequence[Span], ...]
    best: Mapping[int, tuple[Sequence[Span], ...]]
    judgements: tuple[CandidateListScore, ...]


def run_study(
    lists: Iterable[Sequence[Sequence[Span]]],
    gold: Sequence[Sequence[Span]],
    *,
    widths: Sequence[int],
    decoder: str,
    allowed_labels: Sequence[Collection[str] | None] | None = None,
    seed: int = 0,
) -> OracleStudy:
    """Score the lists of many texts against gold, at each width.

    Parameters
    ----------
    lists : iterable of lists of analyses
        One list a text, best first, complete or at least as long as the largest
        width. Consumed one by one, so that they need not all be in memory.
    gold : sequence of sequences of Span
        Gold entities of each text, in the same order.
    widths : sequence of int
        Lengths of the lists, ascending; see `check_widths`.
    decoder : str
        Name of the decoder.
    allowed_labels : sequence, optional
        For each text the labels that could be annotated, or None for all.
    seed : int
        Seed of the bootstrap.

    Raises
    ------
    ValueError
        The numbers of lists and of gold texts differ.
    """
    allowed = [None] * len(gold) if allowed_labels is None else allowed_labels
    judgements: list[CandidateListScore] = []
    first: list[Sequence[Span]] = []
    best: dict[int, list[Sequence[Span]]] = {width: [] for width in widths}
    for found, right, may_be in zip(lists, gold, allowed, strict=True):
        analyses = found[: widths[-1]] or [()]
        one = score_candidates(analyses, right, may_be)
        judgements.append(one)
        first.append(analyses[0])
        for width, chosen in best.items():
            chosen.append(analyses[one.improvements[one.best_within(width)][0] - 1])
    return OracleStudy(
        points=tuple(oracle_points(judgements, widths, decoder, seed=seed)),
        first=tuple(first),
        best={width: tuple(chosen) for width, chosen in best.items()},
        judgements=tuple(judgements),
    )


def _counts(judgements: Sequence[CandidateListScore], width: int) -> NDArray[np.int64]:
    table = np.zeros((len(judgements), _COLUMNS), dtype=np.int64)
    for row, one in zip(table, judgements, strict=True):
        best = one.best_within(width)
        row[_BEST] = one.improvements[best][1:]
        row[_FIRST] = one.improvements[0][1:]
        row[_FIRST_IS_BEST] = best == 0
        if one.gold_rank is not None and one.gold_rank <= width:
            row[_IN_LIST] = 1
            row[_RANK] = one.gold_rank
    return table


def _point(resamples: Bootstrap, start: int, decoder: str, width: int, n: int) -> OraclePoint:
    best, first = (
        partial(micro_f_at, start + _BEST.start),
        partial(micro_f_at, start + _FIRST.start),
    )

    def per_text(column: int) -> Estimate:
        return resamples.estimate(
            lambda sums: safe_divide(sums[..., start + column], np.float64(n))
        )

    def rank(sums: FloatArray) -> FloatArray:
        return safe_divide(sums[..., start + _RANK], sums[..., start + _IN_LIST])

    return OraclePoint(
        decoder=decoder,
        width=width,
        n=n,
        oracle_f=resamples.estimate(best),
        top1_f=resamples.estimate(first),
        first_is_best=per_text(_FIRST_IS_BEST),
        gold_in_list=per_text(_IN_LIST),
        mean_gold_rank=resamples.estimate(rank),
        gain=resamples.estimate(partial(difference, best, first)),
    )


@dataclass(frozen=True, slots=True)
class OracleLabelPoint:
    """Figures of one label at one width.

    Parameters
    ----------
    decoder : str
        Name of the decoder.
    width : int
        Length of the lists.
    label : str
        The label.
    support : int
        Number of gold spans.
    oracle_f, top1_f : Estimate
        F of the best and of the first analyses, counted over this label.
    gain : Estimate
        ``oracle_f - top1_f``, its interval over the same bootstrap samples.
    """

    decoder: str
    width: int
    label: str
    support: int
    oracle_f: Estimate
    top1_f: Estimate
    gain: Estimate


def points_per_label(
    study: OracleStudy,
    gold: Sequence[Sequence[Span]],
    *,
    labels: Sequence[str],
    width: int,
    allowed_labels: Sequence[Collection[str] | None] | None = None,
    seed: int = 0,
) -> list[OracleLabelPoint]:
    """Compute the figures of a study label by label.

    The best analysis is the best over all labels, since a reranker chooses whole
    analyses.

    Parameters
    ----------
    study : OracleStudy
        The study.
    gold : sequence of sequences of Span
        Gold entities of each text.
    labels : sequence of str
        Labels to count.
    width : int
        A width of the study.
    allowed_labels : sequence, optional
        For each text the labels that could be annotated, or None for all.
    seed : int
        Seed of the bootstrap.
    """
    allowed = [None] * len(gold) if allowed_labels is None else allowed_labels
    tables = [
        np.array([_label_counts(*row, labels) for row in zip(side, gold, allowed, strict=True)])
        for side in (study.best[width], study.first)
    ]
    size = 3 * len(labels)
    resamples = Bootstrap(np.concatenate([t.reshape(-1, size) for t in tables], axis=1), seed=seed)
    point = next(one for one in study.points if one.width == width)
    found = []
    for number, label in enumerate(labels):
        best = partial(micro_f_at, 3 * number)
        first = partial(micro_f_at, size + 3 * number)
        found.append(
            OracleLabelPoint(
                decoder=point.decoder,
                width=width,
                label=label,
                support=sum(span.label == label for right in gold for span in right),
                oracle_f=resamples.estimate(best),
                top1_f=resamples.estimate(first),
                gain=resamples.estimate(partial(difference, best, first)),
            )
        )
    return found


def _label_counts(
    analysis: Sequence[Span],
    gold: Sequence[Span],
    known: Collection[str] | None,
    labels: Sequence[str],
) -> list[tuple[int, int, int]]:
    found = {span for span in analysis if known is None or span.label in known}
    right = set(gold)
    tp, fp, fn = (
        Counter(span.label for span in part)
        for part in (found & right, found - right, right - found)
    )
    return [(tp[label], fp[label], fn[label]) for label in labels]


#: Name of a registered decoder.
Decoder: TypeAlias = str
DECODERS = ("exact", "exact_raw", "beam")
#: Their list of k is a prefix of any longer one, so that one pass serves all widths.
EXACT_DECODERS = ("exact", "exact_raw", "exact_calibrated")
WIDTHS = (1, 2, 4, 8, 16, 32, 64)


@dataclass(frozen=True, slots=True)
class DecoderPass:
    """One pass of a decoder over the texts.

    Parameters
    ----------
    decoder : str
        Name of the decoder.
    widths : tuple of int
        The widths that are evaluated on its lists, ascending.
    """

    decoder: Decoder
    widths: tuple[int, ...]

    @property
    def description(self) -> str:
        """Description of the pass for a progress bar."""
        return f"{self.widths[-1]:,} best, {self.decoder}"


def check_widths(widths: Iterable[Any]) -> tuple[int, ...]:
    """Validate the widths of a curve.

    Parameters
    ----------
    widths : iterable
        Expected: ascending whole numbers from 1 to `MAX_WIDTH`.

    Returns
    -------
    tuple of int

    Raises
    ------
    DataError
        There is no width, one is not a whole number from 1 to 1,024, or they are not
        ascending.
    """
    taken = tuple(widths)
    remedy = "Give whole numbers that rise, such as widths=(1, 2, 4, 8)"
    if not taken:
        raise DataError("there is no width", field="widths", remedy=remedy)
    for width in taken:
        if isinstance(width, bool) or not isinstance(width, Integral) or width < 1:
            raise DataError(f"{width!r} is not a width", field="widths", remedy=remedy)
        if int(width) > MAX_WIDTH:
            raise DataError(
                f"lists of {width:,} analyses take hours: widths are at most {MAX_WIDTH:,}",
                field="widths",
                remedy="Give widths that rise to less; 64 hold nearly all that can be gained",
            )
    if any(right <= left for left, right in pairwise(taken)):
        raise DataError(f"the widths {taken} do not rise", field="widths", remedy=remedy)
    return tuple(int(width) for width in taken)


def check_decoders(decoders: Sequence[str]) -> tuple[Decoder, ...]:
    """Validate the names of decoders.

    Parameters
    ----------
    decoders : sequence of str
        One name or several.

    Returns
    -------
    tuple of str

    Raises
    ------
    DataError
        There is no name, one is given twice, or one is unknown.
    """
    taken = (decoders,) if isinstance(decoders, str) else tuple(decoders)
    remedy = f"Give one or more of {registry.decoders.names()}"
    for one in taken:
        if one not in registry.decoders:
            raise DataError(f"{one!r} is not a decoder", field="decoders", remedy=remedy)
    if not taken or len(set(taken)) < len(taken):
        raise DataError(f"{taken} does not name each decoder once", field="decoders", remedy=remedy)
    return taken


def plan_passes(widths: tuple[int, ...], decoders: Sequence[Decoder]) -> list[DecoderPass]:
    """Return the passes that the widths take.

    An exact list contains all shorter ones, so that one pass is enough; a beam of
    each width is a pass of its own.

    Parameters
    ----------
    widths : tuple of int
        Ascending.
    decoders : sequence of str
        Names of decoders.
    """
    planned: list[DecoderPass] = []
    for decoder in decoders:
        if decoder in EXACT_DECODERS:
            planned.append(DecoderPass(decoder, widths))
        else:
            planned += [DecoderPass(decoder, (width,)) for width in widths]
    return planned
