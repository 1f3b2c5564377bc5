"""Open the annotation widget: on a split, on disagreements, or on suspect gold."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from nbner._common.filters import ExampleFilter
from nbner._common.learning_status import LearningFeed
from nbner._common.suggestion_report import SuggestionFeed
from nbner._common.surroundings import ContextColumns
from nbner.errors import DataError
from nbner.queues.adjudication import AdjudicationQueue
from nbner.queues.correction import CorrectionQueue, SuspectSpans
from nbner.queues.labelling import AnnotationQueue, Suggester
from nbner.queues.set_review import SetFn, SetReviewQueue
from nbner.session.context import SessionContext
from nbner.store.assignments import Overlap

# Examples in which a column is looked for.
_CHECKED_FOR_COLUMNS = 200

if TYPE_CHECKING:
    from nbner.reranking.coverage.review import SetReview
    from nbner.store.dataset import Dataset
    from nbner.widgets.annotator import Annotator
    from nbner.widgets.queue_protocol import ExampleQueue, Mode


def open_annotator(
    context: SessionContext,
    split: str,
    mode: Mode,
    suggester: Suggester | None,
    *,
    overlap: Overlap | None = None,
    dataset: Dataset | None = None,
    learning: LearningFeed | None = None,
    columns: ContextColumns | None = None,
    daily_target: int | None = None,
    set_of: SetFn | None = None,
    sets: SetReview | None = None,
) -> Annotator:
    """Build an annotation widget over a split, which follows the session from then on.

    Parameters
    ----------
    context : SessionContext
        Its dataset is annotated.
    split : str
        The split.
    mode : {"manual", "make-gold"}
        What the page calls the task.
    suggester : Suggester, optional
        Source of suggestions; examples start empty without one.
    overlap : int or "all", optional
        Annotators per example, kept in the store.
    dataset : Dataset, optional
        The dataset in another order; by default the session's.
    learning : LearningFeed, optional
        The training behind the widget.
    columns : str or (str, str), optional
        Columns of the metadata with the text around each example.
    daily_target : int, optional
        How many examples the annotator wants to decide today.
    set_of : callable, optional
        From an open example to its set of analyses, which the page shows.
    sets : SetReview, optional
        The open texts by their sets, for ``annotator.sets``.

    Raises
    ------
    DataError
        The session has no labels, there is no such split, or none of its first
        examples has one of the columns.
    """
    context.require_split(split)
    check_labels(context)
    if columns is not None:
        _check_columns(context, split, columns)
    context.store_labels()
    if overlap is not None:
        context.dataset.assignments.set_overlap(split, overlap)
    kind = AnnotationQueue if set_of is None else partial(SetReviewQueue, set_of=set_of)
    return show_queue(
        context,
        kind(
            dataset or context.dataset,
            split=split,
            annotator=context.annotator,
            key=context.store.key,
            tokenize=context.tokenize,
            suggester=suggester,
            answer_bus=context.answer_bus,
            mode=mode,
            context=columns,
            daily_target=daily_target,
        ),
        None if suggester is None else suggester.feed,
        learning,
        sets,
        # In `manual`, suggestions are not to be seen.
        bulk_split=split if mode == "make_gold" else None,
    )


def _check_columns(context: SessionContext, split: str, columns: ContextColumns) -> None:
    """Raise where a column with the text around the examples is in none of the first ones."""
    names = {columns} if isinstance(columns, str) else {one for one in columns if one}
    rows = context.dataset.list_examples(split, ExampleFilter(), 0, _CHECKED_FOR_COLUMNS).rows
    known = {str(key) for example, _ in rows for key in example.meta}
    missing = sorted(names - known)
    if rows and missing:
        raise DataError(
            f"no example has the column {missing[0]!r}; the columns are: "
            f"{', '.join(sorted(known)) or 'none'}",
            field="context",
            remedy="Correct the name; columns of a table become an example's metadata",
        )


def check_labels(context: SessionContext) -> None:
    """Raise where a session has no labels to give.

    Parameters
    ----------
    context : SessionContext
        The session.

    Raises
    ------
    DataError
        It has none.
    """
    if not context.labels:
        raise DataError(
            "there is no label to give",
            remedy='Name them: Session(..., labels=["PERSON", "ORG"])',
        )


def show_queue(
    context: SessionContext,
    queue: ExampleQueue,
    suggestions: SuggestionFeed | None = None,
    learning: LearningFeed | None = None,
    sets: SetReview | None = None,
    *,
    bulk_split: str | None = None,
) -> Annotator:
    """Build an annotation widget over a queue of examples, and register it as open.

    Parameters
    ----------
    context : SessionContext
        Refreshes the widget when labels or the model change.
    queue : ExampleQueue
        Supplies examples and takes answers.
    suggestions : SuggestionFeed, optional
        What there is to say of the functions that suggest.
    learning : LearningFeed, optional
        The training behind the widget.
    sets : SetReview, optional
        The open texts by their sets of analyses.
    bulk_split : str, optional
        Split whose texts can be accepted in bulk, where the model is sure of them.
    """
    from nbner.session.bulk_acceptance import SessionBulkAcceptor
    from nbner.session.label_editor import SessionLabelEditor
    from nbner.widgets.annotator import Annotator

    bulk = None if bulk_split is None else SessionBulkAcceptor(context, bulk_split)
    widget = Annotator(queue, suggestions, learning, SessionLabelEditor(context), bulk, sets)
    context.annotators.add(widget)
    return widget


def open_review(context: SessionContext, split: str, reviewer: str | None = None) -> Annotator:
    """Build the adjudication widget of a split.

    Parameters
    ----------
    context : SessionContext
        The widget stores its answers here and is updated with the others.
    split : str
        Split of the examples.
    reviewer : str, optional
        Name under which the decisions are stored. By default the annotator of
        the context, followed by "(review)" if that annotator has answered in
        this split.

    Returns
    -------
    Annotator
        The widget, with the annotators' versions below each text.

    Raises
    ------
    DataError
        The reviewer is one of the annotators whose answers are reviewed.
    """
    annotators = set(context.dataset.assignments.annotators(split))
    name = reviewer or context.annotator
    if reviewer is None and name in annotators:
        name = f"{name} (review)"
    if name in annotators:
        raise DataError(
            f"{name!r} is one of those whose answers are reviewed",
            field="reviewer",
            remedy=f"Give the decisions another name: reviewer={f'{name} (review)'!r}",
        )
    context.store_labels()
    queue = AdjudicationQueue(
        context.dataset,
        split=split,
        annotator=name,
        key=context.store.key,
        tokenize=context.tokenize,
        suggester=None,
        answer_bus=context.answer_bus,
    )
    return show_queue(context, queue)


def open_corrections(
    context: SessionContext,
    split: str,
    suspects: Mapping[int, SuspectSpans],
    *,
    reason: str,
    source: str,
) -> Annotator:
    """Build a correction widget over the accepted examples of a split.

    Parameters
    ----------
    context : SessionContext
        The widget stores its answers here and is updated with the others.
    split : str
        Split of the examples.
    suspects : mapping of int to SuspectSpans
        Input hash to suspect spans and likelier versions. The examples come
        in this order.
    reason : str
        Stored with every answer as the reason of the correction.
    source : str
        Shown as the source of the probabilities of suspect spans.

    Returns
    -------
    Annotator
        The widget; it is open for corrections as soon as it is displayed.
    """
    context.store_labels()
    queue = CorrectionQueue(
        context.dataset,
        split=split,
        annotator=context.annotator,
        key=context.store.key,
        tokenize=context.tokenize,
        answer_bus=context.answer_bus,
        suspects=suspects,
        reason=reason,
        source=source,
    )
    return show_queue(context, queue)
