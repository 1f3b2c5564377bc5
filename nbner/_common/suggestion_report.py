"""Report on suggestions of functions: counts, failures and suggestions that were not shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

from nbner._common.format import plural, scrollable
from nbner._common.result import Result

if TYPE_CHECKING:
    import pandas as pd

SuggestionIssueKind: TypeAlias = Literal[
    "unplaced", "off_tokens", "unreadable", "unknown_label", "score", "fuzzy"
]

#: Under this key of ``Example.extra`` the page is told which suggestions of an
#: example no mark can show.
UNPLACED_KEY = "_unplaced"

#: Issues whose suggestion no mark can show; the page lists it below the text.
NOT_MARKED: frozenset[SuggestionIssueKind] = frozenset({"unplaced", "off_tokens", "unreadable"})

_COLUMNS = (
    *("source", "kind", "suggested", "label", "start", "end", "similarity", "reason"),
    *("input_hash", "text"),
)
_SHOWN_ISSUES = 10
_MAX_CELL = 60  # characters


@dataclass(frozen=True, slots=True)
class SuggestionIssue:
    """One suggestion that is not shown as a mark, or not as the function returned it.

    Parameters
    ----------
    kind : str
        "unplaced": its words or offsets are not in the text; "off_tokens": it
        does not begin and end with a token; "unreadable": it is not a
        suggestion; "unknown_label": the session does not have its label;
        "score": shown without its score, which is none; "fuzzy": shown at the
        most similar words.
    source : str
        Name of the function.
    suggested : str
        The words, or the value that was returned.
    label : str
        Its label; empty where it has none.
    reason : str
        What is wrong, or what was done.
    start, end : int, optional
        Offsets, code points, half-open.
    similarity : float, optional
        Of a suggestion that was placed by similarity.
    input_hash : int
        The example.
    text : str
        The example's text.
    """

    kind: SuggestionIssueKind
    source: str
    suggested: str
    label: str
    reason: str
    start: int | None = None
    end: int | None = None
    similarity: float | None = None
    input_hash: int = 0
    text: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class SourceSummary:
    """What one function has suggested so far.

    Parameters
    ----------
    source : str
        Its name.
    examples : int
        Examples that it has answered for.
    spans : int
        Spans that were placed, those with unknown labels included.
    waiting : int
        Examples that it has been asked for and has not answered yet.
    failed : int
        Calls that ended with an error.
    problem : str
        Why its suggestions are missing at the moment; empty where they are not.
    """

    source: str
    examples: int = 0
    spans: int = 0
    waiting: int = 0
    failed: int = 0
    problem: str = ""


@dataclass(frozen=True, slots=True)
class SuggestionReport(Result):
    """Report on the suggestions of functions in one widget.

    Parameters
    ----------
    sources : tuple of SourceSummary
        One for each function, in the order of precedence.
    issues : tuple of SuggestionIssue
        Every suggestion that is not shown as it was returned.
    """

    sources: tuple[SourceSummary, ...] = ()
    issues: tuple[SuggestionIssue, ...] = field(default=(), repr=False)

    @property
    def frame(self) -> pd.DataFrame:
        """Table of the issues.

        Returns
        -------
        DataFrame
            One row per issue: ``source``, ``kind``, ``suggested``, ``label``,
            ``start``, ``end``, ``similarity``, ``reason``, ``input_hash`` and
            ``text``.
        """
        import pandas as pd

        rows = [[getattr(one, name) for name in _COLUMNS] for one in self.issues]
        frame = pd.DataFrame(rows, columns=list(_COLUMNS))
        return frame.astype({"start": "Int64", "end": "Int64", "similarity": "Float64"})

    def __str__(self) -> str:
        """Return the counts and failures, a line a source."""
        if not self.sources:
            return "No function suggests here."
        return "\n".join(self._line(one) for one in self.sources)

    def _repr_html_(self) -> str:
        lines = "<br>".join(escape(line) for line in str(self).splitlines())
        if not self.issues:
            return lines
        table = self.frame.head(_SHOWN_ISSUES).drop(columns="input_hash")
        table["text"] = [
            f"{one[:_MAX_CELL]}…" if len(one) > _MAX_CELL else one for one in table.text
        ]
        return lines + scrollable(table.to_html(index=False, na_rep=""))

    def _line(self, source: SourceSummary) -> str:
        kinds = Counter(one.kind for one in self.issues if one.source == source.source)
        parts = [
            f"{source.source}: {plural(source.spans, 'span')} in {plural(source.examples, 'text')}"
        ]
        parts += [f"{count:,} {kind.replace('_', ' ')}" for kind, count in sorted(kinds.items())]
        if source.waiting:
            parts.append(f"{plural(source.waiting, 'text')} not answered yet")
        return ", ".join(parts) + "." + (f" {source.problem}" if source.problem else "")


def _shortened(text: str) -> str:
    return text if len(text) <= _MAX_CELL else f"{text[:_MAX_CELL]}…"


class SuggestionFeed(Protocol):
    """Feed of news about the functions that suggest in a widget."""

    @property
    def report(self) -> SuggestionReport:
        """Report on the suggestions so far."""

    @property
    def notice(self) -> tuple[str, str]:
        """A sentence for the cell and its details; both empty where all is well."""

    def brief(self) -> AbstractContextManager[None]:
        """Wait for a moment only while this is entered: what comes later is shown later."""

    def retry(self) -> None:
        """Retry failed calls when their suggestions are needed next."""

    def subscribe(self, listener: Callable[[bool], None]) -> Callable[[], None]:
        """Call a function when the notice changes, or suggestions arrive late.

        Parameters
        ----------
        listener : callable
            Takes whether suggestions have arrived for examples that were shown
            without them.

        Returns
        -------
        callable
            Ends that.
        """
