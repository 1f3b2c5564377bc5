"""The report of a finished run, and the training curve of any run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbner._common.format import format_number, plural, render_html
from nbner._common.plot_style import (
    ACCENT_COLOR,
    FAINT_ALPHA,
    INK_COLOR,
    apply_style,
    count_axis,
    label_line,
    new_axes,
)
from nbner._common.result import FigureResult
from nbner.decoding.decision.without_gold import MIN_TEXTS, DecisionWithoutGold
from nbner.evaluation.regressions import LabelRegression, SpanChanges, regression_frame
from nbner.evaluation.retention import Retention
from nbner.quality.data_warnings import DataWarnings
from nbner.training.candidates import CandidateScore, candidate_frame

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from nbner.training.records import TrainingRecord, TrainingResult

#: Examples to train on below which a report names the other learners.
FEW_LABELS = 500

CURVE_COLUMNS = (
    *("step", "epoch", "seconds", "words", "loss"),
    *("precision", "recall", "f", "is_best"),
)


@dataclass(frozen=True, slots=True)
class TrainingReport(FigureResult):
    """A finished run: scores and folder of its best model, and changes against the one before.

    ``plot()`` draws dev F and the loss over the run.

    Parameters
    ----------
    path : Path
        The best model, for ``spacy.load``. In the same folder are ``config.cfg``,
        ``train.spacy`` and ``dev.spacy``, for ``spacy train``, and
        ``record.json``.
    f : float, optional
        Best dev F over exact spans; None where it is undefined.
    fingerprint : str
        Fingerprint of the best model.
    seconds : float
        Duration of training.
    steps : int
        Number of update steps.
    stopped : str
        "no gain", "max epochs", "max steps", "by hand", "converged" (the CRF) or
        "killed".
    n_train, n_dev : int
        Examples trained and evaluated on.
    dev_source : str
        Origin of the dev examples, in words.
    evaluations : sequence of TrainingRecord
        All evaluations, in order.
    record : mapping
        Seed, versions, config, data fingerprint and scores.
    data_warnings : DataWarnings
        Weaknesses of the data.
    span_changes : SpanChanges, optional
        Spans that went from right to wrong and from wrong to right, against the
        model that was in use.
    retention : Retention, optional
        How many spans of that model are found now, a row a label, over texts at
        hand; None where the run did not start from a trained pipeline.
    regressed_labels : tuple of LabelRegression
        Labels on which it is worse than that model by more than the margin, or
        of which it finds too few of that model's spans.
    in_use : bool
        False where the model was not put in use, since it has lost too much on
        a label; ``session.model.use(report)`` uses it all the same.
    decision_dropped : bool
        Whether the model before decided by expected F and this one does not, or
        by a decision of `session.model.decide` that this one has not.
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
    data_warnings: DataWarnings = field(repr=False, default_factory=DataWarnings)
    span_changes: SpanChanges | None = field(repr=False, default=None)
    retention: Retention | None = field(repr=False, default=None)
    regressed_labels: tuple[LabelRegression, ...] = ()
    in_use: bool = True
    decision_dropped: bool = False

    @classmethod
    def from_result(cls, result: TrainingResult) -> TrainingReport:
        """Build the report of a run, without a comparison to the model before.

        Parameters
        ----------
        result : TrainingResult
            A finished run.
        """
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
    def learner(self) -> str:
        """The learner of the model: "ner", "crf" or "distilled"."""
        return str(self.record.get("learner", "ner"))

    @property
    def refit_steps(self) -> int | None:
        """Update steps of the final training on all labels; None where there was none."""
        return (self.record.get("refit") or {}).get("steps") or None

    @property
    def candidates(self) -> pd.DataFrame:
        """One row a learner that was compared; see `CandidateScore`. Empty where none were."""
        return candidate_frame(self._candidate_scores())

    @property
    def frame(self) -> pd.DataFrame:
        """One row an evaluation; see `curve_frame`."""
        return curve_frame(self.evaluations)

    def _draw(self, ax: Axes | None) -> Axes:
        return training_curve(self.frame, ax=ax)

    def __str__(self) -> str:
        return "\n".join([*self._verdict(), *self._regression_lines(), *self._lines()])

    def _lines(self) -> list[str]:
        reason = {
            "no gain": "stopped when it gained no more",
            "max epochs": "stopped after the last epoch",
            "max steps": "stopped after the last step",
            "by hand": "stopped by hand",
            "converged": "trained until its likelihood converged, or to the last iteration",
            "killed": "its process died; this is the best model that was finished by then",
        }.get(self.stopped, self.stopped)
        # A random field makes no update steps.
        steps = "" if self.learner == "crf" else f"{plural(self.steps, 'step')} over "
        lines = [
            (
                f"Best dev F {format_number(self.f, 3)} over {plural(self.n_dev, 'example')} "
                f"({self.dev_source})"
            ),
            (f"{steps}{plural(self.n_train, 'example')}, {self.seconds:,.0f} s; {reason}"),
            *self._refit_lines(),
            f"Model {self.fingerprint} in {self.path}",
        ]
        partial = self.record.get("data", {}).get("partial", 0)
        if partial:
            lines.insert(
                len(lines) - 1,
                f"{plural(partial, 'example says', 'examples say')} nothing about some labels "
                f"of the session or of the "
                "pipeline: what is unlabelled there counts as missing, not as nothing",
            )
        others = self.record.get("other_recognizers")
        if others:
            lines.append(
                f"Trained: {self.record['recognizer']!r}; the pipeline's other recognizers are as "
                f"they were: {', '.join(repr(one) for one in others)}. Session(..., "
                f"recognizer={others[0]!r}) trains another one"
            )
        return [*lines, *self._candidate_lines(), *self._advice(), *self._changes()]

    def _refit_lines(self) -> list[str]:
        """Describe the training on all labels, where a part was held out before."""
        refit = self.record.get("refit")
        if refit is None:
            return []
        if refit["note"]:
            held = f"The model has not learnt from the {plural(self.n_dev, 'held-out example')}"
            return [f"{held}: training on all labels has not ended ({refit['note']})"]
        best = self.record["best"]["step"] + 1
        how = "" if self.learner == "crf" else f" for {plural(refit['steps'], 'step')}"
        why = "" if self.learner == "crf" else f"; F was best after {best:,}"
        learnt = f"Final model: trained on all {refit['train']:,} labelled examples{how}{why}"
        return [f"{learnt}. The F is that of the run without the held-out ones"]

    def _candidate_scores(self) -> list[CandidateScore]:
        return [CandidateScore.from_json(one) for one in self.record.get("candidates", ())]

    def _candidate_lines(self) -> list[str]:
        """Tabulate the learners that were compared, with the reason for the one that is taken."""
        scores = self._candidate_scores()
        lines = [*(str(one) for one in scores), self.record["choice"]] if scores else []
        if self.learner == "crf":
            copies = ", copies included" if self.record["augment"] == "swap" else ""
            lines.append(f"The CRF has {self.record['learnt']}{copies}")
            lines.append(self._how_it_decides())
        return lines

    def _how_it_decides(self) -> str:
        """Describe the decision of a CRF, or why it has none."""
        decision = self.record.get("decision")
        if decision is not None:
            return str(DecisionWithoutGold(**decision))
        return (
            "It decides by the single best analysis: a decision by expected F needs "
            f"{MIN_TEXTS} texts that it has not learnt from"
        )

    def _advice(self) -> list[str]:
        """Name the other learners where there are few labels and a `ner` was trained anew."""
        is_new = self.record.get("is_new", False)
        if not is_new or self.n_train >= FEW_LABELS:
            return []
        why = f"With fewer than {FEW_LABELS:,} examples other learners are often better"
        return [f'{why}: session.train(learner="auto") compares them']

    def _changes(self) -> list[str]:
        """Describe the changes against the model before, and whether the new one is in use."""
        lines = [] if self.span_changes is None else [str(self.span_changes)]
        if lines and self.refit_steps:
            lines[0] += ", from which the new model has learnt in the end"
        if self.retention is not None and (self.retention.labels or self.retention.unmeasured):
            lines.append(str(self.retention))
        if self.decision_dropped and self.record.get("decision") is not None:
            lines.append(
                "The decision that was chosen for the model before is replaced. "
                "session.model.decide() chooses one on held-out gold for this"
            )
        elif self.decision_dropped:
            lines.append(
                "This model decodes greedily: the decision by expected F was chosen for the one "
                "before. session.model.decide() chooses one for this"
            )
        return [*lines, *(f"Data: {one.message}" for one in self.data_warnings)]

    @property
    def regressions(self) -> pd.DataFrame:
        """The labels of the forgetting guard as a table; see `regression_frame`."""
        return regression_frame(self.regressed_labels)

    def _verdict(self) -> list[str]:
        """Describe whether the forgetting guard keeps the model out of use, if it found any."""
        kept = "The old model stays in use; session.model.use(report) puts this one in place"
        if not self.regressed_labels:
            return [] if self.in_use else [kept]
        labels = plural(len(self.regressed_labels), "label has", "labels have")
        found = f"Forgetting guard: {labels} lost too much against the model before"
        return [
            f"{found}; this model is in use all the same" if self.in_use else f"{found}. {kept}"
        ]

    def _regression_lines(self) -> list[str]:
        """Tabulate the labels of the forgetting guard, in columns of one width."""
        if not self.regressed_labels:
            return []
        table = self.regressions.to_string(index=False, float_format="{:.3f}".format)
        return [f"  {line.rstrip()}" for line in table.splitlines()]

    def _repr_html_(self) -> str:
        candidates, regressions = self.candidates, self.regressions
        page = "".join(f"<div>{escape(line)}</div>" for line in self._verdict())
        page += render_html("", regressions) if len(regressions) else ""
        page += render_html("", candidates) if len(candidates) else ""
        return page + render_html("\n".join(self._lines()), self.frame)


def curve_frame(evaluations: Sequence[TrainingRecord]) -> pd.DataFrame:
    """Build the frame of a training curve.

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
    integers = dict.fromkeys(("step", "epoch", "words"), "int64")
    floats = dict.fromkeys(("seconds", "loss", "precision", "recall", "f"), "float64")
    frame = pd.DataFrame(rows, columns=list(CURVE_COLUMNS))
    return frame.astype({**integers, **floats, "is_best": "bool"})


def training_curve(
    frame: pd.DataFrame, *, title: str | None = None, ax: Axes | None = None
) -> Axes:
    """Draw dev F and the loss over the steps of a run, finished or not.

    Parameters
    ----------
    frame : DataFrame
        One row an evaluation: ``step``, ``f``, ``loss``, ``is_best``, as
        ``TrainingReport.frame`` has them.
    title : str, optional
        Title of the plot; by default the best F, and its step.
    ax : Axes, optional
        Axes to draw on; by default new ones.
    """
    ax = new_axes() if ax is None else ax
    steps, f = frame["step"], frame["f"].astype(float).fillna(0.0)
    loss = frame["loss"].astype(float)
    if len(frame):
        ax.plot(steps, loss / (loss.max() or 1.0), color=INK_COLOR, alpha=FAINT_ALPHA, linewidth=1)
        ax.plot(steps, f, color=ACCENT_COLOR, linewidth=1.8, marker="o", markersize=3)
        label_line(ax, steps.iloc[-1], loss.iloc[-1] / (loss.max() or 1.0), "loss", INK_COLOR)
        label_line(ax, steps.iloc[-1], f.iloc[-1], "F", ACCENT_COLOR)
    best = frame[frame["is_best"].astype(bool)].tail(1)
    if len(best):
        where = int(best["step"].iloc[0]), float(f[best.index[0]])
        ax.plot(*where, marker="o", markersize=8, fillstyle="none", color=ACCENT_COLOR)
        title = title or _best_so_far(where, int(steps.iloc[-1]))
    ax.set_ylim(0, 1.05)
    ax.set_xlim(left=0)
    ax.set_xlabel("step (loss relative to its highest)")
    count_axis(ax.xaxis)
    return apply_style(ax, title or "No evaluation yet")


def _best_so_far(best: tuple[int, float], last: int) -> str:
    step, f = best
    if step == last:
        return f"Dev F {f:.3f} after {plural(step + 1, 'step')}, the best so far"
    return f"Dev F {f:.3f} after {plural(step + 1, 'step')}; no gain in the {last - step:,} since"
