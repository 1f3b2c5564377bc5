"""Base class of the widgets that show examples: handles requests and notifies the page."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from time import perf_counter
from typing import Any, Literal, TypeAlias

import traitlets

from nbner._common.colors import label_colors
from nbner._common.reply_priority import REPLIES
from nbner._version import __version__
from nbner.errors import DataError, NbnerError
from nbner.types import Answer, Counts, Example
from nbner.widgets.bundled_widget import BundledWidget, read_bundle
from nbner.widgets.example_window import PriorityQueue, SentExamples
from nbner.widgets.messages import (
    PROTOCOL_VERSION,
    BulkReply,
    BundleReply,
    CountsMessage,
    DailyTargetMessage,
    FailedMessage,
    KernelMessage,
    NoticeMessage,
    RawMessage,
    SavedMessage,
    Setup,
    SnapshotMessage,
    Task,
    TasksMessage,
    WindowSnapshot,
)
from nbner.widgets.parsing import parse_answer, read_example_id, read_ids, require_text
from nbner.widgets.query_handlers import QueryHandlers, find_example
from nbner.widgets.queue_protocol import ExampleQueue
from nbner.widgets.serialization import saved_message, serialize_counts, serialize_setup

_LOG = logging.getLogger(__name__)

Handler: TypeAlias = Callable[[RawMessage], KernelMessage]

#: Examples in the page's window: enough to continue while the kernel is busy.
WINDOW_SIZE = 12

_MINUTES_OF_DAY = 24 * 60


class BaseAnnotationWidget(BundledWidget):
    """Widget that exchanges the messages of the protocol with its page.

    Parameters
    ----------
    example_queue : ExampleQueue
        Source of examples and store of answers.
    """

    _esm = read_bundle("annotator.js")
    _css = read_bundle("annotator.css")
    _loader = read_bundle("annotator.loader.js")

    # The page reads these and never writes them.
    _setup = traitlets.Dict().tag(sync=True)
    _snapshot = traitlets.Any(None).tag(
        sync=True,
        to_json=lambda _value, self: self._take_snapshot(),
    )

    def __init__(self, example_queue: ExampleQueue) -> None:
        self._example_queue = example_queue
        self._priority_queue = PriorityQueue(example_queue)
        self._sent = SentExamples(self._show_notice)
        self._queries = QueryHandlers(example_queue, self._sent.serialize)
        self._handlers: dict[str, Handler] = {
            "answer": self._handle_answer,
            "fetch": self._handle_fetch,
            "past": self._handle_past,
            "hello": self._handle_hello,
            "find": self._queries.find,
            "list": self._queries.list_examples,
            "occurrences": self._queries.find_occurrences,
            "bulk": self._handle_bulk,
            "analyses": self._queries.redecode,
            "guideline": self._queries.guideline,
            "bundle": self._handle_bundle,
        }
        self._colors = label_colors(example_queue.info.labels, example_queue.info.colors)
        self._unsubscribe: Callable[[], None] | None = None
        # Ids of the answers and bulk changes that get a reply.
        self._replying: set[str] = set()
        self._has_page_state = False
        #: Time zone of the page; before it has said so, this machine's.
        self._zone: timezone | None = None
        #: First example and counts of the last snapshot; None if an answer has come since.
        self._first_shown: Example | None = None
        self._counts_shown: Counts | None = None
        super().__init__(_setup=self._build_setup())
        self.on_msg(self._on_message)
        self._unsubscribe = example_queue.subscribe(self._on_answers)

    def receive(self, message: RawMessage) -> dict[str, Any]:
        """Handle one message of the page and return its reply.

        Parameters
        ----------
        message : mapping
            With ``type`` and ``id``; see the protocol in CONTRIBUTING.md.

        Returns
        -------
        dict
            The reply, with the message's id as ``re``; a `FailedMessage` where the
            request failed; empty for the page's state, which has no reply.
        """
        started = perf_counter()
        with REPLIES.reply():
            reply = self._reply_to(message)
        _LOG.debug(
            "message %.40r: reply %r in %.1f ms",
            message.get("type"),
            reply.get("type"),
            1000 * (perf_counter() - started),
        )
        return reply

    def _reply_to(self, message: RawMessage) -> dict[str, Any]:
        reply: KernelMessage
        if message.get("type") == "at":
            self._on_page_state(message)
            return {}
        try:
            reply = self._handler(message)(message)
        except DataError as error:
            reply = _failed(str(error), retry=False)
        except Exception as error:  # noqa: BLE001
            # An exception that leaves a message handler would be lost: the page must
            # know that the answer is not stored.
            _LOG.debug("message %.40r failed", message.get("type"), exc_info=True)
            reply = _failed(format_error(error), retry=not _is_final(error))
        return {"re": message.get("id"), **reply}

    def close(self) -> None:
        """Remove the widget from its cell and end the subscription to answers."""
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None
        super().close()

    def open(self) -> None:
        """Create the widget on the page."""
        super().open()
        self._reset_reply_subshell()

    def update_labels(self) -> None:
        """Show the current labels of the queue in every view."""
        info = self._example_queue.info
        self._colors = label_colors(info.labels, info.colors)
        self._setup = self._build_setup()

    def _build_setup(self) -> Setup:
        setup = serialize_setup(self._example_queue.info, __version__, self._colors)
        if self._example_queue.info.target is not None:
            target = self._target(serialize_counts(self._example_queue.counts()))
            if target is not None:
                setup["target"] = target
        return setup

    def refresh(self, *, keep_current: bool = False) -> None:
        """Send the current examples of the queue to every view.

        Parameters
        ----------
        keep_current : bool
            Whether the example on display stays.
        """
        raise NotImplementedError

    # Messages.

    def _send(self, msg: Mapping[str, Any], buffers: Any = None) -> None:
        super()._send(msg, buffers=buffers)
        self._reset_reply_subshell()

    def _reset_reply_subshell(self) -> None:
        """Have messages handled in the subshell that the page names.

        The page names one so that answers are stored while a cell runs. ipykernel 7.4
        uses the thread that has sent the comm's last message instead: after a message
        from the main thread, every answer would wait for the running cell.
        """
        getattr(self.comm, "__dict__", {}).pop("_reply_subshell_id", None)

    def _post(self, message: KernelMessage) -> None:
        self.send(message)

    def _show_notice(self, text: str, detail: str) -> None:
        notice: NoticeMessage = {"type": "notice", "text": text, "detail": detail}
        self._post(notice)

    def _on_message(self, _widget: object, content: RawMessage, _buffers: object) -> None:
        reply = self.receive(content)
        if reply:
            self.send(reply)
        self._run_callbacks()

    def _handler(self, message: RawMessage) -> Handler:
        kind = message.get("type")
        handler = self._handlers.get(kind) if isinstance(kind, str) else None
        if handler is None:
            raise DataError(
                f"this version of nbner does not know the message {kind!r}",
                remedy="Reload the page, and run the cell again",
            )
        return handler

    def _handle_answer(self, message: RawMessage) -> SavedMessage:
        example = find_example(self._example_queue, read_example_id(message))
        answer = parse_answer(message, example, self._example_queue.info)
        self._replying.add(answer.id)
        try:
            is_new = self._example_queue.record(answer)
        finally:
            self._replying.discard(answer.id)
        self._sent.unrenderable.pop(answer.input_hash, None)
        if not is_new:
            # It came a second time, and much may have happened in between.
            answer = self._as_stored(answer)
        reply = self._saved_message(answer, example)
        reply["next"] = self._refill(read_ids(message))
        return reply

    def _as_stored(self, answer: Answer) -> Answer:
        """Return an answer with what the store holds of its example now."""
        now = find_example(self._example_queue, answer.input_hash)
        return replace(
            answer, answer=now.answer, spans=now.spans, flagged=now.flagged, note=now.note
        )

    def _handle_bulk(self, message: RawMessage) -> BulkReply:
        batch_id = require_text(message, "bulk")
        self._replying.add(batch_id)
        try:
            return self._queries.change_occurrences(message, self._example_queue.record_many)
        finally:
            self._replying.discard(batch_id)

    def _handle_fetch(self, message: RawMessage) -> TasksMessage:
        return self._tasks_message(self._next_tasks(_limit(message), read_ids(message)))

    def _handle_past(self, message: RawMessage) -> TasksMessage:
        before = read_example_id(message, "before") if message.get("before") else None
        recent = self._example_queue.recent(_limit(message), before)
        return self._tasks_message(self._sent.serialize(recent))

    def _handle_hello(self, message: RawMessage) -> SnapshotMessage:
        if message.get("protocol", PROTOCOL_VERSION) != PROTOCOL_VERSION:
            raise DataError(
                "this page was loaded by another version of nbner than the kernel runs",
                remedy="Reload the page, and run the cell again",
            )
        if message.get("loaded") is True:
            self._loaded.add(self._loader)
        zone = message.get("zone")
        if isinstance(zone, int) and abs(zone) < _MINUTES_OF_DAY:
            self._zone = timezone(timedelta(minutes=-zone))
        reply = self._snapshot_message("snapshot")
        reply["setup"] = self._setup
        return reply

    def _handle_bundle(self, _message: RawMessage) -> BundleReply:
        """Send the front end to a page that has only got the loader."""
        return {"type": "bundle", "script": str(self._esm), "style": str(self._css)}

    def _on_page_state(self, message: RawMessage) -> None:
        """Store what the page shows; does nothing here.

        Parameters
        ----------
        message : mapping
            A `PageState`, unchecked.
        """

    # Examples.

    def _take_snapshot(self, first: Example | None = None) -> WindowSnapshot:
        """Serialize the page's window, which begins with ``first`` if that is still open."""
        queue = self._example_queue
        past = self._sent.serialize(queue.recent(WINDOW_SIZE))
        kept = [] if first is None else queue.load([first.input_hash])
        kept = [one for one in kept if one.answer is None]
        rest = self._next_tasks(WINDOW_SIZE - len(kept), [one.input_hash for one in kept])
        window = self._sent.serialize(kept) + rest
        counts = queue.counts()
        self._first_shown = self._sent.get(int(window[0]["id"])) if window else None
        self._counts_shown = counts
        return {"window": window, "past": past[::-1], "counts": serialize_counts(counts)}

    def _snapshot_message(
        self, kind: Literal["snapshot", "refresh"], first: Example | None = None
    ) -> SnapshotMessage:
        taken = self._take_snapshot(first)
        message: SnapshotMessage = {
            "type": kind,
            "window": taken["window"],
            "past": taken["past"],
            "counts": taken["counts"],
        }
        target = self._target(taken["counts"])
        if target is not None:
            message["target"] = target
        return message

    def _saved_message(self, answer: Answer, example: Example) -> SavedMessage:
        message = saved_message(answer, example, self._example_queue.counts())
        target = self._target(message["counts"])
        if target is not None:
            message["target"] = target
        return message

    def _target(self, counts: CountsMessage) -> DailyTargetMessage | None:
        """Count towards the daily target what was decided since the annotator's midnight."""
        target = self._example_queue.info.target
        if target is None:
            return None
        now = datetime.now(self._zone).astimezone(self._zone)
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        return {
            "daily": target.daily,
            "today": target.count_since(midnight.timestamp()),
            "answered": counts["total"] - counts["open"],
        }

    def _next_tasks(self, limit: int, exclude: Collection[int] = ()) -> list[Task]:
        tasks: list[Task] = []
        excluded = set(exclude)
        # Examples that cannot be shown are reported once and replaced by others.
        while len(tasks) < limit:
            wanted = limit - len(tasks)
            found = self._priority_queue.next_batch(wanted, excluded | set(self._sent.unrenderable))
            tasks += self._sent.serialize(found)
            excluded |= {one.input_hash for one in found}
            if len(found) < wanted:
                break
        return tasks

    def _refill(self, in_window: Sequence[int]) -> list[Task]:
        """Return examples to fill the page's window; none if that fails.

        The answer has been stored and must be acknowledged in any case. The page then
        fetches examples and receives the error.
        """
        try:
            return self._next_tasks(WINDOW_SIZE - len(in_window), in_window)
        except Exception:  # noqa: BLE001
            _LOG.debug("the reply to an answer has no examples", exc_info=True)
            return []

    def _tasks_message(self, tasks: list[Task]) -> TasksMessage:
        counts = serialize_counts(self._example_queue.counts())
        return {"type": "tasks", "tasks": tasks, "counts": counts}

    def _load(self, input_hash: int) -> Example | None:
        return next(iter(self._example_queue.load([input_hash])), None)

    # Answers.

    def _on_answers(self, answers: Sequence[Answer]) -> None:
        """Notify the page of answers, except of its own, which get a reply."""
        self._first_shown = self._counts_shown = None
        for answer in answers:
            self._sent.forget(answer.input_hash)
        if self._replying and all(self._gets_reply(answer.id) for answer in answers):
            return
        if len(answers) == 1:
            example = self._example_queue.find(answers[0].input_hash)
            if example is not None:
                self._post(self._saved_message(answers[0], example))
            self._sync_current()
        else:
            self.refresh()
        self._run_callbacks()

    def _gets_reply(self, answer_id: str) -> bool:
        return answer_id.split(":", maxsplit=1)[0] in self._replying

    def _run_callbacks(self) -> None:
        """Call the user's functions after answers; does nothing here."""

    def _sync_current(self) -> None:
        """Update the example on display after an answer; does nothing here."""


def format_error(error: Exception) -> str:
    """Format an error for the user, with its type if it is not nbner's.

    Parameters
    ----------
    error : Exception
        The error.
    """
    return str(error) if isinstance(error, NbnerError) else f"{type(error).__name__}: {error}"


# What a message itself brings about: sent again, it would do the same.
_FINAL = (ValueError, TypeError, LookupError, ArithmeticError, RecursionError)


def _is_final(error: BaseException) -> bool:
    """Return whether a message that raised an error can never be taken."""
    # The database's own layer wraps what a value brings about.
    cause = getattr(error, "orig", None)
    return isinstance(error, _FINAL) or isinstance(cause, _FINAL)


def _failed(message: str, *, retry: bool) -> FailedMessage:
    return {"type": "failed", "message": message, "retry": retry}


def _limit(message: RawMessage) -> int:
    want = message.get("want", WINDOW_SIZE)
    return min(want, 10 * WINDOW_SIZE) if isinstance(want, int) else WINDOW_SIZE
