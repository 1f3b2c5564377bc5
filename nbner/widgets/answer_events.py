"""What code does to examples, said as answers; and what cannot be done, said as errors."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence

from nbner.errors import DataError
from nbner.types import Answer, Example
from nbner.widgets.queue_protocol import QueueInfo


def undo_answer(example: Example, info: QueueInfo) -> Answer:
    """Make the event that takes an example's decision back and keeps its spans as a draft."""
    return Answer(
        id=uuid.uuid4().hex,
        input_hash=example.input_hash,
        split=example.split,
        annotator=info.annotator,
        answer=None,
        spans=example.spans,
        flagged=example.flagged,
        note=example.note,
        labels=info.labels,
        created=time.time(),
    )


def raise_queue_errors(unknown: Sequence[int], answered: Sequence[int], *, n_queued: int) -> None:
    """Say which examples could not be put in the queue.

    Raises
    ------
    DataError
        There are some. All others are in the queue.
    """
    if not unknown and not answered:
        return
    parts = [f"{_named(unknown)} not in this split"] if unknown else []
    parts += [f"{_named(answered)} answered already"] if answered else []
    remedy = "Take examples of session.examples(...); annotator.goto(...) shows an answered one"
    problem = f"{' and '.join(parts)}; the other {n_queued} are in the queue"
    raise DataError(problem, field="queue", remedy=remedy)


def _named(hashes: Sequence[int]) -> str:
    some = ", ".join(str(one) for one in hashes[:5])
    more = f" and {len(hashes) - 5} more" if len(hashes) > 5 else ""
    return f"{some}{more} {'is' if len(hashes) == 1 else 'are'}"
