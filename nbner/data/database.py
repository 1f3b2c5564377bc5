"""The way to a database: opening it unharmed, transactions, and errors in plain words."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

from sqlalchemy import URL, Connection, Engine, create_engine, event, insert, inspect, select
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import NullPool, QueuePool

from nbner.data import schema
from nbner.data.address import address, file_of, in_memory
from nbner.errors import StoreError

BUSY_SECONDS = 30

_WRITES = "nbner_writes"
_NOT_OURS = "is not a store of nbner. Name another file: nbner makes one that is not there yet."
# A driver's own words, and what they mean for people.
_MEANINGS = {
    "is locked": "is busy: another program is writing to it. Try again in a moment.",
    "readonly": "can be read but not written. Check the permissions of the file and its folder.",
    "is full": "cannot be written: the disk is full. Make room and try again.",
    "not a database": _NOT_OURS,
    "malformed": "is damaged. Go back to a copy of it.",
    "unable to open": "cannot be opened. Check the permissions of the file and its folder.",
}


class Database:
    """Connections to one store, for any number of threads.

    Parameters
    ----------
    where : str or Path
        A SQLite file, ":memory:", or a database URL.

    Raises
    ------
    StoreError
        There is no store and none can be made; what was there is unharmed.

    Attributes
    ----------
    key : str
        Identity of the store, made with it and kept for ever.
    url : str
        Where it is, without a password.
    """

    def __init__(self, where: str | Path) -> None:
        url = address(where)
        self.url = url.render_as_string(hide_password=True)
        self._name = f"The store {file_of(url) or self.url}"
        self._file = file_of(url)
        self._identity: tuple[int, int] | None = None
        self._closed = False
        if self._file is not None:
            self._look_before_opening(self._file)
        self._engine = self._engine_for(url)
        self._writer = self._engine.execution_options(**{_WRITES: True})
        try:
            self.key = self._open()
        except BaseException:
            self._engine.dispose()
            raise
        if self._file is not None:
            self._identity = _identity(self._file)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection that sees one moment of the store."""
        with self._translated(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Give a connection whose changes are durable when the block ends, or undone."""
        with self._translated(), self._writer.begin() as connection:
            yield connection

    def close(self) -> None:
        """Let go of the database. Closing again does nothing."""
        self._closed = True
        self._engine.dispose()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        if self._closed:
            raise StoreError(f"{self._name} is closed. Make a new session.")
        if self._identity is not None and _identity(self._file) != self._identity:
            # SQLite would go on writing to a file that nobody finds again.
            raise StoreError(f"{self._name} was moved or deleted. Put it back, or open it anew.")
        with self._in_plain_words():
            yield

    @contextmanager
    def _in_plain_words(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            raise StoreError(f"{self._name} {_meaning(str(error.orig))}") from error
        except PoolTimeoutError as error:
            raise StoreError(f"{self._name} {_MEANINGS['is locked']}") from error

    def _look_before_opening(self, file: Path) -> None:
        """Read what is there without write access, so that nothing foreign is touched."""
        if file.is_dir():
            raise StoreError(f"{self._name} is a folder. Name a file in it.")
        if not file.parent.is_dir():
            raise StoreError(f"{self._name} has no folder. Make {file.parent} first.")
        if not file.exists():
            return
        read_only = f"file:{quote(str(file.absolute()))}?mode=ro"
        engine = create_engine(
            "sqlite://",
            creator=lambda: sqlite3.connect(read_only, uri=True, timeout=BUSY_SECONDS),
            poolclass=NullPool,
        )
        with self._in_plain_words(), engine.connect() as connection:
            self._check(connection)

    def _check(self, connection: Connection) -> bool:
        """Whether this is a store; False where there is nothing yet."""
        tables = inspect(connection).get_table_names()
        if schema.store.name not in tables:
            # Beside others, as in a server's database, nbner's tables keep to themselves.
            if tables and connection.dialect.name == "sqlite":
                raise StoreError(f"{self._name} {_NOT_OURS}")
            return False
        version = connection.scalar(select(schema.store.c.schema_version))
        if version is None or version > schema.SCHEMA_VERSION:
            raise StoreError(
                f"{self._name} was made by a newer version of nbner (its tables are version "
                f"{version}, this nbner knows {schema.SCHEMA_VERSION}). Update nbner."
            )
        return True

    def _engine_for(self, url: URL) -> Engine:
        try:
            if url.get_backend_name() != "sqlite":
                return create_engine(url, pool_pre_ping=True)
            engine = create_engine(url, **_sqlite_options(url))
        except (ArgumentError, NoSuchModuleError) as error:
            raise StoreError(f"{self._name} is not an address that is known: {error}.") from error
        except ModuleNotFoundError as error:
            raise StoreError(f"{self._name} needs a driver: pip install {error.name}.") from error
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine

    def _open(self) -> str:
        with self._in_plain_words():
            with self._engine.begin() as connection:
                is_there = self._check(connection)
            if self._engine.dialect.name == "sqlite":
                self._use_write_ahead_log()
            if not is_there:
                self._make()
            with self._engine.begin() as connection:
                return str(connection.scalar(select(schema.store.c.key)))

    def _make(self) -> None:
        with self._writer.begin() as connection:
            # Another process may have made it since we looked.
            if self._check(connection):
                return
            schema.metadata.create_all(connection)
            connection.execute(
                insert(schema.store).values(
                    key=uuid4().hex, schema_version=schema.SCHEMA_VERSION, created=time.time()
                )
            )

    def _use_write_ahead_log(self) -> None:
        """Let readers and a writer work at once; the file remembers it."""
        until = time.monotonic() + BUSY_SECONDS
        # SQLite does not wait by itself here, as it does everywhere else.
        while (problem := self._problem_with_log()) and time.monotonic() < until:
            time.sleep(0.01)
        if problem:
            raise StoreError(f"{self._name} {_meaning(problem)}")

    def _problem_with_log(self) -> str | None:
        with self._engine.connect() as connection:
            raw: Any = connection.connection.dbapi_connection
            try:
                # Past SQLAlchemy, because a transaction cannot change the log.
                raw.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError as error:
                # A store that can only be read stays as it is, and readable.
                return None if "readonly" in str(error) else str(error)
        return None


def _sqlite_options(url: URL) -> dict[str, Any]:
    options: dict[str, Any] = {
        "poolclass": QueuePool,
        "pool_timeout": BUSY_SECONDS,
        "connect_args": {"timeout": BUSY_SECONDS, "check_same_thread": False},
    }
    if in_memory(url):
        # The one connection is the database; threads take turns.
        options |= {"pool_size": 1, "max_overflow": 0}
    return options


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # The driver would begin transactions by itself, and too late: see _begin_sqlite.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute("PRAGMA synchronous = FULL")
    # 16 MB: hashes land anywhere in an index, which should not leave memory for each.
    cursor.execute("PRAGMA cache_size = -16000")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that will write takes its place in the queue at once: one that
    # reads first and writes later can only fail when another has written meanwhile.
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _identity(file: Path | None) -> tuple[int, int] | None:
    if file is not None:
        with suppress(OSError):
            found = file.stat()
            return found.st_dev, found.st_ino
    return None


def _meaning(message: str) -> str:
    known = (meaning for words, meaning in _MEANINGS.items() if words in message.lower())
    return next(known, f"failed: {message}.")
