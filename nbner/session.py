"""One object that holds the work: it joins the rooms and has no algorithm of its own."""

from __future__ import annotations

import getpass
from collections import deque
from collections.abc import Sequence
from itertools import tee
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from weakref import WeakSet

from nbner.data import formats
from nbner.data.alignment import align
from nbner.data.intake import AddReport, Misaligned, prepare
from nbner.data.rows import as_example
from nbner.data.store import Store
from nbner.errors import DataError, ModelError
from nbner.labelling import LabellingDesk, Suggest, Switchboard, tokenized
from nbner.types import AnswerKind, Counts, Example, Span, Token

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure
    from spacy.language import Language

    from nbner.data.formats import Export
    from nbner.model.records import TrainingRecord, TrainingResult
    from nbner.model.training import Training
    from nbner.results import Evaluation, Summary, TrainingReport
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
        from nbner.model.pipeline import load_base
        from nbner.model.shelf import Shelf

        checked = None if labels is None else _checked(labels)
        self.annotator = annotator or _login()
        self.seed = seed
        self._base = load_base(model)
        self._store = Store(store)
        self._dataset = self._store.dataset(dataset)
        self._shelf = Shelf(self._dataset, store)
        self._labels_follow_data = checked is None
        self._switchboard = Switchboard()
        self._annotators: WeakSet[Annotator] = WeakSet()
        if checked is not None:
            self._dataset.set_labels(checked)
        self._nlp = self._shelf.newest() or self._base

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
        gold: bool | None = None,  # noqa: FBT001 - named in the contract, and read as a word
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
            Gold speaks of the labels that the session has after the call; where
            several files share one list of labels, name it in ``labels=``.
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

    def export(
        self,
        path: str | Path,
        split: str | None = None,
        *,
        misaligned: Literal["refuse", "leave out"] = "refuse",
    ) -> Export:
        """Write the examples to a file, in the format of its suffix.

        Parameters
        ----------
        path : str or Path
            ``.jsonl`` and ``.csv`` carry every answer; ``.spacy`` and
            ``.conll`` carry accepted gold alone.
        split : str, optional
            By default all.
        misaligned : {"refuse", "leave out"}
            What becomes of gold with a span off the tokens in a format that is
            made of tokens: an error that names it, or a count.

        Returns
        -------
        Export
            ``path``, ``written``, ``left_out`` and ``misaligned``.

        Raises
        ------
        DataError
            The suffix is unknown, the file cannot be written, or the format
            cannot carry a label or a span.
        """
        examples = (self._with_fitting_tokens(one) for one in self._dataset.examples(split))
        return formats.write(examples, path, tokenize=self._tokenize, misaligned=misaligned)

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
        from nbner.model import training

        run = training.train(
            self._base,
            self.examples(split, answer="accept"),
            self.examples(dev, answer="accept"),
            labels=self.labels,
            seed=self.seed if seed is None else seed,
            output=self._shelf.new_folder(),
            max_epochs=max_epochs,
            patience=patience,
        )
        with run:
            if progress:
                self._watch(run)
            else:
                deque(run, maxlen=0)
            result = run.finish()
        return self._use(result)

    def predict(
        self,
        source: Any,
        *,
        batch_size: int | None = None,
        n_process: int = 1,
        progress: bool = False,
    ) -> pd.DataFrame:
        """Let the model label texts, in the same way as it makes suggestions.

        Parameters
        ----------
        source : path, DataFrame, or iterable of str, dict, Doc or Example
        batch_size, n_process : int, optional
            As in ``nlp.pipe``; they do not change what comes out.
        progress : bool
            Show a bar.

        Returns
        -------
        DataFrame
            One row a predicted span: ``example`` (position in the source),
            ``start`` and ``end`` (code points, half-open), ``token_start`` and
            ``token_end`` (half-open), ``text`` and ``label``. A text without
            spans has no row.

        Raises
        ------
        ModelError
            The model has not been trained.
        DataError
            The source cannot be read.
        """
        import pandas as pd

        from nbner.model.prediction import places_of, predict_docs
        from nbner.widgets.live import counted

        # The pipeline reads a batch ahead; tee keeps only what it has read.
        ahead, examples = tee(as_example(row) for row in formats.read(source))
        docs = predict_docs(self._nlp, ahead, batch_size=batch_size, n_process=n_process)
        shown = counted(docs, "predicting") if progress else docs
        rows = [
            (number, entity.start_char, entity.end_char, *place, entity.text, entity.label_)
            for number, (doc, example) in enumerate(zip(shown, examples, strict=True))
            for entity, place in zip(doc.ents, places_of(doc, example), strict=True)
        ]
        return pd.DataFrame(rows, columns=PREDICTION_COLUMNS)

    def evaluate(self, split: str = "dev") -> Evaluation:
        """Measure the model against the accepted examples of a split.

        Returns
        -------
        Evaluation
            ``f``, ``precision``, ``recall`` over exact spans, ``schemes``
            (nervaluate's four), ``frame`` (a row a label) and ``plot()``.

        Raises
        ------
        DataError
            Nothing is accepted in the split.
        ModelError
            The model has not been trained.
        """
        from nbner.analysis.scores import score
        from nbner.model.fingerprints import fingerprint
        from nbner.model.prediction import predict
        from nbner.results import Evaluation

        gold = [one for one in self.examples(split, answer="accept") if not one.binary]
        if not gold:
            raise DataError(
                f"nothing is accepted in split {split!r}, so there is no gold to measure against",
                remedy=f"Add some with session.add(..., split={split!r}), or label there with "
                f"session.manual(split={split!r})",
            )
        measured = score(
            [one.spans for one in gold],
            list(predict(self._nlp, gold)),
            labels=self.labels,
            known=[one.labels for one in gold],
        )
        return Evaluation(measured, split=split, fingerprint=fingerprint(self._nlp))

    # Keeping house.

    def close(self) -> None:
        """Close the database; widgets of this session can save no more."""
        self._store.close()

    def __enter__(self) -> Session:  # noqa: PYI034 - typing.Self is newer than Python 3.10
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def summary(self) -> Summary:
        """How it stands: splits, labels and model; ``summary.frame`` has the counts."""
        from nbner.results import Summary

        return Summary(
            dataset=self.dataset,
            store=self._store.url,
            splits={name: self.counts(name) for name in self._dataset.splits()},
            labels=self.labels,
            model=self._model_name(),
        )

    def __repr__(self) -> str:
        return str(self.summary)

    def _repr_html_(self) -> str:
        return self.summary._repr_html_()

    def _annotator(self, split: str, suggest: Suggest | None) -> Annotator:
        if not self.labels:
            raise DataError(
                "there is no label to give",
                remedy='Name them: Session(..., labels=["PERSON", "ORG"])',
            )
        from nbner.widgets.annotator import Annotator

        desk = LabellingDesk(
            self._dataset,
            split=split,
            annotator=self.annotator,
            key=self._store.key,
            tokenize=self._tokenize,
            suggest=suggest,
            switchboard=self._switchboard,
        )
        widget = Annotator(desk)
        self._annotators.add(widget)
        return widget

    def _suggest(self, examples: Sequence[Example]) -> list[tuple[Span, ...]]:
        """Suggest with the last finished model; before there is one, what came with the data."""
        from nbner.model.pipeline import is_trained
        from nbner.model.prediction import predict

        nlp, known = self._nlp, set(self.labels)
        proposed = (
            predict(nlp, examples) if is_trained(nlp) else (example.spans for example in examples)
        )
        return [tuple(span for span in spans if span.label in known) for spans in proposed]

    def _has_suggestions(self, split: str) -> bool:
        return any(one.spans for one in self._dataset.examples(split) if one.answer is None)

    def _tokenize(self, text: str) -> tuple[Token, ...]:
        from nbner.model.pipeline import tokenizer_of

        return tokenizer_of(self._nlp)(text)

    def _tokenized(self, example: Example) -> Example:
        return tokenized(example, self._tokenize)

    def _with_fitting_tokens(self, example: Example) -> Example:
        """Tokenize an example for a file, unless a span contradicts the tokens.

        A file whose spans are off its own tokens is one that nobody can read.
        """
        cut = self._tokenized(example)
        return example if align(cut.tokens, example.spans).loose else cut

    def _watch(self, run: Training) -> None:
        from nbner.plots import new_figure, training_curve
        from nbner.results import curve_frame
        from nbner.widgets.live import watch

        def draw(steps: Sequence[TrainingRecord]) -> Figure:
            figure = new_figure()
            training_curve(curve_frame(steps), ax=figure.subplots())
            return figure

        watch(
            run,
            epoch_words=sum(len(example.tokens) for example in run.corpus.train),
            most_epochs=run.config["training"]["max_epochs"],
            draw=draw,
        )

    def _use(self, result: TrainingResult) -> TrainingReport:
        from nbner.results import TrainingReport

        self._shelf.keep(result)
        self._nlp = result.nlp
        for annotator in list(self._annotators):
            annotator.refresh()
        return TrainingReport.of(result)

    def _model_name(self) -> str:
        from nbner.model.fingerprints import fingerprint
        from nbner.model.pipeline import is_trained

        if not is_trained(self._nlp):
            return "not trained yet: session.train()"
        return f"{self._nlp.lang} pipeline {fingerprint(self._nlp)}, trained"


def _checked(labels: Sequence[str]) -> tuple[str, ...]:
    """Take a list of labels, or say what is wrong with it."""
    if isinstance(labels, str):
        raise DataError(
            f"labels= takes a list, not the text {labels!r}", remedy=f"labels=[{labels!r}]"
        )
    checked = tuple(labels)
    bad = [one for one in checked if not isinstance(one, str) or not one.strip()]
    if bad:
        raise DataError(f"{bad[0]!r} is not the name of a label", field="labels")
    twice = sorted({one for one in checked if checked.count(one) > 1})
    if twice:
        raise DataError(f"the label {twice[0]!r} is given twice", field="labels")
    return checked


def _login() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        # A container may run under a number that has no name.
        return "annotator"
