"""Suggestions of functions: called in batches, with a time limit, and failures kept to themselves.

A function may be slow (a language model), fail (a server that is down) or never
return. Each has a thread of its own, so that examples are shown without its
suggestions when it is late; these are shown when they come. Every example is
asked for once, since asking may cost money.
"""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, TypeAlias

from nbner._common.suggestion_report import (
    NOT_MARKED,
    SourceSummary,
    SuggestionIssue,
    SuggestionReport,
)
from nbner.errors import NbnerError
from nbner.nlp.suggesters import Suggestions, call_suggester
from nbner.registry import declares
from nbner.types import Example, Span

_Key: TypeAlias = tuple[str, int]

_logger = logging.getLogger(__name__)

#: Calls for one example that may fail before it is asked for no more.
_MAX_ATTEMPTS = 3

#: Seconds that examples wait which come after those that are shown.
_BRIEFLY = 0.25

#: Seconds between two reports of suggestions that arrive late, one batch after the other.
_REPORT_INTERVAL = 1.0


@dataclass(frozen=True, slots=True)
class SuggestingFunction:
    """A function that suggests.

    Parameters
    ----------
    name : str
        Source of its suggestions.
    function : callable
        From examples to their suggestions; see `nbner.nlp.suggesters`.
    """

    name: str
    function: Callable[..., Any]


class _Source:
    """Calls one function, and keeps what it returned for each example.

    Parameters
    ----------
    suggester : SuggestingFunction
        The function.
    batch_size : int
        Examples per call at most.
    timeout : float, optional
        Seconds that callers of `collect` wait. None: the function is called in
        their thread, for as long as it takes.
    offered : callable
        Returns the keyword arguments that the function may declare. Where one
        that it declares has changed, it is asked again for everything.
    on_change : callable
        Called without a lock after every call of the function in its own
        thread; takes whether it answered for examples that nobody waits for
        any more.
    """

    def __init__(
        self,
        suggester: SuggestingFunction,
        *,
        batch_size: int,
        timeout: float | None,
        offered: Callable[[], Mapping[str, Any]],
        on_change: Callable[[bool], None],
    ) -> None:
        self.name = suggester.name
        self.problem: tuple[str, str] = ("", "")
        self.failed = 0
        self._function = suggester.function
        self._batch_size = batch_size
        self._timeout = timeout
        self._offered = offered
        self._on_change = on_change
        self._changed = threading.Condition()
        # One call at a time, also without a time limit: functions need not be thread-safe.
        self._calling = threading.Lock()
        self._found: dict[_Key, Suggestions] = {}
        self._version: list[Any] = []
        self._attempts: Counter[_Key] = Counter()
        self._batches: deque[list[Example]] = deque()
        self._waiting: set[_Key] = set()
        self._shown_without: set[_Key] = set()
        self._timed_out: set[_Key] = set()
        self._thread: threading.Thread | None = None
        self._call_began: float | None = None

    def request(self, examples: Sequence[Example]) -> None:
        """Request suggestions for examples that are neither known nor requested."""
        with self._changed:
            self._renew()
            missing = [one for one in examples if self._is_missing(_key(one))]
            self._attempts.update(map(_key, missing))
            self._waiting.update(map(_key, missing))
            self._batches += [
                missing[i : i + self._batch_size] for i in range(0, len(missing), self._batch_size)
            ]
            if self._batches and self._timeout is not None and self._thread is None:
                # Not waited for at the end of the program, which a call may never reach.
                self._thread = threading.Thread(
                    target=self._work, name=f"nbner suggester {self.name}", daemon=True
                )
                self._thread.start()

    def collect(self, examples: Sequence[Example], deadline: float, *, brief: bool) -> None:
        """Wait until the examples are answered for, or the time is up.

        Parameters
        ----------
        examples : sequence of Example
            Given to `request` before.
        deadline : float
            As `time.monotonic` counts.
        brief : bool
            Whether the deadline comes before the time limit, so that a function
            that misses it is not late.
        """
        if self._timeout is None:
            while batch := self._next_batch():
                self._call(batch)
            return
        keys = set(map(_key, examples))
        with self._changed:
            # Who waited in vain for this call does not wait for it again and again.
            while keys & self._waiting and not self._is_overdue() and not self._is_own_thread():
                left = deadline - time.monotonic()
                if left <= 0:
                    break
                self._changed.wait(left)
            self._shown_without |= keys & self._waiting
            if not brief:
                self._timed_out |= keys & self._waiting

    def known(self, example: Example) -> Suggestions | None:
        """Return the suggestions for an example, if the function has answered for it."""
        return self._found.get(_key(example))

    def retry(self) -> None:
        """Forget how often calls have failed."""
        with self._changed:
            self._attempts.clear()

    @property
    def answered(self) -> list[Suggestions]:
        """All suggestions so far, in the order of the answers."""
        with self._changed:
            return list(self._found.values())

    @property
    def n_waiting(self) -> int:
        """Number of examples that the function has not answered for yet."""
        return len(self._waiting)

    @property
    def notice(self) -> tuple[str, str]:
        """Why suggestions are missing, and details; empty where none are."""
        if self.problem[0]:
            return self.problem
        with self._changed:
            late = len(self._timed_out & self._waiting)
        if not late:
            return ("", "")
        texts = "1 text is" if late == 1 else f"{late:,} texts are"
        said = (
            f"The suggester {self.name!r} has not answered within {self._timeout:g} s: {texts} "
            "shown without its suggestions, which come when they are there."
        )
        return (said, "")

    def _is_missing(self, key: _Key) -> bool:
        known = key in self._found or key in self._waiting
        return not known and self._attempts[key] < _MAX_ATTEMPTS

    def _renew(self) -> None:
        offered = self._offered()
        version = [value for name, value in offered.items() if declares(self._function, name)]
        if version != self._version:
            self._found.clear()
            self._attempts.clear()
            self._version = version

    def _is_overdue(self) -> bool:
        began, limit = self._call_began, self._timeout
        return began is not None and limit is not None and time.monotonic() - began >= limit

    def _is_own_thread(self) -> bool:
        return threading.current_thread() is self._thread

    def _next_batch(self) -> list[Example] | None:
        with self._changed:
            if self._batches:
                return self._batches.popleft()
            self._thread = None
            return None

    def _work(self) -> None:
        reported, is_late = 0.0, False
        while batch := self._next_batch():
            is_late |= self._call(batch)
            # Each report has every widget load its examples again.
            if not self._batches or time.monotonic() - reported >= _REPORT_INTERVAL:
                reported, told, is_late = time.monotonic(), is_late, False
                _tell(self._on_change, arrived=told)

    def _call(self, batch: list[Example]) -> bool:
        """Call the function; return whether its answer comes too late for somebody."""
        keys = set(map(_key, batch))
        found: list[Suggestions] = []
        late: set[_Key] = set()
        version = self._version
        try:
            with self._calling:
                self._call_began = time.monotonic()
                found = call_suggester(self._function, batch, name=self.name, **self._offered())
            problem = ("", "")
        except Exception as error:
            # A function of the user's, with labelling in progress: the cell says what it was.
            _logger.debug("the suggester %s failed", self.name, exc_info=True)
            problem = (_sentence(self.name, error), traceback.format_exc())
        finally:
            with self._changed:
                self._call_began = None
                if found and version is not self._version:
                    # Another model or another label came into use meanwhile.
                    self._batches.append(batch)
                else:
                    self._found |= dict(zip(map(_key, batch), found, strict=False))
                    self._waiting -= keys
                    late = keys & self._shown_without
                    self._shown_without -= keys
                    self._timed_out -= keys
                self._changed.notify_all()
        self.failed += bool(problem[0])
        self.problem = problem
        return bool(found) and bool(late)


class FunctionSuggestions:
    """The suggestions of several functions, and what is to be said of them.

    Parameters
    ----------
    suggesters : sequence of SuggestingFunction
        In the order of precedence, with different names.
    batch_size : int
        Examples per call at most.
    timeout : float, optional
        Seconds that an example waits for all of them together. None: as long as
        it takes, in the thread that asks.
    offered : callable
        Returns the keyword arguments that functions may declare; ``labels`` are
        the session's.
    """

    def __init__(
        self,
        suggesters: Sequence[SuggestingFunction],
        *,
        batch_size: int,
        timeout: float | None,
        offered: Callable[[], Mapping[str, Any]],
    ) -> None:
        self._timeout = timeout
        self._offered = offered
        self._sources = [
            _Source(
                one,
                batch_size=batch_size,
                timeout=timeout,
                offered=offered,
                on_change=self._publish,
            )
            for one in suggesters
        ]
        self._listeners: list[Callable[[bool], None]] = []
        self._published = ("", "")
        self._is_brief: ContextVar[bool] = ContextVar("is_brief", default=False)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the functions, in the order of precedence."""
        return tuple(source.name for source in self._sources)

    def ask(self, examples: Sequence[Example]) -> None:
        """Call all functions on examples, and wait within the time limit.

        Parameters
        ----------
        examples : sequence of Example
            Tokenized.
        """
        for source in self._sources:
            source.request(examples)
        limit, brief = self._timeout or 0.0, self._is_brief.get()
        deadline = time.monotonic() + (min(limit, _BRIEFLY) if brief else limit)
        for source in self._sources:
            source.collect(examples, deadline, brief=brief)
        self._publish(arrived=False)

    def known(self, examples: Sequence[Example]) -> list[list[tuple[Span, ...] | None]]:
        """Return the spans that each function has suggested for each example.

        Parameters
        ----------
        examples : sequence of Example
            Spans whose labels the session does not have are left out; the
            report lists them.

        Returns
        -------
        list of list
            None for a function that has not answered for the example.
        """
        labels = set(self._offered()["labels"])
        return [
            [_with_labels(source.known(example), labels) for source in self._sources]
            for example in examples
        ]

    def unplaced(self, example: Example) -> tuple[SuggestionIssue, ...]:
        """Return the suggestions for an example that no mark can show.

        Parameters
        ----------
        example : Example
            One that was asked for.
        """
        found = [source.known(example) for source in self._sources]
        return tuple(
            issue for one in found if one for issue in one.issues if issue.kind in NOT_MARKED
        )

    # What a widget is told: `nbner._common.suggestion_report.SuggestionFeed`.

    @property
    def report(self) -> SuggestionReport:
        """Report on the suggestions so far."""
        issues: list[SuggestionIssue] = []
        summaries = []
        labels = set(self._offered()["labels"])
        for source in self._sources:
            answered = source.answered
            issues += [issue for one in answered for issue in one.issues]
            issues += _unknown_labels(source.name, answered, labels)
            summaries.append(
                SourceSummary(
                    source.name,
                    examples=len(answered),
                    spans=sum(len(one.spans) for one in answered),
                    waiting=source.n_waiting,
                    failed=source.failed,
                    problem=source.notice[0],
                )
            )
        return SuggestionReport(tuple(summaries), tuple(issues))

    @property
    def notice(self) -> tuple[str, str]:
        """Notice in the cell: failures, then delays, then labels that are not the session's."""
        notices = [one for source in self._sources if (one := source.notice)[0]]
        failures = [one for one in notices if one[1]]
        if notices:
            return (failures or notices)[0]
        labels = set(self._offered()["labels"])
        for source in self._sources:
            unknown = Counter(
                span.label
                for one in source.answered
                for span in one.spans
                if span.label not in labels
            )
            if unknown:
                # Without numbers, which would make another notice of every batch.
                names = ", ".join(sorted(unknown))
                said = (
                    f"The suggester {source.name!r} suggests labels that this session does not "
                    f"have: {names}. Add them with session.add_labels, or have it return others."
                )
                counts = (f"{label}: {count:,}" for label, count in unknown.most_common())
                return (said, "\n".join(counts))
        return ("", "")

    @contextmanager
    def brief(self) -> Iterator[None]:
        """Wait for a moment only while this is entered: what comes later is shown later."""
        token = self._is_brief.set(True)
        try:
            yield
        finally:
            self._is_brief.reset(token)

    def retry(self) -> None:
        """Retry failed calls when their suggestions are needed next."""
        for source in self._sources:
            source.retry()

    def subscribe(self, listener: Callable[[bool], None]) -> Callable[[], None]:
        """Call a function when the notice changes, or suggestions arrive late.

        Parameters
        ----------
        listener : callable
            Takes whether suggestions have arrived for examples that were shown
            without them.
        """
        self._listeners.append(listener)

        def unsubscribe() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return unsubscribe

    def _publish(self, arrived: bool) -> None:  # noqa: FBT001 - the listeners' one argument
        notice = self.notice
        if notice == self._published and not arrived:
            return
        self._published = notice
        for listener in tuple(self._listeners):
            _tell(listener, arrived=arrived)


def _tell(listener: Callable[[bool], None], *, arrived: bool) -> None:
    try:
        listener(arrived)
    except Exception:
        # The widget or the store may be closed by now; the suggestions are kept.
        _logger.debug("suggestions arrived where nobody takes them", exc_info=True)


def _with_labels(found: Suggestions | None, labels: set[str]) -> tuple[Span, ...] | None:
    if found is None:
        return None
    return tuple(span for span in found.spans if span.label in labels)


def _unknown_labels(
    source: str, answered: Sequence[Suggestions], labels: set[str]
) -> Iterator[SuggestionIssue]:
    for one in answered:
        for span in one.spans:
            if span.label not in labels:
                yield SuggestionIssue(
                    "unknown_label",
                    source,
                    one.text[span.start : span.end],
                    span.label,
                    "The session does not have this label; session.add_labels adds it",
                    start=span.start,
                    end=span.end,
                    input_hash=one.input_hash,
                    text=one.text,
                )


def _sentence(name: str, error: Exception) -> str:
    said = str(error) if isinstance(error, NbnerError) else f"{type(error).__name__}: {error}"
    return (
        f"The suggester {name!r} failed: {said.rstrip('.:')}. Labelling goes on without its "
        "suggestions; annotator.refresh() asks for them again."
    )


def _key(example: Example) -> _Key:
    return example.split, example.input_hash
