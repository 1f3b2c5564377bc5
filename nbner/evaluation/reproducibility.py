"""Reproducibility of predictions: determinism, and parity with plain spaCy."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from spacy.tokens import Doc, DocBin
from spacy.util import get_words_and_spaces

from nbner._common.format import plural, render_html
from nbner._common.result import Result
from nbner.evaluation.diff.variants import sentence_ranges
from nbner.nlp import subprocess_job
from nbner.nlp.pipeline import doc_from_example, load_base
from nbner.nlp.prediction import predict
from nbner.types import Example, Span

if TYPE_CHECKING:
    import pandas as pd
    from spacy.language import Language

#: Start, end and label of each entity, text by text.
Predictions: TypeAlias = list[list[Any]]

_JOB = "nbner.evaluation.reproducibility:run_prediction_job"


@dataclass(frozen=True, slots=True)
class ConditionResult:
    """Predictions under one condition, compared with the reference predictions.

    Parameters
    ----------
    condition : str
        The condition in words.
    differing : tuple of int
        Positions of the texts with other predictions.
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
    """Predict under several conditions, and compare with the first predictions.

    Parameters
    ----------
    nlp : Language
        The pipeline.
    examples : sequence of Example
        The texts.
    batch_sizes, n_process : sequence of int
        Options of ``nlp.pipe``, each a condition of its own.
    seed : int
        Seed of the shuffled order.

    Yields
    ------
    ConditionResult
        Repetition, batch sizes, reversed and shuffled order, processes, and a
        fresh Python process that loads the model from disk.
    """
    reference = _predictions(nlp, examples)

    def compared(condition: str, found: Predictions) -> ConditionResult:
        pairs = enumerate(zip(reference, found, strict=True))
        return ConditionResult(condition, tuple(i for i, (one, other) in pairs if one != other))

    yield compared("once more", _predictions(nlp, examples))
    for size in batch_sizes:
        yield compared(f"batches of {size:,}", _predictions(nlp, examples, batch_size=size))
    order = list(range(len(examples)))
    yield compared("in reverse", _predictions_in_order(nlp, examples, order[::-1]))
    random.Random(seed).shuffle(order)  # noqa: S311 - an order, not a secret
    yield compared("shuffled", _predictions_in_order(nlp, examples, order))
    for count in n_process:
        yield compared(f"{count} processes", _predictions(nlp, examples, n_process=count))
    yield compared(
        "a fresh Python, the model read from disk", _predictions_of_new_process(nlp, examples)
    )


def run_prediction_job(folder: Path, job: Mapping[str, Any]) -> Predictions:  # noqa: ARG001 - the job is the folder
    """Predict in a new process for the docs that are stored in a folder with their model.

    Parameters
    ----------
    folder : Path
        Holds ``model`` and ``texts.spacy``.
    job : mapping
        Not used: the folder is the whole job.

    Returns
    -------
    list of lists
        Start, end and label of each entity, text by text.
    """
    nlp = load_base(folder / "model")
    docs = DocBin().from_disk(folder / "texts.spacy").get_docs(nlp.vocab)
    return [
        [[ent.start_char, ent.end_char, ent.label_] for ent in doc.ents] for doc in nlp.pipe(docs)
    ]


def _predictions(nlp: Language, examples: Sequence[Example], **options: Any) -> Predictions:
    return [
        [[span.start, span.end, span.label] for span in spans]
        for spans in predict(nlp, examples, **options)
    ]


def _predictions_in_order(
    nlp: Language, examples: Sequence[Example], order: Sequence[int]
) -> Predictions:
    """Predict in another order, and return the predictions in the order of the examples."""
    found = _predictions(nlp, [examples[i] for i in order])
    positions = {at: number for number, at in enumerate(order)}
    return [found[positions[i]] for i in range(len(examples))]


def _predictions_of_new_process(nlp: Language, examples: Sequence[Example]) -> Predictions:
    with tempfile.TemporaryDirectory(prefix="nbner-") as name:
        folder = Path(name)
        nlp.to_disk(folder / "model")
        docs = [doc_from_example(nlp, one) for one in examples]
        DocBin(docs=docs, attrs=["ORTH", "NORM", "SPACY"]).to_disk(folder / "texts.spacy")
        subprocess_job.start_job(folder, _JOB, {}).wait()
        found: Predictions = subprocess_job.read_result(folder)
        return found


Spans: TypeAlias = tuple[Span, ...]

TEXTS = "texts"
SENTENCES = "sentences"


@dataclass(frozen=True, slots=True)
class SpacyRun:
    """Predictions of one run of plain ``nlp.pipe``.

    Parameters
    ----------
    description : str
        Batch size, order and processes, in words.
    spans : tuple of tuples of Span
        The predicted spans in the order of the examples.
    """

    description: str
    spans: tuple[Spans, ...]

    @property
    def labels(self) -> set[str]:
        """The labels of all predicted spans."""
        return {span.label for spans in self.spans for span in spans}

    def differing(
        self, suggested: Sequence[Spans], *, without: Collection[str] = ()
    ) -> tuple[int, ...]:
        """Return the positions of the examples with other suggestions.

        Parameters
        ----------
        suggested : sequence of tuples of Span
            The suggestions for each example.
        without : collection of str
            Labels of predicted spans that are left out of the comparison.
        """
        pairs = enumerate(zip(self.spans, suggested, strict=True))
        return tuple(
            i
            for i, (plain, other) in pairs
            if {one for one in plain if one.label not in without} != set(other)
        )


def text_units(nlp: Language, examples: Sequence[Example]) -> dict[str, list[Example]]:
    """Return the examples themselves, and each of their sentences as an example.

    Parameters
    ----------
    nlp : Language
        The pipeline; its language determines the sentences.
    examples : sequence of Example
        The texts.
    """
    cuts = sentence_ranges(str(nlp.lang), [one.text for one in examples])
    single = [
        Example(one.text[start:end])
        for one, pieces in zip(examples, cuts, strict=True)
        for start, end in pieces
    ]
    return {TEXTS: list(examples), SENTENCES: single}


def run_spacy(
    nlp: Language, examples: Sequence[Example], batch_sizes: Sequence[int], processes: Sequence[int]
) -> Iterator[SpacyRun]:
    """Run plain ``nlp.pipe`` in several ways.

    Parameters
    ----------
    nlp : Language
        The pipeline.
    examples : sequence of Example
        The texts, with their tokens where they came with some.
    batch_sizes, processes : sequence of int
        Options of ``nlp.pipe``; all combinations are run.

    Yields
    ------
    SpacyRun
        Each combination, and the last batch size in reversed order.
    """
    for count in processes:
        for size in batch_sizes:
            description = f"batches of {size:,}, {count} process{'es' if count > 1 else ''}"
            yield SpacyRun(description, _piped(nlp, examples, size, count))
    backwards = _piped(nlp, examples[::-1], batch_sizes[-1], 1)
    yield SpacyRun("in reverse", backwards[::-1])


def _piped(
    nlp: Language, examples: Sequence[Example], batch_size: int, n_process: int
) -> tuple[Spans, ...]:
    # Independent of `nbner.nlp.prediction` on purpose, which is compared with this.
    docs = nlp.pipe(
        [_doc(nlp, one) for one in examples], batch_size=batch_size, n_process=n_process
    )
    return tuple(
        tuple(Span(ent.start_char, ent.end_char, ent.label_) for ent in doc.ents) for doc in docs
    )


def _doc(nlp: Language, example: Example) -> Doc:
    plain = nlp.make_doc(example.text)
    words = [token.text for token in example.tokens]
    if not example.pretokenized or words == [t.text for t in plain if not t.is_space]:
        return plain
    words, spaces = get_words_and_spaces(words, example.text)
    return Doc(nlp.vocab, words=words, spaces=spaces)


@dataclass(frozen=True, slots=True)
class Parity(Result):
    """Suggestions compared with the predictions of plain ``nlp.pipe``.

    Parameters
    ----------
    rows : tuple of (str, str, int, tuple of int)
        For each run: the unit ("texts" or "sentences"), the description of the
        run, the number of examples, and the positions of those that differ.
    filtered_labels : tuple of str
        Labels that plain spaCy predicts and the session does not have; they are
        left out of suggestions.
    unexplained : int
        Number of examples that differ in some run even without these labels.
    """

    rows: tuple[tuple[str, str, int, tuple[int, ...]], ...]
    filtered_labels: tuple[str, ...] = ()
    unexplained: int = 0

    @classmethod
    def from_rows(
        cls,
        rows: Iterable[tuple[str, str, int, tuple[int, ...]]],
        *,
        filtered_labels: Iterable[str] = (),
        unexplained: int = 0,
    ) -> Parity:
        """Create the result from an iterable of rows.

        Parameters
        ----------
        rows : iterable of (str, str, int, tuple of int)
            As for the class.
        filtered_labels : iterable of str
            As for the class.
        unexplained : int
            As for the class.
        """
        return cls(tuple(rows), tuple(filtered_labels), unexplained)

    @property
    def same(self) -> bool:
        """Whether no example differs in any run."""
        return not self.differing

    @property
    def differing(self) -> int:
        """Number of examples that differ in some run."""
        return len({(unit, i) for unit, _, _, found in self.rows for i in found})

    @property
    def frame(self) -> pd.DataFrame:
        """One row a run: unit, run, examples, differing (how many), which (positions)."""
        import pandas as pd

        rows = [(unit, run, n, len(found), list(found)) for unit, run, n, found in self.rows]
        return pd.DataFrame(rows, columns=["unit", "run", "examples", "differing", "which"])

    def __str__(self) -> str:
        units = {unit: n for unit, _, n, _ in self.rows}
        over = " and ".join(f"{n:,} {unit}" for unit, n in units.items())
        if self.same:
            return f"The same in {plural(len(self.rows), 'run')} over {over}"
        if not self.filtered_labels:
            return (
                f"{plural(self.differing, 'example differs', 'examples differ')}, over "
                f"{over}: see .frame"
            )
        rest = f"{self.unexplained:,} differ" if self.unexplained else "none differs"
        return (
            f"{plural(self.differing, 'example differs', 'examples differ')}, over {over}, "
            f"since suggestions leave out labels "
            f"that the session does not have: {', '.join(self.filtered_labels)}; "
            f"session.add_labels([...]) adds them. Without these labels {rest}"
        )

    def _repr_html_(self) -> str:
        return render_html(str(self), self.frame)


@dataclass(frozen=True, slots=True)
class Determinism(Result):
    """Predictions of one model for the same texts under several conditions.

    Parameters
    ----------
    results : tuple of ConditionResult
        The conditions with the texts that differ.
    texts : tuple of str
        The texts.
    """

    results: tuple[ConditionResult, ...]
    texts: tuple[str, ...]

    @classmethod
    def from_results(cls, results: Iterable[ConditionResult], texts: Sequence[str]) -> Determinism:
        """Create the result from an iterable of conditions.

        Parameters
        ----------
        results : iterable of ConditionResult
            The conditions.
        texts : sequence of str
            The texts.
        """
        return cls(tuple(results), tuple(texts))

    @property
    def same(self) -> bool:
        """Whether the predictions are equal under all conditions."""
        return not any(one.differing for one in self.results)

    @property
    def frame(self) -> pd.DataFrame:
        """One row a condition: circumstance, texts, differing, which (positions)."""
        import pandas as pd

        rows = [
            (one.condition, len(self.texts), len(one.differing), list(one.differing))
            for one in self.results
        ]
        return pd.DataFrame(rows, columns=["circumstance", "texts", "differing", "which"])

    def __str__(self) -> str:
        if self.same:
            return f"The same {len(self.results)} times over {plural(len(self.texts), 'text')}"
        lines = [
            f"  {one.condition}: {plural(len(one.differing), 'text')}, the first: "
            f"{self.texts[one.differing[0]][:60]!r}"
            for one in self.results
            if one.differing
        ]
        return "\n".join([f"Not the same over {plural(len(self.texts), 'text')}", *lines])

    def _repr_html_(self) -> str:
        return render_html(str(self), self.frame)
