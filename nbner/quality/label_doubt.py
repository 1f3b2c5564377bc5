"""Doubt about a whole label, apart from doubt about single spans.

Where every learner finds most spans of a label improbable, the spans are not all
wrong: the label is defined in a way that cannot be learnt from the texts, is too rare
to be learnt, or is not applied alike. That is a matter of the guidelines, and hundreds
of suspects would hide it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from nbner._common.format import plural

#: Share of a label's spans that every learner contradicts, above which the label is doubted.
DOUBTED_SHARE = 2 / 3
#: Spans below which a label is called rare rather than hard to learn.
RARE = 20


@dataclass(frozen=True, slots=True)
class SpanDoubt:
    """Probabilities of one gold span and of its likeliest alternative.

    Parameters
    ----------
    label : str
        Gold label.
    suggested : str
        Label of the alternative, or "no entity".
    by_learner : mapping
        From a learner to the probabilities of gold and of that alternative.
    """

    label: str
    suggested: str
    by_learner: Mapping[str, tuple[float, float]]


@dataclass(frozen=True, slots=True)
class LabelDoubt:
    """Doubt of the learners about all spans of one label.

    Parameters
    ----------
    label : str
        The label.
    spans : int
        Its gold spans.
    contradicted : int
        Those for which every learner finds another annotation likelier.
    mean_probability : float
        Mean probability of its gold spans over spans and learners, the threshold of
        confidence of Northcutt, Jiang and Chuang (2021).
    alternative : str, optional
        The most frequent alternative where it is contradicted.
    """

    label: str
    spans: int
    contradicted: int
    mean_probability: float
    alternative: str | None = None

    @property
    def share(self) -> float:
        """Share of its spans that every learner contradicts."""
        return self.contradicted / self.spans

    @property
    def is_doubted(self) -> bool:
        """Whether the doubt is about the label, and not about single spans of it."""
        return self.share > DOUBTED_SHARE

    def __str__(self) -> str:
        found = (
            f"{self.label}: all learners contradict {self.contradicted:,} of "
            f"{plural(self.spans, 'span')}"
        )
        if not self.is_doubted:
            return found
        if self.spans < RARE:
            return f"{found}; it is too rare to be learnt, so look at these spans yourself"
        return f"{found}, most often for {self.alternative}; look at its definition first"


def doubts_by_label(spans: Iterable[SpanDoubt]) -> tuple[LabelDoubt, ...]:
    """Sum up the doubts about spans by label.

    Parameters
    ----------
    spans : iterable of SpanDoubt
        All gold spans, contradicted or not.

    Returns
    -------
    tuple of LabelDoubt
        The largest share of contradicted spans first.
    """
    probabilities: dict[str, list[float]] = defaultdict(list)
    alternatives: dict[str, Counter[str]] = defaultdict(Counter)
    for one in spans:
        values = one.by_learner.values()
        probabilities[one.label].append(float(np.mean([gold for gold, _ in values])))
        if all(gold < suggested for gold, suggested in values):
            alternatives[one.label][one.suggested] += 1
    found = [
        LabelDoubt(
            label,
            len(some),
            alternatives[label].total(),
            float(np.mean(some)),
            next((name for name, _ in alternatives[label].most_common(1)), None),
        )
        for label, some in probabilities.items()
    ]
    return tuple(sorted(found, key=lambda one: (-one.share, one.label)))
