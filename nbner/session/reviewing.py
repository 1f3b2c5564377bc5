"""Opens the examples on which annotators disagree in the annotation widget."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbner.errors import DataError
from nbner.queues.adjudication import AdjudicationQueue
from nbner.session.context import SessionContext
from nbner.session.suggestions import show_queue

if TYPE_CHECKING:
    from nbner.widgets.annotator import Annotator


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
