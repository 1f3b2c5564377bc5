"""What the page asks of an error explorer, read, and what it is told, written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from nbner.errors import DataError
from nbner.evaluation.errors.attribution import ERROR_FACTORS, ErrorBucket
from nbner.evaluation.errors.filters import ConfusionCell, ConfusionMatrix, MatchFilter, Predicate
from nbner.evaluation.errors.matches import SpanMatch
from nbner.widgets.messages import Message

if TYPE_CHECKING:
    from nbner.evaluation.errors.report import Errors

#: The row and the column "nothing", and the column "borders", in place of a label's index.
NOTHING_INDEX, BORDERS_INDEX = -1, -2

#: Values of a column of metadata that are offered.
_VALUES = 40


class CellSelection:
    """What is opened: a place of the matrix, a bar of a picture, or all that is wrong.

    Parameters
    ----------
    raw : object
        As the page has it: ``{"gold", "predicted", "borders"}``, where None is
        "nothing"; ``{"factor", "bucket"}``; or ``{}``.

    Raises
    ------
    DataError
        There is no such place.
    """

    def __init__(self, raw: object) -> None:
        self.cell: ConfusionCell | None = None
        self.bar: tuple[str, str] | None = None
        match raw:
            case {"gold": str() | None as gold, "predicted": str() | None as predicted}:
                self.cell = ConfusionCell(gold, predicted, raw.get("borders") is True)  # type: ignore[attr-defined]
            case {"factor": str(sent), "bucket": str(bucket)} if (
                factor_from_page(sent) in ERROR_FACTORS
            ):
                self.bar = factor_from_page(sent), bucket
            case dict() if not raw:
                pass
            case _:
                raise DataError(f"{raw!r} is not a place of this widget", field="at")

    def select(self, cells: Mapping[ConfusionCell, list[SpanMatch]]) -> list[SpanMatch]:
        """Give the findings that stand there, in the order of their examples."""
        if self.cell is not None:
            return cells.get(self.cell, [])
        wrong = [one for some in cells.values() for one in some if one.is_error]
        wrong.sort(key=lambda one: (one.example_index, one.span.start))
        if self.bar is None:
            return wrong
        factor, bucket = ERROR_FACTORS[self.bar[0]], self.bar[1]
        return [one for one in wrong if factor.bucket_of(one) == bucket]


def serialize_cells(counted: ConfusionMatrix) -> list[list[int]]:
    """Write the matrix: row, column, count, and how many of those have other borders too."""
    index: dict[str | None, int] = {label: i for i, label in enumerate(counted.labels)}
    index[None] = NOTHING_INDEX
    return [
        [
            index[cell.gold],
            BORDERS_INDEX if cell.borders else index[cell.predicted],
            count,
            counted.also_borders.get(cell, 0),
        ]
        for cell, count in counted.counts.items()
    ]


def serialize_bars(buckets: Sequence[ErrorBucket]) -> list[list[Any]]:
    """Write bars: name, spans, errors, rate and the ends of its interval, share of all errors."""
    return [
        [
            *(one.name, one.n, one.errors),
            *(_number(value) for value in (one.rate.value, one.rate.low, one.rate.high)),
            _number(one.share.value),
        ]
        for one in buckets
    ]


def parse_filters(raw: object, predicates: Mapping[str, Predicate]) -> MatchFilter:
    """Read conditions; what is not known, or not of its kind, is passed over."""
    given = raw if isinstance(raw, dict) else {}
    labels, meta = given.get("labels"), given.get("meta")
    return MatchFilter(
        labels=tuple(one for one in labels if isinstance(one, str))
        if isinstance(labels, list)
        else (),
        min_length=_whole(given.get("shortest")),
        max_length=_whole(given.get("longest")),
        seen=_flag(given.get("seen")),
        min_probability=_share(given.get("least")),
        max_probability=_share(given.get("most")),
        split=_text(given.get("split")),
        text=_text(given.get("text")),
        meta={str(k): str(v) for k, v in meta.items()} if isinstance(meta, dict) else {},
        judged=_flag(given.get("judged")),
        predicates=predicates,
    )


def serialize_filters(conditions: MatchFilter) -> Message:
    """Write conditions as the page has them, and the names of those that only code can change."""
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


def filter_options(errors: Errors) -> Message:
    """Write what conditions there are to choose from."""
    columns: dict[str, Counter[str]] = {}
    for one in errors.examples:
        for name, value in one.meta.items():
            columns.setdefault(str(name), Counter())[str(value)] += 1
    return {
        "splits": list(dict.fromkeys(one.split for one in errors.examples)),
        "columns": {
            name: [value for value, _ in counts.most_common(_VALUES)]
            for name, counts in columns.items()
        },
        "factors": [[factor_on_page(one.name), one.description] for one in ERROR_FACTORS.values()],
    }


def factor_on_page(name: str) -> str:
    """Return the name that a factor has in messages to the page, with spaces."""
    return name.replace("_", " ")


def factor_from_page(name: str) -> str:
    """Return the factor that the page means by a name with spaces."""
    return name.replace(" ", "_")


def _number(value: float) -> float | None:
    return value if value == value else None  # NaN is not JSON


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _share(value: object) -> float | None:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) if is_number else None  # type: ignore[arg-type]


def _flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
