"""Results of rerankers and ensembles: their gain on held-out texts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import nan
from pathlib import Path
from typing import TYPE_CHECKING

from nbner._common.format import plural, render_html
from nbner._common.result import FigureResult
from nbner.decoding.decision.span_sets import best_span_set
from nbner.evaluation.comparison import SystemScore, compare_systems, draw_comparison
from nbner.types import Example, Span

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from spacy.language import Language

    from nbner.reranking.ensemble import CandidatePool, EnsembleReranker

_AVERAGE, _POOLED, _BEST_IN_POOL = "the average", "the reranked pool", "the best in the pool"
_COLUMNS = ["name", "n", "f", "f_low", "f_high", "gain", "gain_low", "gain_high"]
_CHANGE_COLUMNS = ["changed", "better", "worse"]

#: F that a reranker may lose in expectation where the evidence is thin.
MAX_EXPECTED_LOSS = 0.01


@dataclass(frozen=True, slots=True)
class RerankingComparison(FigureResult):
    """Systems evaluated on the same texts, each with its gain over the first.

    ``plot()`` draws the F of each system with its interval.

    Parameters
    ----------
    rows : tuple of Compared
        The first is the baseline.
    evaluated : str
        Name of the row that the result is about.
    split : str
        Name of the split with the texts.
    """

    rows: tuple[SystemScore, ...]
    evaluated: str
    split: str

    @property
    def frame(self) -> pd.DataFrame:
        """One row a system.

        ``name``, ``n`` (texts), ``f`` and ``gain`` (over the first row) with
        ``_low`` and ``_high``, the ends of their 95 % intervals; ``changed``,
        ``better`` and ``worse``: number of texts with another prediction than the
        baseline's, and of those with fewer and with more errors.
        """
        import pandas as pd

        rows = [
            (
                *(one.name, one.n, one.f.value, one.f.low, one.f.high),
                *(one.gain.value, one.gain.low, one.gain.high),
                *(one.changed, one.better, one.worse),
            )
            for one in self.rows
        ]
        return pd.DataFrame(rows, columns=[*_COLUMNS, *_CHANGE_COLUMNS])

    def row(self, name: str) -> SystemScore:
        """Return the row of a system.

        Parameters
        ----------
        name : str
            Name of the system.
        """
        return next(one for one in self.rows if one.name == name)

    @property
    def gain(self) -> float:
        """F gained over the first row, between -1 and 1."""
        return self.row(self.evaluated).gain.value

    @property
    def is_significant(self) -> bool:
        """Whether the whole interval of the gain lies above 0."""
        return self.row(self.evaluated).gain.low > 0

    @property
    def oracle_share(self) -> float:
        """The gain as a share of that of a perfect choice; negative for a loss.

        NaN where a perfect choice would gain nothing.
        """
        perfect = self.rows[-1].gain.value
        return self.gain / perfect if perfect > 0 else nan

    def _draw(self, ax: Axes | None) -> Axes:
        return draw_comparison(
            self.frame, highlighted=self.evaluated, title=self._headline(), ax=ax
        )

    def _headline(self) -> str:
        own = self.row(self.evaluated).gain
        kind = "gains" if own.value >= 0 else "loses"
        return (
            f"{self.evaluated[:1].upper()}{self.evaluated[1:]} {kind} {100 * abs(own.value):.1f} F "
            f"({100 * own.low:+.1f} to {100 * own.high:+.1f}) over {self.rows[0].name}"
        )

    @property
    def summary(self) -> str:
        """The gain and whether to use the system, in words."""
        own, first, last = self.row(self.evaluated), self.rows[0], self.rows[-1]
        found = (
            f"{self._headline()}: F {first.f.value:.3f} to {own.f.value:.3f} over "
            f"{plural(own.n, 'text')} "
            f"of {self.split}; {plural(own.changed, 'text is', 'texts are')} decided "
            f"otherwise, {own.better:,} of them "
            f"better and {own.worse:,} worse."
        )
        sentences = [found]
        if last.gain.value > 0:
            sentences.append(
                f"A perfect choice would gain {100 * last.gain.value:.1f} F; "
                f"{_percent(self.oracle_share)} of that is reached."
            )
        advice = (
            "Use it."
            if self.is_significant
            else "It may be chance: do not use it on this evidence."
        )
        if own.gain.value <= 0:
            advice = "Do not use it."
        return " ".join([*sentences, advice])

    def __str__(self) -> str:
        return self.summary

    def _repr_html_(self) -> str:
        return render_html(str(self), self.frame)


@dataclass(frozen=True, slots=True)
class Reranking(FigureResult):
    """A fitted reranker with its gain on held-out texts.

    ``plot()`` draws the F of the first, the chosen and the best analyses.

    Parameters
    ----------
    comparison : RerankingComparison
        Rows: "the first analysis", "the reranker", "the best in the list".
    nlp : Language
        A copy of the pipeline with the reranker after its recognizer.
    width : int
        Length of the lists.
    n_lists : int
        Number of lists that the weights were fitted on.
    folds : int
        Number of folds, and of models that computed the lists.
    fold_f : sequence of float or None
        Dev F of these models.
    l2 : float
        The penalty, chosen on the last fold.
    weights : mapping
        Feature to weight.
    path : Path, optional
        Folder of the pipeline, if it was saved and is now in use.
    without_decision : bool
        Whether the model decides by expected F, which the pipeline with the
        reranker does not.
    against_model : SystemScore, optional
        The reranker compared with the predictions of the model in use, which are
        not always the first analyses.
    """

    comparison: RerankingComparison
    nlp: Language = field(repr=False)
    width: int = 8
    n_lists: int = 0
    folds: int = 0
    fold_f: Sequence[float | None] = ()
    l2: float = 0.0
    weights: Mapping[str, float] = field(default_factory=dict, repr=False, hash=False)
    path: Path | None = None
    without_decision: bool = False
    against_model: SystemScore | None = field(default=None, repr=False)

    @property
    def frame(self) -> pd.DataFrame:
        """The rows of `RerankingComparison.frame`."""
        return self.comparison.frame

    @property
    def gain(self) -> float:
        """F gained over the first analysis, between -1 and 1."""
        return self.comparison.gain

    @property
    def oracle_share(self) -> float:
        """The gain as a share of what a perfect choice among the lists would gain."""
        return self.comparison.oracle_share

    @property
    def harms(self) -> bool:
        """Whether the held-out gold speaks against the reranker, beside the model in use.

        The whole paired interval is below 0, or F falls and the expected loss
        (paired bootstrap) is above 0.01.
        """
        own = self._beside
        return own.gain.high < 0 or (own.gain.value < 0 and own.expected_loss > MAX_EXPECTED_LOSS)

    @property
    def _beside(self) -> SystemScore:
        own = self.comparison
        return own.row(own.evaluated) if self.against_model is None else self.against_model

    @property
    def features(self) -> pd.DataFrame:
        """One row a feature with its weight, by descending absolute weight."""
        import pandas as pd

        rows = sorted(self.weights.items(), key=lambda one: (-abs(one[1]), one[0]))
        return pd.DataFrame(rows, columns=["feature", "weight"])

    @property
    def summary(self) -> str:
        """The gain and whether to use the reranker, in words."""
        found = self.comparison.summary
        beside, own = self._beside, self.comparison.row(self.comparison.evaluated)
        if beside.gain != own.gain:
            kind = "gains" if beside.gain.value >= 0 else "loses"
            found += (
                f" Beside the predictions of the model in use it {kind} "
                f"{100 * abs(beside.gain.value):.1f} F ({100 * beside.gain.low:+.1f} to "
                f"{100 * beside.gain.high:+.1f})."
            )
        if not self.without_decision:
            return found
        return (
            f"{found} The model's decision by expected F, which would overrule "
            "the reranker, is left out of all rows; session.model.decide() has its gain."
        )

    def _draw(self, ax: Axes | None) -> Axes:
        return self.comparison.plot(ax)

    def to_disk(self, path: str | Path) -> None:
        """Save the pipeline with its reranker, for ``spacy.load``.

        Parameters
        ----------
        path : str or Path
            The folder.
        """
        self.nlp.to_disk(path)

    def __str__(self) -> str:
        learnt = (
            f"{plural(len(self.weights), 'weight')} learnt from {self.n_lists:,} lists of up to "
            f"{plural(self.width, 'analysis', 'analyses')}, made by "
            f"{plural(self.folds, 'model')} that never saw their texts"
        )
        return f"{self.summary}\n{learnt}"

    def _repr_html_(self) -> str:
        return render_html(str(self), self.frame)


@dataclass(frozen=True, slots=True)
class Ensemble(FigureResult):
    """Several models together, with their gain over the best of them alone.

    ``plot()`` draws the F of each model and of each combination.

    Parameters
    ----------
    comparison : RerankingComparison
        Rows: each model, the best first; "the average", "the reranked pool",
        "the best in the pool".
    reranker : EnsembleReranker
        The models, with weights fitted on all texts.
    """

    comparison: RerankingComparison
    reranker: EnsembleReranker = field(repr=False)

    @classmethod
    def measure(
        cls,
        names: Sequence[str],
        pools: Sequence[CandidatePool],
        chosen: Sequence[int],
        best: Sequence[int],
        *,
        gold: Sequence[Example],
        reranker: EnsembleReranker,
        split: str,
        seed: int,
    ) -> Ensemble:
        """Evaluate each model alone and each way to combine them.

        Parameters
        ----------
        names : sequence of str
            Names of the models, in the order of the pools.
        pools : sequence of CandidatePool
            One a text.
        chosen : sequence of int
            Index in each pool that the reranker chose.
        best : sequence of int
            Index of the best analysis in each pool.
        gold : sequence of Example
            Accepted examples.
        reranker : EnsembleReranker
            The models, with weights fitted on all texts.
        split : str
            Name of the split with the texts.
        seed : int
            Seed of the bootstrap.
        """
        right, known = [one.spans for one in gold], [one.labels for one in gold]
        alone = {name: [one.first_spans[i] for one in pools] for i, name in enumerate(names)}
        measured = compare_systems(right, alone, allowed_labels=known, seed=seed)
        ranked = sorted(measured, key=lambda one: -one.f.value)
        systems: dict[str, Sequence[Sequence[Span]]] = {one.name: alone[one.name] for one in ranked}
        systems[_AVERAGE] = [best_span_set(one.span_probabilities) for one in pools]
        for name, places in ((_POOLED, chosen), (_BEST_IN_POOL, best)):
            systems[name] = [one.analyses[i].spans for one, i in zip(pools, places, strict=True)]
        rows = compare_systems(right, systems, allowed_labels=known, seed=seed)
        return cls(RerankingComparison(tuple(rows), _POOLED, split), reranker)

    @property
    def frame(self) -> pd.DataFrame:
        """The rows of `RerankingComparison.frame`; gains are over the best single model."""
        return self.comparison.frame

    @property
    def summary(self) -> str:
        """The gain and whether to use the models together, in words."""
        average = self.comparison.row(_AVERAGE).gain
        return (
            f"{self.comparison.summary} The average of the models' probabilities changes F by "
            f"{100 * average.value:+.1f} ({100 * average.low:+.1f} to {100 * average.high:+.1f})."
        )

    def predict(self, items: Iterable[Example | str]) -> list[tuple[Span, ...]]:
        """Predict the entities of texts with the reranked pool, in order.

        Parameters
        ----------
        items : iterable of Example or str
            The texts.
        """
        return list(self.reranker.predict(items))

    def _draw(self, ax: Axes | None) -> Axes:
        return self.comparison.plot(ax)

    def __str__(self) -> str:
        return self.summary

    def _repr_html_(self) -> str:
        return render_html(str(self), self.frame)


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share > 0 else "nothing"
