"""The append-only store: one file that holds datasets, their examples and every answer."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import select

from nbner._common.serialization import dump_labels
from nbner.errors import DataError
from nbner.store import integrity, schema
from nbner.store.answers import insert_if_new
from nbner.store.database import Database
from nbner.store.dataset import Dataset
from nbner.store.integrity import IntegrityCheck

__all__ = ["Dataset", "Store"]


class Store:
    """Opens a store, or makes one where there is none.

    Usable from several threads at once, and the same file from several
    processes. Answers are durable when the call that records them returns
    (SQLite with a write-ahead log and ``synchronous=FULL``).

    Parameters
    ----------
    where : str or Path
        A SQLite file, ":memory:", or a database URL.

    Raises
    ------
    StoreError
        The file is not a store or was made by a newer version, its folder is
        missing, or the server does not answer. What was there is unharmed.
    """

    def __init__(self, where: str | Path) -> None:
        self._database = Database(where)

    @property
    def key(self) -> str:
        """Identity of this store, made with it and kept for ever."""
        return self._database.key

    @property
    def url(self) -> str:
        """Where it is, without a password."""
        return self._database.url

    def dataset(self, name: str) -> Dataset:
        """Give a dataset by its name; it is made if it is new.

        Raises
        ------
        DataError
            The name is empty.
        """
        if not isinstance(name, str) or not name.strip():
            raise DataError("a dataset has a name", field="dataset")
        table = schema.datasets
        by_name = select(table.c.id).where(table.c.name == name)
        with self._database.reading() as connection:
            found = connection.scalar(by_name)
        if found is None:
            with self._database.writing() as connection:
                found = connection.scalar(by_name)
                if found is None:
                    new = {"name": name, "labels": dump_labels(())}
                    insert_if_new(connection, table, new)
                    found = connection.scalar(by_name)
        assert found is not None  # noqa: S101 - for the type checker: found or made
        return Dataset(self._database, int(found), name)

    def datasets(self) -> tuple[str, ...]:
        """Name the datasets, the oldest first."""
        table = schema.datasets
        with self._database.reading() as connection:
            return tuple(connection.scalars(select(table.c.name).order_by(table.c.id)))

    def backup(self, path: str | Path | None = None) -> Path:
        """Copy the store, while others go on writing, and say where the copy is.

        Parameters
        ----------
        path : str or Path, optional
            By default a name with the time in it, beside the store.

        Returns
        -------
        Path
            A SQLite file; ``Store(path)`` opens it.

        Raises
        ------
        StoreError
            There is something already, or the file cannot be written.
        """
        return self._database.backup(None if path is None else Path(path))

    def verify(self) -> list[IntegrityCheck]:
        """Check every rule of the whole store; nothing is changed."""
        return integrity.verify(self._database)

    def close(self) -> None:
        """Let go of the file. Closing again does nothing."""
        self._database.close()

    def __repr__(self) -> str:
        return f"Store({self.url!r})"
