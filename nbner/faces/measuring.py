"""Predictions measured against gold, and models against each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbner.errors import DataError, ModelError
from nbner.faces.erring import Erring
from nbner.types import Example, Span

if TYPE_CHECKING:
    from spacy.language import Language

    from nbner.evaluation.model_comparison import LabelGain, ModelComparison
    from nbner.evaluation.report import Evaluation


def evaluate(gold: Any, predicted: Any, *, seed: int = 0) -> Evaluation:
    """Measure predictions against gold, wherever either comes from.

    Texts are paired by what they say; where tools have altered whitespace or
    letters, or cut a text into sentences or other tokens, spans are compared
    by their characters all the same.

    Parameters
    ----------
    gold, predicted : path, DataFrame, or iterable of dict, Doc or Example
        In any format that can be added to a session. ``predicted`` may be a
        frame as ``session.predict`` gives it, over the texts of ``gold``.
    seed : int
        Of the bootstrap.

    Returns
    -------
    Evaluation
        ``f``, ``precision``, ``recall``, ``macro_f``, ``schemes``, ``frame``,
        ``details`` (every count, with intervals) and ``plot()``.

    Raises
    ------
    DataError
        A side cannot be read, is empty, or has texts that the other has not.

    Examples
    --------
    >>> import nbner
    >>> text = "Whisk the eggs with a fork."
    >>> tool = {"start": 22, "end": 26, "label": "Tool"}
    >>> nbner.evaluate([{"text": text, "spans": [tool]}], [{"text": text, "spans": []}]).recall
    0.0
    """
    from nbner._common.text_alignment import carried
    from nbner.evaluation.pairing import pair
    from nbner.evaluation.report import evaluated
    from nbner.evaluation.warnings import oddities
    from nbner.io.annotations import read_annotations

    rights = read_annotations(gold)
    saids = read_annotations(predicted, rights)
    for name, side in (("gold", rights), ("predicted", saids)):
        if not side:
            raise DataError(f"there is no text in {name}", field=name, remedy="Give some")
    pairing = pair(rights, saids)
    _check_alone(rights, pairing.alone_a, "gold", "predictions")
    _check_alone(saids, pairing.alone_b, "predicted", "gold")
    examples = [one.a for one in pairing.pairs]
    spans = [
        [
            replace(span, start=place[0], end=place[1])
            for span in one.b.spans
            if (place := carried(one.a.text, one.b.text, span.start, span.end))
        ]
        for one in pairing.pairs
    ]
    altered = sum(bool(one.altered) for one in pairing.pairs)
    notices = oddities(examples, spans)
    if altered:
        notices.append(f"{altered:,} texts are written differently: compared by their characters")
    return evaluated(examples, spans, notices=notices, seed=seed)


class Measuring(Erring):
    """Hold models against each other."""

    def compare(
        self,
        model_a: Language | str | Path | Any,
        model_b: Language | str | Path | Any = None,
        split: str = "dev",
        *,
        progress: bool = True,
    ) -> ModelComparison:
        """Hold one model against another over the same gold, and say whether chance explains it.

        Parameters
        ----------
        model_a, model_b : Language, str, Path or TrainingReport
            A pipeline, its folder, or what ``session.train`` has returned. By
            default ``model_b`` is the model in use.
        split : str
            Its accepted examples are the gold.
        progress : bool
            Show a bar.

        Returns
        -------
        ModelComparison
            ``gain`` with its interval, ``p``, ``verdict``, ``frame``,
            ``per_label``, ``plot()``, and ``flips``, which ``flips.show()``
            opens in the error explorer.

        Raises
        ------
        DataError
            Nothing is accepted in the split.
        ModelError
            A model cannot be loaded or is not trained, or both are the same.
        """
        from nbner._common.progress import Bar
        from nbner.evaluation.comparison import compare
        from nbner.evaluation.model_comparison import ModelComparison
        from nbner.evaluation.permutation_test import counts, randomisation
        from nbner.evaluation.regressions import flips
        from nbner.evaluation.regressions_report import Flips
        from nbner.nlp.fingerprint import fingerprint
        from nbner.nlp.prediction import predict

        models = [_pipeline(model_a), self._nlp if model_b is None else _pipeline(model_b)]
        prints = [fingerprint(one) for one in models]
        if prints[0] == prints[1]:
            raise ModelError(
                f"both are the same model, {prints[0]}. Give another one: a pipeline, its folder, "
                "or a report of session.train()."
            )
        gold = self._gold(split)
        with Bar(2 * len(gold), "comparing", "texts", shown=progress) as bar:
            before, after = ([*bar.over(predict(one, gold))] for one in models)
        names = (f"model {prints[0]}", f"model {prints[1]}")
        rights, known = [one.spans for one in gold], [one.labels for one in gold]
        rows = compare(
            rights, dict(zip(names, (before, after), strict=True)), known=known, seed=self.seed
        )
        tables = [counts(rights, said, known) for said in (before, after)]
        return ModelComparison(
            rows=(rows[0], rows[1]),
            p=randomisation(tables[0], tables[1], seed=self.seed),
            labels=self._gains(gold, before, after),
            flips=Flips(
                tuple(flips(gold, before, after)),
                n=len(gold),
                opener=lambda: self._versus(gold, before, after, names),
            ),
            split=split,
        )

    def _gains(
        self,
        gold: Sequence[Example],
        before: Sequence[Sequence[Span]],
        after: Sequence[Sequence[Span]],
    ) -> tuple[LabelGain, ...]:
        from nbner.evaluation.model_comparison import LabelGain
        from nbner.evaluation.permutation_test import counts, randomisation
        from nbner.evaluation.scores import PRF

        rights, known = [one.spans for one in gold], [one.labels for one in gold]
        found = []
        for label in self.labels:
            tables = [counts(rights, said, known, label) for said in (before, after)]
            a, b = (PRF(*(int(n) for n in table.sum(axis=0))) for table in tables)
            p = randomisation(tables[0], tables[1], seed=self.seed)
            found.append(LabelGain(label, a.support, a.f, b.f, p))
        return tuple(found)


def _pipeline(source: Any) -> Language:
    from nbner.nlp.pipeline import load_base

    path = getattr(source, "path", source)
    nlp = load_base(path) if isinstance(path, (str, Path)) else source
    if not hasattr(nlp, "pipe_names"):
        raise ModelError(
            f"{type(source).__name__} is not a model. Give a pipeline, its folder, or a report of "
            "session.train()."
        )
    found: Language = nlp
    return found


def _check_alone(side: Sequence[Example], alone: Sequence[int], here: str, there: str) -> None:
    if not alone:
        return
    first = side[alone[0]].text
    raise DataError(
        f"{len(alone):,} texts of {here} are not among the {there}, such as {first[:60]!r}",
        field=here,
        remedy="Give both sides the same texts, in any order",
    )
