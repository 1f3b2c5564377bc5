"""Annotation widget, for manual annotation and for correction of suggestions.

State
-----
In the kernel: examples, answers and counts (behind the queue), which are authoritative.
Synced to the page: ``_setup``, again when labels are added, and ``_snapshot``, which is
computed whenever a page requests the widget's state and never sent again.
As last reported by the page: ``current`` and ``selection``, for users to read and observe.
In the page only: the window of the next examples, the edit in progress, the undo history,
and answers that the kernel has not acknowledged.
Everything else is exchanged as messages; each request of the page has an id and one reply.
"""

from __future__ import annotations

import logging
import time
import traceback
import uuid
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from threading import Lock, RLock
from typing import Any, Literal, TypeAlias

import traitlets

from nbner._common.alignment import filter_spans
from nbner._common.filters import ExampleFilter
from nbner._common.format import plural
from nbner._common.learning_status import LearningCommand, LearningFeed
from nbner._common.suggestion_report import SuggestionFeed, SuggestionReport
from nbner.errors import DataError
from nbner.types import Answer, AnswerKind, Example, Span
from nbner.widgets.base_widget import BaseAnnotationWidget, format_error
from nbner.widgets.bulk_acceptance import BulkAcceptor, handle_confident_request
from nbner.widgets.bundled_widget import render_static
from nbner.widgets.label_editor import LabelEditor, handle_label_request
from nbner.widgets.messages import (
    LearningMessage,
    RawMessage,
    SavedMessage,
    Setup,
    ShowMessage,
    SnapshotMessage,
    Task,
    TasksMessage,
)
from nbner.widgets.parsing import (
    Selection,
    apply_page_spans,
    parse_answer,
    parse_selection,
    read_example_id,
    read_ids,
    read_turn,
)
from nbner.widgets.query_handlers import find_example
from nbner.widgets.queue_protocol import ExampleQueue
from nbner.widgets.serialization import (
    serialize_counts,
    serialize_example,
    serialize_learning,
    serialize_span,
)

_LOG = logging.getLogger(__name__)

_LEARNING_COMMANDS: tuple[LearningCommand, ...] = ("start", "stop", "switch")

AnswerCallback: TypeAlias = Callable[[Example], object]


class Annotator(BaseAnnotationWidget):
    """Widget to annotate the examples of a queue in a notebook cell.

    ``Session.manual`` and ``Session.make_gold`` create it; any other ``ExampleQueue``
    can be used too.

    Parameters
    ----------
    example_queue : ExampleQueue
        Source of examples and store of answers.
    suggestions : SuggestionFeed, optional
        News of the functions that suggest.
    learning : LearningFeed, optional
        The training behind the widget; it ends with the widget.
    label_editor : LabelEditor, optional
        Changes of the label set; without one, the page offers none.
    bulk : BulkAcceptor, optional
        Texts that can be accepted in bulk; without it, the page offers none. It ends with
        the widget.
    sets : SetReview, optional
        The open texts by their sets of analyses.

    Attributes
    ----------
    current : Example or None
        The example on display, with the spans that are shown, decided or not; before
        the first message of a page, the first open example. What code answers, undoes
        or goes to changes it at once, also while a cell runs. Read only;
        ``annotator.observe(function, "current")`` calls a function when it changes.
    selection : Selection or None
        The selected text: a ``Span`` of code points with its ``text``. Read only, and
        observed like ``current``.
    """

    # As last reported by the page.
    current = traitlets.Any(None, read_only=True)
    selection = traitlets.Instance(Selection, allow_none=True, default_value=None, read_only=True)

    def __init__(
        self,
        example_queue: ExampleQueue,
        suggestions: SuggestionFeed | None = None,
        learning: LearningFeed | None = None,
        label_editor: LabelEditor | None = None,
        bulk: BulkAcceptor | None = None,
        sets: Any = None,
    ) -> None:
        self._sets = sets
        self._label_editor = label_editor
        self._bulk = bulk
        self._callbacks = _AnswerCallbacks(self._show_notice)
        # Input hashes for the callbacks. Answers of another widget may arrive in another thread.
        self._answered: list[int] = []
        self._answered_lock = Lock()
        self._suggestions = suggestions
        self._suggestion_notice = ("", "")
        self._unsubscribe_suggestions: Callable[[], None] | None = None
        self._learning = learning
        self._unsubscribe_learning: Callable[[], None] | None = None
        #: How often code has moved ``current``: what a page reports from before is outdated.
        self._turn = 0
        self._current_lock = RLock()
        self._answers_of_code: set[str] = set()
        #: Input hashes of open examples that the page has left without a decision.
        self._passed: set[int] = set()
        #: Input hashes of the open examples that the page had when it sent its last answer.
        self._page_window: list[int] = []
        super().__init__(example_queue)
        if label_editor is not None:
            self._handlers["labels"] = partial(handle_label_request, label_editor)
        if bulk is not None:
            self._handlers["confident"] = partial(handle_confident_request, bulk)
        if learning is not None:
            self._handlers["learning"] = self._handle_learning
            self._unsubscribe_learning = learning.subscribe(self._on_learning_news)
        if suggestions is not None:
            self._unsubscribe_suggestions = suggestions.subscribe(self._on_suggestion_news)

    @property
    def suggestion_report(self) -> SuggestionReport:
        """Report on the suggestions of ``make_gold(suggest=...)``.

        Its ``frame`` lists every suggestion that could not be placed in its
        text, was placed by similarity, or has a label that the session does not
        have; printed, it counts them for each function.
        """
        return SuggestionReport() if self._suggestions is None else self._suggestions.report

    @property
    def learning(self) -> Any:
        """The training behind ``make_gold(learn=True)``; None without it.

        ``state``, ``quality`` (precision and recall of the suggestions over the
        last answers), ``frame`` (the models), ``stop()``, ``start()``,
        ``use(...)`` and ``wait()``; see `nbner.results.Learning`.
        """
        return self._learning

    @property
    def sets(self) -> Any:
        """The open texts by their sets of analyses, of ``make_gold(review="set")``; else None.

        Printed, it counts them; ``frame`` lists them, ``accept()`` accepts those
        whose set is one analysis as one act that can be undone, and ``open()``
        shows these; see `nbner.results.SetReview`.
        """
        return self._sets

    @traitlets.default("current")  # type: ignore[untyped-decorator]
    def _default_current(self) -> Example | None:
        shown = self._first_shown
        return self._first_pending() if shown is None else apply_page_spans(shown, {}, ())

    def _first_pending(self) -> Example | None:
        for passed in (self._passed, frozenset[int]()):
            excluded = {*self._sent.unrenderable, *passed}
            for found in self._priority_queue.next_batch(1, excluded):
                return apply_page_spans(found, {}, ())
        return None

    @property
    def queue(self) -> list[int]:
        """Input hashes of the open examples that code has put first.

        Assign examples, or their input hashes: they come next, in this order, in every
        view at once. An example in progress stays until it is decided. Assignment raises
        ``DataError`` for examples that are not in this split or already answered; all
        others are queued nevertheless.
        """
        return self._priority_queue.pending

    @queue.setter
    def queue(self, items: Iterable[Example | int]) -> None:
        hashes = [_input_hash_of(item, "queue") for item in items]
        unknown, answered = self._priority_queue.set(hashes)
        self._passed.difference_update(hashes)
        self.refresh(keep_current=True)
        _raise_queue_errors(
            unknown, answered, n_queued=len(set(hashes)) - len(unknown) - len(answered)
        )

    def goto(self, item: Example | int) -> Example:
        """Show an example in every view, wherever it is in the queue, to be edited.

        Parameters
        ----------
        item : Example or int
            An example, its input hash, or its position in the split.

        Returns
        -------
        Example
            The example as it is shown.

        Raises
        ------
        DataError
            There is no such example.
        """
        queue = self._example_queue
        shown = self._load(_input_hash_of(item, "goto"))
        if shown is None and isinstance(item, int) and item >= 0:
            page = queue.list_examples(ExampleFilter(), item, 1)
            shown = self._load(page.rows[0][0].input_hash) if page.rows else None
        if shown is None:
            raise DataError(
                f"there is no example {item!r} in split {queue.info.split!r}",
                remedy="Give an example of session.examples(...), its input_hash or its position",
            )
        self._move_to(shown)
        self._post(self._show_message(shown))
        return shown

    def on_answer(self, callback: AnswerCallback) -> Callable[[], None]:
        """Call a function with the example after every answer.

        It is also called when an answer is undone: ``answer`` is then None. An error in
        the function is shown in the cell; the answer has been stored.

        Parameters
        ----------
        callback : callable
            Takes an Example. It is called where messages of the page are handled, which
            may be in another thread than that of a running cell.

        Returns
        -------
        callable
            Ends the calls.
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
        """Answer an example from code, as the buttons do.

        After the current example, the next open one is current, on the page too.

        Parameters
        ----------
        answer : {"accept", "reject", "ignore"}
            Kind of answer.
        spans : iterable of Span or (start, end, label), optional
            In code points. By default the spans that are shown.
        example : Example, optional
            By default the current one.
        flagged : bool
            Whether the example gets a flag.
        note : str
            A note on the example.

        Returns
        -------
        Example
            The example as it is stored.

        Raises
        ------
        DataError
            No example is open, or a span does not fit the tokens, overlaps another one
            or has a label that this widget does not have.
        StoreError
            The store cannot take it.
        """
        shown = example or self.current
        if shown is None:
            split, counts = self._example_queue.info.split, self._example_queue.counts()
            if counts.total:
                raise DataError(
                    f"nothing is open here: all of split {split!r} is answered",
                    remedy="annotator.goto(...) shows an answered example",
                )
            raise DataError(
                "nothing is open here",
                remedy=f"Add texts with session.add(..., split={split!r})",
            )
        chosen = filter_spans(shown.spans)[0] if spans is None else spans
        message = {
            "id": uuid.uuid4().hex,
            "answer": answer,
            "spans": [serialize_span(one, shown) for one in chosen],
            "flagged": flagged,
            "note": note,
        }
        was_current = self.current is not None and self.current.input_hash == shown.input_hash
        parsed = parse_answer(message, shown, self._example_queue.info)
        self._answers_of_code.add(parsed.id)
        try:
            self._example_queue.record(parsed)
        finally:
            self._answers_of_code.discard(parsed.id)
        if was_current:
            self._follow(shown.input_hash)
        return find_example(self._example_queue, shown.input_hash)

    def undo(self) -> Example | None:
        """Undo this annotator's latest answer; its spans stay as a draft.

        Returns
        -------
        Example or None
            The example that is open again; None if there was no answer.
        """
        last = next(iter(self._example_queue.recent(1)), None)
        if last is None:
            return None
        self._example_queue.record(self._undo_answer(last))
        reopened = self._load(last.input_hash)
        if reopened is not None:
            self._move_to(reopened)
            self._post(self._show_message(reopened))
        return find_example(self._example_queue, last.input_hash)

    def refresh(self, *, keep_current: bool = False) -> None:
        """Send the current examples of the queue, after a change of the order or the model.

        Parameters
        ----------
        keep_current : bool
            Whether the example on display stays; the first of the queue follows it.
        """
        if self._suggestions is not None:
            self._suggestions.retry()
        if self._learning is not None:
            self._learning.forget_shown()
        self._reload(keep_current=keep_current)
        if self._learning is not None:
            # The model may be another one, which the line names.
            self._post(serialize_learning(self._learning.status))

    def close(self) -> None:
        """Remove the widget, unsubscribe from queue and suggestions, and end its learning."""
        if self._unsubscribe_learning is not None:
            self._unsubscribe_learning()
            self._unsubscribe_learning = None
        if self._learning is not None:
            self._learning.close()
        if self._bulk is not None:
            self._bulk.close()
        if self._unsubscribe_suggestions is not None:
            self._unsubscribe_suggestions()
            self._unsubscribe_suggestions = None
        super().close()

    def _build_setup(self) -> Setup:
        setup = super()._build_setup()
        setup["relabels"] = self._label_editor is not None
        if self._bulk is not None:
            setup["confident"] = True
        return setup

    def _reload(self, *, keep_current: bool, keep_shown: bool = False) -> None:
        self._sent.clear()
        shown = self.current if keep_current and self._has_page_state else None
        message = self._snapshot_message("refresh", shown)
        if keep_current:
            message["ahead"] = True
        if keep_shown:
            message["keep"] = True
        self._post(message)
        self._sync_current()

    def _undo_answer(self, example: Example) -> Answer:
        """Build the answer that removes an example's decision and keeps its spans as a draft."""
        info = self._example_queue.info
        return Answer(
            id=uuid.uuid4().hex,
            input_hash=example.input_hash,
            split=example.split,
            annotator=info.annotator,
            answer=None,
            spans=example.spans,
            flagged=example.flagged,
            note=example.note,
            labels=info.labels,
            created=time.time(),
        )

    def _on_page_state(self, message: RawMessage) -> None:
        try:
            if self._learning is not None and message.get("example") is not None:
                self._learning.mark_shown(read_example_id(message), message.get("offer"))
            shown = self._shown_example(message)
            labels = self._example_queue.info.labels
            current = None if shown is None else apply_page_spans(shown, message, labels)
            selection = None if current is None else parse_selection(current, message)
            with self._current_lock:
                if (read_turn(message) or 0) < self._turn:
                    return
                self._has_page_state = True
                self._remember_passed(current)
                self.set_trait("current", current)
                self.set_trait("selection", selection)
        except Exception as error:  # noqa: BLE001
            # An observer of the user's has failed: in a message handler its error would be lost.
            _LOG.debug("an observer failed", exc_info=True)
            self._show_notice(f"An observer failed with {format_error(error)}", "")

    def _shown_example(self, message: RawMessage) -> Example | None:
        if message.get("example") is None:
            return None
        input_hash = read_example_id(message)
        return self._sent.get(input_hash) or self._load(input_hash)

    def _on_answers(self, answers: Sequence[Answer]) -> None:
        with self._answered_lock:
            self._answered += [answer.input_hash for answer in answers]
        self._leave_current(answers)
        super()._on_answers(answers)

    def _leave_current(self, answers: Sequence[Answer]) -> None:
        """Make the next open example current if the current one has been answered."""
        decided = {one.input_hash for one in answers if one.answer is not None}
        self._passed -= {one.input_hash for one in answers}
        current = self.current
        if current is None or current.input_hash not in decided:
            return
        try:
            # An answer is acknowledged at once, however slow a function is.
            with self._briefly():
                following = self._next_in_window(answers) or self._first_pending()
        except Exception:  # noqa: BLE001
            # The answer is stored, and must be acknowledged; the page reports what it shows.
            _LOG.debug("no example follows an answer", exc_info=True)
            return
        with self._current_lock:
            # What the page reports from before an answer of code is outdated at once.
            self._turn += any(one.id in self._answers_of_code for one in answers)
            self.set_trait("selection", None)
            self.set_trait("current", following)

    def _next_in_window(self, answers: Sequence[Answer]) -> Example | None:
        """Return the example that the page shows after its own answer, if it has been sent."""
        if not all(self._gets_reply(one.id) for one in answers):
            return None
        answered = {one.input_hash for one in answers}
        for one in self._page_window:
            found = self._sent.get(one)
            if found is not None and one not in answered and one not in self._passed:
                return apply_page_spans(found, {}, ())
        return None

    def _move_to(self, example: Example | None) -> None:
        """Make an example current, whatever the page has reported until now."""
        shown = None if example is None else apply_page_spans(example, {}, ())
        with self._current_lock:
            self._turn += 1
            self.set_trait("selection", None)
            self.set_trait("current", shown)

    def _remember_passed(self, current: Example | None) -> None:
        """Note that the page has left the last example for another one."""
        last = self.current
        if last is not None and current is not None and last.input_hash != current.input_hash:
            self._passed.add(last.input_hash)
        if current is not None:
            self._passed.discard(current.input_hash)

    def _show_message(self, example: Example | None) -> ShowMessage:
        counts = serialize_counts(self._example_queue.counts())
        if example is None:
            return {"type": "show", "task": None, "counts": counts, "turn": self._turn}
        self._sent.remember(example)
        task = serialize_example(example)
        return {"type": "show", "task": task, "counts": counts, "turn": self._turn}

    def _follow(self, answered: int) -> None:
        """Have the page show what follows an answer of code, unless its user edits the example."""
        current = self.current
        if current is not None and current.input_hash == answered:
            current = self._first_pending()
        loaded = None if current is None else self._load(current.input_hash)
        self._move_to(loaded)
        message = self._show_message(loaded)
        message["follow"] = True
        self._post(message)

    def _snapshot_message(
        self, kind: Literal["snapshot", "refresh"], first: Example | None = None
    ) -> SnapshotMessage:
        return {**super()._snapshot_message(kind, first), "turn": self._turn}

    def _run_callbacks(self) -> None:
        with self._answered_lock:
            answered, self._answered = self._answered, []
        found = (self._example_queue.find(one) for one in dict.fromkeys(answered))
        self._callbacks.call(one for one in found if one is not None)

    def _handle_answer(self, message: RawMessage) -> SavedMessage:
        self._page_window = read_ids(message)
        return super()._handle_answer(message)

    def _refill(self, in_window: Sequence[int]) -> list[Task]:
        # An answer is acknowledged at once, however slow a function is.
        with self._briefly():
            return super()._refill(in_window)

    def _handle_fetch(self, message: RawMessage) -> TasksMessage:
        with self._briefly():
            return super()._handle_fetch(message)

    def _on_message(self, widget: object, content: RawMessage, buffers: object) -> None:
        super()._on_message(widget, content, buffers)
        if content.get("type") != "hello":
            return
        # This page was not there when these were sent.
        if self._suggestions is not None:
            self._suggestion_notice = ("", "")
            self._show_suggestion_notice()
        if self._learning is not None:
            self._post(serialize_learning(self._learning.status))

    def _briefly(self) -> AbstractContextManager[None]:
        return nullcontext() if self._suggestions is None else self._suggestions.brief()

    def _handle_learning(self, message: RawMessage) -> LearningMessage:
        assert self._learning is not None  # noqa: S101 - for the type checker: see `__init__`
        command = next((one for one in _LEARNING_COMMANDS if one == message.get("do")), None)
        if command is None:
            raise DataError(f"{message.get('do')!r} is nothing that learning can do", field="do")
        self._learning.run(command)
        return serialize_learning(self._learning.status)

    def _on_learning_news(self, is_new: bool) -> None:  # noqa: FBT001 - a listener's argument
        assert self._learning is not None  # noqa: S101 - for the type checker: it is the caller
        if is_new:
            # What was shown stays as it was; what was only sent comes anew.
            self._reload(keep_current=True, keep_shown=True)
        self._post(serialize_learning(self._learning.status))

    def _on_suggestion_news(self, arrived: bool) -> None:  # noqa: FBT001 - a listener's argument
        if arrived and self._learning is not None:
            self._learning.forget_shown()
        if arrived:
            self._reload(keep_current=True)
        self._show_suggestion_notice()

    def _show_suggestion_notice(self) -> None:
        notice = ("", "") if self._suggestions is None else self._suggestions.notice
        if notice != self._suggestion_notice:
            self._suggestion_notice = notice
            self._show_notice(*notice)

    def _sync_current(self) -> None:
        """Set ``current`` to the first open example until a page, or code, has chosen another.

        Without a page, an example that code has chosen gets its present suggestions.
        """
        if self._has_page_state:
            return
        current = self.current
        if self._turn == 0 or current is None:
            self.set_trait("current", self._first_pending())
            return
        loaded = self._load(current.input_hash)
        if loaded is not None:
            self.set_trait("current", apply_page_spans(loaded, {}, ()))

    def _static_html(self) -> str:
        info = self._example_queue.info
        counts = self._counts_shown or self._example_queue.counts()
        caption = (
            f"{info.dataset} · {info.split} · {counts.answered:,} of {counts.total:,} answered"
        )
        return render_static(self.current, self._colors, caption)


class _AnswerCallbacks:
    """Functions of the user's that are called after every answer; their errors are shown.

    Parameters
    ----------
    show_notice : callable
        Takes a sentence and its details; both are empty when all functions work again.
    """

    def __init__(self, show_notice: Callable[[str, str], None]) -> None:
        self._show_notice = show_notice
        self._functions: list[AnswerCallback] = []
        self._has_failed = False

    def add(self, function: AnswerCallback) -> Callable[[], None]:
        """Add a function, and return a function that removes it.

        Parameters
        ----------
        function : callable
            Takes an Example.
        """
        self._functions.append(function)

        def remove() -> None:
            if function in self._functions:
                self._functions.remove(function)

        return remove

    def call(self, examples: Iterable[Example]) -> None:
        """Call every function with every example.

        Parameters
        ----------
        examples : iterable of Example
            The answered examples.
        """
        answered = list(examples)
        if not self._functions or not answered:
            return
        failed = False
        for example in answered:
            for function in tuple(self._functions):
                failed |= not self._run(function, example)
        if self._has_failed and not failed:
            self._show_notice("", "")
        self._has_failed = failed

    def _run(self, function: AnswerCallback, example: Example) -> bool:
        try:
            function(example)
        except Exception as error:  # noqa: BLE001
            # The answer has been stored. An error raised in a message handler would be
            # lost, so it is shown in the cell.
            name = getattr(function, "__name__", repr(function))
            _LOG.debug("callback %s failed", name, exc_info=True)
            self._show_notice(_describe_failure(name, error), traceback.format_exc())
            return False
        return True


def _input_hash_of(item: Example | int, field: str) -> int:
    if isinstance(item, Example):
        return item.input_hash
    if isinstance(item, int) and not isinstance(item, bool):
        return item
    raise DataError(
        f"{item!r} is neither an example nor an input hash",
        field=field,
        remedy="Give examples of session.examples(...), or their input_hash",
    )


def _raise_queue_errors(unknown: Sequence[int], answered: Sequence[int], *, n_queued: int) -> None:
    """Raise an error that names the examples that could not be queued, if there are any."""
    if not unknown and not answered:
        return
    parts = [f"{_format_hashes(unknown)} not in this split"] if unknown else []
    parts += [f"{_format_hashes(answered)} answered already"] if answered else []
    remedy = "Take examples of session.examples(...); annotator.goto(...) shows an answered one"
    problem = f"{' and '.join(parts)}; the other {plural(n_queued, 'is', 'are')} in the queue"
    raise DataError(problem, field="queue", remedy=remedy)


def _format_hashes(hashes: Sequence[int]) -> str:
    some = ", ".join(str(one) for one in hashes[:5])
    more = f" and {len(hashes) - 5} more" if len(hashes) > 5 else ""
    return f"{some}{more} {'is' if len(hashes) == 1 else 'are'}"


def _describe_failure(name: str, error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    where = f", line {frames[-1].lineno}" if frames else ""
    description = f"{type(error).__name__}: {error}".rstrip(".:")
    return f"The callback {name}{where} failed with {description}. The answer is stored."
