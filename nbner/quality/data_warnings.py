"""What is wrong with the data of a training run, with the examples that show it.

Pure functions of plain values.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from nbner._common.text_alignment import collapsed
from nbner.types import Example

Kind: TypeAlias = Literal[
    "few examples", "only in dev", "never in train", "in both splits", "conflicting answers"
]

FEW = 10  # gold spans below which a label can hardly be learnt


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that training would suffer from.

    Parameters
    ----------
    kind : str
        One of `Kind`.
    what : str
        In a sentence.
    label : str, optional
    examples : tuple of Example
        Those that show it.
    """

    kind: Kind
    what: str
    label: str | None = None
    examples: tuple[Example, ...] = field(default=(), repr=False)

    def __str__(self) -> str:
        return self.what


def problems(
    train: Sequence[Example],
    dev: Sequence[Example],
    labels: Sequence[str],
    *,
    answers: Sequence[Example] = (),
) -> list[Problem]:
    """Look for what training would suffer from.

    Parameters
    ----------
    train, dev : sequence of Example
        Accepted.
    labels : sequence of str
        All labels of the session.
    answers : sequence of Example
        The accepted answers of every annotator, one example an answer.
    """
    return [
        *_labels(train, dev, labels),
        *_shared(train, dev),
        *_conflicts([*train, *dev, *answers]),
    ]


def _labels(
    train: Sequence[Example], dev: Sequence[Example], labels: Sequence[str]
) -> Iterable[Problem]:
    learnt = Counter(span.label for one in train for span in one.spans)
    measured = Counter(span.label for one in dev for span in one.spans)
    for label in labels:
        count = learnt[label]
        if not count and measured[label]:
            what = f"{label} is in dev ({measured[label]:,} spans) and never in the training data"
            yield Problem("only in dev", f"{what}: it cannot be learnt", label, _with(dev, label))
        elif not count:
            yield Problem("never in train", f"{label} has no example at all", label)
        elif count < FEW:
            what = f"{label} has {count:,} spans to learn from; {FEW} are a beginning"
            yield Problem("few examples", what, label, _with(train, label))


def _shared(train: Sequence[Example], dev: Sequence[Example]) -> Iterable[Problem]:
    texts = {collapsed(one.text) for one in train}
    both = tuple(one for one in dev if collapsed(one.text) in texts)
    if both:
        what = (
            f"{len(both):,} of {len(dev):,} dev texts are in the training data too: F is too high"
        )
        yield Problem("in both splits", what, None, both)


def _conflicts(examples: Sequence[Example]) -> Iterable[Problem]:
    by_text = _grouped(examples, lambda one: one.text)
    found = tuple(
        one
        for same in by_text.values()
        if len({frozenset(example.spans) for example in same}) > 1
        for one in same
    )
    if found:
        texts = len({one.text for one in found})
        what = f"{texts:,} texts have accepted answers that contradict each other"
        yield Problem("conflicting answers", what, None, found)


def _grouped(
    examples: Iterable[Example], key: Callable[[Example], str]
) -> dict[str, list[Example]]:
    groups: dict[str, list[Example]] = defaultdict(list)
    for one in examples:
        groups[key(one)].append(one)
    return groups


def _with(examples: Iterable[Example], label: str) -> tuple[Example, ...]:
    return tuple(one for one in examples if any(span.label == label for span in one.spans))
