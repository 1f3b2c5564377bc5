"""Plain values of a training run: a record for each step, and the result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from nbner.errors import TrainingError

if TYPE_CHECKING:
    from spacy.language import Language

StopReason: TypeAlias = Literal[
    "no gain", "max epochs", "max steps", "by hand", "converged", "killed"
]


class TrainingStoppedError(TrainingError):
    """Training that was stopped before its first evaluation: there is no new model."""

    def __init__(self) -> None:
        super().__init__(
            "training was stopped before its first evaluation, so there is no new model. "
            "The one in use stays."
        )


@dataclass(frozen=True, slots=True)
class TrainingRecord:
    """One update step, with an evaluation if there was one.

    Parameters
    ----------
    step : int
        Updates before this one.
    epoch : int
        Passes over the training data completed before this step.
    seconds : float
        Duration since training began, evaluations included.
    words : int
        Training tokens seen so far.
    loss : float
        Mean loss a token since the last evaluation.
    is_best : bool, optional
        Whether this evaluation is the best so far; None where the step was
        not evaluated.
    f, precision, recall : float, optional
        Exact spans on the dev examples, micro-averaged, between 0 and 1; None
        where the step was not evaluated, or where the score is undefined.
    per_label : mapping
        Label to ``{"p": precision, "r": recall, "f": F}``.
    """

    step: int
    epoch: int
    seconds: float
    words: int
    loss: float
    is_best: bool | None = None
    f: float | None = None
    precision: float | None = None
    recall: float | None = None
    per_label: Mapping[str, Mapping[str, float]] = field(default_factory=dict, repr=False)

    @classmethod
    def from_step(
        cls, info: Mapping[str, Any], *, is_best: bool | None, loss: float, seconds: float
    ) -> TrainingRecord:
        """Build a record from the figures of spaCy's loop.

        Parameters
        ----------
        info : mapping
            The figures of the step.
        is_best : bool, optional
            Whether its evaluation is the best so far; None without one.
        loss : float
            Mean loss a token since the last evaluation.
        seconds : float
            Duration since training began.
        """
        scores = info["other_scores"] or {}
        return cls(
            step=info["step"],
            epoch=info["epoch"],
            seconds=round(seconds, 3),
            words=info["words"],
            loss=float(loss),
            is_best=is_best,
            f=scores.get("ents_f"),
            precision=scores.get("ents_p"),
            recall=scores.get("ents_r"),
            per_label=scores.get("ents_per_type") or {},
        )


@dataclass(frozen=True, slots=True)
class TrainingResult:
    """The result of a finished run.

    Parameters
    ----------
    path : Path
        The best model, for ``spacy.load``. Beside it, in ``path.parent``:
        ``config.cfg`` for ``spacy train``, ``train.spacy``, ``dev.spacy`` and
        ``record.json``.
    nlp : Language
        The best model, loaded from ``path``.
    fingerprint : str
        Fingerprint of that model.
    best : TrainingRecord
        Its evaluation, the best of all.
    evaluations : tuple of TrainingRecord
        All evaluations, in order.
    steps : int
        Number of update steps.
    seconds : float
        Duration from the first step to the last.
    stopped : str
        The reason why training ended: a `StopReason`.
    n_train, n_dev : int
        Examples trained and evaluated on.
    dev_source : str
        Origin of the dev examples, in words.
    record : dict
        All of this, and seed, versions, config and data fingerprint, as JSON
        can hold it.
    """

    path: Path
    nlp: Language
    fingerprint: str
    best: TrainingRecord
    evaluations: tuple[TrainingRecord, ...]
    steps: int
    seconds: float
    stopped: StopReason
    n_train: int
    n_dev: int
    dev_source: str
    record: dict[str, Any]

    @classmethod
    def from_record(cls, path: Path, nlp: Language, record: dict[str, Any]) -> TrainingResult:
        """Build the result of a run from its record.

        Parameters
        ----------
        path : Path
            The best model.
        nlp : Language
            The best model, loaded from ``path``.
        record : dict
            The run's record.
        """
        data = record["data"]
        return cls(
            path=path,
            nlp=nlp,
            fingerprint=record["fingerprint"],
            best=TrainingRecord(**record["best"]),
            evaluations=tuple(TrainingRecord(**one) for one in record["evaluations"]),
            steps=record["steps"],
            seconds=record["seconds"],
            stopped=record["stopped"],
            n_train=data["train"],
            n_dev=data["dev"],
            dev_source=data["dev_source"],
            record=record,
        )
