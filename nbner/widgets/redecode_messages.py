"""The model's second thoughts on the wire: its best analyses under what a person has fixed."""

from __future__ import annotations

from collections.abc import Mapping

from nbner._common.alignment import align
from nbner.errors import DataError
from nbner.types import Example, Parse
from nbner.widgets import messages
from nbner.widgets.queue_protocol import Desk

#: Analyses that a page may ask for at once.
MOST = 64


def analyses(message: Mapping[str, object], example: Example, desk: Desk) -> messages.Message:
    """Answer a page that asks for an example to be searched again.

    Parameters
    ----------
    message : mapping
        With ``want``, and ``forced`` and ``forbidden`` as lists of spans in
        half-open token indices.
    example : Example
        The one that is meant.
    desk : Desk

    Returns
    -------
    dict
        ``analyses``, best first, each with its ``probability`` under these
        constraints and its ``spans``.

    Raises
    ------
    DataError
        A field is of the wrong kind, or the constraints contradict each other.
    """
    want = message.get("want")
    if not isinstance(want, int) or isinstance(want, bool) or not 1 <= want <= MOST:
        raise DataError(f"{want!r} is not a number of analyses from 1 to {MOST}", field="want")
    found = desk.analyses(
        example.input_hash,
        want,
        forced=messages.spans_from(message.get("forced", []), example, desk.info.labels),
        forbidden=messages.spans_from(message.get("forbidden", []), example, desk.info.labels),
    )
    return {
        "type": "analyses",
        "example": str(example.input_hash),
        "analyses": [_analysis(parse, example) for parse in found],
    }


def _analysis(parse: Parse, example: Example) -> messages.Message:
    fits = align(example.tokens, parse.spans).fits
    return {
        "probability": parse.probability,
        "spans": [[start, end, span.label, messages.details(span)] for start, end, span in fits],
    }
