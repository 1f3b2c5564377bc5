"""Weaknesses of the data of a training run, with the examples that show them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Literal, TypeAlias

from nbner._common.alignment import has_whitespace_ends
from nbner._common.format import plural
from nbner._common.result import Result
from nbner._common.text_alignment import collapse_whitespace
from nbner.types import Example

if TYPE_CHECKING:
    import pandas as pd

DataWarningKind: TypeAlias = Literal[
    "few_examples",
    "hidden_label",
    "only_in_dev",
    "never_in_train",
    "in_both_splits",
    "conflicting_answers",
    "whitespace_spans",
]

MIN_SPANS = 10  # gold spans below which a label can hardly be learnt
_MAX_EXAMPLES = 5  # examples of a warning in HTML


@dataclass(frozen=True, slots=True)
class DataWarning:
    """One weakness of the data.

    Parameters
    ----------
    kind : str
        One of `DataWarningKind`.
    message : str
        The weakness as a sentence.
    label : str, optional
        The label that it concerns.
    examples : tuple of Example
        The examples that show it.
    """

    kind: DataWarningKind
    message: str
    label: str | None = None
    examples: tuple[Example, ...] = field(default=(), repr=False)

    def __str__(self) -> str:
        return self.message


@dataclass(frozen=True, slots=True)
class DataWarnings(Result):
    """The weaknesses of the data of a training run.

    Parameters
    ----------
    warnings : tuple of DataWarning
        Each with its ``examples``.
    """

    warnings: tuple[DataWarning, ...] = ()

    def __len__(self) -> int:
        return len(self.warnings)

    def __iter__(self) -> Iterator[DataWarning]:
        return iter(self.warnings)

    def __getitem__(self, position: int) -> DataWarning:
        return self.warnings[position]

    @property
    def frame(self) -> pd.DataFrame:
        """One row a warning: kind, label, what (the message), examples (their number)."""
        import pandas as pd

        rows = [(one.kind, one.label, one.message, len(one.examples)) for one in self.warnings]
        return pd.DataFrame(rows, columns=["kind", "label", "what", "examples"])

    def __str__(self) -> str:
        if not self.warnings:
            return "No weakness of the data was found"
        return "\n".join(one.message for one in self.warnings)

    def _repr_html_(self) -> str:
        return "".join(_html(one) for one in self.warnings) or f"<div>{escape(str(self))}</div>"


def find_data_warnings(
    train: Sequence[Example],
    dev: Sequence[Example],
    labels: Sequence[str],
    *,
    answers: Sequence[Example] = (),
) -> list[DataWarning]:
    """Find labels, texts and answers that impair training or its evaluation.

    Parameters
    ----------
    train, dev : sequence of Example
        Accepted examples.
    labels : sequence of str
        All labels of the session.
    answers : sequence of Example
        The accepted answers of every annotator, one example an answer.
    """
    return [
        *_rare_labels(train, dev, labels),
        *_other_labels([*train, *dev], labels),
        *_whitespace_spans(train, dev),
        *_shared_texts(train, dev),
        *_conflicting_answers([*train, *dev, *answers]),
    ]


def _rare_labels(
    train: Sequence[Example], dev: Sequence[Example], labels: Sequence[str]
) -> Iterator[DataWarning]:
    in_train = Counter(span.label for one in train for span in one.spans)
    in_dev = Counter(span.label for one in dev for span in one.spans)
    for label in labels:
        count = in_train[label]
        if not count and in_dev[label]:
            found = (
                f"{label} is in dev ({plural(in_dev[label], 'span')}) and never in the training "
                "data"
            )
            yield DataWarning(
                "only_in_dev", f"{found}: it cannot be learnt", label, _with_label(dev, label)
            )
        elif not count:
            yield DataWarning("never_in_train", f"{label} has no example at all", label)
        elif count < MIN_SPANS:
            found = (
                f"{label} has {plural(count, 'span')} to learn from; {MIN_SPANS} are a beginning"
            )
            yield DataWarning("few_examples", found, label, _with_label(train, label))


def _other_labels(gold: Sequence[Example], labels: Sequence[str]) -> Iterator[DataWarning]:
    """Find gold with labels that the session was opened without."""
    counts = Counter(
        span.label for one in gold for span in one.spans if labels and span.label not in labels
    )
    for label, count in sorted(counts.items()):
        message = (
            f"{label} is not one of this session's labels, and {plural(count, 'gold span')} "
            f"{'bears' if count == 1 else 'bear'} it: open the session with it, or without labels="
        )
        yield DataWarning("hidden_label", message, label, _with_label(gold, label))


def _whitespace_spans(train: Sequence[Example], dev: Sequence[Example]) -> Iterator[DataWarning]:
    """Find spans that spaCy leaves out of training, and can never predict."""
    for where, examples in (("the training data", train), ("dev", dev)):
        spans = [(one, span) for one in examples for span in one.spans]
        found = [(one, span) for one, span in spans if has_whitespace_ends(one.text, span)]
        if found:
            shown = tuple({id(one): one for one, _ in found}.values())
            verb = "begins or ends" if len(found) == 1 else "begin or end"
            message = (
                f"{len(found):,} of {plural(len(spans), 'span')} in {where} {verb} with "
                "whitespace, which "
                'spaCy cannot learn or predict: add the data again with misaligned="trim", or '
                "correct them"
            )
            yield DataWarning("whitespace_spans", message, None, shown)


def _shared_texts(train: Sequence[Example], dev: Sequence[Example]) -> Iterator[DataWarning]:
    texts = {collapse_whitespace(one.text) for one in train}
    shared = tuple(one for one in dev if collapse_whitespace(one.text) in texts)
    if shared:
        message = (
            f"{len(shared):,} of {plural(len(dev), 'dev text')} "
            f"{'is' if len(shared) == 1 else 'are'} in the "
            f"training data too: F is too high"
        )
        yield DataWarning("in_both_splits", message, None, shared)


def _conflicting_answers(examples: Sequence[Example]) -> Iterator[DataWarning]:
    by_text: dict[str, list[Example]] = defaultdict(list)
    for one in examples:
        by_text[one.text].append(one)
    found = tuple(
        one
        for same in by_text.values()
        if len({frozenset(example.spans) for example in same}) > 1
        for one in same
    )
    if found:
        texts = len({one.text for one in found})
        message = (
            f"{plural(texts, 'text has', 'texts have')} accepted answers that contradict each other"
        )
        yield DataWarning("conflicting_answers", message, None, found)


def _with_label(examples: Iterable[Example], label: str) -> tuple[Example, ...]:
    return tuple(one for one in examples if any(span.label == label for span in one.spans))


def _html(warning: DataWarning) -> str:
    """Render a warning whose examples unfold with a click."""
    shown = "".join(
        f"<li>{escape(one.text[:200])}</li>" for one in warning.examples[:_MAX_EXAMPLES]
    )
    more = len(warning.examples) - _MAX_EXAMPLES
    rest = f"<li>and {more:,} more, in .examples</li>" if more > 0 else ""
    return f"<details><summary>{escape(warning.message)}</summary><ul>{shown}{rest}</ul></details>"
