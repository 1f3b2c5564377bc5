"""What came out of a quiz: for the teacher as frames and a picture, for a student side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING

from nbner._common.colors import label_colors
from nbner._common.format import format_number
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
class QuizResults:
    """All that was handed in to a quiz so far, held against the gold.

    Parameters
    ----------
    name : str
    questions : tuple of QuizQuestion
        In their order.
    labels : tuple of str
    seed : int
    """

    name: str
    questions: tuple[QuizQuestion, ...] = field(repr=False)
    labels: tuple[str, ...] = ()
    seed: int = 0

    @property
    def students(self) -> tuple[str, ...]:
        """Who has handed in anything."""
        return students_of(self.questions)

    @property
    def f(self) -> float | None:
        """Exact span F over all sheets; None where there is no span."""
        return sum((score_student(self.questions, one) for one in self.students), PRF()).f

    @property
    def frame(self) -> pd.DataFrame:
        """One row a student and example that they have decided.

        ``student``, ``question`` (from 1), ``text``, ``answer``, ``gold``
        (spans), ``found``, ``missed``, ``extra``, ``f`` (missing where neither
        side has a span) and ``right``, whether all is as in the gold.
        """
        import pandas as pd

        rows = [
            (
                *(student, i, one.text, one.submissions[student].answer, marks.support),
                *(marks.tp, marks.fn, marks.fp, marks.f, not marks.fn and not marks.fp),
            )
            for student in self.students
            for i, one in enumerate(self.questions, start=1)
            if student in one.submissions
            for marks in [one.score(student)]
        ]
        return pd.DataFrame(rows, columns=_COLUMNS).astype({"f": "float64", "right": "bool"})

    @property
    def student_frame(self) -> pd.DataFrame:
        """One row a student, the best first: ``answered``, counts, precision, recall and F."""
        import pandas as pd

        rows = []
        for student in self.students:
            marks = score_student(self.questions, student)
            answered = sum(student in one.submissions for one in self.questions)
            figures = marks.precision, marks.recall, marks.f
            rows.append((student, answered, marks.tp, marks.fn, marks.fp, *figures))
        frame = pd.DataFrame(rows, columns=_STUDENT_COLUMNS)
        frame = frame.astype(dict.fromkeys(("precision", "recall", "f"), "float64"))
        return frame.sort_values("f", ascending=False, kind="stable", ignore_index=True)

    @property
    def question_frame(self) -> pd.DataFrame:
        """One row an example: ``students``, ``gold`` spans, ``f`` over all, share ``right``."""
        import pandas as pd

        rows = []
        for i, one in enumerate(self.questions, start=1):
            marks = [one.score(student) for student in one.submissions]
            right = [not each.fn and not each.fp for each in marks]
            share = sum(right) / len(right) if right else None
            rows.append((i, one.text, len(marks), len(one.gold), sum(marks, PRF()).f, share))
        frame = pd.DataFrame(rows, columns=_QUESTION_COLUMNS)
        return frame.astype({"f": "float64", "right": "float64"})

    def agreement(self, *, samples: int = 1000) -> Agreement | None:
        """Measure how far the students agree with each other; None where no two accepted one.

        Parameters
        ----------
        samples : int
            Bootstrap samples behind the intervals.
        """
        shared = annotated_texts(self.questions)
        if not shared:
            return None
        return Agreement(
            measure_agreement(shared, samples=samples, seed=self.seed), shared, self.name
        )

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the F of every student on every example."""
        from nbner.teaching.quiz.plot import quiz_grid

        return quiz_grid(self.frame, self.student_frame, title=self._headline(), ax=ax)

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
        return f"<div>{escape(str(self))}</div>{table}"


@dataclass(frozen=True, slots=True)
class QuizReveal:
    """A student's sheets beside the gold, the model's and its k best.

    Parameters
    ----------
    results : QuizResults
    student : str
    predicted : sequence, optional
        For each question what the model finds; None without a trained model.
    parses : sequence
        For each question the model's k best analyses.
    """

    results: QuizResults
    student: str
    predicted: Sequence[tuple[Span, ...]] | None = field(repr=False)
    parses: Sequence[Sequence[Parse]] = field(repr=False)

    @property
    def score(self) -> PRF:
        """The student's counts over all that they have handed in."""
        return score_student(self.results.questions, self.student)

    @property
    def frame(self) -> pd.DataFrame:
        """The student's rows of ``QuizResults.frame``."""
        frame = self.results.frame
        return frame[frame["student"] == self.student].reset_index(drop=True)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the F of every student on every example."""
        return self.results.plot(ax)

    def __str__(self) -> str:
        score, questions = self.score, self.results.questions
        answered = sum(self.student in one.submissions for one in questions)
        found = f"{score.tp} of {score.support} gold spans found, {score.fp} too many"
        over = f"F {format_number(score.f)} over {answered} of {len(questions)} examples"
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
        colors = label_colors(self.results.labels)
        sheet = question.submissions.get(self.student)
        own = None if sheet is None else sheet.scored_spans
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
        who: str,
        said: str,
        spans: tuple[Span, ...] | None,
        *,
        colors: Mapping[str, str],
    ) -> str:
        def sign(span: Span) -> str:
            if who == "gold":
                people = len(question.submissions)
                return f"{question.count_students_with(span)} of {people}" if people > 1 else ""
            return "✓" if span in question.gold else "✕"

        text = "" if spans is None else highlight_spans(question.text, spans, colors, sign)
        return (
            '<div style="display:flex;gap:12px;align-items:baseline">'
            f'<div style="flex:none;width:5.5em;font-size:12px"><b>{escape(who)}</b> '
            f"{escape(said)}</div>"
            '<div dir="auto" style="font-size:15px;line-height:1.9;white-space:pre-wrap">'
            f"{text}</div></div>"
        )

    def _class_summary(self, question: QuizQuestion) -> str:
        people = len(question.submissions)
        if people < 2:
            return ""
        marks = [question.score(name) for name in question.submissions]
        right = sum(not one.fn and not one.fp for one in marks)
        return f" · {right} of {people} students have it all right"
