"""A client of the widget protocol without a browser, and a simulated annotator that uses it.

For simulations and tests. The client sends the messages that a page sends (see the
protocol in CONTRIBUTING.md) and reads nothing but the replies.
"""

from __future__ import annotations

import uuid
from collections import deque
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from nbner._common.alignment import align, tokens_from_offsets
from nbner.errors import StoreError
from nbner.simulation.annotator import SimulatedAnnotator, SimulatedAnswer
from nbner.types import Example, Span, Token
from nbner.widgets.messages import (
    PROTOCOL_VERSION,
    AnswerRequest,
    FetchRequest,
    HelloRequest,
    PageState,
    Request,
    Setup,
    Task,
    WireSpan,
)
from nbner.widgets.serialization import serialize_span

if TYPE_CHECKING:
    from nbner.widgets.annotator import Annotator
    from nbner.widgets.base_widget import BaseAnnotationWidget

#: Examples that are fetched at a time.
_FETCH_SIZE = 12
#: Versions of an example that have a key.
_KEYED_CHOICES = 9


class HeadlessClient:
    """Client that exchanges the page's messages with a widget.

    Parameters
    ----------
    widget : Annotator
        The widget.
    """

    def __init__(self, widget: BaseAnnotationWidget) -> None:
        self._widget = widget
        self._offers: dict[int, int] = {}
        self._choices: dict[int, list[tuple[Span, ...]]] = {}
        self._offered: dict[int, tuple[Span, ...]] = {}
        self._setup: Setup
        self._window: deque[Task]
        self.reload()

    def reload(self) -> None:
        """Load the window again, as a page does when the kernel sends other suggestions."""
        request: HelloRequest = {"type": "hello", "protocol": PROTOCOL_VERSION}
        snapshot = self._request(request)
        self._setup = snapshot["setup"]
        self._window = deque(snapshot["window"])

    @property
    def has_suggestions(self) -> bool:
        """Whether the examples come with suggestions."""
        return self._setup["mode"] == "make-gold"

    @property
    def labels(self) -> list[str]:
        """The labels that can be assigned."""
        return list(self._setup["labels"])

    def next_example(self) -> Example | None:
        """Show the next open example, and return it; None if there is none left.

        Returns
        -------
        Example
            With the tokens and spans that the page shows.
        """
        if not self._window:
            request: FetchRequest = {"type": "fetch", "want": _FETCH_SIZE, "have": []}
            self._window.extend(self._request(request)["tasks"])
        if not self._window:
            return None
        task = self._window.popleft()
        labels = self.labels
        spans = [
            number
            for start, end, label, *_ in task["spans"]
            for number in (start, end, labels.index(label))
        ]
        state: PageState = {"type": "at", "example": task["id"], "spans": spans}
        example = _parse_task(task)
        versions = task.get("versions", [])
        self._choices[example.input_hash] = [
            _spans_of(one["spans"], example.tokens) for one in versions[:_KEYED_CHOICES]
        ]
        self._offered[example.input_hash] = _spans_of(task["also"], example.tokens)
        if "offer" in task:
            state["offer"] = self._offers[example.input_hash] = task["offer"]
        self._widget.receive(state)
        return example

    def choices(self, shown: Example) -> list[tuple[Span, ...]]:
        """Return the analyses or versions that the page offers, each with a digit as its key.

        Parameters
        ----------
        shown : Example
            The example.
        """
        # One alone has no key.
        found = self._choices.get(shown.input_hash, [])
        return found if len(found) > 1 else []

    def offered(self, shown: Example) -> tuple[Span, ...]:
        """Return the spans that the page offers below the text, each with a button.

        Parameters
        ----------
        shown : Example
            The example.
        """
        return self._offered.get(shown.input_hash, ())

    def accept(self, shown: Example, spans: Sequence[Span], seconds: float) -> None:
        """Accept an example, and add the examples of the reply to the window.

        Parameters
        ----------
        shown : Example
            The example.
        spans : sequence of Span
            Its entities.
        seconds : float
            Time spent on the example.

        Raises
        ------
        StoreError
            The answer was not stored.
        """
        request: AnswerRequest = {
            "type": "answer",
            "example": str(shown.input_hash),
            "answer": "accept",
            "spans": [serialize_span(one, shown) for one in spans],
            "flagged": False,
            "note": "",
            "seconds": seconds,
            "have": [one["id"] for one in self._window],
        }
        self._choices.pop(shown.input_hash, None)
        self._offered.pop(shown.input_hash, None)
        offer = self._offers.pop(shown.input_hash, None)
        if offer is not None:
            request["offer"] = offer
        self._window.extend(self._request(request)["next"])

    def _request(self, request: Request) -> dict[str, Any]:
        reply = self._widget.receive({"id": uuid.uuid4().hex, **request})
        if reply["type"] == "failed":
            raise StoreError(f"the widget has refused a message: {reply['message']}")
        return reply


def _parse_task(task: Task) -> Example:
    """Return the example of a task, with its tokens and spans in code points."""
    at, offsets = len(task["lead"]), []
    for word, gap in task["tokens"]:
        offsets.append((at, at + len(word)))
        at += len(word) + len(gap)
    text = task["lead"] + "".join(word + gap for word, gap in task["tokens"])
    tokens = tokens_from_offsets(text, offsets)
    spans = _spans_of(task["spans"], tokens)
    return Example(text, tokens=tokens, spans=spans, input_hash=int(task["id"]))


def _spans_of(wire: Sequence[WireSpan], tokens: Sequence[Token]) -> tuple[Span, ...]:
    return tuple(
        Span(tokens[start].start, tokens[end - 1].end, label) for start, end, label, *_ in wire
    )


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
        From ``session.manual()`` or ``session.make_gold()``. One that learns is
        waited for after every answer.
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
        answer = annotator.annotate(
            shown.text,
            shown.tokens,
            spans,
            page.labels,
            suggested,
            page.choices(shown),
            page.offered(shown),
        )
        page.accept(shown, answer.spans, answer.seconds)
        done.append(answer)
        if widget.learning is not None:
            # As somebody who reads: a training takes less time than an example.
            before = widget.learning.newest
            widget.learning.wait()
            if widget.learning.newest != before:
                page.reload()
    return done
