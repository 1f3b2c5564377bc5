"""The ``session.store`` accessor: history, snapshots, backups and integrity checks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING

from nbner._common.times import is_time
from nbner.errors import DataError
from nbner.queues.labelling import ensure_tokens
from nbner.session.arguments import check_session_methods
from nbner.session.context import Accessor
from nbner.store.integrity import IntegrityReport
from nbner.store.snapshot import DatasetSnapshot
from nbner.types import Answer, AnswerKind, Counts, Example, Token

if TYPE_CHECKING:
    import pandas as pd
    from pandas._libs.tslibs.nattype import NaTType

ANSWER_COLUMNS = [
    *("input_hash", "split", "annotator", "answer", "text", "spans", "flagged", "note", "created")
]
HISTORY_COLUMNS = ["stored", "annotator", "answer", "spans", "flagged", "note", "seconds", "id"]


class Snapshot:
    """Read-only view of a dataset as it was at some moment.

    Parameters
    ----------
    past : DatasetSnapshot
        The stored state at that moment.
    dataset : str
        Name of the dataset.
    tokenize : callable
        From a text to its tokens, for examples that were stored without.
    """

    def __init__(
        self, past: DatasetSnapshot, dataset: str, tokenize: Callable[[str], tuple[Token, ...]]
    ) -> None:
        self._past = past
        self._dataset = dataset
        self._tokenize = tokenize

    @property
    def moment(self) -> float:
        """The moment, in seconds since the epoch (UTC)."""
        return self._past.moment

    def examples(
        self, split: str | None = None, *, answer: AnswerKind | None = None
    ) -> list[Example]:
        """Return the examples of that moment with the answers current then.

        Parameters
        ----------
        split : str, optional
            By default all.
        answer : {"accept", "reject", "ignore"}, optional
            Only examples with this answer.

        Returns
        -------
        list of Example
            Tokenized, in the order of addition.

        Raises
        ------
        DataError
            There has never been such a split.
        """
        return [
            ensure_tokens(one, self._tokenize) for one in self._past.examples(split, answer=answer)
        ]

    def answers(self, split: str | None = None, *, annotator: str | None = None) -> pd.DataFrame:
        """Return the answers that were current then, one row an example and annotator.

        Parameters
        ----------
        split : str, optional
            By default all.
        annotator : str, optional
            By default all.

        Returns
        -------
        DataFrame
            With the columns of `Session.answers`.

        Raises
        ------
        DataError
            There has never been such a split.
        """
        found = self._past.answers_with_texts(split, annotator)
        texts = {(one.split, one.input_hash): text for one, text in found}
        return answer_frame((one for one, _ in found), texts)

    def counts(self, split: str | None = None) -> Counts:
        """Count the examples of that moment by the answer current then.

        Parameters
        ----------
        split : str, optional
            By default all.

        Returns
        -------
        Counts
            Numbers of examples.

        Raises
        ------
        DataError
            There has never been such a split.
        """
        return self._past.counts(split)

    def __repr__(self) -> str:
        when = datetime.fromtimestamp(self.moment).astimezone()
        return f"{self._dataset!r} as of {when:%Y-%m-%d %H:%M:%S %Z}: {self.counts()}"


@check_session_methods
class StoreAccessor(Accessor):
    """History, snapshots, backups and integrity checks of a session's store.

    `Session` makes one as ``session.store``.
    """

    def history(self, example: Example | int | str, split: str | None = None) -> pd.DataFrame:
        """Return all answers that an example was ever given, the oldest first.

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
        found = self._context.dataset.history(example, split)
        if found is None:
            raise DataError(
                f"there is no example {example!r}",
                field="example",
                remedy="Give an example of session.examples(), its input_hash, or its whole text",
            )
        rows = [
            (
                *(_timestamp(stored), one.annotator, one.answer),
                [(span.start, span.end, span.label) for span in one.spans],
                *(one.flagged, one.note, one.extra.get("seconds"), one.id),
            )
            for stored, one in found
        ]
        return pd.DataFrame(rows, columns=HISTORY_COLUMNS)

    def at(self, time: datetime | float | str) -> Snapshot:
        """Return a read-only view of the dataset as it was at some moment.

        Parameters
        ----------
        time : datetime, float or str
            A time, seconds since the epoch, or a string that pandas parses as
            a time, such as "2024-05-01 12:00"; without a zone it is local time.

        Returns
        -------
        Snapshot
            With ``examples()``, ``answers()`` and ``counts()``.

        Raises
        ------
        DataError
            The string is not a time.
        """
        context = self._context
        past = context.dataset.at(_seconds_since_epoch(time))
        return Snapshot(past, context.dataset.name, context.tokenize)

    def restore(
        self,
        time: datetime | float | str,
        *,
        split: str | None = None,
        annotator: str | None = None,
    ) -> int:
        """Make the answers of some moment current again.

        They are stored as new answers: nothing is deleted, and the answers that
        are current now can be restored in the same way. Examples that were
        added later stay. Where a label was renamed or merged since, the restored
        spans have its former name, which is one of the labels again.

        Parameters
        ----------
        time : datetime, float or str
            As for `at`.
        split : str, optional
            By default all.
        annotator : str, optional
            By default all.

        Returns
        -------
        int
            Number of answers that have changed.

        Raises
        ------
        DataError
            The string is not a time.
        """
        context = self._context
        before = context.dataset.labels
        changed = context.dataset.at(_seconds_since_epoch(time)).restore(split, annotator)
        if context.dataset.labels != before:
            context.answer_bus.renamed_labels = context.dataset.renamed_labels
            context.lattice_cache.clear()
            context.update_labels()
        context.refresh_annotators()
        return changed

    def backup(self, path: str | Path | None = None) -> Path:
        """Copy the whole store, all datasets with all events, while it is in use.

        Parameters
        ----------
        path : str or Path, optional
            File to write. By default a name with the time in it, in the folder
            of the store. Trained models are folders of their own and are not
            copied.

        Returns
        -------
        Path
            A SQLite file, also for a store on a database server:
            ``Session(..., store=path)`` opens it.

        Raises
        ------
        StoreError
            The file exists already, or cannot be written.
        """
        return self._context.store.backup(path)

    def verify(self) -> IntegrityReport:
        """Check the integrity of the store and its counts without changing anything.

        Returns
        -------
        IntegrityReport
            ``ok``, and ``frame`` with one row a rule.
        """
        store = self._context.store
        return IntegrityReport(store.url, tuple(store.verify()))


def answer_frame(answers: Iterable[Answer], texts: Mapping[tuple[str, int], str]) -> pd.DataFrame:
    """Return answers as a DataFrame, one row each.

    Parameters
    ----------
    answers : iterable of Answer
        Those that take an earlier answer back (``answer`` is None) have no row.
    texts : mapping
        (split, input hash) to text.

    Returns
    -------
    DataFrame
        With `ANSWER_COLUMNS`; ``spans`` is a list of ``(start, end, label)``
        in code points, ``created`` a time in UTC.
    """
    import pandas as pd

    rows = [
        {
            "input_hash": answer.input_hash,
            "split": answer.split,
            "annotator": answer.annotator,
            "answer": answer.answer,
            "text": texts[answer.split, answer.input_hash],
            "spans": [(span.start, span.end, span.label) for span in answer.spans],
            "flagged": answer.flagged,
            "note": answer.note,
            "created": _timestamp(answer.created),
        }
        for answer in answers
        if answer.answer is not None
    ]
    return pd.DataFrame(rows, columns=ANSWER_COLUMNS)


def _seconds_since_epoch(time: datetime | float | str) -> float:
    number: object = time
    if isinstance(number, bool):
        # The store refuses it.
        return number
    if isinstance(number, Real):
        # To pandas an integer of NumPy would be nanoseconds.
        return float(number)
    import pandas as pd

    try:
        moment = pd.Timestamp(time)
    except (ValueError, TypeError) as error:
        raise _no_time(time) from error
    if pd.isna(moment):
        raise _no_time(time)
    return moment.to_pydatetime().timestamp()


def _timestamp(seconds: float) -> pd.Timestamp | NaTType:
    """Return a time in UTC; NaT for one of an older store that pandas cannot hold."""
    import pandas as pd

    return pd.Timestamp(seconds, unit="s", tz="UTC") if is_time(seconds) else pd.NaT


def _no_time(time: object) -> DataError:
    return DataError(
        f"{time!r} is not a time", field="time", remedy='Write it as "2024-05-01 12:00"'
    )
