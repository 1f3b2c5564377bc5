"""Quizzes in a store: their examples and sheets lie in a dataset of their own.

The quizzes of a dataset are the splits of another one, which is marked as such
and which no session opens: what is handed in there cannot get among gold,
training, agreement or export of the dataset that is asked about. Which gold
belongs to which question is kept as a setting; the gold itself stays where it
is, so that a sheet is always measured against the gold that stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from nbner.errors import DataError
from nbner.store.assignments import AnnotatorVersion
from nbner.store.dataset import Dataset
from nbner.store.store import Store
from nbner.types import IMPORT_ANNOTATOR, Example

_PURPOSE = "purpose"


@dataclass(frozen=True, slots=True)
class QuizDefinition:
    """What a quiz is made of.

    Parameters
    ----------
    name : str
    split : str
        Where its examples are from.
    gold : dict of int to int
        Input hash in the quiz to the one in the split.
    """

    name: str
    split: str
    gold: dict[int, int]

    @property
    def description(self) -> str:
        """What it is, in words."""
        return f"{len(self.gold)} examples of {self.split!r}"


class QuizStore:
    """The quizzes of one dataset.

    Parameters
    ----------
    store : Store
    dataset : Dataset
        The one that is asked about.
    """

    def __init__(self, store: Store, dataset: Dataset) -> None:
        self._store = store
        self._asked = dataset

    @property
    def _name(self) -> str:
        return f"quizzes of {self._asked.name}"

    @property
    def submissions_dataset(self) -> Dataset:
        """The dataset that holds the questions and what is handed in."""
        found = self._store.dataset(self._name)
        if found.settings.get(_PURPOSE) is None:
            found.settings.set(_PURPOSE, {"quizzes_of": self._asked.name})
            found.set_labels(self._asked.labels)
        return found

    def names(self) -> tuple[str, ...]:
        """Name the quizzes that there are."""
        return (
            tuple(self.submissions_dataset.splits()) if self._name in self._store.datasets() else ()
        )

    def find(self, name: str) -> QuizDefinition | None:
        """Give a quiz by its name; None where there is none."""
        if self._name not in self._store.datasets():
            return None
        kept: dict[str, Any] | None = self.submissions_dataset.settings.get(f"quiz/{name}")
        if kept is None:
            return None
        return QuizDefinition(name, kept["split"], dict(kept["gold"]))

    def define(self, name: str, split: str, chosen: Sequence[Example]) -> QuizDefinition:
        """Keep what a quiz is made of, once its examples are among the sheets.

        Parameters
        ----------
        name, split : str
        chosen : sequence of Example
            As they stand in ``split``.
        """
        sheets = self.submissions_dataset
        by_text = {one.text: one.input_hash for one in sheets.examples(name)}
        pairs = [(by_text[one.text], one.input_hash) for one in chosen]
        # Everybody labels every example, and sees nobody else's answers.
        sheets.assignments.set_overlap(name, "all")
        sheets.settings.set(f"quiz/{name}", {"split": split, "gold": pairs})
        return QuizDefinition(name, split, dict(pairs))

    def gold(self, definition: QuizDefinition) -> dict[int, Example]:
        """Give the gold that stands, by the input hash in the quiz.

        Examples whose gold has been taken back since are left out.
        """
        found = {
            key: self._asked.find(original, definition.split)
            for key, original in definition.gold.items()
        }
        return {
            key: one for key, one in found.items() if one is not None and one.answer == "accept"
        }

    def submissions(self, name: str) -> dict[int, dict[str, AnnotatorVersion]]:
        """Give the current answers, by example and student."""
        team = self.submissions_dataset.assignments
        versions = dict(team.versions(name))
        return {
            example.input_hash: {
                one.annotator: one for one in versions[id_] if one.annotator != IMPORT_ANNOTATOR
            }
            for id_, example in team.examples_by_id(versions).items()
        }

    def has_seen_gold(self, name: str, student: str) -> bool:
        """Whether a student was shown the gold, and can hand in nothing more."""
        return bool(self.submissions_dataset.settings.get(_seen(name, student)))

    def record_gold_seen(self, name: str, student: str) -> None:
        """Keep that a student was shown the gold."""
        if not self.has_seen_gold(name, student):
            self.submissions_dataset.settings.set(_seen(name, student), value=True)


def ensure_not_quiz_dataset(dataset: Dataset) -> None:
    """Refuse a dataset that holds sheets of quizzes.

    Raises
    ------
    DataError
    """
    purpose: dict[str, str] | None = dataset.settings.get(_PURPOSE)
    if purpose is not None:
        asked = purpose["quizzes_of"]
        raise DataError(
            f"{dataset.name!r} holds what was handed in to the quizzes of {asked!r}, which is no "
            "gold and is never trained on",
            field="dataset",
            remedy=f"Open Session({asked!r}, ...) and call nbner.quiz(session, name)",
        )


def _seen(name: str, student: str) -> str:
    return f"seen gold/{name}/{student}"
