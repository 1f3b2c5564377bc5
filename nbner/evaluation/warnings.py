"""What is odd about two sides before anything is counted: said, not left to be found out."""

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
    """Say what keeps predictions from being like gold whatever the model does.

    Parameters
    ----------
    examples : sequence of Example
        With tokens and gold spans.
    predicted : sequence of sequences of Span
    model_labels : collection of str, optional
        Labels that the model can give.

    Returns
    -------
    list of str
        Sentences, each with what to do next.
    """
    found = [
        _off_the_tokens(examples),
        *_alone(examples, predicted, model_labels),
        _left_out(examples, predicted),
    ]
    return [one for one in found if one]


def _off_the_tokens(examples: Iterable[Example]) -> str:
    loose = [
        example.text[span.start : span.end]
        for example in examples
        if example.tokens
        for span in align(example.tokens, example.spans).misaligned
    ]
    if not loose:
        return ""
    verb = "does" if len(loose) == 1 else "do"
    return (
        f"{_many(len(loose), 'gold span')} {verb} not begin and end with a token, so that no "
        f"model can find them: {loose[0]!r}. See session.quality.tokenization()"
    )


def _alone(
    examples: Iterable[Example], predicted: Iterable[Sequence[Span]], known: Collection[str] | None
) -> list[str]:
    gold = _labels(one.spans for one in examples)
    said = _labels(predicted)
    can = said.keys() | set(known or ())
    strange = {label: n for label, n in gold.items() if label not in can}
    extra = {label: n for label, n in said.items() if label not in gold}
    found = []
    if strange:
        found.append(
            f"Gold has labels that are never predicted: {_listed(strange)}. Train on them, or "
            "name both sides alike"
        )
    if extra:
        found.append(
            f"Predicted labels that gold does not have: {_listed(extra)}. All of these count as "
            "wrong"
        )
    return found


def _left_out(examples: Iterable[Example], predicted: Iterable[Sequence[Span]]) -> str:
    out = _labels(
        [span for span in spans if example.labels is not None and span.label not in example.labels]
        for example, spans in zip(examples, predicted, strict=True)
    )
    if not out:
        return ""
    return (
        f"Left out, for these labels did not exist when the examples were answered: {_listed(out)}"
    )


def _labels(sides: Iterable[Iterable[Span]]) -> Counter[str]:
    return Counter(span.label for span in chain.from_iterable(sides))


def _listed(counts: dict[str, int] | Counter[str]) -> str:
    return ", ".join(f"{label} ({n:,})" for label, n in sorted(counts.items()))


def _many(count: int, one: str) -> str:
    return f"{count:,} {one}{'' if count == 1 else 's'}"
