"""Scores of a list of candidate analyses against the gold of its text, for the oracle."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from nbner.types import Span

#: Rank (from 1), true positives, false positives, false negatives.
RankedCounts: TypeAlias = tuple[int, int, int, int]
FKey: TypeAlias = tuple[float, int]

#: Number of candidates whose scores are stored with an accepted answer of make-gold.
MAX_STORED_CANDIDATES = 64

#: Keys of an answer's ``extra``; see `answer_extra_from_score`.
RANK_KEYS = ("gold_rank", "list_size", "list_steps")


@dataclass(frozen=True, slots=True)
class CandidateListScore:
    """Scores of a list of candidate analyses against the gold of its text.

    Parameters
    ----------
    improvements : tuple of (rank, tp, fp, fn)
        The candidates that are better than all before them, in the order of
        their ranks; the first candidate is always among them. The last one
        within a width is the best of that width.
    gold_rank : int, optional
        Rank of the candidate that equals gold, from 1; None if there is none.
    size : int
        Length of the list.
    """

    improvements: tuple[RankedCounts, ...]
    gold_rank: int | None
    size: int

    def best_within(self, width: int) -> int:
        """Return the index in ``improvements`` of the best of the first candidates.

        Parameters
        ----------
        width : int
            Number of candidates.
        """
        return max(i for i, step in enumerate(self.improvements) if i == 0 or step[0] <= width)


def score_candidates(
    candidates: Sequence[Sequence[Span]],
    gold: Sequence[Span],
    allowed_labels: Collection[str] | None = None,
) -> CandidateListScore:
    """Score a list of candidate analyses against the gold of its text.

    Parameters
    ----------
    candidates : sequence of sequences of Span
        Spans of each candidate, the most probable first. An empty list counts
        as one candidate without spans.
    gold : sequence of Span
        Gold spans.
    allowed_labels : collection of str, optional
        The labels that existed when the text was answered; None for all.

    Examples
    --------
    >>> right, wrong = Span(0, 3, "A"), Span(0, 3, "B")
    >>> score_candidates([[wrong], [right]], [right])
    CandidateListScore(improvements=((1, 0, 1, 1), (2, 1, 0, 0)), gold_rank=2, size=2)
    """
    gold_spans = frozenset(gold)
    steps: list[RankedCounts] = []
    best: FKey | None = None
    gold_rank = None
    for rank, analysis in enumerate(candidates or [()], start=1):
        found = {
            span for span in analysis if allowed_labels is None or span.label in allowed_labels
        }
        tp = len(found & gold_spans)
        fp, fn = len(found) - tp, len(gold_spans) - tp
        if gold_rank is None and fp == fn == 0:
            gold_rank = rank
        own = f_key(tp, fp, fn)
        if best is None or own > best:
            best = own
            steps.append((rank, tp, fp, fn))
        if gold_rank is not None:
            break  # Nothing is better than the gold.
    return CandidateListScore(tuple(steps), gold_rank, len(candidates))


def answer_extra_from_score(score: CandidateListScore) -> dict[str, Any]:
    """Serialize a score for ``Answer.extra``.

    Parameters
    ----------
    score : CandidateListScore
        Score of the candidates that were shown.

    Returns
    -------
    dict
        ``gold_rank`` (None where the gold is not in the list), ``list_size``
        and ``list_steps``.
    """
    return {
        "gold_rank": score.gold_rank,
        "list_size": score.size,
        "list_steps": [list(step) for step in score.improvements],
    }


def score_from_answer_extra(extra: Mapping[str, Any]) -> CandidateListScore | None:
    """Read a score from ``Answer.extra``; None where none is stored.

    Parameters
    ----------
    extra : mapping
        May hold the entries of `answer_extra_from_score`.
    """
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
    """Return the sort key of an analysis: its F, then fewer errors.

    F is 1 where neither side has a span.

    Parameters
    ----------
    tp, fp, fn : int
        True positives, false positives and false negatives.
    """
    total = 2 * tp + fp + fn
    return (2 * tp / total if total else 1.0), -(fp + fn)


def oracle_indices(
    candidates: Sequence[Sequence[Span]],
    gold: Sequence[Span],
    allowed_labels: Collection[str] | None = None,
) -> list[int]:
    """Return the indices of the best candidates.

    Parameters
    ----------
    candidates : sequence of sequences of Span
        Spans of each candidate.
    gold : sequence of Span
        Gold spans.
    allowed_labels : collection of str, optional
        The labels that existed when the text was answered; None for all.
    """
    keys = [
        f_key(*score_candidates([one], gold, allowed_labels).improvements[0][1:])
        for one in candidates
    ]
    return [i for i, own in enumerate(keys) if own == max(keys)]


def error_counts(
    candidates: Sequence[Sequence[Span]],
    gold: Sequence[Span],
    allowed_labels: Collection[str] | None = None,
) -> list[int]:
    """Count the false positives and false negatives of each candidate, summed.

    Parameters
    ----------
    candidates : sequence of sequences of Span
        Spans of each candidate.
    gold : sequence of Span
        Gold spans.
    allowed_labels : collection of str, optional
        The labels that existed when the text was answered; None for all.
    """
    counts = [score_candidates([one], gold, allowed_labels).improvements[0] for one in candidates]
    return [fp + fn for _, _, fp, fn in counts]
