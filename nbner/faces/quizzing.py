"""Quizzes: a class labels the same examples blind."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from nbner._common.alignment import align
from nbner.active_learning.strategies import shuffled
from nbner.errors import DataError
from nbner.faces.foundation import Foundation
from nbner.queues.labelling import Switchboard
from nbner.teaching.quiz.scores import Question, Sheet
from nbner.types import Example

if TYPE_CHECKING:
    from nbner.teaching.quiz.quiz import Quiz
    from nbner.teaching.quiz.report import QuizMarks, Reveal
    from nbner.teaching.quiz.storage import Definition, Quizzes

USUAL = 10  # examples


class Quizzing(Foundation):
    """Ask a class."""

    def quiz(
        self,
        name: str = "quiz",
        split: str | None = None,
        n: int | None = None,
        *,
        annotator: str | None = None,
    ) -> Quiz:
        """Let a class label the same examples blind, and compare.

        The first call makes the quiz; every later one under its name joins it,
        from whichever session on this store (a file, or PostgreSQL for many at
        once). Each student labels without suggestions, without gold and
        without seeing the others, under a name of their own; ``quiz.reveal()``
        then shows gold, model and the k best beside their own, with their score
        and the class's agreement, and closes the quiz for them.

        What is handed in is never gold. It lies in a dataset of its own,
        "quizzes of ...", with a split for each quiz, which no session opens:
        training, evaluation, agreement, review and export of this dataset do
        not see it. The gold stays in this dataset and is looked up when sheets
        are marked. The widget is blind, not a lock: whoever opens this dataset
        in Python can read its gold.

        Parameters
        ----------
        name : str
        split : str, optional
            Where the examples are from: accepted ones, drawn at random by the
            session's seed. By default "dev".
        n : int, optional
            How many; by default 10, or all where there are fewer.
        annotator : str, optional
            The student's name; by default the session's annotator.

        Returns
        -------
        Quiz
            Shown in a cell it is the widget. ``reveal()`` for the student;
            ``frame`` (a row a student and example), ``student_frame``,
            ``question_frame``, ``plot()`` and ``agreement()`` for the teacher.

        Raises
        ------
        DataError
            There is no gold to ask about, fewer examples than asked for, or a
            quiz of that name with other examples.
        """
        from nbner.teaching.quiz.quiz import Quiz, QuizDesk
        from nbner.teaching.quiz.storage import Quizzes

        quizzes = Quizzes(self._store, self._dataset)
        definition = quizzes.find(name)
        if definition is None:
            definition = self._new_quiz(quizzes, name, split or "dev", n)
        _check_same(definition, split, n)
        student = annotator or self.annotator
        desk = QuizDesk(
            quizzes,
            definition,
            student=student,
            key=self._store.key,
            tokenize=self._tokenize,
            switchboard=Switchboard(),
        )
        marks = partial(self._quiz_marks, quizzes, definition)
        quiz = Quiz(desk, marks, partial(self._reveal, marks, student))
        self._annotators.add(quiz.widget)
        return quiz

    def _new_quiz(self, quizzes: Quizzes, name: str, split: str, n: int | None) -> Definition:
        from nbner.io import formats
        from nbner.io.importer import prepare

        chosen = self._drawn(split, n)
        bare = [Example(one.text, one.tokens, given_tokens=one.given_tokens) for one in chosen]
        rows = formats.read(bare)
        quizzes.sheets.set_labels(self.labels)
        quizzes.sheets.add(prepare(rows, tokenize=self._tokenize, split=name, gold=False))
        return quizzes.define(name, split, chosen)

    def _drawn(self, split: str, n: int | None) -> list[Example]:
        """Draw examples whose gold fits their tokens, and give them in the order of addition."""
        fit = [
            one
            for one in self._dataset.examples(split, answer="accept")
            if not one.binary and not align(self._tokenized(one).tokens, one.spans).loose
        ]
        if not fit:
            raise DataError(
                f"split {split!r} has no gold to ask about",
                field="split",
                remedy="Accept some examples there, or name another one: session.quiz(split=...)",
            )
        many = min(USUAL, len(fit)) if n is None else n
        if not 1 <= many <= len(fit):
            raise DataError(
                f"{many:,} examples are asked for, and split {split!r} has {len(fit):,} with gold",
                field="n",
                remedy=f"Give a number from 1 to {len(fit):,}",
            )
        places = sorted(shuffled(len(fit), self.seed)[:many])
        return [fit[place] for place in places]

    def _quiz_marks(self, quizzes: Quizzes, definition: Definition) -> QuizMarks:
        from nbner.teaching.quiz.report import QuizMarks

        handed_in = quizzes.handed_in(definition.name)
        questions = [
            Question(
                text=one.text,
                tokens=self._tokenized(one).tokens,
                gold=one.spans,
                sheets={
                    name: Sheet(version.answer, version.spans)
                    for name, version in handed_in.get(key, {}).items()
                },
            )
            for key, one in quizzes.gold(definition).items()
        ]
        return QuizMarks(definition.name, tuple(questions), self.labels, self.seed)

    def _reveal(self, marks: Callable[[], QuizMarks], student: str, k: int) -> Reveal:
        from nbner.decoding.api import parses
        from nbner.nlp.pipeline import is_trained
        from nbner.nlp.prediction import predict
        from nbner.teaching.quiz.report import Reveal

        found = marks()
        asked = [Example(one.text, one.tokens, given_tokens=True) for one in found.questions]
        if not is_trained(self._nlp):
            return Reveal(found, student, None, ())
        predicted = list(predict(self._nlp, asked))
        return Reveal(found, student, predicted, list(parses(self._nlp, asked, k)))


def _check_same(definition: Definition, split: str | None, n: int | None) -> None:
    """Refuse other examples under the name of a quiz that is there."""
    is_other = split not in {None, definition.split} or n not in {None, len(definition.gold)}
    if is_other:
        raise DataError(
            f"the quiz {definition.name!r} is there already, with {definition.says}",
            field="name",
            remedy=f"Join it with session.quiz({definition.name!r}), or name the new one otherwise",
        )
