"""Types of the error explorer's messages; the page's side is ``js/src/errorExplorer/messages.ts``.

Texts are sent in segments, so that no offset is on the wire. As in `messages`, handlers
take requests unchecked.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias, TypedDict

from nbner.widgets.messages import KernelMessage, Request


class AllErrorsRef(TypedDict):
    """Reference to all errors; it has no fields."""


class MatrixCellRef(TypedDict):
    """Reference to a cell of the confusion matrix; None is "no label"."""

    gold: str | None
    predicted: str | None
    borders: bool


class ErrorRateRef(TypedDict):
    """Reference to one error rate: the findings in one bucket of a factor."""

    factor: str
    bucket: str


CellRef: TypeAlias = AllErrorsRef | MatrixCellRef | ErrorRateRef


class FindingFilter(TypedDict):
    """Conditions on findings; ``predicates`` are the names of those that only code can set."""

    labels: list[str]
    shortest: int | None
    longest: int | None
    seen: bool | None
    least: float | None
    most: float | None
    split: str | None
    text: str
    meta: dict[str, str]
    judged: bool | None
    predicates: list[str]


class NarrowRequest(Request):
    """Set the conditions; an absent condition is removed."""

    type: Literal["narrow"]
    conditions: FindingFilter | AllErrorsRef


class OpenRequest(Request):
    """Send findings of a cell or an error rate."""

    type: Literal["open"]
    at: CellRef
    offset: int
    want: int


class BarsRequest(Request):
    """Send error rates by the values of a factor."""

    type: Literal["bars"]
    factor: str


class JudgeRequest(Request):
    """Store that the model is wrong on an example, or remove that verdict."""

    type: Literal["judge"]
    example: str
    verdict: Literal["model"] | None


class RevertRequest(Request):
    """Undo the last change."""

    type: Literal["revert"]


class FilterOptions(TypedDict):
    """Values to choose from in the conditions; ``factors`` are ``[name, description]``."""

    splits: list[str]
    columns: dict[str, list[str]]
    factors: list[list[str]]


class Overview(FilterOptions):
    """The confusion matrix under the current conditions, and the state of the explorer.

    ``cells`` are as from `serialize_cells`; ``at`` refers to the open findings.
    """

    title: str
    names: list[str]
    headline: str
    notices: list[str]
    labels: list[str]
    cells: list[list[int]]
    total: int
    errors: int
    conditions: FindingFilter
    at: CellRef
    judged: int
    changes: bool
    undoes: bool


class OverviewMessage(KernelMessage, Overview):
    """Event after every change, and reply to ``narrow``."""

    type: Literal["errors"]


class Finding(TypedDict):
    """One finding; ``sides`` are ``[name, segments]``, segments ``[text, label, is target]``."""

    id: str
    kind: str
    split: str
    judged: str
    probability: float | None
    sides: list[list[Any]]


class FindingsReply(KernelMessage):
    """Reply to ``open``; ``ids`` are the examples of all findings, at offset 0 only."""

    type: Literal["opened"]
    at: CellRef
    offset: int
    rows: list[Finding]
    ids: list[str]
    total: int


class ErrorRatesReply(KernelMessage):
    """Reply to ``bars``, as from `serialize_error_rates`; ``words`` describes the factor."""

    type: Literal["bars"]
    factor: str
    words: str
    bars: list[list[Any]]


class DoneReply(KernelMessage):
    """Reply to ``judge`` and ``revert``: the outcome in words."""

    type: Literal["done"]
    words: str


class ShowCellMessage(KernelMessage):
    """Open the findings of a cell or an error rate in every view."""

    type: Literal["show-place"]
    at: CellRef
