"""Estimate of the cost of labelling a corpus, measured on a sample."""

from __future__ import annotations

import io
import time
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from nbner._common.format import format_probability, plural
from nbner._common.result import Result
from nbner.corpus.partition import ChunkLabeller, PartitionCounts
from nbner.corpus.reader import COMPRESSED_SUFFIX, Chunk, Columns, Partition, SourceReader
from nbner.corpus.run import CorpusPlan
from nbner.corpus.settings import CorpusSettings
from nbner.corpus.tables import labelled_table, target_schema
from nbner.errors import DataError
from nbner.nlp.pipeline import clone_pipeline

if TYPE_CHECKING:
    import pandas as pd
    from spacy.language import Language

_SAMPLED_FILES = 8
_HEAD = 2**20  # bytes of a file from which its number of rows is estimated
_WARM_UP = 20  # texts before the clock is started
_GZIP = 31  # zlib's code for gzip's header
_HOUR = 3600
_GIGABYTE, _MEGABYTE = 1e9, 1e6


@dataclass(frozen=True, slots=True)
class CorpusEstimate(Result):
    """Cost of labelling a corpus, estimated from a sample.

    Parameters
    ----------
    source : str
        Path or URL of the texts.
    settings : CorpusSettings
        What would be computed.
    partitions : int
        Partitions that are not labelled yet.
    rows : int
        Rows in them.
    is_exact : bool
        Whether the number of rows is known; otherwise it is estimated from the
        beginning of some files.
    sampled : int
        Texts that were labelled for this, from the beginning of some files.
    seconds : float
        Time that took in this process: to read, predict and write.
    output_bytes : float
        Estimated size of the target, without the texts that the model is not
        sure of.
    counts : PartitionCounts
        Counts of the sample.
    """

    source: str
    settings: CorpusSettings
    partitions: int
    rows: int
    is_exact: bool
    sampled: int
    seconds: float
    output_bytes: float
    counts: PartitionCounts = field(repr=False, hash=False)

    @property
    def texts_per_second(self) -> float:
        """Texts a second of one process, on this machine as busy as it is now."""
        return self.sampled / self.seconds

    @property
    def core_hours(self) -> float:
        """Estimated time of one process; divide it by the number of processes."""
        return self.rows / self.texts_per_second / _HOUR

    @property
    def share_without_entities(self) -> float:
        """Share of the sample that would have no span in the target."""
        return self.counts.without_entities / self.sampled

    @property
    def bad_share(self) -> float:
        """Share of the sampled rows that would be set aside."""
        return self.counts.bad_rows / (self.counts.bad_rows + self.sampled)

    @property
    def expected_precision(self) -> float | None:
        """Expected share of right spans, by their probabilities; None without them."""
        if not self.settings.probabilities or not self.counts.spans:
            return None
        return self.counts.kept_probability_sum / self.counts.spans

    @property
    def frame(self) -> pd.DataFrame:
        """One row: the figures."""
        import pandas as pd

        names = (
            *("partitions", "rows", "sampled", "texts_per_second", "core_hours"),
            *("output_bytes", "share_without_entities", "bad_share", "expected_precision"),
        )
        return pd.DataFrame([{name: getattr(self, name) for name in names}])

    def __str__(self) -> str:
        about = "" if self.is_exact else "about "
        head = (
            f"{about}{plural(self.rows, 'row')} in {plural(self.partitions, 'partition')} of "
            f"{self.source} to label; measured on {plural(self.sampled, 'text')}:"
        )
        speed = (
            f"{self.texts_per_second:,.0f} texts a second and process: "
            f"{self.core_hours:,.3g} core-hours"
        )
        lines = [
            head,
            speed,
            f"{_size(self.output_bytes)} of output",
            f"{self.share_without_entities:.1%} of the texts without entities",
        ]
        if self.counts.bad_rows:
            lines.append(f"{self.bad_share:.1%} of the rows would be set aside")
        precision = self.expected_precision
        if precision is not None:
            predicted = sum(self.counts.labels.values())
            kind = "calibrated" if self.settings.calibration else "not calibrated"
            lines.append(
                f"expected precision {format_probability(precision)} ({kind}), with "
                f"{1 - self.counts.spans / predicted:.1%} of the spans left out"
            )
        return "\n".join(lines)


def estimate_corpus(
    nlp: Language, plan: CorpusPlan, *, sample: int, batch_size: int | None = None
) -> CorpusEstimate:
    """Label a sample of a corpus in this process, and write nothing.

    Parameters
    ----------
    nlp : Language
        A trained pipeline.
    plan : CorpusPlan
        What there is to do.
    sample : int
        Number of texts, from the beginning of up to 8 partitions.
    batch_size : int, optional
        As in ``nlp.pipe``.

    Raises
    ------
    DataError
        Nothing is left to do, or the sample has no text.
    """
    parts = plan.missing
    if not parts:
        raise DataError("all of it is labelled", file=plan.manifest.folder.url)
    columns = Columns(plan.settings.text, plan.settings.keep, plan.types)
    reader = plan.source.reader
    chosen = [parts[i * len(parts) // _SAMPLED_FILES] for i in range(_SAMPLED_FILES)]
    chosen = list(dict.fromkeys(chosen))
    chunks, seconds = _sample(reader, chosen, columns, sample)
    if not any(one.texts for one in chunks):
        raise DataError("there is no text at the beginning of the files", file=plan.source.url)
    # A copy: labelling clears the words of a batch from the vocabulary, which another
    # thread, such as that of a model that learns behind a widget, may be using.
    nlp = clone_pipeline(nlp)
    # A pipeline is slow with its first texts.
    first = next(one.texts for one in chunks if one.texts)[:_WARM_UP]
    ChunkLabeller(nlp, replace(plan.settings, keep=())).label(Chunk(list(range(len(first))), first))
    labeller = ChunkLabeller(nlp, plan.settings, batch_size=batch_size)
    started = time.perf_counter()
    written = _written_bytes(chunks, labeller, plan)
    seconds += time.perf_counter() - started
    counts = labeller.counts
    if not counts.texts:
        raise DataError(f"the model takes none of the texts: {chunks[0].bad[:1]}")
    rows, is_exact = _rows_of(reader, parts, chosen)
    return CorpusEstimate(
        source=plan.source.url,
        settings=plan.settings,
        partitions=len(parts),
        rows=rows,
        is_exact=is_exact,
        sampled=counts.texts,
        seconds=seconds,
        output_bytes=written / counts.texts * rows,
        counts=counts,
    )


def _sample(
    reader: SourceReader, parts: Sequence[Partition], columns: Columns, size: int
) -> tuple[list[Chunk], float]:
    """Return the first rows of partitions, and the seconds that reading so many takes."""
    each = -(-size // len(parts))
    chunks, seconds = [], 0.0
    for part in parts:
        started = time.perf_counter()
        chunk = next(iter(reader.chunks(part, columns)), None)
        if chunk is None:
            continue
        elapsed = time.perf_counter() - started
        taken = min(each, len(chunk.texts))
        seconds += elapsed * taken / max(1, len(chunk.texts))
        last = chunk.rows[taken - 1] if taken else -1
        bad = [one for one in chunk.bad if one.row <= last or taken == len(chunk.texts)]
        chunks.append(chunk.selected(range(taken), bad))
    return chunks, seconds


def _written_bytes(chunks: Sequence[Chunk], labeller: ChunkLabeller, plan: CorpusPlan) -> int:
    """Label chunks, and return the size of their rows as Parquet."""
    from pyarrow import parquet

    schema = target_schema(plan.settings, plan.types)
    buffer, empty = io.BytesIO(), io.BytesIO()
    parquet.write_table(schema.empty_table(), empty)
    with parquet.ParquetWriter(buffer, schema) as writer:
        for chunk in chunks:
            good, found = labeller.label(chunk)
            writer.write_table(labelled_table(good, found, plan.settings, schema))
    return max(0, buffer.tell() - len(empty.getvalue()))


def _rows_of(
    reader: SourceReader, parts: Sequence[Partition], chosen: Sequence[Partition]
) -> tuple[int, bool]:
    """Return the number of rows of partitions, and whether it is exact."""
    known = [one.rows for one in parts if one.rows is not None]
    if len(known) == len(parts):
        return sum(known), True
    heads = [_head_of(reader, one) for one in chosen]
    rows, size = (sum(column) for column in zip(*heads, strict=True))
    total = sum(one.file.size for one in parts)
    return (rows, True) if size == total else (round(rows / max(1, size) * total), False)


def _head_of(reader: SourceReader, part: Partition) -> tuple[int, int]:
    """Return the number of rows at the beginning of a file, and of the bytes they take."""
    with reader.folder.reading(part.file.name) as file:
        raw = file.read(_HEAD)
    is_compressed = part.file.name.lower().endswith(COMPRESSED_SUFFIX)
    data = _decompressed(raw) if is_compressed else raw
    return sum(1 for _ in reader.records_in(io.BytesIO(data))), len(raw)


def _decompressed(raw: bytes) -> bytes:
    """Return what the beginning of a .gz file holds, which may be of several members."""
    found = []
    while raw:
        member = zlib.decompressobj(_GZIP)
        try:
            found.append(member.decompress(raw))
        except zlib.error:  # zeros may follow the last member
            if not found:
                raise
            break
        raw = member.unused_data
    return b"".join(found)


def _size(count: float) -> str:
    if count >= _GIGABYTE:
        return f"{count / _GIGABYTE:,.1f} GB"
    return f"{count / _MEGABYTE:,.3g} MB"
