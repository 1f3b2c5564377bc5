"""Annotation queue of a quiz, and the quiz as a value in a cell."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from nbner._common.filters import ExampleFilter, ExamplePage
from nbner._common.format import plural
from nbner._common.result import FigureResult
from nbner.errors import DataError
from nbner.queues.labelling import AnnotationQueue, AnswerBus, TokenizeFn
from nbner.teaching.quiz.report import QuizResults, QuizReveal
from nbner.teaching.quiz.storage import QuizDefinition, QuizStore
from nbner.types import Answer, Example
from nbner.widgets.key_bindings import KeyBindings
from nbner.widgets.queue_protocol import QueueInfo

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from nbner.quality.agreement.report import Agreement
    from nbner.widgets.annotator import Annotator


class QuizQueue(AnnotationQueue):
    """Queue (see ``nbner.widgets.queue_protocol``) of a quiz, without suggestions or gold.

    Parameters
    ----------
    quizzes : QuizStore
        Quizzes of the dataset.
    definition : QuizDefinition
        The quiz.
    student : str
        Name under which answers are stored.
    key : str
        Identity of the store.
    tokenize : callable
        From a text to its tokens.
    answer_bus : AnswerBus
        Notifies the other widgets of the quiz of answers.
    settings : AnswerBus
        Holds the guideline and the colors of the session.
    keys : KeyBindings
        Keys that the student has chosen.
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
        settings: AnswerBus,
        keys: KeyBindings,
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
        self._settings = settings
        answer_bus.keys = keys

    @property
    def info(self) -> QueueInfo:
        """Settings of the page, with the session's present guideline and colors."""
        bus = self._answer_bus
        bus.guidelines, bus.colors = self._settings.guidelines, self._settings.colors
        return super().info

    def list_examples(self, conditions: ExampleFilter, offset: int, limit: int) -> ExamplePage:
        """Return a page of the list, with the answers of this student only.

        Parameters
        ----------
        conditions : ExampleFilter
            Conditions on the examples.
        offset : int
            Index of the first example of the page.
        limit : int
            Largest number of examples.
        """
        rows = [one for one in self._student_examples() if conditions.matches(one)]
        page = rows[max(0, offset) :][: max(0, limit)]
        return ExamplePage(tuple((one, None) for one in page), len(rows))

    def search_text(self, words: Collection[str], *, cased: bool) -> Iterator[Example]:
        """Yield examples that this student has not answered and that contain all words.

        Parameters
        ----------
        words : collection of str
            The words.
        cased : bool
            Whether case matters.
        """

        def folded(text: str) -> str:
            return text if cased else text.casefold()

        wanted = [folded(word) for word in words]
        for one in self._student_examples():
            if one.answer is None and all(word in folded(one.text) for word in wanted):
                yield one

    def record_many(self, answers: Sequence[Answer]) -> int:
        """Store answers, unless the student has seen the gold.

        Parameters
        ----------
        answers : sequence of Answer
            The answers.

        Raises
        ------
        DataError
            The student has seen the gold.
        """
        info = self.info
        if self._quizzes.has_seen_gold(info.split, info.annotator):
            raise DataError(
                f"{info.annotator!r} has seen the gold of this quiz, so nothing more is handed in",
                remedy="quiz.reveal() shows it again",
            )
        return super().record_many(answers)

    def close(self) -> None:
        """Refuse further answers of this student, who has seen the gold."""
        self._quizzes.record_gold_seen(self.info.split, self.info.annotator)

    def _student_examples(self) -> Iterator[Example]:
        for one in self._dataset.examples(self.info.split):
            found = self.find(one.input_hash)
            if found is not None:
                yield found


class Quiz:
    """A quiz in a cell: the widget to annotate in, and the results so far.

    ``nbner.quiz`` creates it. All results are read anew from the store, so that a
    teacher sees the submissions of the class as they come in. ``plot()`` draws the F of
    every student on every example.

    Parameters
    ----------
    queue : QuizQueue
        Queue of the student.
    results : callable
        Returns the scores of all submissions.
    reveal : callable
        From the number of analyses to the student's submissions beside the gold.
    """

    def __init__(
        self,
        queue: QuizQueue,
        results: Callable[[], QuizResults],
        reveal: Callable[[int], QuizReveal],
    ) -> None:
        from nbner.widgets.annotator import Annotator

        self._queue = queue
        self._compute_results = results
        self._build_reveal = reveal
        #: The widget to annotate in.
        self.widget: Annotator = Annotator(queue)

    @property
    def name(self) -> str:
        """Name of the quiz."""
        return self._queue.info.split

    @property
    def student(self) -> str:
        """Name under which answers are stored."""
        return self._queue.info.annotator

    def pending(self) -> list[Example]:
        """Return the examples that the student has not answered yet, in the widget's order."""
        return self._queue.next_batch(self._queue.counts().open)

    @property
    def results(self) -> QuizResults:
        """All submissions so far, scored against the current gold."""
        return self._compute_results()

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
        """One row an example, with F and the fraction of students without an error."""
        return self.results.question_frame

    plot = FigureResult.plot

    def _draw(self, ax: Axes | None) -> Axes:
        return self.results.plot(ax)

    def agreement(self, *, samples: int = 1000) -> Agreement | None:
        """Measure the agreement between students; None if no two accepted the same example.

        Parameters
        ----------
        samples : int
            Bootstrap samples for the intervals.
        """
        return self.results.agreement(samples=samples)

    def reveal(self, k: int = 3, *, early: bool = False) -> QuizReveal:
        """Show gold, prediction and k best analyses beside this student's submissions.

        From then on the student can submit nothing more to this quiz.

        Parameters
        ----------
        k : int
            Number of analyses of the model, by the exact decoder.
        early : bool
            Whether to reveal although some examples are not answered.

        Raises
        ------
        DataError
            Some examples are not answered, and ``early`` is False.
        """
        counts = self._queue.counts()
        if counts.open and not early:
            raise DataError(
                f"{counts.open:,} of {plural(counts.total, 'example')} "
                f"{'is' if counts.open == 1 else 'are'} not answered yet",
                remedy="Answer them first, or see the gold now with quiz.reveal(early=True); "
                "nothing more can be handed in then",
            )
        revealed = self._build_reveal(k)
        self._queue.close()
        return revealed

    def __str__(self) -> str:
        counts = self._queue.counts()
        return (
            f"quiz {self.name!r} for {self.student}: {counts.answered} of {counts.total} answered"
        )

    __repr__ = __str__

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        return self.widget._repr_mimebundle_(**kwargs)
