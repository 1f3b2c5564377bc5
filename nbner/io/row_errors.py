"""Rows that cannot be read or stored: the import stops, or goes on without them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Literal, TypeAlias, TypeVar, get_args

from nbner.errors import DataError

OnError: TypeAlias = Literal["refuse", "skip"]

_T = TypeVar("_T")

_SKIP_REMEDY = 'leave such rows out with on_error="skip"'


class RowErrors:
    """The treatment of the errors of single rows.

    Parameters
    ----------
    on_error : {"refuse", "skip"}, optional
        "refuse" raises the error, with "skip" in its remedy; "skip" reports
        it. None, for callers that offer no choice, raises it as it is.

    Attributes
    ----------
    report : callable
        Takes each skipped error, and the row's text where it is known.

    Raises
    ------
    DataError
        ``on_error`` is unknown.
    """

    def __init__(self, on_error: OnError | None = None) -> None:
        if on_error not in (None, *get_args(OnError)):
            raise DataError(
                f"{on_error!r} is no treatment of rows that cannot be added",
                field="on_error",
                remedy=f"Use one of {', '.join(get_args(OnError))}",
            )
        self._on_error = on_error
        self.report: Callable[[DataError, str], None] = lambda _error, _text: None

    def handle(self, error: DataError, text: str = "") -> None:
        """Report the error of a row if rows are skipped; raise it otherwise.

        Parameters
        ----------
        error : DataError
            With the row's location.
        text : str
            Text of the row, where it is known.

        Raises
        ------
        DataError
            Rows are not skipped.
        """
        if self._on_error is None:
            raise error
        if self._on_error == "skip":
            self.report(error, text)
            return
        remedy = f"{error.remedy.rstrip('.')}; or {_SKIP_REMEDY}" if error.remedy else _SKIP_REMEDY
        raise DataError(
            error.problem,
            file=error.file,
            line=error.line,
            field=error.field,
            remedy=remedy[0].upper() + remedy[1:],
        ) from error

    def guard(self, rows: Iterable[_T]) -> Iterator[_T]:
        """Yield the rows of one item; none of them if one cannot be read and rows are skipped.

        Parameters
        ----------
        rows : iterable
            From one object of a source.

        Raises
        ------
        DataError
            A row cannot be read, and rows are not skipped.
        """
        try:
            # A list: a later row of the same item may be the one that cannot be read.
            found = list(rows)
        except DataError as error:
            self.handle(error)
            return
        yield from found
