"""The texts of a labelled corpus that would teach the model most, drawn in one pass."""

from __future__ import annotations

import hashlib
import heapq
import math
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from nbner.corpus.manifest import Manifest, PartitionRecord, open_target, unsure_name
from nbner.corpus.storage import StorageOptions, require_libraries
from nbner.errors import DataError
from nbner.types import Example, Span

_LEAST_WEIGHT = 1e-6


@dataclass(frozen=True, slots=True)
class UnsureDraw:
    """Texts drawn from a labelled corpus.

    Parameters
    ----------
    examples : tuple of Example
        The one with most expected errors first.
    n_known : int
        Different texts that the model was not sure of and that were left out
        because they are known.
    """

    examples: tuple[Example, ...]
    n_known: int


def draw_unsure(
    target: str,
    n: int,
    *,
    seed: int,
    known: Container[str] = frozenset(),
    storage_options: StorageOptions | None = None,
) -> UnsureDraw:
    """Draw texts of which the model was not sure, with its spans as suggestions.

    A text is drawn with a probability that grows with its expected number of
    errors, by a weighted reservoir (Efraimidis and Spirakis, 2006: the n largest
    of u ** (1 / weight), with u uniform). Here u is a hash of seed and text, so
    that the draw does not depend on the partitions, and a text that comes often
    is drawn once and not more easily.

    Parameters
    ----------
    target : str
        A target of ``session.label_corpus``, labelled with a minimum.
    n : int
        Number of texts at most.
    seed : int
        Another one draws other texts.
    known : container of str
        Texts to leave out.
    storage_options : mapping, optional
        Options of fsspec's file system.

    Returns
    -------
    UnsureDraw
        The ``meta`` of its examples says where they are: ``source``, ``row``,
        ``expected_errors``.

    Raises
    ------
    DataError
        There is no such target, or it was labelled without a minimum.
    """
    require_libraries()
    manifest, run = open_target(target, storage_options)
    if run.settings.get("min_probability") is None:
        raise DataError(
            "the target was labelled without min_probability, so that it does not know which "
            "texts are unsure",
            file=target,
            remedy="Label it with min_probability=0.9, for instance, into a target of its own",
        )
    reservoir: dict[str, tuple[Mapping[str, Any], str]] = {}
    heap: list[tuple[float, str]] = []
    left_out: set[str] = set()
    for source, row in _unsure_rows(manifest):
        text = row["text"]
        if text in known:
            left_out.add(text)
            continue
        # Whitespace alone is no text to label.
        if text in reservoir or not text.strip():
            continue
        key = _uniform_log(seed, text) / max(row["expected_errors"], _LEAST_WEIGHT)
        if len(heap) < n:
            heapq.heappush(heap, (key, text))
        elif key > heap[0][0]:
            _, dropped = heapq.heapreplace(heap, (key, text))
            del reservoir[dropped]
        else:
            continue
        reservoir[text] = (row, source)
    drawn = sorted(reservoir.values(), key=lambda one: (-one[0]["expected_errors"], one[0]["text"]))
    return UnsureDraw(tuple(_example_from(row, source) for row, source in drawn), len(left_out))


def _unsure_rows(manifest: Manifest) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the unsure texts of a target, batch by batch, with the file that they are from."""
    from pyarrow import ipc

    for record in _with_unsure(manifest):
        name = unsure_name(record.partition)
        if not manifest.folder.exists(name):
            raise DataError(
                "the file of the texts that the model is not sure of has gone",
                file=manifest.folder.full(name),
                remedy="Call label_corpus again: it labels this partition once more",
            )
        with manifest.folder.reading(name) as file:
            opened = ipc.open_file(file)
            for i in range(opened.num_record_batches):
                for row in opened.get_batch(i).to_pylist():
                    yield record.source, row


def _with_unsure(manifest: Manifest) -> list[PartitionRecord]:
    return [one for one in manifest.records().values() if one.unsure]


def _uniform_log(seed: int, text: str) -> float:
    """Return the logarithm of a number between 0 and 1 that seed and text determine."""
    digest = hashlib.blake2b(f"{seed}:{text}".encode(), digest_size=8).digest()
    return math.log((int.from_bytes(digest, "big") + 1) / (2**64 + 1))


def _example_from(row: Mapping[str, Any], source: str) -> Example:
    spans = tuple(
        Span(one["start"], one["end"], one["label"], source=one["source"], score=one["score"])
        for one in row["spans"]
    )
    meta = {
        "source": source,
        "row": row["row"],
        "expected_errors": round(row["expected_errors"], 4),
    }
    return Example(row["text"], spans=spans, meta=meta)
