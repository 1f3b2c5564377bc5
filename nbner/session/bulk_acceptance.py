"""Bulk acceptance behind the annotation widget: compute, list, accept, undo."""

from __future__ import annotations

import logging
from collections.abc import Collection
from functools import partial
from threading import Event, RLock, Thread

from nbner._common.format import plural
from nbner.errors import DataError, NbnerError
from nbner.quality.confident_suggestions import BulkAcceptance, SuggestedText
from nbner.session.confident import (
    SuggestingModel,
    accept_examples,
    at_least,
    check_probability,
    open_texts,
    with_suggestions,
)
from nbner.session.context import SessionContext
from nbner.widgets.bulk_acceptance import BulkAcceptor, BulkReport, BulkState

_LOG = logging.getLogger(__name__)

# Texts that are predicted at a time: few, since labelling shares the interpreter with it.
_BATCH_SIZE = 16
# Seconds between two batches, in which other threads go on.
_PAUSE = 0.002


class SessionBulkAcceptor(BulkAcceptor):
    """The confident suggestions of a split behind the widget's panel.

    `BulkAcceptor` describes the parameters and errors of its methods.

    A thread computes the probabilities, a few texts at a time. What it has computed for a
    text is kept for as long as the model is the same, so that a stopped list goes on.

    Parameters
    ----------
    context : SessionContext
        The session.
    split : str
        The split.
    """

    def __init__(self, context: SessionContext, split: str) -> None:
        self._context = context
        self._split = split
        # Held for a moment only: never while probabilities are computed.
        self._lock = RLock()
        self._model: SuggestingModel | None = None
        self._known: dict[int, SuggestedText] = {}
        self._found: tuple[SuggestedText, ...] = ()
        self._stop = Event()
        self._state: BulkState = "stopped"
        self._number = 0
        self._pending = 0
        self._checked = 0
        self._drafts = 0
        self._text = ""
        self._selected: tuple[float, tuple[SuggestedText, ...]] | None = None
        self._last: tuple[str, BulkAcceptance | None] = ("", None)
        self._is_closed = False

    def start(self) -> None:
        """Compute the list anew, unless it is being computed."""
        self._text = ""
        self._compute()

    def stop(self) -> None:
        """Stop computing; what is computed is kept."""
        self._stop.set()

    def close(self) -> None:
        """Stop computing, and do not start again."""
        self._is_closed = True
        self._stop.set()

    def report(self, min_probability: float) -> BulkReport:
        """Report the state, and the texts whose every suggestion is so probable."""
        check_probability(min_probability)
        with self._lock:
            acted = self._last[1]
            listed = () if self._state == "computing" else self._listed(min_probability)
            return BulkReport(
                self._state,
                self._number,
                checked=self._checked,
                pending=self._pending,
                rows=listed,
                notes=self._notes(),
                text=self._text,
                undo="" if acted is None else self._last[0],
            )

    def accept(
        self, batch_id: str, min_probability: float, number: int, excluded: Collection[int]
    ) -> None:
        """Accept the texts of a list as one act; the same id does so once."""
        check_probability(min_probability)
        with self._lock:
            if batch_id == self._last[0]:
                return
            if self._state == "computing" or number != self._number or self._model is None:
                raise DataError(
                    "this list was computed again meanwhile",
                    field="list",
                    remedy="Look at it once more",
                )
            chosen = [
                one
                for one in self._listed(min_probability)
                if one.example.input_hash not in excluded
            ]
            model = self._model.fingerprint
        if not chosen:
            raise DataError("no text is ticked, so there is nothing to accept", field="unticked")
        mark = {"min_probability": min_probability, "model": model}
        examples = [one.example for one in chosen]
        _, accepted = accept_examples(self._context, mark, examples, batch_id)
        skipped = len(chosen) - accepted
        undo = partial(self._context.undo_batch, batch_id)
        act = BulkAcceptance(accepted, skipped, _undo=undo)
        self._last = (batch_id, act)
        self._text = _describe(act)
        self._compute()

    def undo(self, batch_id: str) -> None:
        """Undo an act."""
        last, act = self._last
        if act is None and batch_id and batch_id == last:
            return
        if act is None or batch_id != last:
            raise DataError("there is nothing to undo", field="bulk")
        opened = act.undo()
        self._last = (batch_id, None)
        self._text = f"{plural(opened, 'text is', 'texts are')} open again."
        self._compute()

    def _compute(self) -> None:
        model = SuggestingModel.of(self._context)
        with self._lock:
            if self._is_closed or (self._is_computing and model == self._model):
                return
            self._stop.set()
            if model != self._model:
                self._known = {}
            self._model = model
            self._found, self._selected = (), None
            self._number += 1
            self._checked = 0
            self._state = "computing"
            # Each thread has its own, so that none that was stopped goes on.
            self._stop = Event()
            arguments = (self._number, model, self._known, self._stop)
            Thread(target=self._run, args=arguments, daemon=True, name="nbner-bulk").start()

    @property
    def _is_computing(self) -> bool:
        return self._state == "computing" and not self._stop.is_set()

    def _run(
        self, number: int, model: SuggestingModel, known: dict[int, SuggestedText], stop: Event
    ) -> None:
        state: BulkState = "ready"
        text = None
        hashes: list[int] = []
        try:
            pending, drafts = open_texts(self._context, self._split)
            hashes = [one.input_hash for one in pending]
            missing = [one for one in pending if one.input_hash not in known]
            self._say(number, len(pending), drafts, len(pending) - len(missing))
            for first in range(0, len(missing), _BATCH_SIZE):
                if stop.wait(_PAUSE):
                    state = "stopped"
                    break
                batch = missing[first : first + _BATCH_SIZE]
                for one in with_suggestions(model, batch, batch_size=_BATCH_SIZE):
                    known[one.example.input_hash] = one
                checked = len(pending) - len(missing) + first + len(batch)
                self._say(number, len(pending), drafts, checked)
        except Exception as error:  # noqa: BLE001
            # In a thread it would be lost: the page says it.
            _LOG.debug("the list of confident suggestions failed", exc_info=True)
            is_own = isinstance(error, NbnerError)
            state, text = "failed", str(error) if is_own else f"{type(error).__name__}: {error}"
        with self._lock:
            if number == self._number:
                self._found = tuple(known[one] for one in hashes if one in known)
                self._state = state
                self._text = self._text if text is None else text

    def _say(self, number: int, pending: int, drafts: int, checked: int) -> None:
        with self._lock:
            if number == self._number:
                self._pending, self._drafts, self._checked = pending, drafts, checked

    def _listed(self, min_probability: float) -> tuple[SuggestedText, ...]:
        if self._selected is None or self._selected[0] != min_probability:
            self._selected = (min_probability, tuple(at_least(self._found, min_probability)))
        return self._selected[1]

    def _notes(self) -> str:
        """Return which model suggests, and what the list leaves out."""
        if self._model is None or self._state == "computing":
            return ""
        empty = sum(not one.example.spans for one in self._found)
        said = [f"By {self._model.name}"]
        if not self._model.is_calibrated:
            said.append("not calibrated: session.model.calibrate() makes its probabilities hold")
        if empty:
            said.append(f"{plural(empty, 'text')} without a suggestion left out")
        if self._drafts:
            said.append(f"{plural(self._drafts, 'draft')} left out")
        return "; ".join(said) + "."


def _describe(act: BulkAcceptance) -> str:
    skipped = f", {act.skipped:,} answered meanwhile" if act.skipped else ""
    return f"{plural(act.accepted, 'text is', 'texts are')} accepted unseen{skipped}."
