"""The ``session.quality`` accessor: the quality of gold and of the work on it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from functools import partial

from nbner.errors import DataError
from nbner.nlp.calibration_meta import calibration_entry, restore_temperatures
from nbner.nlp.fingerprint import fingerprint
from nbner.nlp.tokenizer_rules import (
    TokenizerRule,
    rules_from_json,
    rules_to_json,
    set_rules,
    with_replaced,
)
from nbner.quality.agreement.report import Agreement
from nbner.quality.agreement.scores import AnnotatedText, measure_agreement
from nbner.quality.anchoring.report import Anchoring
from nbner.quality.consistency_report import Consistency
from nbner.quality.data_warnings import DataWarnings
from nbner.quality.label_issues_report import LabelIssues
from nbner.quality.outdated_answers import OutdatedAnswers
from nbner.quality.progress import AnnotationProgress, AnnotationTime
from nbner.quality.repeated_answers import repeats_an_answer
from nbner.quality.suggestion_quality import WINDOW, suggestion_quality
from nbner.quality.tokenization.diagnosis import diagnose
from nbner.quality.tokenization.report import Tokenization
from nbner.reranking.cross_validation import FoldLearner
from nbner.session.arguments import check_session_methods
from nbner.session.context import TOKENIZER_SETTING, Accessor, SessionContext
from nbner.session.corrections import (
    find_inconsistencies,
    find_label_issues,
    measure_anchoring,
)
from nbner.session.label_changes import keep_calibration
from nbner.session.outdated_answers import find_outdated_answers
from nbner.session.training import session_data_warnings, training_split
from nbner.types import IMPORT_ANNOTATOR, Example


@check_session_methods
class QualityAccessor(Accessor):
    """Label issues, consistency, agreement, tokenization, warnings, anchoring and progress.

    `Session` makes one as ``session.quality``.
    """

    def label_issues(
        self,
        split: str = "train",
        *,
        folds: int = 5,
        dev: str = "dev",
        max_epochs: int | None = None,
        learners: Sequence[FoldLearner] | None = None,
        seeds: int = 1,
        progress: bool = True,
    ) -> LabelIssues:
        """Rank the gold spans, and the unlabelled tokens, that are probably wrong.

        Gold is split into folds, texts that are alike into the same one, and each
        fold is evaluated by models that were trained on all the others and so
        cannot repeat its errors. Their exact marginal probabilities of the gold
        annotation and of each alternative are averaged, and weighed with how the
        same words are annotated at other places. Where gold is less likely than an
        alternative, there is an issue, and ``reason`` says who speaks against gold.
        A label that the learners contradict everywhere is a matter of its
        definition: `LabelIssues.per_label` and the summary name it, and its issues
        come after the others.

        Parameters
        ----------
        split : str
            Split of the gold.
        folds : int
            Number of folds. 0 uses the model in use instead, without any
            training; only for a split that it was not trained on, such as "dev".
        dev : str
            Split on which the `ner` of each fold is selected. If it is
            ``split`` itself, or holds no gold, a fifth of the other folds is
            held out instead.
        max_epochs : int, optional
            Of the training of each fold's `ner`; by default as for `Session.train`.
        learners : sequence of {"crf", "ner"}, optional
            Kinds of the models. By default both, and the CRF alone where the model
            in use is one. ``("crf",)`` is the fast option: the `ner` of a fold takes
            about as long as `Session.train`, its CRF a few seconds.
        seeds : int
            Models of each learner for each text, with folds of their own.
        progress : bool
            Whether to show a progress bar. The stop button keeps the learners that
            have seen all folds; before the first of them everything is left
            unchanged.

        Returns
        -------
        LabelIssues
            ``frame``, ``plot()``, and ``open()``, which opens the examples
            in the annotator in this order.

        Raises
        ------
        DataError
            There is no gold, too little for so many folds, or no such learner.
        ModelError
            ``folds=0``, and the model has not been trained.
        TrainingError
            The other folds of one fold cannot be trained on.
        """
        return find_label_issues(
            self._context,
            split,
            folds=folds,
            dev=dev,
            max_epochs=max_epochs,
            learners=learners,
            seeds=seeds,
            progress=progress,
        )

    def consistency(
        self, split: str = "train", *, case_sensitive: bool = False, progress: bool = False
    ) -> Consistency:
        """Find words that gold labels in more than one way, or only in some places.

        Each place that is not labelled as usual has the probability of the
        usual label there under the model in use, once that is trained. A model
        that was trained on this gold is biased towards it; `label_issues` is
        not.

        Parameters
        ----------
        split : str
            Split of the gold.
        case_sensitive : bool
            Whether words that differ in case are different words.
        progress : bool
            Whether to show a progress bar.

        Returns
        -------
        Consistency
            ``frame``, ``occurrences``, ``plot()``; ``relabel(words, label)``
            relabels all places in one step with ``undo()``, ``open()``
            opens them in the annotator.

        Raises
        ------
        DataError
            There is no gold.
        """
        return find_inconsistencies(
            self._context, split, case_sensitive=case_sensitive, progress=progress
        )

    def agreement(
        self,
        split: str | None = None,
        *,
        annotators: Collection[str] | None = None,
        samples: int = 1000,
    ) -> Agreement:
        """Measure agreement between annotators over the texts that two or more accepted.

        Parameters
        ----------
        split : str, optional
            By default all.
        annotators : collection of str, optional
            By default all but reviewers and imported gold ("import").
        samples : int
            Number of bootstrap samples behind the confidence intervals.

        Returns
        -------
        Agreement
            ``f`` (exact), ``relaxed``, ``kappa``, ``alpha``; ``frame`` (one row
            a pair), ``per_label``, ``disputed`` and ``plot()``. The definitions
            are in ``nbner.quality.agreement.scores``.

        Raises
        ------
        DataError
            No text was accepted by two annotators.
        """
        context = self._context
        team = context.dataset.assignments
        versions = {
            id_: {
                one.annotator: one.spans
                for one in found
                if one.answer == "accept"
                and not one.accepted_unseen
                and _is_included(one.annotator, annotators)
            }
            for id_, found in team.versions(split)
        }
        shared = {id_: spans for id_, spans in versions.items() if len(spans) >= 2}
        if not shared:
            raise DataError(
                "no text was accepted by two annotators",
                field="annotators",
                remedy='Let several people label the same: session.manual(overlap="all")',
            )
        examples = {id_: context.tokenized(one) for id_, one in team.examples_by_id(shared).items()}
        rated = tuple(
            AnnotatedText(examples[id_].text, examples[id_].tokens, spans)
            for id_, spans in shared.items()
        )
        scores = measure_agreement(rated, samples=samples, seed=context.seed)
        return Agreement(scores, rated, split, colors=context.colors)

    def tokenization(self, split: str | None = None) -> Tokenization:
        """Find spans that do not match token boundaries, and tokenizer rules that would help.

        Nothing is changed before ``apply`` is called on the result.

        Parameters
        ----------
        split : str, optional
            By default all.

        Returns
        -------
        Tokenization
            ``frame`` (one row a span, with the reason), ``rules``, ``effects``
            (one row a rule: what it fixes and what it changes),
            ``changes(rule)``, ``apply(rule)`` and ``undo()``.
        """
        context = self._context
        found = diagnose(context.nlp, list(context.dataset.examples(split)))
        return Tokenization(
            found,
            split,
            partial(add_tokenizer_rules, context),
            partial(undo_tokenizer_rules, context),
        )

    def data_warnings(self, split: str = "train", dev: str = "dev") -> DataWarnings:
        """List weaknesses of the data that training on a split would use.

        Labels with few examples or none, labels that occur in dev alone, spans
        that begin or end with whitespace, texts in both splits, and accepted
        answers that contradict each other.

        Parameters
        ----------
        split : str
            Split to train on.
        dev : str
            Split to evaluate on.

        Returns
        -------
        DataWarnings
            ``warnings``, each with its ``examples``; ``frame`` lists them.
        """
        learnt, held = training_split(self._context, split, dev)
        return session_data_warnings(self._context, split, dev, learnt, held)

    def anchoring(
        self,
        split: str = "train",
        *,
        annotator: str | None = None,
        gold: Iterable[Example] | None = None,
    ) -> Anchoring:
        """Measure how often annotators accepted suggestions that were perturbed on purpose.

        All accepted answers given under
        ``session.make_gold(withhold=..., corrupt=...)`` are counted, at any
        time, also those to examples that have been corrected since.

        Parameters
        ----------
        split : str
            Split of the answers.
        annotator : str, optional
            By default all, one by one and together.
        gold : iterable of Example, optional
            The truth about some of these texts. Only suggestions that were
            right before they were perturbed are then counted, in these texts.

        Returns
        -------
        Anchoring
            ``frame``, ``plot()``, and ``open()``, which opens the answers
            that hold a corrupted suggestion.

        Raises
        ------
        DataError
            No answer was given under an audit, or ``gold`` holds none of its
            texts.
        """
        return measure_anchoring(self._context, split, annotator=annotator, gold=gold)

    def outdated_answers(
        self, split: str | None = None, *, annotator: str | None = None
    ) -> OutdatedAnswers:
        """List the answers that were given under an older version of the guideline.

        Every answer keeps the version of ``Session(guidelines=..., labels={...})``
        that the widget showed; imported gold, and answers from before there was
        a guideline, have none.

        Parameters
        ----------
        split : str, optional
            By default all.
        annotator : str, optional
            This annotator's answers; by default the newest one to each
            example, whoever gave it.

        Returns
        -------
        OutdatedAnswers
            ``frame`` (one row an answer), ``per_version``, and ``open()``,
            which opens the accepted ones in the annotator.
        """
        return find_outdated_answers(self._context, split, annotator)

    def progress(
        self,
        split: str | None = None,
        *,
        idle_seconds: float = 120.0,
        last: int | None = WINDOW,
    ) -> AnnotationProgress:
        """Count examples, answers and annotation time, and measure the suggestions.

        Every suggestion that was shown and then answered is a test of the model
        that made it, on a text that it had not learnt from: see
        `nbner.quality.suggestion_quality`.

        Parameters
        ----------
        split : str, optional
            By default all.
        idle_seconds : float
            Seconds. Time on one example beyond this is a pause and is not
            counted.
        last : int, optional
            Number of last answers that precision and recall of the suggestions
            are computed over; None for all.

        Returns
        -------
        AnnotationProgress
            ``frame`` (one row a split, annotator and answer), ``per_label``,
            ``per_annotator``, ``remaining_seconds``, ``plot()``, and
            ``suggestions``, with a ``frame``, ``per_label``, ``better`` and
            ``plot()`` of its own.

        Raises
        ------
        DataError
            ``last`` is below 1.
        """
        context = self._context
        sizes: dict[tuple[str, int], int] = {}
        waiting: list[tuple[str, int]] = []
        with context.dataset.one_state():
            examples = list(context.dataset.examples(split))
            current = {one.id for one in context.dataset.answers(split)}
            every = list(context.dataset.answers(split, current=False))
        for example in examples:
            size = len(context.tokenized(example).tokens)
            sizes[example.split, example.input_hash] = size
            if example.answer is None:
                waiting.append((example.split, size))
        works = [
            AnnotationTime(
                example=(one.split, one.input_hash),
                annotator=one.annotator,
                answer=one.answer,
                tokens=sizes.get((one.split, one.input_hash), 0),
                labels=tuple(span.label for span in one.spans),
                seconds=None if repeats_an_answer(one) else one.extra.get("seconds"),
                is_current=one.id in current,
            )
            for one in every
        ]
        measured = suggestion_quality(every, window=last, seed=context.seed)
        return AnnotationProgress(
            tuple(works),
            tuple(waiting),
            context.labels,
            idle_seconds,
            measured,
            colors=context.colors,
        )


def _is_included(annotator: str, wanted: Collection[str] | None) -> bool:
    return annotator != IMPORT_ANNOTATOR if wanted is None else annotator in wanted


# Tokenizer rules.


def add_tokenizer_rules(context: SessionContext, rules: tuple[TokenizerRule, ...]) -> None:
    """Add rules to the tokenizer of a dataset and store them.

    Parameters
    ----------
    context : SessionContext
        Its pipelines are changed, and open widgets load their examples again.
    rules : tuple of TokenizerRule
        Rules to add; those that are in force already are skipped.
    """
    before = rules_from_json(context.dataset.settings.get(TOKENIZER_SETTING, []))
    known = [with_replaced(one, context.nlp.tokenizer) for one in rules]
    _replace_rules(context, before, tuple(dict.fromkeys((*before, *known))))


def undo_tokenizer_rules(context: SessionContext) -> tuple[TokenizerRule, ...]:
    """Undo the last addition of rules.

    Parameters
    ----------
    context : SessionContext
        Its pipelines are changed, and open widgets load their examples again.

    Returns
    -------
    tuple of TokenizerRule
        The rules in force afterwards.
    """
    # Additions and undos follow each other in the history: the state before the
    # last addition is the newest one with fewer rules.
    history = [
        rules_from_json(value) for _, value in context.dataset.settings.history(TOKENIZER_SETTING)
    ]
    before = history[-1] if history else ()
    earlier = [rules for rules in history[:-1] if len(rules) < len(before)]
    after = earlier[-1] if earlier else ()
    _replace_rules(context, before, after)
    return after


def _replace_rules(
    context: SessionContext, before: tuple[TokenizerRule, ...], after: tuple[TokenizerRule, ...]
) -> None:
    if before == after:
        return
    former, calibration = fingerprint(context.nlp), calibration_entry(context.nlp)
    for nlp in (context.base_nlp, context.nlp):
        set_rules(nlp, after, instead_of=before)
    if calibration is not None:
        # The recognizer, for which it was fitted, is the same. A process that is killed after
        # the next line leaves a model that has it.
        restore_temperatures(context.nlp, {**calibration, "model": fingerprint(context.nlp)})
        keep_calibration(context)
    context.dataset.settings.set(TOKENIZER_SETTING, rules_to_json(after))
    # The saved model is opened with the same tokenizer next time.
    context.note_changed_tokenizer(former, context.model_store.save_tokenizer(context.nlp))
    context.refresh_annotators()
