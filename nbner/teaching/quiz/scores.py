"""A class's sheets held against the gold: pure functions of spans.

Of a sheet only an accepted answer counts as spans; one that was rejected or
ignored is an empty sheet, so that nobody gains by leaving out what is hard.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nbner.evaluation.scores import PRF
from nbner.quality.agreement.scores import AnnotatedText
from nbner.types import AnswerKind, Span, Token


@dataclass(frozen=True, slots=True)
class Submission:
    """What one student said of one example.

    Parameters
    ----------
    answer : {"accept", "reject", "ignore"}
    spans : tuple of Span
    """

    answer: AnswerKind
    spans: tuple[Span, ...]

    @property
    def scored_spans(self) -> tuple[Span, ...]:
        """The spans that count."""
        return self.spans if self.answer == "accept" else ()


@dataclass(frozen=True, slots=True)
class QuizQuestion:
    """One example of a quiz with all that was handed in.

    Parameters
    ----------
    text : str
    tokens : tuple of Token
    gold : tuple of Span
    submissions : mapping
        Student to sheet; whoever is missing has not answered yet.
    """

    text: str
    tokens: tuple[Token, ...]
    gold: tuple[Span, ...]
    submissions: Mapping[str, Submission]

    def score(self, student: str) -> PRF:
        """Count a student's spans against the gold, exactly."""
        return score_spans(self.gold, self.submissions[student].scored_spans)

    def count_students_with(self, span: Span) -> int:
        """How many students have a span."""
        return sum(span in sheet.scored_spans for sheet in self.submissions.values())


def score_spans(gold: Sequence[Span], found: Sequence[Span]) -> PRF:
    """Count exact spans of one text."""
    right, said = set(gold), set(found)
    return PRF(len(right & said), len(said - right), len(right - said))


def students_of(questions: Sequence[QuizQuestion]) -> tuple[str, ...]:
    """Name who has handed in anything."""
    return tuple(sorted({name for one in questions for name in one.submissions}))


def score_student(questions: Sequence[QuizQuestion], student: str) -> PRF:
    """Sum a student's counts over what they have handed in."""
    return sum((one.score(student) for one in questions if student in one.submissions), PRF())


def annotated_texts(questions: Sequence[QuizQuestion]) -> tuple[AnnotatedText, ...]:
    """Give the sheets as what agreement is measured over: accepted ones, of two people or more."""
    found = (
        AnnotatedText(
            one.text,
            one.tokens,
            {
                name: sheet.spans
                for name, sheet in one.submissions.items()
                if sheet.answer == "accept"
            },
        )
        for one in questions
    )
    return tuple(one for one in found if len(one.spans) >= 2)
