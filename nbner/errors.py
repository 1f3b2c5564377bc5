"""What nbner raises.

::

    NbnerError
    ├── DataError         a row, a file or a span that cannot be taken
    ├── StoreError        the database: not there, not one, newer, not writable
    ├── ModelError        a pipeline that cannot be loaded, or has nothing to say yet
    └── TrainingError     nothing to train on, or training that cannot go on

Each message names what is wrong, where, and what to do about it.
"""

from __future__ import annotations

from pathlib import Path


class NbnerError(Exception):
    """The root of every error that nbner raises on purpose."""


class DataError(NbnerError):
    """A row, a file or a span that cannot be taken.

    Parameters
    ----------
    problem : str
        What is wrong, as a sentence without its full stop.
    file : str or Path, optional
        Where it was read from.
    line : int, optional
        Line, row or document, counted from 1.
    field : str, optional
        The key or column.
    remedy : str, optional
        What to do, as a sentence without its full stop.
    """

    def __init__(
        self,
        problem: str,
        *,
        file: str | Path | None = None,
        line: int | None = None,
        field: str | None = None,
        remedy: str | None = None,
    ) -> None:
        self.problem = problem
        self.file = None if file is None else str(file)
        self.line = line
        self.field = field
        self.remedy = remedy
        super().__init__(problem)

    @property
    def location(self) -> str:
        """File, line and field in one phrase; empty where none is known."""
        parts = [
            self.file or "",
            f"line {self.line}" if self.line is not None else "",
            f"field {self.field!r}" if self.field else "",
        ]
        return ", ".join(part for part in parts if part)

    def __str__(self) -> str:
        sentences = [
            f"{self.location}: {self.problem}" if self.location else self.problem,
            self.remedy,
        ]
        return ". ".join(sentence.rstrip(".") for sentence in sentences if sentence) + "."


class StoreError(NbnerError):
    """The database is not there, is not one of ours, is newer, or cannot be written."""


class ModelError(NbnerError):
    """A pipeline that cannot be loaded, has no entity recognizer, or is not trained yet."""


class TrainingError(NbnerError):
    """There is nothing to train on, or training cannot go on."""
