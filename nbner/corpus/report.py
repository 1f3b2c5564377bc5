"""The report of a labelled corpus: counts by partition, what failed, and what was set aside."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nbner._common.format import format_probability, plural
from nbner._common.result import Result
from nbner.corpus.manifest import PartitionRecord, bad_rows_name
from nbner.corpus.settings import CorpusSettings
from nbner.corpus.storage import Folder
from nbner.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

_COLUMNS = (
    *("partition", "source", "rows", "texts", "repeated", "spans", "left_out", "bad_rows"),
    *("unsure", "without_entities", "bytes", "seconds"),
)
_MAX_NAMES = 3  # in a sentence


@dataclass(frozen=True, slots=True)
class FailedPartition:
    """A partition that failed every time.

    Parameters
    ----------
    partition : str
        Its name in the target.
    error : str
        The last error.
    """

    partition: str
    error: str


@dataclass(frozen=True, slots=True)
class CorpusReport(Result):
    """Outcome of ``session.label_corpus``.

    Parameters
    ----------
    target : str
        Path or URL of what was labelled.
    records : tuple of PartitionRecord
        All partitions that are done, those of earlier runs among them.
    settings : CorpusSettings
        What they were labelled with.
    new : int
        Partitions that this run has labelled.
    failed : tuple of FailedPartition
        Partitions that failed three times.
    missing : int
        Partitions that were not reached, since the run was stopped.
    ignored : tuple of str
        Files of the source in a format that is not read.
    """

    target: str
    records: tuple[PartitionRecord, ...] = field(repr=False)
    settings: CorpusSettings
    new: int = 0
    failed: tuple[FailedPartition, ...] = ()
    missing: int = 0
    ignored: tuple[str, ...] = ()
    storage: Folder | None = field(default=None, repr=False, compare=False)

    @property
    def is_complete(self) -> bool:
        """Whether nothing is left to do."""
        return not self.failed and not self.missing

    @property
    def texts(self) -> int:
        """Texts that are labelled."""
        return sum(one.texts for one in self.records)

    @property
    def spans(self) -> int:
        """Spans in the target."""
        return sum(one.spans for one in self.records)

    @property
    def bad_row_count(self) -> int:
        """Rows that were set aside."""
        return sum(one.bad_rows for one in self.records)

    @property
    def unsure(self) -> int:
        """Texts of which the model is not sure, given a minimum."""
        return sum(one.unsure for one in self.records)

    @property
    def expected_precision(self) -> float | None:
        """Expected share of the spans in the target that are right, by their probabilities.

        It is as good as the calibration of the model. None without probabilities.
        """
        known = [one.kept_probability_sum for one in self.records]
        if not self.spans or any(one is None for one in known):
            return None
        return sum(one for one in known if one is not None) / self.spans

    @property
    def frame(self) -> pd.DataFrame:
        """One row a partition: its counts, its size in bytes and its time in seconds."""
        import pandas as pd

        rows = [[getattr(one, name) for name in _COLUMNS] for one in self.records]
        return pd.DataFrame(rows, columns=list(_COLUMNS))

    @property
    def bad_rows(self) -> pd.DataFrame:
        """The rows that were set aside: ``source``, ``row`` (from 0), ``reason``, ``excerpt``.

        Read from the target each time.
        """
        import pandas as pd

        folder = Folder(self.target) if self.storage is None else self.storage
        names = {
            one.partition: bad_rows_name(one.partition) for one in self.records if one.bad_rows
        }
        gone = [name for name in names.values() if not folder.exists(name)]
        if gone:
            raise DataError(
                "the file of the rows that were set aside has gone",
                file=folder.full(gone[0]),
                remedy="Call label_corpus again: it labels this partition once more",
            )
        rows = [
            {"source": one.source, **json.loads(line)}
            for one in self.records
            if one.partition in names
            for line in folder.read(names[one.partition]).splitlines()
        ]
        return pd.DataFrame(rows, columns=["source", "row", "reason", "excerpt"])

    def __str__(self) -> str:
        head = (
            f"{plural(self.texts, 'text')} in {plural(len(self.records), 'partition')} of "
            f"{self.target}, {self.new:,} of them labelled now: {plural(self.spans, 'span')}"
        )
        lines = [head, *self._details()]
        if self.missing:
            lines.append(
                f"stopped: {plural(self.missing, 'partition is', 'partitions are')} missing; the "
                "same call goes on from here"
            )
        lines += [
            f"failed three times: {one.partition}: {one.error}" for one in self.failed[:_MAX_NAMES]
        ]
        if len(self.failed) > _MAX_NAMES:
            lines.append(f"and {len(self.failed) - _MAX_NAMES:,} more, see failed")
        return "\n".join(lines)

    def _details(self) -> Iterator[str]:
        bare = sum(one.without_entities for one in self.records)
        if self.texts:
            yield f"{bare / self.texts:.1%} of the texts have no entity there"
        if self.bad_row_count:
            yield f"{plural(self.bad_row_count, 'row')} set aside, see bad_rows"
        precision, minimum = self.expected_precision, self.settings.min_probability
        if precision is not None:
            kind = "calibrated" if self.settings.calibration else "not calibrated"
            yield f"expected precision {format_probability(precision)} ({kind})"
        if minimum is not None:
            left_out = sum(one.left_out for one in self.records)
            yield (
                f"{plural(left_out, 'span')} below {minimum:g} left out; the model is not sure of "
                f'{plural(self.unsure, "text")}: session.add({self.target!r}, only="unsure", n=500)'
            )
        labels: Counter[str] = Counter()
        for one in self.records:
            labels.update(one.labels)
        if labels:
            yield "predicted: " + ", ".join(f"{name} {n:,}" for name, n in labels.most_common(12))
        if self.ignored:
            names = ", ".join(self.ignored[:_MAX_NAMES])
            yield f"{plural(len(self.ignored), 'file')} of other kinds passed over: {names}"
