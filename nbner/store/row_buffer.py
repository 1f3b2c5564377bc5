"""Rows that were read in one transaction, for use after its end."""

from __future__ import annotations

import pickle
from collections import namedtuple
from collections.abc import Iterable, Iterator
from itertools import islice
from tempfile import TemporaryFile
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any

from nbner.errors import StoreError

if TYPE_CHECKING:
    from typing_extensions import Self

_IN_MEMORY = 5000  # rows
_BATCH = 500


class RowBuffer:
    """Rows of one result: the first in memory, the others in a temporary file.

    A context manager, whose end deletes the file.

    Parameters
    ----------
    names : iterable of str
        Names of the columns.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._first: list[Any] = []
        self._file: IO[bytes] | None = None
        # The columns are known only now.
        self._type: Any = namedtuple("_Row", list(names), rename=True)  # type: ignore[misc]  # noqa: PYI024

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._file is not None:
            self._file.close()

    def fill(self, rows: Iterable[Any]) -> None:
        """Read rows to their end.

        Parameters
        ----------
        rows : iterable of Row
            All with these columns.

        Raises
        ------
        StoreError
            There is no room for a temporary file.
        """
        stream = iter(rows)
        self._first = list(islice(stream, _IN_MEMORY))
        if len(self._first) < _IN_MEMORY:
            return
        try:
            # Closed by the context manager.
            self._file = TemporaryFile()  # noqa: SIM115
            while batch := [tuple(row) for row in islice(stream, _BATCH)]:
                pickle.dump(batch, self._file, pickle.HIGHEST_PROTOCOL)
        except OSError as error:
            raise StoreError(
                f"there is no room to put rows aside: {error.strerror}. "
                "Set TMPDIR to a larger disk."
            ) from error

    def __iter__(self) -> Iterator[Any]:
        """Yield the rows in their order."""
        first, self._first = self._first, []
        yield from first
        if self._file is None:
            return
        end = self._file.tell()
        self._file.seek(0)
        while self._file.tell() < end:
            # Written above.
            yield from (self._type(*row) for row in pickle.load(self._file))  # noqa: S301
