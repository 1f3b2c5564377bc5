"""The sample corpus about cooking that comes with nbner, for lessons and first experiments."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from nbner.types import Example, Span

_FOLDER = files("nbner.io") / "cooking"


@dataclass(frozen=True, slots=True)
class SampleCorpus:
    """Sentences about cooking, written for nbner; MIT licence.

    Iterating yields the labelled examples of both splits; ``len`` counts them.

    Parameters
    ----------
    train, dev : tuple of Example
        Accepted gold examples.
    unlabeled : tuple of str
        More sentences of the same kind.
    labels : tuple of str
        The entity types, the most frequent first.
    guideline : str
        The annotation guideline, as Markdown.
    """

    train: tuple[Example, ...]
    dev: tuple[Example, ...]
    unlabeled: tuple[str, ...]
    labels: tuple[str, ...]
    guideline: str

    def __iter__(self) -> Iterator[Example]:
        """Yield the labelled examples of both splits."""
        yield from self.train
        yield from self.dev

    def __len__(self) -> int:
        """Count the labelled examples."""
        return len(self.train) + len(self.dev)

    def __repr__(self) -> str:
        """Return the numbers of sentences, entities and types."""
        spans = sum(len(example.spans) for example in self)
        return (
            f"{len(self.train)} train and {len(self.dev)} dev sentences with {spans:,} entities of "
            f"{len(self.labels)} types, and {len(self.unlabeled)} without labels"
        )


def sample() -> SampleCorpus:
    """Load the sample corpus that comes with nbner.

    Returns
    -------
    SampleCorpus
        ``train``, ``dev``, ``unlabeled``, ``labels`` and ``guideline``.

    Examples
    --------
    >>> len(sample().labels)
    18
    """
    train, dev = (tuple(_example(row, split) for row in _rows(split)) for split in ("train", "dev"))
    counts = Counter(span.label for example in train for span in example.spans)
    return SampleCorpus(
        train=train,
        dev=dev,
        unlabeled=tuple(row["text"] for row in _rows("unlabelled")),
        labels=tuple(sorted(counts, key=lambda label: (-counts[label], label))),
        guideline=(_FOLDER / "GUIDELINE.md").read_text(encoding="utf-8"),
    )


def _rows(name: str) -> Iterator[dict[str, Any]]:
    lines = (_FOLDER / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return map(json.loads, lines)


def _example(row: dict[str, Any], split: str) -> Example:
    spans = tuple(Span(span["start"], span["end"], span["label"]) for span in row["spans"])
    return Example(row["text"], spans=spans, answer="accept", meta=row["meta"], split=split)
