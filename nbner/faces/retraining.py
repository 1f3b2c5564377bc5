"""Retraining: what a run starts from, and whether its model is put in the old one's place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbner.errors import TrainingError
from nbner.evaluation.regressions import MARGIN, flips, frozen_sets, losses
from nbner.faces.material import Material
from nbner.types import Example

if TYPE_CHECKING:
    from spacy.language import Language

    from nbner.quality.data_warnings_report import Problems
    from nbner.training.background_report import BackgroundTraining
    from nbner.training.initialization import How
    from nbner.training.loop import Training
    from nbner.training.records import TrainingResult
    from nbner.training.report import TrainingReport


class Retraining(Material):
    """Start runs, judge what comes out, and change models over."""

    _versus: Callable[..., Any]

    # The model before it was given room for new labels; training gives it that room itself.
    _grown_from: Language | None = None

    def use(self, report: TrainingReport) -> None:
        """Put a trained model in place, whatever the forgetting guard has said of it.

        Parameters
        ----------
        report : TrainingReport
            Of a run of this session.

        Raises
        ------
        ModelError
            Its folder is gone.
        """
        from nbner.nlp.pipeline import load_base

        nlp = load_base(report.path)
        self._shelf.keep_run(report.path, report.fingerprint, report.record)
        self._put_in_place(nlp)

    def _begin(
        self,
        how: How | None,
        split: str,
        examples: Sequence[Example],
        measured: Sequence[Example],
        *,
        seed: int,
        output: Path,
        **wishes: Any,
    ) -> Training:
        """Prepare a run over examples of a split; rehearsal takes texts of that split."""
        from nbner.training import loop

        base = self._start_of(how)
        rehearse = self._rehearsal(base, split, seed) if how == "rehearsal" else ()
        return loop.train(
            base,
            examples,
            measured,
            labels=self.labels,
            seed=seed,
            output=output,
            last_layer=how == "last layer",
            rehearse=rehearse,
            **wishes,
        )

    def _begin_apart(
        self,
        how: How | None,
        split: str,
        dev: str,
        *,
        seed: int,
        margin: float | None,
        **wishes: Any,
    ) -> BackgroundTraining:
        """Start a run in another process; what can be refused is refused here and now."""
        from nbner.nlp.gold_docs import choose
        from nbner.training.background import TrainingApart
        from nbner.training.background_report import BackgroundTraining

        base = self._start_of(how)
        train, measured = self._learnt_and_held(split, dev)
        corpus = choose(train, measured, self.labels, seed)
        problems = self._problems(split, dev, train, measured)
        run = TrainingApart(
            base,
            train,
            measured,
            labels=self.labels,
            output=self._shelf.new_folder(),
            seed=seed,
            last_layer=how == "last layer",
            rehearse=self._rehearsal(base, split, seed) if how == "rehearsal" else (),
            wishes=wishes,
        )
        gold = corpus.dev if corpus.is_measured_apart else ()

        def finish() -> TrainingReport:
            return replace(self._settle(run.wait(), gold, margin), problems=problems)

        return BackgroundTraining(run, finish)

    def problems(self, split: str = "train", dev: str = "dev") -> Problems:
        """Say what training on a split would suffer from.

        Labels with few examples or none, labels in dev alone, texts in both
        splits, and accepted answers that contradict each other.

        Returns
        -------
        Problems
            Each with its ``examples``; ``frame`` lists them.
        """
        return self._problems(split, dev, *self._learnt_and_held(split, dev))

    def _problems(
        self, split: str, dev: str, learnt: Sequence[Example], held: Sequence[Example]
    ) -> Problems:
        from nbner.quality.data_warnings import problems
        from nbner.quality.data_warnings_report import Problems

        train, measured = (
            [one for one in some if one.answer == "accept" and not one.binary]
            for some in (learnt, held)
        )
        by_key = {(one.split, one.input_hash): one for one in (*train, *measured)}
        answers = [
            replace(by_key[key], spans=answer.spans)
            for name in (split, dev)
            for answer in self._dataset.answers(name)
            if answer.answer == "accept" and (key := (answer.split, answer.input_hash)) in by_key
        ]
        return Problems(tuple(problems(train, measured, self.labels, answers=answers)))

    def _learnt_and_held(self, split: str, dev: str) -> tuple[list[Example], list[Example]]:
        """Give what is accepted and what is rejected; what was kept aside is measured on."""
        from nbner.active_learning.ordered_dataset import ASIDE

        accepted = self.examples(split, answer="accept")
        aside = [one for one in accepted if one.extra.get(ASIDE)]
        learnt = [one for one in accepted if not one.extra.get(ASIDE)]
        learnt += self.examples(split, answer="reject")
        return learnt, [*self.examples(dev, answer="accept"), *aside]

    def _start_of(self, how: How | None) -> Language:
        from nbner.nlp.pipeline import is_trained
        from nbner.training.initialization import HOWS, untrained

        if how is not None and how not in HOWS:
            named = ", ".join(repr(one) for one in HOWS)
            raise TrainingError(f"there is no training how={how!r}; there are {named}.")
        if how is None:
            return self._base
        if how == "scratch":
            return untrained(self._base)
        start = self._grown_from or self._nlp
        if not is_trained(start) and how != "continue":
            raise TrainingError(
                f"how={how!r} starts from what was learnt, and the model has not learnt anything "
                "yet. Call session.train() first, or give a trained pipeline: "
                "Session(..., model=...)."
            )
        return start

    def _rehearsal(self, base: Language, split: str, seed: int) -> list[Example]:
        """Choose as many texts without gold as there are with, and let the model label them."""
        from nbner.nlp.pipeline import labels_of
        from nbner.training.initialization import rehearsed

        open_ = [one for one in self.examples(split) if one.answer is None]
        accepted = self.examples(split, answer="accept")
        if not open_:
            # Texts whose old labels nobody has been asked about.
            old = set(labels_of(base)) & set(self.labels)
            open_ = [one for one in accepted if one.labels is not None and old - set(one.labels)]
        return rehearsed(base, open_, self.labels, size=len(accepted), seed=seed)

    def _judge(
        self, result: TrainingResult, gold: Sequence[Example], margin: float | None
    ) -> TrainingReport:
        """Compare the new model with the one in use, and say whether it takes its place."""
        from nbner.evaluation.regressions_report import Flips
        from nbner.evaluation.scores import score
        from nbner.nlp.pipeline import is_trained
        from nbner.nlp.prediction import predict
        from nbner.training.report import TrainingReport

        sets = frozen_sets(gold, self._shelf.regression_sets())
        result = replace(result, record={**result.record, "regression": sets})
        report = TrainingReport.of(result)
        if not is_trained(self._nlp) or not gold:
            return report
        before, after = list(predict(self._nlp, gold)), list(predict(result.nlp, gold))
        frozen = {one for hashes in sets.values() for one in hashes}
        kept = [i for i, one in enumerate(gold) if one.input_hash in frozen]
        scores = [
            score(
                [gold[i].spans for i in kept],
                [said[i] for i in kept],
                labels=self.labels,
                known=[gold[i].labels for i in kept],
            )
            for said in (before, after)
        ]
        lost = [] if margin is None else losses(scores[0], scores[1], margin=margin)
        return replace(
            report,
            flips=Flips(
                tuple(flips(gold, before, after)),
                n=len(gold),
                opener=lambda: self._versus(gold, before, after),
            ),
            lost=tuple(lost),
            in_use=not lost,
        )

    def _settle(
        self, result: TrainingResult, gold: Sequence[Example], margin: float | None = MARGIN
    ) -> TrainingReport:
        """Judge a finished run, and change over unless the guard holds it back."""
        report = self._judge(result, gold, margin)
        if report.in_use:
            self._shelf.keep_run(report.path, report.fingerprint, report.record)
            self._put_in_place(result.nlp)
        return report

    def _put_in_place(self, nlp: Language) -> None:
        self._nlp = nlp
        self._lattices.clear()
        self._grown_from = None
        for annotator in list(self._annotators):
            annotator.refresh()
        for explorer in list(self._explorers):
            explorer.outdate()
