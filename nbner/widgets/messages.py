"""Types of the messages between page and kernel; the page's side is ``js/src/shared/protocol.ts``.

On the wire, offsets are half-open token indices and ids are strings. `serialization`
translates between these messages and plain values. The names of all fields agree with
those of the page's side (``tests/unit/test_protocol.py``).

A request may come from a page of another version: handlers take it as `RawMessage` and
check every field. The request types state what a current page sends.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypedDict

from nbner._common.filters import AnswerFilter
from nbner._common.learning_status import LearningCommand, LearningState
from nbner._common.occurrences import BulkAction
from nbner.types import AnswerKind

if TYPE_CHECKING:
    from typing_extensions import NotRequired

#: Version of the protocol, incremented with every change that breaks the other side.
PROTOCOL_VERSION = 2

#: Key of ``Example.extra`` with the annotators' versions of an example: objects with
#: ``annotator``, ``answer`` and ``spans``.
VERSIONS = "_versions"

#: Key of ``Example.extra`` with the conformal set of an example under review: an object
#: with ``level``, ``size``, ``is_complete`` and ``is_current``. Its analyses, where they
#: are few, are the versions.
ANALYSIS_SET = "_set"

#: A message whose fields have not been checked.
RawMessage: TypeAlias = Mapping[str, Any]

#: ``[start, end, label]``, or ``[start, end, label, SpanDetails]``.
WireSpan: TypeAlias = list[Any]


class SpanDetails(TypedDict, total=False):
    """Origin of a suggested span; ``pattern`` is the line of the pattern in its file."""

    source: str
    score: float
    pattern: int


class MisalignedSpan(TypedDict):
    """A span that does not fit the tokens."""

    text: str
    label: str


class Version(TypedDict):
    """One annotator's answer to an example on which several annotators differ.

    Or one analysis of a set, with its ``probability``.
    """

    by: str
    answer: AnswerKind
    spans: list[WireSpan]
    probability: NotRequired[float]


class AnalysisSet(TypedDict):
    """The conformal set of an example: ``size`` analyses that hold gold at a ``level``.

    ``complete`` is whether the list reaches the level, ``current`` whether the model in
    use is the one that was calibrated; of another one's sets nothing else is known.
    """

    level: float
    size: int
    complete: bool
    current: bool


class Task(TypedDict):
    """One example; ``lead`` and ``tokens`` (text and following white space) rebuild its text.

    ``also`` holds suggestions that lost to an overlapping one and other spans that the
    model holds possible, the likeliest first; ``loose`` the spans that do not fit the
    tokens and the suggestions that have no place in the text. ``offer`` numbers the
    suggestions, which the page says with the answer that was given to them.
    ``done`` is how many tokens of an undecided example are done, ``context`` the text
    before and after it in its document. ``set`` is there where sets are reviewed; the
    analyses of a short one are the ``versions``.
    """

    id: str
    lead: str
    tokens: list[list[str]]
    spans: list[WireSpan]
    also: list[WireSpan]
    loose: list[MisalignedSpan]
    answer: AnswerKind | None
    flagged: bool
    note: str
    meta: dict[str, str]
    suggested: bool
    draft: bool
    by: str
    versions: NotRequired[list[Version]]
    set: NotRequired[AnalysisSet]
    offer: NotRequired[int]
    done: NotRequired[int]
    context: NotRequired[list[str]]


class CountsMessage(TypedDict):
    """Numbers of examples of a split, by answer."""

    total: int
    accept: int
    reject: int
    ignore: int
    open: int


class DailyTargetMessage(TypedDict):
    """A target for today: examples of all splits decided today, and of this one in all, by now."""

    daily: int
    today: int
    answered: int


class Setup(TypedDict):
    """Information about a widget that only changes when labels are added."""

    key: str
    version: str
    dataset: str
    split: str
    mode: Literal["manual", "make-gold"]
    annotator: str
    labels: list[str]
    colors: dict[str, str]
    underlines: NotRequired[dict[str, str]]
    sources: NotRequired[dict[str, str]]
    definitions: NotRequired[dict[str, str]]
    guideline: NotRequired[str]
    keys: NotRequired[dict[str, str]]
    labelKeys: NotRequired[dict[str, str]]
    relabels: NotRequired[bool]
    confident: NotRequired[bool]
    protocol: int
    advises: bool
    redecodes: bool
    mends: bool
    target: NotRequired[DailyTargetMessage]


# Requests of the page.


class Request(TypedDict):
    """A message of the page; its reply repeats ``id``, which is added when it is sent."""

    id: NotRequired[str]


class AnswerRequest(Request):
    """Store an answer; ``have`` holds the ids of the examples in the page's window.

    ``offer`` is the example's, where all of its suggestions were shown; ``done`` the
    number of tokens that are done, without a decision; ``guideline`` the version that the
    page had.
    """

    type: Literal["answer"]
    example: str
    answer: AnswerKind | None
    spans: list[WireSpan]
    flagged: bool
    note: str
    seconds: float
    have: list[str]
    done: NotRequired[int]
    offer: NotRequired[int]
    guideline: NotRequired[str]


class FetchRequest(Request):
    """Send the next open examples."""

    type: Literal["fetch"]
    have: list[str]
    want: int


class PastRequest(Request):
    """Send the latest answered examples, or those before one example."""

    type: Literal["past"]
    before: str | None
    want: int


class HelloRequest(Request):
    """Send setup and snapshot; ``loaded`` where the page need not get the front end again.

    ``zone`` is the minutes by which the annotator's time is behind UTC.
    """

    type: Literal["hello"]
    protocol: NotRequired[int]
    loaded: NotRequired[bool]
    zone: NotRequired[int]


class FindRequest(Request):
    """Send examples by their ids."""

    type: Literal["find"]
    examples: list[str]


class WireFilter(TypedDict, total=False):
    """Filter of the example list; an absent key does not filter."""

    answer: AnswerFilter
    flagged: bool
    noted: bool
    label: str
    text: str
    annotator: str
    order: Literal["unsure"]


class ListRequest(Request):
    """Send one page of the filtered list of examples."""

    type: Literal["list"]
    filter: WireFilter
    offset: int
    want: int


class OccurrencesRequest(Request):
    """Find the same words in open examples other than ``besides``."""

    type: Literal["occurrences"]
    words: list[str]
    label: str
    take: BulkAction
    cased: bool
    besides: str
    want: int


class BulkRequest(Request):
    """Change many occurrences in one transaction, or, with ``undo``, change them back.

    ``places`` are ``[example, start, end]``.
    """

    type: Literal["bulk"]
    bulk: str
    label: str
    take: BulkAction
    places: list[list[Any]]
    undo: bool
    have: list[str]


class AnalysesRequest(Request):
    """Compute the best analyses that contain all forced spans and no forbidden one."""

    type: Literal["analyses"]
    example: str
    want: int
    forced: list[WireSpan]
    forbidden: list[WireSpan]


class LearningRequest(Request):
    """Stop the training behind the widget, start it again, or change the model that suggests."""

    type: Literal["learning"]
    do: LearningCommand


class GuidelineRequest(Request):
    """Send the annotation guideline."""

    type: Literal["guideline"]


class LabelsRequest(Request):
    """List the labels, or change them; ``to`` is a name or a color, ``order`` all labels."""

    type: Literal["labels"]
    do: str
    label: str
    to: str
    order: list[str]


class BundleRequest(Request):
    """Send script and style of the front end."""

    type: Literal["bundle"]


class ConfidentRequest(Request):
    """List the open texts whose every suggestion is probable, accept them in bulk, or undo that.

    ``number`` is that of the list that the page shows, ``bulk`` the id of the act, and
    ``unticked`` the ids of the texts that stay open.
    """

    type: Literal["confident"]
    do: Literal["start", "list", "stop", "accept", "undo"]
    probability: float
    offset: int
    want: int
    number: NotRequired[int]
    bulk: NotRequired[str]
    unticked: NotRequired[list[str]]


class PageState(TypedDict):
    """The example on display, with its spans and the selection; it has no reply.

    ``spans`` are start, end and index of the label, one after the other; absent before
    the first edit. ``turn`` is that of the kernel's last message: what a page reports
    from before code has shown another example is outdated.
    """

    type: Literal["at"]
    example: str | None
    turn: NotRequired[int]
    spans: NotRequired[list[int]]
    selection: NotRequired[list[int]]
    offer: NotRequired[int]


# Replies and events of the kernel.


class KernelMessage(TypedDict):
    """A message of the kernel; ``re`` is the id of the request, and absent in an event."""

    re: NotRequired[str]


class SavedMessage(KernelMessage):
    """The stored state of an example after an answer; ``next`` refills the page's window."""

    type: Literal["saved"]
    example: str
    answer: AnswerKind | None
    spans: list[WireSpan]
    flagged: bool
    note: str
    done: NotRequired[int]
    counts: CountsMessage
    target: NotRequired[DailyTargetMessage]
    next: list[Task]


class FailedMessage(KernelMessage):
    """A request failed; ``retry`` is whether the same message may succeed later."""

    type: Literal["failed"]
    message: str
    retry: bool


class TasksMessage(KernelMessage):
    """Examples, in reply to ``fetch``, ``past`` and ``find``."""

    type: Literal["tasks"]
    tasks: list[Task]
    counts: CountsMessage


class WindowSnapshot(TypedDict):
    """The next examples, and the latest answered ones, oldest first."""

    window: list[Task]
    past: list[Task]
    counts: CountsMessage


class SnapshotMessage(KernelMessage, WindowSnapshot):
    """Reply to ``hello``, with ``setup``; or event that replaces the page's examples.

    ``ahead`` is set where code has put the window's examples at the head of the queue,
    ``keep`` where open examples that were shown stay as they are. ``turn`` counts how
    often code has chosen the example that is shown.
    """

    type: Literal["snapshot", "refresh"]
    setup: NotRequired[Setup]
    target: NotRequired[DailyTargetMessage]
    ahead: NotRequired[bool]
    keep: NotRequired[bool]
    turn: NotRequired[int]


class ShowMessage(KernelMessage):
    """Show an example in every view; None where no example is open.

    With ``follow``, code has answered the example on display: the page keeps that one
    while its user's edits of it are not stored.
    """

    type: Literal["show"]
    task: Task | None
    counts: CountsMessage
    follow: NotRequired[bool]
    turn: NotRequired[int]


class NoticeMessage(KernelMessage):
    """Show a notice to the user; an empty text removes the last one."""

    type: Literal["notice"]
    text: str
    detail: str


class LearningMessage(KernelMessage):
    """State of the training behind the widget; see `LearningStatus`."""

    type: Literal["learning"]
    state: LearningState
    text: str
    figures: str
    offer: str
    choice: str
    detail: str


class GuidelineReply(KernelMessage):
    """The annotation guideline as Markdown, with its version as in `Setup`."""

    type: Literal["guideline"]
    text: str
    version: str


class BundleReply(KernelMessage):
    """Script and style of the front end, for a page that has only got their loader."""

    type: Literal["bundle"]
    script: str
    style: str


class LabelRow(TypedDict):
    """A label with its spans in current answers, and the examples that hold them."""

    label: str
    spans: int
    examples: int


class LabelsReply(KernelMessage):
    """The labels; ``text`` is what was done, ``undo`` what can be taken back."""

    type: Literal["labels"]
    rows: list[LabelRow]
    text: str
    undo: str


class ConfidentRow(TypedDict):
    """A text whose every suggestion is probable: words, each with its label or an empty one.

    ``wrong`` and ``missed`` are expected numbers of spans, ``lowest`` a probability.
    """

    id: str
    parts: list[list[str]]
    lowest: float
    spans: int
    wrong: float
    missed: float


class ConfidentReply(KernelMessage):
    """A part of the list; ``total`` to ``missed`` are about all of it.

    While it is computed, ``checked`` of ``pending`` texts are; ``text`` is what was done,
    ``undo`` the id of the act that can be undone.
    """

    type: Literal["confident"]
    state: Literal["computing", "ready", "stopped", "failed"]
    number: int
    checked: int
    pending: int
    rows: list[ConfidentRow]
    total: int
    spans: int
    wrong: float
    missed: float
    notes: str
    text: str
    undo: str


class Excerpt(TypedDict):
    """A part of a text with a match, ``hit``, in it."""

    left: str
    hit: str
    right: str


class ExampleRow(Excerpt):
    """One row of the example list."""

    id: str
    answer: AnswerKind | None
    flagged: bool
    note: str
    by: str
    labels: list[str]
    score: float | None


class ListReply(KernelMessage):
    """One page of the list; ``total`` counts all rows."""

    type: Literal["listed"]
    rows: list[ExampleRow]
    total: int


class Occurrence(Excerpt):
    """The same words in another example; ``problem`` is why they cannot be changed, or empty."""

    example: str
    start: int
    end: int
    problem: str


class OccurrencesReply(KernelMessage):
    """Occurrences; ``more`` is whether there are others."""

    type: Literal["places"]
    places: list[Occurrence]
    more: bool


class BulkReply(KernelMessage):
    """Number of examples that were changed, and of those left because they had changed since."""

    type: Literal["applied"]
    bulk: str
    count: int
    left: int
    tasks: list[Task]
    counts: CountsMessage


class Analysis(TypedDict):
    """One complete set of spans, with its probability."""

    probability: float
    spans: list[WireSpan]


class AnalysesReply(KernelMessage):
    """The k best analyses of an example, best first."""

    type: Literal["analyses"]
    example: str
    analyses: list[Analysis]
