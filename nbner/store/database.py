"""The way to a database: opening it unharmed, transactions, and errors in plain words."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

from sqlalchemy import URL, Connection, Engine, create_engine, event, insert, inspect, select
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import NullPool, QueuePool

from nbner.errors import StoreError
from nbner.store import backup as backups
from nbner.store import schema
from nbner.store.migrations import migrate
from nbner.store.url import is_memory, parse_url, sqlite_path

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
    "nul (0x00)": "cannot hold the character NUL, as no text in PostgreSQL can. Remove it.",
    "authentication failed": "refuses this user and password. Check the address.",
    "does not exist": "is not there. Check the address; the database itself must be made first.",
    "permission denied": "may not be used by this user. Ask for the right to make tables in it.",
    "connection": "cannot be reached. Check that the server runs; then try again.",
    "shutting down": "cannot be reached: the server is going down. Try again later.",
    "terminating": "cannot be reached: the server is going down. Try again later.",
}
# Any number: whoever makes or changes the tables of a server takes turns by it.
_TURNSTILE = 0x6E626E6572


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
        url = parse_url(where)
        self.url = url.render_as_string(hide_password=True)
        self._name = f"The store {sqlite_path(url) or self.url}"
        self._file = sqlite_path(url)
        self._identity: tuple[int, int] | None = None
        self._closed = False
        if self._file is not None:
            self._look_before_opening(self._file)
        self._engine = self._engine_for(url)
        self._writer = self._engine.execution_options(**{_WRITES: True})
        # A server would otherwise show each statement a later moment.
        self._reader = (
            self._engine
            if self.is_sqlite
            else self._engine.execution_options(isolation_level="REPEATABLE READ")
        )
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
        with self._translated(), self._reader.begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Give a connection whose changes are durable when the block ends, or undone."""
        with self._translated(), self._writer.begin() as connection:
            yield connection

    @property
    def is_sqlite(self) -> bool:
        """Whether one writer at a time is the database's own rule."""
        return self._engine.dialect.name == "sqlite"

    @property
    def file(self) -> Path | None:
        """The file, where the store is one."""
        return self._file

    def backup(self, path: Path | None = None) -> Path:
        """Copy the store to a SQLite file, which is a store itself.

        Parameters
        ----------
        path : Path, optional
            By default one with the time in its name beside the store, or in
            the working directory where the store is no file.

        Raises
        ------
        StoreError
            The file is there already, or cannot be written.
        """
        target = (path or self._backup_path("")).expanduser().absolute()
        with self.reading() as connection:
            backups.copy(connection, target)
        return target

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

    def _check(self, connection: Connection) -> int | None:
        """Give the version of the tables; None where there are none yet."""
        tables = inspect(connection).get_table_names()
        if schema.store.name not in tables:
            # Beside others, as in a server's database, nbner's tables keep to themselves.
            if tables and connection.dialect.name == "sqlite":
                raise StoreError(f"{self._name} {_NOT_OURS}")
            return None
        version = connection.scalar(select(schema.store.c.schema_version))
        if version is None or version > schema.SCHEMA_VERSION:
            raise StoreError(
                f"{self._name} was made by a newer version of nbner (its tables are version "
                f"{version}, this nbner knows {schema.SCHEMA_VERSION}). Update nbner."
            )
        return int(version)

    def _engine_for(self, url: URL) -> Engine:
        try:
            if url.get_backend_name() != "sqlite":
                return create_engine(url, pool_pre_ping=True)
            engine = create_engine(url, **_sqlite_options(url))
        except (ArgumentError, NoSuchModuleError) as error:
            raise StoreError(f"{self._name} is not an address that is known: {error}.") from error
        except ModuleNotFoundError as error:
            needed = '"nbner[postgres]"' if error.name == "psycopg" else error.name
            raise StoreError(f"{self._name} needs a driver: pip install {needed}.") from error
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine

    def _open(self) -> str:
        with self._in_plain_words():
            with self._engine.begin() as connection:
                version = self._check(connection)
            if self.is_sqlite:
                self._use_write_ahead_log()
            if version is None:
                self._make()
            elif version < schema.SCHEMA_VERSION:
                self._migrate(version)
            with self._engine.begin() as connection:
                return str(connection.scalar(select(schema.store.c.key)))

    def _make(self) -> None:
        with self._writer.begin() as connection:
            self._take_turns(connection)
            # Another process may have made it since we looked.
            if self._check(connection) is not None:
                return
            schema.metadata.create_all(connection)
            connection.execute(
                insert(schema.store).values(
                    key=uuid4().hex, schema_version=schema.SCHEMA_VERSION, created=time.time()
                )
            )

    def _migrate(self, version: int) -> None:
        """Bring older tables up to date, once a copy of them is safe."""
        with self._reader.begin() as connection:
            backups.copy(connection, self._backup_path(f"-version-{version}"))
        with self._writer.begin() as connection:
            self._take_turns(connection)
            if self._check(connection) == version:
                migrate(connection)

    def _backup_path(self, suffix: str) -> Path:
        moment = f"{datetime.now().astimezone():%Y-%m-%d-%H%M%S-%f}"
        file = self._file or Path("nbner.db").absolute()
        return file.with_name(f"{file.stem}-{moment}{suffix}{file.suffix or '.db'}")

    def _take_turns(self, connection: Connection) -> None:
        if not self.is_sqlite:
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_TURNSTILE})")

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
    if is_memory(url):
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
