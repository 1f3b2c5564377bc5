"""Labelling of one partition: the unit of work, in this process or on a worker."""

from __future__ import annotations

import json
import time
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from typing import IO, TYPE_CHECKING, Any, TypeAlias

import numpy as np

from nbner.corpus.manifest import Manifest, PartitionRecord, bad_rows_name, unsure_name
from nbner.corpus.prediction import (
    FailedText,
    LabelledText,
    memory_zone,
    predict_texts,
)
from nbner.corpus.reader import BadRow, Chunk, Columns, Partition, SourceReader, excerpt_of
from nbner.corpus.settings import CorpusSettings, library_versions
from nbner.corpus.storage import Folder
from nbner.corpus.tables import (
    is_sure,
    kept_spans,
    labelled_table,
    target_schema,
    unsure_table,
)
from nbner.nlp.dask import predict_lock
from nbner.nlp.frequent_words import keep_frequent_words

if TYPE_CHECKING:
    from spacy.language import Language

_Arrow: TypeAlias = Any  # pyarrow has no types


@dataclass(frozen=True)
class CorpusTask:
    """Model and settings that the labelling of every partition shares.

    Parameters
    ----------
    reader : SourceReader
        Reads the files.
    target : Folder
        The target.
    settings : CorpusSettings
        Model and settings.
    types : pyarrow.Schema
        Columns that are kept.
    batch_size : int, optional
        As in ``nlp.pipe``.
    """

    reader: SourceReader
    target: Folder
    settings: CorpusSettings
    types: _Arrow
    batch_size: int | None = None

    @property
    def columns(self) -> Columns:
        """The columns that are read."""
        return Columns(self.settings.text, self.settings.keep, self.types)


def label_partition(task: CorpusTask, part: Partition) -> PartitionRecord:
    """Label a partition, put its files into place, and record that it is done.

    Parameters
    ----------
    task : CorpusTask
        What is the same for all.
    part : Partition
        The partition.

    Returns
    -------
    PartitionRecord
        As it stands in the manifest.
    """
    manifest = Manifest(task.target)
    with predict_lock:
        nlp = manifest.model(task.settings)
        return _label(nlp, task, part, manifest)


def _label(nlp: Language, task: CorpusTask, part: Partition, manifest: Manifest) -> PartitionRecord:
    started = time.perf_counter()
    settings, target = task.settings, task.target
    schema = target_schema(settings, task.types)
    repeated = repeated_texts(task.reader.texts(part, task.columns))
    labeller = ChunkLabeller(nlp, settings, manifest.vocabulary(), repeated, task.batch_size)
    bad = _OutputFile(target, bad_rows_name(part.name))
    unsure = _OutputFile(target, unsure_name(part.name))
    labelled = _OutputFile(target, part.name)
    # They go into place together, when all are written.
    with bad.opened(), unsure.opened(), labelled.opened():
        labelled.begin_table(schema)
        for chunk in task.reader.chunks(part, task.columns):
            good, found = labeller.label(chunk)
            labelled.write_table(labelled_table(good, found, settings, schema))
            unsure.write_table(unsure_table(good, found, settings))
            bad.write_lines(asdict(one) for one in good.bad)
    counts = labeller.counts
    record = PartitionRecord(
        partition=part.name,
        source=part.file.name,
        source_stamp=part.file.stamp,
        bytes=int(target.fs.size(target.full(part.name))),
        rows=counts.texts + counts.bad_rows,
        texts=counts.texts,
        repeated=counts.texts - counts.predicted,
        spans=counts.spans,
        left_out=sum(counts.labels.values()) - counts.spans,
        bad_rows=counts.bad_rows,
        unsure=counts.unsure,
        without_entities=counts.without_entities,
        tokens=counts.tokens,
        unknown=None if labeller.vocabulary is None else counts.unknown,
        labels=dict(sorted(counts.labels.items())),
        probability_sum=counts.probability_sum if settings.probabilities else None,
        kept_probability_sum=counts.kept_probability_sum if settings.probabilities else None,
        seconds=round(time.perf_counter() - started, 3),
        finished=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        settings=settings.id,
        versions=library_versions(),
    )
    manifest.add(record)
    return record


@dataclass(slots=True)
class PartitionCounts:
    """Counts of what was labelled; the names are those of `PartitionRecord`.

    ``predicted`` is the number of texts that the model has seen.
    """

    texts: int = 0
    predicted: int = 0
    spans: int = 0
    bad_rows: int = 0
    unsure: int = 0
    without_entities: int = 0
    tokens: int = 0
    unknown: int = 0
    labels: Counter[str] = field(default_factory=Counter)
    probability_sum: float = 0.0
    kept_probability_sum: float = 0.0

    def add(self, found: LabelledText, settings: CorpusSettings) -> None:
        """Count a text.

        Parameters
        ----------
        found : LabelledText
            What the model says of it.
        settings : CorpusSettings
            The minimum, where there is one.
        """
        minimum = settings.min_probability
        kept = kept_spans(found, minimum)
        self.texts += 1
        self.spans += len(kept)
        self.without_entities += not kept
        self.tokens += found.tokens
        self.unknown += found.unknown
        self.labels.update(one.label for one in found.spans)
        self.probability_sum += sum(one.probability or 0.0 for one in found.spans)
        self.kept_probability_sum += sum(one.probability or 0.0 for one in kept)
        self.unsure += minimum is not None and not is_sure(found, minimum)


class ChunkLabeller:
    """Labels chunk after chunk of a partition, and predicts equal texts once.

    Parameters
    ----------
    nlp : Language
        A trained pipeline.
    settings : CorpusSettings
        What is computed.
    vocabulary : set of int, optional
        Hashes of the words of the training texts.
    repeated : dict of int to int, optional
        Hashes of the texts that stand there more than once, to how often; what
        is predicted for them is remembered to the last of them.
    batch_size : int, optional
        As in ``nlp.pipe``.
    """

    def __init__(
        self,
        nlp: Language,
        settings: CorpusSettings,
        vocabulary: AbstractSet[int] | None = None,
        repeated: dict[int, int] | None = None,
        batch_size: int | None = None,
    ) -> None:
        self.counts = PartitionCounts()
        self.vocabulary = vocabulary
        self._nlp = nlp
        self._settings = settings
        self._left = dict(repeated or {})
        self._batch_size = batch_size
        self._remembered: dict[str, LabelledText | FailedText] = {}

    def label(self, chunk: Chunk) -> tuple[Chunk, list[LabelledText]]:
        """Label the texts of a chunk.

        Parameters
        ----------
        chunk : Chunk
            The next one.

        Returns
        -------
        chunk : Chunk
            Without the texts that the model cannot take, which are among its bad rows.
        found : list of LabelledText
            One a text.
        """
        new = [text for text in dict.fromkeys(chunk.texts) if text not in self._remembered]
        keep_frequent_words(self._nlp, new)
        with memory_zone(self._nlp):
            predicted = predict_texts(
                self._nlp,
                new,
                probabilities=self._settings.probabilities,
                batch_size=self._batch_size,
                vocabulary=self.vocabulary,
            )
        known = dict(zip(new, predicted, strict=True))
        self.counts.predicted += sum(isinstance(one, LabelledText) for one in predicted)
        found, places, bad = [], [], list(chunk.bad)
        for at, (row, text) in enumerate(zip(chunk.rows, chunk.texts, strict=True)):
            one = known[text] if text in known else self._remembered[text]
            self._remember(text, one)
            if isinstance(one, LabelledText):
                found.append(one)
                places.append(at)
                self.counts.add(one, self._settings)
            else:
                bad.append(BadRow(row, one.reason, excerpt_of(text)))
        self.counts.bad_rows += len(bad)
        return chunk.selected(places, bad), found

    def _remember(self, text: str, found: LabelledText | FailedText) -> None:
        """Keep what is said of a text until the last time that it comes."""
        key = hash(text)
        left = self._left.get(key, 0) - 1
        if left > 0:
            self._left[key] = left
            self._remembered[text] = found
        elif left == 0:
            del self._left[key]
            self._remembered.pop(text, None)


def repeated_texts(texts: Iterable[str]) -> dict[int, int]:
    """Return the hashes of texts that come more than once, to how often they come.

    Parameters
    ----------
    texts : iterable of str
        Read once; 8 bytes are kept of each.
    """
    hashes = np.array(array("q", map(hash, texts)), dtype=np.int64)
    found, counts = np.unique(hashes, return_counts=True)
    several = counts > 1
    return dict(zip(found[several].tolist(), counts[several].tolist(), strict=True))


class _OutputFile:
    """A file that is written piece by piece, and appears when all are written.

    Parameters
    ----------
    folder : Folder
        The target.
    name : str
        Its name; its suffix says whether tables go into it as Parquet or as
        Arrow. A file that is there and is not written anew is removed.
    """

    def __init__(self, folder: Folder, name: str) -> None:
        self._folder, self._name = folder, name
        self._stack = ExitStack()
        self._file: IO[bytes] | None = None
        self._writer: Any = None

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Close the file at the end, or remove what was written where something has failed."""
        with self._stack:
            yield
        if self._file is None:
            self._folder.remove(self._name)

    def write_lines(self, values: Iterable[Any]) -> None:
        """Write values as lines of JSON; the file begins with the first one."""
        for one in values:
            line = json.dumps(one, ensure_ascii=False)
            self._begun().write(line.encode("utf-8", "backslashreplace") + b"\n")

    def begin_table(self, schema: _Arrow) -> None:
        """Begin a file of tables; without this it begins with the first row."""
        from pyarrow import ipc, parquet

        file = self._begun()
        if self._name.endswith(".parquet"):
            writer = parquet.ParquetWriter(file, schema)
        else:
            options = ipc.IpcWriteOptions(compression="zstd")
            writer = ipc.new_file(file, schema, options=options)
        self._writer = self._stack.enter_context(writer)

    def write_table(self, table: _Arrow | None) -> None:
        """Write a table as a group of rows of its own; nothing for one without rows."""
        if table is None or not table.num_rows:
            return
        if self._writer is None:
            self.begin_table(table.schema)
        self._writer.write_table(table)

    def _begun(self) -> IO[bytes]:
        if self._file is None:
            self._file = self._stack.enter_context(self._folder.writing(self._name))
        return self._file
