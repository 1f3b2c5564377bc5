"""The oracle study label by label: where a better choice among whole analyses would help."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from nbner._common.bootstrap import Bootstrap, Estimate, difference, micro_f_at
from nbner.reranking.oracle.study import OracleStudy
from nbner.types import Span


@dataclass(frozen=True, slots=True)
class OracleLabelPoint:
    """One label at one width: F of the first and of the best analyses, counted over that label.

    Parameters
    ----------
    decoder : str
    width : int
    label : str
    support : int
        Gold spans.
    oracle_f, top1_f, gain : Estimate
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
    """Count the analyses of a study label by label.

    The best analysis is still the best over all labels: a reranker chooses
    whole analyses.
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
