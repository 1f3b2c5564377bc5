"""The labelling widget: one class for labelling by hand and for correcting suggestions.

Which state lives where
-----------------------
In the kernel, and the truth: examples, answers, counts (behind the desk).
Synced from the kernel to the page: ``_setup``, once, and ``_snapshot``, made
afresh whenever a page asks for the widget's state and never sent again.
In the page alone: the window of coming examples, the edit in progress, undo
history, and answers that the kernel has not acknowledged.
Everything else travels as messages; each of the page's has an id and one reply.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterable
from importlib.resources import files
from typing import Any

import anywidget
import traitlets

import nbner
from nbner.errors import DataError, NbnerError
from nbner.palette import label_colors
from nbner.types import Answer, AnswerKind, Example, Span
from nbner.widgets import wire
from nbner.widgets.desk import Desk
from nbner.widgets.still import still

#: Examples that the page holds at a time: enough to go on while the kernel is
#: busy, few enough to cost nothing.
WINDOW = 12


def _bundle(name: str) -> str:
    file = files("nbner.widgets") / "static" / name
    if not file.is_file():
        raise NbnerError(
            f"the front end's {name} is missing from this installation. "
            "Install nbner from a wheel, or run `pip install -e .` in the source folder."
        )
    return file.read_text(encoding="utf-8")


class Annotator(anywidget.AnyWidget):
    """Label the examples of a desk in a notebook cell.

    ``Session.manual`` and ``Session.make_gold`` make it; any other ``Desk``
    serves as well.

    Parameters
    ----------
    desk : Desk
        Where examples come from and answers go.
    """

    _esm = _bundle("annotator.js")
    _css = _bundle("annotator.css")

    # Private wire: the page reads these and never writes them.
    _setup = traitlets.Dict().tag(sync=True)
    _snapshot = traitlets.Any(None).tag(
        sync=True,
        to_json=lambda _value, widget: widget._take_snapshot(),  # noqa: SLF001
    )

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._handlers: dict[str, Callable[[wire.Message], wire.Message]] = {
            "answer": self._take_answer,
            "fetch": self._give_upcoming,
            "past": self._give_past,
            "hello": self._give_snapshot,
        }
        self._colors = label_colors(desk.info.labels)
        self._unsubscribe: Callable[[], None] | None = None
        super().__init__(_setup=wire.setup(desk.info, nbner.__version__, self._colors))
        self.on_msg(self._on_message)
        self._replying: set[str] = set()
        self._unsubscribe = desk.subscribe(self._tell)

    # What a user calls.

    @property
    def current(self) -> Example | None:
        """The first open example, as the kernel knows it; None when all are done."""
        return next(iter(self._desk.upcoming(1)), None)

    def answer(
        self,
        answer: AnswerKind,
        spans: Iterable[Span | tuple[int, int, str]] | None = None,
        *,
        example: Example | None = None,
        flagged: bool = False,
        note: str = "",
    ) -> Example:
        """Decide an example by code, exactly as the buttons do.

        Parameters
        ----------
        answer : {"accept", "reject", "ignore"}
        spans : iterable of Span or (start, end, label), optional
            In code points. By default the spans that are shown.
        example : Example, optional
            By default the current one.
        flagged : bool
        note : str

        Returns
        -------
        Example
            As it is stored now.

        Raises
        ------
        DataError
            Nothing is open, or a span does not fit the tokens, overlaps
            another or has a label that this widget does not have.
        StoreError
            The store cannot take it.
        """
        shown = example or self.current
        if shown is None:
            raise DataError("nothing is open here", remedy="Add texts with session.add(...)")
        chosen = shown.spans if spans is None else spans
        message = {
            "id": uuid.uuid4().hex,
            "answer": answer,
            "spans": [wire.token_span(one, shown) for one in chosen],
            "flagged": flagged,
            "note": note,
        }
        self._desk.record(wire.answer_from(message, shown, self._desk.info))
        return self._find(shown.input_hash)

    def undo(self) -> Example | None:
        """Take this annotator's last decision back; its spans stay as a draft.

        Returns
        -------
        Example or None
            The example that is open again; None if there was no decision.
        """
        last = next(iter(self._desk.past(1)), None)
        if last is None:
            return None
        reopened = Answer(
            id=uuid.uuid4().hex,
            input_hash=last.input_hash,
            split=last.split,
            annotator=self._desk.info.annotator,
            answer=None,
            spans=last.spans,
            flagged=last.flagged,
            note=last.note,
            labels=self._desk.info.labels,
            created=time.time(),
        )
        self._desk.record(reopened)
        return self._find(last.input_hash)

    def refresh(self) -> None:
        """Show what the desk holds now; for when the stream or the model has changed."""
        self.send({"type": "refresh", **self._take_snapshot()})

    def receive(self, message: wire.Message) -> wire.Message:
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
        reply: wire.Message
        try:
            reply = self._handler(message)(message)
        except DataError as error:
            reply = {"type": "failed", "message": str(error), "retry": False}
        except Exception as error:  # noqa: BLE001
            # Whatever it was, the page must hear that the answer is not stored:
            # an exception in a message handler would vanish without a trace.
            reply = {"type": "failed", "message": _sentence(error), "retry": True}
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

    # The protocol.

    def _send(self, msg: wire.Message, buffers: Any = None) -> None:
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

    def _on_message(self, _widget: object, content: wire.Message, _buffers: object) -> None:
        self.send(self.receive(content))

    def _handler(self, message: wire.Message) -> Callable[[wire.Message], wire.Message]:
        kind = message.get("type")
        handler = self._handlers.get(kind) if isinstance(kind, str) else None
        if handler is None:
            raise DataError(
                f"this version of nbner does not know the message {kind!r}",
                remedy="Reload the page, and run the cell again",
            )
        return handler

    def _take_answer(self, message: wire.Message) -> wire.Message:
        example = self._find(wire.example_id(message))
        answer = wire.answer_from(message, example, self._desk.info)
        self._replying.add(answer.id)
        try:
            self._desk.record(answer)
        finally:
            self._replying.discard(answer.id)
        reply = wire.saved(answer, example, self._desk.counts())
        return {**reply, "next": self._refill(wire.held(message))}

    def _refill(self, held: set[int]) -> list[wire.Message]:
        """Give what the page's window lacks; nothing where that cannot be had now.

        The answer is stored by then, and must be acknowledged whatever happens
        to the examples after it. The page asks for those, and hears why.
        """
        try:
            return self._tasks(WINDOW - len(held), held)
        except Exception:  # noqa: BLE001
            return []

    def _give_upcoming(self, message: wire.Message) -> wire.Message:
        tasks = self._tasks(_wanted(message), wire.held(message))
        return {"type": "tasks", "tasks": tasks, "counts": wire.tally(self._desk.counts())}

    def _give_past(self, message: wire.Message) -> wire.Message:
        before = wire.example_id(message, "before") if message.get("before") else None
        past = self._desk.past(_wanted(message), before)
        return {
            "type": "tasks",
            "tasks": [wire.task(example) for example in past],
            "counts": wire.tally(self._desk.counts()),
        }

    def _give_snapshot(self, _message: wire.Message) -> wire.Message:
        return {"type": "snapshot", "setup": self._setup, **self._take_snapshot()}

    def _take_snapshot(self) -> wire.Message:
        past = [wire.task(example) for example in self._desk.past(WINDOW)]
        return {
            "window": self._tasks(WINDOW),
            "past": past[::-1],
            "counts": wire.tally(self._desk.counts()),
        }

    def _tasks(self, limit: int, exclude: Iterable[int] = ()) -> list[wire.Message]:
        if limit <= 0:
            return []
        return [wire.task(example) for example in self._desk.upcoming(limit, set(exclude))]

    def _find(self, input_hash: int) -> Example:
        example = self._desk.find(input_hash)
        if example is None:
            raise DataError(
                f"example {input_hash} is not in this dataset",
                remedy="Run the cell again to see what is",
            )
        return example

    def _tell(self, answer: Answer) -> None:
        """Tell the page of an answer; one that it sent itself gets a reply instead."""
        if answer.id in self._replying:
            return
        example = self._desk.find(answer.input_hash)
        if example is not None:
            self.send(wire.saved(answer, example, self._desk.counts()))

    # Where no kernel lives.

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle = super()._repr_mimebundle_(**kwargs)
        data, *metadata = bundle if isinstance(bundle, tuple) else (bundle,)
        info, counts = self._desk.info, self._desk.counts()
        caption = (
            f"{info.dataset} · {info.split} · {counts.answered:,} of {counts.total:,} answered"
        )
        data = {**(data or {}), "text/html": still(self.current, self._colors, caption)}
        return (data, *metadata) if metadata else data


def _wanted(message: wire.Message) -> int:
    want = message.get("want", WINDOW)
    return min(want, 10 * WINDOW) if isinstance(want, int) else WINDOW


def _sentence(error: Exception) -> str:
    return str(error) if isinstance(error, NbnerError) else f"{type(error).__name__}: {error}"
