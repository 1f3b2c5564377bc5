"""Quizzes: the students of a class label the same examples without suggestions or gold."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from nbner._common.alignment import align
from nbner._common.format import plural
from nbner.active_learning.strategies import shuffled
from nbner.decoding.api import parses
from nbner.errors import DataError
from nbner.io import formats
from nbner.io.importer import prepare_rows
from nbner.nlp.pipeline import is_trained
from nbner.nlp.prediction import predict
from nbner.queues.labelling import AnswerBus
from nbner.session.arguments import check_session_function
from nbner.session.context import SessionContext
from nbner.session.keys import load_keys
from nbner.teaching.quiz.quiz import Quiz, QuizQueue
from nbner.teaching.quiz.report import QuizResults, QuizReveal
from nbner.teaching.quiz.scores import QuizQuestion, Submission
from nbner.teaching.quiz.storage import QuizDefinition, QuizStore
from nbner.types import Example

if TYPE_CHECKING:
    from nbner.session.session import Session

DEFAULT_SIZE = 10  # examples


@check_session_function
def quiz(
    session: Session,
    name: str = "quiz",
    split: str | None = None,
    n: int | None = None,
    *,
    annotator: str | None = None,
) -> Quiz:
    """Build a quiz, or join it: a class labels the same examples blind and is compared.

    The first call under a name creates the quiz; every later one joins it, from
    any session on this store (a file, or PostgreSQL for many at once). Each
    student labels without suggestions, without gold and without the answers of
    the others, under a name of their own; ``quiz.reveal()`` then shows gold,
    model and the k best parses beside their own, with their score and the
    agreement of the class, and closes the quiz for them.

    Submissions are never gold. They are stored in a dataset of their own,
    "quizzes of ...", with one split a quiz, which no session opens: training,
    evaluation, agreement, review and export of this dataset do not include
    them. The gold stays in this dataset and is looked up when submissions are
    scored. The widget does not show the gold but does not lock it either:
    whoever opens this dataset in Python can read it.

    Parameters
    ----------
    session : Session
        Its dataset holds the gold; its model is shown by ``reveal()``.
    name : str
        Name of the quiz.
    split : str, optional
        Split of the examples: accepted ones, sampled at random with the
        session's seed. By default "dev".
    n : int, optional
        Number of examples; by default 10, or all if there are fewer.
    annotator : str, optional
        Name of the student; by default the session's annotator.

    Returns
    -------
    Quiz
        Displayed in a cell it is the widget. ``reveal()`` for the student;
        ``frame`` (one row a student and example), ``student_frame``,
        ``question_frame``, ``plot()`` and ``agreement()`` for the teacher.

    Raises
    ------
    DataError
        There is no gold, there are fewer examples than ``n``, or there is a
        quiz of that name with other examples.
    """
    context = session.context
    quizzes = QuizStore(context.store, context.dataset)
    definition = quizzes.find(name)
    if definition is None:
        definition = _create_quiz(context, quizzes, name, split or "dev", n)
    _check_same_examples(definition, split, n)
    student = annotator or context.annotator
    queue = QuizQueue(
        quizzes,
        definition,
        student=student,
        key=context.store.key,
        tokenize=context.tokenize,
        answer_bus=AnswerBus(),
        settings=context.answer_bus,
        keys=load_keys(context.dataset, student),
    )
    score = partial(_score_submissions, context, quizzes, definition)
    found = Quiz(queue, score, partial(_reveal, context, score, student))
    context.annotators.add(found.widget)
    return found


def _create_quiz(
    context: SessionContext, quizzes: QuizStore, name: str, split: str, n: int | None
) -> QuizDefinition:
    chosen = _sample(context, split, n)
    bare = [Example(one.text, one.tokens, pretokenized=one.pretokenized) for one in chosen]
    rows = formats.read(bare)
    quizzes.submissions_dataset.set_labels(context.labels)
    quizzes.submissions_dataset.add(
        prepare_rows(rows, tokenize=context.tokenize, split=name, gold=False)
    )
    return quizzes.define(name, split, chosen)


def _sample(context: SessionContext, split: str, n: int | None) -> list[Example]:
    """Sample examples whose gold matches their tokens; return them in the order of addition."""
    fit = [
        one
        for one in context.dataset.examples(split, answer="accept")
        if not one.binary
        and not one.accepted_unseen
        and not align(context.tokenized(one).tokens, one.spans).misaligned
    ]
    if not fit:
        raise DataError(
            f"split {split!r} has no gold to ask about",
            field="split",
            remedy="Accept some examples there, or name another one: "
            "nbner.quiz(session, split=...)",
        )
    size = min(DEFAULT_SIZE, len(fit)) if n is None else n
    if not 1 <= size <= len(fit):
        raise DataError(
            f"{plural(size, 'example is', 'examples are')} asked for, and split {split!r} has "
            f"{len(fit):,} with gold",
            field="n",
            remedy=f"Give a number from 1 to {len(fit):,}",
        )
    places = sorted(shuffled(len(fit), context.seed)[:size])
    return [fit[place] for place in places]


def _score_submissions(
    context: SessionContext, quizzes: QuizStore, definition: QuizDefinition
) -> QuizResults:
    submissions = quizzes.submissions(definition.name)
    questions = [
        QuizQuestion(
            text=one.text,
            tokens=context.tokenized(one).tokens,
            gold=one.spans,
            submissions={
                name: Submission(version.answer, version.spans)
                for name, version in submissions.get(key, {}).items()
            },
        )
        for key, one in quizzes.gold(definition).items()
    ]
    return QuizResults(
        definition.name, tuple(questions), context.labels, context.seed, colors=context.colors
    )


def _reveal(
    context: SessionContext, score: Callable[[], QuizResults], student: str, k: int
) -> QuizReveal:
    found = score()
    asked = [Example(one.text, one.tokens, pretokenized=True) for one in found.questions]
    if not is_trained(context.nlp):
        return QuizReveal(found, student, None, ())
    predicted = list(predict(context.nlp, asked))
    return QuizReveal(found, student, predicted, list(parses(context.nlp, asked, k)))


def _check_same_examples(definition: QuizDefinition, split: str | None, n: int | None) -> None:
    """Raise DataError where the name is taken by a quiz with other examples."""
    is_other = split not in {None, definition.split} or n not in {None, len(definition.gold)}
    if is_other:
        raise DataError(
            f"the quiz {definition.name!r} is there already, with {definition.description}",
            field="name",
            remedy=f"Join it with nbner.quiz(session, {definition.name!r}), or choose another "
            "name for the new one",
        )
