"""Evaluate annotations against gold, and compare the predictions of two models."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from nbner._common.arguments import check_arguments
from nbner._common.format import plural
from nbner._common.text_alignment import map_span
from nbner.errors import DataError
from nbner.evaluation.comparison import LabelGain, ModelComparison, compare_systems
from nbner.evaluation.pairing import pair_texts
from nbner.evaluation.permutation_test import approximate_randomization, count_per_text
from nbner.evaluation.regressions import SpanChanges, span_changes
from nbner.evaluation.report import Evaluation, evaluate_predictions
from nbner.evaluation.scores import PRF
from nbner.evaluation.warnings import evaluation_warnings
from nbner.io.annotations import read_annotations
from nbner.types import Example, Span

if TYPE_CHECKING:
    from nbner.evaluation.errors.explorer_protocol import ErrorExplorerWidget


@check_arguments
def evaluate(
    gold: Any,
    predicted: Any,
    *,
    scorers: Sequence[str | Callable[..., Any]] = (),
    seed: int = 0,
) -> Evaluation:
    """Compute precision, recall and F of predictions against gold, wherever either comes from.

    Texts are paired by their content; where tools have altered whitespace or
    letters, or cut a text into sentences or other tokens, spans are compared
    by their characters all the same.

    Parameters
    ----------
    gold, predicted : path, DataFrame, or iterable of dict, Doc or Example
        In any format that can be added to a session. ``predicted`` may be a
        frame as ``session.predict`` returns it, over the texts of ``gold``.
    scorers : sequence of str or callable
        More scores: names in `nbner.registry.scorers`, or functions from gold
        and predictions to a number.
    seed : int
        Seed of the bootstrap.

    Returns
    -------
    Evaluation
        ``f``, ``precision``, ``recall``, ``macro_f``, ``schemes``, ``frame``,
        ``details`` (every count, with intervals), ``scores`` (of ``scorers``)
        and ``plot()``.

    Raises
    ------
    DataError
        A side cannot be read, is empty, or has texts that the other has not.

    Examples
    --------
    >>> import nbner
    >>> text = "Whisk the eggs with a fork."
    >>> tool = {"start": 22, "end": 26, "label": "Tool"}
    >>> nbner.evaluate([{"text": text, "spans": [tool]}], [{"text": text, "spans": []}]).recall
    0.0
    """
    golds = read_annotations(gold)
    predictions = read_annotations(predicted, golds)
    for name, side in (("gold", golds), ("predicted", predictions)):
        if not side:
            raise DataError(f"there is no text in {name}", field=name, remedy="Add some texts")
    pairing = pair_texts(golds, predictions)
    _check_all_paired(golds, pairing.unmatched_a, "gold", "predictions")
    _check_all_paired(predictions, pairing.unmatched_b, "predicted", "gold")
    examples = [one.a for one in pairing.pairs]
    spans = [
        [
            replace(span, start=place[0], end=place[1])
            for span in one.b.spans
            if (place := map_span(one.a.text, one.b.text, span.start, span.end))
        ]
        for one in pairing.pairs
    ]
    altered = sum(bool(one.alterations) for one in pairing.pairs)
    notices = evaluation_warnings(examples, spans)
    if altered:
        notices.append(
            f"{plural(altered, 'text is', 'texts are')} written differently: compared by characters"
        )
    return evaluate_predictions(examples, spans, warnings=notices, seed=seed, scorers=scorers)


def compare_predictions(
    gold: Sequence[Example],
    before: Sequence[Sequence[Span]],
    after: Sequence[Sequence[Span]],
    *,
    names: tuple[str, str] = ("before", "after"),
    labels: Sequence[str],
    gold_name: str = "gold",
    seed: int = 0,
    open_widget: Callable[[], ErrorExplorerWidget] | None = None,
) -> ModelComparison:
    """Evaluate two models' predictions on the same gold, and test the difference.

    The test is approximate randomization over texts (Noreen 1989).

    Parameters
    ----------
    gold : sequence of Example
        Texts with complete gold.
    before, after : sequence of sequence of Span
        Each model's spans, text by text.
    names : (str, str)
        Names of the models.
    labels : sequence of str
        Entity types to compare one by one.
    gold_name : str
        Name of the gold in the result.
    seed : int
        Of the bootstrap and the permutation test.
    open_widget : callable, optional
        Opens the texts on which the models differ.
    """
    gold_spans, allowed = [one.spans for one in gold], [one.labels for one in gold]
    rows = compare_systems(
        gold_spans,
        dict(zip(names, (before, after), strict=True)),
        allowed_labels=allowed,
        seed=seed,
    )
    tables = [count_per_text(gold_spans, predicted, allowed) for predicted in (before, after)]
    return ModelComparison(
        rows=(rows[0], rows[1]),
        p_value=approximate_randomization(tables[0], tables[1], seed=seed),
        labels=_label_gains(gold, before, after, labels=labels, seed=seed),
        span_changes=SpanChanges(
            tuple(span_changes(gold, before, after)),
            n=len(gold),
            open_widget=open_widget,
        ),
        split=gold_name,
    )


def _label_gains(
    gold: Sequence[Example],
    before: Sequence[Sequence[Span]],
    after: Sequence[Sequence[Span]],
    *,
    labels: Sequence[str],
    seed: int,
) -> tuple[LabelGain, ...]:
    """Compute both models' F per label, with the p value of the difference."""
    gold_spans, allowed = [one.spans for one in gold], [one.labels for one in gold]
    found = []
    for label in labels:
        tables = [
            count_per_text(gold_spans, predicted, allowed, label) for predicted in (before, after)
        ]
        a, b = (PRF(*(int(n) for n in table.sum(axis=0))) for table in tables)
        p = approximate_randomization(tables[0], tables[1], seed=seed)
        found.append(LabelGain(label, a.support, a.f, b.f, p))
    return tuple(found)


def _check_all_paired(
    side: Sequence[Example], unmatched: Sequence[int], name: str, other: str
) -> None:
    if not unmatched:
        return
    first = side[unmatched[0]].text
    raise DataError(
        f"{plural(len(unmatched), 'text')} of {name} without a partner among the {other}, such as "
        f"{first[:60]!r}",
        field=name,
        remedy="Give both sides the same texts, in any order",
    )
