"""Opens gold examples with suspect spans in the annotation widget, to be corrected."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from nbner.queues.correction import CorrectionQueue, SuspectSpans
from nbner.session.context import SessionContext
from nbner.session.suggestions import show_queue

if TYPE_CHECKING:
    from nbner.widgets.annotator import Annotator


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
    suspects : mapping of int to Doubt
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
