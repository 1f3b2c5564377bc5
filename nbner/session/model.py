"""The ``session.model`` accessor: probabilities, calibration, rerankers and saved models."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from nbner._common.format import plural
from nbner.decoding import actions
from nbner.decoding.api import span_probabilities
from nbner.decoding.calibration import temperature
from nbner.decoding.calibration.apply import MAX_SPAN_LENGTH
from nbner.decoding.calibration.list_report import ListCalibration
from nbner.decoding.calibration.list_temperature import MIN_GOLD_SPANS, gold_actions
from nbner.decoding.calibration.report import Calibration
from nbner.decoding.decision.component import decision_of, without_decision
from nbner.decoding.decision.fitting import HeldOutGold, fit_decision
from nbner.decoding.decision.report import GREEDY, Decision
from nbner.decoding.decision.without_gold import decision_without_gold
from nbner.decoding.inspection import ActionScores, TokenFeatures
from nbner.decoding.probabilities import TextProbabilities
from nbner.errors import DataError, ModelError
from nbner.io import formats
from nbner.io.rows import example_from_row
from nbner.nlp.calibration_meta import (
    copy_temperatures,
    save_list_temperature,
    save_temperatures,
)
from nbner.nlp.fingerprint import fingerprint
from nbner.nlp.pipeline import load_base
from nbner.nlp.prediction import check_trained, predict
from nbner.reranking.component import reranker_of
from nbner.reranking.report import Ensemble, Reranking
from nbner.reranking.train import fit_ensemble, fit_reranker
from nbner.session.arguments import check_session_methods
from nbner.session.context import Accessor, SessionContext
from nbner.session.learnt_texts import learnt_record, warn_of_learnt_texts
from nbner.session.prediction import checked_texts, longest_span
from nbner.session.training import training_split
from nbner.training.report import TrainingReport
from nbner.training.run_folder import find_change
from nbner.types import Example

if TYPE_CHECKING:
    import pandas as pd
    from spacy.language import Language

    from nbner.reranking.features import FeatureFunction

LONGEST_STATES = 10
RUN_COLUMNS = ["created", "f", "fingerprint", "path", "exists", "in_use", "problem"]


@check_session_methods
class ModelAccessor(Accessor):
    """Inspect, calibrate, rerank and change the model in use, as ``session.model``."""

    def span_probabilities(
        self, text: str | Example, *, max_span_length: int | Literal["data"] | None = None
    ) -> TextProbabilities:
        """Compute the exact probability of every span of a text, and of every token's label.

        Parameters
        ----------
        text : str or Example
            An example's own tokens are kept.
        max_span_length : int or "data", optional
            As for `Session.parses`.

        Returns
        -------
        TextProbabilities
            With ``frame`` (a row a span), ``token_frame`` (a row a token) and ``plot()``.

        Raises
        ------
        DataError
            The text is empty.
        ModelError
            The pipeline has no entity recognizer, or an untrained one.
        """
        context = self._context
        limit = longest_span(context, max_span_length)
        (known,) = span_probabilities(context.nlp, checked_texts(text), max_span_length=limit)
        return TextProbabilities(known, labels=context.labels, colors=context.colors)

    def action_scores(
        self, text: str | Example, *, max_span_length: int = LONGEST_STATES
    ) -> ActionScores:
        """Compute the distribution over the recognizer's actions at every token of a text.

        Parameters
        ----------
        text : str or Example
            An example's own tokens are kept.
        max_span_length : int
            Tokens of the longest entity whose states ``states`` lists.

        Returns
        -------
        ActionScores
            ``array`` (probabilities along the greedy path, shape (tokens,
            actions)) with ``axes``, ``frame``, and ``states`` for every state
            that can be reached.

        Raises
        ------
        ModelError
            The model has not been trained.
        """
        found = actions.action_scores(self._context.nlp, [text], max_span_length=max_span_length)
        return ActionScores(next(found))

    def token_features(self, texts: Any) -> TokenFeatures:
        """Return action probabilities and token vectors as one matrix, a row a token.

        Parameters
        ----------
        texts : path, DataFrame, or iterable of str, dict, Doc or Example
            As for `Session.predict`.

        Returns
        -------
        TokenFeatures
            ``matrix`` (float32, shape (tokens, features)), ``columns``,
            ``examples``, ``tokens``, ``words`` and ``frame``.

        Raises
        ------
        ModelError
            The model has not been trained.
        DataError
            The source cannot be read.
        """
        examples = (example_from_row(row) for row in formats.read(texts, texts_only=True))
        scores = actions.action_scores(self._context.nlp, examples, max_span_length=1)
        return TokenFeatures.from_actions(list(scores))

    def calibrate(
        self, split: str = "dev", *, per_label: bool = False, progress: bool = True
    ) -> Calibration:
        """Calibrate the model's span probabilities by a temperature fitted on gold.

        The temperature is kept with the model: in its meta, which travels with
        it, and beside the session's models, where the next session finds it.
        ``session.predict(..., probabilities=True)`` and the confidence of
        suggestions use it from now on. Which spans are predicted does not
        change.

        Parameters
        ----------
        split : str
            Its accepted examples are the gold. They should be none that the
            model was trained on.
        per_label : bool
            Fit a temperature for every label that is predicted 30 times or more.
        progress : bool
            Show a bar. The stop button leaves everything as it was.

        Returns
        -------
        Calibration
            ``temperature``, ``error_before``, ``error_after``, ``frame``,
            ``per_label``, ``plot()``.

        Raises
        ------
        DataError
            There is no gold, or fewer than 30 spans are predicted on it.
        ModelError
            The model has not been trained.
        """
        context = self._context
        gold = context.gold(split)
        pairs = temperature.collect_pairs(
            list(_predicted_spans(context.nlp, gold, progress=progress))
        )
        if len(pairs) < temperature.MIN_PAIRS:
            raise DataError(
                f"the model predicts {plural(len(pairs), 'span')} in split {split!r}, too few "
                "to fit a "
                "temperature on",
                remedy=f"Add gold there until it predicts {temperature.MIN_PAIRS}",
            )
        fitted = temperature.fit_temperatures(pairs, per_label=per_label)
        warn_of_learnt_texts(context, gold, "on new texts the probabilities stay too sure")
        kept = save_temperatures(context.nlp, fitted.overall, fitted.per_label)
        context.model_store.save_calibration(kept)
        context.model_store.drop_calibration_notice()
        return Calibration.from_pairs(
            pairs,
            fitted,
            seed=context.seed,
            split=split,
            n_texts=len(gold),
            fingerprint=fingerprint(context.nlp),
        )

    def calibrate_lists(self, split: str = "dev") -> ListCalibration:
        """Fit a temperature of the states for k best lists by the likelihood of the gold analysis.

        It flattens (above 1) or sharpens the distribution over the actions of
        every state, which changes the order of the list, and is kept with the
        model as that of `calibrate`. From now on
        ``session.parses(..., decoder="exact_calibrated")`` uses it, and
        ``session.oracle_curve()`` studies that list beside the others. The list
        of "exact", predictions and span probabilities do not change.

        Parameters
        ----------
        split : str
            Its accepted examples are the gold. They should be none that the
            model was trained on; a study on the same texts flatters a little,
            by one fitted number.

        Returns
        -------
        ListCalibration
            ``temperature``; ``before``, ``after`` and ``gain``, the mean
            log-likelihood of the gold analysis on texts that it was not fitted
            on; ``frame``, ``plot()``.

        Raises
        ------
        DataError
            There is no gold, or fewer than 30 gold spans in texts whose gold is an
            analysis of the model.
        ModelError
            The model has not been trained, or is a conditional random field,
            whose list has one order at all temperatures.
        """
        context = self._context
        gold = context.gold(split)
        actions = gold_actions(context.nlp, gold)
        if actions.n_spans < MIN_GOLD_SPANS:
            raise DataError(
                f"split {split!r} has {plural(actions.n_spans, 'gold span')} in texts whose gold "
                f"is an analysis of the model ({plural(actions.unreachable, 'text')} not), too "
                "few to fit a temperature on",
                remedy=f"Add gold there with the model's labels, until there are {MIN_GOLD_SPANS}",
            )
        report = ListCalibration.from_actions(
            actions, seed=context.seed, split=split, fingerprint=fingerprint(context.nlp)
        )
        warn_of_learnt_texts(context, gold, "for new texts the temperature is too low")
        kept = save_list_temperature(context.nlp, report.temperature)
        context.model_store.save_calibration(kept)
        context.model_store.drop_calibration_notice()
        return report

    def decide(
        self,
        rule: Literal["greedy", "expected_f"] = "expected_f",
        *,
        min_precision: float | None = None,
        split: str = "train",
        dev: str = "dev",
        progress: bool = True,
    ) -> Decision:
        """Choose how the model decides between spans: greedily, or by the highest expected F.

        Greedy decoding, spaCy's, takes the best action at every token. With
        "expected_f" a component after the recognizer computes the exact
        probability of every span, and sets the non-overlapping spans with the
        highest sum of probability minus theta. It raises precision more than it
        lowers recall. A temperature makes the probabilities less sure of
        themselves first. Both are chosen on held-out gold: temperature by
        likelihood, and theta as the fixed point F / 2 of the expected F.

        The pipeline is saved with the component as the newest model of the
        session: suggestions, predictions, evaluation, Dask and the next session
        all decide in this way. Training starts from the recognizer alone, so a
        new `ner` decodes greedily until this is called again, and a new CRF by
        the decision that its training finds without gold.

        Parameters
        ----------
        rule : {"expected_f", "greedy"}
            "greedy" takes the decision away.
        min_precision : float, optional
            Use the lowest theta that reaches this precision on the held-out gold,
            in place of the highest expected F.
        split, dev : str
            The held-out gold: accepted examples of ``dev``, and those of
            ``split`` that a query strategy held out.
        progress : bool
            Show a bar. The stop button leaves everything as it was.

        Returns
        -------
        Decision
            ``frame`` and ``per_label`` (precision, recall and F of both, with
            intervals), ``gain`` (paired), ``threshold``, ``temperature``,
            ``curve`` and ``plot()`` (over theta). Each text is decided by what
            other texts chose. Beside both is the plain filter: greedy spans of
            at least some probability.

        Raises
        ------
        DataError
            There is no such rule, too little held-out gold, or no theta that
            reaches the precision.
        ModelError
            The model has not been trained, or has a reranker, which decides
            itself.
        """
        context = self._context
        if rule not in ("greedy", "expected_f"):
            raise DataError(
                f"there is no rule {rule!r} to decide by",
                field="rule",
                remedy='Use "expected_f" or "greedy"',
            )
        if rule == GREEDY and min_precision is not None:
            raise DataError(
                "greedy decoding has no threshold that could reach a precision",
                field="min_precision",
                remedy='Use decide("expected_f", min_precision=...)',
            )
        check_trained(context.nlp)
        _, evaluated = training_split(context, split, dev)
        gold = [one for one in evaluated if not one.binary]
        source = f"split {dev!r}"
        if rule == GREEDY:
            return _decide_greedily(context, gold, source)
        if reranker_of(context.nlp) is not None:
            raise ModelError(
                "the model has a reranker, which chooses among whole analyses and would be "
                "overruled. Use a model without one first: session.model.use(report)."
            )
        decided, report = fit_decision(
            context.nlp,
            gold,
            min_precision=min_precision,
            source=source,
            seed=context.seed,
            progress=progress,
        )
        warn_of_learnt_texts(context, gold, "for new texts another threshold may be the best")
        # The probabilities are those of the same recognizer.
        known = copy_temperatures(context.nlp, decided)
        if known is not None:
            context.model_store.save_calibration(known)
        record = {"decision": {"threshold": report.threshold, "temperature": report.temperature}}
        _save_and_use(context, decided, record)
        return report

    def rerank(
        self,
        width: int = 8,
        features: Sequence[FeatureFunction] = (),
        *,
        split: str = "train",
        dev: str = "dev",
        folds: int = 5,
        max_epochs: int | None = None,
        l2: float | None = None,
        use: bool = False,
        progress: bool = True,
    ) -> Reranking:
        """Fit a reranker over the k best analyses, and measure its gain on held-out texts.

        It learns from lists of models that never saw their texts: ``folds``
        models are trained for that, each from the session's base on all folds
        but one, which takes about ``folds`` times as long as `Session.train`.
        `Session.oracle_curve` shows beforehand the most that it can gain.

        Parameters
        ----------
        width : int
            Analyses in a list.
        features : sequence of callable
            Features of your own, from ``(doc, parse)`` to a dict of numbers,
            beside those of `nbner.reranking.features`.
        split, dev : str
            Where to learn, and where to measure.
        folds : int
            Models that are trained for it.
        max_epochs : int, optional
            Of each fold's training.
        l2 : float, optional
            Weight of the penalty on large weights; by default the best of four
            on the last fold.
        use : bool
            Use the pipeline with its reranker from now on, and in the next
            session, with the calibrations of its recognizer. Where it harms on the
            held-out gold (``harms``) it is not put in place, with a warning:
            ``session.model.use(result)`` is then your word that it shall be.
            Otherwise nothing changes: the result holds it as ``nlp``.
        progress : bool
            Show a bar. The stop button leaves everything as it was.

        Returns
        -------
        Reranking
            ``frame``, ``plot()``, ``summary``, ``gain``, ``oracle_share`` (of what a
            perfect choice would gain), ``harms``, ``features``, ``nlp``,
            ``to_disk(path)``.

        Raises
        ------
        DataError
            The width is below 2 or above 1,024, there is no gold, or too little of it.
        ModelError
            The model has not been trained, or decides by expected F as `decide`
            has chosen it. A decision that the training of a CRF has added is left
            out, and the result says so.
        TrainingError
            The rest of a fold cannot be trained on.
        """
        context = self._context
        if decision_of(context.nlp) is not None and decision_without_gold(context.nlp) is None:
            raise ModelError(
                "the model decides by expected F, which would overrule a reranker's choice. Take "
                'the decision away first: session.model.decide("greedy").'
            )
        # A decision that training has added, and nobody has chosen, gives way.
        found = fit_reranker(
            without_decision(context.nlp),
            context.base_nlp,
            context.gold(split),
            context.gold(dev),
            labels=context.labels,
            width=width,
            features=features,
            folds=folds,
            seed=context.seed,
            max_epochs=max_epochs,
            l2=l2,
            dev_name=dev,
            in_use=context.nlp,
            without_decision=decision_of(context.nlp) is not None,
            progress=progress,
        )
        # The probabilities are those of the same recognizer.
        copy_temperatures(context.nlp, found.nlp)
        if not use:
            return found
        if found.harms:
            warnings.warn(
                f"The reranker is not put in place, since it harms on {dev!r}. {found.summary} "
                "If it shall be used all the same: session.model.use(result), with what rerank() "
                "has returned.",
                stacklevel=4,
            )
            return found
        return replace(found, path=_use_reranking(context, found))

    def ensemble(
        self,
        models: Sequence[int | str | Path | Language],
        *,
        width: int = 8,
        split: str = "train",
        dev: str = "dev",
        folds: int = 5,
        max_epochs: int | None = None,
        progress: bool = True,
    ) -> Ensemble:
        """Combine several models, and measure the gain over the best of them.

        Two ways: the average of the models' exact span probabilities, of which
        the spans above one half are taken; and a reranker over the pool of
        their lists. The reranker learns on ``dev`` itself, which no model was
        trained on, and decides each fold of it by what it learnt from the
        others, so that no figure is counted over texts that it learnt from.

        Parameters
        ----------
        models : sequence of int, str, Path or Language
            At least two. A number is a seed: a model is trained with it, from
            the session's base. The session's own model does not change.
        width : int
            Analyses that each model brings into the pool.
        split, dev : str
            Where seeds are trained, and where all is measured.
        folds : int
            Into which ``dev`` is divided.
        max_epochs : int, optional
            Of each seed's training.
        progress : bool
            Show a bar. The stop button leaves everything as it was.

        Returns
        -------
        Ensemble
            ``frame``: each model, the average, the reranked pool, the best in
            the pool; gains are over the best single model. ``plot()``,
            ``summary``, ``predict(texts)``.

        Raises
        ------
        DataError
            There are fewer than two models, too little gold, or a seed where the
            session starts from a random field.
        ModelError
            A model cannot be loaded, or has not been trained.
        """
        context = self._context
        needs_training = any(isinstance(one, int) for one in models)
        return fit_ensemble(
            models,
            context.base_nlp,
            context.gold(split) if needs_training else (),
            context.gold(dev),
            labels=context.labels,
            width=width,
            folds=folds,
            seed=context.seed,
            max_epochs=max_epochs,
            dev_name=dev,
            progress=progress,
        )

    def use(self, report: TrainingReport | Reranking | str | Path) -> None:
        """Use a trained model from now on, whatever the forgetting guard has found.

        Parameters
        ----------
        report : TrainingReport, Reranking, str or Path
            Report of a run of this session; the result of `rerank`, also of one
            that harms; or the folder of a model, such as that of a run that was
            cut off.

        Raises
        ------
        ModelError
            The folder no longer exists, cannot be loaded, or holds another model
            than the report's.
        """
        if isinstance(report, Reranking):
            _use_reranking(self._context, report)
            return
        if isinstance(report, (str, Path)):
            path, record = Path(report).absolute(), dict[str, Any]()
        else:
            path, record = report.path, dict(report.record)
        if not path.is_dir():
            raise ModelError(
                f"there is no model folder {path}. session.model.runs lists the paths."
            )
        nlp = load_base(path)
        found = fingerprint(nlp)
        if (
            isinstance(report, TrainingReport)
            and found != report.fingerprint
            and not self._context.model_store.is_former(path, report.fingerprint)
        ):
            raise ModelError(
                f"the model in {path} is {found} and no longer the report's {report.fingerprint}. "
                f"Train again, or take it as it is: session.model.use({str(path)!r})."
            )
        change = find_change(path)
        if change is not None:
            warnings.warn(
                f"{change}. The model is used as it is; train again where that was not meant.",
                stacklevel=2,
            )
        self._context.model_store.record_run(path, found, record)
        self._context.activate(nlp)

    @property
    def runs(self) -> pd.DataFrame:
        """The models of this dataset that came into use, the oldest first.

        One row a run: ``created`` (UTC), ``f`` (best dev F over exact spans;
        missing where the run has none, as for a reranker), ``fingerprint``,
        ``path``, ``exists`` (whether the folder is still there), ``in_use``
        (true for at most one run: the last whose model is the one in use) and
        ``problem`` (why the model could not be loaded, or that it is no longer the
        one that was recorded; empty where it was not tried, or is in order).
        """
        import pandas as pd

        runs = self._context.model_store.runs()
        # A folder keeps the names that labels had when its model was trained.
        current = self._context.trained_fingerprint
        last = max((i for i, one in enumerate(runs) if one["fingerprint"] == current), default=None)
        rows = [
            (
                pd.Timestamp(one["created"], unit="s", tz="UTC"),
                _best_f(one["record"]),
                one["fingerprint"],
                one["path"],
                Path(one["path"]).exists(),
                number == last,
                self._context.model_store.problem_of(one["path"]),
            )
            for number, one in enumerate(runs)
        ]
        return pd.DataFrame(rows, columns=RUN_COLUMNS).astype({"f": float})


def _decide_greedily(context: SessionContext, gold: Sequence[Example], source: str) -> Decision:
    """Use the pipeline without its decision, and measure it where there is gold enough."""
    decided, greedy = context.nlp, without_decision(context.nlp)
    if greedy is not decided:
        model = fingerprint(greedy)
        known = copy_temperatures(decided, greedy)
        if known is not None:
            context.model_store.save_calibration(known)
        runs = [one for one in context.model_store.runs() if one["fingerprint"] == model]
        saved = next((one for one in reversed(runs) if Path(one["path"]).exists()), None)
        if saved is None:
            _save_and_use(context, greedy, {})
        else:
            # The next session uses the last one that was recorded.
            context.model_store.record_run(Path(saved["path"]), model, saved["record"])
            greedy = load_base(saved["path"])
            context.model_store.load_calibration(greedy)
            context.activate(greedy)
    measured = HeldOutGold(gold)
    if not measured.is_large_enough:
        return Decision(GREEDY, source=source, fingerprint=fingerprint(greedy))
    return Decision.measure(
        {GREEDY: list(predict(greedy, gold))},
        count=measured.counts,
        gold=[one.spans for one in gold],
        thresholds=(None,),
        source=source,
        seed=context.seed,
        fingerprint=fingerprint(greedy),
    )


def _best_f(record: Mapping[str, Any]) -> float | None:
    """Return the best dev F of a stored run; None where it has none."""
    best = record.get("best")
    found = best.get("f") if isinstance(best, Mapping) else None
    return None if found is None else float(found)


def _save_and_use(context: SessionContext, nlp: Language, record: Mapping[str, Any]) -> Path:
    """Save a pipeline as the newest of the model store, use it, and return its folder."""
    path = context.model_store.save_pipeline(nlp, {**learnt_record(context), **record})
    context.activate(load_base(path))
    return path


def _use_reranking(context: SessionContext, found: Reranking) -> Path:
    """Save and use a pipeline with its reranker, with the calibrations of its recognizer."""
    known = copy_temperatures(found.nlp, found.nlp)
    if known is not None:
        context.model_store.save_calibration(known)
    record = {"reranker": {"width": found.width, "folds": found.folds}}
    return _save_and_use(context, found.nlp, record)


def _predicted_spans(
    nlp: Language, gold: Sequence[Example], *, progress: bool
) -> Iterator[list[tuple[float, str, bool]]]:
    """Yield for each text its predicted spans: uncalibrated probability, label, correct or not."""
    from nbner._common.progress import ProgressBar

    predicted = predict(nlp, gold)
    known = span_probabilities(nlp, gold, max_span_length=MAX_SPAN_LENGTH)
    with ProgressBar(len(gold), "calibrating", "texts", visible=progress) as bar:
        for example, spans, found in zip(gold, bar.wrap(predicted), known, strict=True):
            right = set(example.spans)
            yield [
                (found.probability_of(span), span.label, span in right)
                for span in spans
                if example.labels is None or span.label in example.labels
            ]
