"""Training runs: their start, their data, and whether their model comes into use."""

from __future__ import annotations

import random
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbner._common.serialization import is_name
from nbner.active_learning.ranked_dataset import held_out_examples, is_held_out
from nbner.decoding.decision.component import decision_of, without_decision
from nbner.decoding.decision.without_gold import decision_without_gold
from nbner.errors import DataError, TrainingError
from nbner.evaluation.regressions import (
    MAX_F_LOSS,
    MIN_SUPPORT,
    SpanChanges,
    label_regressions,
    regression_sets,
    span_changes,
)
from nbner.evaluation.retention import MAX_TEXTS, span_retention
from nbner.evaluation.scores import score
from nbner.nlp.fingerprint import fingerprint
from nbner.nlp.gold_docs import require_learnable_spans, split_corpus
from nbner.nlp.pipeline import is_trained, labels_of, recognizer_names, recognizer_of
from nbner.nlp.prediction import predict
from nbner.quality.data_warnings import DataWarnings, find_data_warnings
from nbner.session.context import SessionContext
from nbner.session.evaluation import compare_in_explorer
from nbner.session.learnt_texts import with_learnt_split
from nbner.store.relabel import relabelled
from nbner.training import learners, loop
from nbner.training.background import BackgroundRun, BackgroundTraining
from nbner.training.crf import check_features
from nbner.training.device import TrainingDevice
from nbner.training.initialization import (
    INIT_STRATEGIES,
    pseudo_rehearsal_examples,
    reset_ner,
    resize_ner,
)
from nbner.training.overrides import check_overrides
from nbner.training.report import TrainingReport, curve_frame, training_curve
from nbner.training.setup import TrainingOptions
from nbner.types import Example

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from spacy.language import Language

    from nbner.training.initialization import InitStrategy
    from nbner.training.learner_run import LearnerRun
    from nbner.training.loop import TrainingRun
    from nbner.training.records import TrainingRecord, TrainingResult


# The data.


def training_split(
    context: SessionContext, split: str, dev: str
) -> tuple[list[Example], list[Example]]:
    """Return the examples to train on and those to evaluate on.

    Parameters
    ----------
    context : SessionContext
        Its dataset holds the examples.
    split, dev : str
        Accepted and rejected examples of ``split`` are trained on; accepted
        ones of ``dev`` are evaluated on, and so are those of ``split`` that
        the query strategy held out. What was accepted in bulk, unseen, is
        trained on at most.
    """
    accepted = context.examples(split, answer="accept")
    aside = held_out_examples(context.dataset, split)
    held_out = [one for one in accepted if is_held_out(one, aside)]
    train = [one for one in accepted if not is_held_out(one, aside)]
    train += context.examples(split, answer="reject")
    measured = [*context.examples(dev, answer="accept"), *held_out]
    return train, [one for one in measured if not one.accepted_unseen]


def session_data_warnings(
    context: SessionContext,
    split: str,
    dev: str,
    learnt: Sequence[Example],
    held: Sequence[Example],
) -> DataWarnings:
    """Find weaknesses of training data and contradictions between its accepted answers.

    Parameters
    ----------
    context : SessionContext
        Its dataset provides the answers of the single annotators.
    split, dev : str
        The splits that the examples are from.
    learnt : sequence of Example
        Examples to train on, in any state.
    held : sequence of Example
        Examples to evaluate on, in any state.

    Returns
    -------
    DataWarnings
        The warnings. Only accepted examples with complete gold are checked.
    """
    train, measured = (
        [one for one in some if one.answer == "accept" and not one.binary]
        for some in (learnt, held)
    )
    by_key = {(one.split, one.input_hash): one for one in (*train, *measured)}
    answers = [
        replace(by_key[key], spans=answer.spans)
        for name in (split, dev)
        for answer in context.dataset.answers(name)
        if answer.answer == "accept" and (key := (answer.split, answer.input_hash)) in by_key
    ]
    return DataWarnings(tuple(find_data_warnings(train, measured, context.labels, answers=answers)))


@dataclass(frozen=True, slots=True)
class RetentionTexts:
    """Texts over which the spans of a trained pipeline are counted before and after a run.

    Parameters
    ----------
    examples : tuple of Example
        All of them, or a sample.
    total : int
        All there are.
    gold_labels : frozenset of str
        Labels of the gold that is trained on.
    """

    examples: tuple[Example, ...]
    total: int
    gold_labels: frozenset[str]


def retention_texts(
    context: SessionContext, init: InitStrategy | None, split: str, dev: str, seed: int
) -> RetentionTexts | None:
    """Return texts that show what a trained pipeline forgets; None where there is none.

    Parameters
    ----------
    context : SessionContext
        Its dataset holds the texts, answered or not.
    init : {"scratch", "continue", "freeze", "rehearsal"}, optional
        The initialization of the run.
    split, dev : str
        The splits of the texts.
    seed : int
        Draws the sample where there are more than 1,000.
    """
    continues = init not in (None, "scratch") and is_trained(context.nlp)
    if not continues and not is_trained(context.base_nlp):
        return None
    found = [
        one
        for name in dict.fromkeys((split, dev))
        for one in context.dataset.examples(name)
        if one.answer != "ignore"
    ]
    accepted = context.dataset.examples(split, answer="accept")
    labels = frozenset(span.label for one in accepted for span in one.spans)
    chosen = found if len(found) <= MAX_TEXTS else random.Random(seed).sample(found, MAX_TEXTS)  # noqa: S311
    return RetentionTexts(tuple(chosen), len(found), labels)


# A run.


def train_now(
    context: SessionContext,
    init: InitStrategy | None,
    split: str,
    dev: str,
    *,
    seed: int,
    margin: float | None,
    progress: bool,
    **options: Any,
) -> TrainingReport:
    """Train, and use the model unless it has forgotten too much.

    Parameters
    ----------
    context : SessionContext
        Supplies base model and data, and takes the new model.
    init : {"scratch", "continue", "freeze", "rehearsal"}, optional
        The initialization.
    split, dev : str
        Where to train and where to evaluate.
    seed : int
        Of the run.
    margin : float, optional
        Loss of F on a label that keeps the model out of use.
    progress : bool
        Show warnings, a bar and the curve.
    **options
        Options of `nbner.training.learners.train`.

    Raises
    ------
    TrainingError
        There is nothing to train on.
    """
    from nbner._common.progress import display_value

    check_learner(init, options)

    begun = time.time()
    train, evaluated = training_split(context, split, dev)
    with context.model_store.reserve_folder() as reserved:
        base = initial_pipeline(context, init)
        run = learners.train(
            base,
            train,
            evaluated,
            labels=context.labels,
            seed=seed,
            output=reserved.path,
            pool=unanswered(context, split),
            **_init_options(context, init, base, split, seed),
            **options,
        )
        warnings = session_data_warnings(context, split, dev, train, evaluated)
        with run:
            if progress:
                display_value(warnings)
                _show_progress(run)
            else:
                deque(run, maxlen=0)
            result = with_learnt_split(run.finish(), split, begun)
        gold = run.corpus.dev if run.corpus.has_separate_dev else ()
        texts = retention_texts(context, init, split, dev, seed)
        report = accept_or_reject(context, result, gold, margin, texts=texts)
    return replace(report, data_warnings=warnings)


def start_run(
    context: SessionContext,
    init: InitStrategy | None,
    split: str,
    train_examples: Sequence[Example],
    dev_examples: Sequence[Example],
    *,
    seed: int,
    output: Path,
    **options: Any,
) -> TrainingRun:
    """Prepare a training run; iterating over it trains.

    Parameters
    ----------
    context : SessionContext
        Supplies the base model and the labels.
    init : {"scratch", "continue", "freeze", "rehearsal"}, optional
        The initialization.
    split : str
        Its texts are mixed in by ``init="rehearsal"``.
    train_examples, dev_examples : sequence of Example
        To train on and to evaluate on.
    seed : int
        Of the run.
    output : Path
        The run's folder.
    **options
        Options of `nbner.training.loop.train`.

    Raises
    ------
    TrainingError
        There is nothing to train on, or no such initialization.
    """
    base = initial_pipeline(context, init)
    return loop.train(
        base,
        train_examples,
        dev_examples,
        labels=context.labels,
        seed=seed,
        output=output,
        **_init_options(context, init, base, split, seed),
        **options,
    )


def start_background_run(
    context: SessionContext,
    init: InitStrategy | None,
    split: str,
    dev: str,
    *,
    seed: int,
    margin: float | None,
    **options: Any,
) -> BackgroundTraining:
    """Start a run in another process; errors in the data are raised at once.

    Parameters
    ----------
    context : SessionContext
        Supplies base model and data, and takes the new model.
    init : {"scratch", "continue", "freeze", "rehearsal"}, optional
        The initialization.
    split, dev : str
        Where to train and where to evaluate.
    seed : int
        Of the run.
    margin : float, optional
        Loss of F on a label that keeps the model out of use.
    **options
        Options of `nbner.training.learners.train`, as JSON can hold them.

    Raises
    ------
    TrainingError
        There is nothing to train on, or no such initialization.
    """
    check_learner(init, options)
    # The other process does not know what this one computes on.
    device = TrainingDevice(options.get("gpu_id"))
    base = initial_pipeline(context, init)
    learners.check_start(base, options.get("learner", "ner"))
    begun = time.time()
    train, evaluated = training_split(context, split, dev)
    corpus = split_corpus(train, evaluated, context.labels, seed)
    require_learnable_spans(base, corpus.train)
    check_options(base, options)
    warnings = session_data_warnings(context, split, dev, train, evaluated)
    gold = corpus.dev if corpus.has_separate_dev else ()
    texts = retention_texts(context, init, split, dev, seed)
    pool = unanswered(context, split)
    own = _init_options(context, init, base, split, seed)
    reserved = context.model_store.reserve_folder()
    run: BackgroundRun | None = None
    try:
        run = BackgroundRun(
            base,
            train,
            evaluated,
            labels=context.labels,
            output=reserved.path,
            seed=seed,
            pool=pool,
            **own,
            options={**options, "gpu_id": device.gpu_id},
        )
        started = run

        def finish() -> TrainingReport:
            with reserved:
                result = with_learnt_split(started.wait(), split, begun)
                report = accept_or_reject(context, result, gold, margin, texts=texts)
            return replace(report, data_warnings=warnings)

        return BackgroundTraining(run, finish)
    except BaseException:
        # An interrupt as it starts leaves no process and no folder.
        if run is not None:
            run.cancel()
        reserved.close()
        raise


def check_options(base: Language, options: Mapping[str, Any]) -> None:
    """Raise where a run would refuse its options, before another process is started for it.

    Parameters
    ----------
    base : Language
        The pipeline that the run starts from.
    options : mapping
        Options of `nbner.training.loop.train`.

    Raises
    ------
    TrainingError
        A number is out of its range, a key of ``config``, a feature of the CRF or
        an augmentation is unknown, or the pipeline cannot give the feature.
    """
    own = ("max_epochs", "max_steps", "patience", "dropout", "augment")
    TrainingOptions(**{name: options[name] for name in own if name in options})
    check_features(base, options.get("features") or ())
    found = recognizer_of(base)
    if found is not None:
        check_overrides(options.get("config") or {}, base, found[0], sourced=())


def initial_pipeline(context: SessionContext, init: InitStrategy | None) -> Language:
    """Return the pipeline that a run starts from.

    Parameters
    ----------
    context : SessionContext
        Holds the base pipeline and the one in use.
    init : {"scratch", "continue", "freeze", "rehearsal"}, optional
        By default the base pipeline; "scratch" is that one with an untrained
        recognizer; all others start from the model in use.

    Raises
    ------
    TrainingError
        There is no such initialization, or it needs a trained model.
    """
    if init is not None and init not in INIT_STRATEGIES:
        named = ", ".join(repr(one) for one in INIT_STRATEGIES)
        raise TrainingError(f"there is no training init={init!r}; there are {named}.")
    if init is None:
        return context.base_nlp
    if init == "scratch":
        return reset_ner(context.base_nlp)
    start = context.nlp_before_new_labels or context.nlp
    if not is_trained(start) and init != "continue":
        raise TrainingError(
            f"init={init!r} starts from what was learnt, and the model has not learnt anything "
            "yet. Call session.train() first, or give a trained pipeline: "
            "Session(..., model=...)."
        )
    return start


#: Options of training that a CRF does not have, each with the reason.
_NER_OPTIONS = {
    "max_epochs": "it makes no passes over the data",
    "max_steps": "it makes no update steps",
    "patience": "it needs no early stopping",
    "dropout": "it has no layers",
    "config": "it is not trained by spaCy",
    "vectors": 'features=("vectors",) uses those of the session\'s pipeline',
    "init_from": "it has no layers",
    "gpu_id": "it computes on the CPU",
}


def check_learner(init: InitStrategy | None, options: Mapping[str, Any]) -> None:
    """Raise where options of a training exclude each other.

    Parameters
    ----------
    init : {"scratch", "continue", "freeze", "rehearsal"}, optional
        The initialization.
    options : mapping
        Options of `nbner.training.learners.train`.

    Raises
    ------
    TrainingError
        It names them, and the way out.
    """
    learner = options.get("learner", "ner")
    if learner == "ner":
        if options.get("features"):
            raise TrainingError(
                'features= are those of the CRF. Use learner="crf" or learner="auto" with them.'
            )
        return
    if init not in (None, "scratch"):
        raise TrainingError(
            f"learner={learner!r} starts anew, and init={init!r} goes on from a trained model. Use "
            'learner="ner" with it.'
        )
    if learner == "crf":
        for name, reason in _NER_OPTIONS.items():
            value = options.get(name)
            if value is not None and value != {} and (name, value) != ("gpu_id", -1):
                raise TrainingError(
                    f'{name}= does not go with learner="crf": {reason}. Leave it out, or use '
                    'learner="ner".'
                )


def unanswered(context: SessionContext, split: str) -> list[Example]:
    """Return the examples of a split without an answer, without the spans they came with.

    Parameters
    ----------
    context : SessionContext
        Its dataset holds the examples.
    split : str
        The split to train on.
    """
    return [replace(one, spans=()) for one in context.examples(split) if one.answer is None]


def _init_options(
    context: SessionContext, init: InitStrategy | None, base: Language, split: str, seed: int
) -> dict[str, Any]:
    """Return the options of `nbner.training.loop.train` that an initialization needs."""
    if init == "freeze":
        return {"freeze": True}
    if init == "rehearsal":
        return {"rehearsal_examples": _rehearsal(context, base, split, seed)}
    return {}


def _rehearsal(context: SessionContext, base: Language, split: str, seed: int) -> list[Example]:
    """Return as many texts without gold as there are with, labelled by the model."""
    pending = [one for one in context.examples(split) if one.answer is None]
    size = len(context.examples(split, answer="accept"))
    return pseudo_rehearsal_examples(base, pending, labels_of(base), size=size, seed=seed)


# The end of a run.


def accept_or_reject(
    context: SessionContext,
    result: TrainingResult,
    gold: Sequence[Example],
    margin: float | None = MAX_F_LOSS,
    *,
    texts: RetentionTexts | None = None,
) -> TrainingReport:
    """Compare a run's model with the one in use, and use it unless it has forgotten too much.

    Parameters
    ----------
    context : SessionContext
        Holds the model in use, and takes the new one.
    result : TrainingResult
        A finished run.
    gold : sequence of Example
        Evaluated on; may be empty.
    margin : float, optional
        Loss of F on a label that keeps the model out of use.
    texts : RetentionTexts, optional
        Texts over which the spans of the model in use are counted too; see
        `Retention.losses`. Without gold and texts the model is accepted.
    """
    # A label may have been renamed while the run went on.
    renamed = context.dataset.renamed_labels
    gold = [replace(one, spans=relabelled(one.spans, renamed)) for one in gold]
    if texts is not None:
        known = frozenset(renamed.get(one, one) for one in texts.gold_labels)
        texts = replace(texts, gold_labels=known)
    result = replace(result, nlp=context.with_present_labels(result.nlp))
    decides = decision_of(result.nlp) is not None
    # Where the new model decodes greedily, it is compared with greedy decoding.
    current = context.nlp if decides else without_decision(context.nlp)
    report = _compare_with_current(context, current, result, gold, margin, texts)
    if report.in_use:
        had = decision_of(context.nlp) is not None
        was_chosen = had and decision_without_gold(context.nlp) is None
        report = replace(report, decision_dropped=was_chosen if decides else had)
        context.model_store.record_run(report.path, report.fingerprint, report.record)
        context.activate(result.nlp)
    return report


def _compare_with_current(
    context: SessionContext,
    current: Language,
    result: TrainingResult,
    gold: Sequence[Example],
    margin: float | None,
    texts: RetentionTexts | None,
) -> TrainingReport:
    """Report the changes against the model in use, with the labels that lose too much F."""
    sets = regression_sets(gold, context.model_store.regression_sets())
    result = replace(result, record={**result.record, "regression": sets})
    report = TrainingReport.from_result(result)
    if not is_trained(current):
        return report
    judged: set[str] = set()
    if gold:
        report, judged = _compare_on_gold(context, current, result, report, sets, gold, margin)
    if texts is not None and texts.examples:
        retention = span_retention(
            texts.examples,
            predict(current, texts.examples),
            predict(result.nlp, texts.examples),
            gold_labels=texts.gold_labels,
            total=texts.total,
            # Labels that were only added have not been learnt, and cannot be forgotten.
            known_labels=_learnt_labels(context.nlp_before_new_labels or current),
        )
        lost = [] if margin is None else retention.losses(judged=judged, max_loss=margin)
        report = replace(
            report, retention=retention, regressed_labels=(*report.regressed_labels, *lost)
        )
    return replace(report, in_use=not report.regressed_labels)


def _learnt_labels(nlp: Language) -> list[str]:
    """Return the labels that the trained recognizer alone has, sorted."""
    found = recognizer_of(nlp)
    others = [name for name in recognizer_names(nlp) if found is None or name != found[0]]
    # spaCy adds the labels of entities that a recognizer before this one has set.
    foreign = {label for name in others for label in nlp.pipe_labels[name]}
    return [label for label in labels_of(nlp) if label not in foreign]


def _compare_on_gold(
    context: SessionContext,
    current: Language,
    result: TrainingResult,
    report: TrainingReport,
    sets: Mapping[str, Sequence[int]],
    gold: Sequence[Example],
    margin: float | None,
) -> tuple[TrainingReport, set[str]]:
    """Add the changes on gold to a report; return it with the labels that gold decides on."""
    before, after = list(predict(current, gold)), list(predict(result.nlp, gold))
    frozen = {one for hashes in sets.values() for one in hashes}
    kept = [i for i, one in enumerate(gold) if one.input_hash in frozen]
    scores = [
        score(
            [gold[i].spans for i in kept],
            [predicted[i] for i in kept],
            labels=context.labels,
            allowed_labels=[gold[i].labels for i in kept],
        )
        for predicted in (before, after)
    ]
    lost = [] if margin is None else label_regressions(scores[0], scores[1], max_loss=margin)
    judged = {label for label, one in scores[0].per_label.items() if one.support >= MIN_SUPPORT}
    changed = replace(
        report,
        span_changes=SpanChanges(
            tuple(span_changes(gold, before, after)),
            n=len(gold),
            colors=context.colors,
            open_widget=lambda: compare_in_explorer(context, gold, before, after),
        ),
        regressed_labels=tuple(lost),
    )
    return changed, judged


# Labels.


def add_labels(context: SessionContext, new: Sequence[str]) -> None:
    """Add labels to the dataset, and resize a trained model's output layer for them.

    Parameters
    ----------
    context : SessionContext
        Its open widgets offer the labels at once.
    new : sequence of str
        None of them is among the session's.
    """
    nlp = resize_ner(context.nlp, tuple(new)) if is_trained(context.nlp) else None
    labels = (*context.labels, *new)
    context.hidden_labels = tuple(one for one in context.hidden_labels if one not in new)
    context.dataset.set_labels((*labels, *context.hidden_labels))
    context.update_labels()
    if nlp is not None:
        context.nlp_before_new_labels = context.nlp_before_new_labels or context.nlp
        name = context.model_names.get(fingerprint(context.nlp))
        if name is not None:
            # A model that was learnt while labelling stays one with more labels.
            context.model_names[fingerprint(nlp)] = name
        context.nlp = nlp


def checked_new_labels(labels: object, known: Sequence[str]) -> tuple[str, ...]:
    """Return the labels of a list that are new, in their order.

    Parameters
    ----------
    labels : object
        Must be an iterable of str and not itself a str.
    known : sequence of str
        Labels that there are.

    Raises
    ------
    DataError
        A label is empty, or this is not a list.
    """
    given = [labels] if isinstance(labels, str) else list(labels)  # type: ignore[call-overload]
    bad = [one for one in given if not is_name(one)]
    if isinstance(labels, str) or any(not isinstance(one, str) or not one.strip() for one in bad):
        raise DataError(
            f"{(bad or given)[0]!r} is not a list of labels",
            field="labels",
            remedy='Give names in a list: session.add_labels(["Device"])',
        )
    if bad:
        raise DataError(f"{bad[0]!r} is not the name of a label", field="labels")
    return tuple(dict.fromkeys(one for one in given if one not in known))


def _show_progress(run: LearnerRun) -> None:
    from nbner._common.plot_style import new_figure
    from nbner._common.progress import show_training

    def draw(steps: Sequence[TrainingRecord]) -> Figure:
        figure = new_figure()
        training_curve(curve_frame(steps), ax=figure.subplots())
        return figure

    show_training(run, stage=lambda: run.stage, draw=draw)
