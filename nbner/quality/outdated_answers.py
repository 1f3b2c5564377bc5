"""Answers that were given under an older version of the guideline."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nbner._common.format import plural
from nbner._common.guidelines import Guidelines
from nbner._common.result import Result
from nbner._common.widget_protocols import AnnotatorWidget
from nbner.errors import DataError
from nbner.types import IMPORT_ANNOTATOR, Answer

if TYPE_CHECKING:
    import pandas as pd

_COLUMNS = (
    *("version", "split", "input_hash", "text", "answer", "annotator", "answered", "spans"),
)


@dataclass(frozen=True, slots=True)
class GuidelineVersion:
    """One version of the guideline.

    Parameters
    ----------
    number : int
        From 1, in the order in which the versions first came.
    since : float
        When it was first stored, in seconds since the epoch.
    guidelines : Guidelines
        Its text and definitions.
    """

    number: int
    since: float
    guidelines: Guidelines = field(repr=False, hash=False)


@dataclass(frozen=True, slots=True)
class AnswerVersion:
    """A current answer with the version of the guideline that it was given under.

    Parameters
    ----------
    answer : Answer
        The answer.
    text : str
        Text of its example.
    version : GuidelineVersion, optional
        None where the answer was given before there was a guideline, was
        imported, or was given through an nbner that kept no version.
    """

    answer: Answer
    text: str
    version: GuidelineVersion | None

    @property
    def number(self) -> int:
        """Number of the version; 0 where there is none."""
        return 0 if self.version is None else self.version.number


@dataclass(frozen=True, slots=True)
class OutdatedAnswers(Result):
    """The answers that were given under an older guideline than the present one.

    Parameters
    ----------
    answers : tuple of AnswerVersion
        The newest answer to each example.
    versions : tuple of GuidelineVersion
        Every version that there was, oldest first.
    newest : GuidelineVersion, optional
        The present version; None where there is none.
    open_widget : callable, optional
        Opens answers in the annotator.
    """

    answers: tuple[AnswerVersion, ...]
    versions: tuple[GuidelineVersion, ...]
    newest: GuidelineVersion | None
    open_widget: Callable[[tuple[AnswerVersion, ...]], AnnotatorWidget] | None = field(
        default=None, repr=False, compare=False
    )

    @property
    def outdated(self) -> tuple[AnswerVersion, ...]:
        """The answers under another version than the present one, in the order of storage."""
        if self.newest is None:
            return ()
        number = self.newest.number
        return tuple(one for one in self.answers if one.number != number)

    def __len__(self) -> int:
        return len(self.outdated)

    @property
    def frame(self) -> pd.DataFrame:
        """One row an outdated answer.

        ``version`` (0: given without a known guideline), ``split``,
        ``input_hash``, ``text``, ``answer``, ``annotator``, ``answered``
        (seconds since the epoch, as a time in UTC) and ``spans`` (their number).
        """
        import pandas as pd

        rows = [
            (
                *(one.number, one.answer.split, one.answer.input_hash, one.text),
                *(one.answer.answer, one.answer.annotator),
                pd.Timestamp(one.answer.created, unit="s", tz="UTC"),
                len(one.answer.spans),
            )
            for one in self.outdated
        ]
        return pd.DataFrame(rows, columns=list(_COLUMNS))

    @property
    def per_version(self) -> pd.DataFrame:
        """One row a version: number, since, answers under it, lines, definitions, current.

        Version 0 stands for answers without a known guideline.
        """
        import pandas as pd

        counts = Counter(one.number for one in self.answers)
        rows: list[tuple[Any, ...]] = []
        if counts[0]:
            rows.append((0, pd.NaT, counts[0], 0, 0, self.newest is None))
        rows += [
            (
                one.number,
                pd.Timestamp(one.since, unit="s", tz="UTC"),
                counts[one.number],
                len(one.guidelines.text.splitlines()),
                len(one.guidelines.definitions),
                one == self.newest,
            )
            for one in self.versions
        ]
        return pd.DataFrame(
            rows, columns=["version", "since", "answers", "lines", "definitions", "current"]
        )

    def open(self) -> AnnotatorWidget:
        """Open the accepted ones among them in the annotator, the oldest version first.

        Accepting one again puts it under the present version.

        Raises
        ------
        DataError
            There are none, or they lie in several splits.
        """
        if not self.outdated or self.open_widget is None:
            raise DataError(
                "no answer was given under an older guideline: there is nothing to look at",
                remedy="Session(..., guidelines=...) makes a new version of the guideline",
            )
        return self.open_widget(self.outdated)

    def __str__(self) -> str:
        n = len(self.answers)
        if self.newest is None:
            return (
                "There is no guideline, so no answer is older than one. "
                "Session(..., guidelines=...) takes one"
            )
        present = self.newest
        found = self.outdated
        if not found:
            what = "The answer was" if n == 1 else f"All {n:,} answers were"
            given = f"{what} given under the present guideline" if n else "There is no answer yet"
            return f"{given} (version {present.number} of {len(self.versions)})"
        counts = Counter(one.number for one in found)
        parts = [
            f"{count:,} under {f'version {number}' if number else 'none that is known'}"
            for number, count in sorted(counts.items())
        ]
        was = "was" if len(found) == 1 else "were"
        present_one = f"the present one (version {present.number} of {len(self.versions)})"
        share = f"{len(found):,} of {plural(n, 'answer')} {was} given under another guideline than"
        lines = [f"{share} {present_one}: {', '.join(parts)}"]
        imported = sum(one.answer.annotator == IMPORT_ANNOTATOR for one in found)
        if imported:
            lines.append(f"{plural(imported, 'of them was', 'of them were')} imported")
        accepted = sum(one.answer.answer == "accept" for one in found)
        if accepted:
            lines.append(f"open() shows the {accepted:,} accepted, to be looked at again")
        return "\n".join(lines)
