"""The error explorer: a confusion matrix whose every number opens its examples, to be mended there.

Which state lives where
-----------------------
In the kernel, and the truth: findings, conditions, what is open, what can be
undone. Synced to the page: ``_errors``, made afresh whenever a page asks for
the widget's state. The examples that open below stand in the annotation
surface, which speaks with the kernel as the annotator does (see `BaseAnnotationWidget`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from html import escape
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import traitlets

from nbner.errors import DataError
from nbner.evaluation.errors.attribution import ERROR_FACTORS
from nbner.evaluation.errors.filters import (
    ConfusionCell,
    ConfusionMatrix,
    MatchFilter,
    Predicate,
    confusion_matrix,
    group_by_cell,
)
from nbner.evaluation.errors.html_report import render_confusion_matrix
from nbner.evaluation.errors.matches import JUDGED_KEY, SpanMatch
from nbner.evaluation.errors.report import Errors
from nbner.types import Answer, Example
from nbner.widgets import error_messages, messages
from nbner.widgets.base_widget import BaseAnnotationWidget, format_error
from nbner.widgets.bundle import read_bundle
from nbner.widgets.error_rows import serialize_row
from nbner.widgets.queue_protocol import ErrorQueue

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_LOG = logging.getLogger(__name__)

_MOST = 200  # rows in one reply
_WAY = 2000  # examples along which one can go on without opening anything again
_OUTDATED = (
    "Another model is in use since this was opened; these are the errors of the one before. Run "
    "session.errors() again to see those of the new one."
)


class ErrorExplorer(BaseAnnotationWidget):
    """See what is wrong, and mend it where it stands.

    ``Session.errors`` makes it; so do ``SpanChanges.show`` and ``Differences.show``.

    Parameters
    ----------
    errors : Errors
    error_queue : ErrorQueue
        Over the same examples.
    """

    _esm = read_bundle("errors.js")
    _css = read_bundle("errors.css")

    _errors = traitlets.Any(None).tag(
        sync=True,
        to_json=lambda _value, self: self._state(),
    )

    def __init__(self, errors: Errors, error_queue: ErrorQueue) -> None:
        self._found = errors
        self._mending = error_queue
        self._conditions = MatchFilter()
        self._offers = error_messages.filter_options(errors)
        self._sorted: dict[ConfusionCell, list[SpanMatch]] | None = None
        self._opened: messages.Message = {}
        self._is_outdated = False
        super().__init__(error_queue)
        self._handlers |= {
            "narrow": self._narrow,
            "open": self._open,
            "bars": self._bars,
            "judge": self._judge,
            "revert": self._revert,
        }

    # What a user calls.

    @property
    def errors(self) -> Errors:
        """The findings that the page shows, under its conditions, as a value."""
        if self._conditions == MatchFilter():
            return self._found
        return self._found.filter(self._conditions)

    @property
    def frame(self) -> pd.DataFrame:
        """One row a finding, under the conditions that are set; see ``Errors.frame``."""
        return self.errors.frame

    @property
    def confusion(self) -> pd.DataFrame:
        """The confusion matrix as a frame, under the conditions that are set."""
        return self.errors.confusion

    @property
    def examples(self) -> list[Example]:
        """The examples of what is open, each once."""
        found = error_messages.CellSelection(self._opened).select(self._cells())
        return list({one.example_index: one.example for one in found}.values())

    def attribution(self, *factors: str) -> pd.DataFrame:
        """Error rates by what spans are like, with intervals; see ``Errors.attribution``."""
        return self.errors.attribution(factors) if factors else self.errors.attribution()

    def plot(self, by: str = "matrix", ax: Axes | None = None) -> Axes:
        """Draw the confusion matrix, or the error rate by a factor; see ``Errors.plot``."""
        return self.errors.plot(by, ax=ax)

    def to_html(self, path: str | Path | None = None, *, examples: int = 10) -> str:
        """Write a report to send; see ``Errors.to_html``."""
        return self.errors.to_html(path, examples=examples)

    def filter(
        self, condition: Predicate | None = None, *, name: str | None = None, **options: Any
    ) -> ErrorExplorer:
        """Set the conditions that the page shows findings under; without any, all are shown.

        Parameters
        ----------
        condition : callable, optional
            Any function of a finding; see ``Errors.where``.
        name : str, optional
            What the page calls it.
        **options
            ``labels``, ``shortest``, ``longest``, ``seen``, ``least``,
            ``most``, ``split``, ``text``, ``meta``, ``judged``.

        Raises
        ------
        DataError
            There is no such condition, or the function fails.
        """
        try:
            made = MatchFilter(**options)
        except TypeError:
            raise DataError(
                f"there is no condition {next(iter(options))!r}",
                remedy="There are labels, shortest, longest, seen, least, most, split, text, "
                "meta, judged, and any function of a finding",
            ) from None
        if condition is not None:
            made = replace(made, predicates={name or _name_of(condition): condition})
        self._set(made)
        self._announce()
        return self

    def show(
        self,
        gold: str | None = None,
        predicted: str | None = None,
        *,
        borders: bool = False,
        factor: str | None = None,
        bucket: str | None = None,
    ) -> ErrorExplorer:
        """Open examples in the page, as a click does.

        Parameters
        ----------
        gold, predicted : str, optional
            A place of the matrix; a side that is left out is "nothing".
        borders : bool
            The gold label's spans with other borders.
        factor, bucket : str, optional
            A bar of a picture in place of that.

        Raises
        ------
        DataError
            There is nothing, or no such place.
        """
        if factor is not None:
            at: messages.Message = {
                "factor": error_messages.factor_on_page(factor),
                "bucket": str(bucket),
            }
        else:
            at = {"gold": gold, "predicted": gold if borders else predicted, "borders": borders}
        if not error_messages.CellSelection(at).select(self._cells()):
            raise DataError(
                f"there is nothing at {', '.join(f'{k}={v!r}' for k, v in at.items())}",
                remedy="errors.confusion and errors.attribution() show where something is",
            )
        self._opened = at
        self.send({"type": "show-place", "at": at})
        return self

    def undo(self) -> Example | None:
        """Take the last change back; give the example as it is again, or None."""
        return self._mending.undo()

    def mark_stale(self) -> None:
        """Say that another model is in use by now. What is shown stays, and can be mended."""
        self._is_outdated = True
        self._announce()

    def refresh(self, *, keep_current: bool = False) -> None:
        """Show what there is now."""
        self._given.clear()
        self.send(
            {
                "type": "refresh",
                **self._take_snapshot(),
                **({"ahead": True} if keep_current else {}),
            }
        )
        self._announce()

    # The protocol.

    def _state(self) -> messages.Message:
        counted = self._matrix()
        found = self._found
        judged = sum(one.extra.get(JUDGED_KEY) is not None for one in found.examples)
        return {
            "title": found.title,
            "names": list(found.side_names),
            "headline": self._headline(counted),
            "notices": self._notices,
            "labels": list(counted.labels),
            "cells": error_messages.serialize_cells(counted),
            "total": counted.total,
            "errors": counted.errors,
            "conditions": error_messages.serialize_filters(self._conditions),
            "at": self._opened,
            "judged": judged,
            "changes": self._mending.can_change,
            "undoes": self._mending.can_undo,
            **self._offers,
        }

    @property
    def _notices(self) -> list[str]:
        return [*([_OUTDATED] if self._is_outdated else []), *self._found.warnings]

    def _headline(self, counted: ConfusionMatrix) -> str:
        whole = len(self._found.matches)
        share = f" · {counted.errors / counted.total:.1%}" if counted.total else ""
        of = f"{counted.errors:,} errors in {counted.total:,} spans{share}"
        return of if counted.total == whole else f"{of} · of {whole:,} in all"

    def _narrow(self, message: messages.Message) -> messages.Message:
        kept = message.get("conditions")
        names = kept.get("predicates", []) if isinstance(kept, dict) else []
        predicates = {k: v for k, v in self._conditions.predicates.items() if k in names}
        self._set(error_messages.parse_filters(kept, predicates))
        return {"type": "errors", **self._state()}

    def _open(self, message: messages.Message) -> messages.Message:
        at = message.get("at", {})
        place = error_messages.CellSelection(at)
        self._opened = at
        found = place.select(self._cells())
        offset, want = _count(message, "offset"), min(_count(message, "want"), _MOST)
        rows = [
            serialize_row(one, self._found, self._mending.example_id(one.example_index))
            for one in found[offset : offset + want]
        ]
        numbers = dict.fromkeys(one.example_index for one in found) if offset == 0 else ()
        ids = [str(self._mending.example_id(number)) for number in islice(numbers, _WAY)]
        return {
            "type": "opened",
            "at": at,
            "offset": offset,
            "rows": rows,
            "ids": ids,
            "total": len(found),
        }

    def _bars(self, message: messages.Message) -> messages.Message:
        factor = messages.require_text(message, "factor")
        name = error_messages.factor_from_page(factor)
        buckets = self.errors.buckets(name)
        words = ERROR_FACTORS[name].description
        return {
            "type": "bars",
            "factor": factor,
            "words": words,
            "bars": error_messages.serialize_bars(buckets),
        }

    def _judge(self, message: messages.Message) -> messages.Message:
        verdict = message.get("verdict")
        is_new = self._mending.record_verdict(
            messages.read_example_id(message), verdict if verdict == "model" else None
        )
        says = "The model is wrong here: the gold stands" if verdict == "model" else "Not judged"
        return {"type": "done", "words": says if is_new else "That was said already"}

    def _revert(self, _message: messages.Message) -> messages.Message:
        before = self._mending.undo()
        return {"type": "done", "words": "Nothing to undo" if before is None else "Undone"}

    def _tell(self, answers: Sequence[Answer]) -> None:
        super()._tell(answers)
        try:
            self._announce()
        except Exception as error:  # noqa: BLE001
            # The answer is stored, and must be acknowledged whatever a condition makes of it.
            _LOG.debug("a condition failed", exc_info=True)
            self._conditions = MatchFilter()
            self._announce()
            self._show_notice(
                f"A condition failed with {format_error(error)}: it was taken off", ""
            )

    def _announce(self) -> None:
        """Tell the page how it stands now."""
        self._sorted = None
        self.send({"type": "errors", **self._state()})

    def _set(self, conditions: MatchFilter) -> None:
        """Take over conditions, if every finding can be asked about them."""
        try:
            chosen = conditions.select(self._found.matches)
        except Exception as error:
            raise DataError(
                f"a condition failed with {format_error(error)}",
                remedy="A condition is a function of one finding: lambda one: one.length > 2",
            ) from error
        self._conditions, self._sorted = conditions, group_by_cell(chosen)

    def _cells(self) -> dict[ConfusionCell, list[SpanMatch]]:
        if self._sorted is None:
            self._sorted = group_by_cell(self._conditions.select(self._found.matches))
        return self._sorted

    def _matrix(self) -> ConfusionMatrix:
        return confusion_matrix(self._cells(), self._found.labels)

    # Where no kernel lives.

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        made = super()._repr_mimebundle_(**kwargs)
        data, *metadata = made if isinstance(made, tuple) else (made,)
        counted = self._matrix()
        lines = [self._found.title, self._headline(counted), *self._notices]
        said = "".join(f"<div>{escape(line)}</div>" for line in lines)
        table = render_confusion_matrix(counted, self._found.side_names, {})
        data = {**(data or {}), "text/html": f"<div>{said}{table}</div>"}
        return (data, *metadata) if metadata else data


def _name_of(condition: Callable[..., object]) -> str:
    name = getattr(condition, "__name__", "")
    return name if name.isidentifier() else "a condition of yours"


def _count(message: messages.Message, key: str) -> int:
    value = message.get(key)
    return max(0, value) if isinstance(value, int) and not isinstance(value, bool) else 0
