"""A stand-in for the browser's page: it shows what a widget hands out, and answers.

For robots and tests. It speaks the protocol in CONTRIBUTING.md and knows
nothing but what the messages say.
"""

from __future__ import annotations

import uuid
from collections import deque
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from nbner._common.alignment import tokens_from_offsets
from nbner.errors import StoreError
from nbner.types import Example, Span
from nbner.widgets import messages

if TYPE_CHECKING:
    from nbner.widgets.base_widget import BaseAnnotationWidget


class HeadlessClient:
    """Speaks to a widget as a browser's page does.

    Parameters
    ----------
    widget : Annotator
    """

    def __init__(self, widget: BaseAnnotationWidget) -> None:
        self._widget = widget
        snapshot = self._ask({"type": "hello", "protocol": messages.PROTOCOL_VERSION})
        self._setup: Mapping[str, Any] = snapshot["setup"]
        self._window: deque[messages.Message] = deque(snapshot["window"])

    @property
    def has_suggestions(self) -> bool:
        """Whether the examples come with suggestions."""
        return bool(self._setup["mode"] == "make-gold")

    @property
    def labels(self) -> list[str]:
        """The labels that have a button."""
        return list(self._setup["labels"])

    def next_example(self) -> Example | None:
        """Show the next open example; None where there is none left.

        Returns
        -------
        Example
            With the tokens and spans that the page shows.
        """
        if not self._window:
            self._window.extend(self._ask({"type": "fetch", "want": 12, "have": []})["tasks"])
        if not self._window:
            return None
        task = self._window.popleft()
        marks = [
            n for start, end, label, *_ in task["spans"] for n in (start, end, self._at(label))
        ]
        self._widget.receive({"type": "at", "example": task["id"], "spans": marks})
        return _example(task)

    def accept(self, shown: Example, spans: Sequence[Span], seconds: float) -> None:
        """Send an accepting answer, and take in what comes with its acknowledgement.

        Parameters
        ----------
        shown : Example
        spans : sequence of Span
        seconds : float
            For which it was looked at.

        Raises
        ------
        StoreError
            The answer was not stored.
        """
        reply = self._ask(
            {
                "type": "answer",
                "example": str(shown.input_hash),
                "answer": "accept",
                "spans": [messages.serialize_span(one, shown) for one in spans],
                "flagged": False,
                "note": "",
                "seconds": seconds,
                "have": [one["id"] for one in self._window],
            }
        )
        self._window.extend(reply["next"])

    def _ask(self, message: messages.Message) -> messages.Message:
        reply = self._widget.receive({"id": uuid.uuid4().hex, **message})
        if reply["type"] == "failed":
            raise StoreError(f"the widget has refused a message: {reply['message']}")
        return reply

    def _at(self, label: str) -> int:
        return self.labels.index(label)


def _example(task: messages.Message) -> Example:
    """Read an example off a task."""
    at, places = len(task["lead"]), []
    for word, gap in task["tokens"]:
        places.append((at, at + len(word)))
        at += len(word) + len(gap)
    text = task["lead"] + "".join(word + gap for word, gap in task["tokens"])
    tokens = tokens_from_offsets(text, places)
    spans = tuple(
        Span(tokens[start].start, tokens[end - 1].end, label)
        for start, end, label, *_ in task["spans"]
    )
    return Example(text, tokens=tokens, spans=spans, input_hash=int(task["id"]))
