"""What became of the rows that were added."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    import pandas as pd

ImportIssueKind: TypeAlias = Literal[
    "duplicate", "misaligned", "overlapping", "discontinuous", "refused"
]

COLUMNS = ("file", "line", "problem", "text", "start", "end", "label", "reason")
_SHOWN = 10
_LONGEST = 80


@dataclass(frozen=True, slots=True)
class ImportIssue:
    """One row or span that could not be taken just as it came.

    Parameters
    ----------
    problem : {"duplicate", "misaligned", "overlapping", "discontinuous", "refused"}
    reason : str
        What was done about it, and why.
    text : str
        The span's text, or the row's.
    start, end : int, optional
        The span, in code points, half-open.
    label : str, optional
    file : str, optional
    line : int, optional
    """

    problem: ImportIssueKind
    reason: str
    text: str
    start: int | None = None
    end: int | None = None
    label: str | None = None
    file: str | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What became of the rows that were added.

    Parameters
    ----------
    split : str
    added : int
        New examples.
    answered : int
        Answers that came with the rows and were stored.
    duplicate : int
        Rows whose text the split had already.
    misaligned : int
        Spans that do not begin and end with a token: kept, moved to the
        tokens' ends, or refused with their row, as was asked for.
    overlapping : int
        Spans that were left out because a longer one covers part of them.
    discontinuous : int
        Spans in pieces, which are kept as the stretch from the first to the
        last character.
    refused : int
        Rows that were not added because of a misaligned span.
    issues : tuple of ImportIssue
        All of them, in the order of the rows; duplicates, which only the
        store knows, after the others.
    """

    split: str
    added: int = 0
    answered: int = 0
    duplicate: int = 0
    misaligned: int = 0
    overlapping: int = 0
    discontinuous: int = 0
    refused: int = 0
    issues: tuple[ImportIssue, ...] = field(default=(), repr=False)

    @property
    def frame(self) -> pd.DataFrame:
        """One row a problem.

        Returns
        -------
        DataFrame
            ``file``, ``line``, ``problem``, ``text``, ``start``, ``end``,
            ``label`` and ``reason``.
        """
        import pandas as pd

        rows = [[getattr(one, name) for name in COLUMNS] for one in self.issues]
        frame = pd.DataFrame(rows, columns=list(COLUMNS))
        return frame.astype({"line": "Int64", "start": "Int64", "end": "Int64"})

    def __str__(self) -> str:
        """Say it in a sentence or two."""
        said = [f"Added {_number(self.added, 'example')} to {self.split!r}"]
        if self.answered:
            said[0] += f", with {_number(self.answered, 'answer')}"
        if self.duplicate:
            said.append(f"{_number(self.duplicate, 'text')} there already")
        if self.misaligned:
            said.append(f"{_number(self.misaligned, 'span')} off the tokens")
        if self.overlapping:
            said.append(f"{_number(self.overlapping, 'span')} left out for a longer one")
        if self.discontinuous:
            said.append(f"{_number(self.discontinuous, 'span')} in pieces")
        if self.refused:
            said.append(f"{_number(self.refused, 'row')} refused")
        return "; ".join(said) + "."

    def _repr_html_(self) -> str:
        """Show the sentence and the first problems; what came from files is text, not markup."""
        sentence = f"<p>{escape(str(self))}</p>"
        if not self.issues:
            return sentence
        head = "".join(f"<th>{name}</th>" for name in COLUMNS)
        body = "".join(_html_row(one) for one in self.issues[:_SHOWN])
        more = len(self.issues) - _SHOWN
        rest = f"<p>{more:,} more in <code>.frame</code></p>" if more > 0 else ""
        return f"{sentence}<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{rest}"


def _number(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _html_row(problem: ImportIssue) -> str:
    return "<tr>" + "".join(_html_cell(getattr(problem, name)) for name in COLUMNS) + "</tr>"


def _html_cell(value: object) -> str:
    text = "" if value is None else str(value)
    shown = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
    return f"<td>{escape(shown)}</td>"
