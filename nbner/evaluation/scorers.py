"""Scorers, registered by name: functions from gold and predictions to a number."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from nbner import registry
from nbner.errors import DataError
from nbner.evaluation.scores import SCHEMES, Scheme, score
from nbner.types import Example, Span


def scheme_f(
    gold: Sequence[Example], predicted: Sequence[Sequence[Span]], *, scheme: Scheme
) -> float | None:
    """Return F under one of nervaluate's schemes; None where there is no span at all.

    Parameters
    ----------
    gold : sequence of Example
        Examples with complete gold.
    predicted : sequence of sequences of Span
        The predicted spans of each.
    scheme : {"strict", "exact", "partial", "ent_type"}
        The scheme.
    """
    measured = score(
        [one.spans for one in gold], predicted, allowed_labels=[one.labels for one in gold]
    )
    return measured.schemes[scheme].f


for _scheme in SCHEMES:
    registry.scorers.register(_scheme, partial(scheme_f, scheme=_scheme))


def run_scorers(
    scorers: Iterable[str | Callable[..., Any]],
    gold: Sequence[Example],
    predicted: Sequence[Sequence[Span]],
    *,
    labels: Sequence[str] = (),
    seed: int = 0,
) -> dict[str, float | None]:
    """Call scorers and collect their numbers by name.

    Parameters
    ----------
    scorers : iterable of str or callable
        Registered names, or functions.
    gold : sequence of Example
        Examples with complete gold.
    predicted : sequence of sequences of Span
        The predicted spans of each.
    labels : sequence of str
        Labels of the evaluation, for scorers that declare ``labels``.
    seed : int
        For scorers that declare ``seed``.

    Returns
    -------
    dict
        A scorer that returns a mapping has an entry ``name.key`` for each key.

    Raises
    ------
    DataError
        A name is not registered, or two scorers have one name.
    """
    found: dict[str, float | None] = {}
    for one in (scorers,) if isinstance(scorers, str) else scorers:
        function = registry.scorers.resolve(one, field="scorers")
        name = one if isinstance(one, str) else getattr(one, "__name__", type(one).__name__)
        value = registry.call(function, gold, predicted, labels=tuple(labels), seed=seed)
        entries = (
            {f"{name}.{key}": number for key, number in value.items()}
            if isinstance(value, Mapping)
            else {name: value}
        )
        if twice := found.keys() & entries.keys():
            raise DataError(
                f"two scorers are called {min(twice)!r}",
                field="scorers",
                remedy="Give each function a name of its own",
            )
        found |= entries
    return found
