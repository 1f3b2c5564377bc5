"""Deciding better than the model's first analysis: a reranker, and several models together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from nbner.errors import DataError
from nbner.evaluation.comparison import compare
from nbner.evaluation.k_best_scores import best_positions, errors_of
from nbner.faces.analysing import Analysing
from nbner.faces.confidence import LONGEST
from nbner.types import Example, Parse, Span

if TYPE_CHECKING:
    from spacy.language import Language

    from nbner._common.progress import Bar
    from nbner.reranking.component import Reranker
    from nbner.reranking.cross_validation import Fold
    from nbner.reranking.features import FeatureFunction
    from nbner.reranking.report import Ensemble, Reranking
    from nbner.training.records import TrainingRecord

Tell: TypeAlias = "Callable[[int, TrainingRecord], None]"

FIRST, RERANKED, BEST = "the first analysis", "the reranker", "the best in the list"


class Deciding(Analysing):
    """Choose among analyses by more than one model's own scores."""

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
        but one, which takes about ``folds`` times as long as `train`. Ask
        `oracle_curve` first whether it is worth it.

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
        max_epochs : int, optional
            Of each fold's training.
        l2 : float, optional
            The penalty on large weights; by default the best of four on the
            last fold.
        use : bool
            Use the pipeline with its reranker from now on, and in the next
            session. Otherwise nothing changes: the result holds it as ``nlp``.
        progress : bool
            Show a bar. The stop button leaves everything as it was.

        Returns
        -------
        Reranking
            ``frame``, ``plot()``, ``verdict``, ``features``, ``nlp``,
            ``to_disk(path)``.

        Raises
        ------
        DataError
            The width is below 2, there is no gold, or too little of it.
        ModelError
            The model has not been trained.
        TrainingError
            A fold's rest cannot be trained on.
        """
        from nbner._common.progress import Bar
        from nbner.decoding.api import parses
        from nbner.nlp.pipeline import copy_of
        from nbner.reranking.component import Reranker, add_to, named
        from nbner.reranking.cross_validation import jackknife
        from nbner.reranking.report import Comparison, Reranking

        _check_width(width)
        functions = named(features)
        gold, held_out = self._gold(split), self._gold(dev)
        # Before anything is trained, so that a mistake is not found an hour later.
        lists = list(parses(self._nlp, held_out, width, longest=LONGEST))
        made: list[Fold] = []
        with Bar(folds, "training on folds", "folds", shown=progress) as bar:
            found = jackknife(
                self._base,
                gold,
                held_out,
                labels=self.labels,
                width=width,
                folds=folds,
                seed=self.seed,
                max_epochs=max_epochs,
                watch=teller(bar, folds),
            )
            made += bar.over(found)
        nlp = copy_of(self._nlp)
        fitted = Reranker(nlp, width=width, functions=functions)
        penalty = self._fit(fitted, gold, made, l2)
        reranker = add_to(nlp, fitted)
        rows = compare(
            [one.spans for one in held_out],
            self._decided(reranker, held_out, lists),
            known=[one.labels for one in held_out],
            seed=self.seed,
        )
        return Reranking(
            comparison=Comparison(tuple(rows), RERANKED, dev),
            nlp=nlp,
            width=width,
            n_lists=len(gold),
            folds=folds,
            fold_f=tuple(one.f for one in made),
            l2=penalty,
            weights=reranker.weights,
            path=self._adopt(nlp, {"reranker": {"width": width, "folds": folds}}) if use else None,
        )

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
        """Let several models decide together, and measure what that gains.

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
            Into which ``dev`` is dealt.
        max_epochs : int, optional
            Of each seed's training.
        progress : bool
            Show a bar. The stop button leaves everything as it was.

        Returns
        -------
        Ensemble
            ``frame``: each model, the average, the reranked pool, the best in
            the pool; gains are over the best single model. ``plot()``,
            ``verdict``, ``predict(texts)``.

        Raises
        ------
        DataError
            There are fewer than two models, or too little gold.
        ModelError
            A model cannot be loaded, or has not been trained.
        """
        from nbner._common.progress import Bar
        from nbner.reranking.component import docs_of
        from nbner.reranking.cross_validation import deal
        from nbner.reranking.ensemble import Committee, pools
        from nbner.reranking.fitting import decide_apart, learn
        from nbner.reranking.report import Ensemble

        _check_width(width)
        if len(models) < 2:
            raise DataError(
                f"{len(models)} models are no ensemble",
                field="models",
                remedy="Give two or more, such as seeds: session.ensemble([0, 1, 2])",
            )
        gold = self._gold(dev)
        dealt = deal(len(gold), folds, self.seed)
        members = self._members(models, split, dev, max_epochs=max_epochs, progress=progress)
        committee = Committee(list(members.values()), width)
        with Bar(len(gold), "pooling", "texts", shown=progress) as bar:
            pooled = list(bar.over(pools(committee.models, gold, width)))
        docs = docs_of(committee.models[0], gold)
        described = [committee.features(*one) for one in zip(docs, pooled, strict=True)]
        judged = [
            ([one.spans for one in pool.analyses], example.spans, example.labels)
            for pool, example in zip(pooled, gold, strict=True)
        ]
        errors = [errors_of(*one) for one in judged]
        chosen = decide_apart(described, errors, dealt)
        committee.weights = dict(learn(described, errors, dealt[0]).weights)
        return Ensemble.of(
            list(members),
            pooled,
            chosen,
            [best_positions(*one)[0] for one in judged],
            gold=gold,
            committee=committee,
            split=dev,
            seed=self.seed,
        )

    def _members(
        self,
        models: Sequence[int | str | Path | Language],
        split: str,
        dev: str,
        *,
        max_epochs: int | None,
        progress: bool,
    ) -> dict[str, Language]:
        """Train and load the models of an ensemble, each under a name."""
        from nbner._common.progress import Bar
        from nbner.nlp.pipeline import load_base

        seeds = [one for one in models if isinstance(one, int)]
        if len(set(seeds)) < len(seeds):
            raise DataError("a seed is given twice", field="models", remedy="Use other seeds")
        members: dict[str, Language] = {}
        with Bar(len(models), "gathering models", "models", shown=progress) as bar:
            for number, one in enumerate(bar.over(models), start=1):
                if isinstance(one, int):
                    tell = teller(bar, len(models))
                    members[f"seed {one}"] = self._trained_with(one, split, dev, max_epochs, tell)
                elif isinstance(one, (str, Path)):
                    members[f"model {number}"] = load_base(one)
                else:
                    members[f"model {number}"] = one
        return members

    def _trained_with(
        self, seed: int, split: str, dev: str, max_epochs: int | None, tell: Tell
    ) -> Language:
        from nbner.reranking.cross_validation import train_once

        return train_once(
            self._base,
            self._gold(split),
            self._gold(dev),
            labels=self.labels,
            seed=seed,
            max_epochs=max_epochs,
            watch=lambda record: tell(0, record),
        ).nlp

    def _fit(
        self, reranker: Reranker, gold: Sequence[Example], made: Sequence[Fold], l2: float | None
    ) -> float:
        """Fit a reranker to the folds' lists; the penalty is chosen on the last fold."""
        from nbner.reranking.component import docs_of
        from nbner.reranking.fitting import learn

        lists = {i: one for fold in made for i, one in zip(fold.positions, fold.lists, strict=True)}
        docs = docs_of(self._nlp, gold)
        described = [reranker.features(doc, lists[i]) for i, doc in enumerate(docs)]
        errors = [
            errors_of([parse.spans for parse in lists[i]], example.spans, example.labels)
            for i, example in enumerate(gold)
        ]
        learnt = learn(described, errors, made[-1].positions, l2=l2)
        reranker.weights = dict(learnt.weights)
        return learnt.l2

    def _decided(
        self, reranker: Reranker, gold: Sequence[Example], lists: Sequence[tuple[Parse, ...]]
    ) -> dict[str, list[tuple[Span, ...]]]:
        """Give what is decided for each text by the model, by the reranker, and at best."""
        from nbner.reranking.component import docs_of

        docs = docs_of(self._nlp, gold)
        chosen = [reranker.choose(*one) for one in zip(docs, lists, strict=True)]
        best = [
            best_positions([parse.spans for parse in one], example.spans, example.labels)[0]
            for one, example in zip(lists, gold, strict=True)
        ]
        places = {FIRST: [0] * len(lists), RERANKED: chosen, BEST: best}
        return {
            name: [one[i].spans for one, i in zip(lists, found, strict=True)]
            for name, found in places.items()
        }

    def _adopt(self, nlp: Language, record: Mapping[str, Any]) -> Path:
        """Save a pipeline, and use it from now on."""
        from nbner.nlp.pipeline import load_base

        path = self._shelf.keep_pipeline(nlp, record)
        self._put_in_place(load_base(path))
        return path


def _check_width(width: int) -> None:
    if width < 2:
        raise DataError(
            f"in a list of {width} there is nothing to choose",
            field="width",
            remedy="Use width=2 or more; session.oracle_curve() says which is worth it",
        )


def teller(bar: Bar, of: int) -> Tell:
    """Say beside the bar how the training of one of several models goes."""

    def tell(number: int, record: TrainingRecord) -> None:
        if record.f is not None:
            bar.say(f"{number + 1} of {of}: epoch {record.epoch + 1}, dev F {record.f:.3f}")

    return tell
