"""Whether a model says the same of the same texts under other circumstances."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from spacy.tokens import DocBin

from nbner.nlp import subprocess_job
from nbner.nlp.pipeline import doc_from_example, load_base
from nbner.nlp.prediction import predict
from nbner.types import Example

if TYPE_CHECKING:
    from spacy.language import Language

Found: TypeAlias = list[list[Any]]

_JOB = "nbner.evaluation.reproducibility.determinism:run_prediction_job"


@dataclass(frozen=True, slots=True)
class ConditionResult:
    """What came out under one circumstance.

    Parameters
    ----------
    condition : str
    differing : tuple of int
        Positions of the texts for which something else came out than at first.
    """

    condition: str
    differing: tuple[int, ...]


def check_determinism(
    nlp: Language,
    examples: Sequence[Example],
    *,
    batch_sizes: Sequence[int],
    n_process: Sequence[int],
    seed: int,
) -> Iterator[ConditionResult]:
    """Predict under one circumstance after the other, against the pipeline's own batches.

    Parameters
    ----------
    nlp : Language
    examples : sequence of Example
    batch_sizes, n_process : sequence of int
    seed : int
        For the shuffled order.
    """
    first = _said(nlp, examples)

    def outcome(how: str, found: Found) -> ConditionResult:
        pairs = enumerate(zip(first, found, strict=True))
        return ConditionResult(how, tuple(i for i, (one, other) in pairs if one != other))

    yield outcome("once more", _said(nlp, examples))
    for size in batch_sizes:
        yield outcome(f"batches of {size:,}", _said(nlp, examples, batch_size=size))
    order = list(range(len(examples)))
    yield outcome("in reverse", _ordered(nlp, examples, order[::-1]))
    random.Random(seed).shuffle(order)  # noqa: S311 - an order, not a secret
    yield outcome("shuffled", _ordered(nlp, examples, order))
    for count in n_process:
        yield outcome(f"{count} processes", _said(nlp, examples, n_process=count))
    yield outcome("a fresh Python, the model read from disk", _said_apart(nlp, examples))


def run_prediction_job(folder: Path, job: Mapping[str, Any]) -> Found:  # noqa: ARG001 - the job is the folder
    """Predict, in a fresh Python, for the docs that lie in a folder with their model."""
    nlp = load_base(folder / "model")
    docs = DocBin().from_disk(folder / "texts.spacy").get_docs(nlp.vocab)
    return [
        [[ent.start_char, ent.end_char, ent.label_] for ent in doc.ents] for doc in nlp.pipe(docs)
    ]


def _said(nlp: Language, examples: Sequence[Example], **how: Any) -> Found:
    return [
        [[span.start, span.end, span.label] for span in spans]
        for spans in predict(nlp, examples, **how)
    ]


def _ordered(nlp: Language, examples: Sequence[Example], order: Sequence[int]) -> Found:
    found = _said(nlp, [examples[i] for i in order])
    places = {at: number for number, at in enumerate(order)}
    return [found[places[i]] for i in range(len(examples))]


def _said_apart(nlp: Language, examples: Sequence[Example]) -> Found:
    with tempfile.TemporaryDirectory(prefix="nbner-") as name:
        folder = Path(name)
        nlp.to_disk(folder / "model")
        docs = [doc_from_example(nlp, one) for one in examples]
        DocBin(docs=docs, attrs=["ORTH", "NORM", "SPACY"]).to_disk(folder / "texts.spacy")
        subprocess_job.start_job(folder, _JOB, {}).wait()
        found: Found = subprocess_job.read_result(folder)
        return found
