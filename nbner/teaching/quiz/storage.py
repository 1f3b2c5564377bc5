"""Storage of quizzes: examples and submissions are in a dataset of their own.

The quizzes of a dataset are the splits of another dataset, which is marked as
such and which no session opens: submissions cannot get into gold, training,
agreement or export of the dataset that the quiz is about. The assignment of
gold examples to questions is stored as a setting; the gold itself stays in the
first dataset, so that a submission is always scored against the current gold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from nbner._common.format import plural
from nbner.errors import DataError
from nbner.store.assignments import AnnotatorVersion
from nbner.store.dataset import Dataset
from nbner.store.store import Store
from nbner.types import IMPORT_ANNOTATOR, Example

_PURPOSE = "purpose"


@dataclass(frozen=True, slots=True)
class QuizDefinition:
    """Content of a quiz.

    Parameters
    ----------
    name : str
        Name of the quiz.
    split : str
        Split that its examples are from.
    gold : dict of int to int
        Input hash in the quiz to the one in the split.
    """

    name: str
    split: str
    gold: dict[int, int]

    @property
    def description(self) -> str:
        """Description for messages."""
        return f"{plural(len(self.gold), 'example')} of {self.split!r}"


class QuizStore:
    """Stored quizzes of one dataset.

    Parameters
    ----------
    store : Store
        Store with the dataset.
    dataset : Dataset
        The dataset that the quizzes are about.
    """

    def __init__(self, store: Store, dataset: Dataset) -> None:
        self._store = store
        self._dataset = dataset

    @property
    def _name(self) -> str:
        return f"quizzes of {self._dataset.name}"

    @property
    def submissions_dataset(self) -> Dataset:
        """The dataset with the questions and the submissions, created if need be."""
        found = self._store.dataset(self._name)
        if found.settings.get(_PURPOSE) is None:
            found.settings.set(_PURPOSE, {"quizzes_of": self._dataset.name})
            found.set_labels(self._dataset.labels)
        return found

    def names(self) -> tuple[str, ...]:
        """Return the names of the quizzes."""
        return (
            tuple(self.submissions_dataset.splits()) if self._name in self._store.datasets() else ()
        )

    def find(self, name: str) -> QuizDefinition | None:
        """Return the definition of a quiz; None if there is none of that name.

        Parameters
        ----------
        name : str
            Name of the quiz.
        """
        if self._name not in self._store.datasets():
            return None
        stored: dict[str, Any] | None = self.submissions_dataset.settings.get(f"quiz/{name}")
        if stored is None:
            return None
        return QuizDefinition(name, stored["split"], dict(stored["gold"]))

    def define(self, name: str, split: str, chosen: Sequence[Example]) -> QuizDefinition:
        """Store the definition of a quiz whose examples have been added already.

        Parameters
        ----------
        name : str
            Name of the quiz.
        split : str
            Split that its examples are from.
        chosen : sequence of Example
            The examples as they are in ``split``.
        """
        dataset = self.submissions_dataset
        by_text = {one.text: one.input_hash for one in dataset.examples(name)}
        pairs = [(by_text[one.text], one.input_hash) for one in chosen]
        # Every student annotates every example, without the answers of the others.
        dataset.assignments.set_overlap(name, "all")
        dataset.settings.set(f"quiz/{name}", {"split": split, "gold": pairs})
        return QuizDefinition(name, split, dict(pairs))

    def gold(self, definition: QuizDefinition) -> dict[int, Example]:
        """Return the current gold by the input hash in the quiz.

        Examples whose gold has been withdrawn are left out.

        Parameters
        ----------
        definition : QuizDefinition
            The quiz.
        """
        found = {
            key: self._dataset.find(original, definition.split)
            for key, original in definition.gold.items()
        }
        return {
            key: one for key, one in found.items() if one is not None and one.answer == "accept"
        }

    def submissions(self, name: str) -> dict[int, dict[str, AnnotatorVersion]]:
        """Return the current answers by the example's input hash and student.

        Parameters
        ----------
        name : str
            Name of the quiz.
        """
        assignments = self.submissions_dataset.assignments
        versions = dict(assignments.versions(name))
        return {
            example.input_hash: {
                one.annotator: one for one in versions[id_] if one.annotator != IMPORT_ANNOTATOR
            }
            for id_, example in assignments.examples_by_id(versions).items()
        }

    def has_seen_gold(self, name: str, student: str) -> bool:
        """Return whether a student has seen the gold and can submit nothing more.

        Parameters
        ----------
        name : str
            Name of the quiz.
        student : str
            Name of the student.
        """
        return bool(self.submissions_dataset.settings.get(_seen_key(name, student)))

    def record_gold_seen(self, name: str, student: str) -> None:
        """Record that a student has seen the gold.

        Parameters
        ----------
        name : str
            Name of the quiz.
        student : str
            Name of the student.
        """
        if not self.has_seen_gold(name, student):
            self.submissions_dataset.settings.set(_seen_key(name, student), value=True)


def ensure_not_quiz_dataset(dataset: Dataset) -> None:
    """Raise an error for a dataset that holds submissions to quizzes.

    Parameters
    ----------
    dataset : Dataset
        The dataset that is about to be opened.

    Raises
    ------
    DataError
        It holds submissions.
    """
    purpose: dict[str, str] | None = dataset.settings.get(_PURPOSE)
    if purpose is not None:
        quizzed = purpose["quizzes_of"]
        raise DataError(
            f"{dataset.name!r} holds what was handed in to the quizzes of {quizzed!r}, which is no "
            "gold and is never trained on",
            field="dataset",
            remedy=f"Open Session({quizzed!r}, ...) and call nbner.quiz(session, name)",
        )


def _seen_key(name: str, student: str) -> str:
    return f"seen gold/{name}/{student}"
