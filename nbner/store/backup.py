"""Consistent copies of a store while other connections write to it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, create_engine, insert, inspect, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from nbner._common.drafts import draft_folder, sync_folder, sync_tree
from nbner.errors import StoreError
from nbner.store import schema

_BATCH = 1000


def copy(connection: Connection, path: Path) -> None:
    """Write a store to a SQLite file, which is a store itself.

    Parameters
    ----------
    connection : Connection
        With a read transaction; the copy holds the state that it sees.
    path : Path
        The file to write; it must not exist.

    Raises
    ------
    StoreError
        The file exists already, or cannot be written.
    """
    try:
        is_there = path.exists()
    except OSError as error:
        raise _backup_error(path, error) from error
    if is_there:
        raise StoreError(f"{path} is there already. Name another file for the backup.")
    try:
        # A folder of its own also takes the files that SQLite writes beside a database.
        with draft_folder(path.parent) as folder:
            draft = folder / "backup.db"
            if connection.dialect.name == "sqlite":
                _copy_pages(connection, draft)
            else:
                _copy_rows(connection, draft)
            sync_tree(folder)
            draft.replace(path)
        sync_folder(path.parent)
    except (OSError, sqlite3.Error) as error:
        raise _backup_error(path, error) from error
    except DBAPIError as error:
        # An error of the server that is copied from does not concern the copy.
        if not isinstance(error.orig, sqlite3.Error):
            raise
        raise _backup_error(path, error.orig) from error


def _backup_error(path: Path, error: Exception) -> StoreError:
    return StoreError(
        f"the backup {path} cannot be written: {error}. Choose a folder that is there, may be "
        "written and has room."
    )


def _copy_pages(connection: Connection, draft: Path) -> None:
    source: Any = connection.connection.dbapi_connection
    with closing(sqlite3.connect(draft)) as target:
        source.backup(target)


def _copy_rows(connection: Connection, draft: Path) -> None:
    """Copy a server's tables into tables of the present version; missing columns are NULL."""
    source = inspect(connection)
    # Made of its parts: a name may have characters that mean something in a URL.
    engine = create_engine(URL.create("sqlite", database=str(draft)), poolclass=NullPool)
    with engine.begin() as target:
        schema.metadata.create_all(target)
        for table in schema.metadata.sorted_tables:
            if not source.has_table(table.name):
                continue
            names = {column["name"] for column in source.get_columns(table.name)}
            columns = [column for column in table.columns if column.name in names]
            rows = connection.execution_options(yield_per=_BATCH).execute(select(*columns))
            for batch in rows.mappings().partitions(_BATCH):
                target.execute(insert(table), [dict(row) for row in batch])
        target.execute(update(schema.store).values(schema_version=schema.SCHEMA_VERSION))
