"""The public object `Session`: one dataset with its labels, model and store."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

from nbner._common.guidelines import Guidelines
from nbner._common.surroundings import ContextColumns, read_context_columns
from nbner.active_learning.strategies import Strategy
from nbner.decoding.parse_lists import ParseLists, Parses
from nbner.errors import DataError, ModelError
from nbner.evaluation.regressions import MAX_F_LOSS
from nbner.io import formats
from nbner.io.import_report import ImportReport
from nbner.io.importer import ImportMisaligned, prepare_rows
from nbner.io.row_errors import OnError, RowErrors
from nbner.nlp.pipeline import (
    is_trained,
)
from nbner.queues.labelling import Suggester
from nbner.reranking.oracle import study
from nbner.reranking.oracle.curve import oracle_curve, oracle_curve_of_answers
from nbner.session import (
    annotation,
    corpus,
    evaluation,
    learning,
    prediction,
    set_review,
    suggestions,
    training,
)
from nbner.session.arguments import check_session_methods
from nbner.session.confident import find_confident_suggestions
from nbner.session.context import SessionContext, public_names
from nbner.session.evaluation import find_errors, open_explorer
from nbner.session.experiments import ExperimentsAccessor
from nbner.session.labels import (
    LabelSet,
)
from nbner.session.learnt_texts import warn_of_learnt_texts
from nbner.session.model import ModelAccessor
from nbner.session.opening import open_context
from nbner.session.quality import QualityAccessor
from nbner.session.store import StoreAccessor, answer_frame
from nbner.session.summary import Summary, describe_model
from nbner.store.assignments import Overlap
from nbner.training.overrides import read_overrides
from nbner.types import AnswerKind, Counts, Example, Span

if TYPE_CHECKING:
    import dask.dataframe as dd
    import pandas as pd
    from distributed import Client
    from spacy.language import Language

    from nbner.corpus.drift import CorpusDrift
    from nbner.corpus.estimate import CorpusEstimate
    from nbner.corpus.report import CorpusReport
    from nbner.decoding.api import Decoder
    from nbner.evaluation.comparison import ModelComparison
    from nbner.evaluation.report import Evaluation
    from nbner.io.formats import ExportReport
    from nbner.io.options import FormatName, TextUnit
    from nbner.nlp.patterns import PatternSource
    from nbner.quality.confident_suggestions import ConfidentSuggestions
    from nbner.reranking.oracle.report import OracleCurve
    from nbner.session.suggestions import Suggest
    from nbner.teaching.trace.trace_viewer import GoldSpans, TraceViewer
    from nbner.training.background import BackgroundTraining
    from nbner.training.candidates import Learner
    from nbner.training.initialization import InitStrategy
    from nbner.training.overrides import ConfigSource
    from nbner.training.report import TrainingReport
    from nbner.training.setup import Augmentation
    from nbner.widgets.annotator import Annotator
    from nbner.widgets.error_explorer import ErrorExplorer


@check_session_methods
class Session:
    """Label, train, correct, predict and evaluate one dataset.

    Everything is kept in the store: a new session with the same store and
    dataset continues with the same data and the last trained model.

    Parameters
    ----------
    dataset : str
        A name inside the store.
    labels : sequence of str or mapping, optional
        Entity types in the order of their keys, or each with its definition,
        which the widget shows beside it: ``{"Dish": "A prepared thing one can
        order"}``. By default those that the
        dataset has, and new ones as the data brings them; while there are none,
        those of a trained ``model``. A label of the dataset that is left out is
        hidden in this session, with a warning, and stays in the store.
    model : str, Path or Language
        "blank:en" (any spaCy language code), a packaged pipeline, a folder, or
        a pipeline in memory, which is copied.
    store : str or Path
        A SQLite file, created if it does not exist; ":memory:"; or a database
        URL.
    annotator : str, optional
        Name under which answers are stored. By default the login name.
    seed : int
        For everything random.
    colors : mapping, optional
        Label to ``#rrggbb``, in widgets, plots and reports. The other labels
        get theirs by their order.
    guidelines : str or Path, optional
        The annotation guideline: Markdown, or the path of a ``.md`` or ``.txt``
        file. The key ``i`` shows it in the widget. It stays in the store, every
        answer knows the version it was given under, and
        ``session.quality.outdated_answers()`` lists those under an older one.
        An empty text takes it away.
    keys : mapping, optional
        Act or label to a key of one's own in the widget: ``{"accept": "enter",
        "Dish": "d"}``; None is no key. They are kept in the store for this
        annotator and dataset, in place of all that were chosen before; ``{}``
        brings the built-in keys back. An act: "accept", "reject", "ignore",
        "take_back", "flag", "note", "back", "next", "first_open", "list",
        "version", "difference", "previous_difference", "label_active",
        "remove", "label_everywhere", "unlabel_everywhere", "confidence",
        "accept_confident", "alternative", "guideline", "edit_labels", "filter",
        "done", "next_unsure", "search", "smaller", "larger", "width", "undo",
        "redo", "save" and "help".
    recognizer : str, optional
        Of a pipeline with several entity recognizers, the name of the one that
        is trained; the others stay as they are. By default the one chosen when
        the last model was trained, or the first, with a warning. Predictions
        are those of the whole pipeline.

    Raises
    ------
    StoreError
        The store is not one, is newer than this version, or cannot be opened.
    ModelError
        The model cannot be loaded or copied, or has no such recognizer.
    DataError
        A label is empty or given twice, a color is not one, the annotator's
        name is no text, a guideline or definition cannot be read, or a key is
        unknown, reserved by browser or JupyterLab, or taken.

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
        labels: Sequence[str] | Mapping[str, str | None] | None = None,
        model: str | Path | Language = "blank:en",
        store: str | Path = "nbner.db",
        annotator: str | None = None,
        seed: int = 0,
        recognizer: str | None = None,
        colors: Mapping[str, str] | None = None,
        guidelines: str | Path | None = None,
        keys: Mapping[str, str | None] | None = None,
    ) -> None:
        self._context = open_context(
            dataset,
            labels=labels,
            model=model,
            store=store,
            annotator=annotator,
            seed=seed,
            recognizer=recognizer,
            colors=colors,
            guidelines=guidelines,
            keys=keys,
        )
        self._model = ModelAccessor(self._context)
        self._quality = QualityAccessor(self._context)
        self._experiments = ExperimentsAccessor(self._context)
        self._store = StoreAccessor(self._context)

    def __enter__(self) -> Session:  # noqa: PYI034 - typing.Self is newer than Python 3.10
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __dir__(self) -> list[str]:
        return public_names(type(self), without=frozenset({"context"}))

    def __repr__(self) -> str:
        return str(self.summary)

    def _repr_html_(self) -> str:
        return self.summary._repr_html_()

    def close(self) -> None:
        """Close the database, and end learning; widgets of this session can save no more."""
        if self._context.end_learning is not None:
            self._context.end_learning()
        self._context.store.close()

    # State.

    @property
    def context(self) -> SessionContext:
        """The state behind the session, for functions that extend it; not part of its API."""
        return self._context

    @property
    def model(self) -> ModelAccessor:
        """Probabilities, calibration, reranking and the saved runs of the model in use."""
        return self._model

    @property
    def quality(self) -> QualityAccessor:
        """Label issues, consistency, agreement, tokenization, data warnings and progress."""
        return self._quality

    @property
    def experiments(self) -> ExperimentsAccessor:
        """Learning curves, comparisons of training, and checks of reproducibility."""
        return self._experiments

    @property
    def store(self) -> StoreAccessor:
        """The history of answers, snapshots, backups and integrity checks."""
        return self._store

    @property
    def dataset(self) -> str:
        """The dataset's name."""
        return self._context.dataset.name

    @property
    def labels(self) -> LabelSet:
        """The entity types, in the order of their keys; ``define`` gives them definitions."""
        return LabelSet(self._context)

    @property
    def guidelines(self) -> Guidelines:
        """The annotation guideline: ``text``, ``definitions`` and ``version``."""
        return self._context.answer_bus.guidelines

    @property
    def nlp(self) -> Language:
        """The spaCy pipeline in use: the last one trained, or the one given."""
        return self._context.nlp

    @property
    def annotator(self) -> str:
        """Name under which answers are stored."""
        return self._context.annotator

    @property
    def seed(self) -> int:
        """Seed of everything random."""
        return self._context.seed

    @property
    def summary(self) -> Summary:
        """The splits, labels and model; ``summary.frame`` has the counts."""
        context = self._context
        return Summary(
            dataset=self.dataset,
            store=context.store.url,
            splits={name: self.counts(name) for name in context.dataset.splits()},
            labels=self.labels,
            model=describe_model(context.nlp),
            notices=(*context.model_store.notices, *context.former_label_notices()),
            colors=context.colors,
        )

    # Data.

    def add(
        self,
        source: Any,
        split: str = "train",
        gold: bool | None = None,  # noqa: FBT001 - named in the contract, and read as a word
        *,
        misaligned: ImportMisaligned = "keep",
        by: TextUnit | None = None,
        format: FormatName | None = None,  # noqa: A002 - the usual word
        tag_names: Sequence[str] | None = None,
        spans_key: str | None = None,
        tag_column: int | str | None = None,
        text: str | None = None,
        encoding: str | None = None,
        on_error: OnError = "refuse",
        only: Literal["unsure"] | None = None,
        n: int | None = None,
        storage_options: Mapping[str, Any] | None = None,
    ) -> ImportReport:
        """Add texts, with whatever is known of them; all or nothing.

        A value that looks like spans is read as spans, whatever its key, or
        stops the source with an error that names it.

        A row with an ``answer`` is an answer. CoNLL, DocBin, brat and token
        rows are gold by nature and become accepted answers of annotator
        "import". Other rows with spans and no answer hold suggestions. Of
        spans that overlap, the longest is kept, then the earliest.

        Parameters
        ----------
        source : path, DataFrame, or iterable of str, dict, Doc or Example
            A file's format is found by its suffix, then by its content; a
            folder holds documents of brat, plain texts, or Parquet files, such
            as a target of `label_corpus` with one row a text.
        split : str
            The split to add to.
        gold : bool, optional
            Take spans as gold, or as suggestions, whatever the format says.
            Gold speaks of the labels that the session has after the call; where
            several files share one list of labels, name it in ``labels=``.
        misaligned : {"keep", "expand", "contract", "trim", "refuse"}
            Treatment of a span that the tokens cannot express: kept as
            characters and shown below the text, moved out to the ends of the
            tokens that it touches, moved in to those that lie in it as a whole,
            or refused with its row. "trim" takes whitespace off the ends of
            every span, since spaCy cannot learn a span that begins or ends with
            a token of whitespace, such as a line end, and keeps the rest as
            characters; the other choices leave such tokens in the span. Either
            way it is counted and listed.
        by : {"line", "paragraph", "file"}, optional
            Unit of one text in a file of plain text: by default a line, in a
            folder a file.
        format : str, optional
            Read a file in this format, whatever its suffix: "prodigy", "conll",
            "spacy", "brat", "label_studio", "table", "parquet", "arrow",
            "huggingface", "text".
        tag_names : sequence of str, optional
            The tags that numbers stand for in token rows, in their order.
        spans_key : str, optional
            Key of the spans, where a row has several or keeps them under a path
            such as "result.entities"; for Docs a key of ``doc.spans``. "spans"
            reads no other key.
        tag_column : int or str, optional
            Column of the entity tags where several columns hold tags: counted
            from 1, or by its name.
        text : str, optional
            Key or column of the texts, in place of "text"; "fields.text" is a
            key inside of another one.
        encoding : str, optional
            Encoding of text files, such as "cp1252" or "utf-16"; UTF-8 by
            default.
        on_error : {"refuse", "skip"}
            Treatment of rows that cannot be read or stored, such as one without
            a text: the first refuses the whole source, or each is left out,
            counted and listed. A source that cannot be read at all is refused
            either way.
        only : {"unsure"}, optional
            Of a target of `label_corpus`, a path or URL, that was labelled with
            a minimum: draw texts of which the model was not sure and that the
            dataset does not have, the more likely the more errors it expects
            there.
        n : int, optional
            Number of texts to draw; 500 by default.
        storage_options : mapping, optional
            With ``only=``: options of fsspec's file systems, such as
            credentials, as `label_corpus` takes them.

        Returns
        -------
        ImportReport
            ``added``, ``duplicate``, ``replaced``, ``renamed``, ``misaligned``,
            ``whitespace``, ``overlapping``, ``discontinuous``, ``refused``, ``unread``,
            ``skipped`` and ``frame``, which names file, line and reason;
            ``skipped_rows`` also the field.

        Raises
        ------
        DataError
            With file, line, field and remedy; the store is as it was.
        """
        context = self._context
        n_known = 0
        if only is not None:
            drawn = corpus.unsure_examples(
                context, source, 500 if n is None else n, storage_options=storage_options
            )
            source, n_known = drawn.examples, drawn.n_known
        elif n is not None:
            raise DataError(
                "a number of texts goes with a draw",
                field="n",
                remedy='Use only="unsure" with it, or give fewer texts',
            )
        elif storage_options is not None:
            raise DataError(
                "options of a file system go with a draw from a target of label_corpus",
                field="storage_options",
                remedy='Use only="unsure" with it, or copy the source to this machine first',
            )
        row_errors = RowErrors(on_error)
        renamed = context.dataset.renamed_labels
        batch = prepare_rows(
            formats.read(
                source,
                by=by,
                format=format,
                tag_names=tag_names,
                spans_key=spans_key,
                tag_column=tag_column,
                text=text,
                encoding=encoding,
                labels=(*self.labels, *renamed),
                row_errors=row_errors,
            ),
            tokenize=context.tokenize,
            labels=None if context.labels_follow_data else self.labels,
            renamed=renamed,
            split=split,
            gold=gold,
            misaligned=misaligned,
            row_errors=row_errors,
        )
        report = context.dataset.add(batch)
        if batch.labels:
            context.update_labels()
        return replace(report, duplicate=report.duplicate + n_known)

    def export(
        self,
        path: str | Path,
        split: str | None = None,
        *,
        misaligned: Literal["refuse", "leave_out"] = "refuse",
        format: FormatName | None = None,  # noqa: A002 - the usual word
    ) -> ExportReport:
        """Write the examples to a file, in the format of its suffix.

        Parameters
        ----------
        path : str or Path
            ``.jsonl`` (Prodigy), ``.json`` (Label Studio), ``.csv``, ``.tsv``,
            ``.parquet`` and ``.arrow`` carry answers of every kind, the one to each
            example that counts; ``.spacy``, ``.conll`` and ``.ann`` (brat) carry
            accepted gold alone. A path without a suffix is a
            folder of brat's documents. ``.gz`` behind another suffix compresses.
            In ``.csv`` and ``.tsv`` a cell that a spreadsheet would run as a
            formula gets an apostrophe, which reading takes off again.
        split : str, optional
            By default all.
        misaligned : {"refuse", "leave_out"}
            Treatment of gold with a span off the tokens in a format that is
            made of tokens: an error that names it, or a count.
        format : str, optional
            Write in this format, whatever the suffix: "huggingface" writes
            token rows, one a line.

        Returns
        -------
        ExportReport
            ``path``, ``written``, ``left_out``, ``misaligned``, ``accepted_unseen``
            and ``other_answers``.

        Raises
        ------
        DataError
            There is no such split, the suffix is unknown, the file cannot be
            written, or the format cannot carry a label or a span.
        """
        self._context.require_split(split)
        report = formats.write(
            self._context.dataset.examples(split),
            path,
            tokenize=self._context.tokenize,
            misaligned=misaligned,
            format=format,
        )
        return replace(report, other_answers=self._context.dataset.count_other_answers(split))

    def examples(
        self, split: str | None = None, *, answer: AnswerKind | None = None
    ) -> list[Example]:
        """Return the examples with their tokens and spans, in the order of addition.

        Parameters
        ----------
        split : str, optional
            By default all.
        answer : {"accept", "reject", "ignore"}, optional
            Only those with this current answer.
        """
        self._context.require_split(split)
        return self._context.examples(split, answer=answer)

    def answers(self, split: str | None = None, *, annotator: str | None = None) -> pd.DataFrame:
        """Return the current answers, one row an example and annotator.

        Parameters
        ----------
        split : str, optional
            By default all.
        annotator : str, optional
            By default all.

        Returns
        -------
        DataFrame
            ``input_hash``, ``split``, ``annotator``, ``answer``, ``text``,
            ``spans`` (a list of ``(start, end, label)`` in code points),
            ``flagged``, ``note`` and ``created`` (UTC).
        """
        self._context.require_split(split)
        dataset = self._context.dataset
        with dataset.one_state():
            texts = {(one.split, one.input_hash): one.text for one in dataset.examples(split)}
            found = list(dataset.answers(split, annotator))
        return answer_frame(found, texts)

    def counts(self, split: str | None = None) -> Counts:
        """Count examples by their current answer.

        Parameters
        ----------
        split : str, optional
            By default all.
        """
        self._context.require_split(split)
        return self._context.dataset.counts(split)

    def add_labels(self, labels: Iterable[str]) -> tuple[str, ...]:
        """Add entity types; a trained model's output layer is resized for them.

        The model predicts as before until it is trained again. Examples that
        were answered before count as *missing* for the new labels, not as
        without them. Open widgets offer the labels at once.

        Parameters
        ----------
        labels : iterable of str
            Those that the session has already are passed over.

        Returns
        -------
        tuple of str
            All labels, in the order of their keys.

        Raises
        ------
        DataError
            A label is empty, or this is a text and not a list.
        """
        new = training.checked_new_labels(labels, self.labels)
        if new:
            training.add_labels(self._context, new)
        return self.labels

    # Annotation.

    def manual(
        self,
        split: str = "train",
        *,
        patterns: PatternSource | None = None,
        overlap: Overlap | None = None,
        context: ContextColumns | None = None,
        daily_target: int | None = None,
    ) -> Annotator:
        """Open the annotation widget at the first open example, empty or with patterns' spans.

        Parameters
        ----------
        split : str
            The split to annotate.
        patterns : str, Path or iterable of mappings, optional
            A pattern file in Prodigy's format, or its lines. Their matches are
            suggested; where two matches overlap, the longer one is marked and
            the other one listed below the text.
        overlap : int or "all", optional
            Number of annotators who decide each example of the split; it is
            kept in the store and holds for everybody. By default 1: an example
            that one annotator has open is offered to no other until half an
            hour has passed without activity. With more, annotators do not see
            each other's answers.
        context : str or (str, str), optional
            Columns of the metadata with the text around each example, which is
            shown before and after it: one with the whole passage, or two.
        daily_target : int, optional
            How many examples you want to decide today; the widget counts them
            and says when the target is reached.

        Raises
        ------
        DataError
            The session has no labels, a line of the file is not a pattern, the
            target is below 1, or ``context`` names no columns.
        """
        columns = read_context_columns(context)
        spans = suggestions.pattern_suggester(self._context, patterns, model=False)
        advised_by = None if spans is None else Suggester(spans)
        return annotation.open_annotator(
            self._context,
            split,
            "manual",
            advised_by,
            overlap=overlap,
            columns=columns,
            daily_target=daily_target,
        )

    def make_gold(
        self,
        split: str = "train",
        *,
        patterns: PatternSource | None = None,
        suggest: Suggest | None = None,
        batch_size: int = suggestions.BATCH_SIZE,
        timeout: float | None = suggestions.TIMEOUT,
        redecode: bool = True,
        alternatives: float | None = suggestions.ALTERNATIVES,
        overlap: Overlap | None = None,
        strategy: Strategy = "given",
        holdout: float | None = None,
        withhold: float = 0.0,
        corrupt: float = 0.0,
        learn: bool = False,
        every: int = learning.EVERY,
        context: ContextColumns | None = None,
        daily_target: int | None = None,
        review: Literal["set"] | None = None,
        alpha: float = set_review.ALPHA,
        large_sets: Literal["first", "last"] = set_review.LARGE_SETS,
    ) -> Annotator:
        """Open the annotation widget with the model's suggestions, to be corrected.

        Until a model has been trained, the suggestions that came with the data
        are shown. Each of the model's has its confidence as ``score``: its
        exact probability, calibrated once ``session.model.calibrate()`` has
        run. Every accepted answer keeps the rank of its spans among the model's
        64 best analyses, for ``session.oracle_curve(source="answers")``.

        Parameters
        ----------
        split : str
            The split to annotate.
        patterns : str, Path or iterable of mappings, optional
            A pattern file in Prodigy's format, or its lines: their matches are
            suggested beside the model's spans, each with its source.
        suggest : str or callable, or a sequence of these, optional
            A function from examples to suggestions for each, such as a
            gazetteer, another model or a language model, or its name in
            `nbner.registry.suggesters`. A suggestion is ``(start, end, label)``,
            ``(words, label)``, or a mapping with ``label``, and with ``start``
            and ``end``, or ``text``; ``score`` where it is known. Words are
            suggested wherever they are in the text. `annotator.suggestion_report`
            lists what could not be placed, and the text has it below. Model and
            patterns suggest beside the function. A sequence names all sources:
            ``[function, "model"]`` is the same as the function, and
            ``[function]`` leaves the model out. A span of several sources names
            all of them; of spans that overlap, the longest is marked, then the
            earliest, then that of the first source (patterns come right after
            the model), and the others are listed below the text.
        batch_size : int
            Examples that the function is given at a time, at most.
        timeout : float, optional
            Seconds that an example waits for the functions. It is then shown
            without their suggestions, which come when they are there; a
            function runs in a thread of its own. None: it is called where an
            example is needed, and may take as long as it likes. An error of a
            function is shown in the cell, and labelling goes on.
        redecode : bool
            After every edit of a span, have the model re-decode the rest of the
            text with that edit, and the suggestions of functions and patterns,
            fixed.
        alternatives : float, optional
            Least probability of other spans of the model, which are listed below
            the text, at most six, the likeliest first: the key t or a click puts
            one in place. No figure counts them as suggestions. None offers none;
            neither does an audit or ``review="set"``.
        overlap : int or "all", optional
            As for `manual`.
        strategy : str or callable
            The query strategy: a name in `nbner.registry.query_strategies`, or
            a function from examples to their positions. Built in are "given":
            in the order of addition; "random"; "uncertainty": the highest
            entropy over the exact analyses first; "diversity": the example
            least similar to all that is labelled; "new_words": the example with
            the most words that are new, by how many open examples have them, for
            its length; and "disagreement": the example on which the last two
            models disagree most. Examples that are chosen together are
            dissimilar, and a new model makes a new order.
        holdout : float, optional
            Fraction of examples that are sampled at random and held out:
            training does not learn from them, and evaluates on them. By default
            a tenth where the strategy chooses, since the chosen ones are not
            like the rest.
        withhold, corrupt : float
            For an anchoring audit: fractions of the suggestions that are not
            shown, and that are shown with a wrong label or a wrong end. Every
            answer keeps the changes, and ``session.quality.anchoring`` reports
            how often annotators followed them. Other analyses are not offered
            meanwhile.
        learn : bool
            Train a fast model behind the widget while you label, in another
            process: from five accepted answers on, and again after ``every``
            further ones. Its suggestions begin with the next example that was
            not shown yet, each names the model that made it, and the order
            follows it; labelling waits for nothing, and an example that was
            shown keeps its suggestions. The newest model is the one in use
            (``session.nlp``), also in the next session. Where the session has a
            trained model already, that one goes on suggesting; the learner is
            measured beside it on the same answers, and the widget offers to
            change over once it does better. ``annotator.learning`` has the
            state, the figures of the suggestions, ``stop()``, ``start()`` and
            ``use()``. Before the first model: patterns, functions, or nothing;
            a strategy that needs a model takes examples at random.
        every : int
            Answers between two trainings with ``learn=True``.
        context : str or (str, str), optional
            Columns of the metadata with the text around each example, which is
            shown before and after it: one with the whole passage, or two.
        daily_target : int, optional
            How many examples you want to decide today; the widget counts them
            and says when the target is reached.
        review : {"set"}, optional
            Show for every text the set of whole analyses that holds gold in
            1 - alpha of the texts, as ``session.experiments.coverage`` calibrates
            it on held-out gold that was drawn at random. A set of 2 to 9 is a
            choice, each analysis with a key from 1 to 9, and what differs between
            them is marked; texts whose set is one analysis come last, and
            ``annotator.sets`` lists them with the expected number of wrong ones:
            ``annotator.sets.accept()`` accepts them unseen, as one act that can
            be undone. Larger sets, and those whose list ends before the level is
            reached, are labelled as usual. Once another model is in use the sets
            are out of date, and the widget says so.
        alpha : float
            Risk of ``review="set"``, between 0 and 1, over all texts together.
        large_sets : {"first", "last"}
            Whether ``review="set"`` shows texts with a larger or incomplete set
            before or after those with a choice.

        Raises
        ------
        ModelError
            There is no trained model, no pattern, and no suggestion came with
            the data; or the order needs a model and there is none.
        DataError
            A line of the file is not a pattern, there is no such suggester or
            strategy, a limit is not positive, a fraction is not between 0 and
            1, the target is below 1, or an option contradicts another or names
            no columns; or, of a review of sets, there is too little held-out gold
            for the level, none of it has the model's labels, or no list reaches
            the level.
        """
        columns = read_context_columns(context)
        own = self._context
        own.require_split(split)
        set_review.check_review_options(
            review,
            alpha,
            large_sets,
            patterns=patterns is not None,
            suggest=suggest is not None,
            strategy=strategy != "given",
            withhold=bool(withhold),
            corrupt=bool(corrupt),
            learn=learn,
            alternatives=alternatives not in (None, suggestions.ALTERNATIVES),
        )
        order = suggestions.suggestion_order(suggest)
        if learn:
            is_audit = bool(withhold or corrupt)
            learning.check_learning(split, every, has_model=order.model, is_audit=is_audit)
        if (
            not learn
            and patterns is None
            and not order.functions
            and not is_trained(own.nlp)
            and not _has_suggestions(own, split)
        ):
            raise ModelError(
                "there is nothing to suggest yet: the model is not trained. Label some examples "
                "with session.manual() and call session.train(), give a trained pipeline: "
                "Session(..., model=...), or patterns: session.make_gold(patterns=...)."
            )
        annotation.check_labels(own)
        if review is not None:
            return set_review.open_set_review(
                own,
                split,
                alpha=alpha,
                large_sets=large_sets,
                holdout=holdout,
                redecode=redecode,
                overlap=overlap,
                columns=columns,
                daily_target=daily_target,
                open_annotator=lambda: self.make_gold(split),
            )
        dataset = suggestions.in_order(own, strategy, holdout, learns=learn)
        running: learning.Learning | None = None
        advised_by = suggestions.adviser(
            own,
            patterns,
            redecodes=redecode,
            order=order,
            batch_size=batch_size,
            timeout=timeout,
            withhold=withhold,
            corrupt=corrupt,
            learns=learn,
            beside=lambda: None if running is None else running.beside(),
            alternatives=alternatives,
        )
        if learn and advised_by.offers is not None:
            running = learning.start_learning(
                own, split, every=every, offers=advised_by.offers, dataset=dataset
            )
        return annotation.open_annotator(
            own,
            split,
            "make_gold",
            advised_by,
            overlap=overlap,
            dataset=dataset,
            learning=running,
            columns=columns,
            daily_target=daily_target,
        )

    def confident_suggestions(
        self,
        split: str = "train",
        *,
        min_probability: float = 0.95,
        include_empty: bool = False,
        progress: bool = True,
    ) -> ConfidentSuggestions:
        """List the open texts whose every suggestion is probable, to accept them as one act.

        The list comes first, the least sure text on top, with the expected
        number of wrong and of missed spans. ``.accept()`` accepts them all,
        ``.accept().undo()`` opens them again. What was accepted so is marked
        (``Example.accepted_unseen``): it is trained on, and neither `evaluate`
        nor any other measurement takes it for gold.

        Parameters
        ----------
        split : str
            The split.
        min_probability : float
            The lowest probability of a suggestion, calibrated once
            ``session.model.calibrate()`` has run.
        include_empty : bool
            Whether texts without a suggestion are listed too.
        progress : bool
            Whether to show a progress bar.

        Returns
        -------
        ConfidentSuggestions
            ``frame`` (one row a text), ``expected_wrong``, ``expected_missed``,
            ``curve`` (what other thresholds would accept), ``plot()``,
            ``accept()``, and ``open()``, which shows the texts one by one.

        Raises
        ------
        ModelError
            The model has not been trained.
        DataError
            The probability is not between 0 and 1, or there is no such split.
        """
        return find_confident_suggestions(
            self._context,
            split,
            min_probability=min_probability,
            include_empty=include_empty,
            progress=progress,
            open_annotator=lambda: self.make_gold(split),
        )

    def review(self, split: str = "train", *, reviewer: str | None = None) -> Annotator:
        """Open the annotation widget where annotators differ, with their versions below the text.

        It starts with the spans on which all agree; a key takes a version as a
        whole, and any span can be changed. The decision is an answer of the
        reviewer and the current one from then on; the others' answers stay.

        Parameters
        ----------
        split : str
            The split to review.
        reviewer : str, optional
            Name under which the decisions are stored. By default the session's
            annotator, followed by "(review)" where they are one of those who
            differ.

        Raises
        ------
        DataError
            The reviewer is one of those whose answers differ, or there is no such split.
        """
        self._context.require_split(split)
        return annotation.open_review(self._context, split, reviewer)

    # The model.

    @overload
    def train(
        self,
        split: str = ...,
        dev: str = ...,
        *,
        learner: Learner = ...,
        init: InitStrategy | None = ...,
        refit: bool = ...,
        augment: Augmentation | None = ...,
        features: Sequence[str] = ...,
        max_epochs: int | None = ...,
        max_steps: int | None = ...,
        patience: int | None = ...,
        dropout: float | None = ...,
        config: ConfigSource | None = ...,
        vectors: str | Path | None = ...,
        init_from: str | Path | None = ...,
        seed: int | None = ...,
        margin: float | None = ...,
        progress: bool = ...,
        gpu_id: int | None = ...,
        background: Literal[False] = ...,
    ) -> TrainingReport: ...

    @overload
    def train(
        self,
        split: str = ...,
        dev: str = ...,
        *,
        learner: Learner = ...,
        init: InitStrategy | None = ...,
        refit: bool = ...,
        augment: Augmentation | None = ...,
        features: Sequence[str] = ...,
        max_epochs: int | None = ...,
        max_steps: int | None = ...,
        patience: int | None = ...,
        dropout: float | None = ...,
        config: ConfigSource | None = ...,
        vectors: str | Path | None = ...,
        init_from: str | Path | None = ...,
        seed: int | None = ...,
        margin: float | None = ...,
        progress: bool = ...,
        gpu_id: int | None = ...,
        background: Literal[True],
    ) -> BackgroundTraining: ...

    def train(
        self,
        split: str = "train",
        dev: str = "dev",
        *,
        learner: Learner = "ner",
        init: InitStrategy | None = None,
        refit: bool = True,
        augment: Augmentation | None = None,
        features: Sequence[str] = (),
        max_epochs: int | None = None,
        max_steps: int | None = None,
        patience: int | None = None,
        dropout: float | None = None,
        config: ConfigSource | None = None,
        vectors: str | Path | None = None,
        init_from: str | Path | None = None,
        seed: int | None = None,
        margin: float | None = MAX_F_LOSS,
        progress: bool = True,
        gpu_id: int | None = None,
        background: bool = False,
    ) -> TrainingReport | BackgroundTraining:
        """Train on the accepted examples of a split, and use the best model from then on.

        Runs spaCy's own training loop on a copy: labelling goes on meanwhile,
        and suggestions come from the last finished model. The notebook's stop
        button ends training with the best model so far.

        Where no dev gold is given, a part of the labels is held out: it chooses
        the number of update steps and gives the F. The model that comes into
        use is then trained on all labels, for that many steps.

        Parameters
        ----------
        split, dev : str
            Where to train and where to evaluate. Without accepted examples in
            ``dev``, a seeded fifth of ``split`` is held out.
        learner : {"ner", "crf", "auto"}
            What is trained. "ner" is spaCy's entity recognizer. "crf" is a
            conditional random field, a component ``nbner_crf``: seconds, and
            often better on few labels. It decides by expected F, with a theta
            that needs no gold: the fixed point over texts of ``split`` without
            an answer; ``session.model.decide("greedy")`` takes that away, and
            the report has it. "auto" trains the CRF, a ``ner`` that
            also learns from the texts of ``split`` without an answer as the CRF
            labels them (800 at most), and ``ner``; it takes the one with the
            best F, and a ``ner`` before the CRF where staying with the ``ner``
            costs .005 of F at most in expectation (the mean loss over bootstrap
            draws of the held-out examples). It takes two to four times as long
            as "ner".
        init : {"scratch", "continue", "freeze", "rehearsal"}, optional
            By default training starts from the pipeline that the session was
            given. "scratch" resets that one's recognizer. "continue" goes on
            from the model in use; "freeze" does so and freezes all weights
            but those of the recognizer's last layer; "rehearsal" mixes in texts
            without gold, as the model in use labels them. All but "scratch"
            need ``learner="ner"``.
        refit : bool
            Train on all labels in the end. False keeps the model that has not
            seen the held-out part.
        augment : {"swap", "none"}, optional
            "swap": train on two copies of each sentence too, with their
            mentions exchanged within a type; ``spacy train`` with the saved
            config does so where nbner is installed. By default "swap" for the
            CRF, which gains from it, and "none" for ``ner``.
        features : sequence of {"tags", "vectors"}
            For the CRF: the tags, and clusters of the word vectors, of the
            pipeline that the session was given.
        max_epochs, max_steps : int, optional
            Passes over the data, and update steps, at most; 0 for no limit. By
            default 30 passes; where these are fewer than 400 steps, 400 steps.
        patience : int, optional
            Evaluations without a gain after which training stops.
        dropout : float, optional
            Between 0 and 1, 1 excluded.
        config : mapping, str or Path, optional
            Overrides of the run's spaCy config: dotted keys, such as
            ``{"training.optimizer.learn_rate": 0.002}``, sections, or the path
            of a ``.cfg`` file. The other arguments go before them. The saved
            ``config.cfg`` has them, so that ``spacy train`` arrives at the same
            weights.
        vectors : str or Path, optional
            A pipeline, as a package or a folder, whose word vectors a new
            recognizer uses.
        init_from : str or Path, optional
            A trained pipeline, as a package or a folder, whose token-to-vector
            layers a new recognizer starts from: those of its recognizer, or of
            its component "tok2vec". It learns other labels from there; all
            weights go on being trained.
        seed : int, optional
            By default the session's.
        margin : float, optional
            The forgetting guard: a model that loses more F than this on a
            label (of at least 10 gold spans in that label's regression set,
            which is frozen at its first training) does not replace the one in
            use. Where training starts from a trained pipeline, its other labels
            are guarded too: of a label that the gold does not hold, no more
            than twice this share of the spans may be lost that the model in use
            finds in the texts of both splits (in 1,000 of them at most). None
            accepts every model.
        progress : bool
            Show warnings about the data, a bar and the curve.
        gpu_id : int, optional
            Number of the GPU to train on, or -1 for the CPU. By default what
            the notebook computes on: a GPU after ``spacy.prefer_gpu()``. The
            saved config is the same; for ``spacy train`` it is ``--gpu-id``.
        background : bool
            Train in another process and return at once. Labelling goes on, and
            suggestions change over when it is done and only then.

        Returns
        -------
        TrainingReport or BackgroundTraining
            With ``f``, ``frame``, ``plot()``, and ``path``: the folder with
            the model, its ``config.cfg`` and the data for ``spacy train`` (a
            folder beside it has those of the run with a held-out part);
            ``data_warnings``, ``span_changes``, ``retention`` and ``in_use``.

        Raises
        ------
        TrainingError
            Nothing has been accepted, no accepted example holds an entity, or
            there is no such GPU, an override is unknown or does not fit, or
            options exclude each other, which are named.
        DataError
            There is no such split.
        """
        self._context.require_split(split)
        seed = self.seed if seed is None else seed
        options = {
            "max_epochs": max_epochs,
            "max_steps": max_steps,
            "patience": patience,
            "dropout": dropout,
            "config": read_overrides(config),
            "vectors": None if vectors is None else str(vectors),
            "init_from": None if init_from is None else str(init_from),
            "gpu_id": gpu_id,
            "learner": learner,
            "refit": refit,
            "augment": augment,
            "features": tuple(features),
        }
        if background:
            return training.start_background_run(
                self._context, init, split, dev, seed=seed, margin=margin, **options
            )
        return training.train_now(
            self._context,
            init,
            split,
            dev,
            seed=seed,
            margin=margin,
            progress=progress,
            **options,
        )

    def predict(
        self,
        source: Any,
        *,
        probabilities: bool = False,
        batch_size: int | None = None,
        n_process: int = 1,
        progress: bool = False,
    ) -> pd.DataFrame | dd.DataFrame:
        """Label texts with the model in use, in the same way as it makes suggestions.

        Parameters
        ----------
        source : path, DataFrame, or iterable of str, dict, Doc or Example
            Or a Dask DataFrame with a column ``text``: it is labelled lazily,
            on whatever cluster it lives (``pip install nbner[distributed]``).
        probabilities : bool
            Add each span's exact probability, calibrated once
            ``session.model.calibrate()`` has run. It takes another pass over
            the texts, and changes nothing else.
        batch_size, n_process : int, optional
            As in ``nlp.pipe``; they do not change the result.
        progress : bool
            Show a bar.

        Returns
        -------
        DataFrame
            One row a predicted span: ``example`` (position in the source),
            ``start`` and ``end`` (code points, half-open), ``token_start`` and
            ``token_end`` (half-open), ``text`` and ``label``, and
            ``probability`` where it was requested: 0 for a span of more than
            64 tokens. A text without spans has no row.
            For a Dask DataFrame one of Dask, in which ``example`` is the row's
            label in the index, and without probabilities.

        Raises
        ------
        ModelError
            The model has not been trained, or a worker process has died.
        DataError
            The source cannot be read.
        """
        return prediction.predict(
            self._context,
            source,
            probabilities=probabilities,
            batch_size=batch_size,
            n_process=n_process,
            progress=progress,
        )

    def label_corpus(
        self,
        source: str | Path,
        target: str | Path,
        *,
        client: Client | None = None,
        text: str = "text",
        keep: Sequence[str] = (),
        shape: Literal["spans", "texts"] = "spans",
        min_probability: float | None = None,
        probabilities: bool = False,
        batch_size: int | None = None,
        n_process: int = -1,
        resume: bool = True,
        storage_options: Mapping[str, Any] | None = None,
        progress: bool = True,
    ) -> CorpusReport:
        """Label files of texts into a folder of Parquet files, on a Dask cluster or here.

        A partition, a file as a rule, is the unit of work, and its rows are read
        in pieces: memory does not grow with the corpus. The stop button leaves a
        target that the same call completes; so does anything else that stops the
        work. Rows without a text, and texts that the model cannot take, are set
        aside with the reason. Equal texts of a partition are predicted once.

        Parameters
        ----------
        source : str or Path
            A folder of Parquet, CSV, TSV or JSONL files (the last three may be
            compressed, ``.gz``), one file, or a pattern; local, or any URL that
            fsspec opens. Names that begin with "_" or "." are passed over.
        target : str or Path
            A folder, new, empty, or labelled in part by the same call. Its files
            are named like those of the source.
        client : distributed.Client, optional
            The cluster; every worker needs nbner. By default processes of this
            machine, for the time of the call.
        text : str
            Column, or key, of the texts.
        keep : sequence of str
            Columns to copy into the target, such as an id.
        shape : {"spans", "texts"}
            One row a span, or one row a text with a list of spans, which
            ``session.add`` and every reader of an export takes.
        min_probability : float, optional
            Leave out spans with a lower calibrated probability, and keep the
            texts of which the model is not sure for ``add(only="unsure")``.
        probabilities : bool
            Compute the probability of every span, which takes several times as
            long. A minimum asks for it too.
        batch_size : int, optional
            As in ``nlp.pipe``.
        n_process : int
            Processes where there is no client: -1 is one a processor, 1 is this
            process, without Dask.
        resume : bool
            False labels all anew, over what the target holds.
        storage_options : mapping, optional
            Options of fsspec's file systems, such as credentials.
        progress : bool
            Show a bar.

        Returns
        -------
        CorpusReport
            ``frame`` (a row a partition), ``bad_rows``, ``failed``, ``missing``,
            ``expected_precision``, ``summary``.

        Raises
        ------
        DataError
            Before the work: there are no texts, no such column, one of another
            type, or a schema that changes between files; the target lies in the
            source, cannot be written, holds other files, or was begun with
            another model or other settings; a worker has no nbner or another
            version.
        ModelError
            The model has not been trained, or workers cannot load it.
        """
        return corpus.label(
            self._context,
            source,
            target,
            client=client,
            n_process=n_process,
            text=text,
            keep=keep,
            shape=shape,
            batch_size=batch_size,
            probabilities=probabilities,
            min_probability=min_probability,
            resume=resume,
            storage_options=storage_options,
            progress=progress,
        )

    def estimate_corpus(
        self,
        source: str | Path,
        target: str | Path | None = None,
        *,
        sample: int = 1_000,
        text: str = "text",
        keep: Sequence[str] = (),
        shape: Literal["spans", "texts"] = "spans",
        min_probability: float | None = None,
        probabilities: bool = False,
        batch_size: int | None = None,
        storage_options: Mapping[str, Any] | None = None,
    ) -> CorpusEstimate:
        """Estimate what `label_corpus` will cost: a dry run over a sample, in this process.

        Parameters
        ----------
        source : str or Path
            As for `label_corpus`.
        target : str or Path, optional
            Nothing is written to it; what it holds already is not counted, and
            what would stop the run is raised.
        sample : int
            Number of texts to label, from the beginning of up to 8 files.
        text : str
            Column, or key, of the texts.
        keep : sequence of str
            Columns to copy into the target.
        shape : {"spans", "texts"}
            One row a span, or one row a text.
        min_probability : float, optional
            Spans with a lower probability are left out.
        probabilities : bool
            Compute the probability of every span.
        batch_size : int, optional
            As in ``nlp.pipe``.
        storage_options : mapping, optional
            Options of fsspec's file systems.

        Returns
        -------
        CorpusEstimate
            ``texts_per_second`` (of one process), ``core_hours``,
            ``output_bytes``, ``share_without_entities``, ``bad_share``,
            ``expected_precision``, ``summary``.

        Raises
        ------
        DataError, ModelError
            As `label_corpus` before the work.
        """
        return corpus.estimate(
            self._context,
            source,
            target,
            sample=sample,
            text=text,
            keep=keep,
            shape=shape,
            batch_size=batch_size,
            probabilities=probabilities,
            min_probability=min_probability,
            storage_options=storage_options,
        )

    def corpus_drift(
        self, target: str | Path, *, storage_options: Mapping[str, Any] | None = None
    ) -> CorpusDrift:
        """Compare the partitions of a labelled corpus with the training split.

        Nothing is predicted: the counts were made when the partitions were
        labelled, and those of the training split when the target was begun.

        Parameters
        ----------
        target : str or Path
            A target of `label_corpus`, which may still be incomplete.
        storage_options : mapping, optional
            Options of fsspec's file systems, such as credentials.

        Returns
        -------
        CorpusDrift
            ``frame`` (a row a partition: label rates, share of unknown tokens,
            mean probability), ``plot(measure=)``, ``summary``, and
            ``open(partition)``, which brings texts of it into the annotator.

        Raises
        ------
        DataError
            There is no such target.
        """

        def open_texts(texts: Sequence[Example], split: str) -> Annotator:
            self.add(texts, split)
            return self.make_gold(split)

        return corpus.drift(
            self._context, target, storage_options=storage_options, open_texts=open_texts
        )

    def evaluate(
        self,
        split: str = "dev",
        *,
        scorers: Sequence[str | Callable[..., Any]] = (),
        accepted_unseen: bool = False,
    ) -> Evaluation:
        """Evaluate the model in use against the accepted examples of a split.

        Parameters
        ----------
        split : str
            Its accepted examples are the gold.
        scorers : sequence of str or callable
            More scores: names in `nbner.registry.scorers`, or functions from
            gold and predictions to a number.
        accepted_unseen : bool
            Whether texts count as gold that were accepted in bulk with
            `confident_suggestions`: there a model is measured on what a model
            has said.

        Returns
        -------
        Evaluation
            ``f``, ``precision``, ``recall`` over exact spans, ``macro_f``,
            ``scores`` (of ``scorers``),
            ``schemes`` (nervaluate's four), ``frame`` (a row a label),
            ``details`` (all counts, with intervals) and ``plot()``.

        Raises
        ------
        DataError
            Nothing is accepted in the split.
        ModelError
            The model has not been trained.
        """
        return evaluation.evaluate_model(
            self._context, split, scorers=scorers, accepted_unseen=accepted_unseen
        )

    def errors(
        self,
        split: str | Sequence[str] = "dev",
        *,
        train_split: str = "train",
        confidence: bool = True,
        progress: bool = True,
    ) -> ErrorExplorer:
        """Open the error explorer on the model's errors on accepted examples.

        Every number of the confusion matrix, and every bar, opens its
        examples, gold over prediction. There the gold is corrected, or the
        model is judged wrong; the matrix follows, and every change can be
        undone.

        Parameters
        ----------
        split : str or sequence of str
            Its accepted examples are the gold.
        train_split : str
            The split that the model was trained on: a span is "seen" if its
            words have the same label there.
        confidence : bool
            Compute the exact probability of every span that is predicted or
            missed, which takes another pass over the texts.
        progress : bool
            Show a bar. The stop button leaves everything as it was.

        Returns
        -------
        ErrorExplorer
            ``frame`` (a row a finding), ``confusion``, ``attribution()``,
            ``plot()``, ``filter(...)``, ``show(...)``, ``to_html(path)``.

        Raises
        ------
        DataError
            Nothing is accepted in the split.
        ModelError
            The model has not been trained.
        """
        splits = [split] if isinstance(split, str) else list(split)
        if not splits:
            raise DataError("there is no split to look at", remedy='Name one: split="dev"')
        context = self._context
        found = find_errors(
            context, splits, train_split=train_split, confidence=confidence, progress=progress
        )
        explorer = open_explorer(context, found)
        context.explorers.add(explorer)
        return explorer

    def compare(
        self,
        model_a: Language | str | Path | TrainingReport,
        model_b: Language | str | Path | TrainingReport | None = None,
        split: str = "dev",
        *,
        progress: bool = True,
    ) -> ModelComparison:
        """Compare two models on the same gold, with a significance test of the difference.

        Parameters
        ----------
        model_a, model_b : Language, str, Path or TrainingReport
            A pipeline, its folder, or the report of ``session.train``. By
            default ``model_b`` is the model in use.
        split : str
            Its accepted examples are the gold.
        progress : bool
            Show a bar.

        Returns
        -------
        ModelComparison
            ``gain`` with its interval, ``p_value``, ``summary``, ``frame``,
            ``per_label``, ``plot()``, and ``span_changes``, which
            ``span_changes.open()`` opens in the error explorer.

        Raises
        ------
        DataError
            Nothing is accepted in the split.
        ModelError
            A model cannot be loaded or is not trained, or both are the same.
        """
        return evaluation.compare_models(self._context, model_a, model_b, split, progress=progress)

    # Analyses.

    @overload
    def parses(
        self,
        source: str | Example,
        k: int = ...,
        decoder: Decoder = ...,
        *,
        max_span_length: int | Literal["data"] | None = ...,
        forced: Sequence[Span] = ...,
        forbidden: Sequence[Span] = ...,
        progress: bool = ...,
    ) -> Parses: ...

    @overload
    def parses(
        self,
        source: Any,
        k: int = ...,
        decoder: Decoder = ...,
        *,
        max_span_length: int | Literal["data"] | None = ...,
        forced: Sequence[Span] = ...,
        forbidden: Sequence[Span] = ...,
        progress: bool = ...,
    ) -> ParseLists: ...

    def parses(
        self,
        source: Any,
        k: int = 8,
        decoder: Decoder = "exact",
        *,
        max_span_length: int | Literal["data"] | None = None,
        forced: Sequence[Span] = (),
        forbidden: Sequence[Span] = (),
        progress: bool = False,
    ) -> Parses | ParseLists:
        """Return the k best analyses of a text, or of each of several.

        Parameters
        ----------
        source : str, Example, path, DataFrame, or iterable of them
            A single text gives a single list.
        k : int
            Analyses a text at most.
        decoder : {"exact", "exact_raw", "exact_calibrated", "beam"}
            The exact k best, whose probabilities are the model's own; the exact
            k best over raw scores, which are not normalized in each state; the
            exact k best at the temperature of `model.calibrate_lists`; or the
            contents of spaCy's beam of width k over raw scores, whose
            probabilities are fractions of the beam.
        max_span_length : int or "data", optional
            Tokens of the longest entity that the exact search considers;
            "data" takes it from the accepted examples. By default any length.
        forced, forbidden : sequence of Span
            Spans that every analysis of the text holds, and that none holds;
            for one text and the exact decoder. Probabilities are conditional
            on these.
        progress : bool
            Show a bar.

        Returns
        -------
        Parses, or ParseLists for several texts
            Lists of `Parse`, best first, fewer than k where a text has no more. They show
            the spans marked in the text, and have ``frame``, ``summary`` and ``to_html``.

        Raises
        ------
        DataError
            k is below 1 or above 100,000, a text is empty, there is no such decoder, or the
            forced and forbidden spans contradict each other or the entities
            that an earlier component sets.
        ModelError
            The pipeline has no entity recognizer, or an untrained one.
        """
        return prediction.parses(
            self._context,
            source,
            k,
            decoder,
            max_span_length=max_span_length,
            forced=forced,
            forbidden=forbidden,
            progress=progress,
        )

    def oracle_curve(
        self,
        widths: Sequence[int] = study.WIDTHS,
        decoders: Sequence[study.Decoder] | None = None,
        split: str = "dev",
        *,
        source: Literal["gold", "answers"] = "gold",
        progress: bool = True,
    ) -> OracleCurve:
        """Compute F with a perfect choice among the k best analyses, as a function of k.

        The counting, with ties and texts without entities, is defined in
        `nbner.reranking.oracle.study`.

        Parameters
        ----------
        widths : sequence of int
            Lengths of the list, up to 1,024; they rise.
        decoders : sequence of str, optional
            Of "exact", "exact_raw", "beam", "exact_calibrated" and the registered ones.
            The k best analyses without search error, over normalized or over
            raw scores, and spaCy's own beam search over raw scores, which runs
            once a width; and the exact list at the temperature of
            `model.calibrate_lists`. By default the first three, and the last
            where a temperature has been fitted, so that ``summary`` tells what
            the objective (normalized against raw scores), the search (exact
            against the beam) and the temperature are worth; of a conditional
            random field "exact" alone, since it has no other list.
        split : str
            Its accepted examples are the gold.
        source : {"gold", "answers"}
            "answers" uses no model: it counts the ranks that make-gold kept
            beside every accepted answer, over all splits. It knows the exact
            decoder alone, and widths up to 64.
        progress : bool
            Show a bar. The stop button ends the study without a result.

        Returns
        -------
        OracleCurve
            ``frame``, ``plot()``, ``summary``, ``per_label()``, and
            ``decoder_frame``, the differences between the decoders.

        Raises
        ------
        DataError
            The widths do not rise or exceed 1,024, a decoder is not one, or there is no gold.
        ModelError
            The model has not been trained, or is a conditional random field and
            another list than "exact" is named.
        """
        context = self._context
        study.check_widths(widths)
        if decoders is not None:
            study.check_decoders(decoders)
        if source == "answers":
            answers = context.dataset.answers()
            return oracle_curve_of_answers(answers, widths=widths, seed=context.seed)
        if source != "gold":
            raise DataError(f"{source!r} is not a source", remedy='Use "gold" or "answers"')
        gold = context.gold(split)
        warn_of_learnt_texts(context, gold, "on new texts all figures are lower")
        return oracle_curve(
            context.nlp,
            gold,
            widths=widths,
            decoders=decoders,
            labels=context.labels,
            gold_name=split,
            seed=context.seed,
            progress=progress,
        )

    def explain(
        self, text: str | Example, gold: GoldSpans | None = None, *, width: int = 8
    ) -> TraceViewer:
        """Open the trace viewer on the recognizer's decisions on a text.

        At every word: the buffer, the open entity, the distribution over the
        valid actions, the greedy choice, and, where gold is known, the actions
        that the training oracle calls zero-cost (spaCy's own dynamic oracle).
        Beside it, the contents of spaCy's own beam search of this width before
        the word, over raw scores, with the analysis that greedy search lost, if
        it lost one. For the exact k best see `parses`. What `model.decide` has
        chosen comes after these steps, and is not shown.

        Parameters
        ----------
        text : str or Example
            An example's own tokens are kept.
        gold : iterable of Span or (start, end, label), optional
            Complete gold in code points; ``[]`` says that there is no entity.
            By default the example's accepted answer, or the current one in this
            dataset for this very text.
        width : int
            Of the beam; 1 to 64.

        Returns
        -------
        TraceViewer
            With ``frame`` (a row a step and action), ``beam_frame``, ``steps``,
            ``plot()`` and ``step``, the position that is shown, which can be
            set and observed.

        Raises
        ------
        ModelError
            The model has not been trained.
        DataError
            The text is empty or has more than 300 tokens, the gold does not fit
            the tokens or has a label that the model does not know, or there is
            no such width.

        Examples
        --------
        >>> trace = session.explain("Whisk the eggs.", [(10, 14, "Ingredient")])  # doctest: +SKIP
        >>> trace.steps[0].chosen.action  # doctest: +SKIP
        'U-Action'
        """
        from nbner.teaching.trace.trace_viewer import explain

        context = self._context
        example = context.tokenized(Example(text) if isinstance(text, str) else text)
        return explain(
            context.nlp,
            example,
            gold,
            stored_gold=None if gold is not None else context.accepted_spans(example),
            labels=context.labels,
            width=width,
            colors=context.colors,
        )


def _has_suggestions(context: SessionContext, split: str) -> bool:
    """Whether an open example of a split came with spans."""
    return any(one.spans for one in context.dataset.examples(split) if one.answer is None)
