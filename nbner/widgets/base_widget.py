"""The widget's side of the protocol: messages in, one reply each, news out."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence
from threading import Lock
from time import perf_counter
from typing import Any

import traitlets

from nbner._common.colors import label_colors
from nbner._version import __version__
from nbner.errors import DataError, NbnerError
from nbner.types import Answer, Example
from nbner.widgets import messages, redecode_messages
from nbner.widgets.bundle import BundledWidget, read_bundle
from nbner.widgets.callbacks import AnswerCallbacks
from nbner.widgets.priority_queue import PriorityQueue
from nbner.widgets.query_handlers import QueryHandlers
from nbner.widgets.queue_protocol import ExampleQueue
from nbner.widgets.sent_examples import SentExamples

_LOG = logging.getLogger(__name__)

#: Examples that the page holds at a time: enough to go on while the kernel is
#: busy, few enough to cost nothing.
WINDOW_SIZE = 12


class BaseAnnotationWidget(BundledWidget):
    """Speaks with the page on behalf of a desk.

    Parameters
    ----------
    example_queue : ExampleQueue
        Where examples come from and answers go.
    """

    _esm = read_bundle("annotator.js")
    _css = read_bundle("annotator.css")

    # Private wire: the page reads these and never writes them.
    _setup = traitlets.Dict().tag(sync=True)
    _snapshot = traitlets.Any(None).tag(
        sync=True,
        to_json=lambda _value, self: self._take_snapshot(),
    )

    def __init__(self, example_queue: ExampleQueue) -> None:
        self._desk = example_queue
        self._lineup = PriorityQueue(example_queue)
        self._given = SentExamples(self._show_notice)
        self._asking = QueryHandlers(example_queue, self._given.serialize)
        self._callbacks = AnswerCallbacks(self._show_notice)
        self._handlers: dict[str, Callable[[messages.Message], messages.Message]] = {
            "answer": self._take_answer,
            "fetch": self._give_upcoming,
            "past": self._give_past,
            "hello": self._give_snapshot,
            "find": self._asking.find,
            "list": self._asking.listing,
            "occurrences": self._asking.occurrences,
            "bulk": self._take_bulk,
            "analyses": self._give_analyses,
        }
        self._colors = label_colors(example_queue.info.labels)
        self._unsubscribe: Callable[[], None] | None = None
        self._replying: set[str] = set()
        # Answers of another widget may arrive on another thread.
        self._due: list[int] = []
        self._due_lock = Lock()
        self._page_has_spoken = False
        #: The first open example, as the last snapshot had it; None if something has changed since.
        self._opening: Example | None = None
        super().__init__(
            _setup=messages.serialize_setup(example_queue.info, __version__, self._colors)
        )
        self.on_msg(self._on_message)
        self._unsubscribe = example_queue.subscribe(self._tell)

    def receive(self, message: messages.Message) -> messages.Message:
        """Handle one message of the protocol and give its reply.

        Parameters
        ----------
        message : dict
            With ``type`` and ``id``; see the protocol in CONTRIBUTING.md.

        Returns
        -------
        dict
            With ``re``, the message's id, and ``type``; ``failed`` says what
            is wrong and whether the same message may be sent again.
        """
        started = perf_counter()
        reply = self._reply_to(message)
        _LOG.debug(
            "message %.40r: reply %r in %.1f ms",
            message.get("type"),
            reply.get("type"),
            1000 * (perf_counter() - started),
        )
        return reply

    def _reply_to(self, message: messages.Message) -> messages.Message:
        reply: messages.Message
        if message.get("type") == "at":
            self._hear(message)
            return {}
        try:
            reply = self._handler(message)(message)
        except DataError as error:
            reply = {"type": "failed", "message": str(error), "retry": False}
        except Exception as error:  # noqa: BLE001
            # Whatever it was, the page must hear that the answer is not stored:
            # an exception in a message handler would vanish without a trace.
            _LOG.debug("message %.40r failed", message.get("type"), exc_info=True)
            reply = {"type": "failed", "message": format_error(error), "retry": True}
        return {"re": message.get("id"), **reply}

    def close(self) -> None:
        """Leave the cell and stop listening to the desk."""
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None
        super().close()

    def open(self) -> None:
        """Tell the page that the widget is there."""
        super().open()
        self._let_the_page_choose()

    def update_labels(self) -> None:
        """Offer the labels that the desk has now, in every view."""
        info = self._desk.info
        self._colors = label_colors(info.labels)
        self._setup = messages.serialize_setup(info, __version__, self._colors)

    # The protocol.

    def _send(self, msg: messages.Message, buffers: Any = None) -> None:
        super()._send(msg, buffers=buffers)
        self._let_the_page_choose()

    def _let_the_page_choose(self) -> None:
        """Have the page's messages handled where the page addresses them.

        The page names a subshell, so that answers are stored while a cell
        runs. ipykernel 7.4 looks past that and takes the thread that spoke last
        on the comm: after a word from the main thread, every answer would wait
        for the running cell. Without that memory it follows the address.
        """
        getattr(self.comm, "__dict__", {}).pop("_reply_subshell_id", None)

    def _on_message(self, _widget: object, content: messages.Message, _buffers: object) -> None:
        reply = self.receive(content)
        if reply:
            self.send(reply)
        self._call_back()

    def _handler(self, message: messages.Message) -> Callable[[messages.Message], messages.Message]:
        kind = message.get("type")
        handler = self._handlers.get(kind) if isinstance(kind, str) else None
        if handler is None:
            raise DataError(
                f"this version of nbner does not know the message {kind!r}",
                remedy="Reload the page, and run the cell again",
            )
        return handler

    def _take_answer(self, message: messages.Message) -> messages.Message:
        example = self._find(messages.read_example_id(message))
        answer = messages.parse_answer(message, example, self._desk.info)
        self._replying.add(answer.id)
        try:
            self._desk.record(answer)
        finally:
            self._replying.discard(answer.id)
        self._given.unrenderable.pop(answer.input_hash, None)
        reply = messages.saved_message(answer, example, self._desk.counts())
        return {**reply, "next": self._refill(messages.read_ids(message))}

    def _take_bulk(self, message: messages.Message) -> messages.Message:
        whole = messages.require_text(message, "bulk")
        self._replying.add(whole)
        try:
            return self._asking.bulk(message, self._desk.record_many)
        finally:
            self._replying.discard(whole)

    def _refill(self, held: Sequence[int]) -> list[messages.Message]:
        """Give what the page's window lacks; nothing where that cannot be had now.

        The answer is stored by then, and must be acknowledged whatever happens
        to the examples after it. The page asks for those, and hears why.
        """
        try:
            return self._tasks(WINDOW_SIZE - len(held), held)
        except Exception:  # noqa: BLE001
            _LOG.debug("the reply to an answer has no examples", exc_info=True)
            return []

    def _give_upcoming(self, message: messages.Message) -> messages.Message:
        tasks = self._tasks(_wanted(message), messages.read_ids(message))
        return {
            "type": "tasks",
            "tasks": tasks,
            "counts": messages.serialize_counts(self._desk.counts()),
        }

    def _give_past(self, message: messages.Message) -> messages.Message:
        before = messages.read_example_id(message, "before") if message.get("before") else None
        past = self._desk.recent(_wanted(message), before)
        return {
            "type": "tasks",
            "tasks": self._given.serialize(past),
            "counts": messages.serialize_counts(self._desk.counts()),
        }

    def _give_analyses(self, message: messages.Message) -> messages.Message:
        return redecode_messages.serialize_redecoding(
            message, self._find(messages.read_example_id(message)), self._desk
        )

    def _give_snapshot(self, message: messages.Message) -> messages.Message:
        if message.get("protocol", messages.PROTOCOL_VERSION) != messages.PROTOCOL_VERSION:
            raise DataError(
                "this page was loaded by another version of nbner than the kernel runs",
                remedy="Reload the page, and run the cell again",
            )
        return {"type": "snapshot", "setup": self._setup, **self._take_snapshot()}

    def _take_snapshot(self, first: Example | None = None) -> messages.Message:
        past = self._given.serialize(self._desk.recent(WINDOW_SIZE))
        kept = [] if first is None else self._desk.load([first.input_hash])
        shown = [one for one in kept if one.answer is None]
        rest = self._tasks(WINDOW_SIZE - len(shown), [one.input_hash for one in shown])
        window = self._given.serialize(shown) + rest
        self._opening = (
            self._given.get(messages.read_example_id(window[0], "id")) if window else None
        )
        return {
            "window": window,
            "past": past[::-1],
            "counts": messages.serialize_counts(self._desk.counts()),
        }

    def _tasks(self, limit: int, exclude: Collection[int] = ()) -> list[messages.Message]:
        tasks: list[messages.Message] = []
        passed_over = set(exclude)
        # Examples that cannot be shown are told of once, and others come in their place.
        while len(tasks) < limit:
            wanted = limit - len(tasks)
            found = self._lineup.next_batch(wanted, passed_over | set(self._given.unrenderable))
            tasks += self._given.serialize(found)
            passed_over |= {one.input_hash for one in found}
            if len(found) < wanted:
                break
        return tasks

    def _find(self, input_hash: int) -> Example:
        example = self._desk.find(input_hash)
        if example is None:
            raise DataError(
                f"example {input_hash} is not in this dataset",
                remedy="Run the cell again to see what is",
            )
        return example

    def _started(self, input_hash: int) -> Example | None:
        return next(iter(self._desk.load([input_hash])), None)

    def _tell(self, answers: Sequence[Answer]) -> None:
        """Tell the page of answers; those that it sent itself get a reply instead."""
        self._opening = None
        for answer in answers:
            self._given.forget(answer.input_hash)
        with self._due_lock:
            self._due += [answer.input_hash for answer in answers]
        is_own = bool(self._replying) and all(self._is_own(answer.id) for answer in answers)
        if is_own:
            return
        if len(answers) == 1:
            example = self._desk.find(answers[0].input_hash)
            if example is not None:
                self.send(messages.saved_message(answers[0], example, self._desk.counts()))
            self._look_again()
        else:
            self.refresh()
        self._call_back()

    def _is_own(self, answer_id: str) -> bool:
        return answer_id.split(":", maxsplit=1)[0] in self._replying

    def _call_back(self) -> None:
        with self._due_lock:
            due, self._due = self._due, []
        found = (self._desk.find(one) for one in dict.fromkeys(due))
        self._callbacks.call(one for one in found if one is not None)

    def _show_notice(self, text: str, detail: str) -> None:
        self.send({"type": "notice", "text": text, "detail": detail})

    # What the page tells of itself: a widget that cares takes it in.

    def _hear(self, message: messages.Message) -> None:
        """Take in what the page shows. It is news: nobody waits for a reply."""

    def _look_again(self) -> None:
        """Follow the desk, which may hold something else now."""

    def refresh(self, *, keep_current: bool = False) -> None:
        """Show what the desk holds now."""
        raise NotImplementedError


def _wanted(message: messages.Message) -> int:
    want = message.get("want", WINDOW_SIZE)
    return min(want, 10 * WINDOW_SIZE) if isinstance(want, int) else WINDOW_SIZE


def format_error(error: Exception) -> str:
    """Say an error in words; of a foreign one also its kind."""
    return str(error) if isinstance(error, NbnerError) else f"{type(error).__name__}: {error}"
