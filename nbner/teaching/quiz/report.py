"""Results of a quiz: frames and a plot for the teacher, a comparison with gold for a student."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from math import isnan
from typing import TYPE_CHECKING

from nbner._common.colors import label_colors
from nbner._common.format import format_number, plural, scrollable
from nbner._common.plot_style import (
    ACCENT_COLOR,
    FIGURE_SIZE,
    INK_COLOR,
    ROW_HEIGHT,
    apply_style,
    name_ticks,
    new_axes,
)
from nbner._common.result import FigureResult
from nbner._common.span_html import highlight_spans
from nbner.evaluation.scores import PRF
from nbner.quality.agreement.report import Agreement
from nbner.quality.agreement.scores import measure_agreement
from nbner.teaching.quiz.scores import (
    QuizQuestion,
    annotated_texts,
    score_spans,
    score_student,
    students_of,
)
from nbner.types import Parse, Span

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_COLUMNS = [
    *("student", "question", "text", "answer", "gold", "found", "missed", "extra", "f", "right"),
]
_STUDENT_COLUMNS = ["student", "answered", "found", "missed", "extra", "precision", "recall", "f"]
_QUESTION_COLUMNS = ["question", "text", "students", "gold", "f", "right"]


@dataclass(frozen=True, slots=True)
class QuizResults(FigureResult):
    """All submissions to a quiz so far, scored against gold.

    ``plot()`` draws the F of every student on every example.

    Parameters
    ----------
    name : str
        Name of the quiz.
    questions : tuple of QuizQuestion
        In their order.
    labels : tuple of str
        In the order of their colors.
    seed : int
        Seed of the bootstrap of `agreement`.
    colors : mapping, optional
        Label to color, as the session shows it.
    """

    name: str
    questions: tuple[QuizQuestion, ...] = field(repr=False)
    labels: tuple[str, ...] = ()
    seed: int = 0
    colors: Mapping[str, str] = field(default_factory=dict, kw_only=True, repr=False, compare=False)

    @property
    def students(self) -> tuple[str, ...]:
        """Names of the students with a submission."""
        return students_of(self.questions)

    @property
    def f(self) -> float | None:
        """Exact span F over all submissions; None if there is no span."""
        return sum((score_student(self.questions, one) for one in self.students), PRF()).f

    @property
    def frame(self) -> pd.DataFrame:
        """One row a student and answered example.

        ``student``, ``question`` (from 1), ``text``, ``answer``, ``gold``
        (number of spans), ``found``, ``missed``, ``extra``, ``f`` (missing if neither
        side has a span) and ``right``, whether there is no error.
        """
        import pandas as pd

        rows = [
            (
                *(student, i, one.text, one.submissions[student].answer, scores.support),
                *(scores.tp, scores.fn, scores.fp, scores.f, not scores.fn and not scores.fp),
            )
            for student in self.students
            for i, one in enumerate(self.questions, start=1)
            if student in one.submissions
            for scores in [one.score(student)]
        ]
        return pd.DataFrame(rows, columns=_COLUMNS).astype({"f": "float64", "right": "bool"})

    @property
    def student_frame(self) -> pd.DataFrame:
        """One row a student, the best first: ``answered``, counts, precision, recall and F."""
        import pandas as pd

        rows = []
        for student in self.students:
            scores = score_student(self.questions, student)
            answered = sum(student in one.submissions for one in self.questions)
            figures = scores.precision, scores.recall, scores.f
            rows.append((student, answered, scores.tp, scores.fn, scores.fp, *figures))
        frame = pd.DataFrame(rows, columns=_STUDENT_COLUMNS)
        frame = frame.astype(dict.fromkeys(("precision", "recall", "f"), "float64"))
        return frame.sort_values("f", ascending=False, kind="stable", ignore_index=True)

    @property
    def question_frame(self) -> pd.DataFrame:
        """One row an example: ``students``, ``gold`` spans, ``f``, fraction ``right``."""
        import pandas as pd

        rows = []
        for i, one in enumerate(self.questions, start=1):
            scores = [one.score(student) for student in one.submissions]
            right = [not each.fn and not each.fp for each in scores]
            share = sum(right) / len(right) if right else None
            rows.append((i, one.text, len(scores), len(one.gold), sum(scores, PRF()).f, share))
        frame = pd.DataFrame(rows, columns=_QUESTION_COLUMNS)
        return frame.astype({"f": "float64", "right": "float64"})

    def agreement(self, *, samples: int = 1000) -> Agreement | None:
        """Measure the agreement between students; None if no two accepted the same example.

        Parameters
        ----------
        samples : int
            Bootstrap samples for the intervals.
        """
        shared = annotated_texts(self.questions)
        if not shared:
            return None
        return Agreement(
            measure_agreement(shared, samples=samples, seed=self.seed), shared, self.name
        )

    def _draw(self, ax: Axes | None) -> Axes:
        return _draw_grid(self.frame, self.student_frame, title=self._headline(), ax=ax)

    def _headline(self) -> str:
        count = len(self.students)
        if not count:
            return "Nobody has handed in anything yet"
        people = f"{count} student{'' if count == 1 else 's'}, F {format_number(self.f)}"
        hard = self.question_frame.dropna(subset=["f"])
        if hard.empty:
            return people
        worst = min(hard.to_dict("records"), key=lambda row: float(row["f"]))
        return f"{people}; hardest is {worst['question']}, F {worst['f']:.2f}"

    def __str__(self) -> str:
        agreement = self.agreement(samples=0)
        agreed = "" if agreement is None else f"; between each other F {format_number(agreement.f)}"
        return f"{self.name}: {self._headline()}{agreed}"

    def _repr_html_(self) -> str:
        table = self.student_frame.to_html(
            index=False, escape=True, float_format="{:.2f}".format, na_rep=""
        )
        return f"<div>{escape(str(self))}</div>{scrollable(table)}"


@dataclass(frozen=True, slots=True)
class QuizReveal(FigureResult):
    """A student's submissions beside gold, prediction and k best analyses.

    ``plot()`` draws the F of every student on every example.

    Parameters
    ----------
    results : QuizResults
        All submissions to the quiz.
    student : str
        Name of the student.
    predicted : sequence, optional
        For each question the model's prediction; None without a trained model.
    parses : sequence
        For each question the model's k best analyses.
    """

    results: QuizResults
    student: str
    predicted: Sequence[tuple[Span, ...]] | None = field(repr=False)
    parses: Sequence[Sequence[Parse]] = field(repr=False)

    @property
    def score(self) -> PRF:
        """The student's counts over all their submissions."""
        return score_student(self.results.questions, self.student)

    @property
    def frame(self) -> pd.DataFrame:
        """The student's rows of ``QuizResults.frame``."""
        frame = self.results.frame
        return frame[frame["student"] == self.student].reset_index(drop=True)

    def _draw(self, ax: Axes | None) -> Axes:
        return self.results.plot(ax)

    def __str__(self) -> str:
        score, questions = self.score, self.results.questions
        answered = sum(self.student in one.submissions for one in questions)
        found = f"{score.tp} of {plural(score.support, 'gold span')} found, {score.fp} too many"
        over = f"F {format_number(score.f)} over {answered} of {plural(len(questions), 'example')}"
        lines = [f"{self.student}: {found}; {over}"]
        others = len(self.results.students)
        if others > 1:
            agreement = self.results.agreement(samples=0)
            agreed = (
                "" if agreement is None else f"; between each other F {format_number(agreement.f)}"
            )
            lines.append(
                f"the class of {others}: F {format_number(self.results.f)} against gold{agreed}"
            )
        if self.predicted is not None:
            pairs = zip(questions, self.predicted, strict=True)
            model = sum((score_spans(one.gold, spans) for one, spans in pairs), PRF())
            lines.append(f"the model: F {format_number(model.f)} over all {len(questions)}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        head = "".join(f"<div>{escape(line)}</div>" for line in str(self).splitlines())
        cards = "".join(self._question_html(i) for i in range(len(self.results.questions)))
        return f"<div>{head}{cards}</div>"

    def _question_html(self, at: int) -> str:
        question = self.results.questions[at]
        colors = label_colors(self.results.labels, self.results.colors)
        submission = question.submissions.get(self.student)
        own = None if submission is None else submission.scored_spans
        rows = [("you", "not answered" if own is None else "", own), ("gold", "", question.gold)]
        if self.predicted is not None:
            rows.append(("model", "", self.predicted[at]))
        for rank, parse in enumerate(self.parses[at] if self.parses else (), start=1):
            rows.append((f"best {rank}", f"{parse.probability:.2f}", parse.spans))
        body = "".join(self._spans_html(question, *row, colors=colors) for row in rows)
        return (
            '<div style="border:1px solid #8888;border-radius:4px;padding:8px 16px;margin:8px 0;'
            'max-width:90ch">'
            f'<div style="font-size:12px;opacity:.75">{at + 1} of {len(self.results.questions)}'
            f"{escape(self._class_summary(question))}</div>{body}</div>"
        )

    @staticmethod
    def _spans_html(
        question: QuizQuestion,
        side: str,
        remark: str,
        spans: tuple[Span, ...] | None,
        *,
        colors: Mapping[str, str],
    ) -> str:
        def sign(span: Span) -> str:
            if side == "gold":
                people = len(question.submissions)
                return f"{question.count_students_with(span)} of {people}" if people > 1 else ""
            return "✓" if span in question.gold else "✕"

        text = "" if spans is None else highlight_spans(question.text, spans, colors, sign)
        return (
            '<div style="display:flex;gap:12px;align-items:baseline">'
            f'<div style="flex:none;width:5.5em;font-size:12px"><b>{escape(side)}</b> '
            f"{escape(remark)}</div>"
            '<div dir="auto" style="font-size:15px;line-height:1.9;white-space:pre-wrap">'
            f"{text}</div></div>"
        )

    def _class_summary(self, question: QuizQuestion) -> str:
        people = len(question.submissions)
        if people < 2:
            return ""
        scores = [question.score(name) for name in question.submissions]
        right = sum(not one.fn and not one.fp for one in scores)
        return (
            f" · {right} of {plural(people, 'student')} {'has' if right == 1 else 'have'} "
            f"it all right"
        )


_INCHES_PER_EXAMPLE = 0.46
_MAX_STUDENTS = 60  # in one plot
_MAX_LABELLED_EXAMPLES = 15  # largest number for which each F is written


def _draw_grid(
    frame: pd.DataFrame, students: pd.DataFrame, *, title: str = "", ax: Axes | None = None
) -> Axes:
    """Draw the F of every student on every example as a grid of small bars.

    Parameters
    ----------
    frame : DataFrame
        `QuizResults.frame`.
    students : DataFrame
        `QuizResults.student_frame`: the best student is at the top, with F at the
        right. At most 60 students are drawn.
    title : str
        Title of the plot.
    ax : Axes, optional
        Axes to draw on; new ones by default.
    """
    shown = students.head(_MAX_STUDENTS)
    last = int(frame["question"].max()) if len(frame) else 1
    if ax is None:
        width = max(FIGURE_SIZE[0], 2.4 + _INCHES_PER_EXAMPLE * last)
        ax = new_axes(
            width=width, height=1.2 + 1.2 * ROW_HEIGHT * max(3, len(shown)), has_rows=True
        )
    rows = {name: y for y, name in enumerate(shown["student"])}
    for row in frame.to_dict("records"):
        if row["student"] in rows:
            # Where neither side has a span, the submission is right.
            f = 1.0 if isnan(row["f"]) else row["f"]
            _draw_cell(
                ax, row["question"], rows[row["student"]], f, write=last <= _MAX_LABELLED_EXAMPLES
            )
    for y, f in enumerate(shown["f"]):
        label = "" if isnan(f) else f"F {f:.2f}"
        ax.text(last + 0.7, y, label, va="center", color=INK_COLOR, fontsize=9)
    name_ticks(ax.yaxis, shown["student"])
    ax.set_xticks(range(1, last + 1))
    ax.set_xlim(0.4, last + 0.6)
    ax.set_ylim(max(1, len(shown)) - 0.4, -0.6)
    more = len(students) - len(shown)
    ax.set_xlabel(f"example{f'; {more:,} more students are not drawn' if more else ''}")
    return apply_style(ax, title)


def _draw_cell(ax: Axes, x: int, y: int, f: float, *, write: bool) -> None:
    """Draw F as a bar in a track, so that it is legible on any background, with its value above."""
    left, width = x - 0.42, 0.84
    for share, alpha in ((1.0, 0.18), (f, 1.0)):
        ax.barh(y + 0.24, share * width, left=left, height=0.24, color=ACCENT_COLOR, alpha=alpha)
    if write:
        ax.text(x, y - 0.14, f"{f:.2f}", ha="center", va="center", color=INK_COLOR, fontsize=8)
