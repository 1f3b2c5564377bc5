"""The labelling widget: one class for labelling by hand and for correcting suggestions.

Which state lives where
-----------------------
In the kernel, and the truth: examples, answers, counts (behind the desk).
Synced from the kernel to the page: ``_setup``, anew when labels are added, and ``_snapshot``, made
afresh whenever a page asks for the widget's state and never sent again.
As the page last told: ``current`` and ``selection``, for users to read and observe.
In the page alone: the window of coming examples, the edit in progress, undo
history, and answers that the kernel has not acknowledged.
Everything else travels as messages; each of the page's has an id and one reply.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import traitlets

from nbner._common.alignment import filter_spans
from nbner._common.filters import ExampleFilter
from nbner._common.suggestion_report import SuggestionFeed, SuggestionReport
from nbner.errors import DataError
from nbner.types import AnswerKind, Example, Span
from nbner.widgets import messages, page_state
from nbner.widgets.answer_events import raise_queue_errors, undo_answer
from nbner.widgets.base_widget import BaseAnnotationWidget, format_error
from nbner.widgets.callbacks import AnswerCallback
from nbner.widgets.page_state import Selection
from nbner.widgets.queue_protocol import ExampleQueue
from nbner.widgets.static_html import render_static


class Annotator(BaseAnnotationWidget):
    """Label the examples of a desk in a notebook cell.

    ``Session.manual`` and ``Session.make_gold`` make it; any other ``ExampleQueue``
    serves as well.

    Parameters
    ----------
    example_queue : ExampleQueue
        Where examples come from and answers go.
    suggestions : SuggestionFeed, optional
        What there is to say of the functions that suggest.

    Attributes
    ----------
    current : Example or None
        What the page shows, with its spans as they stand there, decided or
        not; before a page has spoken, the first open example. Read only;
        ``annotator.observe(function, "current")`` calls back when it changes.
    selection : Selection or None
        What is selected there: a ``Span`` of code points with its ``text``.
        Read only, and observed as ``current`` is.
    """

    # Read by the user, as the page tells.
    current = traitlets.Any(None, read_only=True)
    selection = traitlets.Instance(Selection, allow_none=True, default_value=None, read_only=True)

    def __init__(
        self, example_queue: ExampleQueue, suggestions: SuggestionFeed | None = None
    ) -> None:
        self._suggestions = suggestions
        self._suggestion_notice = ("", "")
        self._stop_suggestion_news: Callable[[], None] | None = None
        super().__init__(example_queue)
        if suggestions is not None:
            self._stop_suggestion_news = suggestions.subscribe(self._hear_of_suggestions)

    # What a user calls.

    @property
    def suggestion_report(self) -> SuggestionReport:
        """What became of the suggestions of ``make_gold(suggest=...)``.

        Its ``frame`` lists every suggestion that could not be placed in its
        text, was placed by similarity, or has a label that the session does not
        have; printed, it counts them for each function.
        """
        return SuggestionReport() if self._suggestions is None else self._suggestions.report

    @traitlets.default("current")  # type: ignore[untyped-decorator]
    def _as_opened(self) -> Example | None:
        shown = self._opening
        return self._first_open() if shown is None else page_state.apply_page_spans(shown, {}, ())

    def _first_open(self) -> Example | None:
        found = next(iter(self._lineup.next_batch(1, self._given.unrenderable)), None)
        return None if found is None else page_state.apply_page_spans(found, {}, ())

    @property
    def queue(self) -> list[int]:
        """Input hashes of the examples that come next because code has said so.

        Set it to examples, or to their input hashes: they come next, in this
        order, in every view at once. An example in work stays until it is
        decided. Assigning raises ``DataError`` for what is not in this split
        or decided already; all others are in the queue nevertheless.
        """
        return self._lineup.pending

    @queue.setter
    def queue(self, items: Iterable[Example | int]) -> None:
        hashes = [self._hash_of(item, "queue") for item in items]
        unknown, answered = self._lineup.set(hashes)
        self.refresh(keep_current=True)
        raise_queue_errors(
            unknown, answered, n_queued=len(set(hashes)) - len(unknown) - len(answered)
        )

    def goto(self, item: Example | int) -> Example:
        """Show an example in every view, whatever its place, and let it be edited.

        Parameters
        ----------
        item : Example or int
            An example, its input hash, or its position in the split.

        Returns
        -------
        Example
            As it is shown.

        Raises
        ------
        DataError
            There is no such example.
        """
        shown = self._started(self._hash_of(item, "goto"))
        if shown is None and isinstance(item, int) and item >= 0:
            page = self._desk.list_examples(ExampleFilter(), item, 1)
            shown = self._started(page.rows[0][0].input_hash) if page.rows else None
        if shown is None:
            raise DataError(
                f"there is no example {item!r} in split {self._desk.info.split!r}",
                remedy="Give an example of session.examples(...), its input_hash or its position",
            )
        self._given.remember(shown)
        task, counts = (
            messages.serialize_example(shown),
            messages.serialize_counts(self._desk.counts()),
        )
        self.send({"type": "show", "task": task, "counts": counts})
        self.set_trait("current", page_state.apply_page_spans(shown, {}, ()))
        return shown

    def on_answer(self, callback: AnswerCallback) -> Callable[[], None]:
        """Call a function with the example after every answer.

        Also after one that was taken back: its ``answer`` is then None. An
        error in the function is shown in the cell; the answer is stored by then.

        Parameters
        ----------
        callback : callable
            Takes an Example. It runs where the page's messages are handled,
            which may be another thread than a running cell's.

        Returns
        -------
        callable
            Ends that.
        """
        return self._callbacks.add(callback)

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
        chosen = filter_spans(shown.spans)[0] if spans is None else spans
        message = {
            "id": uuid.uuid4().hex,
            "answer": answer,
            "spans": [messages.serialize_span(one, shown) for one in chosen],
            "flagged": flagged,
            "note": note,
        }
        self._desk.record(messages.parse_answer(message, shown, self._desk.info))
        return self._find(shown.input_hash)

    def undo(self) -> Example | None:
        """Take this annotator's last decision back; its spans stay as a draft.

        Returns
        -------
        Example or None
            The example that is open again; None if there was no decision.
        """
        last = next(iter(self._desk.recent(1)), None)
        if last is None:
            return None
        self._desk.record(undo_answer(last, self._desk.info))
        return self._find(last.input_hash)

    def refresh(self, *, keep_current: bool = False) -> None:
        """Show what the desk holds now; for when the stream or the model has changed.

        Parameters
        ----------
        keep_current : bool
            Keep what is shown at the head of the queue, and go on from there
            to the queue's first.
        """
        if self._suggestions is not None:
            self._suggestions.retry()
        self._reload(keep_current=keep_current)

    def close(self) -> None:
        """Leave the cell and stop listening to the queue and to the suggestions."""
        if self._stop_suggestion_news is not None:
            self._stop_suggestion_news()
            self._stop_suggestion_news = None
        super().close()

    def _reload(self, *, keep_current: bool) -> None:
        self._given.clear()
        shown = self.current if keep_current and self._page_has_spoken else None
        snapshot = self._take_snapshot(shown)
        self.send({"type": "refresh", **snapshot, **({"ahead": True} if keep_current else {})})
        self._look_again()

    # What the page tells.

    def _hash_of(self, item: Example | int, what: str) -> int:
        if isinstance(item, Example):
            return item.input_hash
        if isinstance(item, int) and not isinstance(item, bool):
            return item
        raise DataError(
            f"{item!r} is neither an example nor an input hash",
            field=what,
            remedy="Give examples of session.examples(...), or their input_hash",
        )

    def _hear(self, message: messages.Message) -> None:
        """Take in what the page shows. It is news: nobody waits for a reply."""
        try:
            self._page_has_spoken = True
            shown = self._heard_example(message)
            labels = self._desk.info.labels
            now = None if shown is None else page_state.apply_page_spans(shown, message, labels)
            selection = None if now is None else page_state.parse_selection(now, message)
            self.set_trait("current", now)
            self.set_trait("selection", selection)
        except Exception as error:  # noqa: BLE001
            # An observer of the user's failed, in a message's handler: the cell must say so.
            self._show_notice(f"An observer failed with {format_error(error)}", "")

    def _heard_example(self, message: messages.Message) -> Example | None:
        if message.get("example") is None:
            return None
        key = messages.read_example_id(message)
        return self._given.get(key) or self._started(key)

    def _look_again(self) -> None:
        """Before a page has spoken, what is current follows the desk."""
        if not self._page_has_spoken:
            self.set_trait("current", self._first_open())

    # Suggestions of functions.

    def _refill(self, held: Sequence[int]) -> list[messages.Message]:
        # An answer is acknowledged at once, however slow a function is.
        with self._briefly():
            return super()._refill(held)

    def _give_upcoming(self, message: messages.Message) -> messages.Message:
        with self._briefly():
            return super()._give_upcoming(message)

    def _briefly(self) -> AbstractContextManager[None]:
        return nullcontext() if self._suggestions is None else self._suggestions.brief()

    def _hear_of_suggestions(self, arrived: bool) -> None:  # noqa: FBT001 - a listener's argument
        if arrived:
            self._reload(keep_current=True)
        self._show_suggestion_notice()

    def _show_suggestion_notice(self) -> None:
        notice = ("", "") if self._suggestions is None else self._suggestions.notice
        if notice != self._suggestion_notice:
            self._suggestion_notice = notice
            self._show_notice(*notice)

    def _on_message(self, widget: object, content: messages.Message, buffers: object) -> None:
        super()._on_message(widget, content, buffers)
        if content.get("type") == "hello" and self._suggestions is not None:
            # What was said before this page was there has not reached it.
            self._suggestion_notice = ("", "")
            self._show_suggestion_notice()

    # Where no kernel lives.

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle = super()._repr_mimebundle_(**kwargs)
        data, *metadata = bundle if isinstance(bundle, tuple) else (bundle,)
        info, counts = self._desk.info, self._desk.counts()
        caption = (
            f"{info.dataset} · {info.split} · {counts.answered:,} of {counts.total:,} answered"
        )
        data = {**(data or {}), "text/html": render_static(self.current, self._colors, caption)}
        return (data, *metadata) if metadata else data
