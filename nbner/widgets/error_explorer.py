"""Error explorer: a confusion matrix whose cells open their examples, to be corrected.

State
-----
In the kernel: findings, conditions, the open findings, and what can be undone. Synced to
the page: ``_errors``, computed whenever a page requests the widget's state. The open
examples are in the page's annotation view, which exchanges the annotator's messages with
the kernel (see `BaseAnnotationWidget`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from html import escape
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import traitlets

from nbner._common.format import plural
from nbner._common.plot_style import OWN_TITLE, SCREEN, PlotStyle
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
from nbner.widgets.base_widget import BaseAnnotationWidget, format_error
from nbner.widgets.bundled_widget import read_bundle
from nbner.widgets.error_messages import (
    CellRef,
    DoneReply,
    ErrorRatesReply,
    FindingsReply,
    Overview,
    OverviewMessage,
    ShowCellMessage,
)
from nbner.widgets.error_serialization import (
    CellSelection,
    factor_from_page,
    factor_on_page,
    filter_options,
    parse_filters,
    serialize_cells,
    serialize_error_rates,
    serialize_filters,
    serialize_finding,
)
from nbner.widgets.messages import RawMessage
from nbner.widgets.parsing import read_count, read_example_id, require_text
from nbner.widgets.queue_protocol import ErrorQueue

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_LOG = logging.getLogger(__name__)

_MAX_ROWS = 200  # findings in one reply
_MAX_IDS = 2000  # examples that the page can step through
_STALE_NOTICE = (
    "Another model is in use since this was opened; these are the errors of the one before. Run "
    "session.errors() again to see those of the new one."
)


class ErrorExplorer(BaseAnnotationWidget):
    """Widget to explore errors and to correct them.

    ``Session.errors`` creates it, and so do ``SpanChanges.open`` and ``Differences.open``.

    Parameters
    ----------
    errors : Errors
        The findings.
    error_queue : ErrorQueue
        Queue of the same examples.
    """

    _esm = read_bundle("errors.js")
    _css = read_bundle("errors.css")
    _loader = read_bundle("errors.loader.js")

    _errors = traitlets.Any(None).tag(
        sync=True,
        to_json=lambda _value, self: self._overview(),
    )

    def __init__(self, errors: Errors, error_queue: ErrorQueue) -> None:
        self._all_errors = errors
        self._error_queue = error_queue
        self._conditions = MatchFilter()
        self._options = filter_options(errors)
        self._cells_cache: dict[ConfusionCell, list[SpanMatch]] | None = None
        self._open_cell: CellRef = {}
        self._is_stale = False
        super().__init__(error_queue)
        self._handlers |= {
            "narrow": self._handle_filter,
            "open": self._handle_open,
            "bars": self._handle_bars,
            "judge": self._handle_judge,
            "revert": self._handle_undo,
        }

    @property
    def errors(self) -> Errors:
        """The findings under the current conditions."""
        if self._conditions == MatchFilter():
            return self._all_errors
        return self._all_errors.filter(self._conditions)

    @property
    def frame(self) -> pd.DataFrame:
        """One row a finding under the current conditions; see ``Errors.frame``."""
        return self.errors.frame

    @property
    def confusion(self) -> pd.DataFrame:
        """The confusion matrix under the current conditions; see ``Errors.confusion``."""
        return self.errors.confusion

    @property
    def examples(self) -> list[Example]:
        """The examples of the open findings, each once."""
        found = CellSelection(self._open_cell).select(self._cells())
        return list({one.example_index: one.example for one in found}.values())

    def attribution(self, *factors: str) -> pd.DataFrame:
        """Return error rates by properties of the spans; see ``Errors.attribution``.

        Parameters
        ----------
        *factors : str
            Names of factors; by default all.
        """
        return self.errors.attribution(factors) if factors else self.errors.attribution()

    @property
    def summary(self) -> str:
        """The errors under the current conditions as text."""
        return self.errors.summary

    def plot(
        self,
        by: str = "matrix",
        ax: Axes | None = None,
        *,
        title: str | None = OWN_TITLE,
        style: PlotStyle = SCREEN,
        width: float | None = None,
    ) -> Axes:
        """Draw the confusion matrix, or the error rates by a factor; see ``Errors.plot``.

        Parameters
        ----------
        by : str
            "matrix", or the name of a factor.
        ax : Axes, optional
            Axes to draw on; new ones by default.
        title : str, optional
            By default the finding; None for no title.
        style : {"screen", "paper"}
            "paper" is for a column of print: dark ink, the fonts of the rcParams, no title.
        width : float, optional
            Width of a new figure in inches; on paper 3.25 by default.
        """
        return self.errors.plot(by, ax=ax, title=title, style=style, width=width)

    def to_html(self, path: str | Path | None = None, *, examples: int = 10) -> str:
        """Return the errors as a page of HTML; see ``Errors.to_html``.

        Parameters
        ----------
        path : str or Path, optional
            Also write the page to this file.
        examples : int
            Examples shown for each cell.
        """
        return self.errors.to_html(path, examples=examples)

    def filter(
        self, condition: Predicate | None = None, *, name: str | None = None, **options: Any
    ) -> ErrorExplorer:
        """Set the conditions on the findings that are shown; without any, all are shown.

        Parameters
        ----------
        condition : callable, optional
            A function of a finding; see ``Errors.filter``.
        name : str, optional
            Name of that condition on the page.
        **options
            ``labels``, ``min_length``, ``max_length``, ``seen``, ``min_probability``,
            ``max_probability``, ``split``, ``text``, ``meta``, ``judged``.

        Raises
        ------
        DataError
            There is no such condition, or the function fails.
        """
        try:
            conditions = MatchFilter(**options)
        except TypeError:
            raise DataError(
                f"there is no condition {next(iter(options))!r}",
                remedy="There are labels, min_length, max_length, seen, min_probability, "
                "max_probability, split, text, meta, judged, and any function of a finding",
            ) from None
        if condition is not None:
            predicates = {name or _name_of(condition): condition}
            conditions = replace(conditions, predicates=predicates)
        self._set_conditions(conditions)
        self._publish_overview()
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
        """Open the findings of a cell or of an error rate, as a click does.

        Parameters
        ----------
        gold, predicted : str, optional
            A cell of the confusion matrix; None is "no label".
        borders : bool
            Open the gold label's spans with wrong borders.
        factor, bucket : str, optional
            Open the errors in one bucket of a factor, in place of a cell.

        Raises
        ------
        DataError
            There is no such cell, or it is empty.
        """
        at: CellRef
        if factor is not None:
            at = {"factor": factor_on_page(factor), "bucket": str(bucket)}
        else:
            at = {"gold": gold, "predicted": gold if borders else predicted, "borders": borders}
        if not CellSelection(at).select(self._cells()):
            raise DataError(
                f"there is nothing at {', '.join(f'{k}={v!r}' for k, v in at.items())}",
                remedy="errors.confusion and errors.attribution() show where something is",
            )
        self._open_cell = at
        message: ShowCellMessage = {"type": "show-place", "at": at}
        self._post(message)
        return self

    def undo(self) -> Example | None:
        """Undo the last change; return the example as it is again, or None."""
        return self._error_queue.undo()

    def mark_stale(self) -> None:
        """Show a notice that another model is in use; the findings can still be corrected."""
        self._is_stale = True
        self._publish_overview()

    def refresh(self, *, keep_current: bool = False) -> None:
        """Send the current examples and the overview to every view.

        Parameters
        ----------
        keep_current : bool
            Whether the example on display stays.
        """
        self._sent.clear()
        message = self._snapshot_message("refresh")
        if keep_current:
            message["ahead"] = True
        self._post(message)
        self._publish_overview()

    # Messages.

    def _overview(self) -> Overview:
        matrix, errors = self._matrix(), self._all_errors
        return {
            "title": errors.title,
            "names": list(errors.side_names),
            "headline": self._headline(matrix),
            "notices": self._notices,
            "labels": list(matrix.labels),
            "cells": serialize_cells(matrix),
            "total": matrix.total,
            "errors": matrix.errors,
            "conditions": serialize_filters(self._conditions),
            "at": self._open_cell,
            "judged": sum(one.extra.get(JUDGED_KEY) is not None for one in errors.examples),
            "changes": self._error_queue.can_change,
            "undoes": self._error_queue.can_undo,
            **self._options,
        }

    def _overview_message(self) -> OverviewMessage:
        return cast("OverviewMessage", {"type": "errors", **self._overview()})

    def _publish_overview(self) -> None:
        self._cells_cache = None
        self._post(self._overview_message())

    @property
    def _notices(self) -> list[str]:
        return [*([_STALE_NOTICE] if self._is_stale else []), *self._all_errors.warnings]

    def _headline(self, matrix: ConfusionMatrix) -> str:
        total = len(self._all_errors.matches)
        rate = f" · {matrix.errors / matrix.total:.1%}" if matrix.total else ""
        headline = f"{plural(matrix.errors, 'error')} in {plural(matrix.total, 'span')}{rate}"
        return headline if matrix.total == total else f"{headline} · of {total:,} in all"

    def _handle_filter(self, message: RawMessage) -> OverviewMessage:
        raw = message.get("conditions")
        names = raw.get("predicates", []) if isinstance(raw, dict) else []
        predicates = {k: v for k, v in self._conditions.predicates.items() if k in names}
        self._set_conditions(parse_filters(raw, predicates))
        return self._overview_message()

    def _handle_open(self, message: RawMessage) -> FindingsReply:
        at: CellRef = message.get("at", {})
        selection = CellSelection(at)
        self._open_cell = at
        found = selection.select(self._cells())
        offset, limit = read_count(message, "offset"), min(read_count(message, "want"), _MAX_ROWS)
        example_id = self._error_queue.example_id
        rows = [
            serialize_finding(one, self._all_errors, example_id(one.example_index))
            for one in found[offset : offset + limit]
        ]
        numbers = dict.fromkeys(one.example_index for one in found) if offset == 0 else ()
        return {
            "type": "opened",
            "at": at,
            "offset": offset,
            "rows": rows,
            "ids": [str(example_id(number)) for number in islice(numbers, _MAX_IDS)],
            "total": len(found),
        }

    def _handle_bars(self, message: RawMessage) -> ErrorRatesReply:
        factor = require_text(message, "factor")
        name = factor_from_page(factor)
        buckets = self.errors.buckets(name)
        return {
            "type": "bars",
            "factor": factor,
            "words": ERROR_FACTORS[name].description,
            "bars": serialize_error_rates(buckets),
        }

    def _handle_judge(self, message: RawMessage) -> DoneReply:
        verdict = "model" if message.get("verdict") == "model" else None
        is_new = self._error_queue.record_verdict(read_example_id(message), verdict)
        words = "The model is wrong here: the gold stands" if verdict else "Not judged"
        return {"type": "done", "words": words if is_new else "That was said already"}

    def _handle_undo(self, _message: RawMessage) -> DoneReply:
        before = self._error_queue.undo()
        return {"type": "done", "words": "Nothing to undo" if before is None else "Undone"}

    def _on_answers(self, answers: Sequence[Answer]) -> None:
        super()._on_answers(answers)
        try:
            self._publish_overview()
        except Exception as error:  # noqa: BLE001
            # The answer has been stored and must be acknowledged even if a condition fails.
            _LOG.debug("a condition failed", exc_info=True)
            self._conditions = MatchFilter()
            self._publish_overview()
            self._show_notice(
                f"A condition failed with {format_error(error)}: it was taken off", ""
            )

    # Findings.

    def _set_conditions(self, conditions: MatchFilter) -> None:
        """Set the conditions if they work for every finding."""
        try:
            selected = conditions.select(self._all_errors.matches)
        except Exception as error:
            raise DataError(
                f"a condition failed with {format_error(error)}",
                remedy="A condition is a function of one finding: lambda one: one.length > 2",
            ) from error
        self._conditions, self._cells_cache = conditions, group_by_cell(selected)

    def _cells(self) -> dict[ConfusionCell, list[SpanMatch]]:
        if self._cells_cache is None:
            self._cells_cache = group_by_cell(self._conditions.select(self._all_errors.matches))
        return self._cells_cache

    def _matrix(self) -> ConfusionMatrix:
        return confusion_matrix(self._cells(), self._all_errors.labels)

    def _static_html(self) -> str:
        matrix = self._matrix()
        lines = [self._all_errors.title, self._headline(matrix), *self._notices]
        head = "".join(f"<div>{escape(line)}</div>" for line in lines)
        table = render_confusion_matrix(matrix, self._all_errors.side_names, {})
        return f"<div>{head}{table}</div>"


def _name_of(condition: Callable[..., object]) -> str:
    name = getattr(condition, "__name__", "")
    return name if name.isidentifier() else "a condition of yours"
