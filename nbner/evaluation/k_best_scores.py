"""One list of analyses held against the gold of its text; how it is counted: `analysis.oracle`."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from nbner.types import Span

#: Rank (from 1), true positives, false positives, false negatives.
RankedCounts: TypeAlias = tuple[int, int, int, int]
FKey: TypeAlias = tuple[float, int]

#: How many analyses an accepted answer of make-gold is held against.
MAX_STORED_CANDIDATES = 64


@dataclass(frozen=True, slots=True)
class CandidateListScore:
    """One list of analyses held against the gold of its text.

    Parameters
    ----------
    improvements : tuple of (rank, tp, fp, fn)
        The analyses that are better than all before them, in the order of
        their ranks; the first analysis is always among them. The last one
        within a width is the best of that width.
    gold_rank : int, optional
        Rank of the analysis that is the gold, from 1; None if it is not there.
    size : int
        Length of the list.
    """

    improvements: tuple[RankedCounts, ...]
    gold_rank: int | None
    size: int

    def best_within(self, width: int) -> int:
        """Give the position in ``steps`` of the best analysis among the first ``width``."""
        return max(i for i, step in enumerate(self.improvements) if i == 0 or step[0] <= width)


def score_candidates(
    candidates: Sequence[Sequence[Span]],
    gold: Sequence[Span],
    allowed_labels: Collection[str] | None = None,
) -> CandidateListScore:
    """Hold a list of analyses against the gold of its text.

    Parameters
    ----------
    candidates : sequence of sequences of Span
        Best first, as the model sees it. A list without any analysis is taken
        as one that holds the empty analysis.
    gold : sequence of Span
    allowed_labels : collection of str, optional
        The labels that could be given when the text was answered; None for all.

    Examples
    --------
    >>> right, wrong = Span(0, 3, "A"), Span(0, 3, "B")
    >>> judge([[wrong], [right]], [right])
    Judgement(steps=((1, 0, 1, 1), (2, 1, 0, 0)), gold_rank=2, size=2)
    """
    right = frozenset(gold)
    steps: list[RankedCounts] = []
    best: FKey | None = None
    gold_rank = None
    for rank, analysis in enumerate(candidates or [()], start=1):
        found = {
            span for span in analysis if allowed_labels is None or span.label in allowed_labels
        }
        tp = len(found & right)
        fp, fn = len(found) - tp, len(right) - tp
        if gold_rank is None and fp == fn == 0:
            gold_rank = rank
        own = f_key(tp, fp, fn)
        if best is None or own > best:
            best = own
            steps.append((rank, tp, fp, fn))
        if gold_rank is not None:
            break  # Nothing is better than the gold.
    return CandidateListScore(tuple(steps), gold_rank, len(candidates))


def answer_extra_from_score(judgement: CandidateListScore) -> dict[str, Any]:
    """Write a judgement as an answer keeps it, in its ``extra``.

    Returns
    -------
    dict
        ``gold_rank`` (None where the gold is not in the list), ``list_size``
        and ``list_steps``.
    """
    return {
        "gold_rank": judgement.gold_rank,
        "list_size": judgement.size,
        "list_steps": [list(step) for step in judgement.improvements],
    }


def score_from_answer_extra(extra: Mapping[str, Any]) -> CandidateListScore | None:
    """Read what `answer_extra_from_score` wrote; None where there is nothing of the kind."""
    match extra:
        case {"gold_rank": int() | None as rank, "list_size": int(size), "list_steps": [*raw]}:
            pass
        case _:
            return None
    steps: list[RankedCounts] = []
    for one in raw:
        match one:
            case [int(place), int(tp), int(fp), int(fn)]:
                steps.append((place, tp, fp, fn))
            case _:
                return None
    return CandidateListScore(tuple(steps), rank, size) if steps else None


def f_key(tp: int, fp: int, fn: int) -> FKey:
    """Give what a text's analyses are ranked by: its own F, then fewer errors.

    F is perfect where nothing was to be found and nothing was.
    """
    whole = 2 * tp + fp + fn
    return (2 * tp / whole if whole else 1.0), -(fp + fn)


def oracle_indices(
    candidates: Sequence[Sequence[Span]],
    gold: Sequence[Span],
    allowed_labels: Collection[str] | None = None,
) -> list[int]:
    """Give the positions, from 0, of all analyses that none of the list is better than."""
    merits = [
        f_key(*score_candidates([one], gold, allowed_labels).improvements[0][1:])
        for one in candidates
    ]
    return [i for i, own in enumerate(merits) if own == max(merits)]


def error_counts(
    candidates: Sequence[Sequence[Span]],
    gold: Sequence[Span],
    allowed_labels: Collection[str] | None = None,
) -> list[int]:
    """Give the false positives and false negatives of each analysis, summed."""
    counts = [score_candidates([one], gold, allowed_labels).improvements[0] for one in candidates]
    return [fp + fn for _, _, fp, fn in counts]
