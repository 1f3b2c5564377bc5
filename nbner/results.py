"""What a session hands back: values that print, show and draw themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbner.analysis.scores import Matches, Scheme, Score
from nbner.palette import label_colors
from nbner.types import Counts

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from nbner.model.records import TrainingRecord, TrainingResult

CURVE_COLUMNS = (
    *("step", "epoch", "seconds", "words", "loss"),
    *("precision", "recall", "f", "is_best"),
)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Predictions measured against the accepted examples of a split.

    Parameters
    ----------
    score : Score
    split : str
        What was measured on.
    fingerprint : str
        The model that predicted.
    """

    score: Score
    split: str = "dev"
    fingerprint: str = ""

    @property
    def n(self) -> int:
        """Examples counted over."""
        return self.score.n

    @property
    def support(self) -> int:
        """Gold spans counted over."""
        return self.score.exact.support

    @property
    def f(self) -> float | None:
        """F over exact spans, between 0 and 1; None where there is no span at all."""
        return self.score.exact.f

    @property
    def precision(self) -> float | None:
        """Share of the predicted spans that are right; None where nothing was predicted."""
        return self.score.exact.precision

    @property
    def recall(self) -> float | None:
        """Share of the gold spans that were found; None where gold has none."""
        return self.score.exact.recall

    @property
    def schemes(self) -> dict[Scheme, float | None]:
        """F under each of nervaluate's schemes: strict, exact, partial, ent_type."""
        return {scheme: matches.f for scheme, matches in self.score.schemes.items()}

    @property
    def matches(self) -> Mapping[Scheme, Matches]:
        """The counts under each scheme: correct, incorrect, partial, missed, spurious."""
        return self.score.schemes

    @property
    def frame(self) -> pd.DataFrame:
        """One row a label: label, precision, recall, f, support; NaN where undefined."""
        import pandas as pd

        rows = [
            (label, counts.precision, counts.recall, counts.f, counts.support)
            for label, counts in self.score.per_label.items()
        ]
        frame = pd.DataFrame(rows, columns=["label", "precision", "recall", "f", "support"])
        numbers = dict.fromkeys(("precision", "recall", "f"), "float64")
        return frame.astype({"label": "object", **numbers, "support": "int64"})

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw F, precision and recall of every label."""
        from nbner.plots import evaluation_rows

        return evaluation_rows(self.frame, title=self._headline(), ax=ax)

    def _headline(self) -> str:
        counted = [(c.f, name) for name, c in self.score.per_label.items() if c.f is not None]
        weakest = f"; weakest: {min(counted)[1]}" if len(counted) > 1 else ""
        return f"F {_number(self.f)} on {self.split}, {self.n:,} examples{weakest}"

    def __str__(self) -> str:
        numbers = {"F": self.f, "precision": self.precision, "recall": self.recall}
        over = f"{self.support:,} gold spans in {self.n:,} examples of {self.split}"
        lines = [f"{_listed(numbers)}, over {over}", f"F by scheme: {_listed(self.schemes)}"]
        if self.score.left_out:
            lines.append(
                f"{self.score.left_out:,} predicted spans left out: their labels could not be "
                "given when the examples were answered"
            )
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return _html(str(self), self.frame)


@dataclass(frozen=True, slots=True)
class TrainingReport:
    """A finished run: how good its best model is, and where everything lies.

    Parameters
    ----------
    path : Path
        The best model, for ``spacy.load``. Beside it lie ``config.cfg``,
        ``train.spacy`` and ``dev.spacy``, for ``spacy train``, and
        ``record.json``.
    f : float, optional
        Best dev F over exact spans; None where the dev examples cannot tell.
    fingerprint : str
        Of the best model.
    seconds : float
    steps : int
    stopped : str
        "no gain", "max epochs", "max steps" or "by hand".
    n_train, n_dev : int
        Examples learnt from and measured on.
    dev_source : str
        Where the dev examples are from, in words.
    evaluations : sequence of TrainingRecord
    record : mapping
        Seed, versions, config, data fingerprint and scores.
    """

    path: Path
    f: float | None
    fingerprint: str
    seconds: float
    steps: int
    stopped: str
    n_train: int
    n_dev: int
    dev_source: str
    evaluations: Sequence[TrainingRecord] = field(repr=False, default=())
    record: Mapping[str, Any] = field(repr=False, default_factory=dict, hash=False)

    @classmethod
    def of(cls, result: TrainingResult) -> TrainingReport:
        """Report on what a run has left behind."""
        return cls(
            path=result.path,
            f=result.best.f,
            fingerprint=result.fingerprint,
            seconds=result.seconds,
            steps=result.steps,
            stopped=result.stopped,
            n_train=result.n_train,
            n_dev=result.n_dev,
            dev_source=result.dev_source,
            evaluations=result.evaluations,
            record=result.record,
        )

    @property
    def frame(self) -> pd.DataFrame:
        """One row an evaluation; see `curve_frame`."""
        return curve_frame(self.evaluations)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw dev F and the loss over the run."""
        from nbner.plots import training_curve

        return training_curve(self.frame, ax=ax)

    def __str__(self) -> str:
        why = {
            "no gain": "stopped when it gained no more",
            "max epochs": "stopped after the last epoch",
            "max steps": "stopped after the last step",
            "by hand": "stopped by hand",
        }.get(self.stopped, self.stopped)
        lines = [
            f"Best dev F {_number(self.f, 3)} over {self.n_dev:,} examples ({self.dev_source})",
            f"{self.steps:,} steps over {self.n_train:,} examples, {self.seconds:,.0f} s; {why}",
            f"Model {self.fingerprint} in {self.path}",
        ]
        partial = self.record.get("data", {}).get("partial", 0)
        if partial:
            lines.insert(
                2,
                f"{partial:,} examples were answered before some of the labels existed: what is "
                "unlabelled there counts as missing, not as nothing",
            )
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return _html(str(self), self.frame)


@dataclass(frozen=True, slots=True)
class Summary:
    """How a session stands.

    Parameters
    ----------
    dataset, store : str
        The dataset's name, and where its database is.
    splits : mapping
        Split to `Counts`.
    labels : tuple of str
    model : str
        In words.
    """

    dataset: str
    store: str
    splits: Mapping[str, Counts] = field(hash=False)
    labels: tuple[str, ...]
    model: str

    @property
    def frame(self) -> pd.DataFrame:
        """One row a split: split, examples, accepted, rejected, ignored, open."""
        import pandas as pd

        rows = [
            (name, c.total, c.accept, c.reject, c.ignore, c.open) for name, c in self.splits.items()
        ]
        columns = ["split", "examples", "accepted", "rejected", "ignored", "open"]
        return pd.DataFrame(rows, columns=columns)

    def __str__(self) -> str:
        splits = [f"  {name}: {_progress(counts)}" for name, counts in self.splits.items()]
        return "\n".join(
            [
                f"{self.dataset}, in {self.store}",
                *(splits or ["  no examples yet: session.add(...)"]),
                f"  {len(self.labels)} labels: {', '.join(self.labels) or 'none yet'}",
                f"  model: {self.model}",
            ]
        )

    def _repr_html_(self) -> str:
        colors = label_colors(self.labels)
        chips = " ".join(
            f'<span style="border-bottom:3px solid {colors[label]};margin-right:6px">'
            f"{escape(label)}</span>"
            for label in self.labels
        )
        shown = self.frame.map(lambda cell: cell if isinstance(cell, str) else f"{cell:,}")
        table = shown.to_html(index=False, escape=True, border=0)
        return (
            f"<div><b>{escape(self.dataset)}</b> <small>in {escape(self.store)}</small></div>"
            f"{table}<div>{chips or 'no labels yet'}</div>"
            f"<div>model: {escape(self.model)}</div>"
        )


def _progress(counts: Counts) -> str:
    kinds = [("accepted", counts.accept), ("rejected", counts.reject), ("ignored", counts.ignore)]
    parts = [f"{number:,} {kind}" for kind, number in kinds if number]
    return ", ".join([f"{counts.total:,} examples", *parts, f"{counts.open:,} open"])


def curve_frame(evaluations: Sequence[TrainingRecord]) -> pd.DataFrame:
    """Put evaluations into a frame, as the training curve takes them.

    Parameters
    ----------
    evaluations : sequence of TrainingRecord
        Steps that were not evaluated are left out.

    Returns
    -------
    DataFrame
        ``step``, ``epoch``, ``seconds``, ``words``, ``loss`` (mean a token
        since the evaluation before), ``precision``, ``recall``, ``f`` and
        ``is_best``; NaN where undefined.
    """
    import pandas as pd

    rows = [
        [getattr(one, column) for column in CURVE_COLUMNS]
        for one in evaluations
        if one.is_best is not None
    ]
    whole = dict.fromkeys(("step", "epoch", "words"), "int64")
    real = dict.fromkeys(("seconds", "loss", "precision", "recall", "f"), "float64")
    frame = pd.DataFrame(rows, columns=list(CURVE_COLUMNS))
    return frame.astype({**whole, **real, "is_best": "bool"})


def _number(value: float | None, digits: int = 2) -> str:
    return "undefined" if value is None else f"{value:.{digits}f}"


def _listed(numbers: Mapping[Any, float | None]) -> str:
    return ", ".join(f"{name} {_number(value)}" for name, value in numbers.items())


def _html(text: str, frame: pd.DataFrame) -> str:
    """Show lines of text above a table; everything is data, nothing is markup."""
    lines = "".join(f"<div>{escape(line)}</div>" for line in text.splitlines())
    table = frame.to_html(index=False, escape=True, float_format="{:.3f}".format, na_rep="")
    return f"<div>{lines}{table}</div>"
