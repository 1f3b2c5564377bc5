"""What is wrong with the data of a training run, with the examples that show it.

Pure functions of plain values.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from nbner._common.alignment import has_whitespace_ends
from nbner._common.text_alignment import collapse_whitespace
from nbner.types import Example

DataWarningKind: TypeAlias = Literal[
    "few_examples",
    "only_in_dev",
    "never_in_train",
    "in_both_splits",
    "conflicting_answers",
    "whitespace_spans",
]

MIN_SPANS = 10  # gold spans below which a label can hardly be learnt


@dataclass(frozen=True, slots=True)
class DataWarning:
    """One thing that training would suffer from.

    Parameters
    ----------
    kind : str
        One of `DataWarningKind`.
    message : str
        In a sentence.
    label : str, optional
    examples : tuple of Example
        Those that show it.
    """

    kind: DataWarningKind
    message: str
    label: str | None = None
    examples: tuple[Example, ...] = field(default=(), repr=False)

    def __str__(self) -> str:
        return self.message


def find_data_warnings(
    train: Sequence[Example],
    dev: Sequence[Example],
    labels: Sequence[str],
    *,
    answers: Sequence[Example] = (),
) -> list[DataWarning]:
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
        *_whitespace(train, dev),
        *_shared(train, dev),
        *_conflicts([*train, *dev, *answers]),
    ]


def _labels(
    train: Sequence[Example], dev: Sequence[Example], labels: Sequence[str]
) -> Iterable[DataWarning]:
    learnt = Counter(span.label for one in train for span in one.spans)
    measured = Counter(span.label for one in dev for span in one.spans)
    for label in labels:
        count = learnt[label]
        if not count and measured[label]:
            what = f"{label} is in dev ({measured[label]:,} spans) and never in the training data"
            yield DataWarning(
                "only_in_dev", f"{what}: it cannot be learnt", label, _with(dev, label)
            )
        elif not count:
            yield DataWarning("never_in_train", f"{label} has no example at all", label)
        elif count < MIN_SPANS:
            what = f"{label} has {count:,} spans to learn from; {MIN_SPANS} are a beginning"
            yield DataWarning("few_examples", what, label, _with(train, label))


def _whitespace(train: Sequence[Example], dev: Sequence[Example]) -> Iterable[DataWarning]:
    """Find spans that spaCy leaves out of training, and can never predict."""
    for where, examples in (("the training data", train), ("dev", dev)):
        spans = [(one, span) for one in examples for span in one.spans]
        found = [(one, span) for one, span in spans if has_whitespace_ends(one.text, span)]
        if found:
            shown = tuple({id(one): one for one, _ in found}.values())
            verb = "begins or ends" if len(found) == 1 else "begin or end"
            what = (
                f"{len(found):,} of {len(spans):,} spans in {where} {verb} with whitespace, which "
                'spaCy cannot learn or predict: add the data again with misaligned="trim", or '
                "correct them"
            )
            yield DataWarning("whitespace_spans", what, None, shown)


def _shared(train: Sequence[Example], dev: Sequence[Example]) -> Iterable[DataWarning]:
    texts = {collapse_whitespace(one.text) for one in train}
    both = tuple(one for one in dev if collapse_whitespace(one.text) in texts)
    if both:
        what = (
            f"{len(both):,} of {len(dev):,} dev texts are in the training data too: F is too high"
        )
        yield DataWarning("in_both_splits", what, None, both)


def _conflicts(examples: Sequence[Example]) -> Iterable[DataWarning]:
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
        yield DataWarning("conflicting_answers", what, None, found)


def _grouped(
    examples: Iterable[Example], key: Callable[[Example], str]
) -> dict[str, list[Example]]:
    groups: dict[str, list[Example]] = defaultdict(list)
    for one in examples:
        groups[key(one)].append(one)
    return groups


def _with(examples: Iterable[Example], label: str) -> tuple[Example, ...]:
    return tuple(one for one in examples if any(span.label == label for span in one.spans))
