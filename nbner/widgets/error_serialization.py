"""Translation between the error explorer's messages and plain values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from nbner.errors import DataError
from nbner.evaluation.errors.attribution import ERROR_FACTORS, ErrorBucket
from nbner.evaluation.errors.filters import ConfusionCell, ConfusionMatrix, MatchFilter, Predicate
from nbner.evaluation.errors.matches import SpanMatch
from nbner.types import Example, Span
from nbner.widgets.error_messages import FilterOptions, Finding, FindingFilter

if TYPE_CHECKING:
    from nbner.evaluation.errors.report import Errors

#: Row and column of no label, and column of wrong borders, in place of a label's index.
NO_LABEL_INDEX, WRONG_BORDERS_INDEX = -1, -2

#: Values of a metadata column to choose from.
_MAX_VALUES = 40

#: Characters of a text that are shown on either side of a finding.
_CONTEXT_CHARACTERS = 90

#: Names of the kinds of findings where neither side is gold.
_KIND_NAMES = {
    "correct": "the same",
    "borders": "other borders",
    "label": "another label",
    "label_and_borders": "another label and borders",
    "missed": "in {0} alone",
    "spurious": "in {1} alone",
}


class CellSelection:
    """The findings that a reference selects.

    Parameters
    ----------
    raw : object
        A `CellRef`, unchecked.

    Raises
    ------
    DataError
        The reference is invalid.
    """

    def __init__(self, raw: object) -> None:
        self.cell: ConfusionCell | None = None
        self.bucket: tuple[str, str] | None = None
        match raw:
            case {"gold": str() | None as gold, "predicted": str() | None as predicted, **others}:
                self.cell = ConfusionCell(gold, predicted, others.get("borders") is True)
            case {"factor": str(sent), "bucket": str(bucket)} if (
                factor_from_page(sent) in ERROR_FACTORS
            ):
                self.bucket = factor_from_page(sent), bucket
            case dict() if not raw:
                pass
            case _:
                raise DataError(f"{raw!r} is not a place of this widget", field="at")

    def select(self, cells: Mapping[ConfusionCell, list[SpanMatch]]) -> list[SpanMatch]:
        """Return the selected findings in the order of their examples.

        Parameters
        ----------
        cells : mapping
            Findings by cell of the confusion matrix.
        """
        if self.cell is not None:
            return cells.get(self.cell, [])
        errors = [one for found in cells.values() for one in found if one.is_error]
        errors.sort(key=lambda one: (one.example_index, one.span.start))
        if self.bucket is None:
            return errors
        factor, bucket = ERROR_FACTORS[self.bucket[0]], self.bucket[1]
        return [one for one in errors if factor.bucket_of(one) == bucket]


def serialize_cells(matrix: ConfusionMatrix) -> list[list[int]]:
    """Serialize a matrix as rows of row, column, count and number with wrong borders too.

    Parameters
    ----------
    matrix : ConfusionMatrix
        The matrix.
    """
    index: dict[str | None, int] = {label: i for i, label in enumerate(matrix.labels)}
    index[None] = NO_LABEL_INDEX
    return [
        [
            index[cell.gold],
            WRONG_BORDERS_INDEX if cell.borders else index[cell.predicted],
            count,
            matrix.also_borders.get(cell, 0),
        ]
        for cell, count in matrix.counts.items()
    ]


def serialize_error_rates(buckets: Sequence[ErrorBucket]) -> list[list[Any]]:
    """Serialize error rates as name, spans, errors, rate, its interval and share of all errors.

    Parameters
    ----------
    buckets : sequence of ErrorBucket
        The error rates; values that are NaN become None.
    """
    return [
        [
            *(one.name, one.n, one.errors),
            *(_none_if_nan(value) for value in (one.rate.value, one.rate.low, one.rate.high)),
            _none_if_nan(one.share.value),
        ]
        for one in buckets
    ]


def parse_filters(raw: object, predicates: Mapping[str, Predicate]) -> MatchFilter:
    """Parse conditions; unknown and invalid ones are left out.

    Parameters
    ----------
    raw : object
        A `FindingFilter`, unchecked.
    predicates : mapping
        Name to condition, for those that only code can set.
    """
    fields = raw if isinstance(raw, dict) else {}
    labels, meta = fields.get("labels"), fields.get("meta")
    labels = labels if isinstance(labels, list) else []
    return MatchFilter(
        labels=tuple(one for one in labels if isinstance(one, str)),
        min_length=_int_or_none(fields.get("shortest")),
        max_length=_int_or_none(fields.get("longest")),
        seen=_bool_or_none(fields.get("seen")),
        min_probability=_float_or_none(fields.get("least")),
        max_probability=_float_or_none(fields.get("most")),
        split=_text_or_none(fields.get("split")),
        text=_text_or_none(fields.get("text")),
        meta={str(k): str(v) for k, v in meta.items()} if isinstance(meta, dict) else {},
        judged=_bool_or_none(fields.get("judged")),
        predicates=predicates,
    )


def serialize_filters(conditions: MatchFilter) -> FindingFilter:
    """Serialize conditions.

    Parameters
    ----------
    conditions : MatchFilter
        The conditions.
    """
    return {
        "labels": list(conditions.labels),
        "shortest": conditions.min_length,
        "longest": conditions.max_length,
        "seen": conditions.seen,
        "least": conditions.min_probability,
        "most": conditions.max_probability,
        "split": conditions.split,
        "text": conditions.text or "",
        "meta": dict(conditions.meta),
        "judged": conditions.judged,
        "predicates": list(conditions.predicates),
    }


def filter_options(errors: Errors) -> FilterOptions:
    """Collect the values to choose from in the conditions.

    Parameters
    ----------
    errors : Errors
        The findings; of a metadata column the most frequent values are offered.
    """
    columns: dict[str, Counter[str]] = {}
    for one in errors.examples:
        for name, value in one.meta.items():
            columns.setdefault(str(name), Counter())[str(value)] += 1
    return {
        "splits": list(dict.fromkeys(one.split for one in errors.examples)),
        "columns": {
            name: [value for value, _ in counts.most_common(_MAX_VALUES)]
            for name, counts in columns.items()
        },
        "factors": [[factor_on_page(one.name), one.description] for one in ERROR_FACTORS.values()],
    }


def serialize_finding(finding: SpanMatch, errors: Errors, key: int) -> Finding:
    """Serialize a finding with the text around it, once for each side.

    Where neither side is gold, the gold of an accepted example is a third side.

    Parameters
    ----------
    finding : SpanMatch
        The finding.
    errors : Errors
        All findings, with the spans of both sides.
    key : int
        Id of the example.
    """
    example = finding.example
    start, end = _context_window(finding, example)
    kind = finding.kind.replace("_", " ")
    if errors.reference is not None:
        kind = _KIND_NAMES.get(finding.kind, "").format(*errors.side_names)
    return {
        "id": str(key),
        "kind": kind,
        "split": example.split,
        "judged": finding.judged or "",
        "probability": finding.probability,
        "sides": [
            [name, list(_segments(example.text, spans, start, end, target))]
            for name, spans, target in _sides(finding, errors)
        ],
    }


def factor_on_page(name: str) -> str:
    """Return the name of a factor in messages to the page, with spaces.

    Parameters
    ----------
    name : str
        Name in ``ERROR_FACTORS``, with underscores.
    """
    return name.replace("_", " ")


def factor_from_page(name: str) -> str:
    """Return the name of a factor in ``ERROR_FACTORS``, with underscores.

    Parameters
    ----------
    name : str
        Name in a message of the page, with spaces.
    """
    return name.replace(" ", "_")


def _sides(finding: SpanMatch, errors: Errors) -> Iterator[tuple[str, Sequence[Span], Span | None]]:
    """Yield the name of each side, its spans, and the one that the finding is about."""
    a, b = errors.side_names
    yield a, errors.reference_spans(finding.example_index), finding.gold
    yield b, errors.predicted[finding.example_index], finding.predicted
    if errors.reference is not None and finding.example.answer == "accept":
        yield "gold", finding.example.spans, None


def _context_window(finding: SpanMatch, example: Example) -> tuple[int, int]:
    """Return the range of the text that is shown, in code points, extended to whole tokens."""
    spans = [one for one in (finding.gold, finding.predicted) if one is not None]
    low = min(one.start for one in spans) - _CONTEXT_CHARACTERS
    high = max(one.end for one in spans) + _CONTEXT_CHARACTERS
    starts = [one.start for one in example.tokens if one.end > low]
    ends = [one.end for one in example.tokens if one.start < high]
    first = 0 if low <= 0 else (starts[0] if starts else low)
    last = len(example.text) if high >= len(example.text) else (ends[-1] if ends else high)
    return first, last


def _segments(
    text: str, spans: Iterable[Span], first: int, last: int, target: Span | None
) -> Iterator[list[Any]]:
    """Yield the text from ``first`` to ``last`` in segments; outside of spans the label is ""."""
    at = first
    if first > 0:
        yield ["…", "", False]
    for span in sorted(spans, key=lambda one: (one.start, -one.end)):
        start, end = max(span.start, at), min(span.end, last)
        if start >= end:
            continue
        if at < start:
            yield [text[at:start], "", False]
        yield [text[start:end], span.label, span == target]
        at = end
    if at < last:
        yield [text[at:last], "", False]
    if last < len(text):
        yield ["…", "", False]


def _none_if_nan(value: float) -> float | None:
    return value if value == value else None  # NaN is not JSON


def _int_or_none(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _float_or_none(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _bool_or_none(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _text_or_none(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
