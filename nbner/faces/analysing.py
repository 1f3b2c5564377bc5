"""What a model's lists of analyses hold, and how far its probabilities can be believed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Literal

from nbner.errors import DataError
from nbner.evaluation import k_best_scores
from nbner.faces.confidence import LONGEST
from nbner.faces.modelling import Modelling
from nbner.reranking.oracle import plan, study
from nbner.types import Example, Span

if TYPE_CHECKING:
    from nbner.decoding.calibration.report import Calibration
    from nbner.reranking.oracle.report import OracleCurve


class Analysing(Modelling):
    """Study the lists of the k best analyses."""

    def oracle_curve(
        self,
        widths: Sequence[int] = plan.WIDTHS,
        decoders: Sequence[plan.Decoder] = plan.DECODERS,
        split: str = "dev",
        *,
        source: Literal["gold", "answers"] = "gold",
        progress: bool = True,
    ) -> OracleCurve:
        """Ask what a perfect choice among the k best analyses would gain.

        How everything is counted, ties and texts without entities among it,
        stands in `nbner.reranking.oracle.study`.

        Parameters
        ----------
        widths : sequence of int
            Lengths of the list; they rise.
        decoders : sequence of {"exact", "beam"}
            The k best analyses without search error, and spaCy's own beam
            search, which runs once a width.
        split : str
            Its accepted examples are the gold.
        source : {"gold", "answers"}
            "answers" asks nothing of the model: it counts what make-gold kept
            beside every accepted answer, over all splits. It knows the exact
            decoder alone, and widths up to 64.
        progress : bool
            Show a bar. The stop button ends the study and leaves nothing.

        Returns
        -------
        OracleCurve
            ``frame``, ``plot()``, ``verdict``, ``per_label()``.

        Raises
        ------
        DataError
            The widths do not rise, a decoder is not one, or there is no gold.
        ModelError
            The model has not been trained.
        """
        taken = plan.check_widths(widths)
        names = plan.check_decoders(decoders)
        if source == "answers":
            return self._curve_of_answers(taken)
        if source != "gold":
            raise DataError(f"{source!r} is not a source", remedy='Use "gold" or "answers"')
        return self._curve_of_gold(taken, names, split, progress=progress)

    def calibrate(
        self, split: str = "dev", *, per_label: bool = False, progress: bool = True
    ) -> Calibration:
        """Set the model's span probabilities right by a temperature fitted on gold.

        The temperature is kept with the model: in its meta, which travels with
        it, and beside the session's models, where the next session finds it.
        ``predict(..., probabilities=True)`` and the confidence of suggestions
        use it from now on. Which spans are predicted does not change.

        Parameters
        ----------
        split : str
            Its accepted examples are the gold. They should be none that the
            model was trained on.
        per_label : bool
            A temperature for every label that is predicted 30 times or more.
        progress : bool
            Show a bar. The stop button leaves everything as it was.

        Returns
        -------
        Calibration
            ``temperature``, ``error_before``, ``error_after``, ``frame``,
            ``labels``, ``plot()``.

        Raises
        ------
        DataError
            There is no gold, or fewer than 30 spans are predicted on it.
        ModelError
            The model has not been trained.
        """
        from nbner.decoding.calibration import temperature
        from nbner.decoding.calibration.report import Calibration
        from nbner.nlp.calibration_meta import keep
        from nbner.nlp.fingerprint import fingerprint

        gold = self._gold(split)
        pairs = temperature.pairs_of(list(self._believed(gold, progress=progress)))
        if len(pairs) < temperature.LEAST:
            raise DataError(
                f"the model predicts {len(pairs)} spans in split {split!r}, too few to fit a "
                "temperature on",
                remedy=f"Add gold there until it predicts {temperature.LEAST}",
            )
        temperatures = temperature.fit(pairs, per_label=per_label)
        self._shelf.keep_calibration(keep(self._nlp, temperatures.overall, temperatures.per_label))
        return Calibration.of(
            pairs,
            temperatures,
            seed=self.seed,
            split=split,
            n_texts=len(gold),
            fingerprint=fingerprint(self._nlp),
        )

    def _believed(
        self, gold: Sequence[Example], *, progress: bool
    ) -> Iterator[list[tuple[float, str, bool]]]:
        """Give for each text the predicted spans: uncalibrated probability, label, right or not."""
        from nbner._common.progress import Bar
        from nbner.decoding.api import span_probabilities
        from nbner.nlp.prediction import predict

        predicted = predict(self._nlp, gold)
        known = span_probabilities(self._nlp, gold, longest=LONGEST)
        with Bar(len(gold), "calibrating", "texts", shown=progress) as bar:
            for example, spans, found in zip(gold, bar.over(predicted), known, strict=True):
                right = set(example.spans)
                yield [
                    (found.of(span), span.label, span in right)
                    for span in spans
                    if example.labels is None or span.label in example.labels
                ]

    def _curve_of_gold(
        self,
        widths: tuple[int, ...],
        decoders: Sequence[plan.Decoder],
        split: str,
        *,
        progress: bool,
    ) -> OracleCurve:
        from nbner.nlp.fingerprint import fingerprint
        from nbner.nlp.gold_docs import is_expressible
        from nbner.reranking.oracle.report import Lists, OracleCurve

        gold = self._gold(split)
        right, known = [one.spans for one in gold], [one.labels for one in gold]
        runs = plan.runs(widths, decoders)
        points: list[study.Point] = []
        studies: dict[tuple[str, int], study.Study] = {}
        for run, lists in zip(runs, self._lists(gold, runs, progress=progress), strict=True):
            done = study.study(
                lists, right, widths=run.widths, decoder=run.decoder, known=known, seed=self.seed
            )
            points += done.points
            studies |= {(run.decoder, width): done for width in run.widths}
        return OracleCurve(
            points=tuple(points),
            over=split,
            unreachable=sum(not is_expressible(self._nlp, one) for one in gold),
            lists=Lists(right, known, self.labels, studies),
            fingerprint=fingerprint(self._nlp),
        )

    def _lists(
        self, gold: Sequence[Example], runs: Sequence[plan.Run], *, progress: bool
    ) -> Iterator[Iterator[list[tuple[Span, ...]]]]:
        """Give for each run the lists of all texts, one bar over all of them."""
        from nbner._common.progress import Bar
        from nbner.decoding.api import parses

        with Bar(len(gold) * len(runs), "studying", "texts", shown=progress) as bar:
            for run in runs:
                bar.say(run.words)
                found = parses(
                    self._nlp, gold, run.widths[-1], decoder=run.decoder, longest=LONGEST
                )
                yield ([parse.spans for parse in one] for one in bar.over(found))

    def _curve_of_answers(self, widths: tuple[int, ...]) -> OracleCurve:
        from nbner.reranking.oracle.report import OracleCurve

        kept = [
            judgement
            for answer in self._dataset.answers()
            if answer.answer == "accept"
            and (judgement := k_best_scores.judgement_from(answer.extra)) is not None
        ]
        if not kept:
            raise DataError(
                "no accepted answer was given to a suggestion of a model yet, so there is nothing "
                "to count",
                remedy="Correct some with session.make_gold(), or study gold with "
                'session.oracle_curve(split="dev")',
            )
        longest = max(widths)
        if longest > k_best_scores.KEPT:
            raise DataError(
                f"width {longest} is wider than the {k_best_scores.KEPT} analyses that are kept",
                field="widths",
                remedy=f"Ask for widths up to {k_best_scores.KEPT}",
            )
        points = study.curve(kept, widths, "exact", seed=self.seed)
        return OracleCurve(points=tuple(points), over="the answers so far")
