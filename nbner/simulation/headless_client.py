"""A client of the widget protocol without a browser, and a simulated annotator that uses it.

For simulations and tests. The client implements the page's side of the
protocol in CONTRIBUTING.md and reads nothing but the messages.
"""

from __future__ import annotations

import uuid
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from nbner._common.alignment import align, tokens_from_offsets
from nbner.errors import StoreError
from nbner.simulation.annotator import SimulatedAnnotator, SimulatedAnswer
from nbner.types import Example, Span
from nbner.widgets import messages

if TYPE_CHECKING:
    from nbner.widgets.annotator import Annotator
    from nbner.widgets.base_widget import BaseAnnotationWidget


class HeadlessClient:
    """Exchange messages with a widget as a browser's page does.

    Parameters
    ----------
    widget : BaseAnnotationWidget
        From ``session.manual()``, for example.
    """

    def __init__(self, widget: BaseAnnotationWidget) -> None:
        self._widget = widget
        snapshot = self._request({"type": "hello", "protocol": messages.PROTOCOL_VERSION})
        self._setup: Mapping[str, Any] = snapshot["setup"]
        self._window: deque[messages.Message] = deque(snapshot["window"])

    @property
    def has_suggestions(self) -> bool:
        """Whether the examples come with suggestions."""
        return bool(self._setup["mode"] == "make-gold")

    @property
    def labels(self) -> list[str]:
        """The labels that spans may get, in the order of their keys."""
        return list(self._setup["labels"])

    def next_example(self) -> Example | None:
        """Show the next open example.

        Returns
        -------
        Example or None
            With the tokens and spans that a page would show; None where no
            example is open.
        """
        if not self._window:
            self._window.extend(self._request({"type": "fetch", "want": 12, "have": []})["tasks"])
        if not self._window:
            return None
        task = self._window.popleft()
        marks = [
            n
            for start, end, label, *_ in task["spans"]
            for n in (start, end, self._label_index(label))
        ]
        self._widget.receive({"type": "at", "example": task["id"], "spans": marks})
        return _example(task)

    def accept(self, shown: Example, spans: Sequence[Span], seconds: float) -> None:
        """Send an accepting answer, and keep the examples of its reply.

        Parameters
        ----------
        shown : Example
            From `next_example`.
        spans : sequence of Span
            The complete spans of the example.
        seconds : float
            Time spent on the example.

        Raises
        ------
        StoreError
            The answer was not stored.
        """
        reply = self._request(
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

    def _request(self, message: messages.Message) -> messages.Message:
        reply = self._widget.receive({"id": uuid.uuid4().hex, **message})
        if reply["type"] == "failed":
            raise StoreError(f"the widget has refused a message: {reply['message']}")
        return reply

    def _label_index(self, label: str) -> int:
        return self.labels.index(label)


def _example(task: messages.Message) -> Example:
    """Rebuild an example from a task."""
    at, offsets = len(task["lead"]), []
    for word, gap in task["tokens"]:
        offsets.append((at, at + len(word)))
        at += len(word) + len(gap)
    text = task["lead"] + "".join(word + gap for word, gap in task["tokens"])
    tokens = tokens_from_offsets(text, offsets)
    spans = tuple(
        Span(tokens[start].start, tokens[end - 1].end, label)
        for start, end, label, *_ in task["spans"]
    )
    return Example(text, tokens=tokens, spans=spans, input_hash=int(task["id"]))


def annotate_with(
    widget: Annotator,
    annotator: SimulatedAnnotator,
    gold: Iterable[Example],
    *,
    limit: int | None = None,
) -> list[SimulatedAnswer]:
    """Answer the open examples of a widget with a simulated annotator.

    Parameters
    ----------
    widget : Annotator
        From ``session.manual()`` or ``session.make_gold()``.
    annotator : SimulatedAnnotator
        The simulated annotator.
    gold : iterable of Example
        Texts with the spans that the annotator knows, as far as they fit the
        tokens. In any other text it knows no entity.
    limit : int, optional
        Largest number of examples; by default until none is open.

    Returns
    -------
    list of SimulatedAnswer
        In the order of the answers, with actions and seconds.

    Raises
    ------
    StoreError
        An answer was not stored.
    """
    known = {example.text: example.spans for example in gold}
    page = HeadlessClient(widget)
    done: list[SimulatedAnswer] = []
    while limit is None or len(done) < limit:
        shown = page.next_example()
        if shown is None:
            break
        aligned = align(shown.tokens, known.get(shown.text, ())).aligned
        spans = [span for _, _, span in aligned]
        suggested = shown.spans if page.has_suggestions else None
        answer = annotator.annotate(shown.text, shown.tokens, spans, page.labels, suggested)
        page.accept(shown, answer.spans, answer.seconds)
        done.append(answer)
    return done
