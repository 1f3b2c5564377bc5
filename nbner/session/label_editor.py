"""The label set as the annotation widget changes it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from nbner.errors import DataError
from nbner.session import label_changes
from nbner.session.context import SessionContext
from nbner.session.label_changes import LabelChange
from nbner.session.training import add_labels, checked_new_labels
from nbner.widgets.label_editor import LabelAction, LabelReport


class SessionLabelEditor:
    """The label set of a session behind the widget's panel; a `LabelEditor`.

    Parameters
    ----------
    context : SessionContext
        The session.
    """

    def __init__(self, context: SessionContext) -> None:
        self._context = context
        self._last: LabelChange | None = None

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
        text = self._change(action, label, to, order)
        last = self._last
        undo = "" if last is None else f"{last.kind} {last.label!r} to {last.into!r}"
        return LabelReport(label_usage(self._context), text, undo)

    def _change(self, action: LabelAction, label: str, to: str, order: Sequence[str]) -> str:
        context = self._context
        if action == "add":
            return self._add(label.strip())
        if action == "rename":
            self._last = label_changes.rename_label(context, label, to.strip(), preview=False)
            return f"{self._last}."
        if action == "merge":
            self._last = label_changes.merge_label(context, label, to, preview=False)
            return f"{self._last}."
        if action == "recolor":
            label_changes.recolor_label(context, label, to)
        if action == "reorder":
            label_changes.reorder_labels(context, order)
        if action == "undo":
            return self._undo()
        return ""

    def _add(self, label: str) -> str:
        new = checked_new_labels([label], self._context.labels)
        if not new:
            raise DataError(f"{label!r} is a label already", field="label")
        add_labels(self._context, new)
        return f"Added {label!r}: in what was answered before it is missing, not absent."

    def _undo(self) -> str:
        last, self._last = self._last, None
        if last is None:
            raise DataError("there is no renaming or merge to undo", field="do")
        last.undo()
        return f"Took back: {last.kind} {last.label!r} to {last.into!r}."


def label_usage(context: SessionContext) -> tuple[tuple[str, int, int], ...]:
    """Count the spans of every label, and the examples that hold them, over current answers.

    Parameters
    ----------
    context : SessionContext
        The session.

    Returns
    -------
    tuple of (str, int, int)
        Label, spans and examples, in the order of the labels.
    """
    spans: Counter[str] = Counter()
    examples: dict[str, set[tuple[str, int]]] = defaultdict(set)
    for answer in context.dataset.answers():
        for span in answer.spans:
            spans[span.label] += 1
            examples[span.label].add((answer.split, answer.input_hash))
    return tuple((label, spans[label], len(examples[label])) for label in context.labels)
