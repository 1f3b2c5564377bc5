"""The model's second thoughts on the wire: its best analyses under what a person has fixed."""

from __future__ import annotations

from collections.abc import Mapping

from nbner._common.alignment import align
from nbner.errors import DataError
from nbner.types import Example, Parse
from nbner.widgets import messages
from nbner.widgets.queue_protocol import ExampleQueue

#: Analyses that a page may ask for at once.
MAX_K_BEST = 64


def serialize_redecoding(
    message: Mapping[str, object], example: Example, desk: ExampleQueue
) -> messages.Message:
    """Answer a page that asks for an example to be searched again.

    Parameters
    ----------
    message : mapping
        With ``want``, and ``forced`` and ``forbidden`` as lists of spans in
        half-open token indices.
    example : Example
        The one that is meant.
    desk : ExampleQueue

    Returns
    -------
    dict
        ``serialize_redecoding``, best first, each with its ``probability`` under these
        constraints and its ``spans``.

    Raises
    ------
    DataError
        A field is of the wrong kind, or the constraints contradict each other.
    """
    want = message.get("want")
    if not isinstance(want, int) or isinstance(want, bool) or not 1 <= want <= MAX_K_BEST:
        raise DataError(
            f"{want!r} is not a number of analyses from 1 to {MAX_K_BEST}", field="want"
        )
    found = desk.redecode(
        example.input_hash,
        want,
        forced=messages.parse_spans(message.get("forced", []), example, desk.info.labels),
        forbidden=messages.parse_spans(message.get("forbidden", []), example, desk.info.labels),
    )
    return {
        "type": "analyses",
        "example": str(example.input_hash),
        "analyses": [_analysis(parse, example) for parse in found],
    }


def _analysis(parse: Parse, example: Example) -> messages.Message:
    fits = align(example.tokens, parse.spans).aligned
    return {
        "probability": parse.probability,
        "spans": [
            [start, end, span.label, messages.serialize_span_details(span)]
            for start, end, span in fits
        ],
    }
