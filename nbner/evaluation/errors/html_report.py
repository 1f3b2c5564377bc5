"""Rendering of an error analysis as one self-contained HTML page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Protocol

from nbner._common.colors import label_colors
from nbner._common.format import scrollable
from nbner._common.span_html import highlight_spans
from nbner.evaluation.errors.attribution import ERROR_FACTORS, ErrorBucket
from nbner.evaluation.errors.filters import BORDERS, NOTHING, ConfusionCell, ConfusionMatrix
from nbner.evaluation.errors.matches import SpanMatch
from nbner.types import Span


class ErrorData(Protocol):
    """The part of an error analysis that the page shows."""

    title: str
    side_names: tuple[str, str]
    predicted: list[tuple[Span, ...]]
    colors: Mapping[str, str]

    @property
    def matches_by_cell(self) -> dict[ConfusionCell, list[SpanMatch]]:
        """Matched spans by cell of the confusion matrix."""

    def confusion_matrix(self) -> ConfusionMatrix:
        """Return the confusion matrix."""

    def buckets(self, factor: str) -> list[ErrorBucket]:
        """Return the error rates by a factor."""

    def reference_spans(self, number: int) -> Sequence[Span]:
        """Return the spans of an example that predictions are compared with."""


#: Number of cells whose examples are shown, the most frequent first.
_MAX_CELLS = 40

_FACTORS = ("frequency", "length", "shape", "sentence_end")

_STYLE = """
:root { color-scheme: light dark }
html { color: CanvasText; background: Canvas }
body { font: 15px/1.5 system-ui, sans-serif }
body { max-width: 76rem; margin: 2rem auto; padding: 0 1.5rem }
table { border-collapse: collapse; font-variant-numeric: tabular-nums }
th { font-weight: 500; text-align: left; padding: .15rem .5rem }
td { padding: .15rem .5rem; text-align: right }
.matrix { font-size: .85rem }
.matrix td { min-width: 1.8rem; padding: .1rem; text-align: center; border: 1px solid #8883 }
.matrix tbody th { padding: .1rem .4rem; white-space: nowrap }
.matrix thead th { padding: .3rem .1rem }
.matrix td.wrong { background: color-mix(in srgb, #0d8ddb calc(15% + var(--share) * 70%), Canvas) }
.matrix td.right { background: #8882 }
.matrix a { color: inherit }
.matrix thead th { writing-mode: vertical-rl; transform: rotate(180deg) }
.matrix thead th:first-child { writing-mode: horizontal-tb; transform: none }
.matrix thead th:first-child { vertical-align: bottom }
.bar { position: relative; width: 20rem; height: .9rem; background: #8882 }
.bar b { position: absolute; inset: 0 auto 0 0; background: #0d8ddb99 }
.bar i { position: absolute; top: 45%; height: 10%; background: currentcolor }
.text { white-space: pre-wrap; text-align: left; line-height: 1.9 }
.side { color: color-mix(in srgb, CanvasText 70%, Canvas); text-align: left; vertical-align: top }
.quiet { color: color-mix(in srgb, CanvasText 70%, Canvas) }
section { margin: 2rem 0 }
"""


def render_error_report(errors: ErrorData, *, examples: int) -> str:
    """Render the page.

    Parameters
    ----------
    errors : ErrorData
        The error analysis.
    examples : int
        Maximum number of examples of each kind of error.
    """
    wrong = {cell: some for cell, some in errors.matches_by_cell.items() if some[0].is_error}
    ordered = dict(sorted(wrong.items(), key=lambda item: -len(item[1]))[:_MAX_CELLS])
    colors = label_colors(errors.confusion_matrix().labels, errors.colors)
    anchors = {cell: f"errors-{i}" for i, cell in enumerate(ordered)}
    title = f"Errors{': ' if errors.title else ''}{errors.title}"
    body = "".join(
        [
            f"<h1>{escape(title)}</h1>",
            *(f"<p>{escape(line)}</p>" for line in str(errors).splitlines()),
            "<section><h2>What is taken for what</h2>",
            render_confusion_matrix(errors.confusion_matrix(), errors.side_names, anchors),
            "</section>",
            *(_bars(errors.buckets(name), ERROR_FACTORS[name].description) for name in _FACTORS),
            *(
                _section(errors, cell, some, anchors[cell], colors, examples)
                for cell, some in ordered.items()
            ),
        ]
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>"
        f"<body><main>{body}</main></body></html>\n"
    )


def describe_cell(cell: ConfusionCell, names: tuple[str, str]) -> str:
    """Describe a cell of the confusion matrix in words.

    Parameters
    ----------
    cell : ConfusionCell
        The cell.
    names : (str, str)
        Names of rows and columns.
    """
    gold, predicted = names
    if cell.borders:
        return f"{cell.gold}: right label, other borders"
    if cell.predicted is None:
        return f"{cell.gold} in {gold}, nothing in {predicted}"
    if cell.gold is None:
        return f"{cell.predicted} in {predicted}, nothing in {gold}"
    if cell.gold == cell.predicted:
        return f"{cell.gold} in both"
    return f"{cell.gold} in {gold}, {cell.predicted} in {predicted}"


def render_confusion_matrix(
    counted: ConfusionMatrix, names: tuple[str, str], anchors: Mapping[ConfusionCell, str]
) -> str:
    """Render a confusion matrix as a table of escaped HTML.

    Parameters
    ----------
    counted : ConfusionMatrix
        The confusion matrix.
    names : (str, str)
        Names of rows and columns.
    anchors : mapping
        Cell to the id of the element that its number links to.
    """
    rows: list[str | None] = [*counted.labels, None]
    heads = "".join(f"<th>{escape(one or NOTHING)}</th>" for one in rows)
    lines = []
    for row in rows:
        cells = [ConfusionCell(row, column) for column in rows]
        cells += [] if row is None else [ConfusionCell(row, row, borders=True)]
        total = max(1, sum(counted.counts.get(cell, 0) for cell in cells))
        columns = "".join(
            _count(cell, counted.counts.get(cell, 0), total, anchors) for cell in cells
        )
        lines.append(f"<tr><th>{escape(row or NOTHING)}</th>{columns}</tr>")
    corner = f"{names[0]} ↓ {names[1]} →"
    return scrollable(
        f'<table class="matrix"><thead><tr><th>{escape(corner)}</th>{heads}'
        f"<th>{BORDERS}</th></tr></thead><tbody>{''.join(lines)}</tbody></table>"
    )


def _count(
    cell: ConfusionCell, count: int, total: int, anchors: Mapping[ConfusionCell, str]
) -> str:
    if not count:
        return "<td></td>"
    if cell not in anchors:
        return f'<td class="{"right" if cell.gold == cell.predicted else ""}">{count:,}</td>'
    link = f'<a href="#{anchors[cell]}">{count:,}</a>'
    return f'<td class="wrong" style="--share:{count / total:.3f}">{link}</td>'


def _bars(buckets: Iterable[ErrorBucket], words: str) -> str:
    table = (
        "<table><tr><td></td><th>rate, with its 95 % interval</th><td></td><th>errors</th>"
        f"<th>of</th><th>share of all errors</th></tr>{''.join(map(_bar, buckets))}</table>"
    )
    return f"<section><h2>Error rate by {escape(words)}</h2>{scrollable(table)}</section>"


def _bar(one: ErrorBucket) -> str:
    rate, low, high = one.rate.value, one.rate.low, one.rate.high
    return (
        f'<tr><th>{escape(one.name)}</th><td><div class="bar"><b style="width:{rate:.1%}"></b>'
        f'<i style="left:{low:.1%};width:{max(0.0, high - low):.1%}"></i></div></td>'
        f"<td>{rate:.1%} ({low:.1%} to {high:.1%})</td><td>{one.errors:,}</td><td>{one.n:,}</td>"
        f"<td>{one.share.value:.0%}</td></tr>"
    )


def _section(
    errors: ErrorData,
    cell: ConfusionCell,
    found: list[SpanMatch],
    anchor: str,
    colors: Mapping[str, str],
    examples: int,
) -> str:
    shown = "".join(_example(one, errors, colors) for one in found[:examples])
    left = len(found) - examples
    more = f'<p class="quiet">and {left:,} more</p>' if left > 0 else ""
    heading = f"{describe_cell(cell, errors.side_names)} ({len(found):,})"
    table = scrollable(f"<table>{shown}</table>")
    return f'<section id="{anchor}"><h2>{escape(heading)}</h2>{table}{more}</section>'


def _example(one: SpanMatch, errors: ErrorData, colors: Mapping[str, str]) -> str:
    sides = zip(
        errors.side_names,
        (errors.reference_spans(one.example_index), errors.predicted[one.example_index]),
        strict=True,
    )
    meant = [span for span in (one.gold, one.predicted) if span is not None]
    rows = (
        f'<tr><td class="side">{escape(name)}</td>'
        '<td class="text">'
        f"{highlight_spans(one.example.text, spans, colors, meant=meant)}</td></tr>"
        for name, spans in sides
    )
    return "".join(rows)
