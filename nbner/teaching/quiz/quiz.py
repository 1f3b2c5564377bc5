"""The desk at which students label blind, and what a quiz is in a cell."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from nbner._common.filters import ExampleFilter, ExamplePage
from nbner.errors import DataError
from nbner.queues.labelling import AnnotationQueue, AnswerBus, TokenizeFn
from nbner.teaching.quiz.report import QuizResults, QuizReveal
from nbner.teaching.quiz.storage import QuizDefinition, QuizStore
from nbner.types import Answer, Example

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from nbner.quality.agreement.report import Agreement
    from nbner.widgets.annotator import Annotator


class QuizQueue(AnnotationQueue):
    """Queue (see ``nbner.widgets.queue_protocol``) of a quiz, without suggestions or answers.

    Parameters
    ----------
    quizzes : QuizStore
    definition : QuizDefinition
    student : str
    key : str
        Identity of the store.
    tokenize : callable
    answer_bus : AnswerBus
    """

    def __init__(
        self,
        quizzes: QuizStore,
        definition: QuizDefinition,
        *,
        student: str,
        key: str,
        tokenize: TokenizeFn,
        answer_bus: AnswerBus,
    ) -> None:
        super().__init__(
            quizzes.submissions_dataset,
            split=definition.name,
            annotator=student,
            key=key,
            tokenize=tokenize,
            suggester=None,
            answer_bus=answer_bus,
        )
        self._quizzes = quizzes

    def list_examples(self, conditions: ExampleFilter, offset: int, limit: int) -> ExamplePage:
        """Give a piece of the list, with this student's own answers alone."""
        rows = [one for one in self._own() if _meets(one, conditions)]
        piece = rows[max(0, offset) :][: max(0, limit)]
        return ExamplePage(tuple((one, None) for one in piece), len(rows))

    def search_text(self, words: Collection[str], *, cased: bool) -> Iterator[Example]:
        """Yield examples that this student has not decided and that hold all words."""

        def folded(text: str) -> str:
            return text if cased else text.casefold()

        wanted = [folded(word) for word in words]
        for one in self._own():
            if one.answer is None and all(word in folded(one.text) for word in wanted):
                yield one

    def record_many(self, answers: Sequence[Answer]) -> int:
        """Store answers, unless the student has seen the gold.

        Raises
        ------
        DataError
            They have.
        """
        info = self.info
        if self._quizzes.has_seen_gold(info.split, info.annotator):
            raise DataError(
                f"{info.annotator!r} has seen the gold of this quiz, so nothing more is handed in",
                remedy="quiz.reveal() shows it again",
            )
        return super().record_many(answers)

    def close(self) -> None:
        """Take nothing more from this student: they have seen the gold."""
        self._quizzes.record_gold_seen(self.info.split, self.info.annotator)

    def _own(self) -> Iterator[Example]:
        for one in self._dataset.examples(self.info.split):
            found = self.find(one.input_hash)
            if found is not None:
                yield found


def _meets(one: Example, wanted: ExampleFilter) -> bool:
    standing = {None: True, "open": one.answer is None, "answered": one.answer is not None}
    return all(
        (
            standing.get(wanted.answer, one.answer == wanted.answer),
            one.flagged or not wanted.flagged,
            bool(one.note) or not wanted.noted,
            wanted.label is None or any(span.label == wanted.label for span in one.spans),
            wanted.text is None or wanted.text.casefold() in one.text.casefold(),
            wanted.annotator is None or one.annotator == wanted.annotator,
        )
    )


class Quiz:
    """A quiz in a cell: the widget to label in, and what came out so far.

    `nbner.quiz` makes it. Every value is read anew from the store, so that
    a teacher sees what the class hands in.

    Parameters
    ----------
    queue : QuizQueue
    results : callable
        Gives all that was handed in, held against the gold.
    reveal : callable
        From how many analyses are wanted to the student's sheets side by side.
    """

    def __init__(
        self,
        queue: QuizQueue,
        results: Callable[[], QuizResults],
        reveal: Callable[[int], QuizReveal],
    ) -> None:
        from nbner.widgets.annotator import Annotator

        self._desk = queue
        self._marks = results
        self._reveal = reveal
        #: The widget in which it is labelled.
        self.widget: Annotator = Annotator(queue)

    @property
    def name(self) -> str:
        """The quiz's name."""
        return self._desk.info.split

    @property
    def student(self) -> str:
        """Under whose name sheets are handed in here."""
        return self._desk.info.annotator

    def pending(self) -> list[Example]:
        """Give the examples that the student has still to answer, as the widget shows them."""
        return self._desk.next_batch(self._desk.counts().open)

    @property
    def results(self) -> QuizResults:
        """All that was handed in so far, held against the gold that stands."""
        return self._marks()

    @property
    def frame(self) -> pd.DataFrame:
        """One row a student and example: ``found``, ``missed``, ``extra``, ``f``, ``right``."""
        return self.results.frame

    @property
    def student_frame(self) -> pd.DataFrame:
        """One row a student, the best first."""
        return self.results.student_frame

    @property
    def question_frame(self) -> pd.DataFrame:
        """One row an example, with the F and the share of students who have it all right."""
        return self.results.question_frame

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the F of every student on every example."""
        return self.results.plot(ax)

    def agreement(self, *, samples: int = 1000) -> Agreement | None:
        """Measure how far the students agree with each other; None where no two accepted one.

        Parameters
        ----------
        samples : int
            Bootstrap samples behind the intervals.
        """
        return self.results.agreement(samples=samples)

    def reveal(self, k: int = 3, *, early: bool = False) -> QuizReveal:
        """Show gold, model and its k best beside what this student handed in.

        From then on the student can hand in nothing more to this quiz.

        Parameters
        ----------
        k : int
            Analyses of the model, by the exact decoder.
        early : bool
            Also where examples are open.

        Raises
        ------
        DataError
            Examples are open, and ``early`` is not said.
        """
        counts = self._desk.counts()
        if counts.open and not early:
            raise DataError(
                f"{counts.open:,} of {counts.total:,} examples are not answered yet",
                remedy="Answer them first, or see the gold now with quiz.reveal(early=True); "
                "nothing more can be handed in then",
            )
        revealed = self._reveal(k)
        self._desk.close()
        return revealed

    def __str__(self) -> str:
        counts = self._desk.counts()
        return (
            f"quiz {self.name!r} for {self.student}: {counts.answered} of {counts.total} answered"
        )

    __repr__ = __str__

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        return self.widget._repr_mimebundle_(**kwargs)
