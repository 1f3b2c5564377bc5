"""Requests of the page about texts that are accepted in bulk, and the interface behind them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias, get_args

from nbner._common.alignment import filter_spans
from nbner.errors import DataError
from nbner.types import Example
from nbner.widgets.messages import ConfidentReply, ConfidentRow, RawMessage
from nbner.widgets.parsing import read_count, read_ids

BulkAction: TypeAlias = Literal["start", "list", "stop", "accept", "undo"]
BulkState: TypeAlias = Literal["computing", "ready", "stopped", "failed"]

# Rows in one reply.
_MAX_ROWS = 200
# Characters of a row's text.
_ROW_CHARACTERS = 400


class BulkRow(Protocol):
    """A text whose every suggestion is probable enough."""

    @property
    def example(self) -> Example:
        """The text; its spans are the suggestions."""

    @property
    def lowest(self) -> float:
        """The lowest probability of a suggestion."""

    @property
    def expected_wrong(self) -> float:
        """Expected number of its suggestions that are wrong."""

    @property
    def expected_missed(self) -> float:
        """Expected number of its spans that are not suggested."""


@dataclass(frozen=True, slots=True)
class BulkReport:
    """State of the list for the page.

    Parameters
    ----------
    state : {"computing", "ready", "stopped", "failed"}
        "stopped" where the list holds only what was computed until then.
    number : int
        Number of the list: what is accepted is what the page has shown.
    checked, pending : int
        Open texts whose probabilities are computed, and all open texts.
    rows : sequence of BulkRow
        The texts of the list, the least sure first.
    notes : str
        The model, and what is left out, as sentences.
    text : str
        What was done, or why the list failed, as a sentence.
    undo : str
        Id of the last act, if that can be undone; empty otherwise.
    """

    state: BulkState
    number: int
    checked: int
    pending: int
    rows: Sequence[BulkRow] = ()
    notes: str = ""
    text: str = ""
    undo: str = ""


class BulkAcceptor(Protocol):
    """Texts that can be accepted in bulk, as a session provides them.

    The list is computed behind the widget: no method waits for it.
    """

    def start(self) -> None:
        """Compute the list anew, unless it is being computed.

        Raises
        ------
        ModelError
            There is no trained model.
        """

    def stop(self) -> None:
        """Stop computing; what is computed is kept."""

    def report(self, min_probability: float) -> BulkReport:
        """Report the state, and the texts whose every suggestion is so probable.

        Parameters
        ----------
        min_probability : float
            The lowest probability of a suggestion.

        Raises
        ------
        DataError
            It is no probability.
        """

    def accept(
        self, batch_id: str, min_probability: float, number: int, excluded: Collection[int]
    ) -> None:
        """Accept the texts of a list as one act; the same id does so once.

        Parameters
        ----------
        batch_id : str
            Id of the act.
        min_probability : float
            The lowest probability of a suggestion.
        number : int
            Number of the list that was shown.
        excluded : collection of int
            Input hashes of texts that stay open.

        Raises
        ------
        DataError
            There is another list by now, or it is not complete, or holds no text.
        """

    def undo(self, batch_id: str) -> None:
        """Undo an act.

        Parameters
        ----------
        batch_id : str
            Id of the act.

        Raises
        ------
        DataError
            It is not the last one, or was undone.
        """

    def close(self) -> None:
        """Stop computing, and do not start again."""


def handle_confident_request(acceptor: BulkAcceptor, message: RawMessage) -> ConfidentReply:
    """Carry out a `ConfidentRequest` and serialize the state after it.

    Parameters
    ----------
    acceptor : BulkAcceptor
        Accepts texts in bulk.
    message : mapping
        A `ConfidentRequest`, unchecked.

    Raises
    ------
    DataError
        A field is of the wrong type, or it cannot be done.
    """
    action = next((one for one in get_args(BulkAction) if one == message.get("do")), None)
    probability = message.get("probability")
    if action is None:
        raise DataError(f"{message.get('do')!r} is nothing to do with a list", field="do")
    if isinstance(probability, bool) or not isinstance(probability, int | float):
        raise DataError(f"{probability!r} is not a probability", field="probability")
    batch_id = str(message.get("bulk", ""))
    if action == "start":
        acceptor.start()
    elif action == "stop":
        acceptor.stop()
    elif action == "accept":
        excluded = read_ids(message, "unticked")
        acceptor.accept(batch_id, probability, read_count(message, "number"), set(excluded))
    elif action == "undo":
        acceptor.undo(batch_id)
    first, want = read_count(message, "offset"), min(read_count(message, "want"), _MAX_ROWS)
    return _serialize(acceptor.report(probability), first, want)


def _serialize(report: BulkReport, first: int, want: int) -> ConfidentReply:
    return {
        "type": "confident",
        "state": report.state,
        "number": report.number,
        "checked": report.checked,
        "pending": report.pending,
        "rows": [_serialize_row(one) for one in report.rows[first : first + want]],
        "total": len(report.rows),
        "spans": sum(len(one.example.spans) for one in report.rows),
        "wrong": sum(one.expected_wrong for one in report.rows),
        "missed": sum(one.expected_missed for one in report.rows),
        "notes": report.notes,
        "text": report.text,
        "undo": report.undo,
    }


def _serialize_row(row: BulkRow) -> ConfidentRow:
    """Serialize a text as its parts: words and their label, which is empty outside of spans."""
    text, parts, position = row.example.text, [], 0
    for span in filter_spans(row.example.spans)[0]:
        parts += [[text[position : span.start], ""], [text[span.start : span.end], span.label]]
        position = span.end
        if position >= _ROW_CHARACTERS:
            break
    rest = text[position:]
    room = max(0, _ROW_CHARACTERS - position)
    parts.append([rest[:room] + ("…" if len(rest) > room else ""), ""])
    return {
        "id": str(row.example.input_hash),
        "parts": [part for part in parts if part[0]],
        "lowest": row.lowest,
        "spans": len(row.example.spans),
        "wrong": row.expected_wrong,
        "missed": row.expected_missed,
    }
