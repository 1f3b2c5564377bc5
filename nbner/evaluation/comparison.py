"""Several ways to decide the same texts, beside each other: F, and the gain over the first way.

Counts are micro-averaged over exact spans. All intervals come from the same
draws of texts, so that a gain's interval is that of paired differences.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from nbner._common.bootstrap import Bootstrap, Estimate, difference, micro_f_at
from nbner.evaluation.k_best_scores import CandidateListScore, FKey, f_key, score_candidates
from nbner.types import Span


@dataclass(frozen=True, slots=True)
class SystemScore:
    """One way to decide the texts.

    Parameters
    ----------
    name : str
    n : int
        Texts.
    f : Estimate
    gain : Estimate
        F minus that of the way that all are compared with.
    changed : int
        Texts that it decides otherwise than that one.
    better, worse : int
        Of those, the ones with a higher and with a lower F of their own, or
        with fewer and with more errors at the same F.
    """

    name: str
    n: int
    f: Estimate
    gain: Estimate
    changed: int
    better: int
    worse: int


def compare_systems(
    gold: Sequence[Sequence[Span]],
    systems: Mapping[str, Sequence[Sequence[Span]]],
    *,
    allowed_labels: Sequence[Collection[str] | None] | None = None,
    baseline: str | None = None,
    seed: int = 0,
) -> list[SystemScore]:
    """Measure each way of deciding against gold, and against another way.

    Parameters
    ----------
    gold : sequence of sequences of Span
    systems : mapping
        Name to what is decided for each text.
    allowed_labels : sequence, optional
        For each text the labels that could be given, or None for all.
    baseline : str, optional
        What gains are measured over; by default the first way.
    seed : int
        Of the bootstrap.

    Raises
    ------
    ValueError
        A way does not decide as many texts as there are golds.
    """
    names = list(systems)
    allowed = [None] * len(gold) if allowed_labels is None else allowed_labels
    places = list(zip(gold, allowed, strict=True))
    judged = {
        name: [score_candidates([one], *at) for one, at in zip(decided, places, strict=True)]
        for name, decided in systems.items()
    }
    table = np.concatenate(
        [
            np.array([one.improvements[0][1:] for one in judged[name]]).reshape(-1, 3)
            for name in names
        ],
        axis=1,
    )
    resamples = Bootstrap(table, seed=seed)
    base = baseline or names[0]
    first = partial(micro_f_at, 3 * names.index(base))
    rows = []
    for number, name in enumerate(names):
        own = partial(micro_f_at, 3 * number)
        signs = [
            (_merit(one) > _merit(other)) - (_merit(one) < _merit(other))
            for one, other in zip(judged[name], judged[base], strict=True)
        ]
        rows.append(
            SystemScore(
                name=name,
                n=len(gold),
                f=resamples.estimate(own),
                gain=resamples.estimate(partial(difference, own, first)),
                changed=sum(
                    set(one) != set(other)
                    for one, other in zip(systems[name], systems[base], strict=True)
                ),
                better=signs.count(1),
                worse=signs.count(-1),
            )
        )
    return rows


def _merit(one: CandidateListScore) -> FKey:
    _, *counts = one.improvements[0]
    return f_key(*counts)
