"""Warnings about gold and predictions that limit the scores whatever the model does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from itertools import chain

from nbner._common.alignment import align
from nbner.types import Example, Span


def evaluation_warnings(
    examples: Sequence[Example],
    predicted: Sequence[Sequence[Span]],
    *,
    model_labels: Collection[str] | None = None,
) -> list[str]:
    """Find reasons for which predictions cannot equal gold whatever the model does.

    Parameters
    ----------
    examples : sequence of Example
        Examples with tokens and gold spans.
    predicted : sequence of sequences of Span
        The predicted spans of each.
    model_labels : collection of str, optional
        Labels that the model can predict.

    Returns
    -------
    list of str
        Sentences, each with a remedy.
    """
    found = [
        _misaligned(examples),
        *_labels_of_one_side(examples, predicted, model_labels),
        _labels_added_later(examples, predicted),
    ]
    return [one for one in found if one]


def _misaligned(examples: Iterable[Example]) -> str:
    misaligned = [
        example.text[span.start : span.end]
        for example in examples
        if example.tokens
        for span in align(example.tokens, example.spans).misaligned
    ]
    if not misaligned:
        return ""
    verb = "does" if len(misaligned) == 1 else "do"
    return (
        f"{_pluralize(len(misaligned), 'gold span')} {verb} not begin and end with a token, so "
        f"that no model can find them: {misaligned[0]!r}. See session.quality.tokenization()"
    )


def _labels_of_one_side(
    examples: Iterable[Example], predicted: Iterable[Sequence[Span]], known: Collection[str] | None
) -> list[str]:
    gold = _count_labels(one.spans for one in examples)
    predictions = _count_labels(predicted)
    predictable = predictions.keys() | set(known or ())
    never_predicted = {label: n for label, n in gold.items() if label not in predictable}
    extra = {label: n for label, n in predictions.items() if label not in gold}
    found = []
    if never_predicted:
        found.append(
            f"Gold has labels that are never predicted: {_format_counts(never_predicted)}. "
            "Train on them, or name both sides alike"
        )
    if extra:
        found.append(
            f"Predicted labels that gold does not have: {_format_counts(extra)}. All of these "
            "count as wrong"
        )
    return found


def _labels_added_later(examples: Iterable[Example], predicted: Iterable[Sequence[Span]]) -> str:
    counts = _count_labels(
        [span for span in spans if example.labels is not None and span.label not in example.labels]
        for example, spans in zip(examples, predicted, strict=True)
    )
    if not counts:
        return ""
    return (
        "Left out, for these labels did not exist when the examples were answered: "
        f"{_format_counts(counts)}"
    )


def _count_labels(sides: Iterable[Iterable[Span]]) -> Counter[str]:
    return Counter(span.label for span in chain.from_iterable(sides))


def _format_counts(counts: dict[str, int] | Counter[str]) -> str:
    return ", ".join(f"{label} ({n:,})" for label, n in sorted(counts.items()))


def _pluralize(count: int, one: str) -> str:
    return f"{count:,} {one}{'' if count == 1 else 's'}"
