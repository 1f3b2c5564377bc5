"""One object that holds the work: it joins the rooms and has no algorithm of its own."""

from __future__ import annotations

import getpass
import re
import tempfile
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbner.data import formats
from nbner.data.intake import AddReport, Misaligned, example_of, prepare
from nbner.data.store import Store
from nbner.errors import DataError, ModelError, TrainingError
from nbner.labelling import LabellingDesk, Suggest, Switchboard
from nbner.types import AnswerKind, Counts, Example, Span, Token

if TYPE_CHECKING:
    import pandas as pd
    from spacy.language import Language

    from nbner.results import Evaluation, TrainingReport
    from nbner.widgets.annotator import Annotator

PREDICTION_COLUMNS = ["example", "start", "end", "token_start", "token_end", "text", "label"]
ANSWER_COLUMNS = [
    *("input_hash", "split", "annotator", "answer", "text", "spans", "flagged", "note", "created")
]


class Session:
    """Label, train, correct, predict and evaluate one dataset.

    Everything is kept in the store: a session made again with the same store
    and dataset goes on where the last one stood, with the last trained model.

    Parameters
    ----------
    dataset : str
        A name inside the store.
    labels : sequence of str, optional
        Entity types in the order of their keys. By default those that the
        dataset has, and new ones as the data brings them.
    model : str or Path
        "blank:en" (any spaCy language code), a packaged pipeline or a folder.
    store : str or Path
        A SQLite file, made if it is not there; ":memory:"; or a database URL.
    annotator : str, optional
        Who answers here. By default the login name.
    seed : int
        For everything random.

    Raises
    ------
    StoreError
        The store is not one, is newer than this version, or cannot be opened.
    ModelError
        The model cannot be loaded.
    DataError
        A label is empty or given twice.

    Examples
    --------
    >>> session = Session("demo", labels=["Tool"], store=":memory:")
    >>> session.add(["Whisk the eggs with a fork."]).added
    1
    """

    def __init__(
        self,
        dataset: str = "default",
        *,
        labels: Sequence[str] | None = None,
        model: str | Path = "blank:en",
        store: str | Path = "nbner.db",
        annotator: str | None = None,
        seed: int = 0,
    ) -> None:
        checked = None if labels is None else _checked(labels)
        self.annotator = annotator or _login()
        self.seed = seed
        self._base = model
        self._store = Store(store)
        self._dataset = self._store.dataset(dataset)
        self._labels_follow_data = checked is None
        self._switchboard = Switchboard()
        self._annotators: list[Annotator] = []
        self._folder: Path | None = None
        self._nlp = self._last_model() or self._base_model()
        if checked is not None:
            self._dataset.set_labels(checked)

    # What it holds.

    @property
    def dataset(self) -> str:
        """The dataset's name."""
        return self._dataset.name

    @property
    def labels(self) -> tuple[str, ...]:
        """The entity types, in the order of their keys."""
        return self._dataset.labels

    @property
    def nlp(self) -> Language:
        """The spaCy pipeline in use: the last one trained, or the one given."""
        return self._nlp

    def counts(self, split: str | None = None) -> Counts:
        """Count the examples of a split, or of all, by their current answer."""
        return self._dataset.counts(split)

    def examples(
        self, split: str | None = None, *, answer: AnswerKind | None = None
    ) -> list[Example]:
        """Give the examples with their tokens and spans, in the order of addition.

        Parameters
        ----------
        split : str, optional
            By default all.
        answer : {"accept", "reject", "ignore"}, optional
            Only those with this current answer.
        """
        return [self._tokenized(one) for one in self._dataset.examples(split, answer=answer)]

    def answers(self, split: str | None = None, *, annotator: str | None = None) -> pd.DataFrame:
        """Give the current answers, one row an example and annotator.

        Returns
        -------
        DataFrame
            ``input_hash``, ``split``, ``annotator``, ``answer``, ``text``,
            ``spans`` (a list of ``(start, end, label)`` in code points),
            ``flagged``, ``note`` and ``created`` (UTC).
        """
        import pandas as pd

        texts = {(one.split, one.input_hash): one.text for one in self._dataset.examples(split)}
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
                "created": pd.Timestamp(answer.created, unit="s", tz="UTC"),
            }
            for answer in self._dataset.answers(split, annotator)
            if answer.answer is not None
        ]
        return pd.DataFrame(rows, columns=ANSWER_COLUMNS)

    # Data in and out.

    def add(
        self,
        source: Any,
        split: str = "train",
        gold: bool | None = None,
        *,
        misaligned: Misaligned = "keep",
    ) -> AddReport:
        """Add texts, with whatever is known of them; all or nothing.

        A row with an ``answer`` is an answer. CoNLL and DocBin are gold by
        nature and become accepted answers of annotator "import". Other rows
        with spans and no answer hold suggestions.

        Parameters
        ----------
        source : path, DataFrame, or iterable of str, dict, Doc or Example
            A file's format is found by its suffix, then by its content.
        split : str
        gold : bool, optional
            Take spans as gold, or as suggestions, whatever the format says.
        misaligned : {"keep", "refuse"}
            What becomes of a row with a span that the tokenizer cannot
            express: kept with the span as it is, or left out. Either way it is
            counted and listed.

        Returns
        -------
        AddReport
            ``added``, ``duplicate``, ``misaligned``, ``overlapping``,
            ``refused`` and ``frame``, which names file, line and reason.

        Raises
        ------
        DataError
            With file, line, field and remedy; the store is as it was.
        """
        labels = None if self._labels_follow_data else self.labels
        rows = formats.read(source)
        return self._dataset.add(
            prepare(
                rows,
                tokenize=self._tokenize,
                labels=labels,
                split=split,
                gold=gold,
                misaligned=misaligned,
            )
        )

    def export(self, path: str | Path, split: str | None = None) -> Path:
        """Write the examples to a file, in the format of its suffix.

        Parameters
        ----------
        path : str or Path
            ``.jsonl`` and ``.csv`` carry every answer; ``.spacy`` and
            ``.conll`` carry accepted gold alone.
        split : str, optional
            By default all.

        Raises
        ------
        DataError
            The suffix is unknown, or the format cannot carry a label.
        """
        examples = (self._tokenized(one) for one in self._dataset.examples(split))
        formats.write(examples, path)
        return Path(path)

    # Labelling.

    def manual(self, split: str = "train") -> Annotator:
        """Label by hand: the widget, empty, at the first open example.

        Raises
        ------
        DataError
            There is no label to give.
        """
        return self._annotator(split, None)

    def make_gold(self, split: str = "train") -> Annotator:
        """Correct suggestions: the widget, holding the model's.

        Until a model has been trained, the suggestions that came with the data
        are shown.

        Raises
        ------
        ModelError
            There is no trained model, and no suggestion came with the data.
        """
        from nbner.model.pipeline import is_trained

        if not is_trained(self._nlp) and not self._has_suggestions(split):
            raise ModelError(
                "there is nothing to suggest yet: the model is not trained. Label some examples "
                "with session.manual() and call session.train(), or give a trained pipeline: "
                "Session(..., model=...)."
            )
        return self._annotator(split, self._suggest)

    # The model.

    def train(
        self,
        split: str = "train",
        dev: str = "dev",
        *,
        max_epochs: int | None = None,
        patience: int | None = None,
        seed: int | None = None,
        progress: bool = True,
    ) -> TrainingReport:
        """Train on the accepted examples of a split, and use the best model from then on.

        Runs spaCy's own training loop on a copy: labelling goes on meanwhile,
        and suggestions come from the last finished model. The notebook's stop
        button ends training with the best model so far.

        Parameters
        ----------
        split, dev : str
            Where to learn and where to measure. Without accepted examples in
            ``dev``, a seeded fifth of ``split`` is held out.
        max_epochs : int, optional
            Passes over the data at most.
        patience : int, optional
            Evaluations without a gain after which training stops.
        seed : int, optional
            By default the session's.
        progress : bool
            Show a bar and the curve.

        Returns
        -------
        TrainingReport
            With ``f``, ``frame``, ``plot()``, and ``path``: the folder with
            the model, its ``config.cfg`` and the data for ``spacy train``.

        Raises
        ------
        TrainingError
            Nothing has been accepted, or no accepted example holds an entity.
        """
        raise NotImplementedError
