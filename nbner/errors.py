"""The exceptions that nbner raises on purpose.

::

    NbnerError
    ├── DataError         a row, a file or a span that cannot be used
    ├── StoreError        a database that is missing, foreign, newer, or not writable
    ├── ModelError        a pipeline that cannot be loaded, or is not trained yet
    └── TrainingError     no training data, or training that cannot continue

Each message states the problem, its location and a remedy.
"""

from __future__ import annotations

from pathlib import Path


class NbnerError(Exception):
    """Base class of every error that nbner raises on purpose."""


class DataError(NbnerError):
    """A row, a file or a span that cannot be used.

    Parameters
    ----------
    problem : str
        Description of the problem: a sentence without its full stop.
    file : str or Path, optional
        The file that was read.
    line : int, optional
        Line, row or document, counted from 1.
    field : str, optional
        The key or column.
    remedy : str, optional
        The way out: a sentence without its full stop.
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
        first = f"{self.location}: {self.problem}" if self.location else self.problem
        return ". ".join(part.rstrip(".") for part in (first, self.remedy) if part) + "."


class StoreError(NbnerError):
    """A database that is missing, is not nbner's, has a newer schema, or cannot be written."""


class ModelError(NbnerError):
    """A pipeline that cannot be loaded, has no entity recognizer, or is not trained yet."""


class TrainingError(NbnerError):
    """Training that has no data, or that cannot continue."""
