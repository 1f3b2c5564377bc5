"""Requests of the page about the label set, and the interface behind them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias, get_args

from nbner.errors import DataError
from nbner.widgets.messages import LabelsReply, RawMessage

LabelAction: TypeAlias = Literal["list", "add", "rename", "merge", "recolor", "reorder", "undo"]


@dataclass(frozen=True, slots=True)
class LabelReport:
    """State of the label set for the page.

    Parameters
    ----------
    rows : tuple of (str, int, int)
        Label, its spans in current answers, and the examples that hold them.
    text : str
        What was done, as a sentence; empty where nothing was.
    undo : str
        What "undo" would take back; empty where there is nothing.
    """

    rows: tuple[tuple[str, int, int], ...]
    text: str = ""
    undo: str = ""


class LabelEditor(Protocol):
    """Changes of the label set, as a session provides them."""

    def run(self, action: LabelAction, label: str, to: str, order: Sequence[str]) -> LabelReport:
        """Carry out one change and report the labels after it.

        Parameters
        ----------
        action : str
            What to do.
        label : str
            The label that it is done to.
        to : str
            The new name, the label to merge into, or the color.
        order : sequence of str
            All labels in their new order.

        Raises
        ------
        DataError
            It cannot be done.
        """


def handle_label_request(editor: LabelEditor, message: RawMessage) -> LabelsReply:
    """Carry out a `LabelsRequest` and serialize the report.

    Parameters
    ----------
    editor : LabelEditor
        Changes the labels.
    message : mapping
        A `LabelsRequest`, unchecked.

    Raises
    ------
    DataError
        A field is of the wrong type, or the change cannot be made.
    """
    action = next((one for one in get_args(LabelAction) if one == message.get("do")), None)
    if action is None:
        raise DataError(f"{message.get('do')!r} is nothing to do with labels", field="do")
    order = message.get("order", [])
    if not isinstance(order, list) or not all(isinstance(one, str) for one in order):
        raise DataError("the order must be a list of labels", field="order")
    report = editor.run(action, str(message.get("label", "")), str(message.get("to", "")), order)
    return {
        "type": "labels",
        "rows": [
            {"label": label, "spans": spans, "examples": examples}
            for label, spans, examples in report.rows
        ],
        "text": report.text,
        "undo": report.undo,
    }
