"""What was, and keeping it safe: history, the past, backups, verification."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from nbner.errors import DataError
from nbner.faces.foundation import Foundation
from nbner.queues.labelling import tokenized
from nbner.store.snapshot import Past
from nbner.types import AnswerKind, Counts, Example

if TYPE_CHECKING:
    import pandas as pd

    from nbner.store.integrity_report import Verification

HISTORY_COLUMNS = ["stored", "annotator", "answer", "spans", "flagged", "note", "seconds", "id"]


class PastView:
    """A session's dataset as it was at some moment; nothing can be written to it.

    Parameters
    ----------
    past : Past
    session : Foundation
        Whose tokenizer is used.
    """

    def __init__(self, past: Past, session: Foundation) -> None:
        self._past = past
        self._session = session

    @property
    def moment(self) -> float:
        """When; seconds since the epoch, UTC."""
        return self._past.moment

    def examples(
        self, split: str | None = None, *, answer: AnswerKind | None = None
    ) -> list[Example]:
        """Give the examples that were there, with the answer that stood."""
        found = self._past.examples(split, answer=answer)
        return [tokenized(one, self._session._tokenize) for one in found]  # noqa: SLF001

    def answers(self, split: str | None = None, *, annotator: str | None = None) -> pd.DataFrame:
        """Give what was current, one row an example and annotator, as ``Session.answers``."""
        from nbner.faces.material import answer_frame

        texts = {(one.split, one.input_hash): one.text for one in self._past.examples(split)}
        return answer_frame(self._past.answers(split, annotator), texts)

    def counts(self, split: str | None = None) -> Counts:
        """Count the examples that were there by the answer that stood."""
        return self._past.counts(split)

    def __repr__(self) -> str:
        when = datetime.fromtimestamp(self.moment).astimezone()
        return f"{self._session.dataset!r} as of {when:%Y-%m-%d %H:%M:%S %Z}: {self.counts()}"


class Keeping(Foundation):
    """Look back, go back, copy and check."""

    def history(self, example: Example | int | str, split: str | None = None) -> pd.DataFrame:
        """Give every answer that an example was ever given, the oldest first.

        Parameters
        ----------
        example : Example, int or str
            An example, its input hash, or its whole text.
        split : str, optional
            By default the example's own, or all.

        Returns
        -------
        DataFrame
            ``stored`` (UTC), ``annotator``, ``answer`` (None takes a decision
            back), ``spans`` (a list of ``(start, end, label)``), ``flagged``,
            ``note``, ``seconds`` and ``id``.

        Raises
        ------
        DataError
            There is no such example.
        """
        import pandas as pd

        if isinstance(example, Example):
            split = split or example.split
            example = example.input_hash
        found = self._dataset.history(example, split)
        if found is None:
            raise DataError(
                f"there is no example {example!r}",
                field="example",
                remedy="Give an example of session.examples(), its input_hash, or its whole text",
            )
        rows = [
            (
                *(pd.Timestamp(stored, unit="s", tz="UTC"), one.annotator, one.answer),
                [(span.start, span.end, span.label) for span in one.spans],
                *(one.flagged, one.note, one.extra.get("seconds"), one.id),
            )
            for stored, one in found
        ]
        return pd.DataFrame(rows, columns=HISTORY_COLUMNS)

    def at(self, time: datetime | float | str) -> PastView:
        """Show the dataset as it was at some moment, to read and compare.

        Parameters
        ----------
        time : datetime, float or str
            A time, seconds since the epoch, or what pandas reads as a time,
            such as "2024-05-01 12:00"; without a zone it is local time.

        Returns
        -------
        PastView
            With ``examples()``, ``answers()`` and ``counts()``.
        """
        return PastView(self._dataset.at(_seconds(time)), self)

    def restore(
        self,
        time: datetime | float | str,
        *,
        split: str | None = None,
        annotator: str | None = None,
    ) -> int:
        """Make the answers of some moment current again.

        They are given anew: nothing is taken away, and what is current now can
        be restored in the same way. Examples that were added later stay.

        Parameters
        ----------
        time : datetime, float or str
            As for `at`.
        split, annotator : str, optional
            By default all.

        Returns
        -------
        int
            How many answers have changed.
        """
        changed = self._dataset.at(_seconds(time)).restore(split, annotator)
        for widget in list(self._annotators):
            widget.refresh()
        return changed

    def backup(self, path: str | Path | None = None) -> Path:
        """Copy the whole store, all datasets with all events, while work goes on.

        Parameters
        ----------
        path : str or Path, optional
            By default a name with the time in it, beside the store. Trained
            models are folders of their own, and not in it.

        Returns
        -------
        Path
            A SQLite file, whatever the store is: ``Session(..., store=path)``.

        Raises
        ------
        StoreError
            There is something already, or the file cannot be written.
        """
        return self._store.backup(path)

    def verify(self) -> Verification:
        """Check that the store holds together and its counts add up; nothing is changed.

        Returns
        -------
        Verification
            ``ok``, and ``frame`` with a row a rule.
        """
        from nbner.store.integrity_report import Verification

        return Verification(self._store.url, tuple(self._store.verify()))


def _seconds(time: datetime | float | str) -> float:
    if isinstance(time, (int, float)):
        return float(time)
    import pandas as pd

    try:
        moment = pd.Timestamp(time).to_pydatetime()
    except (ValueError, TypeError) as error:
        raise DataError(
            f"{time!r} is not a time", field="time", remedy='Write it as "2024-05-01 12:00"'
        ) from error
    return moment.timestamp()
