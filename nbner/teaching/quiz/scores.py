"""Scores of a quiz: submissions compared with gold spans.

Only an accepted answer has spans; a rejected or ignored one counts as empty, so
that skipping a hard example is no advantage.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nbner.evaluation.scores import PRF
from nbner.quality.agreement.scores import AnnotatedText
from nbner.types import AnswerKind, Span, Token


@dataclass(frozen=True, slots=True)
class Submission:
    """A student's answer to one example.

    Parameters
    ----------
    answer : {"accept", "reject", "ignore"}
        Kind of answer.
    spans : tuple of Span
        Annotated entities.
    """

    answer: AnswerKind
    spans: tuple[Span, ...]

    @property
    def scored_spans(self) -> tuple[Span, ...]:
        """The spans that are scored: those of an accepted answer."""
        return self.spans if self.answer == "accept" else ()


@dataclass(frozen=True, slots=True)
class QuizQuestion:
    """One example of a quiz with all submissions.

    Parameters
    ----------
    text : str
        The text.
    tokens : tuple of Token
        Its tokens.
    gold : tuple of Span
        Gold entities.
    submissions : mapping
        Student to submission; students without an answer are missing.
    """

    text: str
    tokens: tuple[Token, ...]
    gold: tuple[Span, ...]
    submissions: Mapping[str, Submission]

    def score(self, student: str) -> PRF:
        """Count a student's exact span matches against gold.

        Parameters
        ----------
        student : str
            A student with a submission.
        """
        return score_spans(self.gold, self.submissions[student].scored_spans)

    def count_students_with(self, span: Span) -> int:
        """Return the number of students whose submission contains a span.

        Parameters
        ----------
        span : Span
            The span.
        """
        return sum(span in one.scored_spans for one in self.submissions.values())


def score_spans(gold: Sequence[Span], found: Sequence[Span]) -> PRF:
    """Count exact span matches of one text.

    Parameters
    ----------
    gold : sequence of Span
        Gold entities.
    found : sequence of Span
        Entities to score.
    """
    expected, predicted = set(gold), set(found)
    true_positives = len(expected & predicted)
    return PRF(true_positives, len(predicted - expected), len(expected - predicted))


def students_of(questions: Sequence[QuizQuestion]) -> tuple[str, ...]:
    """Return the names of all students with a submission, sorted.

    Parameters
    ----------
    questions : sequence of QuizQuestion
        Questions of the quiz.
    """
    return tuple(sorted({name for one in questions for name in one.submissions}))


def score_student(questions: Sequence[QuizQuestion], student: str) -> PRF:
    """Sum a student's counts over the questions that they have answered.

    Parameters
    ----------
    questions : sequence of QuizQuestion
        Questions of the quiz.
    student : str
        Name of the student.
    """
    return sum((one.score(student) for one in questions if student in one.submissions), PRF())


def annotated_texts(questions: Sequence[QuizQuestion]) -> tuple[AnnotatedText, ...]:
    """Return the texts with at least two accepted submissions, for agreement measures.

    Parameters
    ----------
    questions : sequence of QuizQuestion
        Questions of the quiz.
    """
    found = (
        AnnotatedText(
            one.text,
            one.tokens,
            {
                name: submission.spans
                for name, submission in one.submissions.items()
                if submission.answer == "accept"
            },
        )
        for one in questions
    )
    return tuple(one for one in found if len(one.spans) >= 2)
