"""Ids of answers that are given, and undone, as one batch."""

from __future__ import annotations


def batch_answer_id(batch_id: str, part: object) -> str:
    """Return the id of one answer of a batch.

    Parameters
    ----------
    batch_id : str
        Id of the batch; the ids of its answers begin with it and a colon.
    part : object
        What tells the answer from the others of the batch, such as the input
        hash of its example.
    """
    return f"{batch_id}:{part}"
