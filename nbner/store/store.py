"""The store: one SQLite file or database that holds datasets, examples and answers."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import select

from nbner._common.serialization import dump_labels, find_lone_surrogate
from nbner.errors import DataError
from nbner.store import integrity, schema
from nbner.store.answers import insert_if_new
from nbner.store.database import Database
from nbner.store.dataset import Dataset
from nbner.store.integrity import IntegrityCheck


class Store:
    """An append-only store, opened or created.

    Usable from several threads at once, and the same file from several
    processes. Answers are durable when the call that records them returns
    (SQLite with a write-ahead log and ``synchronous=FULL``).

    Parameters
    ----------
    location : str or Path
        A SQLite file, ":memory:", or a database URL.

    Raises
    ------
    StoreError
        The file is not a store or was made by a newer version, its folder is
        missing, or the server does not answer. Existing data is unchanged.
    """

    def __init__(self, location: str | Path) -> None:
        self._database = Database(location)

    @property
    def key(self) -> str:
        """Identity of this store, generated when it is created and never changed."""
        return self._database.key

    @property
    def url(self) -> str:
        """The store's location, without a password."""
        return self._database.url

    def dataset(self, name: str) -> Dataset:
        """Return a dataset by its name; a new one is created.

        Parameters
        ----------
        name : str
            Name of the dataset.

        Raises
        ------
        DataError
            The name is empty, or cannot be stored.
        """
        if not isinstance(name, str) or not name.strip():
            raise DataError("a dataset has a name", field="dataset")
        if "\0" in name or find_lone_surrogate(name) is not None:
            raise DataError(
                f"{name!r} has a character that no database can hold",
                field="dataset",
                remedy="Remove it",
            )
        table = schema.datasets
        by_name = select(table.c.id).where(table.c.name == name)
        with self._database.reading() as connection:
            found = connection.scalar(by_name)
        if found is None:
            with self._database.writing() as connection:
                found = connection.scalar(by_name)
                if found is None:
                    insert_if_new(connection, table, {"name": name, "labels": dump_labels(())})
                    found = connection.scalar(by_name)
        assert found is not None  # noqa: S101 - for the type checker: found or inserted
        return Dataset(self._database, int(found), name)

    def datasets(self) -> tuple[str, ...]:
        """Return the names of the datasets, oldest first."""
        table = schema.datasets
        with self._database.reading() as connection:
            return tuple(connection.scalars(select(table.c.name).order_by(table.c.id)))

    def backup(self, path: str | Path | None = None) -> Path:
        """Copy the store while others go on writing.

        Parameters
        ----------
        path : str or Path, optional
            By default a file with the current time in its name, beside the store.

        Returns
        -------
        Path
            A SQLite file; ``Store(path)`` opens it.

        Raises
        ------
        StoreError
            The file exists already, or cannot be written.
        """
        return self._database.backup(None if path is None else Path(path))

    def verify(self) -> list[IntegrityCheck]:
        """Check the integrity of the whole store, without changing it."""
        return integrity.verify(self._database)

    def close(self) -> None:
        """Close all connections. Closing again does nothing."""
        self._database.close()

    def __repr__(self) -> str:
        return f"Store({self.url!r})"
