"""Answers as a DataFrame."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from nbner.types import Answer

if TYPE_CHECKING:
    import pandas as pd

ANSWER_COLUMNS = [
    *("input_hash", "split", "annotator", "answer", "text", "spans", "flagged", "note", "created")
]


def answer_frame(answers: Iterable[Answer], texts: Mapping[tuple[str, int], str]) -> pd.DataFrame:
    """Return answers as a DataFrame, one row each.

    Parameters
    ----------
    answers : iterable of Answer
        Those that take an earlier answer back (``answer`` is None) have no row.
    texts : mapping
        (split, input hash) to text.

    Returns
    -------
    DataFrame
        With `ANSWER_COLUMNS`; ``spans`` is a list of ``(start, end, label)``
        in code points, ``created`` a time in UTC.
    """
    import pandas as pd

    rows = [
        {
            "input_hash": answer.input_hash,
            "split": answer.split,
            "annotator": answer.annotator,
            "answer": answer.answer,
            "text": texts[answer.split, answer.input_hash],
            "spans": [(span.start, span.end, span.label) for span in answer.spans],
            "flagged": answer.flagged,
            "note": answer.note,
            "created": pd.Timestamp(answer.created, unit="s", tz="UTC"),
        }
        for answer in answers
        if answer.answer is not None
    ]
    return pd.DataFrame(rows, columns=ANSWER_COLUMNS)
