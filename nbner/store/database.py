"""Database connections: opening without side effects, transactions, and readable errors."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
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

_LOG = logging.getLogger(__name__)

#: How long a statement waits for another writer, in seconds.
BUSY_SECONDS = 30

_IS_WRITE = "nbner_writes"
_FOREIGN_FILE = "is not a store of nbner. Name another file: nbner makes one that is not there yet."
_BUSY = "is busy: another program is writing to it. Try again in a moment."
_FULL = "cannot be written: the disk is full. Make room and try again."
_UNREACHABLE = "cannot be reached. Check that the server runs; then try again."
_AUTHENTICATION = "refuses this user and password. Check the address."
_NUL = "cannot hold the character NUL, as no text in PostgreSQL can. Remove it."

# Primary result codes of SQLite: https://sqlite.org/rescode.html
_READONLY = 8
_SQLITE_MESSAGES = {
    5: _BUSY,  # SQLITE_BUSY
    6: _BUSY,  # SQLITE_LOCKED
    _READONLY: "can be read but not written. Check the permissions of the file and its folder.",
    11: "is damaged. Go back to a copy of it.",  # SQLITE_CORRUPT
    13: _FULL,  # SQLITE_FULL
    14: "cannot be opened. Check the permissions of the file and its folder.",  # SQLITE_CANTOPEN
    26: _FOREIGN_FILE,  # SQLITE_NOTADB
}
# Python 3.10 does not expose the code. sqlite3_errstr() translates each code into
# one fixed English string, so that for this version the string stands for the code.
_SQLITE_CODES = {
    "database is locked": 5,
    "database table is locked": 6,
    "attempt to write a readonly database": _READONLY,
    "database disk image is malformed": 11,
    "database or disk is full": 13,
    "unable to open database file": 14,
    "file is not a database": 26,
}
# SQLSTATE codes, or their first two characters for a whole class:
# https://www.postgresql.org/docs/current/errcodes-appendix.html
_SQLSTATE_MESSAGES = {
    "08": _UNREACHABLE,
    "22021": _NUL,
    "28": _AUTHENTICATION,
    "3D000": "is not there. Check the address; the database itself must be made first.",
    "3F000": "has no schema of this name. Check the address; the schema must be made first.",
    "42501": "may not be used by this user. Ask for the right to make tables in it.",
    "53100": _FULL,
    "53300": "has no free connection. Close other programs that use it, or try again later.",
    "55P03": _BUSY,
    "57P01": "cannot be reached: the server is going down. Try again later.",
    "57P02": "cannot be reached: the server is going down. Try again later.",
    "57P03": "cannot be reached: the server is starting or going down. Try again later.",
}
# An arbitrary constant: the advisory lock that whoever creates or migrates tables holds.
_MIGRATION_LOCK_ID = 0x6E626E6572


class Database:
    """Connections to one store, usable from any number of threads.

    Parameters
    ----------
    location : str or Path
        A SQLite file, ":memory:", or a database URL.

    Raises
    ------
    StoreError
        There is no store and none can be created; existing data is unchanged.

    Attributes
    ----------
    key : str
        Identity of the store, generated when it is created and never changed.
    url : str
        Its location, without a password.
    """

    def __init__(self, location: str | Path) -> None:
        url = parse_url(location)
        self.url = url.render_as_string(hide_password=True)
        self._file = sqlite_path(url)
        self._name = f"The store {self._file or self.url}"
        self._file_id: tuple[int, int] | None = None
        self._closed = False
        if self._file is not None:
            self._probe_readonly(self._file)
        self._engine = self._create_engine(url)
        self._writer = self._engine.execution_options(**{_IS_WRITE: True})
        # A server would otherwise show each statement a later state.
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
            self._file_id = _file_id(self._file)
        _LOG.debug("opened store %s", self.url)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Yield a connection with one read transaction, which sees one state of the store.

        Raises
        ------
        StoreError
            The store is closed, moved, or cannot be read.
        """
        with self._guarded(), self._reader.begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Yield a connection with one write transaction: durable at the end, or rolled back.

        Raises
        ------
        StoreError
            The store is closed, moved, or cannot be written.
        """
        with self._guarded(), self._writer.begin() as connection:
            yield connection

    @property
    def is_sqlite(self) -> bool:
        """Whether the database is SQLite, which allows one writer at a time."""
        return self._engine.dialect.name == "sqlite"

    @property
    def file(self) -> Path | None:
        """Path of the SQLite file; None for memory and servers."""
        return self._file

    def backup(self, path: Path | None = None) -> Path:
        """Copy the store to a SQLite file, which is a store itself.

        Parameters
        ----------
        path : Path, optional
            By default a file with the current time in its name beside the
            store, or in the working directory where the store is not a file.

        Returns
        -------
        Path
            The absolute path of the copy.

        Raises
        ------
        StoreError
            The file exists already, or cannot be written.
        """
        target = (path or self._backup_path("")).expanduser().absolute()
        with self.reading() as connection:
            backups.copy(connection, target)
        return target

    def close(self) -> None:
        """Close all connections. Closing again does nothing."""
        self._closed = True
        self._engine.dispose()

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        if self._closed:
            raise StoreError(f"{self._name} is closed. Make a new session.")
        if self._file_id is not None and _file_id(self._file) != self._file_id:
            # SQLite would go on writing to a file that no longer has a name.
            raise StoreError(f"{self._name} was moved or deleted. Put it back, or open it anew.")
        with self._friendly_errors():
            yield

    @contextmanager
    def _friendly_errors(self) -> Iterator[None]:
        """Raise a ``StoreError`` with a remedy in place of a driver's error."""
        try:
            yield
        except DBAPIError as error:
            raise StoreError(f"{self._name} {_message(error)}") from error
        except PoolTimeoutError as error:
            raise StoreError(f"{self._name} {_BUSY}") from error

    def _probe_readonly(self, file: Path) -> None:
        """Check a file without write access, so that a foreign one is not changed."""
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
        with self._friendly_errors(), engine.connect() as connection:
            self._schema_version(connection)

    def _schema_version(self, connection: Connection) -> int | None:
        """Return the version of nbner's tables; None where there are none yet."""
        tables = inspect(connection).get_table_names()
        if schema.store.name not in tables:
            # A server's database may hold other tables; a SQLite file is nbner's alone.
            if tables and connection.dialect.name == "sqlite":
                raise StoreError(f"{self._name} {_FOREIGN_FILE}")
            return None
        version = connection.scalar(select(schema.store.c.schema_version))
        if version is None or version > schema.SCHEMA_VERSION:
            raise StoreError(
                f"{self._name} was made by a newer version of nbner (its tables are version "
                f"{version}, this nbner knows {schema.SCHEMA_VERSION}). Update nbner."
            )
        return int(version)

    def _create_engine(self, url: URL) -> Engine:
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
        """Create or migrate the tables where necessary, and return the store's key."""
        with self._friendly_errors():
            with self._engine.begin() as connection:
                version = self._schema_version(connection)
            if self.is_sqlite:
                self._enable_write_ahead_log()
            if version is None:
                self._create_tables()
            elif version < schema.SCHEMA_VERSION:
                self._migrate(version)
            with self._engine.begin() as connection:
                return str(connection.scalar(select(schema.store.c.key)))

    def _create_tables(self) -> None:
        with self._writer.begin() as connection:
            self._lock_migration(connection)
            # Another process may have created them since the first check.
            if self._schema_version(connection) is not None:
                return
            schema.metadata.create_all(connection)
            connection.execute(
                insert(schema.store).values(
                    key=uuid4().hex, schema_version=schema.SCHEMA_VERSION, created=time.time()
                )
            )

    def _migrate(self, version: int) -> None:
        """Bring older tables up to date, after a backup of them."""
        with self._reader.begin() as connection:
            backups.copy(connection, self._backup_path(f"-version-{version}"))
        with self._writer.begin() as connection:
            self._lock_migration(connection)
            if self._schema_version(connection) == version:
                migrate(connection)
        _LOG.debug("migrated %s from version %d of the tables", self.url, version)

    def _backup_path(self, suffix: str) -> Path:
        timestamp = f"{datetime.now().astimezone():%Y-%m-%d-%H%M%S-%f}"
        file = self._file or Path("nbner.db").absolute()
        return file.with_name(f"{file.stem}-{timestamp}{suffix}{file.suffix or '.db'}")

    def _lock_migration(self, connection: Connection) -> None:
        if not self.is_sqlite:
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK_ID})")

    def _enable_write_ahead_log(self) -> None:
        """Let readers and a writer work at the same time; the setting stays in the file."""
        until = time.monotonic() + BUSY_SECONDS
        # SQLite does not wait by itself here, as it does everywhere else.
        while (error := self._set_journal_mode()) and time.monotonic() < until:
            time.sleep(0.01)
        if error:
            raise StoreError(f"{self._name} {_sqlite_message(error)}") from error

    def _set_journal_mode(self) -> sqlite3.OperationalError | None:
        """Ask for the write-ahead log once; return the error where it is not granted."""
        with self._engine.connect() as connection:
            raw: Any = connection.connection.dbapi_connection
            try:
                # On the driver's connection, because the mode cannot change in a transaction.
                raw.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError as error:
                # A store that can only be read stays as it is, and readable.
                return None if _sqlite_code(error) == _READONLY else error
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
    # 16 MB: hashes are spread over a whole index, which should stay in memory.
    cursor.execute("PRAGMA cache_size = -16000")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # A write transaction takes the lock at once: one that reads first and writes
    # later can only fail when another has written in between.
    is_write = connection.get_execution_options().get(_IS_WRITE, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if is_write else "BEGIN")


def _file_id(file: Path | None) -> tuple[int, int] | None:
    """Return a file's device and inode; None where it cannot be found."""
    if file is None:
        return None
    try:
        found = file.stat()
    except OSError as error:
        _LOG.debug("the store's file cannot be found: %s", error)
        return None
    return found.st_dev, found.st_ino


def _message(error: DBAPIError) -> str:
    """Return the message for a driver's error, by its code and not by its words."""
    original = error.orig
    if isinstance(original, sqlite3.Error):
        return _sqlite_message(original)
    state = getattr(original, "sqlstate", None)
    if state:
        known = _SQLSTATE_MESSAGES.get(state) or _SQLSTATE_MESSAGES.get(state[:2])
        return known or _failed(original)
    if error.connection_invalidated:
        return _UNREACHABLE
    if _has_nul(error.params):
        return _NUL
    # libpq keeps the SQLSTATE of a failed connection attempt to itself.
    attempt = getattr(original, "pgconn", None)
    if getattr(attempt, "used_password", False) or getattr(attempt, "needs_password", False):
        return _AUTHENTICATION
    if error.statement is None:
        return (
            f"cannot be reached: {_one_line(original)}. Check the address and that the server "
            "runs; the database and the user must be made first."
        )
    return _failed(original)


def _sqlite_message(error: sqlite3.Error) -> str:
    return _SQLITE_MESSAGES.get(_sqlite_code(error), _failed(error))


def _sqlite_code(error: sqlite3.Error) -> int:
    """Return the primary result code of an error; 0 where SQLite did not raise it."""
    code = getattr(error, "sqlite_errorcode", None)
    return _SQLITE_CODES.get(str(error), 0) if code is None else int(code) & 0xFF


def _has_nul(params: Any) -> bool:
    """Return whether a statement's parameters hold a string with the character NUL."""
    if isinstance(params, str):
        return "\0" in params
    if isinstance(params, Mapping):
        return any(map(_has_nul, params.values()))
    return isinstance(params, (list, tuple)) and any(map(_has_nul, params))


def _failed(error: BaseException | None) -> str:
    return f"failed: {_one_line(error)}."


def _one_line(error: BaseException | None) -> str:
    return " ".join(str(error).split()).rstrip(".")
