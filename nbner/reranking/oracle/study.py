"""What the lists of a model's best analyses hold: the study behind "is a reranker worth it?".

How it is counted
-----------------
- Spans are right if start, end and label are those of a gold span, as in
  `scores.score`; a predicted span whose label could not be given when the
  example was answered counts neither way.
- The *best* analysis of a list is the one with the highest F against the gold;
  among those the one with the fewest errors (false positives and false
  negatives); among those the first. Where neither the gold nor the analysis
  has a span, the analysis is perfect. Where gold has none, the analysis with
  the fewest spans is best.
- ``oracle_f`` is the micro-averaged F of the best analyses: counts are summed
  over all texts, then F is taken. It is what a perfect reranker would reach
  that decides every text by its own F. ``top1_f`` is the same for the first analyses.
  Texts without entities add their false positives, and nothing otherwise.
- ``first_is_best``: share of texts whose first analysis is not beaten, by F
  and then by errors, by any other in the list. Ties go to the first.
- ``gold_in_list``: share of texts whose gold, the whole of it, is an analysis
  of the list; ``mean_gold_rank`` is its mean rank, from 1, over those texts.
- A text with fewer analyses than the width has them all in its list.
- Gold that no list can hold (a label that the model does not know, a span off
  the tokens) is counted like any other; how many there are is said.

The name: best-in-list accuracy, ``oracle_f``, as in Charniak and Johnson
(2005). The training oracle of transition systems is another thing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from nbner._common.bootstrap import (
    Bootstrap,
    Estimate,
    FloatArray,
    difference,
    micro_f_at,
    safe_divide,
)
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
    """The study of one decoder at one width; shares are between 0 and 1.

    Parameters
    ----------
    decoder : str
    width : int
    n : int
        Texts.
    oracle_f, top1_f, first_is_best, gold_in_list, mean_gold_rank : Estimate
    gain : Estimate
        ``oracle_f - top1_f``, its interval over the same draws of texts.
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
    """Sum up judged lists at each width; a shorter list is the prefix of a longer one.

    Parameters
    ----------
    judgements : sequence of CandidateListScore
        One a text, of lists at least as long as the widest width, or complete.
    widths : sequence of int
    decoder : str
        The name under which the points are kept.
    repeats, seed : int
        Of the bootstrap.
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
    """One decoder's lists against the gold, with what is needed to look closer.

    Parameters
    ----------
    points : tuple of OraclePoint
        One a width.
    first : tuple of sequences of Span
        The first analysis of each text.
    best : mapping
        Width to the best analysis of each text.
    """

    points: tuple[OraclePoint, ...]
    first: tuple[Sequence[Span], ...]
    best: Mapping[int, tuple[Sequence[Span], ...]]


def run_study(
    lists: Iterable[Sequence[Sequence[Span]]],
    gold: Sequence[Sequence[Span]],
    *,
    widths: Sequence[int],
    decoder: str,
    allowed_labels: Sequence[Collection[str] | None] | None = None,
    seed: int = 0,
) -> OracleStudy:
    """Hold the lists of many texts against their gold, at each width.

    Parameters
    ----------
    lists : iterable of lists of analyses
        One list a text, best first, at least as long as the widest width or
        complete. Taken one by one, so that they need not all be held.
    gold : sequence of sequences of Span
        In the same order.
    widths : sequence of int
        See `check_widths`.
    decoder : str
    allowed_labels : sequence, optional
        For each text the labels that could be given, or None for all.
    seed : int
        Of the bootstrap.

    Raises
    ------
    ValueError
        There are not equally many lists and golds.
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
